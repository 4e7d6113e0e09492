"""docs/sandbox.md says what the code does: its shell and Python blocks are run, its tables compared."""

import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from shutil import which

import httpx
import pytest
from attrs import fields
from PIL import Image
from seedream_sandbox import KINDS, Sandbox, Settings, load_plan

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def rows(title: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this title."""
    table = re.findall(rf"(?m)^\| {title} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for part in table for line in part.splitlines()]


@pytest.mark.skipif(which("curl") is None or which("bash") is None, reason="there is no curl or no bash here")
def test_the_curl_session_gives_what_the_page_shows(tmp_path: Path) -> None:
    (session,) = [block for block in blocks("sh") if "$BASE" in block]
    documented = [line.removeprefix("# ") for line in session.splitlines() if line.startswith("# ")]
    with Sandbox() as sandbox:
        script = f"set -e\n{session}".replace("python3", sys.executable)
        reach = {"TENSORSLAB_BASE_URL": sandbox.base_url, "TENSORSLAB_API_KEY": sandbox.api_key}
        ran = subprocess.run(
            [which("bash") or "bash", "-c", script],
            cwd=tmp_path,
            env={**os.environ, **reach},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    assert documented == [line for line in ran.stdout.splitlines() if line]
    assert 5 == len(documented)
    assert (2560, 1440) == Image.open(BytesIO((tmp_path / "dawn.png").read_bytes())).size


def test_the_python_example_runs(tmp_path: Path) -> None:
    (example,) = [block for block in blocks("python") if "ManualClock" in block]
    subprocess.run([sys.executable, "-W", "error", "-c", example], cwd=tmp_path, check=True, timeout=120)
    assert 2 == len(list((tmp_path / "out").iterdir()))


def test_the_tests_shown_are_those_that_run() -> None:
    (shown,) = [block for block in blocks("python") if "def test_" in block]
    real = (Path(__file__).parents[1] / "examples" / "test_my_app.py").read_text("utf-8")
    for line in shown.splitlines():
        if line.startswith("    "):
            assert line.strip() in real
        elif line.startswith("def "):
            assert f"{line.partition('(')[0]}(" in real


def test_every_fault_has_its_row_with_its_options() -> None:
    documented = {name.strip("`"): (summary, options) for name, summary, options in rows("fault")}
    assert set(KINDS) == set(documented)
    for name, kind in KINDS.items():
        options = re.findall(r"`([a-z_]+)=([^`]*)`", documented[name][1])
        plain = {
            key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in kind.options.items()
        }
        assert (kind.summary, plain) == (documented[name][0], dict(options)), name


def test_every_setting_has_its_row_with_its_default() -> None:
    documented = {name.strip("`"): default for name, _, default in rows("setting")}
    plain = Settings()
    real = {field.name: getattr(plain, field.name) for field in fields(Settings)}
    assert {name: str(value) for name, value in real.items() if name != "clock"} == {
        name: default for name, default in documented.items() if name != "clock"
    }
    assert type(real["clock"]).__name__ == documented["clock"]


def test_the_plan_on_the_page_is_one(tmp_path: Path) -> None:
    (plan,) = blocks("yaml")
    (tmp_path / "plan.yaml").write_text(plan)
    faults = load_plan(tmp_path / "plan.yaml")
    assert ["cut-reply", "status", "picture-truncated"] == [fault.name for fault in faults]
    assert [((2,), "submit"), ((), "query"), ((), "picture")] == [(fault.nth, fault.at) for fault in faults]


def test_every_address_of_the_inspector_answers() -> None:
    documented = [cell.strip("`").split(" ", 1) for cell, _ in rows("request")]
    assert 9 == len(documented)
    with Sandbox() as sandbox, httpx.Client(trust_env=False, timeout=60) as http:
        assert [200] * 9 == [http.request(method, sandbox.base_url + path).status_code for method, path in documented]
