"""The bytes that go over a socket, how long a fault lets a client wait, and what a transport in process reports."""

# ruff: noqa: E501, S104 -- one case a line reads as a table; addresses to bind to are what is tested

import asyncio
import errno
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import responses
from types import SimpleNamespace
from typing import Any, Final

import anyio
import h11
import httpx
import pytest
from sandbox.sandbox_client import DELETE, QUERY, SUBMIT, OpenSandbox
from seedream_sandbox import ManualClock, Sandbox, parse_fault, run_server
from seedream_sandbox.http import Request, Response, failure
from seedream_sandbox.inspector.routes import Inspector
from seedream_sandbox.server import connection, server
from seedream_sandbox.server.connection import _wire_headers, _with_slow_part
from seedream_sandbox.service.image_host import picture_reply

NOT_FOUND: Final = b'{"code":9999,"msg":"there is no path \'/v1/x\'"}'
NO_KEY: Final = b'{"code":9999,"msg":"AUTH-HEADER no API key: send Authorization: Bearer KEY"}'
GET: Final = b"GET /v1/x HTTP/1.1\r\nHost: x\r\n%s\r\n"


def exchange(sandbox: Sandbox, *sent: bytes, end: bool = True) -> bytes:
    """Send bytes, end the sending side (if asked for), and read all that comes back."""
    url = httpx.URL(sandbox.base_url)
    received = bytearray()
    with socket.create_connection((url.host, url.port or 0), timeout=20) as peer:
        for one in sent:
            peer.sendall(one)
        try:
            with suppress(OSError):  # cut off already
                if end:
                    peer.shutdown(socket.SHUT_WR)
            while block := peer.recv(65536):
                received += block
        except ConnectionResetError:
            received += b"(reset)"
    return bytes(received)


def whole(status: str, body: bytes, *headers: bytes) -> bytes:
    return (
        b"\r\n".join([b"HTTP/1.1 " + status.encode(), b"content-type: application/json", *headers]) + b"\r\n\r\n" + body
    )


LENGTH: Final = b"content-length: %d" % len(NOT_FOUND)
CLOSE: Final = b"connection: close"  # as a fault or a refusal writes it; h11 writes Connection
FOUND: Final = whole("401 Unauthorized", NO_KEY, b"content-length: %d" % len(NO_KEY))
REPLY: Final = whole("401 Unauthorized", NO_KEY, b"content-length: %d" % len(NO_KEY), CLOSE)


