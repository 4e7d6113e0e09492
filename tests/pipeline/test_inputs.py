"""Our own inputs, the report, the tables of the READMEs, the tree and the command line: whole messages and whole files."""

# ruff: noqa: E501 -- tables read best with one case a line

import copy
import datetime as dt
import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from page_edits import PAGE, REPOSITORY, YAML
from pipeline import __main__ as command
from pipeline import accept, generate, inputs, ledger, overlay, report, rule_table, settings, tree
from pipeline.compare import Change
from pipeline.errors import BrokenInputs, DecisionNeeded, Different, FetchFailed, PipelineError, RefusedInput
from pipeline.fetch import Fetched
from pipeline.flatten import Name
from pipeline.inputs import OVERLAY, REVIEWED, RULES, SETTINGS, VENDORED, Origin
from pipeline.report import Report, printable
from pipeline.review import Finding
from pipeline.strict_yaml import load_yaml

ROW = {"at": "submit/request/size", "standing": "stated", "source": "page", "summary": "x", "sentences": {"zh": "1-5"}}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "openapi/rules.yaml is not a mapping."), ({"rules": {}}, "openapi/rules.yaml has no rules."), ({}, "openapi/rules.yaml has no rules."), ({"rules": [1]}, "openapi/rules.yaml has no rules."), ({"rules": {"A": ROW}, "z": 1, "y": 1}, "openapi/rules.yaml: unknown key 'y'."),
        *[({"rules": {name: ROW}}, f"openapi/rules.yaml, {name}: an id is upper-case words joined by dashes.") for name in ("a", "A_B", "A-", "-A", "1A", "A--B", "A b", "")],
        *[({"rules": {"A": row}}, "openapi/rules.yaml, A needs at, standing, source and summary.") for row in (5, [], *({key: ROW[key] for key in ROW if key != left} for left in ("at", "standing", "source", "summary")))],
        ({"rules": {"A": {**ROW, "id": "A"}}}, "openapi/rules.yaml, A: unknown key 'id'."), ({"rules": {"A": {**ROW, "z": 1, "b": 1}}}, "openapi/rules.yaml, A: unknown key 'b'."), ({"rules": {"A": {**ROW, "standing": "sure"}}}, "openapi/rules.yaml, A: standing is one of stated, inferred, contradicted."),
        *[({"rules": {"A": {**ROW, "sentences": texts}}}, "openapi/rules.yaml, A: sentences are text by language.") for texts in ([1], "x", {"zh": 5}, {"zh": " "})],
        *[({"rules": {"A": {**ROW, "facts": {name: 1}}}}, f"openapi/rules.yaml, A: {name!r} is not the lower-case name of a fact.") for name in ("Max", "1a", "a-b", "")],
        *[({"rules": {"A": {**ROW, "facts": {"a": value}}}}, "openapi/rules.yaml, A: the fact a is a value or a list of values.") for value in (list[Any](), dict[str, Any](), [[1]], [None], None)],
        ({"rules": {"A": {**ROW, "source": "a friend"}}}, "openapi/rules.yaml, A: a rule has sentences if, and only if, its source is the page."), ({"rules": {"A": {**ROW, "sentences": {}}}}, "openapi/rules.yaml, A: a rule has sentences if, and only if, its source is the page."),
        ({"rules": {"A": {**ROW, "examples": {"good": ["1"]}}}}, "openapi/rules.yaml, A: examples are valid or invalid."), ({"rules": {"A": {**ROW, "facts": {"low": 1, "top": 6}}}}, "openapi/rules.yaml, A: its zh sentence does not hold the fact 'top' as the row has it."),
        ({"rules": {"A": {**ROW, "examples": {"valid": ["2x3"]}}}}, "openapi/rules.yaml, A: its zh sentence does not hold the fact 'valid example' as the row has it."), ({"rules": {"A": {**ROW, "sentences": {"zh": "1-5", "en": "none"}, "facts": {"top": 5}}}}, "openapi/rules.yaml, A: its en sentence does not hold the fact 'top' as the row has it."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_ledger_is_said(document: Any, said: str) -> None:
    with pytest.raises(BrokenInputs) as caught:
        ledger.parse(document, {})
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("reviewed", "said"),
    [
        ([], "openapi/reviewed.yaml is not a mapping."),
        ({"reviewed": {}, "guards": 1}, "openapi/reviewed.yaml: unknown key 'guards'."),
    ],
)
def test_what_is_wrong_with_the_list_of_read_texts_is_said(reviewed: Any, said: str) -> None:
    with pytest.raises(BrokenInputs) as caught:
        ledger.parse({"rules": {"A": ROW}}, reviewed)
    assert str(caught.value) == said


def test_a_row_is_read_and_written_as_it_is() -> None:
    raw = {
        **ROW,
        "source_zh": "",
        "summary_zh": "乙",
        "sentences": {"zh": "1-5 2x3 a", "en": "1-5 2x3 a"},
        "facts": {"low": 1, "list": [1, 5], "word": "a"},
        "mirrors": ["minimum"],
        "examples": {"valid": ["2x3"]},
    }
    found = ledger.parse(
        {
            "rules": {
                "A-1B": raw,
                "B2": {**ROW, "source": "us", "sentences": None, "facts": None, "examples": None, "mirrors": None},
            }
        },
        {"reviewed": {"zh": {"a": "0"}}},
    )
    assert found.reviewed == {"zh": {"a": "0"}}
    assert (
        ledger.parse({"rules": {"A": ROW}}, {}).reviewed,
        ledger.parse({"rules": {"A": ROW}}, {"reviewed": None}).reviewed,
    ) == ({}, {})
    rule, other = found.rules["A-1B"], found.rules["B2"]
    assert rule == ledger.Rule(
        "A-1B",
        "submit/request/size",
        "stated",
        "page",
        "x",
        "",
        "乙",
        {"zh": "1-5 2x3 a", "en": "1-5 2x3 a"},
        {"low": 1, "list": (1, 5), "word": "a"},
        ("minimum",),
        {"valid": ("2x3",)},
    )
    assert other == ledger.Rule("B2", "submit/request/size", "stated", "us", "x", "", "", {}, {}, (), {})
    assert [(one.from_page, one.written) for one in (rule, other)] == [
        (True, {"low": 1, "list": (1, 5), "word": "a", "valid example": ("2x3",)}),
        (False, {}),
    ]
    assert rule.row() == {key: value for key, value in raw.items() if value}
    assert list(rule.row()) == [
        "at",
        "standing",
        "source",
        "summary",
        "summary_zh",
        "sentences",
        "facts",
        "mirrors",
        "examples",
    ]
    assert other.lines() == (
        "  B2:",
        "    at: submit/request/size",
        "    standing: stated",
        "    source: us",
        "    summary: x",
    )
    assert ledger.reviewed_text(found).decode() == f'{ledger.REVIEWED_HEAD}reviewed:\n  zh:\n    a: "0"\n'


