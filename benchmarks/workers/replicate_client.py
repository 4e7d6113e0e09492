"""The replicate client: create and get of predictions."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import replicate

from benchmarks.workers.harness import KEY, PROMPT, Job, gather, serve

START = """
import replicate
client = replicate.Client(api_token="{key}", base_url="{base_url}")
assert client.predictions.create(version="v", input={{"prompt": "a fish"}}).id
"""
ASKED: Any = {"version": "v", "input": {"prompt": PROMPT}}


def _predictions(job: Job, kind: Any) -> Any:
    arguments = {"transport": kind(verify=job.ca)} if job.ca else {}
    return replicate.Client(api_token=KEY, base_url=job.base_url, **arguments).predictions


def submit(job: Job) -> Iterator[Callable[[int], None]]:
    predictions = _predictions(job, httpx.HTTPTransport)

    def run(count: int) -> None:
        for _ in range(count):
            _ = predictions.create(**ASKED).id

    yield run


async def submit_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    predictions = _predictions(job, httpx.AsyncHTTPTransport)

    async def run(count: int) -> None:
        for _ in range(count):
            _ = (await predictions.async_create(**ASKED)).id

    yield run


async def wave(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    predictions = _predictions(job, httpx.AsyncHTTPTransport)
    yield lambda count: gather(count, lambda: predictions.async_create(**ASKED))


def query(job: Job) -> Iterator[Callable[[int], None]]:
    predictions = _predictions(job, httpx.HTTPTransport)

    def run(count: int) -> None:
        for _ in range(count):
            _ = predictions.get(job.taskid).status

    yield run


async def query_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    predictions = _predictions(job, httpx.AsyncHTTPTransport)

    async def run(count: int) -> None:
        for _ in range(count):
            _ = (await predictions.async_get(job.taskid)).status

    yield run


WORKS = {work.__name__: work for work in (submit, submit_async, wave, query, query_async)}

if __name__ == "__main__":
    serve(WORKS)
