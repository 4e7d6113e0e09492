"""Checks that a document is a sound OpenAPI 3.0 or 3.1 description, before anything else reads it; fetches nothing."""

import re
from collections.abc import Iterator
from typing import Any, Final

from jsonschema import Draft4Validator  # type: ignore[import-untyped]  # it comes without types
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]  # it comes without types
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from openapi_spec_validator.schemas import schema_v30

from .errors import RefusedInput
from .spec import MAX_LAYERS, Json, Node, SpecError, follow, operations, parts_of, statuses, walk

_VERSION = re.compile(r"3\.([01])\.\d+")
# The outermost schemas of a document: the components, and what the key `schema` holds elsewhere.
_SCHEMA = re.compile(r"/components/schemas/[^/]*|(?!/components/schemas/)(?:/(?!schema/)[^/]*)*?/schema")
_LONG: Final = 160
_LONGEST_TEXT: Final = 20_000
_MOST_SCHEMAS: Final = 5_000


def check_version(document: Json, name: str) -> bool:
    """Return whether the document is OpenAPI 3.1 (otherwise it is 3.0).

    Raises:
        RefusedInput: It is neither.
    """
    version = document.get("openapi")
    if "swagger" in document:
        raise RefusedInput(
            f"{name} is Swagger {document['swagger']!s:.20}, not OpenAPI 3. Convert it, or ask the vendor for OpenAPI."
        )
    if version is None or not isinstance(document.get("paths"), dict):
        raise RefusedInput(f"{name} is not an OpenAPI document: it has no `openapi` version or no `paths`.")
    match = _VERSION.fullmatch(str(version))
    if match is None or not isinstance(version, str):
        raise RefusedInput(f"{name} says openapi {version!r:.40}; this pipeline reads 3.0.x and 3.1.x.")
    return match[1] == "1"


def check_spec(document: Json, name: str) -> None:
    """Return when the document is sound.

    Raises:
        RefusedInput: It breaks the OpenAPI specification, refers to what is not in it, or its schemas, with every
            reference written out, are too many to compare.
    """
    is_31 = check_version(document, name)
    try:
        check_nodes(document)
        _check_against_meta_schema(document, name, is_31=is_31)
        _check_unfolded(document)
    except SpecError as error:
        raise RefusedInput(f"{name}: {error}.") from None
    found: dict[str, str] = {}
    for operation in operations(document):
        if other := found.get(operation.id):
            raise RefusedInput(f"{name}: {operation.path} and {other} have one operationId, {operation.id}.")
        found[operation.id] = operation.path


def _check_against_meta_schema(document: Json, name: str, *, is_31: bool) -> None:
    validator = (OpenAPIV31SpecValidator if is_31 else OpenAPIV30SpecValidator)(document).schema_validator
    try:
        for error in validator.iter_errors(document):
            # The fast validator names the place where a choice fails; the slow one what is wrong inside.
            errors = [error] if is_31 else [*Draft4Validator(dict(schema_v30)).iter_errors(document)] or [error]
            cause = max(_causes(errors[0]), key=lambda one: len(one.absolute_path))
            raise _broken(name, list(cause.absolute_path), cause.message)
        if is_31:  # its meta-schema leaves the schemas themselves to their dialect
            for node in walk(document):
                if isinstance(node.value, (dict, bool)) and _SCHEMA.fullmatch(node.where):
                    try:
                        OAS31Validator.check_schema(node.value)
                    except SchemaError as error:
                        raise _broken(name, [*parts_of(node.where), *error.absolute_path], error.message) from None
    except RecursionError:
        raise SpecError("it is nested too deeply") from None


def _causes(error: Any) -> Iterator[Any]:
    """Return the errors that this one rests on: where a schema offers a choice, those of each alternative."""
    inner_errors = error.context or ()
    if not inner_errors:
        yield error
    for inner in inner_errors:
        yield from _causes(inner)


def _broken(name: str, path: list[Any], message: str) -> RefusedInput:
    place = "/".join(str(part) for part in path)[:200]
    reason = message.partition("\n")[0]
    if not reason or len(reason) > _LONG:
        reason = "what is there does not have the form that OpenAPI asks for"
    return RefusedInput(f"{name} breaks the OpenAPI specification at {place or 'the top'}: {reason}.")


def _check_unfolded(document: Json) -> None:
    """Walk every schema of the operations with its references written out, as the comparison does.

    Raises:
        SpecError: There are too many, or schemas that all apply at one place refer to each other without end.
    """
    counted = 0
    # Schema, the references on the way to it, and those of them that apply at the same place.
    found: list[tuple[Any, tuple[str, ...], tuple[str, ...]]] = [
        (schema, (), ()) for operation in operations(document) for schema in _roots(document, operation.node)
    ]
    while found:
        value, trail, chain = found.pop()
        counted += 1
        if counted > _MOST_SCHEMAS:
            raise SpecError(f"with every reference written out it has more than {_MOST_SCHEMAS:,} schemas")
        if len(trail) > MAX_LAYERS:
            raise SpecError(f"more than {MAX_LAYERS} of its schemas refer to each other in one chain")
        if not isinstance(value, dict):
            continue
        if isinstance(value.get("$ref"), str):
            target = follow(document, Node(value))
            if target.where in chain:
                raise SpecError(f"the schemas at {target.where:.120} refer to each other without end")
            if target.where not in trail:
                found.append((target.value, (*trail, target.where), (*chain, target.where)))
        found += [(child, trail, chain if same else ()) for child, same in _children(value)]


def _children(schema: Json) -> Iterator[tuple[Any, bool]]:
    """Return each schema inside this one, and whether it applies to the same value."""
    for key in ("allOf", "anyOf", "oneOf"):
        yield from ((child, True) for child in schema.get(key) or [])
    for key in ("properties", "patternProperties"):
        yield from ((child, False) for child in (schema.get(key) or {}).values())
    for key in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(key), dict):
            yield schema[key], False


def _roots(document: Json, operation: Node) -> Iterator[Any]:
    holders = [operation.child("requestBody")] if "requestBody" in operation.value else []
    holders += [operation.child("responses").child(status) for status in statuses(operation)]
    for holder in [follow(document, one) for one in holders]:
        yield from (kind["schema"] for kind in (holder.value.get("content") or {}).values() if "schema" in kind)


def check_nodes(document: Json) -> None:
    """Return when every reference leads somewhere, and no text is endless.

    Raises:
        SpecError: One does not, or one is.
    """
    for node in walk(document):
        if isinstance(node.value, str) and len(node.value) > _LONGEST_TEXT:
            raise SpecError(f"the text at {node.where[:200]} is longer than {_LONGEST_TEXT:,} characters")
        follow(document, node)
