"""What a server under test is sent, and what is said of each reply that is not as the page describes it."""

# ruff: noqa: E501 -- one case a line reads as a table

import base64
import datetime as dt
import json
import ssl
import threading
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import judge
import pytest
import trustme
from attrs import evolve
from contract.servers.flask_server import Hooks
from contract.servers.memory_server import MemoryServer
from contract.servers.serving import POOR, RICH, SECOND, keys
from mutants.derived import under_test
from seedream_sandbox import Sandbox
from seedream_testing.contract import RELATIONS, ServerUnderTest, Unobservable, Violation, server_under_test, text
from seedream_testing.contract.api_facts import Meaning
from seedream_testing.contract.encode import encode
from seedream_testing.contract.relations import together
from seedream_testing.contract.server_under_test import Reply, skip_if_length_required

NOW = dt.datetime.now(dt.UTC).replace(tzinfo=None)
OK = {"code": 1000, "msg": "ok"}
NO = {"code": 9999, "msg": "no"}


def answering(*answers: Any, **options: Any) -> ServerUnderTest:
    """A server that gives these answers in turn, the last again and again: a document, a response or an error."""
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Exception):
            raise found
        if isinstance(found, httpx.Response):
            return httpx.Response(found.status_code, headers=found.headers, content=found.content)
        return httpx.Response(200, json=found)

    return ServerUnderTest("http://127.0.0.1", RICH, judge.FACTS, httpx.MockTransport(answer), **options)


def html(status: int) -> httpx.Response:
    return httpx.Response(status, html="<p>x")


def violation(run: Callable[[], object]) -> Violation:
    with pytest.raises(Violation) as caught:
        run()
    return caught.value


REFUSALS = [
    (NO, "", ""), ({**NO, "data": None}, "", ""), ({**NO, "data": {}}, "", ""), (html(400), "", ""), (html(404), "", ""), (html(499), "", ""), (html(501), "", ""), (httpx.Response(401, json=NO), "", ""),
    (OK | {"data": {"taskid": "t"}}, "RES-TIER", "it was accepted"), (NO | {"data": {"taskid": "t"}}, "RES-TIER", "it was accepted"), (httpx.Response(299, json=OK), "RES-TIER", "it was accepted"),
    (html(300), "CODE-MEANING", "it was answered with a redirect, which refuses nothing"), (html(399), "CODE-MEANING", "it was answered with a redirect"), (httpx.Response(400, json=OK), "CODE-MEANING", "it was refused with the code of success"),
    (httpx.Response(501, json=OK), "CODE-MEANING", "it was refused with the code of success"), (html(500), "SERVER-ENVELOPE", "it is not JSON under HTTP 200"), (html(502), "SERVER-ENVELOPE", "it is not JSON under HTTP 200"), (html(200), "SERVER-ENVELOPE", "it is not JSON under HTTP 200"),
    (httpx.Response(201, json=NO), "SERVER-ENVELOPE", "it is not JSON under HTTP 200"), (NO | {"code": 9000}, "CODE-MEANING", "it was refused with another code than the page names"), ({"code": "9999", "msg": ""}, "SERVER-ENVELOPE", "it has no whole code with a text msg"),
    ({"code": True, "msg": ""}, "SERVER-ENVELOPE", "it has no whole code"), ({"code": 9999}, "SERVER-ENVELOPE", "it has no whole code with a text msg"), ({"code": 9999, "msg": 5}, "SERVER-ENVELOPE", "it has no whole code"), ({"code": 7, "msg": ""}, "CODE-MEANING", "its code is none of the page's"),
    (NO | {"data": {"taskid": "", "url": []}}, "", ""), (NO | {"data": {"x": 1}}, "CODE-NO-DATA", "it is a refusal, but has data"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "rule", "said"), REFUSALS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_refusal_is_the_page_s_envelope_or_an_http_4xx(answer: Any, rule: str, said: str) -> None:
    with answering(answer) as server:
        if not rule:
            assert server.must_refuse(lambda: server.query("t"), "it", "RES-TIER").sent.method == "POST"
            meaning = Meaning(1, "2K", "x", "y")
            reply = server.must_accept(lambda: server.query("t"), "it", "RES-TIER", meaning, optional=True)
            assert reply.sent.path == judge.FACTS.query
            return
        found = violation(lambda: server.must_refuse(lambda: server.query("t"), "it", "RES-TIER"))
    assert (found.rule, found.what.partition("; the reply was HTTP ")[0][: len(said)]) == (rule, said)
    assert found.curl.startswith("printf")


def test_another_code_may_be_asked_for_and_a_redirect_elsewhere_refuses() -> None:
    with answering({"code": 9000, "msg": "poor"}) as server:
        server.must_refuse(lambda: server.query("t"), "it", "RES-TIER", 9000)
    with answering(html(302)) as server:
        server.check_refused(server.send("POST", "/elsewhere"), "it", "RES-TIER")
        server.check_refused(server.send("GET", judge.FACTS.query), "it", "RES-TIER")
        for path in (judge.FACTS.submit, judge.FACTS.delete):
            reply = server.send("POST", path)
            with pytest.raises(Violation, match="was answered with a redirect"):
                server.check_refused(reply, "it", "SERVER-HTTP")


@pytest.mark.parametrize("optional", [False, True])
def test_a_refusal_that_is_charged_is_found(optional: bool) -> None:
    charges = [3]
    with answering(NO, charges=lambda: charges) as server:

        def send() -> Reply:
            charges.append(7)
            return server.query("t")

        meaning = Meaning(1, "2K", "x", "y")
        if optional:
            found = violation(lambda: server.must_accept(send, "it", "RES-TIER", meaning, optional=True))
        else:
            found = violation(lambda: server.must_refuse(send, "it", "RES-TIER"))
    assert found.rule == "SERVER-CHARGE"
    assert found.what.startswith("it was refused, and charged as [7]; ")


TAKEN = [
    (NO, "RES-TIER", "it is legal, but was refused"), (html(400), "RES-TIER", "it is legal, but was refused"), (OK | {"data": {}}, "TASK-ID", "it was accepted without a usable task id"), (OK | {"data": {"taskid": ""}}, "TASK-ID", "it was accepted without a usable task id"),
    (OK | {"data": {"taskid": " \n"}}, "TASK-ID", "it was accepted without a usable task id"), (OK | {"data": {"taskid": "t" * 2001}}, "TASK-ID", "it was accepted without a usable task id"), (httpx.Response(201, json=OK), "SERVER-ENVELOPE", "it is not JSON under HTTP 200"),
    (OK | {"data": {"taskid": 7}}, "SERVER-ENVELOPE", "it does not fit the spec: "),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "rule", "said"), TAKEN, ids=lambda value: value if isinstance(value, str) else "")
