"""What is handed to httpcore for each request, and what its answers mean, with connections that exist only in memory."""

# ruff: noqa: E501 -- tables read best with one case a line

import os
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import anyio
import anyio.lowlevel
import httpcore
import pytest
from seedream import ConfigError, Timeouts, errors
from seedream._protocol.effects import (
    Close,
    Failure,
    InParallel,
    Notify,
    Read,
    ReadClock,
    Request,
    RunInThread,
    SendRequest,
    Sleep,
)
from seedream._request.encode import encode_query, encode_submission
from seedream._request.submission import check_submit
from seedream._transport import connections, environment, http
from seedream._transport.async_http import AsyncHTTP
from seedream._transport.connections import Connections, Line, NetworkOptions, Server
from seedream._transport.environment import Proxies
from seedream._transport.http import SyncHTTP, _target, text_of
from seedream._transport.network import current
from seedream._version import __version__
from support.clients import KEY, Both
from support.pictures import picture

LIMITS = Timeouts(connect=1.5, write=2.5, submit_read=30.0, query_read=40.0, download_read=50.0)
STANDARD = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": f"seedream/{__version__}"}


class Chunks:
    """A reply's body for both kinds of client; an exception among the chunks is raised."""

    def __init__(self, chunks: tuple[Any, ...], closed: list[str]) -> None:
        self._chunks, self._closed = chunks, closed

    def _give(self, chunk: Any) -> bytes:
        CARRIED.append(current.get())
        if isinstance(chunk, BaseException):
            raise chunk
        return bytes(chunk)

    def __iter__(self) -> Iterator[bytes]:
        return map(self._give, self._chunks)

    async def __aiter__(self) -> Any:
        try:
            for chunk in self._chunks:
                yield self._give(chunk)
        finally:
            self._closed.append("chunks")

    def close(self) -> None:
        self._closed.append("response")

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()
        self._closed.append("response")


CARRIED: list[Any] = []  # the exchange that httpcore's calls belong to


class Carrier:
    """In place of httpcore's connections: notes what it is made with and asked for, and answers from a list."""

    made: ClassVar[list["Carrier"]] = []
    answers: ClassVar[list[Any]] = []

    def __init__(self, place: Any, **given: Any) -> None:
        self.place, self.given = place, given
        self.requests: list[httpcore.Request] = []
        self.body = b""
        self.closed = self.expired = False
        self.events: list[str] = []
        Carrier.made.append(self)

    def _answer(self) -> httpcore.Response:
        CARRIED.append(current.get())
        answer = Carrier.answers.pop(0) if len(Carrier.answers) > 1 else Carrier.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer):
            answer = answer(current.get())
        status, headers, chunks = answer
        return httpcore.Response(status, headers=headers, content=Chunks(chunks, self.events))

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        self.requests.append(request)
        self.body = b"".join(request.stream)  # type: ignore[arg-type]  # blocking
        return self._answer()

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        self.requests.append(request)
        self.body = b"".join([chunk async for chunk in request.stream])  # type: ignore[union-attr]  # awaiting
        return self._answer()

    def is_closed(self) -> bool:
        return self.closed

    def has_expired(self) -> bool:
        return self.expired


class ByHttp(Carrier):
    pass


class BySocks(Carrier):
    pass


class Backend:
    """Remembers a connection, which can be closed."""

    def __init__(self) -> None:
        self.closed = 0
        self.connection = self

    def close(self) -> None:
        self.closed += 1


TRUSTED = ssl.create_default_context()


@pytest.fixture(autouse=True)
def _nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(connections, "tls_context", lambda verify: verify or TRUSTED)  # loading it takes long
    Carrier.made, Carrier.answers = [], [(200, [], (b"{}",))]
    CARRIED.clear()
    yield
    Carrier.made = []


IN_MEMORY: Any = {"_carriers": (Carrier, ByHttp, BySocks), "_backend": Backend}
Sync, Async = type("Sync", (SyncHTTP,), IN_MEMORY), type("Async", (AsyncHTTP,), IN_MEMORY)


