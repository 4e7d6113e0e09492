"""ACCEPT=1: changes the ledger and the overlay so that they fit the new page, where that is beyond doubt.

Rows and actions about which there is doubt stay as they are, and the run stops again there. Comments and layout are
kept.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import StringIO
from typing import Any

import jsonpath_rfc9535 as jsonpath
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from . import overlay
from .compare import View
from .inputs import ORIGIN, OVERLAY, REVIEWED, RULES, SETTINGS, Inputs, read
from .ledger import reviewed_text
from .overlay import OverlayFinding
from .prose import as_line, digest
from .review import review_keys, rule_findings
from .spec import Json, look_up, operations, our_operation


def follow_rename(before: Inputs, after: Inputs) -> tuple[Inputs, list[str]]:
    """Follow our operation to its new operationId, or to its new path and method."""
    old = before.settings.submit
    if (found := our_operation(after.document, old)) or not before.document:
        route = f"{found.method} {found.path}" if found else after.settings.route
        if route == after.settings.route:
            return after, []
        settings = after.files[SETTINGS].replace(f"route: {after.settings.route}".encode(), f"route: {route}".encode())
        return read({**after.files, SETTINGS: settings}), [f"{SETTINGS}: our operation is now {route}"]
    place = our_operation(before.document, old)
    here = {(op.path, op.method): op.id for op in operations(after.document)}
    new = here.get((place.path, place.method), "") if place else ""
    if not new.isidentifier():
        return after, []
    files = dict(after.files)
    files[SETTINGS] = files[SETTINGS].replace(f"submit: {old}".encode(), f"submit: {new}".encode())
    files[OVERLAY] = files[OVERLAY].replace(f"'{old}'".encode(), f"'{new}'".encode())
    return read(files), [f"{SETTINGS}, {OVERLAY}: our operation is now called {new}"]


def accept_overlay(after: Inputs) -> tuple[Inputs, list[str]]:
    """Remove actions that the page made needless or groundless; replace `x-was` where it is a plain value.

    Actions are settled one at a time, because a later action may need an earlier one.
    """
    lines: list[str] = []
    while skipped := overlay.apply(after.document, after.actions)[1]:
        after, line = _settled(skipped[0], after)
        lines.append(line)
    return after, lines


def _settled(skipped: OverlayFinding, after: Inputs) -> tuple[Inputs, str]:
    index = skipped.action.index
    name = f"{OVERLAY}: action {index + 1} ({skipped.action.description.rstrip('.')})"
    old = dict(skipped.action.was)
    new = (
        _new_guard(overlay.apply(after.document, after.actions[:index])[0], skipped.action.target, old)
        if skipped.problem == "has lost its ground"
        else None
    )

    def edit(document: CommentedMap) -> None:
        if new is None:
            del document["actions"][index]
        else:
            document["actions"][index]["x-was"] = new

    data = edited(after.files[OVERLAY], edit)
    for relative, value in (new or {}).items():
        if isinstance(value, str) and value.startswith("#/"):  # a component under another name: follow it everywhere
            data = data.replace(f"'{old[relative]}'".encode(), f"'{value}'".encode())
    line = f"{name} removed: it {skipped.problem}" if new is None else f"{name}: x-was set to the new value"
    return read({**after.files, OVERLAY: data}), line


def _new_guard(document: Json, target: str, was: dict[str, Any]) -> dict[str, Any] | None:
    node = jsonpath.find(target, document)[0]
    try:
        found = {relative: look_up(node.value, relative) for relative in was}
    except KeyError:
        return None
    plain = all(isinstance(value, (str, int, float, bool)) for value in found.values())
    return found if plain else None


def accept_rules(seen: View, after: Inputs) -> tuple[Inputs, list[str]]:
    """Write the page's words (and facts, where they can be read for sure) into the ledger, and what was reviewed."""
    lines: list[str] = []
    settled = [(finding, finding.row) for finding in rule_findings(seen, after) if finding.accept and finding.row]
    if settled:

        def edit(document: CommentedMap) -> None:
            for finding, row in settled:
                _update(document["rules"][finding.subject], row.row())

        for finding, row in settled:
            old = after.ledger.rules[finding.subject].facts
            changed = [name for name, fact in row.facts.items() if fact != old[name]]
            facts = [f"{name} {as_line(old[name])} -> {as_line(row.facts[name])}" for name in changed]
            lines.append(f"{RULES}: {finding.subject}: {'; '.join([finding.accept, *facts])}")
        after = read({**after.files, RULES: _spaced(edited(after.files[RULES], edit))})
    digests = {key: digest(leaf.value) for key, (_, leaf) in review_keys(seen, after).items()}
    if dict(after.ledger.reviewed.get(seen.language, {})) != digests:
        known = after.ledger.reviewed.get(seen.language, {})
        count = sum(known.get(key) != value for key, value in digests.items())
        gone = len(set(known) - set(digests))
        parts = [f"{count} text{'' if count == 1 else 's'} marked as reviewed"] if count else []
        parts += [f"{gone} text{'' if gone == 1 else 's'} of fields that are gone removed"] if gone else []
        lines.append(f"{REVIEWED} ({seen.language}): {', '.join(parts)}")
        ledger = replace(after.ledger, reviewed={**after.ledger.reviewed, seen.language: digests})
        after = read({**after.files, REVIEWED: reviewed_text(ledger)})
    return after, lines


def _spaced(data: bytes) -> bytes:
    """Put an empty line between rows, which an edit at the end of a row removes."""
    return re.sub(rb"(?<!rules:)\n+(  [A-Z][A-Z0-9-]*:\n)", rb"\n\n\1", data)


def _update(old: CommentedMap, new: Mapping[str, Any]) -> None:
    """Make the mapping equal to the new one; what is the same keeps its comments and layout."""
    for key in [key for key in old if key not in new]:
        del old[key]
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            _update(old[key], value)
        elif old.get(key) != value:
            old[key] = value


def edited(data: bytes, edit: Callable[[Any], None]) -> bytes:
    """Return YAML text with its data changed in place; comments, quotes and layout stay."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100_000
    yaml.indent(sequence=4, offset=2)
    document = yaml.load(data.decode())
    edit(document)
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue().encode()


def with_origin(inputs: Inputs, **values: Any) -> Inputs:
    """Return the inputs with these keys of SOURCE.toml set."""
    return read({**inputs.files, ORIGIN: replace(inputs.origin, **values).toml()})
