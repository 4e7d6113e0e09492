"""The states of a job and the only ways between them. The database's triggers are made from this table."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

State = Literal[
    "planned",
    "submitting",
    "submitted",
    "succeeded",
    "failed",
    "downloaded",
    "unknown",
    "rejected",
    "abandoned",
]
Actor = Literal["engine", "user", "recovery"]

STATES: Final[tuple[State, ...]] = get_args(State)

# from -> to, and who may do it
EDGES: Final[Mapping[tuple[State, State], tuple[Actor, ...]]] = {
    ("planned", "submitting"): ("engine",),  # inside the barrier, before the first byte leaves
    ("submitting", "submitted"): ("engine",),  # the task id was read
    ("submitting", "planned"): ("engine",),  # provably not taken: never sent, or refused
    ("submitting", "rejected"): ("engine",),  # refused for good: the request itself is not wanted
    ("submitting", "unknown"): ("engine", "recovery"),  # no usable answer, or the process died
    ("submitted", "succeeded"): ("engine",),
    ("submitted", "failed"): ("engine",),
    ("succeeded", "downloaded"): ("engine",),
    ("downloaded", "succeeded"): ("engine", "user"),  # a file is gone: fetch it again
    ("unknown", "submitted"): ("user",),  # the user found the task id
    ("unknown", "planned"): ("user",),  # the user says: send it again
    ("unknown", "abandoned"): ("user",),
    ("rejected", "planned"): ("user",),
    ("rejected", "abandoned"): ("user",),
    ("failed", "planned"): ("user",),  # pays again, on the user's word
    ("failed", "abandoned"): ("user",),
    ("planned", "abandoned"): ("user", "engine"),  # a single call that ended unsent has no later run
}

# The states that have a task id, and the states in which nothing is left to do without the user's word.
WITH_TASKID: Final[tuple[State, ...]] = ("submitted", "succeeded", "failed", "downloaded")
SETTLED: Final[tuple[State, ...]] = ("downloaded", "failed", "unknown", "rejected", "abandoned")


def sql_list(states: tuple[str, ...]) -> str:
    """``'a','b'`` for an SQL ``IN``; the names are ours and hold no quotation mark."""
    return ",".join(f"'{state}'" for state in states)
