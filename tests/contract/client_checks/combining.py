"""Values, members and words together: no pair of fields, no length and no word beside a code changes what is meant.

The examples are pairwise products: a fault that needs two values at once shows in the row in which they meet.
"""

import io
import itertools
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from contract.client_checks.fetching import GIF
from contract.client_checks.relation import ClientRelation, Example, in_memory, pairwise, require, submits
from contract.client_checks.replies import check_fate, fate
from contract.client_checks.under_test import TASK, ClientUnderTest
from contract.recording_server import ScriptedReply, envelope
from seedream import Resolution, RetryPolicy, errors
from seedream_testing.contract.api_facts import ApiFacts, Part, text
from seedream_testing.contract.decode import parse_with_werkzeug
from seedream_testing.contract.samples import jpeg, png, webp
from seedream_testing.contract.violation import Sent

_JSON: Final = {"content-type": "application/json"}
_OPTION: Final = {"imageUrl": "image_url"}  # by the name on the wire


def _parts(sent: Sent) -> Sequence[Part]:
    return parse_with_werkzeug(sent.header("content-type")[0], sent.body)  # send.form has two parsers


# --- values of two fields ---------------------------------------------------------------------------------------------
def _together(facts: ApiFacts) -> Iterator[Example]:
    """What is sent is what was given, whatever is beside it; the facts' judge says whether it may be sent."""
    spec = next(one for one in facts.fields if one.name == "batchsize")
    sizes = (
        f"1920x{-(-facts.least_pixels // 1920)}",
        "2560x1440",
        "4096x4096",
        f"{facts.most_pixels // 4096}x4096",
        "1000x5000",
    )
    values: dict[str, Sequence[Any]] = {
        "resolution": (None, *facts.ratios, *facts.tiers, *sizes, *map(Resolution, (*facts.tiers, *facts.ratios[:1], sizes[1]))),
        "batchsize": (None, *range(int(spec.minimum or 1), int(spec.maximum or 15) + 1)),
        "category": (None, facts.defaults.get("category", "seedreamv45"), "Other_V5", "类别", "4K"),
        "imageUrl": (None, "https://a.example/1.png?x=1&y=%2F#f", "HTTPS://A.EXAMPLE/4K/图.png"),
        "sources": ((), (png(),), (jpeg(), png(9, 9)), tuple(png(shade=number) for number in range(5)), (webp(), GIF, png()) * 2),
        "prompt": ("a fish", "灯塔 4K 16:9 batchsize=15", "x" * 3001, " a\r\nb "),
    }  # fmt: skip

    def run(subject: ClientUnderTest, row: Mapping[str, Any]) -> None:
        texts = {name: str(value) for name, value in row.items() if value is not None and name != "sources"}
        files = [Part("sourceImage", content, "a", "image/png") for content in row["sources"]]
        options = {_OPTION.get(name, name): value for name, value in row.items() if value is not None}
        options["source_images"] = list(options.pop("sources")) or None
        verdict = subject.facts.judge([*(text(name, value) for name, value in texts.items()), *files])
        outcome = in_memory(subject, submits(**options), subject.accepted())
        if verdict.legal is False:
            outcome.expect(errors.InvalidRequest, rule="WIRE-EXACT", requests=0)
            return
        outcome.expect(None, rule="WIRE-EXACT", requests=1)
        parts = _parts(outcome.sent[0])
        found = {part.name: part.content.decode() for part in parts if part.filename is None}
        sent = outcome.sent[0]
        require(found == texts, f"{found} arrived, not {texts}"[:600], "WIRE-EXACT", sent)
        arrived = [part.content for part in parts if part.filename is not None]
        require(arrived == list(row["sources"]), f"{len(arrived)} files arrived", "WIRE-EXACT", sent)
        require(len(parts) == len(found) + len(arrived), "a field arrived twice", "WIRE-EXACT", sent)
        asked = int(texts.get("batchsize", subject.facts.default_pictures))
        require(outcome.value.images == asked, f"the handle expects {outcome.value.images} pictures", "WIRE-EXACT")

    for number, row in enumerate(pairwise(**values)):
        shown = ", ".join(f"{name}={str(value)[:20]}" for name, value in row.items() if value and name != "sources")
        yield Example(f"{number}: {shown}, {len(row['sources'])} files", partial(run, row=row))


# --- order of parts ---------------------------------------------------------------------------------------------------
_ORDERS: Final[dict[str, Callable[[int, int], int]]] = {
    "growing": lambda place, _: place, "shrinking": lambda place, count: count - place, "to and fro": lambda place, count: place if place % 2 else count - place,
    "equal": lambda place, _: 3, "alike in pairs": lambda place, count: (count - place) // 2,
}  # fmt: skip
_TYPES: Final = (
    lambda size: png(size + 1, 3),
    lambda size: jpeg(size)[:-2] + b"\xff\xfe" + (size + 2).to_bytes(2, "big") + b"x" * size + b"\xff\xd9",
    lambda size: webp() if size % 2 else GIF,
)


