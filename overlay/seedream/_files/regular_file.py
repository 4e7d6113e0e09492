"""Opens files that a user names, and nothing that never ends."""

import os
import stat
from pathlib import Path


def open_regular(path: Path) -> int:
    """Open a regular file for reading. A device or a pipe, which may never end, is refused without waiting for it.

    Raises:
        OSError: It cannot be opened, or is another kind of file.
        ValueError: It cannot be a path.
    """
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    kind = os.fstat(fd).st_mode
    if stat.S_ISREG(kind):
        return fd
    os.close(fd)
    raise OSError("it is a directory" if stat.S_ISDIR(kind) else "it is not a regular file")
