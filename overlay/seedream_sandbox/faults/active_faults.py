"""The faults in force, and which of them act on a request."""

from collections.abc import Iterator

from attrs import define, field

from seedream_sandbox.faults.catalogue import Layer, Scope
from seedream_sandbox.faults.language import Fault


@define
class _Entry:
    fault: Fault
    used: int = 0


@define
class ActiveFaults:
    """The faults in force with their counts. The service's lock guards it.

    Attributes:
        seed: Decides every probability.
    """

    seed: int = 0
    _entries: list[_Entry] = field(factory=list[_Entry])
    _seen: dict[str, int] = field(factory=dict[str, int])

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._entries.append(_Entry(fault))

    def clear(self) -> None:
        """Remove all faults. Counts of requests go on."""
        self._entries.clear()

    def __iter__(self) -> Iterator[Fault]:
        return (entry.fault for entry in self._entries)

    def count(self, scope: Scope) -> int:
        """Count one request in a scope; return its number, from 1."""
        self._seen[scope] = self._seen.get(scope, 0) + 1
        return self._seen[scope]

    def match(self, scope: Scope, ordinal: int, layers: frozenset[Layer], prompt: str = "") -> list[Fault]:
        """Return the faults that act on a request: for each layer at most one, the first that applies."""
        found: dict[Layer, Fault] = {}
        for index, entry in enumerate(self._entries):
            fault = entry.fault
            if fault.at not in (scope, "any") or fault.kind.layer not in layers or fault.kind.layer in found:
                continue
            if fault.applies(ordinal, entry.used, f"{self.seed}/{index}", prompt):
                entry.used += 1
                found[fault.kind.layer] = fault
        return list(found.values())
