"""``seedream task`` and ``seedream wait``: go on with a task known by its id."""

from pathlib import Path

import click

from seedream import TaskInfo
from seedream._files.partial_file import ensure_writable
from seedream._support.redact import sanitize
from seedream.cli import saving
from seedream.cli.options import (
    json_option,
    open_client,
    resume_command,
    service_options,
    waiting_options,
)
from seedream.cli.progress import Display
from seedream.cli.terminal import Terminal


@click.command()
@click.argument("taskid", metavar="ID")
@service_options
@json_option
@click.pass_obj
def task(terminal: Terminal, /, *, taskid: str, base_url: str | None, api_key_file: Path | None) -> None:
    """Show the state of task ID. Asking costs nothing."""
    with open_client(terminal, base_url, api_key_file) as client:
        info = client.query(taskid)
    for label, text in _lines(info):
        terminal.result(f"{label:<9} {sanitize(text, length=2000)}")
    terminal.document(
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


def _lines(info: TaskInfo) -> list[tuple[str, str]]:
    told = [("task", info.taskid), ("state", f"{info.state} ({info.status})")]
    if info.width and info.height:
        told.append(("size", f"{info.width}x{info.height}"))
    told += [("picture", url) for url in info.urls]
    told += [(label, text) for label, text in (("prompt", info.prompt), ("error", info.error_message)) if text]
    return told


@click.command()
@click.argument("taskid", metavar="ID")
@click.option("-n", "--count", type=click.IntRange(min=1), help="How many pictures there must be.")
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
    with open_client(terminal, base_url, api_key_file) as client, Display(terminal) as display:
        handle = client.task(taskid, images=count)
        ensure_writable(directory)
        terminal.taskid = taskid
        terminal.resume = resume_command(taskid, count, directory, base_url, api_key_file)
        files = saving.deliver(handle, directory, timeout, display.line("pictures"))
    saving.tell(terminal, taskid, files, cost=None)
