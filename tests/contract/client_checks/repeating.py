"""What is done again, and in another way: calls after calls, hops after hops, a try unlike the first, every way to pictures.

Each second call must do what the first one did, each address is resolved against the one before it, and what was
received before says nothing about what comes next.
"""

import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from contract.client_checks.combining import in_turn
from contract.client_checks.fetching import GIF, whole
from contract.client_checks.relation import LOCAL, ClientRelation, Example, Outcome, in_memory, pairwise, require
from contract.client_checks.under_test import KEY, TASK, ClientUnderTest
from contract.recording_server import ScriptedReply, envelope
from seedream import errors
from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.samples import jpeg, png, webp
from seedream_testing.contract.violation import Sent
from support.clock import FakeClock

Step = Callable[[Any, list[Any]], Any]
_EXTENSIONS: Final = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}


# --- calls after calls ------------------------------------------------------------------------------------------------
def _operations(folder: Path) -> dict[str, tuple[Step, str]]:
    """Each operation of a handle (the first result) or a client, and its requests: submit, query, delete, get."""
    fresh = itertools.count()
    return {
        "query": (lambda client, _: client.query(TASK), "q"), "refresh": (lambda _, done: done[0].refresh(), "q"), "wait": (lambda _, done: done[0].wait(), "q"),
        "save": (lambda _, done: done[0].save(folder / str(next(fresh))), "qgg"), "read": (lambda _, done: done[0].read(), "qgg"),
        "delete": (lambda _, done: done[0].delete(), "d"), "delete by id": (lambda client, _: client.delete(TASK), "d"),
        "submit": (lambda client, _: client.submit("a fish", batchsize=2), "s"), "generate": (lambda client, _: client.generate("a fish", batchsize=2, output_dir=None), "sqgg"),
    }  # fmt: skip


