"""A caller's own transport is held to the promises of the client's connections: what it reports decides, step by step."""

# ruff: noqa: E501 -- tables read best with one case a line

import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from seedream import ConfigError, Timeouts, errors
from seedream._protocol.effects import Close, Failure, Read, Request, SendRequest
from seedream._request.encode import encode_query, encode_submission
from seedream._request.submission import check_submit
from seedream._transport.async_http import AsyncHTTP
from seedream._transport.custom import AsyncCustomTransport, CustomTransport, _Trace, _Watchdog
from seedream._transport.http import SyncHTTP
from seedream._transport.send_tracker import SendTracker
from support.clients import KEY, Both
from support.pictures import picture

LIMITS = Timeouts(connect=1.5, write=2.5, submit_read=30.0, query_read=40.0, download_read=50.0)
NEVER = float("inf")
POST, CONNECT = SimpleNamespace(method=b"POST"), SimpleNamespace(method=b"CONNECT")


class Peer:
    """The stream of an httpx transport's connection."""

    def __init__(self, address: Any = ("93.184.216.34", 443), sock: Any = None) -> None:
        self.address, self.sock = address, sock
        self.closed = 0

    def get_extra_info(self, name: str) -> Any:
        return {"server_addr": self.address, "socket": self.sock}[name]

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def connects(peer: Peer | None = None, host: str = "a.example") -> list[Any]:
    return [
        ("connection.connect_tcp.started", {"host": host}),
        ("connection.connect_tcp.complete", {"return_value": peer or Peer()}),
    ]


TLS = [("connection.start_tls.started", {}), ("connection.start_tls.complete", {"return_value": Peer(("10.0.0.1", 1))})]
HEADERS = ("http11.send_request_headers.started", {"request": POST})
BODY: tuple[str, dict[str, Any]] = ("http11.send_request_body.complete", {})
SENT = [HEADERS, ("http11.send_request_headers.complete", {}), ("http11.send_request_body.started", {}), BODY]
TUNNEL = [
    ("http11.send_request_headers.started", {"request": CONNECT}),
    ("http11.send_request_body.complete", {"request": CONNECT}),
]


def done(step: Any) -> httpx.Response | None:
    """Raise an exception, return a response, or call what can be called."""
    if isinstance(step, BaseException):
        raise step
    if not callable(step):
        return step  # type: ignore[no-any-return]  # a response
    step()
    return None


class Own(httpx.HTTPTransport, httpx.AsyncHTTPTransport):  # type: ignore[misc]  # one for both kinds
    """A transport that reports steps from a list, and answers or raises in their place."""

    def __init__(self, *steps: Any) -> None:
        self.steps, self.asked, self.closed = steps, list[httpx.Request](), 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        for step in self.steps:
            if isinstance(step, tuple):
                request.extensions["trace"](*step)
            elif (response := done(step)) is not None:
                return response
        return httpx.Response(200, content=b"{}")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        for step in self.steps:
            await anyio.lowlevel.checkpoint()
            if isinstance(step, tuple):
                await request.extensions["trace"](*step)
            elif (response := done(step)) is not None:
                return response
        return httpx.Response(200, content=b"{}")

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


