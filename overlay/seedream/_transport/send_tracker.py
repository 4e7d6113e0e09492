"""Tracks how far a request got, which decides what an exception of the HTTP library means.

The exception's class cannot tell "never sent" from "maybe billed" (a reset in mid-body and one after the whole body
are both ReadError). httpx's ``trace`` extension can: before the event that the request's head is about to be written,
not one byte of it has left. The function that must run before the first byte (``before_send``) runs at that event.
"""

import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import httpx
from attrs import define, field

from seedream._protocol.effects import Failure
from seedream._support.addresses import is_public_address
from seedream._support.redact import redact
from seedream.errors import Phase, UnsafeUrl

_NOT_SENT: Final = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol,
    httpx.LocalProtocolError, httpx.InvalidURL,
)  # fmt: skip
_WRITING: Final = (httpx.WriteError, httpx.WriteTimeout)


@define
class SendTracker:
    """Bookkeeping of one request: fed with trace events, it knows what an exception means."""

    before_send: Callable[[], None] | None = None
    public_only: bool = False
    secret: str = field(default="", repr=False)
    start_deadline: Callable[[], None] | None = None  # starts the clock that may abort the connection
    handed_to_httpx: bool = False  # before that, nothing can have left
    _network_stream: Any = None
    _phase: Phase = "never_sent"
    _saw_events: bool = False
    _allowed: bool = False
    _peer: str = ""
    _stopped: BaseException | None = None

    def on_trace_event(self, event: str, info: Mapping[str, Any]) -> bool:
        """Take in a trace event. Return whether the request is about to be written: then call ``mark_sending``."""
        self._saw_events = True
        place, _, moment = event.rpartition(".")
        request = info.get("request")
        if request is not None and request.method == b"CONNECT":
            return False  # the proxy's own request, not ours
        if place.endswith("send_request_body") and moment == "complete" and self._phase == "sent_partial":
            self._phase = "sent_full"
        return place.endswith("send_request_headers") and moment == "started"

    def connected(self, stream: Any) -> None:
        """Note the connection made (a second time when TLS is up), and start the deadline at the first one."""
        if self._network_stream is None and self.start_deadline is not None:
            self.start_deadline()
        self._network_stream = stream

    def abort_connection(self) -> None:
        """Shut the connection, which wakes a blocked read or write. For a thread's timer."""
        sock = self._network_stream.get_extra_info("socket") if self._network_stream is not None else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def run_before_send(self) -> None:
        """Run ``before_send``, once. If it raises, nothing may be sent."""
        if self._allowed:
            return
        try:
            if self.before_send is not None:
                self.before_send()
        except BaseException as error:
            self._stopped = error
            raise
        self._allowed = True

    def mark_sending(self) -> None:
        """Note that bytes leave from here on. A submission leaves once: a transport that repeats it is stopped."""
        if self.before_send is not None and self._phase != "never_sent":
            raise RuntimeError("the transport tried to send a submission again by itself")
        self.run_before_send()
        self._phase = "sent_partial"

    def mark_replied(self) -> None:
        """Note that a reply came."""
        self._phase = "sent_full"

    def sent_unseen(self, error: Exception | None = None) -> bool:
        """Return whether the request may have left without an event (a mock of httpx reports none).

        Args:
            error: What came instead of a reply, or None where one came.
        """
        if self._stopped is not None or self._phase != "never_sent" or not self.handed_to_httpx:
            return False
        return error is None or not (self._saw_events or isinstance(error, _NOT_SENT))

    def to_failure(self, error: Exception) -> Failure:
        """Return what the exception means. One of ``before_send`` or of the address check is raised instead."""
        if self._stopped is not None:
            # Its traceback would hold the HTTP library's frames, and in them the request with its key.
            raise self._stopped.with_traceback(None) from None
        if self.sent_unseen(error):
            self._phase = "sent_partial" if isinstance(error, _WRITING) else "sent_full"
        text = redact(str(error), self.secret).strip() or type(error).__name__
        return Failure(self._phase, type(error).__name__, text, tls=self._phase == "never_sent" and _is_tls(error))

    def refuses_peer(self, event: str, info: Mapping[str, Any]) -> bool:
        """Return whether a connection just made leads into a private network and must not.

        The address is the connection's own, seen before any byte is sent, so no trick of the name service helps. The
        caller closes the connection and raises ``peer_refused()``.
        """
        if not self.public_only or event != "connection.connect_tcp.complete":
            return False
        address = info["return_value"].get_extra_info("server_addr")
        self._peer = str(address[0]).partition("%")[0] if address else ""
        return not is_public_address(self._peer)

    def peer_refused(self) -> UnsafeUrl:
        """Return the error for a refused peer."""
        refusal = UnsafeUrl(
            f"the image host's address {self._peer or '(unknown)'} is not on the public network",
            hint="A public service's reply must not point into a private network; nothing was sent there.",
        )
        self._stopped = refusal
        return refusal


def _is_tls(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    # The network ends a handshake too, and a handshake that waits for bytes is a timeout: both may pass.
    passing = ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLWantReadError | ssl.SSLWantWriteError
    return error is not None and not isinstance(error, passing)
