"""`make update`: the page is fetched over https only, within limits, and the last copy is kept."""

import contextlib
import http.server
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import trustme
from page_edits import PAGE, RepositoryCopy, replaced
from pipeline.__main__ import main
from pipeline.errors import BrokenInputs, FetchFailed
from pipeline.fetch import Fetched, fetch
from pipeline.inputs import read_origin

ADDRESS = "https://docs.example/zh/seedreamv45.md"
Answer = Callable[[httpx.Request], httpx.Response]
SlowAnswer = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


def client_of(answer: Answer | SlowAnswer) -> Callable[[], httpx.AsyncClient]:
    return lambda: httpx.AsyncClient(transport=httpx.MockTransport(answer), follow_redirects=False)


def get(root: Path, answer: Answer | SlowAnswer, address: str = ADDRESS) -> Fetched:
    return fetch(root, address, client_of(answer))


def copies(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "build" / "fetched").glob("*.md")}


def test_the_page_is_kept_byte_for_byte(tmp_path: Path) -> None:
    fetched = get(tmp_path, lambda _: httpx.Response(200, content=PAGE))
    assert (PAGE, True, ADDRESS) == (fetched.path.read_bytes(), fetched.changed, fetched.address)


def test_an_unchanged_page_is_not_fetched_again(tmp_path: Path) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.headers.get("if-none-match") == '"1"':
            return httpx.Response(304)
        return httpx.Response(200, content=PAGE, headers={"ETag": '"1"', "Last-Modified": "yesterday"})

    first, second = get(tmp_path, answer), get(tmp_path, answer)
    assert [True, False] == [first.changed, second.changed]
    assert "yesterday" == asked[1].headers["if-modified-since"]
    # A damaged copy is not used: the whole page is fetched.
    second.path.write_bytes(b"damaged")
    assert PAGE == get(tmp_path, answer).path.read_bytes()
    assert "if-none-match" not in asked[2].headers
    # Nor is the copy of another address.
    get(tmp_path, answer, "https://docs.example/en/page.md")
    assert "if-none-match" not in asked[3].headers


def test_a_server_that_sends_the_same_page_again_reports_no_change(tmp_path: Path) -> None:
    get(tmp_path, lambda _: httpx.Response(200, content=PAGE))
    assert not get(tmp_path, lambda _: httpx.Response(200, content=PAGE)).changed


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (refuse, "ConnectError: no route"),
        (lambda _: httpx.Response(404), "HTTP 404"),
        (lambda _: httpx.Response(500, content=PAGE), "HTTP 500"),
        (lambda _: httpx.Response(304), "HTTP 304"),
        (lambda _: httpx.Response(200, content=b" \n"), "HTML page or nothing"),
        (lambda _: httpx.Response(200, content=b"\n<!DOCTYPE html>"), "HTML page"),
        (lambda _: httpx.Response(200, content=b"x" * 5_000_001), "more than 5,000,000 bytes"),
        (lambda _: httpx.Response(302, headers={"location": "http://docs.example/x.md"}), "not a plain https address"),
        (lambda _: httpx.Response(302, headers={"location": "file:///etc/passwd"}), "not a plain https address"),
        (lambda request: httpx.Response(302, headers={"location": str(request.url)}), "more than 5 redirects"),
    ],
)
def test_what_cannot_be_fetched_leaves_the_last_copy(tmp_path: Path, answer: Answer, message: str) -> None:
    with pytest.raises(FetchFailed, match=message):
        get(tmp_path, answer, "https://docs.example/never-fetched.md")
    get(tmp_path, lambda _: httpx.Response(200, content=PAGE))
    if "304" not in message:
        with pytest.raises(FetchFailed, match=message):
            get(tmp_path, answer)
    assert {"seedreamv45.md": PAGE} == copies(tmp_path)


@pytest.mark.parametrize("address", ["http://docs.example/x.md", "ftp://x/y", "https://", "https://user@x/y.md"])
def test_only_plain_https_is_asked(tmp_path: Path, address: str) -> None:
    with pytest.raises(FetchFailed, match="plain https"):
        get(tmp_path, refuse, address)


