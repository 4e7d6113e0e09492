"""Everything that seedream raises, in one tree.

::

    SeeDreamError
    ├── InvalidRequest (also a ValueError)  refused here, before it cost anything
    │   └── InvalidResolution
    ├── ConfigError                         key, base URL or set-up is unusable; nothing was sent
    ├── NotSent                             the request provably never left; nothing was billed
    ├── Refused                             the server said no; nothing was billed, as it reports
    │   ├── RateLimited                     429; retry_after in seconds, if the server says
    │   ├── InsufficientCredits             code 9000
    │   ├── AuthError                       401, 403
    │   └── Rejected                        code 9999, or a 4xx
    ├── SubmissionUnknown                   sent, but no usable answer: it may have been billed
    ├── TaskFailed                          the task ended as failed; the vendor's message
    ├── WaitTimeout                         still running at the deadline; the task is not lost
    ├── StatusError                         a task query or deletion got no usable answer
    │   └── TaskNotFound                    the service does not know the task
    ├── DownloadError                       pictures are missing; files and errors, picture by picture
    │   ├── ResultExpired                   the picture's URL is no longer served
    │   ├── Truncated                       fewer or other bytes than the picture has
    │   ├── NotAPicture                     what came is not a picture
    │   ├── TooLarge                        more bytes than allowed
    │   ├── UnsafeUrl                       a URL that must not be fetched
    │   └── DiskError                       the local disk does not accept the picture
    └── JournalError                        the durable journal cannot be used
        ├── JournalLocked                   another process writes it
        ├── JournalFull                     no room to record; nothing was sent
        ├── BudgetReached                   the run's budget of pictures is used up; nothing was sent
        └── JournalTooNew                   written by a newer version

Errors are plain data: they pickle, and hold no key, no signed URL and no object of the HTTP library.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

from attrs import field, frozen
from tensorslab_images.rules import RULES

Billing = Literal["no", "yes", "unknown"]
Phase = Literal["never_sent", "sent_partial", "sent_full"]


@frozen
class RawReply:
    """A server's reply as it came, with credentials and URL queries removed. It is not shown by ``repr``.

    Attributes:
        status: HTTP status.
        headers: Those header fields that help to find a fault, names in lower case.
        body: The first bytes of the body.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=lambda body: f"{len(body)} bytes")


@frozen
class Problem:
    """One thing wrong with a request: the field, what is wrong, the rule's id if any, and what to do."""

    field: str
    message: str
    rule: str | None = None
    hint: str = ""

    def __str__(self) -> str:
        return _sentence(f"{self.field}: {self.message}", self.rule, self.hint)


class SeeDreamError(Exception):
    """Root of the tree.

    Args:
        message: What was wrong, in one sentence.
        rule: Id of the rule in the ledger, if one was broken (see ``seedream explain``).
        hint: What to do.
        reply: The raw reply, if one came.
        taskid: The task's id, if one is known, wherever in the reply it was found.
        billing: Whether the server can have charged for it.
        retryable: Whether the same call can succeed later without a change, at no double cost.
    """

    billing: Billing = "no"
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        rule: str | None = None,
        hint: str = "",
        reply: RawReply | None = None,
        taskid: str | None = None,
        billing: Billing | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule
        self.hint = hint
        self.reply = reply
        self.taskid = taskid
        if billing is not None:
            self.billing = billing
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        return _sentence(self.message, self.rule, self.hint)


def _sentence(message: str, rule: str | None, hint: str) -> str:
    parts = [message if message.endswith((".", "!", "?")) else f"{message}."]
    if rule is not None:
        known = RULES.get(rule)
        parts.append(f"Rule {rule}: “{known.sentence}”" if known else f"Rule {rule}.")
    if hint:
        parts.append(hint)
    return " ".join(parts)


