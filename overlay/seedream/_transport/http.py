"""Carries out the steps of a workflow with httpx: one class blocking, one awaiting. The only place that does I/O."""

import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import cached_property, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio  # comes with httpx, and is loaded by it
import anyio.to_thread
import httpx
from attrs import frozen

from seedream._protocol.effects import Blocking, Close, Failure, Now, Open, Read, Sleep, Step
from seedream._protocol.exchange import Exchange
from seedream._version import __version__

T = TypeVar("T")
_AGENT: Final = f"seedream/{__version__}"


@frozen
class Timeouts:
    """Seconds for each phase of an exchange. A submission may take long to answer; nothing waits for ever."""

    connect: float = 10.0
    write: float = 60.0
    submit_read: float = 180.0
    query_read: float = 30.0
    download_read: float = 60.0

    def within(self, channel: str, most: float | None = None) -> float:
        """Seconds for a whole exchange on this channel, not above ``most``."""
        longest = self.connect + self.write + float(getattr(self, f"{channel}_read"))
        return longest if most is None else min(most, longest)

    def of(self, channel: str, within: float | None) -> dict[str, float | None]:
        """Timeouts as httpx takes them for one request, none above ``within``."""
        most = max(within, 0.001) if within is not None else float("inf")
        read = float(getattr(self, f"{channel}_read"))
        return {
            "connect": min(self.connect, most),
            "write": min(self.write, most),
            "read": min(read, most),
            "pool": None,
        }


