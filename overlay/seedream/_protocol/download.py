"""The download workflows: a task's pictures to files or into memory, each whole or not at all. The host is not trusted.

Several pictures are downloaded at the same time. URLs are kept in ``Secret``: they are signed, and a traceback with
local variables would show them.
"""

import errno
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

from attrs import define, frozen
from tensorslab_images.limits import SUBMIT
from tensorslab_images.methods import DEFAULT_CONCURRENCY, DEFAULT_MAX_BYTES, DEFAULT_NAME_TEMPLATE

from seedream import errors
from seedream._files.names import file_stem
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
from seedream._protocol.service import ApiConfig, Decoder
from seedream._protocol.tasks import query
from seedream._support.addresses import is_private
from seedream._support.log import log_task
from seedream._support.redact import quote, redact_reply
from seedream._support.secret import Secret
from seedream._support.server_text import server_text, show_id

_FRESH_URLS: Final = 2  # times that a task is asked for new URLs
_ODD_TRIES: Final = 2  # tries of what is not a picture
_BLOCK: Final = 1024 * 1024  # bytes written at once
_HOPS: Final = 5
_SHOWN: Final = 3  # errors that a summary names
_WHOLE: Final = 200
_PARTIAL: Final = 206
_BAD_RANGE: Final = 416
_GONE: Final = (403, 404, 410)
_PASSING: Final = (408, 425, 429, _BAD_RANGE)
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
        name_template: How files are named (see file_stem).
        hashed: Whether a saved picture's hash is wanted.
    """

    timeout: float = 300.0
    attempts: int = 5
    max_bytes: int = DEFAULT_MAX_BYTES
    concurrency: int = DEFAULT_CONCURRENCY
    progress: ProgressCallback | None = None
    name_template: str = DEFAULT_NAME_TEMPLATE
    hashed: bool = False


@frozen
class SavedPicture:
    """A picture on disk: its path, its size in bytes, and the hash of its bytes (hex), empty when it is not wanted."""

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


@define(eq=False)
class _Picture:
    """One picture that is being downloaded."""

    api: ApiConfig
    taskid: str
    index: int
    total: int
    options: DownloadOptions
    started: float = 0.0

    def error(
        self, kind: type[errors.DownloadError], message: str, hint: str = "", *, retryable: bool | None = None
    ) -> errors.DownloadError:
        text = f"picture {self.index + 1} of task {show_id(self.taskid)}: {message}"
        return kind(text, hint=hint, taskid=self.taskid, retryable=retryable)

    def report(
        self, stage: Literal["downloading", "saved"], elapsed: float, received: int, size: int | None
    ) -> Workflow[None]:
        event = Progress(stage, self.taskid, elapsed, "completed", self.index, self.total, received, size)
        return notify(self.options.progress, event)


# What is done with one picture and its URL: saved to a file, or read into memory.
_One = Callable[[_Picture, Url], Workflow[ResultT]]


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
    return _download(api, info, images, options, partial(_save_one, directory))


def read(api: ApiConfig, info: TaskInfo, *, images: int | None, options: DownloadOptions) -> Workflow[list[bytes]]:
    """Download a completed task's pictures into memory. Arguments and errors are those of ``save``."""
    return _download(api, info, images, options, _read_one)


def _download(
    api: ApiConfig, info: TaskInfo, images: int | None, options: DownloadOptions, one: "_One[ResultT]"
) -> Workflow[list[ResultT]]:
    """Download all pictures, those whose URLs have expired again with new ones."""
    # There must be as many as were asked for, or as can be.
    named, most = len(info.urls), images or int(SUBMIT.field("batchsize").maximum or len(info.urls))
    if named > most:
        _log.warning(
            "task %s: the service names %d pictures; the first %d are taken", show_id(info.taskid), named, most
        )
    total = max(min(named, most), images or 1)
    results: dict[int, ResultT | errors.DownloadError] = {}
    left = list(range(total))
    for renewals in range(_FRESH_URLS, -1, -1):
        attempts = [_attempt(_Picture(api, info.taskid, index, total, options), info, one) for index in left]
        results.update(zip(left, (yield from InParallel(attempts, options.concurrency)), strict=True))
        left = [index for index, result in results.items() if isinstance(result, errors.ResultExpired)]
        if not left or not renewals:
            break
        try:
            renewed = yield from query(api, info.taskid)
        except errors.SeeDreamError:
            break
        if renewed.urls[:total] == info.urls[:total]:
            break
        info = renewed
    done = {index: result for index, result in results.items() if not isinstance(result, errors.DownloadError)}
    if len(done) < total:
        raise _summary(info.taskid, results)
    return list(done.values())


