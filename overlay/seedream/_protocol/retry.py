"""How long to wait before the next try, and how often to try."""

from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from seedream._protocol.effects import Failure, Reply
from seedream._protocol.outcome import SubmissionOutcome
from seedream.errors import ConfigError


def draw_number() -> float:
    """Return a number from 0 to 1, for jitter."""
    import random  # noqa: PLC0415 -- it takes a while to load, and the first try needs no jitter

    return random.random()  # noqa: S311 -- no secret


def _attempts(_: object, attribute: Any, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ConfigError(f"RetryPolicy: {attribute.name} is not a whole number above 0", hint="Give 1 for one try.")


def _seconds(_: object, attribute: Any, value: object) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        raise ConfigError(f"RetryPolicy: {attribute.name} is not a number of seconds", hint="Give 0 or more.")


@frozen
class RetryPolicy:
    """How long to go on trying what is safe to try again.

    Attributes:
        attempts: Tries of one submission, the first included, where nothing was sent or the server said 429.
        base: Seconds before the second try; doubles each time, with equal jitter (half of it fixed, half drawn).
        cap: Longest pause between tries (seconds).
        retry_after_cap: Longest Retry-After that is waited for (seconds); a longer one raises RateLimited.
    """

    attempts: int = field(default=4, validator=_attempts)
    base: float = field(default=0.5, validator=_seconds)
    cap: float = field(default=30.0, validator=_seconds)
    retry_after_cap: float = field(default=120.0, validator=_seconds)

    def delay(self, attempt: int, draw: Callable[[], float] = draw_number) -> float:
        """Return the seconds to wait after failed try ``attempt`` (1, 2, ...)."""
        return float(min(self.cap, self.base * 2 ** min(attempt - 1, 30))) * (0.5 + 0.5 * draw())

    def next_delay(
        self,
        outcome: SubmissionOutcome,
        attempt: int,
        retry_after: float | None,
        draw: Callable[[], float] = draw_number,
    ) -> float | None:
        """Return the seconds until the next try of a submission, or None where there is none."""
        if outcome is SubmissionOutcome.REQUEST_TIMEOUT:
            return self.delay(attempt, draw) if attempt == 1 else None
        if outcome not in (SubmissionOutcome.NOT_SENT, SubmissionOutcome.RATE_LIMITED) or attempt >= self.attempts:
            return None
        pause = self.delay(attempt, draw)
        if outcome is SubmissionOutcome.RATE_LIMITED and retry_after is not None:
            # A minimum: "Retry-After: 0" and dates in the past must not turn into a burst of requests.
            return max(pause, retry_after) if retry_after <= self.retry_after_cap else None
        return pause


def retry_after(reply: Reply | Failure) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date less the reply's own Date."""
    if isinstance(reply, Failure):
        return None
    value = reply.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:12]), 10**9))
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 -- slow to load, and seldom needed

    try:
        asked = parsedate_to_datetime(value) - parsedate_to_datetime(reply.headers["date"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return max(0.0, asked.total_seconds())
