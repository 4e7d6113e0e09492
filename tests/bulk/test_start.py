"""The start of a run, and what its user decides: which jobs are planned, dropped, sent again, and what is refused."""

import asyncio
import json
import pickle
import shutil
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest
from attrs import evolve
from seedream import AsyncSeeDream
from seedream.bulk import Bulk, BulkOptions, Delivery, SubmitterThread, prepare_run, read_jobs, submitter_thread
from seedream.bulk.folder import Folder
from seedream.bulk.prepare import open_journal, start_run
from seedream.bulk.signals import SignalRelay
from seedream.errors import (
    ConfigError,
    DiskError,
    InvalidRequest,
    JournalError,
    JournalFull,
    NotSent,
    SubmissionUnknown,
    TaskFailed,
)
from seedream.journal import STATES, Job, Journal, Plan, ReadOnlyJournal, State
from seedream.journal.lock import lock_path, read_mark
from support.clients import KEY
from support.clock import FakeClock
from support.fake_service import FakeService, completed
from support.pictures import picture

HERE, THERE = "https://api.example", "https://other.example"
RESUME = "To go on with what is planned: resume with --as-planned (as_planned=True)."


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "my out").mkdir()
    return tmp_path / "my out"


def jobs_file(out: Path, *prompts: str) -> Path:
    path = out.parent / "my jobs.csv"
    path.write_text("id,prompt\n" + "".join(f"{prompt[0]},{prompt}\n" for prompt in prompts))
    return path


def start(out: Path, jobs: Any = None, url: str = HERE, options: BulkOptions | None = None, **encoding: Any) -> Any:
    """Prepare a run; gives what it begins with, and the jobs by key."""
    planned = read_jobs(jobs, **encoding) if jobs is not None else None
    with Journal(out / "journal.sqlite", clock=lambda: 5.0) as journal:
        prepared = prepare_run(journal, planned, options or Bulk(out).options(), url)
        return prepared, {job.key: job for job in journal.jobs(prepared.run.id)}


def settle(out: Path, key: str, state: State = "submitted") -> None:
    """Bring a planned job into this state."""
    with Journal(out / "journal.sqlite") as journal:
        run = journal.find_run("bulk")
        assert run is not None
        job = journal.by_key(run.id, key)
        assert job is not None
        record = journal.submission_record(job.id, job.cost)
        record.begin()
        if state == "unknown":
            record.unknown(SubmissionUnknown("lost"))
            return
        record.submitted(f"t-{key}")
        if state == "failed":
            journal.failed(job.id, TaskFailed("no"))


def refused(call: Callable[[], object], kind: type[Exception] = ConfigError) -> tuple[str, str]:
    with pytest.raises(kind) as caught:
        call()
    return getattr(caught.value, "message", ""), getattr(caught.value, "hint", "")


# The start in the journal.


def test_a_first_start_keeps_what_a_resume_needs(out: Path) -> None:
    path = jobs_file(out, "a", "b")
    options = BulkOptions(budget=7, concurrency=2, verify=True)
    prepared, jobs = start(out, path, f"{HERE}?token=SECRET", options, encoding="utf-8")
    assert (prepared.options, prepared.redacted_options, prepared.changes) == (options, {}, ())
    run = prepared.run
    assert (run.name, run.budget, run.spent) == ("bulk", 7, 0)
    assert run.options == {
        **options.stored(), "jobs": str(path), "encoding": "utf-8", "service": f"{HERE}?[removed]",
    }  # fmt: skip
    assert {key: (job.state, job.line) for key, job in jobs.items()} == {"a": ("planned", 2), "b": ("planned", 3)}
    again, _ = start(out)
    assert again.options == evolve(options, verify=False)
    assert again.run.options["jobs"] == str(path)
    assert again.run.options["encoding"] == "utf-8"
    assert again.run.id == run.id


def test_jobs_without_a_file_leave_no_file_to_look_at(out: Path) -> None:
    jobs_file(out, "a")
    start(out, jobs_file(out, "a"))
    prepared, jobs = start(out, ["another prompt"])
    assert (prepared.run.options["jobs"], prepared.run.options["encoding"]) == (None, None)
    assert (prepared.changes, len(jobs), jobs["a"].state) == ((), 2, "planned")
    assert start(out)[0].options == BulkOptions()


def test_a_journal_without_a_run_begins_one(out: Path) -> None:
    prepared, jobs = start(out)
    assert (prepared.options, jobs, prepared.run.options["jobs"]) == (BulkOptions(), {}, None)


