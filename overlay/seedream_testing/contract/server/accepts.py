"""Checks of what a server accepts: every legal form, charged once, and its task leads to its pictures."""

import re
from collections.abc import Mapping
from typing import Any, Final

from seedream_testing.contract.api_facts import Case, Part, text
from seedream_testing.contract.samples import picture_size, png
from seedream_testing.contract.server.under_test import Bench, Reply, check
from seedream_testing.contract.spec import misfit
from seedream_testing.contract.violation import Violation

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_SHORTFALL: Final = 0.1  # a tier's longer side is about so many thousand pixels
_LIKENESS: Final = 0.02  # a ratio's sides are whole pixels, often multiples of 16

_ONE: Final = (text("prompt", "a fish"), text("batchsize", 1))


def _value(case: Case, name: str) -> str | None:
    return next((part.content.decode() for part in case.wire or () if part.name == name), None)


@check("SERVER-CHARGE", images=lambda page: sum(map(page.pictures, page.sent)))
def accepts_what_the_page_allows(bench: Bench) -> None:
    """Each legal form is accepted, charged once for its pictures, and its task is the one that was asked for."""
    ids = set[str]()
    for case in bench.page.sent:
        taskid = _accepted(bench, case)
        if taskid in ids:
            raise Violation(f"{case.name} got the id of an earlier task", rule="TASK-OWN")
        ids.add(taskid)


def _accepted(bench: Bench, case: Case) -> str:
    before = bench.charged()
    reply = bench.submit(case.wire or ())
    taskid = bench.check_taken(reply, case)
    if bench.charges is not None and bench.charged() != [*before, bench.page.pictures(case)]:
        told = f"{case.name}, {bench.page.pictures(case)} pictures, was charged as {bench.charged()[len(before) :]}"
        raise reply.violation(told, "SERVER-CHARGE")
    last, seen = bench.completed(taskid)
    _check_statuses(bench, last, seen)
    check_task(bench, case, last)
    if bench.charges is not None and len(bench.charged()) != len(before) + 1:
        raise last.violation("queries were charged", "SERVER-CHARGE")
    return taskid


def _check_statuses(bench: Bench, last: Reply, seen: list[int]) -> None:
    page = bench.page
    if bench.strict and set(seen) - {page.queued, page.processing, page.completed, page.failed}:
        raise last.violation(f"statuses {seen} are not all documented", "STATUS-MEANING")
    if page.processing in seen and page.queued in seen[seen.index(page.processing) :]:
        raise last.violation(f"statuses {seen} go back from processing to queued", "STATUS-MEANING")
    if seen[-1] == page.failed:
        raise last.violation(f"a legal task failed: {last.data.get('error_message')}", "STATUS-MEANING")


def check_task(bench: Bench, case: Case, last: Reply) -> None:
    """Whether a completed task's state fits its submission.

    Raises:
        Violation: It does not.
    """
    data, urls = last.data, last.data.get("url")
    if not isinstance(urls, list) or not all(isinstance(url, str) and "://" in url for url in urls):
        raise last.violation("url is no list of addresses", "SERVER-PICTURES")
    if len(urls) != bench.page.pictures(case) or len(set(urls)) != len(urls):
        raise last.violation(
            f"{case.name}: {len(set(urls))} pictures, not {bench.page.pictures(case)}", "SERVER-PICTURES"
        )
    for name, meant in (("prompt", _value(case, "prompt")), ("category", _value(case, "category"))):
        if meant is not None and name in data and data[name] != meant:
            raise last.violation(f"{case.name}: {name} is not what was sent", bench.page.rules[name])
    if "starttime" in data and not _TIME.fullmatch(str(data["starttime"])):
        raise last.violation("starttime is not YYYY-MM-DD HH:MM:SS", "SERVER-ENVELOPE")
    _check_types(last, data)
    size = (data.get("width"), data.get("height"))
    if all(side is not None for side in size):
        _check_size(case, last, size)


def _check_types(last: Reply, data: Mapping[str, Any]) -> None:
    kinds = {
        "width": int,
        "height": int,
        "origseed": int,
        "prompt": str,
        "negative": str,
        "category": str,
        "error_message": str,
    }
    for name, kind in kinds.items():
        if name in data and type(data[name]) is not kind:
            raise last.violation(f"{name} is no {kind.__name__}", "SERVER-ENVELOPE")


