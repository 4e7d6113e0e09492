"""Walks an OpenAPI document: references, operations, and the fields of an operation.

Places are named by role, not by pointer: `submit/request/batchsize` stays when a path or a component is renamed.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MAX_LAYERS: Final = 100
Json = dict[str, Any]


class SpecError(ValueError):
    """A reference that leads nowhere, out of the document, or in a circle."""


def pointer(*parts: object) -> str:
    """Return the JSON pointer (RFC 6901) of the parts."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def parts_of(text: str) -> list[str]:
    """Return the parts of a JSON pointer; inverse of `pointer`."""
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def look_up(document: Any, where: str) -> Any:
    """Return the value at a JSON pointer.

    Raises:
        KeyError: The pointer leads nowhere.
    """
    node = document
    for part in parts_of(where):
        if isinstance(node, Mapping):
            node = node[part]
        elif isinstance(node, list) and part.isdecimal() and int(part) < len(node):
            node = node[int(part)]
        else:
            raise KeyError(where)
    return node


@dataclass(frozen=True)
class Node:
    """A value and the JSON pointer of its place, with references followed.

    `more` holds the schemas of the same property in other parts of `allOf`, all of which apply to it.
    """

    value: Any
    where: str = ""
    more: tuple["Node", ...] = ()

    def beside(self, other: "Node | None") -> "Node":
        """Return the node, which applies together with the other one, if there is one."""
        return Node(other.value, other.where, (*other.more, self)) if other else self

    def child(self, part: object) -> "Node":
        """Return the child by key or index."""
        return Node(self.value[part], self.where + pointer(part))


def follow(document: Json, at: Node) -> Node:
    """Return the node, or what it refers to, through any number of references.

    Raises:
        SpecError: A reference leaves the document, leads nowhere or in a circle.
    """
    seen: set[str] = set()
    while isinstance(at.value, dict) and isinstance(at.value.get("$ref"), str):
        target: str = at.value["$ref"]
        if not target.startswith("#/"):
            raise SpecError(f"the reference {target!r:.120} leads out of the document (nothing is fetched)")
        if target in seen:
            raise SpecError(f"the reference {target!r:.120} leads in a circle")
        seen.add(target)
        try:
            at = Node(look_up(document, target[1:]), target[1:])
        except (KeyError, ValueError):
            raise SpecError(f"the reference {target!r:.120} leads nowhere") from None
    if isinstance(at.value, bool):  # a schema of OpenAPI 3.1 that takes anything, or nothing
        return Node({} if at.value else {"not": {}}, at.where)
    return at


def walk(value: Any, where: str = "") -> Iterator[Node]:
    """Yield the value and everything in it, each with its JSON pointer; references are not followed."""
    stack = [Node(value, where)]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node.value, dict):
            stack += [node.child(key) for key in node.value]
        elif isinstance(node.value, list):
            stack += [node.child(index) for index in range(len(node.value))]


def references(value: Any) -> Iterator[Node]:
    """Yield the mappings in the value that are references."""
    return (node for node in walk(value) if isinstance(node.value, dict) and isinstance(node.value.get("$ref"), str))


def components_of(document: Json, roots: Iterable[object]) -> dict[tuple[str, ...], Any]:
    """Return the components that the roots refer to, directly or not, by `("components", kind, name)`."""
    found: dict[tuple[str, ...], Any] = {}
    todo = list(roots)
    while todo:
        for node in references(todo.pop()):
            key = tuple(parts_of(node.value["$ref"])[:3])
            if key[:1] == ("components",) and key not in found:
                with suppress(KeyError):  # what leads nowhere is refused later
                    found[key] = look_up(document, pointer(*key))
                    todo.append(found[key])
    return found


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    path: str
    method: str
    node: Node

    @property
    def id(self) -> str:
        """Its operationId, or method and path when it has none."""
        found = self.node.value.get("operationId")
        return found if isinstance(found, str) else f"{self.method} {self.path}"


def operations(document: Json) -> Iterator[Operation]:
    """Yield every operation, in the document's order."""
    for path, item in document.get("paths", {}).items():
        if path.startswith("/") and isinstance(item, dict):
            for method, operation in item.items():
                if method in METHODS and isinstance(operation, dict):
                    yield Operation(path, method, Node(operation, pointer("paths", path, method)))


def statuses(operation: Node) -> list[str]:
    """Return the statuses of an operation's replies, without extension keys."""
    return [status for status in operation.value.get("responses") or {} if not status.startswith("x-")]


