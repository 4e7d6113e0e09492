"""The results beside the pictures: one JSON object a job, made from the journal; it can be made again at any time."""

import json
from collections.abc import Iterator
from typing import Any

from seedream._files.atomic_file import atomic_write
from seedream.bulk.folder import Folder
from seedream.bulk.jobs_file import REDACTED
from seedream.journal import STATES, Job, Run
from seedream.journal.queries import Queries


def results(journal: Queries, run: Run) -> Iterator[dict[str, Any]]:
    """The jobs of a run with their pictures, in order: what results.jsonl holds."""
    for job in journal.jobs(run.id, STATES):
        yield {**_job(job), "pictures": [_picture(one) for one in journal.pictures(job.id)]}


def _job(job: Job) -> dict[str, Any]:
    error = {"type": job.error, "message": job.message} if job.error else None
    return {
        "id": job.key,
        "line": job.line,
        "state": job.state,
        "taskid": job.taskid,
        "request": {name: value for name, value in job.request.items() if name != REDACTED},
        "images": job.cost,
        "spent": job.spent,
        "billing": job.billing,
        "error": error,
    }


def _picture(one: Any) -> dict[str, Any]:
    return {"path": one.path, "bytes": one.bytes, "sha256": one.sha256}


def write_results(journal: Queries, run: Run, folder: Folder) -> None:
    """Write results.jsonl, whole or not at all."""
    with atomic_write(folder.results) as file:
        for row in results(journal, run):
            file.write(_line(row).encode())


def _line(row: dict[str, Any]) -> str:
    """One line for any reader: the characters that some take for a line's end are escaped."""
    text = json.dumps(row, ensure_ascii=False)
    for end in ("\x85", "\u2028", "\u2029"):
        text = text.replace(end, f"\\u{ord(end):04x}")
    return f"{text}\n"
