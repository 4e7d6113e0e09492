"""Relations between requests: two submissions, two tasks, a query and its repetition, other ids, deletions."""

# ruff: noqa: E501 -- one case a line reads as a table

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from seedream_testing.contract.api_facts import ApiFacts, Part, text
from seedream_testing.contract.relations.relation import Example, Relation, fail
from seedream_testing.contract.relations.spellings import SPELLINGS
from seedream_testing.contract.server_under_test import Reply, ServerUnderTest
from seedream_testing.contract.violation import Unobservable

_URL: Final = "https://example.com/1.png"
_ONE: Final = (text("prompt", "one"), text("batchsize", 1))
_WIDE: Final = (text("prompt", "wide"), text("batchsize", 2), text("resolution", "2560x1440"))
_TALL: Final = (text("prompt", "tall"), text("batchsize", 1), text("resolution", "1440x2560"))
_SQUARE: Final = (text("prompt", "square"), text("batchsize", 3), text("resolution", "2048x2048"))
_STEADY: Final = ("taskid", "image_status", "width", "height", "prompt", "category", "starttime", "origseed", "negative")  # fmt: skip
Parts = tuple[Part, ...]


def _finished(server: ServerUnderTest, taskid: str, parts: Parts, what: str) -> Reply:
    last = server.completed(taskid)
    server.check_task(last, what, "TASK-OWN", server.facts.meaning(parts))
    return last


def _distinct(server: ServerUnderTest, *forms: Parts) -> list[str]:
    ids = [server.task(parts) for parts in forms]
    if len(set(ids)) != len(ids):
        raise fail(f"{len(ids)} submissions got the ids {ids}", "TASK-OWN")
    return ids


def _submissions(facts: ApiFacts) -> Iterator[Example]:  # noqa: C901, PLR0915 -- one function an example
    del facts

    def same(server: ServerUnderTest) -> None:
        before = server.charged()
        ids = _distinct(server, _WIDE, _WIDE)
        if server.charges is not None and server.charged()[len(before) :] != [2, 2]:
            raise fail(f"the same form twice was charged as {server.charged()[len(before) :]}", "SERVER-CHARGE")
        states = [_finished(server, taskid, _WIDE, "the same form twice") for taskid in ids]
        if set(states[0].data["url"]) & set(states[1].data["url"]):
            raise fail("the same form twice names the same pictures", "TASK-OWN", states[1])

    def many(server: ServerUnderTest) -> None:
        ids = _distinct(server, *[_ONE] * 8)
        for taskid in ids:
            _finished(server, taskid, _ONE, "one of eight")

    def mixed(server: ServerUnderTest) -> None:
        forms = (_WIDE, _TALL, _SQUARE, _WIDE)
        made = list(zip(forms, _distinct(server, *forms), strict=True))
        for parts, taskid in reversed(made):
            _finished(server, taskid, parts, "one of four tasks under way")

    def in_turn(server: ServerUnderTest) -> None:
        first, second = _distinct(server, _WIDE, _TALL)
        for _ in range(6):
            server.state(first)
            server.state(second)
        _finished(server, second, _TALL, "a task queried in turn with another")
        _finished(server, first, _WIDE, "a task queried in turn with another")

    def late(server: ServerUnderTest) -> None:
        first = server.task(_WIDE)
        before = _finished(server, first, _WIDE, "a task before others")
        for number in range(5):
            server.task((text("prompt", f"later {number}"), text("batchsize", 1)))
        after = server.state(first)
        same_task(before, after, "after later submissions")

    def refusals_between(server: ServerUnderTest) -> None:
        first = server.task(_WIDE)
        before = _finished(server, first, _WIDE, "a task before a refusal")
        server.must_refuse(lambda: server.submit((text("prompt", ""),)), "an empty prompt", "PROMPT-REQUIRED")
        server.must_refuse(lambda: server.query("no-such-task"), "an unknown id", "TASK-ID")
        same_task(before, server.state(first), "after refusals")
        second = server.task(_ONE)
        _finished(server, second, _ONE, "a submission after refusals")

    def remembered(server: ServerUnderTest) -> None:
        """What one submission sent does not become the default of the next."""
        bare = (text("prompt", "bare"),)
        before = server.completed(server.task(bare))
        server.task(
            (text("prompt", "other"), text("batchsize", 3), text("resolution", "1440x2560"), text("imageUrl", _URL))
        )
        after = server.completed(server.task(bare))
        for name in ("width", "height", "category", "prompt"):
            if before.data.get(name) != after.data.get(name):
                raise fail(f"{name} of a form without it changed after another submission", "WIRE-EXACT", after)
        if len(before.data["url"]) != len(after.data["url"]):
            raise fail("the number of pictures changed after another submission", "WIRE-EXACT", after)

    yield Example("the same form twice makes two tasks with pictures of their own", same, 4)
    yield Example("eight submissions have eight ids", many, 8)
    yield Example("four tasks under way keep what they are", mixed, 8)
    yield Example("two tasks queried in turn do not mix", in_turn, 3)
    yield Example("a task stays what it is when others follow", late, 7)
    yield Example("a refusal changes no task, and the next submission is taken", refusals_between, 3)
    yield Example("a submission leaves nothing behind for the next", remembered, 5)


