"""Waiting never hangs, never gives up a running task, takes the first final answer (rule STATUS-MEANING)."""

# ruff: noqa: E501 -- tables read best with one case a line

from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream import (
    AuthError,
    Progress,
    SeeDream,
    SeeDreamError,
    StatusError,
    TaskFailed,
    TaskInfo,
    TaskNotFound,
    WaitTimeout,
    errors,
)
from support.clients import KEY, Both
from support.fake_service import FakeService, completed, task_reply

URL = "https://images.example/a.png?sig=MARKER-signature"
NO_SUCH_TASK = {"code": 9999, "msg": "no such task"}
HTML = httpx.Response(200, html="<html>busy</html>")


def wait(both: Both, service: FakeService, **options: Any) -> TaskInfo:
    info: TaskInfo = both.call(lambda client: client.task("t1").wait(**options), transport=service.transport)
    return info


def test_polls_until_completed_and_tells_progress(both: Both) -> None:
    seen: list[Progress] = []
    info = wait(both, FakeService(task_reply(1), task_reply(2), completed(URL)), progress=seen.append)
    assert ("completed", (URL,)) == (info.state, info.urls)
    assert ["queued", "processing", "completed"] == [event.state for event in seen]
    assert [event.elapsed for event in seen] == sorted(event.elapsed for event in seen)
    assert "MARKER" not in repr(info)


@pytest.mark.parametrize(
    "hiccup",
    [
        HTML,
        httpx.Response(500),
        httpx.Response(429, headers={"retry-after": "1"}),
        httpx.Response(520, text="?"),
        httpx.Response(200),
        httpx.Response(200, text='{"code": 1000, "da'),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("gone"),
        {"code": 9999, "msg": "no such task yet"},
        {"code": 1000, "msg": "", "data": None},
        {"code": 1000, "msg": "", "data": {"image_status": "done?"}},
        task_reply(5),
        task_reply(99),
        {"code": 1000, "msg": "", "data": {"taskid": "another", "image_status": 3, "url": ["https://x.example/b.png"]}},
    ],
    ids=lambda hiccup: str(hiccup)[:40],
)
def test_a_flapping_status_endpoint_is_tolerated(both: Both, hiccup: Any) -> None:
    info = wait(both, FakeService(hiccup, task_reply(2), hiccup, completed(URL)))
    assert ("completed", (URL,)) == (info.state, info.urls)


def test_a_failed_task_raises_with_the_vendors_message(both: Both) -> None:
    with pytest.raises(TaskFailed) as caught:
        wait(both, FakeService(task_reply(2), task_reply(4, error_message=f"content refused {KEY} {URL}")))
    assert "content refused" in str(caught.value)
    assert ("t1", "STATUS-MEANING", "unknown", False) == (
        caught.value.taskid, caught.value.rule, caught.value.billing, caught.value.retryable
    )  # fmt: skip
    assert KEY not in str(caught.value)
    assert "MARKER" not in str(caught.value)


@pytest.mark.parametrize("status", [1, 2, 5, 77])
def test_a_stuck_task_ends_at_the_deadline_and_is_not_lost(both: Both, status: int) -> None:
    started = both.clock.now
    with pytest.raises(WaitTimeout) as caught:
        wait(both, FakeService(task_reply(status)), timeout=90)
    assert 90 == pytest.approx(both.clock.now - started)
    assert "t1" == caught.value.taskid
    assert ("yes", True) == (caught.value.billing, caught.value.retryable)
    assert status in (1, 2) or f"image_status {status}" in str(caught.value)


def test_polling_slows_down_to_five_seconds(both: Both) -> None:
    with pytest.raises(WaitTimeout):
        wait(both, FakeService(task_reply(1)), timeout=300)
    assert max(both.clock.slept) <= 5 * 1.25
    assert 40 <= len(both.clock.slept) <= 120


def test_an_unknown_task_is_given_up_after_two_minutes(both: Both) -> None:
    started = both.clock.now
    seen: list[Progress] = []
    with pytest.raises(TaskNotFound) as caught:
        wait(both, FakeService(NO_SUCH_TASK), progress=seen.append)
    assert 120 <= both.clock.now - started < 130
    assert "no such task" in str(caught.value)
    assert ("t1", False, "unknown") == (caught.value.taskid, caught.value.retryable, caught.value.billing)
    assert {"not found"} == {event.state for event in seen}


def test_a_short_deadline_ends_with_the_reason_that_the_task_is_unknown(both: Both) -> None:
    with pytest.raises(TaskNotFound):
        wait(both, FakeService(NO_SUCH_TASK), timeout=30)


