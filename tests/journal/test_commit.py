"""Transactions from many threads: no caller returns before its change is durable, and none is left half done."""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from seedream.errors import JournalError, JournalFull, JournalLocked
from seedream.journal.commit import Committer, Database, failure


class Spy:
    """A database that counts commits, and fails where a test says so."""

    def __init__(self, path: Path) -> None:
        self.real = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.real.execute("CREATE TABLE t(x UNIQUE)")
        self.real.execute("CREATE TABLE event(seq INTEGER PRIMARY KEY)")
        self.commits = 0
        self.fail: sqlite3.Error | None = None

    @property
    def in_transaction(self) -> bool:
        return self.real.in_transaction

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> Any:
        if sql == "COMMIT":
            if self.fail is not None:
                raise self.fail
            self.commits += 1
        return self.real.execute(sql, tuple(parameters))

    def close(self) -> None:
        self.real.close()


def insert(value: object) -> Callable[[Database], object]:
    return lambda database: database.execute("INSERT INTO t VALUES(?)", (value,))


@pytest.fixture
def spy(tmp_path: Path) -> Iterator[Spy]:
    made = Spy(tmp_path / "db")
    yield made
    made.close()


def rows(spy: Spy) -> list[int]:
    return [row[0] for row in spy.real.execute("SELECT x FROM t ORDER BY x")]


