"""Carries out the effects of a workflow, awaiting; see http.py."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import anyio  # comes with httpx

from seedream._protocol.effects import (
    Close,
    Effect,
    Failure,
    InParallel,
    Notify,
    Read,
    ReadClock,
    RunInThread,
    SendRequest,
    Sleep,
)
from seedream._request.encode import Body
from seedream._transport.async_network import AsyncBackend, run_to_end
from seedream._transport.connections import ASYNC, Line
from seedream._transport.http import HttpBase, HttpStream, text_of
from seedream._transport.network import current
from seedream._transport.send_tracker import SendTracker
from seedream.errors import ConfigError

if TYPE_CHECKING:
    from seedream._transport.custom import AsyncCustomTransport


async def _await_if_needed(result: Any) -> None:
    if inspect.isawaitable(result):
        await result


class _AsyncBody:
    """A body's chunks, for httpcore's async pools. A chunk of a file is small, so it is read in the event loop."""

    def __init__(self, body: Body) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._body.chunks():
            yield chunk


class AsyncHTTP(HttpBase["AsyncCustomTransport"]):
    """Carries out network effects, awaiting; see SyncHTTP.

    Blocking calls and before_send run in a thread, so a slow disk holds up no other task.
    """

    _carriers = ASYNC
    _backend = AsyncBackend

    @staticmethod
    def _custom_transport(transport: object) -> "AsyncCustomTransport":
        from seedream._transport.custom import AsyncCustomTransport  # noqa: PLC0415 -- see HttpBase

        return AsyncCustomTransport(transport)

    async def perform(self, effect: Effect) -> Any:
        match effect:
            case SendRequest():
                return await self._send(effect)
            case Read(stream):
                return await self._read(cast("HttpStream", stream))
            case Close(stream):
                with anyio.CancelScope(shield=True):
                    await cast("HttpStream", stream).close()
            case Sleep(seconds):
                await self._clock.async_sleep(seconds)
            case ReadClock():
                return self._clock.monotonic()
            case RunInThread(call):
                return await run_to_end(call)
            case Notify(callback, event):
                await _await_if_needed(callback(event))
            case InParallel():
                raise TypeError("run_async runs workflows in parallel itself")
        return None

    async def _send(self, effect: SendRequest) -> HttpStream | Failure:
        tracker, line = None, None
        try:
            tracker, target, headers = self._prepare(effect)
            if self._custom is not None:
                status, fields, chunks, close = await self._custom.send(effect, tracker, headers.reveal())
                return HttpStream(tracker, status, text_of(fields), chunks, close)
            line = self._take(effect, tracker, target, _library())
            body = effect.request.body
            content = None if body is None else body.content or _AsyncBody(body)
            request = self._request(effect, tracker, target, headers.reveal(), content)
            tracker.handed_over = True
            token = current.set(tracker)
            try:
                response = await line.carrier.handle_async_request(request)
            finally:
                current.reset(token)
            if tracker.must_ask:  # a mock in httpcore's place answered without the network
                await run_to_end(tracker.run_before_send)
            tracker.mark_replied()
            chunks = aiter(response.stream)
            close = partial(self._give_back, response, chunks, line)
            return HttpStream(tracker, response.status, text_of(response.headers), chunks, close)
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever the library raises, what was sent decides
            failed = error
        except BaseException:
            if line is not None:
                line.close()
            raise
        if line is not None:
            line.close()
        return await self._failure(tracker, failed)

    async def _failure(self, tracker: SendTracker | None, error: Exception) -> Failure:
        tracker = tracker or SendTracker("query", self._timeouts, secret=self._secret)
        if tracker.guess_sent(error) and tracker.must_ask:
            await run_to_end(tracker.run_before_send)
        return tracker.to_failure(error)

    @staticmethod
    async def _read(stream: HttpStream) -> bytes | Failure:
        tracker = stream.tracker
        if tracker.kind == "download":
            tracker.start_reply()
        token = current.set(tracker)
        try:
            return await anext(stream.chunks, b"")
        except Exception as error:  # noqa: BLE001 -- see _send
            failed = error
        finally:
            current.reset(token)
        return tracker.to_failure(failed)

    async def _give_back(self, response: Any, chunks: Any, line: Line) -> None:
        """End a reply, and give its connection back."""
        if hasattr(chunks, "aclose"):
            await chunks.aclose()
        await response.aclose()
        if self._connections is not None:
            self._connections.give_back(line)

    async def close(self) -> None:
        self._closed = True
        if self._connections is not None:
            self._connections.close()
        elif self._custom is not None:
            await self._custom.close()


def _library() -> str:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return "trio"
    return "asyncio"