@pytest.mark.parametrize(
    ("charged", "options", "refusal"),
    [(True, None, True), (False, None, False), (True, BulkOptions(moved=True), False)],
)
def test_a_run_belongs_to_a_service_from_the_first_charge_on(
    out: Path, charged: bool, options: BulkOptions | None, refusal: bool
) -> None:
    start(out, ["a"])
    if charged:
        settle(out, next(iter(start(out)[1])))
    if refusal:
        said = refused(lambda: start(out, url=THERE, options=options))
        hint = "Use another output folder, or say that the service has moved (moved=True, --moved)."
        assert said == (f"this folder's run belongs to the service at {HERE}, not {THERE}", hint)
        start(out, url=HERE)
    else:
        assert start(out, url=THERE, options=options)[0].run.options["service"] == THERE
        start(out, url=THERE)


def test_the_same_file_is_what_is_meant(out: Path) -> None:
    # Rule 16.26: planned jobs that it no longer holds are dropped, changed ones take the new request.
    start(out, jobs_file(out, "a", "b", "c", "d"))
    settle(out, "d")
    path = jobs_file(out, "a", "c changed", "e")
    prepared, jobs = start(out, path)
    assert prepared.changes == (
        "Dropped, because my jobs.csv no longer contains them: b.",
        "Changed as my jobs.csv says: c.",
    )
    assert {key: job.state for key, job in jobs.items()} == {
        "a": "planned", "b": "abandoned", "c": "planned", "d": "submitted", "e": "planned",
    }  # fmt: skip
    assert (jobs["c"].request["prompt"], jobs["c"].line, jobs["a"].line) == ("c changed", 3, 2)
    assert start(out, path)[0].changes == ()


def test_jobs_that_came_without_a_file_are_not_dropped_by_one(out: Path) -> None:
    start(out, [{"id": "x", "prompt": "x"}])
    path = jobs_file(out, "a")
    prepared, jobs = start(out, path)
    assert (prepared.changes, jobs["x"].state) == ((), "planned")
    with Journal(out / "journal.sqlite") as journal:
        run = journal.find_run("bulk")
        assert run is not None
        journal.plan(run.id, [Plan("y", "d", {"prompt": "y"}, 1)])  # as an engine adds it, without a line
    prepared, jobs = start(out, path)
    assert (prepared.changes, jobs["y"].state, jobs["x"].state) == (
        ("Dropped, because my jobs.csv no longer contains them: x.",), "planned", "abandoned",
    )  # fmt: skip


def test_another_file_adds_its_jobs(out: Path) -> None:
    start(out, jobs_file(out, "a"))
    other = out.parent / "other.csv"
    other.write_text("id,prompt\nb,b\n")
    prepared, jobs = start(out, other)
    assert (prepared.changes, {key: job.state for key, job in jobs.items()}) == ((), {"a": "planned", "b": "planned"})
    assert prepared.run.options["jobs"] == str(other)


def test_of_many_ids_five_are_shown(out: Path) -> None:
    start(out, jobs_file(out, *"abcdef", "gg"))
    assert start(out, jobs_file(out, "a", "b"))[0].changes[0].endswith("contains them: c, d, e, f, g.")
    start(out, jobs_file(out, *"abcdef", "gg"))
    assert start(out, jobs_file(out, "a"))[0].changes[0].endswith("contains them: b, c, d, e, f and 1 more.")


@pytest.mark.parametrize(
    ("prompts", "said"),
    [(["a", "c changed"], "b, c"), (["a"], "b, c"), (["b", "c"], "a"), (["a", "b changed", "c"], "b")],
)
def test_a_resume_refuses_a_file_that_says_something_else(out: Path, prompts: list[str], said: str) -> None:
    start(out, jobs_file(out, "a", "b", "c"))
    path = jobs_file(out, *prompts)
    message, hint = refused(lambda: start(out))
    assert message == f"{path} has changed since its jobs were planned: {said}"
    assert hint == f"To take the file as it is now: seedream bulk run '{path}' -o '{out}'. {RESUME}"
    jobs = start(out, options=BulkOptions(as_planned=True))[1]
    assert {job.state for job in jobs.values()} == {"planned"}
    assert refused(lambda: start(out))[0] == message, "what was said for one start does not hold for the next"


