"""Scenes of what comes back: replies, errors, decisions, pictures and their files."""

# ruff: noqa: E501 -- one scene a line reads as a table

import json
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from attrs import evolve
from golden.play import KEY, called, described, listed, told
from seedream._files import image_formats
from seedream._files.partial_file import PartialFile, ensure_writable, find_complete, stem_of, whole_format
from seedream._protocol import failures
from seedream._protocol import retry as retry_module
from seedream._protocol import wire as wire_module
from seedream._protocol.effects import Failure, Reply
from seedream._protocol.exchange import Exchange, _decoded, _is_tls
from seedream._protocol.retry import RetryPolicy, Verdict
from seedream._protocol.wire import Envelope
from seedream._request import submission
from seedream_testing.contract.samples import jpeg, png
from tensorslab_images.limits import SEE_DREAM_V45

SIGNED = "https://cdn.example/a/b.png?sig=SECRET#frag"

BODIES = [
    b'{"code":1000,"msg":"m","data":{"taskid":"t-1"}}', b'{"code":"1000","msg":5,"data":{"taskid":7}}', b'{"code":1000.0,"data":[]}',
    b'{"code":1000.5}', b'{"code":true}', b'{"code":" 7 "}', b'{"code":"x"}', b'{"code":1e400}', b'{"code":null,"data":null}', b"[]", b"",
    b'[{"task_id":"deep"}]', b'{"a":{"b":[{"TaskID":"deep"}]}}', b'{"data":{"taskid":""},"x":{"taskid":"other"}}', b'{"data":{"taskid":"null"}}',
    b'{"data":{"taskid":"true"}}', b'{"data":{"taskid":"false"}}', b'{"data":{"taskid":true}}', b'{"data":{"taskid":"a\\u001bb"}}',
    b'{"data":{"taskid":" "}}', b'\xef\xbb\xbf{"code":1}', b'{"code":1,"data":{"taskid":"lost_1","x', b'"taskid" : lost_2}', b'"task_id":"l3"]',
    b'"TASKID":7,', b'{"taskid":"outer","data":{"taskid":"inner"}}', b"\xff\xfe", b"[" * 5000, b'{"data":{"taskid":%d}}' % 10**200, b'{"data":{"taskid":%d}}' % (10**199),
    json.dumps({"data": {"taskid": "x" * 200}}).encode(), json.dumps({"data": {"taskid": "x" * 201}}).encode(),
]  # fmt: skip
STATES: list[dict[str, Any]] = [
    {}, {"image_status": 1, "url": []}, {"image_status": 2}, {"image_status": 3, "url": ["a", "", 5, "b"], "width": 2, "height": 3, "prompt": "p"},
    {"image_status": 4, "error_message": "why"}, {"image_status": 5}, {"image_status": "3", "url": "one"}, {"image_status": 3.0, "width": "2"},
    {"image_status": None, "url": {"a": 1}, "width": 2.5, "height": True, "prompt": 5, "error_message": 5}, {"image_status": 0},
]  # fmt: skip


def wire(_: Path) -> str:
    def read(body: bytes) -> Any:
        found = wire_module.read_envelope(body)
        return found, found.data

    def task(data: dict[str, Any]) -> Any:
        info = wire_module.read_task("t", Envelope(data=data))
        return info, info.urls, info.state, info.finished, info.prompt, info.raw

    checked = submission.check_submit(
        "a fish",
        {"batchsize": 3, "resolution": "16：9", "source_images": [png(), b"x"], "image_url": "u", "category": "c"},
    )
    arguments = [
        wire_module.submit_arguments(checked),
        wire_module.query_arguments("t"),
        wire_module.delete_arguments(("a", "b")),
    ]
    requests = "\n".join(f"{name}: {told(value)}" for build in arguments for name, value in build().items())
    alone = submission.check_submit("a fish", {"source_images": b"x"})
    single = evolve(SEE_DREAM_V45, fields=tuple(evolve(f, many=False) for f in SEE_DREAM_V45.fields))
    with patch.object(wire_module, "SEE_DREAM_V45", single):
        requests += "\n" + called(lambda: told(wire_module.submit_arguments(alone)()["files"]))
    requests += "\n" + listed(wire_module._as_text, [(True,), (False,), ("A",), (5,), (1.5,), ([True, "B", 2],), ([],)])
    requests += "\n" + listed(lambda digits: wire_module.task_id(10**digits), [(199,), (200,), (5000,)])
    twice = told(arguments[0]()["files"]) == told(arguments[0]()["files"])
    return "\n".join(
        [
            listed(read, [(body,) for body in BODIES]),
            listed(task, [(state,) for state in STATES]),
            requests,
            repr(twice),
        ]
    )


