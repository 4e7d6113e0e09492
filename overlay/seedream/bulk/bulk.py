"""A bulk run in its output folder: run it, look at it, decide about what is unknown."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import anyio
from attrs import evolve

from seedream._files.paths import folder_path
from seedream._support.signals import handling_signals
from seedream._support.threads import in_thread
from seedream._support.timing import Clock, SystemClock
from seedream.bulk.downloader import Deliver
from seedream.bulk.engine import Engine, Watch
from seedream.bulk.folder import Folder
from seedream.bulk.gallery import write_gallery
from seedream.bulk.jobs_file import Jobs, read_jobs
from seedream.bulk.options import BulkOptions
from seedream.bulk.prepare import NAME, open_journal, start_run
from seedream.bulk.report import Report
from seedream.bulk.results import write_manifest, write_results
from seedream.bulk.signals import SignalRelay, receiving_signals
from seedream.client import AsyncSeeDream
from seedream.errors import ConfigError, DiskError, JournalError
from seedream.journal import STATES, Job, Journal, ReadOnlyJournal, Run, State
from seedream.journal.queries import Queries


def check_no_event_loop() -> None:
    """Refuse a blocking run where it would hold up an event loop.

    Raises:
        ConfigError: One is running in this thread.
    """
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        raise ConfigError("run() was called inside a running event loop", hint="Await arun() there.")


class Bulk:
    """A bulk run in its output folder. Every call can be made again after a crash.

    Args:
        folder: The output folder. ``run`` makes it.
        connect: Makes the client, inside the event loop that uses it; it is closed at the end.
        clock: Time, to be replaced in tests.
        deliver: Waits for a task and stores its pictures somewhere else, for example on a cluster's workers; None:
            this process does it.
        manifest: Whether to write manifest.parquet too; one that is there is kept up to date in any case.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        connect: Callable[[], AsyncSeeDream] = AsyncSeeDream,
        clock: Clock | None = None,
        deliver: Deliver | None = None,
        manifest: bool = False,
    ) -> None:
        self.folder = Folder(folder_path(folder))
        self._connect = connect
        self._clock = clock or SystemClock()
        self._deliver = deliver
        self._manifest = manifest

    async def arun(
        self,
        jobs: Jobs | None = None,
        *,
        encoding: str | None = None,
        options: BulkOptions | None = None,
        watch: Watch | None = None,
        signals: bool = False,
    ) -> Report:
        """Check all jobs, plan those that are new, and work on all that are not finished.

        Args:
            jobs: A .jsonl or .csv file, mappings with the same names, prompts, a DataFrame, or one mapping;
                None: resume what is planned.
            encoding: Of the file; by default UTF-8, or what its byte order mark says.
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
            if options is None:
                options = await in_thread(self.options)
            planned = None
            if jobs is not None:
                any_source = options.allow_unrecognized_sources
                read = partial(read_jobs, jobs, encoding=encoding, allow_unrecognized_sources=any_source)
                planned = await in_thread(read)
            client = self._connect()
            try:
                url, time, make = client.service.base_url, self._clock.time, planned is not None
                starting = partial(start_run, self.folder, planned, options, url, clock=time, make=make)
                prepared = await in_thread(starting)
                with prepared.journal as journal:
                    engine = Engine(
                        client, prepared, self.folder, clock=self._clock, watch=watch, deliver=self._deliver
                    )
                    relay.connect(engine.interrupt)
                    report = await engine.run()
                    write = partial(self._write, journal, prepared.run, lambda: not relay.heard)
                    return evolve(report, warnings=await in_thread(write), changes=prepared.changes)
            finally:
                with anyio.CancelScope(shield=True):
                    await client.close()

    def run(
        self,
        jobs: Jobs | None = None,
        *,
        encoding: str | None = None,
        options: BulkOptions | None = None,
        watch: Watch | None = None,
        signals: bool = False,
    ) -> Report:
        """Do what ``arun`` does, blocking.

        Raises:
            ConfigError: Called inside a running event loop, where it would block: await ``arun`` there.
        """
        check_no_event_loop()
        with handling_signals() if signals else nullcontext():
            return anyio.run(partial(self.arun, jobs, encoding=encoding, options=options, watch=watch, signals=signals))

    def options(self, **changed: Any) -> BulkOptions:
        """Return the settings of the last start, with these changed; BulkOptions() where there was none.

        Raises:
            ConfigError: A setting is out of its range.
        """
        earlier = BulkOptions()
        if self.folder.has_journal:
            lost = bool(changed.get("records_lost"))
            with ReadOnlyJournal(self.folder.journal, records_lost=lost) as reader:
                if (run := reader.find_run(NAME)) is not None:
                    earlier = BulkOptions.restored(run.options, run.budget)
        return evolve(earlier, **changed)

    def counts(self) -> tuple[Run, dict[State, int]]:
        """Return the run, and how many jobs are in each state; also while another process works on it."""
        with ReadOnlyJournal(self.folder.journal) as reader:
            run = self._run_of(reader)
            return run, dict(reader.counts(run.id))

    def jobs(self, *states: State) -> list[Job]:
        """Return the jobs in these states, or all of them."""
        with ReadOnlyJournal(self.folder.journal) as reader:
            return list(reader.jobs(self._run_of(reader).id, states or STATES))

    def retry(self, states: Sequence[State] = ("rejected", "failed")) -> int:
        """Plan rejected or failed jobs again, for the next run; gives how many. A failed task may be paid again."""
        if bad := [state for state in states if state not in ("rejected", "failed")]:
            raise ConfigError(f"{', '.join(bad)} jobs are not retried", hint="Unknown ones are resolved one by one.")
        with self._open() as journal:
            jobs = list(journal.jobs(self._run_of(journal).id, states))
            for job in jobs:
                journal.requeue(job)
            return len(jobs)

    def drop(self, *keys: str) -> int:
        """Give up planned jobs, all or those with these ids; gives how many. Nothing of them was sent.

        Raises:
            JournalError: A job is not planned, or not in this run.
        """
        with self._open() as journal:
            jobs = [self._job(journal, key, "planned", "it cannot be dropped") for key in dict.fromkeys(keys)]
            jobs = jobs or list(journal.jobs(self._run_of(journal).id, ("planned",)))
            for job in jobs:
                journal.abandon(job)
            return len(jobs)

    def backup(self, target: str | PathLike[str]) -> None:
        """Write a copy of the journal to a new file, complete by itself, also while a run is writing it.

        Raises:
            JournalError: There is no journal, or the copy cannot be written.
        """
        with ReadOnlyJournal(self.folder.journal) as reader:
            reader.copy_to(Path(target))

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
        with self._open() as journal:
            job = self._job(journal, key, "unknown", "there is nothing to resolve")
            if taskid is not None:
                journal.attach_task_id(job, taskid)
            elif again:
                journal.requeue(job, charged=charged)
            else:
                journal.abandon(job, charged=charged)

    def write(self) -> None:
        """Write results.jsonl and gallery.html again from the journal.

        Raises:
            DiskError: One of them cannot be written.
        """
        with ReadOnlyJournal(self.folder.journal) as reader:
            warnings = self._write(reader, self._run_of(reader), lambda: True)
        if warnings:
            raise DiskError(" ".join(warnings), hint="Make room or correct the folder, then write them again.")

    def _open(self) -> Journal:
        return open_journal(self.folder, clock=self._clock.time, make=False)

    @staticmethod
    def _run_of(journal: Queries) -> Run:
        run = journal.find_run(NAME)
        if run is None:
            raise JournalError("this journal holds no bulk run")
        return run

    def _job(self, journal: Journal, key: str, state: State, otherwise: str) -> Job:
        """Return a job that must be in this state; ``otherwise`` says what its being in another one means."""
        job = journal.by_key(self._run_of(journal).id, key)
        if job is None or job.state != state:
            raise JournalError(f"job “{key}” is {job.state if job else 'not in this run'}, so {otherwise}")
        return job

    def _write(self, journal: Queries, run: Run, may_continue: Callable[[], bool]) -> tuple[str, ...]:
        """Write results, gallery and manifest; gives a sentence for each that cannot be written."""
        warnings = []
        writers: list[tuple[Path, Callable[[], None]]] = [
            (self.folder.results, partial(write_results, journal, run, self.folder)),
            (self.folder.gallery, partial(write_gallery, journal, run, self.folder, may_continue)),
        ]
        if self._manifest or self.folder.manifest.is_file():
            writers.append((self.folder.manifest, partial(write_manifest, journal, run, self.folder)))
        for path, write in writers:
            try:
                write()
            except (OSError, JournalError, ConfigError) as error:
                reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else error.message
                warnings.append(f"{path.name} could not be written: {reason}.")
        return tuple(warnings)
