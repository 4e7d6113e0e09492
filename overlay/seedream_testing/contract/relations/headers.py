"""Relations of HTTP: headers that change nothing, methods that are not the operation's, ways of writing JSON."""

# ruff: noqa: E501 -- one case a line reads as a table

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from seedream_testing.contract.api_facts import ApiFacts, text
from seedream_testing.contract.encode import encode
from seedream_testing.contract.relations.relation import Example, Relation, fail, request
from seedream_testing.contract.relations.tasks import same_task
from seedream_testing.contract.server_under_test import NOT_SENT, Reply, ServerUnderTest
from seedream_testing.contract.violation import Unobservable

_FORM: Final = (text("prompt", "灯塔"), text("batchsize", 2), text("resolution", "2560x1440"))
_JSON: Final = "application/json"
_FORGED: Final = ("example.com", "/forged", ":81/")  # what headers below say of the host, and no picture's address has
# What such a header says cannot be read; a server that wants to read it does as if it was not there.
_UNREADABLE: Final[tuple[tuple[str, str], ...]] = (
    ("traceparent", "none"), ("traceparent", "00-00000000000000000000000000000000-0000000000000000-zz"), ("tracestate", "=,;"), ("baggage", "%zz"), ("b3", "x"), ("x-b3-traceid", "x"),
    ("sentry-trace", "-"), ("x-amzn-trace-id", "Root"), ("x-cloud-trace-context", "/"), ("x-request-id", "灯塔 {}"), ("x-forwarded-for", "unknown, , _x"), ("x-real-ip", "999.1.1.1"),
    ("x-forwarded-port", "many"), ("x-forwarded-proto", "?"), ("forwarded", "for"), ("origin", "null"), ("referer", "::"), ("user-agent", "灯塔"), ("date", "yesterday"),
    ("if-modified-since", "yesterday"), ("range", "pages=1"), ("accept-language", "*;q=9, ;"), ("priority", "?"), ("dnt", "maybe"), ("content-language", "?"), ("via", "?"),
    ("cookie", 'a={"b": 1}; c; =d; e="f;'), ("user-agent", "🗼"), ("user-agent", "a" * 2000), ("referer", "https://example.com/" + "a" * 2000),
)  # fmt: skip
_HEADERS: Final[tuple[tuple[str, str], ...]] = (
    ("accept", "application/json"), ("accept", "text/html"), ("accept", "image/png"), ("accept", "application/xml;q=0.9,*/*;q=0.1"), ("accept", "application/*"), ("accept", ""),
    ("accept-language", "zh-CN"), ("accept-language", "en"), ("accept-language", "xx"), ("accept-encoding", "identity"), ("accept-encoding", "br"),
    ("accept-encoding", ""), ("accept-charset", "latin-1"), ("user-agent", ""), ("user-agent", "curl/8.0"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0"), ("user-agent", "python-requests/2.32"), ("user-agent", "Googlebot/2.1"),
    ("user-agent", "okhttp/5"), ("origin", "https://example.com"), ("referer", "https://example.com/a?b=c"), ("cookie", "session=abc; batchsize=9"),
    ("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "http"), ("x-forwarded-host", "example.com"), ("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "127.0.0.1"),
    ("x-forwarded-port", "81"), ("x-forwarded-prefix", "/forged"), ("x-original-url", "/forged"), ("x-forwarded-server", "example.com"),
    ("x-original-host", "example.com"), ("x-host", "example.com"), ("accept-charset", "gbk"), ("accept", "application/json;charset=gbk"),
    ("x-fields", "taskid"), ("x-timezone", "Asia/Tokyo"), ("time-zone", "Asia/Tokyo"),
    ("forwarded", "for=203.0.113.7"), ("forwarded", "for=203.0.113.7;host=example.com"), ("x-http-method-override", "GET"), ("x-http-method-override", "DELETE"), ("x-method-override", "PUT"),
    ("connection", "close"), ("cache-control", "no-cache"), ("cache-control", "only-if-cached"), ("pragma", "no-cache"), ("if-none-match", "*"),
    ("if-match", '"x"'), ("if-modified-since", "Thu, 01 Jan 2099 00:00:00 GMT"), ("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("range", "bytes=0-0"), ("date", "Thu, 01 Jan 1970 00:00:00 GMT"), ("dnt", "1"), ("x-request-id", "1"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("x-requested-with", "XMLHttpRequest"), ("content-language", "fr"),
    ("upgrade-insecure-requests", "1"), ("via", "1.1 proxy"), ("sec-fetch-mode", "cors"), ("sec-fetch-site", "cross-site"), ("priority", "u=9"),
    ("prefer", "respond-async"), ("prefer", "return=minimal"), ("prefer", "return=representation"), ("prefer", "handling=lenient, wait=0"),
    ("accept-encoding", "gzip, br;q=0.9, zstd"), ("accept-encoding", "gzip;q=0, *;q=0.1"), ("te", "trailers"), *_UNREADABLE, ("x-batchsize", "9"),
    ("batchsize", "9"), ("resolution", "4K"), ("prompt", "other"), ("x-user-id", "0"), ("x-test", "1"), ("x-debug", "1"), ("x-long", "a" * 2000),
)  # fmt: skip


CLIENTS_OWN: Final = ("user-agent", "accept", "accept-encoding")  # what HTTP clients send by themselves


def _with(*headers: tuple[str, str]) -> Callable[[ServerUnderTest], Reply]:
    """Return a function that sends a submission with these headers besides the key."""
    return lambda server: server.submit(_FORM, server.headers(*headers))


def _expecting(server: ServerUnderTest) -> Reply:
    """Send what curl sends by itself before a large form: a server may ignore it, or say that it cannot (RFC 9110, 10.1.1)."""
    reply = _with(("expect", "100-continue"))(server)
    if reply.status == 417:  # noqa: PLR2004 -- Expectation Failed
        raise Unobservable("the server wants no Expect (HTTP 417)")
    return reply


def _headers(facts: ApiFacts) -> Iterator[Example]:
    meaning = facts.meaning(_FORM)
    for name, headers in unchanging_headers():

        def run(
            server: ServerUnderTest, what: str = f"a submission with {name}", sent: list[tuple[str, str]] = headers
        ) -> None:
            last = server.must_accept(lambda: _with(*sent)(server), what, "SERVER-HTTP", meaning)
            _check_places(last, what)

        yield Example(f"a submission with {name}", run, meaning.images)
    for name in (facts.auth_header.lower(), facts.auth_header.upper(), facts.auth_header.swapcase()):

        def send(server: ServerUnderTest, name: str = name) -> Reply:
            return server.submit(_FORM, {name: f"{facts.auth_scheme} {server.key}"})

        yield request(f"the key under {name}", "AUTH-KEY", send, meaning)
    for name, value in _REPEATED:
        twice = partial(_twice, header=(name, value))
        yield Example(f"two submissions with {name}: {value[:40]}", twice, 2 * meaning.images)
    yield request("a submission with expect: 100-continue", "SERVER-HTTP", _expecting, meaning)
    kind, body = encode(_FORM)
    first = (("content-type", kind), ("x-first", "1"))
    yield request(
        "the headers in another order",
        "SERVER-HTTP",
        lambda server: server.send("POST", facts.submit, [*first, *server.headers()], body),
        meaning,
    )


def unchanging_headers() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield headers that change nothing, by a name."""
    for name, value in _HEADERS:
        yield f"{name}: {value[:40]}", [(name, value)]
    for left_out in (*((name,) for name in CLIENTS_OWN), CLIENTS_OWN):
        yield f"no {', '.join(left_out)}", [(name, NOT_SENT) for name in left_out]
    for number, at in enumerate(range(0, len(_SWITCHES), 12), 1):
        words = _SWITCHES[at : at + 12]
        for value in ("1", "true"):
            yield f"{value} in {len(words)} unknown headers ({number})", [(word, value) for word in words]


# Words that servers read in headers of their own, to do something else than usual.
_SWITCHES: Final = tuple(
    prefix + word
    for word in ("dry-run", "test", "mock", "simulate", "sandbox", "demo", "preview", "validate-only", "debug", "trace", "verbose", "admin", "internal", "bypass", "no-charge", "free", "trial",
                 "priority", "async", "callback", "webhook", "version", "api-version", "format", "lang", "locale", "country", "region", "timezone", "tenant", "user", "user-id", "role", "account", "org",
                 "model", "count", "n", "quality", "style", "seed", "size", "width", "height", "prompt", "batchsize", "resolution", "category", "imageurl")
    for prefix in ("x-", "x-tensorslab-", "")
    if prefix or word not in ("trace", "user", "from")
)  # fmt: skip


# Headers by which some services recognise a request that they have seen already.
_REPEATED: Final[tuple[tuple[str, str], ...]] = (
    ("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324"), ("x-idempotency-key", "1"), ("x-request-id", "1"), ("x-correlation-id", "1"),
    ("request-id", "1"), ("x-client-token", "1"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("if-match", '"1"'),
)  # fmt: skip


def _twice(server: ServerUnderTest, header: tuple[str, str]) -> None:
    send, what = _with(header), f"a form with {header[0]}"
    first, second = (server.check_taken(send(server), what, "SERVER-HTTP") for _ in "12")
    server.spent += 2 * server.facts.images(_FORM)
    if first == second:
        raise fail(f"two submissions with one {header[0]} got one task", "TASK-OWN")


Send = Callable[[ServerUnderTest, str], Reply]  # asks for a task


def _query(name: str, send: Send, *, optional: bool) -> Example:
    """Return an example of a query that must tell what the plain one tells."""

    def run(server: ServerUnderTest) -> None:
        taskid = str(server.known_task().data["taskid"])
        reply = send(server, taskid)
        if not _taken(server, reply, name, optional=optional):
            return
        known = server.known_task()
        for told in (reply, server.state(taskid)):
            same_task(known, told, f"for {name}" if told is reply else f"after {name}")
            _check_places(told, name)

    return Example(name, run, 1)


def _check_places(reply: Reply, name: str) -> None:
    if any(one in str(url) for one in _FORGED for url in reply.data.get("url", ())):
        raise fail(
            f"{name} names pictures where a header of the request says, not where they are", "SERVER-HTTP", reply
        )


def _deletes(name: str, send: Send, *, optional: bool) -> Example:
    """Return an example of a deletion that must do what the plain one does."""

    def run(server: ServerUnderTest) -> None:
        taskid = server.task(_FORM[:1])
        server.completed(taskid)  # the page does not say that a running task can be deleted
        if _taken(server, send(server, taskid), name, optional=optional):
            server.must_refuse(lambda: server.query(taskid), f"a query for a task deleted by {name}", "TASK-ID")

    return Example(name, run, 1)


def _taken(server: ServerUnderTest, reply: Reply, name: str, *, optional: bool) -> bool:
    if server.accepted(reply):
        server.check_envelope(reply)
        return True
    if not optional:
        raise fail(f"{name} was refused", "SERVER-HTTP", reply)
    server.check_refused(reply, name, "TASK-ID")
    return False


def _sent_as(
    path: str, body: Callable[[str], bytes | list[bytes]], *headers: tuple[str, str], kind: str | None = _JSON
) -> Send:
    """Return a function that sends a query or deletion of a task."""
    return lambda server, taskid: server.post(path, kind, body(taskid), server.headers(*headers))


_LISTED_CODINGS: Final = (
    "identity",
    "gzip",
    "",
    "gzip;q=0",
    "br",
    "identity, *;q=0",
    "gzip;q=0.000, deflate;q=0, identity;q=1",
)


def _long_reply(server: ServerUnderTest) -> None:
    """Query a task with a long prompt: many servers compress only a long reply."""
    parts = (text("prompt", "a lighthouse at dawn, " * 400),)
    last = server.completed(server.task(parts))
    for coding in _LISTED_CODINGS:
        sent = server.headers(("accept-encoding", coding))
        reply = server.ask(server.facts.query, {"taskid": last.data["taskid"]}, sent)
        if reply.data.get("prompt") != last.data.get("prompt") or reply.code != last.code:
            raise fail(f"a long reply differs with accept-encoding: {coding}", "SERVER-HTTP", reply)


def _queries(facts: ApiFacts) -> Iterator[Example]:
    yield Example("a query with a long reply, in each coding", _long_reply, facts.default_pictures)
    for name, send, optional in _ways(facts.query, lambda taskid: {"taskid": taskid}):
        yield _query(f"a query with {name}", send, optional=optional)


def _deletions(facts: ApiFacts) -> Iterator[Example]:
    for name, send, optional in _ways(facts.delete, lambda taskid: {"taskids": [taskid]}):
        yield _deletes(f"a deletion with {name}", send, optional=optional)


def _ways(path: str, document: Callable[[str], dict[str, Any]]) -> Iterator[tuple[str, Send, bool]]:
    """Yield each way of sending a JSON document of one member, and whether a server may refuse it."""
    (member,) = document("")

    def plain(taskid: str) -> bytes:
        return json.dumps(document(taskid)).encode()

    def escaped(taskid: str) -> bytes:
        return json.dumps(document("%s")).replace("%s", "".join(f"\\u{ord(one):04x}" for one in taskid)).encode()

    def spaced(taskid: str) -> bytes:
        return f'\r\n\t {{ \n "{member}" \t: {json.dumps(document(taskid)[member])} \r\n}} \n'.encode()

    for name, headers in unchanging_headers():
        yield name, _sent_as(path, plain, *headers), False
    same: dict[str, Callable[[str], bytes]] = {
        "escapes in the id": escaped,
        "escapes in the member's name": lambda taskid: plain(taskid).replace(b'"t', b'"\\u0074', 1),
        "blanks in JSON": spaced,
        "60,000 blanks in JSON": lambda taskid: b" " * 60_000 + plain(taskid),
        "no blanks in JSON": lambda taskid: json.dumps(document(taskid), separators=(",", ":")).encode(),
    }
    oddly: dict[str, Callable[[str], bytes]] = {
        "an unknown member": lambda taskid: plain(taskid)[:-1] + b', "x": 1}',
        "a byte order mark": lambda taskid: b"\xef\xbb\xbf" + plain(taskid),
        "UTF-16": lambda taskid: plain(taskid).decode().encode("utf-16"),
        "the member twice, the same": lambda taskid: plain(taskid)[:-1] + b", " + plain(taskid)[1:],
        "a comma at the end": lambda taskid: plain(taskid)[:-1] + b",}",
    }
    for table in (same, oddly):
        for name, body in table.items():
            yield name, _sent_as(path, body), table is oddly
    for kind in (f"{_JSON}; charset=utf-8", f"{_JSON};charset=UTF-8", "Application/JSON"):
        yield f"the media type {kind}", _sent_as(path, plain, kind=kind), False
    for beside in (
        f"{member}=no-such-task",
        f"{member}=",
        "id=no-such-task",
        "x=1",
        "callback=f",
        "jsonp=f",
        "fields=taskid",
        "format=xml",
        "lang=en",
    ):
        yield f"{beside} in the address besides", _sent_as(f"{path}?{beside}", plain), True
    for other in (None, "text/plain", "application/x-www-form-urlencoded", "application/vnd.api+json", "text/json"):
        yield f"JSON as {other or 'no media type'}", _sent_as(path, plain, kind=other), True
    yield "a body in chunks", _sent_as(path, lambda taskid: [plain(taskid)[:9], plain(taskid)[9:]]), True


def _refusals(facts: ApiFacts) -> Iterator[Example]:
    kind, body = encode(_FORM[1:])
    for name, headers in unchanging_headers():

        def run(server: ServerUnderTest, with_it: str = f"with {name}", more: list[tuple[str, str]] = headers) -> None:
            sent = server.headers(*more)
            form = partial(server.post, facts.submit, kind, body, sent)
            server.must_refuse(form, f"a form without a prompt {with_it}", "PROMPT-REQUIRED")
            query = partial(server.ask, facts.query, {"taskid": "no-such-task"}, sent)
            server.must_refuse(query, f"a query for no task {with_it}", "TASK-ID")
            server.must_refuse(partial(server.submit, _FORM, more), f"a form without a key {with_it}", "AUTH-KEY")

        yield Example(f"refusals with {name}", run)


# Of requests that are whole, so that no layer below the service refuses them.
_PLAIN_REFUSALS: Final[tuple[tuple[str, str, Callable[[ServerUnderTest], Reply]], ...]] = (
    ("a form without a prompt", "PROMPT-REQUIRED", lambda server: server.submit(_FORM[1:])),
    ("a form for 99 images", "BATCH-RANGE", lambda server: server.submit((_FORM[0], text("batchsize", 99)))),
    ("a form for no size", "RES-FORMAT", lambda server: server.submit((_FORM[0], text("resolution", "big")))),
    ("a query for no task", "TASK-ID", lambda server: server.query("no-such-task")),
)  # fmt: skip


def _envelopes(facts: ApiFacts) -> Iterator[Example]:
    for name, rule, send in _PLAIN_REFUSALS:

        def run(
            server: ServerUnderTest, name: str = name, rule: str = rule, send: Callable[[ServerUnderTest], Reply] = send
        ) -> None:
            reply = server.must_refuse(partial(send, server), name, rule)
            told = reply.code == facts.failure and isinstance(reply.document.get("msg"), str)
            if reply.media_type == _JSON and not told:  # another media type comes from a layer that knows no page
                lacks = f"{name} was refused without the code {facts.failure} and a text msg, by which a client knows a failure"
                raise fail(lacks, "CODE-MEANING", reply)

        yield Example(name, run)


# Bodies that are no query, ids that are none, and bodies that are no deletion; %s is the id.
_NO_QUERIES: Final = {
    "broken JSON": b'{"taskid', "two documents": b'{"taskid": "%s"} {"taskid": "%s"}', "single quotes": b"{'taskid': '%s'}",
    "no quotes": b"{taskid: %s}", "only the id": b"%s", "the id in quotes": b'"%s"', "a list": b'[{"taskid": "%s"}]', "nothing": b"",
    "null": b"null", "a number": b"1", "Latin-1": b'{"taskid": "\xe9"}', "another name": b'{"task_id": "%s"}',
    "the name in capitals": b'{"TASKID": "%s"}', "the name with a capital": b'{"taskId": "%s"}', "only id": b'{"id": "%s"}',
    "the deletion's name": b'{"taskids": ["%s"]}', "nested": b'{"data": {"taskid": "%s"}}', "a list of one": b'{"taskid": ["%s"]}',
    "a number beyond a double": b'{"taskid": 1e999}', "a number of 5,000 digits": b'{"taskid": ' + b"9" * 5000 + b"}",
    "an object": b'{"taskid": {"taskid": "%s"}}', "a list of the id and another": b'{"taskid": ["%s", "x"]}',
}  # fmt: skip
_NO_IDS: Final[dict[str, Any]] = {
    "null": None, "a number": 7, "zero": 0, "true": True, "false": False, "an empty list": [], "an empty object": {}, "an empty text": "",
    "a fraction": 1.5, "a number of 400 digits": 10**399,
    **{f"an object with {name}": {name: value} for name, value in {
        "$ne": "", "$gt": "", "$regex": ".*", "$exists": True, "$nin": [], "$like": "%", "ne": "", "not": "", "gt": "", "like": "%", "contains": "", "startsWith": "",
    }.items()},
}  # fmt: skip
_NO_DELETIONS: Final[dict[str, Any]] = {
    "nothing": {}, "a text": {"taskids": "%s"}, "a number": {"taskids": [7]}, "null": {"taskids": None},
    "null in the list": {"taskids": [None]}, "the query's name": {"taskid": "%s"}, "a list in the list": {"taskids": [["%s"]]},
    "an object": {"taskids": {"0": "%s"}}, "an object in the list": {"taskids": [{"taskid": "%s"}]}, "a list": ["%s"],
    "the name in capitals": {"TASKIDS": ["%s"]}, "true": {"taskids": True}, "ids in one text": {"taskids": "%s,%s"},
    "a text for a list": {"taskids": '["%s"]'}, "not equal to nothing": {"taskids": {"$ne": ""}}, "any pattern in the list": {"taskids": [{"$regex": ".*"}]},
}  # fmt: skip
_NOT_JSON: Final = {
    "no body": b"", "broken JSON": b'{"taskids', "single quotes": b"{'taskids': ['%s']}", "the id in quotes": b'"%s"', "null": b"null",
    "Latin-1": b'{"taskids": ["\xe9"]}',
}  # fmt: skip


def _asks(path: str, document: Callable[[str], object], method: str = "POST") -> Send:
    """Return a function that sends a JSON document about a task."""
    return lambda server, taskid: server.ask(path, document(taskid), method=method)


def _refuses(name: str, rule: str, send: Send) -> Example:
    """Return an example of a request that must be refused and leave the known task as it is."""

    def run(server: ServerUnderTest) -> None:
        taskid = str(server.known_task().data["taskid"])
        server.must_refuse(lambda: send(server, taskid), name, rule)
        server.state(taskid)

    return Example(name, run, 1)


def _methods(facts: ApiFacts) -> Iterator[Example]:
    kind, body = encode(_FORM)

    def submits(method: str, beside: str = "", *headers: tuple[str, str]) -> Send:
        return lambda server, _: server.post(facts.submit + beside, kind, body, server.headers(*headers), method=method)

    for method in ("GET", "PUT", "PATCH", "DELETE", "PROPFIND", "QUERY"):
        yield _refuses(f"{method} for a submission", "SERVER-HTTP", submits(method))
    yield _refuses("an unknown method for a submission", "SERVER-HTTP", submits("SUBMIT"))
    for method in ("HEAD", "OPTIONS", "TRACE"):
        yield Example(f"{method} does nothing", partial(_does_nothing, method=method), 1)
    for name in ("x-http-method-override", "x-http-method", "x-method-override"):
        send = submits("GET", "", (name, "POST"))
        yield _refuses(f"GET for a submission with {name}: POST", "SERVER-HTTP", send)
    for beside in ("_method=POST", "method=POST", "httpMethod=POST"):
        name = f"GET for a submission with {beside} in the address"
        yield _refuses(name, "SERVER-HTTP", submits("GET", f"?{beside}"))
    for path in (
        f"{facts.submit}/", f"{facts.submit}//", f"/{facts.submit}", facts.submit.upper(), f"{facts.submit}.json",
        f"{facts.submit};x=1", f"{facts.submit}/x", f"{facts.submit}%20", f"{facts.submit}%00", "/", "/v1/images/",
    ):  # fmt: skip
        run = partial(_never_breaks, path=path, kind=kind, body=body)
        yield Example(f"the path {path}", run, 2, fault=("breaks", path))
    deep = b'{"taskid": ' + b"[" * 400 + b"]" * 400 + b"}"
    yield _refuses("a query whose id is a list in 400 lists", "TASK-ID", _sent_as(facts.query, lambda _: deep))
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        query = _asks(facts.query, lambda taskid: {"taskid": taskid}, method)
        yield _refuses(f"{method} for a query", "SERVER-HTTP", query)
        deletion = _asks(facts.delete, lambda taskid: {"taskids": [taskid]}, method)
        yield _refuses(f"{method} for a deletion", "SERVER-HTTP", deletion)
    others: dict[tuple[str, str], Send] = {
        ("GET for a query, the id in the address", "SERVER-HTTP"): lambda server, taskid: server.send("GET", f"{facts.query}?taskid={taskid}", server.headers()),
        ("a query, the id in the address", "TASK-ID"): lambda server, taskid: server.send("POST", f"{facts.query}?taskid={taskid}", server.headers()),
        ("a query for no task, a task's id in the address", "TASK-ID"): lambda server, taskid: server.ask(f"{facts.query}?taskid={taskid}", {"taskid": "no-such-task"}),
        ("a query as a form", "SERVER-HTTP"): lambda server, taskid: server.post(facts.query, *encode([text("taskid", taskid)])),
        ("a deletion as a form", "SERVER-HTTP"): lambda server, taskid: server.post(facts.delete, *encode([text("taskids", taskid)])),
        ("a submission's form as a query", "SERVER-HTTP"): lambda server, _: server.post(facts.query, kind, body),
    }  # fmt: skip
    for (name, rule), ask in others.items():
        yield _refuses(name, rule, ask)
    yield from _misshapen(facts)


def _misshapen(facts: ApiFacts) -> Iterator[Example]:
    """Yield queries and deletions whose bodies have another shape."""
    for name, broken in _NO_QUERIES.items():
        sent = _sent_as(facts.query, lambda taskid, broken=broken: broken.replace(b"%s", taskid.encode()))
        yield _refuses(f"a query: {name}", "TASK-ID", sent)
    for name, value in _NO_IDS.items():
        yield _refuses(f"a query whose id is {name}", "TASK-ID", lambda server, _, value=value: server.query(value))
    for name, document in _NO_DELETIONS.items():
        about = json.dumps(document)
        send = _asks(facts.delete, lambda taskid, about=about: json.loads(about.replace("%s", taskid)))
        yield _refuses(f"a deletion: {name}", "TASK-ID", send)
    yield Example("a deletion: no id", _deletes_nothing, 1)
    for name, broken in _NOT_JSON.items():
        send = _sent_as(facts.delete, lambda taskid, broken=broken: broken.replace(b"%s", taskid.encode()))
        yield _refuses(f"a deletion: sent as {name}", "TASK-ID", send)


def _deletes_nothing(server: ServerUnderTest) -> None:
    """A list of no ids may be refused, or deletes none."""
    taskid = str(server.known_task().data["taskid"])
    before = server.charged()
    reply = server.ask(server.facts.delete, {"taskids": []})
    if not server.accepted(reply):
        server.check_refused(reply, "a deletion: no id", "TASK-ID")
    if server.charged() != before:
        raise fail("a deletion of no id was charged", "SERVER-CHARGE", reply)
    server.state(taskid)


def _does_nothing(server: ServerUnderTest, method: str) -> None:
    """HEAD, OPTIONS and TRACE are safe methods (RFC 9110, 9.2.1): whatever they answer, nothing is made or deleted."""
    taskid = str(server.known_task().data["taskid"])
    kind, body = encode(_FORM)
    before = server.charged()
    replies = [
        server.post(server.facts.submit, kind, body, method=method),
        server.ask(server.facts.delete, {"taskids": [taskid]}, method=method),
    ]
    for reply in replies:
        if reply.status >= 500 and reply.status != 501:  # noqa: PLR2004 -- a server's error; 501 is Not Implemented
            raise fail(f"{method} broke the server", "SERVER-HTTP", reply)
    if server.charged() != before:
        raise fail(f"{method} for a submission was charged", "SERVER-HTTP", replies[0])
    if not server.accepted(server.query(taskid)):
        raise fail(f"{method} for a deletion deleted the task", "SERVER-HTTP", replies[1])


def _never_breaks(server: ServerUnderTest, path: str, kind: str, body: bytes) -> None:
    """Another path may lead to the operation or to none; it does not break the server."""
    reply = server.post(path, kind, body)
    if reply.status >= 500:  # noqa: PLR2004 -- a server's error
        raise fail(f"the path {path} broke the server", "SERVER-HTTP", reply)
    if server.accepted(reply):
        server.spent += server.facts.images(_FORM)


RELATIONS: Final = (
    Relation("http.submission", "SERVER-HTTP", "No header but the key and the media type changes what a submission does.", _headers),
    Relation("http.query", "SERVER-HTTP", "A query tells the same under any other header and in every way of writing its JSON.", _queries),
    Relation("http.deletion", "SERVER-HTTP", "A deletion deletes its task under any other header and in every way of writing its JSON.", _deletions),
    Relation("http.refusal", "SERVER-HTTP", "What is refused is refused under any other header, and as the page describes a refusal.", _refusals),
    Relation("refusal.envelope", "CODE-MEANING", "A refusal in JSON has the failure code and a msg, also under an HTTP status of its own.", _envelopes),
    Relation("http.method", "SERVER-HTTP", "Other methods, media types and bodies of another shape are refused, do nothing, and never break the server.", _methods),
)  # fmt: skip
