"""The document as the generator gets it: replies stay open, and folders get ASCII names."""

import copy
import re

from .emit_limits import combined
from .spec import Json, Operation, operations, properties, reply_schema, request_schema


def prepared(document: Json) -> Json:
    """A copy for the generator; the effective spec itself keeps what is changed here.

    No schema that only replies use lists its values: the generator turns `enum` into a closed type that raises on
    what the vendor adds tomorrow, and codes and statuses are open values here. An operation whose first tag is
    not ASCII gets the first word of its path for a folder.
    """
    result: Json = copy.deepcopy(document)
    for operation in operations(result):
        tags = operation.node.value.get("tags") or [""]
        if not re.search(r"[A-Za-z]", tags[0]) or not tags[0].isascii():
            words = [
                part for part in operation.path.split("/") if re.fullmatch(r"(?!v\d+$)[A-Za-z][\w-]*", part, re.ASCII)
            ]
            operation.node.value["tags"] = words[:1] or ["other"]
        _flatten_scalars(result, operation)
    used_by_requests: set[str] = set()
    for operation in operations(result):
        if body := request_schema(result, operation):
            _references(result, body[1].value, used_by_requests)
    for operation in operations(result):
        for status in operation.node.value.get("responses", {}):
            if reply := reply_schema(result, operation, status):
                _open(result, reply.value, set(used_by_requests))
    return result


def _flatten_scalars(document: Json, operation: Operation) -> None:
    """A plain field cut into allOf would become a class of its own, which no caller could fill with a plain value."""
    body = request_schema(document, operation)
    for at in properties(document, body[1]).values() if body else ():
        if isinstance(at.value, dict) and "allOf" in at.value:
            whole = combined(document, at)
            if whole.get("type") in ("string", "integer", "number", "boolean"):
                at.value.clear()
                at.value.update(whole)


def _references(document: Json, node: object, seen: set[str]) -> None:
    for target in _targets(node):
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


def _targets(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [target for value in node.values() for target in _targets(value)]
    if isinstance(node, list):
        return [target for value in node for target in _targets(value)]
    return []


def _component(document: Json, target: str) -> object:
    prefix = "#/components/schemas/"
    name = target.removeprefix(prefix)
    return document.get("components", {}).get("schemas", {}).get(name) if target.startswith(prefix) else None