OVERLAY_HEAD = {"overlay": "1.1.0", "info": {"title": "x", "version": "1"}}
GOOD = {"target": "$.a", "update": 1}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        *[(document, "openapi/overlay.yaml is not an Overlay 1.0 or 1.1 document.") for document in (list[Any](), dict[str, Any](), {"overlay": "1.2.0"}, {"overlay": "11.0"}, {"overlay": None})],
        *[({**OVERLAY_HEAD, "actions": actions}, "openapi/overlay.yaml has no actions.") for actions in (None, list[Any](), {"a": 1})], (OVERLAY_HEAD, "openapi/overlay.yaml has no actions."),
        *[({**OVERLAY_HEAD, "actions": [GOOD, action]}, "openapi/overlay.yaml, action 2 has no target.") for action in (5, {}, {"target": 5, "update": 1})],
        ({**OVERLAY_HEAD, "actions": [{"target": " $ ", "update": 1}]}, "openapi/overlay.yaml, action 1: the target must be a part of the document, not all of it."), ({**OVERLAY_HEAD, "actions": [{**GOOD, "z": 1, "y": 1}]}, "openapi/overlay.yaml, action 1: unknown key 'y'."),
        *[({**OVERLAY_HEAD, "actions": [action]}, "openapi/overlay.yaml, action 1 needs either an update or `remove: true`.") for action in ({"target": "$.a"}, {**GOOD, "remove": True}, {"target": "$.a", "remove": 1}, {"target": "$.a", "remove": False})],
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_overlay_is_said(document: Any, said: str) -> None:
    with pytest.raises(BrokenInputs) as caught:
        overlay.parse(document)
    assert str(caught.value) == said


def test_an_action_is_read_with_its_guards() -> None:
    full = {
        "target": "$.a",
        "update": {"b": 1},
        "description": "d.",
        "x-add-only": True,
        "x-was": {"/b": 1},
        "x-rule": ["A", "B"],
    }
    assert overlay.parse(
        {
            **OVERLAY_HEAD,
            "overlay": "1.0.5",
            "actions": [
                full,
                {"target": "$.b", "remove": True, "x-add-only": 1},
                {**GOOD, "remove": False, "update": None},
            ],
        }
    ) == [
        overlay.Action(0, "$.a", "d.", {"b": 1}, remove=False, add_only=True, was={"/b": 1}, rules=("A", "B")),
        overlay.Action(1, "$.b", "", None, remove=True, add_only=False, was={}, rules=()),
        overlay.Action(2, "$.a", "", None, remove=False, add_only=False, was={}, rules=()),
    ]
    with pytest.raises(BrokenInputs, match=r"^openapi/overlay\.yaml, action 1: the target is not a JSONPath: ."):
        overlay.parse({**OVERLAY_HEAD, "actions": [{"target": "$[", "update": 1}]})


@pytest.mark.parametrize(
    ("document", "action", "detail"),
    [
        ({"b": 1}, GOOD, "there is nothing at $.a"), ({"a": 1}, GOOD, "the page says so itself now"), ({"a": {"b/c": 1}}, {"target": "$.a", "update": {"x": 1, "b/c": 1}, "x-add-only": True}, "the page now has /a/b~1c itself"), ({"a": {"b": 1}}, {**GOOD, "x-was": {"/b": 2}}, "/a/b was 2 and is now 1"),
        ({"a": {"b": True}}, {**GOOD, "x-was": {"/b": 1}}, "/a/b was 1 and is now True"), ({"a": {}}, {**GOOD, "x-was": {"/b": "x"}}, "nothing is left at /a/b; it was 'x'"), ({"a": [1]}, {"target": "$.a", "remove": True, "x-was": {"": [2]}}, "/a was [2] and is now [1]"),
    ],
)  # fmt: skip
def test_why_an_action_is_skipped_is_said(document: Any, action: Any, detail: str) -> None:
    found, skipped = overlay.apply(document, overlay.parse({**OVERLAY_HEAD, "actions": [action]}))
    assert (found, [one.detail for one in skipped]) == (document, [detail])


def test_several_places_are_removed_from_the_last_to_the_first() -> None:
    document = {"a": [{"x": 1}, 2, {"x": 3}, 4], "b": {"p": {"x": 1}, "q": 2}}
    actions = overlay.parse(
        {**OVERLAY_HEAD, "actions": [{"target": "$..[?@.x]", "remove": True}, {"target": "$.a[0,1]", "update": 9}]}
    )
    assert overlay.apply(document, actions) == ({"a": [9, 9], "b": {"q": 2}}, [])
    with pytest.raises(BrokenInputs) as caught:
        overlay.merged({"a": {"b": 1}}, {"a": {"b": [1]}}, "/x")
    assert str(caught.value) == "openapi/overlay.yaml: an update of /x/a/b must be a scalar."
    with pytest.raises(BrokenInputs) as caught:
        overlay.merged({"a": {"b": 1}}, {"a": 5}, "/x")
    assert str(caught.value) == "openapi/overlay.yaml: an update of /x/a must be a mapping."


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, True, False),
        (0, False, False),
        (1, 1.0, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"b": 1}, False),
        ([1], [1, 1], False),
        ([True], [1], False),
        ({}, [], False),
        (None, False, False),
        ("a", "a", True),
    ],
)
def test_values_are_compared_as_json_does(one: Any, other: Any, *, equal: bool) -> None:
    assert (overlay.same(one, other), overlay.same(other, one)) == (equal, equal)


# --- the files of a run

FILES = {name: (REPOSITORY / name).read_bytes() for name in (OVERLAY, RULES, REVIEWED, SETTINGS)}
ORIGIN = Origin(documentation="d", address="https://a", page="p", form="page", page_sha256="0", fence="f", title="t", language="zh", taken="2026-01-02", yaml_sha256=hashlib.sha256(YAML).hexdigest(), text=("one", "two"))  # fmt: skip


