"""Strict YAML, prose and facts: what is read, and that nothing else gets through."""

# ruff: noqa: E501 -- tables read best with one case a line

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_edits import DOCUMENT, REPOSITORY, YAML
from pipeline import ledger, overlay
from pipeline.errors import BrokenInputs, RefusedInput
from pipeline.inputs import OVERLAY, REVIEWED, RULES, SETTINGS, read
from pipeline.language import other_statements, reread_facts
from pipeline.page import take
from pipeline.prose import added_sentences, contains_quote, digest, normal, numbers, sentences, tokens
from pipeline.strict_yaml import Unreadable, dump_yaml, load_json, load_yaml
from ruamel import yaml as ruamel_yaml

PIXELS = "总像素范围：[3,686,400, 16,777,216]（例如从 2560x1440 到 4096x4096）"
RATIOS = "宽高比（9:16、16:9、3:4）"
ROW = {"at": "submit/request/resolution", "standing": "stated", "source": "page", "summary": "x"}
LEDGER = ledger.parse(
    {
        "rules": {
            "PIXELS": {**ROW, "sentences": {"zh": PIXELS}, "facts": {"minimum": 3686400, "maximum": 16777216}},
            "RATIOS": {**ROW, "sentences": {"zh": RATIOS}, "facts": {"values": ["9:16", "16:9", "3:4"]}},
        }
    },
    {},
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
keys = texts.filter(lambda text: text != "<<")  # as a key it is refused, quoted or not: some loaders merge it
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


# What is written is read as the same, by ours and by a YAML 1.2 loader that is not ours.
@given(st.dictionaries(keys, plain, min_size=1, max_size=4))
def test_written_yaml_reads_as_the_same(data: dict[str, Any]) -> None:
    text = dump_yaml(data)
    assert overlay.same(load_yaml(text), data)
    assert overlay.same(ruamel_yaml.YAML(typ="safe", pure=True).load(text), data)


# YAML 1.2: what a YAML 1.1 loader would take for 556, false or a day stays text.
@pytest.mark.parametrize("word", ["9:16", "no", "on", "Y", "2026-01-02", "0777", "1_000", "3.0.3", "=", "1e", "0b1"])
def test_words_that_stay_words(word: str) -> None:
    assert load_yaml(f"a: {word}") == {"a": 777 if word == "0777" else word}
    assert f'"{word}"' in dump_yaml({"a": word}) or word == "="


@pytest.mark.parametrize(
    ("text", "value"),
    [("0x1F", 31), ("0o17", 15), ("-12", -12), ("1.5e3", 1500.0), (".5", 0.5), ("~", None), ("TRUE", True), ("''", "")],
)
def test_scalars_of_the_core_schema(text: str, value: object) -> None:
    assert overlay.same(load_yaml(f"a: {text}"), {"a": value})


def test_aliases_are_read_and_statuses_are_text() -> None:
    assert load_yaml("a: &x {b: 1}\nc: *x\n200: ok\n") == {"a": {"b": 1}, "c": {"b": 1}, "200": "ok"}


# No input, however odd, raises anything but the reader's own error.
@given(st.text(max_size=200) | st.text("[]{}&*!:-,'\"|> \n\tab1%@`#?", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    reread: list[str] = []
    for load in (load_yaml, load_json):
        try:
            json.dumps(load(text))
        except Unreadable as error:
            reread.append(str(error))
    assert not any("\n" in message for message in reread)


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda noise: YAML[:1000] + noise + YAML[1000:]))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    try:
        source = take(data, "x")
    except RefusedInput:
        return
    assert isinstance(source.document, dict)


def test_the_page_is_read_as_ruamel_reads_it() -> None:
    assert ruamel_yaml.YAML(typ="safe", pure=True).load(YAML.decode()) == DOCUMENT


# Another folding of the text is not a change; anything else is.
def test_normal_form() -> None:
    assert digest("支持三种\n  格式：1) 宽高比") == digest("支持三种格式：1)宽高比")
    assert digest("total  pixels\nrange") == digest("total pixels range")
    assert digest("totalpixels") != digest("total pixels")
    assert normal("e\u0301") == "é"


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("批量生成数量，1-15", "批量生成数量，1-15", True),
        ("批量生成数量，1-150", "批量生成数量，1-15", False),
        ("批量生成数量，1-15.5", "批量生成数量，1-15", False),
        ("source image URLs", "source image URL", False),
        ("a source image URL.", "source image URL", True),
        ("总像素 范围", "总像素范围", True),
    ],
)
def test_quotes_end_at_words(text: str, quote: str, *, found: bool) -> None:
    assert contains_quote(text, quote) is found


