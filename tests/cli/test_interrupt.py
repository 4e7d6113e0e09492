"""Ctrl-C: a clean line and exit code 130; nothing paid for is lost, and what may have been billed is said."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import pytest
from seedream._protocol.effects import Failure, SendRequest
from seedream._protocol.submit import submit
from seedream._request.submission import check_submit
from seedream._support.signals import handling_signals
from seedream.cli.interrupt import DeferInterrupt
from seedream.cli.task_record import TaskRecorder, read_tasks
from seedream.errors import JournalFull, Rejected
from support.clients import KEY
from support.scripted_server import Action, Connection, ScriptedServer, reply
from support.workflows import Head, ScriptedIO, run, service

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent as POSIX does it")
ACCEPTED = json.dumps({"code": 1000, "msg": "", "data": {"taskid": "abcd_1"}}).encode()


@contextmanager
def started(url: str, directory: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """`seedream generate` under way."""
    words = [sys.executable, "-m", "seedream.cli", "generate", "x", "-o", str(directory), "--base-url", url, *more]
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TENSORSLAB_API_KEY": KEY, "LC_ALL": "C.UTF-8"},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(stream: IO[bytes] | None, text: bytes) -> bytes:
    """Read to the line that holds the text."""
    assert stream is not None
    read = b""
    for line in stream:
        read += line
        if text in line:
            break
    return read


def held_answer(arrived: threading.Event, go: threading.Event) -> Action:
    """Take the whole request, and answer only when asked to."""

    def act(connection: Connection) -> None:
        connection.read_request()
        arrived.set()
        go.wait(30)
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(ACCEPTED)}\r\nconnection: close\r\n\r\n"
        connection.send(head.encode() + ACCEPTED)

    return act


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_submission_under_way_finishes_and_its_task_id_is_printed(tmp_path: Path, number: int) -> None:
    arrived, go = threading.Event(), threading.Event()
    with ScriptedServer(held_answer(arrived, go)) as server, started(server.url, tmp_path) as process:
        assert arrived.wait(30)
        process.send_signal(number)
        read_until(process.stderr, b"Waiting for the answer")
        go.set()
        out, err = process.communicate(timeout=30)
        assert 1 == len(server.requests)
    assert (130, b"") == (process.returncode, out)
    assert b"Task abcd_1 accepted" in err
    assert b"seedream wait abcd_1 -o" in err
    assert b"may have been billed" not in err
    assert b"Traceback" not in err


def test_a_second_ctrl_c_gives_it_up_and_says_that_it_may_be_billed(tmp_path: Path) -> None:
    arrived, go = threading.Event(), threading.Event()
    with ScriptedServer(held_answer(arrived, go)) as server, started(server.url, tmp_path, "--json") as process:
        assert arrived.wait(30)
        process.send_signal(signal.SIGINT)
        read_until(process.stderr, b"Waiting for the answer")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        go.set()
    assert 130 == process.returncode
    assert "unknown" == json.loads(out)["error"]["billing"]
    assert b"may have been billed" in err
    assert b"Traceback" not in err


def test_while_waiting_it_says_how_to_go_on(tmp_path: Path) -> None:
    queued = json.dumps({"code": 1000, "msg": "", "data": {"taskid": "abcd_1", "image_status": 1}}).encode()
    with (
        ScriptedServer(reply(200, ACCEPTED), reply(200, queued)) as server,
        started(server.url, tmp_path, "-n", "4", "--json") as process,
    ):
        read_until(process.stderr, b"Task abcd_1 accepted")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert 130 == process.returncode
    assert ("abcd_1", "yes") == tuple(json.loads(out)["error"][name] for name in ("taskid", "billing"))
    assert f"seedream wait abcd_1 -n 4 -o {tmp_path}".encode() in err
    assert b"Traceback" not in err


@contextmanager
def deferring(*given: Any) -> Iterator[DeferInterrupt]:
    """Handle signals as `seedream generate` does."""
    deferred = DeferInterrupt(*given)
    with handling_signals(deferred.on_signal):
        yield deferred


def pressed() -> None:
    """Ctrl-C, as this process gets it."""
    signal.raise_signal(signal.SIGINT)


def test_one_ctrl_c_is_enough_where_no_request_is_under_way() -> None:
    calls: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with deferring(None, calls.append, lambda: calls.append("wait")) as deferred:
        with pytest.raises(KeyboardInterrupt):
            pressed()  # still connecting
        deferred.begin()
        deferred.not_sent()
        with pytest.raises(KeyboardInterrupt):
            pressed()  # in the pause before it is sent again
        deferred.begin()
        deferred.submitted("abcd_1")
        with pytest.raises(KeyboardInterrupt):
            pressed()  # the answer is here
    assert ["abcd_1"] == calls
    assert before is signal.getsignal(signal.SIGINT)


def test_a_held_back_ctrl_c_stops_before_the_request_is_sent_again() -> None:
    calls: list[str] = []
    with deferring(None, calls.append, lambda: calls.append("wait")) as deferred:
        deferred.begin()
        pressed()
        assert deferred.interrupted
        with pytest.raises(KeyboardInterrupt):
            deferred.not_sent()
        assert ["wait"] == calls


@pytest.mark.parametrize("status", [429, 408, None])
def test_after_a_held_back_ctrl_c_a_submission_that_was_not_taken_is_recorded_as_not_sent(
    tmp_path: Path, status: int | None
) -> None:
    # "seedream task" would otherwise say that it may have been billed.
    class Interrupted(ScriptedIO):
        def perform(self, effect: Any) -> Any:
            found = super().perform(effect)
            if isinstance(effect, SendRequest):
                pressed()  # while the answer is awaited
            return found

    submission = check_submit("x", {})
    record = TaskRecorder(submission, tmp_path, None)
    refused = Failure("never_sent", "ConnectError", "reset") if status is None else Head(status)
    with deferring(record, lambda _: None, lambda: None) as deferred, pytest.raises(KeyboardInterrupt):
        run(submit(service(), submission, deferred), Interrupted([refused]))
    assert deferred.interrupted
    assert [task.state for task in read_tasks()] == ["not sent"]


def test_the_id_is_printed_even_if_ctrl_c_comes_with_the_answer() -> None:
    calls: list[str] = []

    def accepted(taskid: str) -> None:
        pressed()
        calls.append(taskid)

    with deferring(None, accepted, lambda: None) as deferred, suppress(KeyboardInterrupt):
        deferred.begin()
        deferred.submitted("abcd_1")
    assert (["abcd_1"], True) == (calls, deferred.interrupted)


class Record:
    """A recorder that keeps what it was called with."""

    def __init__(self, calls: list[object]) -> None:
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return lambda *given, **more: self._calls.append((name, *given, *more.values()))


@pytest.mark.parametrize("end", ["submitted", "refused", "unknown", "not_sent"])
def test_each_step_is_recorded_and_after_the_end_one_ctrl_c_is_enough(end: str) -> None:
    # Rule: what is paid for is recorded before it is printed, and a signal is held back for no longer than that.
    calls: list[object] = []
    error = Rejected("no", taskid="abcd_2")
    record: Any = Record(calls)
    with deferring(record, calls.append, lambda: calls.append("wait")) as deferred:
        deferred.begin()
        {
            "submitted": lambda: deferred.submitted("abcd_1"),
            "refused": lambda: deferred.refused(error),
            "unknown": lambda: deferred.unknown(error),
            "not_sent": deferred.not_sent,
        }[end]()
        with pytest.raises(KeyboardInterrupt):
            pressed()
    ended = {
        "submitted": ("accepted", "abcd_1"), "refused": ("refused", "abcd_2"), "unknown": ("unknown", "abcd_2"),
        "not_sent": ("not sent",),
    }  # fmt: skip
    assert calls == [("begin",), ("end", *ended[end]), *(["abcd_1"] if end == "submitted" else [])]
    assert deferred.interrupted is False


def test_only_the_first_ctrl_c_is_held_back() -> None:
    calls: list[str] = []
    with deferring(None, calls.append, lambda: calls.append("wait")) as deferred:
        deferred.begin()
        pressed()
        with pytest.raises(KeyboardInterrupt):
            pressed()
    assert (calls, deferred.interrupted) == (["wait"], True)


def test_a_second_ctrl_c_counts_while_the_first_one_is_still_answered() -> None:
    calls: list[str] = []

    def warn() -> None:
        calls.append("wait")
        pressed()

    with deferring(None, calls.append, warn) as deferred:
        deferred.begin()
        with pytest.raises(KeyboardInterrupt):
            pressed()
    assert calls == ["wait"]


def test_a_request_that_the_record_refuses_is_not_under_way() -> None:
    class Full:
        def begin(self) -> None:
            raise JournalFull("no room")

    record: Any = Full()
    with deferring(record, print, print) as deferred:
        with pytest.raises(JournalFull):
            deferred.begin()
        with pytest.raises(KeyboardInterrupt):
            pressed()
