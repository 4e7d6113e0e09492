"""Writes a picture under a temporary name beside its final place, and renames it only when it is whole and on disk."""

import errno
import hashlib
import mmap
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from attrs import define, field

from seedream._files.image_formats import EXTENSIONS, HEAD, PictureType, is_whole, sniff
from seedream._files.paths import open_regular
from seedream._support.redact import quote
from seedream.errors import ConfigError

# None is that of open_regular for what is not a regular file.
_NO_FILE: Final = (None, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENXIO)


def ensure_writable(directory: Path) -> Path:
    """Make the directory if it is missing, and prove that it can be written, before a submission is paid for."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        probe = directory / f".{secrets.token_hex(8)}.probe"
        probe.touch(exist_ok=False)
        probe.unlink()
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        if isinstance(error, FileExistsError):
            reason = "it is a link that leads nowhere" if directory.is_symlink() else "it is a file"
        raise ConfigError(
            f"cannot write in {quote(str(directory))}: {reason}", hint="Choose another directory; nothing was sent."
        ) from None
    return directory


def find_complete(directory: Path, stem: str) -> Path | None:
    """Return a whole picture that is there already under this name, if any."""
    place = str(directory / stem)
    for extension in EXTENSIONS:  # nearly always there is none: this is asked for each new picture
        name = f"{place}.{extension}"
        if os.access(name, os.F_OK) and whole_format(path := Path(name)) == extension:
            return path
    return None


def whole_format(path: Path) -> str | None:
    """Return the extension that belongs to a whole picture's bytes, None for all else, symbolic links too."""
    try:
        fd = open_regular(path, follow=False)
    except OSError as error:
        if error.errno in _NO_FILE or path.is_symlink():
            return None
        raise
    try:
        kind = _whole_kind(fd)
    finally:
        os.close(fd)
    return kind.extension if kind else None


def digest_of(path: Path) -> str:
    """Return the sha256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _whole_kind(fd: int) -> PictureType | None:
    """Return the format of an open file that holds a whole picture."""
    if not os.fstat(fd).st_size:
        return None
    with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as data:
        kind = sniff(data[:HEAD])
        return kind if kind and is_whole(kind, data) else None


def _write_one(fd: int, chunks: Sequence[memoryview]) -> int:
    return os.write(fd, chunks[0])


# Several chunks in one system call, where there is one: each gives up the interpreter's lock, and waits for it again.
_write_some: Final = getattr(os, "writev", _write_one)
_AT_ONCE: Final = 64  # fewer than any system's limit


@define
class PartialFile:
    """A temporary file in the target directory. All methods may raise OSError, but for ``discard``.

    Attributes:
        hashed: Whether ``sha256`` is wanted: it takes as long as all else that is done with the bytes.
        size: Bytes written so far.
        etag: A strong ETag, where the host lets the rest be asked for on its own.
        head: The first bytes, by which the format is recognised.
    """

    directory: Path
    stem: str
    hashed: bool = False
    size: int = 0
    etag: str = field(default="", repr=False)
    _path: Path = field(init=False)
    _file: IO[bytes] = field(init=False)
    head: bytes = field(default=b"", repr=False)
    _hash: Any = None

    def __attrs_post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        # The name cannot be guessed, and mode "x" neither opens a file that is there nor follows a link.
        self._path = self.directory / f".{self.stem}.{secrets.token_hex(8)}.part"
        self._file = self._path.open("x+b", buffering=0)
        self._hash = hashlib.sha256() if self.hashed else None

    def write(self, *chunks: bytes) -> None:
        left = [memoryview(chunk) for chunk in reversed(chunks) if chunk]
        while left:  # the last piece before a full disk is written in part, without an error
            count = _write_some(self._file.fileno(), left[: -_AT_ONCE - 1 : -1])
            while left and count >= len(left[-1]):
                count -= len(left.pop())
            if count:
                left[-1] = left[-1][count:]
        for chunk in chunks:
            self.size += len(chunk)
            if self._hash is not None:
                self._hash.update(chunk)
            if len(self.head) < HEAD:
                self.head = (self.head + chunk[:HEAD])[:HEAD]

    def restart(self) -> None:
        """Drop what was written."""
        self._file.seek(0)
        self._file.truncate()
        self.size, self.head, self._hash = 0, b"", hashlib.sha256() if self.hashed else None

    def kind(self) -> PictureType | None:
        return sniff(self.head)

    def is_whole(self) -> bool:
        return _whole_kind(self._file.fileno()) is not None

    @property
    def sha256(self) -> str:
        """Hash of what was written (hex), computed while writing; empty when it is not wanted."""
        return "" if self._hash is None else str(self._hash.hexdigest())

    def finish(self, target: Path | None = None) -> Path:
        """Put the file on the disk and rename it, by default to its stem with the extension of its format; durable."""
        if target is None:
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


@define
class MemoryFile:
    """A picture being received into memory, with the methods of PartialFile that a download uses."""

    size: int = 0
    etag: str = field(default="", repr=False)
    _data: bytearray = field(factory=bytearray, repr=False)

    def write(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self._data += chunk
        self.size = len(self._data)

    def restart(self) -> None:
        """Drop what was received."""
        self._data.clear()
        self.size = 0

    def kind(self) -> PictureType | None:
        return sniff(self.head)

    def is_whole(self) -> bool:
        kind = self.kind()
        return kind is not None and is_whole(kind, self._data)

    @property
    def head(self) -> bytes:
        return bytes(self._data[:HEAD])

    def finish(self) -> bytes:
        """Return the bytes."""
        return bytes(self._data)
