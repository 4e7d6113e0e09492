"""Names, values and ids of a jobs file, and the settings of a run: each boundary, and what is said beyond it."""

import math
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from seedream.bulk import BulkOptions, columns, jobs_file, options
from seedream.bulk.columns import from_text, id_of, is_column, options_of, unknown_column
from seedream.bulk.jobs_file import REDACTED, plan_of, read_jobs, request_of, submission_of
from seedream.errors import ConfigError, InvalidRequest, Problem

BASE = Path("/base")
NAMES = ("category", "prompt", "batchsize", "resolution", "sourceImage", "imageUrl", "source_images", "image_url")


def test_which_columns_there_are() -> None:
    assert all(is_column(name) for name in ("id", *NAMES))
    assert not any(is_column(name) for name in ("", "ID", "Prompt", "images", "n", None, 5, "job_id"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("n", "Use batchsize."),
        ("promt", "Did you mean prompt?"),
        (" PROMTP ", "Did you mean prompt?"),
        ("Resolutoin", "Did you mean resolution?"),
        ("idd", "Did you mean id?"),
        ("xyz", "There are id, prompt, batchsize, category, image_url, resolution, source_images."),
        ("promab", "There are id, prompt, batchsize, category, image_url, resolution, source_images."),
    ],
)
def test_an_unknown_column_is_named_with_what_may_be_meant(name: str, hint: str) -> None:
    assert unknown_column(name) == Problem(name, "there is no such column", hint=hint)


class NAType:
    """What pandas.NA is."""


@pytest.mark.parametrize("nothing", [None, math.nan, NAType()])
def test_what_is_not_given_is_left_out(nothing: object) -> None:
    problems: list[Problem] = []
    row = {"prompt": nothing, "batchsize": nothing, "id": nothing, "source_images": nothing, "unknown": nothing}
    assert options_of(row, BASE, problems) == {}
    assert id_of(row, problems) is None
    assert problems == []


def test_values_become_options_by_python_names() -> None:
    problems: list[Problem] = []
    row = {
        "id": "x",
        "prompt": "p",
        "batchsize": 2.0,
        "imageUrl": "u",
        "sourceImage": ["a.png", "HTTPS://h/b", "http://h/c", Path("/d")],
    }
    assert options_of(row, BASE, problems) == {
        "prompt": "p",
        "batchsize": 2,
        "image_url": "u",
        "source_images": ["/base/a.png", "HTTPS://h/b", "http://h/c", "/d"],
    }
    assert problems == []
    assert type(options_of({"batchsize": 2.0}, BASE, problems)["batchsize"]) is int
    for value in (2.5, math.inf, "2", True, [2]):
        assert options_of({"batchsize": value}, BASE, problems) == {"batchsize": value}
    assert options_of({"prompt": 2.0}, BASE, problems) == {"prompt": 2.0}
    assert options_of({"source_images": "a.png"}, BASE, problems) == {"source_images": ["/base/a.png"]}
    assert options_of({"source_images": ("ftp://a",)}, BASE, problems) == {"source_images": ["/base/ftp:/a"]}
    assert options_of({"source_images": "~/a"}, BASE, problems) == {"source_images": [str(Path("~/a").expanduser())]}
    assert problems == []


