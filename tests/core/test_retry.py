"""Which submissions are sent again, and how long the pauses are (the table in seedream._protocol.outcome)."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream import RetryPolicy, Timeouts, errors
from seedream._protocol.download import DownloadOptions
from seedream._protocol.effects import Failure, Reply
from seedream._protocol.failures import submission_error
from seedream._protocol.outcome import SubmissionOutcome, classify
from seedream._protocol.replies import Envelope, read_envelope
from seedream._protocol.retry import retry_after
from seedream._protocol.service import Answer

POLICY = RetryPolicy(attempts=3, base=2.0, cap=9.0, retry_after_cap=60.0)
SENT_AGAIN = (SubmissionOutcome.NOT_SENT, SubmissionOutcome.RATE_LIMITED, SubmissionOutcome.REQUEST_TIMEOUT)
NEVER_AGAIN = [one for one in SubmissionOutcome if one not in SENT_AGAIN]


@given(attempt=st.integers(1, 5000), chance=st.floats(0, 1), base=st.floats(0.001, 100), cap=st.floats(0.001, 100))
def test_a_pause_lies_between_half_and_all_of_the_doubled_base_up_to_the_cap(
    attempt: int, chance: float, base: float, cap: float
) -> None:
    pause = RetryPolicy(base=base, cap=cap).delay(attempt, lambda: chance)
    whole = min(cap, base * 2.0 ** min(attempt - 1, 30))
    assert whole / 2 <= pause <= whole


@pytest.mark.parametrize(("attempt", "pause"), [(1, 2.0), (2, 4.0), (3, 8.0), (4, 9.0), (5000, 9.0)])
def test_the_pause_doubles_up_to_the_cap(attempt: int, pause: float) -> None:
    assert pause / 2 == POLICY.delay(attempt, lambda: 0.0)
    assert pause * 0.75 == POLICY.delay(attempt, lambda: 0.5)
    assert pause == POLICY.delay(attempt, lambda: 1.0)


def test_the_default_pauses_are_spread_at_random() -> None:
    random.seed(7)
    assert len({RetryPolicy().delay(1) for _ in range(20)}) == 20
    assert {RetryPolicy().next_delay(SubmissionOutcome.NOT_SENT, 1, None) for _ in range(20)} != {0.5}


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert RetryPolicy() == RetryPolicy(attempts=4, base=0.5, cap=30.0, retry_after_cap=120.0)
    limits = (10.0, 60.0, 180.0, 30.0, 60.0)
    assert Timeouts() == Timeouts(*limits)
    options = DownloadOptions()
    assert (options.timeout, options.attempts, options.max_bytes, options.concurrency) == (
        300.0,
        5,
        64 * 1024 * 1024,
        4,
    )
    assert (options.progress, options.hashed) == (None, False)


@pytest.mark.parametrize("value", [0, -1, 1.0, "2", True, None])
def test_attempts_are_a_whole_number_above_0(value: Any) -> None:
    with pytest.raises(errors.ConfigError) as caught:
        RetryPolicy(attempts=value)
    assert caught.value.message == "RetryPolicy: attempts is not a whole number above 0"
    assert caught.value.hint == "Give 1 for one try."
    assert RetryPolicy(attempts=1).attempts == 1


@pytest.mark.parametrize("name", ["base", "cap", "retry_after_cap"])
@pytest.mark.parametrize("value", [-0.1, float("nan"), "2", True, None])
def test_pauses_are_seconds(name: str, value: Any) -> None:
    with pytest.raises(errors.ConfigError) as caught:
        RetryPolicy(**{name: value})
    assert caught.value.message == f"RetryPolicy: {name} is not a number of seconds"
    assert caught.value.hint == "Give 0 or more."
    assert getattr(RetryPolicy(**{name: 0}), name) == 0


@pytest.mark.parametrize("outcome", NEVER_AGAIN)
@pytest.mark.parametrize("attempt", [1, 2])
def test_what_may_have_been_taken_or_was_refused_is_never_sent_again(outcome: SubmissionOutcome, attempt: int) -> None:
    assert POLICY.next_delay(outcome, attempt, None) is None
    assert POLICY.next_delay(outcome, attempt, 1.0) is None


@pytest.mark.parametrize("outcome", [SubmissionOutcome.NOT_SENT, SubmissionOutcome.RATE_LIMITED])
def test_what_was_not_taken_is_sent_again_while_attempts_are_left(outcome: SubmissionOutcome) -> None:
    assert [2.0, 4.0, None] == [POLICY.next_delay(outcome, attempt, None, lambda: 1.0) for attempt in (1, 2, 3)]


def test_a_request_timeout_is_sent_again_once() -> None:
    assert [2.0, None] == [
        POLICY.next_delay(SubmissionOutcome.REQUEST_TIMEOUT, attempt, None, lambda: 1.0) for attempt in (1, 2)
    ]


@pytest.mark.parametrize("asked", [0.0, 0.5, 1.9])
def test_retry_after_is_a_minimum_and_never_shortens_the_pause(asked: float) -> None:
    assert POLICY.next_delay(SubmissionOutcome.RATE_LIMITED, 1, asked, lambda: 1.0) == 2.0


def test_a_longer_retry_after_than_the_cap_ends_the_attempts() -> None:
    assert POLICY.next_delay(SubmissionOutcome.RATE_LIMITED, 1, 60.0) == 60.0
    assert POLICY.next_delay(SubmissionOutcome.RATE_LIMITED, 1, 60.5) is None


DATE = {"date": "Sun, 22 Nov 2026 10:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "9" * 30}, 1e9),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "soon"}, None),
        ({**DATE, "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, 30.0),
        ({**DATE, "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT"}, 0.0),
        ({**DATE, "retry-after": "Sun, 99 Nov 2026"}, None),
        ({**DATE, "retry-after": "Sun, 22 Nov 2026 10:00:30 -0000"}, None),
        ({"date": "x", "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, None),
    ],
)
def test_retry_after_is_read_as_a_number_or_against_the_servers_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert seconds == retry_after(Reply(429, headers, b""))


def test_without_a_reply_nothing_is_asked_for() -> None:
    assert retry_after(Failure("sent_full", "ReadTimeout", "slow")) is None


def _body(code: object = None, **data: object) -> bytes:
    return json.dumps({"code": code, "msg": "m", "data": data}).encode()


TASK = {"taskid": "t"}
ROWS: list[tuple[Reply | Failure, type[errors.SeeDreamError], str]] = [
    (Failure("never_sent", "ConnectError", "refused"), errors.NotSent, "no"),
    (Failure("never_sent", "ConnectError", "certificate", tls=True), errors.NotSent, "no"),
    (Failure("sent_partial", "WriteError", "reset"), errors.SubmissionUnknown, "unknown"),
    (Failure("sent_full", "ReadTimeout", "slow"), errors.SubmissionUnknown, "unknown"),
    (Failure("sent_full", "ReadError", "cut", Reply(200, {}, b'{"taskid":"t"')), errors.SubmissionUnknown, "unknown"),
    *((Reply(status, {}, b""), errors.Rejected, "no") for status in (400, 410, 499)),
    *((Reply(status, {}, b""), errors.ConfigError, "no") for status in (404, 405)),
    *((Reply(status, {}, b""), errors.AuthError, "no") for status in (401, 403)),
    (Reply(408, {}, b""), errors.NotSent, "no"),
    (Reply(429, {}, b""), errors.RateLimited, "no"),
    *((Reply(status, {}, b""), errors.SubmissionUnknown, "unknown") for status in (100, 199, 500, 503, 599, 600)),
    *((Reply(status, {}, b"{}"), errors.SubmissionUnknown, "unknown") for status in (200, 204, 299)),
    (Reply(200, {}, _body(9000)), errors.InsufficientCredits, "no"),
    (Reply(299, {}, _body(9000)), errors.InsufficientCredits, "no"),
    (Reply(200, {}, _body(9999)), errors.Rejected, "no"),
    (Reply(200, {}, _body(1000)), errors.SubmissionUnknown, "unknown"),
    (Reply(200, {}, _body(5)), errors.SubmissionUnknown, "unknown"),
    (Reply(200, {}, _body(9000, **TASK)), errors.SubmissionUnknown, "unknown"),
    (Reply(200, {}, _body(9999, **TASK)), errors.SubmissionUnknown, "unknown"),
    *(
        (Reply(status, {}, _body(5, **TASK)), errors.SubmissionUnknown, "unknown")
        for status in (301, 400, 401, 403, 404, 408, 429, 500)
    ),
    *((Reply(status, {}, b""), errors.ConfigError, "no") for status in (301, 307, 308)),
    # RFC 9110, 15.4.4: the answer to a POST that was carried out may be a redirect to its result.
    *((Reply(status, {}, b""), errors.SubmissionUnknown, "unknown") for status in (300, 302, 303, 304, 399)),
    # A body that says two things says nothing: neither the first nor the last counts.
    (Reply(200, {}, b'{"code": 1000, "code": 9999}'), errors.SubmissionUnknown, "unknown"),
    (Reply(200, {}, b'{"code": 1000, "code": 9000}'), errors.SubmissionUnknown, "unknown"),
    (Reply(200, {}, b'{"code": 1000, "data": {"taskid": "t"}, "code": 9999}'), errors.SubmissionUnknown, "unknown"),
    (Reply(200, {}, b'{"code": 9999, "code": 1000}'), errors.SubmissionUnknown, "unknown"),
    (Reply(200, {}, b'{"code": 1000, "data": {"taskid": "t", "taskid": "t"}}'), errors.SubmissionUnknown, "unknown"),
]


@pytest.mark.parametrize(("outcome", "kind", "billing"), ROWS, ids=[repr(row[0])[:60] for row in ROWS])
def test_each_outcome_has_one_error_and_one_billing(
    outcome: Reply | Failure, kind: type[errors.SeeDreamError], billing: str
) -> None:
    reply = outcome.reply if isinstance(outcome, Failure) else outcome
    envelope = read_envelope(reply.body) if reply else Envelope()
    error = submission_error(classify(outcome, envelope), Answer(outcome, envelope, "k" * 20), at=5.0)
    assert (kind, billing, envelope.taskid) == (type(error), error.billing, error.taskid)
    assert (error.reply.status if error.reply else None) == (reply.status if reply else None)
    if isinstance(error, errors.SubmissionUnknown):
        phase = outcome.phase if isinstance(outcome, Failure) else "sent_full"
        assert (phase, 5.0, False) == (error.phase, error.at, error.retryable)


@pytest.mark.parametrize("code", [1000, "1000", 2000])
@pytest.mark.parametrize("status", [200, 201, 299])
def test_a_success_that_names_a_task_is_accepted(status: int, code: object) -> None:
    outcome = Reply(status, {}, _body(code, **TASK))
    assert classify(outcome, read_envelope(outcome.body)) is SubmissionOutcome.ACCEPTED


@pytest.mark.parametrize(
    "body", [b'{"code": 1000, "code": 1000, "data": {"taskid": "t"}}', b'{"code": 9999, "code": 9999}']
)
def test_a_code_that_is_there_twice_is_no_code(body: bytes) -> None:
    outcome = Reply(200, {}, body)
    assert classify(outcome, read_envelope(body)) is SubmissionOutcome.UNKNOWN
