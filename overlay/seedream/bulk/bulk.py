"""The doors to a bulk run: run it, look at it, decide about what is unknown."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from attrs import evolve

from seedream._support.timing import Clock, SystemClock
from seedream.bulk.engine import Engine, Watch
from seedream.bulk.folder import Folder
from seedream.bulk.gallery import write_gallery
from seedream.bulk.jobs_file import Jobs, Planned, read_jobs
from seedream.bulk.options import BulkOptions
from seedream.bulk.prepare import NAME, prepare_run
from seedream.bulk.report import Report
from seedream.bulk.results import write_results
from seedream.bulk.rows import Deliver
from seedream.bulk.signals import SignalRelay, receiving_signals, restored_handlers
from seedream.client import AsyncSeeDream
from seedream.errors import ConfigError, JournalError, JournalFull
from seedream.journal import Job, Journal, ReadOnlyJournal, Run, State
from seedream.journal.queries import Queries


class Bulk:
    """A bulk run in its output folder. Every call can be made again after a crash.

    Args:
        folder: The output folder. ``run`` makes it.
        connect: Makes the client, inside the event loop that uses it; it is closed at the end.
        clock: Time, to be replaced in tests.
        deliver: Waits for a task and stores its pictures somewhere else, for example on a cluster's workers; None:
            this process does it.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        connect: Callable[[], AsyncSeeDream] = AsyncSeeDream,
        clock: Clock | None = None,
        deliver: Deliver | None = None,
    ) -> None:
        self.folder = Folder(Path(folder))
        self._connect = connect
        self._clock = clock or SystemClock()
        self._deliver = deliver

    async def arun(
        self,
        jobs: Jobs | None = None,
        *,
        options: BulkOptions | None = None,
        watch: Watch | None = None,
        signals: bool = False,
    ) -> Report:
        """Check all jobs, plan those that are new, and work on all that are not finished.

        Args:
            jobs: A .jsonl or .csv file, or mappings with the same names; None: resume what is planned.
            options: Settings; by default those of the last start, else BulkOptions().
            watch: Called four times a second with a Snapshot.
            signals: Whether SIGINT, SIGTERM and SIGHUP end the run in good order (in the main thread only).

        Raises:
            InvalidRequest: Lines that are wrong, each with its number. Nothing was sent.
            JournalError: The journal cannot be used, or another process runs this folder (JournalLocked).
            ConfigError: The client cannot be made.
        """
        relay = SignalRelay()
        async with receiving_signals(relay, signals):
            planned = await anyio.to_thread.run_sync(read_jobs, jobs) if jobs is not None else None
            client = self._connect()
            try:
                with await anyio.to_thread.run_sync(self._open, planned is not None) as journal:
                    return await self._work(
                        client=client, journal=journal, planned=planned, options=options, watch=watch, relay=relay
                    )
            finally:
                with anyio.CancelScope(shield=True):
                    await client.close()

    async def _work(
        self,
        *,
        client: AsyncSeeDream,
        journal: Journal,
        planned: Planned | None,
        options: BulkOptions | None,
        watch: Watch | None,
        relay: SignalRelay,
    ) -> Report:
        prepared = await anyio.to_thread.run_sync(prepare_run, journal, planned, options, client.service.base_url)
        engine = Engine(
            client=client,
            journal=journal,
            run=prepared.run,
            folder=self.folder,
            options=prepared.options,
            redacted_options=prepared.redacted_options,
            clock=self._clock,
            watch=watch,
            deliver=self._deliver,
        )
        relay.connect(engine.interrupt)
        report = await engine.run()
        await anyio.to_thread.run_sync(self._write, journal, prepared.run, lambda: not relay.heard)
        return report

    def run(
        self,
        jobs: Jobs | None = None,
        *,
        options: BulkOptions | None = None,
        watch: Watch | None = None,
        signals: bool = False,
    ) -> Report:
        """The same as ``arun``, blocking.

        Raises:
            ConfigError: Called inside a running event loop, where it would block: await ``arun`` there.
        """
        with suppress(RuntimeError):
            asyncio.get_running_loop()
            raise ConfigError("run() was called inside a running event loop", hint="Await arun() there.")
        with restored_handlers(signals):
            return anyio.run(partial(self.arun, jobs, options=options, watch=watch, signals=signals))

    def options(self, **changed: Any) -> BulkOptions:
        """The settings of the last start, with these changed; BulkOptions() where there was none.

        Raises:
            ConfigError: A setting is out of its range.
        """
        if not self.folder.journal.is_file():
            return BulkOptions(**changed)
        with ReadOnlyJournal(self.folder.journal) as reader:
            run = reader.find_run(NAME)
        earlier = BulkOptions.restored(run.options, run.budget) if run is not None else BulkOptions()
        return evolve(earlier, **changed)

    def counts(self) -> tuple[Run, dict[State, int]]:
        """The run and how many jobs are in each state; also while another process works on it."""
        with ReadOnlyJournal(self.folder.journal) as reader:
            run = self._run_of(reader)
            return run, dict(reader.counts(run.id))

    def jobs(self, *states: State) -> list[Job]:
        """The jobs in these states."""
        with ReadOnlyJournal(self.folder.journal) as reader:
            return list(reader.jobs(self._run_of(reader).id, states))

    def retry(self, states: Sequence[State] = ("rejected", "failed")) -> int:
        """Plan rejected or failed jobs again, for the next run; gives how many. A failed task may be paid again."""
        if bad := [state for state in states if state not in ("rejected", "failed")]:
            raise ConfigError(f"{', '.join(bad)} jobs are not retried", hint="Unknown ones are resolved one by one.")
        return self._decide(lambda journal, job: journal.requeue(job), states)

    def resolve(self, key: str, *, taskid: str | None = None, again: bool = False, charged: bool = True) -> None:
        """Decide about one unknown job, after a look into the vendor's console.

        Args:
            key: The job's id.
            taskid: The task that was found for it: it is fetched at the next run. It is taken as it is: ask the
                service for it first (``client.query``) if in doubt.
            again: Send it again at the next run; otherwise, without a task id, it is given up.
            charged: Whether the unknown submission stays counted as spent.

        Raises:
            JournalError: The job is not unknown, or the task id is another job's.
            ConfigError: Both a task id and ``again`` are given.
        """
        if taskid is not None and again:
            raise ConfigError("a found task is not sent again", hint="Give the task id, or send it again.")
        with self._open(make=False) as journal:
            job = journal.by_key(self._run_of(journal).id, key)
            if job is None or job.state != "unknown":
                raise JournalError(
                    f"job “{key}” is {job.state if job else 'not in this run'}, so there is nothing to resolve"
                )
            if taskid is not None:
                journal.attach_task_id(job, taskid)
            elif again:
                journal.requeue(job, charged=charged)
            else:
                journal.abandon(job, charged=charged)

    def write(self) -> None:
        """Write results.jsonl and gallery.html anew from the journal."""
        with ReadOnlyJournal(self.folder.journal) as reader:
            self._write(reader, self._run_of(reader), lambda: True)

    def _decide(self, decide: Callable[[Journal, Job], None], states: Sequence[State]) -> int:
        with self._open(make=False) as journal:
            jobs = list(journal.jobs(self._run_of(journal).id, states))
            for job in jobs:
                decide(journal, job)
            return len(jobs)

    def _open(self, make: bool) -> Journal:  # noqa: FBT001 -- passed on by a thread's runner
        if not make and not self.folder.journal.is_file():
            raise JournalError(f"there is no bulk run in {self.folder.root}", hint="Start one with a jobs file.")
        try:
            self.folder.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalFull(
                f"cannot make {self.folder.root}: {error.strerror or error}", hint="Check the path."
            ) from None
        return Journal(self.folder.journal, clock=self._clock.time)

    @staticmethod
    def _run_of(journal: Queries) -> Run:
        run = journal.find_run(NAME)
        if run is None:
            raise JournalError("this journal holds no bulk run")
        return run

    def _write(self, journal: Queries, run: Run, may_continue: Callable[[], bool]) -> None:
        write_results(journal, run, self.folder)
        write_gallery(journal, run, self.folder, may_continue)