def test_what_is_wrong_with_a_row_is_said() -> None:
    problems: list[Problem] = []
    row: dict[str, Any] = {"image_url": "a", "imageUrl": "b", "seed": 1, "prompt": "p", "source_images": 5}
    assert options_of(row, BASE, problems) == {"image_url": "a", "prompt": "p", "source_images": []}
    assert problems == [
        Problem("imageUrl", "image_url is given twice, under two names", hint="Give one of them."),
        unknown_column("seed"),
        Problem("source_images", "not a path or a list of paths", "SOURCE-IMAGE", "Give paths as text."),
    ]
    problems.clear()
    assert options_of({"source_images": ["ok", 5]}, BASE, problems)["source_images"] == []
    assert options_of({"source_images": {"a": 1}}, BASE, problems)["source_images"] == []
    assert [one.message for one in problems] == ["not a path or a list of paths"] * 2
    problems.clear()
    assert options_of({"source_images": "~nobody-of-that-name/x"}, BASE, problems)["source_images"] == []
    (problem,) = problems
    assert (problem.field, problem.rule, problem.hint) == ("source_images", "SOURCE-IMAGE", "Give the whole path.")
    assert problem.message.startswith("not a usable path: ")


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("a", "a"),
        (" a ", " a "),
        (5, "5"),
        (5.0, "5"),
        (-0.0, "0"),
        ("x" * 200, "x" * 200),
        ("日本", "日本"),
        ("5.0", "5.0"),
    ],
)
def test_what_may_be_an_id(value: object, key: str) -> None:
    problems: list[Problem] = []
    assert (id_of({"id": value}, problems), problems) == (key, [])
    assert id_of({}, problems) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", "“”"),
        ("  ", "“  ”"),
        ("a\nb", None),
        ("x" * 201, None),
        (True, "“True”"),
        (5.5, "“5.5”"),
        ([1], "“[1]”"),
        (math.inf, "“inf”"),
    ],
)
def test_what_cannot_be_an_id(value: object, shown: str | None) -> None:
    problems: list[Problem] = []
    assert id_of({"id": value}, problems) is None
    (problem,) = problems
    assert (problem.field, problem.hint) == ("id", "Give up to 200 printable characters.")
    assert problem.message.endswith(" cannot be an id")
    assert shown is None or problem.message == f"{shown} cannot be an id"


# Cells of a CSV file.


