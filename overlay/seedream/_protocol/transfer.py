"""One picture's way from its URL into a file: redirects, limits and checks. The host is not trusted."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final
from urllib.parse import urljoin, urlsplit

from attrs import frozen

from seedream import errors
from seedream._files.partial_file import PartialFile
from seedream._protocol.effects import (
    Failure,
    Request,
    Stream,
    Workflow,
    close,
    read,
    read_clock,
    run_in_thread,
    send_request,
)
from seedream._protocol.progress import Progress, ProgressCallback
from seedream._protocol.service import ApiConfig
from seedream._support.addresses import is_private
from seedream._support.redact import quote, redact_reply, sanitize

MAX_PICTURE: Final = 64 * 1024 * 1024  # bytes
_HOPS: Final = 5
_WHOLE: Final = 200
_PARTIAL: Final = 206
_BAD_RANGE: Final = 416
_GONE: Final = (403, 404, 410)
_REDIRECTS: Final = (301, 302, 303, 307, 308)


@frozen
class DownloadOptions:
    """How to download one picture: its deadline (seconds), tries and limit (bytes)."""

    timeout: float = 300.0
    attempts: int = 5
    max_bytes: int = MAX_PICTURE
    progress: ProgressCallback | None = None


@frozen
class PictureDownload:
    """One picture of a task, on its way."""

    service: ApiConfig
    taskid: str
    index: int
    total: int
    started: float
    options: DownloadOptions

    def error(
        self, kind: type[errors.DownloadError], message: str, hint: str = "", *, retryable: bool | None = None
    ) -> errors.DownloadError:
        return kind(
            f"picture {self.index + 1} of task {self.taskid}: {message}",
            hint=hint,
            taskid=self.taskid,
            retryable=retryable,
        )

    def report(self, stage: str, elapsed: float, received: int, size: int | None) -> None:
        if self.options.progress is not None:
            self.options.progress(
                Progress(stage, self.taskid, elapsed, "completed", self.index, self.total, received, size)  # type: ignore[arg-type]  # one of its literals
            )


def transfer(picture: PictureDownload, url: str, part: PartialFile) -> Workflow[None]:
    """One request for the picture into the part, from where an earlier one broke off if the host allows.

    Raises:
        DownloadError: The part is not the whole picture; ``retryable`` tells whether another try can help.
    """
    headers = {"range": f"bytes={part.size}-", "if-range": part.etag} if part.etag and part.size else {}
    stream = yield from _open(picture, url, headers)
    try:
        size = yield from _begin(picture, stream, part)
        # Only a strong validator proves that the rest belongs to what is there already.
        ranges = stream.status == _PARTIAL or stream.headers.get("accept-ranges") == "bytes"
        tag = stream.headers.get("etag", "")
        part.etag = tag if ranges and tag.startswith('"') else ""
        while chunk := (yield from read(stream)):
            if isinstance(chunk, Failure):
                raise picture.error(errors.Truncated, f"broke off after {part.size:,} bytes ({chunk.kind})")
            if part.size + len(chunk) > picture.options.max_bytes:
                raise _too_large(picture, part.size + len(chunk))
            yield from run_in_thread(partial(part.write, chunk))
            elapsed = (yield from read_clock()) - picture.started
            if elapsed > picture.options.timeout:
                raise picture.error(errors.Truncated, f"not whole after {picture.options.timeout:.0f} s")
            picture.report("downloading", elapsed, part.size, size)
    finally:
        yield from close(stream)
    part.etag = ""  # whatever is wrong from here on, more of the same does not mend it
    _check_whole(picture, stream, part, size)


def _begin(picture: PictureDownload, stream: Stream, part: PartialFile) -> Workflow[int | None]:
    """Check the reply's head; gives the picture's size in bytes if told."""
    if stream.status not in (_WHOLE, _PARTIAL):
        if stream.status == _BAD_RANGE:
            part.etag = ""
        raise _refused(picture, stream)
    length = stream.headers.get("content-length", "")
    told = int(length) if length.isascii() and length.isdigit() and len(length) < len(str(2**53)) else None
    if stream.status == _WHOLE:
        yield from run_in_thread(part.restart)
    elif not _continues(stream, part):
        part.etag = ""
        raise picture.error(errors.Truncated, "the host sent another part than asked")
    elif told is not None:
        told += part.size
    if stream.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise picture.error(
            errors.DownloadError, "the host compressed it although it was asked not to", retryable=False
        )
    if told is not None and told > picture.options.max_bytes:
        raise _too_large(picture, told)
    return told


def _continues(stream: Stream, part: PartialFile) -> bool:
    """Whether a partial reply is the whole rest of the same picture."""
    place = re.fullmatch(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)", stream.headers.get("content-range", ""))
    same = stream.headers.get("etag", part.etag) == part.etag
    return place is not None and same and int(place[1]) == part.size and place[3] in ("*", str(int(place[2]) + 1))


def _too_large(picture: PictureDownload, size: int) -> errors.DownloadError:
    return picture.error(
        errors.TooLarge,
        f"at least {size:,} bytes, more than {picture.options.max_bytes:,}",
        "Raise max_bytes if that is expected.",
    )


def _check_whole(picture: PictureDownload, stream: Stream, part: PartialFile, size: int | None) -> None:
    if part.kind() is None:
        media = sanitize(stream.headers.get("content-type", "unknown type"))[:80]
        error = picture.error(errors.NotAPicture, f"{part.size:,} bytes of {media} came, which is no picture")
        error.reply = redact_reply(stream.status, stream.headers, part.head, picture.service.key)
        raise error
    if size is not None and size != part.size:
        raise picture.error(errors.Truncated, f"{part.size:,} bytes came of {size:,}")
    if not part.is_whole(size_known=size is not None):
        raise picture.error(errors.Truncated, f"the picture's end is missing after {part.size:,} bytes")


def _open(picture: PictureDownload, url: str, headers: Mapping[str, str]) -> Workflow[Stream]:
    """Open the URL, following redirects by our own rules; gives the stream of any other status."""
    for _hop in range(_HOPS + 1):
        _check_url(picture, url)
        left = picture.options.timeout - ((yield from read_clock()) - picture.started)
        stream = yield from send_request(
            Request("GET", url, headers=headers),
            "download",
            total_timeout=max(left, 1.0),
            public_only=not picture.service.local,
        )
        if isinstance(stream, Failure):
            raise picture.error(
                errors.DownloadError, f"{stream.kind}: {sanitize(stream.text)}", retryable=not stream.tls
            )
        if stream.status not in _REDIRECTS or "location" not in stream.headers:
            return stream
        yield from close(stream)
        try:
            url = urljoin(url, stream.headers["location"])
        except ValueError:
            url = ""
    raise picture.error(errors.UnsafeUrl, f"more than {_HOPS} redirects")


def _refused(picture: PictureDownload, stream: Stream) -> errors.DownloadError:
    if stream.status in _GONE:
        error = picture.error(
            errors.ResultExpired,
            f"the image host answers {stream.status}",
            "Its URL has expired; query the task for a new one.",
        )
    else:
        passing = stream.status >= 500 or stream.status in (408, 425, 429, _BAD_RANGE)  # noqa: PLR2004 -- server errors
        error = picture.error(errors.DownloadError, f"the image host answers {stream.status}", retryable=passing)
    error.reply = redact_reply(stream.status, stream.headers, b"", picture.service.key)
    return error


def _check_url(picture: PictureDownload, url: str) -> None:
    """Refuse a URL that must not be fetched: not https (http for a local service alone), a private host."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    schemes = ("https", "http") if picture.service.local else ("https",)
    if parts.scheme not in schemes or not host or parts.username or parts.password:
        allowed, found = " or ".join(schemes), f"scheme {quote(parts.scheme)}, host {quote(host)}"
        raise picture.error(errors.UnsafeUrl, f"its URL is not a plain {allowed} URL ({found})")
    if not picture.service.local and is_private(host):
        raise picture.error(errors.UnsafeUrl, f"its URL points to {quote(host)}, which is not on the public network")
