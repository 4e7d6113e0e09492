"""Small helpers of the journal's tests."""

from collections.abc import Callable
from pathlib import Path

from seedream.errors import Rejected, SubmissionUnknown
from seedream.journal import Job, Journal, Plan, State

RUN = "bulk"


def planned(journal: Journal, *keys: str, cost: int = 1, budget: int | None = None) -> list[Job]:
    """Return a run with these jobs, planned."""
    run = journal.run(RUN, budget=budget)
    journal.plan(run.id, [Plan(key, f"digest-{key}", {"prompt": key}, cost) for key in keys])
    return list(journal.jobs(run.id))


def run_id(journal: Journal) -> int:
    run = journal.find_run(RUN)
    assert run is not None
    return run.id


def in_state(journal: Journal, key: str, state: State, *, cost: int = 1) -> Job:
    """Return a job that has come to this state by legal ways only."""
    planned(journal, key, cost=cost)
    job = journal.by_key(run_id(journal), key)
    assert job is not None
    for step in _WAYS[state]:
        step(journal, journal.job(job.id))
    job = journal.job(job.id)
    assert job.state == state
    return job


def _begin(journal: Journal, job: Job) -> None:
    journal.submission_record(job.id, job.cost).begin()


def _accept(journal: Journal, job: Job) -> None:
    entry = journal.submission_record(job.id, job.cost)
    entry.begin()
    entry.submitted(f"task-{job.key}")


def _lose(journal: Journal, job: Job) -> None:
    entry = journal.submission_record(job.id, job.cost)
    entry.begin()
    entry.unknown(SubmissionUnknown("no answer"))


def _reject(journal: Journal, job: Job) -> None:
    entry = journal.submission_record(job.id, job.cost)
    entry.begin()
    entry.refused(Rejected("no"))


_Step = Callable[[Journal, Job], None]
_SUCCEED: _Step = lambda journal, job: journal.succeeded(job.id)  # noqa: E731 -- one line each
_FAIL: _Step = lambda journal, job: journal.failed(job.id, ValueError("bad"))  # noqa: E731
_SAVE: _Step = lambda journal, job: journal.downloaded({job.id: []})  # noqa: E731
_ABANDON: _Step = lambda journal, job: journal.abandon(job)  # noqa: E731

_WAYS: dict[State, tuple[_Step, ...]] = {
    "planned": (),
    "submitting": (_begin,),
    "submitted": (_accept,),
    "succeeded": (_accept, _SUCCEED),
    "failed": (_accept, _FAIL),
    "downloaded": (_accept, _SUCCEED, _SAVE),
    "unknown": (_lose,),
    "rejected": (_reject,),
    "abandoned": (_ABANDON,),
}


def lines(path: Path) -> bytes:
    """Return all bytes of the journal and of SQLite's files beside it."""
    return b"".join(part.read_bytes() for part in sorted(path.parent.glob(f"{path.name}*")))
