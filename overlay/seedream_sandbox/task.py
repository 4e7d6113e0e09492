"""Tasks, and how they progress: by queries, by time, or at once."""

from datetime import UTC, datetime
from typing import Any, Final, Literal

from attrs import define, field, frozen
from tensorslab_images.rules import (
    STATUS_MEANING_COMPLETED,
    STATUS_MEANING_FAILED,
    STATUS_MEANING_PROCESSING,
    STATUS_MEANING_QUEUED,
)

from seedream_sandbox.faults.active_faults import ActiveFaults
from seedream_sandbox.faults.catalogue import RESPONSE_LAYERS, Scope
from seedream_sandbox.faults.language import Fault

Progress = Literal["polls", "time", "instant"]
_QUEUED_SHARE: Final = 0.25  # of the latency is spent in the queue
STATE_NAMES: Final = {
    STATUS_MEANING_QUEUED: "queued",
    STATUS_MEANING_PROCESSING: "processing",
    STATUS_MEANING_COMPLETED: "completed",
    STATUS_MEANING_FAILED: "failed",
}


@frozen
class ProgressRule:
    """How tasks progress."""

    # ``polls``: by the number of queries; ``time``: by the clock; ``instant``: completed at once
    progress: Progress = "polls"
    polls: int = 2  # number of queries that find the task running, the first of them queued (``polls``)
    latency: float = 1.0  # seconds from submission to completion (``time``)

    def status(self, polled: int, age: float) -> int:
        """Return the status that a query reports, by the queries before it and the seconds since the submission."""
        match self.progress:
            case "polls":
                done, queued = polled >= self.polls, polled == 0
            case "time":
                done, queued = age >= self.latency, age < self.latency * _QUEUED_SHARE
            case "instant":
                return STATUS_MEANING_COMPLETED
        if done:
            return STATUS_MEANING_COMPLETED
        return STATUS_MEANING_QUEUED if queued else STATUS_MEANING_PROCESSING


@define(eq=False)
class Task:
    """One generation task, with the values of its submission or their defaults."""

    id: str
    prompt: str
    category: str
    resolution: str
    images: int  # number of pictures asked for
    width: int  # of each picture, in pixels
    height: int
    created: float  # by the sandbox's clock (seconds since 1970, UTC)
    seed: int  # of its pictures
    owner: str = field(default="", repr=False)  # digest of the key that submitted it; another key cannot see it
    sources: tuple[bytes, ...] = field(default=(), repr=False)  # small copies (JPEG) of the sources that could be read
    source_count: int = 0  # number of source files received
    image_url: str | None = None
    request: int = 0  # number of the request that made it
    faults: ActiveFaults = field(factory=ActiveFaults)  # that act on its queries and pictures
    polled: int = 0  # number of queries so far
    deleted: bool = False  # by the client

    @property
    def weight(self) -> int:
        """Approximate size in memory, in bytes."""
        texts = (self.prompt, self.category, self.image_url or "")
        return 1000 + 4 * sum(map(len, texts)) + sum(map(len, self.sources))

    def status(self, rule: ProgressRule, now: float) -> int:
        """Return the current status, faults included, without counting as a query."""
        status = rule.status(self.polled, now - self.created)
        for fault in self.faults:
            status = fault_status(fault, status, self.polled)
        return status

    def reply_faults(self, scope: Scope) -> list[Fault]:
        """Return the faults that the task carries and that act on this request for it."""
        return self.faults.match(scope, self.faults.count(scope), RESPONSE_LAYERS, self.prompt)

    def data(self, status: int, urls: list[str], error: str) -> dict[str, Any]:
        """Return the ``data`` of a query's reply."""
        return {
            "taskid": self.id,
            "category": self.category,
            "starttime": datetime.fromtimestamp(self.created, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "url": urls,
            "image_status": status,
            "width": self.width,
            "height": self.height,
            "prompt": self.prompt,
            "negative": "",
            "origseed": self.seed,
            "error_message": error,
        }


def fault_status(fault: Fault, status: int, polled: int) -> int:
    """Return what a task fault makes of a status."""
    match fault.name:
        case "stuck":
            return STATUS_MEANING_QUEUED if fault["state"] == "queued" else STATUS_MEANING_PROCESSING
        case "flapping":
            return STATUS_MEANING_PROCESSING if status == STATUS_MEANING_COMPLETED and polled % 2 else status
        case "task-fails":
            return STATUS_MEANING_FAILED if status == STATUS_MEANING_COMPLETED else status
        case "unknown-status":
            return fault["status"] if polled < fault["polls"] else status
        case _:
            return status
