"""Relations between a reply and its pictures: number, size, format, wholeness, identity."""

# ruff: noqa: E501 -- one case a line reads as a table

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from seedream_testing.contract.api_facts import ApiFacts, Part, text
from seedream_testing.contract.image_check import image_digest, image_fault, media_type
from seedream_testing.contract.relations.headers import CLIENTS_OWN, unchanging_headers
from seedream_testing.contract.relations.relation import Example, Need, Relation, fail
from seedream_testing.contract.relations.tasks import same_task
from seedream_testing.contract.samples import jpeg, picture_size
from seedream_testing.contract.server_under_test import NOT_SENT, Headers, Reply, ServerUnderTest

_RULE: Final = "SERVER-PICTURES"
Parts = tuple[Part, ...]
_FISH: Final = text("prompt", "a fish")
_WIDE: Final = text("resolution", "2560x1440")
_WAYS: Final[dict[str, Headers]] = {
    "no header": (), "Accept: application/json": {"accept": "application/json"},
    "a browser": {"user-agent": "Mozilla/5.0", "accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, "no Accept": {"accept": ""},
    "a foreign Referer": {"referer": "https://example.com/"}, "a foreign Origin": {"origin": "https://example.com"},
    "an unknown ETag": {"if-none-match": '"no-such-tag"'}, "an old copy": {"if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    "compression": {"accept-encoding": "gzip, deflate"}, "no compression": {"accept-encoding": "identity"}, "compression of no weight": {"accept-encoding": "gzip;q=0, br;q=0"},
    "the rest of an old copy": {"range": "bytes=5-", "if-range": '"no-such-tag"'}, "the rest of a copy of long ago": {"range": "bytes=5-", "if-range": "Thu, 01 Jan 1970 00:00:00 GMT"},
    "no cache": {"cache-control": "no-cache"}, "a closed connection": {"connection": "close"}, "another language": {"accept-language": "zh-CN"},
    "headers that cannot be read": {"traceparent": "none", "baggage": "%zz", "x-forwarded-for": "unknown, , _x", "date": "yesterday", "accept-language": "*;q=9, ;", "if-modified-since": "yesterday"},
    "a proxy": {"x-forwarded-for": "203.0.113.7", "via": "1.1 proxy"},
    "data saved": {"save-data": "on"}, "a slow network": {"ect": "2g", "downlink": "0.1", "rtt": "3000", "device-memory": "0.25"},
    "a small screen": dict.fromkeys(("width", "viewport-width", "sec-ch-width", "sec-ch-viewport-width", "sec-ch-viewport-height"), "320"),
    "few pixels": {"dpr": "0.5", "sec-ch-dpr": "0.5"}, "a page of another site": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
    "little urgency": {"priority": "u=7, i"},
}  # fmt: skip
# Headers of the API's relations that a host of pictures may obey.
_OBEYED: Final = frozenset(
    {"range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "cache-control", "accept", "accept-encoding"}
)  # fmt: skip
_AGENTS: Final = (  # besides those of the API's relations
    "Wget/1.24", "python-httpx/0.28", "aiohttp/3.13", "Go-http-client/2.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148",
)  # fmt: skip
_ANY_TYPE: Final = (
    "",
    "application/octet-stream",
    "binary/octet-stream",
)  # of a store that does not know what it keeps
_RANGES: Final = ("bytes=0-", "bytes=0-9", "bytes=5-14", "bytes=-7", "bytes=20-")


# What may be the first request for a picture.
_FIRST: Final[dict[str, tuple[str, Headers]]] = {
    "HEAD": ("HEAD", ()), "OPTIONS": ("OPTIONS", {"origin": "https://example.com"}), "a range": ("GET", {"range": "bytes=0-9"}),
    "a range at the end": ("GET", {"range": "bytes=-7"}), "a range that is not there": ("GET", {"range": "bytes=999999999-"}),
    "a conditional request": ("GET", {"if-none-match": "*"}), "compression": ("GET", {"accept-encoding": "gzip"}),
}  # fmt: skip


def _task(server: ServerUnderTest, parts: Parts, what: str) -> Reply:
    last = server.completed(server.task(parts, what))
    server.check_task(last, what, _RULE, server.facts.meaning(parts))
    return last


def _picture(server: ServerUnderTest, url: str, headers: Headers = ()) -> Reply:
    reply = server.send("GET", url, headers)
    if reply.status != 200:  # noqa: PLR2004 -- the whole picture
        raise fail("a picture's address does not give it", _RULE, reply)
    return reply


def checked_pictures(
    server: ServerUnderTest, parts: Parts, what: str, later: Sequence[Parts] = ()
) -> tuple[Reply, list[Reply]]:
    """Submit a legal form; return its completed task and the pictures, which are whole and as they were asked for.

    The pictures are fetched when the tasks of the forms ``later`` are completed too.

    Raises:
        Violation: They are not.
    """
    last = _task(server, parts, what)
    for taskid in [server.task(form) for form in later]:
        server.completed(taskid)
    meaning = server.facts.meaning(parts)
    replies, shown = [_picture(server, url) for url in last.data["url"]], list[bytes]()
    for reply in replies:
        size = picture_size(reply.body)
        if size is None:
            raise fail(f"{what}: what came is not a picture", _RULE, reply)
        reported = (last.data.get("width", size[0]), last.data.get("height", size[1]))
        if size != reported:
            raise fail(f"{what}: the picture is of size {size}, not {reported}", _RULE, reply)
        server.check_size(reply, what, size, meaning)
        if reply.media_type.replace("image/jpg", "image/jpeg") not in (media_type(reply.body), *_ANY_TYPE):
            raise fail(f"{what}: the picture is called {reply.media_type}", "FILE-TYPE", reply)
        if fault := image_fault(reply.body):
            raise fail(f"{what}: the picture cannot be decoded: {fault}", _RULE, reply)
        taskid = str(last.data["taskid"])
        shown.append(image_digest(reply.body))
        if server.pictures.setdefault(shown[-1], taskid) != taskid:
            raise fail(f"{what}: the picture is one of an earlier task", _RULE, reply)
    if len(set(shown)) != len(replies):
        raise fail("pictures of one task are the same", _RULE, last)
    return last, replies


def _shapes(facts: ApiFacts) -> Iterator[Example]:
    forms: dict[str, Parts] = {"three of 2560x1440": (_FISH, text("batchsize", 3), _WIDE), "one by default": (_FISH,), "upright": (_FISH, text("resolution", "1440x2560")),
                               "a tall size": (_FISH, text("resolution", "300x15000")), "an odd size": (_FISH, text("resolution", "2001x1999")), "a flat size": (_FISH, text("resolution", "15000x300")), "with a source image": (_FISH, text("resolution", "2048x2048"), Part("sourceImage", jpeg(), "a.jpg", "image/jpeg"))}  # fmt: skip
    forms |= {f"ratio {ratio}": (_FISH, text("resolution", ratio)) for ratio in facts.ratios}
    for tier in facts.tiers:
        forms |= {
            f"tier {tier}": (_FISH, text("resolution", tier)),
            f"two of tier {tier}": (_FISH, text("resolution", tier), text("batchsize", 2)),
        }
    for name, parts in forms.items():
        yield Example(name, partial(checked_pictures, parts=parts, what=name), facts.images(parts))
    most = facts.most_pictures
    for resolution in ("", *facts.tiers[-1:]):
        parts = (
            text("prompt", "many"),
            text("batchsize", most),
            *([text("resolution", resolution)] if resolution else []),
        )
        name = f"{most} pictures {resolution}".rstrip()
        yield Example(name, partial(checked_pictures, parts=parts, what=name), most)


def _tiers(facts: ApiFacts) -> Iterator[Example]:
    if len(facts.tiers) > 1:

        def run(server: ServerUnderTest) -> None:
            areas = list[int]()
            for tier in sorted(facts.tiers, key=lambda tier: int(tier[:-1])):
                last, replies = checked_pictures(server, (_FISH, text("resolution", tier)), f"tier {tier}")
                width, height = picture_size(replies[0].body) or (0, 0)
                if areas and width * height <= areas[-1]:
                    raise fail(f"pictures of {tier} are not larger than those of the tier below", "RES-TIER", last)
                areas.append(width * height)

        yield Example("a higher tier gives larger pictures", run, len(facts.tiers))


def _identity(facts: ApiFacts) -> Iterator[Example]:  # noqa: C901, PLR0915 -- one function an example
    del facts
    one, other = (
        (_FISH, text("batchsize", 3), _WIDE),
        (text("prompt", "a bird"), _WIDE),
    )

    def two(first: Parts, second: Parts, what: str) -> Callable[[ServerUnderTest], None]:
        def run(server: ServerUnderTest) -> None:
            before, _ = checked_pictures(server, first, what)
            after, _ = checked_pictures(server, second, what)
            if set(before.data["url"]) & set(after.data["url"]):
                raise fail("two tasks name one address", _RULE, after)

        return run

    def again(server: ServerUnderTest) -> None:
        last, replies = checked_pictures(server, one, "a picture fetched again")
        for url, reply in zip(last.data["url"], replies, strict=True):
            if _picture(server, url).body != reply.body:
                raise fail("the same address gives another picture", _RULE, reply)

    def still_there(
        server: ServerUnderTest, first: Parts, later: Sequence[Parts], *, other_account: bool = False
    ) -> None:
        last, replies = checked_pictures(server, first, "a picture fetched later")
        if other_account:
            with server.with_key(server.second_key) as second:
                for parts in later:
                    theirs, _ = checked_pictures(second, parts, "a picture of another account")
                    second.delete(theirs.data["taskid"])
                server.spent += second.spent
        else:
            for taskid in [server.task(parts) for parts in later]:
                server.completed(taskid)
        if [_picture(server, url).body for url in last.data["url"]] != [reply.body for reply in replies]:
            raise fail("an address gives another picture since other tasks were made", _RULE, last)
        for _ in range(4):
            told = server.state(str(last.data["taskid"]))
            same_task(last, told, "when other tasks were made")
            fetched = [_picture(server, url).body for url in told.data["url"]]
            if fetched != [reply.body for reply in replies]:
                raise fail("pictures, or their order, changed when other tasks were made", _RULE, last)

    def each_address(server: ServerUnderTest) -> None:
        """An address may be signed again at each query; the earlier ones stay good."""
        taskid = str(_task(server, one, "a task whose pictures are fetched late").data["taskid"])
        named = [server.state(taskid) for _ in range(3)]
        shown = [[_picture(server, url).body for url in reply.data["url"]] for reply in named]
        for reply, bodies in zip(named, shown, strict=True):
            if bodies != shown[0]:
                raise fail("the addresses of another query give other pictures", _RULE, reply)

    yield Example("two prompts", two(one, other, "two prompts"), 4)
    yield Example("one prompt twice", two(one, one, "one prompt twice"), 6)
    yield Example("a picture is the same when it is fetched again", again, 3)
    yield Example("the addresses of earlier queries give the pictures", each_address, 3)
    later = [(text("prompt", f"later {number}"), text("batchsize", 1)) for number in range(4)]
    yield Example(
        "pictures and their order stay when other tasks follow", partial(still_there, first=one, later=later), 7
    )
    file, url = Part("sourceImage", jpeg(7), "a.jpg", "image/jpeg"), text("imageUrl", "https://example.com/1.png")
    bird, tall = (text("prompt", "a bird"), text("batchsize", 3)), text("resolution", "1440x2560")
    whole = (*one, file, url)
    late = partial(checked_pictures, parts=one, what="pictures fetched late", later=[(*bird, tall), (_FISH, tall)])
    yield Example("pictures are as asked for when they are fetched after other tasks", late, 7)
    # What a server may keep pictures under.
    same: dict[str, Parts] = {"form": whole, "prompt": (*one[:2], tall), "source image": (*bird, file), "address": (*bird, url)}  # fmt: skip
    for name, parts in same.items():
        follow = partial(still_there, first=whole, later=[parts])
        yield Example(f"pictures stay when a task of the same {name} follows", follow, 6)
        theirs = partial(follow, other_account=True)
        yield Example(
            f"pictures stay when one of another account follows, of the same {name}, and is deleted",
            theirs,
            6,
            (Need.SECOND_KEY,),
        )


def _access(facts: ApiFacts) -> Iterator[Example]:
    del facts
    agents: dict[str, Headers] = {f"the user agent {agent!r}": {"user-agent": agent} for agent in _AGENTS}
    others = {name: pairs for name, pairs in unchanging_headers() if _OBEYED.isdisjoint(one for one, _ in pairs)}
    ways: dict[str, Headers] = {
        **_WAYS,
        **agents,
        **others,
        "only what HTTP asks for": dict.fromkeys(CLIENTS_OWN, NOT_SENT),
    }
    for name, headers in ways.items():

        def run(server: ServerUnderTest, headers: Headers = headers) -> None:
            for url in server.known_task().data["url"]:
                plain = _picture(server, url)
                reply = _picture(server, url, headers)
                if reply.body != plain.body:
                    raise fail("a header changed the picture", _RULE, reply)
                if _picture(server, url).body != plain.body:
                    raise fail("a header changed the picture for the request after it", _RULE, reply)

        yield Example(name, run, 1)
    for wanted in _RANGES:
        yield Example(f"Range: {wanted}", partial(_range, wanted=wanted), 1)
    for name, (method, headers) in _FIRST.items():
        yield Example(f"after {name}", partial(_after, name=name, method=method, headers=headers), 1)


def _after(server: ServerUnderTest, name: str, method: str, headers: Headers) -> None:
    """A host may keep what it gave first, but not give it to who asks for the whole picture."""
    (url,) = _task(server, (_FISH, text("batchsize", 1)), f"a picture asked for by {name} first").data["url"]
    server.send(method, url, headers)
    reply = _picture(server, url)
    if fault := image_fault(reply.body):
        raise fail(f"after {name}, a picture cannot be decoded: {fault}", _RULE, reply)
    server.send(method, url, headers)
    if _picture(server, url).body != reply.body:
        raise fail(f"{name} changed the picture for the request after it", _RULE, reply)


def _range(server: ServerUnderTest, wanted: str) -> None:
    """A host need not know ranges; if it does, it gives the one that was asked for, and says so (RFC 9110, 14)."""
    for url in server.known_task().data["url"]:
        whole = _picture(server, url).body
        reply = server.send("GET", url, {"range": wanted})
        if _picture(server, url).body != whole:
            raise fail(f"a range ({wanted}) changed the picture for the request after it", _RULE, reply)
        if reply.status == 200 and reply.body == whole:  # noqa: PLR2004 -- the whole picture
            continue
        first, last = re.fullmatch("bytes=([0-9]*)-([0-9]*)", wanted).groups()  # type: ignore[union-attr]  # one of five texts
        if first:
            start, end = int(first), min(int(last or len(whole)) + 1, len(whole))
        else:
            start, end = len(whole) - int(last), len(whole)
        if reply.status != 206 or reply.body != whole[start:end]:  # noqa: PLR2004 -- a part
            raise fail(f"a range ({wanted}) is neither the part asked for nor the whole picture", _RULE, reply)
        if reply.content_range not in (f"bytes {start}-{end - 1}/{size}" for size in (len(whole), "*")):
            raise fail(f"the Content-Range of {wanted} is {reply.content_range!r}, not what came", _RULE, reply)


RELATIONS: Final = (
    Relation("picture.shape", _RULE, "Each address gives, without a key, a whole picture of the size and type that the task reports and that was asked for, and no two are the same.", _shapes, unseen="Whether the picture shows what the prompt says."),
    Relation("picture.tier", "RES-TIER", "A higher tier gives larger pictures.", _tiers),
    Relation("picture.identity", _RULE, "Each task has pictures of its own, and an address always gives the same one.", _identity, unseen="That pictures expire after a day, or do not before, cannot be seen within a run."),
    Relation("picture.access", _RULE, "A picture is given to whoever asks, whatever headers come with the request.", _access),
)  # fmt: skip
