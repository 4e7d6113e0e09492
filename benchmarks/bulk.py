"""A bulk run of many jobs on this machine: memory, and what the journal costs beside a submission.

    python benchmarks/bulk.py [JOBS]     2,000 by default

The service is a process of its own on loopback and answers at once; a real one takes seconds, so the shares printed
here are the worst case. Ends with 1 if memory grows with the number of jobs.
"""

import json
import os
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from seedream import AsyncSeeDream
from seedream.bulk import Bulk, BulkOptions, Snapshot
from seedream.journal import Journal, Plan
from seedream.journal.commit import Committer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from chaos.kill import serving

MOST_GROWTH = 24  # MB between a tenth of the jobs and all of them


def memory() -> float:
    """Resident memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def alone(folder: Path, jobs: int) -> float:
    """Seconds for one job's four transitions, durable one by one, nothing else running."""
    with Journal(folder / "alone.sqlite") as journal:
        run = journal.run("bulk").id
        journal.plan(run, [Plan(str(n), "digest", {"prompt": "x" * 100}, 1) for n in range(jobs)])
        started = time.perf_counter()
        for job in journal.jobs(run, ("planned",)):
            entry = journal.submission_record(job.id, 1)
            entry.begin()
            entry.submitted(f"task-{job.id}")
            journal.succeeded(job.id)
            journal.downloaded(job.id, [])
        return (time.perf_counter() - started) / jobs


def main() -> int:
    """Run and print."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    spent = 0.0
    calls = 0
    lock = threading.Lock()
    real = Committer.do

    def timed(self: Committer, work: Any) -> Any:
        nonlocal spent, calls
        started = time.thread_time()
        try:
            return real(self, work)
        finally:
            with lock:
                spent += time.thread_time() - started
                calls += 1

    samples: list[tuple[int, float]] = []

    def watch(snapshot: Snapshot) -> None:
        samples.append((snapshot.counts["downloaded"], memory()))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        each = alone(folder, 500)
        file = folder / "jobs.jsonl"
        file.write_text("".join(json.dumps({"id": str(n), "prompt": f"picture {n}"}) + "\n" for n in range(jobs)))
        with serving(folder / "ledger") as address:
            Committer.do = timed  # type: ignore[method-assign]  # measured from outside
            started, cpu = time.perf_counter(), time.process_time()
            bulk = Bulk(folder / "out", connect=partial(AsyncSeeDream, "sk-bench", base_url=address))
            report = bulk.run(file, options=BulkOptions(concurrency=8), watch=watch)
            wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        size = (folder / "out" / "journal.sqlite").stat().st_size
    if not report.complete:
        print(f"the run did not end well: {report}")
        return 1
    early = next(mb for done, mb in samples if done >= jobs // 10)
    late = max(mb for done, mb in samples if done >= jobs // 10)
    print(f"{jobs} jobs in {wall:.1f} s ({jobs / wall:.0f}/s), all saved, {size / jobs:.0f} bytes of journal a job")
    print(f"memory: {early:.0f} MB after a tenth, {late:.0f} MB at most: {late - early:+.1f} MB")
    print(f"journal alone: {1000 * each:.2f} ms a job (four durable transitions)")
    print(f"journal in the run: {calls / jobs:.1f} writes a job, {100 * spent / cpu:.0f} % of the program's CPU time")
    if late - early > MOST_GROWTH:
        print(f"memory grows by more than {MOST_GROWTH} MB")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
