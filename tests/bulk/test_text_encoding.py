"""Which text the bytes of a jobs file are: what is decoded, what is refused, and what is said about it."""

import codecs

import pytest
from seedream.bulk.text_encoding import decode, is_ambiguous
from seedream.errors import InvalidRequest, Problem

SAY = "Say which is meant: --encoding utf-8 or --encoding gb18030 (encoding=)."
KNOWN = "Give utf-8, gb18030 or utf-16."
SAVED = "Give the encoding that it was saved in."
SAVE = "Save it as UTF-8, or say what it is (encoding=, --encoding gb18030)."


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"", None, ""),
        (b"plain", None, "plain"),
        ("猫".encode(), None, "猫"),
        (codecs.BOM_UTF8 + "猫".encode(), None, "猫"),
        (codecs.BOM_UTF16_LE + "猫".encode("utf-16-le"), None, "猫"),
        (codecs.BOM_UTF16_BE + "猫".encode("utf-16-be"), None, "猫"),
        (codecs.BOM_UTF32_LE + "猫".encode("utf-32-le"), None, "猫"),
        (codecs.BOM_UTF32_BE + "猫".encode("utf-32-be"), None, "猫"),
        (codecs.BOM_UTF8 + "猫".encode(), "utf-8", "猫"),
        ("\ufeff\ufeff猫".encode("utf-16-le"), "utf-16-le", "\ufeff猫"),
        ("猫".encode("gbk"), "gbk", "猫"),
        ("a\ufeff".encode(), None, "a\ufeff"),
        ("一只猫".encode("gbk"), "utf-8", "һֻè"),
    ],
)
def test_bytes_that_are_text(data: bytes, encoding: str | None, text: str) -> None:
    assert decode(data, "jobs.csv", encoding) == text


@pytest.mark.parametrize(
    ("data", "encoding", "message", "hint"),
    [
        (b"a\0", None, "j.csv is not UTF-8: it contains zero bytes", "If it is UTF-16, give --encoding utf-16-le."),
        (b"ab\xff", None, "j.csv is not UTF-8 (byte 2)", SAVE),
        (b"x\ny\xd6\xd0\xb9\xfa", None, "j.csv is not UTF-8 (byte 3); as gb18030 it begins “y中国”", SAVE),
        ("a\n一只猫\nb".encode("gbk"), None, "j.csv can be read as UTF-8 (“һֻè”) and as gb18030 (“一只猫”)", SAY),
        (b"a", "klingon", "“klingon” is not an encoding that is known here", KNOWN),
        (b"61", "hex", "“hex” is not an encoding that is known here", KNOWN),
        (b"a\xff", "ascii", "j.csv is not ascii (byte 1)", SAVED),
        (b"abc", "utf-16-le", "j.csv is not utf-16-le (byte 2)", SAVED),
        (codecs.BOM_UTF16_LE + b"a", None, "j.csv is not utf-16 (byte 2)", SAVED),
        (b"xn--99", "idna", "j.csv is not idna", SAVED),
    ],
)  # fmt: skip
def test_bytes_that_are_refused(data: bytes, encoding: str | None, message: str, hint: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode(data, "j.csv", encoding)
    assert caught.value.problems == (Problem("jobs", message, hint=hint),)


LONG = "abcdefghij"


@pytest.mark.parametrize(
    ("text", "legacy", "ambiguous"),
    [
        # A control character, an unassigned one, or a word of two scripts is no text that somebody wrote.
        ("caf\x80", "中", True),
        ("caf\x9f", "中", True),
        ("caf\x7f", "中", False),
        (f"caf\xa0{LONG}é", "中", False),
        ("\u0378", "中", True),
        ("\ue000", "中", True),
        ("кошkа", "中", True),
        ("日本の猫カナ", "\U00020000", False),
        # A reading that GB 2312 has no characters for was not meant.
        ("éé", "𠀀", False),
        ("éé", "中", True),
        # Chinese or Japanese in UTF-8 is what it is.
        ("猫", "中", False),
        ("ひ", "中", False),
        ("éé 猫", "中", False),
        # In Latin text few letters are accented, and few words are of accented letters only.
        (f"{LONG} é", "中", False),
        (f"{LONG * 2} éàè", "中", False),
        (f"{LONG}abcdefg éàè", "中", False),
        (f"{LONG}abcdef éàè", "中", True),
        ("aaaéé", "中", False),
        ("aaaééé", "中", True),
        (f"éé\n{LONG}", "中", True),
    ],
)
def test_when_the_chinese_reading_may_be_meant(text: str, legacy: str, ambiguous: bool) -> None:
    assert is_ambiguous(text, legacy) is ambiguous
