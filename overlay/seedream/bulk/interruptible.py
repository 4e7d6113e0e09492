"""The last moment at which a submission can be stopped for free, and the point from which it is let finish."""

from collections.abc import Callable

import anyio
import anyio.from_thread

from seedream.journal import SubmissionRecord


class RunStopping(Exception):
    """The run stops; the submission has not begun."""


class InterruptibleSubmission:
    """A job's entry, with a stop in front of it.

    Before ``begin`` a cancellation costs nothing. From ``begin`` on the submission is shielded, so that the first
    Ctrl-C lets it finish and its task id is read.

    Args:
        entry: The journal's.
        stopping: Whether the run is stopping.

    Attributes:
        scope: The submission runs in it.
    """

    def __init__(self, entry: SubmissionRecord, stopping: Callable[[], bool]) -> None:
        self.scope = anyio.CancelScope()
        self._entry = entry
        self._stopping = stopping
        self.not_sent = entry.not_sent
        self.refused = entry.refused
        self.submitted = entry.submitted
        self.unknown = entry.unknown

    def begin(self) -> None:
        """See SubmissionRecord.begin. Runs in a worker thread; the event loop's thread decides whether it may go on."""
        anyio.from_thread.run_sync(self._shield)
        try:
            self._entry.begin()
        except BaseException:
            anyio.from_thread.run_sync(self._unshield)
            raise

    def _shield(self) -> None:
        if self._stopping():
            raise RunStopping
        self.scope.shield = True

    def _unshield(self) -> None:
        self.scope.shield = False
