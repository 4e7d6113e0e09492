"""Writes limits.py: everything machine-readable in the effective spec, as typed constants."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties import ModelProperty

from .errors import DecisionNeeded
from .settings import Settings
from .spec import (
    Json,
    Node,
    Operation,
    follow,
    joined,
    layers,
    operations,
    pointer,
    properties,
    request_schema,
    required,
)

_RESERVED: Final = ("SUBMIT", "OPERATIONS", "SERVER", "AUTH_SCHEME", "AUTH_HEADER")
_KINDS: Final = ("string", "integer", "number", "boolean", "object")
# (attribute of limits.Field, keyword of the schema)
_LIMITS: Final = (
    ("minimum", "minimum"), ("maximum", "maximum"),
    ("exclusive_minimum", "exclusiveMinimum"), ("exclusive_maximum", "exclusiveMaximum"),
    ("multiple_of", "multipleOf"), ("min_length", "minLength"), ("max_length", "maxLength"),
    ("pattern", "pattern"), ("format", "format"),
)  # fmt: skip
_PYTHON: Final = {
    "string": "str", "integer": "int", "number": "float", "boolean": "bool",
    "binary": "bytes | str | PathLike[str] | BinaryIO", "object": "Mapping[str, Any]",
}  # fmt: skip

HEAD: Final = '''"""What the effective spec says in machine-readable form, as data: server, operations, fields, limits.

Nothing here is typed by hand, so a changed limit of the vendor's needs no edit anywhere else.
"""

from collections.abc import Mapping, Sequence
from os import PathLike
from types import MappingProxyType
from typing import Any, BinaryIO, Final, Literal, Required, TypedDict

from attrs import frozen

Scalar = str | int | float | bool
Number = int | float


@frozen(kw_only=True)
class Field:
    """One field of a request body.

    Attributes:
        name: on the wire.
        attribute: of the generated body class.
        kind: of the value, or of each item when `many`.
        many: the field is an array.
        enum: allowed values; empty when any is.
        description: the vendor's prose, as it is.
    """

    name: str
    attribute: str
    kind: Literal["string", "integer", "number", "boolean", "binary", "object"]
    many: bool = False
    required: bool = False
    nullable: bool = False
    default: Scalar | None = None
    enum: tuple[Scalar, ...] = ()
    minimum: Number | None = None
    maximum: Number | None = None
    exclusive_minimum: Number | None = None
    exclusive_maximum: Number | None = None
    multiple_of: Number | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    description: str = ""


@frozen(kw_only=True)
class Operation:
    """One operation: how to send it, and the fields of its request body (none when it has no body)."""

    id: str
    method: str
    path: str
    media_type: str
    secured: bool
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The field with that name on the wire.

        Raises:
            KeyError: there is none.
        """
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


