"""Proxies and certificates: which are used, and that what cannot be used is a ConfigError that shows no secret."""

import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest
from seedream import AsyncSeeDream, ConfigError, SeeDream
from seedream._transport.environment import Proxies, check_verify, read_proxy, tls_context
from support.clients import KEY, Both

SECRET = "MARKER"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"HTTPS_PROXY": f"http://me:{SECRET}#x@proxy.example:3128"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": f"http://me:{SECRET}?x@proxy.example:3128"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": f"http://me:{SECRET}/x@proxy.example:3128"}, "HTTPS_PROXY"),
        ({"https_proxy": f"http://me:{SECRET}@proxy.example:99999"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": f"ftp://{SECRET}.example"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": f"http://[{SECRET}"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "http://"}, "HTTPS_PROXY"),
        ({"ALL_PROXY": f"socks4://{SECRET}:1"}, "ALL_PROXY"),
        ({"ALL_PROXY": "socks5://127.0.0.1:1080"}, "ALL_PROXY"),
        ({"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "::1/129"}, "NO_PROXY"),
        ({"HTTPS_PROXY": "http://proxy.example", "NO_PROXY": "a.example,[::1"}, "NO_PROXY"),
        ({"SSL_CERT_FILE": "/nowhere"}, "SSL_CERT_FILE"),
        ({"SSL_CERT_DIR": "/nowhere"}, "SSL_CERT_DIR"),
    ],
    ids=str,
)
def test_a_set_up_that_cannot_be_used_is_refused_at_once_and_by_name(
    both: Both, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # no package for SOCKS
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=named) as caught:
        both.call(lambda client: client.submit("a fish"))
    assert SECRET not in f"{caught.value!s}{caught.value!r}{vars(caught.value)}"
    assert not caught.value.retryable
    assert both.clock.slept == []


@pytest.mark.parametrize(
    ("no_proxy", "host", "direct"),
    [
        ("", "api.example", False),
        ("*", "api.example", True),
        ("a.example, *", "api.example", True),
        ("api.example", "api.example", True),
        ("API.Example", "api.example", True),
        (".example", "api.example", True),
        ("*.example", "api.example", True),
        ("example", "api.example", True),
        ("pi.example", "api.example", False),
        ("api.example:443", "api.example", True),
        ("api.example:8443", "api.example", False),
        ("https://api.example", "api.example", True),
        ("http://api.example", "api.example", False),
        ("all://api.example", "api.example", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("::1/128, 2001:db8::/32", "2001:db8::1", True),
        ("[2001:db8::1]", "2001:db8::1", True),
        ("2001:db8::1", "2001:db8::1", True),
        ("8.8.8.8", "8.8.8.8", True),
        ("x", "localhost", True),
        ("x", "127.0.0.1", True),
    ],
)
def test_no_proxy_is_read_in_each_form_that_other_programs_take(no_proxy: str, host: str, direct: bool) -> None:
    proxies = Proxies.read(environ={"https": "http://proxy.example:3128", "no": no_proxy})
    assert (proxies.of("https", host, 443) is None) is direct


def test_which_proxy_is_used() -> None:
    both = Proxies.read(environ={"https": "one.example", "all": "http://two.example", "http": "http://three.example"})
    assert str(both.of("https", "api.example", 443)).count("http://one.example:80") == 1
    assert both.of("http", "127.0.0.1", 80) is None, "plain http is for this machine, and goes through no proxy"
    assert both.of("http", "api.example", 80) is None, "a proxy for https is none for plain http"
    rest = Proxies.read(environ={"all": "https://me:p%23w@two.example"}).of("https", "api.example", 443)
    assert rest is not None
    assert ("https://two.example:443", (b"me", b"p#w"), True) == (rest.url, rest.auth, rest.uses_tls)
    assert "p#w" not in repr(rest)
    given = Proxies.read("http://[::1]:3128", environ={"https": "http://one.example"})
    assert str(given.of("https", "api.example", 443)).count("http://[::1]:3128") == 1


@pytest.mark.parametrize("given", [5, b"http://x", "", "http://", "gopher://x", "http://a b", "http://x/path"])
def test_a_proxy_argument_that_cannot_be_used_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="the proxy argument"):
        SeeDream(KEY, proxy=given)


@pytest.mark.parametrize("given", [False, 5, b"x" * 3, "/nowhere/ca.pem"])
def test_a_verify_argument_that_cannot_be_used_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError):
        SeeDream(KEY, verify=given)


def test_certificates_that_cannot_be_read_are_refused_by_the_first_request(both: Both, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("no certificate")
    with pytest.raises(ConfigError, match="certificates of verify"):
        both.call(lambda client: client.submit("a fish"), verify=bundle)
    assert both.clock.slept == []


def test_a_context_of_the_callers_is_used_as_it_is() -> None:
    context = ssl.create_default_context()
    check_verify(context)
    assert tls_context(context) is context
    assert tls_context(None).verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"x": "a\r\nb"}, "cannot be sent"),
        ({"x y": "a"}, "cannot be sent"),
        ({"x": "ü"}, "cannot be sent"),
        ({"x": 5}, "not text"),
        ([("x", "y")], "not a mapping"),
        ({"Authorization": "Bearer other"}, "set by the client"),
        ({"content-length": "5"}, "set by the client"),
    ],
)
def test_headers_that_cannot_be_sent_are_refused(headers: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        SeeDream(KEY, headers=headers)


@pytest.mark.parametrize("seconds", [-1, True, "5", float("nan"), float("inf"), None])
def test_a_number_of_seconds_that_is_none_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigError, match="reuse_submit_connections"):
        SeeDream(KEY, reuse_submit_connections=seconds)


class Foreign:
    """A transport of another library: it can do the work, with other classes."""

    def handle_request(self, request: object) -> None: ...
    async def handle_async_request(self, request: object) -> None: ...


@pytest.mark.parametrize("transport", [httpx.AsyncHTTPTransport(), Foreign(), httpx, "x", 5, httpx.HTTPTransport])
def test_a_transport_of_another_kind_is_refused_by_the_client(transport: Any) -> None:
    with pytest.raises(ConfigError, match="not a transport for SeeDream"):
        SeeDream(KEY, transport=transport)


@pytest.mark.parametrize("transport", [httpx.HTTPTransport(), Foreign(), httpx, "x", 5, httpx.AsyncHTTPTransport])
def test_a_transport_of_another_kind_is_refused_by_the_async_client(transport: Any) -> None:
    with pytest.raises(ConfigError, match="not a transport for AsyncSeeDream"):
        AsyncSeeDream(KEY, transport=transport)


def test_verify_and_proxy_do_not_go_with_a_transport() -> None:
    with pytest.raises(ConfigError, match="no effect"):
        SeeDream(KEY, transport=httpx.HTTPTransport(), proxy="http://proxy.example")


def test_read_proxy_names_the_argument() -> None:
    with pytest.raises(ConfigError, match="THE_VARIABLE is of type int"):
        read_proxy(5, "THE_VARIABLE")
