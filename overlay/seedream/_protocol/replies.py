"""Reads replies: bytes to Envelope and TaskInfo.

A real reply may lack what the schema requires, hold other types, or not be JSON, and none of that may lose a paid
task. So the generated models, which raise on such replies, do not read them.
"""

import codecs
import json
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen
from tensorslab_images import rules

from seedream._support.patterns import lazy_pattern
from seedream._support.server_text import holds_url

_ID: Final = lazy_pattern(r'"task_?id"\s*:\s*"?([^\s",}\]]{1,200})(?=[\s",}\]])', re.IGNORECASE)
_LONGEST_ID: Final = 200
_STATES: Final[Mapping[int | None, str]] = {
    rules.STATUS_MEANING_QUEUED: "queued",
    rules.STATUS_MEANING_PROCESSING: "processing",
    rules.STATUS_MEANING_COMPLETED: "completed",
    rules.STATUS_MEANING_FAILED: "failed",
}


@frozen(eq=False, repr=False)
class Envelope:
    """What could be read of a reply's body (rule CODE-MEANING).

    Attributes:
        code: The ``code``, also when it came as text; None when there is none.
        msg: The ``msg``, or empty.
        data: The ``data`` object, or empty.
        taskid: The task's id, found in ``data`` or else anywhere in the body.
        readable: Whether the body was a JSON object.
    """

    code: int | None = None
    msg: str = field(default="", repr=False)  # a server may echo the key, and a traceback with locals shows reprs
    data: Mapping[str, Any] = field(factory=dict, repr=False)
    taskid: str | None = field(default=None, repr=False)
    readable: bool = False


def read_envelope(body: bytes) -> Envelope:
    """Read a reply's body, whatever it is. One that is not JSON, or names a member twice, is not readable."""
    text = body.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        found = _ID.search(text)
        return Envelope(taskid=task_id(found[1]) if found else None)
    if not isinstance(value, dict):
        return Envelope(taskid=_anywhere(value))
    data = value.get("data")
    data = data if isinstance(data, dict) else {}
    msg = value.get("msg")
    taskid = task_id(data.get("taskid")) or _anywhere(value)
    return Envelope(_whole(value.get("code")), msg if isinstance(msg, str) else "", data, taskid, readable=True)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object. A name given twice contradicts itself, so such a reply counts as unreadable."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object)


def _anywhere(value: object) -> str | None:
    """Return the first task id in a JSON document, however deep. In its raw text an id may be escaped."""
    left = deque([value])
    while left:
        node = left.popleft()
        if isinstance(node, dict):
            for name, inner in node.items():
                if str(name).lower() in ("taskid", "task_id") and (found := task_id(inner)):
                    return found
            left.extend(node.values())
        elif isinstance(node, list):
            left.extend(node)
    return None


def task_id(value: object) -> str | None:
    """Return the value as a task id if it can be one: text, or a number. A URL may be signed, so it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**_LONGEST_ID else None
    usable = isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable() and bool(value.strip())
    if not usable or value in ("null", "true", "false") or holds_url(str(value)):
        return None
    return str(value)


def _whole(value: object) -> int | None:
    """Return an integer, which may come as text or as a float without a fraction; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if isinstance(value, str) or number == value else None


@frozen
class TaskInfo:
    """The state of a task, as the service reports it (rule STATUS-MEANING).

    Attributes:
        taskid: The task's id.
        status: The service's number; the list of numbers is open.
        state: ``queued``, ``processing``, ``completed``, ``failed``, or ``unknown`` for any other number.
        urls: URLs of the finished pictures, in order, empty where one is missing. They may be signed and expire:
            not shown by ``repr``.
        width: Pixels, if given.
        height: Pixels, if given.
        prompt: The prompt, if given.
        error_message: The vendor's reason for a failed task, if given.
        raw: The reply's ``data`` as it came.
    """

    taskid: str
    status: int | None
    urls: tuple[str, ...] = field(default=(), repr=lambda urls: f"{len(urls)} URLs")
    width: int | None = None
    height: int | None = None
    prompt: str = field(default="", repr=False)
    error_message: str = field(default="", repr=False)
    raw: Mapping[str, Any] = field(factory=dict, repr=False, eq=False)

    @property
    def state(self) -> str:
        return _STATES.get(self.status, "unknown")

    @property
    def finished(self) -> bool:
        """Whether the task will not change any more."""
        return self.state in ("completed", "failed")


def read_task(taskid: str, envelope: Envelope) -> TaskInfo:
    """Read a task's state from a query's reply. Fields of another type count as missing."""
    data = envelope.data
    urls = data.get("url")
    if isinstance(urls, str):
        urls = [urls]
    return TaskInfo(
        taskid=taskid,
        status=_whole(data.get("image_status")),
        # A gap keeps its place, so that no picture gets another one's number.
        urls=tuple(url if isinstance(url, str) else "" for url in urls) if isinstance(urls, list) else (),
        width=_whole(data.get("width")),
        height=_whole(data.get("height")),
        prompt=prompt if isinstance(prompt := data.get("prompt"), str) else "",
        error_message=message if isinstance(message := data.get("error_message"), str) else "",
        raw=data,
    )
