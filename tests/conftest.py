"""Settings for every test: Hypothesis profiles, no key from outside, no network but loopback."""

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from support.clients import Both
from support.signals import heed_signals

_QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=_QUIET)
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True, database=None, print_blob=True)
settings.register_profile("shuffled", parent=settings.get_profile("ci"), derandomize=False)
settings.register_profile("deep", parent=settings.get_profile("dev"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


heed_signals()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, address, proxy or language of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(("TENSORSLAB_", "SEEDREAM_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in which order the tests ran, and after a spec update, which line of tests/facts.py to look at."""
    seed = terminalreporter.config.getoption("randomly_seed", None)
    if seed is not None and terminalreporter.config.getoption("randomly_reorganize"):
        terminalreporter.line(f"the order of the tests was that of --randomly-seed={seed}")
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        from compared import differences  # noqa: PLC0415 -- only when something failed: it loads the package

        found = differences()
        if found:
            terminalreporter.section("the facts typed by hand differ from the spec")
            for one in found:
                terminalreporter.line(str(one))


@pytest.hookimpl(trylast=True)  # after pytest-randomly's shuffling
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files marked ``long``, each whole."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


_REACHING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_REACHED: list[str] = []
_HERE = ("127.", "::1", "::ffff:127.")


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    """Audit hook: sees every socket of this process, whatever library opened it, and also connect_ex and sendto."""
    if event in _REACHING:
        address = arguments[1]
        if isinstance(address, tuple) and not str(address[0]).startswith((*_HERE, "localhost")):
            _REACHED.append(f"a test reached for {address}: only loopback is allowed")
            raise PermissionError(_REACHED[-1])  # what libraries expect of a socket; the fixture below is not so polite


sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def _reaches_nobody() -> Iterator[None]:
    """A test that reached for another host fails, also where a library swallowed the guard's error."""
    _REACHED.clear()
    yield
    assert _REACHED == []


@pytest.fixture
def reached(_reaches_nobody: None) -> Iterator[list[str]]:
    """What the guard has stopped, for tests of the guard itself."""
    yield _REACHED
    _REACHED.clear()


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """A test that looks up any host but this machine finds none; one that reaches for its address fails (_guard)."""
    real_lookup = socket.getaddrinfo

    def lookup(host: object, *arguments: object, **options: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name in (None, "", "localhost") or str(name).startswith(_HERE) or name == "0.0.0.0":  # noqa: S104 -- compared, not bound
            return real_lookup(host, *arguments, **options)  # type: ignore[arg-type]  # passed on as it came
        try:
            ipaddress.ip_address(str(name).partition("%")[0])
        except ValueError:
            raise socket.gaierror(socket.EAI_NONAME, f"a test looked up {name}: only loopback is allowed") from None
        return real_lookup(host, *arguments, **options)  # type: ignore[arg-type]  # an address: nobody is asked

    socket.getaddrinfo = lookup  # type: ignore[assignment]  # for the session
    yield
    socket.getaddrinfo = real_lookup


@pytest.fixture(params=["sync", "async"])
def both(request: pytest.FixtureRequest) -> Both:
    """Each test that takes this runs with the blocking and with the awaiting client."""
    return Both(request.param)