def test_sentences_and_numbers() -> None:
    assert sentences("One e.g. this. Two!\n- three；三。四") == ["One e.g. this.", "Two!", "- three；三。", "四"]
    assert numbers("[3,686,400, 16,777,216] １５ 1.5 2560x1440 V4.5") == [3686400, 16777216, 15, 1.5]
    assert tokens("9:16、2K、2048×2048，1-15") == {
        "size": ["2048x2048"],
        "ratio": ["9:16"],
        "tier": ["2K"],
        "number": ["1", "15"],
    }
    assert added_sentences("甲。乙。丙", "甲。丙。") == ["乙。"]


# The time grows with the text only, whatever it holds.
@pytest.mark.parametrize(
    ("sentence", "text"),
    [("1-15", "1" * 100_000), ("1, 2 and 3 x", "1 and " * 20_000), ("9:16、16:9 x", "9:16、" * 10_000)],
)
def test_long_texts_are_searched_in_time(sentence: str, text: str) -> None:
    assert [] == other_statements(sentence, text)


bounds = st.integers(10**3, 10**9)


# Facts are read from where they stood, whatever they become.
@given(low=bounds, high=bounds)
def test_retold_numbers(low: int, high: int) -> None:
    rule = LEDGER.rules["PIXELS"]
    old = next(iter(rule.sentences.values()))
    new = f"{low:,}, {high:,}".join(old.split("3,686,400, 16,777,216"))
    reread = reread_facts(rule, old, f"前文。\n- {new}\n后文")
    assert reread is not None
    assert reread.facts == {"minimum": low, "maximum": high}


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99)), min_size=1, max_size=9))
def test_retold_lists(pairs: list[tuple[int, int]]) -> None:
    rule = LEDGER.rules["RATIOS"]
    values = [f"{wide}:{high}" for wide, high in pairs]
    reread = reread_facts(rule, next(iter(rule.sentences.values())), f"宽高比（{'、'.join(values)}）")
    assert reread is not None
    assert reread.facts == {"values": tuple(values)}


TWICE = "总像素范围：[4,000,000, 16,777,216]（例如从 2560x1440 到 4096x4096）"


@pytest.mark.parametrize(
    "new",
    [
        f"{TWICE}。{TWICE.replace('4,0', '5,0')}",
        f"- {TWICE}\n- {TWICE}",
        "总像素范围：[3,686,400]",
        "像素：[1, 2]（例如从 1x1 到 2x2）",
        "",
        "总像素范围",
    ],
)
def test_nothing_is_guessed(new: str) -> None:
    rule = LEDGER.rules["PIXELS"]
    assert reread_facts(rule, next(iter(rule.sentences.values())), new) is None


def row(**changes: object) -> str:
    return dump_yaml({"rules": {"A-RULE": {**ROW, "sentences": {"zh": "1-5"}, **changes}}})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rules: {}", "has no rules"),
        (row(standing="sure"), "standing is one of"),
        (row(facts={"maximum": 6}), "does not hold the fact 'maximum'"),
        (row(examples={"valid": ["2048x2048"]}), "does not hold"),
        (row(source="a friend"), "if, and only if, its source is the page"),
        (row(colour="red"), "unknown key 'colour'"),
        (row(facts={"Max": 5}), "not the lower-case name"),
        (row().replace("A-RULE", "a rule"), "an id is upper-case words"),
    ],
)
def test_a_wrong_ledger_is_refused(text: str, words: str) -> None:
    with pytest.raises(BrokenInputs, match=words):
        ledger.parse(load_yaml(text), {})


