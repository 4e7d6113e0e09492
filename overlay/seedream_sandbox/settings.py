"""How a sandbox behaves, in one place."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from attrs import Attribute, converters, field, frozen
from attrs.validators import and_, ge, in_, instance_of, optional

from seedream_sandbox.clock import Clock, SystemClock
from seedream_sandbox.faults.language import Fault, parse_fault
from seedream_sandbox.pictures.landscape import Format
from seedream_sandbox.task import Progress, ProgressRule

Pictures = Literal["painted", "plain"]
_WHOLE = and_(instance_of(int), ge(0))


def _faults(given: "str | Fault | Iterable[str | Fault]") -> tuple[Fault, ...]:
    listed = [given] if isinstance(given, str | Fault) else given
    return tuple(parse_fault(one) if isinstance(one, str) else one for one in listed)


def _keys(given: "str | Iterable[str] | Mapping[str, int]") -> "tuple[str, ...] | Mapping[str, int]":
    if isinstance(given, str):
        return (given,)
    return dict(given) if isinstance(given, Mapping) else tuple(given)


def _usable_keys(_settings: object, _attribute: "Attribute[Any]", keys: Iterable[str]) -> None:
    for key in keys:
        if not isinstance(key, str) or not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("keys: each is a text of visible ASCII characters without blanks")


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
        keys: The only keys that are accepted, each with tasks and a balance of its own (a mapping gives each its own
            start); empty: any well-formed key is accepted, and all share one balance.
        faults: In force from the start, as text or Fault.
        ledger_path: Each charge is appended to this file too.
        lifetime: Seconds for which a picture's URL is good.
        keep: Number of tasks, and of requests, that are remembered.
        max_body: Bytes of a request's body; a larger one is refused with 413.
        clock: Time, to be replaced in tests.

    Raises:
        TypeError: There is no such setting, or a value has the wrong type.
        ValueError: A setting is out of its range, or not one of its words.
        FaultError: A fault is written wrongly.
    """

    credits: int = field(default=1000, validator=_WHOLE)
    price: int = field(default=1, validator=_WHOLE)
    seed: int = field(default=0, validator=instance_of(int))
    progress: Progress | None = field(default=None, validator=optional(in_(get_args(Progress))))
    polls: int = field(default=2, validator=_WHOLE)
    latency: float | None = field(default=None, validator=optional(ge(0)))
    pictures: Pictures = field(default="painted", validator=in_(get_args(Pictures)))
    format: Format = field(default="png", validator=in_(get_args(Format)))
    keys: tuple[str, ...] | Mapping[str, int] = field(default=(), converter=_keys, validator=_usable_keys, repr=False)
    faults: tuple[Fault, ...] = field(default=(), converter=_faults)
    ledger_path: Path | None = field(default=None, converter=converters.optional(Path))
    lifetime: float = 24 * 3600.0
    keep: int = field(default=4000, validator=and_(instance_of(int), ge(1)))
    max_body: int = field(default=64 * 1024 * 1024, validator=_WHOLE)
    clock: Clock = field(factory=SystemClock)

    @property
    def progress_rule(self) -> ProgressRule:
        """How tasks progress."""
        progress = self.progress or ("polls" if self.latency is None else "time")
        return ProgressRule(progress, self.polls, 1.0 if self.latency is None else self.latency)

    @property
    def balances(self) -> dict[str, int]:
        """Starting balance of each key; empty when any key is accepted."""
        if isinstance(self.keys, Mapping):
            return dict(self.keys)
        return dict.fromkeys(self.keys, self.credits)
