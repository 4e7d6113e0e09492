"""What a terminal shows in colour: errors red, warnings yellow, headings bold, what is done green; nothing else."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from seedream._request.submission import check_submit
from seedream.bulk import Report, Snapshot
from seedream.cli import runner
from seedream.cli.bulk_report import bulk_progress, print_report
from seedream.cli.demo.command import _print_summary
from seedream.cli.generate import _print_request
from seedream.cli.task import print_saved
from seedream.cli.terminal import Terminal
from seedream.errors import InsufficientCredits, NotSent
from seedream.journal import STATES


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Collect the style of each line by its text."""
    found: dict[str, str] = {}

    def note(_: Terminal, text: str, style: str = "") -> None:
        found[text.strip()] = style

    monkeypatch.setenv("SEEDREAM_LANG", "en")
    monkeypatch.setattr(Terminal, "print_note", note)
    monkeypatch.setattr(Terminal, "print_result", note)
    return found


def report(reason: Any, **counts: int) -> Report:
    every: Any = dict.fromkeys(STATES, 0) | counts
    return Report(reason, every, 1, Path("out"), InsufficientCredits("none"), {"a": "t"}, 0, ("w.",), ("c.",))


def test_a_report(shown: dict[str, str]) -> None:
    print_report(Terminal(), report("credits", planned=1))
    assert {text: style for text, style in shown.items() if style} == {
        "Error: none.": "red", "The account has not enough credits.": "bold yellow", "c.": "yellow", "w.": "yellow",
        "Write this down: job a became task t, which could not be recorded.": "red",
    }  # fmt: skip
    shown.clear()
    print_report(Terminal(), report("done", downloaded=1))
    assert shown["All jobs have been worked on."] == "bold"


def test_a_task_id_that_cannot_be_recorded(shown: dict[str, str]) -> None:
    _, show = bulk_progress(Terminal())
    counts: Any = dict.fromkeys(STATES, 0)
    show(Snapshot(counts, 1, None, 0.0, 0, 1, unrecorded={"a": "t"}))
    assert list(shown.values()) == ["red"]


def test_each_kind_of_error(shown: dict[str, str]) -> None:
    for error in (NotSent("a"), OSError(5, "b"), KeyError("c"), click.UsageError("d")):

        def command(_: Terminal, error: Exception = error) -> None:
            raise error

        runner.run(command, [])
    assert {text[:9] for text, style in shown.items() if style == "red"} == {
        "Error: a.", "Error: th", "Unexpecte", "Error: d",
    }  # fmt: skip
    assert set(shown.values()) <= {"red", ""}


def test_requests_and_pictures(shown: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"x")
    given = {"source_images": [str(tmp_path / "a.bin")], "allow_unrecognized_sources": True}
    _print_request(Terminal(), check_submit("p", given), "https://x.example")
    assert [text for text, style in shown.items() if style == "bold"] == [
        "POST https://x.example/v1/images/seedreamv45", "Form fields", "Files",
    ]  # fmt: skip
    print_saved(Terminal(), "t", [], cost=None)
    assert shown["0 pictures saved."] == "green"


def test_a_demo_that_fails(shown: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = SimpleNamespace(tiles=list, draw_sheet=lambda *_: "sheet")
    monkeypatch.setattr("seedream.cli.demo.command.load_extra", lambda *_: drawing)
    _print_summary(Terminal(), [], Path("out"), 1, "seedream")
    assert shown["Error: the sandbox charged 1 images, and 0 were requested"] == "red"


def test_rules_and_the_sandbox(cli: Any, shown: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    cli("explain", "RES-PIXELS", "RES-TIER")
    assert [text for text, style in shown.items() if style == "bold"] == ["RES-PIXELS", "RES-TIER"]

    def warn() -> None:
        import warnings  # noqa: PLC0415 -- only here

        warnings.warn("not loopback", stacklevel=1)

    stand_in = SimpleNamespace(start=warn, base_url="", images_url="", api_key="")
    package = SimpleNamespace(
        FaultError=LookupError, parse_fault=None, Sandbox=lambda **_: stand_in, run_server=lambda *_, **__: None
    )
    monkeypatch.setattr("seedream.cli.sandbox.load_extra", lambda *_: package)
    cli("sandbox")
    assert shown["Warning: not loopback"] == "yellow"