'''


def emit_limits(document: Json, parsed: GeneratorData, settings: Settings) -> str:
    """Text of limits.py for the effective spec, with attribute names as the generator chose them."""
    names = _attributes(parsed)
    blocks: list[str] = [HEAD]
    constants: dict[str, str] = {}
    more = "class MoreSubmitFields(TypedDict, total=False):\n"
    more += '    """Body fields of the submit operation that submit() does not name itself."""\n\n'
    for operation in operations(document):
        constants[operation.id] = _constant(operation.id, constants.values())
        fields = _fields(document, operation, names.get((operation.path, operation.method), {}))
        blocks.append(_operation(document, operation, constants[operation.id], fields))
        if operation.id == settings.submit:
            for field in fields:
                if field["name"] not in settings.explicit_fields:
                    more += f"    {field['attribute']}: {_annotation(field)}\n"
    scheme, header = _scheme(document)
    listed = "".join(f"    {name!r}: {constant},\n" for name, constant in constants.items())
    blocks += [
        f"OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType({{\n{listed}}})\n",
        f'"""Every operation by its operationId."""\n\nSUBMIT: Final = {constants[settings.submit]}\n',
        (
            f"SERVER: Final = {_server(document)!r}\nAUTH_SCHEME: Final = {scheme!r}\n"
            f"AUTH_HEADER: Final = {header!r}\n\n\n"
        ),
        more,
    ]
    return "\n".join(blocks)


def _constant(name: str, taken: Collection[str]) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"\W+", "_", name)).upper().strip("_")
    found = words if words.isidentifier() else f"OPERATION_{words}"
    while found in taken or found in _RESERVED:
        found += "_"
    return found


def _attributes(parsed: GeneratorData) -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for collection in parsed.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            key = (_text(endpoint.path), _text(endpoint.method).lower())
            for body in endpoint.bodies:
                if isinstance(body.prop, ModelProperty):
                    members = [*(body.prop.required_properties or []), *(body.prop.optional_properties or [])]
                    found.setdefault(key, {}).update({_text(m.name): str(m.python_name) for m in members})
    return found


def _text(value: Any) -> str:
    reveal = getattr(value, "get_untrusted_value", None)
    return str(reveal() if reveal else value)


def _fields(document: Json, operation: Operation, attributes: Mapping[str, str]) -> list[Json]:
    body = request_schema(document, operation)
    if body is None:
        return []
    needed = required(document, body[1])
    found: list[Json] = []
    for name, at in properties(document, body[1]).items():
        if name not in attributes:
            raise DecisionNeeded(
                f"the generator gives the field {name!r} of {operation.id} no attribute; its schema at {at.where}"
                " cannot be expressed. Repair it in openapi/overlay.yaml."
            )
        field = describe(document, at)
        found.append({"name": name, "attribute": attributes[name], "required": name in needed, **field})
    return found


def describe(document: Json, at: Node) -> Json:
    """The attributes of limits.Field (without name, attribute, required) that the schema at this place sets."""
    whole = combined(document, at)
    item = whole
    field: Json = {"kind": "object"}
    types = whole.get("type")
    if "array" in (types if isinstance(types, list) else [types]):
        field["many"] = True
        field |= _picked(whole, (("min_items", "minItems"), ("max_items", "maxItems"), ("unique_items", "uniqueItems")))
        item = combined(document, _items(document, at)) if "items" in whole else {}
    field["kind"] = _kind(item)
    if _nullable(whole):
        field["nullable"] = True
    if isinstance(whole.get("default"), (str, int, float, bool)):
        field["default"] = whole["default"]
    if item.get("enum"):
        field["enum"] = tuple(value for value in item["enum"] if value is not None)
    elif "const" in item:
        field["enum"] = (item["const"],)
    field |= _bounds(_picked(item, _LIMITS))
    if field.get("format") == "binary":
        del field["format"]
    if isinstance(whole.get("description"), str):
        field["description"] = whole["description"]
    return field


def combined(document: Json, at: Node) -> Json:
    """Keywords of all layers of a schema as one; of anyOf and oneOf the first branch that is not null."""
    whole: Json = {}
    for layer in layers(document, at):
        for key, value in layer.value.items():
            if key != "allOf":
                whole[key] = joined(key, whole[key], value) if key in whole else value
    for key in ("anyOf", "oneOf"):
        choices = [
            follow(document, Node(choice, at.where + pointer(key, index)))
            for index, choice in enumerate(whole.get(key, []))
        ]
        solid = [choice for choice in choices if choice.value.get("type") != "null"]
        if solid:
            whole = {**combined(document, solid[0]), **{k: v for k, v in whole.items() if k != key}}
            if len(choices) > len(solid):
                whole["nullable"] = True
    return whole


def _items(document: Json, at: Node) -> Node:
    return next(layer.child("items") for layer in layers(document, at) if "items" in layer.value)


def _kind(schema: Json) -> str:
    types = schema.get("type")
    solid = [name for name in (types if isinstance(types, list) else [types]) if name != "null"]
    if solid == ["string"] and (schema.get("format") == "binary" or "contentMediaType" in schema):
        return "binary"
    if len(solid) == 1 and solid[0] in _KINDS:
        return str(solid[0])
    samples = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    return "string" if samples and all(isinstance(value, str) for value in samples) else "object"


def _nullable(schema: Json) -> bool:
    types = schema.get("type")
    return schema.get("nullable") is True or (isinstance(types, list) and "null" in types)


def _picked(schema: Json, names: tuple[tuple[str, str], ...]) -> Json:
    return {attribute: schema[keyword] for attribute, keyword in names if schema.get(keyword) is not None}


def _bounds(limits: Json) -> Json:
    """OpenAPI 3.0 writes `exclusiveMinimum: true` beside the bound, 3.1 the bound itself; ours is the latter."""
    for side in ("minimum", "maximum"):
        exclusive = limits.get(f"exclusive_{side}")
        if isinstance(exclusive, bool):
            del limits[f"exclusive_{side}"]
            if exclusive and side in limits:
                limits[f"exclusive_{side}"] = limits.pop(side)
    return limits


def _operation(document: Json, operation: Operation, constant: str, fields: list[Json]) -> str:
    body = request_schema(document, operation)
    security = operation.node.value.get("security", document.get("security", []))
    rows = "".join(
        "        Field(" + ", ".join(f"{key}={value!r}" for key, value in field.items()) + "),\n" for field in fields
    )
    return (
        f"{constant}: Final = Operation(\n    id={operation.id!r},\n    method={operation.method.upper()!r},\n"
        f"    path={operation.path!r},\n    media_type={(body[0] if body else '')!r},\n    secured={bool(security)},\n"
        f"    fields=(\n{rows}    ),\n)\n"
    )


def _annotation(field: Json) -> str:
    listed = ", ".join(map(repr, field.get("enum", ())))
    one = f"Literal[{listed}]" if listed else _PYTHON[field["kind"]]
    if field.get("many"):
        one = f"Sequence[{one}]"
    if field.get("nullable"):
        one = f"{one} | None"
    return f"Required[{one}]" if field["required"] else one


def _server(document: Json) -> str:
    servers = document.get("servers") or []
    url = servers[0].get("url", "") if servers and isinstance(servers[0], dict) else ""
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?(/[\w./~-]*)?", url):
        raise DecisionNeeded(f"servers[0].url is {url!r}: the key may only travel to an absolute https:// address.")
    return str(url).rstrip("/")


def _scheme(document: Json) -> tuple[str, str]:
    for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
        if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
            return name, scheme["name"]
        if scheme.get("type") == "http" and str(scheme.get("scheme", "")).lower() == "bearer":
            return name, "Authorization"
    raise DecisionNeeded("the document names no API key in a header any more; the client sends it in no other way.")
