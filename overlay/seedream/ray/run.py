"""A bulk run whose tasks are waited for, and whose pictures are stored, by the workers of a Ray cluster."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from os import PathLike
from pathlib import Path

from attrs import evolve

from seedream.bulk import Bulk, BulkOptions, Delivery, Jobs, Report, Watch, read_jobs
from seedream.bulk.bulk import check_no_event_loop
from seedream.bulk.storage import PictureStore
from seedream.client import AsyncSeeDream
from seedream.ray.cluster import cluster, load_ray
from seedream.ray.delivery import RayDelivery


class RayBulk(Bulk):
    """A bulk run on a cluster: as Bulk, with the journal, the rate and the budget in this process. Use ``run``.

    At the end ``manifest.parquet`` is written beside results.jsonl.

    Args:
        folder: The output folder, on this machine.
        connect: Makes a client, here and in each worker; it is pickled.
        address: Of the cluster; None: a local one is started, and stopped at the end.
        workers: How many processes of the cluster deliver; None: one for each CPU.
        pictures: Where the pictures go: a directory that all nodes share, or a URI (``s3://bucket/prefix``); None:
            the output folder.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        *,
        connect: Callable[[], AsyncSeeDream] = AsyncSeeDream,
        address: str | None = None,
        workers: int | None = None,
        pictures: str | None = None,
    ) -> None:
        super().__init__(folder, connect=connect, deliver=self._deliver_there, manifest=True)
        self._address = address
        self._workers = workers
        self._store = PictureStore(pictures or str(self.folder.pictures.absolute()))
        self._delivery: RayDelivery | None = None

    def run(
        self,
        jobs: Jobs | None = None,
        *,
        encoding: str | None = None,
        options: BulkOptions | None = None,
        watch: Watch | None = None,
        signals: bool = False,
    ) -> Report:
        """Connect to the cluster, start the workers, and run as Bulk does.

        Raises:
            ConfigError: Ray is not installed, or the cluster or the place for the pictures cannot be used.
        """
        check_no_event_loop()
        load_ray()
        self._store.check()
        options = options or self.options()
        if isinstance(jobs, str | PathLike):  # wrong lines are shown before a cluster starts
            read_jobs(jobs, encoding=encoding, allow_unrecognized_sources=options.allow_unrecognized_sources)
        # Ray reports lost workers on stdout, which belongs to the results of a program.
        with redirect_stdout(sys.stderr), cluster(self._address, workers=self._workers) as ray:
            self._delivery = RayDelivery(ray, self._workers, self._connect, self._store, options)
            try:
                return super().run(jobs, encoding=encoding, options=options, watch=watch, signals=signals)
            finally:
                self._delivery.close()
                self._delivery = None

    async def _deliver_there(self, taskid: str, images: int) -> Delivery:
        assert self._delivery is not None  # noqa: S101 -- run() made it
        delivery = await self._delivery(taskid, images)
        root = self.folder.root.absolute()
        pictures = [evolve(one, path=_relative(one.path, root)) for one in delivery.pictures]
        return evolve(delivery, pictures=tuple(pictures))


def _relative(path: str, root: Path) -> str:
    """Return the path of a picture as a bulk run records it: relative in the output folder, so that it can be moved."""
    return Path(path).relative_to(root).as_posix() if "://" not in path and Path(path).is_relative_to(root) else path
