"""Small real pictures, made without a picture library."""

import struct
import zlib

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of each colour type of a PNG


def png(
    width: int = 2,
    height: int = 2,
    shade: int = 0,
    *,
    length: int = 0,
    filling: bytes = b"",
    colour: int = 0,
    depth: int = 8,
) -> bytes:
    """Return a whole PNG of this size (pixels) and colour type, by default grey.

    A chunk that readers skip fills it up to a length (bytes).
    """

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes([shade]) * ((width * depth * CHANNELS[colour] + 7) // 8)) * height
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    palette = chunk(b"PLTE", bytes(3 * (shade + 1))) if colour == 3 else b""  # noqa: PLR2004 -- indexed
    first = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + palette + chunk(b"IDAT", zlib.compress(rows))
    last = chunk(b"IEND", b"")
    room = length - len(first) - len(last) - len(chunk(b"fiLl", b""))
    return first + (chunk(b"fiLl", filling.ljust(room, b"\0")) if room >= 0 else b"") + last


def jpeg(shade: int = 0, *, components: int = 1, progressive: bool = False) -> bytes:
    """Return a whole JPEG of one pixel, with a comment that makes each another one.

    One component is grey, three are a colour, four CMYK.
    """
    quantisation, huffman = "ffdb004300" + "ff" * 64, "ffc4001400" + "01" + "00" * 16 + "ffc4001410" + "01" + "00" * 16
    names = range(1, components + 1)
    frame = f"ffc{2 if progressive else 0}00{8 + 3 * components:02x}0800010001{components:02x}" + "".join(
        f"{name:02x}1100" for name in names
    )
    scan = f"ffda00{6 + 2 * components:02x}{components:02x}" + "".join(f"{name:02x}00" for name in names)
    # Two bits a component, of which a progressive scan of only the first coefficient has one.
    bits = (1 if progressive else 2) * components
    pixel = f"{scan}{'000000' if progressive else '003f00'}{(1 << 8 - bits) - 1:02x}ffd9"
    return b"\xff\xd8\xff\xfe\x00\x07note" + bytes([shade]) + bytes.fromhex(quantisation + frame + huffman + pixel)


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
