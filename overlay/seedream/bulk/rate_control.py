"""How fast to submit: an even rate, a window that shrinks when the service says 429, and a breaker.

Nothing here waits or reads a clock of its own.
"""

from collections.abc import Callable
from typing import Final

from attrs import define, field

Monotonic = Callable[[], float]
_IN_A_ROW: Final = 3  # unknowns in a row that stop a run
_SHARE: Final = 0.01  # or this share of them
_SAMPLE: Final = 100  # of at least so many submissions


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
        """Take the next place; gives the seconds until it."""
        now = self.clock()
        start = max(now, self._next)
        self._next = start + (1 / self.rate if self.rate else 0.0)
        return start - now

    def pause_for(self, seconds: float) -> None:
        """Nobody starts before so many seconds have passed."""
        self._next = max(self._next, self.clock() + seconds)


@define
class AdaptiveConcurrency:
    """How many submissions may be on the way: one more after as many successes, half after a refusal for haste.

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
        """A submission starts; gives its number."""
        self._started += 1
        return self._started

    def succeeded(self) -> None:
        """One got through."""
        self._good += 1
        if self._good >= self.size and self.size < self.most:
            self.size, self._good = self.size + 1, 0

    def refused(self, number: int) -> None:
        """One was refused for haste. Those that had started before the last cut do not count again."""
        if number > self._shrunk:
            self.size, self._good, self._shrunk = max(1, self.size // 2), 0, self._started


@define
class CircuitBreaker:
    """Stops a run that would only cost money.

    Attributes:
        clock: Monotonic seconds.
        patience: Seconds without any success after which haste or a dead network stops the run.
    """

    clock: Monotonic
    patience: float
    _row: int = 0
    _unknown: int = 0
    _all: int = 0
    _since: float | None = None
    _pauses: int = 0

    def succeeded(self) -> None:
        """A submission was accepted, or clearly refused for its own sake."""
        self._all += 1
        self._row = self._pauses = 0
        self._since = None

    def unknown(self) -> bool:
        """A submission became unknown; True: stop."""
        self._all += 1
        self._row += 1
        self._unknown += 1
        return self._row >= _IN_A_ROW or (self._all >= _SAMPLE and self._unknown > _SHARE * self._all)

    def stuck(self) -> bool:
        """A submission did not get through; True: none has for too long."""
        now = self.clock()
        self._pauses += 1
        if self._since is None:
            self._since = now
        return now - self._since > self.patience

    @property
    def pauses(self) -> int:
        """How many did not get through since the last one that did."""
        return self._pauses
