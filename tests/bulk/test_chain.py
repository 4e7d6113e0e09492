"""Every stage of the chain, every way to fail it: what is charged is bounded, the end is named, the queue is kept.

Forty jobs, four submissions at once. Whatever fails, fails for every job; each row says how the run ends, with which
exit code, and how many jobs may be charged at most. What is charged is brought home or listed, and a repaired run goes
on.
"""

import errno
import json
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest
from attrs import frozen
from chaos.service import Cut, reply
from seedream import errors
from seedream._files.partial_file import PartialFile
from seedream.bulk import BulkOptions, Reason, engine
from seedream.cli.bulk_report import exit_for_report, next_commands
from seedream.errors import JournalError, JournalFull
from seedream.journal import Journal, SubmissionRecord
from support.bulk_bench import Bench

JOBS: Final = 40
CONCURRENCY: Final = 4
OUTSTANDING: Final = 4  # tasks, before the first delivery
IN_A_ROW: Final = 3  # failures that open the circuit breaker
UNANSWERED: Final = IN_A_ROW + CONCURRENCY - 1
Break = Callable[[Bench, pytest.MonkeyPatch], None]


@frozen
class Case:
    """One way to fail.

    Attributes:
        name: Stage and fault.
        reason: How the run ends.
        code: Its exit code.
        charged: Jobs that are charged at most.
        break_it: Breaks the chain for all jobs.
    """

    name: str
    reason: Reason
    code: int
    charged: int
    break_it: Break


