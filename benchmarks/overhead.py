"""What the overlay costs on top of the generated client: time of one call, start-up, and memory, as ratios in one run.

Run with ``make bench``. Each pair is timed in turns, so the machine's mood falls on both sides alike.
"""

import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import httpx
from seedream import SeeDream
from tensorslab_images import AuthenticatedClient
from tensorslab_images.api.images import see_dream_v45
from tensorslab_images.models import SeeDreamV45Body

OK = {"code": 1000, "msg": "ok", "data": {"taskid": "t1"}}
ROUNDS, CALLS = 15, 40


def paired(first: Callable[[], object], second: Callable[[], object]) -> float:
    """Median of the ratio first / second over many alternating rounds."""
    ratios = []
    for _ in range(ROUNDS):
        spent = []
        for work in (first, second):
            start = time.perf_counter()
            for _ in range(CALLS):
                work()
            spent.append(time.perf_counter() - start)
        ratios.append(spent[0] / spent[1])
    return statistics.median(ratios)


def peak(work: Callable[[], object]) -> int:
    """Peak of Python memory (bytes) while the call runs."""
    tracemalloc.start()
    work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def imported(module: str) -> float:
    """Median seconds of a fresh interpreter that imports the module."""
    spent = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        spent.append(time.perf_counter() - start)
    return statistics.median(spent)


def main() -> None:
    """Print one line a measurement."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=OK))
    overlay = SeeDream("sk-bench", transport=transport)
    raw = AuthenticatedClient(
        base_url="https://api.tensorslab.com",
        token="sk-bench",  # noqa: S106 -- no secret
        httpx_args={"transport": transport},
    )
    body = SeeDreamV45Body(prompt="a fish", batchsize=2, resolution="2048x2048")

    def ours() -> object:
        return overlay.submit("a fish", batchsize=2, resolution="2048x2048")

    def generated() -> object:
        return see_dream_v45.sync_detailed(client=raw, body=body)

    ours(), generated()
    print(f"submit, overlay / generated client:        {paired(ours, generated):6.2f} x time")
    print(f"import, seedream / httpx:                  {imported('seedream') / imported('httpx'):6.2f} x time")
    picture = b"\x89PNG" + bytes(20_000_000)
    share = peak(lambda: overlay.submit("a fish", source_images=picture)) / len(picture)
    print(f"peak memory of a submit / its source image: {share:5.2f} x bytes")


if __name__ == "__main__":
    main()
