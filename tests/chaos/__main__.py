"""``python -m chaos``: all harnesses in full. Ends with 1 if anything was lost, paid twice, missing or corrupt."""

import sys
import time

from chaos.interrupt import interrupt_often
from chaos.kill import kill_often
from chaos.power import cut_power

KILLS, CUTS, INTERRUPTS = 500, 1000, 50


def main() -> int:
    started = time.monotonic()
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0

    def told(line: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {line}", flush=True)  # noqa: T201 -- its result

    cuts = cut_power(CUTS, seed)
    told(
        f"{cuts.cuts} power cuts: {cuts.lost} paid tasks lost, {cuts.twice} paid twice, {cuts.forgotten} acknowledged"
        f" ids gone, {cuts.broken} journals damaged, {cuts.missing} jobs missing"
    )
    interrupts = interrupt_often(INTERRUPTS, seed)
    told(
        f"{interrupts.tries} times Ctrl-C: {interrupts.unknown} unknown tasks, slowest end {interrupts.slowest:.2f} s,"
        f" {interrupts.verdict.charges} pictures' tasks charged, {interrupts.verdict.bad} wrong"
    )
    kills = kill_often(KILLS, seed)
    told(
        f"{kills.kills} kills in {kills.lives} lives of {kills.runs} runs, {kills.charges} tasks charged:"
        f" {kills.lost} lost, {kills.twice} paid twice, {kills.missing} pictures missing, {kills.corrupt} corrupt;"
        f" listed as unknown: {kills.unknown} charged, {kills.false_alarms} not"
    )
    told("killed at: " + ", ".join(f"{name} {count}" for name, count in sorted(kills.at.items())))
    wrong = cuts.bad + interrupts.unknown + interrupts.verdict.bad + kills.bad
    told("nothing lost, nothing paid twice" if not wrong else f"{wrong} WRONG")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
