"""Where the sandbox listens, what it says its addresses are, TLS, and who may use the inspector there."""

import gc
import socket
import ssl
from pathlib import Path

import httpx
import pytest
import trustme
from sandbox.sandbox_client import SandboxClient, connect
from seedream_sandbox import Sandbox


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def image_url(sandbox: Sandbox, **headers: str) -> str:
    """Return the address of a picture that a query gives to a client with these headers."""
    with connect() as http:
        one = SandboxClient(sandbox, http)
        taskid = one.made(batchsize=1)
        return str(one.query(taskid, headers=headers)["data"]["url"][0])


def test_both_ports_can_be_chosen() -> None:
    port, images_port = free_port(), free_port()
    with Sandbox(port=port, images_port=images_port, progress="instant") as sandbox:
        assert (f"http://127.0.0.1:{port}", f"http://127.0.0.1:{images_port}") == (
            sandbox.base_url, sandbox.images_url,
        )  # fmt: skip
        assert image_url(sandbox).startswith(f"http://127.0.0.1:{images_port}/")


def test_an_images_port_in_use_leaves_no_socket_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = free_port()
        with pytest.raises(OSError, match="use"):
            Sandbox(port=port, images_port=taken.getsockname()[1]).start()
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_clients_get_the_public_url() -> None:
    with Sandbox(public_url="https://sandbox.example/", images_port=(port := free_port()), progress="instant") as one:
        assert ("https://sandbox.example", f"https://sandbox.example:{port}") == (one.base_url, one.images_url)
    with Sandbox(public_url="https://api.example", public_images_url="https://img.example") as two:
        assert "https://img.example" == two.images_url


@pytest.mark.filterwarnings("ignore:the sandbox is bound")
def test_bound_to_all_addresses_pictures_have_the_name_that_the_client_used() -> None:
    with Sandbox(host="0.0.0.0", progress="instant") as sandbox:  # noqa: S104 -- what is tested
        port = sandbox.images_url.rpartition(":")[2]
        for host, name in (
            ("sandbox:8645", "sandbox"), ("sandbox", "sandbox"), ("[::1]:8645", "[::1]"), ("10.0.0.7:1", "10.0.0.7"),
            ("evil host", "127.0.0.1"), ("a/b", "127.0.0.1"), ("user@x", "127.0.0.1"), ("", "127.0.0.1"),
        ):  # fmt: skip
            assert image_url(sandbox, Host=host).startswith(f"http://{name}:{port}/results/"), host


@pytest.mark.parametrize(("keys", "name"), [((), "any key is accepted"), (("k",), "other machines can reach it$")])
def test_the_warning_says_whether_a_key_is_needed(keys: tuple[str, ...], name: str) -> None:
    with pytest.warns(UserWarning, match=name):
        Sandbox(host="0.0.0.0", keys=keys).start().stop()  # noqa: S104 -- what is tested


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 here")
def test_ipv6() -> None:
    with Sandbox(host="::1", progress="instant") as sandbox:
        assert sandbox.base_url.startswith("http://[::1]:")
        with connect() as http:
            assert 200 == http.get(image_url(sandbox)).status_code
            assert 200 == http.get(sandbox.base_url + "/_sandbox/state").status_code


def test_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trusted = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    with Sandbox(tls=context, pictures="plain", progress="instant") as sandbox:
        assert sandbox.base_url.startswith("https://")
        with httpx.Client(verify=trusted, trust_env=False) as http:
            one = SandboxClient(sandbox, http)
            (url,) = one.urls(one.made(batchsize=1))
            assert url.startswith("https://")
            assert 200 == one.picture(url).status_code
            sandbox.add_fault("cut-body nth=2")
            with pytest.raises(httpx.RemoteProtocolError):
                one.submit()
            sandbox.add_fault("cut-reply how=rst nth=3")
            with pytest.raises(httpx.TransportError):
                one.submit()
        with httpx.Client(trust_env=False) as http, pytest.raises(httpx.ConnectError):
            http.get(sandbox.base_url)


# Where the peer resets before the handshake begins, CPython 3.11 leaves its new socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
def test_a_stalled_connection_stalls_the_tls_handshake() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with Sandbox(tls=context, faults=["stall-accept nth=1", "cut-accept nth=2"]) as sandbox:
        for expected in (httpx.ConnectTimeout, httpx.ConnectError):
            with (
                httpx.Client(verify=False, trust_env=False, timeout=0.3) as http,  # noqa: S501 -- nothing is verified here
                pytest.raises(expected),
            ):
                http.get(sandbox.base_url)
    gc.collect()  # here, and not in another test


@pytest.mark.parametrize(("access", "status"), [("local", 403), ("open", 200), ("off", 404)])
def test_who_may_use_the_inspector(access: str, status: int) -> None:
    with Sandbox(inspector=access, public_url="http://sandbox.example") as sandbox, connect() as http:  # type: ignore[arg-type]  # one of its words
        assert sandbox._server is not None
        port = sandbox._server._sockets[0].getsockname()[1]
        base = f"http://127.0.0.1:{port}/_sandbox"
        assert status == http.get(f"{base}/state", headers={"Host": "elsewhere"}).status_code
        foreign = {"Host": "elsewhere", "Origin": "http://evil.example"}
        assert (403 if access == "open" else status) == http.post(f"{base}/reset", headers=foreign).status_code
        own = {"Host": "elsewhere:1", "Origin": "http://elsewhere:1"}
        assert status == http.post(f"{base}/reset", headers=own).status_code
        if access == "local":
            assert 200 == http.get(f"{base}/state", headers={"Host": "sandbox.example"}).status_code
