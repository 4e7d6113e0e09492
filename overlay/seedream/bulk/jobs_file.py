"""Reads a jobs file whole and checks every line before anything is spent.

JSONL: one object a line. CSV: a header line, then one job a line, several source images separated by ``;``.
Columns: ``id`` (any text, unique; made from the request if missing), ``prompt``, ``n`` or ``batchsize``,
``resolution``, ``images`` or ``source_images`` (paths, from the file's own folder), ``image_url``, ``category``, and
any field that the spec adds.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from seedream._request.submission import Submission, check_submit
from seedream._support.redact import quote, redact
from seedream.bulk.columns import from_text, id_of, options_of
from seedream.errors import InvalidRequest, Problem
from seedream.journal import Plan

Jobs = str | PathLike[str] | Iterable[Mapping[str, Any]]
REDACTED: Final = "redacted_options"  # names of options whose URL is signed: the journal does not keep signatures


@frozen
class Planned:
    """A checked jobs file.

    Attributes:
        plans: One a line, ready for the journal.
        redacted_options: By key, the whole options of jobs whose URLs are signed and so not written to the journal.
        path: The jobs file, if it was one.
    """

    plans: list[Plan]
    redacted_options: Mapping[str, Mapping[str, Any]] = field(repr=False)
    path: Path | None

    @property
    def images(self) -> int:
        """How many pictures all jobs ask for."""
        return sum(plan.cost for plan in self.plans)


def read_jobs(jobs: Jobs) -> Planned:
    """Read and check all jobs.

    Raises:
        InvalidRequest: With every problem of every line, each naming its line.
    """
    path = Path(jobs) if isinstance(jobs, str | PathLike) else None
    base = path.absolute().parent if path is not None else Path.cwd()
    problems: list[Problem] = []
    plans: list[Plan] = []
    redacted_options: dict[str, Mapping[str, Any]] = {}
    seen: dict[str, int] = {}
    repeated: Counter[str] = Counter()
    for line, row, wrong in _rows(path, jobs):
        found = list(wrong)
        checked = _check(row, base, found) if row is not None else None
        if checked is not None:
            key, submission, options = checked
            if key is None:
                repeated[submission.digest] += 1
                key = f"{submission.digest[:16]}-{repeated[submission.digest]}"
            if key in seen:
                hint = "Give each job an id of its own."
                found.append(Problem("id", f"{quote(key)} is line {seen[key]}'s already", hint=hint))
            seen.setdefault(key, line)
            request = request_of(options)
            if REDACTED in request:
                redacted_options[key] = options
            plans.append(Plan(key, submission.digest, request, submission.images, line))
        where = f"line {line}" if path is not None else f"job {line}"
        problems += [Problem(f"{where}, {one.field}", one.message, one.rule, one.hint) for one in found]
    if not plans and not problems:
        problems.append(Problem("jobs", "there are none", hint="Give at least one job with a prompt."))
    if problems:
        raise InvalidRequest(tuple(problems))
    return Planned(plans, redacted_options, path.absolute() if path is not None else None)


def _check(
    row: Mapping[str, Any], base: Path, problems: list[Problem]
) -> tuple[str | None, Submission, dict[str, Any]] | None:
    key = id_of(row, problems)
    options = options_of(row, base, problems)
    try:
        submission = submission_of(options)
    except InvalidRequest as error:
        problems.extend(error.problems)
        return None
    return None if problems else (key, submission, options)


def plan_of(row: Mapping[str, Any], base: Path) -> tuple[Plan, dict[str, Any]]:
    """The plan of one row, and its options by Python name. A row without an id gets one from its request.

    Raises:
        InvalidRequest: With every problem of the row.
    """
    problems: list[Problem] = []
    checked = _check(row, base, problems)
    if checked is None:
        raise InvalidRequest(tuple(problems))
    key, submission, options = checked
    key = key or f"{submission.digest[:16]}-1"
    return Plan(key, submission.digest, request_of(options), submission.images), options


def submission_of(options: Mapping[str, Any]) -> Submission:
    """The checked submission for a job's options. Raises InvalidRequest."""
    rest = dict(options)
    return check_submit(rest.pop("prompt", None), rest)


def request_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as the journal keeps them: signed URLs without their signature, their names listed."""
    kept: dict[str, Any] = {}
    redacted_options = []
    for name, value in options.items():
        kept[name] = _unsigned(value) if name != "prompt" else value
        if kept[name] != value:
            redacted_options.append(name)
    return {**kept, REDACTED: redacted_options} if redacted_options else kept


def _unsigned(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    return [_unsigned(item) for item in value] if isinstance(value, list) else value


_Row = tuple[int, Mapping[str, Any] | None, list[Problem]]


def _rows(path: Path | None, jobs: Jobs) -> Iterator[_Row]:
    if path is None:
        for number, row in enumerate(jobs, 1):  # type: ignore[arg-type]  # not a path, so rows
            yield number, row, []  # type: ignore[misc]  # checked by its reader
        return
    try:
        match path.suffix.lower():
            case ".jsonl" | ".ndjson":
                yield from _jsonl(path)
            case ".csv":
                yield from _csv(path)
            case other:
                hint = "Give a .jsonl or a .csv file."
                raise InvalidRequest(
                    Problem("jobs", f"{path} is of an unknown kind ({other or 'no ending'})", hint=hint)
                )
    except OSError as error:
        hint = "Check the path."
        raise InvalidRequest(Problem("jobs", f"cannot read {path}: {error.strerror or error}", hint=hint)) from None
    except UnicodeDecodeError as error:
        hint = "Save it as UTF-8."
        raise InvalidRequest(Problem("jobs", f"{path} is not UTF-8 (byte {error.start})", hint=hint)) from None


def _jsonl(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                row = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
            except json.JSONDecodeError as error:
                wrong = f"{error.msg} at column {error.colno}"
                yield number, None, [Problem("JSON", wrong, hint="Each line is one JSON object.")]
                continue
            except (ValueError, RecursionError) as error:
                yield number, None, [Problem("JSON", str(error), hint="Each line is one JSON object.")]
                continue
            if not isinstance(row, dict):
                yield number, None, [Problem("JSON", f"a {type(row).__name__}", hint="Each line is one JSON object.")]
                continue
            yield number, row, []


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = Counter(name for name, _ in pairs)
    if twice := [name for name, count in names.items() if count > 1]:
        raise ValueError(f"{', '.join(twice)} given twice")
    return dict(pairs)


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _csv(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        end = 0
        try:
            header = [name.strip() for name in next(reader, [])]
            if not header or len(set(header)) < len(header):
                yield 1, None, [Problem("header", "empty, or a column twice", hint="The first line names the columns.")]
                return
            end = reader.line_num
            for cells in reader:
                line, end = end + 1, reader.line_num
                if not any(cell.strip() for cell in cells):
                    continue
                problems: list[Problem] = []
                if len(cells) > len(header):
                    hint = "Quote a cell that holds a comma."
                    problems.append(Problem("cells", f"{len(cells)} for {len(header)} columns", hint=hint))
                yield line, from_text(dict(zip(header, cells, strict=False)), problems), problems
        except csv.Error as error:
            yield end + 1, None, [Problem("CSV", str(error), hint="Check the quotation marks.")]
