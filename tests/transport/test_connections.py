"""Connections: how many are made and written to, by whom, and that a client can be closed at any time."""

import gc
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
import trustme
from seedream import AsyncSeeDream, ConfigError, NotSent, RetryPolicy, SeeDream, SeeDreamError, Timeouts, errors
from seedream._protocol.effects import Request, SendRequest
from seedream._request import encode
from seedream._transport import connections, network
from seedream._transport.async_http import AsyncHTTP
from seedream._transport.http import SyncHTTP
from support.clients import KEY, Both
from support.pictures import picture
from support.scripted_server import refusing_url, reply
from transport.support import ACCEPTED, RUNNING, Connection, ScriptedServer, drip, elapsed_below, keep_alive, whole


def ask(number: int) -> Any:
    """So many queries with one client, one after the other."""

    def work(client: Any) -> Any:
        if isinstance(client, SeeDream):
            return [client.query("t1") for _ in range(number)]

        async def awaited() -> list[Any]:
            return [await client.query("t1") for _ in range(number)]

        return awaited()

    return work


def submit(number: int) -> Any:
    """So many submissions with one client, one after the other."""

    def work(client: Any) -> Any:
        if isinstance(client, SeeDream):
            return [client.submit("a fish").id for _ in range(number)]

        async def awaited() -> list[Any]:
            return [(await client.submit("a fish")).id for _ in range(number)]

        return awaited()

    return work


def test_twenty_queries_share_one_connection(both: Both) -> None:
    with ScriptedServer(keep_alive(whole(RUNNING))) as server:
        both.call(ask(20), base_url=server.url)
        assert len(server.connections) == 1


def test_pictures_share_no_connection_with_queries_although_the_server_is_the_same(both: Both, tmp_path: Path) -> None:
    """No connection that carried the key carries a request for a picture."""
    seen: list[tuple[int, bool]] = []

    def act(connection: Connection) -> None:
        while not connection.stop.is_set():
            connection.request = b""
            if not connection.read_request():
                return
            for_picture = connection.request.startswith(b"GET /1.png ")
            seen.append((id(connection), for_picture))
            completed = b'{"code":1000,"msg":"","data":{"taskid":"t1","image_status":3,"url":["%s/1.png"]}}'
            connection.send(whole(picture() if for_picture else completed % server.url.encode()))

    def work(client: Any) -> Any:
        if isinstance(client, SeeDream):
            client.query("t1")
            return client.task("t1").save(tmp_path / "sync")

        async def awaited() -> Any:
            await client.query("t1")
            return await client.task("t1").save(tmp_path / "async")

        return awaited()

    with ScriptedServer(act) as server:
        both.call(work, base_url=server.url)
    for_queries = {connection for connection, for_picture in seen if not for_picture}
    for_pictures = {connection for connection, for_picture in seen if for_picture}
    assert len(for_pictures) == 1
    assert for_queries.isdisjoint(for_pictures)


def test_each_submission_has_a_connection_of_its_own_unless_reuse_is_asked_for(both: Both) -> None:
    with ScriptedServer(keep_alive(whole(ACCEPTED))) as server:
        both.call(submit(3), base_url=server.url)
        assert len(server.connections) == 3
        both.call(submit(3), base_url=server.url, reuse_submit_connections=5)
        assert len(server.connections) == 4
        both.call(submit(2), base_url=server.url, reuse_submit_connections=1e-9)
        assert len(server.connections) == 6, "an idle connection is too old for a submission"


def test_a_connection_that_the_server_closed_carries_no_submission(both: Both) -> None:
    def once(connection: Connection) -> None:
        connection.read_request()
        connection.send(whole(ACCEPTED))

    with ScriptedServer(once) as server:

        def work(client: Any) -> Any:
            if isinstance(client, SeeDream):
                first = client.submit("a fish").id
                time.sleep(0.1)
                return [first, client.submit("a fish").id]

            async def awaited() -> list[str]:
                first = (await client.submit("a fish")).id
                await anyio.sleep(0.1)
                return [first, (await client.submit("a fish")).id]

            return awaited()

        assert both.call(work, base_url=server.url, reuse_submit_connections=60) == ["t1", "t1"]


