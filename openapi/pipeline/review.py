"""What a person must decide before a page is taken."""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from .compare import Change, View, other_form, shown
from .ecma_pattern import is_translatable
from .emit_limits import auth_scheme, server_address
from .errors import DecisionNeeded
from .field_schema import body_fields, default_fits, describe
from .flatten import FIELD, Leaf, Name
from .inputs import RULES, Inputs
from .language import match, other_statements, prose_at, reread_facts
from .ledger import Rule
from .prose import Fact, Scalar, added_sentences, as_line, contains_quote, contains_value, digest, normal, sentences
from .spec import Json, SpecError, locate, our_operation
from .strict_yaml import dump_yaml

Kind = Literal["rule", "edition", "prose", "overlay", "breaking", "contradiction", "client", "unsendable"]
# What ACCEPT=1 takes as it is; of the others it changes the cause, and looks again.
TAKEN_AS_IS: Final = ("breaking", "contradiction")


@dataclass(frozen=True)
class Finding:
    """One decision that a person must make."""

    kind: Kind
    subject: str  # the rule, the place or the action
    what: str  # one sentence
    old: str = ""  # the words or values, side by side with the new ones (empty when there are none)
    new: str = ""
    notes: tuple[str, ...] = ()  # facts, where it is enforced and tested
    step: str = ""  # what to do by hand
    accept: str = ""  # what ACCEPT=1 does about it; empty when it cannot settle it
    narrows: bool = False  # whether callers may send less, or must read more, than before
    row: Rule | None = None  # the rule as the page states it now, to be written in the ledger by hand or by ACCEPT=1

    @property
    def write(self) -> tuple[str, ...]:
        """The row as lines of the ledger; none where no row is to be written."""
        return self.row.lines() if self.row else ()

    def data(self) -> dict[str, Any]:
        """Return the finding as plain data, for a report."""
        return {**{name: value for name, value in vars(self).items() if name != "row"}, "write": self.write}


def findings(seen: View, after: Inputs) -> list[Finding]:
    """Return everything that stops the run: the overlay, the rules, other prose, then the schema."""
    rules = rule_findings(seen, after)
    found = [*_overlay(seen), *rules, *(_prose(seen, after, rules) if seen.known else ())]
    found += [_breaking(change) for change in seen.changes if change.verdict == "breaking" and _leads(change)]
    fresh_lists = {change.name.place for change in seen.changes if change.name.key == "enum"}
    return found + [finding for place, finding in contradictions(seen, after) if place in fresh_lists]


def rule_findings(seen: View, after: Inputs) -> list[Finding]:
    """Return the rules that the page does not state in the words of the ledger."""
    found: list[Finding] = []
    for rule in after.ledger.rules.values():
        if not rule.from_page:
            continue
        words, text = rule.sentences.get(seen.language), prose_at(seen.new, rule.at)
        if words is None:
            found.append(_unquoted(rule, seen, after))
        elif not contains_quote(text, words):
            found.append(_changed(rule, words, seen, after))
        elif others := other_statements(words, text):
            what = f"{rule.at} states it again with other numbers or values; which of them hold, only a person can tell"
            step = f"in {RULES}, give {rule.id} words that the page holds once, or keep it as inferred."
            found.append(Finding("rule", rule.id, what, words, "\n".join(others), _facts(rule, after), step))
    return found


def _leads(change: Change) -> bool:
    """Whether the change is not part of the removal of a whole field or operation, which has a line of its own."""
    whole = change.why.startswith("part of") or (change.why == "the operation is gone" and change.name.key != "path")
    return not whole


def _mirrored(rule: Rule, document: Json, submit: str) -> dict[str, Scalar]:
    """Return the schema's values of the keywords that the rule's sentence only repeats."""
    at = locate(document, submit, rule.at) if rule.mirrors else None
    if at is None:
        return {}
    whole = at.value if rule.at.startswith("security/") else describe(document, at)
    return {key: whole[key] for key in rule.mirrors if isinstance(whole.get(key), (str, int, float))}


def _facts(rule: Rule, after: Inputs, without: Collection[str] = ()) -> tuple[str, ...]:
    facts = tuple(f"fact {name}: {as_line(fact)}" for name, fact in rule.facts.items() if name not in without)
    resting = [str(action.index + 1) for action in after.actions if rule.id in action.rules]
    return (*facts, f"overlay actions that rest on it: {', '.join(resting)}") if resting else facts


