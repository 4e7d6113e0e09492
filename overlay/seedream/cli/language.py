"""The language of messages: Chinese where the locale asks for it, otherwise English."""

import os
import re
from collections.abc import Mapping
from functools import cache

from seedream.cli.messages_zh import MESSAGES, NOUNS, PATTERNS

_PLACEHOLDER = re.compile(r"\{(\w+)(!t)?\}")


def is_chinese(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether SEEDREAM_LANG, or else the locale for messages, is Chinese."""
    for name in ("SEEDREAM_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "").strip()
        if value:
            return value.lower().startswith("zh")
    return False


def tr(template: str, **values: object) -> str:
    """Return a message in the user's language; its English, with ``{name}`` for each value, is the key of the table."""
    chosen = MESSAGES.get(template, template) if is_chinese() else template
    return chosen.format(**values) if values else chosen


def plural(number: int, noun: str) -> str:
    """Return ``1 picture``, ``4 pictures``, or the Chinese for it."""
    if is_chinese() and noun in NOUNS:
        return f"{number:,} {NOUNS[noun]}"
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def translate(text: str) -> str:
    """Return the Chinese for a text of the library, click or the system, where the locale asks and the table has it."""
    return _in_chinese(text) if is_chinese() else text


def _in_chinese(text: str) -> str:
    if (chinese := MESSAGES.get(text) or PATTERNS.get(text)) is not None:
        return chinese
    for pattern, nested, chinese in _patterns():
        match = pattern.fullmatch(text)
        if match:
            values = {
                name: _in_chinese(value) if name in nested else value for name, value in match.groupdict().items()
            }
            return chinese.replace("!t}", "}").format(**values)
    return text


@cache
def _patterns() -> list[tuple[re.Pattern[str], frozenset[str], str]]:
    """Return the table's patterns as regular expressions.

    One that begins with fixed text is tried before one that begins with any text, then one with more fixed text first.
    """
    found: list[tuple[tuple[bool, int], re.Pattern[str], frozenset[str], str]] = []
    for english, chinese in PATTERNS.items():
        names = _PLACEHOLDER.findall(english)
        if not names:
            continue
        fixed = _PLACEHOLDER.split(english)[::3]
        pattern, seen = re.escape(fixed[0]), set[str]()
        for (name, mark), literal in zip(names, fixed[1:], strict=True):
            text = r".*?" if mark else r"(?:(?!\. ).)*?"  # what is kept lies within one sentence
            group = f"(?P={name})" if name in seen else f"(?P<{name}>{text})"
            seen.add(name)
            pattern += group + re.escape(literal)
        nested = frozenset(name for name, mark in names if mark)
        found.append(((not fixed[0], -sum(map(len, fixed))), re.compile(pattern, re.DOTALL), nested, chinese))
    return [entry[1:] for entry in sorted(found, key=lambda entry: entry[0])]
