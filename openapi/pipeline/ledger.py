"""The rule ledger (openapi/rules.yaml), and what was reviewed of the page (openapi/reviewed.yaml), as data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, cast, get_args

from .errors import BrokenInputs, check_form
from .prose import Fact, missing_facts
from .strict_yaml import dump_yaml

Standing = Literal["stated", "inferred", "contradicted"]
NAME: Final = "openapi/rules.yaml"
REVIEWED: Final = "openapi/reviewed.yaml"
REVIEWED_HEAD: Final = """\
# Kept by the pipeline; a person may add a line.
#   reviewed  whole texts of request and reply fields that a person has read, by language and place: sha256 of the text
#             without its folds. A text that is not listed stops the run. Written by `make generate SPEC=... ACCEPT=1`.
"""
_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
_FACT_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NEEDED: Final = {"at": str, "source": str, "summary": str}
_OPTIONAL: Final = {"source_zh": str, "summary_zh": str, "facts": dict, "mirrors": [str], "examples": {"*": [str]}}


@dataclass(frozen=True)
class Rule:
    """One row; the keys are explained at the top of the ledger."""

    id: str
    at: str
    standing: Standing
    source: str
    summary: str
    source_zh: str
    summary_zh: str
    sentences: Mapping[str, str]
    facts: Mapping[str, Fact]
    mirrors: tuple[str, ...]
    examples: Mapping[str, tuple[str, ...]]

    @property
    def from_page(self) -> bool:
        """Whether the page says it, so that it must be found there again."""
        return self.source == "page"

    @property
    def written(self) -> dict[str, Fact]:
        """Its facts and examples: what each of its sentences holds."""
        return {**self.facts, **{f"{key} example": value for key, value in self.examples.items()}}

    def row(self) -> dict[str, Any]:
        """Return the row as plain data, without the keys that it leaves out."""
        return {name: _plain(value) for name, value in vars(self).items() if value and name != "id"}

    def lines(self) -> tuple[str, ...]:
        """Return the row as it is written in the ledger."""
        return tuple(f"  {line}" for line in dump_yaml({self.id: self.row()}).splitlines())


@dataclass(frozen=True)
class Ledger:
    """All rows, and the digests of the descriptions that a person has read, by language and place."""

    rules: Mapping[str, Rule]
    reviewed: Mapping[str, Mapping[str, str]]


def parse(document: Any, reviewed: Any) -> Ledger:
    """Read the ledger from the content of the two files.

    Raises:
        BrokenInputs: One is malformed, or the sentence of a rule does not hold one of its facts or examples.
    """
    _check_keys(document, NAME, "rules")
    if not isinstance(document.get("rules"), dict) or not document["rules"]:
        raise BrokenInputs(f"{NAME} has no rules.")
    _check_keys(reviewed, REVIEWED, "reviewed")
    rules = {name: _rule(name, raw) for name, raw in document["rules"].items()}
    digests = reviewed.get("reviewed") or {}
    check_form(digests, {"*": {"*": str}}, f"{REVIEWED}, reviewed")
    return Ledger(rules, digests)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def reviewed_text(ledger: Ledger) -> bytes:
    """Return the text of reviewed.yaml for the ledger."""
    digests = {language: dict(texts) for language, texts in ledger.reviewed.items()}
    return (REVIEWED_HEAD + dump_yaml({"reviewed": digests})).encode()


def _check_keys(document: Any, name: str, key: str) -> None:
    if not isinstance(document, dict):
        raise BrokenInputs(f"{name} is not a mapping.")
    if unknown := sorted(set(document) - {key}):
        raise BrokenInputs(f"{name}: unknown key {unknown[0]!r}.")


def _rule(name: str, raw: Any) -> Rule:
    place = f"{NAME}, {name}"
    if not _ID.fullmatch(name):
        raise BrokenInputs(f"{place}: an id is upper-case words joined by dashes.")
    if not isinstance(raw, dict) or not {"at", "standing", "source", "summary"} <= set(raw):
        raise BrokenInputs(f"{place} needs at, standing, source and summary.")
    if unknown := sorted(set(raw) - ({field.name for field in fields(Rule)} - {"id"})):
        raise BrokenInputs(f"{place}: unknown key {unknown[0]!r}.")
    check_form(raw, _NEEDED, place)
    check_form({key: value for key, value in raw.items() if value is not None}, _OPTIONAL, place)
    if raw["standing"] not in get_args(Standing):
        raise BrokenInputs(f"{place}: standing is one of {', '.join(get_args(Standing))}.")
    texts = raw.get("sentences") or {}
    if not isinstance(texts, dict) or not all(isinstance(text, str) and text.strip() for text in texts.values()):
        raise BrokenInputs(f"{place}: sentences are text by language.")
    rule = Rule(
        name,
        raw["at"],
        raw["standing"],
        raw["source"],
        raw["summary"],
        raw.get("source_zh", ""),
        raw.get("summary_zh", ""),
        texts,
        {key: _fact(key, value, place) for key, value in (raw.get("facts") or {}).items()},
        tuple(raw.get("mirrors") or ()),
        {key: tuple(value) for key, value in (raw.get("examples") or {}).items()},
    )
    if rule.from_page != bool(rule.sentences):
        raise BrokenInputs(f"{place}: a rule has sentences if, and only if, its source is the page.")
    if set(rule.examples) - {"valid", "invalid"}:
        raise BrokenInputs(f"{place}: examples are valid or invalid.")
    for language, sentence in rule.sentences.items():
        if missing := missing_facts(sentence, rule.written):
            raise BrokenInputs(
                f"{place}: its {language} sentence does not hold the fact {missing[0]!r} as the row has it."
            )
    return rule


def _fact(name: str, value: Any, place: str) -> Fact:
    if not _FACT_NAME.fullmatch(name):
        raise BrokenInputs(f"{place}: {name!r} is not the lower-case name of a fact.")
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, (str, int, float)) for item in items):
        raise BrokenInputs(f"{place}: the fact {name} is a value or a list of values.")
    return tuple(items) if isinstance(value, list) else cast("Fact", value)
