"""Each operation on a socket, driven by hand with sockets that exist only in memory: what is asked, in which order, until when."""

# ruff: noqa: E501 -- tables read best with one case a line

import errno
import os
import select
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest
import trustme
from seedream import Timeouts, errors
from seedream._transport import network
from seedream._transport.network import Call, Connection, Lookup, SyncBackend, SyncStream, Wait, connect
from seedream._transport.send_tracker import SendTracker

LIMITS = Timeouts(connect=10.0, write=20.0, submit_read=30.0, query_read=40.0, download_read=50.0)
OPTIONS = [(1, 2, 3), (4, 5, 6)]
JOIN, PIECE, READ = 64 * 1024, 1024 * 1024, 256 * 1024


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    value = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: value[0])
    return value


@pytest.fixture
def track() -> Iterator[Any]:
    tokens: list[Any] = []

    def make(kind: Any = "submit", **given: Any) -> SendTracker:
        tracker = SendTracker(kind, LIMITS, **given)
        tokens.append(network.current.set(tracker))
        return tracker

    yield make
    for token in reversed(tokens):
        network.current.reset(token)


class Sock:
    """A socket whose calls give results from lists, the last one for ever; an exception is raised."""

    def __init__(self, *made: Any, **results: Any) -> None:
        self.made = made
        self._results = {"fileno": [5], "getpeername": [("93.184.216.34", 443)], **results}
        self.calls: list[Any] = []
        self.sent = b""

    def _do(self, name: str, *given: Any) -> Any:
        self.calls.append((name, *given))
        results = self._results.get(name, [None])
        result = results.pop(0) if len(results) > 1 else results[0]
        if isinstance(result, BaseException):
            raise result
        return result

    def __getattr__(self, name: str) -> Any:
        return lambda *given: self._do(name, *given)

    def send(self, data: memoryview) -> int:
        self.calls.append(("send", len(data)))
        result = self._results.get("send", [None])
        count = result.pop(0) if len(result) > 1 else result[0]
        if isinstance(count, BaseException):
            raise count
        count = len(data) if count is None else count
        self.sent += bytes(data[:count])
        return count

    def named(self, *names: str) -> list[Any]:
        return [call for call in self.calls if call[0] in names]


def ended(operation: Any, *answers: Any) -> Any:
    """Drive an operation with answers to what it asks for; an exception is thrown into it. Gives the steps and the result."""
    steps: list[Any] = []
    left = list(answers)
    try:
        steps.append(next(operation))
        while True:
            answer = left.pop(0) if left else None
            steps.append(operation.throw(answer) if isinstance(answer, BaseException) else operation.send(answer))
    except StopIteration as end:
        return steps, end.value


# --- connecting ----------------------------------------------------------------------------------------------------------
FIRST, SECOND = ("192.0.2.1", 443), ("192.0.2.2", 443)
FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", FIRST), (socket.AF_INET6, socket.SOCK_STREAM, 17, "", SECOND)]


def connecting(monkeypatch: pytest.MonkeyPatch, *socks: Any) -> list[Sock]:
    made: list[Sock] = []
    left = list(socks)

    def make(*given: Any) -> Any:
        sock = left.pop(0)
        if isinstance(sock, BaseException):
            raise sock
        sock.made = given
        made.append(sock)
        return sock

    monkeypatch.setattr(socket, "socket", make)
    return made


def test_a_host_is_looked_up_and_its_first_address_connected(monkeypatch: pytest.MonkeyPatch, track: Any) -> None:
    tracker = track()
    (sock,) = [Sock(connect_ex=[0])]
    connecting(monkeypatch, sock)
    steps, connection = ended(connect("a.example", 443, OPTIONS), FOUND)
    (lookup,) = steps
    assert isinstance(lookup, Lookup)
    assert (lookup.host, lookup.port, lookup.deadline, tracker.watched) == ("a.example", 443, 1010.0, True)
    assert sock.made == (socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 6)
    assert sock.calls == [("setsockopt", *OPTIONS[0]), ("setsockopt", *OPTIONS[1]), ("connect_ex", FIRST)]
    assert (connection.sock, connection.layers) == (sock, 0)


