"""What every other package uses: the key and the URL, addresses, signals, time limits, the log."""

# ruff: noqa: E501 -- tables read best with one case a line

import logging
import re
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from seedream import ConfigError, Timeouts
from seedream._support import config, log
from seedream._support.addresses import is_loopback, is_private, is_public_address
from seedream._support.patterns import lazy_pattern
from seedream._support.secret import Secret
from seedream._support.signals import ending_signals, handling_signals
from seedream._support.threads import event_loop_thread, in_thread, lacks_threads
from seedream._support.timing import Clock, RequestKind, SystemClock
from support.clock import FakeClock
from tensorslab_images.limits import SERVER

KEY = "sk-MARKER-key-0123456789"


# --- the key -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "variable", "found"),
    [(KEY, None, KEY), (f" {KEY}\n", "other", KEY), (None, KEY, KEY), (None, f"\t{KEY} ", KEY), ("!~", None, "!~")],
)
def test_the_key_is_the_argument_or_else_the_variable(
    monkeypatch: pytest.MonkeyPatch, given: str | None, variable: str | None, found: str
) -> None:
    if variable is not None:
        monkeypatch.setenv("TENSORSLAB_API_KEY", variable)
    assert config.api_key(Secret(given)) == found


@pytest.mark.parametrize("given", ["", "  "])
def test_an_empty_key_is_not_replaced_by_that_of_the_environment(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    # Who gives a key by mistake as empty text would otherwise pay with another one.
    monkeypatch.setenv("TENSORSLAB_API_KEY", KEY)
    with pytest.raises(ConfigError) as caught:
        config.api_key(Secret(given))
    assert (caught.value.message, caught.value.hint) == (
        "no API key",
        "Set TENSORSLAB_API_KEY, or give api_key=.",
    )


@pytest.mark.parametrize("sign", [" ", "\n", "\r", "\0", "\x1f", "\x7f", "\x80", "é", "钥", "\ud800"])
@pytest.mark.parametrize("given", [True, False])
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, sign: str, given: bool
) -> None:
    wrong = f"sk-{sign}MARKER"
    if not given:
        if sign in "\0\ud800":
            return  # no variable holds these
        monkeypatch.setenv("TENSORSLAB_API_KEY", wrong)
    with pytest.raises(ConfigError) as caught:
        config.api_key(Secret(wrong if given else None))
    where = "the api_key argument" if given else "TENSORSLAB_API_KEY"
    assert caught.value.message == f"the API key in {where} holds spaces, line breaks or characters that no key has"
    assert caught.value.hint == "Copy it again, without 'Bearer' before it."
    assert not caught.value.retryable


@pytest.mark.parametrize("given", [5, b"sk-MARKER", ["sk-MARKER"]])
def test_a_key_or_url_that_is_not_text_is_refused_and_not_shown(given: Any) -> None:
    for read, what in ((config.api_key, "API key"), (config.base_url, "base URL")):
        with pytest.raises(ConfigError) as caught:
            read(Secret(given))
        assert caught.value.message == f"the {what} is of type {type(given).__name__}, not text"
        assert caught.value.hint == "Give it as str."


