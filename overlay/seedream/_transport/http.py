"""Carries out the effects of a workflow, blocking; async_http.py does it awaiting. The only network I/O.

Requests go to httpcore's connections, below httpx: there they can be watched byte by byte, and a request costs a third
of what it costs through an httpx client. A caller's own httpx transport is called directly (see custom.py).
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import httpcore  # comes with httpx
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
from seedream._support.memory import keep_freed_memory
from seedream._support.secret import Secret
from seedream._support.timing import Clock, Timeouts
from seedream._transport.connections import (
    SYNC,
    Connections,
    Line,
    NetworkOptions,
    Server,
)
from seedream._transport.network import SyncBackend, current
from seedream._transport.send_tracker import SendTracker
from seedream._version import __version__
from seedream.errors import ConfigError

if TYPE_CHECKING:
    from seedream._transport.custom import CustomTransport

CustomT = TypeVar("CustomT")
_DEFAULT_HEADERS: Final = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "User-Agent": f"seedream/{__version__}",
}
_PORTS: Final = {"http": 80, "https": 443}
# URLs that need no normalisation: loading httpx for its parser would take longer than the rest of a program's start.
_PLAIN_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>/(?!\.)(?:[A-Za-z0-9_~/=&+,:@-]|(?<!/)\.|%[0-9A-F]{2})*(?:\?(?:[A-Za-z0-9_.~/=&+,:@-]|%[0-9A-F]{2})*)?)"
)


@frozen(eq=False, repr=False)
class _Target:
    """A URL as httpcore takes it, and what it says of the server."""

    server: Server
    url: httpcore.URL
    host_header: str


def _target(text: str) -> _Target:
    plain = _PLAIN_URL.fullmatch(text)
    if plain is not None:
        return _plain_target(plain)
    import httpx  # noqa: PLC0415 -- see _PLAIN_URL

    url = httpx.URL(text)
    parsed = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    server = Server(url.scheme, url.raw_host.decode("ascii").lower(), url.port or _PORTS.get(url.scheme, 0))
    return _Target(server, parsed, url.netloc.decode("ascii"))


def _plain_target(url: re.Match[str]) -> _Target:
    scheme, host, target = url["scheme"], url["host"], url["target"]
    port = int(url["port"]) if url["port"] else None
    if port == _PORTS[scheme]:
        port = None
    parsed = httpcore.URL(scheme=scheme.encode(), host=host.encode(), port=port, target=target.encode())
    return _Target(Server(scheme, host, port or _PORTS[scheme]), parsed, host if port is None else f"{host}:{port}")


_api_target: Final = lru_cache(maxsize=16)(_target)  # not for pictures: their URLs are signed, and differ


@frozen(eq=False, repr=False)
class HttpStream:
    tracker: SendTracker
    status: int
    headers: Mapping[str, str]
    chunks: Any  # an iterator of bytes, blocking or awaiting
    close: Callable[[], Any]

    def abort(self) -> None:
        """Break the connection, from any thread; a read that is waiting ends."""
        self.tracker.abort()


class HttpBase(Generic[CustomT]):
    """What both kinds have: configuration, and how requests are made of effects.

    None keeps cookies or follows redirects, and connections of downloads never carry the key.

    Args:
        transport: The caller's own, or None.
        timeouts: Seconds for each phase of an exchange.
        clock: Time, to be replaced in tests.
        secret: The key, which no text may hold.
        headers: Further headers of each request to the API.
        options: How connections are made where there is no transport.

    Raises:
        ConfigError: The transport is of another kind, or a proxy or certificate cannot be used.
    """

    _carriers: tuple[Any, Any, Any]
    _backend: Any

    def __init__(  # noqa: PLR0917 -- called by the client only
        self,
        transport: Any,
        timeouts: Timeouts,
        clock: Clock,
        secret: str,
        headers: Mapping[str, str] | None = None,
        options: NetworkOptions | None = None,
    ) -> None:
        self._custom: CustomT | None = None
        self._connections: Connections | None = None
        if transport is None:
            self._connections = Connections(options or NetworkOptions(), self._carriers, self._backend)
        else:
            self._custom = self._custom_transport(transport)
        self._timeouts = timeouts
        self._clock = clock
        self._secret = secret
        self._api_headers = _replaced(_DEFAULT_HEADERS, headers or {})
        self._closed = False

    @staticmethod
    def _custom_transport(transport: object) -> CustomT:
        """Wrap the caller's transport. The module that does so loads httpx, which the caller has loaded."""
        raise NotImplementedError

    def _prepare(self, effect: SendRequest) -> tuple[SendTracker, _Target, Secret[dict[str, str]]]:
        """Return the tracker, the target and the headers of a request. May raise whatever httpx makes of a bad URL."""
        if self._closed:
            raise ConfigError("the client is closed", hint="Make a new one, or close it later.")
        request = effect.request
        tracker = SendTracker(
            effect.kind, self._timeouts, effect.before_send, effect.public_only, self._secret, effect.total_timeout
        )
        tracker.before_send_blocks = effect.before_send_blocks
        target = _target(request.url) if effect.kind == "download" else _api_target(request.url)
        common = _DEFAULT_HEADERS if effect.kind == "download" else self._api_headers
        headers = {"Host": target.host_header, **common, **request.headers}
        if self._connections is not None and not self._connections.keeps(effect.kind):
            headers["Connection"] = "close"
        body = request.body
        if effect.kind == "download" or (body is not None and body.content is None):
            keep_freed_memory()
        if body is not None:
            body.check()
            headers["Content-Length"] = str(body.length)
        return tracker, target, Secret(headers)

    def _take(self, effect: SendRequest, tracker: SendTracker, target: _Target, library: str = "") -> Line:
        assert self._connections is not None  # noqa: S101 -- there is no transport of the caller's
        line = self._connections.take(effect.kind, target.server, library)
        tracker.tls_layers = line.tls_layers
        if line.proxied:
            tracker.public_only = False  # the peer is the proxy, and only it knows the host's address
        return line

    @staticmethod
    def _request(
        effect: SendRequest, tracker: SendTracker, target: _Target, headers: Mapping[str, str], content: Any
    ) -> httpcore.Request:
        # A proxy's pool has its one connection free at once; a limit makes sure that a fault in that hangs nobody.
        extensions = {"timeout": {"pool": tracker.timeouts.connect}}
        fields = cast("Mapping[bytes | str, bytes | str]", headers)
        return httpcore.Request(
            effect.request.method, target.url, headers=fields, content=content, extensions=extensions
        )


