"""The document as the generator gets it: replies stay open, and folders get ASCII names."""

import copy
import re
from typing import Final

from .field_schema import body_fields, default_fits
from .settings import Settings
from .spec import Json, Operation, components_of, follow, operations, reply_schema, request_schema, statuses, walk

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
    bodies = [body[1].value for operation in operations(result) if (body := request_schema(result, operation))]
    replies = [
        reply.value
        for operation in operations(result)
        for status in statuses(operation.node)
        if (reply := reply_schema(result, operation, status))
    ]
    kept = components_of(result, bodies)
    for schema in [*replies, *(one for key, one in components_of(result, replies).items() if key not in kept)]:
        for node in walk(schema):
            if isinstance(node.value, dict) and isinstance(node.value.get("type"), (str, list)):
                node.value.pop("enum", None)
                node.value.pop("const", None)
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
