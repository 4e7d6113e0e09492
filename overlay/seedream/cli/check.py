"""``seedream check``: is this a resolution, and which?"""

from typing import Any

import click

from seedream import InvalidResolution, Resolution
from seedream.cli import exit_codes, reporting
from seedream.cli.options import json_option
from seedream.cli.terminal import Terminal


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("resolutions", metavar="RESOLUTION...", nargs=-1, required=True)
@json_option
@click.pass_obj
def check(terminal: Terminal, /, *, resolutions: tuple[str, ...]) -> exit_codes.Exit:
    """Check each RESOLUTION: its canonical form and pixels, or what is wrong and the nearest legal one.

    Ends with 1 if any is not legal. Needs no key and no network.

    \b
      seedream check 16:9 2k 3750x1250 1500x1500
    """  # noqa: D301 -- click's mark for text that stays as it is
    results = [_judge(terminal, text) for text in resolutions]
    terminal.document({"results": results})
    return exit_codes.OK if all(result["ok"] for result in results) else exit_codes.FAILED


def _judge(terminal: Terminal, text: str) -> dict[str, Any]:
    try:
        legal = Resolution(text)
    except InvalidResolution as error:
        if not terminal.as_json:
            reporting.tell(terminal, error)
        return {"input": text, "ok": False, "error": reporting.document(error)}
    size = f"{legal.pixels:,} pixels" if legal.pixels is not None else f"{legal.kind}: the service chooses the size"
    terminal.result(f"{legal.wire:<11} {size}")
    return {
        "input": text,
        "ok": True,
        "resolution": legal.wire,
        "kind": legal.kind,
        "width": legal.width,
        "height": legal.height,
        "pixels": legal.pixels,
    }
