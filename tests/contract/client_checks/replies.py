"""What a client makes of the reply to a submission, or of its loss: paid at most once, and what was paid for is kept.

Which error follows, what it says of the money, and how often the submission was sent, is decided by a small model of the
promises (``fate``); the examples are the products of statuses, codes, bodies, framings and faults.
"""

import datetime as dt
import gzip
import itertools
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import httpx
from attrs import evolve, frozen
from contract.client_checks.relation import (
    SIGNATURE,
    ClientRelation,
    Example,
    Outcome,
    call,
    call_failing,
    require,
    submits,
)
from contract.client_checks.under_test import KEY, TASK, ClientUnderTest
from contract.recording_server import RecordingServer, ScriptedReply, chunked, envelope
from seedream import RetryPolicy, Timeouts, errors
from seedream_testing.contract.api_facts import ApiFacts
from support.clock import FakeClock
from support.scripted_server import refusing_url

_JSON: Final = {"content-type": "application/json"}
_STATUSES: Final = (
    *range(200, 452),
    499,
    500,
    501,
    502,
    503,
    504,
    505,
    507,
    508,
    511,
    520,
    521,
    522,
    523,
    524,
    525,
    526,
    527,
    529,
    530,
    598,
    599,
    600,
    999,
)
_BODILESS: Final = (204, 205, 304)
LARGE: Final = b"\xff\xd8\xff" + b"x" * 8_000_000  # more than the buffers of two sockets hold


@frozen
class Fate:
    """What must become of one attempt.

    Attributes:
        kind: The error's class; None for a task.
        billing: As the error must say.
        retryable: As the error must say.
        again: How often it may be sent again: not at all, once, or as the policy says.
    """

    kind: type[errors.SeeDreamError] | None
    billing: str = "no"
    retryable: bool = False
    again: str = "never"


UNKNOWN: Final = Fate(errors.SubmissionUnknown, "unknown")
_LIMITED: Final = Fate(errors.RateLimited, retryable=True, again="policy")
_TIMED_OUT: Final = Fate(errors.NotSent, again="once")
_NOT_SENT: Final = Fate(errors.NotSent, retryable=True, again="policy")


def fate(facts: ApiFacts, status: int, code: int | None, taskid: str | None) -> Fate:
    """What must become of a submission that got a whole reply."""
    if 200 <= status < 300:
        if code in (facts.failure, facts.no_credits):
            refusal = errors.Rejected if code == facts.failure else errors.InsufficientCredits
            return UNKNOWN if taskid else Fate(refusal)
        return Fate(None, "yes") if taskid and code is not None else UNKNOWN
    if taskid:
        return UNKNOWN
    by_status: dict[int, Fate] = {429: _LIMITED, 408: _TIMED_OUT, 401: Fate(errors.AuthError), 403: Fate(errors.AuthError),
                                  **dict.fromkeys((301, 307, 308, 404, 405), Fate(errors.ConfigError))}  # fmt: skip
    return by_status.get(status) or (Fate(errors.Rejected) if 400 <= status < 500 else UNKNOWN)


def check_fate(
    outcome: Outcome, meant: Fate, rule: str, *, taskid: str | None = None, requests: int | None = None
) -> Any:
    """Whether what became of it is what must.

    Raises:
        Violation: It is not.
    """
    if meant.kind is None:
        task = outcome.expect(None, rule=rule, requests=requests)
        require(
            getattr(task, "id", None) == taskid, f"it gave {task!r}, not task {taskid!r}", "TASK-ID", outcome.sent[-1]
        )
        return task
    error = outcome.expect(
        meant.kind, rule=rule, requests=requests, billing=meant.billing, retryable=meant.retryable, taskid=taskid
    )
    require(error.hint, f"{error!r} gives no hint", rule)
    return error


def _reply_example(
    name: str,
    reply: ScriptedReply,
    meant: Fate,
    rule: str,
    taskid: str | None = None,
    options: dict[str, Any] | None = None,
) -> Example:
    def run(subject: ClientUnderTest) -> None:
        tries = {"never": 1, "once": 2, "policy": 3}[meant.again]
        with RecordingServer(subject.accepted()) as elsewhere:
            there = {
                name: value.replace("ELSEWHERE", elsewhere.url) if value else value
                for name, value in reply.headers.items()
            }
            outcome = call(
                subject, submits(**(options or {})), evolve(reply, headers=there), retry=RetryPolicy(attempts=3)
            )
            require(not elsewhere.connections, "it went to where the reply points", "KEY-PRIVATE")
        error = check_fate(outcome, meant, rule, taskid=taskid, requests=tries)
        if meant.kind and reply.wire is None and reply.cut is None and not 300 <= reply.status < 400:
            require(
                error.reply is not None and error.reply.status == reply.status,
                f"the reply is not on {error!r}",
                "PAY-KNOWN",
            )
            plain = (
                reply.status not in _BODILESS
                and len(reply.body) < 500
                and "content-encoding" not in reply.headers
                and SIGNATURE.encode() not in reply.body
            )
            require(
                not plain or error.reply.body == reply.body,
                f"the body on the error is {error.reply.body!r}",
                "PAY-KNOWN",
            )

    return Example(name, run)


