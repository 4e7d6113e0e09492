"""Opens every picture and compares it with what was asked for."""

from math import isclose
from pathlib import Path

from PIL import Image
from tensorslab_images.rules import RES_PIXELS_MAXIMUM, RES_PIXELS_MINIMUM

from seedream import Resolution, TaskInfo
from seedream.cli.demo.prompts import Shot

_SLACK = 0.01  # a ratio in whole pixels is seldom exact


def measure(path: Path) -> tuple[int, int]:
    """Decode the picture whole; gives its width and height in pixels. Raises OSError if it is damaged."""
    with Image.open(path) as picture:
        picture.load()
        return picture.size


def complaints(shot: Shot) -> list[str]:
    """What is not as asked; empty when all is well."""
    found: list[str] = []
    if len(shot.files) != shot.scene.count:
        found.append(f"{shot.scene.title}: {len(shot.files)} pictures instead of {shot.scene.count}")
    for path in shot.files:
        try:
            size = measure(path)
        except OSError as error:
            found.append(f"{path}: {error}")
            continue
        if not as_asked(shot.scene.resolution, size) or size != told(shot.info, size):
            found.append(f"{path}: {size[0]}x{size[1]} is not what {shot.scene.resolution} asks for")
    return found


def told(info: TaskInfo, otherwise: tuple[int, int]) -> tuple[int, int]:
    """The size that the service tells, if it does."""
    return (info.width, info.height) if info.width and info.height else otherwise


def as_asked(resolution: Resolution, size: tuple[int, int]) -> bool:
    """Whether a picture of this size (pixels) is what the resolution asks for."""
    width, height = size
    if resolution.kind == "size":
        return size == (resolution.width, resolution.height)
    if resolution.kind == "ratio":
        across, down = map(int, resolution.wire.split(":"))
        return isclose(width / height, across / down, rel_tol=_SLACK)
    return RES_PIXELS_MINIMUM <= width * height <= RES_PIXELS_MAXIMUM
