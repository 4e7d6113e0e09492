"""Scenes of whole workflows: submit, query, wait, delete, download."""

# ruff: noqa: E501 -- one scene a line reads as a table

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from golden.play import KEY, Scene, played, service
from seedream._files.partial_file import PartialFile
from seedream._protocol import workflows
from seedream._protocol.download import save, wait_and_save
from seedream._protocol.effects import Failure, Request
from seedream._protocol.exchange import MAX_JSON, exchange
from seedream._protocol.retry import RetryPolicy
from seedream._protocol.transfer import DownloadOptions
from seedream._protocol.workflows import Progress
from seedream._request.submission import check_submit
from seedream.errors import JournalFull
from seedream_testing.contract.samples import jpeg, png

JSON = {"content-type": "application/json"}
LOST, REFUSED = Failure("sent_full", "ReadTimeout", "slow"), Failure("never_sent", "ConnectError", "refused")
TLS = Failure("never_sent", "ConnectError", "certificate", tls=True)


def answer(code: object, status: int = 200, seconds: float = 0.0, **data: Any) -> Scene:
    return Scene(status, json.dumps({"code": code, "msg": "told", "data": data}).encode(), JSON, seconds)


DONE = answer(1000, taskid="t-1")


class Recorder:
    """Notes what the journal is told; may refuse."""

    def __init__(self, refuses: str = "", stops: str = "") -> None:
        self.told: list[str] = []
        self.refuses, self.stops = refuses, stops

    def _note(self, what: str, detail: object = "") -> None:
        self.told.append(f"{what} {detail!r}")
        if what == self.stops:
            raise KeyboardInterrupt("stop")
        if what == self.refuses:
            raise JournalFull("no room", hint="Free space.")

    def begin(self) -> None:
        self._note("begin")

    def not_sent(self) -> None:
        self._note("not_sent")

    def submitted(self, taskid: str) -> None:
        self._note("submitted", taskid)

    def refused(self, error: BaseException) -> None:
        self._note("refused", str(error))

    def unknown(self, error: BaseException) -> None:
        self._note("unknown", str(error))


def submit(_: Path) -> str:
    asked = check_submit("a fish", {"batchsize": 2, "source_images": [png()]})
    scripts: dict[str, list[Any]] = {
        "accepted": [DONE], "lost": [LOST], "refused connection": [REFUSED], "tls": [TLS], "refused, then accepted": [REFUSED, DONE],
        "429 twice": [Scene(429), Scene(429, headers={"retry-after": "7"}), DONE], "429 too long": [Scene(429, headers={"retry-after": "500"})],
        "429 for ever": [Scene(429)], "408 twice": [Scene(408), Scene(408)], "408 once": [Scene(408), DONE], "500": [Scene(500)],
        "9000": [answer(9000)], "9999": [answer(9999)], "no id": [answer(1000)], "unknown code with id": [answer(5, taskid="t-1")],
        "cut body": [Scene(200, [b'{"data":{"taskid":"t-1"', Failure("sent_partial", "ReadError", "cut")])],
    }  # fmt: skip
    lines = []
    for name, script in scripts.items():
        for recorder in (None, Recorder()):
            flow = workflows.submit(service(retry=RetryPolicy(base=0.0)), asked, recorder)
            lines.append(f"{name}:\n{played(flow, *script)}")
            lines.append(f"  journal: {recorder and recorder.told}")
    for refuses in ("begin", "not_sent", "submitted", "refused", "unknown"):
        for script in ([DONE], [Scene(429), DONE], [answer(9999)], [LOST]):
            recorder = Recorder(refuses)
            flow = workflows.submit(service(retry=RetryPolicy(base=0.0)), asked, recorder)
            lines.append(f"the journal refuses {refuses}:\n{played(flow, *script)}\n  journal: {recorder.told}")
    lines.append(played(workflows.submit(service(chance=lambda: 0.25), asked), REFUSED, Scene(408), Scene(429), DONE))
    for stops in ("begin", "submitted"):
        recorder = Recorder(stops=stops)
        flow = workflows.submit(service(), asked, recorder)
        lines.append(f"interrupted while the journal writes {stops}:\n{played(flow, DONE)}\n  journal: {recorder.told}")
    for stop in (RuntimeError("torn down"), KeyboardInterrupt("stop")):
        for recorder in (None, Recorder(), Recorder("unknown")):
            flow = workflows.submit(service(), asked, recorder)
            lines.append(f"interrupted:\n{played(flow, Scene(200, [stop]))}\n  journal: {recorder and recorder.told}")
    return "\n".join(lines)


