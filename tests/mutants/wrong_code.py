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
TLS = "tests/transport/test_connections.py"


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
    WrongCode("TLS is not verified", "_transport/environment.py", "return httpx.create_ssl_context()", "return httpx.create_ssl_context(verify=False)", (TLS, "authority")),
    WrongCode("TLS is not verified with a bundle", "_transport/environment.py", "return ssl.create_default_context(", "return ssl._create_unverified_context(", (TLS, "another_bundle")),
    WrongCode("a 503 is sent again", "_protocol/outcome.py", "if status == _TOO_MANY:", "if status in (_TOO_MANY, 503):", (CLIENT, "whatever_it_asks and sync-tables")),
    WrongCode("every 5xx is sent again", "_protocol/outcome.py", "if status == _TOO_MANY:", "if status == _TOO_MANY or status >= 500:", (CLIENT, "whatever_it_asks and sync-tables")),
    WrongCode("IPv4-mapped addresses are let through", "_support/addresses.py", "inner = address.ipv4_mapped or address.sixtofour", "inner = address.sixtofour", (DURABILITY, "")),
    WrongCode("6to4 addresses are let through", "_support/addresses.py", "inner = address.ipv4_mapped or address.sixtofour", "inner = address.ipv4_mapped", (DURABILITY, "")),
    WrongCode("NAT64 addresses are let through", "_support/addresses.py", "address in _NAT64 or ", "", (DURABILITY, "")),
    WrongCode("a picture is never synced", "_files/partial_file.py", "        os.fsync(self._file.fileno())\n", "", (DURABILITY, "")),
    WrongCode("a picture is renamed before it is synced", "_files/partial_file.py", "        os.fsync(self._file.fileno())\n        self._file.close()\n        self._path.replace(target)\n",
              "        self._path.replace(target)\n        os.fsync(self._file.fileno())\n        self._file.close()\n", (DURABILITY, "")),
    WrongCode("a picture's directory is never synced", "_files/partial_file.py", "                os.fsync(directory)\n", "                pass\n", (DURABILITY, "")),
    WrongCode("a replaced file is not synced", "_files/atomic_file.py", "            os.fsync(file.fileno())\n", "", (DURABILITY, "")),
    WrongCode("a file is written in place", "_files/atomic_file.py", "    temporary = path.with_name(", "    path.unlink(missing_ok=True)\n    temporary = path.with_name(", (DURABILITY, "")),
    WrongCode("commits do not wait for the disk", "journal/journal.py", '"PRAGMA synchronous=FULL"', '"PRAGMA synchronous=NORMAL"', (DECISIONS, "disk")),
    WrongCode("retry --failed also plans rejected jobs", "bulk/bulk.py", "self._decide(lambda journal, job: journal.requeue(job), states)", 'self._decide(lambda journal, job: journal.requeue(job), ("rejected", "failed"))', (DECISIONS, "retry")),
    WrongCode("--not-charged is inverted", "cli/bulk.py", "charged=not not_charged", "charged=not_charged", (DECISIONS, "budget")),
    WrongCode("a bulk run's submitter has four attempts", "bulk/submitter.py", "_ONCE: Final = RetryPolicy(attempts=1)", "_ONCE: Final = RetryPolicy(attempts=4)", (DECISIONS, "attempted")),
    WrongCode("Ctrl-C while a submission is under way is not recorded", "_protocol/submit.py", "    except BaseException as error:\n        if began:", "    except Exception as error:\n        if began:", (OBSERVER, "under_way")),
    WrongCode("the task id is dropped when the journal cannot record it", "_protocol/submit.py", "        unrecorded.taskid = taskid  #", "        del taskid  #", (OBSERVER, "")),
    WrongCode("Ctrl-C is not recorded", "_protocol/submit.py", "except BaseException as interrupted:", "except Exception as interrupted:", (OBSERVER, "")),
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
