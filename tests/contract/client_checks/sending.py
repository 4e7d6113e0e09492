"""What a client sends: each value of each field, each way to give a text or a file, and the headers."""

import io
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
from contract.client_checks.relation import ClientRelation, Example, Outcome, call, check_error, require, submits
from contract.client_checks.under_test import KEY, TASK, ClientUnderTest
from contract.recording_server import ScriptedReply, envelope
from PIL import Image
from seedream import Resolution, errors
from seedream_testing.contract.api_facts import ApiFacts, Part
from seedream_testing.contract.decode import boundary, decode
from seedream_testing.contract.relations.texts import CHANGES
from seedream_testing.contract.samples import jpeg, png, webp
from seedream_testing.contract.violation import Sent

_PUBLIC: Final = "https://api.example.com"
_WIRE: Final = {"image_url": "imageUrl", "source_images": "sourceImage"}
_RULE: Final = {"image_url": "IMAGE-URL", "source_images": "SOURCE-IMAGE", "batchsize": "BATCH-RANGE",
                "resolution": "RES-FORMAT", "category": "CATEGORY-DEFAULT", "prompt": "PROMPT-REQUIRED"}  # fmt: skip


def _parts(outcome: Outcome, rule: str) -> tuple[Part, ...]:
    outcome.expect(None, rule=rule, requests=1)
    return decode(outcome.sent[0])


