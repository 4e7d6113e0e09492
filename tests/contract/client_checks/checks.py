"""How a check is declared and run: whatever it raises becomes a Violation that names check and rule."""

from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from attrs import frozen
from seedream_testing.contract.violation import Violation

B = TypeVar("B")
B_contra = TypeVar("B_contra", contravariant=True)


class _Work(Protocol[B_contra]):
    __name__: str

    def __call__(self, server_under_test: B_contra, /) -> None: ...


@frozen
class Check(Generic[B]):
    """One check.

    Attributes:
        name: Of the function.
        rule: Id of the rule that it guards first.
        proves: First line of the function's docstring.
        work: The check itself; returns, or raises.
    """

    name: str
    rule: str
    proves: str
    work: _Work[B]

    def run(self, server_under_test: B) -> None:
        """Run it.

        Raises:
            Violation: The rule is broken, or the check met an error that it did not expect.
        """
        try:
            self.work(server_under_test)
        except Violation as violation:
            violation.check = self.name
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise Violation(f"ended in {what[:1000]}", rule=self.rule, check=self.name) from error


class Suite(Generic[B]):
    """Checks in the order in which they are declared."""

    def __init__(self) -> None:
        self.checks: list[Check[B]] = []

    def check(self, rule: str) -> Callable[[_Work[B]], _Work[B]]:
        """Declare a check; the decorated function stays what it is."""

        def add(work: _Work[B]) -> _Work[B]:
            proves = (work.__doc__ or "").partition("\n")[0]
            self.checks.append(Check(work.__name__, rule, proves, work))
            return work

        return add


def run_all(checks: Iterable[Check[B]], server_under_test: B) -> list[str]:
    """Run checks; gives the names of those that held.

    Raises:
        Violation: Of the first that did not.
    """
    held = []
    for check in checks:
        check.run(server_under_test)
        held.append(check.name)
    return held
