"""Checks of a server against the page: the sandbox, another stand-in, or the real one."""

from collections.abc import Callable, Sequence

import httpx

from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.checks import Check, run_all
from seedream_testing.contract.server import accepts, refusals
from seedream_testing.contract.server.under_test import SUITE, ServerUnderTest
from seedream_testing.contract.tables import from_tables

__all__ = ["SERVER_CHECKS", "ServerUnderTest", "check_server"]

_MODULES = (refusals, accepts)  # importing them declares their checks
SERVER_CHECKS: tuple[Check[ServerUnderTest], ...] = tuple(sorted(SUITE.checks, key=lambda check: check.paid))


def check_server(
    base_url: str,
    key: str,
    *,
    facts: ApiFacts | None = None,
    transport: httpx.BaseTransport | None = None,
    charges: Callable[[], Sequence[int]] | None = None,
    without_credits: ServerUnderTest | None = None,
    paid: bool = True,
) -> list[str]:
    """Check a server.

    Args:
        base_url: Its address.
        key: A key that it knows.
        facts: What judges it; by default the installed tables of limits and rules.
        transport: An httpx transport, for a server in this process.
        charges: Gives the pictures charged so far, submission by submission, if they can be seen.
        without_credits: The same service for an account without credits, if there is one.
        paid: Whether to run the checks that cost credits too.

    Returns:
        The names of the checks that held.

    Raises:
        Violation: Of the first check that did not hold; it names the rule.
    """
    with ServerUnderTest(
        base_url, key, facts or from_tables(), transport, charges, without_credits=without_credits
    ) as server:
        return run_all([check for check in SERVER_CHECKS if paid or not check.paid], server)