BIG = Scene(200, [b"x" * (MAX_JSON - 1), b"y", b"z", b"w"])


def replies_in_time(_: Path) -> str:
    request = Request("POST", "https://api.example.com/x", dict, {"a": "b"})
    scripts: dict[str, Scene | Failure] = {
        "at the cap": Scene(200, [b"x" * MAX_JSON]), "above the cap": BIG, "in pieces": Scene(200, [b"a", b"b", b"c"]), "empty": Scene(200, [b""]),
        "in time": Scene(200, [(5.0, b"a"), (5.0, b"b")]), "late": Scene(200, [(5.0, b"a"), (5.1, b"b"), (1.0, b"c")]), "broken": Scene(200, [b"a", LOST]),
        "refused": REFUSED, "gzip that lies": Scene(200, [b"abc"], {"content-encoding": "gzip"}), "slow head": Scene(200, [b"a"], seconds=11.0),
    }  # fmt: skip

    def short(flow: Any, script: Any) -> str:
        return played(flow, script).replace("x" * 100, "").replace("x" * 75, "")[:1500]

    return "\n".join(
        f"{name}:\n{short(exchange(request, 'query', within=10.0), script)}" for name, script in scripts.items()
    )


URLS = ["https://img.example/1.png"]
RUNNING, FINISHED = answer(1000, taskid="t-1", image_status=2), answer(1000, taskid="t-1", image_status=3, url=URLS)
BARE, FAILED = (
    answer(1000, taskid="t-1", image_status=3, url=[]),
    answer(1000, taskid="t-1", image_status=4, error_message="bad \x1b words"),
)
OTHER, UNKNOWN, ODD = (
    answer(1000, taskid="t-2", image_status=3),
    answer(9999),
    answer(1000, taskid="t-1", image_status=5),
)
NAMELESS = answer(1000, image_status=3, url=URLS)


def query(_: Path) -> str:
    scripts: dict[str, list[Any]] = {
        "running": [RUNNING], "finished": [FINISHED], "nameless": [NAMELESS], "another's": [OTHER], "unknown": [UNKNOWN], "no credits": [answer(9000)],
        "tls": [TLS], "refused": [REFUSED], "lost, then running": [LOST, RUNNING], "400": [Scene(400)], "404": [Scene(404)], "401": [Scene(401)], "403": [Scene(403)],
        "408": [Scene(408), RUNNING], "425": [Scene(425), RUNNING], "429": [Scene(429), RUNNING], "499": [Scene(499), RUNNING], "500": [Scene(500), RUNNING],
        "399": [Scene(399), RUNNING], "html": [Scene(200, b"<html>"), RUNNING], "created": [Scene(201, b'{"code":1000,"data":{}}')], "for ever": [Scene(500)], "echo": [Scene(400, KEY.encode())],
    }  # fmt: skip
    lines = [f"{name}:\n{played(workflows.query(service(), 't-1'), *script)}" for name, script in scripts.items()]
    odd: list[Any] = ["", " ", None, 5]
    lines += [f"{taskid!r}:\n{played(workflows.query(service(), taskid), RUNNING)}" for taskid in odd]
    return "\n".join(lines)


