"""After an update, client, sandbox, command line and contract suite hold the new limits with no edit of code."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from page_edits import RepositoryCopy, body, document, field, page
from pipeline.strict_yaml import dump_yaml

# Runs with the repository's own copies of the generated client and the overlay; prints what it saw as JSON.
SCRIPT = r"""
import contextlib, io, json, sys
import httpx
import seedream, tensorslab_images
from seedream import InvalidRequest, Resolution, SeeDream
from seedream_testing.contract import from_tables
from seedream_sandbox import Sandbox
from tensorslab_images import limits

seen = {"from": [seedream.__file__, tensorslab_images.__file__], "server": limits.SERVER}

def sent(**options):
    try:
        client.submit("a fish", **options)
    except InvalidRequest as error:
        return str(error)
    return sandbox.requests[-1].fields

def posted(**fields):
    with httpx.Client(transport=sandbox.transport, base_url=sandbox.base_url) as raw:
        form = [(name, (None, str(value))) for name, value in {"prompt": "x", **fields}.items()]
        headers = {"Authorization": f"Bearer {sandbox.api_key}"}
        return raw.post(limits.SUBMIT.path, files=form, headers=headers).json()["code"]

with Sandbox(pictures="plain") as sandbox, SeeDream(sandbox.api_key, base_url=sandbox.base_url) as client:
    seen["client"] = [sent(batchsize=20), sent(batchsize=21), sent(seed=7), sent(seed=-1)]
    forms = [{"batchsize": 20}, {"batchsize": 21}, {"seed": 7}, {"seed": -1}]
    forms += [{"resolution": text} for text in ("21:9", "2048x1800", "2000x2000")]
    seen["sandbox"] = [posted(**form) for form in forms]
for text in ("21:9", "2048x1800", "2000x2000"):
    try:
        seen[text] = str(Resolution.parse(text))
    except InvalidRequest as error:
        seen[text] = f"refused: {error}"
sys.argv = ["seedream", "generate", "a fish", "-n", "21", "--dry-run"]
out = io.StringIO()
with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), contextlib.suppress(SystemExit):
    from seedream.cli import main
    main()
seen["command"] = out.getvalue()
seen["contract"] = repr(from_tables())
import jedi
jedi.settings.cache_directory = "build/jedi"
for kind in ("SeeDream", "AsyncSeeDream"):
    for method in ("submit", "generate"):
        (signature,) = jedi.Script(f"from seedream import {kind}\n{kind}('k').{method}(").get_signatures()
        parameters = {one.name: one.description for one in signature.params}
        seen[kind + method] = [parameters["seed"], parameters["resolution"], signature.docstring(raw=True)]
print(json.dumps(seen))
"""


@pytest.fixture
def seen(repository: RepositoryCopy) -> dict[str, Any]:
    found = document(
        lambda d: field(d, "batchsize").update(maximum=20),
        lambda d: body(d)["properties"].update(seed={"type": "integer", "minimum": 0, "description": "随机种子"}),
        lambda d: d["servers"][0].update(url="https://api2.tensorslab.com"),
        lambda d: field(d, "resolution").update(
            description=field(d, "resolution")["description"]
            .replace("3:2）", "3:2、21:9）")
            .replace("3,686,400", "4,000,000")
        ),
    )
    assert repository.take(page(dump_yaml(found).encode()), accept=True).code == 0
    path = os.pathsep.join(str(repository.root / name) for name in ("generated", "overlay"))
    environment = {**os.environ, "PYTHONPATH": path, "TENSORSLAB_API_KEY": "", "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        cwd=repository.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert all(str(repository.root) in name for name in result["from"])
    return result


def test_everything_follows(seen: dict[str, Any]) -> None:
    assert seen["server"] == "https://api2.tensorslab.com"
    legal, above, new, below = seen["client"]
    assert legal["batchsize"] == ["20"]
    assert "BATCH-RANGE" in above
    assert "20" in above
    assert new["seed"] == ["7"]  # a new optional field is usable at once
    assert "seed" in below
    assert seen["sandbox"] == [1000, 9999, 1000, 9999, 1000, 9999, 1000]
    assert seen["21:9"] == "21:9"
    assert "RES-PIXELS" in seen["2048x1800"]
    assert "4,000,000" in seen["2048x1800"]
    assert seen["2000x2000"] == "2000x2000"
    assert "BATCH-RANGE" in seen["command"]
    for word in ("21:9", "'20'", "'21'"):
        assert word in seen["contract"]


@pytest.mark.parametrize("client", ["SeeDream", "AsyncSeeDream"])
@pytest.mark.parametrize("method", ["submit", "generate"])
def test_editors_that_do_not_run_code_offer_a_new_field(seen: dict[str, Any], client: str, method: str) -> None:
    seed, resolution, documented = seen[client + method]
    assert seed == "param seed: int | None=None"
    assert '"3:2", "21:9", "2K"' in resolution
    assert "seed: 随机种子。 At least 0." in documented
    assert "From 1 to 20." in documented
