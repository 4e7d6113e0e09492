"""The manifest: one row for each picture, and one for each job without any, as Parquet."""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from seedream.bulk.rows import MANIFEST_COLUMNS
from seedream.errors import ConfigError

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


def manifest_rows(results: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same rows made from lines of results.jsonl."""
    for job in results:
        error = job["error"] or {}
        base = {name: job.get(name) for name in MANIFEST_COLUMNS}
        base |= {"error": error.get("type"), "message": error.get("message")}
        for index, picture in enumerate(job["pictures"]):
            yield base | {"index": index, **picture}
        if not job["pictures"]:
            yield base


def write_manifest(path: Path, results: Iterable[Mapping[str, Any]]) -> None:
    """Write a Parquet file, whole or not at all.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    parquet = _pyarrow("pyarrow.parquet")
    temporary = path.with_name(f".{path.name}.new")
    try:
        with parquet.ParquetWriter(temporary, manifest_table([]).schema) as writer:
            rows = manifest_rows(results)
            while part := list(islice(rows, _ROWS)):
                writer.write_table(manifest_table(part))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