def _again(facts: ApiFacts) -> Iterator[Example]:
    """Every call asks the service, and gives what it says now, whatever was called before."""
    kinds = {facts.submit: "s", facts.query: "q", facts.delete: "d"}

    def run(subject: ClientUnderTest, names: Sequence[str], faults: Sequence[ScriptedReply | None] = ()) -> None:
        asked: list[str] = []
        first = list(faults)
        urls: list[list[str]] = []

        def script(sent: Sent) -> ScriptedReply | None:
            path = urlsplit(sent.url).path
            asked.append(kinds.get(path, "g"))
            if first:
                return first.pop()
            if asked[-1] == "g":
                return whole(png(shade=int(path[1:])))
            if asked[-1] != "q":
                return envelope(facts.success, {"taskid": TASK, "status": "Success"})
            urls.append([f"{LOCAL}/{2 * len(urls)}", f"{LOCAL}/{2 * len(urls) + 1}"])
            return envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, "url": urls[-1]})

        marks: list[int] = []
        now: list[list[str]] = []

        def noted(step: Step) -> Step:
            def mark(client: Any, done: list[Any]) -> Any:
                marks.append(len(asked))
                now.append(urls[-1] if urls else [])
                return step(client, done)

            return mark

        with tempfile.TemporaryDirectory() as name:
            table = _operations(Path(name))
            steps: list[Step] = [
                lambda client, _: client.task(TASK, images=2),
                *(noted(table[one][0]) for one in names),
            ]
            results = in_memory(subject, lambda client: in_turn(client, steps), script).expect(None, rule="TASK-OWN")
            pictures = [_contents(result) for result in results[1:]]
        now.append(urls[-1] if urls else [])
        ends = [*marks[1:], len(asked)]
        for place, one in enumerate(names):
            result, made, newest = results[place + 1], asked[marks[place] : ends[place]], now[place + 1]
            shown = f"call {place + 1} of {', '.join(names)}"
            if faults and not place:  # what becomes of it is said by other relations
                continue
            require(not isinstance(result, Exception), f"{shown} gave {result!r}", "TASK-OWN")
            require("".join(made) == table[one][1], f"{shown} sent {made}, not {table[one][1]!r}", "TASK-OWN")
            if table[one][1] == "q":
                require(list(result.urls) == newest, f"{shown} gave what an earlier query said", "TASK-OWN")
            meant = [png(shade=int(urlsplit(url).path[1:])) for url in newest] if "g" in table[one][1] else []
            require(pictures[place] == meant, f"{shown} gave other pictures", "TASK-OWN")

    for one, other in itertools.product(_operations(Path()), repeat=2):
        yield Example(f"{one}, {other}, {one}", partial(run, names=(one, other, one)))

    faults: dict[str, ScriptedReply | None] = {
        "401": ScriptedReply(401), "429": ScriptedReply(429, headers={"retry-after": "1"}), "503": ScriptedReply(503), "no reply": None, "a refusal": envelope(facts.failure),
        "no credits": envelope(facts.no_credits), "a page": ScriptedReply(200, b"<html>"), "a failed task": envelope(facts.success, {"taskid": TASK, "image_status": facts.failed}),
    }  # fmt: skip
    for (name, fault), one in itertools.product(faults.items(), _operations(Path())):
        yield Example(f"{one} meets {name}, then {one}", partial(run, names=(one, one), faults=(fault,)))

    states = {facts.queued: "queued", facts.processing: "processing", facts.completed: "completed", facts.failed: "failed", 5: "unknown"}  # fmt: skip

    def changed(subject: ClientUnderTest, first: int, second: int, way: str) -> None:
        done = {"taskid": TASK, "image_status": facts.completed, "url": [f"{LOCAL}/9"]}
        answers = [{"taskid": TASK, "image_status": status, "url": [f"{LOCAL}/{place}"], "prompt": f"reply {place}"} for place, status in enumerate((first, second))]  # fmt: skip
        steps: list[Step] = [lambda client, _: client.task(TASK), lambda _, got: got[0].refresh(), lambda _, got: getattr(got[0], way)(), lambda _, got: got[0].info]  # fmt: skip
        outcome = in_memory(subject, lambda client: in_turn(client, steps), lambda _: envelope(facts.success, answers.pop(0) if answers else done))  # fmt: skip
        _, before, after, seen = outcome.expect(None, rule="TASK-OWN")
        require(before.state == states[first], f"the first reply was read as {before!r}", "TASK-OWN")
        if way == "wait" and second == facts.failed:
            require(isinstance(after, errors.TaskFailed), f"it gave {after!r}", "TASK-OWN")
            return
        waits = way == "wait" and second != facts.completed
        meant = ("completed", (f"{LOCAL}/9",)) if waits else (states[second], (f"{LOCAL}/1",))
        require((after.state, after.urls) == meant, f"{way} after {states[first]} gave {after!r}, not {meant}", "TASK-OWN")  # fmt: skip
        require(seen == after, f"the handle knows {seen!r}", "TASK-OWN")

    for (first, second), way in itertools.product(itertools.product(states, repeat=2), ("refresh", "wait")):
        yield Example(f"{states[first]}, then {way}: {states[second]}", partial(changed, first=first, second=second, way=way))  # fmt: skip

    def folder(subject: ClientUnderTest, harm: str) -> None:
        """Save twice into one folder: what is whole there is kept, what is not is fetched again."""
        state = {"taskid": TASK, "image_status": facts.completed, "url": [f"{LOCAL}/1", f"{LOCAL}/2"]}

        def between(paths: Sequence[Path]) -> None:
            if harm == "missing":
                paths[1].unlink()
            elif harm == "cut":
                paths[1].write_bytes(paths[1].read_bytes()[:-5])

        with tempfile.TemporaryDirectory() as name:
            steps: list[Step] = [lambda client, _: client.task(TASK), lambda _, got: got[0].save(name), lambda _, got: between(got[1]), lambda _, got: got[0].save(name)]  # fmt: skip
            outcome = in_memory(subject, lambda client: in_turn(client, steps), lambda sent: whole(png(shade=int(sent.path[1:]))) if sent.method == "GET" else envelope(facts.success, state))  # fmt: skip
            results = outcome.expect(None, rule="FILE-WHOLE")
            require(results[3] == results[1] and _contents(results[3]) == [png(shade=1), png(shade=2)], f"the second save gave {results[3]!r}", "FILE-WHOLE")  # fmt: skip
        paths = [sent.path for sent in outcome.sent if sent.method == "GET"]
        require(sorted(paths) == ["/1", "/2", *(["/2"] if harm else [])], f"it asked for {paths}", "SERVER-PICTURES")

    for harm in ("", "missing", "cut"):
        yield Example(f"save twice, in between {harm or 'nothing happens'}", partial(folder, harm=harm))

    def two(subject: ClientUnderTest, order: Sequence[int], same: bool) -> None:
        """Two clients side by side keep apart: each has its own key, address, headers and retries."""
        keys, bases = (KEY, "sk-another-account-98765"), (LOCAL, LOCAL if same else "http://127.0.0.1:8/second")
        seen: list[tuple[str, str, str]] = []

        def handle(request: httpx.Request) -> httpx.Response:
            seen.append((str(request.url), request.headers["authorization"], request.headers.get("x-tenant", "")))
            reply = envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, "url": [f"{LOCAL}/1"]})
            return httpx.Response(200, content=reply.body)

        clients = [subject.factory(api_key=key, base_url=base, clock=FakeClock(), transport=httpx.MockTransport(handle), headers={"x-tenant": str(number)})
                   for number, (key, base) in enumerate(zip(keys, bases, strict=True))]  # fmt: skip
        works: dict[str, Callable[[Any], Any]] = {facts.submit: lambda client: client.submit("a fish"), facts.query: lambda client: client.query(TASK), facts.delete: lambda client: client.delete(TASK)}  # fmt: skip
        for path, work in works.items():
            for number in order:
                work(clients[number])
                meant = (bases[number] + path, f"{facts.auth_scheme} {keys[number]}", str(number))
                require(seen[-1] == meant, f"client {number + 1} asked {seen[-1][0]} as another", "AUTH-KEY")
        for client in clients:
            client.close()
        require(len(seen) == 3 * len(order), f"{len(seen)} requests were sent", "PAY-ONCE")

    for order, same in itertools.product(((0, 1, 0), (1, 0, 1), (0, 0, 1, 1)), (True, False)):
        yield Example(f"two clients, {order}, {'one address' if same else 'two addresses'}", partial(two, order=order, same=same))  # fmt: skip


