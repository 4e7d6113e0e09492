"""When a run stops by itself: nothing is spent that need not be, the queue is kept, and it can go on."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpx
import pytest
from seedream.bulk import BulkOptions, engine
from seedream.errors import BudgetReached, ConfigError, InsufficientCredits, JournalError, JournalFull, RateLimited
from seedream.journal import Journal, Picture, ReadOnlyJournal
from seedream.journal.submission_record import SubmissionRecord
from support.bulk_bench import Bench


def test_credits_pause_the_run_and_keep_the_queue(rich_bench: Callable[[int], Bench]) -> None:
    # Fault S18.
    bench = rich_bench(3)
    report = bench.run(*(f"job {n}" for n in range(6)))
    assert (report.reason, report.spent) == ("credits", 3)
    assert isinstance(report.error, InsufficientCredits)
    assert (report.counts["downloaded"], report.counts["planned"], report.left) == (3, 3, 3)
    bench.running.service.balance = 100  # topped up
    assert bench.bulk.run().complete
    assert bench.paid == [f"job {n}" for n in range(6)]


def test_budget_is_never_exceeded(bench: Bench) -> None:
    # Rule I9: refused before spending beyond it, also with several submissions on the way.
    bench.running.service.delay = 0.01
    jobs: list[Any] = [{"id": str(n), "prompt": f"p{n}", "batchsize": 3} for n in range(10)]
    report = bench.run(*jobs, budget=10, concurrency=4)
    assert (report.reason, report.spent) == ("budget", 9)
    assert isinstance(report.error, BudgetReached)
    assert len(bench.paid) == 3
    assert bench.bulk.run(options=BulkOptions(budget=30)).complete
    assert len(bench.paid) == 10


def test_refused_key_stops_at_once(bench: Bench) -> None:
    # Fault S11.
    report = bench.run("[[401]]", "b", "c")
    assert report.reason == "key"
    assert bench.states() == {"[[401]]": "planned", "b": "planned", "c": "planned"}
    assert bench.paid == []


def test_three_unknowns_in_a_row_stop_to_protect_the_credits(bench: Bench) -> None:
    # Fault S22: stop submitting, but bring home what is paid.
    report = bench.run("good", "1 [[cut]]", "2 [[500]]", "3 [[noid]]", "never", "never either")
    assert report.reason == "unknowns"
    assert report.counts["unknown"] == 3
    assert bench.states()["good"] == "downloaded"
    assert bench.states()["never"] == "planned"


def test_too_many_requests_are_answered_with_patience_then_with_a_stop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Fault S8: slower and slower, and after so long without any success the run stops.
    monkeypatch.setattr(bench.running.service, "_refusal", lambda *_: (429, b"", "text/plain"))
    report = bench.run("a", "b", patience=300)
    assert report.reason == "rate_limited"
    assert isinstance(report.error, RateLimited)
    assert 300 < bench.clock.now - 1000 < 400
    assert max(bench.clock.slept) <= 60
    assert bench.states() == {"a": "planned", "b": "planned"}


def test_dead_network_stops_and_goes_on_later(bench: Bench) -> None:
    # Fault S2: nothing left, so nothing is unknown.
    def unreachable(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    bench.transport = httpx.MockTransport(unreachable)
    report = bench.run("a", patience=60)
    assert report.reason == "network"
    assert bench.job("a").state == "planned"
    bench.transport = None
    assert bench.bulk.run().complete


def test_run_is_not_carried_to_another_service(bench: Bench) -> None:
    # A rehearsal must not turn into a paid run, and task ids belong to one service.
    bench.run("a", "b", budget=1)
    here = bench.running.service.base
    bench.running.service.base = here.replace("127.0.0.1", "localhost")
    with pytest.raises(ConfigError, match=f"belongs to the service at {here}"):
        bench.bulk.run(options=BulkOptions(budget=9))
    assert bench.paid == ["a"]
    assert bench.bulk.run(options=BulkOptions(budget=9, moved=True)).complete


def test_full_disk_stops_before_sending(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # Fault S4.
    real = SubmissionRecord.begin

    def begin(self: SubmissionRecord) -> None:
        if bench.paid:
            raise JournalFull("no room", hint="Make room.")
        real(self)

    monkeypatch.setattr(SubmissionRecord, "begin", begin)
    report = bench.run("a", "b", "c")
    assert report.reason == "disk"
    assert bench.paid == ["a"]
    assert bench.states() == {"a": "downloaded", "b": "planned", "c": "planned"}
    monkeypatch.undo()
    assert bench.bulk.run().complete


def test_id_that_cannot_be_written_is_tried_for_long(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # A paid id is not lost to a disk that is full for a while.
    real = SubmissionRecord.submitted
    tries: list[str] = []

    def submitted(self: SubmissionRecord, taskid: str) -> None:
        tries.append(taskid)
        if len(tries) < 5:
            raise JournalFull("no room", taskid=taskid)
        real(self, taskid)

    monkeypatch.setattr(SubmissionRecord, "submitted", submitted)
    report = bench.run("a", "b")
    assert report.reason == "disk"
    assert bench.states() == {"a": "downloaded", "b": "planned"}
    assert report.unrecorded == {}


@pytest.mark.parametrize("kind", [JournalFull, JournalError])
def test_id_that_can_never_be_written_is_in_the_report(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: type[JournalError]
) -> None:
    def submitted(_: SubmissionRecord, taskid: str) -> None:
        raise kind("the disk does not take it", taskid=taskid)

    monkeypatch.setattr(SubmissionRecord, "submitted", submitted)
    report = bench.run("a")
    assert list(report.unrecorded) == ["a"]
    assert (bench.clock.now - 1000 > 300) == (kind is JournalFull)  # a broken disk is not waited for
    monkeypatch.undo()
    bench.bulk.run()  # the next start finds it unknown, and the user puts the id in
    assert bench.job("a").state == "unknown"
    bench.bulk.resolve("a", taskid=report.unrecorded["a"])
    assert bench.bulk.run().complete
    assert bench.paid == ["a"]


def test_unknown_is_never_sent_again_without_a_word(bench: Bench) -> None:
    bench.run("[[cut]] once")
    for _ in range(3):
        bench.bulk.run()
    assert bench.paid == ["[[cut]] once"]
    bench.bulk.resolve("[[cut]] once", again=True)
    bench.bulk.run()
    assert bench.paid == ["[[cut]] once"] * 2


@pytest.mark.parametrize(("charged", "spent"), [(True, 2), (False, 1)])
def test_resolve_gives_the_cost_back_only_if_asked(bench: Bench, charged: bool, spent: int) -> None:
    bench.run("[[cut]]", "b")
    bench.bulk.resolve("[[cut]]", charged=charged)
    assert bench.states()["[[cut]]"] == "abandoned"
    assert bench.bulk.counts()[0].spent == spent


def test_resolve_takes_only_unknown_jobs(bench: Bench) -> None:
    bench.run("a", "[[cut]]")
    with pytest.raises(JournalError, match="downloaded, so there is nothing"):
        bench.bulk.resolve("a", again=True)
    with pytest.raises(JournalError, match="not in this run"):
        bench.bulk.resolve("zzz")
    with pytest.raises(ConfigError, match="not sent again"):
        bench.bulk.resolve("[[cut]]", taskid="t", again=True)


def test_retry_of_a_rejected_job_frees_nothing_of_an_earlier_try(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # The first try may have been charged: that stays counted, whatever becomes of the second.
    bench.run("[[cut]]")
    bench.bulk.resolve("[[cut]]", again=True)
    refusal = json.dumps({"code": 9999, "msg": "no"}).encode()
    monkeypatch.setattr(bench.running.service, "_refusal", lambda *_: (200, refusal, "application/json"))
    bench.bulk.run()
    assert bench.states() == {"[[cut]]": "rejected"}
    bench.bulk.retry()
    assert bench.bulk.counts()[0].spent == 1


def test_retry_plans_rejected_and_failed_again(bench: Bench) -> None:
    bench.run("[[reject]]", "[[fail]]", "c")
    assert bench.bulk.retry(["rejected"]) == 1
    assert bench.bulk.retry() == 1
    with pytest.raises(ConfigError, match="resolved one by one"):
        bench.bulk.retry(["unknown"])
    bench.bulk.run()
    assert bench.states() == {"[[reject]]": "rejected", "[[fail]]": "failed", "c": "downloaded"}
    assert bench.paid.count("[[fail]]") == 2  # on the user's word, and counted
    assert bench.bulk.counts()[0].spent == 3


def test_stuck_task_is_left_for_a_resume(bench: Bench) -> None:
    # Fault P3: it is the server's still, and not failed.
    bench.run("[[stuck]]", "b", task_timeout=30)
    job = bench.job("[[stuck]]")
    assert (job.state, job.error) == ("submitted", "WaitTimeout")
    assert bench.states()["b"] == "downloaded"


def test_folder_without_a_run_is_reported(bench: Bench) -> None:
    with pytest.raises(JournalError, match="there is no bulk run"):
        bench.bulk.run()
    with pytest.raises(JournalError, match="no journal"):
        bench.bulk.counts()
    bench.out.mkdir()
    with Journal(bench.out / "journal.sqlite"):
        pass
    with pytest.raises(JournalError, match="holds no bulk run"):
        bench.bulk.counts()


@pytest.mark.parametrize("asked", ["0", "-5", "Wed, 21 Oct 2015 07:28:00 GMT", "nonsense", ""])
def test_retry_after_is_a_minimum_and_not_the_pause(bench: Bench, asked: str) -> None:
    # A server that asks for a retry "at once" must not cause a flood of requests.
    tries = 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        return httpx.Response(429, headers={"retry-after": asked} if asked else {})

    bench.transport = httpx.MockTransport(answer)
    report = bench.run("a", "b", "c", "d", patience=300, concurrency=4)
    assert report.reason == "rate_limited"
    assert tries < 60
    assert bench.clock.now - 1000 > 300


def test_a_request_timeout_is_sent_again_once(bench: Bench) -> None:
    # A 408 is repeated once, not without end.
    tries = 0

    def answer(_: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        return httpx.Response(408)

    bench.transport = httpx.MockTransport(answer)
    report = bench.run("a", "b")
    assert (report.reason, tries) == ("network", 2)
    assert bench.states() == {"a": "planned", "b": "planned"}


@contextmanager
def suppress_no_run() -> Iterator[None]:
    try:
        yield
    except JournalError as error:
        if "holds no bulk run" not in str(error):
            raise


def test_a_run_that_is_cancelled_from_outside_leaves_the_journal_whole(bench: Bench) -> None:
    # A cancellation in the middle of a commit must not close the database under it.
    bench.running.service.delay = 0.005
    jobs = bench.write(*(f"job {number}" for number in range(60)))

    async def cancelled(after: float) -> None:
        with anyio.move_on_after(after):
            await bench.bulk.arun(jobs, options=BulkOptions(concurrency=4))

    for number in range(20):
        anyio.run(cancelled, 0.02 + 0.007 * number)
        with suppress_no_run():  # on a slow machine the first ones are cancelled before there is a run
            bench.bulk.counts()
    while bench.bulk.run(jobs).reason != "done":
        pass
    assert len(set(bench.paid)) == len(bench.paid)  # nothing is paid for twice
    states = bench.states()
    assert {states[prompt] for prompt in bench.paid} <= {"downloaded", "unknown"}


@pytest.mark.parametrize(("spare", "reason", "done"), [(-1, "disk", 1), (0, "done", 2)])
def test_nothing_is_paid_for_that_the_disk_has_no_room_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, spare: int, reason: str, done: int
) -> None:
    # Rule: the room that is needed is that of the pictures that are paid for, at the average size so far.
    (size,) = {one.bytes for one in _pictures_of(bench, {"id": "first", "prompt": "a"})}
    free = engine._MARGIN + 3 * size + spare
    monkeypatch.setattr("seedream.bulk.engine.shutil.disk_usage", lambda _: type("Usage", (), {"free": free}))
    report = bench.run(
        {"id": "first", "prompt": "a"},
        {"id": "one", "prompt": "b"},
        {"id": "three", "prompt": "c", "batchsize": 3},
        in_flight=1,
        concurrency=1,
    )
    assert (report.reason, report.counts["downloaded"]) == (reason, done + 1)
    if reason == "disk":
        needed = f"has room for {free:,} bytes, and {free + 1:,} are needed"
        assert needed in str(report.error)
        assert "Make room, then resume." in str(report.error)
        assert bench.job("three").state == "planned"


def _pictures_of(bench: Bench, job: Any) -> list[Picture]:
    bench.run(job)
    with ReadOnlyJournal(bench.out / "journal.sqlite") as journal:
        return journal.pictures(bench.job(job["id"]).id)
