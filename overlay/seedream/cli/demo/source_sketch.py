"""Draws the source image of one example: hills and a sun."""

from math import pi, sin
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

_SIZE: Final = (1200, 900)
_HILLS: Final = (((112, 150, 168), 430, 70, 1.3), ((84, 124, 120), 560, 60, 2.1), ((52, 88, 78), 700, 46, 3.2))


def draw_sketch(path: Path) -> Path:
    """Draw it as PNG and return the path."""
    width, height = _SIZE
    picture = Image.new("RGB", _SIZE)
    draw = ImageDraw.Draw(picture)
    for y in range(height):
        share = y / height
        draw.line((0, y, width, y), fill=(250 - int(40 * share), 214 + int(12 * share), 170 + int(60 * share)))
    draw.ellipse((820, 130, 1000, 310), fill=(255, 244, 214))
    for colour, base, swing, waves in _HILLS:
        edge = [(x, base - swing * sin(waves * 2 * pi * x / width + base)) for x in range(0, width + 10, 10)]
        draw.polygon([(0, height), *edge, (width, height)], fill=colour)
    picture.save(path, compress_level=3)
    return path
