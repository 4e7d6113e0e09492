"""YAML and JSON in, YAML out; prose, its facts and its language; patterns: each rule with the whole of what comes of it."""

# ruff: noqa: E501 -- tables read best with one case a line; the page's own signs

import re
from typing import Any

import pytest
from pipeline import language, ledger, strict_yaml
from pipeline.ecma_pattern import Untranslatable, is_translatable, to_python
from pipeline.flatten import Leaf, Name
from pipeline.language import language_of, match, other_statements, prose_at, reread_facts
from pipeline.prose import (
    added_sentences,
    as_line,
    contains_quote,
    contains_value,
    digest,
    missing_facts,
    normal,
    numbers,
    sentences,
    strip_end,
    tokens,
)
from pipeline.strict_yaml import Unreadable, dump_yaml, load_json, load_yaml

NO_MERGE = "it holds a merge key (<<), which YAML 1.2 does not have"
HALF = "the text '\\ud800' holds half of a character (a lone surrogate)"
DEEP = "nested deeper than 60 levels"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"), ("# only\n", "it is empty"), ("a: *b\n", "found undefined alias 'b' (line 1, column 4)"),
        ("a: [1\nb: 2", "while parsing a flow sequence expected ',' or ']', but got ':' (line 2, column 2)"),
        ("a: 1\na: 2\n", 'while constructing a mapping found duplicate key "a" with value "2" (original value: "1") (line 2, column 1)'),
        ("a: !foo b", "could not determine a constructor for the tag '!foo' (line 1, column 4)"),
        ("---\na: 1\n---\nb: 2\n", "expected a single document in the stream but found another document (line 3, column 1)"),
        ("a: &x [*x]", "an alias contains itself"), ("1.5: a", "the key 1.5 is not text"), ("true: a", "the key True is not text"),
        ("? null\n: a", "the key None is not text"), ("? [1]\n: a", "the key (1,) is not text"), ("<<: {a: 1}", NO_MERGE), ("'<<': 1", NO_MERGE),
        (f"? [{'1, ' * 40}]\n: a", "the key (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  is not text"),
        ("a: .inf", "inf is too large or not a number that JSON has"), ("a: 5e400", "inf is too large or not a number that JSON has"),
        ("a: .nan", "nan is too large or not a number that JSON has"), ("a: !!binary aGk=", "a value of type bytes is not taken"),
        ("a: !!set {b}", "a value of type set is not taken"), ("a: !!timestamp 2026-01-02", "a value of type date is not taken"),
        ('a: "\\ud800"', HALF), ('? "\\ud800"\n: 1', HALF), (f'a: "\\ud800{"x" * 99}"', f"the text '\\ud800{'x' * 53} holds half of a character (a lone surrogate)"),
        (f"a: {'[' * 61}{']' * 61}", DEEP), ("[" * 500, DEEP), ("1: a\n'1': b", "found duplicate key '1' in one object"),
        (f"{'1' * 90}: a\n'{'1' * 90}': b", f"found duplicate key '{'1' * 79} in one object"),
        ("\x01", 'unacceptable character #x0001: special characters are not allowed in "<unicode string>", position 0'),
        ("x" * 1_000_001, "longer than 1,000,000 bytes"), ("é" * 500_001, "longer than 1,000,000 bytes"),
        (f"a: &a [{'1,' * 999}]\nb: [{'*a,' * 200}]", "more than 200,000 values once its aliases are written out"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_yaml_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        load_yaml(text)
    assert (str(caught.value), caught.value.__cause__) == (said, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("%YAML 1.1\n---\na: yes", {"a": "yes"}), ("a: 0o8", {"a": "0o8"}), ("- 1\n- 2", [1, 2]), ("&a a: *a", {"a": "a"}), ("a: " + "[" * 60 + "]" * 60, None),
        ("a: [~, null, Null, NULL, nuLL, '']", {"a": [None, None, None, None, "nuLL", ""]}), ("a:", {"a": None}),
        ("a: [true, True, TRUE, false, False, FALSE, tRUE]", {"a": [True, True, True, False, False, False, "tRUE"]}),
        ("a: [0, -1, +2, 0o17, 0x1F, 1.5, -.5, +1., 1e3, 1.5E-3]", {"a": [0, -1, 2, 15, 31, 1.5, -0.5, 1.0, 1000.0, 0.0015]}),
        ("a: [0o, 0x, -, +, ., 1.2.3, e3, .infx, 12:30, 0b1]", {"a": ["0o", "0x", "-", "+", ".", "1.2.3", "e3", ".infx", "12:30", "0b1"]}),
        ("200: {-1: a, 0x10: b}", {"200": {"-1": "a", "16": "b"}}), ("a: &x {b: [1]}\nc: [*x, *x]", {"a": {"b": [1]}, "c": [{"b": [1]}, {"b": [1]}]}),
        (f"a: &a [{'1,' * 997}]\nb: [{'*a,' * 199}]", None), ("x" * 999_990, "x" * 999_990), ("a: " + "9" * 400, {"a": int("9" * 400)}), ("a: " + "9" * 401, {"a": float("inf")}),
    ],
)  # fmt: skip
def test_yaml_is_read_by_the_core_schema(text: str, value: Any) -> None:
    if value == {"a": float("inf")}:
        with pytest.raises(Unreadable):
            load_yaml(text)
    else:
        found = load_yaml(text)
        assert value is None or repr(found) == repr(value)


