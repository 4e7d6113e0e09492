"""Prepares source images: paths, bytes, open files, Pillow images and URLs (rules SOURCE-IMAGE, IMAGE-URL).

A file on disk is not read into memory. It is read for each attempt to send it, and reading raises before it gives
the last bytes if the file is not the one that was checked (same device, inode, size and time of change), so a file
that was changed in between is never sent whole. A file that was written less than two seconds before the check could
be changed again without a visible change of its time; such a file is hashed at once, and again while it is sent.
"""

import io
import os
import re
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Union, cast
from urllib.parse import urlsplit

from attrs import evolve, frozen

from seedream._files.image_formats import EXTENSIONS, HEAD, sniff
from seedream._files.paths import open_regular
from seedream._support.patterns import lazy_pattern
from seedream._support.redact import quote
from seedream.errors import InvalidRequest, Problem

if TYPE_CHECKING:
    from PIL.Image import Image

Source = Union[str, os.PathLike[str], bytes, bytearray, memoryview, BinaryIO, "Image"]
Sources = Source | Iterable[Source]

MAX_UNSIZED: Final = 256 * 1024 * 1024  # bytes that are read of an open file, which may never end
MAX_SOURCES: Final = 1000  # far more than a request can hold; an iterable may never end
_CHUNK: Final = 1024 * 1024
_SECOND: Final = 1_000_000_000  # nanoseconds
_URL: Final = lazy_pattern(r"https?://", re.IGNORECASE)
_SCHEME: Final = lazy_pattern(r"[a-z][a-z0-9+.-]+:(?!\\)", re.IGNORECASE)
_UNSAFE: Final = lazy_pattern(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 80
_KINDS: Final = "Give a path, bytes, a file open for reading bytes, a Pillow image, or an http(s) URL."
_ANYWAY: Final = "To send it all the same, set allow_unrecognized_sources=True."


class SourceChanged(OSError):
    """A source image is not the file that was checked: it was changed, cut short or extended since."""


# What tells one content of a file on disk from another, without reading it: device, inode, size, time of change (ns).
_State = tuple[int, int, int, int]


def _state_of(fd: int) -> _State:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@frozen(eq=False, repr=False, slots=False)
class SourceFile:
    """One file to send.

    Attributes:
        name: A safe file name.
        media_type: The media type that the bytes show.
        size: Number of bytes.
    """

    name: str
    media_type: str
    size: int
    _origin: bytes | Path
    _state: _State | None = None
    _expected: str = ""  # the hash to compare while sending, where time alone proves nothing

    def check(self) -> None:
        """Open the file once, if it is on disk. Raises OSError if it cannot be read or is not what was checked."""
        if not isinstance(self._origin, bytes):
            os.close(self._opened(self._origin))

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes in large chunks. Raises OSError as ``check`` does, before the last bytes are given."""
        if isinstance(self._origin, bytes):
            yield self._origin
            return
        fd = self._opened(self._origin)
        try:
            digest = _sha256() if self._expected else None
            left = self.size
            while left:
                data = os.read(fd, min(_CHUNK, left))
                left -= len(data)
                if digest is not None:
                    digest.update(data)
                if not left or not data:
                    self._check_state(fd)
                    if not data or (digest is not None and digest.hexdigest() != self._expected):
                        raise self._changed()
                yield data
        finally:
            os.close(fd)

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes (hex), computed when it is first asked for. Raises OSError as ``chunks`` does."""
        if self._expected:
            return self._expected
        digest = _sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return str(digest.hexdigest())

    def _opened(self, path: Path) -> int:
        fd = open_regular(path)
        try:
            self._check_state(fd)
        except SourceChanged:
            os.close(fd)
            raise
        return fd

    def _check_state(self, fd: int) -> None:
        if _state_of(fd) != self._state:
            raise self._changed()

    def _changed(self) -> SourceChanged:
        return SourceChanged(f"source image {self.name} was changed after it was checked")


def _sha256() -> Any:
    import hashlib  # noqa: PLC0415 -- it loads OpenSSL

    return hashlib.sha256()


def gather(sources: Sources | None, *, strict: bool) -> tuple[tuple[SourceFile, ...], str | None]:
    """Prepare one source image or several. Gives the files, and the URL if one was given; the API takes one URL.

    Raises:
        InvalidRequest: A source cannot be read, is empty, is not a picture (if ``strict``), or there are two URLs.
    """
    files: list[SourceFile] = []
    urls: list[str] = []
    for number, source in enumerate(_each(sources), 1):
        if number > MAX_SOURCES:
            raise InvalidRequest(_problem(f"more than {MAX_SOURCES:,} source images", "Give only those to be sent."))
        if isinstance(source, str) and _URL.match(source):
            urls.append(source)
        else:
            files.append(_prepare(source, number, strict=strict))
    if len(urls) > 1:
        message, hint = f"{len(urls)} URLs; the API takes one", "Download the others and give their paths."
        raise InvalidRequest(Problem("source_images", message, "IMAGE-URL", hint))
    return tuple(files), urls[0] if urls else None


def check_url(url: str) -> None:
    """Refuse what is not an absolute http or https URL with a host (rule IMAGE-URL)."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or url != url.strip():
        hint = f"Give a URL that begins with https:// or http://, or give a file as source_images. {_ANYWAY}"
        raise InvalidRequest(Problem("image_url", f"{quote(url)} is not an http(s) URL", "IMAGE-URL", hint))


def _each(sources: Sources | None) -> Iterable[Source]:
    if sources is None:
        return ()
    single = isinstance(sources, str | os.PathLike | bytes | bytearray | memoryview)
    if single or hasattr(sources, "read") or _is_pillow(sources):
        return (cast("Source", sources),)
    if isinstance(sources, Iterable) and not hasattr(sources, "keys"):
        return cast("Iterable[Source]", sources)
    raise InvalidRequest(_problem(f"{_a_type(sources)} is not a source image", _KINDS))


def _a_type(value: object) -> str:
    return f"an object of type {type(value).__name__}"


def _is_pillow(source: object) -> bool:
    """Whether it is a Pillow image, without importing Pillow."""
    return hasattr(source, "tobytes") and hasattr(source, "getbands") and callable(getattr(source, "save", None))


def _problem(message: str, hint: str) -> Problem:
    return Problem("source_images", message, "SOURCE-IMAGE", hint)


def _prepare(source: object, number: int, *, strict: bool) -> SourceFile:
    match source:
        case bytes() | bytearray() | memoryview():
            return _in_memory(bytes(source), "", number, strict=strict)
        case str() | os.PathLike():
            return _on_disk(source, number, strict=strict)
        case _ if _is_pillow(source):
            return _in_memory(_encoded(source, number), "", number, strict=strict)
        case _ if callable(getattr(source, "read", None)):
            name = getattr(source, "name", "")
            # os.path rather than Path: the name may be any text, also an empty one.
            base = os.path.basename(name) if isinstance(name, str) else ""  # noqa: PTH119
            return _in_memory(_read(source, number), base, number, strict=strict)
        case _:
            raise InvalidRequest(_problem(f"{_a_type(source)} is not a source image", _KINDS))


def _read(source: Any, number: int) -> bytes:
    """Read an open file to its end, but not more than MAX_UNSIZED bytes of it."""
    content = bytearray()
    try:
        try:
            chunk = source.read(_CHUNK)
        except TypeError:  # a file-like object whose read() takes no size
            return _as_bytes(source.read())
        while _as_bytes(chunk):
            content += chunk
            if len(content) > MAX_UNSIZED:
                break
            chunk = source.read(_CHUNK)
    except Exception as error:  # noqa: BLE001 -- a file object of the caller's may raise anything
        reason = str(error) or type(error).__name__
        raise InvalidRequest(_problem(f"cannot read open file {number}: {reason}", "Open it with mode 'rb'.")) from None
    if len(content) > MAX_UNSIZED:
        hint = "Save it and give its path."
        raise InvalidRequest(_problem(f"open file {number} gives more than {MAX_UNSIZED:,} bytes", hint))
    return bytes(content)


def _as_bytes(chunk: object) -> bytes:
    if isinstance(chunk, bytes | bytearray | memoryview):
        return bytes(chunk)
    raise TypeError("it gives text, not bytes" if isinstance(chunk, str) else "it gives no bytes")


def _encoded(image: Any, number: int) -> bytes:
    """Return a Pillow image as PNG bytes."""
    stream = io.BytesIO()
    try:
        image.save(stream, "PNG")
    except Exception as error:  # noqa: BLE001 -- Pillow raises many kinds
        hint = "Convert it, for example with image.convert('RGB'), or give an encoded file."
        raise InvalidRequest(_problem(f"Pillow image {number} cannot be saved as PNG: {error}", hint)) from None
    return stream.getvalue()


def _in_memory(content: bytes, name: str, number: int, *, strict: bool) -> SourceFile:
    safe_name, media_type = _describe(content[:HEAD], name, number, strict=strict)
    return SourceFile(safe_name, media_type, len(content), content)


def _on_disk(source: "str | os.PathLike[str]", number: int, *, strict: bool) -> SourceFile:
    shown = quote(os.fsdecode(source))
    try:
        path = Path(source).absolute()
        fd = open_regular(path)
        try:
            state, head = _state_of(fd), os.read(fd, HEAD)
        finally:
            os.close(fd)
        name, media_type = _describe(head, path.name, number, strict=strict)
        _, _, size, changed = state
        file = SourceFile(name, media_type, size, path, state)
        return evolve(file, expected=file.sha256) if time.time_ns() - changed < _time_step(changed) else file
    except (OSError, TypeError, ValueError) as error:
        if isinstance(error, InvalidRequest):
            raise
        # Versions of Python report a null character in a path in different words.
        null = isinstance(error, ValueError) and "null" in str(error)
        reason = "the path holds a null character" if null else getattr(error, "strerror", None) or str(error)
    hint = "Check the path."
    if isinstance(source, str) and _SCHEME.match(source):
        hint = "Only http:// and https:// URLs can be sent; save the picture and give its path."
    raise InvalidRequest(_problem(f"cannot read {shown}: {reason}", hint))


def _time_step(changed: int) -> int:
    """Return how long after that time of change (ns) another change may leave the same time.

    FAT keeps times to two seconds, and others to one. A fraction of a second shows a file system that keeps at least
    hundredths, as exFAT does, or the ticks of the system's clock; it is given ten times as long.
    """
    return _SECOND // 10 if changed % _SECOND else 2 * _SECOND


def _describe(head: bytes, name: str, number: int, *, strict: bool) -> tuple[str, str]:
    """Return the file name and the media type to send."""
    if not head:
        raise InvalidRequest(_problem(f"source image {number} is empty", "Give the picture's bytes."))
    kind = sniff(head)
    if kind is None and strict:
        called = f" ({quote(name)})" if name else ""
        hint = f"Give a picture file ({', '.join(EXTENSIONS)}). {_ANYWAY}"
        raise InvalidRequest(_problem(f"no picture format is recognised in source image {number}{called}", hint))
    stem = _UNSAFE.sub("_", Path(name).stem).strip("._")[:_LONGEST_NAME] or f"image-{number}"
    extension, media_type = (kind.extension, kind.media_type) if kind else ("bin", "application/octet-stream")
    return f"{stem}.{extension}", media_type
