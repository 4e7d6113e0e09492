"""Transformations that a server may apply to text, each with texts that show it in the prompt that a query returns.

From the texts the cases are derived, from ``apply`` the planted faults: a server that does so with every prompt.
"""

# ruff: noqa: E501 -- one transformation a line reads as a table

import html
import json
import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final, Literal
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from attrs import frozen

from seedream_testing.contract.api_facts import ApiFacts, Part, text
from seedream_testing.contract.relations.relation import Example, Relation
from seedream_testing.contract.samples import png
from seedream_testing.contract.server_under_test import ServerUnderTest

_SWEEP: Final = 2000  # characters of one text
_RULE: Final = "PROMPT-REQUIRED"
_C0: Final = "".join(map(chr, (*range(1, 9), 11, 12, *range(14, 32), 127)))
_NORMAL_FORMS: Final[tuple[Literal["NFC", "NFD", "NFKC", "NFKD"], ...]] = ("NFC", "NFD", "NFKC", "NFKD")
_LONG: Final = (
    10_000  # characters; the page names no limit, but a server that refuses longer prompts honestly is not wrong
)
_LENGTHS: Final = (63, 64, 80, 100, 127, 128, 140, 200, 254, 255, 256, 280, 300, 400, 500, 511, 512, 600, 800, 999, 1000, 1023,
                   1024, 1200, 1500, 2000, 2047, 2048, 2500, 3000, 4000, 4095, 4096, 5000, 8000, 8191, 8192, 9999, 10000)  # fmt: skip


@frozen
class TextChange:
    """One transformation."""

    name: str
    apply: Callable[[str], str]
    texts: tuple[str, ...]  # prompts that it changes
    optional: bool = False  # the page does not say whether such a text must be accepted; kept exactly if it is


def _mojibake(given: str) -> str:
    return given.encode().decode("latin-1")


def _lossy(codec: str) -> Callable[[str], str]:
    return lambda given: given.encode(codec, "replace").decode(codec)


def _first_capital(given: str) -> str:
    return given[:1].upper() + given[1:]


def _unescaped(given: str) -> str:
    return re.sub(r"\\([nrt\\\"'])", lambda found: {"n": "\n", "r": "\r", "t": "\t"}.get(found[1], found[1]), given)


def _unicode_unescaped(given: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), given)


def _json_read(given: str) -> str:
    try:
        return str(json.loads(given))
    except ValueError:
        return given


def _number_read(given: str) -> str:
    try:
        return str(float(given) if "." in given or "e" in given.lower() else int(given))
    except ValueError:
        return given


def _without_category(*categories: str) -> Callable[[str], str]:
    return lambda given: "".join(one for one in given if unicodedata.category(one) not in categories)


def _sub(pattern: str, new: str | Callable[[re.Match[str]], str] = "") -> Callable[[str], str]:
    return lambda given: re.sub(pattern, new, given)


def _before(mark: str) -> Callable[[str], str]:
    return lambda given: given.partition(mark)[0]


def _replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda given: given.replace(old, new)


# fmt: off
def _once(between: str, given: str) -> str:
    return between.join(dict.fromkeys(given.split(between)))


