"""The signals that end a program: SIGINT (Ctrl-C), SIGTERM, and SIGHUP (a closed terminal)."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final

Handler = Callable[[int, FrameType | None], object] | int | None
# SIGTERM is what a scheduler sends, SIGHUP what a closed terminal sends; Windows has no SIGHUP.
_ENDING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that end this program. One that was started with nohup goes on ignoring SIGHUP.

    Empty outside the main thread, where no handler can be set.
    """
    if threading.current_thread() is not threading.main_thread():
        return ()
    return tuple(number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN)


@contextmanager
def handling_signals(handler: Handler = None) -> Generator[tuple[signal.Signals, ...]]:
    """Install ``handler`` for the ending signals, and restore their earlier handlers at the end.

    With None, handlers are only restored: for a body that sets handlers itself.
    """
    numbers = ending_signals()
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        if handler is not None:
            for number in numbers:
                signal.signal(number, handler)
        yield numbers
    finally:
        for number, earlier in before.items():
            # None: a handler that was not installed from Python, and cannot be installed again from here.
            signal.signal(number, signal.SIG_DFL if earlier is None else earlier)
