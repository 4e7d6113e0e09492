"""The sandbox's parts, called directly: what a fault makes of a reply, what a refusal says, what is recorded."""

# ruff: noqa: E501 -- one case a line reads as a table

import gzip
import json
from typing import Any

import pytest
from seedream_sandbox import Sandbox
from seedream_sandbox.faults.language import parse_fault
from seedream_sandbox.faults.reply_faults import apply_reply_fault
from seedream_sandbox.http import Request, Response, failure, mask, reply
from seedream_sandbox.service.refusal import Refusal
from seedream_sandbox.service.resolution import picture_size
from seedream_sandbox.service.validate import _as_json_schema, _shortened
from seedream_sandbox.settings import Settings

ASKED = Request("POST", "/v1/x", "a=b", (), b"")
TAKEN = {"code": 1000, "msg": "ok", "data": {"taskid": "abc", "more": [1]}}
BYTES = json.dumps(TAKEN, separators=(",", ":")).encode()
JSON = (("content-type", "application/json"),)


def changed(fault: str, response: Response | None = None, previous: str = "before") -> Response:
    return apply_reply_fault(parse_fault(fault), ASKED, response or reply(TAKEN), previous)


def less(*names: str, **more: Any) -> dict[str, Any]:
    return {**TAKEN, "data": {name: value for name, value in {**TAKEN["data"], **more}.items() if name not in names}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("fault", "envelope"),
    [
        ("mistyped", {**less(taskid=891568578), "code": "1000"}), ("no-data", {"code": 1000, "msg": "ok"}), ("null-data", {"code": 1000, "msg": "ok", "data": None}), ("no-taskid", less("taskid")), ("duplicate-taskid", less(taskid="before")),
        ("unknown-code code=77 taskid=yes", {**TAKEN, "code": 77}), ("unknown-code code=77 taskid=no", {**less("taskid"), "code": 77}), ("unknown-fields", {**less(trace={"node": 7, "notes": [None, True, 1.5]}), "requestid": "req-1"}),
    ],
)  # fmt: skip
def test_a_fault_edits_the_envelope(fault: str, envelope: dict[str, Any]) -> None:
    response = changed(fault)
    assert (response.status, response.headers, response.json()) == (200, JSON, envelope)
    assert " " not in response.body.decode()


def test_a_fault_edits_what_is_there_and_nothing_else() -> None:
    assert changed("duplicate-taskid", previous="").json() == TAKEN
    assert changed("mistyped", failure("no")).json() == {"code": "9999", "msg": "no"}
    assert (
        changed("no-taskid", failure("no")).json()
        == changed("no-data", failure("no")).json()
        == {"code": 9999, "msg": "no"}
    )
    for body in (b"\xff\xd8 a picture", b"[1]", b""):
        plain = Response(200, (), body)
        assert changed("mistyped", plain) is plain


@pytest.mark.parametrize(
    ("fault", "status", "headers", "body"),
    [
        ("status status=503", 503, JSON, '{"code":9999,"msg":"HTTP status 503, by the fault asked for"}'), ("status status=503 retry_after=7", 503, (*JSON, ("retry-after", "7")), '{"code":9999,"msg":"HTTP status 503, by the fault asked for"}'),
        ("status status=204 retry_after=7", 204, (("retry-after", "7"),), ""), ("status status=304", 304, (), ""), ("status status=500 body=empty", 500, (), ""), ("rate-limit retry_after=5", 429, (*JSON, ("retry-after", "5")), '{"code":9999,"msg":"too many requests"}'),
        ("no-credits", 200, JSON, '{"code":9000,"msg":"insufficient credits"}'), ("no-credits data=null", 200, JSON, '{"code":9000,"msg":"insufficient credits","data":null}'), ("no-credits data=empty", 200, JSON, '{"code":9000,"msg":"insufficient credits","data":{}}'),
        ("failure msg=odd", 200, JSON, '{"code":9999,"msg":"odd"}'), ("redirect status=302", 302, (("location", "/v1/x?a=b"),), ""), ("redirect status=307 to=http://h/", 307, (("location", "http://h/"),), ""), ("empty status=200", 200, JSON, ""),
        ("picture-expired", 403, (("content-type", "application/xml"),), '<?xml version="1.0" encoding="UTF-8"?><Error><Message>Request has expired</Message></Error>'), ("picture-missing", 404, (("content-type", "application/xml"),), '<?xml version="1.0" encoding="UTF-8"?><Error><Message>No such picture</Message></Error>'),
        ("picture-forbidden", 403, (("content-type", "application/xml"),), '<?xml version="1.0" encoding="UTF-8"?><Error><Message>Access denied</Message></Error>'),
    ],
)  # fmt: skip
def test_a_fault_answers_instead_of_the_service(
    fault: str, status: int, headers: tuple[tuple[str, str], ...], body: str
) -> None:
    response = changed(fault)
    assert (response.status, tuple(response.headers), response.body.decode()) == (status, headers, body)