def _kept_headers(subject: ClientUnderTest) -> None:
    kept = {
        "retry-after": "7",
        "x-request-id": "req-1",
        "content-type": "text/html",
        "date": "Thu, 26 Nov 2026 12:00:00 GMT",
        "server": "nginx",
    }
    dropped = {"set-cookie": "crumb=1", "x-other": "1", "authorization": "Bearer x", "proxy-authenticate": "Basic"}
    reply = ScriptedReply(503, b"<html>busy</html>", {**kept, **dropped})
    error = call(subject, submits(), reply).expect(errors.SubmissionUnknown, rule="PAY-ONCE", requests=1)
    found = {name: error.reply.headers.get(name) for name in kept}
    require(found == kept, f"of the headers {found} are on the error", "PAY-KNOWN")
    require(
        not {"set-cookie", "authorization", "proxy-authenticate"} & set(error.reply.headers),
        f"{error.reply.headers} are on the error",
        "KEY-PRIVATE",
    )


def _statuses(facts: ApiFacts) -> Iterator[Example]:
    """Each status, with and without a task id in its body."""
    for status in _STATUSES:
        code = facts.success if status < 300 else facts.failure
        bare = json.dumps({"code": code, "msg": "why it is so"}).encode()
        headers = {**_JSON, "location": f"ELSEWHERE{facts.submit}"} if 300 <= status < 400 else _JSON
        body = b"" if status in _BODILESS else bare
        yield _reply_example(
            f"HTTP {status}",
            ScriptedReply(status, body, headers),
            fate(facts, status, code if body else None, None),
            "PAY-ONCE",
        )
        if status not in _BODILESS:
            with_id = json.dumps({"code": code, "msg": "", "data": {"taskid": TASK}}).encode()
            yield _reply_example(
                f"HTTP {status} with a task id",
                ScriptedReply(status, with_id, headers),
                fate(facts, status, code, TASK),
                "PAY-KNOWN",
                TASK,
            )
        if status >= 400:
            for after in ("0", "1") if status in (408, 413, 425, 429, 500, 502, 503, 504) else ("0",):
                reply = ScriptedReply(status, b"<html>busy</html>", {"content-type": "text/html", "retry-after": after})
                yield _reply_example(
                    f"HTTP {status}, Retry-After {after}", reply, fate(facts, status, None, None), "PAY-ONCE"
                )
    yield Example("what helps to find a fault is kept, and no cookie", _kept_headers)
    for status in (201, 202, 203, 206, 226, 299):
        body = json.dumps({"code": facts.no_credits, "msg": "no"}).encode()
        yield _reply_example(
            f"HTTP {status} without credits",
            ScriptedReply(status, body, _JSON),
            fate(facts, status, facts.no_credits, None),
            "CODE-MEANING",
        )
    for status in (400, 402, 409, 422, 500, 503):
        for code in (facts.success, facts.failure, facts.no_credits):
            body = json.dumps({"code": code, "msg": "try again", "data": {}}).encode()
            yield _reply_example(
                f"HTTP {status} and code {code}",
                ScriptedReply(status, body, _JSON),
                fate(facts, status, code, None),
                "PAY-ONCE",
            )


# Codes that another service may mean success by, or that look like one that is known.
def _codes(facts: ApiFacts) -> Iterator[Example]:
    """Each code, with and without a task, with other words beside it."""
    known = (facts.success, facts.failure, facts.no_credits)
    numbers = {*range(-2, 12), 100, *range(200, 207), 302, *range(400, 406), 408, 409, 422, 429, 500, 503, 999, 2000, 8999, 9998, 10_000, 10**12, -(10**12), 2**31, 2**63,
               *(code + step for code in known for step in (-1, 0, 1)), *(-code for code in known), *(10 * code for code in known), *(code + 2**16 for code in known), *(code + 2**32 for code in known)}  # fmt: skip
    words = (
        "busy, try again later",
        "rate limit exceeded",
        "success",
        "Task created successfully",
        "insufficient credits",
        "服务繁忙，请稍后重试",
    )
    for code in sorted(numbers):
        for taskid, data in ((None, {}), (None, None), (TASK, {"taskid": TASK})):
            name = f"code {code} with {data}"
            yield _reply_example(
                name, envelope(code, data, "why it is so"), fate(facts, 200, code, taskid), "CODE-MEANING", taskid
            )
    for code in (*known, 1234, 429, 0):
        for said in words:
            yield _reply_example(
                f"code {code}: {said}", envelope(code, None, said), fate(facts, 200, code, None), "CODE-MEANING"
            )
    for code in (
        "ok",
        "success",
        "",
        "error",
        True,
        False,
        None,
        [],
        {},
        [facts.success],
        {"code": facts.success},
        facts.success + 0.5,
        "1e3",
        "0x3e8",
        "10 00",
    ):
        yield _reply_example(f"code {code!r}", envelope(code, {}), UNKNOWN, "CODE-MEANING")
    missing = json.dumps({"msg": "", "data": {"taskid": TASK}}).encode()
    yield _reply_example("no code, and a task id", ScriptedReply(200, missing, _JSON), UNKNOWN, "CODE-MEANING", TASK)
    for code in ("ok", "", True, False, None, [], {}, facts.success + 0.5):
        yield _reply_example(
            f"code {code!r} with a task id", envelope(code, {"taskid": TASK}), UNKNOWN, "CODE-MEANING", TASK
        )
    for code in (str(facts.success), float(facts.success)):
        yield _reply_example(
            f"code {code!r} with a task id", envelope(code, {"taskid": TASK}), Fate(None), "PAY-KNOWN", TASK
        )
    for code, kind in ((facts.failure, errors.Rejected), (facts.no_credits, errors.InsufficientCredits)):
        for spelled in (str(code), float(code)):
            yield _reply_example(f"code {spelled!r}", envelope(spelled), Fate(kind), "CODE-MEANING")
        extras: tuple[dict[str, Any], ...] = (
            {"data": None},
            {"data": []},
            {"data": ""},
            {"data": 0},
            {"data": {"taskid": ""}},
            {"data": {"taskid": None}},
            {"data": {"url": None}},
            {"more": {"a": [1]}},
            {"msg": None},
            {"msg": 5},
            {"msg": {}},
        )
        for extra in extras:
            body = json.dumps({"code": code, "msg": "why", **extra}).encode()
            yield _reply_example(
                f"code {code} with {extra}", ScriptedReply(200, body, _JSON), Fate(kind), "CODE-NO-DATA"
            )

        def told(subject: ClientUnderTest, code: int = code) -> None:
            for said in ("why it is so", "提示词不合规", "the prompt is too long: 3 of 2"):
                outcome = call(subject, submits(), envelope(code, None, said))
                require(
                    said in str(outcome.error),
                    f"the error does not tell what the server said: {outcome.error}",
                    "CODE-MEANING",
                )
                rule = getattr(outcome.error, "rule", None)
                require(rule == "CODE-MEANING", f"the error names the rule {rule}", "CODE-MEANING")

        yield Example(f"code {code}: the server's words", told)


