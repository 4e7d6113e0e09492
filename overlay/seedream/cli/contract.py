"""``seedream contract``: checks any server against the API's page."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click

from seedream._support.config import api_key
from seedream._support.config import base_url as read_base_url
from seedream._support.redact import quote
from seedream._support.secret import Secret
from seedream.cli import exit_codes
from seedream.cli.extras import load_extra
from seedream.cli.help_text import command
from seedream.cli.options import json_option, read_key_file, read_service, service_options
from seedream.cli.terminal import Terminal
from seedream.errors import ConfigError

_PATH: Final = click.Path(path_type=Path, dir_okay=False)


@command()
@service_options
@click.option(
    "--plain-http", is_flag=True, help="Allow http to a host that is not this machine: the key travels unencrypted."
)
@click.option("--budget", type=click.IntRange(0), default=0, show_default=True, help="Images that may be paid for.")
@click.option("--unlimited", is_flag=True, help="No budget: for a server that costs nothing.")
@click.option(
    "--second-key-file", type=_PATH, metavar="FILE", help="Key of another account, for what accounts must not share."
)
@click.option("--no-credits-key-file", type=_PATH, metavar="FILE", help="Key of an account without credits.")
@click.option(
    "--charges-url",
    metavar="URL",
    help="Gives the charges of the key's account as JSON: a list of numbers, or of objects with 'images'; "
    "charges of others have an 'account' other than 1.",
)
@click.option("--any-key", is_flag=True, help="The server accepts every key, so an unknown one is not tried.")
@click.option(
    "--only", metavar="RULE", multiple=True, help="Only this rule, relation or example (may hold *); repeatable."
)
@click.option("--allow", metavar="RULE=REASON", multiple=True, help="A known deviation; repeatable.")
@click.option(
    "--allow-file", type=_PATH, metavar="FILE", help="Known deviations in TOML, each with a reason and an end date."
)
@click.option(
    "--keep-going", is_flag=True, help="Go on after a broken rule. It may cost: what is wrongly accepted is charged."
)
@click.option(
    "--patience", type=click.FloatRange(0.1, 86400), default=600, show_default=True, help="Seconds to wait for a task."
)
@click.option("--junit", type=_PATH, metavar="FILE", help="Write the results for a CI, as JUnit XML.")
@click.option("--html", type=_PATH, metavar="FILE", help="Write the results as one page to look at.")
@click.option("--list", "list_only", is_flag=True, help="List the relations, and stop; needs no server.")
@json_option
@click.pass_obj
def contract(
    terminal: Terminal,
    /,
    *,
    base_url: str | None,
    api_key_file: Path | None,
    plain_http: bool,
    second_key_file: Path | None,
    no_credits_key_file: Path | None,
    list_only: bool,
    **options: Any,
) -> exit_codes.Exit:
    """Check a server of the API, in any language, against the rules of the vendor's page.

    Refusals come first and cost nothing; what creates tasks needs a budget. The run ends at the first broken rule.

    \b
      seedream contract --base-url http://127.0.0.1:8000 --unlimited --keep-going --html report.html
      seedream contract --budget 20 --allow "RES-TIER=tracked in issue 7"
    """  # noqa: D301 -- click's mark for text that stays as it is
    engine: Any = load_extra("seedream_testing.contract.command", "testing")
    if list_only:
        terminal.print_table(engine.relation_rows())
        terminal.print_json({"relations": engine.relation_documents()})
        return exit_codes.OK
    local = None if plain_http else base_url
    key, url = read_service(terminal, local, api_key_file)
    if plain_http and base_url:
        url = _plain(base_url)
    others = {
        name: None if path is None else api_key(Secret(read_key_file(path)))
        for name, path in {"second_key": second_key_file, "no_credits_key": no_credits_key_file}.items()
    }
    terminal.secrets |= {one for one in (key, *others.values()) if one}
    try:
        result = engine.run(url, key, report=terminal.print_note, **others, **options)
    except engine.UsageFault as error:
        raise click.UsageError(str(error)) from None
    except engine.Unreachable as error:
        raise ConfigError(str(error), hint="Start the server, or give another --base-url.") from None
    for line in engine.summary(result):
        terminal.print_result(line)
    terminal.print_json(engine.document(result))
    return exit_codes.FAILED if result.failures else exit_codes.OK


def _plain(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or parts.username or parts.query or parts.fragment:
        return read_base_url(Secret(url))
    if any(not one.isprintable() or one == " " for one in url):
        raise ConfigError(
            f"the base URL {quote(url)} is not an http URL", hint="Give, for example, http://server:8000."
        )
    return url.rstrip("/")
