"""Carries out the effects of a workflow with httpx: SyncHTTP blocks, AsyncHTTP awaits. The only network I/O."""

import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import cached_property, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio  # comes with httpx, and is loaded by it
import anyio.to_thread
import httpx
from attrs import frozen

from seedream._protocol.effects import Close, Effect, Failure, Read, ReadClock, RunInThread, SendRequest, Sleep
from seedream._request.encode import Body
from seedream._support.timing import Clock, RequestKind, Timeouts
from seedream._transport.send_tracker import SendTracker
from seedream._version import __version__

T = TypeVar("T")
_AGENT: Final = f"seedream/{__version__}"


def _timeouts(timeouts: Timeouts, kind: RequestKind, most: float | None) -> dict[str, float | None]:
    """Return the timeouts as httpx takes them for one request, none above ``most``."""
    limit = max(most, 0.001) if most is not None else float("inf")
    return {
        "connect": min(timeouts.connect, limit),
        "write": min(timeouts.write, limit),
        "read": min(timeouts.read(kind), limit),
        "pool": None,
    }


@frozen
class _Handle:
    response: httpx.Response
    tracker: SendTracker
    chunks: Any  # an iterator of bytes, blocking or awaiting


@frozen
class _Stream:
    status: int
    headers: Mapping[str, str]
    handle: _Handle


class _BodyStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A request's body in few chunks, for both kinds of client."""

    def __init__(self, body: Body) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._body.chunks()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._body.chunks():
            yield chunk


class _HttpBase:
    """What both kinds have: configuration, and how the HTTP clients are built.

    Three clients: submissions never reuse a kept connection (a stale one fails ambiguously), queries do, and
    downloads go through one that has never seen the key. None keeps cookies or follows redirects.
    """

    _client_class: Any
    _max_keepalive: int  # idle connections of queries and downloads

    def __init__(self, transport: Any, timeouts: Timeouts, clock: Clock, secret: str) -> None:
        self._transport = transport
        self._timeouts = timeouts
        self._clock = clock
        self._secret = secret
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        # A transport of another make may report no events: then before_send runs before it is called.
        self._no_trace_events = transport is not None and not isinstance(
            transport, httpx.HTTPTransport | httpx.AsyncHTTPTransport
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    def _client(self, kind: RequestKind, scheme: str) -> Any:
        with self._lock:
            if (kind, scheme) not in self._clients:
                self._clients[kind, scheme] = self._client_class(
                    transport=self._transport,
                    limits=httpx.Limits(max_keepalive_connections=0 if kind == "submit" else self._max_keepalive),
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                    # Loading the certificates takes a tenth of a second: once, and never for plain loopback.
                    verify=self._tls if scheme == "https" else False,
                    trust_env=scheme == "https",  # plain http is loopback alone: never by a proxy
                )
            return self._clients[kind, scheme]

    def _build_request(self, effect: SendRequest, tracker: SendTracker, trace: Any) -> tuple[Any, httpx.Request]:
        """Return the client and the request for an effect. May raise whatever httpx makes of a bad URL."""
        request = effect.request
        client = self._client(effect.kind, urlsplit(request.url).scheme)
        url = httpx.URL(request.url)
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": _AGENT,
            **request.headers,
        }
        stream: _BodyStream | None = None
        if (body := request.body) is not None:
            body.check()
            headers["Content-Length"] = str(body.length)
            stream = _BodyStream(body)
        timeouts = _timeouts(self._timeouts, effect.kind, effect.total_timeout)
        extensions = {"trace": partial(trace, tracker), "timeout": timeouts}
        return client, httpx.Request(request.method, url, headers=headers, stream=stream, extensions=extensions)

    def _tracker(self, effect: SendRequest) -> SendTracker:
        url = urlsplit(effect.request.url)
        public_only = effect.public_only
        if public_only and (url.scheme in (found := getproxies()) or "all" in found):
            public_only = bool(proxy_bypass(url.hostname or ""))  # behind a proxy the peer's address is the proxy's
        return SendTracker(effect.before_send, public_only, self._secret)

    @staticmethod
    def _stream(response: httpx.Response, tracker: SendTracker, chunks: Any) -> _Stream:
        tracker.mark_replied()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return _Stream(response.status_code, headers, _Handle(response, tracker, chunks))


