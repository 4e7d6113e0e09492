"""The judge of the installed tables: against the one typed by hand, and on keywords that this page does not use."""

# ruff: noqa: E501 -- one case a line reads as a table

import re
from typing import Any

import judge
import pytest
from seedream_testing.contract import Part, from_tables, text
from seedream_testing.contract.judgement import judge as judge_form
from seedream_testing.contract.judgement import judge_value, rule_of
from seedream_testing.contract.relations.spellings import SPELLINGS, WORDS
from seedream_testing.contract.relations.texts import CHANGES
from tensorslab_images import limits
from tensorslab_images.limits import Field

ODD = ("", " ", "01", "+1", "1_0", "1.", "1.00", "1e0", "1e1", "1E+0", "-0", "15", "16", "0", "1" * 39, "1" * 40, "1" * 41,
       "1e9", "1__0", "0x1", "٣", "1.5", "\t7\n", "-1", "+-1", "15.0", "16.0", "0015")  # fmt: skip
SIZES = ("2560x1440", "2560x1439", "3686400x1", "3686399x1", "1x16777216", "1x16777217", "02560x1440", "2560x01440",
         "0x1", "x", f"{'9' * 40}x1", f"1x{'9' * 41}",  "9:16", "16:9", "09:16", "5:4", "2K", "2k", "02K", "8K",
         "9k", "2K ", "1:1\n", "１x１", "2048X2048", "2048x2048\n")  # fmt: skip

REASON = re.compile(
    "not a whole number|an empty value|another way to write a number|leading zeros|none of the three forms|too many pixels|"
    r"[0-9,]+ pixels|(.|\n)* is out of range however it is read|-?[0-9]+|missing|empty|given more than once|not UTF-8|"
    "not UTF-8, and the page names no encoding|the same value more than once|a file where text belongs|an empty file|"
    "a file without a file name|a field that the page does not name"
)


def forms(field: str, values: Any) -> list[list[Part]]:
    return [[text("prompt", "x"), text(field, value)] for value in values]


@pytest.mark.parametrize("field", ["batchsize", "resolution"])
def test_both_judges_agree_on_every_spelling(field: str) -> None:
    canonical = ["3", "10", "15", "16"] if field == "batchsize" else ["2048x2048", "2560x1440", "16:9", "2K"]
    values = [*ODD, *SIZES, *WORDS, *(spelling.spell(one) for one in canonical for spelling in SPELLINGS)]
    for parts in forms(field, values):
        found, typed = judge_form(parts), judge.form(parts)
        if typed.why == "another way to write a number":
            assert (found.legal, found.rule, found.meaning) == (None, typed.rule, typed.meaning), parts
        else:
            assert (found.legal, found.rule) == (typed.legal, typed.rule), parts
            assert found.legal or REASON.fullmatch(found.why), parts


def test_both_judges_agree_on_prompts_and_files() -> None:
    whole, file = text("prompt", "x"), Part("sourceImage", b"x", "a.png", "image/png")
    for parts in (
        [], [whole], [text("prompt", "")], [text("prompt", " \n\u3000")], [whole, whole], [whole, text("prompt", "y")],
        [Part("prompt", b"x", "a.txt")], [Part("prompt", b"\xff")], [whole, Part("category", b"\xff")],
        [whole, Part("batchsize", b"\xff")], [whole, Part("resolution", b"\xff")], [whole, text("x", "y")],
        [whole, file], [whole, file, file], [whole, Part("sourceImage", b"x")], [whole, Part("sourceImage", b"", "a")],
        [whole, text("batchsize", 2), text("batchsize", 2)], [whole, text("batchsize", 99), text("batchsize", 99)],
        [whole, text("batchsize", 2), text("batchsize", 3)], [text("x", "y")], [whole, text("batchsize", ""), text("x", "")],
        [whole, Part("batchsize", b"2", "a.txt")], *([whole, text("category", one.texts[0])] for one in CHANGES[:40]),
    ):  # fmt: skip
        found, typed = judge_form(parts), judge.form(parts)
        assert (found.legal, found.rule, found.meaning) == (typed.legal, typed.rule, typed.meaning), parts
        assert found.legal or (
            found.why and found.why.replace("UTF-8", "") == found.why.replace("UTF-8", "").lower()
        ), parts


def field(**keywords: Any) -> Field:
    return Field(**{"name": "x", "attribute": "x", "kind": "string", **keywords})


