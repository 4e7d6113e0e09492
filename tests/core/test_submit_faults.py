"""A submission that may have been billed is sent at most once, and each fault has its own error.

The server under test counts what reached it; what was *sent* decides, so faults are real ones on real sockets.
"""

import gzip
import pickle
import traceback
import zlib
from collections.abc import Callable

import facts
import httpx
import pytest
import respx
from seedream import SeeDream, Timeouts, errors
from seedream._protocol.retry import RetryPolicy
from seedream._protocol.service import MAX_JSON
from seedream._request.submission import check_submit
from seedream._support.redact import redact, redact_reply
from support.clients import KEY, Both
from support.fault_matrix import LARGE, MATRIX, OK, after_request, answer, in_mid_body
from support.scripted_server import Action, Connection, ScriptedServer, refusing_url, reply


@pytest.mark.parametrize(
    ("action", "kind", "billing", "most"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX]
)
def test_fault_matrix(  # each row: charged at most once, the right error, nothing secret on it
    both: Both,
    action: Action,
    kind: type[errors.SeeDreamError],
    billing: str,
    most: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    with ScriptedServer(action) as server:
        large = LARGE if action is in_mid_body else None
        with pytest.raises(errors.SeeDreamError) as caught:
            both.call(lambda client: client.submit("a fish", source_images=large), base_url=server.url)
        error = caught.value
        assert (kind, billing, most) == (type(error), error.billing, len(server.requests))
        if isinstance(error, errors.SubmissionUnknown):  # what a caller needs to find it again
            assert error.digest == check_submit("a fish", {"source_images": large}).digest
    everything = "\n".join(
        [
            str(error),
            repr(error),
            repr(vars(error)),
            "".join(traceback.format_exception(error)),
            pickle.dumps(error).decode("latin-1"),
            caplog.text,
        ]
    )
    assert KEY not in everything
    assert "MARKER-signature" not in everything
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own bytes
    assert (type(error), str(error), vars(error)) == (type(again), str(again), vars(again))


def test_accepted_gives_the_task(both: Both) -> None:
    with ScriptedServer(reply(200, OK)) as server:
        task = both.call(lambda client: client.submit("a fish", batchsize=3), base_url=server.url)
    assert (task.id, task.images) == ("abcd_1234567890abcdef", 3)
    assert len(server.requests) == 1
    assert f"authorization: bearer {KEY}".lower().encode() in server.requests[0].lower()


@pytest.mark.parametrize(
    "body",
    [
        answer(code="1000", msg="", data={"taskid": "t1"}),
        answer(code=1000.0, msg=None, data={"taskid": "t1"}),
        answer(code=2000, msg="new kind of success", data={"taskid": "t1"}),
        b"\xef\xbb\xbf" + answer(code=1000, data={"taskid": "t1"}),
        answer(code=1000, msg="", data={"other": {"taskid": "t1"}}),
    ],
)
def test_a_paid_task_is_taken_from_odd_replies_too(both: Both, body: bytes) -> None:
    with ScriptedServer(reply(200, body)) as server:
        assert both.call(lambda client: client.submit("a fish"), base_url=server.url).id == "t1"


def test_a_number_as_task_id_is_taken_as_text(both: Both) -> None:
    with ScriptedServer(reply(200, answer(code=1000, data={"taskid": 77}))) as server:
        assert both.call(lambda client: client.submit("a fish"), base_url=server.url).id == "77"


@pytest.mark.parametrize(
    ("coding", "compress"),
    [("gzip", gzip.compress), (" GZIP ", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)],
)
def test_a_paid_task_is_taken_from_a_compressed_reply(
    both: Both, coding: str, compress: Callable[[bytes], bytes]
) -> None:
    """The client asks for no compression; a host in between may compress all the same."""
    with ScriptedServer(reply(200, compress(OK), {"content-encoding": coding})) as server:
        task = both.call(lambda client: client.submit("a fish"), base_url=server.url)
        assert b"accept-encoding: identity" in server.requests[0].lower()
    assert task.id == "abcd_1234567890abcdef"


def test_a_reply_beyond_the_limit_is_named(both: Both) -> None:
    with (
        ScriptedServer(reply(200, b" " * (MAX_JSON + 1))) as server,
        pytest.raises(errors.SubmissionUnknown, match=f"TooLarge: the reply is larger than {MAX_JSON} bytes"),
    ):
        both.call(lambda client: client.submit("a fish"), base_url=server.url)


def test_a_compressed_reply_is_read_up_to_the_limit(both: Both) -> None:
    bomb = gzip.compress(b'{"code": 1000, "data": {"taskid": "t-1"}, "x": "' + b"x" * 5_000_000)
    with (
        ScriptedServer(reply(200, bomb, {"content-encoding": "gzip"})) as server,
        pytest.raises(errors.SubmissionUnknown) as caught,
    ):
        both.call(lambda client: client.submit("a fish"), base_url=server.url)
    assert caught.value.taskid == "t-1"
    assert caught.value.reply is not None
    assert len(caught.value.reply.body) <= MAX_JSON


def test_a_task_id_in_a_broken_reply_is_on_the_error(both: Both) -> None:
    cut = b'HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"code":1000,"data":{"taskid":"lost_1","x'
    with (
        ScriptedServer(after_request(lambda c: c.send(cut))) as server,
        pytest.raises(errors.SubmissionUnknown) as caught,
    ):
        both.call(lambda client: client.submit("a fish"), base_url=server.url)
    assert caught.value.taskid == "lost_1"
    assert "lost_1" in caught.value.hint
    assert caught.value.reply is not None
    assert caught.value.reply.status == 200


def test_429_waits_as_long_as_asked_and_then_succeeds(both: Both) -> None:
    with ScriptedServer(reply(429, headers={"retry-after": "7"}), reply(200, OK)) as server:
        both.call(lambda client: client.submit("a fish"), base_url=server.url)
    assert both.clock.slept == [7.0]
    assert len(server.requests) == 2


def test_retry_after_as_a_date_is_read_against_the_servers_own_clock(both: Both) -> None:
    dates = {"date": "Sun, 22 Nov 2026 10:00:00 GMT", "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}
    with ScriptedServer(reply(429, headers=dates), reply(200, OK)) as server:
        both.call(lambda client: client.submit("a fish"), base_url=server.url)
    assert both.clock.slept == [30.0]


def test_a_refused_connection_is_tried_again_and_is_not_billed(both: Both) -> None:
    with refusing_url() as url, pytest.raises(errors.NotSent) as caught:
        both.call(lambda client: client.submit("a fish"), base_url=url)
    assert (caught.value.billing, caught.value.retryable) == ("no", True)
    assert RetryPolicy().attempts - 1 == len(both.clock.slept)


def test_the_same_bytes_are_sent_again(both: Both) -> None:
    with ScriptedServer(reply(429), reply(429), reply(200, OK)) as server:
        both.call(
            lambda client: client.submit("a fish", source_images=[b"\xff\xd8\xff-not-really"]), base_url=server.url
        )
    bodies = {
        request.partition(b"\r\n\r\n")[2].split(b"\r\n", 1)[1].count(b"\xff\xd8\xff-not-really")
        for request in server.requests
    }
    assert {1} == bodies
    assert len(server.requests) == 3


def test_tls_refused_is_not_retried(both: Both) -> None:
    with ScriptedServer(lambda c: c.send(b"no TLS here at all\r\n")) as server, pytest.raises(errors.NotSent) as caught:
        both.call(lambda client: client.submit("a fish"), base_url=server.url.replace("http:", "https:"))
    assert not caught.value.retryable
    assert both.clock.slept == []


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (httpx.ReadTimeout, errors.SubmissionUnknown),
        (httpx.ReadError, errors.SubmissionUnknown),
        (httpx.RemoteProtocolError, errors.SubmissionUnknown),
        (httpx.WriteError, errors.SubmissionUnknown),
        (httpx.WriteTimeout, errors.SubmissionUnknown),
        (httpx.ConnectError, errors.NotSent),
        (httpx.ConnectTimeout, errors.NotSent),
        (httpx.PoolTimeout, errors.NotSent),
    ],
)
def test_mocks_that_report_no_events_are_judged_by_class(
    both: Both, raised: type[Exception], kind: type[Exception]
) -> None:
    with respx.mock(base_url=facts.SERVER) as router:
        route = router.post("/v1/images/seedreamv45").mock(side_effect=raised("mocked"))
        with pytest.raises(kind):
            both.call(lambda client: client.submit("a fish"))
    assert (1 if kind is errors.SubmissionUnknown else RetryPolicy().attempts) == route.call_count