def _contents(result: Any) -> list[bytes]:
    """The bytes of the pictures that a call gave, in order."""
    given = getattr(result, "pictures", result)
    if not isinstance(given, list):
        return []
    return [one.read_bytes() if isinstance(one, Path) else one.path.read_bytes() if one.path else one.data for one in given]  # fmt: skip


# --- hops after hops --------------------------------------------------------------------------------------------------
_At = tuple[str, tuple[str, ...], str]
_FIRST: Final[_At] = ("http://127.0.0.1:1001", ("a", "b", "0.png"), "")  # origin, path, query
_SECOND: Final[_At] = ("http://127.0.0.1:1002", ("new", "c", "0.png"), "")  # after the first has expired
_HOPS: Final[dict[str, Callable[[_At, int], tuple[str, _At]]]] = {
    "absolute": lambda _, n: (f"http://127.0.0.1:{2000 + n}/h{n}/i/{n}.png", (f"http://127.0.0.1:{2000 + n}", (f"h{n}", "i", f"{n}.png"), "")),
    "path": lambda at, n: (f"/p{n}/q/{n}.png?s={n}", (at[0], (f"p{n}", "q", f"{n}.png"), f"?s={n}")),
    "name": lambda at, n: (f"{n}.png", (at[0], (*at[1][:-1], f"{n}.png"), "")),
    "below": lambda at, n: (f"d{n}/{n}.png", (at[0], (*at[1][:-1], f"d{n}", f"{n}.png"), "")),
    "up": lambda at, n: (f"../{n}.png", (at[0], (*at[1][:-2], f"{n}.png"), "")),
    "query": lambda at, n: (f"?n={n}", (at[0], at[1], f"?n={n}")),
    "other host": lambda _, n: (f"//127.0.0.1:{3000 + n}/{n}.png", (f"http://127.0.0.1:{3000 + n}", (f"{n}.png",), "")),
}  # fmt: skip


def _url(at: _At) -> str:
    return at[0] + "/" + "/".join(at[1]) + at[2]


def _completed(facts: ApiFacts, *urls: str) -> ScriptedReply:
    return envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, "url": list(urls)})


