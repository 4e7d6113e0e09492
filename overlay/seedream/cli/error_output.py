"""Errors of the library as text for people, and as data for programs."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from tensorslab_images.rules import RULES

from seedream.cli.exit_codes import exit_for
from seedream.cli.language import is_chinese, translate
from seedream.cli.messages_zh import SUMMARIES
from seedream.cli.rule_text import summary_and_sentence
from seedream.cli.terminal import Terminal
from seedream.errors import (
    DownloadError,
    InvalidRequest,
    Problem,
    RateLimited,
    SeeDreamError,
    SubmissionUnknown,
    TaskFailed,
    TaskNotFound,
)

_PYTHON_FLAG: Final = ("set allow_unrecognized_sources=True", "add --allow-unrecognized-sources")
_MOST_FILES: Final = 15

PrintLine = Callable[[str, str], None]


def print_error(terminal: Terminal, error: SeeDreamError, *, print_line: PrintLine | None = None) -> None:
    """Print an error: what was wrong, which rule, what to do. By default the lines go to standard error."""
    print_line = print_line or terminal.print_note

    def labelled(label: str, text: str) -> None:
        label = translate(label)
        width = len(label) * 2 if is_chinese() else len(label)
        print_line(terminal.indented(f"  {label}{'':>{max(7 - width, 1)}}", text), "")

    if is_chinese():
        print_line(summary_zh(error), "bold")
    only = Problem("", error.message, error.rule, error.hint)
    for problem in error.problems if isinstance(error, InvalidRequest) else (only,):
        where = f"{problem.field}: " if problem.field else ""
        print_line(f"{translate('Error: ')}{where}{_sentence(translate(problem.message))}", "red")
        for label, text in _advice(problem):
            labelled(label, text)
    for label, text in _consequences(error):
        labelled(label, text)
    finished = isinstance(error, TaskFailed | TaskNotFound)
    if terminal.resume and error.taskid == terminal.taskid and not finished:
        print_line(f"  {translate('go on')}  {terminal.resume}", "")


def _advice(problem: Problem) -> Iterator[tuple[str, str]]:
    """Yield the rule that was broken, and what to do."""
    if problem.rule is not None:
        summary, sentence = summary_and_sentence(problem.rule)
        yield "rule", f"{problem.rule}: {summary}" if summary else problem.rule
        if sentence:
            yield "", f"“{sentence}”"
    if problem.hint:
        yield "do", translate(problem.hint.replace(*_PYTHON_FLAG))


def _consequences(error: SeeDreamError) -> Iterator[tuple[str, str]]:
    """Yield what was saved, whether it was billed, and the task."""
    if isinstance(error, DownloadError):
        for path in list(error.files.values())[:_MOST_FILES]:
            yield "saved", str(path)
    if error.billing == "unknown":
        yield "billed", translate("nobody knows; the vendor's console shows it")
    if error.taskid:
        yield "task", error.taskid


def summary_zh(error: SeeDreamError) -> str:
    """Return the Chinese summary of the error's class, or of its nearest base that has one."""
    return next(SUMMARIES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in SUMMARIES)


def _sentence(message: str) -> str:
    return (
        message if message.endswith((".", "!", "?", "。", "！", "？")) else f"{message}{'。' if is_chinese() else '.'}"
    )


def error_document(error: SeeDreamError) -> dict[str, Any]:
    """Return the error for ``--json``; every key is always present, null where it does not apply."""
    exit_code = exit_for(error)
    problems = error.problems if isinstance(error, InvalidRequest) else ()
    unknown = error if isinstance(error, SubmissionUnknown) else None
    download = error if isinstance(error, DownloadError) else None
    return {
        "type": type(error).__name__,
        "message": error.message,
        "rule": _rule(error.rule),
        "hint": error.hint,
        "summary_zh": summary_zh(error),
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