TIGHT = Timeouts(connect=0.2, write=0.2, submit_read=0.3, query_read=0.3)


def dripped_head(connection: Connection) -> None:
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nx-slow: ")
    while not connection.stop.wait(0.05):
        connection.send(b"a")


def endless_continue(connection: Connection) -> None:
    connection.read_request()
    while not connection.stop.wait(0.05):
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("action", [dripped_head, endless_continue])
def test_a_reply_that_drips_ends_at_the_limit(both: Both, action: Action) -> None:
    with ScriptedServer(action) as server:
        with pytest.raises(errors.SubmissionUnknown) as caught:
            both.call(lambda client: client.submit("a fish"), base_url=server.url, timeouts=TIGHT)
        assert 1 == len(server.requests)
    assert "sent_full" == caught.value.phase


@pytest.mark.parametrize("answered", [b"HTTP/1.1 407 No\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_proxy_that_fails_before_the_request_is_not_a_submission(
    both: Both, answered: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def proxy(connection: Connection) -> None:
        connection.read_head()
        connection.send(answered)

    with ScriptedServer(proxy) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        with pytest.raises(errors.NotSent):
            both.call(lambda client: client.submit("a fish"))
    assert all(request.startswith(b"CONNECT ") for request in server.requests)
    assert KEY.encode() not in b"".join(server.requests)


def test_plain_loopback_never_goes_through_a_proxy(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(reply(200, OK)) as proxy, ScriptedServer(reply(200, OK)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        both.call(lambda client: client.submit("a fish"), base_url=server.url)
        assert ([], 1) == (proxy.requests, len(server.requests))


def test_a_certificate_file_that_is_not_there_is_refused_at_once(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at/all.pem")
    with pytest.raises(errors.ConfigError, match="SSL_CERT_FILE"):
        both.call(lambda client: client.submit("a fish"))


def test_a_transport_that_repeats_by_itself_is_stopped() -> None:
    class Repeating(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            response.close()
            return super().handle_request(request)

    with ScriptedServer(reply(503), reply(200, OK)) as server:
        client = SeeDream(KEY, base_url=server.url, transport=Repeating())
        with pytest.raises(errors.SubmissionUnknown, match="tried to send a submission again by itself"):
            client.submit("a fish")
        client.close()
        assert 1 == len(server.requests)


@pytest.mark.parametrize(
    "text",
    [
        "HTTPS://h/x?sig=MARKER", "https://h/it's.png?sig=MARKER", "https://h/x?a='b'&sig=MARKER", "/y?sig=MARKER",
        "//h/x?sig=MARKER", r"https:\u002f\u002fh\u002fx?sig=MARKER", r"https:\/\/h\/x?sig=MARKER",
        "https://h/x#t=MARKER",
        "https://me:MARKER@h/x", r"https://h/x\u003fsig=MARKER",
    ],
)  # fmt: skip
def test_a_signature_is_removed_however_the_url_is_written(text: str) -> None:
    assert "MARKER" not in redact(f'{{"url": "{text}"}}')
    assert "MARKER" not in repr(redact_reply(200, {"location": text}, text.encode(), "k"))


def test_scrubbing_is_quick_on_hostile_text() -> None:
    for piece in ("?", "https://", "?a", "://?", r"\/"):
        assert len(redact(piece * (1_000_000 // len(piece)))) > 0
