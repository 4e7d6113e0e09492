"""The Ray backend on a local cluster. Needs the environment of requirements/ray.lock: `make scale-short`."""

import gc
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from seedream import ConfigError, InvalidRequest
from seedream.bulk import Bulk, BulkOptions

from scale.service import Judge, delivered, judge, rows

ray = pytest.importorskip("ray")
from seedream.ray import RayBulk, RayGenerate, start_submitter  # noqa: E402
from seedream.ray.generate import _rows  # noqa: E402

from scale import cluster_runs  # noqa: E402 -- needs Ray

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="finds the cluster's processes in /proc"),
    pytest.mark.filterwarnings("default"),  # Ray's own
]


@pytest.mark.parametrize("batch_format", ["numpy", "pyarrow", "pandas"])
def test_rows_arrive_the_same_in_every_batch_format(batch_format: str) -> None:

    arrow = pytest.importorskip("pyarrow")
    rows_given = [
        {"prompt": "a", "batchsize": 2, "resolution": None},
        {"prompt": "b", "batchsize": None, "resolution": "2K"},
    ]
    table = arrow.Table.from_pylist(rows_given)
    numpy = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
    batches = {"numpy": numpy, "pyarrow": table, "pandas": table.to_pandas()}
    assert _rows(batches[batch_format]) == rows_given


@pytest.fixture(scope="module")
def _cluster() -> Iterator[None]:

    with cluster_runs.local_cluster():
        yield


@pytest.fixture
def service(_cluster: None) -> Iterator[Judge]:
    with judge() as running:
        yield running
    gc.collect()  # the workers of a pipeline live as long as its executor, which is in reference cycles


def test_a_local_cluster_listens_on_loopback_only_and_reports_to_nobody(service: Judge, tmp_path: Path) -> None:
    start_submitter(tmp_path / "out", connect=service.connect).close()
    ours = cluster_runs.descendants(os.getpid())
    assert len(ours) > 3
    loopback = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
    assert cluster_runs.listening(ours) - loopback == set()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_a_lazy_plan_that_is_executed_twice_pays_once(service: Judge, tmp_path: Path) -> None:

    submitter = start_submitter(tmp_path / "out", connect=service.connect)
    manifest = cluster_runs.pipeline(service, submitter, tmp_path, 24)
    assert len(manifest.take(5)) == 5
    manifest.write_parquet(str(tmp_path / "manifest"))
    report = submitter.close()
    written = ray.data.read_parquet(str(tmp_path / "manifest")).take_all()
    assert delivered(written) == {row["id"] for row in rows(24)}
    assert (service.paid, service.paid_twice) == (24, [])
    assert report.counts["downloaded"] == 24


def test_a_worker_killed_in_the_middle_costs_nothing(service: Judge, tmp_path: Path) -> None:

    cluster_runs.worker_killed(service, tmp_path / "out", 60, random.Random(1))
    assert service.paid_twice == []


def test_the_submitter_killed_leaves_only_what_was_in_flight_unknown(service: Judge, tmp_path: Path) -> None:

    cluster_runs.submitter_killed(service, tmp_path / "out", 60, random.Random(2))
    assert service.paid_twice == []


def test_the_driver_killed_leaves_only_what_was_in_flight_unknown(service: Judge, tmp_path: Path) -> None:

    cluster_runs.driver_killed(service, tmp_path / "run", 60, random.Random(3))
    assert service.paid_twice == []


def test_rate_and_budget_hold_for_the_whole_cluster(service: Judge, tmp_path: Path) -> None:

    submitter = start_submitter(tmp_path / "out", connect=service.connect, options=BulkOptions(rate=10, budget=20))
    manifest = cluster_runs.pipeline(service, submitter, tmp_path, 32).take_all()
    report = submitter.close()
    times = [one.at for one in service.sandbox.charges]
    assert service.paid == 20
    assert (times[-1] - times[0]) >= 0.9 * 19 / 10
    assert (report.reason, report.counts["planned"]) == ("budget", 12)
    assert sorted({(row["state"], row["billing"]) for row in manifest}) == [("downloaded", "yes"), ("planned", "no")]


def test_wrong_rows_are_columns_and_wrong_jobs_are_refused_as_anywhere_else(service: Judge, tmp_path: Path) -> None:

    submitter = start_submitter(tmp_path / "out", connect=service.connect)
    bad = [
        {"id": "a", "prompt": "x", "resolution": "1x1", "batchsize": 2},
        {"id": "b", "prompt": "x", "resolution": None, "batchsize": None},
    ]
    found = ray.data.from_items(bad).map_batches(
        RayGenerate,
        fn_constructor_args=(submitter, str(tmp_path / "p")),
        fn_constructor_kwargs={"connect": service.connect},
        compute=ray.data.ActorPoolStrategy(size=1),
        num_cpus=0.5,
    )
    assert {row["id"]: row["error"] for row in found.take_all()} == {"a": "InvalidRequest", "b": None}
    submitter.close()
    with pytest.raises(InvalidRequest):
        start_submitter(tmp_path / "other", connect=service.connect, jobs=[{"prompt": ""}])
    assert service.paid == 1


