"""A server's text as a message may show it: words, short numbers and the API's own names.

A server may echo the key or a signed URL in any encoding, so what is not known to be harmless is left out. Parts of the
key that still look like words are recognised by comparison with the key in common encodings.
"""

import base64
import re
import string
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import groupby, product
from typing import Final
from unicodedata import category, name, normalize
from urllib.parse import unquote_plus

from tensorslab_images.limits import AUTH_HEADER, OPERATIONS
from tensorslab_images.rules import RES_RATIO_VALUES, RES_TIER_VALUES

from seedream._support.patterns import lazy_pattern

REMOVED: Final = "[removed]"
SHORTEST_SECRET: Final = 8  # a shorter one is not a real key, and is part of many words
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_URL: Final = lazy_pattern(r"://|[?&;#][^\s=]*=")
_LONGEST_TEXT: Final = 200
_FEW: Final = 5  # texts of a list in one message
_LONGEST_READ: Final = 4000


def is_plain_id(text: str) -> bool:
    """Whether the text has the letters and the length of an id, and makes no path."""
    return bool(_ID.fullmatch(text)) and ".." not in text


def holds_url(text: str) -> bool:
    """Whether the text holds a URL or a query, however it is escaped."""
    # No sign of a plain id is one of a URL or of an escape; this spares each reply the work and the import of html.
    return not is_plain_id(text) and any(_URL.search(form) for form in decoded(text))


def show_id(taskid: str | None) -> str:
    """A task's id as a message or a file name may hold it; one that is not plain becomes a digest of itself."""
    if taskid is None or is_plain_id(taskid):
        return str(taskid)
    from hashlib import sha256  # noqa: PLC0415 -- it loads OpenSSL

    return f"task-{sha256(taskid.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def first_few(texts: Sequence[str]) -> str:
    """Join texts for a message; of many only the first, and how many there are besides."""
    more = f" and {len(texts) - _FEW:,} more" if len(texts) > _FEW else ""
    return ", ".join(texts[:_FEW]) + more


def show_ids(taskids: Sequence[str]) -> str:
    """Several tasks' ids as a message may hold them; of many only the first."""
    return first_few(list(map(show_id, taskids)))


# --- a server's text: words, short numbers, the API's own names -------------------------------------------------------

