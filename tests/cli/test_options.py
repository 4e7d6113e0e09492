"""Options, fields, the record of submissions, tasks and progress, each by itself."""

import errno
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self, cast

import click
import pytest
from attrs import evolve
from cli.streams import Stream
from seedream import Progress as ClientProgress
from seedream import TaskInfo, Timeouts
from seedream._request.submission import check_submit
from seedream._support.shell import shell_command
from seedream.cli import options
from seedream.cli import task as tasks
from seedream.cli.app import app
from seedream.cli.bulk_report import bulk_command
from seedream.cli.field_options import describe, known_field, read_settings
from seedream.cli.generate import _check, _form_texts, _print_request, _submit
from seedream.cli.options import read_key_file, read_service, resume_command
from seedream.cli.progress import TaskLine, task_progress
from seedream.cli.task import print_saved
from seedream.cli.task_record import RecordedTask, TaskRecorder, read_tasks, state_folder
from seedream.cli.terminal import Terminal
from seedream.errors import (
    ConfigError,
    InvalidRequest,
    JournalFull,
    Problem,
)
from support.clients import KEY
from support.pictures import picture
from support.secret_forms import FORMS
from tensorslab_images.limits import SUBMIT


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")


# Options.


@pytest.mark.parametrize(
    ("given", "command"),
    [
        (("t", None, Path(), None, None), "seedream wait t"),
        (("t", 1, Path(), "", None), "seedream wait t"),
        (("t", 2, Path("my out"), None, None), "seedream wait t -n 2 -o 'my out'"),
        (("t", 1, Path("o"), "https://x", Path("k")), "seedream wait t -o o --base-url https://x --api-key-file k"),
    ],
)
def test_the_command_that_gets_the_pictures(given: Any, command: str) -> None:
    assert resume_command(*given) == command


# Each way a text can be taken for something else than the operand that it is.
ODD = ["-abc", "--", "-", "--help", "-n", "--json", "-o=x", "a b", "'", '"', "$HOME", "`x`", "*", "~", "a;b", "--set=1"]


def parsed(command: str) -> dict[str, Any]:
    """Parse a command as it was shown, with the real command line; gives the parameters."""
    group: Any = app
    name, *words = shlex.split(command)
    assert name == "seedream"
    while isinstance(group, click.Group):
        group = group.get_command(click.Context(group), words.pop(0))
    return cast("dict[str, Any]", group.make_context("x", words, obj=Terminal()).params)


@pytest.mark.parametrize("odd", ODD)
def test_a_command_that_is_shown_is_read_as_it_was_meant(odd: str) -> None:
    for other in ("x", odd):
        found = parsed(resume_command(odd, 4, Path(other), "https://x", Path(other)))
        expected = {"taskid": odd, "count": 4, "directory": Path(other), "base_url": "https://x"}
        assert {**expected, "api_key_file": Path(other)}.items() <= found.items()
        found = parsed(bulk_command("resolve", Path(other), "--taskid", odd, job=odd))
        assert {"folder": Path(other), "job": odd, "taskid": odd, "again": False}.items() <= found.items()
        assert parsed(bulk_command("resume", Path(odd), "--budget", "7"))["folder"] == Path(odd)
        assert {"folder": Path(odd), "failed": True, "rejected": False}.items() <= parsed(
            bulk_command("retry", Path(odd), "--failed")
        ).items()
        found = parsed(shell_command("seedream bulk run", [odd], ["-o", other]))
        assert (found["jobs"], found["folder"]) == (Path(odd), Path(other))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"a" * 10_001, "is larger than any key"),
        (b" " * 10_000 + b"a", "is larger than any key"),
        (b"\xff", "it is not text"),
        (None, "No such file or directory"),
    ],
)
def test_a_key_file_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("key")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_key_file(path)
    if said.startswith("is "):
        assert caught.value.message == f"the key file “{path}” {said}"
        assert caught.value.hint == "Put the key in it, and nothing else."
    else:
        assert caught.value.message == f"cannot read the key file “{path}”: {said}"
        assert caught.value.hint == "Check the path."


