"""Resolution: the rules that the page states only in prose (rules RES-FORMAT, RES-RATIO, RES-TIER, RES-PIXELS)."""

import re
import unicodedata
from math import gcd, isqrt
from typing import Final, Literal, Self

from attrs import field, frozen
from tensorslab_images.rules import RES_PIXELS_MAXIMUM, RES_PIXELS_MINIMUM, RES_RATIO_VALUES, RES_TIER_VALUES

from seedream._support.patterns import lazy_pattern
from seedream._support.redact import quote
from seedream.errors import InvalidResolution

# Longer text is refused unread: no legal size comes near it, and int() of it would be slow or refused.
_LONGEST: Final = 64
_RATIO: Final = lazy_pattern(r"([0-9]+):([0-9]+)")
# Ratios up to this are kept exactly when a size is corrected; above it the nearest whole pixels are used. Of a text
# that is not understood, two numbers up to this are taken for a ratio, larger ones for pixels.
_SIMPLE_RATIO: Final = 64
# What a Chinese keyboard types for digits and colon.
_TYPED: Final = str.maketrans("０１２３４５６７８９：", "0123456789:")


def canonical(text: "str | Resolution") -> str:
    """Return the canonical wire form, or raise InvalidResolution."""
    if isinstance(text, Resolution):
        return text.wire
    if not isinstance(text, str):
        raise InvalidResolution(
            f"the resolution is of type {type(text).__name__}, not text", rule="RES-FORMAT", hint=_forms()
        )
    typed = text.strip().translate(_TYPED) if len(text) <= _LONGEST else ""
    if typed.isascii() and typed.upper() in RES_TIER_VALUES:
        return typed.upper()
    if typed in RES_RATIO_VALUES:
        return typed
    across, _, down = typed.lower().replace("×", "x").partition("x")
    if not (_plain(across) and _plain(down)):
        raise _not_understood(text, typed)
    width, height = int(across), int(down)
    _check_pixels(width, height)
    return f"{width}x{height}"


@frozen
class Resolution:
    """A legal resolution in canonical form.

    Accepts what people type, with spaces around it: a ratio (``16:9``, ``16：9``), a tier (``2K``, ``2k``) or a
    size in pixels (``2048x2048``, ``2048X2048``, ``2048×2048``), with full-width digits too.

    Attributes:
        wire: The canonical form that is sent, made from the text or the Resolution given; ``str()`` returns it too.

    Raises:
        InvalidResolution: For anything else; the error names the rule and the nearest legal fix.
    """

    wire: str = field(converter=canonical)

    @classmethod
    def parse(cls, text: "str | Resolution") -> Self:
        """Return ``Resolution(text)``."""
        return cls(text)

    @classmethod
    def size(cls, width: int, height: int) -> Self:
        """Return the resolution of an explicit size in pixels.

        Raises:
            InvalidResolution: The total is outside the legal range (rule RES-PIXELS).
        """
        return cls(f"{width}x{height}")

    @property
    def kind(self) -> Literal["ratio", "tier", "size"]:
        """Which of the three forms it is."""
        if self.wire in RES_RATIO_VALUES:
            return "ratio"
        return "tier" if self.wire in RES_TIER_VALUES else "size"

    @property
    def width(self) -> int | None:
        """Pixels when the size is explicit; otherwise None."""
        return int(self.wire.split("x")[0]) if self.kind == "size" else None

    @property
    def height(self) -> int | None:
        """Pixels when the size is explicit; otherwise None."""
        return int(self.wire.split("x")[1]) if self.kind == "size" else None

    @property
    def pixels(self) -> int | None:
        """Total pixels when the size is explicit; otherwise None, as the service chooses the size."""
        return None if self.width is None or self.height is None else self.width * self.height

    def __str__(self) -> str:
        return self.wire


