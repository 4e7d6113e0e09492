"""The wheel holds the packages, typed, and nothing else; most of what they need is in extras."""

import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    target = tmp_path_factory.mktemp("wheel")
    code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", code, str(target)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert 0 == built.returncode, built.stderr
    return zipfile.ZipFile(target / built.stdout.split()[-1])


def test_it_holds_all_packages_with_their_types_and_data(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    for name in (
        "seedream/py.typed",
        "tensorslab_images/py.typed",
        "tensorslab_images/openapi.json",
        "seedream/cli/demo/command.py",
        "seedream_sandbox/inspector/static/page.html",
        "seedream_sandbox/inspector/static/app.js",
        "seedream_sandbox/py.typed",
        "seedream_testing/plugin.py",
        "seedream_testing/py.typed",
    ):
        assert name in names
    assert {"seedream", "seedream_sandbox", "seedream_testing", "tensorslab_images"} == {
        name.split("/")[0] for name in names if ".dist-info" not in name
    }
    assert [] == [name for name in names if "__pycache__" in name]


def test_its_requirements_are_two_and_the_rest_are_extras(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    fields = Parser().parsestr(wheel.read(metadata).decode())
    plain = [need for need in fields.get_all("Requires-Dist", []) if "extra ==" not in need]
    assert ["attrs", "httpx"] == sorted(need.partition(">")[0].partition("<")[0] for need in plain)
    assert {"cli", "sandbox", "testing"} <= set(fields.get_all("Provides-Extra", []))


def test_it_runs_from_the_wheel_by_itself(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path / "installed")
    code = "import seedream, sys; assert 'installed' in seedream.__file__; from seedream.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "16:9"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (0, "16:9        ratio: the service chooses the size\n") == (done.returncode, done.stdout), done.stderr
