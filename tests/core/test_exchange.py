"""One request and its whole reply, and what queries, waits and deletions do with it, step by step in memory."""

# ruff: noqa: E501 -- tables read best with one case a line

import gzip
import json
import zlib
from functools import partial
from typing import Any

import pytest
from seedream import (
    AuthError,
    InvalidRequest,
    Progress,
    StatusError,
    TaskFailed,
    TaskInfo,
    TaskNotFound,
    WaitTimeout,
    errors,
)
from seedream._protocol.effects import Failure, Reply
from seedream._protocol.service import MAX_JSON, Answer, send
from seedream._protocol.tasks import check_taskid, check_wait, delete, query, wait
from seedream._request.encode import encode_query
from seedream._support.server_text import show_id
from support.clients import KEY
from support.fake_service import completed, task_reply
from support.workflows import BASE, Head, ScriptedIO, broken, run, scripted, service

URL = "https://images.example/a"
PATH = f"{BASE}/v1/images/infobytaskid"
UNREACHABLE = Failure("never_sent", "ConnectError", "no route")
UNTRUSTED = Failure("never_sent", "ConnectError", "certificate", tls=True)


def said(value: Any, status: int = 200, **headers: str) -> Head:
    return Head(status, headers, [json.dumps(value).encode()])


NO_SUCH = {"code": 9999, "msg": "no such task"}
ELSEWHERE = "Check the base URL: nothing is served at this path. The task is not lost."
LATER = "The task is not lost: try again later."


# --- one request ---------------------------------------------------------------------------------------------------------
def ask(io: ScriptedIO, **given: Any) -> Answer:
    answer: Answer = run(send(service(), encode_query("t1"), "query", **given), io)
    return answer


