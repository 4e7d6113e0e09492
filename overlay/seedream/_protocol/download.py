"""The download workflows: a task's pictures to files or into memory, each whole or not at all. The host is not trusted.

Several pictures are downloaded at the same time. URLs are kept in ``Secret``: they are signed, and a traceback with
local variables would show them.
"""

import errno
import logging
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

from attrs import field, frozen
from tensorslab_images.limits import SUBMIT
from tensorslab_images.methods import DEFAULT_CONCURRENCY, DEFAULT_MAX_BYTES

from seedream import errors
from seedream._files.names import FileNames
from seedream._files.partial_file import MemoryFile, PartialFile, digest_of, find_complete
from seedream._protocol.effects import (
    Close,
    Failure,
    InParallel,
    Read,
    ReadClock,
    Request,
    RunInThread,
    SendRequest,
    Sleep,
    Stream,
    Workflow,
    notify,
)
from seedream._protocol.progress import Progress, ProgressCallback
from seedream._protocol.replies import TaskInfo
from seedream._protocol.service import ApiConfig
from seedream._protocol.tasks import query, wait
from seedream._support.addresses import is_private
from seedream._support.redact import quote, redact_reply
from seedream._support.secret import Secret
from seedream._support.server_text import server_text, show_id

MAX_PICTURE: Final = DEFAULT_MAX_BYTES  # of one picture
CONCURRENCY: Final = DEFAULT_CONCURRENCY  # downloads of one task at the same time
_FRESH_URLS: Final = 2  # times that a task is asked for new URLs
_ODD_TRIES: Final = 2  # tries of what is not a picture
_BLOCK: Final = 1024 * 1024  # bytes written at once
_HOPS: Final = 5
_SHOWN: Final = 3  # errors that a summary names
_WHOLE: Final = 200
_PARTIAL: Final = 206
_BAD_RANGE: Final = 416
_GONE: Final = (403, 404, 410)
_LASTING: Final = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.EINVAL)  # of the path itself
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_log: Final = logging.getLogger("seedream.download")

ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)
Url = Secret[str]


@frozen
class DownloadOptions:
    """How to download pictures.

    Attributes:
        timeout: Deadline for one picture (seconds).
        attempts: Tries of one picture.
        max_bytes: Limit for one picture.
        concurrency: Pictures of one task that are downloaded at the same time.
        progress: Called with each step.
        names: How files are named.
        hashed: Whether a saved picture's hash is wanted.
    """

    timeout: float = 300.0
    attempts: int = 5
    max_bytes: int = MAX_PICTURE
    concurrency: int = CONCURRENCY
    progress: ProgressCallback | None = None
    names: FileNames = field(factory=FileNames)
    hashed: bool = False


@frozen
class SavedPicture:
    """A picture on disk.

    Attributes:
        path: Where it is.
        size: Bytes.
        sha256: Hash of the bytes (hex); empty when it is not wanted.
    """

    path: Path
    size: int
    sha256: str = ""


class _Target(Protocol[ResultT_co]):
    """Where a picture's bytes go: a partial file, or memory."""

    size: int
    etag: str

    def write(self, *chunks: bytes) -> None: ...
    def restart(self) -> None: ...
    def kind(self) -> Any: ...
    def is_whole(self) -> bool: ...
    def finish(self) -> ResultT_co: ...
    @property
    def head(self) -> bytes: ...


@frozen
class _Picture:
    """One picture that is being downloaded."""

    api: ApiConfig
    taskid: str
    index: int
    total: int
    started: float
    options: DownloadOptions

    def error(
        self, kind: type[errors.DownloadError], message: str, hint: str = "", *, retryable: bool | None = None
    ) -> errors.DownloadError:
        return kind(
            f"picture {self.index + 1} of task {show_id(self.taskid)}: {message}",
            hint=hint,
            taskid=self.taskid,
            retryable=retryable,
        )

    def report(self, stage: str, elapsed: float, received: int, size: int | None) -> Workflow[None]:
        event = Progress(stage, self.taskid, elapsed, "completed", self.index, self.total, received, size)  # type: ignore[arg-type]  # one of its literals
        return notify(self.options.progress, event)


