"""Describes the fields of a request: each one's Python name, kind and limits, merged from every schema of it."""

import builtins
import keyword
import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from .ecma_pattern import is_translatable, to_python
from .settings import Settings
from .spec import Json, Node, Operation, joined, layers, properties, request_schema, required

_SCALARS: Final = ("string", "integer", "number", "boolean")
# (attribute of limits.Field, keyword of the schema)
_LIMITS: Final = (
    ("minimum", "minimum"), ("maximum", "maximum"),
    ("exclusive_minimum", "exclusiveMinimum"), ("exclusive_maximum", "exclusiveMaximum"),
    ("multiple_of", "multipleOf"), ("min_length", "minLength"), ("max_length", "maxLength"),
    ("pattern", "pattern"), ("format", "format"),
)  # fmt: skip
_COUNTS: Final = (("min_items", "minItems"), ("max_items", "maxItems"), ("unique_items", "uniqueItems"))
_TEXT_MEDIA: Final = ("text/", "application/json", "application/xml", "application/x-www-form-urlencoded")
_PYTHON_TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
_MAX_UNIONS: Final = 20
# Names inside the generated body class that a field of the same name would break.
_GENERATED: Final = frozenset({
    "self", "cls", "d", "files", "field_dict", "src_dict", "prop", "prop_name", "json", "types", "to_dict", "from_dict",
    "to_multipart", "additional_properties", "additional_keys", "body", "headers", "client",
})  # fmt: skip


def body_fields(document: Json, operation: Operation, settings: Settings) -> list[Json]:
    """Return the attributes of limits.Field for each field of the operation's request body."""
    body = request_schema(document, operation)
    if body is None:
        return []
    needed = required(document, body[1])
    members = properties(document, body[1])
    ours = operation.id == settings.submit
    names = python_names(members, settings.explicit_fields if ours else {}, settings.reserved_names if ours else ())
    return [
        {"name": name, "attribute": names[name], "required": name in needed, **describe(document, node)}
        for name, node in members.items()
    ]


def python_names(fields: Iterable[str], explicit: Mapping[str, str], reserved: Collection[str]) -> dict[str, str]:
    """Return a Python name for each name on the wire, all different and none of the reserved ones.

    It is the parameter of `submit()`, the attribute of the generated body and `limits.Field.attribute`, all in one. The
    fields that the client names itself keep these explicit names whatever a page adds beside them.
    """
    found: dict[str, str] = {}
    taken = {*explicit.values(), *reserved, *_GENERATED, *dir(builtins), *keyword.kwlist}
    for name in fields:
        python = explicit.get(name) or _snake_case(name)
        while name not in explicit and python in taken:
            python += "_"
        taken.add(python)
        found[name] = python
    return found


def _snake_case(name: str) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", unicodedata.normalize("NFKC", name))
    text = re.sub(r"\W+", "_", words).strip("_").lower()
    return text if text.isidentifier() else f"field_{text}".rstrip("_")


def describe(document: Json, node: Node) -> Json:
    """Return the attributes of limits.Field that the schema at this place sets (without name and required)."""
    whole = combined(document, node)
    item = whole
    field: Json = {"kind": "object"}
    if "array" in _types(whole):
        field["many"] = True
        field |= _picked(whole, _COUNTS)
        item = combined(document, Node(whole["items"])) if "items" in whole else {}
    field["kind"] = _kind(item)
    if _nullable(whole):
        field["nullable"] = True
    if isinstance(whole.get("default"), (str, int, float, bool)):
        field["default"] = whole["default"]
    if item.get("enum"):
        field["enum"] = tuple(value for value in item["enum"] if isinstance(value, (str, int, float, bool)))
    elif isinstance(item.get("const"), (str, int, float, bool)):
        field["enum"] = (item["const"],)
    field |= _bounds(_picked(item, _LIMITS))
    if field.get("format") == "binary":
        del field["format"]
    if "pattern" in field:
        if is_translatable(field["pattern"]):
            field["pattern"] = to_python(field["pattern"])
        else:
            del field["pattern"]
    if isinstance(whole.get("description"), str):
        field["description"] = whole["description"]
    return field


def default_has_its_type(field: Json) -> bool:
    """Whether the default of a described field, if it has one, has the type of the field."""
    default = field.get("default")
    if default is None or field.get("many"):
        return True
    typed = isinstance(default, _PYTHON_TYPES.get(field["kind"], ()))
    return typed and isinstance(default, bool) == (field["kind"] == "boolean")