@pytest.mark.parametrize(
    ("fault", "received", "seconds"),
    [
        ("cut-reply", b"", 0), ("cut-reply how=rst", b"(reset)", 0), ("cut-head after=17", REPLY[:17], 0), ("cut-body after=9", REPLY[: len(REPLY) - len(NO_KEY) + 9], 0), ("cut-quiet after=5", REPLY.replace(b"content-length: %d\r\n" % len(NO_KEY), b"")[: -len(NO_KEY) + 5], 0), ("garbage", b"\x00\x17 this is not HTTP\r\n\r\n", 0),
        ("stall-reply after=30 seconds=7", REPLY[:30], 7), ("drip bytes=100 seconds=3", REPLY, 3 * -(-len(REPLY) // 100)), ("drip bytes=0 seconds=1", REPLY, len(REPLY)), ("drip-part part=status-line length=3 seconds=2", REPLY.replace(b"Unauthorized", b"Unauthorized xxx"), 2 * len(b"HTTP/1.1 401 Unauthorized xxx")),
        ("delay seconds=12", FOUND, 12), ("status-599 body=empty", b"HTTP/1.1 599 Unassigned\r\ncontent-length: 0\r\n\r\n", 0), ("status-204", b"HTTP/1.1 204 No Content\r\n\r\n", 0),
    ],
)  # fmt: skip
def test_what_a_fault_sends_and_how_long_it_takes(fault: str, received: bytes, seconds: float) -> None:
    clock = ManualClock()
    with Sandbox(clock=clock, inspector=False) as sandbox:
        before = clock.time()
        head = b"POST %s HTTP/1.1\r\nHost: x\r\nX-Sandbox-Fault: %s at=any\r\nContent-Length: 0\r\n\r\n"
        found = exchange(sandbox, head % (QUERY.encode(), fault.encode()))
        assert (found, clock.time() - before) == (received, seconds)


@pytest.mark.parametrize(
    ("fault", "seconds", "answered"),
    [("stall-accept seconds=5", 5, b""), ("cut-accept how=fin", 0, b""), ("stall-request after=3 seconds=8 how=fin", 8, b""), ("cut-request after=3 how=fin", 0, b""), ("slow-upload rate=10", 1.2, b"HTTP/1.1 401 Unauthorized\r\n")],
)  # fmt: skip
def test_how_long_a_fault_takes_before_a_request_has_come(fault: str, seconds: float, answered: bytes) -> None:
    clock = ManualClock()
    with Sandbox(clock=clock, faults=[fault]) as sandbox:
        before = clock.time()
        found = exchange(
            sandbox, b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n" % SUBMIT.encode() + b"x" * 12
        )
        assert clock.time() - before == pytest.approx(seconds)
        found = found.removesuffix(b"(reset)")  # the system sends it where bytes were never read
        assert found[: len(answered) or None] == answered
        if "request" in fault:
            (record,) = sandbox.requests
            assert (record.verdict, record.status, record.faults, found) == (
                f"fault {fault.split(maxsplit=1)[0]}",
                0,
                [fault.split(maxsplit=1)[0]],
                b"",
            )


@pytest.mark.parametrize(("how", "received"), [("rst", b"(reset)"), ("fin", b"")])
@pytest.mark.parametrize("name", ["cut-request", "stall-request"])
def test_how_a_request_is_cut_whose_bytes_were_all_read(name: str, how: str, received: bytes) -> None:
    with Sandbox(clock=ManualClock(), faults=[f"{name} after=12 how={how}"]) as sandbox:
        head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n" % SUBMIT.encode()
        assert exchange(sandbox, head + b"x" * 12, end=False) == received


@pytest.mark.parametrize(
    ("part", "pieces"),
    [
        ("status-line", [(b"HTTP/1.1 200 OK xxxx", True), (b"\r\n", False), (b"content-type: a\r\ncontent-length: 6\r\nconnection: close\r\n\r\n", False), (b"abcdef", False)]), ("headers", [(b"HTTP/1.1 200 OK", False), (b"\r\n", False), (b"x-padding: xxxx\r\n", True), (b"content-type: a\r\ncontent-length: 6\r\nconnection: close\r\n\r\n", False), (b"abcdef", False)]),
        ("body", [(b"HTTP/1.1 200 OK", False), (b"\r\n", False), (b"content-type: a\r\ncontent-length: 6\r\nconnection: close\r\n\r\n", False), (b"abcd", True), (b"ef", False)]), ("chunk-size", [(b"HTTP/1.1 200 OK\r\ncontent-type: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n", False), (b"0006", True), (b"\r\nabcdef\r\n0\r\n", False), (b"\r\n", False)]),
        ("chunk-extension", [(b"HTTP/1.1 200 OK\r\ncontent-type: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n", False), (b"6", False), (b";x=yyyy", True), (b"\r\nabcdef\r\n0\r\n", False), (b"\r\n", False)]),
        ("trailer", [(b"HTTP/1.1 200 OK\r\ncontent-type: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n", False), (b"6", False), (b"\r\nabcdef\r\n0\r\n", False), (b"x-trailer: xxxx\r\n", True), (b"\r\n", False)]),
    ],
)  # fmt: skip
def test_the_part_that_is_sent_slowly(part: str, pieces: list[tuple[bytes, bool]]) -> None:
    response = Response(200, (("content-type", "a"),), b"abcdef")
    found = _with_slow_part(parse_fault(f"drip-part part={part} length=4"), response)
    assert [piece for piece in found if piece[0]] == pieces


def test_a_slow_part_has_a_longest_length() -> None:
    sizes = {
        length: sum(
            len(data)
            for data, _ in _with_slow_part(parse_fault(f"drip-part part={part} length={length}"), failure("x"))
        )
        for part, length in (("headers", 1_000_000), ("headers", 2_000_000))
    }
    assert sizes[1_000_000] == sizes[2_000_000] > 1_000_000
    (digits,) = [data for data, slow in _with_slow_part(parse_fault("drip-part length=99"), failure("x")) if slow]
    assert len(digits) == 16, "HTTP libraries refuse more"


def test_headers_as_they_are_sent() -> None:
    response = Response(200, (("a", " ü\u706f\r\nb\x7f "), ("b", "\tc~")), b"xy", padding=3)
    assert _wire_headers(response) == [(b"a", b"\xfc???b?"), (b"b", b"c~"), (b"content-length", b"5")]
    assert [
        _wire_headers(Response(status, (), b"", chunked=chunked)) for status, chunked in ((304, False), (200, True))
    ] == [[], []]


@pytest.mark.parametrize(
    ("body", "padding"), [(0, 0), (65_535, 0), (65_536, 0), (65_537, 1), (131_072, 65_536), (3, 131_073)]
)
def test_a_body_in_blocks_of_64_kb(body: int, padding: int) -> None:
    response = Response(200, (), b"x" * body, padding)
    blocks = list(response.blocks())
    assert b"".join(blocks) == b"x" * body + bytes(padding)
    assert [len(block) for block in blocks] == [
        min(65_536, size - at) for size in (body, padding) for at in range(0, size, 65_536)
    ]
    assert response.length == body + padding


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (GET % b"" + GET % b"Connection: close\r\n", whole("404 Not Found", NOT_FOUND, LENGTH) + whole("404 Not Found", NOT_FOUND, LENGTH, b"Connection: close")), (GET % b"" + GET % b"", whole("404 Not Found", NOT_FOUND, LENGTH) * 2), (b"HEAD /v1/x HTTP/1.1\r\nHost: x\r\n\r\n", whole("404 Not Found", b"", LENGTH)),
        (b"GET http://other.example:81/v1%2Fx HTTP/1.1\r\nHost: x\r\n\r\n", whole("404 Not Found", NOT_FOUND, LENGTH)), (b"get /v1/x?a=b HTTP/1.0\r\n\r\n", whole("404 Not Found", NOT_FOUND, LENGTH, b"Connection: close")), (b"GET /v1/x", b""), (b"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", b""),
    ],
    ids=range(7),
)  # fmt: skip
def test_requests_on_one_connection(sent: bytes, received: bytes) -> None:
    with Sandbox(inspector=False) as sandbox:
        assert exchange(sandbox, sent) == received


