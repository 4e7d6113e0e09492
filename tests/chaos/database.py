"""An apsw connection in the shape that the journal uses, with the standard library's exceptions."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apsw


class _Rows:
    def __init__(self, connection: apsw.Connection, rows: list[Any]) -> None:
        self.rowcount = connection.changes()
        self.lastrowid = connection.last_insert_rowid()
        self._rows = rows

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows


class Connection:
    """See the module."""

    def __init__(self, path: Path, vfs: str, override: Callable[[str], str]) -> None:
        self._connection = apsw.Connection(str(path), vfs=vfs)
        self._override = override

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> _Rows:
        try:
            rows = self._connection.execute(self._override(sql), tuple(parameters)).fetchall()
        except apsw.ConstraintError as error:
            raise sqlite3.IntegrityError(str(error).removeprefix("ConstraintError: ")) from None
        except apsw.Error as error:
            translated = sqlite3.OperationalError(str(error))
            translated.sqlite_errorname = f"SQLITE_{type(error).__name__.removesuffix('Error').upper()}"
            raise translated from None
        return _Rows(self._connection, rows)

    def close(self) -> None:
        self._connection.close()
