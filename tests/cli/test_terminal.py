"""Streams, languages and help texts: what fits a terminal, what a pipe gets, and what is never shown."""

import errno
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from cli.streams import Stream
from seedream.cli.help_text import Command, Group, _Formatter, _translate_help, wrap_cells
from seedream.cli.language import _patterns, is_chinese, plural, tr, translate
from seedream.cli.terminal import OutputError, Terminal


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")


# Streams.


def watched(
    monkeypatch: pytest.MonkeyPatch, columns: int, *, encoding: str = "utf-8"
) -> tuple[Terminal, Stream, Stream]:
    out, err = Stream(terminal=True, encoding=encoding), Stream(terminal=True, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    return Terminal(), out, err


LONG = "one two three four five six seven"


def test_in_a_terminal_long_notes_are_wrapped_and_commands_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, _, err = watched(monkeypatch, 24)
    assert terminal.interactive
    terminal.print_note(LONG)
    terminal.print_note(f"  {LONG}")
    terminal.print_note(f"run seedream wait {LONG}")
    terminal.print_note(f"a\n{LONG}")
    terminal.print_note("x" * 24)
    assert err.text.splitlines() == [
        "one two three four five", "six seven", "  one two three four", "  five six seven",
        f"run seedream wait {LONG}", "a", LONG, "x" * 24,
    ]  # fmt: skip


def test_texts_are_shown_as_they_are_also_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    text = ":smile: [bold]x[/bold] 123 'quoted' https://h.example/a"
    terminal, out, err = watched(monkeypatch, 200)
    monkeypatch.delenv("NO_COLOR")
    terminal.print_result(text)
    terminal.print_note(text)
    assert (out.text, err.text) == (f"{text}\n", f"{text}\n")


def test_a_table_fits_its_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, rows, lines in (
        (60, [("label of 12ch", "text")], ["  label of 12ch  text"]),
        (59, [("label of 12ch", "text"), ("b", LONG)], ["  label of 12ch", "    text", "  b", f"    {LONG}"]),
        (59, [("ten chars.", "text"), ("b", "c")], ["  ten chars.  text", "  b           c"]),
        (30, [("a", LONG)], ["  a  one two three four five", "     six seven"]),
        (59, [("山", "x"), ("abc", "y")], ["  山   x", "  abc  y"]),
    ):
        terminal, out, _ = watched(monkeypatch, columns)
        terminal.print_table(rows, indent=2)
        assert out.text.splitlines() == lines
    terminal.print_table([])
    assert terminal.indented("a ", f"x\n{LONG}") == f"a x\n{LONG}"


def test_a_pipe_gets_lines_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    assert not terminal.interactive
    terminal.print_note(LONG * 9)
    terminal.print_table([("label of 12ch", LONG * 9)])
    out, err = capsys.readouterr()
    assert (out, err) == (f"label of 12ch  {LONG * 9}\n", f"{LONG * 9}\n")


def test_a_dumb_terminal_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, _, _ = watched(monkeypatch, 80)
    monkeypatch.setenv("TERM", "dumb")
    assert not terminal.interactive
    monkeypatch.setattr(sys, "stderr", None)
    assert not Terminal().interactive


def test_secrets_and_signatures_are_in_no_stream(capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (False, True):
        terminal = Terminal(as_json=as_json)
        terminal.secrets |= {"sk-0123456789"}
        text = "sk-0123456789 https://h.example/a?Signature=1"
        terminal.print_note(text)
        terminal.print_result(text)
        terminal.print_json({"a": [text, (text,)], "b": {"c": text, "n": 1, "none": None}})
        out, err = capsys.readouterr()
        assert "0123456789" not in out + err
        assert "Signature" not in out + err
        if as_json:
            document = json.loads(out)
            assert document["b"]["n"] == 1
            assert document["b"]["none"] is None
            assert document["a"] == [document["b"]["c"], [document["b"]["c"]]]
            assert "[removed]" in document["b"]["c"]


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "山"), ("ascii", "\\u5c71"), ("UTF_8", "山")])
def test_json_fits_its_stream(monkeypatch: pytest.MonkeyPatch, encoding: str, shown: str) -> None:
    watched(monkeypatch, 80, encoding=encoding)
    terminal = Terminal(as_json=True)
    terminal.print_json({"a": "山"})
    stream: Any = sys.stdout
    assert stream.text == f'{{\n  "a": "{shown}"\n}}\n'


