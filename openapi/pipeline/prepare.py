"""The document as the generator gets it: replies stay open, and folders get ASCII names."""

import copy
import re
from typing import Final

from .emit_limits import body_fields
from .field_schema import default_fits
from .settings import Settings
from .spec import Json, Operation, follow, operations, references, reply_schema, request_schema, statuses

# Kinds whose lists of values the generator can write; `limits` holds the list in any case.
_LISTED: Final[dict[str, type]] = {"string": str, "integer": int}


def prepared(document: Json, settings: Settings) -> Json:
    """Return a copy for the generator; the effective spec itself keeps what is changed here.

    No schema that only replies use lists its values: the generator turns `enum` into a closed type that raises on
    what the vendor adds tomorrow, and codes and statuses are open values here. An operation whose first tag is
    not ASCII gets the first word of its path for a folder. A form is written out as `limits` describes it, under its
    Python names, so that the generated body and the table of fields cannot differ; `client` gives the names on the wire
    back.
    """
    result: Json = copy.deepcopy(document)
    result["paths"] = _without_extensions(result["paths"])
    for operation in operations(result):
        operation.node.value["responses"] = _without_extensions(operation.node.value.get("responses", {}))
        tags = operation.node.value.get("tags") or [""]
        if not re.search(r"[A-Za-z]", tags[0]) or not tags[0].isascii():
            words = [
                part for part in operation.path.split("/") if re.fullmatch(r"(?!v\d+$)[A-Za-z][\w-]*", part, re.ASCII)
            ]
            operation.node.value["tags"] = words[:1] or ["other"]
        if is_form(result, operation):
            fields = body_fields(document, operation, settings)
            content = follow(result, operation.node.child("requestBody")).value["content"]
            media = next(name for name in content if name.startswith("multipart/"))
            content.clear()
            content[media] = {"schema": _form(fields)}
    used_by_requests: set[str] = set()
    for operation in operations(result):
        if body := request_schema(result, operation):
            _references(result, body[1].value, used_by_requests)
    for operation in operations(result):
        for status in statuses(operation.node):
            if reply := reply_schema(result, operation, status):
                _open(result, reply.value, set(used_by_requests))
    return result


def _without_extensions(items: Json) -> Json:
    return {key: value for key, value in items.items() if not key.startswith("x-")}


def is_form(document: Json, operation: Operation) -> bool:
    """Whether the operation takes a multipart form."""
    body = request_schema(document, operation)
    return body is not None and body[0].startswith("multipart/")


def _form(fields: list[Json]) -> Json:
    found: Json = {"type": "object", "properties": {field["attribute"]: _field(field) for field in fields}}
    if needed := [field["attribute"] for field in fields if field["required"]]:
        found["required"] = needed
    return found


def _field(field: Json) -> Json:
    binary = field["kind"] == "binary"
    item: Json = {"type": "string", "format": "binary"} if binary else {"type": field["kind"]}
    if field.get("enum") and all(type(value) is _LISTED.get(field["kind"]) for value in field["enum"]):
        item["enum"] = list(field["enum"])
    one: Json = {"type": "array", "items": item} if field.get("many") else item
    if "default" in field and default_fits(field) and not field.get("many"):
        one["default"] = field["default"]
    if "description" in field:
        one["description"] = field["description"]
    return one


def _references(document: Json, node: object, seen: set[str]) -> None:
    for target in [found.value["$ref"] for found in references(node)]:
        if target not in seen:
            seen.add(target)
            _references(document, _component(document, target), seen)


def _open(document: Json, node: object, done: set[str]) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("type"), (str, list)):
            node.pop("enum", None)
            node.pop("const", None)
        for value in node.values():
            _open(document, value, done)
        target = node.get("$ref")
        if isinstance(target, str) and target not in done:
            done.add(target)
            _open(document, _component(document, target), done)
    elif isinstance(node, list):
        for value in node:
            _open(document, value, done)


def _component(document: Json, target: str) -> object:
    prefix = "#/components/schemas/"
    name = target.removeprefix(prefix)
    return document.get("components", {}).get("schemas", {}).get(name) if target.startswith(prefix) else None
