"""What a person must decide before a page is taken."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from .compare import View
from .compatibility import Change, shown
from .field_schema import describe
from .fields import locate
from .flatten import Leaf, Name
from .inputs import Inputs
from .language import match, prose_at
from .ledger import Rule
from .prose import Fact, added_sentences, contains_quote, contains_value, digest, normal, sentences
from .spec import Json, SpecError

Kind = Literal["rule", "edition", "prose", "overlay", "breaking", "contradiction", "client", "unsendable"]
# What ACCEPT=1 takes as it is; of the others it changes the cause, and looks again.
TAKEN_AS_IS: Final = ("breaking", "contradiction")


@dataclass(frozen=True)
class Finding:
    """One thing to decide.

    Attributes:
        kind: what it is about; subject: the rule, the place or the action.
        what: one sentence.
        old, new: the words or values, side by side (empty when there are none).
        notes: facts, where it is enforced and tested.
        step: what to do next.
    """

    kind: Kind
    subject: str
    what: str
    old: str = ""
    new: str = ""
    notes: tuple[str, ...] = ()
    step: str = ""


def findings(seen: View, after: Inputs) -> list[Finding]:
    """Everything that stops the run, most telling first."""
    rules = _rules(seen, after) if seen.known else _unknown_edition(seen, after)
    found = [*_overlay(seen), *rules, *(_prose(seen, after, rules) if seen.known else ())]
    found += [_breaking(change) for change in seen.changes if change.verdict == "breaking" and _leads(change)]
    fresh_lists = {change.name.place for change in seen.changes if change.name.key == "enum"}
    return found + [told for place, told in contradictions(seen, after) if place in fresh_lists]


def _leads(change: Change) -> bool:
    """Leaves out the parts of a removed field or operation: the line of the whole says it."""
    whole = change.why.startswith("part of") or (change.why == "the operation is gone" and change.name.key != "path")
    return not whole and not (change.name.key == "required" and change.removed)


def mirrored(rule: Rule, document: Json, submit: str) -> dict[str, Fact]:
    """The schema's values of the keywords that the rule's sentence only repeats."""
    at = locate(document, submit, rule.at) if rule.mirrors else None
    if at is None:
        return {}
    whole = at.value if rule.at.startswith("security/") else describe(document, at)
    return {key: whole[key] for key in rule.mirrors if isinstance(whole.get(key), (str, int, float))}


def _facts(rule: Rule, after: Inputs) -> tuple[str, ...]:
    facts = tuple(f"fact {name}: {_listed(fact)}" for name, fact in rule.facts.items())
    resting = [str(action.index + 1) for action in after.actions if rule.id in action.rules]
    return (
        *facts,
        *((f"overlay actions that rest on it: {', '.join(resting)}",) if resting else ()),
    )


def _listed(fact: Fact) -> str:
    return ", ".join(map(str, fact)) if isinstance(fact, tuple) else str(fact)


def fresh(seen: View, place: str) -> str:
    """The sentences at a place that the old page did not have there, in order."""
    return "\n".join(added_sentences(prose_at(seen.new, place), prose_at(seen.old, place)))


def _rules(seen: View, after: Inputs) -> list[Finding]:
    found: list[Finding] = []
    for rule in after.ledger.rules.values():
        if not rule.from_page:
            continue
        words = rule.sentences.get(seen.language)
        text = prose_at(seen.new, rule.at)
        if words is None:
            found.append(_unquoted(rule, seen, after))
        elif not contains_quote(text, words):
            found.append(_changed(rule, words, seen, after))
    return found


def _edit(rule: Rule, what: str) -> str:
    return f"in openapi/rules.yaml, {what} ({rule.id}), or run with ACCEPT=1."


def _unquoted(rule: Rule, seen: View, after: Inputs) -> Finding:
    best = match(rule, seen.new, mirrored(rule, seen.effective, after.settings.submit))
    return Finding(
        "rule",
        rule.id,
        f"the ledger has no {seen.language} sentence for it",
        rule.summary,
        best.sentence,
        (*(f"in these words: {problem}" for problem in best.problems), *_facts(rule, after)),
        _edit(rule, f"add the {seen.language} sentence, once its facts are the rule's or the rule's are set anew"),
    )


def _changed(rule: Rule, words: str, seen: View, after: Inputs) -> Finding:
    new = fresh(seen, rule.at)
    moved = sorted(
        {name.place for name, leaf in seen.new.items() if leaf.is_prose(name.key) and contains_quote(leaf.value, words)}
    )
    notes = list(_facts(rule, after))
    if moved:
        what = f"its sentence moved from {rule.at} to {', '.join(moved)}"
        step = _edit(rule, f"set `at: {moved[0]}`")
    elif not new:
        what = f"its sentence is gone from {rule.at}"
        step = _edit(rule, "remove the row, or keep it as inferred with its source")
    else:
        what = f"its sentence at {rule.at} changed"
        best = match(
            rule,
            {Name(rule.at, "description"): Leaf(new, "request")},
            mirrored(rule, seen.effective, after.settings.submit),
        )
        notes += [f"in the new words: {problem}" for problem in best.problems] or ["every fact is in the new words"]
        new = best.sentence
        step = _edit(rule, f"set the {seen.language} sentence to the new words and the facts to what they say")
    return Finding("rule", rule.id, what, words, new, tuple(notes), step)


def _unknown_edition(seen: View, after: Inputs) -> list[Finding]:
    found: list[Finding] = []
    for rule in after.ledger.rules.values():
        if rule.from_page:
            best = match(rule, seen.new, mirrored(rule, seen.effective, after.settings.submit))
            equal = (
                "numbers and lists equal the facts" if not best.problems else "NOT EQUAL: " + "; ".join(best.problems)
            )
            found.append(
                Finding(
                    "edition",
                    rule.id,
                    f"the {seen.language} edition is new to the ledger",
                    next(iter(rule.sentences.values())),
                    best.sentence,
                    (equal, *_facts(rule, after)),
                    _edit(rule, f"add `{seen.language}: ...` under sentences"),
                )
            )
    return found


def _is_spoken(name: Name, leaf: Leaf, supported: set[str]) -> bool:
    return leaf.side in ("request", "reply") and name.place.split("/")[0] in supported


def review_keys(seen: View, after: Inputs) -> dict[str, tuple[Name, Leaf]]:
    """Text that must have been read by a person, by its key in the ledger's `reviewed`."""
    claimed = {rule.at for rule in after.ledger.rules.values() if rule.from_page}
    supported = {"submit", *after.settings.supported_operations}
    return {
        name.place if name.key == "description" else f"{name.place}#{name.key}": (name, leaf)
        for name, leaf in seen.new.items()
        if leaf.is_prose(name.key) and (_is_spoken(name, leaf, supported) or name.place in claimed)
    }


