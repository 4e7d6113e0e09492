"""No error of an exchange keeps another exception behind it, whose frames would hold the request with its key."""

import re
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import anyio
import httpcore
import httpx
import pytest
from seedream import RetryPolicy, SeeDreamError, Timeouts, errors
from seedream._protocol.effects import Request, SendRequest
from seedream._request.submission import check_submit
from seedream._transport.async_http import AsyncHTTP
from seedream._transport.http import HttpStream, SyncHTTP
from seedream._transport.send_tracker import SendTracker
from support.clients import KEY, Both
from support.scripted_server import Action, ScriptedServer, reply
from support.single_task_server import Again, answer

ONCE = {"retry": RetryPolicy(attempts=1), "timeouts": Timeouts(connect=5.0)}
BEARER = f"Bearer {KEY}"
_OURS = re.compile(r"[/\\](seedream|httpx|httpcore|h11)[/\\]")


@contextmanager
def raised_by_itself(kind: type[BaseException] = SeeDreamError) -> Iterator[pytest.ExceptionInfo[BaseException]]:
    """The block raises such an error with no other behind it; no frame of the client or its library holds the key."""
    with pytest.raises(kind) as caught:
        yield caught
    error = caught.value
    assert (error.__cause__, error.__context__) == (None, None)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if _OURS.search(frame.f_code.co_filename)]
    assert frames, "it comes from the client"
    assert [frame.f_code.co_qualname for frame in frames if KEY in repr(frame.f_locals)] == []


def drop(connection: Any) -> None:
    connection.read_request()


