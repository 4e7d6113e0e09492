"""A disk that fills up at random moments of a run, and has room again later: nothing may be lost or paid twice.

It needs the right to mount a small file system in memory; without it the harness says so and tries nothing.
"""

import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from attrs import define, field

from chaos.kill import Lives, Verdict, judge, serving, write_jobs
from chaos.runner import ENDS
from chaos.service import charges

JOBS = 120
SIZE = "12m"  # all pictures, thumbnails and pages, and 1 MiB that the run keeps free


@define
class Tally:
    """What the full disks showed."""

    fills: int = 0
    verdict: Verdict = field(factory=Verdict)
    codes: Counter[int] = field(factory=Counter)
    slowest: float = 0.0  # seconds from Ctrl-C to the end


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of 12 MB mounted at this folder; False where it cannot be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607 -- as the mount


def fill_often(times: int, seed: int = 0) -> Tally | None:
    """Fill the disk so often; None where no small disk can be mounted."""
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    tally = Tally()
    while tally.fills < times:
        with tempfile.TemporaryDirectory() as name, small_disk(Path(name) / "disk") as mounted:
            if not mounted:
                return None
            _one_run(Path(name), chance, tally, times)
    return tally


def _one_run(folder: Path, chance: random.Random, tally: Tally, times: int) -> None:
    prompts = write_jobs(folder / "jobs.jsonl", JOBS)
    out, ledger, filler = folder / "disk" / "out", folder / "ledger", folder / "disk" / "filler"
    with serving(ledger, "0.02") as address, closing(Lives(str(out), str(folder / "jobs.jsonl"), address)) as lives:
        while tally.fills < times:
            life, before = lives.begin(), len(charges(ledger))
            while not life.ended() and len(charges(ledger)) == before:
                time.sleep(0.005)
            time.sleep(chance.random() * 0.2)
            if life.ended():
                tally.codes[life.wait()] += 1
                break
            tally.fills += 1
            _fill(filler)
            time.sleep(chance.random() * 0.3)
            if chance.random() < 0.5:  # room comes back while it still tries to record
                filler.unlink()
            started = time.monotonic()
            life.send(signal.SIGINT)
            tally.codes[life.wait()] += 1
            tally.slowest = max(tally.slowest, time.monotonic() - started)
            filler.unlink(missing_ok=True)
        while (code := lives.begin().wait()) in (ENDS["unknowns"], ENDS["disk"]):
            tally.codes[code] += 1
    (folder / "out").symlink_to(out)  # where the judge looks
    judge(folder, ledger, prompts, tally.verdict)


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return  # full
