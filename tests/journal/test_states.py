"""The table of transitions, judged by a hand-written copy: whoever writes, the database allows these and no others."""

import itertools
import sqlite3
from pathlib import Path

import pytest
from journal.support import in_state, planned
from seedream.errors import BudgetReached, JournalError
from seedream.journal import EDGES, SETTLED, STATES, WITH_TASKID, Job, Journal, Picture, Plan, Run, State

# Typed again by hand from the reliability design; not read from the code.
LEGAL = """
planned>submitting engine | planned>abandoned user | planned>abandoned engine | abandoned>planned user
submitting>submitted engine | submitting>planned engine | submitting>rejected engine
submitting>unknown engine | submitting>unknown recovery
submitted>succeeded engine | submitted>failed engine
succeeded>downloaded engine | downloaded>succeeded engine | downloaded>succeeded user
unknown>submitted user | unknown>planned user | unknown>abandoned user
rejected>planned user | rejected>abandoned user | failed>planned user | failed>abandoned user
"""
EDGE_SET = {tuple(part.split()) for line in LEGAL.strip().splitlines() for part in line.split(" | ")}
WITH_ID = {"submitted", "succeeded", "failed", "downloaded"}


def test_table_is_the_hand_written_one() -> None:
    assert {(f"{old}>{new}", actor) for (old, new), actors in EDGES.items() for actor in actors} == EDGE_SET


@pytest.mark.parametrize("old", STATES)
def test_database_refuses_every_other_transition(path: Path, old: State) -> None:
    # Rule: the triggers hold for any program that writes the file, not only for ours.
    with Journal(path) as journal:
        job = in_state(journal, "a", old)
    raw = sqlite3.connect(path, isolation_level=None)
    boot = raw.execute("SELECT boot FROM job").fetchone()[0]
    tried = 0
    for new, actor in itertools.product(STATES, ("engine", "user", "recovery")):
        if new == old:
            continue
        raw.execute("BEGIN")
        claim = int((old, new) == ("planned", "submitting"))
        sql = "UPDATE job SET state=?, actor=?, taskid=?, spent=spent+?, attempt=attempt+?, boot=? WHERE id=?"
        taskid = (job.taskid or "fresh") if new in WITH_ID else None
        try:
            raw.execute(sql, (new, actor, taskid, claim, claim, boot, job.id))
            allowed = True
        except sqlite3.IntegrityError:
            allowed = False
        raw.execute("ROLLBACK")
        assert allowed == ((f"{old}>{new}", actor) in EDGE_SET), (old, new, actor)
        tried += 1
    raw.close()
    assert tried == 24


def test_only_the_sending_process_knows_the_outcome(path: Path) -> None:
    # Rule I3: submitting -> planned needs a proof that only the process that sent it can have.
    with Journal(path) as journal:
        in_state(journal, "a", "submitting")
    raw = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="another process"):
        raw.execute("UPDATE job SET state='planned', actor='engine', boot='other'")
    raw.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE job SET taskid='other'",
        "INSERT INTO job(run,key,digest,request,cost,state,actor,boot,updated) VALUES(1,'b','','',1,'failed','','',0)",
        "UPDATE job SET spent=-1",
    ],
)
def test_history_cannot_be_rewritten(path: Path, statement: str) -> None:
    # Rule I5: task ids are written once; a job begins as planned and never has a negative charge.
    with Journal(path) as journal:
        in_state(journal, "a", "submitted")
    raw = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute(statement)
    raw.close()


INSERT = "INSERT INTO job(run,key,digest,request,cost,spent,state,actor,boot,updated) VALUES({},'planned','','',0)"
CLAIM = "UPDATE job SET state='submitting', actor='engine', attempt=attempt+{}, spent=spent+{} WHERE id={}"


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (CLAIM.format(1, 1, 1), "a claim counts its cost"),
        (CLAIM.format(0, 2, 1), "a claim counts its cost"),
        (CLAIM.format(2, 2, 1), "a claim counts its cost"),
        (CLAIM.format(1, 0, 1), "a claim counts its cost"),
        (CLAIM.format(1, 3, 2), "budget"),
        (INSERT.format("1,'a','','',1,0"), "UNIQUE"),
        (INSERT.format("1,'n','','',0,0"), "cost > 0"),
        (INSERT.format("1,'n','','',1,1"), "begins as planned"),
        (INSERT.format("9,'n','','',1,0"), "FOREIGN KEY"),
        ("INSERT INTO run(name, created) VALUES('bulk', 0)", "UNIQUE"),
        ("INSERT INTO picture VALUES(9, 0, 'p', 1, 's')", "FOREIGN KEY"),
        ("INSERT INTO accepted VALUES('task-c', 1, 1, 0)", "UNIQUE"),
        ("UPDATE job SET taskid=NULL WHERE key='c'", "written once"),
        ("UPDATE job SET taskid='t' WHERE key='a'", "CHECK"),
        ("UPDATE job SET state='gone' WHERE key='a'", "illegal transition"),
    ],
)  # fmt: skip
def test_the_database_keeps_the_books_whoever_writes(path: Path, statement: str, why: str) -> None:
    # Rule I9: costs are counted once, within the budget, and every id belongs to one job.
    with Journal(path) as journal:
        run = journal.run("bulk", budget=5)
        journal.plan(run.id, [Plan("a", "", {}, 2), Plan("b", "", {}, 3)])
        in_state(journal, "c", "submitted")
        journal.run("bulk", budget=3)
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA foreign_keys=1")
    before = raw.execute("SELECT spent FROM run").fetchone()
    with pytest.raises(sqlite3.IntegrityError, match=why):
        raw.execute(statement)
    raw.execute(CLAIM.format(1, 2, 1))
    assert raw.execute("SELECT spent FROM run").fetchone() == (before[0] + 2,) == (3,), "the budget itself may be spent"
    raw.execute("UPDATE job SET state='planned', spent=spent-2, actor='engine' WHERE id=1")
    assert raw.execute("SELECT spent FROM run").fetchone() == before
    raw.close()


