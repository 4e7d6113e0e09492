"""The clients as a whole: interruption, sharing, configuration, and what they never show."""

# ruff: noqa: E501 -- tables read best with one case a line

import copy
import io
import logging
import pickle
import ssl
import threading
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import facts
import httpx
import pytest
from seedream import (
    AsyncSeeDream,
    ConfigError,
    DownloadError,
    InvalidRequest,
    JournalFull,
    RetryPolicy,
    SeeDream,
    Timeouts,
    errors,
)
from seedream._request.submission import check_submit
from seedream.client import _download_options, _is_paid
from seedream.journal import Journal
from support.clients import KEY, Both
from support.fake_service import FakeService, completed, task_reply
from support.pictures import picture
from support.scripted_server import Connection, ScriptedServer, reply
from tensorslab_images.rules import RULES

OK = b'{"code": 1000, "msg": "ok", "data": {"taskid": "t1"}}'


def states(path: Path) -> list[str]:
    with Journal(path) as journal:
        run = journal.find_run("calls")
        return [job.state for job in journal.jobs(run.id)] if run else []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_submission_is_unknown_once_it_left(tmp_path: Path, backend: str) -> None:
    arrived = threading.Event()

    def hold(connection: Connection) -> None:
        connection.read_request()
        arrived.set()
        connection.stall()

    async def main(url: str) -> None:
        async with (
            AsyncSeeDream(KEY, base_url=url, journal=tmp_path / "j.db") as client,
            anyio.create_task_group() as group,
        ):
            group.start_soon(client.submit, "a fish")
            await anyio.to_thread.run_sync(arrived.wait)
            group.cancel_scope.cancel()

    with ScriptedServer(hold) as server:
        anyio.run(main, server.url, backend=backend)
    assert ["unknown"] == states(tmp_path / "j.db")


def test_ctrl_c_in_a_submission_says_what_may_have_happened(tmp_path: Path) -> None:
    class Interrupting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            response.close()
            raise KeyboardInterrupt

    with (
        ScriptedServer(reply(200, OK)) as server,
        SeeDream(KEY, base_url=server.url, transport=Interrupting(), journal=tmp_path / "j.db") as client,
        pytest.raises(KeyboardInterrupt) as caught,
    ):
        client.submit("a fish")
    assert "may have been billed" in caught.value.__notes__[0]
    assert ["unknown"] == states(tmp_path / "j.db")


