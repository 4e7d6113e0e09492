"""What no client should do: bytes that are no HTTP, slow and silent peers, floods. The service stays up and small."""

import logging
import random
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import facts
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox.sandbox_client import SUBMIT, SandboxClient, connect
from seedream_sandbox import KINDS, RequestRecord, Sandbox
from seedream_sandbox.bounded import Bounded
from seedream_sandbox.server import connection
from seedream_sandbox.service.request_log import RequestLog
from seedream_sandbox.task import Task

HEAD = b"POST " + SUBMIT.encode() + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nConnection: close\r\n"
FORM = b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nx\r\n--b--\r\n'
GOOD = HEAD + b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n" % len(FORM) + FORM


class ErrorLines(logging.Handler):
    """Collects the errors that are logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    """One service for all; nothing may fail inside it, seen by a client or not."""
    logged = ErrorLines()
    for name in ("seedream_sandbox", "asyncio"):
        logging.getLogger(name).addHandler(logged)
    with Sandbox(pictures="plain", credits=10**9) as sandbox:
        yield sandbox
    for name in ("seedream_sandbox", "asyncio"):
        logging.getLogger(name).removeHandler(logged)
    assert [] == logged.lines


def address(sandbox: Sandbox) -> tuple[str, int]:
    url = httpx.URL(sandbox.base_url)
    assert url.port is not None
    return url.host, url.port


def exchange(sandbox: Sandbox, sent: bytes, patience: float = 10) -> bytes:
    """Send bytes and read all that comes back; after so many seconds of silence, end the sending side first."""
    received = b""
    with (
        socket.create_connection(address(sandbox), timeout=patience) as peer,
        suppress(OSError),
    ):  # cut off: an answer too
        peer.sendall(sent)
        try:
            while block := peer.recv(65536):
                received += block
        except TimeoutError:
            peer.settimeout(10)
            peer.shutdown(socket.SHUT_WR)
            while block := peer.recv(65536):
                received += block
    return received


def is_own_failure(reply: bytes) -> bool:
    return reply.startswith(b"HTTP/1.1 5")


def works(sandbox: Sandbox) -> bool:
    return b'"code":1000' in exchange(sandbox, GOOD)


def spoiled(draw: st.DrawFn) -> bytes:
    """Return a good request with some bytes changed, removed or added."""
    message = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(message)))
        match draw(st.sampled_from(["change", "remove", "add", "cut"])):
            case "change":
                message[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "remove":
                del message[at : at + draw(st.integers(1, 9))]
            case "add":
                message[at:at] = draw(st.binary(min_size=1, max_size=20))
            case _:
                del message[max(at, 1) :]
    return bytes(message)


@given(st.composite(spoiled)() | st.binary(max_size=400) | st.binary(max_size=200).map(HEAD.__add__))
@settings(max_examples=120)
def test_any_bytes_get_an_answer_or_none_but_never_a_failure_of_its_own(served: Sandbox, sent: bytes) -> None:
    assert not is_own_failure(exchange(served, sent, 0.04))


def test_it_works_after_that(served: Sandbox) -> None:
    assert works(served)


@given(
    st.binary(max_size=300), st.sampled_from(["multipart/form-data; boundary=b", "application/json", "", "x", "a;;=b"])
)
def test_any_body_gets_an_envelope(body: bytes, kind: str) -> None:
    sandbox = Sandbox()
    with httpx.Client(transport=sandbox.transport) as http:
        for path in (SUBMIT, "/v1/images/infobytaskid", "/v1/images/deleteimagestask"):
            content = b"--b\r\n" + body if kind.startswith("multi") else body
            headers = {"Authorization": "k", "Content-Type": kind}
            reply = http.post(sandbox.base_url + path, content=content, headers=headers)
            assert (200, True) == (reply.status_code, reply.json()["code"] in (1000, 9999))


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"Content-Length: 10\r\nContent-Length: 20\r\n\r\n" + b"x" * 20,
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"X-Sandbox-Fault: \xe7\x81\xaf\r\n\r\n",
        HEAD + b"X-Sandbox-Fault: wrong-type type=\xe7\x81\xaf\r\n\r\n",
        HEAD + b"X-Sandbox-Fault: html status=99\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /_sandbox/state HTTP/1.1\r\nHost: \xff\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 50_000 + b"\r\n",
        b"GET / HTTP/3.7\r\nHost: x\r\n\r\n",
        b"GET http://elsewhere/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%ff%00%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        GOOD + GOOD + GOOD[:50],
    ],
)
def test_bad_heads(served: Sandbox, sent: bytes) -> None:
    assert not is_own_failure(exchange(served, sent, 0.2))
    assert works(served)


@pytest.mark.parametrize("origin", ["http://[", "http://a]", "://", "null", "http://x:99999999", "\xff", ""])
@pytest.mark.parametrize(("method", "path"), [("POST", "reset"), ("POST", "credits?balance=7"), ("DELETE", "faults")])
def test_a_malformed_origin_is_refused(served: Sandbox, origin: str, method: str, path: str) -> None:
    head = (
        f"{method} /_sandbox/{path} HTTP/1.1\r\nHost: {address(served)[0]}:{address(served)[1]}\r\nOrigin: {origin}\r\n"
    )
    before = served.credits
    assert exchange(served, head.encode("latin-1") + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 403")
    assert before == served.credits


def test_thousands_of_spoiled_requests_leave_nothing_behind() -> None:
    """No connection, file descriptor, thread or error is left, whatever came and whenever the peer went away."""
    rng = random.Random(1)  # noqa: S311 -- repeatable on purpose
    form = GOOD.replace(b"Connection: close\r\n", b"")
    kinds = [kind for kind in KINDS.values() if kind.layer != "connect" and "seconds" not in kind.options]
    logged = ErrorLines()
    logging.getLogger("seedream_sandbox").addHandler(logged)
    with Sandbox(pictures="plain", credits=10**9) as sandbox:
        assert works(sandbox)
        assert sandbox._server is not None
        threads, files = threading.active_count(), open_files()
        for number in range(1500):
            fault = f"X-Sandbox-Fault: {rng.choice(kinds).name} at=any{' bytes=9' * (number % 2)}\r\n".encode()
            message = bytearray(rng.choice([form, form.replace(b"\r\nAuth", b"\r\n" + fault + b"Auth")]))
            for _ in range(rng.randrange(4)):
                at = rng.randrange(len(message) + 1)
                message[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(4))
            with socket.create_connection(address(sandbox), timeout=10) as peer, suppress(OSError):
                peer.sendall(message)
                if rng.random() < 0.7:
                    peer.shutdown(socket.SHUT_WR)
                    received = b"".join(iter(lambda peer=peer: peer.recv(65536), b""))  # type: ignore[misc]  # bound at once
                    assert b"fault asked for it" in received or not is_own_failure(received) or fault in message
        for _ in range(200):
            if not sandbox._server.connections:
                break
            threading.Event().wait(0.05)
        assert not sandbox._server.connections
        assert threads + 12 >= threading.active_count(), "no more than the threads of its pools"
        assert files + 2 >= open_files()
    logging.getLogger("seedream_sandbox").removeHandler(logged)
    assert [] == logged.lines


def open_files() -> int:
    """Open file descriptors of this process, where the system tells them."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def closed_within(peer: socket.socket, seconds: float) -> bytes:
    """Return what comes until the peer closes."""
    peer.settimeout(seconds)
    received = b""
    with suppress(ConnectionResetError):
        while block := peer.recv(65536):
            received += block
    return received


