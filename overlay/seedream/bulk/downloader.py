"""Brings submitted jobs home: waits for the task, saves its pictures, records both. All of it free and repeatable."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread

from seedream._protocol.download import save
from seedream._protocol.replies import TaskInfo
from seedream._protocol.tasks import wait
from seedream._protocol.transfer import DownloadOptions
from seedream.bulk.folder import Folder
from seedream.bulk.options import BulkOptions
from seedream.bulk.report import Reason
from seedream.client import AsyncSeeDream
from seedream.errors import AuthError, DownloadError, JournalError, SeeDreamError, TaskFailed
from seedream.journal import Job, Journal, Picture

_BLOCK = 1024 * 1024  # bytes


class Downloader:
    """See the module.

    Args:
        client: The client.
        journal: Open for writing.
        folder: Where the pictures go.
        options: The run's.
        stop: Called with the reason and the error when the run cannot go on.
    """

    def __init__(
        self,
        client: AsyncSeeDream,
        journal: Journal,
        folder: Folder,
        options: BulkOptions,
        stop: Callable[[Reason, Exception | None], None],
    ) -> None:
        self._client = client
        self._journal = journal
        self._folder = folder
        self._options = options
        self._stop = stop
        self._downloads = anyio.CapacityLimiter(options.downloads)

    async def collect(self, job: Job, taskid: str) -> None:
        """Wait for a task and save its pictures. What goes wrong is noted on the job, which stays where it is."""
        try:
            await self._collect(job, taskid)
        except JournalError as error:
            self._stop("disk", error)
        except SeeDreamError as error:
            if isinstance(error, AuthError):
                self._stop("key", error)
            try:
                await anyio.to_thread.run_sync(self._journal.record_error, job.id, error)
            except JournalError as full:
                self._stop("disk", full)

    async def _collect(self, job: Job, taskid: str) -> None:
        try:
            info = await self._wait(job, taskid)
        except TaskFailed as error:
            if job.state == "succeeded":  # it was completed before: the first final answer holds
                raise
            await anyio.to_thread.run_sync(self._journal.failed, job.id, error)
            return
        if job.state != "succeeded":
            await anyio.to_thread.run_sync(self._journal.succeeded, job.id)
        async with self._downloads:
            options = DownloadOptions(max_bytes=self._options.max_bytes)
            flow = save(
                self._client.service, taskid, info.urls, self._folder.pictures, images=job.cost, options=options
            )
            files = await self._client.run(flow)
            pictures = await anyio.to_thread.run_sync(self._pictures, files)
        await anyio.to_thread.run_sync(self._journal.downloaded, job.id, pictures)

    async def _wait(self, job: Job, taskid: str) -> TaskInfo:
        service = self._client.service
        flow = wait(service, taskid, timeout=self._options.task_timeout, images=job.cost, progress=None)
        return await self._client.run(flow)

    def _pictures(self, files: list[Path]) -> list[Picture]:
        root = self._folder.root
        try:
            return [
                Picture(index, path.relative_to(root).as_posix(), path.stat().st_size, digest_of(path))
                for index, path in enumerate(files)
            ]
        except OSError as error:
            raise DownloadError(f"a saved picture cannot be read: {error.strerror or error}", hint="Resume.") from None


def digest_of(path: Path) -> str:
    """Sha256 (hex) of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
