"""Checks that bytes are a whole picture, down to its checksums; formats other than PNG need Pillow."""

import hashlib
import io
import struct
import warnings
import zlib
from typing import Final

from seedream_testing.contract.samples import CHANNELS
from seedream_testing.contract.violation import Unobservable

_PNG: Final = b"\x89PNG\r\n\x1a\n"


def media_type(body: bytes) -> str:
    """Return the media type of a picture's bytes; empty where the format is not known."""
    if body.startswith(_PNG):
        return "image/png"
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return "image/webp"
    return "image/jpeg" if body.startswith(b"\xff\xd8") else ""


def image_digest(body: bytes) -> bytes:
    """Return a digest of what a whole picture shows, whatever else its file says; of its bytes if Pillow cannot."""
    try:
        from PIL import Image  # noqa: PLC0415 -- an extra

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(body)) as image:
                shown = f"{image.mode} {image.size} {image.getpalette()}".encode()
                return hashlib.sha256(shown + image.tobytes()).digest()
    except Exception:  # noqa: BLE001 -- Pillow raises many kinds, also for pictures that claim a huge size
        return hashlib.sha256(body).digest()


def image_fault(body: bytes) -> str:
    """Return why a picture cannot be decoded whole, or an empty text.

    Raises:
        Unobservable: It is of a format that only Pillow reads, and Pillow is not installed.
    """
    return _png_fault(body) if body.startswith(_PNG) else _pillow_fault(body)


def _png_fault(body: bytes) -> str:  # noqa: PLR0911 -- one return a fault
    at, data, header, ended = len(_PNG), bytearray(), b"", False
    while at < len(body) and not ended:
        length, kind = struct.unpack_from(">I4s", body, at) if at + 8 <= len(body) else (0, b"")
        chunk = body[at + 8 : at + 8 + length]
        check = body[at + 8 + length : at + 12 + length]
        if len(chunk) != length or len(check) != 4:  # noqa: PLR2004 -- of a checksum
            return "it is cut"
        if struct.unpack(">I", check)[0] != zlib.crc32(kind + chunk):
            return f"the checksum of {kind.decode('latin-1')} is wrong"
        header = chunk if kind == b"IHDR" else header
        data += chunk if kind == b"IDAT" else b""
        ended = kind == b"IEND"
        at += 12 + length
    if not ended:
        return "it has no end"
    if at != len(body):
        return f"{len(body) - at} bytes follow its end"
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    try:
        pixels = zlib.decompress(bytes(data))
    except zlib.error as error:
        return f"its pixels cannot be read: {error}"
    line = (width * depth * CHANNELS.get(colour, 0) + 7) // 8 + 1
    if not interlaced and len(pixels) != line * height:
        return f"it has {len(pixels):,} bytes of pixels, not {line * height:,}"
    return ""


def _pillow_fault(body: bytes) -> str:
    try:
        from PIL import Image  # noqa: PLC0415 -- an extra
    except ModuleNotFoundError:
        raise Unobservable("whether this picture is whole is only seen with Pillow (pip install pillow)") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(body)) as image:
                image.verify()
            with Image.open(io.BytesIO(body)) as image:
                image.load()
    except Exception as error:  # noqa: BLE001 -- Pillow raises many kinds, also for pictures that claim a huge size
        return str(error) or type(error).__name__
    return "" if body.startswith(b"RIFF") or body.rstrip(b"\0").endswith(b"\xff\xd9") else "it has no end"
