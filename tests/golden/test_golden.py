"""Every message and every step of the core, word for word, against what was read and agreed on (see play.py)."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from golden import inputs, outcomes, workflows
from golden.page import fixed_page

HERE = Path(__file__).parent
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
SCENES: dict[str, Callable[[Path], str]] = {**inputs.SCENES, **outcomes.SCENES, **workflows.SCENES}


@pytest.mark.parametrize("name", SCENES)
def test_it_is_as_agreed_on(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # so that no message holds a path of this machine
    file = HERE / f"{name}.txt"
    with fixed_page():
        scene = SCENES[name](Path("here"))
    found = re.sub("0x[0-9a-f]{6,}", "0x", scene) + "\n"  # where an object lies is no matter
    if UPDATE:
        file.write_text(found, "utf-8", errors="surrogateescape")
    agreed = file.read_text("utf-8", errors="surrogateescape")
    assert found == agreed, f"tests/golden/{name}.txt: if the change is meant, UPDATE_GOLDEN=1 writes it anew"


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in HERE.glob("*.txt")} == set(SCENES)