# Scripts without blanks between words, and the punctuation that goes with them.
_DENSE: Final = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f"
_DENSE_SCRIPTS: Final = {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "IDEOGRAPHIC"}
_TOKEN: Final = lazy_pattern(rf"(\s*)([{_DENSE}]+|[^\s{_DENSE}]+)")
_AROUND: Final = "\"'“”‘’«»()[]{}.,;:!?…*"
_JOINTS: Final = lazy_pattern(r"[-–'’/._:,()\[\]+]+")
_SIGNS: Final = frozenset({"", "...", "--", ">=", "<=", *"-–—/&+<>=|•·*×→%#"})
_CAMEL: Final = lazy_pattern(r"[A-Z]{0,4}?([A-Z]?[a-z]+(?:[A-Z][a-z]+){0,4})", re.ASCII)  # imageUrl, JSONDecodeError
_LONGEST_WORD: Final = 24
_LONGEST_TOKEN: Final = 40
_MOST_DIGITS: Final = 14  # of a date with a time, or a pair of large numbers
_FEW_DIGITS: Final = 4  # of a word with a version
_MOST_WEAK: Final = 5  # single letters, numbers or signs in a row
_NUMBER: Final = lazy_pattern(r"\d{1,8}", re.ASCII)
_MIXED: Final = lazy_pattern(r"\d{0,2}|(?P<word>[A-Za-z]+)\d{1,2}", re.ASCII)  # utf-8, V4.5
_MEASURE: Final = lazy_pattern(
    r"[1-9]\d{0,4}[x×*][1-9]\d{0,4}(?:px)?|\d{1,8}(?:\.\d{1,3})?(?:%|px|[kKMG]i?B?|s|ms|min|h)"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_PORT: Final = lazy_pattern(r":\d{1,5}$", re.ASCII)
# A URL, a query or an escape: nobody knows where it ends, so the text ends here.
_STRUCTURE: Final = lazy_pattern(r"[=@\\%&#?]\S|:[/\\]|//")
_CREDENTIALS: Final = frozenset({
    "bearer", "basic", "token", "secret", "signature", "sig", "password", "passwd", "key", "apikey", "credential",
    "credentials", AUTH_HEADER.lower(),
})  # fmt: skip
_NAMES: Final = frozenset(
    str(word).lower()
    for operation in OPERATIONS.values()
    for field in operation.fields
    for word in (field.name, field.attribute, *field.enum, field.default)
) | {"charset", "code", "status", "webp", "widthxheight", "wxh", *RES_RATIO_VALUES, *map(str.lower, RES_TIER_VALUES)}


def server_text(text: str, secret: str = "", length: int = _LONGEST_TEXT, known: Collection[str] = ()) -> str:
    """What a message may show of a server's text: what is on the allow-list, and a mark in place of all else.

    Words in any script, short numbers, sizes and dates, ordinary punctuation and the API's own names are on it. The
    text ends where a URL, a query, an escape or a credential begins. Parts of the key (``secret``) in other encodings
    that look like words are left out too. ``known`` are further words that may be shown, such as a task's id.
    """
    printable = "".join(c if c.isprintable() else " " for c in text[:_LONGEST_READ])
    found: list[tuple[str, str]] = _TOKEN.findall(printable)
    kinds: list[str] = []  # of each token: "word", "weak", "" for one that is left out
    after = ""
    for _, token in found:
        kind = _kind(token, known)
        core = token.strip(_AROUND)
        if kind == "end" or (after and (after.endswith(":") or not core.isalpha() or core != core.lower())):
            kinds.append("")
            break
        kinds.append(kind)
        after = token if _CREDENTIALS.intersection(re.split(r"[-_/]", core.lower())) else ""
    shown = _without_runs(kinds)
    compared = ["" if token.strip(_AROUND) in known else token for _, token in found[: len(kinds)]]
    for number in echoing(compared, secret):
        shown[number] = False
    parts: list[str] = []
    for (blank, token), keep in zip(found, shown, strict=False):
        if keep:
            parts += [" " if blank else "", token]
        elif not parts or parts[-1] != REMOVED:
            parts += [" " if blank else "", REMOVED]
    return "".join(parts).strip()[:length].strip()


def _kind(token: str, known: Collection[str]) -> str:  # noqa: PLR0911 -- one return for each rule
    """``word``, ``weak`` (a number, one letter, a sign), ``end`` where the text is to end, empty for all else."""
    core = normalize("NFKC", token).strip(_AROUND)
    if core in known or core in _NAMES or _MEASURE.fullmatch(core):
        return "word"
    name_, equals, value = core.partition("=")
    if equals and name_.lower() in _NAMES:
        return _kind(value, ())
    if core in _SIGNS:
        return "weak"
    if _STRUCTURE.search(core):
        return "end"
    parts = [part for part in _JOINTS.split(_PORT.sub("", core)) if part]
    digits = sum(map(str.isdigit, "".join(parts)))
    if parts and all(map(_NUMBER.fullmatch, parts)):
        return "weak" if digits <= _MOST_DIGITS else ""
    if digits > _FEW_DIGITS or (len(core) > _LONGEST_TOKEN and core.isascii()):
        return ""
    if ":" in core and _CREDENTIALS.intersection(part.lower() for part in parts):
        return "end"
    for part in parts:
        mixed = _MIXED.fullmatch(part)
        if part.lower() not in _NAMES and not _is_word(mixed["word"] or "a" if mixed else part):
            return ""
    return "weak" if len(core) == 1 and core.isascii() else "word" if parts else ""


def _is_word(part: str) -> bool:
    """Whether these are letters of one script as words have them: in one case, or with a capital at the front."""
    if part.isascii():
        one_case = part[1:].islower() or part.islower() or part.isupper()
        camel = (found := _CAMEL.fullmatch(part)) and len(found[1]) >= 3 * (1 + sum(map(str.isupper, found[1][1:])))
        return part.isalpha() and len(part) <= _LONGEST_WORD and bool(one_case or camel)
    letters = [c for c in part if category(c)[0] == "L"]
    scripts = {name(c, "").split(" ")[0] for c in letters} - _DENSE_SCRIPTS
    plain = all(category(c)[0] in "LMP" for c in part)
    cased = part.lower() != part.upper()
    one_case = part[1:] == part[1:].lower() or part == part.upper()
    return plain and len(scripts) <= 1 and (not cased or (one_case and len(part) <= _LONGEST_WORD))


def _without_runs(kinds: list[str]) -> list[bool]:
    """Which tokens to show: of weak ones in a row none beside one that is left out, and not many (spelled text)."""
    shown: list[bool] = []
    for weak, group in groupby(kinds, key=lambda kind: kind != "word"):
        run = list(group)
        shown += [not weak or (len(run) <= _MOST_WEAK and "" not in run)] * len(run)
    return shown


# --- the key, in other encodings --------------------------------------------------------------------------------------

_RUN: Final = 6  # letters and digits of an encoded key that no message may hold one after another
_ECHO: Final = 12  # the same of a text that is kept, in which a shorter one is left to chance
_ABC: Final = string.ascii_lowercase
_OTHERS: Final = lazy_pattern(r"[^0-9a-z]+")
_ESCAPES: Final = lazy_pattern(r"\\u00|\\x|=(?=[0-9A-Fa-f]{2})|\\u\{|\\(?=[0-9A-Fa-f]{2}[ ])")


def holds_secret(text: str, secret: str) -> bool:
    """Whether the text holds the secret, or a long part of it, as it is or in a common encoding."""
    length = _length_of_runs(secret)
    forms = (text,) if is_plain_id(text) else decoded(text)  # a plain id has no escapes
    runs = [run for form in forms for run in _runs(_squeezed(form), length)]
    return bool(runs) and not _pieces(secret, length).isdisjoint(runs)  # most ids are too short to need the pieces


@lru_cache(maxsize=16)
def _length_of_runs(secret: str) -> int:
    return max(_RUN, min(_ECHO, len(_squeezed(secret))))


def echoing(tokens: list[str], secret: str) -> set[int]:
    """The tokens that hold a part of the secret in an encoding, each on its own or together."""
    pieces = _pieces(secret, _RUN)
    squeezed = [_squeezed(token) for token in tokens]
    numbers = [number for number, letters in enumerate(squeezed) for _ in letters]
    runs = enumerate(_runs("".join(squeezed), _RUN))
    return {number for at, run in runs if run in pieces for number in numbers[at : at + _RUN]}


@lru_cache(maxsize=16)
def _pieces(secret: str, length: int) -> frozenset[str]:
    """All runs of so many letters and digits of the secret in encodings that keep its order, in lower case."""
    if len(secret) < SHORTEST_SECRET:
        return frozenset()
    raw, lower = secret.encode(), secret.lower()
    forms = [lower[::-1], lower.translate(str.maketrans(_ABC, _ABC[::-1]))]
    forms += [lower.translate(str.maketrans(_ABC, _ABC[shift:] + _ABC[:shift])) for shift in range(26)]
    forms += [
        "".join(form.format(byte) for byte in raw)
        for form in ("{:02x}", "x{:02x}", "0x{:02x}", "u00{:02x}", "{}", "{:o}", "{:08b}")
    ]
    wide = secret.encode("utf-16-le")
    codings = ((base64.b64encode, 6), (base64.b32encode, 5))
    for inner, (encode, bits) in product((raw, wide, base64.b64encode(raw)), codings):
        for shift in range(5):  # the place of the key within the encoded bytes moves the letters
            forms.append(encode(bytes(shift) + inner).decode()[-(-shift * 8 // bits) :])
    return frozenset(run for form in forms for run in _runs(_squeezed(form), length))


def _runs(text: str, length: int) -> list[str]:
    """All parts of the text of this length, one beginning at each letter."""
    return [text[at : at + length] for at in range(len(text) - length + 1)]


def _squeezed(text: str) -> str:
    return _OTHERS.sub("", normalize("NFKD", text).lower())


def decoded(text: str) -> Iterator[str]:
    """The text, and what it may mean when URL, HTML and JSON escapes are read, up to three times."""
    from html import unescape  # noqa: PLC0415 -- slow to load, and not needed for a plain id

    for _ in range(4):
        yield text
        again = unquote_plus(unescape(_ESCAPES.sub("%", text.replace("\\/", "/"))))
        if again == text:
            return
        text = again
