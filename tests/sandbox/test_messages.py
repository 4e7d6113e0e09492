"""Every sentence that the sandbox says, whole: of wrong faults, refused requests, the inspector, and a log's lines."""

# ruff: noqa: E501 -- one sentence a line reads as a table

import json
import re
import time
from pathlib import Path
from typing import Any, Final

import pytest
from sandbox.sandbox_client import DELETE, QUERY, SUBMIT
from seedream_sandbox import KINDS, FaultError, ManualClock, RequestRecord, Sandbox, load_plan, parse_fault, usage
from seedream_sandbox.faults.language import header_faults, make_fault, prompt_faults
from seedream_sandbox.http import Request
from seedream_sandbox.inspector.routes import JsonApi, written
from seedream_sandbox.service.multipart import MalformedForm, decode_form
from seedream_sandbox.service.refusal import Refusal, rule_of
from tensorslab_images import limits
from tensorslab_images.rules import RULES

KEY: Final = (("authorization", "Bearer k"),)
JSON: Final = (*KEY, ("content-type", "application/json"))
NAMES: Final = ", ".join(KINDS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"a fault has a name: one of {NAMES}"), (" ", f"a fault has a name: one of {NAMES}"), ("nonsense", f"there is no fault 'nonsense'; there are {NAMES}"), ("cut-reply-now", "there is no fault 'cut-reply-now'; did you mean 'cut-reply'?"),
        ("status-100", "there is no fault 'status-100'; did you mean 'status'?"), ("cut-reply nth", "'nth' in the fault 'cut-reply nth' is not option=value"), ("cut-reply after=3", "the fault 'cut-reply' has no option 'after'; there are how, at, billed, every, match, nth, probability, times"),
        ("cut-body aftr=3 zz=1", "the fault 'cut-body' has no option 'aftr'; did you mean 'after'?"), ("cut-body after=many", "after='many' of the fault 'cut-body' is not like '10'"), ("delay seconds=-1", "seconds='-1' of the fault 'delay' is out of range"), ("delay seconds=nan", "seconds='nan' of the fault 'delay' is out of range"),
        ("cut-body after=1000000000001", "after='1000000000001' of the fault 'cut-body' is out of range"), ("cut-reply nth=2,0", "nth='0' of the fault 'cut-reply' is out of range"), ("cut-reply probability=50", "probability='50' of the fault 'cut-reply' is out of range"), ("cut-reply probability=1.01", "probability='1.01' of the fault 'cut-reply' is out of range"), ("cut-reply nth=x", "nth='x' of the fault 'cut-reply' is not like '0'"), ("cut-reply nth=1,", "nth='' of the fault 'cut-reply' is not like '0'"), ("cut-reply every=x", "every='x' of the fault 'cut-reply' is not like '0'"),
        ("cut-reply times=x", "times='x' of the fault 'cut-reply' is not like '0'"), ("cut-reply probability=x", "probability='x' of the fault 'cut-reply' is not like '1.0'"), ("cut-reply billed=perhaps", "billed='perhaps' of the fault 'cut-reply' is not like 'true'"), ("failure billed=perhaps", "billed='perhaps' of the fault 'failure' is not like 'false'"),
        ("cut-reply at=moon", "'moon' is not a scope of a fault; there are connect, submit, query, delete, picture, any"), ("cut-reply at=querry", "'querry' is not a scope of a fault; did you mean 'query'?"), ("cut-accept at=submit", "the fault 'cut-accept' cannot be at 'submit'"), ("cut-reply at=connect", "the fault 'cut-reply' cannot be at 'connect'"),
        ("cut-request match=x", "the fault 'cut-request' acts before the prompt is read, so it cannot match one"), ("html status=199", "status='199' of the fault 'html' is not a final HTTP status (200 to 599)"), ("status status=600", "status='600' of the fault 'status' is not a final HTTP status (200 to 599)"), ("cut-reply how=softly", "how='softly' of the fault 'cut-reply' is not one of fin, rst"),
        ("drip-part part=heads", "part='heads' of the fault 'drip-part' is not one of status-line, headers, body, chunk-size, chunk-extension, trailer"), ("stuck state=done", "state='done' of the fault 'stuck' is not one of queued, processing"), ("no-credits data=x", "data='x' of the fault 'no-credits' is not one of absent, null, empty"),
        ("status body=xml", "body='xml' of the fault 'status' is not one of json, html, empty"), ("duplicate-keys key=x", "key='x' of the fault 'duplicate-keys' is not one of code, msg, data, taskid"),
    ],
)  # fmt: skip
def test_a_fault_that_is_written_wrongly(text: str, message: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse_fault(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "shown", "when"),
    [
        ("cut-body after=1000000000000", "cut-body after=1000000000000 how=fin", ("submit", True, (), 0, 1.0, 0, "")), ("status-200", "status status=200 body=json retry_after=", ("submit", False, (), 0, 1.0, 0, "")), ("status-499", "status status=499 body=json retry_after=", ("submit", False, (), 0, 1.0, 0, "")),
        ("status-500", "status status=500 body=json retry_after=", ("submit", True, (), 0, 1.0, 0, "")), ("status status=599 billed=No", "status status=599 body=json retry_after=", ("submit", False, (), 0, 1.0, 0, "")), ("html status=400", "html status=400", ("submit", True, (), 0, 1.0, 0, "")), ("unknown-status status=600", "unknown-status status=600 polls=2", ("submit", True, (), 0, 1.0, 0, "")),
        ("cut-reply billed=YES at=any nth=3,1 every=2 probability=0.5 times=4 match=a=b", "cut-reply how=fin", ("any", True, (3, 1), 2, 0.5, 4, "a=b")), ("picture-trailing chunked=no", "picture-trailing bytes=100 chunked=false", ("picture", True, (), 0, 1.0, 0, "")), ("cut-accept", "cut-accept how=rst", ("connect", False, (), 0, 1.0, 0, "")),
        ("slow-upload rate=5", "slow-upload rate=5", ("submit", True, (), 0, 1.0, 0, "")), ("cut-request match=", "cut-request after=0 how=rst", ("submit", False, (), 0, 1.0, 0, "")),
    ],
)  # fmt: skip
def test_a_fault_as_it_is_read(text: str, shown: str, when: tuple[Any, ...]) -> None:
    fault = parse_fault(text)
    assert (str(fault), fault.name) == (
        shown,
        text.split(maxsplit=1)[0].partition("-" if text.startswith("status-") else "|")[0],
    )
    assert (fault.at, fault.billed, fault.nth, fault.every, fault.probability, fault.times, fault.match) == when


