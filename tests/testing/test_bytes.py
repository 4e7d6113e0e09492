"""Bytes: forms are written and read by two parsers, pictures are checked down to their checksums."""

# ruff: noqa: E501 -- one case a line reads as a table

import io
import struct
import sys
import zlib
from typing import Any

import pytest
from PIL import Image
from seedream_testing.contract import Part, Sent, Unobservable, Violation, text
from seedream_testing.contract.decode import boundary, decode, parse_with_email, parse_with_werkzeug
from seedream_testing.contract.encode import encode
from seedream_testing.contract.image_check import image_digest, image_fault, media_type
from seedream_testing.contract.samples import jpeg, picture_size, png, webp

FORM = (
    text("prompt", '灯塔\r\n--x "q"\0'),
    text("empty", ""),
    Part("sourceImage", bytes(range(256)), "灯塔 a;b.png", "image/png"),
    Part("sourceImage", b"\r\n--", "", "application/octet-stream"),
)


def sent(body: bytes, *types: str) -> Sent:
    return Sent("POST", "http://x/", tuple(("content-type", kind) for kind in types), body)


def test_what_is_encoded_is_decoded_by_both_parsers() -> None:
    kind, body = encode(FORM)
    assert decode(sent(body, kind)) == FORM
    for parse in (parse_with_werkzeug, parse_with_email):
        found = parse(kind, body)
        assert [(part.name, part.content, part.media_type) for part in found] == [
            (part.name, part.content, part.media_type) for part in FORM
        ]
        assert [part.filename for part in found] == [None, None, "灯塔 a;b.png", ""]
        assert [part.headers for part in found] == [("content-disposition",)] * 2 + [
            ("content-disposition", "content-type")
        ] * 2


def test_each_form_has_a_boundary_of_its_own() -> None:
    marks = {boundary(sent(body, kind)) for kind, body in (encode(FORM) for _ in range(5))}
    assert len(marks) == 5
    assert {len(mark) for mark in marks} == {32}
    assert boundary(sent(b"", 'multipart/form-data; boundary="a b"; charset=utf-8')) == "a b"


def test_a_name_in_utf_8_is_read_by_both_parsers() -> None:
    kind, body = encode([Part("字段", b"x")])
    assert {parse(kind, body)[0].name for parse in (parse_with_werkzeug, parse_with_email)} == {"字段"}


KIND, BODY = encode([text("prompt", "x")])
MARK = KIND.partition("=")[2].encode()


@pytest.mark.parametrize(
    ("types", "body", "rule", "said"),
    [
        ((), BODY, "WIRE-HTTP", r"Content-Type is \(\), not one multipart/form-data"),
        ((KIND, KIND), BODY, "WIRE-HTTP", "not one multipart/form-data"),
        (("text/plain",), BODY, "WIRE-HTTP", "not one multipart/form-data"),
        (("multipart/form-data",), BODY, "WIRE-BOUNDARY", "the form cannot be read: the Content-Type names no boundary"),
        ((KIND,), BODY[:-6], "WIRE-BOUNDARY", "the form cannot be read: "),
        ((KIND,), b"", "WIRE-BOUNDARY", "the form cannot be read: "),
        ((KIND,), BODY.replace(b'name="prompt"', b'name="a"; name="b"'), "WIRE-BOUNDARY", "two parsers disagree: "),
        ((KIND,), BODY.replace(b"\r\n\r\nx", b"\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\nx"), "WIRE-BOUNDARY", "two parsers disagree: "),
    ],
)  # fmt: skip
def test_what_is_no_form_is_a_violation(types: tuple[str, ...], body: bytes, rule: str, said: str) -> None:
    with pytest.raises(Violation, match=said) as caught:
        decode(sent(body, *types))
    assert caught.value.rule == rule
    assert caught.value.curl.startswith("printf" if body else "curl")


