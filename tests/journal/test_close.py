"""close(), exit and cancellation while other threads record: an error at most, never a crash of the interpreter."""

import subprocess
import sys
from pathlib import Path

import pytest

# A crash ends the process, so all rounds run in one of their own. Each opens a journal, lets four threads submit, and
# closes it at a random moment, in the middle of their transactions.
ROUNDS = """
import random, sys, threading, time
from pathlib import Path
from seedream.errors import JournalError
from seedream.journal import Journal, Plan

folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
chance = random.Random(7)
recorded = refused = 0

def submit(journal, jobs, run):
    global recorded, refused
    for job in jobs:
        record = journal.submission_record(job, 1)
        try:
            record.begin()
            record.submitted(f"task-{job}")
            journal.counts(run)
            recorded += 1
        except JournalError:
            refused += 1
            return

for number in range(rounds):
    journal = Journal(folder / f"{number}.sqlite")
    run = journal.run("bulk").id
    journal.plan(run, [Plan(f"job-{n}", "digest", {}, 1) for n in range(200)])
    threads = [threading.Thread(target=submit, args=(journal, range(n + 1, 201, 4), run)) for n in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(chance.random() * 0.01)
    journal.close()
    for thread in threads:
        thread.join()
    with Journal(folder / f"{number}.sqlite") as journal:
        assert journal.counts(run)["submitting"] == 0
assert recorded and refused
"""

# The interpreter ends while daemon threads record.
AT_EXIT = """
import atexit, sys, threading, time
from seedream.errors import JournalError
from seedream.journal import Journal, Plan

journal = Journal(sys.argv[1] + "/journal.sqlite")
run = journal.run("bulk").id
journal.plan(run, [Plan(f"job-{n}", "digest", {}, 1) for n in range(400)])
if sys.argv[2] == "atexit":
    atexit.register(journal.close)

def submit(first):
    for job in range(first, 401, 4):
        record = journal.submission_record(job, 1)
        try:
            record.begin()
            record.submitted(f"task-{job}")
        except JournalError:
            return

for number in range(4):
    threading.Thread(target=submit, args=(number + 1,), daemon=True).start()
time.sleep(0.02)
"""


def run(code: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_close_while_threads_submit_never_crashes(tmp_path: Path) -> None:
    # A close between two statements of a transaction once ended the process with SIGSEGV.
    assert run(ROUNDS, str(tmp_path), "100") == (0, "")


@pytest.mark.parametrize("how", ["atexit", "not closed"])
def test_the_end_of_the_interpreter_while_threads_submit_never_crashes(tmp_path: Path, how: str) -> None:
    # The end of the interpreter within a transaction once ended the process with SIGSEGV.
    for number in range(5):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert run(AT_EXIT, str(folder), how)[0] == 0
