"""Whether a reply fits the effective spec, by a JSON Schema validator that shares nothing with client and sandbox."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

import jsonschema_rs

_COMPONENTS: Final = "components"


@cache
def document() -> dict[str, Any]:
    """Return the effective spec, as the installed package carries it."""
    loaded: dict[str, Any] = json.loads((files("tensorslab_images") / "openapi.json").read_text("utf-8"))
    return loaded


@cache
def _validator(path: str, status: int, good: bool) -> Any:  # noqa: FBT001 -- a cache's key
    spec = document()
    responses = spec["paths"].get(path, {}).get("post", {}).get("responses", {})
    content = responses.get(str(status), {}).get("content", {})
    if "application/json" not in content:
        return None
    schema = content["application/json"]["schema"]
    if good and "anyOf" in schema:
        schema = schema["anyOf"][0]  # a success must not pass as the refusal that asks for less
    return jsonschema_rs.Draft4Validator({"allOf": [schema], _COMPONENTS: spec[_COMPONENTS]})


def schema_error(path: str, status: int, reply: object, *, good: bool) -> str:
    """Return what of a reply does not fit the spec's schema; empty if it fits, or if the spec has none.

    Args:
        path: Of the operation.
        status: HTTP status.
        reply: The JSON document.
        good: Whether it tells a success: then it must fit the schema for one.
    """
    validator = _validator(path, status, good)
    if validator is None:
        return ""
    error = next(validator.iter_errors(reply), None)
    return "" if error is None else f"{error.message} at /{'/'.join(map(str, error.instance_path))}"
