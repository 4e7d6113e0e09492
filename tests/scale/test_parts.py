"""The parts of the Ray backend, on a stand-in for the module ``ray``: no cluster is started, and no time passes."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import anyio
import pytest
from seedream.bulk import Bulk, BulkOptions, Delivery
from seedream.bulk.storage import PictureStore
from seedream.errors import ConfigError, DownloadError, InvalidRequest, JournalError, JournalLocked
from seedream.journal import Picture
from seedream.ray import RayBulk, RayGenerate, RaySubmitter, delivery, generate, start_submitter, submitter
from seedream.ray.cluster import cluster, head_node, load_ray
from seedream.ray.generate import _rows
from support.clock import FakeClock

LOST = JournalError("no room", hint="Make room.")
DELIVERED = Delivery("t1", "downloaded")


class ActorLost(Exception):
    """Ray's RayActorError."""


class Method:
    """A method of an actor: what it is called with is noted, and its results come one after another."""

    def __init__(self, name: str, calls: list[Any], results: list[Any]) -> None:
        self._name, self._calls, self._results = name, calls, results

    def remote(self, *given: Any) -> Any:
        self._calls.append((self._name, *given))
        result = self._results.pop(0) if len(self._results) > 1 else self._results[0]

        class Reference:
            def __await__(self) -> Generator[None, None, Any]:
                yield from ()
                if isinstance(result, ActorLost):
                    raise result
                return result

            value = result

        return Reference()


class FakeRay(ModuleType):
    """Notes what is asked of it."""

    def __init__(self) -> None:
        super().__init__("ray")
        self.calls: list[Any] = []
        self.killed: list[Any] = []
        self.awaited: list[Any] = []
        self.connected = False
        self.results: dict[str, list[Any]] = {}
        self.cpus: float | None = 3.0  # None: the cluster does not say
        self.started = True
        self.refuses: Exception | None = None
        self.exceptions = SimpleNamespace(RayActorError=ActorLost)
        self.util = SimpleNamespace(
            scheduling_strategies=SimpleNamespace(NodeAffinitySchedulingStrategy=lambda node, soft: (node, soft))
        )
        self.all_nodes: list[dict[str, Any]] = [
            {"Alive": False, "NodeID": "dead", "Resources": {"node:__internal_head__": 1.0}},
            {"Alive": True, "NodeID": "worker", "Resources": {}},
            {"Alive": True, "NodeID": "head", "Resources": {"node:__internal_head__": 1.0}},
        ]
        self.resolves: list[str] = []

    def is_initialized(self) -> bool:
        return self.connected

    def init(self, **given: Any) -> None:
        print("Ray starts")
        self.calls.append(("init", given))
        self.resolves.append(sys.modules["ray._private.services"].resolve_ip_for_localhost("127.0.0.1"))
        if self.refuses is not None:
            raise self.refuses

    def shutdown(self) -> None:
        print("Ray ends")
        self.calls.append("shutdown")

    def nodes(self) -> list[dict[str, Any]]:
        return self.all_nodes

    def cluster_resources(self) -> dict[str, float]:
        return {} if self.cpus is None else {"CPU": self.cpus}

    def remote(self, kind: type) -> Any:
        def options(**given: Any) -> Any:
            def make(*arguments: Any) -> Any:
                number = sum(call[0] == "make" for call in self.calls if isinstance(call, tuple))
                self.calls.append(("make", kind.__name__, given, arguments))
                methods = {name: Method(name, self.calls, results) for name, results in self.results.items()}
                return SimpleNamespace(number=number, **methods)

            return SimpleNamespace(remote=make)

        return SimpleNamespace(options=options)

    def wait(self, references: list[Any], *, timeout: float) -> tuple[list[Any], list[Any]]:
        self.calls.append(("wait", len(references), timeout))
        return (references[:1], references[1:]) if self.started else ([], references)

    def get(self, reference: Any) -> Any:
        self.awaited.append(reference.value)
        return reference.value

    def kill(self, actor: Any) -> None:
        self.calls.append(("kill", getattr(actor, "number", None)))
        self.killed.append(actor)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    found = FakeRay()
    services = ModuleType("ray._private.services")
    services.resolve_ip_for_localhost = lambda _: "192.0.2.7"  # type: ignore[attr-defined]  # a module made here
    for name, module in (("ray", found), ("ray._private", ModuleType("ray._private")), (services.__name__, services)):
        monkeypatch.setitem(sys.modules, name, module)
    return found


