"""Documents: references, operations, fields, leaves and soundness; each rule with the whole of what comes of it."""

# ruff: noqa: E501 -- tables read best with one case a line

import copy
from typing import Any

import pytest
from page_edits import DOCUMENT, INFO, PAGE, YAML, as_json, document
from pipeline import page
from pipeline.check_spec import check_nodes, check_spec, check_version
from pipeline.errors import RefusedInput
from pipeline.field_schema import default_fits, default_has_its_type, describe, python_names
from pipeline.flatten import Leaf, Name, flatten, names_of
from pipeline.spec import (
    Node,
    SpecError,
    branches,
    components_of,
    described,
    follow,
    joined,
    layers,
    locate,
    look_up,
    operations,
    our_operation,
    parts_of,
    pointer,
    properties,
    references,
    reply_schema,
    request_schema,
    required,
    statuses,
    walk,
)
from pipeline.strict_yaml import dump_yaml

# One document with something of each kind.
DOC: dict[str, Any] = {
"openapi":"3.0.3","info":{"title":"T","contact":{}},"servers":[{"url":"https://x","variables":{"v":{"default":"a"}}}],"security":[{"K":[]}],"tags":[{"name":"a"},{"name":"b"}],"x-list":[1,[2,{"a":3}]],"x-empty":[],
"components":{"securitySchemes":{"K":{"type":"apiKey","flows":{"a":{"b":1}}},"R":{"$ref":"#/components/securitySchemes/K"}},
 "schemas":{"Tree":{"type":"object","description":"t","properties":{"children":{"type":"array","items":{"$ref":"#/components/schemas/Tree"}}}},
   "Base":{"type":"object","description":"base","required":["a"],"properties":{"a":{"type":"string","maxLength":9}}},
   "Whole":{"description":"whole","title":"W","allOf":[{"$ref":"#/components/schemas/Base"},{"description":"more","required":["b"],"properties":{"a":{"type":"string","maxLength":5,"minLength":1},"b":{"$ref":"#/components/schemas/Num","maximum":7}}}]},
   "Num":{"type":"integer","maximum":10,"minimum":1,"exclusiveMaximum":True,"enum":[3,1,2]}},
 "parameters":{"P":{"in":"query","name":"p","required":True,"description":"pd","schema":{"type":"string"}}},
 "requestBodies":{"B":{"required":True,"description":"body","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Whole"},"example":1},"multipart/form-data":{"schema":{"type":"object","properties":{"f":{"type":"string"}}},"encoding":{"f":{"contentType":"x"}}},"text/plain":{}}}},
 "responses":{"R":{"description":"ok","headers":{"H":{"schema":{"type":"string"}}},"content":{"application/json":{"schema":{"oneOf":[{"$ref":"#/components/schemas/Whole"},{"type":"string"}]},"examples":{"e":{"value":{"a":[1,2]}}}},"text/plain":{"schema":{"type":"string"}}}}}},
"paths":{"/a":{"summary":"path s","x-p":"path x","servers":[{"url":"https://y"}],"parameters":[{"$ref":"#/components/parameters/P"}],
   "post":{"operationId":"ours","tags":["t"],"requestBody":{"$ref":"#/components/requestBodies/B"},"parameters":[{"in":"header","name":"h","schema":{"type":"integer"}}],"responses":{"200":{"$ref":"#/components/responses/R"},"400":{"description":"no","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Tree"}}}},"x-r":1},"security":[]},
   "get":{"responses":{"200":{"description":"d"}}}, "x-o":{"post":1}},
  "x-ext":{"get":{}}, "/n":None},
}  # fmt: skip
LEAVES = """\
document | openapi | '3.0.3' | document
document/info | title | 'T' | document
document/info | contact | {} | document
document/servers/0 | url | 'https://x' | document
document/servers/0/variables/v | default | 'a' | document
document/security/0 | K | [] | document
document/tags/0 | name | 'a' | document
document/tags/1 | name | 'b' | document
document/x-list | 0 | 1 | document
document/x-list/1 | 0 | 2 | document
document/x-list/1/1 | a | 3 | document
document | x-empty | [] | document
security/K | type | 'apiKey' | document
security/K/flows/a | b | 1 | document
security/R | type | 'apiKey' | document
security/R/flows/a | b | 1 | document
submit | path | '/a' | operation
submit | method | 'post' | operation
submit | security | [] | operation
submit | servers | [{'url': 'https://y'}] | operation
submit | operationId | 'ours' | operation
submit | tags | ['t'] | operation
submit/path | summary | 'path s' | operation
submit/path | x-p | 'path x' | operation
submit/path | x-o | {'post': 1} | operation
submit/request/query p | field | 'parameter' | request
submit/request/query p | required | True | request
submit/request/query p | description | 'pd' | request
submit/request/query p | type | 'string' | request
submit/request/header h | field | 'parameter' | request
submit/request/header h | required | False | request
submit/request/header h | type | 'integer' | request
submit/request | body required | True | request
submit/request | media types | ['application/json', 'multipart/form-data', 'text/plain'] | request
submit/request | description (of the body) | 'body' | request
submit/request/application/json | example | 1 | operation
submit/request/multipart/form-data | encoding | {'f': {'contentType': 'x'}} | operation
submit/request | type | 'object' | request
submit/request/f | field | 'field' | request
submit/request/f | required | False | request
submit/request/f | type | 'string' | request
submit/request application.json | description | 'whole' | request
submit/request application.json | title | 'W' | request
submit/request application.json | type | 'object' | request
submit/request application.json | description (2) | 'base' | request
submit/request application.json | description (3) | 'more' | request
submit/request application.json/a | field | 'field' | request
submit/request application.json/a | required | True | request
submit/request application.json/a | type | 'string' | request
submit/request application.json/a | maxLength | 5 | request
submit/request application.json/a | minLength | 1 | request
submit/request application.json/b | field | 'field' | request
submit/request application.json/b | required | True | request
submit/request application.json/b | type | 'integer' | request
submit/request application.json/b | minimum | 1 | request
submit/request application.json/b | enum | [1, 2, 3] | request
submit/request application.json/b | maximum | 6 | request
submit/reply | status | '200' | reply
submit/reply | media types | ['application/json', 'text/plain'] | reply
submit/responses/200 | description | 'ok' | operation
submit/responses/200 | headers | {'H': {'schema': {'type': 'string'}}} | operation
submit/responses/200/application/json/examples/e/value | a | [1, 2] | operation
submit/reply | description | 'whole' | reply
submit/reply | title | 'W' | reply
submit/reply | type | 'object' | reply
submit/reply | description (2) | 'base' | reply
submit/reply | description (3) | 'more' | reply
submit/reply/a | field | 'field' | reply
submit/reply/a | required | True | reply
submit/reply/a | type | 'string' | reply
submit/reply/a | maxLength | 5 | reply
submit/reply/a | minLength | 1 | reply
submit/reply/b | field | 'field' | reply
submit/reply/b | required | True | reply
submit/reply/b | type | 'integer' | reply
submit/reply/b | minimum | 1 | reply
submit/reply/b | enum | [1, 2, 3] | reply
submit/reply/b | maximum | 6 | reply
submit/reply|1 | type | 'string' | reply
submit/reply 400 | status | '400' | reply
submit/reply 400 | media types | ['application/json'] | reply
submit/responses/400 | description | 'no' | operation
submit/reply 400 | type | 'object' | reply
submit/reply 400 | description | 't' | reply
submit/reply 400/children | field | 'field' | reply
submit/reply 400/children | required | False | reply
submit/reply 400/children[] | as in | '/components/schemas/Tree' | reply
submit/reply 400/children | type | 'array' | reply
get .a | path | '/a' | operation
get .a | method | 'get' | operation
get .a | security | [{'K': []}] | operation
get .a | servers | [{'url': 'https://y'}] | operation
get .a/path | summary | 'path s' | operation
get .a/path | x-p | 'path x' | operation
get .a/path | x-o | {'post': 1} | operation
get .a/request/query p | field | 'parameter' | request
get .a/request/query p | required | True | request
get .a/request/query p | description | 'pd' | request
get .a/request/query p | type | 'string' | request
get .a/reply | status | '200' | reply
get .a/reply | media types | [] | reply
get .a/responses/200 | description | 'd' | operation
"""


