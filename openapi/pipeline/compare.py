"""The old and the new page, compared leaf by leaf."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from . import overlay
from .compatibility import Change, changes
from .flatten import Leaves, Name, flatten, names_of
from .inputs import Inputs
from .language import language_of
from .spec import Json, SpecError, follow, our_operation, references
from .strict_yaml import load_yaml

EFFECTIVE: Final = "generated/openapi.yaml"
HIDDEN: Final = "the overlay replaces it"


@dataclass(frozen=True)
class View:
    """The old and the new page, compared.

    Attributes:
        language: of the new page; known: whether the ledger has sentences in it.
        old, new: leaves of the two pages.
        effective: the new effective spec.
        changes: of the page's leaves, judged by what they do to the effective spec.
        skipped: overlay actions that do not fit.
    """

    language: str
    known: bool
    old: Leaves
    new: Leaves
    document: Json
    effective: Json
    changes: list[Change]
    skipped: list[overlay.OverlayFinding] = field(default_factory=list)


def view(before: Inputs, after: Inputs, fence: str) -> View:
    """Compare the vendored page with the new one, which may be the same."""
    submit = after.settings.submit
    base = before.document or after.document
    names_old = names_of(base, before.settings.submit)
    names_new = names_of(after.document, submit, names_old)
    old, new = flatten(base, names_old), flatten(after.document, names_new)
    old_effective, _ = overlay.apply(base, before.actions)
    effective, skipped = overlay.apply(after.document, after.actions)
    if not _is_whole(effective):
        effective, _ = overlay.apply(after.document, [])
    felt = {change.name: change for change in _effective_changes(old_effective, effective, before, after)}
    judged = [_effective_change(change, felt) for change in changes(old, new)]
    language = language_of(new, after.ledger, fence)
    known = any(language in rule.sentences for rule in after.ledger.rules.values())
    return View(language, known, old, new, after.document, effective, judged, skipped)


def _is_whole(document: Json) -> bool:
    """Whether every reference leads somewhere: an action that was skipped may be missing to a later one."""
    try:
        for node in references(document):
            follow(document, node)
    except SpecError:
        return False
    return True


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


def _effective_change(change: Change, felt: Mapping[Name, Change]) -> Change:
    if change.name in felt:
        return felt[change.name]
    values = {name: getattr(change, name) for name in ("name", "old", "new", "added", "removed", "prose")}
    return Change(**values, verdict="absorbed", why=HIDDEN)


def missing_submit(document: Json, before: Inputs) -> bool:
    """Whether neither the operationId of ours nor its path and method are in the document."""
    submit = before.settings.submit
    if our_operation(document, submit):
        return False
    return "submit" not in names_of(document, submit, names_of(before.document, submit)).values()
