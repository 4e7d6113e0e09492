"""Runs the relations as tests of pytest, one item for each example (option ``--seedream-contract``)."""

import datetime as dt
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from seedream_testing.contract.allowances import Allowance, read_allowances, selected
from seedream_testing.contract.relations import RELATIONS, Example, Relation
from seedream_testing.contract.run import State, Unreachable, examples, explain, run_example
from seedream_testing.contract.server_under_test import ServerUnderTest
from seedream_testing.contract.tables import from_tables


class ContractFailure(Exception):
    """An example found something; the message says what in full."""


class ContractCollector(pytest.Collector):
    """Holds the examples."""

    def __init__(
        self, *, server: ServerUnderTest, budget: int, allow: list[Allowance], only: list[str], **more: Any
    ) -> None:
        super().__init__(**more)
        self.server, self.budget, self.allow, self.only = server, budget, allow, only

    def collect(self) -> Iterable[pytest.Item]:
        """Yield an item for each example that was asked for."""
        for relation, example in examples(self.server):
            if selected(relation, example, self.only):
                yield ContractItem.from_parent(
                    self, name=f"{relation.id}[{example.name}]", relation=relation, example=example
                )


class ContractItem(pytest.Item):
    """One example."""

    def __init__(self, *, relation: Relation, example: Example, **more: Any) -> None:
        super().__init__(**more)
        self.relation, self.example = relation, example

    def runtest(self) -> None:
        """Run the example."""
        holder = self.parent
        assert isinstance(holder, ContractCollector)  # noqa: S101 -- made by it
        try:
            outcome = run_example(holder.server, self.relation, self.example, holder.budget, holder.allow)
        except Unreachable as error:
            pytest.exit(str(error), returncode=4)
        if outcome.state is State.SKIPPED:
            pytest.skip(outcome.reason)
        if outcome.state is State.ALLOWED:
            pytest.xfail(outcome.reason)
        if outcome.state is State.FAILED:
            raise ContractFailure(explain(outcome))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any, **__: Any) -> str:
        """Return the finding without a traceback."""
        return str(excinfo.value) if isinstance(excinfo.value, ContractFailure) else str(excinfo.getrepr())

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return where it is from: no file."""
        return Path("seedream-contract"), None, f"{self.relation.rule}: {self.name}"


def collect(session: pytest.Session) -> list[pytest.Item]:
    """Return the items for the options of a run.

    Raises:
        pytest.UsageError: An option, or the key in ``TENSORSLAB_API_KEY``, cannot be used.
    """
    config = session.config

    def option(name: str) -> Any:
        return config.getoption(name)

    key = os.environ.get("TENSORSLAB_API_KEY", "").strip()
    if not key:
        raise pytest.UsageError("--seedream-contract needs the key of the server in TENSORSLAB_API_KEY")
    only, file = list(option("seedream_contract_only")), option("seedream_contract_allow_file")
    try:
        allow = read_allowances(option("seedream_contract_allow"), Path(file) if file else None, only, RELATIONS)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
    today = dt.datetime.now(dt.UTC).date()
    second = option("seedream_contract_second_key_file")
    server = ServerUnderTest(
        option("seedream_contract"),
        key,
        from_tables(),
        any_key=option("seedream_contract_any_key"),
        second_key=Path(second).read_text("utf-8").strip() if second else None,
    )
    config.add_cleanup(server.__exit__)  # its connections
    holder = ContractCollector.from_parent(
        session, name="seedream-contract", server=server, only=only,
        allow=[one for one in allow if not one.expired(today)],
        budget=option("seedream_contract_budget"),
    )  # fmt: skip
    return list(session.genitems(holder))