def _orders(facts: ApiFacts) -> Iterator[Example]:
    """Source images arrive in the order given, each with its own bytes, name and media type."""
    del facts

    def run(subject: ClientUnderTest, count: int, sizes: str, names: str, types: str, way: str, url: bool) -> None:
        places = [_ORDERS[sizes](place, count) for place in range(count)]
        kinds = [_ORDERS[types](place, count) % len(_TYPES) for place in range(count)]
        stems = [f"n{_ORDERS[names](place, count):02}" for place in range(count)]
        contents = [_TYPES[kind](size) for kind, size in zip(kinds, places, strict=True)]
        with tempfile.TemporaryDirectory() as folder:
            given: list[Any] = []
            for place, (stem, content) in enumerate(zip(stems, contents, strict=True)):
                path = Path(folder) / ("" if stems.index(stem) == place else str(place)) / f"{stem}.png"
                if way == "paths" or (way == "mixed" and not place % 2):
                    path.parent.mkdir(exist_ok=True)
                    path.write_bytes(content)
                    os.utime(path, (1_600_000_000 - place, 1_600_000_000 - place))
                opened = io.BytesIO(content)
                opened.name = path.name  # as an upload of a form has one
                given.append({"paths": path, "open": opened, "mixed": (path, opened)[place % 2]}[way])
            more = {"image_url": "https://a.example/1"} if url else {}
            outcome = in_memory(subject, submits(source_images=given, **more), subject.accepted())
        outcome.expect(None, rule="SOURCE-IMAGE", requests=1)
        parts = [part for part in _parts(outcome.sent[0]) if part.filename is not None]
        found = [(part.content, (part.filename or "").partition(".")[0]) for part in parts]
        order = [contents.index(part.content) if part.content in contents else None for part in parts]
        require(found == list(zip(contents, stems, strict=True)), f"they arrived in the order {order}, called {[stem for _, stem in found]}, not {stems}",
                "SOURCE-IMAGE", outcome.sent[0])  # fmt: skip
        media = ["png" if one[:2] == b"\x89P" else "jpeg" if one[:2] == b"\xff\xd8" else "webp" if one[:2] == b"RI" else "gif" for one in contents]  # fmt: skip
        require([part.media_type for part in parts] == [f"image/{one}" for one in media], "media types are not the bytes' own", "SOURCE-IMAGE")  # fmt: skip

    rows = pairwise(count=(2, 3, 4, 5, 6, 8, 9, 10, 11, 16, 17, 21), sizes=tuple(_ORDERS), names=tuple(_ORDERS),
                    types=tuple(_ORDERS), way=("paths", "open", "mixed"), url=(False, True))  # fmt: skip
    for row in rows:
        yield Example(", ".join(f"{name} {value}" for name, value in row.items()), partial(run, **row))


# --- lengths ----------------------------------------------------------------------------------------------------------
_LENGTHS: Final = (1, 2, 3, 7, 8, 9, 10, 11, 15, 16, 17, 20, 31, 32, 33, 49, 50, 51, 63, 64, 65, 99, 100, 101, 127, 128, 129, 150, 199, 200, 201, 255, 256, 257, 499, 500, 501, 999, 1000, 1001, 1024, 5000)  # fmt: skip


