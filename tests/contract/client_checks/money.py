"""Checks of what a client makes of replies to a submission: paid at most once, and nothing paid is lost."""

import json
import pickle
from typing import Any

from contract.client_checks.under_test import KEY, TASK, ClientUnderTest, check, in_turn
from contract.recording_server import RecordingServer, ScriptedReply, envelope
from seedream import RetryPolicy, errors
from seedream_testing.contract.violation import Violation
from support.clock import FakeClock

_JSON = {"content-type": "application/json"}
_TRIES = RetryPolicy().attempts


def _expect(
    subject: ClientUnderTest,
    name: str,
    answer: ScriptedReply | None,
    kind: type[Exception],
    billing: str,
    rule: str,
    most: int = 1,
) -> errors.SeeDreamError:
    """Submit once; the error is of this kind, says this of the money, and so many requests came at most."""
    with RecordingServer(answer) as server, subject.client(server.url) as client:
        try:
            task = client.submit("a fish")
        except errors.SeeDreamError as error:
            sent = server.sent
            if len(sent) > most:
                raise Violation(
                    f"{name}: the submission was sent {len(sent)} times", rule="PAY-ONCE", sent=sent[0]
                ) from None
            if not isinstance(error, kind):
                raise Violation(f"{name}: gave {error!r}, not {kind.__name__}", rule=rule) from None
            if error.billing != billing:
                what = f"{name}: the error says billing={error.billing!r}, not {billing!r}"
                raise Violation(what, rule="PAY-KNOWN") from None
            return error
        raise Violation(f"{name}: gave {task!r} instead of {kind.__name__}", rule=rule)


# Codes that another service may mean success by, or that look like one that is known.
_UNKNOWN: tuple[Any, ...] = (
    0,
    1,
    -1,
    200,
    201,
    999,
    1001,
    1234,
    2000,
    10000,
    -1000,
    8999,
    9001,
    9998,
    10**12,
    "0",
    "ok",
    "success",
    "",
    True,
    False,
    None,
    [],
    {},
)


# What another service says where a request may be sent again, or where one was taken.
_OTHER_WORDS = ("busy, try again later", "rate limit exceeded", "timeout", "success", "服务繁忙，请稍后重试")


@check("PAY-ONCE")
def a_lost_reply_is_never_sent_again(subject: ClientUnderTest) -> None:
    """Where the reply is lost, cut, garbled or a server error, one request was sent and the outcome is unknown."""
    good = subject.accepted().body
    replies: list[tuple[str, ScriptedReply | None]] = [
        ("connection dropped", None),
        ("half a reply", ScriptedReply(200, good[:20], {**_JSON, "content-length": str(len(good))})),
        ("half of the JSON", ScriptedReply(200, good[:20], _JSON)),
        ("no body", ScriptedReply(200)),
        ("an HTML page", ScriptedReply(200, b"<html>busy</html>", {"content-type": "text/html"})),
        ("JSON that is not an object", ScriptedReply(200, b"[]", _JSON)),
        ("success without data", envelope(subject.facts.success)),
        ("success without task id", envelope(subject.facts.success, {})),
        *((f"the unknown code {code!r}", envelope(code, {})) for code in _UNKNOWN),
        *((f"HTTP {status}", ScriptedReply(status, b"{}", _JSON)) for status in (500, 502, 503, 504, 520)),
    ]
    for name, answer in replies:
        _expect(subject, name, answer, errors.SubmissionUnknown, "unknown", "PAY-ONCE")


@check("CODE-MEANING")
def codes_mean_what_the_page_says(subject: ClientUnderTest) -> None:
    """Success gives the task; the failure and the credits code give their errors, with or without data."""
    facts = subject.facts
    for data in (None, {}, {"taskid": ""}):
        _expect(
            subject, "no credits", envelope(facts.no_credits, data), errors.InsufficientCredits, "no", "CODE-MEANING"
        )
        _expect(subject, "failure", envelope(facts.failure, data), errors.Rejected, "no", "CODE-MEANING")
    for code in (facts.no_credits, facts.failure):
        refusal = ScriptedReply(200, json.dumps({"code": code, "msg": "why it is so"}).encode(), _JSON)
        error = _expect(subject, f"code {code} with a reason", refusal, errors.SeeDreamError, "no", "CODE-MEANING")
        if "why it is so" not in str(error):
            raise Violation(f"the error does not tell what the server said: {error}", rule="CODE-MEANING")
        for words in _OTHER_WORDS:  # the code decides, never the words beside it
            refusal = ScriptedReply(200, json.dumps({"code": code, "msg": words}).encode(), _JSON)
            kind = errors.InsufficientCredits if code == facts.no_credits else errors.Rejected
            _expect(subject, f"code {code} with the words {words!r}", refusal, kind, "no", "CODE-MEANING")
    null = ScriptedReply(200, json.dumps({"code": facts.no_credits, "msg": "", "data": None}).encode(), _JSON)
    _expect(subject, "no credits, null data", null, errors.InsufficientCredits, "no", "CODE-NO-DATA")
    _, task = subject.submit({"prompt": "a fish"})
    if getattr(task, "id", None) != TASK:
        raise Violation(f"success gave {task!r}, not task {TASK}", rule="TASK-ID")