def _defaults(facts: ApiFacts) -> Iterator[Example]:
    for left_out in (*((name,) for name in facts.defaults), tuple(facts.defaults)):

        def run(server: ServerUnderTest, left_out: tuple[str, ...] = left_out) -> None:
            full = [text("prompt", "a fish"), *(text(name, value) for name, value in facts.defaults.items())]
            bare = [part for part in full if part.name not in left_out]
            short = server.completed(server.task(bare))
            long = server.completed(server.task(full))
            for name in ("width", "height", "category", "negative"):
                if short.data.get(name) != long.data.get(name):
                    rule = facts.rules.get("category" if name == "category" else "resolution", "WIRE-EXACT")
                    raise fail(f"{name} is {long.data.get(name)} when the default is written out", rule, short)
            if len(short.data["url"]) != len(long.data["url"]):
                raise fail(
                    "the default number of pictures is another", facts.rules.get("batchsize", "WIRE-EXACT"), short
                )
            if "category" in short.data and short.data["category"] != facts.defaults.get("category"):
                raise fail("the category is not the default", facts.rules.get("category", "WIRE-EXACT"), short)

        yield Example(f"without {' and '.join(left_out)}", run, 2 * facts.default_pictures)


def same_task(before: Reply, after: Reply, when: str) -> None:
    """Check that two replies tell the same of a completed task.

    Raises:
        Violation: They do not.
    """
    for name in _STEADY:
        if before.data.get(name) != after.data.get(name):
            what = f"{name} of a completed task changed {when}, from {before.data.get(name)!r}"
            raise fail(what, "STATUS-MEANING", after)
    if len(before.data["url"]) != len(after.data.get("url", ())):  # an address may be signed again at each query
        raise fail(f"the number of pictures of a completed task changed {when}", "STATUS-MEANING", after)


def _queries(facts: ApiFacts) -> Iterator[Example]:  # noqa: C901 -- one function an example
    del facts

    def again(server: ServerUnderTest) -> None:
        before = server.known_task()
        for _ in range(5):
            same_task(before, server.state(str(before.data["taskid"])), "on being queried again")

    def early(server: ServerUnderTest) -> None:
        taskid = server.task(_ONE)
        before = server.state(taskid).data
        last = server.completed(taskid)
        for name in ("starttime", "prompt", "category"):
            if name in before and name in last.data and before[name] != last.data[name]:
                raise fail(f"{name} changed while the task ran, from {before[name]!r}", "STATUS-MEANING", last)
        server.state(taskid)

    def later(server: ServerUnderTest) -> None:
        first = server.completed(server.task(_ONE))
        second = server.completed(server.task(_ONE))
        server.need_echo(first, "starttime")
        if str(second.data.get("starttime")) < str(first.data["starttime"]):
            raise fail("a later task started earlier", "SERVER-ENVELOPE", second)

    def free(server: ServerUnderTest) -> None:
        known = server.known_task()
        before = server.charged()
        for _ in range(3):
            server.state(str(known.data["taskid"]))
        server.query("no-such-task")
        for url in [*known.data["url"], *known.data["url"]]:
            server.send("GET", url)
            server.send("HEAD", url)
            server.send("GET", url, {"range": "bytes=0-9"})
        if server.charges is None:
            raise Unobservable("without a ledger, charges cannot be seen (--charges-url)")
        if server.charged() != before:
            raise fail("queries and downloads were charged", "SERVER-CHARGE")

    yield Example("a completed task is the same at each query", again, 1)
    yield Example("a running task keeps its prompt, category and time", early, 1)
    yield Example("a later task does not start earlier", later, 2)
    yield Example("queries and downloads are not charged", free, 1)


