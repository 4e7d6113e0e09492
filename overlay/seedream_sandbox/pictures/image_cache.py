"""Makes pictures when they are asked for, few at a time, and keeps the latest within a bound of memory."""

import hashlib
import threading
import zlib
from collections.abc import Callable
from typing import Final

from PIL import Image

from seedream_sandbox.bounded import Bounded
from seedream_sandbox.pictures.landscape import Format, ImageSpec, encode, paint
from seedream_sandbox.task import Task

File = tuple[bytes, str]  # content and media type
_MOST: Final = 100_000  # finished files
_CACHE: Final = 64 * 1024 * 1024  # bytes of finished files
_AT_ONCE: Final = 2  # pictures painted at the same time: the largest takes some 100 MB meanwhile
_THUMB: Final = 320  # pixels, longest side


class ImageCache:
    """Pictures of tasks in one format, or as PNG where that cannot hold the size. Thread-safe."""

    def __init__(self, wanted: Format = "jpeg", cache: int = _CACHE) -> None:
        self.format: Format = wanted
        self._files: Bounded[tuple[str, int, bool], File] = Bounded(_MOST, cache)
        self._lock = threading.Lock()
        self._painting = threading.BoundedSemaphore(_AT_ONCE)

    def picture(self, task: Task, index: int) -> File:
        """Return one picture of a task, of exactly its size."""
        return self._get(task, index, small=False)

    def plain(self, task: Task, index: int) -> File:
        """Return one colour of exactly the task's size, made fast; the colour differs between tasks and indexes."""
        colour = hashlib.sha256(f"{task.id}/{index}".encode()).digest()[:3]
        size = (task.width, task.height)
        if self.format != "png":
            key = (f"{size} {colour.hex()}", 0, False)
            return self._made(key, lambda: Image.new("RGB", size, tuple(colour)), self.format)
        # A PNG with a palette of one colour: only the palette has to be exchanged for another one.
        content, media_type = self._made((f"{size}", 0, False), lambda: Image.new("P", size), "png")
        start = content.index(b"PLTE")
        length = int.from_bytes(content[start - 4 : start])
        palette = b"PLTE" + colour * (length // 3)
        checksum = zlib.crc32(palette).to_bytes(4)
        return content[:start] + palette + checksum + content[start + 4 + length + 4 :], media_type

    def thumbnail(self, task: Task, index: int) -> File:
        """Return a small copy of a task's painted picture."""
        return self._get(task, index, small=True)

    def _get(self, task: Task, index: int, *, small: bool) -> File:
        spec = self._spec(task, index, small=small)
        return self._made((task.id, index, small), lambda: paint(spec), "jpeg" if small else self.format)

    def _made(self, key: tuple[str, int, bool], make: Callable[[], Image.Image], kind: Format) -> File:
        """Return the file of that key, or make it; few are made at a time."""
        found = self._find(key)
        if found is not None:
            return found
        with self._painting:
            found = self._find(key)  # another may have made it meanwhile
            if found is None:
                found = encode(make(), kind)
                with self._lock:
                    self._files.add(key, found, len(found[0]))
        return found

    @staticmethod
    def _spec(task: Task, index: int, *, small: bool) -> ImageSpec:
        scale = min(1.0, _THUMB / max(task.width, task.height)) if small else 1.0
        note = f"{task.width} x {task.height}   {index + 1} of {task.images}   sandbox"
        return ImageSpec(
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