@pytest.mark.parametrize("pending", [errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN])
def test_each_address_has_its_share_of_the_time(
    monkeypatch: pytest.MonkeyPatch, track: Any, now: list[float], pending: int
) -> None:
    tracker = track()
    socks = [Sock(connect_ex=[pending]), Sock(connect_ex=[pending], getsockopt=[0])]
    connecting(monkeypatch, *socks)
    operation = connect("a.example", 443, ())
    assert isinstance(next(operation), Lookup)
    step: Any = operation.send(FOUND)
    assert (step.sock, step.to_write, step.deadline) == (socks[0], True, 1005.0)
    now[0] = 1006.0
    step = operation.throw(TimeoutError())
    assert (step.sock, step.to_write, step.deadline) == (socks[1], True, 1010.0)
    assert socks[0].named("close", "getsockopt") == [("close",)]
    with pytest.raises(StopIteration) as end:
        operation.send(None)
    assert (end.value.value.sock, socks[1].named("close", "getsockopt")) == (
        socks[1],
        [("getsockopt", socket.SOL_SOCKET, socket.SO_ERROR)],
    )
    assert tracker.phase == "never_sent"


REFUSED = os.strerror(errno.ECONNREFUSED)


@pytest.mark.parametrize(
    ("socks", "answers", "kind", "text"),
    [
        ([Sock(connect_ex=[errno.ECONNREFUSED])], [], "ConnectError", f"[Errno {errno.ECONNREFUSED}] {REFUSED}"),
        (
            [Sock(connect_ex=[errno.EINPROGRESS], getsockopt=[errno.ECONNREFUSED])],
            [None],
            "ConnectError",
            f"[Errno {errno.ECONNREFUSED}] {REFUSED}",
        ),
        ([Sock(connect_ex=[errno.EINPROGRESS])], [TimeoutError()], "ConnectTimeout", "timed out"),
        ([Sock(setsockopt=[OSError("no such option")])], [], "ConnectError", "no such option"),
        ([OSError("too many open files")], [], "ConnectError", "too many open files"),
    ],
)
def test_an_address_that_fails_leaves_the_others_and_the_last_failure_counts(
    monkeypatch: pytest.MonkeyPatch, track: Any, socks: list[Any], answers: list[Any], kind: str, text: str
) -> None:
    track()
    for following in ([], [Sock(connect_ex=[0])]):
        fresh = [
            type(one)(*one.args)
            if isinstance(one, Exception)
            else Sock(**{key: list(value) for key, value in one._results.items()})
            for one in socks
        ]
        made = connecting(monkeypatch, *fresh, *following)
        found = FOUND[: len(fresh) + len(following)]
        if following:
            assert ended(connect("a.example", 443, OPTIONS[:1]), found, *answers)[1].sock is following[0]
        else:
            with pytest.raises(getattr(httpcore, kind)) as caught:
                ended(connect("a.example", 443, OPTIONS[:1]), found, *answers)
            assert (str(caught.value), caught.value.__suppress_context__) == (text, True)
        assert [sock.named("close") for sock in made][: len(made) - len(following)] == [[("close",)]] * (
            len(made) - len(following)
        )


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        ([], "ConnectError", f"[Errno {errno.EHOSTUNREACH}] {os.strerror(errno.EHOSTUNREACH)}"),
        (socket.gaierror(8, "unknown name"), "ConnectError", "[Errno 8] unknown name"),
        (UnicodeError("label too long"), "ConnectError", "label too long"), (TimeoutError(), "ConnectTimeout", "timed out"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_name_that_leads_nowhere_is_a_failure_to_connect(track: Any, answer: Any, kind: str, text: str) -> None:
    track()
    with pytest.raises(getattr(httpcore, kind)) as caught:
        ended(connect("a.example", 443, ()), answer)
    assert (str(caught.value), caught.value.__suppress_context__) == (text, True)


def test_an_interruption_closes_the_socket(monkeypatch: pytest.MonkeyPatch, track: Any) -> None:
    track()
    sock = Sock(connect_ex=[errno.EINPROGRESS])
    connecting(monkeypatch, sock)
    with pytest.raises(KeyboardInterrupt):
        ended(connect("a.example", 443, ()), FOUND, KeyboardInterrupt())
    assert sock.named("close") == [("close",)]


def test_where_a_socket_cannot_be_made_without_blocking_it_is_made_so(
    monkeypatch: pytest.MonkeyPatch, track: Any
) -> None:
    track()
    sock = Sock(connect_ex=[0])
    connecting(monkeypatch, sock)
    monkeypatch.setattr(network, "_NONBLOCK", 0)
    ended(connect("a.example", 443, ()), FOUND)
    assert sock.made[1] == socket.SOCK_STREAM
    assert sock.calls[0] == ("setblocking", False)


# --- the peer ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("peer", "shown"),
    [
        (("10.0.0.1", 1), "10.0.0.1"), (("fe80::1%eth0", 1, 0, 2), "fe80::1"), (OSError("gone"), "(unknown)"), (("::ffff:127.0.0.1", 1), "::ffff:127.0.0.1"),
        (("169.254.169.254", 1), "169.254.169.254"), (("64:ff9b::a00:1", 1), "64:ff9b::a00:1"), (("2002:a00:1::", 1), "2002:a00:1::"),
    ],
)  # fmt: skip
def test_a_peer_in_a_private_network_is_refused_and_closed(track: Any, peer: Any, shown: str) -> None:
    tracker = track("download", public_only=True)
    sock = Sock(getpeername=[peer])
    with pytest.raises(errors.UnsafeUrl) as caught:
        Connection(sock, tracker)  # type: ignore[arg-type]  # in memory
    assert caught.value.message == f"the image host's address {shown} is not on the public network"
    assert (
        caught.value.hint == "A public service's reply must not point into a private network; nothing was sent there."
    )
    assert sock.named("close") == [("close",)]
    with pytest.raises(errors.UnsafeUrl) as again:
        tracker.to_failure(ValueError("httpcore's own"))
    assert again.value is caught.value


