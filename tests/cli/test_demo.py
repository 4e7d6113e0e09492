"""`seedream demo`: every picture is opened and measured, and a wrong one fails the run."""

import re
from pathlib import Path
from typing import Any

import facts
import pytest
from attrs import evolve
from PIL import Image
from seedream import Resolution, TaskInfo
from seedream.cli.demo import command
from seedream.cli.demo.command import EXAMPLES, REFUSED, Example, ExampleResult
from seedream.cli.demo.drawing import Tile, rows
from seedream_sandbox import Sandbox

SIZES = {
    "text-only.png": (16, 9),
    "from-a-picture.png": (4, 3),
    "portrait.png": (9, 16),
    **{f"a-batch-of-four-{number}.png": (1, 1) for number in range(1, 5)},
    "exact-size.png": (3750, 1250),
}


def test_it_shows_what_it_promises(cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Sandbox] = []
    start = Sandbox.start

    def noted(self: Sandbox) -> Sandbox:
        made.append(self)
        return start(self)

    monkeypatch.setattr(Sandbox, "start", noted)
    for _ in range(2):  # the second run replaces the first one's pictures
        ran = cli("demo", "-o", "out", TENSORSLAB_API_KEY=None)
        assert 0 == ran.code, ran.err
    out = tmp_path / "out"
    assert {*SIZES, "sketch.png", "contact-sheet.jpg"} == {path.name for path in out.iterdir()}
    for name, (across, down) in SIZES.items():
        with Image.open(out / name) as picture:
            picture.load()
            width, height = picture.size
        assert abs(width / height - across / down) < 0.01
        assert facts.LEAST <= width * height <= facts.MOST
    with Image.open(out / "contact-sheet.jpg") as sheet:
        assert sheet.size > (1000, 1000)
    assert f"{REFUSED[1]} is " in ran.out
    assert f"pixels, below {facts.LEAST:,}" in ran.out
    assert "8 of 100 credits" in ran.out
    assert [8, 8] == [sum(charge.images for charge in sandbox.charges) for sandbox in made]
    sent = [record for record in made[1].requests if record.path.endswith("/seedreamv45")]
    assert ["accepted"] * 5 == [record.verdict for record in sent], "the one that breaks a rule never left"
    assert ["image/png"] == [media_type for record in sent for _, _, media_type, _ in record.files]
    assert {"1", "4"} == {value for record in sent for value in record.fields.get("batchsize", [])}


def shot(
    tmp_path: Path, resolution: str, size: tuple[int, int], reported: tuple[int, int] | None = None
) -> ExampleResult:
    path = tmp_path / "picture.png"
    Image.new("L", size).save(path)
    width, height = reported or size
    return ExampleResult(Example("one", "x", resolution), TaskInfo("t", 3, width=width, height=height), [path])


def test_a_picture_of_the_requested_size_is_not_reported(tmp_path: Path) -> None:
    for resolution, size in (("16:9", (2560, 1440)), ("2K", (2048, 2048)), ("3750x1250", (3750, 1250))):
        assert [] == command.find_mismatches(shot(tmp_path, resolution, size))


def test_a_picture_of_another_size_is_a_complaint(tmp_path: Path) -> None:
    for resolution, size in (("16:9", (2560, 1500)), ("2K", (100, 100)), ("3750x1250", (3750, 1251))):
        assert 1 == len(command.find_mismatches(shot(tmp_path, resolution, size)))
    assert 1 == len(command.find_mismatches(shot(tmp_path, "2K", (2048, 2048), reported=(2048, 2047))))


def test_a_damaged_or_missing_picture_is_a_complaint(tmp_path: Path) -> None:
    one = shot(tmp_path, "2K", (2048, 2048))
    assert 1 == len(command.find_mismatches(evolve(one, files=[])))
    content = one.files[0].read_bytes()
    one.files[0].write_bytes(content[: len(content) // 2])
    assert 1 == len(command.find_mismatches(one))


def test_a_complaint_fails_the_run(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedream.cli.demo.command.EXAMPLES", EXAMPLES[:1])
    monkeypatch.setattr(command, "as_asked", lambda *_: False)
    ran = cli("demo")
    assert 1 == ran.code
    assert "is not what 16:9 asks for" in ran.err


def test_the_scenes_are_those_of_the_brief() -> None:
    assert any(scene.from_sketch for scene in EXAMPLES)
    assert any(scene.count == 4 for scene in EXAMPLES)
    assert any(scene.resolution.kind == "size" for scene in EXAMPLES)
    assert len({scene.title for scene in EXAMPLES}) == len(EXAMPLES)
    with pytest.raises(ValueError, match="pixels"):
        Resolution(REFUSED[1])


def test_rows_hold_all_tiles_in_order() -> None:
    every = [Tile(Path(str(n)), size, "", "") for n, size in enumerate([(16, 9), (4, 3), (9, 16), (3, 1), (1, 1)] * 3)]
    placed = rows(every)
    assert every == [tile for row in placed for tile in row]
    assert all(row for row in placed)


def test_the_command_at_its_end_can_be_typed_as_it_is(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedream.cli.demo.command.EXAMPLES", EXAMPLES[:1])
    ran = cli("demo", "--program", ".venv/bin/seedream")
    assert ran.out.splitlines()[-1] == 'Your own: .venv/bin/seedream generate "a red bicycle" -r 3:2 --sandbox'
    # `make demo` is run in a clone whose environment is not activated.
    (line,) = re.findall(r"(?m)^demo:.*\n\t@(.*)$", (Path(__file__).parents[2] / "Makefile").read_text("utf-8"))
    assert line.endswith("--program $(BIN)/seedream")
