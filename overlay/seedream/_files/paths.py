"""Checks paths that a user names: whether a folder can have this path, and whether a file is a regular file."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from seedream._support.redact import quote
from seedream.errors import ConfigError

_READ: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def folder_path(given: str | os.PathLike[str]) -> Path:
    """Return the path of a folder. Raises ConfigError if no folder can have it, TypeError if it is not text."""
    path = Path(given)
    with suppress(UnicodeEncodeError):
        if b"\0" not in os.fsencode(path):
            return path
    raise ConfigError(
        f"cannot write in {quote(str(path))}: it cannot be a path", hint="Choose another directory; nothing was sent."
    )


def open_regular(path: str | Path, *, follow: bool = True) -> int:
    """Open a regular file for reading, through a symbolic link only if ``follow``.

    A device or a pipe, which may never end, is refused with an OSError, without waiting for it.
    """
    fd = os.open(path, _READ if follow else _READ | getattr(os, "O_NOFOLLOW", 0))
    kind = os.fstat(fd).st_mode
    if stat.S_ISREG(kind):
        return fd
    os.close(fd)
    raise OSError("it is a directory" if stat.S_ISDIR(kind) else "it is not a regular file")
