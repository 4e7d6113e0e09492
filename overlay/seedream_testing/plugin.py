"""The pytest plugin: fixtures to test an application that uses seedream, without a key and without cost.

It is loaded in every pytest run of an environment that has seedream, so it imports nothing of it until a fixture is
used or a host is looked up. ``seedream_testing.fixtures`` holds what the fixtures do.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from seedream_testing.block_network import Block

if TYPE_CHECKING:
    from seedream_sandbox import Sandbox

    from seedream_testing.fixtures import AssertCharged, SeeDreamMock

_BLOCK: pytest.StashKey[Block] = pytest.StashKey()
_MARK = "seedream"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--seedream-live``, which lifts the block of the vendor's host."""
    parser.getgroup("seedream").addoption(
        "--seedream-live",
        action="store_true",
        help="let tests reach the real service (it costs credits); otherwise its host is blocked",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and block the vendor's host."""
    config.addinivalue_line("markers", f"{_MARK}(**settings): how seedream_sandbox and seedream_mock behave")
    if not config.getoption("--seedream-live"):
        config.stash[_BLOCK] = Block()
        config.stash[_BLOCK].set_up()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Lift the block."""
    block = config.stash.get(_BLOCK, None)
    if block is not None:
        block.take_down()


@pytest.fixture
def seedream_sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Sandbox]":
    """A sandbox on loopback, with the environment set so that ``SeeDream()`` uses it, in child processes too.

    ``@pytest.mark.seedream(credits=2, faults=["cut-reply nth=1"])`` sets it up; see ``seedream_sandbox.Settings``.
    Fails the test if the image host was sent a credential.
    """
    yield from _testing().serve(_settings(request), monkeypatch)


@pytest.fixture
def seedream_mock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> "Iterator[SeeDreamMock]":
    """The same service in place of the vendor's host, in process by respx: no socket is opened.

    Takes the same mark. Requests are checked against the spec and answered as the sandbox does.
    """
    yield from _testing().mock(_settings(request), monkeypatch)


@pytest.fixture
def assert_charged(request: pytest.FixtureRequest) -> "AssertCharged":
    """``assert_charged(4)``: so many images were charged in this test, no more, no less."""
    names = [name for name in ("seedream_sandbox", "seedream_mock") if name in request.fixturenames]
    if not names:
        pytest.fail("assert_charged needs the fixture seedream_sandbox or seedream_mock in the same test")
    get: Callable[[str], Sandbox | SeeDreamMock] = request.getfixturevalue
    assert_images: AssertCharged = _testing().charged_by([get(name) for name in names])
    return assert_images


def _testing() -> ModuleType:
    """The module behind the fixtures; its libraries are an extra, and it is loaded only when one is used."""
    try:
        return import_module("seedream_testing.fixtures")
    except ModuleNotFoundError as error:
        pytest.fail(f'{error.name} is not installed: pip install "seedream[testing]"', pytrace=False)


def _settings(request: pytest.FixtureRequest) -> dict[str, object]:
    """The settings of all marks, the nearest first to decide."""
    settings: dict[str, object] = {}
    for mark in request.node.iter_markers(_MARK):
        settings = {**mark.kwargs, **settings}
    return settings
