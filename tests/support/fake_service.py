"""A service in memory, behind an httpx transport."""

from collections.abc import Sequence
from typing import Any

import httpx

ACCEPTED = {"code": 1000, "msg": "ok", "data": {"taskid": "t1"}}


def _next(answers: list[Any]) -> Any:
    return answers.pop(0) if len(answers) > 1 else answers[0]


class FakeService:
    """Answers in memory: submissions and queries from lists (the last again and again), pictures by their path."""

    def __init__(self, *queries: Any, submissions: Sequence[Any] = (), pictures: dict[str, Any] | None = None) -> None:
        self.queries = list(queries)
        self.submissions = list(submissions) or [ACCEPTED]
        self.pictures = pictures or {}
        self.asked: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.method == "GET":
            answer = self.pictures.get(request.url.path, httpx.Response(404))
            if isinstance(answer, list):
                answer = _next(answer)
            return self._answer(answer, request)
        if request.url.path.endswith("/seedreamv45"):
            return self._answer(_next(self.submissions), request)
        return self._answer(_next(self.queries), request)

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


def task_reply(status: int, **data: Any) -> dict[str, Any]:
    """Return a query's reply."""
    return {"code": 1000, "msg": "ok", "data": {"taskid": "t1", "image_status": status, **data}}


def completed(*urls: str) -> dict[str, Any]:
    """Return a query's reply for a completed task."""
    return task_reply(3, url=list(urls))
