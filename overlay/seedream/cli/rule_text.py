"""Explain the rules: where each is in the page, what it says, which files enforce and test it.

Plain functions over the generated ledger; the command line shows what they return.
"""

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
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
    enforced_by, tested_by = files_that_name(rule)
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
        "enforced_by": enforced_by,
        "tested_by": tested_by,
    }


def files_that_name(rule: Rule) -> tuple[list[str], list[str]]:
    """Return the files that enforce a rule and those that test it: they name the rule or one of its facts.

    They are looked for in the installed packages and, in a source checkout, in its tests.
    """
    facts = (f"{rule.id}_{fact}".replace("-", "_").upper() for fact in rule.facts)
    words = "|".join(map(re.escape, (rule.id, *facts)))
    pattern = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])")
    found = [name for name, text in _sources() if pattern.search(text)]
    testing = [name for name in found if name.startswith("tests/") or "seedream_testing/" in name]
    return [name for name in found if name not in testing], testing


@cache
def _sources() -> list[tuple[str, str]]:
    packages = Path(__file__).parents[2]
    is_checkout = packages.name == "overlay" and (packages.parent / "openapi" / "rules.yaml").is_file()
    root = packages.parent if is_checkout else packages
    folders = [packages / name for name in ("seedream", "seedream_sandbox", "seedream_testing")]
    folders += [root / "tests"] if is_checkout else []
    paths = sorted(path for folder in folders for path in folder.rglob("*.py"))
    named = ((path.relative_to(root).as_posix(), path) for path in paths)
    others = re.compile(r"(^|/)(seedream/cli|tests/mutants|tests/pipeline)/|^tests/page_edits")
    return [(name, path.read_text("utf-8")) for name, path in named if not others.search(name)]


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
    enforced_by, tested_by = files_that_name(rule)
    rows = [
        ("says", rule.summary),
        ("standing", f"{rule.standing} ({_source(rule)})"),
        ("stands at", rule.pointer or "nowhere in the spec"),
    ]
    rows += [(f"in the page ({language})", sentence) for language, sentence in rule.sentences.items()]
    rows += [(f"fact {name}", _shown(fact)) for name, fact in facts.items()]
    rows += [(f"{name} examples", _shown(values)) for name, values in rule.examples.items()]
    rows += [("enforced by", ", ".join(enforced_by) or "nothing: it is supported, not enforced")]
    rows += [("tested by", ", ".join(tested_by) or "no test that names it")]
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