class SyncHTTP(_HttpBase):
    """Blocking."""

    _client_class = httpx.Client
    _max_keepalive = 0  # only a connection made under our eyes can be cut when the time is up

    def perform(self, effect: Effect) -> Any:
        match effect:
            case SendRequest():
                return self._send(effect)
            case Read(stream):
                try:
                    return next(stream.handle.chunks, b"")
                except Exception as error:  # noqa: BLE001 -- see _send
                    return stream.handle.tracker.to_failure(error)
            case Close(stream):
                stream.handle.response.close()
            case Sleep(seconds):
                self._clock.sleep(seconds)
            case ReadClock():
                return self._clock.monotonic()
            case RunInThread(call):
                return call()
        return None

    def _send(self, effect: SendRequest) -> _Stream | Failure:
        tracker = self._tracker(effect)
        watch = threading.Timer(self._timeouts.total(effect.kind, effect.total_timeout), tracker.abort_connection)
        watch.daemon = True
        tracker.start_deadline = watch.start
        try:
            if self._no_trace_events:
                tracker.run_before_send()
            client, request = self._build_request(effect, tracker, self._trace)
            tracker.handed_to_httpx = not client.is_closed
            response = client.send(request, stream=True)
            if tracker.sent_unseen():
                tracker.run_before_send()
            # A mock's reply may be read already.
            chunks = iter([response.content]) if response.is_stream_consumed else response.iter_raw()
            return self._stream(response, tracker, chunks)
        except Exception as error:  # noqa: BLE001 -- whatever the library raises, what was sent decides
            failed = error
        finally:
            watch.cancel()
        if tracker.sent_unseen(failed):
            tracker.run_before_send()
        return tracker.to_failure(failed)  # out of the except block: an error of ours keeps no other behind it

    @staticmethod
    def _trace(tracker: SendTracker, event: str, info: Mapping[str, Any]) -> None:
        if event.startswith("connection.") and event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            tracker.connected(info["return_value"])
        if tracker.refuses_peer(event, info):
            info["return_value"].close()
            raise tracker.peer_refused()
        if tracker.on_trace_event(event, info):
            tracker.mark_sending()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


async def _in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call in a thread, to its end whatever happens.

    asyncio's own ``cancel()`` (``timeout``, ``wait_for``) goes through anyio's shields; the call must not go on unseen.
    """
    claim, ended = threading.Lock(), threading.Event()

    def work() -> T:
        if not claim.acquire(blocking=False):
            raise RuntimeError("given up before it began")
        try:
            return call()
        finally:
            ended.set()

    with anyio.CancelScope(shield=True):
        try:
            return await anyio.to_thread.run_sync(work)
        except BaseException:
            if not claim.acquire(blocking=False):
                ended.wait()
            raise
    raise AssertionError("a shield lets every end through")


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


class AsyncHTTP(_HttpBase):
    """Awaiting. Blocking calls and before_send run in a thread, so a slow disk does not hold up other tasks."""

    _client_class = httpx.AsyncClient
    _max_keepalive = 20

    async def perform(self, effect: Effect) -> Any:
        match effect:
            case SendRequest():
                return await self._send(effect)
            case Read(stream):
                try:
                    return await anext(stream.handle.chunks, b"")
                except Exception as error:  # noqa: BLE001 -- see _send
                    return stream.handle.tracker.to_failure(error)
            case Close(stream):
                with anyio.CancelScope(shield=True):
                    await stream.handle.response.aclose()
            case Sleep(seconds):
                await self._clock.async_sleep(seconds)
            case ReadClock():
                return self._clock.monotonic()
            case RunInThread(call):
                return await _in_thread(call)
        return None

    async def _send(self, effect: SendRequest) -> _Stream | Failure:
        tracker = self._tracker(effect)
        try:
            if self._no_trace_events and effect.before_send is not None:
                await _in_thread(tracker.run_before_send)
            client, request = self._build_request(effect, tracker, self._trace)
            tracker.handed_to_httpx = not client.is_closed
            with anyio.fail_after(self._timeouts.total(effect.kind, effect.total_timeout)):
                response = await client.send(request, stream=True)
            if tracker.sent_unseen() and tracker.before_send is not None:
                await _in_thread(tracker.run_before_send)
            chunks = _once(response.content) if response.is_stream_consumed else response.aiter_raw()
            return self._stream(response, tracker, chunks)
        except Exception as error:  # noqa: BLE001 -- whatever the library raises, what was sent decides
            failed = error
        if tracker.sent_unseen(failed) and tracker.before_send is not None:
            await _in_thread(tracker.run_before_send)
        return tracker.to_failure(failed)

    @staticmethod
    async def _trace(tracker: SendTracker, event: str, info: Mapping[str, Any]) -> None:
        if tracker.refuses_peer(event, info):
            await info["return_value"].aclose()
            raise tracker.peer_refused()
        if tracker.on_trace_event(event, info):
            if tracker.before_send is not None:
                await _in_thread(tracker.run_before_send)
            tracker.mark_sending()

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()
