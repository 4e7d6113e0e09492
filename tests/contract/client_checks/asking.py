"""Queries, waiting and deletion: what is sent, how each reply is read, and when it ends. They cost nothing."""

import itertools
import json
import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import httpx
from contract.client_checks.relation import ClientRelation, Example, Outcome, call, call_failing, require
from contract.client_checks.sending import check_request
from contract.client_checks.under_test import TASK, ClientUnderTest
from contract.recording_server import ScriptedReply, envelope
from seedream import RetryPolicy, errors
from seedream_testing.contract.api_facts import ApiFacts
from support.clock import FakeClock

_JSON: Final = {"content-type": "application/json"}
_STATUSES: Final = (*range(200, 452), 499, *range(500, 512), 520, 521, 524, 529, 530, 599, 600, 999)
_NONE: Final = (204, 205, 304)
_NOT_FOUND_FOR: Final = 120.0  # seconds


def _query(taskid: Any = TASK) -> Callable[[Any], Any]:
    return lambda client: client.query(taskid)


def _delete(*taskids: str) -> Callable[[Any], Any]:
    return lambda client: client.delete(*(taskids or (TASK,)))


def _state(facts: ApiFacts, status: Any, **more: Any) -> ScriptedReply:
    return envelope(facts.success, {"taskid": TASK, "image_status": status, **more})


# --- ids --------------------------------------------------------------------------------------------------------------
_IDS: Final = (
    TASK,
    "AbCd_XyZ-0",
    "a b",
    "0012",
    "1",
    "%41+b",
    "任务-1",
    "é e\u0301",
    "'\"\\",
    "a/b?c",
    "x" * 36,
    "x" * 200,
    "x" * 1000,
    "null",
    "{}",
    "a,b",
    "<b>",
    "-",
    "\U0001f32b",
)
_NO_IDS: Final = (
    "",
    " ",
    "\t",
    "\n",
    "a\nb",
    "a\0",
    "\u3000",
    "https://example.com/?a=b",
    None,
    5,
    b"id",
    ["id"],
    True,
)


def _ids(facts: ApiFacts) -> Iterator[Example]:
    """An id travels as it was given; what cannot be one is refused before a byte leaves."""

    def travels(
        subject: ClientUnderTest, work: Callable[[Any], Any], reply: ScriptedReply, path: str, meant: Any
    ) -> None:
        outcome = call(subject, work, reply)
        outcome.expect(None, rule="TASK-ID", requests=1)
        check_request(subject.facts, outcome.sent[0], path)
        found = json.loads(outcome.sent[0].body)
        require(found == meant, f"{found!r} arrived, not {meant!r}", "TASK-ID", outcome.sent[0])
        asked = meant.get("taskid")
        require(
            asked is None or outcome.value.taskid == asked, f"it gave {outcome.value!r}", "TASK-ID", outcome.sent[0]
        )

    done = envelope(facts.success, {"status": "Success"})
    for taskid in _IDS:
        state = envelope(
            facts.success, {"taskid": taskid, "image_status": facts.completed, "url": ["https://i.example/1"]}
        )
        for name, work in {
            "query": _query(taskid),
            "refresh": lambda client, t=taskid: client.task(t).refresh(),
            "wait": lambda client, t=taskid: client.task(t).wait(timeout=5),
        }.items():
            yield Example(
                f"{name} {taskid[:20]!r}",
                partial(travels, work=work, reply=state, path=facts.query, meant={"taskid": taskid}),
            )
        for ids in (
            (taskid,),
            (taskid, taskid),
            ("b", taskid, "a"),
            tuple(f"{taskid[:150]}{number}" for number in range(20)),
        ):
            yield Example(
                f"delete {len(ids)} {taskid[:20]!r}",
                partial(travels, work=_delete(*ids), reply=done, path=facts.delete, meant={"taskids": list(ids)}),
            )
        yield Example(
            f"task.delete {taskid[:20]!r}",
            partial(
                travels,
                work=lambda client, t=taskid: client.task(t).delete(),
                reply=done,
                path=facts.delete,
                meant={"taskids": [taskid]},
            ),
        )

    def refused(subject: ClientUnderTest, work: Callable[[Any], Any]) -> None:
        outcome = call(subject, work, done)
        require(not outcome.connections, f"it was sent: {outcome.shown}", "TASK-ID")
        outcome.expect(errors.InvalidRequest, rule="TASK-ID", billing="no", retryable=False)
        require(
            getattr(outcome.error, "rule", "") == "TASK-ID",
            f"{outcome.error!r} names the rule {getattr(outcome.error, 'rule', '')}",
            "TASK-ID",
        )

    for bad in _NO_IDS:
        for name, work in {
            "query": _query(bad),
            "task": lambda client, b=bad: client.task(b).wait(),
            "delete": lambda client, b=bad: client.delete("a", b),
        }.items():
            yield Example(f"{name} {bad!r:.20}", partial(refused, work=work))

    def nothing(subject: ClientUnderTest) -> None:
        outcome = call(subject, lambda client: client.delete(), done)
        require(
            not outcome.connections and outcome.value is None and outcome.error is None,
            f"deleting no task gave {outcome.shown}",
            "TASK-ID",
        )

    yield Example("delete nothing", nothing)


