"""Pictures as values: their type and size, Pillow, files, and what a notebook shows."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from seedream import ConfigError, Generated, Picture, Task
from support.clients import Both
from support.fake_service import FakeService, completed
from support.pictures import picture

HOST = "https://images.example"
PNG, JPEG = picture(), picture("JPEG")


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
