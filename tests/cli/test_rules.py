"""`seedream rules` and `seedream explain`: sentence, facts, place, enforcement, tests; odd names get a hint."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from seedream.cli import rule_text
from seedream.cli.rules import _complete
from tensorslab_images import limits
from tensorslab_images.rules import RES_PIXELS_MINIMUM, RULES, Rule


def test_explains_every_rule() -> None:
    for name in RULES:
        rule = rule_text.find_rule(name)
        text = "\n".join(value for _, value in rule_text.explain(rule))
        for sentence in rule.sentences.values():
            assert sentence in text
        enforcing, testing = rule_text.files_that_name(rule)
        assert testing
        for path in (*enforcing, *testing):
            assert path in text
        assert json.loads(json.dumps(rule_text.as_data(rule)))["id"] == name
        assert name in dict(rule_text.overview())


def test_facts_and_what_the_sentence_repeats() -> None:
    batch = limits.SUBMIT.field("batchsize")
    assert rule_text.repeated(rule_text.find_rule("batch_range")) == {
        "minimum": batch.minimum,
        "maximum": batch.maximum,
    }
    rows = dict(rule_text.explain(rule_text.find_rule("res pixels")))
    assert (str(RES_PIXELS_MINIMUM), RULES["RES-PIXELS"].pointer) == (rows["fact minimum"], rows["place"])
    assert f"inferred ({RULES['AUTH-HEADER'].source})" == dict(rule_text.explain(RULES["AUTH-HEADER"]))["standing"]


@pytest.mark.parametrize(
    ("name", "hint"), [("RES-PIXEL", "RES-PIXELS"), ("prompt", "PROMPT-REQUIRED"), ("", "The rules are")]
)
def test_unknown_rules_get_a_hint(name: str, hint: str) -> None:
    with pytest.raises(click.UsageError, match=hint):
        rule_text.find_rule(name)


@given(st.text())
def test_any_name_is_found_or_refused(name: str) -> None:
    try:
        assert rule_text.find_rule(name).id in RULES
    except click.UsageError as error:
        message = str(error)
    else:
        message = ""
    assert len(message) < 600


# What the commands print.


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> Rule:
    """A rule with all that a rule can have, in place of the page's."""
    made = evolve(
        RULES["BATCH-RANGE"], id="MADE-UP", summary="One to fifteen.", standing="inferred", source="a letter",
        sentences={"en": "1 to 15", "zh": "1 到 15"}, facts={"least": 1, "values": ("a", "b")},
        examples={"valid": ("1", "15"), "invalid": ("16",)},
    )  # fmt: skip
    for module in ("rule_text", "rules"):
        monkeypatch.setattr(f"seedream.cli.{module}.RULES", {"MADE-UP": made})
    monkeypatch.setattr(
        rule_text, "_sources",
        lambda: [("overlay/seedream/a.py", "MADE-UP"), ("overlay/z.py", "MADE-UP"),
                 ("tests/b.py", "MADE_UP_LEAST"), ("overlay/c.py", "XMADE-UP"),
                 ("seedream_testing/d.py", "(MADE-UP)"), ("overlay/e.py", "MADE-UP-NOT")],
    )  # fmt: skip
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    return made


