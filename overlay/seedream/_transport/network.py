"""The network under httpcore: sockets with deadlines, byte counts and few system calls.

httpcore's connection pools take a network backend of the caller's own (a documented interface). This one

- ends each wait at a deadline of the exchange, so that a reply that arrives a byte at a time ends in time;
- counts the bytes of the request that left, and calls ``before_send`` before the first of them;
- checks the address of the peer that was really connected, before a byte is sent to it;
- joins small writes and reads much at once.

Each operation is a generator that yields what it waits for; here it is run blocking, in async_network.py awaiting. The
exchange that an operation belongs to is in a context variable, because httpcore passes only seconds.
"""

# ruff: noqa: ARG002 -- httpcore passes seconds to each call; here the exchange knows its deadlines

import errno
import os
import select
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, Final, TypeVar

import httpcore
from attrs import frozen

from seedream._support.addresses import is_public_address
from seedream._transport.send_tracker import SendTracker
from seedream.errors import UnsafeUrl

T = TypeVar("T")
current: Final[ContextVar[SendTracker]] = ContextVar("current")

_NONBLOCK: Final[int] = getattr(socket, "SOCK_NONBLOCK", 0)  # one system call less, where there is this flag
_JOIN: Final = 64 * 1024  # bytes: writes are joined up to this size
_PIECE: Final = 1024 * 1024  # bytes given to the operating system at once, each within the time for a write
_READ: Final = 256 * 1024  # bytes of a download read at once
_READ_REPLY: Final = 64 * 1024  # bytes of a reply of the API: a larger buffer takes longer to make than to fill


@frozen(eq=False, repr=False)
class Wait:
    """Wait until the socket can be read (or written), or the deadline passes, which raises TimeoutError."""

    sock: socket.socket
    to_write: bool
    deadline: float


@frozen(eq=False, repr=False)
class Call:
    """Run a blocking function; a thread runs it where the caller is async."""

    function: Callable[[], Any]


@frozen(eq=False, repr=False)
class Lookup:
    """Look up a host's addresses before the deadline."""

    host: str
    port: int
    deadline: float


Operation = Generator[Wait | Call | Lookup, Any, T]


# --- operations, the same for both kinds ------------------------------------------------------------------------------


def connect(host: str, port: int, options: Iterable[Any]) -> Operation["Connection"]:
    tracker = current.get()
    tracker.watched = True
    problem: OSError = OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
    try:
        found = yield Lookup(host, port, tracker.connect_deadline)
        for number, (family, kind, protocol, _, address) in enumerate(found):
            # An address that does not answer leaves time for those after it.
            share = (tracker.connect_deadline - time.monotonic()) / (len(found) - number)
            try:
                sock = socket.socket(family, kind | _NONBLOCK, protocol)
                yield from _connect_to(sock, address, time.monotonic() + share, options)
            except OSError as error:
                problem = error
                continue
            return Connection(sock, tracker)
    except (OSError, UnicodeError) as error:  # no such name, or a text that cannot be one
        problem = OSError(str(error)) if isinstance(error, UnicodeError) else error
    if isinstance(problem, TimeoutError):
        raise httpcore.ConnectTimeout("timed out") from None
    raise httpcore.ConnectError(str(problem)) from None


def _connect_to(sock: socket.socket, address: Any, deadline: float, options: Iterable[Any]) -> Operation[None]:
    try:
        if not _NONBLOCK:
            sock.setblocking(False)  # noqa: FBT003 -- the socket module's own signature
        for option in options:
            sock.setsockopt(*option)
        result = sock.connect_ex(address)
        if result in (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN):
            yield Wait(sock, True, deadline)  # noqa: FBT003 -- to_write
            result = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result:
            raise OSError(result, os.strerror(result))  # noqa: TRY301 -- the socket is closed below
    except BaseException:
        sock.close()
        raise


