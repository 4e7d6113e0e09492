"""Durable transactions, many writers to one commit.

Whoever gets the lock first commits for all who wait: no thread of its own, one fsync for a whole group.
Each piece of work stands in a savepoint, so that one refused change does not undo its neighbours'.
A commit that fails, fails for everyone in its group (nobody is told that something is durable which is not).
"""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from seedream.errors import JournalError, JournalFull

T = TypeVar("T")
_ROOM = ("SQLITE_FULL", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN")


class Rows(Protocol):
    """What we use of a cursor."""

    @property
    def rowcount(self) -> int: ...
    @property
    def lastrowid(self) -> int | None: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class Database(Protocol):
    """What we use of a connection: so that tests can put a disk of their own below it."""

    @property
    def in_transaction(self) -> bool: ...
    def execute(self, sql: str, parameters: Sequence[object] = ..., /) -> Rows: ...
    def close(self) -> None: ...


Work = Callable[[Database], T]


class _Waiting(Generic[T]):
    """One piece of work, and later its result or its error."""

    def __init__(self, work: Work[T]) -> None:
        self.work = work
        self.done = False
        self.error: BaseException | None = None
        self.value: T

    def run(self, database: Database) -> None:
        database.execute("SAVEPOINT work")
        try:
            self.value = self.work(database)
        except Exception as error:  # noqa: BLE001 -- handed to the caller who brought the work
            self.error = error
            if database.in_transaction:  # a full disk ends the transaction by itself
                database.execute("ROLLBACK TO work")
        if database.in_transaction:
            database.execute("RELEASE work")

    def result(self) -> T:
        if self.error is not None:
            raise self.error
        return self.value


class Committer:
    """Runs work inside durable transactions.

    Args:
        database: In autocommit mode, used by nobody else for writing.
        path: For messages.
    """

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path
        self._queue: deque[_Waiting[Any]] = deque()
        self._turn = threading.Lock()
        self._pid = os.getpid()
        self._broken: str | None = None

    def do(self, work: Work[T]) -> T:
        """Run the work in a transaction and return when that is durable.

        Raises:
            JournalFull: No room, or no right to write. Nothing was recorded.
            JournalError: The file is damaged, or an earlier write to it failed.
        """
        if self._pid != os.getpid():
            raise JournalError(f"{self._path} was opened before a fork", hint="Open it in the child.")
        if self._broken is not None:
            raise JournalError(self._broken, hint="Restart; what was recorded before is safe.")
        waiting = _Waiting(work)
        self._queue.append(waiting)
        with self._turn:
            if not waiting.done:  # else the one before us has committed it
                self._commit()
        try:
            return waiting.result()
        except sqlite3.Error as error:
            raise failure(error, self._path) from None

    def read(self, work: Work[T]) -> T:
        """Run work that only reads, between transactions."""
        with self._turn:
            try:
                return work(self._database)
            except sqlite3.Error as error:
                raise failure(error, self._path) from None

    def _commit(self) -> None:
        group: list[_Waiting[Any]] = []
        try:
            while self._queue:
                group.append(self._queue.popleft())
            self._transact(group)
        except sqlite3.Error as error:
            self._undo()
            if not isinstance(wrong := failure(error, self._path), JournalFull):
                self._broken = wrong.message  # after a failed fsync only what is read again can be trusted
            for waiting in group:
                waiting.error = error
        except BaseException:
            self._undo()
            for waiting in group:
                waiting.error = JournalError("the write was interrupted")
            raise
        finally:
            for waiting in group:
                waiting.done = True

    def _transact(self, group: list[_Waiting[Any]]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        for waiting in group:
            waiting.run(self._database)
            if not self._database.in_transaction:
                raise waiting.error or sqlite3.OperationalError("the transaction ended early")
        self._database.execute("COMMIT")

    def _undo(self) -> None:
        try:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._broken = f"{self._path} cannot be rolled back: {error}"


def failure(error: sqlite3.Error, path: Path) -> JournalError:
    """The journal's error for the database's."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_ROOM):
        return JournalFull(
            f"{path} cannot be written: {error}",
            hint="Make room or check the permissions, then go on.",
        )
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return JournalError(f"{path} is not a journal, or is damaged: {error}", hint="Use another journal.")
    return JournalError(f"{path} cannot be used: {error}")
