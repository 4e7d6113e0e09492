"""Where pictures go: a directory, an object store, and addresses as they are recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from seedream.bulk import GenerateRows, PictureStore, SubmitterThread
from seedream.errors import ConfigError

from scale.service import judge, rows


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("/data/pictures", "/data/pictures"),
        ("file:///data/my%20pictures", "/data/my pictures"),
        ("s3://bucket/prefix/", "s3://bucket/prefix"),
        ("s3://KEY:SECRET@bucket/prefix?endpoint_override=127.0.0.1:1&scheme=http", "s3://bucket/prefix"),
    ],
)
def test_credentials_and_settings_never_reach_the_recorded_address(target: str, address: str) -> None:
    store = PictureStore(target)
    assert store.address == address
    assert "SECRET" not in repr(store)


def test_a_store_that_nobody_knows_is_refused_before_anything_is_paid(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with (
        judge() as service,
        SubmitterThread(tmp_path / "out", connect=service.connect) as submitter,
        pytest.raises(ConfigError, match="nowhere://"),
    ):
        GenerateRows(submitter, "nowhere://bucket", connect=service.connect)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URI of a bucket on a real S3 server on loopback."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    filesystems = pytest.importorskip("pyarrow.fs")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server.start()
    try:
        host, port = server.get_host_and_port()
        settings = f"endpoint_override={host}:{port}&scheme=http&region=us-east-1&allow_bucket_creation=true"
        filesystem, path = filesystems.FileSystem.from_uri(f"s3://bucket?{settings}")
        filesystem.create_dir(path)
        yield f"s3://bucket/run/pictures?{settings}"
    finally:
        server.stop()


def test_pictures_reach_an_s3_server_whole(tmp_path: Path, s3: str) -> None:
    import pyarrow.fs  # noqa: PLC0415 -- only where it is installed

    with judge() as service:
        with (
            SubmitterThread(tmp_path / "out", connect=service.connect) as submitter,
            GenerateRows(submitter, s3, connect=service.connect) as generate,
        ):
            manifest = [generate({**row, "batchsize": 2}) for row in rows(3)]
        assert (service.paid, service.paid_twice) == (3, [])
    filesystem, _ = pyarrow.fs.FileSystem.from_uri(s3)
    for row in (row for part in manifest for row in part):
        assert row["path"].startswith("s3://bucket/run/pictures/")
        stored = filesystem.open_input_file(row["path"].removeprefix("s3://")).read()
        assert len(stored) == row["bytes"]
    assert len([row for part in manifest for row in part]) == 6
    assert not (tmp_path / "out" / "pictures").exists()


def test_a_library_of_fsspec_serves_where_pyarrow_knows_no_such_place(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    pytest.importorskip("pyarrow")
    with (
        judge() as service,
        SubmitterThread(tmp_path / "out", connect=service.connect) as submitter,
        GenerateRows(submitter, "memory://pictures", connect=service.connect) as generate,
    ):
        (row,) = generate(rows(1)[0])
    assert row["path"].startswith("memory://pictures/")
    assert fsspec.filesystem("memory").size(row["path"].removeprefix("memory:/")) == row["bytes"]


def test_a_store_that_refuses_leaves_the_task_to_be_fetched_again(tmp_path: Path, s3: str) -> None:
    with judge() as service:
        with (
            SubmitterThread(tmp_path / "out", connect=service.connect) as submitter,
            GenerateRows(submitter, s3.replace("s3://bucket/", "s3://missing/"), connect=service.connect) as generate,
        ):
            (row,) = generate(rows(1)[0])
            assert (row["state"], row["billing"], row["error"]) == ("succeeded", "yes", "DiskError")
        with (
            SubmitterThread(tmp_path / "out", connect=service.connect) as submitter,
            GenerateRows(submitter, s3, connect=service.connect) as generate,
        ):
            (row,) = generate(rows(1)[0])
            assert row["state"] == "downloaded"
        assert service.paid == 1
