"""Checks of what a server accepts: every legal form, charged once, and its task leads to its pictures."""

import re
from collections.abc import Mapping
from typing import Any, Final

from seedream_testing.contract.api_facts import Case, Part, text
from seedream_testing.contract.samples import picture_size, png
from seedream_testing.contract.server.under_test import Reply, ServerUnderTest, check
from seedream_testing.contract.spec import schema_error
from seedream_testing.contract.violation import Violation

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_SHORTFALL: Final = 0.1  # a tier's longer side is about so many thousand pixels
_LIKENESS: Final = 0.02  # a ratio's sides are whole pixels, often multiples of 16

_ONE: Final = (text("prompt", "a fish"), text("batchsize", 1))


def _value(case: Case, name: str) -> str | None:
    return next((part.content.decode() for part in case.wire or () if part.name == name), None)


@check("SERVER-CHARGE", images=lambda facts: sum(map(facts.pictures, facts.sent)))
def accepts_what_the_page_allows(server: ServerUnderTest) -> None:
    """Each legal form is accepted, charged once for its pictures, and its task is the one that was asked for."""
    ids = set[str]()
    for case in server.facts.sent:
        taskid = _accepted(server, case)
        if taskid in ids:
            raise Violation(f"{case.name} got the id of an earlier task", rule="TASK-OWN")
        ids.add(taskid)


def _accepted(server: ServerUnderTest, case: Case) -> str:
    before = server.charged()
    reply = server.submit(case.wire or ())
    taskid = server.check_taken(reply, case)
    if server.charges is not None and server.charged() != [*before, server.facts.pictures(case)]:
        told = f"{case.name}, {server.facts.pictures(case)} pictures, was charged as {server.charged()[len(before) :]}"
        raise reply.violation(told, "SERVER-CHARGE")
    last, seen = server.completed(taskid)
    _check_statuses(server, last, seen)
    check_task(server, case, last)
    if server.charges is not None and len(server.charged()) != len(before) + 1:
        raise last.violation("queries were charged", "SERVER-CHARGE")
    return taskid


def _check_statuses(server: ServerUnderTest, last: Reply, seen: list[int]) -> None:
    facts = server.facts
    if server.strict and set(seen) - {facts.queued, facts.processing, facts.completed, facts.failed}:
        raise last.violation(f"statuses {seen} are not all documented", "STATUS-MEANING")
    if facts.processing in seen and facts.queued in seen[seen.index(facts.processing) :]:
        raise last.violation(f"statuses {seen} go back from processing to queued", "STATUS-MEANING")
    if seen[-1] == facts.failed:
        raise last.violation(f"a legal task failed: {last.data.get('error_message')}", "STATUS-MEANING")


def check_task(server: ServerUnderTest, case: Case, last: Reply) -> None:
    """Whether a completed task's state fits its submission.

    Raises:
        Violation: It does not.
    """
    data, urls = last.data, last.data.get("url")
    if not isinstance(urls, list) or not all(isinstance(url, str) and "://" in url for url in urls):
        raise last.violation("url is no list of addresses", "SERVER-PICTURES")
    if len(urls) != server.facts.pictures(case) or len(set(urls)) != len(urls):
        raise last.violation(
            f"{case.name}: {len(set(urls))} pictures, not {server.facts.pictures(case)}", "SERVER-PICTURES"
        )
    for name, meant in (("prompt", _value(case, "prompt")), ("category", _value(case, "category"))):
        if meant is not None and name in data and data[name] != meant:
            raise last.violation(f"{case.name}: {name} is not what was sent", server.facts.rules[name])
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
def pictures_are_as_told(server: ServerUnderTest) -> None:
    """Each address gives, without a key, a picture of the told size and type."""
    case = Case(
        "three pictures of 2560x1440",
        "SERVER-PICTURES",
        None,
        (text("prompt", "a fish"), text("batchsize", 3), text("resolution", "2560x1440")),
        (2560, 1440),
    )
    last, _ = server.completed(server.check_taken(server.submit(case.wire or ()), case))
    check_task(server, case, last)
    bodies = list[bytes]()
    for url in last.data["url"]:
        reply = server.send("GET", url)
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
def reads_the_form_as_it_is(server: ServerUnderTest) -> None:
    """Order of fields, part headers and line breaks in values change nothing; a prompt is echoed to the byte."""
    prompt = '鱼\r\n--x\r\n"quoted" \\ and\ttabs\r\n'
    parts = [
        text("batchsize", 2),
        Part("sourceImage", png(), "a.png", "image/png"),
        text("resolution", "3:2"),
        Part("prompt", prompt.encode(), media_type="text/plain; charset=utf-8"),
    ]
    case = Case("the prompt last", "WIRE-BOUNDARY", None, tuple(parts))
    last, _ = server.completed(server.check_taken(server.submit(parts), case))
    check_task(server, case, last)


