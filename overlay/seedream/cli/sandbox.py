"""``seedream sandbox``: runs the local stand-in of the service until Ctrl-C."""

import secrets
import ssl
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
_FILE: Final = click.Path(path_type=Path)


@command()
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="0 takes a free one.")
@click.option(
    "--images-port", type=click.IntRange(0, 65535), default=0, show_default=True, help="Port of the image host."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Anything but loopback warns.")
@click.option("--public-url", metavar="URL", help="Address of the API as clients reach it (container, proxy).")
@click.option("--public-images-url", metavar="URL", help="Likewise of the image host; default: with --images-port.")
@click.option("--tls-cert", type=_FILE, metavar="FILE", help="Serve HTTPS with this certificate (PEM).")
@click.option("--tls-key", type=_FILE, metavar="FILE", help="Its private key (PEM), where --tls-cert does not hold it.")
@click.option(
    "--inspector",
    type=click.Choice(["local", "open", "off"]),
    default="local",
    show_default=True,
    help="Who may use the page at / and its JSON: this machine, everyone who reaches the port, nobody.",
)
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
@click.option(
    "--key",
    "keys",
    metavar="KEY",
    multiple=True,
    help="Accept only these keys, each with tasks and credits of its own; repeatable. Default: any.",
)
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
@click.option("--log/--no-log", default=True, show_default=True, help="Print a line for each request (stderr).")
@click.option("--list-faults", is_flag=True, help="List the faults with their options, and stop.")
@json_option
@click.pass_obj
def sandbox(
    terminal: Terminal,
    /,
    *,
    balance: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    seed: int | None,
    faults: tuple[str, ...],
    plans: tuple[Path, ...],
    list_faults: bool,
    log: bool,
    **settings: Any,
) -> None:
    """Run a local stand-in of the service: real pictures, real failures, no cost. Ctrl-C stops it.

    It binds to loopback and prints how to use it. With another --host, other machines can reach it: never use
    keys of the real service with it.

    \b
      seedream sandbox --credits 20 --fail "cut-reply nth=3"
    """  # noqa: D301 -- click's mark for text that stays as it is
    package: Any = load_extra("seedream_sandbox", "sandbox")
    if list_faults:
        kinds = package.KINDS.values()
        terminal.print_table([(kind.usage, kind.summary) for kind in kinds])
        terminal.print_json(
            {"faults": {one.name: {"summary": one.summary, "options": dict(one.options)} for one in kinds}}
        )
        return
    try:
        given = [*map(package.parse_fault, faults), *(fault for plan in plans for fault in package.load_plan(plan))]
    except package.FaultError as error:
        raise click.BadParameter(str(error), param_hint="'--fail' or '--faults'") from None
    # With another seed, task ids differ from those of an earlier run, whose pictures are then not taken for these.
    seed = secrets.randbits(32) if seed is None else seed
    try:
        if tls_cert is not None:
            for file in filter(None, (tls_cert, tls_key)):
                file.open("rb").close()  # the error of ssl does not name the file
            settings["tls"] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            settings["tls"].load_cert_chain(tls_cert, tls_key)
        stand_in = package.Sandbox(credits=balance, seed=seed, faults=given, **settings)
    except OSError as error:
        path = tls_cert if isinstance(error, ssl.SSLError) else error.filename or settings["ledger_path"]
        raise ConfigError(
            f"cannot use the file {quote(str(path))}: {error.strerror or error}",
            hint="Choose another with --ledger, --tls-cert or --tls-key.",
        ) from None
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    try:
        with warnings.catch_warnings(record=True, action="always") as caught:
            stand_in.start()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"cannot serve on {quote(settings['host'])} port {settings['port']}: {reason}",
            hint="Choose another with --host, --port or --images-port; port 0 takes a free one.",
        ) from None
    for warning in caught:
        terminal.print_note(f"Warning: {warning.message}", style="yellow")
    terminal.print_json({"base_url": stand_in.base_url, "images_url": stand_in.images_url, "api_key": stand_in.api_key})
    say = terminal.print_note if terminal.as_json else terminal.print_result
    package.run_server(stand_in, say, log=terminal.print_note if log else None)
