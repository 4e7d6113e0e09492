"""How a sandbox behaves, in one place."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from attrs import field, frozen

from seedream.sandbox._clock import Clock, SystemClock
from seedream.sandbox._fault import Fault, parse_fault
from seedream.sandbox._paint import Format
from seedream.sandbox._task import Pace, Progress

Pictures = Literal["painted", "plain"]


def _faults(given: "Iterable[str | Fault]") -> tuple[Fault, ...]:
    return tuple(parse_fault(one) if isinstance(one, str) else one for one in given)


@frozen(kw_only=True)
class Settings:
    """How a sandbox behaves.

    Attributes:
        credits: Balance at the start.
        price: Credits for one image.
        seed: Decides ids, pictures and the faults' probabilities.
        progress: ``polls``, ``time`` or ``instant``: how tasks progress.
        polls: Queries that find a task still running (``polls``).
        latency: Seconds from submission to completion (``time``).
        pictures: ``painted``, or ``plain``: one colour, made fast.
        format: Format of pictures.
        keys: The only keys that are accepted; empty: any well-formed one.
        faults: In force from the start, as text or Fault.
        ledger_path: Each charge is appended to this file too.
        lifetime: Seconds for which a picture's URL is good.
        keep: How many tasks, and how many requests, are remembered.
        max_body: Bytes of a request's body; more is refused with 413.
        clock: Time, to be replaced in tests.
    """

    credits: int = 1000
    price: int = 1
    seed: int = 0
    progress: Progress = "polls"
    polls: int = 2
    latency: float = 1.0
    pictures: Pictures = "painted"
    format: Format = "png"
    keys: tuple[str, ...] = field(default=(), repr=False)
    faults: tuple[Fault, ...] = field(default=(), converter=_faults)
    ledger_path: Path | None = None
    lifetime: float = 24 * 3600.0
    keep: int = 1000
    max_body: int = 64 * 1024 * 1024
    clock: Clock = field(factory=SystemClock)

    @property
    def pace(self) -> Pace:
        """How tasks progress."""
        return Pace(self.progress, self.polls, self.latency)
