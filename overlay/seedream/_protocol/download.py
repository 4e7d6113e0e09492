"""The download workflow: a task's pictures to files, each whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from seedream import errors
from seedream._files.partial_file import PartialFile, find_complete, stem_of
from seedream._protocol.effects import Workflow, read_clock, run_in_thread, sleep
from seedream._protocol.replies import TaskInfo
from seedream._protocol.service import ApiConfig
from seedream._protocol.tasks import query, wait
from seedream._protocol.transfer import DownloadOptions, PictureDownload, transfer
from seedream._support.redact import quote

_FRESH_URLS: Final = 2
_ODD_TRIES: Final = 2


def save(
    service: ApiConfig,
    taskid: str,
    urls: tuple[str, ...],
    directory: Path,
    *,
    images: int | None,
    options: DownloadOptions,
) -> Workflow[list[Path]]:
    """Save a completed task's pictures; those already there and whole are kept.

    Raises:
        DownloadError: Some are missing: ``files`` and ``errors`` tell which, by index from 0.
    """
    total = max(len(urls), images or 1)
    files: dict[int, Path] = {}
    failed: dict[int, errors.SeeDreamError] = {}
    fresh = _FRESH_URLS
    for index in range(total):
        picture = PictureDownload(service, taskid, index, total, (yield from read_clock()), options)
        while True:
            try:
                if index >= len(urls) or not urls[index]:
                    raise picture.error(
                        errors.DownloadError,
                        f"the service gives {sum(map(bool, urls))} of {total} URLs",
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


def wait_and_save(
    service: ApiConfig, taskid: str, directory: Path, *, images: int | None, timeout: float, options: DownloadOptions
) -> Workflow[tuple[TaskInfo, list[Path]]]:
    """Wait for a task (deadline in seconds), then save its pictures."""
    info = yield from wait(service, taskid, timeout=timeout, images=images, progress=options.progress)
    files = yield from save(service, taskid, info.urls, directory, images=images, options=options)
    return info, files


def _renewed(service: ApiConfig, taskid: str) -> Workflow[tuple[str, ...] | None]:
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


def _one(picture: PictureDownload, url: str, directory: Path) -> Workflow[Path]:
    """One picture into its file; disk errors become errors of the tree."""
    try:
        return (yield from _fetch(picture, url, directory))
    except OSError as error:
        reason = error.strerror or type(error).__name__
    raise picture.error(
        errors.DiskError,
        f"cannot write in {quote(str(directory))}: {reason}",
        "Free space or choose another directory, then save the task again.",
    )


def _fetch(picture: PictureDownload, url: str, directory: Path) -> Workflow[Path]:
    """Tried again until the deadline where that can help; a whole picture that is there already is kept."""
    stem = stem_of(picture.taskid, picture.index)
    kept = yield from run_in_thread(lambda: find_complete(directory, stem))
    if kept is not None:
        picture.report("saved", 0.0, 0, None)
        return kept
    part = yield from run_in_thread(lambda: PartialFile(directory, stem))
    try:
        attempt = 0
        while True:
            attempt += 1
            try:
                yield from transfer(picture, url, part)
                break
            except errors.DownloadError as error:
                pause = picture.service.retry.delay(attempt, picture.service.random)
                late = (yield from read_clock()) - picture.started + pause > picture.options.timeout
                # What is no picture may be an error page that goes away: one more look, no more.
                tries = _ODD_TRIES if isinstance(error, errors.NotAPicture) else picture.options.attempts
                if not error.retryable or late or attempt >= tries or isinstance(error, errors.ResultExpired):
                    raise
            yield from sleep(pause)
        path = yield from run_in_thread(part.finish)
        picture.report("saved", (yield from read_clock()) - picture.started, part.size, part.size)
        return path
    finally:
        yield from run_in_thread(part.discard)
