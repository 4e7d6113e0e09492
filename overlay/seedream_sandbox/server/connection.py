"""One connection: reads requests within limits and delivers the replies, whole or broken as a fault asks.

HTTP is parsed by h11. The socket belongs to this module, so a fault may cut, stall or drip at any byte.
"""

import asyncio
import logging
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from functools import partial
from http.client import responses
from typing import Any, Final
from urllib.parse import unquote

import h11
from attrs import evolve, field, frozen

from seedream_sandbox.faults.language import Fault
from seedream_sandbox.http import Request, Response, failure
from seedream_sandbox.inspector.routes import Inspector
from seedream_sandbox.service.api import Service
from seedream_sandbox.service.handled_request import HandledRequest, IncomingRequest

logger = logging.getLogger("seedream_sandbox")
_HEAD_TIME: Final = 30.0  # seconds for a request's head to arrive
_BODY_TIME: Final = 60.0  # seconds for a request's body, and one more for each _SLOWEST bytes received
_SLOWEST: Final = 16 * 1024  # bytes a second
_SEND_TIME: Final = 60.0  # seconds for a client to take a block of the reply
_LINGER_TIME: Final = 2.0  # seconds to read on after a refusal, so that a client which is still sending can read it
_BLOCK: Final = 64 * 1024  # bytes
_LARGE: Final = 1024 * 1024  # bytes: beyond it, a body needs one of the few places for large ones
_ABSOLUTE: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
_NOT_IN_HEADERS: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


@frozen
class Origin:
    """One of the two origins, as its connections need it."""

    service: Service
    images: bool  # whether this is the image host
    images_url: Callable[[str], str]  # returns the origin of the image host for a client that uses this Host header
    inspector: Inspector | None  # answers requests for the inspector; None where there is no inspector
    # runs a function in a thread and returns its result
    in_thread: Callable[[Callable[[], Response | HandledRequest]], Awaitable[Any]]
    large_bodies: asyncio.Semaphore = field(repr=False)


