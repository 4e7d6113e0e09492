"""Signals in a bulk run: the first ends it in good order, the second at once; neither ends in a traceback."""

import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from seedream._support.signals import ending_signals


class SignalRelay:
    """Passes signals on from the start of a run to its end, also before there is an engine and after it."""

    def __init__(self) -> None:
        self.heard = 0
        self._interrupt: Callable[[], None] | None = None

    def connect(self, interrupt: Callable[[], None]) -> None:
        """Call this for each signal from now on, and at once for each that came before."""
        self._interrupt = interrupt
        for _ in range(self.heard):
            interrupt()

    def notify(self) -> None:
        """Take in a signal."""
        self.heard += 1
        if self._interrupt is not None:
            self._interrupt()

    async def receive(
        self, numbers: tuple[signal.Signals, ...], *, task_status: Any = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Receive these signals until cancelled."""
        try:
            with anyio.open_signal_receiver(*numbers) as received:
                task_status.started()
                async for _ in received:
                    self.notify()
        except NotImplementedError:  # the event loop of Windows
            for number in numbers:
                signal.signal(number, lambda *_: self.notify())
            task_status.started()
            await anyio.sleep_forever()


@asynccontextmanager
async def receiving_signals(relay: SignalRelay, wanted: bool) -> AsyncGenerator[None]:  # noqa: FBT001 -- a switch
    """Receive the signals that end a program, if wanted and possible: only the main thread can."""
    numbers = ending_signals() if wanted else ()
    if not numbers:
        yield
        return
    failed: Exception | None = None
    async with anyio.create_task_group() as group:
        await group.start(relay.receive, numbers)
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- goes on up as it is, not in the task group's own wrapping
            failed = error
        for number in numbers:  # the event loop is about to end: a late Ctrl-C has nothing more to stop
            signal.signal(number, signal.SIG_IGN)
        group.cancel_scope.cancel()
    if failed is not None:
        raise failed