# --- task ids ---------------------------------------------------------------------------------------------------------
_IDS: Final = (TASK, "1", "a", "0012", "AbCd-XyZ_0", "a.b", "a b", "a:b", "a/b", "任务-1", "é", "x" * 64, "x" * 65, "x" * 128, "x" * 200, "00000000-0000-4000-8000-000000000000",
               "-1", "1e5", "'quoted'", "{braces}", "a+b", "~", "*", "None", "NULL", "undefined", "0")  # fmt: skip
_NO_IDS: Final[tuple[Any, ...]] = (
    "",
    " ",
    "\n",
    "a\nb",
    "a\0b",
    "\u200b\u2028",
    "null",
    "true",
    "false",
    "x" * 201,
    f"https://example.com/?sig={SIGNATURE}",
    None,
    True,
    False,
    [],
    {},
    1.5,
    [TASK][0:0],
)


def _ids(facts: ApiFacts) -> Iterator[Example]:
    """An id is any printable text; it is kept as it came, wherever in the reply it is."""
    for taskid in _IDS:
        yield _reply_example(
            f"task id {taskid[:30]!r}", envelope(facts.success, {"taskid": taskid}), Fate(None), "TASK-ID", taskid
        )
        plain = json.dumps({"code": facts.success, "msg": "", "data": {"taskid": taskid}}, ensure_ascii=False).encode()
        yield _reply_example(
            f"task id {taskid[:30]!r} in UTF-8", ScriptedReply(200, plain, _JSON), Fate(None), "TASK-ID", taskid
        )
    for number in (1, 1234567890, 10**18, 2**63, 10**30):
        yield _reply_example(
            f"task id {number} as a number",
            envelope(facts.success, {"taskid": number}),
            Fate(None),
            "PAY-KNOWN",
            str(number),
        )
    for bad in _NO_IDS:
        yield _reply_example(
            f"task id {str(bad)[:30]!r}", envelope(facts.success, {"taskid": bad}), UNKNOWN, "PAY-KNOWN"
        )
    places: dict[str, dict[str, Any]] = {
        "data.task_id": {"data": {"task_id": TASK}}, "data.taskId": {"data": {"taskId": TASK}}, "the top": {"taskid": TASK}, "the top, data empty": {"taskid": TASK, "data": {}},
        "a list": {"data": [{"taskid": TASK}]}, "a list in data": {"data": {"tasks": [{"taskid": TASK}]}}, "deep": {"data": {"a": {"b": {"c": {"taskid": TASK}}}}},
        "beside a blank one": {"data": {"taskid": ""}, "task": {"taskid": TASK}}, "beside other fields": {"data": {"url": ["https://i.example/1"], "taskid": TASK, "n": None}},
    }  # fmt: skip
    for place, document in places.items():
        for code, status in ((facts.success, 200), (facts.failure, 200), (facts.success, 500), (4711, 502)):
            body = json.dumps({"code": code, "msg": "", **document}).encode()
            yield _reply_example(
                f"a task id in {place}, code {code}, HTTP {status}",
                ScriptedReply(status, body, _JSON),
                fate(facts, status, code, TASK),
                "PAY-KNOWN",
                TASK,
            )
    good = json.dumps({"code": facts.success, "msg": "", "data": {"taskid": TASK}}).encode()
    for name, body in {"without its end": good[:-1], "without two signs": good[:-2], "and more": good + b"}", "twice": good + good, "after words": b"ok " + good, "in HTML": b"<pre>" + good + b"</pre>",
                       "in single quotes but for the id": b"{'code':1000," + good[good.index(b'"data"'):], "with a comma too many": good[:-2] + b",}}", "in a log": b'[info] {"taskid":"' + TASK.encode() + b'", done'}.items():  # fmt: skip
        yield _reply_example(f"JSON {name}", ScriptedReply(200, body, _JSON), UNKNOWN, "PAY-KNOWN", TASK)

    both = json.dumps(
        {
            "taskid": "t-9",
            "code": facts.success,
            "msg": "",
            "task_id": "t-8",
            "data": {"task_id": "t-7", "taskid": TASK},
        }
    ).encode()
    yield _reply_example("several task ids", ScriptedReply(200, both, _JSON), Fate(None), "TASK-ID", TASK)

    def kept(subject: ClientUnderTest) -> None:
        for images in (None, 1, 2, 15):
            outcome = call(subject, submits(batchsize=images), subject.accepted())
            task = check_fate(outcome, Fate(None), "TASK-ID", taskid=TASK)
            require(
                task.images == (images or subject.facts.default_pictures),
                f"the handle says images={task.images} for {images}",
                "PAY-KNOWN",
            )

    yield Example("the handle's number of images", kept)


