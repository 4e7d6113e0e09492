"""How each run ends: code, words and data, of every kind of error; nothing secret is shown."""

import errno
import json
import os
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from cli.streams import Stream
from seedream.cli import exit_codes, runner
from seedream.cli.app import app
from seedream.cli.error_output import print_error
from seedream.cli.exit_codes import TABLE, Exit
from seedream.cli.terminal import OutputError, Terminal
from seedream.errors import (
    DiskError,
    DownloadError,
    InvalidRequest,
    NotSent,
    Problem,
    Rejected,
    SubmissionUnknown,
    TaskFailed,
    WaitTimeout,
)
from support.clients import KEY


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")


# How a run ends.


def test_the_table_of_exit_codes() -> None:
    codes = {one.code: one.meaning for one in TABLE}
    assert list(codes) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 70, 71, 75, 130, 141]
    assert codes[6] == "sent, but no usable answer: it may have been billed, and is not sent again"


def ended(capsys: pytest.CaptureFixture[str], result: Any, *words: str) -> tuple[int, str, str]:
    """Run a command that returns or raises this."""

    def command(terminal: Terminal) -> object:
        terminal.taskid = "t-1" if "task" in words else None
        terminal.resume = "seedream wait t-1" if "task" in words else ""
        if isinstance(result, BaseException):
            raise result
        return result

    code = runner.run(command, list(words)).code
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (None, 0),
        (0, 0),
        (True, 1),
        ("text", 0),
        (7, 7),
        (99, 99),
        (exit_codes.PAUSED, 75),
        (click.exceptions.Exit(3), 3),
        (click.exceptions.Exit(0), 0),
    ],
)
def test_what_a_command_returns_is_how_it_ends(capsys: pytest.CaptureFixture[str], result: Any, code: int) -> None:
    assert ended(capsys, result) == (code, "", "")
    assert runner._to_exit(75) is exit_codes.PAUSED
    assert runner._to_exit(99) == Exit(99, "")


def with_note(error: BaseException, note: str) -> BaseException:
    error.add_note(note)
    return error


BUG = "Unexpected KeyError: 'x'. This is a bug in seedream "
ON = "The task goes on; to get its pictures: seedream wait t-1"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), EOFError(), click.Abort()])
def test_an_interruption(capsys: pytest.CaptureFixture[str], error: BaseException) -> None:
    assert ended(capsys, error) == (130, "", "Interrupted.\n")
    assert ended(capsys, error, "task") == (130, "", f"Interrupted.\n{ON}\n")
    for words, taskid, billing in ((["--json"], None, "no"), (["--json", "task"], "t-1", "yes")):
        code, out, _ = ended(capsys, error, *words)
        assert json.loads(out) == {
            "error": {
                "type": "Interrupted",
                "message": "interrupted",
                "taskid": taskid,
                "billing": billing,
                "exit_code": 130,
            }
        }
        assert code == 130


def test_an_interruption_that_may_have_been_billed_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    def lost() -> BaseException:
        return with_note(KeyboardInterrupt(), "it may have been billed")

    assert ended(capsys, lost(), "task")[2] == f"Interrupted.\nit may have been billed\n{ON}\n"
    document = json.loads(ended(capsys, lost(), "--json", "task")[1])["error"]
    assert (document["message"], document["billing"]) == ("interrupted it may have been billed", "unknown")


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: ExceptionGroup("g", [ExceptionGroup("h", [one])])])
def test_an_error_of_the_library(capsys: pytest.CaptureFixture[str], wrap: Callable[[Any], Any]) -> None:
    error = NotSent("no route", hint="Wait.")
    code, out, err = ended(capsys, wrap(error))
    assert (code, out, err) == (9, "", "Error: no route.\n  do     Wait.\n")
    code, out, err = ended(capsys, wrap(error), "--json")
    assert (code, json.loads(out)["error"]["type"], err) == (9, "NotSent", "")