def save(
    api: ApiConfig, info: TaskInfo, directory: Path, *, images: int | None, options: DownloadOptions
) -> Workflow[list[SavedPicture]]:
    """Save a completed task's pictures; those already there and whole are kept.

    Args:
        api: The service.
        info: The task.
        directory: Where the pictures go.
        images: How many pictures were asked for, if known.
        options: See DownloadOptions.

    Raises:
        DownloadError: Some are missing: ``files`` and ``errors`` say which, by index from 0.
    """
    task = _TaskDownload(api, info.taskid, options, partial(_save_one, directory))
    done, failed = yield from task.run(info, images)
    if failed:
        raise _summary(info.taskid, {index: picture.path for index, picture in done.items()}, failed)
    return [done[index] for index in sorted(done)]


def read_pictures(
    api: ApiConfig, info: TaskInfo, *, images: int | None, options: DownloadOptions
) -> Workflow[list[bytes]]:
    """Download a completed task's pictures into memory.

    Raises:
        DownloadError: Some are missing: ``errors`` says which, by index from 0.
    """
    task = _TaskDownload(api, info.taskid, options, _read_one)
    done, failed = yield from task.run(info, images)
    if failed:
        raise _summary(info.taskid, {}, failed, total=len(failed) + len(done))
    return [done[index] for index in sorted(done)]


def wait_and_save(
    api: ApiConfig, taskid: str, directory: Path, *, images: int | None, timeout: float, options: DownloadOptions
) -> Workflow[tuple[TaskInfo, list[SavedPicture]]]:
    """Wait for a task (deadline in seconds), then save its pictures."""
    info = yield from wait(api, taskid, timeout=timeout, images=images, progress=options.progress)
    files = yield from save(api, info, directory, images=images, options=options)
    return info, files


def wait_and_read(
    api: ApiConfig, taskid: str, *, images: int | None, timeout: float, options: DownloadOptions
) -> Workflow[tuple[TaskInfo, list[bytes]]]:
    """Wait for a task (deadline in seconds), then download its pictures into memory."""
    info = yield from wait(api, taskid, timeout=timeout, images=images, progress=options.progress)
    contents = yield from read_pictures(api, info, images=images, options=options)
    return info, contents


# What is done with one picture and its URL: saved to a file, or read into memory.
_One = Callable[[_Picture, Url], Workflow[ResultT]]


@frozen
class _TaskDownload(Generic[ResultT]):
    """The pictures of one task."""

    api: ApiConfig
    taskid: str
    options: DownloadOptions
    one: "_One[ResultT]"

    def run(
        self, info: TaskInfo, images: int | None
    ) -> Workflow[tuple[dict[int, ResultT], dict[int, errors.SeeDreamError]]]:
        """Download all pictures. Gives what was downloaded and what failed, by index from 0."""
        urls, total = self._expected(info, images)
        done: dict[int, ResultT] = {}
        failed: dict[int, errors.SeeDreamError] = {}
        left = list(range(total))
        for fresh in range(_FRESH_URLS + 1):
            pictures = [self._attempt(index, total, urls) for index in left]
            for index, result in zip(left, (yield from InParallel(pictures, self.options.concurrency)), strict=True):
                if isinstance(result, errors.SeeDreamError):
                    failed[index] = result
                else:
                    done[index] = result
                    failed.pop(index, None)
            left = [index for index, error in failed.items() if isinstance(error, errors.ResultExpired)]
            if not left or fresh == _FRESH_URLS:
                break
            renewed = yield from self._renewed(total)
            if renewed is None or [url.reveal() for url in renewed] == [url.reveal() for url in urls]:
                break
            urls = renewed
        return done, dict(sorted(failed.items()))

    def _expected(self, info: TaskInfo, images: int | None) -> tuple[list[Url], int]:
        """The URLs to use, and how many pictures there must be: those that were asked for, or that can be."""
        named = len(info.urls)
        most = images or int(SUBMIT.field("batchsize").maximum or named)
        if named > most:
            _log.warning(
                "task %s: the service names %d pictures; the first %d are taken", show_id(self.taskid), named, most
            )
        return [Secret(url) for url in info.urls[:most]], max(min(named, most), images or 1)

    def _attempt(self, index: int, total: int, urls: "Sequence[Url]") -> "Workflow[ResultT | errors.SeeDreamError]":
        """Download one picture. Gives what was downloaded, or the error instead of raising it."""
        picture = _Picture(self.api, self.taskid, index, total, (yield from ReadClock()), self.options)
        try:
            if index >= len(urls) or not urls[index].reveal():
                given = sum(bool(url.reveal()) for url in urls)
                hint = "Query the task again later."
                raise picture.error(errors.DownloadError, f"the service gives {given} of {total} URLs", hint)
            return (yield from self.one(picture, urls[index]))
        except errors.DownloadError as error:
            _log.info("%s", error.message)
            return error

    def _renewed(self, total: int) -> "Workflow[list[Url] | None]":
        try:
            info = yield from query(self.api, self.taskid)
        except errors.SeeDreamError:
            return None
        return [Secret(url) for url in info.urls[:total]]


