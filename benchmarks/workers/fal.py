"""fal-client: submit and status of its queue. It speaks https only, and uploads files one by one beforehand."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from benchmarks.workers.harness import KEY, PROMPT, Job, Skip, gather, serve

# The queue's host is read when the module is imported.
os.environ["FAL_QUEUE_RUN_HOST"] = next((arg for arg in sys.argv[1:]), "127.0.0.1:9")
import fal_client

START = """
import os
os.environ["FAL_QUEUE_RUN_HOST"] = "{host}"
import fal_client
assert fal_client.SyncClient(key="{key}").submit("fal/app", arguments={{"prompt": "a fish"}}).request_id
"""
ASKED: Any = {"arguments": {"prompt": PROMPT, "num_images": 1, "image_size": "square_hd"}}


def _https(job: Job) -> None:
    if not job.base_url.startswith("https:"):
        raise Skip("https only")


def submit(job: Job) -> Iterator[Callable[[int], None]]:
    _https(job)
    client = fal_client.SyncClient(key=KEY)

    def run(count: int) -> None:
        for _ in range(count):
            _ = client.submit("fal/app", **ASKED).request_id

    yield run


async def submit_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    _https(job)
    client = fal_client.AsyncClient(key=KEY)

    async def run(count: int) -> None:
        for _ in range(count):
            _ = (await client.submit("fal/app", **ASKED)).request_id

    yield run


async def wave(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    _https(job)
    client = fal_client.AsyncClient(key=KEY)
    yield lambda count: gather(count, lambda: client.submit("fal/app", **ASKED))


def query(job: Job) -> Iterator[Callable[[int], None]]:
    _https(job)
    client = fal_client.SyncClient(key=KEY)

    def run(count: int) -> None:
        for _ in range(count):
            client.status("fal/app", job.taskid)

    yield run


async def query_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    _https(job)
    client = fal_client.AsyncClient(key=KEY)

    async def run(count: int) -> None:
        for _ in range(count):
            await client.status("fal/app", job.taskid)

    yield run


WORKS = {work.__name__: work for work in (submit, submit_async, wave, query, query_async)}

if __name__ == "__main__":
    serve(WORKS)
