"""Checks of a client against the page: any object with SeeDream's blocking face."""

from contract.client_checks import (
    asking,
    combining,
    connecting,
    fetching,
    form,
    keeping,
    repeating,
    replies,
    sending,
)
from contract.client_checks.blocking_adapter import awaiting
from contract.client_checks.checks import Check, run_all
from contract.client_checks.relation import ClientRelation
from contract.client_checks.under_test import SUITE, ClientUnderTest, Factory
from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.tables import from_tables

__all__ = ["CLIENT_CHECKS", "RELATIONS", "Check", "ClientUnderTest", "Factory", "awaiting", "check_client"]

_MODULES = (form,)  # importing it declares its checks
RELATIONS: tuple[ClientRelation, ...] = tuple(
    relation
    for module in (sending, replies, asking, fetching, keeping, connecting, combining, repeating)
    for relation in module.RELATIONS
)
CLIENT_CHECKS: tuple[Check[ClientUnderTest], ...] = (*SUITE.checks, *(relation.check() for relation in RELATIONS))


def check_client(factory: Factory, facts: ApiFacts | None = None) -> list[str]:
    """Check a client.

    Args:
        factory: Makes one: ``factory(api_key=..., base_url=..., clock=...)``; ``awaiting`` adapts an awaiting one.
        facts: What judges it; by default the installed tables of limits and rules.

    Returns:
        The names of the checks that held.

    Raises:
        Violation: Of the first check that did not hold; it names the rule.
    """
    return run_all(CLIENT_CHECKS, ClientUnderTest(factory, facts or from_tables()))
