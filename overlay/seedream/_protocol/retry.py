"""The one decision that costs money: is a submission over, to be sent again, or unknown? Pure, and in one place.

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
other 4xx                        refused                                         no     Rejected
3xx                              a POST is never redirected                      no     ConfigError
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

import random
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Final

from attrs import frozen
from tensorslab_images.rules import (
    CODE_MEANING_FAILURE,
    CODE_MEANING_INSUFFICIENT_CREDITS,
)

from seedream._protocol.effects import Failure, Reply
from seedream._protocol.wire import Envelope

OK: Final = range(200, 300)
_TOO_MANY: Final = 429
_REQUEST_TIMEOUT: Final = 408


class Verdict(Enum):
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
    UNKNOWN = "unknown"


_REFUSALS: Final = (Verdict.REQUEST_TIMEOUT, Verdict.RATE_LIMITED, Verdict.NO_CREDITS, Verdict.REJECTED)


def judge(outcome: Reply | Failure, envelope: Envelope) -> Verdict:
    """The verdict on a submission; ``envelope`` is what could be read of the reply's body."""
    verdict = _judge(outcome, envelope)
    # A refusal that names a task contradicts itself: nobody knows, so it is not sent again.
    return Verdict.UNKNOWN if verdict in _REFUSALS and envelope.taskid else verdict


def _judge(outcome: Reply | Failure, envelope: Envelope) -> Verdict:  # noqa: PLR0911 -- one return a row of the table
    if isinstance(outcome, Failure):
        if outcome.phase == "never_sent":
            return Verdict.TLS_REFUSED if outcome.tls else Verdict.NOT_SENT
        return Verdict.UNKNOWN
    status = outcome.status
    if status in OK:
        return _judge_code(envelope)
    if status == _TOO_MANY:
        return Verdict.RATE_LIMITED
    if status == _REQUEST_TIMEOUT:
        return Verdict.REQUEST_TIMEOUT
    if status in (401, 403):
        return Verdict.BAD_KEY
    if 300 <= status < 400:  # noqa: PLR2004 -- the class of redirects
        return Verdict.REDIRECTED
    if 400 <= status < 500:  # noqa: PLR2004 -- the class of client errors
        return Verdict.REJECTED
    return Verdict.UNKNOWN


def _judge_code(envelope: Envelope) -> Verdict:
    if envelope.code == CODE_MEANING_INSUFFICIENT_CREDITS:
        return Verdict.NO_CREDITS
    if envelope.code == CODE_MEANING_FAILURE:
        return Verdict.REJECTED
    return Verdict.ACCEPTED if envelope.code is not None and envelope.taskid else Verdict.UNKNOWN


@frozen
class RetryPolicy:
    """How long to go on trying what is safe to try again.

    Attributes:
        attempts: Tries of one submission, the first included, where nothing was sent or the server said 429.
        base: Seconds before the second try; doubles each time, with full jitter.
        cap: Longest pause between tries (seconds).
        retry_after_cap: Longest Retry-After that is waited for (seconds); a longer one raises RateLimited.
    """

    attempts: int = 4
    base: float = 0.5
    cap: float = 30.0
    retry_after_cap: float = 120.0

    def delay(self, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """Seconds to wait after failed try ``attempt`` (1, 2, ...)."""
        return float(min(self.cap, self.base * 2 ** min(attempt - 1, 30))) * (0.5 + 0.5 * chance())

    def again(
        self, verdict: Verdict, attempt: int, retry_after: float | None, chance: Callable[[], float] = random.random
    ) -> float | None:
        """Seconds until the next try of a submission, or None: no further try."""
        if verdict is Verdict.REQUEST_TIMEOUT:
            return self.delay(attempt, chance) if attempt == 1 else None
        if verdict not in (Verdict.NOT_SENT, Verdict.RATE_LIMITED) or attempt >= self.attempts:
            return None
        if verdict is Verdict.RATE_LIMITED and retry_after is not None:
            return retry_after if retry_after <= self.retry_after_cap else None
        return self.delay(attempt, chance)


def retry_after(reply: Reply | None) -> float | None:
    """Seconds that a Retry-After header asks for (a number, or a date read against the reply's own Date), or None."""
    value = reply.headers.get("retry-after", "").strip() if reply else ""
    if value.isascii() and value.isdigit():
        return float(min(int(value[:12]), 10**9))
    try:
        return (
            max(
                0.0,
                (parsedate_to_datetime(value) - parsedate_to_datetime(reply.headers["date"])).total_seconds(),
            )
            if reply
            else None
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
