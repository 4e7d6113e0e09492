"""Where pictures go, and rows in any engine: a store that fails, an address that hides, an error that is a column."""

import errno
import importlib
import io
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from attrs import evolve
from seedream import AsyncSeeDream
from seedream.bulk import MANIFEST_COLUMNS, BulkOptions, Delivery, GenerateRows, PictureStore, run_rows
from seedream.bulk.rows import run_row
from seedream.bulk.storage import StoreDelivery
from seedream.errors import (
    BudgetReached,
    ConfigError,
    DiskError,
    InsufficientCredits,
    JournalFull,
    Rejected,
    ResultExpired,
    SeeDreamError,
    SubmissionUnknown,
    TaskFailed,
    WaitTimeout,
)
from seedream.journal import Picture
from support.clients import KEY
from support.clock import FakeClock
from support.fake_service import FakeService, completed, task_reply
from support.pictures import picture

EXTRA = "Install the extra from the project's folder: pip install '.[ray]'"
HOST = "https://images.example"


# The store.


@pytest.mark.parametrize(
    ("target", "local", "address"),
    [
        ("/data/pictures", "/data/pictures", "/data/pictures"),
        ("pictures", "{cwd}/pictures", "{cwd}/pictures"),
        ("file:///data/my%20pictures", "/data/my pictures", "/data/my pictures"),
        ("s3://K:S@bucket/a/b/?region=eu#x", None, "s3://bucket/a/b"),
        ("gs://bucket", None, "gs://bucket"),
        ("S3://u@x@bucket/", None, "s3://bucket"),
    ],
)
def test_where_a_store_is_and_how_it_is_recorded(
    target: str, local: str | None, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = PictureStore(target)
    assert store.local == (None if local is None else Path(local.format(cwd=tmp_path)))
    assert store.address == address.format(cwd=tmp_path)
    assert "K:S" not in repr(store)


class FileSystem:
    """A file system that fails so many times, and keeps what was written."""

    def __init__(self, kind: str = "local", failures: int = 0, short: int = 0) -> None:
        self.type_name = kind
        self.failures, self.short = failures, short
        self.files: dict[str, bytes] = {}
        self.made: list[tuple[str, bool]] = []

    def create_dir(self, path: str, *, recursive: bool) -> None:
        self.made.append((path, recursive))

    def open_output_stream(self, path: str) -> Any:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EIO, "no answer")
        files = self.files

        class Stream(io.BytesIO):
            def close(self) -> None:
                files[path] = self.getvalue()
                super().close()

        return Stream()

    def get_file_info(self, path: str) -> Any:
        return SimpleNamespace(size=len(self.files[path]) - self.short)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr("seedream.bulk.storage.time.sleep", pauses.append)
    return pauses


def stored(monkeypatch: pytest.MonkeyPatch, filesystem: FileSystem, base: str = "bucket/a/") -> PictureStore:
    monkeypatch.setattr(PictureStore, "_filesystem", lambda _: (filesystem, base))
    return PictureStore("s3://bucket/a/")


@pytest.mark.parametrize(("kind", "made"), [("s3", 0), ("gcs", 0), ("abfs", 0), ("local", 1), ("hdfs", 1), ("py", 1)])
def test_a_file_is_stored_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float], kind: str, made: int
) -> None:
    (tmp_path / "t-1.png").write_bytes(b"picture" * 400_000)
    filesystem = FileSystem(kind)
    assert stored(monkeypatch, filesystem).put(tmp_path / "t-1.png") == "s3://bucket/a/t-1.png"
    assert filesystem.files == {"bucket/a/t-1.png": b"picture" * 400_000}
    assert filesystem.made == [("bucket/a/", True)] * made
    assert slept == []


@pytest.mark.parametrize(("failures", "pauses"), [(1, [1.0]), (2, [1.0, 2.0])])
def test_a_store_is_tried_three_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float], failures: int, pauses: list[float]
) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    filesystem = FileSystem(failures=failures)
    assert stored(monkeypatch, filesystem).put(tmp_path / "a.png") == "s3://bucket/a/a.png"
    assert slept == pauses


