"""`generate` records each submission before it is sent, so that no paid task is lost with the process."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from seedream._request.submission import check_submit
from seedream.cli.interrupt import DeferInterrupt
from seedream.cli.task_record import TaskRecorder, read_tasks
from seedream.errors import JournalFull, Rejected, SubmissionUnknown
from support.clients import KEY
from support.scripted_server import Connection, ScriptedServer, reply
from support.single_task_server import TASK, SingleTaskServer

ACCEPTED = json.dumps({"code": 1000, "msg": "", "data": {"taskid": "abcd_1"}}).encode()


def record(directory: Path) -> TaskRecorder:
    return TaskRecorder(check_submit("a boat", {"batchsize": 2}), directory, "https://api.example")


def test_the_record_is_on_the_disk_before_the_request_is_sent_and_holds_the_id_after(cli: Any, tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(connection: Connection) -> None:
        connection.read_request()
        seen.extend(task.state for task in read_tasks())
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(ACCEPTED) + ACCEPTED)

    with ScriptedServer(answer, reply(401)) as server:
        cli("generate", "a boat", "-n", "2", "-o", "out", "--base-url", server.url)
    assert ["submitting"] == seen
    (task,) = read_tasks()
    assert ("accepted", "abcd_1", "a boat", 2) == (task.state, task.taskid, task.prompt, task.images)
    assert (str(tmp_path / "out"), server.url) == (task.directory, task.base_url)
    if os.name != "nt":
        assert 0o600 == (tmp_path / ".state" / "tasks.jsonl").stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("end", "state", "taskid"),
    [
        (lambda one: one.submitted("t1"), "accepted", "t1"),
        (lambda one: one.refused(Rejected("no")), "refused", ""),
        (lambda one: one.not_sent(), "not sent", ""),
        (lambda one: one.unknown(SubmissionUnknown("lost", taskid="t9")), "unknown", "t9"),
        (lambda one: one.unknown(KeyboardInterrupt()), "unknown", ""),
        (lambda one: None, "submitting", ""),
    ],
)
def test_each_end_of_a_submission_is_recorded(tmp_path: Path, end: Any, state: str, taskid: str) -> None:
    observer = DeferInterrupt(record(tmp_path), lambda _: None, lambda: None)
    observer.begin()
    end(observer)
    (task,) = read_tasks()
    assert (state, taskid) == (task.state, task.taskid)


def test_a_repeated_attempt_is_the_same_submission(tmp_path: Path) -> None:
    one = record(tmp_path)
    one.begin()
    one.end("not sent")
    one.begin()
    one.end("accepted", taskid="t1")
    assert [("accepted", "t1")] == [(task.state, task.taskid) for task in read_tasks()]


def test_where_the_state_folder_cannot_be_written_the_output_folder_keeps_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEEDREAM_STATE_DIR", str(tmp_path / "file"))
    one = record(tmp_path)
    one.begin()
    one.end("accepted", taskid="t1")
    assert ["t1"] == [task.taskid for task in read_tasks(tmp_path)]


def test_what_can_be_recorded_nowhere_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEEDREAM_STATE_DIR", str(tmp_path / "file"))
    with pytest.raises(JournalFull, match="cannot be recorded") as caught:
        record(tmp_path / "file").begin()
    assert "no" == caught.value.billing


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system cannot refuse to follow a link")
def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".state").mkdir()
    (tmp_path / "precious").write_text("kept")
    (tmp_path / ".state" / "tasks.jsonl").symlink_to(tmp_path / "precious")
    record(tmp_path).begin()
    assert "kept" == (tmp_path / "precious").read_text()


@pytest.mark.parametrize("fails", [False, True])
def test_the_record_is_on_the_disk_and_closed_after_each_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    calls: list[tuple[str, int]] = []

    def noting(name: str) -> Any:
        real = getattr(os, name)

        def call(*given: Any) -> Any:
            found = real(*given)
            calls.append((name, found if name == "open" else given[0]))
            if fails and name == "fsync":
                raise OSError("the disk is gone")
            return found

        return call

    one = record(tmp_path)
    with monkeypatch.context() as patch:
        for name in ("open", "write", "fsync", "close"):
            patch.setattr(os, name, noting(name))
        if fails:
            with pytest.raises(JournalFull):
                one.begin()
        else:
            one.begin()
    file = calls[0][1]
    places = 2 if fails else 1  # the state folder, then the output folder
    assert [name for name, _ in calls] == ["open", "write", "fsync", "close"] * places
    assert {given for _, given in calls[:4]} == {file}


@pytest.mark.parametrize(
    "damaged", [b"\xff", b"{", b"[]", b"5", b"{}", b"", b'{"key": "x", "at": "1"}', b'{"key": "x"']
)
def test_what_follows_a_damaged_line_is_read(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / ".state" / "tasks.jsonl"
    record(tmp_path).begin()
    path.write_bytes(damaged + b"\n" + path.read_bytes() + damaged + b"\n")
    record(tmp_path).begin()
    assert [task.state for task in read_tasks()] == ["submitting"] * 2


@pytest.mark.parametrize("room", [0, 1, 40, 80])
def test_a_line_that_is_written_in_part_is_no_record_and_damages_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    # Rule: nothing is sent before its record is whole on the disk.
    real, one = os.write, TaskRecorder(check_submit('{"key": "a boat"', {}), tmp_path, None)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: real(file, data[:room]))
        with pytest.raises(JournalFull, match=re.escape(os.strerror(errno.ENOSPC))):
            one.begin()
    assert read_tasks(tmp_path) == []
    one.begin()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: real(file, data[:room]))
        one.end("accepted", taskid="t1")
    assert [(task.state, task.taskid, task.prompt) for task in read_tasks()] == [("submitting", "", '{"key": "a boat"')]
    one.end("accepted", taskid="t1")
    record(tmp_path).begin()
    assert [(task.state, task.taskid) for task in read_tasks()] == [("accepted", "t1"), ("submitting", "")]


def test_damaged_lines_are_skipped_and_a_large_record_is_put_aside(tmp_path: Path) -> None:
    one = record(tmp_path)
    one.begin()
    path = tmp_path / ".state" / "tasks.jsonl"
    path.write_bytes(path.read_bytes() + b"\xff\n{\n[]\n{}\n" + b"x" * 1_000_001 + b"\n")
    two = record(tmp_path)
    two.begin()
    assert 2 == len(read_tasks())
    assert path.stat().st_size < 1000


def test_task_without_an_id_lists_the_submissions_and_how_to_get_the_latest(cli: Any, tmp_path: Path) -> None:
    assert "No submission" in cli("task").err
    with SingleTaskServer({}) as service:
        service.then(service.done())
        cli("generate", "a boat", "-n", "1", "-o", "out", "--base-url", service.url)
        ran = cli("task")
        assert f"  {TASK}  “a boat”\n" in ran.out
        assert f"seedream wait {TASK} -o {tmp_path / 'out'} --base-url {service.url}" in ran.err
    lost = record(tmp_path)
    lost.begin()
    assert "may have been billed" in cli("task").out.splitlines()[-1]
    assert ["accepted", "submitting"] == [task["state"] for task in cli("task", "--json").document["tasks"]]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_terminal_that_is_closed_while_the_answer_is_awaited_loses_no_task(tmp_path: Path) -> None:
    arrived, go = threading.Event(), threading.Event()

    def answer(connection: Connection) -> None:
        connection.read_request()
        arrived.set()
        go.wait(30)
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(ACCEPTED) + ACCEPTED)

    reading, writing = os.pipe()  # a terminal that nobody reads any more
    os.close(reading)
    with ScriptedServer(answer) as server:
        words = [sys.executable, "-m", "seedream.cli", "generate", "x", "-o", str(tmp_path), "--base-url", server.url]
        with subprocess.Popen(
            words, stdout=writing, stderr=writing, env={**os.environ, "TENSORSLAB_API_KEY": KEY}
        ) as process:
            os.close(writing)
            assert arrived.wait(30)
            process.send_signal(signal.SIGHUP)
            go.set()
            process.wait(30)
        assert 1 == len(server.requests)
    assert [("accepted", "abcd_1")] == [(task.state, task.taskid) for task in read_tasks()]