# --- reading a task ---------------------------------------------------------------------------------------------------
def _reading(facts: ApiFacts) -> Iterator[Example]:
    """Each member of a task is read as it is; one of another type counts as missing, or as the number that it spells."""
    names = {
        facts.queued: "queued",
        facts.processing: "processing",
        facts.completed: "completed",
        facts.failed: "failed",
    }

    def run(subject: ClientUnderTest, data: dict[str, Any], meant: dict[str, tuple[Any, ...]]) -> None:
        outcome = call(
            subject, _query(), envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, **data})
        )
        info = outcome.expect(None, rule="STATUS-MEANING", requests=1)
        for name, values in meant.items():
            found = getattr(info, name)
            fits = any(type(found) is type(value) and found == value for value in values)
            require(
                fits,
                f"{data!r:.100} was read as {name}={found!r:.100}, not {values[0]!r:.100}",
                "STATUS-MEANING",
                outcome.sent[0],
            )
        require(
            info.taskid == TASK and info.finished == (info.state in ("completed", "failed")),
            f"{info!r}: finished={info.finished}",
            "STATUS-MEANING",
        )
        require(
            "http" not in repr(info) and "MARKER" not in repr(info), f"its repr shows URLs: {info!r}", "KEY-PRIVATE"
        )

    for status in (
        *range(-3, 25),
        77,
        99,
        100,
        101,
        103,
        200,
        255,
        256,
        257,
        259,
        1000,
        2**31,
        2**32 + 3,
        2**63 + 3,
        -(2**31),
    ):
        state = names.get(status, "unknown")
        yield Example(
            f"image_status {status}",
            partial(run, data={"image_status": status}, meant={"status": (status,), "state": (state,)}),
        )
    odds: tuple[Any, ...] = (None, True, False, [], {}, "", "completed", "done", [3], 3.5, "3.5", "three", "x")
    for odd in odds:
        yield Example(f"image_status {odd!r}", partial(run, data={"image_status": odd}, meant={"state": ("unknown",)}))
    for odd in (str(facts.completed), float(facts.completed)):
        yield Example(
            f"image_status {odd!r}", partial(run, data={"image_status": odd}, meant={"state": ("completed", "unknown")})
        )
    urls = [f"https://i.example/{number}.png?X=%2B{number}&s=a+b" for number in range(15)]
    for some in (
        [],
        urls[:1],
        urls[:2],
        urls,
        urls[::-1],
        [urls[0]] * 3,
        [" https://i.example/a "],
        ["/relative"],
        [f"https://i.example/{'a' * 3000}"],
    ):
        yield Example(f"url {len(some)}", partial(run, data={"url": some}, meant={"urls": (tuple(some),)}))
    for odd in (None, 5, True, {}, {"0": urls[0]}):
        yield Example(f"url {odd!r:.30}", partial(run, data={"url": odd}, meant={"urls": ((),)}))
    yield Example("url as text", partial(run, data={"url": urls[0]}, meant={"urls": ((urls[0],),)}))
    gaps: tuple[Any, ...] = (None, "", 7, {}, [], False)
    for gap in gaps:
        yield Example(
            f"a gap {gap!r} among the URLs",
            partial(run, data={"url": [urls[0], gap, urls[2]]}, meant={"urls": ((urls[0], "", urls[2]),)}),
        )
    for name in ("width", "height"):
        for number in (0, 1, 1440, 2048, 2560, 16_384, 2**31, -5):
            yield Example(f"{name} {number}", partial(run, data={name: number}, meant={name: (number,)}))
        for odd in (None, True, "", "wide", [], {}, 1.5):
            yield Example(f"{name} {odd!r}", partial(run, data={name: odd}, meant={name: (None,)}))
        yield Example(f"{name} as text", partial(run, data={name: "2048"}, meant={name: (2048, None)}))
    both = {"width": 2560, "height": 1440}
    yield Example("width and height", partial(run, data=both, meant={"width": (2560,), "height": (1440,)}))
    for name in ("prompt", "error_message"):
        for text in ("", "a fish", "鱼 \r\n é e\u0301 \0", " x ", "&amp; %41", "x" * 20_000):
            yield Example(f"{name} {text[:10]!r}", partial(run, data={name: text}, meant={name: (text,)}))
        for odd in (None, 5, True, [], {}):
            yield Example(f"{name} {odd!r}", partial(run, data={name: odd}, meant={name: ("",)}))
    full = {
        "taskid": TASK,
        "image_status": facts.completed,
        "category": "c",
        "starttime": "2026-01-01 00:00:00",
        "origseed": 7,
        "negative": "n",
        "new": {"a": [1, None]},
    }

    def raw(subject: ClientUnderTest) -> None:
        info = call(subject, _query(), envelope(facts.success, full)).expect(None, rule="STATUS-MEANING", requests=1)
        require(info.raw == full, f"the data as it came is {info.raw!r}", "STATUS-MEANING")

    yield Example("the data as it came", raw)

    def handle(subject: ClientUnderTest) -> None:
        def work(client: Any) -> Any:
            task = client.task(TASK, images=4)
            before = task.info
            return before, task.refresh(), task.info, task.id, task.images

        before, info, after, taskid, images = call(subject, work, _state(facts, facts.processing)).expect(
            None, rule="STATUS-MEANING"
        )
        require(
            before is None and (after is None or after == info) and (taskid, images) == (TASK, 4),
            "the handle does not tell what it knows",
            "STATUS-MEANING",
        )

    yield Example("the handle", handle)