@pytest.mark.parametrize(("data", "words"), [(b"a: [", "cannot be read"), (b"\xff", "is not UTF-8 text")])
@pytest.mark.parametrize("name", [OVERLAY, RULES, REVIEWED, SETTINGS])
def test_an_input_that_is_not_yaml_is_refused_by_name(name: str, data: bytes, words: str) -> None:
    files = {one: (REPOSITORY / one).read_bytes() for one in (OVERLAY, RULES, REVIEWED, SETTINGS)}
    with pytest.raises(BrokenInputs, match=rf"^{name} {words}"):
        read({**files, name: data})


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"target": "$.a", "update": 1, "remove": True}, "either an update or"),
        ({"target": "$.a", "remove": False}, "either an update or"),
        ({"target": "$[", "update": 1}, "not a JSONPath"),
        ({"target": "$", "update": {}}, "a part of the document"),
        ({"target": "$.a", "update": 1, "x-adds": 1}, "unknown key"),
        ({"update": 1}, "has no target"),
    ],
)
def test_a_wrong_overlay_is_refused(action: dict[str, Any], words: str) -> None:
    with pytest.raises(BrokenInputs, match=words):
        overlay.parse({"overlay": "1.1.0", "info": {"title": "x", "version": "1"}, "actions": [action]})


def test_kinds_of_update_and_target_agree() -> None:
    for update in ({"x": {"z": 1}}, {"x": [1]}):
        with pytest.raises(BrokenInputs, match="must be a scalar"):
            overlay.merged({"x": 1}, update, "/a")
    with pytest.raises(BrokenInputs, match="must be a mapping"):
        overlay.merged({"x": 1}, 2, "/a")


# The Overlay specification's rules: objects merge, arrays grow, scalars are replaced, `remove` removes.
@pytest.mark.parametrize(
    ("target", "change", "result"),
    [
        ("$.a", {"update": {"y": 2}}, {"a": {"x": 1, "y": 2}, "l": [1, 2]}),
        ("$.l", {"update": 3}, {"a": {"x": 1}, "l": [1, 2, 3]}),
        ("$.l[*]", {"remove": True}, {"a": {"x": 1}, "l": []}),
        ("$.l[0]", {"update": 9}, {"a": {"x": 1}, "l": [9, 2]}),
        ("$.a", {"update": {"x": 1}}, "is needless"),
        ("$.b", {"update": {"x": 1}}, "matches nothing"),
        ("$.a", {"update": {"x": 2}, "x-add-only": True}, "collides"),
        ("$.a", {"update": {"x": 2}, "x-was": {"/x": 7}}, "has lost its ground"),
        ("$.l", {"update": 2}, "is needless"),
    ],
)
def test_overlay_actions(target: str, change: dict[str, Any], result: object) -> None:
    actions = overlay.parse(
        {"overlay": "1.0.0", "info": {"title": "x", "version": "1"}, "actions": [{"target": target, **change}]}
    )
    given = {"a": {"x": 1}, "l": [1, 2]}
    found, skipped = overlay.apply(given, actions)
    assert given == {"a": {"x": 1}, "l": [1, 2]}
    assert (skipped[0].problem if skipped else found) == result


@pytest.mark.parametrize(
    ("target", "result"),
    [
        ("$.tags[0,1]", {"tags": list("cdefghijkl")}), ("$.tags[1,0]", {"tags": list("cdefghijkl")}),
        ("$.tags[2,10]", {"tags": list("abdefghijl")}), ("$.tags[10,2]", {"tags": list("abdefghijl")}),
        ("$.tags[9:]", {"tags": list("abcdefghi")}), ("$.tags[::-5]", {"tags": list("acdefhijk")}),
        ("$.tags[?@ > 'b']", {"tags": ["a", "b"]}), ("$.tags[0,0]", {"tags": list("bcdefghijkl")}),
        ("$.tags[-1,11]", {"tags": list("abcdefghijk")}), ("$['tags','tags']", {}), ("$..*", {}),
    ],
)  # fmt: skip
def test_all_places_of_a_removal_are_those_of_the_document_before_it(target: str, result: object) -> None:
    # The target is looked up once: what is removed first moves none of the other places, and none is removed twice.
    actions = overlay.parse(
        {"overlay": "1.0.0", "info": {"title": "x", "version": "1"}, "actions": [{"target": target, "remove": True}]}
    )
    assert overlay.apply({"tags": list("abcdefghijkl")}, actions) == (result, [])


