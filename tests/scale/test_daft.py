"""The same two objects under another engine: the example of docs/scale.md."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from seedream.bulk import GenerateRows, SubmitterThread

from scale.service import judge, rows

daft = pytest.importorskip("daft")
# Daft works on a copy of what it is given, and says nowhere when it is done with it: its connections stay open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@daft.cls(max_concurrency=64)
class Generate:
    def __init__(self, generate: GenerateRows) -> None:
        self._generate = generate

    @daft.method(return_dtype=daft.DataType.list(daft.DataType.string()))  # type: ignore[untyped-decorator]  # Daft is not here
    async def __call__(self, key: str, prompt: str) -> list[str]:
        manifest = await self._generate.rows([{"id": key, "prompt": prompt}])
        return [row["path"] or row["message"] for row in manifest]


def executed_three_times(generate: GenerateRows, folder: Path) -> None:
    column = Generate(generate)
    table = daft.from_pylist(rows(20))
    table = table.with_column("pictures", column(table["id"], table["prompt"]))
    assert len(table.limit(5).to_pylist()) == 5
    table.write_parquet(str(folder / "manifest"))
    assert all(Path(path).is_file() for row in table.to_pylist() for path in row["pictures"])


def test_daft_executes_its_plan_three_times_and_pays_once(tmp_path: Path) -> None:
    with judge() as service, SubmitterThread(tmp_path / "out", connect=service.connect) as submitter:
        executed_three_times(GenerateRows(submitter, str(tmp_path / "pictures"), connect=service.connect), tmp_path)
        assert (service.paid, service.paid_twice) == (20, [])


def test_daft_on_ray_takes_the_handle_of_the_submitter_on_the_head_node(tmp_path: Path) -> None:
    """In a process of its own: Daft keeps its first runner for good."""
    pytest.importorskip("ray")
    code = f"""
import daft
from pathlib import Path
from scale.service import judge
from scale.test_daft import executed_three_times
from seedream.bulk import GenerateRows
from seedream.ray import cluster, start_submitter
folder = Path({str(tmp_path)!r})
with judge() as service, cluster(workers=2):
    daft.set_runner_ray()
    submitter = start_submitter(folder / "out", connect=service.connect)
    executed_three_times(GenerateRows(submitter, str(folder / "pictures"), connect=service.connect), folder)
    assert (service.paid, service.paid_twice) == (20, [])
    assert submitter.close().counts["downloaded"] == 20
"""
    tests = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
