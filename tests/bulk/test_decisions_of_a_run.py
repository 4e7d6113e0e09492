"""What a run decides after each submission and each delivery: go on, pause, stop and why; nothing is paid in vain."""

import errno
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import anyio
import httpx
import pytest
from attrs import evolve, frozen
from seedream import AsyncSeeDream, RetryPolicy
from seedream._support.threads import in_thread
from seedream.bulk import BulkOptions, Delivery, PreparedRun, RunControl, Submitter, prepare_run
from seedream.bulk import engine as engines
from seedream.bulk.engine import Engine
from seedream.bulk.folder import Folder
from seedream.bulk.jobs_file import REDACTED
from seedream.bulk.report import Reason, Report, Snapshot
from seedream.bulk.submitter import InterruptibleSubmission, RunStopping
from seedream.errors import (
    AuthError,
    ConfigError,
    DiskError,
    DownloadError,
    InvalidRequest,
    JournalError,
    JournalFull,
    NotSent,
    RateLimited,
    Rejected,
    ResultExpired,
    SeeDreamError,
    SubmissionUnknown,
    TaskFailed,
    WaitTimeout,
)
from seedream.journal import Job, Journal, Picture, Run, SubmissionRecord
from support.clients import KEY
from support.clock import FakeClock
from support.fake_service import FakeService
from support.pictures import picture

HOST = "https://images.example"
ACCEPTED = {"code": 1000, "msg": "", "data": {"taskid": "t-1"}}
NO_CREDITS = {"code": 9000, "msg": "none"}
UNREACHABLE = httpx.ConnectError("no route")
RETRY = RetryPolicy(base=2.0, cap=30.0, retry_after_cap=50.0)


@frozen
class Parts:
    """A submitter and what it works with."""

    submitter: Submitter
    control: RunControl
    journal: Journal
    run: Run
    clock: FakeClock
    client: AsyncSeeDream

    def job(self, key: str = "a") -> Job:
        job = self.journal.by_key(self.run.id, key)
        assert job is not None
        return job

    def plan(self, *keys: str) -> list[Job]:
        for key in keys:
            self.submitter._plan(key, {"prompt": key})
        return [self.job(key) for key in keys]


def use(folder: Path, work: Callable[[Parts], Awaitable[Any]], *answers: Any, draw: float = 1.0, **options: Any) -> Any:
    """Use a submitter whose service gives these answers, the last one again and again."""

    async def inside() -> Any:
        clock, settings = FakeClock(), BulkOptions(**options)
        transport = FakeService(submissions=answers or (ACCEPTED,)).transport
        async with AsyncSeeDream(
            KEY, base_url="https://api.example", transport=transport, clock=clock, retry=RETRY
        ) as client:
            client.service = evolve(client.service, random=lambda: draw)
            with Journal(folder / "journal.sqlite", clock=clock.time) as journal:
                prepared = prepare_run(journal, None, settings, client.service.base_url)
                submitter = Submitter(client, prepared, clock)
                return await work(Parts(submitter, submitter.control, journal, prepared.run, clock, client))

    return anyio.run(inside)


def busy(after: str | None = None) -> httpx.Response:
    return httpx.Response(429, headers={} if after is None else {"retry-after": after})


# Pauses.


@pytest.mark.parametrize(
    ("refusals", "draw", "slept"),
    [
        ([busy()], 1.0, [2.0]),
        ([busy()], 0.0, [1.0]),  # half of a pause is fixed
        ([busy()] * 3, 1.0, [2.0, 4.0, 8.0]),
        ([busy()] * 6, 1.0, [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]),
        ([busy("0")], 1.0, [2.0]),  # a minimum: "at once" must not lead to a flood
        ([busy("20")], 1.0, [20.0]),
        ([busy("70")], 1.0, [50.0]),
        ([UNREACHABLE], 1.0, [2.0]),
        ([UNREACHABLE, busy("9")], 1.0, [2.0, 9.0]),
    ],
)
def test_how_long_a_run_pauses_before_it_tries_again(
    tmp_path: Path, refusals: list[Any], draw: float, slept: list[float]
) -> None:
    async def work(parts: Parts) -> list[float]:
        (job,) = parts.plan("a")
        assert await parts.submitter.submit(job) == "t-1"
        assert (parts.submitter.waiting, parts.control.reason) == ("", None)
        assert parts.submitter._patience.refusals == 0
        assert parts.job().attempt == len(refusals) + 1
        return [seconds for seconds in parts.clock.slept if seconds]

    assert use(tmp_path, work, *refusals, ACCEPTED, draw=draw) == slept