def refused(status: str, text: str) -> bytes:
    body = b'{"code":9999,"msg":"%s"}' % text.encode()
    return whole(status, body, CLOSE, b"content-length: %d" % len(body))


@pytest.mark.parametrize(
    ("head", "body", "status", "said"),
    [
        (b"Content-Length: 101", b"", 413, "the request is too large"), (b"Content-Length: 101\r\nExpect: 100-continue", b"", 413, "the request is too large"), (b"Transfer-Encoding: chunked", b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n", 413, "the request is too large"),
        (b"Content-Length: x", b"", 400, "this is not HTTP: bad Content-Length"), (b"Transfer-Encoding: gzip", b"", 400, "this is not HTTP: Only Transfer-Encoding: chunked is supported"), (b"A: " + b"x" * 200_000, b"", 431, "this is not HTTP: Receive buffer too long"),
    ],
    ids=range(6),
)  # fmt: skip
def test_a_request_that_is_not_read_to_its_end(head: bytes, body: bytes, status: int, said: str) -> None:
    with Sandbox(max_body=100) as sandbox:
        found = exchange(sandbox, b"POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (SUBMIT.encode(), head) + body)
        assert found == refused(f"{status} {responses[status]}", said)
        records = [(one.verdict, one.message, one.status, one.code) for one in sandbox.requests]
        assert records == ([("refused", said, 413, 9999)] if status == 413 else [])


def test_a_body_that_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_BODY_TIME", 0.01)
    with Sandbox() as sandbox:
        head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab" % SUBMIT.encode()
        found = exchange(sandbox, head, end=False)
        assert found == refused("408 Request Timeout", "the request took too long")
        (record,) = sandbox.requests
        assert (record.verdict, record.message, record.status) == ("refused", "the request took too long", 408)


def test_a_line_for_each_request_also_of_those_that_came_last() -> None:
    sandbox, stop, said, logged = Sandbox(), threading.Event(), list[str](), list[str]()

    def say(line: str) -> None:
        said.append(line)
        if "look inside" in line:  # the last before it waits for requests
            exchange(sandbox, GET % b"", GET % b"")
            stop.set()

    run_server(sandbox, say, log=logged.append, stop=stop)
    line = "GET  x  404 9999  refused"
    assert logged == [f"    {number}  {line}" for number in (1, 2)]
    assert said[4:] == ["Stopped. Images charged: 0; credits left: 1000."]


def test_the_go_ahead_is_given_when_a_client_waits_for_it() -> None:
    with Sandbox() as sandbox:
        found = exchange(
            sandbox, b"POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", b"ab"
        )
    assert found in (
        b"HTTP/1.1 100 \r\n\r\n" + whole("404 Not Found", NOT_FOUND, LENGTH),
        whole("404 Not Found", NOT_FOUND, LENGTH),
    )


def test_a_failure_of_the_sandbox_itself_is_said_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Sandbox(inspector=False) as sandbox:

        def broken(*_: object) -> None:
            raise ZeroDivisionError("on purpose")

        monkeypatch.setattr(sandbox.service, "handle", broken)
        with caplog.at_level(logging.ERROR, "seedream_sandbox"):
            found = exchange(sandbox, GET % b"")
    text = b'{"code":9999,"msg":"the sandbox itself failed; its log says how"}'
    assert found == whole("500 Internal Server Error", text, b"content-length: %d" % len(text))
    assert caplog.messages == ["the sandbox failed while it handled GET /v1/x"]
    assert "on purpose" in caplog.text


def test_the_inspector_over_a_socket() -> None:
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.base_url, trust_env=False) as http:
        page, head = http.get("/"), http.head("/_sandbox/state")
        assert (page.status_code, page.headers["content-type"], head.status_code, head.content) == (
            200,
            "text/html; charset=utf-8",
            200,
            b"",
        )
        assert {name: page.headers[name] for name in ("content-security-policy", "x-content-type-options", "referrer-policy", "cross-origin-resource-policy", "cache-control")} == {
            "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "cross-origin-resource-policy": "same-origin", "cache-control": "no-store",
        }  # fmt: skip
        wrong = http.post("/_sandbox/app.js")
        assert (wrong.status_code, wrong.headers["content-type"], wrong.text) == (
            405,
            "text/plain; charset=utf-8",
            "GET only\n",
        )
        assert (http.get("/_sandbox/").status_code, http.get("/_sandbox/../x").status_code) == (404, 404)
        about = http.get("/_sandbox/state").json()
        assert (about["base_url"], about["images_url"], about["api_key"]) == (
            sandbox.base_url,
            sandbox.images_url,
            sandbox.api_key,
        )


@pytest.mark.parametrize(
    ("method", "headers", "peer", "access", "wrong"),
    [
        ("GET", {"host": "h:1"}, "192.0.2.1", "local", "the inspector answers only this machine"), ("GET", {"host": "h:2"}, "127.0.0.1", "local", "the Host header does not name this server"), ("GET", {}, None, "local", "the Host header does not name this server"), ("GET", {"host": "H:1"}, "::1%lo", "local", ""),
        ("GET", {"host": "any"}, "192.0.2.1", "open", ""), ("POST", {"host": "any", "origin": "http://ANY"}, "192.0.2.1", "open", ""), ("POST", {"host": "h:1", "origin": "http://other"}, None, "local", "another origin may not change anything here"), ("HEAD", {"host": "h:1", "origin": "http://other"}, None, "local", ""),
        ("POST", {"host": "h:1", "origin": "http://localhost:1"}, None, "local", ""), ("POST", {"host": "any", "origin": "http://localhost:1"}, None, "open", "another origin may not change anything here"), ("DELETE", {"host": "h:1", "sec-fetch-site": "same-site"}, None, "local", "another site may not change anything here"),
        ("DELETE", {"host": "h:1", "sec-fetch-site": "none"}, None, "local", ""), ("DELETE", {"host": "h:1", "sec-fetch-site": "same-origin"}, None, "local", ""), ("POST", {"host": "h:1", "origin": "http://["}, None, "open", "another origin may not change anything here"), ("POST", {"origin": "null"}, None, "open", "another origin may not change anything here"), ("GET", {"host": "public.example"}, None, "local", ""),
    ],
)  # fmt: skip
def test_who_may_ask_the_inspector(
    method: str, headers: dict[str, str], peer: str | None, access: Any, wrong: str
) -> None:
    about = {"base_url": "https://Public.example", "images_url": "i", "api_key": "k"}
    inspector = Inspector(Sandbox().service, about, "http://H:1", access)
    path = "/_sandbox/faults" if method in ("GET", "HEAD", "DELETE") else "/_sandbox/reset"
    found = inspector.answer(Request(method, path, headers=tuple(headers.items()), peer=peer))
    assert (found.status, found.body) == ((403, b'{"error":"%s"}' % wrong.encode()) if wrong else (200, found.body))


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("0.0.0.0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
    ],
)
@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
@pytest.mark.filterwarnings("ignore:the sandbox is bound")
def test_the_name_that_a_bound_address_is_shown_with(host: str, shown: str) -> None:
    sandbox = Sandbox(host=host).start()
    try:
        found = [httpx.URL(url) for url in (sandbox.base_url, sandbox.images_url)]
        assert [str(url).rpartition(":")[0] for url in found] == [f"http://{shown}"] * 2
        names = {thread.name.partition("_")[0] for thread in threading.enumerate() if "sandbox" in thread.name}
        assert names == {"seedream-sandbox"}
    finally:
        sandbox.stop()


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST", False),
        ("0.0.0.0", False),
        ("192.0.2.1", False),
        ("a.example", False),
    ],
)
def test_what_only_this_machine_can_reach(host: str, local: bool) -> None:
    assert server.is_loopback(host) == local