@check("TASK-OWN", images=5)
def tasks_do_not_mix(server: ServerUnderTest) -> None:
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
    made = [(case, server.check_taken(server.submit(case.wire or ()), case)) for case in (wide, tall, wide)]
    if len({taskid for _, taskid in made}) != len(made):
        raise Violation("two submissions got one task id", rule="TASK-OWN")
    for case, taskid in reversed(made):
        last, _ = server.completed(taskid)
        check_task(server, case, last)


@check("STATUS-MEANING", images=1)
def a_task_keeps_what_it_is(server: ServerUnderTest) -> None:
    """Pictures are named when the task is completed, not before; then nothing changes any more."""
    case = Case("one picture", "STATUS-MEANING", None, _ONE)
    taskid = server.check_taken(server.submit(case.wire or ()), case)
    first = server.state(taskid)
    if first.data.get("image_status") != server.facts.completed and first.data.get("url"):
        raise first.violation("pictures are named although the task is not completed", "STATUS-MEANING")
    last, _ = server.completed(taskid)
    again = server.state(taskid)
    if again.data.get("image_status") != server.facts.completed or len(again.data["url"]) != len(last.data["url"]):
        raise again.violation("a completed task changed", "STATUS-MEANING")


@check("TASK-ID", images=2)
def deletes_what_it_is_told(server: ServerUnderTest) -> None:
    """A deleted task is gone, and no other is."""
    case = Case("one picture", "TASK-ID", None, _ONE)
    first, second = (server.check_taken(server.submit(case.wire or ()), case) for _ in range(2))
    reply = server.ask(server.facts.delete, {"taskids": [first]})
    if not server.accepted(reply) or reply.data.get("status") != "Success":
        raise reply.violation("a deletion was not told as a success", "TASK-ID")
    server.check_envelope(reply)
    server.check_refused(server.ask(server.facts.query, {"taskid": first}), "a query for a deleted task", "TASK-ID")
    server.state(second)


@check("CODE-MEANING")
def refuses_without_credits(server: ServerUnderTest) -> None:
    """An account without credits gets the code for it, and no task (skipped where there is no such account)."""
    if server.without_credits is None:
        return
    before = server.without_credits.charged()
    reply = server.without_credits.submit([text("prompt", "a fish"), text("batchsize", 2)])
    server.without_credits.check_refused(reply, "a submission without credits", "CODE-MEANING", server.facts.no_credits)
    if reply.status != 200:  # noqa: PLR2004 -- the one status documented
        raise reply.violation("missing credits are told by another HTTP status", "CODE-MEANING")
    if server.without_credits.charged() != before:
        raise reply.violation("a submission without credits was charged", "SERVER-CHARGE")


@check("WIRE-EXACT", images=lambda facts: 2 * facts.default_pictures)
def leaves_out_what_is_not_sent(server: ServerUnderTest) -> None:
    """A field that is not sent stands for its default: the task is the same as with the default written out."""
    bare = Case("without defaults", "WIRE-EXACT", None, (text("prompt", "a fish"),))
    parts = [text(name, value) for name, value in server.facts.defaults.items()]
    full = Case("with defaults", "WIRE-EXACT", None, (text("prompt", "a fish"), *parts))
    short, long = (
        server.completed(server.check_taken(server.submit(case.wire or ()), case))[0] for case in (bare, full)
    )
    for name in ("width", "height", "category"):
        if short.data.get(name) != long.data.get(name):
            rule = server.facts.rules["category" if name == "category" else "resolution"]
            raise short.violation(f"{name} is {long.data.get(name)} when the default is written out", rule)
    if len(short.data["url"]) != len(long.data["url"]):
        raise short.violation("the default number of pictures is another", server.facts.rules["batchsize"])
    if "category" in short.data and short.data["category"] != server.facts.defaults.get("category"):
        raise short.violation("the category is not the default", server.facts.rules["category"])


@check("SERVER-ENVELOPE", images=1)
def replies_fit_the_spec(server: ServerUnderTest) -> None:
    """Replies of every operation, good and bad, fit the effective spec's schemas; the good ones the first of them."""
    case = Case("one picture", "SERVER-ENVELOPE", None, _ONE)
    taken = server.submit(case.wire or ())
    taskid = server.check_taken(taken, case)
    facts = server.facts
    replies = [taken, server.submit([text("prompt", "")]), server.state(taskid), server.completed(taskid)[0],
               server.ask(facts.query, {"taskid": "no-such-task"}), server.ask(facts.delete, {"taskids": [taskid]}),
               server.ask(facts.delete, {"taskids": []})]  # fmt: skip
    for reply in replies:
        if what := schema_error(reply.sent.path, reply.status, reply.document, good=server.accepted(reply)):
            raise reply.violation(f"it does not fit the spec: {what}", "SERVER-ENVELOPE")