def test_pointers_are_those_of_rfc_6901() -> None:
    assert pointer("a/b", "~c", 0) == "/a~1b/~0c/0"
    assert parts_of("/a~1b/~0c/0") == ["a/b", "~c", "0"]
    assert (pointer(), parts_of(""), parts_of("/~01")) == ("", [], ["~1"])


@pytest.mark.parametrize(
    ("where", "value"),
    [("", {"a": [1, {"b~": 2}], "0": 3}), ("/a/0", 1), ("/a/1/b~0", 2), ("/0", 3)],
)
def test_a_pointer_leads_to_its_value(where: str, value: object) -> None:
    assert look_up({"a": [1, {"b~": 2}], "0": 3}, where) == value


@pytest.mark.parametrize("where", ["/b", "/a/2", "/a/-1", "/a/x", "/a/0/b", "/a/1/c", "/a/²"])
def test_a_pointer_that_leads_nowhere_is_a_key_error(where: str) -> None:
    with pytest.raises(KeyError):
        look_up({"a": [1, {"b": 2}]}, where)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("x.json#/a", "the reference 'x.json#/a' leads out of the document (nothing is fetched)"), ("#a", "the reference '#a' leads out of the document (nothing is fetched)"),
        ("#/gone", "the reference '#/gone' leads nowhere"), ("#/loop", "the reference '#/loop' leads in a circle"), ("#/list/x", "the reference '#/list/x' leads nowhere"),
        ("http://" + "x" * 200, f"the reference 'http://{'x' * 112} leads out of the document (nothing is fetched)"),
    ],
)  # fmt: skip
def test_a_reference_that_cannot_be_followed_is_named(target: str, said: str) -> None:
    found = {"loop": {"$ref": "#/other"}, "other": {"$ref": "#/loop"}, "list": [1]}
    with pytest.raises(SpecError) as caught:
        follow(found, Node({"$ref": target}, "/here"))
    assert str(caught.value) == said


def test_a_reference_is_followed_through_others() -> None:
    found = {"a": {"$ref": "#/b/0"}, "b": [{"$ref": "#/c~1d"}], "c/d": {"type": "string"}, "no": False, "yes": True}
    assert follow(found, Node({"$ref": "#/a"}, "/x")) == Node({"type": "string"}, "/c~1d")
    assert follow(found, Node({"$ref": 5}, "/x")) == Node({"$ref": 5}, "/x")
    assert follow(found, Node({"$ref": "#/no"}, "/x")) == Node({"not": {}}, "/no")
    assert follow(found, Node(value=True, where="/x")) == Node({}, "/x")
    assert Node({"a": [{"b": 1}]}, "/p").child("a").child(0).child("b") == Node(1, "/p/a/0/b")


def test_everything_is_walked_with_its_place() -> None:
    found = {node.where: node.value for node in walk({"a/b": [1, {"c": 2}]}, "/x")}
    assert found == {
        "/x": {"a/b": [1, {"c": 2}]},
        "/x/a~1b": [1, {"c": 2}],
        "/x/a~1b/0": 1,
        "/x/a~1b/1": {"c": 2},
        "/x/a~1b/1/c": 2,
    }
    assert [node.where for node in references({"a": {"$ref": "#/b"}, "b": {"$ref": 5}, "c": [{"$ref": "x"}]})] == [
        "/c/0",
        "/a",
    ]


def test_components_are_those_that_are_needed() -> None:
    schemas = DOC["components"]["schemas"]
    keys = [("components", "schemas", name) for name in ("Whole", "Num", "Base")]
    assert components_of(
        DOC,
        [
            {"a": {"$ref": "#/components/schemas/Whole/allOf/1"}},
            {"$ref": "#/paths/x"},
            {"$ref": "#/components/schemas/Gone"},
        ],
    ) == {key: schemas[key[2]] for key in keys}


def test_operations_are_listed_in_order_with_their_names() -> None:
    found = list(operations(DOC))
    assert [(one.path, one.method, one.id, one.node.where) for one in found] == [
        ("/a", "post", "ours", "/paths/~1a/post"),
        ("/a", "get", "get /a", "/paths/~1a/get"),
    ]
    assert found[0].node.value is DOC["paths"]["/a"]["post"]
    assert [statuses(one.node) for one in found] == [["200", "400"], ["200"]]
    assert (list(operations({})), statuses(Node({}, "")), statuses(Node({"responses": None}, ""))) == ([], [], [])
    every = {
        "paths": {
            "/b": {
                method: {"operationId": 5}
                for method in ("get", "put", "post", "delete", "options", "head", "patch", "trace", "parameters")
            }
        }
    }
    assert [one.id for one in operations(every)] == [
        f"{method} /b" for method in ("get", "put", "post", "delete", "options", "head", "patch", "trace")
    ]
    assert (our_operation(DOC, "ours"), our_operation(DOC, "theirs")) == (found[0], None)