def test_several_errors_at_once_are_a_bug(capsys: pytest.CaptureFixture[str]) -> None:
    group = ExceptionGroup("two", [NotSent("a"), NotSent("b")])
    assert ended(capsys, group)[0] == 70


def test_a_bug_is_reported_with_the_version_and_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = ended(capsys, with_note(KeyError("x"), "a note"), "task")
    lines = err.splitlines()
    assert (code, out) == (70, "")
    assert lines[0].startswith(BUG)
    assert (
        f"(Python {sys.version.split()[0]}): run it again with SEEDREAM_DEBUG=1 and report what it prints." in lines[0]
    )
    assert lines[1:] == ["a note", ON]
    document = json.loads(ended(capsys, KeyError("x"), "--json", "task")[1])
    assert document == {"error": {"type": "KeyError", "message": "'x'", "taskid": "t-1", "exit_code": 70}}
    for value, shown in (("", False), ("0", False), ("1", True)):
        monkeypatch.setenv("SEEDREAM_DEBUG", value)
        assert ("Traceback (most recent call last):\n  File " in ended(capsys, KeyError("x"))[2]) is shown

    def secret(terminal: Terminal) -> None:
        terminal.secrets.add("sk-0123456789")
        raise KeyError("sk-0123456789")

    monkeypatch.setenv("SEEDREAM_DEBUG", "1")
    runner.run(secret, [])
    assert "sk-0123456789" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a b"), 71, "“a b”: No space left on device"),
        (OSError(errno.EDQUOT, "Quota exceeded", "a"), 71, "“a”: Quota exceeded"),
        (OSError(errno.EMFILE, "Too many"), 71, "this machine: Too many"),
        (OSError(errno.ENFILE, "Too many", "a"), 71, "“a”: Too many"),
        (OSError(errno.ENOMEM, "None", "a"), 71, "“a”: None"),
        (OSError(errno.EAGAIN, "Again", "a"), 71, "“a”: Again"),
        (OSError(errno.EACCES, "Denied", "a"), 4, "“a”: Denied"),
        (OSError(errno.EACCES, "Denied"), 71, "this machine: Denied"),
        (OSError("odd"), 71, "this machine: odd"),
        (TimeoutError(), 71, "this machine: TimeoutError"),
        (MemoryError(), 71, f"this machine: {os.strerror(errno.ENOMEM)}"),
        (RuntimeError("can't start new thread"), 71, "this machine: can't start new thread"),
    ],
)
def test_what_this_machine_lacks(capsys: pytest.CaptureFixture[str], error: Exception, code: int, said: str) -> None:
    assert ended(capsys, error, "task") == (code, "", f"Error: {said}\n{ON}\n")
    document = json.loads(ended(capsys, error, "--json")[1])["error"]
    assert document == {"type": type(error).__name__, "message": said, "taskid": None, "exit_code": code}


def test_an_unknown_runtime_error_is_a_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(capsys, RuntimeError("other"))[0] == 70


def usage(kind: Any = click.UsageError, said: str = "wrong") -> Any:
    return kind(said, ctx=click.Context(click.Command("generate"), info_name="seedream generate"))


def test_a_usage_error_shows_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = ended(capsys, usage())
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "Usage: seedream generate [OPTIONS]", "Help: seedream generate --help", "", "Error: wrong",
    ]  # fmt: skip
    code, out, err = ended(capsys, usage(), "--json")
    assert (json.loads(out), err) == (
        {"error": {"type": "UsageError", "message": "wrong", "taskid": None, "exit_code": 2}}, "",
    )  # fmt: skip
    assert ended(capsys, click.ClickException("plain"))[2] == "Error: plain\n"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("--size", "Use -r."),
        ("--num-images", "Use -n."),
        ("--NUM_IMAGES", "Use -n."),
        ("--seed", "The API has nothing like seed; leave it out."),
        ("--whatever", ""),
    ],
)
def test_an_option_of_another_client_is_translated(capsys: pytest.CaptureFixture[str], name: str, hint: str) -> None:
    err = ended(capsys, usage(click.NoSuchOption, name))[2].splitlines()
    assert err[3].startswith("Error: No such option")
    assert err[4:] == ([f"  {hint}"] if hint else [])
    assert runner._foreign_option(usage(click.NoSuchOption, name)) == hint
    assert runner._foreign_option(click.UsageError(name)) == ""


