"""The durable journal: what is about to be sent, what was accepted, what is on the disk. One SQLite file.

A submission is billed and cannot be sent twice, so each one is recorded before its first byte leaves, and its task id
as soon as that is read. A crash, a kill or a power cut then loses nothing: what was being sent at that moment is listed
as ``unknown`` and never sent again by itself.

States of a job, and who moves it::

    planned ──▶ submitting ──▶ submitted ──▶ succeeded ──▶ downloaded
       ▲            │   │           │            ▲             │
       │            │   │           └──▶ failed  └─────────────┘ a picture is gone
       ├────────────┘   ├──▶ rejected  the request itself was refused; not billed
       │ provably       └──▶ unknown   no usable answer, or the program ended: perhaps billed
       │ not accepted
       └── rejected, failed, unknown, abandoned: only by the user's decision
           (or ──▶ abandoned; unknown ──▶ submitted with an id that the user found)

The triggers of the database enforce this (`states.EDGES`), whoever writes. They also check the budget in the
transaction that lets the request leave, keep task ids that are written once (table ``accepted``), and log all
transitions (table ``event``).

Protocol of one submission (``SubmissionObserver`` of the submit workflow)::

    record = journal.open_single_call(digest, request, cost)   a single submission
    record = journal.submission_record(job, cost)              a planned job of a run
    record.begin()          connected, no byte has left. If it raises, nothing may be sent.
    record.submitted(id)    the reply held a task id
    record.not_sent()       refused unprocessed (429, 408): it will be tried again; begin() may follow
    record.refused(error)   the end: refused, or never sent
    record.unknown(error)   the end: sent, and nobody knows; also for a cancellation after begin()

After begin() exactly one of the other four must follow; without begin() they do nothing. Each returns when its record
is durable.
"""

from seedream.journal.commit import Database
from seedream.journal.journal import CALLS, Journal, connect
from seedream.journal.queries import ReadOnlyJournal
from seedream.journal.rows import Event, Job, Picture, Plan, Run
from seedream.journal.states import EDGES, SETTLED, STATES, WITH_TASKID, State
from seedream.journal.submission_record import SubmissionRecord, state_after

__all__ = [
    "CALLS",
    "EDGES",
    "SETTLED",
    "STATES",
    "WITH_TASKID",
    "Database",
    "Event",
    "Job",
    "Journal",
    "Picture",
    "Plan",
    "ReadOnlyJournal",
    "Run",
    "State",
    "SubmissionRecord",
    "connect",
    "state_after",
]
