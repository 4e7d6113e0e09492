"""The story that ``seedream demo`` tells."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import anyio
import click

from seedream import AsyncSeeDream, AsyncTask, InvalidRequest
from seedream._files.partial_file import ensure_writable
from seedream._request.submission import check_submit
from seedream.cli import exit_codes, reporting
from seedream.cli.demo.prompts import REFUSED, SCENES, Scene, Shot
from seedream.cli.extras import load
from seedream.cli.progress import Display, Line
from seedream.cli.terminal import Terminal

_CREDITS: Final = 100
_SEED: Final = 21


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
def demo(terminal: Terminal, /, *, directory: Path) -> exit_codes.Exit:
    """Make eight pictures in the sandbox at once, measure each, and draw a contact sheet.

    Needs no key and no network, and costs nothing. Ends with 1 if a picture is not as asked.
    """
    sandbox: Any = load("seedream_sandbox", "sandbox")
    sketch: Any = load("seedream.cli.demo.source_sketch", "sandbox")
    ensure_writable(directory)
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
    """Submit all scenes, wait for them at once with a line of progress each, and name the pictures after them."""
    shots: dict[str, Shot] = {}

    async def finish(task: AsyncTask, scene: Scene, line: Line, where: Path) -> None:
        info = await task.wait(progress=line.show)
        files = await task.save(where, progress=line.show)
        named = [path.replace(directory / scene.file_name(number, path.suffix)) for number, path in enumerate(files, 1)]
        shots[scene.title] = Shot(scene, info, named)

    async def every(display: Display, where: Path) -> None:
        async with (
            AsyncSeeDream(service.api_key, base_url=service.base_url) as client,
            anyio.create_task_group() as group,
        ):
            for scene in SCENES:
                line = display.line(f"{scene.title:<16}")
                task = await client.submit(
                    scene.prompt,
                    batchsize=scene.count,
                    resolution=scene.resolution,
                    source_images=[source] if scene.from_sketch else None,
                )
                group.start_soon(finish, task, scene, line, where)

    # The sandbox counts its tasks from 1 each time: pictures of an earlier demo must not be taken for those of this.
    with TemporaryDirectory(prefix=".demo-", dir=directory) as where, Display(terminal) as display:
        try:
            anyio.run(every, display, Path(where))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the others were cancelled
    return [shots[scene.title] for scene in SCENES]


def _tell(terminal: Terminal, shot: Shot) -> None:
    info, scene = shot.info, shot.scene
    size = f"{info.width}x{info.height}"
    pictures = "1 picture" if scene.count == 1 else f"{scene.count} pictures"
    terminal.result(f"  {scene.title:<16} {scene.resolution!s:<10} {size:<10} {pictures}")


def _refuse(terminal: Terminal) -> None:
    """One request that breaks a rule: refused here, so it never costs."""
    prompt, resolution = REFUSED
    terminal.result(
        f"\nAnd one that breaks a rule: {prompt!r} at {resolution}. It is refused before it is sent:", "bold"
    )
    try:
        check_submit(prompt, {"resolution": resolution})
    except InvalidRequest as error:
        reporting.tell(terminal, error, say=terminal.result)
        return
    raise AssertionError(f"{resolution} was not refused")


def _conclude(terminal: Terminal, shots: list[Shot], directory: Path, charged: int) -> exit_codes.Exit:
    measure: Any = load("seedream.cli.demo.measure", "sandbox")
    sheets: Any = load("seedream.cli.demo.contact_sheet", "sandbox")
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
        return exit_codes.FAILED
    say('\nYour own:      seedream generate "a red bicycle" -r 3:2 --sandbox', "green")
    return exit_codes.OK
