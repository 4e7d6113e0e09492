"""The table of transitions, judged by a hand-written copy: whoever writes, the database allows these and no others."""

import itertools
import sqlite3
from pathlib import Path

import pytest
from journal.support import in_state
from seedream.errors import JournalError
from seedream.journal import EDGES, STATES, Journal, State

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
