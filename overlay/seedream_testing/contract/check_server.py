"""``check_server``: the whole contract as one call, for a test of one's own."""

from collections.abc import Callable, Sequence

import httpx

from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.run import State, run_contract
from seedream_testing.contract.server_under_test import ServerUnderTest
from seedream_testing.contract.tables import from_tables


def check_server(
    base_url: str,
    key: str,
    *,
    facts: ApiFacts | None = None,
    transport: httpx.BaseTransport | None = None,
    charges: Callable[[], Sequence[int]] | None = None,
    any_key: bool = False,
    second_key: str | None = None,
    no_credits_key: str | None = None,
    budget: int | None = None,
    only: Sequence[str] = (),
) -> list[str]:
    """Check a server against the page.

    Args:
        base_url: Its address.
        key: A key that it knows.
        facts: What judges it; by default the installed tables of limits and rules.
        transport: An httpx transport, for a server in this process.
        charges: Returns the images charged so far, submission by submission, if they can be seen.
        any_key: The server accepts every key, so that an unknown one is not refused.
        second_key: The key of another account, if there is one.
        no_credits_key: The key of an account without credits, if there is one.
        budget: How many images may be paid for; None for as many as it takes, 0 for what costs nothing.
        only: Ids of rules or relations; empty for all.

    Returns:
        The names of the examples that held. What was skipped is not among them; ``run_contract`` says why.

    Raises:
        Violation: Of the first example that did not hold; it names the rule.
        Unreachable: The server does not answer.
    """
    server = ServerUnderTest(
        base_url,
        key,
        facts or from_tables(),
        transport,
        charges,
        any_key=any_key,
        second_key=second_key,
        no_credits_key=no_credits_key,
    )
    with server:
        result = run_contract(server, budget=budget, only=only)
    for outcome in result.failures:
        if outcome.violation is not None:
            raise outcome.violation
    return [outcome.name for outcome in result.outcomes if outcome.state is State.PASSED]
