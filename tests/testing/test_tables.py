"""The tables from which examples are derived: spellings, changes of text, keys and ids that are not the one, forms."""

# ruff: noqa: E501 -- one case a line reads as a table

import ast
import contextlib
import re
import string
import unicodedata
from collections.abc import Callable
from typing import Any

import httpx
import judge
import pytest
from contract.servers.memory_server import parts_in
from seedream_testing.contract import RELATIONS, Example, Part, ServerUnderTest, Violation, text
from seedream_testing.contract.decode import parse_with_email
from seedream_testing.contract.relations import spellings, texts, values
from seedream_testing.contract.relations.keys import _changed
from seedream_testing.contract.relations.tasks import _others

BY_ID = {relation.id: relation for relation in RELATIONS}
Readers = dict[str, Callable[[str], str]]


def in_words(name: object) -> bool:
    return (
        isinstance(name, str)
        and name.strip() == name != ""
        and (" " not in name or name != name.upper())
        and "None" not in name
    )


# Spellings


@pytest.mark.parametrize("canonical", ["3", "12", "2048x2560", "16:9", "2K"])
def test_each_spelling_is_another_text_of_the_same_signs(canonical: str) -> None:
    found = spellings._spellings()
    for spelling in found:
        written = spelling.spell(canonical)
        assert isinstance(written, str), spelling
        assert in_words(spelling.name), spelling


def test_each_spelling_changes_something_and_has_a_name_of_its_own() -> None:
    found = list(spellings._spellings())
    assert len({spelling.name for spelling in found}) == len(found) > 200
    for spelling in found:
        assert any(spelling.spell(one) != one for one in ("3", "12", "2048x2560", "16:9", "2K")), spelling


SPELT = {  # what is written for 12, 2048x2560 and 16:9
    "space before": (" 12", " 2048x2560", " 16:9"), "tab after": ("12\t", "2048x2560\t", "16:9\t"), "NUL on both sides": ("\x0012\0", "\x002048x2560\0", "\x0016:9\0"),
    "two spaces inside": ("1  2", "2  048x2560", "1  6:9"), "HTML": ("<b>12</b>", "<b>2048x2560</b>", "<b>16:9</b>"), "Arabic digits": ("١٢", "٢٠٤٨x٢٥٦٠", "١٦:٩"),
    "one of the Arabic digits": ("1٢", "2048x256٠", "16:٩"), "full-width throughout": ("１２", "２０４８ｘ２５６０", "１６：９"), "leading zero": ("012", "02048x2560", "016:9"), "plus 2^8": ("268", "2304x2560", "272:9"),
    "minus 2^16": ("-65524", "-63488x2560", "-65520:9"), "plus 2^53": ("9007199254741004", "9007199254743040x2560", "9007199254741008:9"), "twice, comma between": ("12,12", "2048x2560,2048x2560", "16:9,16:9"), "twice, line between": ("12\n12", "2048x2560\n2048x2560", "16:9\n16:9"),
    "twice, semicolon between": ("12;12", "2048x2560;2048x2560", "16:9;16:9"), "twice, space between": ("12 12", "2048x2560 2048x2560", "16:9 16:9"), "twice, pipe between": ("12|12", "2048x2560|2048x2560", "16:9|16:9"),
    "twice, slash between": ("12/12", "2048x2560/2048x2560", "16:9/16:9"), "twice, hyphen between": ("12-12", "2048x2560-2048x2560", "16:9-16:9"), "twice, ampersand between": ("12&12", "2048x2560&2048x2560", "16:9&16:9"),
    "twice in a JSON list": ('["12", "12"]', '["2048x2560", "2048x2560"]', '["16:9", "16:9"]'), "as a JSON list": ('["12"]', '["2048x2560"]', '["16:9"]'), "as a JSON object": ('{"value": "12"}', '{"value": "2048x2560"}', '{"value": "16:9"}'),
    "percent-encoded": ("%31%32", "%32%30%34%38%78%32%35%36%30", "%31%36%3A%39"), "character references": ("&#49;&#50;", "&#50;&#48;&#52;&#56;&#120;&#50;&#53;&#54;&#48;", "&#49;&#54;&#58;&#57;"),
    "backslash escapes": (r"\u0031\u0032", r"\u0032\u0030\u0034\u0038\u0078\u0032\u0035\u0036\u0030", r"\u0031\u0036\u003a\u0039"), "capital letters": ("12", "2048X2560", "16:9"), "swapped case": ("12", "2048X2560", "16:9"), "small letters": ("12", "2048x2560", "16:9"),
    "'×' for x": ("12", "2048×2560", "16:9"), "'∶' for :": ("12", "2048x2560", "16∶9"), "spaces round the sign": ("12", "2048 x 2560", "16 : 9"), "tabs before the sign": ("12", "2048\tx2560", "16\t:9"), "no-break spaces after the sign": ("12", "2048x\u00a02560", "16:\u00a09"),
    "the sign twice": ("12", "2048xx2560", "16::9"), "no sign": ("12", "20482560", "169"), "the sign at the end": ("12", "2048x2560x", "16:9:"), "px after each number": ("12", "2048pxx2560px", "16:9"), "p after the last number": ("12p", "2048x2560p", "16:9p"),
    "a third number": ("12", "2048x2560x1", "16:9:1"), "w and h before each number": ("12", "w2048h2560", "16:9"), "leading zeros of the second number": ("12", "2048x02560", "16:09"), "a sign before the second number": ("12", "2048x+2560", "16:+9"),
    "a point after the second number": ("12", "2048x2560.0", "16:9.0"), "words around it": ("size 12 please", "size 2048x2560 please", "size 16:9 please"), "the field's name before it": ("batchsize=12", "resolution=2048x2560", "resolution=16:9"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "written"), SPELT.items(), ids=list(SPELT))
