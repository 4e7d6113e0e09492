"""Waits for a task, saves its pictures and prints where they are."""

from pathlib import Path
from typing import Any

from seedream import Picture, Task
from seedream.cli.language import plural, tr
from seedream.cli.progress import TaskLine
from seedream.cli.terminal import Terminal


def wait_and_save(task: Task, directory: Path, timeout: float, line: TaskLine) -> list[Path]:
    """Wait for the task and save its pictures; see Task.save."""
    line.show_state(tr("waiting"))
    return task.save(directory, timeout=timeout, progress=line.show_progress)


def _file_document(path: Path) -> dict[str, Any]:
    picture = Picture(path)
    return {
        "path": str(path),
        "bytes": path.stat().st_size,
        "media_type": picture.media_type,
        "width": picture.width,
        "height": picture.height,
    }


def print_saved(terminal: Terminal, taskid: str, files: list[Path], *, cost: int | None, sandbox: bool = False) -> None:
    """Print the pictures' paths, one a line, and what they cost if that is known."""
    terminal.print_json(
        {
            "taskid": taskid,
            "images": cost,
            "files": [_file_document(path) for path in files],
            "sandbox": sandbox,
        }
    )
    for path in files:
        terminal.print_result(str(path))
    saved = plural(len(files), "picture")
    if cost is None:
        note = tr("{saved} saved.", saved=saved)
    elif sandbox:
        note = tr("{saved} saved, cost {cost} of play money.", saved=saved, cost=plural(cost, "image"))
    else:
        note = tr("{saved} saved, cost {cost}.", saved=saved, cost=plural(cost, "image"))
    terminal.print_note(note, style="green")
