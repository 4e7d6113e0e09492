"""Prose as data: normal form, sentences, and the numbers and words in it."""

import hashlib
import re
import unicodedata
from typing import Final

Scalar = str | int | float | bool
Fact = Scalar | tuple[Scalar, ...]

# Where a sentence ends: CJK stops and any line break; a Latin stop only before a space, and not in e.g. or i.e.
_END = re.compile(r"(?<=[。！？])|(?<=[.!?])(?<!\be\.g\.)(?<!\bi\.e\.)\s+(?=\S)|\s*\n\s*", re.IGNORECASE)
CJK: Final = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\u3000-\u303f"
_CJK_GAP = re.compile(rf"(?<=[{CJK}])\s+|\s+(?=[{CJK}])")
_NUMBER = re.compile(
    r"(?<![\w.])\d{1,3}(?:[,\u202f\u00a0 ]\d{3})+(?![\w])|(?<![A-Za-z_\d])(?<!\d\.)\d+(?:\.\d+)?(?![A-Za-z_\d])"
)


# The kinds of written facts: how each looks in prose.
KINDS: Final = {
    "size": re.compile(r"(?<![\w,.])\d+ ?[x×*] ?\d+(?![\w])", re.ASCII),
    "ratio": re.compile(r"(?<![\w:])\d+:\d+(?![\w:])", re.ASCII),
    "tier": re.compile(r"(?<![A-Za-z\d])\d+K(?![A-Za-z\d])", re.ASCII),
}


def normal(text: str) -> str:
    """Return the text as NFC, with one space for any run of space, and none beside a CJK character."""
    return _CJK_GAP.sub("", " ".join(unicodedata.normalize("NFC", text).split()))


def strip_end(text: str) -> str:
    """Return the normal form without the stop at its end, which a sentence may get or lose with a neighbour."""
    return normal(text).rstrip("。．.！!；;")


def digest(text: str) -> str:
    """sha256 of the normal form, in hexadecimal."""
    return hashlib.sha256(normal(text).encode()).hexdigest()


def sentences(text: str) -> list[str]:
    """Return the sentences of a description, each on one line, with list marks; compare them by `normal`."""
    return [found for part in _END.split(re.sub(r"[^\S\n]+", " ", text)) if (found := " ".join(part.split()))]


def added_sentences(text: str, old: str) -> list[str]:
    """Return the sentences of a text that the old one does not have, in order."""
    had = {strip_end(sentence) for sentence in sentences(old)}
    return [sentence for sentence in sentences(text) if strip_end(sentence) not in had]


def contains_quote(text: str, quote: str) -> bool:
    """Whether the description holds the quoted words, not as a piece of a longer word or number."""
    words = normal(quote)
    before = r"(?<![0-9A-Za-z])" if words[:1].isascii() and words[:1].isalnum() else ""
    after = r"(?![0-9A-Za-z]|[.,]\d)" if words[-1:].isascii() and words[-1:].isalnum() else ""
    return re.search(before + re.escape(words) + after, normal(text)) is not None


def numbers(text: str) -> list[int | float]:
    """Return the numbers in the text, in order. Thousands marks and full-width digits are read; sizes are left out."""
    found: list[int | float] = []
    for match in _NUMBER.finditer(unicodedata.normalize("NFKC", text)):
        digits = re.sub(r"[,\u202f\u00a0 ]", "", match[0])
        found.append(float(digits) if "." in digits else int(digits))
    return found


def contains_value(text: str, value: Scalar) -> bool:
    """Whether the text holds this number or word."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value in numbers(text)
    for kind, pattern in KINDS.items():
        if pattern.fullmatch(str(value)):
            return str(value) in tokens(text).get(kind, [])
    return contains_quote(unicodedata.normalize("NFKC", text), unicodedata.normalize("NFKC", str(value)))


def tokens(text: str) -> dict[str, list[str]]:
    """Return the facts in prose by kind, in order: sizes, ratios, tiers, and the other numbers."""
    # NFKC would make a comma of thousands of this one.
    plain = unicodedata.normalize("NFKC", re.sub(r"，(?=\d+ ?[x×*] ?\d)", "、", text))
    found: dict[str, list[str]] = {}
    for kind, pattern in KINDS.items():
        found[kind] = [re.sub(r" ?[x×*] ?", "x", match) for match in pattern.findall(plain)]
        plain = pattern.sub(" ", plain)
    found["number"] = [str(number) for number in numbers(plain)]
    return {kind: values for kind, values in found.items() if values}


def as_line(fact: Fact) -> str:
    """Return a fact on one line."""
    return ", ".join(map(str, fact)) if isinstance(fact, tuple) else str(fact)


def missing_facts(text: str, facts: dict[str, Fact]) -> list[str]:
    """Return the names of the facts that the text does not hold in full."""
    return [
        name
        for name, fact in facts.items()
        if not all(contains_value(text, value) for value in (fact if isinstance(fact, tuple) else (fact,)))
    ]