def test_bodies_and_replies_are_found() -> None:
    ours, other = operations(DOC)
    content = "/components/requestBodies/B/content"
    media = "multipart/form-data"
    schema = DOC["components"]["requestBodies"]["B"]["content"][media]["schema"]
    assert request_schema(DOC, ours) == (media, Node(schema, f"{content}/multipart~1form-data/schema"), True)
    assert request_schema(DOC, other) is None
    for body, expected in [
        ({"content": {}}, None), ({"content": None}, None), ({"content": {"text/plain": {}}}, None), ({}, None),
        ({"content": {"a/b": {"schema": {"x": 1}}, "c/d": {"schema": {}}}}, ("a/b", Node({"x": 1}, "/paths/~1p/post/requestBody/content/a~1b/schema"), False)),
    ]:  # fmt: skip
        (one,) = operations({"paths": {"/p": {"post": {"requestBody": body}}}})
        assert request_schema({}, one) == expected
    reply = "/components/responses/R/content/application~1json/schema"
    assert reply_schema(DOC, ours) == Node(look_up(DOC, reply), reply)
    assert reply_schema(DOC, ours, "400") == Node(
        {"$ref": "#/components/schemas/Tree"}, "/paths/~1a/post/responses/400/content/application~1json/schema"
    )
    assert [reply_schema(DOC, ours, "500"), reply_schema(DOC, ours, "x-r"), reply_schema(DOC, other)] == [
        None,
        None,
        None,
    ]
    plain = {
        "200": {
            "content": {
                "text/plain": {"schema": {}},
                "application/json": {},
                "application/problem+json": {"schema": {"a": 1}},
            }
        }
    }
    (one,) = operations({"paths": {"/p": {"post": {"responses": plain}}}})
    assert reply_schema({}, one) == Node(
        {"a": 1}, "/paths/~1p/post/responses/200/content/application~1problem+json/schema"
    )


WHOLE = "/components/schemas/Whole"


def whole() -> Node:
    return Node(look_up(DOC, WHOLE), WHOLE)


def test_the_layers_of_a_schema_are_all_that_apply() -> None:
    at = Node({"$ref": "#/components/schemas/Whole", "title": "T"}, "/x")
    places = ["/x", WHOLE, "/components/schemas/Base", f"{WHOLE}/allOf/1"]
    assert [one.where for one in layers(DOC, at)] == places
    assert next(layers(DOC, at)).value == {"title": "T"}
    assert [one.where for one in layers(DOC, Node({"$ref": "#/components/schemas/Base"}, "/x"))] == [
        "/components/schemas/Base"
    ]
    assert list(layers(DOC, Node([1], "/x"))) == []
    endless = {"A": {"allOf": [{"$ref": "#/A"}]}}
    with pytest.raises(SpecError) as caught:
        list(layers(endless, Node(endless["A"], "/A")))
    assert str(caught.value) == "schemas refer to each other in a circle at /A/allOf/0"
    chain: dict[str, Any] = {f"L{n}": {"allOf": [{"$ref": f"#/L{n + 1}"}]} for n in range(100)}
    assert len(list(layers({**chain, "L100": {}}, Node(chain["L0"], "/L0")))) == 101


def test_the_branches_are_the_first_of_each_choice() -> None:
    at = Node(
        {"oneOf": [{"anyOf": [{"a": 1}, {"b": 1}]}, {"c": 1}], "anyOf": [{"d": 1}], "allOf": [{"oneOf": [{"e": 1}]}]},
        "",
    )
    assert [one.where for one in branches(DOC, at)] == [
        "",
        "/oneOf/0",
        "/oneOf/0/anyOf/0",
        "/anyOf/0",
        "/allOf/0",
        "/allOf/0/oneOf/0",
    ]
    endless = {"A": {"oneOf": [{"$ref": "#/A"}]}}
    with pytest.raises(SpecError):
        list(branches(endless, Node(endless["A"], "/A")))


def test_properties_and_what_is_required_come_from_every_layer() -> None:
    assert {name: node.where for name, node in properties(DOC, whole()).items()} == {
        "a": "/components/schemas/Base/properties/a",
        "b": f"{WHOLE}/allOf/1/properties/b",
    }
    assert required(DOC, whole()) == {"a", "b"}
    # A property that several parts describe has the limits of all.
    assert describe(DOC, properties(DOC, whole())["a"]) == {"kind": "string", "min_length": 1, "max_length": 5}
    parts: list[Any] = [
        {"$ref": f"#{WHOLE}"},
        {"properties": {"a": {"maxLength": 3, "title": "T"}, "b": {"minimum": 2}}},
    ]
    more = properties(DOC, Node({"allOf": parts}, "/x"))
    assert [describe(DOC, more[name]) for name in ("a", "b")] == [
        {"kind": "string", "min_length": 1, "max_length": 3},
        {"kind": "integer", "enum": (3, 1, 2), "minimum": 2, "exclusive_maximum": 7},
    ]
    assert [(one.where, [part.where for part in one.more]) for one in more.values()] == [
        ("/components/schemas/Base/properties/a", [f"{WHOLE}/allOf/1/properties/a", "/x/allOf/1/properties/a"]),
        (f"{WHOLE}/allOf/1/properties/b", ["/x/allOf/1/properties/b"]),
    ]
    assert (properties(DOC, Node({}, "")), required(DOC, Node({}, ""))) == ({}, set())
    assert described(DOC, whole()) == Node("whole", f"{WHOLE}/description")
    assert described(DOC, Node({"$ref": "#/components/schemas/Base", "maximum": 1}, "/x")) == Node(
        "base", "/components/schemas/Base/description"
    )
    assert (described(DOC, Node({"description": 5}, "")), described(DOC, Node({}, ""))) == (None, None)


@pytest.mark.parametrize(
    ("place", "where"),
    [
        ("submit/request/f", "/components/requestBodies/B/content/multipart~1form-data/schema/properties/f"), ("submit/reply/a", "/components/schemas/Base/properties/a"), ("submit/reply/b", f"{WHOLE}/allOf/1/properties/b"),
        ("submit/reply 400/children", "/components/schemas/Tree/properties/children"), ("submit/reply 400/children/children", "/components/schemas/Tree/properties/children"), ("ours/request/f", "/components/requestBodies/B/content/multipart~1form-data/schema/properties/f"),
        ("security/K", "/components/securitySchemes/K"), ("security/X", None), ("submit/request/x", None), ("submit/request/f/x", None), ("submit/reply 500/a", None), ("theirs/request/f", None), ("get /a/request/f", None),
    ],
)  # fmt: skip
def test_a_place_is_located(place: str, where: str | None) -> None:
    found = locate(DOC, "ours", place)
    assert (found and found.where) == where
    assert found is None or found.value == look_up(DOC, found.where)


