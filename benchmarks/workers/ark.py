"""volcengine's ark SDK: create and get of its generation tasks, the nearest to a submission and a query."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
from volcenginesdkarkruntime import Ark, AsyncArk

from benchmarks.workers.harness import KEY, PROMPT, Job, gather, serve

START = """
from volcenginesdkarkruntime import Ark
client = Ark(api_key="{key}", base_url="{base_url}/ark")
assert client.content_generation.tasks.create(model="m", content=[{{"type": "text", "text": "a fish"}}]).id
"""
ASKED: Any = {"model": "m", "content": [{"type": "text", "text": PROMPT}]}


def _arguments(job: Job, kind: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"api_key": KEY, "base_url": f"{job.base_url}/ark"}
    if job.ca:
        arguments["http_client"] = kind(verify=job.ca)
    return arguments


def submit(job: Job) -> Iterator[Callable[[int], None]]:
    tasks = Ark(**_arguments(job, httpx.Client)).content_generation.tasks

    def run(count: int) -> None:
        for _ in range(count):
            _ = tasks.create(**ASKED).id

    yield run


async def submit_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    tasks = AsyncArk(**_arguments(job, httpx.AsyncClient)).content_generation.tasks

    async def run(count: int) -> None:
        for _ in range(count):
            _ = (await tasks.create(**ASKED)).id

    yield run


async def wave(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    tasks = AsyncArk(**_arguments(job, httpx.AsyncClient)).content_generation.tasks
    yield lambda count: gather(count, lambda: tasks.create(**ASKED))


def query(job: Job) -> Iterator[Callable[[int], None]]:
    tasks = Ark(**_arguments(job, httpx.Client)).content_generation.tasks

    def run(count: int) -> None:
        for _ in range(count):
            _ = tasks.get(task_id=job.taskid).status

    yield run


async def query_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    tasks = AsyncArk(**_arguments(job, httpx.AsyncClient)).content_generation.tasks

    async def run(count: int) -> None:
        for _ in range(count):
            _ = (await tasks.get(task_id=job.taskid)).status

    yield run


WORKS = {work.__name__: work for work in (submit, submit_async, wave, query, query_async)}

if __name__ == "__main__":
    serve(WORKS)
