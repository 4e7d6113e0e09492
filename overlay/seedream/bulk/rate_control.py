"""How fast a run submits and when it stops: an even rate, windows that shrink after failures, circuit breakers.

Nothing here waits or reads a clock of its own.
"""

from collections.abc import Callable
from typing import Final, Literal

from attrs import define, field

from seedream.bulk.report import Reason

Monotonic = Callable[[], float]
Stage = Literal["tasks", "downloads"]
_FIRST: Final = 4  # tasks outstanding before the first delivery
_SAMPLE: Final = 100  # a share is judged of at least so many
_UNKNOWN_SHARE: Final = 0.01  # of submissions
_FAILED_SHARE: Final = 0.25  # of deliveries: some prompts are refused by the service's filter


@define
class RateLimiter:
    """An even rate (GCRA with a burst of one).

    Attributes:
        clock: Monotonic seconds.
        rate: Submissions per second; None: no limit.
    """

    clock: Monotonic
    rate: float | None = None
    _next: float = 0.0

    def reserve(self) -> float:
        """Reserve the next moment to send; gives the seconds until it."""
        now = self.clock()
        start = max(now, self._next)
        self._next = start + (1 / self.rate if self.rate else 0.0)
        return start - now

    def pause_for(self, seconds: float) -> None:
        """Nobody starts before so many seconds have passed."""
        self._next = max(self._next, self.clock() + seconds)


@define
class AdaptiveConcurrency:
    """How many submissions may be on the way: one more after as many successes, half after "too many requests".

    Attributes:
        most: The user's limit.
        size: The limit now.
    """

    most: int
    size: int = field(init=False)
    _good: int = 0
    _shrunk: int = 0
    _started: int = 0

    def __attrs_post_init__(self) -> None:
        self.size = self.most

    def start(self) -> int:
        """Take in the start of a submission; gives its number."""
        self._started += 1
        return self._started

    def succeeded(self) -> None:
        """Take in a submission that got through."""
        self._good += 1
        if self._good >= self.size and self.size < self.most:
            self.size, self._good = self.size + 1, 0

    def refused(self, number: int) -> None:
        """Take in a refusal (too many requests). Submissions that started before the last cut do not count again."""
        if number > self._shrunk:
            self.size, self._good, self._shrunk = max(1, self.size // 2), 0, self._started


@define
class SlowStart:
    """How many paid tasks may be outstanding: few until deliveries have been seen to work, fewer after a failure.

    A run whose tasks or pictures all fail pays for no more than ``size`` jobs before the circuit breaker opens.

    Attributes:
        limit: The user's limit.
        size: The limit now.
    """

    limit: int
    size: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.size = min(self.limit, _FIRST)

    def succeeded(self) -> None:
        """Take in a delivery: one more job may be outstanding, so the number doubles with each round."""
        self.size = min(self.limit, self.size + 1)

    def failed(self) -> None:
        """Take in a failed delivery: halve the limit, so that no job starts until the outstanding ones are known."""
        self.size = max(1, self.size // 2)


@define
class CircuitBreaker:
    """Opens after failures in a row, or when failures are too large a share.

    Attributes:
        in_a_row: So many failures in a row open it; 0: never.
        share: So large a share of at least 100 opens it.
    """

    in_a_row: int
    share: float
    _row: int = 0
    _failed: int = 0
    _all: int = 0

    def succeeded(self) -> None:
        """Take in a success."""
        self._all += 1
        self._row = 0

    def failed(self) -> bool:
        """Take in a failure; True: it is open."""
        self._all += 1
        self._row += 1
        self._failed += 1
        too_many = self._all >= _SAMPLE and self._failed > self.share * self._all
        return self.in_a_row > 0 and (self._row >= self.in_a_row or too_many)


@define
class Patience:
    """How long submissions may fail to get through (429, no network) before the run stops.

    Attributes:
        clock: Monotonic seconds.
        seconds: The limit.
        refusals: How many did not get through since the last one that did.
    """

    clock: Monotonic
    seconds: float
    refusals: int = 0
    _since: float | None = None

    def succeeded(self) -> None:
        """Take in a submission that got through."""
        self.refusals, self._since = 0, None

    def failed(self) -> bool:
        """Take in a submission that did not get through; True: none has for too long."""
        now = self.clock()
        self.refusals += 1
        if self._since is None:
            self._since = now
        return now - self._since > self.seconds


class RunControl:
    """Stops the submissions of a run, with a reason. Pictures of tasks that are submitted are still saved.

    Args:
        in_flight: The user's limit of tasks that are submitted and not yet saved.
        max_failures: So many failures in a row stop the run; 0: never.

    Attributes:
        reason: Why nothing more is submitted; None while the run goes on.
        error: The error that led to it, if there was one.
        window: How many tasks may be outstanding.
    """

    def __init__(self, in_flight: int, max_failures: int) -> None:
        self.reason: Reason | None = None
        self.error: Exception | None = None
        self.window = SlowStart(in_flight)
        self._submissions = CircuitBreaker(max_failures, _UNKNOWN_SHARE)
        self._deliveries = CircuitBreaker(max_failures, _FAILED_SHARE)

    @property
    def stopping(self) -> bool:
        """Whether nothing more is to be submitted."""
        return self.reason is not None

    def stop(self, reason: Reason, error: Exception | None = None) -> None:
        """Submit nothing more. The first reason is the one that is reported."""
        if self.reason is None:
            self.reason, self.error = reason, error

    def interrupt(self, reason: Reason) -> None:
        """Stop the run for the user; this goes before any other reason."""
        self.reason, self.error = reason, None

    def answered(self) -> None:
        """Take in a submission that got a usable answer."""
        self._submissions.succeeded()

    def unanswered(self, error: Exception) -> None:
        """Take in a submission that became unknown."""
        if self._submissions.failed():
            self.stop("unknowns", error)

    def delivered(self) -> None:
        """Take in a job whose pictures are all saved."""
        self.window.succeeded()
        self._deliveries.succeeded()

    def undelivered(self, stage: Stage, error: Exception) -> None:
        """Take in a task of this run that failed, or whose pictures could not be saved."""
        self.window.failed()
        if self._deliveries.failed():
            self.stop(stage, error)
