"""Help texts: translated where the locale is Chinese, and wrapped by the width of what is shown."""

import re
import shutil
from collections.abc import Callable, Iterable
from typing import Any, Final

import click
from rich.cells import cell_len, chop_cells

from seedream.cli.language import is_chinese, translate

_FIRST_COLUMN: Final = 30  # characters; a longer first column gets a line of its own
_NARROW: Final = 60  # columns of a terminal; below it the second column is written under the first
_NARROWEST: Final = 30
_WIDEST: Final = 90  # longer lines are harder to read


class _Formatter(click.HelpFormatter):
    """Click's formatter, which also knows Chinese and narrow terminals."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        columns = shutil.get_terminal_size().columns
        super().__init__(indent_increment, width or max(min(columns - 1, max_width or _WIDEST), _NARROWEST))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, translate("Usage: ") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{translate(f'{heading}:')}\n")

    def write_text(self, text: str) -> None:
        for number, paragraph in enumerate(text.split("\n\n")):
            if number:
                self.write("\n")
            self._write_paragraph(paragraph)

    def _write_paragraph(self, text: str) -> None:
        if text.startswith("\b\n"):  # click's mark for text that stays as it is
            for line in text[2:].splitlines():
                self.write(f"{'':>{self.current_indent}}{line}\n")
            return
        text = translate(" ".join(text.split()))
        for line in wrap_cells(text, self.width - self.current_indent):
            self.write(f"{'':>{self.current_indent}}{line}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = _FIRST_COLUMN, col_spacing: int = 2) -> None:
        rows = list(rows)
        narrow = self.width < _NARROW
        first = 0 if narrow else min(max(cell_len(name) for name, _ in rows), col_max) + col_spacing
        indent = self.current_indent
        for name, text in rows:
            self.write(f"{'':>{indent}}{name}")
            column = indent + 4 if narrow else indent + first
            lines = wrap_cells(_translate_help(text), max(self.width - column, 10))
            if lines and cell_len(name) <= first - col_spacing:
                self.write(f"{'':>{first - cell_len(name)}}{lines.pop(0)}")
            self.write("\n")
            for line in lines:
                self.write(f"{'':>{column}}{line}\n")


class _Context(click.Context):
    formatter_class = _Formatter


class Command(click.Command):
    """A command whose help is shown in the user's language."""

    context_class = _Context

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the first line of the help, in full: the table of commands is wrapped, not cut."""
        del limit
        return super().get_short_help_str(1000)


class Group(click.Group):
    """A group whose help is shown in the user's language."""

    context_class = _Context
    command_class = Command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands in the order in which they are defined."""
        del ctx
        rows = [(name, command.get_short_help_str()) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def command(**attributes: Any) -> Callable[[Callable[..., Any]], Command]:
    """Return click's ``command`` decorator for a Command of ours."""
    return click.command(cls=Command, **attributes)


def _translate_help(text: str) -> str:
    """Translate the help of an option, and what click appends to it in brackets."""
    if not is_chinese():
        return text
    body, bracket, extra = text.partition("  [")
    parts = [translate(part) for part in extra.removesuffix("]").split("; ")] if bracket else []
    return translate(body) + (f"  [{'; '.join(parts)}]" if parts else "")


_WIDE: Final = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6"
_OPENING: Final = "（《“‘([{"
_CLOSING: Final = "，。；：、！？）》”’)]},.;:!?"
# What is not broken: a word, or one wide character, with the brackets before it and the punctuation behind it.
_TOKEN: Final = re.compile(rf"\s+|[{re.escape(_OPENING)}]*(?:[{_WIDE}]|[^\s{_WIDE}]+)[{re.escape(_CLOSING)}]*")


def wrap_cells(text: str, width: int) -> list[str]:
    """Wrap a text into lines of at most so many terminal cells; a Chinese character takes two."""
    lines, line = [], ""
    for token in _TOKEN.findall(text):
        if token.isspace():
            line += " " if line else ""
        elif cell_len(line + token) <= width:
            line += token
        else:
            if line.strip():
                lines.append(line.rstrip())
            *whole, line = chop_cells(token, width) if cell_len(token) > width else [token]
            lines += whole
    return [*lines, line.rstrip()] if line.strip() else lines