def _check_size(case: Case, last: Reply, size: tuple[Any, Any]) -> None:
    if case.size is not None and size != case.size:
        raise last.violation(f"{case.name}: pictures are {size}, not {case.size}", "SERVER-PICTURES")
    tier = re.fullmatch("([0-9]+)K", _value(case, "resolution") or "")
    if tier and max(size) < 1024 * int(tier[1]) * (1 - _SHORTFALL):
        raise last.violation(f"{case.name}: pictures of {size} are of a lower tier", "RES-TIER")
    ratio = re.fullmatch("([0-9]+):([0-9]+)", _value(case, "resolution") or "")
    if ratio and abs(size[0] * int(ratio[2]) / (size[1] * int(ratio[1])) - 1) > _LIKENESS:
        raise last.violation(f"{case.name}: pictures of {size} are of another shape", "RES-RATIO")


@check("SERVER-PICTURES", images=3)
def pictures_are_as_told(bench: Bench) -> None:
    """Each address gives, without a key, a picture of the told size and type."""
    case = Case(
        "three pictures of 2560x1440",
        "SERVER-PICTURES",
        None,
        (text("prompt", "a fish"), text("batchsize", 3), text("resolution", "2560x1440")),
        (2560, 1440),
    )
    last, _ = bench.completed(bench.check_taken(bench.submit(case.wire or ()), case))
    check_task(bench, case, last)
    bodies = list[bytes]()
    for url in last.data["url"]:
        reply = bench.send("GET", url)
        if reply.status != 200:  # noqa: PLR2004 -- the whole picture
            raise reply.violation("a picture's address does not give it", "SERVER-PICTURES")
        if picture_size(reply.body) != (last.data.get("width", 2560), last.data.get("height", 1440)):
            raise reply.violation(f"the picture is of size {picture_size(reply.body)}", "SERVER-PICTURES")
        if reply.media_type != _media_type(reply.body):
            raise reply.violation(f"the picture is called {reply.media_type}", "FILE-TYPE")
        bodies.append(reply.body)
    if len(set(bodies)) != len(bodies):
        raise last.violation("pictures of one task are the same", "SERVER-PICTURES")


def _media_type(body: bytes) -> str:
    return "image/png" if body.startswith(b"\x89PNG") else "image/webp" if body.startswith(b"RIFF") else "image/jpeg"


@check("WIRE-BOUNDARY", images=2)
def reads_the_form_as_it_is(bench: Bench) -> None:
    """Order of fields, part headers and line breaks in values change nothing; a prompt is echoed to the byte."""
    prompt = '鱼\r\n--x\r\n"quoted" \\ and\ttabs\r\n'
    parts = [
        text("batchsize", 2),
        Part("sourceImage", png(), "a.png", "image/png"),
        text("resolution", "3:2"),
        Part("prompt", prompt.encode(), media_type="text/plain; charset=utf-8"),
    ]
    case = Case("the prompt last", "WIRE-BOUNDARY", None, tuple(parts))
    last, _ = bench.completed(bench.check_taken(bench.submit(parts), case))
    check_task(bench, case, last)


@check("TASK-OWN", images=5)
def tasks_do_not_mix(bench: Bench) -> None:
    """Two tasks under way keep their own sizes, counts and prompts; the same form twice makes two tasks."""
    wide = Case(
        "a wide pair",
        "TASK-OWN",
        None,
        (text("prompt", "wide"), text("batchsize", 2), text("resolution", "2560x1440")),
        (2560, 1440),
    )
    one = (text("prompt", "tall"), text("batchsize", 1), text("resolution", "1440x2560"))
    tall = Case("a tall one", "TASK-OWN", None, one, (1440, 2560))
    made = [(case, bench.check_taken(bench.submit(case.wire or ()), case)) for case in (wide, tall, wide)]
    if len({taskid for _, taskid in made}) != len(made):
        raise Violation("two submissions got one task id", rule="TASK-OWN")
    for case, taskid in reversed(made):
        last, _ = bench.completed(taskid)
        check_task(bench, case, last)


