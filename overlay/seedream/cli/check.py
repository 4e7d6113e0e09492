"""``seedream check``: checks resolutions against the rules."""

from typing import Any

import click

from seedream import InvalidResolution, Resolution
from seedream.cli import error_output, exit_codes
from seedream.cli.help_text import command
from seedream.cli.language import tr
from seedream.cli.options import json_option
from seedream.cli.terminal import Terminal


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
