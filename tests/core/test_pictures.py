"""Pictures as values: their type and size, Pillow, files, and what a notebook shows."""

# ruff: noqa: E501 -- tables read best with one case a line

import base64
import io
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from seedream import ConfigError, Generated, Picture, Task, TaskInfo
from support.clients import Both
from support.fake_service import FakeService, completed
from support.pictures import picture

HOST = "https://images.example"
PNG, JPEG = picture(), picture("JPEG")
GIF, BMP, TIFF = picture("GIF"), picture("BMP"), picture("TIFF")


def test_a_picture_knows_its_type_and_size_wherever_it_is(tmp_path: Path) -> None:
    for kind, media_type in {
        "PNG": "image/png",
        "GIF": "image/gif",
        "JPEG": "image/jpeg",
        "WEBP": "image/webp",
    }.items():
        content = picture(kind)
        path = tmp_path / kind
        path.write_bytes(content)
        for one in (Picture(content=content), Picture(path)):
            assert (content, media_type, 33, 21) == (one.data, one.media_type, one.width, one.height)
            assert (33, 21) == one.image().size


def test_bytes_are_not_shown_by_repr() -> None:
    assert "Picture(path=None)" == repr(Picture(content=PNG))


def test_saving_is_atomic_and_finds_the_extension(tmp_path: Path) -> None:
    assert tmp_path / "new" / "a.png" == Picture(content=PNG).save(tmp_path / "new" / "a")
    (tmp_path / "b.jpeg").write_bytes(b"old")
    assert tmp_path / "b.jpeg" == Picture(content=JPEG).save(tmp_path / "b.jpeg")
    assert (PNG, JPEG) == ((tmp_path / "new" / "a.png").read_bytes(), (tmp_path / "b.jpeg").read_bytes())
    with pytest.raises(ConfigError, match=r"cannot write .*: (Not a directory|File exists)") as caught:
        Picture(content=PNG).save(tmp_path / "b.jpeg" / "c.png")
    assert "Choose another place." == caught.value.hint
    with pytest.raises(ConfigError, match=r"cannot write .*: .*null"):
        Picture(content=PNG).save(tmp_path / "a\0.png")
    for name in ("\0", "a\ud800"):
        with pytest.raises(ConfigError):
            Picture(content=PNG).save(name)


def test_bytes_of_no_picture_have_the_general_media_type(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no picture")
    for one in (Picture(content=b"no picture"), Picture(tmp_path / "x"), Picture()):
        assert ("application/octet-stream", None, None) == (one.media_type, one.width, one.height)


def test_a_notebook_shows_the_picture_or_a_thumbnail_of_a_large_one() -> None:
    shown = Picture(content=PNG)._repr_mimebundle_()
    assert {"text/plain": "Picture(path=None)", "image/png": base64.b64encode(PNG).decode()} == shown
    assert PNG == base64.b64decode(shown["image/png"])
    stream = io.BytesIO()
    Image.effect_noise((2000, 1500), 90).convert("RGB").save(stream, "PNG")
    large = Picture(content=stream.getvalue())
    bundle = large._repr_mimebundle_()
    with Image.open(io.BytesIO(base64.b64decode(bundle["image/jpeg"]))) as thumbnail:
        assert (640, 480) == thumbnail.size
    png = large._repr_png_()
    assert png is not None
    assert png.startswith(b"\x89PNG")
    assert PNG == Picture(content=PNG)._repr_png_()
    assert "data:image/webp" in Picture(content=picture("WEBP"))._repr_mimebundle_()["text/html"]


@pytest.fixture
def _no_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)  # an import of it fails


@pytest.mark.usefixtures("_no_pillow")
@pytest.mark.parametrize(
    ("content", "size"), [(PNG, (33, 21)), (GIF, (33, 21)), (JPEG, (None, None)), (BMP, (None, None))]
)
def test_without_pillow_the_size_is_known_where_the_format_begins_with_it(
    content: bytes, size: tuple[int, int]
) -> None:
    one = Picture(content=content)
    assert (one.width, one.height) == size
    with pytest.raises(ConfigError) as caught:
        one.image()
    assert (caught.value.message, caught.value.hint) == ("Pillow is not installed", "Install it: pip install pillow.")


@pytest.mark.usefixtures("_no_pillow")
def test_without_pillow_a_notebook_shows_the_picture_itself() -> None:
    content = TIFF
    source = f"data:image/tiff;base64,{base64.b64encode(content).decode()}"
    shown = Picture(content=content).shown()
    assert shown == {"text/plain": "Picture(path=None)", "text/html": f'<img src="{source}" style="max-width:640px">'}
    assert Picture(content=content)._repr_png_() is None


