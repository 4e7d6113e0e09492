"""Steps of a workflow, and the two drivers that run one.

A workflow is a generator: it yields steps and receives their results. It does no I/O, reads no clock and knows
nothing of ``async``; so it is written once and run by ``run`` or ``arun``. What can go wrong on the network comes
back as a ``Failure`` (a value, with how far the request got), never as the HTTP library's exception.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any, Literal, Protocol, TypeVar, cast

from attrs import field, frozen

from seedream.errors import Phase

T = TypeVar("T")
Channel = Literal["submit", "query", "download"]


@frozen
class Request:
    """An HTTP request in plain data; ``arguments`` go to the HTTP library's ``build_request`` as they are.

    They are made anew for each attempt, so a body can be sent again.
    """

    method: str
    url: str = field(repr=False)
    arguments: Callable[[], Mapping[str, Any]] = field(default=dict, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)


@frozen
class Reply:
    """A whole reply: status, headers (names in lower case), body (at most the cap, decoded)."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@frozen
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


@frozen
class Open:
    """Send a request and read the reply's head: gives a Stream or Failure. Each opened stream must be closed.

    Attributes:
        barrier: Called once the connection stands and before the first byte of the request leaves. If it raises,
            nothing is sent and its exception comes out of the step.
        within: Upper bound (seconds) of each of the exchange's timeouts.
        public_only: Refuse a peer whose address is not on the public network, before a byte is sent.
    """

    request: Request
    channel: Channel
    barrier: Callable[[], None] | None = field(default=None, repr=False)
    within: float | None = None
    public_only: bool = False


@frozen
class Read:
    """The stream's next bytes as they came (no decoding): gives bytes, empty at the end, or Failure."""

    stream: "Stream"


@frozen
class Close:
    """Close a stream. Gives None."""

    stream: "Stream"


@frozen
class Sleep:
    """Wait so many seconds. Gives None."""

    seconds: float


@frozen
class Now:
    """Gives the monotonic clock (seconds)."""


@frozen
class Blocking:
    """Run a short blocking call (a file, a journal), in a thread where the driver is async. Gives its result."""

    call: Callable[[], Any]


class Stream(Protocol):
    """The head of a reply whose body is still to be read."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def handle(self) -> Any:
        """What the driver needs to read on and to close."""


Step = Open | Read | Close | Sleep | Now | Blocking
Flow = Generator[Step, Any, T]


# One typed door a step: ``chunk = yield from read(stream)``.
def open_stream(
    request: Request,
    channel: Channel,
    *,
    barrier: Callable[[], None] | None = None,
    within: float | None = None,
    public_only: bool = False,
) -> Flow[Stream | Failure]:
    return cast("Stream | Failure", (yield Open(request, channel, barrier, within, public_only)))


def read(stream: Stream) -> Flow[bytes | Failure]:
    return cast("bytes | Failure", (yield Read(stream)))


def close(stream: Stream) -> Flow[None]:
    yield Close(stream)


def sleep(seconds: float) -> Flow[None]:
    yield Sleep(seconds)


def now() -> Flow[float]:
    return cast("float", (yield Now()))


def blocking(call: Callable[[], T]) -> Flow[T]:
    return cast("T", (yield Blocking(call)))


class IO(Protocol):
    """Carries out steps."""

    def perform(self, step: Step) -> Any: ...


class AsyncIO(Protocol):
    """Carries out steps, awaiting."""

    async def perform(self, step: Step) -> Any: ...


def run(flow: Flow[T], io: IO) -> T:
    """Run a workflow to its end. Exceptions of a step are thrown into it, so that it can clean up."""
    try:
        step = next(flow)
        while True:
            try:
                result = io.perform(step)
            except BaseException as error:  # noqa: BLE001 -- Ctrl-C too: the workflow records, then it goes on up
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as end:
        return cast("T", end.value)


async def arun(flow: Flow[T], io: AsyncIO) -> T:
    """The same, awaiting."""
    try:
        step = next(flow)
        while True:
            try:
                result = await io.perform(step)
            except BaseException as error:  # noqa: BLE001 -- cancellation too
                step = flow.throw(error)
            else:
                step = flow.send(result)
    except StopIteration as end:
        return cast("T", end.value)
