"""Settings for every test: Hypothesis profiles, no key from outside, no network but loopback."""

import os
import socket
from collections.abc import Iterator

import pytest
from helpers import Both
from hypothesis import HealthCheck, settings

_QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=_QUIET)
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True, database=None, print_blob=True)
settings.register_profile("deep", parent=settings.get_profile("dev"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, address, proxy or language of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(("TENSORSLAB_", "SEEDREAM_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """A test that reaches for any host but this machine fails at once, whatever library it uses."""
    real_connect, real_lookup = socket.socket.connect, socket.getaddrinfo

    def connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1")):  # type: ignore[index]  # IP addresses are tuples
            raise AssertionError(f"a test reached for {address}: only loopback is allowed")
        real_connect(self, address)  # type: ignore[arg-type]  # passed on as it came

    def lookup(host: object, *arguments: object, **options: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0") and not str(name).startswith("127."):  # noqa: S104 -- compared, not bound
            raise socket.gaierror(socket.EAI_NONAME, f"a test looked up {name}: only loopback is allowed")
        return real_lookup(host, *arguments, **options)  # type: ignore[arg-type]  # passed on as it came

    socket.socket.connect = connect  # type: ignore[method-assign,assignment]  # for the session
    socket.getaddrinfo = lookup  # type: ignore[assignment]  # for the session
    yield
    socket.socket.connect = real_connect  # type: ignore[method-assign]  # put back
    socket.getaddrinfo = real_lookup


@pytest.fixture(params=["sync", "async"])
def both(request: pytest.FixtureRequest) -> Both:
    """Each test that takes this runs with the blocking and with the awaiting client."""
    return Both(request.param)
