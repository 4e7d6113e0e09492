"""``seedream task`` and ``seedream wait``: query a task by its id, and save its pictures."""

from pathlib import Path

import click

from seedream import TaskInfo
from seedream._files.partial_file import ensure_writable
from seedream._support.redact import sanitize
from seedream.cli import delivery
from seedream.cli.help_text import command
from seedream.cli.language import tr, translate
from seedream.cli.options import json_option, open_client, resume_command, service_options, waiting_options
from seedream.cli.progress import TaskLine, task_progress
from seedream.cli.terminal import Terminal

_LONGEST_TEXT = 2000  # characters of a prompt or an error message


@command()
@click.argument("taskid", metavar="ID")
@service_options
@json_option
@click.pass_obj
def task(terminal: Terminal, /, *, taskid: str, base_url: str | None, api_key_file: Path | None) -> None:
    """Show the state of task ID. A query costs nothing."""
    with open_client(terminal, base_url, api_key_file) as client:
        info = client.query(taskid)
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
) -> None:
    """Wait for task ID and save its pictures. It costs nothing; pictures already saved are kept."""
    with open_client(terminal, base_url, api_key_file) as client, task_progress(terminal) as progress:
        handle = client.task(taskid, images=count)
        ensure_writable(directory)
        terminal.taskid = taskid
        terminal.resume = resume_command(taskid, count, directory, base_url, api_key_file)
        files = delivery.wait_and_save(handle, directory, timeout, TaskLine(progress, tr("pictures")))
    delivery.print_saved(terminal, taskid, files, cost=None)
