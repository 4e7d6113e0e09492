"""What a correct server may do in another way is no fault: legal variants pass, or show less, in the relations about them."""

# ruff: noqa: E501 -- one variant a line reads as a table

import json
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import judge
import pytest
from contract.servers.flask_server import Hooks, Refuse
from contract.servers.memory_server import Lenient, MemoryServer
from contract.servers.serving import keys
from mutants.derived import under_test
from seedream_testing.contract import State, Violation, run_contract, text

Change = Callable[[httpx.Request, httpx.Response, int], httpx.Response]  # the number is the request's


class Changed(httpx.BaseTransport):
    """A server whose replies are changed."""

    def __init__(self, service: MemoryServer, change: Change) -> None:
        self.service, self.change, self.number = service, change, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.number += 1
        request.read()
        return self.change(request, self.service.handle_request(request), self.number)


def in_reply(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    def changed(request: httpx.Request, response: httpx.Response, _: int) -> httpx.Response:
        if "/pictures/" in request.url.path:
            return response
        return httpx.Response(response.status_code, json=change(json.loads(response.content)))

    return changed


def in_data(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    return in_reply(
        lambda envelope: {**envelope, "data": change(envelope["data"])} if envelope.get("data") else envelope
    )


def typed(kind: str | None) -> Change:
    def changed(request: httpx.Request, response: httpx.Response, _: int) -> httpx.Response:
        if "/pictures/" not in request.url.path:
            return response
        return httpx.Response(200, headers={} if kind is None else {"content-type": kind}, content=response.content)

    return changed


def negotiating(request: httpx.Request, response: httpx.Response, _: int) -> httpx.Response:
    """Has JSON for the operations, and PNG for pictures, and nothing else (RFC 9110, 15.5.7)."""
    own = "image/png" if "/pictures/" in request.url.path else "application/json"
    accepted = [one.partition(";")[0].strip() for one in request.headers.get("accept", "*/*").split(",")]
    fits = not any(accepted) or any(one in ("*/*", own, f"{own.partition('/')[0]}/*") for one in accepted)
    return response if fits else httpx.Response(406, html="<p>Not Acceptable")


def failing_addresses(request: httpx.Request, response: httpx.Response, _: int) -> httpx.Response:
    """Fetches what imageUrl names, and finds no picture there."""
    envelope = {} if "/pictures/" in request.url.path else json.loads(response.content)
    known: set[str] = failing_addresses.__dict__.setdefault("known", set())
    if envelope.get("code") == 1000 and b'name="imageUrl"' in request.content:
        known.add(envelope["data"]["taskid"])
    if envelope.get("data", {}).get("image_status") == 3 and envelope["data"]["taskid"] in known:
        data = {"taskid": envelope["data"]["taskid"], "image_status": 4, "error_message": "no picture there"}
        return httpx.Response(200, json={**envelope, "data": data})
    return response


def busy(request: httpx.Request, response: httpx.Response, number: int) -> httpx.Response:
    """Asks to wait at every fifth request, and does nothing then."""
    if (
        number % 5
        or "/pictures/" in request.url.path
        or b"multipart" in request.headers.get("content-type", "").encode()
    ):
        return response
    return httpx.Response(429, headers={"retry-after": "1"}, json={"code": 9999, "msg": "too many requests"})


class LongIds(Lenient):
    def new_id(self, tasks: Any) -> str:
        return f"{super().new_id(tasks)}.{'aB3' * 100}"


class ShortPrompts(Lenient):
    def blank(self, prompt: str) -> bool:
        if len(prompt) > 10_000:
            raise Refuse("the prompt is longer than 10,000 characters")
        return super().blank(prompt)


class OnlyFinished(Lenient):
    def to_delete(self, tasks: Any, taskids: Sequence[str], key: str) -> list[str]:
        if any(one in tasks and tasks[one]["asked"] < 2 for one in taskids):
            raise Refuse("a running task cannot be deleted")
        return super().to_delete(tasks, taskids, key)


def _no_ids(request: httpx.Request, response: httpx.Response, _: int) -> httpx.Response:
    return (
        httpx.Response(200, json={"code": 1000, "msg": "ok", "data": {"status": "Success"}})
        if request.content == b'{"taskids": []}'
        else response
    )


def plain(_: httpx.Request, response: httpx.Response, __: int) -> httpx.Response:
    return response


EMPTY = {"taskid": "", "url": []}
VARIANTS: list[tuple[str, Change, type[Hooks], tuple[str, ...]]] = [
    ("a refusal has the members of data, without content", in_reply(lambda e: e if e["code"] == 1000 else {**e, "data": EMPTY}), Hooks, ("form.illegal", "key.credits", "prompt.required", "refusal.envelope")),
    ("a picture has no Content-Type", typed(None), Hooks, ("picture.shape", "picture.identity")),
    ("a picture is application/octet-stream", typed("application/octet-stream"), Hooks, ("picture.shape",)),
    ("what the client does not accept is not given", negotiating, Hooks, ("http.submission", "http.query", "http.deletion", "http.refusal", "picture.access")),
    ("a running task tells more than a completed one", in_data(lambda d: {k: v for k, v in d.items() if d.get("image_status") != 3 or k not in ("prompt", "category")}), Hooks, ("task.query",)),
    ("ids have more than 300 characters", plain, LongIds, ("task.own", "task.query", "task.deletion")),
    ("the scheme of addresses is in capital letters", in_data(lambda d: {**d, "url": [url.replace("http:", "HTTP:") for url in d["url"]]} if "url" in d else d), Hooks, ("form.legal", "picture.shape")),
    ("a deletion of no ids is no failure", _no_ids, Hooks, ("http.method", "task.deletion")),
    ("text in files and numbers with exponents are read", plain, Lenient, ("field.kind", "batchsize.spelling", "pair.illegal")),
    ("prompts of more than 10,000 characters are refused", plain, ShortPrompts, ("text.together", "text.exact", "http.query")),
    ("a running task cannot be deleted", plain, OnlyFinished, ("http.deletion", "task.deletion")),
    ("a task with an address fails", failing_addresses, Hooks, ("pair.legal", "form.legal", "form.file")),
    ("the server asks to wait now and then", busy, Hooks, ("task.query", "key.query", "http.query")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "hooks", "relations"), VARIANTS, ids=[one[0] for one in VARIANTS])
def test_a_legal_variant_is_no_fault(name: str, change: Change, hooks: type[Hooks], relations: tuple[str, ...]) -> None:
    service = MemoryServer(keys(), hooks())
    with under_test(service, Changed(service, change), judge.FACTS) as server:
        result = run_contract(server, only=relations, keep_going=True)
    assert [str(one.violation) for one in result.failures][:5] == [], name
    ran = {outcome.relation.id for outcome in result.outcomes if outcome.state is State.PASSED}
    assert ran == {one.relation.id for one in result.outcomes}


def test_a_server_that_asks_to_wait_for_ever_is_said_to_refuse() -> None:
    pauses: list[float] = []
    service = MemoryServer(keys())
    late = Changed(
        service, lambda *_: httpx.Response(429, headers={"retry-after": "90"}, json={"code": 9999, "msg": ""})
    )
    server = under_test(service, late, judge.FACTS)
    server.pause, server.patience = pauses.append, 20.0
    with server, pytest.raises(Violation, match="a form is legal, but was refused"):
        server.check_taken(server.submit([text("prompt", "x")]), "a form", "PROMPT-REQUIRED")
    assert pauses == [20.0] * 5
