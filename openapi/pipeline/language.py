"""Which edition (language) of the page a document is, and where its prose says what our rules say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from .flatten import Leaves
from .ledger import Ledger, Rule
from .prose import Fact, as_line, contains_quote, contains_value, missing_facts, normal, sentences, tokens

_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7af]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_PATH_LANGUAGE = re.compile(r"(?:^|\s)/([a-z]{2})(?:-[A-Za-z]{2,4})?/")
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
    known = next(iter(rule.sentences.values()), "")
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
    for kind, values in tokens(next(iter(rule.sentences.values()), "")).items():
        facts = [value for value in values if _is_fact(value, wanted)]
        if set(facts) == set(values) and (extra := [v for v in now.get(kind, []) if v not in values]):
            found.append(f"it also holds the {kind} {', '.join(extra)}")
    return found


def _is_fact(value: str, wanted: Mapping[str, Fact]) -> bool:
    return any(
        contains_value(value, item)
        for fact in wanted.values()
        for item in (fact if isinstance(fact, tuple) else (fact,))
    )