def coded(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("it went wrong")
    error.sqlite_errorname = name
    return error


def in_threads(committer: Committer, works: Sequence[Callable[[Database], object]]) -> list[BaseException | None]:
    """Run all works at once; gives each one's error."""
    results: list[BaseException | None] = [None] * len(works)

    def one(index: int) -> None:
        try:
            committer.do(works[index])
        except Exception as error:  # noqa: BLE001 -- it is what we look at
            results[index] = error

    threads = [threading.Thread(target=one, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return results


class Queue(deque[Any]):
    """What waits to be recorded; a test hears of each arrival."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Semaphore(0)

    def append(self, change: Any) -> None:
        super().append(change)
        self.arrived.release()


def waiting_together(committer: Committer, works: Sequence[Callable[[Database], object]]) -> list[BaseException | None]:
    """Run all works in threads, and let none begin before all wait; gives each one's error."""
    queue = committer._waiting = Queue()
    results: list[list[BaseException | None]] = []
    with committer._turn:
        runner = threading.Thread(target=lambda: results.append(in_threads(committer, works)))
        runner.start()
        for _ in works:
            assert queue.arrived.acquire(timeout=10)
    runner.join(20)
    return results[0]


def test_changes_that_wait_for_another_share_a_commit(spy: Spy) -> None:
    # Rule: a caller returns after the commit that holds its change; those that wait meanwhile share one.
    committer = Committer(spy, Path("journal"))
    assert waiting_together(committer, [insert(number) for number in range(21)]) == [None] * 21
    assert rows(spy) == list(range(21))
    assert spy.commits == 1


def test_each_caller_gets_what_its_own_change_gave(spy: Spy) -> None:
    given: list[tuple[object, object]] = []

    class Keeping(Committer):
        def do(self, work: Callable[[Database], Any]) -> Any:
            given.append((work, super().do(work)))

    works: list[Callable[[Database], object]] = [lambda _, number=number: number for number in range(5)]  # type: ignore[misc]  # bound at once
    assert waiting_together(Keeping(spy, Path("journal")), works) == [None] * 5
    assert {works.index(cast("Any", work)): value for work, value in given} == {number: number for number in range(5)}


def test_one_refused_change_leaves_its_neighbours(spy: Spy) -> None:
    # Rule: what shares a transaction with a refused change is recorded all the same, once.
    committer = Committer(spy, Path("journal"))
    results = waiting_together(committer, [insert(0), insert(1), insert(0), insert(2)])
    assert sorted(type(error).__name__ for error in results) == ["JournalError", "NoneType", "NoneType", "NoneType"]
    assert rows(spy) == [0, 1, 2]
    assert not committer._waiting


def test_a_commit_that_fails_is_an_error_of_its_own_for_each_caller(spy: Spy) -> None:
    # The submit workflow writes the task id into the error: two callers must not share one.
    committer = Committer(spy, Path("journal"))
    spy.fail = coded("SQLITE_FULL")
    results = waiting_together(committer, [insert(number) for number in range(4)])
    assert [type(error) for error in results] == [JournalFull] * 4
    assert len({id(error) for error in results}) == 4
    spy.fail = None
    assert waiting_together(committer, [insert(9)]) == [None]
    assert rows(spy) == [9], "what was refused is not recorded later"


def test_an_interrupt_of_one_caller_leaves_the_changes_of_others(spy: Spy) -> None:
    # A signal comes while the main thread records what others wait for: they are not lost, and not recorded twice.
    committer = Committer(spy, Path("journal"))
    queue = committer._waiting = Queue()

    def interrupted(_: Database) -> None:
        raise KeyboardInterrupt

    results: list[list[BaseException | None]] = []
    with committer._turn:
        runner = threading.Thread(target=lambda: results.append(in_threads(committer, [insert(0), insert(1)])))
        runner.start()
        for _ in range(2):
            assert queue.arrived.acquire(timeout=10)
        with pytest.raises(KeyboardInterrupt):
            committer.do(interrupted)
        assert not spy.in_transaction
    runner.join(20)
    assert results == [[None, None]]
    assert rows(spy) == [0, 1]


def test_a_change_that_was_recorded_before_the_journal_closed_is_no_error(spy: Spy) -> None:
    # Its thread may get its turn after the one that closes.
    committer = Committer(spy, Path("journal"))
    queue = committer._waiting = Queue()
    results: list[list[BaseException | None]] = []
    with committer._turn:
        runner = threading.Thread(target=lambda: results.append(in_threads(committer, [insert(0), insert(1)])))
        runner.start()
        for _ in range(2):
            assert queue.arrived.acquire(timeout=10)
        committer.close()
    runner.join(20)
    assert results == [[None, None]]


@pytest.mark.parametrize(("code", "kind"), [("SQLITE_FULL", JournalFull), ("SQLITE_IOERR_FSYNC", JournalError)])
def test_a_failed_commit_records_nothing(spy: Spy, code: str, kind: type[JournalError]) -> None:
    # Rule I10: after a failed fsync only what is read again can be trusted; after a full disk it goes on.
    committer = Committer(spy, Path("journal"))
    spy.fail = coded(code)
    with pytest.raises(kind):
        committer.do(insert(1))
    assert rows(spy) == []
    spy.fail = None
    if kind is JournalFull:
        committer.do(insert(9))
        assert rows(spy) == [9]
    else:
        with pytest.raises(JournalError, match="Restart"):
            committer.do(insert(9))


def test_a_closed_connection_is_an_error_and_never_a_crash(spy: Spy) -> None:
    # close() waits for the transaction that is being written, and later calls are refused.
    committer = Committer(spy, Path("journal"))
    committer.do(insert(1))
    committer.close(insert(2))
    committer.close(insert(3))
    for use in (committer.do, committer.read):
        with pytest.raises(JournalError, match="journal is closed"):
            use(insert(4))
    assert spy.commits == 2


def test_close_from_inside_a_transaction_happens_at_its_end(spy: Spy) -> None:
    # A signal handler may close the journal in the middle of the same thread's transaction.
    committer = Committer(spy, Path("journal"))

    def work(database: Database) -> None:
        database.execute("INSERT INTO t VALUES(1)")
        committer.close(insert(2))
        database.execute("INSERT INTO t VALUES(3)")

    committer.do(work)
    with pytest.raises(JournalError, match="journal is closed"):
        committer.do(insert(4))
    assert spy.commits == 2


def test_an_interrupt_undoes_its_transaction_and_frees_the_others(spy: Spy) -> None:
    committer = Committer(spy, Path("journal"))

    def interrupted(_: Database) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        committer.do(interrupted)
    assert not spy.in_transaction
    committer.do(insert(1))
    assert rows(spy) == [1]


def test_a_forked_child_is_refused_although_another_thread_had_its_turn(
    spy: Spy, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In the child the parent's other threads are gone, and what they held is held for ever.
    committer = Committer(spy, Path("journal"))
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with committer._turn:
            held.set()
            over.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    results: list[BaseException | None] = []
    child = threading.Thread(target=lambda: results.extend(in_threads(committer, [insert(1)])), daemon=True)
    child.start()
    child.join(5)
    waits = child.is_alive()
    over.set()
    holder.join(10)
    child.join(10)
    assert not waits
    assert [str(error) for error in results] == ["journal was opened before a fork. Open it in the child."]
    assert rows(spy) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SQLITE_FULL", JournalFull),
        ("SQLITE_READONLY_DBMOVED", JournalFull),
        ("SQLITE_CANTOPEN", JournalFull),
        ("SQLITE_CORRUPT_VTAB", JournalError),
        ("SQLITE_IOERR_WRITE", JournalError),
        ("SQLITE_BUSY", JournalLocked),
    ],
)
def test_database_errors_have_their_kind(code: str, kind: type[JournalError]) -> None:
    assert type(failure(coded(code), Path("journal"))) is kind