@pytest.mark.parametrize(
    ("peer", "public_only"), [("93.184.216.34", True), ("2606:2800:220:1::1", True), ("10.0.0.1", False)]
)
def test_another_peer_is_kept(track: Any, peer: str, public_only: bool) -> None:
    sock = Sock(getpeername=[(peer, 1)])
    Connection(sock, track("download", public_only=public_only))  # type: ignore[arg-type]  # in memory
    assert sock.named("close") == []
    assert bool(sock.named("getpeername")) is public_only


# --- writing -------------------------------------------------------------------------------------------------------------
def connection(tracker: SendTracker, **results: Any) -> Any:
    sock: Any = Sock(**results)
    return Connection(sock, tracker)


@pytest.mark.parametrize(
    ("writes", "sent", "kept"),
    [
        ([JOIN], [], JOIN), ([JOIN + 1], [JOIN + 1], 0), ([1000, JOIN - 1000], [], JOIN), ([1000, JOIN - 999], [JOIN, 1], 0),
        ([1000, 2 * JOIN], [JOIN, JOIN + 1000], 0), ([JOIN, 1], [JOIN, 1], 0), ([JOIN, JOIN], [JOIN, JOIN], 0),
        ([2 * PIECE + 5], [PIECE, PIECE, 5], 0), ([0], [], 0), ([5, 0, 6], [], 11),
    ],
)  # fmt: skip
def test_small_writes_are_joined_and_large_ones_cut(track: Any, writes: list[int], sent: list[int], kept: int) -> None:
    tracker = track(before_send=lambda: None)
    made = connection(tracker)
    content = b"".join(bytes([number]) * size for number, size in enumerate(writes, 1))
    calls = 0
    for number, size in enumerate(writes, 1):
        steps, _ = ended(made.write(bytes([number]) * size))
        for step in steps:
            assert isinstance(step, Call)
            step.function()
            calls += 1
    assert [size for _, size in made.sock.named("send")] == sent
    assert (made.sock.sent, len(made._pending)) == (content[: len(content) - kept], kept)
    assert (tracker.sent, tracker.sent_in_full) == (len(content) - kept, False)
    assert tracker.watched is (sum(writes) > 0)
    ended(made._flush())
    assert (made.sock.sent, tracker.sent) == (content, len(content))


def test_before_send_is_asked_for_before_the_first_byte_and_only_once(track: Any) -> None:
    calls: list[int] = []
    sock: Any = Sock()
    tracker = track(before_send=lambda: calls.append(len(sock.sent)))
    made: Any = Connection(sock, tracker)
    operation = made.write(bytes(JOIN + 1))
    step: Any = next(operation)
    assert (type(step), step.function, made.sock.sent) == (Call, tracker.run_before_send, b"")
    step.function()
    with pytest.raises(StopIteration):
        operation.send(None)
    assert (ended(made.write(bytes(JOIN + 1)))[0], calls) == ([], [0])


def test_a_proxy_s_bytes_are_not_the_request_s(track: Any) -> None:
    calls: list[int] = []
    for layers, sent in ((1, 0), (0, JOIN + 1)):
        tracker = track(tls_layers=layers, before_send=(lambda: calls.append(1)) if layers else None)
        assert ended(connection(tracker).write(bytes(JOIN + 1)))[0] == []
        assert (tracker.sent, calls) == (sent, [])


