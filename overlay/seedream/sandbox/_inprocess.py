"""The service as a transport of httpx, without sockets: for the blocking and the awaiting client alike."""

from collections.abc import AsyncIterator, Iterator
from typing import Final

import httpx
from attrs import frozen

from seedream.sandbox._fault import Fault
from seedream.sandbox._message import Request, Response
from seedream.sandbox._service import Service

_GONE: Final = "Server disconnected without sending a response."


class Transport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers requests to the API's and the image host's origin; any other host is a connection refused.

    Cuts and stalls become the exceptions that the same fault on a socket gives. Stalls do not wait.

    Args:
        service: The service.
        base_url: Origin of the API.
        images_url: Origin of the image host.
    """

    def __init__(self, service: Service, base_url: str, images_url: str) -> None:
        self._service = service
        self._origins = {_origin(httpx.URL(base_url)): False, _origin(httpx.URL(images_url)): True}
        self._images_url = images_url

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request whose body can be read blocking."""
        return self._answer(request, request.read())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same, awaiting the body."""
        return self._answer(request, await request.aread())

    def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        origin = _origin(request.url)
        if origin not in self._origins:
            raise httpx.ConnectError(f"only the sandbox can be reached here, not {request.url.host}", request=request)
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        plain = Request(
            request.method,
            httpx.URL(f"http://h{path}").path,
            query,
            tuple((name.lower(), value) for name, value in request.headers.multi_items()),
            body,
            images=self._origins[origin],
            images_url=self._images_url,
        )
        self._raise(self._service.connect_fault(), request)
        arrival = self._service.arrive(plain)
        self._raise(arrival.fault, request)
        answer = self._service.handle(plain, arrival)
        pace = answer.of("pace")
        if pace is not None:
            self._service.clock.wait(pace.number("seconds"))
        return _delivered(answer.of("delivery"), answer.response, request)

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
    match fault.name if fault else "":
        case "cut-reply" | "cut-head":
            raise _cut(fault, request)  # type: ignore[arg-type]  # a name was matched
        case "garbage":
            raise httpx.RemoteProtocolError("illegal status line", request=request)
        case "stall-reply":
            raise httpx.ReadTimeout("timed out", request=request)
        case "cut-body":
            upto, end = fault.integer("after"), _cut(fault, request)  # type: ignore[union-attr]  # a name was matched
        case "cut-quiet":
            headers, upto = list(response.headers), fault.integer("after")  # type: ignore[union-attr]  # a name was matched
        case _:
            pass
    return httpx.Response(response.status, headers=headers, stream=_Body(response, upto, end), request=request)
