"""Draws the contact sheet of all pictures, and the sketch that one example begins with."""

from collections.abc import Iterable
from math import pi, sin
from pathlib import Path
from typing import Final

from attrs import frozen
from PIL import Image, ImageDraw, ImageFont

from seedream._files.atomic_file import atomic_write
from seedream.cli.demo.command import ExampleResult

_WIDTH: Final = 1600  # pixels
_EDGE: Final = 40
_GAP: Final = 18
_CAPTION: Final = 62
_HEAD: Final = 96
_FULL_ROW: Final = 3.3  # a row is full when its shapes (width / height) add up to this
_PAPER: Final = (247, 246, 242)
_INK: Final = (38, 40, 44)
_FAINT: Final = (118, 120, 124)
_QUALITY: Final = 82


@frozen
class Tile:
    """A picture and its two lines of text."""

    path: Path
    size: tuple[int, int]
    text: str
    small: str

    @property
    def shape(self) -> float:
        """Width divided by height."""
        return self.size[0] / self.size[1]


def tiles(results: Iterable[ExampleResult]) -> list[Tile]:
    """Return the tiles for the demo's pictures, in order."""
    made: list[Tile] = []
    for result in results:
        for number, path in enumerate(result.files, 1):
            with Image.open(path) as picture:
                size = picture.size
            counted = f"{number} of {len(result.files)}, " if len(result.files) > 1 else ""
            asked = "" if result.example.resolution.kind == "size" else f"{result.example.resolution}, "
            small = f"{result.example.title}, {counted}{asked}{size[0]} x {size[1]}"
            made.append(Tile(path, size, result.example.prompt, small))
    return made


def rows(every: list[Tile]) -> list[list[Tile]]:
    """Arrange tiles in rows of about the same height."""
    made: list[list[Tile]] = [[]]
    for tile in every:
        if sum(one.shape for one in made[-1]) >= _FULL_ROW or (made[-1] and tile.shape >= _FULL_ROW * 0.8):
            made.append([])
        made[-1].append(tile)
    return made


def draw_sheet(every: list[Tile], title: str, path: Path) -> Path:
    """Draw the contact sheet as JPEG and return its path. The file appears only when it is complete."""
    inner = _WIDTH - 2 * _EDGE
    placed = [(row, round((inner - _GAP * (len(row) - 1)) / sum(tile.shape for tile in row))) for row in rows(every)]
    height = _EDGE + _HEAD + sum(high + _CAPTION + _GAP for _, high in placed) + _EDGE - _GAP
    sheet = Image.new("RGB", (_WIDTH, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_EDGE, _EDGE - 8), title, font=ImageFont.load_default(40), fill=_INK)
    subtitle = f"{len(every)} pictures from the sandbox, a stand-in that paints hills whatever the prompt"
    draw.text((_EDGE, _EDGE + 44), subtitle, font=ImageFont.load_default(20), fill=_FAINT)
    top = _EDGE + _HEAD
    for row, high in placed:
        left = float(_EDGE)
        for tile in row:
            wide = high * tile.shape
            _place(sheet, tile, (round(left), top, round(left + wide), top + high))
            left += wide + _GAP
        top += high + _CAPTION + _GAP
    with atomic_write(path, mode=0o666) as file:
        sheet.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return path


def _place(sheet: Image.Image, tile: Tile, box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    with Image.open(tile.path) as picture:
        picture.draft("RGB", (right - left, bottom - top))  # a JPEG is then decoded small
        small = picture.convert("RGB").resize((right - left, bottom - top), Image.Resampling.LANCZOS, reducing_gap=2.0)
    sheet.paste(small, (left, top))
    draw = ImageDraw.Draw(sheet)
    for text, font, colour, down in (
        (tile.text, ImageFont.load_default(22), _INK, 8),
        (tile.small, ImageFont.load_default(16), _FAINT, 36),
    ):
        draw.text((left, bottom + down), _fitting(draw, text, font, right - left), font=font, fill=colour)


def _fitting(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int
) -> str:
    """Return the text, cut with an ellipsis where it is wider than so many pixels."""
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(text + "...", font=font) > width:
        text = text[:-1]
    return text.rstrip() + "..."


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