def test_where_there_is_no_body_nothing_is_located() -> None:
    assert locate({"paths": {"/p": {"get": {"operationId": "g"}}}}, "g", "submit/request/a") is None
    assert locate({}, "g", "security/K") is None


@pytest.mark.parametrize(
    ("key", "one", "other", "expected"),
    [
        ("maximum", 5, 3, 3), ("maxLength", 3, 5, 3), ("exclusiveMaximum", 5.5, 5, 5), ("maxItems", 1, 2, 1), ("maxProperties", 2, 1, 1), ("minimum", 5, 3, 5), ("minLength", 3, 5, 5), ("exclusiveMinimum", 1, 2, 2), ("minItems", 1, 2, 2),
        ("minProperties", 2, 1, 2), ("exclusiveMaximum", True, 3, True), ("exclusiveMinimum", 3, True, 3), ("maximum", "5", 3, "5"), ("maximum", 5, "3", 5), ("enum", [1, 2, 3], [3, 2], [2, 3]), ("enum", [1], "x", [1]), ("enum", "x", [1], "x"),
        ("type", "string", "integer", "string"), ("multipleOf", 2, 3, 2),
    ],
)  # fmt: skip
def test_of_two_layers_the_tighter_bound_and_the_common_values_hold(
    key: str, one: Any, other: Any, expected: Any
) -> None:
    assert joined(key, one, other) == expected


# --- leaves


def test_every_leaf_of_a_document_has_its_name_value_and_side() -> None:
    before = copy.deepcopy(DOC)
    found = flatten(DOC, names_of(DOC, "ours"))
    assert (
        "".join(f"{name.place} | {name.key} | {leaf.value!r} | {leaf.side}\n" for name, leaf in found.items()) == LEAVES
    )
    assert before == DOC


@pytest.mark.parametrize(
    ("paths", "old", "expected"),
    [
        ({"/a": {"post": "s"}}, None, {"/a post": "submit"}), ({"/a": {"post": "x/y"}}, None, {"/a post": "x.y"}), ({"/a": {"post": "submit"}}, None, {"/a post": "the other submit"}),
        ({"/a": {"post": "new"}}, {"/a post": "submit"}, {"/a post": "submit"}), ({"/a": {"post": "new"}, "/b": {"post": "s"}}, {"/a post": "submit"}, {"/a post": "new", "/b post": "submit"}),
        ({"/a": {"post": "new", "get": "old"}}, {"/a post": "old"}, {"/a post": "new", "/a get": "old"}), ({"/b": {"post": "new"}}, {"/a post": "submit"}, {"/b post": "new"}), ({"/a": {"post": "kept"}}, {"/a post": "x", "/b post": "kept"}, {"/a post": "kept"}),
    ],
)  # fmt: skip
def test_an_operation_keeps_its_name_when_only_its_id_changed(
    paths: dict[str, Any], old: dict[str, str] | None, expected: dict[str, str]
) -> None:
    found = {
        "paths": {
            path: {method: {"operationId": name} for method, name in item.items()} for path, item in paths.items()
        }
    }
    before = {(key.split()[0], key.split()[1]): name for key, name in (old or {}).items()}
    assert {
        f"{path} {method}": name for (path, method), name in names_of(found, "s", before if old else None).items()
    } == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (Name("submit/request/a/b/c", "maximum"), "submit request a.b.c/maximum"), (Name("submit/request/a", "field"), "submit request a"), (Name("submit", "path"), "submit/path"),
        (Name("document/servers/0/x", "url"), "document servers 0.x/url"), (Name("submit/request", "type"), "submit request/type"),
    ],
)  # fmt: skip
def test_a_leaf_is_shown_by_its_place(name: Name, shown: str) -> None:
    assert str(name) == shown


@pytest.mark.parametrize(
    ("key", "value", "prose"),
    [("description", "x", True), ("description (2)", "x", True), ("summary", "x", True), ("title", "x", True), ("x-note", "x", True), ("x-note", 5, False), ("description", 5, False), ("descriptions", "x", False), ("default", "x", False)],
)  # fmt: skip
def test_prose_is_text_for_people(key: str, value: Any, *, prose: bool) -> None:
    assert Leaf(value, "request").is_prose(key) is prose


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}), ({"type": ["string"]}, {"type": "string"}), ({"type": ["string", "integer"]}, {"type": ["integer", "string"]}), ({"nullable": False}, {}), ({"const": 5}, {"enum": [5]}),
        ({"enum": ["b", 1, "a"]}, {"enum": ["a", "b", 1]}), ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}), ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}), ({"exclusiveMaximum": True}, {}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "minimum": 2}), ({"type": "integer", "exclusiveMaximum": 5}, {"type": "integer", "maximum": 4}), ({"type": "integer", "exclusiveMaximum": 5, "maximum": 3}, {"type": "integer", "maximum": 3}),
        ({"type": ["integer", "null"], "exclusiveMinimum": 0}, {"type": "integer", "nullable": True, "minimum": 1}),
    ],
)  # fmt: skip
def test_what_openapi_30_and_31_write_in_two_ways_is_one(one: Any, other: Any) -> None:
    found = [
        flatten(
            {
                "paths": {
                    "/p": {
                        "post": {
                            "operationId": "s",
                            "requestBody": {"content": {"a/b": {"schema": {"properties": {"f": schema}}}}},
                        }
                    }
                }
            },
            {("/p", "post"): "submit"},
        )
        for schema in (one, other)
    ]
    assert found[0] == found[1]
    assert {name.key: leaf.value for name, leaf in found[1].items() if name.place == "submit/request/f"} == {
        "field": "field",
        "required": False,
        **other,
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "number", "exclusiveMaximum": 5},
        {"type": "integer", "exclusiveMaximum": 5.5},
        {"type": "number", "exclusiveMinimum": 0, "minimum": -1},
    ],
)
def test_bounds_that_are_excluded_stay_so_where_they_are_not_whole(schema: Any) -> None:
    found = flatten(
        {"paths": {"/p": {"post": {"requestBody": {"content": {"a/b": {"schema": schema}}}}}}},
        {("/p", "post"): "submit"},
    )
    assert {
        name.key: leaf.value for name, leaf in found.items() if name.key in schema and name.place == "submit/request"
    } == schema


# --- fields

