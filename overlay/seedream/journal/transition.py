"""The one statement that changes a job's state: only from the state that the caller believes it to be in."""

import sqlite3
from typing import Any

from attrs import frozen

from seedream._support.redact import sanitize
from seedream.errors import BudgetReached, JournalError
from seedream.journal.commit import Database
from seedream.journal.states import Actor, State


@frozen
class Stamp:
    """Who writes, in which life of the process, and when (seconds since the epoch)."""

    actor: Actor
    boot: str
    at: float


def move(
    database: Database,
    job: int,
    old: State,
    new: State,
    stamp: Stamp,
    *,
    taskid: str | bool | None = True,
    spend: int = 0,
    error: BaseException | None = None,
) -> None:
    """Move one job from one state to another, inside the caller's transaction.

    Args:
        database: The connection that holds the transaction.
        job: Row id.
        old: The state that it must be in.
        new: The state that it gets.
        stamp: Who and when.
        taskid: A task id to record, None to take it away, True to leave it.
        spend: Pictures to add to what may have been charged (negative: provably not charged).
        error: What went wrong; its type and message are kept. None clears them.

    Raises:
        JournalError: It is in another state, or the transition is not allowed.
        BudgetReached: The run's budget does not allow it.
    """
    changes: dict[str, Any] = {
        "state": new,
        "actor": stamp.actor,
        "boot": stamp.boot,
        "updated": stamp.at,
        "error": None if error is None else type(error).__name__,
        "message": None if error is None else sanitize(str(error)),
    }
    if taskid is not True:
        changes["taskid"] = taskid
    assignments = ",".join(f"{name}=?" for name in changes) + ",spent=spent+?,attempt=attempt+?"
    claim = int(old == "planned" and new == "submitting")
    values = (*changes.values(), spend, claim, job, old)
    try:
        cursor = database.execute(f"UPDATE job SET {assignments} WHERE id=? AND state=?", values)  # noqa: S608 -- our own names
    except sqlite3.IntegrityError as refused:
        if str(refused) == "budget":
            raise BudgetReached(
                "the run's budget of pictures does not allow another submission",
                hint="Raise the budget to go on.",
            ) from None
        raise JournalError(f"job {job} cannot go from {old} to {new}: {refused}") from None
    if cursor.rowcount != 1:
        raise JournalError(f"job {job} is not {old} any more, so it cannot become {new}")


def hold(database: Database, job: int, stamp: Stamp, error: BaseException) -> None:
    """Keep a job in its state and note why it did not get on."""
    database.execute(
        "UPDATE job SET error=?, message=?, updated=? WHERE id=?",
        (type(error).__name__, sanitize(str(error)), stamp.at, job),
    )
