"""The submitter as a Ray actor: on the head node, without CPU, and never started again by itself."""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Final

from seedream._support.threads import in_thread
from seedream.bulk.downloader import Delivery
from seedream.bulk.jobs_file import Jobs
from seedream.bulk.options import BulkOptions
from seedream.bulk.report import Report
from seedream.bulk.submitter_thread import SubmitterThread
from seedream.client import AsyncSeeDream
from seedream.errors import JournalLocked, SeeDreamError
from seedream.ray.cluster import head_node, load_ray

_CALLS_AT_ONCE: Final = 10_000  # they only wait: the submitter's own limits decide what is sent
_PATIENCE: Final = 30.0  # seconds for the submitter of a run that was killed to end
_PAUSE: Final = 0.2  # seconds between looks

Connect = Callable[[], AsyncSeeDream]


class SubmitterActor:
    """What the actor does. Errors travel as values, so that they arrive as they are."""

    def __init__(self, folder: str, connect: Connect, options: BulkOptions | None, jobs: Any) -> None:
        self._given: dict[str, Any] = {"folder": folder, "connect": connect, "options": options, "jobs": jobs}
        self._submitter: SubmitterThread

    async def start(self) -> SeeDreamError | None:
        """Open the journal and plan the jobs; None, or the error."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                self._submitter = await in_thread(partial(SubmitterThread, **self._given))
            except JournalLocked as error:
                if time.monotonic() > until:
                    return error
                await asyncio.sleep(_PAUSE)
            except SeeDreamError as error:
                return error
            else:
                return None

    async def ensure(self, key: str, request: Mapping[str, Any]) -> str | SeeDreamError:
        """Return the task id, or the error."""
        try:
            return await self._submitter.ensure(key, request)
        except SeeDreamError as error:
            return error

    async def record(self, key: str, delivery: Delivery) -> SeeDreamError | None:
        """Return None, or the error."""
        try:
            await self._submitter.record(key, delivery)
        except SeeDreamError as error:
            return error
        return None

    async def report(self) -> Report:
        """Return the counts of the run."""
        return self._submitter.report()

    async def stop(self) -> None:
        """Submit nothing more."""
        self._submitter.stop()

    async def close(self) -> Report:
        """End the run; the report of it."""
        report = self._submitter.report()
        self._submitter.close()
        return report


class RaySubmitter:
    """A handle of the submitter: small, picklable, and good for any worker of the cluster."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    async def ensure(self, key: str, request: Mapping[str, Any]) -> str:
        """See Submitter.ensure.

        Raises:
            RayActorError: The submitter is gone. The work ends; run it again with the same folder.
        """
        found = await self.actor.ensure.remote(key, request)
        if isinstance(found, SeeDreamError):
            raise found
        return str(found)

    async def record(self, key: str, delivery: Delivery) -> None:
        """See Submitter.record."""
        error = await self.actor.record.remote(key, delivery)
        if error is not None:
            raise error

    def report(self) -> Report:
        """Return the counts of the run."""
        return self._get(self.actor.report.remote())

    def stop(self) -> None:
        """Submit nothing more."""
        load_ray().get(self.actor.stop.remote())

    def close(self) -> Report:
        """Close the journal, write results.jsonl and gallery.html, and end the actor."""
        report = self._get(self.actor.close.remote())
        load_ray().kill(self.actor)
        return report

    @staticmethod
    def _get(reference: Any) -> Report:
        report: Report = load_ray().get(reference)
        return report


def start_submitter(
    folder: str | PathLike[str],
    *,
    connect: Connect = AsyncSeeDream,
    options: BulkOptions | None = None,
    jobs: Jobs | None = None,
) -> RaySubmitter:
    """Start the submitter of a run on the head node of the cluster to which this process is connected.

    Args:
        folder: The output folder, on the head node's disk.
        connect: Makes the client: ``AsyncSeeDream`` itself where each node has TENSORSLAB_API_KEY, else for example
            ``functools.partial(AsyncSeeDream, key)``.
        options: Settings; by default those of the last start. Rate, budget and concurrency hold for the whole cluster.
        jobs: Rows or a jobs file to plan at once.

    Raises:
        InvalidRequest, JournalError, ConfigError: As SubmitterThread.
    """
    ray = load_ray()
    strategies = ray.util.scheduling_strategies
    actor = (
        ray.remote(SubmitterActor)
        .options(
            num_cpus=0,
            max_restarts=0,
            max_task_retries=0,
            max_concurrency=_CALLS_AT_ONCE,
            scheduling_strategy=strategies.NodeAffinitySchedulingStrategy(head_node(ray), soft=False),
        )
        .remote(str(Path(folder).absolute()), connect, options, jobs)
    )
    error = ray.get(actor.start.remote())
    if error is not None:
        ray.kill(actor)
        raise error
    return RaySubmitter(actor)
