"""Reads the new facts out of a sentence that changed nothing but its facts.

The old sentence becomes a pattern in which every size, ratio, tier and number may be another one, and a list longer or
shorter. Where the new text fits it, each fact is read from the place of the old one; nothing is guessed.
"""

import re
from dataclasses import replace
from typing import Final

from .ledger import Rule
from .prose import CJK, KINDS, Fact, Scalar, normal

_FORMS: Final = {
    "size": r"\d+ ?[x×*] ?\d+",
    "ratio": r"\d+:\d+",
    "tier": r"\d+K",
    "number": r"\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?",
}
_TOKEN = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in _FORMS.items()), re.ASCII)
_BETWEEN: Final = r"\s*(?:[、,，/;；]|和|或|and\b|or\b)\s*(?:and\b|or\b)?\s*"
_BESIDE = re.compile(rf"(?<=[{CJK}])|(?=[{CJK}])")


def reread_facts(rule: Rule, sentence: str, text: str) -> Rule | None:
    """Return the rule with the facts of the new text; None when more than they changed, or one is not certain."""
    pattern, groups = _pattern(normal(sentence))
    found = list(re.finditer(pattern, " ".join(text.split())))
    if len(found) != 1:
        return None
    news = [_values(group, found[0][f"g{index}"]) for index, (group, _) in enumerate(groups)]
    olds = [old for _, old in groups]
    facts: dict[str, Fact] = {}
    for name, fact in rule.facts.items():
        value = _carried(fact, olds, news)
        if value is None:
            return None
        facts[name] = value
    examples: dict[str, tuple[str, ...]] = {}
    for name, values in rule.examples.items():
        carried = [_carried(value, olds, news) for value in values]
        if any(value is None for value in carried):
            return None
        examples[name] = tuple(str(value) for value in carried)
    return replace(rule, facts=facts, examples=examples)


def _pattern(sentence: str) -> tuple[str, list[tuple[str, list[str]]]]:
    """Return the pattern, and for each of its groups the kind and the old values in it."""
    pieces: list[str] = []
    groups: list[tuple[str, list[str]]] = []
    end = 0
    for token in _TOKEN.finditer(sentence):
        kind = str(token.lastgroup)
        gap = sentence[end : token.start()]
        if groups and groups[-1][0] == kind and re.fullmatch(_BETWEEN, gap):
            groups[-1][1].append(token[0])
        else:
            one = f"(?:{_FORMS[kind]})"
            pieces += [_loose(gap), f"(?P<g{len(groups)}>{one}(?:{_BETWEEN}{one})*)"]
            groups.append((kind, [token[0]]))
        end = token.end()
    pieces.append(_loose(sentence[end:]))
    return "".join(pieces), groups


def _loose(text: str) -> str:
    """Return the text as a pattern that allows spaces beside CJK characters."""
    return "".join(r"\s*" if not part else re.escape(part) for part in _spread(text))


def _spread(text: str) -> list[str]:
    found: list[str] = []
    for part in _BESIDE.split(text):
        found += ["", part] if part else [""]
    return [*found, ""] if text and re.match(rf"[{CJK}]", text[-1]) else found


def _values(kind: str, text: str) -> list[str]:
    return [match[0] for match in re.finditer(_FORMS[kind], text, re.ASCII)]


def _scalar(text: str, like: Scalar) -> Scalar | None:
    if isinstance(like, str):
        if KINDS["size"].fullmatch(text):
            return re.sub(r" ?[x×*] ?", "x", text)
        return text if any(pattern.fullmatch(text) for pattern in KINDS.values()) else None
    digits = text.replace(",", "")
    if not re.fullmatch(r"\d+(\.\d+)?", digits, re.ASCII):
        return None
    return float(digits) if "." in digits else int(digits)


def _carried(fact: Fact, olds: list[list[str]], news: list[list[str]]) -> Fact | None:
    """Return the new value at the place of the old one; None when places disagree or there is none."""
    candidates: set[Fact] = set()
    for old, new in zip(olds, news, strict=True):
        if isinstance(fact, tuple):
            if [_scalar(text, fact[0]) for text in old] == list(fact):
                values = [_scalar(text, fact[0]) for text in new]
                candidates.add(tuple(value for value in values if value is not None))
        elif len(old) == len(new):
            for before, after in zip(old, new, strict=True):
                value = _scalar(after, fact)
                if _scalar(before, fact) == fact and value is not None:
                    candidates.add(value)
    return candidates.pop() if len(candidates) == 1 else None
