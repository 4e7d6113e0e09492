"""Decides whether a submission is over, may be sent again, or is unknown. THE BILLING TABLE: nothing else decides this.

What was *sent* decides, never an exception's class. A submission is billed and has no idempotency key, so it is sent
again only where the server provably did not process it.

===============================  ==============================================  =====  =========================
what happened                    why                                             again  otherwise
===============================  ==============================================  =====  =========================
never sent: DNS, refused,        not one byte left                               yes    NotSent
connect timeout, pool, proxy
never sent: TLS refused          a set-up fault or an attack: will not pass      no     NotSent, not retryable
sent in part: reset, stall       practically not billed, but not provably        no     SubmissionUnknown
sent in full: time-out, reset,   the server may have taken it                    never  SubmissionUnknown
cut or garbled reply
429                              refused unprocessed (RFC 6585)                  yes    RateLimited
408                              the server never had a whole request            once   NotSent
                                 (RFC 9110, 15.5.9)
401, 403                         the key was refused                             no     AuthError
404, 405                         the base URL does not lead to this operation    no     ConfigError
other 4xx                        refused                                         no     Rejected
301, 307, 308                    refused: a POST is never redirected             no     ConfigError
302, 303, other 3xx              may mean "done, look there" (RFC 9110, 15.4.4)  never  SubmissionUnknown
5xx, other or odd status         the server may have taken it                    never  SubmissionUnknown
2xx, code 1000, task id          accepted                                        --     the task
2xx, code 1000, no task id       accepted, but nobody can ask for it             never  SubmissionUnknown
2xx, code 9000                   not enough credits                              no     InsufficientCredits
2xx, code 9999                   refused, as it reports                          no     Rejected
2xx, other code, task id         a task exists                                   --     the task
2xx, other code or no envelope   nobody knows                                    never  SubmissionUnknown
a refusal that names a task id   it contradicts itself                           never  SubmissionUnknown
===============================  ==============================================  =====  =========================

Queries and downloads cost nothing: they are repeated until their deadline.
"""

from enum import Enum
from typing import Final

from tensorslab_images.rules import CODE_MEANING_FAILURE, CODE_MEANING_INSUFFICIENT_CREDITS

from seedream._protocol.effects import Failure, Reply
from seedream._protocol.replies import Envelope

OK: Final = range(200, 300)
CLIENT_ERROR: Final = range(400, 500)


class SubmissionOutcome(Enum):
    """What became of a submission."""

    ACCEPTED = "accepted"
    NOT_SENT = "not sent"
    TLS_REFUSED = "TLS refused"
    REQUEST_TIMEOUT = "request timeout"
    RATE_LIMITED = "rate limited"
    NO_CREDITS = "no credits"
    BAD_KEY = "bad key"
    REJECTED = "rejected"
    REDIRECTED = "redirected"
    NO_SUCH_PATH = "no such path"
    UNKNOWN = "unknown"


_BY_STATUS: Final = {
    **dict.fromkeys((301, 307, 308), SubmissionOutcome.REDIRECTED),
    **dict.fromkeys((401, 403), SubmissionOutcome.BAD_KEY),
    **dict.fromkeys((404, 405), SubmissionOutcome.NO_SUCH_PATH),
    408: SubmissionOutcome.REQUEST_TIMEOUT,
    429: SubmissionOutcome.RATE_LIMITED,
}
_BY_CODE: Final = {
    CODE_MEANING_INSUFFICIENT_CREDITS: SubmissionOutcome.NO_CREDITS,
    CODE_MEANING_FAILURE: SubmissionOutcome.REJECTED,
}


def classify(outcome: Reply | Failure, envelope: Envelope) -> SubmissionOutcome:
    """Classify what became of a submission; ``envelope`` is what could be read of the reply's body."""
    became = _classify(outcome, envelope)
    # A refusal that names a task contradicts itself, so nobody knows, and it is not sent again.
    return SubmissionOutcome.UNKNOWN if envelope.taskid and became is not SubmissionOutcome.ACCEPTED else became


def _classify(outcome: Reply | Failure, envelope: Envelope) -> SubmissionOutcome:
    if isinstance(outcome, Failure):
        if outcome.phase == "never_sent":
            return SubmissionOutcome.TLS_REFUSED if outcome.tls else SubmissionOutcome.NOT_SENT
        return SubmissionOutcome.UNKNOWN
    if outcome.status in OK:
        if envelope.code is None:
            return SubmissionOutcome.UNKNOWN
        other = SubmissionOutcome.ACCEPTED if envelope.taskid else SubmissionOutcome.UNKNOWN
        return _BY_CODE.get(envelope.code, other)
    other = SubmissionOutcome.REJECTED if outcome.status in CLIENT_ERROR else SubmissionOutcome.UNKNOWN
    return _BY_STATUS.get(outcome.status, other)
