"""The table of relations: it is sound, and servers that keep to the page pass all of it."""

from typing import Any

import judge
import pytest
from contract.servers.serving import POOR, RICH, SECOND
from seedream_sandbox import Sandbox
from seedream_testing.contract import (
    PROJECT_RULES,
    RELATIONS,
    ApiFacts,
    ContractResult,
    Need,
    ServerUnderTest,
    State,
    check_server,
    from_tables,
    run_contract,
)
from seedream_testing.contract.run import explain
from tensorslab_images.rules import RULES

FACTS = {"judge": judge.FACTS, "tables": from_tables()}


def sandbox(**options: Any) -> Sandbox:
    return Sandbox(pictures="plain", keys={RICH: 10**7, SECOND: 10**7, POOR: 0}, **options)


def charges(service: Sandbox) -> list[int]:
    return [charge.images for charge in service.charges if charge.account == 1]


def under_test(service: Sandbox, facts: ApiFacts = judge.FACTS, *, served: bool = False) -> ServerUnderTest:
    transport = None if served else service.transport
    return ServerUnderTest(
        service.base_url, RICH, facts, transport, lambda: charges(service), second_key=SECOND, no_credits_key=POOR
    )


def shown(result: ContractResult) -> str:
    return "\n".join(explain(outcome) for outcome in result.failures[:10])


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
def test_the_sandbox_passes_everything_in_process(facts: ApiFacts) -> None:
    with under_test(sandbox(), facts) as server:
        result = run_contract(server, keep_going=True)
    assert not result.failures, shown(result)
    assert result.count(State.PASSED) > 3000
    # What one key cannot show was not skipped: nothing but ids and keys that look the same in another spelling, and
    # ids that are a part of one another, which the sandbox does not have.
    skipped = {outcome.relation.id for outcome in result.outcomes if outcome.state is State.SKIPPED}
    assert skipped <= {"task.id", "task.within", "key.unknown"}


@pytest.mark.parametrize(
    "pace",
    [
        {"progress": "instant"},
        {"progress": "polls", "polls": 5},
        {"format": "webp"},
        {"format": "jpeg"},
        {"faults": ["chunked"]},
    ],
    ids=str,
)
def test_the_sandbox_passes_at_every_pace_and_in_every_format(pace: dict[str, Any]) -> None:
    with under_test(sandbox(**pace)) as server:
        result = run_contract(server, only=("task.own", "task.deletion", "picture.identity"), keep_going=True)
    assert not result.failures, shown(result)


def test_the_sandbox_passes_over_http() -> None:
    with sandbox() as service, under_test(service, served=True) as server:
        result = run_contract(server, only=("key.*", "form.*", "http.*", "task.*"), keep_going=True)
    assert not result.failures, shown(result)


def test_every_relation_names_a_known_rule_and_says_one_sentence() -> None:
    ids = [relation.id for relation in RELATIONS]
    assert ids == list(dict.fromkeys(ids))
    for relation in RELATIONS:
        assert relation.rule in RULES.keys() | PROJECT_RULES.keys()
        assert relation.sentence.endswith("."), relation.id
        assert relation.family == relation.id.split(".")[0]


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
def test_every_example_has_a_name_of_its_own(facts: ApiFacts) -> None:
    for relation in RELATIONS:
        names = [example.name for example in relation.derive(facts)]
        assert names == list(dict.fromkeys(names))
    # A table that lost its cases would pass: so their number is checked for each relation that has any on this page.
    empty = {relation.id for relation in RELATIONS if not relation.derive(facts)}
    assert empty == {"field.length"}, "the page has no lengths, counts or listed values"


def test_without_a_budget_nothing_is_paid_for() -> None:
    service = sandbox()
    with under_test(service) as server:
        result = run_contract(server, budget=0, keep_going=True)
    assert not result.failures, shown(result)
    assert charges(service) == []
    assert result.count(State.PASSED) > 500
    paid = [outcome for outcome in result.outcomes if outcome.example.images]
    assert paid
    assert all(outcome.reason.startswith("it may cost") for outcome in paid)


@pytest.mark.parametrize("budget", [1, 7, 60])
def test_a_budget_is_kept_and_spread_over_the_relations(budget: int) -> None:
    service = sandbox()
    with under_test(service) as server:
        result = run_contract(server, budget=budget, keep_going=True)
    assert 0 < sum(charges(service)) <= budget
    assert result.spent == sum(charges(service))
    if budget == 60:
        assert len({outcome.relation.id for outcome in result.outcomes if outcome.state is State.PASSED}) >= 30


def test_what_needs_more_than_a_key_is_skipped_and_says_what_it_needs() -> None:
    service = sandbox()
    with ServerUnderTest(service.base_url, RICH, judge.FACTS, service.transport, any_key=True) as server:
        result = run_contract(server, only=("key.*", "task.query"), keep_going=True)
    reasons = {outcome.reason for outcome in result.outcomes if outcome.state is State.SKIPPED}
    for need in (Need.UNKNOWN_KEY, Need.SECOND_KEY, Need.NO_CREDITS):
        assert f"it needs {need.value}" in reasons
    assert any("without a ledger" in reason for reason in reasons)


def test_check_server_returns_what_held() -> None:
    service = sandbox()
    held = check_server(service.base_url, RICH, transport=service.transport, only=("BATCH-RANGE",))
    assert "batchsize.bounds/batchsize '15'" in held
    assert {name.partition("/")[0] for name in held} == {
        "batchsize.bounds", "batchsize.each", "batchsize.spelling", "batchsize.word",
    }  # fmt: skip
