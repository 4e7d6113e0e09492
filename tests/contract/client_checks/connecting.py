"""Connections: who shares them, who is trusted, how long they may take; and the caller's own functions and settings."""

import os
import re
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import trustme
from attrs import evolve
from contract.client_checks.fetching import fetch, whole
from contract.client_checks.relation import ClientRelation, Example, call, check_error, require, submits
from contract.client_checks.under_test import KEY, TASK, ClientUnderTest
from contract.recording_server import RecordingServer, ScriptedReply, envelope
from seedream import InvalidResolution, Resolution, RetryPolicy, Timeouts, errors
from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.samples import jpeg, png
from seedream_testing.contract.violation import Sent
from support.clock import FakeClock

_JSON: Final = {"content-type": "application/json"}
_PASSWORD: Final = "MARKERpassword98765"


def _kept(reply: ScriptedReply) -> ScriptedReply:
    return evolve(reply, headers={**reply.headers, "connection": "keep-alive"})


# --- who shares them --------------------------------------------------------------------------------------------------
def _sharing(facts: ApiFacts) -> Iterator[Example]:
    """Each submission has a connection of its own, queries share one, and none carries both key and pictures."""
    state = _kept(envelope(facts.success, {"taskid": TASK, "image_status": facts.processing}))

    def apart(subject: ClientUnderTest) -> None:
        outcome = call(
            subject, lambda client: [client.submit("a fish") for _ in range(4)], _kept(subject.accepted()), settle=True
        )
        outcome.expect(None, rule="PAY-ONCE", requests=4)
        require(
            all(len(line) == 1 for line in outcome.lines),
            f"connections carried {list(map(len, outcome.lines))} submissions",
            "PAY-ONCE",
        )
        require(not outcome.open, f"{outcome.open} connections are open after the end", "ERROR-TREE")

    yield Example("four submissions", apart)

    def shared(subject: ClientUnderTest) -> None:
        def work(client: Any) -> Any:
            return client.call(_query_often) if hasattr(client, "call") else [client.query(TASK) for _ in range(5)]

        outcome = call(subject, work, state, settle=True)
        outcome.expect(None, rule="STATUS-MEANING", requests=5)
        require(outcome.connections == 1, f"five queries took {outcome.connections} connections", "WIRE-HTTP")
        require(not outcome.open, f"{outcome.open} connections are open after the end", "ERROR-TREE")

    yield Example("five queries", shared)

    def gone(subject: ClientUnderTest) -> None:
        """The server closes a connection that it said it would keep."""

        def work(client: Any) -> Any:
            return client.call(_query_often) if hasattr(client, "call") else [client.query(TASK) for _ in range(5)]

        closing = evolve(state, wire=state.raw[0] + state.raw[1])  # without a word, after each reply
        outcome = call(subject, work, closing)
        results = outcome.expect(None, rule="STATUS-MEANING")
        require(len(results) == 5, f"it gave {results!r}", "STATUS-MEANING")

    yield Example("kept connections that the server closes", gone)

    def pictures(subject: ClientUnderTest) -> None:
        def script(sent: Sent) -> ScriptedReply:
            if sent.method == "GET":
                return _kept(whole(png(shade=int(sent.path[-1]))))
            if sent.path == facts.submit:
                return _kept(subject.accepted())
            base = sent.url.rpartition("/v1")[0]
            urls = [f"{base}/{number}" for number in range(4)]
            return _kept(envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, "url": urls}))

        with tempfile.TemporaryDirectory() as folder:
            outcome = call(
                subject, lambda client: client.generate("a fish", batchsize=4, output_dir=folder), script, settle=True
            )
        outcome.expect(None, rule="SERVER-PICTURES")
        for line in outcome.lines:
            kinds = {"picture" if sent.method == "GET" else sent.path for sent in line}
            require(len(kinds) == 1, f"one connection carried {kinds}", "KEY-PRIVATE")
        require(not outcome.open, f"{outcome.open} connections are open after the end", "ERROR-TREE")

    yield Example("pictures from the API's own host", pictures)


async def _query_often(client: Any) -> list[Any]:
    return [await client.query(TASK) for _ in range(5)]


