"""How a run can end: the reason, and what to tell the user."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from attrs import field, frozen

from seedream.journal import State

Reason = Literal[
    "done",
    "credits",
    "budget",
    "key",
    "setup",
    "disk",
    "network",
    "rate_limited",
    "unknowns",
    "interrupted",
    "cancelled",
]

# reason -> what happened, what to do, the same in Chinese
ENDINGS: Final[Mapping[Reason, tuple[str, str, str]]] = {
    "done": ("All jobs have been worked on.", "", "全部任务已处理"),
    "credits": (
        "The account has not enough credits.",
        "Top up, then resume: the rest of the queue is kept.",
        "积分不足，已暂停；充值后可继续",
    ),
    "budget": (
        "The budget is reached.",
        "Resume with a higher budget to go on: the rest of the queue is kept.",
        "已达到预算，已暂停；提高预算后可继续",
    ),
    "key": ("The service refused the API key.", "Check the key, then resume.", "密钥被拒绝，已暂停"),
    "setup": ("The service cannot be used as it is set up.", "See the error, then resume.", "配置有误，已暂停"),
    "disk": (
        "The journal cannot be written, so nothing more was sent.",
        "Make room, then resume.",
        "日志无法写入，已暂停，不再发送",
    ),
    "network": ("The service could not be reached for too long.", "Resume later.", "长时间无法连接服务，已暂停"),
    "rate_limited": (
        "The service refused every submission as one too many for too long.",
        "Resume later, with a lower rate.",
        "请求持续被限流，已暂停",
    ),
    "unknowns": (
        "Too many submissions got no usable answer: stopped to protect your credits.",
        "Resolve the unknown ones, then resume.",
        "过多提交结果未知，已暂停以保护积分",
    ),
    "interrupted": (
        "Interrupted; every submission on its way was let finish.",
        "Resume to go on.",
        "已中断；在途提交均已完成",
    ),
    "cancelled": (
        "Interrupted twice; submissions on their way are listed as unknown.",
        "Resolve them, then resume.",
        "已强行中断；在途提交列为未知",
    ),
}


@frozen
class Report:
    """How a run ended.

    Attributes:
        reason: Why it stopped.
        counts: Jobs in each state.
        spent: Pictures that may have been charged so far.
        folder: The output folder.
        error: The error that stopped it, if one did.
        unrecorded: Task ids by key that were paid for and could not be written to the journal: note them down.
    """

    reason: Reason
    counts: Mapping[State, int]
    spent: int
    folder: Path
    error: Exception | None = None
    unrecorded: Mapping[str, str] = field(factory=dict)

    @property
    def total(self) -> int:
        """All jobs."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Jobs that a resume would work on."""
        return sum(self.counts[state] for state in ("planned", "submitting", "submitted", "succeeded"))

    @property
    def complete(self) -> bool:
        """Whether every job has its pictures, or was given up by the user."""
        return self.counts["downloaded"] + self.counts["abandoned"] == self.total


@frozen
class Snapshot:
    """Where a run is, for a progress display.

    Attributes:
        counts: Jobs in each state.
        spent: Pictures that may have been charged so far.
        budget: Of pictures, or None.
        elapsed: Seconds since this start.
        settled: Jobs that came to their end since this start.
        window: Submissions that may be on the way at once just now.
        waiting: Why nothing is submitted just now, or empty.
    """

    counts: Mapping[State, int]
    spent: int
    budget: int | None
    elapsed: float
    settled: int
    window: int
    waiting: str = ""

    @property
    def rate(self) -> float:
        """Jobs settled per second since this start."""
        return self.settled / self.elapsed if self.elapsed > 0 else 0.0

    @property
    def eta(self) -> float | None:
        """Seconds until all are settled at this rate; None while unknown."""
        left = sum(self.counts[state] for state in ("planned", "submitting", "submitted", "succeeded"))
        return left / self.rate if self.rate else None
