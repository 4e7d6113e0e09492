"""Relations of requests at the same time: none of them is mixed with another.

The end of each request is sent when all of them are under way; a server that serves one after another passes.
"""

# ruff: noqa: E501 -- one case a line reads as a table

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from seedream_testing.contract.api_facts import ApiFacts, Part, text
from seedream_testing.contract.relations.relation import Example, Need, Relation, fail
from seedream_testing.contract.samples import png
from seedream_testing.contract.server_under_test import Headers, Reply, ServerUnderTest

Parts = tuple[Part, ...]
_FILE: Final = Part("sourceImage", png(shade=5), "a.png", "image/png")
_URL: Final = text("imageUrl", "https://example.com/1.png")
_WHAT: Final = "one of several submissions at the same time"


def _prompt(number: int) -> Part:
    return text("prompt", f"prompt {number} of those at the same time")


_SAME: Final[tuple[Parts, ...]] = ((text("prompt", "the same"), text("batchsize", 1)),) * 8
_PROMPTS: Final[tuple[Parts, ...]] = tuple((_prompt(number),) for number in range(8))
_DIFFERENT: Final[tuple[Parts, ...]] = (
    (_prompt(10), text("batchsize", 1), text("resolution", "2560x1440")),
    (_prompt(11), text("batchsize", 2), text("resolution", "1440x2560"), _FILE),
    (_prompt(12), text("batchsize", 3), text("resolution", "9:16")),
    (_prompt(13),),
    (_prompt(14), text("resolution", "2001x1999"), _URL),
    (_prompt(15), text("batchsize", 2)),
    (_prompt(16), text("resolution", "16:9"), _FILE),
)
_ILLEGAL: Final[tuple[Parts, ...]] = (
    (text("batchsize", 2), text("resolution", "2560x1440")),
    (_prompt(21), text("batchsize", 99), text("resolution", "1440x2560")),
    (_prompt(22), text("batchsize", 3), text("resolution", "1500x1500")),
)


def _taken(server: ServerUnderTest, forms: Sequence[Parts], replies: Sequence[Reply]) -> list[str]:
    """Check the replies to forms sent at once; return the ids."""
    ids = list[str]()
    for parts, reply in zip(forms, replies, strict=True):
        ids.append(server.check_taken(reply, _WHAT, server.facts.rule_about(parts)))
        server.spent += server.facts.images(parts)
        if ids[-1] in ids[:-1]:
            raise fail("two submissions at the same time got one task", "TASK-OWN", reply)
    return ids


def _charged(server: ServerUnderTest, before: list[int], forms: Sequence[Parts], reply: Reply) -> None:
    charged, meant = sorted(server.charged()[len(before) :]), sorted(map(server.facts.images, forms))
    if server.charges is not None and charged != meant:
        raise fail(f"submissions at the same time were charged as {charged}, not {meant}", "SERVER-CHARGE", reply)


def _own(server: ServerUnderTest, forms: Sequence[Parts], ids: Sequence[str]) -> None:
    """Check that each task is what its own form asked for."""
    usual = server.known_task().data
    for parts, taskid in zip(forms, ids, strict=True):
        last = server.completed(taskid)
        server.check_task(last, _WHAT, "TASK-OWN", server.facts.meaning(parts))
        sized = any(part.name == "resolution" for part in parts)
        if not sized and any(last.data.get(side) != usual.get(side) for side in ("width", "height")):
            raise fail(f"{_WHAT} has the size of another", "TASK-OWN", last)


def _submissions(server: ServerUnderTest, forms: Sequence[Parts]) -> None:
    server.known_task()
    before = server.charged()
    replies = server.at_once([partial(server.submit, parts) for parts in forms])
    ids = _taken(server, forms, replies)
    _charged(server, before, forms, replies[-1])
    _own(server, forms, ids)


