"""URLs that are read without httpx's parser mean the same as with it."""

import httpcore
import httpx
from hypothesis import example, given
from hypothesis import strategies as st
from seedream._transport.http import _target

_PARTS = st.sampled_from([
    "a", "b.c", ".", "..", "%2F", "%2f", "%zz", "é", " ", "+", "=", "&", "~",
    "'", "x@y", ":", ",", "-", "_", "//", ";", "*",
])  # fmt: skip
_HOSTS = st.sampled_from([
    "api.example.com", "API.example.com", "localhost", "127.0.0.1", "[::1]", "a..b", "xn--bcher-kva.example",
    "bücher.example",
    "a-b.c", "-a.b", "a.", "1.2",
])  # fmt: skip
_PORTS = st.sampled_from(["", ":80", ":443", ":8080", ":65535", ":65536", ":0", ":080"])
_URLS = st.builds(
    lambda scheme, host, port, path, query: f"{scheme}://{host}{port}{path}{query}",
    st.sampled_from(["http", "https"]),
    _HOSTS,
    _PORTS,
    st.one_of(st.just(""), st.lists(_PARTS, max_size=5).map(lambda parts: "/" + "/".join(parts))),
    st.one_of(st.just(""), st.lists(_PARTS, max_size=5).map(lambda parts: "?" + "".join(parts))),
)


@given(url=_URLS)
@example(url="https://images.example.com/a/b.png?Signature=a%2Fb%3D&Expires=5")
@example(url="http://127.0.0.1:8000/v1/images/seedreamv45")
@example(url="https://a.b/c/../d")
@example(url="https://a.b:443/c?")
def test_a_url_is_sent_as_httpx_would_send_it(url: str) -> None:
    try:
        parsed = httpx.URL(url)
        parsed.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError):
        return
    target = _target(url)
    expected = httpcore.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)
    assert (bytes(expected), expected.port) == (bytes(target.url), target.url.port)
    assert parsed.netloc.decode("ascii") == target.host_header
