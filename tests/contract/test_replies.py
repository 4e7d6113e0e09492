"""Replies: those that fit the spec are read to equal values; any others become a value or an error of the tree."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
import respx
from contract.generated import replies
from contract.wire import HOST, driven
from hypothesis import given
from seedream import AsyncTask, DownloadError, SeeDreamError, SubmissionUnknown, Task, TaskInfo
from support import strategies
from support.clients import Both


@given(reply=replies("GeneralResponse"))
def test_a_submissions_reply_is_read_as_it_is(both: Both, reply: dict[str, Any]) -> None:
    taskid = reply["data"].get("taskid")
    reply = {**reply, "code": 1000}
    _, result = driven(both, lambda client: client.submit("a fish"), httpx.Response(200, json=reply))
    usable = isinstance(taskid, str) and taskid.strip() and taskid.isprintable() and len(taskid) <= 200
    if usable and taskid not in ("null", "true", "false"):
        assert isinstance(result, Task | AsyncTask), result
        assert result.id == taskid
    else:
        assert isinstance(result, SubmissionUnknown), result  # paid for, but nobody could ask for it


@given(reply=replies("TaskReply"))
def test_a_querys_reply_is_read_as_it_is(both: Both, reply: dict[str, Any]) -> None:
    data = {**reply["data"], "taskid": "t-1"}
    reply = {**reply, "code": 1000, "data": data}
    _, info = driven(both, lambda client: client.query("t-1"), httpx.Response(200, json=reply))
    assert isinstance(info, TaskInfo), info
    assert (info.taskid, info.status) == ("t-1", data["image_status"])
    assert list(info.urls) == data.get("url", [])
    for name, missing in (("width", None), ("height", None), ("prompt", ""), ("error_message", "")):
        assert getattr(info, name) == data.get(name, missing)
    assert info.raw == data
    names = {1: "queued", 2: "processing", 3: "completed", 4: "failed"}
    assert info.state == names.get(data["image_status"], "unknown")


@given(reply=replies("DeletionReply"))
def test_a_deletions_reply_is_read_by_its_code(both: Both, reply: dict[str, Any]) -> None:
    _, result = driven(both, lambda client: client.delete("t-1"), httpx.Response(200, json={**reply, "code": 1000}))
    assert result is None
    _, result = driven(both, lambda client: client.delete("t-1"), httpx.Response(200, json={**reply, "code": 9999}))
    assert isinstance(result, SeeDreamError)


@pytest.mark.parametrize(
    ("work", "kinds"),
    [
        (lambda client: client.submit("a fish"), (Task, AsyncTask)),
        (lambda client: client.query("t-1"), (TaskInfo,)),
        (lambda client: client.delete("t-1"), (type(None),)),
        (lambda client: client.task("t-1").wait(timeout=5), (TaskInfo,)),
    ],
    ids=["submit", "query", "delete", "wait"],
)
@given(status=strategies.statuses, headers=strategies.reply_headers, body=strategies.reply_bodies)
def test_any_reply_at_all_stays_in_the_tree(
    both: Both, work: Any, kinds: tuple[type, ...], status: int, headers: dict[str, str], body: bytes
) -> None:
    reply = httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))
    _, result = driven(both, work, reply)
    if isinstance(result, SeeDreamError):
        assert result.billing in ("no", "yes", "unknown")
        str(result).encode()
        if result.reply is not None:
            assert result.reply.status == status
    else:
        assert isinstance(result, kinds)
        assert 200 <= status < 300, "nothing but success is taken for one"
    if status >= 500 and Task in kinds:
        assert isinstance(result, SubmissionUnknown)


@given(status=strategies.statuses, headers=strategies.reply_headers, body=strategies.reply_bodies)
def test_any_picture_at_all_stays_in_the_tree(both: Both, status: int, headers: dict[str, str], body: bytes) -> None:
    state = {"code": 1000, "msg": "", "data": {"taskid": "t-1", "image_status": 3, "url": [f"{HOST}/1.png"]}}
    with TemporaryDirectory() as folder, respx.mock(base_url=HOST, assert_all_called=False) as router:
        router.post("/v1/images/infobytaskid").mock(return_value=httpx.Response(200, json=state))
        router.get(url__startswith=HOST).mock(
            side_effect=lambda _: httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))
        )
        try:
            saved = both.call(lambda client: client.task("t-1").save(folder), base_url=HOST)
        except DownloadError:
            assert list(Path(folder).iterdir()) == []
        else:
            assert [path.read_bytes() for path in saved] == [body]
            assert list(Path(folder).iterdir()) == saved