HEAD = [
    png(), png()[:23], png()[:24], b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0" * 8, b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rXHDR" + b"\1" * 8, jpeg(), b"\xff\xd8",
    b"\xff\xd8\xff", b"RIFF\x0e\0\0\0WEBPVP8 ", b"RIFF\x0e\0\0\0WEBPVP9 "[:12] + b"VPX", b"RIFF0000WAVE", b"RIFF0000WAVEVP8 ", b"GIF87a", b"GIF89a;", b"GIF88a",
    b"BM" + b"\x20\0\0\0" + b"\0" * 12, b"BM" + b"\x20\0\0\0" + b"\0" * 11, b"BM" + b"\x20\0\0\0" + b"\1" * 12, b"II*\0", b"MM\0*", b"II\0*",
    b"\0\0\0\x20ftypavif", b"\0\0\0\x20ftypavis", b"\0\0\0\x20ftypheic", b"\0\0\0\x20ftypheix", b"\0\0\0\x20ftypmif1", b"\0\0\0\x20ftypmp42",
    b"\0\0\0\x20FTYPavif", b"", b"x", b"<html>",
]  # fmt: skip


def pictures(_: Path) -> str:
    def kind(head: bytes) -> Any:
        found = image_formats.sniff(head)
        return found and (found.format, found.media_type, found.extension)

    whole = [("png", png()), ("png", png()[:-1]), ("png", png() + b"x"), ("jpeg", jpeg()), ("jpeg", jpeg() + b"\0\r\n "), ("jpeg", jpeg()[:-1]),
             ("jpeg", jpeg() + b"x"), ("gif", b"GIF89a;\0"), ("gif", b"GIF89a"), ("avif", b"x"), ("tiff", b""), ("heic", b"x")]  # fmt: skip
    ends = listed(
        lambda name, data: image_formats.is_whole(image_formats.PictureType(name), data[:64], data[-64:], len(data)),
        whole,
    )
    sizes = listed(
        lambda name, head, size: image_formats.is_whole(image_formats.PictureType(name), head, b"", size),
        [(name, head, size) for name, head in (("webp", b"RIFF\x0e\0\0\0"), ("webp", b"RIFF\x0f\0\0\0"), ("bmp", b"BM\x20\0\0\0"))
         for size in (21, 22, 23, 24, 25, 31, 32, 33)],
    )  # fmt: skip
    more = [("jpeg", jpeg() + b"X"), ("jpeg", jpeg()[:-2] + b"X"), ("gif", b"GIF89a;X"), ("jpeg", jpeg() + b"tail")]
    as_told = listed(
        lambda name, data, told: image_formats.is_whole(
            image_formats.PictureType(name), data[:64], data[-64:], len(data), size_known=told
        ),
        [(name, data, told) for name, data in [*whole, *more] for told in (True, False)],
    )
    huge = listed(
        lambda name, head, size: image_formats.is_whole(image_formats.PictureType(name), head, b"", size),
        [
            ("webp", b"RIFF\xff\xff\xff\xff", 30),
            ("webp", b"RIFF\xff\xff\xff\xff", 7),
            ("bmp", b"BM\xff\xff\xff\xff", 30),
            ("webp", b"RIFF\x16\0\0\0", 30),
        ],
    )
    return "\n".join(
        [
            listed(kind, [(head,) for head in HEAD]),
            ends,
            sizes,
            as_told,
            huge,
            repr((image_formats.EXTENSIONS, image_formats.HEAD, image_formats.TAIL)),
        ]
    )