@check("STATUS-MEANING", images=1)
def a_task_keeps_what_it_is(bench: Bench) -> None:
    """Pictures are named when the task is completed, not before; then nothing changes any more."""
    case = Case("one picture", "STATUS-MEANING", None, _ONE)
    taskid = bench.check_taken(bench.submit(case.wire or ()), case)
    first = bench.state(taskid)
    if first.data.get("image_status") != bench.page.completed and first.data.get("url"):
        raise first.violation("pictures are named although the task is not completed", "STATUS-MEANING")
    last, _ = bench.completed(taskid)
    again = bench.state(taskid)
    if again.data.get("image_status") != bench.page.completed or len(again.data["url"]) != len(last.data["url"]):
        raise again.violation("a completed task changed", "STATUS-MEANING")


@check("TASK-ID", images=2)
def deletes_what_it_is_told(bench: Bench) -> None:
    """A deleted task is gone, and no other is."""
    case = Case("one picture", "TASK-ID", None, _ONE)
    first, second = (bench.check_taken(bench.submit(case.wire or ()), case) for _ in range(2))
    reply = bench.ask(bench.page.delete, {"taskids": [first]})
    if not bench.accepted(reply) or reply.data.get("status") != "Success":
        raise reply.violation("a deletion was not told as a success", "TASK-ID")
    bench.check_envelope(reply)
    bench.check_refused(bench.ask(bench.page.query, {"taskid": first}), "a query for a deleted task", "TASK-ID")
    bench.state(second)


@check("CODE-MEANING")
def refuses_without_credits(bench: Bench) -> None:
    """An account without credits gets the code for it, and no task (skipped where there is no such account)."""
    if bench.broke is None:
        return
    before = bench.broke.charged()
    reply = bench.broke.submit([text("prompt", "a fish"), text("batchsize", 2)])
    bench.broke.check_refused(reply, "a submission without credits", "CODE-MEANING", bench.page.no_credits)
    if reply.status != 200:  # noqa: PLR2004 -- the one status documented
        raise reply.violation("missing credits are told by another HTTP status", "CODE-MEANING")
    if bench.broke.charged() != before:
        raise reply.violation("a submission without credits was charged", "SERVER-CHARGE")


@check("WIRE-EXACT", images=lambda page: 2 * page.default_pictures)
def leaves_out_what_is_not_sent(bench: Bench) -> None:
    """A field that is not sent stands for its default: the task is the same as with the default written out."""
    bare = Case("without defaults", "WIRE-EXACT", None, (text("prompt", "a fish"),))
    parts = [text(name, value) for name, value in bench.page.defaults.items()]
    full = Case("with defaults", "WIRE-EXACT", None, (text("prompt", "a fish"), *parts))
    short, long = (bench.completed(bench.check_taken(bench.submit(case.wire or ()), case))[0] for case in (bare, full))
    for name in ("width", "height", "category"):
        if short.data.get(name) != long.data.get(name):
            rule = bench.page.rules["category" if name == "category" else "resolution"]
            raise short.violation(f"{name} is {long.data.get(name)} when the default is written out", rule)
    if len(short.data["url"]) != len(long.data["url"]):
        raise short.violation("the default number of pictures is another", bench.page.rules["batchsize"])
    if "category" in short.data and short.data["category"] != bench.page.defaults.get("category"):
        raise short.violation("the category is not the default", bench.page.rules["category"])


@check("SERVER-ENVELOPE", images=1)
def replies_fit_the_spec(bench: Bench) -> None:
    """Replies of every operation, good and bad, fit the effective spec's schemas; the good ones the first of them."""
    case = Case("one picture", "SERVER-ENVELOPE", None, _ONE)
    taken = bench.submit(case.wire or ())
    taskid = bench.check_taken(taken, case)
    page = bench.page
    replies = [taken, bench.submit([text("prompt", "")]), bench.state(taskid), bench.completed(taskid)[0],
               bench.ask(page.query, {"taskid": "no-such-task"}), bench.ask(page.delete, {"taskids": [taskid]}),
               bench.ask(page.delete, {"taskids": []})]  # fmt: skip
    for reply in replies:
        if what := misfit(reply.sent.path, reply.status, reply.document, good=bench.accepted(reply)):
            raise reply.violation(f"it does not fit the spec: {what}", "SERVER-ENVELOPE")
