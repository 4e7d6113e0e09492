"""Which text the bytes of a jobs file are. That a decoder raises no error proves nothing.

A file that spreadsheet programs saved in a Chinese encoding can decode as UTF-8 without an error, to other characters,
which would then be paid for. Where two readings are possible, both are shown, and the user says which one is meant.
"""

import codecs
import re
import unicodedata
from typing import Final

from seedream._support.redact import quote
from seedream.errors import InvalidRequest, Problem

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY: Final = "gb18030"
# In text of Latin letters, no more than this share of the letters are words of accented letters only, or accented.
_FOREIGN_WORDS: Final = 0.15
_ACCENTED: Final = 0.4
_WORD: Final = re.compile(r"[^\W\d_]+")
_EAST_ASIAN: Final = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "KATAKANA-HIRAGANA"}
)


def decode(data: bytes, name: str, encoding: str | None = None) -> str:
    """Return the text of a file.

    Args:
        data: Its bytes.
        name: Its name, for messages.
        encoding: What the user says; None: UTF-8, or what a byte order mark says.

    Raises:
        InvalidRequest: The bytes are not of this encoding, or can be read in two ways.
    """
    if encoding is not None:
        return _decode_as(data, name, encoding)
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return _decode_as(data, name, marked)
    if b"\0" in data:
        raise _refusal(f"{name} is not UTF-8: it contains zero bytes", "If it is UTF-16, give --encoding utf-16-le.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        legacy = _try(data)
        shown = f"; as {_LEGACY} it begins {_sample(legacy)}" if legacy is not None else ""
        raise _refusal(
            f"{name} is not UTF-8 (byte {error.start}){shown}",
            f"Save it as UTF-8, or say what it is (encoding=, --encoding {_LEGACY}).",
        ) from None
    if not text.isascii() and (legacy := _try(data)) is not None and is_ambiguous(text, legacy):
        raise _refusal(
            f"{name} can be read as UTF-8 ({_sample(text)}) and as {_LEGACY} ({_sample(legacy)})",
            f"Say which is meant: --encoding utf-8 or --encoding {_LEGACY} (encoding=).",
        )
    return text


def is_ambiguous(text: str, legacy: str) -> bool:
    """Whether the reading in the Chinese encoding may be the one that is meant."""
    if not _is_plausible(text):
        return True
    try:  # GB 2312 has the common characters; UTF-8 of other scripts, read wrongly, soon holds a rare one
        legacy.encode("gb2312")
    except UnicodeEncodeError:
        return False
    if any(_is_east_asian(character) for character in text):
        return False  # Chinese or Japanese text in UTF-8
    words = [word for line in text.splitlines() if not line.isascii() for word in _WORD.findall(line)]
    letters = sum(map(len, words))
    foreign = sum(not letter.isascii() for word in words for letter in word)
    unmixed = sum(len(word) for word in words if not any(letter.isascii() for letter in word))
    return unmixed > _FOREIGN_WORDS * letters or foreign > _ACCENTED * letters


def _is_plausible(text: str) -> bool:
    """Whether each word is of one script and no character is a control character or unassigned."""
    if any(unicodedata.category(character) in ("Cn", "Co", "Cs") for character in text):
        return False
    if any("\x80" <= character <= "\x9f" for character in text):
        return False
    return all(len({_script(character) for character in word}) == 1 for word in _WORD.findall(text))


def _script(character: str) -> str:
    first = unicodedata.name(character, "?").split(" ")[0]
    return "EAST ASIAN" if first in _EAST_ASIAN else first


def _is_east_asian(character: str) -> bool:
    return not character.isascii() and _script(character) == "EAST ASIAN"


def _try(data: bytes) -> str | None:
    try:
        return data.decode(_LEGACY)
    except UnicodeDecodeError:
        return None


def _decode_as(data: bytes, name: str, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except LookupError:
        raise _refusal(
            f"{quote(encoding)} is not an encoding that is known here", "Give utf-8, gb18030 or utf-16."
        ) from None
    except UnicodeError as error:
        where = f" (byte {error.start})" if isinstance(error, UnicodeDecodeError) else ""
        raise _refusal(f"{name} is not {encoding}{where}", "Give the encoding that it was saved in.") from None
    return text.removeprefix("\ufeff")


def _sample(text: str) -> str:
    """Return the first line that tells the readings apart."""
    return quote(next((line for line in text.splitlines() if not line.isascii()), text))


def _refusal(message: str, hint: str) -> InvalidRequest:
    return InvalidRequest(Problem("jobs", message, hint=hint))