def test_the_table_of_types_is_made_once() -> None:
    assert strict_yaml._core_schema() == strict_yaml._CORE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"), ("[1] 2", "Extra data: line 1 column 5 (char 4)"), ("[NaN]", "nan is too large or not a number that JSON has"),
        ('{"b":1,"a":1,"a":2}', "found duplicate key 'a' in one object"), ('{"a":1,"b":2,"b":2,"a":3}', "found duplicate key 'a' in one object"),
        (f'{{"{"k" * 90}":1,"{"k" * 90}":2}}', f"found duplicate key '{'k' * 79} in one object"),
        ("[-1e999]", "-inf is too large or not a number that JSON has"), ('["\\ud800"]', HALF), ('{"<<": 1}', NO_MERGE), ("[" * 62 + "]" * 62, DEEP),
        ("[" * 60_000, DEEP), ("x" * 20_000_001, "longer than 20,000,000 characters"), ("[" + "1," * 200_000 + "1]", "more than 200,000 values once its aliases are written out"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_json_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        load_json(text)
    assert (str(caught.value), caught.value.__cause__) == (said, None)


def test_json_is_read_whole() -> None:
    text = '{"a": [1, 1.5, true, null, "x"], "b": {"a": {}}}'
    assert load_json(text) == {"a": [1, 1.5, True, None, "x"], "b": {"a": {}}}
    assert load_json("[" * 61 + "]" * 61)
    assert len(load_json("[" + "1," * 199_998 + "1]")) == 199_999
    assert load_json('"' + "x" * 19_999_998 + '"') == "x" * 19_999_998


DUMPED = """\
a: x
b: x y
c: "yes"
d: "9:16"
e: |-
  l1
  l2
f: "l1\\n l2 "
g: ""
h: null
i: true
j: 1.5
k:
- 1
- - 2
l: {}
m: []
"n": /v1/a.b
o: "é"
p: "x  y"
q: "Null"
r: " a\\nb"
s: |
  a
t: "a#b"
u: a-b+c{d}()
v: $ref
w: |-
  中
  文
x: "a\\tb"
"y": "No"
b1: &b b
"""
DATA: dict[str, Any] = {
    "a": "x", "b": "x y", "c": "yes", "d": "9:16", "e": "l1\nl2", "f": "l1\n l2 ", "g": "", "h": None, "i": True, "j": 1.5, "k": [1, [2]],
    "l": {}, "m": [], "n": "/v1/a.b", "o": "é", "p": "x  y", "q": "Null", "r": " a\nb", "s": "a\n", "t": "a#b", "u": "a-b+c{d}()", "v": "$ref",
    "w": "中\n文", "x": "a\tb", "y": "No",
}  # fmt: skip


def test_yaml_is_written_so_that_every_loader_reads_the_same() -> None:
    assert dump_yaml(DATA) == DUMPED.replace("b1: &b b\n", "")
    assert dump_yaml({"a": "x y " * 200}) == f'a: "{"x y " * 200}"\n'
    assert dump_yaml({"a": "y" * 300}) == f"a: {'y' * 300}\n"


# --- prose


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a \n\t b ", "a b"), ("中 文\na 中 b", "中文 a中b".replace(" a", "a")), ("e\u0301", "é"), ("，  a", "，a"), ("ﾊ ﾝ", "ﾊﾝ"), ("（ a ）", "（a）"), ("한 글", "한글"),
        ("a  b", "a b"), ("", ""),
    ],
)  # fmt: skip
def test_the_normal_form_has_one_space_and_none_beside_cjk(text: str, expected: str) -> None:
    assert normal(text) == expected
    assert strip_end(f"{text}。！;；.．!") == expected
    assert digest(text) == digest(expected)


