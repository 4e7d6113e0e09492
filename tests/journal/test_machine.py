"""Anything may happen in any order, and the program may die at any moment: charges = task ids + listed unknowns.

Rules drive the journal as a program would; the model is the service, which keeps its own list of charges.
"""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule
from seedream.errors import BudgetReached, NotSent, RateLimited, Rejected, SubmissionUnknown
from seedream.journal import Job, Journal, Plan, SubmissionRecord

# Thousands of commits, none of them lost power: a file system in memory where there is one.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 -- a temporary folder in it
BUDGET = 12


class JournalMachine(RuleBasedStateMachine):
    """Jobs are planned, begun, charged or not, answered or not; the process dies; the user decides."""

    begun = Bundle("begun")  # (key, entry, attempt): sent by the process that lives now

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.path = Path(self.folder.name) / "journal.sqlite"
        self.life = 0
        self.number = 0
        self.charges: dict[str, list[str]] = {}  # task ids by key, on the service's side
        self.recorded: set[str] = set()  # task ids that the journal acknowledged
        self.allowed: dict[str, int] = {}  # how often the user said "send it again, even if it is paid twice"

    @initialize()
    def start(self) -> None:
        self.journal = Journal(self.path, clock=lambda: 0.0)
        self.run = self.journal.run("bulk", budget=BUDGET).id

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()

    def job(self, key: str) -> Job:
        job = self.journal.by_key(self.run, key)
        assert job is not None
        return job

    @rule(cost=st.integers(1, 4))
    def plan(self, cost: int) -> None:
        self.number += 1
        key = f"job-{self.number}"
        assert self.journal.plan(self.run, [Plan(key, key, {}, cost)] * 2) == 1  # planning again adds nothing

    @precondition(lambda self: self.some("planned"))
    @rule(target=begun, data=st.data())
    def begin(self, data: Any) -> Any:
        job = data.draw(st.sampled_from(self.some("planned")))
        entry = self.journal.submission_record(job.id, job.cost)
        spent = self.journal.spent(self.run)
        try:
            entry.begin()
        except BudgetReached:
            assert spent + job.cost > BUDGET
            return ("", entry, 0)
        assert spent + job.cost <= BUDGET
        return (job.key, entry, self.life)

    def live(self, sent: tuple[str, SubmissionRecord, int]) -> bool:
        return bool(sent[0]) and sent[2] == self.life

    @rule(sent=consumes(begun), answer=st.sampled_from(["id", "lost", "limited", "rejected", "reset"]))
    def answer(self, sent: Any, answer: str) -> None:
        key, entry, _ = sent
        if not self.live(sent):
            return
        match answer:
            case "id":
                taskid = self.charge(key)
                entry.submitted(taskid)
                self.recorded.add(taskid)
            case "lost":
                self.charge(key)
                entry.unknown(SubmissionUnknown("the answer was lost"))
            case "reset":
                entry.unknown(SubmissionUnknown("the request was cut"))
            case "limited":
                entry.refused(RateLimited("429"))
            case _:
                entry.refused(Rejected("9999"))

    @rule(sent=consumes(begun), reached=st.booleans())
    def die(self, sent: Any, reached: bool) -> None:
        """The process dies with a request on the way, which reaches the service or not."""
        if self.live(sent) and reached:
            self.charge(sent[0])
        self.restart()

    @rule()
    def restart(self) -> None:
        self.life += 1
        self.journal.close()
        self.journal = Journal(self.path, clock=lambda: 0.0)

    def charge(self, key: str) -> str:
        paid = self.charges.setdefault(key, [])
        # The heart of it: nothing is paid a second time without the user's word.
        assert len(paid) <= self.allowed.get(key, 0), f"{key} is paid twice"
        paid.append(f"task-{key}-{len(paid)}")
        return paid[-1]

    def some(self, *states: Any) -> list[Job]:
        return list(self.journal.jobs(self.run, states))

    @precondition(lambda self: self.some("unknown", "rejected", "failed"))
    @rule(data=st.data(), word=st.sampled_from(["again", "abandon", "found"]))
    def decide(self, data: Any, word: str) -> None:
        job = data.draw(st.sampled_from(self.some("unknown", "rejected", "failed")))
        lost = [taskid for taskid in self.charges.get(job.key, []) if taskid not in self.recorded]
        if word == "again":
            self.allowed[job.key] = len(self.charges.get(job.key, []))
            self.journal.requeue(job)
        elif word == "abandon":
            self.journal.abandon(job)
        elif job.state == "unknown" and lost:
            self.journal.attach_task_id(job, lost[-1])
            self.recorded.add(lost[-1])

    @precondition(lambda self: self.some("submitted"))
    @rule(data=st.data(), good=st.booleans())
    def finish(self, data: Any, good: bool) -> None:
        job = data.draw(st.sampled_from(self.some("submitted")))
        if good:
            self.journal.succeeded(job.id)
        else:
            self.journal.failed(job.id, NotSent("the task failed"))

    @precondition(lambda self: self.some("succeeded"))
    @rule(data=st.data())
    def save(self, data: Any) -> None:
        self.journal.downloaded({data.draw(st.sampled_from(self.some("succeeded"))).id: []})

    @invariant()
    def every_acknowledged_id_is_kept(self) -> None:
        assert {taskid for taskid, _ in self.journal.accepted()} == self.recorded

    @invariant()
    def every_charge_is_known_or_listed(self) -> None:
        for key, paid in self.charges.items():
            for taskid in paid[self.allowed.get(key, 0) :]:
                state = self.job(key).state
                assert taskid in self.recorded or state in ("submitting", "unknown", "abandoned"), (key, state)

    @invariant()
    def what_may_be_charged_is_counted(self) -> None:
        jobs = self.some(
            *("planned", "submitting", "submitted", "succeeded", "failed", "downloaded"),
            "unknown",
            "rejected",
            "abandoned",
        )
        spent = self.journal.spent(self.run)
        assert spent == sum(job.spent for job in jobs) <= BUDGET
        for job in jobs:
            assert job.spent >= job.cost * len(self.charges.get(job.key, []))


JournalMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestJournalMachine = JournalMachine.TestCase