def _with_others(
    server: ServerUnderTest, others: Sequence[Callable[[], Reply]], rule: str, what: str
) -> tuple[Sequence[Parts], list[str]]:
    """Send legal forms together with what must be refused; return the forms and the ids of their tasks."""
    server.known_task()
    before, forms = server.charged(), _DIFFERENT[:3]
    sends = [partial(server.submit, parts) for parts in forms]
    mixed = [send for pair in zip(sends, others, strict=True) for send in pair]
    replies = server.at_once(mixed)
    ids = _taken(server, forms, replies[::2])
    for reply in replies[1::2]:
        server.check_refused(reply, what, rule)
    _charged(server, before, forms, replies[-1])
    return forms, ids


def _illegal(server: ServerUnderTest) -> None:
    sends = [partial(server.submit, parts) for parts in _ILLEGAL]
    _own(server, *_with_others(server, sends, "WIRE-EXACT", "an illegal form at the same time as legal ones"))


def _keyless(server: ServerUnderTest, headers: Headers, what: str) -> None:
    taskid = str(server.known_task().data["taskid"])
    facts = server.facts
    forms, ids = _with_others(
        server,
        [
            partial(server.submit, (_prompt(30),), headers),
            partial(server.ask, facts.query, {"taskid": taskid}, headers),
            partial(server.ask, facts.delete, {"taskids": [taskid]}, headers),
        ],
        "AUTH-KEY",
        f"what is sent with {what} at the same time as the account's own requests",
    )
    if not server.accepted(after := server.query(taskid)):
        raise fail(f"a deletion with {what}, at the same time as own requests, deleted the task", "AUTH-KEY", after)
    _own(server, forms, ids)


def _accounts(server: ServerUnderTest) -> None:
    """Two accounts submit at the same time; each task belongs to the one that paid for it."""
    server.known_task()
    before, mine, theirs = server.charged(), _DIFFERENT[:3], tuple((_prompt(number),) for number in (40, 41, 42))
    what = "a query for a task that another account submitted at the same time"
    second = server.facts.authorization(server.second_key)
    sends = [partial(server.submit, parts) for parts in mine]
    others = [partial(server.submit, parts, second) for parts in theirs]
    replies = server.at_once([send for pair in zip(sends, others, strict=True) for send in pair])
    ids = _taken(server, (*mine, *theirs), (*replies[::2], *replies[1::2]))
    for taskid in ids[3:]:
        del server.issued[taskid]
        server.must_refuse(lambda taskid=taskid: server.query(taskid), what, "TASK-OWN")
    _charged(server, before, mine, replies[-1])
    _own(server, mine, ids[:3])


def _check_told(server: ServerUnderTest, taskid: str, reply: Reply, what: str) -> None:
    if not server.accepted(reply) or reply.data.get("taskid") != taskid:
        raise fail(f"{what} was refused or tells of another", "TASK-OWN", reply)


def _check_deleted(server: ServerUnderTest, taskid: str, reply: Reply, others: str, what: str) -> None:
    if not server.accepted(reply):
        raise fail(f"a deletion at the same time as {others} was refused", "TASK-ID", reply)
    server.must_refuse(lambda: server.query(taskid), f"a query for {what}", "TASK-ID")


def _queries(server: ServerUnderTest) -> None:
    ids = [server.task(parts) for parts in _PROMPTS[:6]]
    server.known_task()
    before = server.charged()
    _own(server, _PROMPTS[:6], ids)
    replies = server.at_once([partial(server.query, taskid) for taskid in (*ids, *reversed(ids))])
    for taskid, parts, reply in zip((*ids, *reversed(ids)), (*_PROMPTS[:6], *_PROMPTS[5::-1]), replies, strict=True):
        _check_told(server, taskid, reply, f"of queries at the same time, the one for {taskid}")
        server.check_task(reply, "one of several queries at the same time", "TASK-OWN", server.facts.meaning(parts))
    if server.charged() != before:
        raise fail("queries were charged", "SERVER-CHARGE", replies[-1])