def test_where_the_vendored_file_came_from_is_written_as_toml() -> None:
    strange = replace(ORIGIN, page='a"\\\x7f\n', text=())
    head = "# Where seedreamv45.yaml came from. Written by `make generate SPEC=PATH`; never edited by hand.\n"
    assert ORIGIN.toml().decode() == (
        f'{head}documentation = "d"\naddress = "https://a"\npage = "p"\nform = "page"\npage_sha256 = "0"\nfence = "f"\ntitle = "t"\nlanguage = "zh"\ntaken = "2026-01-02"\n'
        f'yaml_sha256 = "{ORIGIN.yaml_sha256}"\ntext = [\n  "one",\n  "two",\n]\n'
    )
    assert 'page = "a\\"\\\\??"\n' in strange.toml().decode()
    assert strange.toml().decode().endswith("text = []\n")
    for one in (ORIGIN, strange, Origin()):
        assert inputs._origin(one.toml()) == replace(one, page=one.page.replace("\x7f\n", "??"))


def test_an_origin_without_text_has_none() -> None:
    assert inputs._origin(ORIGIN.toml().partition(b"text")[0]) == replace(ORIGIN, text=())


KEYS = "address, documentation, fence, form, language, page, page_sha256, taken, text, title, yaml_sha256"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a = ", "openapi/SOURCE.toml cannot be read: Invalid value (at end of document)."), (ORIGIN.toml() + b"more = 'x'\n", f"openapi/SOURCE.toml must hold these texts: {KEYS}."), (ORIGIN.toml().replace(b'page = "p"\n', b""), f"openapi/SOURCE.toml must hold these texts: {KEYS}."),
        (ORIGIN.toml().replace(b'page = "p"', b"page = 5"), f"openapi/SOURCE.toml must hold these texts: {KEYS}."), (ORIGIN.toml().replace(b'  "one",', b"  5,"), f"openapi/SOURCE.toml must hold these texts: {KEYS}."), (ORIGIN.toml().partition(b"text")[0] + b"text = 'x'", f"openapi/SOURCE.toml must hold these texts: {KEYS}."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_origin_is_said(data: bytes, said: str) -> None:
    with pytest.raises(BrokenInputs) as caught:
        inputs._origin(data)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({VENDORED: YAML}, "openapi/seedreamv45.yaml and openapi/SOURCE.toml belong together, but one is missing."), ({inputs.ORIGIN: ORIGIN.toml()}, "openapi/seedreamv45.yaml and openapi/SOURCE.toml belong together, but one is missing."),
        ({VENDORED: b"a: 1", inputs.ORIGIN: replace(ORIGIN, yaml_sha256="0").toml()}, f"openapi/seedreamv45.yaml was edited by hand: its sha256 is {hashlib.sha256(b'a: 1').hexdigest()}, openapi/SOURCE.toml says 0. Restore it (git checkout); repairs belong into openapi/overlay.yaml, updates come with SPEC=PATH."),
        ({OVERLAY: FILES[OVERLAY].replace(b"x-rule: [TASK-ID]", b"x-rule: [NO]")}, "openapi/overlay.yaml, action 7 rests on NO, which openapi/rules.yaml does not have."), ({OVERLAY: b"\xff"}, "openapi/overlay.yaml is not UTF-8 text."), ({RULES: b""}, "openapi/rules.yaml cannot be read: it is empty."),
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit_are_named(change: Mapping[str, bytes], said: str) -> None:
    with pytest.raises(BrokenInputs) as caught:
        inputs.read({**FILES, **change})
    assert str(caught.value) == said


def test_inputs_are_read_whole(tmp_path: Path) -> None:
    first = inputs.read({**FILES, RULES: b"\xef\xbb\xbf" + FILES[RULES]})
    assert (first.document, first.origin) == ({}, Origin())
    (tmp_path / "openapi").mkdir()
    assert inputs.read_origin(tmp_path) == Origin()
    for name in (OVERLAY, RULES, REVIEWED, SETTINGS):
        with pytest.raises(BrokenInputs) as caught:
            inputs.load(tmp_path)
        assert str(caught.value) == f"{name} is missing."
        (tmp_path / name).write_bytes(FILES[name])
    assert inputs.load(tmp_path) == inputs.read(FILES)
    (tmp_path / VENDORED).write_bytes(YAML)
    (tmp_path / inputs.ORIGIN).write_bytes(ORIGIN.toml())
    found = inputs.load(tmp_path)
    assert (found.document, found.origin, found.files) == (
        load_yaml(YAML.decode()),
        ORIGIN,
        {VENDORED: YAML, inputs.ORIGIN: ORIGIN.toml(), **FILES},
    )
    assert inputs.read_origin(tmp_path) == ORIGIN


def test_our_operation_gets_its_name_by_its_route() -> None:
    given = settings.parse(load_yaml(FILES[SETTINGS].decode()))
    path = "/v1/images/seedreamv45"
    for operations, named, expected in [
        ({path: {"post": {}}}, True, {path: {"post": {"operationId": "seeDreamV45"}}}), ({path: {"put": {}}}, False, {path: {"put": {}}}), ({path: {"post": {"operationId": "x"}}}, False, {path: {"post": {"operationId": "x"}}}),
        ({path: {"post": {}}, "/b": {"get": {"operationId": "seeDreamV45"}}}, False, {path: {"post": {}}, "/b": {"get": {"operationId": "seeDreamV45"}}}),
    ]:  # fmt: skip
        document = {"paths": operations}
        assert (inputs.name_submit(document, given), document["paths"]) == (named, expected)


RAW: Any = load_yaml(FILES[SETTINGS].decode())


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({**RAW, "z": 1, "packages": 1}, "unknown key 'packages'."), *[({key: RAW[key] for key in RAW if key != left}, f"cannot be used: {left!r}.") for left in RAW], (5, "must be a mapping."), ({**RAW, "roles": {"submit": "a", "query": "b"}}, "cannot be used: 'delete'."),
        ({**RAW, "methods": {**RAW["methods"], "submit": {"a": {"type": "x", "meaning": "m"}}}}, "cannot be used: Parameter.__init__() missing 1 required positional argument: 'default'."), ({**RAW, "versions": 5}, ", versions must be a mapping."), ({**RAW, "template": {"name": "x"}}, "cannot be used: 'sha256'."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_settings_is_said(raw: Any, said: str) -> None:
    with pytest.raises(BrokenInputs) as caught:
        settings.parse(raw)
    assert (
        str(caught.value)
        == f"openapi/generator.yaml{':' if said.startswith('unknown') else ''}{'' if said.startswith(',') else ' '}{said}"
    )


def test_settings_are_read_whole() -> None:
    found = settings.parse(RAW)
    assert (found.submit, found.supported_operations, found.roles) == (
        "seeDreamV45",
        ("infoByTaskId", "deleteImagesTask"),
        RAW["roles"],
    )
    assert found.methods.meanings == {name: one["meaning"] for name, one in RAW["methods"]["fields"].items()}
    assert found.methods.types == {"resolution": "{page} | Resolution", "source_images": "Sources"}
    assert {name: vars(one) for name, one in found.methods.generate.items()} == RAW["methods"]["generate"]
    assert found.reserved_names == (*RAW["methods"]["submit"], *RAW["methods"]["generate"], *RAW["reserved_names"])
    assert (found.versions, found.template, found.client, found.route, found.package) == (
        RAW["versions"],
        RAW["template"],
        RAW["client"],
        RAW["route"],
        RAW["package"],
    )


# Each node of our inputs, by its path: what it must be.
NODES: list[tuple[str, tuple[Any, ...], str]] = [
    *[(RULES, ("rules", "RES-PIXELS", key), "text") for key in ("at", "source", "summary", "source_zh", "summary_zh")],
    *[(RULES, ("rules", "RES-PIXELS", key), "a mapping") for key in ("facts", "examples")], (RULES, ("rules", "RES-PIXELS", "examples", "valid"), "a list"), (RULES, ("rules", "RES-PIXELS", "examples", "valid", 1), "text"),
    (RULES, ("rules", "BATCH-RANGE", "mirrors"), "a list"), (RULES, ("rules", "BATCH-RANGE", "mirrors", 0), "text"), (REVIEWED, ("reviewed",), "a mapping"), (REVIEWED, ("reviewed", "zh"), "a mapping"), (REVIEWED, ("reviewed", "zh", "submit/reply"), "text"),
    (OVERLAY, ("actions", 4, "x-was"), "a mapping"), (OVERLAY, ("actions", 6, "x-rule"), "a list"), (OVERLAY, ("actions", 6, "x-rule", 0), "text"), (SETTINGS, (), "a mapping"),
    *[(SETTINGS, (key,), "a mapping") for key in ("roles", "explicit_fields", "methods", "versions", "template", "client")], *[(SETTINGS, (key,), "text") for key in ("route", "package")], (SETTINGS, ("reserved_names",), "a list"), (SETTINGS, ("reserved_names", 0), "text"),
    *[(SETTINGS, path, "text") for path in (("roles", "query"), ("explicit_fields", "prompt"), ("template", "name"), ("methods", "fields", "prompt", "meaning"), ("methods", "submit", "allow_unrecognized_sources", "type"), ("methods", "generate", "timeout", "meaning"))],
    *[(SETTINGS, path, "a mapping") for path in (("methods", "fields"), ("methods", "fields", "prompt"), ("methods", "submit"), ("methods", "generate"), ("methods", "generate", "timeout"))],
]  # fmt: skip
DATA: Any = {name: load_yaml(data.decode()) for name, data in FILES.items()}


def parse(name: str, data: Any) -> None:
    """Read one input as a run does."""
    if name in (RULES, REVIEWED):
        ledger.parse(*(data if one == name else DATA[one] for one in (RULES, REVIEWED)))
    else:
        (overlay if name == OVERLAY else settings).parse(data)


@pytest.mark.parametrize(("name", "path", "kind"), NODES)
def test_a_value_of_another_form_is_named_with_its_place(name: str, path: tuple[Any, ...], kind: str) -> None:
    wrong: Any
    for wrong in (5, True, "x", ["x"], {"k": "x"}):
        if isinstance(wrong, {"text": str, "a list": list, "a mapping": dict}[kind]):
            continue
        found = copy.deepcopy({"whole": DATA[name]})
        node: Any = found
        for key in ("whole", *path)[:-1]:
            node = node[key]
        node[("whole", *path)[-1]] = wrong
        with pytest.raises(BrokenInputs) as caught:
            parse(name, found["whole"])
        keys = [key for key in path if key not in ("rules", "actions")]
        place = "".join(f", item {key + 1}" if isinstance(key, int) else f", {key}" for key in keys)
        expected = f"{name}{place.replace('item 5', 'action 5').replace('item 7', 'action 7')} must be {kind}."
        assert str(caught.value) == expected


# --- the report


def change(place: str, key: str, old: Any, new: Any, why: str = "a new field", verdict: Any = "absorbed") -> Change:
    return Change(Name(place, key), old, new, old is None, new is None, verdict, why, key == "description")


RULE = Finding(
    "rule",
    "A-RULE",
    "its sentence changed",
    "old | <x>",
    "new\nline",
    ("fact a: 1", "note\u202e"),
    "do `it`.",
    "takes it",
    narrows=True,
    row=ledger.Rule("A-RULE", "a/b", "stated", "page", "s", "", "", {"zh": "```` x"}, {}, (), {}),
)
BUILD = Finding("client", "build", "it broke", step="mend it.")
FULL = Report(
    "decision", source="p.md", error="an <error>", findings=[RULE, Finding("prose", "a#b`c", "text", "", "gone & new", (), "read it.", "marks it"), Finding("breaking", "submit request a", "a: b", "1", "2", (), "tell.", "takes it"), BUILD, Finding("overlay", "action 1", "it moved", "d", "", ("target: $",), "change it."), Finding("unsendable", "submit/request/b", "no", "x", "y", (), "make it.")],
    changes=[change("submit/request/a", "maximum", 1, 2, "a widened limit"), change("submit/request/b", "type", "string", None, "part of a removed field", "breaking"), change("submit/request/c", "description", "甲。乙。", "甲。old | <x> 丙。"), change("submit/reply/d", "description", "a. b", "b. a"), change("submit/reply/e", "description", None, "新")],
    edits=["e1"], warnings=["w1"], left_out=["GET /x (y)"], moved=True, files=["f1", "f2"], page_text=["+ around"],
)  # fmt: skip
TEXT = """\
== p.md
Stopped for a decision. Nothing was replaced.

an <error>

Schema:
  parts moved in the document; nothing that a caller can notice changed

Schema changes:
  submit request a/maximum 1 -> 2  [absorbed: a widened limit]

Prose changes:
  submit request c/description (A-RULE)
    - 乙。
    + old | <x> 丙。
  submit reply d/description: order or punctuation of its sentences
  submit reply e/description
    + 新

Text of the page around its block:
  + around

Changed by ACCEPT=1 (review with git diff openapi/):
  e1

Worth a look:
  w1

Other operations in the document, not taken:
  GET /x (y)

Files changed:
  f1
  f2

To decide (6):

  1. rule: A-RULE
     its sentence changed
     was | old | <x>
     now | new
         | line
     fact a: 1
     note\x20
     Next: do `it`.
     Or run with ACCEPT=1, which takes it.
       |   A-RULE:
       |     at: a/b
       |     standing: stated
       |     source: page
       |     summary: s
       |     sentences:
       |       zh: "```` x"

  2. unreviewed text: a#b`c
     text
     was | (nothing)
     now | gone & new
     Next: read it.
     Or run with ACCEPT=1, which marks it.

  3. breaks callers: submit request a
     a: b
     Next: tell.
     Or run with ACCEPT=1, which takes it.

  4. generated client: build
     it broke
     Next: mend it.

  5. overlay: action 1
     it moved
     target: $
     Next: change it.

  6. cannot be sent: submit/request/b
     no
     Next: make it.

Breaking: yes. Version: major.
"""
MARKDOWN = """\
# Spec update

**Stopped for a decision. Nothing was replaced.** Source: `p.md`.

an &lt;error>

Breaking: yes. Version: major.

## To decide

### rule: `A-RULE`

its sentence changed.

| was | now |
|---|---|
| old \\| &lt;x> | new<br>line |

- fact a: 1
- note\x20

Next: do `it`.

Or run with ACCEPT=1, which takes it.

`````yaml
  A-RULE:
    at: a/b
    standing: stated
    source: page
    summary: s
    sentences:
      zh: "```` x"
`````

### unreviewed text: `a#b'c`

text.

| was | now |
|---|---|
| (nothing) | gone &amp; new |

Next: read it.

Or run with ACCEPT=1, which marks it.

### breaks callers: `submit request a`

a: b.

| was | now |
|---|---|
| 1 | 2 |

Next: tell.

Or run with ACCEPT=1, which takes it.

### generated client: `build`

it broke.

Next: mend it.

### overlay: `action 1`

it moved.

- target: $

Next: change it.

### cannot be sent: `submit/request/b`

no.

Next: make it.

## Schema

- parts moved in the document; nothing that a caller can notice changed

## Schema changes

- submit request a/maximum 1 -> 2  [absorbed: a widened limit]

## Prose changes

- submit request c/description (A-RULE)
-   - 乙。
-   + old \\| &lt;x> 丙。
- submit reply d/description: order or punctuation of its sentences
- submit reply e/description
-   + 新

## Text of the page around its block

- + around

## Changed by ACCEPT=1 (review with git diff openapi/)

- e1

## Worth a look

- w1

## Other operations in the document, not taken

- GET /x (y)

## Files changed

- f1
- f2
"""


def test_a_report_is_written_for_people() -> None:
    assert FULL.text() == TEXT
    assert FULL.markdown() == MARKDOWN


def test_a_report_is_written_for_programs() -> None:
    found = FULL.data()
    assert list(found) == [
        "state",
        "source",
        "error",
        "findings",
        "changes",
        "edits",
        "warnings",
        "left_out",
        "moved",
        "files",
        "edition",
        "page_text",
        "summary",
        "breaking",
        "version",
    ]
    assert (found["summary"], found["breaking"], found["version"]) == (
        "Stopped for a decision. Nothing was replaced.",
        True,
        "major",
    )
    assert found["changes"][0] == {
        "place": "submit/request/a",
        "key": "maximum",
        "old": 1,
        "new": 2,
        "added": False,
        "removed": False,
        "verdict": "absorbed",
        "why": "a widened limit",
        "prose": False,
    }
    assert found["findings"][0] == {
        "kind": "rule",
        "subject": "A-RULE",
        "what": "its sentence changed",
        "old": "old | <x>",
        "new": "new\nline",
        "notes": ("fact a: 1", "note\u202e"),
        "step": "do `it`.",
        "accept": "takes it",
        "narrows": True,
        "write": RULE.write,
    }
    assert replace(FULL, accepting=True).data()["findings"][0]["accept"] == ""
    json.dumps(found)


def test_where_all_is_accepted_nothing_is_advised() -> None:
    found = replace(FULL, state="accepted", error="", accepting=True)
    steps = ("     Next: ", "     Or run", "       | ")
    kept = [line for line in TEXT.splitlines() if not line.startswith(steps)]
    text = (
        "\n".join(kept)
        .replace("Stopped for a decision. Nothing was replaced.\n\nan <error>", "Accepted with ACCEPT=1.")
        .replace("To decide (6):", "Accepted:")
    )
    text = text.replace("  f1\n  f2\n", f"  f1\n  f2\n\nNext:\n  {report._NEXT}\n")
    assert found.text() == text + "\n"
    assert "## Accepted\n\n### rule: `A-RULE`" in found.markdown()
    assert "Next: do" not in found.markdown()
    asked = replace(FULL, accepting=True)
    assert "Or run with" not in asked.text() + asked.markdown()
    assert asked.text().count("     Next: ") == 6
    assert "Source: " not in replace(FULL, source="").markdown()
    assert replace(FULL, source="").text().startswith("== openapi/\n")


NEW, NOTE, HIDDEN_ = (
    change("a", "b", 1, 2, why) for why in ("a new field", "describes only", "the overlay replaces it")
)
PROSE = change("a", "description", "x", "y", "describes only")
BROKEN = change("a", "b", 1, 2, "another type", "breaking")


@pytest.mark.parametrize(
    ("given", "code", "breaking", "version", "after"),
    [
        ({"state": "unchanged"}, 0, False, "none", False), ({"state": "refused", "changes": [BROKEN]}, 0, True, "none", False), ({"state": "absorbed", "changes": [NEW]}, 0, False, "minor", True), ({"state": "absorbed", "changes": [NOTE, HIDDEN_]}, 0, False, "patch", True), ({"state": "absorbed", "changes": [PROSE]}, 0, False, "patch", False),
        ({"state": "decision", "changes": [BROKEN]}, 3, True, "major", False), ({"state": "decision", "findings": [BUILD]}, 3, False, "patch", False), ({"state": "accepted", "findings": [replace(RULE, narrows=False)]}, 0, False, "minor", True), ({"state": "accepted", "findings": [RULE]}, 0, True, "major", True),
        ({"state": "accepted", "findings": [replace(RULE, kind="contradiction", narrows=False)]}, 0, False, "minor", True), ({"state": "accepted", "findings": [replace(RULE, kind="prose", narrows=False)]}, 0, False, "patch", True), ({"state": "accepted", "edits": ["e"]}, 0, False, "patch", False),
    ],
)  # fmt: skip
def test_what_an_update_means_for_callers(
    given: dict[str, Any], code: int, version: str, *, breaking: bool, after: bool
) -> None:
    found = Report(**given)
    assert (found.code, found.breaking, found.semver, report._NEXT in found.text()) == (code, breaking, version, after)
    verdict = f"Breaking: {'yes' if breaking else 'no'}. Version: {version}."
    assert (verdict in found.text(), verdict in found.markdown()) == (
        (given["state"] not in ("unchanged", "refused"),) * 2
    )


def test_prose_of_another_edition_is_not_listed() -> None:
    found = Report("absorbed", changes=[PROSE, NEW], edition="zh -> en")
    assert (found.prose, found.schema) == ([], [NEW])
    assert "Edition:\n  zh -> en: all prose is in another language; its rules are compared one by one\n" in found.text()
    assert replace(found, edition="").prose == [PROSE]


def test_nothing_in_a_page_steers_the_terminal() -> None:
    assert printable("a\nb\tc\x1b[1m\u202e\u200d\ue000é") == "a\nb c [1m   é"
    assert report._code("a`b\nc\x1b") == "a'b c "


# --- the tables of rules


def test_the_tables_of_the_readmes_are_written_between_their_marks(tmp_path: Path) -> None:
    rows = {
        "A": ROW | {"summary": "a | b"},
        "B": {**ROW, "source": "us", "source_zh": "我们", "standing": "inferred", "sentences": {}, "summary_zh": "乙"},
        "C": {**ROW, "source": "us", "standing": "contradicted", "sentences": {}},
        "D": {**ROW, "sentences": {"en": "1-5"}, "summary_zh": "丁"},
    }
    found = replace(inputs.read(FILES), ledger=ledger.parse({"rules": rows}, {}))
    english = "| rule | what it says | where it is from |\n|---|---|---|\n| `A` | a \\| b | the page |\n| `B` | x | inferred: us |\n| `C` | x | contradicted: us |\n| `D` | x | the page |\n"
    chinese = "| 规则 | 内容 | 来源 |\n|---|---|---|\n| `A` | 1-5 | 官方文档页 |\n| `B` | 乙 | 推断：我们 |\n| `C` | x | 矛盾：us |\n| `D` | 丁 | 官方文档页 |\n"
    begin, end = rule_table.BEGIN, rule_table.END
    assert rule_table.tables(tmp_path, found) == {}
    (tmp_path / "README.md").write_text(f"a\n{begin}\nold \\1\n{end}\nb\n", "utf-8")
    (tmp_path / "README.zh-CN.md").write_text(f"{begin}{end}", "utf-8")
    made = {
        "README.md": f"a\n{begin}\n{english}{end}\nb\n".encode(),
        "README.zh-CN.md": f"{begin}\n{chinese}{end}".encode(),
    }
    assert rule_table.tables(tmp_path, found) == made
    for name, data in made.items():
        with pytest.raises(Different) as caught:
            rule_table.check_tables(tmp_path, found)
        assert str(caught.value) == f"the table of rules in {name} is not what the ledger makes; run `make generate`."
        (tmp_path / name).write_bytes(data)
    rule_table.check_tables(tmp_path, found)
    for text in (begin, end, end + begin, begin + begin + end, begin + end + end):
        (tmp_path / "README.md").write_text(text, "utf-8")
        with pytest.raises(BrokenInputs) as caught_broken:
            rule_table.tables(tmp_path, found)
        assert str(caught_broken.value) == f"README.md: {begin} and {end} must each be there once, in this order."
    (tmp_path / "README.md").write_text("no marks", "utf-8")
    assert list(rule_table.tables(tmp_path, found)) == ["README.zh-CN.md"]


# --- the tree


def test_trees_are_compared_file_by_file(tmp_path: Path) -> None:
    for name in ("b/c.py", "a", "__pycache__/x", "b/__pycache__/y", "b/.hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to("a")
    assert list(tree.read_tree(tmp_path).items()) == [
        ("a", b"a"),
        ("b/.hidden", b"b/.hidden"),
        ("b/c.py", b"b/c.py"),
        ("link", b"a"),
    ]
    assert tree.read_tree(tmp_path / "none") == {}
    lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in (("a", b"1"), ("b", b"2")))
    assert tree.tree_digest({"b": b"2", "a": b"1"}) == hashlib.sha256(lines.encode()).hexdigest()
    assert tree.differences({"same": b"", "z": b"1", "b": b"1"}, {"same": b"", "z": b"2", "a": b""}) == [
        "different: z",
        "extra: b",
        "missing: a",
    ]


def test_only_what_differs_is_replaced(tmp_path: Path) -> None:
    for name, text in {
        "own/kept": "1",
        "own/changed": "1",
        "own/gone": "1",
        "own/old/deep/x": "1",
        "own/old/__pycache__/x": "1",
        "own/full/stays": "1",
        "own/full/goes": "1",
        "beside": "1",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    files = {"own/kept": b"1", "own/changed": b"2", "own/very/new/y": b"3", "own/full/stays": b"1", "other": b"4"}
    assert tree.replace(tmp_path, files, "own") == [
        "other",
        "own/changed",
        "own/full/goes",
        "own/gone",
        "own/old/deep/x",
        "own/very/new/y",
    ]
    assert tree.read_tree(tmp_path) == {**files, "beside": b"1"}
    assert not (tmp_path / "own/old").exists()
    assert not (tmp_path / tree.STAGE).exists()
    assert tree.replace(tmp_path, files, "own") == []
    assert not tree.recover(tmp_path)
    (tmp_path / tree.STAGE / "new").mkdir(parents=True)
    (tmp_path / tree.STAGE / "new/other").write_text("half")
    assert tree.replace(tmp_path, files, "own") == []
    assert tree.read_tree(tmp_path) == {**files, "beside": b"1"}


@pytest.mark.parametrize(
    "name", ["a\nbeside", "a\u2028beside", "a\r", *([os.fsdecode(b"\xff")] if sys.platform == "linux" else [])]
)
def test_a_file_of_any_name_goes_and_no_other_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / name).write_text("1")
    (tmp_path / "beside").write_text("1")
    assert tree.replace(tmp_path, {"own/new": b"2"}, "own") == sorted([f"own/{name}", "own/new"])
    assert tree.read_tree(tmp_path) == {"own/new": b"2", "beside": b"1"}


def test_a_run_waits_for_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, int]] = []
    monkeypatch.setattr(fcntl, "flock", lambda file, how: calls.append((Path(file.name).name, how)))
    with tree.exclusive(tmp_path):
        assert calls == [("pipeline.lock", fcntl.LOCK_EX)]
    with tree.exclusive(tmp_path):
        assert len(calls) == 2