REPLIES: list[Reply | Failure] = [
    Reply(200, {}, b'{"code":9000,"data":{"taskid":"t"}}'), Reply(200, {}, b'{"code":9999,"taskid":"t"}'), Reply(400, {}, b'{"taskid":"t"}'),
    Reply(429, {}, b'{"taskid":"t"}'), Reply(408, {}, b'{"taskid":"t"}'), Reply(401, {}, b'{"taskid":"t"}'),
    Reply(200, {}, b'{"code":9000,"msg":"none"}'), Reply(200, {}, b'{"code":9999,"msg":"bad \\u001b sk-MARKER-key"}'), Reply(200, {}, b"<html>"),
    Reply(200, {}, b""), Reply(200, {}, b'{"code":1000,"data":{"taskid":"t"}}'), Reply(200, {}, b'{"code":1000}'), Reply(200, {}, b'{"code":5}'),
    Reply(200, {}, b'{"code":5,"data":{"taskid":"t"}}'), Reply(201, {}, b'{"code":9000}'), Reply(299, {}, b"{}"), Reply(199, {}, b"{}"), Reply(300, {}, b"{}"),
    Reply(301, {"location": SIGNED}, b""), Reply(399, {}, b"x"), Reply(400, {}, b'{"msg":"m"}'), Reply(401, {}, b""), Reply(403, {}, b""), Reply(404, {}, b"x"),
    Reply(408, {}, b""), Reply(429, {"retry-after": "7"}, b""), Reply(429, {}, b'{"code":1,"msg":"slow"}'), Reply(499, {}, b""), Reply(500, {}, b'{"msg":"oops","taskid":"t"}'),
    Reply(503, {}, b""), Reply(599, {}, b""), Reply(600, {}, b""), Reply(100, {}, b""),
    Failure("never_sent", "ConnectError", "refused"), Failure("never_sent", "ConnectError", "cert", tls=True), Failure("sent_partial", "WriteError", "reset sk-MARKER-key"),
    Failure("sent_full", "ReadTimeout", "slow"), Failure("sent_full", "RemoteProtocolError", "cut", reply=Reply(200, {"a": KEY}, b'{"data":{"taskid":"t"'))]  # fmt: skip


def _envelope(outcome: Reply | Failure) -> Envelope:
    reply = outcome.reply if isinstance(outcome, Failure) else outcome
    return wire_module.read_envelope(reply.body) if reply else Envelope()


def replies(_: Path) -> str:
    lines = []
    named = b'{"code":5,"msg":"m","data":{"taskid":"t"}}'
    odd: list[Reply | Failure] = [
        Reply(299, {}, named),
        Reply(300, {}, named),
        Reply(301, {}, named),
        REPLIES[-1],
        REPLIES[-2],
    ]
    for verdict in Verdict:
        for outcome in odd:
            error = failures.submission_error(verdict, outcome, _envelope(outcome), digest="d" * 64, at=5.0, key=KEY)
            lines.append(f"{verdict} {outcome!r}\n  {described(error)}")
    for outcome in REPLIES:
        envelope = _envelope(outcome)
        verdict = retry_module.judge(outcome, envelope)
        lines.append(f"{outcome!r} {failures.told(outcome, envelope, KEY)} -> {verdict}")
        error = failures.submission_error(verdict, outcome, envelope, digest="d" * 64, at=5.0, key=KEY)
        lines.append(f"  {described(error)}")
        lines.append(f"  {described(failures.status_error('t', outcome, envelope, KEY, 'the query'))}")
    return "\n".join(lines)