def _lengths(facts: ApiFacts) -> Iterator[Example]:
    """A list of any length arrives and is read whole, in order, with its repetitions."""
    done = envelope(facts.success, {"status": "Success"})

    def deleted(subject: ClientUnderTest, ids: list[str]) -> None:
        outcome = in_memory(subject, lambda client: client.delete(*ids), done)
        outcome.expect(None, rule="TASK-ID", requests=1)
        found = json.loads(outcome.sent[0].body)["taskids"]
        require(
            found == ids, f"{len(found)} of {len(ids)} ids arrived, or in another order", "TASK-ID", outcome.sent[0]
        )

    for count in _LENGTHS:
        kinds = {"distinct": [f"t-{number * 7919 % 10007}" for number in range(count)], "the same": [TASK] * count,
                 "long": [f"{'x' * 190}{number}" for number in range(count)], "twice each": [f"t-{-number % count // 2}" for number in range(count)]}  # fmt: skip
        for name, ids in kinds.items():
            if name == "distinct" or (count % 50 < 2 and count < 1001):
                yield Example(f"delete {count} ids, {name}", partial(deleted, ids=ids))

    def read(subject: ClientUnderTest, count: int) -> None:
        urls = [f"https://i.example/{number}" for number in range(count)]
        data = {"taskid": TASK, "image_status": facts.completed, "url": urls, "list": urls}
        for ask in (lambda client: client.query(TASK), lambda client: client.task(TASK).wait()):
            info = in_memory(subject, ask, envelope(facts.success, data)).expect(
                None, rule="STATUS-MEANING", requests=1
            )
            require(list(info.urls) == urls, f"{len(info.urls)} URLs of {count} were read", "STATUS-MEANING")
            require(info.raw == data, "the data is not as it came", "STATUS-MEANING")

    for count in (*range(2, 17), 20, 32, 33, 50, 100, 101, 300):
        yield Example(f"{count} URLs", partial(read, count=count))

    def many(subject: ClientUnderTest, count: int) -> None:
        """So many tasks on one client, each asked for once more after the others."""
        ids = [f"t-{number}" for number in range(count)] * 2

        def script(sent: Sent) -> ScriptedReply:
            asked = json.loads(sent.body)["taskid"]
            return envelope(facts.success, {"taskid": asked, "image_status": facts.completed, "prompt": asked, "url": ["https://i.example/1"]})  # fmt: skip

        def work(client: Any) -> Any:
            steps = [lambda c, r, i=taskid, n=n: c.query(i) if n % 2 else c.task(i).refresh() for n, taskid in enumerate(ids)]  # fmt: skip
            return in_turn(client, steps)

        infos = in_memory(subject, work, script).expect(None, rule="TASK-OWN", requests=len(ids))
        found = [(getattr(info, "taskid", info), getattr(info, "prompt", "")) for info in infos]
        require(found == [(taskid, taskid) for taskid in ids], "a task was answered with another's reply", "TASK-OWN")

    for count in (1, 10, 130):
        yield Example(f"{count} tasks, asked for twice", partial(many, count=count))


def in_turn(client: Any, steps: Sequence[Callable[[Any, list[Any]], Any]]) -> list[Any]:
    """Take these steps on one client, each with the results so far; gives results and errors of the tree, in order."""
    if hasattr(client, "in_turn"):
        return list(client.in_turn(steps))
    results: list[Any] = []
    for step in steps:
        try:
            results.append(step(client, results))
        except errors.SeeDreamError as error:
            results.append(error)
    return results


# --- members of one reply ---------------------------------------------------------------------------------------------
_URLS: Final = tuple(f"https://i.example/{number}.png" for number in range(6))
_IMAGES: Final = 4


def _members(facts: ApiFacts) -> Iterator[Example]:
    """Only image_status says how a task stands, whatever the other members say; a wait ends by it and the URLs."""
    states = {facts.queued: "queued", facts.processing: "processing", facts.completed: "completed", facts.failed: "failed", 5: "unknown"}  # fmt: skip
    full = envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, "url": list(_URLS[:_IMAGES]), "prompt": "the last"})  # fmt: skip
    lists: dict[str, Any] = {"no url": None, "[]": [], "one": _URLS[:1], "fewer": _URLS[:3], "a gap": (*_URLS[:2], "", _URLS[3]), "all": _URLS[:4], "more": _URLS}  # fmt: skip

    def run(subject: ClientUnderTest, status: int, data: dict[str, Any], msg: str) -> None:
        state, urls = states[status], [url or "" for url in data.get("url") or ()]
        first = envelope(facts.success, {"taskid": TASK, "image_status": status, **data}, msg)
        info = in_memory(subject, lambda client: client.query(TASK), first).expect(None, rule="STATUS-MEANING", requests=1)  # fmt: skip
        said = (info.state, list(info.urls), info.error_message, info.prompt, info.finished)
        meant = (state, urls, data.get("error_message") or "", data.get("prompt") or "", state in ("completed", "failed"))  # fmt: skip
        require(said == meant, f"it was read as {said}, not {meant}", "STATUS-MEANING")
        answers = [first]
        outcome = in_memory(subject, lambda client: client.task(TASK, images=_IMAGES).wait(), lambda _: answers.pop() if answers else full)  # fmt: skip
        ended = state == "failed" or (state == "completed" and sum(map(bool, urls)) >= _IMAGES)
        asked = 1 if ended else 2
        require(len(outcome.sent) == asked, f"it asked {len(outcome.sent)} times, not {asked}, and {outcome.shown}", "STATUS-MEANING")  # fmt: skip
        if state == "failed":
            error = outcome.expect(errors.TaskFailed, rule="STATUS-MEANING", taskid=TASK, billing="unknown")
            require((data.get("error_message") or "").strip() in str(error), f"the reason is lost: {error}", "STATUS-MEANING")  # fmt: skip
            return
        info = outcome.expect(None, rule="STATUS-MEANING")
        meant_end = (urls, data.get("prompt") or "") if ended else (list(_URLS[:_IMAGES]), "the last")
        require((list(info.urls), info.prompt) == meant_end, f"it ended with {info!r}", "STATUS-MEANING")

    words = (None, "", "failed", "任务失败：积分不足", "completed")
    for status, (name, urls), said in itertools.product(states, lists.items(), words[:4]):
        data = {"url": urls, "error_message": said} if name != "no url" else {"error_message": said}
        data = {member: value for member, value in data.items() if member == "url" or value is not None}
        yield Example(
            f"{states[status]}, {name}, error_message {said!r}", partial(run, status=status, data=data, msg="")
        )

    others: dict[str, Sequence[Any]] = {
        "image_status": tuple(states), "url": tuple(lists.values()), "error_message": words, "reason": words, "status": (None, "Success", "failed", "completed", facts.failed, facts.completed),
        "state": words, "prompt": (None, "a fish", "failed"), "progress": (None, 0, 100), "error": (None, "", "nsfw", {"code": facts.failure}, True), "code": (None, facts.failure, facts.no_credits),
        "width": (None, 0, 2048), "finished": (None, True, False), "msg": ("", "failed", "积分不足", "Task completed"), "endtime": (None, "2026-01-01 00:00:00"),
    }  # fmt: skip
    for number, row in enumerate(pairwise(**others)):
        status, msg = row.pop("image_status"), row.pop("msg")
        data = {member: value for member, value in row.items() if value is not None}
        yield Example(
            f"{number}: {states[status]} with {str(data)[:200]}", partial(run, status=status, data=data, msg=msg)
        )


