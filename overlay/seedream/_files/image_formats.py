"""Recognises image formats by their bytes, and finds out by an image's structure whether all of it is there.

Neither the URL nor the media type that a server names is relied on. An end mark in the last bytes would not do either:
a file that was cut inside an embedded thumbnail ends with one. So the blocks, boxes, segments or offsets of the format
are followed from the start. Bytes behind the end of the image do no harm.
"""

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from attrs import frozen

from seedream._support.patterns import lazy_pattern

if TYPE_CHECKING:
    import mmap

HEAD: Final = 64  # bytes that sniff() needs
Format = Literal["png", "jpeg", "webp", "gif", "bmp", "tiff", "avif", "heic", "heif"]

Buffer: TypeAlias = "bytes | bytearray | mmap.mmap"  # a memory map of a file, or bytes

_EXTENSIONS: Final[dict[Format, str]] = {
    "png": "png", "jpeg": "jpg", "webp": "webp", "gif": "gif", "bmp": "bmp", "tiff": "tif", "avif": "avif",
    "heic": "heic", "heif": "heif",
}  # fmt: skip
EXTENSIONS: Final = tuple(_EXTENSIONS.values())
_BRANDS: Final[dict[bytes, Format]] = {
    b"avif": "avif", b"avis": "avif",
    b"heic": "heic", b"heix": "heic", b"heim": "heic", b"heis": "heic", b"hevc": "heic", b"hevx": "heic",
}  # fmt: skip
_GENERAL_BRANDS: Final = (b"mif1", b"msf1", b"mif2", b"miaf")  # the codec is among the compatible brands


@frozen
class PictureType:
    """A recognised picture format: its media type and its file extension (without a dot)."""

    format: Format

    @property
    def media_type(self) -> str:
        return f"image/{self.format}"

    @property
    def extension(self) -> str:
        return _EXTENSIONS[self.format]


def sniff(head: bytes) -> PictureType | None:
    """Return the format of the first bytes, or None. Formats that begin with a size must give one above zero."""
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
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "tiff"
    return _heif_format(head) if head[4:8] == b"ftyp" else None


def _heif_format(head: bytes) -> Format | None:
    """Return the format of an ISO base media file: by its major brand, or by the others where that is general."""
    major, end = head[8:12], int.from_bytes(head[:4])
    if major not in _GENERAL_BRANDS:
        return _BRANDS.get(major)
    compatible = (head[at : at + 4] for at in range(16, min(end, len(head)) - 3, 4))
    return next((_BRANDS[brand] for brand in compatible if brand in _BRANDS), None) or "heif"


def is_whole(kind: PictureType, data: Buffer) -> bool:
    """Whether no byte of a picture is missing; ``kind`` is what ``sniff`` gave."""
    try:
        return _CHECKS[kind.format](data)
    except (struct.error, IndexError, OverflowError, _Cut):
        return False


class _Cut(Exception):
    """The data end before the structure does."""


def _need(data: Buffer, end: int) -> None:
    if end > len(data):
        raise _Cut


def _png(data: Buffer) -> bool:
    """Read a signature, then chunks of length, type, data and checksum up to IEND (PNG specification, 5.3)."""
    at = 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        at += 12 + length
        _need(data, at)
        if kind == b"IEND":
            return True


_JPEG_MARKER: Final = lazy_pattern(rb"\xff[^\x00\xff\xd0-\xd7]")  # not a stuffed byte, fill byte or restart marker
_EOI, _APP2 = 0xD9, 0xE2


def _jpeg(data: Buffer) -> bool:
    """Marker segments, each with its length; after SOS, coded data up to the next marker (ITU-T T.81, B.1)."""
    whole, last = _jpeg_image(data, 0)
    return whole and (not last or (data[last : last + 2] == b"\xff\xd8" and _jpeg_image(data, last)[0]))


def _jpeg_image(data: Buffer, at: int) -> tuple[bool, int]:
    """Whether an image of a JPEG is whole, and the place of the last one in the file, 0 where it has no others."""
    at, last = at + 2, 0
    while True:
        found = _JPEG_MARKER.search(data, at)
        if found is None:
            return False, last
        marker = data[found.end() - 1]
        at = found.end()
        if marker == _EOI:
            return True, last
        if marker != 0x01:
            if marker == _APP2 and data[at + 2 : at + 6] == b"MPF\0":
                last = _last_image(data, at + 6)
            at += struct.unpack_from(">H", data, at)[0]
            _need(data, at)


