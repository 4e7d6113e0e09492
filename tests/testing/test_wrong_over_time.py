"""Wrong servers that are wrong only after something, or in a header: what is said of each."""

# ruff: noqa: E501 -- one case a line reads as a table

from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import judge
import pytest
from contract.servers.flask_server import Hooks
from contract.servers.memory_server import MemoryServer
from contract.servers.serving import RICH, keys
from mutants.derived import under_test
from seedream_testing.contract import RELATIONS, ServerUnderTest, Violation


class OddAt(Hooks):
    """Gives another picture the n-th time that one is fetched."""

    def __init__(self, time: int) -> None:
        self._time, self._fetched = time, Counter[str]()

    def picture(self, body: bytes, taskid: str, index: int) -> bytes:
        self._fetched[f"{taskid}/{index}"] += 1
        return body + b"x" * (self._fetched[f"{taskid}/{index}"] >= self._time)


class OnePicture(Hooks):
    """Has the same pictures for each task."""

    def __init__(self) -> None:
        self._made: dict[int, bytes] = {}

    def picture(self, body: bytes, taskid: str, index: int) -> bytes:
        del taskid
        return self._made.setdefault(index, body)


class Near(Hooks):
    """Counts its ids, reads only their beginning, and says that the task is the one that was asked for."""

    def new_id(self, tasks: Any) -> str:
        return f"img_{10 * len(tasks) + 10}"

    def find(self, tasks: Any, taskid: object, key: str) -> dict[str, Any] | None:
        self._asked = taskid
        found = [task for name, task in tasks.items() if isinstance(taskid, str) and name[:-1] == taskid[:-1]]
        return next((task for task in found if task["key"] == key), None)

    def state(self, data: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
        del task
        return {**data, "taskid": self._asked}


class Talkative(Hooks):
    """Tells the id of a task to whoever asks without a key."""

    def new_id(self, tasks: Any) -> str:
        self._made = super().new_id(tasks)
        return self._made

    def reply(self, document: dict[str, Any], operation: str) -> dict[str, Any]:
        told = {"url": [f"http://x/{self._made}"]} if operation == "query" and document["code"] != 1000 else None
        return document if told is None else {**document, "_status": 401, "data": told}


Change = Callable[[httpx.Request, httpx.Response], httpx.Response]


class Changed(httpx.BaseTransport):
    """A server whose replies about pictures are changed on the way."""

    def __init__(self, service: MemoryServer, change: Change) -> None:
        self.service, self.change = service, change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.service.handle_request(request)
        return self.change(request, response) if "/pictures/" in request.url.path else response


def called(kind: str) -> Change:
    return lambda _, response: httpx.Response(200, headers={"content-type": kind}, content=response.content)


def part(content: Callable[[bytes, int], tuple[bytes, str]]) -> Change:
    """Answer ``bytes=5-14`` with this part and its Content-Range."""

    def change(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if "range" not in request.headers:
            return response
        body, said = content(response.content, len(response.content))
        headers = {"content-type": "image/png", **({"content-range": said} if said else {})}
        return httpx.Response(206, headers=headers, content=body)

    return change


RANGE = "picture.access/Range: bytes=5-14"
WRONG: list[tuple[str, Hooks | Change, str, str]] = [
    ("task.deletion/a task of the same form and its pictures stay", OddAt(6), "SERVER-PICTURES", "a picture changed with the deletion of a task of the same form"),
    ("task.id/query: with another last character", Near(), "TASK-ID", r"a query for an id that is not the task's \(with another last character: 'img_11'\) was accepted"),
    ("picture.identity/two prompts", OnePicture(), "SERVER-PICTURES", "two prompts: the picture is one of an earlier task"),
    ("picture.identity/one prompt twice", OnePicture(), "SERVER-PICTURES", "one prompt twice: the picture is one of an earlier task"),
    ("key.missing/query: no key", Talkative(), "AUTH-KEY", "a query with no key was refused, but tells about the task"),
    *[("picture.shape/upright", called(kind), "FILE-TYPE", f"upright: the picture is called {kind}") for kind in ("image/jpeg", "image/gif", "application/json", "text/plain")],
    (RANGE, part(lambda whole, size: (whole[5:15], "")), "SERVER-PICTURES", "the Content-Range of bytes=5-14 is '', not what came"),
    (RANGE, part(lambda whole, size: (whole[5:15], f"bytes 5-15/{size}")), "SERVER-PICTURES", "the Content-Range of bytes=5-14 is 'bytes 5-15"),
    (RANGE, part(lambda whole, size: (whole[5:15], f"bytes 4-14/{size}")), "SERVER-PICTURES", "the Content-Range of bytes=5-14 is 'bytes 4-14"),
    (RANGE, part(lambda whole, size: (whole[5:15], f"bytes 5-14/{size + 1}")), "SERVER-PICTURES", "the Content-Range of bytes=5-14 is 'bytes 5-14"),
    (RANGE, part(lambda whole, size: (whole[5:14], f"bytes 5-13/{size}")), "SERVER-PICTURES", r"a range \(bytes=5-14\) is neither the part asked for nor the whole picture"),
    (RANGE, part(lambda whole, size: (whole[5:15], f"bytes 5-14/{size}")), "", ""), (RANGE, part(lambda whole, size: (whole[5:15], "bytes 5-14/*")), "", ""),
    *[("picture.shape/upright", called(kind), "", "") for kind in ("image/png", "application/octet-stream", "binary/octet-stream")],
]  # fmt: skip
BY_ID = {relation.id: relation for relation in RELATIONS}


def run(name: str, server: ServerUnderTest) -> None:
    relation, _, example = name.partition("/")
    [chosen] = [one for one in BY_ID[relation].derive(judge.FACTS) if one.name == example]
    chosen.run(server)


@pytest.mark.parametrize(("name", "wrong", "rule", "said"), WRONG, ids=range(len(WRONG)))
def test_what_is_said_of_it(name: str, wrong: Hooks | Change, rule: str, said: str) -> None:
    service = MemoryServer(keys(), wrong if isinstance(wrong, Hooks) else None)
    transport: httpx.BaseTransport = service if isinstance(wrong, Hooks) else Changed(service, wrong)
    with under_test(service, transport, judge.FACTS) as server:
        if not rule:
            run(name, server)
            return
        with pytest.raises(Violation) as caught:
            run(name, server)
    assert caught.value.rule == rule
    with pytest.raises(AssertionError, match=f"^({said})"):
        raise AssertionError(caught.value.what)
    assert "curl -sS -X" in caught.value.curl


@pytest.mark.parametrize("charged", [[], [1], [1, 1]])
def test_a_form_that_is_broken_off_may_cost_nothing(charged: list[int]) -> None:
    service = MemoryServer(keys())

    class Hasty(httpx.BaseTransport):
        """Charges for a form before it is there."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            try:
                return service.handle_request(request)
            except BaseException:
                if charged:
                    service.accounts.charges.append((RICH, charged.pop()))
                raise

    expected = sum(charged)
    with under_test(service, Hasty(), judge.FACTS) as server:
        name = "state.refusal/batchsize, in a form whose connection ends in the middle"
        if not expected:
            run(name, server)
            return
        with pytest.raises(Violation) as caught:
            run(name, server)
    assert (caught.value.rule, caught.value.what) == (
        "SERVER-CHARGE", f"forms that were broken off were charged: {expected + 1} images in all",
    )  # fmt: skip
