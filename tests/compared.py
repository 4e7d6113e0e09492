"""The generated tables against the facts typed by hand, fact by fact; each difference names the line to look at."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import facts
from tensorslab_images import limits, rules

_FILE = Path(facts.__file__)
_TOLD_ELSEWHERE = {"name", "attribute", "description", "format", "nullable"}  # not what a fact is made of


@attrs.frozen
class Difference:
    """One fact that is not what the spec says.

    Attributes:
        rule: The rule that speaks about it, if any.
        line: Of tests/facts.py.
        text: What differs.
    """

    rule: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"tests/facts.py:{self.line}: {self.text}"


def differences() -> list[Difference]:
    """Return every fact that differs, in the order of the file."""
    return sorted([*_server(), *_fields(), *_ledger()], key=lambda one: one.line)


def _server() -> Iterator[Difference]:
    if facts.SERVER != limits.SERVER:
        yield _differs("SERVER", "KEY-PRIVATE", {"server": facts.SERVER}, {"server": limits.SERVER}, "SERVER =")


def _fields() -> Iterator[Difference]:
    spec = {field.name: _keywords(field) for field in limits.SUBMIT.fields}
    for name in dict.fromkeys([*facts.SCHEMA, *spec]):
        rule, meant = facts.SCHEMA.get(name, ("", None))
        if spec.get(name) != meant:
            yield _differs(f"field {name}", rule, meant, spec.get(name), "SCHEMA:", name)


def _keywords(field: limits.Field) -> dict[str, Any]:
    """Return what is said of a field, without what is only left at its default."""
    return {
        one.name: getattr(field, one.name)
        for one in attrs.fields(limits.Field)
        if one.name not in _TOLD_ELSEWHERE and (one.name == "kind" or getattr(field, one.name) != one.default)
    }


def _ledger() -> Iterator[Difference]:
    spec = {name: {"standing": row.standing, **row.facts} for name, row in rules.RULES.items()}
    meant = {name: {"standing": standing, **found} for name, (standing, found) in facts.LEDGER.items()}
    for name in dict.fromkeys([*meant, *spec]):
        if meant.get(name) != spec.get(name):
            yield _differs(f"rule {name}", name, meant.get(name), spec.get(name), "LEDGER:", name)
    found = {name: dict(row.examples) for name, row in rules.RULES.items() if row.examples}
    for name in dict.fromkeys([*facts.EXAMPLES, *found]):
        if facts.EXAMPLES.get(name) != found.get(name):
            yield _differs(f"examples of {name}", name, facts.EXAMPLES.get(name), found.get(name), "EXAMPLES:", name)


def _differs(
    what: str, rule: str, meant: Mapping[str, Any] | None, spec: Mapping[str, Any] | None, table: str, name: str = ""
) -> Difference:
    lines = _FILE.read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines, 1) if line.startswith(table))
    end = next((number for number, line in enumerate(lines, 1) if number > start and line == "}"), start)
    line = next((number for number in range(start, end) if lines[number - 1].startswith(f'    "{name}":')), None)
    if meant is None:
        return Difference(rule, end, f"{what} is new in the spec: add a line with {spec}.")
    if spec is None:
        return Difference(rule, line or start, f"{what} is in the spec no more: take the line out.")
    keys = [key for key in dict.fromkeys([*meant, *spec]) if meant.get(key) != spec.get(key)]
    said = "; ".join(f"{key} is {meant.get(key)!r} here, {spec.get(key)!r} in the spec" for key in keys)
    return Difference(rule, line or start, f"{what}: {said}. Read the page, then change this line or refuse the page.")
