"""Fault C4: a power cut is like a kill, because every commit is on the disk before it returns."""

from chaos.power import cut_power


def test_power_cuts_lose_nothing() -> None:
    tally = cut_power(200, seed=1)
    assert tally.cuts == 200
    assert tally.bad == 0, tally
    assert tally.unknown > 0  # the cuts did fall between the charge and the task id
    assert len(tally.kinds) == 5


def test_a_weaker_journal_is_found_out() -> None:
    # The same harness against a journal that does not wait for the disk: it must see the loss.
    def weaker(sql: str) -> str:
        return sql.replace("synchronous=FULL", "synchronous=NORMAL")

    tally = cut_power(200, seed=1, override=weaker, records_lost=True)
    assert tally.forgotten > 0
    assert tally.lost + tally.twice > 0
    # With the mark in the lock file such a journal is refused, and nothing is paid twice.
    refused = cut_power(200, seed=1, override=weaker)
    assert refused.broken > 0
    assert refused.lost + refused.twice == 0
