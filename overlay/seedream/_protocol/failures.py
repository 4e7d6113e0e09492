"""Turns what came back into an error of the tree, with the raw reply, the task id and what to do."""

from typing import Final

from tensorslab_images.limits import SERVER, SUBMIT
from tensorslab_images.rules import CODE_MEANING_FAILURE

from seedream import errors
from seedream._protocol.effects import Failure, Reply
from seedream._protocol.outcome import OK, SubmissionOutcome
from seedream._protocol.replies import Envelope
from seedream._protocol.retry import retry_after
from seedream._support.redact import redact_reply
from seedream._support.server_text import REMOVED, server_text, show_id

_CONSOLE: Final = (
    "It is not sent again. Look in the vendor's console whether the task exists before you submit it again."
)
_TOP_UP: Final = "Buy credits in the vendor's console, then submit again; nothing was billed."


def raw_reply(outcome: Reply | Failure, key: str) -> errors.RawReply | None:
    """Return the server's reply without credentials, to be attached to an error; None if no reply had begun."""
    reply = outcome.reply if isinstance(outcome, Failure) else outcome
    return redact_reply(reply.status, reply.headers, reply.body, key) if reply else None


def describe(outcome: Reply | Failure, envelope: Envelope, key: str, taskid: str | None = None) -> str:
    """Describe what came back in a few words. The id of the task that was asked for may be among them."""
    if isinstance(outcome, Failure):
        return f"{outcome.kind}: {server_text(outcome.text, key)}"
    code = f", code {envelope.code}" if envelope.code is not None else ""
    if envelope.msg:
        return f"HTTP {outcome.status}{code}: {vendors_words(envelope.msg, key, taskid or envelope.taskid)}"
    kind = "" if envelope.readable else " with no readable answer" if outcome.body else " with an empty body"
    return f"HTTP {outcome.status}{code}{kind}"


def vendors_words(text: str, key: str, taskid: str | None) -> str:
    """What a message shows of the service's own words, and where the rest is if some are left out."""
    shown = server_text(text, key, known=(show_id(taskid),))
    return f"{shown}; the whole text is in error.reply" if REMOVED in shown else shown


def submission_error(  # noqa: C901, PLR0911 -- one return for each outcome
    became: SubmissionOutcome, outcome: Reply | Failure, envelope: Envelope, *, at: float, key: str
) -> errors.SeeDreamError:
    """Return the error for a submission that is over (see the table in outcome.py)."""
    seen, reply = describe(outcome, envelope, key), raw_reply(outcome, key)  # a refusal names no task: see classify
    match became:
        case SubmissionOutcome.NOT_SENT:
            return errors.NotSent(
                f"nothing was sent: {seen}", hint="Check the network and the base URL, then try again."
            )
        case SubmissionOutcome.TLS_REFUSED:
            return errors.NotSent(
                f"nothing was sent: the server's TLS certificate or handshake was not accepted ({seen})",
                hint="Check the base URL, the machine's clock and its certificates.",
                retryable=False,
            )
        case SubmissionOutcome.REQUEST_TIMEOUT:
            return errors.NotSent(
                f"the server says twice that it did not get a whole request ({seen})",
                hint="Check the network between here and the service; nothing was billed.",
                retryable=False,
                reply=reply,
            )
        case SubmissionOutcome.RATE_LIMITED:
            asked = retry_after(outcome) if isinstance(outcome, Reply) else None
            limited = errors.RateLimited(
                f"too many requests ({seen})",
                hint=f"Wait{'' if asked is None else f' {asked:.0f} s'}, then submit again; nothing was billed.",
                reply=reply,
            )
            limited.retry_after = asked
            return limited
        case SubmissionOutcome.NO_CREDITS:
            return errors.InsufficientCredits(
                f"not enough credits ({seen})", rule="CODE-MEANING", hint=_TOP_UP, reply=reply
            )
        case SubmissionOutcome.BAD_KEY:
            return errors.AuthError(
                f"the server refused the API key ({seen})",
                rule="AUTH-HEADER",
                hint="Check TENSORSLAB_API_KEY.",
                reply=reply,
            )
        case SubmissionOutcome.REJECTED:
            by_code = isinstance(outcome, Reply) and outcome.status in OK
            return errors.Rejected(
                f"the server refused the request ({seen})",
                rule="CODE-MEANING" if by_code else None,
                hint="Change what it names, then submit again.",
                reply=reply,
            )
        case SubmissionOutcome.REDIRECTED:
            return errors.ConfigError(
                f"the base URL answers with a redirect ({seen}), and a paid request is never redirected",
                hint=f"Give the service's own address, for example {SERVER}.",
                reply=reply,
            )
        case SubmissionOutcome.NO_SUCH_PATH:
            return errors.ConfigError(
                f"the base URL answers {outcome.status if isinstance(outcome, Reply) else ''} at {SUBMIT.path}, "
                f"the path of this operation ({seen})",
                hint=f"Check the base URL: it is the service's root, for example {SERVER}, without /v1.",
                reply=reply,
            )
        case SubmissionOutcome.ACCEPTED | SubmissionOutcome.UNKNOWN:
            return submission_unknown(outcome, envelope, at=at, key=key)