COMPONENTS = {
    "components": {
        "schemas": {"E": {"type": "string", "enum": ["a", "b"]}, "F": {"type": "string", "format": "binary"}}
    }
}


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({}, {"kind": "object"}),
        ({"type": "string"}, {"kind": "string"}),
        ({"type": "integer", "minimum": 1, "maximum": 5, "exclusiveMinimum": 0, "multipleOf": 2, "default": 3, "description": "x"}, {"kind": "integer", "default": 3, "minimum": 1, "maximum": 5, "exclusive_minimum": 0, "multiple_of": 2, "description": "x"}),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": True, "maximum": 2, "exclusiveMaximum": False}, {"kind": "number", "maximum": 2, "exclusive_minimum": 1}),
        ({"type": "number", "exclusiveMaximum": True}, {"kind": "number"}),
        ({"type": "string", "minLength": 1, "maxLength": 2, "pattern": "^a", "format": "date"}, {"kind": "string", "min_length": 1, "max_length": 2, "pattern": "(?a)\\Aa", "format": "date"}),
        ({"type": "string", "pattern": "\\p{L}"}, {"kind": "string"}),
        ({"type": "string", "format": "binary"}, {"kind": "binary"}),
        ({"contentMediaType": "image/png"}, {"kind": "binary"}),
        ({"type": "string", "contentMediaType": "TEXT/plain"}, {"kind": "string"}),
        ({"type": "string", "contentMediaType": "application/xml"}, {"kind": "string"}),
        ({"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"}, {"kind": "string"}),
        ({"type": "string", "contentEncoding": "binary"}, {"kind": "binary"}),
        ({"type": "integer", "format": "binary"}, {"kind": "integer"}),
        ({"type": "array", "items": {"type": "string", "maxLength": 5}, "minItems": 1, "maxItems": 3, "uniqueItems": True, "default": ["a"], "description": "x"}, {"kind": "string", "many": True, "min_items": 1, "max_items": 3, "unique_items": True, "max_length": 5, "description": "x"}),
        ({"type": "array"}, {"kind": "object", "many": True}),
        ({"items": {"type": "integer"}}, {"kind": "integer", "many": True}),
        ({"type": ["array", "null"], "items": {"type": "boolean"}}, {"kind": "boolean", "many": True, "nullable": True}),
        ({"type": ["string", "null"]}, {"kind": "string", "nullable": True}),
        ({"type": "string", "nullable": True}, {"kind": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"kind": "object"}),
        ({"type": "null"}, {"kind": "object", "nullable": True}),
        ({"enum": [1, 2]}, {"kind": "integer", "enum": (1, 2)}),
        ({"enum": ["a", None]}, {"kind": "string", "enum": ("a",)}),
        ({"enum": [True]}, {"kind": "boolean", "enum": (True,)}),
        ({"enum": [1, 2.5]}, {"kind": "number", "enum": (1, 2.5)}),
        ({"enum": [1, "a"]}, {"kind": "object", "enum": (1, "a")}),
        ({"enum": [None]}, {"kind": "object", "enum": ()}),
        ({"enum": [[1], "a"]}, {"kind": "object", "enum": ("a",)}),
        ({"const": "x"}, {"kind": "string", "enum": ("x",)}),
        ({"const": 1.5}, {"kind": "number", "enum": (1.5,)}),
        ({"type": "string", "const": "x", "enum": ["y"]}, {"kind": "string", "enum": ("y",)}),
        ({"const": None}, {"kind": "object"}),
        ({"const": [1]}, {"kind": "object"}),
        ({"$ref": "#/components/schemas/E", "default": "a", "description": "beside"}, {"kind": "string", "default": "a", "enum": ("a", "b"), "description": "beside"}),
        ({"allOf": [{"$ref": "#/components/schemas/E"}, {"enum": ["b", "c"], "maxLength": 4}, {"maxLength": 3, "description": "d"}]}, {"kind": "string", "enum": ("b",), "max_length": 3, "description": "d"}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"kind": "string", "nullable": True}),
        ({"anyOf": [{"type": "null"}]}, {"kind": "object", "nullable": True}),
        ({"anyOf": [{"type": "string", "maxLength": 3}]}, {"kind": "string", "max_length": 3}),
        ({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}, {"kind": "string", "many": True}),
        ({"oneOf": [{"$ref": "#/components/schemas/F"}, {"type": "array", "items": {"$ref": "#/components/schemas/F"}}], "description": "y"}, {"kind": "binary", "many": True, "description": "y"}),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, {"kind": "number"}),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, {"kind": "string"}),
        ({"oneOf": [{"type": "integer"}, {"type": "object"}]}, {"kind": "object"}),
        ({"oneOf": [{"enum": ["a"]}, {"const": "b"}]}, {"kind": "string", "enum": ("a", "b")}),
        ({"oneOf": [{"enum": ["a"]}, {"type": "string"}]}, {"kind": "string"}),
        ({"oneOf": [{"type": "boolean"}, {"type": "boolean", "nullable": True}]}, {"kind": "boolean", "nullable": True}),
        ({"oneOf": [{"type": "string", "format": "binary"}, {"type": "string"}]}, {"kind": "binary"}),
        ({"oneOf": [{"type": "array"}, {"type": "string"}]}, {"kind": "object", "many": True}),
        ({"anyOf": [{"type": "string"}], "type": "integer", "default": True}, {"kind": "integer", "default": True}),
        ({"type": "object", "default": {}}, {"kind": "object"}),
        ({"default": None, "type": "string"}, {"kind": "string"}),
        ({"description": 5}, {"kind": "object"}),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, {"kind": "integer", "enum": (1, 2)}),
        ({"enum": []}, {"kind": "object"}), ({"oneOf": [{"enum": [1, "a"]}, {"enum": ["b", 2]}]}, {"kind": "object", "enum": (1, "a", "b", 2)}),
        ({"oneOf": [{"oneOf": [{"const": 1}, {"const": 2}]}, {"const": 3}]}, {"kind": "integer", "enum": (1, 2, 3)}),
    ],
)  # fmt: skip
def test_a_schema_is_described(schema: Any, field: dict[str, Any]) -> None:
    before = copy.deepcopy(schema)
    assert describe(COMPONENTS, Node(schema, "/s")) == field
    assert before == schema


def test_choices_are_joined_only_so_deep() -> None:
    schema: Any = {"type": "string"}
    for _ in range(30):
        schema = {"anyOf": [schema, {"type": "null"}]}
    assert describe({}, Node(schema, "")) == {"kind": "object", "nullable": True}
    for _ in range(11):
        schema = schema["anyOf"][0]
    assert describe({}, Node(schema, "")) == {"kind": "string", "nullable": True}


