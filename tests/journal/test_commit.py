"""Many writers, one commit: nobody is told that something is durable which is not."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from seedream.errors import JournalError, JournalFull
from seedream.journal.commit import Committer, Database, Rows, failure


class Spy:
    """A database that counts commits, and fails where it is told to."""

    def __init__(self, path: Path) -> None:
        self.real = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.real.execute("CREATE TABLE t(x UNIQUE)")
        self.commits = 0
        self.fail: sqlite3.Error | None = None
        self.gate: threading.Event | None = None

    @property
    def in_transaction(self) -> bool:
        return self.real.in_transaction

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> Rows:
        if sql == "COMMIT":
            if self.fail is not None:
                raise self.fail
            self.commits += 1
        if sql == "BEGIN IMMEDIATE" and self.gate is not None:
            self.gate.wait(10)
        return self.real.execute(sql, tuple(parameters))

    def close(self) -> None:
        self.real.close()


def insert(value: object) -> Callable[[Database], Rows]:
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


def in_threads(
    committer: Committer, spy: Spy, works: Sequence[Callable[[Database], object]]
) -> list[BaseException | None]:
    """Run all works at once: the first holds the lock until all others wait behind it."""
    results: list[BaseException | None] = [None] * len(works)

    def one(index: int) -> None:
        try:
            committer.do(works[index])
        except Exception as error:  # noqa: BLE001 -- it is what we look at
            results[index] = error

    spy.gate = threading.Event()
    threads = [threading.Thread(target=one, args=(index,)) for index in range(len(works))]
    threads[0].start()
    while not committer._turn.locked() or committer._queue:
        pass
    for thread in threads[1:]:
        thread.start()
    while len(committer._queue) < len(works) - 1:
        pass
    spy.gate.set()
    for thread in threads:
        thread.join(10)
    return results


def test_waiters_share_one_commit(spy: Spy) -> None:
    committer = Committer(spy, Path("journal"))
    assert in_threads(committer, spy, [insert(number) for number in range(21)]) == [None] * 21
    assert rows(spy) == list(range(21))
    assert spy.commits == 2  # the first one's, and one for the twenty behind it


def test_one_refused_change_leaves_its_neighbours(spy: Spy) -> None:
    committer = Committer(spy, Path("journal"))
    results = in_threads(committer, spy, [insert(0), insert(1), insert(0), insert(2)])
    assert [type(error) for error in results] == [type(None), type(None), JournalError, type(None)]
    assert rows(spy) == [0, 1, 2]


@pytest.mark.parametrize(("code", "kind"), [("SQLITE_FULL", JournalFull), ("SQLITE_IOERR_FSYNC", JournalError)])
def test_a_failed_commit_fails_for_all(spy: Spy, code: str, kind: type[JournalError]) -> None:
    # Rule I10.
    committer = Committer(spy, Path("journal"))
    spy.fail = coded(code)
    results = in_threads(committer, spy, [insert(number) for number in range(5)])
    assert [type(error) for error in results] == [kind] * 5
    assert len({id(error) for error in results}) == 5  # each has an error of its own to annotate
    assert rows(spy) == []
    spy.fail = None
    spy.gate = None
    if kind is JournalFull:
        committer.do(insert(9))  # room was made: it goes on
        assert rows(spy) == [9]
    else:
        with pytest.raises(JournalError, match="Restart"):  # after a failed fsync the file must be read anew
            committer.do(insert(9))


def test_an_interrupt_in_the_leader_undoes_and_frees_the_others(spy: Spy) -> None:
    committer = Committer(spy, Path("journal"))

    def interrupted(_: Database) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        committer.do(interrupted)
    assert not spy.in_transaction
    committer.do(insert(1))
    assert rows(spy) == [1]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SQLITE_FULL", JournalFull),
        ("SQLITE_READONLY_DBMOVED", JournalFull),
        ("SQLITE_CANTOPEN", JournalFull),
        ("SQLITE_CORRUPT_VTAB", JournalError),
        ("SQLITE_IOERR_WRITE", JournalError),
        ("SQLITE_BUSY", JournalError),
    ],
)
def test_database_errors_have_their_kind(code: str, kind: type[JournalError]) -> None:
    assert type(failure(coded(code), Path("journal"))) is kind
