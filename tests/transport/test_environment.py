"""Proxies and certificates: which are used, and that what cannot be used is a ConfigError that shows no secret."""

# ruff: noqa: E501 -- tables read best with one case a line

import ssl
from pathlib import Path
from typing import Any

import certifi
import httpx
import pytest
import trustme
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
    first = both.of("https", "api.example", 443)
    assert first is not None
    assert first.url == "http://one.example:80"
    assert both.of("http", "127.0.0.1", 80) is None, "plain http is for this machine, and goes through no proxy"
    assert both.of("http", "api.example", 80) is None, "a proxy for https is none for plain http"
    rest = Proxies.read(environ={"all": "https://me:p%23w@two.example"}).of("https", "api.example", 443)
    assert rest is not None
    assert ("https://two.example:443", (b"me", b"p#w"), True) == (rest.url, rest.auth, rest.uses_tls)
    assert "p#w" not in repr(rest)
    given = Proxies.read("http://[::1]:3128", environ={"https": "http://one.example"})
    named = given.of("https", "api.example", 443)
    assert named is not None
    assert named.url == "http://[::1]:3128"


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


HINT = "Give, for example, http://proxy.example:3128; percent-encode #, ?, / and @ in user and password."
UNUSABLE = "it is not the URL of a proxy (http, https, socks5 or socks5h)"


@pytest.mark.parametrize(
    ("text", "url", "auth"),
    [
        ("proxy.example", "http://proxy.example:80", None),
        (" proxy.example:3128 ", "http://proxy.example:3128", None),
        ("http://proxy.example", "http://proxy.example:80", None),
        ("HTTPS://Proxy.Example/", "https://proxy.example:443", None),
        ("socks5://proxy.example", "socks5://proxy.example:1080", None),
        ("socks5h://proxy.example:9", "socks5h://proxy.example:9", None),
        ("http://[::1]", "http://[::1]:80", None),
        ("http://me:p%40ss%C3%A9@proxy.example", "http://proxy.example:80", (b"me", "p@ssé".encode())),
        ("http://me@proxy.example", "http://proxy.example:80", (b"me", b"")),
        ("http://:pw@proxy.example", "http://proxy.example:80", (b"", b"pw")),
        ("http://m%20e:@proxy.example", "http://proxy.example:80", (b"m e", b"")),
    ],
)
def test_a_proxy_is_read_with_its_port_user_and_password(
    monkeypatch: pytest.MonkeyPatch, text: str, url: str, auth: tuple[bytes, bytes] | None
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "socksio" or None)
    proxy = read_proxy(text, "it")
    assert (proxy.url, proxy.auth) == (url, auth)
    assert (proxy.is_socks, proxy.uses_tls) == (url.startswith("socks"), url.startswith("https"))
    assert "pw" not in repr(proxy)


@pytest.mark.parametrize(
    "text",
    ["", " ", "http://", "http://:80", "http://p.example/x", "http://p.example//", "http://p.example?x", "http://p.example#x",
     "http://p example", "http://pröxy.example", "http://p.example:x", "http://p.example:65536", "http://[::1", "ftp://p.example",
     "socks4://p.example", "socks://p.example", "://p.example", "http://p\x7f.example"],
)  # fmt: skip
def test_what_is_no_proxy_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_proxy(text, "it")
    assert (caught.value.message, caught.value.hint) == (UNUSABLE, HINT)


def test_what_else_is_wrong_with_a_proxy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as caught:
        read_proxy(5, "it")
    assert (caught.value.message, caught.value.hint) == ("it is of type int, not the URL of a proxy", HINT)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        read_proxy("socks5h://p.example", "it")
    assert caught.value.message == "it names a SOCKS proxy, for which a package is missing"
    assert caught.value.hint == "Install it: pip install 'httpx[socks]'."


