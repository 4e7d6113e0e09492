"""``seedream demo``: makes eight pictures in the sandbox, measures them and draws a contact sheet."""

import shlex
from math import isclose
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import anyio
import click
from attrs import field, frozen
from rich.progress import Progress
from tensorslab_images.rules import RES_PIXELS_MAXIMUM, RES_PIXELS_MINIMUM, RULES

from seedream import AsyncSeeDream, AsyncTask, InvalidRequest, Picture, Resolution, TaskInfo
from seedream._files.partial_file import ensure_writable
from seedream._request.submission import check_submit
from seedream.cli import error_output, exit_codes
from seedream.cli.extras import load_extra
from seedream.cli.help_text import command
from seedream.cli.language import plural, tr, translate
from seedream.cli.progress import TaskLine, task_progress
from seedream.cli.rule_text import pad
from seedream.cli.terminal import Terminal

_CREDITS: Final = 100
_SEED: Final = 21
_SLACK: Final = 0.01  # a ratio of whole pixels is seldom exact


@frozen
class Example:
    """One request of the demo."""

    title: str  # what it shows, in a few words
    prompt: str
    resolution: Resolution = field(converter=Resolution)  # as on the command line
    count: int = 1  # how many pictures
    from_sketch: bool = False  # whether it starts from the sketch

    def file_name(self, number: int, suffix: str) -> str:
        """Return ``a-batch-of-four-2.png``; the number counts from 1."""
        stem = self.title.replace(" ", "-")
        return f"{stem}-{number}{suffix}" if self.count > 1 else f"{stem}{suffix}"


@frozen
class ExampleResult:
    """The result of an example: the task's last state, and its pictures."""

    example: Example
    info: TaskInfo
    files: list[Path]


# The page's own examples of a legal and an illegal size.
_SIZES: Final = RULES["RES-EXAMPLES"].examples
_VALID, _INVALID = _SIZES["valid"][0], _SIZES["invalid"][0]
EXAMPLES: Final = (
    Example("text only", "Hills before sunrise, watercolour", "16:9"),
    Example("from a picture", "The hills of the sketch in winter", "4:3", from_sketch=True),
    Example("portrait", "A ridge at night", "9:16"),
    Example("a batch of four", "One valley in four seasons", "1:1", count=4),
    Example("exact size", "Mountains above a sea of clouds", _VALID),
)
REFUSED: Final = ("A postage stamp", _INVALID)


@command()
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
@click.option(
    "--program", hidden=True, default="seedream", help="How the command is typed here: make demo gives its own path."
)
@click.pass_obj
def demo(terminal: Terminal, /, *, directory: Path, program: str) -> exit_codes.Exit:
    """Make eight pictures in the sandbox at once, measure each, and draw a contact sheet.

    Needs no key and no network, and costs nothing. Ends with 1 if a picture is not as requested.
    """
    sandbox: Any = load_extra("seedream_sandbox", "sandbox")
    drawing: Any = load_extra("seedream.cli.demo.drawing", "sandbox")
    ensure_writable(directory)
    terminal.print_result("seedream demo", "bold")
    with sandbox.Sandbox(credits=_CREDITS, seed=_SEED) as service:
        terminal.print_result(
            tr(
                "A sandbox of the service runs at {url}. No key, no cost, nothing leaves this machine.",
                url=service.base_url,
            )
            + "\n"
        )
        source = drawing.draw_sketch(directory / "sketch.png")
        results = _make_pictures(terminal, service, directory, source)
        for result in results:
            _print_result(terminal, result)
        _show_refusal(terminal)
        charged = sum(charge.images for charge in service.charges)
    return _print_summary(terminal, results, directory, charged, program)


def _make_pictures(terminal: Terminal, service: Any, directory: Path, source: Path) -> list[ExampleResult]:
    """Submit all examples, wait for them at once with a progress line each, and name the pictures after them."""
    results: dict[str, ExampleResult] = {}

    async def finish(task: AsyncTask, example: Example, line: TaskLine, folder: Path) -> None:
        info = await task.wait(progress=line.show_progress)
        files = await task.save(folder, progress=line.show_progress)
        named = [
            path.replace(directory / example.file_name(number, path.suffix)) for number, path in enumerate(files, 1)
        ]
        results[example.title] = ExampleResult(example, info, named)

    async def make_all(progress: Progress, folder: Path) -> None:
        async with (
            AsyncSeeDream(service.api_key, base_url=service.base_url) as client,
            anyio.create_task_group() as group,
        ):
            for example in EXAMPLES:
                line = TaskLine(progress, pad(tr(example.title), 16))
                task = await client.submit(
                    example.prompt,
                    batchsize=example.count,
                    resolution=example.resolution,
                    source_images=[source] if example.from_sketch else None,
                )
                group.start_soon(finish, task, example, line, folder)

    # The sandbox numbers its tasks from 1 each time: an earlier demo's pictures must not be taken for these.
    with TemporaryDirectory(prefix=".demo-", dir=directory) as folder, task_progress(terminal) as progress:
        try:
            anyio.run(make_all, progress, Path(folder))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the others were cancelled
    return [results[example.title] for example in EXAMPLES]


