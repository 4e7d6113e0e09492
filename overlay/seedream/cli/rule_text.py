"""The rules as text: what each says, where the page says it, what enforces it and which tests guard it."""

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
from rich.cells import cell_len
from tensorslab_images.rules import LANGUAGE, RULES, Rule

from seedream.cli.language import is_chinese, tr, translate


def find_rule(name: str) -> Rule:
    """Return the rule with that id; case, spaces and underscores do not matter.

    Raises:
        click.UsageError: No rule has this id; the message names the nearest ones.
    """
    wanted = "-".join(name.strip().upper().replace("_", "-").split())
    if wanted in RULES:
        return RULES[wanted]
    near = get_close_matches(wanted, RULES, n=3, cutoff=0.4) or [rule for rule in RULES if wanted and wanted in rule]
    said = tr("Did you mean {rules}?" if near else "The rules are {rules}.", rules=", ".join(near or RULES))
    raise click.UsageError(tr("there is no rule {name}. {hint}", name=repr(name.strip()[:60]), hint=said))


def summary_and_sentence(rule: str) -> tuple[str, str]:
    """Return the summary of a rule in the user's language, and the vendor's sentence where it says something else.

    A rule that a later page adds may have no Chinese summary: then the page's Chinese sentence is its summary.
    """
    known = RULES.get(rule)
    if known is None:
        return "", ""
    sentence = " ".join(known.sentence.split())
    if is_chinese():
        chinese = " ".join(known.sentences.get("zh", "").split())
        return (chinese or translate(known.summary)), ""
    return known.summary, "" if sentence == known.summary else sentence


def as_data(rule: Rule) -> dict[str, Any]:
    """Return the rule as plain data, ready for JSON."""
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
    """Return the schema's values of the keywords that the rule's sentence only repeats."""
    node: Any = json.loads(files("tensorslab_images").joinpath("openapi.json").read_text("utf-8"))
    for part in rule.pointer.removesuffix("/description").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        node = node[int(key)] if isinstance(node, list) else node[key]
    return {key: node[key] for key in rule.mirrors if isinstance(node, Mapping) and key in node}


def explain(rule: Rule) -> list[tuple[str, str]]:
    """Return what is known of the rule, as labels and texts."""
    facts = {**rule.facts, **repeated(rule)}
    summary, _ = summary_and_sentence(rule.id)
    enforced_by, tested_by = files_that_name(rule)
    page = tr("the vendor's page, {language} edition vendored", language=LANGUAGE)
    source = page if rule.source == "page" else translate(rule.source)
    rows = [
        (tr("says"), summary),
        (tr("standing"), tr("{standing} ({source})", standing=translate(rule.standing), source=source)),
        (tr("place"), rule.pointer or tr("nowhere in the spec")),
    ]
    rows += [(tr("page ({language})", language=language), text) for language, text in rule.sentences.items()]
    rows += [(tr("fact {name}", name=name), _joined(fact)) for name, fact in facts.items()]
    rows += [(tr("{name} examples", name=translate(name)), _joined(values)) for name, values in rule.examples.items()]
    rows += [(tr("enforced by"), ", ".join(enforced_by) or tr("nothing: it is supported, not enforced"))]
    rows += [(tr("tested by"), ", ".join(tested_by) or tr("no test that names it"))]
    return rows


def overview() -> list[tuple[str, str]]:
    """Return all rules: the id, and the standing and summary."""
    return [
        (rule.id, f"{pad(translate(rule.standing), 13)}{summary_and_sentence(rule.id)[0]}") for rule in RULES.values()
    ]


def pad(text: str, width: int) -> str:
    """Return the text filled with blanks to so many terminal cells."""
    return text + " " * max(width - cell_len(text), 0)


def _joined(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