@pytest.mark.parametrize(
    ("entry", "covered", "not_covered"),
    [
        ("a.example:8443", [("a.example", 8443), ("x.a.example", 8443)], [("a.example", 443), ("b.example", 8443)]),
        ("https://a.example", [("a.example", 443), ("a.example", 1)], [("aa.example", 443)]),
        ("ALL://A.Example", [("a.example", 443)], []),
        ("HTTPS://a.example:1", [("a.example", 1)], [("a.example", 443)]),
        ("http://a.example", [], [("a.example", 443)]),
        ("*.a.example.", [("x.a.example", 443), ("a.example", 443)], [("xa.example", 443)]),
        ("..a.example", [("a.example", 443)], []),
        ("*:8443", [("a.example", 8443)], [("a.example", 443)]),
        ("https://*", [("a.example", 443)], []),
        ("192.0.2.0/24", [("192.0.2.7", 443), ("192.0.2.7", 1)], [("192.0.3.7", 443), ("a.example", 443)]),
        ("192.0.2.9/24", [("192.0.2.7", 443)], []),
        ("https://192.0.2.0/24", [("192.0.2.7", 443)], []),
        ("http://192.0.2.0/24", [], [("192.0.2.7", 443)]),
        ("192.0.2.7:8443", [("192.0.2.7", 8443)], [("192.0.2.7", 443), ("192.0.2.8", 8443)]),
        ("https://192.0.2.7:8443", [("192.0.2.7", 8443)], [("192.0.2.7", 443)]),
        ("http://192.0.2.7:8443", [], [("192.0.2.7", 8443)]),
        ("[2001:db8::]/64", [], []),
        ("2001:db8::/64", [("2001:db8::9", 443)], [("2001:db9::9", 443)]),
        ("[2001:db8:0:0::1]:8443", [("2001:db8::1", 8443)], [("2001:db8::1", 443), ("2001:db8::2", 8443)]),
    ],
)  # fmt: skip
def test_an_exception_covers_what_it_names_and_nothing_else(
    entry: str, covered: list[tuple[str, int]], not_covered: list[tuple[str, int]]
) -> None:
    if not covered and not not_covered:
        with pytest.raises(ConfigError):
            Proxies.read(environ={"https": "p.example", "no": entry})
        return
    for no_proxy in (entry, f"other.example, {entry} ,,"):
        proxies = Proxies.read(environ={"https": "p.example", "no": no_proxy})
        assert [proxies.of("https", *server) for server in covered] == [None] * len(covered)
        assert None not in [proxies.of("https", *server) for server in not_covered]


@pytest.mark.parametrize(
    ("entry", "shown"),
    [("[::1", "[::1"), ("a/b", "a/b"), ("a\x07b", r"a\x07b"), ("http://", ""), ("a:x", "a:x"), ("10.0.0.0/99", "10.0.0.0/99"), (":80", ":80")],
)  # fmt: skip
def test_an_exception_that_cannot_be_read_is_named(entry: str, shown: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Proxies.read(environ={"https": "p.example", "no": f"a.example,{entry}"})
    assert caught.value.message == f"NO_PROXY holds “{shown}”, which is not a host, a network or *"
    assert caught.value.hint == "Separate entries by commas."
    assert Proxies.read(environ={"no": entry}).of("https", "a.example", 443) is None, (
        "without a proxy it matters to nobody"
    )


def test_a_blank_proxy_is_none_and_the_special_one_comes_first() -> None:
    found = Proxies.read(environ={"https": "  ", "all": "all.example"}).of("https", "a.example", 443)
    assert found is not None
    assert found.url == "http://all.example:80"
    assert Proxies.read(environ={"https": "", "all": " "}).of("https", "a.example", 443) is None
    assert Proxies.read(environ={"http": "p.example"}).of("https", "a.example", 443) is None
    for scheme, name in (("https", "HTTPS_PROXY"), ("all", "ALL_PROXY")):
        with pytest.raises(ConfigError, match=f"^{name} is not the URL of a proxy"):
            Proxies.read(environ={scheme: "ftp://x"})
    with pytest.raises(ConfigError, match=r"^the proxy argument is not the URL of a proxy"):
        Proxies.read("ftp://x")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "a.example", "10.0.0.1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_an_argument_is_used_for_every_request(scheme: str, host: str) -> None:
    given = Proxies.read("p.example", environ={"no": "*", "https": "q.example"}).of(scheme, host, 443)
    assert given is not None
    assert given.url == "http://p.example:80"


def test_the_environment_is_read_where_it_names_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def getproxies() -> dict[str, str]:
        asked.append("asked")
        return {"https": "p.example", "no": "b.example"}

    monkeypatch.setattr("urllib.request.getproxies", getproxies)
    monkeypatch.setattr("sys.platform", "linux")
    assert Proxies.read().of("https", "a.example", 443) is None
    assert asked == [], "it takes long to load"
    for name in ("HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "x.example")
        found = Proxies.read()
        assert (found.of("https", "a.example", 443), found.of("https", "b.example", 443)) != (None, None)
        assert found.of("https", "b.example", 443) is None
        monkeypatch.delenv(name)
    assert len(asked) == 2
    for system in ("darwin", "win32"):  # they keep proxies elsewhere too
        monkeypatch.setattr("sys.platform", system)
        assert Proxies.read().of("https", "a.example", 443) is not None
    assert len(asked) == 4


# --- certificates --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files with one authority each, and a directory."""
    folder = tmp_path_factory.mktemp("authorities")
    for name in ("a.pem", "b.pem"):
        trustme.CA().cert_pem.write_to_path(str(folder / name))
    return [folder / "a.pem", folder / "b.pem", folder]


def names(context: ssl.SSLContext) -> list[bytes]:
    return context.get_ca_certs(binary_form=True)


def der(path: Path) -> list[bytes]:
    return [ssl.PEM_cert_to_DER_cert(path.read_text())]


@pytest.mark.parametrize("verify", [None, True])
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_environment_s_certificates_are_trusted_and_no_others(
    monkeypatch: pytest.MonkeyPatch, authorities: list[Path], verify: Any, variable: str
) -> None:
    other = {"SSL_CERT_FILE": "SSL_CERT_DIR", "SSL_CERT_DIR": "SSL_CERT_FILE"}[variable]
    monkeypatch.setenv(variable, str(authorities[0]))
    monkeypatch.delenv(other, raising=False)
    assert names(tls_context(verify)) == der(authorities[0])
    monkeypatch.setenv(other, "")
    assert names(tls_context(verify)) == der(authorities[0])
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities[0]))
    monkeypatch.setenv("SSL_CERT_DIR", str(authorities[1]))
    assert names(tls_context(verify)) == der(authorities[0]), "the file comes first"


