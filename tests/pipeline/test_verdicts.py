"""What a changed limit of a request means for programs that are installed: narrower breaks them, wider does not."""

# ruff: noqa: E501 -- tables read best with one case a line

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from page_edits import REPOSITORY, ROUTE
from pipeline import ledger, review
from pipeline.compare import Change, changes, changes_since, judge, missing_submit, other_form, shown
from pipeline.flatten import FIELD, Leaf, Name
from pipeline.inputs import load

PLACE = "SeeDreamV4.5/request/size"
UPPER = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"]
LOWER = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"]


def verdict(key: str, old: Any, new: Any, side: Any = "request") -> str:
    """Judge a keyword of one field, which is in the old and in the new page; None is a keyword that is not there."""
    name = Name(PLACE, key)
    around = {Name("SeeDreamV4.5", "path"): Leaf("/v1", "operation"), Name(PLACE, FIELD): Leaf("", side)}
    leaves = [around if value is None else {**around, name: Leaf(value, side)} for value in (old, new)]
    return judge(name, *leaves)[0]


LIMITS = [
    *[(key, 10, 11) for key in UPPER],
    *[(key, 11, 10) for key in LOWER],
    ("multipleOf", 10, 5),
    ("multipleOf", 5, 2.5),
    ("multipleOf", 0.3, 0.1),
    ("enum", [1], [1, 2]),
    ("enum", ["a", "b"], ["b", "c", "a"]),
    ("additionalProperties", False, True),
]


@pytest.mark.parametrize(("key", "narrow", "wide"), [*LIMITS, ("nullable", False, True)])
def test_narrower_breaks_and_wider_does_not(key: str, narrow: Any, wide: Any) -> None:
    assert (verdict(key, narrow, wide), verdict(key, wide, narrow)) == ("absorbed", "breaking")


@pytest.mark.parametrize(("key", "narrow", "wide"), LIMITS)
def test_limits_of_a_reply_break_nothing(key: str, narrow: Any, wide: Any) -> None:
    assert (verdict(key, narrow, wide, "reply"), verdict(key, wide, narrow, "reply")) == ("absorbed", "absorbed")


@pytest.mark.parametrize(("old", "new", "expected"), [(False, True, "breaking"), (True, False, "absorbed")])
def test_a_reply_that_may_be_null_breaks(*, old: bool, new: bool, expected: str) -> None:
    assert verdict("nullable", old, new, "reply") == expected


@pytest.mark.parametrize("key", [*UPPER, *LOWER, "multipleOf"])
def test_a_new_limit_is_checked_by_the_client_and_one_that_is_gone_is_not(key: str) -> None:
    assert verdict(key, None, 10) == verdict(key, 10, None) == "absorbed"


@pytest.mark.parametrize(("old", "new"), [(10, 4), (10, 3), (5, 10), (2.5, 5)])
def test_another_multiple_that_does_not_divide_the_old_one_refuses_what_was_sent(old: float, new: float) -> None:
    assert verdict("multipleOf", old, new) == "breaking"


A: dict[str, Any] = {"A": []}
B: dict[str, Any] = {"B": []}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([], [A], "breaking"), ([A], [], "breaking"), ([A], [B], "breaking"), ([A, B], [A], "breaking"),
        ([A], [{**A, **B}], "breaking"), ([{}], [A], "breaking"),
        ([A], [A, B], "absorbed"), ([A, B], [B, A], "absorbed"), ([{}, A], [A, B, {}], "absorbed"),
    ],
)  # fmt: skip
def test_another_way_in_is_absorbed_only_if_all_old_ones_stay(old: Any, new: Any, expected: str) -> None:
    # No option at all means that nobody needs a key.
    name, around = Name("SeeDreamV4.5", "security"), {Name("SeeDreamV4.5", "path"): Leaf("/v1", "operation")}
    assert judge(name, *({**around, name: Leaf(value, "operation")} for value in (old, new)))[0] == expected