def test_a_spelling_is_what_its_name_says(name: str, written: tuple[str, ...]) -> None:
    [spelling] = [one for one in spellings._spellings() if one.name == name]
    assert tuple(spelling.spell(one) for one in ("12", "2048x2560", "16:9")) == written


def test_every_machine_word_and_every_letter_of_a_tier_is_tried() -> None:
    names = {spelling.name for spelling in spellings._spellings()}
    assert {f"{sign} 2^{bits}" for sign in ("plus", "minus") for bits in (8, 16, 31, 32, 53, 63, 64, 128)} <= names
    two_k = {spelling.name: spelling.spell("2K") for spelling in spellings._spellings()}
    assert {"spaces before the sign", "small letters", "the sign twice", "no sign"} <= {
        name for name, written in two_k.items() if written != "2K"
    }
    assert [
        two_k[name] for name in ("spaces before the sign", "small letters", "the sign twice", "no sign", "space inside")
    ] == ["2 K", "2k", "2KK", "2", "2 K"]
    assert len({written for name, written in two_k.items() if name.endswith("for K")}) == 4


# Changes of text


def test_each_change_of_text_is_shown_by_each_of_its_texts() -> None:
    found = list(texts._changes())
    assert len({change.name for change in found}) == len(found) > 300
    for change in found:
        assert in_words(change.name), change
        assert change.texts, change
        assert type(change.optional) is bool, change
        for given in change.texts:
            changed = change.apply(given)
            assert isinstance(changed, str), change.name
            assert changed != given, change.name
            given.encode()


def test_only_what_a_service_might_refuse_may_be_refused() -> None:
    optional = {change.name for change in texts._changes() if change.optional}
    assert {name for name in optional if not name.startswith("U+")} == {
        "words that offend are masked", "C1 controls are dropped", "it is cut at NUL", "NUL is dropped", "noncharacters are dropped",
        "cut at 20,000 characters", "cut at 65,535 characters", "cut at 100,000 characters",
    }  # fmt: skip
    controls = {code for code in (*range(1, 32), 127) if chr(code) not in "\t\n\r"}
    assert {int(name[2:6], 16) for name in optional if name.startswith("U+")} == controls


