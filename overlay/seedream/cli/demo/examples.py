"""The requests of the demo, their results, and whether each picture is what was requested."""

from math import isclose
from pathlib import Path
from typing import Final

from attrs import field, frozen
from tensorslab_images.rules import RES_PIXELS_MAXIMUM, RES_PIXELS_MINIMUM, RULES

from seedream import Resolution, TaskInfo


@frozen
class Example:
    """One request of the demo.

    Attributes:
        title: What it shows, in a few words.
        prompt: The prompt.
        resolution: As on the command line.
        count: How many pictures.
        from_sketch: Whether it starts from the sketch.
    """

    title: str
    prompt: str
    resolution: Resolution = field(converter=Resolution)
    count: int = 1
    from_sketch: bool = False

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


_SLACK = 0.01  # a ratio of whole pixels is seldom exact


def measure(path: Path) -> tuple[int, int]:
    """Decode the whole picture and return its width and height in pixels. Raises OSError if it is damaged."""
    from PIL import Image  # noqa: PLC0415 -- an extra

    with Image.open(path) as picture:
        picture.load()
        return picture.size


def find_mismatches(result: ExampleResult) -> list[str]:
    """Return what differs from the request, a line each."""
    found: list[str] = []
    if len(result.files) != result.example.count:
        found.append(f"{result.example.title}: {len(result.files)} pictures instead of {result.example.count}")
    info = result.info
    for path in result.files:
        try:
            size = measure(path)
        except OSError as error:
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
