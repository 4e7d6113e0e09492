"""The openai client: images.generate as a submission, images.edit as an upload. It has no task to ask for."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import openai

from benchmarks.workers.harness import KEY, PROMPT, Job, gather, serve

START = """
import openai
client = openai.OpenAI(api_key="{key}", base_url="{base_url}/openai")
assert client.images.generate(model="m", prompt="a fish", n=1, size="1024x1024").data[0].url
"""
ASKED: Any = {"model": "m", "prompt": PROMPT, "n": 1, "size": "1024x1024"}


def _arguments(job: Job, http_client: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"api_key": KEY, "base_url": f"{job.base_url}/openai"}
    if job.ca:
        arguments["http_client"] = http_client(verify=ssl.create_default_context(cafile=job.ca))
    return arguments


def _url(reply: Any) -> str:
    return str(reply.data[0].url)


def submit(job: Job) -> Iterator[Callable[[int], None]]:
    with openai.OpenAI(**_arguments(job, openai.DefaultHttpxClient)) as client:

        def run(count: int) -> None:
            for _ in range(count):
                _url(client.images.generate(**ASKED))

        yield run


async def submit_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with openai.AsyncOpenAI(**_arguments(job, openai.DefaultAsyncHttpxClient)) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                _url(await client.images.generate(**ASKED))

        yield run


async def wave(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with openai.AsyncOpenAI(**_arguments(job, openai.DefaultAsyncHttpxClient)) as client:
        yield lambda count: gather(count, lambda: client.images.generate(**ASKED))


def upload(job: Job) -> Iterator[Callable[[int], None]]:
    with openai.OpenAI(**_arguments(job, openai.DefaultHttpxClient)) as client:

        def run(count: int) -> None:
            for _ in range(count):
                files = [Path(path).open("rb") for path in job.uploads]  # noqa: SIM115 -- closed below
                _url(client.images.edit(image=files, **ASKED))
                for file in files:
                    file.close()

        yield run


async def upload_async(job: Job) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    async with openai.AsyncOpenAI(**_arguments(job, openai.DefaultAsyncHttpxClient)) as client:

        async def run(count: int) -> None:
            for _ in range(count):
                files = [Path(path).open("rb") for path in job.uploads]  # noqa: ASYNC230, SIM115 -- closed below
                _url(await client.images.edit(image=files, **ASKED))
                for file in files:
                    file.close()

        yield run


WORKS = {work.__name__: work for work in (submit, submit_async, wave, upload, upload_async)}

if __name__ == "__main__":
    serve(WORKS)