def test_names_are_pythons_and_all_different() -> None:
    names = [
        "imageUrl",
        "HTMLPage",
        "a-b",
        "a b",
        "ａ",
        "class",
        "list",
        "self",
        "2x",
        "",
        "中文",
        "_x",
        "x_",
        "imageURL",
        "prompt",
        "Prompt",
        "ID2Name",
        "headers",
    ]
    assert python_names(names, {"prompt": "prompt", "sourceImage": "source_images"}, ("timeout", "image_url")) == {
        "imageUrl": "image_url_", "HTMLPage": "html_page", "a-b": "a_b", "a b": "a_b_", "ａ": "a", "class": "class_", "list": "list_", "self": "self_", "2x": "field_2x", "": "field", "中文": "中文", "_x": "x", "x_": "x_",
        "imageURL": "image_url__", "prompt": "prompt", "Prompt": "prompt_", "ID2Name": "id2_name", "headers": "headers_",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("field", "typed", "fits"),
    [
        ({"kind": "string"}, True, True), ({"kind": "string", "many": True, "default": 5}, True, True), ({"kind": "string", "default": 5}, False, False), ({"kind": "integer", "default": 5}, True, True), ({"kind": "integer", "default": 5.5}, False, False),
        ({"kind": "integer", "default": True}, False, False), ({"kind": "boolean", "default": True}, True, True), ({"kind": "boolean", "default": 1}, False, False), ({"kind": "number", "default": 1}, True, True), ({"kind": "number", "default": True}, False, False), ({"kind": "object", "default": "x"}, False, False),
        ({"kind": "binary", "default": "x"}, False, False), ({"kind": "string", "default": "c", "enum": ("a", "b")}, True, False), ({"kind": "string", "default": "a", "enum": ("a", "b")}, True, True), ({"kind": "string", "default": "ab", "min_length": 2, "max_length": 2}, True, True),
        ({"kind": "string", "default": "a", "min_length": 2}, True, False), ({"kind": "string", "default": "abc", "max_length": 2}, True, False), ({"kind": "string", "default": ""}, True, True),
        *[({"kind": "integer", "default": 5, **bounds}, True, fits) for bounds, fits in [({"maximum": 5}, True), ({"maximum": 4}, False), ({"exclusive_maximum": 6}, True), ({"exclusive_maximum": 5}, False), ({"minimum": 5}, True), ({"minimum": 6}, False), ({"exclusive_minimum": 4}, True), ({"exclusive_minimum": 5}, False)]],
    ],
)  # fmt: skip
def test_a_default_is_of_the_fields_type_and_within_its_limits(
    field: dict[str, Any], *, typed: bool, fits: bool
) -> None:
    assert (default_has_its_type(field), default_fits(field)) == (typed, fits)


# --- soundness


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"swagger": "2.0.0.0.0.0.0.0.0.0.0.0"}, "x is Swagger 2.0.0.0.0.0.0.0.0.0., not OpenAPI 3. Convert it, or ask the vendor for OpenAPI."), ({"paths": {}}, "x is not an OpenAPI document: it has no `openapi` version or no `paths`."),
        ({"openapi": "3.0.3"}, "x is not an OpenAPI document: it has no `openapi` version or no `paths`."), ({"openapi": "3.0.3", "paths": []}, "x is not an OpenAPI document: it has no `openapi` version or no `paths`."),
        *[({"openapi": version, "paths": {}}, f"x says openapi {version!r:.40}; this pipeline reads 3.0.x and 3.1.x.") for version in ("3.2.0", "3.0", "4.0.0", 3.1, "3.0.3-x", "3" * 99)],
    ],
)  # fmt: skip
def test_a_document_of_another_version_is_refused(found: Any, said: str) -> None:
    with pytest.raises(RefusedInput) as caught:
        check_version(found, "x")
    assert str(caught.value) == said


def test_the_version_is_told() -> None:
    assert [check_version({"openapi": version, "paths": {}}, "x") for version in ("3.0.0", "3.0.12", "3.1.0")] == [
        False,
        False,
        True,
    ]


def sound(**changes: Any) -> dict[str, Any]:
    return {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}, **changes}


def with_schema(schema: Any, version: str = "3.0.3") -> dict[str, Any]:
    form = {"requestBody": {"content": {"a/b": {"schema": schema}}}, "responses": {"200": {"description": "d"}}}
    return sound(
        openapi=version,
        paths={"/p": {"post": form}},
        components={
            "schemas": {
                "A": {"allOf": [{"$ref": "#/components/schemas/B"}]},
                "B": {"anyOf": [{"$ref": "#/components/schemas/A"}]},
            }
        },
    )


PLACE = "paths//p/post/requestBody/content/a/b/schema"
BROKEN = "x breaks the OpenAPI specification at"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (sound(info={"title": "t"}), f"{BROKEN} info: 'version' is a required property."), (sound(unknown=1), f"{BROKEN} the top: 'unknown' does not match any of the regexes: '^x-'."),
        (with_schema({"type": 5}), f"{BROKEN} {PLACE}/type: 5 is not of type 'string'."), (with_schema({"type": 5}, "3.1.0"), f"{BROKEN} {PLACE}/type: 5 is not valid under any of the given schemas."),
        (with_schema({"maximum": "x" * 300}), f"{BROKEN} {PLACE}/maximum: what is there does not have the form that OpenAPI asks for."), (sound(openapi="3.1.0", info=5), f'{BROKEN} info: 5 is not of type "object".'),
        (sound(openapi="3.1.0", components={"schemas": {"A": {"properties": {"maximum": {"maximum": "many"}}}}}), f"{BROKEN} components/schemas/A/properties/maximum/maximum: 'many' is not of type 'number'."),
        (with_schema({"$ref": "#/components/schemas/A"}), "x: the schemas at /components/schemas/A refer to each other without end."), (with_schema({"properties": {"a": {"$ref": "#/gone"}}}), "x: the reference '#/gone' leads nowhere."),
        (sound(paths={path: {"get": {"operationId": "same", "responses": {"200": {"description": "d"}}}} for path in ("/p", "/q")}), "x: /q and /p have one operationId, same."),
        (sound(info={"title": "t" * 20_001, "version": "1"}), "x: the text at /info/title is longer than 20,000 characters."),
    ],
)  # fmt: skip
def test_a_document_that_is_not_sound_is_refused(found: Any, said: str) -> None:
    with pytest.raises(RefusedInput) as caught:
        check_spec(found, "x")
    assert str(caught.value) == said


