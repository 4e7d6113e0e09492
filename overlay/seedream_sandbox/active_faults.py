"""The faults in force: which request each strikes, and the plan file they may come from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from attrs import define, field

from seedream_sandbox.fault import Fault, FaultError, make_fault, parse_fault
from seedream_sandbox.fault_catalogue import Layer, Scope


@define
class _Rule:
    fault: Fault
    used: int = 0


@define
class Plan:
    """The faults in force, with their counts. The service's lock guards it.

    Attributes:
        seed: Decides every probability.
    """

    seed: int = 0
    _rules: list[_Rule] = field(factory=list[_Rule])
    _seen: dict[str, int] = field(factory=dict[str, int])

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._rules.append(_Rule(fault))

    def clear(self) -> None:
        """End all faults. Counts of requests go on."""
        self._rules.clear()

    def __iter__(self) -> Iterator[Fault]:
        return (rule.fault for rule in self._rules)

    def count(self, scope: Scope) -> int:
        """Count one request at a place: its number, from 1."""
        self._seen[scope] = self._seen.get(scope, 0) + 1
        return self._seen[scope]

    def strike(self, scope: Scope, ordinal: int, layers: frozenset[Layer], prompt: str = "") -> list[Fault]:
        """The faults that strike a request: at most one a layer, the first that meets it."""
        struck: dict[Layer, Fault] = {}
        for index, rule in enumerate(self._rules):
            fault = rule.fault
            if fault.at not in (scope, "any") or fault.kind.layer not in layers or fault.kind.layer in struck:
                continue
            if fault.meets(ordinal, rule.used, f"{self.seed}/{index}", prompt):
                rule.used += 1
                struck[fault.kind.layer] = fault
        return list(struck.values())


def load_plan(path: Path) -> list[Fault]:
    """The faults of a plan file: YAML 1.2 (or JSON) with a list ``faults``.

    Each entry is a fault as on the command line (``cut-reply nth=2``), or a mapping with the key ``fault`` and its
    settings.

    Raises:
        FaultError: The file cannot be read, is no such list, or an entry is wrong; says which.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 -- only plans need it
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 -- only plans need it

    try:
        document: Any = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise FaultError(f"the fault plan {path.name} cannot be read: {error}") from None
    entries = cast("dict[str, Any]", document).get("faults") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise FaultError(f"the fault plan {path.name} has no list named faults")
    return [_entry(path, number, entry) for number, entry in enumerate(cast("list[object]", entries), start=1)]


def _entry(path: Path, number: int, entry: object) -> Fault:
    try:
        if isinstance(entry, str):
            return parse_fault(entry)
        if isinstance(entry, dict):
            settings = {str(key): value for key, value in cast("dict[object, Any]", entry).items()}
            return make_fault(str(settings.pop("fault", "")), settings)
    except FaultError as error:
        raise FaultError(f"entry {number} of the fault plan {path.name}: {error}") from None
    raise FaultError(f"entry {number} of the fault plan {path.name} is neither text nor a mapping")