def _replaced(headers: Mapping[str, str], by: Mapping[str, str]) -> dict[str, str]:
    """Return the header fields with those of the same name replaced, whatever the case of their letters."""
    given = {name.lower() for name in by}
    return {**{name: value for name, value in headers.items() if name.lower() not in given}, **by}


def text_of(headers: Any) -> dict[str, str]:
    """Return header fields by their names in lower case, values of the same name joined (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("ascii", "replace").lower(), value.decode("utf-8", "surrogateescape")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


class SyncHTTP(HttpBase["CustomTransport"]):
    """Carries out network effects, blocking."""

    _carriers = SYNC
    _backend = SyncBackend

    @staticmethod
    def _custom_transport(transport: object) -> "CustomTransport":
        from seedream._transport.custom import CustomTransport  # noqa: PLC0415 -- see HttpBase

        return CustomTransport(transport)

    def perform(self, effect: Effect) -> Any:
        match effect:
            case SendRequest():
                return self._send(effect)
            case Read(stream):
                return self._read(cast("HttpStream", stream))
            case Close(stream):
                cast("HttpStream", stream).close()
            case Sleep(seconds):
                self._clock.sleep(seconds)
            case ReadClock():
                return self._clock.monotonic()
            case RunInThread(call):
                return call()
            case Notify(callback, event):
                callback(event)
            case InParallel():
                raise TypeError("run_sync runs workflows in parallel itself")
        return None

    def _send(self, effect: SendRequest) -> HttpStream | Failure:
        tracker, line = None, None
        try:
            tracker, target, headers = self._prepare(effect)
            if self._custom is not None:
                status, fields, chunks, close = self._custom.send(effect, tracker, headers.reveal())
                return HttpStream(tracker, status, text_of(fields), chunks, close)
            line = self._take(effect, tracker, target)
            body = effect.request.body
            content = None if body is None else body.content or body.chunks()
            request = self._request(effect, tracker, target, headers.reveal(), content)
            tracker.handed_over = True
            token = current.set(tracker)
            try:
                response = line.carrier.handle_request(request)
            finally:
                current.reset(token)
            if tracker.must_ask:  # a mock in httpcore's place answered without the network
                tracker.run_before_send()
            tracker.mark_replied()
            chunks, close = iter(response.stream), partial(self._give_back, response, line)
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
        return self._failure(tracker, failed)  # out of the except block: an error of ours keeps no other behind it

    def _failure(self, tracker: SendTracker | None, error: Exception) -> Failure:
        tracker = tracker or SendTracker("query", self._timeouts, secret=self._secret)
        if tracker.guess_sent(error):
            tracker.run_before_send()
        return tracker.to_failure(error)

    @staticmethod
    def _read(stream: HttpStream) -> bytes | Failure:
        tracker = stream.tracker
        if tracker.kind == "download":
            tracker.start_reply()
        token = current.set(tracker)
        try:
            return next(stream.chunks, b"")
        except Exception as error:  # noqa: BLE001 -- see _send
            failed = error
        finally:
            current.reset(token)
        return tracker.to_failure(failed)

    def _give_back(self, response: Any, line: Line) -> None:
        """End a reply, and give its connection back."""
        response.close()
        if self._connections is not None:
            self._connections.give_back(line)

    def close(self) -> None:
        self._closed = True
        if self._connections is not None:
            self._connections.close()
        elif self._custom is not None:
            self._custom.close()