def test_a_digest_is_that_of_the_normal_form() -> None:
    assert digest(" 提示词\n（必填）") == "56234fc435fbac84efaf98dea94804be8574d5ada84b07aa95c1cf3d0cd95434"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A. B! C? D", ["A.", "B!", "C?", "D"]), ("e.g. this, i.e. that. E.G. so", ["e.g. this, i.e. that.", "E.G. so"]), ("1.5 and v2.0", ["1.5 and v2.0"]),
        ("甲。乙！丙？丁", ["甲。", "乙！", "丙？", "丁"]), ("甲。 乙", ["甲。", "乙"]), ("a\n\n  b \n- c", ["a", "b", "- c"]), ("", []), ("a\t b\u3000c", ["a b c"]),
        ("end.", ["end."]), ("a.b. c", ["a.b.", "c"]),
    ],
)  # fmt: skip
def test_sentences_end_at_stops_and_lines(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "old", "expected"),
    [("甲。乙。丙", "丙。甲", ["乙。"]), ("a. b", "", ["a.", "b"]), ("a. b.", "b. a", []), ("a;", "a", []), ("a ;", "a", ["a ;"]), ("a b", "a  b.", []), ("x. y. x", "y", ["x.", "x"])],
)  # fmt: skip
def test_added_sentences_are_those_that_the_old_text_lacks(text: str, old: str, expected: list[str]) -> None:
    assert added_sentences(text, old) == expected


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("URL of it", "URL", True), ("aURL", "URL", False), ("URLs", "URL", False), ("1URL", "URL", False), ("中URL中", "URL", True), ("1-15", "1-15", True), ("1-15,000", "1-15", False),
        ("1-15.", "1-15", True), ("1-15, 2", "1-15", True), ("21-15", "1-15", False), ("提示词（必填）1", "提示词（必填）", True), ("a.b", "a.b", True), ("axb", "a.b", False), ("é", "e\u0301", True),
        ("a  b", "a b", True), ("文1", "文", True), ("1文", "文", True), ("(x)y", "(x)", True), ("21个", "1个", False), ("个15", "个1", False), ("1个", "1个", True), ("a个", "个", True),
    ],
)  # fmt: skip
def test_a_quote_is_held_as_whole_words(text: str, quote: str, *, found: bool) -> None:
    assert contains_quote(text, quote) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,234 and 12,34", [1234, 12, 34]), ("1 234 567", [1234567]), ("1\u202f234", [1234]), ("1\u00a0234.", [1234]), ("1.5, 2.0", [1.5, 2.0]), ("a1 1a _1 1_", []), ("v1.5 1.5.2", [1.5]),
        ("１５", [15]), ("-3", [3]), ("1,2345", [1, 2345]), ("中15中", [15]), ("12,345,678", [12345678]), ("", []),
    ],
)  # fmt: skip
def test_numbers_are_read_with_their_thousands_marks(text: str, found: list[float]) -> None:
    assert repr(numbers(text)) == repr(found)