class Connection:
    """A connected socket, with its layers of TLS.

    Attributes:
        sock: The socket, wrapped where TLS is up.
        layers: How many layers of TLS are up.
    """

    def __init__(self, sock: socket.socket, tracker: SendTracker) -> None:
        self.sock = sock
        self.layers = 0
        self._pending = bytearray()
        self._on_its_way = 0
        self._at_once = False
        self._inner: _TlsInTls | None = None
        if tracker.public_only:
            self._check_peer(tracker)

    def _check_peer(self, tracker: SendTracker) -> None:
        """Refuse a peer in a private network: the connection's own address, so no trick of the name service helps."""
        try:
            peer = str(self.sock.getpeername()[0]).partition("%")[0]
        except OSError:
            peer = ""
        if not is_public_address(peer):
            self.close()
            raise tracker.stop(
                UnsafeUrl(
                    f"the image host's address {peer or '(unknown)'} is not on the public network",
                    hint="A public service's reply must not point into a private network; nothing was sent there.",
                )
            )

    def _send_at_once(self) -> None:
        """Keep nothing back until an acknowledgement (Nagle). A small request is one write and needs no such thing."""
        if not self._at_once:
            self._at_once = True
            with suppress(OSError):
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start_tls(self, context: ssl.SSLContext, name: str | None) -> Operation[None]:
        tracker = current.get()
        self._send_at_once()
        try:
            if self.layers:
                self._inner = _TlsInTls(self.sock, context, name)
                yield from self._inner.handshake(tracker.connect_deadline)
            else:
                self.sock = context.wrap_socket(
                    self.sock, server_hostname=name, do_handshake_on_connect=False, session=_sessions.get(context, name)
                )
                yield from _retry(self.sock, self.sock.do_handshake, lambda: tracker.connect_deadline)
        except TimeoutError:
            self.close()
            raise httpcore.ConnectTimeout("the TLS handshake timed out") from None
        except OSError as error:
            self.close()
            tracker.tls_refused = isinstance(error, ssl.SSLError) and not isinstance(
                error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError
            )
            raise httpcore.ConnectError(str(error)) from None
        self.layers += 1
        self._name, self._context = name, context

    def write(self, data: bytes) -> Operation[None]:
        """Take bytes to send. Few are kept until there are more, or until a read sends them."""
        if not data:
            return
        current.get().watched = True
        if len(self._pending) + len(data) <= _JOIN:
            self._pending += data
            return
        rest = memoryview(data)
        if self._pending:
            room = _JOIN - len(self._pending)
            self._pending += rest[:room]
            rest = rest[room:]
            yield from self._flush()
        yield from self._send(rest)

    def read(self) -> Operation[bytes]:
        """Send what is kept, then return the next bytes, or none at the end."""
        tracker = current.get()
        tracker.sock = self.sock
        ours = self.layers == tracker.tls_layers
        if self._pending:
            try:
                yield from self._flush()
            except httpcore.WriteError:
                tracker.write_failed = True  # the server may have replied before it closed
        if ours and not (tracker.sent_in_full or tracker.write_failed):
            tracker.sent_in_full = True
            tracker.start_reply()
            self._on_its_way = _unacknowledged(self.sock) if tracker.sent > _JOIN else 0
        while True:
            try:
                return (yield from self._receive(lambda: tracker.reply_deadline if ours else tracker.connect_deadline))
            except TimeoutError:
                if not ours:
                    raise httpcore.ConnectTimeout("the proxy did not answer in time") from None
                if not self._still_moves():
                    raise httpcore.ReadTimeout("the reply did not come in time") from None
                tracker.start_reply()  # the operating system still sends what it took
            except ssl.SSLZeroReturnError:
                return b""
            except OSError as error:
                raise httpcore.ReadError(str(error)) from None

    def _still_moves(self) -> bool:
        """Return whether the peer has acknowledged bytes since the last time, and some are still on their way."""
        left = _unacknowledged(self.sock)
        moves = 0 < left < self._on_its_way
        self._on_its_way = left
        return moves

    def _flush(self) -> Operation[None]:
        data = bytes(self._pending)
        self._pending.clear()
        return self._send(memoryview(data))

    def _send(self, rest: memoryview) -> Operation[None]:
        tracker = current.get()
        ours = self.layers == tracker.tls_layers
        if ours and tracker.must_ask:
            if tracker.before_send_blocks:
                yield Call(tracker.run_before_send)
            else:
                tracker.run_before_send()
        large = len(rest) > _JOIN
        if large:
            self._send_at_once()
        try:
            while rest:
                self._on_its_way = _unacknowledged(self.sock) if large else 0
                try:
                    count = yield from self._send_some(rest[:_PIECE], tracker.write_deadline)
                except TimeoutError:
                    if not self._still_moves():
                        raise httpcore.WriteTimeout("the request could not be sent on") from None
                    continue  # the operating system takes more only when much of what it took has gone
                if ours:
                    tracker.sent += count
                rest = rest[count:]
        except OSError as error:
            tracker.write_failed = tracker.write_failed or ours
            if ours:
                tracker.start_reply()
            raise httpcore.WriteError(str(error)) from None

    def _send_some(self, data: memoryview, deadline: Callable[[], float]) -> Operation[int]:
        if self._inner is not None:
            return self._inner.send(data, deadline)
        return _retry(self.sock, partial(self.sock.send, data), deadline, to_write=True)

    def _receive(self, deadline: Callable[[], float]) -> Operation[bytes]:
        if self._inner is not None:
            return (yield from self._inner.receive(deadline))
        if not (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()):  # right after a request nothing is there
            yield _wait_for(self.sock, deadline())
        if isinstance(self.sock, ssl.SSLSocket):
            return (yield from _retry(self.sock, self._receive_records, deadline))
        size = _read_size()
        return (yield from _retry(self.sock, partial(self.sock.recv, size), deadline))

    def _receive_records(self) -> bytes:
        """Receive a TLS record, and of a download those behind it that are there already: a record is only 16 KiB."""
        size = _read_size()
        first = self.sock.recv(size)
        if size != _READ or not first:
            return first
        received = bytearray(first)
        with suppress(OSError):  # it will come up again at the next call
            while len(received) < _READ and (more := self.sock.recv(_READ)):
                received += more
        return bytes(received)

    def close(self) -> None:
        """Close the socket. Any thread may call it, and no event loop is needed."""
        if isinstance(self.sock, ssl.SSLSocket) and self.layers:
            _sessions.keep(self._context, self._name, self.sock)
        with suppress(OSError):
            self.sock.close()

    def info(self, name: str) -> Any:
        match name:
            case "socket":
                return self.sock
            case "ssl_object":
                return self._inner.tls if self._inner else self.sock if isinstance(self.sock, ssl.SSLSocket) else None
            case "client_addr":
                return self.sock.getsockname()
            case "server_addr":
                return self.sock.getpeername()
            case "is_readable":
                return self.sock.fileno() < 0 or is_ready(self.sock, to_write=False, seconds=0)
            case _:
                return None


