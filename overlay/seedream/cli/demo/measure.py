"""Opens every picture and compares it with what was asked for."""

from math import isclose
from pathlib import Path

from PIL import Image
from tensorslab_images.rules import RES_PIXELS_MAXIMUM, RES_PIXELS_MINIMUM

from seedream import Resolution, TaskInfo
from seedream.cli.demo.prompts import ExampleResult

_SLACK = 0.01  # a ratio of whole pixels is seldom exact


def measure(path: Path) -> tuple[int, int]:
    """Decode the whole picture and return its width and height in pixels. Raises OSError if it is damaged."""
    with Image.open(path) as picture:
        picture.load()
        return picture.size


def find_mismatches(result: ExampleResult) -> list[str]:
    """Return what differs from the request, a line each."""
    found: list[str] = []
    if len(result.files) != result.example.count:
        found.append(f"{result.example.title}: {len(result.files)} pictures instead of {result.example.count}")
    for path in result.files:
        try:
            size = measure(path)
        except OSError as error:
            found.append(f"{path}: {error}")
            continue
        if not as_asked(result.example.resolution, size) or size != reported_size(result.info, size):
            found.append(f"{path}: {size[0]}x{size[1]} is not what {result.example.resolution} asks for")
    return found


def reported_size(info: TaskInfo, otherwise: tuple[int, int]) -> tuple[int, int]:
    """Return the size that the service reports, or the other one where it reports none."""
    return (info.width, info.height) if info.width and info.height else otherwise


def as_asked(resolution: Resolution, size: tuple[int, int]) -> bool:
    """Return whether a picture of this size (pixels) is what the resolution asks for."""
    width, height = size
    if resolution.kind == "size":
        return size == (resolution.width, resolution.height)
    if resolution.kind == "ratio":
        across, down = map(int, resolution.wire.split(":"))
        return isclose(width / height, across / down, rel_tol=_SLACK)
    return RES_PIXELS_MINIMUM <= width * height <= RES_PIXELS_MAXIMUM
