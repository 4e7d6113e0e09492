"""How a picture is painted, captioned, encoded and kept."""

# ruff: noqa: E501 -- one case a line reads as a table

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image, ImageChops, ImageFont, ImageStat
from seedream_sandbox.pictures import caption, image_cache
from seedream_sandbox.pictures.caption import _wrapped, write_caption
from seedream_sandbox.pictures.image_cache import ImageCache
from seedream_sandbox.pictures.landscape import ImageSpec, encode, paint, small_copy
from seedream_sandbox.task import Task

RECORDED: Final = Path(__file__).with_name("landscapes.png")
TILE: Final = (64, 48)  # pixels; larger pictures are reduced to it


def source(*, wide: bool) -> bytes:
    """A source image that is light at the bottom, and a little taller or wider than the pictures."""
    buffer = BytesIO()
    Image.linear_gradient("L").resize((90, 30) if wide else (30, 60)).convert("RGB").save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


LANDSCAPES: Final = (
    ImageSpec(64, 48, "0/0", "", ""), ImageSpec(64, 48, "7/1", "", ""), ImageSpec(64, 48, "8/0", "", "", (source(wide=True),)), ImageSpec(64, 48, "9/2", "", "", (source(wide=False), source(wide=True), b"not read")),
    ImageSpec(90, 30, "3/0", "", "", (source(wide=False),)), ImageSpec(40, 95, "4/0", "", ""), ImageSpec(4096, 60, "5/0", "", ""), ImageSpec(60, 4500, "6/0", "", "", (source(wide=True),)), ImageSpec(1, 1, "1/0", "", ""), ImageSpec(95, 2, "2/0", "", ""),
)  # fmt: skip


def tile(spec: ImageSpec) -> Image.Image:
    return paint(spec).resize(TILE, Image.Resampling.BOX)


def record() -> None:
    """Write what is painted now as what is expected: for a change of the painting that is meant."""
    sheet = Image.new("RGB", (TILE[0] * len(LANDSCAPES), TILE[1]))
    for number, spec in enumerate(LANDSCAPES):
        sheet.paste(tile(spec), (TILE[0] * number, 0))
    sheet.save(RECORDED, optimize=True)


@pytest.mark.parametrize("number", range(len(LANDSCAPES)))
def test_a_seed_paints_the_picture_that_was_recorded(number: int) -> None:
    """A client may compare a picture with the one of an earlier edition; other roundings of one machine are let pass."""
    with Image.open(RECORDED) as sheet:
        expected = sheet.convert("RGB").crop((TILE[0] * number, 0, TILE[0] * (number + 1), TILE[1]))
    difference = ImageChops.difference(tile(LANDSCAPES[number]), expected)
    assert sum(ImageStat.Stat(difference).mean) < 0.05


@pytest.mark.parametrize(
    ("size", "lettered"), [((96, 96), True), ((95, 400), False), ((400, 95), False), ((96, 400), True)]
)
def test_a_picture_has_letters_from_96_pixels_on(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], lettered: bool
) -> None:
    written: list[tuple[str, str]] = []
    monkeypatch.setattr("seedream_sandbox.pictures.landscape.write_caption", lambda _, *words: written.append(words))
    paint(ImageSpec(*size, "s", "caption", "note"))
    assert written == ([("caption", "note")] if lettered else [])


def ink(picture: Image.Image, value: int) -> tuple[int, int, int, int]:
    """The box of what is drawn in one colour, black or white."""
    found = picture.getchannel(0).point(lambda level: 255 if abs(level - value) < 60 else 0).getbbox()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("size", "text", "white", "black"),
    [
        ((800, 640), "HHHH", (42, 543, 133, 600), (43, 544, 134, 601)), ((1600, 1000), "HHHH", (65, 847, 210, 938), (67, 849, 212, 940)), ((96, 96), "HHHH", (7, 64, 41, 90), (8, 65, 42, 91)),
        ((2000, 400), "HHHHHH " * 40, (26, 285, 1836, 375), (27, 286, 1837, 376)), ((300, 900), "HHHH " * 3, (19, 855, 155, 882), (20, 856, 156, 883)),
    ],
)  # fmt: skip
def test_where_a_caption_is_written(
    size: tuple[int, int], text: str, white: tuple[int, ...], black: tuple[int, ...]
) -> None:
    picture = Image.new("RGB", size, (128, 128, 128))
    write_caption(picture, text, "HH")
    assert ink(picture, 255) == pytest.approx(white, abs=1)
    assert ink(picture, 0) == pytest.approx(black, abs=1)
    if min(size) > 96:
        assert picture.getextrema() == ((0, 255),) * 3


