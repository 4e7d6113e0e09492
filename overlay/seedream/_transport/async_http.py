"""Carries out the effects of a workflow, awaiting; see http.py."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import anyio  # comes with httpx
from attrs import frozen

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
from seedream._transport.connections import ASYNC, Connections, Line
from seedream._transport.http import Handle, HttpBase, HttpStream, text_of
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
                return await self._read(stream.handle)
            case Close(stream):
                with anyio.CancelScope(shield=True):
                    await stream.handle.close()
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
                return HttpStream(status, text_of(fields), Handle(tracker, chunks, close))
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
            handle = Handle(tracker, chunks, _AsyncCloser(response, chunks, line, self._connections))
            return HttpStream(response.status, text_of(response.headers), handle)
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
    async def _read(handle: Handle) -> bytes | Failure:
        tracker = handle.tracker
        if tracker.kind == "download":
            tracker.start_reply()
        token = current.set(tracker)
        try:
            return await anext(handle.chunks, b"")
        except Exception as error:  # noqa: BLE001 -- see _send
            return tracker.to_failure(error)
        finally:
            current.reset(token)

    async def close(self) -> None:
        self._closed = True
        if self._connections is not None:
            self._connections.close()
        elif self._custom is not None:
            await self._custom.close()


@frozen(eq=False, repr=False)
class _AsyncCloser:
    """Ends a reply and gives its connection back."""

    response: Any
    chunks: Any
    line: Line
    connections: Connections | None

    async def __call__(self) -> None:
        if hasattr(self.chunks, "aclose"):
            await self.chunks.aclose()
        await self.response.aclose()
        if self.connections is not None:
            self.connections.give_back(self.line)


def _library() -> str:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return "trio"
    return "asyncio"