class Clock(Protocol):
    """Time, to be replaced in tests."""

    def monotonic(self) -> float: ...
    def time(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...
    async def async_sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def async_sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


@frozen
class _Handle:
    response: httpx.Response
    exchange: Exchange
    chunks: Any  # an iterator of bytes, blocking or awaiting


@frozen
class _Stream:
    status: int
    headers: Mapping[str, str]
    handle: _Handle


class _Shared:
    """What both kinds have: configuration, and how the HTTP clients are built.

    Three clients: submissions never reuse a kept connection (a stale one fails ambiguously), queries do, and
    downloads go through one that has never seen the key. None keeps cookies or follows redirects.
    """

    _kind: Any
    _kept: int  # idle connections of queries and downloads

    def __init__(self, transport: Any, timeouts: Timeouts, clock: Clock, secret: str) -> None:
        self._transport = transport
        self._timeouts = timeouts
        self._clock = clock
        self._secret = secret
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        # A transport of another make may report no events: then the barrier runs before it is called.
        self._eager = transport is not None and not isinstance(
            transport, httpx.HTTPTransport | httpx.AsyncHTTPTransport
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    def _client(self, channel: str, scheme: str) -> Any:
        with self._lock:
            if (channel, scheme) not in self._clients:
                self._clients[channel, scheme] = self._kind(
                    transport=self._transport,
                    limits=httpx.Limits(max_keepalive_connections=0 if channel == "submit" else self._kept),
                    cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                    # Loading the certificates takes a tenth of a second: once, and never for plain loopback.
                    verify=self._tls if scheme == "https" else False,
                    trust_env=scheme == "https",  # plain http is loopback alone: never by a proxy
                )
            return self._clients[channel, scheme]

    def _start(self, step: Open, exchange: Exchange, trace: Any) -> tuple[Any, httpx.Request]:
        """The client and the request for a step. May raise whatever httpx makes of a bad URL."""
        scheme = urlsplit(step.request.url).scheme
        client = self._client(step.channel, scheme)
        arguments = dict(step.request.arguments())
        headers = {
            "accept-encoding": "identity",
            "user-agent": _AGENT,
            **arguments.pop("headers", {}),
            **step.request.headers,
        }
        if exchange.public_only and (scheme in (found := getproxies()) or "all" in found):
            # Behind a proxy the peer's address is the proxy's.
            exchange.public_only = bool(proxy_bypass(urlsplit(step.request.url).hostname or ""))
        return client, client.build_request(
            step.request.method, step.request.url, headers=headers, **arguments,
            extensions={"trace": partial(trace, exchange), "timeout": self._timeouts.of(step.channel, step.within)},
        )  # fmt: skip

    def _exchange(self, step: Open) -> Exchange:
        return Exchange(step.barrier, step.public_only, self._secret)

    @staticmethod
    def _stream(response: httpx.Response, exchange: Exchange, chunks: Any) -> _Stream:
        exchange.replied()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return _Stream(response.status_code, headers, _Handle(response, exchange, chunks))


class SyncHTTP(_Shared):
    """Blocking."""

    _kind = httpx.Client
    _kept = 0  # only a connection made under our eyes can be cut when the time is up

    def perform(self, step: Step) -> Any:
        match step:
            case Open():
                return self._open(step)
            case Read(stream):
                try:
                    return next(stream.handle.chunks, b"")
                except Exception as error:  # noqa: BLE001 -- see _open
                    return stream.handle.exchange.failure(error)
            case Close(stream):
                stream.handle.response.close()
            case Sleep(seconds):
                self._clock.sleep(seconds)
            case Now():
                return self._clock.monotonic()
            case Blocking(call):
                return call()
        return None

    def _open(self, step: Open) -> _Stream | Failure:
        exchange = self._exchange(step)
        watch = threading.Timer(self._timeouts.within(step.channel, step.within), exchange.cut)
        watch.daemon = True
        exchange.watch = watch.start
        try:
            if self._eager:
                exchange.enter()
            client, request = self._start(step, exchange, self._trace)
            exchange.handed = not client.is_closed
            response = client.send(request, stream=True)
            # A mock's reply may be read already.
            chunks = iter([response.content]) if response.is_stream_consumed else response.iter_raw()
            return self._stream(response, exchange, chunks)
        except Exception as error:  # noqa: BLE001 -- whatever the library raises, what was sent decides
            failed = error
        finally:
            watch.cancel()
        return exchange.failure(failed)  # out of the except block: an error of ours keeps no other behind it

    @staticmethod
    def _trace(exchange: Exchange, event: str, info: Mapping[str, Any]) -> None:
        if event.startswith("connection.") and event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            exchange.connected(info["return_value"])
        if exchange.refuses_peer(event, info):
            info["return_value"].close()
            raise exchange.peer_refused()
        if exchange.note(event, info):
            exchange.writing()

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


class AsyncHTTP(_Shared):
    """Awaiting. Blocking calls and the barrier run in a thread, so a slow disk does not hold up other tasks."""

    _kind = httpx.AsyncClient
    _kept = 20

    async def perform(self, step: Step) -> Any:
        match step:
            case Open():
                return await self._open(step)
            case Read(stream):
                try:
                    return await anext(stream.handle.chunks, b"")
                except Exception as error:  # noqa: BLE001 -- see _open
                    return stream.handle.exchange.failure(error)
            case Close(stream):
                with anyio.CancelScope(shield=True):
                    await stream.handle.response.aclose()
            case Sleep(seconds):
                await self._clock.async_sleep(seconds)
            case Now():
                return self._clock.monotonic()
            case Blocking(call):
                return await _in_thread(call)
        return None

    async def _open(self, step: Open) -> _Stream | Failure:
        exchange = self._exchange(step)
        try:
            if self._eager and step.barrier is not None:
                await _in_thread(exchange.enter)
            client, request = self._start(step, exchange, self._trace)
            exchange.handed = not client.is_closed
            with anyio.fail_after(self._timeouts.within(step.channel, step.within)):
                response = await client.send(request, stream=True)
            chunks = _once(response.content) if response.is_stream_consumed else response.aiter_raw()
            return self._stream(response, exchange, chunks)
        except Exception as error:  # noqa: BLE001 -- whatever the library raises, what was sent decides
            failed = error
        return exchange.failure(failed)

    @staticmethod
    async def _trace(exchange: Exchange, event: str, info: Mapping[str, Any]) -> None:
        if exchange.refuses_peer(event, info):
            await info["return_value"].aclose()
            raise exchange.peer_refused()
        if exchange.note(event, info):
            if exchange.barrier is not None:
                await _in_thread(exchange.enter)
            exchange.writing()

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()
