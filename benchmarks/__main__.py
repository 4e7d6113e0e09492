"""The client and its peers side by side, in one interleaved run: ratios, quartiles, connections.

    python -m benchmarks                          all rows, with docs/performance.md written
    python -m benchmarks --row 'submit/*'         some rows only, printed
    python -m benchmarks --row query/https/0 --clients seedream --rounds 5

The peers' environments are made under build/ when they are missing.
"""

import argparse
import fnmatch
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import report
from benchmarks.measure import Bench
from benchmarks.rows import COUNTED, PEERS, ROWS, Row
from benchmarks.services import ROOT, environment, services

FULL, QUICK = 11, 3  # rounds
MOST_SECONDS = 480.0  # for the rows with ratios; counting and the table of kept connections take three minutes more


def _measure(bench: Bench, row: Row, rounds: int, until: float, results: report.Results) -> str:
    """Measure one row and print it; gives what went wrong, or nothing: the other rows are worth their time."""
    try:
        results.rows[row] = bench.measure(row, rounds, until)
    except RuntimeError as error:
        print(text := f"failed: {error}", flush=True)
        return text
    print(report.line(row, results.rows[row]), flush=True)
    return ""


def _prepare_environments(clients: tuple[str, ...] | None, rows: list[Row]) -> None:
    """Make the environments that are missing, which takes minutes, before the time of the run begins."""
    used = {client for row in rows for client in row.clients if clients is None or client in clients}
    for name in sorted({PEERS[client].environment for client in used}):
        environment(name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true", help="list the rows and stop")
    parser.add_argument(
        "--row", action="append", metavar="NAME", help="this row only; * and ? are understood; repeatable"
    )
    parser.add_argument("--clients", metavar="A,B", help="these clients only (the reference always runs)")
    parser.add_argument("--rounds", type=int, help=f"rounds of turns: {FULL}, or {QUICK} with --quick")
    parser.add_argument("--quick", action="store_true", help="few rounds, near rows only, nothing written")
    parser.add_argument("--seconds", type=float, default=MOST_SECONDS, help="stop adding rounds after so many seconds")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the tables to this file")
    return parser


def _clients(parser: argparse.ArgumentParser, given: str | None) -> tuple[str, ...] | None:
    """Return the clients that are asked for by name; None: all."""
    names = tuple(given.split(",")) if given else None
    if names and (unknown := set(names) - set(PEERS)):
        parser.error(f"no client {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    return names


def main() -> int:
    """Measure, print, and write."""
    parser = _parser()
    asked = parser.parse_args()
    everything = (*ROWS, *COUNTED)
    if asked.list:
        print("\n".join(f"{row.id:28} {row.title}" for row in everything))
        return 0

    def wanted(name: str, distance: int = 0) -> bool:
        if asked.row:
            return any(fnmatch.fnmatch(name, pattern) for pattern in asked.row)
        return not asked.quick or not (distance or name.startswith("growth/"))

    clients = _clients(parser, asked.clients)
    rounds = asked.rounds or (QUICK if asked.quick else FULL)
    rows = [row for row in ROWS if wanted(row.id, row.distance)]
    _prepare_environments(clients, rows)
    started = time.monotonic()
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name, services(Path(name)) as running:
        bench = Bench(running, clients=clients)
        results = report.Results()
        for number, row in enumerate(rows):
            left = started + asked.seconds - time.monotonic()
            if error := _measure(bench, row, rounds, time.monotonic() + left / (len(rows) - number), results):
                failed.append(error)
        for row in COUNTED:
            if wanted(row.id):
                results.counted[row] = bench.count(row)
                print(report.count_line(row, results.counted[row]), flush=True)
        if wanted("reuse"):
            results.reuse = bench.reuse(quick=asked.quick)
            print(report.reuse_table(results.reuse), flush=True)
    missed = [*failed, *report.missed(results)]
    print("", *(missed or ["every goal is met"]), sep="\n")
    if asked.write:
        (ROOT / asked.write).write_text(report.page(results), "utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
