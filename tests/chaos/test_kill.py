"""Faults C1 to C3 and C5, the short form of ``make chaos``: the judge is the service's ledger."""

import pytest

from chaos.interrupt import interrupt_often
from chaos.kill import kill_often
from chaos.runner import FAILPOINTS

pytestmark = pytest.mark.long


def test_kills_lose_nothing() -> None:
    verdict = kill_often(24, seed=5)
    assert verdict.kills == 24
    assert verdict.bad == 0, verdict
    assert len(verdict.at) > 6  # at random moments and at several failpoints
    assert set(verdict.at) <= {*FAILPOINTS, "random"}


def test_the_judge_finds_a_run_that_forgets() -> None:
    # A recovery that sends again what was being sent pays twice, and the judge must see it.
    assert kill_often(4, seed=5, forgetful=True).twice > 0


def test_ctrl_c_leaves_nothing_unknown() -> None:
    # Fault C5: the first Ctrl-C lets submissions finish.
    outcome = interrupt_often(6, seed=5)
    assert (outcome.tries, outcome.unknown, outcome.verdict.bad) == (6, 0, 0), outcome


def test_second_ctrl_c_breaks_off_and_lists_what_it_broke() -> None:
    outcome = interrupt_often(4, seed=5, twice=True)
    assert outcome.unknown > 0
    assert outcome.verdict.bad == 0, outcome  # charges are pictures or listed unknowns