def test_the_media_type_of_a_form_may_be_in_capital_letters() -> None:
    assert decode(sent(BODY, KIND.replace("multipart/form-data", "Multipart/Form-Data"))) == (text("prompt", "x"),)


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("text/plain", b"x", "it is not a multipart"),
        (KIND, BODY[:-6], "defects: "),
        (KIND, BODY.replace(b"\r\n\r\nx", b"\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\nx\r\n--y--"), "it is a multipart itself"),
    ],
    ids=["text", "cut", "nested"],  # the boundary is another one in each process
)  # fmt: skip
def test_the_mail_parser_says_what_is_wrong(kind: str, body: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_with_email(kind, body)


def saved(kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (6, 4), "red").save(stream, kind, **options)
    return stream.getvalue()


def extended_webp() -> bytes:
    """A WebP with the extended header (VP8X), of 300 x 200 pixels."""
    image = io.BytesIO()
    Image.new("RGBA", (300, 200)).save(image, "WEBP", exif=b"Exif\0\0x")
    return image.getvalue()


PICTURES = [
    (png(), "image/png", (2, 2)), (png(300, 7, 9), "image/png", (300, 7)), (webp(), "image/webp", (1, 17)),
    (saved("PNG"), "image/png", (6, 4)), (saved("JPEG"), "image/jpeg", (6, 4)), (saved("JPEG", progressive=True), "image/jpeg", (6, 4)),
    (saved("WEBP"), "image/webp", (6, 4)), (saved("WEBP", lossless=True), "image/webp", (6, 4)), (extended_webp(), "image/webp", (300, 200)),
]  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "size"), PICTURES, ids=str)
def test_type_and_size_are_read_from_the_bytes(body: bytes, kind: str, size: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(body)) as image:
        assert (media_type(body), picture_size(body)) == (kind, image.size)
    if body != webp():
        assert picture_size(body) == size
    assert image_fault(body) == ""


@pytest.mark.parametrize(
    "body", [b"", b"x" * 40, b"RIFF" + b"\0" * 30, b"\x89PNG\r\n\x1a\n" + b"\0" * 20, b"\xff\xd8\xff\xd9", webp().replace(b"VP8L", b"VP8Z"),
             b"\xff\xd8\xff\xc4\0\x04xx\xff\xd9", b"\xff\xd8" + b"\0" * 20, webp()[:8] + b"WEBX" + webp()[12:]],
)  # fmt: skip
def test_other_bytes_have_no_size(body: bytes) -> None:
    assert picture_size(body) is None


def test_other_bytes_have_no_type() -> None:
    assert [
        media_type(body) for body in (b"", b"RIFF1234WEB", b"RIFF1234WAVE", b"GIF89a", b"\xff\xd8", b"x\xff\xd8")
    ] == ["", "", "", "", "image/jpeg", ""]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw(width: int, height: int, colour: int, depth: int, pixels: bytes, interlaced: int = 0) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    data = zlib.compress(pixels)
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", data[:5]), chunk(b"IDAT", data[5:]), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