def test_a_text_is_cut_right_before_its_end() -> None:
    for change in texts._changes():
        if cut := re.fullmatch("cut at ([0-9,]+) characters", change.name):
            length = int(cut[1].replace(",", ""))
            assert (len(change.texts[0]), len(change.apply(change.texts[0]))) == (length + 1, length)
            assert (change.texts[0][-1], len(change.texts)) == ("z", 1)
        elif cut := re.fullmatch("cut at ([0-9,]+) bytes", change.name):
            length = int(cut[1].replace(",", ""))
            assert (
                length - 3
                < len(change.apply(change.texts[0]).encode())
                <= length
                < len(change.texts[0].encode())
                <= length + 3
            )
    numbers = [texts._long(length) for length in (7, 12, 100, 5000)]
    assert [len(given) for given in numbers] == [7, 12, 100, 5000]
    places = numbers[-1].split()[:-1]
    assert places == [f"{number:05d}" for number in range(len(places))]


def test_every_character_and_every_pair_of_signs_is_sent() -> None:
    signs = string.digits + string.ascii_letters + string.punctuation + " "
    pairs = texts._pairs()
    assert all(one + two in pairs for one in signs for two in signs)
    assert (pairs[0], pairs[-1], len(pairs)) == ("a", "a", 2 + 2 * 95 * 95)
    swept = set("".join(change.texts[0] for change in texts._swept()))
    planes = (*range(0xA0, 0xD800), *range(0xE000, 0x10000), *range(0x10000, 0x14000), *range(0x1D000, 0x1FB00), *range(0x20000, 0x20800), *range(0xE0001, 0xE01F0))  # fmt: skip
    missing = [
        code for code in planes if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Cc") and chr(code) not in swept
    ]
    assert missing == []
    assert max(len(change.texts[0]) for change in texts._swept()) <= 2002
    assert not swept & {chr(code) for code in (*range(0x20), 0x7F, *range(0xD800, 0xE000))}
    for change in texts._swept():
        first, last = (int(code, 16) for code in re.findall("U[+]([0-9A-F]+)", change.name))
        assert (chr(first), chr(last)) == (change.texts[0][1], change.texts[0][-2])


CHANGED: Readers = {  # what a service with some habit makes of a text, reckoned in another way
    "a  ": lambda given: " ".join(given.split()), " a ": str.strip, "a\nb": lambda given: given.split("\n")[0], "A": str.lower, "a": str.upper, "ß": str.casefold, "a+b": lambda given: given.replace("+", " "), "%41": lambda given: given.replace("%41", "A"),
    "&lt;": lambda given: given.replace("&lt;", "<"), "<b>": lambda given: given.replace("<b>", ""), r"a\nb": lambda given: given.replace(r"\n", "\n"), r"\u706f": lambda given: given.replace(r"\u706f", "灯"), "\\": lambda given: given.replace("\\", ""), "'": lambda given: given.replace("'", ""),
    '"': lambda given: given.replace('"', ""), "...": lambda given: given.replace("...", "…"), "…": lambda given: given.replace("…", "..."), "007": lambda given: given.lstrip("0"), "null": lambda given: given.replace("null", ""), "{{": lambda given: given.replace("{{7*7}}", "49"), ":fish:": lambda given: given.replace(":fish:", "🐟"),
    "!": lambda given: given.replace("!", ""), "very very": lambda given: given.replace("very very", "very"), "ooo": lambda given: given.replace("ooo", "oo"), ", ": lambda given: given.rstrip(", "), "--ar": lambda given: given.partition(" --")[0], "# ": lambda given: given.partition(" #")[0], "https:": lambda given: re.sub(r"https:\S+", "", given),
    "@": lambda given: given.replace("@", ""), ";": lambda given: given.partition(";")[0], "&": lambda given: given.partition("&")[0], "=": lambda given: given.partition("=")[0], "\r\n": lambda given: given.replace("\r\n", "\n"), "\t": lambda given: given.expandtabs(), "\u2028": lambda given: given.replace("\u2028", "\n"), "\x85": lambda given: given.replace("\x85", "\n"),
    "🌫": lambda given: given.replace("🌫", ""), "\u200d": lambda given: given.replace("\u200d", ""), "🏽": lambda given: given.replace("🏽", ""), "\u0301": lambda given: given.replace("\u0301", ""), "é": lambda given: given.replace("é", "e"), "\u200b": lambda given: given.replace("\u200b", ""), "\ue000": lambda given: given.replace("\ue000", ""), "灯": lambda given: given.replace("灯", ""),
    "㐀": lambda given: given.replace("㐀", ""), "𠮷": lambda given: given.replace("𠮷", "?"), "\u05e9": lambda given: given[::-1], "\ufffd": lambda given: given.replace("\ufffd", ""), "\0": lambda given: given.partition("\0")[0], "naked": lambda given: given.replace("naked", "***"), "drop": lambda given: given.replace("drop", ""), "<script>": lambda given: given.replace("<script>", ""),
    "ＡＢＣ": lambda given: unicodedata.normalize("NFKC", given), "**f**": lambda given: given.replace("**", ""), "(a:1.2)": lambda given: given.replace("(a:1.2)", "a"), "１": lambda given: unicodedata.normalize("NFKC", given), "–": lambda given: given.replace("–", "-"), "“": lambda given: given.replace("“", '"'), "1_000": lambda given: given.replace("_", ""), "1.50": lambda given: given.rstrip("0"),
    "javascript": lambda given: given.replace("javascript:", ""), "{0}": lambda given: given.replace("{0}", ""), "${HOME}": lambda given: given.replace("${HOME}", ""), "`": lambda given: given.replace("`", ""), "Ã": lambda given: given.encode("latin-1", "ignore").decode("utf-8", "ignore"), "\x9f": lambda given: given.replace("\x9f", ""), "\uffff": lambda given: given.replace("\uffff", ""),
}  # fmt: skip


