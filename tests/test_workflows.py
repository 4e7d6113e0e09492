"""The workflows of .github are valid and safe, and their shell steps are make targets that exist."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def shell_steps(path: Path) -> Iterator[str]:
    for job in load(path)["jobs"].values():
        yield from (step["run"] for step in job["steps"] if "run" in step)


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(name, path=str(Path(sys.executable).parent))
    assert program is not None, f"{name} is not installed"
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)


def test_there_are_two() -> None:
    assert ["ci.yml", "page-watch.yml"] == [path.name for path in WORKFLOWS]


def test_they_follow_the_schema_of_workflows() -> None:
    done = tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))
    assert 0 == done.returncode, done.stdout + done.stderr


def test_a_linter_finds_no_way_in() -> None:
    done = tool("zizmor", "--offline", "--no-progress", "--config", ".github/zizmor.yml", ".github/workflows")
    assert 0 == done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_shell_step_is_a_make_target(path: Path) -> None:
    steps = list(shell_steps(path))
    assert steps
    for step in steps:
        assert re.fullmatch(r"make [a-z-]+( PYTHON=python)?", step), step
        target = step.split()[1]
        # -o: the environment counts as made; -n: show what would be run.
        done = subprocess.run(
            ["make", "-n", "-o", ".venv/.ready", target],  # noqa: S607 -- the developer's own make
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        assert done.stdout.strip()


def test_every_python_that_is_supported_is_tried() -> None:
    classifiers = re.findall(r"Programming Language :: Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    (tests,) = (job for job in load(WORKFLOWS[0])["jobs"].values() if "strategy" in job)
    assert classifiers == tests["strategy"]["matrix"]["python"]


def test_only_the_watch_may_write_and_only_what_it_needs() -> None:
    assert {"contents": "read"} == load(WORKFLOWS[0])["permissions"]
    watch = load(WORKFLOWS[1])
    assert {} == watch["permissions"]
    (job,) = watch["jobs"].values()
    assert {"contents", "issues", "pull-requests"} == set(job["permissions"])
