"""What only the user may decide: sending again what may have been paid for, or giving it up."""

from collections.abc import Callable
from typing import TypeVar

from seedream.errors import JournalError
from seedream.journal.commit import Database
from seedream.journal.rows import Job
from seedream.journal.states import Actor, State
from seedream.journal.transition import Stamp, move

T = TypeVar("T")


class Words:
    """The user's words, for a journal that can write."""

    def _do(self, work: Callable[[Database], T]) -> T:
        raise NotImplementedError

    def _stamp(self, actor: Actor = "engine") -> Stamp:
        raise NotImplementedError

    def again(self, job: Job, *, charged: bool = True) -> None:
        """Send it again at the next run: unknown, rejected or failed -> planned.

        Args:
            job: As it was read.
            charged: False if the user knows that the last attempt was not charged: then its cost goes back
                to the budget. True leaves it counted as spent.

        Raises:
            JournalError: The job is in no such state, or has changed since it was read.
        """
        self._give(job, "planned", charged=charged)

    def found(self, job: Job, taskid: str) -> None:
        """The user found the task's id in the vendor's console: unknown -> submitted.

        Raises:
            JournalError: The job is not unknown, or the id belongs to another job.
        """

        def work(database: Database) -> None:
            if database.execute("SELECT 1 FROM accepted WHERE taskid=?", (taskid,)).fetchone():
                raise JournalError(f"task {taskid} belongs to another job already", hint="Check the id.")
            move(database, job.id, job.state, "submitted", self._stamp("user"), taskid=taskid)

        self._do(work)

    def abandon(self, job: Job, *, charged: bool = True) -> None:
        """Give it up: unknown, rejected, failed or planned -> abandoned. ``charged`` as in `again`.

        Raises:
            JournalError: The job is in no such state, or has changed since it was read.
        """
        self._give(job, "abandoned", charged=charged)

    def _give(self, job: Job, new: State, *, charged: bool) -> None:
        back = 0 if charged else -min(job.cost, job.spent)

        def work(database: Database) -> None:
            move(database, job.id, job.state, new, self._stamp("user"), taskid=None, spend=back)

        self._do(work)
