"""A picture is recognised by its bytes, and is whole when its structure is: no cut passes, bytes behind it do no harm."""

# ruff: noqa: E501 -- tables read best with one case a line

import hashlib
import io
import os
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from seedream._files import image_formats
from seedream._files.image_formats import EXTENSIONS, HEAD, PictureType, _box, _Cut, _last_item, is_whole, sniff
from seedream._files.partial_file import MemoryFile, PartialFile, find_complete, whole_format


def encoded(kind: str, size: tuple[int, int] = (60, 45), **options: Any) -> bytes:
    image = Image.effect_noise(size, 80).convert("RGB")
    stream = io.BytesIO()
    if options.pop("animated", False):
        options.update(save_all=True, append_images=[image.rotate(9), image.rotate(20)])
    image.save(stream, kind, **options)
    return stream.getvalue()


def with_thumbnail() -> bytes:
    """Return a JPEG whose Exif segment holds a whole JPEG, which ends with an end mark of its own."""
    plain, inner = encoded("JPEG"), encoded("JPEG", (20, 15))
    segment = b"\xff\xe1" + struct.pack(">H", len(inner) + 8) + b"Exif\0\0" + inner
    return plain[:2] + segment + plain[2:]


WHOLE = {
    "png": encoded("PNG"), "jpg": encoded("JPEG"), "jpg, with restart markers": encoded("JPEG", restart_marker_blocks=1), "jpg, progressive": encoded("JPEG", progressive=True), "jpg, thumbnail": with_thumbnail(),
    "webp": encoded("WEBP"), "webp, lossless": encoded("WEBP", lossless=True), "gif": encoded("GIF"), "gif, animated": encoded("GIF", animated=True),
    "png, animated": encoded("PNG", animated=True), "webp, animated": encoded("WEBP", animated=True), "avif, animated": encoded("AVIF", animated=True),
    "jpg, several": encoded("MPO", animated=True), "tif, several pages": encoded("TIFF", animated=True), "tif, big": encoded("TIFF", big_tiff=True),
    "tif, big, several pages": encoded("TIFF", animated=True, big_tiff=True)[:-4],  # without padding
    "tif, JPEG": encoded("TIFF", compression="jpeg"),
    "bmp": encoded("BMP"), "tif": encoded("TIFF"), "tif, packed": encoded("TIFF", compression="tiff_lzw"), "avif": encoded("AVIF"),
    "bmp, size left at zero": encoded("BMP")[:2] + bytes(4) + encoded("BMP")[6:],
}  # fmt: skip


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("behind", [b"", b"\0", b"a label behind the picture", bytes(5000), b"\xff\xd9"])
def test_a_whole_picture_is_whole_whatever_is_behind_it(data: bytes, behind: bytes) -> None:
    kind = sniff(data[:HEAD])
    assert kind is not None
    assert is_whole(kind, data + behind)


@pytest.mark.parametrize("name", WHOLE)
def test_no_cut_of_a_picture_is_whole(name: str) -> None:
    data = WHOLE[name]
    kind = sniff(data[:HEAD])
    assert kind is not None
    assert name.split(",", maxsplit=1)[0] == kind.extension
    # Every length near the start, the end and the segments' borders, and steps between.
    lengths = {*range(30, 400), *range(len(data) - 400, len(data)), *range(400, len(data), 37)}
    assert [] == [length for length in lengths if 0 <= length < len(data) and is_whole(kind, data[:length])]


def test_a_jpeg_cut_inside_its_embedded_thumbnail_is_not_whole() -> None:
    data = with_thumbnail()
    end_of_thumbnail = data.index(b"\xff\xd9") + 2
    assert data[:end_of_thumbnail].endswith(b"\xff\xd9")
    assert not is_whole(PictureType("jpeg"), data[:end_of_thumbnail])


