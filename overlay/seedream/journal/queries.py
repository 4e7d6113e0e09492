"""Queries to a journal. They change nothing, and work while another process writes."""

import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from seedream.errors import JournalError, JournalTooNew
from seedream.journal.commit import NO_ROOM, Database, failure, newest_event
from seedream.journal.lock import Mark, lock_path, os_errors_as_journal_full, read_mark
from seedream.journal.rows import JOB_COLUMNS, Event, Job, Picture, Run, job_of
from seedream.journal.schema import APPLICATION_ID, VERSION
from seedream.journal.states import STATES, State, sql_list

T = TypeVar("T")
_PAGE = 500
# A limit of the file's size or of the disk's quota; a journal in use is not written to after one of these.
_NO_ROOM_FOR_A_COPY: Final = ("SQLITE_IOERR_WRITE", "SQLITE_IOERR_TRUNCATE")
LOST: Final = (
    "Put back the file and what was beside it, or a newer copy. If there is none, use another path, or say that "
    "records are lost (records_lost=True, --records-lost): what they held may then be paid for again."
)


def check_version(database: Database, path: Path) -> None:
    """Check whose database this is, and of which version.

    Raises:
        JournalTooNew: A newer seedream wrote it.
        JournalError: It is another program's database, or of an early version of this one.
    """
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application not in {0, APPLICATION_ID} or (application == 0 and tables):
        raise JournalError(f"{path} is another program's database", hint="Use another path for the journal.")
    if version > VERSION:
        raise JournalTooNew(
            f"{path} has version {version}; this seedream reads up to {VERSION}",
            hint="Update seedream.",
        )
    if version < VERSION:
        raise JournalError(
            f"{path} is empty" if not tables else f"{path} has version {version}; this seedream reads {VERSION}",
            hint="Use another path for the journal, or finish it with the version that wrote it.",
        )


def check_complete(
    database: Database, mark: Mark | None, path: Path, *, opened: Callable[[], bool] = lambda: False
) -> None:
    """Refuse a journal that has lost its latest records, for example with its write-ahead log.

    The lock file holds a mark of the last transaction. Where the journal was closed in good order, it is complete
    without the mark.

    Args:
        database: Open.
        mark: What the lock file holds.
        path: The journal, for the message.
        opened: Whether a process has opened it since ``mark`` was read. It leaves a mark before the file says that it
            is open, so a file that is open and has no mark even now has lost its lock file.

    Raises:
        JournalError: Records are missing, or nothing shows that none is.
    """
    journal, closed = database.execute("SELECT id, closed FROM journal").fetchone()
    newest = newest_event(database)
    if mark is None:
        if not closed and not opened():
            raise JournalError(
                f"{path} was copied while it was in use, or its lock file is gone: records may be missing",
                hint=LOST,
            )
    elif mark.journal != journal:
        raise JournalError(f"{path} is not the journal that was here before", hint=LOST)
    elif newest < mark.event:
        missing = mark.event - newest
        lost = "record" if missing == 1 else f"{missing} records"
        raise JournalError(f"{path} has lost its last {lost}", hint=LOST)


