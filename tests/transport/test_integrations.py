"""What docs/integrations.md says: proxies, certificates, OpenTelemetry, vcrpy and respx.

The client's own connections are below httpx, so what looks at httpx sees a client that is given an httpx transport.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import vcr  # type: ignore[import-untyped]  # it has no annotations
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from seedream import InvalidRequest, NotSent, SubmissionUnknown
from seedream_sandbox import Sandbox
from support.clients import KEY, Both
from support.scripted_server import Connection, ScriptedServer, reply
from transport.support import ACCEPTED


def httpx_transport(both: Both) -> Any:
    return httpx.HTTPTransport() if both.kind == "sync" else httpx.AsyncHTTPTransport()


def generate(client: Any) -> Any:
    return client.generate("a fish", output_dir=None)


def submit(client: Any) -> Any:
    return client.submit("a fish")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(pictures="plain", progress="instant") as running:
        yield running


# A corporate proxy: an argument, or the environment. Without TLS only a service on this machine is asked for, and that
# through no proxy; the tunnel of https is tested in test_connections.py.
def test_an_https_request_goes_through_the_proxy_of_the_environment(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(connection: Connection) -> None:
        connection.read_head()
        connection.send(b"HTTP/1.1 407 no\r\ncontent-length: 0\r\n\r\n")

    with ScriptedServer(refuse) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(NotSent, match="407"):
            both.call(submit, base_url="https://api.example.org")
        assert b"CONNECT api.example.org:443" in proxy.connections[0].request


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def strip(span: Any, request: Any) -> None:  # pictures have signed URLs
        span.set_attribute("http.url", str(httpx.URL(str(request.url)).copy_with(query=None)))

    async def strip_async(span: Any, request: Any) -> None:
        strip(span, request)

    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider, request_hook=strip, async_request_hook=strip_async)
    try:
        yield exporter
    finally:
        instrumentor.uninstrument()


def test_opentelemetry_has_a_span_for_each_exchange_of_an_httpx_transport(
    both: Both, sandbox: Sandbox, spans: InMemorySpanExporter
) -> None:
    options = {"api_key": sandbox.api_key, "base_url": sandbox.base_url}
    both.call(generate, **options)
    assert spans.get_finished_spans() == ()  # the client's own connections are not httpx's
    made = both.call(generate, transport=httpx_transport(both), **options)
    found = [dict(span.attributes or {}) for span in spans.get_finished_spans()]
    assert [(one["http.method"], one["http.status_code"]) for one in found] == [
        ("POST", 200), ("POST", 200), ("GET", 200),
    ]  # fmt: skip
    assert [str(one["http.url"]) for one in found[:1]] == [f"{sandbox.base_url}/v1/images/seedreamv45"]
    assert all("?" not in str(one["http.url"]) for one in found)
    headers = dict(sandbox.requests[-1].headers)
    assert "traceparent" in headers
    assert len(made.pictures) == 1
    assert sandbox.api_key not in repr(found)


def test_a_submission_under_opentelemetry_is_sent_once(both: Both, spans: InMemorySpanExporter) -> None:
    with (
        Sandbox(faults=["cut-reply"]) as sandbox,
        pytest.raises(SubmissionUnknown),
    ):
        both.call(submit, api_key=sandbox.api_key, base_url=sandbox.base_url, transport=httpx_transport(both))
    assert len(sandbox.charges) == 1
    (span,) = spans.get_finished_spans()
    assert not span.status.is_ok


def test_vcrpy_records_and_replays(both: Both, sandbox: Sandbox, tmp_path: Path) -> None:
    cassette = tmp_path / "fish.yaml"
    options = {"api_key": sandbox.api_key, "base_url": sandbox.base_url}
    with vcr.use_cassette(str(cassette), filter_headers=["authorization"]):
        recorded = both.call(generate, transport=httpx_transport(both), **options)
    seen = len(sandbox.requests)
    assert sandbox.api_key not in cassette.read_text("utf-8")
    with vcr.use_cassette(str(cassette), record_mode=vcr.mode.NONE) as played:
        replayed = both.call(generate, transport=httpx_transport(both), **options)
        assert played.all_played
    assert len(sandbox.requests) == seen
    assert replayed.taskid == recorded.taskid
    assert [one.data for one in replayed.pictures] == [one.data for one in recorded.pictures]


# What a foreign transport raises does not say whether it sent something, so the careful reading holds here too.
def test_a_request_that_no_cassette_holds_is_not_sent(both: Both, sandbox: Sandbox, tmp_path: Path) -> None:
    with (
        vcr.use_cassette(str(tmp_path / "empty.yaml"), record_mode=vcr.mode.NONE),
        pytest.raises(SubmissionUnknown, match="cassette"),
    ):
        both.call(submit, api_key=KEY, base_url=sandbox.base_url, transport=httpx_transport(both))
    assert list(sandbox.requests) == []


@pytest.mark.parametrize("own", [False, True], ids=["the client's own connections", "an httpx transport"])
def test_respx_answers(both: Both, own: bool) -> None:
    options = {"transport": httpx_transport(both)} if own else {}
    with respx.mock(base_url="https://api.tensorslab.com") as router:
        route = router.post("/v1/images/seedreamv45").mock(httpx.Response(200, content=ACCEPTED))
        assert both.call(submit, **options).id == "t1"
        with pytest.raises(InvalidRequest):
            both.call(lambda client: client.submit(""), **options)
    assert route.call_count == 1
    assert KEY in route.calls[0].request.headers["authorization"]


def test_a_mock_transport_answers(both: Both) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/images/seedreamv45"
        return httpx.Response(200, content=ACCEPTED)

    assert both.call(submit, transport=httpx.MockTransport(answer)).id == "t1"


def test_a_gateway_gets_further_headers(both: Both) -> None:
    with ScriptedServer(reply(200, ACCEPTED)) as server:
        both.call(submit, base_url=server.url, headers={"X-Team": "pictures"})
        assert b"\r\nX-Team: pictures\r\n" in server.connections[0].request