def _deletions(server: ServerUnderTest) -> None:
    """Delete every other task, each by a request of its own, while the others are queried."""
    ids = [server.task(parts) for parts in _PROMPTS]
    for taskid in ids:
        server.completed(taskid)
    before = server.charged()
    doomed, kept = ids[::2], ids[1::2]
    sends = [partial(server.delete, taskid) for taskid in doomed] + [partial(server.query, taskid) for taskid in kept]
    replies = server.at_once(sends)
    for taskid, reply in zip(doomed, replies, strict=False):
        _check_deleted(server, taskid, reply, "others", "a task deleted together with others")
    for taskid, parts, reply in zip(kept, _PROMPTS[1::2], replies[len(doomed) :], strict=True):
        _check_told(server, taskid, reply, f"the query for {taskid} at the same time as deletions")
        server.check_task(server.state(taskid), "a task beside deleted ones", "TASK-OWN", server.facts.meaning(parts))
    if server.charged() != before:
        raise fail("deletions were charged", "SERVER-CHARGE", replies[-1])


def _same_deletion(server: ServerUnderTest) -> None:
    """Delete one task three times at once: one deletion finds it, the others may, and none breaks the server."""
    taskid = server.task(_PROMPTS[0])
    server.completed(taskid)
    before = server.charged()
    replies = server.at_once([*[partial(server.delete, taskid)] * 3, partial(server.query, taskid)])
    for reply in replies:
        if not server.accepted(reply):
            server.check_refused(reply, "a request at the same time as deletions of its task", "TASK-ID")
    if not any(map(server.accepted, replies[:3])):
        raise fail("of three deletions of one task at the same time, none was taken", "TASK-ID", replies[0])
    server.must_refuse(lambda: server.query(taskid), "a query for a task deleted three times at once", "TASK-ID")
    if server.charged() != before:
        raise fail("deletions were charged", "SERVER-CHARGE", replies[0])


def _all(server: ServerUnderTest) -> None:
    """Submit, query and delete at the same time."""
    known = str(server.known_task().data["taskid"])
    ids = [server.task(parts) for parts in _PROMPTS[:3]]
    for taskid in ids:
        server.completed(taskid)
    before, forms = server.charged(), _DIFFERENT[:3]
    sends = [partial(server.submit, parts) for parts in forms]
    replies = server.at_once(
        [*sends, *(partial(server.delete, taskid) for taskid in ids), partial(server.query, known)]
    )
    made = _taken(server, forms, replies[:3])
    _charged(server, before, forms, replies[0])
    _own(server, forms, made)
    for taskid, reply in zip(ids, replies[3:6], strict=True):
        _check_deleted(server, taskid, reply, "submissions", "a deleted task")
    if replies[6].data.get("taskid") != known:
        raise fail("a query at the same time as submissions tells of another task", "TASK-OWN", replies[6])


def _examples(facts: ApiFacts) -> Iterator[Example]:
    for name, forms in {
        "the same form eight times": _SAME,
        "eight prompts": _PROMPTS,
        "seven forms of other fields": _DIFFERENT,
    }.items():
        yield Example(name, partial(_submissions, forms=forms), 1 + sum(map(facts.images, forms)))
    some = 1 + sum(map(facts.images, _DIFFERENT[:3]))
    yield Example("legal and illegal forms", _illegal, some)
    yield Example("requests with the key and without", partial(_keyless, headers={}, what="no key"), some)
    unknown = partial(_keyless, headers=facts.authorization("sk-0000-no-account-has-this-key"), what="an unknown key")
    yield Example("requests with the key and with an unknown one", unknown, some, (Need.UNKNOWN_KEY,))
    yield Example("forms of two accounts", _accounts, some + 3, (Need.SECOND_KEY,))
    yield Example("queries for six tasks", _queries, 7)
    yield Example("three deletions of one task and a query for it", _same_deletion, 1)
    yield Example("deletions of four tasks and queries for four others", _deletions, 8)
    yield Example("submissions, deletions and a query", _all, some + 3)


RELATIONS: Final = (
    Relation("task.together", "TASK-OWN", "Requests at the same time are not mixed: each task is what its own form asked for, and each reply is about what was asked.", _examples, unseen="That a fault needs another moment to show."),
)  # fmt: skip
