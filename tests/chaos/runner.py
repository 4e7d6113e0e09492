"""The program that is killed: a bulk run, with failpoints put around the journal's and the workflow's steps.

    python -m chaos.runner     reads one line a life, a JSON list: FOLDER, JOBS, ADDRESS, perhaps FAILPOINT and HIT

It loads everything once and forks for each life, prints the child's process id, and then how it ended. Production code
knows nothing of failpoints: they are wrapped around it here. At its n-th hit a failpoint kills the process at once, as
``kill -9`` would.
"""

import json
import os
import signal
import sys
import traceback
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from seedream import AsyncSeeDream, RetryPolicy
from seedream._files.partial_file import PartialFile
from seedream.bulk import Bulk, BulkOptions
from seedream.errors import JournalFull
from seedream.journal import Journal
from seedream.journal.commit import Committer, Database
from seedream.journal.submission_record import SubmissionRecord

if TYPE_CHECKING:
    from collections.abc import Callable

# name -> (where, which method, before or after it)
FAILPOINTS: Final[dict[str, tuple[type, str, str]]] = {
    "open": (Journal, "_prepare", "before"),
    "recovered": (Journal, "_prepare", "after"),
    "planned": (Journal, "plan", "after"),
    "before-begin": (SubmissionRecord, "begin", "before"),
    "after-begin": (SubmissionRecord, "begin", "after"),
    "before-submitted": (SubmissionRecord, "submitted", "before"),
    "after-submitted": (SubmissionRecord, "submitted", "after"),
    "before-transaction": (Committer, "_transact", "before"),
    "in-transaction": (Committer, "_commit", "before"),
    "after-commit": (Committer, "_transact", "after"),
    "before-succeeded": (Journal, "succeeded", "before"),
    "after-succeeded": (Journal, "succeeded", "after"),
    "part-written": (PartialFile, "write", "after"),
    "before-rename": (PartialFile, "finish", "before"),
    "after-rename": (PartialFile, "finish", "after"),
    "before-downloaded": (Journal, "downloaded", "before"),
    "after-downloaded": (Journal, "downloaded", "after"),
}
ENDS = {
    "done": 0,
    "disk": 10,
    "unknowns": 75,
    "tasks": 75,
    "downloads": 75,
    "interrupted": 130,
    "cancelled": 130,
}  # reason -> exit code
ONCE = ("open", "recovered", "planned")  # these come once in a life
_hits: Counter[str] = Counter()


def arm(name: str, hit: int) -> None:
    """Put one failpoint in its place."""
    owner, method, moment = FAILPOINTS[name]
    real: Callable[..., Any] = getattr(owner, method)

    def wrapped(*arguments: Any, **options: Any) -> Any:
        if moment == "before":
            _die_at(name, hit)
        result = real(*arguments, **options)
        if moment == "after":
            _die_at(name, hit)
        return result

    setattr(owner, method, wrapped)


def _die_at(name: str, hit: int) -> None:
    _hits[name] += 1
    if _hits[name] == hit:
        os.kill(os.getpid(), signal.SIGKILL)


def forget() -> None:
    """Spoil the recovery: what was being sent is sent again. The harness must find that out."""

    def replan(journal: Journal) -> None:
        def work(database: Database) -> None:
            for trigger in ("job_edge", "job_same_process"):
                database.execute(f"DROP TRIGGER IF EXISTS {trigger}")
            database.execute("UPDATE job SET state='planned' WHERE state='submitting'")

        journal._committer.do(work)

    setattr(Journal, "_recover", replan)  # noqa: B010 -- a method is replaced, on purpose


def live(folder: str, jobs: str, address: str, *failpoint: str) -> int:
    """One life: run the jobs, as far as it comes."""
    if failpoint == ("forgetful",):
        forget()
    elif failpoint:
        arm(failpoint[0], int(failpoint[1]))
    client = partial(AsyncSeeDream, "sk-chaos-marker", base_url=address, retry=RetryPolicy(base=0.02))
    try:
        report = Bulk(folder, connect=client).run(jobs, options=BulkOptions(concurrency=4), signals=True)
    except JournalFull:
        return ENDS["disk"]
    return ENDS.get(report.reason, 99)


def main() -> None:
    """Fork once a line; see the module."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 99
            try:
                code = live(*json.loads(line))
            except BaseException:  # noqa: BLE001 -- a child must never go on as its parent
                traceback.print_exc()
            finally:
                os._exit(code)
        print(pid, flush=True)  # noqa: T201 -- how the harness learns it
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
