"""The small parts of a run, each by itself: folder, results, delivery, signals, report."""

import hashlib
import importlib
import json
import os
import signal
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve
from seedream import AsyncSeeDream
from seedream._files.partial_file import digest_of
from seedream.bulk import Delivery, Report, Snapshot
from seedream.bulk.downloader import deliver
from seedream.bulk.folder import Folder
from seedream.bulk.report import ENDINGS
from seedream.bulk.results import (
    MANIFEST_COLUMNS,
    manifest_rows,
    manifest_table,
    results,
    write_manifest,
    write_results,
)
from seedream.bulk.signals import SignalRelay, receiving_signals
from seedream.errors import (
    ConfigError,
    DiskError,
    DownloadError,
    JournalError,
    JournalFull,
    ResultExpired,
    SeeDreamError,
    TaskFailed,
    WaitTimeout,
)
from seedream.journal import STATES, Journal, Picture, Plan, Run
from seedream.journal.queries import Queries
from support.clients import KEY
from support.clock import FakeClock
from support.fake_service import FakeService, completed, task_reply
from support.pictures import picture

LOST = (
    "Put the journal that belongs to it back, or use another folder. If it is lost, --records-lost (records_lost=True) "
    "goes on without it: jobs that it held are then paid for again."
)


class Known(Queries):
    """A journal that knows these task ids."""

    def __init__(self, *taskids: str) -> None:
        self._ids = taskids

    def accepted(self) -> list[tuple[str, int]]:
        return [(taskid, number) for number, taskid in enumerate(self._ids, 1)]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "out")


# The folder.


def test_what_is_where(folder: Folder) -> None:
    names = {name: getattr(folder, name).relative_to(folder.root).as_posix()
             for name in ("journal", "pictures", "thumbnails", "results", "manifest", "gallery")}  # fmt: skip
    assert names == {
        "journal": "journal.sqlite",
        "pictures": "pictures",
        "thumbnails": ".thumbnails",
        "results": "results.jsonl",
        "manifest": "manifest.parquet",
        "gallery": "gallery.html",
    }
    folder.journal.mkdir(parents=True)
    assert not folder.has_journal
    folder.journal.rmdir()
    folder.journal.write_bytes(b"x")
    assert folder.has_journal


def test_what_a_killed_process_left_is_swept_and_nothing_else(folder: Folder) -> None:
    folder.sweep()  # there is nothing yet
    kept = ["pictures/a-1.png", "pictures/a.part", "pictures/.hidden", "results.jsonl", "a.new", ".x.part",
            ".thumbnails/a.webp", ".thumbnails/.x.part", "pictures/.a.new", "other/.a.part"]  # fmt: skip
    left = ["pictures/.a.0123.part", "pictures/..part", ".results.jsonl.0123.new", ".thumbnails/.a.webp.0123.new"]
    for name in (*kept, *left):
        (folder.root / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.root / name).touch()
    folder.sweep()
    assert sorted(p.relative_to(folder.root).as_posix() for p in folder.root.rglob("*") if p.is_file()) == sorted(kept)


def fill(folder: Folder, *pictures: str, results: str | None = None, gallery: str | None = None) -> None:
    for name in pictures:
        (folder.root / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.root / "pictures" / name).write_text(name)
    folder.root.mkdir(parents=True, exist_ok=True)
    if results is not None:
        folder.results.write_text(results)
    if gallery is not None:
        folder.gallery.write_bytes(gallery.encode("utf-8", "surrogateescape"))  # also bytes that are not UTF-8