def _changes() -> Iterator[TextChange]:  # noqa: PLR0915 -- a table
    blanks = {"spaces": " ", "tabs": "\t", "line feeds": "\n", "CRLF": "\r\n", "no-break spaces": "\u00a0",
              "ideographic spaces": "\u3000", "zero-width spaces": "\u200b", "byte order marks": "\ufeff"}
    for name, blank in blanks.items():
        yield TextChange(f"{name} before are dropped", lambda given, b=blank: given.lstrip(b), (f"{blank}a lighthouse",))
        yield TextChange(f"{name} after are dropped", lambda given, b=blank: given.rstrip(b), (f"a lighthouse{blank}",))
    yield TextChange("both ends are trimmed", str.strip, ("  a lighthouse \n",))
    yield TextChange("runs of blanks become one", _sub(r"\s+", " "), ("a  light\n\nhouse", "a\tb"))
    yield TextChange("blanks are dropped", _sub(r"\s"), ("a light house",))
    yield TextChange("only the first line is kept", lambda given: given.splitlines()[0] if given else given, ("first\nsecond\nthird",))
    yield TextChange("blank lines are dropped", _sub(r"\n\n+", "\n"), ("first\n\n\nsecond",))
    for name, change in {
        "small letters": str.lower, "capital letters": str.upper, "title case": str.title, "case folding": str.casefold,
        "swapped case": str.swapcase, "a capital first letter": _first_capital, "sentence case": str.capitalize,
    }.items():
        yield TextChange(name, change, ("a Lighthouse IN Straße, ΣΑΣ İı ŉ",))
    for form in _NORMAL_FORMS:
        yield TextChange(form, partial(unicodedata.normalize, form), ("e\u0301 é ﬁ ２ ① Å \u212b 각 \u1100\u1161 ＡＢＣ ½",))
    yield TextChange("only decomposed accents are composed", partial(unicodedata.normalize, "NFC"), ("cafe\u0301",))
    yield TextChange("only composed accents are decomposed", partial(unicodedata.normalize, "NFD"), ("café",))
    yield TextChange("full width becomes half width", partial(unicodedata.normalize, "NFKC"), ("ＡＢＣ，２０４８！",))
    yield TextChange("traditional punctuation becomes ASCII", lambda given: given.translate(str.maketrans("，。：；！？“”‘’", ",.:;!?\"\"''")), ("灯塔，黎明。雾：“一”；‘二’！？",))
    yield TextChange("accents are dropped", lambda given: _without_category("Mn")(unicodedata.normalize("NFD", given)), ("café naïve Ångström",))
    yield TextChange("plus signs become spaces", _replaced("+", " "), ("a+b + c", "1+1"))
    yield TextChange("spaces become plus signs", quote_plus, ("a b",))
    yield TextChange("percent codes are decoded", unquote, ("100%25 %41%E7%81%AF %20",))
    yield TextChange("percent codes and plus signs are decoded", unquote_plus, ("a%2Bb+c",))
    yield TextChange("percent codes are added", quote, ("a b/灯塔%",))
    yield TextChange("HTML is unescaped", html.unescape, ("a &amp; b &lt;c&gt; &#28783; &quot;d&quot; &nbsp; &eacute;",))
    yield TextChange("HTML is escaped", html.escape, ("a & b <c> \"d\" 'e'",))
    yield TextChange("tags are dropped", _sub(r"<[^>]*>"), ("a <b>bold</b> lighthouse <br/> 1 < 2 > 0",))
    yield TextChange("scripts are dropped", _sub(r"(?i)<script.*?</script>"), ("a <script>alert(1)</script> b",))
    code = ("select drop union insert delete update exec table from where javascript vbscript onerror onload eval alert http https www file data ftp "
            "import system ignore previous instructions assistant user null undefined true none nan inf")
    yield TextChange("words of programs are dropped", _sub(r"(?i)\b(select|drop|union|insert|delete|update|exec|javascript|script|eval)\b:?"), (code, code.upper(), "a; DROP TABLE tasks; -- b ' UNION SELECT 1 ' javascript:alert(1) onload=x data:text/html,c ../../d ${e} $(f) `g` | h && i"))
    # A service may refuse some of these; what it takes, it takes as it is.
    yield TextChange("words that offend are masked", _sub(r"(?i)\b(naked|blood|kill|damn|gun)\b", "***"), ("a naked statue, blood oranges, a kill switch, a damn dam, a water gun, a shot, a dead tree, a bomb shelter",), optional=True)
    yield TextChange("backslash escapes are read", _unescaped, (r"a\nb \t c \\ d \" e",))
    yield TextChange("Unicode escapes are read", _unicode_unescaped, ("\\u706f\\u5854",))
    yield TextChange("backslashes are dropped", _replaced("\\", ""), (r"a\b \\ c\'d",))
    yield TextChange("backslashes are doubled", _replaced("\\", "\\\\"), (r"a\b",))
    yield TextChange("backslashes become slashes", _replaced("\\", "/"), (r"a\b",))
    yield TextChange("quotes are escaped", _sub(r"(['\"])", r"\\\1"), ('it\'s "quoted"',))
    yield TextChange("quotes are doubled", _replaced("'", "''"), ("it's",))
    yield TextChange("quotes around it are dropped", lambda given: given.strip("\"'"), ('"a lighthouse"', "'a lighthouse'"))
    yield TextChange("quotes are dropped", _sub("[\"'`]"), ('it\'s a "quoted" `text`',))
    yield TextChange("quotes become typographic", lambda given: given.replace("'", "’").replace('"', "”"), ('it\'s "quoted"',))
    yield TextChange("quotes become straight", lambda given: given.translate(str.maketrans("“”‘’", "\"\"''")), ("“灯塔” ‘雾’",))
    yield TextChange("dashes become hyphens", _sub("[–—−]", "-"), ("a – b — c − d",))
    yield TextChange("an ellipsis is replaced", _replaced("...", "…"), ("wait...",))
    yield TextChange("an ellipsis is spelled out", _replaced("…", "..."), ("wait…",))
    yield TextChange("it is read as JSON", _json_read, ('{"a": 1}', '["a"]', '"a"', "1.50", "true", "null"))
    yield TextChange("it is read as a number", _number_read, ("007", "1e3", "+5", "1_000"))
    yield TextChange("words for nothing become empty", lambda given: "" if given in ("null", "None", "undefined", "nan") else given, ("null", "None", "undefined", "nan"))
    yield TextChange("it is written as JSON", lambda given: json.dumps(given)[1:-1], ('灯塔 "x"\n',))
    yield TextChange("non-ASCII is escaped", lambda given: given.encode("ascii", "backslashreplace").decode(), ("灯塔 é",))
    yield TextChange("templates are filled in", lambda given: given.replace("{{7*7}}", "49").replace("${HOME}", "/root").replace("%s", "").replace("{0}", ""), ("{{7*7}} ${HOME} %s {0} $(id) %d %",))
    yield TextChange("emoji codes are read", _replaced(":fish:", "🐟"), (":fish: :smile:",))
    yield TextChange("punctuation is dropped", _sub(r"[^\w\s]"), ("a, b. c! d? e; f: (g) #h @i *j",))
    yield TextChange("a full stop at the end is dropped", lambda given: given.rstrip("."), ("A lighthouse.", "Wait..."))
    yield TextChange("a full stop is added", lambda given: given + "." if given[-1:].isalnum() else given, ("a lighthouse",))
    yield TextChange("repeated words are dropped", _sub(r"\b(\w+)( \1\b)+", r"\1"), ("very very very bright",))
    yield TextChange("words repeated after commas are dropped", _sub(r"\b(\w+)(, \1\b)+", r"\1"), ("very, very, very bright",))
    for name, between in {"commas": ", ", "Chinese commas": "，", "enumeration commas": "、", "semicolons": "; ", "bars": " | ", "slashes": "/", "line feeds": "\n", "full stops": ". "}.items():
        yield TextChange(f"what {name} part is kept once", partial(_once, between), (between.join(("fog", "dawn", "fog", "fog")),))
    yield TextChange("what commas part is put in order", lambda given: ", ".join(sorted(given.split(", "))), ("fog, dawn, birds",))
    yield TextChange("repeated letters are dropped", _sub(r"(.)\1\1+", r"\1\1"), ("soooo bright!!!!!!",))
    yield TextChange("commas are dropped at the end", lambda given: given.rstrip(", "), ("fog, dawn, ",))
    yield TextChange("options are cut off", _sub(r"\s--\w+.*"), ("a lighthouse --ar 16:9 --no people",))
    yield TextChange("comments are cut off", _sub(r"\s*(#|//).*"), ("a lighthouse # with fog // thick",))
    yield TextChange("addresses are dropped", _sub(r"https?://\S+"), ("like https://example.com/a?b=c&d=%20#e this",))
    yield TextChange("at signs are dropped", _replaced("@", ""), ("@/etc/passwd", "a@b"))
    yield TextChange("it is cut at a quotation mark", _before('"'), ('a "quoted" end',))
    yield TextChange("it is cut at a semicolon", _before(";"), ("a; b; c",))
    yield TextChange("it is cut at an ampersand", _before("&"), ("a & b&c=d",))
    yield TextChange("it is cut at an equals sign", _before("="), ("a=b",))
    yield TextChange("it is cut at a comma", _before(","), ("a, b, c",))
    yield TextChange("it is cut at a line like a boundary", _before("\r\n--"), ("a\r\n--b\r\nc", "a\r\n----\r\n"))
    yield TextChange("CRLF becomes LF", _replaced("\r\n", "\n"), ("a\r\nb",))
    yield TextChange("LF becomes CRLF", _sub("(?<!\r)\n", "\r\n"), ("a\nb",))
    yield TextChange("CR becomes LF", _sub("\r(?!\n)", "\n"), ("a\rb",))
    yield TextChange("line ends are dropped", _sub("[\r\n]"), ("a\r\nb\n",))
    yield TextChange("line ends become spaces", _sub("\r?\n", " "), ("a\nb\r\nc",))
    yield TextChange("tabs become spaces", lambda given: given.expandtabs(4), ("a\tb",))
    yield TextChange("other line separators become LF", _sub("[\u2028\u2029\x85]", "\n"), ("a\u2028b\u2029c\x85d",))
    yield TextChange("UTF-8 is read as Latin-1", _mojibake, ("灯塔 é 🌫",))
    yield TextChange("Latin-1 text is repaired", lambda given: given.encode("latin-1", "replace").decode("utf-8", "replace") if "Ã" in given else given, ("Ã© Ã¼",))
    for codec in ("ascii", "latin-1", "gbk", "cp1252", "big5"):
        yield TextChange(f"only {codec} is kept", _lossy(codec), ("灯塔 é ß Ω 🌫 ท ა \u05d0",))
    yield TextChange("characters beyond 16 bits are dropped", _sub("[\U00010000-\U0010ffff]"), ("a 🌫 b 𝔸 𠮷 😀",))
    yield TextChange("characters beyond 16 bits become question marks", _sub("[\U00010000-\U0010ffff]", "?"), ("a 🌫 b",))
    yield TextChange("emoji are dropped", _without_category("So"), ("a 🌫 ☀ b",))
    yield TextChange("joiners are dropped", lambda given: given.replace("\u200d", "").replace("\ufe0f", ""), ("👩\u200d🚀 ❤\ufe0f",))
    yield TextChange("skin tones are dropped", _sub("[\U0001f3fb-\U0001f3ff]"), ("👋🏽",))
    yield TextChange("combining marks are dropped", _without_category("Mn"), ("e\u0301 n\u0303 \u0e17\u0e35\u0e48",))
    yield TextChange("format characters are dropped", _without_category("Cf"), ("a\u200bb\u200ec\u202ed\u202ce\u2060f\ufeffg\u00adh",))
    yield TextChange("private-use characters are dropped", _without_category("Co"), ("a\ue000b\U000f0000c",))
    yield TextChange("Chinese is dropped", _sub("[\u4e00-\u9fff]"), ("a 灯塔 b",))
    yield TextChange("rare Chinese is dropped", _sub("[\u3400-\u4dbf\U00020000-\U0002ffff]"), ("㐀 𠮷 b",))
    yield TextChange("simplified becomes traditional", _replaced("塔", "墖"), ("灯塔",))
    yield TextChange("right-to-left text is turned round", _sub("[\u0590-\u06ff]+", lambda found: found[0][::-1]), ("\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d",))
    yield TextChange("a zero is cut off", lambda given: given.rstrip("0"), ("100",))
    yield TextChange("a style is added", lambda given: f"{given}, high quality", ("a lighthouse",))
    yield TextChange("a prefix is added", lambda given: f"Prompt: {given}", ("a lighthouse",))
    yield TextChange("one character prompts are padded", lambda given: given if len(given) > 1 else given * 2, ("a", "灯", "0", "."))
    for control in _C0:
        code = f"U+{ord(control):04X}"
        yield TextChange(f"{code} is dropped", _replaced(control, ""), (f"a{control}b",), optional=True)
    yield TextChange("C1 controls are dropped", _without_category("Cc"), ("a\x80b\x9fc",), optional=True)
    yield TextChange("it is cut at NUL", _before("\0"), ("a\0b",), optional=True)
    yield TextChange("NUL is dropped", _replaced("\0", ""), ("a\0b",), optional=True)
    yield TextChange("noncharacters are dropped", _sub("[\ufffe\uffff\ufdd0]"), ("a\ufffeb\uffffc\ufdd0d",), optional=True)
    yield TextChange("replacement characters are dropped", _replaced("\ufffd", ""), ("a\ufffdb",))
    yield from _marked()
    yield from _swept()
    for length in _LENGTHS:
        yield TextChange(f"cut at {length:,} characters", lambda given, n=length: given[:n], (_long(length + 1),))
        yield TextChange(f"cut at {length:,} bytes", lambda given, n=length: given.encode()[:n].decode("utf-8", "ignore"), ("雾" * (length // 3 + 1),))
    for length in (20_000, 65_535, 100_000):
        yield TextChange(f"cut at {length:,} characters", lambda given, n=length: given[:n], (_long(length + 1),), optional=True)


def _marked() -> Iterator[TextChange]:
    """Yield texts in which each sign of ASCII begins and ends the prompt, or stands round a word, once and more often."""
    for sign in string.punctuation:
        yield TextChange(f"{sign} is dropped at the ends", lambda given, s=sign: given.strip(s), (f"{sign}a lighthouse{sign}",))
    for count in (1, 2, 3):
        yield TextChange(f"{count} signs round a word are dropped", lambda given, n=count: re.sub(rf"([^\w\s])\1{{{n - 1}}}(\w+)\1{{{n}}}", r"\2", given), (" ".join(f"{sign * count}a{sign * count}" for sign in string.punctuation),))
        yield TextChange(f"{count} signs before a word are dropped", lambda given, n=count: re.sub(rf"(?<= )([^\w\s])\1{{{n - 1}}}(\w+)", r"\2", given), ("x " + " ".join(f"{sign * count}a" for sign in string.punctuation),))
    yield TextChange("pairs of signs become one", _sub(r"([^\w\s])\1", r"\1"), (_pairs(),))
    yield TextChange("weights of words are read", _sub(r"[(\[{<]([^:()]+)(:[^()]*)?[)\]}>]", r"\1"), ("(a:1.2) [b:0.5] ((c)) [[d]] {e|f} {{g}} <lora:h:0.8> (i)1.3 j::2 (k:l:0.5) BREAK m AND n",))
    yield TextChange("Markdown is read", _sub(r"(?m)^(#+|-|\d+\.|>) |[*_`]"), ("# a\n\n- b\n- c\n1. d\n> e\n**f** _g_ `h` [i](https://example.com) ![j](k.png)\n```\nl\n```\n---\n| m | n |\n",))
# fmt: on


def _pairs() -> str:
    """Return a text in which each pair of signs, letters or digits of ASCII, and of the blank, occurs."""
    signs = [chr(code) for code in range(0x20, 0x7F)]
    return "a" + "".join(first + second for first in signs for second in signs) + "a"


def _swept() -> Iterator[TextChange]:
    """Yield texts that hold every assigned character but controls, in the order of their codes."""
    planes = (*range(0xA0, 0xD800), *range(0xE000, 0x10000), *range(0x10000, 0x14680), *range(0x1B000, 0x1B300), *range(0x1D000, 0x1FBFA),
              *range(0x20000, 0x20800), *range(0x2F800, 0x2FA20), *range(0xE0001, 0xE01F0))  # fmt: skip
    found = [chr(code) for code in planes if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Cc")]
    for start in range(0, len(found), _SWEEP):
        some = found[start : start + _SWEEP]
        name = f"a character of U+{ord(some[0]):04X} to U+{ord(some[-1]):04X} is dropped"
        yield TextChange(name, _replaced(some[len(some) // 2], ""), (f"a{''.join(some)}a",))


def _long(length: int) -> str:
    """Return a text whose every place is recognisable."""
    return "".join(f"{number:05d} " for number in range(length // 6 + 1))[: length - 1] + "z"


CHANGES: Final = tuple(_changes())
_MIXED: Final = (
    '  \u3000A Lighthouse+IN %41%20 &amp; &lt;b&gt; <i>x</i> \\n \\u706f e\u0301 é ﬁ ２ Å 🌫 👩\u200d🚀 “灯塔”，it\'s "q"\t a  b\r\nc\n\nd'
    " --ar 1:1 # x; y=z {{7*7}} %s ... – Ã© \u200e\u202e\u2028 "
)


def _kept(
    name: str, given: str, *, optional: bool, fault: Callable[[str], str] | None = None, beside: tuple[Part, ...] = ()
) -> Example:
    """Return an example of a prompt that the query must return exactly, whatever is sent beside it."""

    def run(server: ServerUnderTest) -> None:
        parts = (text("prompt", given), *beside)
        send = partial(server.submit, parts)
        what = f"the prompt {given[:40]!r} (it shows whether {name})"
        may_refuse = optional or len(given) > _LONG
        last = server.must_accept(send, what, _RULE, server.facts.meaning(parts), optional=may_refuse)
        if last.data.get("image_status") is not None:
            server.need_echo(last, "prompt")

    return Example(name, run, images=1, fault=None if fault is None else ("store_prompt", fault))


def _changed(changes: Iterable[TextChange]) -> Iterator[Example]:
    for change in changes:
        for number, given in enumerate(change.texts, 1):
            name = change.name if len(change.texts) == 1 else f"{change.name} ({number})"
            yield _kept(name, given, optional=change.optional, fault=change.apply)


def _together(facts: ApiFacts) -> Iterator[Example]:
    del facts
    yield _kept("anything of a mixed text is changed", _MIXED, optional=False)
    file = Part("sourceImage", png(), "a.png", "image/png")
    others = {
        "a source image": (file,),
        "an address": (text("imageUrl", "https://example.com/a%20b+c.png"),),
        "a size": (text("resolution", "2560x1440"),),
    }
    for name, beside in (others | {"all of them": tuple(part for parts in others.values() for part in parts)}).items():
        yield _kept(f"anything of a mixed text is changed beside {name}", _MIXED, optional=False, beside=beside)
    yield _kept("a long mixed text is cut", _MIXED + _long(10_001), optional=False)


# What a cache may take for one text, and by which key: the second text must not come back as the first.
_ALIKE: Final[dict[str, tuple[str, str, Callable[[str], str]]]] = {
    "case": ("A Red Lighthouse", "a red lighthouse", str.casefold), "blanks at the end": ("a red lighthouse", "a red lighthouse ", str.strip),
    "blanks inside": ("a red  lighthouse", "a red lighthouse", lambda given: " ".join(given.split())), "line ends": ("a\r\nb", "a\nb", lambda given: "\n".join(given.splitlines())),
    "composition": ("cafe\u0301", "caf\u00e9", partial(unicodedata.normalize, "NFC")), "width": ("ＡＢ１", "AB1", partial(unicodedata.normalize, "NFKC")),
    "signs": ("a red lighthouse.", "a red lighthouse!", _sub(r"[^\w\s]")), "the order of words": ("fog at dawn", "dawn at fog", lambda given: " ".join(sorted(given.split()))),
    "what is after 64 characters": (_long(64) + "1", _long(64) + "2", lambda given: given[:64]), "what is after 255 characters": (_long(255) + "1", _long(255) + "2", lambda given: given[:255]),
    "what is after 1,000 characters": (_long(1000) + "1", _long(1000) + "2", lambda given: given[:1000]), "what is before the last 32 characters": ("1" + _long(64), "2" + _long(64), lambda given: given[-32:]),
    "how a number is written": ("1.0", "1", lambda given: str(float(given)) if given[0] == "1" else given),
}  # fmt: skip


def _apart(facts: ApiFacts) -> Iterator[Example]:
    for name, (first, second, key) in _ALIKE.items():

        def run(server: ServerUnderTest, name: str = name, given: tuple[str, str] = (first, second)) -> None:
            for prompt in given:
                parts = (text("prompt", prompt),)
                send = partial(server.submit, parts)
                what = f"the {'first' if prompt == given[0] else 'second'} of two prompts that differ in {name}"
                server.need_echo(server.must_accept(send, what, _RULE, facts.meaning(parts)), "prompt")

        yield Example(f"prompts that differ in {name}", run, 2, fault=("store_prompt", _Interning(key)))


class _Interning:
    """A fault: the text that came first stands for every text of its key."""

    def __init__(self, key: Callable[[str], str]) -> None:
        self._key, self._known = key, dict[str, str]()

    def __call__(self, given: str) -> str:
        return self._known.setdefault(self._key(given), given)


RELATIONS: Final = (
    Relation("text.together", _RULE, "A query returns the prompt exactly as it was sent, also one that mixes scripts, escapes and blanks.", _together,
             unseen="The picture itself does not show what the model was given; a server whose query returns no prompt shows nothing."),
    Relation("text.apart", _RULE, "Prompts that are nearly alike are not taken for each other.", _apart),
    Relation("text.exact", _RULE, "No transformation of text is applied to a prompt: the query returns it character by character.", lambda _: _changed(CHANGES),
             unseen="imageUrl, source images and their names never come back; what became of them cannot be seen."),
)  # fmt: skip
