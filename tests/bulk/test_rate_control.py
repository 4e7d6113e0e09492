"""Rate, window and breaker, with a clock in hand."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream.bulk import Report, RunControl, Snapshot
from seedream.bulk.rate_control import AdaptiveConcurrency, CircuitBreaker, Patience, RateLimiter, SlowStart
from seedream.journal import STATES, State


@given(st.floats(0.1, 100), st.lists(st.floats(0, 2), min_size=1, max_size=40))
def test_never_more_than_the_rate(rate: float, gaps: list[float]) -> None:
    # Any two neighbours are at least 1/rate apart: no burst.
    now = 0.0
    pace = RateLimiter(lambda: now, rate)
    starts = []
    for gap in gaps:
        now += gap
        starts.append(now + pace.reserve())
    for one, after in itertools.pairwise(starts):
        assert after - one >= 1 / rate - 1e-9
    assert all(start >= 0 for start in starts)


def test_no_rate_no_wait_but_a_hold_holds_all() -> None:
    now = 5.0
    pace = RateLimiter(lambda: now)
    assert [pace.reserve(), pace.reserve()] == [0.0, 0.0]
    pace.pause_for(7)
    pace.pause_for(3)  # a shorter one does not shorten
    assert [pace.reserve(), pace.reserve()] == [7.0, 7.0]


def test_window_halves_once_a_round_and_grows_back() -> None:
    window = AdaptiveConcurrency(8)
    numbers = [window.start() for _ in range(8)]
    for number in numbers:
        window.refused(number)  # eight refusals of one round: one cut
    assert window.size == 4
    later = window.start()
    window.refused(later)
    assert window.size == 2
    for size in (2, 3, 4, 5, 6, 7):
        for _ in range(size):  # a whole round of successes for one more
            assert window.size == size
            window.succeeded()
    assert window.size == 8
    for _ in range(100):
        window.succeeded()
    assert window.size == 8


def test_window_never_closes() -> None:
    window = AdaptiveConcurrency(1)
    window.refused(window.start())
    assert window.size == 1


def test_three_in_a_row_open_the_breaker() -> None:
    breaker = CircuitBreaker(3, 0.01)
    assert [breaker.failed(), breaker.failed()] == [False, False]
    breaker.succeeded()
    assert [breaker.failed(), breaker.failed(), breaker.failed()] == [False, False, True]


@pytest.mark.parametrize(("share", "first"), [(0.01, 2), (0.25, 26)])
def test_too_large_a_share_opens_the_breaker(share: float, first: int) -> None:
    # Judged of at least 100; a smaller share of them does not open it.
    breaker = CircuitBreaker(1000, share)
    for _ in range(100 - first):
        breaker.succeeded()
    assert [breaker.failed() for _ in range(first)] == [False] * (first - 1) + [True]


def test_zero_failures_in_a_row_never_open_it() -> None:
    breaker = CircuitBreaker(0, 0.01)
    assert not any(breaker.failed() for _ in range(1000))


def test_few_tasks_are_outstanding_until_deliveries_work() -> None:
    window = SlowStart(64)
    assert window.size == 4
    for _ in range(4):
        window.succeeded()
    assert window.size == 8  # doubled in one round
    for _ in range(100):
        window.succeeded()
    assert window.size == 64
    window.failed()
    assert window.size == 32
    for _ in range(9):
        window.failed()
    assert window.size == 1
    assert SlowStart(2).size == 2


def test_patience_counts_from_the_first_failure_since_a_success() -> None:
    now = 0.0
    patience = Patience(lambda: now, 60)
    assert patience.failed() is False
    now = 59.0
    assert patience.failed() is False
    patience.succeeded()
    now = 100.0
    assert patience.failed() is False
    assert patience.refusals == 1
    now = 161.0
    assert patience.failed() is True


def counted(**given: int) -> dict[State, int]:
    return {state: given.get(state, 0) for state in STATES}


def test_a_rate_limiter_spaces_what_comes_at_once() -> None:
    pace = RateLimiter(lambda: 10.0, 4.0)
    assert [pace.reserve() for _ in range(3)] == [0.0, 0.25, 0.5]
    pace.pause_for(5.0)
    assert [pace.reserve(), pace.reserve()] == [5.0, 5.25]


def test_patience_ends_at_its_limit_and_counts_from_zero_again() -> None:
    now = 7.0
    patience = Patience(lambda: now, 60)
    assert [patience.failed() for _ in range(3)] == [False] * 3
    assert patience.refusals == 3
    patience.succeeded()
    assert patience.refusals == 0


def test_the_first_reason_stops_a_run_and_only_the_user_s_word_goes_before_it() -> None:
    control = RunControl(8, 3)
    assert (control.stopping, control.reason, control.error) == (False, None, None)
    first = ValueError("first")
    control.stop("credits", first)
    control.stop("disk", ValueError("second"))
    assert (control.stopping, control.reason, control.error) == (True, "credits", first)
    control.interrupt("interrupted")
    assert (control.reason, control.error) == ("interrupted", None)


def test_answers_and_deliveries_are_judged_apart() -> None:
    # Rule: unknown submissions and failed tasks each stop a run by their own number; neither hides the other.
    lost, failed = ValueError("lost"), ValueError("failed")
    control = RunControl(8, 3)
    for _ in range(2):
        control.unanswered(lost)
        control.delivered()
    assert control.reason is None
    control.unanswered(lost)
    assert (str(control.reason), control.error) == ("unknowns", lost)
    for stage in ("tasks", "downloads"):
        control = RunControl(8, 3)
        for _ in range(2):
            control.undelivered(stage, failed)
            control.answered()
        assert control.reason is None
        control.undelivered(stage, failed)
        assert (str(control.reason), control.error) == (stage, failed)
    control = RunControl(8, 3)
    for _ in range(5):
        control.unanswered(lost)
        control.answered()
    assert control.reason is None


def test_too_large_a_share_of_either_stops_a_run() -> None:
    # Rule: of submissions one in a hundred may stay without an answer, of deliveries one in four may fail.
    error = ValueError("x")
    for good, bad, stops in ((98, 2, True), (99, 1, False)):
        control = RunControl(8, 1000)
        for _ in range(good):
            control.answered()
        for _ in range(bad):
            control.unanswered(error)
        assert (control.reason == "unknowns") is stops
    for good, bad, stops in ((74, 26, True), (75, 25, False)):
        control = RunControl(8, 1000)
        for _ in range(good):
            control.delivered()
        for _ in range(bad):
            control.undelivered("downloads", error)
        assert (control.reason == "downloads") is stops


def test_a_snapshot_knows_its_rate_and_how_long_it_will_take() -> None:
    counts = counted(planned=1, submitting=2, submitted=3, succeeded=4, downloaded=5, failed=6, unknown=7, abandoned=8)
    shown = Snapshot(counts, 9, None, elapsed=5.0, settled=20, window=4)
    assert (shown.rate, shown.eta) == (4.0, 2.5)
    assert (Snapshot(counts, 9, None, 5.0, 0, 4).rate, Snapshot(counts, 9, None, 5.0, 0, 4).eta) == (0.0, None)
    assert (Snapshot(counts, 9, None, 0.0, 3, 4).rate, Snapshot(counts, 9, None, 0.0, 3, 4).eta) == (0.0, None)
    assert Snapshot(counts, 9, None, 0.5, 3, 4).rate == 6.0


def test_a_report_counts_what_is_left_and_what_is_complete() -> None:
    counts = counted(planned=1, submitting=2, submitted=3, succeeded=4, downloaded=5, failed=6, unknown=7, abandoned=8)
    report = Report("done", counts, 9, Path())
    assert (report.total, report.left, report.complete) == (36, 10, False)
    assert Report("done", counted(downloaded=2, abandoned=1), 9, Path()).complete
    for state in ("planned", "submitting", "submitted", "succeeded", "failed", "unknown", "rejected"):
        assert not Report("done", counted(downloaded=2, **{state: 1}), 9, Path()).complete
