"""ACCEPT=1: changes the ledger and the overlay so that they fit the new page, as far as that is beyond doubt.

What it cannot read for sure it leaves; the run then stops again at exactly that. Comments and layout are kept.
"""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from .decide import View, fresh, mirrored, review_keys
from .edition import match
from .fields import our_operation
from .inputs import OVERLAY, RULES, SETTINGS, Inputs, read
from .leaves import Leaf, Name
from .ledger import Rule
from .prose import digest, holds
from .retell import retell
from .spec import look_up


def follow_rename(before: Inputs, after: Inputs) -> tuple[Inputs, list[str]]:
    """Our operation under its new operationId, when its path and method are still there."""
    old = before.settings.submit
    if our_operation(after.document, old) or not before.document:
        return after, []
    place = our_operation(before.document, old)
    assert place is not None
    new = after.document["paths"][place.path][place.method].get("operationId")
    if not isinstance(new, str) or not new.isidentifier():
        return after, []
    files = dict(after.files)
    files[SETTINGS] = files[SETTINGS].replace(f"submit: {old}".encode(), f"submit: {new}".encode())
    files[OVERLAY] = files[OVERLAY].replace(f"'{old}'".encode(), f"'{new}'".encode())
    return read(files), [f"{SETTINGS}, {OVERLAY}: our operation is now called {new}"]


def accept_overlay(seen: View, after: Inputs) -> tuple[Inputs, list[str]]:
    """Removes actions that the page made needless or groundless; sets `x-was` anew."""
    if not seen.skipped:
        return after, []
    told: list[str] = []

    def edit(document: CommentedMap) -> None:
        for skipped in sorted(seen.skipped, key=lambda found: -found.action.index):
            index = skipped.action.index
            name = f"{OVERLAY}: action {index + 1} ({skipped.action.description.rstrip('.')})"
            was = _was_anew(seen, skipped.action.target, dict(skipped.action.was))
            if skipped.problem == "has lost its ground" and was is not None:
                document["actions"][index]["x-was"] = was
                told.append(f"{name}: x-was set anew")
            else:
                del document["actions"][index]
                told.append(f"{name} removed: it {skipped.problem}")

    return read({**after.files, OVERLAY: _edited(after.files[OVERLAY], edit)}), told[::-1]


def _was_anew(seen: View, target: str, was: dict[str, Any]) -> dict[str, Any] | None:
    from jsonpath_rfc9535 import find  # noqa: PLC0415 - only on this path

    nodes = list(find(target, seen.document))
    try:
        return {relative: look_up(nodes[0].value, relative) for relative in was} if nodes else None
    except KeyError:
        return None


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
    seals = {key: digest(leaf.value) for key, (_, leaf) in review_keys(seen, after).items()}
    if dict(after.ledger.reviewed.get(seen.language, {})) != seals:
        told.append(f"{RULES}: the {seen.language} text of {len(seals)} fields is marked as reviewed")

        def seal(document: CommentedMap) -> None:
            if not document.get("reviewed"):
                document["reviewed"] = CommentedMap()
            document["reviewed"][seen.language] = CommentedMap(seals)

        edits.append(seal)
    if not edits:
        return after, []

    def edit_all(document: CommentedMap) -> None:
        for edit in edits:
            edit(document)

    return read({**after.files, RULES: _edited(after.files[RULES], edit_all)}), told


def _accepted(rule: Rule, seen: View, after: Inputs) -> tuple[str, Callable[[CommentedMap], None]] | None:
    """What to change in the row, in words and as an edit; None when nothing, or nothing beyond doubt."""
    words = rule.sentences.get(seen.language)
    text = "\n".join(leaf.value for name, leaf in seen.new.items() if name.place == rule.at and leaf.is_prose(name.key))
    repeated = mirrored(rule, seen.effective, after.settings.submit)
    if words is None:
        best = match(rule, seen.new, repeated)
        return None if best.problems else (f"{seen.language} sentence added", _set(rule, seen, best.sentence))
    if holds(text, words):
        return None
    moved = [n.place for n, leaf in seen.new.items() if leaf.is_prose(n.key) and holds(leaf.value, words)]
    if moved:
        return f"now at {moved[0]}", lambda document: document["rules"][rule.id].update({"at": moved[0]})
    retold = retell(rule, words, text) if text else None
    if retold is not None:
        read_anew = [name for name, fact in retold.facts.items() if fact != rule.facts[name]]
        line = f"sentence set anew{', facts read from it: ' + ', '.join(read_anew) if read_anew else ''}"
        return line, _set(rule, seen, retold.sentence, dict(retold.facts), dict(retold.examples))
    new = fresh(seen, rule.at)
    if not new:
        return "no longer said by the page; kept as inferred", _retire(rule, seen)
    best = match(rule, {Name(rule.at, "description"): Leaf(new, "request")}, repeated)
    return None if best.problems else ("sentence set anew", _set(rule, seen, best.sentence))


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


def _retire(rule: Rule, seen: View) -> Callable[[CommentedMap], None]:
    def edit(document: CommentedMap) -> None:
        row = document["rules"][rule.id]
        row["standing"] = "inferred"
        row["source"] = "earlier editions of the page; it says so no longer"
        del row["sentences"]

    _ = seen
    return edit


def _edited(data: bytes, edit: Callable[[Any], None]) -> bytes:
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 100_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(data.decode())
    edit(document)
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue().encode()


def with_origin(inputs: Inputs, **values: str) -> Inputs:
    """The inputs with these keys of SOURCE.toml set."""
    from .inputs import ORIGIN  # noqa: PLC0415 - only here

    return read({**inputs.files, ORIGIN: replace(inputs.origin, **values).toml()})
