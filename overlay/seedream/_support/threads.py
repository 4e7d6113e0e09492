"""Runs blocking calls of async code in threads, or in the calling thread where the machine has no more."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Final, TypeVar

import anyio.to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal

from seedream.errors import ConfigError

T = TypeVar("T")
_NO_MORE: Final = "start new thread"  # Python raises a RuntimeError with these words


def lacks_threads(error: BaseException) -> bool:
    """Whether the error says that the machine gives this process no more threads."""
    return isinstance(error, RuntimeError) and _NO_MORE in str(error)


async def in_thread(call: Callable[..., T], *arguments: object) -> T:
    """Run a blocking call in a thread. Where there are no more threads it holds up the event loop, but it is done."""
    begun = False

    def work() -> T:
        nonlocal begun
        begun = True
        return call(*arguments)

    try:
        return await anyio.to_thread.run_sync(work)
    except RuntimeError as error:
        if begun or not lacks_threads(error):
            raise
    return work()


def loop_caller() -> Callable[[Callable[[], None]], object]:
    """Return a function by which any thread has the running event loop call a function soon, in the order given."""
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio  # noqa: PLC0415 -- the caller runs in it

        return trio.lowlevel.current_trio_token().run_sync_soon


@contextmanager
def event_loop_thread() -> Generator[BlockingPortal]:
    """Give an event loop in a thread of its own; ConfigError where the machine gives no more threads."""
    with ExitStack() as stack:
        try:
            portal = stack.enter_context(start_blocking_portal())
        except RuntimeError as error:
            if not lacks_threads(error):
                raise
            raise ConfigError(
                "this machine gives the program no more threads",
                hint="Close other programs, or raise the limit; nothing was sent.",
                retryable=True,
            ) from None
        yield portal
