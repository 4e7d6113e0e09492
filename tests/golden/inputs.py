"""Scenes of what goes in: resolutions, configuration, source images, texts, whole requests."""

# ruff: noqa: E501 -- one scene a line reads as a table

import logging
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import attrs
from golden.play import KEY, called, listed
from seedream._request import source_images, submission
from seedream._support import config as config_module
from seedream._support import redact
from seedream.resolution import Resolution, nearest_size
from seedream_testing.contract.samples import jpeg, png
from tensorslab_images.limits import Field

SIGNED = "https://cdn.example/a/b.png?sig=SECRET#frag"


def resolution(_: Path) -> str:
    texts = [
        "16:9", "１６：９", " 4k\n", "2048×2048", "2560x1440", "4096X4096", "2560x1439", "4096x4097", "1x1", "0x5", "5x0", "00x5",
        "5:4", "16:0", "0:0", "100:1", "8K", "3k", "2", "4", "7", "2 K", "2048*2048", "1024,768", "1080p 16 9", "640x480", "x" * 64,
        "x" * 65, "9" * 63 + "K", "99999x99999", "1x99999999", "3x2", "64:64", "65x64", "03:02", "2048x02048", "１", "鱼", "\ud800",
        "1 2 3", "10000000000x10000000000000", "7x526628", "4096x4096x1", "", " ", "64:63", "1919x1921",
    ]  # fmt: skip
    sizes = [(1, 1), (64, 63), (65, 64), (1000, 10), (10, 1000), (99999, 3), (3, 99999), (10**9, 1), (10**8, 10**8), (2560, 1440),
             (4096, 4096), (4097, 4096), (1920, 1919), (100, 64), (1, 64), (1, 65), (64, 1), (5, 7), (7, 5)]  # fmt: skip
    shown = listed(lambda text: vars_of(Resolution(text)), [(text,) for text in texts])
    others = listed(Resolution, [(None,), (5,), (b"2K",)])
    return "\n".join([shown, others, listed(nearest_size, sizes)])


def vars_of(value: Resolution) -> tuple[Any, ...]:
    return value.wire, value.kind, value.width, value.height, value.pixels


def config(_: Path) -> str:
    keys = [(None, {}), ("", {}), ("  ", {}), (" k\n", {}), ("a b", {}), ("aé", {}), ("a\nb", {}), (None, {"TENSORSLAB_API_KEY": " e\n"}),
            (None, {"TENSORSLAB_API_KEY": "e e"}), ("\x7f", {}), ("!~", {}), ("a", {"TENSORSLAB_API_KEY": "b"}), (5, {}), (b"k", {})]  # fmt: skip
    urls = ["https://a.b", "https://a.b///", "http://a.b", "http://localhost:8", "http://LOCALHOST.", "http://127.0.0.9/x/", "http://[::1]:8",
            "http://10.0.0.1", "ftp://a.b", "a.b", "", " https://a.b ", "https://u@a.b", "https://:p@a.b", "https://a.b?x", "https://a.b#x",
            "https://", "https://a.b:99999", "https://a.b:x", "https://[x", "https://a.b/\x00", "https://a b", "https://" + "a" * 90 + ".b?", "https://u:p@a.b:x", "u:p@a.b", "https:/u:p@a.b", "https//u:p@a.b", "https://u:p＠a.b", "https://u:p%40a.b", "https://u:1/p@a.b", "https://a.b/@x", "https://a.b/x://y",  "https://a.b:0", "https://a.b/X/", "HTTP://127.0.0.1",
            "http://" + "a" * 90]  # fmt: skip
    cases: list[tuple[Any, ...]] = [(url, {}) for url in urls]
    cases += [
        (None, {}),
        (None, {"TENSORSLAB_BASE_URL": "https://e.f/"}),
        (None, {"TENSORSLAB_BASE_URL": "http://e.f/"}),
        (5, {}),
        (b"https://a.b", {}),
    ]
    return "\n".join([listed(config_module.api_key, keys), listed(config_module.base_url, cases)])


class Odd:
    """Neither text nor bytes; says who it is."""

    def __repr__(self) -> str:
        return "Odd()"


class Reader:
    def __init__(self, content: Any, name: Any = None) -> None:
        self.content = content
        if name is not None:
            self.name = name

    def __repr__(self) -> str:
        return "Reader()"

    def read(self) -> Any:
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


