"""The faults in force, and which of them act on a request."""

from collections import Counter
from collections.abc import Iterator

from attrs import define, field

from seedream_sandbox.faults.catalogue import Layer, Scope
from seedream_sandbox.faults.language import Fault


@define
class ActiveFaults:
    """The faults in force with their counts. The service's lock guards it."""

    seed: object = 0  # decides every probability
    _faults: list[Fault] = field(factory=list[Fault])
    # Requests in each scope, and how often each fault has acted, by its index.
    _counts: Counter[str | int] = field(factory=Counter[str | int], init=False)

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults. Counts of requests go on."""
        for index in range(len(self._faults)):
            del self._counts[index]
        self._faults.clear()

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def count(self, scope: Scope) -> int:
        """Count one request in a scope; return its number, from 1."""
        self._counts[scope] += 1
        return self._counts[scope]

    def match(self, scope: Scope, ordinal: int, layers: frozenset[Layer], prompt: str = "") -> list[Fault]:
        """Return the faults that act on a request: for each layer at most one, the first that applies."""
        found: dict[Layer, Fault] = {}
        for index, fault in enumerate(self._faults):
            if fault.at not in (scope, "any") or fault.kind.layer not in layers or fault.kind.layer in found:
                continue
            if fault.applies(ordinal, self._counts[index], f"{self.seed}/{index}", prompt):
                self._counts[index] += 1
                found[fault.kind.layer] = fault
        return list(found.values())
