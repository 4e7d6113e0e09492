"""Time limits of an exchange, and the clock, which tests replace."""

import time
from typing import Any, Literal, Protocol, runtime_checkable

from attrs import field, frozen

from seedream.errors import ConfigError

RequestKind = Literal["submit", "query", "download"]


def positive(instance: object, attribute: Any, value: object) -> None:
    """Validate an attrs field: a positive number of seconds."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        message = f"{type(instance).__name__}: {attribute.name} is not a positive number of seconds"
        raise ConfigError(message, hint="Give seconds, for example 30.")


@frozen
class Timeouts:
    """Seconds for each phase of an exchange. They limit stalls: what moves may take as long as it needs.

    Attributes:
        connect: For name look-up, connection, proxy and TLS handshake together.
        write: Without a byte of the request leaving.
        submit_read: For the whole reply to a submission, from the end of the request.
        query_read: For the whole reply to a query or deletion, from the end of the request.
        download_read: Without a byte of the picture arriving.
    """

    connect: float = field(default=10.0, validator=positive)
    write: float = field(default=60.0, validator=positive)
    submit_read: float = field(default=180.0, validator=positive)
    query_read: float = field(default=30.0, validator=positive)
    download_read: float = field(default=60.0, validator=positive)

    def read(self, kind: RequestKind) -> float:
        """Return the seconds for the reply to a request of this kind."""
        return {"submit": self.submit_read, "query": self.query_read, "download": self.download_read}[kind]

    def total(self, kind: RequestKind, most: float | None = None) -> float:
        """Return the seconds for a whole exchange of this kind, not above ``most``."""
        longest = self.connect + self.write + self.read(kind)
        return longest if most is None else min(most, longest)


@runtime_checkable
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
