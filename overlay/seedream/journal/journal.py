"""The journal: opening, recovery, and every change that a running program or its user makes."""

import json
import os
import secrets
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from seedream._support.server_text import show_id
from seedream.errors import JournalError, JournalLocked
from seedream.journal.commit import Committer, Database, failure, newest_event
from seedream.journal.lock import Lock, Mark, identity, os_errors_as_journal_full, sync_folder
from seedream.journal.queries import LOST, Queries, check_complete, check_soundness, check_version
from seedream.journal.rows import Job, Picture, Plan, Run
from seedream.journal.schema import APPLICATION_ID, SCHEMA, VERSION
from seedream.journal.states import Actor, Stamp, State, record_error, transition
from seedream.journal.submission_record import SubmissionRecord

T = TypeVar("T")
CALLS: Final = "calls"  # the run of single submissions; recovery gives up its unsent rows


def connect(path: Path) -> Database:
    """Open a connection of the standard library in autocommit mode."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)


_DURABLE: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=1",  # macOS: down to the platter; elsewhere it does nothing
    "PRAGMA checkpoint_fullfsync=1",
    "PRAGMA foreign_keys=1",
)


class Journal(Queries):
    """A journal opened for writing, by this process only. All methods block and are safe from any thread.

    Args:
        path: The file; made with mode 0600 if missing. A lock is beside it.
        clock: Seconds since the epoch.
        connect: Opens the database; tests put a disk of their own below it.
        records_lost: Open it although records are missing that it once held. What they held may be paid for again.

    Raises:
        JournalLocked: Another process, or another client of this one, writes it.
        JournalFull: It cannot be written here.
        JournalTooNew: A newer seedream wrote it.
        JournalError: It is damaged, or not a journal, or has lost records, or is on a network file system.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], float] = time.time,
        connect: Callable[[Path], Database] = connect,
        records_lost: bool = False,
    ) -> None:
        self.path = checked_path(path)
        self._clock = clock
        self._connect = connect
        self._boot = uuid.uuid4().hex
        with os_errors_as_journal_full(self.path):
            self._lock = Lock(self.path)
        try:
            if not self.path.exists() or self.path.stat().st_size == 0:
                self._create(records_lost=records_lost)
            self._open(records_lost=records_lost)
        except sqlite3.Error as error:
            self._lock.release()
            raise failure(error, self.path) from None
        except BaseException:
            self._lock.release()
            raise

    def _create(self, *, records_lost: bool) -> None:
        """Make the file under another name and rename it: at this path it is complete from its first moment."""
        if self._lock.mark is not None and not records_lost:
            raise JournalError(f"the journal that was at {self.path} is gone", hint=LOST)
        with os_errors_as_journal_full(self.path):
            # What an earlier journal of this name, or a killed creation, left behind. A stale rollback journal would
            # be applied to the new file.
            for name in (f"{self.path.name}-journal", f"{self.path.name}-wal", f"{self.path.name}-shm"):
                self.path.with_name(name).unlink(missing_ok=True)
            for leftover in self.path.parent.glob(f".{self.path.name}.*.new*"):
                leftover.unlink(missing_ok=True)
            temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}.new")
            os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(self._connect(temporary)) as database:
                database.execute("PRAGMA synchronous=EXTRA")
                database.execute("BEGIN IMMEDIATE")
                for statement in SCHEMA:
                    database.execute(statement)
                database.execute("INSERT INTO journal(id, closed) VALUES(?, 1)", (uuid.uuid4().hex,))
                database.execute(f"PRAGMA application_id={APPLICATION_ID}")
                database.execute(f"PRAGMA user_version={VERSION}")
                database.execute("COMMIT")
            with os_errors_as_journal_full(self.path):
                temporary.replace(self.path)
                sync_folder(self.path.parent)
        finally:
            temporary.unlink(missing_ok=True)

    def _open(self, *, records_lost: bool) -> None:
        database = self._connect(self.path)
        try:
            self._prepare(database, records_lost=records_lost)
        except BaseException:
            database.close()
            raise

    def _prepare(self, database: Database, *, records_lost: bool) -> None:
        check_version(database, self.path)
        for pragma in _DURABLE:
            database.execute(pragma).fetchall()
        check_soundness(database, self.path)
        if not records_lost:
            check_complete(database, self._lock.mark, self.path)
        (self._id,) = database.execute("SELECT id FROM journal").fetchone()
        # The mark comes first: a file that was not closed and has no mark is refused, and a kill may come here.
        self._leave_mark(newest_event(database))
        # Before the write-ahead log is used, the file itself says so: a copy of it without the log is then refused.
        database.execute("UPDATE journal SET closed=0")
        (busy, *_) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise JournalLocked(f"{self.path} is being read by another program", hint="Wait until it has ended.")
        self._identity = identity(self.path)
        self._committer = Committer(database, self.path, self._check_place, self._leave_mark)
        self._recover()

    def _check_place(self) -> None:
        """Refuse to write if the journal or its lock file was moved, replaced or deleted since it was opened."""
        if identity(self.path) != self._identity or not self._lock.is_in_place():
            raise JournalError(
                f"{self.path} or its lock was moved, replaced or deleted while it was in use",
                hint="Put both back and start again; what was recorded is in the file that was moved.",
            )

    def _leave_mark(self, event: int) -> None:
        self._lock.write_mark(Mark(self._id, event))

    def _recover(self) -> None:
        """Mark as unknown what an earlier process was sending: it died before it could know."""

        def work(database: Database) -> None:
            lost = JournalError("the program ended while this was being submitted")
            for (job,) in database.execute("SELECT id FROM job WHERE state='submitting'").fetchall():
                transition(database, job, "submitting", "unknown", self._stamp("recovery"), error=lost)
            unsent = "SELECT job.id FROM job JOIN run ON run.id = job.run WHERE state='planned' AND run.name=?"
            for (job,) in database.execute(unsent, (CALLS,)).fetchall():
                transition(database, job, "planned", "abandoned", self._stamp())

        self._committer.do(work)

    def _stamp(self, actor: Actor = "engine") -> Stamp:
        return Stamp(actor, self._boot, self._clock())

    def _read(self, work: Callable[[Database], T]) -> T:
        return self._committer.read(work)

    def _move(self, job: int, old: State, new: State, error: BaseException | None = None) -> None:
        self._committer.do(lambda database: transition(database, job, old, new, self._stamp(), error=error))

    # Runs and jobs.

    def run(
        self,
        name: str,
        options: Mapping[str, Any] | None = None,
        *,
        budget: int | None = None,
        dropped: Iterable[Job] = (),
        plans: Iterable[Plan] = (),
    ) -> Run:
        """Open a run by its name, made if there is none; options and budget (pictures or None) are set.

        Jobs of it are given up and planned in the same transaction: where one is refused, nothing has changed.

        Args:
            name: The run's name.
            options: Its settings.
            budget: Pictures that may be charged in all; None: no limit.
            dropped: Its planned jobs that are not wanted any more.
            plans: What is to be sent: see `plan`.

        Raises:
            JournalError: As `abandon` and `plan` do.
        """
        unwanted, planned = list(dropped), list(plans)  # the work may be run again

        def work(database: Database) -> None:
            for job in unwanted:
                transition(database, job.id, job.state, "abandoned", self._stamp("user"))
            database.execute(
                "INSERT INTO run(name, created) SELECT ?, ? WHERE NOT EXISTS(SELECT 1 FROM run WHERE name=?)",
                (name, self._clock(), name),
            )
            database.execute(
                "UPDATE run SET options=?, budget=? WHERE name=?", (_as_json(dict(options or {})), budget, name)
            )
            (run,) = database.execute("SELECT id FROM run WHERE name=?", (name,)).fetchone()
            for plan in planned:
                self._plan(database, run, plan)

        self._committer.do(work)
        run = self.find_run(name)
        assert run is not None  # noqa: S101 -- it was just written
        return run

    def plan(self, run: int, plans: Iterable[Plan]) -> int:
        """Add jobs that the run does not have yet, all or none; gives how many are new.

        A job that is still planned, and was never sent, takes the new request of its key. One that was dropped while
        it was planned is planned again; one that was given up after it was sent is not.

        Raises:
            JournalError: A key is there already with another request, which has been sent.
        """
        planned = list(plans)

        def work(database: Database) -> int:
            return sum(self._plan(database, run, plan)[1] for plan in planned)

        return self._committer.do(work)

    def _plan(self, database: Database, run: int, plan: Plan) -> tuple[int, bool]:
        request = _as_json(plan.request)
        sql = "SELECT id, digest, state, spent, line, attempt FROM job WHERE run=? AND key=?"
        row = database.execute(sql, (run, plan.key)).fetchone()
        if row is None:
            stamp = self._stamp()
            cursor = database.execute(
                "INSERT INTO job(run,key,digest,line,request,cost,state,actor,boot,updated)"
                " VALUES(?,?,?,?,?,?,'planned',?,?,?)",
                (run, plan.key, plan.digest, plan.line, request, plan.cost, stamp.actor, stamp.boot, stamp.at),
            )
            assert cursor.lastrowid is not None  # noqa: S101 -- a row was inserted
            return cursor.lastrowid, True
        job, digest, state, spent, line, attempt = row
        never_sent = spent == 0 and state in ("planned", "abandoned")
        if digest != plan.digest and not never_sent:
            raise JournalError(
                f"job “{plan.key}” is in the journal already, with another request",
                hint="Give the changed job another id, or use another output folder.",
            )
        if digest != plan.digest or line != plan.line:
            database.execute(
                "UPDATE job SET digest=?, request=?, cost=?, line=? WHERE id=?",
                (plan.digest, request, plan.cost, plan.line, job),
            )
        if (
            state == "abandoned"
            and never_sent
            and (digest != plan.digest or not attempt or _was_dropped(database, job))
        ):
            transition(database, job, "abandoned", "planned", self._stamp("user"))
        return int(job), False

    # Single submissions.

    def submission_record(self, job: int, cost: int) -> SubmissionRecord:
        """Return the record of a planned job's submission, for the submit workflow."""
        return SubmissionRecord(self._committer, self._stamp, lambda _: job, cost)

    def open_single_call(self, digest: str, request: Mapping[str, Any], cost: int) -> SubmissionRecord:
        """Return the record of one single submission. Its row is made when the request is about to leave."""
        plan = Plan(uuid.uuid4().hex, digest, request, cost)
        run = self.find_run(CALLS) or self.run(CALLS)
        find = partial(self._plan, run=run.id, plan=plan)
        return SubmissionRecord(self._committer, self._stamp, lambda database: find(database)[0], cost)

    # What becomes of a submitted job.

    def succeeded(self, job: int) -> None:
        """Record that the task is completed: submitted -> succeeded."""
        self._move(job, "submitted", "succeeded")

    def failed(self, job: int, error: BaseException) -> None:
        """Record that the task has failed on the server: submitted -> failed."""
        self._move(job, "submitted", "failed", error)

    def downloaded(self, pictures: Mapping[int, Iterable[Picture]]) -> None:
        """Record that all pictures of these jobs are on the disk, whole and synced, in one transaction.

        submitted or succeeded -> downloaded. ``pictures`` are given by the job's row id.
        """
        saved = {job: list(files) for job, files in pictures.items()}  # the work may be run again

        def work(database: Database) -> None:
            for job, files in saved.items():
                if database.execute("SELECT state FROM job WHERE id=?", (job,)).fetchone() == ("submitted",):
                    transition(database, job, "submitted", "succeeded", self._stamp())
                else:  # only then can there be pictures of an earlier delivery
                    database.execute("DELETE FROM picture WHERE job=?", (job,))
                for one in files:
                    row = (job, one.index, one.path, one.bytes, one.sha256)
                    database.execute("INSERT INTO picture VALUES(?,?,?,?,?)", row)
                transition(database, job, "succeeded", "downloaded", self._stamp())

        self._committer.do(work)

    def mark_missing(self, job: int) -> None:
        """Record that a saved picture is gone or damaged: downloaded -> succeeded, to be fetched again."""
        self._move(job, "downloaded", "succeeded")

    def record_error(self, job: int, error: BaseException) -> None:
        """Leave the job in its state and record why it did not get on."""
        self._committer.do(lambda database: record_error(database, job, self._stamp(), error))

    # What only the user may decide: sending again what may have been paid for, or giving it up.

    def requeue(self, job: Job, *, charged: bool = True) -> None:
        """Send it again at the next run: unknown, rejected, failed or abandoned -> planned.

        Args:
            job: As it was read.
            charged: False if the user knows that the last attempt was not charged: then its cost goes back
                to the budget. True leaves it counted as spent.

        Raises:
            JournalError: The job is in no such state, or has changed since it was read.
        """
        self._decide(job, "planned", charged=charged)

    def abandon(self, job: Job, *, charged: bool = True) -> None:
        """Give it up: unknown, rejected, failed or planned -> abandoned. ``charged`` as in `requeue`.

        Raises:
            JournalError: The job is in no such state, or has changed since it was read.
        """
        self._decide(job, "abandoned", charged=charged)

    def _decide(self, job: Job, new: State, *, charged: bool) -> None:
        back = 0 if charged else -min(job.cost, job.spent)
        stamp = self._stamp("user")
        self._committer.do(lambda database: transition(database, job.id, job.state, new, stamp, spend=back))

    def attach_task_id(self, job: Job, taskid: str) -> None:
        """Record the task id that the user found in the vendor's console: unknown -> submitted.

        Raises:
            JournalError: The job is not unknown, or the id belongs to another job.
        """

        def work(database: Database) -> None:
            if database.execute("SELECT 1 FROM accepted WHERE taskid=?", (taskid,)).fetchone():
                raise JournalError(f"task {show_id(taskid)} belongs to another job already", hint="Check the id.")
            transition(database, job.id, job.state, "submitted", self._stamp("user"), taskid=taskid)

        self._committer.do(work)

    def close(self) -> None:
        """Close the file once no thread writes it, and let another process write it. It may be called again."""
        try:
            self._committer.close(lambda database: database.execute("UPDATE journal SET closed=1"))
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def checked_path(path: str | os.PathLike[str]) -> Path:
    """Return the journal's own path: where a symbolic link leads, so that the file has only one lock.

    Raises:
        JournalError: It is a name that SQLite would not take for a file, something other than a file is there (which
            a new journal would replace), a link leads to itself, or the file has a second name.
    """
    text = os.fspath(path)
    special = text == ":memory:" or text.lower().startswith("file:") or "\0" in text
    if special or not Path(text).name or (Path(text).exists() and not Path(text).is_file()):
        raise JournalError(f"{text!r} is not the path of a file", hint="Give a path on a local disk.")
    found = Path(text)
    if found.is_symlink():
        try:
            found = found.resolve()
        except (OSError, RuntimeError):  # Python 3.12 and older raise RuntimeError for a loop
            raise JournalError(f"{found} is a symbolic link that leads to itself", hint="Remove the link.") from None
    if found.is_file() and found.stat().st_nlink > 1:
        raise JournalError(
            f"{found} has a second name (a hard link), under which another process could write it",
            hint="Copy it, and open the copy.",
        )
    return found


def _was_dropped(database: Database, job: int) -> bool:
    """Whether an abandoned job was still to be sent; otherwise the user gave it up after it was."""
    sql = "SELECT old FROM event WHERE job=? ORDER BY seq DESC LIMIT 1"
    return bool(database.execute(sql, (job,)).fetchone() == ("planned",))


def _as_json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, sort_keys=True)
