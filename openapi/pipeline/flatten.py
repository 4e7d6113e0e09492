"""A document as flat leaves by role: `submit/request/batchsize` + `maximum` -> 15.

References are followed and allOf is merged, so moving a schema into a component changes no leaf. What is left are the
leaves that callers can notice, each on the side that decides who must survive its change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from .spec import Json, Node, Operation, follow, joined, layers, operations, pointer, request_schema, statuses

Side = Literal["request", "reply", "operation", "document"]
PROSE: Final = ("description", "summary", "title")
FIELD: Final = "field"  # the leaf that says that a field is there
_STRUCTURE: Final = {"properties", "required", "items", "allOf", "anyOf", "oneOf", "$ref", "prefixItems"}
_MAX_LEVEL: Final = 30


@dataclass(frozen=True, order=True)
class Name:
    """Where a leaf is: `place` by role, `key` the keyword there."""

    place: str
    key: str

    def __str__(self) -> str:
        side, _, rest = self.place.partition("/")
        where = f"{side} {rest.replace('/', ' ', 1).replace('/', '.')}".strip()
        return where if self.key == FIELD else f"{where}/{self.key}"


@dataclass(frozen=True)
class Leaf:
    """One value, and the side that it is on."""

    value: Any
    side: Side

    def is_prose(self, key: str) -> bool:
        """Whether it is text for people, in which a rule may hide."""
        return isinstance(self.value, str) and (key.split(" ", 1)[0] in PROSE or key.startswith("x-"))


Leaves = Mapping[Name, Leaf]
Names = Mapping[tuple[str, str], str]


def names_of(document: Json, submit: str, old: Names | None = None) -> dict[tuple[str, str], str]:
    """Return each operation's name by path and method: ours is `submit`, the others have their operationId.

    With the names of the page before, an operation that only changed its id keeps the name of its path and method.
    """
    before = old or {}
    found = {(op.path, op.method): _name(op, submit) for op in operations(document)}
    for key, name in found.items():
        if key in before and name not in before.values() and before[key] not in found.values():
            found[key] = before[key]
    return found


def _name(operation: Operation, submit: str) -> str:
    if operation.id == submit:
        return "submit"
    return operation.id.replace("/", ".") if operation.id != "submit" else "the other submit"


def flatten(document: Json, names: Names) -> dict[Name, Leaf]:
    """Return every leaf of the document."""
    found = dict(_document(document))
    for operation in operations(document):
        found.update(_operation(document, operation, names[operation.path, operation.method]))
    return found


def _document(document: Json) -> Iterator[tuple[Name, Leaf]]:
    for key, value in document.items():
        if key == "components":
            for scheme in value.get("securitySchemes", {}):
                whole = follow(document, Node(value["securitySchemes"][scheme]))
                yield from _flat(f"security/{scheme}", whole.value, "document")
        elif key != "paths":
            yield from _flat(f"document/{key}", value, "document")


def _flat(place: str, value: Any, side: Side) -> Iterator[tuple[Name, Leaf]]:
    """Yield the leaves of plain data; items of a list are named by index."""
    if isinstance(value, dict) and value:
        for key, child in value.items():
            if isinstance(child, (dict, list)) and child and not _scalars(child):
                yield from _flat(f"{place}/{key}", child, side)
            else:
                yield Name(place, key), Leaf(child, side)
    elif isinstance(value, list) and not _scalars(value):
        for index, child in enumerate(value):
            yield from _flat(f"{place}/{index}", child, side)
    else:
        parent, _, key = place.rpartition("/")
        yield Name(parent, key), Leaf(value, side)


def _scalars(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value)


def _operation(document: Json, operation: Operation, name: str) -> Iterator[tuple[Name, Leaf]]:
    item = document["paths"][operation.path]
    for key, value in (("path", operation.path), ("method", operation.method)):
        yield Name(name, key), Leaf(value, "operation")
    security = operation.node.value.get("security", document.get("security", []))
    yield Name(name, "security"), Leaf(security, "operation")
    whole = {**{key: value for key, value in item.items() if key == "servers"}, **operation.node.value}
    yield from _others(name, whole, ("requestBody", "responses", "parameters", "security"), "operation")
    for key, value in item.items():
        if key in PROSE or key.startswith("x-"):
            yield Name(f"{name}/path", key), Leaf(value, "operation")
    yield from _parameters(document, operation, name)
    yield from _request(document, operation, name)
    for status in statuses(operation.node):
        yield from _reply(document, operation, name, status)


def _others(place: str, value: Json, known: tuple[str, ...], side: Side) -> Iterator[tuple[Name, Leaf]]:
    """Yield the keywords that have no leaves of another kind."""
    return ((Name(place, key), Leaf(child, side)) for key, child in value.items() if key not in known)


def _parameters(document: Json, operation: Operation, name: str) -> Iterator[tuple[Name, Leaf]]:
    shared = Node(document["paths"][operation.path], pointer("paths", operation.path))
    for owner in (shared, operation.node):
        for index in range(len(owner.value.get("parameters", []))):
            parameter = follow(document, owner.child("parameters").child(index))
            place = f"{name}/request/{parameter.value.get('in')} {parameter.value.get('name')}"
            yield Name(place, FIELD), Leaf("parameter", "request")
            yield Name(place, "required"), Leaf(bool(parameter.value.get("required")), "request")
            yield from _others(place, parameter.value, ("in", "name", "required", "schema"), "request")
            if "schema" in parameter.value:
                yield from _schema(document, parameter.child("schema"), place, "request")


def _request(document: Json, operation: Operation, name: str) -> Iterator[tuple[Name, Leaf]]:
    if "requestBody" not in operation.node.value:
        return
    body = follow(document, operation.node.child("requestBody"))
    place = f"{name}/request"
    content = body.value.get("content", {})
    yield Name(place, "body required"), Leaf(bool(body.value.get("required")), "request")
    yield Name(place, "media types"), Leaf(list(content), "request")
    for key, value in body.value.items():
        if key not in ("required", "content"):
            yield Name(place, f"{key} (of the body)"), Leaf(value, "request")
    for media, kind in content.items():
        yield from _others(f"{place}/{media}", kind, ("schema",), "operation")
    found = request_schema(document, operation)
    if found:
        yield from _schema(document, found[1], place, "request")
        for media in content:
            if media != found[0] and "schema" in content[media]:
                other = body.child("content").child(media).child("schema")
                yield from _schema(document, other, f"{place} {media.replace('/', '.')}", "request")


def _reply(document: Json, operation: Operation, name: str, status: str) -> Iterator[tuple[Name, Leaf]]:
    reply = follow(document, operation.node.child("responses").child(status))
    place = f"{name}/reply" if status == "200" else f"{name}/reply {status}"
    content = reply.value.get("content", {})
    yield Name(place, "status"), Leaf(status, "reply")
    yield Name(place, "media types"), Leaf(list(content), "reply")
    yield from _others(f"{name}/responses/{status}", reply.value, ("content",), "operation")
    for media, kind in content.items():
        for key, value in kind.items():
            if key != "schema":
                yield from _flat(f"{name}/responses/{status}/{media}/{key}", value, "operation")
        if "json" in media and "schema" in kind:
            yield from _schema(document, reply.child("content").child(media).child("schema"), place, "reply")


def _schema(
    document: Json, at: Node, place: str, side: Side, trail: tuple[str, ...] = ()
) -> Iterator[tuple[Name, Leaf]]:
    """Yield the leaves of a schema. `trail` holds the places on the way, so that a recursive schema ends."""
    real = follow(document, at).where
    if real in trail or len(trail) > _MAX_LEVEL:
        yield Name(place, "as in"), Leaf(real, side)
        return
    trail = (*trail, real)
    found: Json = {}
    below: dict[str, Node] = {}
    needed: set[str] = set()
    for layer in layers(document, at):
        _merge(found, layer.value)
        for name in layer.value.get("properties", {}):
            below[name] = layer.child("properties").child(name).beside(below.get(name))
        needed |= set(layer.value.get("required", []))
        for key in ("anyOf", "oneOf"):
            for index in range(len(layer.value.get(key, []))):
                branch = layer.child(key).child(index)
                inner = place if index == 0 else f"{place}|{index}"
                yield from _schema(document, branch, inner, side, trail)
        if isinstance(layer.value.get("items"), dict):
            yield from _schema(document, layer.child("items"), f"{place}[]", side, trail)
    for key, value in _plain(found).items():
        yield Name(place, key), Leaf(value, side)
    for name, child in below.items():
        inner = f"{place}/{name}"
        yield Name(inner, FIELD), Leaf("field", side)
        yield Name(inner, "required"), Leaf(name in needed, side)
        yield from _schema(document, child, inner, side, trail)


def _merge(found: Json, layer: Json) -> None:
    """Add the keywords of one more layer; other prose is kept beside the prose that is there."""
    for key, value in layer.items():
        if key in _STRUCTURE:
            continue
        if key in PROSE and key in found and found[key] != value:
            found[f"{key} ({sum(name.startswith(key) for name in found) + 1})"] = value
        found[key] = joined(key, found[key], value) if key in found else value


def _plain(found: Json) -> Json:
    """Write in one way what OpenAPI 3.0 and 3.1 write in two."""
    types = found.get("type")
    if isinstance(types, list):
        solid = [name for name in types if name != "null"]
        found["type"] = solid[0] if len(solid) == 1 else sorted(solid)
        if "null" in types:
            found["nullable"] = True
    if found.get("nullable") is False:
        del found["nullable"]
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if isinstance(found.get("enum"), list):
        found["enum"] = sorted(found["enum"], key=repr)
    whole = found.get("type") == "integer"
    for side, step in (("Minimum", 1), ("Maximum", -1)):
        strict, loose = f"exclusive{side}", side.lower()
        bound = found.get(strict)
        if isinstance(bound, bool):
            del found[strict]
            if bound and loose in found:
                found[strict] = bound = found.pop(loose)
        if whole and isinstance(bound, int) and not isinstance(bound, bool):
            found.setdefault(loose, found.pop(strict) + step)
    return found