def default_fits(field: Json) -> bool:
    """Whether the default of a described field, if it has one, is a value that the field may take."""
    default: Any = field.get("default")
    if default is None or field.get("many"):
        return True
    if not default_has_its_type(field) or (field.get("enum") and default not in field["enum"]):
        return False
    if isinstance(default, str):
        return bool(field.get("min_length", 0) <= len(default) <= field.get("max_length", len(default)))
    return not (
        default > field.get("maximum", math.inf)
        or default >= field.get("exclusive_maximum", math.inf)
        or default < field.get("minimum", -math.inf)
        or default <= field.get("exclusive_minimum", -math.inf)
    )


def combined(document: Json, node: Node, depth: int = 0) -> Json:
    """Return the keywords of all layers of a schema as one; anyOf and oneOf become one schema that all of them fit."""
    whole: Json = {}
    for layer in layers(document, node):
        for key, value in layer.value.items():
            if key != "allOf":
                whole[key] = joined(key, whole[key], value) if key in whole else value
    for key in ("anyOf", "oneOf"):
        if key in whole and depth < _MAX_UNIONS:
            choices = [combined(document, Node(choice), depth + 1) for choice in whole.pop(key)]
            whole = {**_union(document, choices), **whole}
    return whole


def _union(document: Json, choices: Sequence[Json]) -> Json:
    """Return what is common to the choices: a form holds one text, one file, or several of either."""
    solid = [choice for choice in choices if _types(choice) != ["null"]]
    nullable = {"nullable": True} if len(solid) < len(choices) or any(map(_nullable, solid)) else {}
    if len(solid) < 2:  # noqa: PLR2004 - one choice is not a union
        return {**(solid[0] if solid else {}), **nullable}
    items = [_item(document, choice) for choice in solid]
    kinds = {_kind(item) for item in items}
    one: Json
    if kinds == {"binary"} or "binary" in kinds:
        one = {"type": "string", "format": "binary"}
    elif len(kinds) == 1 and kinds <= set(_SCALARS):
        one = {"type": kinds.pop()}
    elif kinds == {"integer", "number"}:
        one = {"type": "number"}
    elif kinds <= set(_SCALARS):
        one = {"type": "string"}
    else:
        one = {"type": "object"}
    enums = [item.get("enum") or ([item["const"]] if "const" in item else None) for item in items]
    if all(enums):
        one["enum"] = [value for enum in enums for value in enum or ()]
    if any("array" in _types(choice) for choice in solid):
        one = {"type": "array", "items": one}
    return {**one, **nullable}


def _item(document: Json, schema: Json) -> Json:
    if "array" not in _types(schema):
        return schema
    return combined(document, Node(schema["items"])) if "items" in schema else {}


def _types(schema: Json) -> list[str]:
    found = schema.get("type")
    if found is None and "items" in schema:
        return ["array"]
    return [name for name in (found if isinstance(found, list) else [found]) if isinstance(name, str)]


def _kind(schema: Json) -> str:
    solid = [name for name in _types(schema) if name != "null"]
    if solid in ([], ["string"]) and _is_file(schema):
        return "binary"
    if len(solid) == 1 and solid[0] in _SCALARS:
        return solid[0]
    return _kind_of_values(schema.get("enum") or ([schema["const"]] if "const" in schema else []))


def _kind_of_values(values: Sequence[Any]) -> str:
    """Return the kind of a schema that lists its values and names no type."""
    types = {type(value) for value in values if value is not None}
    for kind, allowed in (("string", {str}), ("boolean", {bool}), ("integer", {int}), ("number", {int, float})):
        if types and types <= allowed:
            return kind
    return "object"


def _is_file(schema: Json) -> bool:
    """OpenAPI 3.0 marks a file with `format: binary`, 3.1 with a media type, and names an encoding for text."""
    if schema.get("format") == "binary" or schema.get("contentEncoding") == "binary":
        return True
    media = schema.get("contentMediaType")
    return isinstance(media, str) and "contentEncoding" not in schema and not media.lower().startswith(_TEXT_MEDIA)


def _nullable(schema: Json) -> bool:
    return schema.get("nullable") is True or "null" in _types(schema)


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
