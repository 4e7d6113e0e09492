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
from seedream._files.image_formats import EXTENSIONS, HEAD, PictureType, _Cut, _last_item, is_whole, sniff
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
    "png": encoded("PNG"), "jpg": encoded("JPEG"), "jpg, progressive": encoded("JPEG", progressive=True), "jpg, thumbnail": with_thumbnail(),
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
        (WHOLE["png"], "png"), (WHOLE["png"][:23], None), (WHOLE["png"][:16] + bytes(8), None), (b"\x89PNG\r\n\x1a\n\0\0\0\rXHDR" + b"\1" * 8, None),
        (b"\xff\xd8\xff", "jpeg"), (b"\xff\xd8", None), (b"RIFF\x0e\0\0\0WEBPVP8 ", "webp"), (b"RIFF0000WEBPVPX", None), (b"RIFF0000WAVEVP8 ", None),
        (b"GIF87a", "gif"), (b"GIF89a;", "gif"), (b"GIF88a", None), (b"BM\x20\0\0\0" + bytes(12), "bmp"), (b"BM\x20\0\0\0" + bytes(11), None),
        (b"BM\x20\0\0\0" + b"\1" * 12, None), (b"II*\0", "tiff"), (b"MM\0*", "tiff"), (b"II+\0", "tiff"), (b"MM\0+", "tiff"), (b"II\0*", None), (b"", None), (b"x", None), (b"<html>", None),
        (b"%PDF-1.7", None),
        (ftyp(b"avif"), "avif"), (ftyp(b"avis"), "avif"), (ftyp(b"heic"), "heic"), (ftyp(b"heix"), "heic"), (ftyp(b"hevc"), "heic"), (ftyp(b"hevx"), "heic"),
        (ftyp(b"mif1", b"avif", b"miaf"), "avif"), (ftyp(b"mif1", b"miaf", b"heic"), "heic"), (ftyp(b"msf1", b"hevc"), "heic"), (ftyp(b"mif1", b"miaf"), "heif"),
        (ftyp(b"mp42", b"avif"), None), (b"\0\0\0\x20FTYPavif", None),
    ],
)  # fmt: skip
def test_a_format_is_recognised_by_the_first_bytes(head: bytes, name: str | None) -> None:
    found = sniff(head[:HEAD])
    assert name == (found and found.format)
    if found:
        assert found.extension in EXTENSIONS
        assert found.media_type == f"image/{name}"


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
