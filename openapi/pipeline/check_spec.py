"""Whether a document is an OpenAPI 3.0 or 3.1 description that stands on its own. Nothing is fetched."""

import re
from typing import Any, Final

from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from .errors import RefusedInput
from .spec import Json, Node, SpecError, follow

_VERSION = re.compile(r"3\.([01])\.\d+")
_LONG: Final = 160
_LONGEST_TEXT: Final = 20_000


def check_spec(document: Json, name: str) -> None:
    """Returns quietly when the document is sound.

    Raises:
        RefusedInput: it is something else, or breaks the OpenAPI specification, or refers to what is not in it.
    """
    version = document.get("openapi")
    if "swagger" in document:
        raise RefusedInput(
            f"{name} is Swagger {document['swagger']!s:.20}, not OpenAPI 3. Convert it, or ask the vendor for OpenAPI."
        )
    if version is None or not isinstance(document.get("paths"), dict):
        raise RefusedInput(f"{name} is no OpenAPI document: it has no `openapi` version or no `paths`.")
    match = _VERSION.fullmatch(str(version))
    if match is None or not isinstance(version, str):
        raise RefusedInput(f"{name} says openapi {version!r:.40}; this pipeline reads 3.0.x and 3.1.x.")
    _check_nodes(document, name)
    validator = OpenAPIV30SpecValidator if match[1] == "0" else OpenAPIV31SpecValidator
    try:
        error = next(iter(validator(document).iter_errors()), None)
    except RecursionError:
        raise RefusedInput(f"{name}: its schemas refer to each other without end.") from None
    if error is not None:
        place = "/".join(str(part) for part in error.absolute_path)
        told = error.message.splitlines()[0]
        if len(told) > _LONG:
            told = "what stands there does not have the form that OpenAPI asks for"
        raise RefusedInput(f"{name} breaks the OpenAPI specification at {place or 'the top'}: {told}.")


def _check_nodes(document: Json, name: str) -> None:
    stack: list[tuple[Any, str]] = [(document, "")]
    while stack:
        node, where = stack.pop()
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                try:
                    follow(document, Node(node, where))
                except SpecError as error:
                    raise RefusedInput(f"{name}: {error}.") from None
            stack += [(value, f"{where}/{key}") for key, value in node.items()]
        elif isinstance(node, str) and len(node) > _LONGEST_TEXT:
            raise RefusedInput(f"{name}: the text at {where[:200]} is longer than {_LONGEST_TEXT:,} characters.")
        elif isinstance(node, list):
            stack += [(value, f"{where}/{index}") for index, value in enumerate(node)]
