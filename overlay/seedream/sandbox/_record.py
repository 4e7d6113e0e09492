"""What the sandbox remembers of each request, for tests and the inspector."""

from collections.abc import Mapping
from typing import Any

from attrs import define, field


@define
class RequestRecord:
    """One request as received, and what became of it. Credentials are masked.

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
        verdict: ``accepted``, ``refused``, or ``fault NAME`` when a fault spoke instead.
        rule: Id of the rule that refused it, or empty.
        message: What was said.
        status: HTTP status of the reply; 0 when there was none.
        code: The envelope's code, or None.
        taskid: Of the task made or asked for, or empty.
        charged: Images charged for.
        faults: Names of the faults that struck.
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
    faults: list[str] = field(factory=list[str])
