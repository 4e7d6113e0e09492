"""Brings submitted tasks home: waits for a task and saves its pictures. All of it is free and can be repeated."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from attrs import field, frozen
from tensorslab_images.methods import DEFAULT_MAX_BYTES

from seedream._protocol.download import DownloadOptions, save
from seedream._protocol.tasks import wait
from seedream.client import AsyncSeeDream
from seedream.errors import DiskError, DownloadError, SeeDreamError, TaskFailed
from seedream.journal import Picture, State


@frozen
class Delivery:
    """What became of a submitted task.

    Attributes:
        taskid: The task's id.
        state: ``downloaded``; ``succeeded``: completed, but pictures are missing; ``failed``: the task failed;
            ``submitted``: it is not finished, or nobody could be asked.
        pictures: The saved pictures. Paths are relative to the folder that contains the picture folder.
        error: What went wrong, None for ``downloaded``.
    """

    taskid: str
    state: State
    pictures: tuple[Picture, ...] = ()
    error: SeeDreamError | None = field(default=None)

    @property
    def disk_failed(self) -> bool:
        """Whether the local disk did not accept the pictures."""
        errors = [self.error, *(self.error.errors.values() if isinstance(self.error, DownloadError) else ())]
        return any(isinstance(error, DiskError) for error in errors)


Deliver = Callable[[str, int], Awaitable[Delivery]]  # given a task id and the number of pictures


async def deliver(
    client: AsyncSeeDream,
    taskid: str,
    directory: Path,
    *,
    images: int | None = None,
    timeout: float = 900.0,
    max_bytes: int = DEFAULT_MAX_BYTES,
    downloads: anyio.CapacityLimiter | None = None,
) -> Delivery:
    """Wait for a task and save its pictures. What goes wrong is in the result: no error of the tree is raised.

    Args:
        client: The client.
        taskid: The task.
        directory: Where the pictures go; it is made if missing.
        images: How many pictures to expect.
        timeout: Deadline for the wait in seconds.
        max_bytes: Limit for one picture.
        downloads: Bounds how many tasks are downloaded at once.
    """
    try:
        info = await client.run(wait(client.service, taskid, timeout=timeout, images=images, progress=None))
    except TaskFailed as error:
        return Delivery(taskid, "failed", error=error)
    except SeeDreamError as error:
        return Delivery(taskid, "submitted", error=error)
    flow = save(
        client.service, info, directory, images=images, options=DownloadOptions(max_bytes=max_bytes, hashed=True)
    )
    try:
        async with downloads or anyio.CapacityLimiter(1):
            files = await client.run(flow)
    except SeeDreamError as error:
        return Delivery(taskid, "succeeded", error=error)
    root = directory.parent
    pictures = tuple(
        Picture(index, one.path.relative_to(root).as_posix(), one.size, one.sha256) for index, one in enumerate(files)
    )
    return Delivery(taskid, "downloaded", pictures)
