"""Reads a jobs file whole and checks every line before anything is spent.

JSONL: one object a line. CSV: a header line, then one job a line, separated by comma, semicolon, tab or bar, as the
header shows; several source images are separated by ``;`` inside their cell. Columns: ``id`` (any text, unique; made
from the request if missing) and the fields of the API by Python's or the wire's name (``prompt``, ``batchsize``,
``resolution``, ``source_images``, ``image_url``, ``category`` and any that the page adds). Paths are relative to the
file's own folder.
"""

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen
from tensorslab_images.limits import SUBMIT

from seedream._files.paths import open_regular
from seedream._request.submission import Submission, check_submit
from seedream._support.redact import quote, redact, short_repr
from seedream.bulk.columns import ID, PROMPT, from_text, id_of, is_column, options_of, unknown_column
from seedream.bulk.text_encoding import decode
from seedream.errors import InvalidRequest, Problem
from seedream.journal import Plan

Jobs = str | PathLike[str] | Mapping[str, Any] | Iterable[Mapping[str, Any] | str]
REDACTED: Final = "redacted_options"  # names of options whose URL is signed: the journal does not keep signatures
_ANY_SOURCE: Final = "allow_unrecognized_sources"
_FILES: Final = frozenset(spec.attribute for spec in SUBMIT.fields if spec.kind == "binary")
_SHOWN: Final = 20  # problems
_DELIMITERS: Final = ",;\t|"
_EXCEL_HINT: Final = re.compile(r"sep=(.)\r?\n")


@frozen
class Planned:
    """A checked jobs file.

    Attributes:
        plans: One a line, ready for the journal.
        redacted_options: By key, the whole options of jobs whose URLs are signed and so not written to the journal.
        path: The jobs file, if it was one.
        encoding: What the user said that the file's encoding is.
    """

    plans: list[Plan]
    redacted_options: Mapping[str, Mapping[str, Any]] = field(repr=False)
    path: Path | None
    encoding: str | None = None

    @property
    def images(self) -> int:
        """How many pictures all jobs ask for."""
        return sum(plan.cost for plan in self.plans)


def read_jobs(jobs: Jobs, *, encoding: str | None = None, allow_unrecognized_sources: bool = False) -> Planned:
    """Read and check all jobs.

    Args:
        jobs: A .jsonl or .csv file, mappings with the same names, prompts, a DataFrame, or one mapping.
        encoding: Of a file; by default UTF-8, or what its byte order mark says.
        allow_unrecognized_sources: Accept source images in which no picture format is recognised.

    Raises:
        InvalidRequest: With the problems of all lines, each naming its line; of more than twenty only the number.
    """
    path = Path(jobs) if isinstance(jobs, str | PathLike) else None
    base = path.absolute().parent if path is not None else Path.cwd()
    problems: list[Problem] = []
    plans: list[Plan] = []
    redacted: dict[str, Mapping[str, Any]] = {}
    seen: dict[str, int] = {}
    repeated: Counter[str] = Counter()
    unknown: set[str] = set()
    more = {_ANY_SOURCE: True} if allow_unrecognized_sources else {}
    for line, row, wrong in _file_rows(path, encoding) if path is not None else _given_rows(jobs):
        found = list(wrong)
        names = [name for name in row or () if not is_column(name)]
        found += [unknown_column(str(name)) for name in names if name not in unknown]  # each name once
        unknown.update(names)
        known = {name: value for name, value in row.items() if is_column(name)} if row is not None else None
        checked = _check(known, base, found, more) if known is not None else None
        if checked is not None:
            key, submission, options = checked
            if key is None:
                repeated[submission.digest] += 1
                key = f"{submission.digest[:16]}-{repeated[submission.digest]}"
            if key in seen:
                hint = "Give each job an id of its own."
                found.append(Problem(ID, f"{quote(key)} is line {seen[key]}'s already", hint=hint))
            seen.setdefault(key, line)
            request = request_of(options)
            if REDACTED in request:
                redacted[key] = options
            plans.append(Plan(key, submission.digest, request, submission.images, line))
        where = f"line {line}" if path is not None else f"job {line}"
        problems += [Problem(f"{where}, {one.field}", one.message, one.rule, one.hint) for one in found]
    if not plans and not problems:
        problems.append(Problem("jobs", "there are none", hint="Give at least one job with a prompt."))
    if problems:
        raise InvalidRequest(_first(problems))
    return Planned(plans, redacted, path.absolute() if path is not None else None, encoding)


def _first(problems: list[Problem]) -> tuple[Problem, ...]:
    if len(problems) <= _SHOWN:
        return tuple(problems)
    more = Problem("jobs", f"and {len(problems) - _SHOWN:,} more problems", hint="Correct these first.")
    return (*problems[:_SHOWN], more)


def plan_of(row: Mapping[str, Any], base: Path) -> tuple[Plan, dict[str, Any]]:
    """Return the plan of one row, and its options by Python name. A row without an id gets one from its request.

    Raises:
        InvalidRequest: With every problem of the row.
    """
    problems: list[Problem] = []
    given = {name: value for name, value in row.items() if name != _ANY_SOURCE}
    checked = _check(given, base, problems, {_ANY_SOURCE: True} if row.get(_ANY_SOURCE) else {})
    if checked is None:
        raise InvalidRequest(tuple(problems))
    key, submission, options = checked
    key = key or f"{submission.digest[:16]}-1"
    return Plan(key, submission.digest, request_of(options), submission.images), options


