"""Reads values of the API's fields from the command line, by the kinds in the spec's table of fields."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, cast

import click
from tensorslab_images.limits import SUBMIT, Field

from seedream._request.foreign_names import hint_for
from seedream.errors import InvalidRequest, Problem

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?")
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# How text is read for each kind of field. Text that cannot be read stays text, and the request's check refuses it.
_READ: Final[Mapping[str, Callable[[str], object]]] = {
    "integer": lambda text: int(text) if _WHOLE.fullmatch(text) else text,
    "number": lambda text: float(text) if _NUMBER.fullmatch(text) else text,
    "boolean": lambda text: _TRUTH.get(text.lower(), text),
}


def known_field(name: str) -> Field | None:
    """Return the request's field of that name, as on the wire or else as in Python."""
    by_name = {field.attribute: field for field in SUBMIT.fields} | {field.name: field for field in SUBMIT.fields}
    return by_name.get(name)


def read_value(field: Field, text: str) -> object:
    """Return the value that the text means for this field."""
    return _READ.get(field.kind, str)(text)


def read_settings(settings: Iterable[str], taken: Iterable[str] = ()) -> dict[str, object]:
    """Return the fields that ``--set FIELD=VALUE`` gives, by Python name; only one with a list may be given again.

    Raises:
        click.BadParameter: A text is not ``field=value``.
        InvalidRequest: The API has no such field, or it is given twice or is one of those that another option gives.
    """
    values: dict[str, object] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{setting!r} is not FIELD=VALUE", param_hint="'--set'")
        field = known_field(name.strip())
        if field is None:
            legal = ", ".join(sorted(one.name for one in SUBMIT.fields))
            hint = " ".join(filter(None, (hint_for(name), f"It has {legal}.")))
            raise InvalidRequest(Problem(name.strip(), "the API has no such field", hint=hint))
        value = read_value(field, text)
        if field.attribute in values and field.many:
            values[field.attribute] = [*cast("list[object]", values[field.attribute]), value]
        elif field.attribute in values or field.attribute in taken:
            raise InvalidRequest(Problem(field.attribute, "given twice", hint="Give it once."))
        else:
            values[field.attribute] = [value] if field.many else value
    return values


def describe(name: str) -> str:
    """Return the limits and the default of a field for a help text: ``1 to 15, default 1``."""
    field = known_field(name)
    parts: list[str] = []
    if field is None:
        return ""
    if field.minimum is not None and field.maximum is not None:
        parts.append(f"{field.minimum} to {field.maximum}")
    if field.enum:
        parts.append(", ".join(str(item) for item in field.enum))
    if field.default is not None:
        parts.append(f"default {field.default}")
    return ", ".join(parts)