def test_where_a_document_is_broken_is_cut() -> None:
    deep: dict[str, Any] = {"type": 5}
    for number in range(9):
        deep = {"properties": {f"{number}" * 20: deep}}
    place = f"{PLACE}{''.join(f'/properties/{n}' for n in (str(number) * 20 for number in range(8, -1, -1)))}"
    with pytest.raises(RefusedInput) as caught:
        check_spec(with_schema(deep), "x")
    assert str(caught.value) == f"{BROKEN} {place[:200]}: 5 is not of type 'string'."


def chained(length: int) -> dict[str, Any]:
    schemas: dict[str, Any] = {
        f"L{n}": {"type": "object", "properties": {"p": {"$ref": f"#/components/schemas/L{n + 1}"}}}
        for n in range(length)
    }
    found = with_schema({"$ref": "#/components/schemas/L0"})
    return {**found, "components": {"schemas": {**schemas, f"L{length}": {"type": "object"}}}}


def wide(count: int) -> dict[str, Any]:
    many = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(99)}}
    found = with_schema(
        {"type": "object", "properties": {f"q{n}": {"$ref": "#/components/schemas/Many"} for n in range(count)}}
    )
    return {**found, "components": {"schemas": {"Many": many}}}


def test_how_much_a_document_may_hold() -> None:
    check_spec(chained(99), "x")
    with pytest.raises(RefusedInput, match=r"^x: more than 100 of its schemas refer to each other in one chain\.$"):
        check_spec(chained(100), "x")
    check_spec(wide(49), "x")
    with pytest.raises(RefusedInput, match=r"^x: with every reference written out it has more than 5,000 schemas\.$"):
        check_spec(wide(50), "x")
    check_spec(sound(info={"title": "t" * 20_000, "version": "1"}), "x")
    recursive = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"$ref": "#/components/schemas/T"}}},
        "additionalProperties": {"$ref": "#/components/schemas/T"},
    }
    check_spec({**with_schema({"$ref": "#/components/schemas/T"}), "components": {"schemas": {"T": recursive}}}, "x")
    deep: Any = "x" * 20_001
    for _ in range(120):
        deep = {"a": deep}
    with pytest.raises(SpecError, match=rf"^the text at {'/a' * 100} is longer than 20,000 characters$"):
        check_nodes(deep)


@pytest.mark.parametrize(
    "place",
    [
        {"allOf": [0]},
        {"anyOf": [0]},
        {"oneOf": [0]},
        {"properties": {"a": 0}},
        {"items": 0},
        {"additionalProperties": 0},
        {"not": 0},
    ],
)
def test_a_chain_is_followed_through_every_kind_of_schema(place: dict[str, Any]) -> None:
    def filled(node: Any, value: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(child, value) for key, child in node.items()}
        return [value] if isinstance(node, list) else value

    refers = filled(place, {"$ref": "#/components/schemas/S0"})
    at_once = next(iter(place)) in ("allOf", "anyOf", "oneOf")
    found = {**with_schema({"$ref": "#/components/schemas/S0"}), "components": {"schemas": {"S0": refers}}}
    if at_once:
        with pytest.raises(
            RefusedInput, match=r"^x: the schemas at /components/schemas/S0 refer to each other without end\.$"
        ):
            check_spec(found, "x")
    else:
        check_spec(found, "x")
    chain = {f"S{n}": filled(place, {"$ref": f"#/components/schemas/S{n + 1}"}) for n in range(101)}
    with pytest.raises(RefusedInput, match="in one chain"):
        check_spec({**found, "components": {"schemas": {**chain, "S101": {"type": "string"}}}}, "x")


# --- pages


def taken(data: bytes) -> page.Source:
    return page.take(data, "p")


TEXT = (
    "> ## Documentation Index", "> Fetch the complete documentation index at: https://docs.tensorslab.com/llms.txt", "> Use this file to discover all available pages before exploring further.",
    "# SeeDreamV4.5", "> 使用火山引擎SeeDream V4.5模型生成图片，支持批量生成，画质更优", "## OpenAPI",
)  # fmt: skip


def test_a_page_is_taken_apart() -> None:
    digest = "2f53f480a2463789cb344b0e30e41d311877d7db35288db07ee152dac8c7a108"
    assert taken(PAGE) == page.Source(
        "p", "page", digest, YAML, DOCUMENT, f"yaml {INFO.decode()}", "SeeDreamV4.5", TEXT
    )
    bare = taken(b"\xef\xbb\xbf" + YAML)
    assert (bare.form, bare.yaml, bare.document, bare.fence, bare.title, bare.text) == (
        "yaml",
        YAML,
        DOCUMENT,
        "",
        "",
        (),
    )
    written = dump_yaml(DOCUMENT).encode()
    one = taken(b" \n" + as_json(DOCUMENT))
    assert (one.form, one.yaml, one.document, one.fence, one.title, one.text) == ("json", written, DOCUMENT, "", "", ())
    inside = taken(b"# T \n\n```json a.json post /x\n" + as_json(DOCUMENT) + b"\n```\n")
    assert (inside.form, inside.yaml, inside.document, inside.fence, inside.title, inside.text) == (
        "page",
        written,
        DOCUMENT,
        "json a.json post /x",
        "T",
        ("# T",),
    )


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"---\n# x\nopenapi: 3.0.3\n", "yaml"), (b"'openapi': '3.0.3'\n", "yaml"), (b"info: {}\nopenapi: 3.0.3\n", "yaml"), (b"paths: {}\n", "yaml"), (b'"swagger" : "2.0"\n', "yaml"), (b"info: {d: 1}\nx: |\n  ```\nopenapi: 3.0.3\n", "yaml"),
        (b"openapi: 3.0.3\nx: |\n  ```\n  y\n", "yaml"), (b"text\n\n~~~yaml\nopenapi: 3.0.3\n~~~\n", "page"), (b"{% x %}\n```\nopenapi: 3.0.3\n```\n", "page"), (b"```YAML x.yml GET /a\na: 1\n```\n```\nopenapi: 3.1.0\n```\n", "page"),
        (b"```yaml /a/x.json trace /\na: 1\n```\n", "page"), (b"   ```\n   x\n   ```\n```\nswagger: '2.0'\n```\n", "page"),
    ],
)  # fmt: skip
def test_what_was_given_is_told_by_what_comes_first(data: bytes, form: str) -> None:
    if data.startswith(b"info: {d"):
        with pytest.raises(RefusedInput, match="its lines are ambiguous"):
            taken(data)
    else:
        assert taken(data).form == form