def test_an_accepted_submission_has_an_id(answer: Any, rule: str, said: str) -> None:
    with answering(answer) as server:
        found = violation(lambda: server.check_taken(server.submit([text("prompt", "x")]), "it", "RES-TIER"))
    assert found.rule == rule
    assert found.what.startswith(said)


def test_the_longest_id_is_2000_characters() -> None:
    with answering(OK | {"data": {"taskid": "t" * 2000}}) as server:
        assert server.check_taken(server.submit([text("prompt", "x")]), "it", "X") == "t" * 2000


def told(**data: Any) -> dict[str, Any]:
    return OK | {"data": {"taskid": "t", "image_status": 3, "url": ["http://x/1", "https://x/2"], **data}}


STATES = [
    (NO, "TASK-ID", "the query for task t was refused"), (told(taskid="u"), "TASK-OWN", "asked for task t, it is about another"), (told(image_status=2), "STATUS-MEANING", "pictures are named although the task is not completed"),
    (httpx.Response(202, json=told()), "SERVER-ENVELOPE", "it is not JSON under HTTP 200"), (told(image_status="3"), "SERVER-ENVELOPE", "it does not fit the spec: "),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "rule", "said"), STATES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_state_is_about_the_task_and_well_formed(answer: Any, rule: str, said: str) -> None:
    with answering(answer) as server:
        found = violation(lambda: server.state("t"))
    assert found.rule == rule
    assert found.what.startswith(said)