def _chains(facts: ApiFacts) -> Iterator[Example]:
    """Each address is resolved against the one before it; expiry and failures after a redirect are what they always are."""

    def run(subject: ClientUnderTest, hops: Sequence[str], statuses: Sequence[int], last: str) -> None:
        routes: dict[str, ScriptedReply] = {}
        asked: list[str] = []
        chains: list[list[str]] = []
        content = png(9, 9)
        for start in (_FIRST, _SECOND):
            at, chain = start, [_url(start)]
            for number, hop in enumerate(hops):
                location, at = _HOPS[hop](at, number + 1 + 10 * len(chains))
                routes[chain[-1]] = ScriptedReply(statuses[number % len(statuses)], headers={"location": location})
                chain.append(_url(at))
            routes[chain[-1]] = whole(content)
            chains.append(chain)
        firsts: dict[str, list[ScriptedReply | None]] = {"expired": [ScriptedReply(403)], "fails": [ScriptedReply(503)], "fails twice": [None, ScriptedReply(500)], "whole": [],
                 "cut": [whole(content[:40], **{"content-length": str(len(content)), "etag": '"v"', "accept-ranges": "bytes"})]}  # fmt: skip
        first = firsts[last]

        def host(sent: Sent) -> ScriptedReply | None:
            if sent.method == "POST":
                return _completed(facts, chains[1][0] if asked else chains[0][0])
            asked.append(sent.url)
            if sent.url == chains[0][-1] and first:
                return first.pop(0)
            require(sent.url in routes, f"it asked for {sent.url} after {asked[:-1]}, which nobody named", "SERVER-PICTURES")  # fmt: skip
            return routes[sent.url]

        outcome = in_memory(subject, lambda client: [one.data for one in client.task(TASK).read()], host)
        meant = chains[0] + (
            chains[1] if last == "expired" else chains[0] * {"whole": 0, "fails twice": 2}.get(last, 1)
        )
        require(asked == meant, f"it asked for {asked}, not {meant}", "SERVER-PICTURES")
        require(outcome.expect(None, rule="SERVER-PICTURES") == [content], "it gave another picture", "FILE-WHOLE")

    for hops in (*itertools.product(_HOPS, repeat=2), *(tuple(row.values()) for row in pairwise(one=tuple(_HOPS), two=tuple(_HOPS), three=tuple(_HOPS))),
                 ("name",) * 5, ("up", "below", "name", "up", "query"), ("path", "name", "absolute", "name", "name")):  # fmt: skip
        yield Example(", ".join(hops), partial(run, hops=hops, statuses=(302, 307, 301), last="whole"))
    for row in pairwise(last=("expired", "fails", "fails twice", "cut"), first=tuple(_HOPS), second=("name", "absolute", "path"), status=(301, 302, 303, 307, 308)):  # fmt: skip
        hops = (row["first"], row["second"])
        yield Example(f"{', '.join(hops)} ({row['status']}), then it {row['last']}", partial(run, hops=hops, statuses=(row["status"],), last=row["last"]))  # fmt: skip


# --- every way to pictures --------------------------------------------------------------------------------------------
Way = Callable[[Any, Path, int], Any]
_WAYS: Final[dict[str, Way]] = {
    "save": lambda client, folder, images: client.task(TASK, images=images).save(folder),
    "read": lambda client, _, images: client.task(TASK, images=images).read(),
    "submit and save": lambda client, folder, images: client.submit("a fish", batchsize=images).save(folder),
    "submit and read": lambda client, _, images: client.submit("a fish", batchsize=images).read(),
    "generate": lambda client, folder, images: client.generate("a fish", batchsize=images, output_dir=folder),
    "generate in memory": lambda client, _, images: client.generate("a fish", batchsize=images, output_dir=None),
}


def _kind(number: int) -> bytes:
    return (png(5 + number, 4), jpeg(number), webp(), GIF)[number % 4]