def _summary(
    taskid: str,
    files: Mapping[int, Path],
    failed: Mapping[int, errors.SeeDreamError],
    *,
    total: int | None = None,
) -> errors.DownloadError:
    first = next(iter(failed.values()))
    kind = (
        type(first)
        if len({type(error) for error in failed.values()}) == 1 and isinstance(first, errors.DownloadError)
        else errors.DownloadError
    )
    reasons = [error.message.replace(f" of task {show_id(taskid)}:", ":") for error in list(failed.values())[:_SHOWN]]
    if len(failed) > _SHOWN:
        reasons.append(f"and {len(failed) - _SHOWN} more")
    of = total or len(failed) + len(files)
    error = kind(
        f"{len(failed)} of {of} pictures of task {show_id(taskid)} are missing: {'; '.join(reasons)}",
        hint=first.hint or "The task is not lost: save it again with the same id.",
        taskid=taskid,
        reply=first.reply,
        retryable=any(one.retryable for one in failed.values()),
    )
    error.files, error.errors = dict(files), dict(failed)
    return error


# --- one picture -----------------------------------------------------------------------------------------------------
def _save_one(directory: Path, picture: _Picture, url: Url) -> Workflow[SavedPicture]:
    """Save one picture to its file; an error of the disk is raised as `DiskError`."""
    try:
        return (yield from _write_one(directory, picture, url))
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        lasting = isinstance(error, ValueError) or error.errno in _LASTING
    raise picture.error(
        errors.DiskError,
        f"cannot write in {quote(str(directory))}: {reason}",
        "Free space or choose another directory, then save the task again.",
        retryable=not lasting,
    )


def _write_one(directory: Path, picture: _Picture, url: Url) -> Workflow[SavedPicture]:
    stem = picture.options.names.stem(picture.taskid, picture.index, picture.total)
    part = yield from RunInThread(partial(_find_or_begin, directory, stem, hashed=picture.options.hashed))
    if isinstance(part, SavedPicture):
        yield from picture.report("saved", 0.0, 0, None)
        return part
    try:
        path = yield from _fetch(picture, url, part)
    except BaseException:
        yield from RunInThread(part.discard)
        raise
    elapsed = (yield from ReadClock()) - picture.started
    _log.info(
        "picture %d of task %s: %d bytes in %.1f s", picture.index + 1, show_id(picture.taskid), part.size, elapsed
    )
    yield from picture.report("saved", elapsed, part.size, part.size)
    return SavedPicture(path, part.size, part.sha256)


def _find_or_begin(directory: Path, stem: str, *, hashed: bool) -> SavedPicture | PartialFile:
    """Return the picture that is there already, or a new partial file."""
    path = find_complete(directory, stem)
    if path is None:
        return PartialFile(directory, stem, hashed)
    return SavedPicture(path, path.stat().st_size, digest_of(path) if hashed else "")


def _read_one(picture: _Picture, url: Url) -> Workflow[bytes]:
    """One picture into memory."""
    content = yield from _fetch(picture, url, MemoryFile())
    elapsed = (yield from ReadClock()) - picture.started
    yield from picture.report("saved", elapsed, len(content), len(content))
    return content


def _fetch(picture: _Picture, url: Url, target: _Target[ResultT]) -> Workflow[ResultT]:
    """Download a picture whole, again until the deadline where that can help. Gives what the target's end gives."""
    attempt = 0
    while True:
        attempt += 1
        try:
            return (yield from _transfer(picture, url, target))
        except errors.DownloadError as error:
            pause = picture.api.retry.delay(attempt, picture.api.random)
            late = (yield from ReadClock()) - picture.started + pause > picture.options.timeout
            # What is not a picture may be an error page that goes away: one more look, no more.
            tries = _ODD_TRIES if isinstance(error, errors.NotAPicture) else picture.options.attempts
            if not error.retryable or late or attempt >= tries or isinstance(error, errors.ResultExpired):
                raise
            _log.info("%s; again in %.1f s", error.message, pause)
        yield from Sleep(pause)


