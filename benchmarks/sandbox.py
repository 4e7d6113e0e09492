"""What the sandbox takes: pictures of the largest size, submissions, and memory, over HTTP on this machine."""

import os
import ssl
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import PIPE, Popen

import httpx
from seedream_sandbox import Sandbox
from tensorslab_images.limits import QUERY, SUBMIT

LARGEST = "4096x4096"
CLIENTS, EACH = 8, 50
PAGE = os.sysconf("SC_PAGESIZE") if hasattr(os, "sysconf") else 0
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used: but making the default one takes longer than a request


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def submit(http: httpx.Client, sandbox: Sandbox, **fields: str) -> str:
    """Submit; the task's id."""
    form = {name: (None, value) for name, value in {"prompt": "a lighthouse at dawn", **fields}.items()}
    reply = http.post(sandbox.base_url + SUBMIT.path, files=form, headers={"Authorization": sandbox.api_key})
    return str(reply.json()["data"]["taskid"])


def pictures(kind: str, count: int = 3) -> list[float]:
    """Return the seconds from the request for a picture of the largest size to its last byte."""
    with Sandbox(progress="instant", format=kind) as sandbox, httpx.Client(trust_env=False, timeout=60) as http:
        taskid = submit(http, sandbox, batchsize=str(count), resolution=LARGEST)
        task = http.post(
            sandbox.base_url + QUERY.path, json={"taskid": taskid}, headers={"Authorization": sandbox.api_key}
        )
        return [seconds(lambda url=url: http.get(url)) for url in task.json()["data"]["url"]]  # type: ignore[misc]  # bound at once


def submissions() -> float:
    """Return the submissions a second of several clients at once."""
    with Sandbox(pictures="plain", credits=10**6) as sandbox:

        def client(_: int) -> None:
            with httpx.Client(trust_env=False, timeout=60) as http:
                for _turn in range(EACH):
                    submit(http, sandbox)

        with ThreadPoolExecutor(CLIENTS) as pool:
            return CLIENTS * EACH / seconds(lambda: list(pool.map(client, range(CLIENTS))))


def memory(waves: int = 4, clients: int = 200) -> list[int]:
    """Return the megabytes of its process after each wave of clients, each with a submission of 100 kB."""
    command = [sys.executable, "-m", "seedream", "sandbox", "--port", "0", "--no-log"]
    with Popen(command, stdout=PIPE, text=True) as process:
        said = process.stdout.readline() if process.stdout else ""
        address = said.split()[5].rstrip(":")
        sizes = []

        def client(_: int) -> None:
            with httpx.Client(trust_env=False, timeout=60, verify=PLAIN) as http:
                form = {"prompt": (None, "x" * 100_000)}
                http.post(address + SUBMIT.path, files=form, headers={"Authorization": "k"}).raise_for_status()

        with ThreadPoolExecutor(clients) as pool:
            for _wave in range(waves):
                list(pool.map(client, range(clients)))
                pages = int(Path(f"/proc/{process.pid}/statm").read_text("ascii").split()[1])
                sizes.append(pages * PAGE // 2**20)
        process.terminate()
    return sizes


def main() -> None:
    """Print the results."""
    for kind in ("png", "jpeg", "webp"):
        print(f"a painted picture of {LARGEST} as {kind}: {statistics.median(pictures(kind)):.2f} s")
    if sys.platform == "linux":
        print(f"memory after each wave of 200 clients with 100 kB each: {memory()} MB")
    print(f"submissions of {CLIENTS} clients: {submissions():.0f} a second")


if __name__ == "__main__":
    main()
