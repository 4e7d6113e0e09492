"""Checks a request against the generated table of its operation's fields, as strictly as the spec, no more.

Fields that the table does not know are let pass, as JSON Schema does. What the page says only in prose is checked in
``_size`` (resolution) and here (a prompt is required, and an empty one is none: rule PROMPT-REQUIRED).
"""

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from attrs import field, frozen
from tensorslab_images.limits import Field, Operation

from seedream_sandbox.multipart import Part
from seedream_sandbox.refusal import SCHEMA, Refusal, refuse

Scalar = str | int | float | bool
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


@frozen
class Checked:
    """A request's values, typed; with the spec's defaults filled in.

    Attributes:
        values: By name on the wire.
        files: File parts by name on the wire, in order.
    """

    values: Mapping[str, Any]
    files: Mapping[str, tuple[Part, ...]] = field(factory=dict[str, tuple[Part, ...]])

    def text(self, name: str) -> str:
        """A value as text, empty when it is not there."""
        return str(self.values.get(name, ""))


def check_form(operation: Operation, parts: Sequence[Part]) -> Checked:
    """Check a form.

    Raises:
        Refusal: For the first thing wrong, in the order of the fields in the spec.
    """
    values: dict[str, Any] = {}
    files: dict[str, tuple[Part, ...]] = {}
    for spec in operation.fields:
        named = tuple(part for part in parts if part.name == spec.name)
        if not spec.many and len(named) > 1:
            raise refuse(operation, spec, f"given {len(named)} times, but it is a single value")
        for part in named:
            if spec.kind == "binary" and part.filename is None:
                raise refuse(operation, spec, "a part without a file name is a text field, not a file")
            if spec.kind != "binary" and part.filename is not None:
                raise refuse(operation, spec, "sent as a file, but it is a text field")
        if spec.kind == "binary":
            files[spec.name] = named
            _count(operation, spec, named)
            present = bool(named)
        else:
            items = [_scalar(operation, spec, _from_text(operation, spec, part)) for part in named]
            _count(operation, spec, items)
            present = bool(items)
            if present:
                values[spec.name] = items if spec.many else items[0]
            elif spec.default is not None:
                values[spec.name] = spec.default
        if spec.required and not present:
            raise _missing(operation, spec)
        _not_blank(operation, spec, values)
    return Checked(values, files)


def check_json(operation: Operation, content_type: str | None, body: bytes) -> Checked:
    """Check a JSON body.

    Raises:
        Refusal: For the first thing wrong.
    """
    given = _json_object(operation, content_type, body)
    values: dict[str, Any] = {}
    for spec in operation.fields:
        if spec.name not in given:
            if spec.required:
                raise _missing(operation, spec)
            if spec.default is not None:
                values[spec.name] = spec.default
            continue
        value = given[spec.name]
        if value is None and spec.nullable:
            continue
        if spec.many:
            if not isinstance(value, list):
                raise refuse(operation, spec, "not a list")
            items = cast("list[object]", value)
            _count(operation, spec, items)
            values[spec.name] = [_scalar(operation, spec, _of_kind(operation, spec, item)) for item in items]
        else:
            values[spec.name] = _scalar(operation, spec, _of_kind(operation, spec, value))
    return Checked(values)


def _json_object(operation: Operation, content_type: str | None, body: bytes) -> dict[str, Any]:
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind != operation.media_type:
        raise Refusal(SCHEMA, "", f"the media type is {kind[:80]!r}, not {operation.media_type}")
    try:
        document: object = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(SCHEMA, "", f"the body is not JSON ({type(error).__name__})") from None
    if not isinstance(document, dict):
        raise Refusal(SCHEMA, "", "the body is not a JSON object")
    return cast("dict[str, Any]", document)


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _missing(operation: Operation, spec: Field) -> Refusal:
    if spec.name == "prompt":
        return Refusal("PROMPT-REQUIRED", spec.name, "missing", spec.description)
    return refuse(operation, spec, "missing")


def _not_blank(operation: Operation, spec: Field, values: Mapping[str, Any]) -> None:
    if spec.name == "prompt" and spec.kind == "string" and not str(values.get("prompt", "x")).strip():
        raise Refusal("PROMPT-REQUIRED", spec.name, "empty", operation.field("prompt").description)


def _from_text(operation: Operation, spec: Field, part: Part) -> Scalar:
    """The value that a text part stands for."""
    try:
        text = part.content.decode("utf-8")
    except UnicodeDecodeError:
        raise refuse(operation, spec, "not UTF-8 text") from None
    match spec.kind:
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "number" if _NUMBER.fullmatch(text):
            return float(text)
        case "boolean" if text in ("true", "false"):
            return text == "true"
        case "integer" | "number" | "boolean":
            raise refuse(operation, spec, f"{text[:60]!r} is not of type {spec.kind}")
        case _:
            return text


def _of_kind(operation: Operation, spec: Field, value: object) -> Scalar:
    """A JSON value, if it is of the field's type. True is no number; 2.0 is a whole one, as JSON Schema says."""
    match spec.kind, value:
        case ("boolean", bool()) | ("string", str()):
            return cast("Scalar", value)
        case (("integer" | "number"), bool()):
            pass
        case "integer", float() if value.is_integer():
            return int(value)
        case ("integer", int()) | ("number", int() | float()):
            return cast("Scalar", value)
        case _:
            pass
    raise refuse(operation, spec, f"not of type {spec.kind}")


_BOUNDS: Final[tuple[tuple[str, Callable[[Any, Any], bool], str], ...]] = (
    ("minimum", operator.ge, "below"),
    ("maximum", operator.le, "above"),
    ("exclusive_minimum", operator.gt, "not above"),
    ("exclusive_maximum", operator.lt, "not below"),
)


def _scalar(operation: Operation, spec: Field, value: Scalar) -> Scalar:
    """The value, if the schema's limits hold for it."""
    if spec.enum and value not in spec.enum:
        raise refuse(operation, spec, f"{str(value)[:60]!r} is not one of {', '.join(map(str, spec.enum))}")
    if isinstance(value, str):
        if spec.min_length is not None and len(value) < spec.min_length:
            raise refuse(operation, spec, f"{len(value)} characters, fewer than {spec.min_length}")
        if spec.max_length is not None and len(value) > spec.max_length:
            raise refuse(operation, spec, f"{len(value)} characters, more than {spec.max_length}")
        if spec.pattern is not None and re.search(spec.pattern, value) is None:
            raise refuse(operation, spec, f"{value[:60]!r} does not match {spec.pattern}")
    elif not isinstance(value, bool):
        for name, holds, told in _BOUNDS:
            bound = getattr(spec, name)
            if bound is not None and not holds(value, bound):
                raise refuse(operation, spec, f"{value} is {told} {bound}")
        if spec.multiple_of is not None and value % spec.multiple_of:
            raise refuse(operation, spec, f"{value} is not a multiple of {spec.multiple_of}")
    return value


def _count(operation: Operation, spec: Field, items: Sequence[object]) -> None:
    if not spec.many:
        return
    if spec.min_items is not None and len(items) < spec.min_items:
        raise refuse(operation, spec, f"{len(items)} given, fewer than {spec.min_items}")
    if spec.max_items is not None and len(items) > spec.max_items:
        raise refuse(operation, spec, f"{len(items)} given, more than {spec.max_items}")
    if spec.unique_items and len({repr(item) for item in items}) < len(items):
        raise refuse(operation, spec, "the same item is given twice")