def test_a_picture_that_is_damaged_has_no_size_and_no_thumbnail() -> None:
    one = Picture(content=JPEG[:200])
    assert (one.media_type, one.width, one.height, one._repr_png_()) == ("image/jpeg", None, None, None)
    assert one.shown()["image/jpeg"] == base64.b64encode(JPEG[:200]).decode()


def claiming(width: int, height: int) -> bytes:
    """A whole JPEG whose header claims another size."""
    at = JPEG.index(b"\xff\xc0") + 5
    return JPEG[:at] + height.to_bytes(2) + width.to_bytes(2) + JPEG[at + 4 :]


@pytest.mark.parametrize(
    "error",
    [OSError("x"), ValueError("x"), SyntaxError("x"), struct.error("x"), MemoryError(), EOFError(), IndexError(), RecursionError(), Image.DecompressionBombError("x"), Image.DecompressionBombWarning("x")],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("step", ["open", "load", "thumbnail", "convert", "save"])
def test_whatever_pillow_raises_a_picture_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, step: str, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image if step == "open" else Image.Image, step, fail)
    if step == "load":
        monkeypatch.setattr(JpegImageFile, step, fail)
    one = Picture(content=JPEG)
    assert (one.width, one.height) == ((None, None) if step == "open" else (33, 21))
    assert (one._thumbnail(), one._repr_png_()) == (None, None)
    assert one.shown()["image/jpeg"] == base64.b64encode(JPEG).decode()
    assert base64.b64encode(JPEG).decode() in Generated("t", TaskInfo("t", 3), [one])._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("content", [claiming(65000, 65000), claiming(65535, 20000)])
def test_a_picture_that_claims_a_huge_size_is_shown_as_it_is(content: bytes, tmp_path: Path) -> None:
    path = Picture(content=content + bytes(600_000)).save(tmp_path / "huge")
    for one in (Picture(path), Picture(content=content)):
        assert (one.media_type, one.width, one.height, one._repr_png_()) == ("image/jpeg", None, None, None)
        assert one.shown()["image/jpeg"] == base64.b64encode(one.data).decode()


@pytest.mark.parametrize("size", range(6, 12))
def test_a_gif_that_is_cut_in_its_header_has_a_size_once_it_is_there(size: int) -> None:
    assert Picture(content=GIF[:size]).width == (33 if size >= 10 else None)


def test_a_picture_is_in_memory_or_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(JPEG)
    assert Picture(tmp_path / "a.png", content=PNG).data == PNG
    assert Picture(content=b"").data == Picture().data == b""
    assert Picture(tmp_path / "a.png").media_type == "image/jpeg"
    assert repr(Picture(Path("a.png"), content=PNG)) == f"Picture(path={Path('a.png')!r})"
    with pytest.raises(FileNotFoundError):
        _ = Picture(tmp_path / "none").data


