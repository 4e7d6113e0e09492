"""Workers on a cluster that wait for tasks and store their pictures, for a bulk run that keeps the journal here."""

from collections.abc import Callable
from typing import Any, Final

import anyio

from seedream.bulk.downloader import Delivery
from seedream.bulk.options import BulkOptions
from seedream.bulk.storage import PictureStore, StoreDelivery
from seedream.client import AsyncSeeDream
from seedream.errors import ConfigError, DownloadError

_CPU: Final = 1.0  # of a worker: it decrypts, checks and writes
_CALLS_AT_ONCE: Final = 1000  # they mostly wait
_START: Final = 60.0  # seconds
_TRIES: Final = 6
_PAUSE: Final = 2.0  # seconds before the second try; longer before each further one: workers take time to start


class RayDelivery:
    """Delivers tasks on the workers of a cluster, each of which has a StoreDelivery: see RayBulk.

    Args:
        ray: The module, connected.
        workers: How many; None: one for each CPU of the cluster.
        connect: Makes the client that polls and downloads, in each worker.
        store: Where the pictures go.
        options: ``downloads`` (of each worker), ``task_timeout`` and ``max_bytes`` are used.

    Raises:
        ConfigError: No worker could start.
    """

    def __init__(
        self,
        ray: Any,
        workers: int | None,
        connect: Callable[[], AsyncSeeDream],
        store: PictureStore,
        options: BulkOptions,
    ) -> None:
        self._ray = ray
        count = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        made = ray.remote(StoreDelivery).options(
            num_cpus=min(_CPU, ray.cluster_resources().get("CPU", 1) / count),
            max_restarts=-1,  # nothing that they do is paid for, and all of it can be repeated
            max_task_retries=0,  # see __call__: Ray reports each retry of its own to the terminal
            max_concurrency=_CALLS_AT_ONCE,
            scheduling_strategy="SPREAD",
        )
        self._workers = [made.remote(connect, store, options) for _ in range(count)]
        self._busy = [0] * count
        started, _ = ray.wait([worker.__ray_ready__.remote() for worker in self._workers], timeout=_START)
        if not started:  # nothing is submitted that nobody can fetch
            self.close()
            raise ConfigError(
                f"none of {count} workers could start on the Ray cluster within {_START:.0f} seconds",
                hint="Free a CPU of the cluster, or give another cluster.",
            )

    async def __call__(self, taskid: str, images: int) -> Delivery:
        """Deliver one task on the worker that has the least to do, and again on another where that one is lost."""
        reason = ""
        for attempt in range(_TRIES):
            await anyio.sleep(_PAUSE * attempt)
            number = self._busy.index(min(self._busy))
            self._busy[number] += 1
            try:
                delivery: Delivery = await self._workers[number].deliver.remote(taskid, images)
            except self._ray.exceptions.RayActorError as error:
                reason = type(error).__name__
            else:
                return delivery
            finally:
                self._busy[number] -= 1
        lost = DownloadError(f"{_TRIES} workers were lost, the last by {reason}", taskid=taskid, hint="Resume the run.")
        return Delivery(taskid, "submitted", error=lost)

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            self._ray.kill(worker)
