"""Workflows run at the same time: in order, not more than asked, and one that fails stops the others."""

import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from seedream._protocol.drivers import run_async, run_sync
from seedream._protocol.effects import (
    Close,
    Failure,
    InParallel,
    Notify,
    Read,
    ReadClock,
    Request,
    RunInThread,
    SendRequest,
    Sleep,
    Workflow,
)
from support.clients import Both
from support.workflows import Head, ScriptedIO, scripted


class AwaitingIO:
    """Carries out the effects of a ScriptedIO, awaiting; each lets other tasks run first."""

    def __init__(self, io: ScriptedIO) -> None:
        self._io = io

    async def perform(self, effect: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        return self._io.perform(effect)


def run(both: Both, workflow: Any, io: ScriptedIO) -> Any:
    arun: Any = anyio.run
    return run_sync(workflow, io) if both.kind == "sync" else arun(run_async, workflow, AwaitingIO(io))


def in_parallel(workflows: list[Any], limit: int) -> Workflow[Any]:
    return (yield from InParallel(workflows, limit))


def step(value: Any) -> Workflow[Any]:
    yield from ReadClock()
    return value


def failing(error: BaseException) -> Workflow[Any]:
    yield from ReadClock()
    raise error


@pytest.mark.parametrize("number", [0, 1, 2, 7])
@pytest.mark.parametrize("limit", [1, 2, 9])
def test_results_come_in_the_order_of_the_workflows(both: Both, number: int, limit: int) -> None:
    results = run(both, in_parallel([step(value) for value in range(number)], limit), scripted())
    assert results == list(range(number))


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("limit", [1, 2])
def test_an_exception_comes_out_as_itself(both: Both, error: BaseException, limit: int) -> None:
    if both.kind == "async" and isinstance(error, KeyboardInterrupt):
        return  # it ends the event loop, in tasks as elsewhere
    with pytest.raises(type(error)) as caught:
        run(both, in_parallel([step(1), failing(error), step(2)], limit), scripted())
    assert caught.value is error


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_no_more_run_than_the_limit(both: Both, limit: int) -> None:
    now, most, lock = [0], [0], threading.Lock()
    together = threading.Barrier(limit)

    def count(by: int) -> None:
        with lock:
            now[0] += by
            most[0] = max(most[0], now[0])

    def work() -> Workflow[Any]:
        yield from RunInThread(lambda: count(1))
        if both.kind == "sync":
            together.wait(20)
        yield from ReadClock()
        yield from ReadClock()
        yield from RunInThread(lambda: count(-1))

    run(both, in_parallel([work() for _ in range(6)], limit), scripted())
    assert (most, now) == ([limit], [0])


def test_a_workflow_alone_or_one_at_a_time_runs_in_the_calling_thread() -> None:
    def work(names: list[str]) -> Workflow[Any]:
        yield from RunInThread(lambda: names.append(threading.current_thread().name))

    names: list[str] = []
    here = threading.current_thread().name
    run_sync(in_parallel([work(names)], 4), scripted())
    run_sync(in_parallel([work(names), work(names)], 1), scripted())
    assert names == [here] * 3
    names.clear()
    run_sync(in_parallel([work(names) for _ in range(4)], 4), scripted())
    assert set(names) <= {f"seedream-{number}" for number in range(4)}


def test_threads_let_a_program_end(monkeypatch: pytest.MonkeyPatch) -> None:
    daemons: list[bool] = []
    start = threading.Thread.start

    def noted(thread: threading.Thread) -> None:
        daemons.append(thread.daemon)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", noted)
    run_sync(in_parallel([step(1), step(2)], 2), scripted())
    assert daemons == [True, True]


class Stalled(Head):
    """A reply whose first read waits until it is aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.ended = threading.Event(), threading.Event()

    def abort(self) -> None:
        super().abort()
        self.ended.set()


class Waiting(ScriptedIO):
    def perform(self, effect: Any) -> Any:
        if isinstance(effect, Read) and isinstance(effect.stream, Stalled):
            effect.stream.begun.set()
            assert effect.stream.ended.wait(20)
        return super().perform(effect)


def reading(ends: list[str], *, then: Callable[[], None] | None = None) -> Workflow[Any]:
    """Open a stream and read it; note how that ends."""
    stream: Any = yield from SendRequest(Request("GET", "https://x"), "download")
    try:
        yield from Read(stream)
        yield from Sleep(1.0)
        ends.append("went on")
    except BaseException as error:
        ends.append(type(error).__name__)
        raise
    finally:
        yield from Close(stream)
        if then is not None:
            then()


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()], ids=repr)
def test_a_failure_ends_reads_that_wait_and_each_workflow_cleans_up(error: BaseException) -> None:
    def fails() -> Workflow[Any]:
        yield from ReadClock()
        assert all(stream.begun.wait(20) for stream in streams)
        raise error

    streams = [Stalled(), Stalled()]
    io = Waiting([*streams, streams[-1]])
    ends: list[str] = []
    with pytest.raises(type(error)) as caught:
        run_sync(in_parallel([reading(ends), reading(ends), fails(), step("never begun")], 3), io)
    assert caught.value is error
    assert ends == ["_Stopped", "_Stopped"]
    assert (io.closed == streams or io.closed == streams[::-1], io.slept) == (True, [])
    assert all(stream.aborted for stream in streams)


def test_an_interruption_of_the_caller_stops_all(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []
    join = threading.Thread.join

    def interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        waits.append(timeout)
        if len(waits) == 1:
            assert streams[0].begun.wait(20)
            raise KeyboardInterrupt
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    streams = [Stalled()]
    io = Waiting([*streams])
    ends: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run_sync(in_parallel([reading(ends), step(1)], 2), io)
    assert (ends, io.closed, streams[0].aborted > 0) == (["_Stopped"], streams, True)
    assert waits[0] == 0.5, "a wait without a limit hides Ctrl-C on Windows"


def test_a_stream_that_was_closed_is_not_aborted() -> None:
    opened = Head(200, {}, [b"x"])
    closed = threading.Event()

    def fails() -> Workflow[Any]:
        yield from ReadClock()
        assert closed.wait(20)
        raise ValueError("a fault")

    ends: list[str] = []
    io = ScriptedIO([opened])
    with pytest.raises(ValueError, match="a fault"):
        run_sync(in_parallel([reading(ends, then=closed.set), fails()], 2), io)
    assert (ends, opened.aborted, io.slept) == (["went on"], 0, [1.0])


def test_a_request_without_a_reply_is_nothing_to_abort() -> None:
    unreachable = threading.Event()

    def sends() -> Workflow[Any]:
        assert isinstance((yield from SendRequest(Request("GET", "https://x"), "download")), Failure)
        unreachable.set()

    def fails() -> Workflow[Any]:
        yield from ReadClock()
        assert unreachable.wait(20)
        raise ValueError("a fault")

    io = scripted(Failure("never_sent", "ConnectError", "no route"))
    with pytest.raises(ValueError, match="a fault"):
        run_sync(in_parallel([sends(), fails()], 2), io)


def test_callbacks_are_called_one_at_a_time() -> None:
    inside, together = threading.Lock(), threading.Barrier(3)
    seen: list[int] = []

    def callback(number: int) -> None:
        assert inside.acquire(blocking=False)
        seen.append(number)
        inside.release()

    def work(number: int) -> Workflow[Any]:
        yield from ReadClock()
        together.wait(20)
        for _ in range(50):
            yield from Notify(callback, number)

    run_sync(in_parallel([work(number) for number in range(3)], 3), scripted())
    assert sorted(seen) == [0] * 50 + [1] * 50 + [2] * 50


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_coroutine_callbacks_are_awaited_one_at_a_time(limit: int) -> None:
    class Awaiting(AwaitingIO):
        async def perform(self, effect: Any) -> Any:
            return await effect.callback(effect.event) if isinstance(effect, Notify) else await super().perform(effect)

    inside, seen = threading.Lock(), list[int]()

    async def callback(number: int) -> None:
        assert inside.acquire(blocking=False)
        for _ in range(5):  # as one that sleeps or sends
            await anyio.lowlevel.checkpoint()
        seen.append(number)
        inside.release()

    def work(number: int) -> Workflow[Any]:
        for _ in range(10):
            yield from Notify(callback, number)

    arun: Any = anyio.run
    arun(run_async, in_parallel([work(number) for number in range(4)], limit), Awaiting(scripted()))
    assert sorted(seen) == sorted(list(range(4)) * 10)


def test_a_task_that_fails_cancels_the_others() -> None:
    ends: list[str] = []

    def waits() -> Workflow[Any]:
        try:
            while True:
                yield from ReadClock()
        except BaseException as error:
            ends.append(type(error).__name__)
            raise

    with pytest.raises(ValueError, match="x"):
        run(Both("async"), in_parallel([waits(), failing(ValueError("x"))], 2), scripted())
    assert ends == ["CancelledError"]


def test_an_exception_of_an_effect_is_thrown_into_the_workflow(both: Both) -> None:
    def work() -> Workflow[Any]:
        try:
            yield from SendRequest(Request("GET", "https://x"), "query")
        except KeyError:
            return (yield from ReadClock())

    assert run(both, work(), scripted(KeyError("x"))) == 1000.0
