"""The progress line on stderr. Where nobody watches, nothing is shown."""

from types import TracebackType
from typing import Final, Self

from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from seedream._protocol.workflows import Progress as Report
from seedream.cli.terminal import Terminal

_MEGA: Final = 1_000_000


class _SizeColumn(ProgressColumn):
    """Megabytes that have come."""

    def render(self, task: Task) -> Text:
        received = task.fields.get("received", 0)
        return Text(f"{received / _MEGA:.1f} MB" if received else "")


class Display:
    """Progress of any number of tasks, a line each.

    Args:
        terminal: Where to.
    """

    def __init__(self, terminal: Terminal) -> None:
        fancy = "utf" in (terminal.err.encoding or "").lower()
        self._progress = Progress(
            SpinnerColumn("dots" if fancy else "line"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}", markup=False),
            _SizeColumn(),
            TimeElapsedColumn(),
            console=terminal.err,
            transient=True,
            disable=not terminal.lively,
        )

    def line(self, description: str) -> "Line":
        """A new line."""
        return Line(self._progress, description)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


class Line:
    """One line: its ``show`` is a progress callback for the client."""

    def __init__(self, progress: Progress, description: str) -> None:
        self._progress = progress
        self._id = progress.add_task(description, total=None, state="submitting", received=0)
        self._bytes: dict[int, int] = {}

    def show(self, report: Report) -> None:
        """Take in what the client tells."""
        if report.stage == "waiting":
            self._progress.update(self._id, state=report.state)
            return
        total, index = report.total or 1, report.index or 0
        self._bytes[index] = max(self._bytes.get(index, 0), report.received)
        part = 1.0 if report.stage == "saved" else report.received / report.size if report.size else 0.0
        done = min(index + part, total)
        state = f"saving {index + 1} of {total}" if done < total else f"saved {total} of {total}"
        self._progress.update(self._id, total=total, completed=done, state=state, received=sum(self._bytes.values()))

    def say(self, state: str) -> None:
        """Show a state in a few words."""
        self._progress.update(self._id, state=state)
