"""The journal itself: opening, recovery, and the changes that a running program makes."""

import json
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from seedream.errors import JournalError
from seedream.journal.commit import Committer, Database, failure
from seedream.journal.lock import Lock, make_private
from seedream.journal.queries import Questions, check_version
from seedream.journal.rows import Picture, Plan, Run
from seedream.journal.schema import APPLICATION_ID, SCHEMA, VERSION
from seedream.journal.states import Actor
from seedream.journal.submission_record import JobEntry
from seedream.journal.transition import Stamp, hold, move
from seedream.journal.user_decisions import Words

T = TypeVar("T")
CALLS: Final = "calls"  # the run of single submissions; recovery gives up its unsent rows


def connect(path: Path) -> Database:
    """A connection of the standard library, every commit on the disk before it returns."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)


_DURABLE: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=1",  # macOS: down to the platter; elsewhere it does nothing
    "PRAGMA checkpoint_fullfsync=1",
    "PRAGMA foreign_keys=1",
)


class Journal(Words, Questions):
    """A journal opened for writing, by this process alone. All methods block and are safe from any thread.

    Args:
        path: The file; made with mode 0600 if missing. SQLite's own files and a lock stand beside it.
        clock: Seconds since the epoch.
        connect: Opens the database; tests put a disk of their own below it.

    Raises:
        JournalLocked: Another process, or another client of this one, writes it.
        JournalFull: It cannot be written here.
        JournalTooNew: A newer seedream wrote it.
        JournalError: It is damaged, or not a journal, or on a network file system.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        clock: Callable[[], float] = time.time,
        connect: Callable[[Path], Database] = connect,
    ) -> None:
        self.path = Path(path)
        self._clock = clock
        self._boot = uuid.uuid4().hex
        self._lock = Lock(self.path)
        try:
            make_private(self.path)
            self._database = connect(self.path)
            try:
                self._committer = Committer(self._database, self.path)
                self._prepare()
            except BaseException:
                self._database.close()
                raise
        except sqlite3.Error as error:
            self._lock.release()
            raise failure(error, self.path) from None
        except BaseException:
            self._lock.release()
            raise

    def _prepare(self) -> None:
        version = check_version(self._database, self.path)
        for pragma in _DURABLE:
            self._database.execute(pragma).fetchall()
        if version == 0:
            self._do(self._create)
        self._do(self._recover)

    def _create(self, database: Database) -> None:
        database.execute(f"PRAGMA application_id={APPLICATION_ID}")
        for statement in SCHEMA:
            database.execute(statement)
        database.execute(f"PRAGMA user_version={VERSION}")

    def _recover(self, database: Database) -> None:
        """What an earlier process left in the middle of sending is unknown: it died before it could know."""
        stamp = self._stamp("recovery")
        lost = JournalError("the program ended while this was being submitted", billing="unknown")
        for (job,) in database.execute("SELECT id FROM job WHERE state='submitting'").fetchall():
            move(database, job, "submitting", "unknown", stamp, error=lost)
        unsent = "SELECT job.id FROM job JOIN run ON run.id = job.run WHERE state='planned' AND run.name=?"
        for (job,) in database.execute(unsent, (CALLS,)).fetchall():
            move(database, job, "planned", "abandoned", self._stamp("engine"))

    def _stamp(self, actor: Actor = "engine") -> Stamp:
        return Stamp(actor, self._boot, self._clock())

    def _do(self, work: Callable[[Database], T]) -> T:
        return self._committer.do(work)

    def _read(self, work: Callable[[Database], T]) -> T:
        return self._committer.read(work)

    def run(self, name: str, options: Mapping[str, Any] | None = None, *, budget: int | None = None) -> Run:
        """Open a run by its name, made if there is none; options and budget (pictures or None) are set."""

        def work(database: Database) -> None:
            database.execute(
                "INSERT INTO run(name, created) SELECT ?, ? WHERE NOT EXISTS(SELECT 1 FROM run WHERE name=?)",
                (name, self._clock(), name),
            )
            database.execute(
                "UPDATE run SET options=?, budget=? WHERE name=?",
                (json.dumps(dict(options or {}), ensure_ascii=False, sort_keys=True), budget, name),
            )

        self._do(work)
        run = self.find_run(name)
        assert run is not None  # noqa: S101 -- it was just written
        return run

    def plan(self, run: int, plans: Iterable[Plan]) -> int:
        """Add jobs that the run does not have yet, all or none; gives how many are new.

        Raises:
            JournalError: A key is there already with another request.
        """

        def work(database: Database) -> int:
            return sum(self._plan(database, run, plan)[1] for plan in plans)

        return self._do(work)

    def _plan(self, database: Database, run: int, plan: Plan) -> tuple[int, bool]:
        row = database.execute("SELECT id, digest FROM job WHERE run=? AND key=?", (run, plan.key)).fetchone()
        if row is not None:
            if row[1] != plan.digest:
                raise JournalError(
                    f"job “{plan.key}” is in the journal already, with another request",
                    hint="Give the changed job another id, or use another output folder.",
                )
            return int(row[0]), False
        stamp = self._stamp()
        request = json.dumps(dict(plan.request), ensure_ascii=False, sort_keys=True)
        cursor = database.execute(
            "INSERT INTO job(run,key,digest,line,request,cost,state,actor,boot,updated)"
            " VALUES(?,?,?,?,?,?,'planned',?,?,?)",
            (run, plan.key, plan.digest, plan.line, request, plan.cost, stamp.actor, stamp.boot, stamp.at),
        )
        assert cursor.lastrowid is not None  # noqa: S101 -- a row was inserted
        return cursor.lastrowid, True

    def entry(self, job: int, cost: int) -> JobEntry:
        """The entry of a planned job, for the submit workflow."""
        return JobEntry(self._committer, self._stamp, lambda _: job, cost)

    def call(self, digest: str, request: Mapping[str, Any], cost: int) -> JobEntry:
        """The entry of one single submission. Its row is made when it begins: what never leaves has none."""
        plan = Plan(uuid.uuid4().hex, digest, request, cost)
        run = self.find_run(CALLS) or self.run(CALLS)
        return JobEntry(self._committer, self._stamp, lambda database: self._plan(database, run.id, plan)[0], cost)

    def succeeded(self, job: int) -> None:
        """The task is completed: submitted -> succeeded."""
        self._do(lambda database: move(database, job, "submitted", "succeeded", self._stamp()))

    def failed(self, job: int, error: BaseException) -> None:
        """The task has failed on the server: submitted -> failed."""
        self._do(lambda database: move(database, job, "submitted", "failed", self._stamp(), error=error))

    def downloaded(self, job: int, pictures: Iterable[Picture]) -> None:
        """All pictures are on the disk, whole and synced: succeeded -> downloaded."""

        def work(database: Database) -> None:
            database.execute("DELETE FROM picture WHERE job=?", (job,))
            for one in pictures:
                database.execute(
                    "INSERT INTO picture VALUES(?,?,?,?,?)", (job, one.index, one.path, one.bytes, one.sha256)
                )
            move(database, job, "succeeded", "downloaded", self._stamp())

        self._do(work)

    def missing(self, job: int) -> None:
        """A saved picture is gone or damaged: downloaded -> succeeded, to be fetched again."""
        self._do(lambda database: move(database, job, "downloaded", "succeeded", self._stamp()))

    def hold(self, job: int, error: BaseException) -> None:
        """Leave the job where it is and note why it did not get on."""
        self._do(lambda database: hold(database, job, self._stamp(), error))

    def close(self) -> None:
        """Close the file and let another process write it. Calling it again changes nothing."""
        self._database.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
