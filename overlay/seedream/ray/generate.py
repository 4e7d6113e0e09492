"""The callable class for ``ray.data.Dataset.map_batches``."""

import math
from collections.abc import Callable
from typing import Any

from seedream.bulk.options import BulkOptions
from seedream.bulk.results import manifest_table
from seedream.bulk.rows import GenerateRows
from seedream.client import AsyncSeeDream
from seedream.ray.submitter import RaySubmitter


class RayGenerate:
    """Rows of a jobs file in, manifest rows out. Ray may run any batch again: nothing is paid twice.

    ::

        rows.map_batches(
            RayGenerate,
            fn_constructor_args=(submitter, "s3://bucket/pictures"),
            compute=ray.data.ActorPoolStrategy(size=4),
            num_cpus=0.25,
            batch_size=16,
            batch_format="pyarrow",
        ).write_parquet("s3://bucket/manifest")

    A batch's rows are worked on at once, and four batches at once in each worker. Columns are those of a jobs file;
    select them first where a dataset has others.

    Args:
        submitter: Of ``start_submitter``.
        pictures: A directory that all nodes share, or a URI.
        connect: Makes the client that polls and downloads.
        options: ``downloads``, ``task_timeout`` and ``max_bytes`` of it are used, in each worker.
    """

    def __init__(
        self,
        submitter: RaySubmitter,
        pictures: str,
        *,
        connect: Callable[[], AsyncSeeDream] = AsyncSeeDream,
        options: BulkOptions | None = None,
    ) -> None:
        self._generate = GenerateRows(submitter, pictures, connect=connect, options=options)

    async def __call__(self, batch: Any) -> Any:
        """Do one batch (a pyarrow table, or columns of values); return a pyarrow table of manifest rows."""
        return manifest_table(await self._generate.rows(_rows(batch)))


def _rows(batch: Any) -> list[dict[str, Any]]:
    """Return the batch as rows. Ray's default format writes NaN for missing values, and integers as fractions."""
    if hasattr(batch, "to_pylist"):
        rows: list[dict[str, Any]] = batch.to_pylist()
        return rows
    columns = {name: [_value(value) for value in values] for name, values in batch.items()}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _value(value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value  # numpy's own types are not JSON
    if isinstance(value, float):
        return None if math.isnan(value) else int(value) if value.is_integer() else value
    return value
