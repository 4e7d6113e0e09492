"""What a bulk run shows while it works and when it ends."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

from seedream._support.shell import shell_command
from seedream.bulk import ENDINGS, Bulk, Reason, Report, Snapshot
from seedream.cli import error_output, exit_codes
from seedream.cli.exit_codes import Exit
from seedream.cli.language import plural, tr, translate
from seedream.cli.progress import make_progress
from seedream.cli.terminal import Terminal
from seedream.errors import SeeDreamError
from seedream.journal import SETTLED, State

_EXITS: Final[Mapping[Reason, Exit]] = {
    "credits": exit_codes.CREDITS,
    "budget": exit_codes.BUDGET,
    "key": exit_codes.CONFIG,
    "setup": exit_codes.CONFIG,
    "disk": exit_codes.JOURNAL,
    "machine": exit_codes.SYSTEM,
    "network": exit_codes.PAUSED,
    "rate_limited": exit_codes.PAUSED,
    "unknowns": exit_codes.PAUSED,
    "tasks": exit_codes.PAUSED,
    "downloads": exit_codes.PAUSED,
    "interrupted": exit_codes.INTERRUPTED,
    "cancelled": exit_codes.INTERRUPTED,
}
# A run that worked on everything ends with the first of these that is not empty.
_REMAINING: Final[tuple[tuple[State, Exit], ...]] = (
    ("unknown", exit_codes.UNKNOWN),
    ("submitted", exit_codes.UNFINISHED),
    ("succeeded", exit_codes.DOWNLOAD),
    ("rejected", exit_codes.FAILED),
    ("failed", exit_codes.FAILED),
    ("planned", exit_codes.FAILED),
)
_LINE_EVERY: Final = 30.0  # seconds between lines where no progress bar can be shown
_MEANING: Final[Mapping[State, str]] = {
    "downloaded": "saved",
    "succeeded": "made, pictures not all saved",
    "submitted": "accepted by the service, not finished",
    "submitting": "being sent",
    "planned": "still to be sent",
    "failed": "failed on the service",
    "rejected": "refused by the service, not charged",
    "unknown": "sent without a usable answer",
    "abandoned": "given up",
}


def exit_for_report(report: Report) -> Exit:
    """Return the exit code that tells a script how the run ended."""
    if report.reason != "done":
        return _EXITS[report.reason]
    return next((code for state, code in _REMAINING if report.counts[state]), exit_codes.OK)


def count_lines(counts: Mapping[State, int], spent: int, budget: int | None = None) -> list[str]:
    """Return a line for each state that has jobs and one for the pictures, the number first."""
    rows = [(f"{counts[state]:,}", translate(meaning)) for state, meaning in _MEANING.items() if counts[state]]
    if budget is None:
        rows.append((f"{spent:,}", tr("pictures that may have been charged")))
    else:
        rows.append((f"{spent:,}", tr("of {budget} pictures that may be charged", budget=f"{budget:,}")))
    width = max(len(number) for number, _ in rows)
    return [f"{number:>{width}}  {text}" for number, text in rows]


def print_report(terminal: Terminal, report: Report, *, sandbox: bool = False) -> None:
    """Print how the run ended, and what to do next. A sandbox's tasks end with it, so they cannot be resumed."""
    folder = Bulk(report.folder).folder
    terminal.print_json(report_document(report))
    message, hint = ENDINGS[report.reason]
    if isinstance(report.error, SeeDreamError) and not terminal.as_json and report.reason != "budget":
        error_output.print_error(terminal, report.error)
    terminal.print_note(translate(message), "bold" if report.reason == "done" else "bold yellow")
    for line in count_lines(report.counts, report.spent):
        terminal.print_note(f"  {line}")
    for key, taskid in report.unrecorded.items():
        terminal.print_note(
            tr("Write this down: job {key} became task {taskid}, which could not be recorded.", key=key, taskid=taskid),
            "red",
        )
    for sentence in (*report.changes, *report.warnings):
        terminal.print_note(sentence, "yellow")
    if report.left and sandbox:
        terminal.print_note(
            tr(
                "The sandbox and its tasks are gone. "
                "For a run that can be resumed, start a sandbox of its own: {command}",
                command="seedream sandbox",
            )
        )
    else:
        if hint:
            terminal.print_note(translate(hint))
        for purpose, command in next_commands(report):
            terminal.print_note(tr(purpose, command=command))
    terminal.print_result(str(folder.gallery))


