"""Journals that lose records after a kill: each way must be refused before anything is paid for again.

A run is killed at a random moment, its folder is damaged in a copy, and the run is started there again. Then the folder
as the kill left it goes on to its end, and the judge looks at all charges.
"""

import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from attrs import define, field
from seedream import AsyncSeeDream
from seedream.bulk import Bulk
from seedream.errors import JournalError
from seedream.journal import ReadOnlyJournal

from chaos.kill import Lives, Verdict, judge, killed_in_time, serving, write_jobs
from chaos.runner import ENDS
from chaos.service import charges

JOBS = 150


def _log(out: Path) -> Path:
    return out / "journal.sqlite-wal"


def delete_log(out: Path, _: random.Random) -> None:
    _log(out).unlink()


def truncate_log(out: Path, chance: random.Random) -> None:
    content = _log(out).read_bytes()
    _log(out).write_bytes(content[: chance.randrange(len(content) // 2)])


def flip_bit_in_log(out: Path, chance: random.Random) -> None:
    content = bytearray(_log(out).read_bytes())
    content[chance.randrange(len(content) * 2 // 3)] ^= 1 << chance.randrange(8)
    _log(out).write_bytes(content)


def keep_main_file_only(out: Path, _: random.Random) -> None:
    for end in ("-wal", "-shm", ".lock"):
        (out / f"journal.sqlite{end}").unlink(missing_ok=True)


def delete_journal(out: Path, _: random.Random) -> None:
    for path in out.glob("journal.sqlite*"):
        path.unlink()


DAMAGES: tuple[Callable[[Path, random.Random], None], ...] = (
    delete_log,
    truncate_log,
    flip_bit_in_log,
    keep_main_file_only,
    delete_journal,
)


@define
class Tally:
    """What the damages showed. ``charged`` and ``accepted`` must stay 0."""

    damages: int = 0
    refused: int = 0
    harmless: int = 0  # the damage hit nothing that was recorded: the journal is complete
    accepted: int = 0  # opened although records were missing
    charged: int = 0  # paid for in a damaged folder
    at: Counter[str] = field(factory=Counter)
    verdict: Verdict = field(factory=Verdict)

    @property
    def bad(self) -> int:
        return self.accepted + self.charged + self.verdict.bad


def damage_often(times: int, seed: int = 0) -> Tally:
    """Kill, damage and start again so often, over as many runs as that takes."""
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    tally = Tally()
    while tally.damages < times:
        with tempfile.TemporaryDirectory() as name:
            _one_run(Path(name), chance, tally, times)
    return tally


def _one_run(folder: Path, chance: random.Random, tally: Tally, times: int) -> None:
    prompts = write_jobs(folder / "jobs.jsonl", JOBS)
    ledger, out = folder / "ledger", folder / "out"
    arguments = (str(out), str(folder / "jobs.jsonl"))
    with serving(ledger, "0.01") as address, closing(Lives(*arguments, address)) as lives:
        while tally.damages < times:
            life, before = lives.begin(), len(charges(ledger))
            # Until something was paid for and saved there is nothing to lose.
            while not life.ended() and (len(charges(ledger)) < before + 3 or not any(out.glob("pictures/[!.]*"))):
                time.sleep(0.005)
            code = killed_in_time(life, chance.random() * 0.1)
            if code != -signal.SIGKILL:
                break
            if _log(out).exists() and _log(out).stat().st_size:
                _damage(folder, address, chance, tally)
        while lives.begin().wait() in (ENDS["unknowns"], -signal.SIGKILL):
            pass
    judge(folder, ledger, prompts, tally.verdict)


def _damage(folder: Path, address: str, chance: random.Random, tally: Tally) -> None:
    damage = DAMAGES[tally.damages % len(DAMAGES)]
    tally.damages += 1
    tally.at[damage.__name__] += 1
    copy = folder / "damaged"
    shutil.copytree(folder / "out", copy)
    known = _events(copy)
    damage(copy, chance)
    before = _settled(folder / "ledger")
    connect = partial(AsyncSeeDream, "sk-chaos-marker", base_url=address)
    try:
        if _events(copy) == known and damage is not keep_main_file_only:
            tally.harmless += 1  # going on here would pay for what the real folder pays for
        else:
            Bulk(copy, connect=connect).run(folder / "jobs.jsonl")
            tally.accepted += 1
    except JournalError:
        tally.refused += 1
    tally.charged += len(charges(folder / "ledger")) - before
    shutil.rmtree(copy)


def _settled(ledger: Path) -> int:
    """Return the number of charges, once requests that were on their way at the kill have arrived."""
    number = -1
    while number != (number := len(charges(ledger))):
        time.sleep(0.25)
    return number


def _events(folder: Path) -> int:
    """Return how many events the journal holds, as SQLite reads it."""
    try:
        with ReadOnlyJournal(folder / "journal.sqlite") as reader:
            return int(reader._rows("SELECT count(*) FROM event")[0][0])
    except JournalError:
        return -1
