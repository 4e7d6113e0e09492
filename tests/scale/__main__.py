"""The long form of the Ray tests: ``make scale``.

    python -m scale [--runs N] [--prompts N] [--jobs N]

A worker, the submitter and the driver are killed again and again while a local cluster works; the sandbox's ledger of
charges is the judge. At the end the cluster's throughput is measured beside that of a run in one process.
"""

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from seedream.bulk import Bulk, BulkOptions
from seedream.ray import RayBulk, start_submitter

from scale.cluster_runs import driver_killed, local_cluster, pipeline, submitter_killed, worker_killed
from scale.service import judge, rows

LEAST_THROUGHPUT = 0.6  # of the run in one process


def main() -> int:
    """Run and print; 1 when something was paid twice, lost, or too slow."""
    parser = argparse.ArgumentParser(prog="python -m scale", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="runs with a killed worker; a quarter with other kills")
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1000, help="of the measurement of throughput")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.0f} s] {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="scale-") as name, local_cluster():
        folder = Path(name)
        for run in range(asked.runs):
            with judge() as service:
                worker_killed(service, folder / f"worker-{run}", asked.prompts, chance)
                assert service.paid_twice == []
                say(f"worker killed, run {run + 1}: {asked.prompts} delivered, {service.paid} paid, 0 twice, 0 lost")
            shutil.rmtree(folder / f"worker-{run}")
        others = max(1, asked.runs // 4)
        for run in range(others):
            with judge() as service:
                done, unknown = submitter_killed(service, folder / f"submitter-{run}", asked.prompts, chance)
                assert service.paid_twice == []
                say(f"submitter killed, run {run + 1}: {done} delivered, {unknown} unknown, {service.paid} paid")
        for run in range(others):
            with judge() as service:
                done, unknown = driver_killed(service, folder / f"driver-{run}", asked.prompts, chance)
                assert service.paid_twice == []
                say(f"driver killed, run {run + 1}: {done} delivered, {unknown} unknown, {service.paid} paid")
        with judge() as service:
            submitter = start_submitter(folder / "lazy", connect=service.connect)
            lazy = pipeline(service, submitter, folder / "lazy", asked.prompts)
            lazy.take(5)
            lazy.write_parquet(str(folder / "lazy-manifest"))
            submitter.close()
            assert (service.paid, service.paid_twice) == (asked.prompts, [])
            say(f"take(5), then write_parquet: {service.paid} paid for {asked.prompts} prompts, 0 twice")
        share = throughput(folder, asked.jobs, say)
        ok = share >= LEAST_THROUGHPUT
        say(f"throughput on the cluster: {share:.2f} of one process ({'met' if ok else 'missed'}: {LEAST_THROUGHPUT})")
    return 0 if ok else 1


def throughput(folder: Path, jobs: int, say: object, rounds: int = 3) -> float:
    """Jobs a second on the cluster over jobs a second in one process: the middle of some pairs, in turns.

    The cluster is there already; its workers start within the measured time.
    """
    assert callable(say)
    options = BulkOptions(concurrency=8)
    shares = []
    for number in range(rounds):
        seconds = {}
        for kind, make in (("one process", Bulk), ("cluster", RayBulk)):
            with judge() as service:
                place = folder / f"{kind}-{number}"
                file = folder / "jobs.jsonl"
                file.write_text("".join(json.dumps(row) + "\n" for row in rows(jobs)), "utf-8")
                run = make(place, connect=service.connect)
                begun = time.perf_counter()
                report = run.run(file, options=options)
                seconds[kind] = time.perf_counter() - begun
                assert report.complete, report
                assert (service.paid, service.paid_twice) == (jobs, [])
                shutil.rmtree(place)
        share = seconds["one process"] / seconds["cluster"]
        shares.append(share)
        rates = ", ".join(f"{kind} {jobs / spent:.0f} jobs/s" for kind, spent in seconds.items())
        say(f"{jobs} jobs: {rates}, share {share:.2f}")
    return statistics.median(shares)


if __name__ == "__main__":
    sys.exit(main())