def _others(taskid: str) -> Iterator[tuple[str, str]]:
    """Yield ids that are not this one."""
    middle = len(taskid) // 2
    yield "an unknown id", "no-such-task"
    yield "its first half", taskid[:middle]
    yield "without its last character", taskid[:-1]
    yield "without its first character", taskid[1:]
    yield "and one more character", f"{taskid}0"
    yield "and a letter", f"{taskid}x"
    yield "with one before", f"0{taskid}"
    yield "with another last character", taskid[:-1] + ("0" if taskid[-1] != "0" else "1")
    yield "with another first character", ("0" if taskid[0] != "0" else "1") + taskid[1:]
    yield "turned round", taskid[::-1]
    yield "twice", taskid + taskid
    yield "in capital letters", taskid.upper()
    yield "in small letters", taskid.lower()
    yield "with its case swapped", taskid.swapcase()
    yield "without hyphens", taskid.replace("-", "").replace("_", "")
    yield "with hyphens for underscores", taskid.replace("_", "-")
    yield "with a wildcard", f"{taskid[:-1]}%"
    yield "with a star", f"{taskid[:-1]}*"
    yield "with a question mark", f"{taskid[:-1]}?"
    yield "with an underscore as wildcard", f"{taskid[:-1]}_"
    yield "a wildcard", "%"
    yield "a star", "*"
    yield "a pattern", ".*"
    yield "a quotation mark for a database", "' OR '1'='1"
    yield "the id and a comment", f"{taskid}' --"
    yield "a path", f"../{taskid}"
    yield "with a slash", f"{taskid}/"
    yield "with a query", f"{taskid}?x=1"
    yield "with a fragment", f"{taskid}#"
    yield "percent-encoded", "".join(f"%{ord(one):02X}" for one in taskid)
    yield (
        "partly percent-encoded",
        quote(taskid, safe="").replace("-", "%2D") if "-" in taskid else f"%{ord(taskid[0]):02X}{taskid[1:]}",
    )
    yield "an address", f"https://example.com/{taskid}"
    yield "a very long id", taskid + "0" * 5000
    yield "half of a character", "\ud83d"  # of a pair in UTF-16, which JSON can write
    yield "and half of a character", f"{taskid}\ud83d"
    yield "as a URN", f"urn:uuid:{taskid}"
    yield "with a hyphen in the middle", f"{taskid[:middle]}-{taskid[middle:]}"
    yield "with the hyphens of a UUID", "-".join((taskid[:8], taskid[8:12], taskid[12:16], taskid[16:20], taskid[20:]))
    for spelling in SPELLINGS:
        if spelling.spell("a1b22") != "a1b22":  # the others are spellings of the sign in a resolution
            yield spelling.name, spelling.spell(taskid)


def _shape(taskid: str) -> str:
    return re.sub("[0-9]+", "#", taskid)


def _urls(reply: Reply) -> set[str]:
    return {str(url).partition("?")[0] for url in reply.data.get("url", ())}  # the rest may be a signature


def _another(server: ServerUnderTest, other: str, known: Reply) -> bool:
    """Return whether an id is another task's: ids may be counted, so that a guess may be one."""
    if other not in server.issued and _shape(other) != _shape(str(known.data["taskid"])):
        return False
    if not server.accepted(server.query(other)):
        return False
    last = server.completed(other)
    return not _urls(last) & _urls(known)