WHOLE = png(20, 20)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (WHOLE[:-1], "it is cut"), (WHOLE[:-3], "it is cut"), (WHOLE[:-6], "it is cut"), (WHOLE[:40], "it is cut"), (WHOLE[:-12], "it has no end"), (WHOLE[:8], "it has no end"),
        (WHOLE + b"ab", "2 bytes follow its end"), (WHOLE[:-1] + b"\0", "the checksum of IEND is wrong"), (WHOLE[:20] + b"\1" + WHOLE[21:], "the checksum of IHDR is wrong"),
        (raw(2, 2, 0, 8, b"\0" * 6), ""), (raw(2, 2, 0, 8, b"\0" * 5), "it has 5 bytes of pixels, not 6"), (raw(2, 2, 2, 8, b"\0" * 14), ""), (raw(2, 2, 2, 8, b"\0" * 6), "it has 6 bytes of pixels, not 14"),
        (raw(9, 1, 0, 1, b"\0" * 3), ""), (raw(8, 1, 3, 1, b"\0" * 2), ""), (raw(2, 3, 4, 16, b"\0" * 27), ""), (raw(2, 2, 6, 8, b"\0" * 18), ""), (raw(2, 2, 0, 8, b"\0" * 9, 1), ""),
        (raw(2, 2, 5, 8, b"\0" * 2), ""), (raw(1000, 10, 0, 8, b""), "it has 0 bytes of pixels, not 10,010"),
        (WHOLE[:33] + chunk(b"IDAT", b"xx") + chunk(b"IEND", b""), "its pixels cannot be read: "),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_png_is_checked_down_to_its_pixels(body: bytes, fault: str) -> None:
    assert image_fault(body).startswith(fault)
    assert bool(image_fault(body)) == bool(fault)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_cut_picture_is_found_in_every_format(kind: str) -> None:
    whole = saved(kind)
    assert image_fault(whole[: len(whole) // 2])
    assert image_fault(b"x" * 50).startswith("cannot identify image file")


def test_a_jpeg_without_its_end_is_not_whole() -> None:
    assert image_fault(saved("JPEG")[:-2] + b"\0\0") != ""
    assert image_fault(saved("JPEG") + b"xx") == "it has no end"
    assert image_fault(saved("JPEG") + b"\0\0") == ""


def test_a_picture_is_decoded_down_to_its_last_line() -> None:
    whole = saved("JPEG")
    assert image_fault(whole[: len(whole) - 12] + b"\xff\xd9") != "", "its end is there, and not what is before it"


def test_what_pillow_only_warns_of_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15)  # of 24: it warns of a bomb, and refuses twice as many
    assert image_fault(saved("JPEG")) == ""


def test_a_digest_is_of_what_a_picture_shows() -> None:
    """Not of what its file says besides, nor of how it is packed."""
    plain, packed = saved("PNG"), saved("PNG", compress_level=0, dpi=(9, 9))
    assert plain != packed
    assert image_digest(plain) == image_digest(packed)
    turned, other = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (4, 6), "red").save(turned, "PNG")
    Image.new("RGB", (6, 4), "blue").save(other, "PNG")
    assert len({image_digest(body) for body in (plain, turned.getvalue(), other.getvalue())}) == 3
    palettes = []
    for colour in ((1, 2, 3), (3, 2, 1)):
        image = Image.new("P", (2, 2))
        image.putpalette(bytes(colour))
        image.save(stream := io.BytesIO(), "PNG")
        palettes.append(image_digest(stream.getvalue()))
    assert palettes[0] != palettes[1]


def test_without_pillow_png_is_checked_and_other_formats_cannot_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    jpeg_body, whole = saved("JPEG"), saved("PNG")
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert image_fault(whole) == ""
    with pytest.raises(Unobservable, match="only seen with Pillow"):
        image_fault(jpeg_body)
    assert image_digest(whole) == image_digest(bytes(whole)) != image_digest(jpeg_body)
    assert len(image_digest(whole)) == 32


def test_the_samples_differ_and_are_what_they_say() -> None:
    assert len({png(shade=1), png(shade=2), png(), jpeg(), jpeg(1)}) == 5
    with Image.open(io.BytesIO(png(3, 2, 200))) as image:
        assert (image.mode, image.size, image.getpixel((2, 1))) == ("L", (3, 2), 200)
        image.load()
    # A service may look at what it is given: a sample that only begins like a picture would be refused, and rightly.
    for sample in (jpeg(), jpeg(7), webp(), png(), png(length=5_000), png(length=100_000, filling=b"\0\r\n--" * 8_000)):
        with Image.open(io.BytesIO(sample)) as image:
            image.load()
    assert [len(png(length=length)) for length in (80, 5_000, 2**21)] == [80, 5_000, 2**21]
