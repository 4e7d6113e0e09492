"""The catalogue of messages: what people read for each kind of mistake and failure, word for word.

`UPDATE_MESSAGES=1 pytest tests/core/test_messages.py` writes messages.txt; the change is then read in review.
"""

# ruff: noqa: E501 -- one case a line reads as a table

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from attrs import evolve
from seedream import RetryPolicy, SeeDream, resolution
from seedream._files.partial_file import ensure_writable
from seedream._protocol import failures
from seedream._request import submission
from seedream._support import config
from seedream._support.secret import Secret
from seedream.resolution import Resolution
from support.clock import FakeClock
from support.fake_service import FakeService, completed, task_reply
from support.pictures import picture
from tensorslab_images.limits import SUBMIT, Field
from tensorslab_images.rules import RULES

KEY = "sk-MARKER-key-0123456789"
SERVER = "https://api.tensorslab.com"
HOST = "https://images.example"
Case = Callable[[], Any]

# The page of the catalogue has limits of its own, so that an update of the vendor's page changes no line here.
FIELDS = (
    Field(name="category", attribute="category", kind="string", default="seedreamv45"),
    Field(name="prompt", attribute="prompt", kind="string", required=True),
    Field(name="batchsize", attribute="batchsize", kind="integer", default=1, minimum=1, maximum=15),
    Field(name="resolution", attribute="resolution", kind="string", default="2K"),
    Field(name="sourceImage", attribute="source_images", kind="binary", many=True),
    Field(name="imageUrl", attribute="image_url", kind="string"),
)
LATER = (
    Field(name="seed", attribute="seed", kind="integer"),
    Field(name="strength", attribute="strength", kind="number", exclusive_minimum=0, exclusive_maximum=1),
    Field(name="steps", attribute="steps", kind="integer", multiple_of=5, maximum=50),
    Field(name="watermark", attribute="watermark", kind="boolean"),
    Field(name="outputFormat", attribute="output_format", kind="string", enum=("png", "jpeg")),
    Field(name="style", attribute="style", kind="string", min_length=2, max_length=3),
    Field(name="code", attribute="code", kind="string", pattern="^[a-z]+$"),
    Field(name="tags", attribute="tags", kind="string", many=True, min_items=2, max_items=3, unique_items=True),
    Field(name="extra", attribute="extra", kind="object"),
    Field(name="mask", attribute="mask", kind="binary"),
)


@contextmanager
def fixed_page() -> Iterator[None]:
    """Replace the generated limits and facts by those above."""
    operation = evolve(SUBMIT, fields=FIELDS + LATER)
    replaced: list[tuple[Any, dict[str, Any]]] = [
        (config, {"SERVER": SERVER}),
        (failures, {"SERVER": SERVER}),
        (submission, {"SUBMIT": operation, "_FIELDS": {one.attribute: one for one in operation.fields}}),
        (
            resolution,
            {
                "RES_PIXELS_MINIMUM": 3_686_400,
                "RES_PIXELS_MAXIMUM": 16_777_216,
                "RES_RATIO_VALUES": ("9:16", "16:9", "3:4", "4:3", "1:1", "2:3", "3:2"),
                "RES_TIER_VALUES": ("2K", "4K"),
            },
        ),
    ]
    with ExitStack() as stack:
        for module, names in replaced:
            for name, value in names.items():
                stack.enter_context(patch.object(module, name, value))
        yield


def _resolutions() -> Iterator[tuple[str, Case]]:
    texts = ["2560x1439", "4096x4097", "1x1", "0x5", "1919x1921", "7x526628", "99999x99999", "5:4", "100:1", "8K", "3k", "4", "7",
             "2048*2048", "1080p 16 9", "x" * 65, "64:63", "02048x2048", "鱼", ""]  # fmt: skip
    for text in texts:
        yield f"resolution {text[:30]!r}", partial(Resolution, text)
    yield "resolution 5", partial(Resolution, 5)  # type: ignore[arg-type]  # the point


def _settings() -> Iterator[tuple[str, Case]]:
    keys: list[Any] = [None, " ", "a b", "Bearer x", 5]
    for key in keys:
        yield f"api_key {key!r}", partial(config.api_key, Secret(key))
    yield "TENSORSLAB_API_KEY", partial(_key_of_the_environment, "e e")
    urls: list[Any] = ["http://a.b", "http://10.0.0.1", "ftp://a.b", "a.b", "https://u@a.b", "https://a.b?x", "https://", "https://a b",
                       "https://a.b:x", 5]  # fmt: skip
    for url in urls:
        yield f"base_url {url!r}", partial(config.base_url, Secret(url))


def _key_of_the_environment(key: str) -> str:
    with patch.dict("os.environ", {config.KEY_VARIABLE: key}):
        return config.api_key(Secret(None))


def _requests() -> Iterator[tuple[str, Case]]:
    given: list[dict[str, Any]] = [
        {"prompt": ""}, {"prompt": None}, {"prompt": 5}, {"prompt": "ab\udfff"}, {"batchsize": 0}, {"batchsize": True},
        {"batchsize": "1"}, {"batchsize": 2**63 + 1}, {"category": 5}, {"nope": 1}, {"prompt": "", "batchsize": 16, "resolution": "5:4"},
        {"seed": 1.5}, {"strength": 0}, {"strength": 1}, {"strength": "x"}, {"strength": float("nan")}, {"steps": 7}, {"steps": 55},
        {"watermark": "true"}, {"output_format": "gif"}, {"style": "a"}, {"style": "abcd"}, {"code": "X"}, {"tags": "ab"}, {"tags": ["a"]},
        {"tags": list("abcd")}, {"extra": {}}, {"mask": [b"x", b"y"]}, {"mask": 5},
    ]  # fmt: skip
    for options in given:
        asked = {"prompt": "a fish", **options}
        yield f"submit {options!r}", partial(submission.check_submit, None, asked)
    sources: list[Any] = [b"", "none.png", ".", "a\0b", ["http://a/1", "http://a/2"], 5, [None], {b"x": 1}]
    for source in sources:
        yield (
            f"source_images {source!r}",
            partial(submission.check_submit, None, {"prompt": "a fish", "source_images": source}),
        )
    twice = {"prompt": "a fish", "image_url": "http://b/2", "source_images": "http://a/1"}
    yield "image_url given twice", partial(submission.check_submit, None, twice)


