"""The latest of many values, within a bound in number and in memory."""

from collections import OrderedDict
from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Bounded(OrderedDict[Key, Value]):
    """Values by key, oldest first: at most ``keep``, and of about ``room`` bytes; the latest is always kept."""

    def __init__(self, keep: int, room: int) -> None:
        super().__init__()
        self._keep, self._room = keep, room
        self._sizes: dict[Key, int] = {}
        self._size = 0

    def add(self, key: Key, value: Value, size: int) -> None:
        """Keep a value of about so many bytes, and drop the oldest ones where there is no room."""
        self[key] = value
        self.grow(key, size)

    def grow(self, key: Key, size: int) -> None:
        """Count so many bytes more for a value, if it is still kept."""
        if key in self:
            self._sizes[key] = self._sizes.get(key, 0) + size
            self._size += size
        while len(self) > 1 and (len(self) > self._keep or self._size > self._room):
            self._size -= self._sizes.pop(self.popitem(last=False)[0])

    def clear(self) -> None:
        """Drop all values."""
        super().clear()
        self._sizes.clear()
        self._size = 0
