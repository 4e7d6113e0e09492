"""Over all kinds of replies and faults, at each step: no key, signature or secret of the environment is kept or shown.

Everything that a run leaves is searched: messages, reprs, tracebacks with local variables, pickles, logs, standard
output, the journal, results, the gallery and the manifest.
"""

import json
import logging
import pickle
import re
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from seedream import AsyncSeeDream, RetryPolicy, SeeDream, SeeDreamError, Timeouts
from seedream._support.server_text import holds_secret
from seedream.bulk import Bulk, BulkOptions
from seedream.bulk.results import manifest_rows, results
from seedream.cli.app import app
from seedream.journal import ReadOnlyJournal
from seedream_sandbox import KINDS, Sandbox
from support.clients import KEY
from support.clock import FakeClock
from support.pictures import picture
from support.scripted_server import ScriptedServer
from support.scripted_server import reply as answer
from support.secret_forms import FORMS

BASE = "https://api.example"
SIGNED = "https://cdn.example/1.png?X-Signature=MARKER-SIGNATURE&Expires=1"
MARKERS = ("MARKER-SIGNATURE", "MARKER-ENVIRONMENT", "MARKER-PROXY")
STATUSES = (200, 201, 204, 301, 302, 307, 400, 401, 403, 404, 405, 408, 410, 429, 500, 502, 503, 504, 520, 999)
_SANDBOX_SIGNATURE = re.compile("Signature=[0-9a-f]{8}")
STEPS = ("submit", "query", "picture")
LOCATIONS = [
    SIGNED,
    "/x?sig=MARKER-SIGNATURE",
    "https://me:MARKER-SIGNATURE@h.example/",
    r"https:\/\/h\/x?sig=MARKER-SIGNATURE",
]


def bodies(echo: str) -> dict[str, Any]:
    """Replies that hold the echo in each place."""
    said = f"wrong key {echo} for {SIGNED}"
    failed = {"image_status": 4, "error_message": said, "prompt": said}
    odd = {"taskid": "t1", "image_status": 3, "url": [f"ftp://{echo}@h/?sig=MARKER-SIGNATURE", SIGNED]}
    hosts = {"taskid": "t1", "image_status": 3, "url": [f"http://{echo}.example/", SIGNED]}
    ids = {"taskid": f"t-{echo}", "task_id": SIGNED}
    return {
        "a message": {"json": {"code": 9999, "msg": said, "data": {"error": said}}},
        "no credits": {"json": {"code": 9000, "msg": said}},
        "a failed task": {"json": {"code": 1000, "msg": said, "data": failed}},
        "ids": {"json": {"code": 1000, "msg": said, "data": ids}},
        "odd URLs": {"json": {"code": 1000, "msg": "", "data": odd}},
        "odd hosts": {"json": {"code": 1000, "msg": "", "data": hosts}},
        "HTML": {"html": f"<html><body><a href='{SIGNED}'>{said}</a></body></html>"},
        "text": {"text": said},
        "cut JSON": {"text": f'{{"code": 1000, "msg": "{said}", "data": {{"taskid": "{SIGNED}'},
    }  # fmt: skip


BODIES = tuple(bodies(""))


def hostile(status: int, body: str, echo: str, location: str) -> httpx.Response:
    plain = "".join(c for c in echo if c.isprintable()).encode("ascii", "replace").decode()
    headers = {
        "x-echo": f"Bearer {KEY}",
        "server": plain,
        "x-request-id": plain,
        "etag": f'"{plain}"',
        "location": location,
        "set-cookie": f"key={KEY}",
        "retry-after": "1",
        "via": SIGNED,
    }
    response = httpx.Response(
        status, headers=headers, extensions={"reason_phrase": plain.encode()}, **bodies(echo)[body]
    )
    response.headers["content-type"] = f"{response.headers.get('content-type', 'text/plain')}; key={plain}"
    return response


class HostileService:
    """Answers well until a step, and from there on with what it is given."""

    def __init__(self, step: str, answer: httpx.Response) -> None:
        self.step, self.answer = step, answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            step, good = "picture", httpx.Response(200, content=picture())
        elif request.url.path.endswith("infobytaskid"):
            data = {"taskid": "t1", "image_status": 3, "url": [SIGNED]}
            step, good = "query", httpx.Response(200, json={"code": 1000, "msg": "", "data": data})
        else:
            step, good = "submit", httpx.Response(200, json={"code": 1000, "msg": "", "data": {"taskid": "t1"}})
        if step != self.step:
            return good
        bad = self.answer
        return httpx.Response(bad.status_code, headers=bad.headers, content=bad.content, extensions=bad.extensions)


def shown(error: BaseException) -> Iterator[str]:
    """All that a program, a log or an error reporter can show of an error."""
    seen: set[int] = set()
    left = [error]
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield f"{one} {one!r} {vars(one)!r} {getattr(one, '__notes__', [])}"
        if isinstance(one, SeeDreamError):
            yield pickle.dumps(one).decode("latin-1")
            left += list(getattr(one, "errors", {}).values())
        trace = traceback.TracebackException.from_exception(one, capture_locals=True)
        yield repr([frame.locals for frame in trace.stack if "overlay" in Path(frame.filename).parts])
        left += [behind for behind in (one.__cause__, one.__context__) if behind is not None]