def test_an_opened_picture_needs_its_file_no_longer(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    image = Picture(tmp_path / "a.png").image()
    (tmp_path / "a.png").unlink()
    assert image.getpixel((0, 0)) == (255, 255, 255)
    with pytest.raises(OSError):
        Picture(content=PNG[:-30]).image()  # it is read as a whole, at once


@pytest.mark.parametrize(
    ("name", "content", "saved"),
    [
        ("a", PNG, "a.png"), ("a", JPEG, "a.jpg"), ("a.b", PNG, "a.b"), ("a.jpg", PNG, "a.jpg"), (".a", PNG, ".a.png"), ("a", b"no picture", "a"),
        ("a", picture("TIFF"), "a.tif"),
    ],
)  # fmt: skip
def test_a_picture_is_saved_under_the_name_given(tmp_path: Path, name: str, content: bytes, saved: str) -> None:
    assert Picture(content=content).save(str(tmp_path / name)) == tmp_path / saved
    assert [path.name for path in tmp_path.iterdir()] == [saved]
    assert (tmp_path / saved).read_bytes() == content


def test_a_picture_that_cannot_be_saved_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        (temporary,) = tmp_path.iterdir()
        assert temporary.name.startswith(".a."), "known by its name, should it stay"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(ConfigError) as caught:
        Picture(content=PNG).save(tmp_path / "a.png")
    shown = str(tmp_path / "a.png")
    assert (
        caught.value.message == f"cannot write “{shown[:60]}{'…' if len(shown) > 60 else ''}”: No space left on device"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("over", [0, 1])
def test_a_large_picture_is_shown_as_a_thumbnail(over: int) -> None:
    most = 512 * 1024
    content = PNG + bytes(most - len(PNG) + over)  # bytes behind a picture are part of it
    one = Picture(content=content)
    shown = one._repr_mimebundle_(include=None)
    assert list(shown) == ["text/plain", "image/jpeg" if over else "image/png"]
    assert (one._repr_png_() == content) is not bool(over)
    for kind, encoded in (
        ("jpeg", shown.get("image/jpeg")),
        ("png", None if not over else base64.b64encode(one._repr_png_() or b"")),
    ):
        if encoded:
            with Image.open(io.BytesIO(base64.b64decode(encoded))) as thumbnail:
                assert (thumbnail.size, thumbnail.mode, thumbnail.format) == ((33, 21), "RGB", kind.upper())


@pytest.mark.parametrize("mode", ["RGBA", "P", "CMYK", "L", "I;16"])
def test_a_thumbnail_is_made_of_pictures_of_any_mode(mode: str) -> None:
    stream = io.BytesIO()
    Image.new(mode, (2000, 500)).save(stream, "TIFF")
    one = Picture(content=stream.getvalue())
    thumbnail = one._repr_png_()
    assert thumbnail is not None
    with Image.open(io.BytesIO(thumbnail)) as image:
        assert (image.size, image.mode) == ((640, 160), "RGB")
    assert list(one.shown()) == ["text/plain", "image/jpeg"]


@pytest.mark.parametrize(
    ("kind", "media_type"), [("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", ""), ("AVIF", ""), ("BMP", "")]
)
def test_a_notebook_shows_what_browsers_show_as_it_is(kind: str, media_type: str) -> None:
    content = picture(kind)
    encoded = base64.b64encode(content).decode()
    shown = Picture(content=content).shown()
    html = f'<img src="data:image/{kind.lower()};base64,{encoded}" style="max-width:640px">'
    assert shown == {
        "text/plain": "Picture(path=None)",
        **({media_type: encoded} if media_type else {"text/html": html}),
    }


def test_all_pictures_of_a_task_are_shown_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    pictures = [Picture(tmp_path / "a.png"), Picture(content=picture("WEBP"))]
    made = Generated("t1", TaskInfo("t1", 3), pictures)
    small = f'<img src="data:image/png;base64,{base64.b64encode(PNG).decode()}" style="max-width:320px">'
    other = str(pictures[1].shown()["text/html"])
    html = f'<div style="display:flex;flex-wrap:wrap;gap:8px">{small}{other}</div>'
    assert made._repr_mimebundle_(exclude=None) == {"text/plain": repr(made), "text/html": html}
    assert (list(made), made[0], made[-1], len(made), made.files) == (
        pictures,
        pictures[0],
        pictures[1],
        2,
        [tmp_path / "a.png"],
    )


def generated(both: Both, output_dir: Any) -> Generated:
    service = FakeService(completed(f"{HOST}/a", f"{HOST}/b"), pictures={"/a": PNG, "/b": JPEG})
    made: Generated = both.call(
        lambda client: client.generate("a fish", batchsize=2, output_dir=output_dir), transport=service.transport
    )
    return made


def test_generate_without_a_directory_gives_pictures_in_memory(both: Both, tmp_path: Path) -> None:
    made = generated(both, None)
    assert ([PNG, JPEG], [], 2) == ([one.data for one in made], made.files, len(made))
    for one in (made, generated(both, tmp_path / "saved")):
        assert ("t1", "completed", (f"{HOST}/a", f"{HOST}/b")) == (one.info.taskid, one.info.state, one.info.urls)
        assert repr(one) == one._repr_mimebundle_()["text/plain"]
    assert JPEG == made[1].data
    saved = generated(both, tmp_path)
    assert [tmp_path / "t1-1.png", tmp_path / "t1-2.jpg"] == saved.files
    assert [PNG, JPEG] == [one.data for one in saved]
    assert 2 == saved._repr_mimebundle_()["text/html"].count("<img")


def test_a_task_shows_the_state_that_was_last_seen(both: Both) -> None:
    service = FakeService(completed(f"{HOST}/a"))

    def seen(task: Any) -> Any:
        assert "state" not in repr(task)
        assert "not asked yet" in task._repr_html_()
        return task.refresh()

    tasks: list[Task] = []

    def start(client: Any) -> Any:
        tasks.append(client.task("<t1>", images=1))
        return tasks[0]

    service.queries = [{"code": 1000, "msg": "", "data": {"image_status": 3, "url": [f"{HOST}/a"]}}]
    both.then(start, seen, transport=service.transport)
    assert "state='completed'" in repr(tasks[0])
    assert "<code>&lt;t1&gt;</code> <b>completed</b>" == tasks[0]._repr_html_()
    assert tasks[0].info is not None
