"""The journal's place on disk: one writing process, a private file, and a mark that outlives the file's contents.

The lock is the operating system's (``flock`` on POSIX, ``msvcrt.locking`` on Windows), not a library's: the same file
holds the writer's process id and the mark, so it must be opened without truncating it and without following a link.
"""

import errno
import os
import re
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from seedream.errors import JournalError, JournalFull, JournalLocked

# Locks and fsync cannot be relied upon over a network.
_NETWORK: Final = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs",
        "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb2", "smb3", "smbfs", "virtiofs",
    }
)  # fmt: skip
_MOUNTS: Final = Path("/proc/self/mountinfo")
_FLAGS: Final = (
    os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)
_READ: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_CONTENT: Final = re.compile(rb" *(\d+)\n(?:([0-9a-f]{32}) *(\d+)\n)?")
_SIZE: Final = 75  # bytes of the lock file: 20 of the process id, 32 of the journal's id, 20 of the number


@frozen
class Mark:
    """The last transaction that the lock file knows of: the journal's id and its newest event's number."""

    journal: str
    event: int


def filesystem(path: Path, mounts: Path = _MOUNTS) -> str:
    """Return the type of the folder's file system, as the kernel names it; empty where it is not known."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    best, kind = -1, ""
    real = path.resolve()
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split(" ")[4].replace("\\040", " "))
        if (real == point or point in real.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split(" ")[0]
    return kind


def identity(path: Path) -> tuple[int, int]:
    """Device and number of the file at this path; zeros where there is none."""
    try:
        found = path.stat(follow_symlinks=False)
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def lock_path(path: Path) -> Path:
    """Return the lock file of the journal at this path, which must not be a link."""
    return path.with_name(f"{path.name}.lock")


def read_mark(lock: Path) -> Mark | None:
    """Return the mark in a lock file, which another process may hold; None where there is none."""
    try:
        file = os.open(lock, _READ)
    except OSError:
        return None
    try:
        return _parse(file)
    except OSError:
        return None
    finally:
        os.close(file)


def _content(file: int) -> re.Match[bytes] | None:
    os.lseek(file, 0, os.SEEK_SET)
    return _CONTENT.match(os.read(file, _SIZE))


def _parse(file: int) -> Mark | None:
    found = _content(file)
    return Mark(found[2].decode(), int(found[3])) if found and found[2] else None


class Lock:
    """The right to write one journal. The operating system releases it when the process ends, however it ends.

    Args:
        path: The journal file; the lock is ``<name>.lock`` beside it.

    Attributes:
        mark: What the last holder left in it, None where it left nothing.

    Raises:
        JournalLocked: Another process (or another client of this one) holds it.
        JournalError: The folder is on a network file system, or the lock file is a link.
        JournalFull: The file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        self._path = lock_path(path)
        kind = filesystem(path.parent)
        if kind in _NETWORK:
            raise JournalError(
                f"{path.parent} is on a network file system ({kind}), where a journal is not safe",
                hint="Put the journal on a local disk.",
            )
        file = self._open(path)
        try:
            _acquire(path, file)
            self.mark = _parse(file)
            with os_errors_as_journal_full(path):
                self._identity = (os.fstat(file).st_dev, os.fstat(file).st_ino)
                self._write(file, self.mark)
        except BaseException:
            os.close(file)
            raise
        self._file = file

    def _open(self, path: Path) -> int:
        try:
            file = os.open(self._path, _FLAGS, 0o600)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise JournalError(f"{self._path} is a symbolic link", hint="Remove the link.") from None
            raise _journal_full(path, error) from None
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            os.close(file)
            raise JournalError(f"{self._path} is not a file of its own", hint="Remove it: it may be a link.")
        return file

    @staticmethod
    def _write(file: int, mark: Mark | None) -> None:
        line = f"{mark.journal} {mark.event:>20}\n" if mark is not None else ""
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, f"{os.getpid():>20}\n{line}".encode())

    def write_mark(self, mark: Mark) -> None:
        """Leave a mark. It is not synced: a kill does not lose it, and a power cut can only make it older."""
        if self._file is not None:
            try:
                self._write(self._file, mark)
            except OSError:
                return  # the transaction is durable already; an older mark detects less, and reports nothing wrongly
            self.mark = mark

    def is_in_place(self) -> bool:
        """Whether the lock file is still the one that is held."""
        return identity(self._path) == self._identity

    def release(self) -> None:
        """Release the lock. Calling it again changes nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


try:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

except ImportError:  # Windows
    import msvcrt

    _LOCKED_BYTE = 1 << 30  # far behind the content, which stays readable for others

    def _try_lock(file: int) -> bool:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows only
        except OSError:
            return False
        return True


def _acquire(path: Path, file: int) -> None:
    if _try_lock(file):
        return
    found = _content(file)
    holder = found[1].decode() if found else "?"
    who = "this process already" if holder == str(os.getpid()) else f"process {holder}"
    raise JournalLocked(f"{path} is being written by {who}", hint="Wait until it has ended, or use another journal.")


def sync_folder(folder: Path) -> None:
    """Make a new or renamed entry of the folder durable, where the system can."""
    if hasattr(os, "O_DIRECTORY"):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


@contextmanager
def os_errors_as_journal_full(path: Path) -> Generator[None]:
    """Turn an operating system's error into the journal's.

    Raises:
        JournalFull: With the system's reason.
    """
    try:
        yield
    except OSError as error:
        raise _journal_full(path, error) from None


def _journal_full(path: Path, error: OSError) -> JournalFull:
    return JournalFull(
        f"{path} cannot be written: {error.strerror or type(error).__name__}",
        hint="Check the folder, its permissions and the free space.",
    )