def test_slow_heads_and_bodies_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_HEAD_TIME", 0.5)
    monkeypatch.setattr(connection, "_BODY_TIME", 0.5)
    with Sandbox(pictures="plain") as sandbox:
        for sent, answer in (
            (b"", b""),
            (GOOD[:60], b""),
            (GOOD + GOOD[:60], b'"code":1000'),
            (GOOD[:-10], b"HTTP/1.1 408"),
        ):
            with socket.create_connection(address(sandbox), timeout=5) as peer:
                peer.sendall(sent)
                assert answer in closed_within(peer, 5)
        assert works(sandbox)
        assert 2 == len(sandbox.charges)


def test_one_who_does_not_take_the_reply_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_SEND_TIME", 0.2)
    with Sandbox(faults=["huge-reply bytes=50000000 times=1"]) as sandbox:
        with socket.create_connection(address(sandbox), timeout=5) as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.sendall(GOOD)
            assert peer.recv(10)
            assert sandbox._server is not None
            for _ in range(100):
                if not sandbox._server.connections:
                    break
                threading.Event().wait(0.05)
            assert not sandbox._server.connections
        assert works(sandbox)


def test_200_clients_at_once() -> None:
    with Sandbox(pictures="plain", progress="instant", credits=10**6) as sandbox:
        gate = threading.Barrier(200, timeout=60)

        def client(number: int) -> set[int]:
            with connect(60) as http:
                one = SandboxClient(sandbox, http)
                gate.wait()
                replies = [one.submit(f"{number}", batchsize=1)]
                replies.append(one.submit("too many", batchsize=facts.LARGEST + 1))
                replies.append(one.picture(one.urls(one.made("picture", batchsize=1))[0]))
                return {reply.status_code for reply in replies}

        with ThreadPoolExecutor(200) as pool:
            assert {200} == set().union(*pool.map(client, range(200)))
        assert 400 == len(sandbox.charges) == len({charge.taskid for charge in sandbox.charges})
        assert 10**6 - 400 == sandbox.credits


