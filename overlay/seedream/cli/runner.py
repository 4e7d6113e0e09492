"""How a run ends: each kind of end gets its message and its exit code."""

import errno
import os
import platform
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import click

from seedream import __version__
from seedream._support.redact import redact, sanitize
from seedream.cli import exit_codes, reporting
from seedream.cli.exit_codes import Exit
from seedream.cli.language import is_chinese
from seedream.cli.terminal import Terminal
from seedream.errors import SeeDreamError

_DEBUG: Final = "SEEDREAM_DEBUG"


def carry_out(run: Callable[[Terminal], object], words: Sequence[str]) -> Exit:
    """Run a command, with a Terminal as its object, and report whatever comes of it.

    Args:
        run: Parses the words and runs the command; may return an exit code or raise anything.
        words: The command line's words, looked at only for ``--json``.
    """
    options = words[: words.index("--")] if "--" in words else words
    terminal = Terminal(as_json="--json" in options)
    try:
        try:
            code = _coded(run(terminal))
        except click.exceptions.Exit as end:
            code = _coded(end.exit_code)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- the last place: everything is told in a line
            code = _told(terminal, error)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _silence()
        return exit_codes.CLOSED
    except OSError as error:  # the output goes to a full disk, for example
        _silence()
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"seedream: cannot write the output: {error.strerror}\n")
        return exit_codes.FAILED
    return code


def _coded(result: object) -> Exit:
    if isinstance(result, Exit):
        return result
    if isinstance(result, int) and result:
        return next((one for one in exit_codes.TABLE if one.code == result), Exit(result, ""))
    return exit_codes.OK


def _told(terminal: Terminal, error: BaseException) -> Exit:
    match error:
        case SeeDreamError():
            terminal.document({"error": reporting.document(error)})
            if not terminal.as_json:
                reporting.tell(terminal, error)
            code = exit_codes.exit_for(error)
        case KeyboardInterrupt() | EOFError() | click.Abort():
            code = _interrupted(terminal, error)
        case click.ClickException():
            code = Exit(error.exit_code, "")
            _brief(terminal, "UsageError", error.format_message(), code)
            if not terminal.as_json:
                error.show()
        case OSError() if error.errno in (errno.EPIPE, errno.ENOSPC):
            raise error  # of the output: nothing of ours lets one of another file out
        case _:
            code = exit_codes.BUG
            _bug(terminal, error)
    if os.environ.get(_DEBUG, "") not in ("", "0"):
        terminal.note("".join(traceback.format_exception(error)))
    return code


def _interrupted(terminal: Terminal, error: BaseException) -> Exit:
    notes = getattr(error, "__notes__", [])
    if is_chinese():
        terminal.note("已中断" + ("，可能已扣费" if notes else ""))
    goes_on = f"The task goes on without you; to get its pictures: {terminal.resume}"
    for line in ("Interrupted.", *notes, *([goes_on] if terminal.resume else ())):
        terminal.note(line)
    terminal.document(
        {
            "error": {
                "type": "Interrupted",
                "message": " ".join(["interrupted", *notes]),
                "taskid": terminal.taskid,
                "billing": "unknown" if notes else "yes" if terminal.taskid else "no",
                "exit_code": exit_codes.INTERRUPTED.code,
            }
        }
    )
    return exit_codes.INTERRUPTED


def _brief(terminal: Terminal, kind: str, message: str, code: Exit) -> None:
    terminal.document({"error": {"type": kind, "message": message, "exit_code": code.code}})


def _bug(terminal: Terminal, error: BaseException) -> None:
    text = sanitize(redact(str(error), *terminal.secrets))
    for note in getattr(error, "__notes__", []):
        terminal.note(note)
    terminal.note(
        f"Unexpected {type(error).__name__}: {text}. This is a bug in seedream {__version__} "
        f"(Python {platform.python_version()}): run it again with {_DEBUG}=1 and report what it prints.",
        style="red",
    )
    _brief(terminal, type(error).__name__, text, exit_codes.BUG)


def _silence() -> None:
    """Nobody reads stdout any more: what is still in its buffer goes nowhere, without a complaint at exit."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