class Ruler:
    """Measures text as if each letter had ten pixels."""

    def textlength(self, text: str, font: object) -> float:
        assert font is self
        return 10.0 * len(text)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 100, []), ("short", 100, ["short"]), ("ten letter", 100, ["ten letter"]), ("one two three", 100, ["one two", "three"]), ("one two three", 70, ["one two", "three"]), ("abcdefghijklmnop", 100, ["abcdefghij", "klmnop"]), ("a bcdefghijklmnop", 100, ["a bcdefghi", "jklmnop"]),
        ("one two three four five six", 70, ["one two", "three", "four ..."]), ("aaaa bbbb, cccc. dddd", 60, ["aaaa", "bbbb,", "cccc ..."]), ("aaaaaa bbb c", 100, ["aaaaaa bbb", "c"]), ("aaaaaa bbbb c", 100, ["aaaaaa", "bbbb c"]), ("abcdef", 5, ["a", "b", "c ..."]), ("x" * 30, 100, ["x" * 10] * 3), ("x" * 31, 100, ["x" * 10, "x" * 10, "x" * 10 + " ..."]),
    ],
)  # fmt: skip
def test_a_text_is_broken_into_three_lines(text: str, width: float, lines: list[str]) -> None:
    ruler: Any = Ruler()
    assert _wrapped(ruler, text, ruler, width) == lines


@contextmanager
def machine_fonts(monkeypatch: pytest.MonkeyPatch, *there: str) -> Iterator[list[tuple[Any, ...]]]:
    """A machine with these font files only; yields what is opened."""
    opened: list[tuple[Any, ...]] = []
    real = ImageFont.truetype

    def truetype(name: Any, *words: Any, **more: Any) -> Any:
        if not isinstance(name, str):  # Pillow's own font
            return real(name, *words, **more)
        if name not in there:
            raise OSError("cannot open resource")
        opened.append((name, *words))
        return ImageFont.load_default(*words)

    for cached in (caption._cjk_file, caption._font, caption._has_glyph):
        cached.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(ImageFont, "truetype", truetype)
        yield opened
    for cached in (caption._cjk_file, caption._font, caption._has_glyph):
        cached.cache_clear()


def test_the_first_font_of_the_machine_that_has_chinese_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with machine_fonts(monkeypatch, "PingFang.ttc", "msyh.ttc") as opened:
        caption._font_for("\u0250", 30)
        caption._font_for("雪", 31)
        caption._font_for("\u024f", 32)
        caption._font_for("", 33)
        assert (caption._cjk_file(), opened) == (
            "PingFang.ttc",
            [("PingFang.ttc",), ("PingFang.ttc", 30), ("PingFang.ttc", 31)],
        )
    with machine_fonts(monkeypatch) as opened:
        caption._font_for("雪", 30)
        assert (caption._cjk_file(), opened) == (None, [])


def test_glyphs_that_a_font_lacks() -> None:
    font = caption._font_for("a", 24)
    assert [caption._has_glyph(font, one) for one in "a.Z\u06de\u4e00\u200b"] == [True, True, True, False, False, False]
    assert caption.legible("  a  b ") == "a b"
    assert caption.legible("x" * 399 + " yz") == "x" * 399
    assert caption.legible("") == "(a prompt of 0 characters)"


@pytest.mark.parametrize(
    ("kind", "options"),
    [("jpeg", {"quality": 88}), ("png", {"compress_level": 1}), ("webp", {"quality": 82, "method": 0})],
)
def test_pictures_are_encoded_fast(kind: Any, options: dict[str, int]) -> None:
    picture = Image.effect_noise((80, 60), 90).convert("RGB")
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    assert encode(picture, kind) == (buffer.getvalue(), f"image/{kind}")


@pytest.mark.parametrize(("kind", "side"), [("jpeg", 65_500), ("webp", 16_383)])
def test_the_longest_side_of_a_format(kind: Any, side: int) -> None:
    assert [
        encode(Image.new("RGB", size), kind)[1] for size in ((side, 1), (1, side), (side + 1, 1), (1, side + 1))
    ] == [f"image/{kind}", f"image/{kind}", "image/png", "image/png"]