def test_a_program_without_standard_output_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # As pythonw and some services start it.
    monkeypatch.setattr(sys, "stdout", None)
    for as_json in (False, True):
        terminal = Terminal(as_json=as_json)
        terminal.print_json({"a": "山"})
        terminal.flush()


def test_a_character_that_a_stream_cannot_show_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, out, err = watched(monkeypatch, 80, encoding="ascii")
    terminal.print_result("山")
    terminal.print_note("山")
    assert (out.text, err.text) == ("\\u5c71\n", "\\u5c71\n")


@pytest.mark.parametrize("method", ["print_result", "print_json", "flush"])
def test_output_that_fails_is_marked_as_such(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    terminal, out, err = watched(monkeypatch, 80)
    terminal.as_json = method == "print_json"

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    for stream in (out, err):
        monkeypatch.setattr(stream, "write", full)
        monkeypatch.setattr(stream, "flush", full)
    with pytest.raises(OutputError) as caught:
        getattr(terminal, method)(*([] if method == "flush" else ["x"]))
    assert isinstance(caught.value.__cause__, OSError)
    terminal.print_note("what is paid for is fetched all the same")
    monkeypatch.setattr(sys, "stdout", None)
    terminal.flush()


@pytest.mark.parametrize("error", [OSError(), ValueError("closed file"), RuntimeError("reentrant call")])
def test_a_note_that_cannot_be_shown_stops_nothing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    terminal, _, err = watched(monkeypatch, 80)

    def fails(*_: object) -> int:
        raise error

    monkeypatch.setattr(err, "write", fails)
    terminal.print_note("what is paid for is fetched all the same")


# Languages.


@pytest.mark.parametrize(
    ("environ", "chinese"),
    [
        ({}, False),
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LC_MESSAGES": "en_US", "LANG": "zh_CN"}, False),
        ({"LC_ALL": "zh_TW", "LC_MESSAGES": "en", "LANG": "en"}, True),
        ({"SEEDREAM_LANG": "en", "LC_ALL": "zh"}, False),
        ({"SEEDREAM_LANG": " ZH ", "LC_ALL": "en"}, True),
        ({"SEEDREAM_LANG": "  ", "LC_ALL": "zh"}, True),
        ({"LANGUAGE": "zh"}, False),
    ],
)
def test_the_first_variable_that_is_set_decides(environ: dict[str, str], chinese: bool) -> None:
    assert is_chinese(environ) is chinese


def test_numbers_and_nouns(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [plural(number, "job") for number in (0, 1, 2, 1234)]
    assert shown == ["0 jobs", "1 job", "2 jobs", "1,234 jobs"]
    assert tr("{jobs} dropped.", jobs="1 job") == "1 job dropped."
    assert tr("a {b}") == "a {b}"
    assert translate("Error: ") == "Error: "
    monkeypatch.setenv("SEEDREAM_LANG", "zh")
    assert [plural(number, "job") for number in (1, 1234)] == ["1 条任务", "1,234 条任务"]
    assert plural(2, "cat") == "2 cats"
    assert translate("no text of ours") == "no text of ours"
    assert tr("no text of ours {a}", a=1) == "no text of ours 1"
    assert translate("Error: ") == "错误："


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A table of a few texts in place of the real one."""
    patterns = {
        "{a!t} and {b} of {a}": "{b}+{a!t}", "{a} is gone": "{a}没了", "no {a} at {b}": "{b}无{a}", "{a!t}.": "{a!t}。",
        "fixed": "定", "no {a} at {b} for {c}": "{c}、{b}无{a}", "{a} is long gone": "{a}早没了",
    }  # fmt: skip
    monkeypatch.setattr("seedream.cli.language.PATTERNS", patterns)
    monkeypatch.setattr("seedream.cli.language.MESSAGES", {"apple": "苹果", "required": "必填"})
    monkeypatch.setenv("SEEDREAM_LANG", "zh")
    _patterns.cache_clear()
    yield patterns
    _patterns.cache_clear()


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("apple", "苹果"),
        ("fixed", "定"),
        ("apple is gone", "apple没了"),  # what is not marked is kept
        ("no x at y", "y无x"),
        ("apple and 5 of apple", "5+苹果"),
        ("apple and 5 of pear", "apple and 5 of pear"),
        ("apple.", "苹果。"),
        ("no x at y is gone", "y is gone无x"),  # fixed text at the beginning goes first
        ("no x at y for z", "z、y无x"),  # then what has more of it, wherever it is in the table
        ("it is long gone", "it早没了"),
        ("one. two is gone", "one. two is gone"),  # what is kept lies within one sentence
        ("a\nb is gone", "a\nb没了"),
        ("nothing like it", "nothing like it"),
    ],
)
def test_a_text_with_values_is_found_by_its_pattern(english: str, chinese: str) -> None:
    assert translate(english) == chinese


@pytest.mark.usefixtures("table")
def test_what_click_appends_to_a_help_text_is_translated_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _translate_help("apple  [default: 1; required]") == "苹果  [default: 1; 必填]"
    assert _translate_help("apple") == "苹果"
    assert _translate_help("pear  [required]") == "pear  [必填]"
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    assert _translate_help("apple  [required]") == "apple  [required]"


# Help texts.


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, []),
        ("   ", 5, []),
        ("one two", 7, ["one two"]),
        ("one two", 6, ["one", "two"]),
        ("  one   two ", 20, ["one two"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("a abcdefgh", 3, ["a", "abc", "def", "gh"]),
        ("山水山", 4, ["山水", "山"]),
        ("山水，山", 4, ["山", "水，", "山"]),
        ("（山）水", 4, ["（山", "）水"]),
        ("（山）水", 6, ["（山）", "水"]),
        ("see (one).", 5, ["see", "(one)", "."]),
    ],
)
def test_lines_of_so_many_cells(text: str, width: int, lines: list[str]) -> None:
    assert wrap_cells(text, width) == lines


def test_a_help_text_in_two_columns_or_one_under_the_other() -> None:
    wide = _Formatter(width=60)
    wide.write_dl([("--a", "text of a"), ("--much-longer-than-thirty-characters", LONG * 2)])
    assert wide.getvalue().splitlines()[:2] == [
        f"--a{'':29}text of a", "--much-longer-than-thirty-characters",
    ]  # fmt: skip
    assert all(line.startswith(" " * 32) for line in wide.getvalue().splitlines()[2:])
    narrow = _Formatter(width=59)
    narrow.indent()
    narrow.write_dl([("--a", "text of a")])
    assert narrow.getvalue() == "  --a\n      text of a\n"
    text = _Formatter(width=30)
    text.write_text("one  two\nthree\n\n\b\n  kept   as it is\n\n" + LONG)
    assert text.getvalue() == "one two three\n\n  kept   as it is\n\none two three four five six\nseven\n"
    text = _Formatter(width=60)
    text.write_usage("seedream", "[OPTIONS]")
    text.write_heading("Options")
    assert text.getvalue() == "Usage: seedream [OPTIONS]\nOptions:\n"
    text = _Formatter(width=60)
    text.write_usage("seedream", "[OPTIONS]", "Or: ")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEEDREAM_LANG", "zh")
        text.write_usage("seedream", "[OPTIONS]")
    assert text.getvalue() == "Or: seedream [OPTIONS]\n用法：seedream [OPTIONS]\n"


@pytest.mark.parametrize(("columns", "width"), [(10, 30), (31, 30), (50, 49), (91, 90), (300, 90)])
def test_the_width_of_a_help_text_is_that_of_the_terminal_within_bounds(
    monkeypatch: pytest.MonkeyPatch, columns: int, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert _Formatter().width == width
    assert _Formatter(max_width=40).width == min(max(columns - 1, 30), 40)


def test_a_group_lists_its_commands_in_their_order_with_the_whole_line() -> None:
    group = Group("g")
    for name in ("zebra", "ape"):
        group.add_command(Command(name, help=f"{name}: {LONG * 3}."))
    context = group.make_context("g", ["--help"], resilient_parsing=True)
    lines = group.get_help(context)
    assert lines.index("zebra") < lines.index("ape")
    assert lines.count("seven.") == 2, "no line is cut"
