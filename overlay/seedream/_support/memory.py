"""Memory of large transfers."""

from functools import cache
from typing import Final

_KEPT: Final = 4 * 1024 * 1024  # bytes


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of one chunk for the next. Called again, it does nothing.

    By default glibc gives freed blocks of 128 KiB and more back to the system at once, and each page of the next chunk
    is a page fault: half of the time of a download. Freeing one larger block raises that limit for the process, to
    twice its size (``man 3 mallopt``, M_MMAP_THRESHOLD), unless the environment sets one. Other C libraries are not
    affected. The block itself is never touched, so it takes no memory.
    """
    bytes(_KEPT)
