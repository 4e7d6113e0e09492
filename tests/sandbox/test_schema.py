"""JSON Schema keywords as the standard reads them, through OpenAPI 3.0's own ways to write some."""

from typing import Any

import jsonschema_rs
import pytest
from seedream_sandbox.service.validate import _as_json_schema

CASES: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"type": "integer", "minimum": 1, "maximum": 15}, [1, 15, 2.0], [0, 16, 1.5, "1", True, None]),
    ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, [1.1], [1]),
    ({"type": "number", "maximum": 1, "exclusiveMaximum": True}, [0.9], [1]),
    ({"type": "number", "minimum": 1, "exclusiveMinimum": False}, [1], [0.9]),
    ({"type": "number", "multipleOf": 0.1}, [0.3, 0.7, 1, 4.4], [0.35]),
    ({"type": "string", "pattern": "^[0-9]+$"}, ["1"], ["1\n", "", "a1"]),
    ({"type": "string", "pattern": r"^\d+$"}, ["1"], ["١", "1\n"]),
    ({"type": "string", "pattern": r"^\w$"}, ["a"], ["é"]),
    ({"type": "string", "pattern": "b"}, ["abc"], ["ac"]),
    ({"type": "string", "minLength": 2, "maxLength": 2}, ["ab", "🌊🌊"], ["a", "🌊", "abc"]),
    ({"type": "string", "enum": ["a"], "nullable": True}, ["a", None], ["b"]),
    ({"type": "string", "nullable": False}, ["a"], [None]),
    ({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2}, [["a"]], [[], ["a"] * 3, [1]]),
    ({"type": "array", "items": {}, "uniqueItems": True}, [[1, 2]], [[1, 1], [1, 1.0], [{"a": 1}, {"a": 1}]]),
    ({"type": "string", "format": "uuid"}, ["not a uuid"], [1]),
    ({"type": "object", "properties": {"exclusiveMinimum": {"type": "boolean"}}}, [{"exclusiveMinimum": True}], [7]),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "good", "bad"), CASES, ids=[str(schema) for schema, _, _ in CASES])
def test_a_keyword(schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    validator = jsonschema_rs.Draft202012Validator(_as_json_schema(schema))
    assert [True] * len(good) == [validator.is_valid(value) for value in good]
    assert [False] * len(bad) == [validator.is_valid(value) for value in bad]