MEANT = Meaning(2, "2K", "a", "c")
RIGHT = {
    "prompt": "a",
    "category": "c",
    "width": 2048,
    "height": 2048,
    "origseed": 1,
    "negative": "",
    "error_message": "",
    "starttime": f"{NOW:%Y-%m-%d %H:%M:%S}",
}
TASKS: list[tuple[dict[str, Any], Meaning, str, str]] = [
    ({}, MEANT, "", ""), (RIGHT, MEANT, "", ""), ({"width": 1844, "height": 10}, MEANT, "", ""), ({"width": 10, "height": 1843}, MEANT, "RES-TIER", "it: pictures of (10, 1843) are of a lower tier"), ({"width": 2048}, MEANT, "", ""),
    ({"url": ["http://x/1"]}, MEANT, "SERVER-PICTURES", "it: 1 pictures, not 2"), ({"url": ["http://x/1", "http://x/1"]}, MEANT, "SERVER-PICTURES", "it: 1 pictures, not 2"), ({"url": ["http://x/1", "http://x/1", "http://x/2"]}, MEANT, "SERVER-PICTURES", "it: 2 pictures, not 2"),
    ({"url": ["HTTP://x/1", "Https://x/2"]}, MEANT, "", ""), ({"url": ["x", "http://x/1"]}, MEANT, "SERVER-PICTURES", "url is not a list of addresses"), ({"url": ["ftp://x/1", "http://x/1"]}, MEANT, "SERVER-PICTURES", "an address has blanks, or is not http or https"), ({"url": ["http://x/ 1", "http://x/1"]}, MEANT, "SERVER-PICTURES", "an address has blanks"),
    ({"prompt": "b"}, MEANT, "PROMPT-REQUIRED", "it: prompt is not what was sent"), ({"category": "b"}, MEANT, "CATEGORY-DEFAULT", "it: category is not what was sent"), ({"width": 2048.0}, MEANT, "SERVER-ENVELOPE", "width is not of type int"), ({"height": 2048.0}, MEANT, "SERVER-ENVELOPE", "height is not of type int"),
    ({"origseed": 1.0}, MEANT, "SERVER-ENVELOPE", "origseed is not of type int"), ({"width": 0, "height": 9000}, MEANT, "SERVER-PICTURES", "it: pictures of (0, 9000) have no pixels"), ({"width": 1, "height": 9000}, MEANT, "", ""),
    ({"width": 2048, "height": 2047}, Meaning(2, "2048x2048", "a", "c"), "SERVER-PICTURES", "it: pictures are (2048, 2047), not (2048, 2048)"), ({"width": 2048, "height": 2048}, Meaning(2, "2048x2048", "a", "c"), "", ""),
    ({"width": 1600, "height": 900}, Meaning(2, "16:9", "a", "c"), "", ""), ({"width": 1631, "height": 900}, Meaning(2, "16:9", "a", "c"), "", ""), ({"width": 1633, "height": 900}, Meaning(2, "16:9", "a", "c"), "RES-RATIO", "it: pictures of (1633, 900) are of another shape"),
    ({"width": 1567, "height": 900}, Meaning(2, "16:9", "a", "c"), "RES-RATIO", "it: pictures of"), ({"width": 900, "height": 1600}, Meaning(2, "16:9", "a", "c"), "RES-RATIO", "it: pictures of"), ({"width": 3687, "height": 9}, Meaning(2, "4K", "a", "c"), "", ""), ({"width": 3686, "height": 9}, Meaning(2, "4K", "a", "c"), "RES-TIER", "it: "),
    ({"starttime": ""}, MEANT, "SERVER-ENVELOPE", "starttime is not YYYY-MM-DD HH:MM:SS"), ({"starttime": None}, MEANT, "SERVER-ENVELOPE", "starttime is not of type str"),
    ({"starttime": "2026-1-1 00:00:00"}, MEANT, "SERVER-ENVELOPE", "starttime is not YYYY-MM-DD HH:MM:SS"), ({"starttime": "2026-13-01 00:00:00"}, MEANT, "SERVER-ENVELOPE", "starttime is not YYYY-MM-DD HH:MM:SS"),
    ({"starttime": f"{NOW - dt.timedelta(hours=28):%Y-%m-%d %H:%M:%S}"}, MEANT, "SERVER-ENVELOPE", "starttime is not the time of this submission in any time zone"), ({"starttime": f"{NOW + dt.timedelta(hours=28):%Y-%m-%d %H:%M:%S}"}, MEANT, "SERVER-ENVELOPE", "starttime is not the time"),
    ({"starttime": f"{NOW - dt.timedelta(hours=26):%Y-%m-%d %H:%M:%S}"}, MEANT, "", ""), ({"starttime": f"{NOW + dt.timedelta(hours=26):%Y-%m-%d %H:%M:%S}"}, MEANT, "", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "meaning", "rule", "said"), TASKS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_completed_task_is_what_its_submission_meant(
    data: dict[str, Any], meaning: Meaning, rule: str, said: str
) -> None:
    with answering(told(**data)) as server:
        last = server.query("t")
        if not rule:
            server.check_task(last, "it", "X", meaning)
            return
        found = violation(lambda: server.check_task(last, "it", "X", meaning))
    assert found.rule == rule
    assert found.what.startswith(said)


@pytest.mark.parametrize(
    ("zone", "drift", "right"),
    [(0, 0, True), (8, 0, True), (-12, 5, True), (8, -5, True), (0, 60, False), (8, -60, False), (0, 3600, False)],
)
def test_a_server_s_clock_is_one_for_all_tasks(
    monkeypatch: pytest.MonkeyPatch, *, zone: int, drift: int, right: bool
) -> None:
    monkeypatch.setattr(server_under_test, "_now", lambda: NOW + dt.timedelta(seconds=1))
    with answering(told()) as server:
        last = server.query("t")
        for number, seconds in enumerate((0, drift)):
            shown = NOW + dt.timedelta(hours=zone, seconds=seconds)
            server.issued["t"] = NOW
            data = {**RIGHT, "taskid": "t", "starttime": f"{shown:%Y-%m-%d %H:%M:%S}"}
            told_now = evolve(last, document=told(**data))
            if right or not number:
                server.check_task(told_now, "it", "X", MEANT)
                continue
            found = violation(lambda: server.check_task(told_now, "it", "X", MEANT))  # noqa: B023 -- called at once
            assert found.rule == "SERVER-ENVELOPE"
            assert found.what.startswith("starttime is not the time of this submission by the clock of earlier ones")


def test_a_task_that_takes_long_does_not_set_the_server_s_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = {"now": NOW}
    monkeypatch.setattr(server_under_test, "_now", lambda: moments["now"])
    with answering(OK | {"data": {"taskid": "t"}}) as server:
        for waited in (3600, 0):
            started = moments["now"]
            assert server.task([text("prompt", "x")]) == "t"
            assert server.issued == {"t": started}
            moments["now"] += dt.timedelta(seconds=waited)
            data = {**RIGHT, "starttime": f"{started:%Y-%m-%d %H:%M:%S}"}
            last = evolve(server.query("t"), document=told(**data))
            server.check_task(last, "it", "X", MEANT)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "url is not a list"),
        ("http://x", "url is not a list"),
        ([1, 2], "url is not a list of addresses"),
        ({}, "url is not a list"),
    ],
)
def test_addresses_are_a_list_of_texts(url: Any, said: str) -> None:
    with answering(told(url=url)) as server:
        found = violation(lambda: server.check_task(server.query("t"), "it", "X", MEANT))
    assert (found.rule, found.what[: len(said)]) == ("SERVER-PICTURES", said)


def test_polling_pauses_longer_and_longer_until_the_patience_is_over() -> None:
    pauses = list[float]()
    with answering(OK | {"data": {"taskid": "t", "image_status": 1}}, patience=5.0, pause=pauses.append) as server:
        found = violation(lambda: server.completed("t"))
    assert pauses == [0.0, 0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.0, 1.0, 1.0]
    assert (found.rule, found.what[:51]) == ("STATUS-MEANING", "task t did not end (statuses [1, 1, 1, 1, 1]); the ")


def test_polling_ends_with_completed_or_failed() -> None:
    running = OK | {"data": {"taskid": "t", "image_status": 2}}
    failed = OK | {"data": {"taskid": "t", "image_status": 4, "error_message": "bad"}}
    with answering(running, running, told(), pause=lambda _: None) as server:
        assert server.completed("t").data["image_status"] == 3
    with answering(running, failed, pause=lambda _: None) as server:
        assert violation(lambda: server.completed("t")).what.startswith("a legal task failed: bad; ")
    with answering(OK | {"data": {"taskid": "t"}}, failed, pause=lambda _: None) as server:
        found = violation(lambda: server.must_accept(lambda: server.submit([text("prompt", "x")]), "it", "X", MEANT))
    assert (found.rule, found.what[:27], server.spent) == ("STATUS-MEANING", "a legal task failed: bad; t", 2)
    assert found.curl.count("curl -sS") == 2  # the submission, and the query that told the end
    with answering(OK | {"data": {"taskid": "t"}}, failed, pause=lambda _: None) as server:
        assert violation(server.known_task).rule == "STATUS-MEANING"


@pytest.mark.parametrize(
    ("charges", "said"),
    [
        ([2], ""),
        ([1], "it asks for 2 images, and was charged as [1]"),
        ([], "it asks for 2 images, and was charged as []"),
        ([1, 1], "it asks for 2 images, and was charged as [1, 1]"),
    ],
)
def test_a_submission_is_charged_once_for_what_it_asks(charges: list[int], said: str) -> None:
    ledger = [9]
    with answering(OK | {"data": {"taskid": "t"}}, told(), charges=lambda: ledger) as server:

        def send() -> Reply:
            ledger.extend(charges)
            return server.submit([text("prompt", "x")])

        if not said:
            assert server.must_accept(send, "it", "X", MEANT).data["image_status"] == 3
            assert (server.spent, server.charged()) == (2, [9, 2])
            return
        found = violation(lambda: server.must_accept(send, "it", "X", MEANT))
    assert (found.rule, found.what.partition(";")[0], server.spent) == ("SERVER-CHARGE", said, 0)