@pytest.mark.parametrize(
    ("answer", "waiting", "size"), [(busy(), "too many requests", 4), (UNREACHABLE, "no connection", 8)]
)
def test_what_a_run_waits_for_is_said_and_only_429_makes_it_slower(
    tmp_path: Path, answer: Any, waiting: str, size: int
) -> None:
    async def work(parts: Parts) -> Any:
        seen: list[Any] = []
        real = parts.clock.async_sleep

        async def sleep(seconds: float) -> None:
            if seconds:
                submitter = parts.submitter
                seen.append((submitter.waiting, submitter.concurrency, submitter._limiter.total_tokens))
            await real(seconds)

        parts.submitter._clock = parts.clock
        parts.clock.async_sleep = sleep  # type: ignore[method-assign]  # looks, then sleeps
        await parts.submitter.submit(parts.plan("a")[0])
        return seen

    assert use(tmp_path, work, answer, ACCEPTED, concurrency=8) == [(waiting, size, size)]


def test_the_concurrency_comes_back_with_what_gets_through(tmp_path: Path) -> None:
    async def work(parts: Parts) -> list[Any]:
        sizes = []
        for job in parts.plan("a", "b", "c", "d"):
            taskid = await parts.submitter.submit(job)
            assert taskid.startswith("t-")
            sizes.append((parts.submitter.concurrency, parts.submitter._limiter.total_tokens))
        return sizes

    answers = [{"code": 1000, "msg": "", "data": {"taskid": f"t-{n}"}} for n in range(4)]
    assert use(tmp_path, work, busy(), *answers, concurrency=4) == [(2, 2), (3, 3), (3, 3), (3, 3)]


def test_submissions_keep_the_rate(tmp_path: Path) -> None:
    async def work(parts: Parts) -> Any:
        for job in parts.plan("a", "b", "c"):
            await parts.submitter.submit(job)
        return [seconds for seconds in parts.clock.slept if seconds]

    answers = [{"code": 1000, "msg": "", "data": {"taskid": f"t-{n}"}} for n in range(3)]
    assert use(tmp_path, work, *answers, rate=0.25) == [4.0, 4.0]


def test_a_short_pause_is_not_made_longer_where_the_server_asks_for_none(tmp_path: Path) -> None:
    async def work(parts: Parts) -> Any:
        parts.client.service = evolve(parts.client.service, retry=RetryPolicy(base=0.5))
        await parts.submitter.submit(parts.plan("a")[0])
        return [seconds for seconds in parts.clock.slept if seconds]

    assert use(tmp_path, work, busy(), busy("0"), ACCEPTED, draw=0.0) == [0.25, 0.5]


# Ends.


@pytest.mark.parametrize(
    ("answer", "reason", "state", "kind"),
    [
        (NO_CREDITS, "credits", "planned", SeeDreamError),
        ({**NO_CREDITS, "data": {"taskid": "t-9"}}, None, "unknown", SubmissionUnknown),
        (httpx.Response(401), "key", "planned", AuthError),
        (httpx.Response(403), "key", "planned", AuthError),
        ({"code": 9999, "msg": "no"}, None, "rejected", Rejected),
        (httpx.Response(404), "setup", "planned", ConfigError),
        (httpx.Response(405), "setup", "planned", ConfigError),
        (httpx.Response(307, headers={"location": "/x"}), "setup", "planned", ConfigError),
        (httpx.Response(500), None, "unknown", SubmissionUnknown),
        (httpx.Response(408), "network", "planned", NotSent),
        (httpx.Response(422), None, "rejected", Rejected),
    ],
)
def test_what_each_answer_means_for_the_run(
    tmp_path: Path, answer: Any, reason: str | None, state: str, kind: type[SeeDreamError]
) -> None:
    async def work(parts: Parts) -> None:
        with pytest.raises(kind) as caught:
            await parts.submitter.submit(parts.plan("a")[0])
        assert (parts.control.reason, parts.job().state) == (reason, state)
        assert parts.control.error is (caught.value if reason else None)

    use(tmp_path, work, answer)


@pytest.mark.parametrize(("answer", "stops"), [(httpx.Response(500), True), ({"code": 9999, "msg": "no"}, False)])
def test_only_submissions_without_a_usable_answer_open_the_breaker(tmp_path: Path, answer: Any, stops: bool) -> None:
    # Rule: a refusal is a usable answer, so it also ends a row of answers that were not.
    async def work(parts: Parts) -> Any:
        for number, job in enumerate(parts.plan(*"abc")):
            assert parts.control.reason is None, number
            with pytest.raises(SeeDreamError):
                await parts.submitter.submit(job)
        return parts.control.reason

    assert use(tmp_path, work, answer) == ("unknowns" if stops else None)
    (tmp_path / "again").mkdir()
    unsure = httpx.Response(500)

    async def between(parts: Parts) -> Any:
        for job in parts.plan(*"abcd"):
            with pytest.raises(SeeDreamError):
                await parts.submitter.submit(job)
        return parts.control.reason

    assert use(tmp_path / "again", between, unsure, unsure, {"code": 9999, "msg": "no"}, unsure) is None


