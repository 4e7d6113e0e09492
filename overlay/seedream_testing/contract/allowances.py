"""Known deviations of a server: a rule, a relation or one example that may fail, with a reason and an end date."""

import datetime as dt
import fnmatch
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, cast

from attrs import frozen

from seedream_testing.contract.relations.relation import Example, Relation

_KEYS: Final = frozenset({"allow", "reason", "until"})


@frozen
class Allowance:
    """One known deviation.

    Attributes:
        what: Id of a rule or a relation, or a relation and an example (``text.exact/NFC``); may hold ``*``.
        reason: Why it is accepted for now.
        until: The last day on which it counts; None for ever.
    """

    what: str
    reason: str
    until: dt.date | None = None

    def covers(self, relation: Relation, example: Example, rule: str) -> bool:
        """Return whether it is about this example, or about the rule that was broken."""
        names = (rule, relation.rule, relation.id, f"{relation.id}/{example.name}")
        return self.what in names or any(fnmatch.fnmatchcase(name, self.what) for name in names)

    def expired(self, today: dt.date) -> bool:
        """Return whether its last day is over."""
        return self.until is not None and today > self.until


def selected(relation: Relation, example: Example, only: Sequence[str]) -> bool:
    """Return whether an example is among those that were asked for (all, if none was)."""
    return not only or any(Allowance(one, "").covers(relation, example, relation.rule) for one in only)


def parse_allowance(given: str) -> Allowance:
    """Parse ``RULE=reason``.

    Raises:
        ValueError: There is no reason.
    """
    what, _, reason = given.partition("=")
    if not what.strip() or not reason.strip():
        raise ValueError(f"{given!r} is not RULE=reason")
    return Allowance(what.strip(), reason.strip())


def load_allowances(path: Path) -> list[Allowance]:
    """Load known deviations from a TOML file: tables ``[[deviation]]`` with ``allow``, ``reason`` and ``until``.

    Raises:
        ValueError: The file has another form, or a deviation has no reason or no end date.
    """
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    rows = document.get("deviation", [])
    if set(document) - {"deviation"} or not isinstance(rows, list):
        raise ValueError(f"{path}: it must hold only tables [[deviation]]")
    return [_row(path, number, row) for number, row in enumerate(rows, 1)]


def _row(path: Path, number: int, row: Any) -> Allowance:
    where = f"{path}: deviation {number}"
    if not isinstance(row, dict) or frozenset(cast("dict[str, Any]", row)) != _KEYS:
        raise ValueError(f"{where} must have exactly allow, reason and until")
    what, reason, until = row["allow"], row["reason"], row["until"]
    if not isinstance(what, str) or not isinstance(reason, str) or not what.strip() or not reason.strip():
        raise ValueError(f"{where}: allow and reason must be texts that are not empty")
    if type(until) is not dt.date:
        raise ValueError(f"{where}: until must be a date, for example 2027-01-31")
    return Allowance(what, reason, until)


def read_allowances(
    given: Iterable[str], file: Path | None, only: Iterable[str], relations: Sequence[Relation]
) -> list[Allowance]:
    """Return the allowances that the options of a run give, as texts and in a file.

    Raises:
        ValueError: One cannot be read, or it or a name in ``only`` matches no rule and no relation.
    """
    try:
        found = [*map(parse_allowance, given), *([] if file is None else load_allowances(file))]
    except OSError as error:
        raise ValueError(str(error)) from error
    known = {name for relation in relations for name in (relation.rule, relation.id)}
    for name in (*only, *(one.what for one in found)):
        if not any(fnmatch.fnmatchcase(one, name.partition("/")[0]) for one in known):
            raise ValueError(f"there is no rule or relation {name!r}; seedream contract --list shows them")
    return found
