"""The story that ``seedream demo`` tells."""

import time
from pathlib import Path
from typing import Any, Final

import anyio
import click

from seedream import AsyncSeeDream, InvalidRequest
from seedream._request import check_submit
from seedream.cli import _exit, _report
from seedream.cli._extras import load
from seedream.cli._options import writable
from seedream.cli._progress import Display, Line
from seedream.cli._terminal import Terminal
from seedream.cli.demo._scenes import REFUSED, SCENES, Scene, Shot

_CREDITS: Final = 100
_SEED: Final = 45


@click.command()
@click.option(
    "-o",
    "--output",
    "directory",
    type=click.Path(path_type=Path),
    default=Path("demo-output"),
    show_default=True,
    metavar="DIR",
    help="Where the pictures go.",
)
@click.pass_obj
def demo(terminal: Terminal, /, *, directory: Path) -> _exit.Exit:
    """Make eight pictures in the sandbox at once, measure each, and draw a contact sheet.

    Needs no key and no network, and costs nothing. Ends with 1 if a picture is not as asked.
    """
    sandbox: Any = load("seedream.sandbox", "sandbox")
    sketch: Any = load("seedream.cli.demo._sketch", "sandbox")
    writable(directory)
    say = terminal.result
    say("seedream demo", "bold")
    with sandbox.Sandbox(credits=_CREDITS, seed=_SEED) as service:
        say(f"A sandbox of the service runs at {service.base_url}. No key, no cost, nothing leaves this machine.\n")
        source = sketch.draw_sketch(directory / "sketch.png")
        shots = _shoot(terminal, service, directory, source)
        for shot in shots:
            _tell(terminal, shot)
        _refuse(terminal)
        charged = sum(charge.images for charge in service.charges)
    return _conclude(terminal, shots, directory, charged)


def _shoot(terminal: Terminal, service: Any, directory: Path, source: Path) -> list[Shot]:
    """All scenes at once, with a line of progress each."""
    shots: dict[str, Shot] = {}

    async def one(client: AsyncSeeDream, scene: Scene, line: Line) -> None:
        started = time.perf_counter()
        result = await client.generate(
            scene.prompt,
            batchsize=scene.count,
            resolution=scene.resolution,
            source_images=[source] if scene.from_sketch else None,
            output_dir=directory,
            progress=line.show,
        )
        shots[scene.title] = Shot(scene, result, time.perf_counter() - started)

    async def every(display: Display) -> None:
        async with (
            AsyncSeeDream(service.api_key, base_url=service.base_url) as client,
            anyio.create_task_group() as group,
        ):
            for scene in SCENES:
                group.start_soon(one, client, scene, display.line(f"{scene.title:<16}"))

    with Display(terminal) as display:
        try:
            anyio.run(every, display)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the others were cancelled
    return [shots[scene.title] for scene in SCENES]


def _tell(terminal: Terminal, shot: Shot) -> None:
    info, scene = shot.result.info, shot.scene
    size = f"{info.width}x{info.height}"
    pictures = "1 picture " if scene.count == 1 else f"{scene.count} pictures"
    terminal.result(f"  {scene.title:<16} {scene.resolution!s:<10} {size:<10} {pictures}  {shot.seconds:4.1f} s")


def _refuse(terminal: Terminal) -> None:
    """One request that breaks a rule: refused here, so it never costs."""
    prompt, resolution = REFUSED
    terminal.result(
        f"\nAnd one that breaks a rule: {prompt!r} at {resolution}. It is refused before it is sent:", "bold"
    )
    try:
        check_submit(prompt, {"resolution": resolution})
    except InvalidRequest as error:
        _report.tell(terminal, error, say=terminal.result)
        return
    raise AssertionError(f"{resolution} was not refused")


def _conclude(terminal: Terminal, shots: list[Shot], directory: Path, charged: int) -> _exit.Exit:
    measure: Any = load("seedream.cli.demo._measure", "sandbox")
    sheets: Any = load("seedream.cli.demo._sheet", "sandbox")
    asked = sum(shot.scene.count for shot in shots)
    wrong = [complaint for shot in shots for complaint in measure.complaints(shot)]
    if charged != asked:
        wrong.append(f"the sandbox charged {charged} images, and {asked} were asked for")
    sheet = sheets.draw_sheet(sheets.tiles(shots), "seedream demo", directory / "contact-sheet.jpg")
    say = terminal.result
    say("")
    say(f"Pictures       {directory}{'/' if directory != Path() else ''}  ({asked}, each opened and measured)")
    say(f"Contact sheet  {sheet}")
    say(f"Cost           {charged} of {_CREDITS} credits of play money; the refused one cost nothing")
    for complaint in wrong:
        terminal.note(f"Error: {complaint}", style="red")
    if wrong:
        return _exit.FAILED
    say('\nYour own:      seedream generate "a red bicycle" -r 3:2 --sandbox', "green")
    return _exit.OK
