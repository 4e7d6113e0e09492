"""The pytest plugin: fixtures to test an application that uses seedream, without a key and without cost.

It is loaded in every pytest run of an environment that has seedream, so it imports nothing of it, and changes nothing,
until a fixture is used or ``seedream_block_network`` is set. ``seedream_testing.fixtures`` implements the fixtures.
"""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from seedream_sandbox import Sandbox

    from seedream_testing.fixtures import AssertCharged, SeeDreamMock

_BLOCK: pytest.StashKey[pytest.MonkeyPatch] = pytest.StashKey()
_MARK = "seedream"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that blocks the vendor's host, and the option that lifts the block."""
    parser.addini("seedream_block_network", "let no test look up the real service's host", type="bool", default=False)
    parser.getgroup("seedream").addoption(
        "--seedream-live",
        action="store_true",
        help="let tests reach the real service (it costs credits), also where seedream_block_network is set",
    )
    contract = parser.getgroup("seedream-contract", "check a server of the API against the vendor's page")
    contract.addoption("--seedream-contract", metavar="URL", help="the server; its key is read from TENSORSLAB_API_KEY")
    contract.addoption(
        "--seedream-contract-budget", metavar="N", type=int, default=0, help="images that may be paid for (0)"
    )
    contract.addoption("--seedream-contract-second-key-file", metavar="FILE", help="the key of another account")
    contract.addoption("--seedream-contract-any-key", action="store_true", help="the server accepts every key")
    contract.addoption(
        "--seedream-contract-only", metavar="RULE", action="append", default=[], help="only this rule or relation"
    )
    contract.addoption(
        "--seedream-contract-allow", metavar="RULE=REASON", action="append", default=[], help="a known deviation"
    )
    contract.addoption("--seedream-contract-allow-file", metavar="FILE", help="known deviations in TOML")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark; block the vendor's host where the project's settings ask for it."""
    config.addinivalue_line("markers", f"{_MARK}(**settings): how seedream_sandbox and seedream_mock behave")
    if config.getini("seedream_block_network") and not config.getoption("--seedream-live"):
        config.stash[_BLOCK] = pytest.MonkeyPatch()
        _block_network(config.stash[_BLOCK])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the examples of the contract where a server is named."""
    if config.getoption("--seedream-contract"):
        items += _load("seedream_testing.contract.pytest_items").collect(session)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Lift the block."""
    block = config.stash.get(_BLOCK, None)
    if block is not None:
        block.undo()


@pytest.fixture
def block_seedream_network(pytestconfig: pytest.Config) -> Iterator[None]:
    """For one test: looking up the vendor's host fails. ``seedream_block_network = true`` does it for a whole run."""
    with pytest.MonkeyPatch.context() as patch:
        if not pytestconfig.getoption("--seedream-live") and _BLOCK not in pytestconfig.stash:
            _block_network(patch)
        yield


@pytest.fixture
def seedream_sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> "Iterator[Sandbox]":
    """A sandbox on loopback, with the environment set so that ``SeeDream()`` uses it, in child processes too.

    ``@pytest.mark.seedream(credits=2, faults=["cut-reply nth=1"])`` sets it up; see ``seedream_sandbox.Settings``.
    Fails the test if the image host was sent a credential.
    """
    yield from _testing().serve(_settings(request), monkeypatch)


@pytest.fixture
def seedream_mock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> "Iterator[SeeDreamMock]":
    """Put the sandbox in place of the vendor's host, in process by respx: no socket is opened.

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


def _block_network(patch: pytest.MonkeyPatch) -> None:
    from seedream_testing.block_network import block_network  # noqa: PLC0415 -- only where it is asked for

    block_network(patch)


def _testing() -> ModuleType:
    return _load("seedream_testing.fixtures")


def _load(module: str) -> ModuleType:
    """Import a module whose libraries are an extra."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        pytest.fail(f'{error.name} is not installed: pip install ".[testing]" in a clone of seedream', pytrace=False)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose mark would be ignored or misread, whether it uses a fixture or not."""
    marks = list(item.iter_markers(_MARK))
    if not marks:
        return
    given = ", ".join(repr(arg) for mark in marks for arg in mark.args)
    if given:
        pytest.fail(
            f"@pytest.mark.{_MARK} takes settings by name, not {given}: write, for example, credits=2", pytrace=False
        )
    try:
        _testing().check_settings(_merged(marks))
    except (TypeError, ValueError) as error:
        pytest.fail(f"@pytest.mark.{_MARK}: {error}", pytrace=False)


def _settings(request: pytest.FixtureRequest) -> dict[str, object]:
    return _merged(request.node.iter_markers(_MARK))


def _merged(marks: Iterable[pytest.Mark]) -> dict[str, object]:
    """Merge the settings of all marks; the nearest mark decides."""
    settings: dict[str, object] = {}
    for mark in marks:
        settings = {**mark.kwargs, **settings}
    return settings
