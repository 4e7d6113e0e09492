"""Ctrl-C, SIGTERM and SIGHUP while a submission is under way: the first one waits for the answer to a paid request."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

from seedream.cli.task_record import TaskRecorder
from seedream.errors import SeeDreamError

_Handler = Callable[[int, FrameType | None], object] | int | None

# SIGTERM is what a scheduler sends, SIGHUP what a closed terminal sends; Windows has no SIGHUP.
_SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class DeferInterrupt:
    """Observes one submission, and defers the first signal that arrives while the request is under way.

    Args:
        record: Where the submission is recorded; None for one that costs nothing.
        accepted: Called with the task's id as soon as it is known.
        warn: Called when a signal is deferred.

    Attributes:
        interrupted: Whether a signal was deferred, so that the run stops after the answer.
    """

    def __init__(self, record: TaskRecorder | None, accepted: Callable[[str], None], warn: Callable[[], None]) -> None:
        self._record = record
        self._accepted = accepted
        self._warn = warn
        self._under_way = False
        self._before: dict[int, _Handler] = {}
        self.interrupted = False

    def begin(self) -> None:
        """Record that the request is about to be sent."""
        if self._record is not None:
            self._record.begin()
        self._under_way = True

    def not_sent(self) -> None:
        """Note that nothing was sent. Raises KeyboardInterrupt if a signal was deferred."""
        self._under_way = False
        if self._record is not None:
            self._record.not_sent()
        if self.interrupted:
            raise KeyboardInterrupt

    def submitted(self, taskid: str) -> None:
        """Record and report the task's id before a signal can stop the run."""
        if self._record is not None:
            self._record.submitted(taskid)
        self._accepted(taskid)
        self._under_way = False

    def refused(self, error: SeeDreamError) -> None:
        """Record that the service refused the request."""
        if self._record is not None:
            self._record.refused(error)
        self._under_way = False

    def unknown(self, error: BaseException) -> None:
        """Record that no usable answer came."""
        if self._record is not None:
            self._record.unknown(error)
        self._under_way = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._under_way and not self.interrupted:
            self.interrupted = True
            self._warn()
            return
        raise KeyboardInterrupt

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {
                # A program started with nohup ignores SIGHUP, and goes on ignoring it.
                number: signal.signal(number, self._on_signal)
                for number in _SIGNALS
                if signal.getsignal(number) is not signal.SIG_IGN
            }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
