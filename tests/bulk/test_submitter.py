"""The engine-free core: one submission for a key, whoever asks and how often; rows in, manifest rows out."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from seedream.bulk import MANIFEST_COLUMNS, BulkOptions, Delivery, RunControl, Submitter, deliver, prepare_run, run_rows
from seedream.bulk.report import Reason
from seedream.errors import (
    InsufficientCredits,
    InvalidRequest,
    JournalError,
    NotSent,
    Rejected,
    SeeDreamError,
    SubmissionUnknown,
)
from seedream.journal import Job, Journal
from support.bulk_bench import Bench
from support.pictures import picture as image

Core = Callable[[Submitter, Callable[[str, int], Awaitable[Delivery]], RunControl], Awaitable[Any]]


def with_core(bench: Bench, use: Core, **options: Any) -> Any:
    """Use a submitter and a deliverer inside an event loop."""

    async def inside() -> Any:
        settings = BulkOptions(**options)
        bench.out.mkdir(exist_ok=True)
        client = bench.bulk._connect()
        try:
            with Journal(bench.out / "journal.sqlite", clock=bench.clock.time) as journal:
                prepared = prepare_run(journal, None, settings, client.service.base_url)
                submitter = Submitter(client, prepared, bench.clock)

                async def bring(taskid: str, images: int) -> Delivery:
                    return await deliver(client, taskid, bench.out / "pictures", images=images)

                return await use(submitter, bring, submitter.control)
        finally:
            await client.close()

    return anyio.run(inside)


def request(prompt: str, **more: Any) -> dict[str, Any]:
    return {"prompt": prompt, "batchsize": 1, **more}


def test_a_key_is_submitted_once(bench: Bench) -> None:
    # Rule: ensure is idempotent by key, also after the process has ended.
    async def twice(submitter: Submitter, *_: Any) -> list[str]:
        return [await submitter.ensure("a", request("a")), await submitter.ensure("a", request("a"))]

    first, second = with_core(bench, twice)
    (third, _) = with_core(bench, twice)
    assert first == second == third
    assert bench.paid == ["a"]


def test_calls_for_the_same_key_join_the_submission_that_is_on_its_way(bench: Bench) -> None:
    bench.running.service.delay = 0.05

    async def together(submitter: Submitter, *_: Any) -> list[str]:
        found: list[str] = []

        async def one() -> None:
            found.append(await submitter.ensure("a", request("a")))

        async with anyio.create_task_group() as group:
            for _number in range(20):
                group.start_soon(one)
        return found

    assert len(set(with_core(bench, together))) == 1
    assert bench.paid == ["a"]


def test_a_caller_that_is_cancelled_leaves_the_others_their_task(bench: Bench) -> None:
    # A worker dies while it waits: another one asks for the same key.
    bench.running.service.delay = 0.05

    async def use(submitter: Submitter, *_: Any) -> str:
        async with anyio.create_task_group() as group:
            group.start_soon(submitter.ensure, "a", request("a"))
            await anyio.sleep(0.02)
            group.cancel_scope.cancel()
        return await submitter.ensure("a", request("a"))

    assert with_core(bench, use)
    assert bench.paid == ["a"]


@pytest.mark.parametrize("reason", ["credits", "key", "budget", "disk", "unknowns", "interrupted", "cancelled"])
def test_a_run_that_stops_while_a_job_is_prepared_does_not_send_it(bench: Bench, reason: Reason) -> None:
    # Rule: whatever stops a run stops each submission that has not begun.
    async def use(submitter: Submitter, _: Any, control: RunControl) -> str:
        prepare = submitter._submission

        def stopped_meanwhile(job: Job) -> Any:
            (control.interrupt if reason in ("interrupted", "cancelled") else control.stop)(reason)
            return prepare(job)

        submitter._submission = stopped_meanwhile  # type: ignore[method-assign]  # the moment between
        with pytest.raises(NotSent, match=f"stopped.*{reason}"):
            await submitter.ensure("a", request("a"))
        (job,) = submitter._journal.jobs(submitter._run.id)
        return job.state

    assert with_core(bench, use) == "planned"
    assert bench.paid == []


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("[[cut]]", SubmissionUnknown),
        ("[[reject]]", Rejected),
        ("[[credits]]", InsufficientCredits),
        ("", InvalidRequest),
    ],
)
def test_no_task_is_an_error_and_stays_one(bench: Bench, prompt: str, kind: type[SeeDreamError]) -> None:
    # Rule: what was refused or may be paid is not sent again because an engine repeats its call.
    async def use(submitter: Submitter, *_: Any) -> None:
        for _number in range(3):
            with pytest.raises(kind):
                await submitter.ensure("a", request(prompt))

    with_core(bench, use)
    assert bench.running.service.seen[prompt] <= 1


def test_a_key_has_one_request(bench: Bench) -> None:
    async def use(submitter: Submitter, *_: Any) -> None:
        await submitter.ensure("a", request("a"))
        with pytest.raises(JournalError, match="another request"):
            await submitter.ensure("a", request("b"))

    with_core(bench, use)
    assert bench.paid == ["a"]


@pytest.mark.parametrize("becomes", [image(seed=9), None], ids=["another picture", "gone"])
def test_a_planned_job_whose_source_image_has_changed_is_not_sent(bench: Bench, becomes: bytes | None) -> None:
    # Rule: what is paid for is the request that was planned, also where another picture is now at the same path.
    picture = bench.out.parent / "a.png"
    picture.write_bytes(image(seed=8))

    async def use(submitter: Submitter, *_: Any) -> None:
        job = submitter._plan("a", request("a", source_images=[str(picture)]))
        picture.unlink()
        if becomes is not None:
            picture.write_bytes(becomes)
        with pytest.raises(InvalidRequest, match="has changed" if becomes else "cannot read"):
            await submitter.submit(job)

    with_core(bench, use)
    assert bench.paid == []


def test_a_key_has_one_source_image(bench: Bench) -> None:
    # Rule: a key that is paid for is not paid for again with another picture at the same path.
    picture = bench.out.parent / "a.png"

    async def use(submitter: Submitter, *_: Any) -> None:
        picture.write_bytes(image(seed=8))
        await submitter.ensure("a", request("a", source_images=[str(picture)]))
        picture.write_bytes(image(seed=9))
        with pytest.raises(JournalError, match="another request"):
            await submitter.ensure("a", request("a", source_images=[str(picture)]))

    with_core(bench, use)
    assert bench.paid == ["a"]


def test_rows_give_manifest_rows_and_never_an_exception(bench: Bench) -> None:
    rows: list[Any] = [
        {"id": "two", "prompt": "p", "batchsize": 2},
        {"id": "bad", "prompt": "p", "resolution": "1500x1500", "batchsize": 1},
        {"id": "gone", "prompt": "[[expired]]", "batchsize": 1},
        {"id": "fail", "prompt": "[[fail]]", "batchsize": 1},
        {"id": "cut", "prompt": "[[cut]]", "batchsize": 1},
        {"id": "no", "prompt": "[[reject]]", "batchsize": 1},
        {"id": "odd", "prompt": None, "batchsize": 1},
    ]

    async def use(submitter: Submitter, bring: Any, _: RunControl) -> list[dict[str, Any]]:
        return await run_rows(rows, ensure=submitter.ensure, deliver=bring, record=submitter.record)

    manifest = with_core(bench, use, max_failures=0)
    assert all(tuple(row) == MANIFEST_COLUMNS for row in manifest)
    assert [(row["id"], row["state"], row["index"], row["billing"], row["error"]) for row in manifest] == [
        ("two", "downloaded", 0, "yes", None),
        ("two", "downloaded", 1, "yes", None),
        ("bad", "rejected", None, "no", "InvalidRequest"),
        ("gone", "succeeded", None, "yes", "ResultExpired"),
        ("fail", "failed", None, "unknown", "TaskFailed"),
        ("cut", "unknown", None, "unknown", "SubmissionUnknown"),
        ("no", "rejected", None, "no", "Rejected"),
        ("odd", "rejected", None, "no", "InvalidRequest"),
    ]
    assert all(Path(bench.out / row["path"]).stat().st_size == row["bytes"] for row in manifest[:2])
    assert bench.states() == {
        "two": "downloaded",
        "gone": "succeeded",
        "fail": "failed",
        "cut": "unknown",
        "no": "rejected",
    }


def test_recording_a_delivery_again_changes_nothing(bench: Bench) -> None:
    # Rule: an engine may repeat record.
    async def use(submitter: Submitter, bring: Any, _: RunControl) -> None:
        delivery = await bring(await submitter.ensure("a", request("a")), 1)
        await submitter.record("a", delivery)
        await submitter.record("a", delivery)
        await submitter.record("nobody", delivery)

    with_core(bench, use)
    assert bench.states() == {"a": "downloaded"}


def test_deliveries_that_wait_are_recorded_in_one_transaction(bench: Bench) -> None:
    # Rule: a delivery waits for a thread and a synced commit only while another one is being recorded.
    keys = [str(number) for number in range(12)]

    async def use(submitter: Submitter, bring: Any, _: RunControl) -> int:
        deliveries = [await bring(await submitter.ensure(key, request(key)), 1) for key in keys]
        commits: list[int] = []
        submitter._journal._committer._committed = commits.append
        async with anyio.create_task_group() as group:
            for key, delivery in zip(keys, deliveries, strict=True):
                group.start_soon(submitter.record, key, delivery)
        return len(commits)

    assert 1 == with_core(bench, use)
    assert bench.states() == dict.fromkeys(keys, "downloaded")


@pytest.mark.parametrize("kind", [JournalError, MemoryError])
@pytest.mark.parametrize("failing", ["downloaded", "record_error"])
def test_each_delivery_that_is_not_recorded_says_so(bench: Bench, failing: str, kind: type[Exception]) -> None:
    # Rule: a delivery that cannot be recorded is an error for the caller that brought it, and for no other.
    async def use(submitter: Submitter, bring: Any, _: RunControl) -> dict[str, str]:
        ended: dict[str, str] = {}

        def raising(*_: object) -> None:
            raise kind("no room")

        async def record(key: str, delivery: Delivery) -> None:
            try:
                await submitter.record(key, delivery)
                ended[key] = "recorded"
            except kind as error:
                ended[key] = getattr(error, "message", str(error))

        prompts = {"a": "a", "b": "b", "gone": "[[expired]]"}
        found = {key: await bring(await submitter.ensure(key, request(text)), 1) for key, text in prompts.items()}
        monkey = pytest.MonkeyPatch()
        with monkey.context() as patch:
            patch.setattr(Journal, failing, raising)
            async with anyio.create_task_group() as group:
                for key, delivery in found.items():
                    group.start_soon(record, key, delivery)
        return ended

    ended = with_core(bench, use)
    lost = {"downloaded": {"a", "b"}, "record_error": {"gone"}}[failing]
    assert ended == {key: "no room" if key in lost else "recorded" for key in ("a", "b", "gone")}


def test_deliveries_that_fail_stop_the_submissions(bench: Bench) -> None:
    async def use(submitter: Submitter, bring: Any, control: RunControl) -> str | None:
        for number in range(5):
            try:
                taskid = await submitter.ensure(str(number), request(f"{number} [[fail]]"))
            except SeeDreamError:
                break
            await submitter.record(str(number), await bring(taskid, 1))
        return control.reason

    assert with_core(bench, use) == "tasks"
    assert len(bench.paid) == 3