@pytest.mark.parametrize(
    ("spec", "legal", "illegal", "why"),
    [
        (field(enum=("a", 5)), ["a", "5"], ["b", "", "A"], "none of ('a', 5)"),
        (field(kind="integer", enum=(1, 2)), ["1", "2"], ["3"], "none of (1, 2)"),
        (field(min_length=2), ["ab", "灯塔"], ["a", ""], "{length} characters"),
        (field(max_length=3), ["abc", ""], ["abcd"], "{length} characters"),
        (field(required=True), ["a"], ["", " ", "\u3000"], "empty"),
        (field(), ["", " ", "a"], [], ""),
        (field(kind="integer", minimum=1, maximum=3), ["1", "3"], ["0", "4", "-1"], "{value}"),
        (field(kind="integer", exclusive_minimum=1, exclusive_maximum=4), ["2", "3"], ["1", "4"], "{value}"),
        (field(kind="integer", multiple_of=4), ["0", "4", "-8"], ["2", "6"], "{value}"),
        (field(kind="number", multiple_of=0.1), ["0.3", "0.7", "2"], ["0.35"], "{value}"),
        (field(kind="number", minimum=0.5), ["0.5", "1", "1.25"], ["0.4", "-1"], "{value}"),
        (field(kind="number"), ["1.5", "-0.5"], ["a", "1.5.2", ".5"], "not a number"),
        (field(kind="integer"), ["0", "7", "-7"], ["a", "1.5", "1,0", ""][:3], "not a whole number"),
        (field(kind="integer", maximum=9), ["9"], ["+10", "010", "1e1"], "{value} is out of range however it is read"),
    ],
    ids=lambda value: "",
)
def test_keywords_are_judged_at_their_bounds(spec: Field, legal: list[str], illegal: list[str], why: str) -> None:
    assert [judge_value(spec, value).legal for value in legal] == [True] * len(legal)
    for value in illegal:
        found = judge_value(spec, value)
        assert (found.legal, found.rule) == (False, "WIRE-EXACT")
        assert found.why == why.format(value=value, length=len(value))


@pytest.mark.parametrize(
    ("keywords", "count", "legal"),
    [({}, 2, False), ({"many": True}, 2, True), ({"many": True, "max_items": 2}, 2, True), ({"many": True, "max_items": 2}, 3, False),
     ({"many": True, "min_items": 2}, 2, True), ({"many": True, "min_items": 2}, 1, False), ({"required": True}, 0, False), ({}, 0, True)],
)  # fmt: skip
def test_counts_of_files_are_judged(
    monkeypatch: pytest.MonkeyPatch, keywords: dict[str, Any], count: int, legal: bool
) -> None:
    operation = type("Operation", (), {"fields": (field(kind="binary", **keywords),), "path": "/none"})
    monkeypatch.setattr("seedream_testing.contract.judgement._SUBMIT", operation)
    found = judge_form([Part("x", b"1", "a")] * count)
    assert found.legal is legal
    assert found.why == ("" if legal else f"{count} files" if count else "missing")


def test_values_of_a_list_are_judged_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    operation = type("Operation", (), {"fields": (field(kind="integer", many=True, maximum=3),), "path": "/none"})
    monkeypatch.setattr("seedream_testing.contract.judgement._SUBMIT", operation)
    assert judge_form([text("x", 1), text("x", 3)]).legal is True
    assert judge_form([text("x", 1), text("x", 1)]).legal is True
    assert judge_form([text("x", 1), text("x", 4)]).why == "4"
    assert judge_form([text("x", 1), text("x", "+3")]).meaning == "3"


def test_each_field_has_the_rule_that_speaks_about_it() -> None:
    assert {spec.name: rule_of(spec) for spec in limits.SUBMIT.fields} == dict(judge.FACTS.rules)
    assert rule_of(field(name="prompt2")) == rule_of(field(name="promp")) == "WIRE-EXACT"


def test_the_facts_of_the_tables_are_those_typed_by_hand() -> None:
    tables, typed = from_tables(), judge.FACTS
    for name in (
        "submit", "query", "delete", "auth_header", "auth_scheme", "success", "failure", "no_credits", "queued", "processing",
        "completed", "failed", "rules", "defaults", "least_pixels", "most_pixels",
    ):  # fmt: skip
        assert getattr(tables, name) == getattr(typed, name), name
    assert (set(tables.ratios), set(tables.tiers)) == (set(typed.ratios), set(typed.tiers))


def test_the_cases_of_the_tables_are_what_they_say() -> None:
    """Each has a verdict, both bounds are there, and what Python says is what the form says."""
    tables = from_tables()
    for cases, legal in ((tables.legal, True), (tables.illegal, False)):
        assert len({case.name for case in cases}) == len(cases)
        for case in cases:
            assert case.wire is not None
            verdict = judge.form(case.wire)
            assert verdict.legal is legal, case
            about = verdict.rule or judge.FACTS.rules.get(case.wire[-1].name) or ""
            assert case.rule == about or (case.rule, about[:4]) == ("RES-FORMAT", "RES-"), case
            for name, value in (case.options or {}).items():
                wire = {"image_url": "imageUrl", "source_images": "sourceImage"}.get(name, name)
                sent = [part.content for part in case.wire if part.name == wire]
                assert sent == (value if isinstance(value, list) else [str(value).encode()]), case
    values = {part.content.decode() for case in tables.legal for part in case.wire or () if not part.filename}
    assert {"1", "15", *tables.ratios, *tables.tiers, "3686400x1", "16777216x1", "4096x4096", "1920x1920"} <= values
    sizes = [case.size for case in tables.legal if case.size]
    assert sizes == [(3686400, 1), (1920, 1920), (16777216, 1), (4096, 4096)]
    outside = {part.content.decode() for case in tables.illegal for part in case.wire or ()}
    assert {"0", "16", "3686399x1", "16777217x1", "1:99", "99K", "big", "", " \n"} <= outside
    files = [part for case in tables.legal for part in case.wire or () if part.filename]
    assert [(part.filename, part.media_type) for part in files] == [("1.png", "image/png"), ("2.jpg", "image/jpeg")]