# --- the cluster -----------------------------------------------------------------------------------------------------
def test_a_connection_that_is_open_already_is_used_and_left_open(fake: FakeRay) -> None:
    fake.connected = True
    with cluster("127.0.0.1:1") as ray:
        assert ray is fake
    assert fake.calls == []


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    ("address", "given"),
    [
        (None, {"address": "local", "num_cpus": 2, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}),
        ("auto", {"address": "auto"}),
    ],
)
def test_a_cluster_is_left_or_stopped_at_the_end(
    fake: FakeRay, address: str | None, given: dict[str, Any], *, fails: bool
) -> None:
    with pytest.raises(KeyError) if fails else nullcontext(), cluster(address, workers=2):
        assert fake.calls == [("init", {**given, "log_to_driver": False, "logging_level": 40})]
        if fails:
            raise KeyError
    assert fake.calls[1:] == ["shutdown"]
    # Loopback stays loopback while it starts, and only then.
    assert (fake.resolves, sys.modules["ray._private.services"].resolve_ip_for_localhost("127.0.0.1")) == (
        ["127.0.0.1"], "192.0.2.7"
    )  # fmt: skip


@pytest.mark.parametrize("error", [ConnectionError("no"), ValueError("no"), RuntimeError("no")])
def test_a_cluster_that_cannot_be_reached_is_named(fake: FakeRay, error: Exception) -> None:
    fake.refuses = error
    with pytest.raises(ConfigError) as caught, cluster("auto"):
        pass
    assert (caught.value.message, caught.value.hint) == ("no Ray cluster at auto: no", "Check the address.")
    assert fake.calls[1:] == []
    assert sys.modules["ray._private.services"].resolve_ip_for_localhost("127.0.0.1") == "192.0.2.7", "as it was"
    with pytest.raises(ConfigError, match="no Ray cluster at this machine: no"), cluster():
        pass


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("127.0.0.1:6379", [(("127.0.0.1", 6379), 5.0)]), ("ray://a.example:10001", [(("a.example", 10001), 5.0)]),
        ("[::1]:6379", [(("::1", 6379), 5.0)]), ("auto", []), ("local", []),
    ],
)  # fmt: skip
def test_a_host_and_port_are_tried_for_five_seconds_first(
    fake: FakeRay, monkeypatch: pytest.MonkeyPatch, address: str, asked: list[Any]
) -> None:
    seen: list[Any] = []
    closed: list[str] = []

    def connect(*given: Any) -> Any:
        seen.append(given)
        return SimpleNamespace(close=lambda: closed.append("closed"))

    monkeypatch.setattr(socket, "create_connection", connect)
    with cluster(address):
        assert (seen, closed, fake.calls[0][1]["address"]) == (asked, ["closed"] * len(asked), address)