def test_a_resume_refuses_a_file_that_is_wrong_now(out: Path) -> None:
    start(out, jobs_file(out, "a"))
    path = jobs_file(out)
    path.write_text("id,prompt\na,\n")
    message, hint = refused(lambda: start(out))
    assert message.startswith(f"{path} has changed since its jobs were planned: ")
    assert "line 2, prompt" in message
    assert RESUME in hint
    start(out, options=BulkOptions(as_planned=True))


@pytest.mark.parametrize("why", ["gone", "nothing planned", "more lines", "moved lines"])
def test_a_resume_needs_the_file_only_for_what_is_planned(out: Path, why: str) -> None:
    path = jobs_file(out, "a", "b")
    start(out, path)
    if why == "gone":
        path.unlink()
    elif why == "nothing planned":
        settle(out, "a")
        settle(out, "b")
        path.write_text("id,prompt\na,changed\n")
    else:
        jobs_file(out, *(["a", "b", "c"] if why == "more lines" else ["b", "a"]))
    prepared, jobs = start(out)
    assert (sorted(jobs), prepared.redacted_options) == (["a", "b"], {})


def test_a_resume_takes_signed_urls_from_the_file_again(out: Path) -> None:
    path = out.parent / "signed.jsonl"
    path.write_text('{"id": "s", "prompt": "p", "image_url": "https://h.example/a?Signature=1"}\n')
    whole = {"s": {"prompt": "p", "image_url": "https://h.example/a?Signature=1"}}
    assert start(out, path)[0].redacted_options == whole
    assert start(out)[0].redacted_options == whole
    assert "Signature" not in repr(start(out)[0].redacted_options["s"]["prompt"])
    assert "Signature" not in repr(start(out)[0])


def test_a_resume_reads_the_file_as_it_was_read_before(out: Path) -> None:
    (out.parent / "a.bin").write_bytes(b"no picture")
    path = out.parent / "gbk.csv"
    path.write_bytes("id,prompt,source_images\na,一只猫,a.bin\n".encode("gbk"))
    options = BulkOptions(allow_unrecognized_sources=True)
    start(out, path, options=options, encoding="gbk", allow_unrecognized_sources=True)
    assert start(out)[0].options.allow_unrecognized_sources
    with pytest.raises(ConfigError, match="has changed"):
        start(out, options=BulkOptions())


def state_of(out: Path) -> Any:
    """Return all that a start may change: the rows of the journal, its mark, and the other files."""
    with closing(sqlite3.connect(out / "journal.sqlite")) as database:
        rows = [database.execute(f"SELECT * FROM {name}").fetchall() for name in ("journal", "run", "job", "event")]  # noqa: S608
    files = {path.relative_to(out): path.is_file() and path.read_bytes() for path in out.rglob("*")}
    mark = read_mark(lock_path(out / "journal.sqlite"))
    return rows, mark, {path: data for path, data in files.items() if not path.name.startswith("journal.sqlite")}


def lose_records(out: Path) -> None:
    """Put an earlier copy of the journal in its place: a task that it does not know has a picture and a result."""
    earlier = (out / "journal.sqlite").read_bytes()
    settle(out, "b")
    (out / "journal.sqlite").write_bytes(earlier)
    (out / "pictures").mkdir()
    (out / "pictures/t-b-1.png").touch()
    (out / "results.jsonl").write_text('{"taskid": "t-b"}\n')


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("why", ["sent line changed", "another service", "file changed", "file wrong"])
def test_a_start_that_is_refused_changes_nothing(out: Path, why: str, lost: bool) -> None:
    # Rule: what can refuse a start is decided before anything of it is stored; the user sees no report of it.
    path = jobs_file(out, "a", "b", "c")
    start(out, path, options=BulkOptions(budget=2))
    settle(out, "a")
    if lost:
        lose_records(out)
    before = state_of(out)
    path = jobs_file(out, *{"sent line changed": ["a changed", "c"], "file changed": ["b changed", "c"]}.get(why, "ab"))
    if why == "file wrong":
        path.write_text("id,prompt\nb,\n")
    planned = read_jobs(path) if why == "sent line changed" else None
    url = THERE if why == "another service" else HERE
    options = BulkOptions(budget=50, rate=3.0, records_lost=lost)
    kind = JournalError if why == "sent line changed" else ConfigError
    for _ in range(2):
        _, hint = refused(lambda: start_run(Folder(out), planned, options, url, make=planned is not None), kind)
        assert state_of(out) == before
    assert ("bulk run" not in hint) or f"-o '{out}'" in hint
    if lost:
        message, _ = refused(lambda: start_run(Folder(out), None, BulkOptions(as_planned=True), HERE), JournalError)
        assert "lost its last" in message, "the word of a start that was refused does not hold for the next"
    start_run(Folder(out), None, evolve(options, as_planned=True), HERE).journal.close()
    assert (out / "earlier-1").exists() == lost


