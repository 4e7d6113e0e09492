"""The manifest: one row for each picture, and one for each job without any, as Parquet."""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from seedream._files.atomic_file import NEW
from seedream.bulk.folder import Folder
from seedream.bulk.results import results
from seedream.bulk.rows import MANIFEST_COLUMNS
from seedream.errors import ConfigError
from seedream.journal import Run
from seedream.journal.queries import Queries

_INTEGERS: Final = frozenset({"images", "index", "bytes"})
_ROWS: Final = 10_000  # of one row group


def _pyarrow(module: str = "pyarrow") -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigError(
            "a Parquet manifest needs pyarrow", hint="Install the extra from the project's folder: pip install '.[ray]'"
        ) from None


def manifest_table(rows: Iterable[Mapping[str, Any]]) -> Any:
    """The rows as a pyarrow table with the manifest's columns.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    arrow = _pyarrow()
    schema = arrow.schema([(name, arrow.int64() if name in _INTEGERS else arrow.string()) for name in MANIFEST_COLUMNS])
    return arrow.Table.from_pylist(list(rows), schema=schema)


def manifest_rows(jobs: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same rows made from lines of results.jsonl."""
    for job in jobs:
        error = job["error"] or {}
        base = {name: job.get(name) for name in MANIFEST_COLUMNS}
        base |= {"error": error.get("type"), "message": error.get("message")}
        for index, picture in enumerate(job["pictures"]):
            yield base | {"index": index, **picture}
        if not job["pictures"]:
            yield base


def write_manifest(journal: Queries, run: Run, folder: Folder) -> None:
    """Write manifest.parquet, whole or not at all; one that is out of date is removed first.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    folder.manifest.unlink(missing_ok=True)
    parquet = _pyarrow("pyarrow.parquet")
    temporary = folder.manifest.with_name(f".{folder.manifest.name}{NEW}")
    try:
        with parquet.ParquetWriter(temporary, manifest_table([]).schema) as writer:
            rows = manifest_rows(results(journal, run))
            while part := list(islice(rows, _ROWS)):
                writer.write_table(manifest_table(part))
        temporary.replace(folder.manifest)
    finally:
        temporary.unlink(missing_ok=True)
