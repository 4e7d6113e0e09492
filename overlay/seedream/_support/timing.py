"""Time limits of an exchange, and the clock, which tests replace."""

import time
from typing import Literal, Protocol

from attrs import frozen

RequestKind = Literal["submit", "query", "download"]


@frozen
class Timeouts:
    """Seconds for each phase of an exchange. A submission may take long to answer; nothing waits for ever."""

    connect: float = 10.0
    write: float = 60.0
    submit_read: float = 180.0
    query_read: float = 30.0
    download_read: float = 60.0

    def read(self, kind: RequestKind) -> float:
        """Return the seconds for the reply to a request of this kind."""
        return {"submit": self.submit_read, "query": self.query_read, "download": self.download_read}[kind]

    def total(self, kind: RequestKind, most: float | None = None) -> float:
        """Return the seconds for a whole exchange of this kind, not above ``most``."""
        longest = self.connect + self.write + self.read(kind)
        return longest if most is None else min(most, longest)


class Clock(Protocol):
    """Time, to be replaced in tests."""

    def monotonic(self) -> float: ...
    def time(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...
    async def async_sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def async_sleep(self, seconds: float) -> None:
        import anyio  # noqa: PLC0415 -- the blocking client never needs it

        await anyio.sleep(seconds)