class Silent(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """One that reports nothing."""

    handle_request, handle_async_request = Own.handle_request, Own.handle_async_request
    close, aclose = Own.close, Own.aclose

    def __init__(self, *steps: Any) -> None:
        self.steps, self.asked, self.closed = steps, list[httpx.Request](), 0


class Streamed(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in chunks."""

    def __init__(self, *chunks: Any) -> None:
        self._chunks = chunks
        self.closed = 0

    def __iter__(self) -> Any:
        for chunk in self._chunks:
            if callable(chunk):
                chunk()
            elif isinstance(chunk, Exception):
                raise chunk
            else:
                yield chunk

    async def __aiter__(self) -> Any:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def perform(both: Both, transport: Any, effect: Any, *, close: bool = True) -> Any:
    """Send, read to the end, close. Gives the failure, or the stream and what was read."""
    if both.kind == "sync":
        http = SyncHTTP(transport, LIMITS, both.clock, KEY)
        stream = http.perform(effect)
        if isinstance(stream, Failure):
            return stream
        chunks = [http.perform(Read(stream))]
        while chunks[-1] and not isinstance(chunks[-1], Failure):
            chunks.append(http.perform(Read(stream)))
        if close:
            http.perform(Close(stream))
        http.close()
        return stream, chunks

    async def awaiting() -> Any:
        http = AsyncHTTP(transport, LIMITS, both.clock, KEY)
        stream = await http.perform(effect)
        if isinstance(stream, Failure):
            return stream
        chunks = [await http.perform(Read(stream))]
        while chunks[-1] and not isinstance(chunks[-1], Failure):
            chunks.append(await http.perform(Read(stream)))
        await http.perform(Close(stream))
        await http.close()
        return stream, chunks

    return anyio.run(awaiting)


def post(url: str = "https://a.example/x?y=1", kind: Any = "submit", **given: Any) -> SendRequest:
    encoded = encode_query("t1")
    return SendRequest(Request("POST", url, {"Content-Type": "application/json"}, encoded.body), kind, **given)


def get(**given: Any) -> SendRequest:
    return SendRequest(Request("GET", "https://a.example/1.png"), "download", **given)


def limits_of(request: httpx.Request) -> dict[str, Any]:
    return dict(request.extensions["timeout"])


# --- what is asked -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("kind", "read"), [("submit", 30.0), ("query", 40.0), ("download", 50.0)])
@pytest.mark.parametrize("make", [Own, Silent])
def test_a_request_is_handed_over_with_its_time_limits(both: Both, make: Any, kind: Any, read: float) -> None:
    for total, limits in ((None, (1.5, 2.5, read)), (2.0, (1.5, 2.0, 2.0)), (1.0, (1.0, 1.0, 1.0))):
        transport = make(*SENT[:0])
        perform(both, transport, post(kind=kind, total_timeout=total))
        (request,) = transport.asked
        assert limits_of(request) == dict(zip(("connect", "write", "read", "pool"), (*limits, None), strict=True))
        assert (request.method, str(request.url)) == ("POST", "https://a.example/x?y=1")
        assert ("trace" in request.extensions, transport.closed) == (make is Own, 1)
        fields = dict(request.headers)
        assert fields.get("connection") == ("close" if make is Own else None)
        assert (fields["host"], fields["content-length"], fields["content-type"]) == (
            "a.example",
            "15",
            "application/json",
        )


def test_a_body_can_be_read_again_and_a_download_has_none(both: Both, tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(picture())
    encoded = encode_submission(check_submit("a fish", {"source_images": source}))
    transport = Silent()
    perform(
        both, transport, SendRequest(Request("POST", "https://a.example/x", encoded.headers, encoded.body), "submit")
    )
    stream: Any = transport.asked[0].stream

    async def read() -> bytes:
        return b"".join([chunk async for chunk in stream])

    expected = b"".join(encoded.body.chunks())
    assert [b"".join(stream), b"".join(stream), anyio.run(read)] == [expected] * 3
    transport = Silent()
    perform(both, transport, get())
    assert transport.asked[0].read() == b""


# --- how far a request got -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("steps", "phase", "begun"),
    [
        ([], "never_sent", 0),
        ([("connection.connect_tcp.started", {"host": "a.example"})], "never_sent", 0),
        ([*connects(), *TLS], "never_sent", 0),
        ([*connects(host="proxy.example"), *TUNNEL], "never_sent", 0),
        ([*connects(), HEADERS], "sent_partial", 1),
        ([*connects(), *SENT[:3]], "sent_partial", 1),
        ([*connects(), *SENT], "sent_full", 1),
        ([*connects(host="proxy.example"), *TUNNEL, *TLS, *SENT], "sent_full", 1),
    ],
    ids=lambda value: f"{len(value)} steps" if isinstance(value, list) else str(value),
)  # fmt: skip
def test_what_a_transport_reports_says_how_far_a_request_got(
    both: Both, steps: list[Any], phase: str, begun: int
) -> None:
    """Whatever it raises: a read error after the first byte of the head is no proof that the rest left."""
    calls: list[int] = []
    error = httpx.ConnectError("x") if len(steps) < 2 else httpx.ReadError("x")
    failure = perform(both, Own(*steps, error), post(before_send=lambda: calls.append(1)))
    assert (failure.phase, failure.kind, len(calls)) == (phase, type(error).__name__, begun)


@pytest.mark.parametrize("make", [Own, Silent])
def test_without_a_report_the_error_s_class_decides(both: Both, make: Any) -> None:
    for error, phase in (
        (httpx.ConnectError("x"), "never_sent"),
        (httpx.WriteError("x"), "sent_partial"),
        (httpx.ReadError("x"), "sent_full"),
    ):
        calls: list[int] = []
        failure = perform(both, make(error), post(before_send=lambda calls=calls: calls.append(1)))
        assert failure.phase == phase
        assert len(calls) == (1 if make is Silent or phase != "never_sent" else 0)


def test_before_send_runs_before_the_first_byte_and_once(both: Both) -> None:
    order: list[str] = []
    steps = [
        *connects(host="proxy.example"),
        *TUNNEL,
        lambda: order.append("tunnel"),
        HEADERS,
        lambda: order.append("head"),
        *SENT[1:],
    ]
    effect = post(before_send=lambda: order.append("begin"))
    perform(both, Own(*steps), effect)
    assert order == ["tunnel", "begin", "head"]
    order.clear()
    perform(both, Silent(lambda: order.append("called")), effect)
    assert order == ["begin", "called"]
    order.clear()
    stream, _ = perform(both, Own(lambda: order.append("a mock in its place")), effect)
    assert (order, stream.status) == (["a mock in its place", "begin"], 200)


@pytest.mark.parametrize("steps", [[*connects(), *SENT], []])
@pytest.mark.parametrize("make", [Own, Silent])
def test_what_before_send_raises_stops_the_request(both: Both, make: Any, steps: list[Any]) -> None:
    ours = errors.JournalFull("no room")
    reached: list[int] = []

    def refuse() -> None:
        raise ours

    given = [*(steps[:3] if make is Own else []), lambda: reached.append(1)]
    with pytest.raises(errors.JournalFull) as caught:
        perform(both, make(*given), post(before_send=refuse))
    assert caught.value is ours
    assert reached == ([1] if make is Own and not steps else [])


@pytest.mark.parametrize("again", [True, False])
def test_a_submission_that_is_sent_again_by_the_transport_is_stopped(both: Both, again: bool) -> None:
    steps = [*connects(), *SENT, *connects(), HEADERS]
    effect = post(before_send=lambda: None) if again else post()
    ended = perform(both, Own(*steps), effect)
    if again:
        assert (ended.phase, ended.kind) == ("sent_full", "RuntimeError")
        assert ended.text == "the transport tried to send a submission again by itself"
    else:
        assert ended[0].status == 200


# --- the peer's address --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (("10.0.0.1", 443), "10.0.0.1"), (("127.0.0.1", 443), "127.0.0.1"), (("fe80::1%eth0", 443, 0, 2), "fe80::1"), (None, "(unknown)"),
        (("::ffff:10.0.0.1", 443, 0, 0), "::ffff:10.0.0.1"),
    ],
)  # fmt: skip
def test_a_peer_in_a_private_network_is_refused_and_its_connection_closed(both: Both, address: Any, shown: str) -> None:
    peer = Peer(address)
    with pytest.raises(errors.UnsafeUrl) as caught:
        perform(both, Own(*connects(peer), *SENT, AssertionError("nothing is to be sent")), get(public_only=True))
    assert caught.value.message == f"the image host's address {shown} is not on the public network"
    assert (
        caught.value.hint == "A public service's reply must not point into a private network; nothing was sent there."
    )
    assert peer.closed == 1


@pytest.mark.parametrize(
    "steps",
    [
        connects(Peer(("93.184.216.34", 443))), connects(Peer(("2606:2800:220:1::1", 443, 0, 0))),
        connects(Peer(("10.0.0.1", 443)), host="proxy.example"), [*connects(), *TLS],
        [("connection.connect_tcp.started", {"host": "proxy.example"}), ("x.start_tls.started", {"host": "a.example"}),
         ("connection.connect_tcp.complete", {"return_value": Peer(("10.0.0.1", 1))})],
    ],
    ids=len,
)  # fmt: skip
def test_a_public_peer_or_a_proxy_is_not_refused(both: Both, steps: list[Any]) -> None:
    stream, _ = perform(both, Own(*steps, *SENT), get(public_only=True))
    assert stream.status == 200
    private = connects(Peer(("10.0.0.1", 443)))
    assert perform(both, Own(*private, *SENT), get())[0].status == 200


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://A.Example/1", "a.example"), ("https://bücher.example/1", "xn--bcher-kva.example"), ("https://[2001:db8::1]:8/1", "2001:db8::1"),
        ("https://cdn.example/1", "cdn.example"), ("https://cdn.example:8443/1", "cdn.example"),
    ],
)  # fmt: skip
def test_the_host_of_a_url_is_recognised_however_it_is_written(both: Both, url: str, host: str) -> None:
    """Otherwise its connection would count as one to a proxy, whose address may be private."""
    effect = SendRequest(Request("GET", url), "download", public_only=True)
    with pytest.raises(errors.UnsafeUrl):
        perform(both, Own(*connects(Peer(("10.0.0.1", 443)), host=host), *SENT), effect)


def test_a_transport_that_never_says_that_it_connects_is_not_through_a_proxy(both: Both) -> None:
    with pytest.raises(errors.UnsafeUrl):
        perform(both, Own(connects(Peer(("10.0.0.1", 443)))[1]), get(public_only=True))


# --- replies and their time ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("make", [Own, Silent])
def test_a_reply_is_read_as_it_came(both: Both, make: Any) -> None:
    body = Streamed(b"\x1f\x8bab", b"c")
    reply = httpx.Response(201, headers={"Content-Encoding": "gzip", "X": "1"}, stream=body)
    stream, chunks = perform(both, make(reply), post())
    assert (stream.status, stream.headers, chunks) == (
        201,
        {"content-encoding": "gzip", "x": "1"},
        [b"\x1f\x8bab", b"c", b""],
    )
    assert (body.closed, stream.tracker.phase) == (1, "sent_full")
    _, chunks = perform(both, make(httpx.Response(200, content=b"read already")), post())
    assert chunks == [b"read already", b""]
    _, (first, failure) = perform(
        both, make(httpx.Response(200, stream=Streamed(b"a", httpx.ReadError("cut")))), post()
    )
    assert (first, failure.phase, failure.kind) == (b"a", "sent_full", "ReadError")


@pytest.mark.parametrize("make", [Own, Silent])
def test_a_reply_that_comes_too_late_is_a_timeout(both: Both, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead, real = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + ahead[0])

    def pass_(seconds: float) -> Any:
        return lambda: ahead.__setitem__(0, ahead[0] + seconds)

    for seconds, late in ((25.0, False), (31.0, True)):
        body = Streamed(b"a", pass_(seconds), b"b")
        _, chunks = perform(both, make(httpx.Response(200, stream=body)), post())
        if late:
            assert (chunks[0], chunks[1].kind, chunks[1].text) == (
                b"a",
                "ReadTimeout",
                "the reply did not come in time",
            )
        else:
            assert chunks == [b"a", b"b", b""]
    # Each chunk of a download has a time of its own.
    body = Streamed(pass_(45.0), b"a", pass_(45.0), b"b", pass_(45.0))
    assert perform(both, make(httpx.Response(200, stream=body)), get())[1] == [b"a", b"b", b""]
    body = Streamed(b"a", pass_(51.0), b"b")
    assert perform(both, make(httpx.Response(200, stream=body)), get())[1][1].kind == "ReadTimeout"


@pytest.mark.parametrize("transport", [object(), httpx, 5, "x", httpx.BaseTransport])
def test_a_transport_of_another_kind_is_refused(transport: Any) -> None:
    for make, wanted, client in (
        (CustomTransport, "httpx.BaseTransport", "SeeDream"),
        (AsyncCustomTransport, "httpx.AsyncBaseTransport", "AsyncSeeDream"),
    ):
        with pytest.raises(ConfigError) as caught:
            make(transport)
        assert caught.value.message == f"a {type(transport).__name__} is not a transport for {client}"
        hint = f"Give an {wanted} of httpx. For a proxy or a CA bundle no transport is needed: see proxy= and verify=."
        assert caught.value.hint == hint


# --- limits, from the events -----------------------------------------------------------------------------------------------
@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    value = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: value[0])
    return value


@pytest.mark.parametrize(
    ("kind", "total", "seconds"),
    [("submit", None, 34.0), ("query", None, 44.0), ("download", None, 54.0), ("query", 44.5, 44.0), ("query", 43.5, 43.5),
     ("query", 3.0, 3.0), ("query", 1.0, 1.0), ("download", 20.0, 20.0)],
)  # fmt: skip
@pytest.mark.usefixtures("now")
def test_what_reports_nothing_has_the_time_of_all_phases_and_no_more_than_is_left(
    kind: Any, total: float | None, seconds: float
) -> None:
    # Rule: a wait ends at its deadline, whatever the caller's transport does. A blocking one is given its limits only.
    seen: list[float] = []
    transport = Silent(lambda: seen.append(anyio.current_effective_deadline() - anyio.current_time()))
    perform(Both("async"), transport, post(kind=kind, total_timeout=total))
    assert seen == pytest.approx([seconds])


@pytest.mark.parametrize(
    ("total", "expected"),
    [(None, [1.5, 1.5, NEVER, 30.0]), (1.0, [1.0, 1.0, NEVER, 1.0]), (20.0, [1.5, 1.5, NEVER, 20.0])],
)  # fmt: skip
def test_what_reports_its_steps_has_a_limit_for_each_and_no_more_than_is_left(
    both: Both, now: list[float], monkeypatch: pytest.MonkeyPatch, total: float | None, expected: list[float]
) -> None:
    limits, seen = list[float](), list[float]()
    monkeypatch.setattr(_Watchdog, "limit", lambda _, deadline: limits.append(deadline - now[0]))
    steps = [*connects(), TLS[1], HEADERS, BODY]
    if both.kind == "async":
        steps = [
            part
            for step in steps
            for part in (step, lambda: seen.append(anyio.current_effective_deadline() - anyio.current_time()))
        ]
    perform(both, Own(*steps), post(total_timeout=total))
    if both.kind == "async":
        assert seen == pytest.approx([NEVER, *expected])
    else:
        assert limits[:4] == expected


@pytest.mark.parametrize("make", [Own, Silent])
@pytest.mark.parametrize(
    ("total", "seconds", "late"), [(1.0, 0.5, False), (1.0, 1.5, True), (None, 29.0, False), (None, 31.0, True)]
)
def test_a_reply_has_no_more_time_than_is_left_for_the_whole(
    both: Both, make: Any, now: list[float], total: float | None, seconds: float, late: bool
) -> None:
    body = Streamed(b"a", lambda: now.__setitem__(0, now[0] + seconds), b"b")
    _, (first, second, *_) = perform(both, make(httpx.Response(200, stream=body)), post(total_timeout=total))
    assert (first, second if isinstance(second, bytes) else second.kind) == (b"a", "ReadTimeout" if late else b"b")


def test_each_step_has_its_limit(now: list[float]) -> None:
    tracker, limits = SendTracker("submit", LIMITS, lambda: None), list[float]()
    trace = _Trace(tracker, "a.example", limits.append)
    now[0] = 1000.5
    assert [trace.note(*event) for event in connects()] == [False, False]
    assert (limits, tracker.watched) == ([1001.5], True)
    assert [trace.note(*event) for event in TLS] == [False, False]
    assert limits == [1001.5, 1001.5]
    assert trace.note(*HEADERS) is True
    assert tracker.sent == 0
    trace.sending()
    assert (tracker.sent, tracker.sent_in_full, limits[2:]) == (1, False, [float("inf")])
    tracker.sent = 500
    trace.sending()
    assert tracker.sent == 500
    now[0] = 1002.0
    assert [trace.note(*event) for event in SENT[1:]] == [False, False, False]
    assert (tracker.sent_in_full, limits[4:]) == (True, [1032.0])


@pytest.mark.parametrize(
    "event", [*TUNNEL, ("connection.close.complete", {}), ("http11.receive_response_headers.complete", {})]
)
def test_other_events_say_nothing_of_the_request(event: Any) -> None:
    tracker, limits = SendTracker("submit", LIMITS, lambda: None), list[float]()
    trace = _Trace(tracker, "a.example", limits.append)
    assert trace.note(*event) is False
    assert (limits, tracker.watched, tracker.sent, tracker.sent_in_full) == ([], False, 0, False)


class Socket:
    def __init__(self, error: Exception | None = None) -> None:
        self.shut = threading.Event()
        self.how: list[int] = []
        self._error = error

    def shutdown(self, how: int) -> None:
        self.how.append(how)
        self.shut.set()
        if self._error is not None:
            raise self._error


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "seedream-deadline"]


@pytest.mark.parametrize("error", [None, OSError("closed already")])
def test_a_connection_is_shut_when_its_time_is_up(error: Exception | None) -> None:
    watchdog = _Watchdog(SendTracker("submit", LIMITS), "a.example")
    sock = Socket(error)
    watchdog.trace.stream = Peer(sock=sock)
    assert gone(), "those of other tests"
    watchdog.start()
    (thread,) = threads()
    assert thread.daemon
    watchdog.limit(time.monotonic() + 3600.0)
    watchdog.limit(float("inf"))
    assert not sock.shut.is_set()
    watchdog.limit(time.monotonic() - 1.0)
    assert sock.shut.wait(20)
    thread.join(20)
    assert (sock.how, threads()) == ([socket.SHUT_RDWR], [])


@pytest.mark.parametrize("stream", [None, Peer()])
def test_without_a_connection_nothing_is_shut(stream: Any) -> None:
    watchdog = _Watchdog(SendTracker("submit", LIMITS), "a.example")
    if stream is not None:
        watchdog.trace.stream = stream
    watchdog.limit(time.monotonic() - 1.0)
    watchdog._thread = threading.current_thread()
    watchdog._watch()


def test_a_time_that_was_up_before_the_thread_began_is_noticed() -> None:
    watchdog = _Watchdog(SendTracker("submit", LIMITS), "a.example")
    sock = Socket()
    watchdog.trace.stream = Peer(sock=sock)
    watchdog.limit(time.monotonic() - 1.0)
    watchdog.start()
    assert sock.shut.wait(20)


def test_each_chunk_has_its_time_from_the_thread_too(monkeypatch: pytest.MonkeyPatch, now: list[float]) -> None:
    limits: list[float] = []
    monkeypatch.setattr(_Watchdog, "limit", lambda _, deadline: limits.append(deadline))
    reply = httpx.Response(200, stream=Streamed(b"a", lambda: now.__setitem__(0, 1010.0), b"b"))
    _, chunks = perform(Both("sync"), Own(*connects(), *SENT, reply), get())
    assert chunks == [b"a", b"b", b""]
    assert limits == [1001.5, float("inf"), 1050.0, 1050.0, 1050.0, 1060.0]


def gone() -> bool:
    for thread in threads():
        thread.join(20)
    return threads() == []


@pytest.mark.parametrize("ending", [httpx.ReadError("x"), KeyboardInterrupt(), None], ids=repr)
def test_no_thread_outlives_its_exchange(ending: BaseException | None) -> None:
    seen: list[int] = []
    assert gone(), "those of other tests"
    steps = [*connects(), lambda: seen.append(len(threads())), *([] if ending is None else [ending])]
    try:
        perform(Both("sync"), Own(*steps), post())
    except KeyboardInterrupt:
        assert isinstance(ending, KeyboardInterrupt)
    assert seen == [1]
    assert gone()
    perform(Both("sync"), Silent(lambda: seen.append(len(threads()))), post())
    assert seen == [1, 0], "what reports nothing has no connection to shut"


def test_a_chunk_that_does_not_come_ends_when_its_time_is_up() -> None:
    """The thread shuts the socket, which ends a blocking read."""
    sock = Socket()

    def stalls() -> None:
        assert sock.shut.wait(20)
        raise httpx.ReadError("shut")

    both, limits = Both("sync"), Timeouts(submit_read=0.05)
    http = SyncHTTP(
        Own(*connects(Peer(sock=sock)), *SENT, httpx.Response(200, stream=Streamed(stalls))), limits, both.clock, KEY
    )
    stream: Any = http.perform(post())
    assert http.perform(Read(stream)).kind == "ReadError"
    http.perform(Close(stream))
    assert gone()


def test_where_no_thread_can_be_started_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    transport = Own(*connects(), *SENT)
    failure = perform(Both("sync"), transport, post())
    assert (failure.phase, failure.kind, transport.asked) == ("never_sent", "RuntimeError", [])


def test_the_thread_waits_until_the_deadline_and_no_longer(now: list[float]) -> None:
    waits: list[float | None] = []
    watchdog, sock = _Watchdog(SendTracker("submit", LIMITS), "a.example"), Socket()

    class Changed:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...
        def notify(self) -> None: ...
        def wait(self, seconds: float | None) -> None:
            waits.append(seconds)
            if seconds is None:
                watchdog.limit(1000.5)
            else:
                now[0] += seconds

    watchdog.trace.stream = Peer(sock=sock)
    watchdog._watch()
    assert (waits, sock.how) == ([], []), "it was not started"
    watchdog._thread = threading.current_thread()
    watchdog._changed = Changed()  # type: ignore[assignment]  # without waiting
    watchdog._watch()
    assert (waits, sock.how) == ([None, 0.5], [socket.SHUT_RDWR])
    watchdog.stop()
    watchdog._watch()
    assert (waits, sock.how) == ([None, 0.5], [socket.SHUT_RDWR])


@pytest.mark.parametrize("make", [Own, Silent])
def test_a_body_that_does_not_come_on_ends_in_time(make: Any) -> None:
    class Stalls(Streamed):
        async def __aiter__(self) -> Any:
            yield b"a"
            await anyio.sleep(60)

    both, transport = Both("async"), make(httpx.Response(200, stream=Stalls()))

    async def main() -> Any:
        http = AsyncHTTP(transport, Timeouts(submit_read=0.5), both.clock, KEY)
        stream: Any = await http.perform(post())
        return [await http.perform(Read(stream)), await http.perform(Read(stream))]

    first, failure = anyio.run(main)
    assert (first, failure.kind, failure.text) == (b"a", "ReadTimeout", "the reply did not come in time")


def test_an_awaiting_transport_is_cancelled_when_the_whole_time_is_up() -> None:
    class Stalls(Silent):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await anyio.sleep(60)
            raise AssertionError(request)

    async def main() -> Any:
        return await AsyncHTTP(Stalls(), LIMITS, Both("async").clock, KEY).perform(post(total_timeout=0.03))

    assert anyio.run(main).kind == "ReadTimeout"


@pytest.mark.parametrize("make", [Own, Silent])
def test_an_awaiting_transport_that_does_not_answer_is_cancelled(make: Any) -> None:
    class Stalls(make):  # type: ignore[misc]  # either kind
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await super().handle_async_request(request)
            await anyio.sleep(60)
            raise AssertionError("it was to be cancelled")

    both = Both("async")
    steps = [*connects(), *SENT] if make is Own else []
    # What reports nothing is given the time of all phases together.
    limits = Timeouts(*((30.0, 30.0, 0.03) if make is Own else (0.01, 0.01, 0.03)))

    async def main() -> Any:
        return await AsyncHTTP(Stalls(*steps), limits, both.clock, KEY).perform(post())

    began = time.monotonic()
    failure = anyio.run(main)
    assert (failure.phase, failure.kind, failure.text) == ("sent_full", "ReadTimeout", "the reply did not come in time")
    assert time.monotonic() - began < 30
