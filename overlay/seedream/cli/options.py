"""Options that several commands share, and the client that they describe."""

import math
import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from attrs import fields

from seedream import SeeDream, Timeouts
from seedream._support.config import KEY_VARIABLE, URL_VARIABLE, api_key
from seedream._support.config import base_url as read_base_url
from seedream._support.redact import quote
from seedream._support.secret import Secret
from seedream._support.shell import shell_command
from seedream.cli.extras import load_extra
from seedream.cli.language import tr
from seedream.cli.terminal import Terminal
from seedream.client import DEFAULT_WAIT
from seedream.errors import ConfigError

Command = TypeVar("Command", bound=Callable[..., Any])
_PHASES: Final = tuple(field.name for field in fields(Timeouts))
_LONGEST_KEY_FILE: Final = 10_000  # bytes: a larger file holds something else


def _seconds(ctx: click.Context, param: click.Parameter, value: float) -> float:
    if not math.isfinite(value) or value < 0:
        raise click.BadParameter(f"{value} is not a number of seconds from 0", ctx, param)
    return value


def add_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that adds these options to a command, in this order of its help text."""

    def add(command: Command) -> Command:
        return reduce(lambda made, option: option(made), reversed(options), command)

    return add


# Its value is read by ``runner.run``, which also needs it when the options cannot be parsed.
json_option = click.option("--json", is_flag=True, expose_value=False, help="Print one JSON document, errors too.")
service_options = add_options(
    click.option(
        "--base-url", metavar="URL", help=f"The service; by default {URL_VARIABLE}, else the one of the API's page."
    ),
    click.option(
        "--api-key-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=f"File that holds the key; by default it is in {KEY_VARIABLE}.",
    ),
)


def _timeouts(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> Timeouts | None:
    """Read ``PHASE=SECONDS`` texts; None where there is none."""
    given: dict[str, Any] = {}
    for value in values:
        name, _, text = value.partition("=")
        name = name.strip().replace("-", "_")
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if name not in _PHASES or not math.isfinite(seconds) or seconds <= 0:
            names = ", ".join(_PHASES)
            raise click.BadParameter(f"{value!r} is not PHASE=SECONDS with a phase of {names}", ctx, param)
        given[name] = seconds
    return Timeouts(**given) if given else None


timeouts_option = click.option(
    "--network-timeout",
    "timeouts",
    multiple=True,
    callback=_timeouts,
    metavar="PHASE=SECONDS",
    help=f"Time limit of a phase of a request; repeatable. Phases: {', '.join(_PHASES)}.",
)
waiting_options = add_options(
    click.option(
        "-o",
        "--output",
        "directory",
        type=click.Path(path_type=Path),
        default=Path(),
        metavar="DIR",
        help="Where the pictures go; by default here.",
    ),
    click.option(
        "--timeout",
        type=float,
        callback=_seconds,
        default=DEFAULT_WAIT,
        metavar="SECONDS",
        help=f"How long to wait for the pictures, default {DEFAULT_WAIT:.0f}; the task is not lost after it.",
    ),
)


def read_service(terminal: Terminal, base_url: str | None, api_key_file: Path | None) -> tuple[str, str]:
    """Return the key and the base URL that the service options give. The key is kept out of all output.

    Raises:
        ConfigError: The key, its file or the base URL is unusable.
    """
    if api_key_file is None and not os.environ.get(KEY_VARIABLE, "").strip():
        raise ConfigError("no API key", hint=f"Set {KEY_VARIABLE} or give --api-key-file; without a key try --sandbox.")
    key = api_key(Secret(None if api_key_file is None else read_key_file(api_key_file)))
    terminal.secrets.add(key)
    return key, read_base_url(Secret(base_url))


def open_client(
    terminal: Terminal, base_url: str | None, api_key_file: Path | None, timeouts: Timeouts | None = None
) -> SeeDream:
    """Return the client for the service options.

    Raises:
        ConfigError: The key, its file or the base URL is unusable.
    """
    key, url = read_service(terminal, base_url, api_key_file)
    return SeeDream(key, base_url=url, timeouts=timeouts)


def read_key_file(path: Path) -> str:
    """Read the key file. A message may show its path, never its content."""
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_KEY_FILE + 1)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "it is not text"
        raise ConfigError(f"cannot read the key file {quote(str(path))}: {reason}", hint="Check the path.") from None
    if not text.strip() or len(content) > _LONGEST_KEY_FILE:
        what = "larger than any key" if text.strip() else "empty"
        raise ConfigError(f"the key file {quote(str(path))} is {what}", hint="Put the key in it, and nothing else.")
    return text


def resume_command(
    taskid: str, images: int | None, directory: Path, base_url: str | None, api_key_file: Path | None
) -> str:
    """Return the command that waits for a task and saves its pictures in the same place."""
    options: list[str] = []
    if images is not None and images != 1:
        options += ["-n", str(images)]
    if directory != Path():
        options += ["-o", str(directory)]
    if base_url:
        options += ["--base-url", base_url]
    if api_key_file:
        options += ["--api-key-file", str(api_key_file)]
    return shell_command("seedream wait", [taskid], options)


@contextmanager
def open_service(
    terminal: Terminal, base_url: str | None, api_key_file: Path | None, *, sandbox: bool
) -> Generator[tuple[str, str]]:
    """Give the key and the base URL of the service, or of a sandbox that is started for this run.

    With another seed, the sandbox's task ids differ from those of an earlier run, whose pictures are then not taken
    for these.

    Raises:
        ConfigError: As ``read_service``.
    """
    if not sandbox:
        yield read_service(terminal, base_url, api_key_file)
        return
    with load_extra("seedream_sandbox", "sandbox").Sandbox(seed=secrets.randbits(32)) as service:
        terminal.print_note(tr("Sandbox at {url}: nothing leaves this machine, nothing is paid.", url=service.base_url))
        yield service.api_key, service.base_url
