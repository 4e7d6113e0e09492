"""The submit workflow step by step in memory: what is sent again, after which pause, what is reported and what is noted."""

# ruff: noqa: E501 -- tables read best with one case a line

import json
from typing import Any

import pytest
from seedream import Progress, errors
from seedream._protocol.effects import Failure
from seedream._protocol.outcome import SubmissionOutcome, classify
from seedream._protocol.progress import Progress as Event
from seedream._protocol.replies import Envelope
from seedream._protocol.submit import submit
from seedream._request.submission import check_submit
from support.clients import KEY
from support.pictures import picture
from support.workflows import BASE, Head, ScriptedIO, broken, run, scripted, service

ACCEPTED = Head(200, {}, [b'{"code": 1000, "data": {"taskid": "t1"}}'])
NEVER = Failure("never_sent", "ConnectError", "no route")
BUSY, TIMED_OUT = Head(429), Head(408)
SUBMISSION = check_submit("a fish", {"source_images": [picture(), picture(seed=1)], "batchsize": 3})


def limited(seconds: str) -> Head:
    return Head(429, {"retry-after": seconds})


class Journal:
    """Records what it hears; it may raise at one of the calls."""

    def __init__(self, **raises: BaseException) -> None:
        self.calls: list[Any] = []
        self._raises = raises

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: object) -> None:
            self.calls.append((name, *arguments))
            if name in self._raises:
                raise self._raises[name]

        return call

    @property
    def names(self) -> list[str]:
        return [str(name) for name, *_ in self.calls]


def send(io: ScriptedIO, journal: Any = None, progress: Any = None, **retry: Any) -> str:
    found: str = run(submit(service(**retry), SUBMISSION, journal, progress), io)
    return found


def failed(io: ScriptedIO, journal: Any = None, **retry: Any) -> errors.SeeDreamError:
    with pytest.raises(errors.SeeDreamError) as caught:
        send(io, journal, **retry)
    return caught.value


def test_a_submission_is_sent_with_the_key_and_its_whole_form() -> None:
    io = scripted(ACCEPTED)
    assert send(io) == "t1"
    (effect,) = io.sent
    assert (effect.kind, effect.total_timeout, effect.public_only) == ("submit", None, False)
    request = effect.request
    assert (request.method, request.url) == ("POST", f"{BASE}/v1/images/seedreamv45")
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert request.body is not None
    content = b"".join(request.body.chunks())
    assert len(content) == request.body.length
    assert content.count(picture()) == content.count(picture(seed=1)) == 1


SENT_AGAIN = [
    ([NEVER], [0.5, 1.0, 2.0], errors.NotSent),
    ([BUSY], [0.5, 1.0, 2.0], errors.RateLimited),
    ([limited("7"), limited("0"), BUSY], [7.0, 1.0, 2.0], errors.RateLimited),
    ([limited("120"), limited("121")], [120.0], errors.RateLimited),
    ([TIMED_OUT], [0.5], errors.NotSent),
    ([NEVER, TIMED_OUT, TIMED_OUT], [0.5, 0.5], errors.NotSent),
    ([TIMED_OUT, NEVER, BUSY, TIMED_OUT], [0.5, 1.0, 2.0], errors.NotSent),
    ([NEVER, NEVER, NEVER, TIMED_OUT, NEVER], [0.5, 1.0, 2.0, 0.5], errors.NotSent),
    ([BUSY, Head(500)], [0.5], errors.SubmissionUnknown),
    ([NEVER, Head(400)], [0.5], errors.Rejected),
    ([Failure("never_sent", "ConnectError", "certificate", tls=True)], [], errors.NotSent),
    ([Failure("sent_partial", "WriteError", "reset")], [], errors.SubmissionUnknown),
    ([broken()], [], errors.SubmissionUnknown),
    ([Head(503, {"retry-after": "1"})], [], errors.SubmissionUnknown),
    ([Head(425)], [], errors.Rejected),
]  # fmt: skip


@pytest.mark.parametrize(("answers", "pauses", "kind"), SENT_AGAIN, ids=repr)
def test_only_what_was_not_taken_is_sent_again(answers: list[Any], pauses: list[float], kind: type[Exception]) -> None:
    for journal in (None, Journal()):
        io = scripted(*answers)
        assert type(failed(io, journal)) is kind
        assert (io.slept, len(io.sent)) == (pauses, len(pauses) + 1)
        bodies = {b"".join(effect.request.body.chunks()) for effect in io.sent if effect.request.body}
        assert len(bodies) == 1
    io = scripted(*(answers * 3)[: len(pauses)], ACCEPTED)
    assert send(io) == "t1"
    assert io.slept == pauses


