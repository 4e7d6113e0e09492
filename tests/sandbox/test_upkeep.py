"""What is counted, copied, closed and left as it was, and whose request it is: a mistake in it shows late."""

import asyncio
import os
import signal
import socket
import threading
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import httpx
import pytest
from sandbox.sandbox_client import DELETE, QUERY, SUBMIT, OpenSandbox
from sandbox.test_messages import KEY, PROMPT, TYPE, asked, form, part, sent
from seedream_sandbox import FaultError, ManualClock, Sandbox, Settings, parse_fault, run_server
from seedream_sandbox.bounded import Bounded
from seedream_sandbox.http import Request
from seedream_sandbox.pictures.image_cache import ImageCache
from seedream_sandbox.server import connection, server
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


def test_the_numbers_of_requests_go_on_when_faults_are_removed(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(faults=["failure nth=1 times=1"])
    codes = [one.submit().json()["code"] for _ in range(2)]
    one.sandbox.clear_faults()
    one.sandbox.add_fault("failure nth=4 times=1")  # whose number in the list is that of the one before
    codes += [one.submit().json()["code"] for _ in range(3)]
    assert codes == [9999, 1000, 1000, 9999, 1000]


# A prompt's fault is the task's; "status-5NN" tells which one acted.
ASKED = {"prompt": 501, "header": 502, "plan": 503}


@pytest.mark.parametrize(
    ("at", "by", "acts"),
    [
        ("submit", "prompt header plan", "prompt"), ("submit", "header plan", "header"), ("submit", "plan", "plan"),
        ("query", "prompt header plan", "prompt"), ("query", "header plan", "header"), ("query", "plan", "plan"),
        ("delete", "header plan", "header"), ("delete", "plan", "plan"),
        ("picture", "prompt header plan", "header"), ("picture", "prompt plan", "prompt"), ("picture", "plan", "plan"),
    ],
)  # fmt: skip
def test_which_of_several_faults_shapes_a_reply(open_sandbox: OpenSandbox, at: str, by: str, acts: str) -> None:
    faults = {name: f"status-{ASKED[name]} at={at}" for name in by.split()}
    one = open_sandbox(progress="instant", faults=[faults["plan"]])
    prompt = f"x [[fault:{faults['prompt']}]]" if "prompt" in faults else "x"
    headers = {"X-Sandbox-Fault": faults["header"]} if "header" in faults else {}
    reply = one.submit(prompt, headers=headers if at == "submit" else {})
    if at in ("query", "delete"):
        taskid = reply.json()["data"]["taskid"]
        document = {"taskid": taskid} if at == "query" else {"taskids": [taskid]}
        reply = one.call(QUERY if at == "query" else DELETE, document, headers=headers)
    elif at == "picture":
        (url,) = one.urls(reply.json()["data"]["taskid"])
        reply = one.http.get(url, headers=headers)
    assert (reply.status_code, one.sandbox.requests[-1].verdict) == (ASKED[acts], "fault status")


def test_a_header_s_fault_breaks_off_a_request_before_the_plan_s() -> None:
    sandbox = Sandbox(faults=["cut-request"])
    headers = (("x-sandbox-fault", "stall-request"),)
    found = [sandbox.service.receive(Request("POST", SUBMIT, headers=more)).fault for more in (headers, ())]
    assert [one and one.name for one in found] == ["stall-request", "cut-request"]


@pytest.mark.parametrize("way", ["prompt", "header", "plan"])
@pytest.mark.parametrize(
    ("fault", "billed"),
    [
        ("delay seconds=0 billed=no", True),
        ("failure", False),
        ("cut-reply billed=no", False),
        ("failure billed=yes", True),
    ],
)
def test_whoever_asks_for_a_fault_it_is_billed_as_it_says(way: str, fault: str, billed: int) -> None:
    # A pause never acts instead of the work.
    sandbox = Sandbox(faults=[fault] if way == "plan" else [])
    prompt = part('form-data; name="prompt"', content=f"x [[fault:{fault}]]".encode() if way == "prompt" else b"x")
    headers = (*KEY, ("content-type", TYPE), *((("x-sandbox-fault", fault),) if way == "header" else ()))
    asked(sandbox, SUBMIT, form(prompt), headers=headers)
    assert [len(sandbox.charges), len(sandbox.tasks)] == [billed] * 2


def test_a_fault_at_another_operation_does_not_keep_it_from_its_work(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(polls=1, faults=["rate-limit at=delete", "rate-limit at=query nth=1"])
    taskid = one.made()
    assert [one.query(taskid)["code"], one.query(taskid)["data"]["image_status"]] == [9999, 3]
    assert one.call(DELETE, {"taskids": [taskid]}).status_code == 429
    assert [task.deleted for task in one.sandbox.tasks] == [True]


def test_what_a_picture_s_request_is_refused_for_and_whose_it_was(open_sandbox: OpenSandbox) -> None:
    one = open_sandbox(progress="instant", max_body=2000)
    taskid = one.made()
    (url,) = one.urls(taskid)
    assert (one.picture(url).status_code, one.sandbox.requests[-1].taskid) == (200, taskid)
    gone = url.replace(taskid, "sb000009_0123456789abcdef")
    for address, status, said in (
        (gone, 403, "the signature is wrong"), (gone.partition("?")[0], 403, "the URL is not signed"),
        (one.sandbox.images_url + "/other", 404, "no such picture"),
    ):  # fmt: skip
        assert one.picture(address).status_code == status
        assert (one.sandbox.requests[-1].message, one.sandbox.requests[-1].taskid) == (said, "")
    assert one.http.request("GET", url, content=b"x" * 2001).status_code == 413


def test_a_default_that_is_written_out_decides_the_same_pictures(open_sandbox: OpenSandbox) -> None:
    written: list[dict[str, Any]] = [{}, {"batchsize": 1}, {"resolution": "2K"}, {"resolution": "2K", "batchsize": 1}]
    assert len({open_sandbox().made("a fish", **fields) for fields in written}) == 1


def test_a_picture_in_the_making_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(progress="instant", pictures="plain")
    taskid = asked(sandbox, SUBMIT, **sent(PROMPT))[1]["data"]["taskid"]
    (url,) = asked(sandbox, QUERY, b'{"taskid":"%s"}' % taskid.encode(), images_url="")[1]["data"]["url"]
    making, go, plain = threading.Event(), threading.Event(), sandbox.service.images.plain

    def slow(*given: Any) -> Any:
        making.set()
        assert go.wait(30)
        return plain(*given)

    monkeypatch.setattr(sandbox.service.images, "plain", slow)
    path, _, query = url.partition("?")
    fetching = threading.Thread(target=sandbox.service.handle, args=(Request("GET", path, query, images=True),))
    fetching.start()
    try:
        assert making.wait(30)
        assert sandbox.service.lock.acquire(timeout=5), "another request waits for the picture"
        sandbox.service.lock.release()
    finally:
        go.set()
        fetching.join(30)


@pytest.mark.parametrize("name", ["cut-accept", "stall-accept", "cut-request", "stall-request", "slow-upload"])
def test_a_fault_before_the_prompt_is_read_cannot_match_one(name: str) -> None:
    # It would never act, and nobody would know why.
    with pytest.raises(
        FaultError, match=f"^the fault '{name}' acts before the prompt is read, so it cannot match one$"
    ):
        parse_fault(f"{name} match=boat")


def posted(sandbox: Sandbox, head: bytes = b"Content-Length: 3000") -> socket.socket:
    """A connection on which the head of a submission was sent."""
    url = httpx.URL(sandbox.base_url)
    peer = socket.create_connection((url.host, url.port or 0), timeout=20)
    peer.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" % (SUBMIT.encode(), head))
    return peer


def test_a_refused_client_reads_the_end_at_once_and_may_go_on_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_LINGER_TIME", 60.0)
    with Sandbox(max_body=1) as sandbox, posted(sandbox) as peer:
        received = b""
        while block := peer.recv(65536):
            received += block
        assert received.startswith(b"HTTP/1.1 413 ")
        for _ in range(6):
            peer.sendall(b"x" * 100)
            threading.Event().wait(0.01)  # each is read by itself
        running = sandbox._server
        assert running is not None
        assert len(running.connections) == 1, "it reads on"


def test_a_body_has_a_minute_and_what_its_length_takes_and_a_fault_s_pauses_do_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, limits = ManualClock(0.0), list[float | None]()

    class Limit:
        """A time limit that never ends anything."""

        reschedule = staticmethod(limits.append)

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

    loop = SimpleNamespace(time=clock.time)  # which passes by the pauses only
    names = {"timeout": lambda _: Limit(), "sleep": asyncio.sleep, "get_running_loop": lambda: loop}
    monkeypatch.setattr(connection, "asyncio", SimpleNamespace(**names))
    with Sandbox(clock=clock, faults=["slow-upload rate=1000"]) as sandbox, posted(sandbox) as peer:
        for size in (1000, 2000):
            peer.sendall(b"x" * size)
        assert peer.recv(12) == b"HTTP/1.1 401"
    assert limits[::2] == [None] * (len(limits) // 2), "no limit while it waits"
    assert limits[-1] == pytest.approx(60 + 3000 / (16 * 1024) + 3000 / 1000)


@pytest.mark.parametrize(
    "end", ["cut-reply", "cut-head", "garbage", "drip bytes=1000 seconds=0", "stall-reply seconds=0"]
)
def test_a_reply_that_is_broken_comes_after_its_pause(end: str) -> None:
    clock = ManualClock()
    with Sandbox(clock=clock) as sandbox, posted(sandbox, b"X-Sandbox-Fault: delay seconds=5; " + end.encode()) as peer:
        while peer.recv(65536):
            pass
        assert clock.time() - 1_700_000_000 == 5


def test_in_process_a_connection_breaks_before_what_is_sent_on_it() -> None:
    sandbox = Sandbox(clock=ManualClock(), faults=["cut-accept how=fin", "stall-request after=4"])
    with pytest.raises(httpx.RemoteProtocolError, match="Server disconnected"):
        sandbox.transport.handle_request(httpx.Request("POST", sandbox.base_url + SUBMIT, content=b"body"))


def test_the_picture_that_was_asked_for_least_recently_gives_way() -> None:
    cache = ImageCache("png", 12)
    for name in ("a", "b", "c"):
        cache._files.add((name, 0, False), (b"x" * 4, "image/png"), 4)
    assert cache._find(("a", 0, False)) is not None
    cache._files.add(("d", 0, False), (b"x" * 4, "image/png"), 4)
    assert [name for name, _, _ in cache._files] == ["c", "a", "d"]
