"""Runs a command and turns every way to end into a message and an exit code."""

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
from seedream._request.foreign_names import FOREIGN_NAMES
from seedream._support.redact import quote, redact, sanitize
from seedream.cli import error_output, exit_codes
from seedream.cli.exit_codes import Exit
from seedream.cli.language import tr, translate
from seedream.cli.terminal import OutputError, Terminal
from seedream.errors import SeeDreamError

_OPTIONS: Final = {"batchsize": "-n", "resolution": "-r", "source_images": "--image", "prompt": "PROMPT"}
_DEBUG: Final = "SEEDREAM_DEBUG"
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT)
_EXHAUSTED: Final = (*_NO_ROOM, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)


def run(command: Callable[[Terminal], object], args: Sequence[str]) -> Exit:
    """Run a command, with a Terminal as its object, and report its result or whatever it raises.

    The arguments are read here only for ``--json``.
    """
    options = args[: args.index("--")] if "--" in args else args
    terminal = Terminal(as_json="--json" in options)
    try:
        try:
            code = _to_exit(command(terminal))
        except click.exceptions.Exit as end:
            code = _to_exit(end.exit_code)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- the last place: everything is reported
            code = _report(terminal, error)
        terminal.flush()
    except OutputError as error:
        return _report_output_error(terminal, error)
    return code


def _to_exit(result: object) -> Exit:
    if isinstance(result, Exit):
        return result
    if isinstance(result, int) and result:
        return next((one for one in exit_codes.TABLE if one.code == result), Exit(result, ""))
    return exit_codes.OK


def _report(terminal: Terminal, error: BaseException) -> Exit:
    """Print what happened; raises OutputError where the error is one of standard output."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    match error:
        case OutputError():
            raise error
        case SeeDreamError():
            terminal.print_json({"error": error_output.error_document(error)})
            if not terminal.as_json:
                error_output.print_error(terminal, error)
            code = exit_codes.exit_for(error)
        case KeyboardInterrupt() | EOFError() | click.Abort():
            code = _report_interrupt(terminal, error)
        case click.ClickException():
            code = _report_usage(terminal, error)
        case OSError() | MemoryError() | RuntimeError() if reason := _system_error(error):
            terminal.flush()  # click writes help texts to standard output itself
            code = _report_system(terminal, error, reason)
        case _:
            code = _report_bug(terminal, error)
    if os.environ.get(_DEBUG, "") not in ("", "0"):
        terminal.print_note("".join(traceback.format_exception(error)))
    return code


def _report_interrupt(terminal: Terminal, error: BaseException) -> Exit:
    notes = getattr(error, "__notes__", [])
    terminal.print_note(tr("Interrupted."))
    _print_notes(terminal, error)
    billing = "unknown" if notes else "yes" if terminal.taskid else "no"
    message = " ".join(["interrupted", *notes])
    _print_brief_json(terminal, "Interrupted", message, exit_codes.INTERRUPTED, billing=billing)
    return exit_codes.INTERRUPTED


def _report_usage(terminal: Terminal, error: click.ClickException) -> Exit:
    code = Exit(error.exit_code, "")
    _print_brief_json(terminal, "UsageError", error.format_message(), code)
    if not terminal.as_json:
        context = getattr(error, "ctx", None)
        if context is not None:
            terminal.print_note(context.get_usage())
            terminal.print_note(tr("Help: {command}", command=f"{context.command_path} --help"))
            terminal.print_note("")
        terminal.print_note(f"{translate('Error: ')}{translate(error.format_message())}", style="red")
        if hint := _foreign_option(error):
            terminal.print_note(f"  {hint}")
    return code


def _foreign_option(error: click.ClickException) -> str:
    """Return what an option of another SDK's command line is called here; empty where it is not known."""
    name = error.option_name.lstrip("-") if isinstance(error, click.NoSuchOption) else ""
    field = FOREIGN_NAMES.get(name.lower().replace("-", "_"))
    if field is None:
        return ""
    if not field:
        return tr("The API has nothing like {name}; leave it out.", name=name)
    return tr("Use {option}.", option=_OPTIONS.get(field, f"--set {field}=..."))


def _system_error(error: BaseException) -> str:
    """Return what this machine lacks or refuses; empty where the error is another kind of error."""
    if isinstance(error, MemoryError):
        return os.strerror(errno.ENOMEM)
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return str(error) if "can't start new thread" in str(error) else ""


def _report_system(terminal: Terminal, error: BaseException, reason: str) -> Exit:
    name = getattr(error, "filename", None)
    where = quote(str(name)) if name else tr("this machine")
    message = tr("{where}: {reason}", where=where, reason=translate(sanitize(reason)))
    exhausted = not isinstance(error, OSError) or error.errno in _EXHAUSTED or not name
    code = exit_codes.SYSTEM if exhausted else exit_codes.CONFIG
    terminal.print_note(f"{translate('Error: ')}{message}", style="red")
    _print_notes(terminal, error)
    _print_brief_json(terminal, type(error).__name__, message, code)
    return code


def _report_bug(terminal: Terminal, error: BaseException) -> Exit:
    text = sanitize(redact(str(error), *terminal.secrets))
    terminal.print_note(
        tr(
            "Unexpected {kind}: {text}. This is a bug in seedream {version} (Python {python}): "
            "run it again with {variable}=1 and report what it prints.",
            kind=type(error).__name__,
            text=text,
            version=__version__,
            python=platform.python_version(),
            variable=_DEBUG,
        ),
        style="red",
    )
    _print_notes(terminal, error)
    _print_brief_json(terminal, type(error).__name__, text, exit_codes.BUG)
    return exit_codes.BUG


def _print_notes(terminal: Terminal, error: BaseException) -> None:
    """Print the notes of the error, and how to get the pictures of a task that is paid for."""
    for note in getattr(error, "__notes__", []):
        terminal.print_note(translate(note))
    if terminal.resume:
        terminal.print_note(tr("The task goes on; to get its pictures: {command}", command=terminal.resume))


def _print_brief_json(terminal: Terminal, kind: str, message: str, code: Exit, **more: str) -> None:
    document = {"type": kind, "message": message, "taskid": terminal.taskid, **more, "exit_code": code.code}
    terminal.print_json({"error": document})


def _report_output_error(terminal: Terminal, error: OutputError) -> Exit:
    """Say that standard output cannot be written, unless its reader closed it."""
    cause = error.__cause__
    with suppress(OSError, ValueError, AttributeError):
        # What is still in the buffer goes to the null device, so that the interpreter's exit does not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(cause, BrokenPipeError):
        return exit_codes.CLOSED
    reason = translate(getattr(cause, "strerror", None) or str(cause))
    terminal.print_note(f"seedream: {tr('cannot write the output: {reason}', reason=reason)}")
    _print_notes(terminal, error)
    return exit_codes.FAILED
