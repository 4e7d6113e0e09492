"""How faults are asked for: by settings, plan file, header or prompt; which requests they strike; mistakes."""

from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox.sandbox_client import OpenSandbox
from seedream_sandbox import Fault, FaultError, Sandbox, load_plan, parse_fault

BAD = [
    ("", "has a name"),
    ("cut-reply-now", "did you mean 'cut-reply'"),
    ("nonsense", "there are cut-accept"),
    ("cut-reply nth", "is not option=value"),
    ("cut-reply after=3", "has no option 'after'"),
    ("cut-body aftr=3", "did you mean 'after'"),
    ("cut-body after=many", "is not like '10'"),
    ("delay seconds=-1", "out of range"),
    ("delay seconds=nan", "out of range"),
    ("cut-reply probability=x", "is not like"),
    ("cut-reply billed=perhaps", "is not like"),
    ("cut-reply at=moon", "is not a scope"),
    ("cut-accept at=submit", "cannot be at 'submit'"),
    ("cut-reply at=connect", "cannot be at 'connect'"),
    ("cut-request match=x", "before the prompt is read"),
    ("status-999", "there is no fault"),
    ("status-101", "there is no fault"),
    ("html status=99", "not a final HTTP status"),
    ("cut-reply how=softly", "is not one of fin, rst"),
    ("drip-part part=heads", "is not one of status-line"),
    ("stuck state=completed", "is not one of queued"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_mistake_is_reported(text: str, message: str) -> None:
    with pytest.raises(FaultError, match=message):
        parse_fault(text)


@given(
    st.text(max_size=60) | st.sampled_from([text for text, _ in BAD]).flatmap(lambda text: st.text().map(text.__add__))
)
def test_any_text_is_a_fault_or_a_mistake(text: str) -> None:
    with suppress(FaultError):
        assert isinstance(parse_fault(text), Fault)


def struck(open_sandbox: OpenSandbox, fault: str, prompts: str = "aaaaaaaa", seed: int = 0) -> str:
    """Return which of eight submissions the fault struck: 1 or 0 each."""
    one = open_sandbox(faults=[fault], seed=seed)
    return "".join("01"[9999 == one.submit(prompt).json()["code"]] for prompt in prompts)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("", "11111111"),
        ("nth=1", "10000000"),
        ("nth=2,5", "01001000"),
        ("every=3", "00100100"),
        ("times=2", "11000000"),
        ("every=2 times=2", "01010000"),
        ("probability=0", "00000000"),
        ("match=b", "00000110"),
        ("at=any", "11111111"),
        ("at=query", "00000000"),
    ],
)
def test_when_it_strikes(open_sandbox: OpenSandbox, when: str, expected: str) -> None:
    assert expected == struck(
        open_sandbox, f"failure billed=yes {when}", prompts="aaaaabba" if "match" in when else "aaaaaaaa"
    )