def _webp(data: Buffer) -> bool:
    """Read the size in the RIFF header (WebP container specification)."""
    size: int = struct.unpack_from("<I", data, 4)[0]
    return len(data) >= size + 8


def _gif(data: Buffer) -> bool:
    """Extension and image blocks, each of sub-blocks with a length, up to the trailer (GIF89a, appendix B)."""

    def table(flags: int) -> int:
        return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0

    at = 13 + table(data[10])
    while (kind := data[at]) != 0x3B:  # noqa: PLR2004 -- the trailer
        if kind == 0x21:  # noqa: PLR2004 -- an extension
            at += 2
        elif kind == 0x2C:  # noqa: PLR2004 -- an image
            at += 11 + table(data[at + 9])
        else:
            return False
        while length := data[at]:
            at += length + 1
        at += 1
    return True


def _bmp(data: Buffer) -> bool:
    """Read the file size in the header; where it is zero, the place and size of the pixels."""
    size, _, offset, header = struct.unpack_from("<4I", data, 2)
    if header >= 40:  # noqa: PLR2004 -- the older header has no such fields
        width, height, _, bits, packing = struct.unpack_from("<iiHHI", data, 18)
        if packing == 0:
            size = max(size, offset + (width * bits + 31) // 32 * 4 * abs(height))
    return bool(len(data) >= size)


# Bytes of a value of each TIFF field type (TIFF 6.0, page 15), and of BigTIFF's.
_TIFF_SIZES: Final = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8,
}  # fmt: skip
_TIFF_INTEGERS: Final = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_TIFF_PLACES: Final = {273: 279, 324: 325, 513: 514}  # tags of places of strips, tiles, JPEGs -> tags of their sizes
_TIFF_INSIDE: Final = 330  # the tag of the places of further directories
_TIFF_TAGS: Final = frozenset({*_TIFF_PLACES, *_TIFF_PLACES.values(), _TIFF_INSIDE})
_MPO_ENTRIES: Final = 0xB002
_MOST_FIELDS: Final = 100_000  # of all directories: more are not read


@frozen(eq=False, repr=False)
class _Tiff:
    """How the numbers of a TIFF, or of a structure like it, are written: with 4 bytes, or with 8 in a BigTIFF."""

    data: Buffer
    order: str
    start: int = 0
    big: bool = False

    @classmethod
    def of(cls, data: Buffer, start: int = 0) -> "_Tiff":
        order = "<" if data[start : start + 1] == b"I" else ">"
        return cls(data, order, start, struct.unpack_from(f"{order}H", data, start + 2)[0] == 43)  # noqa: PLR2004 -- BigTIFF's version

    def number(self, at: int) -> int:
        """A place or a count."""
        return int(struct.unpack_from(f"{self.order}{'Q' if self.big else 'I'}", self.data, self.start + at)[0])

    def directory(self, at: int) -> tuple[dict[int, tuple[int, ...] | bytes], int, int]:
        """The fields of a directory that matter here, the number of all, and where the next directory is."""
        wide, head = (8, 8) if self.big else (4, 2)
        count = self.number(at) if self.big else struct.unpack_from(f"{self.order}H", self.data, self.start + at)[0]
        if count > _MOST_FIELDS:
            raise _Cut
        entry, fields = 4 + 2 * wide, dict[int, tuple[int, ...] | bytes]()
        for field in range(at + head, at + head + count * entry, entry):
            tag, kind = struct.unpack_from(f"{self.order}HH", self.data, self.start + field)
            values = self.number(field + 4)
            size = _TIFF_SIZES.get(kind, 1) * values
            place = field + 4 + wide if size <= wide else self.number(field + 4 + wide)
            _need(self.data, self.start + place + size)
            if tag in _TIFF_TAGS and kind in _TIFF_INTEGERS:
                fields[tag] = struct.unpack_from(
                    f"{self.order}{values}{_TIFF_INTEGERS[kind]}", self.data, self.start + place
                )
            elif tag == _MPO_ENTRIES:
                fields[tag] = bytes(self.data[self.start + place : self.start + place + size])
        return fields, count, self.number(at + head + count * entry)


