"""The columns of a jobs file: which names there are, and what a line's values become.

The API's fields come from the generated table; only ``id`` and two short names are our own.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tensorslab_images.limits import SUBMIT, Field

from seedream._support.redact import quote
from seedream.errors import Problem

ID: Final = "id"
SOURCES: Final = "source_images"
_SHORT: Final = {"n": "batchsize", "images": SOURCES}
_FIELDS: Final[Mapping[str, Field]] = {
    SOURCES if field.kind == "binary" and field.many else field.attribute: field for field in SUBMIT.fields
}
# Every name that a line may use, and the option that it means: Python's, the wire's, or a short one.
_OPTIONS: Final[Mapping[str, str]] = {
    **{field.name: option for option, field in _FIELDS.items()},
    **{field.attribute: option for option, field in _FIELDS.items()},
    **{option: option for option in _FIELDS},
    **_SHORT,
}
_LONGEST_ID: Final = 200


def options_of(row: Mapping[str, Any], base: Path, problems: list[Problem]) -> dict[str, Any]:
    """A line's options by Python name, paths made absolute from ``base``; what is wrong goes to ``problems``."""
    options: dict[str, Any] = {}
    for name, value in row.items():
        if name == ID or value is None:
            continue
        option = _OPTIONS.get(name)
        if option is None:
            known = ", ".join([ID, "prompt", *sorted(set(_OPTIONS) - {"prompt"})])
            problems.append(Problem(name, "there is no such column", hint=f"There are {known}."))
        elif option in options:
            problems.append(Problem(name, f"{option} is given twice, under two names", hint="Give one of them."))
        else:
            options[option] = _paths(value, base, problems) if option == SOURCES else value
    return options


def _paths(value: Any, base: Path, problems: list[Problem]) -> list[str]:
    """Absolute paths or URLs: the run can be resumed from anywhere."""
    if isinstance(value, str | Path):
        value = [value]
    if not isinstance(value, list | tuple) or not all(isinstance(item, str | Path) for item in value):
        problems.append(Problem(SOURCES, "not a path or a list of paths", "SOURCE-IMAGE", "Give paths as text."))
        return []
    return [str(item) if _is_url(str(item)) else str((base / Path(item).expanduser()).absolute()) for item in value]


def _is_url(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def id_of(row: Mapping[str, Any], problems: list[Problem]) -> str | None:
    """The job's own id as text, None if the line gives none."""
    value = row.get(ID)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _LONGEST_ID:
        hint = f"Give up to {_LONGEST_ID} printable characters."
        problems.append(Problem(ID, f"{quote(str(value))} cannot be an id", hint=hint))
        return None
    return value


def from_text(row: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """A CSV line's values in the types that the fields ask for; an empty cell counts as not given."""
    return {name: _typed(name, text, problems) for name, text in row.items() if text.strip()}


def _typed(name: str, text: str, problems: list[Problem]) -> Any:
    option = _OPTIONS.get(name)
    if option == SOURCES:
        return [part.strip() for part in text.split(";") if part.strip()]
    field = _FIELDS.get(option or "")
    try:
        match field.kind if field is not None else "string":
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.strip().lower()]
            case _:
                return text
    except (ValueError, KeyError):
        kind = field.kind if field is not None else ""
        problems.append(Problem(name, f"{quote(text)} is not of type {kind}", hint="Change the cell."))
        return None
