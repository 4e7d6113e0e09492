"""Runs the relations against a server, within a budget, and records one outcome for each example."""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import zip_longest

import httpx
from attrs import field, frozen

from seedream_testing.contract.allowances import Allowance, selected
from seedream_testing.contract.relations import RELATIONS, Example, Need, Relation
from seedream_testing.contract.rule_text import sentence
from seedream_testing.contract.server_under_test import ServerUnderTest
from seedream_testing.contract.violation import Unobservable, Violation, conceal


class State(Enum):
    """How an example ended."""

    PASSED = "passed"
    FAILED = "failed"
    ALLOWED = "allowed"
    SKIPPED = "skipped"


class Unreachable(Exception):
    """The server cannot be reached; nothing can be said about it."""


@frozen
class Outcome:
    """The outcome of one example.

    Attributes:
        relation: Of which it is an example.
        example: The example.
        state: How it ended.
        reason: Why it was skipped or allowed; empty otherwise.
        violation: What was found, if it failed or was allowed to.
        seconds: How long it took.
    """

    relation: Relation
    example: Example
    state: State
    reason: str = ""
    violation: Violation | None = None
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """Relation and example."""
        return f"{self.relation.id}/{self.example.name}"

    @property
    def rule(self) -> str:
        """The rule that was broken, or else the one that the relation guards."""
        return self.violation.rule if self.violation else self.relation.rule


@frozen
class ContractResult:
    """The outcomes of a run.

    Attributes:
        base_url: Of the server.
        outcomes: In the order in which they were run.
        spent: How many images were asked for by submissions that the server accepted.
        stopped: Whether the run ended at a violation, so that more may be wrong.
        expired: Allowances whose last day is over; they no longer count.
    """

    base_url: str
    outcomes: Sequence[Outcome]
    spent: int
    stopped: bool
    expired: Sequence[Allowance] = field(factory=list[Allowance])

    @property
    def by_relation(self) -> dict[str, list[Outcome]]:
        """The outcomes by the relation's id."""
        found: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            found.setdefault(outcome.relation.id, []).append(outcome)
        return found

    def count(self, state: State) -> int:
        """Return how many examples ended so."""
        return sum(outcome.state is state for outcome in self.outcomes)

    @property
    def failures(self) -> list[Outcome]:
        """The examples that failed."""
        return [outcome for outcome in self.outcomes if outcome.state is State.FAILED]


def examples(server: ServerUnderTest, relations: Iterable[Relation] = RELATIONS) -> Iterator[tuple[Relation, Example]]:
    """Derive every example from the facts, in the order of the table."""
    for relation in relations:
        for example in relation.derive(server.facts):
            yield relation, example


def run_contract(
    server: ServerUnderTest,
    *,
    relations: Sequence[Relation] = RELATIONS,
    budget: int | None = None,
    only: Sequence[str] = (),
    allow: Sequence[Allowance] = (),
    keep_going: bool = False,
    today: dt.date | None = None,
    report: Callable[[Outcome], None] = lambda _: None,
) -> ContractResult:
    """Run the relations against a server.

    Args:
        server: The server.
        relations: Which of them; by default all.
        budget: How many images may be paid for; None for as many as it takes, 0 for what costs nothing.
        only: Ids of rules or relations; empty for all.
        allow: Known deviations.
        keep_going: Whether to go on after a violation. A server that accepts what its page forbids may charge for it.
        today: Decides which allowances are over; by default the day of the machine.
        report: Called with each outcome as it comes.

    Raises:
        Unreachable: The server does not answer.
    """
    day = today or dt.datetime.now(dt.UTC).date()
    live = [one for one in allow if not one.expired(day)]
    chosen = [pair for pair in examples(server, relations) if selected(*pair, only)]
    if budget is not None:
        chosen = _spread(chosen)
    outcomes, stopped = list[Outcome](), False
    for relation, example in chosen:
        outcome = run_example(server, relation, example, budget, live)
        outcomes.append(outcome)
        report(outcome)
        if outcome.state is State.FAILED and not keep_going:
            stopped = True
            break
    expired = [one for one in allow if one.expired(day)]
    return ContractResult(server.base_url, outcomes, server.spent, stopped, expired)


def _spread(chosen: Sequence[tuple[Relation, Example]]) -> list[tuple[Relation, Example]]:
    """Put what is free first, then one example of each relation in turn, so that a small budget covers each kind."""
    free = [pair for pair in chosen if not pair[1].images]
    paid: dict[str, list[tuple[Relation, Example]]] = {}
    for pair in chosen:
        if pair[1].images:
            paid.setdefault(pair[0].id, []).append(pair)
    rows = [
        sorted(row, key=lambda pair: pair[1].images) if row[0][0].id == "form.legal" else row for row in paid.values()
    ]
    return [*free, *(pair for row in zip_longest(*rows) for pair in row if pair is not None)]


def run_example(
    server: ServerUnderTest, relation: Relation, example: Example, budget: int | None, allow: Sequence[Allowance]
) -> Outcome:
    """Run one example, and return how it ended.

    Raises:
        Unreachable: The server does not answer, or its charges cannot be read.
    """
    missing = [need.value for need in example.needs if not _has(server, need)]
    if missing:
        return Outcome(relation, example, State.SKIPPED, f"it needs {' and '.join(missing)}")
    if budget is not None and example.images > budget - server.spent:
        left = budget - server.spent
        return Outcome(
            relation, example, State.SKIPPED, f"it may cost {example.images} images, and {left} of the budget are left"
        )
    started = time.monotonic()
    server.last = None
    try:
        example.run(server)
    except Unobservable as skipped:
        return Outcome(relation, example, State.SKIPPED, str(skipped), seconds=time.monotonic() - started)
    except Violation as violation:
        violation.check = violation.check or f"{relation.id}/{example.name}"
        found = violation
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unreachable(f"{server.base_url} cannot be reached: {error}") from error
    except Unreachable:  # the charges cannot be read
        raise
    except Exception as error:  # noqa: BLE001 -- whatever a server makes a check raise is a finding
        said = f"{type(error).__name__}: {error}"
        found = Violation(f"ended in {said[:1000]}", rule=relation.rule, check=f"{relation.id}/{example.name}")
    else:
        return Outcome(relation, example, State.PASSED, seconds=time.monotonic() - started)
    found.curl = found.curl or (server.last.curl if server.last else "")
    found.what, found.curl = (conceal(said, server.keys) for said in (found.what, found.curl))
    reason = next((one.reason for one in allow if one.covers(relation, example, found.rule)), "")
    state = State.ALLOWED if reason else State.FAILED
    return Outcome(relation, example, state, reason, found, time.monotonic() - started)


def _has(server: ServerUnderTest, need: Need) -> bool:
    return {
        Need.UNKNOWN_KEY: not server.any_key,
        Need.SECOND_KEY: server.second_key is not None,
        Need.NO_CREDITS: server.no_credits_key is not None,
        Need.LEDGER: server.charges is not None,
    }[need]


def explain(outcome: Outcome) -> str:
    """Return what one outcome says in full: rule, the vendor's sentence, what was sent and what came."""
    if outcome.violation is not None:
        return str(outcome.violation)
    return f"[{outcome.rule}] {outcome.name}\n  rule {outcome.rule}: “{sentence(outcome.rule)}”"
