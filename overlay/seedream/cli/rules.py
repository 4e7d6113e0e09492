"""``seedream rules``, ``explain`` and ``check``: the rules of the API's page, and resolutions held against them."""

from typing import Any

import click
from tensorslab_images.rules import RULES

from seedream import InvalidResolution, Resolution
from seedream.cli import error_output, exit_codes, rule_text
from seedream.cli.help_text import command
from seedream.cli.language import tr
from seedream.cli.options import json_option
from seedream.cli.terminal import Terminal


@command()
@json_option
@click.pass_obj
def rules(terminal: Terminal) -> None:
    """List the rules that the API's page states, and what they rest on."""
    terminal.print_table(rule_text.overview())
    terminal.print_json({"rules": list(map(rule_text.as_data, RULES.values()))})


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    del ctx, param
    return [rule for rule in RULES if rule.startswith(incomplete.upper())]


@command()
@click.argument("names", metavar="RULE...", nargs=-1, required=True, shell_complete=_complete)
@json_option
@click.pass_obj
def explain(terminal: Terminal, /, *, names: tuple[str, ...]) -> None:
    """Explain each RULE: the vendor's sentence, its facts and place, what enforces it, which tests guard it.

    \b
      seedream explain RES-PIXELS
    """  # noqa: D301 -- click's mark for text that stays as it is
    found = [rule_text.find_rule(name) for name in names]
    for number, rule in enumerate(found):
        terminal.print_result(("\n" if number else "") + rule.id, style="bold")
        terminal.print_table(rule_text.explain(rule), indent=2)
    terminal.print_json({"rules": [rule_text.as_data(rule) for rule in found]})


@command(context_settings={"ignore_unknown_options": True})
@click.argument("resolutions", metavar="RESOLUTION...", nargs=-1, required=True)
@json_option
@click.pass_obj
def check(terminal: Terminal, /, *, resolutions: tuple[str, ...]) -> exit_codes.Exit:
    """Check each RESOLUTION: print its canonical form and pixels, or what is wrong and the nearest legal one.

    Ends with 1 if any is not legal. Needs no key and no network.

    \b
      seedream check 16:9 2k 3750x1250 1500x1500
    """  # noqa: D301 -- click's mark for text that stays as it is
    results = [_check_one(terminal, text) for text in resolutions]
    terminal.print_json({"results": results})
    return exit_codes.OK if all(result["ok"] for result in results) else exit_codes.FAILED


def _check_one(terminal: Terminal, text: str) -> dict[str, Any]:
    try:
        legal = Resolution(text)
    except InvalidResolution as error:
        if not terminal.as_json:
            error_output.print_error(terminal, error)
        return {"input": text, "ok": False, "error": error_output.error_document(error)}
    if legal.pixels is not None:
        size = tr("{pixels} pixels", pixels=f"{legal.pixels:,}")
    else:
        size = tr(
            "ratio: the service chooses the size" if legal.kind == "ratio" else "tier: the service chooses the size"
        )
    terminal.print_result(f"{legal.wire:<11} {size}")
    return {
        "input": text,
        "ok": True,
        "resolution": legal.wire,
        "kind": legal.kind,
        "width": legal.width,
        "height": legal.height,
        "pixels": legal.pixels,
    }