# --- whole runs, without a generator


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "openapi").mkdir()
    for name, data in {**FILES, VENDORED: YAML, inputs.ORIGIN: ORIGIN.toml()}.items():
        (tmp_path / name).write_bytes(data)
    monkeypatch.setattr(generate, "build", lambda after: {"generated/a": after.files[RULES]})
    (tmp_path / "generated").mkdir()
    (tmp_path / "generated/a").write_bytes(FILES[RULES])
    return tmp_path


def test_a_tree_that_is_what_it_should_be_is_said_so(root: Path) -> None:
    assert generate.verify(root) == "1 files under generated/ are what openapi/ makes."
    for name, text, said in [
        ("generated/b", "x", "the tree under generated/ is not what openapi/ makes; run `make generate`:\n  extra: generated/b"), ("generated/a", "x", "the tree under generated/ is not what openapi/ makes; run `make generate`:\n  different: generated/a\n  extra: generated/b"),
        (REVIEWED, "reviewed: {}", "our inputs do not fit the vendored page; run `make generate` to see all (" + "; ".join(f"{place}: not reviewed yet" for place in ("security/ApiKeyAuth", "submit/request/category", "submit/request/prompt", "submit/request/batchsize", "submit/request/resolution")) + ")."),
        (f"{tree.STAGE}/x", "", "an update was cut short. Run `make generate`, which ends or forgets it."),
    ]:  # fmt: skip
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
        with pytest.raises(Different) as caught:
            generate.verify(root)
        assert str(caught.value) == said


