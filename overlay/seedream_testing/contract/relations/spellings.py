"""Spellings of a value that are not the canonical one.

From each the cases are derived (the spelling is sent), and the planted faults (a server that reads it as the value).
"""

# ruff: noqa: E501 -- one spelling a line reads as a table
# fmt: off

import re
from collections.abc import Callable, Iterator
from typing import Final

from attrs import frozen


@frozen
class Spelling:
    """One way of writing a value that is not the canonical one."""

    name: str
    spell: Callable[[str], str]  # writes a canonical value so; gives the same value back where it does not apply


_BLANKS: Final = {
    "space": " ", "two spaces": "  ", "tab": "\t", "line feed": "\n", "CRLF": "\r\n", "vertical tab": "\v", "no-break space": "\u00a0",
    "ideographic space": "\u3000", "zero-width space": "\u200b", "byte order mark": "\ufeff", "NUL": "\0", "soft hyphen": "\u00ad",
}
_AFFIXES: Final = {
    "double quotes": ('"', '"'), "single quotes": ("'", "'"), "brackets": ("[", "]"), "parentheses": ("(", ")"), "braces": ("{", "}"), "angle brackets": ("<", ">"),
    "a semicolon after": ("", ";"), "a comma after": ("", ","), "a dot after": ("", "."), "a letter after": ("", "a"), "a unit after": ("", "px"),
    "a comment after": ("", " # x"), "a sign after": ("", "+"), "a path after": ("", "/"), "a fragment after": ("", "&x=1"), "a line after": ("", "\nx"),
    "a unit before": ("n", ""), "a hash before": ("#", ""), "an equals sign before": ("=", ""), "a currency sign before": ("$", ""), "HTML": ("<b>", "</b>"),
    "a scale after": ("", "@2x"), "a query after": ("", "?x=1"), "a word after": ("", " hd"), "a percent sign after": ("", "%"), "an exclamation mark after": ("", "!"),
    "a plus sign": ("+", ""), "two plus signs": ("++", ""), "a minus sign": ("-", ""), "two minus signs": ("--", ""), "a tilde": ("~", ""), "a dot before": (".", ""),
}
_DIGITS: Final = {"Arabic": "٠١٢٣٤٥٦٧٨٩", "Devanagari": "०१२३४५६७८९", "superscript": "⁰¹²³⁴⁵⁶⁷⁸⁹", "full-width": "０１２３４５６７８９", "circled": "⓪①②③④⑤⑥⑦⑧⑨", "mathematical": "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "Chinese": "零一二三四五六七八九"}
_FIRST: Final[dict[str, Callable[[str], str]]] = {
    "leading zero": lambda digits: f"0{digits}", "three leading zeros": lambda digits: f"000{digits}", "point zero": lambda digits: f"{digits}.0", "point": lambda digits: f"{digits}.",
    "point four": lambda digits: f"{digits}.4", "point nine, below": lambda digits: f"{int(digits) - 1}.9", "almost, by many nines": lambda digits: f"{int(digits) - 1}.99999999999999999999",
    "a little more": lambda digits: f"{digits}.00000000000000000001", "comma zero": lambda digits: f"{digits},0", "exponent": lambda digits: f"{digits}e0", "capital exponent": lambda digits: f"{digits}E+0",
    "tenth by exponent": lambda digits: f"{digits}0e-1", "hexadecimal": lambda digits: hex(int(digits)), "capital hexadecimal": lambda digits: f"0X{int(digits):X}",
    "hexadecimal without prefix": lambda digits: f"{int(digits):x}h", "octal": lambda digits: oct(int(digits)), "binary": lambda digits: bin(int(digits)), "C octal": lambda digits: f"0{int(digits):o}",
    "an underscore inside": lambda digits: f"{digits[0]}_{digits[1:]}" if len(digits) > 1 else digits, "a comma inside": lambda digits: f"{digits[0]},{digits[1:]}" if len(digits) > 1 else digits,
    "a space between digits": lambda digits: f"{digits[0]} {digits[1:]}" if len(digits) > 1 else digits, "a fraction": lambda digits: f"{digits}/1", "a product": lambda digits: f"{digits}*1", "a sum": lambda digits: f"{int(digits) - 1}+1",
    "a suffix n": lambda digits: f"{digits}n", "a suffix L": lambda digits: f"{digits}L", "a suffix f": lambda digits: f"{digits}f", "an imaginary part": lambda digits: f"{digits}+0j",
}
_SIGNS: Final = {"x": "хХ×✕ⅹ*Xｘ✖⨯_-, ", ":": "：∶ː꞉/,.;-x", "K": "К𝐊kＫ"}


def _first_number(change: Callable[[str], str]) -> Callable[[str], str]:
    """Return a function that rewrites the first number of a value."""
    return lambda value: re.sub("[0-9]+", lambda found: change(found[0]), value, count=1)


def _spellings() -> Iterator[Spelling]:
    for name, blank in _BLANKS.items():
        yield Spelling(f"{name} before", lambda value, b=blank: b + value)
        yield Spelling(f"{name} after", lambda value, b=blank: value + b)
        yield Spelling(f"{name} on both sides", lambda value, b=blank: b + value + b)
        yield Spelling(f"{name} inside", lambda value, b=blank: value[:1] + b + value[1:] if len(value) > 1 else value)
    for name, (before, after) in _AFFIXES.items():
        yield Spelling(name, lambda value, b=before, a=after: b + value + a)
    for name, digits in _DIGITS.items():
        table = str.maketrans("0123456789", digits)
        yield Spelling(f"{name} digits", lambda value, t=table: value.translate(t))
        yield Spelling(f"one of the {name} digits", lambda value, t=table: re.sub("[0-9](?=[^0-9]*$)", lambda found: found[0].translate(t), value, count=1))
    yield Spelling("full-width throughout", lambda value: value.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}))
    for name, change in _FIRST.items():
        yield Spelling(name, _first_number(change))
    for bits in (8, 16, 31, 32, 53, 63, 64, 128):
        yield Spelling(f"plus 2^{bits}", _first_number(lambda digits, b=bits: str(int(digits) + 2**b)))
        yield Spelling(f"minus 2^{bits}", _first_number(lambda digits, b=bits: str(int(digits) - 2**b)))
    for name, mark in {"comma": ",", "semicolon": ";", "space": " ", "pipe": "|", "slash": "/", "line": "\n", "hyphen": "-", "ampersand": "&"}.items():
        yield Spelling(f"twice, {name} between", lambda value, m=mark: f"{value}{m}{value}")
    yield Spelling("twice in a JSON list", lambda value: f'["{value}", "{value}"]')
    yield Spelling("as a JSON list", lambda value: f'["{value}"]')
    yield Spelling("as a JSON object", lambda value: f'{{"value": "{value}"}}')
    yield Spelling("percent-encoded", lambda value: "".join(f"%{ord(one):02X}" for one in value))
    yield Spelling("character references", lambda value: "".join(f"&#{ord(one)};" for one in value))
    yield Spelling("backslash escapes", lambda value: "".join(f"\\u{ord(one):04x}" for one in value))
    yield Spelling("small letters", str.lower)
    yield Spelling("capital letters", str.upper)
    yield Spelling("swapped case", str.swapcase)
    for sign, others in _SIGNS.items():
        for other in others:
            yield Spelling(f"{other!r} for {sign}", lambda value, s=sign, o=other: value.replace(s, o))
    for name, mark in {"spaces": " ", "tabs": "\t", "no-break spaces": "\u00a0"}.items():
        yield Spelling(f"{name} round the sign", lambda value, m=mark: re.sub("([x:])", rf"{m}\1{m}", value))
        yield Spelling(f"{name} before the sign", lambda value, m=mark: re.sub("([x:K])", rf"{m}\1", value))
        yield Spelling(f"{name} after the sign", lambda value, m=mark: re.sub("([x:])", rf"\1{m}", value))
    yield Spelling("the sign twice", lambda value: re.sub("([x:K])", r"\1\1", value))
    yield Spelling("no sign", lambda value: re.sub("[x:K]", "", value))
    yield Spelling("the sign at the end", lambda value: value + "x" if "x" in value else value + ":" if ":" in value else value)
    yield Spelling("px after each number", lambda value: re.sub("([0-9]+)", r"\1px", value) if "x" in value else value)
    yield Spelling("p after the last number", lambda value: f"{value}p")
    yield Spelling("a third number", lambda value: f"{value}x1" if "x" in value else f"{value}:1" if ":" in value else value)
    yield Spelling("w and h before each number", lambda value: re.sub("([0-9]+)x([0-9]+)", r"w\1h\2", value))
    yield Spelling("leading zeros of the second number", lambda value: re.sub("([x:])", r"\g<1>0", value))
    yield Spelling("a sign before the second number", lambda value: re.sub("([x:])", r"\1+", value))
    yield Spelling("a point after the second number", lambda value: f"{value}.0" if re.search("[x:]", value) else value)
    yield Spelling("words around it", lambda value: f"size {value} please")
    yield Spelling("the field's name before it", lambda value: f"batchsize={value}" if value.isdigit() else f"resolution={value}")


SPELLINGS: Final = tuple(_spellings())
# What is not a value at all, whatever the field means.
WORDS: Final = (
    "null", "NULL", "None", "nil", "undefined", "NaN", "nan", "inf", "Infinity", "-inf", "true", "True", "false", "yes", "on", "many", "one", "two", "three", "Three", "三", "两", "十", "I", "II", "III", "IV", "V", "X", "Ⅳ",
    "max", "min", "default", "auto", "all", "any", "random", "-", ".", "e", "x", ":", "[]", "{}", "()", '""', "''", "0x", "\\", "/", "?", "*", "$1", "${x}", "{{x}}", "%s", "1/0", "'; DROP TABLE tasks; --",
)
