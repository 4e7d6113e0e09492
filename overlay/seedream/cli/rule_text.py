"""Tells about the rules: where each stands in the page, what it says, what enforces it, which tests guard it.

Plain functions over the generated ledger; the command line shows what they return.
"""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from typing import Any

from tensorslab_images.rules import LANGUAGE, RULES, Rule


class UnknownRule(LookupError):
    """No rule has that id; the message names the nearest ones."""


def rule_ids() -> tuple[str, ...]:
    """Ids of all rules, in the ledger's order."""
    return tuple(RULES)


def find_rule(name: str) -> Rule:
    """The rule with that id; case, spaces and underscores do not matter.

    Raises:
        UnknownRule: there is none.
    """
    wanted = "-".join(name.strip().upper().replace("_", "-").split())
    if wanted in RULES:
        return RULES[wanted]
    near = get_close_matches(wanted, RULES, n=3, cutoff=0.4) or [rule for rule in RULES if wanted and wanted in rule]
    hint = f"Did you mean {', '.join(near)}?" if near else f"The rules are {', '.join(RULES)}."
    raise UnknownRule(f"there is no rule {name.strip()[:60]!r}. {hint}")


def as_data(rule: Rule) -> dict[str, Any]:
    """The rule as plain data, ready for JSON."""
    return {
        "id": rule.id,
        "summary": rule.summary,
        "standing": rule.standing,
        "source": rule.source,
        "pointer": rule.pointer,
        "sentences": dict(rule.sentences),
        "facts": {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in rule.facts.items()},
        "repeats": repeated(rule),
        "examples": {name: list(values) for name, values in rule.examples.items()},
        "enforced_by": list(rule.enforced_by),
        "tested_by": list(rule.tested_by),
    }


def repeated(rule: Rule) -> dict[str, Any]:
    """The schema's values of the keywords that the rule's sentence only repeats."""
    node: Any = json.loads(files("tensorslab_images").joinpath("openapi.json").read_text("utf-8"))
    for part in rule.pointer.removesuffix("/description").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        node = node[int(key)] if isinstance(node, list) else node[key]
    return {key: node[key] for key in rule.mirrors if isinstance(node, Mapping) and key in node}


def explain(rule: Rule) -> str:
    """The rule as text, one thing a line."""
    facts = {**rule.facts, **repeated(rule)}
    rows = [
        ("says", rule.summary),
        ("standing", f"{rule.standing} ({_source(rule)})"),
        ("stands at", rule.pointer or "nowhere in the spec"),
    ]
    rows += [(f"in the page ({language})", sentence) for language, sentence in rule.sentences.items()]
    rows += [(f"fact {name}", _shown(fact)) for name, fact in facts.items()]
    rows += [(f"{name} examples", _shown(values)) for name, values in rule.examples.items()]
    rows += [("enforced by", _shown(rule.enforced_by) or "nothing: it is supported, not enforced")]
    rows += [("tested by", _shown(rule.tested_by) or "no test that names it")]
    width = max(len(label) for label, _ in rows)
    return "\n".join([rule.id, *(f"  {label.ljust(width)}  {text}" for label, text in rows)])


def overview() -> str:
    """All rules, one a line: id, standing, summary."""
    width = max(map(len, RULES))
    return "\n".join(f"{rule.id.ljust(width)}  {rule.standing.ljust(12)}  {rule.summary}" for rule in RULES.values())


def _source(rule: Rule) -> str:
    return f"the vendor's page, {LANGUAGE} edition vendored" if rule.source == "page" else rule.source


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
