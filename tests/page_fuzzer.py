"""Changes of a page at random: nodes of its document are replaced, dropped, doubled, retyped or moved."""

import copy
import json
import random
from typing import Any

from page_edits import DOCUMENT, page
from pipeline.strict_yaml import dump_yaml

Place = tuple[Any, ...]
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, "", "x", "object", "array", "string", "\x1b[31m", "中文",
    [], {}, [None], {"": None}, {"$ref": "#/components/schemas/GeneralResponse"}, {"$ref": "#/paths"},
    {"type": "array"}, {"type": ["string", "null"]}, {"allOf": []}, {"enum": []},
    {"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"x-note": "hi"},
    {"type": "string", "format": "binary"}, {"type": "object", "properties": {"a": {}}},
    ["prompt"],
)  # fmt: skip


def places(node: Any, here: Place = ()) -> list[Place]:
    """Return the place of every node below."""
    found: list[Place] = []
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in items:
        found += [(*here, key), *places(child, (*here, key))]
    return found


def get(node: Any, place: Place) -> Any:
    """Return the node at the place."""
    for key in place:
        node = node[key]
    return node


def mutate(document: Any, rng: random.Random) -> str:
    """Change one node of the document; return what was done."""
    place = rng.choice(places(document))
    owner, key = get(document, place[:-1]), place[-1]
    kind = rng.choice(["replace", "drop", "double", "retype", "move", "rename"])
    value = owner[key]
    if kind == "drop":
        del owner[key]
    elif kind == "double":
        other = rng.choice([p for p in places(document) if isinstance(get(document, p), (dict, list))])
        _put(get(document, other), f"{key}{rng.choice(['', '2', '[]'])}", copy.deepcopy(value))
    elif kind == "move":
        del owner[key]
        containers = [p for p in [(), *places(document)] if isinstance(get(document, p), (dict, list))]
        _put(get(document, rng.choice(containers)), str(key), value)
    elif kind == "retype":
        owner[key] = {True: [value], False: str(value)}[rng.random() < 0.5] if rng.random() < 0.7 else {"a": value}
    elif kind == "rename" and isinstance(owner, dict):
        owner[str(rng.choice([f"{key}s", f"x-{key}", "$ref", "allOf", "type", "properties", ""]))] = owner.pop(key)
    else:
        owner[key] = copy.deepcopy(rng.choice(VALUES))
    return f"{kind} {'/'.join(map(str, place))}"


def _put(owner: Any, key: str, value: Any) -> None:
    if isinstance(owner, list):
        owner.append(value)
    else:
        owner[key] = value


def fuzzed(seed: int) -> tuple[bytes, list[str]]:
    """Return a page made from the real one by one to four changes, as a page or as JSON, in OpenAPI 3.0 or 3.1."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    document = copy.deepcopy(DOCUMENT)
    if rng.random() < 0.5:
        document["openapi"] = "3.1.0"
    done = [mutate(document, rng) for _ in range(rng.choice([1, 1, 1, 2, 3, 4])) if document]
    if rng.random() < 0.2:
        return json.dumps(document, ensure_ascii=False).encode(), done
    return page(dump_yaml(document).encode()), done
