"""``seedream generate``: from a prompt to pictures on disk."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
from tensorslab_images.limits import AUTH_HEADER, SUBMIT
from tensorslab_images.rules import AUTH_HEADER_SCHEME, RES_RATIO_VALUES, RES_TIER_VALUES

from seedream import SeeDream, Timeouts
from seedream._files.partial_file import ensure_writable
from seedream._request.submission import Submission, WireValue, check_submit
from seedream._support.signals import handling_signals
from seedream.cli.field_options import describe, known_field, read_settings, read_value
from seedream.cli.help_text import command
from seedream.cli.interrupt import DeferInterrupt
from seedream.cli.language import plural, tr
from seedream.cli.options import (
    json_option,
    open_service,
    resume_command,
    service_options,
    timeouts_option,
    waiting_options,
)
from seedream.cli.progress import TaskLine, task_progress
from seedream.cli.task import print_saved
from seedream.cli.task_record import TaskRecorder
from seedream.cli.terminal import Terminal

_FIELDS_OF_OPTIONS: Final = {"count": "batchsize", "resolution": "resolution"}
_STDIN: Final = "-"
_MASKED: Final = "********"


def _read_prompt(prompt: str) -> str:
    """Return the prompt; ``-`` reads it from standard input, without the line break at its end."""
    if prompt != _STDIN:
        return prompt
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError('"-" reads the prompt from standard input, which is a terminal; pipe a text into it')
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"the prompt on standard input is not UTF-8 at byte {error.start}") from None


def _check(
    prompt: str, given: Mapping[str, Any], source_images: tuple[str, ...], settings: tuple[str, ...]
) -> Submission:
    """Check the request. Options that the page no longer knows are refused by name."""
    options: dict[str, object] = {}
    for name, value in given.items():
        if isinstance(value, str):
            field = known_field(_FIELDS_OF_OPTIONS[name])
            options[_FIELDS_OF_OPTIONS[name]] = value if field is None else read_value(field, value)
        elif value is not None:
            options[name] = value
    options |= read_settings(settings, taken=("prompt", *options))
    if source_images:
        options["source_images"] = source_images
    return check_submit(prompt, options)


@command()
@click.argument("prompt")
@click.option("-n", "--count", metavar="N", help=f"How many pictures: {describe('batchsize')}.")
@click.option(
    "-r",
    "--resolution",
    metavar="SIZE",
    help=f"{' '.join(RES_RATIO_VALUES)}, {' '.join(RES_TIER_VALUES)}, or WIDTHxHEIGHT; {describe('resolution')}.",
)
@click.option(
    "--image", "source_images", metavar="FILE_OR_URL", multiple=True, help="A picture to start from; repeatable."
)
@click.option(
    "--set",
    "settings",
    metavar="FIELD=VALUE",
    multiple=True,
    help=f"Any field of the API: {', '.join(field.name for field in SUBMIT.fields)}.",
)
@click.option(
    "--allow-unrecognized-sources",
    is_flag=True,
    help="Send source images of no known picture format, and image URLs that are not http(s).",
)
@waiting_options
@click.option("--sandbox", is_flag=True, help="Use a local stand-in of the service, started for this run.")
@click.option("--dry-run", "dry", is_flag=True, help="Print the request and its cost; send nothing. Needs no key.")
@service_options
@timeouts_option
@json_option
@click.pass_obj
def generate(
    terminal: Terminal,
    /,
    *,
    prompt: str,
    source_images: tuple[str, ...],
    settings: tuple[str, ...],
    directory: Path,
    base_url: str | None,
    api_key_file: Path | None,
    timeout: float,
    timeouts: Timeouts | None,
    allow_unrecognized_sources: bool,
    sandbox: bool,
    dry: bool,
    **given: Any,
) -> None:
    """Make pictures from PROMPT and save them; - reads the prompt from standard input.

    The paths are printed on stdout, everything else on stderr. The task's id is printed as soon as it is known, and
    recorded: "seedream task" without an ID lists the latest ones, also after a crash.

    \b
      seedream generate "a lighthouse at dawn" -r 16:9 -n 4 -o pictures
      seedream generate "the same in winter" --image lighthouse.png
      seedream generate "a lighthouse" --sandbox
    """  # noqa: D301 -- click's mark for text that stays as it is
    if sandbox and (dry or base_url or api_key_file):
        raise click.UsageError("--sandbox cannot be combined with --dry-run, --base-url or --api-key-file")
    if allow_unrecognized_sources:
        given["allow_unrecognized_sources"] = True
    submission = _check(_read_prompt(prompt), given, source_images, settings)
    if dry:
        _print_request(terminal, submission, base_url)
        return
    ensure_writable(directory)
    with (
        open_service(terminal, base_url, api_key_file, sandbox=sandbox) as (key, url),
        SeeDream(key, base_url=url, timeouts=timeouts) as client,
        task_progress(terminal) as progress,
    ):
        line = TaskLine(progress, plural(submission.images, "picture"))
        resume = partial(
            resume_command, images=submission.images, directory=directory, base_url=base_url, api_key_file=api_key_file
        )
        record = None if sandbox else TaskRecorder(submission, directory, base_url)
        taskid = _submit(terminal, client, submission, line, record=record, resume=None if sandbox else resume)
        task = client.task(taskid, images=submission.images)
        line.show_state(tr("waiting"))
        files = task.save(directory, timeout=timeout, progress=line.show_progress)
    print_saved(terminal, taskid, files, cost=submission.images, sandbox=sandbox)


def _submit(
    terminal: Terminal,
    client: SeeDream,
    submission: Submission,
    line: TaskLine,
    *,
    record: TaskRecorder | None,
    resume: Callable[[str], str] | None,
) -> str:
    """Submit, print the task's id at once, and defer an interrupt that arrives while the request is under way."""

    def accepted(taskid: str) -> None:
        terminal.taskid = taskid
        if resume is None:
            terminal.print_note(tr("Task {taskid} accepted.", taskid=taskid))
            return
        terminal.resume = resume(taskid)
        terminal.print_note(
            tr("Task {taskid} accepted. If this stops: {command}", taskid=taskid, command=terminal.resume)
        )

    def warn() -> None:
        line.show_state(tr("finishing the submission"))
        terminal.print_note(
            tr("Waiting for the answer to a paid request. Ctrl-C again gives it up; it may have been billed.")
        )

    deferred = DeferInterrupt(record, accepted, warn)
    with handling_signals(deferred.on_signal):
        taskid = client.run(client.submission_workflow(submission, deferred, line.show_progress))
    if deferred.interrupted:
        raise KeyboardInterrupt
    return taskid