@pytest.mark.parametrize("peername", [("192.0.2.7", 5), ("fe80::1%eth0", 5, 0, 2), None])
@pytest.mark.parametrize("images", [False, True])
def test_a_request_as_the_service_sees_it(peername: Any, images: bool) -> None:
    """The inspector decides by the peer who may look, so that it must be the connection's own."""
    origin: Any = SimpleNamespace(service=None, images=images, images_url=lambda host: f"http://images-of-{host}")
    writer: Any = SimpleNamespace(get_extra_info={"peername": peername}.get)
    reader: Any = None
    head = h11.Request(
        method=b"post",
        target=b"HTTP://h:1/a%20b?c=%20d?e",
        headers=[(b"Host", b"Me:1"), (b"X-A", b"\xe9"), (b"x-a", b"2")],
    )
    assert connection.Connection(origin, reader, writer)._request(head) == Request(
        "POST", "/a b", "c=%20d?e", (("host", "Me:1"), ("x-a", "\xe9"), ("x-a", "2")), b"", images, "http://images-of-Me:1", peername and peername[0],
    )  # fmt: skip


def test_a_refused_client_that_goes_on_sending_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_LINGER_TIME", 0.01)
    with Sandbox(max_body=1) as sandbox:
        url = httpx.URL(sandbox.base_url)
        with socket.create_connection((url.host, url.port or 0), timeout=20) as peer:
            peer.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n" % SUBMIT.encode())
            assert peer.recv(12) == b"HTTP/1.1 413"
            running = sandbox._server
            assert running is not None
            for _ in range(400):
                if not running.connections:
                    break
                threading.Event().wait(0.02)
            assert not running.connections, "although the client has not closed"


