"""close(), exit and cancellation while other threads record: an error at most, never a crash of the interpreter.

`CLOSE_RUNS=100 python -m pytest tests/journal/test_close.py` is the long form: so many runs of each kind.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.pictures import picture

RUNS = int(os.environ.get("CLOSE_RUNS", "10"))

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


# Threads submit through a client with a journal, over sockets, under a signal each millisecond; then it is closed.
CLIENTS = """
import json, random, signal, sqlite3, sys, threading, time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from seedream import SeeDream, SeeDreamError
from seedream.journal import Journal

folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
chance = random.Random(11)
accepted, signals = [], 0

class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        accepted.append(f"task-{len(accepted)}-{time.monotonic_ns()}")
        body = json.dumps({"code": 1000, "msg": "", "data": {"taskid": accepted[-1]}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

class Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # the client closed the connection

def heard(*_):
    global signals
    signals += 1

signal.signal(signal.SIGALRM, heard)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
server = Server(("127.0.0.1", 0), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
submitted = refused = 0
for number in range(rounds):
    accepted.clear()
    url = f"http://127.0.0.1:{server.server_port}"
    client = SeeDream("sk-0123456789", base_url=url, journal=folder / f"{number}.sqlite")

    def work(client=client):
        global submitted, refused
        try:
            for job in range(50):
                client.submit(f"a fish {job}")
                submitted += 1
        except SeeDreamError:
            refused += 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(chance.random() * 0.2)
    client.close()
    for thread in threads:
        thread.join()
    Journal(folder / f"{number}.sqlite").close()  # what was under way becomes unknown
    with closing(sqlite3.connect(folder / f"{number}.sqlite")) as database:
        counts = dict(database.execute("SELECT state, count(*) FROM job GROUP BY state"))
    assert "submitting" not in counts
    assert len(accepted) <= counts.get("submitted", 0) + counts.get("unknown", 0), (len(accepted), counts)
signal.setitimer(signal.ITIMER_REAL, 0)
assert submitted and refused and signals
print(f"{rounds} clients closed: {submitted} submissions, {refused} threads refused, {signals} signals")
"""

# Bulk runs are cancelled from outside, at any moment, while a signal comes each millisecond.
BULKS = """
import asyncio, random, signal, sys
from functools import partial
from pathlib import Path
import httpx
from seedream import AsyncSeeDream, JournalError
from seedream.bulk import Bulk, BulkOptions

folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
chance = random.Random(13)
paid, signals, cancelled, done = [], 0, 0, 0
PICTURE = Path(sys.argv[3]).read_bytes()

async def answer(request):
    body = (await request.aread()).decode("utf-8", "replace")
    await asyncio.sleep(chance.random() * 0.004)
    if request.method == "GET":
        return httpx.Response(200, content=PICTURE)
    if request.url.path.endswith("infobytaskid"):
        return httpx.Response(200, json={"code": 1000, "msg": "", "data": {"image_status": 3, "url": ["https://cdn.example/1.png"]}})
    prompt = body.partition("round-")[2].partition("|")[0]
    paid.append(prompt)
    return httpx.Response(200, json={"code": 1000, "msg": "", "data": {"taskid": f"t-{len(paid)}"}})

def heard(*_):
    global signals
    signals += 1

signal.signal(signal.SIGALRM, heard)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)

async def run(number, bulk):
    global cancelled, done
    jobs = [{"id": str(job), "prompt": f"round-{number}-{job}|", "batchsize": 1} for job in range(12)]
    task = asyncio.create_task(bulk.arun(jobs, options=BulkOptions(concurrency=4)))
    await asyncio.sleep(chance.random() * 0.2)
    task.cancel()
    try:
        await task
        done += 1
    except asyncio.CancelledError:
        cancelled += 1

for number in range(rounds):
    transport = httpx.MockTransport(answer)
    connect = partial(AsyncSeeDream, "sk-0123456789", base_url="https://api.example", transport=transport)
    bulk = Bulk(folder / str(number), connect=connect)
    asyncio.run(run(number, bulk))
    try:
        _, counts = bulk.counts()
    except JournalError:
        continue  # it was cancelled before there was a run
    mine = [prompt for prompt in paid if prompt.startswith(f"{number}-")]
    assert len(mine) == len(set(mine))
    assert len(mine) <= sum(counts.values()) - counts["planned"]
signal.setitimer(signal.ITIMER_REAL, 0)
assert cancelled and signals
print(f"{rounds} bulk runs: {cancelled} cancelled, {done} done before, {len(paid)} submissions, {signals} signals")
"""


def run(code: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    print(done.stdout)  # noqa: T201 -- what the long form reports (pytest -s)
    return done.returncode, done.stderr


def test_close_while_threads_submit_never_crashes(tmp_path: Path) -> None:
    # A close between two statements of a transaction once ended the process with SIGSEGV.
    assert run(ROUNDS, str(tmp_path), str(max(RUNS, 100))) == (0, "")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="timers as POSIX has them")
def test_closing_a_client_under_signals_never_crashes(tmp_path: Path) -> None:
    assert run(CLIENTS, str(tmp_path), str(RUNS)) == (0, "")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="timers as POSIX has them")
def test_bulk_runs_that_are_cancelled_under_signals_never_crash(tmp_path: Path) -> None:
    # A cancellation in the middle of a commit once closed the database under it.
    source = tmp_path / "picture.png"
    source.write_bytes(picture())
    assert run(BULKS, str(tmp_path), str(RUNS), str(source)) == (0, "")


@pytest.mark.parametrize("how", ["atexit", "not closed"])
def test_the_end_of_the_interpreter_while_threads_submit_never_crashes(tmp_path: Path, how: str) -> None:
    # The end of the interpreter within a transaction once ended the process with SIGSEGV.
    for number in range(max(RUNS // 2, 5)):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert run(AT_EXIT, str(folder), how)[0] == 0
