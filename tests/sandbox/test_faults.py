"""Every fault of the catalogue, over sockets and in process: what a plain HTTP client sees, and what was charged."""

# ruff: noqa: E501 -- one fault a line reads as a table

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import httpx
import pytest
from PIL import Image, UnidentifiedImageError
from sandbox.sandbox_client import OpenSandbox, SandboxClient
from seedream_sandbox import KINDS
from seedream_sandbox.faults.catalogue import PARTS

Check = Callable[[httpx.Response], bool]
Expected = type[httpx.TransportError] | Check
CUT: Final = httpx.TransportError  # a reset may be met while reading or writing


def envelope(check: Callable[[Any], bool]) -> Check:
    return lambda reply: bool(200 == reply.status_code and check(reply.json()))


def broken(reply: httpx.Response) -> bool:
    """JSON cut short."""
    try:
        reply.json()
    except ValueError:
        return 200 == reply.status_code and reply.content.startswith(b'{"code"')
    return False


def values_of(key: str, content: bytes) -> list[Any]:
    """Return all values of a key in a JSON document, in order."""
    found: list[Any] = []
    json.loads(content, object_pairs_hook=lambda pairs: found.extend(value for name, value in pairs if name == key))
    return found


def fine(reply: httpx.Response) -> bool:
    return bool(1000 == reply.json()["code"])


# Of a submission: fault, what the client sees, images charged (of 2 asked for).
SUBMISSIONS: Final[list[tuple[str, Expected, int]]] = [
    ("cut-accept", CUT, 0),
    ("cut-accept how=fin", CUT, 0),
    ("stall-accept", httpx.ReadTimeout, 0),
    ("cut-request", CUT, 0),
    ("cut-request after=100 how=fin", CUT, 0),
    ("cut-request after=1000000", CUT, 0),
    ("stall-request after=10", httpx.ReadTimeout, 0),
    ("slow-upload rate=1000000", fine, 2),
    ("delay seconds=0.01", fine, 2),
    ("delay seconds=30", httpx.ReadTimeout, 2),
    ("status", lambda reply: 500 == reply.status_code and 9999 == reply.json()["code"], 2),
    ("status-502 body=html", lambda reply: 502 == reply.status_code and b"<html>" in reply.content, 2),
    ("status-520 body=empty", lambda reply: 520 == reply.status_code and b"" == reply.content, 2),
    ("status-503 billed=no retry_after=7", lambda reply: (503, "7") == (reply.status_code, reply.headers["retry-after"]), 0),
    ("status-400", lambda reply: 400 == reply.status_code, 0),
    ("status-204", lambda reply: (204, b"") == (reply.status_code, reply.content), 0),
    ("rate-limit", lambda reply: (429, "1") == (reply.status_code, reply.headers["retry-after"]), 0),
    ("no-credits", envelope(lambda it: 9000 == it["code"] and "data" not in it), 0),
    ("no-credits data=null", envelope(lambda it: 9000 == it["code"] and it["data"] is None), 0),
    ("no-credits data=empty", envelope(lambda it: 9000 == it["code"] and {} == it["data"]), 0),
    ("failure msg=because", envelope(lambda it: (9999, "because") == (it["code"], it["msg"])), 0),
    ("failure billed=yes", envelope(lambda it: 9999 == it["code"]), 2),
    ("redirect", lambda reply: (307, "/v1/images/seedreamv45") == (reply.status_code, reply.headers["location"]), 0),
    ("redirect status=303 billed=yes", lambda reply: 303 == reply.status_code, 2),
    ("redirect status=302 to=http://127.0.0.1:9/", lambda reply: "http://127.0.0.1:9/" == reply.headers["location"], 0),
    ("html", lambda reply: 200 == reply.status_code and reply.text.startswith("<!doctype html>"), 2),
    ("empty", lambda reply: (200, b"") == (reply.status_code, reply.content), 2),
    ("truncated-json keep=25", broken, 2),
    ("mistyped", envelope(lambda it: "1000" == it["code"] and isinstance(it["data"]["taskid"], int)), 2),
    ("no-data", envelope(lambda it: 1000 == it["code"] and "data" not in it), 2),
    ("null-data", envelope(lambda it: 1000 == it["code"] and it["data"] is None), 2),
    ("no-taskid", envelope(lambda it: 1000 == it["code"] and {} == it["data"]), 2),
    ("duplicate-keys", lambda reply: [9999, 1000] == values_of("code", reply.content), 2),
    ("duplicate-keys key=taskid value=x", lambda reply: ["x"] == values_of("taskid", reply.content)[:-1], 2),
    ("chunked", lambda reply: "content-length" not in reply.headers and fine(reply), 2),
    ("unknown-code", envelope(lambda it: 1234 == it["code"] and it["data"]["taskid"]), 2),
    ("unknown-code code=7 taskid=no", envelope(lambda it: 7 == it["code"] and {} == it["data"]), 2),
    ("unknown-fields", envelope(lambda it: 1000 == it["code"] and "requestid" in it and "trace" in it["data"]), 2),
    ("huge-reply bytes=3000000", lambda reply: len(reply.content) > 3_000_000, 2),
    ("wrong-type", lambda reply: "text/html" == reply.headers["content-type"] and fine(reply), 2),
    ("cut-reply", httpx.RemoteProtocolError, 2),
    ("cut-reply how=rst", httpx.ReadError, 2),
    ("cut-reply billed=no", httpx.RemoteProtocolError, 0),
    ("cut-head", httpx.RemoteProtocolError, 2),
    ("cut-body", httpx.RemoteProtocolError, 2),
    ("cut-quiet at=submit after=12", broken, 2),
    ("garbage", httpx.RemoteProtocolError, 2),
    ("stall-reply after=40", httpx.ReadTimeout, 2),
    ("drip bytes=40 seconds=0.001", fine, 2),
    *((f"drip-part part={part} length=16 seconds=0.0001", fine, 2) for part in PARTS),
]  # fmt: skip