# --- framings ---------------------------------------------------------------------------------------------------------
def _framings(facts: ApiFacts) -> Iterator[Example]:
    """A reply means the same in every framing and encoding; one that is not JSON, or too long, means nothing."""
    good = json.dumps({"code": facts.success, "msg": "好的", "data": {"taskid": TASK}}, ensure_ascii=False).encode()
    refusal = json.dumps({"code": facts.no_credits, "msg": "credits"}).encode()
    for label, body, meant, taskid in (
        ("success", good, Fate(None), TASK),
        ("no credits", refusal, Fate(errors.InsufficientCredits), None),
    ):
        head = b"HTTP/1.1 200 OK\r\n"
        plain = b"content-type: application/json\r\n"
        length = b"content-length: %d\r\n" % len(body)
        wires = {
            "chunks": head + plain + b"transfer-encoding: chunked\r\n\r\n" + chunked(body), "chunks of one byte": head + b"transfer-encoding: chunked\r\n\r\n" + chunked(body, 1),
            "chunks with extensions and trailers": head + b"transfer-encoding: chunked\r\n\r\n" + b"%x;a=b\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (len(body), body),
            "no length": head + plain + b"\r\n" + body, "HTTP/1.0": b"HTTP/1.0 200 OK\r\n" + length + b"\r\n" + body, "no reason": b"HTTP/1.1 200\r\n" + length + b"\r\n" + body,
            "a long reason": b"HTTP/1.1 200 " + "没问题".encode() * 20 + b"\r\n" + length + b"\r\n" + body, "headers in capitals": head + length.upper() + b"\r\n" + body,
            "many headers": head + b"".join(b"x-%d: %d\r\n" % (number, number) for number in range(60)) + length + b"\r\n" + body,
            "after 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\n" + head + length + b"\r\n" + body, "after 103 Early Hints": b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" + head + length + b"\r\n" + body,
            "a cookie": head + b"set-cookie: a=b\r\n" + length + b"\r\n" + body, "another Content-Type": head + b"content-type: text/html\r\n" + length + b"\r\n" + body,
        }  # fmt: skip
        for name, wire in wires.items():
            yield _reply_example(f"{label}: {name}", ScriptedReply(wire=wire), meant, "PAY-KNOWN", taskid)
        kinds = {"gzip": gzip.compress(body), "deflate": zlib.compress(body), "GZIP": gzip.compress(body)}
        for coding, packed in kinds.items():
            yield _reply_example(
                f"{label}: {coding}",
                ScriptedReply(200, packed, {"content-encoding": coding}),
                meant,
                "PAY-KNOWN",
                taskid,
            )
        for name, other in {"a byte order mark": b"\xef\xbb\xbf" + body, "blanks around": b" \r\n\t" + body + b"\n\n", "indented": json.dumps(json.loads(body), indent=4).encode(),
                            "escaped": json.dumps(json.loads(body)).encode(), "more fields": json.dumps({**json.loads(body), "requestid": "r", "extra": {"a": [None, 1.5]}}).encode()}.items():  # fmt: skip
            yield _reply_example(f"{label}: {name}", ScriptedReply(200, other, _JSON), meant, "PAY-KNOWN", taskid)
        long = json.dumps({**json.loads(body), "pad": "x" * 500_000}).encode()
        yield _reply_example(f"{label}: half a megabyte", ScriptedReply(200, long, _JSON), meant, "PAY-KNOWN", taskid)
        yield _reply_example(
            f"{label}: a byte at a time", ScriptedReply(200, body, _JSON, pause=0.0005), meant, "PAY-KNOWN", taskid
        )
        yield _reply_example(
            f"{label}: too long",
            ScriptedReply(200, body[:-1] + b" " * 1_100_000 + b"}", _JSON),
            UNKNOWN,
            "PAY-ONCE",
            taskid,
        )
    other_way = b'{"code":%d,"code":%d,"msg":""}' % (facts.success, facts.failure)
    yield _reply_example(
        "a body with a code twice, the refusal last", ScriptedReply(200, other_way, _JSON), UNKNOWN, "PAY-ONCE"
    )
    twice = b'{"code":%d,"code":%d,"msg":""}' % (facts.failure, facts.success)
    for name, body in {"empty": b"", "null": b"null", "a number": b"1000", "text": b'"ok"', "a list": b"[]", "HTML": b"<html>busy</html>", "half": good[:9], "UTF-16": '{"code":9999}'.encode("utf-16"), "a code twice": twice,
                       "single quotes": b"{'code': 9999, 'msg': ''}", "Latin-1": b'{"msg":"\xe9"}', "deep": b"[" * 100_000, "binary": bytes(range(256)), "a form": b"code=9999&msg=no", "a comment": b'{"code":9999} // no',
                       "NaN": b'{"code": NaN}', "huge": b'{"code": 1' + b"0" * 5000 + b"}", "XML": b"<code>9999</code>", "a refusal without its end": refusal[:-1], "blank": b"  \n"}.items():  # fmt: skip
        yield _reply_example(f"a body that is {name}", ScriptedReply(200, body, _JSON), UNKNOWN, "PAY-ONCE")


