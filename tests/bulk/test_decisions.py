"""What a user decides about jobs and money does exactly that, and a bulk run sends each submission once."""

import sqlite3
from typing import Any

import pytest
from bulk.test_submitter import with_core
from seedream.bulk.submitter import Submitter
from seedream.cli.app import app
from seedream.journal import Journal
from support.bulk_bench import KEY, Bench


@pytest.fixture(autouse=True)
def environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENSORSLAB_API_KEY", KEY)
    monkeypatch.setenv("TENSORSLAB_BASE_URL", bench.running.service.base)
    monkeypatch.setenv("SEEDREAM_LANG", "en")
    monkeypatch.chdir(bench.root)


def call(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        app.main(list(words))
    return int(str(ended.value.code))


@pytest.mark.parametrize(
    ("options", "planned"),
    [
        (["--failed"], {"[[fail]]"}),
        (["--rejected"], {"[[reject]]"}),
        (["--failed", "--rejected"], {"[[fail]]", "[[reject]]"}),
    ],
)
def test_retry_plans_the_jobs_of_the_named_states_and_no_others(
    bench: Bench, options: list[str], planned: set[str]
) -> None:
    """A failed task was paid for and a rejected job was not: planning the wrong one costs money, or loses a job."""
    bench.run("[[reject]]", "[[fail]]", "good")
    before = bench.states()
    assert call("bulk", "retry", "out", *options) == 0
    after = bench.states()
    assert {key for key, state in after.items() if state == "planned"} == planned
    assert {key: after[key] for key in after if key not in planned} == {
        key: before[key] for key in before if key not in planned
    }


@pytest.mark.parametrize(("options", "spent"), [([], 1), (["--not-charged"], 0)])
def test_only_not_charged_gives_the_share_of_the_budget_back(bench: Bench, options: list[str], spent: int) -> None:
    """What may have been charged stays spent, unless the user knows that it was not."""
    bench.run("[[cut]]")
    assert bench.states() == {"[[cut]]": "unknown"}
    assert call("bulk", "resolve", "out", "[[cut]]", "--give-up", *options) == 0
    assert bench.job("[[cut]]").spent == spent


def test_a_submission_of_a_run_is_attempted_once_by_itself(bench: Bench) -> None:
    """The run itself repeats submissions; a submitter that did so would hide refusals from the circuit breaker."""

    async def attempts(submitter: Submitter, *_: Any) -> int:
        return submitter._service.retry.attempts

    assert with_core(bench, attempts) == 1


def test_every_connection_of_a_journal_waits_for_the_disk(bench: Bench) -> None:
    """synchronous=NORMAL would lose the last commits when the power fails: an id that was paid for."""
    with Journal(bench.root / "journal.sqlite") as journal:
        run = journal.run("bulk", budget=None)
        assert run is not None
        found = [value.execute("PRAGMA synchronous").fetchone()[0] for value in _connections(journal)]
    assert found
    assert all(value >= 2 for value in found), "2 is FULL, 3 is EXTRA"


def _connections(holder: object, depth: int = 3) -> list[sqlite3.Connection]:
    """Return every SQLite connection that an object holds."""
    if isinstance(holder, sqlite3.Connection):
        return [holder]
    if depth == 0:
        return []
    names = [
        *getattr(holder, "__dict__", {}),
        *(slot for kind in type(holder).__mro__ for slot in getattr(kind, "__slots__", ())),
    ]
    values = [getattr(holder, name, None) for name in names if name != "__weakref__"]
    return [found for value in values if value is not None for found in _connections(value, depth - 1)]