# --- who is trusted ---------------------------------------------------------------------------------------------------
class _Authority:
    """A certificate authority that nobody knows, and servers with its certificates; made when first needed."""

    _made: trustme.CA | None = None

    @classmethod
    def authority(cls) -> trustme.CA:
        cls._made = cls._made or trustme.CA()
        return cls._made

    @classmethod
    @contextmanager
    def serving(cls, name: str, reply: bytes) -> Generator[tuple[str, list[bytes], list[int]]]:
        """Serve over TLS as this host on loopback; gives the URL, what was asked, and how many connections were made."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.authority().issue_cert(name).configure_cert(context)
        asked, made = list[bytes](), [0]
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                made[0] += 1
                with sock, suppress(OSError):
                    sock.settimeout(5)
                    with context.wrap_socket(sock, server_side=True) as line:
                        asked.append(line.recv(65536))
                        line.sendall(reply)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"https://127.0.0.1:{listener.getsockname()[1]}", asked, made
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def _trust(facts: ApiFacts) -> Iterator[Example]:
    """A certificate of an unknown authority or for another host is refused before a byte of a request leaves, once."""

    del facts

    def api(subject: ClientUnderTest, name: str, known: bool) -> None:
        reply = b"".join(subject.accepted().raw)
        with _Authority.serving(name, reply) as (url, asked, made), tempfile.TemporaryDirectory() as folder:
            bundle = Path(folder) / "ca.pem"
            _Authority.authority().cert_pem.write_to_path(str(bundle))
            clock = FakeClock()
            options: dict[str, Any] = {"verify": str(bundle)} if known else {}
            outcome = call(subject, submits(), url=url, clock=clock, **options)
            if known and name == "127.0.0.1":
                require(
                    outcome.expect(None, rule="KEY-PRIVATE").id == TASK and len(asked) == 1,
                    f"it gave {outcome.shown}",
                    "KEY-PRIVATE",
                )
                return
            outcome.expect(errors.NotSent, rule="KEY-PRIVATE", billing="no", retryable=False)
            require(
                not asked and made[0] == 1 and not clock.slept,
                f"{made[0]} connections were made, and {asked} was asked",
                "KEY-PRIVATE",
            )

    for name, known in (("127.0.0.1", False), ("127.0.0.1", True), ("other.example", True), ("other.example", False)):
        yield Example(
            f"the API as {name}, {'a known' if known else 'an unknown'} authority", partial(api, name=name, known=known)
        )

    def host(subject: ClientUnderTest) -> None:
        reply = b"".join(whole(png()).raw)
        with _Authority.serving("127.0.0.1", reply) as (url, asked, _):
            found = fetch(subject, None, [f"{url}/1.png"])
            found.outcome.expect(errors.DownloadError, rule="KEY-PRIVATE", billing="yes", retryable=False)
            require(not asked and not found.files, f"it asked {asked}", "KEY-PRIVATE")

    yield Example("an image host of an unknown authority", host)

    def proxied(subject: ClientUnderTest, environment: bool) -> None:
        with RecordingServer(ScriptedReply(502)) as proxy:
            there = proxy.url.replace("://", f"://user:{_PASSWORD}@")
            variables = (
                {"HTTPS_PROXY": there, "https_proxy": there, "NO_PROXY": "", "no_proxy": ""} if environment else {}
            )
            with patch.dict(os.environ, variables):
                options: dict[str, Any] = {} if environment else {"proxy": there}
                outcome = call(
                    subject, submits(), url="https://api.example.com", retry=RetryPolicy(attempts=2), **options
                )
            outcome.expect(errors.NotSent, rule="KEY-PRIVATE", billing="no", retryable=True)
            shown = f"{outcome.error} {outcome.error!r} {vars(outcome.error)!r}"
            require(_PASSWORD not in shown, f"the proxy's password is shown: {shown}", "KEY-PRIVATE")
            require(len(proxy.sent) == 2, f"the proxy was asked {len(proxy.sent)} times, not twice", "PAY-KNOWN")
            for sent in proxy.sent:
                require(
                    sent.method == "CONNECT" and sent.url.endswith("api.example.com:443"),
                    f"the proxy got {sent.method} {sent.url}",
                    "KEY-PRIVATE",
                )
                require(
                    KEY not in repr(sent.headers) and not sent.header("authorization"),
                    "the key went to the proxy",
                    "KEY-PRIVATE",
                )
                require(sent.header("proxy-authorization"), "the proxy got no password", "WIRE-HTTP")

    def at_home(subject: ClientUnderTest) -> None:
        with RecordingServer(ScriptedReply(502)) as proxy:
            names = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
            variables = dict.fromkeys((*names, *map(str.lower, names)), proxy.url)
            with patch.dict(os.environ, {**variables, "NO_PROXY": "", "no_proxy": ""}):
                outcome = call(subject, submits(), subject.accepted())
            outcome.expect(None, rule="KEY-PRIVATE", requests=1)
            require(not proxy.sent, "what is on this machine was asked of a proxy", "KEY-PRIVATE")

    yield Example("a proxy, and a service on this machine", at_home)
    yield Example("a proxy that refuses", partial(proxied, environment=False))
    yield Example("a proxy of the environment that refuses", partial(proxied, environment=True))


# --- how long they may take -------------------------------------------------------------------------------------------
def _times(facts: ApiFacts) -> Iterator[Example]:
    """Each phase has its own limit: a slow reply is waited for as long as its own limit says, a stall is not."""
    good = envelope(facts.success, {"taskid": TASK, "image_status": facts.completed, "url": ["https://i.example/1"]})

    def slow(subject: ClientUnderTest, work: Callable[[Any], Any], limits: Timeouts) -> None:
        def late(sent: Sent) -> ScriptedReply:
            time.sleep(0.35)
            return good if sent.method == "POST" else whole(png())

        outcome = call(subject, work, late, timeouts=limits)
        outcome.expect(None, rule="PAY-KNOWN", requests=1)

    short = 0.1
    yield Example(
        "a slow reply to a submission",
        partial(slow, work=submits(), limits=Timeouts(submit_read=20, query_read=short, download_read=short)),
    )
    yield Example(
        "a slow reply to a query",
        partial(
            slow,
            work=lambda client: client.query(TASK),
            limits=Timeouts(submit_read=short, query_read=20, download_read=short),
        ),
    )

    def stalled(subject: ClientUnderTest) -> None:
        began = time.monotonic()
        outcome = call(
            subject,
            submits(source_images=[jpeg() + b"x" * 8_000_000]),
            subject.accepted(),
            breaks=[-70_000],
            timeouts=Timeouts(write=0.3),
        )
        outcome.expect(errors.SubmissionUnknown, rule="PAY-ONCE", requests=1, billing="unknown", phase="sent_partial")
        require(time.monotonic() - began < 20, "a stalled upload did not end in time", "PAY-ONCE")

    yield Example("an upload that stalls", stalled)

    def picture(subject: ClientUnderTest, seconds: float) -> None:
        clock = FakeClock()

        def pass_time() -> None:
            clock.now += seconds

        found = fetch(subject, evolve(whole(png(64, 64)), midway=pass_time), clock=clock)
        if seconds < 300:
            found.outcome.expect(None, rule="SERVER-PICTURES")
        else:
            found.outcome.expect((errors.Truncated, errors.DownloadError), rule="SERVER-PICTURES", taskid=TASK)
            require(not found.files and len(found.asked) == 1, f"it asked {len(found.asked)} times", "SERVER-PICTURES")

    for seconds in (0.0, 200.0, 301.0, 10_000.0):
        yield Example(f"a picture that takes {seconds:.0f} s", partial(picture, seconds=seconds))

    def stalls(subject: ClientUnderTest) -> None:
        answers = [evolve(whole(png(64, 64)), cut=100, end="stall"), whole(png(64, 64))]
        found = fetch_with(subject, lambda _: answers.pop(0), timeouts=Timeouts(download_read=0.25))
        found.outcome.expect(None, rule="SERVER-PICTURES")
        require(len(found.asked) == 2, f"it asked {len(found.asked)} times", "SERVER-PICTURES")

    yield Example("a picture that stalls, then comes", stalls)

    def connects(subject: ClientUnderTest, secure: bool) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            host, port = listener.getsockname()
            fill = [] if secure else [_begun(host, port) for _ in range(3)]  # the queue is full: the next one waits
            began = time.monotonic()
            limits = Timeouts(connect=0.3)
            outcome = call(
                subject,
                submits(),
                url=f"http{'s' if secure else ''}://{host}:{port}",
                timeouts=limits,
                retry=RetryPolicy(attempts=1),
            )
            for sock in fill:
                sock.close()
        outcome.expect(errors.NotSent, rule="PAY-KNOWN", billing="no", retryable=True)
        require(time.monotonic() - began < 10, "it did not end in time", "PAY-KNOWN")

    yield Example("nobody takes the connection", partial(connects, secure=False))
    yield Example("nobody answers the TLS handshake", partial(connects, secure=True))

    def when(subject: ClientUnderTest) -> None:
        clock = FakeClock()
        digests = set()
        for prompt in ("a fish", "a fish", "another fish"):
            outcome = call(subject, submits(prompt=prompt), None, clock=clock)
            error = outcome.expect(errors.SubmissionUnknown, rule="PAY-ONCE", requests=1)
            require(abs(error.at - clock.time()) < 1, f"it happened at {error.at}, not {clock.time()}", "PAY-KNOWN")
            digests.add(error.digest)
        require(len(digests) == 2, "equal requests have other digests, or other ones equal digests", "PAY-KNOWN")

    yield Example("when it happened, and what was sent", when)

    def settings(subject: ClientUnderTest) -> None:
        del subject
        bad: list[Any] = [0, -1, "5", True, float("nan"), None]
        names = ("connect", "write", "submit_read", "query_read", "download_read")
        wrong: list[tuple[Any, dict[str, Any]]] = [(Timeouts, {name: value}) for name in names for value in bad]
        wrong += [(RetryPolicy, {"attempts": value}) for value in (0, 1.5, True, "3", None)]
        wrong += [(RetryPolicy, {name: value}) for name in ("base", "cap", "retry_after_cap") for value in bad[1:]]
        for kind, options in wrong:
            try:
                made = kind(**options)
            except errors.ConfigError as error:
                check_error(error)
                continue
            require(holds=False, what=f"{made!r} was taken", rule="PAY-KNOWN")

    yield Example("settings that cannot be", settings)


def _begun(host: str, port: int) -> socket.socket:
    """Begin a connection, and do not wait for it."""
    sock = socket.socket()
    sock.setblocking(False)  # noqa: FBT003 -- the method's own
    with suppress(BlockingIOError):
        sock.connect((host, port))
    return sock


def fetch_with(subject: ClientUnderTest, host: Any, **options: Any) -> Any:
    """Save one picture with a client that has these options."""
    return fetch(evolve(subject, factory=lambda **given: subject.factory(**given, **options)), host)


# --- the caller's functions -------------------------------------------------------------------------------------------
class _StopError(Exception):
    """A caller's own."""


