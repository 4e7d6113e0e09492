"""The old and the new page, compared leaf by leaf, and whether callers survive each change."""

import re
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal

from . import overlay
from .check_spec import check_nodes
from .flatten import FIELD, PROSE, Leaves, Name, Side, flatten, names_of
from .inputs import Inputs
from .language import language_of
from .overlay import same
from .prose import normal
from .spec import LOWER, UPPER, Json, SpecError, our_operation
from .strict_yaml import load_yaml

EFFECTIVE: Final = "generated/openapi.yaml"
HIDDEN: Final = "the overlay replaces it"
Verdict = Literal["absorbed", "breaking"]
Judgement = tuple[Verdict, str]  # and why
# Formats that the generator turns into a Python type of their own.
_TYPED: Final = {"binary", "date", "date-time", "uuid"}
_NOTES: Final = {
    *PROSE, "as", "example", "examples", "deprecated", "externalDocs", "xml", "encoding", "links",
    "callbacks", "tags", "$comment", "contentEncoding", "style", "explode", "allowReserved", "allowEmptyValue",
}  # fmt: skip
_MISSING: Final = object()
_BOUNDS: Final = UPPER | LOWER
_AS_SENT: Final[Judgement] = ("absorbed", "callers send it as before")
_COMES: Final[Judgement] = ("absorbed", "it comes as before")
# By side and keyword: what it means that the leaf is there or true from now on, and what it means that it is not.
_FLAGS: Final[dict[tuple[Side, str], tuple[Judgement, Judgement]]] = {
    ("request", FIELD): (("absorbed", "a new field"), ("breaking", "callers may send it")),
    ("request", "nullable"): (("absorbed", "null is taken now"), ("breaking", "null is refused now")),
    ("request", "readOnly"): (("breaking", "callers may send it, and the service no longer takes it"), _AS_SENT),
    ("request", "writeOnly"): (_AS_SENT, _AS_SENT),
    ("reply", FIELD): (("absorbed", "a new field"), ("breaking", "callers may read it")),
    ("reply", "status"): (("absorbed", "a new status"), ("breaking", "the status is gone")),
    ("reply", "nullable"): (("breaking", "callers may get null"), ("absorbed", "null does not come any more")),
    ("reply", "readOnly"): (_COMES, _COMES),
    ("reply", "writeOnly"): (("breaking", "it no longer comes"), _COMES),
}
_WIDTH: Final = 160


@dataclass(frozen=True)
class Change:
    """One leaf that differs; a missing side is None and `added` or `removed` says so."""

    name: Name
    old: Any
    new: Any
    added: bool
    removed: bool
    verdict: Verdict
    why: str
    prose: bool

    def data(self) -> dict[str, Any]:
        """Return the change as plain data, for a report."""
        found = asdict(self)
        return {**found.pop("name"), **found}

    def line(self) -> str:
        """Return the change on one line: `submit request batchsize/maximum 15 -> 10`."""
        if self.name.key == FIELD:
            return f"{self.name} {'added' if self.added else 'removed'}"
        return f"{self.name} {shown(self.old, missing=self.added)} -> {shown(self.new, missing=self.removed)}"


@dataclass(frozen=True)
class View:
    """The old and the new page, compared."""

    language: str  # of the new page
    known: bool  # whether the ledger has sentences in that language
    old: Leaves
    new: Leaves
    base: Json  # the old page's document
    document: Json  # the new page's
    effective: Json  # the new effective spec
    changes: list[Change]  # of the page's leaves, judged by what they do to the effective spec
    skipped: list[overlay.OverlayFinding]  # overlay actions that do not fit


def view(before: Inputs, after: Inputs) -> View:
    """Compare the vendored page with the new one, which may be the same."""
    submit = after.settings.submit
    base = before.document or after.document
    names_old = names_of(base, before.settings.submit)
    names_new = names_of(after.document, submit, names_old)
    old, new = flatten(base, names_old), flatten(after.document, names_new)
    old_effective, _ = overlay.apply(base, before.actions)
    effective, skipped = overlay.apply(after.document, after.actions)
    try:
        check_nodes(effective)
    except SpecError:  # an action that was skipped may be missing to a later one
        effective, _ = overlay.apply(after.document, [])
    felt = {change.name: change for change in _effective_changes(old_effective, effective, before, after)}
    judged = [felt.get(change.name) or replace(change, verdict="absorbed", why=HIDDEN) for change in changes(old, new)]
    language = language_of(new, after.ledger, after.origin.fence)
    known = any(language in rule.sentences for rule in after.ledger.rules.values())
    return View(language, known, old, new, base, after.document, effective, judged, skipped)


