"""A disk that forgets: a SQLite VFS that knows which bytes were synced, and what a power cut would leave of the rest.

SQLite works on real files in one folder. Beside them we keep, for each, what is surely on the platter (all up to the
last sync) and what was written since. `after_cut` gives the files as they may be after the power came back: every
unsynced write may be there, be missing, or be torn at a sector.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import apsw
from attrs import define, field

SECTOR: Final = 512  # bytes that a disk writes as one
Survivors = Literal["none", "all", "prefix", "random", "torn"]
SURVIVORS: Final[tuple[Survivors, ...]] = ("none", "all", "prefix", "random", "torn")
Change = tuple[int, bytes] | int  # bytes at an offset, or a new length


@define
class File:
    """One file: its synced bytes, and the changes since the last sync."""

    synced: bytes = b""
    pending: list[Change] = field(factory=list)

    def sync(self) -> None:
        self.synced, self.pending = _apply(self.synced, self.pending), []

    def left(self, survivors: Survivors, chance: random.Random) -> bytes:
        """Return the bytes after a power cut."""
        pending = self.pending
        match survivors:
            case "none":
                pending = []
            case "prefix":
                pending = pending[: chance.randint(0, len(pending))]
            case "random":
                pending = [change for change in pending if chance.random() < 0.5]
            case "torn":
                pending = [part for change in pending for part in _torn(change, chance)]
            case "all":
                pass
        return _apply(self.synced, pending)


def _torn(change: Change, chance: random.Random) -> list[Change]:
    if isinstance(change, int):
        return [change] if chance.random() < 0.5 else []
    offset, data = change
    starts = range(0, len(data), SECTOR)
    return [(offset + start, data[start : start + SECTOR]) for start in starts if chance.random() < 0.5]


def _apply(content: bytes, changes: list[Change]) -> bytes:
    result = bytearray(content)
    for change in changes:
        if isinstance(change, int):
            del result[change:]
        else:
            offset, data = change
            if len(result) < offset:
                result.extend(bytes(offset - len(result)))
            result[offset : offset + len(data)] = data
    return bytes(result)


class Disk(apsw.VFS):
    """The VFS.

    Args:
        name: Its name for SQLite.
        watch: Called before each change (write, truncation, sync, deletion): a moment at which the power may fail.
    """

    def __init__(self, name: str, watch: Callable[[], None] = lambda: None) -> None:
        self.files: dict[str, File] = {}
        self.watch = watch
        super().__init__(name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 -- SQLite's name
        return _Opened(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 -- SQLite's signature
        self.watch()
        super().xDelete(filename, syncdir)
        self.files.pop(filename, None)

    def after_cut(self, folder: Path, survivors: Survivors, chance: random.Random) -> None:
        """Write the files into the folder as they may be after a power cut now."""
        for name, file in self.files.items():
            (folder / Path(name).name).write_bytes(file.left(survivors, chance))


class _Opened(apsw.VFSFile):
    def __init__(self, disk: Disk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._disk = disk
        if path not in disk.files:  # a file that was renamed to this place was synced before
            disk.files[path] = File(Path(path).read_bytes() if Path(path).exists() else b"")
        self._file = disk.files[path]

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 -- SQLite's name
        self._disk.watch()
        super().xWrite(data, offset)
        self._file.pending.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 -- SQLite's name
        self._disk.watch()
        super().xTruncate(newsize)
        self._file.pending.append(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 -- SQLite's name
        self._disk.watch()
        super().xSync(flags)
        self._file.sync()