def _unquoted(rule: Rule, seen: View, after: Inputs) -> Finding:
    """Report a rule without a sentence in the language of the page, perhaps because the edition is new."""
    best = match(rule, seen.new, _mirrored(rule, seen.effective, after.settings.submit))
    if seen.known:
        what, old = f"the ledger has no {seen.language} sentence for it", rule.summary
        notes = [f"in these words: {problem}" for problem in best.problems]
    else:
        what, old = f"the {seen.language} edition is new to the ledger", next(iter(rule.sentences.values()))
        differences = "; ".join(best.problems)
        notes = [f"NOT EQUAL: {differences}" if differences else "numbers and lists equal the facts"]
    return Finding(
        "rule" if seen.known else "edition",
        rule.id,
        what,
        old,
        best.sentence,
        (*notes, *_facts(rule, after)),
        _add_sentence(rule, seen.language, best.sentence),
        "" if best.blocking else f"adds the {seen.language} sentence",
        row=_restated(rule, seen.language, best.sentence) if best.sentence else _retired(rule),
    )


def _restated(rule: Rule, language: str, sentence: str, reread: Rule | None = None) -> Rule:
    """Return the rule in the page's words, with the facts that were read from them."""
    found = reread or rule
    kept = rule.sentences if found.facts == rule.facts else {}  # words in other languages hold the old facts
    return replace(found, sentences={**kept, language: sentence})


def _retired(rule: Rule) -> Rule:
    """Return the rule as it is kept when the page no longer states it."""
    return replace(rule, standing="inferred", source="earlier editions of the page; it says so no longer", sentences={})


def _add_sentence(rule: Rule, language: str, sentence: str) -> str:
    """Return how to keep the rule in the ledger for a page in this language."""
    if sentence:
        return f"in {RULES}, add the {language} sentence of {rule.id}, with the facts that it holds."
    return (
        f"the page says nothing at {rule.at}: in {RULES}, remove {rule.id}, keep it as inferred, or, when the page says"
        f" it elsewhere, set `at` to that place and add the {language} sentence."
    )


def _changed(rule: Rule, words: str, seen: View, after: Inputs) -> Finding:
    text = prose_at(seen.new, rule.at)
    new = "\n".join(added_sentences(text, prose_at(seen.old, rule.at)))
    moved = sorted(
        {name.place for name, leaf in seen.new.items() if leaf.is_prose(name.key) and contains_quote(leaf.value, words)}
    )
    facts = _facts(rule, after)
    if moved:
        what = f"its sentence moved from {rule.at} to {', '.join(moved)}"
        step = f"in {RULES}, set `at: {moved[0]}` for {rule.id}."
        now = new or f"(the same words, now at {moved[0]})"
        row = replace(rule, at=moved[0])
        return Finding("rule", rule.id, what, words, now, facts, step, "follows it to its new place", row=row)
    if not new:
        what = f"its sentence is gone from {rule.at}"
        step = f"in {RULES}, remove {rule.id}, or keep it as inferred."
        accept = "keeps the rule as inferred: it is no longer stated"
        return Finding("rule", rule.id, what, words, "", facts, step, accept, row=_retired(rule))
    repeated = _mirrored(rule, seen.effective, after.settings.submit)
    best = match(rule, {Name(rule.at, "description"): Leaf(new, "request")}, repeated)
    reread = reread_facts(rule, words, text)
    conditions = _new_conditions(words, best.sentence)
    notes: list[str] = []
    narrows = False
    if conditions:
        notes.append(
            f"the new words hold {', '.join(f'“{word}”' for word in conditions)}: the rule may hold only under a"
            " condition, or no longer, which the ledger cannot say"
        )
    changed = {name: fact for name, fact in reread.facts.items() if fact != rule.facts[name]} if reread else {}
    if changed:
        notes += [f"fact {name}: {as_line(rule.facts[name])} -> {as_line(fact)}" for name, fact in changed.items()]
        narrows = any(_narrows(name, rule.facts[name], fact) for name, fact in changed.items())
    elif reread is None and best.problems:
        notes += [f"in the new words: {problem}" for problem in best.problems]
        narrows = rule.at.startswith("submit/") and bool(rule.facts)
    elif rule.facts or rule.examples or repeated:
        notes.append("every number and list is as before; read whether the words around them still mean the same")
    else:
        notes.append("it holds no numbers to compare; read whether the words still mean the same")
    notes += _rewritten(rule, best.sentence)
    settled = not conditions and (reread is not None or not best.blocking)
    unreadable = reread is None and bool(best.blocking)
    return Finding(
        "rule",
        rule.id,
        f"its sentence at {rule.at} changed",
        words,
        best.sentence,
        (*notes, *_facts(rule, after, changed)),
        f"in {RULES}, replace {rule.id} by what the page says now.",
        "replaces the sentence, and the facts that it holds" if settled else "",
        narrows,
        _retired(rule) if unreadable or conditions else _restated(rule, seen.language, best.sentence, reread),
    )