@check("PAY-KNOWN")
def what_was_paid_for_is_kept(subject: ClientUnderTest) -> None:
    """A task id is read from odd replies too; where the reply cannot be used, the error carries the id."""
    odd: list[tuple[str, ScriptedReply]] = [
        ("code as text", envelope(str(subject.facts.success), {"taskid": TASK})),
        ("more fields", envelope(subject.facts.success, {"taskid": TASK, "new": [1]}, other={})),
        ("a new code of success", envelope(2000, {"taskid": TASK})),
        ("code as a fraction", envelope(float(subject.facts.success), {"taskid": TASK})),
        ("a number as task id", envelope(subject.facts.success, {"taskid": 1234567890})),
    ]
    for name, answer in odd:
        meant = "1234567890" if "number" in name else TASK
        _, task = subject.submit({"prompt": "a fish"}, answer)
        if getattr(task, "id", None) != meant:
            raise Violation(f"{name}: gave {task!r}; task {meant} was paid for", rule="PAY-KNOWN")
    good = subject.accepted().body
    unusable = {
        "an error page": ScriptedReply(500, good, _JSON),
        "JSON without its end": ScriptedReply(200, good[:-2], _JSON),
        "JSON and more": ScriptedReply(200, good + b"}", _JSON),
    }
    for name, answer in unusable.items():
        error = _expect(subject, f"a task id in {name}", answer, errors.SubmissionUnknown, "unknown", "PAY-KNOWN")
        if error.taskid != TASK:
            raise Violation(f"the task id in {name} is not on the error: {error!r}", rule="PAY-KNOWN")


@check("PAY-ONCE")
def a_submission_is_never_redirected(subject: ClientUnderTest) -> None:
    """A redirect is refused, or unknown where it may mean "done, look there", and nothing arrives where it points."""
    with RecordingServer(subject.accepted()) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            answer = ScriptedReply(status, headers={"location": elsewhere.url + subject.facts.submit})
            if status in (302, 303):
                _expect(subject, f"HTTP {status}", answer, errors.SubmissionUnknown, "unknown", "PAY-ONCE")
            else:
                _expect(subject, f"HTTP {status}", answer, errors.ConfigError, "no", "PAY-ONCE")
        if elsewhere.sent:
            raise Violation("it was sent on to where a redirect points", rule="KEY-PRIVATE", sent=elsewhere.sent[0])


@check("PAY-ONCE")
def a_refusal_is_told_as_one(subject: ClientUnderTest) -> None:
    """4xx are refusals that cost nothing; only 429 is tried again, with the same bytes, and 408 once."""
    incomplete = ScriptedReply(408, b"{}", _JSON)
    _expect(subject, "HTTP 408", incomplete, errors.NotSent, "no", "PAY-KNOWN", most=2)
    refusals = {400: errors.Rejected, 401: errors.AuthError, 403: errors.AuthError, 404: errors.ConfigError}
    for status, kind in refusals.items():
        _expect(subject, f"HTTP {status}", ScriptedReply(status, b"{}", _JSON), kind, "no", "PAY-KNOWN")
    for status in (
        402,
        405,
        406,
        407,
        409,
        410,
        411,
        412,
        413,
        414,
        415,
        416,
        417,
        418,
        421,
        422,
        423,
        424,
        425,
        426,
        428,
        431,
        451,
        499,
    ):
        for after in ({}, {"retry-after": "0"}):
            answer = ScriptedReply(status, b"{}", {**_JSON, **after})
            _expect(subject, f"HTTP {status}", answer, errors.SeeDreamError, "no", "PAY-KNOWN")
    limited = ScriptedReply(429, b"{}", {**_JSON, "retry-after": "7"})
    told = _expect(subject, "HTTP 429 with Retry-After", limited, errors.RateLimited, "no", "PAY-KNOWN", most=_TRIES)
    if getattr(told, "retry_after", None) != 7:
        raise Violation(f"Retry-After is not on the error: {told!r}", rule="PAY-KNOWN")
    _expect(subject, "HTTP 429", ScriptedReply(429, b"{}", _JSON), errors.RateLimited, "no", "PAY-KNOWN", most=_TRIES)
    answers = [ScriptedReply(429), subject.accepted()]
    with RecordingServer(lambda _: answers.pop(0)) as server, subject.client(server.url) as client:
        client.submit("a fish", source_images=[b"\xff\xd8\xff-bytes"])
    if len(server.sent) != 2 or any(b"\xff\xd8\xff-bytes" not in sent.body for sent in server.sent):
        raise Violation("after a 429 the same submission was not sent again whole", rule="WIRE-EXACT")