NO_BLOCK = "p holds no OpenAPI block. Looked for one fenced block whose info reads `yaml <file>.json <method> <path>`, and for a bare OpenAPI document."
BLOCK = b"```yaml x.json get /a\na: 1\n```\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b" \r\n\t", "p is empty."), (b"a\0", "p is a binary file (it holds NUL bytes), or not UTF-8 text."), (b"ab\xff", "p is not UTF-8 text (byte 2): a binary file, or another encoding."), (b"[1]", "p holds no OpenAPI document: the top level is not a mapping."),
        (b"{", "p: the document cannot be read: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)."), (b"text", NO_BLOCK), (b"```yaml x.json fetch /a\na: 1\n```\n", NO_BLOCK), (b"```yaml x.txt get /a\na: 1\n```\n", NO_BLOCK),
        (b"x\n\n\t```yaml x.json get /a\n\ta: 1\n", "p holds no OpenAPI block: the fence at line 3 is indented by four spaces or a tab, so it is text. Remove the indentation of the block."),
        (BLOCK + BLOCK, "p holds 2 candidate blocks (at lines 1, 4). Keep the one that describes our operation and give that page."), (b"> " + BLOCK.replace(b"\n", b"\n> "), "p: the block at line 1 is inside a list or a quotation."),
        (b"x\n " + BLOCK, "p: the block at line 2 is indented, so its lines are ambiguous."), (BLOCK[:-4], "p: the block at line 1 is never closed with ```. The page may be cut short."), (BLOCK[:-2], "p: the block at line 1 is never closed with ```. The page may be cut short."),
        (b"```yaml x.json get /a", "p: the block at line 1 is never closed with ```. The page may be cut short."), (b"x\n\n```yaml x.json get /a\na: [\n```", "p, fenced block at line 3: the document cannot be read: while parsing a flow node expected the node content, but found '<stream end>' (line 2, column 1)."),
        (b"```yaml x.json get /a\n{1\n```", "p, fenced block at line 1: the document cannot be read: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)."), (b"x\n" * 50_001, "p has more than 50,000 lines: no page of this API has."),
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_taken_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(RefusedInput) as caught:
        taken(data)
    assert (str(caught.value), caught.value.__cause__) == (said, None)


@pytest.mark.parametrize("end", [b"```", b"   ```` \t\n", b"`````\nmore", b"```\r\nmore"])
@pytest.mark.parametrize("line", [b"\n", b"\r\n", b"\r"])
def test_a_block_is_cut_out_byte_for_byte(end: bytes, line: bytes) -> None:
    text = "a: 1\nb: 'x\x85\u2028'\n".replace("\n", line.decode()).encode()
    assert taken(b"```yaml x.json get /a" + line + text + end).yaml == text


def test_the_text_around_the_block_is_kept_as_sentences() -> None:
    front = b"---\ntitle: x\n---\n"
    assert taken(
        front + b"# A  b\nOne. Two\n\nOne. Two\n```sh\nhidden\n```\n" + BLOCK + b"After\r\nmore\rend"
    ).text == ("# A b", "One.", "Two", "After", "more", "end")
    assert taken(b"---\nkept\n\n" + BLOCK).text == ("---", "kept")
    long = taken(b"x" * 3000 + b"\n\n" + b"".join(b"l%d\n\n" % n for n in range(300)) + BLOCK).text
    assert (len(long), long[0], long[199]) == (200, "x" * 2000, "l198")
    assert [taken(text + BLOCK).title for text in (b"#  One  \n# Two\n", b"## No\n", b"#No\n")] == ["One", "", ""]
    assert taken(b"x\n" * 49_996 + b"\n" + BLOCK).document == {"a": 1}


OTHER = {
    "operationId": "other",
    "requestBody": {"content": {"a/b": {"schema": {"$ref": "#/components/schemas/Only"}}}},
    "responses": {"200": {"$ref": "#/components/responses/R"}},
}


def test_only_our_operations_are_kept_of_a_whole_document() -> None:
    def grow(d: dict[str, Any]) -> None:
        d["paths"]["/o"] = {"get": OTHER, "parameters": [], "post": {"responses": {}}}
        d["paths"]["/v1/images/seedreamv45"]["delete"] = {"responses": {}}
        d["paths"]["x-more"] = {"get": 1}
        d["components"] |= {"responses": {"R": {"description": "r"}}, "x-tool": 1, "parameters": {"P": {}}}
        d["components"]["schemas"]["Only"] = {"type": "string"}
        d["components"]["securitySchemes"] |= {"B": {"type": "http", "scheme": "basic"}}

    whole = document(grow)
    source = taken(as_json(whole))
    kept, lines = page.reduce(source, "seeDreamV45", DOCUMENT)
    expected = document()
    assert kept.document == expected
    assert kept.yaml == dump_yaml(expected).encode()
    assert (kept.name, kept.form, kept.sha256) == (source.name, source.form, source.sha256)
    assert lines == [
        "DELETE /v1/images/seedreamv45 (delete /v1/images/seedreamv45)",
        "GET /o (other)",
        "POST /o (post /o)",
    ]
    assert page.reduce(source, "seeDreamV45", {}) == (kept, lines)
    assert page.reduce(source, "other", {})[0].document["paths"] == {"/o": {"get": OTHER, "parameters": []}}
    assert page.reduce(source, "other", {})[0].document["components"] == {
        "schemas": {"Only": {"type": "string"}},
        "responses": {"R": {"description": "r"}},
    }
    assert page.reduce(source, "nothing", {}) == (source, [])
    alone = taken(as_json(DOCUMENT))
    assert page.reduce(alone, "seeDreamV45", DOCUMENT) == (alone, [])
    marked = taken(b"# T\n```yaml x.json get /a\n" + dump_yaml(whole).encode() + b"```\n")
    assert page.reduce(marked, "seeDreamV45", DOCUMENT) == (marked, [])


def test_a_file_is_read_by_its_name(tmp_path: Any) -> None:
    path = tmp_path / "page.md"
    path.write_bytes(PAGE)
    assert page.read(path) == page.take(PAGE, "page.md")
    for given, said in [
        (tmp_path, f"{tmp_path} is a folder. Give the file that holds the page."), (tmp_path / "x", f"{tmp_path / 'x'}: there is no such file."),
        (tmp_path / ("x" * 300), f"{str(tmp_path / ('x' * 300))!r:.200} cannot be read: File name too long."),
    ]:  # fmt: skip
        with pytest.raises(RefusedInput) as caught:
            page.read(given)
        assert str(caught.value) == said
    with path.open("wb") as file:
        file.truncate(20_000_000)
    with pytest.raises(RefusedInput, match="is a binary file"):
        page.read(path)
    with path.open("wb") as file:
        file.truncate(20_000_001)
    with pytest.raises(RefusedInput, match=r"page\.md is larger than 20,000,000 bytes: no page of this API is\.$"):
        page.read(path)
