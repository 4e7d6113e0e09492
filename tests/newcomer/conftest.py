"""A newcomer's machine: an environment that holds nothing but the wheel, its extras, and what a reader would add.

`make newcomer` runs these tests. They are not part of `make test`, for they install packages from the index.
"""

import os
import re
import sys
from pathlib import Path

import pytest
from support.commands import run

ROOT = Path(__file__).parents[2]
OUTPUT = ROOT / "build" / "newcomer"  # screenshots, to be looked at
WANTED = os.environ.get("NEWCOMER", "") not in ("", "0")
# What the reader of the documents adds: a kernel for a notebook, a web framework, traces, and recorded replies.
ADDED = ("ipykernel", "fastapi", "httpx", "opentelemetry-instrumentation-httpx", "opentelemetry-sdk", "vcrpy")
collect_ignore_glob = [] if WANTED else ["test_*.py"]


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("newcomer")
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(ROOT)])
    (wheel,) = (folder / "dist").glob("*.whl")
    constraints = folder / "constraints.txt"
    lock = (ROOT / "requirements" / "dev.lock").read_text("utf-8")
    constraints.write_text("\n".join(re.findall(r"(?m)^[A-Za-z0-9._-]+==[^\s\\]+(?: ; [^\\\n]+)?", lock)))
    run([sys.executable, "-m", "venv", str(folder / "venv")])
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = f"seedream[cli,sandbox,testing] @ {wheel.as_uri()}"
    uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", str(python)]
    run([*uv, "-c", str(constraints), wanted, *ADDED])
    return python


@pytest.fixture(scope="session", autouse=True)
def output() -> Path:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    return OUTPUT