@pytest.mark.parametrize(
    ("answer", "reason", "kind"), [(busy(), "rate_limited", RateLimited), (UNREACHABLE, "network", NotSent)]
)
def test_after_so_long_without_one_that_gets_through_the_run_stops(
    tmp_path: Path, answer: Any, reason: str, kind: type[SeeDreamError]
) -> None:
    async def work(parts: Parts) -> None:
        with pytest.raises(kind) as caught:
            await parts.submitter.submit(parts.plan("a")[0])
        assert (parts.control.reason, parts.control.error) == (reason, caught.value)
        assert parts.job().state == "planned"
        assert [seconds for seconds in parts.clock.slept if seconds] == [2.0, 4.0, 8.0]

    use(tmp_path, work, answer, patience=13.0)


def test_a_fault_of_the_set_up_is_not_waited_for(tmp_path: Path) -> None:
    async def work(parts: Parts) -> None:
        error = NotSent("no proxy", retryable=False)

        async def post(job: Job) -> str:
            del job
            raise error

        parts.submitter._post = post  # type: ignore[method-assign]  # what a wrong set-up leads to
        with pytest.raises(NotSent):
            await parts.submitter.submit(parts.plan("a")[0])
        assert (parts.control.reason, parts.control.error) == ("setup", error)
        assert [seconds for seconds in parts.clock.slept if seconds] == []

    use(tmp_path, work)


def test_a_journal_or_budget_that_stops_a_submission_stops_the_run(tmp_path: Path) -> None:
    async def work(parts: Parts) -> None:
        with pytest.raises(JournalError):
            await parts.submitter.submit(parts.plan("a")[0])
        assert (parts.control.reason, parts.job().state) == ("budget", "planned")

    use(tmp_path, work, budget=0)

    async def full(parts: Parts) -> None:
        def begin(_: object) -> None:
            raise JournalFull("no room")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SubmissionRecord, "begin", begin)
            with pytest.raises(JournalFull):
                await parts.submitter.submit(parts.plan("b")[0])
        assert (parts.control.reason, parts.job("b").state) == ("disk", "planned")

    use(tmp_path, full)


def test_a_request_that_cannot_be_built_any_more_is_recorded_and_the_run_goes_on(tmp_path: Path) -> None:
    async def work(parts: Parts) -> None:
        url = "https://h.example/a.png?X-Signature=1"
        job = parts.submitter._plan("a", {"prompt": "p", "image_url": url})
        parts.submitter._redacted_options.clear()
        with pytest.raises(InvalidRequest) as caught:
            await parts.submitter.submit(job)
        assert caught.value.message == "request: its image_url is signed, and signatures are not kept"
        assert caught.value.hint == "Run the jobs file again with the same output folder."
        assert (parts.control.reason, parts.job().state, parts.job().error) == (None, "planned", "InvalidRequest")
        with pytest.raises(InvalidRequest, match="its image_url, source_images is signed"):
            await parts.submitter.submit(evolve(job, request={"prompt": "p", REDACTED: ["image_url", "source_images"]}))
        with pytest.raises(InvalidRequest) as caught:
            await parts.submitter.submit(evolve(job, request={"prompt": "another"}))
        assert caught.value.message == "request: a source image has changed since the job was planned"
        assert caught.value.hint == "Give it another id."

    use(tmp_path, work)


def test_a_submission_that_did_not_begin_can_be_cancelled_and_one_that_did_cannot(tmp_path: Path) -> None:
    async def work(parts: Parts) -> None:
        (job,) = parts.plan("a")
        record = InterruptibleSubmission(parts.journal.submission_record(job.id, 1), lambda: parts.control.stopping)
        assert not record.scope.shield
        await in_thread(record.begin)
        assert record.scope.shield
        parts.control.interrupt("interrupted")
        for one in (record, InterruptibleSubmission(parts.journal.submission_record(job.id, 1), lambda: True)):
            with pytest.raises(RunStopping):
                await in_thread(one.begin)
        assert not one.scope.shield
        record.submitted("t-1")
        assert (parts.job().state, parts.job().attempt) == ("submitted", 1)

    use(tmp_path, work)


def test_what_has_ended_is_not_on_the_way_any_more(tmp_path: Path) -> None:
    async def work(parts: Parts) -> None:
        for job in parts.plan("a", "b"):
            with suppress(SeeDreamError):
                await parts.submitter.submit(job)
            assert parts.submitter._on_the_way == set()
        parts.submitter.cancel()

    use(tmp_path, work, ACCEPTED, httpx.Response(500))


