"""The service as a transport of httpx, without sockets: for the blocking and the awaiting client alike."""

from collections.abc import AsyncIterator, Generator, Iterator
from typing import Final, cast

import httpx
from attrs import frozen

from seedream_sandbox.faults.language import Fault
from seedream_sandbox.http import Request, Response
from seedream_sandbox.service.api import Service

_HEAD: Final = "http11.send_request_headers"
_BODY: Final = "http11.send_request_body"
_GONE: Final = "Server disconnected without sending a response."


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests to the API's and the image host's origin; any other host is a connection refused.

    Cuts and stalls become the exceptions that the fault gives on a socket, without waiting. The request's ``trace``
    extension is called with the events of a socket, so a client knows how far a request got.
    """

    def __init__(self, service: Service, base_url: str, images_url: str) -> None:
        self._service = service
        self._origins = {_origin(httpx.URL(base_url)): False, _origin(httpx.URL(images_url)): True}
        self._images_url = images_url

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request whose body can be read blocking."""
        trace = request.extensions.get("trace")
        answering = self._answer(request, request.read())
        try:
            while True:
                event = next(answering)
                if trace is not None:
                    trace(event, {})
        except StopIteration as done:
            return cast("httpx.Response", done.value)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request whose body and trace are awaited."""
        trace = request.extensions.get("trace")
        answering = self._answer(request, await request.aread())
        try:
            while True:
                event = next(answering)
                if trace is not None:
                    await trace(event, {})
        except StopIteration as done:
            return cast("httpx.Response", done.value)

    def _answer(self, request: httpx.Request, body: bytes) -> Generator[str, None, httpx.Response]:
        """Yield what a connection would report, one event at a time; return the reply."""
        plain = self._plain(request, body)
        connect = self._service.connection_fault()
        yield f"{_HEAD}.started"
        yield f"{_HEAD}.complete"
        incoming = self._service.receive(plain)
        breaking = incoming.fault if incoming.fault is not None and "after" in incoming.fault.options else None
        yield f"{_BODY}.started"
        if breaking is not None and breaking["after"] < len(body):
            if breaking.name == "cut-request":
                raise httpx.WriteError("connection reset", request=request)
            self._raise(breaking, request)
        yield f"{_BODY}.complete"
        self._raise(connect, request)
        self._raise(breaking, request)
        handled = self._service.handle(plain, incoming)
        pace = handled.fault("pace")
        if pace is not None:
            self._service.clock.wait(pace["seconds"])
            patience = request.extensions.get("timeout", {}).get("read")
            if patience is not None and patience < pace["seconds"]:
                raise httpx.ReadTimeout("timed out", request=request)
        return _delivered(handled.fault("delivery"), handled.response, request)

    def _plain(self, request: httpx.Request, body: bytes) -> Request:
        origin = _origin(request.url)
        if origin not in self._origins:
            raise httpx.ConnectError(f"only the sandbox can be reached here, not {request.url.host}", request=request)
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        return Request(
            request.method,
            httpx.URL(f"http://h{path}").path,
            query,
            tuple((name.lower(), value) for name, value in request.headers.multi_items()),
            body,
            images=self._origins[origin],
            images_url=self._images_url,
        )

    @staticmethod
    def _raise(fault: Fault | None, request: httpx.Request) -> None:
        if fault is None:
            return
        if fault.name.startswith("stall"):
            raise httpx.ReadTimeout("timed out", request=request)
        raise _cut(fault, request)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _cut(fault: Fault, request: httpx.Request) -> httpx.TransportError:
    if str(fault.options.get("how", "fin")) == "rst":
        return httpx.ReadError("connection reset", request=request)
    return httpx.RemoteProtocolError(_GONE, request=request)


@frozen
class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A reply's body, which may end in an exception."""

    response: Response
    upto: int
    end: httpx.TransportError | None = None

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        for block in self.response.blocks():
            part = block[: self.upto - sent]
            if part:
                yield part
            sent += len(part)
            if sent >= self.upto:
                break
        if self.end is not None:
            raise self.end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for block in self:
            yield block


def _delivered(fault: Fault | None, response: Response, request: httpx.Request) -> httpx.Response:
    headers = list(response.whole_headers)
    upto, end = (0 if request.method == "HEAD" else response.length), None
    if fault is not None:
        match fault.name:
            case "cut-reply" | "cut-head":
                raise _cut(fault, request)
            case "garbage":
                raise httpx.RemoteProtocolError("illegal status line", request=request)
            case "stall-reply":
                raise httpx.ReadTimeout("timed out", request=request)
            case "cut-body":
                upto, end = fault["after"], _cut(fault, request)
            case "cut-quiet":
                headers, upto = list(response.headers), fault["after"]
            case _:  # dripping has no effect without a socket
                pass
    return httpx.Response(response.status, headers=headers, stream=_Body(response, upto, end), request=request)
