"""The download workflow: pictures to files, whole or not at all, from a host that is not trusted and never sees the key."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

from attrs import frozen

from seedream import errors
from seedream._flow import Failure, Flow, Request, Stream, blocking, close, now, open_stream, read, sleep
from seedream._part import Part, existing, stem_of
from seedream._text import plain, quote, scrub_reply
from seedream._workflows import Progress, ProgressCallback, Service, query

MAX_PICTURE: Final = 64 * 1024 * 1024  # bytes
_HOPS: Final = 5
_FRESH_URLS: Final = 2
_ODD_TRIES: Final = 2
_GONE: Final = (403, 404, 410)
_REDIRECTS: Final = (301, 302, 303, 307, 308)


@frozen
class Options:
    """How to download: deadline for a task's pictures (seconds), tries and limit (bytes) for one picture."""

    timeout: float = 300.0
    attempts: int = 5
    max_bytes: int = MAX_PICTURE
    progress: ProgressCallback | None = None


@frozen
class _Picture:
    """One picture of a task, on its way."""

    service: Service
    taskid: str
    index: int
    total: int
    started: float
    options: Options

    def error(
        self, kind: type[errors.DownloadError], message: str, hint: str = "", *, again: bool | None = None
    ) -> errors.DownloadError:
        return kind(
            f"picture {self.index + 1} of task {self.taskid}: {message}",
            hint=hint,
            taskid=self.taskid,
            retryable=again,
        )

    def tell(self, stage: str, elapsed: float, received: int, size: int | None) -> None:
        if self.options.progress is not None:
            self.options.progress(
                Progress(stage, self.taskid, elapsed, "completed", self.index, self.total, received, size)  # type: ignore[arg-type]  # one of its literals
            )


def save(
    service: Service,
    taskid: str,
    urls: tuple[str, ...],
    directory: Path,
    *,
    images: int | None,
    options: Options,
) -> Flow[list[Path]]:
    """Save a completed task's pictures; those already there and whole are kept.

    Raises:
        DownloadError: Some are missing: ``files`` and ``errors`` tell which, by index from 0.
    """
    started = yield from now()
    total = max(len(urls), images or 1)
    files: dict[int, Path] = {}
    failed: dict[int, errors.SeeDreamError] = {}
    fresh = _FRESH_URLS
    for index in range(total):
        picture = _Picture(service, taskid, index, total, started, options)
        kept = yield from blocking(lambda stem=stem_of(taskid, index): existing(directory, stem))  # type: ignore[misc]  # bound at once
        if kept is not None:
            files[index] = kept
            picture.tell("saved", 0.0, 0, None)
            continue
        while True:
            try:
                if index >= len(urls):
                    raise picture.error(
                        errors.DownloadError,
                        f"the service gives {len(urls)} of {total} URLs",
                        "Query the task again later.",
                    )
                files[index] = yield from _one(picture, urls[index], directory)
            except errors.ResultExpired as error:
                if fresh:
                    fresh -= 1
                    renewed = yield from _renewed(service, taskid)
                    if renewed is not None and renewed != urls:
                        urls = renewed
                        continue
                failed[index] = error
            except errors.DownloadError as error:
                failed[index] = error
            break
    if failed:
        raise _summary(taskid, total, files, failed)
    return [files[index] for index in sorted(files)]


def _renewed(service: Service, taskid: str) -> Flow[tuple[str, ...] | None]:
    try:
        return (yield from query(service, taskid)).urls
    except errors.SeeDreamError:
        return None


def _summary(
    taskid: str, total: int, files: Mapping[int, Path], failed: Mapping[int, errors.SeeDreamError]
) -> errors.DownloadError:
    first = next(iter(failed.values()))
    kind = (
        type(first)
        if len({type(error) for error in failed.values()}) == 1 and isinstance(first, errors.DownloadError)
        else errors.DownloadError
    )
    told = "; ".join(str(error.message) for error in failed.values())
    error = kind(
        f"{len(failed)} of {total} pictures of task {taskid} are missing: {told}",
        hint=first.hint or "The task is not lost: save it again with the same id.",
        taskid=taskid,
        reply=first.reply,
        retryable=any(one.retryable for one in failed.values()),
    )
    error.files, error.errors = dict(files), dict(failed)
    return error


def _one(picture: _Picture, url: str, directory: Path) -> Flow[Path]:
    """One picture, tried again until the deadline where that can help."""
    part: Part | None = None
    try:
        part = yield from blocking(lambda: Part(directory, stem_of(picture.taskid, picture.index)))
        attempt = 0
        resume: dict[str, str] = {}
        while True:
            attempt += 1
            try:
                yield from _transfer(picture, url, part, resume)
                path = yield from blocking(part.finish)
                picture.tell("saved", (yield from now()) - picture.started, part.size, part.size)
                return path
            except errors.DownloadError as error:
                pause = picture.service.retry.delay(attempt, picture.service.chance)
                late = (yield from now()) - picture.started + pause > picture.options.timeout
                # What is no picture may be an error page that goes away: one more look, no more.
                tries = _ODD_TRIES if isinstance(error, errors.NotAPicture) else picture.options.attempts
                if not error.retryable or late or attempt >= tries or isinstance(error, errors.ResultExpired):
                    raise
            yield from sleep(pause)
    except OSError as error:
        raise picture.error(
            errors.DownloadError,
            f"cannot write in {quote(str(directory))}: {error.strerror or error}",
            "Free space or choose another directory, then save the task again.",
        ) from None
    finally:
        if part is not None:
            yield from blocking(part.discard)


