"""All faults in one table: what each does, where it acts by default, and its options with their defaults."""
# ruff: noqa: E501 -- a table: one kind a line

from collections.abc import Mapping
from typing import Final, Literal

from attrs import field, frozen

Scalar = str | int | float | bool
Scope = Literal["connect", "submit", "query", "delete", "picture", "any"]
Layer = Literal["connect", "arrival", "pace", "reply", "delivery", "task"]
SCOPES: Final[tuple[Scope, ...]] = ("connect", "submit", "query", "delete", "picture", "any")
RESPONSE_LAYERS: Final[frozenset[Layer]] = frozenset({"pace", "reply", "delivery"})
PARTS: Final = ("status-line", "headers", "body", "chunk-size", "chunk-extension", "trailer")


@frozen
class FaultKind:
    """One kind of fault."""

    name: str
    # when it acts: as the connection is made; as the request arrives; before the reply; on the reply's content; on its
    # delivery; or on the task's later life
    layer: Layer
    at: Scope  # which requests it acts on unless ``at=`` says otherwise
    summary: str  # what it does
    # its options with their defaults; a default also decides the type
    options: Mapping[str, Scalar] = field(factory=dict[str, Scalar])
    billed: bool = True  # default of ``billed``: whether it acts after the work is done and charged

    @property
    def usage(self) -> str:
        """The name with every option and its default, as one writes it."""
        return " ".join([self.name, *(f"{key}={as_text(value)}" for key, value in self.options.items())])


