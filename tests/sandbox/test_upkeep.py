"""What is counted, copied, closed and left as it was, and whose request it is: a mistake in it shows late."""

import os
import signal
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from sandbox.sandbox_client import QUERY, SUBMIT, OpenSandbox
from sandbox.test_messages import PROMPT, TYPE, asked, form, sent
from seedream_sandbox import ManualClock, Sandbox, Settings, parse_fault, run_server
from seedream_sandbox.bounded import Bounded
from seedream_sandbox.http import Request
from seedream_sandbox.server import server
from seedream_sandbox.service.account import Accounts
from seedream_sandbox.task import fault_status


def test_what_was_dropped_and_is_kept_again_counts_once() -> None:
    kept: Bounded[str, int] = Bounded(9, 10)
    for name in ("a", "b", "a"):
        kept.add(name, 0, 6)
    kept.add("b", 0, 4)
    assert (list(kept), kept._size, kept._sizes) == (["a", "b"], 10, {"a": 6, "b": 4})


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, "event", "error"])
def test_a_run_serves_where_it_was_started_and_leaves_the_program_as_it_was(way: Any) -> None:
    def of_the_program(*_: object) -> None:
        raise AssertionError("the signal was for the sandbox")

    numbers, stop, said = (signal.SIGINT, signal.SIGTERM), threading.Event(), list[str]()
    before = [signal.signal(number, of_the_program) for number in numbers]
    try:
        sandbox = Sandbox().start()
        url = sandbox.base_url

        def say(line: str) -> None:
            said.append(line)
            if "look inside" in line:
                assert (sandbox.base_url, sandbox.serving) == (url, True)
                if way == "error":
                    raise OSError("nobody reads this")
                stop.set() if way == "event" else signal.raise_signal(way)

        with pytest.raises(OSError, match="nobody reads") if way == "error" else nullcontext():
            run_server(sandbox, say, stop=stop)
        assert (sandbox.serving, url in said[0], stop.is_set()) == (False, True, way != "error")
        assert [signal.getsignal(number) for number in numbers] == [of_the_program] * 2
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def test_what_a_sandbox_gives_and_takes_is_a_copy(open_sandbox: OpenSandbox) -> None:
    keys = {"k": 1}
    settings = Settings(keys=keys)
    keys["j"] = 5
    assert settings.balances == {"k": 1}
    sandbox = open_sandbox().sandbox
    given: list[list[Any]] = [sandbox.leaks, sandbox.charges, sandbox.requests, sandbox.tasks]
    for one in given:
        one.append("of a test")
    assert [sandbox.leaks, sandbox.charges, sandbox.requests, sandbox.tasks] == [[], [], [], []]


def test_a_sandbox_that_did_not_start_does_not_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(server.Server, "_serve", broken)
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="on purpose"):
        sandbox.start()
    assert (sandbox.serving, sandbox.base_url) == (False, "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("inspector", "here", "elsewhere"),
    [(True, 200, 403), ("local", 200, 403), ("open", 200, 200), ("off", 404, 404), (False, 404, 404)],
)
def test_who_may_look_inside(open_sandbox: OpenSandbox, inspector: Any, here: int, elsewhere: int) -> None:
    one = open_sandbox(inspector=inspector)
    if not one.sandbox.serving:
        return  # without a socket there is no inspector
    url = one.sandbox.base_url + "/_sandbox/state"
    found = [one.http.get(url, headers=headers).status_code for headers in ({}, {"host": "evil.example"})]
    assert found == [here, elsewhere]


@pytest.mark.parametrize(
    ("fault", "found"),
    [("flapping", [1, 1, 2, 2, 3, 2, 4, 4]), ("task-fails", [1, 1, 2, 2, 4, 4, 4, 4]), ("stuck", [2] * 8)],
)
def test_a_fault_changes_only_the_states_that_it_is_about(fault: str, found: list[int]) -> None:
    given = [(status, polled) for status in (1, 2, 3, 4) for polled in (0, 1)]
    assert [fault_status(parse_fault(fault), *one) for one in given] == found


