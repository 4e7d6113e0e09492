"""`seedream demo`: every picture is opened and measured, and a wrong one fails the run."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import facts
import pytest
from attrs import evolve
from PIL import Image
from seedream import Resolution, TaskInfo
from seedream.cli.demo import command
from seedream.cli.demo.command import EXAMPLES, REFUSED, Example, ExampleResult
from seedream.cli.demo.drawing import Tile, rows, tiles
from seedream.cli.terminal import Terminal
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
    addresses: list[str] = []  # a sandbox that is stopped has none
    start = Sandbox.start

    def noted(self: Sandbox) -> Sandbox:
        made.append(self)
        started = start(self)
        addresses.append(self.base_url)
        return started

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
    assert f"A sandbox of the service runs at {addresses[1]}. No key" in ran.out
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


def test_what_is_wrong_with_a_picture_is_said(tmp_path: Path) -> None:
    one = shot(tmp_path, "16:9", (2560, 1500))
    path = one.files[0]
    assert command.find_mismatches(one) == [f"{path}: 2560x1500 is not what 16:9 asks for"]
    two = evolve(one, example=evolve(one.example, count=2))
    assert command.find_mismatches(two)[0] == "one: 1 pictures instead of 2"
    unsaid = evolve(shot(tmp_path, "16:9", (2560, 1440)), info=TaskInfo("t", 3))
    assert command.find_mismatches(unsaid) == [], "a service need not say the size"
    assert command.find_mismatches(evolve(unsaid, info=TaskInfo("t", 3, width=2560))) == []
    path.unlink()
    (said,) = command.find_mismatches(one)
    assert said.startswith(f"{path}: ")
    assert "No such file" in said


@pytest.mark.parametrize(
    ("resolution", "size", "asked"),
    [
        ("16:9", (1600, 900), True),
        ("16:9", (1615, 900), True),
        ("16:9", (1617, 900), False),
        ("16:9", (900, 1600), False),
        ("2K", (facts.LEAST, 1), True),
        ("2K", (facts.LEAST - 1, 1), False),
        ("2K", (facts.MOST, 1), True),
        ("2K", (facts.MOST + 1, 1), False),
        ("3750x1250", (3750, 1250), True),
        ("3750x1250", (1250, 3750), False),
    ],
)
def test_what_a_resolution_asks_for(resolution: str, size: tuple[int, int], asked: bool) -> None:
    assert command.as_asked(Resolution(resolution), size) is asked


def test_names_of_pictures() -> None:
    one = Example("a batch of four", "x", "2K")
    assert (one.file_name(1, ".png"), evolve(one, count=4).file_name(2, ".jpg")) == (
        "a-batch-of-four.png", "a-batch-of-four-2.jpg",
    )  # fmt: skip


def summary(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, charged: int, folder: Path
) -> tuple[int, str, str]:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    drawing = SimpleNamespace(tiles=len, draw_sheet=lambda number, title, path: f"{number} {title} {path}")
    monkeypatch.setattr(
        command, "load_extra", lambda module, extra: {("seedream.cli.demo.drawing", "sandbox"): drawing}[module, extra]
    )
    code = command._print_summary(Terminal(), [shot(tmp_path, "2K", (2048, 2048))], folder, charged, "my prog").code
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(("folder", "shown"), [(Path("out"), "out/"), (Path(), ".")])
def test_the_summary_of_a_good_demo(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path, shown: str
) -> None:
    code, out, err = summary(capsys, monkeypatch, tmp_path, 1, folder)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "",
        f"Pictures       {shown}  (1, each opened and measured)",
        f"Contact sheet  1 seedream demo {folder / 'contact-sheet.jpg'}",
        "Cost           1 of 100 credits of play money; the refused one cost nothing",
        "",
        "Your own: 'my prog' generate \"a red bicycle\" -r 3:2 --sandbox",
    ]


def test_the_summary_of_a_demo_in_which_the_cost_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, out, err = summary(capsys, monkeypatch, tmp_path, 2, Path("out"))
    assert (code, err) == (1, "Error: the sandbox charged 2 images, and 1 were requested\n")
    assert "Your own" not in out


def test_a_line_for_each_result_and_for_the_refusal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    command._print_result(Terminal(), shot(tmp_path, "16:9", (2560, 1440)))
    assert capsys.readouterr().out == "  one              16:9       2560x1440  1 picture\n"
    for columns, count in ((59, 2), (60, 1)):
        said: list[str] = []
        narrow: Any = SimpleNamespace(out=SimpleNamespace(is_terminal=True, width=columns), print_result=said.append)
        command._print_result(narrow, shot(tmp_path, "16:9", (2560, 1440)))
        assert len("".join(said).splitlines()) == count
    command._show_refusal(Terminal())
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[1] == f"And one that breaks a rule: 'A postage stamp' at {REFUSED[1]}. It is refused before it is sent:"
    )
    assert lines[2].startswith("Error: resolution: ")
    monkeypatch.setattr(command, "REFUSED", ("A postage stamp", "2K"))
    with pytest.raises(AssertionError, match="2K was not refused"):
        command._show_refusal(Terminal())


def test_tiles_name_their_pictures(tmp_path: Path) -> None:
    one = shot(tmp_path, "16:9", (2560, 1440))
    (tile,) = tiles([one])
    assert tile == Tile(one.files[0], (2560, 1440), "x", "one, 16:9, 2560 x 1440")
    assert tile.shape == 2560 / 1440
    exact = evolve(one, example=Example("two", "y", "2560x1440", count=2), files=one.files * 2)
    assert [tile.small for tile in tiles([exact])] == ["two, 1 of 2, 2560 x 1440", "two, 2 of 2, 2560 x 1440"]
    wide = [
        Tile(Path(str(n)), size, "", "") for n, size in enumerate([(1, 1), (1, 1), (3, 1), (1, 1), (1, 1), (13, 10)])
    ]
    assert [[int(str(tile.path)) for tile in row] for row in rows(wide)] == [[0, 1], [2, 3], [4, 5]]
    assert rows([]) == [[]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seedream.cli.demo.drawing._FULL_ROW", 2.5)
        sized = [Tile(Path(), size, "", "") for size in ((1, 2), (2, 1), (1, 2))]  # 0.8 of a row has one of its own
        assert [len(row) for row in rows(sized)] == [1, 2]
