"""One interface to the synchronous and the asynchronous client, so that each test is written once."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from seedream import AsyncSeeDream, SeeDream

from support.clock import FakeClock

KEY = "sk-MARKER-key-0123456789"


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
