"""Without Ray: what is said, and what is not loaded."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from seedream.cli.app import app
from seedream.errors import ConfigError


@pytest.fixture
def _without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # import ray: ModuleNotFoundError


@pytest.mark.usefixtures("_without_ray")
def test_the_command_names_the_extra_and_where_it_is_from(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.jsonl"
    jobs.write_text('{"prompt": "a fish"}\n', "utf-8")
    done = CliRunner().invoke(
        app, ["bulk", "run", str(jobs), "-o", str(tmp_path / "out"), "--ray", "--sandbox"], env={"LC_ALL": "C.UTF-8"}
    )
    assert done.exit_code == 2
    assert 'pip install ".[ray]"' in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("_without_ray")
def test_the_library_names_the_extra(tmp_path: Path) -> None:
    from seedream.ray import start_submitter  # noqa: PLC0415 -- Ray is not needed for the import

    with pytest.raises(ConfigError, match="Ray is not installed") as caught:
        start_submitter(tmp_path / "out")
    assert "[ray]" in str(caught.value.hint)


def test_the_options_of_a_cluster_need_a_cluster(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.jsonl"
    jobs.write_text('{"prompt": "a fish"}\n', "utf-8")
    done = CliRunner().invoke(
        app,
        ["bulk", "run", str(jobs), "-o", str(tmp_path / "out"), "--workers", "2", "--sandbox"],
        env={"LC_ALL": "C.UTF-8"},
    )
    assert done.exit_code == 2
    assert "--ray" in done.stderr


def test_nothing_of_a_cluster_is_loaded_by_the_client_or_by_a_bulk_run() -> None:
    code = "import sys, seedream, seedream.bulk; print(sorted({'ray', 'pyarrow', 'fsspec', 'daft'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