@pytest.mark.parametrize(("paid_before", "reason"), [(False, "tasks"), (True, "done")])
def test_only_failures_of_what_this_start_paid_for_stop_it(tmp_path: Path, paid_before: bool, reason: str) -> None:
    async def work(parts: Parts) -> Report:
        (job,) = parts.plan("a")
        if paid_before:
            record = parts.journal.submission_record(job.id, 1)
            record.begin()
            record.submitted("t-9")

        async def deliver(taskid: str, _: int) -> Delivery:
            return Delivery(taskid, "failed", error=TaskFailed("no"))

        return await engine_of(parts, tmp_path, deliver=deliver, options=BulkOptions(max_failures=1)).run()

    assert use(tmp_path, work).reason == reason


# The same key again.


@pytest.mark.parametrize(
    ("state", "kind", "said", "hint"),
    [
        ("rejected", Rejected, "job “a” is rejected: no.", "Change the request and give it another id, or retry it."),
        ("abandoned", NotSent, "job “a” is abandoned: given up by the user",
         "Run its jobs file again to plan it again."),
        ("unknown", SubmissionUnknown, "job “a” is unknown: lost.",
         "Resolve it: it may have been billed, and is not sent again."),
        ("submitting", SubmissionUnknown, "job “a” is submitting: given up by the user",
         "Resolve it: it may have been billed, and is not sent again."),
    ],
)  # fmt: skip
def test_a_key_that_has_no_task_says_why(
    tmp_path: Path, state: str, kind: type[SeeDreamError], said: str, hint: str
) -> None:
    async def work(parts: Parts) -> None:
        (job,) = parts.plan("a")
        record = parts.journal.submission_record(job.id, job.cost)
        record.begin()
        if state == "rejected":
            record.refused(Rejected("no"))
        elif state != "submitting":
            record.unknown(SubmissionUnknown("lost"))
        if state == "abandoned":
            parts.journal.abandon(parts.job())
        with pytest.raises(kind) as caught:
            await parts.submitter.ensure("a", {"prompt": "a"})
        assert (type(caught.value), caught.value.message, caught.value.hint) == (kind, said, hint)
        assert not caught.value.retryable
        assert parts.submitter._in_flight == {}

    use(tmp_path, work)


def test_a_run_that_has_stopped_gives_its_reason_to_each_caller(tmp_path: Path) -> None:
    async def work(parts: Parts) -> None:
        parts.control.interrupt("interrupted")
        with pytest.raises(NotSent) as caught:
            await parts.submitter.ensure("a", {"prompt": "a"})
        assert (caught.value.message, caught.value.hint) == (
            "the run has stopped (interrupted)", "Resume the run, then ask again.",
        )  # fmt: skip
        with pytest.raises(RunStopping):
            await parts.submitter.submit(parts.job())
        assert parts.job().state == "planned"

    use(tmp_path, work)

    async def stopped(parts: Parts) -> None:
        first = AuthError("no such key", hint="Check it.")
        parts.control.stop("key", first)
        found = []
        for _ in range(2):
            with pytest.raises(AuthError) as caught:
                await parts.submitter.ensure("b", {"prompt": "b"})
            assert caught.value.hint == "Check it."
            found.append(caught.value)
        assert len({id(one) for one in (first, *found)}) == 3, "an error is raised to one caller only"
        parts.control.error = ValueError("of the machine")
        with pytest.raises(NotSent, match=r"stopped \(key\)"):
            await parts.submitter.ensure("b", {"prompt": "b"})

    use(tmp_path, stopped)


def test_what_is_asked_for_under_a_key_is_planned_with_that_key(tmp_path: Path) -> None:
    async def work(parts: Parts) -> None:
        assert await parts.submitter.ensure("a", {"id": "other", "prompt": "p", "batchsize": 3}) == "t-1"
        job = parts.job()
        assert (job.cost, job.spent, job.state) == (3, 3, "submitted")
        assert parts.journal.by_key(parts.run.id, "other") is None
        url = "https://h.example/a.png?X-Signature=1"
        parts.control.interrupt("interrupted")
        with pytest.raises(NotSent):
            await parts.submitter.ensure("s", {"prompt": "p", "image_url": url})
        assert parts.submitter._redacted_options == {"s": {"prompt": "p", "image_url": url}}

    use(tmp_path, work)


# A task id that cannot be recorded.


