"""Small tools that many tests share: a clock that never waits, and one face for both clients."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import httpx
from seedream import AsyncSeeDream, SeeDream

KEY = "sk-MARKER-key-0123456789"


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_800_000_000.0 + self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await anyio.lowlevel.checkpoint()


class Both:
    """Runs the same calls on the blocking or the awaiting client, so that each test is written once.

    ``both.call(lambda client: client.submit("x"))`` makes a client, calls, awaits where needed, closes.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.clock = FakeClock()

    def call(self, work: Callable[[Any], Any], **options: Any) -> Any:
        options = {"api_key": KEY, "clock": self.clock, **options}
        if self.kind == "sync":
            with SeeDream(**options) as client:
                return work(client)
        return anyio.run(self._acall, work, options)

    @staticmethod
    async def _acall(work: Callable[[Any], Any], options: dict[str, Any]) -> Any:
        async with AsyncSeeDream(**options) as client:
            result = work(client)
            return await result if isinstance(result, Awaitable) else result

    def then(self, work: Callable[[Any], Any], *steps: Callable[[Any], Any], **options: Any) -> Any:
        """Call ``work`` with the client, then each step with the result before it."""

        def blocking(client: Any) -> Any:
            value = work(client)
            for step in steps:
                value = step(value)
            return value

        async def awaiting(client: Any) -> Any:
            value = work(client)
            value = await value if isinstance(value, Awaitable) else value
            for step in steps:
                value = step(value)
                value = await value if isinstance(value, Awaitable) else value
            return value

        return self.call(blocking if self.kind == "sync" else awaiting, **options)


class FakeService:
    """Answers in memory: queries from a list (the last one again and again), pictures from a dict by path."""

    def __init__(self, *queries: Any, pictures: dict[str, Any] | None = None) -> None:
        self.queries = list(queries)
        self.pictures = pictures or {}
        self.asked: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.method == "GET":
            answer = self.pictures.get(request.url.path, httpx.Response(404))
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            return self._answer(answer, request)
        if request.url.path.endswith("/seedreamv45"):
            return httpx.Response(200, json={"code": 1000, "msg": "ok", "data": {"taskid": "t1"}})
        return self._answer(self.queries.pop(0) if len(self.queries) > 1 else self.queries[0], request)

    @staticmethod
    def _answer(answer: Any, request: httpx.Request) -> httpx.Response:
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            # Fresh each time: a response can be read once.
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        if isinstance(answer, bytes):
            return httpx.Response(200, content=answer)
        return httpx.Response(200, json=answer)


def told(status: int, **data: Any) -> dict[str, Any]:
    """A query's reply."""
    return {"code": 1000, "msg": "ok", "data": {"taskid": "t1", "image_status": status, **data}}


def done(*urls: str) -> dict[str, Any]:
    """A query's reply for a completed task."""
    return told(3, url=list(urls))
