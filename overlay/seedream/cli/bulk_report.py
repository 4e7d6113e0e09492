"""What a bulk run shows while it works and when it ends."""

from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from seedream.bulk import ENDINGS, Bulk, Reason, Report, Snapshot
from seedream.cli import exit_codes, reporting
from seedream.cli.exit_codes import Exit
from seedream.cli.language import is_chinese
from seedream.cli.terminal import Terminal
from seedream.errors import SeeDreamError
from seedream.journal import SETTLED, State

_EXITS: Final[Mapping[Reason, Exit]] = {
    "credits": exit_codes.CREDITS,
    "budget": exit_codes.BUDGET,
    "key": exit_codes.CONFIG,
    "setup": exit_codes.CONFIG,
    "disk": exit_codes.JOURNAL,
    "network": exit_codes.PAUSED,
    "haste": exit_codes.PAUSED,
    "unknowns": exit_codes.PAUSED,
    "interrupted": exit_codes.INTERRUPTED,
    "cancelled": exit_codes.INTERRUPTED,
}
# A run that worked on everything ends with the first of these that is not empty.
_LEFT: Final[tuple[tuple[State, Exit], ...]] = (
    ("unknown", exit_codes.UNKNOWN),
    ("submitted", exit_codes.UNFINISHED),
    ("succeeded", exit_codes.DOWNLOAD),
    ("rejected", exit_codes.FAILED),
    ("failed", exit_codes.FAILED),
    ("planned", exit_codes.FAILED),
)
_MEANING: Final[Mapping[State, str]] = {
    "downloaded": "saved",
    "succeeded": "made, pictures not all saved",
    "submitted": "taken by the service, not finished",
    "submitting": "being sent",
    "planned": "still to be sent",
    "failed": "failed on the service",
    "rejected": "refused by the service, not charged",
    "unknown": "sent without a usable answer",
    "abandoned": "given up",
}


def exit_of(report: Report) -> Exit:
    """The exit code that tells a script how the run ended."""
    if report.reason != "done":
        return _EXITS[report.reason]
    return next((code for state, code in _LEFT if report.counts[state]), exit_codes.OK)


def state_table(counts: Mapping[State, int]) -> list[str]:
    """The states that have jobs, a line each."""
    return [f"{meaning:<37}{counts[state]}" for state, meaning in _MEANING.items() if counts[state]]


def tell(terminal: Terminal, report: Report, *, sandbox: bool = False) -> None:
    """How the run ended, and what to do next. A sandbox's tasks end with it, so there is nothing to go on with."""
    folder = Bulk(report.folder).folder
    terminal.document(document(report))
    what, hint, chinese = ENDINGS[report.reason]
    if is_chinese():
        terminal.note(chinese, "bold")
    if isinstance(report.error, SeeDreamError) and not terminal.as_json and report.reason != "budget":
        reporting.tell(terminal, report.error)
    terminal.note(what, "bold" if report.reason == "done" else "bold yellow")
    for line in state_table(report.counts):
        terminal.note(f"  {line}")
    terminal.note(f"  {'pictures that may have been charged':<37}{report.spent}")
    for key, taskid in report.unrecorded.items():
        terminal.note(f"Note this down: job {key} was taken as task {taskid}, which could not be recorded.", "red")
    if report.counts["unknown"] and not sandbox:
        terminal.note(f"To decide about the unknown ones: seedream bulk resolve {report.folder}")
    if report.left and sandbox:
        terminal.note(
            "The sandbox and its tasks are gone. For a run to be resumed, start one of its own: seedream sandbox"
        )
    elif report.left:
        terminal.note(f"{hint or 'Resume to go on.'}  seedream bulk resume {report.folder}")
    terminal.result(str(folder.gallery))


def document(report: Report) -> dict[str, Any]:
    """The report for ``--json``."""
    folder = Bulk(report.folder).folder
    return {
        "reason": report.reason,
        "message": ENDINGS[report.reason][0],
        "counts": dict(report.counts),
        "spent": report.spent,
        "left": report.left,
        "unrecorded": dict(report.unrecorded),
        "results": str(folder.results),
        "gallery": str(folder.gallery),
        "error": reporting.document(report.error) if isinstance(report.error, SeeDreamError) else None,
        "exit_code": exit_of(report).code,
    }


class BulkDisplay:
    """The progress bar: jobs, rate, pictures spent, and how long it will take. Where nobody watches, nothing."""

    def __init__(self, terminal: Terminal) -> None:
        self._progress = Progress(
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TextColumn("{task.fields[spent]}", markup=False),
            TextColumn("{task.fields[left]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=terminal.err,
            transient=True,
            disable=not terminal.lively,
        )
        self._id = self._progress.add_task("", total=None, rate="", spent="", left="", note="checking the jobs")

    def show(self, snapshot: Snapshot) -> None:
        """Take in where the run is."""
        counts = snapshot.counts
        budget = f" of {snapshot.budget}" if snapshot.budget is not None else ""
        bad = sum(counts[state] for state in ("failed", "rejected", "unknown"))
        notes = [f"{bad} not well" if bad else "", f"waiting: {snapshot.waiting}" if snapshot.waiting else ""]
        self._progress.update(
            self._id,
            total=sum(counts.values()),
            completed=sum(counts[state] for state in SETTLED),
            rate=f"{60 * snapshot.rate:.0f}/min",
            spent=f"{snapshot.spent}{budget} pictures",
            left=f"{timedelta(seconds=int(snapshot.eta))} left" if snapshot.eta is not None else "",
            note=", ".join(filter(None, notes)),
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