@pytest.mark.parametrize("reason", ["interrupted", "cancelled", None])
def test_a_paid_id_is_tried_to_record_for_ten_minutes_or_until_ctrl_c(tmp_path: Path, reason: Any) -> None:
    async def work(parts: Parts) -> None:
        errors = [JournalFull(f"no room {number}", taskid="t-1", billing="yes") for number in range(700)]
        tries, seen = 0, []
        sleep = parts.clock.async_sleep

        def submitted(_: object, taskid: str) -> None:
            nonlocal tries
            assert taskid == "t-1"
            tries += 1
            raise errors[tries - 1]

        async def asleep(seconds: float) -> None:
            seen.append((parts.submitter.waiting, dict(parts.submitter.unrecorded), seconds))
            if reason and len(seen) == 4:
                parts.control.interrupt(reason)
            await sleep(seconds)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SubmissionRecord, "submitted", submitted)
            (job,) = parts.plan("a")
            parts.clock.async_sleep = asleep  # type: ignore[method-assign]  # looks, then sleeps
            with pytest.raises(JournalFull) as caught:
                await parts.submitter.submit(job)
        assert tries == (4 if reason else 601)
        assert caught.value is errors[tries - 1], "the newest reason"
        assert seen[1:] == [("no room to record task t-1 of job a", {"a": "t-1"}, 1.0)] * (3 if reason else 600)
        assert parts.submitter.unrecorded == {"a": "t-1"}
        assert parts.control.reason == (reason or "disk")

    use(tmp_path, work)


def test_a_journal_that_is_broken_is_not_tried_again(tmp_path: Path) -> None:
    async def work(parts: Parts) -> None:
        error = JournalError("damaged", taskid="t-1", billing="yes")

        def submitted(*_: object) -> None:
            raise error

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SubmissionRecord, "submitted", submitted)
            with pytest.raises(JournalError):
                await parts.submitter.submit(parts.plan("a")[0])
        assert parts.submitter.unrecorded == {"a": "t-1"}
        assert (parts.control.reason, parts.control.error) == ("disk", error)
        assert [seconds for seconds in parts.clock.slept if seconds] == []

    use(tmp_path, work)


def test_an_id_that_is_recorded_at_last_is_no_longer_listed(tmp_path: Path) -> None:
    async def work(parts: Parts) -> None:
        real, tries = SubmissionRecord.submitted, 0

        def submitted(self: SubmissionRecord, taskid: str) -> None:
            nonlocal tries
            tries += 1
            if tries < 3:
                raise JournalFull("no room", taskid=taskid)
            real(self, taskid)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SubmissionRecord, "submitted", submitted)
            assert await parts.submitter.submit(parts.plan("a")[0]) == "t-1"
        assert (parts.submitter.unrecorded, parts.submitter.waiting) == ({}, "")
        assert (parts.job().state, parts.job().taskid) == ("submitted", "t-1")
        assert parts.control.reason == "disk"

    use(tmp_path, work)


# Deliveries.

SEVERAL = DownloadError("two of three")
SEVERAL.errors = {0: ResultExpired("gone"), 1: DiskError("full")}


@pytest.mark.parametrize(
    ("delivery", "paid_now", "reason", "state", "size"),
    [
        (Delivery("t-1", "downloaded", (Picture(0, "p", 1, "0" * 64),)), True, None, "downloaded", 5),
        (Delivery("t-1", "succeeded", error=ResultExpired("gone")), True, "downloads", "succeeded", 2),
        (Delivery("t-1", "failed", error=TaskFailed("no")), True, "tasks", "failed", 2),
        (Delivery("t-1", "submitted", error=WaitTimeout("late")), True, "tasks", "submitted", 2),
        (Delivery("t-1", "succeeded", error=ResultExpired("gone")), False, None, "succeeded", 4),
        (Delivery("t-1", "failed", error=TaskFailed("no")), False, None, "failed", 4),
        (Delivery("t-1", "submitted", error=AuthError("no")), False, "key", "submitted", 4),
        (Delivery("t-1", "succeeded", error=DiskError("full")), False, "disk", "succeeded", 4),
        (Delivery("t-1", "succeeded", error=SEVERAL), True, "disk", "succeeded", 4),
    ],
)
def test_what_each_delivery_means_for_the_run(
    tmp_path: Path, delivery: Delivery, paid_now: bool, reason: str | None, state: str, size: int
) -> None:
    async def work(parts: Parts) -> None:
        await parts.submitter.ensure("a", {"prompt": "a"})
        await parts.submitter.record("a", delivery, paid_now=paid_now)
        job = parts.job()
        assert (parts.control.reason, job.state, parts.control.window.size) == (reason, state, size)
        assert parts.control.error is (delivery.error if reason else None)
        assert (job.error, job.message) == (
            (None, None) if delivery.error is None else (type(delivery.error).__name__, str(delivery.error))
        )
        assert parts.journal.pictures(job.id) == list(delivery.pictures)

    use(tmp_path, work, max_failures=1)


def test_a_task_that_was_completed_before_and_now_fails_stays_completed(tmp_path: Path) -> None:
    # It is paid for: "failed" would offer it for a second payment.
    async def work(parts: Parts) -> None:
        await parts.submitter.ensure("a", {"prompt": "a"})
        parts.journal.succeeded(parts.job().id)
        await parts.submitter.record("a", Delivery("t-1", "failed", error=TaskFailed("no")))
        assert (parts.job().state, parts.job().error) == ("succeeded", "TaskFailed")
        await parts.submitter.record("a", Delivery("t-1", "submitted", error=WaitTimeout("late")))
        assert (parts.job().state, parts.job().error) == ("succeeded", "WaitTimeout")
        await parts.submitter.record("a", Delivery("t-1", "downloaded"))
        before = parts.job()
        assert before.state == "downloaded"
        await parts.submitter.record("a", Delivery("t-1", "failed", error=TaskFailed("no")))
        assert parts.job() == before

    use(tmp_path, work)


