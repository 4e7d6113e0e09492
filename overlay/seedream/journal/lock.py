"""The journal's place on disk: a private file, one writing process, a file system that can be trusted."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final, Self

from seedream.errors import JournalError, JournalFull, JournalLocked

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # not a POSIX system
    fcntl = None

# SQLite's write-ahead log needs memory shared between processes, which no network file system gives.
_NETWORK: Final = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.sshfs",
        "fuse.s3fs",
        "glusterfs",
        "lustre",
        "ncpfs",
    }
    | {"fuse.glusterfs", "fuse.rclone", "nfs", "nfs4", "smb2", "smb3", "smbfs", "virtiofs"},
)
_MOUNTS: Final = Path("/proc/self/mountinfo")


def filesystem(path: Path, mounts: Path = _MOUNTS) -> str:
    """The type of the folder's file system, as the kernel names it; empty where it cannot be told."""
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


class Lock:
    """The right to write one journal. The kernel gives it back when the process ends, however it ends.

    Args:
        path: The journal file; the lock stands beside it as ``<name>.lock``.

    Raises:
        JournalLocked: Another process (or another client of this one) holds it.
        JournalError: This system has no such locks, or the folder is on a network file system.
        JournalFull: The file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        if fcntl is None:
            raise JournalError(
                "the journal needs POSIX file locks, which this system does not have",
                hint="Run it on Linux, macOS or WSL.",
            )
        kind = filesystem(path.parent)
        if kind in _NETWORK:
            raise JournalError(
                f"{path.parent} is on a network file system ({kind}), where a journal is not safe",
                hint="Put the journal on a local disk.",
            )
        with told(path):
            file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(file, 32, 0).decode("ascii", "replace").strip()
            os.close(file)
            who = "this process already" if holder == str(os.getpid()) else f"process {holder or '?'}"
            raise JournalLocked(
                f"{path} is being written by " + who,
                hint="Wait until it has ended, or use another journal.",
            ) from None
        with told(path):
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        """Give the lock back. Calling it again changes nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def make_private(path: Path) -> None:
    """Create the journal file with mode 0600 where it is missing, and make its folder entry durable.

    Raises:
        JournalFull: It cannot be made: no such folder, no right, no room.
    """
    with told(path):
        if path.exists():
            return
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def told(path: Path) -> Generator[None]:
    """Turn an operating system's error into the journal's.

    Raises:
        JournalFull: With the system's reason.
    """
    try:
        yield
    except OSError as error:
        raise JournalFull(
            f"{path} cannot be written: {error.strerror or type(error).__name__}",
            hint="Check the folder, its permissions and the free space.",
        ) from None
