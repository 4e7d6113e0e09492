"""The worker's half of a pipeline: rows of a jobs file in, manifest rows out, in any engine."""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from seedream.bulk.downloader import Delivery
from seedream.bulk.options import BulkOptions
from seedream.bulk.rows import run_rows
from seedream.bulk.storage import PictureStore
from seedream.bulk.submitter_thread import SharedSubmitter
from seedream.client import AsyncSeeDream


class GenerateRows:
    """Has rows submitted (each at most once), waits, and stores the pictures. Errors are columns, never exceptions.

    Engines may call it again with the same rows, at the same time or after a worker died: nothing is paid twice.
    ``await generate.rows(rows)`` is for engines with an event loop; ``generate(row)`` is the same for plain threads.

    Args:
        submitter: A SubmitterThread, or a handle of one in another process.
        pictures: Where the pictures go: a directory that all workers share, or a URI (``s3://bucket/prefix``).
        connect: Makes the client that polls and downloads; once in each process.
        options: ``downloads``, ``task_timeout`` and ``max_bytes`` of it are used.

    Raises:
        ConfigError: The place for the pictures cannot be used.
    """

    def __init__(
        self,
        submitter: SharedSubmitter,
        pictures: str,
        *,
        connect: Callable[[], AsyncSeeDream] = AsyncSeeDream,
        options: BulkOptions | None = None,
    ) -> None:
        self._submitter = submitter
        self._store = PictureStore(str(pictures))
        self._store.check()
        self._connect = connect
        self._options = options or BulkOptions()
        self._client: AsyncSeeDream | None = None
        self._downloads: anyio.CapacityLimiter | None = None
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        make = partial(type(self), connect=self._connect, options=self._options)
        return make, (self._submitter, self._store.target)

    async def rows(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Do these rows at once; one manifest row for each picture, or one for a job without (MANIFEST_COLUMNS).

        Columns without a value (None) count as absent.
        """
        given = [{name: value for name, value in row.items() if value is not None} for row in rows]
        return await run_rows(
            given, ensure=self._submitter.ensure, deliver=self._deliver, record=self._submitter.record
        )

    async def _deliver(self, taskid: str, images: int) -> Delivery:
        if self._client is None or self._downloads is None:
            self._client = self._connect()
            self._downloads = anyio.CapacityLimiter(self._options.downloads)
        return await self._store.deliver(
            self._client,
            taskid,
            images=images,
            timeout=self._options.task_timeout,
            max_bytes=self._options.max_bytes,
            downloads=self._downloads,
        )

    def __call__(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Do one row, blocking; threads may share the object. Close it at the end."""
        with self._lock:
            if self._portal is None:
                self._portal = self._stack.enter_context(start_blocking_portal())
        return self._portal.call(self.rows, [row])

    def close(self) -> None:
        """Close the client. Not inside an event loop: there, await ``aclose``."""
        if self._client is not None:
            (self._portal.call if self._portal is not None else anyio.run)(self._client.close)
        self._stack.close()
        self._client = self._portal = None

    async def aclose(self) -> None:
        """Close the client that ``rows`` used."""
        if self._client is not None:
            await self._client.close()
        self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