def test_a_table_that_is_out_of_date_is_found(root: Path) -> None:
    (root / "README.md").write_text(f"{rule_table.BEGIN}{rule_table.END}")
    with pytest.raises(Different, match=r"^the table of rules in README\.md"):
        generate.verify(root)


def test_a_run_records_the_day_and_ends_what_was_cut_short(root: Path) -> None:
    page = root / "page.md"
    page.write_bytes(PAGE.replace(b"maximum: 15", b"maximum: 20"))
    (root / tree.STAGE / "new/openapi").mkdir(parents=True)
    (root / tree.STAGE / "READY").write_text("[]")
    nothing: Any = lambda *_: []  # noqa: E731 -- sends nothing
    found = generate.generate(root, page, send_check=nothing)
    assert found.warnings[0] == "an earlier update had been cut short; it was ended first"
    assert inputs.read_origin(root).taken == dt.datetime.now(dt.UTC).date().isoformat()
    assert json.loads((root / "build/spec-report.json").read_text("utf-8")) == json.loads(json.dumps(found.data()))
    assert (root / "build/spec-report.json").read_text("utf-8") == json.dumps(
        found.data(), ensure_ascii=False, indent=1
    ) + "\n"
    assert (root / "build/spec-report.md").read_text("utf-8") == found.markdown()
    for name in (VENDORED, inputs.ORIGIN):
        (root / name).unlink()
    with pytest.raises(BrokenInputs) as caught:
        generate.generate(root, send_check=nothing)
    assert str(caught.value) == "nothing is vendored yet. Give the vendor's page: make generate SPEC=PATH ACCEPT=1."


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True), ({"a": 1}, {"a": 1, "b": 2}, False), ([1, 2], [2, 1], False), ([1], [1, 2], False), ({"description": "a  b"}, {"description": "a b"}, True), ({"title": "中 文"}, {"title": "中文"}, True), ({"default": "a  b"}, {"default": "a b"}, False),
        ({"properties": {"description": "a  b"}}, {"properties": {"description": "a b"}}, False), ({"x": {"description": "a  b"}}, {"x": {"description": "a b"}}, True), ({"x": [{"summary": "a  b"}]}, {"x": [{"summary": "a b"}]}, True), ({"a": True}, {"a": 1}, False), ({"a": {}}, {"a": []}, False), ("a", 1, False),
        ({"properties": [{"description": "a  b"}]}, {"properties": [{"description": "a b"}]}, False),
    ],
)  # fmt: skip
def test_documents_that_say_the_same_are_alike(one: Any, other: Any, *, equal: bool) -> None:
    assert (generate.alike(one, other), generate.alike(other, one)) == (equal, equal)