def _callbacks(facts: ApiFacts) -> Iterator[Example]:
    """What the caller's own function raises reaches the caller, nothing is left behind, and the paid task is named."""

    def stops(subject: ClientUnderTest, stage: str, generate: bool) -> None:
        seen: list[Any] = []
        left: list[str] = []
        notes: list[str] = []

        def progress(event: Any) -> None:
            seen.append(event)
            if event.stage == stage:
                raise _StopError(stage)

        def work(client: Any, folder: Path) -> Any:
            try:
                if generate:
                    return client.generate("a fish", output_dir=folder, progress=progress)
                return client.task(TASK).save(folder, progress=progress)
            except _StopError as error:
                notes.extend(getattr(error, "__notes__", []))
                left.extend(
                    path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".png")
                )
                raise

        try:
            found = fetch(subject, whole(png(300, 300)), work=work)
        except _StopError:
            require(not left, f"{left} was left behind", "FILE-WHOLE")
            require(
                not generate or any(TASK in note for note in notes),
                f"nothing names the paid task: {notes}",
                "PAY-KNOWN",
            )
            return
        require(holds=False, what=f"the caller's own error was swallowed: {found.outcome.shown}", rule="ERROR-TREE")

    for stage in ("waiting", "downloading", "saved"):
        for generate in (False, True):
            yield Example(
                f"it raises while {stage}{' of generate' if generate else ''}",
                partial(stops, stage=stage, generate=generate),
            )

    def retried(subject: ClientUnderTest) -> None:
        answers = [ScriptedReply(429), ScriptedReply(429)]
        events: list[Any] = []
        state = envelope(facts.success, {"taskid": TASK, "image_status": facts.failed})

        def script(sent: Sent) -> ScriptedReply:
            return state if sent.path != facts.submit else answers.pop(0) if answers else subject.accepted()

        outcome = call(
            subject, lambda client: client.generate("a fish", output_dir=None, progress=events.append), script
        )
        outcome.expect(errors.TaskFailed, rule="PAY-KNOWN", taskid=TASK)
        told = [(event.stage, event.taskid) for event in events]
        require(told == [("retrying", ""), ("retrying", ""), ("waiting", TASK)], f"it told {told}", "PAY-KNOWN")
        require(
            [event.pause for event in events[:2]] == outcome.slept,
            f"it told other pauses than {outcome.slept}",
            "PAY-KNOWN",
        )

    yield Example("it hears of each new try", retried)

    def awaited(subject: ClientUnderTest) -> None:
        events: list[Any] = []

        async def progress(event: Any) -> None:
            events.append(event)

        done = envelope(
            facts.success, {"taskid": TASK, "image_status": facts.completed, "url": ["https://i.example/1"]}
        )
        outcome = call(subject, lambda client: client.task(TASK).wait(timeout=5, progress=progress), done)
        if outcome.error is not None:
            outcome.expect(errors.InvalidRequest, rule="ERROR-TREE", requests=0)
        else:
            require(len(events) == 1, "a coroutine function was called, and not awaited", "ERROR-TREE")

    yield Example("it is a coroutine function", awaited)


