"""The client checks hold for the client, blocking and awaiting, by the judge and by the tables alike."""

import judge
import pytest
from contract.client_checks import CLIENT_CHECKS, Check, ClientUnderTest, Factory, awaiting
from seedream import AsyncSeeDream, SeeDream
from seedream_testing.contract import ApiFacts, from_tables

FACTORIES = {"sync": SeeDream, "async": awaiting(AsyncSeeDream)}
FACTS = {"judge": judge.FACTS, "tables": from_tables()}


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
@pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)
@pytest.mark.parametrize("check", CLIENT_CHECKS, ids=lambda check: check.name)
def test_client(check: Check[ClientUnderTest], factory: Factory, facts: ApiFacts) -> None:
    check.run(ClientUnderTest(factory, facts))


def test_there_are_checks_for_every_field_and_code() -> None:
    # A suite that lost its cases would pass: so their number and spread are checked too.
    assert len(CLIENT_CHECKS) >= 25
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
