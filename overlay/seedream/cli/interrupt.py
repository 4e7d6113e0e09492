"""Ctrl-C while money is at stake: a submission under way is let finish, so that its task is not paid for in vain."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

from seedream.errors import SeeDreamError

_Handler = Callable[[int, FrameType | None], object] | int | None


_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)  # a scheduler that ends a job is heard like Ctrl-C


class Shield:
    """Records one submission (see _workflows.Recorder); while it is under way, holds back the first Ctrl-C or SIGTERM.

    Args:
        accepted: Called with the task's id as soon as it is known.
        warn: Called when the first Ctrl-C is held back.

    Attributes:
        interrupted: A Ctrl-C was held back: stop now that the answer is here.
    """

    def __init__(self, accepted: Callable[[str], None], warn: Callable[[], None]) -> None:
        self._accepted = accepted
        self._warn = warn
        self._under_way = False
        self._before: dict[signal.Signals, _Handler] = {}
        self.interrupted = False

    def begin(self) -> None:
        self._under_way = True

    def not_sent(self) -> None:
        self._under_way = False
        if self.interrupted:
            raise KeyboardInterrupt

    def submitted(self, taskid: str) -> None:
        self._accepted(taskid)  # before a Ctrl-C can stop it: the id is told in any case
        self._under_way = False

    def refused(self, error: SeeDreamError) -> None:
        del error
        self._under_way = False

    def unknown(self, error: BaseException) -> None:
        del error
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
            self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
