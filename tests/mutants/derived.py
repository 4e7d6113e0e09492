"""Planted faults that are derived from the table of relations, on a server that was written without the sandbox.

For each example one fault or more: a server that reads the spelling, stores the transformation, or answers one request
of the example in the opposite way. The example that a fault was derived from must find it; so none of them passes idly.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
from attrs import define, field
from contract.servers.flask_server import Hooks
from contract.servers.memory_server import MemoryServer
from contract.servers.serving import POOR, RICH, SECOND, keys
from seedream_testing.contract import ApiFacts, Example, Relation, ServerUnderTest, Unobservable, Violation, text
from seedream_testing.contract.encode import encode

Handle = Callable[[httpx.Request], httpx.Response]


@define
class Opposite(httpx.BaseTransport):
    """Answers one request of an example in the opposite way; records what there is to change."""

    inner: httpx.BaseTransport
    change: int | None = None
    seen: list[str] = field(factory=list)

    def start(self, change: int | None) -> None:
        self.change, self.seen = change, []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        response = self.inner.handle_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=content)
        )
        envelope = _document(response)
        number = len(self.seen)
        self.seen.append(
            "picture" if "/pictures/" in request.url.path else "accepted" if envelope.get("code") == 1000 else "refused"
        )
        return response if number != self.change else self._opposite(request, content, response, envelope)

    def _opposite(
        self, request: httpx.Request, content: bytes, response: httpx.Response, envelope: dict[str, Any]
    ) -> httpx.Response:
        path = request.url.path
        if "/pictures/" in path:
            return httpx.Response(
                200, headers={"content-type": "image/png"}, content=response.content[: len(response.content) // 2]
            )
        if envelope.get("code") == 1000:
            return httpx.Response(200, json={"code": 9999, "msg": "no"})
        if path.endswith("/seedreamv45"):
            kind, body = encode([text("prompt", "another")])
            headers = {"authorization": f"Bearer {RICH}", "content-type": kind}
            return self.inner.handle_request(
                httpx.Request("POST", request.url.copy_with(query=None), headers=headers, content=body)
            )
        if path.endswith("/infobytaskid"):
            asked = _asked(content)
            return httpx.Response(200, json={"code": 1000, "msg": "", "data": {"taskid": asked, "image_status": 1}})
        return httpx.Response(200, json={"code": 1000, "msg": "", "data": {"status": "Gone"}})


def _document(response: httpx.Response) -> dict[str, Any]:
    try:
        envelope = json.loads(response.content)
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _asked(content: bytes) -> str:
    try:
        return str(json.loads(content)["taskid"])
    except (ValueError, LookupError, TypeError):
        return "t"


class Misreading(Hooks):
    """Reads one value of a field as another, or stores every prompt changed."""

    def __init__(self, kind: str, value: Any) -> None:
        self._kind, self._value = kind, value

    def form(self, fields: list[tuple[str, str | bytes]]) -> list[tuple[str, str | bytes]]:
        if self._kind != "read_as":
            return fields
        name, written, meant = self._value
        other = "1" if name == "batchsize" else "4096x4096"
        # Where the page forbids the spelling, reading it at all is the fault; elsewhere, reading something else is.
        return [
            (one, (other if meant is None else meant) if one == name and value == written else value)
            for one, value in fields
        ]

    def store_prompt(self, prompt: str) -> str:
        changed: str = self._value(prompt) if self._kind == "store_prompt" else prompt
        return changed


def under_test(service: MemoryServer, transport: httpx.BaseTransport, facts: ApiFacts) -> ServerUnderTest:
    charges = service.accounts.charges
    return ServerUnderTest(
        "http://127.0.0.1", RICH, facts, transport, lambda: [images for key, images in charges if key == RICH],
        second_key=SECOND, no_credits_key=POOR, pause=lambda seconds: None,
    )  # fmt: skip


def fails(example: Example, server: ServerUnderTest) -> bool | None:
    """Whether an example finds something; None where it can show nothing."""
    try:
        example.run(server)
    except Violation:
        return True
    except Unobservable:
        return None
    except Exception:  # noqa: BLE001 -- counts as a finding in a run, too
        return True
    return False


@define
class Breaking(httpx.BaseTransport):
    """Answers whatever goes to one path with a server's error."""

    inner: httpx.BaseTransport
    path: str

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.raw_path.decode() == self.path:
            return httpx.Response(500, text="broken")
        return self.inner.handle_request(request)


def misread(example: Example, facts: ApiFacts, *, otherwise: bool = False) -> bool | None:
    """Plant the fault that an example names."""
    kind, value = example.fault or ("", ())
    if otherwise:
        value = (*value[:2], None)
    service = MemoryServer(keys(), Misreading(kind, value))
    transport = Breaking(service, str(value)) if kind == "breaks" else service
    with under_test(service, transport, facts) as server:
        return fails(example, server)


def run_relation(relation: Relation, facts: ApiFacts) -> dict[str, Any]:
    """Plant the faults of one relation; gives how many there were, and the examples that found none of theirs."""
    service = MemoryServer(keys())
    transport = Opposite(service)
    planted, idle = 0, list[str]()
    with under_test(service, transport, facts) as server:
        for example in relation.derive(facts):
            transport.start(None)
            server.known_task()  # asked for here, whether it is still known, so that the example does not ask
            right = fails(example, server)
            if right is None:
                continue
            if right:
                idle.append(f"{example.name} (fails on the right server)")
                continue
            found = False
            if example.fault is not None:
                planted += 1
                found = bool(misread(example, facts)) or (
                    example.fault[0] == "read_as" and bool(misread(example, facts, otherwise=True))
                )
            else:
                for change in _order(transport.seen):
                    planted += 1
                    transport.start(None)
                    server.known_task()
                    transport.start(change)
                    if found := bool(fails(example, server)):
                        break
            if not found:
                idle.append(example.name)
    return {"relation": relation.id, "planted": planted, "idle": idle}


def _order(seen: Sequence[str]) -> Iterator[int]:
    """Yield which replies to change: the first, the last, then the others."""
    numbers = range(len(seen))
    yield from dict.fromkeys([*numbers[:1], *numbers[-1:], *numbers])


# Where the page does not say whether a request is taken, a server may do either, and the reply shows nothing more.
MAY_DO_EITHER = {
    "field.bytes": "what a prompt or category that is not UTF-8 becomes",
    "http.query": "whether JSON with a byte order mark, in UTF-16, in chunks or with other members is taken",
}


def detect_derived(relation: Relation, facts: ApiFacts) -> dict[str, str]:
    """Plant the faults of one relation, as a row of the report."""
    done = run_relation(relation, facts)
    planted, idle = done["planted"], done["idle"]
    good = not idle or relation.id in MAY_DO_EITHER
    said = MAY_DO_EITHER.get(relation.id, "") if idle else ""
    return {
        "name": relation.id, "expected": relation.rule, "check": f"{planted - len(idle)} of {planted}" if good else "",
        "rule": relation.rule, "said": said if good else "; ".join(idle)[:300],
    }  # fmt: skip