def _transfer(picture: _Picture, url: str, part: Part, resume: dict[str, str]) -> Flow[None]:
    """One request for the picture into the part, from where an earlier one broke off if the host allows."""
    if not resume and part.size:
        yield from blocking(part.restart)
    headers = {"range": f"bytes={part.size}-", "if-range": resume["validator"]} if resume else {}
    stream = yield from _open(picture, url, headers)
    try:
        size = yield from _begin(picture, stream, part)
        resume.clear()
        validator = stream.headers.get("etag", "")
        if stream.headers.get("accept-ranges") == "bytes" or stream.status == 206:  # noqa: PLR2004 -- partial content
            if validator.startswith('"'):
                resume["validator"] = validator
        while chunk := (yield from read(stream)):
            if isinstance(chunk, Failure):
                raise picture.error(
                    errors.Truncated, f"broke off after {part.size:,} bytes ({chunk.kind})", again=True
                )
            if part.size + len(chunk) > picture.options.max_bytes:
                raise _too_large(picture, part.size + len(chunk))
            yield from blocking(lambda chunk=chunk: part.write(chunk))  # type: ignore[misc]  # bound at once
            elapsed = (yield from now()) - picture.started
            if elapsed > picture.options.timeout:
                raise picture.error(errors.Truncated, f"not whole after {picture.options.timeout:.0f} s")
            picture.tell("downloading", elapsed, part.size, size)
    finally:
        yield from close(stream)
    resume.clear()
    _check_whole(picture, stream, part, size)


def _begin(picture: _Picture, stream: Stream, part: Part) -> Flow[int | None]:
    """Check the reply's head; gives the picture's size in bytes if told."""
    length = stream.headers.get("content-length", "")
    told = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None  # noqa: PLR2004 -- beyond any picture
    if stream.status == 206:  # noqa: PLR2004 -- partial content
        if not stream.headers.get("content-range", "").startswith(f"bytes {part.size}-"):
            raise picture.error(errors.Truncated, "the host sent another part than asked", again=True)
        told = None if told is None else told + part.size
    else:
        yield from blocking(part.restart)
    if stream.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise picture.error(
            errors.DownloadError, "the host compressed it although it was asked not to", again=False
        )
    if told is not None and told > picture.options.max_bytes:
        raise _too_large(picture, told)
    return told


def _too_large(picture: _Picture, size: int) -> errors.DownloadError:
    return picture.error(
        errors.TooLarge,
        f"at least {size:,} bytes, more than {picture.options.max_bytes:,}",
        "Raise max_bytes if that is expected.",
    )


def _check_whole(picture: _Picture, stream: Stream, part: Part, size: int | None) -> None:
    if part.kind() is None:
        media = plain(stream.headers.get("content-type", "unknown type"))[:80]
        error = picture.error(errors.NotAPicture, f"{part.size:,} bytes of {media} came, which is no picture")
        error.reply = scrub_reply(stream.status, stream.headers, part.head, picture.service.key)
        raise error
    if size is not None and size != part.size:
        raise picture.error(errors.Truncated, f"{part.size:,} bytes came of {size:,}", again=True)
    if not part.is_whole():
        raise picture.error(
            errors.Truncated, f"the picture's end is missing after {part.size:,} bytes", again=True
        )


def _open(picture: _Picture, url: str, headers: Mapping[str, str]) -> Flow[Stream]:
    """Open the URL, following redirects by our own rules; gives the stream of a 200 or 206."""
    for _hop in range(_HOPS + 1):
        check_url(picture, url)
        left = picture.options.timeout - ((yield from now()) - picture.started)
        stream = yield from open_stream(
            Request("GET", url, headers=headers),
            "download",
            within=max(left, 1.0),
            public_only=not picture.service.local,
        )
        if isinstance(stream, Failure):
            raise picture.error(
                errors.DownloadError, f"{stream.kind}: {plain(stream.text)}", again=not stream.tls
            )
        status = stream.status
        if status in (200, 206):
            return stream
        yield from close(stream)
        if status in _REDIRECTS and "location" in stream.headers:
            try:
                url = urljoin(url, stream.headers["location"])
            except ValueError:
                url = ""
            continue
        raise _refused(picture, stream)
    raise picture.error(errors.UnsafeUrl, f"more than {_HOPS} redirects")


def _refused(picture: _Picture, stream: Stream) -> errors.DownloadError:
    if stream.status in _GONE:
        error = picture.error(
            errors.ResultExpired,
            f"the image host answers {stream.status}",
            "Its URL has expired; query the task for a new one.",
        )
    else:
        passing = stream.status >= 500 or stream.status in (408, 416, 425, 429)  # noqa: PLR2004 -- server errors
        error = picture.error(errors.DownloadError, f"the image host answers {stream.status}", again=passing)
    error.reply = scrub_reply(stream.status, stream.headers, b"", picture.service.key)
    return error


def check_url(picture: _Picture, url: str) -> None:
    """Refuse a URL that must not be fetched: another scheme than https (http too, for a local service), a private host."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    schemes = ("https", "http") if picture.service.local else ("https",)
    if parts.scheme not in schemes or not host or parts.username or parts.password:
        raise picture.error(
            errors.UnsafeUrl,
            f"its URL is not a plain {' or '.join(schemes)} URL (scheme {quote(parts.scheme)}, host {quote(host)})",
        )
    if not picture.service.local and _is_private(host):
        raise picture.error(
            errors.UnsafeUrl, f"its URL points to {quote(host)}, which is not on the public network"
        )


def _is_private(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost" or host.rstrip(".").lower().endswith(".localhost"):
        return True
    try:
        return not ipaddress.ip_address(host.partition("%")[0]).is_global
    except ValueError:
        return False  # a name: its address is checked once the connection stands
