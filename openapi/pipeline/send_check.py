"""Sends sample requests with the new generated code before anything is replaced.

Every operation that the client uses is sent through the client, and the submission also through the command line, to
the sandbox, in one process and in memory: first with its required fields only, then with each other field, then with
all of them. What cannot be sent stops the run with the name of the field.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPT: Final = Path(__file__).with_name("send_samples.py")
TIMEOUT: Final = 60


@dataclass(frozen=True)
class Unsendable:
    """Something that the client cannot send.

    Attributes:
        place: By role: `submit/request/FIELD`, or `submit` when it is not one field.
        reason: What happened, in one line.
        optional: Whether everything else can still be sent.
    """

    place: str
    reason: str
    optional: bool


def check_sending(root: Path, files: Mapping[str, bytes], generated: str) -> list[Unsendable]:
    """Return what the overlay at the root cannot send when it runs with these generated files.

    Args:
        root: The repository, whose overlay is used.
        files: The new files by their path from the root.
        generated: Name of the folder of generated code below the root.
    """
    if not (root / "overlay" / "seedream").is_dir():
        return []
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        packages = os.pathsep.join([str(Path(folder) / generated), str(root / "overlay")])
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TENSORSLAB", "SEEDREAM"))
        }
        environment |= {
            "PYTHONPATH": packages,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
            "LC_ALL": "C.UTF-8",
        }
        try:
            done = subprocess.run(
                [sys.executable, str(SCRIPT)],
                env=environment,
                cwd=folder,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [Unsendable("submit", f"sending samples took longer than {TIMEOUT} seconds", optional=False)]
    try:
        found = json.loads(done.stdout.splitlines()[-1])
        return [Unsendable(str(one["place"]), str(one["reason"]), bool(one["optional"])) for one in found]
    except (ValueError, IndexError, KeyError, TypeError):
        lines = done.stderr.strip().splitlines() or ["no output"]
        return [Unsendable("submit", f"the client cannot be used with the new code: {lines[-1][:300]}", optional=False)]