# --- on the disk ------------------------------------------------------------------------------------------------------
def _durable(facts: ApiFacts) -> Iterator[Example]:
    """A picture is on the disk before it gets its name, and its name before the call returns."""
    del facts

    def run(subject: ClientUnderTest) -> None:
        events: list[tuple[str, str]] = []
        fsync, replace, rename = os.fsync, os.replace, os.rename

        def synced(fd: int) -> None:
            kind = "folder" if Path(f"/proc/self/fd/{fd}").is_dir() else "file"
            events.append(("sync", kind))
            fsync(fd)

        def moved(real: Callable[..., None], source: Any, target: Any, **more: Any) -> None:
            events.append(("name", Path(target).suffix))
            real(source, target, **more)

        with (
            patch.object(os, "fsync", synced),
            patch.object(os, "replace", partial(moved, replace)),
            patch.object(os, "rename", partial(moved, rename)),
        ):
            found = fetch(subject, whole(png()))
        found.outcome.expect(None, rule="FILE-WHOLE")
        require(("name", ".png") in events, "it was not renamed, so it was there before it was whole", "FILE-WHOLE")
        place = events.index(("name", ".png"))
        require(
            ("sync", "file") in events[:place], f"it got its name before it was on the disk: {events}", "FILE-WHOLE"
        )
        require(("sync", "folder") in events[place:], f"its name was not on the disk: {events}", "FILE-WHOLE")

    if Path("/proc/self/fd").is_dir():
        yield Example("the order of sync and rename", run)


