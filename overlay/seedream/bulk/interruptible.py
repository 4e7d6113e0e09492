"""The last moment at which a submission can be stopped for free, and the moment from which it must finish."""

from collections.abc import Callable

import anyio
import anyio.from_thread

from seedream.journal import SubmissionRecord


class RunStopping(Exception):
    """The run stops; this submission has not begun."""


class InterruptibleSubmission:
    """A job's record that refuses to begin while the run is stopping.

    Before ``begin`` a cancellation costs nothing. From ``begin`` on the submission is shielded, so that after the first
    Ctrl-C it finishes and its task id is read.

    Args:
        record: The journal's.
        stopping: Whether the run is stopping.

    Attributes:
        scope: The submission runs in it.
    """

    def __init__(self, record: SubmissionRecord, stopping: Callable[[], bool]) -> None:
        self.scope = anyio.CancelScope()
        self._record = record
        self._stopping = stopping
        self.not_sent = record.not_sent
        self.refused = record.refused
        self.submitted = record.submitted
        self.unknown = record.unknown

    def begin(self) -> None:
        """See SubmissionRecord.begin. Runs in a worker thread; the event loop's thread decides whether it may go on."""
        anyio.from_thread.run_sync(self._shield)
        try:
            self._record.begin()
        except BaseException:
            anyio.from_thread.run_sync(self._unshield)
            raise

    def _shield(self) -> None:
        if self._stopping():
            raise RunStopping
        self.scope.shield = True

    def _unshield(self) -> None:
        self.scope.shield = False