def _owners(facts: ApiFacts) -> Iterator[Example]:
    """A reply that names another task, however alike, is not about this one; one that names none is."""

    def run(subject: ClientUnderTest, data: dict[str, Any], *, own: bool) -> None:
        for work in (_query(), lambda client: client.task(TASK).wait(timeout=5)):
            outcome = call(subject, work, envelope(facts.success, data), retry=RetryPolicy(attempts=1))
            if own:
                info = outcome.expect(None, rule="TASK-OWN")
                require(info.taskid == TASK and info.state == "completed", f"it gave {info!r}", "TASK-OWN")
            else:
                kinds = (errors.StatusError, errors.WaitTimeout)
                require(
                    isinstance(outcome.error, kinds),
                    f"it was taken for this one's: {outcome.shown}",
                    "TASK-OWN",
                    outcome.sent[0],
                )
                require(
                    outcome.error is not None and outcome.error.taskid == TASK,
                    f"{outcome.error!r} names another task",
                    "PAY-KNOWN",
                )

    base = {"image_status": facts.completed, "url": ["https://i.example/1"]}
    for other in (
        TASK[:-1],
        TASK + "0",
        TASK.upper(),
        f" {TASK}",
        f"{TASK} ",
        TASK[::-1],
        "another",
        "1",
        f"{TASK},{TASK}",
    ):
        yield Example(f"another task {other!r}", partial(run, data={"taskid": other, **base}, own=False))
    for data in ({}, {"taskid": None}, {"taskid": ""}, {"taskid": TASK}):
        yield Example(f"taskid {data}", partial(run, data={**data, **base}, own=True))


