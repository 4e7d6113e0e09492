"""Files that are replaced as a whole: a reader sees the old one or the new one, and never half of it."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

NEW: Final = ".new"  # what a killed process can leave behind is called ``.<name>.<random>.new``
_FLAGS: Final = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)  # fmt: skip


@contextmanager
def atomic_write(path: Path, *, mode: int = 0o600) -> Generator[IO[bytes]]:
    """Write a new file beside its place under a random name, sync it, and rename it when the block ends.

    Nothing that is already there is opened, and no link is followed. When the block raises, the old file stays.
    ``mode`` is the file's permissions, before the umask.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{NEW}")
    descriptor = os.open(temporary, _FLAGS, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