def cut(connection: Any) -> None:
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{")


def garbage(connection: Any) -> None:
    connection.read_request()
    connection.send(b"\x00\x01\r\n\r\n")


def said(status: int, code: int = 9000) -> Action:
    return reply(status, b'{"code":%d,"msg":"no"}' % code)


def submit(client: Any) -> Any:
    return client.submit("x")


def save(client: Any) -> Any:
    return client.task("abcd_1").save(timeout=100)


ENDS: dict[str, tuple[Action, Callable[[Any], Any], type[SeeDreamError]]] = {
    "a submission is dropped": (drop, submit, errors.SubmissionUnknown),
    "a submission's reply is cut": (cut, submit, errors.SubmissionUnknown),
    "a submission's reply is no HTTP": (garbage, submit, errors.SubmissionUnknown),
    "a submission is refused": (said(400), submit, errors.Rejected),
    "a submission is one too many": (said(429), submit, errors.RateLimited),
    "the key is refused": (said(401), submit, errors.AuthError),
    "a redirect": (reply(302, b"", {"location": "/x"}), submit, errors.SubmissionUnknown),
    "no such path": (reply(404, b""), submit, errors.ConfigError),
    "a query is dropped": (drop, lambda client: client.query("abcd_1"), errors.StatusError),
    "a query's reply is cut": (cut, lambda client: client.query("abcd_1"), errors.StatusError),
    "no such task": (said(200, 9999), lambda client: client.query("abcd_1"), errors.TaskNotFound),
    "a deletion is dropped": (drop, lambda client: client.delete("abcd_1", "b"), errors.StatusError),
    "a wait ends": (drop, save, errors.WaitTimeout),
    "a task failed": (answer(image_status=4), save, errors.TaskFailed),
    "a task without pictures": (answer(image_status=3, url=["", ""]), save, errors.DownloadError),
}


@pytest.mark.parametrize("end", ENDS)
def test_an_exchange_that_fails(both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    monkeypatch.chdir(tmp_path)
    action, work, kind = ENDS[end]
    with ScriptedServer(action) as server, raised_by_itself(kind):
        both.call(work, base_url=server.url, **ONCE)


def test_nobody_listens(both: Both) -> None:
    with ScriptedServer(drop) as server:
        url = server.url
    with raised_by_itself(errors.NotSent):
        both.call(submit, base_url=url, **ONCE)


@pytest.mark.parametrize("url", ["{url}/1.png", "http://127.0.0.1:1/1.png", "{url}/cut"])
@pytest.mark.parametrize("end", [drop, cut, reply(404), reply(200, b"no picture")])
def test_a_picture_is_missing(both: Both, tmp_path: Path, url: str, end: Action) -> None:
    def act(connection: Any) -> None:
        path = connection.read_request().split(b" ")[1]
        pictures = answer(image_status=3, url=[url.format(url=server.url), url.format(url=server.url)])
        (pictures if path.endswith(b"taskid") else end)(Again(connection))

    with ScriptedServer(act) as server, raised_by_itself(errors.DownloadError) as caught:
        both.call(lambda client: client.task("abcd_1").save(tmp_path), base_url=server.url, **ONCE)
    for error in caught.value.errors.values():  # type: ignore[attr-defined]  # a DownloadError
        assert (error.__cause__, error.__context__) == (None, None)


# --- errors of ours that stop a request on its way --------------------------------------------------------------------
class Full:
    """A record that has no room."""

    def begin(self) -> None:
        raise errors.JournalFull("no room")

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


class Broken(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that reports no step, and fails or answers."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == BEARER, "in a frame of the library's error"
        if self._error is not None:
            raise self._error
        return httpx.Response(200, content=b"{}")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.handle_request(request)


TRANSPORTS = [None, *map(Broken, (None, httpx.ReadError("x"), httpx.ConnectError("x"), ValueError("x"), OSError("x")))]


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda one: repr(one and one._error))
def test_a_submission_cannot_be_recorded(both: Both, transport: Any) -> None:
    submission = check_submit("x", {})
    with ScriptedServer(drop) as server, raised_by_itself(errors.JournalFull):
        both.call(
            lambda client: client.run(client.submission_workflow(submission, Full())),
            base_url=server.url, transport=transport, **ONCE,
        )  # fmt: skip
        assert server.requests == []


def refuse() -> None:
    raise errors.JournalFull("no room")


@pytest.mark.parametrize("error", [httpcore.ReadError("x"), httpcore.ConnectError("x"), ValueError("x")], ids=repr)
def test_a_mock_in_the_librarys_place_fails_before_the_record_was_asked(
    both: Both, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_: Any, request: httpcore.Request) -> httpcore.Response:
        assert BEARER.encode() in dict(request.headers).values(), "in a frame of the library's error"
        raise error

    async def afail(self: Any, request: httpcore.Request) -> httpcore.Response:
        return fail(self, request)

    monkeypatch.setattr(httpcore.HTTPConnection, "handle_request", fail)
    monkeypatch.setattr(httpcore.AsyncHTTPConnection, "handle_async_request", afail)
    request = Request("POST", "http://127.0.0.1:9/x", {"Authorization": BEARER})
    unsent = error.__class__ is httpcore.ConnectError
    with nullcontext() if unsent else raised_by_itself(errors.JournalFull):
        assert perform(both, None, SendRequest(request, "submit", refuse)).phase == "never_sent"


class Wrapping(httpx.HTTPTransport):
    """A transport that raises errors of its own for those that stop it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except Exception as error:
            raise httpx.ConnectError(f"wrapped, with {request.headers['authorization'][:3]}") from error


class AsyncWrapping(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except Exception as error:
            raise httpx.ConnectError(f"wrapped, with {request.headers['authorization'][:3]}") from error


@pytest.mark.parametrize("kind", [errors.JournalFull, errors.UnsafeUrl])
def test_a_transport_wraps_what_stopped_it(both: Both, kind: type[SeeDreamError]) -> None:
    transport = Wrapping() if both.kind == "sync" else AsyncWrapping()
    with ScriptedServer(drop) as server, raised_by_itself(kind):
        request = Request("GET", f"{server.url}/1.png", {"Authorization": BEARER})
        if kind is errors.JournalFull:
            perform(both, transport, SendRequest(request, "submit", refuse))
        else:
            perform(both, transport, SendRequest(request, "download", public_only=True))


def test_an_error_of_ours_while_a_reply_is_read() -> None:
    def failing() -> Iterator[bytes]:
        raise httpcore.ReadError(f"the request had {BEARER}"[:3])
        yield b""

    async def afailing() -> AsyncIterator[bytes]:
        raise httpcore.ReadError(f"the request had {BEARER}"[:3])
        yield b""

    for made in (failing(), afailing()):
        tracker = SendTracker("download", Timeouts())
        tracker.stop(errors.UnsafeUrl("private"))
        stream: Any = HttpStream(tracker, 200, {}, made, lambda: None)
        with raised_by_itself(errors.UnsafeUrl):
            if isinstance(made, AsyncIterator):
                anyio.run(AsyncHTTP._read, stream)
            else:
                SyncHTTP._read(stream)


def test_a_picture_host_in_a_private_network(both: Both) -> None:
    with ScriptedServer(drop) as server, raised_by_itself(errors.UnsafeUrl):
        request = Request("GET", f"{server.url}/1.png", {"Authorization": BEARER})
        perform(both, None, SendRequest(request, "download", public_only=True))


def perform(both: Both, transport: Any, effect: Any) -> Any:
    kind: Any = SyncHTTP if both.kind == "sync" else AsyncHTTP
    made = kind(transport, Timeouts(connect=5.0), both.clock, KEY)
    return made.perform(effect) if both.kind == "sync" else anyio.run(made.perform, effect)
