"""Pictures: what the image host is asked and told, and what lies in the folder afterwards, whatever the host does."""

import base64
import gzip
import itertools
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
from attrs import evolve, frozen
from contract.client_checks.relation import SIGNATURE, ClientRelation, Example, Outcome, call, require
from contract.client_checks.under_test import KEY, TASK, ClientUnderTest
from contract.recording_server import RecordingServer, Script, ScriptedReply, chunked, envelope
from seedream import errors
from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.samples import jpeg, png, webp
from seedream_testing.contract.violation import Sent
from support.clock import FakeClock

_PNG: Final = {"content-type": "image/png"}
_NEEDED: Final = {"host", "accept", "accept-encoding", "user-agent", "connection", "range", "if-range"}
GIF: Final = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;"


@frozen
class Fetched:
    """What became of a download.

    Attributes:
        outcome: Of the call; ``outcome.sent`` is what the API got.
        asked: What the image host got.
        files: What lies in the folder, by name.
        folder: The folder, which is gone.
    """

    outcome: Outcome
    asked: list[Sent]
    files: Mapping[str, bytes]
    folder: Path

    @property
    def names(self) -> list[str]:
        """Names of the paths that were returned."""
        return [path.name for path in self.outcome.value or ()]


def fetch(
    subject: ClientUnderTest, host: Script, paths: Sequence[Any] | Callable[[str], list[Any]] = (f"/1.png?X-Signature={SIGNATURE}",), *, work: Callable[[Any, Path], Any] | None = None,
    images: int | None = None, before: Mapping[str, bytes] | None = None, later: Sequence[Any] | None = None, taskid: str = TASK, clock: FakeClock | None = None, **options: Any,
) -> Fetched:  # fmt: skip
    """Save the pictures of a task that is completed; ``later`` are the paths that further queries name."""
    facts = subject.facts
    asked = 0
    with tempfile.TemporaryDirectory() as name, RecordingServer(host) as images_host:
        folder = Path(name) / "pictures"
        if before is not None:
            folder.mkdir()
        for file, content in (before or {}).items():
            (folder / file).write_bytes(content)

        def api(sent: Sent) -> ScriptedReply:
            nonlocal asked
            if sent.path == facts.submit:
                return envelope(facts.success, {"taskid": taskid})
            asked += 1
            now = paths if later is None or asked == 1 else later
            urls = (
                now(images_host.url)
                if callable(now)
                else [
                    f"{images_host.url}{path}" if isinstance(path, str) and path.startswith("/") else path
                    for path in now
                ]
            )
            return envelope(facts.success, {"taskid": taskid, "image_status": facts.completed, "url": urls})

        def go(client: Any) -> Any:
            return work(client, folder) if work else client.task(taskid, images=images).save(folder, **options)

        outcome = call(subject, go, api, clock=clock)
        files = (
            {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
            if folder.exists()
            else {}
        )
        outside = [path for path in Path(name).rglob("*") if path.is_file() and folder not in path.parents]
        require(not outside, f"it wrote {outside} outside the folder", "FILE-PLACE")
        return Fetched(outcome, images_host.sent, files, folder)


def whole(content: bytes, **headers: str) -> ScriptedReply:
    """Return a picture's reply."""
    return ScriptedReply(200, content, {**_PNG, **headers})


# --- what comes -------------------------------------------------------------------------------------------------------
def _pictures(facts: ApiFacts) -> Iterator[Example]:
    """Each kind of picture in each framing is saved as it came, under the extension that belongs to its bytes."""
    del facts
    kinds = {"png": png(33, 21), "jpg": jpeg(7), "webp": webp(), "gif": GIF}
    body = png(64, 64)

    def saved(subject: ClientUnderTest, reply: ScriptedReply, content: bytes, extension: str, path: str) -> None:
        found = fetch(subject, reply, [path])
        found.outcome.expect(None, rule="FILE-TYPE")
        require(
            found.files == {f"{TASK}-1.{extension}": content} and found.names == list(found.files),
            f"{path}: {sorted(found.files)} lie there",
            "FILE-TYPE",
        )
        require(
            [sent.path for sent in found.asked] == [path],
            f"it asked for {[sent.path for sent in found.asked]}",
            "SERVER-PICTURES",
        )
        again = fetch(subject, reply, [path], work=lambda client, folder: client.task(TASK).read())
        (picture,) = again.outcome.expect(None, rule="FILE-TYPE")
        require(picture.data == content and not again.files, "in memory it is another picture", "FILE-WHOLE")
        media = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}[extension]
        require(
            picture.media_type == media and picture.path is None,
            f"it is called {picture.media_type}, {picture.path}",
            "FILE-TYPE",
        )
        if extension == "png":
            size = tuple(int.from_bytes(content[start : start + 4], "big") for start in (16, 20))
            require(
                (picture.width, picture.height) == size, f"its size is {picture.width}x{picture.height}", "FILE-TYPE"
            )

    for extension, content in kinds.items():
        for said in ("image/png", "image/jpeg", "application/octet-stream", "text/html", "", None):
            for path in ("/1", "/1.png", "/1.jpg?x=.gif", "/a.tar.gz"):
                if said is None or path == "/1" or extension == "jpg":
                    reply = ScriptedReply(200, content, {"content-type": said})
                    yield Example(
                        f"{extension} as {said} at {path}",
                        partial(saved, reply=reply, content=content, extension=extension, path=path),
                    )
    for path in (
        "/a%20b.png?X-Signature=a%2Bb%3D&x=1&x=2",
        "/%E5%9B%BE.png",
        "/a;b=c,d.png",
        "/a+b.png?q=a+b",
        "/a//b/1.png",
        "/1.png?",
        "/1.png?b=1&a=2&=&b",
        "/~a/(1)'!*.png",
        f"/1.png?s={SIGNATURE}",
        "/" + "a" * 2000,
    ):
        yield Example(f"at {path[:40]}", partial(saved, reply=whole(body), content=body, extension="png", path=path))
    head = b"HTTP/1.1 200 OK\r\n"
    wires = {"chunks": head + b"transfer-encoding: chunked\r\n\r\n" + chunked(body, 50), "no length": head + b"\r\n" + body, "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + body,
             "a length too small": None, "gzip": head + b"content-encoding: gzip\r\n\r\n" + gzip.compress(body), "a wrong label gzip": head + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(body) + body,
             "a length too large, whole all the same": head + b"content-length: %d\r\n\r\n" % (len(body) + 9) + body, "a cookie": head + b"set-cookie: a=b\r\ncontent-length: %d\r\n\r\n" % len(body) + body,
             "after 103": b"HTTP/1.1 103 Early\r\n\r\n" + head + b"content-length: %d\r\n\r\n" % len(body) + body}  # fmt: skip
    for name, wire in wires.items():
        if wire is not None:
            yield Example(
                name, partial(saved, reply=ScriptedReply(wire=wire), content=body, extension="png", path="/1.png")
            )
    yield Example(
        "a byte at a time",
        partial(saved, reply=evolve(whole(png()), pause=0.0005), content=png(), extension="png", path="/1.png"),
    )
    big = png(1200, 1200) + b""
    large = jpeg()[:-2] + b"\xff\xfe\xff\xf0" + b"x" * 65518 + b"\xff\xd9"
    for content, extension in ((big, "png"), (large, "jpg")):
        yield Example(
            f"{len(content):,} bytes",
            partial(saved, reply=whole(content), content=content, extension=extension, path="/1.png"),
        )
    for status in (200,):
        yield Example(
            f"HTTP {status}",
            partial(saved, reply=ScriptedReply(status, body, _PNG), content=body, extension="png", path="/1.png"),
        )