def _ways(facts: ApiFacts) -> Iterator[Example]:
    """Every way gives all the pictures, whole and in order, or an error that names each that is missing."""

    def run(subject: ClientUnderTest, way: str, images: int, numbers: Sequence[Any], bad: Mapping[int, ScriptedReply | None]) -> None:  # fmt: skip
        urls = [f"{LOCAL}/{number}" if isinstance(number, int) else number for number in numbers]

        def host(sent: Sent) -> ScriptedReply | None:
            if sent.method == "GET":
                number = int(sent.path[1:])
                return bad[number] if number in bad else whole(_kind(number))
            if sent.path == facts.submit:
                return envelope(facts.success, {"taskid": TASK})
            return envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, "url": urls})

        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "pictures"
            outcome = in_memory(subject, lambda client: _contents(_WAYS[way](client, folder, images)), host)
            left = {path.name.partition(".")[0]: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}  # fmt: skip
        wanted = [numbers[place] if place < len(numbers) else None for place in range(images)]
        missing = [place for place, number in enumerate(wanted) if not isinstance(number, int) or number in bad]
        there = {place: _kind(number) for place, number in enumerate(wanted) if place not in missing and isinstance(number, int)}  # fmt: skip
        saved = way in ("save", "submit and save", "generate")
        meant = {f"{TASK}-{place + 1}": content for place, content in there.items()} if saved else {}
        require(left == meant, f"{sorted(left)} lie there, not {sorted(meant)}", "FILE-WHOLE")
        if not missing:
            found = outcome.expect(None, rule="SERVER-PICTURES")
            require(found == list(there.values()), f"it gave {len(found)} pictures of {images}, or others", "SERVER-PICTURES")  # fmt: skip
            return
        require(isinstance(outcome.error, errors.DownloadError), f"pictures {missing} are missing, and it gave {outcome.shown}", "FILE-WHOLE")  # fmt: skip
        error: Any = outcome.error
        told = (sorted(error.errors), sorted(error.files), error.taskid, error.billing)
        told_meant = (missing, sorted(there) if saved else [], TASK, "yes")
        require(told == told_meant, f"the error tells {told}, not {told_meant}", "PAY-KNOWN")

    cut = {number: whole(_kind(number)[:-1]) for number in range(4)}
    faults: dict[str, tuple[int, Sequence[Any], Mapping[int, ScriptedReply | None]]] = {
        **{f"{count} of {count}": (count, range(count), {}) for count in (1, 2, 3, 10, 15)}, **{f"{count} of 4": (4, range(count), {}) for count in range(4)}, "14 of 15": (15, range(14), {}), "6 of 4": (4, range(6), {}),
        "a gap": (4, (0, "", 2, 3), {}), "no text": (4, (0, 1, None, 3), {}), "an unsafe address": (4, ("ftp://a.example/1", 1, 2, 3), {}), "one address twice": (4, (0, 0, 1, 2), {}), "one address for all": (3, (5, 5, 5), {}),
        "the last ones alike": (4, (0, 1, 2, 2), {}), "backwards": (4, (3, 2, 1, 0), {}), "all cut": (4, range(4), cut), **{f"picture {number + 1} cut": (4, range(4), {number: cut[number]}) for number in range(4)},
        "cut short of its length": (2, range(2), {1: ScriptedReply(200, jpeg(1)[:6], {"content-length": "13"})}), "a page": (2, range(2), {0: ScriptedReply(200, b"<html>gone</html>", {"content-type": "image/png"})}),
        "nothing": (2, range(2), {1: whole(b"")}), "text": (3, range(3), {1: whole(b"a picture")}), "expired": (3, range(3), {2: ScriptedReply(404)}), "refused": (3, range(3), {0: ScriptedReply(401)}),
        "broken": (3, range(3), {1: ScriptedReply(500)}), "unreachable": (3, range(3), {1: None}), "one missing, one broken": (4, range(3), {1: ScriptedReply(500)}), "PNG, then no end": (1, (0,), {0: whole(png()[:-12])}),
    }  # fmt: skip
    for (name, (images, numbers, bad)), way in itertools.product(faults.items(), _WAYS):
        yield Example(f"{name}: {way}", partial(run, way=way, images=images, numbers=numbers, bad=bad))