def refuse(status: int, body: object = b"", kind: str = "application/json") -> Break:
    """Answer the submission so, before any charge."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda bench, patch: patch.setattr(bench.running.service, "_refusal", lambda *_: (status, content, kind))


def after_charge(answer: Callable[[], Any]) -> Break:
    """Charge the submission, then answer so."""

    def break_it(bench: Bench, patch: pytest.MonkeyPatch) -> None:
        real = bench.running.service._charge

        def charge(*arguments: Any) -> Any:
            real(*arguments)
            return answer()

        patch.setattr(bench.running.service, "_charge", charge)

    return break_it


def cut() -> Any:
    raise Cut


def service(method: str, answer: Callable[[], Any]) -> Break:
    return lambda bench, patch: patch.setattr(bench.running.service, method, lambda *_: answer())


def transport(error: Callable[[str], Exception]) -> Break:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error("broken")

    def break_it(bench: Bench, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(bench, "transport", httpx.MockTransport(handler))

    return break_it


def raising(owner: Any, method: str, error: Callable[[], BaseException]) -> Break:
    def broken(*_: Any, **__: Any) -> None:
        raise error()

    return lambda _, patch: patch.setattr(owner, method, broken)


def full() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def dangling(bench: Bench, _: pytest.MonkeyPatch) -> None:
    bench.out.mkdir()
    (bench.out / "pictures").symlink_to(bench.root / "nowhere" / "at all")


def in_the_way(name: str, *, folder: bool) -> Break:
    def break_it(bench: Bench, _: pytest.MonkeyPatch) -> None:
        bench.out.mkdir()
        path = bench.out / name
        if folder:
            path.mkdir()
        else:
            path.touch()

    return break_it


def no_room(_: Bench, patch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 100_000})
    patch.setattr("seedream.bulk.engine.shutil.disk_usage", lambda _: usage)


def exhausted(error: Callable[[], BaseException]) -> Break:
    async def broken(*_: Any, **__: Any) -> None:
        raise error()

    return lambda _, patch: patch.setattr(engine, "deliver", broken)


COMPLETED: Final = {"code": 1000, "data": {"image_status": 3, "url": []}}
UNSAFE: Final = {"code": 1000, "data": {"image_status": 3, "url": ["ftp://127.0.0.1/a.png"]}}

CASES: Final = (
    # Connect: nothing left.
    Case("connect: refused", "network", 75, 0, transport(httpx.ConnectError)),
    Case("connect: timeout", "network", 75, 0, transport(httpx.ConnectTimeout)),
    # Send: it may have arrived.
    Case("send: cut", "unknowns", 75, 0, service("_refusal", cut)),
    Case("send: write error", "unknowns", 75, 0, transport(httpx.WriteError)),
    # Reply: refusals charge nothing.
    Case("reply: 404", "setup", 4, 0, refuse(404)),
    Case("reply: 405", "setup", 4, 0, refuse(405, b"<html>", "text/html")),
    Case("reply: redirect", "setup", 4, 0, refuse(307)),
    Case("reply: 401", "key", 4, 0, refuse(401, {"code": 9999})),
    Case("reply: 403", "key", 4, 0, refuse(403)),
    Case("reply: 408", "network", 75, 0, refuse(408)),
    Case("reply: 429", "rate_limited", 75, 0, refuse(429)),
    Case("reply: no credits", "credits", 5, 0, refuse(200, {"code": 9000})),
    Case("reply: refused", "done", 1, 0, refuse(200, {"code": 9999, "msg": "no"})),
    Case("reply: 400", "done", 1, 0, refuse(400, {"code": 9999, "msg": "no"})),
    Case("reply: 503", "unknowns", 75, 0, refuse(503)),
    # Reply: charged, and no usable answer.
    Case("reply: cut", "unknowns", 75, UNANSWERED, after_charge(cut)),
    Case("reply: 500", "unknowns", 75, UNANSWERED, after_charge(lambda: (500, b"oops", "text/html"))),
    Case("reply: no id", "unknowns", 75, UNANSWERED, after_charge(lambda: reply({"code": 1000, "data": {}}))),
    Case("reply: HTML", "unknowns", 75, UNANSWERED, after_charge(lambda: (200, b"<html>", "text/html"))),
    Case("reply: 401 naming a task", "unknowns", 75, UNANSWERED,
         after_charge(lambda: (401, b'{"code": 9999, "data": {"taskid": "t-1"}}', "application/json"))),
    # Wait.
    Case("wait: task failed", "tasks", 75, OUTSTANDING,
         service("query", lambda: reply({"code": 1000, "data": {"image_status": 4}}))),
    Case("wait: never finished", "tasks", 75, OUTSTANDING,
         service("query", lambda: reply({"code": 1000, "data": {"image_status": 2}}))),
    Case("wait: 500", "tasks", 75, OUTSTANDING, service("query", lambda: (500, b"", "text/plain"))),
    Case("wait: no such task", "tasks", 75, OUTSTANDING,
         service("query", lambda: reply({"code": 9999, "msg": "none"}))),
    Case("wait: cut", "tasks", 75, OUTSTANDING, service("query", cut)),
    Case("wait: 401", "key", 4, OUTSTANDING, service("query", lambda: (401, b"{}", "application/json"))),
    # Download.
    Case("download: no URLs", "downloads", 75, OUTSTANDING, service("query", lambda: reply(COMPLETED))),
    Case("download: 403", "downloads", 75, OUTSTANDING, service("download", lambda: (403, b"", "text/plain"))),
    Case("download: 404", "downloads", 75, OUTSTANDING, service("download", lambda: (404, b"", "text/plain"))),
    Case("download: 500", "downloads", 75, OUTSTANDING, service("download", lambda: (500, b"", "text/plain"))),
    Case("download: HTML", "downloads", 75, OUTSTANDING, service("download", lambda: (200, b"<html>", "text/html"))),
    Case("download: cut short", "downloads", 75, OUTSTANDING,
         service("download", lambda: (200, b"\x89PNG\r\n\x1a\n....", "image/png"))),
    Case("download: cut off", "downloads", 75, OUTSTANDING, service("download", cut)),
    Case("download: unsafe URL", "downloads", 75, OUTSTANDING, service("query", lambda: reply(UNSAFE))),
    # Write.
    Case("write: dangling link", "disk", 10, 0, dangling),
    Case("write: a file in the way", "disk", 10, 0, in_the_way("pictures", folder=False)),
    Case("write: no room before", "disk", 10, 0, no_room),
    Case("write: no room for a picture", "disk", 10, OUTSTANDING, raising(PartialFile, "write", full)),
    Case("write: no room at its end", "disk", 10, OUTSTANDING, raising(PartialFile, "finish", full)),
    # Journal.
    Case("journal: begin", "disk", 10, 0, raising(SubmissionRecord, "begin", lambda: JournalFull("no room"))),
    Case("journal: task id", "disk", 10, CONCURRENCY,
         raising(SubmissionRecord, "submitted", lambda: JournalFull("no room", taskid="t-1", billing="yes"))),
    Case("journal: damaged at the task id", "disk", 10, CONCURRENCY,
         raising(SubmissionRecord, "submitted", lambda: JournalError("damaged", taskid="t-1", billing="yes"))),
    Case("journal: delivery", "disk", 10, OUTSTANDING, raising(Journal, "downloaded", lambda: JournalFull("no room"))),
    # The machine.
    Case("machine: memory", "machine", 71, OUTSTANDING, exhausted(MemoryError)),
    Case("machine: files", "machine", 71, OUTSTANDING, exhausted(lambda: OSError(errno.EMFILE, "Too many open files"))),
    Case("machine: threads", "machine", 71, OUTSTANDING, exhausted(lambda: RuntimeError("can't start new thread"))),
    # Results and gallery: pictures are what was paid for.
    Case("results: in the way", "done", 0, JOBS, in_the_way("results.jsonl", folder=True)),
    Case("gallery: in the way", "done", 0, JOBS, in_the_way("gallery.html", folder=True)),
)  # fmt: skip


# The error on a report is the one that led to its reason.
LEADS_TO: Final[dict[str, Any]] = {
    "done": type(None), "credits": errors.InsufficientCredits, "key": errors.AuthError, "setup": errors.ConfigError,
    "disk": errors.JournalError | errors.DiskError | errors.DownloadError | errors.ConfigError,
    "machine": OSError | MemoryError | RuntimeError, "network": errors.NotSent, "rate_limited": errors.RateLimited,
    "unknowns": errors.SubmissionUnknown,
    "tasks": errors.TaskFailed | errors.WaitTimeout | errors.StatusError | errors.TaskNotFound,
    "downloads": errors.DownloadError,
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_charges_are_bounded_and_the_end_is_named(bench: Bench, case: Case) -> None:
    options: dict[str, Any] = {"concurrency": CONCURRENCY, "task_timeout": 30.0, "patience": 60.0}
    with pytest.MonkeyPatch.context() as patch:
        case.break_it(bench, patch)
        report = bench.run(*(f"job {number}" for number in range(JOBS)), **options)
    assert (report.reason, exit_for_report(report).code) == (case.reason, case.code)
    assert isinstance(report.error, LEADS_TO[report.reason]), report.error
    assert len(bench.paid) <= case.charged, bench.paid
    known = sum(report.counts[state] for state in ("submitted", "succeeded", "downloaded", "failed", "unknown"))
    assert known + report.counts["submitting"] >= len(bench.paid)  # each charge is at home or listed
    if case.reason != "done":
        assert report.counts["planned"] >= JOBS - max(case.charged, UNANSWERED)  # the queue is kept
        assert any("resume" in command for _, command in next_commands(report))
    assert bool(report.warnings) == case.name.startswith(("results", "gallery"))


REPAIRABLE: Final = [case for case in CASES if case.reason not in ("done", "unknowns")]


@pytest.mark.parametrize("case", REPAIRABLE, ids=lambda case: case.name)
def test_a_repaired_chain_goes_on_and_pays_nothing_twice(bench: Bench, case: Case) -> None:
    jobs = [f"job {number}" for number in range(8)]
    options: dict[str, Any] = {"concurrency": CONCURRENCY, "task_timeout": 30.0, "patience": 60.0}
    with pytest.MonkeyPatch.context() as patch:
        case.break_it(bench, patch)
        bench.run(*jobs, **options)
    if (bench.out / "pictures").is_symlink() or (bench.out / "pictures").is_file():
        (bench.out / "pictures").unlink()
    report = bench.bulk.run(options=BulkOptions(**options))
    assert report.reason == "done"
    assert len(set(bench.paid)) == len(bench.paid)
    assert report.counts["planned"] == report.counts["submitted"] == report.counts["succeeded"] == 0


def test_a_failure_that_begins_in_the_middle_costs_what_is_outstanding(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The picture host dies after twenty deliveries: no submission begins once failures are known.
    real, downloads = bench.running.service.download, 0

    def download(*arguments: Any) -> Any:
        nonlocal downloads
        downloads += 1
        return real(*arguments) if downloads <= 20 else (404, b"", "text/plain")

    monkeypatch.setattr(bench.running.service, "download", download)
    report = bench.run(*(f"job {number}" for number in range(200)), concurrency=4, in_flight=16)
    assert report.reason == "downloads"
    assert len(bench.paid) <= 20 + 16 + IN_A_ROW


def test_a_wrong_base_url_is_corrected_without_a_word(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing was charged, so neither --moved nor a retry is needed.
    right = bench.running.service.base
    refuse(404)(bench, monkeypatch)
    bench.running.service.base = f"{right}/v1"
    assert bench.run("a", "b").reason == "setup"
    monkeypatch.undo()
    bench.running.service.base = right
    assert bench.bulk.run().complete
    assert bench.paid == ["a", "b"]


def test_failures_of_earlier_starts_do_not_stop_a_new_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # Expired pictures of last week must not keep the rest of the queue waiting for ever.
    with pytest.MonkeyPatch.context() as patch:
        service("download", lambda: (404, b"", "text/plain"))(bench, patch)
        assert bench.run(*(f"old {number}" for number in range(12))).reason == "downloads"
    real = bench.running.service.download
    old = set(bench.running.service.tasks)

    def download(taskid: str, index: int) -> Any:
        return (404, b"", "text/plain") if taskid in old else real(taskid, index)

    monkeypatch.setattr(bench.running.service, "download", download)
    report = bench.bulk.run()
    assert (report.reason, report.counts["planned"], report.counts["succeeded"]) == ("done", 0, len(old))
