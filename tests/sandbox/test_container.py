"""The example of a container: the linter agrees, what it copies exists, and its command lines are understood."""

import json
import re
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "container"
TEXT = (FOLDER / "Containerfile").read_text("utf-8")


def words(instruction: str) -> list[str]:
    """Return the last instruction of this name, in its JSON form."""
    found: list[str] = json.loads(re.findall(rf"(?m)^{instruction} (\[.*\])$", TEXT)[-1])
    return found


def test_the_linter_agrees() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run([linter, FOLDER / "Containerfile"], capture_output=True, text=True, check=False)
    assert (0, "") == (ran.returncode, ran.stdout)
    bad = subprocess.run([linter, "-"], input="FROM python\nRUN cd /x\n", capture_output=True, text=True, check=False)
    assert 1 == bad.returncode, "the linter finds what is wrong"


def test_what_it_copies_exists() -> None:
    copied = [word for line in re.findall(r"(?m)^COPY (.*) \S+$", TEXT) for word in line.split()]
    assert {"overlay", "generated", "pyproject.toml"} <= set(copied)
    assert [] == [word for word in copied if not (ROOT / word).exists()]


def test_its_command_lines_are_understood() -> None:
    compose = YAML(typ="safe", pure=True).load((FOLDER / "compose.yaml").read_text("utf-8"))
    service = compose["services"]["sandbox"]
    assert FOLDER / "Containerfile" == (FOLDER / service["build"]["context"] / service["build"]["dockerfile"]).resolve()
    for more in (words("CMD"), service["command"]):
        command = [sys.executable, "-m", *words("ENTRYPOINT"), *more, "--list-faults"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (0, "") == (ran.returncode, ran.stderr)
    ports = {port.rpartition(":")[2] for port in service["ports"]}
    assert ports == set(re.findall(r"(?m)^EXPOSE (.*)$", TEXT)[0].split()) == {"8645", "8646"}
    assert all(port.startswith("127.0.0.1:") for port in service["ports"]), "published on this machine only"
