"""Ctrl-C in a bulk run, again and again: the first lets submissions finish, so nothing may become unknown."""

import random
import signal
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from attrs import define, field
from seedream.journal import ReadOnlyJournal

from chaos.kill import Lives, Verdict, judge, serving, write_jobs
from chaos.runner import ENDS
from chaos.service import charges

JOBS = 150
DELAY = 0.05  # seconds that the service takes to answer a submission
INTERRUPTED = ENDS["interrupted"]


@define
class Outcome:
    """What the interrupts showed."""

    tries: int = 0
    unknown: int = 0
    verdict: Verdict = field(factory=Verdict)
    codes: Counter[int] = field(factory=Counter)
    slowest: float = 0.0  # seconds from the signal to the end


def interrupt_often(tries: int, seed: int = 0, *, twice: bool = False) -> Outcome:
    """Interrupt one bulk run at random moments, resume it, and judge it at the end.

    Args:
        tries: How often.
        seed: Of the moments.
        twice: Go on sending signals: the second breaks off the submissions on their way.
    """
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    outcome = Outcome()
    while outcome.tries < tries:
        with tempfile.TemporaryDirectory() as name:
            _one_run(Path(name), tries, chance, outcome, twice=twice)
    return outcome


def _one_run(folder: Path, tries: int, chance: random.Random, outcome: Outcome, *, twice: bool) -> None:
    prompts = write_jobs(folder / "jobs.jsonl", JOBS)
    ledger = folder / "ledger"
    arguments = (str(folder / "out"), str(folder / "jobs.jsonl"))
    with serving(ledger, str(DELAY)) as address, closing(Lives(*arguments, address)) as lives:
        while outcome.tries < tries:
            before = len(charges(ledger))
            # Wait until the run submits: before that, Ctrl-C ends the start of a program, which is not what we try.
            life = lives.begin()
            while len(charges(ledger)) == before and not life.ended():
                time.sleep(0.005)
            time.sleep(chance.random() * 0.2)
            started = time.monotonic()
            life.send(signal.SIGINT)
            while twice and not life.ended():  # signals that come too close together count as one
                time.sleep(0.01)
                life.send(signal.SIGINT)
            code = life.wait()
            outcome.slowest = max(outcome.slowest, time.monotonic() - started)
            outcome.codes[code] += 1
            outcome.tries += code == INTERRUPTED
            if code == 0:
                break
        while lives.begin().wait() != 0:
            pass
    with ReadOnlyJournal(folder / "out" / "journal.sqlite") as reader:
        run = reader.find_run("bulk")
        assert run is not None
        outcome.unknown += reader.counts(run.id)["unknown"]
    judge(folder, ledger, prompts, outcome.verdict)