def _prose(seen: View, after: Inputs, rules: list[Finding]) -> list[Finding]:
    told = "\n".join(normal(finding.new) for finding in rules)
    known = after.ledger.reviewed.get(seen.language, {})
    found: list[Finding] = []
    for key, (name, leaf) in review_keys(seen, after).items():
        text_digest = digest(leaf.value)
        if known.get(key) == text_digest:
            continue
        before = seen.old.get(name)
        old = before.value if before else ""
        gone, has = added_sentences(old, leaf.value), sentences(leaf.value)
        added = [text for text in added_sentences(leaf.value, old) if normal(text) not in told]
        if (
            rules
            and not added
            and (gone or not old)
            and any(after.ledger.rules[f.subject].at == name.place for f in rules)
        ):
            continue  # the rules' own findings say all of it
        resting = [rule.id for rule in after.ledger.rules.values() if rule.from_page and rule.at == name.place]
        found.append(
            Finding(
                "prose",
                key,
                "text of a field that nobody has reviewed" if before is None or gone or added else "not reviewed yet",
                "\n".join(gone),
                "\n".join(added or ([] if gone else has)),
                (f"rules that rest on this text: {', '.join(resting)}",) if resting else (),
                "if it states a rule, add a row to openapi/rules.yaml; then run with ACCEPT=1, or add to"
                f" openapi/reviewed.yaml, under {seen.language}, the line `{key}: {text_digest}`.",
            )
        )
    return found