def _transfer(picture: _Picture, url: Url, target: _Target[ResultT]) -> Workflow[ResultT]:
    """Send one request for the picture, from where an earlier one broke off if the host allows.

    Raises:
        DownloadError: The target is not the whole picture; ``retryable`` says whether another try can help.
    """
    stream = yield from _open(picture, url, target)
    try:
        size = yield from _begin(picture, stream, target)
        target.etag = _strong_tag(stream)
        rest, broken = yield from _receive(picture, stream, target, size)
    finally:
        yield from Close(stream)
    whole = yield from RunInThread(partial(_finish, target, rest))
    del rest  # see below: it may quote a URL
    if whole is not None:  # a host may state a wrong length; a picture whose structure is whole lacks nothing
        return whole
    if broken:
        raise picture.error(errors.Truncated, broken)
    target.etag = ""  # more of the same does not mend it
    raise _incomplete(picture, stream, target)


def _finish(target: _Target[ResultT], rest: "Sequence[bytes]") -> ResultT | None:
    """Write the rest, and finish a whole picture: all in one call, because each costs a thread."""
    target.write(*rest)
    return target.finish() if target.is_whole() else None


# Texts of the host are in no variable of a frame that may raise: a traceback with local variables would show them.
def _rest_of(target: _Target[Any]) -> Mapping[str, str]:
    return {"range": f"bytes={target.size}-", "if-range": target.etag} if target.etag and target.size else {}


def _strong_tag(stream: Stream) -> str:
    """Only a strong validator proves that the rest belongs to what is there already."""
    ranges = stream.status == _PARTIAL or stream.headers.get("accept-ranges") == "bytes"
    tag = stream.headers.get("etag", "")
    return tag if ranges and tag.startswith('"') else ""


def _stated_length(stream: Stream) -> int | None:
    length = stream.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < len(str(2**53)) else None


def _begin(picture: _Picture, stream: Stream, target: _Target[Any]) -> Workflow[int | None]:
    """Check the reply's head; gives the number of bytes of the whole transfer if the host states it."""
    if stream.status not in (_WHOLE, _PARTIAL):
        if stream.status == _BAD_RANGE:
            target.etag = ""
        raise _refused(picture, stream)
    stated = _stated_length(stream)
    if stream.status == _WHOLE:
        if target.size:
            yield from RunInThread(target.restart)
    elif not _continues(stream, target):
        target.etag = ""
        raise picture.error(errors.Truncated, "the host sent another part than asked")
    elif stated is not None:
        stated += target.size
    if stated is not None and stated > picture.options.max_bytes:
        raise _too_large(picture, stated)
    return stated


def _continues(stream: Stream, target: _Target[Any]) -> bool:
    """Whether a partial reply is the whole rest of the same picture."""
    place = re.fullmatch(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)", stream.headers.get("content-range", ""))
    same = stream.headers.get("etag", target.etag) == target.etag
    return place is not None and same and int(place[1]) == target.size and place[3] in ("*", str(int(place[2]) + 1))


def _receive(
    picture: _Picture, stream: Stream, target: _Target[Any], size: int | None
) -> Workflow[tuple[list[bytes], str]]:
    """Write the reply's body to the target, in blocks. Gives what is left to write, and how the body broke off."""
    received, decoder = target.size, _Decoder(stream)
    waiting: list[bytes] = []  # chunks as they came: joining them would copy each twice
    held = 0
    if decoder.active:
        target.etag = ""  # a range of compressed bytes does not continue what was decompressed
    while True:
        chunk = yield from Read(stream)
        if isinstance(chunk, Failure) or not chunk:
            break
        received += len(chunk)
        waiting.append(decoder.decode(chunk, picture.options.max_bytes + 1 - target.size - held))
        held += len(waiting[-1])
        if target.size + held > picture.options.max_bytes:
            raise _too_large(picture, target.size + held)
        if held >= _BLOCK:
            yield from RunInThread(partial(target.write, *waiting))
            waiting, held = [], 0
        elapsed = (yield from ReadClock()) - picture.started
        if elapsed > picture.options.timeout:
            raise picture.error(errors.Truncated, f"not whole after {picture.options.timeout:.0f} s")
        yield from picture.report("downloading", elapsed, received, size)
    if isinstance(chunk, Failure):
        return waiting, f"broke off after {received:,} bytes ({chunk.kind})"
    return waiting, "" if size in (None, received) else f"{received:,} bytes came of {size:,}"


