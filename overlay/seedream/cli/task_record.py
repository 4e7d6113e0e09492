"""A record of the submissions of ``seedream generate``, so that no task that is paid for is lost with the process.

The record is a file to which one JSON object is appended before a request is sent and one after, each on the disk
before the run goes on. Several runs can append at once. It is not needed by ``seedream bulk``, which has a journal.
"""

import errno
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from attrs import fields, frozen
from platformdirs import user_state_path

from seedream._request.submission import Submission
from seedream._support.redact import quote, redact
from seedream.errors import JournalFull

_FILE: Final = "tasks.jsonl"
_OLD_FILE: Final = "tasks.old.jsonl"
_LARGEST: Final = 1_000_000  # bytes; a larger file is kept as the old one, and a new one begun
_LONGEST_PROMPT: Final = 200  # characters
STATE_VARIABLE: Final = "SEEDREAM_STATE_DIR"


def state_folder() -> Path:
    """Return the folder of the record: SEEDREAM_STATE_DIR, or the system's place for a user's state."""
    chosen = os.environ.get(STATE_VARIABLE, "").strip()
    return Path(chosen) if chosen else user_state_path("seedream", appauthor=False)


@frozen
class RecordedTask:
    """One submission of the record."""

    at: str  # when it was sent (ISO 8601, UTC)
    state: str  # ``submitting`` (no answer is recorded), ``accepted``, ``refused``, ``not sent`` or ``unknown``
    taskid: str = ""
    prompt: str = ""  # the beginning of the prompt
    images: int = 1  # how many pictures it asks for
    directory: str = ""  # where they go
    base_url: str | None = None  # the service, if it was named


class TaskRecorder:
    """Records one submission.

    The record is kept in the directory of the pictures if the state folder cannot be written.
    """

    def __init__(self, submission: Submission, directory: Path, base_url: str | None) -> None:
        self._key = secrets.token_hex(6)
        self._directory = directory
        self._entry = {
            "prompt": redact(str(submission.values.get("prompt", "")))[:_LONGEST_PROMPT],
            "images": submission.images,
            "directory": str(directory.absolute()),
            "base_url": base_url,
        }
        self._path: Path | None = None

    def begin(self) -> None:
        """Record that the request is about to be sent.

        Raises:
            JournalFull: It can be recorded nowhere, so nothing is sent.
        """
        if self._path is not None:  # a repeated attempt of the same submission
            self._append(self._path, {"state": "submitting"})
            return
        failures: list[str] = []
        for path in (state_folder() / _FILE, self._directory / f".seedream-{_FILE}"):
            try:
                if not path.is_absolute() and path.parts[0] == "~":
                    raise FileNotFoundError(errno.ENOENT, "there is no home directory", str(path))
                _make_room(path)
                self._append(path, {"state": "submitting", **self._entry})
            except OSError as error:
                failures.append(f"{quote(str(path))}: {error.strerror or error}")
                continue
            self._path = path
            return
        raise JournalFull(
            f"the submission cannot be recorded ({'; '.join(failures)})",
            hint=f"Make room, or set {STATE_VARIABLE} to a folder that can be written.",
        )

    def end(self, state: str, **more: str) -> None:
        """Record the state in which it ended, and its ``taskid`` if there is one.

        A failure is not raised: the id is printed, and the error about the submission counts.
        """
        if self._path is not None:
            with suppress(OSError):
                self._append(self._path, {"state": state, **more})

    def _append(self, path: Path, entry: dict[str, Any]) -> None:
        line = json.dumps({"key": self._key, "at": datetime.now(UTC).isoformat(timespec="seconds"), **entry}) + "\n"
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        file = os.open(path, flags, 0o600)
        try:
            if os.write(file, line.encode()) != len(line):  # a disk that is full takes a part, without an error
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(file)
        finally:
            os.close(file)


def _make_room(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.stat().st_size > _LARGEST:
        path.replace(path.with_name(path.name.replace(_FILE, _OLD_FILE)))


def read_tasks(folder: Path | None = None) -> list[RecordedTask]:
    """Return the recorded submissions, also those in an output folder, the latest last; skip lines that are damaged."""
    entries: dict[str, dict[str, Any]] = {}
    paths = [state_folder() / _OLD_FILE, state_folder() / _FILE]
    if folder is not None:
        paths += [folder / f".seedream-{name}" for name in (_OLD_FILE, _FILE)]
    for entry in (entry for path in paths for entry in _read_lines(path)):
        known = entries.setdefault(entry["key"], entry)
        known.update({name: value for name, value in entry.items() if name != "at"})
    names = {one.name for one in fields(RecordedTask)}
    found = [{name: value for name, value in entry.items() if name in names} for entry in entries.values()]
    return sorted((RecordedTask(**entry) for entry in found), key=lambda task: task.at)


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        # What follows a line that was written in part is on the same line; no text in an entry looks like a start.
        lines = path.read_bytes().replace(b'{"key"', b'\n{"key"').splitlines()
    except OSError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and {"key", "at", "state"} <= entry.keys():
            yield entry