@given(data=st.binary(max_size=200), name=st.sampled_from(list(WHOLE)))
@settings(max_examples=300)
def test_damaged_bytes_raise_nothing(data: bytes, name: str) -> None:
    whole = WHOLE[name]
    kind = sniff(whole[:HEAD])
    assert kind is not None
    for at in (0, 8, 40, len(whole) // 2):
        assert is_whole(kind, whole[:at] + data + whole[at + len(data) :]) in (True, False)
        assert is_whole(kind, data) in (True, False)


def iloc(version: int, sizes: tuple[int, int, int, int], items: list[tuple[int, int, list[tuple[int, int]]]]) -> bytes:
    """An item location box's content (ISO/IEC 14496-12, 8.11.3): items of construction method, base and extents.

    ``sizes`` are the bytes of an offset, a length, a base and an index.
    """
    offset, length, base, index = sizes
    wide = 4 if version == 2 else 2
    parts = [bytes([version, 0, 0, 0, offset << 4 | length, base << 4 | index]), len(items).to_bytes(wide)]
    for number, (method, start, extents) in enumerate(items):
        parts += [number.to_bytes(wide), method.to_bytes(2) if version else b"", bytes(2)]
        parts += [start.to_bytes(base), len(extents).to_bytes(2)]
        for at, size in extents:
            parts += [bytes(index) if version else b"", at.to_bytes(offset), size.to_bytes(length)]
    return b"".join(parts)


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("sizes", [(4, 4, 0, 0), (4, 4, 4, 0), (8, 4, 8, 4), (4, 8, 4, 8), (0, 4, 4, 0)])
def test_the_last_byte_of_an_item_is_where_its_box_says(version: int, sizes: tuple[int, int, int, int]) -> None:
    base, at = (1000 if sizes[2] else 0), (500 if sizes[0] else 0)
    items = [
        (0, base, [(at, 20), (at and 100, 7)]),
        (0, base, [(at and 300, 30)]),
        (1, base and 9000, [(at and 8000, 30)]),  # inside another box, where a version has that
        (0, base, []),
    ]
    expected = base + at + (20 if at else 30)
    if not version:
        expected = (base and 9000) + (at and 8000) + 30
    content = b"in front" + iloc(version, sizes, items)
    assert _last_item(content, 8) == expected
    for cut in range(1, 12):
        with pytest.raises((struct.error, IndexError, _Cut)):
            _last_item(content[:-cut], 8)


def last_box(data: bytes) -> int:
    """Where the last box of an AVIF begins."""
    at = last = 0
    while at < len(data):
        last, at = at, at + int(struct.unpack_from(">I", data, at)[0])
    return last


def test_a_box_may_state_its_size_in_three_ways() -> None:
    """ISO/IEC 14496-12, 4.2: in 32 bits, in 64 bits after a 1, or 0 for "to the end of the file"."""
    data, kind = WHOLE["avif"], PictureType("avif")
    at = last_box(data)
    assert data[at + 4 : at + 8] == b"mdat"
    to_the_end = data[:at] + bytes(4) + data[at + 4 :]
    assert is_whole(kind, to_the_end)
    # Its items have places in the file, so a cut is found all the same.
    assert not is_whole(kind, to_the_end[:-1])
    padding = struct.pack(">I4sQ", 1, b"free", 16 + 5) + bytes(5)
    assert is_whole(kind, data + padding)
    assert not is_whole(kind, data + padding[:-1])


@pytest.mark.parametrize(
    "entries",
    [
        b"",
        struct.pack("<HHII", 0xB000, 7, 4, 0x30303130),
        struct.pack("<HHII", 0xB002, 7, 16, 38) + bytes(4) + bytes(32),
    ],
    ids=["no field", "no index of images", "no place in the index"],
)
def test_a_jpeg_whose_index_names_no_other_image_is_one_image(entries: bytes) -> None:
    count = min(len(entries) // 12, 1)
    index = b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4)
    segment = b"\xff\xe2" + struct.pack(">H", 2 + 4 + len(index)) + b"MPF\0" + index
    plain = WHOLE["jpg"]
    assert is_whole(PictureType("jpeg"), plain[:2] + segment + plain[2:])
    assert not is_whole(PictureType("jpeg"), plain[:2] + segment + plain[2:-2])


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    content = major + bytes(4) + b"".join(compatible)
    return struct.pack(">I", len(content) + 8) + b"ftyp" + content


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (WHOLE["png"], "png"), (WHOLE["png"][:23], None), (WHOLE["png"][:24], "png"), (WHOLE["png"][:16] + bytes(8), None), (b"\x89PNG\r\n\x1a\n\0\0\0\rXHDR" + b"\1" * 8, None),
        (b"\xff\xd8\xff", "jpeg"), (b"\xff\xd8", None), (b"RIFF\x0e\0\0\0WEBPVP8 ", "webp"), (b"RIFF0000WEBPVPX", None), (b"RIFF0000WAVEVP8 ", None),
        (b"GIF87a", "gif"), (b"GIF89a;", "gif"), (b"GIF88a", None), (b"BM\x20\0\0\0" + bytes(12), "bmp"), (b"BM\x20\0\0\0" + bytes(11), None),
        (b"BM\x20\0\0\0" + b"\1" * 12, None), (b"II*\0", "tiff"), (b"MM\0*", "tiff"), (b"II+\0", "tiff"), (b"MM\0+", "tiff"), (b"II\0*", None), (b"", None), (b"x", None), (b"<html>", None),
        (b"%PDF-1.7", None),
        (ftyp(b"avif"), "avif"), (ftyp(b"avis"), "avif"), (ftyp(b"heic"), "heic"), (ftyp(b"heix"), "heic"), (ftyp(b"hevc"), "heic"), (ftyp(b"hevx"), "heic"),
        (ftyp(b"mif1", b"avif", b"miaf"), "avif"), (ftyp(b"mif1", b"miaf", b"heic"), "heic"), (ftyp(b"msf1", b"hevc"), "heic"), (ftyp(b"mif1", b"miaf"), "heif"),
        (ftyp(b"mp42", b"avif"), None), (b"\0\0\0\x20FTYPavif", None),
        (ftyp(b"heim"), "heic"), (ftyp(b"heis"), "heic"), (ftyp(b"mif2", b"heix"), "heic"), (ftyp(b"miaf", b"avis"), "avif"),
        (ftyp(b"mif1") + b"avif", "heif"), (ftyp(b"mif1", b"none", b"none", b"hevx"), "heic"), (ftyp(b"mif1", b"xavi", b"fxxx"), "heif"),
    ],
)  # fmt: skip
def test_a_format_is_recognised_by_the_first_bytes(head: bytes, name: str | None) -> None:
    found = sniff(head[:HEAD])
    assert name == (found and found.format)
    if found:
        assert found.extension == {"jpeg": "jpg", "tiff": "tif"}.get(found.format, found.format)
        assert found.extension in EXTENSIONS
        assert found.media_type == f"image/{name}"