def _print_request(terminal: Terminal, submission: Submission, base_url: str | None) -> None:
    """Print the request with the key masked, and what it would cost. No key is needed.

    Raises:
        ConfigError: The base URL or the set-up is unusable, so that the request could not be sent.
    """
    with SeeDream(_MASKED, base_url=base_url) as client:
        url = f"{client.service.base_url}{SUBMIT.path}"
    headers = [(AUTH_HEADER, f"{AUTH_HEADER_SCHEME} {_MASKED}"), ("Content-Type", "multipart/form-data")]
    fields = [(name, text) for name, value in submission.values.items() for text in _form_texts(value)]
    files = [(name, file) for name, files in submission.files.items() for file in files]
    terminal.print_json(
        {
            "dry_run": True,
            "request": {
                "method": SUBMIT.method.upper(),
                "url": url,
                "headers": [{"name": name, "value": value} for name, value in headers],
                "fields": [{"name": name, "value": text} for name, text in fields],
                "files": [
                    {"name": name, "filename": file.name, "media_type": file.media_type, "bytes": file.size}
                    for name, file in files
                ],
            },
            "images": submission.images,
        }
    )
    terminal.print_result(f"{SUBMIT.method.upper()} {url}", style="bold")
    for name, value in headers:
        terminal.print_result(f"  {name}: {value}")
    _print_section(
        terminal, tr("Form fields"), [(name, text if text.isprintable() else repr(text)) for name, text in fields]
    )
    _print_section(
        terminal,
        tr("Files"),
        [(name, f"{file.name}  {file.media_type}  {plural(file.size, 'byte')}") for name, file in files],
    )
    cost = plural(submission.images, "image")
    terminal.print_result("\n" + tr("Nothing was sent. If sent, it would cost {cost}.", cost=cost))


def _print_section(terminal: Terminal, title: str, rows: list[tuple[str, Any]]) -> None:
    if rows:
        terminal.print_result(f"\n{title}", style="bold")
    for name, text in rows:
        terminal.print_result(f"  {name:<13}{text}")


def _form_texts(value: WireValue) -> list[str]:
    """Return the text of each form field that the value becomes."""
    items = value if isinstance(value, list) else [value]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in items]