def test_each_pause_is_reported_and_each_step_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "seedream.submit")
    seen: list[Progress] = []
    assert send(scripted(NEVER, limited("7"), TIMED_OUT, ACCEPTED), progress=seen.append) == "t1"
    assert seen == [
        Event("retrying", "", 0.0, "not sent", None, None, 0, None, 0.5),
        Event("retrying", "", 0.0, "rate limited", None, None, 0, None, 7.0),
        Event("retrying", "", 0.0, "request timeout", None, None, 0, None, 0.5),
    ]
    error = failed(scripted(Head(500)))
    assert [record.getMessage() for record in caplog.records] == [
        "submitting 3 pictures, 2 files (try 1)",
        "ConnectError: no route; trying again in 0.5 s",
        "submitting 3 pictures, 2 files (try 2)",
        "HTTP 429 with an empty body; trying again in 7.0 s",
        "submitting 3 pictures, 2 files (try 3)",
        "HTTP 408 with an empty body; trying again in 0.5 s",
        "submitting 3 pictures, 2 files (try 4)",
        "accepted: task t1",
        "submitting 3 pictures, 2 files (try 1)",
        f"SubmissionUnknown: {error.message}",
    ]


def test_a_pause_comes_after_its_report() -> None:
    io = scripted(NEVER, ACCEPTED)
    slept: list[list[float]] = []
    send(io, progress=lambda _: slept.append(list(io.slept)))
    assert slept == [[]]


@pytest.mark.parametrize("answer", [Head(500), broken(), Failure("sent_partial", "WriteError", "reset")])
def test_an_unknown_submission_has_what_is_needed_to_find_it(answer: Any) -> None:
    error = failed(scripted(answer))
    assert isinstance(error, errors.SubmissionUnknown)
    phase = answer.phase if isinstance(answer, Failure) else "sent_full"
    assert (error.digest, error.at, error.phase) == (SUBMISSION.digest, 5.0, phase)
    assert (error.billing, error.retryable) == ("unknown", False)


# --- the journal ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answers", "names"),
    [
        ([ACCEPTED], ["begin", "submitted"]),
        ([BUSY, NEVER, TIMED_OUT, ACCEPTED], [*["begin", "not_sent"] * 3, "begin", "submitted"]),
        ([BUSY, Head(500)], ["begin", "not_sent", "begin", "unknown"]),
        ([Head(400)], ["begin", "refused"]),
        ([BUSY], [*["begin", "not_sent"] * 3, "begin", "refused"]),
        ([broken()], ["begin", "unknown"]),
    ],
)
def test_each_try_is_recorded_before_it_leaves_and_when_it_is_over(answers: list[Any], names: list[str]) -> None:
    journal = Journal()
    io = scripted(*answers)
    try:
        assert send(io, journal) == "t1"
        assert journal.calls[-1] == ("submitted", "t1")
    except errors.SeeDreamError as error:
        assert journal.calls[-1][1] is error  # noqa: PT017 -- one of two good ends
    assert journal.names == names


def test_a_request_that_the_network_never_began_is_not_recorded_as_begun() -> None:
    """``before_send`` was not called: no connection was made."""

    class Unreachable(ScriptedIO):
        def perform(self, effect: Any) -> Any:
            return NEVER if getattr(effect, "before_send", None) else super().perform(effect)

    journal = Journal()
    error = failed(Unreachable([]), journal)
    assert journal.calls == [("refused", error)]


@pytest.mark.parametrize(
    ("name", "answers", "kind", "sent"),
    [
        ("not_sent", [BUSY, ACCEPTED], errors.RateLimited, 1), ("not_sent", [NEVER, ACCEPTED], errors.NotSent, 1),
        ("unknown", [broken()], errors.SubmissionUnknown, 1), ("refused", [Head(400)], errors.Rejected, 1),
    ],
)  # fmt: skip
def test_what_the_journal_cannot_record_is_said_in_the_error_and_nothing_more_is_sent(
    name: str, answers: list[Any], kind: type[Exception], sent: int
) -> None:
    journal = Journal(**{name: errors.JournalFull("no room")})
    io = scripted(*answers)
    error = failed(io, journal)
    plain = failed(scripted(answers[0]), None, attempts=1)
    assert (type(error), len(io.sent), journal.names) == (kind, sent, ["begin", name])
    assert error.hint == f"{plain.hint} The journal could not record this (no room)."
    assert (error.message, error.billing, io.slept) == (plain.message, plain.billing, [])