def _effective_changes(old: Json, new: Json, before: Inputs, after: Inputs) -> list[Change]:
    names = names_of(old, before.settings.submit)
    return changes(flatten(old, names), flatten(new, names_of(new, after.settings.submit, names)))


def changes_since(root: Path, inputs: Inputs) -> list[Change]:
    """Return what differs from the effective spec on disk: the maintainer's own edits of the overlay."""
    try:
        old = load_yaml((root / EFFECTIVE).read_text("utf-8"))
        new, _ = overlay.apply(inputs.document, inputs.actions)
        return _effective_changes(old, new, inputs, inputs)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []  # nothing readable is there


def missing_submit(document: Json, before: Inputs) -> bool:
    """Whether neither the operationId of ours nor its path and method are in the document."""
    submit = before.settings.submit
    if our_operation(document, submit):
        return False
    return "submit" not in names_of(document, submit, names_of(before.document, submit)).values()


def shown(value: Any, *, missing: bool = False) -> str:
    """Return a value on one line, shortened."""
    if missing:
        return "(none)"
    text = value if isinstance(value, str) else repr(value).replace("True", "true").replace("False", "false")
    text = " ".join(text.split())
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."


def changes(old: Leaves, new: Leaves) -> list[Change]:
    """Return every leaf that differs, in the order of the documents. Text that is only wrapped differently is equal."""
    found: list[Change] = []
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name), new.get(name)
        if before is not None and after is not None:
            prose = before.is_prose(name.key) and after.is_prose(name.key)
            if normal(before.value) == normal(after.value) if prose else same(before.value, after.value):
                continue
        verdict, why = judge(name, old, new)
        found.append(
            Change(
                name,
                before.value if before else None,
                after.value if after else None,
                before is None,
                after is None,
                verdict,
                why,
                any(leaf.is_prose(name.key) for leaf in (before, after) if leaf),
            )
        )
    return found


def judge(name: Name, old: Leaves, new: Leaves) -> Judgement:  # noqa: PLR0911 - one return a verdict
    """Whether callers survive that the leaf of that name differs, and why."""
    key = name.key.split(" ")[0]
    before, after = old.get(name), new.get(name)
    leaf = new[name] if after else old[name]
    operation = name.place.split("/")[0]
    if leaf.side != "document" and Name(operation, "path") not in old:
        return "absorbed", "a new operation"
    if leaf.side != "document" and Name(operation, "path") not in new:
        return "breaking", "the operation is gone"
    # The default of a reply only describes; that of a server's variable is a part of the address.
    other_default = key == "default" and leaf.side != "request" and not name.place.startswith("document/servers/")
    if key in _NOTES or key.startswith("x-") or other_default:
        return "absorbed", "describes only"
    if other_form(name.place):
        return "absorbed", "another form of the body, which the client does not send"
    parent = _field_of(name.place, old, new)
    if name.key not in (FIELD, "required") and (parent in old) != (parent in new):
        return ("absorbed", "part of a new field") if parent in new else ("breaking", "part of a removed field")
    old_value = before.value if before else _MISSING
    new_value = after.value if after else _MISSING
    if leaf.side in ("request", "reply"):
        return _of_field(leaf.side, name.key, old_value, new_value, new_field=parent not in old, still=parent in new)
    return _around(name, old_value, new_value, old, new)


def other_form(place: str) -> bool:
    """Whether the place is in a choice of the body after the first, or in another media type of it."""
    return re.match(r"[^/]+/request(?:\|\d+| [^/]*\.)", place) is not None


def _field_of(place: str, old: Leaves, new: Leaves) -> Name:
    """Return the field that the place belongs to: an item of an array, or a choice, is part of its field."""
    name = Name(place, FIELD)
    while name not in old and name not in new and (inner := re.fullmatch(r"(.*?)(?:\[\]|\|\d+)", name.place)):
        name = Name(inner[1], FIELD)
    return name


