"""Writes rows of the ledger as they must be in openapi/rules.yaml, to be copied from the report."""

from typing import Any

from .ledger import Rule
from .reread_facts import RereadFacts
from .strict_yaml import dump_yaml


def stated_row(rule: Rule, language: str, sentence: str, reread: RereadFacts | None = None) -> tuple[str, ...]:
    """Return the row as it must be in the ledger once the sentence is taken."""
    facts = reread.facts if reread else rule.facts
    examples = reread.examples if reread else rule.examples
    kept = {} if facts != rule.facts else rule.sentences  # words in other languages hold the old facts
    row: dict[str, Any] = {
        "at": rule.at,
        "standing": rule.standing,
        "source": rule.source,
        "summary": rule.summary,
        "sentences": {**kept, language: sentence},
    }
    if facts:
        row["facts"] = {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in facts.items()}
    if rule.mirrors:
        row["mirrors"] = list(rule.mirrors)
    if examples:
        row["examples"] = {name: list(values) for name, values in examples.items()}
    return _as_lines(rule.id, row)


def inferred_row(rule: Rule) -> tuple[str, ...]:
    """Return the row of a rule whose facts the page's words no longer hold."""
    row: dict[str, Any] = {
        "at": rule.at,
        "standing": "inferred",
        "source": "earlier editions of the page",
        "summary": rule.summary,
    }
    if rule.facts:
        row["facts"] = {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in rule.facts.items()}
    if rule.mirrors:
        row["mirrors"] = list(rule.mirrors)
    if rule.examples:
        row["examples"] = {name: list(values) for name, values in rule.examples.items()}
    return _as_lines(rule.id, row)


def _as_lines(rule: str, row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"  {line}" for line in dump_yaml({rule: row}).splitlines())
