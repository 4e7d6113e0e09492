"""What the sandbox remembers of each request, for tests and the inspector."""

from collections.abc import Mapping
from typing import Any, Final

from attrs import define, field

from seedream_sandbox.bounded import Bounded

_BASE: Final = 1000  # characters that any record takes


@define
class RequestRecord:
    """One request as received, and what came of it. Credentials are masked.

    Attributes:
        number: Counts from 1, over both hosts.
        at: Time by the sandbox's clock (seconds since 1970, UTC).
        method: Upper case.
        path: Without the query.
        host: ``api`` or ``images``.
        headers: Names in lower case; credentials masked.
        fields: Text fields of a form, each with all its values in order, or a JSON body's members.
        files: Files of a form: field, file name, media type and size in bytes.
        body_size: Bytes.
        verdict: ``accepted``, ``refused``, or ``fault NAME`` when a fault shaped the reply.
        rule: Id of the rule that refused it, or empty.
        message: What the reply said about it.
        status: HTTP status of the reply; 0 when there was none.
        code: The envelope's code, or None.
        taskid: Of the task made or asked for, or empty.
        charged: Images charged for.
        account: Number of the account whose key was sent; 0 when there was none.
        faults: Names of the faults that acted on it.
    """

    number: int
    at: float
    method: str
    path: str
    host: str
    headers: tuple[tuple[str, str], ...] = ()
    fields: Mapping[str, list[Any]] = field(factory=dict[str, list[Any]])
    files: list[tuple[str, str, str, int]] = field(factory=list[tuple[str, str, str, int]])
    body_size: int = 0
    verdict: str = "accepted"
    rule: str = ""
    message: str = ""
    status: int = 0
    code: int | None = None
    taskid: str = ""
    charged: int = 0
    account: int = 0
    faults: list[str] = field(factory=list[str])

    @property
    def line(self) -> str:
        """The request in one line, as a terminal shows it."""
        what = self.path.rpartition("/")[2] or self.path
        place = "picture " if self.host == "images" else ""
        outcome = f"{self.status}" if self.code is None else f"{self.status} {self.code}"
        outcome = outcome if self.status else "no reply"
        words = [f"{self.number:>5}", self.method[:8], f"{place}{what[:60]}", outcome, self.verdict]
        words += [self.rule] if self.rule else []
        words += [f"{self.charged} charged"] if self.charged else []
        words += [self.taskid] if self.taskid and self.host == "api" else []
        words += [name for name in self.faults if name not in self.verdict]
        return "  ".join("".join(c if c.isprintable() else "?" for c in word) for word in words)


class RequestLog(Bounded[int, RequestRecord]):
    """The latest requests by number; those with megabytes of text are kept briefly."""

    def remember(self, record: RequestRecord) -> None:
        """Add a request whose body is not known yet."""
        size = _BASE + sum(len(name) + len(value) for name, value in record.headers) + len(record.path)
        self.add(record.number, record, size)

    def note(
        self, record: RequestRecord, fields: Mapping[str, list[Any]], files: list[tuple[str, str, str, int]]
    ) -> None:
        """Add a body's content to a record."""
        record.fields, record.files = fields, files
        size = sum(len(name) + sum(_length(value) for value in values) for name, values in fields.items())
        self.grow(record.number, size + sum(len(name) + len(file) + len(kind) for name, file, kind, _ in files))


def _length(value: object) -> int:
    if isinstance(value, list | tuple):
        return sum(_length(item) for item in value)
    return len(str(value))
