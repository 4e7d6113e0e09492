"""The service's own reading of ``resolution``: strictly the wire form.

Rules RES-FORMAT, RES-RATIO, RES-TIER and RES-PIXELS.
It shares no code with the client, which also understands what people type.
"""

import re
from math import isqrt, sqrt
from typing import Final

from tensorslab_images.rules import (
    RES_PIXELS_MAXIMUM,
    RES_PIXELS_MINIMUM,
    RES_RATIO_VALUES,
    RES_TIER_VALUES,
)

from seedream_sandbox.service.refusal import Refusal

_SIZE: Final = re.compile(r"(0|[1-9][0-9]{0,99})x(0|[1-9][0-9]{0,99})", re.ASCII)
_RATIO: Final = re.compile(r"[0-9]+:[0-9]+", re.ASCII)
_TIER: Final = re.compile(r"[0-9]+[kK]", re.ASCII)
# Sizes that the upstream model is known to make (not rules of this API); any other ratio or tier is computed.
_USUAL: Final = {
    "1:1": (2048, 2048), "4:3": (2304, 1728), "3:4": (1728, 2304), "16:9": (2560, 1440), "9:16": (1440, 2560),
    "3:2": (2496, 1664), "2:3": (1664, 2496), "2K": (2048, 2048), "4K": (4096, 4096),
}  # fmt: skip
_STEP: Final = 16  # pixels: sides of a computed size are a multiple of it


def picture_size(resolution: str) -> tuple[int, int]:
    """Return width and height (pixels) of the pictures for a resolution in wire form.

    Raises:
        Refusal: It has none of the three forms, or its pixels are out of range.
    """
    if resolution in RES_RATIO_VALUES:
        return _USUAL.get(resolution) or _of_ratio(resolution)
    if resolution in RES_TIER_VALUES:
        return _USUAL.get(resolution) or _of_tier(resolution)
    size = _SIZE.fullmatch(resolution)
    if size is None:
        rule = "RES-FORMAT"
        if _RATIO.fullmatch(resolution):
            rule = "RES-RATIO"
        elif _TIER.fullmatch(resolution):
            rule = "RES-TIER"
        raise Refusal(rule, "resolution", f"{resolution[:60]!r} is not a ratio, a tier or WIDTHxHEIGHT")
    width, height = int(size[1]), int(size[2])
    pixels = width * height
    if not RES_PIXELS_MINIMUM <= pixels <= RES_PIXELS_MAXIMUM:
        raise Refusal(
            "RES-PIXELS",
            "resolution",
            f"{resolution[:60]} is {pixels:,} pixels, outside {RES_PIXELS_MINIMUM:,} to {RES_PIXELS_MAXIMUM:,}",
        )
    return width, height


def _of_ratio(ratio: str) -> tuple[int, int]:
    across, down = (int(part) for part in ratio.split(":"))
    unit = sqrt(RES_PIXELS_MINIMUM / (across * down))
    width, height = (-(-int(side * unit) // _STEP) * _STEP for side in (across, down))
    while width * height < RES_PIXELS_MINIMUM:
        width, height = (width + _STEP, height) if width * down < height * across else (width, height + _STEP)
    return width, height


def _of_tier(tier: str) -> tuple[int, int]:
    side = min(
        max(int(tier.rstrip("kK")) * 1024, -(-isqrt(RES_PIXELS_MINIMUM) // _STEP) * _STEP), isqrt(RES_PIXELS_MAXIMUM)
    )
    return side, side