@pytest.mark.parametrize(
    ("filesystem", "reason"),
    [(FileSystem(failures=9), "[Errno 5] no answer"), (FileSystem(short=1), "0 of 1 bytes arrived")],
)
def test_what_did_not_arrive_whole_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float], filesystem: FileSystem, reason: str
) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(DiskError) as caught:
        stored(monkeypatch, filesystem).put(tmp_path / "a.png")
    assert caught.value.message == f"a.png could not be stored at s3://bucket/a: {reason}"
    assert caught.value.hint == "Check it, then resume."
    assert slept == [1.0, 2.0], "nobody waits after the last try"


class Libraries:
    """pyarrow.fs and fsspec, of which each knows what a test says."""

    def __init__(self, arrow: Any = None, fsspec: Any = None) -> None:
        self.arrow, self.fsspec = arrow, fsspec
        self.FileSystem = self
        self.asked: list[str] = []

    def imported(self, name: str) -> Any:
        self.asked.append(name)
        if (name == "pyarrow.fs" and self.arrow is None) or (name == "fsspec.core" and self.fsspec is None):
            raise ImportError(f"no {name}")
        return self

    def from_uri(self, target: str) -> Any:
        if isinstance(self.arrow, Exception):
            raise self.arrow
        return (self.arrow, target)

    def url_to_fs(self, target: str) -> Any:
        if isinstance(self.fsspec, Exception):
            raise self.fsspec
        return self.fsspec, Path(target)

    def FSSpecHandler(self, filesystem: Any) -> Any:  # noqa: N802 -- pyarrow's name
        return ("handler", filesystem)

    def PyFileSystem(self, handler: Any) -> Any:  # noqa: N802 -- pyarrow's name
        return ("python", handler)


