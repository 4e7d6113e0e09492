"""`seedream rules` and `seedream explain`: sentence, facts, place, enforcement, tests; odd names get a hint."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream.cli import rule_text
from tensorslab_images import limits
from tensorslab_images.rules import RES_PIXELS_MINIMUM, RULES


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
    with pytest.raises(rule_text.UnknownRule, match=hint):
        rule_text.find_rule(name)


@given(st.text())
def test_any_name_is_found_or_refused(name: str) -> None:
    try:
        assert rule_text.find_rule(name).id in RULES
    except rule_text.UnknownRule as error:
        message = str(error)
    else:
        message = ""
    assert len(message) < 600