def test_the_program_has_its_own_name_in_each_message(capsys: pytest.CaptureFixture[str]) -> None:
    for words, command in ((["--nope"], "seedream"), (["generate"], "seedream generate")):
        with pytest.raises(SystemExit) as stopped:
            app.main(words)
        assert stopped.value.code == 2
        assert capsys.readouterr().err.startswith(f"Usage: {command} [OPTIONS]")


def test_the_help_lists_commands_exit_codes_and_variables(cli: Any) -> None:
    lines = cli("--help").out.splitlines()
    found = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line[:3].strip()]
    commands = ["generate", "check", "task", "wait", "bulk", "rules", "explain", "sandbox", "contract", "demo"]
    assert found[: len(commands)] == commands
    codes = [line.split()[0] for line in lines[lines.index("Exit codes:") + 1 :] if line[2:3].isdigit()]
    assert codes == [str(one.code) for one in TABLE]
    assert any(line.startswith("  SEEDREAM_STATE_DIR") for line in lines[lines.index("Environment variables:") :])
    assert cli("--version").out.startswith("seedream ")


def test_options_after_two_dashes_are_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(capsys, NotSent("x"), "--", "--json")[1] == ""
    assert ended(capsys, NotSent("x"), "--json", "--")[1] != ""


@pytest.mark.parametrize(
    ("cause", "code", "said"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (OSError(errno.ENOSPC, "No space left on device"), 1,
         f"seedream: cannot write the output: No space left on device\n{ON}\n"),
        (OSError("odd"), 1, f"seedream: cannot write the output: odd\n{ON}\n"),
    ],
)  # fmt: skip
def test_output_that_cannot_be_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, cause: OSError, code: int, said: str
) -> None:
    monkeypatch.setattr(sys, "stdout", Stream(terminal=False))  # without a file number that could be replaced

    def flush(_: Terminal) -> None:
        raise OutputError from cause

    error = OutputError()
    error.__cause__ = cause
    assert ended(capsys, error, "task") == (code, "", said)
    monkeypatch.setattr(Terminal, "flush", flush)
    assert ended(capsys, None, "task") == (code, "", said)


@pytest.mark.parametrize("error", [OSError(), ValueError(), None])
def test_output_that_is_closed_ends_the_run_quietly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    def fileno() -> int:
        assert error is not None
        raise error

    stdout = None if error is None else SimpleNamespace(fileno=fileno, flush=lambda: None)
    monkeypatch.setattr(sys, "stdout", stdout)
    broken = OutputError()
    broken.__cause__ = BrokenPipeError()
    assert ended(capsys, broken) == (141, "", "")


def test_what_a_closed_output_still_holds_goes_nowhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced: list[tuple[bool, int]] = []

    def dup2(file: int, number: int) -> None:
        replaced.append((os.path.samestat(os.fstat(file), Path(os.devnull).stat()), number))

    monkeypatch.setattr("seedream.cli.runner.os.dup2", dup2)
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(fileno=lambda: 77, flush=lambda: None))
    broken = OutputError()
    broken.__cause__ = BrokenPipeError()
    assert ended(capsys, broken)[0] == 141
    assert replaced == [(True, 77)]


