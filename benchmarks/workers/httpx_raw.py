"""Raw httpx 0.28.1: the work as a careful user would write it with one client kept open."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from benchmarks.workers.harness import (
    KEY,
    PROMPT,
    QUERY,
    RESOLUTION,
    SUBMIT,
    Job,
    at_random_moments,
    gather,
    many_clients,
    serve,
)

FORM: Any = {"prompt": (None, PROMPT), "batchsize": (None, "1"), "resolution": (None, RESOLUTION)}
TEXT = {"prompt": PROMPT, "batchsize": "1", "resolution": RESOLUTION}
START = """
import httpx
with httpx.Client(headers={{"Authorization": "Bearer {key}"}}) as client:
    form = {{"prompt": (None, "a fish"), "batchsize": (None, "1"), "resolution": (None, "2048x2048")}}
    reply = client.post("{base_url}{submit}", files=form)
    reply.raise_for_status()
    assert reply.json()["data"]["taskid"]
"""


def _arguments(job: Job) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {KEY}"}
    return {"base_url": job.base_url, "headers": headers, "timeout": 60, "verify": job.ca or True}


def _taskid(reply: httpx.Response) -> str:
    reply.raise_for_status()
    return str(reply.json()["data"]["taskid"])


def submit(job: Job) -> Iterator[Callable[[int], None]]:
    with httpx.Client(**_arguments(job)) as client:

        def run(count: int) -> None:
            for _ in range(count):
                _taskid(client.post(SUBMIT, files=FORM))

        yield run


async def submit_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with httpx.AsyncClient(**_arguments(job)) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                _taskid(await client.post(SUBMIT, files=FORM))

        yield run


async def wave(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with httpx.AsyncClient(**_arguments(job)) as client:

        async def one() -> None:
            _taskid(await client.post(SUBMIT, files=FORM))

        yield lambda count: gather(count, one)


def query(job: Job) -> Iterator[Callable[[int], None]]:
    with httpx.Client(**_arguments(job)) as client:

        def run(count: int) -> None:
            for _ in range(count):
                _taskid(client.post(QUERY, json={"taskid": job.taskid}))

        yield run


async def query_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with httpx.AsyncClient(**_arguments(job)) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                _taskid(await client.post(QUERY, json={"taskid": job.taskid}))

        yield run


def _files(job: Job) -> list[Any]:
    return [("sourceImage", (os.path.basename(path), open(path, "rb"), "image/png")) for path in job.uploads]  # noqa: PTH119, PTH123 -- closed below


def upload(job: Job) -> Iterator[Callable[[int], None]]:
    with httpx.Client(**_arguments(job)) as client:

        def run(count: int) -> None:
            for _ in range(count):
                files = _files(job)
                _taskid(client.post(SUBMIT, data=TEXT, files=files))
                for _name, (_path, file, _type) in files:
                    file.close()

        yield run


async def upload_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with httpx.AsyncClient(**_arguments(job)) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                files = _files(job)
                _taskid(await client.post(SUBMIT, data=TEXT, files=files))
                for _name, (_path, file, _type) in files:
                    file.close()

        yield run


def _synced(part: Path, path: Path, file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    part.rename(path)


def pictures(job: Job) -> Iterator[Callable[[int], None]]:
    """Fetch them one after the other, each written to disk, synced, and renamed."""
    with httpx.Client(**_arguments(job)) as client, httpx.Client(timeout=60, verify=job.ca or True) as host:

        def run(count: int) -> None:
            for _ in range(count):
                directory = job.fresh_directory()
                directory.mkdir()
                urls = client.post(QUERY, json={"taskid": job.taskid}).json()["data"]["url"]
                for number, url in enumerate(urls):
                    part = directory / f"{number}.part"
                    with host.stream("GET", url) as reply:
                        reply.raise_for_status()
                        file = part.open("wb")
                        for chunk in reply.iter_raw():
                            file.write(chunk)
                        _synced(part, directory / f"{number}.png", file)

        yield run


async def pictures_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Fetch all at once, each written to disk, synced in a thread, and renamed."""
    async with (
        httpx.AsyncClient(**_arguments(job)) as client,
        httpx.AsyncClient(timeout=60, verify=job.ca or True) as host,
    ):

        async def one(directory: Path, number: int, url: str) -> None:
            part = directory / f"{number}.part"
            async with host.stream("GET", url) as reply:
                reply.raise_for_status()
                file = part.open("wb")
                async for chunk in reply.aiter_raw():
                    file.write(chunk)
            await asyncio.to_thread(_synced, part, directory / f"{number}.png", file)

        async def run(count: int) -> None:
            for _ in range(count):
                directory = job.fresh_directory()
                directory.mkdir()
                urls = (await client.post(QUERY, json={"taskid": job.taskid})).json()["data"]["url"]
                await asyncio.gather(*(one(directory, number, url) for number, url in enumerate(urls)))

        yield run


async def reuse(job: Job) -> AsyncIterator[Callable[[int], Awaitable[dict[str, int]]]]:
    """Submit at random moments over the connections that httpx keeps (for 5 seconds)."""
    counted = {"submissions": 0, "ambiguous": 0}

    async def submission(client: httpx.AsyncClient) -> None:
        try:
            _taskid(await client.post(SUBMIT, files=FORM))
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            counted["ambiguous"] += 1

    async def one(count: int, chance: random.Random) -> None:
        async with httpx.AsyncClient(**_arguments(job)) as client:
            counted["submissions"] += count
            await at_random_moments(job, count, chance, lambda: submission(client))

    async def run(count: int) -> dict[str, int]:
        await many_clients(job, lambda chance: one(count, chance))
        return counted

    yield run


WORKS = {
    work.__name__: work
    for work in (submit, submit_async, wave, query, query_async, upload, upload_async, pictures, pictures_async, reuse)
}

if __name__ == "__main__":
    serve(WORKS)
