"""What kind of picture the bytes are, and whether they are all there. The URL and the server's word do not count."""

import struct
from typing import Final, Literal

from attrs import frozen

HEAD: Final = 64  # bytes needed by sniff()
TAIL: Final = 4096  # bytes needed by is_whole()
Format = Literal["png", "jpeg", "webp", "gif", "bmp", "tiff", "avif", "heic"]

_PNG_END: Final = b"IEND\xaeB`\x82"
_JPEG_END: Final = b"\xff\xd9"
_BRANDS: Final[dict[bytes, Format]] = {
    b"avif": "avif",
    b"avis": "avif",
    b"heic": "heic",
    b"heix": "heic",
    b"mif1": "heic",
}
_EXTENSIONS: Final[dict[Format, str]] = {"jpeg": "jpg", "tiff": "tif"}


@frozen
class PictureType:
    """A recognised picture format: its media type and its file extension (without a dot)."""

    format: Format

    @property
    def media_type(self) -> str:
        return f"image/{self.format}"

    @property
    def extension(self) -> str:
        return _EXTENSIONS.get(self.format, self.format)


EXTENSIONS: Final = ("png", "jpg", "webp", "gif", "bmp", "tif", "avif", "heic")


def sniff(head: bytes) -> PictureType | None:
    """The format that the first bytes tell, or None. Formats with a size up front must give one above zero."""
    kind = _format(head)
    return PictureType(kind) if kind else None


def _format(head: bytes) -> Format | None:  # noqa: PLR0911 -- one return a format
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        sized = len(head) >= 24 and head[12:16] == b"IHDR" and all(struct.unpack(">II", head[16:24]))  # noqa: PLR2004 -- PNG's layout
        return "png" if sized else None
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp" if head[12:15] == b"VP8" else None
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"BM") and len(head) >= 18 and head[6:10] == b"\0\0\0\0":  # noqa: PLR2004 -- BMP's layout
        return "bmp"
    if head.startswith((b"II*\0", b"MM\0*")):
        return "tiff"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    return None


def is_whole(kind: PictureType, head: bytes, tail: bytes, size: int, *, size_known: bool = False) -> bool:
    """Whether the picture's own end mark or length says that no byte is missing.

    Args:
        kind: What sniff() told.
        head: The first HEAD bytes (or all).
        tail: The last TAIL bytes (or all).
        size: The number of bytes in all.
        size_known: Whether this number of bytes was announced; bytes may then follow the end mark.

    Formats without an end mark count as whole: the transfer's own length is then the only check.
    """
    match kind.format:
        case "png":
            return _PNG_END in tail if size_known else tail.endswith(_PNG_END)
        case "jpeg":
            # Some encoders pad; the mark must still be the last thing that is not padding.
            return _JPEG_END in tail if size_known else tail.rstrip(b"\0\r\n ").endswith(_JPEG_END)
        case "webp":
            stated = int(struct.unpack("<I", head[4:8])[0])
            return size in (stated + 8, stated + 8 + (stated & 1))
        case "gif":
            return tail.rstrip(b"\0").endswith(b";")
        case "bmp":
            return size >= int(struct.unpack("<I", head[2:6])[0])
        case _:
            return True
