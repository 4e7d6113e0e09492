"""The client checks hold for the client, blocking and awaiting, by the judge and by the tables alike."""

import judge
import pytest
from contract.client_checks import CLIENT_CHECKS, RELATIONS, Check, ClientUnderTest, awaiting
from seedream import AsyncSeeDream, SeeDream
from seedream_testing.contract import from_tables

pytestmark = pytest.mark.long

FACTORIES = {"sync": SeeDream, "async": awaiting(AsyncSeeDream)}
CASES = CLIENT_CHECKS[: len(CLIENT_CHECKS) - len(RELATIONS)]  # those of the page's own cases
FACTS = {"judge": judge.FACTS, "tables": from_tables()}

# The relations take of the facts only what both have alike (tests/test_facts.py): each kind of client gets one of them.
RUNS = [
    ("sync", "judge", CLIENT_CHECKS),
    ("async", "tables", CLIENT_CHECKS),
    ("sync", "tables", CASES),
    ("async", "judge", CASES),
]


@pytest.mark.parametrize(
    ("client", "facts", "check"),
    [
        pytest.param(client, facts, check, id=f"{check.name}-{client}-{facts}")
        for client, facts, checks in RUNS
        for check in checks
    ],
)
def test_client(client: str, facts: str, check: Check[ClientUnderTest]) -> None:
    check.run(ClientUnderTest(FACTORIES[client], FACTS[facts]))


def test_each_relation_has_examples_with_names_of_their_own() -> None:
    assert len({relation.id for relation in RELATIONS}) == len(RELATIONS)
    for relation in RELATIONS:
        examples = list(relation.examples(judge.FACTS))
        assert examples, relation.id
        assert relation.sentence.endswith("."), relation.id
    assert sum(len(list(relation.examples(judge.FACTS))) for relation in RELATIONS) >= 4000


def test_there_are_checks_for_every_field_and_code() -> None:
    # A suite that lost its cases would pass: so their number and spread are checked too.
    assert len(CASES) >= 3
    assert len(RELATIONS) >= 40
    rules = {case.rule for case in judge.FACTS.legal} | {case.rule for case in judge.FACTS.illegal}
    assert rules >= set(filter(None, judge.FACTS.rules.values())) | {
        "RES-RATIO",
        "RES-TIER",
        "RES-PIXELS",
        "RES-EXAMPLES",
    }
    for facts in FACTS.values():
        assert all(facts.judge(case.wire).legal for case in facts.legal if case.wire)
        assert all(facts.judge(case.wire).legal is False for case in facts.illegal if case.wire)
        assert {facts.judge(case.wire).rule for case in facts.illegal if case.wire} >= {"RES-PIXELS", "BATCH-RANGE"}
