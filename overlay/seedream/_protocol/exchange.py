"""One HTTP exchange: how far it got, the barrier, the address check, and reading a whole reply within a cap.

The HTTP library's exception class cannot tell "never sent" from "maybe billed" (a reset in mid-body and one after the
whole body are both ReadError). Its ``trace`` extension can: before the event that the request's head is about to be
written, not one byte of it has left. The same hook is where the barrier runs.
"""

import socket
import ssl
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import httpx
from attrs import define, evolve, field

from seedream._protocol.effects import Channel, Failure, Flow, Reply, Request, close, now, open_stream, read
from seedream._support.addresses import is_public_address
from seedream._support.redact import redact
from seedream.errors import Phase, UnsafeUrl

MAX_JSON: Final = 1024 * 1024  # bytes: no reply of this API comes near it
_NOT_SENT: Final = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
    httpx.LocalProtocolError, httpx.InvalidURL,
)  # fmt: skip
_WRITING: Final = (httpx.WriteError, httpx.WriteTimeout)


@define
class Exchange:
    """Bookkeeping of one request: fed with trace events, it knows what an exception means."""

    barrier: Callable[[], None] | None = None
    public_only: bool = False
    secret: str = field(default="", repr=False)
    watch: Callable[[], None] | None = None  # starts the clock that may cut the connection
    _line: Any = None
    handed: bool = False  # over to the HTTP library: before that, nothing can have left
    _phase: Phase = "never_sent"
    _seen: bool = False
    _entered: bool = False
    _peer: str = ""
    _stopped: BaseException | None = None

    def note(self, event: str, info: Mapping[str, Any]) -> bool:
        """Take in a trace event. True: the request is about to be written, run ``enter`` first."""
        self._seen = True
        place, _, moment = event.rpartition(".")
        request = info.get("request")
        if request is not None and request.method == b"CONNECT":
            return False  # the proxy's own request, not ours
        if place.endswith("send_request_body") and moment == "complete" and self._phase == "sent_partial":
            self._phase = "sent_full"
        return place.endswith("send_request_headers") and moment == "started"

    def connected(self, line: Any) -> None:
        """A connection stands (a second time when TLS does): from the first on, the clock runs."""
        if self._line is None and self.watch is not None:
            self.watch()
        self._line = line

    def cut(self) -> None:
        """The time is up: shut the connection, which wakes a blocked read or write. For a thread's timer."""
        sock = self._line.get_extra_info("socket") if self._line is not None else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def enter(self) -> None:
        """Run the barrier, once. If it raises, nothing may be sent."""
        if self._entered:
            return
        try:
            if self.barrier is not None:
                self.barrier()
        except BaseException as error:
            self._stopped = error
            raise
        self._entered = True

    def writing(self) -> None:
        """From here on bytes leave. A submission leaves once: a transport that repeats it by itself is stopped."""
        if self.barrier is not None and self._phase != "never_sent":
            raise RuntimeError("the transport tried to send a submission again by itself")
        self.enter()
        self._phase = "sent_partial"

    def replied(self) -> None:
        """A reply came. A transport that reports no events (a mock) has the barrier run here at the latest."""
        self.enter()
        self._phase = "sent_full"

    def failure(self, error: Exception) -> Failure:
        """What the exception means. One of the barrier or of the address check goes on up instead."""
        if self._stopped is not None:
            # Its traceback would hold the HTTP library's frames, and in them the request with its key.
            raise self._stopped.with_traceback(None) from None
        if self.handed and not self._seen and self._phase != "sent_full" and not isinstance(error, _NOT_SENT):
            self.enter()
            self._phase = "sent_partial" if isinstance(error, _WRITING) else "sent_full"
        text = redact(str(error), self.secret).strip() or type(error).__name__
        return Failure(self._phase, type(error).__name__, text, tls=self._phase == "never_sent" and _is_tls(error))

    def refuses_peer(self, event: str, info: Mapping[str, Any]) -> bool:
        """Whether a connection just made leads into a private network and must not.

        Seen before any byte is sent, and from the connection itself, so that no trick of the name service helps.
        The caller closes it and raises ``peer_refused()``.
        """
        if not self.public_only or event != "connection.connect_tcp.complete":
            return False
        address = info["return_value"].get_extra_info("server_addr")
        self._peer = str(address[0]).partition("%")[0] if address else ""
        return not is_public_address(self._peer)

    def peer_refused(self) -> UnsafeUrl:
        """The error for a refused peer."""
        refusal = UnsafeUrl(
            f"the image host's address {self._peer or '(unknown)'} is not on the public network",
            hint="A public service's reply must not point into a private network; nothing was sent there.",
        )
        self._stopped = refusal
        return refusal


def _is_tls(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    # An end in mid-handshake is the network's doing and passes.
    return error is not None and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)


def exchange(
    request: Request,
    channel: Channel,
    *,
    barrier: Callable[[], None] | None = None,
    within: float,
) -> Flow[Reply | Failure]:
    """Send a request and read its whole reply, at most MAX_JSON bytes of it and for ``within`` seconds."""
    started = yield from now()
    stream = yield from open_stream(request, channel, barrier=barrier, within=within)
    if isinstance(stream, Failure):
        return stream
    body, failed = bytearray(), None
    try:
        while len(body) <= MAX_JSON:
            chunk = yield from read(stream)
            if isinstance(chunk, Failure):
                failed = evolve(chunk, phase="sent_full")  # a head has come: it was sent in full, whatever broke since
                break
            if not chunk:
                break
            body += chunk
            if (yield from now()) - started > within:  # each byte resets the read timeout
                failed = Failure("sent_full", "ReadTimeout", f"the reply was not whole after {within:.0f} s")
                break
    finally:
        yield from close(stream)
    if len(body) > MAX_JSON:
        failed = Failure("sent_full", "TooLarge", f"the reply is larger than {MAX_JSON} bytes")
    reply = Reply(stream.status, stream.headers, _decoded(bytes(body[:MAX_JSON]), stream.headers))
    return reply if failed is None else evolve(failed, reply=reply)


def _decoded(body: bytes, headers: Mapping[str, str]) -> bytes:
    """We ask for no compression; a host in between may compress all the same. Never more than the cap."""
    if headers.get("content-encoding", "").strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    try:
        return zlib.decompressobj(wbits=47).decompress(body, MAX_JSON)
    except zlib.error:
        return body  # it will not read as JSON, and is kept on the error as it came
