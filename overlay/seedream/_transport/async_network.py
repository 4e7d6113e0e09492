"""The network of network.py, awaiting: with asyncio or trio. Only the async client loads it, and asyncio with it."""

# ruff: noqa: ARG002 -- httpcore passes seconds to each call; here the exchange knows its deadlines

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, TypeVar

import anyio
import anyio.to_thread
import httpcore
from anyio.lowlevel import RunVar

from seedream._support.threads import lacks_threads
from seedream._transport.network import LONGEST, Call, Connection, Lookup, Operation, Wait, connect, is_ready

T = TypeVar("T")


async def run_to_end(call: Callable[[], T]) -> T:
    """Run a blocking call in a thread, or here where the machine gives no more threads, to its end whatever happens.

    asyncio's own ``cancel()`` (``timeout``, ``wait_for``) goes through anyio's shields; the call must not go on unseen.
    """
    claim, ended = threading.Lock(), threading.Event()

    def work() -> T:
        if not claim.acquire(blocking=False):
            raise RuntimeError("given up before it began")
        try:
            return call()
        finally:
            ended.set()

    with anyio.CancelScope(shield=True):
        try:
            return await anyio.to_thread.run_sync(work)
        except BaseException as error:
            if not claim.acquire(blocking=False):
                ended.wait()
                raise
            if not lacks_threads(error):
                raise
        return call()
    raise AssertionError("a shield lets every end through")


async def _wait(wait: Wait) -> None:
    seconds = wait.deadline - time.monotonic()
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        import trio  # noqa: PLC0415 -- the caller runs in it

        with anyio.fail_after(min(max(seconds, 0), LONGEST)):  # trio's own raises an error that is no TimeoutError
            await (trio.lowlevel.wait_writable if wait.to_write else trio.lowlevel.wait_readable)(wait.sock)
        return
    if is_ready(wait.sock, to_write=wait.to_write, seconds=0):
        await asyncio.sleep(0)
        return
    ready = loop.create_future()
    fd = wait.sock.fileno()
    add, remove = (loop.add_writer, loop.remove_writer) if wait.to_write else (loop.add_reader, loop.remove_reader)
    add(fd, _wake, ready)
    timer = loop.call_later(min(max(seconds, 0), LONGEST), _expire, ready)
    try:
        await ready
    finally:
        timer.cancel()
        remove(fd)


def _wake(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)


def _expire(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_exception(TimeoutError())


_lookups: Final[RunVar[anyio.CapacityLimiter]] = RunVar("lookups")
_MOST_LOOKUPS: Final = 32  # at most so many at once, so that a lookup that hangs leaves threads for files and journals


async def _look_up(host: str, port: int, deadline: float) -> Any:
    limiter = _lookups.get(None) or anyio.CapacityLimiter(_MOST_LOOKUPS)
    _lookups.set(limiter)
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        with anyio.fail_after(max(deadline - time.monotonic(), 0)):
            return await anyio.to_thread.run_sync(look_up, abandon_on_cancel=True, limiter=limiter)
    except RuntimeError as error:
        if not lacks_threads(error):
            raise
    return look_up()


async def _arun(operation: Operation[T]) -> T:
    try:
        step = next(operation)
        while True:
            try:
                match step:
                    case Wait():
                        await _wait(step)
                        result: Any = None
                    case Call(function):
                        result = await run_to_end(function)
                    case Lookup(host, port, deadline):
                        result = await _look_up(host, port, deadline)
            except BaseException as error:  # noqa: BLE001 -- the operation says what it means; a cancellation too
                step = operation.throw(error)
            else:
                step = operation.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # the generator's result


class AsyncStream(httpcore.AsyncNetworkStream):
    """A connection, awaiting."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await _arun(self.connection.read())

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await _arun(self.connection.write(buffer))

    async def aclose(self) -> None:
        self.connection.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        await _arun(self.connection.start_tls(ssl_context, server_hostname))
        return self

    def get_extra_info(self, info: str) -> Any:
        return self.connection.info(info)


class AsyncBackend(httpcore.AsyncNetworkBackend):
    """Connects, awaiting. It remembers its last connection, which can be closed without its event loop."""

    connection: Connection | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connection = await _arun(connect(host, port, socket_options or ()))
        return AsyncStream(self.connection)