def seen(act: Callable[[], httpx.Response]) -> httpx.Response | httpx.TransportError:
    try:
        return act()
    except httpx.TransportError as error:
        return error


def agrees(expected: Expected, found: httpx.Response | httpx.TransportError) -> bool:
    if isinstance(expected, type):
        return isinstance(found, expected)
    return isinstance(found, httpx.Response) and expected(found)


@pytest.mark.parametrize(("fault", "expected", "charged"), SUBMISSIONS, ids=[row[0] for row in SUBMISSIONS])
def test_of_a_submission(open_sandbox: OpenSandbox, fault: str, expected: Expected, charged: int) -> None:
    one = open_sandbox(faults=[f"{fault} times=1"])
    one.http.timeout = httpx.Timeout(10, read=0.3 if expected is httpx.ReadTimeout else 10)
    found = seen(lambda: one.submit("y" * 5000, batchsize=2))
    assert agrees(expected, found), found
    assert charged == sum(charge.images for charge in one.sandbox.charges)
    assert 1000 - charged == one.sandbox.credits
    # It strikes once, and leaves no trace.
    one.http.timeout = httpx.Timeout(10)
    assert 1000 == one.submit().json()["code"]


def test_a_duplicate_taskid(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(faults=["duplicate-taskid nth=2"])
    assert one.made() == one.made()
    assert 2 == len(one.sandbox.tasks)


def statuses(one: SandboxClient, taskid: str, count: int) -> list[int]:
    replies = [one.query(taskid) for _ in range(count)]
    return [reply["data"]["image_status"] if 1000 == reply["code"] else -1 for reply in replies]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("stuck", [2, 2, 2, 2, 2]),
        ("stuck state=queued", [1, 1, 1, 1, 1]),
        ("flapping", [1, 2, 3, 2, 3]),
        ("task-fails", [1, 2, 4, 4, 4]),
        ("unknown-status polls=3", [5, 5, 5, 3, 3]),
        ("unknown-status status=77 polls=1", [77, 2, 3, 3, 3]),
        ("lost-task polls=2", [-1, -1, 3, 3, 3]),
    ],
)
def test_of_a_tasks_later_life(open_sandbox: OpenSandbox, fault: str, expected: list[int]) -> None:
    one = open_sandbox(faults=[fault])
    assert expected == statuses(one, one.made(), 5)