# Each keyword of a field: side, old, new, and what is said of it. None is a keyword that is not there.
REQUEST: list[tuple[str, Any, Any, str, str]] = [
    ("nullable", None, True, "absorbed", "null is taken now"), ("nullable", True, None, "breaking", "null is refused now"),
    ("readOnly", None, True, "breaking", "callers may send it, and the service no longer takes it"),
    ("readOnly", True, None, "absorbed", "callers send it as before"), ("writeOnly", None, True, "absorbed", "callers send it as before"),
    ("writeOnly", True, None, "absorbed", "callers send it as before"),
    ("required", False, True, "breaking", "callers may leave it out"), ("required", True, False, "absorbed", "callers may go on sending it"),
    ("body required", False, True, "breaking", "callers may leave it out"),
    ("maximum", None, 5, "absorbed", "a new limit: the client refuses what breaks it"),
    ("maximum", 5, None, "absorbed", "the limit is gone: the client no longer enforces it"),
    ("maximum", 5, 4, "breaking", "a narrowed limit"), ("minimum", 5, 4, "absorbed", "a widened limit"),
    ("maximum", 5, "many", "breaking", "no longer a number"), ("minLength", "few", 5, "breaking", "no longer a number"),
    ("uniqueItems", False, True, "absorbed", "a new limit: the client refuses what breaks it"),
    ("uniqueItems", True, False, "absorbed", "the limit is gone: the client no longer enforces it"),
    ("pattern", "a", "b", "breaking", "another pattern"),
    ("enum", None, ["a"], "absorbed", "only these values are sent from now on"), ("enum", ["a"], None, "absorbed", "any value is sent again"),
    ("enum", ["a", "b", 1], ["b", True], "breaking", "no longer allowed: ['a', 1]"), ("enum", ["a"], ["b", "a"], "absorbed", "more values are allowed"),
    ("multipleOf", 4, 2, "absorbed", "every number that was sent is still taken, or the limit is new"),
    ("multipleOf", 2, 4, "breaking", "numbers that were sent are refused"),
    ("default", 1, 2, "absorbed", "calls that leave it out now mean 2"), ("default", 1, None, "absorbed", "calls that leave it out now mean (none)"),
    ("format", "a", "b", "absorbed", "the Python type stays"), ("format", None, "date", "breaking", "another Python type"),
    ("format", "uuid", None, "breaking", "another Python type"),
    ("media types", ["a"], ["b", "a"], "absorbed", "one more media type"), ("media types", ["a", "b"], ["b"], "breaking", "a is gone"),
    ("media types", None, ["a"], "absorbed", "one more media type"), ("media types", ["a"], None, "breaking", "a is gone"),
    ("type", "string", "integer", "breaking", "another type"), ("type", None, "string", "absorbed", "part of what is new"),
    ("additionalProperties", False, True, "absorbed", "more is taken"), ("additionalProperties", False, None, "absorbed", "more is taken"),
    ("additionalProperties", False, {"type": "string"}, "absorbed", "more is taken"),
    ("additionalProperties", None, False, "breaking", "fields that are not listed are refused"),
    ("additionalProperties", True, {"type": "string"}, "breaking", "nobody can tell whether callers survive"),
    ("not", None, {}, "breaking", "nobody can tell whether callers survive"),
    *[(key, None, "x", "absorbed", "describes only") for key in ("description", "title", "example", "deprecated", "x-any", "as in")],
]  # fmt: skip
REPLY: list[tuple[str, Any, Any, str, str]] = [
    ("nullable", None, True, "breaking", "callers may get null"), ("nullable", True, None, "absorbed", "null does not come any more"),
    ("readOnly", None, True, "absorbed", "it comes as before"), ("readOnly", True, None, "absorbed", "it comes as before"),
    ("writeOnly", None, True, "breaking", "it no longer comes"), ("writeOnly", True, None, "absorbed", "it comes as before"),
    ("status", None, "201", "absorbed", "a new status"), ("status", "201", None, "breaking", "the status is gone"),
    ("required", True, False, "breaking", "callers may count on it"), ("required", False, True, "absorbed", "callers read it as before"),
    *[(key, 5, 4, "absorbed", "values of a reply are open") for key in (*UPPER, *LOWER, "enum", "multipleOf", "pattern", "uniqueItems", "additionalProperties")],
    ("default", 1, 2, "absorbed", "describes only"), ("format", None, "date", "breaking", "another Python type"),
    ("type", "string", "integer", "breaking", "another type"), ("media types", ["a", "b"], ["a"], "breaking", "b is gone"),
]  # fmt: skip


