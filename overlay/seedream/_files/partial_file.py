"""A picture being written: beside its final place under another name, renamed only when whole and on the disk."""

import hashlib
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from attrs import define, field

from seedream._files.image_formats import EXTENSIONS, HEAD, TAIL, PictureType, is_whole, sniff
from seedream._support.redact import quote
from seedream.errors import ConfigError

_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def stem_of(taskid: str, index: int) -> str:
    """File name without extension for a task's picture; index from 0. A task id is the server's text: never a path."""
    if _SAFE.fullmatch(taskid) and ".." not in taskid:
        return f"{taskid}-{index + 1}"
    kept = re.sub(r"[^A-Za-z0-9]+", "_", taskid)[:40].strip("_") or "task"
    return f"{kept}-{hashlib.sha256(taskid.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}-{index + 1}"


def ensure_writable(directory: Path) -> Path:
    """The directory, made if missing. Asked before a submission, so that nothing is paid for that cannot be kept.

    Raises:
        ConfigError: Pictures cannot be written there.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / f".{secrets.token_hex(4)}.probe"
        probe.touch(exist_ok=False)
        probe.unlink()
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise ConfigError(
            f"cannot write in {quote(str(directory))}: {reason}", hint="Choose another directory; nothing was sent."
        ) from None
    return directory


def find_complete(directory: Path, stem: str) -> Path | None:
    """A whole picture that is there already under this name, if any."""
    for extension in EXTENSIONS:
        path = directory / f"{stem}.{extension}"
        if path.is_file() and not path.is_symlink() and whole_format(path) == extension:
            return path
    return None


def whole_format(path: Path) -> str | None:
    """The extension that a whole picture's bytes ask for, or None if it is no whole picture."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL))
        tail = file.read()
    kind = sniff(head)
    return kind.extension if kind and is_whole(kind, head, tail, size) else None


@define
class PartialFile:
    """A temporary file in the target directory. All methods may raise OSError, but for ``discard``."""

    directory: Path
    stem: str
    size: int = 0
    etag: str = ""  # a strong ETag, where the host lets the rest be asked for alone
    _path: Path = field(init=False)
    _file: IO[bytes] = field(init=False)
    _head: bytes = b""
    _tail: bytes = b""

    def __attrs_post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._path = self.directory / f".{self.stem}.{secrets.token_hex(4)}.part"
        self._file = self._path.open("xb", buffering=0)

    def write(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:  # unbuffered: the last piece before a full disk is written in part, without an error
            rest = rest[self._file.write(rest) :]
        self.size += len(chunk)
        self._head = (self._head + chunk[:HEAD])[:HEAD]
        self._tail = (self._tail + chunk[-TAIL:])[-TAIL:]

    def restart(self) -> None:
        """Drop what was written."""
        self._file.seek(0)
        self._file.truncate()
        self.size, self._head, self._tail = 0, b"", b""

    def kind(self) -> PictureType | None:
        return sniff(self._head)

    def is_whole(self, *, size_known: bool = False) -> bool:
        kind = self.kind()
        return kind is not None and is_whole(kind, self._head, self._tail, self.size, size_known=size_known)

    @property
    def head(self) -> bytes:
        return self._head

    def finish(self) -> Path:
        """Put the file on the disk and rename it; durable when this returns."""
        kind = self.kind()
        target = self.directory / f"{self.stem}.{kind.extension if kind else 'bin'}"
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.replace(target)
        if hasattr(os, "O_DIRECTORY"):
            directory = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        return target

    def discard(self) -> None:
        """Remove the temporary file, if it is still there."""
        with suppress(OSError):
            self._file.close()
            self._path.unlink(missing_ok=True)
