"""`seedream rules` and `seedream explain`: sentence, facts, place, enforcement, tests; odd names get a hint."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream import _explain
from tensorslab_images.rules import RULES


def test_explains_every_rule() -> None:
    for name in _explain.rule_ids():
        rule = _explain.find_rule(name)
        text = _explain.explain(rule)
        assert text.startswith(name)
        for sentence in rule.sentences.values():
            assert sentence in text
        for path in (*rule.enforced_by, *rule.tested_by):
            assert path in text
        assert json.loads(json.dumps(_explain.as_data(rule)))["id"] == name
        assert name in _explain.overview()


def test_facts_and_what_the_sentence_repeats() -> None:
    assert "fact minimum      3686400" in _explain.explain(_explain.find_rule("res pixels"))
    assert _explain.repeated(_explain.find_rule("batch_range")) == {"minimum": 1, "maximum": 15}
    assert "stands at         /paths/~1v1~1images~1seedreamv45/post/" in _explain.explain(RULES["RES-PIXELS"])
    assert "inferred (the vendor's own sample code)" in _explain.explain(RULES["AUTH-HEADER"])


@pytest.mark.parametrize(
    ("name", "hint"), [("RES-PIXEL", "RES-PIXELS"), ("prompt", "PROMPT-REQUIRED"), ("", "The rules are")]
)
def test_unknown_rules_get_a_hint(name: str, hint: str) -> None:
    with pytest.raises(_explain.UnknownRule, match=hint):
        _explain.find_rule(name)


@given(st.text())
def test_any_name_is_found_or_refused(name: str) -> None:
    try:
        assert _explain.find_rule(name).id in RULES
    except _explain.UnknownRule as error:
        told = str(error)
    else:
        told = ""
    assert len(told) < 600
