"""``seedream rules`` and ``seedream explain``: the rules of the API's page, from the ledger."""

import click

from seedream.cli import rule_text
from seedream.cli.help_text import command
from seedream.cli.options import json_option
from seedream.cli.terminal import Terminal


@command()
@json_option
@click.pass_obj
def rules(terminal: Terminal) -> None:
    """List the rules that the API's page states, and what they rest on."""
    terminal.print_table(rule_text.overview())
    terminal.print_json({"rules": [rule_text.as_data(rule_text.find_rule(rule)) for rule in rule_text.rule_ids()]})


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    del ctx, param
    return [rule for rule in rule_text.rule_ids() if rule.startswith(incomplete.upper())]


@command()
@click.argument("names", metavar="RULE...", nargs=-1, required=True, shell_complete=_complete)
@json_option
@click.pass_obj
def explain(terminal: Terminal, /, *, names: tuple[str, ...]) -> None:
    """Explain each RULE: the vendor's sentence, its facts and place, what enforces it, which tests guard it.

    \b
      seedream explain RES-PIXELS
    """  # noqa: D301 -- click's mark for text that stays as it is
    try:
        found = [rule_text.find_rule(name) for name in names]
    except rule_text.UnknownRule as error:
        raise click.UsageError(str(error)) from None
    for number, rule in enumerate(found):
        terminal.print_result(("\n" if number else "") + rule.id, style="bold")
        terminal.print_table(rule_text.explain(rule), indent=2)
    terminal.print_json({"rules": [rule_text.as_data(rule) for rule in found]})
