"""Checks of a client against the page: any object with SeeDream's blocking face."""

from seedream.contract._checks import Check, run_all
from seedream.contract._page import Page
from seedream.contract._tables import from_tables
from seedream.contract.client import _form, _money, _pictures, _tasks
from seedream.contract.client._awaiting import awaiting
from seedream.contract.client._bench import SUITE, Bench, Factory

__all__ = ["CLIENT_CHECKS", "Bench", "Factory", "awaiting", "check_client"]

_MODULES = (_form, _money, _tasks, _pictures)  # importing them declares their checks
CLIENT_CHECKS: tuple[Check[Bench], ...] = tuple(SUITE.checks)


def check_client(factory: Factory, page: Page | None = None) -> list[str]:
    """Check a client.

    Args:
        factory: Makes one: ``factory(api_key=..., base_url=..., clock=...)``; ``awaiting`` adapts an awaiting one.
        page: What judges it; by default the installed tables of limits and rules.

    Returns:
        The names of the checks that held.

    Raises:
        Violation: Of the first check that did not hold; it names the rule.
    """
    return run_all(CLIENT_CHECKS, Bench(factory, page or from_tables()))
