"""The program ``seedream``: its commands, and the one place where a run ends."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, NoReturn, cast

import click
from attrs import frozen

from seedream import __version__
from seedream.cli import runner
from seedream.cli.exit_codes import TABLE
from seedream.cli.help_text import Group

_NAME: Final = "seedream"
_COMPLETION: Final = "_SEEDREAM_COMPLETE"  # set by the shell that asks for completions


@frozen
class Entry:
    """Where a command is defined (``module:attribute``), and its line in the list of commands."""

    where: str
    summary: str


COMMANDS: Final = {
    "generate": Entry("seedream.cli.generate:generate", "Make pictures from a prompt."),
    "check": Entry("seedream.cli.rules:check", "Check resolutions against the rules."),
    "task": Entry("seedream.cli.task:task", "Show the state of a task, or list the latest ones."),
    "wait": Entry("seedream.cli.task:wait", "Wait for a task and save its pictures."),
    "bulk": Entry("seedream.cli.bulk:bulk", "Run thousands of prompts; survives crashes and never pays twice."),
    "rules": Entry("seedream.cli.rules:rules", "List the rules that the API's page states."),
    "explain": Entry("seedream.cli.rules:explain", "Explain one rule: sentence, facts, enforcement, tests."),
    "sandbox": Entry("seedream.cli.sandbox:sandbox", "Run a local stand-in of the service."),
    "contract": Entry("seedream.cli.contract:contract", "Check any server of the API against the page."),
    "demo": Entry("seedream.cli.demo.command:demo", "Make a few pictures in the sandbox, and a contact sheet."),
}


class App(Group):
    """The group of all commands, each imported when it is used, so that ``seedream --help`` is quick.

    Every run ends with an exit code of the table, never with a traceback.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names without importing a command."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, or return None where there is none of that name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = entry.where.partition(":")
        return cast("click.Command", getattr(import_module(module), attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing one."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def main(  # type: ignore[override]  # one signature instead of click's overloads
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: Any,
    ) -> NoReturn:
        """Run the command line, and end the process."""
        if _COMPLETION in os.environ:
            super().main(args, _NAME, **extra)
        arguments = list(sys.argv[1:] if args is None else args)

        def invoke(obj: object) -> object:
            # As click's own main does; how the run ends is decided by ``runner``.
            with self.make_context(prog_name or _NAME, list(arguments), obj=obj) as context:
                return self.invoke(context)

        sys.exit(runner.run(invoke, arguments).code)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of exit codes below the commands, and the environment variables."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(one.code), one.meaning) for one in TABLE])
        with formatter.section("Environment variables"):
            formatter.write_dl(list(VARIABLES.items()))


VARIABLES: Final = {
    "TENSORSLAB_API_KEY": "The API key.",
    "TENSORSLAB_BASE_URL": "The service, for a sandbox or a gateway.",
    "SEEDREAM_STATE_DIR": 'Folder of the record that "seedream task" lists.',
    "SEEDREAM_LANG": "Language of the messages: zh or en; by default that of the locale.",
    "SEEDREAM_LOG": "info or debug prints what is sent and answered, without secrets.",
    "SEEDREAM_DEBUG": "1 prints the traceback of an error, to report it.",
}


@click.group(_NAME, cls=App, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=_NAME, message="%(prog)s %(version)s")
def app() -> None:
    """Make pictures with the TensorsLab SeeDreamV4.5 API.

    A request that breaks a rule of the API is refused here, before it costs. A paid request is sent at most once.
    The key is read from TENSORSLAB_API_KEY, and never printed. To try it without a key or cost, add --sandbox.
    """