def test_a_request_is_sent_to_the_service_with_the_key() -> None:
    calls: list[str] = []

    def begin() -> None:
        calls.append("begin")

    io = scripted(said(completed(URL)))
    answer = ask(io, before_send=begin, total_timeout=7.0)
    (effect,) = io.sent
    assert (effect.kind, effect.total_timeout, effect.public_only, calls) == ("query", 7.0, False, ["begin"])
    request = effect.request
    assert (request.method, request.url) == ("POST", PATH)
    assert request.headers == {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    assert request.body is not None
    assert request.body.content == b'{"taskid":"t1"}'
    assert isinstance(answer.outcome, Reply)
    assert (answer.outcome.status, answer.envelope.taskid, answer.succeeded) == (200, "t1", True)
    assert len(io.closed) == 1
    ask(io)
    assert (io.sent[1].before_send, io.sent[1].total_timeout) == (None, None)


def test_a_request_that_is_never_answered_has_no_reply() -> None:
    answer = ask(scripted(UNREACHABLE))
    assert (answer.outcome, answer.succeeded, answer.envelope.readable) == (UNREACHABLE, False, False)


@pytest.mark.parametrize(
    ("status", "code", "succeeded"),
    [
        (200, 1000, True),
        (299, "1000", True),
        (300, 1000, False),
        (199, 1000, False),
        (200, 9999, False),
        (200, None, False),
    ],
)
def test_a_success_needs_the_status_and_the_code(status: int, code: object, succeeded: bool) -> None:
    assert ask(scripted(said({"code": code}, status))).succeeded is succeeded


@pytest.mark.parametrize("phase", ["never_sent", "sent_partial", "sent_full"])
def test_a_reply_that_breaks_off_is_a_failure_of_a_request_that_was_sent(phase: Any) -> None:
    """Whatever the network says: the head of a reply has come."""
    body = json.dumps({"code": 1000, "data": {"taskid": "lost"}}).encode()
    io = scripted(Head(200, {"server": "x"}, [body[:20], body[20:], Failure(phase, "ReadError", "reset")]))
    answer = ask(io)
    assert isinstance(answer.outcome, Failure)
    assert (answer.outcome.phase, answer.outcome.kind, answer.outcome.text) == ("sent_full", "ReadError", "reset")
    assert answer.outcome.reply is not None
    assert (answer.outcome.reply.status, answer.outcome.reply.headers) == (200, {"server": "x"})
    assert (answer.outcome.reply.body, answer.envelope.taskid, answer.succeeded) == (body, "lost", False)
    assert len(io.closed) == 1


def test_a_reply_of_half_a_mebibyte_is_read() -> None:
    assert MAX_JSON == 1024 * 1024
    assert ask(scripted(said({"code": 1000, "x": "y" * 500_000}))).succeeded


def test_a_reply_is_closed_whatever_happens_while_it_is_read() -> None:
    io = scripted(Head(200, {}, [b"{", KeyboardInterrupt()]))
    with pytest.raises(KeyboardInterrupt):
        ask(io)
    assert len(io.closed) == 1


@pytest.mark.parametrize("chunks", [[MAX_JSON], [MAX_JSON - 1, 1], [1] * 3 + [MAX_JSON - 3]])
def test_a_reply_is_read_up_to_the_limit_and_no_further(chunks: list[int]) -> None:
    pieces = [b" " * size for size in chunks]
    answer = ask(scripted(Head(200, {}, pieces)))
    assert isinstance(answer.outcome, Reply)
    assert len(answer.outcome.body) == MAX_JSON
    late = [*pieces, b"}", AssertionError("nothing more is to be read")]
    answer = ask(scripted(Head(200, {}, late)))
    assert isinstance(answer.outcome, Failure)
    assert (answer.outcome.phase, answer.outcome.kind) == ("sent_full", "TooLarge")
    assert answer.outcome.text == f"the reply is larger than {MAX_JSON} bytes"
    assert answer.outcome.reply is not None
    assert len(answer.outcome.reply.body) == MAX_JSON


@pytest.mark.parametrize("coding", ["gzip", "GZIP", " gzip ", "x-gzip", "deflate"])
def test_a_compressed_reply_is_decompressed_up_to_the_limit(coding: str) -> None:
    pack = zlib.compress if coding == "deflate" else gzip.compress
    packed = pack(json.dumps(completed(URL)).encode())
    assert ask(scripted(Head(200, {"content-encoding": coding}, [packed]))).succeeded
    answer = ask(scripted(Head(200, {"content-encoding": coding}, [pack(b" " * (MAX_JSON + 9))])))
    assert isinstance(answer.outcome, Reply)
    assert answer.outcome.body == b" " * MAX_JSON
    damaged = ask(scripted(Head(200, {"content-encoding": coding}, [b'{"code": 1000}'])))
    assert isinstance(damaged.outcome, Reply)
    assert damaged.outcome.body == b'{"code": 1000}'


@pytest.mark.parametrize("coding", ["", "br", "identity", "gzip, br"])
def test_bytes_under_another_coding_stay_as_they_came(coding: str) -> None:
    packed = gzip.compress(b"{}")
    answer = ask(scripted(Head(200, {"content-encoding": coding}, [packed])))
    assert isinstance(answer.outcome, Reply)
    assert answer.outcome.body == packed


def test_the_key_is_no_task_id() -> None:
    answer = ask(scripted(said({"code": 1000, "msg": "m", "data": {"taskid": f"x{KEY}"}})))
    assert (answer.envelope.taskid, answer.envelope.msg, answer.envelope.code) == (None, "m", 1000)


# --- a query and a deletion ----------------------------------------------------------------------------------------------
REPEATED = [
    UNREACHABLE, broken(), Head(408), Head(425), Head(429), Head(500), Head(599), Head(302), Head(100), Head(399), Head(200),
    said({"code": 5}), said({"code": None}),
]  # fmt: skip
FINAL = [UNTRUSTED, Head(400), Head(401), Head(403), Head(404), Head(405), Head(499), said(NO_SUCH), said(NO_SUCH, 500)]
ANOTHER = {"code": 1000, "data": {"taskid": "another", "image_status": 3}}


@pytest.mark.parametrize("answer", [*REPEATED, said(ANOTHER)], ids=repr)
def test_what_may_pass_is_asked_again_with_growing_pauses(answer: Any) -> None:
    io = scripted(answer, answer, said({"code": 1000, "data": {"image_status": 2}}))
    assert run(query(service(attempts=3), "t1"), io).state == "processing"
    assert io.slept == [0.5, 1.0]
    assert [(effect.kind, effect.total_timeout, effect.request.url) for effect in io.sent] == [
        ("query", None, PATH)
    ] * 3
    io = scripted(answer)
    with pytest.raises(errors.SeeDreamError) as caught:
        run(query(service(attempts=3), "t1"), io)
    assert (len(io.sent), caught.value.taskid, caught.value.billing) == (3, "t1", "yes")
    assert caught.value.message.startswith("the query for task t1 got no usable answer (")


@pytest.mark.parametrize("answer", FINAL, ids=repr)
def test_what_will_not_pass_is_asked_once(answer: Any) -> None:
    for workflow in (query(service(), "t1"), delete(service(), ("t1",))):
        io = scripted(answer)
        with pytest.raises((StatusError, AuthError)) as caught:
            run(workflow, io)
        assert (len(io.sent), io.slept, caught.value.taskid) == (1, [], "t1")
        assert (caught.value.reply and caught.value.reply.status) == (
            answer.status if isinstance(answer, Head) else None
        )


@pytest.mark.parametrize("taskid", ["abcd_1234567890abcdef", "a/b:c=1"])
def test_a_message_may_name_the_task_that_was_asked_for(taskid: str) -> None:
    for workflow in (query(service(), taskid), delete(service(), (taskid,))):
        with pytest.raises(TaskNotFound) as caught:
            run(workflow, scripted(said({"code": 9999, "msg": f"no task {show_id(taskid)} or abcd_0000000000abcdef"})))
        shown = f"HTTP 200, code 9999: no task {show_id(taskid)} or [removed]; the whole text is in error.reply"
        assert caught.value.message == f"the service does not know the task {show_id(taskid)} ({shown})"
        assert caught.value.hint == "Check the id. A new task may take a moment to appear."


def test_no_part_of_the_key_is_in_the_error_of_a_failure() -> None:
    with pytest.raises(StatusError) as caught:
        run(query(service(), "t1"), scripted(Failure("never_sent", "ConnectError", "no MARKER", tls=True)))
    assert caught.value.message == "the query for task t1 got no usable answer (ConnectError: no [removed])"


@pytest.mark.parametrize(("status", "path"), [(404, True), (405, True), (406, False), (400, False), (500, False)])
def test_a_path_where_nothing_is_served_points_to_the_base_url(status: int, path: bool) -> None:
    with pytest.raises(StatusError) as caught:
        run(query(service(attempts=1), "t1"), scripted(Head(status)))
    assert caught.value.hint == (ELSEWHERE if path else LATER)


@pytest.mark.parametrize(
    ("status", "reply", "kind", "hint"),
    [
        *((status, {"code": 9999}, TaskNotFound, "Check the id. A new task may take a moment to appear.") for status in (200, 204, 404, 410)),
        *((status, {"code": 5}, TaskNotFound, "Check the id. A new task may take a moment to appear.") for status in (404, 410)),
        *((status, reply, StatusError, ELSEWHERE) for status in (404, 405) for reply in ({"detail": "Not Found"}, {"code": None}, {"code": "x"}, [NO_SUCH], "")),
        *((status, reply, StatusError, LATER) for status in (200, 400, 410, 500) for reply in ({"detail": "Gone"}, {"code": True}, [NO_SUCH])),
        (405, NO_SUCH, StatusError, ELSEWHERE), (200, {"code": 5}, StatusError, LATER), (400, NO_SUCH, StatusError, LATER), (500, NO_SUCH, StatusError, LATER),
    ],
    ids=repr,
)  # fmt: skip
@pytest.mark.parametrize(
    "ask", [partial(query, taskid="t1"), partial(delete, taskids=("t1",))], ids=["query", "delete"]
)
def test_only_the_service_itself_says_that_there_is_no_such_task(
    ask: Any, status: int, reply: Any, kind: type[StatusError], hint: str
) -> None:
    # A gateway's 404 has no code: nothing is known of the task, and the base URL may be wrong.
    with pytest.raises(StatusError) as caught:
        run(ask(service(attempts=1)), scripted(said(reply, status)))
    assert (type(caught.value), caught.value.hint) == (kind, hint)


@pytest.mark.parametrize(("reply", "kind"), [({"detail": "Not Found"}, WaitTimeout), (NO_SUCH, TaskNotFound)])
def test_a_wait_that_ends_at_a_gateway_does_not_say_that_there_is_no_such_task(
    reply: Any, kind: type[StatusError]
) -> None:
    with pytest.raises(errors.SeeDreamError) as caught:
        waits(scripted(said(reply, 404)), timeout=2.0)
    assert type(caught.value) is kind


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_named_with_its_rule(status: int) -> None:
    with pytest.raises(AuthError) as caught:
        run(query(service(), "t1"), scripted(Head(status)))
    assert caught.value.message == f"the server refused the API key (HTTP {status} with an empty body)"
    assert (caught.value.rule, caught.value.hint) == ("AUTH-HEADER", "Check TENSORSLAB_API_KEY.")


@pytest.mark.parametrize("taskid", ["t1", None, "", 7.5])
def test_a_reply_without_an_id_is_about_the_task_that_was_asked_for(taskid: object) -> None:
    data = {"taskid": taskid, "image_status": 1}
    io = scripted(said({"code": 1000, "data": data}))
    info = run(query(service(), "t1"), io)
    assert [effect.request.body and effect.request.body.content for effect in io.sent] == [b'{"taskid":"t1"}']
    assert (info, info.raw) == (TaskInfo("t1", 1), data)


def test_a_deletion_names_all_tasks_and_its_reply_may_name_others() -> None:
    io = scripted(UNREACHABLE, said({"code": 1000, "data": {"taskid": "other"}}))
    assert run(delete(service(), ("t1", "t/2")), io) is None
    assert [effect.request.url for effect in io.sent] == [f"{BASE}/v1/images/deleteimagestask"] * 2
    assert [(effect.kind, effect.request.body and effect.request.body.content) for effect in io.sent] == [
        ("query", b'{"taskids":["t1","t/2"]}')
    ] * 2
    with pytest.raises(StatusError) as caught:
        run(delete(service(), ("t1", "t2")), scripted(Head(400)))
    assert caught.value.message == "deleting t1, t2 got no usable answer (HTTP 400 with an empty body)"
    for unusable in ("", "https://x/y"):
        with pytest.raises(InvalidRequest):
            run(delete(service(), ("t1", unusable)), scripted(AssertionError("nothing is to be sent")))
    assert run(delete(service(), ()), scripted(AssertionError("nothing is to be sent"))) is None


@pytest.mark.parametrize(
    ("taskids", "named"),
    [
        (("abcd_1",), "the task abcd_1"), (("abcd_1", "x7Kq9Zt2Lm4Rw8yB3"), "one of the tasks abcd_1, x7Kq9Zt2Lm4Rw8yB3"),
        (tuple(f"t{number}" for number in range(1, 1206)), "one of the tasks t1, t2, t3, t4, t5 and 1,200 more"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("refusal", [said({"code": 9999, "msg": "no x7Kq9Zt2Lm4Rw8yB3 here"}), Head(401), Head(400)])
def test_an_error_of_a_deletion_names_all_tasks_that_were_asked_for(
    taskids: tuple[str, ...], named: str, refusal: Head
) -> None:
    with pytest.raises((TaskNotFound, AuthError, StatusError)) as caught:
        run(delete(service(), taskids), scripted(refusal))
    expected = {
        TaskNotFound: f"the service does not know {named} (",
        AuthError: "the server refused the API key (",
        StatusError: f"deleting {named.removeprefix('the task ').removeprefix('one of the tasks ')} got no usable",
    }
    assert caught.value.message.startswith(expected[type(caught.value)])
    assert caught.value.taskid == (taskids[0] if len(taskids) == 1 else None), "the first of several is not the one"
    assert ("no x7Kq9Zt2Lm4Rw8yB3 here" in caught.value.message) == (
        type(caught.value) is TaskNotFound and "x7Kq9Zt2Lm4Rw8yB3" in taskids
    )


@pytest.mark.parametrize("taskid", ["", " ", "a\nb", 5, None, "https://x/y"])
def test_what_cannot_be_a_task_id_is_refused(taskid: Any) -> None:
    for call in (
        lambda: check_taskid(taskid),
        lambda: run(query(service(), taskid), scripted(AssertionError("nothing is to be sent"))),
        lambda: run(wait(service(), taskid, timeout=5, images=None, progress=None), scripted(AssertionError("sent"))),
    ):
        with pytest.raises(InvalidRequest) as caught:
            call()
        (problem,) = caught.value.problems
        assert problem.message == "a task id is printable text, not empty and no URL"
        assert (problem.rule, problem.hint) == ("TASK-ID", "Give the id that submit returned.")


async def _coroutine(_: Progress) -> None: ...


@pytest.mark.parametrize(
    ("timeout", "progress", "awaits", "problem"),
    [
        (True, None, True, ("timeout", "“True” is not a number of seconds", "Give seconds.")),
        ("5", None, True, ("timeout", "“5” is not a number of seconds", "Give seconds.")),
        (float("nan"), None, True, ("timeout", "“nan” is not a number of seconds", "Give seconds.")),
        (5, 7, True, ("progress", "“7” cannot be called", "Give a function or None.")),
        (5, 0, False, ("progress", "“0” cannot be called", "Give a function or None.")),
        (
            5,
            _coroutine,
            False,
            ("progress", "a coroutine function cannot be awaited here", "Give a plain function, or use AsyncSeeDream."),
        ),
        (5, _coroutine, True, None),
        (5.5, print, False, None),
        (float("inf"), None, False, None),
        (-1, None, False, None),
    ],
)
def test_a_deadline_and_a_callback_are_checked(
    timeout: object, progress: object, awaits: bool, problem: tuple[str, str, str] | None
) -> None:
    if problem is None:
        check_wait(timeout, progress, awaits=awaits)
        return
    with pytest.raises(InvalidRequest) as caught:
        check_wait(timeout, progress, awaits=awaits)
    (found,) = caught.value.problems
    assert (found.field, found.message, found.hint) == problem


def test_a_coroutine_function_is_awaited_where_nothing_else_is_said() -> None:
    check_wait(5, _coroutine)


# --- a wait --------------------------------------------------------------------------------------------------------------
def waits(
    io: ScriptedIO, *, timeout: float = 600.0, images: int | None = 1, draw: float = 0.5, progress: Any = None
) -> Any:
    api = service(draw=lambda: draw)
    return run(wait(api, "t1", timeout=timeout, images=images, progress=progress), io)


@pytest.mark.parametrize(("draw", "share"), [(0.0, 0.75), (0.5, 1.0), (1.0, 1.25)])
def test_the_pauses_grow_to_five_seconds_and_are_spread(draw: float, share: float) -> None:
    io = scripted(*[said(task_reply(2))] * 7, said(completed(URL)))
    assert waits(io, draw=draw).state == "completed"
    assert io.slept == pytest.approx([pause * share for pause in (1.0, 1.5, 2.25, 3.375, 5.0, 5.0, 5.0)])


def test_each_query_has_the_seconds_that_are_left_and_at_least_one() -> None:
    io = scripted(Head(200, {}, [json.dumps(task_reply(2)).encode(), 4.0]), said(task_reply(1)))
    with pytest.raises(WaitTimeout) as caught:
        waits(io, timeout=8.0)
    assert [effect.total_timeout for effect in io.sent] == pytest.approx([8.0, 3.0, 1.5, 1.0])
    assert io.slept == pytest.approx([1.0, 1.5, 1.5])
    assert [(effect.kind, effect.request.url) for effect in io.sent] == [("query", PATH)] * 4
    error = caught.value
    assert error.message == "task t1 was still queued after 8 s"
    assert error.hint == "Ask again later with the same id: waiting costs nothing."
    assert (error.taskid, error.reply.status if error.reply else None) == ("t1", 200)


@pytest.mark.parametrize("timeout", [0, -5.0, 0.0005])
def test_a_wait_without_time_asks_once(timeout: float) -> None:
    io = scripted(said(task_reply(2)))
    with pytest.raises(WaitTimeout, match=r"task t1 was still processing after 0 s\."):
        waits(io, timeout=timeout)
    assert (len(io.sent), io.slept) == (1, [])
    assert waits(scripted(said(completed(URL))), timeout=timeout).urls == (URL,)


@pytest.mark.parametrize(("timeout", "pauses"), [(0.25, [0.25]), (1.05, [1.0, 0.05]), (1.0005, [1.0]), (1.0, [1.0])])
def test_a_pause_ends_with_the_wait(timeout: float, pauses: list[float]) -> None:
    io = scripted(said(task_reply(2)))
    with pytest.raises(WaitTimeout):
        waits(io, timeout=timeout)
    assert len(io.sent) == len(pauses) + 1
    assert io.slept == pytest.approx(pauses)


@pytest.mark.parametrize(
    ("answer", "still"),
    [
        (said(task_reply(1)), "queued"),
        (said(task_reply(7)), "unknown (image_status 7)"),
        (said({"code": 1000, "data": {}}), "unknown (image_status None)"),
        (said(completed()), "without all its pictures' URLs"),
        (Head(503), "unanswered after 2 s, and the last answer was HTTP 503 with an empty body"),
        (broken(), "unanswered after 2 s, and the last answer was ReadError: reset"),
    ],
)
def test_a_wait_that_ends_says_where_the_task_was(answer: Any, still: str) -> None:
    with pytest.raises(WaitTimeout) as caught:
        waits(scripted(answer), timeout=2.0)
    assert caught.value.message == f"task t1 was still {still}{'' if ' after ' in still else ' after 2 s'}"
    assert (caught.value.reply is None) == isinstance(answer, Failure)


def test_a_wait_that_ends_without_an_answer_names_the_last_state() -> None:
    with pytest.raises(WaitTimeout) as caught:
        waits(scripted(said(task_reply(2)), Head(500)), timeout=2.0)
    last = "and the last answer was HTTP 500 with an empty body"
    assert caught.value.message == f"task t1 was still processing after 2 s, {last}"


def test_the_last_answer_may_name_the_task() -> None:
    taskid = "abcd_1234567890abcdef"
    io = scripted(said({"code": 5, "msg": f"busy with {taskid}"}))
    with pytest.raises(WaitTimeout) as caught:
        run(wait(service(), taskid, timeout=1.0, images=1, progress=None), io)
    assert f"and the last answer was HTTP 200, code 5: busy with {taskid}" in caught.value.message


def test_a_wait_that_ends_while_the_task_is_not_known_says_so() -> None:
    with pytest.raises(WaitTimeout) as caught:
        waits(scripted(said(NO_SUCH), Head(500)), timeout=2.0)
    last = "and the last answer was HTTP 500 with an empty body"
    assert caught.value.message == f"task t1 was still not known to the service after 2 s, {last}"


def test_a_log_line_names_the_task_and_no_part_of_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "seedream.tasks")
    taskid = "abcd_1234567890abcdef"
    answer = said({"code": 5, "msg": f"MARKER {taskid}"})
    with pytest.raises(WaitTimeout):
        run(wait(service(), taskid, timeout=0.0, images=1, progress=None), scripted(answer))
    shown = f"HTTP 200, code 5: [removed] {taskid}; the whole text is in error.reply"
    assert [record.getMessage() for record in caplog.records] == [f"task {taskid}: {shown}"]


def test_an_answer_that_was_cut_is_none_even_where_it_reads_like_one() -> None:
    io = scripted(Head(200, {}, [json.dumps(NO_SUCH).encode(), broken()]))
    with pytest.raises(WaitTimeout):
        waits(io, timeout=200.0)
    with pytest.raises(StatusError, match="got no usable answer"):
        run(query(service(attempts=1), "t1"), io)


def test_each_answer_is_reported_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "seedream.tasks")
    seen: list[Progress] = []
    answers = [said(NO_SUCH), said(task_reply(1)), Head(500), said(task_reply(8)), said(completed(URL))]
    waits(scripted(*answers), progress=seen.append)
    assert seen == [
        Progress("waiting", "t1", elapsed, state)
        for elapsed, state in ((0.0, "not found"), (1.0, "queued"), (4.75, "unknown"), (8.125, "completed"))
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "task t1 is queued after 1 s",
        "task t1: HTTP 500 with an empty body",
        "task t1 is unknown after 5 s",
        "task t1 is completed after 8 s",
    ]


@pytest.mark.parametrize(
    ("urls", "images", "asked"),
    [
        ((URL,), 1, 1),
        ((URL,), None, 1),
        ((URL,), 2, 4),
        ((URL, URL), 2, 1),
        ((URL, ""), 2, 4),
        ((), None, 4),
        ((), 1, 4),
    ],
)
def test_a_completed_task_is_asked_for_missing_urls_three_more_times(
    urls: tuple[str, ...], images: int | None, asked: int
) -> None:
    io = scripted(said(completed(*urls)))
    assert waits(io, images=images).urls == urls
    assert len(io.sent) == asked


def test_what_is_said_between_does_not_count_as_an_answer_without_urls() -> None:
    io = scripted(
        said(completed()), said(task_reply(2)), Head(500), said(completed()), said(completed()), said(completed(URL))
    )
    assert waits(io).urls == (URL,)


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("content refused", "task t1 failed: content refused"),
        ("", "task t1 failed: the service gives no reason"),
        (f"about t1 {KEY}", "task t1 failed: about t1 [removed]; the whole text is in error.reply"),
    ],
)
def test_a_failed_task_says_why(reason: str, message: str) -> None:
    io = scripted(said(task_reply(4, error_message=reason)))
    with pytest.raises(TaskFailed) as caught:
        waits(io)
    error = caught.value
    assert (error.message, error.rule, error.taskid) == (message, "STATUS-MEANING", "t1")
    assert error.hint == "The service does not say whether it was billed: see the vendor's console."
    assert (error.reply.status if error.reply else None, len(io.sent)) == (200, 1)
    assert KEY not in repr(error.reply)