def judged(
    key: str,
    old: Any,
    new: Any,
    side: Any,
    place: str = PLACE,
    *,
    field: tuple[str | None, str | None] = (PLACE, PLACE),
) -> tuple[str, str]:
    """Judge a leaf; ``field`` says where the field is in the old and in the new page, None where it is not."""
    name, leaves = Name(place, key), list[Any]()
    for value, there in ((old, field[0]), (new, field[1])):
        found = {Name("SeeDreamV4.5", "path"): Leaf("/v1", "operation")}
        found |= {} if there is None else {Name(there, FIELD): Leaf("", side)}
        leaves.append(found if value is None else {**found, name: Leaf(value, side)})
    return judge(name, *leaves)


@pytest.mark.parametrize(
    ("side", "row"), [*(("request", row) for row in REQUEST), *(("reply", row) for row in REPLY)]
)  # fmt: skip
def test_each_keyword_of_a_field_has_its_verdict(side: str, row: tuple[str, Any, Any, str, str]) -> None:
    key, old, new, *expected = row
    assert judged(key, old, new, side) == tuple(expected)
    # An item of a list, and another choice of a reply, are parts of their field.
    inner = f"{PLACE}[]" if side == "request" else f"{PLACE}[]|1"
    assert judged(key, old, new, side, inner) == tuple(expected)


@pytest.mark.parametrize(
    ("side", "key", "old", "new", "field", "expected"),
    [
        ("request", FIELD, None, "", (None, PLACE), ("absorbed", "a new field")), ("request", FIELD, "", None, (PLACE, None), ("breaking", "callers may send it")),
        ("reply", FIELD, None, "", (None, PLACE), ("absorbed", "a new field")), ("reply", FIELD, "", None, (PLACE, None), ("breaking", "callers may read it")),
        ("request", "type", None, "string", (None, PLACE), ("absorbed", "part of a new field")), ("request", "type", "string", None, (PLACE, None), ("breaking", "part of a removed field")),
        ("request", "required", None, True, (None, PLACE), ("breaking", "callers may leave it out")), ("request", "required", None, False, (None, PLACE), ("absorbed", "callers may leave it out")),
        ("request", "required", True, None, (PLACE, None), ("breaking", "part of a removed field")), ("reply", "required", None, False, (None, PLACE), ("absorbed", "callers read it as before")),
        ("reply", "required", None, True, (None, PLACE), ("absorbed", "callers read it as before")), ("reply", "required", True, None, (PLACE, None), ("breaking", "part of a removed field")),
    ],
)  # fmt: skip
def test_a_field_that_comes_or_goes_takes_its_keywords_with_it(
    side: str, key: str, old: Any, new: Any, field: tuple[str | None, str | None], expected: tuple[str, str]
) -> None:
    assert judged(key, old, new, side, field=field) == expected


@pytest.mark.parametrize("place", ["SeeDreamV4.5/request|1/size", "SeeDreamV4.5/request application.json/size"])
def test_a_form_of_the_body_that_is_not_sent_breaks_nobody(place: str) -> None:
    expected = ("absorbed", "another form of the body, which the client does not send")
    assert judged("type", "string", "integer", "request", place, field=(place, place)) == expected


def around(name: Name, old: Any, new: Any, **more: tuple[Any, Any]) -> tuple[str, str]:
    """Judge a leaf of the operation or of the document, beside others in the old and the new page."""
    side: Any = "document" if name.place.split("/")[0] in ("document", "security") else "operation"
    places = {"path": Name("op", "path"), "security": Name("op", "security"), "type": Name("security/A", "type")}
    known = {"path": ("/v1", "/v1"), **more}
    pages = [
        {places[key]: Leaf(values[page], "operation") for key, values in known.items() if values[page] is not None}
        for page in (0, 1)
    ]
    for page, value in zip(pages, (old, new), strict=True):
        if value is not None:
            page[name] = Leaf(value, side)
    return judge(name, *pages)


USED = {"security": ([A], [A])}


