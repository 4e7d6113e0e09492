"""Turns what came back into an error of the tree, with the raw reply, the task id and what to do."""

from collections.abc import Mapping
from typing import Final

from tensorslab_images.limits import SERVER, SUBMIT
from tensorslab_images.rules import CODE_MEANING_FAILURE

from seedream import errors
from seedream._protocol.effects import Failure
from seedream._protocol.outcome import OK, SubmissionOutcome
from seedream._protocol.retry import retry_after
from seedream._protocol.service import Answer
from seedream._support.redact import redact_reply
from seedream._support.server_text import REMOVED, server_text, show_id, show_ids

_CONSOLE: Final = (
    "It is not sent again. Look in the vendor's console whether the task exists before you submit it again."
)
# For each outcome of a submission but the unknown: the error, its message, and what to do.
_ERRORS: Final[Mapping[SubmissionOutcome, tuple[type[errors.SeeDreamError], str, str]]] = {
    SubmissionOutcome.NOT_SENT: (
        errors.NotSent, "nothing was sent: {seen}", "Check the network and the base URL, then try again.",
    ),
    SubmissionOutcome.TLS_REFUSED: (
        errors.NotSent, "nothing was sent: the server's TLS certificate or handshake was not accepted ({seen})",
        "Check the base URL, the machine's clock and its certificates.",
    ),
    SubmissionOutcome.REQUEST_TIMEOUT: (
        errors.NotSent, "the server says twice that it did not get a whole request ({seen})",
        "Check the network between here and the service; nothing was billed.",
    ),
    SubmissionOutcome.RATE_LIMITED: (
        errors.RateLimited, "too many requests ({seen})", "Wait{wait}, then submit again; nothing was billed.",
    ),
    SubmissionOutcome.NO_CREDITS: (
        errors.InsufficientCredits, "not enough credits ({seen})",
        "Buy credits in the vendor's console, then submit again; nothing was billed.",
    ),
    SubmissionOutcome.BAD_KEY: (
        errors.AuthError, "the server refused the API key ({seen})", "Check TENSORSLAB_API_KEY.",
    ),
    SubmissionOutcome.REJECTED: (
        errors.Rejected, "the server refused the request ({seen})", "Change what it names, then submit again.",
    ),
    SubmissionOutcome.REDIRECTED: (
        errors.ConfigError, "the base URL answers with a redirect ({seen}), and a paid request is never redirected",
        "Give the service's own address, for example {server}.",
    ),
    SubmissionOutcome.NO_SUCH_PATH: (
        errors.ConfigError, "the base URL answers {status} at {path}, the path of this operation ({seen})",
        "Check the base URL: it is the service's root, for example {server}, without /v1.",
    ),
}  # fmt: skip
_RULES: Final = {SubmissionOutcome.NO_CREDITS: "CODE-MEANING", SubmissionOutcome.BAD_KEY: "AUTH-HEADER"}
_LASTING: Final = (SubmissionOutcome.TLS_REFUSED, SubmissionOutcome.REQUEST_TIMEOUT)


def raw_reply(answer: Answer) -> errors.RawReply | None:
    """Return the server's reply without credentials, to be attached to an error; None if no reply had begun."""
    reply = answer.outcome.reply if isinstance(answer.outcome, Failure) else answer.outcome
    return redact_reply(reply.status, reply.headers, reply.body, answer.key) if reply else None


def describe(answer: Answer, *taskids: str) -> str:
    """Describe what came back in a few words. The ids of the tasks that were asked for may be among them."""
    outcome, envelope = answer.outcome, answer.envelope
    if isinstance(outcome, Failure):
        return f"{outcome.kind}: {server_text(outcome.text, answer.key)}"
    code = f", code {envelope.code}" if envelope.code is not None else ""
    if envelope.msg:
        return (
            f"HTTP {outcome.status}{code}: {vendors_words(envelope.msg, answer.key, *(taskids or (envelope.taskid,)))}"
        )
    kind = "" if envelope.readable else " with no readable answer" if outcome.body else " with an empty body"
    return f"HTTP {outcome.status}{code}{kind}"