def ends_with(kind: Any, data: bytes) -> None:
    """Assert that the last byte belongs to the picture."""
    assert is_whole(PictureType(kind), data)
    assert not is_whole(PictureType(kind), data[:-1])


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"in frontfree", (8, 12, b"\0")),  # no room for a header
        (b"in front" + box(b"free"), (16, 16, b"free")),
        (b"in front" + box(b"free", b"abc") + b"behind", (16, 19, b"free")),
        (b"in front" + struct.pack(">I4sQ", 1, b"mdat", 20) + b"abcd behind", (24, 28, b"mdat")),
        (b"in front" + struct.pack(">I4s", 0, b"mdat") + b"to the end", (16, 26, b"mdat")),
        (b"in front" + struct.pack(">I4s", 7, b"mdat"), (16, 16, b"\0")),  # less than its own header
        (b"in front" + struct.pack(">I4sQ", 1, b"mdat", 15) + b"abc", (24, 27, b"\0")),
        (b"in front" + struct.pack(">I4sQ", 1, b"mdat", 16), (24, 24, b"mdat")),
    ],
)
def test_a_box_is_read_where_it_begins(data: bytes, found: tuple[int, int, bytes]) -> None:
    assert _box(data, 8, len(data)) == found


FTYP = {major: ftyp(major) for major in (b"avif", b"avis", b"heic", b"hevc", b"hevx", b"msf1", b"mif1")}
META = box(b"meta", bytes(4))