class Connection:
    """One connection to an origin."""

    def __init__(self, origin: Origin, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._origin = origin
        self._service = origin.service
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_BLOCK)
        peer = writer.get_extra_info("peername")
        self._peer = str(peer[0]) if peer else None

    async def serve(self) -> None:
        """Serve requests until one side ends the connection."""
        try:
            while await self._serve_request():
                self._http.start_next_cycle()
            self._writer.close()
            async with asyncio.timeout(_SEND_TIME):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            pass  # the client is gone, or does not take the reply
        except Exception:
            logger.exception("the sandbox failed while it served a connection")
        finally:
            abort(self._writer.transport)

    # Reading.

    async def _serve_request(self) -> bool:
        """Serve one request; return whether the connection may carry another."""
        try:
            head = await self._read_head()
            if not isinstance(head, h11.Request):
                return False
            request = self._request(head)
            inspector = self._origin.inspector
            if inspector is not None and not inspector.handles(request.path):
                inspector = None
            incoming = None if inspector else self._service.receive(request)
            async with AsyncExitStack() as held:
                body = await self._read_body(request, incoming.fault if incoming else None, held)
                if body is None:
                    return False
                handled = await self._handle(inspector, evolve(request, body=body), incoming)
        except h11.RemoteProtocolError as error:
            if not self._reader.at_eof():
                # 400 also where h11 suggests 501: nothing that a client sends is an error of the server.
                status = error.error_status_hint if error.error_status_hint < 500 else 400  # noqa: PLR2004
                await self._refuse(failure(f"this is not HTTP: {error}", status=status))
            return False
        return await self._deliver(handled, request.method)

    async def _read_head(self) -> Any:
        try:
            async with asyncio.timeout(_HEAD_TIME):
                return await self._next_event()
        except TimeoutError:
            return None

    async def _next_event(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                self._send_event(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._reader.read(_BLOCK))
        return event

    def _request(self, head: h11.Request) -> Request:
        target = _ABSOLUTE.sub("", head.target.decode("ascii", "replace"), count=1)
        path, _, query = target.partition("?")
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in head.headers)
        host = next((value for name, value in headers if name == "host"), "")
        return Request(
            head.method.decode("ascii", "replace").upper(),
            unquote(path),
            query,
            headers,
            images=self._origin.images,
            images_url=self._origin.images_url(host),
            peer=self._peer,
        )

    async def _read_body(self, request: Request, fault: Fault | None, held: AsyncExitStack) -> bytes | None:
        """Return the request's body; None when the connection is gone, or the request was answered already."""
        most = self._service.settings.max_body
        announced = request.header("content-length") or ""
        try:
            too_large = announced.isdigit() and int(announced) > most
            body = bytearray() if too_large else await self._collect_body(fault, held)
        except TimeoutError:
            await self._refuse(self._service.reject(request, "the request took too long", 408))
            return None
        if too_large or (body is not None and len(body) > most):
            await self._refuse(self._service.reject(request, "the request is too large", 413))
            return None
        if body is not None and fault is not None and fault.name != "slow-upload":
            if fault.name == "stall-request":
                await self._sleep(fault["seconds"])
            self._cut(fault["how"])
            return None
        return None if body is None else bytes(body)

    async def _collect_body(self, fault: Fault | None, held: AsyncExitStack) -> bytearray | None:
        """Return the body, as far as the limit and a fault let it be read; None when the connection is gone."""
        now = asyncio.get_running_loop().time
        rate = fault["rate"] if fault is not None and "rate" in fault.options else 0
        most = self._service.settings.max_body
        if fault is not None and "after" in fault.options:
            most = min(most, fault["after"] - 1)
        body, started, large = bytearray(), now(), False
        async with asyncio.timeout(_BODY_TIME) as limit:
            while len(body) <= most:
                event = await self._next_event()
                if isinstance(event, h11.EndOfMessage):
                    break
                if not isinstance(event, h11.Data):
                    return None
                body += event.data
                limit.reschedule(None)  # neither other clients nor a fault's pauses are this client's delay
                paused = now()
                if len(body) > _LARGE and not large:
                    await held.enter_async_context(self._origin.large_bodies)
                    large = True
                if rate:
                    await self._sleep(len(event.data) / rate)
                started += now() - paused
                limit.reschedule(started + _BODY_TIME + len(body) / _SLOWEST)
        return body

    async def _handle(
        self, inspector: Inspector | None, request: Request, incoming: IncomingRequest | None
    ) -> HandledRequest:
        try:
            if inspector is not None:
                return HandledRequest(await self._origin.in_thread(partial(inspector.answer, request)))
            handled: HandledRequest = await self._origin.in_thread(partial(self._service.handle, request, incoming))
        except Exception:
            logger.exception("the sandbox failed while it handled %s %s", request.method, request.path)
            return HandledRequest(failure("the sandbox itself failed; its log says how", status=500))
        return handled

    # Writing.

    async def _deliver(self, handled: HandledRequest, method: str) -> bool:
        """Send the reply; return whether the connection may carry another request."""
        pace, fault = handled.fault("pace"), handled.fault("delivery")
        if pace is not None:
            await self._sleep(pace["seconds"])
        if fault is None:
            await self._send(handled.response, method)
            return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        await self._send_broken(fault, handled.response)
        self._cut(str(fault.options.get("how", "fin")))
        return False

    async def _refuse(self, response: Response) -> None:
        """Answer a request that is not read to its end, and end the connection."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        await self._send(evolve(response, headers=(*response.headers, ("connection", "close"))), "POST")
        if self._writer.can_write_eof():
            self._writer.write_eof()
        try:
            async with asyncio.timeout(_LINGER_TIME):
                while await self._reader.read(_BLOCK):
                    pass
        except TimeoutError:
            pass

    async def _send(self, response: Response, method: str) -> None:
        headers, reason = _wire_headers(response), _reason(response.status)
        self._send_event(h11.Response(status_code=response.status, headers=headers, reason=reason))
        if method != "HEAD" and response.has_body:
            for block in response.blocks():
                self._send_event(h11.Data(data=block))
                await self._drain()
        self._send_event(h11.EndOfMessage())
        await self._drain()

    def _send_event(self, event: h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)

    async def _drain(self) -> None:
        async with asyncio.timeout(_SEND_TIME):
            await self._writer.drain()

    async def _send_broken(self, fault: Fault, response: Response) -> None:
        """Send a reply, or a part of it, as a fault of the layer ``delivery`` asks."""
        head = _head(response, quiet=fault.name == "cut-quiet")
        match fault.name:
            case "cut-head":
                self._writer.write(head[: fault["after"]])
            case "cut-body" | "cut-quiet":
                self._writer.write(head + response.body[: fault["after"]])
            case "garbage":
                self._writer.write(b"\x00\x17 this is not HTTP\r\n\r\n")
            case "stall-reply":
                self._writer.write((head + response.body)[: fault["after"]])
                await self._sleep(fault["seconds"])
            case "drip":
                await self._drip(head + response.body, fault["bytes"], fault["seconds"])
            case "drip-part":
                for data, slow in _with_slow_part(fault, response):
                    await self._drip(data, 1 if slow else len(data), fault["seconds"] if slow else 0)
            case _:
                pass

    async def _drip(self, data: bytes, step: int, pause: float) -> None:
        step = max(1, step)
        for start in range(0, len(data), step):
            self._writer.write(data[start : start + step])
            await self._drain()
            if pause:
                await self._sleep(pause)

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(self._service.clock.wait(seconds))

    def _cut(self, how: str) -> None:
        """Close with FIN after what was written, or at once with RST."""
        if how == "rst":
            sock = self._writer.get_extra_info("socket")
            if sock is not None:
                reset_on_close(sock)
            abort(self._writer.transport)
        else:
            self._writer.close()


def reset_on_close(sock: socket.socket) -> None:
    """Have a connection end with RST when it is closed."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def abort(transport: asyncio.WriteTransport) -> None:
    """Close a connection at once, whatever is still to be sent."""
    with suppress(AttributeError):  # raised by asyncio where a closing transport has sent its last bytes by itself
        transport.abort()