def _contents(parts: Sequence[Part]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for part in parts:
        found.setdefault(part.name, []).append(part.content)
    return found


def arrives(name: str, options: dict[str, Any], meant: dict[str, list[bytes]], rule: str) -> Example:
    """Return an example of a submission that is sent once, with exactly these contents."""

    def run(subject: ClientUnderTest) -> None:
        outcome = call(subject, submits(**options), subject.accepted())
        found = _contents(_parts(outcome, rule))
        wanted = {"prompt": [b"a fish"], **meant}
        require(found == wanted, f"{str(found)[:300]} arrived, not {str(wanted)[:300]}", rule, outcome.sent[0])

    return Example(name, run)


def refused(name: str, options: dict[str, Any], field: str, *rules: str) -> Example:
    """Return an example of a submission that is refused before a byte leaves; the error names field and rule."""

    def run(subject: ClientUnderTest) -> None:
        for method in ("submit", "generate") if sum(map(ord, name)) % 5 == 0 else ("submit",):
            outcome = call(subject, lambda client, m=method: getattr(client, m)(**{"prompt": "a fish", **options}),
                           subject.accepted())  # fmt: skip
            rule = rules[0] if rules else "WIRE-EXACT"
            require(not outcome.connections, f"{method}: it was sent, and gave {outcome.shown}", rule)
            kind = errors.InvalidRequest
            require(isinstance(outcome.error, kind), f"{method} gave {outcome.shown}, not InvalidRequest", rule)
            problems = getattr(outcome.error, "problems", ())
            named = [(one.field, one.rule) for one in problems]
            fits = any(one == field and (not rules or said in rules) for one, said in named)
            require(fits, f"{method}: the error names {named}, not {field} and {rules}", rule)
            require(
                all(one.hint and one.message for one in problems), f"{method}: {outcome.error!r} gives no hint", rule
            )
            require(
                outcome.error is not None and (outcome.error.billing, outcome.error.retryable) == ("no", False),
                f"{outcome.error!r} is billed",
                "PAY-KNOWN",
            )

    return Example(name, run)


def either(name: str, options: dict[str, Any], meant: dict[str, list[bytes]], rule: str) -> Example:
    """Return an example that is refused before a byte leaves, or arrives with exactly these contents."""

    def run(subject: ClientUnderTest) -> None:
        outcome = call(subject, submits(**options), subject.accepted())
        if isinstance(outcome.error, errors.InvalidRequest):
            require(not outcome.connections, "it was refused after it was sent", rule)
            return
        found = _contents(_parts(outcome, rule))
        require(found == {"prompt": [b"a fish"], **meant}, f"{found} arrived, not {meant}", rule, outcome.sent[0])

    return Example(name, run)


# --- batchsize --------------------------------------------------------------------------------------------------------
class _Two(IntEnum):
    TWO = 2

    def __str__(self) -> str:
        return "two"


class _Index:
    def __index__(self) -> int:
        return 2


def _numbers(facts: ApiFacts) -> Iterator[Example]:
    spec = next(one for one in facts.fields if one.name == "batchsize")
    low, high = int(spec.minimum or 1), int(spec.maximum or 15)
    send = partial(dict[str, Any], prompt="a fish")
    for number in range(low, high + 1):
        yield arrives(f"batchsize {number}", send(batchsize=number), {"batchsize": [b"%d" % number]}, "BATCH-RANGE")
    for value in (_Two.TWO, _Index()):
        yield either(
            f"batchsize as {type(value).__name__}", send(batchsize=value), {"batchsize": [b"2"]}, "BATCH-RANGE"
        )
    words = {low - 1, low - 2, high + 1, high + 2, 2 * high, 10 * high, 100 * high, 10**6, 10**100, 10**4000}
    words |= {
        sign * 2**bits + number
        for bits in (7, 8, 15, 16, 31, 32, 63, 64)
        for sign in (1, -1)
        for number in (0, low, high)
    }
    for number in sorted(number for number in words if not low <= number <= high):
        yield refused(f"batchsize {number:.3g}" if number < 10**300 else "batchsize 10**4000", send(batchsize=number),
                      "batchsize", "BATCH-RANGE")  # fmt: skip
    for bad in (
        1.5,
        2.0,
        0.0,
        float("nan"),
        float("inf"),
        True,
        False,
        "",
        "two",
        b"2",
        [2],
        (2,),
        {"n": 2},
        2j,
        object(),
    ):
        yield refused(f"batchsize {bad!r:.20}", send(batchsize=bad), "batchsize", "BATCH-RANGE")
    for typed in ("2", " 2 ", "+2", "02"):
        yield either(f"batchsize {typed!r}", send(batchsize=typed), {"batchsize": [b"2"]}, "BATCH-RANGE")


# --- resolution -------------------------------------------------------------------------------------------------------
_WIDTHS: Final = (1, 2, 3, 16, 87, 217, 640, 999, 1000, 1024, 1080, 1229, 1440, 1500, 1728, 1920, 2048, 2304, 2496, 2560, 3040, 3750,
                  3840, 4096, 5504, 8192, 10_000, 65_535, 65_536, 99_999, 1_000_000)  # fmt: skip


def _resolutions(facts: ApiFacts) -> Iterator[Example]:
    for value in (*facts.ratios, *facts.tiers):
        meant = {"resolution": [value.encode()]}
        yield arrives(f"resolution {value}", {"resolution": value}, meant, "RES-RATIO" if ":" in value else "RES-TIER")
        yield arrives(f"Resolution({value})", {"resolution": Resolution(value)}, meant, "RES-FORMAT")
        for typed in _typings(value):
            yield either(f"resolution {typed!r}", {"resolution": typed}, meant, "RES-FORMAT")
    for width in _WIDTHS:
        low, high = -(-facts.least_pixels // width), facts.most_pixels // width
        for height, legal in (
            (low, True),
            (high, True),
            (low - 1, False),
            (high + 1, False),
            ((low + high) // 2, True),
        ):
            if height < 1:
                continue
            for size in dict.fromkeys((f"{width}x{height}", f"{height}x{width}")):
                if legal and low <= high:
                    yield arrives(f"size {size}", {"resolution": size}, {"resolution": [size.encode()]}, "RES-PIXELS")
                elif not facts.least_pixels <= width * height <= facts.most_pixels:
                    yield refused(f"size {size}", {"resolution": size}, "resolution", "RES-PIXELS")
    for size in ("2048x2048", "2560x1440", "3750x1250"):
        for typed in _typings(size):
            yield either(f"resolution {typed!r}", {"resolution": typed}, {"resolution": [size.encode()]}, "RES-FORMAT")
    for across, down in itertools.product((0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 15, 16, 21, 32), repeat=2):
        if (ratio := f"{across}:{down}") not in facts.ratios:
            yield refused(f"ratio {ratio}", {"resolution": ratio}, "resolution", "RES-RATIO", "RES-FORMAT")
    for tier in (
        "0K",
        "1K",
        "3K",
        "5K",
        "6K",
        "8K",
        "10K",
        "16K",
        "20K",
        "22K",
        "24K",
        "42K",
        "44K",
        "2M",
        "4k4K",
        "K",
        "2",
        "4",
        "HD",
        "UHD",
    ):
        if tier not in facts.tiers:
            yield refused(f"tier {tier}", {"resolution": tier}, "resolution", "RES-TIER", "RES-FORMAT")
    for bad in ("", " ", "auto", "None", "2048", "2048x", "x2048", "2048x2048x2048", "2048*2048", "2048,2048", "2048 2048", "-2048x-2048",
                "2048x-2048", "2048.0x2048.0", "2e3x2e3", "0x800x0x800", "2048px", "16:9:16", "16/9", ":", "x", "9" * 5000, "0x0", "1x0",
                "2048x2048; DROP", 2048, 2.0, (2048, 2048), [2048, 2048], b"2K", True, {"w": 1}):  # fmt: skip
        yield refused(f"resolution {bad!r:.30}", {"resolution": bad}, "resolution")


def _typings(value: str) -> Iterator[str]:
    """Yield other ways to type a resolution; each means the same, or nothing."""
    full = str.maketrans("0123456789:x", "０１２３４５６７８９：×")
    yield from (f" {value}", f"{value} ", f"\t{value}\n", value.lower(), value.upper(), value.translate(full))
    yield from (
        value.replace("x", "×"),
        value.replace("x", "X"),
        value.replace("x", " x "),
        value.replace(":", " : "),
        f"\u3000{value}\ufeff",
    )


# --- text -------------------------------------------------------------------------------------------------------------
def _texts(facts: ApiFacts) -> Iterator[Example]:
    """Every text that a transformation would change, in each field that takes text, at once."""
    del facts
    for number, change in enumerate(CHANGES):
        for given in change.texts:
            if given.strip():
                given_to_all = {
                    "prompt": given,
                    "category": given,
                    "image_url": given,
                    "allow_unrecognized_sources": True,
                }
                meant = {name: [given.encode()] for name in ("prompt", "category", "imageUrl")}
                if number % 7:  # most fields are treated alike: the others are asked in some of the examples
                    given_to_all, meant = {"prompt": given}, {"prompt": [given.encode()]}
                yield arrives(f"whether {change.name}", given_to_all, meant, "PROMPT-REQUIRED")
    for name in ("prompt", "category", "image_url"):
        for given in _TEXTS:
            options = {name: given, "allow_unrecognized_sources": True}
            yield arrives(f"{name} {given[:20]!r}", options, {_WIRE.get(name, name): [given.encode()]}, _RULE[name])
    for given in ("", " ", "\n", "\t \r\n", "\u3000", "\u00a0\u2003"):
        yield refused(f"prompt {given!r}", {"prompt": given}, "prompt", "PROMPT-REQUIRED")
    for bad in (None, 5, 1.5, True, b"a fish", ["a fish"], ("a", "b"), {"a": 1}, object()):
        yield refused(f"prompt {bad!r:.20}", {"prompt": bad}, "prompt", "PROMPT-REQUIRED")
    for name in ("category", "image_url"):
        for bad in (5, 1.5, True, b"text", ["text"], {"a": 1}):
            yield refused(f"{name} {bad!r:.20}", {name: bad}, name)
    for name in ("prompt", "category", "image_url"):
        for bad in ("\ud800", "a\udc00b", "\udfff\ud83d"):
            yield refused(f"{name} with a lone surrogate", {name: bad}, name)


_TEXTS: Final = ("x", "灯", "0", "None", "null", "false", "[]", '"', "'", "\\", "%", "&", "a=b&c=d", "  a  ", "\ta", "a\r\nb\rc\nd\n", "e\u0301 é Å ﬁ ２",
                 "👩\u200d🚀🏽", "a\u202eb\u200f", "\ufeffa", "a\0b", "--", "\r\n--", "--\r\n", "a; filename=b", "<b>&amp;</b>", "%41+b%20c", "\\n\\u706f", "a" * 3001,
                 "雾" * 12_000, "x" * 100_001, " b " * 2000, "\n" * 50 + "a")  # fmt: skip


def _urls(facts: ApiFacts) -> Iterator[Example]:
    del facts
    for url in ("https://example.com/1.png", "http://example.com/1.png", "HTTPS://EXAMPLE.COM/A.PNG", "https://example.com", "https://example.com:8443/a",
                "https://example.com/a%20b?x=1&y=%2F&x=2#f", "https://example.com/%E5%9B%BE", "https://example.com/图.png", "https://bücher.example/a", "https://[2001:db8::1]/a",
                "https://127.0.0.1/a", "https://example.com/a;b=c,d/../e//f", "https://example.com/?X-Signature=a%2Bb%3D", "https://user@example.com/a",
                f"https://example.com/{'a' * 3000}"):  # fmt: skip
        meant = {"imageUrl": [url.encode()]}
        yield arrives(f"image_url {url[:60]}", {"image_url": url}, meant, "IMAGE-URL")
        if url.lower().startswith("http"):
            yield arrives(f"a source image {url[:60]}", {"source_images": url}, meant, "IMAGE-URL")
            files = {"sourceImage": [png()], **meant}
            yield arrives(
                f"a source image {url[:40]} beside a file", {"source_images": [png(), url]}, files, "IMAGE-URL"
            )
    for bad in ("", " ", "example.com/a.png", "/a.png", "a.png", "ftp://example.com/a", "file:///etc/passwd", "data:image/png;base64,AAAA", "https://", "https:///a",
                "https://example.com:0/a", "https://example.com:99999/a", "javascript:alert(1)", " https://example.com/a", "https://example.com/a\n", "https://exa\tmple.com/"):  # fmt: skip
        yield refused(f"image_url {bad!r}", {"image_url": bad}, "image_url", "IMAGE-URL")
    yield refused(
        "two URLs", {"source_images": ["https://a.example/1", "https://a.example/2"]}, "source_images", "IMAGE-URL"
    )
    twice = {"source_images": ["https://a.example/1"], "image_url": "https://a.example/2"}
    yield refused("a URL as source image and as image_url", twice, "image_url", "IMAGE-URL")


# --- source images ----------------------------------------------------------------------------------------------------
_HEADS: Final = {"image/png": png(), "image/jpeg": jpeg(), "image/webp": webp(), "image/gif": b"GIF89a\x01\0\x01\0\0\0\0;", "image/bmp": b"BM" + b"\0" * 60,
                 "image/tiff": b"II*\0\x08\0\0\0" + b"\0" * 30, "image/avif": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "image/heic": b"\0\0\0\x18ftypheic\0\0\0\0heicmif1"}  # fmt: skip
_EXTENSIONS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "image/bmp": "bmp", "image/tiff": "tif tiff",
                      "image/avif": "avif", "image/heic": "heic"}  # fmt: skip


def _files_of(outcome: Outcome) -> list[Part]:
    parts = _parts(outcome, "SOURCE-IMAGE")
    files = [part for part in parts if part.name == "sourceImage"]
    texts = [part for part in parts if part.name != "sourceImage"]
    whole = [(part.name, part.content) for part in texts] == [("prompt", b"a fish")]
    require(whole and all(part.filename for part in files), f"{parts} arrived", "SOURCE-IMAGE", outcome.sent[0])
    return files


def _given(name: str, make: Callable[[Path], Any], *meant: bytes, **options: Any) -> Example:
    """Return an example of source images; ``make`` gives them, in a folder of its own."""

    def run(subject: ClientUnderTest) -> None:
        with tempfile.TemporaryDirectory() as folder:
            given = make(Path(folder))
            outcome = call(subject, submits(source_images=given, **options), subject.accepted())
            found = [part.content for part in _files_of(outcome)]
        require(
            tuple(found) == meant,
            f"{[one[:20] for one in found]} arrived, not {[one[:20] for one in meant]}",
            "SOURCE-IMAGE",
            outcome.sent[0],
        )

    return Example(name, run)


class Slow:
    """An open file that gives a few bytes at a time."""

    def __init__(self, content: bytes, size: int = 7) -> None:
        self._file, self._size = io.BytesIO(content), size

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(self._size, size) if size >= 0 else -1)


class Named:
    """An open file with any name; its read takes no size."""

    def __init__(self, content: bytes, name: object) -> None:
        self.content, self.name = content, name

    def read(self) -> bytes:
        return self.content


def _written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


def _ways(facts: ApiFacts) -> Iterator[Example]:
    """Each way to give a file, and each number of them."""
    del facts
    one, two, three = png(), jpeg(), png(shade=9)
    yield _given("bytes", lambda _: one, one)
    yield _given("a bytearray", lambda _: bytearray(one), one)
    yield _given("a memoryview", lambda _: memoryview(b"xx" + one)[2:], one)
    yield _given("an open file", lambda _: io.BytesIO(one), one)
    yield _given("a file that reads a few bytes at a time", lambda _: Slow(one), one)
    yield _given("a file whose read takes no size", lambda _: Named(one, "a.png"), one)
    yield _given("a path", lambda folder: _written(folder, "a.png", one), one)
    yield _given("a path as text", lambda folder: str(_written(folder, "a.png", one)), one)
    yield _given(
        "a path written just now", lambda folder: (folder / "new.png").write_bytes(one) and folder / "new.png", one
    )
    yield _given("a file on disk, open", lambda folder: _written(folder, "a.png", one).open("rb"), one)
    for kind in (list, tuple, iter, lambda given: (item for item in given), lambda given: dict.fromkeys(given).keys()):
        yield _given("several in another collection", lambda _, k=kind: k([one, two, three]), one, two, three)
    yield _given(
        "one of each way", lambda folder: [_written(folder, "a.png", one), two, io.BytesIO(three)], one, two, three
    )
    for count in (1, 2, 3, 10, 15, 16, 40):
        many = [png(shade=number) for number in range(count)]
        yield _given(f"{count} files", lambda _, m=many: m, *many)
    yield _given("the same bytes twice", lambda _: [one, one], one, one)
    yield _given("the same path twice", lambda folder: [_written(folder, "a.png", one)] * 2, one, one)
    yield _given("equal sizes", lambda _: [two, jpeg(1), jpeg(2), two], two, jpeg(1), jpeg(2), two)
    for size in (64, 4095, 4096, 4097, 65_535, 65_536, 65_537, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20 + 5):
        big = (two + os.urandom(1) * size)[:size]
        yield _given(f"{size:,} bytes", lambda _, b=big: b, big)
        yield _given(f"{size:,} bytes on disk", lambda folder, b=big: [_written(folder, "b.jpg", b), png()], big, png())
    for tail in (
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"--",
        b"\r\n--",
        bytes(range(256)),
        b"\xff" * 3,
        b" ",
        b"\r\n\r\n--+++--\r\n",
    ):
        yield _given(f"bytes that end in {tail[:6]!r}", lambda _, t=tail: [two + t, png()], two + tail, png())
    yield Example("a Pillow image", _pillow)
    odd = b"no picture at all"
    yield _given("no picture, allowed", lambda _: [odd], odd, allow_unrecognized_sources=True)
    yield _given("an empty collection", lambda _: [])


def _pillow(subject: ClientUnderTest) -> None:
    image = Image.new("RGB", (33, 21), (10, 200, 30))
    outcome = call(subject, submits(source_images=[image, png()]), subject.accepted())
    first, second = _files_of(outcome)
    again = Image.open(io.BytesIO(first.content))
    same = again.format == "PNG" and again.size == image.size and again.convert("RGB").tobytes() == image.tobytes()
    require(same and second.content == png(), "a Pillow image arrived as another", "SOURCE-IMAGE", outcome.sent[0])


def _bad_ways(facts: ApiFacts) -> Iterator[Example]:
    """What is no source image, is refused."""
    del facts

    class Broken:
        def read(self, size: int = -1) -> bytes:
            raise OSError(f"cannot read {size}")

    class Text:
        def read(self, size: int = -1) -> str:
            return f"text{size}"

    for name, bad in {"no bytes": b"", "an empty file": io.BytesIO(), "no picture": b"plain text", "an error page": b"<html>not found</html>", "a number": 5,
                      "a truth value": True, "a mapping": {"a": png()}, "a list with a number": [png(), 5], "None among them": [png(), None], "a missing path": "/nowhere/at/all.png",
                      "a directory": tempfile.gettempdir(), "a path with NUL": "a\0b.png", "a file that breaks": Broken(), "a file of text": Text(), "an ftp URL": "ftp://a.example/1.png",
                      "one good and one bad": [png(), b"text"], "a nested list": [[png()]], "a collection without an end": itertools.repeat(png())}.items():  # fmt: skip
        yield refused(f"source image: {name}", {"source_images": bad}, "source_images", "SOURCE-IMAGE")
    for empty in (b"", bytearray()):
        options = {"source_images": [png(), empty], "allow_unrecognized_sources": True}
        yield refused(f"an empty {type(empty).__name__}, anything allowed", options, "source_images", "SOURCE-IMAGE")


def _kinds(facts: ApiFacts) -> Iterator[Example]:
    """The bytes decide the media type and the extension, the name keeps its stem."""
    del facts

    def run(subject: ClientUnderTest, content: bytes, name: object, stem: str | None, media_type: str) -> None:
        given = Named(content, name)
        outcome = call(subject, submits(source_images=[given], allow_unrecognized_sources=True), subject.accepted())
        (part,) = _files_of(outcome)
        filename = part.filename or ""
        found, _, extension = filename.rpartition(".")
        good = (
            part.content == content
            and part.media_type == media_type
            and extension in (_EXTENSIONS.get(media_type, "bin")).split()
        )
        require(good, f"{name!r} arrived as {filename!r}, {part.media_type}", "SOURCE-IMAGE", outcome.sent[0])
        plain = filename.isascii() and set(filename) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
        )
        require(
            plain and len(filename) <= 255 and found.strip("."),
            f"{name!r} arrived as {filename!r}",
            "SOURCE-IMAGE",
            outcome.sent[0],
        )
        require(stem is None or found == stem, f"{name!r} arrived as {filename!r}", "SOURCE-IMAGE", outcome.sent[0])

    for media_type, content in _HEADS.items():
        for name in ("lighthouse.png", "lighthouse.txt", "lighthouse", "/tmp/lighthouse.jpeg"):  # noqa: S108 -- a name only
            yield Example(
                f"{media_type} called {name}",
                partial(run, content=content, name=name, stem="lighthouse", media_type=media_type),
            )
    yield Example(
        "unknown bytes", partial(run, content=b"unknown", name="a.png", stem="a", media_type="application/octet-stream")
    )
    odd: tuple[Any, ...] = (
        "",
        None,
        5,
        b"a.png",
        ".",
        "..",
        "...",
        "/",
        "a/",
        "../../etc/passwd",
        "..\\..\\a.png",
        "C:\\a.png",
        'a".png',
        "a'.png",
        "a\r\nX-Evil: 1.png",
        "a\nb.png",
        "a\0b.png",
        "a;b=c.png",
        "图.png",
        "灯塔",
        "é.png",
        "🌫.png",
        "\ud800.png",
        "a b.png",
        " a.png ",
        "a%22.png",
        "%0d%0a.png",
        "<fdopen>",
        "-",
        "a" * 300 + ".png",
        ".hidden.png",
        "con.png",
        "a?b*c|d.png",
        "a.tar.gz",
        "a\u202eb.png",
        "name=prompt.png",
    )
    for called in odd:  # fmt: skip
        yield Example(
            f"a file called {called!r:.30}", partial(run, content=png(), name=called, stem=None, media_type="image/png")
        )
    for stem in ("lighthouse-1", "a_b", "Photo.2026.11", "x", "0"):
        yield Example(
            f"a file called {stem}", partial(run, content=png(), name=f"{stem}.jpg", stem=stem, media_type="image/png")
        )