def test_threads_may_share_a_client() -> None:
    with ScriptedServer(reply(200, OK)) as server, SeeDream(KEY, base_url=server.url) as client:
        found: list[str] = []
        threads = [threading.Thread(target=lambda: found.append(client.submit("a fish").id)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ["t1"] * 20 == found


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_many_tasks_at_once_on_one_async_client(backend: str) -> None:
    async def main(url: str) -> list[str]:
        found: list[str] = []
        async with AsyncSeeDream(KEY, base_url=url) as client, anyio.create_task_group() as group:

            async def one() -> None:
                found.append((await client.submit("a fish")).id)

            for _ in range(50):
                group.start_soon(one)
        return found

    with ScriptedServer(reply(200, OK)) as server:
        assert ["t1"] * 50 == anyio.run(main, server.url, backend=backend)
        assert 50 == len(server.requests)


def test_a_submission_never_reuses_a_connection(both: Both) -> None:
    """A kept connection may be dead, and a request lost on it is of unknown fate (RELIABILITY, 4)."""

    def keep(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(OK) + OK)
        connection.stall()

    with ScriptedServer(keep) as server:

        def twice(client: Any) -> Any:
            if both.kind == "sync":
                return [client.submit("a"), client.submit("b")]

            async def calls() -> Any:
                return [await client.submit("a"), await client.submit("b")]

            return calls()

        both.call(twice, base_url=server.url)
        assert 2 == len(server.connections)


def test_generate_ends_with_pictures_on_disk(both: Both, tmp_path: Path) -> None:
    service = FakeService(completed("https://images.example/a"), pictures={"/a": picture()})
    made = both.call(
        lambda client: client.generate("a fish", batchsize=1, output_dir=tmp_path), transport=service.transport
    )
    assert ("t1", "completed", [tmp_path / "t1-1.png"]) == (made.taskid, made.info.state, made.files)
    assert picture() == made.files[0].read_bytes()


def test_generate_pays_for_nothing_that_it_cannot_keep(both: Both, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    service = FakeService(completed("https://images.example/a"), pictures={"/a": picture()})
    for directory in (tmp_path / "file", tmp_path / "file" / "sub", tmp_path / "nul\0"):

        def make(client: Any, where: Path = directory) -> Any:
            return client.generate("a fish", output_dir=where)

        with pytest.raises(ConfigError, match="cannot write"):
            both.call(make, transport=service.transport)
    assert [] == service.asked


@pytest.mark.parametrize(
    "url",
    ["http://api.tensorslab.com", "ftp://x", "api.tensorslab.com", "https://", "https://user:word@host", "https://h?q=1",
     "https://h#f", "https://[bad", "https://h:port", "https://a b", "https://h\n.example"],
)  # fmt: skip
def test_an_unusable_base_url_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError):
        SeeDream(KEY, base_url=url)
    monkeypatch.setenv("TENSORSLAB_BASE_URL", url)
    with pytest.raises(ConfigError) as caught:
        SeeDream(KEY)
    assert "word" not in str(caught.value)


def test_configuration_comes_from_argument_then_environment_then_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    assert facts.SERVER == SeeDream(KEY).service.base_url
    monkeypatch.setenv("TENSORSLAB_BASE_URL", "https://other.example/prefix/")
    monkeypatch.setenv("TENSORSLAB_API_KEY", "from-environment\n")
    assert ("https://other.example/prefix", "from-environment") == (SeeDream().service.base_url, SeeDream().service.key)
    assert ("http://[::1]:8", KEY) == (
        SeeDream(KEY, base_url="http://[::1]:8").service.base_url,
        SeeDream(KEY, base_url="http://localhost:8").service.key,
    )


def test_a_base_url_with_a_path_keeps_it(both: Both) -> None:
    with ScriptedServer(reply(200, OK)) as server:
        both.call(lambda client: client.submit("a fish"), base_url=f"{server.url}/gateway/")
    assert server.requests[0].startswith(b"POST /gateway/v1/images/seedreamv45 HTTP/1.1\r\n")


def test_the_key_is_never_shown_nor_pickled() -> None:
    for client in (SeeDream(KEY), AsyncSeeDream(KEY)):
        assert KEY not in repr(client) + repr(client.service) + str(client.task("t1"))
        with pytest.raises(TypeError):
            pickle.dumps(client)
        with pytest.raises(TypeError):
            copy.deepcopy(client)


# --- wrong objects at the door -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "options",
    [
        {"retry": 3}, {"timeouts": 30}, {"timeouts": httpx.Timeout(5)}, {"timeouts": {"connect": 5}}, {"clock": 5}, {"journal": 5},
        {"journal": b"x.db"}, {"base_url": 5}, {"api_key": 5}, {"api_key": b"sk-key"},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_object_for_the_set_up_is_refused_before_anything_is_sent(both: Both, options: dict[str, Any]) -> None:
    service = FakeService(completed())
    with pytest.raises(ConfigError) as caught:
        both.call(lambda client: client.submit("a fish"), transport=service.transport, **options)
    assert next(iter(options)).split("_")[-1] in str(caught.value).lower()
    assert [] == service.asked


@pytest.mark.parametrize("value", [None, "5", -1, 0, float("nan"), True])
def test_limits_that_are_not_a_number_of_seconds_are_refused(value: Any) -> None:
    for name in ("connect", "write", "submit_read", "query_read", "download_read"):
        with pytest.raises(ConfigError, match=name):
            Timeouts(**{name: value})
    for name in ("base", "cap", "retry_after_cap") if value != 0 else ():
        with pytest.raises(ConfigError, match=name):
            RetryPolicy(**{name: value})


@pytest.mark.parametrize("attempts", [0, -1, 1.5, "3", None, True])
def test_a_number_of_attempts_is_a_whole_number_above_zero(attempts: Any) -> None:
    with pytest.raises(ConfigError, match="attempts"):
        RetryPolicy(attempts=attempts)


@pytest.mark.parametrize(
    ("work", "field"),
    [
        (lambda client: client.task("t1").save(None), "output_dir"),
        (lambda client: client.task("t1").save(b"x"), "output_dir"),
        (lambda client: client.task("t1").save(5), "output_dir"),
        (lambda client: client.task("t1").save(".", max_bytes="10MB"), "max_bytes"),
        (lambda client: client.task("t1").save(".", max_bytes=0), "max_bytes"),
        (lambda client: client.task("t1").save(".", concurrency=0), "concurrency"),
        (lambda client: client.task("t1").save(".", concurrency=2.0), "concurrency"),
        (lambda client: client.task("t1").read(max_bytes=None), "max_bytes"),
        (lambda client: client.task("t1").wait(timeout="5"), "timeout"),
        (lambda client: client.task("t1", images="2"), "images"),
        (lambda client: client.task("t1", images=0), "images"),
        (lambda client: client.task("t1", images=True), "images"),
        (lambda client: client.task("t1", images=10**6), "images"),
        (lambda client: client.task(5), "request"),
        (lambda client: client.generate("a", output_dir=b"x"), "output_dir"),
        (lambda client: client.generate("a", max_bytes="10MB"), "max_bytes"),
        (lambda client: client.generate("a", name_template="x"), "name_template"),
    ],
)
def test_a_wrong_argument_is_an_error_of_the_tree_and_sends_nothing(both: Both, work: Any, field: str) -> None:
    service = FakeService(completed())
    with pytest.raises(InvalidRequest) as caught:
        both.call(work, transport=service.transport)
    assert (field, []) == (caught.value.problems[0].field, service.asked)


# --- secrets in tracebacks ---------------------------------------------------------------------------------------------
def shown_with_locals(error: BaseException) -> str:
    """Return every frame of ours with its local variables, as error reporters write them."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        if "/overlay/" in trace.tb_frame.f_code.co_filename:
            lines += [f"{name} = {value!r}" for name, value in trace.tb_frame.f_locals.items()]
        trace = trace.tb_next
    return "\n".join(lines)


@pytest.mark.parametrize("kind", [SeeDream, AsyncSeeDream])
@pytest.mark.parametrize(
    "options",
    [{"api_key": "sk-MARKER broken"}, {"base_url": "https://u:MARKER@h"}, {"base_url": "ftp://h"}, {"timeouts": 3},
     {"proxy": "http://u:MARKER@[bad"}, {"journal": 5}, {"headers": {"x": "MARKER\n"}}, {"headers": {"x": 5, "y": "MARKER"}},
     {"headers": {"x": "MARKER"}, "verify": 5}],
    ids=str,
)  # fmt: skip
def test_no_frame_of_the_constructor_holds_a_secret(
    kind: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODYS_TOKEN", "MARKER-environment")
    with pytest.raises(ConfigError) as caught:
        kind(**{"api_key": KEY, **options})
    shown = shown_with_locals(caught.value)
    assert "MARKER" not in shown
    assert KEY not in shown


def test_no_frame_of_a_download_holds_a_signed_url(both: Both, tmp_path: Path) -> None:
    for answer in (b"<html>", httpx.Response(404), httpx.Response(302, headers={"location": "http://h/?sig=MARKER"})):
        service = FakeService(completed("https://h.example/a?sig=MARKER"), pictures={"/a": answer})
        for work in (lambda client: client.task("t1").save(tmp_path), lambda client: client.task("t1").read()):
            with pytest.raises(DownloadError) as caught:
                both.call(work, transport=service.transport)
            errors = [caught.value, *caught.value.errors.values()]
            assert "MARKER" not in "".join(map(shown_with_locals, errors))


def test_no_frame_of_a_failed_submission_holds_the_key(both: Both) -> None:
    class Full:
        def begin(self) -> None:
            raise JournalFull("no room")

    service = FakeService(completed())
    flow = lambda client: client.run(client.submission_workflow(check_submit("a", {}), Full()))  # noqa: E731
    with pytest.raises(JournalFull) as caught:
        both.call(flow, transport=service.transport)
    assert KEY not in shown_with_locals(caught.value)


@pytest.mark.parametrize(
    ("error", "billing"),
    [(errors.ConfigError("x"), "yes"), (errors.WaitTimeout("x"), "yes"), (errors.TaskFailed("x"), "unknown")],
)
@pytest.mark.parametrize(("taskid", "call"), [("t-1", "client.task('t-1')"), ("a b\x1b", "client.task(error.taskid)")])
def test_an_error_after_a_submission_never_looks_unpaid(
    error: errors.SeeDreamError, billing: str, taskid: str, call: str
) -> None:
    """Calling generate() again would pay again, whatever the class of the error says of itself."""
    for hint in ("", "Wait."):
        copied = type(error)("x", hint=hint)
        _is_paid(copied, taskid)
        assert (taskid, billing, False) == (copied.taskid, copied.billing, copied.retryable)
        shown = "t-1" if taskid == "t-1" else "task-"
        assert copied.hint.startswith(f"Wait. Task {shown}" if hint else f"Task {shown}")
        assert copied.hint.endswith(f"is paid for: {call}.save() fetches it.")


@pytest.mark.parametrize("message", ["it broke", "it broke.", "it broke!", "did it break?"])
def test_an_error_is_read_as_sentences(message: str) -> None:
    text = message if message[-1] in ".!?" else f"{message}."
    assert text == str(errors.NotSent(message))
    assert f"{text} Look." == str(errors.NotSent(message, hint="Look."))
    rule = f"Rule AUTH-KEY: “{RULES['AUTH-KEY'].sentence}”"
    assert f"{text} {rule} Look." == str(errors.NotSent(message, hint="Look.", rule="AUTH-KEY"))
    assert f"{text} Rule NO-SUCH-RULE." == str(errors.NotSent(message, rule="NO-SUCH-RULE"))


def test_a_client_shows_its_service_and_no_key() -> None:
    for kind in (SeeDream, AsyncSeeDream):
        assert f"{kind.__name__}(base_url='https://h.example')" == repr(kind(KEY, base_url="https://h.example/"))


@pytest.mark.parametrize(
    ("options", "most"),
    [({"max_bytes": 0}, 2**53), ({"max_bytes": 1.5}, 2**53), ({"concurrency": True}, 64), ({"concurrency": 65}, 64)],
)
def test_a_number_out_of_its_range_is_named(both: Both, tmp_path: Path, options: dict[str, Any], most: int) -> None:
    ((name, value),) = options.items()
    with pytest.raises(InvalidRequest) as caught:
        both.call(lambda client: client.task("t1").save(tmp_path, **options))
    message = f"“{value}” is not a whole number from 1 to {most:,}"
    assert (errors.Problem(name, message, hint="Give such a number."),) == caught.value.problems


def test_an_invalid_request_holds_all_problems_and_the_first_one_s_rule() -> None:
    first = errors.Problem("prompt", "is empty", rule="PROMPT-REQUIRED", hint="Give one.")
    second = errors.Problem("batchsize", "is 0", rule="BATCH-RANGE", hint="Give more.")
    made = InvalidRequest((first, second))
    assert ((first, second), "prompt: is empty; batchsize: is 0") == (made.problems, made.message)
    assert ("PROMPT-REQUIRED", "Give one.") == (made.rule, made.hint)
    assert f"{first}\n{second}" == str(made)
    assert [errors.Problem("request", "is odd", "WIRE-EXACT", "Look.")] == list(
        InvalidRequest("is odd", rule="WIRE-EXACT", hint="Look.").problems
    )
    assert (first, second) == pickle.loads(pickle.dumps(made)).problems  # noqa: S301 -- our own bytes


# --- errors as values ----------------------------------------------------------------------------------------------------
TREE = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SeeDreamError)]
ANSWER = errors.RawReply(418, {"server": "MARKER"}, b"MARKER")


@pytest.mark.parametrize("kind", [one for one in TREE if not issubclass(one, InvalidRequest)])
def test_an_error_holds_what_is_known_and_pickles(kind: type[errors.SeeDreamError]) -> None:
    plain = kind("it broke")
    assert ("it broke", ("it broke",), None) == (plain.message, plain.args, plain.rule)
    assert ("", None, None) == (plain.hint, plain.reply, plain.taskid)
    assert (plain.billing, plain.retryable) == (kind.billing, kind.retryable)
    billings: list[tuple[errors.Billing, bool]] = [("no", True), ("unknown", False), ("yes", True)]
    for billing, retryable in billings:
        full = kind(
            "it broke", rule="AUTH-KEY", hint="Look.", reply=ANSWER, taskid="t1", billing=billing, retryable=retryable
        )
        known = [full.message, full.rule, full.hint, full.reply, full.taskid, full.billing, full.retryable]
        assert known == ["it broke", "AUTH-KEY", "Look.", ANSWER, "t1", billing, retryable]
        again = pickle.loads(pickle.dumps(full))  # noqa: S301 -- our own bytes
        assert (type(again), vars(again), str(again)) == (kind, vars(full), str(full))
    assert (kind.billing, kind.retryable) == (type(plain).billing, type(plain).retryable), "the class is not changed"


def test_a_reply_is_kept_and_not_shown() -> None:
    assert repr(ANSWER) == "RawReply(status=418, body=6 bytes)"


def test_what_errors_say_where_nothing_was_set() -> None:
    unknown = errors.SubmissionUnknown("x")
    assert (unknown.digest, unknown.phase, unknown.at) == ("", "sent_full", 0.0)
    assert errors.RateLimited("x").retry_after is None
    assert (errors.DownloadError("x").files, errors.DownloadError("x").errors) == ({}, {})


@pytest.mark.parametrize(("kind", "field"), [(InvalidRequest, "request"), (errors.InvalidResolution, "resolution")])
def test_a_refusal_names_its_subject(kind: type[InvalidRequest], field: str) -> None:
    problem = errors.Problem("size", "is odd")
    assert (problem.rule, problem.hint, str(problem)) == (None, "", "size: is odd.")
    for given, expected in (("is odd", errors.Problem(field, "is odd")), (problem, problem)):
        made = kind(given)
        assert (made.problems, made.rule, made.hint) == ((expected,), None, "")
        assert made.message == f"{expected.field}: is odd"
        assert isinstance(made, ValueError)
        again = pickle.loads(pickle.dumps(made))  # noqa: S301 -- our own bytes
        assert (type(again), again.problems, str(again)) == (kind, (expected,), f"{expected.field}: is odd.")


# Whether the server can have charged, and whether the same call may succeed later at no double cost.
SAYS_OF_ITSELF = """
no False: SeeDreamError InvalidRequest InvalidResolution ConfigError Refused InsufficientCredits AuthError Rejected
no False: JournalError JournalTooNew
no True: NotSent RateLimited StatusError JournalLocked JournalFull BudgetReached
unknown False: SubmissionUnknown TaskFailed TaskNotFound
yes True: WaitTimeout DownloadError ResultExpired Truncated NotAPicture DiskError
yes False: TooLarge UnsafeUrl
"""


def test_each_error_says_whether_it_may_be_billed_and_repeated() -> None:
    expected = {
        name: (billing, retryable == "True")
        for line in SAYS_OF_ITSELF.strip().splitlines()
        for (billing, retryable), names in [(head.split(), tail.split()) for head, tail in [line.split(": ")]]
        for name in names
    }
    assert {kind.__name__: (kind.billing, kind.retryable) for kind in TREE} == expected


# --- what the methods pass on ------------------------------------------------------------------------------------------
HOST = "https://images.example"
PNG, JPEG = picture(), picture("JPEG")


def two_pictures(*queries: Any) -> FakeService:
    return FakeService(*(queries or [completed(f"{HOST}/a", f"{HOST}/b")]), pictures={"/a": PNG, "/b": JPEG})


def test_a_task_knows_what_was_asked_for(both: Both) -> None:
    tasks: list[Any] = []
    tasks.append(both.call(lambda client: client.submit("a fish", batchsize=3), transport=FakeService().transport))
    tasks.append(both.call(lambda client: client.submit("a fish"), transport=FakeService().transport))
    for made, images in zip(tasks, (3, facts.DEFAULTS["batchsize"]), strict=True):
        assert (made.id, made.images, made.info) == ("t1", images, None)
        assert repr(made) == f"{type(made).__name__}(id='t1', images={images})"
    assert tasks[0] == tasks[1], "the same task"
    assert hash(tasks[0]) == hash(tasks[1])


def test_a_submitted_task_can_be_asked_for(both: Both) -> None:
    submitted, transport = (lambda client: client.submit("a fish")), two_pictures().transport
    info = both.then(submitted, lambda task: task.refresh(), transport=transport)
    assert info.state == "completed"


def test_a_handle_is_made_from_an_id() -> None:
    for kind, name in ((SeeDream, "Task"), (AsyncSeeDream, "AsyncTask")):
        client = kind(KEY)
        assert repr(client.task("t1")) == f"{name}(id='t1')"
        assert [client.task("t1", images=number).images for number in (None, 1, 1000)] == [None, 1, 1000]
        assert client.task("a b").id == "a b"
        assert "a b" not in repr(client.task("a b"))
        assert client.task("t1") != client.task("t2")
        for number in (0, 1001):
            with pytest.raises(InvalidRequest, match="from 1 to 1,000"):
                client.task("t1", images=number)


@pytest.mark.parametrize(
    "work",
    [
        lambda task, where: task.refresh(),
        lambda task, where: task.wait(),
        lambda task, where: task.save(where),
        lambda task, where: task.read(),
    ],
)
def test_a_task_remembers_what_it_was_last_told(both: Both, tmp_path: Path, work: Any) -> None:
    seen: list[Any] = []

    def call(client: Any) -> Any:
        seen.append(client.task("t1"))
        return work(seen[0], tmp_path)

    both.call(call, transport=two_pictures().transport)
    assert seen[0].info.urls == (f"{HOST}/a", f"{HOST}/b")
    assert repr(seen[0]).endswith("(id='t1', state='completed')")


@pytest.mark.parametrize(
    "work",
    [
        lambda client, where: client.task("t1", images=3).save(where),
        lambda client, where: client.task("t1", images=3).read(),
        lambda client, where: client.generate("a fish", batchsize=3, output_dir=where),
        lambda client, where: client.generate("a fish", batchsize=3, output_dir=None),
    ],
)
def test_every_picture_that_was_asked_for_is_expected(both: Both, tmp_path: Path, work: Any) -> None:
    with pytest.raises(DownloadError) as caught:
        both.call(lambda client: work(client, tmp_path), transport=two_pictures().transport)
    assert (list(caught.value.errors), caught.value.taskid) == ([2], "t1")


@pytest.mark.parametrize(
    "work",
    [
        lambda client, where: client.task("t1", images=2).wait(),
        lambda client, where: client.task("t1", images=2).save(where),
        lambda client, where: client.task("t1", images=2).read(),
        lambda client, where: client.generate("a fish", batchsize=2, output_dir=where),
        lambda client, where: client.generate("a fish", batchsize=2, output_dir=None),
    ],
)
def test_urls_that_come_later_are_waited_for(both: Both, tmp_path: Path, work: Any) -> None:
    service = two_pictures(completed(f"{HOST}/a"), completed(f"{HOST}/a", f"{HOST}/b"))
    made = both.call(lambda client: work(client, tmp_path), transport=service.transport)
    assert len(getattr(made, "urls", made)) == 2


WORKS: list[Any] = [
    lambda client, where, **options: client.task("t1").wait(**options),
    lambda client, where, **options: client.task("t1").save(where, **options),
    lambda client, where, **options: client.task("t1").read(**options),
    lambda client, where, **options: client.generate("a fish", output_dir=where, **options),
    lambda client, where, **options: client.generate("a fish", output_dir=None, **options),
]


@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize(("given", "seconds"), [({}, 600), ({"timeout": 90}, 90)])
def test_the_deadline_of_a_wait_is_that_asked_for(
    both: Both, tmp_path: Path, work: Any, given: dict[str, Any], seconds: float
) -> None:
    began = both.clock.now
    with pytest.raises(errors.WaitTimeout) as caught:
        both.call(lambda client: work(client, tmp_path, **given), transport=FakeService(task_reply(2)).transport)
    assert both.clock.now - began == pytest.approx(seconds)
    assert caught.value.taskid == "t1"


@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize(
    ("options", "field"), [({"timeout": "5"}, "timeout"), ({"timeout": True}, "timeout"), ({"progress": 5}, "progress")]
)
def test_a_wrong_wait_is_refused_before_anything_is_sent(
    both: Both, tmp_path: Path, work: Any, options: dict[str, Any], field: str
) -> None:
    service = two_pictures()
    with pytest.raises(InvalidRequest) as caught:
        both.call(lambda client: work(client, tmp_path, **options), transport=service.transport)
    assert (caught.value.problems[0].field, service.asked) == (field, [])


@pytest.mark.parametrize("work", WORKS)
def test_only_the_async_client_takes_a_coroutine_function(both: Both, tmp_path: Path, work: Any) -> None:
    seen: list[Any] = []

    async def progress(event: Any) -> None:
        seen.append(event)

    service = FakeService(task_reply(2), completed(f"{HOST}/a"), pictures={"/a": PNG})
    if both.kind == "async":
        both.call(lambda client: work(client, tmp_path, progress=progress), transport=service.transport)
        assert seen
        return
    with pytest.raises(InvalidRequest, match="a coroutine function cannot be awaited here") as caught:
        both.call(lambda client: work(client, tmp_path, progress=progress), transport=service.transport)
    assert (caught.value.problems[0].field, service.asked) == ("progress", [])


@pytest.mark.parametrize("work", WORKS[1:])
def test_progress_and_limits_reach_the_downloads(both: Both, tmp_path: Path, work: Any) -> None:
    seen: list[Any] = []
    both.call(
        lambda client: work(client, tmp_path, progress=seen.append, concurrency=64, max_bytes=2**53),
        transport=two_pictures().transport,
    )
    assert {event.stage for event in seen} >= {"saved"}
    with pytest.raises(DownloadError) as caught:
        both.call(
            lambda client: work(client, tmp_path / "new", max_bytes=len(PNG) - 1), transport=two_pictures().transport
        )
    assert all(isinstance(one, errors.TooLarge) for one in caught.value.errors.values())
    for name, most in (("concurrency", 64), ("max_bytes", 2**53)):
        with pytest.raises(InvalidRequest, match=name):
            both.call(partial(lambda given, client: work(client, tmp_path, **given), {name: most + 1}))


@pytest.mark.parametrize(("work", "options"), [(WORKS[1], {}), (WORKS[3], {"batchsize": 2})])
def test_pictures_are_named_by_the_template(both: Both, tmp_path: Path, work: Any, options: dict[str, Any]) -> None:
    options["name_template"] = "{taskid}.{index}"
    both.call(lambda client: work(client, tmp_path, **options), transport=two_pictures().transport)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t1.0.png", "t1.1.jpg"]


def test_options_of_downloads_are_taken_as_given() -> None:
    made = _download_options(progress=print, max_bytes=5, concurrency=7, name_template="{number}")
    assert (made.progress, made.max_bytes, made.concurrency, made.name_template) == (print, 5, 7, "{number}")
    usual = _download_options(progress=None, max_bytes=5, concurrency=7)
    assert (usual.progress, usual.name_template) == (None, "{taskid}-{number}")


def test_pictures_go_to_the_working_directory_unless_told(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, work in {
        "a": lambda client: client.task("t1").save(),
        "b": lambda client: client.generate("a fish", batchsize=2),
    }.items():
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        both.call(work, transport=two_pictures().transport)
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["t1-1.png", "t1-2.jpg"]


@pytest.mark.parametrize(
    ("work", "path", "content"),
    [
        (lambda client: client.query("t-9"), "infobytaskid", b"t-9"),
        (lambda client: client.task("t-9").refresh(), "infobytaskid", b"t-9"),
        (lambda client: client.delete("t-8", "t-9"), "delete", b'"t-8","t-9"'),
        (lambda client: client.task("t-9").delete(), "delete", b'["t-9"]'),
    ],
)
def test_queries_and_deletions_name_their_tasks(both: Both, work: Any, path: str, content: bytes) -> None:
    service = FakeService({"code": 1000, "msg": "", "data": {"taskid": "t-9", "image_status": 2}})
    found = both.call(work, transport=service.transport)
    (asked,) = service.asked
    assert content in asked.content
    assert path in asked.url.path.lower()
    assert (found is None) is (path == "delete")


def test_a_generated_result_names_its_task_and_state(both: Both, tmp_path: Path) -> None:
    for where in (tmp_path, None):
        made = both.call(
            partial(lambda to, client: client.generate("a fish", batchsize=2, output_dir=to), where),
            transport=two_pictures().transport,
        )
        assert (made.taskid, made.info.taskid, made.info.state, len(made)) == ("t1", "t1", "completed", 2)


@pytest.mark.parametrize("where", ["directory", "memory"])
@pytest.mark.parametrize("taskid", ["t1", "a b"])
def test_an_interruption_after_a_submission_names_the_paid_task(
    both: Both, tmp_path: Path, where: str, taskid: str
) -> None:
    def interrupted(_: httpx.Request) -> None:
        raise KeyboardInterrupt

    service = FakeService(interrupted, submissions=[{"code": 1000, "msg": "", "data": {"taskid": taskid}}])
    with pytest.raises(KeyboardInterrupt) as caught:
        both.call(
            lambda client: client.generate("a fish", output_dir=tmp_path if where == "directory" else None),
            transport=service.transport,
        )
    assert f"Task {taskid} is paid for: client.task({taskid!r}).save() fetches it." in caught.value.__notes__


def test_an_error_after_a_submission_names_the_paid_task(both: Both, tmp_path: Path) -> None:
    service = FakeService(httpx.Response(401))
    with pytest.raises(errors.AuthError) as caught:
        both.call(lambda client: client.generate("a fish", output_dir=tmp_path), transport=service.transport)
    assert (caught.value.taskid, caught.value.billing, caught.value.retryable) == ("t1", "yes", False)


def test_source_images_are_read_in_a_thread_of_the_async_client(both: Both) -> None:
    threads: list[threading.Thread] = []

    class Source(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            threads.append(threading.current_thread())
            return super().read(size)

    both.call(lambda client: client.submit("a fish", source_images=Source(PNG)), transport=FakeService().transport)
    assert {one is threading.main_thread() for one in threads} == {both.kind == "sync"}


# --- set-up --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [SeeDream, AsyncSeeDream])
@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        ({"timeouts": 5}, "timeouts is of type int, not Timeouts", "Give seedream.Timeouts(connect=10, ...)."),
        ({"retry": 5}, "retry is of type int, not RetryPolicy", "Give seedream.RetryPolicy(attempts=3)."),
        ({"clock": "x"}, "clock is of type str, not Clock", "Give an object with the methods of seedream.Clock."),
        ({"journal": 5}, "journal is of type int, not a path or a Journal", "Give a path, or an open seedream.journal.Journal."),
    ],
)  # fmt: skip
def test_a_wrong_object_is_named_with_what_to_give(kind: Any, options: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        kind(KEY, **options)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_an_output_directory_that_is_no_path_is_named(both: Both) -> None:
    for work in (lambda client: client.task("t1").save(5), lambda client: client.generate("a fish", output_dir=5)):
        with pytest.raises(InvalidRequest) as caught:
            both.call(work)
        assert caught.value.problems == (errors.Problem("output_dir", "“5” is not a path", hint="Give a path."),)


@pytest.mark.parametrize("kind", [SeeDream, AsyncSeeDream])
def test_a_client_has_the_limits_and_the_clock_it_was_given(kind: Any, both: Both) -> None:
    usual = kind(KEY)
    assert (usual.service.timeouts, usual.service.retry, usual.service.local) == (Timeouts(), RetryPolicy(), False)
    own = kind(
        KEY, timeouts=Timeouts(connect=3), retry=RetryPolicy(attempts=7), clock=both.clock, base_url="http://[::1]:9"
    )
    assert (own.service.timeouts, own.service.retry, own.service.local) == (
        Timeouts(connect=3),
        RetryPolicy(attempts=7),
        True,
    )
    assert own.service.now() == both.clock.time()
    assert not kind(KEY, base_url="https://localhost.example").service.local


@pytest.mark.parametrize("kind", [SeeDream, AsyncSeeDream])
def test_a_client_that_is_not_made_yet_can_be_shown(kind: Any) -> None:
    assert repr(object.__new__(kind)) == f"{kind.__name__}()"
    with pytest.raises(
        TypeError, match=rf"^a {kind.__name__} holds a key and connections: make a new one where it is needed$"
    ):
        pickle.dumps(kind(KEY))


def test_a_key_is_kept_out_of_the_http_library_s_log_from_the_start() -> None:
    key = "sk-another-key-9876543210"
    SeeDream(key)
    record = logging.LogRecord("httpx", logging.INFO, "f", 1, f"sent {key}", (), None)
    assert logging.getLogger("httpx").filter(record)
    assert record.getMessage() == "sent [removed]"


def test_a_journal_given_as_a_path_is_closed_with_the_client_and_another_is_not(both: Both, tmp_path: Path) -> None:
    answers = [{"code": 1000, "msg": "", "data": {"taskid": f"t{number}"}} for number in range(4)]
    transport = FakeService(submissions=answers).transport
    for given in (tmp_path / "a.db", str(tmp_path / "a.db")):
        both.call(lambda client: client.submit("a fish"), transport=transport, journal=given)
    assert states(tmp_path / "a.db") == ["submitted", "submitted"]
    with Journal(tmp_path / "b.db") as journal:
        for _ in range(2):
            both.call(lambda client: client.submit("a fish"), transport=transport, journal=journal)
    assert states(tmp_path / "b.db") == ["submitted", "submitted"]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_the_journal_is_closed_also_when_the_connections_do_not_close(tmp_path: Path, kind: str) -> None:
    class Broken(httpx.MockTransport):
        def close(self) -> None:
            raise ZeroDivisionError

        async def aclose(self) -> None:
            raise ZeroDivisionError

    transport = Broken(lambda _: httpx.Response(500))
    with pytest.raises(ZeroDivisionError):
        Both(kind).call(lambda client: None, transport=transport, journal=tmp_path / "a.db")
    Journal(tmp_path / "a.db").close()


def test_a_journal_holds_what_was_asked_for_without_secrets(both: Both, tmp_path: Path) -> None:
    options: dict[str, Any] = {"batchsize": 3, "image_url": "https://h/a?sig=MARKER"}
    both.call(
        lambda client: client.submit("a fish", **options), transport=FakeService().transport, journal=tmp_path / "a.db"
    )
    with Journal(tmp_path / "a.db") as journal:
        run = journal.find_run("calls")
        assert run is not None
        (job,) = journal.jobs(run.id)
    assert dict(job.request) == {"prompt": "a fish", "batchsize": 3, "imageUrl": "https://h/a?[removed]"}
    assert (job.cost, job.digest, job.taskid) == (3, check_submit("a fish", options).digest, "t1")


@pytest.mark.parametrize("kind", [SeeDream, AsyncSeeDream])
def test_the_network_s_options_reach_the_transport(kind: Any, both: Both) -> None:
    context = ssl.create_default_context()
    client = kind(
        KEY, verify=context, proxy="http://me:word@proxy.example:3128", headers={"X-Gateway": "a"}, reuse_submit_connections=7,
        clock=both.clock, timeouts=Timeouts(connect=3),
    )  # fmt: skip
    io, options = client._io, client._io._connections._options
    assert (options.verify, options.proxy) == (context, "http://me:word@proxy.example:3128")
    assert (io._clock, io._timeouts, io._secret) == (both.clock, Timeouts(connect=3), KEY)
    assert ("X-Gateway", "a") in dict(io._api_headers).items()
    assert client._io._connections.keeps("submit")
    assert not kind(KEY)._io._connections.keeps("submit")


@pytest.mark.parametrize("kind", [SeeDream, AsyncSeeDream])
@pytest.mark.parametrize(
    "options",
    [{"verify": 5}, {"proxy": 5}, {"reuse_submit_connections": -1}, {"headers": 5}, {"transport": 5}],
    ids=str,
)
def test_each_option_of_the_network_is_checked_at_once(kind: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        kind(KEY, **options)
    assert not caught.value.retryable
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, "it may hold a password"


def test_a_client_may_be_closed_twice(both: Both, tmp_path: Path) -> None:
    both.call(lambda client: client.close(), journal=tmp_path / "a.db")
    Journal(tmp_path / "a.db").close()