def test_the_settings_of_a_journal_that_lost_records_are_read_where_that_is_said(out: Path) -> None:
    # --records-lost asks for the settings of the last start first.
    start(out, jobs_file(out, "a", "b"), options=BulkOptions(rate=3.0))
    lose_records(out)
    assert refused(Bulk(out).options, JournalError)[0].endswith("has lost its last 2 records")
    assert Bulk(out).options(records_lost=True) == BulkOptions(rate=3.0, records_lost=True)


# Opening the folder.


def test_a_folder_is_made_or_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "a" / "b")
    said = refused(lambda: open_journal(folder, make=False), JournalError)
    assert said == (f"there is no bulk run in {folder.root}", "Start one with a jobs file.")
    assert not folder.root.exists()
    open_journal(folder).close()
    open_journal(folder, make=False).close()
    journal = open_journal(folder, clock=lambda: 77.0)
    job = _planned(journal)
    journal.close()
    assert job.updated == 77.0
    (tmp_path / "file").touch()
    said = refused(lambda: open_journal(Folder(tmp_path / "file" / "b")), JournalFull)
    assert said == (f"cannot make {tmp_path / 'file' / 'b'}: Not a directory", "Check the path.")
    said = refused(lambda: open_journal(Folder(tmp_path / "file")), JournalFull)
    assert said == (f"cannot make {tmp_path / 'file'}: File exists", "Check the path.")


def _planned(journal: Journal) -> Job:
    run = journal.run("bulk")
    journal.plan(run.id, [Plan("a", "d", {"prompt": "a"}, 1)])
    return next(iter(journal.jobs(run.id)))


def test_a_folder_that_is_refused_is_closed_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "out")
    open_journal(folder).close()
    folder.pictures.mkdir()
    (folder.pictures / "t-1.png").touch()
    for _ in range(2):
        with pytest.raises(JournalError, match="contains a picture"):
            open_journal(folder)
    (folder.pictures / "t-2.png").touch()
    with Journal(folder.journal) as journal:
        _planned(journal)
    settle(folder.root, "a")  # its task is t-a
    (folder.pictures / "t-a-1.png").touch()
    start_run(folder, None, BulkOptions(records_lost=True), HERE).journal.close()
    assert [path.name for path in folder.pictures.iterdir()] == ["t-a-1.png"]
    assert (folder.root / "earlier-1/pictures/t-1.png").exists()
    shutil.rmtree(folder.root)
    folder.pictures.mkdir(parents=True)
    (folder.pictures / "t-1.png").touch()
    with pytest.raises(JournalError, match="but no journal"):
        open_journal(folder)
    assert not folder.journal.exists()
    open_journal(folder, records_lost=True).close()


# What the user decides.


@pytest.fixture
def bulk(out: Path) -> Bulk:
    """A run with one job in each of some states."""
    start(out, [{"id": key, "prompt": key} for key in ("planned", "other", "unknown", "failed", "submitted")])
    for state in ("unknown", "failed", "submitted"):
        settle(out, state, state)
    return Bulk(out, clock=FakeClock())


def states(bulk: Bulk) -> dict[str, str]:
    return {job.key: job.state for job in bulk.jobs()}


def test_jobs_and_counts(bulk: Bulk) -> None:
    expected = {
        "planned": "planned",
        "other": "planned",
        "unknown": "unknown",
        "failed": "failed",
        "submitted": "submitted",
    }
    assert states(bulk) == expected
    assert [job.key for job in bulk.jobs("failed", "planned")] == ["planned", "other", "failed"]
    run, counts = bulk.counts()
    assert (run.name, run.spent) == ("bulk", 3)
    assert counts == {
        state: {"planned": 2, "unknown": 1, "failed": 1, "submitted": 1}.get(state, 0) for state in STATES
    }


@pytest.mark.parametrize("given", [("unknown",), ("planned", "rejected"), ("failed", "submitted", "abandoned")])
def test_only_rejected_and_failed_jobs_are_retried(bulk: Bulk, given: tuple[State, ...]) -> None:
    bad = ", ".join(state for state in given if state not in ("rejected", "failed"))
    said = refused(lambda: bulk.retry(given))
    assert said == (f"{bad} jobs are not retried", "Unknown ones are resolved one by one.")
    assert bulk.retry() == 1
    assert states(bulk)["failed"] == "planned"
    assert bulk.counts()[0].spent == 3
    assert bulk.retry(["rejected"]) == 0