def test_a_cluster_reports_to_nobody_unless_its_user_says_so(fake: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    for given, used in ((None, "0"), ("1", "1")):
        if given is None:
            monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
        else:
            monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", given)
        assert (load_ray(), os.environ["RAY_USAGE_STATS_ENABLED"]) == (fake, used)


@pytest.mark.parametrize("kind", [OverflowError, ConnectionRefusedError, TimeoutError, socket.gaierror, OSError])
def test_where_nobody_listens_nothing_is_started(
    fake: FakeRay, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def connect(*_: Any) -> None:
        raise kind("no")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(ConfigError) as caught, cluster("ray://127.0.0.1:99999"):
        pass
    assert fake.calls == []
    assert (caught.value.message, caught.value.hint) == (
        "no Ray cluster at ray://127.0.0.1:99999: no", "Check the address."
    )  # fmt: skip


def test_a_ray_that_does_not_replace_loopback_needs_no_help(fake: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    services = ModuleType("ray._private.services")
    monkeypatch.setitem(sys.modules, services.__name__, services)
    monkeypatch.setattr(fake, "init", lambda **_: fake.calls.append("init"))
    with cluster():
        assert vars(services).keys() & {"resolve_ip_for_localhost"} == set()
    assert fake.calls == ["init", "shutdown"]


def test_the_head_node_is_alive(fake: FakeRay) -> None:
    assert head_node(fake) == "head"
    fake.all_nodes.pop()
    with pytest.raises(ConfigError) as caught:
        head_node(fake)
    assert (caught.value.message, caught.value.hint) == (
        "the Ray cluster has no head node", "Start it with: ray start --head"
    )  # fmt: skip


# --- the submitter ---------------------------------------------------------------------------------------------------
def handle(fake: FakeRay, **results: Any) -> RaySubmitter:
    fake.results = {name: [value] for name, value in results.items()}
    return RaySubmitter(
        SimpleNamespace(**{name: Method(name, fake.calls, values) for name, values in fake.results.items()})
    )


def test_a_worker_gets_the_task_id_or_the_error_itself(fake: FakeRay) -> None:
    assert anyio.run(handle(fake, ensure="t1").ensure, "a", {"prompt": "x"}) == "t1"
    assert fake.calls == [("ensure", "a", {"prompt": "x"})]
    with pytest.raises(JournalError) as caught:
        anyio.run(handle(fake, ensure=LOST).ensure, "a", {})
    assert caught.value is LOST


def test_a_worker_hears_that_its_delivery_could_not_be_recorded(fake: FakeRay) -> None:
    anyio.run(handle(fake, record=None).record, "a", DELIVERED)
    with pytest.raises(JournalError) as caught:
        anyio.run(handle(fake, record=LOST).record, "a", DELIVERED)
    assert (caught.value, fake.calls) == (LOST, [("record", "a", DELIVERED)] * 2)


def test_the_actor_ends_after_it_has_closed_the_run(fake: FakeRay) -> None:
    given = handle(fake, close="the report", report="so far", stop=None)
    given.stop()
    said: list[Any] = [given.report(), given.close()]
    assert said == ["so far", "the report"]
    assert (fake.calls, fake.killed) == ([("stop",), ("report",), ("close",), ("kill", None)], [given.actor])
    assert fake.awaited == [None, "so far", "the report"], "stop() returns when nothing more is submitted"


class Waits:
    """Sleeps by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = FakeClock()
        monkeypatch.setattr(submitter, "time", self.clock)
        monkeypatch.setattr(submitter, "asyncio", SimpleNamespace(sleep=self.clock.async_sleep))


@pytest.mark.parametrize(
    ("errors", "result", "waited"),
    [
        ([], None, 0.0),
        ([JournalLocked("by another")] * 3, None, 0.6),
        ([LOST], LOST, 0.0),
        ([JournalLocked("by another"), LOST], LOST, 0.2),
    ],
)
def test_the_submitter_waits_for_that_of_a_run_that_was_killed(
    monkeypatch: pytest.MonkeyPatch, errors: list[Exception], result: object, waited: float
) -> None:
    waits, left = Waits(monkeypatch), list(errors)
    makers: set[int] = set()

    def make(**given: Any) -> Any:
        makers.add(threading.get_ident())
        assert given == {"folder": "out", "connect": None, "options": None, "jobs": None}
        if left:
            raise left.pop(0)
        return "a submitter"

    monkeypatch.setattr(submitter, "SubmitterThread", make)
    before = waits.clock.monotonic()
    assert anyio.run(submitter.SubmitterActor("out", None, None, None).start) is result  # type: ignore[arg-type]  # not called
    assert waits.clock.monotonic() - before == pytest.approx(waited)
    assert left == []
    assert threading.get_ident() not in makers, "opening a journal does not hold up the actor's other calls"


def test_the_submitter_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    waits, locked = Waits(monkeypatch), JournalLocked("by another")

    def make(**_: Any) -> Any:
        raise locked

    monkeypatch.setattr(submitter, "SubmitterThread", make)
    before = waits.clock.monotonic()
    assert anyio.run(submitter.SubmitterActor("out", None, None, None).start) is locked  # type: ignore[arg-type]  # not called
    assert 30.0 < waits.clock.monotonic() - before < 31.0


@pytest.mark.parametrize(("name", "good"), [("ensure", "t1"), ("record", None)])
def test_errors_travel_as_values(name: str, good: object) -> None:
    fails: Exception | None = None

    async def answer(*given: Any) -> Any:
        assert given == ("a", {"b": 1})
        if fails is not None:
            raise fails
        return "t1"

    actor = submitter.SubmitterActor("out", None, None, None)  # type: ignore[arg-type]  # not called
    actor._submitter = SimpleNamespace(ensure=answer, record=answer)  # type: ignore[assignment]  # a stand-in
    assert anyio.run(getattr(actor, name), "a", {"b": 1}) == good
    fails = LOST
    assert anyio.run(getattr(actor, name), "a", {"b": 1}) is LOST
    fails = KeyError("a bug")  # as a value it would be taken for a task id
    with pytest.raises(KeyError, match="a bug"):
        anyio.run(getattr(actor, name), "a", {"b": 1})


def test_the_actor_reports_before_it_closes() -> None:
    calls: list[str] = []
    actor = submitter.SubmitterActor("out", None, None, None)  # type: ignore[arg-type]  # not called
    actor._submitter = SimpleNamespace(  # type: ignore[assignment]  # a stand-in
        **{name: partial(_called, calls, name) for name in ("report", "stop", "close")}
    )
    said: list[Any] = [anyio.run(method) for method in (actor.report, actor.stop, actor.close)]
    assert (said, calls) == (["report", None, "report"], ["report", "stop", "report", "close"])


def _called(calls: list[str], name: str) -> str:
    calls.append(name)
    return name


def test_the_submitter_is_on_the_head_node_and_is_never_started_again(
    fake: FakeRay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # the actor works in another folder
    fake.results = {"start": [None]}
    started = start_submitter("out", connect=dict, options=BulkOptions(rate=2.0), jobs=["a"])  # type: ignore[arg-type]  # passed on only
    [(_, kind, given, arguments), _] = fake.calls
    assert (kind, started.actor.number) == ("SubmitterActor", 0)
    assert given == {
        "num_cpus": 0, "max_restarts": 0, "max_task_retries": 0, "max_concurrency": 10_000,
        "scheduling_strategy": ("head", False),
    }  # fmt: skip
    assert arguments == (str(tmp_path / "out"), dict, BulkOptions(rate=2.0), ["a"])


def test_a_submitter_that_cannot_start_is_ended(fake: FakeRay, tmp_path: Path) -> None:
    fake.results = {"start": [LOST]}
    with pytest.raises(JournalError) as caught:
        start_submitter(tmp_path / "out")
    assert (caught.value, fake.calls[-1]) == (LOST, ("kill", 0))


# --- the workers -----------------------------------------------------------------------------------------------------
def workers(fake: FakeRay, *results: Any, count: int | None = 2) -> delivery.RayDelivery:
    fake.results = {"__ray_ready__": [None], "deliver": list(results)}
    return delivery.RayDelivery(fake, count, dict, PictureStore("/x"), BulkOptions())  # type: ignore[arg-type]  # passed on only


@pytest.mark.parametrize(
    ("count", "cpus", "made", "share"),
    [
        (2, 3.0, 2, 1.0),
        (6, 3.0, 6, 0.5),
        (None, 3.0, 3, 1.0),
        (None, None, 1, 1.0),
        (4, None, 4, 0.25),
        (None, 2.7, 2, 1.0),
        (None, 0.5, 1, 0.5),
    ],
)
def test_workers_share_the_processors(
    fake: FakeRay, count: int | None, cpus: float | None, made: int, share: float
) -> None:
    fake.cpus = cpus
    workers(fake, DELIVERED, count=count).close()
    options = {
        "num_cpus": share, "max_restarts": -1, "max_task_retries": 0, "max_concurrency": 1000,
        "scheduling_strategy": "SPREAD",
    }  # fmt: skip
    one = ("make", "StoreDelivery", options, (dict, PictureStore("/x"), BulkOptions()))
    assert [call for call in fake.calls if call[0] in ("make", "wait")] == [*[one] * made, ("wait", made, 60.0)]
    assert [call for call in fake.calls if call[0] == "kill"] == [("kill", number) for number in range(made)]


def test_where_no_worker_can_start_all_are_ended(fake: FakeRay) -> None:
    fake.started = False
    with pytest.raises(ConfigError) as caught:
        workers(fake, DELIVERED)
    assert (caught.value.message, caught.value.hint) == (
        "none of 2 workers could start on the Ray cluster within 60 seconds",
        "Free a CPU of the cluster, or give another cluster.",
    )
    assert fake.calls[-2:] == [("kill", 0), ("kill", 1)]


@pytest.mark.parametrize("lost", [0, 1, 5, 6])
def test_a_task_is_delivered_again_where_its_worker_is_lost(
    fake: FakeRay, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    waited: list[float] = []
    given = workers(fake, *[ActorLost()] * lost, DELIVERED)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        assert given._busy == [0, 0], "a worker is chosen, and busy, after the pause"

    monkeypatch.setattr(delivery, "anyio", SimpleNamespace(sleep=sleep))
    found = anyio.run(given, "t1", 4)
    tried = min(lost + 1, 6)
    assert [call for call in fake.calls if call[0] == "deliver"] == [("deliver", "t1", 4)] * tried
    assert waited == [2.0 * attempt for attempt in range(tried)]
    assert given._busy == [0, 0], "a worker that is lost is not busy for ever"
    if lost < 6:
        assert found is DELIVERED
    else:
        error = found.error
        assert (found.state, found.taskid, found.pictures, type(error)) == ("submitted", "t1", (), DownloadError)
        assert error is not None
        assert (error.message, error.taskid, error.hint) == (
            "6 workers were lost, the last by ActorLost", "t1", "Resume the run."
        )  # fmt: skip


def test_an_error_that_is_no_lost_worker_is_not_tried_again(fake: FakeRay) -> None:
    given = workers(fake, DELIVERED)
    tried: list[int] = []

    async def broken(*_: Any) -> Delivery:
        tried.append(sum(given._busy))
        raise KeyError("a bug")

    for worker in given._workers:
        worker.deliver = SimpleNamespace(remote=broken)
    with pytest.raises(KeyError, match="a bug"):
        anyio.run(given, "t1", 4)
    assert (tried, given._busy) == ([1], [0, 0])


def test_the_worker_with_the_least_to_do_gets_the_next_task(fake: FakeRay) -> None:
    given = workers(fake, DELIVERED, count=3)
    seen: list[int] = []
    for number, worker in enumerate(given._workers):
        worker.deliver = SimpleNamespace(remote=_noting(seen, number))
    for busy in ([2, 1, 0], [0, 0, 0], [1, 0, 0], [5, 6, 5]):
        given._busy = list(busy)
        anyio.run(given, "t1", 1)
        assert given._busy == busy, "a task that is delivered counts no more"
    assert seen == [2, 0, 1, 0]


def _noting(seen: list[int], number: int) -> Callable[..., Any]:
    async def deliver(*_: Any) -> Delivery:
        seen.append(number)
        return DELIVERED

    return deliver


@pytest.mark.parametrize(
    ("path", "recorded"),
    [
        ("{root}/pictures/a-1.png", "pictures/a-1.png"),
        ("{root}2/pictures/a-1.png", "{root}2/pictures/a-1.png"),
        ("/elsewhere/a-1.png", "/elsewhere/a-1.png"),
        ("s3://bucket/a-1.png", "s3://bucket/a-1.png"),
    ],
)
def test_a_picture_in_the_run_s_own_folder_is_recorded_relative_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, recorded: str
) -> None:
    # The folder may be moved, and a resume looks for the pictures in it.
    monkeypatch.chdir(tmp_path)
    bulk = RayBulk("out")
    path, recorded = (text.format(root=tmp_path / "out") for text in (path, recorded))

    async def there(taskid: str, images: int) -> Delivery:
        assert (taskid, images) == ("t1", 1)
        return Delivery(taskid, "succeeded", (Picture(0, path, 5, "hash"),), LOST)

    bulk._delivery = there  # type: ignore[assignment]  # a stand-in
    found = anyio.run(bulk._deliver_there, "t1", 1)
    assert found == Delivery("t1", "succeeded", (Picture(0, recorded, 5, "hash"),), LOST)


@pytest.mark.parametrize("kind", [str, Path])
def test_what_is_wrong_is_said_before_a_cluster_starts(
    fake: FakeRay, tmp_path: Path, kind: Callable[[Path], str | Path]
) -> None:
    (tmp_path / "jobs.csv").write_text("prompt,batchsize\nx,99\n", "utf-8")
    with pytest.raises(ConfigError, match="nowhere://x"):
        RayBulk(tmp_path / "out", pictures="nowhere://x").run()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        with pytest.raises(ConfigError, match="Ray is not installed"):
            RayBulk(tmp_path / "out", pictures="nowhere://x").run()
    with pytest.raises(InvalidRequest, match="line 2"):
        RayBulk(tmp_path / "out").run(kind(tmp_path / "jobs.csv"))
    assert (fake.calls, (tmp_path / "out").exists()) == ([], False)


# --- rows and runs ---------------------------------------------------------------------------------------------------
class Number:
    """A number of numpy."""

    def __init__(self, value: float) -> None:
        self._value = value

    def tolist(self) -> float:
        return self._value


def test_rows_of_columns_are_what_a_jobs_file_holds() -> None:
    columns = {"batchsize": [Number(2.0), Number(float("nan")), -1.0], "x": [Number(1.5), "b", None]}
    assert _rows(columns) == [{"batchsize": 2, "x": 1.5}, {"batchsize": None, "x": "b"}, {"batchsize": -1, "x": None}]
    assert [type(row["batchsize"]) for row in _rows(columns)] == [int, type(None), int]
    assert _rows(SimpleNamespace(to_pylist=lambda: [{"a": 1}])) == [{"a": 1}]
    with pytest.raises(ValueError, match="shorter"):
        _rows({"a": [1, 2], "b": [1]})


def test_a_batch_becomes_a_table_of_manifest_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    given = RayGenerate("a submitter", "/x", connect=dict, options=BulkOptions(downloads=3))  # type: ignore[arg-type]  # passed on only
    delivers = given._generate._delivery
    held: list[Any] = [given._generate._submitter, delivers.connect, delivers.store, delivers.options]
    assert held == ["a submitter", dict, PictureStore("/x"), BulkOptions(downloads=3)]

    async def rows(found: Any) -> Any:
        return [{"of": row} for row in found]

    monkeypatch.setattr(given._generate, "rows", rows)
    monkeypatch.setattr(generate, "manifest_table", lambda found: ("table", found))
    assert anyio.run(given, {"prompt": ["a", "b"]}) == ("table", [{"of": {"prompt": "a"}}, {"of": {"prompt": "b"}}])


@pytest.mark.parametrize(("address", "local"), [("auto", {}), (None, {"num_cpus": 2})])
@pytest.mark.parametrize("fails", [False, True])
def test_a_run_on_a_cluster_is_a_bulk_run_whose_tasks_are_delivered_there(
    fake: FakeRay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    *, address: str | None, local: dict[str, int], fails: bool,
) -> None:  # fmt: skip
    (tmp_path / "jobs.csv").write_bytes("prompt\n灯塔\n".encode("gb18030"))
    fake.results = {"__ray_ready__": [None]}
    seen: list[Any] = []

    def bulk_run(self: Any, *given: Any, **named: Any) -> str:
        seen.append((given, named, self._delivery is not None))
        print("of Ray")
        if fails:
            raise KeyError
        return "the report"

    monkeypatch.setattr(Bulk, "run", bulk_run)
    run = RayBulk(tmp_path / "out", connect=dict, address=address, workers=2, pictures="/x")  # type: ignore[arg-type]  # passed on only
    options, watch = BulkOptions(rate=2.0), print
    with pytest.raises(KeyError) if fails else nullcontext():
        found: Any = run.run(tmp_path / "jobs.csv", encoding="gb18030", options=options, watch=watch, signals=True)
        assert found == "the report"
    named = {"encoding": "gb18030", "options": options, "watch": watch, "signals": True}
    assert seen == [((tmp_path / "jobs.csv",), named, True)]
    assert (fake.calls[0][1]["address"], fake.calls[0][1].items() >= local.items()) == (address or "local", True)
    assert [call[3] for call in fake.calls if call[0] == "make"] == [(dict, PictureStore("/x"), options)] * 2
    assert fake.calls[-3:] == [("kill", 0), ("kill", 1), "shutdown"]
    said = "Ray starts\nof Ray\nRay ends\n"
    assert (run._delivery, capsys.readouterr()) == (None, ("", said)), "stdout belongs to the program's results"


def test_without_options_a_run_on_a_cluster_has_those_of_the_last_start(
    fake: FakeRay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake.results, last = {"__ray_ready__": [None]}, BulkOptions(rate=7.0)
    seen: list[Any] = []
    monkeypatch.setattr(Bulk, "options", lambda _: last)
    monkeypatch.setattr(Bulk, "run", lambda *_, **named: seen.append(named["options"]))
    RayBulk(tmp_path / "out").run()
    assert [*seen, *(call[3][2] for call in fake.calls if call[0] == "make")] == [last] * 4


def test_a_run_on_a_cluster_begins_as_a_bulk_run(
    fake: FakeRay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # the workers are in another folder
    run = RayBulk("out", connect=dict)  # type: ignore[arg-type]  # passed on only
    held: list[Any] = [run._connect, run._deliver, run._manifest]
    assert held == [dict, run._deliver_there, True]
    assert (run._store, run._address, run._workers) == (PictureStore(str(tmp_path / "out" / "pictures")), None, None)

    async def inside() -> None:
        run.run()

    with pytest.raises(ConfigError, match="inside a running event loop"):
        anyio.run(inside)
    assert fake.calls == []


@pytest.mark.parametrize("anything", [True, False])
def test_a_source_of_no_known_format_is_taken_where_the_run_says_so(
    fake: FakeRay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, anything: bool
) -> None:
    (tmp_path / "x.png").write_bytes(b"not a picture")
    (tmp_path / "jobs.csv").write_text("prompt,source_images\na,x.png\n", "utf-8")
    fake.results = {"__ray_ready__": [None]}
    monkeypatch.setattr(Bulk, "run", lambda *_, **__: None)
    with nullcontext() if anything else pytest.raises(InvalidRequest, match="no picture format"):
        RayBulk(tmp_path / "out").run(tmp_path / "jobs.csv", options=BulkOptions(allow_unrecognized_sources=anything))
    assert bool(fake.calls) is anything
