"""Ctrl-C, SIGTERM and SIGHUP while a submission is under way: the first one waits for the answer to a paid request."""

from collections.abc import Callable
from types import FrameType

from seedream.cli.task_record import TaskRecorder
from seedream.errors import SeeDreamError


class DeferInterrupt:
    """Observes one submission, and defers the first signal that arrives while the request is under way.

    ``on_signal`` is to handle the signals that end a program; outside of a request it raises KeyboardInterrupt.
    The submission is recorded, unless it costs nothing. ``accepted`` is called with the task's id as soon as it is
    known, ``warn`` when a signal is deferred; then ``interrupted`` is True, and the run stops after the answer.
    """

    def __init__(self, record: TaskRecorder | None, accepted: Callable[[str], None], warn: Callable[[], None]) -> None:
        self._record = record
        self._accepted = accepted
        self._warn = warn
        self._under_way = False
        self.interrupted = False

    def begin(self) -> None:
        """Record that the request is about to be sent."""
        if self._record is not None:
            self._record.begin()
        self._under_way = True

    def not_sent(self) -> None:
        """Record that nothing was sent. Raises KeyboardInterrupt if a signal was deferred."""
        self._under_way = False
        self._record_end("not sent")
        if self.interrupted:
            raise KeyboardInterrupt

    def submitted(self, taskid: str) -> None:
        """Record and report the task's id before a signal can stop the run."""
        self._record_end("accepted", taskid=taskid)
        self._accepted(taskid)
        self._under_way = False

    def refused(self, error: SeeDreamError) -> None:
        """Record that the service refused the request, or that it was not sent."""
        self._record_end("refused", taskid=error.taskid or "")
        self._under_way = False

    def unknown(self, error: BaseException) -> None:
        """Record that no usable answer came."""
        self._record_end("unknown", taskid=getattr(error, "taskid", None) or "")
        self._under_way = False

    def _record_end(self, state: str, **more: str) -> None:
        if self._record is not None:
            self._record.end(state, **more)

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Defer a signal, or end the run."""
        if self._under_way and not self.interrupted:
            self.interrupted = True
            self._warn()
            return
        raise KeyboardInterrupt