def _rewritten(rule: Rule, text: str) -> list[str]:
    """Name the examples that the page now writes in another way, for example with another sign between the sides."""
    form = unicodedata.normalize("NFKC", text)
    values = [value for examples in rule.examples.values() for value in examples]
    other = [value for value in values if value not in form and contains_value(text, value)]
    if not other:
        return []
    what = f"the page writes {', '.join(other)} in another way now; the client still sends sizes as WIDTHxHEIGHT."
    return [f"{what} Ask the vendor whether the service still takes them"]


# Words that make a sentence hold only sometimes, or not at all.
_CONDITION: Final = re.compile(
    r"如果|若|当|仅|只有|除非|除外|否则|没有|未|不再|不必|无需|可选|可不|时必填|"
    r"\b(?:if|when|unless|only|except|otherwise|without|no longer|not|never|optional|unsupported|deprecated)\b",
    re.IGNORECASE,
)


def _new_conditions(old: str, new: str) -> list[str]:
    """Return the words of a condition or a negation that only the new sentence holds."""
    had = {word.lower() for word in _CONDITION.findall(old)}
    return list(dict.fromkeys(word for word in _CONDITION.findall(new) if word.lower() not in had))


def _narrows(name: str, old: Fact, new: Fact) -> bool:
    """Whether the new fact excludes something that the old one allowed."""
    if isinstance(old, tuple):
        return not isinstance(new, tuple) or not set(old) <= set(new)
    if isinstance(old, (int, float)) and isinstance(new, (int, float)):
        if "min" in name:
            return new > old
        if "max" in name:
            return new < old
    return True


def review_keys(seen: View, after: Inputs) -> dict[str, tuple[Name, Leaf]]:
    """Return the texts that a person must have read, by their keys in the ledger's `reviewed`."""
    claimed = {rule.at for rule in after.ledger.rules.values() if rule.from_page}
    supported = {"submit", *after.settings.supported_operations}
    return {
        name.place if name.key == "description" else f"{name.place}#{name.key}": (name, leaf)
        for name, leaf in seen.new.items()
        if leaf.is_prose(name.key)
        and (name.place in claimed or (leaf.side in ("request", "reply") and name.place.split("/")[0] in supported))
    }


def _prose(seen: View, after: Inputs, rules: list[Finding]) -> list[Finding]:
    in_rules = "\n".join(normal(finding.new) for finding in rules)
    known = after.ledger.reviewed.get(seen.language, {})
    found: list[Finding] = []
    for key, (name, leaf) in review_keys(seen, after).items():
        text_digest = digest(leaf.value)
        if known.get(key) == text_digest or (other_form(name.place) and text_digest in known.values()):
            continue  # read before, here or in the form that the client sends
        before = seen.old.get(name)
        old = before.value if before else ""
        gone, has = added_sentences(old, leaf.value), sentences(leaf.value)
        added = [text for text in added_sentences(leaf.value, old) if normal(text).lstrip("-*• ") not in in_rules]
        if not added and (gone or not old) and any(after.ledger.rules[f.subject].at == name.place for f in rules):
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
                f"if it states a rule, add a row to {RULES}; then add to openapi/reviewed.yaml, under {seen.language},"
                f" the line `{dump_yaml({key: ''}).rpartition(':')[0]}: {text_digest}`.",
                "marks it as reviewed",
            )
        )
    return found