def _client(service: FakeService, work: Callable[[SeeDream], Any]) -> Any:
    with SeeDream(KEY, transport=service.transport, clock=FakeClock(), retry=RetryPolicy(attempts=1)) as client:
        return work(client)


def _submissions() -> Iterator[tuple[str, Case]]:
    answers: list[tuple[str, Any]] = [
        ("9000", {"code": 9000, "msg": "none"}), ("9999", {"code": 9999, "msg": f"bad {KEY}"}), ("no task id", {"code": 1000}),
        ("unknown code", {"code": 5, "msg": "?"}), ("HTML", httpx.Response(200, html="<html>")), ("empty", httpx.Response(200)),
        ("301", httpx.Response(301)), ("400", httpx.Response(400)), ("401", httpx.Response(401)), ("404", httpx.Response(404)), ("408", httpx.Response(408)),
        ("429", httpx.Response(429)), ("429 with a time", httpx.Response(429, headers={"retry-after": "500"})), ("500 with an id", httpx.Response(500, json={"taskid": "t"})),
        ("cannot connect", httpx.ConnectError("refused")), ("cut while sending", httpx.WriteError("reset")), ("no answer", httpx.ReadTimeout("slow")),
    ]  # fmt: skip
    for name, answer in answers:
        yield f"submit, {name}", partial(_client, FakeService(submissions=[answer]), lambda client: client.submit("a"))


def _tasks() -> Iterator[tuple[str, Case]]:
    answers: list[tuple[str, Any]] = [
        ("unknown", {"code": 9999, "msg": "no such task"}), ("401", httpx.Response(401)), ("404", httpx.Response(404)), ("500", httpx.Response(500)),
        ("no answer", httpx.ReadTimeout("slow")), ("HTML", httpx.Response(200, html="x")),
    ]  # fmt: skip
    for name, answer in answers:
        yield f"query, {name}", partial(_client, FakeService(answer), lambda client: client.query("t1"))
        yield f"wait, {name}", partial(_client, FakeService(answer), lambda client: client.task("t1").wait(timeout=200))
    yield "delete, 500", partial(_client, FakeService(httpx.Response(500)), lambda client: client.delete("a", "b"))
    states = [("running", task_reply(2)), ("state 5", task_reply(5)), ("failed", task_reply(4, error_message="bad \x1b words")),
              ("failed silently", task_reply(4)), ("no URLs", completed())]  # fmt: skip
    for name, state in states:
        yield (
            f"save, {name}",
            partial(_client, FakeService(state), lambda client: client.task("t1", images=2).save("x", timeout=9)),
        )
    odd: list[Any] = [" ", 5]
    for taskid in odd:
        yield f"task {taskid!r}", partial(_client, FakeService({}), partial(_task, taskid))


def _task(taskid: Any, client: SeeDream) -> Any:
    return client.task(taskid)


def _downloads() -> Iterator[tuple[str, Case]]:
    png = picture()
    pictures: list[tuple[str, Any]] = [
        ("HTML", httpx.Response(200, html="<html>")), ("empty", b""), ("cut", png[:-20]), ("403", httpx.Response(403)), ("400", httpx.Response(400)),
        ("503", httpx.Response(503)), ("too large", png + bytes(5000)), ("broken off", httpx.ReadError("reset")),
        ("redirect loop", httpx.Response(302, headers={"location": "/a"})), ("redirect to http", httpx.Response(302, headers={"location": "http://h/b"})),
        ("redirect to loopback", httpx.Response(302, headers={"location": "https://127.0.0.1/b"})),
    ]  # fmt: skip
    for name, answer in pictures:
        yield f"picture, {name}", partial(_saved, FakeService(completed(f"{HOST}/a"), pictures={"/a": answer}))
    two = FakeService(completed(f"{HOST}/a", f"{HOST}/b"), pictures={"/a": png, "/b": httpx.Response(404)})
    yield "pictures, one of two", partial(_saved, two)
    yield (
        "directory in the way",
        partial(_saved, FakeService(completed(f"{HOST}/a"), pictures={"/a": png}), "file"),
    )
    yield "output_dir in the way", partial(ensure_writable, Path("file"))


def _saved(service: FakeService, where: str = "out") -> Any:
    return _client(service, lambda client: client.task("t1").save(where, max_bytes=4000))


CASES: tuple[Callable[[], Iterator[tuple[str, Case]]], ...] = (
    _resolutions, _settings, _requests, _submissions, _tasks, _downloads,
)  # fmt: skip


def catalogue() -> str:
    """One block for each case: its name, then the error's type and message. Files go to the current directory."""
    Path("file").write_bytes(b"")
    with fixed_page():
        return "".join(f"{name}\n    {_message(case)}\n" for cases in CASES for name, case in cases())


def _message(case: Case) -> str:
    try:
        return f"gives {json.dumps(str(case()))}"
    except Exception as error:  # noqa: BLE001 -- whatever comes out is written down
        text = f"{type(error).__name__}: {error}".replace("\n", "\n    ")
    for rule in RULES.values():  # a vendor who words a rule differently changes no line
        text = text.replace(f"“{rule.sentence}”", "“...”")
    return text
