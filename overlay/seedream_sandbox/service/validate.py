"""Checks a request against the spec's own schema, with a JSON Schema validator that the client does not use.

A form's text becomes a typed value first, in the one canonical way to write it (``2``, not ``+2`` or ``2.0``). Fields
that the schema does not name are accepted, as JSON Schema does. What the page says only in prose is checked in
``resolution`` and here (a prompt is required and must not be blank: rule PROMPT-REQUIRED).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files as package_files
from typing import Any, Final, cast

import jsonschema_rs
from attrs import field, frozen
from tensorslab_images.limits import Field, Operation

from seedream_sandbox.service.multipart import Part
from seedream_sandbox.service.refusal import SCHEMA, Refusal, refuse

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_LONGEST: Final = 300  # characters of a validator's message
_CHARSETS: Final = frozenset({None, "utf-8", "utf8", "us-ascii", "ascii"})


@frozen
class ValidRequest:
    """A request's values, typed, with the spec's defaults filled in."""

    values: Mapping[str, Any]  # by name on the wire
    # file parts by name on the wire, in order
    files: Mapping[str, tuple[Part, ...]] = field(factory=dict[str, tuple[Part, ...]])

    def text(self, name: str) -> str:
        """Return a value as text, empty when it is absent."""
        return str(self.values.get(name, ""))


def check_form(operation: Operation, parts: Sequence[Part]) -> ValidRequest:
    """Check a form.

    Raises:
        Refusal: For the first field that is wrong, in the order of the spec.
    """
    values: dict[str, Any] = {}
    files: dict[str, tuple[Part, ...]] = {}
    problems: dict[str, Refusal] = {}
    instance: dict[str, Any] = {part.name: part.content[:_LONGEST].decode("utf-8", "replace") for part in parts}
    for spec in operation.fields:
        instance.pop(spec.name, None)
        named = tuple(part for part in parts if part.name == spec.name)
        if spec.kind == "binary":
            files[spec.name] = named
        if not named:
            continue
        try:
            given = [_form_value(operation, spec, part) for part in named]
            if not spec.many and len(given) > 1:
                raise refuse(operation, spec, f"given {len(given)} times, but it is a single value")
        except Refusal as refusal:
            problems[spec.name] = refusal
            continue
        instance[spec.name] = given if spec.many else given[0]
        if spec.kind != "binary":
            values[spec.name] = instance[spec.name]
    return ValidRequest(_checked(operation, instance, values, problems), files)


def check_json(operation: Operation, content_type: str | None, body: bytes) -> ValidRequest:
    """Check a JSON body.

    Raises:
        Refusal: For the first field that is wrong, in the order of the spec.
    """
    given = _json_object(operation, content_type, body)
    values = {spec.name: given[spec.name] for spec in operation.fields if spec.name in given}
    return ValidRequest(_checked(operation, given, values, {}))


def _checked(
    operation: Operation, instance: dict[str, Any], values: dict[str, Any], problems: dict[str, Refusal]
) -> dict[str, Any]:
    """Return the values with the defaults, unless something is wrong."""
    general = ""
    for error in _errors(operation, instance):
        path = list(error.instance_path)
        name = str(path[0]) if path else str(getattr(error.kind, "property", ""))
        wrong = "missing" if not path and name else _shortened(error.message)
        spec = next((spec for spec in operation.fields if spec.name == name), None)
        if spec is None:
            general = general or wrong
        elif wrong == "missing" and name == "prompt":
            problems.setdefault(name, Refusal("PROMPT-REQUIRED", name, wrong, spec.description))
        else:
            problems.setdefault(name, refuse(operation, spec, wrong))
    for spec in operation.fields:
        if spec.name == "prompt" and spec.name in values and not str(values[spec.name]).strip():
            raise Refusal("PROMPT-REQUIRED", spec.name, "empty", spec.description)
        if spec.name in problems:
            raise problems[spec.name]
        if spec.name not in instance and spec.default is not None:
            values[spec.name] = spec.default
    if general:
        raise Refusal(SCHEMA, "", general)
    return values


def _errors(operation: Operation, instance: dict[str, Any]) -> list[Any]:
    try:
        return list(_validator(operation.path, operation.method.lower(), operation.media_type).iter_errors(instance))
    except UnicodeEncodeError:  # JSON can write half of a surrogate pair
        raise Refusal(SCHEMA, "", "the body holds text that is not Unicode") from None
    except (ValueError, RecursionError) as error:
        raise Refusal(SCHEMA, "", f"the body cannot be checked ({type(error).__name__})") from None


@cache
def _validator(path: str, method: str, media_type: str) -> Any:
    """Return the validator of a request body: OpenAPI 3.0's schema as JSON Schema 2020-12, in whose words 2.0 is 2."""
    spec: Any = json.loads((package_files("tensorslab_images") / "openapi.json").read_text("utf-8"))
    schema = spec["paths"][path][method]["requestBody"]["content"][media_type]["schema"]
    return jsonschema_rs.Draft202012Validator(
        {"allOf": [_as_json_schema(schema)], "components": _as_json_schema(spec["components"])}
    )


def _as_json_schema(node: Any) -> Any:
    """Rewrite what OpenAPI 3.0 says in its own way: ``nullable``, and exclusive bounds as flags."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _as_json_schema(value) for key, value in cast("dict[str, Any]", node).items()}
    for bound in ("minimum", "maximum"):
        flag = f"exclusive{bound.capitalize()}"
        if schema.get(flag) is True and bound in schema:
            schema[flag] = schema.pop(bound)
        elif isinstance(schema.get(flag), bool):
            del schema[flag]
    if schema.get("nullable") is True and "type" in schema:
        del schema["nullable"]
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


def _json_object(operation: Operation, content_type: str | None, body: bytes) -> dict[str, Any]:
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind != operation.media_type:
        raise Refusal(SCHEMA, "", f"the media type is {kind[:80]!r}, not {operation.media_type}")
    try:
        document: object = json.loads(body, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise Refusal(SCHEMA, "", f"the body is not JSON ({type(error).__name__})") from None
    if not isinstance(document, dict):
        raise Refusal(SCHEMA, "", "the body is not a JSON object")
    return cast("dict[str, Any]", document)


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key is given twice")
    return document


def _form_value(operation: Operation, spec: Field, part: Part) -> Any:
    """Return the value of a part."""
    if spec.kind == "binary":
        if part.filename is None:
            raise refuse(operation, spec, "a part without a file name is a text field, not a file")
        limited = spec.min_length is not None or spec.max_length is not None
        return part.content.decode("latin-1") if limited else hashlib.sha256(part.content).hexdigest()
    if part.filename is not None:
        raise refuse(operation, spec, "sent as a file, but it is a text field")
    if (part.charset and part.charset.lower()) not in _CHARSETS:
        raise refuse(operation, spec, f"declared as {part.charset!r}, but text is sent as UTF-8")
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


def _shortened(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}..."
