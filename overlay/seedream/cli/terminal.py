"""What is printed, and where: results on stdout, everything else on stderr; one JSON document where asked for."""

import errno
import json
import os
import sys
from contextlib import suppress
from functools import cached_property
from io import TextIOWrapper
from typing import Any, Final, NoReturn

import click
from rich.console import Console

from seedream._support.redact import redact

_UTF8: Final = "utf-8"


class _Console(Console):
    """Lets a closed pipe be handled where the run ends."""

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Terminal:
    """The two streams of a command.

    Args:
        as_json: Print one JSON document on stdout, and nothing else there.

    Attributes:
        secrets: Texts that never appear in what is printed: keys.
        taskid: The task that this run is about, as soon as it is known.
        resume: The command that goes on with that task.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.secrets: set[str] = set()
        self.taskid: str | None = None
        self.resume = ""
        for stream in (sys.stdout, sys.stderr):
            # A character that the stream cannot show is escaped; it never ends the command.
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")

    @cached_property
    def out(self) -> Console:
        """Stdout. Terminals wrap lines themselves, so that piped text stays as it is."""
        return _Console(soft_wrap=True, markup=False, highlight=False, emoji=False)

    @cached_property
    def err(self) -> Console:
        """Stderr."""
        return _Console(stderr=True, soft_wrap=True, markup=False, highlight=False, emoji=False)

    @cached_property
    def lively(self) -> bool:
        """Whether somebody watches stderr: only then is progress shown."""
        with suppress(AttributeError, ValueError):
            return sys.stderr.isatty() and not self.err.is_dumb_terminal
        return False

    def result(self, text: str, style: str = "") -> None:
        """A line of the result; nothing where JSON was asked for."""
        if not self.as_json:
            self.out.print(redact(text, *self.secrets), style=style)

    def note(self, text: str, style: str = "") -> None:
        """A line for people, on stderr. Where nobody can read it, the run goes on: what is paid for is fetched."""
        with suppress(OSError, ValueError, RuntimeError):  # the last: a signal came while something was being printed
            self.err.print(redact(text, *self.secrets), style=style)

    def document(self, value: Any) -> None:
        """The one JSON document; nothing where JSON was not asked for."""
        if self.as_json:
            encoding = (getattr(sys.stdout, "encoding", None) or _UTF8).lower().replace("_", "-")
            text = json.dumps(_clean(value, self.secrets), indent=2, ensure_ascii=encoding != _UTF8)
            click.echo(text)


def _clean(value: Any, secrets: set[str]) -> Any:
    if isinstance(value, str):
        return redact(value, *secrets)
    if isinstance(value, dict):
        return {key: _clean(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, secrets) for item in value]
    return value
