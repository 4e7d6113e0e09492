"""How a run can end: the reason, and what to tell the user."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from attrs import field, frozen

from seedream.journal import SETTLED, STATES, State

Reason = Literal[
    "done", "credits", "budget", "key", "setup", "disk", "machine", "network", "rate_limited", "unknowns", "tasks",
    "downloads", "interrupted", "cancelled",
]  # fmt: skip

# reason -> what happened, what to do
ENDINGS: Final[Mapping[Reason, tuple[str, str]]] = {
    "done": ("All jobs have been worked on.", ""),
    "credits": ("The account has not enough credits.", "Top up, then resume: the rest of the queue is kept."),
    "budget": ("The budget is reached.", "Resume with a higher budget to go on: the rest of the queue is kept."),
    "key": ("The service refused the API key.", "Check the key, then resume."),
    "setup": ("The service cannot be used as it is set up.", "Correct the set-up, then resume."),
    "disk": (
        "The output folder cannot be written, so nothing more was sent.",
        "Make room or correct the folder, then resume.",
    ),
    "machine": (
        "This machine ran out of memory, threads or open files, so nothing more was sent.",
        "Close other programs or lower --in-flight and --concurrency, then resume.",
    ),
    "network": ("The service could not be reached for too long.", "Resume later."),
    "rate_limited": (
        "The service answered “too many requests” to every submission for too long.",
        "Resume later, with a lower rate.",
    ),
    "unknowns": (
        "Too many submissions got no usable answer. The run stopped to protect your credits.",
        "Resolve the unknown ones, then resume.",
    ),
    "tasks": (
        "Too many tasks failed or did not finish. The run stopped to protect your credits.",
        "Look at the jobs' errors in results.jsonl, then resume.",
    ),
    "downloads": (
        "The pictures of too many tasks could not be saved. The run stopped to protect your credits.",
        "The tasks are not lost. Look at the errors in results.jsonl, then resume.",
    ),
    "interrupted": ("Interrupted. Every submission on its way was finished.", "Resume to go on."),
    "cancelled": ("Interrupted twice. Submissions on their way are listed as unknown.", "Resolve them, then resume."),
}


def _unfinished(counts: Mapping[State, int]) -> int:
    return sum(counts[state] for state in STATES if state not in SETTLED)


@frozen
class Report:
    """How a run ended.

    Attributes:
        reason: Why it stopped.
        counts: Jobs in each state.
        spent: Pictures that may have been charged so far.
        folder: The output folder.
        error: The error that stopped it, if one did.
        unrecorded: Task ids by key that were paid for and could not be written to the journal: write them down.
        planned_images: Pictures that the jobs ask for that are still to be sent.
        warnings: What else went wrong without stopping the run, for example that results.jsonl cannot be written.
        changes: What a jobs file changed in the queue: see `prepare_run`.
    """

    reason: Reason
    counts: Mapping[State, int]
    spent: int
    folder: Path
    error: Exception | None = None
    unrecorded: Mapping[str, str] = field(factory=dict)
    planned_images: int = 0
    warnings: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All jobs."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Jobs that a resume would work on."""
        return _unfinished(self.counts)

    @property
    def complete(self) -> bool:
        """Whether every job has its pictures, or was given up by the user."""
        return self.counts["downloaded"] + self.counts["abandoned"] == self.total


@frozen
class Snapshot:
    """Progress of a run, for a display.

    Attributes:
        counts: Jobs in each state.
        spent: Pictures that may have been charged so far.
        budget: Of pictures, or None.
        elapsed: Seconds since the run was last started or resumed.
        settled: Jobs that came to their end in that time.
        window: Submissions that may be on the way at once just now; `RunControl.window` limits unfinished tasks.
        waiting: Why nothing is submitted just now, or empty.
        unrecorded: Task ids by key that are paid for and not yet in the journal.
    """

    counts: Mapping[State, int]
    spent: int
    budget: int | None
    elapsed: float
    settled: int
    window: int
    waiting: str = ""
    unrecorded: Mapping[str, str] = field(factory=dict)

    @property
    def rate(self) -> float:
        """Jobs settled per second since the run was last started or resumed."""
        return self.settled / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def eta(self) -> float | None:
        """Seconds until all are settled at this rate; None while unknown."""
        return _unfinished(self.counts) / self.rate if self.rate else None