def wait(_: Path) -> str:
    scripts: dict[str, list[Any]] = {
        "finished": [FINISHED], "polls": [RUNNING] * 8 + [FINISHED], "odd": [ODD, FINISHED], "failed": [FAILED], "failed silently": [answer(1000, image_status=4)],
        "stuck": [RUNNING], "stuck odd": [ODD], "never answers": [LOST], "bare for ever": [BARE], "bare once": [BARE, FINISHED], "unknown for ever": [UNKNOWN],
        "unknown at first": [UNKNOWN, UNKNOWN, FINISHED], "key refused": [RUNNING, Scene(401)], "tls": [TLS], "another's": [OTHER], "slow": [answer(1000, seconds=50.0, image_status=1)],
        "server errors": [Scene(500), Scene(502), FINISHED], "404 for ever": [Scene(404)],
    }  # fmt: skip
    lines = []
    for name, script in scripts.items():
        for images, timeout in ((None, 30.0), (1, 200.0), (2, 30.0)):
            heard: list[Progress] = []
            flow = workflows.wait(service(), "t-1", timeout=timeout, images=images, progress=heard.append)
            steps = [
                line
                for line in played(flow, *script).splitlines()
                if not line.startswith("    ") or "|" in line or "=" in line
            ]
            lines.append(f"{name}, {images} images, {timeout} s:\n" + "\n".join(steps))
            lines.append(f"  heard {len(heard)}: {heard[:2]} {heard[-1:]}")
    lines.append(played(workflows.wait(service(), "t-1", timeout=0.0, images=1, progress=None), RUNNING))
    lines.append(played(workflows.wait(service(), "t-1", timeout=0.5, images=1, progress=None), RUNNING))
    odd: list[tuple[Any, Any]] = [(None, None), ("5", None), (True, None), (float("nan"), None), (5, 7)]
    for timeout, progress in odd:
        lines.append(played(workflows.wait(service(), "t-1", timeout=timeout, images=1, progress=progress), RUNNING))
    lines.append(played(workflows.wait(service(), " ", timeout=0.5, images=1, progress=None), RUNNING))
    return "\n".join(lines)


def delete(_: Path) -> str:
    gone = Scene(200, b'{"code":1000,"msg":"","data":{"status":"Success"}}', JSON)
    scripts: dict[str, list[Any]] = {
        "echo": [Scene(400, KEY.encode())],
        "gone": [gone],
        "lost once": [LOST, gone],
        "unknown": [UNKNOWN],
        "400": [Scene(400)],
        "for ever": [Scene(500)],
        "tls": [TLS],
        "401": [Scene(401)],
    }
    lines = [f"{name}:\n{played(workflows.delete(service(), ('a', 'b')), *script)}" for name, script in scripts.items()]
    lines += [played(workflows.delete(service(), taskids), gone) for taskids in ((), ("a", ""), (None,))]  # type: ignore[arg-type]  # the point
    return "\n".join(lines)


def asking(_: Path) -> str:
    from tensorslab_images.limits import INFO_BY_TASK_ID  # noqa: PLC0415 -- here alone

    lines = []
    channels: list[Any] = ["submit", "query", "download"]
    for channel in channels:
        for within in (None, 5.0, 5000.0):
            flow = service().ask(
                INFO_BY_TASK_ID, lambda: {"method": "x", "url": "y", "json": {"a": 1}}, channel, within=within
            )
            lines.append(played(flow, DONE))
    return "\n".join(lines)


WHOLE = png(9, 9)
KIND = {"content-type": "image/png"}
TAGGED = {**KIND, "etag": '"v1"', "accept-ranges": "bytes", "content-length": str(len(WHOLE))}
CUT = Failure("sent_full", "ReadError", "cut")


def _range(start: int, end: int = len(WHOLE)) -> dict[str, str]:
    return {
        **KIND,
        "etag": '"v1"',
        "content-range": f"bytes {start}-{end - 1}/{end}",
        "content-length": str(end - start),
    }