def _attempt(picture: _Picture, info: TaskInfo, one: "_One[ResultT]") -> "Workflow[ResultT | errors.DownloadError]":
    """Download one picture. Gives what was downloaded, or the error instead of raising it."""
    picture.started = yield from ReadClock()
    try:
        if picture.index >= len(info.urls) or not info.urls[picture.index]:
            message = f"the service gives {sum(map(bool, info.urls[: picture.total]))} of {picture.total} URLs"
            raise picture.error(errors.DownloadError, message, "Query the task again later.")
        return (yield from one(picture, Secret(info.urls[picture.index])))
    except errors.DownloadError as error:
        _log.info("%s", error.message)
        return error


def _summary(taskid: str, results: Mapping[int, object]) -> errors.DownloadError:
    """Return one error for all pictures of a task that are missing."""
    failed = {index: result for index, result in results.items() if isinstance(result, errors.DownloadError)}
    first = next(iter(failed.values()))
    kind = type(first) if len(set(map(type, failed.values()))) == 1 else errors.DownloadError
    reasons = [error.message.replace(f" of task {show_id(taskid)}:", ":") for error in list(failed.values())[:_SHOWN]]
    if len(failed) > _SHOWN:
        reasons.append(f"and {len(failed) - _SHOWN} more")
    error = kind(
        f"{len(failed)} of {len(results)} pictures of task {show_id(taskid)} are missing: {'; '.join(reasons)}",
        hint=first.hint or "The task is not lost: save it again with the same id.",
        taskid=taskid,
        reply=first.reply,
        retryable=any(one.retryable for one in failed.values()),
    )
    error.files = {index: result.path for index, result in results.items() if isinstance(result, SavedPicture)}
    error.errors = failed
    return error


# --- one picture -----------------------------------------------------------------------------------------------------
def _save_one(directory: Path, picture: _Picture, url: Url) -> Workflow[SavedPicture]:
    """Save one picture to its file; an error of the disk is raised as `DiskError`."""
    try:
        return (yield from _write_one(directory, picture, url))
    except (OSError, ValueError) as error:
        what = f"cannot write in {quote(str(directory))}"
        failed = _disk_error(picture, what, error, "Free space or choose another directory")
    raise failed


def _disk_error(picture: _Picture, what: str, error: OSError | ValueError, hint: str) -> errors.DownloadError:
    reason = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    lasting = isinstance(error, ValueError) or error.errno in _LASTING
    hint = f"{hint}, then save the task again."
    return picture.error(errors.DiskError, f"{what}: {reason}", hint, retryable=not lasting)


def _write_one(directory: Path, picture: _Picture, url: Url) -> Workflow[SavedPicture]:
    part = yield from RunInThread(partial(_find_or_begin, picture, directory))
    if isinstance(part, SavedPicture):
        yield from picture.report("saved", 0.0, 0, None)
        return part
    try:
        path = yield from _fetch(picture, url, part)
    except BaseException:
        yield from RunInThread(part.discard)
        raise
    elapsed = (yield from ReadClock()) - picture.started
    message = f"picture {picture.index + 1} of task %s: %d bytes in %.1f s"
    log_task(_log, message, picture.taskid, part.size, elapsed)
    yield from picture.report("saved", elapsed, part.size, part.size)
    return SavedPicture(path, part.size, part.sha256)


def _find_or_begin(picture: _Picture, directory: Path) -> SavedPicture | PartialFile:
    """Return the picture that is there already, or a new partial file."""
    options = picture.options
    stem = file_stem(options.name_template, picture.taskid, picture.index, picture.total)
    try:
        if (path := find_complete(directory, stem)) is not None:
            return SavedPicture(path, path.stat().st_size, digest_of(path) if options.hashed else "")
    except OSError as error:
        name = Path(error.filename or stem).name
        what = f"cannot read {quote(name)} in {quote(str(directory))}"
        failed = _disk_error(picture, what, error, "Make it readable or remove it")
    else:
        return PartialFile(directory, stem, options.hashed)
    raise failed


def _read_one(picture: _Picture, url: Url) -> Workflow[bytes]:
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
    received, decoder = target.size, Decoder(stream.headers)
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
        if wrong := _wrong_url(picture, url):
            raise picture.error(errors.UnsafeUrl, wrong)
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
        try:
            url = Secret(urljoin(url.reveal(), stream.headers["location"]))
        except ValueError:
            url = Secret("")
    raise picture.error(errors.UnsafeUrl, f"more than {_HOPS} redirects")


def _refused(picture: _Picture, stream: Stream) -> errors.DownloadError:
    kind, hint, retryable = errors.DownloadError, "", stream.status >= 500 or stream.status in _PASSING  # noqa: PLR2004 -- server errors
    if stream.status in _GONE:
        kind, hint, retryable = errors.ResultExpired, "Its URL has expired; query the task for a new one.", True
    error = picture.error(kind, f"the image host answers {stream.status}", hint, retryable=retryable)
    error.reply = redact_reply(stream.status, stream.headers, b"", picture.api.key)
    return error


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