@pytest.mark.parametrize(
    ("size", "mode", "copy"),
    [((1000, 500), "RGB", (256, 128)), ((100, 50), "RGBA", (100, 50)), ((257, 3000), "P", (22, 256)), ((10_000, 5000), "1", (256, 128)), ((10_000, 5001), "1", None)],
)  # fmt: skip
def test_a_small_copy_of_a_source_image(size: tuple[int, int], mode: str, copy: tuple[int, int] | None) -> None:
    buffer = BytesIO()
    Image.new(mode, size).save(buffer, "PNG")
    content = small_copy(buffer.getvalue())
    assert (content is None) == (copy is None)
    if content is not None:
        with Image.open(BytesIO(content)) as found:
            assert (found.size, found.mode, found.format) == (copy, "RGB", "JPEG")


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("PNG", True),
        ("GIF", True),
        ("BMP", True),
        ("TIFF", True),
        ("WEBP", True),
        ("JPEG", True),
        ("EPS", False),
        ("PPM", False),
    ],
)
def test_only_formats_that_are_decoded_here_are_read(kind: str, read: bool) -> None:
    buffer = BytesIO()
    Image.new("RGB", (20, 10)).save(buffer, kind)
    assert (small_copy(buffer.getvalue()) is not None) == read


def task(**changes: Any) -> Task:
    return Task(
        **{
            "id": "t1",
            "prompt": "a fish",
            "category": "",
            "resolution": "2K",
            "images": 3,
            "width": 640,
            "height": 160,
            "created": 0.0,
            "seed": 5,
            "sources": (source(wide=True),),
            **changes,
        }
    )


def test_what_a_task_s_picture_shows() -> None:
    assert ImageCache._spec(task(), 1, small=False) == ImageSpec(
        640, 160, "5/1", "a fish", "640 x 160   2 of 3   sandbox", (source(wide=True),)
    )
    sizes = [
        ((one := ImageCache._spec(task(width=width, height=height), 0, small=True)).width, one.height, one.note)
        for width, height in ((640, 160), (160, 640), (320, 10), (9600, 9), (100, 50))
    ]
    assert sizes == [
        (320, 80, "640 x 160   1 of 3   sandbox"),
        (80, 320, "160 x 640   1 of 3   sandbox"),
        (320, 10, "320 x 10   1 of 3   sandbox"),
        (320, 1, "9600 x 9   1 of 3   sandbox"),
        (100, 50, "100 x 50   1 of 3   sandbox"),
    ]


def test_a_picture_is_made_once_and_its_thumbnail_is_another() -> None:
    cache, made = ImageCache("png"), []
    for index in (0, 1, 0):
        made.append(cache.picture(task(), index))
        made.append(cache.thumbnail(task(), index))
    assert [kind for _, kind in made] == ["image/png", "image/jpeg"] * 3
    assert (made[0] is made[4], made[1] is made[5], len({content for content, _ in made})) == (True, True, 4)
    assert list(cache._files) == [("t1", 1, False), ("t1", 1, True), ("t1", 0, False), ("t1", 0, True)], (
        "the latest used is last"
    )


def test_a_picture_that_another_thread_made_meanwhile_is_not_made_again() -> None:
    cache = ImageCache("png")

    class Waiting:
        def __enter__(self) -> None:
            cache._files.add(("t1", 0, False), (b"theirs", "image/png"), 6)

        def __exit__(self, *_: object) -> None:
            pass

    cache._painting = Waiting()  # type: ignore[assignment]  # what waits for its turn
    assert cache.picture(task(), 0) == (b"theirs", "image/png")


def test_at_most_two_pictures_are_painted_at_a_time() -> None:
    gate = ImageCache()._painting
    assert [gate.acquire(blocking=False) for _ in range(3)] == [True, True, False]
    assert image_cache.ImageCache().format == "jpeg"


@pytest.mark.parametrize(("kind", "colour"), [("png", (85, 242, 92)), ("jpeg", (85, 242, 92)), ("webp", (85, 242, 92))])
def test_a_plain_picture_has_the_colour_of_its_task_and_index(kind: Any, colour: tuple[int, int, int]) -> None:
    content, media_type = ImageCache(kind).plain(task(), 1)
    with Image.open(BytesIO(content)) as found:
        found.load()  # checks the sums of a PNG
        assert (media_type, found.size, found.format) == (f"image/{kind}", (640, 160), kind.upper())
        assert found.convert("RGB").getpixel((639, 159)) == pytest.approx(colour, abs=0 if kind == "png" else 2)


if __name__ == "__main__":
    record()
