"""Gives an awaiting client the blocking face that the checks use; each call runs a loop and a client of its own."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from contract.client_checks.under_test import Factory


class _Task:
    def __init__(self, client: "_Awaiting", taskid: str, images: int | None) -> None:
        self._client, self.id, self.images = client, taskid, images

    def __repr__(self) -> str:
        return f"AsyncTask(id={self.id!r})"

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        return self._client.call(
            lambda made: getattr(made.task(self.id, images=self.images), name)(*arguments, **options)
        )

    def wait(self, **options: Any) -> Any:
        return self._call("wait", **options)

    def save(self, *arguments: Any, **options: Any) -> Any:
        return self._call("save", *arguments, **options)


class _Awaiting:
    def __init__(self, factory: Factory, options: dict[str, Any]) -> None:
        self._factory, self._options = factory, options
        self._shown = repr(factory(**options))  # raises where the options are unusable

    def __repr__(self) -> str:
        return self._shown

    def call(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        async def go() -> Any:
            client = self._factory(**self._options)
            try:
                return await work(client)
            finally:
                await client.close()

        return anyio.run(go)

    def submit(self, prompt: str, **options: Any) -> _Task:
        task = self.call(lambda client: client.submit(prompt, **options))
        return _Task(self, task.id, task.images)

    def task(self, taskid: str, *, images: int | None = None) -> _Task:
        return _Task(self, taskid, images)

    def query(self, taskid: str) -> Any:
        return self.call(lambda client: client.query(taskid))

    def delete(self, *taskids: str) -> None:
        self.call(lambda client: client.delete(*taskids))

    def generate(self, prompt: str, **options: Any) -> Any:
        return self.call(lambda client: client.generate(prompt, **options))

    def close(self) -> None:
        """Each call has closed its own."""


def awaiting(factory: Factory) -> Factory:
    """Return a factory of blocking clients from one of awaiting clients (AsyncSeeDream)."""
    return lambda **options: _Awaiting(factory, options)
