"""An error as a person reads it, and as a program does."""

from collections.abc import Callable
from typing import Any, Final

from tensorslab_images.rules import RULES

from seedream.cli.exit_codes import exit_for
from seedream.cli.language import is_chinese
from seedream.cli.terminal import Terminal
from seedream.errors import DownloadError, InvalidRequest, Problem, RateLimited, SeeDreamError, SubmissionUnknown

_MOST_FILES: Final = 15


Say = Callable[[str, str], None]


def tell(terminal: Terminal, error: SeeDreamError, *, say: Say | None = None) -> None:
    """Print an error: what was wrong, which rule, what to do.

    Args:
        terminal: The run's terminal.
        error: The error.
        say: Takes each line and its style; prints on stderr unless given.
    """
    say = say or terminal.note
    if is_chinese():
        say(error.summary_zh, "bold")
    problems = error.problems if isinstance(error, InvalidRequest) else (_as_problem(error),)
    for problem in problems:
        where = f"{problem.field}: " if problem.field else ""
        say(f"Error: {where}{_ended(problem.message)}", "red")
        _tell_rule(say, problem.rule)
        if problem.hint:
            _line(say, "do", problem.hint)
    if isinstance(error, DownloadError):
        for path in list(error.files.values())[:_MOST_FILES]:
            _line(say, "saved", str(path))
    if error.billing == "unknown":
        _line(say, "billed", "nobody knows; the vendor's console shows it")
    if error.taskid:
        _line(say, "task", error.taskid)
    if error.taskid and terminal.resume and error.retryable:
        _line(say, "go on", terminal.resume)


def _as_problem(error: SeeDreamError) -> Problem:
    return Problem("", error.message, error.rule, error.hint)


def _tell_rule(say: Say, rule: str | None) -> None:
    if rule is None:
        return
    known = RULES.get(rule)
    _line(say, "rule", f"{rule}: {known.summary}" if known else rule)
    if known and known.sentence != known.summary:
        _line(say, "", f"“{' '.join(known.sentence.split())}”")


def _line(say: Say, label: str, text: str) -> None:
    say(f"  {label:<7}{text}", "")


def _ended(message: str) -> str:
    message = message[:1].upper() + message[1:] if message[:1].isascii() else message
    return message if message.endswith((".", "!", "?")) else f"{message}."


def document(error: SeeDreamError) -> dict[str, Any]:
    """The error for ``--json``; every key is always there, null where it says nothing."""
    exit_code = exit_for(error)
    problems = error.problems if isinstance(error, InvalidRequest) else ()
    unknown = error if isinstance(error, SubmissionUnknown) else None
    download = error if isinstance(error, DownloadError) else None
    return {
        "type": type(error).__name__,
        "message": error.message,
        "rule": _rule(error.rule),
        "hint": error.hint,
        "summary_zh": error.summary_zh,
        "problems": [
            {"field": one.field, "message": one.message, "rule": _rule(one.rule), "hint": one.hint} for one in problems
        ],
        "taskid": error.taskid,
        "billing": error.billing,
        "retryable": error.retryable,
        "retry_after": error.retry_after if isinstance(error, RateLimited) else None,
        "digest": unknown.digest if unknown else None,
        "phase": unknown.phase if unknown else None,
        "reply": _reply(error),
        "files": [str(path) for path in download.files.values()] if download else [],
        "missing": {str(index): one.message for index, one in download.errors.items()} if download else {},
        "exit_code": exit_code.code,
    }


def _rule(rule: str | None) -> dict[str, str] | None:
    if rule is None:
        return None
    known = RULES.get(rule)
    return {
        "id": rule,
        "sentence": known.sentence if known else "",
        "summary": known.summary if known else "",
    }


def _reply(error: SeeDreamError) -> dict[str, Any] | None:
    if error.reply is None:
        return None
    return {
        "status": error.reply.status,
        "headers": dict(error.reply.headers),
        "body": error.reply.body.decode("utf-8", "replace"),
    }