@pytest.fixture
def more_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields of the other types, which the page may get."""
    fields = dict(columns._FIELDS)
    for kind in ("number", "boolean"):
        fields[kind] = evolve(fields["prompt"], name=kind, attribute=kind, kind=kind)
    monkeypatch.setattr(columns, "_FIELDS", fields)
    monkeypatch.setattr(columns, "_OPTIONS", {**columns._OPTIONS, "number": "number", "boolean": "boolean"})


@pytest.mark.usefixtures("more_fields")
@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("batchsize", "2", 2),
        ("batchsize", " +02.00 ", 2),
        ("batchsize", "-3", -3),
        ("batchsize", "2.", 2),
        ("number", "2", 2.0),
        ("number", " -.5e3 ", -500.0),
        ("number", "2.", 2.0),
        ("number", "1E+2", 100.0),
        ("boolean", "true", True),
        ("boolean", " FALSE ", False),
        ("prompt", " p ", " p "),
        ("resolution", "16:9", "16:9"),
        ("id", " 5 ", " 5 "),
        ("source_images", " a.png ;; b;c.png; ", ["a.png", "b", "c.png"]),
        ("sourceImage", "a b.png", ["a b.png"]),
        ("imageUrl", "https://h/?a;b", "https://h/?a;b"),
    ],
)
def test_a_cell_becomes_what_its_field_asks_for(name: str, text: str, value: object) -> None:
    problems: list[Problem] = []
    found = from_text([(name, text), ("resolution", " "), ("category", "")], problems)
    assert (found, problems) == ({name: value}, [])
    assert type(found[name]) is type(value)


@pytest.mark.usefixtures("more_fields")
@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("batchsize", "2.5", "integer"),
        ("batchsize", "2 3", "integer"),
        ("batchsize", "", None),
        ("number", "1,5", "number"),
        ("number", "nan", "number"),
        ("number", ".", "number"),
        ("number", "1e", "number"),
        ("boolean", "1", "boolean"),
        ("boolean", "yes", "boolean"),
    ],
)
def test_a_cell_of_another_type_is_named(name: str, text: str, kind: str | None) -> None:
    problems: list[Problem] = []
    found = from_text([(name, text)], problems)
    if kind is None:
        assert (found, problems) == ({}, [])
    else:
        assert found == {name: None}
        assert problems == [Problem(name, f"“{text}” is not of type {kind}", hint="Change the cell.")]


# Rows.


def test_a_row_without_an_id_gets_one_from_its_request() -> None:
    plan, given = plan_of({"prompt": "a fish", "batchsize": 2}, BASE)
    assert plan.key == f"{plan.digest[:16]}-1"
    assert (plan.request, plan.cost, plan.line) == ({"prompt": "a fish", "batchsize": 2}, 2, None)
    assert given == {"prompt": "a fish", "batchsize": 2}
    assert plan_of({"id": 7, "prompt": "a fish"}, BASE)[0].key == "7"
    (first, second, other) = read_jobs(["a fish", "a fish", "a bird"]).plans
    assert (first.key, second.key) == (f"{first.digest[:16]}-1", f"{first.digest[:16]}-2")
    assert other.key == f"{other.digest[:16]}-1"
    assert first.digest == plan_of({"prompt": "a fish"}, BASE)[0].digest
    assert (first.line, second.line, other.line) == (1, 2, 3)


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    with pytest.raises(InvalidRequest) as caught:
        plan_of({"id": "", "prompt": "", "batchsize": 0, "seed": 1}, BASE)
    assert [one.field for one in caught.value.problems] == ["id", "seed", "prompt", "batchsize"]
    with pytest.raises(InvalidRequest) as caught:
        plan_of({"id": "", "prompt": "p"}, BASE)
    assert [one.field for one in caught.value.problems] == ["id"]


@pytest.mark.parametrize("allowed", [True, False])
def test_sources_that_are_not_recognised_only_where_the_row_says_so(tmp_path: Path, allowed: bool) -> None:
    (tmp_path / "a.bin").write_bytes(b"no picture")
    row = {"prompt": "x", "source_images": "a.bin", "allow_unrecognized_sources": allowed}
    if allowed:
        plan, _ = plan_of(row, tmp_path)
        assert plan.request["allow_unrecognized_sources"] is True
        assert submission_of(plan.request).digest == plan.digest
    else:
        with pytest.raises(InvalidRequest):
            plan_of(row, tmp_path)


def test_signatures_are_not_kept_and_their_fields_are_listed() -> None:
    # Rule I11: what the journal keeps opens nothing.
    signed, plain = "https://h.example/a.png?X-Signature=1", "https://h.example/a.png"
    given = {"prompt": f"see {signed}", "image_url": signed, "source_images": [plain, signed], "batchsize": 2}
    assert request_of(given) == {
        "prompt": f"see {signed}",
        "image_url": f"{plain}?[removed]",
        "source_images": [plain, f"{plain}?[removed]"],
        "batchsize": 2,
        REDACTED: ["image_url", "source_images"],
    }
    assert request_of({"prompt": "p", "image_url": plain}) == {"prompt": "p", "image_url": plain}
    planned = read_jobs([{"id": "s", "prompt": "p", "imageUrl": signed}, "plain"])
    assert planned.redacted_options == {"s": {"prompt": "p", "image_url": signed}}
    assert signed not in repr(planned.redacted_options["s"]["prompt"])
    assert "X-Signature" not in repr(evolve(planned, plans=[]))


# Files.


def problems_of(path: Path, content: str, **given: Any) -> list[Problem]:
    path.write_text(content, "utf-8", newline="")
    with pytest.raises(InvalidRequest) as caught:
        read_jobs(path, **given)
    return list(caught.value.problems)


def test_each_problem_of_a_jsonl_file_in_full(tmp_path: Path) -> None:
    lines = [
        '{"prompt": "a", "id": "x"}',
        "",
        "{",
        "5",
        '{"a": 1, "a": 2, "b": 3, "b": 4}',
        '{"prompt": Infinity}',
        "[" * 100_000,
    ]
    path = tmp_path / "jobs.ndjson"
    found = problems_of(path, "\n".join(lines))
    hint = "Each line is one JSON object."
    assert found[:-1] == [
        Problem("line 3, JSON", "Expecting property name enclosed in double quotes at column 2", hint=hint),
        Problem("line 4, JSON", "an object of type int", hint=hint),
        Problem("line 5, JSON", "a, b given twice", hint=hint),
        Problem("line 6, JSON", "Infinity is not JSON", hint=hint),
    ]
    assert (found[-1].field, found[-1].hint) == ("line 7, JSON", hint)
    assert "recursion" in found[-1].message


ONCE, MARKS = "The first line names the columns, each one once.", "Check the quotation marks."


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", [Problem("line 1, header", "empty", hint=ONCE)]),
        (",,\nx", [Problem("line 1, header", "empty", hint=ONCE)]),
        ("prompt,,id\nx", [Problem("line 1, header", "a column has no name", hint=ONCE)]),
        ("sep=;\nid;prompt;id\nx", [Problem("line 2, header", "“id” is given twice", hint=ONCE)]),
        ("id\nx", [Problem("line 1, prompt", "missing from the header", "PROMPT-REQUIRED",
                           "Name the column of the prompts “prompt”.")]),
        ("prompt;id\nx;y;z", [Problem("line 2, cells", "3 for 2 columns", hint="Quote a cell that contains “;”.")]),
        ("prompt\tid\nx\ty\tz",
         [Problem("line 2, cells", "3 for 2 columns", hint="Quote a cell that contains a tab.")]),
        ('prompt,id\n"a\nb",1\n"c"d,2', [Problem("line 4, CSV", "',' expected after '\"'", hint=MARKS)]),
        ('sep=,\r\nprompt,id\r\nx,1\r\n"c', [Problem("line 4, CSV", "unexpected end of data", hint=MARKS)]),
        ("prompt,id\nx,1\ny,1",
         [Problem("line 3, id", "“1” is line 2's already", hint="Give each job an id of its own.")]),
    ],
)  # fmt: skip
def test_each_problem_of_a_csv_file_in_full(tmp_path: Path, content: str, expected: list[Problem]) -> None:
    assert problems_of(tmp_path / "jobs.csv", content) == expected


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("id,prompt\n1,a;b\n", [(2, "1", "a;b")]),
        ("id;prompt\n1;a,b\n", [(2, "1", "a,b")]),
        ("id|prompt\n1|a,b\n", [(2, "1", "a,b")]),
        ('"id","prompt"\n\n , \n2,"x\ny"\n3,z', [(4, "2", "x\ny"), (6, "3", "z")]),
        ("sep=|\r\nid|prompt\r\n1|a\r\n", [(3, "1", "a")]),
        (" id , prompt ,,\n1,a,,\n2,b\n", [(2, "1", "a"), (3, "2", "b")]),
        ("prompt,id\nonly\n", [(2, None, "only")]),
        ("prompt\nsep=;\n", [(2, None, "sep=;")]),
    ],
)
def test_lines_and_cells_of_a_csv_file(tmp_path: Path, content: str, rows: list[Any]) -> None:
    path = tmp_path / "jobs.CSV"
    path.write_text(content, newline="")
    planned = read_jobs(path)
    assert (planned.path, planned.encoding) == (path, None)
    found = [(plan.line, plan.key, plan.request["prompt"]) for plan in planned.plans]
    assert [(line, prompt) for line, _, prompt in found] == [(line, prompt) for line, _, prompt in rows]
    assert all(key is None or key == given for (_, key, _), (_, given, _) in zip(rows, found, strict=True))


def test_of_many_problems_twenty_are_shown(tmp_path: Path) -> None:
    for number, shown in ((20, 20), (21, 21), (1020, 21)):
        found = problems_of(tmp_path / "jobs.csv", "prompt,batchsize\n" + "x,two\n" * number)
        assert len(found) == shown
        assert found[19].field == "line 21, batchsize"
        if shown == 21:
            assert found[20] == Problem("jobs", f"and {number - 20:,} more problems", hint="Correct these first.")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("jobs.xlsx", "{} is of an unknown kind (.xlsx)", "Give a .jsonl or a .csv file."),
        ("jobs", "{} is of an unknown kind (no ending)", "Give a .jsonl or a .csv file."),
        ("nothing.csv", "cannot read {}: No such file or directory", "Check the path."),
        ("a\0b.csv", "cannot read {}: embedded null byte", "Check the path."),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_jobs(tmp_path / name)
    assert caught.value.problems == (Problem("jobs", message.format(tmp_path / name), hint=hint),)


def test_paths_are_from_the_folder_of_the_file_or_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    seen: list[Path] = []

    def options_of(row: Any, base: Path, problems: Any) -> dict[str, Any]:
        del problems
        seen.append(base)
        return {"prompt": row["prompt"]}

    monkeypatch.setattr(jobs_file, "options_of", options_of)
    Path("sub/jobs.csv").write_text("prompt\nx")
    planned = read_jobs("sub/jobs.csv", encoding="ascii")
    assert (planned.path, planned.encoding, planned.images) == (tmp_path / "sub/jobs.csv", "ascii", 1)
    assert read_jobs(["x"]).path is None
    assert seen == [tmp_path / "sub", tmp_path]


# Settings.

BOUNDS: list[tuple[str, list[Any], list[Any], str]] = [
    ("concurrency", [1, 1000], [0, 1001, -1], "Give 1 to 1000."),
    ("in_flight", [1, 1000], [0, 1001], "Give 1 to 1000."),
    ("downloads", [1, 1000], [0, 1001], "Give 1 to 1000."),
    ("task_timeout", [0, 0.5, math.inf], [-0.1, math.nan], "Give seconds."),
    ("patience", [0, 600, math.inf], [-1, math.nan], "Give seconds."),
    ("max_bytes", [1, 2**53], [0, 2**53 + 1], "Give a number of bytes above 0."),
    ("rate", [sys.float_info.min, sys.float_info.max, None], [0, -1, math.inf, math.nan],
     "Give submissions per second, more than 0."),
    ("max_failures", [0, 2**53], [-1, 2**53 + 1], "Give a number of failures, or 0 for never."),
    ("budget", [0, 2**53, None], [-1, 2**53 + 1], "Give a number of pictures."),
]  # fmt: skip
TYPES: list[tuple[str, list[Any], str]] = [
    ("concurrency", [True, 1.0, "4", None], "a whole number"),
    ("budget", [True, 1.0, "4"], "a whole number"),
    ("max_bytes", [1.0, None], "a whole number"),
    ("rate", [True, "4"], "a number"),
    ("task_timeout", [False, "4", None], "a number"),
    ("verify", [1, "no", None], "True or False"),
    ("records_lost", [0], "True or False"),
    ("moved", [1.0], "True or False"),
    ("as_planned", [None], "True or False"),
    ("allow_unrecognized_sources", ["yes"], "True or False"),
]


def given(name: str, value: object) -> BulkOptions:
    return BulkOptions(**{name: value})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(("name", "good", "bad", "hint"), BOUNDS)
def test_each_setting_has_its_bounds(name: str, good: list[Any], bad: list[Any], hint: str) -> None:
    for value in good:
        assert getattr(given(name, value), name) == value
    for value in bad:
        with pytest.raises(ConfigError) as caught:
            given(name, value)
        assert (caught.value.message, caught.value.hint) == (f"{name} is {value}", hint)


@pytest.mark.parametrize(("name", "bad", "wanted"), TYPES)
def test_each_setting_has_its_type(name: str, bad: list[Any], wanted: str) -> None:
    for value in bad:
        with pytest.raises(ConfigError) as caught:
            given(name, value)
        assert (caught.value.message, caught.value.hint) == (f"{name} is “{value}”", f"Give {wanted}.")


def test_the_settings_that_hold_without_a_word() -> None:
    assert BulkOptions() == BulkOptions(
        concurrency=4, rate=None, budget=None, in_flight=64, downloads=8, task_timeout=900.0, max_failures=3,
        patience=600.0, max_bytes=64 * 1024 * 1024, allow_unrecognized_sources=False, as_planned=False, verify=False,
        records_lost=False, moved=False,
    )  # fmt: skip


def test_a_resume_takes_the_settings_but_not_what_was_said_for_one_start() -> None:
    # What a user said once about money and lost records does not hold for ever.
    whole = BulkOptions(
        concurrency=2, rate=0.5, budget=7, in_flight=9, downloads=3, task_timeout=1.0, max_failures=0, patience=2.0,
        max_bytes=5, allow_unrecognized_sources=True, as_planned=True, verify=True, records_lost=True, moved=True,
    )  # fmt: skip
    stored = whole.stored()
    assert stored.keys().isdisjoint({"budget", "verify", "moved", "records_lost", "as_planned"})
    assert len(stored) == 9
    again = BulkOptions.restored({**stored, "service": "s", "of_another_version": 1}, 8)
    assert again == evolve(whole, budget=8, as_planned=False, verify=False, records_lost=False, moved=False)
    assert BulkOptions.restored({}, None) == BulkOptions()
    assert options._OF_ONE_START == {"budget", "verify", "moved", "records_lost", "as_planned"}