def _of_field(side: Side, key: str, old: Any, new: Any, *, new_field: bool, still: bool) -> Judgement:  # noqa: C901, PLR0911 - one return a verdict
    request = side == "request"
    if (side, key) in _FLAGS:
        here = new is True or (old is _MISSING and key in (FIELD, "status"))
        return _FLAGS[side, key][0 if here else 1]
    if key in ("required", "body required"):
        # A request must hold it from now on, or a reply need not.
        if new is request and (request or not new_field):
            return "breaking", "callers may leave it out" if request else "callers may count on it"
        if request and new_field:
            return "absorbed", "callers may leave it out"
        kept = "callers may go on sending it" if request else "callers read it as before"
        return ("absorbed", kept) if still else ("breaking", "part of a removed field")
    if not request and key in _BOUNDS | {"enum", "multipleOf", "pattern", "uniqueItems", "additionalProperties"}:
        return "absorbed", "values of a reply are open"
    if key in _BOUNDS | {"pattern", "uniqueItems"}:
        return _limit(key, old, new)
    if key == "enum":
        if old is _MISSING or new is _MISSING:
            return (
                "absorbed",
                "only these values are sent from now on" if old is _MISSING else "any value is sent again",
            )
        gone = [value for value in old if not any(same(value, other) for other in new)]
        return ("breaking", f"no longer allowed: {shown(gone)}") if gone else ("absorbed", "more values are allowed")
    if key == "multipleOf":
        if old is _MISSING or new is _MISSING or Fraction(str(old)) % Fraction(str(new)) == 0:
            return "absorbed", "every number that was sent is still taken, or the limit is new"
        return "breaking", "numbers that were sent are refused"
    if key == "default":
        return "absorbed", f"calls that leave it out now mean {shown(new, missing=new is _MISSING)}"
    return _typed(key, old, new)


def _limit(key: str, old: Any, new: Any) -> Judgement:
    if new is _MISSING or new is False:
        return "absorbed", "the limit is gone: the client no longer enforces it"
    if old is _MISSING or old is False:
        return "absorbed", "a new limit: the client refuses what breaks it"
    if key == "pattern":
        return "breaking", "another pattern"
    if not all(isinstance(value, (int, float)) for value in (old, new)):
        return "breaking", "no longer a number"
    narrower = new < old if key in UPPER else new > old
    return ("breaking", "a narrowed limit") if narrower else ("absorbed", "a widened limit")


def _typed(key: str, old: Any, new: Any) -> Judgement:  # noqa: PLR0911 - one return a verdict
    if key == "format":
        if _TYPED.isdisjoint({value for value in (old, new) if isinstance(value, str)}):
            return "absorbed", "the Python type stays"
        return "breaking", "another Python type"
    if key == "media types":
        gone = [] if old is _MISSING else [media for media in old if new is _MISSING or media not in new]
        return ("breaking", f"{gone[0]} is gone") if gone else ("absorbed", "one more media type")
    if key == "type":
        return ("absorbed", "part of what is new") if old is _MISSING else ("breaking", "another type")
    if key == "additionalProperties" and (new in (_MISSING, True) or (isinstance(new, dict) and old is False)):
        return "absorbed", "more is taken"
    if key == "additionalProperties" and new is False:
        return "breaking", "fields that are not listed are refused"
    return "breaking", "nobody can tell whether callers survive"


def _around(name: Name, old: Any, new: Any, before: Leaves, after: Leaves) -> Judgement:  # noqa: PLR0911 - one return a verdict
    """Judge a leaf of the operation or of the document."""
    root, _, rest = name.place.partition("/")
    if root == "document":
        return "absorbed", "the server's address" if rest.startswith("servers") else "describes only"
    if root == "security":
        used = any(
            rest in option
            for name, leaf in (*before.items(), *after.items())
            if name.key == "security" and isinstance(leaf.value, list)
            for option in leaf.value
        )
        if not used:
            return "absorbed", "no operation uses it"
        if Name(name.place, "type") not in before:
            return "absorbed", "a new scheme; the operation says whether it must be used"
        return "breaking", "the key travels in another way"
    if name.key == "security":
        kept = all(any(same(option, other) for other in new) for option in old) if new is not _MISSING else False
        return ("absorbed", "another way in was added") if kept and old else ("breaking", "who may call changed")
    if rest:
        return "absorbed", "describes only"
    if name.key == "operationId":
        return "breaking", "names of modules and functions follow it"
    if name.key in ("path", "method"):
        return "breaking", "packages that are installed today send to the old one"
    return "breaking", "callers would miss it"