@pytest.mark.parametrize(
    ("name", "old", "new", "more", "expected"),
    [
        (Name("op", "operationId"), "a", "b", {}, ("breaking", "names of modules and functions follow it")),
        (Name("op", "path"), "/a", "/b", {}, ("breaking", "packages that are installed today send to the old one")),
        (Name("op", "method"), "post", "put", {}, ("breaking", "packages that are installed today send to the old one")),
        (Name("op", "other"), None, 1, {}, ("breaking", "callers would miss it")), (Name("op/responses/200", "headers"), None, 1, {}, ("absorbed", "describes only")),
        (Name("op", "summary"), "a", "b", {}, ("absorbed", "describes only")),
        (Name("op", "method"), None, "post", {"path": (None, "/v1")}, ("absorbed", "a new operation")), (Name("op", "method"), "post", None, {"path": ("/v1", None)}, ("breaking", "the operation is gone")),
        (Name("op", "security"), [A], None, {}, ("breaking", "who may call changed")),
        (Name("document/servers/0", "url"), "a", "b", {}, ("absorbed", "the server's address")), (Name("document/servers/0/variables/v", "default"), "a", "b", {}, ("absorbed", "the server's address")),
        (Name("document/info", "version"), "a", "b", {}, ("absorbed", "describes only")), (Name("document/any", "default"), "a", "b", {}, ("absorbed", "describes only")),
        (Name("security/A", "name"), "a", "b", {"security": ([B], [B])}, ("absorbed", "no operation uses it")), (Name("security/A", "name"), "a", "b", {}, ("absorbed", "no operation uses it")),
        (Name("security/A", "name"), "a", "b", {**USED, "type": ("apiKey", "apiKey")}, ("breaking", "the key travels in another way")),
        (Name("security/A", "name"), "a", None, {"security": ([A], [B]), "type": ("apiKey", None)}, ("breaking", "the key travels in another way")),
        (Name("security/A", "name"), None, "b", {**USED, "type": (None, "apiKey")}, ("absorbed", "a new scheme; the operation says whether it must be used")),
    ],
)  # fmt: skip
def test_what_is_around_the_fields_has_its_verdict(
    name: Name, old: Any, new: Any, more: dict[str, tuple[Any, Any]], expected: tuple[str, str]
) -> None:
    assert around(name, old, new, **more) == expected


LONG = "x" * 161


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\n  b", "a b"), (True, "true"), (False, "false"), (None, "None"), (["a", True, 1.5], "['a', true, 1.5]"), ({"a": [False]}, "{'a': [false]}"), (5, "5"), ("True", "True"),
        ("x" * 160, "x" * 160), (LONG, "x" * 157 + "..."), ([LONG], "['" + "x" * 155 + "..."),
    ],
)  # fmt: skip
def test_a_value_is_shown_on_one_line(value: Any, expected: str) -> None:
    assert (shown(value), shown(value, missing=True)) == (expected, "(none)")


def test_changes_are_listed_in_the_documents_order() -> None:
    path, prose = {Name("s", "path"): Leaf("/v1", "operation")}, "s/request/a"
    one = {
        Name(prose, "description"): Leaf("a  b", "request"),
        Name(prose, "x-n"): Leaf("c", "request"),
        Name("s", "tags"): Leaf([1], "operation"),
        Name("s", "servers"): Leaf([True], "operation"),
    }
    other = {
        Name("s/n", "k"): Leaf(1, "operation"),
        Name("s", "servers"): Leaf([1], "operation"),
        Name(prose, "x-n"): Leaf(5, "request"),
        Name(prose, "description"): Leaf("a b", "request"),
    }
    found = [
        (change.line(), change.added, change.removed, change.prose, change.why)
        for change in changes({**path, **one}, {**path, **other})
    ]
    assert found == [
        ("s request a/x-n c -> 5", False, False, True, "describes only"), ("s/tags [1] -> (none)", False, True, False, "describes only"),
        ("s/servers [true] -> [1]", False, False, False, "callers would miss it"), ("s n/k (none) -> 1", True, False, False, "describes only"),
    ]  # fmt: skip
    gone = Change(
        Name(PLACE, FIELD), "field", None, added=False, removed=True, verdict="breaking", why="w", prose=False
    )
    assert (gone.line(), replace(gone, added=True, removed=False).line()) == (
        "SeeDreamV4.5 request size removed",
        "SeeDreamV4.5 request size added",
    )
    assert gone.data() == {
        "place": PLACE,
        "key": FIELD,
        "old": "field",
        "new": None,
        "added": False,
        "removed": True,
        "verdict": "breaking",
        "why": "w",
        "prose": False,
    }


