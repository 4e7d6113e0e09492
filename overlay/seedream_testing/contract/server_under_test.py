"""A server under test: sends requests, follows tasks, and checks replies against what the submission meant."""

import datetime as dt
import json
import re
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import Any, Final, Self, cast
from urllib.parse import quote, urlsplit

import httpx
from attrs import define, evolve, field, frozen

from seedream_testing.contract.api_facts import ApiFacts, Meaning, Part, text
from seedream_testing.contract.encode import encode
from seedream_testing.contract.spec import schema_error
from seedream_testing.contract.violation import Sent, Unobservable, Violation

_WAITS: Final = 5  # times a server may ask to wait before its refusal counts
_LONGEST_ID: Final = 2000  # characters; the page names no limit, so this is for what is no id
_SECRET: Final = 8  # characters of a key that are no accident
_OVERLAP: Final = 10.0  # seconds that a request waits for the others that it overlaps with
# Seconds between polls; the last one again and again.
_PAUSES: Final = (0.0, 0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_TIME: Final = "%Y-%m-%d %H:%M:%S"
_URL: Final = re.compile(r"(?i:https?)://[^\s\x00-\x20]+")
_TIME_FORM: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_ZONES: Final = dt.timedelta(hours=27)  # the page names no time zone; clocks may differ a little
_CLOCK: Final = dt.timedelta(seconds=10)  # that a clock may be set, or run fast, within a run
_SHORTFALL: Final = 0.1  # a tier's longer side is about so many thousand pixels
_RATIO_TOLERANCE: Final = 0.02  # a ratio's sides are whole pixels, often multiples of 16
_TYPES: Final[Mapping[str, type]] = {
    "width": int, "height": int, "origseed": int, "prompt": str, "negative": str, "category": str,
    "error_message": str, "starttime": str,
}  # fmt: skip

Headers = Mapping[str, str] | Sequence[tuple[str, str]]
NOT_SENT: Final = "\0not sent"  # as the value of a header that the HTTP client would add by itself


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


@frozen
class Reply:
    """A server's reply."""

    sent: Sent = field(repr=False)
    status: int  # HTTP status
    body: bytes
    media_type: str  # of the reply, without parameters
    document: Mapping[str, Any]  # the JSON object, or empty
    began: dt.datetime = field(factory=_now, repr=False)  # when the request was sent, UTC
    content_range: str = field(default="", repr=False)  # the header of a part of a picture
    retry_after: str = field(default="", repr=False)  # the header of a reply that asks to wait

    @property
    def code(self) -> object:
        """The envelope's code."""
        return self.document.get("code")

    @property
    def data(self) -> Mapping[str, Any]:
        """The envelope's data, or empty."""
        data = self.document.get("data")
        return cast("dict[str, Any]", data) if isinstance(data, dict) else {}

    def violation(self, what: str, rule: str) -> Violation:
        """Return a violation with this exchange."""
        start = self.body[:300]
        if b"\0" in start:  # as in pictures, and in no text
            shown = f"of {len(self.body):,} bytes"
        else:
            shown = "".join(
                sign if sign.isprintable() or sign in "\n\t" else ascii(sign)[1:-1]  # others change a terminal's state
                for sign in start.decode("utf-8", "backslashreplace")
            )
        came = f"HTTP {self.status} {self.media_type} {shown}"
        if self.media_type == "application/json" and not self.document:
            came += " (which is not a JSON object, or not a whole one)"
        return Violation(f"{what}; the reply was {came}", rule=rule, sent=self.sent)


def _pairs(headers: Headers) -> list[tuple[str, str]]:
    return list(headers.items()) if isinstance(headers, Mapping) else list(headers)


def _parse(body: bytes) -> object:
    """Parse JSON as RFC 8259 defines it: UTF-8 without a byte order mark, no NaN or Infinity.

    Raises:
        ValueError: It is something else.
    """

    def refuse(constant: str) -> object:
        raise ValueError(constant)

    return json.loads(body.decode("utf-8"), parse_constant=refuse)


@cache
def _encodings(key: str) -> tuple[bytes, ...]:
    """Return a key as it is, as JSON may write it, and in hexadecimal, percent-encoding and Base64 within any text."""
    known = key.encode()
    found = {
        known,
        known.replace(b"/", rb"\/"),
        known.hex().encode(),
        quote(key).encode(),
        quote(key, safe="").encode(),
    }
    for shift in range(3):
        coded = b64encode(bytes(shift) + known)
        # What is before and after the key is in the first and last characters too.
        whole = coded[(0, 2, 3)[shift] : len(coded.rstrip(b"=")) - (1 if (shift + len(known)) % 3 else 0)]
        found |= {whole, whole.translate(bytes.maketrans(b"+/", b"-_"))}
    return tuple(one for one in found if len(one) >= _SECRET)


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # reading the certificates takes longer than all else that a client needs


def _same_in(charset: str, body: bytes) -> bool:
    """Return whether JSON, which is UTF-8, reads the same in a charset."""
    try:
        return body.decode(charset) == body.decode()
    except (LookupError, ValueError):
        return False


def _wanted(coding: str, accepted: str) -> bool:
    """Return whether a coding is one of an Accept-Encoding (RFC 9110, 12.5.3)."""
    listed = re.finditer(r"(?:x-)?([^\s,;]+)\s*(?:;\s*q=([0-9.]+))?", accepted.lower())
    weights = {found[1]: (found[2] or "1").strip("0.") != "" for found in listed}
    return weights.get(coding.removeprefix("x-"), weights.get("*", False))


def _check_codings(response: httpx.Response, sent: Sent, known: str, *, is_json: bool) -> None:
    """Check the charset and the coding that a reply names.

    Raises:
        Violation: It is in another one, or the coding was not asked for.
    """
    if is_json and not _same_in(response.charset_encoding or "utf-8", response.content):
        said = f"the reply says that it is in {response.charset_encoding}, and is not"
        raise Violation(said, rule="SERVER-ENVELOPE", sent=sent)
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("", "identity"):
        return
    if not _wanted(coding, response.request.headers.get("accept-encoding", "")):
        raise Violation(f"the reply is in the coding {coding}, which was not asked for", rule="SERVER-HTTP", sent=sent)
    # httpx has removed the codings that it knows; what can be read without that was not in another one.
    if is_json and coding not in known:
        raise Violation(f"the reply names the coding {coding}, and is not in it", rule="SERVER-HTTP", sent=sent)


def _held(body: bytes, barrier: threading.Barrier) -> Iterator[bytes]:
    """Yield a body in two halves, the second when all of the barrier are ready for it."""
    yield body[: len(body) // 2]
    with suppress(threading.BrokenBarrierError):
        barrier.wait(_OVERLAP)
    yield body[len(body) // 2 :]


class _Abandoned(Exception):
    """Ends a request in the middle."""


@define
class ServerUnderTest:
    """A server under test.

    Attributes:
        base_url: Its address.
        key: A key that it knows.
        facts: What judges it.
        transport: An httpx transport, for a server in this process.
        charges: Returns the images charged so far, submission by submission; None where they cannot be seen.
        any_key: The server accepts every key, so that an unknown one is not refused.
        second_key: The key of another account.
        no_credits_key: The key of an account without credits.
        patience: Seconds to wait for a task.
        pause: How to wait.
        spent: How many images the submissions that were accepted so far asked for.
        pictures: The task of each picture that was fetched, by the hash of its bytes.
        issued: The ids that this key's submissions got, in order, and when each was sent.
        last: What was sent last, for findings that are about no single reply.
    """

    base_url: str
    key: str = field(repr=False)
    facts: ApiFacts = field(repr=False)
    transport: httpx.BaseTransport | None = None
    charges: Callable[[], Sequence[int]] | None = None
    any_key: bool = False
    second_key: str | None = field(default=None, repr=False)
    no_credits_key: str | None = field(default=None, repr=False)
    patience: float = 60.0
    pause: Callable[[float], None] = time.sleep
    spent: int = field(default=0, init=False)
    pictures: dict[bytes, str] = field(factory=dict[bytes, str], init=False, repr=False)
    issued: dict[str, dt.datetime] = field(factory=dict[str, dt.datetime], init=False, repr=False)
    last: Sent | None = field(default=None, init=False, repr=False)
    _ahead: tuple[dt.timedelta, dt.timedelta] = field(default=(-_ZONES, _ZONES), init=False, repr=False)
    _addressed: set[str] = field(factory=set[str], init=False, repr=False)  # tasks of forms with an address
    _known: Reply | None = field(default=None, init=False, repr=False)
    _known_at: int = field(default=0, init=False, repr=False)
    _barrier: threading.Barrier | None = field(default=None, init=False, repr=False)
    _http: httpx.Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._http = self._client()

    def _client(self, kept: int = 20) -> httpx.Client:
        local = (urlsplit(self.base_url).hostname or "") in ("127.0.0.1", "::1", "localhost")
        return httpx.Client(
            transport=self.transport,
            verify=_trusted(),
            timeout=60.0,
            follow_redirects=False,
            trust_env=not local,
            headers={"accept": "*/*"},
            limits=httpx.Limits(max_keepalive_connections=kept),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def with_key(self, key: str | None) -> "ServerUnderTest":
        """Return the same server, used with another key, which the needs of an example say is there."""
        assert key is not None  # noqa: S101 -- see above
        other = evolve(self, key=key)
        other.pictures = self.pictures  # those of one account are not another's either
        return other

    @property
    def keys(self) -> list[str]:
        """The keys, which no report may show."""
        return [key for key in (self.key, self.second_key, self.no_credits_key) if key]

    def headers(self, *more: tuple[str, str]) -> list[tuple[str, str]]:
        """Return the header with the key, and more."""
        return [*self.facts.authorization(self.key).items(), *more]

    def send(self, method: str, url: str, headers: Headers = (), body: bytes | Iterable[bytes] = b"") -> Reply:
        """Send a request; the URL may be a path. A body given piece by piece is sent chunked.

        Redirects are followed for whole addresses, which are those of pictures: the page does not say where they lie.
        Cookies are not sent to them: whoever has the address gets the picture. A server that says how long to wait
        (HTTP 429) is asked again.

        Raises:
            Violation: What came is no reply, or shows the key.
            Unobservable: The server has nothing of the types that the request accepts (HTTP 406; RFC 9110, 15.5.7).
        """
        given = body if isinstance(body, bytes) else list(body)
        reply = self._exchange(method, url, headers, given)
        for _ in range(_WAITS):
            if reply.status != 429 or not reply.retry_after.isdecimal() or self._barrier is not None:  # noqa: PLR2004 -- Too Many Requests
                break
            self.pause(min(float(reply.retry_after), self.patience))
            reply = self._exchange(method, url, headers, given)
        accepted = ", ".join(reply.sent.header("accept"))
        wanted = ("*/*", "image/") if "://" in url else ("*/*", "application/json", "application/*")
        if reply.status == 406 and accepted and not any(kind in accepted for kind in wanted):  # noqa: PLR2004 -- Not Acceptable
            raise Unobservable(f"the server has nothing of the type {accepted} (HTTP 406)")
        return reply

    def _exchange(self, method: str, url: str, headers: Headers, body: bytes | list[bytes]) -> Reply:
        whole = url if "://" in url else self.base_url.rstrip("/") + url
        pairs = _pairs(headers)
        raw = [(name.encode("latin-1"), value.encode("utf-8")) for name, value in pairs if value != NOT_SENT]
        pieces = [body] if isinstance(body, bytes) else body
        content = body if isinstance(body, bytes) else iter(pieces)
        if self._barrier is not None and isinstance(body, bytes):
            raw.append((b"content-length", str(len(body)).encode()))
            content = _held(body, self._barrier)
        request = self._http.build_request(method, whole, headers=raw, content=content)
        for name in (*(name for name, value in pairs if value == NOT_SENT), *(["cookie"] if "://" in url else [])):
            request.headers.pop(name, None)
        known = b"".join(pieces)
        sent = Sent(method, whole, tuple((name.lower(), value) for name, value in request.headers.multi_items()), known)
        self.last = sent
        began = _now()
        try:
            response = self._http.send(request, follow_redirects="://" in url)
        except httpx.TooManyRedirects as error:
            raise Violation("the address is redirected for ever", rule="SERVER-PICTURES", sent=sent) from error
        except httpx.RemoteProtocolError as error:
            raise Violation(f"the reply is not HTTP: {error}", rule="SERVER-HTTP", sent=sent) from error
        except httpx.ReadError as error:
            raise Violation(f"the server closed the connection: {error}", rule="SERVER-HTTP", sent=sent) from error
        except httpx.DecodingError as error:
            said = f"the reply is not in the coding that it names: {error}"
            raise Violation(said, rule="SERVER-HTTP", sent=sent) from error
        if any(shown in response.content for shown in _encodings(self.key)):
            raise Violation("the reply shows the key, or an encoding of it", rule="AUTH-KEY", sent=sent)
        try:
            document = _parse(response.content)
        except (ValueError, RecursionError):
            document = {}
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        fields = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
        _check_codings(response, sent, self._http.headers["accept-encoding"], is_json=bool(fields))
        part, wait = (response.headers.get(name, "") for name in ("content-range", "retry-after"))
        return Reply(sent, response.status_code, response.content, kind, fields, began, part, wait)

    def at_once(self, sends: Sequence[Callable[[], Reply]]) -> list[Reply]:
        """Send requests that overlap: the end of each leaves when all the others are under way.

        No connection is kept before or after, so that a server which serves one after another comes to all of them.
        """
        barrier = self._barrier = threading.Barrier(len(sends))
        if self.transport is None:
            self._http.close()
            self._http = self._client(kept=0)

        def run(send: Callable[[], Reply]) -> Reply:
            try:
                return send()
            except BaseException:
                barrier.abort()
                raise

        try:
            with ThreadPoolExecutor(len(sends)) as pool:
                return list(pool.map(run, sends))
        finally:
            self._barrier = None
            if self.transport is None:
                self._http.close()
                self._http = self._client()

    def abandon(self, parts: Sequence[Part]) -> None:
        """Send the first half of a form, and close the connection."""
        kind, body = encode(parts)

        def half() -> Iterator[bytes]:
            yield body[: len(body) // 2]
            raise _Abandoned

        headers = [*self.headers(), ("content-type", kind), ("content-length", str(len(body)))]
        with suppress(_Abandoned):
            self._http.post(self.base_url.rstrip("/") + self.facts.submit, headers=headers, content=half())

    def submit(self, parts: Sequence[Part], headers: Headers | None = None) -> Reply:
        """Send a form, by default with the key."""
        return self.post(self.facts.submit, *encode(parts), headers)

    def ask(self, path: str, body: object, headers: Headers | None = None, *, method: str = "POST") -> Reply:
        """Send JSON, by default with the key."""
        return self.post(path, "application/json", json.dumps(body).encode(), headers, method=method)

    def post(
        self,
        path: str,
        kind: str | None,
        body: bytes | Iterable[bytes],
        headers: Headers | None = None,
        *,
        method: str = "POST",
    ) -> Reply:
        """Send a body under a Content-Type, by default with the key."""
        known = self.headers() if headers is None else _pairs(headers)
        return self.send(method, path, [*known, *([("content-type", kind)] if kind else [])], body)

    def query(self, taskid: object) -> Reply:
        """Query a task, whatever comes."""
        return self.ask(self.facts.query, {"taskid": taskid})

    def delete(self, *taskids: object) -> Reply:
        """Delete tasks, whatever comes."""
        return self.ask(self.facts.delete, {"taskids": list(taskids)})

    def accepted(self, reply: Reply) -> bool:
        """Return whether the server took the request."""
        return 200 <= reply.status < 300 and reply.code == self.facts.success  # noqa: PLR2004 -- the class of success

    def charged(self) -> list[int]:
        """Return the charges so far; empty where they cannot be seen."""
        return list(self.charges()) if self.charges else []

    def must_refuse(self, send: Callable[[], Reply], what: str, rule: str, code: int | None = None) -> Reply:
        """Send what must be refused; it must not be charged either.

        Raises:
            Violation: It was accepted, refused in another way than the page says, or charged.
        """
        before = self.charged()
        return self._refused(send(), what, rule, code, before)

    def _refused(self, reply: Reply, what: str, rule: str, code: int | None, before: list[int]) -> Reply:
        self.check_refused(reply, what, rule, code)
        if self.charged() != before:
            raise reply.violation(
                f"{what} was refused, and charged as {self.charged()[len(before) :]}", "SERVER-CHARGE"
            )
        return reply

    def must_accept(
        self, send: Callable[[], Reply], what: str, rule: str, meaning: Meaning, *, optional: bool = False
    ) -> Reply:
        """Send what must be accepted, and follow its task to the end; return the last reply about it.

        Where it is ``optional`` it may be refused instead: then the refusal is returned.

        Raises:
            Violation: It was refused, or charged or done in another way than it meant.
        """
        before = self.charged()
        reply = send()
        if optional and not self.accepted(reply):
            return self._refused(reply, what, rule, None, before)
        taskid = self.check_taken(reply, what, rule)
        charged = self.charged()[len(before) :]
        if self.charges is not None and charged != [meaning.images]:
            said = f"{what} asks for {meaning.images} images, and was charged as {charged}"
            raise reply.violation(said, "SERVER-CHARGE")
        self.spent += meaning.images
        try:
            last = self.completed(taskid)
            self.check_task(last, what, rule, meaning)
        except Violation as violation:  # the submission explains the reply to the query
            violation.curl = f"{reply.sent.curl}\n  {violation.curl}"
            raise
        if self.charges is not None and len(self.charged()) != len(before) + 1:
            raise last.violation("queries were charged", "SERVER-CHARGE")
        return last

    def check_refused(self, reply: Reply, what: str, rule: str, code: int | None = None) -> None:
        """Check a refusal: an envelope with the code for it, or an HTTP 4xx; no task.

        Raises:
            Violation: It was taken, or refused in another way than the page names.
        """
        if self.accepted(reply) or reply.data.get("taskid"):
            raise reply.violation(f"{what} was accepted", rule)
        operations = (self.facts.submit, self.facts.query, self.facts.delete)
        if 300 <= reply.status < 400 and reply.sent.method == "POST" and reply.sent.path in operations:  # noqa: PLR2004 -- redirects
            raise reply.violation(f"{what} was answered with a redirect, which refuses nothing", "CODE-MEANING")
        if 300 <= reply.status < 500 or reply.status == 501:  # noqa: PLR2004 -- elsewhere, the client's fault, no method
            if reply.code == self.facts.success:
                raise reply.violation(f"{what} was refused with the code of success", "CODE-MEANING")
            return
        self.check_envelope(reply)
        if reply.code != (self.facts.failure if code is None else code):
            raise reply.violation(f"{what} was refused with another code than the page names", "CODE-MEANING")

    def check_envelope(self, reply: Reply) -> None:
        """Check an envelope as the page describes it, under HTTP 200.

        Raises:
            Violation: The reply is not such an envelope.
        """
        if reply.status != 200 or reply.media_type != "application/json":  # noqa: PLR2004 -- the one status documented
            raise reply.violation("it is not JSON under HTTP 200", "SERVER-ENVELOPE")
        if type(reply.code) is not int or not isinstance(reply.document.get("msg"), str):
            raise reply.violation("it has no whole code with a text msg", "SERVER-ENVELOPE")
        if reply.code not in (self.facts.success, self.facts.failure, self.facts.no_credits):
            raise reply.violation("its code is none of the page's", "CODE-MEANING")
        if reply.code != self.facts.success and any(reply.data.values()):  # empty members say nothing
            raise reply.violation("it is a refusal, but has data", "CODE-NO-DATA")
        if error := schema_error(reply.sent.path, reply.status, reply.document, good=self.accepted(reply)):
            raise reply.violation(f"it does not fit the spec: {error}", "SERVER-ENVELOPE")

    def check_taken(self, reply: Reply, what: str, rule: str) -> str:
        """Check an accepted submission; return the task's id.

        Raises:
            Violation: It was refused, or the reply has no usable id.
        """
        if not self.accepted(reply):
            raise reply.violation(f"{what} is legal, but was refused", rule)
        self.check_envelope(reply)
        taskid = reply.data.get("taskid")
        if not isinstance(taskid, str) or not taskid.strip() or len(taskid) > _LONGEST_ID:
            said = f"{what} was accepted without a usable task id (a text of 1 to {_LONGEST_ID:,} characters)"
            raise reply.violation(said, "TASK-ID")
        self.issued[taskid] = reply.began
        if b'name="imageUrl"' in reply.sent.body:
            self._addressed.add(taskid)
        return taskid

    def state(self, taskid: str) -> Reply:
        """Query a task; the reply is about it and well-formed.

        Raises:
            Violation: It is not.
        """
        reply = self.query(taskid)
        if not self.accepted(reply):
            raise reply.violation(f"the query for task {taskid} was refused", "TASK-ID")
        self.check_envelope(reply)
        if reply.data.get("taskid") != taskid:
            raise reply.violation(f"asked for task {taskid}, it is about another", "TASK-OWN")
        status = reply.data.get("image_status")
        if type(status) is not int:
            raise reply.violation("image_status is not a whole number", "STATUS-MEANING")
        if status != self.facts.completed and reply.data.get("url"):
            raise reply.violation("pictures are named although the task is not completed", "STATUS-MEANING")
        return reply

    def completed(self, taskid: str) -> Reply:
        """Poll a legal task to its end; return the last reply.

        The list of the states on the way is open, and has no published order.

        Raises:
            Violation: The task fails, or does not end within the patience.
        """
        waited, seen = 0.0, list[int]()
        while True:
            reply = self.state(taskid)
            status = cast("int", reply.data["image_status"])
            seen.append(status)
            if status == self.facts.completed:
                return reply
            if status == self.facts.failed and taskid in self._addressed:
                said = f"the server could not use the example's imageUrl: {reply.data.get('error_message')}"
                raise Unobservable(said)
            if status == self.facts.failed:
                raise reply.violation(f"a legal task failed: {reply.data.get('error_message')}", "STATUS-MEANING")
            pause = _PAUSES[min(len(seen), len(_PAUSES)) - 1]
            waited += pause
            if waited > self.patience:
                raise reply.violation(f"task {taskid} did not end (statuses {seen[-5:]})", "STATUS-MEANING")
            self.pause(pause)

    def task(self, parts: Sequence[Part], what: str = "a legal form") -> str:
        """Submit a legal form; return the task's id."""
        taskid = self.check_taken(self.submit(parts), what, self.facts.rule_about(parts))
        self.spent += self.facts.images(parts)
        return taskid

    def known_task(self) -> Reply:
        """Return the completed state of a task of one image that is made once and never deleted.

        Raises:
            Violation: The server knew it, and does so no longer, now that others were made.
        """
        if self._known is None:
            parts = (text("prompt", "a known task, 已知 🗼"), text("batchsize", 1))
            self._known = self.completed(self.task(parts))
        elif self._known_at != self.spent and not self.accepted(reply := self.query(self._known.data["taskid"])):
            self._known = None  # the next example makes another one
            raise reply.violation("a task that was completed, and not deleted, is no longer known", "TASK-ID")
        self._known_at = self.spent
        return self._known

    def forget(self, taskid: str) -> None:
        """Do not give this task as the known one any more: it will be deleted."""
        if self._known is not None and self._known.data["taskid"] == taskid:
            self._known = None

    def check_task(self, last: Reply, what: str, rule: str, meaning: Meaning) -> None:
        """Check that a completed task is what its submission meant.

        Raises:
            Violation: It is not.
        """
        data, urls = last.data, last.data.get("url")
        if not isinstance(urls, list) or not all(isinstance(url, str) and "://" in url for url in urls):
            raise last.violation("url is not a list of addresses", "SERVER-PICTURES")
        if not all(_URL.fullmatch(url) for url in urls):
            raise last.violation("an address has blanks, or is not http or https", "SERVER-PICTURES")
        if len(urls) != meaning.images or len(set(urls)) != len(urls):
            raise last.violation(f"{what}: {len(set(urls))} pictures, not {meaning.images}", "SERVER-PICTURES")
        for name, meant in (("prompt", meaning.prompt), ("category", meaning.category)):
            if name in data and data[name] != meant:
                raise last.violation(f"{what}: {name} is not what was sent", self.facts.rules.get(name) or rule)
        for name, kind in _TYPES.items():
            if name in data and type(data[name]) is not kind:
                raise last.violation(f"{name} is not of type {kind.__name__}", "SERVER-ENVELOPE")
        self._check_time(last)
        size = (data.get("width"), data.get("height"))
        if all(side is not None for side in size):
            self.check_size(last, what, size, meaning)

    def _check_time(self, last: Reply) -> None:
        if "starttime" not in last.data:
            return
        text = last.data["starttime"]
        try:
            if not _TIME_FORM.fullmatch(text):
                raise ValueError(text)  # noqa: TRY301 -- one message for both
            started = dt.datetime.strptime(text, _TIME)  # noqa: DTZ007 -- the page names no zone
        except ValueError:
            raise last.violation("starttime is not YYYY-MM-DD HH:MM:SS", "SERVER-ENVELOPE") from None
        # The server's clock is ahead of ours by its zone and an error, by as much for all tasks.
        sent = self.issued.get(str(last.data.get("taskid")), last.began)
        low, high = max(self._ahead[0], started - _now()), min(self._ahead[1], started - sent)
        if low - high > _CLOCK:
            said = "in any time zone" if not -_ZONES <= started - sent <= _ZONES else "by the clock of earlier ones"
            raise last.violation(f"starttime is not the time of this submission {said}", "SERVER-ENVELOPE")
        self._ahead = (low, high)

    def check_size(self, last: Reply, what: str, size: tuple[Any, Any], meaning: Meaning) -> None:
        """Check width and height (pixels) of a task's pictures against the resolution.

        Raises:
            Violation: They are not of it.
        """
        if meaning.size is not None and size != meaning.size:
            raise last.violation(f"{what}: pictures are {size}, not {meaning.size}", "SERVER-PICTURES")
        if min(size) < 1:
            raise last.violation(f"{what}: pictures of {size} have no pixels", "SERVER-PICTURES")
        tier = re.fullmatch("([0-9]+)K", meaning.resolution)
        if tier and max(size) < 1024 * int(tier[1]) * (1 - _SHORTFALL):
            raise last.violation(f"{what}: pictures of {size} are of a lower tier", "RES-TIER")
        ratio = re.fullmatch("([0-9]+):([0-9]+)", meaning.resolution)
        if ratio and abs(size[0] * int(ratio[2]) / (size[1] * int(ratio[1])) - 1) > _RATIO_TOLERANCE:
            raise last.violation(f"{what}: pictures of {size} are of another shape", "RES-RATIO")

    def need_echo(self, reply: Reply, name: str) -> None:
        """Check that a query's reply tells a field.

        Raises:
            Unobservable: It does not, so that what became of the field cannot be seen.
        """
        if name not in reply.data:
            raise Unobservable(f"the query's reply has no {name}, so what became of it cannot be seen")


def skip_if_length_required(reply: Reply) -> Reply:
    """Pass a reply to a chunked request on; a server may only refuse one by HTTP 411 (RFC 9112, 6.3).

    Raises:
        Unobservable: It wants a length: then nothing can be sent to it in chunks.
    """
    if reply.status == 411:  # noqa: PLR2004 -- Length Required
        raise Unobservable("the server wants a Content-Length (HTTP 411), so nothing can be sent to it in chunks")
    return reply