def test_queries_are_not_charged() -> None:
    ledger = list[int]()
    with answering(OK | {"data": {"taskid": "t"}}, told(), charges=lambda: ledger.append(2) or list(ledger)) as server:  # type: ignore[func-returns-value]  # each look adds one
        found = violation(lambda: server.must_accept(lambda: server.submit([text("prompt", "x")]), "it", "X", MEANT))
    assert (found.rule, found.what[:20]) == ("SERVER-CHARGE", "queries were charged")


@pytest.mark.parametrize(
    ("error", "said"),
    [(httpx.RemoteProtocolError("odd"), "the reply is not HTTP: odd"), (httpx.ReadError("gone"), "the server closed the connection: gone"), (httpx.DecodingError("odd"), "the reply is not in the coding that it names: odd")],
)  # fmt: skip
def test_what_is_no_http_is_a_violation(error: Exception, said: str) -> None:
    with answering(error) as server:
        found = violation(lambda: server.query("t"))
    assert (found.rule, found.what) == ("SERVER-HTTP", said)
    assert found.curl.startswith("printf")


@pytest.mark.parametrize(
    ("charset", "body", "good"),
    [("utf-8", '{"msg": "é"}', True), ('"UTF-8"', '{"msg": "é"}', True), ("us-ascii", '{"msg": "e"}', True), ("latin-1", '{"msg": "e"}', True), ("latin-1", '{"msg": "é"}', False), ("us-ascii", '{"msg": "é"}', False), ("x", '{"msg": "e"}', False), ("x", "[]", True)],
)  # fmt: skip
def test_json_is_in_the_charset_that_the_reply_names(charset: str, body: str, good: bool) -> None:
    headers = {"content-type": f"application/json; charset={charset}"}
    with answering(httpx.Response(200, content=body.encode(), headers=headers)) as server:
        if good:
            assert server.query("t").body == body.encode()
            return
        found = violation(lambda: server.query("t"))
    assert (found.rule, found.what) == ("SERVER-ENVELOPE", f"the reply says that it is in {charset}, and is not")


@pytest.mark.parametrize(
    ("accepted", "coding", "wanted"),
    [("identity", "gzip", False), ("", "gzip", False), ("br", "gzip", False), ("gzip", "gzip", True), ("x-gzip", "gzip", True), ("GZIP", "x-gzip", True), ("gzip;q=0", "gzip", False), ("gzip ; Q=0.000", "gzip", False),
     ("gzip;q=0.001", "gzip", True), ("gzip;q=1", "gzip", True), ("*", "gzip", True), ("*;q=0", "gzip", False), ("*;q=0, gzip", "gzip", True), ("gzip;q=0, *", "gzip", False), ("gzip;q=0,*;q=0.1", "br", True), ("deflate,gzip", "gzip", True)],
)  # fmt: skip
def test_a_coding_is_wanted_as_rfc_9110_says(accepted: str, coding: str, wanted: bool) -> None:
    assert server_under_test._wanted(coding, accepted) is wanted


@pytest.mark.parametrize(
    ("body", "code"), [(b'{"code": 1}', 1), (b'\xef\xbb\xbf{"code": 1}', None), (b'{"code": NaN}', None), (b'{"code": Infinity}', None), ('{"code": 1}'.encode("utf-16"), None), (b"[1]", None), (b"", None), (b"[" * 100_000, None)],
)  # fmt: skip
def test_json_is_what_rfc_8259_calls_so(body: bytes, code: object) -> None:
    with answering(
        httpx.Response(200, content=body, headers={"content-type": " Application/JSON ; charset=UTF-8"})
    ) as server:
        reply = server.query("t")
    assert (reply.code, reply.media_type, reply.body, reply.data) == (code, "application/json", body, {})


_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda text: text, "JSON": lambda text: text.replace(b"/", rb"\/"), "hex": lambda text: text.hex().encode(),
    "percent": lambda text: quote(text).encode(), "all percent": lambda text: quote(text, safe="").encode(),
    "base64": base64.b64encode, "URL-safe base64": base64.urlsafe_b64encode,
}  # fmt: skip


@pytest.mark.parametrize("coding", _CODINGS)
@pytest.mark.parametrize("before", ["", "k", "ab", "user:", "Bearer "])
@pytest.mark.parametrize("after", ["", "x", "yz"])
def test_a_reply_that_shows_the_key_in_an_encoding_is_a_violation(coding: str, before: str, after: str) -> None:
    # In Base64 the text around the key moves its letters.
    key = "sk-~?>~?>~?>-key/0123"
    for held, found in ((key, True), (key.replace("0123", "9876").replace("~", "x"), False)):
        body = b'{"msg": "' + _CODINGS[coding](f"{before}{held}{after}".encode()) + b'"}'
        server = answering(httpx.Response(200, content=body)).with_key(key)
        with pytest.raises(Violation, match="shows the key") if found else nullcontext():
            server.query("t")


@pytest.mark.parametrize("status", [200, 302, 400, 404, 500])
@pytest.mark.parametrize("kind", ["application/json", "text/html", "image/png"])
def test_no_reply_may_show_the_key_whatever_it_is(status: int, kind: str) -> None:
    body = httpx.Response(status, content=f"\xe9 {RICH}".encode("latin-1"), headers={"content-type": kind})
    with answering(body) as server:
        found = violation(lambda: server.query("t"))
    assert (found.rule, found.what) == ("AUTH-KEY", "the reply shows the key, or an encoding of it")


