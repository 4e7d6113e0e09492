"""Makes pictures when they are asked for, few at a time, and keeps the latest within a bound of memory."""

import threading
from collections import OrderedDict
from typing import Final

from PIL import Image

from seedream_sandbox.landscape import Format, Motif, encode, paint
from seedream_sandbox.task import Task

File = tuple[bytes, str]  # content and media type
_CACHE: Final = 64 * 1024 * 1024  # bytes of finished files
_AT_ONCE: Final = 2  # pictures painted at the same time: the largest takes some 100 MB meanwhile
_THUMB: Final = 320  # pixels, longest side


class Gallery:
    """Pictures of tasks. Thread-safe.

    Args:
        wanted: The format of pictures; one that cannot hold the size gives way to PNG.
        cache: Bytes of finished files to keep.
    """

    def __init__(self, wanted: Format = "jpeg", cache: int = _CACHE) -> None:
        self.format: Format = wanted
        self._room = cache
        self._files: OrderedDict[tuple[str, int, bool], File] = OrderedDict()
        self._lock = threading.Lock()
        self._painting = threading.BoundedSemaphore(_AT_ONCE)

    def picture(self, task: Task, index: int) -> File:
        """One picture of a task, of exactly its size."""
        return self._get(task, index, small=False)

    def plain(self, task: Task, index: int) -> File:
        """One colour of exactly its size, made fast; the colour tells tasks and indexes apart."""
        key = (f"{task.width}x{task.height}", (task.seed + 37 * index) % 1_000, False)
        found = self._find(key)
        if found is None:
            colour = (key[1] % 256, key[1] // 4, (41 * key[1]) % 256)
            found = encode(Image.new("RGB", (task.width, task.height), colour), self.format)
            self._keep(key, found)
        return found

    def thumbnail(self, task: Task, index: int) -> File:
        """The same motif, small."""
        return self._get(task, index, small=True)

    def _get(self, task: Task, index: int, *, small: bool) -> File:
        key = (task.id, index, small)
        found = self._find(key)
        if found is not None:
            return found
        with self._painting:
            found = self._find(key)  # another may have painted it meanwhile
            if found is None:
                found = encode(paint(self._motif(task, index, small=small)), "jpeg" if small else self.format)
                self._keep(key, found)
        return found

    @staticmethod
    def _motif(task: Task, index: int, *, small: bool) -> Motif:
        scale = min(1.0, _THUMB / max(task.width, task.height)) if small else 1.0
        note = f"{task.width} x {task.height}   {index + 1} of {task.images}   sandbox"
        return Motif(
            max(1, round(task.width * scale)),
            max(1, round(task.height * scale)),
            f"{task.seed}/{index}",
            task.prompt,
            note,
            task.sources,
        )

    def _find(self, key: tuple[str, int, bool]) -> File | None:
        with self._lock:
            if key in self._files:
                self._files.move_to_end(key)
            return self._files.get(key)

    def _keep(self, key: tuple[str, int, bool], file: File) -> None:
        with self._lock:
            self._files[key] = file
            while len(self._files) > 1 and sum(len(content) for content, _ in self._files.values()) > self._room:
                self._files.popitem(last=False)
