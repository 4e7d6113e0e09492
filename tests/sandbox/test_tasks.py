"""Tasks: how they progress, what a query tells, deletion; and that a seed and a clock decide everything."""

import re
from typing import Any

import httpx
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sandbox.sandbox_client import DELETE, QUERY, OpenSandbox, SandboxClient
from seedream_sandbox import ManualClock, Sandbox
from seedream_sandbox.faults.language import prompt_faults


def states(one: Any, taskid: str, count: int) -> list[int]:
    return [one.query(taskid)["data"]["image_status"] for _ in range(count)]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [1, 2, 3, 3]),
        ({"polls": 0}, [3, 3, 3, 3]),
        ({"polls": 1}, [1, 3, 3, 3]),
        ({"progress": "instant"}, [3, 3, 3, 3]),
    ],
)
def test_progress_by_queries(open_sandbox: OpenSandbox, settings: Any, expected: list[int]) -> None:
    # STATUS-MEANING: 1 queued, 2 processing, 3 completed.
    one = open_sandbox(**settings)
    assert expected == states(one, one.made(), 4)


@pytest.mark.parametrize("settings", [{"progress": "time", "latency": 8.0}, {"latency": 8}])
def test_progress_by_time(open_sandbox: OpenSandbox, settings: Any) -> None:
    clock = ManualClock()
    one = open_sandbox(clock=clock, **settings)
    taskid, found = one.made(), []
    for _ in range(6):
        found.append(one.query(taskid)["data"]["image_status"])
        clock.advance(1.9)
    assert [1, 1, 2, 2, 2, 3] == found


def test_what_a_query_tells(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(clock=ManualClock(1_700_000_000))
    taskid = one.made("灯塔", batchsize=2, resolution="3750x1250", category="c")
    first, last = one.query(taskid)["data"], [one.query(taskid)["data"] for _ in range(2)][-1]
    assert {
        "taskid": taskid, "category": "c", "starttime": "2023-11-14 22:13:20", "url": [], "image_status": 1,
        "width": 3750, "height": 1250, "prompt": "灯塔", "negative": "", "error_message": "",
    } == {name: value for name, value in first.items() if name != "origseed"}  # fmt: skip
    assert isinstance(first["origseed"], int)
    assert 2 == len(set(last["url"]))
    for url in last["url"]:
        assert url.startswith(one.sandbox.images_url + "/")
        assert not url.startswith(one.sandbox.base_url + "/"), "the image host is another origin"
        assert re.search(r"\?Expires=[0-9]+&Signature=[0-9a-f]+$", url)


EXACT = [
    " blanks around ", "tab\t", "\u3000wide", "é", "e\u0301", "ﬁ", "Ⅷ",
    "a+b%20c&amp;d\\u0041", "{}[]\"'<>", "\r\n",
    "x\ry",
    "\x00\x07\x7f", "\ufeffmark", "\u200d\u202e", "👩‍👩‍👧", "x" * 20_000, "null", "[[fault:none]]",
    "\ufffd", "--b", "\ud7ff\ue000\U0010ffff",
]  # fmt: skip


@pytest.mark.parametrize("prompt", EXACT, ids=range(len(EXACT)))
def test_a_query_returns_the_prompt_exactly(open_sandbox: OpenSandbox, prompt: str) -> None:
    one = open_sandbox(progress="instant")
    prompt = f"{prompt}." if not prompt.strip() else prompt
    data = one.query(one.made(prompt))["data"]
    assert (prompt, prompt.encode()) == (data["prompt"], data["prompt"].encode())
    assert prompt == one.sandbox.tasks[-1].prompt


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip))
def test_any_prompt_is_returned_exactly(prompt: str) -> None:
    sandbox = Sandbox(progress="instant")
    with httpx.Client(transport=sandbox.transport) as http:
        one = SandboxClient(sandbox, http)
        assume(not list(prompt_faults(prompt)))
        assert prompt == one.query(one.made(prompt))["data"]["prompt"]


@pytest.mark.parametrize("change", [str.upper, lambda one: one[:-1], lambda one: one + " ", lambda one: " " + one])
def test_a_task_id_is_compared_exactly(open_sandbox: OpenSandbox, change: Any) -> None:
    one = open_sandbox()
    taskid = one.made()
    assert 9999 == one.query(change(taskid))["code"]
    one.call(DELETE, {"taskids": [change(taskid)]})
    assert 1000 == one.query(taskid)["code"]


