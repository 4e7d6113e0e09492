"""Breaking one thing in a copy of the repository makes the contract suite fail, and the failure names the rule."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from facts import LARGEST, LEAST

ROOT = Path(__file__).resolve().parents[2]
ENCODE = "overlay/seedream/_request/encode.py"
ASK = "overlay/seedream/_protocol/service.py"
RULES, LIMITS = "generated/tensorslab_images/rules.py", "generated/tensorslab_images/limits.py"
BREAKS = {
    "the boundary of a form": (ENCODE, "os.urandom(16).hex()", '"+++"', "[WIRE-BOUNDARY]"),
    "the auth rule": (ASK, 'f"{AUTH_HEADER_SCHEME} {api.key}"', "api.key", "[AUTH-HEADER]"),
    "the pixel minimum": (RULES, f"Final[int] = {LEAST}", f"Final[int] = {LEAST - 1}", "[RES-PIXELS]"),
    "a limit by one": (LIMITS, f"maximum={LARGEST}", f"maximum={LARGEST + 1}", "[BATCH-RANGE]"),
}  # fmt: skip


# The checks of the rule come first, so that a break is found in a second.
FIND = """
import judge
from contract.client_checks import CLIENT_CHECKS, ClientUnderTest
from contract.client_checks.checks import run_all
from seedream import SeeDream
checks = sorted(CLIENT_CHECKS, key=lambda check: check.rule != {rule!r})
run_all(checks, ClientUnderTest(SeeDream, judge.FACTS))
"""


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_copy_is_found(name: str, tmp_path: Path) -> None:
    for part in ("generated", "overlay", "tests/contract", "tests/support"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    for helper in (ROOT / "tests").glob("*.py"):
        shutil.copy(helper, tmp_path / "tests")
    file, old, new, rule = BREAKS[name]
    text = (tmp_path / file).read_text("utf-8")
    assert old in text, "bring this table up to date"
    (tmp_path / file).write_text(text.replace(old, new), "utf-8")
    path = os.pathsep.join(str(tmp_path / part) for part in ("generated", "overlay", "tests"))
    ended = subprocess.run(
        [sys.executable, "-c", FIND.format(rule=rule.strip("[]"))],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1, ended.stdout[-2000:] + ended.stderr[-2000:]
    assert f"Violation: {rule}" in ended.stderr