def _overlay(seen: View) -> list[Finding]:
    return [
        Finding(
            "overlay",
            f"action {skipped.action.index + 1} ({skipped.action.description.rstrip('.')})",
            f"the overlay action {skipped.problem}: {skipped.detail}",
            skipped.action.description,
            "",
            (f"target: {skipped.action.target}", *(f"rests on {rule}" for rule in skipped.action.rules)),
            "change or remove the action in openapi/overlay.yaml.",
            "follows a value that moved, or removes the action",
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
        "tell callers (a major version), and follow it in overlay/ and tests/ where they name it.",
        "takes it",
    )


def _sizes_out_of_bounds(after: Inputs) -> list[str]:
    """Return the sizes about which two rules of one field disagree: one calls them valid, the other forbids them."""
    rules = after.ledger.rules.values()
    return [
        f"{rule.id} calls {size} {kind}, {bounds.id} says otherwise"
        for bounds in rules
        if isinstance(low := bounds.facts.get("minimum"), int) and isinstance(high := bounds.facts.get("maximum"), int)
        for rule in rules
        if rule.at == bounds.at
        for kind, values in rule.examples.items()
        for size in values
        if (sides := re.fullmatch(r"(\d+)x(\d+)", size))
        and (low <= int(sides[1]) * int(sides[2]) <= high) != (kind == "valid")
    ]


def contradictions(seen: View, after: Inputs) -> list[tuple[str, Finding]]:
    """Return the values that a stated rule allows and the schema forbids, each with its place."""
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
            finding = Finding(
                "contradiction",
                rule.id,
                f"the schema of {rule.at} refuses what the prose allows: {', '.join(refused)}",
                rule.sentences.get(seen.language, rule.summary),
                "enum " + ", ".join(map(str, allowed)),
                _facts(rule, after),
                "ask the vendor which of the two holds.",
                "takes both, so that only what both allow is sent",
            )
            found.append((rule.at, finding))
    return found


def _schemes(seen: View, after: Inputs) -> list[str]:
    """Name the new security schemes besides the one that the client uses."""
    schemes = seen.document.get("components", {}).get("securitySchemes", {})
    fresh_ones = {
        change.name.place.partition("/")[2] for change in seen.changes if change.name.place.startswith("security/")
    }
    try:
        used, header = auth_scheme(seen.effective, after.settings.submit)
    except DecisionNeeded:
        return []
    return [
        f"the page declares another security scheme, {name} ({shown(schemes[name].get('type'))}); the key still travels"
        f" as {used}, in the header {header}"
        for name in schemes
        if name != used and name in fresh_ones
    ]


def _refused_defaults(seen: View, after: Inputs) -> list[str]:
    """Name the changed fields of the submission whose default breaks their own limits."""
    operation = our_operation(seen.effective, after.settings.submit)
    changed = {change.name.place for change in seen.changes}
    return [
        f"submit request {field['name']}: its default {shown(field['default'])} breaks the field's own limits, so"
        " callers cannot send it; ask the vendor what happens to calls that leave the field out"
        for field in (body_fields(seen.effective, operation, after.settings) if operation else ())
        if f"submit/request/{field['name']}" in changed and not default_fits(field)
    ]


def _side_effect(change: Change) -> str:
    """Return what an absorbed change means for callers that they may not expect; empty where it is nothing."""
    key, place = change.name.key, change.name.place
    if key == FIELD and change.added and place.startswith("submit/") and other_form(place):
        said = "the page describes another form of the body; the client sends the first one only"
        return f"{said}, so callers cannot send this field"
    if key == "deprecated" and change.new is True:
        said = "the vendor has marked it as deprecated; the client goes on sending it"
        return f"{said}. Ask until when it works, and tell callers"
    if key == "default" and place.startswith("submit/request/") and not change.added:
        new, old = shown(change.new, missing=change.removed), shown(change.old)
        return f"calls that leave it out now get {new}, no longer {old}; what they cost may change"
    if key == "pattern" and isinstance(change.new, str) and not is_translatable(change.new):
        return f"the pattern {change.new} has no equivalent in Python, so it is not enforced"
    return ""


def warnings(seen: View, after: Inputs) -> list[str]:
    """Return what does not stop the run, but is worth a look."""
    found = [f"{finding.subject}: {finding.what}" for _, finding in contradictions(seen, after)]
    old_server, new_server = server_address(seen.base), server_address(seen.document)
    if old_server and old_server != new_server:
        found.append(f"the API key will travel to {new_server or 'no address'}, no longer to {old_server}")
    found += _refused_defaults(seen, after)
    found += [f"{change.name}: {what}" for change in seen.changes if (what := _side_effect(change))]
    found += _sizes_out_of_bounds(after)
    found += _schemes(seen, after)
    for rule in after.ledger.rules.values():
        words = rule.sentences.get(seen.language, "")
        repeated = _mirrored(rule, seen.effective, after.settings.submit)
        if words and not contains_quote(prose_at(seen.new, rule.at), words):
            words = match(rule, seen.new, repeated).sentence  # what the page says now, not what the ledger quotes
        for key, value in repeated.items():
            if words and not contains_value(words, value):
                found.append(
                    f"{rule.id}: the schema says {key} {value}, the prose beside it says “{words}”."
                    " The schema is enforced."
                )
    return found