@pytest.mark.parametrize(
    ("kind", "boxes", "whole"),
    [
        ("avif", [FTYP[b"avif"], META, box(b"mdat", b"x")], True),
        ("avif", [FTYP[b"avif"], box(b"mdat", b"x"), META], True),
        ("avif", [FTYP[b"avif"], box(b"moov"), box(b"mdat", b"x")], True),
        ("avif", [FTYP[b"avis"], box(b"moov"), box(b"mdat", b"x")], True),
        ("avif", [FTYP[b"avif"], box(b"else", b"abc"), META, box(b"mdat", b"x")], True),
        ("avif", [FTYP[b"avif"], box(b"mdat", b"x"), box(b"else", b"abc"), META], True),
        ("avif", [FTYP[b"avif"], box(b"mdat", b"x")], False),  # nothing says what the bytes are
        ("avif", [FTYP[b"avif"], META], False),
        ("avif", [META, box(b"mdat", b"x")], False),
        ("avif", [], False),
        *(("avif", [FTYP[major], META, box(b"mdat", b"x")], False) for major in (b"avis", b"hevc", b"hevx", b"msf1")),
        *(("avif", [FTYP[major], META, box(b"moov"), box(b"mdat", b"x")], True) for major in (b"avis", b"hevc", b"hevx", b"msf1")),
        *((name, [FTYP[b"mif1"], META, box(b"mdat", b"x")], True) for name in ("heic", "heif")),
    ],
)  # fmt: skip
def test_an_image_of_boxes_has_the_boxes_that_it_needs(kind: Any, boxes: list[bytes], whole: bool) -> None:
    assert is_whole(PictureType(kind), b"".join(boxes)) is whole
    if whole:
        assert is_whole(PictureType(kind), b"".join([*boxes, box(b"else", b"a label")[:-1]])), "bytes behind it"


@pytest.mark.parametrize("name", ["ftyp", "meta", "mdat", "moov", "moof", "mfra", "sidx", "free", "skip", "uuid"])
def test_a_cut_box_behind_the_data_is_a_part_that_is_missing(name: str) -> None:
    last = box(name.encode(), bytes(4) + b"content")
    ends_with("avif", FTYP[b"avif"] + META + box(b"mdat", b"x") + last)


@pytest.mark.parametrize("front", [b"", box(b"hdlr", b"abc")])
def test_the_places_of_items_are_read_in_the_meta_box(front: bytes) -> None:
    items = iloc(0, (4, 4, 0, 0), [(0, 0, [(300, 20)])])
    head = (
        FTYP[b"avif"] + box(b"meta", bytes(4) + front + box(b"iloc", items) + box(b"iprp", b"abc")) + box(b"mdat", b"x")
    )
    ends_with("avif", head + box(b"else", bytes(320 - 8 - len(head))))


def test_an_item_outside_the_file_has_no_place_in_it() -> None:
    assert _last_item(iloc(1, (4, 4, 0, 0), [(1, 0, [(8000, 30)]), (2, 0, [(9000, 30)])]), 0) == 0
    assert _last_item(iloc(1, (4, 4, 0, 0), [(16, 0, [(8000, 30)])]), 0) == 8030, "only four bits are the method"


# --- TIFF: offsets ---------------------------------------------------------------------------------------------------
Field = tuple[int, int, int, int | bytes]  # tag, type, number of values, value or place


def directory(order: str, wide: int, fields: list[Field], following: int = 0) -> bytes:
    count, number = ("Q", "Q") if wide == 8 else ("H", "I")
    parts = [struct.pack(f"{order}{count}", len(fields))]
    for tag, kind, values, value in fields:
        parts.append(struct.pack(f"{order}HH{number}", tag, kind, values))
        parts.append(value if isinstance(value, bytes) else struct.pack(f"{order}{number}", value))
    return b"".join([*parts, struct.pack(f"{order}{number}", following)])


def tiff(order: str, wide: int, fields: list[Field], following: int = 0) -> bytes:
    """A TIFF of one directory, which ends where the header says that it begins and the fields are."""
    mark = b"II" if order == "<" else b"MM"
    head = struct.pack(f"{order}HHHQ", 43, 8, 0, 16) if wide == 8 else struct.pack(f"{order}HI", 42, 8)
    return mark + head + directory(order, wide, fields, following)


both_tiffs = pytest.mark.parametrize(("order", "wide"), [("<", 4), (">", 4), ("<", 8), (">", 8)])
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8, 99: 1}


@both_tiffs
@pytest.mark.parametrize(("kind", "size"), SIZES.items())
def test_the_values_of_a_field_belong_to_a_tiff(order: str, wide: int, kind: int, size: int) -> None:
    """TIFF 6.0, page 15: the size of each type; a type that is not known counts as bytes."""
    place = len(tiff(order, wide, [(1000, kind, 9, 0)]))
    ends_with("tiff", tiff(order, wide, [(1000, kind, 9, place)]) + bytes(9 * size))


