"""A submitter that any thread, event loop or process may call: it lives in a thread with an event loop of its own.

Engines run a function many times, in many places, and again when a worker dies. What costs money happens here, in one
place: the journal, the rate, the budget and the request itself.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import ExitStack
from os import PathLike
from typing import Any, Self, TypeVar
from uuid import uuid4
from weakref import WeakValueDictionary

from seedream._files.paths import folder_path
from seedream._support.threads import event_loop_thread
from seedream._support.timing import SystemClock
from seedream.bulk.bulk import Bulk
from seedream.bulk.downloader import Delivery
from seedream.bulk.folder import Folder
from seedream.bulk.jobs_file import Jobs, read_jobs
from seedream.bulk.options import BulkOptions
from seedream.bulk.prepare import start_run
from seedream.bulk.report import Reason, Report
from seedream.bulk.submitter import Submitter
from seedream.client import AsyncSeeDream
from seedream.errors import ConfigError

T = TypeVar("T")
_HERE: "WeakValueDictionary[str, SubmitterThread]" = WeakValueDictionary()


def _find(mark: str) -> "SubmitterThread":
    if (found := _HERE.get(mark)) is None:
        raise ConfigError(
            "the submitter is a thread of another process", hint="On a cluster, use seedream.ray.start_submitter()."
        )
    return found


class SubmitterThread:
    """The only owner of a run's journal, for engines whose workers are threads, event loops or processes.

    Use it as a context manager: the end waits for what is on the way, and writes results.jsonl and gallery.html.

    Args:
        folder: The output folder, with the journal in it. ``seedream bulk status``, ``retry``, ``resolve`` and
            ``gallery`` work on it as for a bulk run.
        connect: Makes the client, inside the thread that uses it.
        options: Settings; by default those of the last start. ``concurrency``, ``rate`` and ``budget`` hold for all
            workers together.
        jobs: A jobs file or rows to plan at once; others are planned when they are first asked for.

    Raises:
        InvalidRequest: Jobs that are wrong. Nothing was sent.
        JournalError: The journal cannot be used, or another process uses it (JournalLocked).
        ConfigError: The client cannot be made, or the journal belongs to another service.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        connect: Callable[[], AsyncSeeDream] = AsyncSeeDream,
        options: BulkOptions | None = None,
        jobs: Jobs | None = None,
    ) -> None:
        self.folder = Folder(folder_path(folder).absolute())
        self.options = options = options or Bulk(self.folder.root).options()
        any_source = options.allow_unrecognized_sources
        planned = read_jobs(jobs, allow_unrecognized_sources=any_source) if jobs is not None else None
        self._mark = uuid4().hex
        _HERE[self._mark] = self
        self._pending: set[Future[Any]] = set()
        with ExitStack() as stack:
            self._portal = stack.enter_context(event_loop_thread())
            client = self._portal.call(connect)
            stack.callback(self._portal.call, client.close)
            prepared = start_run(self.folder, planned, options, client.service.base_url)
            stack.enter_context(prepared.journal)
            self._submitter = self._portal.call(Submitter, client, prepared, SystemClock())
            self._stack = stack.pop_all()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a reference: engines that pickle what they are given get the same object back, in this process."""
        return _find, (self._mark,)

    async def ensure(self, key: str, request: Mapping[str, Any]) -> str:
        """See Submitter.ensure. A caller that is cancelled or dies does not break off a submission on its way."""
        return await self._finish(self._portal.start_task_soon(self._submitter.ensure, key, request))

    async def record(self, key: str, delivery: Delivery) -> None:
        """See Submitter.record."""
        await self._finish(self._portal.start_task_soon(self._submitter.record, key, delivery))

    async def _finish(self, future: "Future[T]") -> T:
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return await asyncio.shield(asyncio.wrap_future(future))

    def stop(self, reason: Reason = "interrupted") -> None:
        """Submit nothing more; submissions on their way finish."""
        self._portal.call(self._submitter.control.interrupt, reason)

    def report(self) -> Report:
        """Return where the run is, or how it ended."""
        return self._submitter.report(self.folder.root)

    def close(self) -> None:
        """Stop, wait for what is on the way, close the journal, and write results.jsonl and gallery.html."""
        if pending := list(self._pending):
            self.stop()
            wait(pending)
        self._stack.close()
        Bulk(self.folder.root).write()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
