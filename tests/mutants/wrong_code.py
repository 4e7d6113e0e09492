"""Small changes of the hand-written code that cost money, durability or secrecy, and the tests that must find each.

They are chosen by hand, as a reviewer might miss them; mutmut (``mutants.core``) makes the others.
"""

# ruff: noqa: E501 -- one fault a line reads as a table

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = "overlay/seedream"
DURABILITY, DECISIONS = "tests/core/test_durability.py", "tests/bulk/test_decisions.py"
CLIENT, OBSERVER = "tests/contract/test_client_checks.py", "tests/core/test_submission_observer.py"
TLS, ENVIRONMENT = "tests/transport/test_connections.py", "tests/transport/test_environment.py"
FAULTS, RETRY = "tests/core/test_submit_faults.py", "tests/core/test_retry.py"
DOWNLOAD, REDACT, EXITS = "tests/core/test_download.py", "tests/core/test_redact.py", "tests/cli/test_errors.py"


@dataclass(frozen=True)
class WrongCode:
    """One change of one file, and the tests that must fail with it.

    Attributes:
        name: What is wrong.
        file: Below ``overlay/seedream``.
        old: A text of the file, which becomes ``new``.
        new: See ``old``.
        tests: File of the tests, and an expression for ``-k``.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, str]

    @property
    def expected(self) -> str:
        """The tests that must find it."""
        return self.tests[0]


WRONG_CODE = (
    WrongCode("every form has the same boundary", "_request/encode.py", "os.urandom(16).hex()", '"+++"', (CLIENT, "send.form-sync-judge or no_text_can_end_its_part-sync-judge")),
    WrongCode("TLS is not verified", "_transport/environment.py", "return _context_of(bundle)", "return ssl._create_unverified_context()", (TLS, "authority")),
    WrongCode("TLS is not verified for pictures", "_transport/connections.py", '"ssl_context": tls,', '"ssl_context": ssl._create_unverified_context() if tls and kind == "download" else tls,', (TLS, "authority")),
    WrongCode("TLS is not verified with a bundle", "_transport/environment.py", "return ssl.create_default_context(", "return ssl._create_unverified_context(", (TLS, "another_bundle")),
    WrongCode("a 503 is sent again", "_protocol/outcome.py", "    429: SubmissionOutcome.RATE_LIMITED,\n", "    429: SubmissionOutcome.RATE_LIMITED,\n    503: SubmissionOutcome.RATE_LIMITED,\n", (CLIENT, "reply.status-sync-judge")),
    WrongCode("every 5xx is sent again", "_protocol/outcome.py", "    429: SubmissionOutcome.RATE_LIMITED,\n", "    **dict.fromkeys((429, *range(500, 600)), SubmissionOutcome.RATE_LIMITED),\n", (CLIENT, "reply.status-sync-judge")),
    WrongCode("IPv4-mapped addresses are let through", "_support/addresses.py", "inner = address.ipv4_mapped or address.sixtofour", "inner = address.sixtofour", (DURABILITY, "")),
    WrongCode("6to4 addresses are let through", "_support/addresses.py", "inner = address.ipv4_mapped or address.sixtofour", "inner = address.ipv4_mapped", (DURABILITY, "")),
    WrongCode("NAT64 addresses are let through", "_support/addresses.py", '"64:ff9b::/96", ', "", (DURABILITY, "")),
    WrongCode("locally translated addresses are let through", "_support/addresses.py", '"64:ff9b:1::/48", ', "", (DURABILITY, "")),
    WrongCode("otherwise translated addresses are let through", "_support/addresses.py", '"::ffff:0:0:0/96", ', "", (DURABILITY, "")),
    WrongCode("a picture is never synced", "_files/partial_file.py", "        os.fsync(self._file.fileno())\n", "", (DURABILITY, "")),
    WrongCode("a picture is renamed before it is synced", "_files/partial_file.py", "        os.fsync(self._file.fileno())\n        self._file.close()\n        self._path.replace(target)\n",
              "        self._path.replace(target)\n        os.fsync(self._file.fileno())\n        self._file.close()\n", (DURABILITY, "")),
    WrongCode("a picture's directory is never synced", "_files/partial_file.py", "                os.fsync(directory)\n", "                pass\n", (DURABILITY, "")),
    WrongCode("a replaced file is not synced", "_files/atomic_file.py", "            os.fsync(file.fileno())\n", "", (DURABILITY, "")),
    WrongCode("a file is written in place", "_files/atomic_file.py", "    temporary = path.with_name(", "    path.unlink(missing_ok=True)\n    temporary = path.with_name(", (DURABILITY, "")),
    WrongCode("commits do not wait for the disk", "journal/journal.py", '"PRAGMA synchronous=FULL"', '"PRAGMA synchronous=NORMAL"', (DECISIONS, "disk")),
    WrongCode("retry --failed also plans rejected jobs", "bulk/bulk.py", "self._run_of(journal).id, states)", 'self._run_of(journal).id, ("rejected", "failed"))', (DECISIONS, "retry")),
    WrongCode("--not-charged is inverted", "cli/bulk.py", "charged=not not_charged", "charged=not_charged", (DECISIONS, "budget")),
    WrongCode("a bulk run's submitter has four attempts", "bulk/submitter.py", "_ONCE: Final = RetryPolicy(attempts=1)", "_ONCE: Final = RetryPolicy(attempts=4)", (DECISIONS, "attempted")),
    WrongCode("Ctrl-C while a submission is under way is not recorded", "_protocol/submit.py", "    except BaseException as error:\n        if began:", "    except Exception as error:\n        if began:", (OBSERVER, "under_way")),
    WrongCode("the task id is dropped when the journal cannot record it", "_protocol/submit.py", "        unrecorded.taskid = taskid  #", "        del taskid  #", (OBSERVER, "")),
    WrongCode("Ctrl-C is not recorded", "_protocol/submit.py", "except BaseException as interrupted:", "except Exception as interrupted:", (OBSERVER, "")),
    WrongCode("queries follow redirects, with the key", "_protocol/service.py", "    body, failed = bytearray(), None\n",
              "    if effect.kind == 'query' and 'location' in stream.headers:\n        yield from Close(stream)\n        stream = yield from evolve(effect, request=evolve(effect.request, url=stream.headers['location']))\n    body, failed = bytearray(), None\n", (CLIENT, "task.status-sync-judge")),
    WrongCode("queries and downloads share connections", "_transport/connections.py", "key = (kind, server, library)", "key = (kind == 'submit', server, library)", (TLS, "share_no_connection")),
    WrongCode("submissions are sent on kept connections", "_transport/connections.py", 'self._options.reuse_submit_connections if kind == "submit" else _IDLE', "_IDLE", (TLS, "of_its_own")),
    WrongCode("a forked process uses its parent's connections", "_transport/connections.py", "self._process != _forks.count:", "False:", (TLS, "forked")),
    WrongCode("the caller's headers go to the image host", "_transport/http.py", '_DEFAULT_HEADERS if effect.kind == "download" else self._api_headers', "self._api_headers", (DOWNLOAD, "image_host")),
    WrongCode("the address of an image host is not checked", "_protocol/download.py", "public_only=not picture.api.local", "public_only=False", (DOWNLOAD, "point_into")),
    WrongCode("every connection counts as one through a proxy", "_transport/http.py", "        if line.proxied:\n", "        if True:\n", (TLS, "private_network")),
    WrongCode("only the first URL of a picture is checked", "_protocol/download.py", "        if wrong := _wrong_url(picture, url):\n", "        if (wrong := _wrong_url(picture, url)) and not _hop:\n", (DOWNLOAD, "unsafe or redirect or point_into")),
    WrongCode("pictures may come over plain HTTP", "_protocol/download.py", 'if picture.api.local else ("https",)', 'if picture.api.local else ("https", "http")', (DOWNLOAD, "unsafe")),
    WrongCode("picture URLs may hold a password", "_protocol/download.py", "not (parts.username or parts.password)", "True", (DOWNLOAD, "unsafe")),
    WrongCode("any name that begins with localhost is this machine", "_support/addresses.py", 'name.endswith(".localhost")', 'name.startswith("localhost")', (DURABILITY, "")),
    WrongCode("requests to this machine go through the proxy", "_transport/environment.py", "is_loopback(host) or ", "", (ENVIRONMENT, "proxy")),
    WrongCode("NO_PROXY is ignored", "_transport/environment.py", 'any(one.covers("https", host, port) for one in self._exceptions)', "False", (ENVIRONMENT, "proxy")),
    WrongCode("NO_PROXY covers names that only end alike", "_transport/environment.py", 'host.endswith(f".{self.host}")', "host.endswith(self.host)", (ENVIRONMENT, "proxy")),
    WrongCode("plain HTTP goes through the environment's proxy", "_transport/environment.py", 'if self._always is not None or scheme != "https":', "if self._always is not None:", (ENVIRONMENT, "proxy")),
    WrongCode("a request sent in part counts as not sent", "_protocol/outcome.py", 'if outcome.phase == "never_sent":', 'if outcome.phase != "sent_full":', (FAULTS, "")),
    WrongCode("302 and 303 count as refused", "_protocol/outcome.py", "dict.fromkeys((301, 307, 308)", "dict.fromkeys((301, 302, 303, 307, 308)", (RETRY, "")),
    WrongCode("a 500 counts as refused", "_protocol/outcome.py", "range(400, 500)", "range(400, 501)", (FAULTS, "")),
    WrongCode("a refusal that names a task counts as refused", "_protocol/outcome.py", "if envelope.taskid and became is not SubmissionOutcome.ACCEPTED else became", "if False else became", (FAULTS, "")),
    WrongCode("an unknown code with a task is unknown", "_protocol/outcome.py", "SubmissionOutcome.ACCEPTED if envelope.taskid else", "SubmissionOutcome.ACCEPTED if envelope.code == 1000 and envelope.taskid else", (RETRY, "")),
    WrongCode("Retry-After shortens the pause", "_protocol/retry.py", "return max(pause, retry_after)", "return min(pause, retry_after)", (RETRY, "")),
    WrongCode("a request timeout is sent again and again", "_protocol/retry.py", "if attempt == 1 else None", "if attempt < self.attempts else None", (RETRY, "")),
    WrongCode("the journal hears of a submission after it left", "_transport/send_tracker.py", "return not self._allowed and self.before_send is not None", "return False", (OBSERVER, "")),
    WrongCode("a submission that the journal refuses is sent", "_transport/send_tracker.py", "            self._stopped = error\n            raise\n", "            self._allowed = True\n            del error\n", (OBSERVER, "")),
    WrongCode("a 408 is sent again after others", "_protocol/submit.py", "tries = timed_out if became is SubmissionOutcome.REQUEST_TIMEOUT else attempt", "tries = attempt", (OBSERVER, "timeout")),
    WrongCode("what was being sent when the power went is planned again", "journal/journal.py", 'transition(database, job, "submitting", "unknown", self._stamp("recovery"), error=lost)', 'transition(database, job, "submitting", "planned", self._stamp("recovery"), error=lost)', ("tests/journal/test_open.py", "")),
    WrongCode("a journal that was moved is written", "journal/journal.py", "if identity(self.path) != self._identity or not self._lock.is_in_place():", "if False:", ("tests/journal/test_open.py", "")),
    WrongCode("another request under a known key is planned", "journal/journal.py", "if digest != plan.digest and not never_sent:", "if False:", ("tests/bulk/test_submitter.py", "")),
    WrongCode("a changed source image is sent", "bulk/submitter.py", "if submission.digest != job.digest:", "if False:", ("tests/bulk/test_submitter.py", "source_image")),
    WrongCode("a journal that lost its last records is opened", "journal/queries.py", "    elif newest < mark.event:\n", "    elif False:\n", ("tests/bulk/test_lost_records.py", "")),
    WrongCode("the mark is written after the file says that it is open", "journal/journal.py", '        self._leave_mark(newest_event(database))\n        # Before the write-ahead log is used, the file itself says so: a copy of it without the log is then refused.\n        database.execute("UPDATE journal SET closed=0")\n',
              '        database.execute("UPDATE journal SET closed=0")\n        self._leave_mark(newest_event(database))\n', ("tests/journal/test_open.py", "")),
    WrongCode("two submissions of one key at once", "bulk/submitter.py", "while (pending := self._in_flight.get(key)) is not None:", "while (pending := self._in_flight.get(key)) is None and False:", ("tests/bulk/test_submitter.py", "")),
    WrongCode("a run without credits goes on", "bulk/submitter.py", 'self.control.stop("credits", error)', "self.control.answered()", ("tests/bulk/test_stop.py", "")),
    WrongCode("a task id that cannot be recorded is forgotten", "bulk/submitter.py", "        self.unrecorded[job.key] = taskid\n", "", ("tests/bulk/test_stop.py", "")),
    WrongCode("an unknown submission exits like a failure", "cli/exit_codes.py", "(errors.SubmissionUnknown, UNKNOWN)", "(errors.SubmissionUnknown, FAILED)", (EXITS, "")),
    WrongCode("not sent exits like unknown", "cli/exit_codes.py", "(errors.NotSent, NOT_SENT)", "(errors.NotSent, UNKNOWN)", (EXITS, "")),
    WrongCode("a missing task exits like an unfinished one", "cli/exit_codes.py", "    (errors.TaskNotFound, NOT_FOUND),\n", "", (EXITS, "")),
    WrongCode("a run with unknown jobs exits like a failure", "cli/bulk_report.py", '("unknown", exit_codes.UNKNOWN)', '("unknown", exit_codes.FAILED)', ("tests/bulk/test_command.py", "")),
    WrongCode("a run without credits exits as paused", "cli/bulk_report.py", '"credits": exit_codes.CREDITS', '"credits": exit_codes.PAUSED', ("tests/bulk/test_command.py", "")),
    WrongCode("the HTTP library logs the key", "_support/redact.py", "        logging.getLogger(name).addFilter(_FILTER)\n", "        pass\n", (REDACT, "")),
    WrongCode("an encoded key stays in the reply of an error", "_support/server_text.py", "        shown[number] = False\n", "        del number\n", (REDACT, "")),
    WrongCode("a key beside another one leaves its tail", "_support/redact.py", "sorted(secrets, key=len, reverse=True)", "sorted(secrets, key=len)", (REDACT, "")),
    WrongCode("cookies are kept on errors", "_support/redact.py", '"x-request-id", "request-id"', '"set-cookie", "x-request-id", "request-id"', (REDACT, "")),
    WrongCode("signed URLs are shown in messages", "_support/server_text.py", "    if _STRUCTURE.search(core):\n", "    if False:\n", (REDACT, "")),
    WrongCode("a picture without its end is kept", "_protocol/download.py", "target.finish() if target.is_whole() else None", "target.finish()", (DOWNLOAD, "whole or cut")),
    WrongCode("another picture's rest is spliced in", "_protocol/download.py", "place is not None and same and", "place is not None and", (DOWNLOAD, "spliced")),
    WrongCode("a TLS session is offered to another host", "_transport/network.py", "            found = self._known.get((id(context), name))", "            found = next((one for (which, _), one in self._known.items() if which == id(context)), None)", ("tests/transport/test_connections.py", "tls_session")),
    WrongCode("a peer whose address is not known counts as public", "_support/addresses.py", "return address is not None and _is_public(address)", "return address is None or _is_public(address)", ("tests/core/test_durability.py", "every_spelling")),
    WrongCode("a key at the cut of a kept reply stays in part", "_support/redact.py", "most = _KEPT_BODY + 8 * len(secret)", "most = _KEPT_BODY", ("tests/core/test_redact.py", "cut")),
    WrongCode("the HTTP library's proxy modules log the key", "_support/redact.py", '("connection", "http11", "http2", "proxy", "socks")', '("connection", "http11", "http2")', ("tests/core/test_redact.py", "http_library")),
    WrongCode("a replaced file is synced before it is flushed", "_files/atomic_file.py", "            file.flush()\n", "", ("tests/core/test_durability.py", "replaced")),
    WrongCode("the hash of a transfer that begins again covers dropped bytes", "_files/partial_file.py", 'self.size, self.head, self._hash = 0, b"", hashlib.sha256() if self.hashed else None', 'self.size, self.head = 0, b""', ("tests/core/test_durability.py", "begins_again")),
    WrongCode("--not-charged frees earlier attempts too", "journal/journal.py", "back = 0 if charged else -min(job.cost, job.spent)", "back = 0 if charged else -job.spent", ("tests/journal/test_entry.py", "last_attempt")),
    WrongCode("a journal that lost its last record is opened", "journal/queries.py", "    elif newest < mark.event:\n", "    elif newest + 1 < mark.event:\n", ("tests/journal/test_open.py", "however_few")),
    WrongCode("a run that stops while a job is prepared sends it", "bulk/submitter.py", "        if self._stopping():\n            raise RunStopping\n", "", ("tests/bulk/test_submitter.py", "stops_while")),
    WrongCode("Ctrl-C breaks off a submission that has begun", "bulk/submitter.py", "        self._call_soon(self._shield)\n", "", ("tests/bulk/test_decisions_of_a_run.py", "first_signal")),
    WrongCode("a change is taken as recorded although its group was rolled back", "journal/commit.py", "                self._transact(changes)\n                return\n", "                self._transact(changes)\n            return\n", ("tests/journal/test_commit.py", "")),
    WrongCode("a saved picture that was cut is not fetched again", "bulk/engine.py", "if file.stat().st_size != size:", "if not file.is_file():", ("tests/bulk/test_run.py", "was_cut")),
    WrongCode("an older journal beside newer results is opened", "bulk/folder.py", "        elif results:\n", "        elif results and journal is None:\n", ("tests/bulk/test_lost_records.py", "older_copy")),
    WrongCode("unfinished jobs hide unknown ones in the exit code", "cli/bulk_report.py", '    ("unknown", exit_codes.UNKNOWN),\n    ("submitted", exit_codes.UNFINISHED),\n', '    ("submitted", exit_codes.UNFINISHED),\n    ("unknown", exit_codes.UNKNOWN),\n', ("tests/bulk/test_command.py", "weightiest")),
    WrongCode("--budget 0 is no budget", "cli/bulk.py", "{name: value for name, value in settings.items() if value is not None}", "{name: value for name, value in settings.items() if value}", ("tests/bulk/test_command.py", "budget_of_nothing")),
    WrongCode("a signal between the record and the line hides the task id", "cli/interrupt.py", "        self._accepted(taskid)\n        self._under_way = False", "        self._under_way = False\n        self._accepted(taskid)", ("tests/cli/test_interrupt.py", "even_if")),
    WrongCode("a failed task is said not to be billed", "errors.py", 'class TaskFailed(SeeDreamError):\n    """The task ended as failed (rule STATUS-MEANING). The message is the vendor\'s."""\n\n    billing = "unknown"', 'class TaskFailed(SeeDreamError):\n    """The task ended as failed (rule STATUS-MEANING). The message is the vendor\'s."""\n\n    billing = "no"', ("tests/core/test_client.py", "never_looks_unpaid")),
    WrongCode("the sandbox's balance becomes negative", "../seedream_sandbox/service/account.py", "return images * self.price <= account.balance", "return images <= account.balance", ("tests/sandbox/test_submit.py", "balance")),
    WrongCode("a contract run against a server that is down is skipped", "../seedream_testing/contract/pytest_items.py", "            pytest.exit(str(error), returncode=4)", "            pytest.skip(str(error))", ("tests/testing/test_plugin.py", "is_down")),
    WrongCode("a refusal that names a task frees its cost", "journal/submission_record.py", 'error.billing != "no" or error.taskid is not None', 'error.billing != "no"', ("tests/journal/test_entry.py", "refusal_frees")),
    WrongCode("a fault of the set-up rejects the job", "journal/submission_record.py", "InsufficientCredits, AuthError, ConfigError)", "InsufficientCredits, AuthError)", ("tests/journal/test_entry.py", "refusal_frees")),
    WrongCode("a lock file with a second name is written", "journal/lock.py", " or found.st_nlink > 1", "", ("tests/journal/test_messages.py", "of_its_own")),
    WrongCode("a new journal can be read by everyone", "journal/journal.py", "os.O_EXCL, 0o600", "os.O_EXCL, 0o644", ("tests/journal/test_durability.py", "whole_before")),
    WrongCode("the folder of a new journal is not synced", "journal/journal.py", "                sync_folder(self.path.parent)\n", "", ("tests/journal/test_durability.py", "whole_before")),
    WrongCode("the engine may plan a failed job again", "journal/states.py", '("failed", "planned"): ("user",)', '("failed", "planned"): ("user", "engine")', ("tests/journal/test_states.py", "hand_written")),
    WrongCode("the last picture of a budget cannot be spent", "journal/schema.py", "spent + NEW.cost > budget", "spent + NEW.cost >= budget", ("tests/journal/test_states.py", "keeps_the_books")),
    WrongCode("completed tasks of an earlier start are not fetched", "bulk/engine.py", '_PAID: Final[tuple[State, ...]] = ("submitted", "succeeded")', '_PAID: Final[tuple[State, ...]] = ("submitted",)', ("tests/bulk/test_decisions_of_a_run.py", "brought_home")),
    WrongCode("room for pictures that are owed is not asked for", "bulk/engine.py", "if free < expected + _MARGIN:", "if free < _MARGIN:", ("tests/bulk/test_decisions_of_a_run.py", "room")),
    WrongCode("the second Ctrl-C waits for submissions too", "bulk/engine.py", "            self._submitter.cancel()\n", "", ("tests/bulk/test_decisions_of_a_run.py", "first_signal")),
)  # fmt: skip


def detect_code(wrong: WrongCode) -> dict[str, str]:
    """Apply the change to a copy, and run the tests."""
    found = {"name": wrong.name, "expected": wrong.expected, "check": "", "rule": "", "said": ""}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "overlay", folder / "overlay", ignore=shutil.ignore_patterns("__pycache__"))
        path = folder / CODE / wrong.file
        text = path.read_text("utf-8")
        if wrong.old not in text:
            return {**found, "said": "the text is not in the file any more: bring this table up to date"}
        path.write_text(text.replace(wrong.old, wrong.new), "utf-8")
        python_path = os.pathsep.join([str(folder / "overlay"), str(ROOT / "generated")])
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            "--timeout=120",
            wrong.tests[0],
        ]
        ended = subprocess.run(
            [*command, *(["-k", wrong.tests[1]] if wrong.tests[1] else [])],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": python_path}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if ended.returncode == 1:
        failed = next((line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
        return {**found, "check": failed.partition("::")[2].partition("[")[0].partition(" ")[0], "rule": wrong.expected}
    return {**found, "said": ended.stdout[-200:]}
