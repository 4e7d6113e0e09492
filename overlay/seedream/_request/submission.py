"""Checks a whole submission before it costs anything: the spec's limits, then the ledger's rules.

Every limit comes from the generated table of the operation's fields, so a changed or new one holds without an edit
here. Only what the page says in prose has code of its own: the prompt, and the resolution.
"""

import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, cast

from attrs import define, field, frozen
from tensorslab_images.limits import SUBMIT, Field
from tensorslab_images.methods import SubmitOptions as GeneratedOptions

from seedream._request.foreign_names import hint_for
from seedream._request.source_images import SourceFile, Sources, check_url, gather
from seedream._support.redact import quote, short_repr
from seedream.errors import InvalidRequest, Problem
from seedream.resolution import Resolution, canonical

Scalar = str | int | float | bool
WireValue = Scalar | list[Scalar]

_FIELDS: Final = {field.attribute: field for field in SUBMIT.fields}
_BATCH: Final = "batchsize"
_SOURCES: Final = "source_images"
_URL: Final = "image_url"
_ANY_SOURCE: Final = "allow_unrecognized_sources"
# Fields whose rule the page states in prose: the error can quote the vendor's sentence.
_RULES: Final = {"prompt": "PROMPT-REQUIRED", _BATCH: "BATCH-RANGE"}