def _ids(facts: ApiFacts) -> Iterator[Example]:
    for number, (name, _) in enumerate(_others("abcdEFGH-1234_5678")):

        def query(server: ServerUnderTest, number: int = number, name: str = name) -> None:
            known = server.known_task()
            other = _other(str(known.data["taskid"]), number, name)
            if not _another(server, other, known):
                server.must_refuse(
                    lambda: server.query(other),
                    f"a query for an id that is not the task's ({name}: {other[:80]!r})",
                    "TASK-ID",
                )

        def deletion(server: ServerUnderTest, number: int = number, name: str = name) -> None:
            known = server.known_task()
            taskid = str(known.data["taskid"])
            other = _other(taskid, number, name)
            if _another(server, other, known):
                raise Unobservable(f"the id that is meant to be nobody's ({name}) is another task's")
            before = server.charged()
            reply = server.delete(other)
            if not server.accepted(reply):
                server.check_refused(reply, f"a deletion of {other[:80]!r}", "TASK-ID")
            if not server.accepted(after := server.query(taskid)):
                server.forget(taskid)  # the next example makes another one
                raise fail(f"a deletion of another id ({name}: {other[:80]!r}) deleted task {taskid}", "TASK-ID", after)
            if server.charged() != before:
                raise fail("a deletion was charged", "SERVER-CHARGE", reply)

        yield Example(f"query: {name}", query, 1)
        yield Example(f"deletion: {name}", deletion, 1)
    del facts


def _other(taskid: str, number: int, name: str) -> str:
    other = list(_others(taskid))[number][1]
    if other == taskid:
        raise Unobservable(f"for the id {taskid}, “{name}” is the id itself")
    return other


# Of how many tasks which are deleted; a text is an id that none has.
_DELETED: Final[tuple[tuple[str, int, Sequence[int | str | None]], ...]] = (
    ("one of two, the first", 2, [0]), ("one of two, the second", 2, [1]), ("three of four", 4, [0, 1, 2]),
    ("three of four, the last first", 4, [3, 2, 1]), ("the first and the last of three", 3, [0, 2]),
    ("ten", 10, range(10)), ("twenty-one", 21, range(21)), ("one named twice", 2, [0, 0]),
    ("one and an unknown id", 2, [0, "no-such-task"]), ("an unknown id and one", 2, ["no-such-task", 0]),
    ("an unknown id between two", 2, [0, "no-such-task", 1]), ("an unknown id before two", 2, ["no-such-task", 0, 1]),
    ("one named twice before another", 2, [0, 0, 1]), ("one and an empty id", 2, [0, ""]), ("only unknown ids", 1, ["no-such-task", "nor-this"]),
    ("one and null", 2, [0, None]), ("null and one", 2, [None, 0]),
)  # fmt: skip


_UIDS: Final[dict[str, object]] = {
    "of another account": "another-account", "that is empty": "", "null": None, "7": 7, "of a list": ["a"], "of an object": {"a": "b"}, "of 10,000 letters": "a" * 10_000,
}  # fmt: skip


def _pairs(later: Sequence[str], issued: Iterable[str], *, beginning: bool) -> Iterator[tuple[str, str]]:
    """Yield ids of which the first is the beginning, or another part, of the second."""
    for long in later:
        for short in issued:
            if short != long and (long.startswith(short) if beginning else short in long[1:]):
                yield short, long


def _shown(server: ServerUnderTest, taskid: str) -> list[bytes]:
    replies = [server.send("GET", str(url)) for url in server.completed(taskid).data["url"]]
    for reply in replies:
        if reply.status != 200:  # noqa: PLR2004 -- the whole picture
            raise fail("a picture is gone, with the deletion of another task", "SERVER-PICTURES", reply)
    return [reply.body for reply in replies]


def _delete_beside(server: ServerUnderTest, gone: str, kept: str) -> bool:
    """Delete one task, and check that the other stays; return False where one of them was deleted before."""
    if not server.accepted(server.query(gone)) or not server.accepted(server.query(kept)):
        return False
    before = _shown(server, kept)
    server.completed(gone)
    server.forget(gone)
    if not server.accepted(reply := server.delete(gone)):
        raise fail("a deletion of an own task was refused", "TASK-ID", reply)
    server.must_refuse(lambda: server.query(gone), "a query for a deleted task", "TASK-ID")
    if not server.accepted(after := server.query(kept)):
        raise fail(f"the deletion of {gone} also deleted {kept}", "TASK-ID", after)
    if _shown(server, kept) != before:
        raise fail(f"the deletion of {gone} changed the pictures of {kept}", "SERVER-PICTURES", reply)
    return True


