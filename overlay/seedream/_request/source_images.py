"""Source images: a path, bytes, an open file or a URL, made ready to send (rules SOURCE-IMAGE, IMAGE-URL)."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from attrs import field, frozen

from seedream._files.image_formats import HEAD, sniff
from seedream._support.redact import quote
from seedream.errors import InvalidRequest, Problem

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
Sources = Source | Iterable[Source]

_URL: Final = re.compile(r"https?://", re.IGNORECASE)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 80


@frozen
class SourceFile:
    """One file to send: its bytes, a safe file name, and the media type that the bytes tell."""

    content: bytes = field(repr=lambda content: f"{len(content)} bytes")
    name: str
    media_type: str


@frozen
class Gathered:
    """Source images read into memory, so that a retry sends the same bytes again, and the URL if one was given."""

    files: tuple[SourceFile, ...] = ()
    url: str | None = None


def gather(sources: Sources | None) -> Gathered:
    """Read the source images.

    Args:
        sources: One source or several: a path, the bytes themselves, a file open for reading bytes, or a
            string beginning with http:// or https://, of which the API takes one.

    Raises:
        InvalidRequest: A source cannot be read, is empty, is of another type, or there are two URLs.
    """
    files: list[SourceFile] = []
    urls: list[str] = []
    for number, source in enumerate(_each(sources), 1):
        if isinstance(source, str) and _URL.match(source):
            urls.append(source)
        else:
            content, name = _read(source, number)
            files.append(_file(content, name, number))
    if len(urls) > 1:
        raise InvalidRequest(
            Problem(
                "source_images",
                f"{len(urls)} URLs; the API takes one",
                "IMAGE-URL",
                "Download the others and give their paths.",
            )
        )
    return Gathered(tuple(files), urls[0] if urls else None)


def _each(sources: Sources | None) -> Iterable[Source]:
    if sources is None:
        return ()
    if isinstance(sources, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(sources, "read"):
        return (sources,)  # type: ignore[return-value]  # narrowed by what it can do, not by its class
    if isinstance(sources, Iterable):
        return sources
    raise InvalidRequest(_problem(f"a {type(sources).__name__} is not a source image", _KINDS))


_KINDS: Final = "Give a path, bytes, a file open for reading bytes, or an http(s) URL."


def _problem(message: str, hint: str) -> Problem:
    return Problem("source_images", message, "SOURCE-IMAGE", hint)


def _read(source: object, number: int) -> tuple[bytes, str]:
    match source:
        case bytes() | bytearray() | memoryview():
            return bytes(source), ""
        case str() | os.PathLike():
            try:
                path = Path(source)
                return path.read_bytes(), path.name
            except (OSError, TypeError, ValueError) as error:
                reason = getattr(error, "strerror", None) or str(error)
            raise InvalidRequest(_problem(f"cannot read {quote(os.fsdecode(source))}: {reason}", "Check the path."))
        case _ if callable(read := getattr(source, "read", None)):
            try:
                content = read()
            except Exception as error:  # noqa: BLE001 -- whatever somebody's file object raises
                reason = str(error) or type(error).__name__
            else:
                if isinstance(content, bytes | bytearray | memoryview):
                    name = getattr(source, "name", "")
                    return bytes(content), os.path.basename(name) if isinstance(name, str) else ""  # noqa: PTH119 -- any text, also none
                reason = "it gives text, not bytes"
            raise InvalidRequest(_problem(f"cannot read open file {number}: {reason}", "Open it with mode 'rb'."))
        case _:
            raise InvalidRequest(_problem(f"a {type(source).__name__} is not a source image", _KINDS))


def _file(content: bytes, name: str, number: int) -> SourceFile:
    if not content:
        raise InvalidRequest(_problem(f"source image {number} is empty", "Give the picture's bytes."))
    kind = sniff(content[:HEAD])
    stem = _UNSAFE.sub("_", Path(name).stem).strip("._")[:_LONGEST_NAME] or f"image-{number}"
    return SourceFile(
        content,
        f"{stem}.{kind.extension if kind else 'bin'}",
        kind.media_type if kind else "application/octet-stream",
    )
