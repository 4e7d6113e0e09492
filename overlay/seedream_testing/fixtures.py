"""Implements the pytest plugin's fixtures (extra ``testing``); ``seedream_testing.plugin`` declares them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httpx
import pytest
import respx
from attrs import frozen
from seedream_sandbox import Charge, Fault, RequestRecord, Sandbox, Transport
from tensorslab_images.limits import SERVER

# The settings by which seedream finds its service (README, "Configuration").
KEY_VARIABLE: Final = "TENSORSLAB_API_KEY"
URL_VARIABLE: Final = "TENSORSLAB_BASE_URL"
_IMAGES: Final = "https://images.sandbox.invalid"
# Tests want an answer, not a wait, and seldom look at the picture.
_QUICK: Final[Mapping[str, object]] = {"progress": "instant", "pictures": "plain"}


@frozen
class SeeDreamMock:
    """The service in place of the vendor's host, in process.

    Attributes:
        router: The respx router; add routes of your own before the service's by ``router.get(...)``.
        sandbox: The service behind it.
    """

    router: Any
    sandbox: Sandbox

    @property
    def charges(self) -> list[Charge]:
        """Every charge so far."""
        return self.sandbox.charges

    @property
    def requests(self) -> list[RequestRecord]:
        """The latest requests, oldest first."""
        return self.sandbox.requests

    def add_fault(self, fault: str | Fault) -> None:
        """Put a fault in force; see Sandbox.add_fault."""
        self.sandbox.add_fault(fault)


class AssertCharged(Protocol):
    """Checks what a test was charged."""

    def __call__(self, images: int, *, submissions: int | None = None) -> None:
        """Fail unless exactly so many images were charged, by so many submissions if given."""
        ...


def check_settings(settings: Mapping[str, object]) -> None:
    """Check the settings of a mark.

    Raises:
        TypeError: There is no such setting, or a value has the wrong type.
        ValueError: A value is out of range, or a fault is written wrongly.
    """
    # The ledger file is left out: checking must not create it.
    Sandbox(**{name: value for name, value in settings.items() if name != "ledger_path"})  # type: ignore[arg-type]  # checked by Sandbox


def serve(settings: Mapping[str, object], monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Implement ``seedream_sandbox``."""
    with Sandbox(**{**_QUICK, **settings}) as sandbox:  # type: ignore[arg-type]  # checked by Sandbox
        monkeypatch.setenv(KEY_VARIABLE, sandbox.api_key)
        monkeypatch.setenv(URL_VARIABLE, sandbox.base_url)
        yield sandbox


def mock(settings: Mapping[str, object], monkeypatch: pytest.MonkeyPatch) -> Iterator[SeeDreamMock]:
    """Implement ``seedream_mock``."""
    sandbox = Sandbox(**{**_QUICK, **settings})  # type: ignore[arg-type]  # checked by Sandbox
    monkeypatch.setenv(KEY_VARIABLE, sandbox.api_key)
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    transport = Transport(sandbox.service, SERVER, _IMAGES)

    def answer(request: httpx.Request) -> httpx.Response:
        # Blocking and awaiting clients come here alike, so the trace, which only one of them may call, is left out.
        untraced = {name: value for name, value in request.extensions.items() if name != "trace"}
        plain = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.read(), extensions=untraced
        )
        return transport.handle_request(plain)

    with respx.mock(assert_all_called=False) as router:
        for origin in (SERVER, _IMAGES):
            router.route(scheme="https", host=urlsplit(origin).hostname).mock(side_effect=answer)
        yield SeeDreamMock(router, sandbox)
    if sandbox.leaks:
        pytest.fail("; ".join(sandbox.leaks))


def charged_by(services: Sequence[Sandbox | SeeDreamMock]) -> AssertCharged:
    """Implement ``assert_charged``."""

    def assert_charged(images: int, *, submissions: int | None = None) -> None:
        charges = [charge for service in services for charge in service.charges]
        listed = "".join(f"\n  {one.images} for {one.prompt[:60]!r} ({one.taskid})" for one in charges) or " nothing"
        total = sum(charge.images for charge in charges)
        if total != images:
            pytest.fail(f"charged were {total} images, not {images}:{listed}")
        if submissions is not None and len(charges) != submissions:
            pytest.fail(f"charged were {len(charges)} submissions, not {submissions}:{listed}")

    return assert_charged