def _read_size() -> int:
    return _READ if current.get().kind == "download" else _READ_REPLY


def _unacknowledged(sock: socket.socket) -> int:
    """Return how many bytes the peer has not acknowledged yet; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    import fcntl  # noqa: PLC0415 -- only where much is sent, or a deadline has passed
    import termios  # noqa: PLC0415 -- as above

    with suppress(OSError):
        return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    return 0


def _wait_for(sock: socket.socket, deadline: float, *, to_write: bool = False) -> Wait:
    """Return a wait. A socket that is always ready, as in a flood of framing bytes, does not get past the deadline."""
    if time.monotonic() > deadline:
        current.get().check_late()
    return Wait(sock, to_write, deadline)


def _retry(
    sock: socket.socket, attempt: Callable[[], T], deadline: Callable[[], float], *, to_write: bool = False
) -> Operation[T]:
    """Try a call on a socket until it neither must wait for the socket, nor the deadline has passed."""
    limit = deadline()
    while True:
        try:
            return attempt()
        except ssl.SSLWantReadError:
            yield _wait_for(sock, limit)
        except ssl.SSLWantWriteError:
            yield _wait_for(sock, limit, to_write=True)
        except (BlockingIOError, InterruptedError):
            yield _wait_for(sock, limit, to_write=to_write)


class _TlsInTls:
    """TLS to the server through TLS to a proxy: the second layer cannot be a socket's, so it runs in memory."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str | None) -> None:
        self._sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def handshake(self, deadline: float) -> Operation[None]:
        yield from self._drive(self.tls.do_handshake, lambda: deadline)

    def send(self, data: memoryview, deadline: Callable[[], float]) -> Operation[int]:
        return (yield from self._drive(lambda: self.tls.write(data), deadline))

    def receive(self, deadline: Callable[[], float]) -> Operation[bytes]:
        return (yield from self._drive(lambda: self.tls.read(_READ), deadline))

    def _drive(self, attempt: Callable[[], T], deadline: Callable[[], float]) -> Operation[T]:
        while True:
            try:
                result = attempt()
            except ssl.SSLWantReadError:
                yield from self._flush(deadline)
            else:
                yield from self._flush(deadline)
                return result
            received = yield from _retry(self._sock, lambda: self._sock.recv(_READ), deadline)
            if received:
                self._incoming.write(received)
            else:
                self._incoming.write_eof()

    def _flush(self, deadline: Callable[[], float]) -> Operation[None]:
        rest = memoryview(self._outgoing.read())
        while rest:
            count = yield from _retry(self._sock, partial(self._sock.send, rest), deadline, to_write=True)
            rest = rest[count:]


