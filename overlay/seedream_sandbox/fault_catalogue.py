"""All faults, in one table: what each does, where it acts by default, and its options with their defaults."""
# ruff: noqa: E501 -- a table: one kind a line

from collections.abc import Mapping
from typing import Final, Literal

from attrs import field, frozen

Scalar = str | int | float | bool
Scope = Literal["connect", "submit", "query", "delete", "picture", "any"]
Layer = Literal["connect", "arrival", "pace", "reply", "delivery", "task"]
SCOPES: Final[tuple[Scope, ...]] = ("connect", "submit", "query", "delete", "picture", "any")


@frozen
class Kind:
    """One kind of fault.

    Attributes:
        name: As written.
        layer: When it acts: as the connection is made; as the request arrives; before the reply; on the reply's
            content; on its delivery; or on the task's later life.
        at: Where it acts unless told otherwise.
        summary: What it does.
        options: Its options with their defaults; a default also tells the type.
        billed: Default of ``billed``: whether it acts after the work is done and charged.
    """

    name: str
    layer: Layer
    at: Scope
    summary: str
    options: Mapping[str, Scalar] = field(factory=dict[str, Scalar])
    billed: bool = True


_END: Final = {"how": "fin"}
_TABLE: Final = (
    # As the connection is made, or while the request arrives: nothing is ever charged.
    Kind("cut-accept", "connect", "connect", "close each new connection before reading", {"how": "rst"}, billed=False),
    Kind("stall-accept", "connect", "connect", "accept, then never read", {"seconds": 30.0}, billed=False),
    Kind("cut-request", "arrival", "submit", "cut when so many bytes of the body have come", {"after": 0, "how": "rst"}, billed=False),
    Kind("stall-request", "arrival", "submit", "stop reading the body after so many bytes, then cut", {"after": 0, "seconds": 30.0, "how": "rst"}, billed=False),
    # Before the reply.
    Kind("delay", "pace", "submit", "reply only after so many seconds", {"seconds": 1.0}),
    # The reply's content.
    Kind("status", "reply", "submit", "this HTTP status (also written status-500); from 500 on it is billed", {"status": 500, "body": "json", "retry_after": ""}),
    Kind("rate-limit", "reply", "submit", "429 with Retry-After (seconds, or an HTTP date)", {"retry_after": "1"}, billed=False),
    Kind("no-credits", "reply", "submit", "code 9000, as documented, without data", {"data": "absent"}, billed=False),
    Kind("failure", "reply", "submit", "code 9999", {"msg": "internal failure"}, billed=False),
    Kind("redirect", "reply", "submit", "redirect; without a target, to the same address", {"status": 307, "to": ""}, billed=False),
    Kind("html", "reply", "submit", "an HTML page, as a proxy would send", {"status": 200}),
    Kind("empty", "reply", "submit", "no body", {"status": 200}),
    Kind("truncated-json", "reply", "submit", "the first bytes of the JSON, but whole HTTP", {"keep": 20}),
    Kind("mistyped", "reply", "submit", "code as text, and the task id as a number", {}),
    Kind("no-data", "reply", "submit", "success, but no data", {}),
    Kind("null-data", "reply", "submit", "success, but data is null", {}),
    Kind("no-taskid", "reply", "submit", "success, but no task id", {}),
    Kind("duplicate-taskid", "reply", "submit", "the id of the task before", {}),
    Kind("unknown-code", "reply", "submit", "a code that is not documented", {"code": 1234, "taskid": True}),
    Kind("unknown-fields", "reply", "submit", "the reply, with fields that are not documented", {}),
    Kind("huge-reply", "reply", "submit", "the reply, followed by so many bytes", {"bytes": 2_000_000}),
    Kind("wrong-type", "reply", "submit", "the reply under another Content-Type", {"type": "text/html"}),
    # The reply's delivery.
    Kind("cut-reply", "delivery", "submit", "cut before the first byte of the reply", _END),
    Kind("cut-head", "delivery", "submit", "cut after so many bytes of the reply's head", {"after": 20, **_END}),
    Kind("cut-body", "delivery", "submit", "cut after so many bytes of the reply's body", {"after": 10, **_END}),
    Kind("cut-quiet", "delivery", "picture", "no Content-Length, then cut: HTTP itself does not notice", {"after": 1000}),
    Kind("garbage", "delivery", "submit", "bytes that are not HTTP", {}),
    Kind("stall-reply", "delivery", "submit", "send so many bytes of the reply, then nothing for so long, then cut", {"after": 0, "seconds": 30.0}),
    Kind("drip", "delivery", "submit", "so many bytes at a time, with a pause after each", {"bytes": 8, "seconds": 0.02}),
    # The task's later life.
    Kind("stuck", "task", "submit", "the task never ends", {"state": "processing"}),
    Kind("flapping", "task", "submit", "completed, then processing again, and so on", {}),
    Kind("task-fails", "task", "submit", "the task ends as failed", {"msg": "the picture could not be made"}),
    Kind("unknown-status", "task", "submit", "a status that is not documented, for so many queries", {"status": 5, "polls": 2}),
    Kind("lost-task", "task", "submit", "the first queries find no such task", {"polls": 2}),
    Kind("no-urls", "task", "submit", "completed, but without pictures for so many queries", {"polls": 1_000_000}),
    Kind("fewer-urls", "task", "submit", "so many pictures less than asked for", {"missing": 1}),
    Kind("bad-url", "task", "submit", "the pictures are said to be there", {"to": "file:///etc/passwd"}),
    # Pictures.
    Kind("picture-expired", "reply", "picture", "the link is said to have expired (403)", {}),
    Kind("picture-forbidden", "reply", "picture", "403", {}),
    Kind("picture-missing", "reply", "picture", "404", {}),
    Kind("picture-truncated", "reply", "picture", "so great a part of the picture's bytes, but whole HTTP", {"keep": 0.5}),
    Kind("picture-corrupt", "reply", "picture", "the picture's bytes, some of them changed", {}),
    Kind("picture-oversized", "reply", "picture", "the picture, followed by so many bytes", {"bytes": 100_000_000}),
    Kind("picture-bomb", "reply", "picture", "gzip that unpacks to so many bytes, asked for or not", {"bytes": 50_000_000}),
)  # fmt: skip
KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _TABLE}