def test_a_rule_as_data_and_as_text(rule: Rule, cli: Any) -> None:
    data = {
        "id": "MADE-UP", "summary": "One to fifteen.", "standing": "inferred", "source": "a letter",
        "pointer": rule.pointer, "sentences": {"en": "1 to 15", "zh": "1 到 15"},
        "facts": {"least": 1, "values": ["a", "b"]}, "repeats": {"minimum": 1, "maximum": 15},
        "examples": {"valid": ["1", "15"], "invalid": ["16"]}, "enforced_by": ["overlay/seedream/a.py", "overlay/z.py"],
        "tested_by": ["tests/b.py", "seedream_testing/d.py"],
    }  # fmt: skip
    assert rule_text.as_data(rule) == data
    rows = [
        ("says", "One to fifteen."), ("standing", "inferred (a letter)"), ("place", rule.pointer),
        ("page (en)", "1 to 15"),
        ("page (zh)", "1 到 15"), ("fact least", "1"), ("fact values", "a, b"), ("fact minimum", "1"),
        ("fact maximum", "15"), ("valid examples", "1, 15"), ("invalid examples", "16"),
        ("enforced by", "overlay/seedream/a.py, overlay/z.py"), ("tested by", "tests/b.py, seedream_testing/d.py"),
    ]  # fmt: skip
    assert rule_text.explain(rule) == rows
    assert rule_text.summary_and_sentence("MADE-UP") == ("One to fifteen.", " ".join(rule.sentence.split()))
    assert rule_text.overview() == [("MADE-UP", "inferred     One to fifteen.")]
    assert cli("rules").out == "MADE-UP  inferred     One to fifteen.\n"
    assert cli("rules", "--json").document == {"rules": [data]}
    assert cli("explain", "made up", "--json").document == {"rules": [data]}
    text = cli("explain", "made-up", "MADE_UP").out
    width = max(len(label) for label, _ in rows) + 2
    once = "MADE-UP\n" + "".join(f"  {label:<{width}}{value}\n" for label, value in rows)
    assert text == f"{once}\n{once}"


def test_a_rule_of_which_little_is_known(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_text, "_sources", list)
    bare = evolve(rule, pointer="", facts={}, examples={}, sentences={}, mirrors=(), source="page")
    rows = dict(rule_text.explain(bare))
    assert (rows["place"], rows["enforced by"], rows["tested by"]) == (
        "nowhere in the spec", "nothing: it is supported, not enforced", "no test that names it",
    )  # fmt: skip
    assert rows["standing"] == "inferred (the vendor's page, zh edition vendored)"
    monkeypatch.setenv("SEEDREAM_LANG", "zh")
    assert rule_text.summary_and_sentence("MADE-UP") == ("1 到 15", "")
    monkeypatch.setattr(rule_text, "RULES", {"MADE-UP": bare})
    assert rule_text.summary_and_sentence("MADE-UP") == ("One to fifteen.", "")


def test_an_unknown_rule_is_a_usage_error_and_names_complete(cli: Any) -> None:
    ran = cli("explain", "RES-PIXELS", "RES-PIXEL")
    assert (ran.code, ran.out, "Did you mean RES-PIXELS" in ran.err) == (2, "", True)
    assert cli("explain").code == 2
    context, param = click.Context(click.Command("x")), click.Argument(["x"])
    assert _complete(context, param, "res-p") == ["RES-PIXELS"]
    assert len(_complete(context, param, "")) == len(RULES)


def test_in_an_installed_package_only_the_packages_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "overlay"  # the name by itself makes no checkout
    names = ["seedream/a.py", "seedream_sandbox/c.py", "seedream_testing/b.py"]
    for name in ("seedream/cli/rule_text.py", "tests/d.py", *names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    monkeypatch.setattr(rule_text, "__file__", str(folder / "seedream/cli/rule_text.py"))
    rule_text._sources.cache_clear()
    try:
        assert rule_text._sources() == [(name, name) for name in names]
    finally:
        rule_text._sources.cache_clear()


def test_the_sources_that_are_searched_are_those_of_the_packages_and_the_tests() -> None:
    names = [name for name, _ in rule_text._sources()]
    assert names == sorted(names) or len(names) > 100
    assert "overlay/seedream/client.py" in names
    assert "overlay/seedream_sandbox/__init__.py" in names
    assert "overlay/seedream_testing/__init__.py" in names
    assert "tests/facts.py" in names
    assert not [name for name in names if "/cli/" in name and name.startswith("overlay")]
    assert not [name for name in names if name.startswith(("tests/mutants/", "tests/pipeline/", "tests/page_edits"))]