def test_files_that_name_a_rule_are_found_by_its_id_and_facts(tmp_path: Path) -> None:
    rule = ledger.parse({"rules": {"A-B": {**ROW, "facts": {"top": 5}}}}, {}).rules["A-B"]
    for name, text in {
        "overlay/seedream/a.py": "'A-B'", "overlay/seedream/b.py": "A_B_TOP", "overlay/seedream/c.py": "A-B-C XA-B A_B_TOPS", "overlay/seedream/d.txt": "A-B", "overlay/seedream/cli/e.py": "A-B", "overlay/seedream_testing/f.py": "A-B", "tests/g.py": "A-B", "tests/mutants/h.py": "A-B", "tests/page_edits.py": "A-B", "tests/pipeline/i.py": "A-B", "else/j.py": "A-B",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert generate.files_that_name(tmp_path, rule) == (
        ["overlay/seedream/a.py", "overlay/seedream/b.py"],
        ["overlay/seedream_testing/f.py", "tests/g.py"],
    )


# --- edits of YAML


def test_an_edit_keeps_comments_quotes_and_layout() -> None:
    text = (
        '# head\nrules:\n  A:   # about a\n    at: "x"\n    list: [1, 2]  # few\n    long: '
        + "y " * 200
        + "z\n    items:\n      - one\n      - two\n"
    )

    def edit(document: Any) -> None:
        document["rules"]["A"]["at"] = "new"

    assert accept.edited(text.encode(), edit).decode() == text.replace('"x"', '"new"')
    old: Any = {"kept": {"a": 1, "b": 2}, "gone": 1, "other": [1]}
    inner = old["kept"]
    accept._update(old, {"kept": {"a": 1, "b": 3, "c": 4}, "other": [1, 2], "fresh": {"x": 1}})
    assert old == {"kept": {"a": 1, "b": 3, "c": 4}, "other": [1, 2], "fresh": {"x": 1}}
    assert old["kept"] is inner
    assert (
        accept._spaced(b"rules:\n  A:\n    x: 1\n  B-2:\n    y: 1\n\n\n\n  C:\n  d:\n")
        == b"rules:\n  A:\n    x: 1\n\n  B-2:\n    y: 1\n\n  C:\n  d:\n"
    )
    assert accept.with_origin(
        inputs.read({**FILES, VENDORED: YAML, inputs.ORIGIN: ORIGIN.toml()}), language="en"
    ).origin == replace(ORIGIN, language="en")


# --- the command line


@pytest.mark.parametrize(
    ("error", "code"),
    [(PipelineError("x"), 1), (Different("x"), 1), (DecisionNeeded("x"), 3), (RefusedInput("x"), 4), (BrokenInputs("x"), 5), (FetchFailed("x\x1b"), 6)],
)  # fmt: skip
@pytest.mark.parametrize("name", ["generate", "verify", "watch", "propose"])
def test_each_error_has_its_exit_code(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    error: PipelineError,
    code: int,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(command, name, fail)
    assert command.main(["--root", str(tmp_path), name]) == code
    assert capsys.readouterr() == ("", f"error: {printable(str(error))}\n")
    written = tmp_path / "build/spec-report.json"
    assert written.exists() == isinstance(error, RefusedInput)
    if written.exists():
        assert {key: json.loads(written.read_text())[key] for key in ("state", "source", "error")} == {
            "state": "refused",
            "source": "",
            "error": "x",
        }


def test_what_a_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[Any] = []
    found = Report("decision", source="é")

    def take(*arguments: Any, **named: Any) -> Report:
        given.append((*arguments, named))
        return found

    def fetched(*arguments: Any) -> Fetched:
        given.append(arguments)
        return Fetched(tmp_path / "p.md", "https://final", changed=len(given) < 4)

    monkeypatch.setattr(command, "generate", take)
    monkeypatch.setattr(command, "fetch", fetched)
    monkeypatch.setattr(command, "verify", lambda root: f"verified {root == tmp_path}")
    monkeypatch.setattr(command, "watch", lambda root: f"watched {root == tmp_path}")
    monkeypatch.setattr(command, "propose", lambda root: f"proposed {root == tmp_path}")
    root = ["--root", str(tmp_path)]
    text = found.text() + "\nAlso as Markdown: build/spec-report.md, and as JSON beside it.\n"
    assert [
        command.main([*root, *words]) for words in (["generate"], ["generate", "--spec", "a/b.md", "--accept"])
    ] == [3, 3]
    assert capsys.readouterr() == (text * 2, "")
    assert command.main([*root, "generate", "--spec", "https://x", "--json"]) == 3
    assert capsys.readouterr() == (
        json.dumps(found.data(), ensure_ascii=False, indent=1) + "\n",
        "Fetched https://final.\n",
    )
    assert command.main([*root, "update", "--accept"]) == 3
    assert capsys.readouterr() == (text, "Fetched https://final: the last copy is still the same.\n")
    assert given == [
        (tmp_path, None, {"accept": False}), (tmp_path, Path("a/b.md"), {"accept": True}), (tmp_path, "https://x"), (tmp_path, tmp_path / "p.md", {"accept": False}), (tmp_path, ""), (tmp_path, tmp_path / "p.md", {"accept": True}),
    ]  # fmt: skip
    assert [command.main([*root, name]) for name in ("verify", "watch", "propose")] == [0, 0, 0]
    assert capsys.readouterr() == ("verified True\nThe page: watched True.\nproposed True\n", "")


def test_the_repository_is_this_one_where_none_is_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "verify", str)
    assert command.main(["verify"]) == 0
    assert capsys.readouterr().out == f"{REPOSITORY}\n"


def test_a_refused_page_is_named_in_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "openapi").mkdir()
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "empty.md").write_bytes(b"")
    assert command.main(["--root", str(tmp_path), "generate", "--spec", str(tmp_path / "empty.md")]) == 4
    assert capsys.readouterr().err == "error: empty.md is empty.\n"
    assert (tmp_path / "build/spec-report.md").read_text(
        "utf-8"
    ) == "# Spec update\n\n**Refused. Nothing was replaced.** Source: `empty.md`.\n\nempty.md is empty.\n"


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["x"])
    for words, expected in [
        (["--help"], ["usage: python -m pipeline [-h] [--root ROOT] {generate,verify,update,watch,propose} ...", "From the vendor's page to the client.", "the repository (default: this one)", "write generated/ from openapi/", "compare generated/ and the vendored YAML with what the inputs make", "fetch the vendor's page, then take it", "fetch and take the page, for the scheduled workflow", "open a pull request with what watch changed"]),
        (["generate", "--help"], ["take this page (Markdown, YAML or JSON; a path or an https address) first", "take what needs a decision", "print the report as JSON"]), (["update", "--help"], ["take what needs a decision", "print the report as JSON"]),
    ]:  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            command.main(words)
        shown = " ".join(capsys.readouterr().out.split())
        assert ended.value.code == 0
        assert [one for one in expected if one not in shown] == []
    for words in ([], ["invent"], ["verify", "--json"]):
        with pytest.raises(SystemExit) as ended:
            command.main(words)
        assert ended.value.code == 2
    assert command.ROOT == REPOSITORY
