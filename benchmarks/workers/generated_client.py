"""The generated client, as its generator's own documentation uses it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

from tensorslab_images import AuthenticatedClient
from tensorslab_images.api.images import see_dream_v45
from tensorslab_images.api.tasks import info_by_task_id
from tensorslab_images.models import SeeDreamV45Body, TaskQuery
from tensorslab_images.types import File

from benchmarks.workers.harness import KEY, PROMPT, RESOLUTION, Job, gather, serve

START = """
from tensorslab_images import AuthenticatedClient
from tensorslab_images.api.images import see_dream_v45
from tensorslab_images.models import SeeDreamV45Body
client = AuthenticatedClient(base_url="{base_url}", token="{key}")
body = SeeDreamV45Body(prompt="a fish", batchsize=1, resolution="2048x2048")
assert see_dream_v45.sync_detailed(client=client, body=body).parsed.data.taskid
"""
BODY = SeeDreamV45Body(prompt=PROMPT, batchsize=1, resolution=RESOLUTION)


def _client(job: Job) -> AuthenticatedClient:
    return AuthenticatedClient(base_url=job.base_url, token=KEY, verify_ssl=job.ca or True)


def _files(job: Job) -> list[File]:
    return [File(path.open("rb"), path.name, "image/png") for path in map(Path, job.uploads)]


def _checked(reply: object) -> None:
    assert reply is not None  # noqa: S101 -- a client that fails must not be measured


def submit(job: Job) -> Iterator[Callable[[int], None]]:
    with _client(job) as client:

        def run(count: int) -> None:
            for _ in range(count):
                _checked(see_dream_v45.sync(client=client, body=BODY))

        yield run


async def submit_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with _client(job) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                _checked(await see_dream_v45.asyncio(client=client, body=BODY))

        yield run


async def wave(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with _client(job) as client:
        yield lambda count: gather(count, lambda: see_dream_v45.asyncio(client=client, body=BODY))


def query(job: Job) -> Iterator[Callable[[int], None]]:
    with _client(job) as client:

        def run(count: int) -> None:
            for _ in range(count):
                _checked(info_by_task_id.sync(client=client, body=TaskQuery(taskid=job.taskid)))

        yield run


async def query_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with _client(job) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                _checked(await info_by_task_id.asyncio(client=client, body=TaskQuery(taskid=job.taskid)))

        yield run


def _with_files(job: Job) -> SeeDreamV45Body:
    body = SeeDreamV45Body(prompt=PROMPT, batchsize=1, resolution=RESOLUTION)
    body.source_images = _files(job)
    return body


def _close(body: SeeDreamV45Body) -> None:
    for file in body.source_images or ():
        file.payload.close()


def upload(job: Job) -> Iterator[Callable[[int], None]]:
    with _client(job) as client:

        def run(count: int) -> None:
            for _ in range(count):
                body = _with_files(job)
                _checked(see_dream_v45.sync(client=client, body=body))
                _close(body)

        yield run


async def upload_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with _client(job) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                body = _with_files(job)
                _checked(await see_dream_v45.asyncio(client=client, body=body))
                _close(body)

        yield run


WORKS = {work.__name__: work for work in (submit, submit_async, wave, query, query_async, upload, upload_async)}

if __name__ == "__main__":
    serve(WORKS)
