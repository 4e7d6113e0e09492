"""``python -m chaos``: all harnesses in full. Ends with 1 if anything was lost, paid twice, missing or corrupt."""

import sys
import time

from support.signals import heed_signals

from chaos.damage import damage_often
from chaos.interrupt import interrupt_often
from chaos.kill import kill_often
from chaos.power import cut_power
from chaos.small_disk import fill_often

KILLS, CUTS, INTERRUPTS, DAMAGES, FILLS = 500, 1000, 50, 50, 20


def main() -> int:
    heed_signals()  # also for the runs that are interrupted here
    started = time.monotonic()
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0

    def report(line: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {line}", flush=True)  # noqa: T201 -- its result

    cuts = cut_power(CUTS, seed)
    report(
        f"{cuts.cuts} power cuts: {cuts.lost} paid tasks lost, {cuts.twice} paid twice, {cuts.forgotten} acknowledged"
        f" ids gone, {cuts.broken} journals damaged, {cuts.missing} jobs missing"
    )
    interrupts = interrupt_often(INTERRUPTS, seed)
    report(
        f"{interrupts.tries} times Ctrl-C: {interrupts.unknown} unknown tasks, slowest end {interrupts.slowest:.2f} s,"
        f" {interrupts.verdict.charges} pictures' tasks charged, {interrupts.verdict.bad} wrong"
    )
    kills = kill_often(KILLS, seed)
    report(
        f"{kills.kills} kills in {kills.lives} lives of {kills.runs} runs, {kills.charges} tasks charged:"
        f" {kills.lost} lost, {kills.twice} paid twice, {kills.missing} pictures missing, {kills.corrupt} corrupt;"
        f" listed as unknown: {kills.unknown} charged, {kills.false_alarms} not"
    )
    report("killed at: " + ", ".join(f"{name} {count}" for name, count in sorted(kills.at.items())))
    damages = damage_often(DAMAGES, seed)
    report(
        f"{damages.damages} journals damaged after a kill: {damages.refused} refused, {damages.harmless} lost nothing,"
        f" {damages.accepted} accepted, {damages.charged} tasks charged in them, {damages.verdict.bad} wrong"
    )
    fills = fill_often(FILLS, seed)
    if fills is None:
        report("no full disks: a small file system cannot be mounted here")
    else:
        report(
            f"{fills.fills} full disks: {fills.verdict.twice} paid twice, {fills.verdict.lost} lost,"
            f" {fills.verdict.missing} pictures missing, slowest end {fills.slowest:.2f} s"
        )
    wrong = (
        damages.bad
        + (fills.verdict.bad if fills is not None else 0)
        + cuts.bad
        + interrupts.unknown
        + interrupts.verdict.bad
        + kills.bad
    )
    report("nothing lost, nothing paid twice" if not wrong else f"{wrong} WRONG")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
