"""Kills a bulk run again and again, at random moments and at every failpoint, until all is done; then judges it.

The judge is the service's ledger: every charge must be a picture that is there and right, or listed as unknown.
"""

import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

from attrs import define, field
from PIL import Image
from seedream.journal import ReadOnlyJournal

from chaos.runner import ENDS, FAILPOINTS, ONCE
from chaos.service import charges, picture

JOBS = 120
LIVES = 40  # of one run, at most
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


@define
class Verdict:
    """What the kills showed. ``twice``, ``lost``, ``missing`` and ``corrupt`` must stay 0."""

    kills: int = 0
    lives: int = 0
    runs: int = 0
    charges: int = 0
    unknown: int = 0
    false_alarms: int = 0
    twice: int = 0
    lost: int = 0
    missing: int = 0
    corrupt: int = 0
    at: Counter[str] = field(factory=Counter)

    @property
    def bad(self) -> int:
        return self.twice + self.lost + self.missing + self.corrupt


class Life:
    """One life of the runner."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._pid = int(pipe.readline())

    def send(self, number: int) -> None:
        """Send it a signal. Its parent waits for it, but nobody else: the id may be free again once it has ended."""
        if not self.ended():
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return bool(select.select([self._pipe], [], [], 0)[0])

    def wait(self) -> int:
        """Its exit code, negative for the signal that ended it."""
        return int(self._pipe.readline())


class Lives:
    """Runs lives of the runner, one after the other."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = arguments
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chaos.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=ENVIRONMENT,
        )

    def begin(self, *failpoint: str) -> "Life":
        """Begin a life."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([*self._arguments, *failpoint]).encode() + b"\n")
        return Life(self._process.stdout)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


def kill_often(kills: int, seed: int = 0, *, forgetful: bool = False) -> Verdict:
    """Run bulk runs and kill them until there were so many kills; judge each run when it is done.

    Args:
        kills: How many.
        seed: Of what is random.
        forgetful: Spoil the recovery, to show that the judge finds it out.
    """
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    verdict = Verdict()
    points = [(name, str(hit)) for name in FAILPOINTS for hit in ((1,) if name in ONCE else (1, 2, 7))]
    chance.shuffle(points)
    while verdict.kills < kills:
        with tempfile.TemporaryDirectory() as folder:
            _one_run(
                Path(folder), chance, [("before-submitted", "1")] if forgetful else points, verdict, kills, forgetful
            )
    return verdict


def _one_run(
    folder: Path,
    chance: random.Random,
    points: list[tuple[str, str]],
    verdict: Verdict,
    kills: int,
    forgetful: bool,
) -> None:
    sandbox = verdict.runs % 4 == 1  # one run in four against the sandbox, the others against the small, fast service
    prompts = write_jobs(folder / "jobs.jsonl", JOBS, "" if sandbox else " [[429]]")
    ledger = folder / "ledger"
    service = serving_sandbox(ledger) if sandbox else serving(ledger)
    with service as address, closing(Lives(str(folder / "out"), str(folder / "jobs.jsonl"), address)) as lives:
        last = verdict.lives + LIVES
        while verdict.kills < kills and verdict.lives < last:
            verdict.lives += 1
            if verdict.lives % 2:
                name, code = "random", killed_in_time(lives.begin(), chance.random() * 0.4)
            else:
                name, hit = points[verdict.lives // 2 % len(points)]
                code = lives.begin(name, hit).wait()
            if code == -signal.SIGKILL:
                verdict.kills += 1
                verdict.at[name] += 1
            elif code not in (0, ENDS["unknowns"]):
                raise AssertionError(f"the runner ended with {code}")
            elif not _work_left(folder):
                break
        while lives.begin(*(["forgetful"] if forgetful else [])).wait() == ENDS["unknowns"]:
            pass  # it stopped to protect the credits: started again
    verdict.runs += 1
    judge(folder, ledger, prompts, verdict, _is_whole if sandbox else _is_the_services)


def killed_in_time(life: Life, seconds: float) -> int:
    """Kill this life after so many seconds; gives its exit code."""
    time.sleep(seconds)
    life.send(signal.SIGKILL)
    return life.wait()


def _work_left(folder: Path) -> bool:
    with ReadOnlyJournal(folder / "out" / "journal.sqlite") as reader:
        run = reader.find_run("bulk")
        return run is None or any(reader.page(run.id, ["planned", "submitted", "succeeded"], limit=1))


def write_jobs(path: Path, number: int, now_and_then: str = "") -> list[str]:
    """Return a jobs file; gives the prompts, which are also the ids."""
    prompts = [f"picture {n}" + (now_and_then if n % 13 == 0 else "") for n in range(number)]
    rows = ({"id": prompt, "prompt": prompt, "batchsize": 1 + n % 2} for n, prompt in enumerate(prompts))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return prompts


@contextmanager
def serving(ledger: Path, *arguments: str) -> Iterator[str]:
    """The service in a process of its own; gives its address."""
    command = [sys.executable, "-m", "chaos.service", str(ledger), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


@contextmanager
def serving_sandbox(ledger: Path) -> Iterator[str]:
    """The sandbox in a process of its own; gives its address."""
    command = [sys.executable, "-m", "seedream", "sandbox", "--port", "0", "--no-log", "--ledger", str(ledger)]
    command += ["--pictures", "plain", "--progress", "instant", "--credits", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as server:
        assert server.stdout is not None
        address = re.search(rb"http://[0-9.]+:[0-9]+", server.stdout.readline())
        assert address is not None
        try:
            yield address[0].decode()
        finally:
            server.terminate()
            server.communicate(timeout=30)  # it says what was charged


def _is_the_services(path: Path, taskid: str, index: int) -> bool:
    return path.read_bytes() == picture(taskid, index)


def _is_whole(path: Path, _taskid: str, _index: int) -> bool:
    with Image.open(path) as image:
        image.load()  # decodes all of it
        return image.size == (2048, 2048)


def judge(
    folder: Path,
    ledger: Path,
    prompts: list[str],
    verdict: Verdict,
    is_right: Callable[[Path, str, int], bool] = _is_the_services,
) -> None:
    """Hold the run's journal and files against the service's ledger."""
    paid: dict[str, list[str]] = {}
    for charge in charges(ledger):
        paid.setdefault(charge["prompt"], []).append(charge["taskid"])
    verdict.charges += sum(map(len, paid.values()))
    verdict.twice += sum(len(taskids) - 1 for taskids in paid.values())
    with ReadOnlyJournal(folder / "out" / "journal.sqlite") as reader:
        run = reader.find_run("bulk")
        assert run is not None
        jobs = {job.key: job for job in reader.jobs(run.id)}
        verdict.missing += len(prompts) - len(jobs)
        for prompt, job in jobs.items():
            if job.state == "unknown":
                verdict.unknown += prompt in paid
                verdict.false_alarms += prompt not in paid
            elif job.taskid not in paid.get(prompt, []):
                verdict.lost += 1
            elif job.state != "downloaded":
                verdict.missing += 1
            else:
                saved = reader.pictures(job.id)
                verdict.missing += job.cost - len(saved)
                for one in saved:
                    path = folder / "out" / one.path
                    verdict.missing += not path.exists()
                    verdict.corrupt += path.exists() and not is_right(path, str(job.taskid), one.index)
    stray = {path.name for path in (folder / "out" / "pictures").iterdir()} if jobs else set()
    verdict.corrupt += sum(name.endswith(".part") for name in stray)