@pytest.mark.parametrize(
    ("place", "other"),
    [("s/request|1", True), ("s/request|12/a", True), ("s/request a.b/c", True), ("s/request", False), ("s/request/a|1", False), ("s/request/a b.c", False), ("s/reply|1", False), ("s/t/request|1", False), ("s/request a", False)],
)  # fmt: skip
def test_which_form_of_the_body_is_not_sent(place: str, *, other: bool) -> None:
    assert other_form(place) is other


INPUTS = load(REPOSITORY)


def test_the_maintainers_own_edits_are_what_differs_from_the_file(tmp_path: Path) -> None:
    assert changes_since(tmp_path, INPUTS) == []
    (tmp_path / "generated").mkdir()
    path = tmp_path / "generated/openapi.yaml"
    for text in ("[", "[1]", "paths: 5", "a: 1"):
        path.write_text(text, "utf-8")
        assert (changes_since(tmp_path, INPUTS) == []) == (text != "a: 1")
    path.write_text(
        (REPOSITORY / "generated/openapi.yaml").read_text("utf-8").replace("maximum: 15", "maximum: 12"), "utf-8"
    )
    assert [change.line() for change in changes_since(tmp_path, INPUTS)] == [
        "submit request batchsize/maximum 12 -> 15"
    ]


@pytest.mark.parametrize(
    ("operations", "missing"),
    [({ROUTE: ("post", "seeDreamV45")}, False), ({"/x": ("get", "seeDreamV45")}, False), ({ROUTE: ("post", "paint")}, False), ({ROUTE: ("put", "paint")}, True), ({"/x": ("post", "paint")}, True), ({}, True)],
)  # fmt: skip
def test_our_operation_is_known_by_its_id_or_its_route(
    operations: dict[str, tuple[str, str]], *, missing: bool
) -> None:
    found = {"paths": {path: {method: {"operationId": name}} for path, (method, name) in operations.items()}}
    assert missing_submit(found, INPUTS) is missing


# --- what a rule's new words mean


@pytest.mark.parametrize(
    ("name", "old", "new", "narrows"),
    [
        ("values", ("a", "b"), ("b", "a", "c"), False), ("values", ("a", "b"), ("a",), True), ("values", ("a", "b"), ("b", "a"), False), ("values", ("a",), "a", True), ("minimum", 5, 6, True), ("minimum", 5, 5, False), ("minimum", 5, 4.5, False), ("maximum", 5, 4, True), ("maximum", 5, 6, False), ("maximum", 5, 5, False), ("code", 5, 6, True), ("minimum", "a", "b", True), ("minimum", 5, "b", True),
        ("maximum", 5, (5,), True),
    ],
)  # fmt: skip
def test_a_fact_narrows_where_it_excludes_what_was_allowed(name: str, old: Any, new: Any, *, narrows: bool) -> None:
    assert review._narrows(name, old, new) is narrows


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("需要", "如果没有，则可选", ["如果", "没有", "可选"]), ("仅此", "仅此不再，仅此", ["不再"]), ("only if", "ONLY unless, Only", ["unless"]), ("a", "iffy nothing", []), ("a", "no longer; not, Never without", ["no longer", "not", "Never", "without"]), ("a", "除外 除非 未 无需 时必填", ["除外", "除非", "未", "无需", "时必填"]),
    ],
)  # fmt: skip
def test_words_of_a_condition_are_found(old: str, new: str, expected: list[str]) -> None:
    assert review._new_conditions(old, new) == expected


def test_sizes_are_checked_against_the_bounds_of_the_same_field() -> None:
    row = {"at": "a", "standing": "inferred", "source": "us", "summary": "x"}
    rows = {
        "B": {**row, "facts": {"minimum": 4, "maximum": 9}}, "S": {**row, "examples": {"valid": ["2x2", "3x3", "1x3", "2x5", "x"], "invalid": ["1x1", "2x3"]}}, "T": {**row, "at": "b", "examples": {"valid": ["1x1"]}}, "U": {**row, "facts": {"minimum": 100}},
    }  # fmt: skip
    after = replace(INPUTS, ledger=ledger.parse({"rules": rows}, {}))
    assert review._sizes_out_of_bounds(after) == [
        f"S calls {size}, B says otherwise" for size in ("1x3 valid", "2x5 valid", "2x3 invalid")
    ]