@pytest.mark.parametrize(
    ("pictures", "results", "gallery", "journal", "said"),
    [
        ([], None, None, None, ""),
        (["t-1-1.png", "t-2-1.png"], '{"taskid": "t-1"}\n{"taskid": null}\n{"taskid": 5}\n[]\n', None,
         Known("t-1", "t-2"), ""),
        (["t-1-1.png"], None, None, None, "a picture, t-1-1.png, but no journal"),
        (["t-1-1.png"], None, None, Known(), "a picture, t-1-1.png, which its journal does not know"),
        (["b-1.png", "a-2.jpeg"], None, None, Known("b"), "a picture, a-2.jpeg, which its journal does not know"),
        (["t-10-1.png"], None, None, Known("t"), "a picture, t-10-1.png, which its journal does not know"),
        # Other files may lie there.
        ([".t-1.png", "notes.txt", "t-1.PNG", "t-1.toolong", "t-1.x", "-1.png", "t-x.png"], None, None, Known(), ""),
        ([], '{"taskid": "t-9"}\n', None, Known("t-1"), "results of task t-9 which its journal does not know"),
        ([], '{"taskid": "t-1"}\n{"taskid": "t-9"}\nnot JSON', None, Known("t-1"),
         "results of task t-9 which its journal does not know"),
        ([], "not JSON\n", None, None, ""),
        ([], None, '<a href="pictures/t-1.png">', None, "a gallery of pictures but no journal"),
        ([], None, "an empty gallery", None, ""),
        ([], None, '"pictures/t-1.png"', Known(), ""),
        ([], None, '\udcff "pictures/t-1.png"', None, "a gallery of pictures but no journal"),
    ],
)  # fmt: skip
def test_what_a_folder_may_hold_that_its_journal_does_not_know(
    folder: Folder, pictures: list[str], results: str | None, gallery: str | None, journal: Queries | None, said: str
) -> None:
    # Rule: what is there and is not known was paid for, and would be paid for again.
    fill(folder, *pictures, results=results, gallery=gallery)
    if not said:
        folder.check_known(journal)
        return
    with pytest.raises(JournalError) as caught:
        folder.check_known(journal)
    assert (caught.value.message, caught.value.hint) == (f"{folder.root} contains {said}", LOST)


def test_an_id_that_cannot_be_a_name_is_known_by_its_digest(folder: Folder) -> None:
    odd = "../up"
    shown = "task-" + hashlib.sha256(odd.encode()).hexdigest()[:12]
    fill(folder, f"{shown}-1.png", results=json.dumps({"taskid": odd}) + "\n")
    folder.check_known(Known(odd))
    (folder.pictures / f"{shown}-1.png").unlink()
    with pytest.raises(JournalError, match=f"results of task {shown} which"):
        folder.check_known(Known())


def test_what_is_not_known_is_put_aside_and_the_rest_stays(folder: Folder) -> None:
    fill(folder, "old-1.png", "new-1.png", "notes.txt", results='{"taskid": "old"}\n', gallery="the gallery")
    (folder.root / "earlier-1").mkdir()
    folder.set_aside(Known("new"))
    aside = folder.root / "earlier-2"
    moved = sorted(path.relative_to(aside).as_posix() for path in aside.rglob("*") if path.is_file())
    assert moved == ["gallery.html", "pictures/old-1.png", "results.jsonl"]
    assert (aside / "pictures/old-1.png").read_text() == "old-1.png"
    assert sorted(path.name for path in folder.pictures.iterdir()) == ["new-1.png", "notes.txt"]
    assert not folder.results.exists()
    folder.set_aside(Known("new"))
    assert not (folder.root / "earlier-3").exists()


def test_pictures_are_put_aside_without_results_that_are_known(folder: Folder) -> None:
    fill(folder, "old-1.png", results='{"taskid": "new"}\n', gallery="the gallery")
    folder.set_aside(Known("new"))
    assert (folder.root / "earlier-1/pictures/old-1.png").exists()
    assert folder.results.exists()
    assert folder.gallery.exists()
    fill(folder, results='{"taskid": "old"}\n')
    folder.gallery.unlink()
    folder.set_aside(Known("new"))
    assert [path.name for path in (folder.root / "earlier-2").iterdir() if path.is_file()] == ["results.jsonl"]