# Errors as text.


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (
            InvalidRequest((Problem("prompt", "empty", "PROMPT-REQUIRED", "Give one."), Problem("n", "odd!"))),
            ["Error: prompt: empty.", "  rule   PROMPT-REQUIRED: ", "  do     Give one.", "Error: n: odd!"],
        ),
        (
            InvalidRequest(Problem("x", "y", hint="Or set allow_unrecognized_sources=True.")),
            ["Error: x: y.", "  do     Or add --allow-unrecognized-sources."],
        ),
        (NotSent("a", rule="NOT-A-RULE"), ["Error: a.", "  rule   NOT-A-RULE"]),
        (
            SubmissionUnknown("lost", taskid="t-9"),
            ["Error: lost.", "  billed nobody knows; the vendor's console shows it", "  task   t-9"],
        ),
        (WaitTimeout("late", taskid="t-1"), ["Error: late.", "  task   t-1", "  go on  seedream wait t-1"]),
        (WaitTimeout("late", taskid="t-2"), ["Error: late.", "  task   t-2"]),
        (TaskFailed("no", taskid="t-1", billing="no"), ["Error: no.", "  task   t-1"]),
    ],
)  # fmt: skip
def test_an_error_as_lines(capsys: pytest.CaptureFixture[str], error: Any, lines: list[str]) -> None:
    terminal = Terminal()
    terminal.taskid, terminal.resume = "t-1", "seedream wait t-1"
    print_error(terminal, error)
    found = [line for line in capsys.readouterr().err.splitlines() if "“" not in line]
    assert len(found) == len(lines)
    assert all(one.startswith(start) for one, start in zip(found, lines, strict=True)), found
    printed: list[tuple[str, str]] = []
    print_error(terminal, error, print_line=lambda text, style: printed.append((text, style)))
    assert capsys.readouterr().err == ""
    assert {style for text, style in printed if text.startswith("Error")} == {"red"}
    assert {style for text, style in printed if not text.startswith("Error")} <= {""}


@pytest.mark.parametrize("end", [".", "!", "?", "。", "！", "？"])
def test_a_sentence_that_has_its_end_gets_no_other(capsys: pytest.CaptureFixture[str], end: str) -> None:
    print_error(Terminal(), NotSent(f"a{end}"))
    assert capsys.readouterr().err == f"Error: a{end}\n"


def test_saved_pictures_are_listed_fifteen_at_most(capsys: pytest.CaptureFixture[str]) -> None:
    error = DownloadError("some")
    error.files = {number: Path(f"{number}.png") for number in range(16)}
    print_error(Terminal(), error)
    lines = capsys.readouterr().err.splitlines()
    assert lines[1:] == [f"  saved  {number}.png" for number in range(15)]
    print_error(Terminal(), DiskError("full"))
    assert capsys.readouterr().err.splitlines() == ["Error: full."]


def test_chinese_comes_first_and_labels_are_aligned(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "zh")
    print_error(Terminal(), Rejected("no", hint="x"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "请求被服务器拒绝"
    assert lines[1].endswith("no。")
    label = lines[2].removesuffix("x")
    assert (label[:2], label[-1]) == ("  ", " ")
    assert sum(2 if ord(one) > 255 else 1 for one in label) == 9


@pytest.mark.parametrize("before", range(480, 501))
def test_of_a_key_at_the_cut_of_a_message_nothing_is_shown(capsys: pytest.CaptureFixture[str], before: int) -> None:
    def command(terminal: Terminal) -> None:
        terminal.secrets.add(KEY)
        raise ArithmeticError("." * before + KEY)

    for words in ([], ["--json"]):
        assert runner.run(command, words).code == 70
        said = "".join(capsys.readouterr())
        assert not any(KEY[:length] in said.partition("." * before)[2][:30] for length in range(3, len(KEY)))


def test_a_help_text_that_standard_output_does_not_take_is_said_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full(StringIO):
        def flush(self) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys, "stdout", Full())
    assert runner.run(lambda _: click.echo("a help text"), []) == exit_codes.FAILED
    assert capsys.readouterr().err == "seedream: cannot write the output: No space left on device\n"