def _within(facts: ApiFacts) -> Iterator[Example]:
    """Ids of this server that are the beginning, or another part, of one another."""
    del facts

    def run(server: ServerUnderTest, *, beginning: bool, shorter: bool) -> None:
        ids = _distinct(server, *[_ONE] * 12)
        issued = list(server.issued)
        pairs = islice(_pairs([*ids, *issued], issued, beginning=beginning), 200)
        if not any(_delete_beside(server, *(pair if shorter else pair[::-1])) for pair in pairs):
            raise Unobservable(
                "no task of this server has an id that is "
                + ("the beginning" if beginning else "a part")
                + " of another's"
            )

    for beginning, part in ((True, "the beginning"), (False, "a part")):
        yield Example(f"an id that is {part} of another one", partial(run, beginning=beginning, shorter=True), 12)
        yield Example(f"an id of which another one is {part}", partial(run, beginning=beginning, shorter=False), 12)


def _deletions(facts: ApiFacts) -> Iterator[Example]:  # noqa: C901, PLR0915 -- one function an example
    success = "Success"

    def deleted(
        server: ServerUnderTest,
        taskids: Sequence[str | None],
        gone: list[str],
        kept: list[str],
        *,
        optional: bool = False,
        body: dict[str, Any] | None = None,
    ) -> None:
        before = server.charged()
        reply = server.delete(*taskids) if body is None else server.ask(facts.delete, body)
        if server.accepted(reply):
            server.check_envelope(reply)
            if reply.data.get("status") != success:
                raise fail("a deletion was not reported as a success", "TASK-ID", reply)
            for taskid in gone:
                server.must_refuse(lambda taskid=taskid: server.query(taskid), "a query for a deleted task", "TASK-ID")
        elif optional:
            server.check_refused(reply, "an odd deletion", "TASK-ID")
            for taskid in gone if set(taskids) <= set(gone) else ():
                if not server.accepted(server.query(taskid)):
                    raise fail(
                        f"a deletion of {json.dumps(taskids)} was refused, but {taskid} is gone", "TASK-ID", reply
                    )
        else:
            raise fail("a deletion of own tasks was refused", "TASK-ID", reply)
        for taskid in kept:
            if not server.accepted(after := server.query(taskid)):
                raise fail(f"a deletion of {json.dumps(taskids)} also deleted {taskid}", "TASK-ID", after)
        if server.charged() != before:
            raise fail(f"a deletion was charged as {server.charged()[len(before) :]}", "SERVER-CHARGE", reply)

    def case(name: str, tasks: int, listed: Iterable[int | str | None], *, wait: bool = True) -> Example:
        """Return an example of a deletion of these of the tasks, by their numbers, and of other ids.

        A list that names one twice, an id that is none, or a task that runs, may also be refused.
        """

        def run(server: ServerUnderTest) -> None:
            known = str(server.known_task().data["taskid"])
            ids = _distinct(server, *[_ONE] * tasks)
            if wait:
                for taskid in ids:
                    server.completed(taskid)
            named = [ids[one] if isinstance(one, int) else one for one in listed]
            gone = [taskid for taskid in ids if taskid in named]
            kept = [*(taskid for taskid in ids if taskid not in named), known]
            deleted(server, named, gone, kept, optional=not wait or len(gone) < len(named))

        return Example(name, run, tasks + 1)

    for name, tasks, listed in _DELETED:
        yield case(name, tasks, listed)
    yield case("one that may still be running", 2, [0], wait=False)
    for unknown in (10, 20, 50, 100, 1000):
        listed = [*(f"no-such-task-{number}" for number in range(unknown)), 0]
        yield case(f"one behind {unknown} unknown ids", 2, listed)

    def with_uid(server: ServerUnderTest, uid: object) -> None:
        first, second = _distinct(server, _ONE, _ONE)
        server.completed(first)
        deleted(server, [first], [first], [second], optional=True, body={"taskids": [first], "uid": uid})

    def twice(server: ServerUnderTest) -> None:
        first, second = _distinct(server, _ONE, _ONE)
        server.completed(first)
        deleted(server, [first], [first], [second])
        deleted(server, [first], [], [second], optional=True)
        server.must_refuse(lambda: server.query(first), "a query for a task deleted twice", "TASK-ID")

    def stays_gone(server: ServerUnderTest) -> None:
        first = server.task(_ONE)
        server.completed(first)
        deleted(server, [first], [first], [])
        again = server.task(_ONE)
        if again == first:
            raise fail("a new task got the id of a deleted one", "TASK-OWN")
        for _ in range(3):
            server.must_refuse(lambda: server.query(first), "a query for a deleted task", "TASK-ID")
        _finished(server, again, _ONE, "a submission after a deletion")

    def while_it_runs(server: ServerUnderTest) -> None:
        first, later = server.task(_ONE), server.task(_ONE)
        deleted(server, [first], [first], [later], optional=True)
        if server.accepted(server.query(first)):
            raise Unobservable("this server deletes no task that runs, about which the page says nothing")
        _finished(server, later, _ONE, "a task that began before another was deleted")
        server.must_refuse(lambda: server.query(first), "a query for a task deleted while it ran", "TASK-ID")

    def twins(server: ServerUnderTest) -> None:
        """Tasks of one form may share what a server keeps of them."""
        first, second, third = _distinct(server, _WIDE, _WIDE, _WIDE)
        urls = server.completed(second).data["url"]
        before = [server.send("GET", url).body for url in urls]
        for gone in (first, third):
            if not _delete_beside(server, gone, second):
                raise fail("a task that was not deleted is no longer known", "TASK-ID", server.query(second))
        replies = [server.send("GET", url) for url in urls]
        if [reply.body for reply in replies] != before:
            raise fail("a picture changed with the deletion of a task of the same form", "SERVER-PICTURES", replies[0])

    def others_stay(server: ServerUnderTest) -> None:
        known = server.known_task()
        first = server.task(_WIDE)
        server.completed(first)
        deleted(server, [first], [first], [])
        same_task(known, server.state(str(known.data["taskid"])), "when another was deleted")
        for url in known.data["url"]:
            if (reply := server.send("GET", url)).status != 200:  # noqa: PLR2004 -- the whole picture
                raise fail("a picture went with another task's deletion", "SERVER-PICTURES", reply)

    for name, uid in _UIDS.items():
        yield Example(f"one with the uid {name}", partial(with_uid, uid=uid), 2)
    yield Example("one twice", twice, 2)
    yield Example("a deleted task stays gone, and a new one has a new id", stays_gone, 2)
    yield Example("a task that runs is deleted, and its end does not bring it back", while_it_runs, 2)
    yield Example("a task of the same form and its pictures stay", twins, 6)
    yield Example("other tasks and their pictures stay", others_stay, 3)


RELATIONS: Final = (
    Relation("task.own", "TASK-OWN", "Each submission makes a task of its own, which stays what it is whatever else is sent.", _submissions),
    Relation("task.default", "WIRE-EXACT", "A field that is not sent has its default: the task is the same as with the default written out.", _defaults),
    Relation("task.query", "STATUS-MEANING", "A query changes nothing: repeated in any order, it tells the same of a completed task.", _queries, unseen="Charges need a ledger."),
    Relation("task.id", "TASK-ID", "Only the exact id names a task: a part of it, another case or blanks around it name none, for queries and deletions.", _ids),
    Relation("task.within", "TASK-ID", "A deletion deletes no task, and no picture of one, whose id only begins with the id named, or has it as a part.", _within, unseen="Where no id of the server is a part of another one, which it may choose."),
    Relation("task.deletion", "TASK-ID", "A deletion deletes all the tasks that it names and no other, and is not charged.", _deletions, unseen="Charges need a ledger."),
)  # fmt: skip
