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
from seedream_testing.contract import RELATIONS, ServerUnderTest, Unobservable, Violation, text


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

    def same(self, body: bytes, taskid: str, index: int) -> bytes:
        """Whatever its number is."""
        del index
        return self.picture(body, taskid, 0)


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


class Doing(Hooks):
    """Does these things otherwise."""

    def __init__(self, **hooks: Callable[..., Any]) -> None:
        for name, hook in hooks.items():
            setattr(self, name, hook)


def charging(operation: str) -> Hooks:
    """A server that charges for these operations too."""
    return Doing(after=lambda done, accounts, key: accounts.charges.append((key, 1)) if done == operation else None)


def telling(which: Callable[[dict[str, Any], dict[str, Any]], bool], **told: Any) -> Hooks:
    """A server whose queries tell something else of some tasks."""
    return Doing(state=lambda data, task: {**data, **told} if which(data, task) else data)


# A deletion without a key is done, and said to be refused.
KEYLESS = Doing(
    authorize=lambda header, known, operation: RICH if header is None and operation == "delete" else Hooks().authorize(header, known, operation),
    reply=lambda document, operation: {"code": 9999, "msg": ""} if operation == "delete" else document,
)  # fmt: skip


def forgetful() -> "Change":
    """A server whose pictures are gone once a task is deleted."""

    def change(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        return response if not request.extensions["deleted"] else httpx.Response(404)

    return change


Change = Callable[[httpx.Request, httpx.Response], httpx.Response]


class Changed(httpx.BaseTransport):
    """A server whose replies about pictures are changed on the way."""

    def __init__(self, service: MemoryServer, change: Change) -> None:
        self.service, self.change, self.deleted = service, change, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.deleted += request.url.path == judge.FACTS.delete
        request.extensions["deleted"] = self.deleted
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
    ("picture.shape/three of 2560x1440", Doing(picture=OnePicture().same), "SERVER-PICTURES", "pictures of one task are the same"),
    ("state.refusal/batchsize, refused for no key", telling(lambda data, task: data["prompt"] == "bare" and "width" in data, width=2050, height=2050), "WIRE-EXACT", r"a form of only a prompt, after one with batchsize that was refused for no key, has pictures of \(2050, 2050\), not of \(2048, 2048\)"),
    ("task.deletion/a task of the same form and its pictures stay", forgetful(), "SERVER-PICTURES", "a picture is gone, with the deletion of another task"),
    ("task.deletion/other tasks and their pictures stay", forgetful(), "SERVER-PICTURES", "a picture went with another task's deletion"),
    ("task.together/requests with the key and without", KEYLESS, "AUTH-KEY", "a deletion with no key, at the same time as own requests, deleted the task"),
    ("task.together/queries for six tasks", telling(lambda data, task: task["asked"] > 2, taskid="u"), "TASK-OWN", "of queries at the same time, the one for Task-.* was refused or tells of another"),
    ("task.together/queries for six tasks", charging("query"), "SERVER-CHARGE", "queries were charged"),
    ("task.together/deletions of four tasks and queries for four others", Doing(to_delete=lambda tasks, taskids, key: []), "TASK-ID", "a deletion at the same time as others was refused"),
    ("task.together/deletions of four tasks and queries for four others", charging("delete"), "SERVER-CHARGE", "deletions were charged"),
    ("task.together/three deletions of one task and a query for it", charging("delete"), "SERVER-CHARGE", "deletions were charged"),
    ("task.together/submissions, deletions and a query", telling(lambda data, task: task["asked"] > 2 and data["prompt"].startswith("a known"), taskid="u"), "TASK-OWN", "a query at the same time as submissions tells of another task"),
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


def test_an_id_that_is_guessed_may_be_another_task_s() -> None:
    service = MemoryServer(keys(), Doing(new_id=lambda tasks: f"img_{len(tasks) + 10}"))
    with under_test(service, service, judge.FACTS) as server:
        server.known_task()
        server.task([text("prompt", "another")])
        run("task.id/query: with another last character", server)
        with pytest.raises(
            Unobservable, match=r"^the id that is meant to be nobody's \(with another last character\) is"
        ):
            run("task.id/deletion: with another last character", server)
        assert service.tasks.keys() == {"img_10", "img_11"}


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
