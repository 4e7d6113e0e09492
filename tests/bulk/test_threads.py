"""A machine without more threads: work that needs none goes on, and work that needs one is refused at once."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from seedream import NotSent, SeeDream
from seedream.bulk import BulkOptions, SubmitterThread
from seedream.errors import ConfigError
from seedream_sandbox import Sandbox
from support.bulk_bench import Bench
from support.clients import KEY, Both
from support.fake_service import FakeService, completed
from support.pictures import picture
from support.scripted_server import ScriptedServer, reply

HOST = "https://images.example"
RUNNING = b'{"code": 1000, "msg": "", "data": {"taskid": "t1", "image_status": 2}}'


def refuse_threads(patch: pytest.MonkeyPatch) -> list[str]:
    """Let the main thread start no more threads; the servers of a test still do. Gives the names of those refused."""
    refused: list[str] = []
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        if threading.current_thread() is threading.main_thread():
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        start(thread)

    patch.setattr(threading.Thread, "start", limited)
    return refused


def test_all_pictures_are_saved_without_threads(both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [picture(seed=number) for number in range(6)]
    service = FakeService(
        completed(*(f"{HOST}/{number}" for number in range(6))),
        pictures={f"/{number}": content for number, content in enumerate(contents)},
    )
    refused = refuse_threads(monkeypatch)
    saved = both.call(lambda client: client.task("t1").save(tmp_path, concurrency=3), transport=service.transport)
    assert [path.read_bytes() for path in saved] == contents
    assert refused


def test_a_submission_is_recorded_and_sent_without_threads(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Name look-up, the journal and the source image each use a thread of the async client where there is one.
    source = tmp_path / "source.png"
    source.write_bytes(picture())
    accepted = reply(200, b'{"code": 1000, "msg": "", "data": {"taskid": "t1"}}')
    with ScriptedServer(accepted) as server:
        refuse_threads(monkeypatch)
        url = server.url.replace("127.0.0.1", "localhost")
        work: Callable[[Any], Any] = lambda client: client.submit("a fish", source_images=source)  # noqa: E731 -- short
        assert both.call(work, base_url=url, journal=tmp_path / "journal.sqlite").id == "t1"
        assert len(server.requests) == 1


def test_a_bulk_run_comes_to_its_end_without_threads(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = refuse_threads(monkeypatch)
    report = bench.run("a", "b", "c", concurrency=2)
    assert (report.reason, report.counts["downloaded"], report.warnings) == ("done", 3, ())
    assert sorted(bench.paid) == ["a", "b", "c"]
    assert refused


def test_a_submitter_in_a_thread_of_its_own_is_refused_before_anything(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_threads(monkeypatch)
    with pytest.raises(ConfigError, match="no more threads") as caught:
        SubmitterThread(bench.out, options=BulkOptions())
    assert caught.value.retryable
    assert bench.paid == []


def test_a_deadline_of_an_own_transport_needs_a_thread_and_nothing_is_sent_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ScriptedServer(reply(200, RUNNING)) as server:
        refuse_threads(monkeypatch)
        with SeeDream(KEY, base_url=server.url, transport=httpx.HTTPTransport(), clock=Both("sync").clock) as client:
            with pytest.raises(NotSent, match="can't start new thread"):
                client.submit("a fish")
            assert all(request == b"" for request in server.requests)


def test_a_sandbox_that_gets_no_thread_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_threads(monkeypatch)
    with pytest.raises(OSError, match="no thread"):
        Sandbox().start()