def request_schema(document: Json, operation: Operation) -> tuple[str, Node, bool] | None:
    """Return media type, schema and `required` of the request body; multipart goes first where there are several."""
    if "requestBody" not in operation.node.value:
        return None
    body = follow(document, operation.node.child("requestBody"))
    content = body.value.get("content") or {}
    if not content:
        return None
    media = next((name for name in content if name.startswith("multipart/")), next(iter(content)))
    kind = body.child("content").child(media)
    if "schema" not in kind.value:
        return None
    return media, kind.child("schema"), bool(body.value.get("required"))


def reply_schema(document: Json, operation: Operation, status: str = "200") -> Node | None:
    """Return the schema of the JSON reply with that status, or None."""
    if status not in statuses(operation.node):
        return None
    reply = follow(document, operation.node.child("responses").child(status))
    for media, kind in reply.value.get("content", {}).items():
        if "json" in media and "schema" in kind:
            return reply.child("content").child(media).child("schema")
    return None


def layers(document: Json, at: Node, depth: int = 0) -> Iterator[Node]:
    """Yield the schemas that all apply to a node: the keywords beside its reference, its target, the parts of allOf.

    OpenAPI 3.0 ignores keywords beside a reference, but a vendor who writes a limit there means it.
    """
    if depth > MAX_LAYERS:
        raise SpecError(f"schemas refer to each other in a circle at {at.where}")
    more = at.more
    if isinstance(at.value, dict) and "$ref" in at.value and len(at.value) > 1:
        yield Node({key: value for key, value in at.value.items() if key != "$ref"}, at.where)
    at = follow(document, at)
    if isinstance(at.value, dict):
        yield at
        for index in range(len(at.value.get("allOf", []))):
            yield from layers(document, at.child("allOf").child(index), depth + 1)
    for other in more:
        yield from layers(document, other)


UPPER: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
LOWER: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})


def joined(key: str, one: Any, other: Any) -> Any:
    """Return a keyword that two layers set: the tighter bound, the common values, otherwise the outer one."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one
    if key in UPPER | LOWER and isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return min(one, other) if key in UPPER else max(one, other)
    if key == "enum" and isinstance(one, list) and isinstance(other, list):
        return [value for value in one if value in other]
    return one


def branches(document: Json, at: Node, depth: int = 0) -> Iterator[Node]:
    """Yield `layers`, and those of the first branch of anyOf or oneOf: the success variant of a reply."""
    for layer in layers(document, at, depth):
        yield layer
        for key in ("oneOf", "anyOf"):
            if layer.value.get(key):
                yield from branches(document, layer.child(key).child(0), depth + 1)


def properties(document: Json, at: Node) -> dict[str, Node]:
    """Return the properties of an object schema by name."""
    found: dict[str, Node] = {}
    for layer in branches(document, at):
        for name in layer.value.get("properties", {}):
            found[name] = layer.child("properties").child(name).beside(found.get(name))
    return found


def required(document: Json, at: Node) -> set[str]:
    """Return the names of the required properties of an object schema."""
    return {name for layer in branches(document, at) for name in layer.value.get("required", [])}


def our_operation(document: Json, submit: str) -> Operation | None:
    """Return the operation with that operationId."""
    return next((found for found in operations(document) if found.id == submit), None)


def locate(document: Json, submit: str, place: str) -> Node | None:
    """Return the property or security scheme at a place; None where there is none.

    Places are `submit/request/batchsize` or `security/BearerAuth`; they call the operation with our id `submit`.
    """
    name, _, rest = place.partition("/")
    if name == "security":
        schemes = document.get("components", {}).get("securitySchemes", {})
        return Node(document).child("components").child("securitySchemes").child(rest) if rest in schemes else None
    operation = our_operation(document, submit if name == "submit" else name)
    if operation is None:
        return None
    side, _, path = rest.partition("/")
    if side.startswith("reply"):
        at = reply_schema(document, operation, side.partition(" ")[2] or "200")
    else:
        body = request_schema(document, operation)
        at = body[1] if body else None
    for part in path.split("/"):
        if at is None:
            return None
        at = follow(document, at)
        while isinstance(at.value, dict) and "items" in at.value:
            at = follow(document, at.child("items"))
        at = properties(document, at).get(part)
    return at


def described(document: Json, at: Node) -> Node | None:
    """Return the description that applies to a property: its own, or that of what it refers to."""
    for layer in branches(document, at):
        if isinstance(layer.value.get("description"), str):
            return layer.child("description")
    return None