@pytest.mark.parametrize("mark", CHANGED)
def test_a_service_with_a_habit_is_found_by_some_prompt(mark: str) -> None:
    prompts = [given for change in texts._changes() for given in change.texts if mark != "１" or "２" in given]
    assert any(CHANGED[mark](given) != given for given in prompts if mark in given or mark == "１")


def test_words_of_programs_are_sent_in_both_cases() -> None:
    [change] = [one for one in texts._changes() if one.name == "words of programs are dropped"]
    assert {"select", "javascript", "import", "nan"} <= set(change.texts[0].split())
    assert change.texts[1] == change.texts[0].upper() != change.texts[0]


READ: list[tuple[Callable[[str], str], str, str]] = [
    (texts._first_capital, "a b", "A b"), (texts._first_capital, "", ""), (texts._unescaped, r"a\nb\tc\r\\d\"e\'f\x", "a\nb\tc\r\\d\"e'f\\x"), (texts._unicode_unescaped, r"\u0041\u706f\u00", r"A灯\u00"),
    (texts._json_read, "1.50", "1.5"), (texts._json_read, "{", "{"), (texts._json_read, "null", "None"), (texts._number_read, "007", "7"), (texts._number_read, "1e3", "1000.0"), (texts._number_read, "1E3", "1000.0"), (texts._number_read, "1.50", "1.5"), (texts._number_read, "a", "a"),
    (texts._mojibake, "é", "Ã©"), (texts._lossy("ascii"), "é", "?"), (texts._lossy("latin-1"), "é灯", "é?"), (texts._without_category("Lu", "Nd"), "aB1-", "a-"), (texts._replaced("a", "b"), "aca", "bcb"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "given", "changed"), READ)
def test_a_text_is_read_as_the_function_says(change: Callable[[str], str], given: str, changed: str) -> None:
    assert change(given) == changed


# Keys and ids


