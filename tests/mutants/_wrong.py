"""What a planted fault is, and the tools to make a client wrong: a transport that tampers, and patches."""

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

import httpx
from attrs import evolve, frozen
from contract.client_checks import CLIENT_CHECKS, Check, ClientUnderTest
from contract.client_checks.checks import run_all
from seedream import SeeDream
from seedream_testing.contract import Part, Violation
from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.decode import parse_with_werkzeug
from seedream_testing.contract.encode import encode

B = TypeVar("B")


@frozen
class Detection:
    """How a planted fault was found: by which check, under which rule, and in which words. Check empty: it survived."""

    name: str
    expected: str
    check: str = ""
    rule: str = ""
    said: str = ""

    @property
    def good(self) -> bool:
        """Killed, and for the reason that was foreseen."""
        return bool(self.check) and self.rule in self.expected.split()


def detect(name: str, expected: str, work: Callable[[], Any]) -> Detection:
    """Run checks that must fail."""
    try:
        work()
    except Violation as violation:
        return Detection(name, expected, violation.check, violation.rule, violation.what.replace("\n", " ")[:160])
    return Detection(name, expected)


def likely(checks: Sequence[Check[B]], expected: str) -> list[Check[B]]:
    """All the checks, those of the expected rules first: whether the fault is found does not depend on the order."""
    return sorted(checks, key=lambda check: check.rule not in expected.split())


class Tampering(httpx.HTTPTransport):
    """Changes requests on their way out and replies on their way in.

    Args:
        send: What it does with a request.
        inner: A server in this process; by default the network.
    """

    def __init__(self, send: "Send", inner: httpx.BaseTransport | None = None) -> None:
        super().__init__(verify=False)  # loopback only; loading certificates would take most of the time
        self._send, self._inner = send, inner

    def plain(self, request: httpx.Request) -> httpx.Response:
        """Send it as it is."""
        return self._inner.handle_request(request) if self._inner else super().handle_request(request)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        return self._send(self, request)


@frozen
class WrongClient:
    """A client with one fault.

    Attributes:
        name: What it does wrong.
        expected: Ids of the rules under which it may be found, separated by spaces.
        send: How its transport sends, if that is the fault.
        kind: The client's class, if that is the fault.
        patches: Names in the package and what replaces them, if that is the fault.
        relation: The relation of the client checks that it was planted for.
    """

    name: str
    expected: str
    send: "Send | None" = None
    kind: type[SeeDream] = SeeDream
    patches: tuple[tuple[str, Any], ...] = ()
    relation: str = ""

    def make(self, **options: Any) -> SeeDream:
        """Return a client with this fault."""
        if self.send is not None:
            options["transport"] = Tampering(self.send, options.get("transport"))
        return self.kind(**options)

    @contextmanager
    def applied(self) -> Generator[None]:
        """The patches, for a while."""
        with ExitStack() as stack:
            for target, value in self.patches:
                stack.enter_context(patch(target, value))
            yield

    def run(self, api_facts: ApiFacts) -> Detection:
        """Have the suite find it."""
        with self.applied():
            return detect(
                self.name,
                self.expected,
                lambda: run_all(self._checks(), ClientUnderTest(self.make, api_facts)),
            )

    def _checks(self) -> list[Check[ClientUnderTest]]:
        """All the checks, the relation that it was planted for first, then those of the expected rules."""
        checks = likely(CLIENT_CHECKS, self.expected)
        return sorted(checks, key=lambda check: check.name != self.relation)


Send = Callable[[Tampering, httpx.Request], httpx.Response]


def on_submit(change: Callable[[httpx.Request], httpx.Request]) -> Send:
    """Return a transport that changes submissions."""
    return lambda transport, request: transport.plain(change(request) if is_submit(request) else request)


def is_submit(request: httpx.Request) -> bool:
    """Whether the request is a submission."""
    return request.url.path.endswith("/seedreamv45")


def on_parts(change: Callable[[Sequence[Part]], Sequence[Part]]) -> Send:
    """Return a transport that changes the parts of submissions."""

    def send(transport: Tampering, request: httpx.Request) -> httpx.Response:
        if is_submit(request):
            kind, body = encode(change(parse_with_werkzeug(request.headers["content-type"], request.content)))
            request = rebuilt(request, body, {"content-type": kind})
        return transport.plain(request)

    return send


def on_reply(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Send:
    """Return a transport that changes JSON replies."""

    def send(transport: Tampering, request: httpx.Request) -> httpx.Response:
        response = transport.plain(request)
        try:
            document = json.loads(response.read())
        except ValueError:
            document = None
        body = json.dumps(change(document)).encode() if isinstance(document, dict) else response.content
        headers = [(name, value) for name, value in response.headers.items() if name != "content-length"]
        return httpx.Response(response.status_code, headers=headers, content=body)

    return send


def rebuilt(
    request: httpx.Request, content: bytes | None = None, headers: dict[str, str] | None = None, **more: Any
) -> httpx.Request:
    """Return the request with other content, headers (an empty value removes one), method or URL."""
    given = {name.lower().encode(): value.encode() for name, value in (headers or {}).items()}
    kept = [(name, value) for name, value in request.headers.raw if name.lower() not in (*given, b"content-length")]
    return httpx.Request(
        more.get("method", request.method),
        more.get("url", request.url),
        headers=kept + [(name, value) for name, value in given.items() if value],
        content=request.content if content is None else content,
        extensions=request.extensions,
    )


def with_content(part: Part, content: bytes) -> Part:
    """Return the part with other bytes."""
    return evolve(part, content=content)