class Driver:
    """Both drivers behind one interface."""

    def __init__(self, both: Both, **options: Any) -> None:
        headers = options.pop("headers", None)
        kind: Any = Sync if both.kind == "sync" else Async
        self.http = kind(None, LIMITS, both.clock, KEY, headers, NetworkOptions(**options))
        self._awaits = both.kind == "async"

    def _call(self, function: Any, *given: Any) -> Any:
        run: Any = anyio.run
        return run(function, *given) if self._awaits else function(*given)

    def __call__(self, effect: Any) -> Any:
        return self._call(self.http.perform, effect)

    def close(self) -> None:
        self._call(self.http.close)

    def whole(self, effect: Any) -> tuple[Any, list[Any]]:
        """Send, read to the end, close: in one event loop where there is one. Gives the stream and the chunks."""

        def blocking() -> tuple[Any, list[Any]]:
            stream = self.http.perform(effect)
            chunks = [self.http.perform(Read(stream))]
            while chunks[-1] and not isinstance(chunks[-1], Failure):
                chunks.append(self.http.perform(Read(stream)))
            self.http.perform(Close(stream))
            return stream, chunks

        async def awaiting() -> tuple[Any, list[Any]]:
            stream = await self.http.perform(effect)
            chunks = [await self.http.perform(Read(stream))]
            while chunks[-1] and not isinstance(chunks[-1], Failure):
                chunks.append(await self.http.perform(Read(stream)))
            await self.http.perform(Close(stream))
            return stream, chunks

        return self._call(awaiting) if self._awaits else blocking()


def query(url: str = "https://api.example/v1/x?y=1", **given: Any) -> SendRequest:
    encoded = encode_query("t1")
    return SendRequest(Request("POST", url, {**encoded.headers, "X-Own": "1"}, encoded.body), "query", **given)


def submission(url: str = "https://api.example/v1/x", **given: Any) -> SendRequest:
    encoded = encode_submission(check_submit("a fish", {}))
    return SendRequest(Request(encoded.method, url, encoded.headers, encoded.body), "submit", **given)


def download(url: str = "https://cdn.example/1.png?sig=x", headers: Any = None, **given: Any) -> SendRequest:
    return SendRequest(Request("GET", url, headers or {}), "download", **given)


def header_fields(request: httpcore.Request) -> dict[str, str]:
    assert len({name.lower() for name, _ in request.headers}) == len(request.headers)
    return {name.decode(): value.decode() for name, value in request.headers}


# --- what is sent --------------------------------------------------------------------------------------------------------
def test_a_query_is_handed_over_whole(both: Both) -> None:
    Driver(both, headers={"X-Gateway": "g", "user-agent": "mine", "X-Own": "the caller's"}).whole(query())
    (carrier,) = Carrier.made
    (request,) = carrier.requests
    assert (request.method, bytes(request.url)) == (b"POST", b"https://api.example/v1/x?y=1")
    assert header_fields(request) == {
        "Host": "api.example", "Accept": "*/*", "Accept-Encoding": "identity", "X-Gateway": "g", "user-agent": "mine",
        "Content-Type": "application/json", "X-Own": "1", "Content-Length": "15",
    }  # fmt: skip
    assert carrier.body == b'{"taskid":"t1"}'
    assert request.extensions == {"timeout": {"pool": 1.5}}
    assert carrier.place == httpcore.Origin(b"https", b"api.example", 443)


def test_a_download_carries_no_header_of_the_caller_s(both: Both) -> None:
    headers = {"Range": "bytes=4-"}
    Driver(both, headers={"X-Gateway": "g", "Accept": "text/html"}).whole(
        download("https://cdn.example:8443/1", headers)
    )
    (request,) = Carrier.made[0].requests
    assert header_fields(request) == {"Host": "cdn.example:8443", **STANDARD, "Range": "bytes=4-"}
    assert (request.method, Carrier.made[0].body) == (b"GET", b"")