@pytest.mark.parametrize("fault", ["html status=502", "status status=502 body=html"])
def test_a_fault_answers_with_a_page(fault: str) -> None:
    response = changed(fault)
    assert (response.status, response.headers[0]) == (502, ("content-type", "text/html"))
    assert response.body.startswith(b"<!doctype html><html><head><title>Bad gateway</title>")


@pytest.mark.parametrize(
    ("fault", "headers", "body", "padding", "chunked"),
    [
        ("truncated-json keep=7", JSON, BYTES[:7], 0, False), ("huge-reply bytes=99", JSON, BYTES, 99, False), ("picture-oversized bytes=99", JSON, BYTES, 99, False), ("chunked", JSON, BYTES, 0, True), ("wrong-type type=text/plain", (("content-type", "text/plain"),), BYTES, 0, False),
        ("wrong-encoding encoding=br", (*JSON, ("content-encoding", "br")), BYTES, 0, False), ("gzip", (*JSON, ("content-encoding", "gzip")), BYTES, 0, False), ("picture-truncated keep=0.5", JSON, BYTES[: len(BYTES) // 2], 0, False), ("picture-truncated keep=1", JSON, BYTES, 0, False),
        ("duplicate-keys key=taskid value=x", JSON, BYTES.replace(b'"taskid":', b'"taskid":"x","taskid":'), 0, False), ("duplicate-keys key=code value=7", JSON, BYTES.replace(b'"code":', b'"code":7,"code":'), 0, False), ("picture-trailing bytes=11 chunked=no", JSON, BYTES + b"trailingtra", 0, False),
        ("picture-trailing bytes=8 chunked=yes", JSON, BYTES + b"trailing", 0, True), ("picture-bomb bytes=3000000", (*JSON, ("content-encoding", "gzip")), bytes(3_000_000), 0, False),
    ],
)  # fmt: skip
def test_a_fault_changes_bytes_or_headers(
    fault: str, headers: tuple[tuple[str, str], ...], body: bytes, padding: int, chunked: bool
) -> None:
    response = changed(fault)
    shown = gzip.decompress(response.body) if ("content-encoding", "gzip") in headers else response.body
    assert (response.status, tuple(response.headers), shown, response.padding, response.chunked) == (
        200,
        headers,
        body,
        padding,
        chunked,
    )


def test_a_corrupt_picture_differs_in_64_bytes_in_its_middle() -> None:
    whole = bytes(range(256)) * 2
    found = changed("picture-corrupt", Response(200, (), whole)).body
    assert [at for at in range(512) if found[at] != whole[at]] == list(range(256, 320))
    assert (found[256], len(found)) == (whole[256] ^ 0x5A, 512)


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("Bearer abcdefghijkl", "Bearer ***kl (12 characters)"),
        ("abcdefghijk", "*** (11 characters)"),
        ("", "*** (0 characters)"),
        ("sk-secret-1234567", "***67 (17 characters)"),
        ("a b cccccccccccccc", "*** (18 characters)"),
        ("Bearer sk-secret-1234567 x", "Bearer *** (19 characters)"),
        ("Bearer \t sk-secret-1234567", "Bearer \t ***67 (17 characters)"),
        ("bearer\tsk-secret-1234567", "bearer\t***67 (17 characters)"),
        ("sk-secret-1234567 Bearer", "*** (24 characters)"),
        ('"Bearer sk-secret-1234567"', "*** (26 characters)"),
        ('Bearer "sk-secret-1234567"', "Bearer *** (19 characters)"),
        ("Bearer sk-secret-1234567, Bearer sk-secret-1234567", "Bearer *** (43 characters)"),
        ("Bearer\nsk-secret\n1234567", "Bearer\n*** (17 characters)"),
        ("Bearer", "*** (6 characters)"),
        ("Bearer:sk-secret-1234567", "*** (24 characters)"),
        ("Basic dXNlcjpwYXNz", "Basic *** (12 characters)"),
        ('Digest username="u", response="0123456789abcdef"', "Digest *** (41 characters)"),
        ("session=secret; b=2", "*** (19 characters)"),
        ("session=secret-cookie", "*** (21 characters)"),
    ],
)
def test_a_credential_is_masked(secret: str, shown: str) -> None:
    assert mask(secret) == shown


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("authorization", True), ("proxy-authorization", True), ("cookie", True), ("set-cookie", True),
        ("x-api-key", True), ("api-key", True), ("x-auth-token", True), ("x-amz-security-token", True),
        ("accept", False), ("content-type", False), ("idempotency-key", False), ("x-request-id", False),
        ("x-sandbox-fault", False),
    ],
)  # fmt: skip
def test_headers_that_hold_a_secret_are_masked_each_time(name: str, hidden: bool) -> None:
    request = Request("GET", "/", headers=((name, "a-secret=1 b"), (name, "a-secret=2 c")))
    assert hidden == ("secret" not in str(request.masked_headers))
    assert 2 == len(request.masked_headers)