# --- resolutions as values --------------------------------------------------------------------------------------------
def _values(facts: ApiFacts) -> Iterator[Example]:
    """A resolution tells what it is; what is none is refused with the nearest legal one."""

    def good(subject: ClientUnderTest, value: str, kind: str) -> None:
        del subject
        made = Resolution(value)
        sides = tuple(map(int, value.split("x"))) if kind == "size" else (None, None)
        pixels = None if sides[0] is None or sides[1] is None else sides[0] * sides[1]
        found = (str(made), made.wire, made.kind, made.width, made.height, made.pixels)
        require(found == (value, value, kind, *sides, pixels), f"{value} is {found}", "RES-FORMAT")
        require(
            made == Resolution.parse(f" {value} ") == Resolution(made) and hash(made) == hash(Resolution(value)),
            f"{value} is not equal to itself",
            "RES-FORMAT",
        )

    for value in facts.ratios:
        yield Example(value, partial(good, value=value, kind="ratio"))
    for value in facts.tiers:
        yield Example(value, partial(good, value=value, kind="tier"))

    def typed(subject: ClientUnderTest) -> None:
        del subject
        full = str.maketrans("0123456789:", "０１２３４５６７８９：")
        for value in (*facts.ratios, "2560x1440", "3750x1250", "4096x4096", "1689x9871"):
            for given in (value.translate(full), f" {value} ", value.replace("x", "X"), value.replace("x", "×")):
                require(str(Resolution(given)) == value, f"{given!r} is {Resolution(given)}", "RES-FORMAT")

    yield Example("what people type", typed)
    for value in ("2048x2048", "2560x1440", "1440x2560", "4096x4096", "3750x1250"):
        yield Example(value, partial(good, value=value, kind="size"))

    def nearest(subject: ClientUnderTest, value: str, meant: str | None) -> None:
        outcome = call(subject, submits(resolution=value), subject.accepted())
        error = outcome.expect((errors.InvalidRequest, InvalidResolution), rule="RES-PIXELS", requests=0)
        hint = error.problems[0].hint
        sizes = [size for size in re.findall(r"(\d+)x(\d+)", hint) if f"{size[0]}x{size[1]}" != value]
        require(sizes, f"{value}: the hint names no size: {hint!r}", "RES-PIXELS")
        for width, height in sizes:
            require(
                facts.least_pixels <= int(width) * int(height) <= facts.most_pixels,
                f"{value}: the hint names {width}x{height}",
                "RES-PIXELS",
            )
        require(meant is None or meant in hint, f"{value}: the hint is {hint!r}, not {meant}", "RES-PIXELS")
        try:
            Resolution(value)
        except InvalidResolution as refusal:
            require(
                refusal.rule == "RES-PIXELS" and isinstance(refusal, ValueError),
                f"{refusal!r} names {refusal.rule}",
                "RES-PIXELS",
            )
        else:
            require(holds=False, what=f"Resolution({value!r}) was made", rule="RES-PIXELS")

    for value, meant in {
        "1920x1080": "2560x1440",
        "1080x1920": "1440x2560",
        "1024x1024": "1920x1920",
        "8192x8192": "4096x4096",
        "1x1": None,
        "99999x1": None,
        "5000x5000": "4096x4096",
        "1500x1500": "1920x1920",
        "1000x3000": None,
    }.items():
        yield Example(f"the nearest to {value}", partial(nearest, value=value, meant=meant))

    def tree(subject: ClientUnderTest) -> None:
        del subject
        parents = {"SeeDreamError": "InvalidRequest ConfigError NotSent Refused SubmissionUnknown TaskFailed WaitTimeout StatusError DownloadError JournalError", "InvalidRequest": "InvalidResolution",
                   "Refused": "RateLimited InsufficientCredits AuthError Rejected", "StatusError": "TaskNotFound", "DownloadError": "ResultExpired Truncated NotAPicture TooLarge UnsafeUrl DiskError", "JournalError": "JournalLocked JournalFull BudgetReached JournalTooNew"}  # fmt: skip
        for parent, names in parents.items():
            for name in names.split():
                bases = [base.__name__ for base in getattr(errors, name).__mro__[1:] if hasattr(errors, base.__name__)]
                require(bases[:1] == [parent], f"{name} is a {bases[:1]}, not a {parent}", "ERROR-TREE")

    yield Example("the tree of errors", tree)

    def several(subject: ClientUnderTest) -> None:
        outcome = call(
            subject,
            submits(
                prompt=" ", batchsize=99, resolution="1x1", image_url="nowhere", source_images=[b"text"], category=5
            ),
            subject.accepted(),
        )
        error = outcome.expect(errors.InvalidRequest, rule="WIRE-EXACT", requests=0)
        fields = sorted(problem.field for problem in error.problems)
        meant = sorted(["prompt", "batchsize", "resolution", "image_url", "source_images", "category"])
        require(fields == meant and isinstance(error, ValueError), f"of six problems it tells {fields}", "WIRE-EXACT")
        require(all(problem.field in str(error) for problem in error.problems), f"the message is {error}", "WIRE-EXACT")

    yield Example("six problems at once", several)


RELATIONS: Final = (
    ClientRelation(
        "connection.share",
        "KEY-PRIVATE",
        "Each submission has a connection of its own, queries share one, pictures none with the key; all are closed at the end.",
        _sharing,
    ),
    ClientRelation(
        "connection.trust",
        "KEY-PRIVATE",
        "Who is not trusted gets no byte of a request, and a proxy gets neither key nor request.",
        _trust,
    ),
    ClientRelation(
        "connection.time",
        "PAY-KNOWN",
        "Each phase has its own limit; what moves is waited for, a stall is not.",
        _times,
    ),
    ClientRelation(
        "caller.callback",
        "PAY-KNOWN",
        "What the caller's function raises reaches the caller; nothing is left behind, and the paid task is named.",
        _callbacks,
    ),
    ClientRelation(
        "picture.durable",
        "FILE-WHOLE",
        "A picture is on the disk before it gets its name, and its name before the call returns.",
        _durable,
    ),
    ClientRelation(
        "value.resolution",
        "RES-PIXELS",
        "A resolution tells what it is; what is none is refused with the nearest legal one, and every problem is told at once.",
        _values,
    ),
)