# --- statuses and repetition ------------------------------------------------------------------------------------------
def _statuses(facts: ApiFacts) -> Iterator[Example]:
    """Each status has one error; what may pass is asked again, a refusal is not."""

    def run(
        subject: ClientUnderTest,
        work: Callable[[Any], Any],
        reply: ScriptedReply,
        kind: type[errors.SeeDreamError],
        billing: str,
        requests: int,
    ) -> None:
        outcome = call(subject, work, reply, retry=RetryPolicy(attempts=3))
        error = outcome.expect(kind, rule="STATUS-MEANING", billing=billing, taskid=TASK)
        require(
            len(outcome.sent) == requests,
            f"it was asked {len(outcome.sent)} times, not {requests}",
            "STATUS-MEANING",
            outcome.sent[0],
        )
        require(
            error.reply is not None and error.reply.status == reply.status and error.hint,
            f"{error!r} has neither reply nor hint",
            "PAY-KNOWN",
        )
        require(
            error.retryable == (kind is errors.StatusError),
            f"{error!r} has retryable={error.retryable}",
            "STATUS-MEANING",
        )

    for status in _STATUSES:
        for code in (None, facts.success, facts.failure, 4711):
            if code is not None and status not in (200, 201, 302, 400, 404, 405, 409, 410, 422, 429, 500, 503):
                continue
            if 200 <= status < 300 and code == facts.success:
                continue
            body = (
                b""
                if status in _NONE or code is None
                else json.dumps({"code": code, "msg": "why", "data": {"image_status": facts.completed}}).encode()
            )
            ok = 200 <= status < 300
            final = (400 <= status < 500 and status not in (408, 425, 429)) or code == facts.failure
            unknown = (ok and code == facts.failure) or (code is not None and status in (404, 410))
            kind = errors.AuthError if status in (401, 403) else errors.TaskNotFound if unknown else errors.StatusError
            reply = ScriptedReply(status, body, {**_JSON, "location": "/elsewhere"})
            for name, work in {"query": _query(), "delete": _delete()}.items():
                if name == "delete" and code is None and status % 4 and status not in (401, 403, 408, 425, 429):
                    continue
                billing = "unknown" if kind is errors.TaskNotFound else "yes"
                yield Example(
                    f"{name}: HTTP {status}, code {code}",
                    partial(run, work=work, reply=reply, kind=kind, billing=billing, requests=1 if final else 3),
                )

    def again(
        subject: ClientUnderTest, work: Callable[[Any], Any], first: list[ScriptedReply | None], good: ScriptedReply
    ) -> None:
        answers = [*first, good]
        outcome = call(subject, work, lambda _: answers.pop(0))
        outcome.expect(None, rule="STATUS-MEANING", requests=len(first) + 1)
        bodies = {sent.body for sent in outcome.sent}
        require(len(bodies) == 1, f"{bodies} were asked", "TASK-ID")
        for sent in outcome.sent:
            check_request(subject.facts, sent, sent.path)
        policy = RetryPolicy()
        for number, pause in enumerate(outcome.slept):
            whole = min(policy.cap, policy.base * 2**number)
            require(
                whole / 2 <= pause <= whole,
                f"pause {number + 1} was {pause} s, not {whole / 2} to {whole}",
                "STATUS-MEANING",
            )

    odd: dict[str, ScriptedReply | None] = {"cut": None, "429": ScriptedReply(429), "408": ScriptedReply(408), "425": ScriptedReply(425), "500": ScriptedReply(500), "503": ScriptedReply(503), "520": ScriptedReply(520), "HTML": ScriptedReply(200, b"<html>"),
           "empty": ScriptedReply(200), "half": ScriptedReply(200, b'{"code":', {"content-length": "99"}), "list": ScriptedReply(200, b"[]"), "another code": envelope(4711), "no code": ScriptedReply(200, b'{"data":{}}'), "302": ScriptedReply(302, headers={"location": "/x"})}  # fmt: skip
    for label, work, good in (
        ("query", _query(), _state(facts, facts.completed)),
        ("delete", _delete(), envelope(facts.success, {"status": "Success"})),
    ):
        for name, first in odd.items():
            yield Example(f"{label}: {name}, then a good first", partial(again, work=work, first=[first], good=good))
        for names in itertools.combinations(odd, 3):
            if sum(map(ord, "".join(names))) % 11 == 0:
                yield Example(
                    f"{label}: {', '.join(names)}, then a good reply",
                    partial(again, work=work, first=[odd[name] for name in names], good=good),
                )

    def failing(subject: ClientUnderTest, error: Exception, work: Callable[[Any], Any]) -> None:
        outcome, tried = call_failing(subject, work, error)
        outcome.expect(errors.StatusError, rule="STATUS-MEANING", billing="yes", retryable=True, taskid=TASK)
        require(tried == 3, f"{error!r}: it was tried {tried} times, not 3", "STATUS-MEANING")

    for error in (
        httpx.ConnectError("x"),
        httpx.ReadError("x"),
        httpx.ReadTimeout("x"),
        httpx.WriteError("x"),
        httpx.RemoteProtocolError("x"),
        OSError("x"),
    ):
        yield Example(f"query: {type(error).__name__}", partial(failing, error=error, work=_query()))
        yield Example(f"delete: {type(error).__name__}", partial(failing, error=error, work=_delete()))

    def elsewhere(subject: ClientUnderTest, status: int) -> None:
        def handle(request: httpx.Request) -> httpx.Response:
            seen.append(str(request.url))
            good = _state(facts, facts.completed, url=["https://i.example/1"])
            return (
                httpx.Response(status, headers={"location": "https://evil.example/x"})
                if request.url.host == "api.example.com"
                else httpx.Response(200, content=good.body)
            )

        for work in (_query(), _delete(), lambda client: client.task(TASK).wait(timeout=5)):
            seen: list[str] = []
            outcome = call(
                subject,
                work,
                url="https://api.example.com",
                transport=httpx.MockTransport(handle),
                retry=RetryPolicy(attempts=2),
            )
            require(
                outcome.error is not None and not any("evil" in url for url in seen),
                f"HTTP {status} was followed: {seen}",
                "KEY-PRIVATE",
            )

    for status in (301, 302, 303, 307, 308, 300, 305):
        yield Example(f"a redirect {status}", partial(elsewhere, status=status))