def _with_slow_part(fault: Fault, response: Response) -> Iterator[tuple[bytes, bool]]:
    """Yield a reply in pieces, each with whether it is sent a byte at a time."""
    part, length, body = fault["part"], min(fault["length"], 1_000_000), response.body
    if part in ("status-line", "headers", "body"):
        status, _, rest = _head(response).partition(b"\r\n")
        yield status + (b" " + b"x" * length if part == "status-line" else b""), part == "status-line"
        yield b"\r\n", False
        if part == "headers":
            yield b"x-padding: " + b"x" * length + b"\r\n", True
        yield rest, False
        yield body[:length] if part == "body" else b"", True
        yield body[length:] if part == "body" else body, False
        return
    yield _head(evolve(response, chunked=True), chunked=True), False
    size = f"{len(body):x}".encode()
    if part == "chunk-size":
        yield size.rjust(min(length, 16), b"0"), True  # HTTP libraries refuse more digits
    else:
        yield size, False
    if part == "chunk-extension":
        yield b";x=" + b"y" * length, True
    yield b"\r\n" + body + b"\r\n0\r\n", False
    if part == "trailer":
        yield b"x-trailer: " + b"x" * length + b"\r\n", True
    yield b"\r\n", False


def _wire_headers(response: Response) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode("latin-1"), _NOT_IN_HEADERS.sub("?", value).strip().encode("latin-1"))
        for name, value in response.whole_headers
    ]


def _head(response: Response, *, quiet: bool = False, chunked: bool = False) -> bytes:
    shown = evolve(response, chunked=True) if quiet else response
    lines = [b"HTTP/1.1 %d " % response.status + _reason(response.status)]
    lines += [name + b": " + value for name, value in _wire_headers(shown)]
    lines += [b"transfer-encoding: chunked"] if chunked else []
    return b"\r\n".join([*lines, b"connection: close"]) + b"\r\n\r\n"


def _reason(status: int) -> bytes:
    return responses.get(status, "Unassigned").encode("ascii")
