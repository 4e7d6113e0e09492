"""Which edition (language) of the page a document is, and where its prose says what our rules say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final

from .flatten import Leaves
from .ledger import Ledger, Rule
from .prose import (
    CJK,
    KINDS,
    Fact,
    Scalar,
    as_line,
    contains_quote,
    contains_value,
    missing_facts,
    normal,
    sentences,
    strip_end,
    tokens,
)

_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_PATH_LANGUAGE = re.compile(r"(?:^|\s)/([a-z]{2})(?:-[A-Za-z]{2,4})?/")

# The kinds of facts as parts of a pattern, the longest form of each first.
_FORMS: Final = {
    "size": r"\d+ ?[x×*] ?\d+",
    "ratio": r"\d+:\d+",
    "tier": r"\d+K",
    "number": r"\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?",
}
_TOKEN = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in _FORMS.items()), re.ASCII)
_BETWEEN: Final = r"\s*(?:[、,，/;；]|和|或|and\b|or\b)\s*(?:(?:and\b|or\b)\s*)?"
_BESIDE = re.compile(rf"(?<=[{CJK}])|(?=[{CJK}])")
_MOST_VALUES: Final = 200  # of a list, so that the time to look for one grows only with the text
WINDOW: Final = 3
LONGEST: Final = 1000  # characters of a sentence that are compared
MOST: Final = 40  # sentences of one text that are compared closely


def prose_at(leaves: Leaves, place: str) -> str:
    """Return all prose at a place as one block."""
    return "\n".join(leaf.value for name, leaf in leaves.items() if name.place == place and leaf.is_prose(name.key))


def language_of(leaves: Leaves, ledger: Ledger, fence: str) -> str:
    """Return the code of the document's language: by the sentences that it holds, else by script and address."""
    rows = [rule for rule in ledger.rules.values() if rule.from_page]
    best, most = "", 0
    for language in sorted({lang for rule in rows for lang in rule.sentences}):
        found = sum(
            contains_quote(prose_at(leaves, rule.at), rule.sentences[language])
            for rule in rows
            if language in rule.sentences
        )
        if found > most:
            best, most = language, found
    return best if most * 2 >= len(rows) > 0 else _by_script(leaves, fence)


def _by_script(leaves: Leaves, fence: str) -> str:
    text = "".join(
        leaf.value for name, leaf in leaves.items() if leaf.side in ("request", "reply") and leaf.is_prose(name.key)
    )
    hint = _PATH_LANGUAGE.search(fence)
    if _KANA.search(text):
        return "ja"
    for pattern, language in ((_HANGUL, "ko"), (_HAN, "zh"), (_CYRILLIC, "ru")):
        if len(pattern.findall(text)) * 4 > len(_LATIN.findall(text)):
            return language
    return hint[1] if hint and hint[1] not in ("ja", "ko", "zh", "ru") else "en"


@dataclass(frozen=True)
class Match:
    """What a document says where a rule stood."""

    sentence: str  # the words (empty when nothing is there)
    problems: tuple[str, ...]  # how its numbers and lists differ from the rule's facts; empty when they are equal
    blocking: tuple[str, ...]  # those of them that no schema settles


def match(rule: Rule, leaves: Leaves, mirrored: Mapping[str, Fact]) -> Match:
    """Return the sentence at the rule's place that fits its facts best, and among equals is most like the old one.

    `mirrored` holds the schema's own values of the keywords that the rule's sentence repeats.
    """
    known = next(iter(rule.sentences.values()))
    candidates = _windows(_nearest(sentences(prose_at(leaves, rule.at)), known))
    if not candidates:
        return Match("", ("nothing is said there",), ("nothing is said there",))
    wanted = {**rule.written, **mirrored}

    def rank(index: int) -> tuple[int, int, float, int]:
        text = candidates[index]
        likeness = SequenceMatcher(None, normal(known), normal(text)[:LONGEST], autojunk=False).ratio()
        return (len(missing_facts(text, wanted)), len(_differences(rule, text, mirrored)), -likeness, len(text))

    best = candidates[min(range(len(candidates)), key=rank)]
    best = re.sub(r"^[-*•] +", "", best)  # without the mark of a list
    return Match(best, tuple(_differences(rule, best, mirrored)), tuple(_differences(rule, best, {})))


