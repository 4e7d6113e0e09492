"""What a relation of a client is: one sentence that must hold, and the examples that are derived from the page's facts.

Over every example lie the promises that hold whatever happens: an error is one of the tree, has the documented
attributes, can be pickled, and neither it nor any line that was logged shows the key or the signature of a URL.
"""

import contextlib
import io
import itertools
import logging
import pickle
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import httpx
from attrs import evolve, field, frozen
from contract.client_checks.checks import Check
from contract.client_checks.under_test import KEY, ClientUnderTest
from contract.recording_server import RecordingServer, Script
from seedream import RetryPolicy, errors
from seedream_testing.contract.api_facts import ApiFacts
from seedream_testing.contract.violation import Sent, Violation
from support.clock import FakeClock

SIGNATURE: Final = "MARKERsignature0123456789"  # of a URL: shown nowhere
LOCAL: Final = "http://127.0.0.1:9"  # where nobody listens: for a client with a transport of its own
SECRETS: Final = (KEY, KEY[3:], SIGNATURE)
_ABOUT_SUBMISSIONS: Final = (
    "PAY-ONCE",
    "PAY-KNOWN",
    "CODE-MEANING",
    "CODE-NO-DATA",
    "WIRE-EXACT",
    "AUTH-KEY",
    "SOURCE-IMAGE",
)
_KEPT: Final = (
    "message",
    "rule",
    "hint",
    "reply",
    "taskid",
    "billing",
    "retryable",
    "problems",
    "files",
    "errors",
    "retry_after",
    "phase",
    "digest",
    "at",
)
_LONGEST: Final = 6000  # of a message
_TESTS: Final = str(Path(__file__).resolve().parents[2])


@frozen
class Example:
    """One member of a family; ``run`` returns, or raises Violation."""

    name: str
    run: Callable[[ClientUnderTest], None]


@frozen
class ClientRelation:
    """One relation.

    Attributes:
        id: For example ``submit.status``.
        rule: Id of the rule that it guards.
        sentence: What must hold.
        examples: Derives the family from the facts of the page.
    """

    id: str
    rule: str
    sentence: str
    examples: Callable[[ApiFacts], Iterable[Example]]

    def check(self) -> Check[ClientUnderTest]:
        """Return the relation as a check, which runs all its examples."""

        def work(subject: ClientUnderTest, /) -> None:
            for example in self.examples(subject.facts):
                try:
                    with watched(self.rule):
                        example.run(subject)
                except Violation as violation:
                    violation.what = f"{example.name}: {violation.what}"
                    raise
                except Exception as error:
                    where = traceback.extract_tb(error.__traceback__)[-1]
                    what = f"{example.name}: ended in {type(error).__name__}: {error!s:.500} ({where.name})"
                    raise Violation(what, rule=self.rule) from error

        return Check(self.id, self.rule, self.sentence, work)


@frozen
class Outcome:
    """What became of a call.

    Attributes:
        value: What it returned.
        error: The error of the tree that it raised, if it did.
        sent: The requests that arrived.
        slept: The pauses (seconds).
        connections: How many connections were made.
        lines: The requests of each connection.
        open: How many connections are still open after the client was closed.
    """

    value: Any
    error: errors.SeeDreamError | None
    sent: list[Sent]
    slept: list[float]
    connections: int = 0
    lines: list[list[Sent]] = field(factory=list[list[Sent]])
    open: int = 0

    @property
    def shown(self) -> str:
        """The outcome in a few words."""
        what = repr(self.error if self.error is not None else self.value)[:300]
        return f"{len(self.sent)} requests, and {what}"

    def expect(
        self, kind: type[errors.SeeDreamError] | tuple[type[errors.SeeDreamError], ...] | None, *, rule: str,
        requests: int | None = None, **attributes: object,
    ) -> Any:  # fmt: skip
        """Return the error, or the value where ``kind`` is None.

        Raises:
            Violation: It is another, its attributes are others, or there were more or fewer requests.
        """
        sent = self.sent[-1] if self.sent else None
        if requests is not None and len(self.sent) != requests:
            found = "PAY-ONCE" if len(self.sent) > requests and rule in _ABOUT_SUBMISSIONS else rule
            raise Violation(f"{self.shown}, instead of {requests} requests", rule=found, sent=sent)
        if kind is None:
            if self.error is not None:
                raise Violation(f"it gave {self.error!r}", rule=rule, sent=sent)
            return self.value
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if type(self.error) not in kinds:
            names = " or ".join(one.__name__ for one in kinds)
            raise Violation(f"it gave {self.shown}, not {names}", rule=rule, sent=sent)
        for name, meant in attributes.items():
            if (got := getattr(self.error, name, None)) != meant:
                broken = "PAY-KNOWN" if name in ("billing", "taskid", "retryable") else rule
                raise Violation(f"{self.error!r} has {name}={got!r}, not {meant!r}", rule=broken, sent=sent)
        return self.error


def call(
    subject: ClientUnderTest, work: Callable[[Any], Any], script: Script = None, *, breaks: Iterable[int | None] = (),
    url: str = "", clock: FakeClock | None = None, key: str = KEY, settle: bool = False, **options: Any,
) -> Outcome:  # fmt: skip
    """Make a client for a server with this script, do something with it, and close it."""
    clock = clock or FakeClock()
    value, error = None, None
    with RecordingServer(script, breaks) as server:
        client = subject.factory(api_key=key, base_url=url or server.url, clock=clock, **options)
        try:
            value = work(client)
        except errors.SeeDreamError as raised:
            error = raised
            check_error(raised)
        finally:
            client.close()
        for _ in range(200 if settle else 0):
            if not server.open:
                break
            time.sleep(0.005)  # the server sees a moment later that a connection was closed
        return Outcome(value, error, server.sent, clock.slept, server.connections, server.lines, server.open)