def test_a_small_submission_is_one_write_and_a_file_few(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    real = network.Connection._send_some

    def counted(self: Any, data: memoryview, deadline: Any) -> Any:
        writes.append(len(data))
        return real(self, data, deadline)

    monkeypatch.setattr(network.Connection, "_send_some", counted)
    with ScriptedServer(reply(200, ACCEPTED)) as server:
        both.call(lambda client: client.submit("a fish", batchsize=2, resolution="2K"), base_url=server.url)
        assert len(writes) == 1
        writes.clear()
        both.call(lambda client: client.submit("a fish", source_images=picture() + bytes(4096)), base_url=server.url)
        assert len(writes) == 1


def test_the_library_is_imported_without_what_only_a_client_needs() -> None:
    code = "import seedream, sys; print(sorted(sys.modules.keys() & set(sys.argv[1:])))"
    later = [
        "httpx",
        "httpcore",
        "h11",
        "anyio",
        "trio",
        "asyncio",
        "sqlite3",
        "click",
        "rich",
        "pygments",
        "seedream.cli",
    ]
    found = subprocess.run([sys.executable, "-c", code, *later], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_first_submission_does_not_load_httpx() -> None:
    # Loading httpx takes as long as all the rest of a program's start.
    code = (
        "import sys; from seedream import SeeDream; client = SeeDream('key', base_url=sys.argv[1]);"
        "print(client.submit('a fish').id, 'httpx' in sys.modules)"
    )
    with ScriptedServer(reply(200, ACCEPTED)) as server:
        done = subprocess.run([sys.executable, "-c", code, server.url], capture_output=True, text=True, check=False)
    assert (done.stdout.split()[-1:], done.stderr) == (["False"], "")


def test_uploads_are_freed_without_the_garbage_collector(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[weakref.ref[Any]] = []
    real = encode.encode_submission

    def encoded(submission: Any) -> Any:
        made = real(submission)
        bodies.append(weakref.ref(submission))
        return made

    monkeypatch.setattr("seedream._protocol.submit.encode_submission", encoded)

    def work(client: Any) -> Any:
        if isinstance(client, SeeDream):
            for _ in range(3):
                client.submit("a fish", source_images=picture())
            return [body() for body in bodies]

        async def awaited() -> list[Any]:
            for _ in range(3):
                await client.submit("a fish", source_images=picture())
            return [body() for body in bodies]

        return awaited()

    with ScriptedServer(reply(200, ACCEPTED)) as server:
        gc.collect()
        gc.disable()
        try:
            assert both.call(work, base_url=server.url) == [None] * 3
        finally:
            gc.enable()


# --- closing ----------------------------------------------------------------------------------------------------------


def test_a_closed_client_says_so(both: Both) -> None:
    with ScriptedServer(reply(200, ACCEPTED)) as server:
        kept: list[Any] = []
        both.call(kept.append, base_url=server.url)
        again = kept[0].submit if both.kind == "sync" else lambda prompt: anyio.run(kept[0].submit, prompt)
        with pytest.raises(ConfigError) as caught:
            again("a fish")
        assert caught.value.message == "the client is closed"
        assert caught.value.hint == "Make a new one, or close it later."
        assert server.requests == []
    assert both.clock.slept == []


def test_threads_submit_while_the_client_is_closed() -> None:
    # Each ends with its task or with one sentence; nothing crashes and nothing hangs.
    with ScriptedServer(keep_alive(whole(ACCEPTED))) as server:
        for _ in range(10):
            client = SeeDream(KEY, base_url=server.url, reuse_submit_connections=10)
            ends: list[Any] = []

            def work(client: SeeDream = client, ends: list[Any] = ends) -> None:
                try:
                    while True:
                        ends.append(client.submit("a fish").id)
                except SeeDreamError as failed:
                    ends.append(failed)  # noqa: B023 -- a name of this function

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            client.close()
            for thread in threads:
                thread.join(10)
                assert not thread.is_alive()
            failed = [end for end in ends if isinstance(end, SeeDreamError)]
            assert {type(error) for error in failed} <= {ConfigError}


# --- event loops ------------------------------------------------------------------------------------------------------


def test_an_async_client_works_across_event_loops_and_closes_in_any() -> None:
    with ScriptedServer(keep_alive(whole(RUNNING))) as server:
        client = AsyncSeeDream(KEY, base_url=server.url)

        async def several() -> None:
            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(client.query, "t1")

        for backend in ("asyncio", "asyncio", "trio", "asyncio"):
            anyio.run(several, backend=backend)
        anyio.run(client.close)


def test_tasks_at_the_same_time_each_get_a_reply_of_their_own() -> None:
    with ScriptedServer(keep_alive(whole(ACCEPTED))) as server:

        async def main() -> list[str]:
            found: list[str] = []
            async with AsyncSeeDream(KEY, base_url=server.url) as client, anyio.create_task_group() as group:

                async def one() -> None:
                    found.append((await client.submit("a fish")).id)

                for _ in range(64):
                    group.start_soon(one)
            return found

        for backend in ("asyncio", "trio"):
            assert anyio.run(main, backend=backend) == ["t1"] * 64


# --- a caller's own transport -----------------------------------------------------------------------------------------


def own(both: Both, **options: Any) -> Any:
    return httpx.HTTPTransport(**options) if both.kind == "sync" else httpx.AsyncHTTPTransport(**options)


def test_an_own_transport_keeps_no_connection_for_a_submission(both: Both) -> None:
    with ScriptedServer(keep_alive(whole(ACCEPTED))) as server:
        both.call(submit(3), base_url=server.url, transport=own(both))
        assert len(server.connections) == 3


@pytest.mark.parametrize(
    "action",
    [
        drip(b"HTTP/1.1 200 OK\r\nx: ", b"y"),
        drip(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"0"),
        drip(b"", b"H", every=30),
    ],
)
def test_an_own_transport_is_held_to_the_time_limits(both: Both, action: Any) -> None:
    limits = Timeouts(connect=0.3, write=0.3, submit_read=0.3)
    with ScriptedServer(action) as server, elapsed_below(1.3), pytest.raises(errors.SubmissionUnknown):
        both.call(submit(1), base_url=server.url, transport=own(both), timeouts=limits)


def test_an_own_transport_that_never_connects_has_sent_nothing(both: Both) -> None:
    with refusing_url() as url, pytest.raises(NotSent):
        both.call(submit(1), base_url=url, transport=own(both))


# --- TLS and proxies --------------------------------------------------------------------------------------------------


class TlsServer(ScriptedServer):
    """A scripted server behind TLS."""

    def __init__(self, context: ssl.SSLContext, *actions: Any) -> None:
        def wrapped(action: Any) -> Any:
            def act(connection: Connection) -> None:
                connection.sock = context.wrap_socket(connection.sock, server_side=True)
                action(connection)
                connection.sock.close()

            return act

        super().__init__(*map(wrapped, actions))
        self.url = self.url.replace("http", "https")


class Proxy(ScriptedServer):
    """An HTTP proxy that tunnels."""

    def __init__(self) -> None:
        super().__init__(_tunnel)


def _tunnel(connection: Connection) -> None:
    host, _, port = connection.read_head().split(b" ")[1].rpartition(b":")
    with socket.create_connection((host.decode(), int(port))) as server:
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        _relay(connection.sock, server)


def _relay(one: socket.socket, other: socket.socket) -> None:
    while ready := select.select([one, other], [], [], 30)[0]:
        source, target = (one, other) if one in ready else (other, one)
        data = source.recv(65536)
        while isinstance(source, ssl.SSLSocket) and source.pending():
            data += source.recv(65536)
        if not data:
            return
        target.sendall(data)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def tls_server(authority: trustme.CA) -> Iterator[TlsServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    with TlsServer(context, keep_alive(whole(ACCEPTED))) as server:
        yield server


def test_a_ca_bundle_is_an_argument(both: Both, tls_server: TlsServer, bundle: Path) -> None:
    assert both.call(submit(2), base_url=tls_server.url, verify=bundle) == ["t1", "t1"]


def test_an_unknown_authority_is_refused_and_not_tried_again(both: Both, tls_server: TlsServer) -> None:
    with pytest.raises(NotSent, match="certificate") as caught:
        both.call(submit(1), base_url=tls_server.url)
    assert not caught.value.retryable
    assert both.clock.slept == []


def test_tls_sessions_are_resumed(both: Both, tls_server: TlsServer, bundle: Path) -> None:
    resumed: list[bool] = []
    real = network.Connection.close

    def close(self: Any) -> None:
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.fileno() >= 0:
            resumed.append(bool(self.sock.session_reused))
        real(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network.Connection, "close", close)
        both.call(submit(3), base_url=tls_server.url, verify=bundle)
    assert resumed == [False, True, True]


def test_a_tls_session_is_resumed_only_with_the_host_that_gave_it(
    both: Both, authority: trustme.CA, bundle: Path
) -> None:
    # A resumed session is accepted without another look at the certificate.
    context, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=bundle)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with TlsServer(context, keep_alive(whole(ACCEPTED))) as server:
        assert both.call(submit(1), base_url=server.url, verify=trusting) == ["t1"]
        with pytest.raises(NotSent, match="certificate"):
            both.call(submit(1), base_url=server.url.replace("127.0.0.1", "localhost"), verify=trusting)
        assert len(server.requests) == 1


def test_a_proxy_carries_the_tunnel_and_never_the_request(both: Both, tls_server: TlsServer, bundle: Path) -> None:
    with Proxy() as proxy:
        ids = both.call(submit(2), base_url=tls_server.url, verify=bundle, proxy=proxy.url.replace("//", "//me:pw@"))
        assert ids == ["t1", "t1"]
        assert [request.split(b" ")[0] for request in proxy.requests] == [b"CONNECT", b"CONNECT"]
        assert all(b"Proxy-Authorization: Basic bWU6cHc=" in request for request in proxy.requests)
        assert KEY.encode() not in b"".join(proxy.requests)


@pytest.mark.parametrize(
    "action",
    [reply(407), reply(502), Connection.reset, lambda c: c.read_head(), drip(b"HTTP/1.1 200", b"x")],
    ids=["407", "502", "reset", "closed", "drips"],
)
def test_a_proxy_that_refuses_has_let_nothing_through(both: Both, action: Any, tls_server: TlsServer) -> None:
    limits = Timeouts(connect=0.3)
    with ScriptedServer(action) as proxy, elapsed_below(4 * 0.3 + 2), pytest.raises(NotSent):
        both.call(submit(1), base_url=tls_server.url, proxy=proxy.url, timeouts=limits)
    assert tls_server.requests == []


@pytest.fixture
def tls_proxy(authority: trustme.CA) -> Iterator[TlsServer]:
    """A proxy that is itself reached through TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with TlsServer(context, _tunnel) as proxy:
        yield proxy


def test_tls_runs_through_tls_to_a_proxy(both: Both, tls_server: TlsServer, tls_proxy: TlsServer, bundle: Path) -> None:
    # Large enough that no socket takes it at once, so the inner layer waits for room and for acknowledgements.
    large = picture() + bytes(3_000_000)
    task = both.call(
        lambda client: client.submit("a fish", source_images=large),
        base_url=tls_server.url, verify=bundle, proxy=tls_proxy.url,
    )  # fmt: skip
    assert task.id == "t1"
    assert [request.split(b" ")[0] for request in tls_proxy.requests] == [b"CONNECT"]
    assert KEY.encode() not in b"".join(tls_proxy.requests)


def test_a_proxy_s_certificate_says_nothing_about_the_server_s(both: Both, tls_proxy: TlsServer, bundle: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with TlsServer(context, keep_alive(whole(ACCEPTED))) as server:
        with pytest.raises(NotSent, match="certificate") as caught:
            both.call(submit(1), base_url=server.url, verify=bundle, proxy=tls_proxy.url)
        assert server.requests == []
    assert not caught.value.retryable


def test_a_name_that_the_certificate_lacks_is_refused_through_a_proxy_too(
    both: Both, authority: trustme.CA, tls_proxy: TlsServer, bundle: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    with TlsServer(context, keep_alive(whole(ACCEPTED))) as server:
        for proxy in (None, tls_proxy.url):
            with pytest.raises(NotSent, match="certificate"):
                both.call(submit(1), base_url=server.url, verify=bundle, proxy=proxy)
        assert server.requests == []


@pytest.mark.parametrize("action", [Connection.stall, lambda connection: None], ids=["stalls", "closes"])
def test_a_server_that_does_not_shake_hands_through_tls_has_got_nothing(
    both: Both, tls_proxy: TlsServer, bundle: Path, action: Any
) -> None:
    with ScriptedServer(action) as server, elapsed_below(0.3 + 3), pytest.raises(NotSent) as caught:
        both.call(
            submit(1), base_url=server.url.replace("http", "https"), verify=bundle, proxy=tls_proxy.url,
            timeouts=Timeouts(connect=0.3), retry=RetryPolicy(attempts=1),
        )  # fmt: skip
    assert caught.value.retryable


def test_before_send_runs_after_the_tunnel_is_made_and_before_the_request(
    both: Both, tls_server: TlsServer, bundle: Path
) -> None:
    from seedream._request.submission import check_submit  # noqa: PLC0415 -- used here only

    class Observer:
        def begin(self) -> None:
            self.seen = len(proxy.requests), len(tls_server.requests)
            raise errors.JournalFull("no room")

    observer: Any = Observer()
    with Proxy() as proxy, pytest.raises(errors.JournalFull):
        both.call(
            lambda client: client.run(client.submission_workflow(check_submit("a fish", {}), observer)),
            base_url=tls_server.url, verify=bundle, proxy=proxy.url,
        )  # fmt: skip
    assert observer.seen == (1, 0)
    assert tls_server.requests == []


NO_PROXY_FORMS = ["https://cdn.example", "cdn.example:443", "localhost,*", ".example", "cdn.example", ""]


@pytest.mark.parametrize("no_proxy", NO_PROXY_FORMS)
def test_a_peer_in_a_private_network_is_refused_by_its_address_before_a_byte(
    both: Both, no_proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whether a proxy is between is decided in one place, so no form of NO_PROXY can switch the check off.
    lookup = socket.getaddrinfo
    asked: list[str] = []

    def at_home(host: Any, *_: Any, **options: Any) -> Any:
        asked.append(host if isinstance(host, str) else host.decode())
        return lookup("127.0.0.1", server.url.rpartition(":")[2], **options)

    with ScriptedServer(Connection.stall) as server, ScriptedServer(reply(502)) as proxy:
        monkeypatch.setattr(socket, "getaddrinfo", at_home)
        monkeypatch.setenv("NO_PROXY", no_proxy)
        if no_proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        effect = SendRequest(Request("GET", "https://cdn.example/1.png"), "download", public_only=True)
        arun: Any = anyio.run
        parts: Any = (None, Timeouts(), both.clock, KEY)
        perform: Any = SyncHTTP(*parts).perform if both.kind == "sync" else partial(arun, AsyncHTTP(*parts).perform)
        with pytest.raises(errors.UnsafeUrl, match=r"127\.0\.0\.1"):
            perform(effect)
        assert asked == ["cdn.example"]
        assert [connection.request for connection in server.connections] == [b""] * len(server.connections)
        assert proxy.connections == []


DIRECT = ["https://cdn.example", "cdn.example:{port}", "localhost,*", ".example", "*.example"]
PROXIED = ["", "other.example", "cdn.example:1", "http://cdn.example", "api.example"]


@pytest.mark.parametrize("no_proxy", DIRECT + PROXIED)
def test_whether_a_picture_may_be_fetched_is_decided_by_the_peer_that_was_connected(
    both: Both,
    no_proxy: str,
    authority: trustme.CA,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # On real sockets: service, proxy and image host speak TLS; each name leads to this machine.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("api.example", "cdn.example").configure_cert(context)
    lookup = socket.getaddrinfo

    def at_home(host: Any, *given: Any, **options: Any) -> Any:
        name = host if isinstance(host, str) else host.decode()
        return lookup("127.0.0.1" if name.endswith(".example") else name, *given, **options)

    monkeypatch.setattr(socket, "getaddrinfo", at_home)
    content = picture()
    with TlsServer(context, keep_alive(whole(content))) as images, Proxy() as proxy:
        port = images.url.rpartition(":")[2]
        data = f'{{"taskid": "t1", "image_status": 3, "url": ["https://cdn.example:{port}/1.png"]}}'
        reply_ = keep_alive(whole(f'{{"code": 1000, "msg": "", "data": {data}}}'.encode()))
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", no_proxy.format(port=port))
        with TlsServer(context, reply_) as service:
            options = {"base_url": service.url.replace("127.0.0.1", "api.example"), "verify": bundle}
            work: Any = lambda client: client.task("t1").save(tmp_path)  # noqa: E731 -- short
            if no_proxy in PROXIED:
                assert [path.read_bytes() for path in both.call(work, **options)] == [content]
            else:
                with pytest.raises(errors.UnsafeUrl, match=r"127\.0\.0\.1"):
                    both.call(work, **options)
                assert images.requests == []
                assert list(tmp_path.iterdir()) == []
        asked = [request.split(b" ")[1] for request in proxy.requests]
        assert (f"cdn.example:{port}".encode() in asked) == (no_proxy in PROXIED)


def test_a_forked_process_uses_no_connection_of_its_parent() -> None:
    with ScriptedServer(keep_alive(whole(RUNNING))) as server, SeeDream(KEY, base_url=server.url) as client:
        client.query("t1")
        assert client._io._connections is not None
        client._io._connections._process = -1  # what a fork looks like from inside
        client.query("t1")
        assert len(server.connections) == 2


@pytest.mark.parametrize(
    "work",
    [
        lambda client: client.submit("a fish"), lambda client: client.query("t1"), lambda client: client.delete("t1"),
        lambda client: client.generate("a fish", output_dir=".", timeout=5),
    ],
    ids=["submission", "query", "deletion", "generate"],
)  # fmt: skip
def test_no_request_of_any_kind_trusts_an_unknown_authority(both: Both, tls_server: TlsServer, work: Any) -> None:
    # Rule: certificates are verified for every kind of request, not only for the one that is paid for.
    with pytest.raises(SeeDreamError, match=r"(?i)certificate|verif"):
        both.call(work, base_url=tls_server.url)
    assert all(not received for received in tls_server.requests)


def test_a_picture_is_not_fetched_from_an_unknown_authority(both: Both, tls_server: TlsServer, tmp_path: Path) -> None:
    data = f'{{"taskid": "t1", "image_status": 3, "url": ["{tls_server.url}/1.png"]}}'
    answers = keep_alive(whole(f'{{"code": 1000, "msg": "", "data": {data}}}'.encode()))
    with ScriptedServer(answers) as service, pytest.raises(SeeDreamError, match=r"(?i)certificate|verif"):
        both.call(lambda client: client.task("t1").save(tmp_path), base_url=service.url)
    assert list(tmp_path.iterdir()) == []


def test_idle_connections_are_few_and_not_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    kept = connections.Connections(connections.NetworkOptions(), connections.SYNC, network.SyncBackend)
    closed: list[int] = []
    monkeypatch.setattr(connections.Line, "close", lambda line: closed.append(line.key[1].port))
    lines = [kept.take("query", connections.Server("http", "127.0.0.1", port)) for port in range(70)]
    for line in lines:
        kept.give_back(line)
    assert closed == [0, 1, 2, 3, 4, 5]
    assert kept.take("query", connections.Server("http", "127.0.0.1", 69)) is lines[69]
    now[0] += 61
    kept.give_back(lines[69])
    assert closed == list(range(69)), "an idle connection is closed after a minute"
    assert kept.take("download", connections.Server("http", "127.0.0.1", 69)) is not lines[69], "the key's stays apart"
    kept.close()
    assert closed[-1] == 69


HERE = connections.Server("http", "127.0.0.1", 1)


def line_of(pool: Any, kind: str, closed: list[int], name: int = 1, **state: bool) -> Any:
    """A connection in this state that notes its name when its socket is closed."""
    line = pool.take(kind, HERE)
    line.carrier = SimpleNamespace(
        is_closed=lambda: state.get("is_closed", False), has_expired=lambda: state.get("has_expired", False)
    )
    line.proxied = state.get("proxied", False)
    line.backend = SimpleNamespace(connection=SimpleNamespace(close=lambda: closed.append(name)))
    return line


@pytest.mark.parametrize(
    ("kind", "reuse", "state", "end", "is_kept"),
    [
        ("query", 0, {}, False, True), ("download", 0, {}, False, True), ("submit", 0, {}, False, False),
        ("submit", 5, {}, False, True), ("query", 0, {"is_closed": True}, False, False),
        ("query", 0, {"is_closed": True, "proxied": True}, False, True),  # a proxy's pool makes its connection again
        *((kind, 5, {}, True, False) for kind in ("query", "download", "submit")),
        ("query", 5, {"proxied": True}, True, False),
    ],
)  # fmt: skip
def test_a_connection_that_is_given_back_is_kept_or_closed(
    kind: Any, reuse: float, state: dict[str, bool], end: bool, is_kept: bool
) -> None:
    # Rule: after `close` no socket stays open, also those that were in use when it came.
    options = connections.NetworkOptions(reuse_submit_connections=reuse)
    pool, closed = connections.Connections(options, connections.SYNC, network.SyncBackend), list[int]()
    line = line_of(pool, kind, closed, **state)
    if end:
        pool.close()
    pool.give_back(line)
    assert (closed, pool.take(kind, HERE) is line) == ([] if is_kept else [1], is_kept)


def test_idle_connections_are_taken_from_the_last_and_closed_when_they_are_stale_or_the_pool_is_closed() -> None:
    pool = connections.Connections(connections.NetworkOptions(), connections.SYNC, network.SyncBackend)
    closed: list[int] = []
    lines = [line_of(pool, "query", closed, number, has_expired=number in (1, 4)) for number in range(5)]
    for line in lines:
        pool.give_back(line)
    assert [pool.take("query", HERE) is lines[3], closed] == [True, [4]]
    assert [pool.take("query", HERE) is lines[2], closed] == [True, [4]]
    assert [pool.take("query", HERE) is lines[0], closed] == [True, [4, 1]]
    pool.give_back(lines[2])
    pool.close()
    assert closed == [4, 1, 2]
    assert pool.take("query", HERE) not in lines, "a closed connection carries nothing"
    pool.give_back(lines[3])
    pool.close()
    assert closed == [4, 1, 2, 3], "each once"


def test_a_fork_closes_its_copies_of_its_parent_s_connections() -> None:
    pool = connections.Connections(connections.NetworkOptions(), connections.SYNC, network.SyncBackend)
    closed: list[int] = []
    for line in [line_of(pool, "query", closed, number) for number in range(3)]:
        pool.give_back(line)
    pool._process = -1  # what a fork looks like from inside
    pool.take("download", HERE)
    assert sorted(closed) == [0, 1, 2]


@pytest.mark.parametrize("proxied", [False, True])
def test_an_own_transport_checks_the_peer_unless_that_is_a_proxy(both: Both, proxied: bool) -> None:
    arun: Any = anyio.run
    with ScriptedServer(reply(502)) as there:
        url = there.url.replace("http", "https").replace("127.0.0.1", "localhost")
        effect = SendRequest(Request("GET", f"{url}/1.png"), "download", public_only=True)
        transport = own(both, proxy=there.url) if proxied else own(both)
        parts: Any = (transport, Timeouts(connect=2), both.clock, KEY)
        perform: Any = SyncHTTP(*parts).perform if both.kind == "sync" else partial(arun, AsyncHTTP(*parts).perform)
        if proxied:
            assert perform(effect).kind == "ProxyError"
        else:
            with pytest.raises(errors.UnsafeUrl):
                perform(effect)
            assert there.requests == []


def test_a_peer_whose_address_is_not_known_is_refused(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    arun: Any = anyio.run
    with ScriptedServer(Connection.stall) as there:
        effect = SendRequest(Request("GET", f"{there.url}/1.png"), "download", public_only=True)

        def unknown(_: socket.socket) -> Any:
            raise OSError("the peer is gone")

        parts: Any = (None, Timeouts(connect=2), both.clock, KEY)
        perform: Any = SyncHTTP(*parts).perform if both.kind == "sync" else partial(arun, AsyncHTTP(*parts).perform)
        monkeypatch.setattr(socket.socket, "getpeername", unknown, raising=False)
        with pytest.raises(errors.UnsafeUrl, match="unknown"):
            perform(effect)
        monkeypatch.undo()
        assert there.requests == []


def test_another_bundle_is_refused(both: Both, tls_server: TlsServer, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    with pytest.raises(NotSent, match="certificate"):
        both.call(submit(1), base_url=tls_server.url, verify=tmp_path / "other.pem")