def test_a_submission_asks_the_server_to_close_unless_connections_are_kept(both: Both) -> None:
    Driver(both).whole(submission())
    Driver(both, reuse_submit_connections=9.0).whole(submission())
    closing, kept = (header_fields(carrier.requests[0]) for carrier in Carrier.made)
    assert closing.pop("Connection") == "close"
    assert closing.keys() == kept.keys() == {"Host", *STANDARD, "Content-Type", "Content-Length"}
    assert int(kept["Content-Length"]) == len(Carrier.made[1].body)
    assert [carrier.given["keepalive_expiry"] for carrier in Carrier.made] == [0.0, 9.0]


def test_a_form_with_a_file_is_sent_in_chunks(both: Both, tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(picture())
    encoded = encode_submission(check_submit("a fish", {"source_images": source}))
    Driver(both).whole(SendRequest(Request("POST", "https://a.example/", encoded.headers, encoded.body), "submit"))
    assert Carrier.made[0].body == b"".join(encoded.body.chunks())
    assert picture() in Carrier.made[0].body


def test_a_source_image_that_is_gone_is_found_before_a_connection_is_made(both: Both, tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(picture())
    encoded = encode_submission(check_submit("a fish", {"source_images": source}))
    source.unlink()
    failure = Driver(both)(SendRequest(Request("POST", "https://a.example/", encoded.headers, encoded.body), "submit"))
    assert (failure.phase, failure.kind, Carrier.made) == ("never_sent", "FileNotFoundError", [])


@pytest.mark.parametrize(
    ("url", "server", "host"),
    [
        ("https://api.example/x", ("https", "api.example", 443), "api.example"),
        ("https://api.example:443/x", ("https", "api.example", 443), "api.example"),
        ("https://api.example:8443/x", ("https", "api.example", 8443), "api.example:8443"),
        ("http://127.0.0.1/x", ("http", "127.0.0.1", 80), "127.0.0.1"),
        ("http://127.0.0.1:80/x", ("http", "127.0.0.1", 80), "127.0.0.1"),
        ("http://127.0.0.1:443/x", ("http", "127.0.0.1", 443), "127.0.0.1:443"),
        ("HTTPS://API.Example/x", ("https", "api.example", 443), "api.example"),
        ("HTTP://API.Example:81/x y", ("http", "api.example", 81), "api.example:81"),
        ("https://[2001:DB8::1]:44/x", ("https", "2001:db8::1", 44), "[2001:DB8::1]:44"),
        ("https://bücher.example/x", ("https", "xn--bcher-kva.example", 443), "xn--bcher-kva.example"),
        ("https://a.example:65535/x", ("https", "a.example", 65535), "a.example:65535"),
    ],
)  # fmt: skip
def test_a_url_says_which_server_is_meant(url: str, server: tuple[str, str, int], host: str) -> None:
    target = _target(url)
    assert (target.server, target.host_header) == (Server(*server), host)


def test_a_url_of_no_known_scheme_has_no_port() -> None:
    assert _target("ftp://a.example/x").server == Server("ftp", "a.example", 0)


@pytest.mark.parametrize("url", ["https://a\0b/x", "https://a.example:x/"])
def test_a_url_that_cannot_be_is_never_sent(both: Both, url: str) -> None:
    failure = Driver(both)(query(url))
    assert isinstance(failure, Failure)
    assert (failure.phase, Carrier.made) == ("never_sent", [])


def test_headers_are_read_by_their_names_in_lower_case_and_joined() -> None:
    fields = [(b"ETag", b'"a"'), (b"Link", b"1"), (b"LINK", b"2"), (b"link", b"3"), (b"x\xff", b"\xc3\xa9\xff")]
    assert text_of(fields) == {"etag": '"a"', "link": "1, 2, 3", "x�": "é\udcff"}


# --- what comes ----------------------------------------------------------------------------------------------------------
def test_a_reply_is_read_chunk_by_chunk_and_closed(both: Both) -> None:
    Carrier.answers = [(206, [(b"ETag", b'"v"')], (b"ab", b"c"))]
    driver = Driver(both)
    stream, chunks = driver.whole(download())
    assert (stream.status, stream.headers, chunks) == (206, {"etag": '"v"'}, [b"ab", b"c", b""])
    (carrier,) = Carrier.made
    assert carrier.events[-1:] == ["response"]
    assert "chunks" in carrier.events or both.kind == "sync"
    tracker = stream.tracker
    assert CARRIED == [tracker] * 3
    assert current.get(None) is None
    assert (tracker.kind, tracker.phase, tracker.secret) == ("download", "sent_full", KEY)


@pytest.mark.parametrize("kind", ["submit", "query", "download"])
def test_the_tracker_knows_the_request(both: Both, kind: str) -> None:
    calls: list[str] = []
    given: Any = {"before_send": lambda: calls.append("begin"), "total_timeout": 7.5, "public_only": True}
    make: Any = {"submit": submission, "query": query, "download": download}[kind]
    stream, _ = Driver(both).whole(make(**given))
    tracker = stream.tracker
    assert (tracker.kind, tracker.timeouts, tracker.public_only, tracker.secret) == (kind, LIMITS, True, KEY)
    assert (tracker.total_timeout, tracker.tls_layers, tracker.handed_over) == (7.5, 1, True)
    assert calls == ["begin"], "httpcore was replaced by what reports nothing"
    plain, _ = Driver(both).whole(make("http://127.0.0.1/"))
    assert (plain.tracker.tls_layers, plain.tracker.total_timeout) == (0, None)


def test_each_read_of_a_download_has_its_own_time_and_a_reply_one_for_all(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines: list[float] = []
    now = [1000.0]

    def later(chunk: Any) -> bytes:
        deadlines.append(current.get().reply_deadline)
        now[0] += 10.0
        return bytes(chunk)

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(Chunks, "_give", lambda _, chunk: later(chunk))
    if both.kind == "async":
        return  # its event loop reads the clock too
    Carrier.answers = [(200, [], (b"a", b"b"))]
    for effect, expected in ((download(), [1050.0, 1060.0]), (query(), [1060.0, 1060.0])):
        Driver(both).whole(effect)
        assert deadlines == expected
        deadlines.clear()


@pytest.mark.parametrize("kind", ["submit", "query", "download"])
@pytest.mark.parametrize(
    ("raised", "phase"),
    [
        (httpcore.ReadError("reset"), "sent_full"), (httpcore.WriteError("reset"), "sent_partial"),
        (httpcore.ConnectError("reset"), "never_sent"), (ValueError("reset"), "sent_full"),
    ],
)  # fmt: skip
def test_what_httpcore_raises_is_a_failure_and_its_connection_is_closed(
    both: Both, kind: str, raised: Exception, phase: str
) -> None:
    Carrier.answers = [raised]
    make = {"submit": submission, "query": query, "download": download}[kind]
    begun: list[int] = []
    driver = Driver(both)
    failure = driver(make(before_send=lambda: begun.append(1)))
    assert (failure.phase, failure.kind, failure.text) == (phase, type(raised).__name__, "reset")
    (carrier,) = Carrier.made
    backend = carrier.given["network_backend"]
    assert (backend.closed, begun) == (1, [1] if phase != "never_sent" else [])
    assert current.get(None) is None


def test_a_failure_does_not_show_the_key(both: Both) -> None:
    class Body:
        content, length = b"x", 1

        def check(self) -> None:
            raise OSError("no MARKER here")

    Carrier.answers = [ValueError("no MARKER here")]
    body: Any = Body()
    unready = SendRequest(Request("POST", "https://a.example/", {}, body), "query")
    for effect, phase in ((query(), "sent_full"), (unready, "never_sent")):
        failure = Driver(both)(effect)
        assert (failure.phase, failure.text) == (phase, "no [removed] here"), "a part of the key"


def test_the_url_of_a_picture_is_not_kept_in_memory(both: Both) -> None:
    http._api_target.cache_clear()
    before = http._api_target.cache_info()
    Driver(both).whole(download("https://cdn.example/1?sig=only-here"))
    assert http._api_target.cache_info() == before
    Driver(both).whole(query("https://api.example/only-here"))
    assert http._api_target.cache_info().misses == 1


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), SystemExit()], ids=repr)
def test_an_interruption_closes_the_connection_and_goes_on(both: Both, raised: BaseException) -> None:
    Carrier.answers = [raised]
    driver = Driver(both)
    with pytest.raises(type(raised)):
        driver(query())
    assert Carrier.made[0].given["network_backend"].closed == 1
    driver.close()
    assert current.get(None) is None