def test_the_command_survives_a_lost_worker_and_its_stdout_is_one_document(tmp_path: Path) -> None:
    with judge(progress="polls") as running:
        count, chance = 40, random.Random(4)
        (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(count)), "utf-8")
        variables = {"TENSORSLAB_API_KEY": running.sandbox.api_key, "TENSORSLAB_BASE_URL": running.sandbox.base_url}
        words = ["bulk", "run", "jobs.jsonl", "-o", "out", "--ray", "--workers", "2", "--rate", "20/s", "--json"]
        with (tmp_path / "log").open("wb") as log:
            driver = subprocess.Popen(
                [sys.executable, "-m", "seedream", *words],
                cwd=tmp_path,
                env={**os.environ, **variables},
                stdout=subprocess.PIPE,
                stderr=log,
            )
            cluster_runs.until(lambda: running.paid >= count // 3, "enough submissions")
            workers = cluster_runs.descendants(driver.pid, "StoreDelivery")
            os.kill(chance.choice(workers), signal.SIGKILL)
            out = driver.communicate()[0]
        assert driver.returncode == 0, (tmp_path / "log").read_text("utf-8", "replace")[-2000:]
        assert json.loads(out)["counts"]["downloaded"] == count
        assert (running.paid, running.paid_twice) == (count, [])


def test_the_command_stops_at_its_budget_and_resumes_and_everything_reads_its_folder(tmp_path: Path) -> None:
    jobs = tmp_path / "jobs.jsonl"
    jobs.write_text("".join(json.dumps(row) + "\n" for row in rows(8)), "utf-8")
    out = tmp_path / "out"

    def seedream(*arguments: str) -> "subprocess.CompletedProcess[str]":
        variables = {"TENSORSLAB_API_KEY": running.sandbox.api_key, "TENSORSLAB_BASE_URL": running.sandbox.base_url}
        command = [sys.executable, "-m", "seedream", "bulk", *arguments]
        return subprocess.run(command, env={"PATH": "", **variables}, capture_output=True, text=True, check=False)

    with judge() as running:
        first = seedream("run", str(jobs), "-o", str(out), "--ray", "--workers", "1", "--budget", "5", "--json")
        assert first.returncode == 11, first.stderr
        second = seedream("resume", str(out), "--ray", "--workers", "1", "--budget", "8", "--json")
        assert second.returncode == 0, second.stderr
        assert (running.paid, running.paid_twice) == (8, [])
        status = json.loads(seedream("status", str(out), "--json").stdout)
    assert status["counts"]["downloaded"] == 8
    manifest = _read(out)
    assert delivered(manifest, out) == {row["id"] for row in rows(8)}
    assert (out / "gallery.html").is_file()
    assert len((out / "results.jsonl").read_text("utf-8").splitlines()) == 8


def test_the_command_uses_a_cluster_that_is_there_and_leaves_it_running(service: Judge, tmp_path: Path) -> None:
    (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(8)), "utf-8")
    variables = {"TENSORSLAB_API_KEY": service.sandbox.api_key, "TENSORSLAB_BASE_URL": service.sandbox.base_url}
    words = ["bulk", "run", "jobs.jsonl", "-o", "out", "--json", "--workers", "1", "--ray"]
    command = [sys.executable, "-m", "seedream", *words]
    for address, code in (("127.0.0.1:1", 4), (ray.get_runtime_context().gcs_address, 0)):
        done = subprocess.run(
            [*command, address],
            cwd=tmp_path,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr[-2000:]
    assert (service.paid, service.paid_twice) == (8, [])
    assert [node["Alive"] for node in ray.nodes()] == [True]


def test_nothing_is_paid_where_no_worker_can_start(
    service: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seedream.ray.delivery._START", 1.0)
    placement = ray.util.placement_group([{"CPU": 2}])
    ray.get(placement.ready(), timeout=60)
    try:
        with pytest.raises(ConfigError, match="could start"):
            RayBulk(tmp_path / "out", connect=service.connect, workers=1).run(rows(2))
    finally:
        ray.util.remove_placement_group(placement)
    assert service.paid == 0


def test_a_manifest_follows_its_journal_and_is_never_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with judge() as running:
        Bulk(tmp_path / "out", connect=running.connect, manifest=True).run(rows(2), options=BulkOptions(budget=1))
        # Two jobs begin at once; either may get the one picture of the budget.
        assert sorted(str(row["state"]) for row in _read(tmp_path / "out")) == ["downloaded", "planned"]
        Bulk(tmp_path / "out", connect=running.connect).run(options=BulkOptions(budget=2))
        assert [row["state"] for row in _read(tmp_path / "out")] == ["downloaded", "downloaded"]
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
        report = Bulk(tmp_path / "out", connect=running.connect).run()
        assert not (tmp_path / "out" / "manifest.parquet").exists()
        assert "manifest.parquet" in report.warnings[0]


def _read(out: Path) -> list[dict[str, object]]:
    parquet = pytest.importorskip("pyarrow.parquet")
    found: list[dict[str, object]] = parquet.read_table(out / "manifest.parquet").to_pylist()
    return found