# --- a second try -----------------------------------------------------------------------------------------------------
def _seconds(facts: ApiFacts) -> Iterator[Example]:
    """What a try before left behind is not in the picture: bytes, name, type and size are those of the last reply."""
    long, shorter = png(40, 40), png(3, 3)
    contents = {"png": png(8, 8), "jpg": jpeg(7), "webp": webp(), "gif": GIF}
    tag = {"etag": '"v1"', "accept-ranges": "bytes"}
    firsts: dict[str, Sequence[ScriptedReply | None]] = {
        "a page": [ScriptedReply(200, b"<html>busy</html>" * 99, {"content-type": "text/html"})], "a cut page": [ScriptedReply(200, b"<html>", {"content-type": "image/png", "content-length": "5000"})],
        "nothing": [whole(b"")], "500": [ScriptedReply(500, png())], "no reply": [None], "a long PNG cut": [whole(long[:-9])], "a long PNG cut short of its length": [whole(long[:-9], **{"content-length": str(len(long))})],
        "half a PNG, to be continued": [whole(long[:60], **tag, **{"content-length": str(len(long))})], "half a JPEG, to be continued": [whole(jpeg(3)[:6], **tag, **{"content-length": "13"})],
        "half a WebP": [whole(webp()[:20], etag='W/"v1"')], "a GIF without its end": [whole(GIF[:-1])], "one byte": [whole(b"\x89")], "a PNG, then a JPEG, both cut": [whole(long[:-9]), whole(jpeg(3)[:-2])],
        "a JPEG, a page and 503": [whole(jpeg(5)[:-1]), ScriptedReply(503, b"<html>"), None],
    }  # fmt: skip

    def run(subject: ClientUnderTest, before: Sequence[ScriptedReply | None], content: bytes, extension: str, way: str, said: str) -> None:  # fmt: skip
        left, events = list(before), list[Any]()
        sizes = [int(reply.headers.get("content-length") or len(reply.body)) for reply in before if reply]
        limit = max(len(content), *sizes, 1)  # what came before does not count

        def host(sent: Sent) -> ScriptedReply | None:
            if sent.method == "POST":
                return _completed(facts, f"{LOCAL}/1.jpg")
            return left.pop(0) if left else whole(content, **{"content-type": said, "etag": '"v2"'})

        with tempfile.TemporaryDirectory() as name:
            works = {"save": lambda client: client.task(TASK).save(name, progress=events.append, max_bytes=limit), "read": lambda client: client.task(TASK).read(progress=events.append, max_bytes=limit)}  # fmt: skip
            outcome = in_memory(subject, works[way], host)
            (picture,) = outcome.expect(None, rule="FILE-WHOLE", requests=len(before) + 2)
            files = {path.name: path.read_bytes() for path in Path(name).iterdir()}
        require(not left, "it did not try again", "FILE-WHOLE")
        if way == "save":
            require(files == {f"{TASK}-1.{extension}": content} and picture.name in files, f"{sorted(files)} lie there", "FILE-TYPE")  # fmt: skip
        else:
            require(picture.data == content and picture.media_type == _EXTENSIONS[extension], f"it is {picture!r}, not {extension}", "FILE-TYPE")  # fmt: skip
            size = tuple(int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
            require(extension != "png" or (picture.width, picture.height) == size, f"it is {picture!r}", "FILE-TYPE")
        received = [event.received for event in events if event.stage in ("downloading", "saved")][-2:]
        require(received == [len(content)] * 2, f"{received} bytes were told of {len(content)}", "SERVER-PICTURES")

    seconds = {**{extension: (content, extension) for extension, content in contents.items()}, "a shorter PNG": (shorter, "png"), "a longer PNG": (png(80, 90), "png"), "the whole": (long, "png")}  # fmt: skip
    for row in pairwise(first=tuple(firsts), second=tuple(seconds), way=("save", "read"), said=("image/png", "text/html", "image/webp")):  # fmt: skip
        content, extension = seconds[row["second"]]
        yield Example(f"{row['first']}, then {row['second']} as {row['said']}: {row['way']}",
                      partial(run, before=firsts[row["first"]], content=content, extension=extension, way=row["way"], said=row["said"]))  # fmt: skip

    def ranged(subject: ClientUnderTest, cuts: Sequence[int], extension: str, way: str) -> None:
        """The rest in parts, each broken off in turn: the picture is whole, and each part was asked for from its place."""
        content, places = {**contents, "png": long}[extension], list(cuts)

        def host(sent: Sent) -> ScriptedReply:
            if sent.method == "POST":
                return _completed(facts, f"{LOCAL}/1.jpg")
            start = int((sent.header("range") or ("bytes=0-",))[0][6:-1])
            stop, size = places.pop(0) if places else len(content), len(content)
            headers = {**tag, "content-length": str(size - start), **({"content-range": f"bytes {start}-{size - 1}/{size}"} if start else {})}  # fmt: skip
            return ScriptedReply(206 if start else 200, content[start:stop], headers)

        with tempfile.TemporaryDirectory() as name:
            works: dict[str, Callable[[Any], Any]] = {"save": lambda client: client.task(TASK).save(name), "read": lambda client: client.task(TASK).read()}  # fmt: skip
            outcome: Outcome = in_memory(subject, lambda client: [*_contents(works[way](client)), *Path(name).iterdir()], host)  # fmt: skip
            found = outcome.expect(None, rule="FILE-WHOLE", requests=len(cuts) + 2)
        require(found[0] == content, "the parts were put together wrongly", "FILE-WHOLE")
        require(way == "read" or [path.suffix for path in found[1:]] == [f".{extension}"], f"it is called {found[1:]}", "FILE-TYPE")  # fmt: skip
        asked = [(sent.header("range"), sent.header("if-range")) for sent in outcome.sent[1:]]
        meant = [((f"bytes={place}-",), ('"v1"',)) if place else ((), ()) for place in (0, *cuts)]
        require(asked == meant, f"it asked for {asked}, not {meant}", "FILE-WHOLE")

    for cuts, extension, way in itertools.product(((1,), (5,), (2, 9), (3, 4, 5), (1, 4, 8, 11)), contents, ("save", "read")):  # fmt: skip
        yield Example(
            f"{extension} in parts at {cuts}: {way}", partial(ranged, cuts=cuts, extension=extension, way=way)
        )

    def replaced(subject: ClientUnderTest, tags: Sequence[str | None], way: str) -> None:
        """Each try brings another picture, cut: the rest is asked for by the tag of the last one, if it has one."""
        pictures = [png(20 + number, 20) for number in range(len(tags))]
        turns = iter(zip(pictures, tags, strict=True))

        def host(sent: Sent) -> ScriptedReply:
            if sent.method == "POST":
                return _completed(facts, f"{LOCAL}/1.jpg")
            content, etag = next(turns)
            stop = len(content) if content is pictures[-1] else 30 + len(sent.header("range"))
            headers = {
                "content-length": str(len(content)),
                "accept-ranges": "bytes",
                **({"etag": etag} if etag else {}),
            }
            return ScriptedReply(200, content[:stop], headers)

        with tempfile.TemporaryDirectory() as name:
            works: dict[str, Callable[[Any], Any]] = {"save": lambda client: client.task(TASK).save(name), "read": lambda client: client.task(TASK).read()}  # fmt: skip
            outcome = in_memory(subject, lambda client: _contents(works[way](client)), host)
        found = outcome.expect(None, rule="FILE-WHOLE", requests=len(tags) + 1)
        require(found == pictures[-1:], "it is not the last picture", "FILE-WHOLE")
        asked = [sent.header("if-range") for sent in outcome.sent[2:]]
        meant = [(etag,) if etag and etag.startswith('"') else () for etag in tags[:-1]]
        require(asked == meant, f"it asked by {asked}, not {meant}", "FILE-WHOLE")

    for tags, way in itertools.product(itertools.product(('"v1"', '"v2"', 'W/"v3"', None), repeat=3), ("save", "read")):
        yield Example(f"other pictures with the tags {tags}: {way}", partial(replaced, tags=tags, way=way))


RELATIONS: Final = (
    ClientRelation("calls.again", "TASK-OWN", "Each call does what it does, whatever was called before it, on whichever client.", _again),
    ClientRelation("picture.chain", "SERVER-PICTURES", "After each redirect the next address is resolved against the one before it; expiry and breaks stay what they are.", _chains),
    ClientRelation("picture.ways", "FILE-WHOLE", "Every way to get pictures gives all of them, whole and in order, or names each that is missing.", _ways),
    ClientRelation("picture.second-try", "FILE-TYPE", "A picture's bytes, name, type and size are those of the last reply, whatever came before it.", _seconds),
)  # fmt: skip