# --- words beside a code ----------------------------------------------------------------------------------------------
_WORDS: Final = ("", " ", "积分不足，请充值", "Insufficient credits: balance 0", "参数错误：prompt 不能为空", "invalid parameter: batchsize", "成功", "Task created successfully", "未授权：API key 无效", "Unauthorized: invalid API key",
                 "请求过于频繁，请稍后重试", "Too many requests, rate limit exceeded, retry later", "任务不存在", "task not found", "服务器繁忙", "timeout, please try again", "code 9000", "code 1000 success", "9999", "失败。" * 2000)  # fmt: skip


def _words(facts: ApiFacts) -> Iterator[Example]:
    """Beside each code stand the words of every other: only the code (and the HTTP status) decides."""
    once = RetryPolicy(attempts=1)
    codes = (facts.success, facts.failure, facts.no_credits, 0, 200, 401, 404, 429, 500, 1234)

    def submitted(subject: ClientUnderTest, status: int, code: int, msg: str, taskid: str | None) -> None:
        body = json.dumps({"code": code, "msg": msg, "data": {"taskid": taskid} if taskid else None}).encode()
        outcome = in_memory(subject, submits(), ScriptedReply(status, body, _JSON), retry=once)
        check_fate(outcome, fate(subject.facts, status, code, taskid), "CODE-MEANING", taskid=taskid, requests=1)

    for code, msg in itertools.product(codes, _WORDS):
        for taskid in (None, TASK) if code == facts.success or msg in _WORDS[2:4] else (None,):
            yield Example(f"code {code}, {msg[:20]!r}{', a task' if taskid else ''}", partial(submitted, status=200, code=code, msg=msg, taskid=taskid))  # fmt: skip
    for row in pairwise(status=(400, 401, 402, 403, 404, 409, 422, 429, 500, 503), code=codes[:3], msg=_WORDS[2:16]):
        yield Example(f"HTTP {row['status']}, code {row['code']}, {row['msg'][:20]!r}", partial(submitted, **row, taskid=None))  # fmt: skip

    def asked(subject: ClientUnderTest, code: int, msg: str, work: Callable[[Any], Any]) -> None:
        data = {"taskid": TASK, "image_status": facts.processing} if code == facts.success else None
        outcome = in_memory(subject, work, envelope(code, data, msg), retry=once)
        kind = None if code == facts.success else errors.TaskNotFound if code == facts.failure else errors.StatusError
        outcome.expect(kind, rule="CODE-MEANING", requests=1)

    for name, work in {"query": lambda client: client.query(TASK), "delete": lambda client: client.delete(TASK)}.items():  # fmt: skip
        for row in pairwise(code=codes[:5], msg=_WORDS):
            yield Example(f"{name}: code {row['code']}, {row['msg'][:20]!r}", partial(asked, **row, work=work))


RELATIONS: Final = (
    ClientRelation("send.together", "WIRE-EXACT", "Each value of a field arrives beside each value of every other field.", _together),
    ClientRelation("send.order", "SOURCE-IMAGE", "Source images arrive in the order given, whatever their sizes, types, names and number.", _orders),
    ClientRelation("list.length", "TASK-ID", "A list of any length is sent and read whole, in order.", _lengths),
    ClientRelation("task.members", "STATUS-MEANING", "Only image_status says how a task stands, whatever the other members say.", _members),
    ClientRelation("code.words", "CODE-MEANING", "Only the code and the HTTP status decide, whatever the words beside them say.", _words),
)  # fmt: skip
