"""Small real pictures, made without a picture library."""

import struct
import zlib


def png(width: int = 2, height: int = 2, shade: int = 0, *, length: int = 0, filling: bytes = b"") -> bytes:
    """Return a whole grey PNG of this size (pixels), filled up to a length (bytes) by a chunk that readers skip."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([shade]) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    first = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
    last = chunk(b"IEND", b"")
    room = length - len(first) - len(last) - len(chunk(b"fiLl", b""))
    return first + (chunk(b"fiLl", filling.ljust(room, b"\0")) if room >= 0 else b"") + last


def jpeg(shade: int = 0) -> bytes:
    """Return a whole JPEG of one grey pixel, with a comment that makes each another one."""
    quantisation, huffman = "ffdb004300" + "ff" * 64, "ffc4001400" + "01" + "00" * 16 + "ffc4001410" + "01" + "00" * 16
    pixel = "ffda0008010100003f003fffd9"
    return (
        b"\xff\xd8\xff\xfe\x00\x07note"
        + bytes([shade])
        + bytes.fromhex(quantisation + "ffc0000b080001000101011100" + huffman + pixel)
    )


def webp() -> bytes:
    """Return a whole WebP of one pixel, lossless."""
    return bytes.fromhex("524946461a000000574542505650384c0d0000002f00000010071011118888fe0700")


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Return the width and height (pixels) in a PNG, JPEG or WebP; None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        width, height = struct.unpack(">II", content[16:24])
        return int(width), int(height)
    if content.startswith(b"\xff\xd8"):
        return _jpeg_size(content)
    if content[:4] == b"RIFF" and content[8:15] == b"WEBPVP8":
        return _webp_size(content)
    return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:  # noqa: PLR2004 -- JPEG's marker byte
        marker, length = content[at + 1], int(struct.unpack(">H", content[at + 2 : at + 4])[0])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # noqa: PLR2004 -- start of frame
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + length
    return None


def _webp_size(content: bytes) -> tuple[int, int] | None:
    match content[15:16]:
        case b" ":
            width, height = struct.unpack("<HH", content[26:30])
            return int(width) & 0x3FFF, int(height) & 0x3FFF
        case b"L":
            bits = int(struct.unpack("<I", content[21:25])[0])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"X":
            return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
        case _:
            return None
