"""What makes the journal durable: its settings, the order of its steps, its lock and mark, and what it leaves."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from journal.support import in_state, planned, run_id
from journal.test_commit import Spy, coded, insert
from seedream.errors import JournalError, JournalFull, SubmissionUnknown
from seedream.journal import STATES, Event, Job, Journal, Plan, ReadOnlyJournal, State, connect, lock
from seedream.journal.commit import Committer, Database, newest_event
from seedream.journal.lock import Lock, Mark, filesystem, identity, read_mark
from seedream.journal.queries import LOST
from seedream.journal.states import sql_list


class Logged(sqlite3.Connection):
    """A connection that keeps what it was asked, and whether it was closed."""

    log: list[str]
    made: "list[Logged]"

    def __init__(self, *values: object, **settings: object) -> None:
        super().__init__(*values, **settings)  # type: ignore[arg-type]  # handed on as they are
        self.closed = False
        type(self).made.append(self)

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        type(self).log.append(" ".join(sql.split()))
        return super().execute(sql, parameters)

    def close(self) -> None:
        self.closed = True
        super().close()


@pytest.fixture
def logged() -> type[Logged]:
    Logged.log, Logged.made = [], []
    return Logged


def logging(path: Path) -> Logged:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=Logged)


# The connection.


def test_each_setting_of_the_connection(journal: Journal, path: Path) -> None:
    # Rule I10: a commit has reached the disk when it returns, also on macOS.
    def pragma(name: str) -> object:
        return journal._read(lambda database: database.execute(f"PRAGMA {name}").fetchone()[0])

    names = ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync", "foreign_keys", "busy_timeout")
    assert [pragma(name) for name in names] == ["wal", 2, 1, 1, 1, 10_000]
    with ReadOnlyJournal(path) as reader:
        assert reader._read(lambda database: database.execute("PRAGMA busy_timeout").fetchone()[0]) == 30_000
    other = connect(path)
    assert (other.in_transaction, getattr(other, "isolation_level", "?")) == (False, None)
    with ThreadPoolExecutor(1) as pool:  # any thread of a program records through the one connection
        assert pool.submit(other.execute, "SELECT 1").result().fetchone() == (1,)
    other.close()


def test_each_change_is_one_immediate_transaction(tmp_path: Path) -> None:
    # A transaction that begins as a reader could be refused in its middle.
    spy, said, seen = Spy(tmp_path / "db"), list[str](), list[int]()
    real = spy.execute

    def execute(sql: str, values: Sequence[object] = (), /) -> Any:
        said.append(sql)
        return real(sql, values)

    spy.execute = execute  # type: ignore[method-assign]  # keeps what it was asked
    committer = Committer(spy, Path("j"), lambda: said.append("check"), seen.append)
    committer.do(lambda database: database.execute("INSERT INTO event VALUES(7)"))
    newest = "SELECT max(seq) FROM event"
    assert said == ["check", "BEGIN IMMEDIATE", "INSERT INTO event VALUES(7)", newest, "COMMIT"]
    assert seen == [7]
    said.clear()
    assert committer.read(lambda database: database.execute("SELECT 1").fetchone()) == (1,)
    assert said == ["SELECT 1"]
    assert committer.do(lambda _: "value") == "value"
    committer.close()
    spy.close()


def test_what_the_check_refuses_is_not_begun(tmp_path: Path) -> None:
    spy = Spy(tmp_path / "db")

    def moved() -> None:
        raise JournalError("moved")

    committer = Committer(spy, Path("j"), moved)
    with pytest.raises(JournalError, match="moved"):
        committer.do(insert(1))
    assert not spy.in_transaction
    assert spy.commits == 0
    spy.close()


@pytest.mark.parametrize(("code", "again"), [("SQLITE_FULL", True), ("SQLITE_BUSY", True), ("SQLITE_IOERR", False)])
def test_after_a_failed_commit_only_a_passing_reason_lets_it_go_on(tmp_path: Path, code: str, again: bool) -> None:
    # Rule I10: after a failed fsync nothing of this connection can be trusted.
    spy, seen = Spy(tmp_path / "db"), list[int]()
    committer = Committer(spy, Path("j"), committed=seen.append)
    spy.fail = coded(code)
    with pytest.raises(JournalError):
        committer.do(insert(1))
    assert (spy.in_transaction, seen) == (False, [])
    spy.fail = None
    if again:
        committer.do(insert(2))
    else:
        with pytest.raises(JournalError):
            committer.do(insert(2))
    assert spy.real.execute("SELECT x FROM t").fetchall() == ([(2,)] if again else [])
    committer.close()
    spy.close()


def test_a_transaction_that_cannot_be_rolled_back_is_the_last(tmp_path: Path) -> None:
    spy = Spy(tmp_path / "db")
    real = spy.execute

    def execute(sql: str, values: Sequence[object] = (), /) -> Any:
        if sql == "ROLLBACK":
            raise coded("SQLITE_IOERR")
        return real(sql, values)

    spy.execute = execute  # type: ignore[method-assign]  # one statement fails
    committer = Committer(spy, Path("j"))

    def fails(_: Database) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        committer.do(fails)
    with pytest.raises(JournalError) as caught:
        committer.do(insert(1))
    assert caught.value.message == "j cannot be rolled back: it went wrong"
    assert caught.value.hint == "Restart; what was recorded before is safe."
    spy.close()


def test_it_is_closed_although_the_last_work_fails(tmp_path: Path) -> None:
    class Closing(Spy):
        closed = 0

        def close(self) -> None:
            self.closed += 1
            super().close()

    def full(_: Database) -> None:
        raise JournalFull("no room")

    for last in (full, insert(1)):
        spy = Closing(tmp_path / f"db{last is full}")
        committer = Committer(spy, Path("j"))
        committer.close(last)
        committer.close(last)
        assert spy.closed == 1


def test_no_use_from_within_a_use(tmp_path: Path) -> None:
    # A signal handler that submits in the middle of the same thread's transaction would commit half of it.
    spy = Spy(tmp_path / "db")
    committer = Committer(spy, Path("j"))

    def nested(database: Database) -> None:
        database.execute("INSERT INTO t VALUES(1)")
        with pytest.raises(JournalError, match="is closed"):
            committer.do(insert(2))
        with pytest.raises(JournalError, match="is closed"):
            committer.read(lambda _: None)

    committer.do(nested)
    committer.do(insert(3))
    assert spy.real.execute("SELECT x FROM t").fetchall() == [(1,), (3,)]
    assert spy.commits == 2
    committer.close()
    spy.close()


def test_the_newest_event_is_the_last_one() -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE event(seq INTEGER PRIMARY KEY)")
    assert newest_event(database) == 0
    database.execute("INSERT INTO event VALUES(3), (9)")
    assert newest_event(database) == 9


# Creation, opening and closing.


def test_a_new_journal_is_whole_before_it_has_its_name(
    path: Path, logged: type[Logged], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rule: created under another name with its tables, synced, renamed, and the folder synced after that.
    steps: list[tuple[str, bool]] = []
    replace, sync = Path.replace, lock.sync_folder

    def replaced(self: Path, target: Path) -> Path:
        assert (self.parent, target) == (path.parent, path)
        assert stat.S_IMODE(self.stat().st_mode) == 0o600
        assert self.name.startswith(f".{path.name}.")
        assert self.name.endswith(".new")
        steps.append(("rename", path.exists()))
        assert logged.made[0].closed
        return replace(self, target)

    def synced(folder: Path) -> None:
        steps.append((f"sync {folder == path.parent}", path.exists()))
        sync(folder)

    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr("seedream.journal.journal.sync_folder", synced)
    Journal(path, connect=logging).close()
    assert steps == [("rename", False), ("sync True", True)]
    log = logged.log
    assert log[:2] == ["PRAGMA synchronous=EXTRA", "BEGIN IMMEDIATE"]
    insert_id = log.index("INSERT INTO journal(id, closed) VALUES(?, 1)")
    assert all(line.startswith("CREATE ") for line in log[2:insert_id])
    assert insert_id > 10
    assert log[insert_id + 1 : insert_id + 4] == ["PRAGMA application_id=1396984369", "PRAGMA user_version=2", "COMMIT"]
    assert [one.closed for one in logged.made] == [True, True]


def test_the_mark_is_there_before_the_file_says_that_it_is_open(path: Path, logged: type[Logged]) -> None:
    # A file that was not closed and has no mark is refused, and a kill may come between the two.
    marks: list[Mark | None] = []

    class Watched(Logged):
        def execute(self, sql: str, parameters: Sequence[object] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
            if sql == "UPDATE journal SET closed=0":
                marks.append(read_mark(lock.lock_path(path)))
            return super().execute(sql, parameters)

    def connecting(file: Path) -> Watched:
        return sqlite3.connect(file, isolation_level=None, check_same_thread=False, factory=Watched)

    Watched.made, Watched.log = logged.made, logged.log
    with Journal(path) as journal:
        planned(journal, "a")
        name = journal._id
    lock.lock_path(path).unlink()
    Journal(path, connect=connecting).close()
    assert marks == [Mark(name, 1)]


def test_opening_says_that_it_is_open_before_the_log_is_used(path: Path, logged: type[Logged]) -> None:
    Journal(path).close()
    Journal(path, connect=logging).close()
    order = [
        "PRAGMA application_id",
        "PRAGMA journal_mode=WAL",
        "PRAGMA integrity_check(1)",
        "SELECT id, closed FROM journal",
        "UPDATE journal SET closed=0",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "BEGIN IMMEDIATE",
    ]
    places = [logged.log.index(line) for line in order]
    assert places == sorted(places)
    assert "UPDATE journal SET closed=1" in logged.log[places[-1] :]
    assert [one.closed for one in logged.made] == [True]


@pytest.mark.parametrize("left", ["journal.sqlite-journal", "journal.sqlite-wal", "journal.sqlite-shm",
                                  ".journal.sqlite.0123.new", ".journal.sqlite.0123.new-journal"])  # fmt: skip
def test_what_an_earlier_creation_left_is_removed(path: Path, left: str) -> None:
    # SQLite would apply a stale rollback journal to the new file.
    path.with_name(left).write_bytes(b"stale" * 1000)
    path.with_name("other.sqlite-journal").write_bytes(b"of another database")
    path.touch()
    opened: list[tuple[str, bool]] = []

    def connecting(file: Path) -> Database:
        opened.append((file.name, path.with_name(left).exists()))
        return connect(file)

    with Journal(path, connect=connecting) as journal:
        assert planned(journal, "a")
    assert [(name == path.name, there) for name, there in opened] == [(False, False), (True, False)]
    assert {one.name for one in path.parent.iterdir()} == {path.name, f"{path.name}.lock", "other.sqlite-journal"}


def test_a_rollback_journal_of_an_earlier_file_is_not_applied_to_the_new_one(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "earlier", isolation_level=None)) as database:
        database.execute("PRAGMA cache_size=1")  # so that it is written, and not only held in memory
        database.execute("CREATE TABLE earlier(x)")
        database.execute("BEGIN IMMEDIATE")
        for _ in range(200):
            database.execute("INSERT INTO earlier VALUES(randomblob(1000))")
        shutil.copy(tmp_path / "earlier-journal", f"{path}-journal")
    with Journal(path) as journal:
        assert planned(journal, "a")
    with Journal(path) as journal:
        assert journal.by_key(run_id(journal), "a") is not None


def test_a_journal_that_is_gone_is_refused_and_no_new_one_is_made(path: Path) -> None:
    # What it held would be paid for again.
    with Journal(path) as journal:
        in_state(journal, "a", "submitted")
    path.unlink()
    for gone in (True, True, False):
        if not gone:
            path.touch()  # an empty file holds nothing either
        with pytest.raises(JournalError) as caught:
            Journal(path)
        assert (caught.value.message, caught.value.hint) == (f"the journal that was at {path} is gone", LOST)
        assert path.exists() != gone
    Journal(path, records_lost=True).close()


def test_a_creation_that_fails_leaves_nothing_and_frees_the_lock(path: Path, logged: type[Logged]) -> None:
    class Failing(Logged):
        def execute(self, sql: str, parameters: Sequence[object] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
            if sql == "COMMIT":
                raise coded("SQLITE_FULL")
            return super().execute(sql, parameters)

    def connecting(file: Path) -> Failing:
        return sqlite3.connect(file, isolation_level=None, factory=Failing)

    Failing.made, Failing.log = logged.made, logged.log
    with pytest.raises(JournalFull):
        Journal(path, connect=connecting)
    assert [one.name for one in path.parent.iterdir()] == [f"{path.name}.lock"]
    assert [one.closed for one in logged.made] == [True]
    Lock(path).release()


@pytest.mark.parametrize("content", [b"garbage, long enough to look at" * 100, None])
def test_a_refused_opening_closes_its_connection_and_frees_the_lock(
    path: Path, logged: type[Logged], content: bytes | None
) -> None:
    if content is None:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE theirs(x)")
        other.close()
    else:
        path.write_bytes(content)
    with pytest.raises(JournalError):
        Journal(path, connect=logging)
    assert [one.closed for one in logged.made] == [True]
    Lock(path).release()


def test_a_close_that_cannot_be_recorded_frees_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)

    def fail(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(journal._committer, "close", fail)
    with pytest.raises(MemoryError):
        journal.close()
    Lock(path).release()


def test_a_reader_closes_what_it_opened(path: Path, logged: type[Logged], monkeypatch: pytest.MonkeyPatch) -> None:
    real = sqlite3.connect

    def connecting(*values: object, **settings: object) -> sqlite3.Connection:
        return real(*values, **settings, factory=Logged)  # type: ignore[call-overload,no-any-return]  # handed on

    Journal(path).close()
    monkeypatch.setattr("seedream.journal.queries.sqlite3.connect", connecting)
    with ReadOnlyJournal(path) as reader:
        reader.copy_to(path.with_name("copy"))
    assert [one.closed for one in logged.made] == [True, True]
    assert logged.log[-3:] == ["PRAGMA synchronous=EXTRA", "PRAGMA journal_mode=DELETE", "UPDATE journal SET closed=1"]
    logged.made.clear()
    path.write_bytes(b"garbage, long enough to look at" * 100)
    with pytest.raises(JournalError):
        ReadOnlyJournal(path)
    assert [one.closed for one in logged.made] == [True]


@pytest.mark.parametrize("name", ["a?mode=rw", "b#c", "50%41", "with space", "日本", "a&b=c"])
def test_a_reader_takes_any_name_for_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / f"{name}.sqlite"
    path.parent.mkdir()
    with Journal(path) as journal:
        planned(journal, "a")
        with ReadOnlyJournal(path) as reader, pytest.raises(JournalFull):
            reader._read(lambda database: database.execute("DELETE FROM run"))


def test_a_reader_follows_a_link_to_the_mark(path: Path, tmp_path: Path) -> None:
    # The lock file is beside the file itself, not beside the link.
    with Journal(path) as journal:
        planned(journal, "a")
        (tmp_path / "link").symlink_to(path)
        with ReadOnlyJournal(tmp_path / "link") as reader:
            assert reader.counts(run_id(journal))["planned"] == 1
            assert reader.path == tmp_path / "link"


# The lock and the mark.


def test_the_lock_file_names_the_process_and_the_last_transaction(path: Path) -> None:
    held = lock.lock_path(path)
    assert held == path.with_name("journal.sqlite.lock")
    assert read_mark(held) is None
    with Journal(path) as journal:
        planned(journal, "a", "b")
        mark = read_mark(held)
        assert mark == Mark(journal._id, 2)
        pid, line, rest = held.read_bytes().split(b"\n")
        assert (pid, line, rest) == (b"%20d" % os.getpid(), f"{journal._id} {2:>20}".encode(), b"")
    other = path.with_name("new.sqlite")
    Lock(other).release()
    assert lock.lock_path(other).read_bytes() == b"%20d\n" % os.getpid()
    taken = Lock(path)
    assert taken.mark == mark
    taken.write_mark(Mark("f" * 32, 12345678901))
    assert taken.mark == read_mark(held) == Mark("f" * 32, 12345678901)
    assert taken.is_in_place()
    held.rename(path.with_name("elsewhere"))
    assert not taken.is_in_place()
    taken.release()
    taken.release()
    taken.write_mark(Mark("0" * 32, 1))  # nothing is held, so nothing is written
    assert read_mark(path.with_name("elsewhere")) == Mark("f" * 32, 12345678901)


def test_a_mark_that_cannot_be_written_is_not_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = Lock(path)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seedream.journal.lock.os.write", full)
    taken.write_mark(Mark("0" * 32, 1))
    assert taken.mark is None
    taken.release()


@pytest.mark.parametrize(
    ("content", "mark"),
    [
        (b"", None),
        (b"%20d\n" % 1, None),
        (b"99999\n", None),
        (b"%20d\n%s %20d\n" % (1, b"a" * 32, 7), Mark("a" * 32, 7)),
        (b"1\n%s 7\n" % (b"0" * 32), Mark("0" * 32, 7)),
        (b"%20d\n%s %20d\n" % (10**19, b"9" * 32, 10**19), Mark("9" * 32, 10**19)),
        (b"%20d\n%s %20d\n" % (1, b"G" * 32, 7), None),
        (b"1\n%s 7" % (b"0" * 32), None),
    ],
)
def test_what_a_lock_file_may_hold(path: Path, content: bytes, mark: Mark | None) -> None:
    held = lock.lock_path(path)
    held.write_bytes(content)
    assert read_mark(held) == mark
    with_lock = Lock(path)
    assert with_lock.mark == mark
    with_lock.release()


def test_a_mark_is_read_of_a_file_only(path: Path, tmp_path: Path) -> None:
    held = lock.lock_path(path)
    (tmp_path / "real").write_bytes(b"1\n%s 7\n" % (b"0" * 32))
    held.symlink_to(tmp_path / "real")
    assert read_mark(held) is None
    held.unlink()
    held.mkdir()
    assert read_mark(held) is None
    held.rmdir()
    os.mkfifo(held)
    assert read_mark(held) is None  # without waiting for a writer


def test_reading_a_mark_leaves_no_file_open(path: Path) -> None:
    Journal(path).close()
    first = os.open(os.devnull, os.O_RDONLY)
    os.close(first)
    for _ in range(3):
        read_mark(lock.lock_path(path))
        with pytest.raises(JournalError):
            Journal(path.with_name("nowhere") / "x")
    again = os.open(os.devnull, os.O_RDONLY)
    os.close(again)
    assert again == first


def test_a_file_is_known_by_its_device_and_number(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    found = (tmp_path / "a").stat()
    assert identity(tmp_path / "a") == (found.st_dev, found.st_ino)
    assert identity(tmp_path / "nothing") == (0, 0)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert identity(tmp_path / "link") not in ((0, 0), identity(tmp_path / "a"))


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/", "ext4"), ("/a", "xfs"), ("/a/b", "nfs4"), ("/ab", "ext4"), ("/a/b/c/d", "nfs4"), ("/dash", "btrfs")],
)
def test_the_nearest_mount_decides_and_of_two_at_one_place_the_later(tmp_path: Path, folder: str, kind: str) -> None:
    lines = [
        "90 21 0:50 / /a/b rw - nfs4 server:/export rw",
        "1 0 0:1 / / rw - overlay none rw",
        "2 0 0:2 / / rw - ext4 x rw",
        "3 0 0:3 / /a rw shared:1 master:2 - xfs /dev/x rw",
        "4 0 0:4 / /dash rw - btrfs /dev/a - b rw",
    ]
    (tmp_path / "mounts").write_text("\n".join(lines))
    assert filesystem(Path(folder), tmp_path / "mounts") == kind
    (tmp_path / "mounts").write_text("")
    assert filesystem(Path(folder), tmp_path / "mounts") == ""


# What is kept.


def test_a_reused_name_is_one_run_with_the_newest_settings(path: Path) -> None:
    with Journal(path, clock=lambda: 7.0) as journal:
        first = journal.run("bulk", {"b": "文", "a": 1}, budget=3)
        second = journal.run("bulk", {"c": 2}, budget=4)
        third = journal.run("bulk")
        other = journal.run("other")
    assert (first.options, first.budget, first.spent) == ({"a": 1, "b": "文"}, 3, 0)
    assert (second.options, second.budget) == ({"c": 2}, 4)
    assert (third.options, third.budget) == ({}, None)
    assert first.id == second.id == third.id != other.id
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT name, created FROM run ORDER BY id").fetchall() == [("bulk", 7.0), ("other", 7.0)]
    raw.close()


def test_texts_are_kept_as_they_are_with_sorted_names(path: Path) -> None:
    with Journal(path) as journal:
        run = journal.run("bulk", {"b": "文", "a": 1})
        journal.plan(run.id, [Plan("k", "d", {"prompt": "文", "batchsize": 1}, 1)])
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT options FROM run").fetchone() == ('{"a": 1, "b": "文"}',)
    assert raw.execute("SELECT request FROM job").fetchone() == ('{"batchsize": 1, "prompt": "文"}',)
    raw.close()


def test_each_start_of_a_program_has_its_own_mark(path: Path) -> None:
    # The database lets only the process that sent a request say how it ended.
    boots: list[set[str]] = []
    for _ in range(2):
        with Journal(path) as journal:
            in_state(journal, str(len(boots)), "submitted")
        raw = sqlite3.connect(path)
        boots.append({boot for (boot,) in raw.execute("SELECT boot FROM event")})
        raw.close()
    assert [len(one) for one in boots] == [1, 2]
    assert all(len(boot) == 32 for boot in boots[1])


def test_two_single_calls_for_the_same_are_two_jobs(journal: Journal) -> None:
    # Rule: a single call has no key, so a second one is meant and paid for.
    for number in (1, 2):
        record = journal.open_single_call("digest", {"prompt": "p"}, 3)
        record.begin()
        record.submitted(f"t-{number}")
    run = journal.find_run("calls")
    assert run is not None
    first, second = journal.jobs(run.id)
    assert (first.digest, first.request, first.cost, first.spent, first.taskid) == (
        "digest",
        {"prompt": "p"},
        3,
        3,
        "t-1",
    )
    assert (second.taskid, second.key == first.key, len(second.key)) == ("t-2", False, 32)
    assert journal.find_run("bulk") is None


def test_the_run_of_single_calls_is_looked_up_without_a_commit(journal: Journal) -> None:
    journal.open_single_call("digest", {}, 1)
    commits: list[int] = []
    journal._committer._committed = commits.append
    journal.open_single_call("digest", {}, 1)
    assert commits == []


def test_only_a_submission_is_an_attempt(journal: Journal) -> None:
    job = in_state(journal, "a", "abandoned")
    assert job.attempt == 0
    assert in_state(journal, "b", "failed").attempt == 1
    assert [event.attempt for event in journal.events(job.id)] == [0, 0]


def test_each_event_has_its_place_time_and_author(path: Path) -> None:
    moments = iter(range(100))
    with Journal(path, clock=lambda: float(next(moments))) as journal:
        job = in_state(journal, "a", "unknown", cost=2)
        journal.requeue(journal.job(job.id))
        shown = [(one.old, one.new, one.attempt, one.actor, one.error, one.message) for one in journal.events(job.id)]
        times = [one.at for one in journal.events(job.id)]
        assert all(isinstance(one, Event) and one.job == job.id for one in journal.events(job.id))
    assert shown == [
        (None, "planned", 0, "engine", None, None),
        ("planned", "submitting", 1, "engine", None, None),
        ("submitting", "unknown", 1, "engine", "SubmissionUnknown", "no answer."),
        ("unknown", "planned", 1, "user", None, None),
    ]
    assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("line", "digest", "cost"), [(1, "digest-a", 1), (5, "digest-a", 1), (5, "other", 2), (1, "other", 2)]
)
def test_a_dropped_job_that_is_in_the_file_again(journal: Journal, line: int, digest: str, cost: int) -> None:
    run = journal.run("bulk")
    journal.plan(run.id, [Plan("a", "digest-a", {"prompt": "a"}, 1, line=1)])
    (job,) = journal.jobs(run.id)
    journal.abandon(job)
    assert journal.plan(run.id, [Plan("a", digest, {"prompt": digest}, cost, line=line)]) == 0
    after = journal.job(job.id)
    assert (after.state, after.line, after.digest, after.cost) == ("planned", line, digest, cost)
    assert after.request == ({"prompt": digest} if (line, digest) != (1, "digest-a") else {"prompt": "a"})
    assert journal.events(job.id)[-1].actor == "user"


def test_a_job_that_was_given_up_after_it_was_sent_stays_given_up(journal: Journal) -> None:
    job = in_state(journal, "a", "unknown")
    journal.abandon(job)
    assert journal.plan(run_id(journal), [Plan("a", "digest-a", {"prompt": "a"}, 1, line=4)]) == 0
    after = journal.job(job.id)
    assert (after.state, after.line, after.spent) == ("abandoned", 4, 1)


@pytest.mark.parametrize("state", STATES)
def test_what_may_be_billed_is_said_for_each_state(journal: Journal, state: State) -> None:
    # Rule I9: what was sent and is not known to have been accepted, or failed, may be billed.
    job = in_state(journal, "a", state, cost=2)
    accepted, in_doubt = ("submitted", "succeeded", "downloaded"), ("submitting", "unknown", "failed")
    expected = "yes" if state in accepted else "unknown" if state in in_doubt else "no"
    assert (job.billing, job.spent) == (expected, 0 if expected == "no" else 2)
    if state in ("unknown", "failed"):
        for decide in (journal.requeue, journal.abandon):
            if journal.job(job.id).state == state:
                decide(job)
        assert journal.job(job.id).billing == "unknown"


def test_an_earlier_attempt_that_may_be_billed_is_said_of_a_given_up_job(journal: Journal) -> None:
    job = in_state(journal, "a", "unknown")
    journal.abandon(job)
    assert journal.job(job.id).billing == "unknown"
    journal.requeue(journal.job(job.id))
    entry = journal.submission_record(job.id, 1)
    entry.begin()
    entry.refused(SubmissionUnknown("x", billing="no"))
    assert (journal.job(job.id).state, journal.job(job.id).billing) == ("rejected", "unknown")


@pytest.mark.parametrize("end", ["submitted", "unknown", "refused", "not_sent"])
def test_after_its_end_a_submission_records_nothing_more(journal: Journal, end: str) -> None:
    (job,) = planned(journal, "a", cost=2)
    entry = journal.submission_record(job.id, 2)
    entry.begin()
    error = SubmissionUnknown("no answer")
    {
        "submitted": lambda: entry.submitted("t-1"),
        "unknown": lambda: entry.unknown(error),
        "refused": lambda: entry.refused(error),
        "not_sent": entry.not_sent,
    }[end]()
    after, events = journal.job(job.id), journal.events(job.id)
    assert after.spent == (0 if end == "not_sent" else 2)
    entry.unknown(error)
    entry.not_sent()
    entry.refused(error)
    assert (journal.job(job.id), journal.events(job.id)) == (after, events)
    assert error.hint == SubmissionUnknown("no answer").hint


def test_after_a_duplicate_nothing_more_is_recorded(journal: Journal) -> None:
    in_state(journal, "a", "submitted")
    job = planned(journal, "b")[-1]
    entry = journal.submission_record(job.id, 1)
    entry.begin()
    with pytest.raises(SubmissionUnknown) as caught:
        entry.submitted("task-a")
    after = journal.job(job.id)
    assert (after.state, after.spent, after.message) == ("unknown", 1, str(caught.value))
    entry.unknown(SubmissionUnknown("other"))
    assert journal.job(job.id) == after


# Queries.


def test_pages_and_states(journal: Journal) -> None:
    run = journal.run("bulk")
    keys = [f"k{number:04}" for number in range(1003)]
    assert journal.plan(run.id, (Plan(key, "d", {}, 1) for key in keys)) == 1003
    other = journal.run("other")
    journal.plan(other.id, [Plan("theirs", "d", {}, 5)])
    jobs: list[Job] = list(journal.jobs(run.id))
    assert [job.key for job in jobs] == keys
    assert [job.key for job in journal.page(run.id)] == keys[:500]
    assert [job.key for job in journal.page(run.id, after=jobs[499].id, limit=2)] == keys[500:502]
    for job in jobs[1::2]:
        if job.id < 20:
            journal.abandon(job)
    assert [job.key for job in journal.page(run.id, ("abandoned",))] == keys[1:19:2]
    assert len(list(journal.jobs(run.id, ("planned", "abandoned")))) == 1003
    assert journal.counts(run.id) == {state: {"planned": 994, "abandoned": 9}.get(state, 0) for state in STATES}
    assert (journal.planned_images(run.id), journal.planned_images(other.id), journal.spent(run.id)) == (994, 5, 0)
    assert journal.by_key(run.id, "theirs") is None
    assert journal.planned_images(77) == 0


def test_names_in_sql_are_quoted() -> None:
    assert sql_list(("planned", "failed")) == "'planned','failed'"
    assert sql_list(()) == ""
