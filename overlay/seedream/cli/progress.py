"""Progress lines on standard error, shown only where it is a terminal."""

from collections.abc import Iterable
from typing import Final

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from seedream import Progress as ClientProgress
from seedream.cli.language import tr, translate
from seedream.cli.terminal import Terminal

_MEGABYTE: Final = 1_000_000
_WIDE: Final = 60  # columns; a narrower terminal gets a shorter bar and no clock


class _SizeColumn(ProgressColumn):
    """Megabytes received."""

    def render(self, task: Task) -> Text:
        """Return the text of the column."""
        received = task.fields.get("received", 0)
        return Text(f"{received / _MEGABYTE:.1f} MB" if received else "")


def make_progress(terminal: Terminal, columns: Iterable[ProgressColumn]) -> Progress:
    """Return a progress display, to be used as a context manager; it shows nothing where nobody can see it."""
    return Progress(*columns, console=terminal.err, transient=True, disable=not terminal.interactive)


def task_progress(terminal: Terminal) -> Progress:
    """Return a progress display with a line for each task."""
    spinner = SpinnerColumn("dots" if "utf" in (terminal.err.encoding or "").lower() else "line")
    text, state = (TextColumn(f"{{task.{name}}}", markup=False) for name in ("description", "fields[state]"))
    if terminal.err.width < _WIDE:
        return make_progress(terminal, (spinner, text, state))
    return make_progress(terminal, (spinner, text, BarColumn(bar_width=24), state, _SizeColumn(), TimeElapsedColumn()))


class TaskLine:
    """One line of a task's progress, which begins with the description."""

    def __init__(self, progress: Progress, description: str) -> None:
        self._progress = progress
        self._id = progress.add_task(description, total=None, state=tr("submitting"), received=0)
        self._bytes: dict[int, int] = {}

    def show_progress(self, report: ClientProgress) -> None:
        """Show what the client reports; this is its progress callback."""
        if report.stage == "retrying":
            self.show_state(
                tr("{reason}, again in {seconds} s", reason=tr(report.state), seconds=f"{report.pause:.0f}")
            )
            return
        if report.stage == "waiting":
            self.show_state(translate(report.state))
            return
        total, index = report.total or 1, report.index or 0
        self._bytes[index] = max(self._bytes.get(index, 0), report.received)
        share = 1.0 if report.stage == "saved" else report.received / report.size if report.size else 0.0
        done = min(index + share, total)
        state = (
            tr("saving {index} of {total}", index=index + 1, total=total)
            if done < total
            else tr("saved {total} of {total}", total=total)
        )
        self._progress.update(self._id, total=total, completed=done, state=state, received=sum(self._bytes.values()))

    def show_state(self, state: str) -> None:
        """Show a short text beside the progress bar."""
        self._progress.update(self._id, state=state)
