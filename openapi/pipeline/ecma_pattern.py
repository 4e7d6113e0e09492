"""Translates a pattern of ECMA-262, the dialect of JSON Schema, to one that Python's `re` reads the same way.

The result needs no flags: character classes mean ASCII as in ECMA-262, `$` is the end of the text, and `.` excludes the
four line terminators. What Python cannot express (Unicode properties, lookbehind of variable width, nested sets) is
refused, so that it is reported instead of enforced wrongly.
"""

import re
import warnings
from typing import Final

_SPACE: Final = r"\t\n\v\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_LINE: Final = r"\n\r\u2028\u2029"
_MAX_LENGTH: Final = 2000
_HEX: Final = re.compile(r"\\u\{([0-9A-Fa-f]{1,6})\}|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")
_PAIR: Final = re.compile(r"\\u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
_NAMED: Final = re.compile(r"\(\?<([A-Za-z_][A-Za-z0-9_]*)>")
_REFERENCE: Final = re.compile(r"\\k<([A-Za-z_][A-Za-z0-9_]*)>")
# Escapes that mean the same in both.
_SAME: Final = set("bBdDwWtnvfr0") | set("^$\\\\.*+?()[]{}|/-")


class Untranslatable(ValueError):
    """Python has no pattern that means the same."""


def to_python(pattern: str) -> str:
    """Return the Python pattern for `re.search` that means what the ECMA-262 pattern means.

    Raises:
        Untranslatable: There is none, or the pattern is malformed.
    """
    if len(pattern) > _MAX_LENGTH:
        raise Untranslatable(f"longer than {_MAX_LENGTH:,} characters")
    result = "(?a)" + _translate(pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(result)
    except (re.error, RecursionError, OverflowError, ValueError, Warning) as error:
        raise Untranslatable(str(error)) from None
    return result


def is_translatable(pattern: str) -> bool:
    """Whether `to_python` translates the pattern."""
    try:
        to_python(pattern)
    except Untranslatable:
        return False
    return True


def _translate(pattern: str) -> str:
    found: list[str] = []
    index, in_set = 0, False
    while index < len(pattern):
        text, index, in_set = _step(pattern, index, in_set=in_set)
        found.append(text)
    if in_set:
        raise Untranslatable("a set is not closed")
    return "".join(found)


def _step(pattern: str, index: int, *, in_set: bool) -> tuple[str, int, bool]:  # noqa: C901, PLR0911 - one return a construct
    char = pattern[index]
    if char == "\\":
        return *_escape(pattern, index, in_set=in_set), in_set
    if in_set:
        text = "\\[" if char == "[" else char
        if pattern.startswith("--", index):
            raise Untranslatable("two hyphens in a set")
        if pattern.startswith(("&&", "||", "~~"), index):
            text = f"\\{char}"
        return text, index + 1, char != "]"
    if char == "[":
        if pattern.startswith("[]", index):
            return "(?!)", index + 2, False  # nothing is in an empty set
        if pattern.startswith("[^]", index):
            return r"[\x00-\U0010ffff]", index + 3, False
        return "[", index + 1, True
    if char == "(" and (named := _NAMED.match(pattern, index)):
        return f"(?P<{named[1]}>", named.end(), False
    if pattern.startswith("(?", index) and not pattern.startswith(("(?:", "(?=", "(?!", "(?<=", "(?<!"), index):
        raise Untranslatable("an unknown kind of group")
    if pattern.startswith("{,", index):
        raise Untranslatable("a repetition without a lower bound")
    if char in "*+?}" and pattern[index + 1 : index + 2] == "+":
        raise Untranslatable("a possessive quantifier, which ECMA-262 does not have")
    return {"$": r"\Z", "^": r"\A", ".": f"[^{_LINE}]"}.get(char, char), index + 1, False


def _escape(pattern: str, index: int, *, in_set: bool) -> tuple[str, int]:  # noqa: C901, PLR0911 - one return a kind of escape
    if pair := _PAIR.match(pattern, index):
        return re.escape((bytes.fromhex(pair[1] + pair[2])).decode("utf-16-be")), pair.end()
    if code := _HEX.match(pattern, index):
        number = int(code[1] or code[2] or code[3], 16)
        if number > 0x10FFFF or 0xD800 <= number < 0xE000:  # noqa: PLR2004 - the bounds of Unicode and its surrogates
            raise Untranslatable(f"the character {code[0]} does not exist")
        return re.escape(chr(number)), code.end()
    if not in_set and (reference := _REFERENCE.match(pattern, index)):
        return f"(?P={reference[1]})", reference.end()
    char = pattern[index + 1 : index + 2]
    following = index + 2
    if char == "s":
        return (_SPACE if in_set else f"[{_SPACE}]"), following
    if char == "S" and not in_set:
        return f"[^{_SPACE}]", following
    if char in _SAME and not (in_set and char == "B"):
        return (r"\x00" if char == "0" else f"\\{char}"), following
    if char == "c" and re.match(r"[A-Za-z]", pattern[following : following + 1]):
        return re.escape(chr(ord(pattern[following]) % 32)), following + 1
    if char.isdecimal() and char.isascii() and not in_set:
        return f"\\{char}", following
    if char and not char.isalnum() and char != "_":
        return re.escape(char), following
    raise Untranslatable(f"the escape \\{char or 'at the end'}")
