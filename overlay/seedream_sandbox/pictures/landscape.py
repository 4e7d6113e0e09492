"""Paints a picture: a small landscape in colours of its own, with the prompt and the size written on it.

Everything follows from the seed; shapes are drawn as masks at a bounded size and enlarged, so the largest legal
picture takes about a second.
"""

import colorsys
import random
from functools import partial
from io import BytesIO
from math import ceil, floor, pi, sin
from typing import Final, Literal

from attrs import frozen
from PIL import Image, ImageDraw, ImageFilter

from seedream_sandbox.pictures.caption import write_caption

Format = Literal["jpeg", "png", "webp"]
# Formats that Pillow decodes by itself: for others (EPS) it starts a program.
_SOURCE_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_READABLE: Final = 50_000_000  # pixels of a source image: more would take much memory to unpack
_MASK: Final = 2048  # pixels: longest side of a mask before it is enlarged
_HILLS: Final = 5
# The largest side that each format can hold (pixels); beyond it the picture becomes a PNG.
_LARGEST: Final[dict[Format, int]] = {"jpeg": 65_500, "webp": 16_383, "png": 2**31 - 1}
_SMALLEST_LETTERED: Final = 96  # pixels: below this no text is legible

Colour = tuple[int, int, int]


@frozen
class ImageSpec:
    """What to paint."""

    width: int  # pixels
    height: int  # pixels
    seed: str  # of colours and shapes
    caption: str  # the prompt
    note: str  # the small print below it
    sources: tuple[bytes, ...] = ()  # source images (JPEG), blended into the sky


def paint(spec: ImageSpec) -> Image.Image:
    """Return the picture, RGB, of exactly the spec's size."""
    rng = random.Random(spec.seed)  # noqa: S311 -- repeatable on purpose
    hue = rng.uniform(0.42, 0.98)
    warm = rng.uniform(0.93, 1.13) % 1
    size = (spec.width, spec.height)
    picture = _sky(size, _colour(hue, 0.55, 0.62), _colour(warm, 0.32, 0.99))
    for number, source in enumerate(spec.sources[:2]):
        _blend(picture, source, 0.62 / (number + 1))
    _sun(picture, rng, _colour(warm, 0.22, 1.0))
    for layer in range(_HILLS):
        depth = layer / (_HILLS - 1)
        shade = _colour((hue + 0.06 * depth) % 1, 0.30 + 0.38 * depth, 0.80 - 0.60 * depth)
        _hill(picture, rng, shade, 0.50 + 0.105 * layer, 0.105 - 0.012 * layer)
    if min(size) >= _SMALLEST_LETTERED:
        write_caption(picture, spec.caption, spec.note)
    return picture


def encode(picture: Image.Image, wanted: Format) -> tuple[bytes, str]:
    """Return the picture's file and its media type."""
    kind: Format = wanted if max(picture.size) <= _LARGEST[wanted] else "png"
    buffer = BytesIO()
    match kind:
        case "jpeg":
            picture.save(buffer, "JPEG", quality=88)
        case "png":
            picture.save(buffer, "PNG", compress_level=1)
        case "webp":
            picture.save(buffer, "WEBP", quality=82, method=0)
    return buffer.getvalue(), f"image/{kind}"


def small_copy(content: bytes, side: int = 256) -> bytes | None:
    """Return a small JPEG of an image file; None when it cannot be read (the page does not say what a source is)."""
    try:
        with Image.open(BytesIO(content), formats=_SOURCE_FORMATS) as image:
            image.draft("RGB", (side * 2, side * 2))
            if image.width * image.height > _READABLE:
                return None
            image.thumbnail((side, side))
            buffer = BytesIO()
            image.convert("RGB").save(buffer, "JPEG", quality=80)
            return buffer.getvalue()
    except Exception:  # noqa: BLE001 -- decoders of hostile files raise of every kind
        return None


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _bounded(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, _MASK / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _sky(size: tuple[int, int], top: Colour, bottom: Colour) -> Image.Image:
    column = Image.linear_gradient("L").resize((1, min(size[1], 1024)))
    sky = Image.composite(Image.new("RGB", column.size, bottom), Image.new("RGB", column.size, top), column)
    return sky.resize(size, Image.Resampling.BILINEAR)


def _blend(picture: Image.Image, source: bytes, strength: float) -> None:
    """Cover the picture with a source image, fading towards the bottom."""
    with Image.open(BytesIO(source)) as opened:
        image = opened.convert("RGB")
    width, height = picture.size
    scale = max(width / image.width, height / image.height)
    across, down = min(image.width, width / scale), min(image.height, height / scale)
    left, top = (image.width - across) / 2, (image.height - down) / 2
    cover = image.resize(picture.size, Image.Resampling.BILINEAR, box=(left, top, left + across, top + down))
    fade = Image.linear_gradient("L").point(partial(_faded, strength)).resize(picture.size, Image.Resampling.BILINEAR)
    picture.paste(cover, mask=fade)


def _faded(strength: float, level: int) -> float:
    return strength * (255 - 0.55 * level)


def _sun(picture: Image.Image, rng: random.Random, colour: Colour) -> None:
    width, height = _bounded(picture.size)
    mask = Image.new("L", (width, height))
    radius = min(width, height) * rng.uniform(0.09, 0.15)
    across, down = width * rng.uniform(0.2, 0.8), height * rng.uniform(0.2, 0.36)
    draw = ImageDraw.Draw(mask)
    for scale, level in ((2.1, 40), (1.5, 75), (1.0, 235)):
        reach = radius * scale
        draw.ellipse((across - reach, down - reach, across + reach, down + reach), fill=level)
    soft = mask.filter(ImageFilter.GaussianBlur(max(1.0, radius / 40)))
    _stamp(picture, colour, soft)


def _hill(picture: Image.Image, rng: random.Random, colour: Colour, level: float, swing: float) -> None:
    """Draw one range of hills: the sum of three waves, filled to the bottom."""
    width, height = _bounded(picture.size)
    waves = [(rng.uniform(0.6, 1.4) * 3**rank, rng.uniform(0, 2 * pi), 0.62 / 2.2**rank) for rank in range(3)]

    def ridge(x: float) -> float:
        rise = sum(weight * sin(2 * pi * turns * x + phase) for turns, phase, weight in waves)
        return height * (level - swing * rise)

    step = max(1, width // 256)
    edge = [(x, ridge(x / max(width, 1))) for x in range(0, width + step, step)]
    mask = Image.new("L", (width, height))
    ImageDraw.Draw(mask).polygon([*edge, (width + step, height + 1), (0, height + 1)], fill=255)
    _stamp(picture, colour, mask)


def _stamp(picture: Image.Image, colour: Colour, mask: Image.Image) -> None:
    """Paint a colour where the mask, enlarged to the picture's size, is not empty."""
    found = mask.getbbox()
    if found is None:
        return
    across, down = picture.width / mask.width, picture.height / mask.height
    left, top = max(0, floor((found[0] - 2) * across)), max(0, floor((found[1] - 2) * down))
    right, bottom = min(picture.width, ceil((found[2] + 2) * across)), min(picture.height, ceil((found[3] + 2) * down))
    box = (left / across, top / down, min(right / across, mask.width), min(bottom / down, mask.height))
    part = mask.resize((right - left, bottom - top), Image.Resampling.BILINEAR, box=box)
    picture.paste(colour, (left, top), mask=part)