def download(folder: Path) -> str:
    moved = Scene(302, headers={"location": "/2.png"})
    scripts: dict[str, list[Any]] = {
        "whole": [Scene(200, [WHOLE[:30], WHOLE[30:]], {**KIND, "content-length": str(len(WHOLE))})], "no length": [Scene(200, WHOLE)], "jpeg": [Scene(200, jpeg())],
        "cut for ever": [Scene(200, [WHOLE[:30], CUT])], "cut, then whole": [Scene(200, [WHOLE[:30], CUT]), Scene(200, WHOLE)],
        "cut, resumed": [Scene(200, [WHOLE[:30], CUT], TAGGED), Scene(206, WHOLE[30:], _range(30))],
        "cut twice, resumed": [Scene(200, [WHOLE[:30], CUT], TAGGED), Scene(206, [WHOLE[30:40], CUT], _range(30)), Scene(206, WHOLE[40:], _range(40))],
        "resumed elsewhere": [Scene(200, [WHOLE[:30], CUT], TAGGED), Scene(206, WHOLE[20:], _range(20)), Scene(200, WHOLE)],
        "always another part": [Scene(206, WHOLE[20:], _range(20))], "partial at first": [Scene(206, WHOLE, KIND), Scene(200, WHOLE)], "resumed without a range": [Scene(200, [WHOLE[:30], CUT], TAGGED), Scene(206, WHOLE[30:], KIND), Scene(200, WHOLE)],
        "resumed, size unknown": [Scene(200, [WHOLE[:30], CUT], TAGGED), Scene(206, WHOLE[30:], {**_range(30), "content-range": f"bytes 30-{len(WHOLE) - 1}/*"})],
        "resumed whole": [Scene(200, [WHOLE[:30], CUT], TAGGED), Scene(200, WHOLE)], "weak tag": [Scene(200, [WHOLE[:30], CUT], {**TAGGED, "etag": 'W/"v"'}), Scene(200, WHOLE)],
        "no ranges": [Scene(200, [WHOLE[:30], CUT], {**TAGGED, "accept-ranges": "none"}), Scene(200, WHOLE)],
        "bad range": [Scene(200, [WHOLE[:30], CUT], TAGGED), Scene(416), Scene(200, WHOLE)], "cut at once": [Scene(200, [CUT], TAGGED), Scene(200, WHOLE)],
        "short": [Scene(200, WHOLE, {"content-length": "400"}), Scene(200, WHOLE)], "always short": [Scene(200, WHOLE, {"content-length": "400"})],
        "length of 16 digits": [Scene(200, WHOLE, {"content-length": "1" * 16})], "type without end": [Scene(200, b"<html>", {"content-type": "text/" + "x" * 100})], "odd length": [Scene(200, WHOLE, {"content-length": "x"})],
        "huge length": [Scene(200, WHOLE, {"content-length": "9" * 30})], "endless": [Scene(200, WHOLE[:-4])], "html": [Scene(200, b"<html>", {"content-type": "text/html"})],
        "html once": [Scene(200, b"<html>"), Scene(200, WHOLE)], "empty": [Scene(200, b"")], "told too large": [Scene(200, WHOLE, {"content-length": "501"})],
        "just fits": [Scene(200, b"BM" + (500).to_bytes(4, "little") + b"\0" * 494)], "too large": [Scene(200, [b"GIF89a" + b"x" * 300, b"y" * 195])],
        "gzip": [Scene(200, WHOLE, {"content-encoding": "gzip"})], "no coding": [Scene(200, WHOLE, {"content-encoding": ""})], "identity": [Scene(200, WHOLE, {"content-encoding": " Identity "})],
        "moved": [moved, Scene(200, WHOLE)], "moved far": [Scene(301, headers={"location": "https://other.example/x?sig=1"}), Scene(200, WHOLE)],
        "moved to http": [Scene(307, headers={"location": "http://other.example/x"})], "moved in": [Scene(308, headers={"location": "https://10.0.0.1/x"})],
        "moved nowhere": [Scene(303)], "moved badly": [Scene(302, headers={"location": "https://[x"})], "in circles": [moved], "five hops": [moved] * 5 + [Scene(200, WHOLE)],
        "304": [Scene(304)], "400": [Scene(400)], "408": [Scene(408), Scene(200, WHOLE)], "425": [Scene(425), Scene(200, WHOLE)], "429": [Scene(429), Scene(200, WHOLE)],
        "499": [Scene(499)], "echo": [Scene(403, headers={"x": KEY})], "500": [Scene(500), Scene(200, WHOLE)], "503 for ever": [Scene(503)], "refused": [REFUSED], "tls": [TLS],
        "too slow": [Scene(200, [(200.0, WHOLE[:30]), (200.0, WHOLE[30:])])], "204": [Scene(204)],
    }  # fmt: skip
    lines = []
    for number, (name, script) in enumerate(scripts.items()):
        lines.append(f"{name}:\n{_saved(folder / str(number), tuple(URLS), script)}")
    return "\n".join(lines)


def _saved(
    folder: Path,
    urls: tuple[str, ...],
    script: list[Any],
    *,
    images: int | None = 1,
    timeout: float = 300.0,
    **changes: Any,
) -> str:
    heard: list[Progress] = []
    options = DownloadOptions(timeout=timeout, max_bytes=500, progress=heard.append)
    flow = save(service(**changes), "t-1", urls, folder, images=images, options=options)
    told = played(flow, *script)
    files = (
        sorted((path.name, len(path.read_bytes())) for path in folder.rglob("*") if path.is_file())
        if folder.exists()
        else None
    )
    return f"{told}\n  files {files}\n  heard {len(heard)}: {heard[:1]} {heard[-1:]}"


