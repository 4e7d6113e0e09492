"""Ctrl-C, SIGTERM and SIGHUP: the first ends a run in good order, the second at once; neither ends in a traceback."""

import signal
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import anyio

# Ctrl-C, a polite kill, and a terminal that is closed.
_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class SignalRelay:
    """Hears signals from the start of a run to its end, also before there is an engine and after it."""

    def __init__(self) -> None:
        self.heard = 0
        self._interrupt: Callable[[], None] | None = None

    def connect(self, interrupt: Callable[[], None]) -> None:
        """Whom to tell from now on; what was heard before is told at once."""
        self._interrupt = interrupt
        for _ in range(self.heard):
            interrupt()

    def notify(self) -> None:
        """A signal came."""
        self.heard += 1
        if self._interrupt is not None:
            self._interrupt()

    async def listen(self, *, task_status: Any = anyio.TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled; then ignore what comes, for the little that is left to do."""
        with anyio.open_signal_receiver(*_SIGNALS) as received:
            task_status.started()
            async for _ in received:
                self.notify()


@asynccontextmanager
async def receiving_signals(relay: SignalRelay, wanted: bool) -> AsyncGenerator[None]:  # noqa: FBT001 -- a switch
    """Listen, if wanted and possible: only the main thread can."""
    if not wanted or threading.current_thread() is not threading.main_thread():
        yield
        return
    failed: Exception | None = None
    async with anyio.create_task_group() as group:
        await group.start(relay.listen)
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- goes on up as it is, not in the task group's own wrapping
            failed = error
        for number in _SIGNALS:  # the event loop is about to end: a late Ctrl-C has nothing more to stop
            signal.signal(number, signal.SIG_IGN)
        group.cancel_scope.cancel()
    if failed is not None:
        raise failed


@contextmanager
def restored_handlers(wanted: bool) -> Generator[None]:  # noqa: FBT001 -- a switch
    """Give the signals back to whom they belonged."""
    if not wanted or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [(number, signal.getsignal(number)) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
