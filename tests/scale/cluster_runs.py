"""Runs on a local Ray cluster in which processes are killed, used by the tests and by the long form."""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ray
from seedream.bulk import Bulk, BulkOptions
from seedream.journal import Job
from seedream.ray import RayGenerate, RaySubmitter, cluster, start_submitter

from scale.service import Judge, delivered, rows

WORKER, SUBMITTER = "MapWorker", "SubmitterActor"
_LONGEST = 120.0  # seconds that anything here may take


@contextmanager
def local_cluster() -> Iterator[None]:
    """A local cluster with two CPUs, quiet."""
    os.environ["RAY_DATA_DISABLE_PROGRESS_BARS"] = "1"
    with cluster(workers=2):
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        yield


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for it."""
    end = time.monotonic() + _LONGEST
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen within {_LONGEST:.0f} s"
        time.sleep(0.01)


def descendants(pid: int, name: str = "") -> list[int]:
    """Processes that this process started, directly or not, whose command line contains the name."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, wave = [], [pid]
    while wave:
        wave = [child for child, parent in parents.items() if parent in wave]
        found += wave
    return [one for one in found if name in _command_line(one)]


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    except OSError:
        return ""


def listening(pids: list[int]) -> set[str]:
    """Addresses (in hexadecimal, as the kernel shows them) on which these processes accept TCP connections."""
    inodes = set()
    for pid in pids:
        # A process of the cluster may end, and a descriptor be closed, between two of these calls.
        with suppress(OSError):
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    inodes.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text("ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                found.add(fields[1].partition(":")[0])
    return found


def kill(name: str, chance: random.Random) -> None:
    """SIGKILL to one of the cluster's processes with that name."""
    while True:
        with suppress(ProcessLookupError):  # one that ended after it was listed: choose another
            return os.kill(chance.choice(descendants(os.getpid(), name)), signal.SIGKILL)


def pipeline(judge: Judge, submitter: RaySubmitter, folder: Path, count: int) -> Any:
    """Return the dataset of manifest rows; lazy."""
    return ray.data.from_items(rows(count), override_num_blocks=8).map_batches(
        RayGenerate,
        fn_constructor_args=(submitter, str(folder / "pictures")),
        fn_constructor_kwargs={"connect": judge.connect},
        batch_size=8,
        compute=ray.data.ActorPoolStrategy(size=2),
        num_cpus=0.5,
    )


def worker_killed(judge: Judge, folder: Path, count: int, chance: random.Random) -> None:
    """SIGKILL to a worker in the middle: everything is delivered, nothing paid twice, nothing lost."""
    before = judge.paid
    submitter = start_submitter(folder, connect=judge.connect, options=BulkOptions(concurrency=8))
    result = InThread(lambda: pipeline(judge, submitter, folder, count).take_all())
    moment = before + chance.randrange(count // 10, count * 9 // 10)
    until(lambda: judge.paid >= moment, "enough submissions")
    kill(WORKER, chance)
    manifest = result.get()
    report = submitter.close()
    assert delivered(manifest) == {row["id"] for row in rows(count)}
    assert report.counts["downloaded"] == count
    assert judge.paid - before == count


def submitter_killed(judge: Judge, folder: Path, count: int, chance: random.Random) -> tuple[int, int]:
    """SIGKILL to the submitter, and the same job again: (delivered, unknown)."""
    before = judge.paid
    submitter = start_submitter(folder, connect=judge.connect)
    result = InThread(lambda: pipeline(judge, submitter, folder, count).take_all())
    moment = before + chance.randrange(count // 10, count * 9 // 10)
    until(lambda: judge.paid >= moment, "enough submissions")
    kill(SUBMITTER, chance)
    assert isinstance(result.error(), ray.exceptions.RayError | ray.data.exceptions.UserCodeException), result.error()
    submitter = start_submitter(folder, connect=judge.connect)
    pipeline(judge, submitter, folder, count).take_all()
    submitter.close()
    return _settled(judge, folder, count, before)


def driver_killed(judge: Judge, folder: Path, count: int, chance: random.Random) -> tuple[int, int]:
    """SIGKILL to ``seedream bulk run --ray``, and the same command again: (delivered, unknown)."""
    before = judge.paid
    folder.mkdir()
    jobs = folder / "jobs.jsonl"
    jobs.write_text("".join(json.dumps(row) + "\n" for row in rows(count)), "utf-8")
    driver = _command(judge, folder, jobs)
    moment = before + chance.randrange(count // 10, count * 9 // 10)
    until(lambda: judge.paid >= moment, "enough submissions")
    started = descendants(driver.pid)
    driver.kill()
    driver.wait()
    for pid in started:  # they would end by themselves, after a minute
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not [pid for pid in started if "ray" in _command_line(pid)], "the end of the killed cluster")
    assert _command(judge, folder, jobs).wait(_LONGEST) in (0, 6)  # done, or some are unknown
    return _settled(judge, folder / "out", count, before)


def _command(judge: Judge, folder: Path, jobs: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "seedream", "bulk", "run", str(jobs), "-o", str(folder / "out"), "--ray"]
    variables = {"TENSORSLAB_API_KEY": judge.sandbox.api_key, "TENSORSLAB_BASE_URL": judge.sandbox.base_url}
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen([*command, "--workers", "2"], env={**os.environ, **variables}, stderr=log, stdout=log)


def _settled(judge: Judge, folder: Path, count: int, before: int) -> tuple[int, int]:
    """Whether the journal and the ledger agree: only what was in flight is unknown."""
    run = Bulk(folder)
    counts = run.counts()[1]
    unknown = run.jobs("unknown")
    assert counts["downloaded"] + counts["unknown"] == count, counts
    assert len(unknown) <= BulkOptions().concurrency
    assert judge.paid - before <= count
    paid = Counter(one.prompt for one in judge.sandbox.charges[before:])
    assert max(paid.values()) == 1
    assert count - counts["unknown"] <= judge.paid - before
    assert all(_picture_is_there(run, job) for job in run.jobs("downloaded")[:20])
    return counts["downloaded"], counts["unknown"]


def _picture_is_there(run: Bulk, job: Job) -> bool:
    for line in run.folder.results.read_text("utf-8").splitlines():
        result = json.loads(line)
        if result["id"] == job.key:
            return all((run.folder.root / one["path"]).stat().st_size == one["bytes"] for one in result["pictures"])
    return False


class InThread:
    """A call in a thread of its own."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._outcome: Any = None
        self._error: BaseException | None = None

        def work() -> None:
            try:
                self._outcome = call()
            except BaseException as error:  # noqa: BLE001 -- handed over
                self._error = error

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def get(self) -> Any:
        """Return what the call gave, or its error."""
        if (error := self.error()) is not None:
            raise error
        return self._outcome

    def error(self) -> BaseException | None:
        """Return the call's error, once it has ended."""
        self._thread.join(_LONGEST)
        assert not self._thread.is_alive()
        return self._error