def batches(folder: Path) -> str:
    two = ("https://img.example/1.png", "https://img.example/2.png")
    good, gone, bad = Scene(200, WHOLE), Scene(403, b"", {"x": "y"}), Scene(400)
    fresh = answer(1000, taskid="t-1", image_status=3, url=["https://img.example/n1.png", "https://img.example/n2.png"])
    stale = answer(1000, taskid="t-1", image_status=3, url=list(two))
    cases: dict[str, tuple[tuple[str, ...], list[Any], dict[str, Any]]] = {
        "both": (two, [good], {"images": 2}), "one missing": (two[:1], [good], {"images": 2}), "more than asked": (two, [good], {"images": 1}), "not told": (two, [good], {"images": None}),
        "first bad": (two, [bad, good], {"images": 2}), "both bad": (two, [bad], {"images": 2}), "odd in two ways": (two, [Scene(200, b"<html>"), Scene(200, b"<html>"), bad], {"images": 2}), "bad in two ways": (two, [bad, Scene(200, b"<html>")], {"images": 2}),
        "expired once": (two, [gone, fresh, good], {"images": 2}), "expired twice": (two, [gone, fresh, gone, fresh, good], {"images": 2}), "expired, same again": (two, [gone, stale, good], {"images": 2}),
        "expired, no answer": (two, [gone, Scene(404), good], {"images": 2}), "expired for ever": (two, [gone, fresh, gone, stale, gone], {"images": 2}), "404": (two[:1], [Scene(404), stale], {}),
        "410": (two[:1], [Scene(410), stale], {}), "none": ((), [good], {"images": None}), "local": (("http://127.0.0.1:9/1.png",), [good], {"local": True}),
        "patience": (two[:1], [Scene(500)], {"timeout": 2.0}), "no time": (two[:1], [Scene(500)], {"timeout": 0.0}), "two tries": (two[:1], [Scene(500)], {"retry": RetryPolicy(base=0.0)}),
    }  # fmt: skip
    lines = [
        f"{name}:\n{_saved(folder / name, urls, script, **changes)}" for name, (urls, script, changes) in cases.items()
    ]
    unsafe = ["http://a.example/x", "ftp://a.example/x", "file:///etc/passwd", "//a.example/x", "/x", "", "https:///x", "https://u@a.example/x", "https://:p@a.example/x",
              "https://a.example:99999/x", "https://[x", "https://localhost/x", "https://LOCALHOST./x", "https://a.localhost/x", "https://127.0.0.1/x", "https://[::1]/x",
              "https://10.1.2.3/x", "https://169.254.169.254/x", "https://[fe80::1%25eth0]/x", "https://8.8.8.8/x", "https://a.example/x", "javascript:x"]  # fmt: skip
    lines += [f"{url!r}:\n{_saved(folder / f'u{number}', (url,), [good])}" for number, url in enumerate(unsafe)]
    lines += [
        f"{url!r}, local:\n{_saved(folder / f'l{number}', (url,), [good], local=True)}"
        for number, url in enumerate(unsafe[:8])
    ]
    again = folder / "kept"
    lines += [f"kept:\n{_saved(again, two, [good], images=2)}\n{_saved(again, two, [good], images=2)}"]
    (folder / "file").write_bytes(b"")
    one_url = answer(1000, taskid="t-1", image_status=3, url=two[:1])
    heard: list[Progress] = []
    for images, script in ((2, [RUNNING, one_url, stale, good]), (None, [one_url, good]), (1, [FAILED])):
        flow = wait_and_save(
            service(),
            "t-1",
            folder / f"w{images}",
            images=images,
            timeout=9.0,
            options=DownloadOptions(progress=heard.append),
        )
        lines.append(f"waited for, {images}:\n{played(flow, *script)}\n  heard {[one.stage for one in heard]}")
    with patch.object(PartialFile, "finish", side_effect=OSError):
        lines.append(f"a disk that says nothing:\n{_saved(folder / 'silent', two[:1], [good])}")
    lines.append(f"no directory:\n{_saved(folder / 'file', two[:1], [good])}")
    return "\n".join(lines)


SCENES: dict[str, Callable[[Path], str]] = {
    "submit": submit, "replies_in_time": replies_in_time, "query": query, "wait": wait, "delete": delete, "asking": asking, "download": download, "batches": batches,
}  # fmt: skip