def _failures(facts: ApiFacts) -> Iterator[Example]:
    """What is no whole picture leaves no file, in the folder or in memory; the error says why and that it is paid for."""
    del facts
    body = png(64, 64)

    def missing(
        subject: ClientUnderTest,
        reply: ScriptedReply | None,
        kinds: tuple[type[errors.SeeDreamError], ...],
        most: int,
        least: int = 1,
        retryable: bool | None = None,
    ) -> None:
        works = (
            None,
            lambda client, folder: client.task(TASK).read(),
            lambda client, folder: client.generate("a fish", output_dir=folder),
        )
        for work in works if least < 5 and most < 5 else works[reply.status % 3 :][:1] if reply else works[:1]:
            found = fetch(subject, reply, work=work)
            error = found.outcome.expect(kinds, rule="FILE-WHOLE", taskid=TASK, billing="yes")
            require(not found.files, f"{sorted(found.files)} was left", "FILE-WHOLE")
            require(
                set(error.errors) == {0} and not error.files and error.hint,
                f"it tells {error.errors!r} and {error.files!r}",
                "PAY-KNOWN",
            )
            require(
                least <= len(found.asked) <= most,
                f"it asked {len(found.asked)} times, not {least} to {most}",
                "SERVER-PICTURES",
            )
            made = [sent for sent in found.outcome.sent if sent.path == subject.facts.submit]
            require(len(made) <= 1, f"{len(made)} submissions were sent", "PAY-ONCE")
            if retryable is not None:
                require(
                    error.retryable == (retryable and not made),
                    f"{error!r} has retryable={error.retryable}",
                    "PAY-KNOWN",
                )

    cut, odd = (errors.Truncated,), (errors.NotAPicture,)
    for place in (1, 8, 9, 20, 33, 40, len(body) // 2, len(body) - 20, len(body) - 12, len(body) - 4, len(body) - 1):
        kinds = (errors.Truncated, errors.NotAPicture) if place < 30 else cut
        yield Example(
            f"cut after {place} bytes",
            partial(
                missing,
                reply=ScriptedReply(200, body[:place], {**_PNG, "content-length": str(len(body))}),
                kinds=kinds,
                most=5,
            ),
        )
        yield Example(f"only {place} bytes", partial(missing, reply=whole(body[:place]), kinds=kinds, most=5))
        wire = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunked(body[:place], 100, whole=False)
        yield Example(
            f"chunks cut after {place} bytes",
            partial(
                missing,
                reply=ScriptedReply(wire=wire),
                kinds=(errors.Truncated, errors.NotAPicture, errors.DownloadError),
                most=5,
                least=2,
            ),
        )
    for name, content in {"jpeg": jpeg()[:-2], "webp": webp()[:-6], "gif": GIF[:-1]}.items():
        yield Example(
            f"a {name} without its end",
            partial(missing, reply=whole(content), kinds=cut, most=5, least=2, retryable=True),
        )
    for name, content in {"an error page": b"<html>gone</html>", "XML": b"<?xml version='1.0'?><Error/>", "JSON": b'{"error":"expired"}', "nothing": b"", "zeros": b"\0" * 5000, "text": b"a picture", "a PDF": b"%PDF-1.7", "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "blank before a picture": b"\n" + body}.items():  # fmt: skip
        yield Example(name, partial(missing, reply=whole(content), kinds=odd, most=2, least=1))
    for status in (*range(201, 227), *range(300, 309), *range(400, 452), 499, *range(500, 512), 520, 530, 599, 999):
        if status in (403, 404, 410):
            yield Example(
                f"HTTP {status}",
                partial(missing, reply=ScriptedReply(status, b"<Error/>"), kinds=(errors.ResultExpired,), most=1),
            )
        elif status != 206:
            passing = status >= 500 or status in (408, 416, 425, 429)
            yield Example(
                f"HTTP {status}",
                partial(
                    missing,
                    reply=ScriptedReply(status, body if status not in (204, 205, 304) else b""),
                    kinds=(errors.DownloadError,),
                    most=5 if passing else 1,
                    least=5 if passing else 1,
                    retryable=passing,
                ),
            )
    for name, reply in {
        "hangs up": None,
        "garbage": ScriptedReply(wire=b"\0garbage\r\n\r\n"),
        "resets": evolve(whole(body), cut=40, end="reset"),
    }.items():
        yield Example(
            name,
            partial(
                missing, reply=reply, kinds=(errors.DownloadError, errors.Truncated), most=5, least=5, retryable=True
            ),
        )
    for said in ("bytes 0-9/10", "bytes 5-99/100", "bytes */100", "", "pages 1-2/3"):
        reply = ScriptedReply(206, body, {**_PNG, "content-range": said} if said else _PNG)
        if said != "bytes 0-9/10":
            yield Example(
                f"a part that was not asked for: {said!r}", partial(missing, reply=reply, kinds=cut, most=5, least=2)
            )


# --- size -------------------------------------------------------------------------------------------------------------
def _limits(facts: ApiFacts) -> Iterator[Example]:
    """A picture may have so many bytes and no more, whether its length is stated or not, and packed or not."""
    del facts
    body = jpeg()[:-2] + (b"\xff\xfe\xff\xf0" + b"x" * 65518) * 3 + b"\xff\xd9"
    size = len(body)
    head = b"HTTP/1.1 200 OK\r\n"
    packed = gzip.compress(body)
    replies = {"a stated length": whole(body), "no length": ScriptedReply(wire=head + b"\r\n" + body), "chunks": ScriptedReply(wire=head + b"transfer-encoding: chunked\r\n\r\n" + chunked(body, 4000)),
               "packed": ScriptedReply(wire=head + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed)}  # fmt: skip

    def run(subject: ClientUnderTest, reply: ScriptedReply, limit: int, memory: bool) -> None:
        work = (lambda client, folder: client.task(TASK).read(max_bytes=limit)) if memory else None
        found = fetch(subject, reply, work=work, max_bytes=limit)
        if limit >= size:
            found.outcome.expect(None, rule="FILE-WHOLE")
        else:
            found.outcome.expect(errors.TooLarge, rule="FILE-WHOLE", retryable=False, billing="yes", taskid=TASK)
            require(
                not found.files and len(found.asked) == 1,
                f"{sorted(found.files)} was left after {len(found.asked)} tries",
                "FILE-WHOLE",
            )

    for (name, reply), limit in itertools.product(replies.items(), (1, 100, size - 1, size, size + 1, 2 * size)):
        for memory in (False, True):
            yield Example(
                f"{name}, limit {limit} of {size}{', in memory' if memory else ''}",
                partial(run, reply=reply, limit=limit, memory=memory),
            )

    def endless(subject: ClientUnderTest) -> None:
        bomb = gzip.compress(jpeg()[:-2] + b"\0" * 80_000_000, compresslevel=1)
        for reply in (
            ScriptedReply(wire=head + b"content-encoding: gzip\r\n\r\n" + bomb),
            ScriptedReply(wire=head + b"content-length: 999999999999\r\n\r\n" + body),
        ):
            found = fetch(subject, reply)
            found.outcome.expect(errors.TooLarge, rule="FILE-WHOLE", retryable=False)
            require(not found.files, f"{sorted(found.files)} was left", "FILE-WHOLE")

    yield Example("more than the default limit", endless)


# --- going on ---------------------------------------------------------------------------------------------------------
def _resumes(facts: ApiFacts) -> Iterator[Example]:
    """After a break the rest is asked for where the host allows it, and another picture's rest is never spliced in."""
    del facts
    body, other = os.urandom(3000), os.urandom(3000)
    body, other = (
        jpeg()[:-2] + b"\xff\xfe\x0b\xba" + one.replace(b"\xff", b"a") + b"\xff\xd9" for one in (body, other)
    )
    size, half = len(body), 1400

    def run(
        subject: ClientUnderTest,
        headers: dict[str, str],
        second: Callable[[Sent], ScriptedReply],
        ranged: bool,
        content: bytes,
    ) -> None:
        answers: list[Callable[[Sent], ScriptedReply | None]] = [
            lambda _: ScriptedReply(200, body[:half], {**_PNG, **headers, "content-length": str(size)}),
            second,
        ]
        found = fetch(subject, lambda sent: answers.pop(0)(sent) if answers else whole(content))
        found.outcome.expect(None, rule="FILE-WHOLE")
        require(
            list(found.files.values()) == [content], "the file is not one whole picture", "FILE-WHOLE", found.asked[1]
        )
        wanted = ((f"bytes={half}-",), (headers.get("etag", ""),)) if ranged else ((), ())
        got = found.asked[1].header("range"), found.asked[1].header("if-range")
        require(got == wanted, f"it asked for {got}, not {wanted}", "FILE-WHOLE", found.asked[1])

    strong = {"etag": '"v1"', "accept-ranges": "bytes"}

    def rest(
        first: int = half, last: int = size - 1, total: object = size, tag: str = '"v1"', content: bytes = body
    ) -> Callable[[Sent], ScriptedReply]:
        return lambda _: ScriptedReply(
            206,
            content[first : last + 1],
            {**_PNG, "content-range": f"bytes {first}-{last}/{total}", **({"etag": tag} if tag else {})},
        )

    yield Example("the rest", partial(run, headers=strong, second=rest(), ranged=True, content=body))
    yield Example(
        "the rest, without an ETag of its own",
        partial(run, headers=strong, second=rest(tag=""), ranged=True, content=body),
    )
    yield Example(
        "the rest, of unknown length", partial(run, headers=strong, second=rest(total="*"), ranged=True, content=body)
    )
    yield Example(
        "the whole instead", partial(run, headers=strong, second=lambda _: whole(body), ranged=True, content=body)
    )
    yield Example(
        "another picture, whole",
        partial(run, headers=strong, second=lambda _: whole(other), ranged=True, content=other),
    )
    for name, second in {"another ETag": rest(tag='"v2"', content=other), "from another place": rest(first=half + 10), "from the start": rest(first=0), "not to the end": rest(last=size - 100), "416": lambda _: ScriptedReply(416),
                         "no place": lambda _: ScriptedReply(206, body[half:], _PNG), "500": lambda _: ScriptedReply(500)}.items():  # fmt: skip
        yield Example(
            f"the rest: {name}",
            partial(run, headers=strong, second=second, ranged=True, content=other if name == "another ETag" else body),
        )
    for name, headers in {
        "no ETag": {"accept-ranges": "bytes"},
        "a weak ETag": {"etag": 'W/"v1"', "accept-ranges": "bytes"},
        "no ranges": {"etag": '"v1"'},
        "ranges: none": {"etag": '"v1"', "accept-ranges": "none"},
    }.items():
        yield Example(
            f"{name}: all of it again",
            partial(run, headers=headers, second=lambda _: whole(other), ranged=False, content=other),
        )

    def tries(subject: ClientUnderTest, failing: int) -> None:
        answers: list[ScriptedReply | None] = [ScriptedReply(500) if number % 2 else None for number in range(failing)]
        found = fetch(subject, lambda _: answers.pop(0) if answers else whole(body))
        if failing < 5:
            found.outcome.expect(None, rule="SERVER-PICTURES")
            require(len(found.asked) == failing + 1, f"it asked {len(found.asked)} times", "SERVER-PICTURES")
            pauses = found.outcome.slept
            require(
                len(pauses) == failing and all(one > 0 for one in pauses),
                f"its pauses were {pauses}",
                "SERVER-PICTURES",
            )

    for failing in range(5):
        yield Example(f"{failing} failures before the picture", partial(tries, failing=failing))


def _expired(facts: ApiFacts) -> Iterator[Example]:
    """A picture whose address has expired is fetched from the one that a new query gives; the others are not touched."""
    del facts

    def run(subject: ClientUnderTest, status: int, rounds: int) -> None:
        now = iter(range(100))

        def host(sent: Sent) -> ScriptedReply:
            return ScriptedReply(status) if "/old" in sent.path else whole(png(shade=int(sent.path[-1])))

        def urls(base: str) -> list[str]:
            number = next(now)
            return [f"{base}/good0", f"{base}/{'old' if number < rounds else 'good'}{number}/1", f"{base}/good2"]

        found = fetch(subject, host, urls)
        if rounds <= 2:
            found.outcome.expect(None, rule="SERVER-PICTURES")
            require(
                list(found.files.values()) == [png(shade=number) for number in range(3)],
                f"{sorted(found.files)} lie there",
                "SERVER-PICTURES",
            )
            require(
                len(found.outcome.sent) == rounds + 1 and len(found.asked) == 3 + rounds,
                f"{len(found.outcome.sent)} queries, {len(found.asked)} downloads",
                "SERVER-PICTURES",
            )
        else:
            error = found.outcome.expect(errors.ResultExpired, rule="SERVER-PICTURES", taskid=TASK, billing="yes")
            require(
                set(error.errors) == {1} and set(error.files) == {0, 2},
                f"it tells {error.errors!r}, {error.files!r}",
                "PAY-KNOWN",
            )

    for status, rounds in itertools.product((403, 404, 410), (1, 2, 5)):
        yield Example(f"HTTP {status}, {rounds} times", partial(run, status=status, rounds=rounds))


_BAD_ADDRESSES: Final = (
    None,
    "",
    7,
    *(f"/{status}?X-Signature={SIGNATURE}" for status in (400, 404, 500)),
    f"ftp://a.example/1?X-Signature={SIGNATURE}",
    f"http://user:pw@127.0.0.1:1/1?X-Signature={SIGNATURE}",
)


# --- several ----------------------------------------------------------------------------------------------------------
def _several(facts: ApiFacts) -> Iterator[Example]:
    """Pictures keep their numbers: the n-th address is the n-th file, however many there are, fail, or come late."""
    default_names = [f"{TASK}-{number}.png" for number in range(1, 16)]

    def host(sent: Sent) -> ScriptedReply:
        number = int(sent.path.rpartition("/")[2].partition("?")[0])
        return whole(png(5 + number, 4, shade=number))

    def run(subject: ClientUnderTest, count: int, images: int | None, concurrency: int) -> None:
        found = fetch(subject, host, [f"/{number}" for number in range(count)], images=images, concurrency=concurrency)
        taken = min(count, images or 15)
        meant = {default_names[number]: png(5 + number, 4, shade=number) for number in range(taken)}
        require(
            dict(found.files) == dict(sorted(meant.items())),
            f"{sorted(found.files)} lie there of {count}",
            "SERVER-PICTURES",
        )
        if images and count < images:
            error = found.outcome.expect(errors.DownloadError, rule="PAY-KNOWN", taskid=TASK, billing="yes")
            require(sorted(error.errors) == list(range(count, images)) and {number: path.name for number, path in error.files.items()} == {number: default_names[number] for number in range(count)},
                    f"it tells {error.errors!r}, {error.files!r}", "PAY-KNOWN")  # fmt: skip
        else:
            paths = found.outcome.expect(None, rule="SERVER-PICTURES")
            require(
                [path.name for path in paths] == default_names[:taken],
                f"it gave {[path.name for path in paths]}",
                "SERVER-PICTURES",
            )

    for count, images, concurrency in (
        (1, None, 4),
        (2, None, 1),
        (5, 5, 2),
        (15, 15, 4),
        (15, 15, 64),
        (3, 5, 4),
        (5, 3, 4),
        (20, None, 4),
        (1, 1, 1),
        (0, 2, 4),
    ):
        yield Example(
            f"{count} pictures of {images}, {concurrency} at once",
            partial(run, count=count, images=images, concurrency=concurrency),
        )

    def gap(subject: ClientUnderTest, bad: Any, place: int) -> None:
        paths: list[Any] = [f"/{number}" for number in range(4)]
        paths[place] = bad
        found = fetch(
            subject,
            lambda sent: ScriptedReply(int(sent.path[1:4])) if sent.path[1:4] in ("500", "400", "404") else host(sent),
            paths,
            images=4,
        )
        error = found.outcome.expect(
            (errors.DownloadError, errors.UnsafeUrl, errors.ResultExpired), rule="PAY-KNOWN", taskid=TASK, billing="yes"
        )
        rest = [number for number in range(4) if number != place]
        require(
            list(error.errors) == [place] and sorted(error.files) == rest,
            f"it tells {error.errors!r}, {error.files!r}",
            "PAY-KNOWN",
        )
        require(
            found.files == {default_names[number]: png(5 + number, 4, shade=number) for number in rest},
            f"{sorted(found.files)} lie there",
            "SERVER-PICTURES",
        )

    for bad, place in itertools.product(_BAD_ADDRESSES, (0, 1, 3)):
        yield Example(f"{bad!r} in place {place}", partial(gap, bad=bad, place=place))

    def same(subject: ClientUnderTest) -> None:
        found = fetch(subject, host, ["/3", "/3", "/3"])
        found.outcome.expect(None, rule="SERVER-PICTURES")
        require(
            found.files == {name: png(8, 4, shade=3) for name in default_names[:3]},
            f"{sorted(found.files)} lie there",
            "SERVER-PICTURES",
        )

    yield Example("the same address three times", same)

    def at_once(subject: ClientUnderTest, concurrency: int, how: str) -> None:
        busy, most, lock = 0, 0, threading.Lock()
        more = threading.Event()

        def enter() -> None:
            nonlocal busy, most
            with lock:
                busy += 1
                most = max(most, busy)
                if busy > concurrency:
                    more.set()
            more.wait(0.1)  # long enough for another one to come in
            with lock:
                busy -= 1

        works: dict[str, Callable[[Any, Path], Any]] = {
            "save": lambda client, folder: client.task(TASK).save(folder, concurrency=concurrency),
            "read": lambda client, _: client.task(TASK).read(concurrency=concurrency),
            "generate": lambda client, folder: client.generate(
                "a fish", batchsize=6, output_dir=folder, concurrency=concurrency
            ),
        }
        paths = [f"/{number}" for number in range(6)]
        found = fetch(subject, lambda sent: evolve(host(sent), midway=enter), paths, work=works[how])
        found.outcome.expect(None, rule="SERVER-PICTURES")
        require(most == concurrency, f"{most} pictures came at once, not {concurrency}", "SERVER-PICTURES")

    for concurrency, how in itertools.product((1, 2, 4), ("save", "read", "generate")):
        yield Example(f"{how}: {concurrency} at once", partial(at_once, concurrency=concurrency, how=how))

    def made(subject: ClientUnderTest, batch: int | None, memory: bool) -> None:
        count = batch or facts.default_pictures
        found = fetch(
            subject,
            host,
            [f"/{number}" for number in range(count)],
            work=lambda client, folder: client.generate(
                "a fish", batchsize=batch, output_dir=None if memory else folder
            ),
        )
        result = found.outcome.expect(None, rule="SERVER-PICTURES")
        paths = [sent.path for sent in found.outcome.sent]
        require(paths == [facts.submit, facts.query], f"it asked {paths}", "PAY-ONCE")
        require(
            result.taskid == TASK and result.info.state == "completed" and len(result) == count,
            f"it gave {result!r}",
            "SERVER-PICTURES",
        )
        names = [] if memory else default_names[:count]
        require([path.name for path in result.files] == names, f"its files are {result.files}", "SERVER-PICTURES")
        if memory:
            require(
                [one.data for one in result] == [png(5 + number, 4, shade=number) for number in range(count)]
                and result[0].data == result.pictures[0].data,
                "its pictures are others",
                "SERVER-PICTURES",
            )

    for batch, memory in itertools.product((None, 1, 2, 15), (False, True)):
        yield Example(f"generate {batch}{' in memory' if memory else ''}", partial(made, batch=batch, memory=memory))

    def limited(subject: ClientUnderTest) -> None:
        for options, kind in (
            ({"max_bytes": 10}, errors.TooLarge),
            ({"name_template": "x{number}"}, None),
            ({"concurrency": 1}, None),
        ):
            found = fetch(
                subject,
                host,
                ["/0", "/1"],
                work=lambda client, folder, o=options: client.generate("a fish", batchsize=2, output_dir=folder, **o),
            )
            if kind is not None:
                found.outcome.expect(kind, rule="FILE-WHOLE", taskid=TASK, billing="yes", retryable=False)
                continue
            result = found.outcome.expect(None, rule="FILE-PLACE")
            stem = "x" if "name_template" in options else f"{TASK}-"
            require(
                list(found.files) == [f"{stem}1.png", f"{stem}2.png"] and len(result.files) == 2,
                f"{options}: {sorted(found.files)}",
                "FILE-PLACE",
            )

    yield Example("generate: its options", limited)

    def shown(subject: ClientUnderTest) -> None:
        signed = [f"/0?X-Signature={SIGNATURE}"]
        found = fetch(
            subject,
            lambda _: whole(png(9, 7)),
            signed,
            work=lambda client, folder: client.generate("a fish", output_dir=None),
        )
        result = found.outcome.expect(None, rule="SERVER-PICTURES")
        text = f"{result!r} {result[0]!r} {result.info!r}"
        require(
            len(text) < 2000 and "PNG" not in text and "http" not in text, f"it is shown as {text[:300]}", "KEY-PRIVATE"
        )
        bundle = result._repr_mimebundle_()
        require(
            base64.b64encode(png(9, 7)).decode() in bundle["text/html"],
            "a notebook shows another picture",
            "SERVER-PICTURES",
        )
        require(
            result[0].image().size == (9, 7) and (result[0].width, result[0].height) == (9, 7),
            "its size is another",
            "SERVER-PICTURES",
        )

    yield Example("generate: how it is shown", shown)

    def few(subject: ClientUnderTest) -> None:
        found = fetch(
            subject, host, ["/0"], work=lambda client, folder: client.generate("a fish", batchsize=3, output_dir=folder)
        )
        error = found.outcome.expect(
            errors.DownloadError, rule="PAY-KNOWN", taskid=TASK, billing="yes", retryable=False
        )
        require(
            sorted(error.errors) == [1, 2] and list(found.files) == default_names[:1],
            f"it tells {error.errors!r}",
            "PAY-KNOWN",
        )

    yield Example("generate: fewer than were paid for", few)


# --- files ------------------------------------------------------------------------------------------------------------
def _files(facts: ApiFacts) -> Iterator[Example]:
    """A file is whole or not there; a whole one that is there is kept, anything else is replaced by the whole one."""
    del facts
    body, name = png(64, 64, shade=3), f"{TASK}-1"

    def run(subject: ClientUnderTest, before: dict[str, bytes], kept: bool) -> None:
        found = fetch(subject, whole(body), before=before)
        (path,) = found.outcome.expect(None, rule="FILE-WHOLE")
        require(len(found.asked) == (0 if kept else 1), f"it asked {len(found.asked)} times", "SERVER-PICTURES")
        meant = dict(before) if kept else {**before, f"{name}.png": body}
        require(dict(found.files) == dict(sorted(meant.items())), f"{sorted(found.files)} lie there", "FILE-WHOLE")
        require(
            found.files[path.name] == (before.get(path.name, b"") if kept else body),
            f"it gave {path.name}",
            "FILE-WHOLE",
        )

    yield Example("an empty folder", partial(run, before={}, kept=False))
    for content, extension in ((png(), "png"), (jpeg(), "jpg"), (webp(), "webp"), (body, "png")):
        yield Example(f"a whole {extension}", partial(run, before={f"{name}.{extension}": content}, kept=True))
    for label, content in {"empty": b"", "cut": body[:-20], "text": b"note", "a JPEG": jpeg()}.items():
        yield Example(f"a .png that is {label}", partial(run, before={f"{name}.png": content}, kept=False))
    yield Example(
        "other files",
        partial(
            run,
            before={
                f"{TASK}-2.png": png(),
                "note.txt": b"x",
                f"{name}.txt": b"y",
                f"{TASK}.png": png(),
                f"{name}0.png": png(),
            },
            kept=False,
        ),
    )

    def atomic(subject: ClientUnderTest, old: bytes | None) -> None:
        seen: list[dict[str, bytes]] = []
        spot: list[Path] = []

        def look() -> None:
            seen.append({path.name: path.read_bytes() for path in spot[0].glob("*.*") if not path.name.startswith(".")})

        def work(client: Any, folder: Path) -> Any:
            spot.append(folder)
            return client.task(TASK).save(folder)

        before = {} if old is None else {f"{name}.png": old}
        found = fetch(subject, evolve(whole(body), midway=look), before=before, work=work)
        found.outcome.expect(None, rule="FILE-WHOLE")
        require(seen == [before], f"while it came in, {[sorted(one) for one in seen]} lay there", "FILE-WHOLE")
        require(found.files == {f"{name}.png": body}, f"{sorted(found.files)} lie there", "FILE-WHOLE")

    for old in (None, b"cut", png()[:-5]):
        yield Example(f"while it comes in, over {old!r:.10}", partial(atomic, old=old))

    def hidden(subject: ClientUnderTest) -> None:
        names: list[str] = []
        spot: list[Path] = []

        def work(client: Any, folder: Path) -> Any:
            spot.append(folder)
            return client.task(TASK).save(folder)

        for _ in range(3):
            reply = evolve(whole(body), midway=lambda: names.extend(path.name for path in spot[-1].iterdir()))
            fetch(subject, reply, work=work).outcome.expect(None, rule="FILE-WHOLE")
        require(
            len(set(names)) == len(names), f"a temporary file has a name that can be foreseen: {names}", "FILE-PLACE"
        )

    yield Example("temporary files have names of their own", hidden)

    def kept_when_failing(subject: ClientUnderTest) -> None:
        before = {f"{name}.png": b"an old file"}
        for reply in (ScriptedReply(500), whole(b"<html>"), whole(body[:-9])):
            found = fetch(subject, reply, before=before)
            require(
                found.outcome.error is not None and found.files == before,
                f"{sorted(found.files)} lie there",
                "FILE-WHOLE",
            )

    yield Example("a failure leaves what was there", kept_when_failing)

    def links(subject: ClientUnderTest, dangling: bool, content: bytes = b"precious") -> None:
        with tempfile.TemporaryDirectory() as other:
            target = Path(other) / "target.png"
            if not dangling:
                target.write_bytes(content)

            def work(client: Any, folder: Path) -> Any:
                folder.mkdir(exist_ok=True)
                (folder / f"{name}.png").symlink_to(target)
                paths = client.task(TASK).save(folder)
                require(not paths[0].is_symlink(), "the link is still there", "FILE-PLACE")
                return paths

            found = fetch(subject, whole(body), work=work)
            found.outcome.expect(None, rule="FILE-PLACE")
            written = target.read_bytes() if target.exists() else b""
        require(written == (b"" if dangling else content), "it wrote through a link", "FILE-PLACE")

    for dangling in (False, True):
        yield Example(f"a link in the way{', to nowhere' if dangling else ''}", partial(links, dangling=dangling))

    yield Example("a link to a whole picture in the way", partial(links, dangling=False, content=png()))

    def again(subject: ClientUnderTest) -> None:
        def work(client: Any, folder: Path) -> Any:
            task = client.task(TASK)
            try:
                task.save(folder)
            except errors.DownloadError:
                down.clear()
            first = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
            paths = task.save(folder)
            require(
                {path.name: path.stat().st_mtime_ns for path in paths if path.name in first} == first,
                "a saved picture was written again",
                "FILE-WHOLE",
            )
            return paths

        down = {"/2"}
        found = fetch(
            subject,
            lambda sent: ScriptedReply(400) if sent.path in down else whole(body),
            ["/1", "/2", "/3"],
            work=work,
        )
        require(
            len(found.outcome.expect(None, rule="FILE-WHOLE")) == 3 and len(found.asked) == 4,
            f"it asked {len(found.asked)} times for three pictures",
            "SERVER-PICTURES",
        )

    yield Example("only what is missing is fetched again", again)


def _places(facts: ApiFacts) -> Iterator[Example]:
    """Names follow the template and nothing else; a folder that cannot be written is told, before it costs anything."""
    del facts

    def named(subject: ClientUnderTest, template: str, meant: list[str]) -> None:
        found = fetch(subject, whole(png()), ["/1", "/2"], name_template=template)
        found.outcome.expect(None, rule="FILE-PLACE")
        require(
            found.names == meant and sorted(found.files) == sorted(meant),
            f"{template}: {found.names} and {sorted(found.files)}",
            "FILE-PLACE",
        )

    for template, meant in {"{taskid}-{number}": [f"{TASK}-1.png", f"{TASK}-2.png"], "{number}": ["1.png", "2.png"], "{index}": ["0.png", "1.png"], "a{number:03}": ["a001.png", "a002.png"], "{number} of {total}": ["1 of 2.png", "2 of 2.png"],
                            "图-{number}": ["图-1.png", "图-2.png"], "{number}.x": ["1.x.png", "2.x.png"]}.items():  # fmt: skip
        yield Example(f"template {template}", partial(named, template=template, meant=meant))

    def odd(subject: ClientUnderTest, taskid: str) -> None:
        found = fetch(subject, whole(png()), taskid=taskid)
        if found.outcome.error is None:
            require(
                found.names == list(found.files) and len(found.files) == 1,
                f"{found.names} and {sorted(found.files)}",
                "FILE-PLACE",
            )
            require(not set(found.names[0]) & set("/\\\0\n:"), f"the file is called {found.names[0]!r}", "FILE-PLACE")
        else:
            require(not found.files, f"{sorted(found.files)} lie there", "FILE-PLACE")

    for taskid in (
        "../escape",
        "../../escape",
        "/escape",
        "a/../../b",
        "..",
        ".",
        "con",
        "a\\b",
        "图",
        "a b",
        "x" * 200,
        "~root",
        "$HOME",
        "a:b",
        "*",
        "-rf",
        ".hidden",
        "{number}",
        "%2e%2e%2f",
        "a\u202eb",
    ):
        yield Example(f"task id {taskid[:20]!r}", partial(odd, taskid=taskid))

    def unusable(
        subject: ClientUnderTest, make: Callable[[Path], Any], kinds: tuple[type[errors.SeeDreamError], ...]
    ) -> None:
        with tempfile.TemporaryDirectory() as name:
            where = make(Path(name))
            outcome = call(subject, lambda client: client.generate("a fish", output_dir=where), subject.accepted())
            require(not outcome.connections, f"it was sent: {outcome.shown}", "PAY-KNOWN")
            outcome.expect(kinds, rule="PAY-KNOWN", billing="no")
            found = fetch(subject, whole(png()), work=lambda client, folder: client.task(TASK).save(where))
            found.outcome.expect((errors.DiskError, errors.InvalidRequest, errors.ConfigError), rule="FILE-PLACE")

    def a_file(folder: Path) -> Path:
        (folder / "file").write_bytes(b"")
        return folder / "file"

    wrong = (errors.ConfigError, errors.InvalidRequest)
    yield Example("a folder that is a file", partial(unusable, make=a_file, kinds=wrong))
    yield Example("a folder below a file", partial(unusable, make=lambda folder: a_file(folder) / "below", kinds=wrong))
    yield Example("a folder with NUL", partial(unusable, make=lambda folder: f"{folder}/a\0b", kinds=wrong))
    yield Example(
        "a folder of too long a name", partial(unusable, make=lambda folder: folder / ("x" * 5000), kinds=wrong)
    )
    for bad in (5, b"x\0", ["a"], object()):
        yield Example(f"a folder {bad!r:.10}", partial(unusable, make=lambda folder, b=bad: b, kinds=wrong))

    def deep(subject: ClientUnderTest) -> None:
        for convert in (str, Path):
            found = fetch(
                subject,
                whole(png()),
                work=lambda client, folder, c=convert: client.task(TASK).save(c(folder / "a" / "b")),
            )
            (path,) = found.outcome.expect(None, rule="FILE-PLACE")
            require(path.parent == found.folder / "a" / "b", f"it wrote {path}", "FILE-PLACE")

    yield Example("a folder that is not there yet", deep)

    def saves(subject: ClientUnderTest) -> None:
        def work(client: Any, folder: Path) -> Any:
            (picture,) = client.task(TASK).read()
            folder.mkdir(exist_ok=True)
            (folder / "b.jpg").write_bytes(b"old")
            return [picture.save(folder / "a"), picture.save(folder / "b.jpg"), picture.save(str(folder / "c.png"))]

        found = fetch(subject, whole(png()), work=work)
        require(
            found.names == ["a.png", "b.jpg", "c.png"]
            and set(found.files.values()) == {png()}
            and len(found.files) == 3,
            f"{found.names}, {sorted(found.files)}",
            "FILE-PLACE",
        )

    yield Example("a picture in memory is saved", saves)


# --- safety -----------------------------------------------------------------------------------------------------------
_PRIVATE: Final = ("127.0.0.1", "127.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "localhost", "LOCALHOST",  # noqa: S104 -- refused
                   "a.localhost", "localhost.", "[::1]", "[::]", "[fc00::1]", "[fd12::1]", "[fe80::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[::127.0.0.1]", "[ff02::1]", "[2001:db8::1]")  # fmt: skip


def _safety(facts: ApiFacts) -> Iterator[Example]:
    """Of a public service, only https addresses on the public network are fetched, also after a redirect."""

    def run(subject: ClientUnderTest, url: str, status: int | None, safe: bool) -> None:
        asked: list[str] = []

        def handle(request: httpx.Request) -> httpx.Response:
            if request.url.host == "api.example.com":
                data = {
                    "taskid": TASK,
                    "image_status": facts.completed,
                    "url": [url if status is None else "https://img.example.com/1"],
                }
                return httpx.Response(200, json={"code": facts.success, "msg": "", "data": data})
            asked.append(str(request.url))
            require(
                "authorization" not in request.headers and "cookie" not in request.headers,
                f"the key went to {request.url}",
                "KEY-PRIVATE",
            )
            if status is not None and request.url.host == "img.example.com":
                return httpx.Response(status, headers={"location": url})
            return httpx.Response(200, content=png(), headers=_PNG)

        with tempfile.TemporaryDirectory() as folder:
            outcome = call(
                subject,
                lambda client: client.task(TASK).save(folder),
                url="https://api.example.com",
                transport=httpx.MockTransport(handle),
            )
            left = os.listdir(folder)  # noqa: PTH208 -- names only
        if safe:
            outcome.expect(None, rule="URL-SAFE")
            return
        outcome.expect((errors.UnsafeUrl, errors.DownloadError), rule="URL-SAFE", taskid=TASK)
        require(
            not left and len(asked) == (0 if status is None else 1), f"it asked {asked} and wrote {left}", "URL-SAFE"
        )

    for status in (None, 301, 302, 303, 307, 308):
        for host in _PRIVATE if status in (None, 302) else _PRIVATE[:4]:
            yield Example(
                f"https://{host}, {status}", partial(run, url=f"https://{host}/1.png", status=status, safe=False)
            )
        for url in (
            "http://img2.example.com/1.png",
            "ftp://img2.example.com/1",
            "file:///etc/hostname",
            "https://user:pw@img2.example.com/1",
            "https://user@img2.example.com/1",
            "https://img2.example.com:99999/1",
            "javascript:x",
            "data:image/png;base64,AA",
        ):
            yield Example(f"{url}, {status}", partial(run, url=url, status=status, safe=False))
        for url in (
            "https://img2.example.com/1.png",
            "https://img2.example.com:8443/1",
            "https://8.8.8.8/1.png",
            "https://[2606:4700::1]/1",
            "HTTPS://IMG2.EXAMPLE.COM/1",
        ):
            yield Example(f"{url}, {status}", partial(run, url=url, status=status, safe=True))

    def local(subject: ClientUnderTest, url: str, redirected: bool) -> None:
        found = fetch(
            subject,
            ScriptedReply(302, headers={"location": url}) if redirected else whole(png()),
            ["/1"] if redirected else [url],
        )
        kinds = (errors.UnsafeUrl, errors.DownloadError)
        found.outcome.expect(kinds, rule="URL-SAFE", taskid=TASK, billing="yes")
        require(
            not found.files and len(found.asked) == redirected,
            f"it asked {len(found.asked)} times and wrote {sorted(found.files)}",
            "URL-SAFE",
        )

    for url in (
        "file:///etc/hostname",
        "ftp://127.0.0.1/1.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "gopher://127.0.0.1/",
        "http://",
        "http://user:pw@127.0.0.1:1/",
        "http://[::1",
        "http://127.0.0.1:99999/",
    ):
        for redirected in (False, True):
            if len(url) > 7 or not redirected:
                yield Example(
                    f"{url}{', redirected' if redirected else ''}", partial(local, url=url, redirected=redirected)
                )


def _hosts(facts: ApiFacts) -> Iterator[Example]:
    """The image host is told nothing but what is asked for: no key, no cookie, no referer, nothing of the caller's."""

    def run(subject: ClientUnderTest, hops: int, status: int, absolute: bool) -> None:
        def host(sent: Sent) -> ScriptedReply:
            number = int(sent.path.rpartition("/")[2].partition("?")[0])
            if number >= hops:
                return whole(png())
            base = sent.url.partition("/hop")[0] if absolute else ""
            return ScriptedReply(
                status,
                headers={
                    "location": f"{base}/hop/{number + 1}?a=%2B&X-Signature={SIGNATURE}",
                    "set-cookie": "crumb=1; Path=/",
                },
            )

        def work(client: Any, folder: Path) -> Any:
            return client.task(TASK).save(folder)

        found = fetch(subject, host, ["/hop/0"], work=work)
        for sent in found.asked:
            wrong = {header for header, _ in sent.headers} - _NEEDED
            require(
                not wrong and sent.method == "GET" and not sent.body,
                f"{sorted(wrong)} went to {sent.url}",
                "KEY-PRIVATE",
                sent,
            )
            require(KEY not in repr(sent.headers) + sent.url, f"the key went to {sent.url}", "KEY-PRIVATE", sent)
            require(
                sent.header("host") == (sent.url.split("/")[2],), f"Host is {sent.header('host')}", "WIRE-HTTP", sent
            )
            arrived = sent.path == "/hop/0" or sent.path.endswith(f"?a=%2B&X-Signature={SIGNATURE}")
            require(arrived, f"it asked for {sent.path[:20]} without its query", "WIRE-HTTP", sent)
        if hops <= 5:
            found.outcome.expect(None, rule="URL-SAFE")
            require(len(found.asked) == hops + 1, f"it asked {len(found.asked)} times", "URL-SAFE")
        else:
            found.outcome.expect((errors.UnsafeUrl,), rule="URL-SAFE", retryable=False)
            require(len(found.asked) <= 7, f"it asked {len(found.asked)} times", "URL-SAFE")

    for hops, status in itertools.product((0, 1, 2, 5, 6, 30), (301, 302, 303, 307, 308)):
        if hops in (1, 2) or status == 302:
            for absolute in (False, True):
                yield Example(
                    f"{hops} redirects {status}{'' if absolute else ', relative'}",
                    partial(run, hops=hops, status=status, absolute=absolute),
                )

    def shared(subject: ClientUnderTest) -> None:
        crumb = {"set-cookie": "crumb=1; Path=/"}
        with (
            RecordingServer(ScriptedReply(200, png(), {**_PNG, **crumb})) as host,
            tempfile.TemporaryDirectory() as folder,
        ):

            def api(_: Sent) -> ScriptedReply:
                data = {
                    "taskid": TASK,
                    "image_status": facts.completed,
                    "url": [f"{host.url}/1?X-Signature={SIGNATURE}", f"{host.url}/2"],
                }
                return evolve(envelope(facts.success, data), headers={"content-type": "application/json", **crumb})

            def work(client: Any) -> Any:
                for number in range(2):
                    client.generate(f"a fish {number}", batchsize=2, output_dir=Path(folder) / str(number))
                client.delete(TASK)

            outcome = call(subject, work, api, headers={"X-Tenant": "secret-tenant"})
            outcome.expect(None, rule="KEY-PRIVATE")
            for sent in (*outcome.sent, *host.sent):
                require(
                    not sent.header("cookie") and not sent.header("referer"),
                    f"{sent.url} was sent a cookie or a referer",
                    "KEY-PRIVATE",
                    sent,
                )
            require(
                all("secret-tenant" not in repr(sent.headers) for sent in host.sent),
                "the caller's headers went to the image host",
                "KEY-PRIVATE",
            )
            require(
                all(sent.header("x-tenant") for sent in outcome.sent), "the caller's headers are missing", "WIRE-HTTP"
            )
            require(
                all(KEY not in sent.url + repr(sent.headers) for sent in host.sent),
                "the key went to the image host",
                "KEY-PRIVATE",
            )

    yield Example("cookies and headers of the caller", shared)


def _told(facts: ApiFacts) -> Iterator[Example]:
    """What is told of a download is what came: one line of events for each picture, in order."""
    del facts
    body = png(300, 300)

    def run(subject: ClientUnderTest, stated: bool) -> None:
        events: list[Any] = []
        reply = whole(body) if stated else ScriptedReply(wire=b"HTTP/1.1 200 OK\r\n\r\n" + body)
        found = fetch(subject, reply, ["/1", "/2", "/3"], progress=events.append, concurrency=2)
        found.outcome.expect(None, rule="SERVER-PICTURES")
        for index in range(3):
            mine = [event for event in events if event.stage in ("downloading", "saved") and event.index == index]
            counts = [event.received for event in mine]
            require(
                mine and mine[-1].stage == "saved" and counts == sorted(counts) and counts[-1] == len(body),
                f"picture {index + 1}: {counts}",
                "SERVER-PICTURES",
            )
            require(
                all(event.total == 3 and event.taskid == TASK for event in mine),
                f"picture {index + 1}: {mine[-1]}",
                "SERVER-PICTURES",
            )
            require(
                all(event.size in ((len(body),) if stated else (None, len(body))) for event in mine),
                f"picture {index + 1}: sizes",
                "SERVER-PICTURES",
            )

    for stated in (True, False):
        yield Example(f"three pictures, {'a' if stated else 'no'} stated length", partial(run, stated=stated))


RELATIONS: Final = (
    ClientRelation(
        "picture.whole",
        "FILE-TYPE",
        "Each picture is saved as it came, in every framing, under the extension that belongs to its bytes.",
        _pictures,
    ),
    ClientRelation(
        "picture.failure",
        "FILE-WHOLE",
        "What is no whole picture leaves no file; it is asked for again where that can help, and the error says what is missing.",
        _failures,
    ),
    ClientRelation(
        "picture.limit",
        "FILE-WHOLE",
        "A picture has at most so many bytes, whether its length is stated or not, and packed or not.",
        _limits,
    ),
    ClientRelation(
        "picture.resume",
        "FILE-WHOLE",
        "After a break the rest is asked for where the host allows it; another picture's rest is never spliced in.",
        _resumes,
    ),
    ClientRelation(
        "picture.expired",
        "SERVER-PICTURES",
        "An address that has expired is replaced by the one of a new query, twice at most.",
        _expired,
    ),
    ClientRelation(
        "picture.several",
        "SERVER-PICTURES",
        "The n-th address is the n-th picture, however many there are, are missing, or fail.",
        _several,
    ),
    ClientRelation(
        "picture.file",
        "FILE-WHOLE",
        "A file is whole or not there: a whole one is kept, anything else is replaced at once by the whole one.",
        _files,
    ),
    ClientRelation(
        "picture.place",
        "FILE-PLACE",
        "Files are named by the template, in the folder that was named; an unusable folder is refused before it costs anything.",
        _places,
    ),
    ClientRelation(
        "picture.safety",
        "URL-SAFE",
        "Only web addresses are fetched, of a public service only encrypted ones on the public network, also after a redirect.",
        _safety,
    ),
    ClientRelation(
        "picture.host",
        "KEY-PRIVATE",
        "The image host is told nothing but what is asked for, also after a redirect.",
        _hosts,
    ),
    ClientRelation("picture.progress", "SERVER-PICTURES", "What is told of a download is what came.", _told),
)