# The engine.


def engine_of(parts: Parts, folder: Path, **settings: Any) -> Engine:
    prepared = PreparedRun(parts.journal, parts.run, settings.pop("options", BulkOptions()), {})
    watch = settings.pop("watch", None)
    return Engine(parts.client, prepared, Folder(folder), clock=parts.clock, watch=watch, **settings)


async def elsewhere(taskid: str, images: int) -> Delivery:
    return Delivery(taskid, "downloaded", tuple(Picture(n, f"s3://b/{taskid}-{n}", 7, "0" * 64) for n in range(images)))


@pytest.mark.parametrize(("signals", "reason"), [(1, "interrupted"), (2, "cancelled"), (3, "cancelled")])
def test_a_run_that_is_interrupted_before_it_begins_sends_nothing(tmp_path: Path, signals: int, reason: str) -> None:
    async def work(parts: Parts) -> Report:
        parts.plan("a")
        engine = engine_of(parts, tmp_path)
        for _ in range(signals):
            engine.interrupt()
        return await engine.run()

    report = use(tmp_path, work)
    assert (report.reason, report.error, report.counts["planned"], report.spent) == (reason, None, 1, 0)


@pytest.mark.parametrize("stopped", [None, *get_args(Reason)])
@pytest.mark.parametrize("signals", [1, 2])
def test_the_first_signal_waits_for_a_submission_on_its_way_and_the_second_does_not(
    tmp_path: Path, signals: int, stopped: Reason | None
) -> None:
    # Rule: after the first Ctrl-C the task id is read, also where the run was stopping for whatever reason before it;
    # after the second the job is unknown, and listed.
    async def work(parts: Parts) -> Report:
        arrived, answered = anyio.Event(), anyio.Event()

        async def answer(_: httpx.Request) -> httpx.Response:
            arrived.set()
            await answered.wait()
            return httpx.Response(200, json=ACCEPTED)

        async def stop() -> None:
            await arrived.wait()
            if stopped is not None:
                engine._control.stop(stopped)
            for _ in range(signals):
                engine.interrupt()
                await anyio.wait_all_tasks_blocked()
            if signals == 1:
                answered.set()

        client = AsyncSeeDream(
            KEY, base_url="https://api.example", transport=httpx.MockTransport(answer), clock=parts.clock
        )
        async with client, anyio.create_task_group() as group:
            parts.plan("a", "b")
            engine = engine_of(
                evolve(parts, client=client), tmp_path, options=BulkOptions(in_flight=1), deliver=elsewhere
            )
            group.start_soon(stop)
            report = await engine.run()
        assert report.folder == tmp_path
        return report

    report = use(tmp_path, work)
    assert report.reason == ("interrupted" if signals == 1 else "cancelled")
    assert report.counts["submitted" if signals == 1 else "unknown"] == 1
    assert report.counts["unknown"] == signals - 1
    assert (report.counts["planned"], report.spent) == (1, 1)


def test_what_is_paid_for_is_brought_home_before_anything_new_is_sent(tmp_path: Path) -> None:
    async def work(parts: Parts) -> list[str]:
        order: list[str] = []
        jobs = parts.plan(*"abcd")
        for number, job in enumerate(jobs[2:]):
            record = parts.journal.submission_record(job.id, 1)
            record.begin()
            record.submitted(f"old-{number}")
        parts.journal.succeeded(jobs[3].id)

        async def deliver(taskid: str, images: int) -> Delivery:
            order.append(taskid)
            return await elsewhere(taskid, images)

        report = await engine_of(parts, tmp_path, deliver=deliver).run()
        assert (report.reason, report.complete, report.total) == ("done", True, 4)
        return order

    answers = [{"code": 1000, "msg": "", "data": {"taskid": f"new-{n}"}} for n in range(2)]
    order = use(tmp_path, work, *answers)
    assert sorted(order[:2]) == ["old-0", "old-1"]
    assert sorted(order[2:]) == ["new-0", "new-1"]


