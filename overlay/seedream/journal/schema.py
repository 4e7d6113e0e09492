"""The database: tables, and triggers that refuse what the rules of the journal forbid, whoever writes.

Only features of SQLite 3.34 are used. ``user_version`` is the schema's version.
"""

from typing import Final

from seedream.journal.states import EDGES, STATES, WITH_TASKID, sql_list

APPLICATION_ID: Final = 0x53444A31  # "SDJ1"
VERSION: Final = 2

_LEGAL: Final = sql_list(tuple(f"{old}>{new}>{actor}" for (old, new), actors in EDGES.items() for actor in actors))
_WITH_TASKID: Final = sql_list(WITH_TASKID)

SCHEMA: Final = (
    # One row. The id tells this journal from any other; closed is 1 when no record is in the write-ahead log only.
    "CREATE TABLE journal(id TEXT NOT NULL, closed INTEGER NOT NULL)",
    """
CREATE TABLE run(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  options TEXT NOT NULL DEFAULT '{}',
  budget INTEGER,                      -- pictures; NULL: no limit
  spent INTEGER NOT NULL DEFAULT 0,    -- pictures that may have been charged: kept by a trigger
  created REAL NOT NULL)
""",
    f"""
CREATE TABLE job(
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run,
  key TEXT NOT NULL,
  digest TEXT NOT NULL,                -- sha256 of the canonical request
  line INTEGER,                        -- in the jobs file
  request TEXT NOT NULL,               -- JSON, without anything signed
  cost INTEGER NOT NULL CHECK(cost > 0),
  state TEXT NOT NULL CHECK(state IN ({sql_list(STATES)})),
  attempt INTEGER NOT NULL DEFAULT 0,
  taskid TEXT,
  spent INTEGER NOT NULL DEFAULT 0 CHECK(spent >= 0),
  error TEXT,                          -- type of the last error
  message TEXT,
  actor TEXT NOT NULL,
  boot TEXT NOT NULL,
  updated REAL NOT NULL,
  UNIQUE(run, key),
  CHECK((state IN ({_WITH_TASKID})) = (taskid IS NOT NULL)))
""",
    "CREATE INDEX job_state ON job(run, state, id)",
    """
CREATE TABLE picture(
  job INTEGER NOT NULL REFERENCES job, idx INTEGER NOT NULL,
  path TEXT NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY(job, idx))
""",
    """
CREATE TABLE accepted(                 -- every task id that was ever paid for; never changed
  taskid TEXT PRIMARY KEY, job INTEGER NOT NULL REFERENCES job, attempt INTEGER NOT NULL, at REAL NOT NULL)
""",
    """
CREATE TABLE event(
  seq INTEGER PRIMARY KEY, job INTEGER NOT NULL REFERENCES job, old TEXT, new TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  at REAL NOT NULL, actor TEXT NOT NULL, boot TEXT NOT NULL, error TEXT, message TEXT)
""",
    # A job begins as planned and moves along the legal edges only.
    """
CREATE TRIGGER job_begins_planned BEFORE INSERT ON job WHEN NEW.state <> 'planned' OR NEW.spent <> 0
BEGIN SELECT RAISE(ABORT, 'a job begins as planned'); END
""",
    f"""
CREATE TRIGGER job_edge BEFORE UPDATE OF state ON job
WHEN OLD.state <> NEW.state AND (OLD.state || '>' || NEW.state || '>' || NEW.actor) NOT IN ({_LEGAL})
BEGIN SELECT RAISE(ABORT, 'illegal transition'); END
""",
    # Only the process that sent a request can know how it ended.
    """
CREATE TRIGGER job_same_process BEFORE UPDATE OF state ON job
WHEN OLD.state = 'submitting' AND NEW.state <> 'unknown' AND OLD.boot <> NEW.boot
BEGIN SELECT RAISE(ABORT, 'another process sent this request'); END
""",
    """
CREATE TRIGGER job_taskid_once BEFORE UPDATE OF taskid ON job
WHEN OLD.taskid IS NOT NULL AND NEW.taskid IS NOT OLD.taskid
 AND NOT (OLD.state = 'failed' AND NEW.state IN ('planned','abandoned') AND NEW.taskid IS NULL)
BEGIN SELECT RAISE(ABORT, 'a task id is written once'); END
""",
    # What may be charged is counted in the transaction that allows the request to leave.
    """
CREATE TRIGGER job_budget BEFORE UPDATE OF state ON job
WHEN OLD.state = 'planned' AND NEW.state = 'submitting' AND EXISTS(
  SELECT 1 FROM run WHERE id = NEW.run AND budget IS NOT NULL AND spent + NEW.cost > budget)
BEGIN SELECT RAISE(ABORT, 'budget'); END
""",
    """
CREATE TRIGGER job_claim_counts BEFORE UPDATE OF state ON job
WHEN OLD.state = 'planned' AND NEW.state = 'submitting'
 AND (NEW.spent <> OLD.spent + NEW.cost OR NEW.attempt <> OLD.attempt + 1)
BEGIN SELECT RAISE(ABORT, 'a claim counts its cost'); END
""",
    """
CREATE TRIGGER run_spent AFTER UPDATE OF spent ON job WHEN NEW.spent <> OLD.spent
BEGIN UPDATE run SET spent = spent + NEW.spent - OLD.spent WHERE id = NEW.run; END
""",
    # Every change leaves its trace, in the same transaction.
    """
CREATE TRIGGER job_planned AFTER INSERT ON job
BEGIN INSERT INTO event(job, old, new, attempt, at, actor, boot)
 VALUES(NEW.id, NULL, NEW.state, NEW.attempt, NEW.updated, NEW.actor, NEW.boot); END
""",
    """
CREATE TRIGGER job_moved AFTER UPDATE OF state ON job WHEN OLD.state <> NEW.state
BEGIN INSERT INTO event(job, old, new, attempt, at, actor, boot, error, message)
 VALUES(NEW.id, OLD.state, NEW.state, NEW.attempt, NEW.updated, NEW.actor, NEW.boot, NEW.error, NEW.message);
END
""",
    """
CREATE TRIGGER job_accepted AFTER UPDATE OF taskid ON job WHEN OLD.taskid IS NULL AND NEW.taskid IS NOT NULL
BEGIN INSERT INTO accepted(taskid, job, attempt, at) VALUES(NEW.taskid, NEW.id, NEW.attempt, NEW.updated); END
""",
)
