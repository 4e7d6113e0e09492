"""One request and its whole reply, within a limit of bytes and a limit of time."""

import zlib
from collections.abc import Callable, Mapping
from typing import Final

from attrs import evolve

from seedream._protocol.effects import Failure, Reply, Request, Workflow, close, read, send_request
from seedream._support.timing import RequestKind

MAX_JSON: Final = 1024 * 1024  # bytes: no reply of this API comes near it


def exchange(
    request: Request,
    kind: RequestKind,
    *,
    before_send: Callable[[], None] | None = None,
    total_timeout: float | None = None,
) -> Workflow[Reply | Failure]:
    """Send a request and read its whole reply, at most MAX_JSON bytes of it.

    ``total_timeout`` bounds the whole exchange (seconds); without it each phase has its own limit.
    """
    stream = yield from send_request(request, kind, before_send=before_send, total_timeout=total_timeout)
    if isinstance(stream, Failure):
        return stream
    body, failed = bytearray(), None
    try:
        while len(body) <= MAX_JSON:
            chunk = yield from read(stream)
            if isinstance(chunk, Failure):
                failed = evolve(chunk, phase="sent_full")  # a head has come, so the request was sent in full
                break
            if not chunk:
                break
            body += chunk
    finally:
        yield from close(stream)
    if len(body) > MAX_JSON:
        failed = Failure("sent_full", "TooLarge", f"the reply is larger than {MAX_JSON} bytes")
    reply = Reply(stream.status, stream.headers, _decoded(bytes(body[:MAX_JSON]), stream.headers))
    return reply if failed is None else evolve(failed, reply=reply)


def _decoded(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Decode a compressed body, never to more than MAX_JSON bytes.

    The client asks for no compression; a host in between may compress all the same.
    """
    if headers.get("content-encoding", "").strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body
    try:
        return zlib.decompressobj(wbits=47).decompress(body, MAX_JSON)
    except zlib.error:
        return body  # it will not read as JSON, and is kept on the error as it came