@pytest.mark.parametrize(
    ("text", "value", "found"),
    [
        ("1,000", 1000, True), ("1000x2", 1000, False), ("2.5", 2.5, True), ("2", 2.0, True), ("1", True, False), ("True", True, True), ("2048 × 1024", "2048x1024", True), ("2048X1024", "2048x1024", False),
        ("12048x1024", "2048x1024", False), ("9:16", "9:16", True), ("19:16", "9:16", False), ("9：16", "9:16", True), ("4K", "4K", True), ("14K", "4K", False), ("4Kx", "4K", False), ("２K", "2K", True),
        ("by seedreamv45.", "seedreamv45", True), ("seedreamv45x", "seedreamv45", False), ("ｓｅｅｄ", "seed", True), ("x", "", True),
    ],
)  # fmt: skip
def test_a_value_is_held_as_its_kind(text: str, value: Any, *, found: bool) -> None:
    assert contains_value(text, value) is found
    assert missing_facts(text, {"a": value, "b": (value, "never")}) == ([] if found else ["a"]) + ["b"]


def test_facts_are_read_by_kind() -> None:
    text = "9：16、16:9；2K 或 4K；2048 x 2048、1x2，10*20；1,000 个，5.5，3，686"
    assert tokens(text) == {
        "size": ["2048x2048", "1x2", "10x20"],
        "ratio": ["9:16", "16:9"],
        "tier": ["2K", "4K"],
        "number": ["1000", "5.5", "3686"],
    }
    assert tokens("没有，1,024x768") == {"number": ["1"]}
    assert [as_line(fact) for fact in (("a", 1), 5, "x", True, ())] == ["a, 1", "5", "x", "True", ""]
    assert missing_facts("1, 2", {"one": 1, "both": (1, 2), "three": (1, 3), "four": 4}) == ["three", "four"]


# --- the page's language, and what it says where a rule stood


def rules(**rows: dict[str, Any]) -> ledger.Ledger:
    plain = {"standing": "stated", "source": "page", "summary": "x"}
    return ledger.parse({"rules": {name: {**plain, **row} for name, row in rows.items()}}, {})


def leaves(**texts: str) -> dict[Name, Leaf]:
    return {Name(f"submit/request/{name}", "description"): Leaf(text, "request") for name, text in texts.items()}


TWO = rules(
    A={"at": "submit/request/a", "sentences": {"zh": "甲", "en": "one"}}, B={"at": "submit/request/b", "sentences": {"zh": "乙", "en": "two"}},
    C={"at": "submit/request/c", "sentences": {"zh": "丙"}}, D={"at": "submit/request/d", "source": "a friend"},
)  # fmt: skip
ZH, EN = "x /zh/a post /b", "x /en-US/a post /b"


@pytest.mark.parametrize(
    ("texts", "fence", "expected"),
    [
        ({"a": "甲", "b": "乙", "c": "x"}, EN, "zh"), ({"a": "one", "b": "two", "c": "丙"}, ZH, "en"), ({"a": "甲。one", "b": "乙", "c": "two"}, EN, "zh"),
        ({"a": "one", "b": "x"}, ZH, "en"), ({"a": "plain words"}, "x /fr/a post /b", "fr"), ({"a": "plain words"}, "/de-AT/a", "de"), ({"a": "plain"}, "x/fr/a", "en"),
        ({"a": "plain words"}, ZH, "en"), ({"a": "plain words"}, "", "en"), ({"a": "ひらがな plain words and more of them"}, "", "ja"), ({"a": "한국어 abc"}, "", "ko"),
        ({"a": "中文 abc def"}, "", "zh"), ({"a": "中 abcd"}, "", "en"), ({"a": "中 abc"}, "", "zh"), ({"a": "русский"}, "", "ru"), ({"a": "カタカナ"}, "", "ja"), ({"a": ""}, "/ko/", "en"),
    ],
)  # fmt: skip
def test_the_language_is_told_by_sentences_then_script_then_address(
    texts: dict[str, str], fence: str, expected: str
) -> None:
    found = {
        **leaves(**texts),
        Name("document/info", "title"): Leaf("中文中文中文", "document"),
        Name("submit/request/n", "maximum"): Leaf(5, "request"),
    }
    assert language_of(found, TWO, fence) == expected