@both_tiffs
def test_what_fits_into_a_field_is_in_it(order: str, wide: int) -> None:
    ends_with("tiff", tiff(order, wide, [(1000, 1, wide, b"\xff" * wide)]))
    assert not is_whole(PictureType("tiff"), tiff(order, wide, [(1000, 1, wide + 1, b"\xff" * wide)]) + bytes(5000))


@both_tiffs
@pytest.mark.parametrize(("places", "sizes"), [(273, 279), (324, 325), (513, 514)])
@pytest.mark.parametrize("kind", [3, 4, 13, 16, 18])
def test_strips_and_tiles_belong_to_a_tiff(order: str, wide: int, places: int, sizes: int, kind: int) -> None:
    # Two strips; the last byte is that of the first, so that each is looked at.
    letter = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}[kind]
    empty = len(tiff(order, wide, [(places, kind, 2, 0), (sizes, kind, 2, 0)]))
    width = 2 * struct.calcsize(f"={letter}")
    start = empty + 2 * width
    values = [struct.pack(f"{order}2{letter}", start + 20, start), struct.pack(f"{order}2{letter}", 30, 10)]
    inline = width <= wide
    fields: list[Field] = [
        (tag, kind, 2, value.ljust(wide, b"\0") if inline else empty + number * width)
        for number, (tag, value) in enumerate(zip((places, sizes), values, strict=True))
    ]
    outside = bytes(2 * width) if inline else b"".join(values)
    ends_with("tiff", tiff(order, wide, fields) + outside + bytes(50))


@both_tiffs
def test_places_without_sizes_and_places_as_text_are_left_alone(order: str, wide: int) -> None:
    far = b"\xff" * wide
    fields: list[list[Field]] = [
        [(273, 4, 1, far)],
        [(273, 2, 4, far), (279, 2, 4, far)],
        [(274, 4, 1, far), (279, 4, 1, far)],
    ]
    for one in fields:
        assert is_whole(PictureType("tiff"), tiff(order, wide, one))


@both_tiffs
def test_all_directories_belong_to_a_tiff(order: str, wide: int) -> None:
    further = directory(order, wide, [(1000, 1, 1, 0)])
    place = len(tiff(order, wide, [(330, 13, 1, 0)]))
    ends_with("tiff", tiff(order, wide, [(1000, 1, 1, 0)], following=place) + further)
    kind = 18 if wide == 8 else 13
    ends_with("tiff", tiff(order, wide, [(330, kind, 1, place)]) + further)
    # Of several inside, also where one is none or the first again.
    for other in (0, 16 if wide == 8 else 8):
        values = b"".join(
            value.to_bytes(wide, "little" if order == "<" else "big") for value in (place + 2 * wide, other)
        )
        ends_with("tiff", tiff(order, wide, [(330, kind, 2, place)]) + values + further)
    values = b"".join(
        value.to_bytes(wide, "little" if order == "<" else "big")
        for value in (place + 2 * wide + len(further), place + 2 * wide)
    )
    ends_with("tiff", tiff(order, wide, [(330, kind, 2, place)]) + values + further + further)
    assert is_whole(PictureType("tiff"), tiff(order, wide, [], following=16 if wide == 8 else 8)), (
        "one that follows itself"
    )


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*"])
def test_a_tiff_without_a_directory_is_not_whole(head: bytes) -> None:
    assert not is_whole(PictureType("tiff"), head + bytes(100))


def test_a_tiff_of_too_many_fields_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    two = tiff("<", 4, [(1000, 1, 1, 0)] * 2, following=8 + 2 + 24 + 4) + directory("<", 4, [(1000, 1, 1, 0)] * 2)
    for most, whole in ((6, True), (5, False), (2, False), (1, False)):
        monkeypatch.setattr(image_formats, "_MOST_FIELDS", most)
        assert is_whole(PictureType("tiff"), two) is whole
    monkeypatch.undo()
    assert not is_whole(PictureType("tiff"), tiff("<", 8, [(1000, 1, 1, 0)] * 100_001))
    one = tiff("<", 4, [(1000, 1, 1, 0)] * 3)
    monkeypatch.setattr(image_formats, "_MOST_FIELDS", 4)
    assert is_whole(PictureType("tiff"), one)


