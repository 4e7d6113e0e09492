"""The results beside the pictures, made from the journal, so that they can be made again at any time.

results.jsonl has one JSON object for each job. manifest.parquet has one row for each picture, or one for a job without.
"""

import importlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from seedream._files.atomic_file import atomic_write
from seedream.bulk.folder import Folder
from seedream.bulk.jobs_file import REDACTED
from seedream.errors import ConfigError
from seedream.journal import Run
from seedream.journal.queries import Queries

MANIFEST_COLUMNS: Final = (
    "id", "taskid", "state", "images", "index", "path", "bytes", "sha256", "billing", "error", "message",
)  # fmt: skip
_INTEGERS: Final = frozenset({"images", "index", "bytes"})
_ROWS: Final = 10_000  # of one row group


def results(journal: Queries, run: Run) -> Iterator[dict[str, Any]]:
    """Yield the jobs of a run with their pictures, in order: what results.jsonl holds."""
    for job in journal.jobs(run.id):
        yield {
            "id": job.key,
            "line": job.line,
            "state": job.state,
            "taskid": job.taskid,
            "request": {name: value for name, value in job.request.items() if name != REDACTED},
            "images": job.cost,
            "spent": job.spent,
            "billing": job.billing,
            "error": {"type": job.error, "message": job.message} if job.error else None,
            "pictures": [
                {"path": one.path, "bytes": one.bytes, "sha256": one.sha256} for one in journal.pictures(job.id)
            ],
        }


def write_results(journal: Queries, run: Run, folder: Folder) -> None:
    """Write results.jsonl, whole or not at all."""
    with atomic_write(folder.results) as file:
        for row in results(journal, run):
            file.write(_line(row).encode())


def _line(row: dict[str, Any]) -> str:
    """Return one line, with the characters escaped that some readers take for its end."""
    text = json.dumps(row, ensure_ascii=False)
    for end in ("\x85", "\u2028", "\u2029"):
        text = text.replace(end, f"\\u{ord(end):04x}")
    return f"{text}\n"


def _pyarrow(module: str = "pyarrow") -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ConfigError(
            "a Parquet manifest needs pyarrow", hint="Install the extra from the project's folder: pip install '.[ray]'"
        ) from None


def manifest_table(rows: Iterable[Mapping[str, Any]]) -> Any:
    """Return the rows as a pyarrow table with the manifest's columns.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    arrow = _pyarrow()
    schema = arrow.schema([(name, arrow.int64() if name in _INTEGERS else arrow.string()) for name in MANIFEST_COLUMNS])
    return arrow.Table.from_pylist(list(rows), schema=schema)


def manifest_rows(jobs: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the manifest's rows for lines of results.jsonl."""
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
    rows = manifest_rows(results(journal, run))
    with (
        atomic_write(folder.manifest) as file,
        parquet.ParquetWriter(file, manifest_table([]).schema) as writer,
    ):
        while part := list(islice(rows, _ROWS)):
            writer.write_table(manifest_table(part))