# --- waiting ----------------------------------------------------------------------------------------------------------
def _waits(facts: ApiFacts) -> Iterator[Example]:
    """Every sequence of states is waited through until the first that ends it."""
    done = _state(facts, facts.completed, url=["https://i.example/1"])
    steps: dict[str, ScriptedReply | None] = {
        "queued": _state(facts, facts.queued), "processing": _state(facts, facts.processing), "uploading": _state(facts, 5), "zero": _state(facts, 0), "no state": _state(facts, None),
        "cut": None, "503": ScriptedReply(503), "429": ScriptedReply(429, headers={"retry-after": "3"}), "not found": envelope(facts.failure, None, "no such task"), "HTML": ScriptedReply(200, b"<html>"),
        "another task": envelope(facts.success, {"taskid": "t-2", "image_status": facts.completed, "url": ["https://i.example/9"]}), "without URLs": _state(facts, facts.completed, url=[]),
        "400": ScriptedReply(400, b"{}", _JSON), "another code": envelope(4711),
    }  # fmt: skip

    def run(subject: ClientUnderTest, names: tuple[str, ...], last: str) -> None:
        failed = _state(facts, facts.failed, error_message="the prompt is not allowed")
        ends = {"completed": done, "failed": failed, "401": ScriptedReply(401), "403": ScriptedReply(403)}
        answers = [*(steps[name] for name in names), ends[last]]
        events: list[Any] = []
        outcome = call(
            subject,
            lambda client: client.task(TASK).wait(timeout=600, progress=events.append),
            lambda _: answers.pop(0) if answers else done,
        )
        count = len(names) + 1
        if last == "completed":
            info = outcome.expect(None, rule="STATUS-MEANING")
            require(
                info.state == "completed" and list(info.urls) == ["https://i.example/1"],
                f"it gave {info!r}",
                "STATUS-MEANING",
            )
        elif last == "failed":
            error = outcome.expect(
                errors.TaskFailed, rule="STATUS-MEANING", taskid=TASK, billing="unknown", retryable=False
            )
            require(
                "the prompt is not allowed" in str(error)
                and error.rule == "STATUS-MEANING"
                and error.hint
                and error.reply is not None,
                f"the reason is lost: {error}",
                "STATUS-MEANING",
            )
        else:
            outcome.expect(errors.AuthError, rule="STATUS-MEANING", taskid=TASK, billing="yes", retryable=False)
        require(len(outcome.sent) == count, f"it took {len(outcome.sent)} queries, not {count}", "STATUS-MEANING")
        _check_pauses(outcome, count)
        require(len(events) <= count, f"{len(events)} events of {count} queries", "STATUS-MEANING")

    for length in range(3):
        for names in itertools.product(steps, repeat=length):
            for last in ("completed", "failed", "401") if length < 2 else ("completed",):
                yield Example(f"{', '.join(names)} {last}", partial(run, names=names, last=last))
    for names in itertools.permutations(["queued", "processing", "uploading", "zero"], 4):
        for last in ("completed", "failed"):
            yield Example(f"{', '.join(names)}, {last}", partial(run, names=names, last=last))
    yield Example("403", partial(run, names=(), last="403"))

    def slowly(subject: ClientUnderTest, count: int) -> None:
        answers = [*[steps["processing"]] * count, done]
        outcome = call(subject, lambda client: client.task(TASK).wait(timeout=10_000), lambda _: answers.pop(0))
        outcome.expect(None, rule="STATUS-MEANING", requests=count + 1)
        _check_pauses(outcome, count + 1)

    yield Example("forty states", partial(slowly, count=40))

    def urls_later(subject: ClientUnderTest, empty: int, images: int) -> None:
        few = _state(facts, facts.completed, url=["https://i.example/1"] if images > 1 else [])
        full = _state(facts, facts.completed, url=[f"https://i.example/{number}" for number in range(images)])
        answers = [*[few] * empty, full]
        outcome = call(
            subject,
            lambda client: client.task(TASK, images=images).wait(timeout=600),
            lambda _: answers.pop(0) if answers else full,
        )
        info = outcome.expect(None, rule="STATUS-MEANING")
        require(
            len(info.urls) == images and len(outcome.sent) == empty + 1,
            f"it gave {len(info.urls)} URLs of {images} after {len(outcome.sent)} queries",
            "SERVER-PICTURES",
        )

    def never_urls(subject: ClientUnderTest) -> None:
        outcome = call(
            subject, lambda client: client.task(TASK).wait(timeout=600), _state(facts, facts.completed, url=[])
        )
        info = outcome.expect(None, rule="STATUS-MEANING")
        require(
            info.state == "completed" and 2 <= len(outcome.sent) <= 10,
            f"it asked {len(outcome.sent)} times",
            "STATUS-MEANING",
        )

    yield Example("completed, and never a URL", never_urls)

    def forever(subject: ClientUnderTest) -> None:
        answers = [steps["processing"]] * 3
        outcome = call(
            subject,
            lambda client: client.task(TASK).wait(timeout=math.inf),
            lambda _: answers.pop(0) if answers else done,
        )
        outcome.expect(None, rule="STATUS-MEANING", requests=4)

    yield Example("without a deadline", forever)
    for empty, images in itertools.product((0, 1, 2), (1, 2, 4)):
        yield Example(
            f"{images} URLs, after {empty} replies without all", partial(urls_later, empty=empty, images=images)
        )


