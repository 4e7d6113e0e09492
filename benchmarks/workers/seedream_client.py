"""This project's client, through its public API only."""

import asyncio
import inspect
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from seedream import AsyncSeeDream, SeeDream, SubmissionUnknown

from benchmarks.workers.harness import (
    KEY,
    PROMPT,
    RESOLUTION,
    Job,
    Skip,
    at_random_moments,
    gather,
    many_clients,
    resident,
    serve,
)

START = """
from seedream import SeeDream
with SeeDream("{key}", base_url="{base_url}") as client:
    assert client.submit("a fish", resolution="2048x2048").id
"""
ASKED: Any = {"resolution": RESOLUTION}
REUSE = "reuse_submit_connections"  # the argument that allows a submission to use a kept connection


def _client(kind: Any, job: Job) -> Any:
    known = inspect.signature(kind).parameters
    options = {}
    if seconds := job.options.get("reuse"):
        if REUSE not in known:
            raise Skip(f"no argument {REUSE}")
        options[REUSE] = seconds
    if job.ca and "verify" in known:  # else the certificate is found through SSL_CERT_FILE
        options["verify"] = job.ca
    return kind(KEY, base_url=job.base_url, **options)


def submit(job: Job) -> Iterator[Callable[[int], None]]:
    with _client(SeeDream, job) as client:

        def run(count: int) -> None:
            for _ in range(count):
                _ = client.submit(PROMPT, **ASKED).id

        yield run


async def submit_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with _client(AsyncSeeDream, job) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                _ = (await client.submit(PROMPT, **ASKED)).id

        yield run


async def wave(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with _client(AsyncSeeDream, job) as client:
        yield lambda count: gather(count, lambda: client.submit(PROMPT, **ASKED))


def query(job: Job) -> Iterator[Callable[[int], None]]:
    with _client(SeeDream, job) as client:

        def run(count: int) -> None:
            for _ in range(count):
                client.query(job.taskid)

        yield run


async def query_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with _client(AsyncSeeDream, job) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                await client.query(job.taskid)

        yield run


def upload(job: Job) -> Iterator[Callable[[int], None]]:
    with _client(SeeDream, job) as client:

        def run(count: int) -> None:
            for _ in range(count):
                _ = client.submit(PROMPT, source_images=job.uploads, **ASKED).id

        yield run


async def upload_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with _client(AsyncSeeDream, job) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                _ = (await client.submit(PROMPT, source_images=job.uploads, **ASKED)).id

        yield run


def pictures(job: Job) -> Iterator[Callable[[int], None]]:
    with _client(SeeDream, job) as client:

        def run(count: int) -> None:
            for _ in range(count):
                files = client.task(job.taskid, images=job.images).save(job.fresh_directory())
                assert len(files) == job.images  # noqa: S101 -- a client that fails must not be measured

        yield run


async def pictures_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with _client(AsyncSeeDream, job) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                files = await client.task(job.taskid, images=job.images).save(job.fresh_directory())
                assert len(files) == job.images  # noqa: S101 -- a client that fails must not be measured

        yield run


CONCURRENCY = 8


async def loop(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """So many jobs, a few at once, with no journal: submit, wait, save."""
    async with _client(AsyncSeeDream, job) as client:

        async def worker(directory: Path, numbers: Iterator[int]) -> None:
            for number in numbers:
                task = await client.submit(f"{PROMPT} {number}", **ASKED)
                await task.save(directory)

        async def run(count: int) -> None:
            numbers, directory = iter(range(count)), job.fresh_directory()
            await asyncio.gather(*(worker(directory, numbers) for _ in range(CONCURRENCY)))

        yield run


def bulk(job: Job) -> Iterator[Callable[[int], dict[str, float]]]:
    """Run the jobs as a bulk run: journal, report, gallery."""
    from seedream.bulk import Bulk, BulkOptions  # noqa: PLC0415 -- not part of the other rows' memory

    def run(count: int) -> dict[str, float]:
        directory = job.fresh_directory()
        directory.mkdir()
        jobs = directory / "jobs.jsonl"
        lines = ({"id": str(n), "prompt": f"{PROMPT} {n}", "resolution": RESOLUTION} for n in range(count))
        jobs.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        connect = partial(AsyncSeeDream, KEY, base_url=job.base_url)
        memory: list[tuple[int, int]] = []

        def watch(snapshot: Any) -> None:
            memory.append((snapshot.counts["downloaded"], resident()))

        options = BulkOptions(concurrency=CONCURRENCY)
        report = Bulk(directory / "out", connect=connect).run(jobs, options=options, watch=watch)
        assert report.complete, report  # noqa: S101 -- a run that fails must not be measured
        later = [size for done, size in memory if done >= count // 10]
        return {"growth": (max(later) - later[0]) / 2**20}  # from a tenth of the jobs to all of them, in MiB

    yield run


async def reuse(job: Job) -> AsyncIterator[Callable[[int], Awaitable[dict[str, int]]]]:
    """Submit at random moments over kept connections, and count what ends without a usable reply."""
    counted = {"submissions": 0, "ambiguous": 0}

    async def submission(client: AsyncSeeDream) -> None:
        try:
            await client.submit(PROMPT, **ASKED)
        except SubmissionUnknown:
            counted["ambiguous"] += 1

    async def one(count: int, chance: random.Random) -> None:
        async with _client(AsyncSeeDream, job) as client:
            counted["submissions"] += count
            await at_random_moments(job, count, chance, lambda: submission(client))

    async def run(count: int) -> dict[str, int]:
        await many_clients(job, lambda chance: one(count, chance))
        return counted

    await _client(AsyncSeeDream, job).close()  # skipped where the option does not exist
    yield run


WORKS = {
    work.__name__: work
    for work in (submit, submit_async, wave, query, query_async, upload, upload_async, pictures, pictures_async)
} | {work.__name__: work for work in (loop, bulk, reuse)}

if __name__ == "__main__":
    serve(WORKS)
