"""Opens pictures with Pillow, where it is installed, for what a run does not depend on: their size and small copies."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T")


def read_image(source: Path | BinaryIO, read: "Callable[[Image], T]") -> T | None:
    """Open a picture and return what ``read`` makes of it; None without Pillow, or where either fails."""
    try:
        from PIL import Image  # noqa: PLC0415 -- an optional library

        with Image.open(source) as image:
            return read(image)
    # For damaged or huge pictures Pillow and its plug-ins raise OSError, SyntaxError, struct.error, MemoryError,
    # DecompressionBombError and more; no list of them is complete.
    except Exception:  # noqa: BLE001
        return None