def _check_pauses(outcome: Outcome, queries: int) -> None:
    """Pauses between queries grow from one second to five, each with a quarter of jitter."""
    require(
        len(outcome.slept) == queries - 1,
        f"there were {len(outcome.slept)} pauses between {queries} queries",
        "STATUS-MEANING",
    )
    for number, pause in enumerate(outcome.slept):
        middle = min(1.5**number, 5.0)
        require(
            0.75 * middle - 1e-9 <= pause <= 1.25 * middle + 1e-9,
            f"pause {number + 1} was {pause} s, not about {middle}",
            "STATUS-MEANING",
        )


def _deadlines(facts: ApiFacts) -> Iterator[Example]:
    """A wait ends at its deadline, not before and not after; the task is not lost."""
    running: dict[str, ScriptedReply | None] = {
        "queued": _state(facts, facts.queued),
        "processing": _state(facts, facts.processing),
        "unknown": _state(facts, 5),
        "503": ScriptedReply(503),
        "cut": None,
        "429": ScriptedReply(429),
        "HTML": ScriptedReply(200, b"<html>"),
    }

    def run(subject: ClientUnderTest, reply: ScriptedReply | None, timeout: float) -> None:
        outcome = call(subject, lambda client: client.task(TASK).wait(timeout=timeout), reply)
        error = outcome.expect(errors.WaitTimeout, rule="STATUS-MEANING", taskid=TASK, billing="yes", retryable=True)
        waited = sum(outcome.slept)
        require(abs(waited - max(timeout, 0)) < 0.01, f"it waited {waited} s of {timeout}", "STATUS-MEANING")
        require(
            error.hint and len(outcome.sent) == len(outcome.slept) + 1,
            f"{error!r}: {len(outcome.sent)} queries",
            "STATUS-MEANING",
        )

    for (name, reply), timeout in itertools.product(running.items(), (0, 0.5, 1, 7.25, 30, 119, 121, 600, -3)):
        if timeout < 100 or name in ("processing", "503"):
            yield Example(f"{name}, deadline {timeout}", partial(run, reply=reply, timeout=timeout))

    def unknown(subject: ClientUnderTest, reply: ScriptedReply, timeout: float) -> None:
        outcome = call(subject, lambda client: client.task(TASK).wait(timeout=timeout), reply)
        outcome.expect(errors.TaskNotFound, rule="STATUS-MEANING", taskid=TASK, billing="unknown", retryable=False)
        waited = sum(outcome.slept)
        least = min(timeout, _NOT_FOUND_FOR)
        require(
            least - 0.01 <= waited <= min(timeout, least + 7) + 0.01,
            f"it waited {waited} s for a task that is not known",
            "PAY-KNOWN",
        )

    for reply in (
        envelope(facts.failure, None, "no"),
        ScriptedReply(404, b'{"code":404,"msg":"no"}', _JSON),
        ScriptedReply(410, b'{"code":9999}', _JSON),
    ):
        for timeout in (5, 119, 600):
            yield Example(
                f"a task that is not known: HTTP {reply.status}, deadline {timeout}",
                partial(unknown, reply=reply, timeout=timeout),
            )

    def refused(subject: ClientUnderTest, reply: ScriptedReply) -> None:
        outcome = call(subject, lambda client: client.task(TASK).wait(timeout=600), reply)
        outcome.expect(errors.StatusError, rule="STATUS-MEANING", taskid=TASK, billing="yes")
        require(_NOT_FOUND_FOR <= sum(outcome.slept) <= 601, f"it waited {sum(outcome.slept)} s", "STATUS-MEANING")

    for status in (400, 405, 422):
        yield Example(f"HTTP {status} all the time", partial(refused, reply=ScriptedReply(status, b"{}", _JSON)))

    def wrong(subject: ClientUnderTest, options: dict[str, Any]) -> None:
        for name in ("wait", "save", "read", "generate"):
            if "timeout" not in options and "progress" not in options and name == "wait":
                continue
            given = {key: value for key, value in options.items() if name != "read" or key != "name_template"}
            if not given:
                continue

            def work(client: Any, name: str = name, given: dict[str, Any] = given) -> Any:
                return (
                    client.generate("a fish", **given)
                    if name == "generate"
                    else getattr(client.task(TASK), name)(**given)
                )

            outcome = call(
                subject, work, lambda sent: subject.accepted() if sent.path == facts.submit else running["processing"]
            )
            require(not outcome.connections, f"{name} was sent: {outcome.shown}", "PAY-KNOWN")
            outcome.expect(errors.InvalidRequest, rule="PAY-KNOWN", billing="no")

    wrong_times: tuple[Any, ...] = ("5", None, True, math.nan, [5], {}, 1j)
    for bad in wrong_times:
        yield Example(f"timeout={bad!r}", partial(wrong, options={"timeout": bad}))
    for progress in (5, "print", [], object()):
        yield Example(f"progress={progress!r:.20}", partial(wrong, options={"progress": progress}))
    for name, values in {"max_bytes": (0, -1, 1.5, "5", None, True, math.inf), "concurrency": (0, -1, 65, 1.5, "2", None, True),
                         "name_template": ("", "x", "{taskid}", "../{number}", "/{number}", "{number}/{taskid}", "{other}", "{number", "{number:300}", ".{number}", "{number}\n", "{number.__class__}", "a" * 400 + "{number}", 5, None)}.items():  # fmt: skip
        for value in values:
            yield Example(f"{name}={value!r:.40}", partial(wrong, options={name: value}))
    for images in (0, -1, 1.5, "2", True, 1001):
        yield Example(f"images={images!r}", partial(_wrong_images, images=images))


