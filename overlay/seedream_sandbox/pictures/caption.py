"""Writes on a picture, with a font that can draw Chinese where the machine has one."""

from contextlib import suppress
from functools import lru_cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
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


@lru_cache(maxsize=1)
def _font_file() -> str | None:
    for name in _CJK:
        with suppress(OSError):
            ImageFont.truetype(name)
            return name
    return None


@lru_cache(maxsize=16)
def _font(size: int) -> Font:
    name = _font_file()
    return ImageFont.load_default(size) if name is None else ImageFont.truetype(name, size)


@lru_cache(maxsize=1024)
def _can_draw(character: str) -> bool:
    """Return whether the font has the character: otherwise it draws the box of a character that no font has."""
    if character.isspace():
        return True
    return _drawn(character) != _drawn("\U000e0080")


def _drawn(character: str) -> bytes:
    canvas = Image.new("L", (48, 48))
    ImageDraw.Draw(canvas).text((8, 8), character, font=_font(24), fill=255)
    return canvas.tobytes()


def legible(text: str) -> str:
    """Return the part of a text that can be drawn here; its length in words when nothing can."""
    words = " ".join(text[:_LONGEST].split())
    kept = "".join(character for character in words if character.isprintable() and _can_draw(character))
    return kept.strip() or f"(a prompt of {len(words)} characters)"


def _wrapped(draw: ImageDraw.ImageDraw, text: str, font: Font, width: float) -> list[str]:
    """Break a text into at most three lines, at spaces where there are any."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < _LINES:
        count = len(rest)
        while count > 1 and draw.textlength(rest[:count], font=font) > width:
            count = max(1, int(count * 0.9)) if count > 12 else count - 1  # noqa: PLR2004 -- coarse steps while far off
        if count < len(rest):
            space = rest.rfind(" ", 1, count + 1)
            count = space if space > count // 2 else count
        lines.append(rest[:count].strip())
        rest = rest[count:].strip()
    if rest and lines:
        lines[-1] = lines[-1].rstrip(".,;: ") + " ..."
    return lines


def write_caption(picture: Image.Image, caption: str, note: str) -> None:
    """Write the caption and, smaller, the note at the lower left."""
    draw = ImageDraw.Draw(picture)
    short = min(picture.size)
    margin = short // 16
    large, small = _font(max(12, short // 19)), _font(max(9, short // 34))
    lines = _wrapped(draw, legible(caption), large, picture.width - 2 * margin)
    step = max(12, short // 19) * 1.28
    bottom = picture.height - margin - step * 0.75
    shadow = max(1, short // 500)
    for offset, colour in ((shadow, (0, 0, 0)), (0, (255, 255, 255))):
        top = bottom - step * len(lines)
        for number, line in enumerate(lines):
            draw.text((margin + offset, top + number * step + offset), line, font=large, fill=colour)
        draw.text((margin + offset, bottom + step * 0.05 + offset), legible(note), font=small, fill=colour)
