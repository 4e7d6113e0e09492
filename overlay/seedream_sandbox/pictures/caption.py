"""Writes on a picture in Pillow's own font, or in one of the machine's where the text needs it (Chinese)."""

from contextlib import suppress
from functools import cache, lru_cache
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
_LAST_LATIN: Final = "\u024f"
_LINES: Final = 3
_LONGEST: Final = 400  # characters: more of a prompt would not fit on the picture
_IN_NO_FONT: Final = "\U0010fffd"  # drawn as the box of a missing glyph


@cache
def _cjk_file() -> str | None:
    for name in _CJK:
        with suppress(OSError):
            ImageFont.truetype(name)
            return name
    return None


@lru_cache(maxsize=32)
def _font(*, chinese: bool, size: int) -> Font:
    """Return the machine's font with Chinese, or else Pillow's own."""
    file = _cjk_file() if chinese else None
    return ImageFont.load_default(size) if file is None else ImageFont.truetype(file, size)


def _font_for(text: str, size: int) -> Font:
    return _font(chinese=max(text, default="") > _LAST_LATIN, size=size)


@lru_cache(maxsize=4096)
def _has_glyph(font: Font, character: str) -> bool:
    return _drawn(font, character) not in (_drawn(font, ""), _drawn(font, _IN_NO_FONT))


def _drawn(font: Font, text: str) -> bytes:
    canvas = Image.new("L", (48, 48))
    ImageDraw.Draw(canvas).text((8, 8), text, font=font, fill=255)
    return canvas.tobytes()


def legible(text: str) -> str:
    """Return the part of a text that can be drawn here; its length in words when nothing can."""
    words = " ".join(text[:_LONGEST].split())
    font = _font_for(words, 24)
    kept = "".join(one for one in words if one == " " or (one.isprintable() and _has_glyph(font, one)))
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
    """Write the caption and, smaller, the note at the lower left, each line with its shadow."""
    draw = ImageDraw.Draw(picture)
    short = min(picture.size)
    margin, shadow = short // 16, max(1, short // 500)
    large, small = max(12, short // 19), max(9, short // 34)
    caption = legible(caption)
    font = _font_for(caption, large)
    lines = _wrapped(draw, caption, font, picture.width - 2 * margin)
    bottom = float(picture.height - margin)
    placed = [(bottom, note, _font_for(note, small))]
    placed += [(bottom - small * 1.9 - n * large * 1.28, line, font) for n, line in enumerate(reversed(lines))]
    for base, text, used in placed:
        draw.text((margin + shadow, base + shadow), text, font=used, fill=(0, 0, 0), anchor="ls")
        draw.text((margin, base), text, font=used, fill=(255, 255, 255), anchor="ls")
