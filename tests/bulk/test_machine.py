"""Runs, crashes at any step, decisions, in any order: charges = pictures delivered + listed unknowns.

A crash is an exception that nothing catches, raised at a step of the journal or of a download; from then on the journal
of that life can write nothing more, as after a kill. The model is the service's ledger.
"""

import tempfile
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from chaos.runner import FAILPOINTS
from chaos.service import Running, picture
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pytest import MonkeyPatch  # noqa: PT013 -- a class, not a fixture, here
from seedream import AsyncSeeDream
from seedream.bulk import Bulk, BulkOptions
from seedream.errors import JournalError
from seedream.journal import STATES, Job
from seedream.journal.commit import Committer
from support.bulk_bench import KEY
from support.clock import FakeClock

# Thousands of commits, none of them lost power: a file system in memory where there is one.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 -- a temporary folder in it
WORDS = ["", "", "", "[[429]]", "[[cut]]", "[[reject]]", "[[fail]]", "[[short]]", "[[noid]]", "[[500]]"]


class Crash(BaseException):
    """The process dies here."""


class Lives:
    """Arms one failpoint for one life."""

    def __init__(self, name: str, hit: int) -> None:
        self.patch = MonkeyPatch()
        self.left = hit
        self.dead = False
        owner, method, moment = FAILPOINTS[name]
        real, real_do = getattr(owner, method), Committer.do

        def wrapped(*arguments: Any, **options: Any) -> Any:
            if moment == "before":
                self.step()
            result = real(*arguments, **options)
            if moment == "after":
                self.step()
            return result

        def do(committer: Committer, work: Any) -> Any:
            if self.dead:
                raise Crash
            return real_do(committer, work)

        self.patch.setattr(owner, method, wrapped)
        self.patch.setattr(Committer, "do", do)

    def step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.dead = True
            raise Crash


class BulkMachine(RuleBasedStateMachine):
    """See the module."""

    @initialize()
    def start(self) -> None:
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY)
        self.root = Path(self.folder.name)
        self.running = Running(self.root / "ledger")
        self.running.__enter__()
        self.clock = FakeClock()
        self.rows: list[dict[str, Any]] = []
        self.allowed: Counter[str] = Counter()  # how often the user said that a job may be paid again
        connect = partial(AsyncSeeDream, KEY, base_url=self.running.service.base, clock=self.clock)
        self.bulk = Bulk(self.root / "out", connect=connect, clock=self.clock)

    def teardown(self) -> None:
        if not hasattr(self, "running"):
            return
        try:
            self.judge()
        finally:
            self.running.__exit__()
            self.folder.cleanup()

    def judge(self) -> None:
        """At the end all is done that can be done without the user; then charges = delivered + listed."""
        for _ in range(len(self.rows) + 1):
            if self.rows and self.bulk.run(self.rows, options=self.options).reason == "done":
                break
        self.nothing_is_paid_twice()
        delivered = listed = 0
        for job in self.jobs():
            paid = self.paid().get(job.key, [])
            unsure = job.state in ("unknown", "failed") or self.allowed[job.key] or job.state == "abandoned"
            assert job.state == "downloaded" or unsure or not paid, (job, paid)
            delivered += job.state == "downloaded"
            listed += bool(paid) and job.state != "downloaded"
            for one in self.pictures(job):
                assert one.read_bytes() == picture(str(job.taskid), int(one.stem.rpartition("-")[2]) - 1)
        assert len(self.paid()) == delivered + listed

    options = BulkOptions(concurrency=2)

    def jobs(self) -> list[Job]:
        try:
            return self.bulk.jobs(*STATES)
        except JournalError:
            return []  # it crashed before there was a journal

    def pictures(self, job: Job) -> list[Path]:
        found = (
            sorted((self.root / "out" / "pictures").glob(f"{job.taskid}-*.png")) if job.state == "downloaded" else []
        )
        assert len(found) == (job.cost if job.state == "downloaded" else 0)
        return found

    def paid(self) -> dict[str, list[str]]:
        charged: dict[str, list[str]] = {}
        for charge in self.running.charges:
            charged.setdefault(charge["prompt"], []).append(charge["taskid"])
        return charged

    @rule(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), images=st.integers(1, 3))
    def add(self, words: list[str], images: int) -> None:
        for word in words:
            prompt = f"picture {len(self.rows)} {word}"
            self.rows.append({"id": prompt, "prompt": prompt, "batchsize": images})

    @precondition(lambda self: self.rows)
    @rule()
    def run(self) -> None:
        self.bulk.run(self.rows, options=self.options)

    @precondition(lambda self: self.rows)
    @rule(name=st.sampled_from(sorted(FAILPOINTS)), hit=st.integers(1, 6))
    def crash(self, name: str, hit: int) -> None:
        life = Lives(name, hit)
        try:
            with suppress(Crash, BaseExceptionGroup):
                self.bulk.run(self.rows, options=self.options)
        finally:
            life.patch.undo()

    @precondition(lambda self: any(job.state == "unknown" for job in self.jobs()))
    @rule(data=st.data(), word=st.sampled_from(["again", "found", "abandon"]))
    def decide(self, data: Any, word: str) -> None:
        job = data.draw(st.sampled_from([job for job in self.jobs() if job.state == "unknown"]))
        paid = self.paid().get(job.key, [])
        if word == "again":
            self.allowed[job.key] += 1
            self.bulk.resolve(job.key, again=True)
        elif word == "abandon":
            self.bulk.resolve(job.key)
        elif paid and not self.allowed[job.key]:
            self.bulk.resolve(job.key, taskid=paid[-1])

    @precondition(lambda self: any(job.state == "failed" for job in self.jobs()))
    @rule()
    def retry(self) -> None:
        for job in self.jobs():
            self.allowed[job.key] += job.state == "failed"
        self.bulk.retry(["failed"])

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        if not hasattr(self, "running"):
            return
        for prompt, taskids in self.paid().items():
            assert len(taskids) <= 1 + self.allowed[prompt], prompt

    @invariant()
    def every_charge_is_known_or_listed(self) -> None:
        if not hasattr(self, "running"):
            return
        jobs = {job.key: job for job in self.jobs()}
        for prompt, taskids in self.paid().items():
            job = jobs[prompt]
            known = job.taskid in taskids
            assert known or job.state in ("unknown", "submitting", "abandoned") or self.allowed[prompt], job
            assert job.spent >= job.cost


BulkMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=10, deadline=None)
TestBulkMachine = BulkMachine.TestCase