# --- faults -----------------------------------------------------------------------------------------------------------
def _cuts(facts: ApiFacts) -> Iterator[Example]:
    """Wherever request or reply breaks off, the outcome is unknown, and nothing is sent again."""
    good = envelope(facts.success, {"taskid": TASK, "url": "https://i.example/1"})
    head, body = good.raw
    total = len(head) + len(body)

    def cut(subject: ClientUnderTest, reply: ScriptedReply, known: bool | None) -> None:
        outcome = call(subject, submits(), reply)
        error = outcome.expect(
            errors.SubmissionUnknown, rule="PAY-ONCE", requests=1, billing="unknown", retryable=False
        )
        require(
            error.phase == "sent_full" and len(error.digest) == 64,
            f"{error!r} has phase={error.phase}, digest={error.digest!r}",
            "PAY-KNOWN",
        )
        require(
            error.taskid in ({True: (TASK,), False: (None,), None: (None, TASK)}[known]),
            f"{error!r} has taskid={error.taskid!r}",
            "PAY-KNOWN",
        )

    seen = total - len(body) + body.index(TASK.encode()) + len(TASK) + 3
    for place in (*range(0, len(head), 9), *range(len(head), total, 3), total - 1):
        known = place >= seen if place >= len(head) else False
        yield Example(
            f"the reply is cut after {place} bytes",
            partial(cut, reply=evolve(good, cut=place), known=known if abs(place - seen) > 4 else None),
        )
        if place % 5 == 0:
            yield Example(
                f"the reply is reset after {place} bytes",
                partial(cut, reply=evolve(good, cut=place, end="reset"), known=None),
            )
    for status in (200, 400, 401, 408, 429, 500, 503):
        for code in (facts.failure, facts.no_credits, None):
            body_ = b"" if code is None else json.dumps({"code": code, "msg": ""}).encode()
            headers = {**_JSON, "content-length": str(len(body_) + 50)}
            yield Example(
                f"HTTP {status}, code {code}, cut",
                partial(cut, reply=ScriptedReply(status, body_, headers), known=False),
            )
            wire = f"HTTP/1.1 {status} Cut\r\ntransfer-encoding: chunked\r\n\r\n".encode() + chunked(
                body_ or b" ", whole=False
            )
            yield Example(
                f"HTTP {status}, code {code}, chunks without their end",
                partial(cut, reply=ScriptedReply(wire=wire), known=False),
            )
    for name, wire in {"garbage": b"\0\1garbage\r\n\r\n", "another protocol": b"SSH-2.0-x\r\n", "no status": b"HTTP/1.1\r\n\r\n", "words": b"busy\r\n", "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
                       "an endless header": b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000, "a bad chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "a length of letters": b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
                       "only 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\n"}.items():  # fmt: skip
        yield Example(f"the reply is {name}", partial(cut, reply=ScriptedReply(wire=wire), known=False))

    def broken(subject: ClientUnderTest, read: int, files: list[bytes], phases: Sequence[str]) -> None:
        outcome = call(subject, submits(source_images=files), subject.accepted(), breaks=[read])
        error = outcome.expect(
            errors.SubmissionUnknown, rule="PAY-ONCE", requests=1, billing="unknown", retryable=False, taskid=None
        )
        require(outcome.connections == 1, f"{outcome.connections} connections were made", "PAY-ONCE")
        require(error.phase in phases, f"{error!r} has the phase {error.phase}", "PAY-KNOWN")

    for read in (0, 1, 70_000):
        yield Example(
            f"reset after {read:,} bytes of a large body",
            partial(broken, read=read, files=[LARGE], phases=["sent_partial"]),
        )
    for read in (0, 1, 50):
        yield Example(
            f"reset after {read} bytes of a small body",
            partial(broken, read=read, files=[b"\xff\xd8\xffx"], phases=["sent_partial", "sent_full"]),
        )


def _stalls(facts: ApiFacts) -> Iterator[Example]:
    """A reply that does not come in time ends as unknown, in time; nothing is sent again."""
    good = envelope(facts.success, {"taskid": TASK})
    quick = Timeouts(connect=5, write=0.3, submit_read=0.25, query_read=0.25)

    def run(subject: ClientUnderTest, reply: ScriptedReply, options: dict[str, Any]) -> None:
        began = time.monotonic()
        outcome = call(subject, submits(**options), reply, timeouts=quick)
        outcome.expect(errors.SubmissionUnknown, rule="PAY-ONCE", requests=1, billing="unknown", retryable=False)
        require(time.monotonic() - began < 10, "it did not end in time", "ERROR-TREE")

    for name, reply in {"before a byte": evolve(good, cut=0, end="stall"), "in its head": evolve(good, cut=12, end="stall"), "in its body": evolve(good, cut=-5, end="stall"),
                        "dripping": evolve(good, pause=0.05)}.items():  # fmt: skip
        yield Example(f"the reply stalls: {name}", partial(run, reply=reply, options={}))

    def query(subject: ClientUnderTest) -> None:
        began = time.monotonic()
        outcome = call(
            subject,
            lambda client: client.query(TASK),
            evolve(good, cut=12, end="stall"),
            timeouts=quick,
            retry=RetryPolicy(attempts=2),
        )
        outcome.expect(errors.StatusError, rule="STATUS-MEANING", requests=2, billing="yes", taskid=TASK)
        require(time.monotonic() - began < 10, "it did not end in time", "ERROR-TREE")

    yield Example("a query's reply stalls", query)


