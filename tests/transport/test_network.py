"""Bytes that the peer still acknowledges are not a stall. The operations are driven by hand, without waiting."""

import socket
from collections.abc import Generator, Iterator
from typing import Any

import httpcore
import pytest
from seedream import Timeouts
from seedream._transport import network
from seedream._transport.network import Connection, Wait
from seedream._transport.send_tracker import SendTracker

LARGE = bytes(4_000_000)


class Line:
    """A connection whose peer reads nothing, and a number for what the peer has not acknowledged."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ours, self.peer = socket.socketpair()
        self.ours.settimeout(0)
        self.tracker = SendTracker("submit", Timeouts())
        self.token = network.current.set(self.tracker)
        self.connection = Connection(self.ours, self.tracker)
        self.unacknowledged = 0
        monkeypatch.setattr(network, "_unacknowledged", lambda _: self.unacknowledged)

    def close(self) -> None:
        network.current.reset(self.token)
        self.ours.close()
        self.peer.close()


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    made = Line(monkeypatch)
    yield made
    made.close()


def times_out(operation: Generator[Any, Any, Any]) -> Any:
    """Let the wait of the operation time out; gives the next one."""
    return operation.throw(TimeoutError())


def test_an_upload_goes_on_while_the_peer_acknowledges(line: Line) -> None:
    line.unacknowledged = 900
    sending = line.connection.write(LARGE)
    step = next(sending)
    assert isinstance(step, Wait)
    assert step.to_write
    assert 0 < line.tracker.sent < len(LARGE)
    for left in (800, 1):
        line.unacknowledged = left
        assert isinstance(times_out(sending), Wait)
    with pytest.raises(httpcore.WriteTimeout, match="the request could not be sent on"):
        times_out(sending)  # as many as before
    assert line.tracker.phase == "sent_partial"


@pytest.mark.parametrize("left", [0, 900, 901])
def test_an_upload_of_which_nothing_moves_ends(line: Line, left: int) -> None:
    line.unacknowledged = 900
    sending = line.connection.write(LARGE)
    next(sending)
    line.unacknowledged = left
    with pytest.raises(httpcore.WriteTimeout):
        times_out(sending)


def test_a_reply_is_waited_for_while_the_request_still_leaves(line: Line) -> None:
    line.tracker.sent = 1_000_000
    line.unacknowledged = 900
    reading = line.connection.read()
    step: Any = next(reading)
    assert (step.sock, step.to_write) == (line.ours, False)
    assert line.tracker.phase == "sent_full"
    line.unacknowledged = 300
    assert isinstance(times_out(reading), Wait)
    with pytest.raises(httpcore.ReadTimeout, match="the reply did not come in time"):
        times_out(reading)


def test_few_bytes_are_kept_until_a_read_sends_them(line: Line) -> None:
    for part in (b"POST / HTTP/1.1\r\n", b"", b"\r\n"):
        assert list(line.connection.write(part)) == []
    assert line.tracker.sent == 0
    reading = line.connection.read()
    next(reading)
    assert line.tracker.sent == len(b"POST / HTTP/1.1\r\n\r\n")
    assert line.peer.recv(100) == b"POST / HTTP/1.1\r\n\r\n"
    line.peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(StopIteration) as ended:
        reading.send(None)
    assert ended.value.value == b"HTTP/1.1 200 OK\r\n\r\n"


def test_what_does_not_fit_is_sent_in_order_and_counted(line: Line) -> None:
    line.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_000_000)
    content = bytes(range(256)) * 200
    assert list(line.connection.write(content[:1000])) == []
    assert list(line.connection.write(content[1000:])) == []
    next(line.connection.read())
    received = b""
    while len(received) < len(content):
        received += line.peer.recv(65536)
    assert (received, line.tracker.sent) == (content, len(content))


def test_a_connection_that_breaks_in_the_request_has_sent_a_part(line: Line) -> None:
    sending = line.connection.write(LARGE)
    next(sending)
    line.peer.close()
    with pytest.raises(httpcore.WriteError):
        sending.send(None)
    assert (line.tracker.phase, line.tracker.write_failed) == ("sent_partial", True)
    assert line.tracker.reply_deadline < float("inf")


def test_a_wait_for_the_proxy_is_a_wait_for_the_connection(line: Line) -> None:
    line.tracker.tls_layers = 1  # the request goes through TLS, which is not up yet
    reading = line.connection.read()
    step: Any = next(reading)
    assert step.deadline == line.tracker.connect_deadline
    assert line.tracker.phase == "never_sent"
    with pytest.raises(httpcore.ConnectTimeout, match="the proxy did not answer in time"):
        times_out(reading)
