"""Updates that need no hand: exit code 0, everything replaced, and what reads limits follows."""

import re

import pytest
from page_edits import (
    PAGE,
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
from pipeline.generate import verify
from pipeline.strict_yaml import dump_yaml

OTHER = {"operationId": "listTasks", "tags": ["任务管理"], "responses": {"200": {"description": "ok"}}}
INFO = {"operationId": "infoByTaskId", "tags": ["任务管理"], "responses": {"200": {"description": "ok"}}}

# name -> (page, a line of the report, what limits.py then holds)
ABSORBED: dict[str, tuple[bytes, str, str]] = {
    "wider maximum": (replaced(("maximum: 15", "maximum: 20")), "batchsize/maximum 15 -> 20", "maximum=20"),
    "wider minimum": (replaced(("minimum: 1\n", "minimum: 0\n")), "batchsize/minimum 1 -> 0", "minimum=0"),
    "limit gone": (
        edited(lambda d: field(d, "batchsize").pop("maximum")),
        "batchsize/maximum 15 -> (none)",
        "minimum=1,\n            description",
    ),
    "new maxLength": (
        edited(lambda d: field(d, "prompt").update(maxLength=800)),
        "prompt/maxLength (none) -> 800",
        "max_length=800",
    ),
    "new maxItems": (
        edited(lambda d: field(d, "sourceImage").update(maxItems=14)),
        "sourceImage/maxItems (none) -> 14",
        "max_items=14",
    ),
    "another default": (
        edited(lambda d: field(d, "resolution").update(default="4K")),
        "resolution/default 2K -> 4K",
        'default="4K"',
    ),
    "new enum": (
        edited(lambda d: field(d, "category").update(enum=["seedreamv45", "pro"])),
        "category/enum (none) ->",
        'enum=("seedreamv45", "pro")',
    ),
    "new optional field": (
        edited(lambda d: body(d)["properties"].update(seed={"type": "integer", "minimum": 0})),
        "submit request seed added",
        'name="seed"',
    ),
    "field named description": (
        edited(lambda d: body(d)["properties"].update(description={"type": "string"})),
        "submit request description added",
        'name="description"',
    ),
    "field named like a keyword": (
        edited(lambda d: body(d)["properties"].update({"class": {"type": "string"}})),
        "submit request class added",
        'attribute="class_"',
    ),
    "nullable field": (
        edited(lambda d: field(d, "imageUrl").update(nullable=True)),
        "imageUrl/nullable (none) -> true",
        "nullable=True",
    ),
    "server": (
        edited(lambda d: d["servers"][0].update(url="https://api2.tensorslab.com/x/")),
        "servers 0/url https://api.tensorslab.com -> https://api2.tensorslab.com/x/",
        'SERVER: Final = "https://api2.tensorslab.com/x"',
    ),
    "new operation": (
        edited(lambda d: d["paths"].update({"/v1/images/list": {"post": OTHER}})),
        "listTasks/path (none) -> /v1/images/list",
        "LIST_TASKS: Final",
    ),
    # its request and reply have prose, some of it shared with ours: an operation that the overlay does not speak
    "new operation with prose": (
        edited(
            lambda d: d["paths"].update(
                {
                    "/v1/images/upscale": {
                        "post": {
                            "operationId": "submit",
                            "summary": "放大",
                            "requestBody": {
                                "content": {
                                    "application/json": {
                                        "schema": {
                                            "type": "object",
                                            "required": ["n"],
                                            "properties": {"n": {"type": "integer", "description": "倍数，2-4"}},
                                        }
                                    }
                                }
                            },
                            "responses": operation(d)["responses"],
                        }
                    }
                }
            )
        ),
        "the other submit request n added",
        "SUBMIT_: Final = Operation(",
    ),
    "new reply field": (
        edited(lambda d: schema(d, "GeneralData")["properties"].update(eta={"type": "integer"})),
        "submit reply data.eta added",
        "SUBMIT",
    ),
    "limits of a reply": (
        edited(lambda d: schema(d, "BaseResponse")["properties"]["code"].update(maximum=9999, enum=[1000])),
        "submit reply code/maximum (none) -> 9999",
        "SUBMIT",
    ),
    "new status": (
        edited(lambda d: operation(d)["responses"].update({"429": {"description": "slow down"}})),
        "submit reply 429/status (none) -> 429",
        "SUBMIT",
    ),
    "another way in": (
        edited(
            lambda d: d["components"]["securitySchemes"].update(B={"type": "http", "scheme": "bearer"}),
            lambda d: operation(d)["security"].append({"B": []}),
        ),
        "submit/security",
        "secured=True",
    ),
    "tag renamed": (edited(lambda d: operation(d).update(tags=["图像"])), "submit/tags", "SUBMIT"),
    "example": (edited(lambda d: field(d, "resolution").update(example="4K")), "resolution/example 2K -> 4K", "SUBMIT"),
    "operation without a name": (
        edited(lambda d: d["paths"].update({"/v1/9": {"get": {"responses": {"200": {"description": "ok"}}}}})),
        "get .v1.9/path (none) -> /v1/9",
        "GET_V1_9: Final",
    ),
    "version": (edited(lambda d: d["info"].update(version="1.0.1")), "info/version 1.0.0 -> 1.0.1", "SUBMIT"),
    "deprecated": (
        edited(lambda d: operation(d).update(deprecated=True)),
        "submit/deprecated (none) -> true",
        "SUBMIT",
    ),
    "optional parameter": (
        edited(
            lambda d: operation(d).update(parameters=[{"in": "query", "name": "trace", "schema": {"type": "string"}}])
        ),
        "submit request query trace added",
        "SUBMIT",
    ),
    "prose that belongs to no field": (
        edited(lambda d: operation(d).update(summary="New name")),
        "+ New name",
        "SUBMIT",
    ),
    "OpenAPI 3.1": (edited(lambda d: d.update(openapi="3.1.0")), "document/openapi 3.0.3 -> 3.1.0", "SUBMIT"),
    "bare YAML": (YAML.replace(b"maximum: 15", b"maximum: 20"), "batchsize/maximum 15 -> 20", "maximum=20"),
    "JSON": (
        as_json(document(lambda d: field(d, "batchsize").update(maximum=20))),
        "batchsize/maximum 15 -> 20",
        "maximum=20",
    ),
}


# One of each kind is also sent through client, command line and sandbox, as `make generate` always does.
SENT = {"wider maximum", "new enum", "new maxItems", "new optional field", "nullable field", "server", "another way in"}


@pytest.mark.parametrize("name", ABSORBED)
def test_absorbed_without_a_hand_edit(name: str, repository: RepositoryCopy) -> None:
    data, line, then = ABSORBED[name]
    repository.sends = name in SENT
    ended = repository.take(data)
    assert ended.code == 0, ended.text
    assert ended.text.splitlines()[1] == "Absorbed: the package needs no hand edit."
    assert line in ended.text
    assert "Breaking: no." in ended.text
    assert ("its last lines name the line of tests/facts.py" in ended.text) == ("Schema changes:" in ended.text)
    assert ("the API key will travel to" in ended.text) == (name == "server")
    assert then in repository.read("generated/tensorslab_images/limits.py")
    again = repository.take(data)  # regenerates, so it also compares the whole tree
    assert (again.code, again.changed) == (0, False)
    assert "Nothing changed." in again.text


# Moving parts about changes what is vendored, but nothing that a caller can notice.
def _into_component(found: dict[str, object]) -> None:
    whole = body(found)
    found["components"]["schemas"]["Limits"] = whole["properties"].pop("batchsize")  # type: ignore[index]
    whole["properties"]["batchsize"] = {"$ref": "#/components/schemas/Limits"}


def _into_all_of(found: dict[str, object]) -> None:
    whole = body(found)
    every = whole.pop("properties")
    first = {name: every.pop(name) for name in ("category", "prompt")}
    whole["allOf"] = [{"type": "object", "properties": part} for part in (first, every)]


def _body_into_component(found: dict[str, object]) -> None:
    found["components"]["requestBodies"] = {"Submit": operation(found).pop("requestBody")}  # type: ignore[index]
    operation(found)["requestBody"] = {"$ref": "#/components/requestBodies/Submit"}


def _reply_into_component(found: dict[str, object]) -> None:
    found["components"]["responses"] = {"Done": operation(found)["responses"].pop("200")}  # type: ignore[index]
    operation(found)["responses"]["200"] = {"$ref": "#/components/responses/Done"}


def _field_into_all_of(found: dict[str, object]) -> None:
    every = field(found, "batchsize")
    whole = {"allOf": [{key: every.pop(key) for key in ("type", "minimum", "maximum")}]}
    every.update(whole)


@pytest.mark.parametrize(
    "data",
    [
        edited(_field_into_all_of),
        edited(_body_into_component),
        edited(_reply_into_component),
        edited(_into_component),
        edited(_into_all_of),
        edited(lambda d: field(d, "batchsize").update(minimum=0, exclusiveMinimum=True)),
        edited(lambda d: field(d, "imageUrl").update(nullable=False)),
    ],
    ids=[
        "field in allOf",
        "body in a component",
        "reply in a component",
        "component",
        "allOf",
        "exclusiveMinimum",
        "nullable false",
    ],
)
def test_moved_parts_are_not_a_change_of_the_schema(data: bytes, repository: RepositoryCopy) -> None:
    ended = repository.take(data)
    assert (ended.code, ended.changed) == (0, True), ended.text
    assert "nothing that a caller can notice changed" in ended.text
    assert "Schema changes" not in ended.text
    verify(repository.root)


WHOLE = document(
    lambda d: d["paths"].update({"/v1/images/infobytaskid": {"post": INFO}, "/v1/images/zimage": {"get": OTHER}}),
    lambda d: d["components"]["schemas"].update(Unused={"type": "object"}),
)
SAME = {
    "same": PAGE,
    "CRLF": PAGE.replace(b"\n", b"\r\n"),
    "CR": PAGE.replace(b"\n", b"\r"),
    "BOM": b"\xef\xbb\xbf" + PAGE,
    "longer fence": page(YAML, fence=b"``````````"),
    "tildes": page(YAML, fence=b"~~~"),
    "text around": b"---\nopenapi: post /x\n---\n\n```bash\ncurl\n```\n\n" + PAGE + b"\n\n```json\n{}\n```\n",
    "reflow and requote": edited(),
    "keys in another order": page(dump_yaml(dict(reversed(document().items()))).encode()),
    "folded elsewhere": replaced(("支持三种格式：1) 宽高比", "支持三种格式：1)\n                    宽高比")),
    "bare YAML": YAML,
    "bare JSON": as_json(document()),
    "whole document, JSON": as_json(WHOLE),
    "whole document, YAML": dump_yaml(WHOLE).encode(),
}


# Text that is only wrapped in another way, and keys in another order, are not reported and change nothing.
@pytest.mark.parametrize("name", SAME)
def test_the_same_page_changes_nothing(name: str, repository: RepositoryCopy) -> None:
    ended = repository.take(SAME[name])
    assert (ended.code, ended.changed) == (0, False), ended.text
    assert "Nothing changed." in ended.text
    assert not re.search("Schema changes|Prose changes|To decide|Files changed", ended.text)


def test_other_operations_of_the_whole_document_are_listed(repository: RepositoryCopy) -> None:
    ended = repository.take(SAME["whole document, JSON"])
    assert "POST /v1/images/infobytaskid (infoByTaskId)" in ended.text
    assert "GET /v1/images/zimage (listTasks)" in ended.text


# Only our operation and what it needs is vendored of the vendor's whole document.
def test_a_changed_whole_document_is_cut_down(repository: RepositoryCopy) -> None:
    found = document(lambda d: d.update(WHOLE), lambda d: field(d, "batchsize").update(maximum=20))
    assert repository.take(as_json(found)).code == 0
    vendored = repository.read("openapi/seedreamv45.yaml")
    assert "maximum: 20" in vendored
    assert "zimage" not in vendored
    assert "Unused" not in vendored


# The bytes that are vendored are the page's own.
def test_vendored_bytes_are_the_slice(repository: RepositoryCopy) -> None:
    data = YAML.replace(b"maximum: 15", b"maximum:    20   # wider")
    assert repository.take(page(data)).code == 0
    assert repository.read("openapi/seedreamv45.yaml").encode() == data


def test_ascii_folders_for_chinese_tags(repository: RepositoryCopy) -> None:
    repository.take(ABSORBED["new operation"][0])
    names = [path.name for path in (repository.root / "generated").rglob("*")]
    assert all(name.isascii() for name in names)
    assert "list_tasks.py" in names
