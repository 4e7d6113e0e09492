"""Rate, window and breaker, with a clock in hand."""

import itertools

from hypothesis import given
from hypothesis import strategies as st
from seedream.bulk.rate_control import AdaptiveConcurrency, CircuitBreaker, RateLimiter


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


def test_three_in_a_row() -> None:
    breaker = CircuitBreaker(lambda: 0.0, 60)
    assert [breaker.unknown(), breaker.unknown()] == [False, False]
    breaker.succeeded()
    assert [breaker.unknown(), breaker.unknown(), breaker.unknown()] == [False, False, True]


def test_more_than_one_in_a_hundred() -> None:
    breaker = CircuitBreaker(lambda: 0.0, 60)
    for _ in range(98):
        breaker.succeeded()
    assert breaker.unknown() is False  # 1 of 99
    breaker.succeeded()
    assert breaker.unknown() is True  # 2 of 101


def test_patience_counts_from_the_first_failure_since_a_success() -> None:
    now = 0.0
    breaker = CircuitBreaker(lambda: now, 60)
    assert breaker.stuck() is False
    now = 59.0
    assert breaker.stuck() is False
    breaker.succeeded()
    now = 100.0
    assert breaker.stuck() is False
    assert breaker.pauses == 1
    now = 161.0
    assert breaker.stuck() is True