def _overlay(seen: View) -> list[Finding]:
    return [
        Finding(
            "overlay",
            f"action {skipped.action.index + 1}",
            f"the overlay action {skipped.problem}: {skipped.detail}",
            skipped.action.description,
            "",
            (f"target: {skipped.action.target}", *(f"rests on {rule}" for rule in skipped.action.rules)),
            "change or remove the action in openapi/overlay.yaml, or run with ACCEPT=1"
            + (", which sets x-was anew." if skipped.problem == "has lost its ground" else ", which removes it."),
        )
        for skipped in seen.skipped
    ]


def _breaking(change: Change) -> Finding:
    return Finding(
        "breaking",
        str(change.name),
        f"{change.line()}: {change.why}",
        shown(change.old, missing=change.added),
        shown(change.new, missing=change.removed),
        (),
        "tell callers (a major version), follow it in overlay/ and tests/, and run with ACCEPT=1.",
    )


def _sizes_out_of_bounds(after: Inputs) -> list[str]:
    """Sizes that one rule calls valid although another one of the same field forbids them, and the reverse."""
    found: list[str] = []
    for bounds in after.ledger.rules.values():
        low, high = bounds.facts.get("minimum"), bounds.facts.get("maximum")
        if not isinstance(low, int) or not isinstance(high, int):
            continue
        for rule in after.ledger.rules.values():
            for kind, values in rule.examples.items() if rule.at == bounds.at else ():
                for size in values:
                    wide, _, tall = size.partition("x")
                    if wide.isdecimal() and tall.isdecimal():
                        inside = low <= int(wide) * int(tall) <= high
                        if inside != (kind == "valid"):
                            found.append(f"{rule.id} calls {size} {kind}, {bounds.id} says otherwise")
    return found


def contradictions(seen: View, after: Inputs) -> list[tuple[str, Finding]]:
    """Values that a stated rule allows and the schema forbids, each with its place."""
    found: list[tuple[str, Finding]] = []
    for rule in after.ledger.rules.values():
        if not rule.from_page or not rule.at.startswith("submit/request/"):
            continue
        try:
            at = locate(seen.effective, after.settings.submit, rule.at)
        except SpecError:
            at = None
        if at is None:
            continue
        allowed = describe(seen.effective, at).get("enum", ())
        values: list[Any] = [*rule.examples.get("valid", ())]
        values += [value for fact in rule.facts.values() if isinstance(fact, tuple) for value in fact]
        refused = [str(value) for value in values if allowed and value not in allowed]
        if refused:
            told = Finding(
                "contradiction",
                rule.id,
                f"the schema of {rule.at} refuses what the prose allows: {', '.join(refused)}",
                rule.sentences.get(seen.language, rule.summary),
                "enum " + ", ".join(map(str, allowed)),
                _facts(rule, after),
                "ask the vendor which of the two holds; ACCEPT=1 takes both, so that only what both allow is sent.",
            )
            found.append((rule.at, told))
    return found


def warnings(seen: View, after: Inputs) -> list[str]:
    """Prose that does not agree with the schema beside it."""
    found = [f"{told.subject}: {told.what}" for _, told in contradictions(seen, after)]
    found += [
        f"the API key will travel to {change.new}, no longer to {change.old}"
        for change in seen.changes
        if change.name == Name("document/servers/0", "url")
    ]
    found += _sizes_out_of_bounds(after)
    for rule in after.ledger.rules.values():
        words = rule.sentences.get(seen.language)
        for key, value in mirrored(rule, seen.effective, after.settings.submit).items():
            if words and isinstance(value, (str, int, float)) and not contains_value(words, value):
                found.append(
                    f"{rule.id}: the schema says {key} {value}, the prose beside it says “{words}”."
                    " The schema is enforced."
                )
    return found
