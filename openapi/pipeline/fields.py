"""Places by role, not by pointer: `submit/request/batchsize` stays the same when a path or component is renamed."""

from collections.abc import Iterator

from .spec import Json, Node, Operation, branches, follow, operations, properties, reply_schema, request_schema

MAX_LEVELS = 8


def our_operation(document: Json, submit: str) -> Operation | None:
    """The operation with that operationId."""
    return next((found for found in operations(document) if found.id == submit), None)


def _named(document: Json, submit: str, name: str) -> Operation | None:
    return our_operation(document, submit if name == "submit" else name)


def _root(document: Json, operation: Operation, side: str) -> Node | None:
    if side.startswith("reply"):
        return reply_schema(document, operation, side.partition(" ")[2] or "200")
    found = request_schema(document, operation)
    return found[1] if found else None


def locate(document: Json, submit: str, place: str) -> Node | None:
    """The property, parameter or security scheme at a place, where it really stands; None when it is not there."""
    name, _, rest = place.partition("/")
    if name == "security":
        schemes = document.get("components", {}).get("securitySchemes", {})
        return Node(document, "").child("components").child("securitySchemes").child(rest) if rest in schemes else None
    operation = _named(document, submit, name)
    if operation is None:
        return None
    side, _, path = rest.partition("/")
    at = _root(document, operation, side)
    for part in path.split("/"):
        if at is None:
            return None
        at = properties(document, _item(document, at)).get(part)
    return at


def _item(document: Json, at: Node) -> Node:
    at = follow(document, at)
    while isinstance(at.value, dict) and "items" in at.value:
        at = follow(document, at.child("items"))
    return at


def described(document: Json, at: Node) -> Node | None:
    """The description that applies to a property: its own, or that of what it refers to."""
    if isinstance(at.value, dict) and isinstance(at.value.get("description"), str):
        return at.child("description")
    for layer in branches(document, at):
        if isinstance(layer.value.get("description"), str):
            return layer.child("description")
    return None


def field_places(document: Json, submit: str) -> Iterator[tuple[str, Node]]:
    """Every property of every request and reply as (place, property); bodies themselves as `submit/request`."""
    for operation in operations(document):
        name = "submit" if operation.id == submit else operation.id
        for side in ("request", "reply"):
            root = _root(document, operation, side)
            if root is not None:
                yield f"{name}/{side}", root
                yield from _below(document, root, f"{name}/{side}", 0)


def _below(document: Json, at: Node, place: str, level: int) -> Iterator[tuple[str, Node]]:
    if level < MAX_LEVELS:
        for name, child in properties(document, _item(document, at)).items():
            yield f"{place}/{name}", child
            yield from _below(document, child, f"{place}/{name}", level + 1)
