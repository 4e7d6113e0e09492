"""The importable checks hold for the overlay, blocking and awaiting, by the judge and by the tables alike."""

import judge
import pytest
from seedream import AsyncSeeDream, SeeDream
from seedream_testing.contract import CLIENT_CHECKS, Check, Page, awaiting, from_tables
from seedream_testing.contract.client import Bench, Factory

FACTORIES = {"sync": SeeDream, "async": awaiting(AsyncSeeDream)}
PAGES = {"judge": judge.PAGE, "tables": from_tables()}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)
@pytest.mark.parametrize("check", CLIENT_CHECKS, ids=lambda check: check.name)
def test_client(check: Check[Bench], factory: Factory, page: Page) -> None:
    check.run(Bench(factory, page))


def test_there_are_checks_for_every_field_and_code() -> None:
    # A suite that lost its cases would pass: so their number and spread are checked too.
    assert len(CLIENT_CHECKS) >= 25
    rules = {case.rule for case in judge.PAGE.legal} | {case.rule for case in judge.PAGE.illegal}
    assert rules >= set(filter(None, judge.PAGE.rules.values())) | {
        "RES-RATIO",
        "RES-TIER",
        "RES-PIXELS",
        "RES-EXAMPLES",
    }
    for page in PAGES.values():
        assert all(page.judge(case.wire).legal for case in page.legal if case.wire)
        assert all(page.judge(case.wire).legal is False for case in page.illegal if case.wire)
        assert {page.judge(case.wire).rule for case in page.illegal if case.wire} >= {"RES-PIXELS", "BATCH-RANGE"}
