"""Tracks one exchange: how far its request got, what must happen before its first byte, and its time limits.

What was *sent* decides whether a submission may have been billed, and an exception's class cannot tell it: a reset in
mid-body and one after the whole body look the same. The network code reports each byte that it hands to the operating
system, so that "never sent" is a count, not a guess.
"""

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from attrs import define, field

from seedream._protocol.effects import Failure
from seedream._support.server_text import server_text
from seedream._support.timing import RequestKind, Timeouts
from seedream.errors import Phase, SeeDreamError

_NEVER_SENT: Final = frozenset({
    "ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "LocalProtocolError",
    "InvalidURL",
})  # fmt: skip
_LATE_WAITS: Final = 4  # each for at most 64 KiB: more than a reply of the API has
_SENT_IN_PART: Final = frozenset({"WriteError", "WriteTimeout"})


@define(eq=False, repr=False)
class SendTracker:
    """Bookkeeping of one exchange.

    Args:
        kind: What the request is for.
        timeouts: Seconds for each phase.
        before_send: Runs once, before the first byte of the request leaves; if it raises, nothing is sent.
        public_only: Refuse a peer whose address is not on the public network.
        secret: The key, which no text may hold.
        total_timeout: Seconds for the whole exchange, or None where only stalls are limited.
        tls_layers: How many layers of TLS lie under the request; bytes on fewer are a proxy's, not the request's.
        before_send_blocks: Whether ``before_send`` is to be called in a thread where the transport is async.

    Attributes:
        sent: How many bytes of the request have left.
        sent_in_full: Whether all have.
        tls_refused: Whether a handshake was refused, as opposed to broken off or stalled.
        handed_over: Whether the request was given to the HTTP library; before that, nothing can have left.
        watched: Whether the network reported to this tracker; a mock of httpcore or httpx does not.
        sock: The connection's socket, once it is read from.
    """

    kind: RequestKind
    timeouts: Timeouts
    before_send: Callable[[], None] | None = None
    public_only: bool = False
    secret: str = ""
    total_timeout: float | None = None
    tls_layers: int = 0
    before_send_blocks: bool = True
    sent: int = 0
    sent_in_full: bool = False
    write_failed: bool = False
    replied: bool = False
    tls_refused: bool = False
    handed_over: bool = False
    watched: bool = False
    sock: socket.socket | None = None
    _allowed: bool = False
    _late: int = 0
    _stopped: BaseException | None = None
    _end: float = field(init=False)
    connect_deadline: float = field(init=False)
    reply_deadline: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        now = time.monotonic()
        self._end = float("inf") if self.total_timeout is None else now + max(self.total_timeout, 0.001)
        self.connect_deadline = min(now + self.timeouts.connect, self._end)
        self.reply_deadline = self._end

    # --- time ---------------------------------------------------------------------------------------------------------

    def write_deadline(self) -> float:
        """Return the time by which the next bytes must leave. Bytes that leave restart it: only stalls are limited."""
        return min(time.monotonic() + self.timeouts.write, self._end)

    def start_reply(self) -> None:
        """Start the time for the reply, or for the next bytes of a download. Framing bytes do not prolong it."""
        self.reply_deadline = min(time.monotonic() + self.timeouts.read(self.kind), self._end)
        self._late = 0

    def check_late(self) -> None:
        """Allow a few more waits after a deadline, for what came in time to a process that was stopped.

        Raises:
            TimeoutError: There were some already.
        """
        self._late += 1
        if self._late > _LATE_WAITS:
            raise TimeoutError

    # --- sending ------------------------------------------------------------------------------------------------------

    @property
    def must_ask(self) -> bool:
        """Whether ``run_before_send`` is still to be called before a byte may leave."""
        return not self._allowed and self.before_send is not None

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

    def stop(self, error: SeeDreamError) -> SeeDreamError:
        """Note an error of ours, which ``to_failure`` will raise, and return it."""
        self._stopped = error
        return error

    # --- ending it ----------------------------------------------------------------------------------------------------

    def abort(self) -> None:
        """Shut the connection down, from any thread: a read or write that is waiting ends."""
        if self.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # not TLS's own, which is for its thread only

    # --- what became of it --------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """How far the request got."""
        if self.sent_in_full or self.replied:
            return "sent_full"
        return "sent_partial" if self.sent else "never_sent"

    def mark_replied(self) -> None:
        """Note that the head of a reply came, and start the time for the rest if it has not begun."""
        self.replied = True
        if self.reply_deadline == self._end:
            self.start_reply()

    def guess_sent(self, error: Exception) -> bool:
        """Return whether a transport that does not report its bytes may have sent some before this error.

        The class of the error is all there is to judge by, so every class that is not known counts as sent in full.
        """
        if self.watched or not self.handed_over or self._stopped is not None or type(error).__name__ in _NEVER_SENT:
            return False
        self.sent = max(self.sent, 1)
        self.sent_in_full = type(error).__name__ not in _SENT_IN_PART
        return True

    def to_failure(self, error: Exception) -> Failure:
        """Return what the exception means. An error of ``before_send`` or of the peer's check is raised instead."""
        if self._stopped is not None:
            # Its traceback would hold the HTTP library's frames, and in them the request with its key.
            raise self._stopped.with_traceback(None) from None
        text = server_text(str(error), self.secret) or type(error).__name__
        refused = self.phase == "never_sent" and (self.tls_refused or is_tls_refusal(error))
        return Failure(self.phase, type(error).__name__, text, tls=refused)


def is_tls_refusal(error: BaseException | None) -> bool:
    """Return whether TLS was refused, and was not just broken off or stalled."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    passing = ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLWantReadError | ssl.SSLWantWriteError
    return error is not None and not isinstance(error, passing | ssl.SSLSyscallError)