def vendors_words(text: str, key: str, *taskids: str | None) -> str:
    """What a message shows of the service's own words, and where the rest is if some are left out."""
    shown = server_text(text, key, known=tuple(map(show_id, taskids)))
    return f"{shown}; the whole text is in error.reply" if REMOVED in shown else shown


def submission_error(became: SubmissionOutcome, answer: Answer, *, at: float) -> errors.SeeDreamError:
    """Return the error for a submission that is over (see the table in outcome.py)."""
    if became not in _ERRORS:
        return _submission_unknown(answer, at)
    kind, message, hint = _ERRORS[became]
    asked = retry_after(answer.outcome)
    wait = "" if asked is None else f" {asked:.0f} s"
    rule = _RULES.get(became)
    if became is SubmissionOutcome.REJECTED and answer.status in OK:
        rule = "CODE-MEANING"
    error = kind(
        message.format(seen=describe(answer), status=answer.status, path=SUBMIT.path),  # a refusal names no task
        rule=rule,
        hint=hint.format(wait=wait, server=SERVER),
        reply=raw_reply(answer),
        retryable=False if became in _LASTING else None,
    )
    if isinstance(error, errors.RateLimited):
        error.retry_after = asked
    return error


def _submission_unknown(answer: Answer, at: float) -> errors.SubmissionUnknown:
    outcome, envelope = answer.outcome, answer.envelope
    phase: errors.Phase = outcome.phase if isinstance(outcome, Failure) else "sent_full"
    if envelope.taskid:
        hint = f"A task id was seen in the reply: {show_id(envelope.taskid)}. Query it before you submit again."
    elif phase == "sent_partial":
        hint = f"The request was not sent whole, so it was probably not billed. {_CONSOLE}"
    else:
        hint = _CONSOLE
    accepted = answer.status and envelope.readable and not envelope.taskid
    what = "the reply holds no task id" if accepted else "no usable answer came"
    error = errors.SubmissionUnknown(
        f"the submission was sent, but {what} ({describe(answer)})",
        hint=hint,
        reply=raw_reply(answer),
        taskid=envelope.taskid,
    )
    error.phase, error.at = phase, at
    return error


def status_error(answer: Answer, action: str, *taskids: str) -> errors.SeeDreamError:
    """Return the error for a query or deletion without a usable answer. The tasks themselves are paid for."""
    seen, reply, taskid = describe(answer, *taskids), raw_reply(answer), taskids[0] if len(taskids) == 1 else None
    if answer.status in (401, 403):
        _, message, hint = _ERRORS[SubmissionOutcome.BAD_KEY]
        return errors.AuthError(
            message.format(seen=seen), rule="AUTH-HEADER", hint=hint, reply=reply, taskid=taskid, billing="yes"
        )
    if is_not_found(answer):
        return errors.TaskNotFound(
            f"the service does not know {'the task' if taskid else 'one of the tasks'} {show_ids(taskids)} ({seen})",
            hint=f"Check the {'id' if taskid else 'ids'}. A new task may take a moment to appear.",
            reply=reply,
            taskid=taskid,
        )
    hint = "The task is not lost: try again later."
    if answer.status in (404, 405):
        hint = "Check the base URL: nothing is served at this path. The task is not lost."
    return errors.StatusError(
        f"{action} got no usable answer ({seen})", hint=hint, reply=reply, taskid=taskid, billing="yes"
    )


def is_not_found(answer: Answer) -> bool:
    """Whether a query or deletion was answered that there is no such task (rule CODE-MEANING: failure)."""
    envelope, status = answer.envelope, answer.status
    if envelope.code is None:
        return False
    return (status in OK and envelope.code == CODE_MEANING_FAILURE) or status in (404, 410)