def test_each_snapshot_and_the_report_say_where_the_run_is(tmp_path: Path) -> None:
    async def work(parts: Parts) -> tuple[list[Snapshot], Report]:
        seen: list[Snapshot] = []
        jobs = parts.plan("a", "b", "c", "gone")
        parts.journal.abandon(jobs[3])
        options = BulkOptions(budget=2, concurrency=1, in_flight=1)
        parts.journal.run("bulk", {}, budget=2)

        async def deliver(taskid: str, images: int) -> Delivery:
            parts.clock.now += 5
            return await elsewhere(taskid, images)

        engine = engine_of(parts, tmp_path / "out", options=options, watch=seen.append, deliver=deliver)
        return seen, await engine.run()

    answers = [{"code": 1000, "msg": "", "data": {"taskid": f"t-{n}"}} for n in range(2)]
    seen, report = use(tmp_path, work, *answers)
    assert len(seen) > 1, "from the start on"
    last = seen[-1]
    assert (last.spent, last.budget, last.elapsed, last.settled, last.window) == (2, 2, 10.0, 2, 1)
    assert (last.counts["downloaded"], last.counts["planned"], last.counts["abandoned"]) == (2, 1, 1)
    assert (last.waiting, last.unrecorded) == ("", {})
    assert (report.reason, report.spent, report.planned_images) == ("budget", 2, 1)
    assert (report.folder, report.unrecorded, report.warnings, report.changes) == (tmp_path / "out", {}, (), ())
    assert report.counts == last.counts


def test_a_folder_that_cannot_be_written_stops_a_run_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(parts: Parts) -> Report:
        parts.plan("a")
        return await engine_of(parts, tmp_path / "out").run()

    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "sweep", denied)
        report = use(tmp_path, work)
    assert (report.reason, report.counts["planned"]) == ("disk", 1)
    assert report.error.message == f"{tmp_path / 'out/pictures'} cannot be swept: Permission denied"
    with monkeypatch.context() as patch:
        patch.setattr("seedream.bulk.engine.shutil.disk_usage", denied)
        report = use(tmp_path, work)
    assert (report.reason, report.counts["planned"]) == ("disk", 1)
    assert report.error.message == f"{tmp_path / 'out/pictures'} cannot be written: Permission denied"


@pytest.mark.parametrize(
    ("path", "size", "there"),
    [("p/a.png", 5, True), ("p/a.png", 4, False), ("p/none.png", 5, False), ("s3://b/none.png", 5, True)],
)
def test_whether_a_saved_picture_is_there(tmp_path: Path, path: str, size: int, there: bool) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/a.png").write_bytes(b"12345")
    digest = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"

    async def work(parts: Parts) -> None:
        assert engine_of(parts, tmp_path)._is_there(path, size, "wrong") is there
        verified = engine_of(parts, tmp_path, options=BulkOptions(verify=True))
        assert verified._is_there(path, size, digest) is there
        assert (tmp_path / "p/a.png").exists()
        if path == "p/a.png" and there:
            assert verified._is_there(path, size, "wrong") is False
            assert (tmp_path / "p/a.png.damaged").read_bytes() == b"12345"
            assert not (tmp_path / "p/a.png").exists()

    use(tmp_path, work)


@pytest.mark.parametrize(
    ("error", "exhausted"),
    [
        (OSError(errno.EMFILE, "x"), True),
        (OSError(errno.ENFILE, "x"), True),
        (OSError(errno.ENOMEM, "x"), True),
        (OSError(errno.EAGAIN, "x"), True),
        (OSError(errno.ENOSPC, "x"), False),
        (OSError("x"), False),
        (MemoryError(), True),
        (RuntimeError("can't start new thread"), True),
        (RuntimeError("another"), False),
    ],
)
def test_what_the_machine_has_run_out_of_stops_a_run_and_a_fault_of_ours_is_raised(
    tmp_path: Path, error: OSError | MemoryError | RuntimeError, exhausted: bool
) -> None:
    assert engines._is_exhaustion(error) is exhausted

    async def work(parts: Parts) -> Report:
        parts.plan("a", "b")

        async def deliver(*_: object) -> Delivery:
            raise error

        return await engine_of(parts, tmp_path, deliver=deliver, options=BulkOptions(in_flight=1)).run()

    if exhausted:
        report = use(tmp_path, work)
        assert (report.reason, report.error, report.counts["submitted"]) == ("machine", error, 1)
    else:
        with pytest.raises(ExceptionGroup) as caught:
            use(tmp_path, work)
        assert caught.group_contains(type(error)) if hasattr(caught, "group_contains") else caught.value


