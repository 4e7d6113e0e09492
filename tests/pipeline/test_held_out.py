"""Updates of the kinds that once were absorbed and then broke the client, or ended in a traceback."""

# ruff: noqa: E501 -- one case a line

import copy
import json
import re
from typing import Any

import pytest
from page_edits import (
    PAGE,
    ROUTE,
    YAML,
    RepositoryCopy,
    as_json,
    body,
    document,
    edited,
    field,
    operation,
    page,
    replaced,
    schema,
)

pytestmark = pytest.mark.usefixtures("sending")
PNG = {"type": "string", "format": "binary"}


def add(name: str, value: dict[str, Any]) -> Any:
    return lambda d: body(d)["properties"].update({name: value})


def in_31(*edits: Any) -> bytes:
    return edited(lambda d: d.update(openapi="3.1.0"), *edits)


def _body_in_a_component(d: dict[str, Any]) -> None:
    content = operation(d)["requestBody"]["content"]["multipart/form-data"]
    d["components"]["schemas"]["SubmitForm"] = content["schema"]
    content["schema"] = {"$ref": "#/components/schemas/SubmitForm"}


def _all_inlined(d: dict[str, Any]) -> None:
    schemas = d["components"].pop("schemas")

    def written_out(node: Any) -> Any:
        if isinstance(node, dict) and "$ref" in node:
            return written_out(copy.deepcopy(schemas[node["$ref"].rpartition("/")[2]]))
        if isinstance(node, dict):
            return {key: written_out(value) for key, value in node.items()}
        return [written_out(value) for value in node] if isinstance(node, list) else node

    d["paths"] = written_out(d["paths"])


def _second_form(d: dict[str, Any]) -> None:
    content = operation(d)["requestBody"]["content"]["multipart/form-data"]
    other = {"type": "object", "required": ["templateId"], "properties": {"templateId": {"type": "string"}}}
    content["schema"] = {"oneOf": [content["schema"], other]}


def _json_first(d: dict[str, Any]) -> None:
    content = operation(d)["requestBody"]["content"]
    operation(d)["requestBody"]["content"] = {
        "application/json": copy.deepcopy(content["multipart/form-data"]),
        **content,
    }


def _rename(d: dict[str, Any], old: str, new: str) -> None:
    body(d)["properties"][new] = body(d)["properties"].pop(old)


def _chain(d: dict[str, Any]) -> None:
    schemas = d["components"]["schemas"]
    schemas.update({f"L{n}": {"allOf": [{"$ref": f"#/components/schemas/L{n + 1}"}]} for n in range(25)})
    schemas["L25"] = {"type": "integer"}
    add("deep", {"$ref": "#/components/schemas/L0"})(d)


def _bomb(d: dict[str, Any]) -> None:
    schemas = d["components"]["schemas"]
    for n in range(12):
        properties = {f"p{m}": {"$ref": f"#/components/schemas/B{n + 1}"} for m in range(9)}
        schemas[f"B{n}"] = {"type": "object", "properties": properties}
    schemas["B12"] = {"type": "string"}
    add("bomb", {"$ref": "#/components/schemas/B0"})(d)


def _first(name: str, scheme: dict[str, Any]) -> Any:
    return lambda d: d["components"].update(securitySchemes={name: scheme, **d["components"]["securitySchemes"]})


