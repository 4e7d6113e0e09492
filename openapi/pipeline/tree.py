"""Files in memory and on disk: compares, locks, and replaces them all or not at all."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

Tree = Mapping[str, bytes]
STAGE: Final = ".pipeline-swap"
READY: Final = "READY"


@contextmanager
def exclusive(root: Path) -> Generator[None]:
    """Wait until no other run works on the same tree."""
    (root / "build").mkdir(exist_ok=True)
    with (root / "build" / "pipeline.lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return every file below the folder, by its path there (`/` between parts), without Python's caches."""
    found = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(found)
        if "__pycache__" not in path.parts
    }


def tree_digest(tree: Tree) -> str:
    """Return one sha256 over names and contents."""
    total = hashlib.sha256()
    for name in sorted(tree):
        total.update(f"{hashlib.sha256(tree[name]).hexdigest()}  {name}\n".encode())
    return total.hexdigest()


def differences(have: Tree, want: Tree) -> list[str]:
    """Return a line for each file that is missing, extra or different in `have`."""
    lines = [f"missing: {name}" for name in want if name not in have]
    lines += [f"extra: {name}" for name in have if name not in want]
    lines += [f"different: {name}" for name in want if name in have and have[name] != want[name]]
    return sorted(lines)


def replace(root: Path, files: Tree, owned: str) -> list[str]:
    """Write `files` (by path from the root) to disk, and remove all others in the folder `owned`.

    All new files are written aside first, then a mark, then they are moved one by one. After a crash before the mark
    nothing has changed; after it, `recover` ends the work. Files that are right already are not touched.

    Returns:
        The paths that changed.
    """
    recover(root)
    changed = [name for name, data in files.items() if _bytes(root / name) != data]
    gone = [f"{owned}/{name}" for name in read_tree(root / owned) if f"{owned}/{name}" not in files]
    if not changed and not gone:
        return []
    stage = root / STAGE
    for name in changed:
        path = stage / "new" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, files[name])
    stage.mkdir(exist_ok=True)
    _write(stage / "mark", json.dumps(gone).encode())
    (stage / "mark").replace(stage / READY)
    recover(root)
    return sorted([*changed, *gone])


def recover(root: Path) -> bool:
    """Ends, or forgets, a replacement that a crash cut short; says whether it ended one."""
    stage = root / STAGE
    if not stage.exists():
        return False
    mark = stage / READY
    ended = mark.exists()
    if ended:
        new = stage / "new"
        for path in sorted(new.rglob("*")):
            if path.is_file():
                target = root / path.relative_to(new)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
        for name in json.loads(mark.read_text("utf-8")):
            (root / name).unlink(missing_ok=True)
            _drop_empty(root, (root / name).parent)
    shutil.rmtree(stage)
    return ended


def _drop_empty(root: Path, folder: Path) -> None:
    while folder != root and folder.is_dir() and all(path.name == "__pycache__" for path in folder.iterdir()):
        shutil.rmtree(folder)
        folder = folder.parent


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