def test_planned_jobs_are_dropped_all_or_those_that_are_named(bulk: Bulk) -> None:
    for key, state in (("unknown", "unknown"), ("nobody", "not in this run")):
        said = refused(lambda key=key: bulk.drop("planned", key), JournalError)  # type: ignore[misc]  # bound at once
        assert said == (f"job “{key}” is {state}, so it cannot be dropped", "")
    assert states(bulk)["planned"] == "planned", "all or none"
    assert bulk.drop("planned", "planned") == 1, "named twice, dropped once"
    assert (states(bulk)["planned"], states(bulk)["other"]) == ("abandoned", "planned")
    assert bulk.drop() == 1
    assert [state for state in states(bulk).values() if state == "planned"] == []
    assert bulk.drop() == 0


@pytest.mark.parametrize(
    ("decision", "state", "spent", "taskid"),
    [
        ({"taskid": "t-9"}, "submitted", 3, "t-9"),
        ({"again": True}, "planned", 3, None),
        ({"again": True, "charged": False}, "planned", 2, None),
        ({}, "abandoned", 3, None),
        ({"charged": False}, "abandoned", 2, None),
    ],
)
def test_an_unknown_job_is_resolved_as_its_user_says(
    bulk: Bulk, decision: dict[str, Any], state: str, spent: int, taskid: str | None
) -> None:
    bulk.resolve("unknown", **decision)
    job = next(one for one in bulk.jobs() if one.key == "unknown")
    assert (job.state, job.taskid, bulk.counts()[0].spent) == (state, taskid, spent)


def test_what_cannot_be_resolved(bulk: Bulk) -> None:
    for key, state in (("failed", "failed"), ("nobody", "not in this run")):
        said = refused(lambda key=key: bulk.resolve(key), JournalError)  # type: ignore[misc]  # bound at once
        assert said == (f"job “{key}” is {state}, so there is nothing to resolve", "")
    said = refused(lambda: bulk.resolve("unknown", taskid="t", again=True))
    assert said == ("a found task is not sent again", "Give the task id, or send it again.")
    said = refused(lambda: bulk.resolve("unknown", taskid="t-failed"), JournalError)
    assert said == ("task t-failed belongs to another job already", "Check the id.")
    assert states(bulk)["unknown"] == "unknown"


def test_the_settings_of_the_last_start_and_those_that_are_changed(out: Path) -> None:
    bulk = Bulk(out)
    assert bulk.options(rate=2.0) == BulkOptions(rate=2.0)
    start(out, ["a"], options=BulkOptions(budget=5, rate=3.0))
    assert bulk.options() == BulkOptions(budget=5, rate=3.0)
    assert bulk.options(budget=9, verify=True) == BulkOptions(budget=9, rate=3.0, verify=True)
    (out / "journal.sqlite").unlink()
    (out / "journal.sqlite.lock").unlink()
    Journal(out / "journal.sqlite").close()
    assert bulk.options(rate=1.0) == BulkOptions(rate=1.0)
    assert refused(bulk.counts, JournalError) == ("this journal holds no bulk run", "")
    with pytest.raises(JournalError, match="holds no bulk run"):
        bulk.drop()


