"""The short forms of ``make chaos`` for lost records, full disks and dead picture hosts."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from chaos.damage import DAMAGES, damage_often
from chaos.kill import Lives, serving
from chaos.runner import ENDS
from chaos.service import charges
from chaos.small_disk import fill_often


def test_no_journal_that_lost_records_goes_on() -> None:
    # Each damage is refused before anything is charged.
    tally = damage_often(2 * len(DAMAGES), seed=5)
    assert tally.bad == 0, tally
    assert tally.refused >= len(DAMAGES)
    assert len(tally.at) == len(DAMAGES)


def test_full_disks_lose_nothing() -> None:
    # Issues 16.3, 16.17: and Ctrl-C is heard.
    tally = fill_often(4, seed=5)
    if tally is None:
        pytest.skip("no file system can be mounted here")
    assert tally.verdict.bad == 0, tally
    assert set(tally.codes) <= {ENDS["done"], ENDS["disk"], ENDS["interrupted"], ENDS["unknowns"]}
    assert tally.slowest < 10


@pytest.mark.parametrize("word", ["[[expired]]", "[[fail]]"])
def test_a_dead_picture_host_is_paid_for_four_jobs(tmp_path: Path, word: str) -> None:
    # A run whose pictures all fail stops before more than a few jobs are charged.
    rows = [{"id": str(number), "prompt": f"{number} {word}", "batchsize": 1} for number in range(100)]
    (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (
        serving(tmp_path / "ledger") as address,
        closing(Lives(str(tmp_path / "out"), str(tmp_path / "jobs.jsonl"), address)) as lives,
    ):
        assert lives.begin().wait() == ENDS["downloads"]
    assert len(charges(tmp_path / "ledger")) <= 4
