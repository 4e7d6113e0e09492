"""Writes results to standard output and everything else to standard error; with ``--json``, results are JSON."""

import errno
import json
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from io import TextIOWrapper
from typing import Any, Final, NoReturn

import click
from rich.cells import cell_len
from rich.console import Console

from seedream._support.redact import redact
from seedream.cli.help_text import wrap_cells

_UTF8: Final = "utf-8"
_COMMAND: Final = "seedream "  # a line with a command is not broken, so that it can be copied
_NARROW: Final = 60  # columns
_SHORT_LABEL: Final = 10  # columns; a text beside it has room even in a narrow terminal


class OutputError(Exception):
    """Standard output cannot be written; the OSError is its cause."""


class _Console(Console):
    """A console whose broken pipe is handled where the run ends."""

    def on_broken_pipe(self) -> NoReturn:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Terminal:
    """The two streams of a command.

    Args:
        as_json: Print one JSON document on standard output, and nothing else there.

    Attributes:
        secrets: Texts that never appear in what is printed: keys.
        taskid: The task that this run is about, as soon as it is known.
        resume: The command that saves that task's pictures.
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
        """Standard output. Terminals wrap lines themselves, so that piped text stays as it is."""
        return _Console(soft_wrap=True, markup=False, highlight=False, emoji=False)

    @cached_property
    def err(self) -> Console:
        """Standard error."""
        return _Console(stderr=True, soft_wrap=True, markup=False, highlight=False, emoji=False)

    @cached_property
    def interactive(self) -> bool:
        """Whether standard error is a terminal, so that progress is worth showing."""
        with suppress(AttributeError, ValueError):
            return sys.stderr.isatty() and not self.err.is_dumb_terminal
        return False

    def print_result(self, text: str, style: str = "") -> None:
        """Print a line of the result; nothing where JSON was asked for.

        Raises:
            OutputError: Standard output cannot be written.
        """
        if not self.as_json:
            with _output_errors():
                self.out.print(redact(text, *self.secrets), style=style)

    def print_note(self, text: str, style: str = "") -> None:
        """Print a line on standard error. Where it cannot be written, the run goes on: what is paid for is fetched."""
        too_wide = "\n" not in text and cell_len(text) > self.err.width
        if self.err.is_terminal and too_wide and _COMMAND not in text:
            indent = " " * (len(text) - len(text.lstrip()))
            text = "\n".join(indent + line for line in wrap_cells(text, max(self.err.width - len(indent), 20)))
        with suppress(OSError, ValueError, RuntimeError):  # the last: a signal arrived while something was printed
            self.err.print(redact(text, *self.secrets), style=style)

    def print_table(self, rows: Sequence[tuple[str, str]], *, indent: int = 0) -> None:
        """Print labels and texts in two columns; in a terminal that is too narrow, each text under its label."""
        width = max((cell_len(label) for label, _ in rows), default=0)
        narrow = self.out.is_terminal and self.out.width < _NARROW
        for label, text in rows:
            if narrow and width > _SHORT_LABEL:
                self.print_result(" " * indent + label)
                self.print_result(self.indented(" " * (indent + 2), text))
            else:
                first = " " * indent + label + " " * (width - cell_len(label) + 2)
                self.print_result(self.indented(first, text))

    def indented(self, label: str, text: str) -> str:
        """Return the text behind its label; in a terminal it is wrapped under itself."""
        if not self.out.is_terminal or "\n" in text:
            return label + text
        width = cell_len(label)
        return label + ("\n" + " " * width).join(wrap_cells(text, max(self.out.width - width, 20)))

    def print_json(self, value: Any) -> None:
        """Print the one JSON document; nothing where JSON was not asked for.

        Raises:
            OutputError: Standard output cannot be written.
        """
        if self.as_json:
            encoding = (getattr(sys.stdout, "encoding", None) or _UTF8).lower().replace("_", "-")
            text = json.dumps(_clean(value, self.secrets), indent=2, ensure_ascii=encoding != _UTF8)
            with _output_errors():
                click.echo(text)

    def flush(self) -> None:
        """Write what standard output still holds.

        Raises:
            OutputError: Standard output cannot be written.
        """
        if sys.stdout is not None:
            with _output_errors():
                sys.stdout.flush()


@contextmanager
def _output_errors() -> Generator[None]:
    """Mark an OSError as one of standard output, so that no other file's is taken for it."""
    try:
        yield
    except OSError as error:
        raise OutputError from error


def _clean(value: Any, secrets: set[str]) -> Any:
    if isinstance(value, str):
        return redact(value, *secrets)
    if isinstance(value, dict):
        return {key: _clean(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, secrets) for item in value]
    return value