BASIC = {"type": "http", "scheme": "basic"}
OTHER_KEY = {"type": "apiKey", "in": "header", "name": "X-K"}
FAULT = {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": "yes"}}}}}
OK = {"responses": {"200": {"description": "ok"}}}


def _another(d: dict[str, Any]) -> None:
    d["paths"]["/v1/other"] = {"post": {"operationId": "x", **OK}}


# name -> (page, exit code, exit code with ACCEPT=1, words of the report or the message)
CASES: dict[str, tuple[bytes, int, int, str]] = {
    "3.1 file by its media type": (in_31(add("mask", {"type": "string", "contentMediaType": "image/png"})), 0, 0, "mask"),
    "3.1 file without a type": (in_31(add("mask", {"contentMediaType": "application/octet-stream"})), 0, 0, "mask"),
    "3.1 text that encodes a file": (
        in_31(add("mask", {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"})), 0, 0, "mask",
    ),
    "3.1 source images by media type": (
        in_31(lambda d: field(d, "sourceImage").update(items={"type": "string", "contentMediaType": "image/png"})),
        3, 0, "sourceImage[]/format binary -> (none)",
    ),
    "a file becomes required": (edited(lambda d: body(d).update(required=["sourceImage"])), 3, 0, "sourceImage/required"),
    "an array in anyOf": (
        edited(add("tags", {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})), 0, 0, "tags",
    ),
    "files in oneOf": (edited(add("mask", {"oneOf": [PNG, {"type": "array", "items": PNG}]})), 0, 0, "mask"),
    "an array or null in 3.1": (
        in_31(add("tags", {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]})), 0, 0, "tags",
    ),
    "an array of files": (edited(add("masks", {"type": "array", "items": PNG})), 0, 0, "masks"),
    "a pattern with properties": (
        edited(add("lang", {"type": "string", "pattern": r"^\p{L}+$"})), 0, 0, "so it is not enforced",
    ),
    "a pattern with a named group": (
        edited(add("lang", {"type": "string", "pattern": r"^(?<n>[a-z]+)-\k<n>$"})), 0, 0, "lang",
    ),
    "a name beside imageUrl": (edited(add("image_url", {"type": "string"})), 0, 0, "image_url"),
    "a name of the client's own": (edited(add("sourceImages", {"type": "string"})), 0, 0, "sourceImages"),
    "a parameter of generate": (edited(add("timeout", {"type": "integer"})), 0, 0, "timeout"),
    "a method of the generated body": (edited(add("to_multipart", {"type": "string"})), 0, 0, "to_multipart"),
    "brackets in a name": (edited(add("sourceImage[]", {"type": "array", "items": PNG})), 0, 0, "sourceImage[]"),
    "a Chinese name": (edited(add("风格", {"type": "string"})), 0, 0, "风格"),
    "a uuid": (edited(add("key", {"type": "string", "format": "uuid"})), 0, 0, "key"),
    "unique items": (
        edited(add("tags", {"type": "array", "items": {"type": "string"}, "uniqueItems": True})), 0, 0, "tags",
    ),
    "multiples of 0.1": (edited(add("s", {"type": "number", "multipleOf": 0.1, "minimum": 0, "maximum": 1})), 0, 0, "s"),
    "an unused scheme first": (edited(_first("B", BASIC)), 0, 0, "another security scheme, B"),
    "another scheme first": (
        edited(_first("B", OTHER_KEY), lambda d: operation(d).update(security=[{"ApiKeyAuth": []}, {"B": []}])),
        0, 0, "still travels as ApiKeyAuth",
    ),
    "body in a component": (edited(_body_in_a_component), 0, 0, "parts moved"),
    "no components any more": (edited(_all_inlined), 3, 0, "action 5"),
    "no operationId": (edited(lambda d: operation(d).pop("operationId")), 0, 0, "it keeps the name seeDreamV45"),
    "a limit is gone": (edited(lambda d: field(d, "batchsize").pop("maximum")), 0, 0, "the client no longer enforces it"),
    "another default": (
        edited(lambda d: field(d, "resolution").update(default="4K")), 0, 0, "calls that leave it out now get 4K",
    ),
    "text around the block": (
        PAGE.replace(b"# SeeDreamV4.5\n", b"# SeeDreamV4.5\n\nAt most 10 requests a minute.\n"), 0, 0, "+ At most 10 requests",
    ),
    "text of the path": (
        edited(lambda d: d["paths"][ROUTE].update(description="At most 10 requests.")), 0, 0, "+ At most 10 requests",
    ),
    "text of a tag": (edited(lambda d: d["tags"][0].update(description="At most 10.")), 0, 0, "+ At most 10."),
    "a condition": (replaced(("提示词（必填）", "提示词（没有源图片时必填）")), 3, 3, "“没有”"),
    "another separator": (
        edited(lambda d: field(d, "resolution").update(description=field(d, "resolution")["description"].replace("x", "×"))),
        3, 0, "the page writes 2048x2048 in another way now; the client still sends sizes as WIDTHxHEIGHT",
    ),
    "a default that its list does not hold": (
        edited(lambda d: field(d, "category").update(enum=["a", "b"])), 0, 0,
        "submit request category: its default seedreamv45 breaks the field's own limits",
    ),
    "a default above its maximum": (
        edited(lambda d: field(d, "batchsize").update(default=40)), 0, 0, "its default 40 breaks the field's own limits",
    ),
    "a default of another type": (
        edited(lambda d: field(d, "batchsize").update(default="one")), 0, 0, "its default one breaks the field's own limits",
    ),
    "a list of several types": (
        edited(add("style", {"enum": [1, "two", True]})), 3, 0, "cannot be sent: submit/request/style",
    ),
    "numbers listed without a type": (edited(add("factor", {"enum": [2, 4]})), 0, 0, "submit request factor added"),
    "a constant without a type": (in_31(add("strength", {"const": 0.5})), 0, 0, "submit request strength added"),
    "a yes without a type": (edited(add("fast", {"enum": [True, False]})), 0, 0, "submit request fast added"),
    "constants without a type": (
        in_31(add("speed", {"oneOf": [{"const": 1}, {"const": 2.5}]})), 0, 0, "submit request speed added",
    ),
    "constants of several types": (
        in_31(add("speed", {"oneOf": [{"const": 1}, {"const": "fast"}]})), 3, 0, "cannot be sent: submit/request/speed",
    ),
    "bounds that leave nothing": (
        edited(lambda d: field(d, "batchsize").update(minimum=15, maximum=1)), 3, 0, "no value was found that its limits allow",
    ),
    "another form of the body": (
        edited(_second_form), 0, 0, "submit request|1 templateId: the page describes another form of the body",
    ),
    "the same form as JSON": (
        edited(_json_first), 0, 0, "submit request application.json prompt: the page describes another form of the body",
    ),
    "marked as deprecated": (
        edited(lambda d: field(d, "imageUrl").update(deprecated=True)), 0, 0, "the vendor has marked it as deprecated",
    ),
    "a number in quotes": (
        page(YAML.replace(b"maximum: 15", b"maximum: '20'")), 4, 4, "batchsize/maximum: '20' is not of type 'number'",
    ),
    "a block that is indented": (
        b"".join(b"    " + line for line in PAGE.splitlines(keepends=True)), 4, 4, "is indented by four spaces or a tab",
    ),
    "a text that moves": (
        edited(lambda d: _rename(d, "sourceImage", "image")), 3, 0, "now | (the same words, now at submit/request/image)",
    ),
    "readOnly in a reply": (
        edited(lambda d: schema(d, "GeneralData")["properties"]["taskid"].update(readOnly=True)), 0, 0, "readOnly",
    ),
    "writeOnly in a request": (edited(lambda d: field(d, "prompt").update(writeOnly=True)), 0, 0, "writeOnly"),
    "a long chain of allOf": (edited(_chain), 0, 0, "deep"),
    "extensions under paths": (
        edited(lambda d: d["paths"].update({"x-note": {"post": {"operationId": "x"}}, "x-b": "c"})), 0, 0, "",
    ),
    "extensions under responses": (edited(lambda d: operation(d)["responses"].update({"x-note": "hi"})), 0, 0, ""),
    "properties null": (edited(lambda d: body(d).update(properties=None)), 4, 4, "breaks the OpenAPI specification"),
    "properties a list": (edited(lambda d: body(d).update(properties=[])), 4, 4, "breaks the OpenAPI specification"),
    "required a number": (edited(lambda d: body(d).update(required=5)), 4, 4, "breaks the OpenAPI specification"),
    "half a character": (as_json(document()).replace("响应消息".encode(), rb"\ud800"), 4, 4, "lone surrogate"),
    "references that unfold to many": (edited(_bomb), 4, 4, "more than 5,000 schemas"),
    "a link first": (b"[Docs](https://x)\n\n" + PAGE.replace(b"maximum: 15", b"maximum: 20"), 0, 0, "15 -> 20"),
    "a brace first": (b"{/* x */}\n\n" + PAGE.replace(b"maximum: 15", b"maximum: 20"), 0, 0, "15 -> 20"),
    "blank lines without end": (b" \n" * 500_000 + PAGE, 4, 4, "more than 50,000 lines"),
    "spaces without end": (b" " * 1_000_000 + b"\n" + YAML, 4, 4, "longer than"),
    "spaces in a text": (page(YAML.replace("响应消息".encode(), b"a" + b" " * 19_000 + b"b")), 3, 0, "a b"),
    "a fault in another operation": (
        as_json(document(lambda d: d["paths"].update({"/v1/other": {"post": {"operationId": "x", **FAULT, **OK}}}))), 0, 0, "",
    ),
    "an extension beside the components of a whole document": (
        as_json(document(_another, lambda d: d["components"].update({"x-tool": 1}))), 0, 0, "POST /v1/other (x)",
    ),
    "a list of components in a whole document": (
        as_json(document(_another, lambda d: d["components"].update(schemas=[1]))), 4, 4, "leads nowhere",
    ),
    "a number for the security of a whole document": (
        as_json(document(_another, lambda d: operation(d).update(security=5))), 4, 4, "breaks the OpenAPI specification",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_ends_as_it_should(name: str, repository: RepositoryCopy) -> None:
    data, stopped, accepted, words = CASES[name]
    first = repository.take(data)
    assert first.code == stopped, first.text
    assert words in first.text
    assert stopped == 3 or "the client cannot send it" not in first.text
    if stopped == 3:
        second = repository.take(data, accept=True)
        assert second.code == accepted, second.text
        assert ("Or run with ACCEPT=1" in second.text) is False  # it is not advised where it has just refused


def test_names_that_collide_stay_apart(repository: RepositoryCopy) -> None:
    names = ("image_url", "sourceImages", "timeout", "to_multipart", "sourceImage[]")
    assert repository.take(edited(*(add(name, {"type": "string"}) for name in names))).code == 0
    limits = repository.read("generated/tensorslab_images/limits.py")
    for name, attribute in (
        ("imageUrl", "image_url"),
        ("image_url", "image_url_"),
        ("sourceImage", "source_images"),
        ("sourceImages", "source_images_"),
        ("timeout", "timeout_"),
        ("to_multipart", "to_multipart_"),
    ):
        assert re.search(rf'name="{re.escape(name)}",\s+attribute="{attribute}"', limits)


def test_the_report_as_json(repository: RepositoryCopy) -> None:
    repository.take(replaced(("[3,686,400", "[4,000,000")))
    report = json.loads(repository.read("build/spec-report.json"))
    assert (report["state"], report["breaking"], report["version"]) == ("decision", True, "major")
    rule = next(finding for finding in report["findings"] if finding["subject"] == "RES-PIXELS")
    assert "fact minimum: 3686400 -> 4000000" in rule["notes"]
    assert "    - 2560x1440" not in rule["old"]
    assert any("minimum: 4000000" in line for line in rule["write"])


# What must be written by hand is printed as it must be: pasted into the ledger, the page is taken without ACCEPT=1.
def test_the_printed_row_can_be_pasted(repository: RepositoryCopy) -> None:
    data = replaced(("总像素范围：[3,686,400, 16,777,216]（例如从 2560x1440 到 4096x4096）", "总像素不低于四百万"))
    repository.take(data, accept=True)
    finding = next(one for one in json.loads(repository.read("build/spec-report.json"))["findings"] if one["write"])
    rules = repository.read("openapi/rules.yaml")
    before, _, rest = rules.partition("  RES-PIXELS:\n")
    after = rest.partition("\n\n")[2]
    text = before + "\n".join(finding["write"]) + "\n\n" + after
    (repository.root / "openapi/rules.yaml").write_text(text, "utf-8")
    ended = repository.take(data, accept=True)
    assert (ended.code, ended.changed) == (0, True), ended.text


# An address with variables is the one that their defaults make; the key follows it, and the report says so.
def test_a_server_with_variables(repository: RepositoryCopy) -> None:
    def servers(region: str) -> bytes:
        return edited(
            lambda d: d.update(
                servers=[{"url": "https://{region}.tensorslab.com", "variables": {"region": {"default": region}}}]
            )
        )

    same = repository.take(servers("api"))
    assert same.code == 0, same.text
    assert "the API key will travel" not in same.text
    assert 'SERVER: Final = "https://api.tensorslab.com"' in repository.read("generated/tensorslab_images/limits.py")
    other = repository.take(servers("cn"))
    assert other.code == 0, other.text
    assert "travel to https://cn.tensorslab.com, no longer to https://api.tensorslab.com" in other.text
    assert 'SERVER: Final = "https://cn.tensorslab.com"' in repository.read("generated/tensorslab_images/limits.py")


# What is gone is one line of the report, not one for each keyword of it.
def test_a_removed_field_is_one_line(repository: RepositoryCopy) -> None:
    ended = repository.take(edited(lambda d: body(d)["properties"].pop("sourceImage")))
    lines = [line for line in ended.text.splitlines() if line.startswith("  submit request sourceImage")]
    assert lines == [
        "  submit request sourceImage removed  [breaking: callers may send it]",
        "  submit request sourceImage/description (SOURCE-IMAGE)",
    ]


# A fact that changed is shown once, old and new; the words of a rule are not asked about twice.
def test_each_change_of_a_rule_is_reported_once(repository: RepositoryCopy) -> None:
    ended = repository.take(replaced(("[3,686,400", "[4,000,000")))
    assert ended.text.count("fact minimum:") == 1
    assert "unreviewed text" not in ended.text