def _forms() -> str:
    ratios, tiers, side = ", ".join(RES_RATIO_VALUES), ", ".join(RES_TIER_VALUES), isqrt(RES_PIXELS_MAXIMUM)
    return f"Give a ratio ({ratios}), a tier ({tiers}) or WIDTHxHEIGHT in pixels, for example {side}x{side}."


def nearest_size(width: int, height: int) -> tuple[int, int]:
    """Return the legal size nearest to width x height (positive pixels), of equal shape where that is a simple ratio.

    A legal size is returned as it is.
    """
    total = width * height
    if RES_PIXELS_MINIMUM <= total <= RES_PIXELS_MAXIMUM:
        return width, height
    across, down = width // gcd(width, height), height // gcd(width, height)
    grow = total < RES_PIXELS_MINIMUM
    bound = RES_PIXELS_MINIMUM if grow else RES_PIXELS_MAXIMUM
    if max(across, down) <= _SIMPLE_RATIO:
        times = isqrt(bound // (across * down))
        if grow and times * times * across * down < bound:
            times += 1
        if RES_PIXELS_MINIMUM <= times * times * across * down <= RES_PIXELS_MAXIMUM:
            return across * times, down * times
    # No whole multiple fits: scale the shorter side, and take the other from the bound itself.
    short, long = sorted((width, height))
    side = max(1, isqrt(bound * short // long))
    other = -(-bound // side) if grow else bound // side
    return (side, other) if width <= height else (other, side)


def _check_pixels(width: int, height: int) -> None:
    total = width * height
    if total == 0:
        raise InvalidResolution(f"{width}x{height} has no pixels", rule="RES-PIXELS", hint=_forms())
    if RES_PIXELS_MINIMUM <= total <= RES_PIXELS_MAXIMUM:
        return
    bound = f"below {RES_PIXELS_MINIMUM:,}" if total < RES_PIXELS_MINIMUM else f"above {RES_PIXELS_MAXIMUM:,}"
    fixed, divisor = nearest_size(width, height), gcd(width, height)
    shape = f"{width // divisor}:{height // divisor}"
    if fixed[0] * height != width * fixed[1] or len(shape) > len("64:63"):
        shape = "legal size"
    size, pixels = quote(f"{width}x{height}", marks=False), quote(f"{total:,}", marks=False)
    hint = f"The nearest {shape} is {fixed[0]}x{fixed[1]}."
    raise InvalidResolution(f"{size} is {pixels} pixels, {bound}", rule="RES-PIXELS", hint=hint)


def _plain(number: str) -> bool:
    return number.isascii() and number.isdigit() and (number == "0" or not number.startswith("0"))


def _not_understood(text: str, typed: str) -> InvalidResolution:
    fix, tier = _guess(text), re.fullmatch(r"[0-9]+[kK]", typed)
    rule = "RES-RATIO" if _RATIO.fullmatch(typed) else "RES-TIER" if tier else "RES-FORMAT"
    hint = f"Did you mean {fix}? {_forms()}" if fix else _forms()
    return InvalidResolution(f"{quote(text)} is not a resolution", rule=rule, hint=hint)


def _guess(text: str) -> str | None:
    """Return the legal resolution that the text most likely means, if any."""
    if len(text) > _LONGEST:
        return None
    folded = unicodedata.normalize("NFKC", text).strip().upper()
    if not folded.isascii():
        return None
    numbers = [int(part) for part in re.findall(r"[0-9]+", folded)]
    if len(numbers) == 1 and f"{numbers[0]}K" in RES_TIER_VALUES:
        return f"{numbers[0]}K"
    if len(numbers) != 2 or 0 in numbers:  # noqa: PLR2004 -- a pair
        return None
    if max(numbers) <= _SIMPLE_RATIO:
        return min(RES_RATIO_VALUES, key=lambda ratio: abs(numbers[0] / numbers[1] - _quotient(ratio)))
    width, height = nearest_size(numbers[0], numbers[1])
    return f"{width}x{height}"


def _quotient(ratio: str) -> float:
    across, _, down = ratio.partition(":")
    return int(across) / int(down)
