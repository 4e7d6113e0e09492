"""The durable journal: what was about to be sent, what was taken, what is on the disk. One SQLite file.

A submission is billed and cannot be sent twice, so each one is written down before its first byte leaves, and
its task id as soon as that is read. A crash, a kill or a power cut then loses nothing: what was being sent at
that moment is listed as ``unknown`` and never sent again by itself.

States of a job, and who moves it::

    planned ──▶ submitting ──▶ submitted ──▶ succeeded ──▶ downloaded
       ▲            │   │           │            ▲             │
       │            │   │           └──▶ failed  └─────────────┘ a picture is gone
       ├────────────┘   ├──▶ rejected  the request itself was refused; not billed
       │ provably       └──▶ unknown   no usable answer, or the program ended: perhaps billed
       │ not taken
       └── rejected, failed, unknown: by the user's word alone
           (or ──▶ abandoned; unknown ──▶ submitted with an id that the user found)

The triggers of the database enforce this (`_states.EDGES`), whoever writes; and a budget that is checked in
the transaction that lets the request leave, task ids that are written once and never forgotten (table
``accepted``), and a log of all transitions (table ``event``).

Protocol of one submission, as the submit workflow speaks it (``Recorder`` in ``_workflows``)::

    entry = journal.call(digest, request, cost)     a single submission
    entry = journal.entry(job, cost)                a planned job of a run
    entry.begin()          in the barrier: connected, no byte has left. If it raises, nothing may be sent.
    entry.submitted(id)    the answer held a task id
    entry.not_sent()       refused unprocessed (429, 408): it will be tried again; begin() may follow
    entry.refused(error)   the end: refused, or never sent
    entry.unknown(error)   the end: sent, and nobody knows; also for a cancellation after begin()

After begin() exactly one of the other four must follow; without begin() they do nothing. Each returns when
its record is durable (``synchronous=FULL``); many at a time share one commit.
"""

from seedream.journal.commit import Database
from seedream.journal.journal import CALLS, Journal, connect
from seedream.journal.queries import Reader
from seedream.journal.rows import Event, Job, Picture, Plan, Run
from seedream.journal.states import EDGES, SETTLED, STATES, WITH_TASKID, State
from seedream.journal.submission_record import JobEntry, state_after

__all__ = [
    "CALLS",
    "EDGES",
    "SETTLED",
    "STATES",
    "WITH_TASKID",
    "Database",
    "Event",
    "Job",
    "JobEntry",
    "Journal",
    "Picture",
    "Plan",
    "Reader",
    "Run",
    "State",
    "connect",
    "state_after",
]