def test_a_failed_task_says_why(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(faults=["task-fails msg=unlucky"], progress="instant")
    data = one.query(one.made())["data"]
    assert (4, "unlucky", []) == (data["image_status"], data["error_message"], data["url"])


def test_pictures_that_are_missing_in_the_reply(open_sandbox: OpenSandbox) -> None:
    def urls(fault: str) -> list[list[str]]:
        one = open_sandbox(faults=[fault], progress="instant")
        taskid = one.made(batchsize=3)
        return [one.query(taskid)["data"]["url"] for _ in range(2)]

    assert [0, 3] == [len(one) for one in urls("no-urls polls=1")]
    assert [1, 1] == [len(one) for one in urls("fewer-urls missing=2")]
    assert [["file:///etc/passwd"] * 3] * 2 == urls("bad-url")
    assert [7, 7] == [len(one) for one in urls("many-urls count=7")]
    assert [3, 3] == [len(set(one)) for one in urls("many-urls count=7")]
    assert [[""] * 5] * 2 == urls("many-urls count=5 to=")


def whole(content: bytes) -> bool:
    try:
        with Image.open(BytesIO(content)) as picture:
            picture.load()
    except (OSError, SyntaxError, UnidentifiedImageError):
        return False
    return True


PICTURES: Final[list[tuple[str, Expected]]] = [
    ("picture-expired", lambda reply: 403 == reply.status_code and b"expired" in reply.content),
    ("picture-forbidden", lambda reply: 403 == reply.status_code),
    ("picture-missing", lambda reply: 404 == reply.status_code),
    ("picture-truncated", lambda reply: 200 == reply.status_code and not whole(reply.content)),
    ("picture-corrupt", lambda reply: 200 == reply.status_code and not whole(reply.content)),
    ("picture-oversized bytes=3000000", lambda reply: len(reply.content) > 3_000_000),
    ("picture-bomb bytes=3000000", lambda reply: 3_000_000 == len(reply.content)),
    ("picture-trailing bytes=5", lambda reply: "content-length" not in reply.headers and reply.content.endswith(b"IEND\xaeB`\x82trail")),
    ("picture-trailing chunked=no", lambda reply: reply.content.endswith(b"trailing" * 12 + b"trai")),
    ("gzip", lambda reply: "gzip" == reply.headers["content-encoding"] and whole(reply.content)),
    ("wrong-encoding", lambda reply: "aws-chunked" == reply.headers["content-encoding"] and whole(reply.content)),
    ("cut-quiet after=2000", lambda reply: 2000 == len(reply.content)),
    ("cut-body at=picture after=500", httpx.RemoteProtocolError),
    ("cut-reply at=picture", httpx.RemoteProtocolError),
    ("status-503 at=picture", lambda reply: 503 == reply.status_code),
    ("html at=picture", lambda reply: b"<html>" in reply.content),
    ("wrong-type at=picture type=text/plain", lambda reply: "text/plain" == reply.headers["content-type"] and whole(reply.content)),
    ("redirect at=picture status=302 to=http://127.0.0.1:9/", lambda reply: 302 == reply.status_code),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "expected"), PICTURES, ids=[row[0] for row in PICTURES])
def test_of_a_picture(open_sandbox: OpenSandbox, fault: str, expected: Expected) -> None:
    one = open_sandbox(faults=[f"{fault} times=1"], progress="instant")
    url = one.urls(one.made())[0]
    assert agrees(expected, seen(lambda: one.picture(url)))
    assert whole(one.picture(url).content), "it strikes once"
    assert "picture-" not in one.sandbox.requests[-1].verdict


def test_of_queries_and_deletions(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(faults=["status-503 at=query nth=1", "cut-reply at=delete nth=1"])
    taskid = one.made()
    assert 9999 == one.query(taskid)["code"]
    assert 1000 == one.query(taskid)["code"]
    with pytest.raises(httpx.RemoteProtocolError):
        one.call("/v1/images/deleteimagestask", {"taskids": [taskid]})
    assert one.sandbox.tasks[0].deleted, "done, only its reply was lost"


def test_none_of_the_catalogue_is_left_out() -> None:
    texts = [row[0] for row in SUBMISSIONS] + [row[0] for row in PICTURES]
    tried = {text.split()[0].partition("-5")[0].partition("-4")[0].partition("-2")[0] for text in texts}
    tasks = {
        "stuck",
        "flapping",
        "task-fails",
        "unknown-status",
        "lost-task",
        "no-urls",
        "fewer-urls",
        "many-urls",
        "bad-url",
    }
    assert set(KINDS) == tried | tasks | {"duplicate-taskid"}