@frozen(eq=False, repr=False, slots=False)
class Submission:
    """A checked submission.

    Attributes:
        values: Values by the field's name on the wire, without files.
        files: Files by the field's name on the wire.
    """

    values: Mapping[str, WireValue]
    files: Mapping[str, tuple[SourceFile, ...]] = field(factory=dict)

    @property
    def images(self) -> int:
        """How many images it asks for, and so costs."""
        field_ = _FIELDS.get(_BATCH)
        default = 1 if field_ is None or field_.default is None else field_.default
        return int(cast("int", self.values.get(_BATCH, default)))

    @cached_property
    def digest(self) -> str:
        """Sha256 (hex) of the canonical request: values in order of name, files by the hash of their bytes.

        It is computed when it is first asked for, because it reads all files. A file that cannot be read any more
        counts by its name and size.
        """
        import hashlib  # noqa: PLC0415 -- it loads OpenSSL

        files = {name: [[file.name, _hash_of(file)] for file in files] for name, files in self.files.items()}
        canonical = json.dumps([self.values, files], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def _hash_of(file: SourceFile) -> str:
    try:
        return file.sha256
    except OSError:
        return f"unreadable, {file.size} bytes"


class SubmitOptions(GeneratedOptions[Sources, Resolution], total=False):
    """What a submission may say besides its prompt: the parameters of ``submit``, for functions that pass them on."""


def check_submit(prompt: object, options: Mapping[str, object]) -> Submission:
    """Check a prompt and its SubmitOptions against the spec's limits and the ledger's rules.

    Args:
        prompt: The prompt; ``options`` may hold it instead.
        options: Values by Python name; None means not given.

    Returns:
        The submission in wire form, resolution canonical.

    Raises:
        InvalidRequest: With every problem found.
    """
    given = {name: value for name, value in {"prompt": prompt, **options}.items() if value is not None}
    strict = not given.pop(_ANY_SOURCE, False)
    building = _Building(given, strict)
    problems: list[Problem] = []
    for name, value in given.items():
        try:
            building.set_field(name, value)
        except InvalidRequest as error:
            problems += error.problems
    reported = {problem.field for problem in problems}
    for spec in SUBMIT.fields:
        missing = spec.name not in building.values and spec.name not in building.files
        if spec.required and missing and spec.attribute not in reported:
            problems.append(_problem(spec, "missing", f"Give a {spec.attribute}."))
    if problems:
        raise InvalidRequest(tuple(problems))
    return Submission(building.values, building.files)


@define(eq=False, repr=False)
class _Building:
    """A submission being checked: what was given, and what is good so far."""

    given: Mapping[str, object]
    strict: bool
    values: dict[str, WireValue] = field(factory=dict)
    files: dict[str, tuple[SourceFile, ...]] = field(factory=dict)

    def set_field(self, name: str, value: object) -> None:
        spec = _FIELDS.get(name)
        if spec is None:
            hint = hint_for(name) or f"It has {', '.join(sorted(_FIELDS))}."
            raise InvalidRequest(Problem(name, "the API has no such field", hint=hint))
        if name == _SOURCES:
            self._set_sources(spec, value)
        elif spec.kind == "binary":
            self._add_files(spec, _other_files(spec, value))
        else:
            checked = _wire_value(spec, value)
            if name == _URL and self.strict:
                check_url(cast("str", checked))
            if checked != []:  # an empty list leaves nothing to send
                self.values[spec.name] = checked

    def _set_sources(self, spec: Field, sources: object) -> None:
        files, url = gather(cast("Any", sources), strict=self.strict)
        if files:
            self._add_files(spec, files)
        if url is not None:
            if _URL in self.given:
                hint = "Give only one of them."
                raise InvalidRequest(Problem(_URL, "given twice, also as a source image", "IMAGE-URL", hint))
            self.set_field(_URL, url)

    def _add_files(self, spec: Field, files: tuple[SourceFile, ...]) -> None:
        self.files[spec.name] = files
        _check_items(spec, [_hash_of(file) for file in files] if spec.unique_items else range(len(files)))


def _other_files(spec: Field, value: object) -> tuple[SourceFile, ...]:
    """Return the files of a field other than the source images; their format is not checked."""
    try:
        return gather(cast("Any", value), strict=False)[0]
    except InvalidRequest as error:
        problems = tuple(Problem(spec.attribute, one.message, None, one.hint) for one in error.problems)
        raise InvalidRequest(problems) from None


def _wire_value(spec: Field, value: object) -> WireValue:
    if spec.many:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            message = f"an object of type {type(value).__name__} is not a list"
            raise InvalidRequest(_problem(spec, message, "Give a list."))
        items = [_scalar(spec, item) for item in cast("Iterable[object]", value)]
        _check_items(spec, items)
        return items
    return _scalar(spec, value)


def _scalar(spec: Field, value: object) -> Scalar:
    if spec.name == "resolution" and spec.kind == "string":
        value = canonical(cast("str | Resolution", value))
    if spec.name == "prompt" and isinstance(value, str) and not value.strip():
        raise InvalidRequest(_problem(spec, "empty", "Say what the picture shows."))
    typed = _typed(spec, value)
    if spec.enum and typed not in spec.enum:
        legal = ", ".join(str(item) for item in spec.enum)
        raise InvalidRequest(_problem(spec, f"{quote(str(typed))} is not one of {legal}", "Choose one of them."))
    if isinstance(typed, str):
        _check_text(spec, typed)
    elif not isinstance(typed, bool):
        _check_number(spec, typed)
    return typed


def _typed(spec: Field, value: object) -> Scalar:
    match spec.kind:
        case "integer" if not isinstance(value, bool):
            try:
                return int(operator.index(cast("Any", value)))  # a member of an enum has a text of its own
            except TypeError:
                pass  # reported below, as every other wrong type
        case "number" if not isinstance(value, bool):
            from numbers import Real  # noqa: PLC0415 -- slow to load, and the page has no such field so far

            if isinstance(value, Real) and math.isfinite(value):
                return int(value) if isinstance(value, int) else float(value)
        case "boolean" if isinstance(value, bool):
            return value
        case "string" if isinstance(value, str):
            return str.__str__(value)
        case _:
            pass
    kind = _KINDS[spec.kind]
    raise InvalidRequest(_problem(spec, f"{short_repr(value)} is not {kind}", f"Give {kind}."))


_KINDS: Final = {
    "integer": "a whole number",
    "number": "a finite number",
    "boolean": "True or False",
    "string": "text",
    "object": "an object, which a form cannot hold",
    "binary": "a file",
}


def _check_text(spec: Field, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"character {error.start + 1} is half of a pair (a lone surrogate)"
        raise InvalidRequest(_problem(spec, message, "Decode the text properly.")) from None
    if spec.min_length is not None and len(text) < spec.min_length:
        raise InvalidRequest(_problem(spec, f"{len(text)} characters, fewer than {spec.min_length}", "Make it longer."))
    if spec.max_length is not None and len(text) > spec.max_length:
        raise InvalidRequest(_problem(spec, f"{len(text)} characters, more than {spec.max_length}", "Make it shorter."))
    if spec.pattern is not None and not re.search(spec.pattern, text):
        raise InvalidRequest(_problem(spec, f"{quote(text)} does not match {spec.pattern}", "Change it to match."))


_DIGITS: Final = 4000  # Python refuses to write longer whole numbers
_BOUNDS: Final[tuple[tuple[str, Callable[[Any, Any], bool], str], ...]] = (
    ("minimum", operator.ge, "below the minimum"),
    ("exclusive_minimum", operator.gt, "not above"),
    ("maximum", operator.le, "above the maximum"),
    ("exclusive_maximum", operator.lt, "not below"),
)


def _check_number(spec: Field, number: float) -> None:
    for name, holds, fault in _BOUNDS:
        bound = getattr(spec, name)
        if bound is not None and not holds(number, bound):
            raise InvalidRequest(_problem(spec, f"{short_repr(number)} is {fault} {bound}", _range(spec)))
    if isinstance(number, int) and abs(number) >= 10**_DIGITS:
        raise InvalidRequest(_problem(spec, f"a number of more than {_DIGITS} digits", _range(spec)))
    if not spec.is_multiple(number):
        hint = f"Give a multiple of {spec.multiple_of}."
        raise InvalidRequest(_problem(spec, f"{short_repr(number)} is not a multiple of {spec.multiple_of}", hint))


def _range(spec: Field) -> str:
    low, high = spec.minimum, spec.maximum
    return f"Give {low} to {high}." if low is not None and high is not None else "Change it to fit."


def _check_items(spec: Field, items: Sequence[Scalar]) -> None:
    """Check the number of items, and that none occurs twice where the schema says so."""
    most = spec.max_items if spec.many else 1
    if most is not None and len(items) > most:
        raise InvalidRequest(_problem(spec, f"{len(items)} given, more than {most}", "Give fewer."))
    if spec.min_items is not None and len(items) < spec.min_items:
        raise InvalidRequest(_problem(spec, f"{len(items)} given, fewer than {spec.min_items}", "Give more."))
    if spec.unique_items and len(set(items)) < len(items):
        raise InvalidRequest(_problem(spec, "an item is given twice", "Give each item once."))


def _problem(spec: Field, message: str, hint: str) -> Problem:
    return Problem(spec.attribute, message, _RULES.get(spec.name), hint)