def _check(
    row: Mapping[str, Any], base: Path, problems: list[Problem], more: Mapping[str, Any]
) -> tuple[str | None, Submission, dict[str, Any]] | None:
    key = id_of(row, problems)
    options = {**options_of(row, base, problems), **more}
    try:
        submission = submission_of(options)
    except InvalidRequest as error:
        problems.extend(error.problems)
        return None
    return None if problems else (key, submission, options)


def submission_of(options: Mapping[str, Any]) -> Submission:
    """Return the checked submission for a job's options. Raises InvalidRequest."""
    return check_submit(None, options)  # the prompt is one of them


def has_files(options: Mapping[str, Any]) -> bool:
    """Whether files are read to check a job's options."""
    return not _FILES.isdisjoint(options)


def request_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options as the journal keeps them: signed URLs without their signature, their names listed."""
    kept: dict[str, Any] = {}
    redacted = []
    for name, value in options.items():
        kept[name] = _unsigned(value) if name != "prompt" else value
        if kept[name] != value:
            redacted.append(name)
    return {**kept, REDACTED: redacted} if redacted else kept


def _unsigned(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    return [_unsigned(item) for item in value] if isinstance(value, list) else value


_Row = tuple[int, Mapping[str, Any] | None, list[Problem]]


def _given_rows(jobs: object) -> Iterator[_Row]:
    if isinstance(jobs, Mapping):
        jobs = [jobs]
    elif hasattr(jobs, "columns") and callable(to_dict := getattr(jobs, "to_dict", None)):  # a DataFrame
        jobs = to_dict("records")
    if isinstance(jobs, bytes | bytearray) or not isinstance(jobs, Iterable):
        hint = "Give the path of a file, or a list of mappings or prompts."
        raise InvalidRequest(Problem("jobs", f"{short_repr(jobs)} is not a list of jobs", hint=hint))
    for number, row in enumerate(jobs, 1):
        if isinstance(row, str):
            yield number, {"prompt": row}, []
        elif isinstance(row, Mapping):
            yield number, row, []
        else:
            wrong = f"an object of type {type(row).__name__} is not a job"
            yield number, None, [Problem("job", wrong, hint="Give a mapping of columns, or a prompt.")]


def _file_rows(path: Path, encoding: str | None) -> Iterator[_Row]:
    readers = {".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv, ".tsv": _csv}
    suffix = path.suffix.lower()
    if suffix not in readers:
        wrong = f"{path} is of an unknown kind ({suffix or 'no ending'})"
        raise InvalidRequest(Problem("jobs", wrong, hint="Give a .jsonl or a .csv file."))
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            data = file.read()
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        raise InvalidRequest(Problem("jobs", f"cannot read {path}: {reason}", hint="Check the path.")) from None
    yield from readers[suffix](decode(data, str(path), encoding))


def _jsonl(text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        row = None
        try:
            row = json.loads(line, object_pairs_hook=_once, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            wrong = f"{error.msg} at column {error.colno}"
        except (ValueError, RecursionError) as error:
            wrong = str(error)
        else:
            wrong = "" if isinstance(row, dict) else f"an object of type {type(row).__name__}"
        if wrong:
            yield number, None, [Problem("JSON", wrong, hint="Each line is one JSON object.")]
        else:
            yield number, row, []


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = Counter(name for name, _ in pairs)
    if twice := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"{', '.join(twice)} given twice")
    return dict(pairs)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _csv(text: str) -> Iterator[_Row]:
    first = 1
    delimiter = ""
    if hint := _EXCEL_HINT.match(text):  # what Excel writes to name the separator
        delimiter, text, first = hint[1], text[hint.end() :], 2
    delimiter = delimiter or _delimiter_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    end = 0
    try:
        header = [name.strip() for name in next(reader, [])]
        while header and not header[-1]:
            header.pop()
        if not header or len(set(header)) < len(header) or "" in header:
            twice = next((name for name in header if name and header.count(name) > 1), None)
            wrong = f"{quote(twice)} is given twice" if twice else "a column has no name" if header else "empty"
            yield first, None, [Problem("header", wrong, hint="The first line names the columns, each one once.")]
            return
        unknown = [unknown_column(name) for name in header if not is_column(name)]
        if unknown:
            yield first, None, unknown
        if PROMPT.required and not {PROMPT.name, PROMPT.attribute} & set(header):  # once, and not again for each row
            wrong = "missing from the header"
            yield first, None, [Problem("prompt", wrong, "PROMPT-REQUIRED", "Name the column of the prompts “prompt”.")]
            return
        end = reader.line_num
        for cells in reader:
            line, end = end + first, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            problems: list[Problem] = []
            if any(cell.strip() for cell in cells[len(header) :]):
                separator = {"\t": "a tab"}.get(delimiter, f"“{delimiter}”")
                hint_text = f"Quote a cell that contains {separator}."
                problems.append(Problem("cells", f"{len(cells)} for {len(header)} columns", hint=hint_text))
            named = [(name, cell) for name, cell in zip(header, cells, strict=False) if is_column(name)]
            yield line, from_text(named, problems), problems
    except csv.Error as error:
        yield end + first, None, [Problem("CSV", str(error), hint="Check the quotation marks.")]


def _delimiter_of(text: str) -> str:
    """Return the separator under which the header has the most names that are columns; a comma where none has more."""
    line = text.split("\n", 1)[0]

    def columns(delimiter: str) -> int:
        try:
            names = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            return 0
        return sum(is_column(name.strip()) for name in names)

    return max(_DELIMITERS, key=columns)