class InvalidRequest(SeeDreamError, ValueError):
    """The request breaks the page's schema or rules. Nothing was sent and nothing was billed.

    Attributes:
        problems: Every problem found, not only the first.
    """

    subject: ClassVar[str] = "request"

    def __init__(
        self, problems: str | Problem | tuple[Problem, ...], *, rule: str | None = None, hint: str = ""
    ) -> None:
        found = (problems,) if isinstance(problems, Problem) else problems
        if isinstance(found, str):
            found = (Problem(self.subject, found, rule, hint),)
        self.problems = found
        super().__init__("; ".join(f"{p.field}: {p.message}" for p in found), rule=found[0].rule, hint=found[0].hint)

    def __reduce__(self) -> tuple[type[Self], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class InvalidResolution(InvalidRequest):
    """The text has none of the three forms of a resolution, or is a size outside the legal range of pixels."""

    subject = "resolution"


class ConfigError(SeeDreamError):
    """The key, the base URL or the set-up is unusable. Nothing was sent."""


class NotSent(SeeDreamError):
    """The request provably never left this machine (name look-up, connection, TLS). Nothing was billed."""

    retryable = True


class Refused(SeeDreamError):
    """The server answered that it did not take the request."""


class RateLimited(Refused):
    """HTTP 429: too many requests.

    Attributes:
        retry_after: Seconds that the server asks to wait, or None.
    """

    retryable = True
    retry_after: float | None = None


class InsufficientCredits(Refused):
    """Code 9000 (rule CODE-MEANING): the account has not enough credits."""


class AuthError(Refused):
    """HTTP 401 or 403: the key was refused."""


class Rejected(Refused):
    """Code 9999 (rule CODE-MEANING) or an HTTP 4xx: the server refused the request and says why."""


class SubmissionUnknown(SeeDreamError):
    """The submission was sent and no usable answer came: it may have been billed. It is never sent again.

    Attributes:
        digest: sha256 of the canonical request (hex), to recognise it in a journal or log.
        phase: How far the request got.
        at: When it happened (seconds since the epoch).
    """

    billing = "unknown"
    digest: str = ""
    phase: Phase = "sent_full"
    at: float = 0.0


class TaskFailed(SeeDreamError):
    """The task ended as failed (rule STATUS-MEANING). The message is the vendor's."""

    billing = "unknown"


class WaitTimeout(SeeDreamError):
    """The deadline passed while the task was still running. The server goes on with the task: wait again later."""

    billing = "yes"
    retryable = True


class StatusError(SeeDreamError):
    """A task query or deletion got no usable answer."""

    retryable = True


class TaskNotFound(StatusError):
    """The service does not know a task with this id, also after the time that a new task may need to appear."""

    billing = "unknown"
    retryable = False


class DownloadError(SeeDreamError):
    """One or more pictures could not be saved. The task and its other pictures are kept.

    Attributes:
        files: Saved pictures by index.
        errors: What happened to the others, by index.
    """

    billing = "yes"
    retryable = True
    files: Mapping[int, Path] = {}
    errors: Mapping[int, SeeDreamError] = {}


class ResultExpired(DownloadError):
    """The image host no longer serves the URL (403, 404, 410), and a fresh query brought no better one."""


class Truncated(DownloadError):
    """The bytes that came are not the whole picture."""


class NotAPicture(DownloadError):
    """The bytes that came are of no picture format: an error page, for example."""


class TooLarge(DownloadError):
    """The picture is larger than the limit (bytes)."""

    retryable = False


class DiskError(DownloadError):
    """The local disk does not accept the picture: no room, or no right to write."""


class UnsafeUrl(DownloadError):
    """The URL, or where it redirects to, must not be fetched (scheme, private address, too many hops)."""

    retryable = False


class JournalError(SeeDreamError):
    """The durable journal cannot be used as it is."""


class JournalLocked(JournalError):
    """Another process is writing this journal."""

    retryable = True


class JournalFull(JournalError):
    """The disk is full or not writable, so nothing can be recorded; nothing was sent."""

    retryable = True


class BudgetReached(JournalError):
    """The run's budget does not allow another submission: nothing was sent."""

    retryable = True


class JournalTooNew(JournalError):
    """The journal was written by a newer version of seedream."""