def test_what_cannot_be_put_aside_is_an_error_of_the_tree(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(folder, "old-1.png")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", denied)
    with pytest.raises(JournalFull) as caught:
        folder.set_aside(Known())
    assert caught.value.message == f"{folder.root / 'earlier-1'} cannot be written: Permission denied"


# Results.


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal.sqlite", clock=lambda: 1.0) as opened:
        yield opened


@pytest.fixture
def run(journal: Journal) -> Run:
    """Two jobs: one delivered with two pictures, one failed with an error."""
    found = journal.run("bulk")
    request = {"prompt": "猫\u2028\u2029\x85", "redacted_options": ["image_url"]}
    journal.plan(found.id, [Plan("a", "d1", request, 2, line=3), Plan("b", "d2", {"prompt": "b"}, 1)])
    for number, job in enumerate(journal.jobs(found.id)):
        record = journal.submission_record(job.id, job.cost)
        record.begin()
        record.submitted(f"t-{number}")
    journal.downloaded(
        {1: [Picture(0, "pictures/t-0-1.png", 10, "0" * 64), Picture(1, "pictures/t-0-2.png", 20, "1" * 64)]}
    )
    journal.failed(2, TaskFailed("bad"))
    again = journal.find_run("bulk")
    assert again is not None
    return again


DONE: dict[str, Any] = {
    "id": "a", "line": 3, "state": "downloaded", "taskid": "t-0", "request": {"prompt": "猫\u2028\u2029\x85"},
    "images": 2, "spent": 2, "billing": "yes", "error": None,
    "pictures": [{"path": "pictures/t-0-1.png", "bytes": 10, "sha256": "0" * 64},
                 {"path": "pictures/t-0-2.png", "bytes": 20, "sha256": "1" * 64}],
}  # fmt: skip
FAILED: dict[str, Any] = {
    "id": "b", "line": None, "state": "failed", "taskid": "t-1", "request": {"prompt": "b"}, "images": 1, "spent": 1,
    "billing": "unknown", "error": {"type": "TaskFailed", "message": "bad."}, "pictures": [],
}  # fmt: skip


def test_the_results_have_these_columns_in_this_order(journal: Journal, run: Run, folder: Folder) -> None:
    rows = list(results(journal, run))
    assert rows == [DONE, FAILED]
    assert [list(row) for row in rows] == [list(DONE), list(FAILED)]
    assert list(rows[0]["pictures"][0]) == ["path", "bytes", "sha256"]
    folder.root.mkdir()
    write_results(journal, run, folder)
    text = folder.results.read_text("utf-8")
    assert "猫\\u2028\\u2029\\u0085" in text
    assert [json.loads(line) for line in text.splitlines()] == [DONE, FAILED]
    assert text.endswith("\n")
    assert stat.S_IMODE(folder.results.stat().st_mode) == 0o600


def test_results_are_replaced_whole_or_not_at_all(
    journal: Journal, run: Run, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.root.mkdir()
    folder.results.write_text("of the last run")
    before = folder.results.stat().st_ino
    real = journal.pictures

    def fails(identity: int) -> list[Picture]:
        if identity == 2:
            raise JournalError("gone")
        return real(identity)

    with monkeypatch.context() as patch:
        patch.setattr(journal, "pictures", fails)
        with pytest.raises(JournalError):
            write_results(journal, run, folder)
    assert folder.results.read_text() == "of the last run"
    assert [path.name for path in folder.root.iterdir()] == ["results.jsonl"]
    write_results(journal, run, folder)
    assert folder.results.stat().st_ino != before


def test_the_manifest_has_a_row_for_each_picture_and_one_for_a_job_without() -> None:
    assert MANIFEST_COLUMNS == (
        "id", "taskid", "state", "images", "index", "path", "bytes", "sha256", "billing", "error", "message",
    )  # fmt: skip
    rows = list(manifest_rows([DONE, FAILED]))
    base = {
        "id": "a",
        "taskid": "t-0",
        "state": "downloaded",
        "images": 2,
        "billing": "yes",
        "error": None,
        "message": None,
    }
    assert rows == [
        {**base, "index": 0, "path": "pictures/t-0-1.png", "bytes": 10, "sha256": "0" * 64},
        {**base, "index": 1, "path": "pictures/t-0-2.png", "bytes": 20, "sha256": "1" * 64},
        {"id": "b", "taskid": "t-1", "state": "failed", "images": 1, "index": None, "path": None, "bytes": None,
         "sha256": None, "billing": "unknown", "error": "TaskFailed", "message": "bad."},
    ]  # fmt: skip
    assert all(tuple(row) == MANIFEST_COLUMNS for row in rows)


class Arrow:
    """The part of pyarrow that is used, without the library."""

    def __init__(self) -> None:
        self.written: list[Any] = []
        self.Table = self
        self.asked: list[str] = []

    def imported(self, name: str) -> "Arrow":
        self.asked.append(name)
        return self

    def int64(self) -> str:
        return "int64"

    def string(self) -> str:
        return "string"

    def schema(self, columns: Any) -> Any:
        return columns

    def from_pylist(self, rows: Any, schema: Any) -> Any:
        return type("Table", (), {"rows": rows, "schema": schema})

    def ParquetWriter(self, file: Any, schema: Any) -> Any:  # noqa: N802 -- pyarrow's name
        self.written.append(schema)
        file.write(b"PAR1")
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.written.append("end")

    def write_table(self, table: Any) -> None:
        self.written.append(table.rows)


def test_the_manifest_is_written_in_parts_with_its_types(
    journal: Journal, run: Run, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrow = Arrow()
    monkeypatch.setattr("seedream.bulk.results._ROWS", 2)
    monkeypatch.setattr(importlib, "import_module", arrow.imported)
    folder.root.mkdir()
    folder.manifest.write_text("of the last run")
    write_manifest(journal, run, folder)
    schema = [(name, "int64" if name in ("images", "index", "bytes") else "string") for name in MANIFEST_COLUMNS]
    assert arrow.written == [schema, list(manifest_rows([DONE]))[:2], list(manifest_rows([FAILED])), "end"]
    assert (arrow.asked[0], set(arrow.asked[1:])) == ("pyarrow.parquet", {"pyarrow"})
    assert folder.manifest.read_bytes() == b"PAR1"
    folder.manifest.unlink()
    write_manifest(journal, run, folder)  # where there is none yet
    table = manifest_table(iter([DONE]))
    assert (table.rows, table.schema) == ([DONE], schema)


def test_without_pyarrow_an_old_manifest_is_removed_and_the_extra_named(
    journal: Journal, run: Run, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A manifest that is out of date would be read as the truth.
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    folder.root.mkdir()
    folder.manifest.write_text("of the last run")
    with pytest.raises(ConfigError) as caught:
        write_manifest(journal, run, folder)
    assert caught.value.message == "a Parquet manifest needs pyarrow"
    assert caught.value.hint == "Install the extra from the project's folder: pip install '.[ray]'"
    assert list(folder.root.iterdir()) == []


# Deliveries.


def delivered(service: FakeService, directory: Path, **settings: Any) -> Delivery:
    async def inside() -> Delivery:
        async with AsyncSeeDream(
            KEY, base_url="https://api.example", transport=service.transport, clock=FakeClock()
        ) as client:
            return await deliver(client, "t1", directory, **settings)

    return anyio.run(inside)


HOST = "https://images.example"


def test_a_delivery_holds_what_was_saved(tmp_path: Path) -> None:
    contents = [picture(seed=1), picture(seed=2)]
    service = FakeService(completed(f"{HOST}/1", f"{HOST}/2"), pictures={"/1": contents[0], "/2": contents[1]})
    found = delivered(service, tmp_path / "pictures", images=2)
    assert (found.taskid, found.state, found.error, found.disk_failed) == ("t1", "downloaded", None, False)
    assert [(one.index, one.bytes) for one in found.pictures] == [(0, len(contents[0])), (1, len(contents[1]))]
    for one, content in zip(found.pictures, contents, strict=True):
        path = tmp_path / one.path
        assert one.path.startswith("pictures/t1-")
        assert (path.read_bytes(), one.sha256) == (content, digest_of(path))
    assert stat.S_IMODE((tmp_path / "pictures").stat().st_mode) & 0o700 == 0o700


@pytest.mark.parametrize(
    ("service", "settings", "state", "kind"),
    [
        (FakeService(task_reply(4, error_message="no")), {}, "failed", TaskFailed),
        (FakeService(task_reply(2)), {"timeout": 5.0}, "submitted", WaitTimeout),
        (FakeService({"code": 9999, "msg": "none"}), {}, "submitted", SeeDreamError),
        (FakeService(completed(f"{HOST}/1")), {}, "succeeded", ResultExpired),
        (FakeService(completed(f"{HOST}/1"), pictures={"/1": picture()}), {"images": 2}, "succeeded", DownloadError),
        (
            FakeService(completed(f"{HOST}/1"), pictures={"/1": picture()}),
            {"max_bytes": 10},
            "succeeded",
            DownloadError,
        ),
    ],
)
def test_what_goes_wrong_is_in_the_delivery(
    tmp_path: Path, service: FakeService, settings: dict[str, Any], state: str, kind: type[SeeDreamError]
) -> None:
    found = delivered(service, tmp_path / "pictures", **settings)
    assert (found.taskid, found.state, found.pictures) == ("t1", state, ())
    assert isinstance(found.error, kind), found.error


def test_a_wait_has_the_given_deadline_and_else_a_quarter_of_an_hour(tmp_path: Path) -> None:
    for settings, limit in (({}, 900), ({"timeout": 60.0}, 60)):
        found = delivered(FakeService(task_reply(2)), tmp_path / "pictures", **settings)
        assert str(limit) in str(found.error), found.error


def test_a_saved_picture_that_cannot_be_read_is_a_fault_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = FakeService(completed(f"{HOST}/1"), pictures={"/1": picture()})
    assert delivered(service, tmp_path / "pictures").error is None

    def unreadable(*_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("seedream._protocol.download.digest_of", unreadable)
    found = delivered(service, tmp_path / "pictures")
    assert (found.state, found.disk_failed) == ("succeeded", True)
    assert isinstance(found.error, DiskError)
    assert "Permission denied" in found.error.message


def test_a_fault_of_the_disk_is_seen_in_an_error_and_behind_one() -> None:
    full, other = DiskError("full"), ResultExpired("gone")
    assert Delivery("t", "succeeded", error=full).disk_failed
    several = DownloadError("one")
    several.errors = {0: other, 1: full}
    assert Delivery("t", "succeeded", error=several).disk_failed
    several.errors = {0: other}
    assert not Delivery("t", "succeeded", error=several).disk_failed
    assert not Delivery("t", "succeeded", error=other).disk_failed
    assert not Delivery("t", "downloaded").disk_failed


def test_the_digest_is_that_of_the_whole_file(tmp_path: Path) -> None:
    content = os.urandom(2 * 1024 * 1024 + 7)
    (tmp_path / "a").write_bytes(content)
    assert digest_of(tmp_path / "a") == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(("at_once", "most"), [(1, 1), (3, 3), (None, 1)])
def test_so_many_tasks_are_downloaded_at_once(tmp_path: Path, at_once: int | None, most: int) -> None:
    running: list[int] = []

    class Client:
        service = None

        async def run(self, flow: Any) -> Any:
            if flow == "wait":
                return None
            running.append(1)
            seen.append(len(running))
            for _ in range(9):
                await anyio.lowlevel.checkpoint()
            running.pop()
            return []

    seen: list[int] = []
    client: Any = Client()
    limiter = None if at_once is None else anyio.CapacityLimiter(at_once)

    async def inside() -> None:
        shared = limiter or anyio.CapacityLimiter(1)
        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(partial(deliver, client, str(number), tmp_path / "p", downloads=shared))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seedream.bulk.downloader.wait", lambda *_, **__: "wait")
        patch.setattr("seedream.bulk.downloader.save", lambda *_, **__: "save")
        anyio.run(inside)
    assert max(seen) == most
    assert len(seen) == 5


# Signals.


def test_a_signal_before_there_is_an_engine_reaches_it() -> None:
    relay, calls = SignalRelay(), list[str]()
    assert relay.heard == 0
    relay.notify()
    relay.notify()
    assert (relay.heard, calls) == (2, [])
    relay.connect(lambda: calls.append("stop"))
    assert calls == ["stop", "stop"]
    relay.notify()
    assert (relay.heard, calls) == (3, ["stop"] * 3)


def test_signals_are_received_until_the_end_and_ignored_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    relay = SignalRelay()
    set_last: list[tuple[int, Any]] = []
    real = signal.signal

    def recorded(number: int, handler: Any) -> Any:
        set_last.append((number, handler))
        return real(number, handler)

    async def inside() -> None:
        async with receiving_signals(relay, wanted=True):
            for number in before:
                signal.raise_signal(number)
            while relay.heard < 3:
                await anyio.lowlevel.checkpoint()
            monkeypatch.setattr("seedream.bulk.signals.signal.signal", recorded)

    try:
        anyio.run(inside)
        assert relay.heard == 3
        ignored = {number for number, handler in set_last if handler is signal.SIG_IGN}
        assert ignored == set(before)
    finally:
        monkeypatch.undo()
        for number, handler in before.items():
            signal.signal(number, handler)


def test_where_the_event_loop_knows_no_signals_they_are_received_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    # As on Windows.
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    relay = SignalRelay()

    def unknown(*_: object) -> None:
        raise NotImplementedError

    async def inside() -> None:
        async with receiving_signals(relay, wanted=True):
            for number in before:
                signal.raise_signal(number)

    monkeypatch.setattr("seedream.bulk.signals.anyio.open_signal_receiver", unknown)
    try:
        anyio.run(inside)
        assert relay.heard == 3
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("wanted", [True, False])
def test_an_error_goes_on_as_it_is(wanted: bool) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    async def inside() -> None:
        async with receiving_signals(SignalRelay(), wanted):
            unchanged = signal.getsignal(signal.SIGTERM) == before[signal.SIGTERM]  # SIGINT is asyncio's own
            assert unchanged is not wanted, "only a run that was asked to takes the program's signals"
            raise ConfigError("as it is")

    try:
        with pytest.raises(ConfigError, match="as it is"):
            anyio.run(inside)
        if not wanted:
            assert {number: signal.getsignal(number) for number in before} == before
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# The report.


def test_each_end_of_a_run_says_what_happened_and_what_to_do() -> None:
    # What pauses a run is said with the way to go on; nothing promises more than is true.
    assert ENDINGS == {
        "done": ("All jobs have been worked on.", ""),
        "credits": ("The account has not enough credits.", "Top up, then resume: the rest of the queue is kept."),
        "budget": ("The budget is reached.", "Resume with a higher budget to go on: the rest of the queue is kept."),
        "key": ("The service refused the API key.", "Check the key, then resume."),
        "setup": ("The service cannot be used as it is set up.", "Correct the set-up, then resume."),
        "disk": ("The output folder cannot be written, so nothing more was sent.",
                 "Make room or correct the folder, then resume."),
        "machine": ("This machine ran out of memory, threads or open files, so nothing more was sent.",
                    "Close other programs or lower --in-flight and --concurrency, then resume."),
        "network": ("The service could not be reached for too long.", "Resume later."),
        "rate_limited": ("The service answered “too many requests” to every submission for too long.",
                         "Resume later, with a lower rate."),
        "unknowns": ("Too many submissions got no usable answer. The run stopped to protect your credits.",
                     "Resolve the unknown ones, then resume."),
        "tasks": ("Too many tasks failed or did not finish. The run stopped to protect your credits.",
                  "Look at the jobs' errors in results.jsonl, then resume."),
        "downloads": ("The pictures of too many tasks could not be saved. The run stopped to protect your credits.",
                      "The tasks are not lost. Look at the errors in results.jsonl, then resume."),
        "interrupted": ("Interrupted. Every submission on its way was finished.", "Resume to go on."),
        "cancelled": ("Interrupted twice. Submissions on their way are listed as unknown.",
                      "Resolve them, then resume."),
    }  # fmt: skip


def test_a_report_and_a_snapshot_hold_nothing_that_is_not_given() -> None:
    counts = dict.fromkeys(STATES, 0)
    report = Report("done", counts, 1, Path("f"))
    assert (report.error, report.unrecorded, report.planned_images, report.warnings, report.changes) == (
        None,
        {},
        0,
        (),
        (),
    )
    assert (report.total, report.left, report.complete) == (0, 0, True)
    for state in STATES:
        one = evolve(report, counts={**counts, state: 2})
        assert one.left == (2 if state in ("planned", "submitting", "submitted", "succeeded") else 0)
        assert one.complete == (state in ("downloaded", "abandoned"))
    shown = Snapshot({**counts, "planned": 3}, 1, 2, 10.0, 5, 4)
    assert (shown.waiting, shown.unrecorded, shown.rate, shown.eta) == ("", {}, 0.5, 6.0)