def test_an_interruption_before_a_connection_is_chosen_closes_none(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Connections, "take", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Driver(both)(query())


def test_an_error_of_before_send_is_raised_as_it_is(both: Both) -> None:
    ours = errors.JournalFull("no room")

    def refuse() -> None:
        raise ours

    with pytest.raises(errors.JournalFull) as caught:
        Driver(both)(submission(before_send=refuse))
    assert caught.value is ours
    assert Carrier.made[0].given["network_backend"].closed == 1


def test_a_reply_that_breaks_is_a_failure(both: Both) -> None:
    Carrier.answers = [(200, [], (b"a", httpcore.ReadError("reset")))]
    _, (first, failure) = Driver(both).whole(query())
    assert (first, failure.phase, failure.kind, failure.text) == (b"a", "sent_full", "ReadError", "reset")
    assert current.get(None) is None


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_a_reply_is_closed_although_its_task_is_cancelled(library: str) -> None:
    driver = Driver(Both("async"))

    async def main() -> Any:
        stream = await driver.http.perform(query())
        await driver.http.perform(Read(stream))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await driver.http.perform(Close(stream))

    anyio.run(main, backend=library)
    assert Carrier.made[0].events == ["chunks", "response"]
    driver.http._connections.close()
    assert Carrier.made[0].given["network_backend"].closed == 1, "it had been given back"


def test_a_stream_can_be_aborted(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, _ = Driver(both).whole(query())
    aborted: list[Any] = []

    def abort(tracker: Any) -> None:
        aborted.append(tracker)

    monkeypatch.setattr(type(stream.tracker), "abort", abort)
    stream.abort()
    assert aborted == [stream.tracker]


# --- other effects -------------------------------------------------------------------------------------------------------
def test_other_effects_are_carried_out(both: Both) -> None:
    driver = Driver(both)
    assert driver(Sleep(2.5)) is None
    assert (both.clock.slept, driver(ReadClock())) == ([2.5], 1002.5)
    here = threading.get_ident()
    in_thread = both.kind == "async"
    assert driver(RunInThread(lambda: threading.get_ident() != here)) is in_thread
    called: list[bool] = []
    driver(submission(before_send=lambda: called.append(threading.get_ident() != here)))
    Carrier.answers = [httpcore.ReadError("x")]
    driver(submission(before_send=lambda: called.append(threading.get_ident() != here)))
    assert called == [in_thread] * 2, "a slow disk holds up no other task"
    seen: list[Any] = []
    assert driver(Notify(seen.append, "event")) is None

    async def awaited(event: Any) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(f"awaited {event}")

    if both.kind == "async":
        driver(Notify(awaited, "event"))
    assert seen == ["event", "awaited event"][: 1 + (both.kind == "async")]
    name = "run_sync" if both.kind == "sync" else "run_async"
    with pytest.raises(TypeError) as caught:
        driver(InParallel([], 1))
    assert str(caught.value) == f"{name} runs workflows in parallel itself"


def test_a_closed_client_sends_nothing(both: Both) -> None:
    driver = Driver(both)
    driver.close()
    with pytest.raises(ConfigError) as caught:
        driver(query())
    assert (caught.value.message, caught.value.hint) == ("the client is closed", "Make a new one, or close it later.")
    assert Carrier.made == []


# --- which connection ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("make", "kept"), [(query, True), (download, True), (submission, False)])
def test_a_connection_is_given_back_when_its_reply_is_closed(both: Both, make: Any, kept: bool) -> None:
    driver = Driver(both)
    for _ in range(3):
        driver.whole(make())
    assert len(Carrier.made) == (1 if kept else 3)
    closed = [carrier.given["network_backend"].closed for carrier in Carrier.made]
    assert closed == ([0] if kept else [1, 1, 1])
    driver.close()
    assert [carrier.given["network_backend"].closed for carrier in Carrier.made] == ([1] if kept else [1, 1, 1])


def pool(**options: Any) -> Connections:
    return Connections(NetworkOptions(**options), (Carrier, ByHttp, BySocks), Backend)


A = Server("https", "a.example", 443)


@pytest.mark.parametrize(
    "other",
    [
        ("download", A, "asyncio"), ("submit", A, "asyncio"), ("query", Server("https", "b.example", 443), "asyncio"),
        ("query", Server("http", "a.example", 443), "asyncio"), ("query", Server("https", "a.example", 444), "asyncio"),
        ("query", A, "trio"), ("query", A, ""),
    ],
    ids=["download", "submit", "other host", "other scheme", "other port", "other library", "no library"],
)  # fmt: skip
def test_a_connection_is_used_again_only_for_the_same_kind_server_and_library(other: Any) -> None:
    kept = pool()
    line = kept.take("query", A, "asyncio")
    assert kept.take("query", A, "asyncio") is not line, "it is in use"
    kept.give_back(line)
    assert kept.take(*other) is not line
    assert kept.take("query", A, "asyncio") is line
    plain = kept.take("query", A)
    kept.give_back(plain)
    assert kept.take("query", A, "") is plain


def test_the_connection_that_was_used_last_is_taken_first_and_a_stale_one_is_closed() -> None:
    kept = pool()
    lines = [kept.take("query", A) for _ in range(3)]
    for line in lines:
        kept.give_back(line)
    lines[2].carrier.expired = True
    assert kept.take("query", A) is lines[1]
    assert [line.backend.closed for line in lines] == [0, 0, 1]


@pytest.mark.parametrize("old", [0, 1, 2, 3])
def test_what_was_idle_for_too_long_is_closed_and_nothing_else(monkeypatch: pytest.MonkeyPatch, old: int) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    kept = pool()
    times = [*(1000.0 + number for number in range(old)), 1030.0, 1063.0]
    lines = [kept.take("query", A) for _ in times]
    for line, at in zip(lines, times, strict=True):
        now[0] = at
        kept.give_back(line)
    assert [line.backend.closed for line in lines] == [1] * old + [0, 0]
    assert [line.idle_since for line in lines] == times
    assert [kept.take("query", A) for _ in range(2)] == lines[:-3:-1]


def test_only_so_many_connections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    kept = pool()
    lines = [kept.take("query", A) for _ in range(67)]
    for line in lines:
        kept.give_back(line)
    assert [line.backend.closed for line in lines] == [1] * 3 + [0] * 64


def test_a_closed_connection_is_not_kept() -> None:
    kept = pool()
    line = kept.take("query", A)
    line.carrier.closed = True
    kept.give_back(line)
    assert (line.backend.closed, kept.take("query", A) is line) == (1, False)


def test_connections_that_come_back_to_a_closed_client_are_closed() -> None:
    kept = pool()
    idle, busy = kept.take("query", A), kept.take("query", A)
    kept.give_back(idle)
    kept.close()
    assert (idle.backend.closed, busy.backend.closed, kept.closed) == (1, 0, True)
    kept.give_back(busy)
    assert busy.backend.closed == 1
    assert kept.take("query", A) not in (idle, busy)


def test_a_line_without_a_connection_can_be_closed() -> None:
    line = pool().take("query", A)
    line.backend.connection = None
    line.close()
    assert line.backend.closed == 0


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [("query", 0.0), ("query", 9.0), ("download", 0.0), ("submit", 0.0), ("submit", 0.5), ("submit", 9.0)],
)
def test_for_how_long_a_connection_is_kept(kind: Any, seconds: float) -> None:
    kept = pool(reuse_submit_connections=seconds)
    line = kept.take(kind, A)
    assert line.carrier.given["keepalive_expiry"] == (seconds if kind == "submit" else 60.0)
    assert kept.keeps(kind) is (kind != "submit" or seconds > 0)
    kept.give_back(line)
    assert (kept.take(kind, A) is line) is kept.keeps(kind)


@pytest.mark.parametrize("kind", ["submit", "query", "download"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "proxy", [None, "http://me:pw@proxy.example:3128", "https://proxy.example", "socks5://me:pw@proxy.example"]
)
@pytest.mark.parametrize("seconds", [0.0, 9.0])
def test_how_a_connection_is_made(
    monkeypatch: pytest.MonkeyPatch, kind: Any, scheme: str, proxy: str | None, seconds: float
) -> None:
    """TLS for each https server and each https proxy, always with the one context that checks certificates."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "socksio" or None)
    context = ssl.create_default_context()
    kept = pool(verify=context, proxy=proxy, reuse_submit_connections=seconds)
    server = Server(scheme, "a.example", 99)
    line = kept.take(kind, server)
    carrier, expiry = line.carrier, seconds if kind == "submit" else 60.0
    tls = scheme == "https"
    given = {"ssl_context": context if tls else None, "keepalive_expiry": expiry, "network_backend": line.backend}
    assert line.key == (kind, server, "")
    if proxy is None:
        assert (type(carrier), carrier.place) == (Carrier, httpcore.Origin(scheme.encode(), b"a.example", 99))
        assert (carrier.given, line.proxied, line.tls_layers) == (given, False, int(tls))
        return
    given |= {"max_connections": 1, "max_keepalive_connections": 1 if expiry else 0}
    given["proxy_auth"] = (b"me", b"pw") if "me" in proxy else None
    layered = proxy.startswith("https")
    given["ssl_context"] = context if tls or layered else None
    place = {
        "http:": "http://proxy.example:3128",
        "https": "https://proxy.example:443",
        "socks": "socks5://proxy.example:1080",
    }
    if not proxy.startswith("socks"):
        given["proxy_ssl_context"] = context if layered else None
    assert (type(carrier), carrier.place) == (BySocks if proxy.startswith("socks") else ByHttp, place[proxy[:5]])
    assert (carrier.given, line.proxied, line.tls_layers) == (given, True, tls + layered)


def test_a_proxy_s_pool_is_neither_closed_nor_stale() -> None:
    """It makes its connection again by itself."""
    kept = pool(proxy="http://proxy.example")
    line = kept.take("query", A)
    line.carrier.closed = line.carrier.expired = True
    kept.give_back(line)
    assert kept.take("query", A) is line
    assert line.backend.closed == 0


def test_through_a_proxy_the_peer_s_address_is_not_the_host_s(both: Both) -> None:
    stream, _ = Driver(both, proxy="http://proxy.example").whole(download(public_only=True))
    assert stream.tracker.public_only is False
    assert stream.tracker.tls_layers == 1
    stream, _ = Driver(both, proxy="https://proxy.example").whole(download("http://a.example/", public_only=True))
    assert (stream.tracker.public_only, stream.tracker.tls_layers) == (False, 1)


def test_which_library_runs_is_part_of_what_a_connection_belongs_to(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    real = Connections.take

    def take(self: Connections, kind: Any, server: Server, library: str = "") -> Line:
        taken.append(library)
        return real(self, kind, server, library)

    monkeypatch.setattr(Connections, "take", take)
    Driver(Both("sync"))(query())
    run: Any = anyio.run
    for backend in ("asyncio", "trio"):
        run(Driver(Both("async")).http.perform, query(), backend=backend)
    assert taken == ["", "asyncio", "trio"]


def test_certificates_are_loaded_once_and_only_where_tls_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Any] = []
    context = ssl.create_default_context()

    def load(verify: Any) -> ssl.SSLContext:
        loaded.append(verify)
        return context

    monkeypatch.setattr(connections, "tls_context", load)
    kept = pool(verify=context)
    kept.take("query", Server("http", "127.0.0.1", 80))
    assert loaded == []
    assert [kept.take("query", A).carrier.given["ssl_context"] for _ in range(2)] == [context] * 2
    assert loaded == [context]


def test_what_is_set_up_wrongly_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="verify names"):
        pool(verify="/nowhere/ca.pem")
    with pytest.raises(ConfigError, match="the proxy argument"):
        pool(proxy="gopher://x")
    asked: list[Any] = []
    real = Proxies.of

    def of(self: Proxies, scheme: str, host: str, port: int) -> Any:
        asked.append((scheme, host, port))
        return real(self, scheme, host, port)

    monkeypatch.setattr(environment.Proxies, "of", of)
    pool().take("query", Server("https", "a.example", 77))
    assert asked == [("https", "a.example", 77)]


def test_connections_are_found_wherever_they_stand() -> None:
    kept = pool()
    servers = [Server("https", f"{name}.example", 443) for name in "abcd"]
    lines = [kept.take("query", server) for server in servers]
    for line in lines:
        kept.give_back(line)
    assert [kept.take("query", server) for server in servers] == lines


def test_forks_are_counted_where_the_system_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[Any] = []
    monkeypatch.setattr(os, "register_at_fork", lambda *, after_in_child: registered.append(after_in_child))
    forks = connections._Forks()
    registered[0]()
    assert (forks.count, len(registered)) == (1, 1)
    monkeypatch.delattr(os, "register_at_fork")
    assert connections._Forks().count == 0


def test_after_a_fork_the_parent_s_connections_are_closed_once() -> None:
    kept = pool()
    lines = [kept.take("query", A) for _ in range(2)]
    for line in lines:
        kept.give_back(line)
    connections._forks._forked()
    fresh = kept.take("query", A)
    assert (fresh in lines, [line.backend.closed for line in lines]) == (False, [1, 1])
    kept.give_back(fresh)
    assert kept.take("query", A) is fresh


@pytest.mark.parametrize(
    ("options", "transport", "message", "hint"),
    [
        (("ca.pem", None, 0), object(), "verify and proxy have no effect on a transport that is given", "Set them in the transport."),
        ((None, "http://p", 0), object(), "verify and proxy have no effect on a transport that is given", "Set them in the transport."),
        ((None, None, -0.1), None, "reuse_submit_connections is “-0.1”, not a number of seconds", "Give 0 or more."),
        ((None, None, True), None, "reuse_submit_connections is “True”, not a number of seconds", "Give 0 or more."),
        ((None, None, "5"), None, "reuse_submit_connections is “5”, not a number of seconds", "Give 0 or more."),
        ((None, None, float("inf")), None, "reuse_submit_connections is “inf”, not a number of seconds", "Give 0 or more."),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together_are_refused(
    options: tuple[Any, Any, Any], transport: Any, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        NetworkOptions.checked(*options, transport)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_options_are_kept_as_they_were_given() -> None:
    for seconds in (0, 5, 0.5):
        made = NetworkOptions.checked("ca.pem", "http://p", seconds, None)
        assert (made.verify, made.proxy, made.reuse_submit_connections) == ("ca.pem", "http://p", seconds)
        assert type(made.reuse_submit_connections) is float
    assert NetworkOptions.checked(None, None, 3, object()).reuse_submit_connections == 3.0