def check_soundness(database: Database, path: Path) -> None:
    """Refuse a damaged file, and one that holds only a part of a transaction.

    Raises:
        JournalError: It is damaged.
    """
    (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    sql = (
        "SELECT count(*) FROM job LEFT JOIN (SELECT job, new, max(seq) FROM event GROUP BY job) AS last"
        " ON last.job = job.id WHERE job.state IS NOT last.new"
    )
    if found == "ok" and database.execute(sql).fetchone()[0] == 0:
        return
    what = found if found != "ok" else "its records contradict each other"
    raise JournalError(f"{path} is damaged: {what}", hint=LOST)


class Queries:
    """The queries, for a class that brings a way to read."""

    def _read(self, work: Callable[[Database], T]) -> T:
        raise NotImplementedError

    def _rows(self, sql: str, *values: object) -> list[Any]:
        return self._read(lambda database: database.execute(sql, values).fetchall())

    def _jobs(self, where: str, *values: object) -> list[Job]:
        rows = self._rows(f"SELECT {JOB_COLUMNS} FROM job WHERE {where}", *values)  # noqa: S608 -- our own names
        return [job_of(row) for row in rows]

    def find_run(self, name: str) -> Run | None:
        """Return the run of this name, if there is one."""
        rows = self._rows("SELECT id, options, budget, spent FROM run WHERE name=?", name)
        return Run(rows[0][0], name, json.loads(rows[0][1]), *rows[0][2:]) if rows else None

    def counts(self, run: int) -> Mapping[State, int]:
        """Return how many jobs are in each state; every state is there."""
        found = dict(self._rows("SELECT state, count(*) FROM job WHERE run=? GROUP BY state", run))
        return {state: found.get(state, 0) for state in STATES}

    def spent(self, run: int) -> int:
        """Return how many pictures may have been charged so far."""
        return int(self._rows("SELECT spent FROM run WHERE id=?", run)[0][0])

    def planned_images(self, run: int) -> int:
        """Return how many pictures the jobs ask for that are still to be sent."""
        sql = "SELECT coalesce(sum(cost), 0) FROM job WHERE run=? AND state='planned'"
        return int(self._rows(sql, run)[0][0])

    def page(self, run: int, states: Sequence[State] = STATES, *, after: int = 0, limit: int = _PAGE) -> list[Job]:
        """Return up to ``limit`` jobs in these states with a row id above ``after``, in order."""
        return self._jobs(
            f"run=? AND id>? AND state IN ({sql_list(tuple(states))}) ORDER BY id LIMIT ?", run, after, limit
        )

    def jobs(self, run: int, states: Sequence[State] = STATES) -> Iterator[Job]:
        """Yield all jobs in these states, in order, read page by page."""
        after = 0
        while page := self.page(run, states, after=after):
            yield from page
            after = page[-1].id

    def job(self, identity: int) -> Job:
        """Return one job by its row id."""
        if not (found := self._jobs("id=?", identity)):
            raise JournalError(f"the journal has no job {identity}")
        return found[0]

    def by_key(self, run: int, key: str) -> Job | None:
        """Return the job with this key, if there is one."""
        return next(iter(self._jobs("run=? AND key=?", run, key)), None)

    def by_taskid(self, taskid: str) -> Job | None:
        """Return the job that this task id was accepted for, if the journal knows it."""
        return next(iter(self._jobs("id=(SELECT job FROM accepted WHERE taskid=?)", taskid)), None)

    def pictures(self, identity: int) -> list[Picture]:
        """Return the saved pictures of one job, in order."""
        sql = "SELECT idx,path,bytes,sha256 FROM picture WHERE job=? ORDER BY idx"
        return [Picture(*row) for row in self._rows(sql, identity)]

    def events(self, identity: int) -> list[Event]:
        """Return what happened to one job, oldest first."""
        sql = "SELECT job,old,new,attempt,at,actor,error,message FROM event WHERE job=? ORDER BY seq"
        return [Event(*row) for row in self._rows(sql, identity)]

    def accepted(self) -> list[tuple[str, int]]:
        """Return every task id ever recorded, with its job's row id."""
        return [(row[0], row[1]) for row in self._rows("SELECT taskid, job FROM accepted ORDER BY at, taskid")]


def _make(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


class ReadOnlyJournal(Queries):
    """A journal opened for reading only, also while a run is writing it.

    Args:
        path: The journal file.
        records_lost: Open it although records are missing that it once held.

    Raises:
        JournalError: The file does not exist, cannot be read, is damaged, or has lost records.
        JournalTooNew: A newer seedream wrote it.
    """

    def __init__(self, path: str | os.PathLike[str], *, records_lost: bool = False) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise JournalError(f"there is no journal at {self.path}")
        try:
            real = self.path.resolve()
            lock = lock_path(real)
            mark = read_mark(lock)  # before the database: a later mark may be of a newer transaction
            uri = f"{real.as_uri()}?mode=ro"
            self._database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30)
            try:
                self._database.execute("BEGIN")  # all is asked of one state, also while a run is writing
                check_version(self._database, self.path)
                if not records_lost:
                    check_complete(self._database, mark, self.path, opened=lambda: read_mark(lock) is not None)
                check_soundness(self._database, self.path)
                self._database.execute("COMMIT")
            except BaseException:
                self._database.close()
                raise
        except sqlite3.Error as error:
            raise failure(error, self.path) from None

    def copy_to(self, target: Path) -> None:
        """Write a complete copy of the journal to a new file, also while a run is writing it.

        It appears there complete, by a rename; where it fails, nothing is left.

        Raises:
            JournalFull: It cannot be written there, or there is a file already.
        """
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.new")
        try:
            with os_errors_as_journal_full(target):
                _make(temporary)
            with closing(sqlite3.connect(temporary, isolation_level=None)) as copy:
                copy.execute("PRAGMA synchronous=EXTRA")
                self._database.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
                copy.execute("UPDATE journal SET closed=1")
            with os_errors_as_journal_full(target):
                _make(target)  # what is there already is not replaced
                try:
                    temporary.replace(target)
                except BaseException:
                    target.unlink()
                    raise
        except sqlite3.Error as error:
            raise failure(error, target, no_room=(*NO_ROOM, *_NO_ROOM_FOR_A_COPY)) from None
        finally:
            for end in ("", "-journal", "-wal", "-shm"):  # SQLite leaves its own where the disk is full
                temporary.with_name(f"{temporary.name}{end}").unlink(missing_ok=True)

    def _read(self, work: Callable[[Database], T]) -> T:
        try:
            return work(self._database)
        except sqlite3.Error as error:
            raise failure(error, self.path) from None

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