def sources(folder: Path) -> str:
    folder.mkdir()
    (folder / "a b.png").write_bytes(png())
    (folder / "empty.png").write_bytes(b"")
    path = str(folder / "a b.png")
    given: list[Any] = [
        None, [], (), b"", b"x", bytearray(b"\xff\xd8\xff"), memoryview(png()), png(), jpeg(), path, folder / "a b.png", [path, b"x", jpeg()],
        str(folder / "none.png"), str(folder), str(folder / "empty.png"), "a\0b", "http://a/1", "HTTPS://a/1", "ftp://a/1",
        ["http://a/1", "http://a/2"], ["http://a/1", b"x"], BytesIO(b"y"), StringIO("text"), Reader(b"z"), Reader(b"z", "/x/../ü n.jpg"),
        Reader(b"z", 5), Reader(b"z", "..."), Reader(b"z", "a" * 200 + ".x"), Reader(OSError("gone")), Reader(OSError()), Reader(ValueError("closed")),
        Reader("text"), Reader(b""), 5, Odd(), [Odd()], [5], [None], {b"x": 1}, [[b"x"]], Reader(b"z", ".hidden"), Reader(b"z", "_a_.png"), Reader(b"z", "XaX.png"),
    ]  # fmt: skip

    def shown(sources: Any) -> Any:
        gathered = source_images.gather(sources)
        return [(file.content, file.name, file.media_type) for file in gathered.files], gathered.url

    return listed(shown, [(one,) for one in given]) + f"\n{source_images.gather(b'xyz')!r}"


def text(_: Path) -> str:
    class Bad:
        def __repr__(self) -> str:
            raise RuntimeError

    texts = ["", "a", "a" * 60, "a" * 61, 'q"q', "it's", "a\nb\tc\0", "鱼🌫", "\ud800", "\\"]
    quoted = listed(
        lambda one: (redact.quote(one), redact.quote(one, marks=False), redact.short_repr(one)),
        [(one,) for one in texts],
    )
    values = "\n".join(
        called(partial(redact.short_repr, value)) for value in (5, None, [1, 2], b"x", 10**5000, Bad(), "x" * 99)
    )
    urls = [SIGNED, "http://u:p@h/x", "see https://h/p?a=1&b=2, then", '{"u":"https:\\/\\/h\\/p?a=1\\u0026b"}', "ftp://h/x#y", "https://h/x",
            "https://h/p\\u003fa=1", "HTTPS://h/?x", f"key {KEY} and {KEY}", "https://h?x https://i?y", "<https://h?x>", "https://u@h"]  # fmt: skip
    scrubbed = listed(
        lambda one: (redact.redact(one, KEY, ""), redact.redact(one), redact.sanitize(one, KEY)),
        [(one,) for one in urls],
    )
    scrubbed += "\n" + listed(
        redact.redact,
        [
            ("x abcdefghij", "bcdefghi", "abcdefghij"),
            ("x bcdefghi", "bcdefghi"),
            ("x bcdefgh", "bcdefgh"),
            ('"a\\/bcdefgh"', "a/bcdefgh"),
        ],
    )
    plains = listed(
        redact.sanitize, [("a\nb\x1b[2J",), ("x" * 600,), ("x" * 600, "", 10), (f"a {KEY} b", KEY), ("\ud800",)]
    )
    headers = {
        "Content-Type": "a",
        "Authorization": KEY,
        "Set-Cookie": "c",
        "cookie": "c",
        "Proxy-Authorization": "p",
        "X": f"{KEY} {SIGNED}",
    }
    replies = listed(
        redact.redact_reply,
        [
            (200, headers, b"x" * 3000, KEY),
            (500, {}, f"{KEY} {SIGNED}".encode() + b"\xff\0", KEY),
            (204, {}, b"", ""),
            (302, {"Location": "/x?y?z"}, b"", ""),
        ],
    )
    return f"{quoted}\n{values}\n{scrubbed}\n{plains}\n{replies}\n{guarded()}"


def guarded() -> str:
    """A log record as it comes out of the loggers that are guarded, whatever other tests have guarded before."""
    record = logging.LogRecord("httpx", 10, "f", 1, "go %s %s %s", (SIGNED, KEY, KEY[:9]), None)
    parts = ("connection", "http11", "http2", "proxy", "socks")
    loggers = [logging.getLogger(name) for name in ("httpx", *(f"httpcore.{part}" for part in parts), "httpcore")]
    with ExitStack() as put_back:
        put_back.enter_context(patch.object(redact._FILTER, "secrets", set()))
        for logger in loggers:
            put_back.enter_context(patch.object(logger, "filters", []))
        for key in (KEY[:9], KEY, KEY):
            redact.install_log_filter(key)
        found = [(logger.name, len(logger.filters)) for logger in loggers]
        kept = bool(loggers[0].filter(record))
    return repr((kept, record.msg, record.args, found))


def field(kind: str, **limits: Any) -> Field:
    return Field(**{"name": "aField", "attribute": "a_field", "kind": kind, **limits})