def _wrong_images(subject: ClientUnderTest, images: Any) -> None:
    outcome = call(subject, lambda client: client.task(TASK, images=images).save("/nowhere"), None)
    require(not outcome.connections, f"it was sent: {outcome.shown}", "PAY-KNOWN")
    outcome.expect(errors.InvalidRequest, rule="PAY-KNOWN", billing="no")


def _progress(facts: ApiFacts) -> Iterator[Example]:
    """What is told while waiting is what the service said, in order."""

    def run(subject: ClientUnderTest) -> None:
        numbers = [facts.queued, 5, facts.processing]
        events: list[Any] = []
        clock = FakeClock()
        done = _state(facts, facts.completed, url=["https://i.example/1"])
        outcome = call(
            subject,
            lambda client: client.task(TASK).wait(timeout=60, progress=events.append),
            lambda _: _state(facts, numbers.pop(0)) if numbers else done,
            clock=clock,
        )
        outcome.expect(None, rule="STATUS-MEANING", requests=4)
        told = [(event.stage, event.taskid, event.state) for event in events]
        meant = [("waiting", TASK, state) for state in ("queued", "unknown", "processing", "completed")]
        require(told == meant, f"it told {told}, not {meant}", "STATUS-MEANING")
        passed = [sum(outcome.slept[:number]) for number in range(4)]
        near = all(abs(event.elapsed - after) < 0.01 for event, after in zip(events, passed, strict=True))
        require(near, f"it told other times than {passed}", "STATUS-MEANING")

    yield Example("progress of a wait", run)

    def stops(subject: ClientUnderTest) -> None:
        class Stop(Exception):
            pass

        def progress(event: Any) -> None:
            raise Stop(event)

        try:
            outcome = call(
                subject,
                lambda client: client.task(TASK).wait(timeout=60, progress=progress),
                _state(facts, facts.queued),
            )
        except Stop:
            return
        raise AssertionError(f"the caller's own exception was swallowed: {outcome.shown}")

    yield Example("an exception of the callback", stops)


RELATIONS: Final = (
    ClientRelation(
        "task.id",
        "TASK-ID",
        "An id arrives as it was given, in queries and deletions, in order; what cannot be one is refused.",
        _ids,
    ),
    ClientRelation(
        "task.reading",
        "STATUS-MEANING",
        "Each member of a task's reply is read as it is; of another type, it counts as missing.",
        _reading,
    ),
    ClientRelation("task.owner", "TASK-OWN", "A reply that names another task is not taken for this one's.", _owners),
    ClientRelation(
        "task.status",
        "STATUS-MEANING",
        "A query or deletion is repeated where no usable reply came, and only there; each end has its error.",
        _statuses,
    ),
    ClientRelation(
        "wait.states",
        "STATUS-MEANING",
        "Every sequence of states is waited through, with growing pauses, until the task has ended.",
        _waits,
    ),
    ClientRelation(
        "wait.deadline",
        "PAY-KNOWN",
        "A wait ends at its deadline with the task's id; what is wrong in a call is refused before it costs anything.",
        _deadlines,
    ),
    ClientRelation(
        "wait.progress", "STATUS-MEANING", "What is told while waiting is what the service said.", _progress
    ),
)
