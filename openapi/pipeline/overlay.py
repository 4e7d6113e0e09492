"""Applies an OpenAPI Overlay document (1.0, 1.1) strictly.

A target that matches nothing and an update that changes nothing are findings, not silence. Two extension keys guard an
action: `x-add-only` and `x-was`; `x-rule` names the ledger rules that it rests on.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import jsonpath_rfc9535 as jsonpath

from .errors import BrokenInputs, check_form
from .spec import Json, Node, Operation, follow, look_up, operations, pointer, statuses

_KEYS: Final = {"target", "description", "update", "remove", "x-add-only", "x-was", "x-rule"}
Problem = Literal["matches nothing", "is needless", "collides", "has lost its ground"]


@dataclass(frozen=True)
class Action:
    """One action of the overlay document; `index` counts from 0."""

    index: int
    target: str
    description: str
    update: Any
    remove: bool
    add_only: bool
    was: Mapping[str, Any]
    rules: tuple[str, ...]


@dataclass(frozen=True)
class OverlayFinding:
    """An action that could not be applied as meant, and why; it was skipped."""

    action: Action
    problem: Problem
    detail: str


def parse(document: Any) -> list[Action]:
    """Read the actions of an overlay document.

    Raises:
        BrokenInputs: It is not a well-formed Overlay 1.0 or 1.1 document.
    """
    name = "openapi/overlay.yaml"
    if not isinstance(document, dict) or str(document.get("overlay", ""))[:4] not in ("1.0.", "1.1."):
        raise BrokenInputs(f"{name} is not an Overlay 1.0 or 1.1 document.")
    if not isinstance(document.get("actions"), list) or not document["actions"]:
        raise BrokenInputs(f"{name} has no actions.")
    return [_action(index, raw, name) for index, raw in enumerate(document["actions"])]


def _action(index: int, raw: Any, name: str) -> Action:
    place = f"{name}, action {index + 1}"
    if not isinstance(raw, dict) or not isinstance(raw.get("target"), str):
        raise BrokenInputs(f"{place} has no target.")
    if raw["target"].strip() == "$":
        raise BrokenInputs(f"{place}: the target must be a part of the document, not all of it.")
    if unknown := sorted(set(raw) - _KEYS):
        raise BrokenInputs(f"{place}: unknown key {unknown[0]!r}.")
    if ("update" in raw) == (raw.get("remove") is True):
        raise BrokenInputs(f"{place} needs either an update or `remove: true`.")
    check_form(raw, {"x-was": dict, "x-rule": [str]}, place)
    try:
        jsonpath.compile(raw["target"])
    except jsonpath.JSONPathError as error:
        raise BrokenInputs(f"{place}: the target is not a JSONPath: {error}") from None
    return Action(
        index,
        raw["target"],
        str(raw.get("description", "")),
        raw.get("update"),
        raw.get("remove") is True,
        raw.get("x-add-only") is True,
        raw.get("x-was", {}),
        tuple(raw.get("x-rule", ())),
    )


def apply(document: Json, actions: list[Action]) -> tuple[Json, list[OverlayFinding]]:
    """Apply the actions in order to a copy of the document; return it, and the actions that could not be applied."""
    result = _inlined(document)
    findings: list[OverlayFinding] = []
    for action in actions:
        problem = _apply_one(result, action)
        if problem is not None:
            findings.append(OverlayFinding(action, *problem))
    return result, findings


def _inlined(document: Json) -> Json:
    """Return a copy in which operations hold their bodies, replies and parameters, so that targets reach them."""
    result: Json = copy.deepcopy(document)
    schemas: Json = result.setdefault("components", {}).setdefault("schemas", {}) if "paths" in result else {}
    for operation in operations(result):
        node = operation.node.value
        if isinstance(node.get("requestBody"), dict):
            node["requestBody"] = _own(result, node["requestBody"])
        for status in statuses(operation.node):
            node["responses"][status] = _own(result, node["responses"][status])
            for media, kind in (node["responses"][status].get("content") or {}).items():
                if "json" in media and status == "200" and isinstance(kind.get("schema"), dict):
                    kind["schema"] = _as_component(schemas, operation, kind["schema"])
        if isinstance(node.get("parameters"), list):
            node["parameters"] = [_own(result, parameter) for parameter in node["parameters"]]
    return result


def _as_component(schemas: Json, operation: Operation, schema: Json) -> Json:
    """Give the schema of a reply a name, if the page writes it in place; targets rely on a reference."""
    if not ("properties" in schema or "allOf" in schema):
        return schema
    name = re.sub(r"\W", "", operation.id[:1].upper() + operation.id[1:], flags=re.ASCII) + "Response"
    while name in schemas:
        name += "_"
    schemas[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


def _own(document: Json, node: Json) -> Json:
    return copy.deepcopy(follow(document, Node(node)).value) if "$ref" in node else node


def _apply_one(document: Json, action: Action) -> tuple[Problem, str] | None:
    nodes = list(jsonpath.find(action.target, document))
    if not nodes:
        return "matches nothing", f"there is nothing at {action.target}"
    places = [tuple(node.location) for node in nodes]
    for place in places:
        if problem := _guarded(document, action, place):
            return problem
    if action.remove:
        # Behind one prefix all are keys, or all are indices. A target may name a place twice.
        for place in sorted(set(places), reverse=True):
            del look_up(document, pointer(*place[:-1]))[place[-1]]
        return None
    changed = False
    for place in places:
        old = look_up(document, pointer(*place))
        new = merged(old, action.update, pointer(*place))
        if not same(old, new):
            changed = True
            look_up(document, pointer(*place[:-1]))[place[-1]] = new
    return None if changed else ("is needless", "the page says so itself now")


def _guarded(document: Json, action: Action, place: tuple[str | int, ...]) -> tuple[Problem, str] | None:
    where = pointer(*place)
    node = look_up(document, where)
    for relative, expected in action.was.items():
        try:
            found = look_up(node, relative)
        except KeyError:
            return "has lost its ground", f"nothing is left at {where}{relative}; it was {expected!r}"
        if not same(found, expected):
            return "has lost its ground", f"{where}{relative} was {expected!r} and is now {found!r}"
    if action.add_only and isinstance(node, dict) and isinstance(action.update, dict):
        for key in action.update:
            if key in node:
                return "collides", f"the page now has {where}{pointer(key)} itself"
    return None


def merged(old: Any, update: Any, where: str) -> Any:
    """Return `old` updated by the rules of the Overlay specification.

    Objects merge; an array takes the entry (or the entries of an array) that it does not hold yet at its end; a scalar
    is replaced. An object that is a reference becomes `allOf` of it, since keys beside `$ref` do not count.

    Raises:
        BrokenInputs: The two are of different kinds.
    """
    if isinstance(old, dict):
        if not isinstance(update, dict):
            raise BrokenInputs(f"openapi/overlay.yaml: an update of {where} must be a mapping.")
        base: Json = {"allOf": [old]} if isinstance(old.get("$ref"), str) else dict(old)
        for key, value in update.items():
            base[key] = merged(base[key], value, where + pointer(key)) if key in base else copy.deepcopy(value)
        return base
    if isinstance(old, list):
        new = update if isinstance(update, list) else [update]
        return old + [copy.deepcopy(entry) for entry in new if not any(same(entry, had) for had in old)]
    if isinstance(update, (dict, list)):
        raise BrokenInputs(f"openapi/overlay.yaml: an update of {where} must be a scalar.")
    return update


def same(one: Any, other: Any) -> bool:
    """Compare as JSON does: true is not 1, and 1 is 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