def test_the_states_and_what_follows_of_each() -> None:
    # Typed again by hand: what a user must decide about, and what has a task that is paid for.
    assert STATES == (
        "planned", "submitting", "submitted", "succeeded", "failed", "downloaded", "unknown", "rejected", "abandoned",
    )  # fmt: skip
    assert set(WITH_TASKID) == WITH_ID
    assert set(SETTLED) == {"downloaded", "failed", "unknown", "rejected", "abandoned"}


def test_a_change_from_a_state_that_has_passed_is_refused(journal: Journal) -> None:
    # Rule I2: every change is a compare-and-set.
    job = in_state(journal, "a", "unknown")
    journal.attach_task_id(job, "task-1")
    with pytest.raises(JournalError, match="no longer unknown"):
        journal.abandon(job)


@pytest.mark.parametrize("state", STATES)
def test_every_state_leaves_its_events(journal: Journal, state: State) -> None:
    job = in_state(journal, "a", state)
    events = journal.events(job.id)
    assert events[0].old is None
    assert events[-1].new == state
    assert all(one.new == next_one.old for one, next_one in itertools.pairwise(events))


def test_an_error_is_kept_without_a_transition(path: Path) -> None:
    # Rule: a job that did not get on stays where it is; type, message without signed URLs, and time are on it.
    with Journal(path, clock=lambda: 7.0) as journal:
        job = in_state(journal, "a", "submitted")
        events = journal.events(job.id)
    with Journal(path, clock=lambda: 9.0) as journal:
        journal.record_error(job.id, ValueError("see https://img.example/a.png?Signature=SECRET"))
        after = journal.job(job.id)
        assert (after.state, after.error, after.updated) == ("submitted", "ValueError", 9.0)
        assert after.message is not None
        assert after.message.startswith("see https://img.example/a.png")
        assert "SECRET" not in after.message
        assert journal.events(job.id) == events


def test_a_transition_keeps_the_error_and_the_next_one_clears_it(journal: Journal) -> None:
    # Rule: error and message are the last thing that went wrong, on the job and in its history.
    job = in_state(journal, "a", "submitted")
    assert (job.error, job.message) == (None, None)
    journal.failed(job.id, ValueError("bad"))
    job = journal.job(job.id)
    assert (job.error, job.message) == ("ValueError", "bad")
    journal.requeue(job)
    job = journal.job(job.id)
    assert (job.error, job.message) == (None, None)
    assert [(event.error, event.message) for event in journal.events(job.id)[-2:]] == [
        ("ValueError", "bad"),
        (None, None),
    ]


def test_a_reached_budget_says_how_to_go_on(journal: Journal) -> None:
    (job,) = planned(journal, "a", cost=2, budget=1)
    with pytest.raises(BudgetReached) as caught:
        journal.submission_record(job.id, 2).begin()
    assert caught.value.message == "the run's budget of pictures does not allow another submission"
    assert caught.value.hint == "Nothing was sent. Raise the budget to go on."


def test_pictures_are_kept_with_the_last_two_transitions(journal: Journal) -> None:
    # Rule I7: "downloaded" is recorded together with the pictures; a second delivery replaces them.
    job = in_state(journal, "a", "submitted", cost=2)
    first = [Picture(index, f"pictures/{index}.png", 10 + index, str(index) * 64) for index in (1, 0)]
    journal.downloaded({job.id: first})
    assert journal.pictures(job.id) == first[::-1]
    assert [(event.old, event.new, event.actor) for event in journal.events(job.id)[-2:]] == [
        ("submitted", "succeeded", "engine"),
        ("succeeded", "downloaded", "engine"),
    ]
    journal.mark_missing(job.id)
    assert journal.job(job.id).state == "succeeded"
    journal.downloaded({job.id: first[:1]})
    assert journal.pictures(job.id) == first[:1]


def test_a_job_is_read_as_it_was_planned(path: Path) -> None:
    with Journal(path, clock=lambda: 7.0) as journal:
        run = journal.run("bulk", {"b": 1, "a": "文"}, budget=9)
        plan = Plan("key", "digest", {"prompt": "文", "images": 3}, 3, line=12)
        other = Plan("other", "digest", {}, 2)
        assert journal.plan(run.id, [plan, other]) == 2
        expected = Job(1, "key", "digest", 12, plan.request, 3, "planned", 0, None, 0, None, None, 7.0)
        assert journal.by_key(run.id, "key") == journal.job(1) == expected
        assert expected.billing == "no"
        assert (journal.planned_images(run.id), journal.spent(run.id)) == (5, 0)
        found = journal.find_run("bulk")
        assert found == Run(run.id, "bulk", {"a": "文", "b": 1}, 9, 0)
        journal.submission_record(1, 3).begin()
        assert (journal.planned_images(run.id), journal.spent(run.id)) == (2, 3)
        assert journal.by_key(run.id, "nothing") is None
        assert journal.by_taskid("nothing") is None
        with pytest.raises(JournalError, match="the journal has no job 77"):
            journal.job(77)
