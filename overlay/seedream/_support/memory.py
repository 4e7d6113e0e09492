"""Memory of large transfers."""

from functools import cache
from typing import Final

_KEPT: Final = 4 * 1024 * 1024  # bytes


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of one chunk for the next: page faults are half of the time of a download.

    glibc gives freed blocks of 128 KiB and more back to the system. Freeing one larger block, which is never touched,
    raises that limit to twice its size (``man 3 mallopt``, M_MMAP_THRESHOLD), unless the environment sets one.
    """
    bytes(_KEPT)