def test_a_task_that_vanishes_is_given_up_two_minutes_later(both: Both) -> None:
    started = both.clock.now
    with pytest.raises(TaskNotFound):
        wait(both, FakeService(*[task_reply(2)] * 10, NO_SUCH_TASK))
    assert 140 < both.clock.now - started < 200


@pytest.mark.parametrize(
    "answer", [NO_SUCH_TASK, httpx.Response(404, json=NO_SUCH_TASK), httpx.Response(410, json=NO_SUCH_TASK)]
)
def test_query_delete_and_save_say_that_there_is_no_such_task(both: Both, tmp_path: Path, answer: Any) -> None:
    for work in (
        lambda client: client.query("t1"),
        lambda client: client.delete("t1"),
        lambda client: client.task("t1").refresh(),
        lambda client: client.task("t1").save(tmp_path, timeout=5),
        lambda client: client.task("t1").read(timeout=5),
    ):
        with pytest.raises(TaskNotFound, match="does not know the task t1"):
            both.call(work, transport=FakeService(answer).transport)


def test_a_wait_that_ends_while_the_task_is_not_known_says_so(both: Both) -> None:
    with pytest.raises(SeeDreamError) as caught:
        wait(both, FakeService(HTML, NO_SUCH_TASK, HTML), timeout=20)
    assert WaitTimeout is type(caught.value)
    assert "task t1 was still not known to the service after 20 s" in caught.value.message


def test_a_task_that_is_not_known_yet_is_reported_as_such(both: Both) -> None:
    seen: list[Progress] = []
    wait(both, FakeService(NO_SUCH_TASK, NO_SUCH_TASK, completed(URL)), progress=seen.append)
    assert [("waiting", "t1", "not found")] * 2 == [(one.stage, one.taskid, one.state) for one in seen[:2]]
    assert 0.0 == seen[0].elapsed < seen[1].elapsed


@pytest.mark.parametrize(("status", "path"), [(404, True), (405, True), (406, False), (500, False)])
def test_only_a_missing_path_points_to_the_base_url(both: Both, status: int, path: bool) -> None:
    with pytest.raises(StatusError) as caught:
        both.call(lambda client: client.query("t1"), transport=FakeService(httpx.Response(status)).transport)
    assert path == ("Check the base URL: nothing is served at this path." in caught.value.hint)
    assert ("t1", "yes") == (caught.value.taskid, caught.value.billing)


def test_a_404_that_is_not_from_the_service_points_to_the_base_url(both: Both) -> None:
    with pytest.raises(StatusError, match="base URL") as caught:
        both.call(lambda client: client.query("t1"), transport=FakeService(httpx.Response(404, html="nginx")).transport)
    assert StatusError is type(caught.value)
    assert ("yes", "t1") == (caught.value.billing, caught.value.taskid)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(task_reply(2), WaitTimeout), (httpx.Response(401), AuthError), (NO_SUCH_TASK, TaskNotFound), (task_reply(4), TaskFailed),
     (completed("https://images.example/gone"), errors.ResultExpired)],
)  # fmt: skip
def test_after_a_submission_no_error_of_generate_can_be_retried_by_paying_again(
    both: Both, tmp_path: Path, answer: Any, kind: type[SeeDreamError]
) -> None:
    for where in (tmp_path, None):

        def make(client: Any, where: Any = where) -> Any:
            return client.generate("a fish", output_dir=where, timeout=5)

        with pytest.raises(kind) as caught:
            both.call(make, transport=FakeService(answer).transport)
        error = caught.value
        assert (False, "t1") == (error.retryable, error.taskid)
        assert error.billing in ("yes", "unknown")
        assert "client.task('t1').save()" in str(error)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_wait_at_once(both: Both, status: int) -> None:
    with pytest.raises(AuthError) as caught:
        wait(both, FakeService(httpx.Response(status)))
    assert ([], "t1") == (both.clock.slept, caught.value.taskid)


def test_a_completed_task_without_urls_is_asked_three_more_times(both: Both) -> None:
    service = FakeService(completed(), completed(), completed(URL))
    assert (URL,) == wait(both, service).urls
    service = FakeService(completed())
    assert () == wait(both, service).urls
    assert 4 == len(service.asked)