def _changed_files(facts: ApiFacts) -> Iterator[Example]:
    """A file that is changed between two attempts is never sent whole; a repeated submission has the same bytes."""
    del facts

    def changed(subject: ClientUnderTest, change: Callable[[Path], object]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = _written(Path(folder), "a.png", png(64, 64))
            answers = [ScriptedReply(429), subject.accepted()]

            def script(sent: Sent) -> ScriptedReply:
                del sent
                if len(answers) > 1:
                    change(path)
                return answers.pop(0)

            outcome = call(subject, submits(source_images=[path]), script)
        require(
            len(outcome.sent) == 1 and outcome.error is not None,
            f"a changed file was sent: {outcome.shown}",
            "SOURCE-IMAGE",
        )

    for name, change in {
        "other bytes": lambda path: path.write_bytes(png(64, 64, shade=5)), "cut": lambda path: path.write_bytes(png()),
        "longer": lambda path: path.write_bytes(png(64, 64) + b"more"), "deleted": lambda path: path.unlink(),
    }.items():  # fmt: skip
        yield Example(f"a file is {name} between two attempts", partial(changed, change=change))

    def unseen(subject: ClientUnderTest) -> None:
        """A file that was written a moment ago is changed to other bytes of the same size, and its time is set back."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "a.png"
            path.write_bytes(png(64, 64))
            now = int(time.time()) + 1  # a whole second, as FAT keeps it, which is not over soon
            os.utime(path, (now, now))
            answers = [ScriptedReply(429), subject.accepted()]

            def script(_: Sent) -> ScriptedReply:
                if len(answers) > 1:
                    with path.open("r+b") as file:
                        file.seek(-10, os.SEEK_END)
                        file.write(b"0123456789")
                    os.utime(path, (now, now))
                return answers.pop(0)

            outcome = call(subject, submits(source_images=[path]), script)
        require(
            len(outcome.sent) == 1 and outcome.error is not None,
            f"a changed file was sent: {outcome.shown}",
            "SOURCE-IMAGE",
        )

    yield Example("a new file is changed within its second", unseen)

    def same(subject: ClientUnderTest, options: dict[str, Any], tries: int) -> None:
        answers = [*[ScriptedReply(429)] * tries, subject.accepted()]
        with tempfile.TemporaryDirectory() as folder:
            given = {name: value(Path(folder)) if callable(value) else value for name, value in options.items()}
            outcome = call(subject, submits(**given), lambda _: answers.pop(0))
        outcome.expect(None, rule="WIRE-EXACT", requests=tries + 1)
        forms = [_contents(decode(sent)) for sent in outcome.sent]
        require(
            all(form == forms[0] for form in forms),
            "another form was sent the next time",
            "WIRE-EXACT",
            outcome.sent[-1],
        )
        require(
            all(len(sent.body) == int(sent.header("content-length")[0]) for sent in outcome.sent),
            "a body is not whole",
            "WIRE-EXACT",
        )

    big = jpeg() + b"x" * 300_000
    retried: dict[str, dict[str, Any]] = {"text": {"batchsize": 2, "category": "c"}, "bytes": {"source_images": [png(), big]}, "an open file": {"source_images": io.BytesIO(big)},
                          "an iterator": {"source_images": iter([png(), big])}, "a path": {"source_images": lambda folder: _written(folder, "a.jpg", big)},
                          "everything": {"resolution": "2K", "image_url": "https://example.com/1", "source_images": [png()]}}  # fmt: skip
    for name, options in retried.items():
        yield Example(f"sent again: {name}", partial(same, options=options, tries=2 if name == "text" else 1))


# --- combinations and names -------------------------------------------------------------------------------------------
def _combinations(facts: ApiFacts) -> Iterator[Example]:
    """Every combination of fields arrives, each value once, and nothing that was not given."""
    del facts
    values: dict[str, tuple[Any, list[bytes]]] = {"batchsize": (3, [b"3"]), "resolution": ("16:9", [b"16:9"]), "category": ("c", [b"c"]),
        "image_url": ("https://example.com/1.png?a=b", [b"https://example.com/1.png?a=b"]), "source_images": ([png(), jpeg()], [png(), jpeg()])}  # fmt: skip
    for count in range(len(values) + 1):
        for names in itertools.combinations(values, count):
            options = {name: values[name][0] for name in names}
            meant = {_WIRE.get(name, name): values[name][1] for name in names}
            yield arrives(f"only {', '.join(names) or 'a prompt'}", options, meant, "WIRE-EXACT")
            rest = dict.fromkeys(name for name in values if name not in names)
            yield arrives(f"{', '.join(names) or 'a prompt'}, the rest None", {**options, **rest}, meant, "WIRE-EXACT")
    default = {"batchsize": 1, "resolution": "2K", "category": "seedreamv45"}
    for name, value in default.items():
        yield arrives(f"the default of {name}, said so", {name: value}, {name: [str(value).encode()]}, "WIRE-EXACT")
    for name in (
        "n",
        "size",
        "image",
        "images",
        "seed",
        "sourceImage",
        "imageUrl",
        "Prompt",
        "batch_size",
        "width",
        "model",
        "nonsense",
    ):
        yield refused(f"an option called {name}", {name: 1}, name)


def _forms(facts: ApiFacts) -> Iterator[Example]:
    """The form is well-formed, its boundary is new each time and in none of its parts."""

    def run(subject: ClientUnderTest) -> None:
        seen = set[str]()
        for _ in range(30):
            outcome = call(subject, submits(source_images=[png()]), subject.accepted())
            _parts(outcome, "WIRE-BOUNDARY")
            seen.add(boundary(outcome.sent[0]))
        require(len(seen) == 30, f"a boundary was used again: {sorted(seen)[:3]}", "WIRE-BOUNDARY")
        alike = min(map(len, seen)) - sum(len(set(signs)) > 1 for signs in zip(*seen, strict=False))
        require(min(map(len, seen)) - alike >= 16, "boundaries can be guessed", "WIRE-BOUNDARY")

    yield Example("30 forms have 30 boundaries", run)

    def heads(subject: ClientUnderTest) -> None:
        outcome = call(
            subject,
            submits(batchsize=1, source_images=[png(), jpeg()], image_url="https://a.example/1"),
            subject.accepted(),
        )
        for part in _parts(outcome, "WIRE-BOUNDARY"):
            good = set(part.headers) <= {"content-disposition", "content-type"} and len(set(part.headers)) == len(
                part.headers
            )
            require(good, f"part {part.name} has the headers {part.headers}", "WIRE-BOUNDARY", outcome.sent[0])
            kind = part.media_type or "text/plain"
            require(
                (part.filename is None) == (part.name != "sourceImage"),
                f"part {part.name} has a file name",
                "WIRE-EXACT",
                outcome.sent[0],
            )
            require(
                part.filename is not None or kind.startswith("text/plain"),
                f"part {part.name} is {kind}",
                "WIRE-HTTP",
                outcome.sent[0],
            )

    yield Example("heads of parts", heads)
    del facts


# --- headers ----------------------------------------------------------------------------------------------------------
_JSON: Final = {"content-type": "application/json"}
_USUAL: Final = {
    "host",
    "accept",
    "accept-encoding",
    "user-agent",
    "connection",
    "content-type",
    "content-length",
    "authorization",
}


def operations(facts: ApiFacts) -> dict[str, tuple[str, Callable[[Any], Any], ScriptedReply]]:
    """Each operation: its path, what calls it, and a good reply."""
    state = envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, "url": ["https://i.example/1"]})
    done = envelope(facts.success, {"status": "Success"})
    made = envelope(facts.success, {"taskid": TASK})
    return {
        "submit": (facts.submit, submits(), made), "submit with files": (facts.submit, submits(source_images=[png()]), made),
        "query": (facts.query, lambda client: client.query(TASK), state), "wait": (facts.query, lambda client: client.task(TASK).wait(timeout=5), state),
        "delete": (facts.delete, lambda client: client.delete(TASK), done),
    }  # fmt: skip


def check_request(facts: ApiFacts, sent: Sent, path: str, key: str = KEY, more: dict[str, str] | None = None) -> None:
    """Whether a request to the API has method, path and headers of its operation, and the key once, in its place.

    Raises:
        Violation: It has not.
    """
    require(
        (sent.method, sent.path) == ("POST", path),
        f"it sent {sent.method} {sent.path}, not POST {path}",
        "WIRE-HTTP",
        sent,
    )
    name = facts.auth_header.lower()
    require(sent.header(name), f"there is no header {name}", "AUTH-KEY", sent)
    require(
        sent.header(name) == (f"{facts.auth_scheme} {key}",),
        f"header {name} is not one “{facts.auth_scheme} KEY”",
        "AUTH-HEADER",
        sent,
    )
    elsewhere = [header for header, value in sent.headers if key in value and header != name]
    require(
        not elsewhere and key not in sent.url and key.encode() not in sent.body,
        f"the key is also elsewhere {elsewhere}",
        "KEY-PRIVATE",
        sent,
    )
    names = [header for header, _ in sent.headers]
    extra = set(names) - _USUAL - {header.lower() for header in more or {}}
    require(not extra and len(set(names)) == len(names), f"it sent the headers {sorted(names)}", "WIRE-HTTP", sent)
    kind = "multipart/form-data; boundary=" if path == facts.submit else "application/json"
    require(
        sent.header("content-type") and sent.header("content-type")[0].startswith(kind),
        f"Content-Type is {sent.header('content-type')}",
        "WIRE-HTTP",
        sent,
    )
    require(sent.header("host") == (sent.url.split("/")[2],), f"Host is {sent.header('host')}", "WIRE-HTTP", sent)
    require(
        sent.header("content-length") == (str(len(sent.body)),),
        f"Content-Length is {sent.header('content-length')}",
        "WIRE-HTTP",
        sent,
    )
    for header, value in (more or {}).items():
        require(
            sent.header(header) == (value,), f"the caller's header {header} is {sent.header(header)}", "WIRE-HTTP", sent
        )
    if path != facts.submit:
        json.loads(sent.body)


def _headers(facts: ApiFacts) -> Iterator[Example]:
    def run(
        subject: ClientUnderTest,
        work: Any,
        path: str,
        reply: ScriptedReply,
        key: str,
        sent_key: str,
        options: dict[str, Any],
    ) -> None:
        outcome = call(subject, work, reply, key=key, **options)
        outcome.expect(None, rule="AUTH-KEY", requests=1)
        check_request(subject.facts, outcome.sent[0], path, sent_key, options.get("headers"))

    printable = "sk-" + "".join(map(chr, range(0x21, 0x7F)))
    for name, (path, work, reply) in operations(facts).items():
        go = partial(run, work=work, path=path, reply=reply)
        yield Example(f"{name}: the headers", partial(go, key=KEY, sent_key=KEY, options={}))
        yield Example(f"{name}: a key of all signs", partial(go, key=printable, sent_key=printable, options={}))
        yield Example(f"{name}: blanks around the key", partial(go, key=f" {KEY}\n", sent_key=KEY, options={}))
        yield Example(
            f"{name}: headers of the caller",
            partial(
                go,
                key=KEY,
                sent_key=KEY,
                options={"headers": {"X-Tenant": "a b", "x-trace": "7", "User-Agent": "mine/1"}},
            ),
        )

    def based(subject: ClientUnderTest, work: Any, path: str, reply: ScriptedReply, base: str) -> None:
        seen: list[Sent] = []

        def handle(request: httpx.Request) -> httpx.Response:
            seen.append(Sent(request.method, str(request.url), tuple(request.headers.items()), request.read()))
            return httpx.Response(reply.status, content=reply.body, headers=dict(_JSON))

        outcome = call(subject, work, url=base, transport=httpx.MockTransport(handle))
        outcome.expect(None, rule="WIRE-HTTP")
        require(
            [one.url for one in seen] == [base.strip().rstrip("/") + path],
            f"{base!r}: it asked {[one.url for one in seen]}",
            "WIRE-HTTP",
        )

    for name, (path, work, reply) in operations(facts).items():
        for base in (
            _PUBLIC,
            f"{_PUBLIC}/",
            f"{_PUBLIC}/proxy",
            f"{_PUBLIC}/a/b//",
            f"{_PUBLIC}:8443",
            "http://localhost:9",
            "http://[::1]:9",
            f" {_PUBLIC} ",
        ):
            yield Example(f"{name}: base URL {base!r}", partial(based, work=work, path=path, reply=reply, base=base))


def _setup(facts: ApiFacts) -> Iterator[Example]:
    """What cannot be used as key, address or header is refused when the client is made, without being shown."""
    del facts

    def run(subject: ClientUnderTest, options: dict[str, Any]) -> None:
        outcome = call_made(subject, {"api_key": KEY, "base_url": "http://127.0.0.1:9", **options})
        require(isinstance(outcome, errors.ConfigError), f"{str(options)[:80]} gave {outcome!r}", "KEY-PRIVATE")
        require((outcome.billing, outcome.retryable) == ("no", False), f"{outcome!r} is billed", "PAY-KNOWN")

    for key in (
        "",
        " ",
        f"{KEY} x",
        f"{KEY}\nx",
        f"{KEY}\r\nx: y",
        f"{KEY}é",
        f"{KEY}\0",
        f"Bearer {KEY}",
        f"{KEY}\x7f",
        f"{KEY}图",
        5,
        b"sk-key",
        [KEY],
    ):
        yield Example(f"key {str(key)[-8:]!r}", partial(run, options={"api_key": key}))
    for url in ("http://api.example.com", "http://10.0.0.1", "http://192.168.1.1:80", "http://localhost.example.com", "http://127.0.0.1.example.com", "ftp://127.0.0.1", "ws://127.0.0.1", "127.0.0.1:9",
                "api.example.com", "https://", "https:///a", "http://user:pw@127.0.0.1", "https://user@api.example.com", "https://api.example.com?a=b", "https://api.example.com#f", "https://a b.example.com",
                "https://api.example.com\nx", "https://api.example.com:0", "https://api.example.com:99999", "https://user%40api.example.com", "not a url", "", 5, b"https://a.example", "file:///etc/passwd"):  # fmt: skip
        if url:
            yield Example(f"base URL {url!r}", partial(run, options={"base_url": url}))
    for headers in ({"Authorization": "x"}, {"authorization": "x"}, {"Host": "x"}, {"Content-Length": "5"}, {"Content-Type": "x"}, {"Transfer-Encoding": "chunked"}, {"Connection": "x"},
                    {"X": "a\r\nb: c"}, {"X\n": "a"}, {"X Y": "a"}, {"": "a"}, {"X": 5}, {5: "x"}, {"X": "é"}, {"X": None}, [("X", "a")], "X: a"):  # fmt: skip
        yield Example(f"headers {headers!r}", partial(run, options={"headers": headers}))
    for name, bad in {"timeouts": 5, "retry": 3, "clock": 7, "transport": "x", "journal": 5}.items():
        yield Example(f"{name}={bad!r}", partial(run, options={name: bad}))

    def from_environment(subject: ClientUnderTest) -> None:
        before = {name: os.environ.get(name) for name in ("TENSORSLAB_API_KEY", "TENSORSLAB_BASE_URL")}
        try:
            os.environ.update(TENSORSLAB_API_KEY=f" {KEY} ", TENSORSLAB_BASE_URL="https://api.example.com/x/")
            seen: list[httpx.Request] = []

            def handle(request: httpx.Request) -> httpx.Response:
                seen.append(request)
                return httpx.Response(200, content=subject.accepted().body)

            client = subject.factory(clock=None, transport=httpx.MockTransport(handle))
            client.submit("a fish")
            client.close()
            del os.environ["TENSORSLAB_API_KEY"]
            missing = call_made(subject, {})
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        right = [(str(one.url), one.headers["authorization"]) for one in seen] == [
            (f"https://api.example.com/x{subject.facts.submit}", f"{subject.facts.auth_scheme} {KEY}")
        ]
        require(right, f"it asked {[str(one.url) for one in seen]}", "AUTH-KEY")
        require(isinstance(missing, errors.ConfigError), f"without a key it gave {missing!r}", "AUTH-KEY")

    yield Example("key and address of the environment", from_environment)


def call_made(subject: ClientUnderTest, options: dict[str, Any]) -> Any:
    """Make a client and close it; gives the client, or the error of the tree."""
    try:
        client = subject.factory(**{"clock": None, **options})
    except errors.SeeDreamError as error:
        check_error(error)
        return error
    client.close()
    return client


RELATIONS: Final = (
    ClientRelation(
        "send.batchsize",
        "BATCH-RANGE",
        "Each number within the bounds arrives as its digits; every other one is refused before a byte leaves.",
        _numbers,
    ),
    ClientRelation(
        "send.resolution",
        "RES-FORMAT",
        "Each legal resolution arrives as the page writes it; every neighbour outside is refused, and another spelling is refused or means the same.",
        _resolutions,
    ),
    ClientRelation(
        "send.text",
        "PROMPT-REQUIRED",
        "Each text arrives character by character, in every field that takes text.",
        _texts,
    ),
    ClientRelation(
        "send.url", "IMAGE-URL", "A URL arrives as it was given, wherever it was given; what is none is refused.", _urls
    ),
    ClientRelation(
        "send.file",
        "SOURCE-IMAGE",
        "The bytes of each source image arrive, in order, however they are given, any number of them.",
        _ways,
    ),
    ClientRelation(
        "send.no-file",
        "SOURCE-IMAGE",
        "What cannot be read or is no picture is refused before a byte leaves.",
        _bad_ways,
    ),
    ClientRelation(
        "send.file-name",
        "SOURCE-IMAGE",
        "The bytes decide media type and extension; a file's name arrives plain and adds nothing.",
        _kinds,
    ),
    ClientRelation(
        "send.again",
        "WIRE-EXACT",
        "What is sent again has the same content; a file that was changed in between is not sent.",
        _changed_files,
    ),
    ClientRelation(
        "send.fields",
        "WIRE-EXACT",
        "Every combination of fields arrives, and nothing that was not given; another name is refused.",
        _combinations,
    ),
    ClientRelation(
        "send.form",
        "WIRE-BOUNDARY",
        "Each form has a boundary of its own that nobody can guess, and its parts have the headers that they need.",
        _forms,
    ),
    ClientRelation(
        "send.headers",
        "AUTH-KEY",
        "Each request has the method, path and headers of its operation, the key once, and the caller's headers.",
        _headers,
    ),
    ClientRelation(
        "send.setup",
        "KEY-PRIVATE",
        "A key, address or header that cannot be used is refused when the client is made, and is not shown.",
        _setup,
    ),
)