@pytest.mark.parametrize(
    ("url", "asked"),
    [(judge.FACTS.query, ["/v1/images/infobytaskid"]), ("http://127.0.0.1/p.png", ["/p.png", "/q.png"])],
)
def test_a_redirect_is_followed_for_the_address_of_a_picture_only(url: str, asked: list[str]) -> None:
    seen = list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(200 if request.url.path == "/q.png" else 302, headers={"location": "/q.png"})

    with ServerUnderTest("http://127.0.0.1", RICH, judge.FACTS, httpx.MockTransport(answer)) as server:
        assert (server.send("GET", url).status, seen) == (302 if len(asked) == 1 else 200, asked)


@pytest.mark.parametrize("trusted", [False, True])
def test_the_certificate_of_a_server_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool
) -> None:
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    server_under_test._trusted.cache_clear()
    try:
        with Sandbox(tls=context) as sandbox, ServerUnderTest(sandbox.base_url, RICH, judge.FACTS) as server:
            with nullcontext() if trusted else pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                assert server.query("t").code == judge.FACTS.failure
            assert bool(sandbox.requests) is trusted
    finally:
        server_under_test._trusted.cache_clear()


def test_this_machine_is_asked_without_a_proxy_and_another_one_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as sandbox:
        for proxy, url in (("http://127.0.0.1:9", sandbox.base_url), (sandbox.base_url, "http://server.example")):
            monkeypatch.setenv("HTTP_PROXY", proxy)
            with ServerUnderTest(url, RICH, judge.FACTS) as server:
                assert server.query("t").code == judge.FACTS.failure
        assert [dict(one.headers)["host"] for one in sandbox.requests] == [
            sandbox.base_url.removeprefix("http://"), "server.example",
        ]  # fmt: skip


def test_a_server_has_a_minute_for_each_part_of_a_reply_and_its_connections_are_closed() -> None:
    with ServerUnderTest("http://127.0.0.1:9", RICH, judge.FACTS) as server:
        assert (server._http.timeout, server._http.is_closed) == (httpx.Timeout(60.0), False)
    assert server._http.is_closed


