"""Rows of a jobs file in, manifest rows out, in any engine: errors are columns, never exceptions."""

import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self

import anyio
from anyio.from_thread import BlockingPortal
from attrs import asdict

from seedream._support.threads import event_loop_thread
from seedream.bulk.downloader import Deliver, Delivery
from seedream.bulk.jobs_file import plan_of
from seedream.bulk.options import BulkOptions
from seedream.bulk.results import MANIFEST_COLUMNS
from seedream.bulk.storage import PictureStore, StoreDelivery
from seedream.client import AsyncSeeDream
from seedream.errors import JournalError, SeeDreamError
from seedream.journal import state_after

Ensure = Callable[[str, Mapping[str, Any]], Awaitable[str]]
Record = Callable[[str, Delivery], Awaitable[None]]


async def run_row(
    row: Mapping[str, Any], *, ensure: Ensure, deliver: Deliver, record: Record | None = None
) -> list[dict[str, Any]]:
    """Do one job of a jobs file: submit it at most once, wait, and save its pictures.

    Args:
        row: The columns of a jobs file. Rows without an ``id`` that ask for the same share one task.
        ensure: `Submitter.ensure`, or the same in another process.
        deliver: Given a task id and the number of pictures; see `downloader.deliver`.
        record: `Submitter.record`, or the same in another process.

    Returns:
        One manifest row for each saved picture, or one for the job where there is none. Every row has all of
        MANIFEST_COLUMNS; ``index``, ``path``, ``bytes`` and ``sha256`` are None without a picture, ``error`` (the
        error's class) and ``message`` are None where nothing went wrong.
    """
    key = row.get("id")
    base: dict[str, Any] = dict.fromkeys(MANIFEST_COLUMNS) | {"id": None if key is None else str(key)}
    try:
        plan, options = plan_of(row, Path.cwd())
        base |= {"id": plan.key, "images": plan.cost}
        taskid = await ensure(plan.key, options)
        delivery = await deliver(taskid, plan.cost)
        base |= {"taskid": delivery.taskid, "state": delivery.state, "billing": "yes"}
        if record is not None:
            await record(plan.key, delivery)
    except SeeDreamError as error:
        if base["taskid"] is None:
            # Budget and journal stop a submission before it begins.
            state = "planned" if isinstance(error, JournalError) and error.billing == "no" else state_after(error)
            base |= {"state": state, "billing": error.billing, "taskid": error.taskid}
        return [base | _columns(error)]
    if delivery.error is not None:
        return [base | {"billing": "unknown" if delivery.state == "failed" else "yes", **_columns(delivery.error)}]
    return [base | asdict(one) for one in delivery.pictures]


async def run_rows(
    rows: Iterable[Mapping[str, Any]], *, ensure: Ensure, deliver: Deliver, record: Record | None = None
) -> list[dict[str, Any]]:
    """Do several jobs at once; gives their manifest rows in the order of the jobs. See `run_row`."""
    whole = list(rows)
    results: list[list[dict[str, Any]]] = [[] for _ in whole]

    async def one(index: int) -> None:
        results[index] = await run_row(whole[index], ensure=ensure, deliver=deliver, record=record)

    async with anyio.create_task_group() as group:
        for index in range(len(whole)):
            group.start_soon(one, index)
    return [row for result in results for row in result]


def _columns(error: SeeDreamError) -> dict[str, Any]:
    return {"error": type(error).__name__, "message": str(error)}


class SharedSubmitter(Protocol):
    """What workers need of the submitter, wherever it is."""

    async def ensure(self, key: str, request: Mapping[str, Any]) -> str:
        """See Submitter.ensure."""
        ...

    async def record(self, key: str, delivery: Delivery) -> None:
        """See Submitter.record."""
        ...


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
        store = PictureStore(str(pictures))
        store.check()
        self._submitter = submitter
        self._delivery = StoreDelivery(connect, store, options or BulkOptions())
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        delivery = self._delivery
        make = partial(type(self), connect=delivery.connect, options=delivery.options)
        return make, (self._submitter, delivery.store.target)

    async def rows(self, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Do these rows at once; one manifest row for each picture, or one for a job without (MANIFEST_COLUMNS).

        Columns without a value (None) count as absent.
        """
        submitter = self._submitter
        return await run_rows(rows, ensure=submitter.ensure, deliver=self._delivery.deliver, record=submitter.record)

    def __call__(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Do one row, blocking; threads may share the object. Close it at the end."""
        with self._lock:
            if self._portal is None:
                self._portal = self._stack.enter_context(event_loop_thread())
        return self._portal.call(self.rows, [row])

    def close(self) -> None:
        """Close the client. Not inside an event loop: there, await ``aclose``."""
        if self._delivery.client is not None:
            (self._portal.call if self._portal is not None else anyio.run)(self._delivery.close)
        self._stack.close()
        self._portal = None

    async def aclose(self) -> None:
        """Close the client that ``rows`` used."""
        await self._delivery.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