@pytest.mark.parametrize("missing", [said(NO_SUCH), said(NO_SUCH, 404), said({"code": 5}, 410)], ids=repr)
def test_a_task_that_is_not_known_is_asked_for_during_two_minutes(missing: Head) -> None:
    io = scripted(missing)
    with pytest.raises(TaskNotFound) as caught:
        waits(io, draw=0.54)
    assert sum(io.slept) == pytest.approx(120.4875), "the first query after two minutes"
    assert (caught.value.taskid, caught.value.reply is not None) == ("t1", True)
    io = scripted(*[said(task_reply(2))] * 30, missing)
    with pytest.raises(TaskNotFound):
        waits(io)
    assert 120.0 <= sum(io.slept[29:]) < 125.0, "from the last time that it was known"
    io = scripted(missing)
    with pytest.raises(TaskNotFound):
        waits(io, timeout=2.0)
    assert sum(io.slept) == 2.0
    assert waits(scripted(*[missing] * 20, said(completed(URL)))).urls == (URL,)


@pytest.mark.parametrize("refused", [Head(400), Head(404), Head(405), said(NO_SUCH, 500)], ids=repr)
def test_another_refusal_ends_the_wait_after_two_minutes(refused: Head) -> None:
    io = scripted(refused)
    with pytest.raises(StatusError) as caught:
        waits(io)
    assert 120.0 <= sum(io.slept) < 125.0
    assert caught.value.message.startswith("the query for task t1 got no usable answer (HTTP ")
    assert waits(scripted(*[refused] * 20, said(completed(URL)))).urls == (URL,)


@pytest.mark.parametrize("final", [Head(401), Head(403), UNTRUSTED], ids=repr)
def test_a_refused_key_or_certificate_ends_the_wait_at_once(final: Any) -> None:
    io = scripted(said(task_reply(2)), final)
    with pytest.raises((AuthError, StatusError)) as caught:
        waits(io)
    assert (len(io.sent), caught.value.taskid, caught.value.billing) == (2, "t1", "yes")


@pytest.mark.parametrize("passing", REPEATED, ids=repr)
def test_what_may_pass_is_waited_for_until_the_deadline(passing: Any) -> None:
    io = scripted(passing)
    with pytest.raises(WaitTimeout):
        waits(io, timeout=400.0)
    assert sum(io.slept) == pytest.approx(400.0)


def test_another_task_s_state_is_not_taken() -> None:
    io = scripted(said(ANOTHER), said(completed(URL)))
    assert waits(io).urls == (URL,)