def _tiff(data: Buffer) -> bool:
    """Check that each directory, its values, and its strips or tiles are within the data (TIFF 6.0, section 2)."""
    tiff = _Tiff.of(data)
    left, seen, read = [tiff.number(8 if tiff.big else 4)], set[int](), 0
    while left:
        at = left.pop()
        if not at or at in seen:
            continue
        seen.add(at)
        fields, count, following = tiff.directory(at)
        read += count + 1
        if read > _MOST_FIELDS:
            return False
        for places, sizes in _TIFF_PLACES.items():
            for place, size in zip(fields.get(places, ()), fields.get(sizes, ()), strict=False):
                _need(data, place + size)
        left += [following, *fields.get(_TIFF_INSIDE, ())]
    return bool(seen)


def _last_image(data: Buffer, start: int) -> int:
    """Where the last image of a JPEG with several begins, as its index says (CIPA DC-007, 5.2).

    The sizes in the index are left alone: common writers get them wrong.
    """
    index = _Tiff.of(data, start)
    entries = bytes(index.directory(index.number(4))[0].get(_MPO_ENTRIES, ()))
    places = [struct.unpack_from(f"{index.order}I", entries, at + 8)[0] for at in range(0, len(entries) - 15, 16)]
    return start + max(places) if any(places) else 0


_SEQUENCES: Final = (b"avis", b"msf1", b"hevc", b"hevx")  # brands of several images in time
_BOXES: Final = frozenset({b"ftyp", b"meta", b"mdat", b"moov", b"moof", b"mfra", b"sidx", b"free", b"skip", b"uuid"})


def _heif(data: Buffer) -> bool:
    """Read all boxes, and the places of the items in the meta box (ISO/IEC 14496-12, 4.2 and 8.11.3)."""
    needed = {b"ftyp", b"mdat"} | ({b"moov"} if data[8:12] in _SEQUENCES else set())
    at, kinds = 0, set[bytes]()

    def complete() -> bool:
        return needed <= kinds and not kinds.isdisjoint({b"meta", b"moov"})

    while at < len(data):
        start, end, kind = _box(data, at, len(data))
        if kind not in _BOXES and complete():
            break  # bytes behind the image
        _need(data, end)
        kinds.add(kind)
        if kind == b"meta":
            _check_items(data, start + 4, end)
        at = end
    return complete()


def _box(data: Buffer, at: int, limit: int) -> tuple[int, int, bytes]:
    """Read a box: where its content begins, where it ends, and its type."""
    if limit - at < 8:  # noqa: PLR2004 -- less than a header
        return at, limit, b"\0"
    size, kind = struct.unpack_from(">I4s", data, at)
    start = at + 8
    if size == 1:
        size, start = struct.unpack_from(">Q", data, start)[0], start + 8
    elif size == 0:
        size = limit - at
    if size < start - at:
        return start, limit, b"\0"
    return start, at + size, kind


def _check_items(data: Buffer, at: int, limit: int) -> None:
    while at < limit:
        start, end, kind = _box(data, at, limit)
        if kind == b"iloc":
            _need(data, _last_item(data, start))
        at = end


def _last_item(data: Buffer, at: int) -> int:
    """Return where the last extent of an iloc box ends in the file."""
    version = data[at]
    sizes, more = data[at + 4], data[at + 5]
    offset_size, length_size, base_size, index_size = sizes >> 4, sizes & 15, more >> 4, more & 15 if version else 0
    at += 6

    def number(size: int) -> int:
        nonlocal at
        _need(data, at + size)
        value = int.from_bytes(data[at : at + size])
        at += size
        return value

    last, wide = 0, 4 if version == 2 else 2  # noqa: PLR2004 -- the version with wide ids
    for _ in range(number(wide)):
        number(wide)  # the item's id
        in_file = not version or not number(2) & 15
        number(2)  # the data reference
        base = number(base_size)
        for _ in range(number(2)):
            number(index_size)
            end = base + number(offset_size)
            end += number(length_size)
            last = max(last, end if in_file else 0)
    return last


_CHECKS: Final[dict[Format, Callable[[Buffer], bool]]] = {
    "png": _png, "jpeg": _jpeg, "webp": _webp, "gif": _gif, "bmp": _bmp, "tiff": _tiff,
    "avif": _heif, "heic": _heif, "heif": _heif,
}  # fmt: skip
