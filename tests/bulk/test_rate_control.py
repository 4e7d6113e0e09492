"""Rate, window and breaker, with a clock in hand."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seedream.bulk.rate_control import AdaptiveConcurrency, CircuitBreaker, Patience, RateLimiter, SlowStart


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
    for _ in range(2 + 3 + 4 + 5 + 6 + 7):
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