def test_an_action_that_is_skipped_is_named() -> None:
    document = {"overlay": "1.0.0", "info": {"title": "x", "version": "1"}}
    actions = overlay.parse(
        {**document, "actions": [{"target": "$.a", "update": {"x": 1}}, {"target": "$.b", "remove": True}]}
    )
    found, skipped = overlay.apply({"a": {"x": 1}}, actions)
    assert ([(one.action, one.problem) for one in skipped], found) == (
        [(actions[0], "is needless"), (actions[1], "matches nothing")], {"a": {"x": 1}}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "update", "new"),
    [
        ({"$ref": "#/x"}, {"y": 1}, {"allOf": [{"$ref": "#/x"}], "y": 1}), ({"$ref": {"type": "string"}}, {"y": 1}, {"$ref": {"type": "string"}, "y": 1}),
        ({"a": {"b": 1, "c": [1]}}, {"a": {"c": [1, 2], "d": 3}}, {"a": {"b": 1, "c": [1, 2], "d": 3}}), ([1], True, [1, True]), ([{"a": 1}], [{"a": 1.0}, {"a": 2}], [{"a": 1}, {"a": 2}]),
        ("a", 1, 1),
    ],
)  # fmt: skip
def test_an_update_is_merged_as_the_overlay_specification_says(old: object, update: object, new: object) -> None:
    before = copy.deepcopy((old, update))
    found = overlay.merged(old, update, "/a")
    assert (found, overlay.same(found, new), (old, update)) == (new, True, before)


_OBJECT: dict[str, Any] = {"properties": {"code": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("schema", "status", "media", "named"),
    [
        (_OBJECT, "200", "application/json", True), ({"allOf": [_OBJECT]}, "200", "application/problem+json", True),
        ({"type": "string"}, "200", "application/json", False), (_OBJECT, "400", "application/json", False), (_OBJECT, "200", "text/plain", False),
        ({"$ref": "#/components/schemas/Known"}, "200", "application/json", False),
    ],
)  # fmt: skip
def test_targets_reach_what_the_page_writes_elsewhere(schema: Any, status: str, media: str, named: bool) -> None:
    # A body, a reply and a parameter by reference are written out; the schema of a reply gets a name of its own.
    reply = {"description": "x", "content": {media: {"schema": schema}}}
    body = {"content": {"multipart/form-data": {"schema": {"type": "object"}}}}
    parameter = {"name": "a", "in": "query", "schema": {"type": "string"}}
    components = {
        "schemas": {"Known": {"type": "string"}, "MakeItResponse": {"type": "string"}},
        "responses": {"R": reply, "Empty": {"description": "x"}}, "requestBodies": {"B": body}, "parameters": {"P": parameter},
    }  # fmt: skip
    operation = {
        "operationId": "make-It", "requestBody": {"$ref": "#/components/requestBodies/B"},
        "parameters": [{"$ref": "#/components/parameters/P"}],
        "responses": {status: {"$ref": "#/components/responses/R"}, "500": {"$ref": "#/components/responses/Empty"}},
    }  # fmt: skip
    given: dict[str, Any] = {"paths": {"/v1": {"post": operation}}, "components": components}
    before = copy.deepcopy(given)
    found, skipped = overlay.apply(given, [])
    made = found["paths"]["/v1"]["post"]
    name = "MakeItResponse_"  # the plain one is taken
    shown = {"$ref": f"#/components/schemas/{name}"} if named else schema
    assert (given, skipped) == (before, [])
    assert (made["requestBody"], made["parameters"]) == (body, [parameter])
    assert made["responses"][status] == {"description": "x", "content": {media: {"schema": shown}}}
    assert found["components"]["schemas"].get(name) == (schema if named else None)


def test_what_was_read_belongs_to_its_reader() -> None:
    first = load_yaml("a: {b: [1]}")
    first["a"]["b"].append(2)
    assert load_yaml("a: {b: [1]}") == {"a": {"b": [1]}}
    assert "&" not in dump_yaml({"a": first, "b": first}), "an alias would tie two values together"


@pytest.mark.parametrize("places", [[{"x": 1}, {"x": 2, "y": 3}], [{"x": 2, "y": 3}, {"x": 1}]])
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"update": {"z": 1}, "x-was": {"/x": 1}}, "has lost its ground"),
        ({"remove": True, "x-was": {"/x": 1}}, "has lost its ground"),
        ({"update": {"y": 4}, "x-add-only": True}, "collides"),
    ],
)
def test_an_action_is_guarded_at_each_place_that_its_target_matches(
    places: list[dict[str, int]], change: dict[str, Any], problem: str
) -> None:
    document = {"overlay": "1.0.0", "info": {"title": "x", "version": "1"}, "actions": [{"target": "$.l[*]", **change}]}
    found, skipped = overlay.apply({"l": places}, overlay.parse(document))
    assert ([one.problem for one in skipped], found) == ([problem], {"l": places})
