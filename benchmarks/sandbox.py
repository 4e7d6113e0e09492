"""What the sandbox takes: pictures of the largest size, and submissions, over HTTP on this machine."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
from seedream.sandbox import Sandbox
from tensorslab_images.limits import INFO_BY_TASK_ID, SEE_DREAM_V45

LARGEST = "4096x4096"
CLIENTS, EACH = 8, 50


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def submit(http: httpx.Client, sandbox: Sandbox, **fields: str) -> str:
    """Submit; the task's id."""
    form = {name: (None, value) for name, value in {"prompt": "a lighthouse at dawn", **fields}.items()}
    reply = http.post(sandbox.base_url + SEE_DREAM_V45.path, files=form, headers={"Authorization": sandbox.api_key})
    return str(reply.json()["data"]["taskid"])


def pictures(kind: str, count: int = 3) -> list[float]:
    """Seconds from asking for a picture of the largest size to its last byte."""
    with Sandbox(progress="instant", format=kind) as sandbox, httpx.Client(trust_env=False, timeout=60) as http:
        taskid = submit(http, sandbox, batchsize=str(count), resolution=LARGEST)
        told = http.post(
            sandbox.base_url + INFO_BY_TASK_ID.path, json={"taskid": taskid}, headers={"Authorization": sandbox.api_key}
        )
        return [seconds(lambda url=url: http.get(url)) for url in told.json()["data"]["url"]]  # type: ignore[misc]  # bound at once


def submissions() -> float:
    """Submissions a second, of several clients at once."""
    with Sandbox(pictures="plain", credits=10**6) as sandbox:

        def client(_: int) -> None:
            with httpx.Client(trust_env=False, timeout=60) as http:
                for _turn in range(EACH):
                    submit(http, sandbox)

        with ThreadPoolExecutor(CLIENTS) as pool:
            return CLIENTS * EACH / seconds(lambda: list(pool.map(client, range(CLIENTS))))


def main() -> None:
    """Print the results."""
    for kind in ("png", "jpeg", "webp"):
        print(f"a painted picture of {LARGEST} as {kind}: {statistics.median(pictures(kind)):.2f} s")
    print(f"submissions of {CLIENTS} clients: {submissions():.0f} a second")


if __name__ == "__main__":
    main()
