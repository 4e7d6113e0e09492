"""``st run`` of Schemathesis with its own checks: whatever it sends, the sandbox has no error of its own.

Its other findings are the API's nature: it refuses with HTTP 200 and a code, and the page documents no other status.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from seedream_sandbox import Sandbox

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "generated" / "tensorslab_images" / "openapi.json"
EXPECTED = {"API accepts invalid authentication", "Schema-violating request accepted", "Undocumented status code"}


def st_run(sandbox: Sandbox, folder: Path, *words: str) -> tuple[set[str], int]:
    """Return the kinds of failures that ``st run`` reports, and the number of its test cases."""
    command = [str(Path(sys.executable).with_name("st")), "run", str(SPEC), "--url", sandbox.base_url, "--seed", "1"]
    ran = subprocess.run(
        [*command, "--generation-deterministic", *words],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stdout[-3000:] + ran.stderr[-3000:]
    count = re.search(r"([0-9]+) generated", ran.stdout)
    assert count is not None, ran.stdout[-3000:]
    failures = ran.stdout.rpartition("\nFailures:")[2].partition("\n\n")[0] if "\nFailures:" in ran.stdout else ""
    return set(re.findall(r"ST[0-9]+ (.+?): [0-9]+$", failures, re.MULTILINE)), int(count[1])


def test_no_server_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox(pictures="plain", credits=10**9) as sandbox:
        failures, count = st_run(sandbox, tmp_path, "--max-examples", "25")
        assert count > 200
        assert failures <= EXPECTED
        assert not [record for record in sandbox.requests if record.status >= 500]
    assert [] == caplog.records, "nothing failed inside the sandbox"


def test_a_server_error_would_be_reported(tmp_path: Path) -> None:
    with Sandbox(pictures="plain", faults=["status-500 at=any"]) as sandbox:
        failures, _ = st_run(sandbox, tmp_path, "--max-examples", "5", "--phases", "fuzzing")
    assert "Server error" in failures
