"""ACCEPT=1: changes the ledger and the overlay so that they fit the new page, as far as that is beyond doubt.

What it cannot read for sure it leaves; the run then stops again at exactly that. Comments and layout are kept.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import jsonpath_rfc9535 as jsonpath
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from . import overlay
from .compare import View, view
from .fields import our_operation
from .flatten import Leaf, Name
from .inputs import ORIGIN, OVERLAY, REVIEWED, RULES, SETTINGS, Inputs, read
from .language import match
from .ledger import Rule, reviewed_text
from .overlay import OverlayFinding
from .prose import contains_quote, digest
from .reread_facts import reread_facts
from .review import fresh, listed, mirrored, new_conditions, review_keys
from .spec import Json, look_up, operations


def follow_rename(before: Inputs, after: Inputs) -> tuple[Inputs, list[str]]:
    """Our operation under its new operationId, when its path and method are still there."""
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


def accept_overlay(before: Inputs, after: Inputs) -> tuple[Inputs, list[str]]:
    """Removes actions that the page made needless or groundless; sets `x-was` anew where it is a plain value.

    One at a time: an action that is set right may be what a later one was waiting for.
    """
    told: list[str] = []
    while skipped := view(before, after, after.origin.fence).skipped:
        after, line = _settled(skipped[0], after)
        told.append(line)
    return after, told


def _settled(skipped: OverlayFinding, after: Inputs) -> tuple[Inputs, str]:
    index = skipped.action.index
    name = f"{OVERLAY}: action {index + 1} ({skipped.action.description.rstrip('.')})"
    old = dict(skipped.action.was)
    new = (
        _was_anew(overlay.apply(after.document, after.actions[:index])[0], skipped.action.target, old)
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


def _was_anew(document: Json, target: str, was: dict[str, Any]) -> dict[str, Any] | None:
    nodes = list(jsonpath.find(target, document))
    try:
        found = {relative: look_up(nodes[0].value, relative) for relative in was} if nodes else {}
    except KeyError:
        return None
    plain = all(isinstance(value, (str, int, float, bool)) for value in found.values())
    return found if found and plain else None


def accept_rules(seen: View, after: Inputs) -> tuple[Inputs, list[str]]:
    """Writes the page's words (and facts, where they can be read for sure) into the ledger, and what was reviewed."""
    told: list[str] = []
    edits: list[Callable[[CommentedMap], None]] = []
    for rule in after.ledger.rules.values():
        if rule.from_page:
            found = _accepted(rule, seen, after)
            if found is not None:
                line, edit = found
                told.append(f"{RULES}: {rule.id}: {line}")
                edits.append(edit)
    if edits:

        def edit_all(document: CommentedMap) -> None:
            for edit in edits:
                edit(document)

        after = read({**after.files, RULES: _spaced(edited(after.files[RULES], edit_all))})
    digests = {key: digest(leaf.value) for key, (_, leaf) in review_keys(seen, after).items()}
    if dict(after.ledger.reviewed.get(seen.language, {})) != digests:
        known = after.ledger.reviewed.get(seen.language, {})
        count = sum(known.get(key) != value for key, value in digests.items())
        gone = len(set(known) - set(digests))
        parts = [f"{count} text{'' if count == 1 else 's'} marked as reviewed"] if count else []
        parts += [f"{gone} text{'' if gone == 1 else 's'} of fields that are gone removed"] if gone else []
        told.append(f"{REVIEWED} ({seen.language}): {', '.join(parts)}")
        ledger = replace(after.ledger, reviewed={**after.ledger.reviewed, seen.language: digests})
        after = read({**after.files, REVIEWED: reviewed_text(ledger)})
    return after, told


def _spaced(data: bytes) -> bytes:
    """One empty line between rows, which an edit at the end of a row would swallow."""
    return re.sub(rb"(?<!rules:)\n+(  [A-Z][A-Z0-9-]*:\n)", rb"\n\n\1", data)


def _accepted(rule: Rule, seen: View, after: Inputs) -> tuple[str, Callable[[CommentedMap], None]] | None:  # noqa: PLR0911 - one return a case
    """What to change in the row, in words and as an edit; None when nothing, or nothing beyond doubt."""
    words = rule.sentences.get(seen.language)
    text = "\n".join(leaf.value for name, leaf in seen.new.items() if name.place == rule.at and leaf.is_prose(name.key))
    repeated = mirrored(rule, seen.effective, after.settings.submit)
    if words is None:
        best = match(rule, seen.new, repeated)
        return None if best.blocking else (f"{seen.language} sentence added", _set(rule, seen, best.sentence))
    if contains_quote(text, words):
        return None
    moved = [n.place for n, leaf in seen.new.items() if leaf.is_prose(n.key) and contains_quote(leaf.value, words)]
    if moved:
        return f"now at {moved[0]}", lambda document: document["rules"][rule.id].update({"at": moved[0]})
    new = fresh(seen, rule.at)
    if new_conditions(words, match(rule, {Name(rule.at, "description"): Leaf(new, "request")}, repeated).sentence):
        return None
    retold = reread_facts(rule, words, text) if text else None
    if retold is not None:
        changed = [
            f"{name} {listed(rule.facts[name])} -> {listed(fact)}"
            for name, fact in retold.facts.items()
            if fact != rule.facts[name]
        ]
        line = f"sentence replaced{'; facts read from it: ' + '; '.join(changed) if changed else ''}"
        return line, _set(rule, seen, retold.sentence, dict(retold.facts), dict(retold.examples))
    if not new:
        return "no longer said by the page; kept as inferred", _retire(rule)
    best = match(rule, {Name(rule.at, "description"): Leaf(new, "request")}, repeated)
    return None if best.blocking else ("sentence replaced", _set(rule, seen, best.sentence))


def _set(
    rule: Rule,
    seen: View,
    sentence: str,
    facts: dict[str, Any] | None = None,
    examples: dict[str, Any] | None = None,
) -> Callable[[CommentedMap], None]:
    def edit(document: CommentedMap) -> None:
        row = document["rules"][rule.id]
        row["sentences"][seen.language] = sentence
        for key, values, old in (("facts", facts, rule.facts), ("examples", examples, rule.examples)):
            for name, value in (values or {}).items():
                if value != old[name]:
                    row[key][name] = list(value) if isinstance(value, tuple) else value
        if values_changed(facts, rule):
            for other in [lang for lang in row["sentences"] if lang != seen.language]:
                del row["sentences"][other]  # the other editions' words hold the old facts

    return edit


def values_changed(facts: dict[str, Any] | None, rule: Rule) -> bool:
    """Whether any fact is another one now."""
    return facts is not None and facts != dict(rule.facts)


def _retire(rule: Rule) -> Callable[[CommentedMap], None]:
    def edit(document: CommentedMap) -> None:
        row = document["rules"][rule.id]
        row["standing"] = "inferred"
        row["source"] = "earlier editions of the page; it says so no longer"
        del row["sentences"]

    return edit


def edited(data: bytes, edit: Callable[[Any], None]) -> bytes:
    """YAML text with its data changed in place; comments, quotes and layout stay."""
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 100_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(data.decode())
    edit(document)
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue().encode()


def with_origin(inputs: Inputs, **values: Any) -> Inputs:
    """The inputs with these keys of SOURCE.toml set."""
    return read({**inputs.files, ORIGIN: replace(inputs.origin, **values).toml()})
