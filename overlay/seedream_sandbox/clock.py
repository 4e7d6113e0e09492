"""Time as the sandbox sees it, replaceable in tests."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What the sandbox needs of a clock."""

    def time(self) -> float:
        """Return seconds since 1970, UTC."""
        ...

    def wait(self, seconds: float) -> float:
        """Let time pass; return how many seconds the caller must really sleep."""
        ...


class SystemClock:
    """The machine's clock."""

    def time(self) -> float:
        """Return seconds since 1970, UTC."""
        return time.time()

    def wait(self, seconds: float) -> float:
        """Return the whole duration: the caller sleeps all of it."""
        return max(seconds, 0.0)


class ManualClock:
    """A clock that moves only by ``advance``, or when a fault delays a reply; nothing sleeps.

    Args:
        start: Seconds since 1970, UTC.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._lock = threading.Lock()

    def time(self) -> float:
        """Return seconds since 1970, UTC."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        with self._lock:
            self._now += seconds

    def wait(self, seconds: float) -> float:
        """Move the clock forward instead of sleeping."""
        self.advance(seconds)
        return 0.0
