"""A caller's own httpx transport, called directly and held to the promises of the client's own connections.

httpx's own transports report what they do (the ``trace`` extension), so that ``before_send`` runs before the first byte
and the time limits hold; they are asked to keep no connection, so that a submission has one of its own. Of any other
transport only its exceptions tell how far a request got, so ``before_send`` runs before it is called.
"""

import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import anyio
import httpx

from seedream._protocol.effects import SendRequest
from seedream._request.encode import Body
from seedream._support.addresses import is_public_address
from seedream._transport.async_network import run_to_end
from seedream._transport.send_tracker import SendTracker
from seedream.errors import ConfigError, UnsafeUrl

_Parts = tuple[int, Any, Any, Callable[[], Any]]  # status, headers, chunks, close
_NEVER: Final = float("inf")


class _BodyStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, body: Body) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._body.chunks()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._body.chunks():
            yield chunk


def _request(effect: SendRequest, headers: Mapping[str, str], tracker: SendTracker, trace: Any) -> httpx.Request:
    limits, total = tracker.timeouts, tracker.total_timeout or _NEVER
    timeout = {
        "connect": min(limits.connect, total),
        "write": min(limits.write, total),
        "read": min(limits.read(effect.kind), total),
        "pool": None,
    }
    extensions: dict[str, Any] = {"timeout": timeout}
    if trace is not None:
        extensions["trace"] = trace
        headers = {**headers, "Connection": "close"}
    body = effect.request.body
    return httpx.Request(
        effect.request.method,
        effect.request.url,
        headers=headers,
        stream=None if body is None else _BodyStream(body),
        extensions=extensions,
    )


def _host(effect: SendRequest) -> str:
    return httpx.URL(effect.request.url).raw_host.decode("ascii")


def _wrong_kind(transport: object, wanted: str, client: str) -> ConfigError:
    return ConfigError(
        f"a {type(transport).__name__} is not a transport for {client}",
        hint=f"Give an {wanted} of httpx. For a proxy or a CA bundle no transport is needed: see proxy= and verify=.",
    )


class _Trace:
    """Feeds a tracker with the events of an httpx transport.

    Args:
        tracker: Of the exchange.
        host: The host of the URL. A connection to another one is to a proxy, which alone knows the peer's address.
        limit: Called with the time (monotonic) at which the exchange must be over, whenever that changes.
    """

    def __init__(self, tracker: SendTracker, host: str, limit: Callable[[float], None]) -> None:
        self._tracker = tracker
        self._host = host
        self._limit = limit
        self._direct = True
        self.stream: Any = None

    def note(self, event: str, info: Mapping[str, Any]) -> bool:
        """Take in an event. Return whether ``before_send`` must run now.

        Raises:
            UnsafeUrl: The peer is in a private network. The caller closes ``stream``.
        """
        tracker = self._tracker
        place, _, moment = event.rpartition(".")
        request = info.get("request")
        if request is not None and request.method == b"CONNECT":
            return False  # the proxy's own request, not ours
        if moment == "started" and place.endswith(".connect_tcp"):
            self._direct = info.get("host") == self._host
        elif moment == "complete" and place.endswith((".connect_tcp", ".start_tls")):
            tracker.watched = True
            self.stream = info["return_value"]
            self._limit(tracker.connect_deadline)
            if place.endswith(".connect_tcp") and tracker.public_only and self._direct:
                self._check_peer()
        elif place.endswith("send_request_headers") and moment == "started":
            tracker.watched = True
            if tracker.before_send is not None and tracker.sent:
                raise RuntimeError("the transport tried to send a submission again by itself")
            return True
        elif place.endswith("send_request_body") and moment == "complete":
            tracker.sent_in_full = True
            tracker.start_reply()
            self._limit(tracker.reply_deadline)
        return False

    def sending(self) -> None:
        """Note that bytes leave from here on. Stalls are limited by httpx's own timeout for a write."""
        self._tracker.sent = max(self._tracker.sent, 1)
        self._limit(_NEVER)

    def _check_peer(self) -> None:
        address = self.stream.get_extra_info("server_addr")
        peer = str(address[0]).partition("%")[0] if address else ""
        if not is_public_address(peer):
            raise self._tracker.stop(
                UnsafeUrl(
                    f"the image host's address {peer or '(unknown)'} is not on the public network",
                    hint="A public service's reply must not point into a private network; nothing was sent there.",
                )
            )


