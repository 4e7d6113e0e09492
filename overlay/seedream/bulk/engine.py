"""One run: gives jobs to the submitter, brings their tasks home, and stops in good order."""

import errno
import shutil
from collections.abc import Callable
from functools import partial
from typing import Final

import anyio
import anyio.abc

from seedream._files.partial_file import digest_of, ensure_writable
from seedream._support.threads import in_thread, lacks_threads
from seedream._support.timing import Clock
from seedream.bulk.downloader import Deliver, Delivery, deliver
from seedream.bulk.folder import Folder
from seedream.bulk.prepare import PreparedRun
from seedream.bulk.report import Report, Snapshot
from seedream.bulk.submitter import RunStopping, Submitter
from seedream.client import AsyncSeeDream
from seedream.errors import ConfigError, DiskError, JournalError, SeeDreamError
from seedream.journal import SETTLED, Job, State

Watch = Callable[[Snapshot], None]
_PAID: Final[tuple[State, ...]] = ("submitted", "succeeded")
_TICK: Final = 0.25  # seconds between snapshots
_MARGIN: Final = 1024 * 1024  # bytes that stay free beside the pictures that are expected
# What this machine has run out of: it concerns every job, not the one at which it was noticed.
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)


class Engine:
    """See the module. Made inside the event loop that runs it.

    Args:
        client: The client.
        prepared: The run, with its open journal and its settings.
        folder: The output folder.
        clock: Time.
        watch: Called four times a second, and at the end.
        deliver: Waits for a task and stores its pictures somewhere else: given the task id and the number of
            pictures. None: here, in the folder.
    """

    def __init__(
        self,
        client: AsyncSeeDream,
        prepared: PreparedRun,
        folder: Folder,
        *,
        clock: Clock,
        watch: Watch | None,
        deliver: Deliver | None = None,
    ) -> None:
        options = prepared.options
        self._client = client
        self._journal = prepared.journal
        self._run = prepared.run
        self._folder = folder
        self._options = options
        self._clock = clock
        self._watch = watch
        self._deliver = deliver or self._deliver_here
        self._elsewhere = deliver is not None
        self._submitter = Submitter(client, prepared, clock)
        self._control = self._submitter.control
        self._scope = anyio.CancelScope()
        self._outstanding = anyio.CapacityLimiter(self._control.window.size)
        self._downloads = anyio.CapacityLimiter(options.downloads)
        self._started = clock.monotonic()
        self._settled_before = 0
        self._owed = 0  # pictures that are paid for in this start and not yet saved
        self._saved, self._saved_bytes = 0, 0

    def interrupt(self) -> None:
        """Take in a signal: after the first nothing more starts and submissions finish; the second breaks them off."""
        if self._scope.cancel_called:
            self._control.interrupt("cancelled")
            self._submitter.cancel()
        else:
            self._control.interrupt("interrupted")
            self._scope.cancel()

    async def run(self) -> Report:
        """Work on all jobs until there is nothing to do, or a reason to stop."""
        self._settled_before = sum(self._journal.counts(self._run.id)[state] for state in SETTLED)
        with self._scope:
            try:
                await in_thread(self._prepare_folder)
            except (ConfigError, DiskError) as error:
                self._control.stop("disk", error)
                return await in_thread(self._submitter.report, self._folder.root)
            async with anyio.create_task_group() as group:
                if self._watch is not None:
                    group.start_soon(self._show)
                async with anyio.create_task_group() as work:
                    await self._feed(work, _PAID)
                    await self._feed(work, ("planned",))
                group.cancel_scope.cancel()
        if self._watch is not None:
            self._watch(await in_thread(self._snapshot))
        return await in_thread(self._submitter.report, self._folder.root)

    async def _feed(self, group: anyio.abc.TaskGroup, states: tuple[State, ...]) -> None:
        after = 0
        while page := await in_thread(partial(self._journal.page, self._run.id, states, after=after)):
            for job in page:
                await self._outstanding.acquire_on_behalf_of(job.id)
                if job.state == "planned" and not self._may_submit(job):
                    self._outstanding.release_on_behalf_of(job.id)
                    return
                group.start_soon(self._work, job)
            after = page[-1].id

    def _may_submit(self, job: Job) -> bool:
        """Whether the run goes on, and the disk has room for this job's pictures and all that are expected.

        Asking for the free space of a local disk takes microseconds, less than handing it to a thread.
        """
        if not self._control.stopping and not self._elsewhere:
            try:
                self._check_room(job)
            except DiskError as error:
                self._control.stop("disk", error)
        return not self._control.stopping

    def _check_room(self, job: Job) -> None:
        expected = (self._owed + job.cost) * (self._saved_bytes // self._saved if self._saved else 0)
        try:
            free = shutil.disk_usage(self._folder.pictures).free
        except OSError as error:
            raise DiskError(f"{self._folder.pictures} cannot be written: {error.strerror or error}") from None
        if free < expected + _MARGIN:
            raise DiskError(
                f"{self._folder.pictures} has room for {free:,} bytes, and {expected + _MARGIN:,} are needed",
                hint="Make room, then resume.",
            )

    async def _work(self, job: Job) -> None:
        paid_now = job.state == "planned"
        self._owed += job.cost
        try:
            taskid = job.taskid if job.taskid is not None else await self._submitter.submit(job)
            delivery = await self._deliver(taskid, job.cost)
            self._saved += len(delivery.pictures)
            self._saved_bytes += sum(picture.bytes for picture in delivery.pictures)
            await self._submitter.record(job.key, delivery, paid_now=paid_now)
        except RunStopping:
            pass  # the job is planned still
        except JournalError as error:
            self._control.stop("disk", error)
        except SeeDreamError:
            pass  # the submitter has recorded it
        except (OSError, MemoryError, RuntimeError) as error:
            if not _is_exhaustion(error):
                raise
            self._control.stop("machine", error)
        finally:
            self._owed -= job.cost
            self._outstanding.total_tokens = self._control.window.size
            self._outstanding.release_on_behalf_of(job.id)

    async def _deliver_here(self, taskid: str, images: int) -> Delivery:
        return await deliver(
            self._client,
            taskid,
            self._folder.pictures,
            images=images,
            timeout=self._options.task_timeout,
            max_bytes=self._options.max_bytes,
            downloads=self._downloads,
        )

    def _prepare_folder(self) -> None:
        """Prove that pictures can be written, sweep what a killed process left, and plan to fetch what has gone.

        Fetching again is free while the URLs live.

        Raises:
            ConfigError, DiskError: Pictures cannot be written there.
        """
        ensure_writable(self._folder.pictures)
        try:
            self._folder.sweep()
        except OSError as error:
            raise DiskError(f"{self._folder.pictures} cannot be swept: {error.strerror or error}") from None
        for job in self._journal.jobs(self._run.id, ("downloaded",)):
            if not all(self._is_there(one.path, one.bytes, one.sha256) for one in self._journal.pictures(job.id)):
                self._journal.mark_missing(job.id)

    def _is_there(self, path: str, size: int, sha256: str) -> bool:
        if "://" in path:  # on an object store: asked for neither here nor now
            return True
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
            self._watch(await in_thread(self._snapshot))
            await anyio.sleep(_TICK)

    def _snapshot(self) -> Snapshot:
        counts = self._journal.counts(self._run.id)
        return Snapshot(
            counts,
            self._journal.spent(self._run.id),
            self._options.budget,
            self._clock.monotonic() - self._started,
            sum(counts[state] for state in SETTLED) - self._settled_before,
            self._submitter.concurrency,
            self._submitter.waiting,
            dict(self._submitter.unrecorded),
        )


def _is_exhaustion(error: OSError | MemoryError | RuntimeError) -> bool:
    if isinstance(error, OSError):
        return error.errno in _EXHAUSTED
    return isinstance(error, MemoryError) or lacks_threads(error)
