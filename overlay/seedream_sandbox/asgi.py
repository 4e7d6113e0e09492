"""The service as an ASGI application: reads requests within limits; delivers replies, whole or broken on purpose."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from http import HTTPStatus
from typing import Any, Final

import anyio.to_thread
from attrs import evolve

from seedream_sandbox.fault import Fault
from seedream_sandbox.handled_request import Answer, Arrival
from seedream_sandbox.http import Request, Response
from seedream_sandbox.inspector_routes import PREFIX
from seedream_sandbox.service import Service
from seedream_sandbox.socket_control import cut

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Page = Callable[[Request], Response | None]
CONNECTION: Final = "seedream.connection"  # the asyncio transport, put into the scope by the server
_BODY_TIME: Final = 60.0  # seconds for a request's body
_SEND_TIME: Final = 60.0  # seconds for a client to take a block of the reply
_LARGE: Final = 1024 * 1024  # bytes: beyond it, a body needs one of the few places for large ones
_PLACES: Final = 4


class App:
    """One origin of the service.

    Args:
        service: The service.
        images: Whether this is the image host.
        images_url: Origin of the image host.
        page: Answers the inspector's requests; None for any other.
    """

    def __init__(self, service: Service, *, images: bool, images_url: str, page: Page | None = None) -> None:
        self._service = service
        self._images = images
        self._images_url = images_url
        self._page = page
        self._large = asyncio.Semaphore(_PLACES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        head = Request(
            scope["method"].upper(),
            scope["path"],
            scope["query_string"].decode("latin-1"),
            tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]),
            images=self._images,
            images_url=self._images_url,
            peer=scope["client"][0] if scope.get("client") else None,
        )
        if self._page is not None and (head.path == "/" or head.path.startswith(PREFIX)):
            page = await anyio.to_thread.run_sync(self._page, head)
            if page is not None:
                await _send_whole(send, page, head.method)
                return
        arrival = self._service.arrive(head)
        async with AsyncExitStack() as held:
            body = await self._read_body(head, (scope, receive, send), arrival, held)
            if body is None:
                return
            answer = await anyio.to_thread.run_sync(self._service.handle, evolve(head, body=body), arrival)
        with suppress(ConnectionError):
            await self._deliver(answer, scope, receive, send, head.method)

    async def _read_body(
        self, head: Request, asgi: tuple[Scope, Receive, Send], arrival: Arrival, held: AsyncExitStack
    ) -> bytes | None:
        """The request's body; None when the connection is gone, or was answered already."""
        scope, receive, send = asgi
        fault, body, large = arrival.fault, bytearray(), False
        try:
            async with asyncio.timeout(_BODY_TIME) as limit:
                while True:
                    if fault is not None and len(body) >= fault.integer("after"):
                        await self._break_off(fault, scope, receive)
                        return None
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > self._service.settings.max_body:
                        await _send_whole(
                            send, self._service.dropped(head, "the request is too large", 413), close=True
                        )
                        return None
                    if not message.get("more_body"):
                        break
                    if len(body) > _LARGE and not large:
                        limit.reschedule(None)  # waiting for others is not the client's fault
                        await held.enter_async_context(self._large)
                        large = True
                        limit.reschedule(asyncio.get_running_loop().time() + _BODY_TIME)
        except TimeoutError:
            await _send_whole(send, self._service.dropped(head, "the request took too long", 408), close=True)
            return None
        if fault is not None:
            await self._break_off(fault, scope, receive)
            return None
        return bytes(body)

    async def _break_off(self, fault: Fault, scope: Scope, receive: Receive) -> None:
        if fault.name == "stall-request":
            await asyncio.sleep(self._service.clock.wait(fault.number("seconds")))
        await _cut(scope, receive, fault.text("how"))

    async def _deliver(self, answer: Answer, scope: Scope, receive: Receive, send: Send, method: str) -> None:
        pace, fault, response = answer.of("pace"), answer.of("delivery"), answer.response
        if pace is not None:
            await asyncio.sleep(self._service.clock.wait(pace.number("seconds")))
        if fault is None:
            await _send_whole(send, response, method)
            return
        transport: asyncio.Transport = scope["extensions"][CONNECTION]
        head = _head(response, quiet=fault.name == "cut-quiet")
        match fault.name:
            case "cut-head":
                transport.write(head[: fault.integer("after")])
            case "cut-body" | "cut-quiet":
                transport.write(head + response.body[: fault.integer("after")])
            case "garbage":
                transport.write(b"\x00\x17 this is not HTTP\r\n\r\n")
            case "stall-reply":
                transport.write((head + response.body)[: fault.integer("after")])
                await asyncio.sleep(self._service.clock.wait(fault.number("seconds")))
            case "drip":
                whole, step = head + response.body, max(1, fault.integer("bytes"))
                for start in range(0, len(whole), step):
                    transport.write(whole[start : start + step])
                    await asyncio.sleep(self._service.clock.wait(fault.number("seconds")))
            case _:
                pass
        await _cut(scope, receive, str(fault.options.get("how", "fin")))


def _head(response: Response, *, quiet: bool) -> bytes:
    headers = (response.headers if quiet else response.whole_headers) + (("connection", "close"),)
    lines = [f"HTTP/1.1 {response.status} {_reason(response.status)}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unassigned"


async def _cut(scope: Scope, receive: Receive, how: str) -> None:
    """End the connection, and wait until the server has noticed: then it does not answer by itself."""
    cut(scope["extensions"][CONNECTION], how)
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_whole(send: Send, response: Response, method: str = "POST", *, close: bool = False) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.whole_headers]
    if response.status in (204, 304):
        headers = [header for header in headers if header[0] != b"content-length"]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if method != "HEAD" and response.status not in (204, 304):
        for block in response.blocks():
            async with asyncio.timeout(_SEND_TIME):
                await send({"type": "http.response.body", "body": block, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
