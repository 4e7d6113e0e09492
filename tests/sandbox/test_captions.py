"""What is written on a picture, on machines with and without a Chinese font."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from seedream_sandbox.pictures import caption
from seedream_sandbox.pictures.landscape import ImageSpec, encode, paint, small_copy


@pytest.fixture
def no_chinese_font(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def clear() -> None:
        for cached in (caption._cjk_file, caption._font, caption._has_glyph):
            cached.cache_clear()

    clear()
    monkeypatch.setattr(caption, "_CJK", ())
    yield
    clear()


@pytest.mark.usefixtures("no_chinese_font")
@pytest.mark.parametrize(
    ("prompt", "written"),
    [
        ("a lighthouse", "a lighthouse"),
        ("雪山 and a red boat", "and a red boat"),
        ("一只猫", "(a prompt of 3 characters)"),
        ("two\nlines\tand\x00 odd \u202e signs", "two lines and odd signs"),
        ("x" * 5000, "x" * 400),
    ],
)
def test_what_the_font_lacks_is_left_out_and_described_if_nothing_remains(prompt: str, written: str) -> None:
    assert written == " ".join(caption.legible(prompt).split())


@pytest.mark.skipif(caption._cjk_file() is None, reason="this machine has no font with Chinese")
def test_chinese_is_written_where_there_is_a_font() -> None:
    assert "雪山下的湖 and a boat" == caption.legible("雪山下的湖 and a boat 𒐫")
    named = [getattr(caption._font_for(text, 24), "path", "") for text in ("a boat", "é", "雪 and a boat")]
    assert [False, False, True] == [str(path).endswith(str(caption._cjk_file())) for path in named]


@given(st.text(max_size=300), st.integers(1, 400), st.integers(1, 400))
def test_any_prompt_can_be_painted_in_any_size(prompt: str, width: int, height: int) -> None:
    picture = paint(ImageSpec(width, height, "seed", prompt, "note"))
    assert ((width, height), "RGB") == (picture.size, picture.mode)


@pytest.mark.parametrize(("size", "kind"), [((65_501, 57), "png"), ((3_686_400, 1), "png"), ((65_500, 57), "jpeg")])
def test_a_side_too_long_for_the_format_gives_a_png(size: tuple[int, int], kind: str) -> None:
    """The page limits the pixels and not the sides, so 1 x 3686400 is legal; JPEG ends at 65,535."""
    content, media_type = encode(Image.new("RGB", size), "jpeg")
    assert f"image/{kind}" == media_type
    assert content[:4] == {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff\xe0"}[kind]


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda tail: b"\x89PNG\r\n\x1a\n" + tail))
def test_a_source_that_is_not_a_picture_does_not_fail_the_task(content: bytes) -> None:
    """The page does not say what a source image must be, so none is refused for it."""
    assert small_copy(content) is None
