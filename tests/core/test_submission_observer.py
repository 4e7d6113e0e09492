"""What the submit workflow reports to a journal, and when: begin before sending, then exactly one end."""

from typing import Any

import httpx
import pytest
from seedream import RetryPolicy, SeeDreamError, errors
from seedream._request.submission import check_submit
from support.clients import Both
from support.fake_service import FakeService

ACCEPTED = {"code": 1000, "msg": "", "data": {"taskid": "t1"}}
REFUSED = {"code": 9999, "msg": "no"}
LOST = httpx.ReadTimeout("slow")
BUSY = httpx.Response(429)
UNREACHABLE = httpx.ConnectError("refused")


class Observer:
    """Records the calls; one of them may raise."""

    def __init__(self, **raises: BaseException) -> None:
        self.calls: list[str] = []
        self._raises = raises

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: object) -> None:
            shown = [type(one).__name__ if isinstance(one, BaseException) else str(one) for one in arguments]
            self.calls.append(" ".join([name, *shown]))
            if name in self._raises:
                raise self._raises[name]

        return call


def submit(both: Both, observer: Observer, *answers: Any) -> Any:
    service = FakeService(submissions=answers)
    flow = lambda client: client.run(client.submission_workflow(check_submit("a fish", {}), observer))  # noqa: E731
    return both.call(flow, transport=service.transport, retry=RetryPolicy(attempts=3))


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        ([ACCEPTED], ["begin", "submitted t1"]),
        ([REFUSED], ["begin", "refused Rejected"]),
        ([LOST], ["begin", "unknown SubmissionUnknown"]),
        ([{"code": 1000}], ["begin", "unknown SubmissionUnknown"]),
        ([BUSY, ACCEPTED], ["begin", "not_sent", "begin", "submitted t1"]),
        ([BUSY], ["begin", "not_sent", "begin", "not_sent", "begin", "refused RateLimited"]),
        ([httpx.Response(408)], ["begin", "not_sent", "begin", "refused NotSent"]),
    ],
    ids=str,
)  # fmt: skip
def test_begin_comes_first_and_one_end_follows(both: Both, answers: list[Any], calls: list[str]) -> None:
    observer = Observer()
    try:
        assert submit(both, observer, *answers) == "t1"
    except SeeDreamError as error:
        assert calls[-1].endswith(type(error).__name__)  # noqa: PT017 -- one of two good ends
    assert calls == observer.calls


@pytest.mark.parametrize(("name", "answer", "taskid"), [("begin", ACCEPTED, None), ("submitted", ACCEPTED, "t1")])
def test_an_error_of_the_journal_is_raised_with_the_task_id_if_there_is_one(
    both: Both, name: str, answer: Any, taskid: str | None
) -> None:
    observer = Observer(**{name: errors.JournalFull("no room")})
    with pytest.raises(errors.JournalFull) as caught:
        submit(both, observer, answer)
    assert observer.calls[-1].startswith(name)
    assert caught.value.taskid == taskid


@pytest.mark.parametrize(
    ("name", "answer", "kind"),
    [
        ("unknown", LOST, errors.SubmissionUnknown),
        ("refused", REFUSED, errors.Rejected),
        ("not_sent", BUSY, errors.RateLimited),
    ],
)
def test_an_error_of_the_journal_is_added_to_that_of_the_submission_and_never_replaces_it(
    both: Both, name: str, answer: Any, kind: type[SeeDreamError]
) -> None:
    observer = Observer(**{name: errors.JournalFull("no room on the disk")})
    with pytest.raises(kind, match="no room on the disk") as caught:
        submit(both, observer, answer)
    assert observer.calls[-1].startswith(name)
    assert caught.value.billing == kind.billing


def test_a_request_timeout_is_sent_again_once_whatever_came_before(both: Both) -> None:
    timed_out = httpx.Response(408)
    observer = Observer()
    with pytest.raises(errors.NotSent) as caught:
        submit(both, observer, BUSY, timed_out, timed_out)
    assert observer.calls.count("begin") == 3
    assert not caught.value.retryable


def test_an_interruption_after_the_answer_names_the_task(both: Both) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        submit(both, Observer(submitted=KeyboardInterrupt("stop")), ACCEPTED)
    assert "t1" in caught.value.__notes__[0]


def test_an_interruption_while_the_submission_is_under_way_is_recorded_as_unknown(both: Both) -> None:
    # Ctrl-C says nothing about what the service did with a request that had begun to leave.
    def interrupted(_: httpx.Request) -> None:
        raise KeyboardInterrupt

    observer = Observer()
    with pytest.raises(KeyboardInterrupt):
        submit(both, observer, interrupted)
    assert observer.calls == ["begin", "unknown KeyboardInterrupt"]