def as_text(value: Scalar) -> str:
    """Write an option's value as the fault language reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_END: Final = {"how": "fin"}
_TABLE: Final = (
    # As the connection is made, or while the request arrives: nothing is ever charged, except by a slow upload.
    FaultKind("cut-accept", "connect", "connect", "close each new connection before reading", {"how": "rst"}, billed=False),
    FaultKind("stall-accept", "connect", "connect", "accept the connection, then never read (a TLS handshake stalls too)", {"seconds": 30.0}, billed=False),
    FaultKind("cut-request", "arrival", "submit", "cut when this many bytes of the body have come", {"after": 0, "how": "rst"}, billed=False),
    FaultKind("stall-request", "arrival", "submit", "stop reading the body after this many bytes, then cut", {"after": 0, "seconds": 30.0, "how": "rst"}, billed=False),
    FaultKind("slow-upload", "arrival", "submit", "read the body at this many bytes a second, then answer as usual", {"rate": 125_000}),
    # Before the reply.
    FaultKind("delay", "pace", "submit", "reply only after this many seconds", {"seconds": 1.0}),
    # The reply's content.
    FaultKind("status", "reply", "submit", "this HTTP status (also written status-500); from 500 on it is billed", {"status": 500, "body": "json", "retry_after": ""}),
    FaultKind("rate-limit", "reply", "submit", "429 with Retry-After (seconds, or an HTTP date)", {"retry_after": "1"}, billed=False),
    FaultKind("no-credits", "reply", "submit", "code 9000, as documented, without data", {"data": "absent"}, billed=False),
    FaultKind("failure", "reply", "submit", "code 9999", {"msg": "internal failure"}, billed=False),
    FaultKind("redirect", "reply", "submit", "redirect; without a target, to the same address", {"status": 307, "to": ""}, billed=False),
    FaultKind("html", "reply", "submit", "an HTML page, as a proxy would send", {"status": 200}),
    FaultKind("empty", "reply", "submit", "no body", {"status": 200}),
    FaultKind("truncated-json", "reply", "submit", "the first bytes of the JSON, but whole HTTP", {"keep": 20}),
    FaultKind("mistyped", "reply", "submit", "code as text, and the task id as a number", {}),
    FaultKind("no-data", "reply", "submit", "success, but no data", {}),
    FaultKind("null-data", "reply", "submit", "success, but data is null", {}),
    FaultKind("no-taskid", "reply", "submit", "success, but no task id", {}),
    FaultKind("duplicate-taskid", "reply", "submit", "the id of the previous task", {}),
    FaultKind("duplicate-keys", "reply", "submit", "JSON that has one of its keys twice, first with this value", {"key": "code", "value": "9999"}),
    FaultKind("unknown-code", "reply", "submit", "a code that is not documented", {"code": 1234, "taskid": True}),
    FaultKind("unknown-fields", "reply", "submit", "the reply, with fields that are not documented", {}),
    FaultKind("huge-reply", "reply", "submit", "the reply, followed by this many bytes", {"bytes": 2_000_000}),
    FaultKind("wrong-type", "reply", "submit", "the reply under another Content-Type", {"type": "text/html"}),
    FaultKind("wrong-encoding", "reply", "picture", "the unchanged bytes under this Content-Encoding", {"encoding": "aws-chunked"}),
    FaultKind("gzip", "reply", "picture", "the reply compressed, asked for or not", {}),
    FaultKind("chunked", "reply", "submit", "the reply in chunks, without a Content-Length", {}),
    # The reply's delivery.
    FaultKind("cut-reply", "delivery", "submit", "cut before the first byte of the reply", _END),
    FaultKind("cut-head", "delivery", "submit", "cut after this many bytes of the reply's head", {"after": 20, **_END}),
    FaultKind("cut-body", "delivery", "submit", "cut after this many bytes of the reply's body", {"after": 10, **_END}),
    FaultKind("cut-quiet", "delivery", "picture", "no Content-Length, then cut: HTTP itself does not notice", {"after": 1000}),
    FaultKind("garbage", "delivery", "submit", "bytes that are not HTTP", {}),
    FaultKind("stall-reply", "delivery", "submit", "send this many bytes of the reply, then nothing for so long, then cut", {"after": 0, "seconds": 30.0}),
    FaultKind("drip", "delivery", "submit", "this many bytes at a time, with a pause after each", {"bytes": 8, "seconds": 0.02}),
    FaultKind("drip-part", "delivery", "submit", "one part of the reply, padded to this length, a byte at a time (chunked where the part asks for it)", {"part": "chunk-size", "length": 200, "seconds": 0.05}),
    # The task's later life.
    FaultKind("stuck", "task", "submit", "the task never ends", {"state": "processing"}),
    FaultKind("flapping", "task", "submit", "completed, then processing again, and so on", {}),
    FaultKind("task-fails", "task", "submit", "the task ends as failed", {"msg": "the picture could not be made"}),
    FaultKind("unknown-status", "task", "submit", "a status that is not documented, for this many queries", {"status": 5, "polls": 2}),
    FaultKind("lost-task", "task", "submit", "the first queries find no such task", {"polls": 2}),
    FaultKind("no-urls", "task", "submit", "completed, but without pictures for this many queries", {"polls": 1_000_000}),
    FaultKind("fewer-urls", "task", "submit", "this many pictures fewer than asked for", {"missing": 1}),
    FaultKind("many-urls", "task", "submit", "this many addresses; without a target, those of the pictures again and again", {"count": 3000, "to": "pictures"}),
    FaultKind("bad-url", "task", "submit", "the pictures are said to be at this address", {"to": "file:///etc/passwd"}),
    # Pictures.
    FaultKind("picture-expired", "reply", "picture", "403: the link is said to have expired", {}),
    FaultKind("picture-forbidden", "reply", "picture", "403", {}),
    FaultKind("picture-missing", "reply", "picture", "404", {}),
    FaultKind("picture-truncated", "reply", "picture", "this share of the picture's bytes, with an honest Content-Length", {"keep": 0.5}),
    FaultKind("picture-corrupt", "reply", "picture", "the picture's bytes, some of them changed", {}),
    FaultKind("picture-trailing", "reply", "picture", "the whole picture, then this many bytes behind its end mark", {"bytes": 100, "chunked": True}),
    FaultKind("picture-oversized", "reply", "picture", "the picture, followed by this many bytes", {"bytes": 100_000_000}),
    FaultKind("picture-bomb", "reply", "picture", "gzip that unpacks to this many bytes, asked for or not", {"bytes": 50_000_000}),
)  # fmt: skip
KINDS: Final[Mapping[str, FaultKind]] = {kind.name: kind for kind in _TABLE}
