"""Effects that a workflow asks for; drivers.py has the functions that run a workflow.

A workflow is a generator: it yields effects and receives their results. It does no I/O, reads no clock and knows
nothing of ``async``; so it is written once and run by ``run_sync`` or ``run_async``. What can go wrong on the network
comes back as a ``Failure`` (a value that says how far the request got), never as the HTTP library's exception.

Most classes here are made without comparison and ``repr``, which nobody needs, would show secrets, and take half the
time that it takes to make a class.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from attrs import field, frozen

from seedream._request.encode import Body
from seedream._support.timing import RequestKind
from seedream.errors import Phase

T = TypeVar("T")


@frozen(eq=False, repr=False)
class Request:
    """An HTTP request in plain data. It can be sent again: its body gives the same bytes each time."""

    method: str
    url: str
    headers: Mapping[str, str] = field(factory=dict)
    body: Body | None = None


@frozen(eq=False)
class Reply:
    """A whole reply: status, headers (names in lower case), body (at most the cap, decoded)."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@frozen(eq=False)
class Failure:
    """No whole reply came.

    Attributes:
        phase: How far the request got; ``never_sent`` means that not one byte of it left.
        kind: Name of the HTTP library's exception class, for people.
        text: What it said, without credentials.
        reply: What had come of a reply, if it had begun.
        tls: Whether TLS was refused: a set-up fault or an attack, not worth a retry.
    """

    phase: Phase
    kind: str
    text: str
    reply: Reply | None = None
    tls: bool = False


class Stream(Protocol):
    """The head of a reply whose body is still to be read."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    def abort(self) -> None:
        """Break the connection, from any thread; a read that is waiting ends."""


@frozen(eq=False, repr=False)
class _Effect(Generic[T]):
    """An effect with a result of type T: ``chunk = yield from Read(stream)``."""

    def __iter__(self) -> "Generator[Effect, Any, T]":
        return cast("T", (yield cast("Effect", self)))


@frozen(eq=False, repr=False)
class SendRequest(_Effect["Stream | Failure"]):
    """Send a request and read the reply's head. Gives a Stream, which must be closed, or a Failure.

    Attributes:
        before_send: Called before the first byte of the request leaves; if it raises, nothing is sent.
        total_timeout: Upper bound (seconds) for the whole exchange.
        public_only: Refuse a peer whose address is not on the public network, before a byte is sent.
        before_send_blocks: Whether an async transport calls ``before_send`` in a thread.
    """

    request: Request
    kind: RequestKind
    before_send: Callable[[], None] | None = None
    total_timeout: float | None = None
    public_only: bool = False
    before_send_blocks: bool = True


@frozen(eq=False, repr=False)
class Read(_Effect["bytes | Failure"]):
    """Read the stream's next bytes as they came (no decoding). Gives bytes, empty at the end, or a Failure."""

    stream: Stream


@frozen(eq=False, repr=False)
class Close(_Effect[None]):
    """Close a stream."""

    stream: Stream


@frozen(eq=False, repr=False)
class Sleep(_Effect[None]):
    """Wait so many seconds."""

    seconds: float


@frozen(eq=False, repr=False)
class ReadClock(_Effect[float]):
    """Read the monotonic clock (seconds)."""


@frozen(eq=False, repr=False)
class RunInThread(_Effect[T]):
    """Run a short blocking call (a file, a journal); a thread runs it where the driver is async. Gives its result."""

    call: Callable[[], T]


@frozen(eq=False, repr=False)
class Notify(_Effect[None]):
    """Call a callback of the user's, and await what it returns where the driver is async."""

    callback: Callable[[Any], Any]
    event: Any


@frozen(eq=False, repr=False)
class InParallel(_Effect[list[T]], Generic[T]):
    """Run at most ``limit`` workflows at the same time. Gives their results in order; an exception of one stops all."""

    workflows: "Sequence[Workflow[T]]"
    limit: int


Effect = SendRequest | Read | Close | Sleep | ReadClock | RunInThread[Any] | Notify | InParallel[Any]
Workflow = Generator[Effect, Any, T]


def notify(callback: Callable[[Any], Any] | None, event: Any) -> Workflow[None]:
    """Call the callback, if there is one."""
    if callback is not None:
        yield Notify(callback, event)


class IO(Protocol):
    """Carries out effects by blocking, for `run_sync`."""

    def perform(self, effect: Effect) -> Any: ...


class AsyncIO(Protocol):
    """Carries out effects asynchronously, for `run_async`."""

    async def perform(self, effect: Effect) -> Any: ...
