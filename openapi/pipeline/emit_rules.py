"""Writes rules.py: the ledger as Python, one typed constant a fact."""

from typing import Final

from .ledger import Ledger, Rule
from .prose import Fact
from .spec import Json, described, locate

HEAD: Final = '''"""What the vendor's page says only in prose, as data: the rule ledger.

`RULES` holds one row a rule; each fact of a rule is a constant of its own, named after the rule and the fact.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from attrs import frozen

Scalar = str | int | float | bool
Fact = Scalar | tuple[Scalar, ...]


@frozen(kw_only=True, eq=False, repr=False)
class Rule:
    """One rule.

    Attributes:
        id: what error messages call it.
        pointer: JSON pointer into the effective spec (openapi.json beside this module).
        sentences: the vendor's exact words, by language of the page's edition; none when the page does not say it.
        summary: the rule in one English sentence of our own.
        standing: "stated" rules are enforced; others are supported or warned about, never enforced silently.
        source: "page", or where else it is known from.
        facts: numbers and lists in the sentence.
        mirrors: schema keywords that the sentence only repeats; they are enforced from `limits`.
        examples: the sentence's own, under "valid" and "invalid".
    """

    id: str
    pointer: str
    sentences: Mapping[str, str]
    summary: str
    standing: Literal["stated", "inferred", "contradicted"]
    source: str
    facts: Mapping[str, Fact]
    mirrors: tuple[str, ...]
    examples: Mapping[str, tuple[str, ...]]

    @property
    def sentence(self) -> str:
        """The vendor's words in the vendored edition, or the summary when they do not come from the page."""
        return self.sentences.get(LANGUAGE, self.summary)


'''


def emit_rules(document: Json, ledger: Ledger, submit: str, language: str) -> str:
    """Return the text of rules.py for the effective spec, and the language of the vendored edition."""
    constants = "".join(
        f"{constant(rule.id, name)}: Final[{_annotation(fact)}] = {fact!r}\n"
        for rule in ledger.rules.values()
        for name, fact in rule.facts.items()
    )
    rows = "".join(f"    {rule.id!r}: {_row(document, rule, submit)},\n" for rule in ledger.rules.values())
    return (
        f"{HEAD}LANGUAGE: Final = {language!r}\n"
        f'"""Language of the vendored edition of the page."""\n\n{constants}\n'
        f"RULES: Final[Mapping[str, Rule]] = MappingProxyType({{\n{rows}}})\n"
    )


def constant(rule: str, fact: str) -> str:
    """Return the name of the constant that holds a fact."""
    return f"{rule}_{fact}".replace("-", "_").upper()


def _annotation(fact: Fact) -> str:
    if isinstance(fact, tuple):
        kinds = sorted({type(value).__name__ for value in fact})
        return f"tuple[{' | '.join(kinds)}, ...]"
    return type(fact).__name__


def _row(document: Json, rule: Rule, submit: str) -> str:
    facts = "".join(f"{name!r}: {constant(rule.id, name)}, " for name in rule.facts)
    return (
        f"Rule(id={rule.id!r}, pointer={place_of(document, rule, submit)!r}, sentences={_mapping(rule.sentences)},"
        f" summary={rule.summary!r}, standing={rule.standing!r}, source={rule.source!r},"
        f" facts=MappingProxyType({{{facts}}}), mirrors={rule.mirrors!r}, examples={_mapping(rule.examples)})"
    )


def _mapping(value: object) -> str:
    return f"MappingProxyType({dict(value)!r})"  # type: ignore[call-overload]


def place_of(document: Json, rule: Rule, submit: str) -> str:
    """Return the JSON pointer of the rule's description, or of what the rule is about; empty when that is gone."""
    at = locate(document, submit, rule.at)
    if at is None:
        return ""
    return (described(document, at) or at).where