def test_what_cannot_be_written_is_named_and_the_others_are_written(bulk: Bulk, out: Path) -> None:
    bulk.write()
    assert {path.name for path in out.iterdir()} >= {"results.jsonl", "gallery.html"}
    assert not (out / "manifest.parquet").exists()
    for name in ("results.jsonl", "gallery.html"):
        (out / name).unlink()
    (out / "results.jsonl").mkdir()
    said = refused(bulk.write, DiskError)
    hint = "Make room or correct the folder, then write them again."
    assert said == ("results.jsonl could not be written: Is a directory.", hint)
    assert (out / "gallery.html").is_file()
    (out / "gallery.html").unlink()
    (out / "gallery.html").mkdir()
    both = "results.jsonl could not be written: Is a directory. gallery.html could not be written: Is a directory."
    assert refused(bulk.write, DiskError) == (both, hint)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(OSError("odd"), "OSError"), (JournalError("gone"), "gone"), (ConfigError("none"), "none")],
)
def test_why_it_could_not_be_written(
    bulk: Bulk, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("seedream.bulk.bulk.write_results", fails)
    assert refused(bulk.write, DiskError)[0] == f"results.jsonl could not be written: {reason}."


@pytest.mark.parametrize(("manifest", "there", "written"), [(False, False, 0), (True, False, 1), (False, True, 1)])
def test_a_manifest_is_written_on_request_and_kept_up_to_date(
    bulk: Bulk, out: Path, monkeypatch: pytest.MonkeyPatch, manifest: bool, there: bool, written: int
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr("seedream.bulk.bulk.write_manifest", lambda *given: calls.append(given))
    if there:
        (out / "manifest.parquet").touch()
    Bulk(out, manifest=manifest).write()
    assert len(calls) == written
    assert all(run.name == "bulk" and folder.root == bulk.folder.root for _, run, folder in calls)


def test_a_backup_is_a_journal_of_its_own(bulk: Bulk, out: Path) -> None:
    bulk.backup(out.parent / "copy.sqlite")
    with ReadOnlyJournal(out.parent / "copy.sqlite") as copy:
        run = copy.find_run("bulk")
        assert run is not None
        assert copy.counts(run.id) == bulk.counts()[1]


# A whole run, in memory.

ACCEPTED = {"code": 1000, "msg": "", "data": {"taskid": "t1"}}


def connected(out: Path, made: list[AsyncSeeDream], **settings: Any) -> Bulk:
    service = FakeService(completed("https://images.example/1"), submissions=[ACCEPTED], pictures={"/1": picture()})
    clock = FakeClock()

    def connect() -> AsyncSeeDream:
        made.append(AsyncSeeDream(KEY, base_url=HERE, transport=service.transport, clock=clock))
        return made[-1]

    return Bulk(out, connect=connect, clock=clock, **settings)


def is_closed(client: AsyncSeeDream) -> bool:
    async def ask() -> bool:
        try:
            await client.query("t1")
        except ConfigError:
            return True
        return False

    return anyio.run(ask)


def test_a_run_reads_plans_submits_saves_and_closes_its_client(out: Path) -> None:
    made: list[AsyncSeeDream] = []
    seen: list[Any] = []
    bulk = connected(out, made)
    path = jobs_file(out, "a")
    report = bulk.run(path, encoding="utf-8", options=BulkOptions(budget=3), watch=seen.append)
    assert (report.reason, report.complete, report.spent, report.warnings, report.changes) == ("done", True, 1, (), ())
    assert len(seen) >= 1
    assert [is_closed(client) for client in made] == [True]
    assert (out / "results.jsonl").is_file()
    run, _ = bulk.counts()
    assert (run.options["encoding"], run.options["service"], run.budget) == ("utf-8", HERE, 3)
    assert bulk.jobs()[0].updated == pytest.approx(1_800_001_000.0, abs=100)
    jobs_file(out, "b")
    assert "no longer contains" not in str(bulk.run(path).changes)
    assert bulk.counts()[0].budget == 3, "the settings of the last start"


def test_a_file_that_is_wrong_makes_no_client_and_no_folder(out: Path) -> None:
    made: list[AsyncSeeDream] = []
    out.rmdir()
    with pytest.raises(InvalidRequest):
        connected(out, made).run([{"prompt": ""}])
    assert (made, out.exists()) == ([], False)
    with pytest.raises(JournalError, match="there is no bulk run"):
        connected(out, made).run()
    assert [is_closed(client) for client in made] == [True]
    assert not out.exists()


def test_a_run_within_a_running_event_loop_is_refused(out: Path) -> None:
    async def inside() -> None:
        said = refused(lambda: connected(out, []).run(["a"]))
        assert said == ("run() was called inside a running event loop", "Await arun() there.")

    anyio.run(inside)


@pytest.mark.parametrize("signalled", [True, False])
def test_after_a_signal_no_time_is_spent_on_thumbnails(
    out: Path, monkeypatch: pytest.MonkeyPatch, signalled: bool
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr("seedream.bulk.bulk.write_gallery", lambda *given: asked.append(given[3]()))
    bulk = connected(out, [])

    async def inside() -> None:
        if signalled:
            monkeypatch.setattr("seedream.bulk.bulk.SignalRelay", Heard)
        await bulk.arun(["a"])

    class Heard(SignalRelay):
        def connect(self, interrupt: Callable[[], None]) -> None:
            self.notify()
            super().connect(interrupt)

    anyio.run(inside)
    assert asked == [not signalled]


def test_a_client_is_closed_whole_when_its_run_is_cancelled(out: Path) -> None:
    closed: list[str] = []
    bulk = connected(out, [])
    connect = bulk._connect

    def connecting() -> AsyncSeeDream:
        client = connect()
        close = client.close

        async def closing() -> None:
            await anyio.lowlevel.checkpoint()
            await close()
            closed.append("whole")

        client.close = closing  # type: ignore[method-assign]  # looks, then closes
        return client

    async def inside() -> None:
        with anyio.CancelScope() as scope:
            bulk._connect = connecting
            bulk._deliver = lambda *_: cancelled(scope)
            await bulk.arun(["a"])

    async def cancelled(scope: anyio.CancelScope) -> Delivery:
        scope.cancel()
        await anyio.lowlevel.checkpoint()
        raise AssertionError

    anyio.run(inside)
    assert closed == ["whole"]


def test_a_run_hands_on_what_it_is_given(out: Path) -> None:
    seen: list[Any] = []

    class Recorded(Bulk):
        async def arun(self, jobs: Any = None, **given: Any) -> Any:
            seen.append((jobs, given))

    given: dict[str, Any] = {"encoding": "gbk", "options": BulkOptions(rate=2.0), "watch": print}
    for signals in (False, True):
        Recorded(out).run("j.csv", **given, signals=signals)
        assert seen.pop() == ("j.csv", {**given, "signals": signals})


def test_sources_that_are_not_recognised_are_sent_where_the_settings_say_so(out: Path) -> None:
    (out.parent / "a.bin").write_bytes(b"no picture")
    row = {"prompt": "a", "source_images": str(out.parent / "a.bin")}
    with pytest.raises(InvalidRequest):
        connected(out, []).run([row])
    report = connected(out, []).run([row], options=BulkOptions(allow_unrecognized_sources=True))
    assert report.complete
    with pytest.raises(InvalidRequest):
        SubmitterThread(out, connect=connected(out, [])._connect, jobs=[row], options=BulkOptions())
    options = BulkOptions(allow_unrecognized_sources=True)
    SubmitterThread(out, connect=connected(out, [])._connect, jobs=[row], options=options).close()


def test_a_run_delivers_where_it_is_told_to(out: Path) -> None:
    seen: list[Any] = []

    async def deliver(taskid: str, images: int) -> Delivery:
        seen.append((taskid, images))
        return Delivery(taskid, "downloaded")

    report = connected(out, [], deliver=deliver).run([{"prompt": "a", "batchsize": 2}])
    assert (report.complete, seen) == (True, [("t1", 2)])


# A submitter in a thread.


def test_a_submitter_in_a_thread_owns_the_run_and_writes_its_results(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[AsyncSeeDream] = []
    monkeypatch.chdir(tmp_path)
    bulk = connected(out, made)
    options = BulkOptions(budget=4, concurrency=2)
    with SubmitterThread("my out", connect=bulk._connect, options=options, jobs=["a", "b"]) as submitter:
        assert submitter.folder.root == out
        assert submitter.options == options
        report = submitter.report()
        assert (report.reason, report.counts["planned"], report.spent, report.folder) == ("done", 2, 0, out)
        assert (report.error, report.unrecorded) == (None, {})
        with pytest.raises(JournalError):
            Journal(out / "journal.sqlite")
        assert anyio.run(submitter.ensure, "k", {"prompt": "k"}) == "t1"
        submitter.stop("credits")
        assert submitter.report().reason == "credits"
        assert submitter.report().spent == 1
        anyio.run(submitter.record, "k", Delivery("t1", "downloaded"))
        assert submitter.report().counts["downloaded"] == 1
    assert len((out / "results.jsonl").read_text().splitlines()) == 3
    assert [is_closed(client) for client in made] == [True]
    Journal(out / "journal.sqlite").close()
    again = SubmitterThread(out, connect=bulk._connect)
    assert again.options == options, "those of the last start"
    again.stop()
    assert again.report().reason == "interrupted"
    again.close()


def test_the_end_of_a_submitter_waits_for_a_submission_on_its_way(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    sent, answer = threading.Event(), threading.Event()

    async def handle(request: httpx.Request) -> httpx.Response:
        sent.set()
        await anyio.to_thread.run_sync(answer.wait)
        order.append("answered")
        return httpx.Response(200, json=ACCEPTED, request=request)

    def connect() -> AsyncSeeDream:
        client = AsyncSeeDream(KEY, base_url=HERE, transport=httpx.MockTransport(handle))
        close = client.close

        async def closed() -> None:
            order.append("closed")
            answer.set()
            await close()

        monkeypatch.setattr(client, "close", closed)
        return client

    def waits(pending: Any) -> None:
        answer.set()
        wait(pending)

    monkeypatch.setattr(submitter_thread, "wait", waits)
    submitter = SubmitterThread(out, connect=connect)
    with ThreadPoolExecutor() as threads:
        taskid = threads.submit(anyio.run, submitter.ensure, "k", {"prompt": "k"})
        assert sent.wait(30)
        submitter.close()
        assert taskid.result() == "t1"
    assert order == ["answered", "closed"]
    assert [json.loads(line)["taskid"] for line in (out / "results.jsonl").read_text().splitlines()] == ["t1"]


def test_the_end_of_a_submitter_pays_for_nothing_that_was_not_on_its_way(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rule: `close` stops first and waits then, so that calls that still wait for their turn are not sent.
    sent, answer, paid = threading.Event(), threading.Event(), list[str]()

    async def handle(request: httpx.Request) -> httpx.Response:
        paid.append("paid")
        sent.set()
        await anyio.to_thread.run_sync(answer.wait)
        return httpx.Response(200, json=ACCEPTED, request=request)

    def connect() -> AsyncSeeDream:
        return AsyncSeeDream(KEY, base_url=HERE, transport=httpx.MockTransport(handle))

    def waits(pending: list[Any]) -> None:
        answer.set()
        wait(pending)

    monkeypatch.setattr(submitter_thread, "wait", waits)
    submitter = SubmitterThread(out, connect=connect, options=BulkOptions(concurrency=1))
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(anyio.run, submitter.ensure, key, {"prompt": key}) for key in "abcd"]
        assert sent.wait(30)
        while len(submitter._pending) < 4:
            submitter._portal.call(anyio.lowlevel.checkpoint)
        submitter.close()
        ended = [type(call.exception()) for call in calls]
    assert (len(paid), ended.count(type(None)), ended.count(NotSent)) == (1, 1, 3)
    results = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert sorted(row["state"] for row in results) == ["planned"] * 3 + ["submitted"]


@pytest.mark.parametrize("ends", ["is cancelled", "loses its event loop"])
def test_a_caller_that_ends_does_not_break_off_a_submission_on_its_way(
    out: Path, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    sent, answer = threading.Event(), threading.Event()

    async def handle(request: httpx.Request) -> httpx.Response:
        sent.set()
        await anyio.to_thread.run_sync(answer.wait)
        return httpx.Response(200, json=ACCEPTED, request=request)

    def waits(pending: list[Any]) -> None:
        answer.set()
        wait(pending)

    async def call() -> None:
        asked = asyncio.ensure_future(submitter.ensure("k", {"prompt": "k"}))
        await asyncio.to_thread(sent.wait, 30)
        if ends == "is cancelled":
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked

    monkeypatch.setattr(submitter_thread, "wait", waits)
    transport = httpx.MockTransport(handle)
    submitter = SubmitterThread(out, connect=lambda: AsyncSeeDream(KEY, base_url=HERE, transport=transport))
    asyncio.run(call())
    submitter.close()
    assert [json.loads(line)["taskid"] for line in (out / "results.jsonl").read_text().splitlines()] == ["t1"]


def test_a_submitter_with_nothing_on_its_way_ends_without_being_interrupted(out: Path) -> None:
    submitter = SubmitterThread(out, connect=connected(out, [])._connect)
    assert anyio.run(submitter.ensure, "k", {"prompt": "k"}) == "t1"
    submitter._portal.call(anyio.lowlevel.checkpoint)  # what was called when the submission ended is over
    assert submitter._pending == set()
    submitter.close()
    assert submitter._submitter.control.reason is None


def test_a_submitter_in_a_thread_is_found_again_in_its_process_only(out: Path) -> None:
    with SubmitterThread(out, connect=connected(out, [])._connect) as submitter:
        text = pickle.dumps(submitter)
        assert pickle.loads(text) is submitter  # noqa: S301 -- our own
    said = refused(lambda: submitter_thread._find("another process's"))
    hint = "On a cluster, use seedream.ray.start_submitter()."
    assert said == ("the submitter is a thread of another process", hint)


def test_a_client_that_cannot_be_made_leaves_nothing_open(out: Path) -> None:
    def connect() -> AsyncSeeDream:
        raise ConfigError("no key")

    for _ in range(2):
        with pytest.raises(ConfigError, match="no key"):
            SubmitterThread(out / "new", connect=connect)
    assert not (out / "new").exists()
