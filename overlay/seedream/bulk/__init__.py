"""Bulk runs: many jobs, one budget, and a journal that survives whatever happens.

::

    from seedream.bulk import Bulk, BulkOptions

    report = Bulk("out").run("jobs.jsonl", options=BulkOptions(budget=500, rate=2))
    print(report.reason, report.counts, report.spent)

Running the same file again goes on where it stopped; so does ``Bulk("out").run()`` without one.
``await arun(...)`` is the same in a coroutine.
"""

from seedream.bulk.bulk import Bulk
from seedream.bulk.downloader import Delivery, deliver
from seedream.bulk.engine import Watch
from seedream.bulk.jobs_file import Jobs, read_jobs
from seedream.bulk.options import BulkOptions
from seedream.bulk.prepare import PreparedRun, prepare_run
from seedream.bulk.rate_control import RunControl
from seedream.bulk.report import ENDINGS, Reason, Report, Snapshot
from seedream.bulk.results import MANIFEST_COLUMNS
from seedream.bulk.rows import GenerateRows, SharedSubmitter, run_row, run_rows
from seedream.bulk.storage import PictureStore
from seedream.bulk.submitter import Submitter
from seedream.bulk.submitter_thread import SubmitterThread

__all__ = [
    "ENDINGS",
    "MANIFEST_COLUMNS",
    "Bulk",
    "BulkOptions",
    "Delivery",
    "GenerateRows",
    "Jobs",
    "PictureStore",
    "PreparedRun",
    "Reason",
    "Report",
    "RunControl",
    "SharedSubmitter",
    "Snapshot",
    "Submitter",
    "SubmitterThread",
    "Watch",
    "deliver",
    "prepare_run",
    "read_jobs",
    "run_row",
    "run_rows",
]