def test_of_a_large_file_only_as_much_is_read_as_a_key_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class File(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size)
            return super().read(size)

    monkeypatch.setattr(Path, "open", lambda *_: File(b"a" * 20_000))
    with pytest.raises(ConfigError, match="larger than any key"):
        read_key_file(Path("key"))
    assert asked == [10_001]


def test_a_key_file_is_read_without_its_mark(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbfsk-1\r\n" + b" " * 9000)
    assert read_key_file(tmp_path / "key").strip() == "sk-1"
    (tmp_path / "key").write_bytes(b"a" * 10_000)
    assert read_key_file(tmp_path / "key") == "a" * 10_000


def test_the_service_is_read_and_its_key_kept_out_of_all_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENSORSLAB_API_KEY", "sk-of-environment")
    monkeypatch.setenv("TENSORSLAB_BASE_URL", "https://env.example/")
    (tmp_path / "key").write_text("sk-of-the-file\n")
    for base_url, file, expected in (
        (None, None, ("sk-of-environment", "https://env.example")),
        ("https://x.example/", tmp_path / "key", ("sk-of-the-file", "https://x.example")),
    ):
        terminal = Terminal()
        assert read_service(terminal, base_url, file) == expected
        assert terminal.secrets == {expected[0]}
    monkeypatch.setenv("TENSORSLAB_API_KEY", "  ")
    with pytest.raises(ConfigError) as caught:
        read_service(Terminal(), None, None)
    assert caught.value.message == "no API key"
    assert caught.value.hint == "Set TENSORSLAB_API_KEY or give --api-key-file; without a key try --sandbox."
    with options.open_client(Terminal(), None, tmp_path / "key", Timeouts(connect=3)) as client:
        assert (client.service.key, client.service.base_url) == ("sk-of-the-file", "https://env.example")
        assert client.service.timeouts.connect == 3


@pytest.mark.parametrize(
    ("values", "timeouts"),
    [
        ((), None),
        (("connect=3",), Timeouts(connect=3)),
        (("submit-read=1.5", " write =2"), Timeouts(submit_read=1.5, write=2)),
        (("connect=1", "connect=2"), Timeouts(connect=2)),
    ],
)
def test_time_limits_of_phases(values: tuple[str, ...], timeouts: Timeouts | None) -> None:
    assert options._timeouts(None, None, values) == timeouts  # type: ignore[arg-type]  # only for messages


@pytest.mark.parametrize("value", ["connect", "connect=x", "connect=0", "connect=-1", "connect=inf", "x=1", "=1"])
def test_what_is_no_time_limit(value: str) -> None:
    context, param = click.Context(click.Command("x")), click.Option(["--network-timeout"])
    with pytest.raises(click.BadParameter) as caught:
        options._timeouts(context, param, (value,))
    names = "connect, write, submit_read, query_read, download_read"
    assert caught.value.message == f"{value!r} is not PHASE=SECONDS with a phase of {names}"
    assert (caught.value.ctx, caught.value.param) == (context, param)
    assert options._seconds(context, param, 0.0) == 0.0
    for seconds in (-0.1, float("inf"), float("nan")):
        with pytest.raises(click.BadParameter) as caught:
            options._seconds(context, param, seconds)
        assert caught.value.message == f"{seconds} is not a number of seconds from 0"
        assert (caught.value.ctx, caught.value.param) == (context, param)


# Fields.


def test_a_field_is_known_by_either_name() -> None:
    for name, wire in (("image_url", "imageUrl"), ("imageUrl", "imageUrl"), ("batchsize", "batchsize")):
        field = known_field(name)
        assert field is not None
        assert field.name == wire
    assert known_field("n") is None
    assert describe("batchsize") == "1 to 15, default 1"
    assert describe("resolution") == "default 2K"
    assert (describe("prompt"), describe("nothing")) == ("", "")
    batch = SUBMIT.field("batchsize")
    later = [
        evolve(batch, name="least", attribute="least", maximum=None),
        evolve(batch, name="most", attribute="most", minimum=None),
        evolve(batch, name="style", attribute="style", minimum=None, maximum=None, enum=("a", 1), default=None),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seedream.cli.field_options.SUBMIT", evolve(SUBMIT, fields=tuple(later)))
        assert [describe(name) for name in ("least", "most", "style")] == ["default 1", "default 1", "a, 1"]


@pytest.mark.parametrize("setting", ["x", "=1", " =1", ""])
def test_a_setting_that_is_none(setting: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        read_settings([setting])
    assert (caught.value.message, caught.value.param_hint) == (f"{setting!r} is not FIELD=VALUE", "'--set'")


def test_a_setting_of_an_unknown_field_or_given_twice() -> None:
    fields = "It has batchsize, category, imageUrl, prompt, resolution, sourceImage."
    for name, hint in (
        ("seed", f"The API has nothing like seed; leave it out. {fields}"),
        ("n", f"Use batchsize. {fields}"),
        (" whatever", fields),
    ):
        with pytest.raises(InvalidRequest) as caught:
            read_settings([f"{name}=1"])
        assert caught.value.problems == (Problem(name.strip(), "the API has no such field", hint=hint),)
    for settings, taken in ((["batchsize=1", "batchsize=2"], ()), (["resolution=2K"], ("resolution",))):
        with pytest.raises(InvalidRequest) as caught:
            read_settings(settings, taken)
        (problem,) = caught.value.problems
        assert (problem.message, problem.hint) == ("given twice", "Give it once.")
    assert read_settings(["sourceImage=a", "sourceImage=b", "batchsize=2"]) == {
        "source_images": ["a", "b"], "batchsize": 2,
    }  # fmt: skip


def test_a_request_is_made_of_all_options(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    given = {"count": "2", "resolution": "2k", "allow_unrecognized_sources": None}
    made = _check("p", given, (str(tmp_path / "a.png"),), ("category=x",))
    assert made.values == {"prompt": "p", "batchsize": 2, "resolution": "2K", "category": "x"}
    assert [file.name for file in made.files["sourceImage"]] == ["a.png"]
    with pytest.raises(InvalidRequest, match="given twice"):
        _check("p", {"count": "2"}, (), ("batchsize=3",))
    with pytest.raises(InvalidRequest, match="given twice"):
        _check("p", {}, (), ("prompt=q",))


# A submission.


class Client:
    """A client that submits under the observer that it is given."""

    def __init__(self, during: Callable[[Any], None] = lambda _: None) -> None:
        self.during = during
        self.given: list[Any] = []

    def submission_workflow(self, submission: Any, observer: Any, progress: Any) -> Any:
        self.given = [submission, progress]
        return observer

    def run(self, observer: Any) -> str:
        observer.begin()
        self.during(observer)
        observer.submitted("t-1")
        return "t-1"


@pytest.mark.parametrize("resumable", [True, False])
def test_an_accepted_task_is_printed_with_the_way_to_get_it(
    capsys: pytest.CaptureFixture[str], resumable: bool
) -> None:
    terminal, submission = Terminal(), check_submit("p", {})
    client: Any = Client()
    states: list[str] = []
    line: Any = SimpleNamespace(show_state=states.append, show_progress="progress")
    resume = (lambda taskid: f"seedream wait {taskid}") if resumable else None
    assert _submit(terminal, client, submission, line, record=None, resume=resume) == "t-1"
    assert client.given == [submission, "progress"]
    assert terminal.taskid == "t-1"
    more = " If this stops: seedream wait t-1" if resumable else ""
    assert capsys.readouterr().err == f"Task t-1 accepted.{more}\n"
    assert (terminal.resume, states) == ("seedream wait t-1" if resumable else "", [])


def test_ctrl_c_in_a_submission_waits_and_then_stops(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    states: list[str] = []
    line: Any = SimpleNamespace(show_state=states.append, show_progress=None)
    client: Any = Client(lambda _: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        _submit(terminal, client, check_submit("p", {}), line, record=None, resume=lambda taskid: f"get {taskid}")
    assert states == ["finishing the submission"]
    assert capsys.readouterr().err.splitlines() == [
        "Waiting for the answer to a paid request. Ctrl-C again gives it up; it may have been billed.",
        "Task t-1 accepted. If this stops: get t-1",
    ]


# The record of submissions.


def recorder(folder: Path, prompt: str = "a boat") -> TaskRecorder:
    return TaskRecorder(check_submit(prompt, {"batchsize": 2}), folder, "https://api.example")


def test_each_entry_is_appended_and_synced_before_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    path = state_folder() / "tasks.jsonl"
    real = os.fsync

    def fsync(file: int) -> None:
        steps.append(f"sync {len(path.read_bytes().splitlines())}")
        real(file)

    monkeypatch.setattr("seedream.cli.task_record.os.fsync", fsync)
    one = recorder(tmp_path)
    one.begin()
    one.end("not sent")
    one.begin()
    one.end("accepted", taskid="t-1")
    assert steps == ["sync 1", "sync 2", "sync 3", "sync 4"]
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({entry.pop("key") for entry in entries}) == 1
    assert all(entry.pop("at").endswith("+00:00") for entry in entries)
    assert entries == [
        {"state": "submitting", "prompt": "a boat", "images": 2, "directory": str(tmp_path),
         "base_url": "https://api.example"},
        {"state": "not sent"}, {"state": "submitting"}, {"state": "accepted", "taskid": "t-1"},
    ]  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_record_holds_the_beginning_of_the_prompt_without_signatures(tmp_path: Path) -> None:
    recorder(tmp_path, "see https://h.example/a?Signature=SECRET " + "x" * 300).begin()
    (task,) = read_tasks()
    assert len(task.prompt) == 200
    assert "SECRET" not in task.prompt


def test_an_end_before_the_beginning_or_on_a_full_disk_is_not_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = recorder(tmp_path)
    one.end("accepted", taskid="t")
    assert read_tasks() == []
    one.begin()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("seedream.cli.task_record.os.write", full)
    one.end("accepted", taskid="t")
    one.end("not sent")
    with pytest.raises(OSError, match="No space"):
        one.begin()
    with pytest.raises(JournalFull) as caught:
        recorder(tmp_path).begin()
    message = caught.value.message
    assert message.startswith("the submission cannot be recorded (“")
    assert message.count("No space left on device") == 2
    assert "; “" in message
    assert "[Errno" not in message
    assert caught.value.hint == "Make room, or set SEEDREAM_STATE_DIR to a folder that can be written."


def test_what_can_be_recorded_nowhere_names_both_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    for folder, first in (
        ("~/state", "“~/state/tasks.jsonl”: there is no home directory"),
        ("file/x", "“file/x/tasks.jsonl”: Not a directory"),
    ):
        monkeypatch.setenv("SEEDREAM_STATE_DIR", folder)
        with pytest.raises(JournalFull) as caught:
            recorder(Path("file")).begin()
        second = "“file/.seedream-tasks.jsonl”: File exists"
        assert caught.value.message == f"the submission cannot be recorded ({first}; {second})"


def test_where_the_record_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDREAM_STATE_DIR", f" {tmp_path} ")
    assert state_folder() == tmp_path
    monkeypatch.delenv("SEEDREAM_STATE_DIR")
    assert state_folder().name == "seedream"
    monkeypatch.setenv("SEEDREAM_STATE_DIR", " ")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder().name == "seedream"
    monkeypatch.setenv("SEEDREAM_STATE_DIR", "~/nowhere")
    monkeypatch.chdir(tmp_path)
    recorder(tmp_path).begin()
    assert not (tmp_path / "~").exists(), "a home directory that is not known is no folder of that name"
    assert (tmp_path / ".seedream-tasks.jsonl").is_file()


@pytest.mark.parametrize(("size", "aside"), [(1_000_000, False), (1_000_001, True)])
def test_a_record_that_has_grown_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, aside: bool
) -> None:
    monkeypatch.setenv("SEEDREAM_STATE_DIR", str(tmp_path / "deep" / "state"))
    folder = tmp_path / "deep" / "state"
    recorder(tmp_path).begin()
    path = folder / "tasks.jsonl"
    path.write_bytes(path.read_bytes().ljust(size))
    recorder(tmp_path).begin()
    assert (folder / "tasks.old.jsonl").exists() is aside
    assert len(read_tasks()) == 2


def test_records_of_several_files_are_read_in_the_order_of_time(tmp_path: Path) -> None:
    folder = state_folder()
    folder.mkdir(parents=True)

    def line(key: str, at: str, **more: Any) -> str:
        return json.dumps({"key": key, "at": at, "state": "submitting", **more}) + "\n"

    (folder / "tasks.old.jsonl").write_text(line("a", "2") + "[]\n5\n" + '{"key": "x", "at": "1"}\n')
    (folder / "tasks.jsonl").write_text(line("a", "9", state="accepted", taskid="t", unknown=1) + line("b", "1"))
    (tmp_path / ".seedream-tasks.jsonl").write_text(line("c", "3"))
    (tmp_path / ".seedream-tasks.old.jsonl").write_text(line("d", "0"))
    assert [task.at for task in read_tasks()] == ["1", "2"]
    assert [task.at for task in read_tasks(tmp_path)] == ["0", "1", "2", "3"]
    assert read_tasks()[1] == RecordedTask("2", "accepted", "t")
    assert RecordedTask("2", "x") == RecordedTask("2", "x", "", "", 1, "", None)


# Tasks.


def test_the_latest_submissions_are_listed(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    states = ["submitting", "unknown", "refused", "not sent", "accepted", "odd"]
    listed = [RecordedTask(f"2026-01-02T03:04:{n:02}+00:00", state, prompt=f"p{n}") for n, state in enumerate(states)]
    listed.append(RecordedTask("2026-01-02T03:05:00+00:00", "accepted", "t-9", "p", 3, "my out", "https://x"))
    monkeypatch.setattr(tasks, "read_tasks", lambda folder: [*listed[:1] * 30, *listed] if folder == Path() else [])
    ran = cli("task")
    assert len(ran.out.splitlines()) == 20
    assert ran.out.splitlines()[-7:] == [
        "2026-01-02 03:04  sent, no answer was recorded: it may have been billed  “p0”",
        "2026-01-02 03:04  sent, no usable answer: it may have been billed  “p1”",
        "2026-01-02 03:04  refused, not billed  “p2”",
        "2026-01-02 03:04  not sent  “p3”",
        "2026-01-02 03:04  accepted  “p4”",
        "2026-01-02 03:04  odd  “p5”",
        "2026-01-02 03:05  t-9  “p”",
    ]
    command = "seedream wait t-9 -n 3 -o 'my out' --base-url https://x"
    assert ran.err == f"To get the pictures of the latest one: {command}\n"
    assert len(cli("task", "--json").document["tasks"]) == 20
    monkeypatch.setattr(tasks, "read_tasks", lambda _: listed[:1])
    assert cli("task").err == ""
    monkeypatch.setattr(tasks, "read_tasks", lambda _: [])
    assert cli("task").err == "No submission of this user is recorded.\n"


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"cost": None}, "2 pictures saved."),
        ({"cost": 1}, "2 pictures saved, cost 1 image."),
        ({"cost": 3, "sandbox": True}, "2 pictures saved, cost 3 images of play money."),
    ],
)
def test_saved_pictures_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: dict[str, Any], note: str
) -> None:
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    for number, path in enumerate(files):
        path.write_bytes(picture(seed=number))
    print_saved(Terminal(), "t-1", files, **more)
    assert capsys.readouterr() == (f"{files[0]}\n{files[1]}\n", f"{note}\n")
    print_saved(Terminal(as_json=True), "t-1", files[:1], **more)
    document = json.loads(capsys.readouterr().out)
    (shown,) = document.pop("files")
    assert document == {"taskid": "t-1", "images": more["cost"], "sandbox": more.get("sandbox", False)}
    assert (shown["path"], shown["bytes"], shown["media_type"]) == (str(files[0]), files[0].stat().st_size, "image/png")
    assert shown["width"] > 0


def test_the_rows_of_a_task() -> None:
    info = TaskInfo(taskid="t", status=3, urls=("https://h/a",), width=4, height=3, prompt="p", error_message="e")
    assert tasks._rows(info) == [
        ("task", "t"), ("state", "completed (3)"), ("size", "4x3"), ("picture", "https://h/a"), ("prompt", "p"),
        ("error", "e"),
    ]  # fmt: skip
    bare = evolve(info, urls=(), width=None, prompt="", error_message="", status=1)
    assert tasks._rows(bare) == [("task", "t"), ("state", "queued (1)")]


@pytest.mark.parametrize("form", FORMS)
def test_what_a_service_echoes_of_the_key_is_not_shown(cli: Any, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    info = TaskInfo("t-1", 4, prompt=f"a fish {FORMS[form]}", error_message=f"wrong {FORMS[form]}")

    class Client(Waiting):
        service = SimpleNamespace(key=KEY)

        def query(self, _: str) -> TaskInfo:
            return info

    monkeypatch.setattr(tasks, "open_client", lambda *_: Client([], Path()))
    for flags in ([], ["--json"]):
        ran = cli("task", "t-1", *flags)
        assert "[removed]" in ran.out
        assert FORMS[form] not in ran.out
    assert cli("task", "t-1", "--json").document["state"] == "failed"


# Progress.


def test_a_line_shows_what_the_client_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    progress = task_progress(Terminal())
    line = TaskLine(progress, "2 pictures")
    (shown,) = progress.tasks
    assert (shown.description, shown.total, shown.fields) == (
        "2 pictures",
        None,
        {"state": "submitting", "received": 0},
    )

    def report(stage: Any, **more: Any) -> tuple[Any, ...]:
        given: dict[str, Any] = {
            "taskid": "t",
            "elapsed": 1.0,
            "state": "",
            "index": None,
            "total": None,
            "received": 0,
            "size": None,
        }
        line.show_progress(ClientProgress(stage, **(given | more)))
        return shown.fields["state"], shown.total, shown.completed, shown.fields["received"]

    assert report("retrying", state="rate limited", pause=2.4) == ("rate limited, again in 2 s", None, 0, 0)
    assert report("waiting", state="queued") == ("queued", None, 0, 0)
    assert report("downloading", index=0, total=2, received=0, size=100) == ("saving 1 of 2", 2, 0, 0)
    assert report("downloading", index=0, total=2, received=50, size=100) == ("saving 1 of 2", 2, 0.5, 50)
    assert report("downloading", index=0, total=2, received=20, size=None) == ("saving 1 of 2", 2, 0, 50)
    assert report("saved", index=0, total=2, received=100) == ("saving 1 of 2", 2, 1.0, 100)
    assert report("downloading", index=1, total=2, received=7, size=10) == ("saving 2 of 2", 2, 1.7, 107)
    assert report("saved", index=1, total=2, received=10) == ("saved 2 of 2", 2, 2.0, 110)
    assert report("saved") == ("saved 1 of 1", 1, 1, 110)
    assert progress.disable
    for width, columns in ((59, 3), (60, 6)):
        monkeypatch.setenv("COLUMNS", str(width))
        assert len(task_progress(Terminal()).columns) == columns
    spinner, _, bar, _, size, _ = columns_of(task_progress(Terminal()))
    assert (spinner.spinner.name, bar.bar_width) == ("dots", 24)
    monkeypatch.setattr(sys, "stderr", Stream(terminal=False, encoding="ascii"))
    assert columns_of(task_progress(Terminal()))[0].spinner.name == "line"
    assert [str(size.render(one)) for one in (shown, evolve_task(shown, 0))] == ["0.0 MB", ""]
    assert str(size.render(evolve_task(shown, 2_340_000))) == "2.3 MB"


def columns_of(progress: Any) -> Any:
    return progress.columns


def evolve_task(task: Any, received: int) -> Any:
    return SimpleNamespace(fields={**task.fields, "received": received})


# The dry run.


def test_values_are_written_as_a_form_has_them() -> None:
    values: list[Any] = [True, False, 2, "Text", ["a", True]]
    assert [_form_texts(value) for value in values] == [
        ["true"], ["false"], ["2"], ["Text"], ["a", "true"],
    ]  # fmt: skip


def test_a_dry_run_prints_the_request_without_the_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    size = (tmp_path / "a.png").stat().st_size
    submission = check_submit("a\nb", {"batchsize": 3, "source_images": [str(tmp_path / "a.png")]})
    _print_request(Terminal(), submission, "https://x.example")
    assert capsys.readouterr().out.splitlines() == [
        "POST https://x.example/v1/images/seedreamv45",
        "  Authorization: Bearer ********",
        "  Content-Type: multipart/form-data",
        "",
        "Form fields",
        "  prompt       'a\\nb'",
        "  batchsize    3",
        "",
        "Files",
        f"  sourceImage  a.png  image/png  {size:,} bytes",
        "",
        "Nothing was sent. If sent, it would cost 3 images.",
    ]
    _print_request(Terminal(as_json=True), submission, "https://x.example")
    assert json.loads(capsys.readouterr().out) == {
        "dry_run": True,
        "request": {
            "method": "POST",
            "url": "https://x.example/v1/images/seedreamv45",
            "headers": [
                {"name": "Authorization", "value": "Bearer ********"},
                {"name": "Content-Type", "value": "multipart/form-data"},
            ],
            "fields": [{"name": "prompt", "value": "a\nb"}, {"name": "batchsize", "value": "3"}],
            "files": [{"name": "sourceImage", "filename": "a.png", "media_type": "image/png", "bytes": size}],
        },
        "images": 3,
    }


# generate and wait, with a client in place of the service's.


class Waiting:
    """A client whose task has saved its pictures."""

    def __init__(self, calls: list[Any], path: Path) -> None:
        self.calls, self.path = calls, path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.calls.append("closed")

    def task(self, taskid: str, *, images: int | None) -> Self:
        self.calls.append(("task", taskid, images))
        return self

    def save(self, directory: Path, *, timeout: float, progress: Any) -> list[Path]:
        assert callable(progress)
        self.calls.append(("save", directory, timeout))
        return [self.path]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    (tmp_path / "a.png").write_bytes(picture())

    def open_client(terminal: Any, base_url: Any, api_key_file: Any, timeouts: Any = None) -> Waiting:
        assert isinstance(terminal, Terminal)
        found.append(("opened", base_url, api_key_file, timeouts))
        return Waiting(found, tmp_path / "a.png")

    class Line:
        def __init__(self, progress: Any, description: str) -> None:
            del progress
            found.append(description)

        def show_state(self, state: str) -> None:
            found.append(state)

        def show_progress(self, _: Any) -> None:
            pass

    def submit(terminal: Any, client: Any, submission: Any, line: Any, *, record: Any, resume: Any) -> str:
        assert isinstance(line, Line)
        del terminal, client
        found.append(("submit", submission.images, record is not None, resume and resume("t-1")))
        return "t-1"

    @contextmanager
    def open_service(terminal: Any, base_url: Any, api_key_file: Any, *, sandbox: bool) -> Iterator[tuple[str, str]]:
        assert isinstance(terminal, Terminal)
        found.append(("service", base_url, api_key_file, sandbox))
        yield "key", "url"

    def connect(key: str, *, base_url: str, timeouts: Any) -> Waiting:
        found.append(("client", key, base_url, timeouts))
        return Waiting(found, tmp_path / "a.png")

    monkeypatch.setattr("seedream.cli.generate.open_service", open_service)
    monkeypatch.setattr("seedream.cli.generate.SeeDream", connect)
    monkeypatch.setattr("seedream.cli.task.open_client", open_client)
    monkeypatch.setattr("seedream.cli.generate._submit", submit)
    for module in ("generate", "task"):
        monkeypatch.setattr(f"seedream.cli.{module}.TaskLine", Line)
    return found


SERVICE = [
    "--base-url",
    "https://x",
    "--api-key-file",
    "k",
    "--timeout",
    "7",
    "-o",
    "out",
    "--network-timeout",
    "connect=3",
]
COMMAND = "seedream wait t-1 -n 3 -o out --base-url https://x --api-key-file k"


def test_generate_hands_on_what_it_is_given(cli: Any, calls: list[Any], tmp_path: Path) -> None:
    ran = cli("generate", "p", "-n", "3", *SERVICE)
    assert calls == [
        ("service", "https://x", Path("k"), False), ("client", "key", "url", Timeouts(connect=3)),
        "3 pictures", ("submit", 3, True, COMMAND),
        ("task", "t-1", 3), "waiting", ("save", Path("out"), 7.0), "closed",
    ]  # fmt: skip
    assert (ran.code, ran.out, ran.err) == (0, f"{tmp_path / 'a.png'}\n", "1 picture saved, cost 3 images.\n")
    calls.clear()
    assert cli("generate", "p").code == 0
    assert calls == [
        ("service", None, None, False), ("client", "key", "url", None),
        "1 picture", ("submit", 1, True, "seedream wait t-1"), ("task", "t-1", 1),
        "waiting", ("save", Path(), 600.0), "closed",
    ]  # fmt: skip


def test_generate_in_the_sandbox_records_nothing(cli: Any, calls: list[Any]) -> None:
    ran = cli("generate", "p", "--sandbox", "--network-timeout", "connect=3", "--json")
    assert [call for call in calls if not isinstance(call, str)][:3] == [
        ("service", None, None, True), ("client", "key", "url", Timeouts(connect=3)), ("submit", 1, False, None),
    ]  # fmt: skip
    assert ran.document["sandbox"] is True
    assert calls[-1] == "closed"


@pytest.mark.parametrize("words", [["--dry-run"], ["--base-url", "https://x"], ["--api-key-file", "k"]])
def test_the_sandbox_is_combined_with_no_service(cli: Any, calls: list[Any], words: list[str]) -> None:
    ran = cli("generate", "p", "--sandbox", *words)
    said = "Error: --sandbox cannot be combined with --dry-run, --base-url or --api-key-file"
    assert (ran.code, said in ran.err, calls) == (2, True, [])


def test_wait_hands_on_what_it_is_given(cli: Any, calls: list[Any], tmp_path: Path) -> None:
    ran = cli("wait", "t-1", "-n", "3", *SERVICE)
    assert calls == [
        ("opened", "https://x", Path("k"), Timeouts(connect=3)), ("task", "t-1", 3), "pictures", "waiting",
        ("save", Path("out"), 7.0), "closed",
    ]  # fmt: skip
    assert (ran.code, ran.out, ran.err) == (0, f"{tmp_path / 'a.png'}\n", "1 picture saved.\n")
    calls.clear()
    cli("wait", "t-1")
    assert calls == [
        ("opened", None, None, None), ("task", "t-1", None), "pictures", "waiting", ("save", Path(), 600.0), "closed",
    ]  # fmt: skip
    assert cli("wait", "t-1", "-n", "0").code == 2


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_waited_for(
    cli: Any, calls: list[Any], tmp_path: Path
) -> None:
    (tmp_path / "out").touch()
    for words in (["generate", "p"], ["wait", "t-1"]):
        calls.clear()
        ran = cli(*words, "-o", "out")
        assert (ran.code, "cannot write in “out”: it is a file" in ran.err) == (4, True)
        assert [call for call in calls if call[0] in ("submit", "save")] == []


def test_a_picture_that_cannot_be_read_any_more_was_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone, folder = tmp_path / "gone.png", tmp_path / "a.png"
    folder.mkdir()
    print_saved(Terminal(as_json=True), "t-1", [gone, folder], cost=2)
    nothing = dict.fromkeys(("bytes", "media_type", "width", "height"))
    assert json.loads(capsys.readouterr().out)["files"] == [{"path": str(one), **nothing} for one in (gone, folder)]


def test_a_wait_that_is_interrupted_says_how_to_go_on(
    cli: Any, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Waiting, "save", interrupted)
    ran = cli("wait", "t-1", "-n", "3", *SERVICE)
    assert (ran.code, ran.err) == (130, f"Interrupted.\nThe task goes on; to get its pictures: {COMMAND}\n")
    assert calls[-1] == "closed"
