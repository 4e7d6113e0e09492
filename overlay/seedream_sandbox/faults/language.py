"""The language that asks for a fault: ``name option=value ...``.

It is the same in a plan, in the header ``X-Sandbox-Fault`` (several faults separated by ``;``), in a prompt
(``[[fault:name option=value]]``) and on the command line.
"""

import difflib
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

from attrs import field, frozen
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent

from seedream_sandbox.faults.catalogue import KINDS, PARTS, SCOPES, FaultKind, Scalar, Scope, as_text

HEADER: Final = "x-sandbox-fault"
_MARKER: Final = re.compile(r"\[\[fault:([^\]\[]{1,200})\]\]")
_MOST_MARKERS: Final = 50
_STATUS: Final = re.compile(r"status-([2-5][0-9]{2})")
_WHEN: Final = frozenset({"at", "nth", "every", "probability", "times", "match", "billed"})
_WORDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("drip-part", "part"): PARTS,
    ("stuck", "state"): ("queued", "processing"),
    ("no-credits", "data"): ("absent", "null", "empty"),
    ("status", "body"): ("json", "html", "empty"),
    ("duplicate-keys", "key"): ("code", "msg", "data", "taskid"),
}
_ENDS: Final = ("fin", "rst")
_RANGES: Final[Mapping[str, tuple[int, int]]] = {"nth": (1, 10**12), "probability": (0, 1)}


class FaultError(ValueError):
    """A fault that is written wrongly."""


@frozen
class Fault:
    """One fault.

    Attributes:
        kind: What it does.
        at: Which requests it may act on.
        options: All options of the kind.
        billed: On a submission: whether it acts after the work is done and charged, or instead of it.
        nth: Only the requests with these numbers (from 1) in its scope; empty: any.
        every: Only each n-th request; 0: any.
        probability: For each request, decided by the sandbox's seed and the request's number.
        times: Maximum number of times that it acts; 0: no limit.
        match: Only when the prompt contains this text.
    """

    kind: FaultKind
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

    def __getitem__(self, option: str) -> Any:
        """Return an option; its type is that of the default in the catalogue."""
        return self.options[option]

    def applies(self, ordinal: int, used: int, seed: str, prompt: str) -> bool:
        """Decide whether the fault, which acted ``used`` times, acts on the request with that number in its scope."""
        return (
            (not self.nth or ordinal in self.nth)
            and (not self.every or ordinal % self.every == 0)
            and (not self.times or used < self.times)
            and self.match in prompt
            and (self.probability >= 1 or random.Random(f"{seed}/{ordinal}").random() < self.probability)  # noqa: S311 -- repeatable on purpose
        )

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={as_text(value)}" for key, value in self.options.items())])


def parse_fault(text: str) -> Fault:
    """Read ``name option=value ...``.

    Raises:
        FaultError: Unknown name or option, or a value of the wrong type; the message names the nearest.
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
    """Build a fault from its name and settings (values as text or already typed).

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
    options = {key: _option(kind, key, settings.get(key, default)) for key, default in kind.options.items()}
    at = str(given.get("at", kind.at))
    if at not in SCOPES:
        raise FaultError(f"{at!r} is not a scope of a fault{_nearest(at, SCOPES)}")
    if (at == "connect") != (kind.layer == "connect"):
        raise FaultError(f"the fault {name!r} cannot be at {at!r}")
    if kind.layer in ("connect", "arrival") and given.get("match"):
        raise FaultError(f"the fault {name!r} acts before the prompt is read, so it cannot match one")
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


def prompt_faults(prompt: str) -> Iterator[Fault]:
    """Yield the faults that a prompt asks for; a marker that names no fault is ordinary text."""
    for found in islice(_MARKER.finditer(prompt), _MOST_MARKERS):
        try:
            yield parse_fault(found[1])
        except FaultError:
            continue


def header_faults(value: str | None) -> list[Fault]:
    """Return the faults that a request's header asks for.

    Raises:
        FaultError: As ``parse_fault``; or a fault acts before any header is read.
    """
    faults = [parse_fault(text) for text in (value or "").split(";") if text.strip()]
    for fault in faults:
        if fault.kind.layer == "connect":
            raise FaultError(f"the fault {fault.name!r} acts before a header is read: put it into a plan")
    return faults


def _option(kind: FaultKind, key: str, value: Any) -> Scalar:
    typed: Scalar = _typed(kind.name, key, value, kind.options[key])
    words = _ENDS if key == "how" else _WORDS.get((kind.name, key), ())
    if words and typed not in words:
        raise FaultError(f"{key}={value!r} of the fault {kind.name!r} is not one of {', '.join(words)}")
    if key == "status" and kind.layer == "reply" and not 200 <= int(typed) <= 599:  # noqa: PLR2004 -- final HTTP statuses
        raise FaultError(f"{key}={value!r} of the fault {kind.name!r} is not a final HTTP status (200 to 599)")
    return typed


def _typed(name: str, key: str, value: Any, default: Any) -> Any:
    try:
        if isinstance(default, bool):
            return {"true": True, "false": False, "yes": True, "no": False}[str(value).lower()]
        number = type(default)(value)
    except (KeyError, ValueError, TypeError, OverflowError):
        raise FaultError(f"{key}={value!r} of the fault {name!r} is not like {as_text(default)!r}") from None
    least, most = _RANGES.get(key, (0, 10**12))
    if isinstance(number, int | float) and not least <= number <= most:  # refuses nan and what no test means
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


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"


_LARGEST: Final = 256 * 1024  # bytes


def load_plan(path: Path) -> list[Fault]:
    """Read the faults of a plan file: YAML 1.2 (or JSON) with a list ``faults``.

    Each entry is a fault as on the command line (``cut-reply nth=2``), or a mapping with the key ``fault`` and its
    settings. Aliases (``*name``) are refused, because a few of them can expand to gigabytes.

    Raises:
        FaultError: The file cannot be read, holds no such list, or an entry is wrong; the message says which.
    """
    try:
        document = _read(path)
    except (OSError, ValueError, YAMLError, RecursionError) as error:
        raise FaultError(f"the fault plan {path.name} cannot be read: {str(error) or type(error).__name__}") from None
    entries = cast("dict[str, Any]", document).get("faults") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise FaultError(f"the fault plan {path.name} has no list named faults")
    return [_entry(path, number, entry) for number, entry in enumerate(cast("list[object]", entries), start=1)]


def _read(path: Path) -> object:
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST // 1024} kB")
    text = content.decode("utf-8")
    if any(isinstance(event, AliasEvent) for event in YAML(typ="safe", pure=True).parse(text)):
        raise ValueError("aliases (*name) are not allowed: write each entry out")
    return YAML(typ="safe", pure=True).load(text)


def _entry(path: Path, number: int, entry: object) -> Fault:
    try:
        if isinstance(entry, str):
            return parse_fault(entry)
        if isinstance(entry, dict):
            settings = {str(key): value for key, value in cast("dict[object, Any]", entry).items()}
            return make_fault(str(settings.pop("fault", "")), settings)
    except FaultError as error:
        raise FaultError(f"entry {number} of the fault plan {path.name}: {error}") from None
    raise FaultError(f"entry {number} of the fault plan {path.name} is neither text nor a mapping")
