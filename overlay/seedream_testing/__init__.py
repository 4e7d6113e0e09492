"""Test an application that uses seedream, or a server of the API: a pytest plugin, fixtures, and contract checks.

The names are loaded on first use, so that the pytest plugin costs nothing in a project that does not use it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedream_testing.contract import Violation, check_server
    from seedream_testing.fixtures import AssertCharged, SeeDreamMock

__all__ = ["AssertCharged", "SeeDreamMock", "Violation", "check_server"]
_MODULES = {
    "AssertCharged": "seedream_testing.fixtures",
    "SeeDreamMock": "seedream_testing.fixtures",
    "Violation": "seedream_testing.contract",
    "check_server": "seedream_testing.contract",
}


def __getattr__(name: str) -> object:
    """Load a public name (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
