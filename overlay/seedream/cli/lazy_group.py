"""A group whose commands are imported when they are used, so that ``seedream --help`` is quick."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

import click
from attrs import frozen

from seedream.cli.help_text import Group


@frozen
class Entry:
    """Where a command is defined (``module:attribute``), and its line in the list of commands."""

    where: str
    summary: str


class LazyGroup(Group):
    """A group of ``Entry`` commands by name, listed in the order given."""

    def __init__(self, entries: Mapping[str, Entry], **attributes: Any) -> None:
        super().__init__(**attributes)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names without importing a command."""
        return [*self.entries, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, or return None where there is none of that name."""
        entry = self.entries.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = entry.where.partition(":")
        return cast("click.Command", getattr(import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing one."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items()])