def _print_result(terminal: Terminal, result: ExampleResult) -> None:
    info, example = result.info, result.example
    size = f"{info.width}x{info.height}"
    pictures = plural(example.count, "picture")
    if terminal.out.is_terminal and terminal.out.width < 60:  # noqa: PLR2004 -- columns
        terminal.print_result(f"  {tr(example.title)}\n    {example.resolution!s:<10} {size:<10} {pictures}")
    else:
        terminal.print_result(f"  {pad(tr(example.title), 16)} {example.resolution!s:<10} {size:<10} {pictures}")


def _show_refusal(terminal: Terminal) -> None:
    """Show a request that breaks a rule: it is refused here, so it costs nothing."""
    prompt, resolution = REFUSED
    terminal.print_result(
        "\n"
        + tr(
            "And one that breaks a rule: {prompt} at {resolution}. It is refused before it is sent:",
            prompt=repr(prompt),
            resolution=resolution,
        ),
        "bold",
    )
    try:
        check_submit(prompt, {"resolution": resolution})
    except InvalidRequest as error:
        error_output.print_error(terminal, error, print_line=terminal.print_result)
        return
    raise AssertionError(f"{resolution} was not refused")


def _print_summary(
    terminal: Terminal, results: list[ExampleResult], directory: Path, charged: int, program: str
) -> exit_codes.Exit:
    drawing: Any = load_extra("seedream.cli.demo.drawing", "sandbox")
    requested = sum(result.example.count for result in results)
    wrong = [mismatch for result in results for mismatch in find_mismatches(result)]
    if charged != requested:
        wrong.append(f"the sandbox charged {charged} images, and {requested} were requested")
    sheet = drawing.draw_sheet(drawing.tiles(results), "seedream demo", directory / "contact-sheet.jpg")
    folder = f"{directory}{'/' if directory != Path() else ''}"
    terminal.print_result("")
    terminal.print_table(
        [
            (tr("Pictures"), tr("{folder}  ({number}, each opened and measured)", folder=folder, number=requested)),
            (tr("Contact sheet"), str(sheet)),
            (
                tr("Cost"),
                tr(
                    "{charged} of {credits} credits of play money; the refused one cost nothing",
                    charged=charged,
                    credits=_CREDITS,
                ),
            ),
        ]
    )
    for mismatch in wrong:
        terminal.print_note(f"{translate('Error: ')}{mismatch}", style="red")
    if wrong:
        return exit_codes.FAILED
    yours = f'{shlex.quote(program)} generate "a red bicycle" -r 3:2 --sandbox'
    terminal.print_result("\n" + tr("Your own: {command}", command=yours), "green")
    return exit_codes.OK


def find_mismatches(result: ExampleResult) -> list[str]:
    """Return what differs from the request, a line each."""
    found: list[str] = []
    if len(result.files) != result.example.count:
        found.append(f"{result.example.title}: {len(result.files)} pictures instead of {result.example.count}")
    info = result.info
    for path in result.files:
        try:
            size = Picture(path).image().size  # decoded whole
        except Exception as error:  # noqa: BLE001 -- Pillow raises many kinds
            found.append(f"{path}: {error}")
            continue
        reported = (info.width, info.height) if info.width and info.height else size
        if not as_asked(result.example.resolution, size) or size != reported:
            found.append(f"{path}: {size[0]}x{size[1]} is not what {result.example.resolution} asks for")
    return found


def as_asked(resolution: Resolution, size: tuple[int, int]) -> bool:
    """Return whether a picture of this size (pixels) is what the resolution asks for."""
    width, height = size
    if resolution.kind == "size":
        return size == (resolution.width, resolution.height)
    if resolution.kind == "ratio":
        across, down = map(int, resolution.wire.split(":"))
        return isclose(width / height, across / down, rel_tol=_SLACK)
    return RES_PIXELS_MINIMUM <= width * height <= RES_PIXELS_MAXIMUM