def clean(where: str, text: str, echo: str = "") -> None:
    for marker in (KEY, *MARKERS):
        assert marker not in text, (where, marker, text[max(0, text.find(marker) - 80) :][:200])
    assert not _SANDBOX_SIGNATURE.search(text), where
    assert not echo or echo not in text, where
    assert not holds_secret(text[:200_000], KEY), where


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OTHER_SECRET", "MARKER-ENVIRONMENT")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:MARKER-PROXY@127.0.0.1:1")


@pytest.mark.parametrize("form", FORMS)
def test_the_state_of_a_task_is_shown_without_secrets(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORSLAB_API_KEY", KEY)
    data = {"taskid": "t1", "image_status": 4, "error_message": f"wrong {FORMS[form]}", "prompt": f"{FORMS[form]} fish"}
    body = json.dumps({"code": 1000, "msg": "", "data": data}).encode()
    with ScriptedServer(answer(200, body)) as server:
        for flag in ([], ["--json"]):
            ran = CliRunner().invoke(app, ["task", "t1", "--base-url", server.url, *flag])
            assert (ran.exit_code, "wrong" in ran.output) == (0, True)
            clean("the command line", ran.output, FORMS[form])


def left_behind(folder: Path) -> Iterator[tuple[str, str]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes().decode("latin-1")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("step", STEPS)
def test_a_client_shows_and_keeps_no_secret(
    step: str, form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    echo = FORMS[form]
    for number, status in list(enumerate(STATUSES))[list(FORMS).index(form) % 4 :: 4]:
        body = BODIES[(number + len(form)) % len(BODIES)]
        answer = hostile(status, body, echo, LOCATIONS[number % len(LOCATIONS)])
        transport = httpx.MockTransport(HostileService(step, answer))
        client = SeeDream(KEY, base_url=BASE, transport=transport, clock=FakeClock(), journal=tmp_path / "j.sqlite",
                          retry=RetryPolicy(attempts=2))  # fmt: skip
        with client:
            try:
                client.generate("a fish", output_dir=tmp_path / "out", timeout=3)
            except SeeDreamError as error:
                for text in shown(error):
                    clean(f"{step} {status} {body}", text, echo)
    clean("logs", caplog.text, echo)
    for name, text in left_behind(tmp_path):
        clean(name, text, echo)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("step", STEPS)
def test_a_bulk_run_shows_and_keeps_no_secret(
    step: str, body: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    forms = list(FORMS.values())
    for number, status in list(enumerate(STATUSES))[BODIES.index(body) % 4 :: 4]:
        echo = forms[(number + len(body)) % len(forms)]
        answer = hostile(status, body, echo, LOCATIONS[number % len(LOCATIONS)])
        transport = httpx.MockTransport(HostileService(step, answer))
        clock = FakeClock()
        connect = partial(
            AsyncSeeDream, KEY, base_url=BASE, transport=transport, clock=clock, retry=RetryPolicy(attempts=2)
        )
        bulk = Bulk(tmp_path / str(status), connect=connect, clock=clock)
        report = bulk.run(["a fish", "a bird"], options=BulkOptions(concurrency=1, task_timeout=3, patience=3))
        if report.error is not None:
            for text in shown(report.error):
                clean(f"{step} {status}", text, echo)
        with ReadOnlyJournal(bulk.folder.journal) as reader:
            run = reader.find_run("bulk")
            assert run is not None
            rows = list(manifest_rows(results(reader, run)))
        clean("manifest", repr(rows), echo)
        clean("report", repr(report), echo)
    clean("logs", caplog.text)
    assert {"journal.sqlite", "results.jsonl", "gallery.html"} <= {name for name, _ in left_behind(tmp_path)}
    for name, text in left_behind(tmp_path):
        clean(name, text)


@pytest.mark.parametrize("fault", sorted(KINDS))
def test_no_fault_of_the_sandbox_brings_a_secret_out(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limit = 0.3
    limits = Timeouts(connect=limit, write=limit, submit_read=limit, query_read=limit, download_read=limit)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TENSORSLAB_API_KEY", KEY)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    phases = [f"--network-timeout={phase}={limit}" for phase in ("submit", "query", "download")]
    with Sandbox(faults=[f"{fault} times=2"], keys=[KEY], progress="instant") as sandbox:
        with SeeDream(KEY, base_url=sandbox.base_url, timeouts=limits, journal="j.sqlite") as client:
            try:
                client.generate("a fish", timeout=2, output_dir="out")
            except SeeDreamError as error:
                for text in shown(error):
                    clean(fault, text)
        given = ["generate", "a fish", "--base-url", sandbox.base_url, "-o", "cli", "--timeout", "2", "--json", *phases]
        ran = CliRunner().invoke(app, given)
        assert '"taskid"' in ran.output
        clean("the command line", ran.output)
    clean("logs", caplog.text)
    for name, text in left_behind(tmp_path):
        clean(name, text)
