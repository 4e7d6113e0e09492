"""Rows in, manifest rows out: the same jobs for any engine, with errors as columns and never as exceptions."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import anyio

from seedream.bulk.downloader import Delivery
from seedream.bulk.jobs_file import plan_of
from seedream.errors import JournalError, SeeDreamError
from seedream.journal import state_after

Ensure = Callable[[str, Mapping[str, Any]], Awaitable[str]]
Deliver = Callable[[str, int], Awaitable[Delivery]]
Record = Callable[[str, Delivery], Awaitable[None]]

MANIFEST_COLUMNS: Final = (
    "id", "taskid", "state", "images", "index", "path", "bytes", "sha256", "billing", "error", "message",
)  # fmt: skip


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
    base: dict[str, Any] = dict.fromkeys(MANIFEST_COLUMNS) | {
        "id": None if key is None else str(key),
        "state": "planned",
        "billing": "no",
    }
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
    return [
        base | {"index": one.index, "path": one.path, "bytes": one.bytes, "sha256": one.sha256}
        for one in delivery.pictures
    ]


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