def test_a_small_request_waits_for_no_acknowledgement_and_a_large_one_is_sent_at_once(track: Any) -> None:
    made = connection(track())
    ended(made.write(bytes(JOIN)))
    ended(made._flush())
    assert made.sock.named("setsockopt") == []
    for _ in range(2):
        ended(made.write(bytes(JOIN + 1)))
    assert ("setsockopt", socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in made.sock.calls
    made = connection(track(), setsockopt=[OSError("no TCP")])
    ended(made.write(bytes(JOIN + 1)))
    assert len(made.sock.sent) == JOIN + 1


@pytest.mark.parametrize(
    "wants", [BlockingIOError(), InterruptedError(), ssl.SSLWantWriteError(), ssl.SSLWantReadError()], ids=repr
)
def test_a_socket_that_takes_nothing_is_waited_for(track: Any, now: list[float], wants: Exception) -> None:
    tracker = track()
    made = connection(tracker, send=[10, wants, None])
    now[0] = 1001.0
    steps, _ = ended(made.write(b"x" * (JOIN + 1)))
    (step,) = steps
    assert (type(step), step.sock, step.to_write, step.deadline) == (
        Wait,
        made.sock,
        not isinstance(wants, ssl.SSLWantReadError),
        1021.0,
    )
    assert (made.sock.sent, tracker.sent) == (b"x" * (JOIN + 1), JOIN + 1)


@pytest.mark.parametrize("layers", [0, 1])
def test_a_write_that_fails_says_how_much_had_left(track: Any, layers: int) -> None:
    tracker = track(tls_layers=layers)
    made = connection(tracker, send=[10, ConnectionResetError("reset by the peer")])
    with pytest.raises(httpcore.WriteError, match="reset by the peer") as caught:
        ended(made.write(bytes(JOIN + 1)))
    assert caught.value.__suppress_context__
    ours = layers == 0
    assert (tracker.sent, tracker.write_failed) == (10 * ours, ours)
    assert tracker.reply_deadline == (1030.0 if ours else float("inf"))


# --- reading -------------------------------------------------------------------------------------------------------------
def test_a_reply_is_waited_for_until_its_deadline(track: Any, now: list[float]) -> None:
    tracker = track("query")
    made = connection(tracker, recv=[b"abc"])
    ended(made.write(b"request"))
    now[0] = 1003.0
    steps, result = ended(made.read())
    (step,) = steps
    assert (type(step), step.sock, step.to_write, step.deadline) == (Wait, made.sock, False, 1043.0)
    assert (result, made.sock.sent, tracker.sock) == (b"abc", b"request", made.sock)
    assert (tracker.sent, tracker.sent_in_full, tracker.phase) == (7, True, "sent_full")
    now[0] = 1005.0
    assert ended(made.read())[0][0].deadline == 1043.0, "one time for the whole reply"
    assert made.sock.named("recv") == [("recv", JOIN)] * 2


def test_the_end_of_a_reply_is_no_bytes(track: Any) -> None:
    for end in (b"", ssl.SSLZeroReturnError()):
        made = connection(track(), recv=[end])
        assert ended(made.read())[1] == b""


@pytest.mark.parametrize(
    "error", [ssl.SSLEOFError("cut"), ssl.SSLSyscallError("reset"), ssl.SSLError("bad record")], ids=repr
)
def test_a_reply_whose_tls_breaks_is_not_at_its_end(track: Any, error: Exception) -> None:
    """Only the end that the peer announced is one: whoever cuts a connection must not end a reply."""
    sock: Any = TlsSock(recv=[error], pending=[1])
    with pytest.raises(httpcore.ReadError):
        ended(Connection(sock, track("download")).read())


def test_a_socket_that_has_nothing_yet_is_waited_for_again(track: Any) -> None:
    made = connection(track(), recv=[BlockingIOError(), b"x"])
    steps, result = ended(made.read())
    assert [(step.sock, step.to_write, step.deadline) for step in steps] == [(made.sock, False, 1030.0)] * 2
    assert result == b"x"


@pytest.mark.parametrize(
    ("layers", "kind", "text"),
    [(0, "ReadTimeout", "the reply did not come in time"), (1, "ConnectTimeout", "the proxy did not answer in time")],
)
def test_a_reply_that_does_not_come_is_a_timeout(track: Any, layers: int, kind: str, text: str) -> None:
    tracker = track(tls_layers=layers)
    made = connection(tracker, recv=[b"x"])
    operation = made.read()
    step: Any = next(operation)
    assert step.deadline == (1030.0 if layers == 0 else 1010.0)
    with pytest.raises(getattr(httpcore, kind), match=text) as caught:
        operation.throw(TimeoutError())
    assert caught.value.__suppress_context__
    assert tracker.sent_in_full is (layers == 0)


def test_a_reply_that_breaks_is_a_read_error(track: Any) -> None:
    made = connection(track(), recv=[ConnectionResetError("reset by the peer")])
    with pytest.raises(httpcore.ReadError, match="reset by the peer") as caught:
        ended(made.read())
    assert caught.value.__suppress_context__


def test_what_the_server_said_before_it_closed_is_read_although_the_request_could_not_be_sent(track: Any) -> None:
    tracker = track()
    made = connection(tracker, send=[3, BrokenPipeError()], recv=[b"HTTP/1.1 413 x"])
    ended(made.write(b"request"))
    assert ended(made.read())[1] == b"HTTP/1.1 413 x"
    assert (tracker.write_failed, tracker.sent_in_full, tracker.phase) == (True, False, "sent_partial")
    assert tracker.reply_deadline == 1030.0


def test_acknowledgements_are_looked_at_only_after_a_large_request(track: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def unacknowledged(sock: Any) -> int:
        asked.append(sock)
        return 0

    monkeypatch.setattr(network, "_unacknowledged", unacknowledged)
    for sent, times in ((JOIN, 0), (JOIN + 1, 1)):
        made = connection(track(sent=sent), recv=[b"x"])
        ended(made.read())
        assert asked == [made.sock] * times
        asked.clear()


@pytest.mark.parametrize("late", [0.0, 0.5])
def test_a_socket_that_can_always_be_read_does_not_get_past_the_deadline(
    track: Any, now: list[float], late: float
) -> None:
    tracker = track("query")
    made = connection(tracker, recv=[b"x"])
    ended(made.read())
    now[0] = 1040.0 + late
    for _ in range(4):
        assert ended(made.read())[1] == b"x"
    if late:
        with pytest.raises(httpcore.ReadTimeout):
            ended(made.read())
    else:
        assert ended(made.read())[1] == b"x"


def _done(name: str) -> Any:
    return lambda self, *given: self._do(name, *given)


_ASKED = ("pending", "recv", "do_handshake", "fileno", "close", "setsockopt", "getpeername", "getsockname")
TlsSock: Any = type(  # counts as a socket with TLS
    "TlsSock",
    (Sock, ssl.SSLSocket),
    {**{name: _done(name) for name in _ASKED}, "__new__": object.__new__, "__del__": lambda _: None, "session": None},
)


@pytest.mark.parametrize(
    ("kind", "records", "result", "calls"),
    [
        ("query", [b"a", b"b"], b"a", [JOIN]), ("download", [b"a", b"b", ssl.SSLWantReadError()], b"ab", [READ] * 3),
        ("download", [b"a", b""], b"a", [READ] * 2), ("download", [b""], b"", [READ]), ("download", [b"x" * READ, b"y"], b"x" * READ, [READ]),
        ("download", [b"x" * (READ - 1), b"yz", b"no"], b"x" * (READ - 1) + b"yz", [READ] * 2), ("download", [b"a", OSError()], b"a", [READ] * 2),
    ],
    ids=lambda value: "" if isinstance(value, bytes | list) else str(value),
)  # fmt: skip
def test_of_a_download_the_records_that_are_there_are_read_together(
    track: Any, kind: str, records: list[Any], result: bytes, calls: list[int]
) -> None:
    sock: Any = TlsSock(recv=records, pending=[5])
    made = Connection(sock, track(kind))
    steps, received = ended(made.read())
    assert (steps, received) == ([], result), "decrypted bytes are there, so nothing is waited for"
    assert sock.named("recv") == [("recv", size) for size in calls]


def test_without_decrypted_bytes_the_socket_is_waited_for(track: Any) -> None:
    sock: Any = TlsSock(recv=[b"a"], pending=[0])
    steps, received = ended(Connection(sock, track()).read())
    assert ([type(step) for step in steps], received) == ([Wait], b"a")


# --- TLS -----------------------------------------------------------------------------------------------------------------
class Context:
    def __init__(self, sock: Any) -> None:
        self.sock, self.asked = sock, list[Any]()

    def wrap_socket(self, sock: Any, **given: Any) -> Any:
        self.asked.append((sock, given))
        if isinstance(self.sock, BaseException):
            raise self.sock
        return self.sock


def test_tls_is_started_with_the_server_s_name(track: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = object()
    monkeypatch.setattr(network._sessions, "get", lambda context, name: (context, name, session))
    track()
    plain: Any = Sock()
    made = Connection(plain, network.current.get())
    tls: Any = TlsSock(do_handshake=[ssl.SSLWantReadError(), ssl.SSLWantWriteError(), None])
    context: Any = Context(tls)
    steps, _ = ended(made.start_tls(context, "a.example"))
    assert [(step.sock, step.to_write, step.deadline) for step in steps] == [(tls, False, 1010.0), (tls, True, 1010.0)]
    assert context.asked == [
        (
            plain,
            {
                "server_hostname": "a.example",
                "do_handshake_on_connect": False,
                "session": (context, "a.example", session),
            },
        )
    ]
    assert (made.sock, made.layers) == (tls, 1)
    assert plain.named("setsockopt") == [("setsockopt", socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]


@pytest.mark.parametrize(
    ("error", "kind", "text", "refused"),
    [
        (TimeoutError(), "ConnectTimeout", "the TLS handshake timed out", False),
        (ssl.SSLCertVerificationError("self-signed"), "ConnectError", "self-signed", True),
        (ssl.SSLError("no shared cipher"), "ConnectError", "no shared cipher", True),
        (ssl.SSLEOFError("eof"), "ConnectError", "eof", False), (ssl.SSLZeroReturnError("closed"), "ConnectError", "closed", False),
        (ssl.SSLSyscallError("reset"), "ConnectError", "reset", False), (ConnectionResetError("reset"), "ConnectError", "reset", False),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize("where", ["wrap", "handshake"])
def test_a_handshake_that_fails_closes_the_connection_and_says_whether_it_was_refused(
    track: Any, error: Exception, kind: str, text: str, refused: bool, where: str
) -> None:
    tracker = track()
    plain: Any = Sock()
    made = Connection(plain, tracker)
    tls: Any = TlsSock(do_handshake=[error])
    context: Any = Context(error if where == "wrap" else tls)
    with pytest.raises(getattr(httpcore, kind)) as caught:
        ended(made.start_tls(context, "a.example"))
    assert text in str(caught.value)
    assert caught.value.__suppress_context__
    assert (tracker.tls_refused, made.layers) == (refused, 0)
    assert (plain if where == "wrap" else tls).named("close") == [("close",)]
    assert tracker.to_failure(caught.value).tls is refused


class Ticketed:
    has_ticket = True


def test_a_session_is_kept_for_the_context_and_the_name_that_it_belongs_to() -> None:
    sessions: Any = network._Sessions()
    context, other = ssl.create_default_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    sock: Any = TlsSock()
    ticket = Ticketed()
    for session, descriptor in ((None, 5), (type("Spent", (), {"has_ticket": False})(), 5), (ticket, -1)):
        sock.session = session
        sock._results["fileno"] = [descriptor]
        sessions.keep(context, "a.example", sock)
        assert sessions.get(context, "a.example") is None
    sock._results["fileno"] = [0]
    sessions.keep(context, "a.example", sock)
    assert sessions.get(context, "a.example") is ticket
    assert [sessions.get(context, "b.example"), sessions.get(other, "a.example"), sessions.get(context, None)] == [
        None
    ] * 3
    sessions._known[id(other), "a.example"] = (context, ticket)  # an identity that was used before
    assert sessions.get(other, "a.example") is None
    for number in range(99):
        sessions.keep(context, f"{number}.example", sock)
    assert sessions.get(context, "a.example") is ticket
    sessions.keep(context, "last.example", sock)
    assert (sessions.get(context, "last.example"), sessions.get(context, "a.example")) == (ticket, None)


def test_a_session_is_kept_when_its_connection_is_closed(track: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []
    monkeypatch.setattr(network._sessions, "keep", lambda *given: kept.append(given))
    track()
    plain: Any = Sock()
    made, tls = Connection(plain, network.current.get()), TlsSock()
    context: Any = Context(tls)
    ended(made.start_tls(context, "a.example"))
    made.close()
    assert (kept, tls.named("close")) == ([(context, "a.example", tls)], [("close",)])
    bare: Any = Sock(close=[OSError("closed")])
    Connection(bare, network.current.get()).close()
    unfinished: Any = TlsSock()
    Connection(unfinished, network.current.get()).close()
    assert len(kept) == 1


def test_what_httpcore_may_ask_of_a_connection(track: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sock: Any = Sock(getsockname=["ours"], getpeername=["theirs"], fileno=[5])
    made = Connection(sock, track())
    assert made.info("socket") is sock
    assert [made.info(name) for name in ("ssl_object", "client_addr", "server_addr", "other")] == [
        None,
        "ours",
        "theirs",
        None,
    ]
    asked: list[Any] = []

    def ready(sock: Any, *, to_write: bool, seconds: float) -> bool:
        asked.append((sock, to_write, seconds))
        return len(asked) == 1

    monkeypatch.setattr(network, "is_ready", ready)
    assert [made.info("is_readable"), made.info("is_readable")] == [True, False]
    sock._results["fileno"] = [0]
    assert made.info("is_readable") is False
    assert asked == [(sock, False, 0)] * 3
    sock._results["fileno"] = [-1]
    assert made.info("is_readable") is True
    tls: Any = TlsSock()
    layered: Any = Connection(tls, network.current.get())
    assert layered.info("ssl_object") is tls
    layered._inner = type("Inner", (), {"tls": "inner"})()
    assert layered.info("ssl_object") == "inner"


# --- blocking ------------------------------------------------------------------------------------------------------------
@pytest.fixture(params=["poll", "select"])
def waits_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "select":
        monkeypatch.delattr(select, "poll")


@pytest.mark.usefixtures("waits_by")
def test_a_socket_is_ready_when_it_can_be_read_or_written() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        assert network.is_ready(ours, to_write=False, seconds=0) is False
        assert network.is_ready(ours, to_write=True, seconds=0) is True
        theirs.send(b"x")
        assert network.is_ready(ours, to_write=False, seconds=5) is True
        ours.recv(1)
        try:
            while True:
                ours.send(bytes(65536))
        except BlockingIOError:
            assert network.is_ready(ours, to_write=True, seconds=0) is False
        theirs.close()
        assert network.is_ready(ours, to_write=False, seconds=5) is True


def test_seconds_are_milliseconds_of_a_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Poll:
        def register(self, sock: Any, event: int) -> None:
            asked.append((sock, event))

        def poll(self, milliseconds: float) -> list[int]:
            asked.append(milliseconds)
            return []

    monkeypatch.setattr(select, "poll", Poll)
    sock: Any = object()
    assert network.is_ready(sock, to_write=True, seconds=2.5) is False
    assert network.is_ready(sock, to_write=False, seconds=0) is False
    assert asked == [(sock, select.POLLOUT), 2500.0, (sock, select.POLLIN), 0]


@pytest.mark.parametrize(
    ("deadline", "seconds"), [(1002.5, 2.5), (999.0, 0), (1000.0 + 86_400.0, 86_400.0), (float("inf"), 86_400.0)]
)
def test_a_wait_lasts_until_its_deadline(monkeypatch: pytest.MonkeyPatch, deadline: float, seconds: float) -> None:
    asked: list[Any] = []
    answers = [True, False]

    def ready(sock: Any, *, to_write: bool, seconds: float) -> bool:
        asked.append((sock, to_write, seconds))
        return answers.pop(0)

    monkeypatch.setattr(network, "is_ready", ready)
    sock: Any = object()

    def operation() -> Any:
        assert (yield Wait(sock, to_write=True, deadline=deadline)) is None
        with pytest.raises(TimeoutError):
            yield Wait(sock, to_write=False, deadline=deadline)
        return "over"

    assert network._run(operation()) == "over"
    assert asked == [(sock, True, seconds), (sock, False, seconds)]


def test_calls_and_look_ups_are_made_and_their_errors_thrown_in(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def look_up(*given: Any, **options: Any) -> str:
        asked.append((given, options))
        return "found"

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    def interrupted() -> None:
        raise KeyboardInterrupt

    def operation() -> Any:
        assert (yield Call(lambda: 7)) == 7
        assert (yield Lookup("a.example", 443, 1.0)) == "found"
        with pytest.raises(KeyboardInterrupt):
            yield Call(interrupted)
        raise KeyError("out")

    with pytest.raises(KeyError):
        network._run(operation())
    assert asked == [(("a.example", 443), {"type": socket.SOCK_STREAM})]


class Recorded:
    """A connection that notes what it is asked for; each operation gives its name."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        def operation(*given: Any) -> Any:
            self.asked.append((name, *given))
            yield from ()

        return operation

    def read(self) -> Any:
        self.asked.append(("read",))
        return "read"
        yield

    def close(self) -> None:
        self.asked.append(("close",))

    def info(self, name: str) -> str:
        return f"info {name}"


def test_a_stream_passes_everything_on() -> None:
    made: Any = Recorded()
    stream: Any = SyncStream(made)
    context: Any = object()
    assert stream.read(9) == "read"
    stream.write(b"data")
    assert stream.start_tls(context, "a.example", 5.0) is stream
    stream.close()
    assert stream.get_extra_info("socket") == "info socket"
    assert made.asked == [("read",), ("write", b"data"), ("start_tls", context, "a.example"), ("close",)]


@pytest.mark.parametrize("options", [None, OPTIONS])
def test_a_backend_connects_and_remembers_it(monkeypatch: pytest.MonkeyPatch, options: Any) -> None:
    asked: list[Any] = []

    def connected(*given: Any) -> Any:
        asked.append(given)
        return "the connection"
        yield

    monkeypatch.setattr(network, "connect", connected)
    backend: Any = SyncBackend()
    stream: Any = backend.connect_tcp("a.example", 443, timeout=5.0, socket_options=options)
    assert asked == [("a.example", 443, options or ())]
    assert (type(stream), stream.connection, backend.connection) == (SyncStream, "the connection", "the connection")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_the_system_s_number_is_read_in_its_own_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.ioctl", lambda *_: (258).to_bytes(4, sys.byteorder))
    assert network._unacknowledged(Sock()) == 258  # type: ignore[arg-type]  # in memory


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_unacknowledged_bytes_are_counted_where_the_system_tells(monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert network._unacknowledged(server) == 0, "a socket that listens has sent nothing"
        ours = socket.create_connection(server.getsockname())
        with ours:
            monkeypatch.setattr("sys.platform", system)
            ours.settimeout(0)
            assert network._unacknowledged(ours) == 0
            try:
                while True:
                    ours.send(bytes(65536))
            except BlockingIOError:
                pass
            assert (network._unacknowledged(ours) > 1000) is (system == "linux")


# --- TLS through TLS to a proxy --------------------------------------------------------------------------------------------
class Tunnel(Sock):
    """A socket whose peer is a TLS server in memory, which gives back what it receives."""

    def __init__(self, authority: trustme.CA, name: str) -> None:
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._server = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._shaken = False
        self.received = b""
        self.hung_up = False
        self.blocked: list[str] = []  # the calls that must wait first

    def _may(self, name: str) -> None:
        if name in self.blocked:
            self.blocked.remove(name)
            raise BlockingIOError

    def send(self, data: memoryview) -> int:
        self._may("send")
        taken = min(len(data), 10_000)
        self._incoming.write(data[:taken])
        try:
            if not self._shaken:
                self._server.do_handshake()
                self._shaken = True
            while more := self._server.read(100_000):
                self.received += more
                self._server.write(more)
        except ssl.SSLWantReadError:
            pass
        return taken

    def recv(self, size: int) -> bytes:
        self._may("recv")
        if self.hung_up:
            return b""
        if not self._outgoing.pending:
            raise BlockingIOError
        return self._outgoing.read(size)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def layered(tracker: SendTracker, authority: trustme.CA, name: str = "a.example") -> tuple[Any, Any, ssl.SSLContext]:
    sock: Any = Tunnel(authority, name)
    made: Any = Connection(sock, tracker)
    made.layers = 1
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return made, sock, context


def test_a_second_layer_of_tls_carries_the_request(track: Any, now: list[float], authority: trustme.CA) -> None:
    tracker = track("download", tls_layers=2)
    made, sock, context = layered(tracker, authority)
    sock.blocked = ["send", "recv"]
    steps, _ = ended(made.start_tls(context, "a.example"))
    assert [(step.sock, step.to_write, step.deadline) for step in steps] == [
        (sock, True, 1010.0),
        (sock, False, 1010.0),
    ]
    assert (made.layers, made.sock, tracker.sent, tracker.phase) == (2, sock, 0, "never_sent")
    assert made.info("ssl_object").version() == "TLSv1.3"
    content = os.urandom(300_000)
    sock.blocked, now[0] = ["send"], 1005.0
    steps, _ = ended(made.write(content))
    assert [(step.sock, step.to_write, step.deadline) for step in steps] == [(sock, True, 1025.0)]
    assert (sock.received == content, tracker.sent) == (True, len(content))
    received, sock.blocked = b"", ["recv"]
    deadlines: set[float] = set()
    while len(received) < len(content):
        steps, more = ended(made.read())
        deadlines |= {step.deadline for step in steps}
        received += more
    assert (received == content, deadlines, tracker.phase) == (True, {1055.0}, "sent_full")


def test_a_second_layer_checks_the_server_s_name_and_authority(track: Any, authority: trustme.CA) -> None:
    for given, name in ((authority, "b.example"), (trustme.CA(), "a.example")):
        tracker = track(tls_layers=2)
        made, sock, _ = layered(tracker, given, name)
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        with pytest.raises(httpcore.ConnectError, match="certificate verify failed"):
            ended(made.start_tls(trusting, "a.example"))
        assert (tracker.tls_refused, tracker.sent, sock.named("close")) == (True, 0, [("close",)])


def test_a_second_layer_that_is_cut_is_not_the_end_of_a_reply(track: Any, authority: trustme.CA) -> None:
    tracker = track(tls_layers=2)
    made, sock, context = layered(tracker, authority)
    sock.hung_up = True
    with pytest.raises(httpcore.ConnectError):
        ended(made.start_tls(context, "a.example"))
    assert tracker.tls_refused is False
    made, sock, context = layered(tracker, authority)
    ended(made.start_tls(context, "a.example"))
    sock.hung_up = True
    with pytest.raises(httpcore.ReadError):
        ended(made.read())


def test_a_second_layer_that_stalls_is_a_timeout(track: Any, authority: trustme.CA) -> None:
    made, sock, context = layered(track(tls_layers=2), authority)
    sock.blocked = ["recv"]
    operation = made.start_tls(context, "a.example")
    next(operation)
    with pytest.raises(httpcore.ConnectTimeout, match="the TLS handshake timed out"):
        operation.throw(TimeoutError())
    assert sock.named("close") == [("close",)]