KEY = "sk-Example-key-0000"
OTHER_KEYS: dict[str, str] = {
    "an unknown key": "sk-0000-no-account-has-this-key", "the key without its last character": KEY[:-1], "the key without its first character": KEY[1:], "the first half of the key": KEY[:9], "the second half of the key": KEY[9:], "the first character of the key": "s", "the key and one more character": KEY + "x",
    "one more character and the key": "x" + KEY, "the key twice": KEY * 2, "the key with another last character": KEY[:-1] + "x", "the key with another first character": "x" + KEY[1:], "the key with another character in the middle": KEY[:9] + "x" + KEY[10:], "the key turned round": "0000-yek-elpmaxE-ks",
    "the key in capital letters": "SK-EXAMPLE-KEY-0000", "the key in small letters": "sk-example-key-0000", "the key with its case swapped": "SK-eXAMPLE-KEY-0000", "the key with a space inside": f"{KEY[:9]} {KEY[9:]}", "the key with a hyphen inside": f"{KEY[:9]}-{KEY[9:]}", "the key without hyphens": "skExamplekey0000",
    "the key and a comma": KEY + ",", "the key and a semicolon": KEY + ";", "the key in quotation marks": f'"{KEY}"', "the key with stars": "sk-" + 16 * "*", "the key percent-encoded": "".join(f"%{byte:02X}" for byte in KEY.encode()), "the key partly percent-encoded": "%73" + KEY[1:], "the key in Base64": "c2stRXhhbXBsZS1rZXktMDAwMA==",
    "the key in hexadecimal": "736b2d4578616d706c652d6b65792d30303030", "the key in character references": "".join(f"&#{byte};" for byte in KEY.encode()), "the key in brackets": f"[{KEY}]", "the key in angle brackets": f"<{KEY}>", "the key and an equals sign": KEY + "=", "the key and a parameter": KEY + ", realm=x",
    "the key with underscores for hyphens": "sk_Example_key_0000", "a star": "*", "a percent sign": "%", "the text null": "null", "the text undefined": "undefined", "a quotation mark for a database": "' OR '1'='1", "a template of the vendor's": "YOUR_API_KEY",
}  # fmt: skip


def test_keys_that_are_not_the_key() -> None:
    found = dict(_changed(KEY))
    assert {name: other for name, other in found.items() if not name.startswith("the word ")} == OTHER_KEYS
    assert all(found[f"the word {word}"] == word for word in ("admin", "test", "0"))
    assert dict(_changed("xyx"))["the key with another first character"] == "yyx"


TASK = "abcdEFGH-1234_5678"
OTHER_IDS: dict[str, str] = {
    "an unknown id": "no-such-task", "its first half": "abcdEFGH-", "without its last character": TASK[:-1], "without its first character": TASK[1:], "and one more character": TASK + "0", "and a letter": TASK + "x", "with one before": "0" + TASK, "with another last character": TASK[:-1] + "0",
    "with another first character": "0" + TASK[1:], "turned round": TASK[::-1], "twice": TASK * 2, "in capital letters": "ABCDEFGH-1234_5678", "in small letters": "abcdefgh-1234_5678", "with its case swapped": "ABCDefgh-1234_5678", "without hyphens": "abcdEFGH12345678", "with hyphens for underscores": "abcdEFGH-1234-5678",
    "with a wildcard": TASK[:-1] + "%", "with a star": TASK[:-1] + "*", "with a question mark": TASK[:-1] + "?", "with an underscore as wildcard": TASK[:-1] + "_", "a wildcard": "%", "a star": "*", "a pattern": ".*", "a quotation mark for a database": "' OR '1'='1", "the id and a comment": TASK + "' --", "a path": "../" + TASK,
    "with a slash": TASK + "/", "with a query": TASK + "?x=1", "with a fragment": TASK + "#", "percent-encoded": "".join(f"%{byte:02X}" for byte in TASK.encode()), "partly percent-encoded": "abcdEFGH%2D1234_5678", "an address": "https://example.com/" + TASK, "a very long id": TASK + 5000 * "0", "as a URN": "urn:uuid:" + TASK,
    "with a hyphen in the middle": "abcdEFGH--1234_5678", "with the hyphens of a UUID": "abcdEFGH--123-4_56-78-",
    "half of a character": "\ud83d", "and half of a character": TASK + "\ud83d",
}  # fmt: skip


