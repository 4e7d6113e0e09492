"""``seedream sandbox``: runs the local stand-in of the service until Ctrl-C."""

import secrets
import warnings
from pathlib import Path
from typing import Any, Final

import click

from seedream._support.redact import quote
from seedream.cli.extras import load_extra
from seedream.cli.help_text import command
from seedream.cli.options import json_option
from seedream.cli.terminal import Terminal
from seedream.errors import ConfigError

_PORT: Final = 8645


@command()
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Anything but loopback warns.")
@click.option("--credits", "balance", type=click.IntRange(0), default=1000, show_default=True, help="To start with.")
@click.option("--seed", type=int, metavar="N", help="Decides ids, pictures and chances; by default another each time.")
@click.option(
    "--progress",
    type=click.Choice(["polls", "time", "instant"]),
    help="What moves a task on; time where --latency is given, otherwise polls.",
)
@click.option("--latency", type=click.FloatRange(0, 86400), help="Seconds a task takes.")
@click.option("--polls", type=click.IntRange(0), default=2, help="Queries a task takes (progress: polls).")
@click.option(
    "--pictures", type=click.Choice(["painted", "plain"]), default="painted", show_default=True, help="Plain is fast."
)
@click.option("--key", "keys", metavar="KEY", multiple=True, help="Accept only this key; repeatable. Default: any.")
@click.option(
    "--fail", "--fault", "faults", metavar="FAULT", multiple=True, help="Go wrong: 'cut-reply nth=2'; repeatable."
)
@click.option(
    "--faults",
    "--plan",
    "plans",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Faults from a YAML file with a list 'faults'; repeatable.",
)
@click.option("--ledger", "ledger_path", type=click.Path(path_type=Path), help="Append each charge to this file.")
@click.option("--list-faults", is_flag=True, help="List the faults there are, and stop.")
@json_option
@click.pass_obj
def sandbox(
    terminal: Terminal,
    /,
    *,
    port: int,
    host: str,
    balance: int,
    seed: int | None,
    faults: tuple[str, ...],
    plans: tuple[Path, ...],
    list_faults: bool,
    **settings: Any,
) -> None:
    """Run a local stand-in of the service: real pictures, real failures, no cost. Ctrl-C stops it.

    It binds to loopback and prints how to use it. Keys of the real service do not belong here.

    \b
      seedream sandbox --credits 20 --fail "cut-reply nth=3"
    """  # noqa: D301 -- click's mark for text that stays as it is
    package: Any = load_extra("seedream_sandbox", "sandbox")
    if list_faults:
        for name, kind in package.KINDS.items():
            terminal.print_result(f"{name:<18} {kind.summary}")
        terminal.print_json({"faults": {name: kind.summary for name, kind in package.KINDS.items()}})
        return
    try:
        given = [*map(package.parse_fault, faults), *(fault for plan in plans for fault in package.load_plan(plan))]
    except package.FaultError as error:
        raise click.BadParameter(str(error), param_hint="'--fail' or '--faults'") from None
    # With another seed, task ids differ from those of an earlier run, whose pictures are then not taken for these.
    seed = secrets.randbits(32) if seed is None else seed
    stand_in = package.Sandbox(host=host, port=port, credits=balance, seed=seed, faults=given, **settings)
    try:
        with warnings.catch_warnings(record=True, action="always") as caught:
            stand_in.start()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"cannot serve on {quote(host)} port {port}: {reason}",
            hint="Choose another with --port; 0 takes a free one.",
        ) from None
    for warning in caught:
        terminal.print_note(f"Warning: {warning.message}", style="yellow")
    terminal.print_json({"base_url": stand_in.base_url, "images_url": stand_in.images_url, "api_key": stand_in.api_key})
    package.run_server(stand_in, terminal.print_note if terminal.as_json else terminal.print_result)
