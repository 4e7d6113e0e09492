"""Gives an awaiting client the blocking face that the checks use; each call runs a loop and a client of its own."""

import inspect
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio
import anyio.to_thread
from contract.client_checks.under_test import Factory
from seedream.errors import SeeDreamError


class _Task:
    def __init__(self, client: "_Awaiting", taskid: str, images: int | None) -> None:
        self._client, self.id, self.images = client, taskid, images

    def __repr__(self) -> str:
        return f"AsyncTask(id={self.id!r})"

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        return self._client.call(
            lambda made: getattr(made.task(self.id, images=self.images), name)(*arguments, **options)
        )

    info = None  # each call has a client of its own

    def wait(self, **options: Any) -> Any:
        return self._call("wait", **options)

    def save(self, *arguments: Any, **options: Any) -> Any:
        return self._call("save", *arguments, **options)

    def read(self, **options: Any) -> Any:
        return self._call("read", **options)

    def refresh(self) -> Any:
        return self._call("refresh")

    def delete(self) -> None:
        self._call("delete")


class _Awaiting:
    def __init__(self, factory: Factory, options: dict[str, Any]) -> None:
        self._factory, self._options, self._shown = factory, options, "unusable"
        self.made = factory(**options)  # raises where the options are unusable
        self._shown = repr(self.made)
        if options.get("journal") is not None:  # one client at a time writes it
            anyio.run(self.made.close)

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

    def at_once(self, calls: Sequence[Callable[[Any], Any]]) -> list[Any]:
        """Make these calls at the same time, on one client; gives results and errors of the tree, in order."""
        results: list[Any] = [None] * len(calls)

        async def one(client: Any, number: int) -> None:
            try:
                results[number] = await calls[number](client)
            except SeeDreamError as error:
                results[number] = error

        async def go(client: Any) -> list[Any]:
            async with anyio.create_task_group() as group:
                for number in range(len(calls)):
                    group.start_soon(one, client, number)
            return results

        return list(self.call(go))

    def in_turn(self, steps: Sequence[Callable[[Any, list[Any]], Any]]) -> list[Any]:
        """Take these steps on one client, each with the results so far; gives results and errors of the tree."""

        async def go(client: Any) -> list[Any]:
            results: list[Any] = []
            for step in steps:
                try:
                    result = step(client, results)
                    results.append(await result if inspect.isawaitable(result) else result)
                except SeeDreamError as error:
                    results.append(error)
            return results

        return list(self.call(go))

    def closed(self, call: Callable[[Any], Any]) -> Any:
        """Use a client after it was closed twice."""

        async def go(client: Any) -> Any:
            await client.close()
            await client.close()
            return await call(client)

        return self.call(go)

    def interrupted(self, call: Callable[[Any], Any], begun: threading.Event, *, cancel: bool) -> Any:
        """Cancel a call that has begun, or close its client; gives its result or error, None where it was cancelled."""
        results: list[Any] = []

        async def one(client: Any) -> None:
            try:
                results.append(await call(client))
            except SeeDreamError as error:
                results.append(error)

        async def go(client: Any) -> Any:
            async with anyio.create_task_group() as group:
                group.start_soon(one, client)
                await anyio.to_thread.run_sync(begun.wait, 10.0)
                if cancel:
                    group.cancel_scope.cancel()
                else:
                    await client.close()
            return results[0] if results else None

        return self.call(go)

    def submit(self, prompt: str, **options: Any) -> _Task:
        task = self.call(lambda client: client.submit(prompt, **options))
        return _Task(self, task.id, task.images)

    def task(self, taskid: str, *, images: int | None = None) -> _Task:
        self.made.task(taskid, images=images)  # raises where it cannot be one
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
