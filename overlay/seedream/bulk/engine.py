"""One run: feeds jobs to the submitter and the collector, and stops in good order."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import anyio
import anyio.abc
import anyio.to_thread

from seedream._support.timing import Clock
from seedream.bulk.downloader import Downloader, digest_of
from seedream.bulk.folder import Folder
from seedream.bulk.options import BulkOptions
from seedream.bulk.report import Reason, Report, Snapshot
from seedream.bulk.submitter import Submitter
from seedream.client import AsyncSeeDream
from seedream.journal import SETTLED, Job, Journal, Run, State

Watch = Callable[[Snapshot], None]
_PAID: Final[tuple[State, ...]] = ("submitted", "succeeded")
_TICK: Final = 0.25  # seconds between snapshots


class Engine:
    """See the module. Made inside the event loop that runs it.

    Args:
        client: The client.
        journal: Open for writing.
        run: The run in it.
        folder: The output folder.
        options: The run's.
        redacted_options: Whole options of jobs whose URLs are signed, by key.
        clock: Time.
        watch: Called four times a second, and at the end.
    """

    def __init__(
        self,
        *,
        client: AsyncSeeDream,
        journal: Journal,
        run: Run,
        folder: Folder,
        options: BulkOptions,
        redacted_options: Mapping[str, Mapping[str, Any]],
        clock: Clock,
        watch: Watch | None,
    ) -> None:
        self._journal = journal
        self._run = run
        self._folder = folder
        self._options = options
        self._clock = clock
        self._watch = watch
        self._reason: Reason | None = None
        self._error: Exception | None = None
        self._scope = anyio.CancelScope()
        self._slots = anyio.Semaphore(options.in_flight)
        self._started = clock.monotonic()
        self._settled_before = 0
        self._submitter = Submitter(
            client=client,
            journal=journal,
            options=options,
            redacted_options=redacted_options,
            clock=clock,
            stop=self._stop,
            stopping=lambda: self._reason is not None,
        )
        self._downloader = Downloader(client, journal, folder, options, self._stop)

    def interrupt(self) -> None:
        """The user's word. The first: start nothing more, let submissions finish. The second: break them off."""
        if self._scope.cancel_called:
            self._reason = "cancelled"
            self._submitter.cancel()
        else:
            self._reason, self._error = "interrupted", None
            self._scope.cancel()

    async def run(self) -> Report:
        """Work on all jobs until there is nothing to do, or a reason to stop."""
        self._settled_before = sum(self._journal.counts(self._run.id)[state] for state in SETTLED)
        with self._scope:
            await anyio.to_thread.run_sync(self._verify_saved_files)
            async with anyio.create_task_group() as group:
                if self._watch is not None:
                    group.start_soon(self._show)
                async with anyio.create_task_group() as work:
                    await self._feed(work, _PAID)
                    await self._feed(work, ("planned",))
                group.cancel_scope.cancel()
        if self._watch is not None:
            self._watch(await anyio.to_thread.run_sync(self._snapshot))
        return await anyio.to_thread.run_sync(self._report)

    async def _feed(self, group: anyio.abc.TaskGroup, states: tuple[State, ...]) -> None:
        after = 0
        while page := await anyio.to_thread.run_sync(self._page, states, after):
            for job in page:
                await self._slots.acquire()
                if self._reason is not None and job.state == "planned":
                    self._slots.release()
                    return
                group.start_soon(self._work, job)
            after = page[-1].id

    def _page(self, states: tuple[State, ...], after: int) -> list[Job]:
        return self._journal.page(self._run.id, states, after=after)

    async def _work(self, job: Job) -> None:
        try:
            taskid = job.taskid if job.state in _PAID else await self._submitter.submit(job)
            if taskid is not None:
                await self._downloader.collect(job, taskid)
        finally:
            self._slots.release()

    def _stop(self, reason: Reason, error: Exception | None) -> None:
        """Submit nothing more; what is paid is still brought home. The first reason is the one that is told."""
        if self._reason is None:
            self._reason, self._error = reason, error

    def _verify_saved_files(self) -> None:
        """Sweep what a killed process left, and fetch again what has gone: that is free while the URLs live."""
        self._folder.sweep()
        for job in self._journal.jobs(self._run.id, ("downloaded",)):
            if not all(self._is_there(one.path, one.bytes, one.sha256) for one in self._journal.pictures(job.id)):
                self._journal.mark_missing(job.id)

    def _is_there(self, path: str, size: int, sha256: str) -> bool:
        file = self._folder.root / path
        try:
            if file.stat().st_size != size:
                return False
            if self._options.verify and digest_of(file) != sha256:
                file.replace(file.with_name(f"{file.name}.damaged"))
                return False
        except OSError:
            return False
        return True

    async def _show(self) -> None:
        while self._watch is not None:
            self._watch(await anyio.to_thread.run_sync(self._snapshot))
            await anyio.sleep(_TICK)

    def _snapshot(self) -> Snapshot:
        counts = self._journal.counts(self._run.id)
        return Snapshot(
            counts,
            self._journal.spent(self._run.id),
            self._options.budget,
            self._clock.monotonic() - self._started,
            sum(counts[state] for state in SETTLED) - self._settled_before,
            self._submitter.window,
            self._submitter.waiting,
        )

    def _report(self) -> Report:
        return Report(
            self._reason or "done",
            self._journal.counts(self._run.id),
            self._journal.spent(self._run.id),
            self._folder.root,
            self._error,
            dict(self._submitter.unrecorded),
        )
