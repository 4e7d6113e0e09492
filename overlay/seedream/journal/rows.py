"""What the journal holds, as plain values."""

import json
from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from seedream.errors import Billing
from seedream.journal.states import State


@frozen
class Plan:
    """A job to be done, before it has a row.

    Attributes:
        key: The user's id for it, unique in its run.
        digest: sha256 (hex) of the canonical request.
        request: The request as JSON can hold it, without keys or signed URLs.
        cost: Pictures that it asks for.
        line: Its line in the jobs file, from 1.
    """

    key: str
    digest: str
    request: Mapping[str, Any]
    cost: int
    line: int | None = None


@frozen
class Job:
    """One row: a job and how far it is. ``error`` and ``message`` are the last thing that went wrong."""

    id: int
    key: str
    digest: str
    line: int | None
    request: Mapping[str, Any] = field(repr=False)
    cost: int
    state: State
    attempt: int
    taskid: str | None
    spent: int
    error: str | None
    message: str | None
    updated: float

    @property
    def billing(self) -> Billing:
        """Whether the server can have charged for this job."""
        if self.spent == 0:
            return "no"
        return "yes" if self.state in {"submitted", "succeeded", "downloaded"} else "unknown"


@frozen
class Run:
    """A set of jobs with one budget. ``budget`` and ``spent`` count pictures; no budget means no limit."""

    id: int
    name: str
    options: Mapping[str, Any]
    budget: int | None
    spent: int


@frozen
class Picture:
    """A saved picture: path relative to the run's folder, size in bytes, sha256 (hex)."""

    index: int
    path: str
    bytes: int
    sha256: str


@frozen
class Event:
    """One transition of one job."""

    job: int
    old: State | None
    new: State
    attempt: int
    at: float
    actor: str
    error: str | None
    message: str | None


JOB_COLUMNS: Final = "id,key,digest,line,request,cost,state,attempt,taskid,spent,error,message,updated"


def job_of(row: tuple[Any, ...]) -> Job:
    """Return the job of a row of JOB_COLUMNS."""
    identity, key, digest, line, request, *rest = row
    return Job(identity, key, digest, line, json.loads(request), *rest)
