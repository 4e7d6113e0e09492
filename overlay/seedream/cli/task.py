"""``seedream task`` and ``seedream wait``: query a task by its id, and save its pictures."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click
from attrs import asdict, evolve

from seedream import Picture, TaskInfo, Timeouts
from seedream._files.partial_file import ensure_writable
from seedream._support.redact import quote, sanitize
from seedream._support.server_text import REMOVED, holds_secret, server_text
from seedream.cli.help_text import command
from seedream.cli.language import plural, tr, translate
from seedream.cli.options import (
    json_option,
    open_client,
    resume_command,
    service_options,
    timeouts_option,
    waiting_options,
)
from seedream.cli.progress import TaskLine, task_progress
from seedream.cli.task_record import read_tasks
from seedream.cli.terminal import Terminal

_LONGEST_TEXT: Final = 2000  # characters of a prompt or an error message
_MOST_TASKS: Final = 20
_WITHOUT_TASK: Final = {  # a state that is not in it is shown as it is
    "submitting": "sent, no answer was recorded: it may have been billed",
    "unknown": "sent, no usable answer: it may have been billed",
    "refused": "refused, not billed",
}


@command()
@click.argument("taskid", metavar="ID", required=False)
@service_options
@json_option
@click.pass_obj
def task(terminal: Terminal, /, *, taskid: str | None, base_url: str | None, api_key_file: Path | None) -> None:
    """Show the state of task ID, or without an ID list the latest submissions of "seedream generate".

    A query costs nothing. The list is read from this machine; nothing is sent.
    """
    if taskid is None:
        _list_tasks(terminal)
        return
    with open_client(terminal, base_url, api_key_file) as client:
        info = client.query(taskid)
        key = client.service.key
    said = server_text(info.error_message, key, _LONGEST_TEXT)
    info = evolve(info, error_message=said, prompt=REMOVED if holds_secret(info.prompt, key) else info.prompt)
    terminal.print_table([(label, sanitize(text, length=_LONGEST_TEXT)) for label, text in _rows(info)])
    terminal.print_json(
        {
            "taskid": info.taskid,
            "state": info.state,
            "status": info.status,
            "finished": info.finished,
            "width": info.width,
            "height": info.height,
            "prompt": info.prompt,
            "error_message": info.error_message,
            "urls": list(info.urls),
        }
    )


def _list_tasks(terminal: Terminal) -> None:
    tasks = read_tasks(Path())[-_MOST_TASKS:]
    terminal.print_json({"tasks": [asdict(one) for one in tasks]})
    for one in tasks:
        answer = one.taskid or translate(_WITHOUT_TASK.get(one.state, one.state))
        terminal.print_result(f"{one.at.replace('T', ' ')[:16]}  {answer}  {quote(one.prompt)}")
    if not tasks:
        terminal.print_note(tr("No submission of this user is recorded."))
    elif latest := next((one for one in reversed(tasks) if one.taskid), None):
        command = resume_command(latest.taskid, latest.images, Path(latest.directory), latest.base_url, None)
        terminal.print_note(tr("To get the pictures of the latest one: {command}", command=command))


def _rows(info: TaskInfo) -> list[tuple[str, str]]:
    rows = [(tr("task"), info.taskid), (tr("state"), f"{translate(info.state)} ({info.status})")]
    if info.width and info.height:
        rows.append((tr("size"), f"{info.width}x{info.height}"))
    rows += [(tr("picture"), url) for url in info.urls]
    rows += [(label, text) for label, text in ((tr("prompt"), info.prompt), (tr("error"), info.error_message)) if text]
    return rows


@command()
@click.argument("taskid", metavar="ID")
@click.option("-n", "--count", type=click.IntRange(min=1), metavar="N", help="How many pictures there must be.")
@waiting_options
@service_options
@timeouts_option
@json_option
@click.pass_obj
def wait(
    terminal: Terminal,
    /,
    *,
    taskid: str,
    count: int | None,
    timeout: float,
    directory: Path,
    base_url: str | None,
    api_key_file: Path | None,
    timeouts: Timeouts | None,
) -> None:
    """Wait for task ID and save its pictures. It costs nothing; pictures already saved are kept."""
    with open_client(terminal, base_url, api_key_file, timeouts) as client, task_progress(terminal) as progress:
        handle = client.task(taskid, images=count)
        ensure_writable(directory)
        terminal.taskid = taskid
        terminal.resume = resume_command(taskid, count, directory, base_url, api_key_file)
        line = TaskLine(progress, tr("pictures"))
        line.show_state(tr("waiting"))
        files = handle.save(directory, timeout=timeout, progress=line.show_progress)
    print_saved(terminal, taskid, files, cost=None)


def _file_document(path: Path) -> dict[str, Any]:
    picture, read = Picture(path), dict[str, Any]()
    with suppress(OSError):  # moved or deleted in the meantime: that it was saved counts
        read = {"bytes": path.stat().st_size, "media_type": picture.media_type}
        read |= {"width": picture.width, "height": picture.height}
    return {"path": str(path), **dict.fromkeys(("bytes", "media_type", "width", "height")), **read}


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