def test_a_redirect_within_https_is_followed(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("seedreamv45.md"):
            return httpx.Response(301, headers={"location": "/moved/page.md"})
        return httpx.Response(200, content=PAGE)

    assert "https://docs.example/moved/page.md" == get(tmp_path, answer).address


async def no_head(_: httpx.Request) -> httpx.Response:
    await anyio.sleep_forever()
    raise AssertionError


async def slow_redirects(request: httpx.Request) -> httpx.Response:
    await anyio.sleep(0.04)  # each of them within the limit
    return httpx.Response(302, headers={"location": str(request.url)})


async def no_end(_: httpx.Request) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        yield b"# page"
        await anyio.sleep_forever()

    return httpx.Response(200, content=body())


@pytest.mark.parametrize("answer", [no_head, slow_redirects, no_end])
def test_a_page_that_arrives_too_slowly_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: SlowAnswer
) -> None:
    monkeypatch.setattr("pipeline.fetch.TIME_LIMIT", 0.1)
    with pytest.raises(FetchFailed, match=r"was not read within 0\.1 s"):
        get(tmp_path, answer)
    assert {} == copies(tmp_path)


def test_the_address_is_the_one_of_source_toml(repository: RepositoryCopy) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=PAGE)

    fetch(repository.root, make_client=client_of(answer))
    address = read_origin(repository.root).address
    assert address.startswith("https://")
    assert [address] == asked
    repository.edit("openapi/SOURCE.toml", address, "")
    with pytest.raises(BrokenInputs, match="no address"):
        fetch(repository.root, make_client=client_of(answer))


class _Page(http.server.BaseHTTPRequestHandler):
    """A web server with one page."""

    page = PAGE
    gone = threading.Event()  # never set: what waits for it waits its time

    def do_GET(self) -> None:
        if self.path == "/drip.md":
            self.drip()
            return
        status = 304 if self.headers["If-None-Match"] == '"1"' else 200
        self.send_response(status)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(self.page) if status == 200 else 0))
        self.end_headers()
        if status == 200:
            self.wfile.write(self.page)

    def drip(self) -> None:
        """Send a head of 60 kB, one line after another, that ends after seconds or when the client has gone."""
        self.send_response_only(200)
        self.flush_headers()
        with contextlib.suppress(OSError):
            for _ in range(600):
                self.wfile.write(b"X-Line: " + b"x" * 90 + b"\r\n")
                self.gone.wait(0.01)
            self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def served() -> Iterator[tuple[str, ssl.SSLContext]]:
    """A real https server on loopback: its address, and a context that trusts it."""
    authority = trustme.CA()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"https://localhost:{server.server_address[1]}/seedreamv45.md", trusting
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_a_real_connection_a_certificate_that_is_not_trusted_is_refused(
    tmp_path: Path, served: tuple[str, ssl.SSLContext]
) -> None:
    address, context = served
    with pytest.raises(FetchFailed, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(tmp_path, address, partial(httpx.AsyncClient, trust_env=False))
    trusting = partial(httpx.AsyncClient, trust_env=False, verify=context)
    assert [True, False] == [fetch(tmp_path, address, trusting).changed for _ in range(2)]


def test_a_head_that_comes_line_by_line_is_given_up(
    tmp_path: Path, served: tuple[str, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, context = served
    monkeypatch.setattr("pipeline.fetch.TIME_LIMIT", 0.5)
    trusting = partial(httpx.AsyncClient, trust_env=False, verify=context)
    with pytest.raises(FetchFailed, match=r"was not read within 0\.5 s"):
        fetch(tmp_path, address.replace("seedreamv45.md", "drip.md"), trusting)


def test_update_fetches_and_takes_the_page(
    repository: RepositoryCopy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = iter([PAGE, replaced(("maximum: 15", "maximum: 10"))] * 2)
    make = client_of(lambda _: httpx.Response(200, content=next(pages)))
    monkeypatch.setattr("pipeline.__main__.fetch", lambda root, address: fetch(root, address, make))
    root = ["--root", str(repository.root)]
    assert 0 == main([*root, "update"])
    assert "Nothing changed." in capsys.readouterr().out
    assert 3 == main([*root, "update"]), "a narrower limit needs a decision"
    next(pages)
    assert 0 == main([*root, "generate", "--spec", ADDRESS, "--accept"])
    assert "maximum=10" in repository.read("generated/tensorslab_images/limits.py")
    make = client_of(lambda _: httpx.Response(503))
    monkeypatch.setattr("pipeline.__main__.fetch", lambda root, address: fetch(root, address, make))
    assert 6 == main([*root, "update"])
    assert "HTTP 503" in capsys.readouterr().err
