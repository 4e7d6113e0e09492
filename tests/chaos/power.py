"""Power cuts: a journal runs on a disk that forgets; after each cut nothing paid may be lost or paid again.

The service is simulated by a list of charges: a submission is charged after ``begin`` has returned, as in life. At each
write, truncation and sync the power may fail; what would be left of the files is opened again by the journal as it is
shipped, and then the run goes on to its end.
"""

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from attrs import define, field
from seedream.errors import NotSent, Rejected, SubmissionUnknown
from seedream.journal import Job, Journal, Picture, Plan, ReadOnlyJournal

from chaos.database import Connection
from chaos.disk import SURVIVORS, Disk

JOBS = 8


@define
class Account:
    """The service's side: which keys were charged under which task id."""

    charges: dict[str, str] = field(factory=dict)
    known: dict[str, str] = field(factory=dict)  # task id by key, as far as the journal has acknowledged it

    def copy(self) -> "Account":
        return Account(dict(self.charges), dict(self.known))


@define
class Tally:
    """What the cuts showed. All but ``cuts``, ``unknown`` and ``false_alarms`` must stay 0."""

    cuts: int = 0
    unknown: int = 0  # charged, and listed as unknown: the user sees it
    false_alarms: int = 0  # listed as unknown, and not charged
    lost: int = 0  # charged, and neither known by its id nor listed as unknown
    twice: int = 0
    forgotten: int = 0  # an acknowledged task id that is gone
    broken: int = 0  # the journal does not open, or is damaged
    missing: int = 0  # jobs that are not there, or not done at the end
    kinds: Counter[str] = field(factory=Counter)

    @property
    def bad(self) -> int:
        return self.lost + self.twice + self.forgotten + self.broken + self.missing


def submit_all(journal: Journal, account: Account, chance: random.Random, attempts: int) -> None:
    """Bring every planned job to its end, with all the ways a submission can go."""
    run = journal.find_run("bulk")
    assert run is not None
    while jobs := journal.page(run.id, ["planned"]):
        for job in jobs:
            _submit(journal, account, job, chance, attempts)
    for job in journal.jobs(run.id, ["submitted"]):
        journal.succeeded(job.id)
    for job in journal.jobs(run.id, ["succeeded"]):
        journal.downloaded({job.id: [Picture(0, f"{job.taskid}-1.png", 100, "0" * 64)]})


def _submit(journal: Journal, account: Account, job: Job, chance: random.Random, attempts: int) -> None:
    entry = journal.submission_record(job.id, job.cost)
    entry.begin()
    luck = chance.random() if attempts else 1.0
    if luck < 0.15:
        entry.not_sent()
        return
    if luck < 0.2:
        entry.refused(NotSent("429"))
        return
    if luck < 0.25:
        entry.refused(Rejected("no"))
        journal.requeue(journal.job(job.id))
        return
    if job.key in account.charges:
        raise AssertionError(f"{job.key} is paid twice")
    taskid = account.charges[job.key] = f"task-{job.key}"
    if luck < 0.35:
        entry.unknown(SubmissionUnknown("reset"))
        return
    entry.submitted(taskid)
    account.known[job.key] = taskid


def cut_power(
    cuts: int, seed: int = 0, override: Callable[[str], str] = lambda sql: sql, *, records_lost: bool = False
) -> Tally:
    """Run journals until the power has failed so often.

    Args:
        cuts: How many cuts.
        seed: Of everything that is random.
        override: Changes the SQL, to show that a weaker journal is found out.
        records_lost: Open the journal although its mark shows that records are missing.
    """
    chance = random.Random(seed)  # noqa: S311 -- repeatable, not secret
    tally = Tally()
    number = 0
    while tally.cuts < cuts:
        number += 1
        with tempfile.TemporaryDirectory() as folder:
            _one_life(
                Path(folder), chance, tally, cuts, override, records_lost, f"forgetful-{seed}-{number}-{id(tally)}"
            )
    return tally


def _one_life(
    folder: Path,
    chance: random.Random,
    tally: Tally,
    cuts: int,
    override: Callable[[str], str],
    records_lost: bool,
    name: str,
) -> None:
    account = Account()
    ready = False

    def maybe_cut() -> None:
        if ready and tally.cuts < cuts and chance.random() < 0.06:
            tally.cuts += 1
            _cut(disk, path, account.copy(), chance, tally, records_lost=records_lost)

    disk = Disk(name, maybe_cut)
    (folder / "live").mkdir()
    path = folder / "live" / "journal.sqlite"
    with Journal(path, connect=lambda place: Connection(place, name, override)) as journal:
        pages = chance.choice([20, 100, 1000])  # small ones: also cut in the middle of checkpoints
        journal._read(lambda database: database.execute(f"PRAGMA wal_autocheckpoint={pages}"))
        run = journal.run("bulk")
        journal.plan(run.id, [Plan(f"job-{n}", "digest", {"prompt": "x" * 200}, 1) for n in range(JOBS)])
        ready = True
        submit_all(journal, account, chance, 1)
    disk.unregister()


def _cut(disk: Disk, live: Path, account: Account, chance: random.Random, tally: Tally, *, records_lost: bool) -> None:
    survivors = chance.choice(SURVIVORS)
    tally.kinds[survivors] += 1
    with tempfile.TemporaryDirectory() as folder:
        disk.after_cut(Path(folder), survivors, chance)
        path = Path(folder) / "journal.sqlite"
        # The newest mark that can be there: a journal that lost an acknowledged record must be refused.
        shutil.copy(f"{live}.lock", f"{path}.lock")
        try:
            with Journal(path, records_lost=records_lost) as journal:
                sound = journal._read(lambda database: database.execute("PRAGMA integrity_check").fetchone())
                tally.broken += sound != ("ok",)
                _look(journal, account, tally)
                submit_all(journal, account, chance, 0)
        except AssertionError:
            tally.twice += 1
            return
        except Exception:  # noqa: BLE001 -- whatever it is, the journal is not usable after this cut
            tally.broken += 1
            return
        with ReadOnlyJournal(path) as reader:
            run = reader.find_run("bulk")
            assert run is not None
            counts = reader.counts(run.id)
            tally.missing += JOBS - counts["downloaded"] - counts["unknown"] - counts["rejected"]


def _look(journal: Journal, account: Account, tally: Tally) -> None:
    run = journal.find_run("bulk")
    jobs = {job.key: job for job in journal.jobs(run.id)} if run is not None else {}
    for key in account.charges:
        job = jobs.get(key)
        if job is None:
            tally.lost += 1
        elif job.state == "unknown":
            tally.unknown += 1
        elif job.taskid != account.charges[key]:
            tally.lost += 1
    tally.false_alarms += sum(job.state == "unknown" and key not in account.charges for key, job in jobs.items())
    tally.forgotten += sum(key not in jobs or jobs[key].taskid != taskid for key, taskid in account.known.items())
