"""How a run can end: the reason, what to tell the user, and the program's exit code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from attrs import field, frozen

from seedream.journal import State

Reason = Literal[
    "done", "credits", "budget", "key", "setup", "disk", "network", "haste", "unknowns", "interrupted", "cancelled"
]

# reason -> exit code (those of the command line, seedream.cli._exit), what happened, what to do
ENDINGS: Final[Mapping[Reason, tuple[int, str, str]]] = {
    "done": (0, "All jobs have been worked on.", ""),
    "credits": (5, "The account has not enough credits.", "Top up, then resume: the rest of the queue is kept."),
    "budget": (11, "The budget is reached.", "Resume with a higher budget to go on: the rest of the queue is kept."),
    "key": (4, "The service refused the API key.", "Check the key, then resume."),
    "setup": (4, "The service cannot be used as it is set up.", "See the error, then resume."),
    "disk": (10, "The journal cannot be written, so nothing more was sent.", "Make room, then resume."),
    "network": (75, "The service could not be reached for too long.", "Resume later."),
    "haste": (75, "The service refused every submission as too many for too long.", "Resume later, with a lower rate."),
    "unknowns": (
        75,
        "Too many submissions got no usable answer; stopped to protect your credits.",
        "Resolve the unknown ones, then resume.",
    ),
    "interrupted": (130, "Interrupted; every submission on its way was let finish.", "Resume to go on."),
    "cancelled": (
        130,
        "Interrupted twice; submissions on their way are listed as unknown.",
        "Resolve them, then resume.",
    ),
}
INCOMPLETE: Final = 1  # done, but some jobs failed, were rejected, are unknown, or wait


@frozen
class Report:
    """How a run ended.

    Attributes:
        reason: Why it stopped.
        counts: Jobs in each state.
        spent: Pictures that may have been charged so far.
        folder: The output folder.
        error: The error that stopped it, if one did.
        unrecorded: Task ids by key that were paid for and could not be written to the journal: note them down.
    """

    reason: Reason
    counts: Mapping[State, int]
    spent: int
    folder: Path
    error: Exception | None = None
    unrecorded: Mapping[str, str] = field(factory=dict)

    @property
    def total(self) -> int:
        """All jobs."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Jobs that a resume would work on."""
        return sum(self.counts[state] for state in ("planned", "submitting", "submitted", "succeeded"))

    @property
    def complete(self) -> bool:
        """Whether every job has its pictures, or was given up by the user."""
        return self.counts["downloaded"] + self.counts["abandoned"] == self.total

    @property
    def exit_code(self) -> int:
        """For a program: 0 only if every job has its pictures."""
        code = ENDINGS[self.reason][0]
        return INCOMPLETE if code == 0 and not self.complete else code


@frozen
class Snapshot:
    """Where a run is, for a progress display.

    Attributes:
        counts: Jobs in each state.
        spent: Pictures that may have been charged so far.
        budget: Of pictures, or None.
        elapsed: Seconds since this start.
        settled: Jobs that came to their end since this start.
        window: Submissions that may be on the way at once just now.
        waiting: Why nothing is submitted just now, or empty.
    """

    counts: Mapping[State, int]
    spent: int
    budget: int | None
    elapsed: float
    settled: int
    window: int
    waiting: str = ""

    @property
    def rate(self) -> float:
        """Jobs settled per second since this start."""
        return self.settled / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def eta(self) -> float | None:
        """Seconds until all are settled at this rate; None while unknown."""
        left = sum(self.counts[state] for state in ("planned", "submitting", "submitted", "succeeded"))
        return left / self.rate if self.rate else None
