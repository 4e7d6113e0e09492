"""The examples of docs/scale.md, as they are printed there. Those that need Ray or Daft run where it is installed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scale.service import judge, rows

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
BLOCKS = re.findall(r"```(?:py|python)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def needs(block: str) -> str:
    return "ray" if "seedream.ray" in block else "daft" if "import daft" in block else ""


@pytest.mark.parametrize("block", BLOCKS, ids=[needs(block) or "threads" for block in BLOCKS])
def test_an_example_of_the_page_runs_and_pays_once(block: str, tmp_path: Path) -> None:
    if needs(block):
        pytest.importorskip(needs(block))
    (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(4)), "utf-8")
    with judge() as service:
        variables = {"TENSORSLAB_API_KEY": service.sandbox.api_key, "TENSORSLAB_BASE_URL": service.sandbox.base_url}
        done = subprocess.run(
            [sys.executable, "-c", block],
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        assert service.paid == (4 if needs(block) else 2)
        assert service.paid_twice == []
    assert len(list((tmp_path / "out" / "pictures").iterdir())) == service.paid


def test_the_page_shows_all_three_engines() -> None:
    assert sorted(map(needs, BLOCKS)) == ["", "daft", "ray"]
