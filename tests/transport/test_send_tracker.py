"""How far a request got, and what a network error means: this decides whether a submission may be sent again."""

import socket
import ssl
import time
import traceback
from typing import Any

import httpx
import pytest
from seedream import NotSent, Timeouts
from seedream._transport.send_tracker import SendTracker, is_tls_refusal

LIMITS = Timeouts(connect=1.0, write=2.0, submit_read=30.0, query_read=40.0, download_read=50.0)


def tracker(**given: Any) -> SendTracker:
    return SendTracker(**{"kind": "submit", "timeouts": LIMITS, **given})


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ({}, "never_sent"),
        ({"handed_over": True, "watched": True}, "never_sent"),
        ({"sent": 1}, "sent_partial"),
        ({"sent": 1, "write_failed": True}, "sent_partial"),
        ({"sent": 9, "sent_in_full": True}, "sent_full"),
        ({"replied": True}, "sent_full"),
        ({"sent": 1, "replied": True}, "sent_full"),
    ],
)
def test_what_left_says_how_far_it_got(state: dict[str, Any], phase: str) -> None:
    assert tracker(**state).phase == phase


@pytest.mark.parametrize(
    ("error", "phase"),
    [
        *((getattr(httpx, name)("x"), "never_sent") for name in (
            "ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "LocalProtocolError",
        )),
        (httpx.InvalidURL("x"), "never_sent"),
        (httpx.WriteError("x"), "sent_partial"),
        (httpx.WriteTimeout("x"), "sent_partial"),
        (httpx.ReadError("x"), "sent_full"),
        (httpx.ReadTimeout("x"), "sent_full"),
        (httpx.RemoteProtocolError("x"), "sent_full"),
        (ValueError("x"), "sent_full"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_without_a_report_the_class_of_the_error_decides(error: Exception, phase: str) -> None:
    """Only of a request that was handed over, and only where the network did not report itself."""
    made = tracker(handed_over=True)
    assert made.guess_sent(error) == (phase != "never_sent")
    assert (made.phase, made.sent) == (phase, int(phase != "never_sent"))
    for known in (tracker(), tracker(handed_over=True, watched=True)):
        assert known.guess_sent(error) is False
        assert known.phase == "never_sent"


def test_an_error_of_ours_is_raised_and_nothing_counts_as_sent() -> None:
    made = tracker(handed_over=True)
    ours = NotSent("the peer is private")
    assert made.stop(ours) is ours
    assert made.guess_sent(httpx.ReadError("x")) is False
    with pytest.raises(NotSent) as caught:
        made.to_failure(httpx.ReadError("x"))
    assert caught.value is ours


def test_before_send_runs_once_and_its_error_is_the_one_that_counts() -> None:
    calls = list[str]()
    made = tracker(before_send=lambda: calls.append("begin"))
    assert made.must_ask
    made.run_before_send()
    made.run_before_send()
    assert (calls, made.must_ask) == (["begin"], False)
    assert not tracker().must_ask

    def refuse() -> None:
        raise NotSent("the journal is full")

    refused = tracker(before_send=refuse)
    with pytest.raises(NotSent):
        refused.run_before_send()
    assert refused.must_ask
    with pytest.raises(NotSent, match="the journal is full"):
        refused.to_failure(httpx.ReadError("x"))


def _caused(error: Exception, cause: Exception, *, how: str) -> Exception:
    setattr(error, how, cause)
    return error


REFUSED, BROKEN = ssl.SSLCertVerificationError("certificate"), ssl.SSLEOFError("eof")


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (REFUSED, True),
        (ssl.SSLError("handshake failure"), True),
        (_caused(httpx.ConnectError("x"), REFUSED, how="__cause__"), True),
        (_caused(httpx.ConnectError("x"), REFUSED, how="__context__"), True),
        (BROKEN, False),
        (ssl.SSLZeroReturnError("closed"), False),
        (ssl.SSLWantReadError("wait"), False),
        (ssl.SSLWantWriteError("wait"), False),
        (ssl.SSLSyscallError("reset"), False),
        (_caused(httpx.ConnectError("x"), BROKEN, how="__cause__"), False),
        (httpx.ConnectError("x"), False),
        (None, False),
    ],
)
def test_tls_is_refused_by_a_verdict_and_not_by_a_broken_connection(error: Any, refused: bool) -> None:
    assert is_tls_refusal(error) is refused
    if error is not None:
        assert tracker().to_failure(error).tls is refused
        assert tracker(tls_refused=True).to_failure(error).tls is True
        # Once a byte of the request has left, TLS had been accepted.
        assert tracker(tls_refused=True, sent=1).to_failure(error).tls is False


def test_a_failure_has_the_error_s_name_and_a_text_without_the_key() -> None:
    failure = tracker(secret="sk-MARKER-key-0123456789", sent=1).to_failure(ValueError("at sk-MARKER-key-0123456789"))
    assert (failure.phase, failure.kind) == ("sent_partial", "ValueError")
    assert "MARKER" not in failure.text
    assert tracker().to_failure(ValueError()).text == "ValueError"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    value = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: value[0])
    return value


@pytest.mark.parametrize(("kind", "read"), [("submit", 30.0), ("query", 40.0), ("download", 50.0)])
def test_each_phase_has_its_limit_and_none_goes_beyond_the_whole(now: list[float], kind: str, read: float) -> None:
    free, bound = tracker(kind=kind), tracker(kind=kind, total_timeout=1.5)
    assert (free.connect_deadline, bound.connect_deadline) == (1001.0, 1001.0)
    assert tracker(total_timeout=0.5).connect_deadline == 1000.5
    assert tracker(total_timeout=-3.0).connect_deadline == 1000.001
    assert (free.write_deadline(), bound.write_deadline()) == (1002.0, 1001.5)
    assert (free.reply_deadline, bound.reply_deadline) == (float("inf"), 1001.5)
    now[0] = 1001.0
    free.start_reply()
    bound.start_reply()
    assert (free.reply_deadline, bound.reply_deadline) == (1001.0 + read, 1001.5)


def test_a_few_late_waits_are_allowed_for_each_reply() -> None:
    made = tracker()
    made.start_reply()
    for _ in range(2):
        for _ in range(4):
            made.check_late()
        with pytest.raises(TimeoutError):
            made.check_late()
        made.start_reply()


def test_an_error_of_ours_shows_no_frame_of_the_http_library() -> None:
    """The frames hold the request, and with it the key."""
    made = tracker()

    def refuse(request: str) -> None:
        raise made.stop(NotSent(f"refused {len(request)}"))

    try:
        refuse("Bearer sk-MARKER")
    except NotSent as error:
        with pytest.raises(NotSent) as caught:
            made.to_failure(error)
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert "refuse" not in frames
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


def test_an_aborted_connection_is_shut_and_stays_open_for_its_own_thread() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(20)
        made = tracker()
        made.abort()
        made.sock = ours
        made.abort()
        assert theirs.recv(1) == b""
        assert (ours.recv(1), ours.fileno() >= 0) == (b"", True)
        with pytest.raises(BrokenPipeError):
            ours.send(b"x")
        made.abort()
    made.abort()


def test_the_head_of_a_reply_starts_its_time_once(now: list[float]) -> None:
    made = tracker()
    made.mark_replied()
    assert (made.phase, made.reply_deadline) == ("sent_full", 1030.0)
    now[0] = 1010.0
    made.mark_replied()
    assert made.reply_deadline == 1030.0