@check("KEY-PRIVATE")
def no_error_shows_the_key(subject: ClientUnderTest) -> None:
    """A server that echoes the key finds it in no message, repr or pickle; nor does an unusable key show."""
    echo = {**_JSON, "x-echo": f"Bearer {KEY}"}
    for status in (200, 401, 500):
        answer = ScriptedReply(
            status, json.dumps({"code": subject.facts.failure, "msg": f"bad key {KEY}"}).encode(), echo
        )
        _hides(_expect(subject, f"HTTP {status} with the key in it", answer, errors.SeeDreamError,
                       "unknown" if status >= 500 else "no", "KEY-PRIVATE"))  # fmt: skip
    for key in (f"{KEY}\nx", f"{KEY} y", f"{KEY}é"):
        try:
            subject.factory(api_key=key, base_url="http://127.0.0.1:9", clock=None).close()
        except errors.ConfigError as error:
            _hides(error)
        else:
            raise Violation("a key that no header can hold was taken", rule="KEY-PRIVATE")
    with RecordingServer(subject.accepted()) as server, subject.client(server.url) as client:
        if KEY in repr(client) + repr(client.submit("a fish")):
            raise Violation("a repr shows the key", rule="KEY-PRIVATE")


def _hides(error: Any) -> None:
    if KEY in "".join([str(error), repr(error), repr(vars(error)), pickle.dumps(error).decode("latin-1")]):
        raise Violation(f"the key is on {type(error).__name__}", rule="KEY-PRIVATE")


@check("KEY-PRIVATE")
def the_key_travels_encrypted(subject: ClientUnderTest) -> None:
    """An http address beyond this machine is refused."""
    for url in ("http://api.example.com", "ftp://127.0.0.1", "https://user:pw@api.example.com", "not a url"):
        try:
            subject.factory(api_key=KEY, base_url=url, clock=None).close()
        except errors.ConfigError:
            continue
        raise Violation(f"the base URL {url} was taken", rule="KEY-PRIVATE")


@check("PAY-ONCE")
def a_server_error_is_never_sent_again_whatever_it_asks_for(subject: ClientUnderTest) -> None:
    """A 5xx may come after the work was done, also one with Retry-After: the submission is sent once."""
    for status in (500, 501, 502, 503, 504, 520, 529, 599):
        for after in ("0", "1", "Thu, 01 Jan 1970 00:00:00 GMT"):
            answer = ScriptedReply(status, b"busy", {"retry-after": after})
            name = f"HTTP {status} with Retry-After: {after}"
            _expect(subject, name, answer, errors.SubmissionUnknown, "unknown", "PAY-KNOWN")


@check("PAY-KNOWN")
def a_limit_of_requests_is_kept(subject: ClientUnderTest) -> None:
    """After a 429 the client waits at least as long as Retry-After says, and without it longer each time."""
    for after in (3, 45):
        clock, answers = FakeClock(), [ScriptedReply(429, headers={"retry-after": str(after)}), subject.accepted()]
        with RecordingServer(in_turn(*answers)) as server:
            client = subject.factory(api_key=KEY, base_url=server.url, clock=clock)
            client.submit("a fish")
            client.close()
        if sum(clock.slept) < after:
            raise Violation(f"it waited {sum(clock.slept)} s of {after}", rule="PAY-KNOWN", sent=server.sent[0])
    clock = FakeClock()
    with RecordingServer(ScriptedReply(429)) as server:
        client = subject.factory(api_key=KEY, base_url=server.url, clock=clock)
        try:
            client.submit("a fish")
        except errors.RateLimited:
            client.close()
    if len(clock.slept) != _TRIES - 1 or clock.slept[-1] < 2 * RetryPolicy().base:
        raise Violation(f"its pauses were {clock.slept}", rule="PAY-KNOWN", sent=server.sent[0])