def test_settings_that_are_typed_already_are_taken() -> None:
    fault = make_fault("status-503", {"billed": False, "nth": [2, 3], "probability": 0, "status": 500})
    assert (fault["status"], fault.billed, fault.nth, fault.probability) == (500, False, (2, 3), 0.0)
    assert make_fault("failure", {"nth": 7}).nth == (7,)
    assert make_fault("failure", {"nth": (7, "8")}).nth == (7, 8)


def test_faults_of_a_header_and_of_a_prompt() -> None:
    assert [str(one) for one in header_faults(" cut-reply; delay seconds=2 ;; ")] == [
        "cut-reply how=fin",
        "delay seconds=2.0",
    ]
    assert (header_faults(None), header_faults(";")) == ([], [])
    with pytest.raises(FaultError) as caught:
        header_faults("delay; cut-accept")
    assert str(caught.value) == "the fault 'cut-accept' acts before a header is read: put it into a plan"
    assert len(list(prompt_faults("[[fault:delay]]" * 60))) == 50, "the first fifty"
    for length, found in ((200, 1), (201, 0)):
        assert len(list(prompt_faults(f"a [[fault:{'failure msg='.ljust(length, 'x')}]] b"))) == found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"faults:\n  - failure\n  - cut-replly", "entry 2 of the fault plan plan.yaml: there is no fault 'cut-replly'; did you mean 'cut-reply'?"), (b"faults: [7]", "entry 1 of the fault plan plan.yaml is neither text nor a mapping"), (b"faults: [{after: 1}]", f"entry 1 of the fault plan plan.yaml: there is no fault ''; there are {NAMES}"),
        (b"faults: cut-reply", "the fault plan plan.yaml has no list named faults"), (b"- cut-reply", "the fault plan plan.yaml has no list named faults"), (b"", "the fault plan plan.yaml has no list named faults"), (b"a: &a [x]\nfaults: *a", "the fault plan plan.yaml cannot be read: aliases (*name) are not allowed: write each entry out"),
        (b"faults: []\n#".ljust(256 * 1024 + 1, b"x"), "the fault plan plan.yaml cannot be read: it is larger than 256 kB"),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_plan_that_is_wrong(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(FaultError) as caught:
        load_plan(path)
    assert str(caught.value) == message


def test_a_plan_of_exactly_256_kb_with_each_kind_of_entry(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes("faults: [failure msg=雾, {fault: cut-body, after: 3}]\n#".encode().ljust(256 * 1024, b"x"))
    assert [str(one) for one in load_plan(path)] == ["failure msg=雾", "cut-body after=3 how=fin"]
    with pytest.raises(FaultError, match=r"the fault plan none.yaml cannot be read: .*No such file"):
        load_plan(tmp_path / "none.yaml")


def part(head: str, *more: str, content: bytes = b"x") -> bytes:
    lines = [f"Content-Disposition: {head}", *more]
    return b"--b\r\n" + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


TYPE: Final = "multipart/form-data; boundary=b"
ONE: Final = part('form-data; name="a"')


@pytest.mark.parametrize(
    ("content_type", "body", "wrong"),
    [
        (None, b"x", "there is a body but no Content-Type"), ("text/plain", b"x", "the media type is 'text/plain', not multipart/form-data"), ("y/" + "x" * 100, b"x", f"the media type is {('y/' + 'x' * 100)[:80]!r}, not multipart/form-data"), ("multipart/form-data", b"x", "the Content-Type names no boundary"),
        ("multipart/form-data; boundary=", b"", "the Content-Type names no boundary"), (TYPE, ONE, "the form does not parse: Invalid form-data cannot parse beyond State.DATA"), (TYPE, form(part('form-data; name="\xb5"')), "a part's header is not UTF-8"), (TYPE, form(ONE) + form(ONE), "a line of the form does not end in CR LF"), (TYPE, form(*[ONE] * 1001), "the form has more than 1000 parts"),
        (TYPE, form(ONE).replace(b"\r\n", b"\n"), "a line of the form does not end in CR LF"), (TYPE, form(part('form-data; name="a"', "X-One: 1", "x-one: 2")), "a part has the header 'x-one' twice"), (TYPE, form(part('attachment; name="a"')), "a part is not form-data with a name"), (TYPE, form(part("form-data")), "a part is not form-data with a name"),
        (TYPE, form(part('form-data; name="a"; NAME ="b"')), "a part has the parameter 'name' twice"), (TYPE, form(part('form-data; name="a"; filename="x"; filename="y"')), "a part has the parameter 'filename' twice"), (TYPE, form(part('form-data; name="a"', "Content-Transfer-Encoding: base64")), "a part has a Content-Transfer-Encoding, which RFC 7578 does not allow"),
    ],
    ids=range(16),
)  # fmt: skip
def test_a_body_that_is_not_a_form(content_type: str | None, body: bytes, wrong: str) -> None:
    with pytest.raises(MalformedForm) as caught:
        decode_form(content_type, body)
    refusal = caught.value
    assert (refusal.rule, refusal.field, refusal.message) == ("SCHEMA", "", f"SCHEMA the body is not a form: {wrong}.")


def test_a_form_that_is_unusual_is_read() -> None:
    assert (decode_form(None, b""), decode_form(TYPE, b"")) == ((), ())
    assert len(decode_form("Multipart/Form-Data; boundary=b", form(*[ONE] * 1000))) == 1000
    head = part(
        'form-data; filename="; name=x"; name="a"',
        "Content-Type: text/Plain; charset=GBK",
        "CONTENT-TRANSFER-ENCODING:  8BIT ",
    )
    (found,) = decode_form(TYPE, form(head))
    assert (found.name, found.filename, found.content_type, found.content, found.charset) == (
        "a",
        "; name=x",
        "text/Plain; charset=GBK",
        b"x",
        "GBK",
    )
    assert [name for name, _ in found.headers] == ["content-disposition", "content-type", "content-transfer-encoding"]


def asked(
    sandbox: Sandbox, path: str, body: bytes = b"", method: str = "POST", headers: Any = JSON, **more: Any
) -> tuple[int, Any, RequestRecord]:
    """Ask the service itself; return the status, the decoded envelope (or the text), and the record."""
    response = sandbox.service.handle(Request(method, path, more.pop("query", ""), headers, body, **more)).response
    text = response.body.decode()
    return response.status, json.loads(text) if text.startswith("{") else text, sandbox.requests[-1]


def sent(*parts: bytes) -> dict[str, Any]:
    return {"body": form(*parts), "headers": (*KEY, ("content-type", TYPE))}


PROMPT: Final = part('form-data; name="prompt"')


def quoted(rule: str) -> str:
    return f" [{RULES[rule].sentence.strip()}]"


@pytest.mark.parametrize(
    ("path", "request_", "rule", "message"),
    [
        (SUBMIT, sent(), "PROMPT-REQUIRED", f"prompt: missing.{quoted('PROMPT-REQUIRED')}"), (SUBMIT, sent(part('form-data; name="prompt"', content=b" \r\n ")), "PROMPT-REQUIRED", f"prompt: empty.{quoted('PROMPT-REQUIRED')}"), (SUBMIT, sent(PROMPT, PROMPT), "PROMPT-REQUIRED", "prompt: given 2 times, but it is a single value."),
        (SUBMIT, sent(part('form-data; name="prompt"; filename="a"')), "PROMPT-REQUIRED", "prompt: sent as a file, but it is a text field."), (SUBMIT, sent(part('form-data; name="prompt"', "Content-Type: text/plain; charset=gbk")), "PROMPT-REQUIRED", "prompt: declared as 'gbk', but text is sent as UTF-8."), (SUBMIT, sent(part('form-data; name="prompt"', content=b"\xff")), "PROMPT-REQUIRED", "prompt: not UTF-8 text."),
        (SUBMIT, sent(PROMPT, part('form-data; name="batchsize"', content=b"+" * 61)), "BATCH-RANGE", f"batchsize: {'+' * 60!r} is not of type integer.{quoted('BATCH-RANGE')}"), (SUBMIT, sent(PROMPT, part('form-data; name="batchsize"', content=b"16")), "BATCH-RANGE", f"batchsize: 16 is greater than the maximum of 15.{quoted('BATCH-RANGE')}"),
        (SUBMIT, sent(PROMPT, part('form-data; name="sourceImage"')), "SOURCE-IMAGE", "sourceImage: a part without a file name is a text field, not a file."), (QUERY, {"body": b"{}"}, "SCHEMA", "taskid: missing."), (QUERY, {"body": b"[]"}, "SCHEMA", "the body is not a JSON object."), (QUERY, {"body": b"{"}, "SCHEMA", "the body is not JSON (JSONDecodeError)."),
        (QUERY, {"body": b'{"taskid":"a","taskid":"b"}'}, "SCHEMA", "the body is not JSON (ValueError)."), (QUERY, {"body": b'{"taskid":NaN}'}, "SCHEMA", "the body is not JSON (ValueError)."), (QUERY, {"body": b'{"taskid":["\\ud800"]}'}, "SCHEMA", "the body holds text that is not Unicode."), (QUERY, {"body": b"{}", "headers": KEY}, "SCHEMA", "the media type is '', not application/json."),
        (QUERY, {"body": b"{}", "headers": (*KEY, ("content-type", " Text/" + "x" * 90 + " ;q"))}, "SCHEMA", f"the media type is {('text/' + 'x' * 90)[:80]!r}, not application/json."), (QUERY, {"body": b'{"taskid":"no"}'}, "TASK-ID", "there is no such task"),
        (DELETE, {"body": b'{"taskids":"' + b"x" * 400 + b'"}'}, "SCHEMA", 'taskids: "' + "x" * 299 + "..."),
    ],
    ids=range(19),
)  # fmt: skip
def test_a_request_that_is_refused(path: str, request_: dict[str, Any], rule: str, message: str) -> None:
    sandbox = Sandbox()
    status, envelope, record = asked(sandbox, path, **request_)
    assert (status, envelope["code"], record.verdict, sandbox.charges) == (200, 9999, "refused", [])
    assert (record.rule, envelope["msg"][: len(f"{rule} {message}")]) == (rule, f"{rule} {message}")
    assert (rule not in RULES or ":" not in message or envelope["msg"].endswith(quoted(rule))) is True
    assert record.message == envelope["msg"]


@pytest.mark.parametrize(("path", "body"), [(QUERY, b'{"taskid": "t"}'), (DELETE, b'{"taskids": ["t"]}')])
@pytest.mark.parametrize(
    ("media_type", "taken"),
    [
        ("application/json", True), ("Application/JSON", True), ("application/json ; charset=utf-8", True),
        ("text/json", False), ("application/problem+json", False), ("application/json-seq", False), ("json", False),
        ("application/jsonl", False), ("x-application/json", False), ("application/x-www-form-urlencoded", False),
    ],
)  # fmt: skip
def test_json_is_of_the_page_s_media_type(path: str, body: bytes, media_type: str, taken: bool) -> None:
    _, envelope, record = asked(Sandbox(), path, body, headers=(*KEY, ("content-type", media_type)))
    assert (record.rule != "SCHEMA", envelope["msg"].startswith("SCHEMA the media type is ")) == (taken, not taken)


@pytest.mark.parametrize(
    ("path", "request_", "status", "said", "rule"),
    [
        ("/v1/" + "n" * 300, {}, 404, f"there is no path {('/v1/' + 'n' * 300)[:200]!r}", ""), (QUERY, {"method": "GET"}, 405, "method not allowed", ""), (QUERY, {"headers": ()}, 401, "AUTH-HEADER no API key: send Authorization: Bearer KEY", "AUTH-HEADER"),
        (QUERY, {"headers": (("authorization", "Bearer other"),)}, 401, "wrong API key", "AUTH-HEADER"), (QUERY, {"headers": (("authorization", "Bearer " + "k" * 501),)}, 401, "AUTH-HEADER no API key: send Authorization: Bearer KEY", "AUTH-HEADER"),
        (QUERY, {"headers": (("authorization", "Bearer " + "k" * 500),)}, 401, "wrong API key", "AUTH-HEADER"), (QUERY, {"headers": (*KEY, ("x-sandbox-fault", "nonsens"))}, 400, f"x-sandbox-fault: there is no fault 'nonsens'; there are {NAMES}", ""),
    ],
    ids=range(7),
)  # fmt: skip
def test_a_request_that_no_operation_answers(path: str, request_: Any, status: int, said: str, rule: str) -> None:
    found, envelope, record = asked(Sandbox(keys=("k",)), path, **request_)
    assert (found, envelope, record.account) == (status, {"code": 9999, "msg": said}, 0)
    assert (record.verdict, record.rule, record.message) == ("refused", rule, said)
    assert (record.status, record.code) == (status, 9999)


@pytest.mark.parametrize(
    "value", ["Bearer", "bearer", "BEARER ", " Bearer", "Bearer Bearer", "Basic k", "", " ", "k k", "Bearer k\x7f"]
)
def test_a_word_without_a_key_is_no_key_where_any_key_is_taken(value: str) -> None:
    status, _, record = asked(Sandbox(), QUERY, b'{"taskid":"x"}', headers=(*JSON[1:], ("authorization", value)))
    assert (status, record.rule) == (401, "AUTH-HEADER")
    for good in ("k", "Bearer k", "BEARER k", " bearer  k "):
        assert asked(Sandbox(), QUERY, b'{"taskid":"x"}', headers=(*JSON[1:], ("authorization", good)))[0] == 200, good


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be changed here")
def test_times_are_utc_whatever_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(clock=ManualClock(1_700_000_000))
    taskid = asked(sandbox, SUBMIT, **sent(PROMPT))[1]["data"]["taskid"]
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        data = asked(sandbox, QUERY, json.dumps({"taskid": taskid}).encode())[1]["data"]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert data["starttime"] == "2023-11-14 22:13:20"


@pytest.mark.parametrize(
    ("header", "path", "images", "acts"),
    [
        ("cut-request", SUBMIT, False, True), ("cut-request", QUERY, False, False), ("cut-request at=query", QUERY, False, True), ("cut-request at=any", QUERY, False, True), ("cut-request at=any", "/x", True, True), ("slow-upload at=any", QUERY, False, True), ("cut-request at=any", "/x", False, True), ("delay at=any", QUERY, False, False),
    ],
)  # fmt: skip
def test_a_header_s_fault_acts_on_its_requests_before_their_body_is_read(
    header: str, path: str, images: bool, acts: bool
) -> None:
    sandbox = Sandbox()
    incoming = sandbox.service.receive(Request("POST", path, headers=(("x-sandbox-fault", header),), images=images))
    assert incoming.fault == (parse_fault(header) if acts else None)
    shown = [(one.verdict, one.faults, one.status) for one in sandbox.requests]
    assert shown == ([("fault cut-request", ["cut-request"], 0)] if acts and "cut" in header else [])


def test_a_request_that_a_fault_or_the_balance_refuses() -> None:
    sandbox = Sandbox(credits=1, faults=["cut-reply billed=no nth=1"])
    assert asked(sandbox, SUBMIT, **sent(PROMPT))[:2] == (
        200,
        {"code": 9999, "msg": "not processed, because a fault asked for it"},
    )
    marked = sent(part('form-data; name="prompt"', content=b"[[fault:cut-reply billed=no]]"))
    assert asked(sandbox, SUBMIT, **marked)[:2] == (
        200,
        {"code": 9999, "msg": "not processed, because a fault asked for it"},
    )
    two = part('form-data; name="batchsize"', content=b"2")
    status, envelope, record = asked(sandbox, SUBMIT, **sent(PROMPT, two))
    assert (status, envelope) == (200, {"code": 9000, "msg": "Insufficient credits"})
    assert (record.verdict, record.rule, record.account, record.message) == (
        "refused",
        "CODE-MEANING",
        1,
        "Insufficient credits",
    )


def test_a_task_from_submission_to_deletion() -> None:
    sandbox = Sandbox(clock=ManualClock(1_700_000_000), progress="instant", keys=("j", "k"))
    _, envelope, record = asked(sandbox, SUBMIT, **sent(PROMPT))
    taskid = envelope["data"]["taskid"]
    assert envelope == {"code": 1000, "msg": "Task created successfully", "data": {"taskid": taskid}}
    assert (taskid[:9], len(taskid)) == ("sb000001_", 25)
    assert (record.taskid, record.charged, record.account, record.at, record.number) == (taskid, 1, 2, 1_700_000_000, 1)
    assert (record.fields, record.body_size) == ({"prompt": ["x"]}, len(form(PROMPT)))
    _, envelope, record = asked(sandbox, QUERY, json.dumps({"taskid": taskid}).encode(), images_url="http://i")
    assert (envelope["code"], envelope["msg"], record.taskid) == (1000, "success", taskid)
    assert record.fields == {"taskid": [taskid]}
    (url,) = envelope["data"]["url"]
    assert re.fullmatch(rf"http://i/results/{taskid}/0\?Expires=1700086400&Signature=[0-9a-f]{{32}}", url)
    _, envelope, record = asked(sandbox, DELETE, json.dumps({"taskids": [taskid]}).encode())
    assert envelope == {"code": 1000, "msg": "success", "data": {"status": "Success"}}
    assert (record.fields, record.taskid, record.verdict) == ({"taskids": [[taskid]]}, "", "accepted")
    _, envelope, record = asked(sandbox, QUERY, json.dumps({"taskid": "n" * 201}).encode())
    assert (envelope, record.taskid, record.rule) == (
        {"code": 9999, "msg": "TASK-ID there is no such task"},
        "n" * 200,
        "TASK-ID",
    )


def xml(text: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Message>{text}</Message></Error>'


@pytest.mark.parametrize(
    ("request_", "status", "text", "recorded"),
    [
        ({}, 404, "no such picture", ("refused", "", "no such picture")), ({"path": "/results/{}/0"}, 403, "the URL is not signed", ("refused", "", "the URL is not signed")), ({"path": "/results/{}/0", "query": "Expires=1" + "0" * 12 + "&Signature=a"}, 403, "the URL is not signed", ("refused", "", "the URL is not signed")),
        ({"path": "/results/{}/0", "query": "Expires=1" + "0" * 11 + "&Signature=a"}, 403, "the signature is wrong", ("refused", "", "the signature is wrong")), ({"path": "/results/{}/0", "query": "&".join(["a=1"] * 21)}, 403, "the URL is not signed", ("refused", "", "the URL is not signed")),
        ({"method": "PUT"}, 405, "method not allowed", ("refused", "", "method not allowed")), ({"headers": (("x-api-key", "a"), ("cookie", "b"), ("accept", "c"))}, 400, "CREDENTIAL LEAK: the header cookie, x-api-key must never come here", ("refused", "RESULT-EXPIRY", "CREDENTIAL LEAK: the header cookie, x-api-key must never come here")),
    ],
    ids=range(7),
)  # fmt: skip
def test_a_request_that_the_image_host_refuses(
    request_: Any, status: int, text: str, recorded: tuple[str, str, str]
) -> None:
    sandbox = Sandbox(progress="instant")
    taskid = asked(sandbox, SUBMIT, **sent(PROMPT))[1]["data"]["taskid"]
    given = {"path": "/x", "method": "GET", "headers": (), "images": True, **request_}
    found, said, record = asked(sandbox, given.pop("path").format(taskid), **given)
    assert (found, said, record.host, record.taskid) == (status, xml(text), "images", "")
    assert (record.verdict, record.rule, record.message) == recorded
    leak = "request 2 to the image host carried the header cookie, x-api-key"
    assert sandbox.leaks == ([leak] if status == 400 else [])


def test_leaks_are_kept_as_long_as_requests_are() -> None:
    sandbox = Sandbox(keep=2)
    for _ in range(3):
        asked(sandbox, "/x", method="GET", images=True)
    assert [leak.split()[1] for leak in sandbox.leaks] == ["1", "2"]


@pytest.mark.parametrize(
    ("rule", "field", "sentence", "message"),
    [
        ("SCHEMA", "", "", "SCHEMA wrong."), ("SCHEMA", "a", "  said ", "SCHEMA a: wrong. [said]"), ("NO-SUCH-RULE", "a", "said", "SCHEMA a: wrong. [said]"),
        ("BATCH-RANGE", "batchsize", "not this", f"BATCH-RANGE batchsize: wrong.{quoted('BATCH-RANGE')}"),
    ],
)  # fmt: skip
def test_a_refusal_has_rule_field_fault_and_the_vendor_s_sentence(
    rule: str, field: str, sentence: str, message: str
) -> None:
    assert Refusal(rule, field, "wrong", sentence).message == message


def test_each_field_has_the_rule_whose_pointer_ends_at_it() -> None:
    found = {spec.name: rule_of(limits.SUBMIT, spec) for spec in limits.SUBMIT.fields}
    assert {name: found[name] for name in ("batchsize", "sourceImage")} == {
        "batchsize": "BATCH-RANGE",
        "sourceImage": "SOURCE-IMAGE",
    }
    assert set(found.values()) <= {*RULES, "SCHEMA"}
    for name, rule in found.items():
        assert rule == "SCHEMA" or f"/properties/{name}" in RULES[rule].pointer


@pytest.mark.parametrize(
    ("record", "line"),
    [
        ({}, "    7  POST  seedreamv45  no reply  accepted"), ({"status": 200, "code": 1000, "charged": 2, "taskid": "t"}, "    7  POST  seedreamv45  200 1000  accepted  2 charged  t"), ({"status": 404, "host": "images", "path": "/results/t/0", "taskid": "t"}, "    7  POST  picture 0  404  accepted"),
        ({"status": 200, "code": 9999, "verdict": "refused", "rule": "R", "faults": ["delay", "cut"]}, "    7  POST  seedreamv45  200 9999  refused  R  delay  cut"), ({"verdict": "fault delay", "faults": ["delay", "cut"]}, "    7  POST  seedreamv45  no reply  fault delay  cut"),
        ({"path": "/", "method": "PROPFIND!", "number": 123456}, "123456  PROPFIND  /  no reply  accepted"), ({"path": "/" + "x" * 61}, f"    7  POST  {'x' * 60}  no reply  accepted"), ({"path": "/a\n\x1b[31m"}, "    7  POST  a??[31m  no reply  accepted"),
    ],
)  # fmt: skip
def test_a_request_in_one_line(record: dict[str, Any], line: str) -> None:
    given = {"number": 7, "at": 0.0, "method": "POST", "path": SUBMIT, "host": "api", **record}
    assert RequestRecord(**given).line == line


def inspected(api: JsonApi, action: str, query: str = "") -> tuple[int, Any]:
    method, _, name = action.partition(" ")
    status, media_type, body = api.answer(method, name, query)
    assert media_type == "application/json"
    return status, json.loads(body)


@pytest.mark.parametrize(
    ("action", "query", "status", "said"),
    [
        ("GET nothing", "", 404, "there is no GET nothing; see the documentation of the sandbox"), ("PUT state", "", 404, "there is no PUT state; see the documentation of the sandbox"), ("POST faults", "", 400, f"a fault has a name: one of {NAMES}"), ("POST faults", "fault=", 400, f"a fault has a name: one of {NAMES}"),
        ("POST faults", "fault=failure&fault=x", 400, f"there is no fault 'x'; there are {NAMES}"), ("POST credits", "", 400, "balance='' is not a whole number from 0 to 999999999"), ("POST credits", "balance=1000000000", 400, "balance='1000000000' is not a whole number from 0 to 999999999"),
        ("POST credits", "balance=" + "x" * 41, 400, f"balance={'x' * 40!r} is not a whole number from 0 to 999999999"), ("POST credits", "balance=5&balance=", 400, "balance='' is not a whole number from 0 to 999999999"), ("POST credits", "balance=1&account=" + "9" * 41, 404, f"there is no account {'9' * 40!r}"),
        ("POST reset", "&".join(["a=1"] * 21), 400, "the query is malformed"), ("GET thumbs/none/0", "", 404, "there is no such picture"),
    ],
)  # fmt: skip
def test_the_inspector_says_what_is_wrong(action: str, query: str, status: int, said: str) -> None:
    assert inspected(JsonApi(Sandbox().service, {}), action, query) == (status, {"error": said})


def test_the_inspector_sets_what_is_right() -> None:
    sandbox = Sandbox(credits=5)
    api = JsonApi(sandbox.service, {})
    assert inspected(api, "POST credits", "&".join(["a=1"] * 18) + "&balance=999999999&account=1") == (
        200,
        {"credits": 999_999_999},
    )
    assert sandbox.credits == 999_999_999
    added = inspected(api, "POST faults", "fault=cut-body+nth%3D2,3")[1]
    assert (added["in_force"], added["kinds"]["cut-body"]) == (
        ["cut-body after=10 how=fin at=submit nth=2,3"],
        {"summary": KINDS["cut-body"].summary, "at": "submit", "options": {"after": 10, "how": "fin"}},
    )
    assert inspected(api, "DELETE faults")[1]["in_force"] == []
    assert inspected(api, "POST reset") == (200, {"credits": 5})


def test_the_state_has_all_of_a_task_and_the_latest_of_all() -> None:
    clock = ManualClock(1_700_000_000)
    sandbox = Sandbox(clock=clock, credits=500, price=2, keys=("k", "j"), faults=["delay seconds=0 nth=9"])
    api = JsonApi(sandbox.service, {"base_url": "http://b"})
    url = part('form-data; name="imageUrl"', content=b"https://x/a.png")
    source = part('form-data; name="sourceImage"; filename="a.png"')
    taskid = asked(
        sandbox, SUBMIT, **sent(part('form-data; name="prompt"', content=b"y" * 3000 + b"[[fault:stuck]]"), url, source)
    )[1]["data"]["taskid"]
    state = inspected(api, "GET state")[1]
    (task,) = state["tasks"]
    assert (inspected(api, "HEAD tasks")[1], state["task_count"]) == ([task], 1)
    assert task == {
        "id": taskid, "prompt": "y" * 2000, "resolution": "2K", "images": 1, "width": 2048, "height": 2048, "created": 1_700_000_000, "sources": 1,
        "image_url": "https://x/a.png", "request": 1, "deleted": False, "status": 2, "state": "processing", "faults": ["stuck state=processing"],
    }  # fmt: skip
    assert (state["base_url"], state["credits"], state["started_with"], state["charged"], state["leaks"]) == (
        "http://b",
        998,
        1000,
        1,
        [],
    )
    assert state["accounts"] == [
        {"number": 1, "balance": 498, "start": 500},
        {"number": 2, "balance": 500, "start": 500},
    ]
    assert state["faults"] == ["delay seconds=0.0 at=submit nth=9"]
    assert state["requests"][0]["fields"]["prompt"] == ["y" * 2000 + "..."]
    assert state["requests"][0]["fields"]["imageUrl"] == ["https://x/a.png"]
    for number in range(130):
        asked(sandbox, SUBMIT, **sent(part('form-data; name="prompt"', content=b"%d" % number)))
    state = inspected(api, "GET state")[1]
    assert [one["prompt"] for one in state["tasks"]] == [str(number) for number in range(129, 9, -1)]
    assert [one["number"] for one in state["requests"]] == list(range(131, 11, -1))
    assert (state["task_count"], state["verdicts"]) == (131, {"accepted": 131, "refused": 0, "fault": 0})


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("failure", "failure msg=internal failure at=submit"), ("failure nth=1,2 every=3 probability=0.25 times=4 match=ab at=any", "failure msg=internal failure at=any nth=1,2 every=3 probability=0.25 times=4 match=ab"),
        ("failure probability=1", "failure msg=internal failure at=submit"), ("picture-missing", "picture-missing at=picture"),
    ],
)  # fmt: skip
def test_a_fault_in_force_is_written_as_it_is_read(fault: str, text: str) -> None:
    assert written(parse_fault(fault)) == text


def test_how_to_use_a_started_sandbox() -> None:
    sandbox = Sandbox(keys=("k-1", "k-2"))
    assert usage(sandbox) == (
        "Sandbox of the service at http://127.0.0.1:1: no cost, nothing leaves this machine. Ctrl-C stops it.",
        "  export TENSORSLAB_BASE_URL=http://127.0.0.1:1 TENSORSLAB_API_KEY=k-1",
        "  curl http://127.0.0.1:1/v1/images/seedreamv45 -H 'Authorization: Bearer k-1' -F 'prompt=a lighthouse at dawn'",
        "  look inside: http://127.0.0.1:1/",
    )
    with pytest.raises(KeyError, match="there is no account with this key"):
        sandbox.balance("k-3")
