"""Cases that Schemathesis generates from the effective spec, for requests and, by a turn of hand, for replies."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from support import strategies

SPEC: dict[str, Any] = json.loads((files("tensorslab_images") / "openapi.json").read_text("utf-8"))
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE

# Only prose of the page gives the form of a resolution: without this, few legal sizes would be drawn.
schemathesis.openapi.format("resolution", strategies.legal_resolutions)


def submissions(mode: GenerationMode) -> st.SearchStrategy[schemathesis.Case[Any]]:
    """Submissions from the spec; POSITIVE ones fit its schema, NEGATIVE ones break it."""
    spec = json.loads(json.dumps(SPEC))
    form = spec["paths"]["/v1/images/seedreamv45"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    form["properties"]["resolution"]["format"] = "resolution"
    form["properties"]["prompt"]["minLength"] = 1  # the prose: required
    form["additionalProperties"] = False  # else most cases are about fields that nobody knows
    schema = schemathesis.openapi.from_dict(spec)
    return schema["/v1/images/seedreamv45"]["POST"].as_strategy(generation_mode=mode)


def replies(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """JSON that fits a schema of the spec's components."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    operation = {
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "any"}},
    }
    spec = {
        "openapi": "3.0.3",
        "info": SPEC["info"],
        "paths": {"/": {"post": operation}},
        "components": SPEC["components"],
    }
    schema = schemathesis.openapi.from_dict(spec)
    return schema["/"]["POST"].as_strategy(generation_mode=POSITIVE).map(lambda case: plain(case.body))


def plain(value: Any) -> Any:
    """Return a generated value with Schemathesis' own classes turned into Python's."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.data if hasattr(value, "data") and isinstance(value.data, bytes) else value