def test_a_task_s_own_faults_are_counted_by_what_they_act_on(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(progress="instant")
    taskid = one.made("x [[fault:failure at=query nth=3]] [[fault:picture-missing nth=2]]")
    (url,), pictures, queries = one.urls(taskid), [], [1000]
    for _ in range(3):
        pictures.append(one.picture(url).status_code)
        queries.append(one.query(taskid)["code"])
    assert (queries, pictures) == ([1000, 1000, 9999, 1000], [200, 404, 200])


@pytest.mark.parametrize(("prompt", "codes"), [("a lighthouse", [9999, 1000]), ("a fish", [1000, 1000])])
def test_a_fault_asked_for_by_a_header_is_about_the_prompt_of_its_task(
    open_sandbox: OpenSandbox, prompt: str, codes: list[int]
) -> None:
    one = open_sandbox(progress="instant")
    taskid = one.made(prompt, headers={"X-Sandbox-Fault": "failure at=query match=lighthouse times=1"})
    assert [one.query(taskid)["code"] for _ in codes] == codes


@pytest.mark.parametrize("at", ["any", "submit"])
def test_a_marked_prompt_that_is_answered_instead_is_not_billed(open_sandbox: OpenSandbox, at: str) -> None:
    one = open_sandbox()
    reply = one.submit(f"x [[fault:failure at={at} times=1]]")
    assert (reply.json()["code"], one.sandbox.charges, one.sandbox.tasks) == (9999, [], [])


@pytest.mark.parametrize("fault", ["failure at=query billed=no", "picture-missing billed=no", "stuck billed=no"])
def test_a_fault_of_the_task_s_later_life_does_not_refuse_the_submission(open_sandbox: OpenSandbox, fault: str) -> None:
    one = open_sandbox()
    taskid = one.made(f"x [[fault:{fault}]]")
    assert [(charge.taskid, charge.images) for charge in one.sandbox.charges] == [(taskid, 1)]


def test_headers_of_one_name_are_one_list_and_two_keys_are_none() -> None:
    request = Request("POST", QUERY, headers=(("a", "1"), ("b", "2"), ("a", "3")))
    assert [request.header(name) for name in "abc"] == ["1, 3", "2", None]
    sandbox = Sandbox(keys=("k", "j"))
    for first, second in (("k", "j"), ("j", "k"), ("x", "k"), ("k", "x")):
        both = (("authorization", f"Bearer {first}"), ("authorization", f"Bearer {second}"))
        headers = (*both, ("content-type", TYPE))
        status, _, record = asked(sandbox, SUBMIT, form(PROMPT), headers=headers)
        assert (status, record.rule, record.account) == (401, "AUTH-HEADER", 0)
    assert sandbox.charges == []


@pytest.mark.parametrize("fails", [False, True])
def test_the_ledger_file_is_closed_after_each_charge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    accounts, opened, closed = Accounts({}, 9, path=tmp_path / "ledger.jsonl"), list[int](), list[int]()
    (account,), really_open, really_close = accounts, os.open, os.close

    def noted_open(*given: Any) -> int:
        opened.append(really_open(*given))
        return opened[-1]

    def noted_close(descriptor: int) -> None:
        closed.append(descriptor)
        really_close(descriptor)

    def full(*_: object) -> int:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", noted_open)
        patch.setattr(os, "close", noted_close)
        if fails:
            patch.setattr(os, "write", full)
        with pytest.raises(OSError, match="full") if fails else nullcontext():
            accounts.charge(account, taskid="t", images=2, prompt="p", request=1, at=0.0)
    assert (len(opened), closed) == (1, opened)
    assert (account.balance, len(accounts.charges), accounts.next_number) == ((9, 0, 1) if fails else (7, 1, 2))


@pytest.mark.parametrize("signature", ["", "&Signature=", "&Signature=&Signature=x", "&signature={}", "&Signature={} "])
def test_an_address_without_its_signature_gives_nothing(signature: str) -> None:
    sandbox = Sandbox(progress="instant", pictures="plain", clock=ManualClock(1_700_000_000))
    taskid = asked(sandbox, SUBMIT, **sent(PROMPT))[1]["data"]["taskid"]
    query = QUERY, b'{"taskid":"%s"}' % taskid.encode()
    (url,) = asked(sandbox, *query, images_url="")[1]["data"]["url"]
    path, _, given = url.partition("?")
    expires, right = given.split("&Signature=")
    response = sandbox.service.handle(Request("GET", path, expires + signature.format(right), images=True)).response
    assert (response.status, b"the signature is wrong" in response.body) == (403, True)
    assert sandbox.service.handle(Request("GET", path, given, images=True)).response.status == 200