@both_tiffs
@pytest.mark.parametrize("far", [2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_place_beyond_every_file_is_not_whole(order: str, wide: int, far: int) -> None:
    if far >= 256**wide:
        return
    place = far.to_bytes(wide, "little" if order == "<" else "big")
    start = tiff(order, wide, [])
    assert not is_whole(PictureType("tiff"), start[:wide] + place + bytes(64))
    for tag, kind in ((330, 18 if wide == 8 else 13), (1000, 4)):
        assert not is_whole(PictureType("tiff"), tiff(order, wide, [(tag, kind, 1 if tag == 330 else 9, place)]))
    assert not is_whole(PictureType("tiff"), tiff(order, wide, [(1000, 4, far, 0)]))
    assert not is_whole(PictureType("tiff"), tiff(order, wide, [], following=far))


# --- JPEG, GIF, BMP, WebP --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "segment", [b"\xff\x01", b"\xff\xff\xff\xfe\0\x05abc", b"\xff\xe2\0\x08XMPF\0\xff", b"\xff\xe1\0\x08MPF\0ab", b"\xff\xfe\0\x02"]
)  # fmt: skip
def test_other_segments_of_a_jpeg_are_passed_over(segment: bytes) -> None:
    plain = WHOLE["jpg"]
    ends_with("jpeg", plain[:2] + segment + plain[2:])


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_last_image_of_a_jpeg_with_several_is_where_its_index_says(order: str) -> None:
    """CIPA DC-007, 5.2.3.3: sizes and places, from the start of the index; a place of 0 is that of the first image."""
    plain = WHOLE["jpg"]
    index_at = 2 + 4 + 4
    width = 4 + len(tiff(order, 4, [(0xB002, 7, 48, 0)])) + 48

    def several(places: list[int], behind: bytes) -> bytes:
        head = tiff(order, 4, [(0xB002, 7, 16 * len(places), len(tiff(order, 4, [(0xB002, 7, 48, 0)])))])
        entries = b"".join(struct.pack(f"{order}IIIHH", 0xFFFF, 0xFFFFFF, place, 0, 0) for place in places)
        segment = b"\xff\xe2" + struct.pack(">H", 2 + 4 + len(head) + len(entries)) + b"MPF\0" + head + entries
        return plain[:2] + segment + plain[2:] + behind

    assert width + 4 == len(several([0, 0, 0], b"")) - len(plain)
    second = len(several([0, 0, 0], b"")) - index_at
    third = second + len(plain)
    for places in ([0, second, third], [0, third, second]):
        ends_with("jpeg", several(places, plain + plain))
    ends_with("jpeg", several([0, 0, second], plain))
    assert not is_whole(PictureType("jpeg"), several([0, second, third], plain + b"\0\0" + plain))


def gif(flags: int, blocks: list[bytes]) -> bytes:
    table = bytes(3 * 2 ** ((flags & 7) + 1)) if flags & 0x80 else b""
    return b"GIF89a" + struct.pack("<HHBBB", 5, 4, flags, 0, 0) + table + b"".join(blocks)


def gif_image(flags: int) -> bytes:
    table = b"\x3b" * (3 * 2 ** ((flags & 7) + 1)) if flags & 0x80 else b""
    return b"\x2c" + struct.pack("<HHHHB", 0, 0, 5, 4, flags) + table + b"\x02" + b"\x03;;;" + b"\x01;" + b"\0"


@pytest.mark.parametrize("flags", [0, 7, 0x80, 0x87, 0xF3])
@pytest.mark.parametrize("local", [0, 7, 0x40, 0x80, 0x86])
def test_a_gif_ends_with_its_trailer(flags: int, local: int) -> None:
    """GIF89a, 18-27: colour tables of 2 to 256 colours, where there are any; blocks of sub-blocks."""
    extension = b"\x21\xfe\x02;;\0"
    blocks = [extension, gif_image(local), extension, gif_image(0), b"\x3b"]
    data = gif(flags, blocks)
    ends_with("gif", data)
    assert [] == [length for length in range(13, len(data)) if is_whole(PictureType("gif"), data[:length])]
    assert not is_whole(PictureType("gif"), gif(flags, [extension, b"\x2d", *blocks])), "an unknown block"


@pytest.mark.parametrize(("bits", "row"), [(1, 8), (4, 20), (8, 36), (16, 68), (24, 100), (32, 132)])
@pytest.mark.parametrize("height", [5, -5])
@pytest.mark.parametrize("header", [40, 108, 124])
def test_a_bmp_holds_its_rows_of_pixels(bits: int, row: int, height: int, header: int) -> None:
    """Rows of 33 pixels, filled up to four bytes; whatever smaller size the header states."""
    offset = 14 + header

    def bmp(size: int, packing: int, pixels: int) -> bytes:
        info = struct.pack("<IiiHHI", header, 33, height, 1, bits, packing)
        return b"BM" + struct.pack("<III", size, 0, offset) + info.ljust(header, b"\0") + bytes(pixels)

    for size in (0, 54, offset + 5 * row):
        ends_with("bmp", bmp(size, 0, 5 * row))
    ends_with("bmp", bmp(offset + 5 * row + 9, 0, 5 * row + 9))
    ends_with("bmp", bmp(offset + 7, 1, 7))  # packed: only the size tells


def test_an_old_bmp_is_as_long_as_it_says() -> None:
    header = struct.pack("<IHHHH", 12, 33, 500, 1, 24)
    ends_with("bmp", b"BM" + struct.pack("<III", 90, 0, 26) + header + bytes(90 - 26))


def test_a_webp_is_as_long_as_it_says() -> None:
    ends_with("webp", b"RIFF" + struct.pack("<I", 20) + b"WEBPVP8 " + bytes(12))


def test_a_png_ends_with_its_last_chunk() -> None:
    """PNG, 5.3 and 5.6: after the signature, chunks of length, type, data and checksum; also one without data."""
    chunks = b"".join(
        struct.pack(">I4s", len(data), kind) + data + b"IEND"
        for kind, data in [(b"IHDR", bytes(13)), (b"tEXt", b""), (b"IDAT", b"IEND"), (b"IEND", b"")]
    )
    ends_with("png", b"\x89PNG\r\n\x1a\n" + chunks)


# --- files ---------------------------------------------------------------------------------------------------------------
def test_a_picture_that_is_there_counts_only_when_it_is_whole_and_named_right(tmp_path: Path) -> None:
    png, jpeg = WHOLE["png"], WHOLE["jpg"]
    for name, content in {
        "a.png": png,
        "b.png": jpeg,
        "c.jpg": jpeg,
        "d.png": png[:-1],
        "e.png": b"",
        "f.png": png + b"label",
    }.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "g.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "h.png").mkdir()
    found = {stem: find_complete(tmp_path, stem) for stem in "abcdefghi"}
    expected = {"a": tmp_path / "a.png", "c": tmp_path / "c.jpg", "f": tmp_path / "f.png"}
    assert {stem: path for stem, path in found.items() if path} == expected
    assert ("png", "jpg", None, None) == tuple(
        whole_format(tmp_path / name) for name in ("a.png", "b.png", "d.png", "nothing")
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes as POSIX has them")
def test_a_pipe_in_the_way_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    assert find_complete(tmp_path, "a") is None


def test_a_partial_file_becomes_the_picture_only_at_its_end(tmp_path: Path) -> None:
    png = WHOLE["png"]
    part = PartialFile(tmp_path / "new", "a", hashed=True)
    (temporary,) = (tmp_path / "new").iterdir()
    assert temporary.name.startswith(".a.")
    assert not part.is_whole()
    part.write(png[:50])
    assert (50, png[:50], False) == (part.size, part.head[:50], part.is_whole())
    part.restart()
    part.write(png)
    assert part.is_whole()
    assert hashlib.sha256(png).hexdigest() == part.sha256
    assert tmp_path / "new" / "a.png" == part.finish()
    part.discard()
    assert ["a.png"] == [path.name for path in (tmp_path / "new").iterdir()]
    assert png == (tmp_path / "new" / "a.png").read_bytes()


def test_a_discarded_part_leaves_nothing(tmp_path: Path) -> None:
    part = PartialFile(tmp_path, "a")
    part.write(b"x")
    part.discard()
    part.discard()
    assert [] == list(tmp_path.iterdir())


def test_memory_takes_the_place_of_a_file() -> None:
    memory = MemoryFile()
    memory.write(b"junk")
    memory.restart()
    memory.write(WHOLE["gif"])
    assert (len(WHOLE["gif"]), True, WHOLE["gif"]) == (memory.size, memory.is_whole(), memory.finish())
    assert PictureType("gif") == memory.kind()