class _Decoder:
    """Decompresses a body that the host compressed although it was asked not to. A label may also be wrong."""

    def __init__(self, stream: Stream) -> None:
        coding = stream.headers.get("content-encoding", "").strip().lower()
        self._zlib = zlib.decompressobj(wbits=47) if coding in ("gzip", "x-gzip", "deflate") else None
        self._begun = False

    @property
    def active(self) -> bool:
        return self._zlib is not None

    def decode(self, chunk: bytes, limit: int) -> bytes:
        """Return the next bytes of the picture, at most ``limit`` of them when the chunk is compressed."""
        if self._zlib is None:
            return chunk
        try:
            decoded = self._zlib.decompress(chunk, max(limit, 1))
        except zlib.error:
            if self._begun:
                return b""  # damaged: the structure of the picture will say so
            self._zlib = None
            return chunk
        self._begun = True
        return decoded


def _too_large(picture: _Picture, size: int) -> errors.DownloadError:
    return picture.error(
        errors.TooLarge,
        f"at least {size:,} bytes, more than {picture.options.max_bytes:,}",
        "Raise max_bytes if that is expected.",
    )


def _incomplete(picture: _Picture, stream: Stream, target: _Target[Any]) -> errors.DownloadError:
    """Return what is wrong with bytes that are not a whole picture."""
    if target.kind() is not None:
        return picture.error(errors.Truncated, f"the picture's end is missing after {target.size:,} bytes")
    media = server_text(stream.headers.get("content-type", "unknown type"), picture.api.key)[:80]
    coding = server_text(stream.headers.get("content-encoding", ""), picture.api.key)[:20]
    compressed = f" (content-encoding {coding})" if coding else ""
    message = f"{target.size:,} bytes of {media}{compressed} came, which are not a picture"
    error = picture.error(errors.NotAPicture, message)
    error.reply = redact_reply(stream.status, stream.headers, target.head, picture.api.key)
    return error


def _open(picture: _Picture, url: Url, target: _Target[Any]) -> Workflow[Stream]:
    """Open the URL, following redirects by our own rules; gives the stream of any other status."""
    for _hop in range(_HOPS + 1):
        _check_url(picture, url)
        left = picture.options.timeout - ((yield from ReadClock()) - picture.started)
        stream = yield from SendRequest(
            Request("GET", url.reveal(), headers=_rest_of(target)),
            "download",
            total_timeout=max(left, 1.0),
            public_only=not picture.api.local,
        )
        if isinstance(stream, Failure):
            text = f"{stream.kind}: {server_text(stream.text, picture.api.key)}"
            raise picture.error(errors.DownloadError, text, retryable=not stream.tls)
        if stream.status not in _REDIRECTS or "location" not in stream.headers:
            return stream
        yield from Close(stream)
        url = _joined(url, stream)
    raise picture.error(errors.UnsafeUrl, f"more than {_HOPS} redirects")


def _joined(url: Url, stream: Stream) -> Url:
    try:
        return Secret(urljoin(url.reveal(), stream.headers["location"]))
    except ValueError:
        return Secret("")


def _refused(picture: _Picture, stream: Stream) -> errors.DownloadError:
    if stream.status in _GONE:
        error = picture.error(
            errors.ResultExpired,
            f"the image host answers {stream.status}",
            "Its URL has expired; query the task for a new one.",
        )
    else:
        passing = stream.status >= 500 or stream.status in (408, 425, 429, _BAD_RANGE)  # noqa: PLR2004 -- server errors
        error = picture.error(errors.DownloadError, f"the image host answers {stream.status}", retryable=passing)
    error.reply = redact_reply(stream.status, stream.headers, b"", picture.api.key)
    return error


def _check_url(picture: _Picture, url: Url) -> None:
    """Refuse a URL that must not be fetched: not https (http only for a local service), a private host."""
    if wrong := _wrong_url(picture, url):
        raise picture.error(errors.UnsafeUrl, wrong)


def _wrong_url(picture: _Picture, url: Url) -> str:
    """Say what is wrong with a URL; empty when it may be fetched."""
    scheme, host, plain = _parts(url)
    schemes = ("https", "http") if picture.api.local else ("https",)
    shown, shown_host = (quote(server_text(text, picture.api.key)) for text in (scheme, host))
    if scheme not in schemes or not host or not plain:
        return f"its URL is not a plain {' or '.join(schemes)} URL (scheme {shown}, host {shown_host})"
    if not picture.api.local and is_private(host):
        return f"its URL points to {shown_host}, which is not on the public network"
    return ""


def _parts(url: Url) -> tuple[str, str, bool]:
    """The URL's scheme and host, and whether it has neither user nor password."""
    try:
        parts = urlsplit(url.reveal())
        _ = parts.port
    except ValueError:
        return "", "", False
    return parts.scheme, parts.hostname or "", not (parts.username or parts.password)