def test_all_of_several_tasks_are_deleted_and_no_other(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox()
    made = [one.made() for _ in range(4)]
    charged = len(one.sandbox.charges)
    one.call(DELETE, {"taskids": [made[2], "unknown", made[0], made[2]]})
    assert [9999, 1000, 9999, 1000] == [one.query(taskid)["code"] for taskid in made]
    assert charged == len(one.sandbox.charges), "a deletion costs nothing"


@pytest.mark.parametrize("body", [b'{"taskid": "a", "taskid": "b"}', b'{"taskid": "a"} x', b'{"taskid": "a"}{}'])
def test_json_that_can_be_read_in_two_ways_is_refused(open_sandbox: OpenSandbox, body: bytes) -> None:
    one = open_sandbox()
    headers = {"Authorization": "Bearer k", "Content-Type": "application/json"}
    reply = one.http.post(one.sandbox.base_url + QUERY, content=body, headers=headers).json()
    assert (9999, "SCHEMA") == (reply["code"], reply["msg"].split()[0])


def test_no_such_task(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox()
    for taskid in ("nothing", "x" * 5000, "\x00", "雾", "../.."):
        envelope = one.query(taskid)
        assert (9999, {"code", "msg"}) == (envelope["code"], envelope.keys())
    assert "TASK-ID" == one.sandbox.requests[-1].rule


def test_a_deleted_task_is_gone_with_its_pictures(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(progress="instant")
    taskid, other = one.made(), one.made()
    url, kept = one.urls(taskid)[0], one.urls(other)[0]
    envelope = one.call(DELETE, {"taskids": [taskid, "unknown"], "uid": "u"}).json()
    assert (1000, {"status": "Success"}) == (envelope["code"], envelope["data"])
    assert 9999 == one.query(taskid)["code"]
    assert [404, 200] == [one.picture(one_url).status_code for one_url in (url, kept)]


@pytest.mark.parametrize("path", [QUERY, DELETE])
@pytest.mark.parametrize(
    "body",
    [
        {}, [], None, 7, "x",
        {"taskid": 7, "taskids": 7}, {"taskid": None, "taskids": None}, {"taskid": [], "taskids": []},
        {"taskid": {}, "taskids": [7]}, {"taskid": "", "taskids": [""]}, {"taskid": True, "taskids": "x"},
    ],
)  # fmt: skip
def test_a_query_or_deletion_that_the_spec_forbids_is_refused(open_sandbox: OpenSandbox, path: str, body: Any) -> None:
    one = open_sandbox()
    assert 9999 == one.call(path, body).json()["code"]
    assert "refused" == one.sandbox.requests[-1].verdict


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b'{"taskid": NaN}', b"[" * 100_000, b'{"taskid": "\\ud800"}']
)
def test_what_is_not_json_is_refused(open_sandbox: OpenSandbox, content: bytes) -> None:
    one = open_sandbox()
    headers = {"Authorization": "Bearer k", "Content-Type": "application/json"}
    reply = one.http.post(one.sandbox.base_url + QUERY, content=content, headers=headers)
    assert (200, 9999) == (reply.status_code, reply.json()["code"])
    headers["Content-Type"] = "text/plain"
    assert (
        9999 == one.http.post(one.sandbox.base_url + QUERY, content=b'{"taskid": "x"}', headers=headers).json()["code"]
    )


def story(open_sandbox: OpenSandbox, seed: int) -> Any:
    """Return all that can be seen of one run."""
    one = open_sandbox(
        seed=seed, clock=ManualClock(), pictures="painted", format="jpeg", credits=9, faults=["failure probability=0.5"]
    )
    ids = [one.submit(f"fish {number}").json().get("data", {}).get("taskid") for number in range(6)]
    made = [taskid for taskid in ids if taskid]
    data = [one.query(taskid)["data"] for taskid in made]
    urls = [url.partition("/results/")[2] for taskid in made[:1] for url in one.urls(taskid)]
    pictures = [one.picture(url).content for url in one.urls(made[0])]
    return ids, data, urls, pictures, [(charge.taskid, charge.at) for charge in one.sandbox.charges]


def test_the_same_seed_and_clock_give_the_same_story(open_sandbox: OpenSandbox) -> None:
    first = story(open_sandbox, 7)
    assert first == story(open_sandbox, 7)
    other = story(open_sandbox, 8)
    assert first[0] != other[0]
    assert first[3] != other[3]


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_exactly_so_many_tasks_and_requests_are_remembered(open_sandbox: OpenSandbox, keep: int) -> None:
    one = open_sandbox(keep=keep, progress="instant")
    made = [one.made(str(number)) for number in range(keep)]
    assert [one.query(taskid)["code"] for taskid in made] == [1000] * keep
    assert len(one.sandbox.requests) == keep
    made.append(one.made("one more"))
    assert [one.query(taskid)["code"] for taskid in made] == [9999, *[1000] * keep]
    assert len(one.sandbox.requests) == keep


@pytest.mark.parametrize("latency", [0, 1, 8.0])
def test_a_task_is_queued_and_completed_at_its_very_moment(open_sandbox: OpenSandbox, latency: float) -> None:
    clock = ManualClock()
    one = open_sandbox(clock=clock, latency=latency)
    taskid, begun, found = one.made(), clock.time(), []
    for at in (0, latency / 4 - 2**-20, latency / 4, latency - 2**-20, latency, latency + 1):
        clock.advance(max(0.0, begun + at - clock.time()))
        found.append(one.query(taskid)["data"]["image_status"])
    assert found == ([1, 1, 2, 2, 3, 3] if latency else [3] * 6)


@pytest.mark.parametrize("lifetime", [0, 1, 60.0, 86_400])
def test_a_link_is_good_until_the_end_of_its_lifetime(open_sandbox: OpenSandbox, lifetime: float) -> None:
    clock = ManualClock(1_700_000_000)
    one = open_sandbox(clock=clock, lifetime=lifetime, progress="instant")
    (url,) = one.urls(one.made())
    found = []
    for step in (0, lifetime, 2**-20, 1):
        clock.advance(step)
        found.append(one.picture(url).status_code)
    assert found == [200, 200, 403, 403]


@pytest.mark.parametrize(
    "wrong",
    [
        {"progress": "slowly"}, {"pictures": "none"}, {"format": "gif"}, {"credits": -1}, {"polls": -1},
        {"latency": -1}, {"keep": 0}, {"price": -1}, {"max_body": -1},
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Sandbox(**wrong)


@pytest.mark.parametrize(
    "least", [{"credits": 0}, {"polls": 0}, {"latency": 0}, {"keep": 1}, {"price": 0}, {"max_body": 0}], ids=str
)
def test_a_setting_at_its_bound_is_taken(least: Any) -> None:
    Sandbox(**least)