def test_ids_that_are_not_the_id() -> None:
    found = dict(_others(TASK))
    assert {name: found[name] for name in OTHER_IDS} == OTHER_IDS
    assert found.keys() - OTHER_IDS.keys() | {"percent-encoded"} == {
        one.name for one in spellings.SPELLINGS if one.spell("a1b22") != "a1b22"
    }
    assert all(
        found[one.name] == one.spell(TASK)
        for one in spellings.SPELLINGS
        if one.name in found and one.name not in OTHER_IDS
    )
    assert dict(_others("0a0"))["with another last character"] == "0a1"
    assert dict(_others("0a0"))["with another first character"] == "1a0"
    assert dict(_others("abc"))["partly percent-encoded"] == "%61bc"


# What is sent


def sent_by(example: Example) -> list[httpx.Request]:
    """Run an example on a server that refuses everything; gives what it sent."""
    seen = list[httpx.Request]()

    def refuse(request: httpx.Request) -> httpx.Response:
        request.read()
        seen.append(request)
        return httpx.Response(200, json={"code": 9999, "msg": "no"})

    transport = httpx.MockTransport(refuse)
    with ServerUnderTest("http://127.0.0.1", KEY, judge.FACTS, transport) as server, contextlib.suppress(Violation):
        example.run(server)
    return seen


def parts_of(request: httpx.Request) -> tuple[Part, ...]:
    return parse_with_email(request.headers["content-type"], request.content)


VALUES = [relation for relation in RELATIONS if relation.id.split(".")[0] in ("batchsize", "resolution")]