def call_failing(subject: ClientUnderTest, work: Callable[[Any], Any], error: Exception) -> tuple[Outcome, int]:
    """Do something over a transport that raises this error at each of three tries; gives how often it was tried too."""
    tried: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        tried.append(request.url.path)
        raise error

    transport, retry = httpx.MockTransport(handle), RetryPolicy(attempts=3)
    return call(subject, work, url="https://api.example.com", transport=transport, retry=retry), len(tried)


def in_memory(subject: ClientUnderTest, work: Callable[[Any], Any], script: Script, **options: Any) -> Outcome:
    """Do what ``call`` does, over a caller's transport instead of a socket; no reply breaks the connection."""
    seen: list[Sent] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent = Sent(request.method, str(request.url), tuple(request.headers.items()), request.read())
        seen.append(sent)
        reply = script(sent) if callable(script) else script
        if reply is None:
            raise httpx.RemoteProtocolError("the server hung up")
        headers = {name: value for name, value in reply.headers.items() if value is not None}
        return httpx.Response(reply.status, content=reply.body, headers=headers)

    options = {"url": LOCAL, "transport": httpx.MockTransport(handle), **options}
    return evolve(call(subject, work, **options), sent=seen)


def pairwise(**factors: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Yield rows in which each value of a factor meets each value of every other one; few of them."""
    names = list(factors)
    missing = {
        ((one, first), (two, second)): None
        for one, two in itertools.combinations(names, 2)
        for first, second in itertools.product(range(len(factors[one])), range(len(factors[two])))
    }
    while missing:
        row = dict(next(iter(missing)))
        for name in names:
            if name not in row:
                gain = [
                    sum(tuple(sorted(((name, place), one), key=_by(names))) in missing for one in row.items())
                    for place in range(len(factors[name]))
                ]
                row[name] = gain.index(max(gain))
        for pair in itertools.combinations(sorted(row.items(), key=_by(names)), 2):
            missing.pop(pair, None)
        yield {name: factors[name][row[name]] for name in names}


def _by(names: Sequence[str]) -> Callable[[tuple[str, int]], int]:
    return lambda chosen: names.index(chosen[0])


def submits(**options: Any) -> Callable[[Any], Any]:
    """Return what submits with these options."""
    return lambda client: client.submit(**{"prompt": "a fish", **options})


def check_error(error: errors.SeeDreamError) -> None:
    """What holds of every error: documented attributes, a message, no secret anywhere, and it can be pickled.

    Raises:
        Violation: Something of that does not hold.
    """
    local = [f"{name}={value!r}" for frame in _frames(error) for name, value in frame.f_locals.items()]
    texts = [str(error), repr(error), repr(vars(error)), repr(error.args), *getattr(error, "__notes__", []), *local]
    chain, cause = [], error.__cause__ or error.__context__
    while cause is not None:
        chain.append(f"{cause} {cause!r} {vars(cause)!r}")
        cause = cause.__cause__ or cause.__context__
    pickled = pickle.dumps(error)
    for text in (*texts, *chain, pickled.decode("latin-1")):
        if any(secret in text for secret in SECRETS):
            raise Violation(f"a secret is on {type(error).__name__}: {_around(text)}", rule="KEY-PRIVATE")
    again = pickle.loads(pickled)  # noqa: S301 -- our own
    for name in _KEPT:
        if repr(getattr(again, name, None)) != repr(getattr(error, name, None)):
            raise Violation(f"{name} of {error!r} is lost in a pickle", rule="ERROR-TREE")
    if len(str(error)) > _LONGEST or any(ord(sign) < 32 and sign != "\n" for sign in str(error)):
        raise Violation(f"the message of {type(error).__name__} is {str(error)[:300]!r}", rule="ERROR-TREE")
    if error.billing not in ("no", "yes", "unknown") or not isinstance(error.retryable, bool) or not str(error).strip():
        raise Violation(f"{error!r} has billing={error.billing!r}, retryable={error.retryable!r}", rule="ERROR-TREE")


def _frames(error: BaseException | None) -> Generator[FrameType]:
    """Yield the frames of a traceback but for the tests' own, which hold the key."""
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if not frame.f_code.co_filename.startswith(_TESTS):
                yield frame
        error = error.__cause__ or error.__context__


def _around(text: str) -> str:
    place = min(text.find(secret) for secret in SECRETS if secret in text)
    return repr(text[max(0, place - 60) : place + 10])


class _Lines(logging.Handler):
    """Keeps what is logged, as it would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def watched(rule: str) -> Generator[None]:
    """Everything is logged; no line, no warning and nothing that is printed may show a secret."""
    del rule
    handler, root, printed = _Lines(), logging.getLogger(), io.StringIO()
    before, handlers = root.level, root.handlers
    root.handlers = [handler]  # no other one gets the many lines
    root.setLevel(logging.DEBUG)
    try:
        with (
            warnings.catch_warnings(record=True) as caught,
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            warnings.simplefilter("always")
            yield
    finally:
        root.setLevel(before)
        root.handlers = handlers
    for text in (*handler.lines, *(str(one.message) for one in caught), printed.getvalue()):
        if any(secret in text for secret in SECRETS):
            raise Violation(f"a secret is in a log, a warning or the output: {_around(text)}", rule="KEY-PRIVATE")


def family(table: Mapping[str, Callable[[ClientUnderTest], None]]) -> list[Example]:
    """Return examples from their names and functions."""
    return [Example(name, run) for name, run in table.items()]


def require(holds: object, what: str, rule: str, sent: Sent | None = None) -> None:
    """Raise a Violation unless it holds."""
    if not holds:
        raise Violation(what, rule=rule, sent=sent)
