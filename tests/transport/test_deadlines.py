"""Time limits hold for each part of a reply, and limit stalls, not the progress of an upload."""

import socket
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from seedream import RetryPolicy, Timeouts, errors
from support.clients import Both
from support.pictures import picture
from support.scripted_server import reply
from transport.support import (
    ACCEPTED,
    RUNNING,
    Action,
    Connection,
    ScriptedServer,
    byte_by_byte,
    drip,
    elapsed_below,
    whole,
)

LIMIT = 0.2
ONCE = RetryPolicy(attempts=1)
TIGHT = Timeouts(connect=LIMIT, write=LIMIT, submit_read=LIMIT, query_read=LIMIT, download_read=LIMIT)
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
ENDLESS = {
    "status line": drip(b"HTTP/1.1 200 ", b"K"),
    "header name": drip(b"HTTP/1.1 200 OK\r\nx", b"y"),
    "header value": drip(b"HTTP/1.1 200 OK\r\nx: ", b"y"),
    "headers": drip(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"),
    "interim replies": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", every=0.001),
    "chunk size": drip(CHUNKED, b"0"),
    "chunk extension": drip(CHUNKED + b"5;", b"x"),
    "trailer": drip(CHUNKED + b"1\r\n{\r\n0\r\nx: ", b"y"),
    "nothing": drip(b"", b"H", every=30),
    "no body": drip(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n", b"x", every=30),
}  # fmt: skip


@pytest.mark.parametrize("part", ENDLESS)
def test_a_submission_ends_in_time_whatever_drips(both: Both, part: str) -> None:
    with ScriptedServer(ENDLESS[part]) as server, elapsed_below(LIMIT + 1):  # noqa: SIM117 -- the server's end takes time
        with pytest.raises(errors.SubmissionUnknown):
            both.call(lambda client: client.submit("a fish"), base_url=server.url, timeouts=TIGHT)


@pytest.mark.parametrize("part", ENDLESS)
def test_a_query_ends_in_time_whatever_drips(both: Both, part: str) -> None:
    with ScriptedServer(ENDLESS[part]) as server, elapsed_below(LIMIT + 1), pytest.raises(errors.StatusError):
        both.call(lambda client: client.query("t1"), base_url=server.url, timeouts=TIGHT, retry=ONCE)


@pytest.mark.parametrize("part", ["headers", "chunk extension", "nothing"])
def test_a_wait_ends_at_its_own_deadline_whatever_drips(both: Both, part: str) -> None:
    # The deadline of the wait bounds each query, whatever the limits of an exchange are.
    with ScriptedServer(ENDLESS[part]) as server, elapsed_below(3), pytest.raises(errors.WaitTimeout):
        both.call(lambda client: client.task("t1").wait(timeout=0.01), base_url=server.url)


@pytest.mark.parametrize("part", ["headers", "chunk size", "chunk extension", "trailer", "no body"])
def test_a_download_ends_in_time_whatever_drips(both: Both, part: str, tmp_path: Any) -> None:
    # Framing is not progress: only bytes of the picture restart the time limit. Five tries, then the client gives up.
    def act(connection: Connection) -> None:
        if connection.read_head().startswith(b"GET"):
            ENDLESS[part](connection)
        else:
            connection.read_request()
            url = f"{server.url}/1.png".encode()
            connection.send(whole(b'{"code":1000,"data":{"taskid":"t1","image_status":3,"url":["%s"]}}' % url))

    with ScriptedServer(act) as server, elapsed_below(5 * LIMIT + 2), pytest.raises(errors.DownloadError):
        both.call(lambda client: client.task("t1").save(tmp_path), base_url=server.url, timeouts=TIGHT)


@pytest.mark.parametrize(
    "reply",
    [
        whole(ACCEPTED),
        whole(ACCEPTED, b"x-a: 1\r\nX-B: 2\r\n"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + whole(ACCEPTED),
        b"HTTP/1.0 200 OK\r\n\r\n" + ACCEPTED,
        CHUNKED + b"%x;a=b\r\n%s\r\n0\r\nx: y\r\n\r\n" % (len(ACCEPTED), ACCEPTED),
        CHUNKED + b"".join(b"1\r\n%c\r\n" % byte for byte in ACCEPTED) + b"0\r\n\r\n",
    ],
    ids=["length", "headers", "interim", "until the end", "chunk, extension, trailer", "chunks of one byte"],
)
def test_a_reply_means_the_same_one_byte_at_a_time(both: Both, reply: bytes) -> None:
    with ScriptedServer(byte_by_byte(reply)) as server:
        assert both.call(lambda client: client.submit("a fish"), base_url=server.url).id == "t1"


def flood(prefix: bytes, piece: bytes) -> Action:
    """Send without an end and without a pause: the socket can always be read."""

    def act(connection: Connection) -> None:
        connection.read_request()
        connection.send(prefix)
        with suppress(OSError):
            while not connection.stop.is_set():
                connection.send(piece)

    return act


FLOODS = {
    "interim replies": flood(b"", b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 100),
    "100 Continue": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "chunk extensions": flood(CHUNKED, b"1;" + b"x" * 8000 + b"\r\n \r\n"),
    "one chunk extension": flood(CHUNKED + b"1;", b"x" * 1000),
    "header fields": flood(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 100),
    "trailer fields": flood(CHUNKED + b"0\r\n", b"x: y\r\n" * 100),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_framing_ends_in_time(both: Both, kind: str) -> None:
    # Rule: a socket that can always be read does not get a reply past its deadline.
    with ScriptedServer(FLOODS[kind]) as server, elapsed_below(LIMIT + 2), pytest.raises(errors.SubmissionUnknown):
        both.call(lambda client: client.submit("a fish"), base_url=server.url, timeouts=TIGHT)


def read_slowly(rate: float) -> Action:
    """Read the request at so many bytes a second, then accept."""

    def act(connection: Connection) -> None:
        head, _, body = connection.read_head().partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        left = length - len(body)
        while left > 0 and (data := connection.sock.recv(min(left, 65536))):
            left -= len(data)
            connection.stop.wait(len(data) / rate)
        connection.send(whole(ACCEPTED))

    return act


class NarrowServer(ScriptedServer):
    """A server whose kernel takes few bytes ahead, so that the client feels how fast it reads."""

    def __init__(self, *actions: Action) -> None:
        super().__init__(*actions)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)


def test_an_upload_that_moves_takes_as_long_as_it_needs(both: Both) -> None:
    # Rule: stalls are limited, not progress. The line is 100 times as fast as one of 1 Mbit/s (5 minutes),
    # and each limit is a small part of the time that the upload takes; bytes that leave start the limit again.
    large = picture(size=(64, 64)) + bytes(35_000_000)
    limits = Timeouts(write=0.6, submit_read=0.6)
    with NarrowServer(read_slowly(13_000_000)) as server:
        started = time.monotonic()
        task = both.call(
            lambda client: client.submit("a fish", source_images=large), base_url=server.url, timeouts=limits
        )
        assert task.id == "t1"
        assert time.monotonic() - started > 2.4, "the server was to be slower than the limits"


def never_read(connection: Connection) -> None:
    connection.read_head()
    connection.stall()


def test_an_upload_that_stalls_ends_in_time_and_is_unknown(both: Both) -> None:
    large = picture(size=(64, 64)) + bytes(12_000_000)
    with NarrowServer(never_read) as server, elapsed_below(LIMIT + 1.5):
        with pytest.raises(errors.SubmissionUnknown) as caught:
            both.call(lambda client: client.submit("a fish", source_images=large), base_url=server.url, timeouts=TIGHT)
        assert caught.value.phase == "sent_partial"


def test_a_stalled_tls_handshake_is_a_timeout_and_no_refused_certificate(both: Both) -> None:
    with ScriptedServer(Connection.stall) as server, elapsed_below(4 * LIMIT + 2):
        with pytest.raises(errors.NotSent) as caught:
            both.call(
                lambda client: client.submit("a fish"), base_url=server.url.replace("http", "https"), timeouts=TIGHT
            )
        assert caught.value.retryable
        assert "certificate" not in str(caught.value)
        assert len(server.connections) == 4, "a stall may pass, so it was to be tried again"


def test_no_thread_is_started_for_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(reply(200, RUNNING)) as server:
        before = threading.active_count()
        started: list[str] = []
        real = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            if threading.current_thread() is threading.main_thread():
                started.append(thread.name)
            real(thread)

        monkeypatch.setattr(threading.Thread, "start", start)
        Both("sync").call(lambda client: [client.query("t1") for _ in range(3)], base_url=server.url)
        assert started == []
        assert threading.active_count() <= before + 3  # the server's own
