"""A submitter and a row function, with no engine but the standard library's threads."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from seedream.bulk import MANIFEST_COLUMNS, Bulk, BulkOptions, GenerateRows, SubmitterThread
from seedream.errors import InvalidRequest, JournalLocked

from scale.service import delivered, judge, rows


def test_a_plain_map_delivers_every_row_and_pays_once_for_what_is_asked_for_twice(tmp_path: Path) -> None:
    with judge() as service:
        with (
            SubmitterThread(tmp_path / "out", connect=service.connect) as submitter,
            GenerateRows(submitter, str(tmp_path / "pictures"), connect=service.connect) as generate,
            ThreadPoolExecutor(8) as pool,
        ):
            asked = rows(12)
            manifest = [row for part in pool.map(generate, asked + asked) for row in part]
        assert delivered(manifest) == {row["id"] for row in asked}
        assert (service.paid, service.paid_twice) == (12, [])
    assert all(tuple(row) == MANIFEST_COLUMNS for row in manifest)


def test_a_run_of_an_engine_is_a_bulk_run_for_every_other_command(tmp_path: Path) -> None:
    with judge() as service:
        with (
            SubmitterThread(tmp_path / "out", connect=service.connect, jobs=rows(3)) as submitter,
            GenerateRows(submitter, str(tmp_path / "out" / "pictures"), connect=service.connect) as generate,
        ):
            generate(rows(3)[0])
        counts = Bulk(tmp_path / "out").counts()[1]
        assert (counts["downloaded"], counts["planned"]) == (1, 2)
        assert len((tmp_path / "out" / "results.jsonl").read_text("utf-8").splitlines()) == 3
        assert Bulk(tmp_path / "out", connect=service.connect).run().counts["downloaded"] == 3
        assert (service.paid, service.paid_twice) == (3, [])


def test_errors_are_columns_and_a_rule_broken_sends_nothing(tmp_path: Path) -> None:
    with judge() as service:
        with (
            SubmitterThread(tmp_path / "out", connect=service.connect) as submitter,
            GenerateRows(submitter, str(tmp_path / "pictures"), connect=service.connect) as generate,
        ):
            (row,) = generate({"id": "wrong", "prompt": "x", "resolution": "1x1"})
        assert (row["error"], row["billing"], row["path"]) == ("InvalidRequest", "no", None)
        assert service.paid == 0


def test_the_budget_holds_for_all_workers_together(tmp_path: Path) -> None:
    with judge() as service:
        options = BulkOptions(budget=5)
        with (
            SubmitterThread(tmp_path / "out", connect=service.connect, options=options) as submitter,
            GenerateRows(submitter, str(tmp_path / "pictures"), connect=service.connect) as generate,
            ThreadPoolExecutor(8) as pool,
        ):
            manifest = [row for part in pool.map(generate, rows(20)) for row in part]
        assert service.paid == 5
        assert sorted({(row["state"], row["billing"]) for row in manifest}) == [
            ("downloaded", "yes"),
            ("planned", "no"),
        ]


def test_a_caller_that_goes_away_does_not_break_off_its_submission(tmp_path: Path) -> None:
    with judge() as service:
        with SubmitterThread(tmp_path / "out", connect=service.connect) as submitter:

            async def gone() -> None:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(submitter.ensure("job-0", {"prompt": "picture 0"}), 0.0001)

            asyncio.run(gone())
        counts = Bulk(tmp_path / "out").counts()[1]
        assert counts["unknown"] == 0
        assert service.paid == counts["submitted"]


def test_rows_can_be_awaited_and_closed_in_any_event_loop(tmp_path: Path) -> None:
    with judge() as service, SubmitterThread(tmp_path / "out", connect=service.connect) as submitter:
        with GenerateRows(submitter, str(tmp_path / "pictures"), connect=service.connect) as generate:
            for number in range(2):
                (row,) = asyncio.run(generate.rows([rows(2)[number]]))
                assert row["state"] == "downloaded"

        async def once() -> None:
            (row,) = await generate.rows(rows(1))
            await generate.aclose()
            assert row["state"] == "downloaded"

        asyncio.run(once())
    assert (service.paid, service.paid_twice) == (2, [])


def test_wrong_jobs_and_a_second_submitter_are_refused_at_the_door(tmp_path: Path) -> None:
    with judge() as service:
        with pytest.raises(InvalidRequest):
            SubmitterThread(tmp_path / "out", connect=service.connect, jobs=[{"prompt": ""}])
        with SubmitterThread(tmp_path / "out", connect=service.connect):
            before = threading.active_count()
            with pytest.raises(JournalLocked):
                SubmitterThread(tmp_path / "out", connect=service.connect)
            assert threading.active_count() == before