@pytest.mark.parametrize("verify", [None, True])
def test_without_an_environment_certifi_s_are_trusted(monkeypatch: pytest.MonkeyPatch, verify: Any) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    context = tls_context(verify)
    assert len(names(context)) == Path(certifi.where()).read_text("utf-8").count("BEGIN CERTIFICATE")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    monkeypatch.setattr("certifi.where", lambda: str(Path(__file__)))
    with pytest.raises(ConfigError, match=r"^the certificates of the certifi package cannot be loaded: "):
        tls_context(verify)


def test_a_bundle_is_trusted_and_nothing_else(monkeypatch: pytest.MonkeyPatch, authorities: list[Path]) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authorities[1]))
    for verify in (authorities[0], str(authorities[0])):
        context = tls_context(verify)
        assert (names(context), context.verify_mode, context.check_hostname) == (
            der(authorities[0]),
            ssl.CERT_REQUIRED,
            True,
        )
    asked: list[Any] = []
    real = ssl.create_default_context

    def create(**given: Any) -> ssl.SSLContext:
        asked.append(given)
        return real(**given)

    monkeypatch.setattr(ssl, "create_default_context", create)
    assert names(tls_context(authorities[2])) == [], "a directory is looked into when it is needed"
    tls_context(authorities[0])
    assert [one["cafile"] for one in asked] == [None, str(authorities[0])]
    assert asked[0]["capath"] == str(authorities[2])


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", None])
def test_certificates_that_cannot_be_loaded_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str | None
) -> None:
    broken = tmp_path / "ca.pem"
    broken.write_text("none")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, str(broken))
    with pytest.raises(ConfigError) as caught:
        tls_context(None if variable else broken)
    assert caught.value.message.startswith(f"the certificates of {variable or 'verify'} cannot be loaded: [X509")
    assert caught.value.hint == "Give a file of PEM certificates."
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: (_ for _ in ()).throw(OSError()))
    with pytest.raises(ConfigError, match="cannot be loaded: OSError"):
        tls_context(broken)


@pytest.mark.parametrize(
    ("verify", "environ", "message", "hint"),
    [
        (False, {}, "certificates are always checked", "Give verify= a CA bundle or an ssl.SSLContext."),
        (5, {}, "verify is “5”", "Give the path of a CA bundle or an ssl.SSLContext."),
        ("/nowhere", {}, "verify names “/nowhere”, which does not exist", "Correct the path."),
        (Path("/nowhere"), {}, "verify names “/nowhere”, which does not exist", "Correct the path."),
        (None, {"SSL_CERT_FILE": "/nowhere"}, "SSL_CERT_FILE names “/nowhere”, which does not exist", "Correct or unset the variable."),
        (True, {"SSL_CERT_DIR": "/nowhere"}, "SSL_CERT_DIR names “/nowhere”, which does not exist", "Correct or unset the variable."),
        (None, {"SSL_CERT_FILE": "", "SSL_CERT_DIR": "/x"}, "SSL_CERT_DIR names “/x”, which does not exist", "Correct or unset the variable."),
        (None, {"SSL_CERT_FILE": "/x", "SSL_CERT_DIR": "/"}, "SSL_CERT_FILE names “/x”, which does not exist", "Correct or unset the variable."),
    ],
)  # fmt: skip
def test_certificates_that_cannot_be_there_are_refused_before_they_are_loaded(
    verify: Any, environ: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_verify(verify, environ)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_certificates_that_may_be_there_are_accepted(monkeypatch: pytest.MonkeyPatch, authorities: list[Path]) -> None:
    for verify in (None, True, *authorities, str(authorities[0]), ssl.create_default_context()):
        check_verify(verify, {"SSL_CERT_FILE": str(authorities[0])})
        check_verify(verify, {})
    check_verify(authorities[0], {"SSL_CERT_FILE": "/nowhere"})
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    with pytest.raises(ConfigError, match=r"^SSL_CERT_FILE names"):
        check_verify(None)
