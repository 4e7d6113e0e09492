"""The columns of a jobs file: which names there are, and what a line's values become.

The API's fields come from the generated table; only the job's own id is ours. A field of the page always goes first.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tensorslab_images.limits import SUBMIT, Field

from seedream._request.foreign_names import hint_for
from seedream._support.redact import quote
from seedream.errors import Problem

SOURCES: Final = "source_images"
_FIELDS: Final[Mapping[str, Field]] = {field.attribute: field for field in SUBMIT.fields}
PROMPT: Final = _FIELDS["prompt"]
# Every name that a line may use, and the option that it means: Python's or the wire's.
_OPTIONS: Final[Mapping[str, str]] = {
    **{field.name: option for option, field in _FIELDS.items()},
    **{option: option for option in _FIELDS},
}
# The column of the job's own id. A field of the page that is called id would keep that name.
ID: Final = "id" if "id" not in _OPTIONS else "job_id"
_LONGEST_ID: Final = 200
_INTEGER: Final = re.compile(r"([+-]?[0-9]+)(\.0*)?")  # spreadsheets and data frames write 2 as 2.0
_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def is_column(name: object) -> bool:
    """Whether a jobs file may have this column."""
    return name == ID or name in _OPTIONS


def unknown_column(name: str) -> Problem:
    """Return the problem of an unknown column, with a hint."""
    hint = hint_for(name)
    if not hint:
        known = [ID, "prompt", *sorted(set(_FIELDS) - {"prompt"})]
        near = difflib.get_close_matches(name.strip().lower(), known, 1, 0.7)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
    return Problem(name, "there is no such column", hint=hint)


def options_of(row: Mapping[str, Any], base: Path, problems: list[Problem]) -> dict[str, Any]:
    """Return a line's options by Python name, paths made absolute from ``base``; what is wrong goes to ``problems``."""
    options: dict[str, Any] = {}
    for name, value in row.items():
        option = _OPTIONS.get(name)
        if _is_missing(value) or (option is None and name == ID):
            continue
        if option is None:
            problems.append(unknown_column(str(name)))
        elif option in options:
            problems.append(Problem(name, f"{option} is given twice, under two names", hint="Give one of them."))
        elif option == SOURCES:
            options[option] = _paths(value, base, problems)
        else:
            whole = _FIELDS[option].kind == "integer" and isinstance(value, float) and value.is_integer()
            options[option] = int(value) if whole else value
    return options


def _is_missing(value: object) -> bool:
    """Whether a value means "not given": None, and the NaN and NA of data frames."""
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ == "NAType"  # noqa: PLR0124 -- NaN


def _paths(value: Any, base: Path, problems: list[Problem]) -> list[str]:
    """Return absolute paths or URLs, so that the run can be resumed from anywhere."""
    items = [value] if isinstance(value, str | Path) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str | Path) for item in items):
        problems.append(Problem(SOURCES, "not a path or a list of paths", "SOURCE-IMAGE", "Give paths as text."))
        return []
    try:
        return [str(item) if _is_url(str(item)) else str((base / Path(item).expanduser()).absolute()) for item in items]
    except (RuntimeError, ValueError) as error:  # "~nobody", a home directory that is not known
        problems.append(Problem(SOURCES, f"not a usable path: {error}", "SOURCE-IMAGE", "Give the whole path."))
        return []


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def id_of(row: Mapping[str, Any], problems: list[Problem]) -> str | None:
    """Return the job's own id as text, None if the line gives none."""
    value = row.get(ID)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if _is_missing(value):
        return None
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _LONGEST_ID:
        hint = f"Give up to {_LONGEST_ID} printable characters."
        problems.append(Problem(ID, f"{quote(str(value))} cannot be an id", hint=hint))
        return None
    return value


def from_text(cells: Iterable[tuple[str, str]], problems: list[Problem]) -> dict[str, Any]:
    """Return a CSV line's values in the types that the fields ask for; an empty cell counts as not given."""
    return {name: _typed(name, text, problems) for name, text in cells if text.strip()}


def _typed(name: str, text: str, problems: list[Problem]) -> Any:
    option = _OPTIONS.get(name, "")
    if option == SOURCES:
        return [part.strip() for part in text.split(";") if part.strip()]
    kind = _FIELDS[option].kind if option in _FIELDS else "string"
    plain = text.strip()
    if kind == "integer" and (found := _INTEGER.fullmatch(plain)):
        return int(found[1])
    if kind == "number" and _NUMBER.fullmatch(plain):
        return float(plain)
    if kind == "boolean" and plain.lower() in ("true", "false"):
        return plain.lower() == "true"
    if kind in ("integer", "number", "boolean"):
        problems.append(Problem(name, f"{quote(text)} is not of type {kind}", hint="Change the cell."))
        return None
    return text
