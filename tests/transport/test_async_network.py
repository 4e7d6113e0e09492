"""The network, awaiting: with asyncio and trio each operation gets the same results and errors as when blocking."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest
from seedream._transport import async_network
from seedream._transport.async_network import AsyncBackend, AsyncStream, run_to_end
from seedream._transport.network import LONGEST, Call, Lookup, Wait

LIBRARIES = ["asyncio", "trio"]


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        yield ours, theirs


def fill(sock: socket.socket) -> None:
    try:
        while True:
            sock.send(bytes(65536))
    except BlockingIOError:
        return


def run(library: str, function: Any, *given: Any) -> Any:
    """Run a function with the library. Where a callback of asyncio raises, the loop ends: it would only be logged."""

    async def main() -> Any:
        if library == "asyncio":
            asyncio.get_running_loop().set_exception_handler(lambda loop, _: loop.stop())
        return await function(*given)

    return anyio.run(main, backend=library)


def steps(*waits: Any) -> Any:
    """An operation that asks for these steps and returns what came of each."""

    def operation() -> Any:
        results: list[Any] = []
        for step in waits:
            try:
                results.append((yield step))
            except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 -- whatever is thrown in
                results.append(type(error).__name__)
        return results

    return operation()


def soon(seconds: float = 0.02) -> float:
    return time.monotonic() + seconds


def later() -> float:
    return time.monotonic() + 60.0


# --- waiting ----------------------------------------------------------------------------------------------------------
def test_a_wait_ends_when_the_socket_is_ready(library: str, pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair

    async def main() -> Any:
        found = await async_network._arun(steps(Wait(ours, to_write=True, deadline=later())))
        async with anyio.create_task_group() as group:
            group.start_soon(send)
            found += await async_network._arun(steps(Wait(ours, to_write=False, deadline=later())))
        return found + await async_network._arun(steps(Wait(ours, to_write=False, deadline=soon(-1.0))))

    async def send() -> None:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        theirs.send(b"x")

    found = run(library, main)
    assert found[:2] == [None, None]
    assert found[2] in (None, "TimeoutError"), "what is there at the deadline may be read or not"


def test_a_wait_ends_at_its_deadline_with_the_error_of_a_blocking_one(
    library: str, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, _ = pair
    fill(ours)
    for to_write in (False, True):
        for deadline in (soon(), soon(-5.0), float("-inf")):
            wait = Wait(ours, to_write=to_write, deadline=deadline)
            assert run(library, async_network._arun, steps(wait)) == ["TimeoutError"]


def test_a_full_socket_is_waited_for_until_it_takes_more(
    library: str, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    fill(ours)

    async def main() -> Any:
        async with anyio.create_task_group() as group:
            group.start_soon(drain)
            return await async_network._arun(steps(Wait(ours, to_write=True, deadline=later())))

    async def drain() -> None:
        theirs.settimeout(0)
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        try:
            while theirs.recv(1_000_000):
                pass
        except BlockingIOError:
            pass

    assert run(library, main) == [None]


def test_a_wait_that_is_cancelled_leaves_nothing_behind(
    library: str, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair

    async def main() -> Any:
        with anyio.move_on_after(0.01) as scope:
            await async_network._wait(Wait(ours, to_write=False, deadline=later()))
        assert scope.cancelled_caught
        if library == "asyncio":
            assert asyncio.get_running_loop().remove_reader(ours.fileno()) is False, "nobody waits any more"
        theirs.send(b"x")
        return await async_network._arun(steps(Wait(ours, to_write=False, deadline=later())))

    assert run(library, main) == [None]


@pytest.mark.parametrize(
    ("deadline", "seconds"), [(5.0, 5.0), (-5.0, 0.0), (LONGEST + 9, LONGEST), (float("inf"), LONGEST)]
)
def test_a_wait_is_at_most_a_day_at_a_time(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch, deadline: float, seconds: float
) -> None:
    timers: list[float] = []
    handles: list[asyncio.TimerHandle] = []
    ours, theirs = pair

    async def main() -> None:
        loop = asyncio.get_running_loop()
        real = loop.call_later

        def call_later(delay: float, *given: Any, **options: Any) -> Any:
            timers.append(delay)
            theirs.send(b"x")
            handles.append(real(delay, *given, **options))
            return handles[0]

        monkeypatch.setattr(loop, "call_later", call_later)
        await async_network._arun(steps(Wait(ours, to_write=False, deadline=time.monotonic() + deadline)))

    run("asyncio", main)
    assert timers == [pytest.approx(seconds, abs=0.5)]
    assert handles[0].cancelled() or seconds == 0.0


@pytest.mark.parametrize(
    ("deadline", "seconds"), [(5.0, 5.0), (0.3, 0.3), (-5.0, 0.0), (LONGEST + 9, LONGEST), (float("inf"), LONGEST)]
)
def test_with_trio_too(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch, deadline: float, seconds: float
) -> None:
    limits: list[float] = []
    real = anyio.fail_after

    def fail_after(delay: float) -> Any:
        limits.append(delay)
        return real(60.0)

    monkeypatch.setattr(anyio, "fail_after", fail_after)
    ours, _ = pair
    run("trio", async_network._wait, Wait(ours, to_write=True, deadline=time.monotonic() + deadline))
    assert limits == [pytest.approx(seconds, abs=0.25)]


def test_a_socket_that_is_ready_needs_no_timer_and_lets_others_run(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    ours, _ = pair

    async def main() -> None:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_later", lambda *_: order.append("timer"))
        loop.call_soon(order.append, "another")
        await async_network._wait(Wait(ours, to_write=True, deadline=later()))
        order.append("ready")

    run("asyncio", main)
    assert order == ["another", "ready"]


def test_what_comes_after_the_end_of_a_wait_changes_nothing() -> None:
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        async_network._wake(future)
        async_network._expire(future)
        async_network._wake(future)
        assert future.result() is None
        future = asyncio.get_running_loop().create_future()
        async_network._expire(future)
        async_network._wake(future)
        assert type(future.exception()) is TimeoutError

    run("asyncio", main)


# --- blocking calls ---------------------------------------------------------------------------------------------------
def test_calls_run_in_a_thread_and_their_errors_are_thrown_in(library: str) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    def failing() -> None:
        raise KeyError

    here = threading.get_ident()
    calls = [Call(lambda: threading.get_ident() != here), Call(failing)]
    assert run(library, async_network._arun, steps(*calls)) == [True, "KeyError"]
    if library == "asyncio":
        assert run(library, async_network._arun, steps(Call(interrupted))) == ["KeyboardInterrupt"]


def test_an_error_that_the_operation_does_not_catch_comes_out(library: str) -> None:
    def operation() -> Any:
        yield Call(lambda: None)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(library, async_network._arun, operation())


def test_a_call_ends_before_its_caller_is_cancelled(library: str) -> None:
    ended = threading.Event()
    order: list[str] = []

    def work() -> str:
        anyio.from_thread.run_sync(begun.set)
        assert ended.wait(20)
        order.append("work")
        return "result"

    begun: Any = None

    async def main() -> None:
        nonlocal begun
        begun = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(caller)
            await begun.wait()
            group.cancel_scope.cancel()
            threading.Timer(0.02, ended.set).start()

    async def caller() -> None:
        try:
            order.append(await run_to_end(work))
        finally:
            order.append("caller")

    run(library, main)
    assert order == ["work", "result", "caller"]


def test_a_call_is_made_although_its_task_is_cancelled(library: str) -> None:
    """A journal hears of what happened, and a partial file is removed."""
    made: list[str] = []

    async def main() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            made.append(await run_to_end(lambda: "result"))

    run(library, main)
    assert made == ["result"]


def test_asyncio_s_own_cancellation_waits_for_the_call_too() -> None:
    begun: Any = None
    go_on = threading.Event()
    order: list[str] = []

    def work() -> None:
        anyio.from_thread.run_sync(begun.set)
        assert go_on.wait(20)
        order.append("work")

    async def main() -> None:
        nonlocal begun
        begun = anyio.Event()
        task = asyncio.create_task(run_to_end(work))
        await begun.wait()
        threading.Timer(0.02, go_on.set).start()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        order.append("cancelled")

    asyncio.run(main())
    assert order == ["work", "cancelled"]


def test_a_call_that_is_cancelled_before_it_begins_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    works: list[Any] = []
    made: list[int] = []

    async def cancelled(work: Any) -> None:
        works.append(work)
        raise asyncio.CancelledError

    monkeypatch.setattr(anyio.to_thread, "run_sync", cancelled)

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await run_to_end(lambda: made.append(1))

    asyncio.run(main())
    with pytest.raises(RuntimeError, match="given up before it began"):
        works[0]()
    assert made == []


@pytest.mark.parametrize("message", ["can't start new thread", "another error"])
def test_where_there_are_no_more_threads_the_call_is_made_here(
    library: str, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    async def none(*_: Any, **__: Any) -> None:
        await anyio.lowlevel.checkpoint()
        raise RuntimeError(message)

    monkeypatch.setattr(anyio.to_thread, "run_sync", none)
    here = threading.get_ident()
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *given, **options: [given, options, threading.get_ident() == here]
    )
    steps_ = [Call(lambda: threading.get_ident() == here), Lookup("a.example", 443, later())]
    found = run(library, async_network._arun, steps(*steps_))
    if message == "another error":
        assert found == ["RuntimeError", "RuntimeError"]
    else:
        assert found == [True, [("a.example", 443), {"type": socket.SOCK_STREAM}, True]]


def test_an_error_of_a_call_that_sounds_like_a_lack_of_threads_is_its_own(library: str) -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        raise RuntimeError("can't start new thread")

    assert run(library, async_network._arun, steps(Call(work))) == ["RuntimeError"]
    assert calls == [1]


# --- names ------------------------------------------------------------------------------------------------------------
def test_a_name_is_looked_up_in_a_thread(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = threading.get_ident()

    def look_up(*given: Any, **options: Any) -> Any:
        return given, options, threading.get_ident() != here

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    found = run(library, async_network._arun, steps(Lookup("a.example", 443, later())))
    assert found == [(("a.example", 443), {"type": socket.SOCK_STREAM}, True)]


def test_a_look_up_that_hangs_ends_at_its_deadline(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: go_on.wait(20))
    began = time.monotonic()
    try:
        assert run(library, async_network._arun, steps(Lookup("a.example", 443, soon(0.05)))) == ["TimeoutError"]
        assert time.monotonic() - began < 15
        assert run(library, async_network._arun, steps(Lookup("a.example", 443, soon(-5)))) == ["TimeoutError"]
    finally:
        go_on.set()


def test_look_ups_have_threads_of_their_own(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one that hangs leaves the threads of files and journals free, and all of a program share the number."""
    limiters: list[Any] = []
    real = anyio.to_thread.run_sync

    async def noted(work: Any, **options: Any) -> Any:
        limiters.append((options["limiter"], options["abandon_on_cancel"]))
        return await real(work, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", noted)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])

    async def main() -> Any:
        for _ in range(2):
            await async_network._look_up("a.example", 443, later())
        return anyio.to_thread.current_default_thread_limiter()

    default = run(library, main)
    (first, abandoned), (second, _) = limiters
    assert first is second
    assert (first is default, first.total_tokens, abandoned) == (False, 32, True)


# --- what httpcore sees -----------------------------------------------------------------------------------------------
def operation(asked: list[Any], *given: Any, result: Any = None) -> Any:
    asked.append(given)
    yield Call(lambda: None)
    return result


def test_a_stream_passes_everything_on(library: str) -> None:
    asked: list[Any] = []
    connection: Any = SimpleNamespace(
        read=lambda: operation(asked, "read", result=b"data"),
        write=lambda data: operation(asked, "write", data),
        start_tls=lambda context, name: operation(asked, "start_tls", context, name),
        close=lambda: asked.append(("close",)),
        info=lambda name: f"info {name}",
    )
    context: Any = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    async def main() -> None:
        stream: Any = AsyncStream(connection)
        assert await stream.read(9) == b"data"
        await stream.write(b"request")
        assert await stream.start_tls(context, "a.example", 5.0) is stream
        await stream.aclose()
        assert stream.get_extra_info("socket") == "info socket"

    run(library, main)
    assert asked == [("read",), ("write", b"request"), ("start_tls", context, "a.example"), ("close",)]


@pytest.mark.parametrize("options", [None, [(1, 2, 3)]])
def test_a_backend_connects_and_remembers_it(library: str, monkeypatch: pytest.MonkeyPatch, options: Any) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(async_network, "connect", lambda *given: operation(asked, *given, result="the connection"))

    async def main() -> None:
        backend: Any = AsyncBackend()
        stream: Any = await backend.connect_tcp("a.example", 443, timeout=5.0, socket_options=options)
        assert (type(stream), stream.connection, backend.connection) == (
            AsyncStream,
            "the connection",
            "the connection",
        )

    run(library, main)
    assert asked == [("a.example", 443, options or ())]