def retry(_: Path) -> str:
    policy, odd = RetryPolicy(), RetryPolicy(attempts=2, base=2.0, cap=5.0, retry_after_cap=9.0)
    patient = RetryPolicy(cap=1e30)
    delays = listed(lambda which, attempt, chance: which.delay(attempt, lambda: chance),
                    [(which, attempt, chance) for which in (policy, odd, patient) for attempt in (1, 2, 3, 7, 8, 31, 32, 33, 5000) for chance in (0.0, 0.5, 1.0)])  # fmt: skip
    free = RetryPolicy(base=0.0)
    agains = listed(lambda which, verdict, attempt, told: which.again(verdict, attempt, told),
                    [(which, verdict, attempt, told) for which in (free, RetryPolicy(attempts=2, base=0.0, retry_after_cap=9.0)) for verdict in Verdict
                     for attempt in (1, 2, 4) for told in (None, 0.0, 9.0, 9.5, 120.0, 121.0)])  # fmt: skip
    dates = {"date": "Sun, 22 Nov 2026 10:00:00 GMT"}
    chances = listed(
        lambda verdict, attempt, chance: policy.again(verdict, attempt, None, lambda: chance),
        [(verdict, attempt, chance) for verdict in Verdict for attempt in (1, 2) for chance in (0.0, 1.0)],
    )
    headers: list[dict[str, str]] = [
        {}, {"retry-after": "0"}, {"retry-after": " 7 "}, {"retry-after": "-1"}, {"retry-after": "1.5"}, {"retry-after": "٣"}, {"retry-after": "9" * 30},
        {"retry-after": "x"}, {**dates, "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, {**dates, "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT"},
        {"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, {**dates, "retry-after": "Sun, 99 Nov 2026"}, {"date": "x", "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"},
        {**dates, "retry-after": "Sun, 22 Nov 2026 10:00:30 -0000"},
    ]  # fmt: skip
    waits = "\n".join(f"{one} {called(partial(retry_module.retry_after, Reply(429, one, b'')))}" for one in headers)
    return "\n".join([delays, agains, chances, waits, called(lambda: retry_module.retry_after(None))])


def part(folder: Path) -> str:
    folder.mkdir()
    ids = [
        "t-1",
        "a.b",
        "..",
        "a..b",
        "",
        "/x",
        "é",
        "a" * 80,
        "a" * 81,
        "-a",
        "_",
        "a/b c",
        "\ud800",
        "x" * 100 + "/",
        "///",
        "___a___",
        ".a",
        "/XaX/",
        "A/B",
    ]
    lines = [listed(stem_of, [(one, index) for one in ids for index in (0, 9)])]
    for name, content in {"a.png": png(), "b.png": jpeg(), "c.jpg": jpeg(), "d.webp": b"RIFF", "e.png": png()[:-1], "f.png": b"", "g.gif": b"GIF89a;",
                          "w.webp": b"RIFF\x0e\0\0\0WEBPVP8 " + b"x" * 6, "v.webp": b"RIFF\x0e\0\0\0WEBPVP8 " + b"x" * 8, "u.bmp": b"BM\x41\0\0\0" + b"\0" * 58, "h.bmp": b"BM\x40\0\0\0" + b"\0" * 58, "i.png": png(64, 64, 9), "j.png": png() + b"\0" * 200}.items():  # fmt: skip
        (folder / name).write_bytes(content)
        lines.append(f"{name} {whole_format(folder / name)} {find_complete(folder, name[0])}")
    (folder / "k.png").symlink_to(folder / "a.png")
    (folder / "l.png").mkdir()
    lines += [f"{name} {find_complete(folder, name)}" for name in ("k", "l", "none")]
    deep = folder / "x" / "y"
    lines.append(f"{called(lambda: ensure_writable(deep))} {deep.is_dir()} {list(deep.iterdir())}")
    lines.append(called(lambda: ensure_writable(folder / "a.png")))
    lines.append(called(lambda: ensure_writable(folder / "a\0b")))
    made = PartialFile(folder / "m" / "n", "p")
    names = [path.name.count(".") for path in (folder / "m" / "n").iterdir()]
    lines.append(f"{names} {made.size} {made.kind()} {made.is_whole()} {made.head!r}")
    data = png(64, 64, 3)
    for chunk in (data[:5], data[5:70], data[70:-3], data[-3:]):
        made.write(chunk)
        lines.append(f"{made.size} {made.kind()} {made.is_whole()} {made.head!r} on disk {made._path.stat().st_size}")
    made.write(b"more")
    lines.append(f"with more behind it: {made.is_whole()} {made.is_whole(size_known=True)}")
    made.restart()
    lines.append(f"{made.size} {made.kind()} {made.is_whole()} {made.head!r}")
    made.write(data)
    path = made.finish()
    lines.append(f"{path} {path.read_bytes() == data} {[one.name for one in path.parent.iterdir()]}")
    made.discard()
    lines.append(f"{path.exists()}")
    plain = PartialFile(folder / "m" / "n", "q")
    plain.write(b"nothing known")
    lines.append(f"{plain.finish()}")
    gone = PartialFile(folder / "m" / "n", "r")
    gone.discard()
    gone.discard()
    gone._path = folder
    gone.discard()  # a directory cannot be unlinked: whatever the disk says, discarding raises nothing
    lines.append(f"{sorted(one.name for one in path.parent.iterdir())}")
    return "\n".join(lines)


class Request:
    def __init__(self, method: bytes) -> None:
        self.method = method


class Peer:
    """A network stream that tells its peer's address."""

    def __init__(self, address: Any) -> None:
        self.address = address

    def get_extra_info(self, name: str) -> Any:
        return self.address if name in ("server_addr", "socket") else ("wrong",)


class Socket:
    """A socket that notes how it is shut, and may be gone."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.calls = error, list[int]()

    def shutdown(self, how: int) -> None:
        self.calls.append(how)
        if self.error is not None:
            raise self.error


def connections() -> list[str]:
    """What a connection tells and suffers: its peer, its start, its cut."""
    lines: list[str] = []
    for address in (
        None,
        ("10.0.0.1", 80),
        ("8.8.8.8", 80),
        ("fe80::1%eth0", 80, 0, 0),
        ("2001:4860:4860::8888", 80, 0, 0),
        ("x",),
        (),
    ):
        for public in (True, False):
            guard, info = Exchange(public_only=public), {"return_value": Peer(address)}
            events_seen = [
                called(partial(guard.refuses_peer, name, info))
                for name in ("connection.connect_tcp.started", "connection.connect_tcp.complete", "http11.x.complete")
            ]
            lines.append(f"{address} {public}: {events_seen}\n{described(guard.peer_refused())}")
    watched: list[str] = []
    one_line = Exchange(watch=lambda: watched.append("watch"))
    for number in range(2):
        one_line.connected(number)
        lines.append(f"connected {number}: {one_line._line} {watched}")
    unwatched = Exchange()
    unwatched.connected(5)
    lines.append(f"connected, not watched: {unwatched._line}")
    for guarded in (Exchange(barrier=lambda: None), Exchange()):
        lines += [f"writing: {called(guarded.writing)}" for _ in range(2)]
    for heard in (False, True):
        passed_on = Exchange(barrier=lambda: None, secret=KEY)
        passed_on.handed = True
        wanted = passed_on.note("connection.connect_tcp.started", {}) if heard else None
        lines.append(f"handed on, heard {heard} {wanted}: {passed_on.failure(httpx.ReadError('reset'))}")
    for replied_already in (False, True):
        for wrong in (httpx.ReadError("reset"), httpx.WriteError("reset"), _after(ssl.SSLError("bad"))):
            unheard = Exchange(barrier=lambda: None)
            unheard.handed = True
            if replied_already:
                unheard.replied()
            lines.append(f"unheard, replied {replied_already}: {unheard.failure(wrong)}")
    ends = (ssl.SSLError("bad"), ssl.SSLEOFError("end"), ssl.SSLZeroReturnError("zero"), OSError("no TLS"))
    lines += [
        f"{type(end).__name__}: {[_is_tls(one) for one in (end, _after(end), _after(_after(end)))]}" for end in ends
    ]
    for line in (None, Peer(None), Peer(Socket()), Peer(Socket(OSError("gone"))), Peer(Socket(ValueError("other")))):
        late = Exchange()
        late._line = line
        lines.append(
            f"cut {type(line).__name__}: {called(late.cut)} {getattr(getattr(line, 'address', None), 'calls', None)}"
        )
    return lines


def _after(cause: Exception) -> Exception:
    """An exception raised from another."""
    error = httpx.ConnectError("refused")
    error.__cause__ = cause
    return error


def exchange(_: Path) -> str:
    ours, proxy = {"request": Request(b"POST")}, {"request": Request(b"CONNECT")}
    events: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "nothing": [], "connected": [("connection.connect_tcp.complete", {"return_value": None})],
        "proxy": [("http11.send_request_headers.started", proxy), ("http11.send_request_body.complete", proxy)],
        "head": [("http11.send_request_headers.started", ours)], "head done": [("http11.send_request_headers.complete", ours)],
        "body": [("http11.send_request_headers.started", ours), ("http11.send_request_body.started", ours)],
        "sent": [("http11.send_request_headers.started", ours), ("http11.send_request_body.complete", ours)],
        "http2": [("http2.send_request_headers.started", ours), ("http2.send_request_body.complete", ours)],
    }  # fmt: skip
    raised = [httpx.ReadError("reset"), httpx.ConnectError("refused sk-MARKER-key"), httpx.WriteError(""), httpx.WriteTimeout("w"), httpx.PoolTimeout("p"),
              httpx.UnsupportedProtocol("u"), httpx.LocalProtocolError("l"), httpx.InvalidURL("i"), httpx.ProxyError("x"), httpx.ConnectTimeout("c"), ValueError("v")]  # fmt: skip
    lines = []
    for name, told_events in events.items():
        for error in raised:
            calls: list[str] = []
            one = Exchange(lambda c=calls: c.append("barrier"), secret=KEY)  # type: ignore[misc]  # appends give None
            wants = []
            for event, info in told_events:
                if one.note(event, info):
                    wants.append(event)
                    one.writing()
                    one.enter()
            lines.append(f"{name} {type(error).__name__}: {one.failure(error)} {calls} {wants}")
    replied = Exchange(None, secret="")
    replied.replied()
    lines.append(f"{replied.failure(httpx.ReadError('x'))}")

    def stop() -> None:
        raise RuntimeError("no room")

    stopped = Exchange(stop, secret="")
    lines += [called(stopped.writing), called(lambda: stopped.failure(httpx.ReadError("x")))]
    lines += connections()
    import gzip  # noqa: PLC0415 -- here alone
    import zlib  # noqa: PLC0415 -- here alone

    bodies = [
        b"plain",
        gzip.compress(b"x" * 50, mtime=0),
        zlib.compress(b"y" * 9),
        gzip.compress(b"z" * 2_000_000, mtime=0),
        b"",
    ]
    for coding in ("", "gzip", " GZIP ", "x-gzip", "deflate", "br"):
        lines += [
            f"{coding} {_decoded(body, {'content-encoding': coding} if coding else {})!r:.80} {len(_decoded(body, {'content-encoding': coding}))}"
            for body in bodies
        ]
    return "\n".join(lines)


SCENES: dict[str, Callable[[Path], str]] = {
    "wire": wire, "pictures": pictures, "replies": replies, "retry": retry, "part": part, "exchange": exchange,
}  # fmt: skip