class _Sessions:
    """TLS sessions to resume, so that a new connection to a known host costs no certificate check."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[int, str | None], tuple[ssl.SSLContext, ssl.SSLSession]] = {}

    def get(self, context: ssl.SSLContext, name: str | None) -> ssl.SSLSession | None:
        with self._lock:
            found = self._known.get((id(context), name))
        return found[1] if found is not None and found[0] is context else None

    def keep(self, context: ssl.SSLContext, name: str | None, sock: ssl.SSLSocket) -> None:
        session = sock.session if sock.fileno() >= 0 else None
        if session is not None and session.has_ticket:
            with self._lock:
                if len(self._known) > _MOST_SESSIONS:
                    self._known.clear()
                self._known[id(context), name] = context, session


_MOST_SESSIONS: Final = 100
_sessions: Final = _Sessions()


# --- blocking ---------------------------------------------------------------------------------------------------------


def is_ready(sock: socket.socket, *, to_write: bool, seconds: float) -> bool:
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLOUT if to_write else select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    reading, writing = ([], [sock]) if to_write else ([sock], [])
    return any(select.select(reading, writing, reading + writing, seconds))


def _run(operation: Operation[T]) -> T:
    try:
        step = next(operation)
        while True:
            try:
                match step:
                    case Wait(sock, to_write, deadline):
                        seconds = deadline - time.monotonic()
                        # The longest wait keeps the number of milliseconds in the range of a C integer.
                        if not is_ready(sock, to_write=to_write, seconds=min(max(seconds, 0), LONGEST)):
                            raise TimeoutError  # noqa: TRY301 -- thrown into the operation below
                        result: Any = None
                    case Call(function):
                        result = function()
                    case Lookup(host, port):
                        result = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except BaseException as error:  # noqa: BLE001 -- the operation says what it means; Ctrl-C too
                step = operation.throw(error)
            else:
                step = operation.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # the generator's result


LONGEST: Final = 86_400.0  # seconds


class SyncStream(httpcore.NetworkStream):
    """A connection, blocking."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return _run(self.connection.read())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        _run(self.connection.write(buffer))

    def close(self) -> None:
        self.connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        _run(self.connection.start_tls(ssl_context, server_hostname))
        return self

    def get_extra_info(self, info: str) -> Any:
        return self.connection.info(info)


class SyncBackend(httpcore.NetworkBackend):
    """Connects, blocking. It remembers its last connection, so that another thread can close it."""

    connection: Connection | None = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        self.connection = _run(connect(host, port, socket_options or ()))
        return SyncStream(self.connection)
