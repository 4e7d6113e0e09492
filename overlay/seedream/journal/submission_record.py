"""One submission's row in the journal, as the submit workflow writes it."""

from collections.abc import Callable
from typing import Final

from seedream._support.server_text import show_id
from seedream.errors import (
    AuthError,
    ConfigError,
    InsufficientCredits,
    JournalError,
    NotSent,
    RateLimited,
    SeeDreamError,
    SubmissionUnknown,
)
from seedream.journal.commit import Committer, Database
from seedream.journal.states import Stamp, State, transition

# The reason lies outside the request: the same request can succeed later.
_NOT_THE_REQUEST: Final = (NotSent, RateLimited, InsufficientCredits, AuthError, ConfigError)


def state_after(error: SeeDreamError) -> State:
    """Return the state of a begun submission after the server refused it, or after it was not sent at all.

    ``planned`` (it can be sent again) where the reason lies outside the request; ``rejected`` where it is the
    request. An error that does not rule out a charge, or that names a task, is ``unknown``, whatever its class.
    """
    if error.billing != "no" or error.taskid is not None:
        return "unknown"
    return "planned" if isinstance(error, _NOT_THE_REQUEST) else "rejected"


class SubmissionRecord:
    """The record of one submission. Each call blocks until it is durable; any thread may call it.

    Args:
        committer: Makes it durable.
        stamp: Gives the time and the process's mark.
        find: Gives the row id inside a transaction; it makes the row where there is none yet.
        cost: Pictures that the submission asks for.
    """

    def __init__(
        self,
        committer: Committer,
        stamp: Callable[[], Stamp],
        find: Callable[[Database], int],
        cost: int,
    ) -> None:
        self._committer = committer
        self._stamp = stamp
        self._find = find
        self._cost = cost
        self._job = 0
        self._begun = False

    def begin(self) -> None:
        """Record that the request is about to leave: planned -> submitting. If this raises, nothing may be sent.

        Raises:
            JournalFull: No room to record it.
            BudgetReached: The budget does not allow it.
            JournalError: The job is not planned, or the journal cannot be used.
        """

        def work(database: Database) -> int:
            job = self._find(database)
            transition(database, job, "planned", "submitting", self._stamp(), spend=self._cost)
            return job

        try:
            self._job = self._committer.do(work)
        except JournalError as error:
            error.hint = f"Nothing was sent. {error.hint}".strip()
            raise
        self._begun = True

    def not_sent(self) -> None:
        """Record that it did not leave, or was refused unprocessed, and can begin again: submitting -> planned."""
        self._end("planned", None)

    def refused(self, error: SeeDreamError) -> None:
        """Record that it was refused or never left: see `state_after`. Its cost goes back to the budget."""
        self._end_with(state_after(error), error)

    def unknown(self, error: BaseException) -> None:
        """Record that no usable answer came: submitting -> unknown. It is never sent again by itself."""
        self._end_with("unknown", error)

    def submitted(self, taskid: str) -> None:
        """Record that the server accepted it under this task id: submitting -> submitted.

        Raises:
            SubmissionUnknown: The journal has this id for another job; this one becomes unknown.
            JournalError: It cannot be recorded; the error carries the id, which is paid for.
        """
        try:
            recorded = self._committer.do(lambda database: self._accept(database, taskid))
        except JournalError as error:
            error.taskid, error.billing, error.retryable = taskid, "yes", False
            error.hint = (
                f"The service accepted it as task {show_id(taskid)}, which is paid for: note the id. {error.hint}"
            )
            raise
        self._begun = False
        if not recorded:
            raise _duplicate(taskid)

    def _accept(self, database: Database, taskid: str) -> bool:
        if database.execute("SELECT 1 FROM accepted WHERE taskid=?", (taskid,)).fetchone():
            transition(database, self._job, "submitting", "unknown", self._stamp(), error=_duplicate(taskid))
            return False
        transition(database, self._job, "submitting", "submitted", self._stamp(), taskid=taskid)
        return True

    def _end_with(self, state: State, error: BaseException) -> None:
        """Record the end. Where that fails, the error about the submission is the one that counts.

        The row then stays ``submitting``, which becomes ``unknown`` when the journal is opened again.
        """
        try:
            self._end(state, error)
        except JournalError as unrecorded:
            text = f"It could not be recorded ({unrecorded.message})."
            if isinstance(error, SeeDreamError):
                error.hint = f"{error.hint} {text}".strip()
            else:
                error.add_note(text)

    def _end(self, new: State, error: BaseException | None) -> None:
        if not self._begun:  # begin() was never reached: nothing was recorded, nothing is to be undone
            return
        back = 0 if new == "unknown" else -self._cost
        self._committer.do(
            lambda database: transition(database, self._job, "submitting", new, self._stamp(), spend=back, error=error),
        )
        self._begun = False


def _duplicate(taskid: str) -> SubmissionUnknown:
    return SubmissionUnknown(
        f"the service answered with task id {show_id(taskid)}, which another submission of this journal has",
        taskid=taskid,
        hint="Look in the vendor's console for a task with this prompt.",
    )