def test_the_room_that_is_needed_is_that_of_all_that_is_owed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Two tasks are outstanding with three pictures each; each saved picture so far had 100 bytes.
    async def work(parts: Parts) -> None:
        engine = engine_of(parts, tmp_path)
        engine._owed, engine._saved, engine._saved_bytes = 6, 4, 403
        job = evolve(parts.plan("a")[0], cost=2)
        free = 1024 * 1024 + 8 * 100
        for spare in (0, 1, -1):
            found = type("Usage", (), {"free": free + spare})
            monkeypatch.setattr("seedream.bulk.engine.shutil.disk_usage", lambda path, found=found: _of(path, found))
            if spare >= 0:
                engine._check_room(job)
                continue
            with pytest.raises(DiskError) as caught:
                engine._check_room(job)
            assert caught.value.message == (
                f"{tmp_path / 'pictures'} has room for {free - 1:,} bytes, and {free:,} are needed"
            )
            assert caught.value.hint == "Make room, then resume."
        engine._saved = engine._saved_bytes = 0
        monkeypatch.setattr("seedream.bulk.engine.shutil.disk_usage", lambda _: type("U", (), {"free": 1024 * 1024}))
        engine._check_room(job)

    def _of(path: Path, found: Any) -> Any:
        assert path == tmp_path / "pictures"
        return found

    use(tmp_path, work)


@pytest.mark.parametrize(("in_flight", "most"), [(1, 1), (3, 3), (64, 4)])
def test_so_many_tasks_are_outstanding_before_the_first_delivery(tmp_path: Path, in_flight: int, most: int) -> None:
    # Rule: few until deliveries have been seen to work, so that a run in which all fail pays for few.
    async def work(parts: Parts) -> int:
        parts.plan(*"abcdefgh")
        waiting: list[str] = []
        control: list[Any] = []

        async def deliver(taskid: str, images: int) -> Delivery:
            del images
            waiting.append(taskid)
            if len(waiting) == most:
                await anyio.wait_all_tasks_blocked()
                control[0].interrupt()
                control[0].interrupt()
            await anyio.sleep_forever()
            raise AssertionError

        control.append(engine_of(parts, tmp_path, deliver=deliver, options=BulkOptions(in_flight=in_flight)))
        await control[0].run()
        return len(waiting)

    answers = [{"code": 1000, "msg": "", "data": {"taskid": f"t-{n}"}} for n in range(8)]
    assert use(tmp_path, work, *answers, concurrency=8) == most


def test_where_pictures_go_elsewhere_the_room_here_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(parts: Parts) -> Report:
        parts.plan("a")
        return await engine_of(parts, tmp_path, deliver=elsewhere).run()

    monkeypatch.setattr("seedream.bulk.engine.shutil.disk_usage", lambda _: type("U", (), {"free": 0}))
    assert use(tmp_path, work).complete


def test_what_is_owed_and_saved_is_counted(tmp_path: Path) -> None:
    async def work(parts: Parts) -> None:
        owed: list[int] = []

        async def deliver(taskid: str, images: int) -> Delivery:
            owed.append(engine._owed)
            return await elsewhere(taskid, images)

        for key, images in (("a", 2), ("b", 3)):
            parts.submitter._plan(key, {"prompt": key, "batchsize": images})
        engine = engine_of(parts, tmp_path, deliver=deliver, options=BulkOptions(in_flight=1))
        await engine.run()
        assert owed == [2, 3]
        assert (engine._owed, engine._saved, engine._saved_bytes) == (0, 5, 35)

    use(tmp_path, work, *({"code": 1000, "msg": "", "data": {"taskid": f"t-{n}"}} for n in range(2)))


def test_a_job_without_pictures_there_is_fetched_again_and_the_others_are_left(tmp_path: Path) -> None:
    async def work(parts: Parts) -> list[str]:
        for number, job in enumerate(parts.plan("a", "b")):
            record = parts.journal.submission_record(job.id, 1)
            record.begin()
            record.submitted(f"t-{number}")
            name = f"pictures/t-{number}-1.png"
            parts.journal.downloaded({job.id: [Picture(0, name, len(picture()), "0" * 64)]})
        (tmp_path / "pictures").mkdir()
        (tmp_path / "pictures/t-0-1.png").write_bytes(picture())
        fetched: list[str] = []

        async def deliver(taskid: str, images: int) -> Delivery:
            fetched.append(taskid)
            return await elsewhere(taskid, images)

        report = await engine_of(parts, tmp_path, deliver=deliver).run()
        assert report.complete
        return fetched

    assert use(tmp_path, work) == ["t-1"]


def test_a_delivery_here_has_the_run_s_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    async def deliver(client: Any, taskid: str, directory: Path, **settings: Any) -> Delivery:
        downloads = settings.pop("downloads")
        seen.append((client, taskid, directory, settings, downloads.total_tokens))
        return await elsewhere(taskid, settings["images"])

    monkeypatch.setattr(engines, "deliver", deliver)

    async def work(parts: Parts) -> None:
        parts.submitter._plan("a", {"prompt": "a", "batchsize": 3})
        options = BulkOptions(task_timeout=7.0, max_bytes=99, downloads=5)
        await engine_of(parts, tmp_path, options=options).run()
        expected = {"images": 3, "timeout": 7.0, "max_bytes": 99}
        assert seen == [(parts.client, "t-1", tmp_path / "pictures", expected, 5)]

    use(tmp_path, work)