class _OneAfterAnother(BaseHTTPRequestHandler):
    """Keeps its connection open, so that no other one is served meanwhile."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        super().setup()
        type(self).connections += 1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


def test_requests_at_once_come_to_a_server_that_serves_one_connection_after_another() -> None:
    with HTTPServer(("127.0.0.1", 0), _OneAfterAnother) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        with ServerUnderTest(f"http://127.0.0.1:{listening.server_port}", RICH, judge.FACTS) as server:
            for _ in range(2):
                assert server.query("before").status == 200
                replies = server.at_once([partial(server.query, f"t{number}") for number in range(3)])
                assert [json.loads(reply.sent.body)["taskid"] for reply in replies] == ["t0", "t1", "t2"]
                before = _OneAfterAnother.connections
                assert [server.query("after").status for _ in range(3)] == [200] * 3
                assert _OneAfterAnother.connections == before + 1, "connections are kept again"
        listening.shutdown()


def test_of_requests_at_once_one_that_fails_ends_the_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_under_test, "_OVERLAP", 60.0)
    with answering(NO) as server:

        def broken() -> Reply:
            raise KeyError("broken")

        with pytest.raises(KeyError, match="broken"):
            server.at_once([partial(server.query, "t"), broken])
        assert server.query("after").status == 200


def test_a_form_that_is_abandoned_is_sent_to_its_half_under_its_whole_length() -> None:
    seen = list[tuple[httpx.Headers, bytes]]()

    class Reading(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            received = b""
            try:
                for piece in request.stream:  # type: ignore[union-attr]  # a blocking request's
                    received += piece
            finally:
                seen.append((request.headers, received))
            return httpx.Response(200)

    parts = [text("prompt", "x" * 100)]
    with ServerUnderTest("http://127.0.0.1", RICH, judge.FACTS, Reading()) as server:
        server.abandon(parts)
    [(headers, received)] = seen
    mark = headers["content-type"].partition("boundary=")[2]
    whole = len(encode(parts)[1])
    assert (headers["authorization"], int(headers["content-length"])) == (f"Bearer {RICH}", whole)
    assert (received[: len(mark) + 2], len(received)) == (f"--{mark}".encode(), whole // 2)


def test_what_is_sent_is_what_was_meant() -> None:
    seen = list[httpx.Request]()
    transport = httpx.MockTransport(lambda request: seen.append(request) or httpx.Response(200, json=NO))  # type: ignore[func-returns-value]
    with ServerUnderTest("http://127.0.0.1/", RICH, judge.FACTS, transport) as server:
        server.query("t")
        server.delete("a", 7)
        server.send("PUT", "http://elsewhere/x", {"X-A": "é"}, b"body")
        server.post(judge.FACTS.submit, None, [b"a", b"b"], [("x-b", "1"), ("x-b", "2")])
        server.post(judge.FACTS.submit, "text/plain", b"a")
        server.with_key(SECOND).ask("/p", [1], {"x-c": "1"})
        reply = server.submit([text("prompt", "x")], {"authorization": "none"})
    query, delete, put, raw, plain, other, form = seen
    assert (query.method, str(query.url), json.loads(query.content)) == (
        "POST",
        f"http://127.0.0.1{judge.FACTS.query}",
        {"taskid": "t"},
    )
    assert (query.headers["authorization"], query.headers["content-type"], query.headers["accept"]) == (
        f"Bearer {RICH}",
        "application/json",
        "*/*",
    )
    assert (str(delete.url), json.loads(delete.content)) == (
        f"http://127.0.0.1{judge.FACTS.delete}",
        {"taskids": ["a", 7]},
    )
    assert (put.method, str(put.url), put.headers.raw[-2:], put.content) == (
        "PUT",
        "http://elsewhere/x",
        [(b"X-A", "é".encode()), (b"Content-Length", b"4")],
        b"body",
    )
    assert (
        raw.headers.get_list("x-b"),
        raw.headers.get("transfer-encoding"),
        raw.headers.get("content-type"),
        raw.read(),
    ) == (["1", "2"], "chunked", None, b"ab")
    assert "authorization" not in raw.headers
    assert (plain.headers["authorization"], plain.headers["content-type"]) == (f"Bearer {RICH}", "text/plain")
    assert (other.url.path, other.headers["x-c"], other.headers.get("authorization"), other.content) == (
        "/p",
        "1",
        None,
        b"[1]",
    )
    assert form.headers["authorization"] == "none"
    assert form.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert (reply.sent.method, reply.sent.path, reply.sent.body, reply.status) == (
        "POST",
        judge.FACTS.submit,
        form.content,
        200,
    )
    assert reply.sent.header("authorization") == ("none",)


def test_cookies_are_sent_to_the_api_but_not_to_the_address_of_a_picture() -> None:
    seen = list[str | None]()

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie"))
        return httpx.Response(200, json=NO, headers={"set-cookie": "cdn=1; Path=/"})

    server = ServerUnderTest("http://127.0.0.1", RICH, judge.FACTS, httpx.MockTransport(answer))
    server.query("t")
    server.query("t")
    server.send("GET", "http://127.0.0.1:81/p.png")
    assert seen == [None, "cdn=1", None]


def test_the_keys_are_known_so_that_no_report_shows_them() -> None:
    server = under_test(service := MemoryServer(keys()), service, judge.FACTS)
    assert server.keys == [RICH, SECOND, POOR]
    assert evolve(server, second_key=None, no_credits_key=None).keys == [RICH]
    poor = server.with_key(POOR)
    assert (poor.key, poor.headers(("x", "y"))) == (POOR, [("Authorization", f"Bearer {POOR}"), ("x", "y")])
    assert not any(key in repr(server) for key in (RICH, SECOND, POOR))


def test_the_known_task_is_made_once() -> None:
    service = MemoryServer(keys())
    with under_test(service, service, judge.FACTS) as server:
        assert server.known_task() is server.known_task()
        assert (service.accounts.charges, server.spent) == ([(RICH, 1)], 1)
        assert server.known_task().data["prompt"] == "a known task, 已知 🗼"
        server.need_echo(server.known_task(), "prompt")
        with pytest.raises(Unobservable, match=r"^the query's reply has no mood, so what became of it cannot be seen$"):
            server.need_echo(server.known_task(), "mood")


def test_the_known_task_is_asked_for_once_after_others_and_made_again_where_it_is_gone() -> None:
    service = MemoryServer(keys())
    with under_test(service, service, judge.FACTS) as server:
        first = server.known_task().data["taskid"]
        server.task([text("prompt", "another")])
        service.seen.clear()
        assert [server.known_task().data["taskid"] for _ in range(3)] == [first] * 3
        assert [json.loads(request.content) for request in service.seen] == [{"taskid": first}]
        server.forget("of another task")
        assert server.known_task().data["taskid"] == first
        server.delete(first)
        server.task([text("prompt", "one more")])
        found = violation(server.known_task)
        assert (found.rule, found.what.partition(";")[0]) == (
            "TASK-ID", "a task that was completed, and not deleted, is no longer known",
        )  # fmt: skip
        second = server.known_task().data["taskid"]
        server.forget(second)
        assert len({first, second, server.known_task().data["taskid"]}) == 3


def test_another_key_is_of_another_account_that_shares_no_pictures_and_no_sum() -> None:
    service = MemoryServer(keys())
    with under_test(service, service, judge.FACTS) as server:
        server.known_task()
        with server.with_key(SECOND) as other:
            assert (other.pictures is server.pictures, other.spent, other.issued) == (True, 0, {})
            other.task([text("prompt", "x"), text("batchsize", 2)])
            assert (other.spent, server.spent) == (2, 1)


def test_chunks_may_only_be_refused_for_their_missing_length() -> None:
    with answering(html(411), html(412)) as server:
        with pytest.raises(Unobservable, match=r"^the server wants a Content-Length \(HTTP 411\)"):
            skip_if_length_required(server.query("t"))
        assert skip_if_length_required(server.query("t")).status == 412


# Wrong servers, and what is said of each


class Wrong(Hooks):
    """Does one thing otherwise."""

    def __init__(self, **hooks: Callable[..., Any]) -> None:
        for name, hook in hooks.items():
            setattr(self, name, hook)


def state(**changes: Any) -> Wrong:
    """A server whose queries tell something else of a completed task, each time another value."""
    asked = iter(range(10_000))

    def change(data: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
        if "url" not in data:
            return data
        number = next(asked)
        return data | {name: value(number) if callable(value) else value for name, value in changes.items()}

    return Wrong(state=change)


WIDTHS = iter(range(2048, 4096))
NOT_OWN = Wrong(find=lambda tasks, taskid, key: tasks.get(taskid) if isinstance(taskid, str) else None)
DELETES_ALL = Wrong(to_delete=lambda tasks, taskids, key: [*taskids])
TAKES_SMALL = Wrong(resolution=lambda value: (1500, 1500) if value == "1500x1500" else Hooks().resolution(value))
# A deletion is done, and said to be refused.
DENIES = Wrong(reply=lambda document, operation: {"code": 9999, "msg": ""} if operation == "delete" else document)
TALL = Wrong(
    state=lambda data, task: (
        {**data, "height": 2050}
        if data.get("prompt") == "prompt 3 of those at the same time" and "height" in data
        else data
    )
)
WRONG: list[tuple[str, Hooks, str, str]] = [
    ("task.own/the same form twice makes two tasks with pictures of their own", Wrong(charge=lambda images: [images, 1]), "SERVER-CHARGE", r"the same form twice was charged as \[2, 1, 2, 1\]"),
    ("task.together/seven forms of other fields", Wrong(charge=lambda images: [images + 1]), "SERVER-CHARGE", r"submissions at the same time were charged as \[2, 2, 2, 2, 3, 3, 4\], not \[1, 1, 1, 1, 2, 2, 3\]"),
    ("task.together/eight prompts", TALL, "TASK-OWN", "one of several submissions at the same time has the size of another"),
    ("task.together/legal and illegal forms", TAKES_SMALL, "WIRE-EXACT", "an illegal form at the same time as legal ones was accepted"),
    ("task.together/three deletions of one task and a query for it", DENIES, "TASK-ID", "of three deletions of one task at the same time, none was taken"),
    ("task.own/the same form twice makes two tasks with pictures of their own", Wrong(new_id=lambda tasks: "t"), "TASK-OWN", r"2 submissions got the ids \['t', 't'\]"),
    ("task.own/the same form twice makes two tasks with pictures of their own", state(url=["http://x/1", "http://x/2"]), "TASK-OWN", "the same form twice names the same pictures"),
    ("task.own/eight submissions have eight ids", Wrong(new_id=lambda tasks: f"t{len(tasks) % 7}"), "TASK-OWN", "8 submissions got the ids"),
    ("task.own/a task stays what it is when others follow", state(negative=str), "STATUS-MEANING", "negative of a completed task changed after later submissions, from '0'"),
    ("task.own/a refusal changes no task, and the next submission is taken", state(negative=str), "STATUS-MEANING", "negative of a completed task changed after refusals, from '0'"),
    ("task.own/a submission leaves nothing behind for the next", state(width=lambda n: 2048 + n), "WIRE-EXACT", "width of a form without it changed after another submission"),
    ("task.own/a submission leaves nothing behind for the next", state(height=lambda n: 2048 + n), "WIRE-EXACT", "height of a form"), ("task.own/a submission leaves nothing behind for the next", state(category=str), "WIRE-EXACT", "category of a form"), ("task.own/a submission leaves nothing behind for the next", state(prompt=str), "WIRE-EXACT", "prompt of a form"),
    ("task.own/a submission leaves nothing behind for the next", state(url=lambda n: ["http://x/"] * n), "WIRE-EXACT", "the number of pictures changed after another submission"),
    ("task.default/without batchsize", state(url=lambda n: ["http://x/"] * n), "BATCH-RANGE", "the default number of pictures is another"), ("task.default/without resolution", state(width=lambda n: n), "RES-PIXELS|RES-FORMAT", "width is 1 when the default is written out"),
    ("task.default/without category", state(category=lambda n: f"c{n}"), "CATEGORY-DEFAULT", "category is c1 when the default is written out"), ("task.default/without category", state(category="c"), "CATEGORY-DEFAULT", "the category is not the default"),
    ("task.query/a completed task is the same at each query", state(origseed=lambda n: n), "STATUS-MEANING", "origseed of a completed task changed on being queried again, from 0"), ("task.query/a completed task is the same at each query", state(url=lambda n: [f"http://x/{i}" for i in range(n + 1)]), "STATUS-MEANING", "the number of pictures of a completed task changed on being queried again"),
    ("task.query/a running task keeps its prompt, category and time", state(prompt="other"), "STATUS-MEANING", "prompt changed while the task ran, from 'one'"), ("task.query/a running task keeps its prompt, category and time", state(category="other"), "STATUS-MEANING", "category changed while the task ran, from 'seedreamv45'"),
    ("task.query/a later task does not start earlier", state(starttime=lambda n: f"2026-01-01 00:00:{59 - n}"), "SERVER-ENVELOPE", "a later task started earlier"), ("task.query/queries and downloads are not charged", Wrong(after=lambda operation, accounts, key: accounts.charges.append((key, 1)) if operation == "query" else None), "SERVER-CHARGE", "queries and downloads were charged"),
    ("task.id/query: its first half", Wrong(find=lambda tasks, taskid, key: next((task for name, task in tasks.items() if isinstance(taskid, str) and name.startswith(taskid)), None)), "TASK-ID", r"a query for an id that is not the task's \(its first half: 'Task-0-"),
    ("task.id/deletion: its first half", Wrong(to_delete=lambda tasks, taskids, key: [name for name in tasks if name.startswith(taskids[0])]), "TASK-ID", r"a deletion of another id \(its first half: 'Task-0-.*'\) deleted task Task-0-"),
    ("task.id/deletion: an unknown id", Wrong(after=lambda operation, accounts, key: accounts.charges.append((key, 1)) if operation == "delete" else None, to_delete=lambda tasks, taskids, key: ["x"]), "SERVER-CHARGE", "a deletion was charged"),
    ("task.deletion/one of two, the first", Wrong(reply=lambda document, operation: document | {"data": {"status": "Gone"}} if operation == "delete" else document), "TASK-ID", "a deletion was not reported as a success"), ("task.deletion/one of two, the first", Wrong(to_delete=lambda tasks, taskids, key: ["x"]), "TASK-ID", "a query for a deleted task was accepted"),
    ("task.deletion/one of two, the second", Wrong(to_delete=lambda tasks, taskids, key: []), "TASK-ID", "a deletion of own tasks was refused"), ("task.deletion/three of four", Wrong(to_delete=lambda tasks, taskids, key: [*tasks]), "TASK-ID", r"a deletion of \[.*\] also deleted Task-"),
    ("task.deletion/one named twice", Wrong(reply=lambda document, operation: {"code": 9000, "msg": ""} if operation == "delete" else document), "CODE-MEANING", "an odd deletion was refused with another code"), ("task.deletion/ten", Wrong(after=lambda operation, accounts, key: accounts.charges.append((key, 4)) if operation == "delete" else None), "SERVER-CHARGE", r"a deletion was charged as \[4\]"),
    ("task.deletion/a deleted task stays gone, and a new one has a new id", Wrong(new_id=lambda tasks: f"t{len(tasks)}"), "TASK-OWN", "a new task got the id of a deleted one"), ("task.deletion/other tasks and their pictures stay", state(negative=str), "STATUS-MEANING", "negative of a completed task changed when another was deleted"),
    ("key.second/query of another account's task", NOT_OWN, "TASK-OWN", "a query for another account's task was accepted"), ("key.second/deletion of another account's task", DELETES_ALL, "TASK-OWN", "another account's key deleted the task"), ("key.second/deletion of another account's task with a uid", DELETES_ALL, "TASK-OWN", "another account's key deleted the task with the uid '0'"),
    ("key.second/deletion of one's own and another account's task", DELETES_ALL, "TASK-OWN", "a deletion of one's own and another's task deleted the other's"), ("key.second/the same form with two keys", NOT_OWN, "TASK-OWN", "a query for another account's newest task was accepted"), ("key.second/the same form with two keys", Wrong(new_id=lambda tasks: "t"), "TASK-OWN", "two accounts got one task id"),
    ("key.second/the same form with two keys", state(url=["http://x/1"]), "TASK-OWN", "two accounts' tasks name one picture"), ("key.second/the second account's task with the first key", NOT_OWN, "TASK-OWN", "a query for the second account's task with the first key was accepted"), ("key.second/the second account's task with the first key", DELETES_ALL, "TASK-OWN", "the first key deleted the second account's task"),
    ("key.credits/every field without credits", Wrong(reply=lambda document, operation: document | ({"_status": 402, "code": 9999} if document["code"] == 9000 else {})), "CODE-MEANING", "missing credits are reported without the code"), ("key.credits/only a prompt without credits", Wrong(reply=lambda document, operation: document | ({"code": 9999} if document["code"] == 9000 else {})), "CODE-MEANING", "only a prompt without credits was refused with another code"),
    ("key.credits/illegal: an empty prompt without credits", Wrong(blank=lambda prompt: False, batchsize=lambda value: 0), "PROMPT-REQUIRED", "an empty prompt without credits was accepted"), ("key.missing/query: no key", Wrong(authorize=lambda header, known, operation: RICH), "AUTH-KEY", "a query with no key was accepted"),
    ("key.missing/deletion: only the scheme", Wrong(authorize=lambda header, known, operation: RICH if operation == "delete" else (header or "").partition(" ")[2] or None, reply=lambda document, operation: {"code": 9999, "msg": ""} if operation == "delete" else document), "AUTH-KEY", "a deletion with only the scheme was refused, but the task is gone"),
    ("key.missing/submission: an empty header", Wrong(authorize=lambda header, known, operation: RICH), "AUTH-KEY", "a submission with an empty header was accepted"), ("key.unknown/query: the key without its last character", Wrong(authorize=lambda header, known, operation: RICH), "AUTH-KEY", "a query with the key without its last character was accepted"),
    ("http.submission/two submissions with idempotency-key: 8e03978e-40d5-43dd-bc93-6894a57f9324", Wrong(new_id=lambda tasks: "t"), "TASK-OWN", "two submissions with one idempotency-key got one task"), ("http.query/a query with escapes in the id", state(taskid="u"), "TASK-OWN", "asked for task|a query with escapes in the id tells something else than the plain query"),
    ("field.name/the tier under the name 'size'", Wrong(resolution=lambda value: (next(WIDTHS), 2048)), "WIRE-EXACT", "the tier under the name 'size': width is 2049, not 2048"), ("picture.shape/upright", Wrong(picture=lambda body, taskid, index: body[:-20]), "SERVER-PICTURES", "upright: the picture cannot be decoded: it is cut"),
    ("picture.shape/upright", Wrong(picture=lambda body, taskid, index: b"x"), "SERVER-PICTURES", "upright: what came is not a picture"), ("picture.shape/upright", Wrong(picture=lambda body, taskid, index: body[:16] + b"\0\0\0\1" + body[20:]), "SERVER-PICTURES", r"upright: the picture is of size \(1, 2560\), not \(1440, 2560\)"),
    ("picture.shape/ratio 16:9", state(width=2048, height=1152), "SERVER-PICTURES", r"ratio 16:9: the picture is of size \(2560, 1440\), not \(2048, 1152\)"), ("picture.tier/a higher tier gives larger pictures", Wrong(resolution=lambda value: (4096, 4096)), "RES-TIER", "pictures of 4K are not larger than those of the tier below"),
    ("picture.shape/upright", state(url=["http://127.0.0.1/pictures/x/0.png"]), "SERVER-PICTURES", "a picture's address does not give it"),
    ("picture.identity/two prompts", state(url=["http://127.0.0.1/pictures/x/0.png"]), "SERVER-PICTURES", "two prompts: 1 pictures, not 3"),
]  # fmt: skip
BY_ID = {relation.id: relation for relation in RELATIONS}


def test_of_two_requests_at_once_the_second_has_a_task_of_its_own() -> None:
    with answering(OK | {"data": {"taskid": "t"}}) as server:
        forms = [(text("prompt", "a"),), (text("prompt", "b"),)]
        replies = [server.submit(parts) for parts in forms]
        found = violation(lambda: together._taken(server, forms, replies))
    assert (found.rule, found.what.partition(";")[0]) == ("TASK-OWN", "two submissions at the same time got one task")


def test_a_form_is_abandoned_only_on_a_server_that_is_there() -> None:
    class Gone(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("gone", request=request)

    gone = ServerUnderTest("http://127.0.0.1", RICH, judge.FACTS, Gone())
    with gone as server, pytest.raises(httpx.ConnectError, match="gone"):
        server.abandon([text("prompt", "x")])


@pytest.mark.parametrize(
    ("name", "hooks", "rule", "said"), WRONG, ids=[f"{name} {said[:30]}" for name, _, _, said in WRONG]
)
def test_what_is_said_of_a_wrong_server(name: str, hooks: Hooks, rule: str, said: str) -> None:
    relation, _, example = name.partition("/")
    service = MemoryServer(keys(), hooks)
    [chosen] = [one for one in BY_ID[relation].derive(judge.FACTS) if one.name == example]
    with under_test(service, service, judge.FACTS) as server:
        found = violation(lambda: chosen.run(server))
    assert found.rule in rule.split("|")
    with pytest.raises(AssertionError, match=f"^({said})"):
        raise AssertionError(found.what)
    if not any(one in said for one in ("got", "downloads", "twice was charged")):
        assert "curl -sS -X" in found.curl