@pytest.mark.parametrize(
    ("rows", "found", "expected"), [(4, 2, "zh"), (4, 1, "en"), (3, 2, "zh"), (2, 1, "zh"), (1, 0, "en")]
)
def test_half_of_the_sentences_tell_the_language(rows: int, found: int, expected: str) -> None:
    known = rules(**{f"R{n}": {"at": f"submit/request/f{n}", "sentences": {"zh": "甲"}} for n in range(rows)})
    texts = {f"f{n}": "甲 word for word" if n < found else "word" for n in range(rows)}
    assert language_of(leaves(**texts), known, "") == expected
    assert language_of(leaves(a="word"), ledger.Ledger({}, {}), "") == "en"


def test_texts_of_replies_tell_the_language_too() -> None:
    found = {
        Name("submit/reply/a", "description"): Leaf("中文", "reply"),
        Name("submit/tags", "description"): Leaf("words of others", "operation"),
    }
    assert language_of(found, TWO, "") == "zh"


def test_all_prose_of_a_place_is_one_text() -> None:
    place = "submit/request/a"
    found = {
        Name(place, "title"): Leaf("T", "request"),
        Name(place, "type"): Leaf("string", "request"),
        Name(place, "x-note"): Leaf("N", "request"),
        **leaves(b="B"),
    }
    assert prose_at(found, place) == "T\nN"
    assert prose_at(found, "nowhere") == ""


PIXELS = {
    "at": "submit/request/a",
    "sentences": {"zh": "像素 [100, 200]（2x3）"},
    "facts": {"low": 100, "high": 200},
    "examples": {"valid": ["2x3"]},
}
RATIOS = {"at": "submit/request/a", "sentences": {"zh": "比例（1:2、2:1）"}, "facts": {"values": ["1:2", "2:1"]}}
RANGE = {"at": "submit/request/a", "sentences": {"zh": "数量，1-15"}, "mirrors": ["minimum", "maximum"]}