@given(
    st.lists(
        st.sampled_from(
            [
                task_reply(1),
                task_reply(2),
                task_reply(5),
                HTML,
                httpx.Response(503),
                httpx.ReadError("x"),
                completed(),
                completed(URL),
                task_reply(4),
            ]
        ),
        min_size=1,
        max_size=8,
    ),
    st.floats(0, 500),
)
def test_any_sequence_of_answers_ends_by_the_deadline(answers: list[Any], timeout: float) -> None:
    both = Both("sync")
    started = both.clock.now
    try:
        info = wait(both, FakeService(*answers), timeout=timeout)
    except SeeDreamError as error:
        assert type(error) in {WaitTimeout, TaskFailed, StatusError, TaskNotFound}  # noqa: PT017 -- an error is one of two good ends
    else:
        assert "completed" == info.state
    assert both.clock.now - started <= max(timeout, 125) + 1


def test_a_single_query_repeats_what_may_pass_and_reports_what_will_not(both: Both) -> None:
    service = FakeService(httpx.Response(502), httpx.ReadError("x"), task_reply(2))
    assert "processing" == both.call(lambda client: client.query("t1"), transport=service.transport).state
    service = FakeService(NO_SUCH_TASK)
    with pytest.raises(TaskNotFound):
        both.call(lambda client: client.query("t1"), transport=service.transport)
    assert 1 == len(service.asked)


@pytest.mark.parametrize("taskid", ["", "  ", None, 7, "\ud800", "a\x1bb", "a\nb"])
def test_what_cannot_be_a_task_id_is_refused_unsent(both: Both, taskid: Any) -> None:
    service = FakeService(task_reply(1))
    with pytest.raises(errors.InvalidRequest) as caught:
        both.call(lambda client: client.query(taskid), transport=service.transport)
    assert ("TASK-ID", []) == (caught.value.rule, service.asked)


def test_a_task_id_given_as_a_number_is_the_same_task(both: Both) -> None:
    answer = {"code": 1000, "msg": "", "data": {"taskid": 77, "image_status": 3, "url": [URL]}}
    service = FakeService(answer)
    assert "completed" == both.call(lambda client: client.query("77"), transport=service.transport).state


@pytest.mark.parametrize("options", [{"timeout": None}, {"timeout": "60"}, {"timeout": float("nan")}, {"progress": 3}])
def test_what_would_fail_after_paying_is_refused_before(both: Both, tmp_path: Path, options: Any) -> None:
    service = FakeService(completed(URL))
    with pytest.raises(errors.InvalidRequest):
        both.call(lambda client: client.generate("a", output_dir=tmp_path, **options), transport=service.transport)
    with pytest.raises(errors.InvalidRequest):
        both.call(lambda client: client.generate("a", output_dir=7), transport=service.transport)
    assert [] == service.asked


def test_a_callback_that_raises_does_not_hide_the_paid_task(both: Both, tmp_path: Path) -> None:
    def broken(event: Progress) -> None:
        raise ZeroDivisionError(event.stage)

    service = FakeService(completed(URL))
    with pytest.raises(ZeroDivisionError) as caught:
        both.call(
            lambda client: client.generate("a", output_dir=tmp_path, progress=broken), transport=service.transport
        )
    assert "t1" in caught.value.__notes__[0]


def test_a_task_deletes_itself_and_a_query_names_it(both: Both) -> None:
    service = FakeService({"code": 1000, "msg": "ok", "data": {"status": "Success"}})
    both.call(lambda client: client.task("t1").delete(), transport=service.transport)
    assert [b'{"taskids":["t1"]}'] == [request.content for request in service.asked]
    service = FakeService(task_reply(1))
    both.call(lambda client: client.query("t1"), transport=service.transport)
    assert [b'{"taskid":"t1"}'] == [request.content for request in service.asked]


def test_delete_sends_all_ids_once(both: Both) -> None:
    service = FakeService({"code": 1000, "msg": "ok", "data": {"status": "Success"}})
    both.call(lambda client: client.delete("t1", "t2"), transport=service.transport)
    assert b'{"taskids":["t1","t2"]}' == service.asked[0].content
    with pytest.raises(StatusError):
        both.call(lambda client: client.delete("t1"), transport=FakeService(httpx.Response(400)).transport)


def test_a_key_with_a_line_break_is_refused_without_showing_it() -> None:
    for bad in ("sk-MARKER\nnewline", "sk MARKER", "Bearer sk-MARKER", "sk-MARKER-ключ"):
        with pytest.raises(errors.ConfigError) as caught:
            SeeDream(bad)
        assert "MARKER" not in str(caught.value)
    with pytest.raises(errors.ConfigError):
        SeeDream()
    assert "sk-MARKER" not in repr(SeeDream("  sk-MARKER\n"))