# --- the base URL ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "variable", "found"),
    [
        (None, None, SERVER), (None, "", SERVER), ("", "https://other.example", SERVER), (None, "https://v.example", "https://v.example"),
        ("https://a.example", "https://v.example", "https://a.example"), (" https://a.example// ", None, "https://a.example"),
        ("https://a.example/p/q/", None, "https://a.example/p/q"), ("HTTPS://A.example:8443", None, "HTTPS://A.example:8443"),
        ("https://a.example/x://y", None, "https://a.example/x://y"), ("https://a.example/X", None, "https://a.example/X"), ("http://127.0.0.1:1", None, "http://127.0.0.1:1"),
        ("http://localhost.", None, "http://localhost."), ("HTTP://[::1]:8/", None, "HTTP://[::1]:8"), ("https://例え.example", None, "https://例え.example"),
    ],
)  # fmt: skip
def test_the_base_url_is_the_argument_the_variable_or_the_spec_s(
    monkeypatch: pytest.MonkeyPatch, given: str | None, variable: str | None, found: str
) -> None:
    if variable is not None:
        monkeypatch.setenv("TENSORSLAB_BASE_URL", variable)
    assert config.base_url(Secret(given)) == found


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        *((url, "holds a user, a query or a fragment") for url in (
            "https://u:MARKER@h", "https://u%40MARKER", "https://u＠MARKER", "https://u%EF%BC%A0MARKER", "u:MARKER@h", "https://h?MARKER", "https://h/#MARKER",
        )),
        *((url, "is not an https URL") for url in (
            "h.example", "ftp://h", "https:/h", "https://", "https:///p", "https://:8", "https://h:0", "https://h:x", "https://h:99999", "https://[::1", "https://a b",
            "https://h\u200b", "https://h\n.example", "http//h", "https://h/\x7f", "file:///etc/passwd", "httpss://h",
        )),
        *((url, "is not encrypted, and would show the key to the network") for url in (
            "http://h.example", "HTTP://h.example", "http://10.0.0.1", "http://192.168.1.1", "http://localhost.example", "http://notlocalhost", "http://[fe80::1]",
            "http://0.0.0.0", "http://128.0.0.1",
        )),
    ],
)  # fmt: skip
def test_a_base_url_that_cannot_be_used_safely_is_refused(url: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.base_url(Secret(url))
    assert caught.value.message.startswith("the base URL ")
    assert caught.value.message.endswith(fault)
    assert "MARKER" not in str(caught.value)
    encrypted = "not encrypted" not in fault
    assert caught.value.hint == (
        f"Give, for example, {SERVER}."
        if encrypted
        else "Use https; http is only for a service on this machine (loopback)."
    )


# --- further headers ---------------------------------------------------------------------------------------------------
def test_further_headers_are_copied() -> None:
    given = {"X-Gateway": "a b\tc", "x!#$%&'*+.^_`|~-9": "~!", "x-empty": "", "x-one": "1"}
    found = config.default_headers(Secret(given)).reveal()
    assert found == given
    assert found is not given
    assert config.default_headers(Secret(None)).reveal() == {}


_ASCII = ("has a name or value that cannot be sent", "Use ASCII.")


@pytest.mark.parametrize(
    ("given", "fault", "hint"),
    [
        *(({name: "MARKER"}, *_ASCII) for name in ("", "a b", "a:", "a\n", "ä", "a(", "a\0", " a", "a/b")),
        *(({"x": f"MARKER{value}"}, *_ASCII) for value in ("\n", " ", "\t", "é", "\0", "\x7f", "\r\nx: y")),
        ({"x": " MARKER"}, *_ASCII),
        ({"x": "ok", "y": "MARKER\n"}, *_ASCII),
        *(({name: "MARKER"}, "is set by the client itself", "Leave it out.") for name in (
            "Authorization", "HOST", "connection", "Content-Length", "content-type", "Transfer-Encoding", "Accept-Encoding",
        )),
        ({5: "MARKER"}, "holds a name or value that is not text", "Give them as str."),
        ({"x": b"MARKER"}, "holds a name or value that is not text", "Give them as str."),
        ({"x": None}, "holds a name or value that is not text", "Give them as str."),
        ([("x", "MARKER")], "headers is a list, not a mapping", "Give names and values as text."),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_added_is_refused_and_its_value_not_shown(given: Any, fault: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.default_headers(Secret(given))
    assert caught.value.message.endswith(fault)
    assert caught.value.hint == hint
    assert "MARKER" not in str(caught.value)
    if isinstance(given, dict) and "text" not in fault:
        name = list(given)[-1].encode("unicode_escape").decode()
        assert caught.value.message == f"the header “{name}” {fault}" or not name.isascii() or "\\" in name


# --- addresses ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["cdn.example", "localhost.example", "notlocalhost", "local", "localhostx", "127.0.0.1.example", "", "..", "1.2.3.4.5"]
)  # fmt: skip
def test_a_name_is_on_this_machine_only_if_it_says_so(name: str) -> None:
    assert (is_loopback(name), is_private(name), is_public_address(name)) == (False, False, False)


@pytest.mark.parametrize("name", ["localhost..", "x.y.LocalHost", "a.localhost."])
def test_every_name_under_localhost_is_this_machine(name: str) -> None:
    assert (is_loopback(name), is_private(name), is_public_address(name)) == (True, True, False)


@pytest.mark.parametrize(
    "host", ["10.0.0.1.", "10.0.0.1.%eth0", "192.0.2.1", "198.18.0.1", "240.0.0.1", "2001:db8::1", "2001:0:7f00:1::", "100::1", "fec0::1", "239.1.1.1"]
)  # fmt: skip
def test_addresses_of_other_purposes_are_not_public(host: str) -> None:
    assert (is_loopback(host), is_private(host), is_public_address(host)) == (False, True, False)


@pytest.mark.parametrize("host", ["127.0.0.1.", "127.0.0.1.%lo", "::ffff:127.0.0.1%lo"])
def test_an_address_with_a_point_behind_it_is_that_address(host: str) -> None:
    assert (is_loopback(host), is_private(host), is_public_address(host)) == (True, True, False)


# --- the log -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The package's logger as it is before the package configures it."""
    logger = logging.getLogger("seedream")
    monkeypatch.setattr(logger, "handlers", [])
    level = logger.level
    yield logger
    logger.setLevel(level)


@pytest.mark.parametrize(("value", "level"), [("info", logging.INFO), (" Debug\n", logging.DEBUG)])
def test_the_log_is_written_to_standard_error_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, logger: logging.Logger, capsys: pytest.CaptureFixture[str], value: str, level: int
) -> None:
    monkeypatch.setenv("SEEDREAM_LOG", value)
    for _ in range(2):
        log.configure()
    assert [isinstance(handler, logging.StreamHandler) for handler in logger.handlers] == [False, True]
    assert logger.level == level
    logging.getLogger("seedream.submit").info("a line")
    shown = capsys.readouterr().err
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO seedream\.submit: a line\n", shown)


@pytest.mark.parametrize("value", [None, "", "warning", "1", "infodebug"])
def test_the_log_is_silent_otherwise(
    monkeypatch: pytest.MonkeyPatch, logger: logging.Logger, value: str | None
) -> None:
    monkeypatch.delenv("SEEDREAM_LOG", raising=False)
    if value is not None:
        monkeypatch.setenv("SEEDREAM_LOG", value)
    for _ in range(2):
        log.configure()
    assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]


def test_a_handler_of_the_program_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, logger: logging.Logger) -> None:
    own = logging.StreamHandler()
    logger.addHandler(own)
    log.configure()
    assert logger.handlers == [own]
    monkeypatch.setenv("SEEDREAM_LOG", "info")
    log.configure()
    assert len(logger.handlers) == 2


