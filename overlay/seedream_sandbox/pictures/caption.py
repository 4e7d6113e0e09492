"""Writes on a picture, in Pillow's own font, and with a font of the machine where that has no glyph (Chinese)."""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import groupby
from typing import Final

from PIL import Image, ImageDraw, ImageFont

# Usual fonts with Chinese on Linux, macOS and Windows; Pillow searches the folders of the system.
_CJK: Final = (
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "msyh.ttc",
)
_LINES: Final = 3
_LONGEST: Final = 400  # characters: more of a prompt would not fit on the picture
_IN_NO_FONT: Final = "\U0010fffd"  # drawn as the box of a missing glyph


@lru_cache(maxsize=1)
def _font_file() -> str | None:
    for name in _CJK:
        with suppress(OSError):
            ImageFont.truetype(name)
            return name
    return None


@lru_cache(maxsize=32)
def _font(name: str | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size) if name is None else ImageFont.truetype(name, size)


@lru_cache(maxsize=4096)
def _font_of(character: str) -> str | None:
    """Return the font that has a character: None for Pillow's own, empty when there is none."""
    names = [None] if _font_file() is None else [None, _font_file()]
    return next((name for name in names if character.isspace() or _has_glyph(name, character)), "")


def _has_glyph(name: str | None, character: str) -> bool:
    return _drawn(name, character) not in (_drawn(name, ""), _drawn(name, _IN_NO_FONT))


def _drawn(name: str | None, text: str) -> bytes:
    canvas = Image.new("L", (48, 48))
    ImageDraw.Draw(canvas).text((8, 8), text, font=_font(name, 24), fill=255)
    return canvas.tobytes()


def legible(text: str) -> str:
    """Return the part of a text that can be drawn here; its length in words when nothing can."""
    words = " ".join(text[:_LONGEST].split())
    kept = "".join(character for character in words if character.isprintable() and _font_of(character) != "")
    return kept.strip() or f"(a prompt of {len(words)} characters)"


def _runs(text: str, size: int) -> Iterator[tuple[str, ImageFont.FreeTypeFont | ImageFont.ImageFont]]:
    """Yield the pieces of a text that are drawn in one font."""
    for name, characters in groupby(text, _font_of):
        yield "".join(characters), _font(name, size)


def _width(draw: ImageDraw.ImageDraw, text: str, size: int) -> float:
    return sum(draw.textlength(piece, font=font) for piece, font in _runs(text, size))


def _wrapped(draw: ImageDraw.ImageDraw, text: str, size: int, width: float) -> list[str]:
    """Break a text into at most three lines, at spaces where there are any."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < _LINES:
        count = len(rest)
        while count > 1 and _width(draw, rest[:count], size) > width:
            count = max(1, int(count * 0.9)) if count > 12 else count - 1  # noqa: PLR2004 -- coarse steps while far off
        if count < len(rest):
            space = rest.rfind(" ", 1, count + 1)
            count = space if space > count // 2 else count
        lines.append(rest[:count].strip())
        rest = rest[count:].strip()
    if rest and lines:
        lines[-1] = lines[-1].rstrip(".,;: ") + " ..."
    return lines


def _write(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, size: int, shadow: int) -> None:
    """Write a line with its shadow; the place is where its baseline begins."""
    for offset, colour in ((shadow, (0, 0, 0)), (0, (255, 255, 255))):
        left = place[0] + offset
        for piece, font in _runs(text, size):
            draw.text((left, place[1] + offset), piece, font=font, fill=colour, anchor="ls")
            left += draw.textlength(piece, font=font)


def write_caption(picture: Image.Image, caption: str, note: str) -> None:
    """Write the caption and, smaller, the note at the lower left."""
    draw = ImageDraw.Draw(picture)
    short = min(picture.size)
    margin, shadow = short // 16, max(1, short // 500)
    large, small = max(12, short // 19), max(9, short // 34)
    lines = _wrapped(draw, legible(caption), large, picture.width - 2 * margin)
    bottom = picture.height - margin
    _write(draw, (margin, bottom), legible(note), small, shadow)
    for number, line in enumerate(reversed(lines)):
        _write(draw, (margin, bottom - small * 1.9 - number * large * 1.28), line, large, shadow)