def next_commands(report: Report) -> list[tuple[str, str]]:
    """Return what to do next: a sentence with ``{command}`` in it, and the command, which leads on as it is."""
    folder, counts = report.folder, report.counts
    found = [
        (
            "To record the task id once there is room: {command}",
            bulk_command("resolve", folder, "--taskid", taskid, job=key),
        )
        for key, taskid in report.unrecorded.items()
    ]
    if counts["unknown"]:
        found.append(("To decide about the unknown jobs: {command}", bulk_command("resolve", folder)))
    flags = [f"--{state}" for state in ("failed", "rejected") if counts[state]]
    if flags:
        sentence = "To send failed or refused jobs again, which may be charged: {command}"
        found.append((sentence, bulk_command("retry", folder, *flags)))
    if report.left:
        budget = ["--budget", str(report.spent + report.planned_images)] if report.reason == "budget" else []
        found.append(("To go on: {command}", bulk_command("resume", folder, *budget)))
    return found


def bulk_command(name: str, folder: Path, *options: str, job: str | None = None) -> str:
    """Return a command of ``seedream bulk``, ready to be copied."""
    return shell_command(f"seedream bulk {name}", [str(folder), *([] if job is None else [job])], options)


def report_document(report: Report) -> dict[str, Any]:
    """Return the report for ``--json``."""
    folder = Bulk(report.folder).folder
    return {
        "reason": report.reason,
        "message": ENDINGS[report.reason][0],
        "counts": dict(report.counts),
        "spent": report.spent,
        "left": report.left,
        "unrecorded": dict(report.unrecorded),
        "warnings": list(report.warnings),
        "changes": list(report.changes),
        "next": [command for _, command in next_commands(report)],
        "results": str(folder.results),
        "gallery": str(folder.gallery),
        "error": error_output.error_document(report.error) if isinstance(report.error, SeeDreamError) else None,
        "exit_code": exit_for_report(report).code,
    }


def bulk_progress(terminal: Terminal) -> tuple[Progress, Callable[[Snapshot], None]]:
    """Return a progress display, to be used as a context manager, and the function that shows a snapshot in it.

    A narrow terminal gets fewer columns, so that each one stays readable.
    """

    def text(name: str) -> ProgressColumn:
        return TextColumn(f"{{task.fields[{name}]}}", markup=False)

    width = terminal.err.width
    columns: list[ProgressColumn] = [MofNCompleteColumn(), text("spent"), text("note")]
    if width >= 60:  # noqa: PLR2004 -- columns of the terminal
        columns = [BarColumn(bar_width=min(30, width // 4)), *columns[:2], text("left"), columns[2]]
    if width >= 100:  # noqa: PLR2004 -- columns of the terminal
        columns = [*columns[:2], text("rate"), *columns[2:4], TimeElapsedColumn(), columns[4]]
    progress = make_progress(terminal, columns)
    shown: set[str] = set()
    last_line = 0.0
    line = progress.add_task("", total=None, rate="", spent="", left="", note=tr("checking the jobs"))

    def show(snapshot: Snapshot) -> None:
        nonlocal last_line
        for key, taskid in snapshot.unrecorded.items():  # at once: whatever happens next, the id is on the screen
            if key not in shown:
                shown.add(key)
                sentence = "There is no room to record that job {key} became task {taskid}, which is paid for."
                terminal.print_note(tr(sentence, key=key, taskid=taskid), "red")
        if not terminal.interactive and not terminal.as_json and snapshot.elapsed - last_line >= _LINE_EVERY:
            last_line = snapshot.elapsed
            done = sum(snapshot.counts[state] for state in SETTLED)
            parts = [f"{done:,}/{sum(snapshot.counts.values()):,}", _spent(snapshot), _note(snapshot)]
            terminal.print_note(", ".join(filter(None, parts)))
        progress.update(
            line,
            total=sum(snapshot.counts.values()),
            completed=sum(snapshot.counts[state] for state in SETTLED),
            rate=f"{60 * snapshot.rate:.0f}/min",
            spent=_spent(snapshot),
            left=tr("{time} left", time=timedelta(seconds=int(snapshot.eta))) if snapshot.eta is not None else "",
            note=_note(snapshot),
        )

    return progress, show


def _spent(snapshot: Snapshot) -> str:
    if snapshot.budget is None:
        return plural(snapshot.spent, "picture")
    return tr("{spent} of {budget}", spent=f"{snapshot.spent:,}", budget=plural(snapshot.budget, "picture"))


def _note(snapshot: Snapshot) -> str:
    bad = sum(snapshot.counts[state] for state in ("failed", "rejected", "unknown"))
    notes = [
        tr("{number} failed or unknown", number=bad) if bad else "",
        tr("waiting: {reason}", reason=translate(snapshot.waiting)) if snapshot.waiting else "",
    ]
    return ", ".join(filter(None, notes))
