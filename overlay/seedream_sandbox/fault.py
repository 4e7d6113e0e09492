"""Faults: what may go wrong, and the little language that asks for it.

``name option=value ...``, the same in a plan, in the header ``X-Sandbox-Fault`` (several separated by ``;``), in a
prompt (``[[fault:name option=value]]``) and on the command line.
"""

import difflib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from attrs import field, frozen

from seedream_sandbox.fault_catalogue import KINDS, SCOPES, Kind, Scope

Scalar = str | int | float | bool
HEADER: Final = "x-sandbox-fault"
_MARKER: Final = re.compile(r"\[\[fault:([^\]\[]{1,200})\]\]")
_STATUS: Final = re.compile(r"status-([1-5][0-9]{2})")
_WHEN: Final = frozenset({"at", "nth", "every", "probability", "times", "match", "billed"})


class FaultError(ValueError):
    """A fault that is not written as it must be."""


@frozen
class Fault:
    """One fault.

    Attributes:
        kind: What it does.
        at: Which requests it may meet.
        options: The kind's options, every one of them.
        billed: On a submission: whether it acts after the work is done and charged, or instead of it.
        nth: Only the requests of these numbers (from 1) at this place; empty: any.
        every: Only each so-manieth request; 0: any.
        probability: For each request, decided by the sandbox's seed and the request's number.
        times: At most so often; 0: without end.
        match: Only when the prompt contains this.
    """

    kind: Kind
    at: Scope
    options: Mapping[str, Scalar] = field(factory=dict[str, Scalar])
    billed: bool = True
    nth: tuple[int, ...] = ()
    every: int = 0
    probability: float = 1.0
    times: int = 0
    match: str = ""

    @property
    def name(self) -> str:
        """The kind's name."""
        return self.kind.name

    def text(self, option: str) -> str:
        """An option as text."""
        return str(self.options[option])

    def integer(self, option: str) -> int:
        """An option as a whole number."""
        return int(self.options[option])

    def number(self, option: str) -> float:
        """An option as a number."""
        return float(self.options[option])

    def meets(self, ordinal: int, used: int, seed: str, prompt: str) -> bool:
        """Whether it strikes.

        Args:
            ordinal: The request's number at this place, from 1.
            used: How often it has struck.
            seed: Of the decision.
            prompt: Of the submission concerned.
        """
        return (
            (not self.nth or ordinal in self.nth)
            and (not self.every or ordinal % self.every == 0)
            and (not self.times or used < self.times)
            and self.match in prompt
            and (self.probability >= 1 or random.Random(f"{seed}/{ordinal}").random() < self.probability)  # noqa: S311 -- repeatable on purpose
        )

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={value}" for key, value in self.options.items())])


def parse_fault(text: str) -> Fault:
    """Read ``name option=value ...``.

    Raises:
        FaultError: Unknown name or option, or a value of the wrong type; names the nearest.
    """
    words = text.split()
    if not words:
        raise FaultError(f"a fault has a name: one of {', '.join(KINDS)}")
    settings: dict[str, Any] = {}
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals:
            raise FaultError(f"{word!r} in the fault {text!r} is not option=value")
        settings[key] = value
    return make_fault(words[0], settings)


def make_fault(name: str, settings: Mapping[str, Any]) -> Fault:
    """A fault from its name and settings (values as text or already typed).

    Raises:
        FaultError: As ``parse_fault``.
    """
    settings = dict(settings)
    short = _STATUS.fullmatch(name)
    if short is not None:
        name = "status"
        settings.setdefault("status", short[1])
    kind = KINDS.get(name)
    if kind is None:
        raise FaultError(f"there is no fault {name!r}{_nearest(name, KINDS)}")
    given = {key: settings.pop(key) for key in list(settings) if key in _WHEN}
    unknown = set(settings) - set(kind.options)
    if unknown:
        wrong = min(unknown)
        raise FaultError(
            f"the fault {name!r} has no option {wrong!r}{_nearest(wrong, [*kind.options, *sorted(_WHEN)])}"
        )
    options = {key: _typed(name, key, settings.get(key, default), default) for key, default in kind.options.items()}
    at = str(given.get("at", kind.at))
    if at not in SCOPES:
        raise FaultError(f"{at!r} is not a place for a fault{_nearest(at, SCOPES)}")
    if (at == "connect") != (kind.layer == "connect"):
        raise FaultError(f"the fault {name!r} cannot be at {at!r}")
    if kind.layer == "arrival" and given.get("match"):
        raise FaultError(f"the fault {name!r} strikes before the prompt is read, so it cannot match one")
    billed = kind.billed if name != "status" else int(options["status"]) >= 500  # noqa: PLR2004 -- a server's own failure may come after the work
    return Fault(
        kind,
        at,
        options,
        billed=_typed(name, "billed", given.get("billed", billed), billed),
        nth=_numbers(name, given.get("nth", ())),
        every=_typed(name, "every", given.get("every", 0), 0),
        probability=_typed(name, "probability", given.get("probability", 1.0), 1.0),
        times=_typed(name, "times", given.get("times", 0), 0),
        match=str(given.get("match", "")),
    )


def markers(prompt: str) -> Iterator[Fault]:
    """The faults that a prompt asks for; what is not a fault is no marker but text."""
    for found in _MARKER.finditer(prompt):
        try:
            yield parse_fault(found[1])
        except FaultError:
            continue


def from_header(value: str | None) -> list[Fault]:
    """The faults that a request's header asks for.

    Raises:
        FaultError: As ``parse_fault``; or one strikes before any header is read.
    """
    faults = [parse_fault(text) for text in (value or "").split(";") if text.strip()]
    for fault in faults:
        if fault.kind.layer == "connect":
            raise FaultError(f"the fault {fault.name!r} strikes before a header is read: put it into a plan")
    return faults


def _typed(name: str, key: str, value: Any, default: Any) -> Any:
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False, "yes": True, "no": False}[str(value).lower()]
        number = type(default)(value)
    except (KeyError, ValueError, TypeError, OverflowError):
        raise FaultError(f"{key}={value!r} of the fault {name!r} is not like {default!r}") from None
    if isinstance(number, int | float) and not 0 <= number < 1e12:  # noqa: PLR2004 -- refuses nan and what no test means
        raise FaultError(f"{key}={value!r} of the fault {name!r} is out of range")
    return number


def _numbers(name: str, value: Any) -> tuple[int, ...]:
    parts: Sequence[Any]
    if isinstance(value, str):
        parts = value.split(",")
    elif isinstance(value, list | tuple):
        parts = cast("Sequence[Any]", value)
    else:
        parts = (value,)
    return tuple(_typed(name, "nth", part, 0) for part in parts)


def _nearest(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