def test_it_may_depend_on_the_prompt_of_the_task_asked_for(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(faults=["failure at=query match=fish", "picture-missing match=fish"], progress="instant")
    fish, bird = one.made("a fish"), one.made("a bird")
    assert [9999, 1000] == [one.query(taskid)["code"] for taskid in (fish, bird)]
    one.sandbox.clear_faults()
    one.sandbox.add_fault("picture-missing match=fish")
    assert [404, 200] == [one.picture(one.urls(taskid)[0]).status_code for taskid in (fish, bird)]


def test_a_chance_follows_the_seed(open_sandbox: OpenSandbox) -> None:
    runs = [struck(open_sandbox, "failure probability=0.5", seed=seed) for seed in (1, 1, 2, 3)]
    assert runs[0] == runs[1]
    assert len(set(runs)) > 1
    assert {"0", "1"} <= set("".join(runs))


def test_by_header_once(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox()
    assert 503 == one.submit(headers={"X-Sandbox-Fault": "status-503 retry_after=2"}).status_code
    with pytest.raises(httpx.RemoteProtocolError):
        one.submit(headers={"X-Sandbox-Fault": "delay seconds=0.001; cut-reply"})
    assert ["delay", "cut-reply"] == sorted(one.sandbox.requests[-1].faults, reverse=True)
    assert 1000 == one.submit().json()["code"]


def test_a_header_with_a_mistake_is_reported_and_costs_nothing(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox()
    reply = one.submit(headers={"X-Sandbox-Fault": "cut-replly"})
    assert (400, True) == (reply.status_code, "did you mean 'cut-reply'" in reply.json()["msg"])
    assert [] == one.sandbox.charges


def test_a_header_comes_too_late_for_a_fault_of_the_connection(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox()
    assert "put it into a plan" in one.submit(headers={"X-Sandbox-Fault": "cut-accept"}).json()["msg"]
    with pytest.raises(httpx.TransportError):
        one.submit("y" * 5000, headers={"X-Sandbox-Fault": "cut-request after=10"})
    assert ([], "fault cut-request") == (one.sandbox.charges, one.sandbox.requests[-1].verdict)


def test_by_prompt(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox()
    assert 502 == one.submit("a fish [[fault:status-502]]").status_code
    assert 1 == len(one.sandbox.charges), "a 5xx comes after the work"
    assert 9000 == one.submit("a fish [[fault:no-credits]]").json()["code"]
    assert 1 == len(one.sandbox.charges)
    assert 1000 == one.submit("a fish [[fault:no-such]]").json()["code"], "a marker that names no fault is text"


def test_a_prompt_decides_on_its_tasks_later_life(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(progress="instant")
    taskid = one.made("[[fault:task-fails]] [[fault:status-503 at=query nth=2]]")
    assert 4 == one.query(taskid)["data"]["image_status"]
    assert 9999 == one.query(taskid)["code"]
    assert 4 == one.query(taskid)["data"]["image_status"]
    url = one.urls(one.made("[[fault:picture-missing times=1]]"))[0]
    assert [404, 200] == [one.picture(url).status_code for _ in range(2)]


def test_times_counts_every_operation_on_the_task(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(progress="instant")
    url = one.urls(one.made("[[fault:wrong-type at=any times=1]]"))[0]  # the query takes the one time
    assert "image/png" == one.picture(url).headers["content-type"]


def test_added_and_cleared_while_it_runs(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox()
    one.sandbox.add_fault("failure")
    one.sandbox.add_fault(parse_fault("status-503 at=query"))
    assert 9999 == one.submit().json()["code"]
    one.sandbox.clear_faults()
    assert 1000 == one.submit().json()["code"]


def test_after_clearing_the_same_faults_act_as_often_as_before(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox()
    for _ in range(2):
        one.sandbox.add_fault("status-503 times=1 match=fish")
        one.sandbox.add_fault("failure times=2")
        assert [9999, 503, 9999, 1000] == [
            reply.status_code if reply.status_code != 200 else reply.json()["code"]
            for reply in map(one.submit, ("a bird", "a fish", "a fish", "a fish"))
        ]
        one.sandbox.clear_faults()


def test_a_plan_file(open_sandbox: OpenSandbox, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("faults:\n  - failure nth=1\n  - {fault: status, status: 503, nth: [2, 3], billed: no}\n")
    one = open_sandbox(faults=load_plan(plan))
    assert [200, 503, 503, 200] == [one.submit().status_code for _ in range(4)]
    assert 1 == len(one.sandbox.charges)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("faults:\n  - failure\n  - cut-replly", "entry 2"),
        ("faults:\n  - 7", "entry 1"),
        ("faults: cut-reply", "no list"),
        ("- cut-reply", "no list"),
        ("{", "cannot be read"),
        ("faults:\n  - {fault: cut-body, after: [1]}", "entry 1"),
        ("a: &a [cut-reply]\nfaults: *a", "aliases"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nfaults: [*c]", "aliases"),
        ("faults: [" + "[" * 5000, "cannot be read"),
        ("faults: [2001-99-99]", "cannot be read"),
        ("faults:\n" + "  - cut-reply\n" * 30_000, "larger than 256 kB"),
    ],
)
def test_a_mistake_in_a_plan_is_reported(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(FaultError, match=message):
        load_plan(tmp_path / "plan.yaml")


def test_a_plan_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="cannot be read"):
        load_plan(tmp_path / "none.yaml")


def test_a_setting_with_a_mistake_is_reported() -> None:
    with pytest.raises(FaultError):
        Sandbox(faults=["cut-replly"])
    with pytest.raises(TypeError):
        Sandbox(credit=3)
