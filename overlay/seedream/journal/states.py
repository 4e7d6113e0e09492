"""The states of a job, the only ways between them, and the one statement that moves a job along them."""

import sqlite3
from collections.abc import Mapping
from typing import Final, Literal, get_args

from attrs import frozen

from seedream._support.redact import sanitize
from seedream.errors import BudgetReached, JournalError
from seedream.journal.commit import Database

State = Literal[
    "planned", "submitting", "submitted", "succeeded", "failed", "downloaded", "unknown", "rejected", "abandoned"
]
Actor = Literal["engine", "user", "recovery"]

STATES: Final[tuple[State, ...]] = get_args(State)

# (from, to) -> who may do it. The triggers of the database are made from this table.
EDGES: Final[Mapping[tuple[State, State], tuple[Actor, ...]]] = {
    ("planned", "submitting"): ("engine",),  # before the first byte leaves
    ("submitting", "submitted"): ("engine",),  # the task id was read
    ("submitting", "planned"): ("engine",),  # provably not accepted: never sent, or refused for another reason
    ("submitting", "rejected"): ("engine",),  # the request itself was refused
    ("submitting", "unknown"): ("engine", "recovery"),  # no usable answer, or the process died
    ("submitted", "succeeded"): ("engine",),
    ("submitted", "failed"): ("engine",),
    ("succeeded", "downloaded"): ("engine",),
    ("downloaded", "succeeded"): ("engine", "user"),  # a file is gone: fetch it again
    ("unknown", "submitted"): ("user",),  # the user found the task id
    ("unknown", "planned"): ("user",),
    ("unknown", "abandoned"): ("user",),
    ("rejected", "planned"): ("user",),
    ("rejected", "abandoned"): ("user",),
    ("failed", "planned"): ("user",),  # pays again
    ("failed", "abandoned"): ("user",),
    ("planned", "abandoned"): ("user", "engine"),  # the engine: a single call that ended unsent has no later run
    ("abandoned", "planned"): ("user",),  # a job that was dropped is in the jobs file again
}

# The states that have a task id, and the states in which only the user can decide what happens next.
WITH_TASKID: Final[tuple[State, ...]] = ("submitted", "succeeded", "failed", "downloaded")
SETTLED: Final[tuple[State, ...]] = ("downloaded", "failed", "unknown", "rejected", "abandoned")


def sql_list(states: tuple[str, ...]) -> str:
    """``'a','b'`` for an SQL ``IN``; the names are ours and hold no quotation mark."""
    return ",".join(f"'{state}'" for state in states)


@frozen
class Stamp:
    """Who writes, in which run of the process, and when (seconds since the epoch)."""

    actor: Actor
    boot: str
    at: float


def transition(
    database: Database,
    job: int,
    old: State,
    new: State,
    stamp: Stamp,
    *,
    taskid: str | None = None,
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
        taskid: A task id to record. Without one, a job keeps its id where the new state has one.
        spend: Pictures to add to what may have been charged (negative: provably not charged).
        error: What went wrong; its type and message are kept. None clears them.

    Raises:
        JournalError: It is in another state, or the transition is not allowed.
        BudgetReached: The run's budget does not allow it.
    """
    sql = (
        "UPDATE job SET state=?, actor=?, boot=?, updated=?, error=?, message=?, spent=spent+?, attempt=attempt+?,"
        " taskid=coalesce(?, CASE WHEN ? THEN taskid END) WHERE id=? AND state=?"
    )
    claim = old == "planned" and new == "submitting"
    written = (new, stamp.actor, stamp.boot, stamp.at, *_described(error), spend, claim, taskid, new in WITH_TASKID)
    try:
        cursor = database.execute(sql, (*written, job, old))
    except sqlite3.IntegrityError as refused:
        if str(refused) == "budget":
            raise BudgetReached(
                "the run's budget of pictures does not allow another submission",
                hint="Raise the budget to go on.",
            ) from None
        raise JournalError(f"job {job} cannot go from {old} to {new}: {refused}") from None
    if cursor.rowcount != 1:
        raise JournalError(f"job {job} is no longer {old}, so it cannot become {new}")


def record_error(database: Database, job: int, stamp: Stamp, error: BaseException) -> None:
    """Keep a job in its state and record why it did not go on."""
    database.execute(
        "UPDATE job SET error=?, message=?, updated=? WHERE id=?",
        (*_described(error), stamp.at, job),
    )


def _described(error: BaseException | None) -> tuple[str | None, str | None]:
    return (None, None) if error is None else (type(error).__name__, sanitize(str(error)))
