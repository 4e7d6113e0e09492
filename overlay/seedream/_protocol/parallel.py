"""Runs several workflows at the same time, in threads or in tasks."""

import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from attrs import define, field

from seedream._protocol.effects import IO, AsyncIO, Close, Effect, Notify, SendRequest, Stream, Workflow


class _Stopped(BaseException):
    """Thrown into a workflow that is to clean up and end, because another one failed."""


@define
class _Group:
    """What the threads of one effect share: work, results, and whether they are to stop."""

    io: IO
    run: Callable[[Workflow[Any], IO], Any]
    left: deque[tuple[int, Workflow[Any]]]
    results: dict[int, Any] = field(factory=dict[int, Any])
    error: BaseException | None = None
    stopping: bool = False
    lock: threading.Lock = field(factory=threading.Lock)
    callbacks: threading.Lock = field(factory=threading.Lock)
    _streams: dict[int, Stream] = field(factory=dict[int, Stream])

    def work(self) -> None:
        """Run workflows until there are none left."""
        try:
            while (taken := self._take()) is not None:
                number, workflow = taken
                self.results[number] = self.run(workflow, _Worker(self))
        except BaseException as error:  # noqa: BLE001 -- the thread that waits raises it
            self.stop(error)  # _Stopped comes after the error that stopped the group, and replaces none

    def _take(self) -> tuple[int, Workflow[Any]] | None:
        with self.lock:
            return self.left.popleft() if self.left and not self.stopping else None

    def stop(self, error: BaseException | None) -> None:
        """Let every workflow end at its next effect; reads that wait end at once."""
        with self.lock:
            self.error = self.error or error
            self.stopping = True
            streams = list(self._streams.values())
        for stream in streams:
            stream.abort()

    def opened(self, stream: Stream) -> None:
        with self.lock:
            self._streams[id(stream)] = stream

    def closed(self, stream: Stream) -> None:
        with self.lock:
            self._streams.pop(id(stream), None)


class _Worker:
    """Carries out one workflow's effects, and throws _Stopped into it once when the group is to stop."""

    def __init__(self, group: _Group) -> None:
        self._group = group
        self._stopped = False

    def perform(self, effect: Effect) -> Any:
        group = self._group
        if group.stopping and not self._stopped:
            self._stopped = True
            raise _Stopped
        if isinstance(effect, Close):
            group.closed(effect.stream)
        if isinstance(effect, Notify):
            with group.callbacks:  # one call at a time, as without threads
                return group.io.perform(effect)
        result = group.io.perform(effect)
        if isinstance(effect, SendRequest) and hasattr(result, "abort"):
            group.opened(result)
        return result


def run_threads(
    workflows: Sequence[Workflow[Any]], limit: int, io: IO, run: Callable[[Workflow[Any], IO], Any]
) -> list[Any]:
    """Run the workflows by ``run`` in at most ``limit`` threads; a single one runs in the calling thread."""
    if len(workflows) <= 1 or limit == 1:
        return [run(workflow, io) for workflow in workflows]
    group = _Group(io, run, deque(enumerate(workflows)))
    threads: list[threading.Thread] = []
    try:
        for number in range(min(limit, len(workflows))):
            thread = threading.Thread(target=group.work, name=f"seedream-{number}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # "can't start new thread": those that run do the work, or this one
                break
            threads.append(thread)
        if not threads:
            group.work()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.5)  # a wait without a limit hides Ctrl-C on Windows
    except BaseException:
        group.stop(None)
        for thread in threads:
            thread.join()
        raise
    if group.error is not None:
        raise group.error
    return [group.results[number] for number in range(len(workflows))]


@define
class _OneCallback:
    """Carries out the effects of several tasks, and calls their callbacks one at a time, as without tasks."""

    io: AsyncIO
    lock: AbstractAsyncContextManager[Any]

    async def perform(self, effect: Effect) -> Any:
        if isinstance(effect, Notify):
            async with self.lock:
                return await self.io.perform(effect)
        return await self.io.perform(effect)


async def run_tasks(
    workflows: Sequence[Workflow[Any]], limit: int, io: AsyncIO, run: Callable[[Workflow[Any], AsyncIO], Awaitable[Any]]
) -> list[Any]:
    """Run the workflows by ``run`` in tasks, at most ``limit`` at a time; a single one runs in the calling task."""
    if len(workflows) == 1:
        return [await run(workflows[0], io)]
    import anyio  # noqa: PLC0415 -- the blocking client never needs it

    results: dict[int, Any] = {}
    errors: list[BaseException] = []
    places, one_by_one = anyio.CapacityLimiter(limit), _OneCallback(io, anyio.Lock())

    async def run_one(number: int) -> None:
        async with places:
            try:
                results[number] = await run(workflows[number], one_by_one)
            except Exception as error:  # noqa: BLE001 -- raised below, not as a group
                errors.append(error)
                group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        for number in range(len(workflows)):
            group.start_soon(run_one, number)
    if errors:
        raise errors[0]
    return [results[number] for number in range(len(workflows))]