# --- patterns and secrets ----------------------------------------------------------------------------------------------
def test_a_pattern_is_compiled_when_it_is_first_used() -> None:
    assert lazy_pattern("a+").fullmatch("aa")
    assert not lazy_pattern("a+").fullmatch("AA")
    assert lazy_pattern("a+", re.IGNORECASE).fullmatch("AA")
    lazy_pattern("[")
    with pytest.raises(re.error):
        lazy_pattern("[").fullmatch("")
    with pytest.raises(AttributeError):
        lazy_pattern("a").nothing  # type: ignore[attr-defined]  # noqa: B018 -- the point


# --- signals -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def handlers() -> Iterator[dict[int, Any]]:
    """Handlers of the ending signals that are put back at the end; every one at its default first."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, signal.SIG_DFL)
    yield dict.fromkeys(numbers, signal.SIG_DFL)
    for number, handler in before.items():
        signal.signal(number, handler)


def now() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}


def test_the_ending_signals_are_handled_and_given_back(handlers: dict[int, Any]) -> None:
    def handler(*_: object) -> None: ...

    def broken() -> None:
        with handling_signals(handler) as numbers:
            assert numbers == (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
            assert now() == dict.fromkeys(numbers, handler)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert now() == handlers
    with handling_signals() as numbers:
        assert now() == handlers, "without a handler none is set"
        for number in numbers:
            signal.signal(number, handler)
    assert now() == handlers


def test_a_handler_of_the_callers_program_is_restored(handlers: dict[int, Any]) -> None:
    def own(*_: object) -> None: ...

    signal.signal(signal.SIGTERM, own)
    with handling_signals(lambda *_: None):
        assert signal.getsignal(signal.SIGTERM) is not own
    assert now() == {**handlers, signal.SIGTERM: own}


def test_what_nohup_ignores_stays_ignored(handlers: dict[int, Any]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert ending_signals() == (signal.SIGINT, signal.SIGTERM)
    with handling_signals(lambda *_: None):
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert now() == {**handlers, signal.SIGHUP: signal.SIG_IGN}


def test_a_handler_that_python_did_not_set_becomes_the_default(
    handlers: dict[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda _: None)
    with handling_signals(lambda *_: None):
        pass
    monkeypatch.undo()
    assert now() == handlers


def test_another_thread_handles_no_signals(handlers: dict[int, Any]) -> None:
    found: list[Any] = []

    def work() -> None:
        with handling_signals(lambda *_: None) as numbers:
            found.append(numbers)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (found, now()) == ([()], handlers)


# --- threads -----------------------------------------------------------------------------------------------------------
def test_only_the_lack_of_threads_counts_as_that() -> None:
    assert lacks_threads(RuntimeError("can't start new thread"))
    assert not lacks_threads(RuntimeError("broken"))
    assert not lacks_threads(OSError("can't start new thread"))


@pytest.mark.parametrize("error", [RuntimeError("broken"), RuntimeError("can't start new thread"), KeyError("x")])
def test_an_error_of_the_work_itself_is_raised_and_the_work_done_once(error: Exception) -> None:
    # Also one that says that there are no more threads: what began must not be done twice, it may be a payment.
    calls: list[tuple[object, ...]] = []

    def work(*arguments: object) -> None:
        calls.append(arguments)
        raise error

    with pytest.raises(type(error)) as caught:
        anyio.run(in_thread, work, 1, "b")
    assert (caught.value, calls) == (error, [(1, "b")])


def test_blocking_work_runs_in_a_thread_with_its_arguments() -> None:
    found = anyio.run(in_thread, lambda *arguments: (threading.current_thread(), arguments), 1, "b")
    assert found[0] is not threading.main_thread()
    assert found[1] == (1, "b")


@pytest.mark.parametrize("message", ["broken", "can't start new thread"])
def test_without_more_threads_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    async def refuse(*_: object) -> None:
        raise RuntimeError(message)

    monkeypatch.setattr("anyio.to_thread.run_sync", refuse)
    if message == "broken":
        with pytest.raises(RuntimeError, match="broken"):
            anyio.run(in_thread, threading.current_thread)
    else:
        assert anyio.run(in_thread, threading.current_thread) is threading.main_thread()


@pytest.mark.parametrize("message", ["broken", "can't start new thread"])
def test_without_more_threads_there_is_no_event_loop_of_its_own(monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    def refuse() -> None:
        raise RuntimeError(message)

    monkeypatch.setattr("seedream._support.threads.start_blocking_portal", refuse)
    kind = RuntimeError if message == "broken" else ConfigError
    with pytest.raises(kind) as caught, event_loop_thread():
        pytest.fail("there is none")
    if isinstance(caught.value, ConfigError):
        assert caught.value.message == "this machine gives the program no more threads"
        assert caught.value.hint == "Close other programs, or raise the limit; nothing was sent."
        assert caught.value.retryable


def test_an_event_loop_of_its_own_runs_in_another_thread() -> None:
    async def where() -> threading.Thread:
        return threading.current_thread()

    with event_loop_thread() as portal:
        assert portal.call(where) is not threading.current_thread()


# --- time --------------------------------------------------------------------------------------------------------------
def test_the_limits_of_an_exchange_are_those_of_its_phases() -> None:
    limits = Timeouts(connect=1, write=2, submit_read=10, query_read=20, download_read=30)
    kinds: tuple[RequestKind, ...] = ("submit", "query", "download")
    assert [limits.read(kind) for kind in kinds] == [10, 20, 30]
    assert [limits.total(kind) for kind in kinds] == [13, 23, 33]
    assert [limits.total("query", most) for most in (None, 5.0, 23.0, 60.0, 0.0)] == [23, 5, 23, 23, 0]
    usual = Timeouts()
    assert (usual.connect, usual.write, usual.submit_read, usual.query_read, usual.download_read) == (
        10,
        60,
        180,
        30,
        60,
    )


@pytest.mark.parametrize("value", [0, -1, float("nan"), True, "5", None, [1]])
def test_a_limit_is_a_positive_number(value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        Timeouts(query_read=value)
    assert caught.value.message == "Timeouts: query_read is not a positive number of seconds"
    assert caught.value.hint == "Give seconds, for example 30."
    assert Timeouts(query_read=0.001).query_read == 0.001


def test_the_clock_is_the_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[Any] = []

    async def async_sleep(seconds: float) -> None:
        slept.append(("async", seconds))

    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(anyio, "sleep", async_sleep)
    monkeypatch.setattr(time, "time", lambda: 5.0)
    monkeypatch.setattr(time, "monotonic", lambda: 7.0)
    clock = SystemClock()
    assert (clock.time(), clock.monotonic()) == (5.0, 7.0)
    clock.sleep(2.5)

    async def work() -> None:
        await clock.async_sleep(3.5)

    coroutine = work()
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert slept == [2.5, ("async", 3.5)]
    assert isinstance(clock, Clock)
    assert isinstance(FakeClock(), Clock)
    assert not isinstance(time, Clock)
