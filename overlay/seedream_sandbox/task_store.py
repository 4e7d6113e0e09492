"""The tasks that the sandbox keeps: the latest, within a bound of number and size."""

from collections import OrderedDict
from typing import Final

from seedream_sandbox.task import Task

_ROOM: Final = 64 * 1024 * 1024  # bytes, about, of all tasks together


class Shelf(OrderedDict[str, Task]):
    """Tasks by id, oldest first.

    Args:
        keep: How many at most.
        room: Bytes, about, that they may take together; the latest is kept in any case.
    """

    def __init__(self, keep: int, room: int = _ROOM) -> None:
        super().__init__()
        self._keep = keep
        self._room = room
        self._held = 0

    def add(self, task: Task) -> None:
        """Keep a task, and forget the oldest where there is no room."""
        self[task.id] = task
        self._held += task.weight
        while len(self) > 1 and (len(self) > self._keep or self._held > self._room):
            self._held -= self.popitem(last=False)[1].weight

    def clear(self) -> None:
        """Forget all."""
        super().clear()
        self._held = 0
