"""Time as the sandbox sees it, replaceable in tests."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What the sandbox needs of a clock."""

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        ...

    def wait(self, seconds: float) -> float:
        """Let time pass: returns how many seconds the caller must really sleep."""
        ...


class SystemClock:
    """The machine's clock."""

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    def wait(self, seconds: float) -> float:
        """All of it is slept."""
        return max(seconds, 0.0)


class ManualClock:
    """A clock that moves only when told, or when a fault delays: then without sleeping.

    Args:
        start: Seconds since 1970, UTC.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._lock = threading.Lock()

    def time(self) -> float:
        """Seconds since 1970, UTC."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> None:
        """Move forward."""
        with self._lock:
            self._now += seconds

    def wait(self, seconds: float) -> float:
        """Nothing is slept: the clock moves."""
        self.advance(seconds)
        return 0.0
