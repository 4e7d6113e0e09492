"""From a task to pictures on disk: wait, save, say where they are."""

from pathlib import Path

from seedream import Task
from seedream.cli.dry_run import count
from seedream.cli.progress import Line
from seedream.cli.terminal import Terminal


def deliver(task: Task, directory: Path, timeout: float, line: Line) -> list[Path]:
    """Wait for the task and save its pictures; see Task.save."""
    line.say("waiting")
    return task.save(directory, timeout=timeout, progress=line.show)


def tell(terminal: Terminal, taskid: str, files: list[Path], *, cost: int | None, sandbox: bool = False) -> None:
    """Print the pictures' paths, one a line, and what they cost if that is known."""
    for path in files:
        terminal.result(str(path))
    paid = "" if cost is None else f", cost {count(cost, 'image')}{' of play money' if sandbox else ''}"
    terminal.note(f"{count(len(files), 'picture')} saved{paid}.", style="green")
    terminal.document(
        {
            "taskid": taskid,
            "images": cost,
            "files": [{"path": str(path), "bytes": path.stat().st_size} for path in files],
            "sandbox": sandbox,
        }
    )
