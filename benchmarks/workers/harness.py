"""What every worker does: prepare a piece of work, run it so many times, measure only the running.

One JSON document a line on stdin, one answer a line on stdout::

    {"prepare": "submit", "base_url": ..., ...}    {"ok": true}, or {"skip": "why this client cannot do it"}
    {"run": 100, "warm": 1}                        {"wall": s, "cpu": s, "peak": bytes, "details": {...}}

A piece of work is a generator, or an asynchronous one, that sets up, yields a function of the number of calls, and
tears down. The libraries measured are imported by the worker's own module; this one needs the standard library only.
"""

import asyncio
import gc
import inspect
import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEY = "sk-benchmark"
PROMPT = "a lighthouse at dawn, waves below, gulls above"
RESOLUTION = "2048x2048"
SUBMIT, QUERY = "/v1/images/seedreamv45", "/v1/images/infobytaskid"


@dataclass
class Job:
    """What a piece of work is given."""

    base_url: str
    ca: str = ""  # file of the certificate authority, for https
    taskid: str = ""
    images: int = 1
    uploads: list[str] = field(default_factory=list)
    directory: str = ""  # an empty directory for what is saved
    options: dict[str, Any] = field(default_factory=dict)

    def fresh_directory(self) -> Path:
        """Return a directory that does not exist yet."""
        return Path(self.directory) / f"{time.monotonic_ns()}"


class Skip(Exception):
    """This client cannot do the work."""


def _memory(name: str) -> int:
    """``VmRSS`` or ``VmHWM`` in bytes; 0 where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def resident() -> int:
    """Memory of this process in bytes."""
    return _memory("VmRSS")


def _reset_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
    except OSError:
        return


def _measured(run: Callable[[int], Any], count: int, before: int) -> dict[str, Any]:
    gc.collect()
    _reset_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    details = run(count)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"wall": wall, "cpu": cpu, "peak": max(0, _memory("VmHWM") - before), "details": details or {}}


def _open(
    work: Callable[[Job], Any], job: Job, runner: asyncio.Runner
) -> tuple[Callable[[int], Any], Callable[[], None]]:
    """Return the function to measure, and how to tear down."""
    if not inspect.isasyncgenfunction(work):
        steps = work(job)
        return next(steps), steps.close
    awaited = work(job)
    run = runner.run(awaited.__anext__())
    return (lambda count: runner.run(run(count))), lambda: runner.run(awaited.aclose())


def serve(works: Mapping[str, Callable[[Job], Any]]) -> None:
    """Obey until stdin ends."""
    close: Callable[[], None] | None = None
    run: Callable[[int], Any] | None = None
    before = 0  # memory when the work was prepared and nothing had run yet
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            asked = json.loads(line)
            if "prepare" in asked:
                work = works.get(asked.pop("prepare"))
                try:
                    if work is None:
                        raise Skip("no such operation")  # noqa: TRY301 -- one answer for both
                    run, close = _open(work, Job(**asked), runner)
                    before = _memory("VmRSS")
                    answer: dict[str, Any] = {"ok": True}
                except Skip as reason:
                    answer = {"skip": str(reason)}
            else:
                assert run is not None  # noqa: S101 -- for the type checker
                if warm := asked.get("warm"):  # connections that have been idle for long are made again here
                    run(warm)
                answer = _measured(run, asked["run"], before)
            print(json.dumps(answer), flush=True)
        if close:
            close()


async def gather(count: int, call: Callable[[], Any]) -> None:
    """So many calls at once."""
    await asyncio.gather(*(call() for _ in range(count)))


async def many_clients(job: Job, one: Callable[[random.Random], Any]) -> None:
    """As many clients as the option ``clients`` says, each with random numbers of its own."""
    await asyncio.gather(*(one(random.Random(number)) for number in range(int(job.options["clients"]))))  # noqa: S311 -- no secret


async def at_random_moments(job: Job, count: int, chance: random.Random, call: Callable[[], Any]) -> None:
    """Make so many calls, each after a random pause of at most ``pause`` seconds."""
    for _ in range(count):
        await asyncio.sleep(chance.uniform(0, float(job.options["pause"])))
        await call()