@pytest.mark.parametrize("relation", VALUES, ids=lambda relation: relation.id)
def test_the_value_that_an_example_names_is_the_one_that_it_sends(
    relation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "SPELLINGS", tuple(spellings._spellings()))
    field = relation.id.split(".")[0]
    family = relation.derive(judge.FACTS)
    for example in family[:: max(1, len(family) // 150)]:
        [request] = sent_by(example)[:1]
        parts = parts_of(request)
        sent = {part.name: part.content.decode() for part in parts}
        assert len(parts) == len(sent)
        if example.name == "an empty resolution":  # a known task is made first
            continue
        assert sent.pop("prompt") == "a lighthouse", example.name
        if sized := re.fullmatch("([0-9]+) of (.+)", example.name):
            if "digits" not in example.name:
                assert sent == {"batchsize": sized[1], "resolution": sized[2]}
            continue
        assert list(sent) == [field], example.name
        shown = re.search("(?:^|with .*: |batchsize |resolution )('(?:.|\n)*'|\"(?:.|\n)*\")$", example.name)
        if shown:
            assert ast.literal_eval(shown[1])[:60] == sent[field][:60], example.name
        else:
            assert re.search("digits|beyond|32 bits", example.name), example.name


def sent_values(relation: str) -> set[str]:
    return {
        parts_of(sent_by(example)[0])[-1].content.decode()
        for example in BY_ID[relation].derive(judge.FACTS)
        if example.name != "an empty resolution"
    }


def test_numbers_at_every_bound_are_sent() -> None:
    numbers = {int(value) for value in sent_values("batchsize.bounds") if re.fullmatch("-?[0-9]{1,30}", value)}
    assert {-15, -1, 0, 1, 2, 8, *range(14, 135), 150, 1500, 999, 1000, 9999} <= numbers
    for bits in (7, 8, 15, 16, 31, 32, 63, 64):
        assert {2**bits - 1, 2**bits, 2**bits + 1, 2**bits + 15, -(2**bits) + 1} <= numbers | {-(2**64) - 1}, bits
    assert min(numbers) >= -(2**64)
    assert {len(value) for value in sent_values("batchsize.bounds")} >= {400, 5000}
    assert {f"{number}" for number in range(-2, 19)} <= sent_values("batchsize.each") | {"16:9"}
    assert {"1.5", "8.25", "15.1", "0.9", "", "\n"} <= sent_values("batchsize.word")
    outside = sent_values("batchsize.bounds")
    assert {"0.0", " 0", "0x10", "016", "16.0", " 16"} <= outside


def test_sizes_at_every_bound_are_sent() -> None:
    sizes = sent_values("resolution.pixels")
    pixels = {eval(size.replace("x", "*")) for size in sizes}  # noqa: S307 -- digits and one sign, checked below
    assert all(re.fullmatch("[0-9]+x[0-9]+", size) for size in sizes)
    for bound in (3686400, 16777216):
        assert {bound + offset for offset in (-2, -1, 0, 1, 2)} <= pixels
        assert {f"{bound}x1", f"1x{bound}", f"{bound + 1}x1", f"1x{bound - 1}"} <= sizes
    assert {
        "1920x1920",
        "1920x1919",
        "1919x1920",
        "1920x1921",
        "4096x4096",
        "4096x4097",
        "4097x4096",
        "4096x4095",
        "2048x8192",
        "2048x8193",
        "512x7200",
        "512x7199",
    } <= sizes
    assert not any("x0" in size[:-1] and size.endswith("x0") for size in sizes)
    words = sent_values("resolution.size")
    for bits in (8, 16, 31, 32, 63, 64):
        assert {f"{2**bits + 2048}x2048", f"2048x{2**bits + 2048}"} <= words, bits
        wrapped = [int(size[2:]) * 4 - 2**bits for size in words if re.fullmatch("4x[0-9]+", size)]
        assert any(3686400 <= pixel <= 16777216 for pixel in wrapped), bits
    assert {f"{2**32 - 2048}x{2**32 - 2048}", "9" * 300 + "x" + "9" * 300, "9" * 5000 + "x1"} <= words


def test_every_ratio_and_tier_but_the_listed_ones_is_sent() -> None:
    ratios = sent_values("resolution.ratio")
    assert {f"{width}:{height}" for width in range(1, 22) for height in range(1, 22)} - ratios == {*judge.FACTS.ratios}
    assert {
        "18:32",
        "27:48",
        "90:160",
        "1080:1920",
        "9x16",
        "9/16",
        "9-16",
        "916",
        "9:16:1",
        "9:",
        ":16",
        "0.5625",
        "9*16",
        "-9:-16",
        "9.0:16",
        "9 : 16",
    } <= ratios
    tiers = sent_values("resolution.tier")
    assert {f"{number}K" for number in range(17)} - tiers == {*judge.FACTS.tiers}
    assert {
        "2k",
        "2",
        "2KK",
        "02K",
        "2 K",
        "2.0K",
        "2.5K",
        "-2K",
        "+2K",
        "2M",
        "2G",
        "2KKb"[:2] + "Kb"[1:],
        "2Kx2K",
        "2K:2K",
        "K2",
    } - tiers <= {"2Kb"}


@pytest.mark.parametrize("relation", ["form.file", "form.order", "form.legal"])
def test_files_are_sent_as_source_images_and_every_field_is_the_page_s(relation: str) -> None:
    for example in BY_ID[relation].derive(judge.FACTS):
        [request] = sent_by(example)
        found = parts_in(request.content, request.headers["content-type"].partition("boundary=")[2])
        assert {name for name, _ in found} <= judge.FACTS.rules.keys(), example.name
        assert all((name == "sourceImage") == isinstance(value, bytes) for name, value in found), example.name


@pytest.mark.parametrize("name", ["prompt", "batchsize", "resolution"])
def test_a_field_in_the_address_has_its_own_name_there(name: str) -> None:
    [example] = [
        one
        for one in BY_ID["form.media-type"].derive(judge.FACTS)
        if re.fullmatch(f"(the )?{name} in the address", one.name)
    ]
    [request] = sent_by(example)
    fields = {
        found for found, _ in parts_in(request.content, request.headers["content-type"].partition("boundary=")[2])
    }
    assert list(request.url.params) == [name]
    assert name not in fields
    assert fields == ({"batchsize", "resolution"} if name == "prompt" else {"prompt"})


def test_only_the_prompt_is_missing_where_it_is_required() -> None:
    """So that nothing else can be the reason of a refusal."""
    family = [one for one in BY_ID["prompt.required"].derive(judge.FACTS) if one.name.startswith(("only ", "no "))]
    assert len(family) >= 6
    for example in family:
        [request] = sent_by(example)
        parts = parts_of(request)
        assert "prompt" not in {part.name for part in parts}
        assert judge.form([text("prompt", "x"), *parts]).legal is True, example.name