class _Watchdog:
    """Shuts a connection when its time is up, from a thread, which ends a blocking read in an httpx transport."""

    def __init__(self, tracker: SendTracker, host: str) -> None:
        self._tracker = tracker
        self.trace = _Trace(tracker, host, self.limit)
        self._deadline = _NEVER
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, before anything else: where the machine gives none, nothing is sent."""
        self._thread = threading.Thread(target=self._watch, name="seedream-deadline", daemon=True)
        self._thread.start()

    def limit(self, deadline: float) -> None:
        with self._changed:
            self._deadline = deadline
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while self._thread is not None:
                left = self._deadline - time.monotonic()
                if left <= 0:
                    self._shut()
                    return
                self._changed.wait(None if left == _NEVER else left)

    def _shut(self) -> None:
        sock = self.trace.stream.get_extra_info("socket") if self.trace.stream is not None else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        with self._changed:
            self._thread = None
            self._changed.notify()

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        try:
            if self.trace.note(event, info):
                self._tracker.run_before_send()
                self.trace.sending()
        except UnsafeUrl:
            self.trace.stream.close()
            raise


class CustomTransport:
    """Sends requests through a caller's blocking transport.

    Raises:
        ConfigError: The transport is not a blocking transport of httpx.
    """

    def __init__(self, transport: Any) -> None:
        if not isinstance(transport, httpx.BaseTransport):
            raise _wrong_kind(transport, "httpx.BaseTransport", "SeeDream")
        self._transport = transport
        self._reports = isinstance(transport, httpx.HTTPTransport)

    def send(self, effect: SendRequest, tracker: SendTracker, headers: Mapping[str, str]) -> _Parts:
        """Send a request. Return the reply's status, headers, chunks, and what closes it."""
        if not self._reports:
            tracker.run_before_send()
        watchdog = _Watchdog(tracker, _host(effect)) if self._reports else None
        request = _request(effect, headers, tracker, watchdog)
        if watchdog is not None:
            watchdog.start()
        tracker.handed_over = True
        try:
            response = self._transport.handle_request(request)
            if tracker.must_ask:
                tracker.run_before_send()
        except BaseException:
            if watchdog is not None:
                watchdog.stop()
            raise
        tracker.mark_replied()
        # A mock's reply may be read already.
        chunks = iter([response.content]) if response.is_stream_consumed else response.iter_raw()

        def close() -> None:
            if watchdog is not None:
                watchdog.stop()
            response.close()

        return response.status_code, response.headers.raw, _limited(chunks, tracker, watchdog), close

    def close(self) -> None:
        self._transport.close()


def _limited(chunks: Iterator[bytes], tracker: SendTracker, watchdog: _Watchdog | None) -> Iterator[bytes]:
    """Give the chunks, each within the time for it."""
    while True:
        if watchdog is not None:
            watchdog.limit(tracker.reply_deadline)
        chunk = next(chunks, b"")
        if time.monotonic() > tracker.reply_deadline:
            raise httpx.ReadTimeout("the reply did not come in time")
        if not chunk:
            return
        yield chunk


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


class _AsyncWatch:
    """Cancels an exchange when its time is up."""

    def __init__(self, tracker: SendTracker, host: str) -> None:
        self.tracker = tracker
        self.trace = _Trace(tracker, host, self.limit)
        self.scope = anyio.CancelScope()

    def limit(self, deadline: float) -> None:
        self.scope.deadline = anyio.current_time() + (deadline - time.monotonic())

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        try:
            if self.trace.note(event, info):
                if self.tracker.must_ask:
                    await run_to_end(self.tracker.run_before_send)
                self.trace.sending()
        except UnsafeUrl:
            await self.trace.stream.aclose()
            raise


class AsyncCustomTransport:
    """Sends requests through a caller's asynchronous transport.

    Raises:
        ConfigError: The transport is not an asynchronous transport of httpx.
    """

    def __init__(self, transport: Any) -> None:
        if not isinstance(transport, httpx.AsyncBaseTransport):
            raise _wrong_kind(transport, "httpx.AsyncBaseTransport", "AsyncSeeDream")
        self._transport = transport
        self._reports = isinstance(transport, httpx.AsyncHTTPTransport)

    async def send(self, effect: SendRequest, tracker: SendTracker, headers: Mapping[str, str]) -> _Parts:
        """Send a request, as `CustomTransport.send` does."""
        if not self._reports and tracker.must_ask:
            await run_to_end(tracker.run_before_send)
        watch = _AsyncWatch(tracker, _host(effect))
        request = _request(effect, headers, tracker, watch if self._reports else None)
        tracker.handed_over = True
        if not self._reports:
            watch.limit(time.monotonic() + tracker.timeouts.total(effect.kind, tracker.total_timeout))
        response = None
        with watch.scope:
            response = await self._transport.handle_async_request(request)
        if response is None:
            raise httpx.ReadTimeout("the reply did not come in time")
        if tracker.must_ask:
            await run_to_end(tracker.run_before_send)
        tracker.mark_replied()
        chunks = _once(response.content) if response.is_stream_consumed else response.aiter_raw()
        return response.status_code, response.headers.raw, _alimited(chunks, tracker), response.aclose

    async def close(self) -> None:
        await self._transport.aclose()


async def _alimited(chunks: AsyncIterator[bytes], tracker: SendTracker) -> AsyncIterator[bytes]:
    while True:
        chunk = None
        with anyio.move_on_after(max(tracker.reply_deadline - time.monotonic(), 0)):
            chunk = await anext(chunks, b"")
        if chunk is None or time.monotonic() > tracker.reply_deadline:
            raise httpx.ReadTimeout("the reply did not come in time")
        if not chunk:
            return
        yield chunk