@pytest.mark.parametrize(
    ("row", "text", "mirrored", "expected"),
    [
        (PIXELS, "", {}, ("", ("nothing is said there",), ("nothing is said there",))),
        (PIXELS, "前文。- 像素 [100, 200]（2x3）。后文", {}, ("像素 [100, 200]（2x3）。", (), ())),
        (PIXELS, "• 像素 [100, 300]（2x3）", {}, ("像素 [100, 300]（2x3）", ("high (200) is not there", "it also holds the number 300"), ("high (200) is not there", "it also holds the number 300"))),
        (PIXELS, "像素 [100, 200]", {}, ("像素 [100, 200]", ("valid example (2x3) is not there",), ("valid example (2x3) is not there",))),
        (PIXELS, "最少 100。最多 200。如 2x3。别的", {}, ("最少 100。 最多 200。 如 2x3。", (), ())), (PIXELS, "100、200、2x3 和 5x6、7x8", {}, ("100、200、2x3 和 5x6、7x8", ("it also holds the size 5x6, 7x8",), ("it also holds the size 5x6, 7x8",))),
        (RATIOS, "比例 1:2、2:1、3:4，共 3 种", {}, ("比例 1:2、2:1、3:4，共 3 种", ("it also holds the ratio 3:4",), ("it also holds the ratio 3:4",))),
        (RANGE, "数量，1-20", {"minimum": 1, "maximum": 20}, ("数量，1-20", (), ())), (RANGE, "数量，1-20", {"minimum": 1, "maximum": 15}, ("数量，1-20", ("maximum (15) is not there", "it also holds the number 20"), ())),
        (RANGE, "另一个。数量很多", {}, ("数量很多", (), ())),
    ],
)  # fmt: skip
def test_the_sentence_that_fits_a_rule_best_is_found(
    row: dict[str, Any], text: str, mirrored: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    found = match(rules(A=row).rules["A"], leaves(a=text, b="像素 [100, 200]（2x3）"), mirrored)
    assert (found.sentence, found.problems, found.blocking) == expected


def test_of_very_many_sentences_the_likeliest_are_compared() -> None:
    assert (
        match(
            rules(A=PIXELS).rules["A"],
            leaves(
                a="。".join(
                    [*("无关的话" * 3 for _ in range(60)), "像素 [100, 200]（2x3）", *("其他" for _ in range(60))]
                )
            ),
            {},
        ).sentence
        == "像素 [100, 200]（2x3）。"
    )
    parts = [str(number) for number in range(10, 60)]
    assert language._nearest(parts[:40], "x") == parts[:40]
    assert language._nearest([*("b" * n for n in range(1, 40)), "ab", "a", "ba"], "ab") == [
        *("b" * n for n in range(1, 39)),
        "ab",
        "ba",
    ]
    assert language._windows(["a", "b", "c", "d"]) == ["a", "b", "c", "d", "a b", "b c", "c d", "a b c", "b c d"]


@pytest.mark.parametrize(
    ("row", "text", "facts", "examples"),
    [
        (PIXELS, "像素 [1,000, 2000]（4 × 5）", {"low": 1000, "high": 2000}, {"valid": ("4x5",)}), (PIXELS, "前文像素[100.5, 200]（2x3）后文", {"low": 100.5, "high": 200}, {"valid": ("2x3",)}),
        (PIXELS, "像素 [100]（2x3）", None, None), (PIXELS, "像素 [100, 200]（2x3、4x5）", None, None), (PIXELS, "像素数 [100, 200]（2x3）", None, None), (PIXELS, "像素 [100, 200]（2x3），像素 [1, 2]（2x3）", None, None),
        (RATIOS, "比例（1:2、2:1、3:4）", {"values": ("1:2", "2:1", "3:4")}, {}), (RATIOS, "比例（1:2）", {"values": ("1:2",)}, {}), (RATIOS, "比例（1:2, 3:4 和 5:6）", {"values": ("1:2", "3:4", "5:6")}, {}),
        (RATIOS, "比例（1:2/3:4; or 5:6）", {"values": ("1:2", "3:4", "5:6")}, {}), (RATIOS, "比例（x）", None, None), (RATIOS, "比例（1K）", None, None), (RANGE, "数量，1-20", {}, {}),
        ({**PIXELS, "facts": {"low": 100}, "sentences": {"zh": "从 100 到 200（2x3），即 100"}}, "从 1 到 2（2x3），即 1", {"low": 1}, {"valid": ("2x3",)}),
        ({**PIXELS, "facts": {"low": 100}, "sentences": {"zh": "从 100 到 200（2x3），即 100"}}, "从 1 到 2（2x3），即 9", None, None),
        ({"at": "a", "sentences": {"zh": "默认 4K 或 2K"}, "facts": {"tier": "4K"}}, "默认 8K 或 2K", {"tier": "8K"}, {}), ({"at": "a", "sentences": {"zh": "模型 abc 1"}, "facts": {"name": "abc"}}, "模型 abc 2", None, None),
    ],
)  # fmt: skip
def test_facts_are_carried_over_only_where_each_is_certain(
    row: dict[str, Any], text: str, facts: Any, examples: Any
) -> None:
    rule = rules(A=row).rules["A"]
    found = reread_facts(rule, next(iter(rule.sentences.values())), text)
    assert (found and found.facts, found and found.examples) == (facts, examples)


@pytest.mark.parametrize(
    ("sentence", "text", "expected"),
    [
        ("数量，1-15", "数量，1-15。数量，1-20", ["数量，1-20"]), ("数量，1-15。", "数量，1-15；数量 ，1-9", ["数量，1-9".replace("数量，", "数量 ，")]), ("数量，1-15", "数量，1-15", []), ("数量，1-15", "数量，11-15", ["数量，11-15"]),
        ("比例（1:2）", "比例（1:2、3:4）", ["比例（1:2、3:4）"]), ("无数", "无数。无数", []), ("a 1", "b 1. a 2, a 3", ["a 2, 3".replace(", 3", ""), "a 3"]), ("大小 2 x 3", "大小 2x3 大小 4×5", ["大小 4×5"]),
    ],
)  # fmt: skip
def test_other_statements_differ_in_nothing_but_their_facts(sentence: str, text: str, expected: list[str]) -> None:
    assert [one.strip() for one in other_statements(sentence, text)] == expected


# --- patterns

SPACE = r"\t\n\v\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


@pytest.mark.parametrize(
    ("pattern", "python"),
    [
        ("", ""), ("^a$", r"\Aa\Z"), (".", r"[^\n\r\u2028\u2029]"), (r"\.\/\-\$\^", r"\.\/\-\$\^"), ("[]", "(?!)"), ("[^]", r"[\x00-\U0010ffff]"), ("a[]b", "a(?!)b"), ("[^a-z[$.^]", r"[^a-z\[$.^]"), ("[^a]x[b]y[^]z", r"[^a]x[b]y[\x00-\U0010ffff]z"), ("[a]x[^b]", "[a]x[^b]"),
        ("[a&&b||c~~]", r"[a\&&b\||c\~~]"), (r"[\s\d\]]", rf"[{SPACE}\d\]]"), (r"\s\S", rf"[{SPACE}][^{SPACE}]"), ("(?<n>a)\\k<n>", "(?P<n>a)(?P=n)"), ("(?:a)(?=b)(?!c)(?<=d)(?<!e)", "(?:a)(?=b)(?!c)(?<=d)(?<!e)"),
        (r"\u4e00\x41\u{1F600}", "一A😀"), (r"\ud83d\ude00", "😀"), (r"\u{2e}", r"\."), (r"\0\t\n\v\f\r", r"\x00\t\n\v\f\r"), (r"\cA\cz", "\x01\x1a"), (r"(a)\1", r"(a)\1"), (r"\@\ ", r"@\ "), ("a{2}b{2,}c{2,3}", "a{2}b{2,}c{2,3}"),
        ("a+?b*?c??", "a+?b*?c??"), (r"\b\B\w\W\D", r"\b\B\w\W\D"), ("é", "é"), (r"[\b]", r"[\b]"), (r"[\0]", r"[\x00]"), (r"[\-\/]", r"[\-\/]"),
    ],
)  # fmt: skip
def test_a_pattern_is_translated(pattern: str, python: str) -> None:
    assert to_python(pattern) == f"(?a){python}"
    assert is_translatable(pattern)
    re.compile(to_python(pattern))


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("a" * 2001, "longer than 2,000 characters"), ("[a", "a set is not closed"), ("[a--b]", "two hyphens in a set"), ("(?i)a", "an unknown kind of group"), ("(?P<n>a)", "an unknown kind of group"), ("a{,5}", "a repetition without a lower bound"),
        ("a++", "a possessive quantifier, which ECMA-262 does not have"), ("a*+", "a possessive quantifier, which ECMA-262 does not have"), ("a?+", "a possessive quantifier, which ECMA-262 does not have"), ("a{2}+", "a possessive quantifier, which ECMA-262 does not have"),
        (r"\u{110000}", r"the character \u{110000} does not exist"), (r"\ud800", r"the character \ud800 does not exist"), (r"\udfff", r"the character \udfff does not exist"), (r"\p{L}", r"the escape \p"), (r"\_", r"the escape \_"), ("\\", r"the escape \at the end"), (r"[\S]", r"the escape \S"), (r"[\B]", r"the escape \B"), (r"[\1]", r"the escape \1"),
        (r"[\k<n>]", r"the escape \k"), (r"\c1", r"the escape \c"), ("(", "missing ), unterminated subpattern at position 4"), (r"\١", r"the escape \١"), ("(?<=a+)b", "look-behind requires fixed-width pattern"), (r"\k<n>", "unknown group name 'n' at position 8"),
    ],
)  # fmt: skip
def test_what_python_cannot_express_is_named(pattern: str, said: str) -> None:
    with pytest.raises(Untranslatable) as caught:
        to_python(pattern)
    assert (str(caught.value), is_translatable(pattern)) == (said, False)


def test_the_longest_pattern_is_translated() -> None:
    assert to_python("a" * 2000) == "(?a)" + "a" * 2000
    assert to_python(r"\u{10FFFF}\ue000\ud7ff") == "(?a)\U0010ffff\ue000\ud7ff"