def _never_sent(facts: ApiFacts) -> Iterator[Example]:
    """What never left is tried again as the policy says, and cost nothing; what may have left is unknown."""
    del facts

    def run(subject: ClientUnderTest, error: Exception, meant: Fate, phases: Sequence[str]) -> None:
        outcome, tried = call_failing(subject, submits(), error)
        found = check_fate(outcome, meant, "PAY-ONCE", taskid=None)
        tries = 3 if meant.again == "policy" else 1
        said = f"{type(error).__name__}: it was tried {tried} times, not {tries}"
        require(tried == tries, said, "PAY-ONCE" if tried > tries else "PAY-KNOWN")
        require(
            not phases or found.phase in phases, f"{found!r} has the phase {getattr(found, 'phase', None)}", "PAY-KNOWN"
        )

    for kind in (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
        httpx.LocalProtocolError,
    ):
        yield Example(kind.__name__, partial(run, error=kind("no"), meant=_NOT_SENT, phases=()))
    for late in (httpx.WriteError, httpx.WriteTimeout):
        yield Example(late.__name__, partial(run, error=late("cut"), meant=UNKNOWN, phases=("sent_partial",)))
    for error in (
        httpx.ReadError("x"),
        httpx.ReadTimeout("x"),
        httpx.RemoteProtocolError("x"),
        httpx.CloseError("x"),
        httpx.DecodingError("x"),
        httpx.NetworkError("x"),
        OSError("x"),
        RuntimeError("x"),
        ValueError("x"),
        TimeoutError("x"),
        ConnectionResetError("x"),
        BrokenPipeError("x"),
    ):
        yield Example(
            type(error).__name__, partial(run, error=error, meant=UNKNOWN, phases=("sent_full", "sent_partial"))
        )

    def nobody(subject: ClientUnderTest) -> None:
        for attempts in (1, 4):
            clock = FakeClock()
            with refusing_url() as url:
                outcome = call(subject, submits(), url=url, clock=clock, retry=RetryPolicy(attempts=attempts))
            check_fate(outcome, _NOT_SENT, "PAY-KNOWN")
            require(
                len(clock.slept) == attempts - 1,
                f"it was tried {len(clock.slept) + 1} times of {attempts}",
                "PAY-KNOWN",
            )

    yield Example("nobody listens", nobody)

    def tls(subject: ClientUnderTest, work: Callable[[Any], Any], kind: type[errors.SeeDreamError]) -> None:
        with _Plain() as url:
            clock = FakeClock()
            outcome = call(subject, work, url=url[0], clock=clock)
            error = outcome.expect(kind, rule="KEY-PRIVATE")
            require(
                kind is not errors.NotSent or not error.retryable,
                f"{error!r} says that it can be tried again",
                "PAY-KNOWN",
            )
            require(url[1]() == 1 and not clock.slept, f"a refused handshake was tried {url[1]()} times", "KEY-PRIVATE")

    yield Example("no TLS: submit", partial(tls, work=submits(), kind=errors.NotSent))
    yield Example("no TLS: query", partial(tls, work=lambda client: client.query(TASK), kind=errors.StatusError))
    yield Example(
        "no TLS: wait", partial(tls, work=lambda client: client.task(TASK).wait(timeout=60), kind=errors.StatusError)
    )


