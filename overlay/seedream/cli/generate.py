"""``seedream generate``: from a prompt to pictures on disk."""

import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
from tensorslab_images.limits import SUBMIT
from tensorslab_images.rules import RES_RATIO_VALUES, RES_TIER_VALUES

from seedream import SeeDream
from seedream._files.partial_file import ensure_writable
from seedream._request.submission import Submission, check_submit
from seedream.cli import dry_run as dry_run_output
from seedream.cli import saving
from seedream.cli.extras import load
from seedream.cli.field_options import describe, known_field, read_settings, read_value
from seedream.cli.interrupt import Shield
from seedream.cli.options import (
    json_option,
    open_client,
    resume_command,
    service_options,
    waiting_options,
)
from seedream.cli.progress import Display, Line
from seedream.cli.terminal import Terminal

_NAMED = {"count": "batchsize", "resolution": "resolution"}


def _submission(
    prompt: str, given: Mapping[str, str | None], images: tuple[str, ...], more: tuple[str, ...]
) -> Submission:
    """The checked request; options that the page no longer knows are refused by the check, by name."""
    options: dict[str, object] = {}
    for name, text in given.items():
        if text is not None:
            field = known_field(_NAMED[name])
            options[_NAMED[name]] = text if field is None else read_value(field, text)
    options |= read_settings(more, taken=("prompt", *options))
    if images:
        options["source_images"] = images
    return check_submit(prompt, options)


@contextmanager
def _client(
    terminal: Terminal, base_url: str | None, api_key_file: Path | None, *, sandbox: bool
) -> Generator[SeeDream]:
    """The client for the service, or for a sandbox that lives as long as it."""
    if not sandbox:
        with open_client(terminal, base_url, api_key_file) as client:
            yield client
        return
    # Another seed gives other task ids: pictures of an earlier run are not taken for those of this one.
    with load("seedream_sandbox", "sandbox").Sandbox(seed=secrets.randbits(32)) as service:
        terminal.note(f"Sandbox at {service.base_url}: nothing leaves this machine, nothing is paid.")
        with SeeDream(service.api_key, base_url=service.base_url) as client:
            yield client


@click.command()
@click.argument("prompt")
@click.option("-n", "--count", metavar="N", help=f"How many pictures: {describe('batchsize')}.")
@click.option(
    "-r",
    "--resolution",
    metavar="SIZE",
    help=f"{' '.join(RES_RATIO_VALUES)}, {' '.join(RES_TIER_VALUES)}, or WIDTHxHEIGHT; {describe('resolution')}.",
)
@click.option("--image", "images", metavar="FILE_OR_URL", multiple=True, help="A picture to start from; repeatable.")
@click.option(
    "--set",
    "settings",
    metavar="FIELD=VALUE",
    multiple=True,
    help=f"Any field of the API: {', '.join(field.name for field in SUBMIT.fields)}.",
)
@waiting_options
@click.option("--sandbox", is_flag=True, help="Use a local stand-in of the service, started for this run.")
@click.option("--dry-run", is_flag=True, help="Print the request and its cost; send nothing. Needs no key.")
@service_options
@json_option
@click.pass_obj
def generate(
    terminal: Terminal,
    /,
    *,
    prompt: str,
    images: tuple[str, ...],
    settings: tuple[str, ...],
    directory: Path,
    base_url: str | None,
    api_key_file: Path | None,
    timeout: float,
    sandbox: bool,
    dry_run: bool,
    **named: Any,
) -> None:
    """Make pictures from PROMPT and save them.

    The paths are printed on stdout, everything else on stderr. The task's id is printed as soon as it is known.

    \b
      seedream generate "a lighthouse at dawn" -r 16:9 -n 4 -o pictures
      seedream generate "the same in winter" --image lighthouse.png
      seedream generate "a lighthouse" --sandbox        (no key, no cost)
    """  # noqa: D301 -- click's mark for text that stays as it is
    if sandbox and (dry_run or base_url or api_key_file):
        raise click.UsageError("--sandbox goes without --dry-run, --base-url and --api-key-file")
    submission = _submission(prompt, named, images, settings)
    if dry_run:
        dry_run_output.show(terminal, submission, base_url)
        return
    ensure_writable(directory)
    with _client(terminal, base_url, api_key_file, sandbox=sandbox) as client, Display(terminal) as display:
        line = display.line("picture" if submission.images == 1 else f"{submission.images} pictures")
        resume = "" if sandbox else partial(
            resume_command, images=submission.images, directory=directory, base_url=base_url, api_key_file=api_key_file
        )  # fmt: skip
        taskid = _submit(terminal, client, submission, line, resume)
        task = client.task(taskid, images=submission.images)
        files = saving.deliver(task, directory, timeout, line)
    saving.tell(terminal, taskid, files, cost=submission.images, sandbox=sandbox)


def _submit(terminal: Terminal, client: SeeDream, submission: Submission, line: Line, resume: Any) -> str:
    """Submit; the task's id is told at once, and a Ctrl-C while the request is under way waits for the answer."""

    def accepted(taskid: str) -> None:
        terminal.taskid = taskid
        terminal.resume = resume(taskid) if resume else ""
        terminal.note(f"Task {taskid} accepted." + (f" If this stops: {terminal.resume}" if resume else ""))

    def warn() -> None:
        line.say("finishing the submission")
        terminal.note("Waiting for the answer to a paid request. Ctrl-C again gives it up; it may be billed.")

    with Shield(accepted, warn) as shield:
        taskid = client.run(client.submission_flow(submission, shield))
    if shield.interrupted:
        raise KeyboardInterrupt
    return taskid
