"""Handles of a submitted task. A task lives on the server: a handle can be made anew from its id at any time."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from attrs import field, frozen

from seedream._protocol import download, workflows
from seedream._protocol.effects import Flow
from seedream._protocol.transfer import MAX_PICTURE, DownloadOptions
from seedream._protocol.wire import TaskInfo
from seedream._protocol.workflows import ProgressCallback

if TYPE_CHECKING:
    from seedream.client import AsyncSeeDream, SeeDream

WAIT: Final = 600.0  # seconds
ClientT = TypeVar("ClientT", "SeeDream", "AsyncSeeDream")


@frozen
class _Handle(Generic[ClientT]):
    """What both handles are: the id, how many images were asked for (if known), and the workflows."""

    id: str
    _client: ClientT = field(repr=False, eq=False)
    images: int | None = field(default=None, eq=False)

    def _refresh(self) -> Flow[TaskInfo]:
        return workflows.query(self._client.service, self.id)

    def _wait(self, timeout: float, progress: ProgressCallback | None) -> Flow[TaskInfo]:
        return workflows.wait(self._client.service, self.id, timeout=timeout, images=self.images, progress=progress)

    def _save(
        self,
        directory: str | PathLike[str],
        timeout: float,
        max_bytes: int,
        progress: ProgressCallback | None,
    ) -> Flow[list[Path]]:
        service, options = self._client.service, DownloadOptions(max_bytes=max_bytes, progress=progress)
        _, files = yield from download.wait_and_save(
            service, self.id, Path(directory), images=self.images, timeout=timeout, options=options
        )
        return files

    def _delete(self) -> Flow[None]:
        return workflows.delete(self._client.service, (self.id,))


class Task(_Handle["SeeDream"]):
    """A submitted task.

    Attributes:
        id: The task's id.
        images: How many images were asked for; None when the handle was made from an id alone.
    """

    def refresh(self) -> TaskInfo:
        """Ask for the task's state now.

        Raises:
            StatusError, AuthError: No usable answer.
        """
        return self._client.run(self._refresh())

    def wait(self, *, timeout: float = WAIT, progress: ProgressCallback | None = None) -> TaskInfo:
        """Wait until the task is completed.

        Args:
            timeout: Deadline in seconds.
            progress: Called after each query.

        Raises:
            TaskFailed: The task ended as failed.
            WaitTimeout: It still runs at the deadline; it is not lost.
            StatusError, AuthError: It cannot be asked for.
        """
        return self._client.run(self._wait(timeout, progress))

    def save(
        self,
        directory: str | PathLike[str] = ".",
        *,
        timeout: float = WAIT,
        max_bytes: int = MAX_PICTURE,
        progress: ProgressCallback | None = None,
    ) -> list[Path]:
        """Wait if need be, then save the pictures as ``<task id>-<number>.<extension>``.

        Each is written atomically and kept if it is there already and whole.

        Args:
            directory: Where; it is made if missing.
            timeout: Deadline for the wait in seconds; each picture has one of its own, of five minutes.
            max_bytes: Limit for one picture.
            progress: Called while waiting and downloading.

        Returns:
            The pictures' paths, in order.

        Raises:
            DownloadError: Some pictures are missing; ``files`` and ``errors`` tell which.
            TaskFailed, WaitTimeout, StatusError, AuthError: As for ``wait``.
        """
        return self._client.run(self._save(directory, timeout, max_bytes, progress))

    def delete(self) -> None:
        """Delete the task and its pictures on the server.

        Raises:
            StatusError, AuthError: No usable answer.
        """
        self._client.run(self._delete())


class AsyncTask(_Handle["AsyncSeeDream"]):
    """The same as Task, awaiting."""

    async def refresh(self) -> TaskInfo:
        """See Task.refresh."""
        return await self._client.run(self._refresh())

    async def wait(self, *, timeout: float = WAIT, progress: ProgressCallback | None = None) -> TaskInfo:
        """See Task.wait."""
        return await self._client.run(self._wait(timeout, progress))

    async def save(
        self,
        directory: str | PathLike[str] = ".",
        *,
        timeout: float = WAIT,
        max_bytes: int = MAX_PICTURE,
        progress: ProgressCallback | None = None,
    ) -> list[Path]:
        """See Task.save."""
        return await self._client.run(self._save(directory, timeout, max_bytes, progress))

    async def delete(self) -> None:
        """See Task.delete."""
        await self._client.run(self._delete())


@frozen
class Generated:
    """What ``generate`` gives: the task's id and state, and the pictures' paths in order."""

    taskid: str
    info: TaskInfo
    files: list[Path]
