"""The service: its configuration, one request and its whole reply, within a limit of bytes and a limit of time."""

import zlib
from collections.abc import Callable, Mapping
from typing import Final

from attrs import evolve, field, frozen
from tensorslab_images.limits import AUTH_HEADER
from tensorslab_images.rules import AUTH_HEADER_SCHEME, CODE_MEANING_SUCCESS

from seedream._protocol.effects import Close, Failure, Read, Reply, Request, SendRequest, Workflow
from seedream._protocol.outcome import OK
from seedream._protocol.replies import Envelope, read_envelope
from seedream._protocol.retry import RetryPolicy, draw_number
from seedream._request.encode import EncodedRequest
from seedream._support.server_text import holds_secret
from seedream._support.timing import RequestKind, Timeouts

MAX_JSON: Final = 1024 * 1024  # bytes: no reply of this API comes near it


@frozen(eq=False, repr=False)
class ApiConfig:
    """Where and how to send requests: plain configuration, shared by all workflows.

    Attributes:
        base_url: Without a slash at its end.
        key: The API key.
        local: Whether the service is on this machine, so that its pictures may be too.
        timeouts: Seconds for each phase of an exchange.
        retry: How long to go on with what is safe to try again.
        now: Gives the seconds since the epoch.
        random: Gives a number from 0 to 1, for jitter.
    """

    base_url: str
    key: str = field(repr=False)
    local: bool
    timeouts: Timeouts
    retry: RetryPolicy
    now: Callable[[], float] = field(repr=False)
    random: Callable[[], float] = field(default=draw_number, repr=False)


@frozen(eq=False, repr=False)
class Answer:
    """What came of one request: the reply or the failure, what could be read of the reply's body, and the key."""

    outcome: Reply | Failure
    envelope: Envelope
    key: str

    @property
    def status(self) -> int:
        """HTTP status; 0 where no whole reply came."""
        return 0 if isinstance(self.outcome, Failure) else self.outcome.status

    @property
    def succeeded(self) -> bool:
        return self.status in OK and self.envelope.code == CODE_MEANING_SUCCESS


def send(
    api: ApiConfig,
    encoded: EncodedRequest,
    kind: RequestKind,
    *,
    before_send: Callable[[], None] | None = None,
    before_send_blocks: bool = True,
    total_timeout: float | None = None,
) -> Workflow[Answer]:
    """Send an API request, with the key, to the API host only."""
    request = Request(
        encoded.method,
        api.base_url + encoded.path,
        {**encoded.headers, AUTH_HEADER: f"{AUTH_HEADER_SCHEME} {api.key}"},  # in no variable that a traceback shows
        encoded.body,
    )
    outcome = yield from _exchange(
        SendRequest(request, kind, before_send, total_timeout, before_send_blocks=before_send_blocks)
    )
    reply = outcome.reply if isinstance(outcome, Failure) else outcome
    envelope = read_envelope(reply.body) if reply else Envelope()
    if envelope.taskid is not None and holds_secret(envelope.taskid, api.key):
        envelope = evolve(envelope, taskid=None)  # an echo of the key: an id goes into journals, file names and logs
    return Answer(outcome, envelope, api.key)


def _exchange(effect: SendRequest) -> Workflow[Reply | Failure]:
    """Send a request and read its whole reply, at most MAX_JSON bytes of it."""
    stream = yield from effect
    if isinstance(stream, Failure):
        return stream
    body, failed = bytearray(), None
    try:
        while len(body) <= MAX_JSON:
            chunk = yield from Read(stream)
            if isinstance(chunk, Failure):
                failed = evolve(chunk, phase="sent_full")  # a head has come, so the request was sent in full
                break
            if not chunk:
                break
            body += chunk
    finally:
        yield from Close(stream)
    if len(body) > MAX_JSON:
        failed = Failure("sent_full", "TooLarge", f"the reply is larger than {MAX_JSON} bytes")
    reply = Reply(stream.status, stream.headers, Decoder(stream.headers).decode(bytes(body[:MAX_JSON]), MAX_JSON))
    return reply if failed is None else evolve(failed, reply=reply)


class Decoder:
    """Decompresses a body that the host compressed although it was asked not to. A label may also be wrong."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        coding = headers.get("content-encoding", "").strip().lower()
        self._zlib = zlib.decompressobj(wbits=47) if coding in ("gzip", "x-gzip", "deflate") else None
        self._begun = False

    @property
    def active(self) -> bool:
        return self._zlib is not None

    def decode(self, chunk: bytes, limit: int) -> bytes:
        """Return the next decoded bytes, at most ``limit`` of them when the chunk is compressed."""
        if self._zlib is None:
            return chunk
        try:
            decoded = self._zlib.decompress(chunk, max(limit, 1))
        except zlib.error:
            if self._begun:
                return b""  # damaged: what is made of the bytes will show it
            self._zlib = None
            return chunk
        self._begun = True
        return decoded