def test_what_the_journal_cannot_begin_is_not_sent() -> None:
    journal = Journal(begin=errors.JournalFull("no room"))
    with pytest.raises(errors.JournalFull) as caught:
        send(scripted(ACCEPTED), journal)
    assert (journal.names, getattr(caught.value, "__notes__", [])) == (["begin"], [])


def test_a_task_that_the_journal_cannot_record_is_on_its_error() -> None:
    journal = Journal(submitted=errors.JournalFull("no room"))
    with pytest.raises(errors.JournalFull) as caught:
        send(scripted(ACCEPTED), journal)
    assert (caught.value.taskid, journal.names) == ("t1", ["begin", "submitted"])


def test_an_interruption_after_the_answer_has_the_task_s_id() -> None:
    journal = Journal(submitted=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt) as caught:
        send(scripted(ACCEPTED), journal)
    assert caught.value.__notes__ == ["The submission was accepted: task t1."]
    assert journal.names == ["begin", "submitted"]


@pytest.mark.parametrize("interrupted", [KeyboardInterrupt(), ValueError("a fault of the program")])
@pytest.mark.parametrize("where", ["send", "read"])
@pytest.mark.parametrize("unrecorded", [False, True])
def test_an_interruption_under_way_is_unknown(interrupted: BaseException, where: str, unrecorded: bool) -> None:
    note = f"A submission was under way and may have been billed (request {SUBMISSION.digest[:16]})."
    for journal in (None, Journal(**({"unknown": errors.JournalFull("no room")} if unrecorded else {}))):
        fresh = type(interrupted)(*interrupted.args)
        io = scripted(fresh if where == "send" else Head(200, {}, [b"{", fresh]))
        with pytest.raises(type(fresh)) as caught:
            send(io, journal)
        assert caught.value is fresh
        told = ["The journal could not record this (no room)."] if unrecorded and journal is not None else []
        assert fresh.__notes__ == [note, *told]
        if journal is not None:
            assert journal.calls == [("begin",), ("unknown", fresh)]


def test_an_interruption_before_the_first_byte_is_no_submission() -> None:
    class Interrupted(ScriptedIO):
        def perform(self, effect: Any) -> Any:
            raise KeyboardInterrupt(effect)

    journal = Journal()
    with pytest.raises(KeyboardInterrupt) as caught:
        send(Interrupted([]), journal)
    assert (journal.calls, getattr(caught.value, "__notes__", [])) == ([], [])


# --- the rows of the table in outcome.py -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body", [{"code": 1000, "data": {"taskid": "t"}}, {"taskid": "t"}, {"code": 5, "x": [{"task_id": "t"}]}]
)
@pytest.mark.parametrize("status", [300, 302, 400, 401, 404, 408, 429, 500])
def test_an_answer_that_names_a_task_is_never_sent_again(status: int, body: Any) -> None:
    io = scripted(Head(status, {"retry-after": "1"}, [json.dumps(body).encode()]))
    error = failed(io)
    assert (type(error), error.taskid, len(io.sent)) == (errors.SubmissionUnknown, "t", 1)


def test_a_message_may_name_the_task_that_an_answer_names() -> None:
    taskid = "abcd_1234567890abcdef"
    body = json.dumps({"code": 5, "msg": f"see {taskid}", "data": {"taskid": taskid}}).encode()
    error = failed(scripted(Head(500, {}, [body])))
    assert error.message == f"the submission was sent, but no usable answer came (HTTP 500, code 5: see {taskid})"
    assert error.hint == f"A task id was seen in the reply: {taskid}. Query it before you submit again."


def test_a_refused_certificate_says_what_to_check() -> None:
    error = failed(scripted(Failure("never_sent", "ConnectError", "self-signed", tls=True)))
    refused = "nothing was sent: the server's TLS certificate or handshake was not accepted (ConnectError: self-signed)"
    assert (error.message, error.retryable, error.billing) == (refused, False, "no")
    assert error.hint == "Check the base URL, the machine's clock and its certificates."


def test_a_failure_before_the_first_byte_is_not_sent_whatever_else_is_known() -> None:
    for tls, became in ((False, SubmissionOutcome.NOT_SENT), (True, SubmissionOutcome.TLS_REFUSED)):
        assert classify(Failure("never_sent", "x", "y", tls=tls), Envelope()) is became
    for phase in ("sent_partial", "sent_full"):
        for tls in (False, True):
            assert classify(Failure(phase, "x", "y", tls=tls), Envelope()) is SubmissionOutcome.UNKNOWN