def submission_unknown(
    outcome: Reply | Failure, envelope: Envelope, *, at: float, key: str
) -> errors.SubmissionUnknown:
    """Return the error for a submission that may have been billed."""
    phase: errors.Phase = outcome.phase if isinstance(outcome, Failure) else "sent_full"
    if envelope.taskid:
        hint = f"A task id was seen in the reply: {show_id(envelope.taskid)}. Query it before you submit again."
    elif phase == "sent_partial":
        hint = f"The request was not sent whole, so it was probably not billed. {_CONSOLE}"
    else:
        hint = _CONSOLE
    accepted = isinstance(outcome, Reply) and envelope.readable and not envelope.taskid
    what = "the reply holds no task id" if accepted else "no usable answer came"
    error = errors.SubmissionUnknown(
        f"the submission was sent, but {what} ({describe(outcome, envelope, key)})",
        hint=hint,
        reply=raw_reply(outcome, key),
        taskid=envelope.taskid,
    )
    error.phase, error.at = phase, at
    return error


def status_error(
    taskid: str | None, outcome: Reply | Failure, envelope: Envelope, key: str, action: str
) -> errors.SeeDreamError:
    """Return the error for a query or deletion without a usable answer. The task itself is paid for."""
    seen, reply = describe(outcome, envelope, key, taskid), raw_reply(outcome, key)
    if isinstance(outcome, Reply) and outcome.status in (401, 403):
        return errors.AuthError(
            f"the server refused the API key ({seen})",
            rule="AUTH-HEADER",
            hint="Check TENSORSLAB_API_KEY.",
            reply=reply,
            taskid=taskid,
            billing="yes",
        )
    if is_not_found(outcome, envelope):
        return errors.TaskNotFound(
            f"the service does not know the task {show_id(taskid)} ({seen})",
            hint="Check the id. A new task may take a moment to appear.",
            reply=reply,
            taskid=taskid,
        )
    hint = "The task is not lost: try again later."
    if isinstance(outcome, Reply) and outcome.status in (404, 405):
        hint = "Check the base URL: nothing is served at this path. The task is not lost."
    return errors.StatusError(
        f"{action} got no usable answer ({seen})", hint=hint, reply=reply, taskid=taskid, billing="yes"
    )


def is_not_found(outcome: Reply | Failure, envelope: Envelope) -> bool:
    """Whether a query or deletion was answered that there is no such task (rule CODE-MEANING: failure)."""
    if isinstance(outcome, Failure) or not envelope.readable:
        return False
    named = envelope.code is not None
    return (outcome.status in OK and envelope.code == CODE_MEANING_FAILURE) or (named and outcome.status in (404, 410))
