"""Turns what came back into the error tree: which error, with the raw reply, the task id and what to do."""

from typing import Final

from tensorslab_images.limits import SERVER

from seedream import errors
from seedream._protocol.effects import Failure, Reply
from seedream._protocol.retry import Verdict, retry_after
from seedream._protocol.wire import Envelope
from seedream._support.redact import redact_reply, sanitize

_CONSOLE: Final = (
    "It is not sent again. Look in the vendor's console whether the task exists before you submit it anew."
)
_TOP_UP: Final = "Buy credits in the vendor's console, then submit again; nothing was billed."


def raw(outcome: Reply | Failure, key: str) -> errors.RawReply | None:
    """The raw reply, if one had begun, fit to be carried by an error."""
    reply = outcome.reply if isinstance(outcome, Failure) else outcome
    return redact_reply(reply.status, reply.headers, reply.body, key) if reply else None


def told(outcome: Reply | Failure, envelope: Envelope, key: str) -> str:
    """What came back, in a few words."""
    if isinstance(outcome, Failure):
        return f"{outcome.kind}: {sanitize(outcome.text, key)}"
    code = f", code {envelope.code}" if envelope.code is not None else ""
    if envelope.msg:
        return f"HTTP {outcome.status}{code}: {sanitize(envelope.msg, key)}"
    kind = "" if envelope.readable else " with no readable answer" if outcome.body else " with an empty body"
    return f"HTTP {outcome.status}{code}{kind}"


def submission_error(  # noqa: PLR0911 -- one return a verdict
    verdict: Verdict, outcome: Reply | Failure, envelope: Envelope, *, digest: str, at: float, key: str
) -> errors.SeeDreamError:
    """The error for a submission that is over (see the table in _retry)."""
    seen, reply, taskid = told(outcome, envelope, key), raw(outcome, key), envelope.taskid
    match verdict:
        case Verdict.NOT_SENT:
            return errors.NotSent(
                f"nothing was sent: {seen}", hint="Check the network and the base URL, then try again."
            )
        case Verdict.TLS_REFUSED:
            return errors.NotSent(
                f"nothing was sent: the server's TLS certificate or handshake was not accepted ({seen})",
                hint="Check the base URL, the machine's clock and its certificates.",
                retryable=False,
            )
        case Verdict.REQUEST_TIMEOUT:
            return errors.NotSent(
                f"the server did not get a whole request ({seen})",
                hint="Try again.",
                reply=reply,
                taskid=taskid,
            )
        case Verdict.RATE_LIMITED:
            limited = errors.RateLimited(
                f"too many requests ({seen})",
                hint="Wait, then submit again; nothing was billed.",
                reply=reply,
                taskid=taskid,
            )
            limited.retry_after = retry_after(outcome) if isinstance(outcome, Reply) else None
            return limited
        case Verdict.NO_CREDITS:
            return errors.InsufficientCredits(
                f"not enough credits ({seen})", rule="CODE-MEANING", hint=_TOP_UP, reply=reply, taskid=taskid
            )
        case Verdict.BAD_KEY:
            return errors.AuthError(
                f"the server refused the API key ({seen})",
                rule="AUTH-HEADER",
                hint="Check TENSORSLAB_API_KEY.",
                reply=reply,
                taskid=taskid,
            )
        case Verdict.REJECTED:
            rule = "CODE-MEANING" if isinstance(outcome, Reply) and outcome.status < 300 else None  # noqa: PLR2004 -- a failure told by its code
            return errors.Rejected(
                f"the server refused the request ({seen})",
                rule=rule,
                hint="Change what it names, then submit again.",
                reply=reply,
                taskid=taskid,
            )
        case Verdict.REDIRECTED:
            return errors.ConfigError(
                f"the base URL answers with a redirect ({seen}), and a paid request is never redirected",
                hint=f"Give the service's own address, for example {SERVER}.",
                reply=reply,
                taskid=taskid,
            )
        case Verdict.ACCEPTED | Verdict.UNKNOWN:
            return unknown(outcome, envelope, digest=digest, at=at, key=key)


def unknown(
    outcome: Reply | Failure, envelope: Envelope, *, digest: str, at: float, key: str
) -> errors.SubmissionUnknown:
    """The error for a submission that may have been billed."""
    phase: errors.Phase = outcome.phase if isinstance(outcome, Failure) else "sent_full"
    if envelope.taskid:
        hint = f"A task id was seen in the reply: {envelope.taskid}. Query it before you submit anew."
    elif phase == "sent_partial":
        hint = f"The request was not sent whole, so it was probably not billed. {_CONSOLE}"
    else:
        hint = _CONSOLE
    accepted = isinstance(outcome, Reply) and envelope.readable and not envelope.taskid
    what = "the reply holds no task id" if accepted else "no usable answer came"
    error = errors.SubmissionUnknown(
        f"the submission was sent, but {what} ({told(outcome, envelope, key)})",
        hint=hint,
        reply=raw(outcome, key),
        taskid=envelope.taskid,
    )
    error.digest, error.phase, error.at = digest, phase, at
    return error


def status_error(
    taskid: str | None, outcome: Reply | Failure, envelope: Envelope, key: str, doing: str
) -> errors.SeeDreamError:
    """The error for a query or deletion without a usable answer."""
    seen, reply = told(outcome, envelope, key), raw(outcome, key)
    if isinstance(outcome, Reply) and outcome.status in (401, 403):
        return errors.AuthError(
            f"the server refused the API key ({seen})", rule="AUTH-HEADER", hint="Check TENSORSLAB_API_KEY.",
            reply=reply, taskid=taskid,
        )  # fmt: skip
    return errors.StatusError(
        f"{doing} got no usable answer ({seen})",
        hint="The task is not lost: try again later.",
        reply=reply,
        taskid=taskid,
    )