@pytest.mark.parametrize("error", [ValueError("?"), OSError("?"), NotImplementedError("?")])
def test_a_place_that_pyarrow_does_not_know_may_be_one_of_fsspec(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    libraries = Libraries(error, "theirs")
    monkeypatch.setattr(importlib, "import_module", libraries.imported)
    assert PictureStore("x://b")._filesystem() == (("python", ("handler", "theirs")), "x:/b")
    assert libraries.asked == ["pyarrow.fs", "fsspec.core"]
    libraries.arrow, libraries.asked = "ours", []
    assert PictureStore("x://b")._filesystem() == ("ours", "x://b")
    assert libraries.asked == ["pyarrow.fs"]
    PictureStore("x://b").check()
    PictureStore("/local").check()
    assert libraries.asked == ["pyarrow.fs"] * 2


@pytest.mark.parametrize(
    ("libraries", "message", "hint"),
    [
        (Libraries(), "pictures at x://b need pyarrow", EXTRA),
        (Libraries(ValueError("one")), "pictures cannot be stored at x://b: no fsspec.core (one)", None),
        (Libraries(OSError("one"), ValueError("two")), "pictures cannot be stored at x://b: two (one)", None),
        (Libraries(OSError("one"), OSError("two")), "pictures cannot be stored at x://b: two (one)", None),
    ],
)
def test_a_place_that_nobody_knows(
    monkeypatch: pytest.MonkeyPatch, libraries: Libraries, message: str, hint: str | None
) -> None:
    monkeypatch.setattr(importlib, "import_module", libraries.imported)
    with pytest.raises(ConfigError) as caught:
        PictureStore("x://k:s@b?secret=1").check()
    known = "Give a directory, or a URI that pyarrow or an installed fsspec library knows."
    assert (caught.value.message, caught.value.hint) == (message, hint or known)


def client_of(service: FakeService) -> AsyncSeeDream:
    return AsyncSeeDream(KEY, base_url="https://api.example", transport=service.transport, clock=FakeClock())


def bring(store: PictureStore, service: FakeService, images: int = 2, **options: Any) -> Delivery:
    async def inside() -> Delivery:
        delivery = StoreDelivery(lambda: client_of(service), store, BulkOptions(**options))
        try:
            return await delivery.deliver("t1", images)
        finally:
            await delivery.close()

    return anyio.run(inside)


def one_picture() -> FakeService:
    return FakeService(completed(f"{HOST}/1", f"{HOST}/2"), pictures={"/1": picture(seed=1), "/2": picture(seed=2)})


def test_pictures_of_a_local_store_have_whole_paths(tmp_path: Path) -> None:
    found = bring(PictureStore(str(tmp_path / "p")), one_picture(), images=2)
    assert (found.taskid, found.state, found.error) == ("t1", "downloaded", None)
    assert [Path(one.path).read_bytes() for one in found.pictures] == [picture(seed=1), picture(seed=2)]
    assert [Path(one.path).parent for one in found.pictures] == [tmp_path / "p"] * 2


def test_pictures_of_another_store_have_its_addresses_and_leave_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filesystem = FileSystem()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = bring(stored(monkeypatch, filesystem), one_picture(), images=2)
    assert found.state == "downloaded"
    assert [one.path for one in found.pictures] == [
        one.replace("bucket", "s3://bucket").replace("//t", "/t") for one in filesystem.files
    ]
    assert list(filesystem.files.values()) == [picture(seed=1), picture(seed=2)]
    assert [(one.index, one.bytes) for one in found.pictures] == [(0, len(picture(seed=1))), (1, len(picture(seed=2)))]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("slept")
def test_a_store_that_refuses_leaves_the_task_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = bring(stored(monkeypatch, FileSystem(failures=9)), one_picture(), images=2)
    assert (found.taskid, found.state, found.pictures) == ("t1", "succeeded", ())
    assert isinstance(found.error, DiskError)


@pytest.mark.parametrize("target", ["{folder}/p", "s3://bucket/a"])
def test_the_settings_of_a_delivery_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    monkeypatch.setattr(PictureStore, "_filesystem", lambda _: (FileSystem(), "bucket/a"))
    store = PictureStore(target.format(folder=tmp_path))
    assert bring(store, one_picture(), images=2, max_bytes=10).state == "succeeded"
    assert bring(store, one_picture(), images=3).state == "succeeded"
    assert bring(store, one_picture(), images=1).state == "downloaded"
    late = bring(store, FakeService(task_reply(2)), task_timeout=60.0)
    assert (late.state, "60" in str(late.error)) == ("submitted", True)
    assert "900" in str(bring(store, FakeService(task_reply(2))).error)


def test_a_client_is_made_at_the_first_task_and_closed_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[AsyncSeeDream] = []
    seen: list[dict[str, Any]] = []

    def connect() -> AsyncSeeDream:
        made.append(client_of(one_picture()))
        return made[-1]

    async def deliver(client: AsyncSeeDream, taskid: str, directory: Path, **settings: Any) -> Delivery:
        assert client is made[-1]
        seen.append({"taskid": taskid, "directory": directory, **settings})
        return Delivery(taskid, "downloaded")

    monkeypatch.setattr("seedream.bulk.storage.deliver", deliver)
    options = BulkOptions(downloads=3, task_timeout=4.0, max_bytes=5)
    delivery = StoreDelivery(connect, PictureStore(str(tmp_path)), options)

    async def use() -> None:
        await delivery.close()
        assert made == []
        for number in range(2):
            await delivery.deliver(f"t{number}", number)
        client = delivery.client
        await delivery.close()
        assert client is not None
        assert delivery.client is None
        with pytest.raises(ConfigError):
            await client.query("t1")
        await delivery.deliver("t2", 2)
        await delivery.close()

    anyio.run(use)
    assert len(made) == 2
    limits = [one.pop("downloads") for one in seen]
    assert [one.total_tokens for one in limits] == [3, 3, 3]
    assert limits[0] is limits[1]
    given = {"directory": tmp_path, "timeout": 4.0, "max_bytes": 5}
    assert seen == [{"taskid": f"t{n}", "images": n, **given} for n in range(3)]


# Rows.

NOTHING: dict[str, Any] = dict.fromkeys(MANIFEST_COLUMNS)
GOOD = Delivery("t-1", "downloaded", (Picture(0, "p/1.png", 5, "0" * 64), Picture(1, "p/2.png", 6, "1" * 64)))


def do(row: Any, *, ensured: Any = "t-1", delivery: Delivery = GOOD, recorded: Any = None) -> tuple[Any, list[Any]]:
    """Run one row with a submitter that gives or raises this; gives the rows and the calls."""
    calls: list[Any] = []

    async def ensure(key: str, request: Any) -> str:
        calls.append(("ensure", key, dict(request)))
        if isinstance(ensured, Exception):
            raise ensured
        return str(ensured)

    async def deliver(taskid: str, images: int) -> Delivery:
        calls.append(("deliver", taskid, images))
        return delivery

    async def record(key: str, delivery: Delivery) -> None:
        calls.append(("record", key, delivery))
        if isinstance(recorded, Exception):
            raise recorded

    async def inside() -> Any:
        return await run_row(row, ensure=ensure, deliver=deliver, record=None if recorded == "no" else record)

    return anyio.run(inside), calls


def test_a_row_is_submitted_delivered_and_recorded() -> None:
    rows, calls = do({"id": 7, "prompt": "p", "batchsize": 2})
    base = {**NOTHING, "id": "7", "taskid": "t-1", "state": "downloaded", "images": 2, "billing": "yes"}
    assert rows == [
        {**base, "index": 0, "path": "p/1.png", "bytes": 5, "sha256": "0" * 64},
        {**base, "index": 1, "path": "p/2.png", "bytes": 6, "sha256": "1" * 64},
    ]
    assert calls == [("ensure", "7", {"prompt": "p", "batchsize": 2}), ("deliver", "t-1", 2), ("record", "7", GOOD)]
    again, calls = do({"prompt": "p"}, recorded="no")
    assert [name for name, *_ in calls] == ["ensure", "deliver"]
    assert again[0]["id"] == calls[0][1]
    assert again[0]["id"].endswith("-1")


@pytest.mark.parametrize(
    ("error", "state", "billing", "taskid"),
    [
        (Rejected("no"), "rejected", "no", None),
        (SubmissionUnknown("lost"), "unknown", "unknown", None),
        (InsufficientCredits("none"), "planned", "no", None),
        (BudgetReached("over"), "planned", "no", None),
        (JournalFull("full"), "planned", "no", None),
        (JournalFull("full", taskid="t-9", billing="yes"), "unknown", "yes", "t-9"),
        (Rejected("no", taskid="t-9"), "unknown", "no", "t-9"),
    ],
)
def test_why_a_row_has_no_task_is_in_its_columns(
    error: SeeDreamError, state: str, billing: str, taskid: str | None
) -> None:
    rows, calls = do({"id": "a", "prompt": "p"}, ensured=error)
    expected = {
        "state": state,
        "billing": billing,
        "taskid": taskid,
        "error": type(error).__name__,
        "message": str(error),
    }
    assert rows == [{**NOTHING, "id": "a", "images": 1, **expected}]
    assert [name for name, *_ in calls] == ["ensure"]


@pytest.mark.parametrize(("key", "shown"), [(None, None), (5, "5"), ("a", "a")])
def test_a_row_that_breaks_a_rule_is_not_submitted(key: object, shown: str | None) -> None:
    (row,), calls = do({"id": key, "prompt": ""})
    assert {**row, "message": None} == {
        **NOTHING,
        "id": shown,
        "state": "rejected",
        "billing": "no",
        "error": "InvalidRequest",
    }
    assert "prompt" in row["message"]
    assert calls == []


@pytest.mark.parametrize(
    ("state", "error", "billing"),
    [
        ("failed", TaskFailed("no"), "unknown"),
        ("succeeded", ResultExpired("gone"), "yes"),
        ("submitted", WaitTimeout("late"), "yes"),
    ],
)
def test_why_a_task_has_no_pictures_is_in_its_columns(state: Any, error: SeeDreamError, billing: str) -> None:
    rows, calls = do({"id": "a", "prompt": "p"}, delivery=Delivery("t-1", state, error=error))
    expected = {
        "state": state,
        "billing": billing,
        "taskid": "t-1",
        "error": type(error).__name__,
        "message": str(error),
    }
    assert rows == [{**NOTHING, "id": "a", "images": 1, **expected}]
    assert calls[-1][0] == "record"


def test_a_delivery_that_cannot_be_recorded_is_in_the_columns() -> None:
    (row,), _ = do({"id": "a", "prompt": "p"}, recorded=JournalFull("full"))
    assert (row["taskid"], row["state"], row["billing"]) == ("t-1", "downloaded", "yes")
    assert (row["error"], row["message"]) == ("JournalFull", str(JournalFull("full")))


def test_several_rows_run_at_once_and_come_back_in_order() -> None:
    arrived: list[str] = []
    all_there = anyio.Event

    async def inside() -> Any:
        ready = all_there()

        async def ensure(key: str, _: Any) -> str:
            arrived.append(key)
            if len(arrived) == 3:
                ready.set()
            await ready.wait()  # ends only when all three run at once
            return f"t-{key}"

        async def deliver(taskid: str, _: int) -> Delivery:
            return evolve(GOOD, taskid=taskid, pictures=GOOD.pictures[: 1 + (taskid == "t-b")])

        rows = [{"id": key, "prompt": key} for key in "abc"]
        return await run_rows(iter(rows), ensure=ensure, deliver=deliver)

    assert [(row["id"], row["index"]) for row in anyio.run(inside)] == [("a", 0), ("b", 0), ("b", 1), ("c", 0)]
    assert anyio.run(lambda: run_rows([], ensure=None, deliver=None)) == []  # type: ignore[arg-type]


class Shared:
    """A submitter that gives one task, and can be pickled."""

    async def ensure(self, key: str, request: Any) -> str:
        del key, request
        return "t1"

    def __init__(self) -> None:
        self.recorded: list[Any] = []

    async def record(self, key: str, delivery: Delivery) -> None:
        self.recorded.append((key, delivery.taskid, delivery.state))


def connect() -> AsyncSeeDream:
    return client_of(one_picture())


def test_a_row_function_drops_columns_without_a_value_and_pickles_with_its_settings(tmp_path: Path) -> None:
    options = BulkOptions(task_timeout=7.0)
    shared = Shared()
    with GenerateRows(shared, str(tmp_path / "p"), connect=connect, options=options) as generate:
        rows = generate({"id": "a", "prompt": "p", "batchsize": 2, "resolution": None})
        assert [(row["id"], row["state"], row["images"]) for row in rows] == [("a", "downloaded", 2)] * 2
        assert len(generate({"id": "b", "prompt": "p", "batchsize": 2})) == 2
        assert shared.recorded == [("a", "t1", "downloaded"), ("b", "t1", "downloaded")]
        again = pickle.loads(pickle.dumps(generate))  # noqa: S301 -- our own
    assert (again._delivery.options, again._delivery.connect, again._delivery.store) == (
        options, connect, PictureStore(str(tmp_path / "p")),
    )  # fmt: skip
    assert generate._delivery.client is None
    assert GenerateRows(Shared(), str(tmp_path))._delivery.options == BulkOptions()
    assert GenerateRows(Shared(), str(tmp_path))._delivery.connect is AsyncSeeDream
    assert anyio.run(again.rows, [{"id": "a", "prompt": "p", "batchsize": 2}])[0]["state"] == "downloaded"
    again.close()
    assert again._delivery.client is None


def test_a_place_that_cannot_be_used_is_refused_at_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", Libraries().imported)
    with pytest.raises(ConfigError, match="need pyarrow"):
        GenerateRows(Shared(), "s3://bucket")