def _nearest(parts: list[str], known: str) -> list[str]:
    """Return the sentences in order; of very many, only those that share most characters with the known one."""
    if len(parts) <= MOST:
        return parts
    shared = [len(set(known) & set(part)) for part in parts]
    best = sorted(range(len(parts)), key=lambda index: -shared[index])[:MOST]
    return [parts[index] for index in sorted(best)]


def _windows(parts: list[str]) -> list[str]:
    return [
        " ".join(parts[start : start + size]) for size in range(1, WINDOW + 1) for start in range(len(parts) - size + 1)
    ]


def _differences(rule: Rule, text: str, mirrored: Mapping[str, Fact]) -> list[str]:
    """Return how the facts of a text differ from the rule's, for each kind of fact that the rule's sentence holds."""
    wanted = {**rule.written, **mirrored}
    found = [f"{name} ({as_line(wanted[name])}) is not there" for name in missing_facts(text, wanted)]
    now = tokens(text)
    items = [item for fact in wanted.values() for item in (fact if isinstance(fact, tuple) else (fact,))]
    for kind, values in tokens(next(iter(rule.sentences.values()))).items():
        all_facts = all(any(contains_value(value, item) for item in items) for value in values)
        if all_facts and (extra := [v for v in now.get(kind, []) if v not in values]):
            found.append(f"it also holds the {kind} {', '.join(extra)}")
    return found


def reread_facts(rule: Rule, sentence: str, text: str) -> Rule | None:
    """Return the rule with the facts of the new text; None when more than they changed, or one is not certain.

    The old sentence becomes a pattern in which every size, ratio, tier and number may be another one, and a list longer
    or shorter. Where the new text fits it, each fact is read from the place of the old one; nothing is guessed.
    """
    pattern, groups = _with_groups(normal(sentence))
    found = list(re.finditer(pattern, " ".join(text.split()), re.ASCII))
    if len(found) != 1:
        return None
    values = [re.finditer(_FORMS[kind], found[0][f"g{index}"], re.ASCII) for index, (kind, _) in enumerate(groups)]
    news = [[value[0] for value in group] for group in values]
    olds = [old for _, old in groups]
    facts: dict[str, Fact] = {}
    for name, fact in rule.facts.items():
        value = _carried(fact, olds, news)
        if value is None:
            return None
        facts[name] = value
    examples: dict[str, tuple[str, ...]] = {}
    for name, written in rule.examples.items():
        carried = [_carried(value, olds, news) for value in written]
        if any(value is None for value in carried):
            return None
        examples[name] = tuple(str(value) for value in carried)
    return replace(rule, facts=facts, examples=examples)


def other_statements(sentence: str, text: str) -> list[str]:
    """Return what differs from the sentence in nothing but its numbers and lists."""
    pattern, _ = _with_groups(strip_end(sentence))
    found = [one[0] for one in re.finditer(pattern, " ".join(text.split()), re.ASCII)]
    return [words for words in found if tokens(words) != tokens(sentence)]


def _with_groups(sentence: str) -> tuple[str, list[tuple[str, list[str]]]]:
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
            pieces += [_loose(gap), f"(?P<g{len(groups)}>(?<![0-9]){one}(?:{_BETWEEN}{one}){{0,{_MOST_VALUES}}})"]
            groups.append((kind, [token[0]]))
        end = token.end()
    pieces.append(_loose(sentence[end:]))
    return "".join(pieces), groups


def _loose(text: str) -> str:
    """Return the text as a pattern that allows spaces at its beginning and beside CJK characters."""
    return r"\s*".join(["", *map(re.escape, _BESIDE.split(text))])


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
