"""What a job of a bulk run costs, in counts: calls in threads, transactions, syncs."""

import os
from collections import Counter
from typing import Any

import anyio.to_thread
import pytest
from seedream.journal.commit import Committer
from support.bulk_bench import Bench
from support.pictures import picture


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    counted: Counter[str] = Counter()
    in_thread, sync, commit = anyio.to_thread.run_sync, os.fsync, Committer._commit

    async def run_sync(*arguments: Any, **options: Any) -> Any:
        counted["threads"] += 1
        return await in_thread(*arguments, **options)

    def fsync(descriptor: int) -> None:
        counted["syncs of pictures"] += 1
        sync(descriptor)

    def committed(committer: Committer) -> None:
        counted["transactions"] += 1
        commit(committer)

    monkeypatch.setattr(anyio.to_thread, "run_sync", run_sync)
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr("seedream.bulk.gallery._Thumbnails.of", lambda *_: {})  # each is a file of its own
    monkeypatch.setattr(Committer, "_commit", committed)
    return counted


@pytest.mark.parametrize(("sources", "threads"), [(False, 6), (True, 7)])
def test_what_a_job_costs(bench: Bench, counts: Counter[str], *, sources: bool, threads: int) -> None:
    """Alone on its way, a job takes six calls in threads.

    They look up the host, record "submitting", record the task id, look for a picture that is there already, store the
    picture, and record the delivery. Source images are read in one more. At once, jobs share transactions.
    """
    source = bench.root / "source.png"
    source.write_bytes(picture())
    more = {"source_images": [str(source)]} if sources else {}
    seen: list[Counter[str]] = []
    for jobs in (range(1), range(6), range(16)):  # the first one makes the journal
        counts.clear()
        bench.run(*({"id": str(job), "prompt": f"{job}", **more} for job in jobs), in_flight=1)
        seen.append(Counter(counts))
    assert set(bench.states().values()) == {"downloaded"}
    _, few, many = seen
    assert {name: many[name] - few[name] for name in many} == {
        "threads": 5 * threads,
        "syncs of pictures": 5 * 2,
        "transactions": 5 * 3,
    }
