"""Servers that were written from the page, without the sandbox, pass the whole table of relations."""

import logging
from collections.abc import Iterator

import pytest
from contract.servers.serving import POOR, RICH, SECOND, SERVERS, counting
from seedream_testing.contract import RELATIONS, ServerUnderTest, State, from_tables, run_contract, text
from seedream_testing.contract.run import explain

pytestmark = pytest.mark.long

# The peculiar server reads values as the one on Flask does, which has the long tables of them.
SOME = [relation for relation in RELATIONS if relation.family not in ("resolution", "batchsize", "text")]


@pytest.mark.filterwarnings("ignore::Warning")  # what a framework warns of is its server's business
@pytest.mark.parametrize("name", SERVERS)
def test_a_correct_server_that_was_written_independently_passes_everything(name: str) -> None:
    with SERVERS[name]() as served:
        server = ServerUnderTest(
            served.url, RICH, from_tables(), None, served.charges, second_key=SECOND, no_credits_key=POOR
        )
        with server:
            some = name == "peculiar"
            result = run_contract(server, relations=SOME if some else RELATIONS, keep_going=True)
    assert not result.failures, "\n".join(explain(outcome) for outcome in result.failures[:10])
    assert result.count(State.PASSED) > (1000 if some else 3000)


def test_ids_that_are_counted_are_no_fault_and_no_earlier_task_is_deleted() -> None:
    """A guessed id may be another task's of the account: telling of it is right, and it must not be deleted."""
    with counting() as served, ServerUnderTest(served.url, RICH, from_tables()) as before:
        earlier = [before.task((text("prompt", "earlier"),)) for _ in range(5)]
        server = ServerUnderTest(served.url, RICH, from_tables(), None, served.charges, second_key=SECOND)
        with server:
            result = run_contract(server, only=("task.*", "key.second", "picture.identity"), keep_going=True)
        assert not result.failures, "\n".join(explain(outcome) for outcome in result.failures[:10])
        within = [outcome.state for outcome in result.outcomes if outcome.relation.id == "task.within"]
        assert State.PASSED in within  # there are ids that begin with another one
        assert [taskid for taskid in earlier if not before.accepted(before.query(taskid))] == []


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("werkzeug")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)
