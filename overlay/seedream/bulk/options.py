"""The settings of a run."""

import math
import sys
from collections.abc import Mapping
from typing import Any, Final, Self, cast

from attrs import asdict, fields, frozen
from tensorslab_images.methods import DEFAULT_MAX_BYTES

from seedream._support.redact import short_repr
from seedream.errors import ConfigError

# Given for one start, and not kept for a resume; the budget has a column of its own.
_OF_ONE_START: Final = frozenset({"budget", "verify", "moved", "records_lost", "as_planned"})

_COUNT: Final = (1, 1000, "Give 1 to 1000.")  # beyond any service's limit
_SECONDS: Final = (0, math.inf, "Give seconds.")
_MOST: Final = 2**53  # the journal and other readers of JSON hold whole numbers up to it exactly
# The least and the greatest value of an option, and what to say about another one.
_RANGES: Final[Mapping[str, tuple[float, float, str]]] = {
    "concurrency": _COUNT,
    "in_flight": _COUNT,
    "downloads": _COUNT,
    "task_timeout": _SECONDS,
    "patience": _SECONDS,
    "max_bytes": (1, _MOST, "Give a number of bytes above 0."),
    "rate": (sys.float_info.min, sys.float_info.max, "Give submissions per second, more than 0."),
    "max_failures": (0, _MOST, "Give a number of failures, or 0 for never."),
    "budget": (0, _MOST, "Give a number of pictures."),
}


@frozen
class BulkOptions:
    """How a run goes about its work.

    Attributes:
        concurrency: Submissions on the way at once. It bounds what a crash can leave unknown.
        rate: Submissions per second; None: no limit.
        budget: Pictures that may be charged in all; None: no limit. Checked before each submission.
        in_flight: Tasks that are submitted and not yet saved, at once.
        downloads: Tasks whose pictures are fetched at once.
        task_timeout: Seconds to wait for one task; then it is left for a resume.
        max_failures: So many tasks in a row that fail, or whose pictures cannot be saved, or submissions without a
            usable answer, pause the run; 0: never.
        patience: Seconds without any submission getting through (429, no network) after which the run stops.
        max_bytes: Limit for one picture.
        allow_unrecognized_sources: Accept source images in which no picture format is recognised.
        as_planned: Resume although the jobs file says something else than what is planned.
        verify: Read every saved picture again at the start, and fetch those that are damaged. Otherwise only
            their presence and size are checked.
        records_lost: Go on although the journal has lost records, or is gone: what they held may be paid for again.
        moved: Go on although the service has another address than at the first start. Without it that is refused:
            task ids and unknowns belong to one service, and a rehearsal must not turn into a paid run.

    Raises:
        ConfigError: A value is of another type, or a number is out of its range.
    """

    concurrency: int = 4
    rate: float | None = None
    budget: int | None = None
    in_flight: int = 64
    downloads: int = 8
    task_timeout: float = 900.0
    max_failures: int = 3
    patience: float = 600.0
    max_bytes: int = DEFAULT_MAX_BYTES
    allow_unrecognized_sources: bool = False
    as_planned: bool = False
    verify: bool = False
    records_lost: bool = False
    moved: bool = False

    def __attrs_post_init__(self) -> None:
        for option in fields(type(self)):
            value = getattr(self, option.name)
            if value is None and option.default is None:
                continue
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if option.type is bool:
                fits, wanted = isinstance(value, bool), "True or False"
            elif option.type in (float, float | None):
                fits, wanted = is_number, "a number"
            else:
                fits, wanted = is_number and isinstance(value, int), "a whole number"
            if not fits:
                raise ConfigError(f"{option.name} is {short_repr(value)}", hint=f"Give {wanted}.")
            number = cast("float", value)
            least, most, hint = _RANGES.get(option.name, (number, number, ""))
            if not least <= number <= most:  # NaN is in no range
                raise ConfigError(f"{option.name} is {value}", hint=hint)

    def stored(self) -> dict[str, Any]:
        """Return the options that the journal keeps for a resume."""
        return {name: value for name, value in asdict(self).items() if name not in _OF_ONE_START}

    @classmethod
    def restored(cls, stored: Mapping[str, Any], budget: int | None) -> Self:
        """Return the options of an earlier start; names of another version are ignored."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known}, budget=budget)