@pytest.mark.parametrize(
    ("resolution", "rule", "said"),
    [
        ("5:4", "RES-RATIO", "'5:4' is not a ratio, a tier or WIDTHxHEIGHT"), ("3K", "RES-TIER", "'3K' is not a ratio"), ("x" * 70, "RES-FORMAT", f"{'x' * 60!r} is not a ratio"), ("1920x1919", "RES-PIXELS", "1920x1919 is 3,684,480 pixels, outside 3,686,400 to 16,777,216"),
        ("4096x4097", "RES-PIXELS", "4096x4097 is 16,781,312 pixels, outside"), ("3686399x1", "RES-PIXELS", "3686399x1 is 3,686,399 pixels"), ("16777217x1", "RES-PIXELS", "16777217x1 is 16,777,217 pixels"),
    ],
)  # fmt: skip
def test_a_resolution_is_refused_by_its_rule(resolution: str, rule: str, said: str) -> None:
    with pytest.raises(Refusal) as caught:
        picture_size(resolution)
    assert (caught.value.rule, caught.value.field) == (rule, "resolution")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("resolution", "size"),
    [
        ("3686400x1", (3686400, 1)),
        ("1x16777216", (1, 16777216)),
        ("1920x1920", (1920, 1920)),
        ("4096x4096", (4096, 4096)),
    ],
)
def test_a_size_at_a_bound_is_made(resolution: str, size: tuple[int, int]) -> None:
    assert picture_size(resolution) == size


def test_a_validator_s_message_is_cut_after_300_characters() -> None:
    assert [_shortened("a" * length) for length in (299, 300, 301)] == ["a" * 299, "a" * 300, "a" * 300 + "..."]


@pytest.mark.parametrize(
    ("openapi", "schema"),
    [
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}), ({"maximum": 1, "exclusiveMaximum": True}, {"exclusiveMaximum": 1}), ({"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}), ({"exclusiveMaximum": True}, {}), ({"exclusiveMinimum": 3}, {"exclusiveMinimum": 3}),
        ({"type": "string", "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}), ({"nullable": True}, {"nullable": True}), ({"type": "string", "nullable": False}, {"type": "string", "nullable": False}), ([{"minimum": 1, "exclusiveMinimum": True}, 5], [{"exclusiveMinimum": 1}, 5]),
    ],
)  # fmt: skip
def test_openapi_s_own_words_become_json_schema(openapi: Any, schema: Any) -> None:
    assert _as_json_schema(openapi) == schema


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({}, ("polls", 2, 1.0)),
        ({"latency": 3.5}, ("time", 2, 3.5)),
        ({"latency": 0}, ("time", 2, 0)),
        ({"progress": "time"}, ("time", 2, 1.0)),
        ({"progress": "polls", "polls": 5, "latency": 3.5}, ("polls", 5, 3.5)),
        ({"progress": "instant"}, ("instant", 2, 1.0)),
    ],
)
def test_tasks_progress_by_polls_unless_a_latency_is_set(
    settings: dict[str, Any], rule: tuple[str, int, float]
) -> None:
    found = Settings(**settings).progress_rule
    assert (found.progress, found.polls, found.latency) == rule


def test_what_is_refused_is_recorded_as_such() -> None:
    service = Sandbox(max_body=10).service
    large = service.handle(Request("POST", "/v1/images/infobytaskid", "", (), b"x" * 11)).response
    assert (large.status, large.json()) == (413, {"code": 9999, "msg": "the request is too large"})
    assert service.handle(Request("POST", "/v1/images/infobytaskid", "", (), b"x" * 10)).response.status != 413
    odd = service.handle(
        Request("POST", "/v1/images/infobytaskid", "", (("x-sandbox-fault", "no-such-fault"),), b"")
    ).response
    records = list(service.requests.values())
    assert (odd.status, [record.verdict for record in records][::2]) == (400, ["refused", "refused"])
    assert (records[0].message, records[0].status) == ("the request is too large", 413)
