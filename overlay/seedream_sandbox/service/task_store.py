"""The tasks that the sandbox keeps: the latest ones, bounded in number and size."""

from collections import OrderedDict
from typing import Final

from seedream_sandbox.task import Task

_ROOM: Final = 64 * 1024 * 1024  # bytes, about, of all tasks together


class TaskStore(OrderedDict[str, Task]):
    """Tasks by id, oldest first.

    Args:
        keep: Maximum number of tasks.
        room: Approximate bytes that they may take together; the latest task is always kept.
    """

    def __init__(self, keep: int, room: int = _ROOM) -> None:
        super().__init__()
        self._keep = keep
        self._room = room
        self._size = 0

    def add(self, task: Task) -> None:
        """Keep a task, and drop the oldest ones where there is no room."""
        self[task.id] = task
        self._size += task.weight
        while len(self) > 1 and (len(self) > self._keep or self._size > self._room):
            self._size -= self.popitem(last=False)[1].weight

    def clear(self) -> None:
        """Drop all tasks."""
        super().clear()
        self._size = 0
