"""The importable server checks hold for the sandbox, over HTTP and in process, by the judge and by the tables."""

from collections.abc import Iterator
from typing import Any

import judge
import pytest
from seedream_sandbox import Sandbox
from seedream_testing.contract import SERVER_CHECKS, ApiFacts, Check, check_server, from_tables
from seedream_testing.contract.server import ServerUnderTest

KEY = "sk-good-key-0000"
FACTS = {"judge": judge.FACTS, "tables": from_tables()}


def sandbox(balance: int, **options: Any) -> Sandbox:
    return Sandbox(credits=balance, pictures="plain", keys=(KEY,), **options)


def server_under_test(rich: Sandbox, poor: Sandbox, facts: ApiFacts, *, served: bool) -> ServerUnderTest:
    inner = (None, None) if served else (rich.transport, poor.transport)
    without_credits = ServerUnderTest(
        poor.base_url, KEY, facts, inner[1], lambda: [charge.images for charge in poor.charges]
    )
    return ServerUnderTest(
        rich.base_url,
        KEY,
        facts,
        inner[0],
        lambda: [c.images for c in rich.charges],
        bad_key="sk-other",
        without_credits=without_credits,
    )


@pytest.fixture(scope="module", params=["in process", "HTTP"])
def services(request: pytest.FixtureRequest) -> Iterator[tuple[Sandbox, Sandbox, bool]]:
    if request.param == "in process":
        yield sandbox(10_000), sandbox(1), False
    else:
        with sandbox(10_000) as rich, sandbox(1) as poor:
            yield rich, poor, True


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
@pytest.mark.parametrize("check", SERVER_CHECKS, ids=lambda check: check.name)
def test_server(check: Check[ServerUnderTest], facts: ApiFacts, services: tuple[Sandbox, Sandbox, bool]) -> None:
    rich, poor, served = services
    with server_under_test(rich, poor, facts, served=served) as one, one.without_credits or one:
        check.run(one)


def test_free_checks_come_first_and_charge_nothing() -> None:
    paid = [check.paid for check in SERVER_CHECKS]
    assert paid == sorted(paid)
    service = sandbox(10)
    held = check_server(service.base_url, KEY, facts=judge.FACTS, transport=service.transport, paid=False)
    assert len(held) == paid.count(False) >= 4
    assert service.charges == []


@pytest.mark.parametrize("facts", FACTS.values(), ids=FACTS)
@pytest.mark.parametrize("check", SERVER_CHECKS, ids=lambda check: check.name)
def test_a_check_asks_for_no_more_pictures_than_it_says(check: Check[ServerUnderTest], facts: ApiFacts) -> None:
    service = sandbox(10_000)
    with ServerUnderTest(service.base_url, KEY, facts, service.transport) as one:
        check.run(one)
    assert sum(charge.images for charge in service.charges) <= check.cost(facts)


@pytest.mark.parametrize(
    "pace", [{"progress": "instant"}, {"progress": "polls", "polls": 5}, {"format": "webp"}, {"format": "jpeg"}]
)
def test_every_pace_and_format_keeps_to_the_page(pace: dict[str, Any]) -> None:
    service = sandbox(10_000, **pace)
    charges = lambda: [charge.images for charge in service.charges]  # noqa: E731 -- one line
    check_server(service.base_url, KEY, facts=judge.FACTS, transport=service.transport, charges=charges)