class _Plain:
    """A listener that answers a TLS handshake with plain text; gives its https URL, and how many connections came."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._count = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            while True:
                sock, _ = self._socket.accept()
                self._count += 1
                with sock:
                    sock.recv(65536)
                    sock.sendall(b"HTTP/1.1 400 no TLS here\r\ncontent-length: 0\r\n\r\n")
        except OSError:
            return

    def __enter__(self) -> tuple[str, Callable[[], int]]:
        return f"https://127.0.0.1:{self._socket.getsockname()[1]}", lambda: self._count

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


# --- sequences --------------------------------------------------------------------------------------------------------
def _sequences(facts: ApiFacts) -> Iterator[Example]:
    """Every sequence of replies: it goes on only after what says that nothing was taken, and ends with the first other."""
    replies: dict[str, tuple[ScriptedReply | None, Fate]] = {
        "429": (ScriptedReply(429), _LIMITED), "408": (ScriptedReply(408), _TIMED_OUT), "ok": (envelope(facts.success, {"taskid": TASK}), Fate(None)),
        "503": (ScriptedReply(503), UNKNOWN), "9999": (envelope(facts.failure), Fate(errors.Rejected)), "9000": (envelope(facts.no_credits), Fate(errors.InsufficientCredits)),
        "cut": (None, UNKNOWN), "401": (ScriptedReply(401), Fate(errors.AuthError)), "307": (ScriptedReply(307, headers={"location": "/"}), Fate(errors.ConfigError)),
    }  # fmt: skip

    def run(subject: ClientUnderTest, names: tuple[str, ...], attempts: int) -> None:
        left = [replies[name][0] for name in names]
        clock = FakeClock()
        outcome = call(
            subject,
            submits(source_images=[b"\xff\xd8\xff"]),
            lambda _: left.pop(0) if left else replies["401"][0],
            clock=clock,
            retry=RetryPolicy(attempts=attempts),
        )
        count, last, timed_out = 0, Fate(None), 0
        for name in names:
            count, last = count + 1, replies[name][1]
            timed_out += last.again == "once"
            if (
                last.again == "never"
                or (last.again == "once" and timed_out > 1)
                or (last.again == "policy" and count >= attempts)
            ):
                break
        check_fate(outcome, last, "PAY-ONCE", taskid=TASK if last.kind is None else None, requests=count)
        require(
            len(clock.slept) == count - 1, f"it made {len(clock.slept)} pauses between {count} attempts", "PAY-KNOWN"
        )

    ends = [name for name, (_, meant) in replies.items() if meant.again == "never"]
    for length in range(4):
        for before in itertools.product(("429", "408"), repeat=length):
            if before.count("408") <= 1:
                for end in ends:
                    yield Example(" ".join((*before, end)), partial(run, names=(*before, end), attempts=length + 1))
    for attempts in (1, 2, 3, 5):
        yield Example(f"{attempts} attempts, 429 each time", partial(run, names=("429",) * 9, attempts=attempts))
        yield Example(f"{attempts} attempts, 408 each time", partial(run, names=("408",) * 9, attempts=attempts))
    yield Example("408 429 408", partial(run, names=("408", "429", "408", "ok"), attempts=9))


def _pauses(facts: ApiFacts) -> Iterator[Example]:
    """Pauses grow as the policy says, with jitter, and are never shorter than Retry-After."""

    def grows(subject: ClientUnderTest, policy: RetryPolicy) -> None:
        drawn = set[float]()
        for _ in range(4):
            outcome = call(subject, submits(), ScriptedReply(429), retry=policy)
            outcome.expect(errors.RateLimited, rule="PAY-KNOWN", requests=policy.attempts)
            for number, pause in enumerate(outcome.slept):
                whole = min(policy.cap, policy.base * 2**number)
                require(
                    whole / 2 <= pause <= whole,
                    f"pause {number + 1} was {pause} s, not {whole / 2} to {whole}",
                    "PAY-KNOWN",
                )
                drawn.add(pause / whole)
        require(len(drawn) > 4, "its pauses have no jitter", "PAY-KNOWN")

    for policy in (
        RetryPolicy(attempts=4),
        RetryPolicy(attempts=6, base=1, cap=4),
        RetryPolicy(attempts=5, base=0.1, cap=100),
    ):
        yield Example(f"{policy}", partial(grows, policy=policy))
    del facts

    def asked(subject: ClientUnderTest, value: str, seconds: float | None, date: str | None) -> None:
        headers = {"retry-after": value, **({"date": date} if date else {})}
        answers = [ScriptedReply(429, headers=headers), subject.accepted()]
        outcome = call(subject, submits(), lambda _: answers.pop(0), retry=RetryPolicy(attempts=2, retry_after_cap=120))
        if seconds is not None and seconds > 120:
            outcome.expect(
                errors.RateLimited, rule="PAY-KNOWN", requests=1, retry_after=seconds, billing="no", retryable=True
            )
            return
        outcome.expect(None, rule="PAY-KNOWN", requests=2)
        least = max(seconds or 0.0, 0.25)
        require(
            least <= sum(outcome.slept) <= max(least, 0.5) + 0.001,
            f"it waited {outcome.slept} s of {seconds}",
            "PAY-KNOWN",
        )
        told = call(subject, submits(), ScriptedReply(429, headers=headers), retry=RetryPolicy(attempts=1))
        told.expect(errors.RateLimited, rule="PAY-KNOWN", requests=1, retry_after=seconds, billing="no", retryable=True)

    now = dt.datetime(2026, 11, 26, 12, 0, 0, tzinfo=dt.UTC)
    stamp = "%a, %d %b %Y %H:%M:%S GMT"
    for value in ("0", "1", "3", "7", "45", "119", "120", "121", "3600", "86400", "007"):
        yield Example(f"Retry-After {value}", partial(asked, value=value, seconds=float(value), date=None))
    for value in ("", "soon", "-1", "1.5x", "+", "١٢", "Thu, 99 Foo", "a" * 300):
        if value.isascii():
            yield Example(f"Retry-After {value[:20]!r}", partial(asked, value=value, seconds=None, date=None))
    for later in (0, 30, 90, 600):
        date = (now + dt.timedelta(seconds=later)).strftime(stamp)
        yield Example(
            f"Retry-After a date {later} s later",
            partial(asked, value=date, seconds=float(later), date=now.strftime(stamp)),
        )
    dated = (now + dt.timedelta(seconds=30)).strftime(stamp)
    yield Example("Retry-After a date, and no Date", partial(asked, value=dated, seconds=None, date=None))
    yield Example(
        "Retry-After a date that is past",
        partial(asked, value="Thu, 01 Jan 1970 00:00:00 GMT", seconds=0.0, date=now.strftime(stamp)),
    )


def _odd_words(facts: ApiFacts) -> Iterator[Example]:
    """What a server says is shown on one line, cut, and cannot command a terminal; the whole is on the error."""

    def run(subject: ClientUnderTest, said: str) -> None:
        failed = envelope(facts.success, {"taskid": TASK, "image_status": facts.failed, "error_message": said})
        for work, reply in (
            (submits(), envelope(facts.failure, None, said)),
            (submits(), ScriptedReply(503, said.encode())),
            (lambda client: client.query(TASK), envelope(facts.failure, None, said)),
            (lambda client: client.task(TASK).wait(timeout=5), failed),
        ):
            outcome = call(subject, work, reply, retry=RetryPolicy(attempts=1))
            require(outcome.error is not None, f"it gave {outcome.shown}", "CODE-MEANING")
            shown = str(outcome.error)
            require(len(shown) < 2000 and shown.isprintable(), f"the message is {shown[:300]!r}", "ERROR-TREE")
            body = outcome.error.reply.body if outcome.error and outcome.error.reply else b""
            require(body and reply.body.startswith(body[:500]), f"the error keeps {body[:100]!r}", "PAY-KNOWN")

    for said in (
        "line\nbreak\r\n\ttab",
        "\x1b[31mred\x1b[0m",
        "\x07\x08\0",
        "a" * 100_000,
        "wort " * 20_000,
        "\u202eevil\u2066",
        "{}%s{0}",
        "灯" * 5000,
    ):
        yield Example(f"{said[:20]!r}", partial(run, said=said))


def _echoes(facts: ApiFacts) -> Iterator[Example]:
    """A server that echoes key or signed URLs, anywhere and at each step, brings nothing of them into what is shown."""
    url = f"https://cdn.example/1.png?X-Signature={SIGNATURE}"
    texts = {
        "the key": KEY,
        "the header": f"Bearer {KEY}",
        "a signed URL": url,
        "both": f"{KEY} {url}",
        "the key in JSON": json.dumps({"key": KEY}),
        "the key in quotes": f"'{KEY}'",
        "the key with marks": f"({KEY}),",
    }

    def run(subject: ClientUnderTest, reply: ScriptedReply) -> None:
        for work in (
            submits(),
            lambda client: client.query(TASK),
            lambda client: client.delete(TASK),
            lambda client: client.task(TASK).wait(timeout=5),
        ):
            outcome = call(subject, work, reply, retry=RetryPolicy(attempts=1))
            shown = f"{outcome.value!r} {outcome.value!s}"
            require(KEY not in shown and SIGNATURE not in shown, f"it shows {shown[:200]}", "KEY-PRIVATE")

    for name, said in texts.items():
        for status in (200, 400, 401, 429, 500):
            headers = {**_JSON, "x-echo": said, "set-cookie": f"k={KEY}", "www-authenticate": f"Bearer {KEY}"}
            yield Example(
                f"{name} in an error, HTTP {status}",
                partial(
                    run, reply=ScriptedReply(status, json.dumps({"code": facts.failure, "msg": said}).encode(), headers)
                ),
            )
        yield Example(f"{name} as plain text", partial(run, reply=ScriptedReply(502, said.encode())))
        data = {"taskid": said, "image_status": facts.failed, "error_message": said, "url": [url]}
        yield Example(f"{name} as data", partial(run, reply=envelope(facts.success, data)))
        yield Example(f"{name} as a reason", partial(run, reply=envelope(facts.success, {**data, "taskid": TASK})))
        yield Example(
            f"{name} in a cut reply", partial(run, reply=ScriptedReply(200, said.encode(), {"content-length": "9999"}))
        )
        yield Example(
            f"{name} in a redirect",
            partial(
                run,
                reply=ScriptedReply(302, headers={"location": f"https://x.example/?k={KEY}&X-Signature={SIGNATURE}"}),
            ),
        )


RELATIONS: Final = (
    ClientRelation(
        "reply.status",
        "PAY-ONCE",
        "Each HTTP status has one error and one reading of the money; nothing but 429 and, once, 408 is sent again.",
        _statuses,
    ),
    ClientRelation(
        "reply.code",
        "CODE-MEANING",
        "The code decides, never the words beside it: success, failure, no credits, and nothing else is known.",
        _codes,
    ),
    ClientRelation(
        "reply.taskid",
        "PAY-KNOWN",
        "A task id is kept as it came, wherever in the reply it is; where the reply cannot be used, the error has it.",
        _ids,
    ),
    ClientRelation(
        "reply.framing",
        "PAY-KNOWN",
        "A reply means the same in every framing and encoding that HTTP and JSON allow; what is not JSON means nothing.",
        _framings,
    ),
    ClientRelation(
        "fault.cut",
        "PAY-ONCE",
        "Wherever request or reply breaks off, it is sent once, and the outcome is unknown.",
        _cuts,
    ),
    ClientRelation(
        "fault.stall", "PAY-ONCE", "What does not come in time is unknown, in time, and is not sent again.", _stalls
    ),
    ClientRelation(
        "fault.never-sent",
        "PAY-KNOWN",
        "What never left is tried again and cost nothing; a refused TLS handshake is not tried again.",
        _never_sent,
    ),
    ClientRelation(
        "retry.sequence",
        "PAY-ONCE",
        "Of every sequence of replies, so many are asked for as are allowed, and the last one decides.",
        _sequences,
    ),
    ClientRelation(
        "retry.pause",
        "PAY-KNOWN",
        "Pauses grow as the policy says, with jitter, and Retry-After is their minimum.",
        _pauses,
    ),
    ClientRelation(
        "reply.words",
        "ERROR-TREE",
        "What a server says is shown on one line, cut, and cannot command a terminal; its first bytes are on the error.",
        _odd_words,
    ),
    ClientRelation(
        "secret.echo",
        "KEY-PRIVATE",
        "A server that echoes the key or a signed URL brings neither into errors, values or logs.",
        _echoes,
    ),
)
