"""How a sandbox behaves, in one place."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from attrs import field, frozen
from attrs.validators import ge, in_, optional

from seedream_sandbox.clock import Clock, SystemClock
from seedream_sandbox.fault import Fault, parse_fault
from seedream_sandbox.landscape import Format
from seedream_sandbox.task import Pace, Progress

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
        progress: ``polls``, ``time`` or ``instant``: how tasks progress; None: ``time`` when a latency is given, else
            ``polls``.
        polls: Queries that find a task still running (``polls``).
        latency: Seconds from submission to completion (``time``); None: one.
        pictures: ``painted``, or ``plain``: one colour, made fast.
        format: Format of pictures.
        keys: The only keys that are accepted; empty: any well-formed one.
        faults: In force from the start, as text or Fault.
        ledger_path: Each charge is appended to this file too.
        lifetime: Seconds for which a picture's URL is good.
        keep: How many tasks, and how many requests, are remembered.
        max_body: Bytes of a request's body; more is refused with 413.
        clock: Time, to be replaced in tests.

    Raises:
        ValueError: A setting is out of its range, or none of its words.
        FaultError: A fault is not written as it must be.
    """

    credits: int = field(default=1000, validator=ge(0))
    price: int = field(default=1, validator=ge(0))
    seed: int = 0
    progress: Progress | None = field(default=None, validator=optional(in_(get_args(Progress))))
    polls: int = field(default=2, validator=ge(0))
    latency: float | None = field(default=None, validator=optional(ge(0)))
    pictures: Pictures = field(default="painted", validator=in_(get_args(Pictures)))
    format: Format = field(default="png", validator=in_(get_args(Format)))
    keys: tuple[str, ...] = field(default=(), repr=False)
    faults: tuple[Fault, ...] = field(default=(), converter=_faults)
    ledger_path: Path | None = None
    lifetime: float = 24 * 3600.0
    keep: int = field(default=1000, validator=ge(1))
    max_body: int = field(default=64 * 1024 * 1024, validator=ge(0))
    clock: Clock = field(factory=SystemClock)

    @property
    def pace(self) -> Pace:
        """How tasks progress."""
        progress = self.progress or ("polls" if self.latency is None else "time")
        return Pace(progress, self.polls, 1.0 if self.latency is None else self.latency)
