"""The facts typed by hand equal the generated tables (every rule of the ledger); a difference names its line."""

from pathlib import Path
from unittest.mock import patch

import attrs
import compared
import facts
import pytest
from tensorslab_images import limits, rules

LINES = Path(facts.__file__).read_text("utf-8").splitlines()

BEFORE = [str(one) for one in compared.differences()]


def news() -> list[compared.Difference]:
    return [one for one in compared.differences() if str(one) not in BEFORE]


def test_every_fact_is_what_the_spec_says() -> None:
    assert [] == BEFORE


@pytest.mark.parametrize("name", facts.SCHEMA)
def test_a_changed_field_names_its_line(name: str) -> None:
    fields = [attrs.evolve(f, max_length=7) if f.name == name else f for f in limits.SUBMIT.fields]
    with patch.object(limits, "SUBMIT", attrs.evolve(limits.SUBMIT, fields=tuple(fields))):
        (found,) = news()
    assert LINES[found.line - 1].startswith(f'    "{name}": ("{found.rule}"')
    assert "max_length is None here, 7 in the spec" in str(found)


@pytest.mark.parametrize("name", facts.LEDGER)
def test_a_changed_rule_names_its_line(name: str) -> None:
    changed = {**rules.RULES, name: attrs.evolve(rules.RULES[name], facts={"pages": 3})}
    with patch.object(rules, "RULES", changed):
        (found,) = news()
    assert (LINES[found.line - 1].startswith(f'    "{name}": ('), found.rule) == (True, name)
    assert "pages is None here, 3 in the spec" in str(found)


def test_a_new_field_and_one_that_is_gone_are_reported() -> None:
    dpi = limits.Field(name="dpi", attribute="dpi", kind="integer", minimum=0)
    fields = (*(field for field in limits.SUBMIT.fields if field.name != "category"), dpi)
    with patch.object(limits, "SUBMIT", attrs.evolve(limits.SUBMIT, fields=fields)):
        gone, new = news()
    assert '    "category"' in LINES[gone.line - 1]
    assert "take the line out" in gone.text
    assert LINES[new.line - 1] == "}"
    assert "field dpi is new in the spec: add a line with {'kind': 'integer', 'minimum': 0}." in new.text


def test_a_rule_that_is_gone_or_new_is_reported_and_so_are_its_examples() -> None:
    gone = {name: row for name, row in rules.RULES.items() if name != "RES-EXAMPLES"}
    row = attrs.evolve(rules.RULES["RES-TIER"], examples={"valid": ("2K",)})
    with patch.object(rules, "RULES", {**gone, "RES-TIER": row, "RES-NEW": row}):
        messages = [str(one).partition(": ")[2] for one in news()]
    assert 5 == len(messages)
    assert sum("rule RES-EXAMPLES is in the spec no more" in one for one in messages) == 1
    assert sum("examples of RES-EXAMPLES is in the spec no more" in one for one in messages) == 1
    assert sum("rule RES-NEW is new in the spec" in one for one in messages) == 1
    assert (
        sum("examples of RES-TIER is new in the spec: add a line with {'valid': ('2K',)}" in one for one in messages)
        == 1
    )


def test_another_server_names_its_line() -> None:
    with patch.object(limits, "SERVER", "https://b.example"):
        (found,) = news()
    assert (LINES[found.line - 1], found.rule) == (f'SERVER = "{facts.SERVER}"', "KEY-PRIVATE")