def test_large_bodies_at_once_take_turns(served: Sandbox) -> None:
    body = "x" * 3_000_000

    def client(_: int) -> int:
        with connect(60) as http:
            return int(SandboxClient(served, http).submit(body).json()["code"])

    with ThreadPoolExecutor(12) as pool:
        assert [1000] * 12 == list(pool.map(client, range(12)))


def test_1000_tasks_are_kept_in_bounded_memory() -> None:
    sandbox = Sandbox(pictures="plain", credits=10**6, progress="instant", keep=1000)
    with httpx.Client(transport=sandbox.transport) as http:
        one = SandboxClient(sandbox, http)

        def submit(count: int) -> None:
            for number in range(count):
                one.submit(f"{number} " + "long " * 200, batchsize=facts.LARGEST)

        tracemalloc.start()
        try:
            submit(1000)
            assert 1000 == len(sandbox.tasks) == len(sandbox.requests)
            before = tracemalloc.get_traced_memory()[0]
            submit(600)
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert 1000 == len(sandbox.tasks)
    # Old ones give way to new ones; what grows is the list of charges, some 1.5 kB each with its prompt.
    assert grown < 600 * 3_000


def test_megabytes_as_text_are_remembered_briefly() -> None:
    log = RequestLog(1000, room=16_000_000)
    for number in range(200):
        record = RequestRecord(number, 0.0, "POST", "/", "api")
        log.remember(record)
        log.note(record, {"prompt": ["x" * 500_000]}, [])
    assert 20 < len(log) < 40
    shelf: Bounded[str, Task] = Bounded(1000, room=50_000_000)
    for number in range(200):
        task = Task(str(number), "x" * 500_000, "", "2K", 1, 1, 1, 0.0, 0)
        shelf.add(task.id, task, task.weight)
    assert 20 < len(shelf) < 30
    assert "199" in shelf


def test_it_stops_with_clients_connected() -> None:
    sandbox = Sandbox().start()
    with socket.create_connection(address(sandbox)) as idle, socket.create_connection(address(sandbox)) as half:
        half.sendall(GOOD[:-10])
        started = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - started < 8
        assert b"" == closed_within(idle, 5) == closed_within(half, 5)
    sandbox.stop()
