"""Sends sample requests with the new generated code before anything is replaced.

Every operation that the client uses is sent through the client, and the submission also through the command line, to
the sandbox, in memory: first with its required fields only, then with each other field, then with all of them. What
cannot be sent stops the run with the name of the field. This file is also the program that does so, in a process of
its own: the pipeline must not import the code that it replaces.
"""

import contextlib
import io
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

TIMEOUT: Final = 60
PROMPT = "a fish"
TEXTS = (
    PROMPT, "1", "https://example.org/picture.png", "00000000-0000-4000-8000-000000000000", "2030-01-02",
    "2030-01-02T03:04:05Z", "someone@example.org", "#336699", "en", "a", "",
)  # fmt: skip


@dataclass(frozen=True)
class Unsendable:
    """Something that the client cannot send."""

    place: str  # by role: `submit/request/FIELD`, or `submit` when it is not one field
    reason: str  # what happened, in one line
    optional: bool  # whether everything else can still be sent


def check_sending(root: Path, files: Mapping[str, bytes], generated: str) -> list[Unsendable]:
    """Return what the overlay at the root cannot send when it runs with the files of the folder `generated`."""
    if not (root / "overlay" / "seedream").is_dir():
        return []
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        packages = os.pathsep.join([str(Path(folder) / generated), str(root / "overlay")])
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TENSORSLAB", "SEEDREAM"))
        }
        environment |= {
            "PYTHONPATH": packages,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "ignore",
            "LC_ALL": "C.UTF-8",
        }
        try:
            done = subprocess.run(
                [sys.executable, __file__],
                env=environment,
                cwd=folder,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return [Unsendable("submit", f"sending samples took longer than {TIMEOUT} seconds", optional=False)]
    try:
        found = json.loads(done.stdout.splitlines()[-1])
        return [Unsendable(**one) for one in found]
    except (ValueError, IndexError, KeyError, TypeError):
        lines = done.stderr.strip().splitlines() or ["no output"]
        return [Unsendable("submit", f"the client cannot be used with the new code: {lines[-1][:300]}", optional=False)]


class NoSample(Exception):
    """No value was found that the field's limits allow."""


def picture() -> bytes:
    """Return a small PNG."""
    from PIL import Image  # noqa: PLC0415 - imported late: what is missing must be reported, not end the process

    file = io.BytesIO()
    Image.new("RGB", (64, 64), "navy").save(file, "PNG")
    return file.getvalue()


def fits(field: Any, value: Any) -> bool:
    """Whether the limits of the field allow the value."""
    if field.enum and value not in field.enum:
        return False
    if isinstance(value, str):
        length = (field.min_length or 0) <= len(value) <= (len(value) if field.max_length is None else field.max_length)
        return length and (field.pattern is None or re.search(field.pattern, value) is not None)
    bounds = (
        field.minimum is None or value >= field.minimum,
        field.maximum is None or value <= field.maximum,
        field.exclusive_minimum is None or value > field.exclusive_minimum,
        field.exclusive_maximum is None or value < field.exclusive_maximum,
        field.is_multiple(value),
    )
    return isinstance(value, bool) or all(bounds)


def candidates(field: Any) -> Iterator[Any]:
    """Return values that the field may take, likely ones first."""
    yield from field.enum
    if field.default is not None:
        yield field.default
    if field.kind == "boolean":
        yield from (True, False)
    elif field.kind in ("integer", "number"):
        yield from (int(number) if field.kind == "integer" else number for number in numbers(field))
    elif field.kind == "string":
        yield from sorted(TEXTS, key=lambda text: "url" in field.name.lower() and not text.startswith("https:"))
        length = max(field.min_length or 1, 1)
        if length < 100_000:  # noqa: PLR2004 - no request is longer
            yield "a" * length
        if field.pattern is not None:
            yield from matching(field.pattern)


def numbers(field: Any) -> list[Any]:
    """Return numbers near the bounds of the field."""
    step = field.multiple_of or 1
    bounds = (field.minimum, field.exclusive_minimum, field.maximum, field.exclusive_maximum)
    low = next((bound for bound in bounds if bound is not None), 0)
    found = [low, low + 1, low - 1, low + step, low - step, low // step * step, (low // step + 1) * step, step, 1, 0]
    if field.kind == "number":
        found += [low + 0.5, low - 0.5, low + 0.001, low - 0.001]
        solid = [bound for bound in bounds if bound is not None]
        found.append(sum(solid) / (len(solid) or 1))
    return [number for number in found if abs(number) != math.inf]


def matching(pattern: str) -> Iterator[str]:
    """Return texts that match the pattern."""
    from hypothesis import HealthCheck, given, settings  # noqa: PLC0415 - slow to import, and rarely needed
    from hypothesis import strategies as st  # noqa: PLC0415

    found: list[str] = []

    checks = (HealthCheck.too_slow, HealthCheck.filter_too_much)

    @settings(max_examples=10, derandomize=True, database=None, deadline=None, suppress_health_check=checks)
    @given(st.from_regex(pattern))
    def draw(text: str) -> None:
        found.append(text)

    draw()
    yield from sorted(found, key=lambda text: (not text.isprintable(), not text.isascii(), -len(text)))


def samples(field: Any) -> list[Any]:
    """Return values for the field, as many as it takes.

    Raises:
        NoSample: No value of the field can be sent in a form.
    """
    if field.kind == "object":
        raise NoSample("an object cannot be sent as the field of a form")
    wanted = max(field.min_items or 0, min(2, 2 if field.max_items is None else field.max_items)) if field.many else 1
    if field.kind == "binary":
        return [picture()] * wanted
    good: list[Any] = []
    for value in candidates(field):
        with contextlib.suppress(TypeError, ValueError):
            if fits(field, value) and value not in good:
                good.append(value)
        if len(good) >= wanted:
            break
    if not good:
        raise NoSample("no value was found that its limits allow")
    while len(good) < wanted and not field.unique_items:
        good.append(good[0])
    if len(good) < (field.min_items or 0):
        raise NoSample("not enough different values were found that its limits allow")
    return good


def as_text(value: Any) -> str:
    """Return the value as a form holds it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def same(one: str, other: str) -> bool:
    """Whether two texts of a form mean the same: 0 and 0.0 are one number."""
    with contextlib.suppress(ValueError):
        return float(one) == float(other)
    return one == other


def message(text: str) -> str:
    """Return the message in what the command line prints as JSON when it fails, or all that it prints."""
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return text


class Samples:
    """Sends samples of the submission through the client and the command line, and collects what fails."""

    def __init__(self, operation: Any, client: Any, sandbox: Any, command: Callable[[], object]) -> None:
        self.operation, self.client, self.sandbox, self.command = operation, client, sandbox, command
        self.fields = {field.name: field for field in operation.fields}
        self.problems: list[Unsendable] = []

    def report(self, place: str, reason: str, *, optional: bool) -> None:
        """Add a problem."""
        self.problems.append(Unsendable(place, " ".join(reason.split())[:300], optional))

    def send_all(self) -> None:
        """Send the required fields, then each other one with them, then all that can be sent."""
        values: dict[str, list[Any]] = {}
        for name, field in self.fields.items():
            try:
                values[name] = samples(field)
            except NoSample as error:
                self.report(f"submit/request/{name}", str(error), optional=not field.required)
        sendable = {name: found for name, found in values.items() if self.fields[name].required}
        if reason := self.attempt(sendable):
            named = [name for name in sendable if name in reason or self.fields[name].attribute in reason]
            self.report(f"submit/request/{named[0]}" if named else "submit", reason, optional=False)
            return
        minimal = dict(sendable)
        for name, found in values.items():
            if name not in minimal:
                if reason := self.attempt({**minimal, name: found}):
                    self.report(f"submit/request/{name}", reason, optional=True)
                else:
                    sendable[name] = found
        if reason := self.attempt(sendable):
            self.report("submit", f"all fields together: {reason}", optional=False)

    def attempt(self, given: Mapping[str, list[Any]]) -> str:
        """Return what goes wrong with these fields, in one line, or an empty text."""
        try:
            return self.through_client(given) or self.through_command(given)
        except Exception as error:  # noqa: BLE001 - whatever the new code raises is the finding
            return f"{type(error).__name__}: {error}"

    def through_client(self, given: Mapping[str, list[Any]]) -> str:
        """Submit with these fields, and compare what arrives; then query and delete the task."""
        arguments = {
            self.fields[name].attribute: found if self.fields[name].many else found[0] for name, found in given.items()
        }
        taskid = self.client.submit(arguments.pop("prompt", PROMPT), **arguments).id
        record = next(one for one in reversed(self.sandbox.requests) if one.path == self.operation.path)
        for name, found in given.items():
            if self.fields[name].kind == "binary":
                count = sum(file[0] == name for file in record.files)
                if count != len(found):
                    return f"{len(found)} files were given for {name}, {count} arrived"
            elif record.fields.get(name) != [as_text(value) for value in found]:
                return f"{found!r:.80} was given for {name}, {record.fields.get(name)!r:.80} arrived"
        self.client.query(taskid)
        self.client.delete(taskid)
        return ""

    def through_command(self, given: Mapping[str, list[Any]]) -> str:
        """Let the command line print the request with these fields, and compare the texts in it."""
        texts = [
            (name, as_text(value)) for name, found in given.items() for value in found if not isinstance(value, bytes)
        ]
        words = [f"--set={name}={text}" for name, text in texts if name != "prompt"]
        files = [(name, found) for name, found in given.items() if self.fields[name].kind == "binary"]
        if files:
            with open("sample.png", "wb") as file:  # noqa: PTH123 - in the temporary folder of this process
                file.write(picture())
        for name, found in files:
            own = self.fields[name].attribute == "source_images"
            words += ["--image=sample.png" if own else f"--set={name}=sample.png"] * len(found)
        out, err = io.StringIO(), io.StringIO()
        sys.argv = ["seedream", "generate", str(given.get("prompt", [PROMPT])[0]), *words, "--dry-run", "--json"]
        code: object = 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = self.command()
            except SystemExit as end:
                code = end.code
        if code not in (0, None):
            return f"the command line ends with {code}: {message(err.getvalue() or out.getvalue())}"
        found = [(part["name"], part["value"]) for part in json.loads(out.getvalue())["request"]["fields"]]
        missing = [
            (name, text) for name, text in texts if not any(name == one and same(text, other) for one, other in found)
        ]
        return f"the command line does not send {'='.join(missing[0])}" if missing else ""


def main() -> list[Unsendable]:
    """Send everything; return what failed."""
    from seedream import SeeDream  # noqa: PLC0415 - a failure here is a finding
    from seedream.cli import main as command  # noqa: PLC0415
    from seedream_sandbox import Sandbox  # noqa: PLC0415
    from tensorslab_images.limits import SUBMIT  # noqa: PLC0415

    with (
        Sandbox(pictures="plain") as sandbox,
        SeeDream(sandbox.api_key, base_url=sandbox.base_url, transport=sandbox.transport) as client,
    ):
        sending = Samples(SUBMIT, client, sandbox, command)
        sending.send_all()
    return sending.problems


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(list(map(asdict, main()))) + "\n")
