"""A server under test: a plain HTTP client, the facts of the page, and the account's charges where they are visible."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self, cast

import httpx
from attrs import define, field, frozen

from seedream_testing.contract.api_facts import ApiFacts, Case, Part
from seedream_testing.contract.checks import Suite
from seedream_testing.contract.encode import encode
from seedream_testing.contract.violation import Sent, Violation, named

_LONGEST_ID: Final = 200
_PAUSES: Final = (0.0, 0.0, 0.0, 0.0, 0.1, 0.2, 0.5, 1.0)  # seconds between polls; the last one again and again


@frozen
class Reply:
    """A server's reply.

    Attributes:
        sent: The request.
        status: HTTP status.
        body: The bytes.
        media_type: Of the reply, without parameters.
        document: The JSON object, or empty.
    """

    sent: Sent = field(repr=False)
    status: int
    body: bytes
    media_type: str
    document: Mapping[str, Any]

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
        """A broken rule, with this exchange."""
        return Violation(f"{what}; the reply was HTTP {self.status} {self.body[:300]!r}", rule=rule, sent=self.sent)


@define
class ServerUnderTest:
    """A server under test.

    Attributes:
        base_url: Its address.
        key: A key that it knows.
        facts: What judges it.
        transport: An httpx transport, for a server in this process.
        charges: Gives the pictures charged so far, submission by submission; None where nobody can see them.
        bad_key: A key that it does not know, if it can tell.
        without_credits: The same service for an account without credits, if there is one.
        strict: Whether a status that is not documented counts as wrong.
        patience: Seconds to wait for a task.
        pause: How to wait.
    """

    base_url: str
    key: str = field(repr=False)
    facts: ApiFacts = field(repr=False)
    transport: httpx.BaseTransport | None = None
    charges: Callable[[], Sequence[int]] | None = None
    bad_key: str | None = field(default=None, repr=False)
    without_credits: "ServerUnderTest | None" = None
    strict: bool = True
    patience: float = 60.0
    pause: Callable[[float], None] = time.sleep
    _http: httpx.Client = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._http = httpx.Client(transport=self.transport, timeout=60.0, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def authorization(self) -> dict[str, str]:
        """The header with the key."""
        return {self.facts.auth_header: f"{self.facts.auth_scheme} {self.key}"}

    def send(self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Reply:
        """Send a request; the URL may be a path."""
        whole = url if "://" in url else self.base_url.rstrip("/") + url
        request = self._http.build_request(method, whole, headers=dict(headers or {}), content=body)
        response = self._http.send(request)
        try:
            document = json.loads(response.content)
        except (ValueError, RecursionError):
            document = {}
        sent = Sent(method, whole, named(request.headers), body)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        told = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
        return Reply(sent, response.status_code, response.content, kind, told)

    def submit(self, parts: Sequence[Part], headers: Mapping[str, str] | None = None) -> Reply:
        """Send a form, by default with the key."""
        kind, body = encode(parts)
        known = self.authorization if headers is None else headers
        return self.send("POST", self.facts.submit, {**known, "content-type": kind}, body)

    def ask(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Reply:
        """Send JSON, by default with the key."""
        known = self.authorization if headers is None else headers
        return self.send("POST", path, {**known, "content-type": "application/json"}, json.dumps(body).encode())

    def accepted(self, reply: Reply) -> bool:
        """Whether the server took the request."""
        return 200 <= reply.status < 300 and reply.code == self.facts.success  # noqa: PLR2004 -- the class of success

    def charged(self) -> list[int]:
        """The charges so far; empty where nobody can see them."""
        return list(self.charges()) if self.charges else []

    def check_refused(self, reply: Reply, what: str, rule: str, code: int | None = None) -> None:
        """A refusal: an envelope with the code for it, or an HTTP 4xx; no task.

        Raises:
            Violation: It was taken, or refused in another way than the page tells.
        """
        if self.accepted(reply) or "taskid" in reply.data:
            raise reply.violation(f"{what} was accepted", rule)
        if 400 <= reply.status < 500:  # noqa: PLR2004 -- the class of client errors
            return
        self.check_envelope(reply)
        if reply.code != (self.facts.failure if code is None else code):
            raise reply.violation(f"{what} was refused with another code than the page tells", "CODE-MEANING")

    def check_envelope(self, reply: Reply) -> None:
        """An envelope as the page describes it, under HTTP 200.

        Raises:
            Violation: It is none.
        """
        if reply.status != 200 or reply.media_type != "application/json":  # noqa: PLR2004 -- the one status documented
            raise reply.violation("it is not JSON under HTTP 200", "SERVER-ENVELOPE")
        if type(reply.code) is not int or not isinstance(reply.document.get("msg"), str):
            raise reply.violation("it has no whole code with a text msg", "SERVER-ENVELOPE")
        if reply.code not in (self.facts.success, self.facts.failure, self.facts.no_credits):
            raise reply.violation("its code is none of the page's", "CODE-MEANING")
        if reply.code != self.facts.success and reply.data:
            raise reply.violation("it is a refusal, but has data", "CODE-NO-DATA")

    def check_taken(self, reply: Reply, case: Case) -> str:
        """An accepted submission; gives the task's id.

        Raises:
            Violation: It was refused, or the reply has no usable id.
        """
        if not self.accepted(reply):
            raise reply.violation(f"{case.name} is legal, but was refused", case.rule)
        self.check_envelope(reply)
        taskid = reply.data.get("taskid")
        if not isinstance(taskid, str) or not taskid.strip() or len(taskid) > _LONGEST_ID:
            raise reply.violation(f"{case.name} was accepted without a usable task id", "TASK-ID")
        return taskid

    def state(self, taskid: str) -> Reply:
        """Query a task; the reply is about it and well-formed.

        Raises:
            Violation: It is not.
        """
        reply = self.ask(self.facts.query, {"taskid": taskid})
        if not self.accepted(reply):
            raise reply.violation(f"the query for task {taskid} was refused", "TASK-ID")
        self.check_envelope(reply)
        if reply.data.get("taskid") != taskid:
            raise reply.violation(f"asked for task {taskid}, it tells about another", "TASK-OWN")
        return reply

    def completed(self, taskid: str) -> tuple[Reply, list[int]]:
        """Poll to the end; gives the last reply and the statuses seen.

        Raises:
            Violation: The task does not end within the patience.
        """
        waited, seen = 0.0, list[int]()
        while True:
            reply = self.state(taskid)
            status = reply.data.get("image_status")
            if type(status) is not int:
                raise reply.violation("image_status is no whole number", "STATUS-MEANING")
            seen.append(status)
            if status in (self.facts.completed, self.facts.failed):
                return reply, seen
            pause = _PAUSES[min(len(seen), len(_PAUSES)) - 1]
            waited += pause
            if waited > self.patience:
                raise reply.violation(f"task {taskid} did not end (statuses {seen[-5:]})", "STATUS-MEANING")
            self.pause(pause)


SUITE: Final = Suite[ServerUnderTest]()
check = SUITE.check