def request(folder: Path) -> str:
    folder.mkdir()
    (folder / "x.png").write_bytes(png())
    options: list[tuple[Any, dict[str, Any]]] = [
        ("a", {}), ("a", {"batchsize": 15, "resolution": "2k", "category": "", "image_url": "x"}), ("", {}), (None, {}), (" ", {}), (5, {}),
        ("\ud800", {}), ("ab\udfff", {}), ("a", {"batchsize": 0}), ("a", {"batchsize": 16}), ("a", {"batchsize": True}), ("a", {"batchsize": 1.0}),
        ("a", {"batchsize": "1"}), ("a", {"batchsize": 2**63 + 1}), ("a", {"batchsize": -(2**64)}), ("a", {"resolution": "5:4"}), ("a", {"category": 5}),
        ("a", {"nope": 1}), ("a", {"image_url": b"x"}), ("a", {"source_images": 5}), ("a", {"source_images": "http://h/1", "image_url": "x"}),
        ("a", {"source_images": ["http://h/1", str(folder / "x.png")]}), ("a", {"source_image": [b"x"]}), ("", {"batchsize": 0, "nope": 1, "resolution": "x"}),
        ("a", {"batchsize": None, "resolution": None, "source_images": None}), ("a", {"batchsize": [1]}), ("a", {"source_image": [b"x"], "source_images": [b"y"]}),
    ]  # fmt: skip

    def checked(prompt: Any, given: dict[str, Any]) -> Any:
        made = submission.check_submit(prompt, given)
        return (
            dict(made.values),
            {name: [file.name for file in files] for name, files in made.files.items()},
            made.images,
            made.digest,
        )

    string, integer, number = field("string"), field("integer"), field("number")
    values: list[tuple[Any, ...]] = [
        (integer, 5), (integer, "5"), (integer, 5.5), (integer, True), (integer, 2**63), (integer, -(2**63)), (number, 1.5), (number, 2), (number, True),
        (number, float("nan")), (number, float("inf")), (number, "x"), (number, 1e300), (field("boolean"), True), (field("boolean"), 1), (field("boolean"), "true"),
        (string, "x"), (string, 5), (string, b"x"), (field("object"), {}), (field("binary"), b"x"), (field("string", min_length=2), "a"),
        (field("string", min_length=2), "ab"), (field("string", max_length=2), "ab"), (field("string", max_length=2), "abc"),
        (field("string", pattern="^[0-9]+$"), "12"), (field("string", pattern="^[0-9]+$"), "x"), (field("string", pattern="b"), "abc"),
        (field("string", enum=("a", "b")), "a"), (field("string", enum=("a", "b")), "c"), (field("integer", enum=(1, 2)), 3),
        (field("integer", minimum=2), 1), (field("integer", minimum=2), 2), (field("integer", maximum=2), 3), (field("integer", maximum=2), 2),
        (field("integer", minimum=2, maximum=4), 5), (field("number", exclusive_minimum=2), 2), (field("number", exclusive_minimum=2), 2.1),
        (field("number", exclusive_maximum=2), 2), (field("number", exclusive_maximum=2), 1.9), (field("integer", multiple_of=3), 4),
        (field("integer", multiple_of=3), 6), (field("string", many=True), ["a", "b"]), (field("string", many=True), "ab"), (field("string", many=True), b"ab"),
        (field("string", many=True), {"a": 1}), (field("string", many=True), 5), (field("string", many=True, min_items=2), ["a"]),
        (field("string", many=True, min_items=2), ["a", "b"]), (field("string", many=True, max_items=2), ["a", "b"]),
        (field("string", many=True, max_items=2), ["a", "b", "c"]), (field("integer", many=True, minimum=2), [2, 1]), (field("string", many=True), []),
        (field("string", many=True), (x for x in "ab")), (field("string", name="prompt", attribute="prompt"), " "),
        (field("string", name="prompt", attribute="prompt", many=True), [" "]), (field("integer", name="resolution"), 5),
    ]  # fmt: skip
    shown = "\n".join(
        f"{limits_of(spec)} <- {value!r:.60}\n  {called(partial(submission._wire_value, spec, value))}".replace(
            _address(value), ""
        )
        for spec, value in values
    )
    counts = listed(submission._check_count, [(field("binary", max_items=5), (1,) * 2), (field("binary", many=True, max_items=2), (1,) * 3),
                                            (field("binary", many=True), (1,) * 3), (field("binary"), (1,))])  # fmt: skip
    with patch.dict(submission._FIELDS, {"mask": field("binary", name="mask", attribute="mask", many=True)}):
        counts += "\n" + listed(
            checked, [("a", {"mask": [b"x", b"yz"]}), ("a", {"mask": 5}), ("a", {"mask": "none.png"})]
        )
    fewer = attrs.evolve(submission._FIELDS["source_image"], max_items=1)
    with patch.dict(submission._FIELDS, {"source_image": fewer}):
        counts += "\n" + listed(checked, [("a", {"source_images": [b"x"]}), ("a", {"source_images": [b"x", b"y"]})])
    return "\n".join([listed(checked, options), shown, counts])


def _address(value: Any) -> str:
    return hex(id(value)) if not isinstance(value, str | int) else "\x00"


def limits_of(spec: Field) -> str:
    plain = Field(name="aField", attribute="a_field", kind="string")
    changed = {
        name: getattr(spec, name) for name in attrs.fields_dict(Field) if getattr(spec, name) != getattr(plain, name)
    }
    return repr(changed)


SCENES: dict[str, Callable[[Path], str]] = {
    "resolution": resolution, "config": config, "sources": sources, "text": text, "request": request,
}  # fmt: skip
