"""``seedream sandbox``: the local stand-in of the service, until Ctrl-C."""

import secrets
import threading
from pathlib import Path
from typing import Any, Final

import click

from seedream._config import KEY_VARIABLE, URL_VARIABLE
from seedream._text import quote
from seedream.cli._extras import load
from seedream.cli._options import json_option
from seedream.cli._terminal import Terminal
from seedream.errors import ConfigError

_PORT: Final = 8645


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Anything but loopback warns.")
@click.option("--credits", "balance", type=click.IntRange(0), default=1000, show_default=True, help="To start with.")
@click.option("--seed", type=int, help="Decides ids, pictures and chances; by default another each time.")
@click.option(
    "--progress",
    type=click.Choice(["polls", "time", "instant"]),
    default="polls",
    show_default=True,
    help="What moves a task on.",
)
@click.option("--latency", type=click.FloatRange(0, 86400), default=1.0, help="Seconds a task takes (progress: time).")
@click.option("--polls", type=click.IntRange(0), default=2, help="Queries a task takes (progress: polls).")
@click.option(
    "--pictures", type=click.Choice(["painted", "plain"]), default="painted", show_default=True, help="Plain is fast."
)
@click.option("--key", "keys", metavar="KEY", multiple=True, help="Accept this key alone; repeatable. Default: any.")
@click.option("--fault", "faults", metavar="FAULT", multiple=True, help="Go wrong: 'cut-reply nth=2'; repeatable.")
@click.option(
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
      seedream sandbox --credits 20 --fault "cut-reply nth=3"
    """  # noqa: D301 -- click's mark for text that stays as it is
    package: Any = load("seedream.sandbox", "sandbox")
    if list_faults:
        for name, kind in package.KINDS.items():
            terminal.result(f"{name:<18} {kind.summary}")
        return
    try:
        given = [*map(package.parse_fault, faults), *(fault for plan in plans for fault in package.load_plan(plan))]
    except package.FaultError as error:
        raise click.BadParameter(str(error), param_hint="'--fault' or '--plan'") from None
    # Ids that differ from those of an earlier run keep its pictures from being taken for those of this one.
    seed = secrets.randbits(32) if seed is None else seed
    stand_in = package.Sandbox(host=host, port=port, credits=balance, seed=seed, faults=given, **settings)
    try:
        stand_in.start()
    except OSError as error:
        raise ConfigError(
            f"cannot serve on {quote(host)} port {port}: {error.strerror or error}",
            hint="Choose another with --port; 0 takes a free one.",
        ) from None
    try:
        _serve(terminal, stand_in)
    finally:
        stand_in.stop()


def _serve(terminal: Terminal, stand_in: Any) -> None:
    """Say how to use it, and wait for Ctrl-C."""
    for line in (
        f"Sandbox of the service at {stand_in.base_url}: no cost, nothing leaves this machine. Ctrl-C stops it.",
        f"  export {URL_VARIABLE}={stand_in.base_url} {KEY_VARIABLE}={stand_in.api_key}",
        '  seedream generate "a lighthouse at dawn" -r 16:9',
        f"  look inside: {stand_in.base_url}/",
    ):
        terminal.result(line)
    terminal.document({"base_url": stand_in.base_url, "images_url": stand_in.images_url, "api_key": stand_in.api_key})
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        charged = sum(charge.images for charge in stand_in.charges)
        terminal.note(f"Stopped. Images charged: {charged}; credits left: {stand_in.credits}.")
