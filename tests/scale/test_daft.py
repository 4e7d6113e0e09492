"""The same two objects under another engine: the example of docs/scale.md."""

from pathlib import Path

import pytest
from seedream.bulk import GenerateRows, SubmitterThread

from scale.service import judge, rows

daft = pytest.importorskip("daft")


def test_daft_executes_its_plan_three_times_and_pays_once(tmp_path: Path) -> None:
    with judge() as service, SubmitterThread(tmp_path / "out", connect=service.connect) as submitter:

        @daft.cls(max_concurrency=64, use_process=False)
        class Generate:
            def __init__(self, generate: GenerateRows) -> None:
                self._generate = generate

            @daft.method(return_dtype=daft.DataType.list(daft.DataType.string()))  # type: ignore[untyped-decorator]  # Daft is not here
            async def __call__(self, key: str, prompt: str) -> list[str]:
                manifest = await self._generate.rows([{"id": key, "prompt": prompt}])
                return [row["path"] or row["message"] for row in manifest]

        generate = Generate(GenerateRows(submitter, str(tmp_path / "pictures"), connect=service.connect))
        table = daft.from_pylist(rows(20))
        table = table.with_column("pictures", generate(table["id"], table["prompt"]))
        assert len(table.limit(5).to_pylist()) == 5
        table.write_parquet(str(tmp_path / "manifest"))
        assert all(Path(path).is_file() for row in table.to_pylist() for path in row["pictures"])
        assert (service.paid, service.paid_twice) == (20, [])