def test_what_waits_for_a_thread_ends_with_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[dict[str, bool]] = []
    real = ThreadPoolExecutor.shutdown

    def shutdown(pool: Any, **how: bool) -> None:
        if pool._thread_name_prefix == "seedream-sandbox":
            ended.append(how)
        real(pool, **how)

    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", shutdown)
    with Sandbox() as sandbox:
        running = sandbox._server
        assert running is not None
        assert running._thread.daemon, "it does not keep a process alive that forgets to stop it"
        assert [sock.gettimeout() for sock in running._sockets] == [0.0, 0.0], "accepting never blocks the loop"
    assert ended == [{"wait": False, "cancel_futures": True}] * 2


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_a_port_takes_a_thousand_clients_at_once(monkeypatch: pytest.MonkeyPatch, host: str, family: int) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(socket, "create_server", lambda where, **more: asked.append((where, more)))
    server._bind(host, 7)
    assert asked == [((host, 7), {"family": family, "backlog": 1024})]


def test_too_many_open_files_pause_new_connections_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The listening socket is left alone for a moment, then watched again for the same origin."""
    calls: list[tuple[Any, ...]] = []

    class Loop:
        def remove_reader(self, sock: object) -> None:
            calls.append(("remove", sock))

        def add_reader(self, *words: object) -> None:
            calls.append(("add", *words))

        def call_later(self, seconds: float, act: Any, *words: object) -> None:
            calls.append((seconds,))
            act(*words)

    class Listening:
        def accept(self) -> None:
            raise OSError(errno.EMFILE, "too many open files")

    listening: Any = Listening()
    origin: Any = object()
    loop: Any = Loop()
    accept = server.Server._accept
    one: Any = type("One", (), {"_accept": lambda *_: None})()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    accept(one, listening, origin)
    assert calls[:2] == [("remove", listening), (0.2,)]
    assert (calls[2][:2], calls[2][2].__func__, calls[2][3:]) == (
        ("add", listening),
        type(one)._accept,
        (listening, origin),
    )


def test_a_server_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(server.Server, "_serve", broken)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(RuntimeError, match=r"^the sandbox did not start: on purpose$"):
        Sandbox(port=port).start()
    socket.create_server(("127.0.0.1", port)).close()  # which is free again
    monkeypatch.setattr(
        threading.Thread, "start", lambda _: (_ for _ in ()).throw(RuntimeError("can't start new thread"))
    )
    with pytest.raises(OSError, match="the machine gives no thread to serve in") as caught:
        Sandbox().start()
    assert caught.value.errno == errno.EAGAIN


EVENTS: Final = [
    "http11.send_request_headers.started",
    "http11.send_request_headers.complete",
    "http11.send_request_body.started",
    "http11.send_request_body.complete",
]


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize(
    ("fault", "events", "error"),
    [
        (None, 4, None), ("cut-accept how=fin", 4, (httpx.RemoteProtocolError, "Server disconnected without sending a response.")), ("stall-accept", 4, (httpx.ReadTimeout, "timed out")), ("cut-request after=3", 3, (httpx.WriteError, "connection reset")), ("stall-request after=3", 3, (httpx.ReadTimeout, "timed out")),
        ("cut-request after=4", 4, (httpx.ReadError, "connection reset")), ("cut-request after=4 how=fin", 4, (httpx.RemoteProtocolError, "Server disconnected without sending a response.")), ("stall-request after=4", 4, (httpx.ReadTimeout, "timed out")), ("cut-reply", 4, (httpx.RemoteProtocolError, "Server disconnected without sending a response.")), ("cut-head how=rst", 4, (httpx.ReadError, "connection reset")),
        ("garbage", 4, (httpx.RemoteProtocolError, "illegal status line")), ("stall-reply", 4, (httpx.ReadTimeout, "timed out")), ("delay seconds=5.1", 4, (httpx.ReadTimeout, "timed out")), ("delay seconds=5", 4, None), ("drip", 4, None),
    ],
)  # fmt: skip
def test_in_process_a_request_reports_the_events_of_a_socket(
    awaited: bool, fault: str | None, events: int, error: tuple[type[Exception], str] | None
) -> None:
    clock = ManualClock()
    sandbox = Sandbox(clock=clock, faults=[fault] if fault else [])
    seen: list[str] = []

    def trace(event: str, details: object) -> None:
        seen.append(event if details == {} else "wrong")

    async def awaited_trace(event: str, details: object) -> None:
        trace(event, details)

    request = httpx.Request(
        "POST",
        sandbox.base_url + SUBMIT,
        content=b"body",
        extensions={"trace": awaited_trace if awaited else trace, "timeout": {"read": 5}},
    )

    async def send() -> httpx.Response:
        return await sandbox.transport.handle_async_request(request)

    try:
        response = anyio.run(send) if awaited else sandbox.transport.handle_request(request)
        found, about = None, response.request
    except httpx.TransportError as raised:
        found, about = (type(raised), str(raised)), raised.request
    assert about is request
    assert (seen, found) == (EVENTS[:events], error)
    assert clock.time() - 1_700_000_000 == pytest.approx(
        float(fault.partition("=")[2]) if fault and "delay" in fault else 0
    )


@pytest.mark.parametrize(
    ("fault", "content", "headers"),
    [
        ("cut-body at=any after=7", NO_KEY[:7], {"content-length": str(len(NO_KEY)), "content-type": "application/json"}), ("cut-quiet at=any after=7", NO_KEY[:7], {"content-type": "application/json"}), ("cut-quiet at=any after=0", b"", {"content-type": "application/json"}),
        ("huge-reply at=any bytes=70000", NO_KEY + bytes(70_000), {"content-length": str(len(NO_KEY) + 70_000), "content-type": "application/json"}),
    ],
)  # fmt: skip
def test_in_process_a_reply_ends_where_a_fault_cuts_it(fault: str, content: bytes, headers: dict[str, str]) -> None:
    sandbox = Sandbox(faults=[fault])
    response = sandbox.transport.handle_request(httpx.Request("POST", sandbox.base_url + QUERY))
    assert dict(response.headers) == headers
    found = b""
    try:
        for block in response.stream:  # type: ignore[union-attr]  # it can be read both ways
            found += block
        ended = None
    except httpx.TransportError as error:
        ended = str(error) if error.request is response.request else "of another request"
    assert (found, ended) == (
        content,
        "Server disconnected without sending a response." if "cut-body" in fault else None,
    )


def test_in_process_only_the_two_origins_are_reached() -> None:
    sandbox = Sandbox()
    with httpx.Client(transport=sandbox.transport) as http:
        for url in ("http://127.0.0.1:3/", "https://127.0.0.1:1/", "http://other:1/"):
            with pytest.raises(
                httpx.ConnectError, match=f"only the sandbox can be reached here, not {httpx.URL(url).host}$"
            ):
                http.get(url)
        http.get(sandbox.base_url + "/v1/a%20%2Fb?c=%20d", headers={"X-One": "1"})
        http.get(sandbox.images_url + "/results/x")
        assert [(one.path, one.host) for one in sandbox.requests] == [("/v1/a /b", "api"), ("/results/x", "images")]
        assert ("x-one", "1") in sandbox.requests[0].headers


@pytest.mark.parametrize(
    ("asked", "status", "found"),
    [
        (None, 200, (0, 9)), ("bytes=0-0", 206, (0, 0)), ("bytes=9-", 206, (9, 9)), ("bytes=3-5", 206, (3, 5)), ("bytes=3-99", 206, (3, 9)), ("bytes=10-", 416, None), ("bytes=5-4", 416, None), ("bytes=-3", 200, (0, 9)), ("bytes=0-1,3-4", 200, (0, 9)), ("BYTES=0-1", 200, (0, 9)), ("bytes=" + "0" * 18 + "-", 206, (0, 9)), ("bytes=" + "0" * 19 + "-", 200, (0, 9)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("fresh", [None, True, False])
def test_a_part_of_a_picture(asked: str | None, status: int, found: tuple[int, int] | None, fresh: bool | None) -> None:
    tag = '"84d89877f0d4041efb6bf91a"'  # the first letters of the SHA-256 of what follows
    headers = [("range", asked)] if asked else []
    headers += [] if fresh is None else [("if-range", tag if fresh else '"other"')]
    reply = picture_reply(Request("GET", "/", headers=tuple(headers)), b"0123456789", "image/png")
    shown = (("content-type", "image/png"), ("etag", tag), ("accept-ranges", "bytes"), ("cache-control", "private"))
    if fresh is False:
        status, found = 200, (0, 9)
    part = {
        200: (),
        206: (("content-range", f"bytes {found and found[0]}-{found and found[1]}/10"),),
        416: (("content-range", "bytes */10"),),
    }[status]
    assert (reply.status, reply.headers) == (status, (*shown, *part))
    assert reply.body == (b"0123456789"[found[0] : found[1] + 1] if found else b"")


def test_each_request_is_reported_once(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(faults=["cut-request nth=2"])
    reported: list[tuple[int, str]] = []
    one.sandbox.service.on_record = lambda record: reported.append((record.number, record.verdict))
    one.submit()
    with pytest.raises(httpx.TransportError):
        one.submit()
    one.call(QUERY, {"taskid": "x"})
    one.call(DELETE, {"taskids": ["x"]}, headers={"X-Sandbox-Fault": "failure at=delete"})
    one.http.get(one.sandbox.images_url + "/x")
    assert reported == [(1, "accepted"), (2, "fault cut-request"), (3, "refused"), (4, "fault failure"), (5, "refused")]
