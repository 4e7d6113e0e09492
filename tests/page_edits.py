"""Updates of the vendor's page, made from tests/pipeline/seedreamv45.md, and repository copies to try them on."""

import copy
import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import PipelineError
from pipeline.generate import generate
from pipeline.report import Report
from pipeline.send_check import Unsendable, check_sending
from pipeline.strict_yaml import dump_yaml, load_yaml

REPOSITORY = Path(__file__).parents[1]
PAGE = (REPOSITORY / "tests/pipeline/seedreamv45.md").read_bytes()
HEAD, _, REST = PAGE.partition(b"\n````yaml ")
INFO, _, BODY = REST.partition(b"\n")
YAML = BODY.removesuffix(b"````")
DOCUMENT: dict[str, Any] = load_yaml(YAML.decode())
ROUTE = "/v1/images/seedreamv45"

Edit = Callable[[dict[str, Any]], object]


def page(yaml: bytes, info: bytes = INFO, fence: bytes = b"````") -> bytes:
    """Return the page with this YAML in its block."""
    return HEAD + b"\n" + fence + b"yaml " + info + b"\n" + yaml + fence + b"\n"


def replaced(*pairs: tuple[str, str]) -> bytes:
    """Return the real page with words replaced in its YAML; each must be there exactly once."""
    text = YAML.decode()
    for old, new in pairs:
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in the page"
        text = text.replace(old, new)
    return page(text.encode())


def edited(*edits: Edit) -> bytes:
    """Return the page with its document changed and written out again, which also moves every fold and quote."""
    return page(dump_yaml(document(*edits)).encode())


def document(*edits: Edit) -> dict[str, Any]:
    """Return the document, changed."""
    found = copy.deepcopy(DOCUMENT)
    for edit in edits:
        edit(found)
    return found


def as_json(found: dict[str, Any]) -> bytes:
    """Return the document as JSON."""
    return json.dumps(found, ensure_ascii=False).encode()


def operation(found: dict[str, Any]) -> dict[str, Any]:
    """Return the submit operation."""
    return found["paths"][ROUTE]["post"]  # type: ignore[no-any-return]


def body(found: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the request body."""
    return operation(found)["requestBody"]["content"]["multipart/form-data"]["schema"]  # type: ignore[no-any-return]


def field(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the schema of one field of the request body."""
    return body(found)["properties"][name]  # type: ignore[no-any-return]


def schema(found: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a schema among the components."""
    return found["components"]["schemas"][name]  # type: ignore[no-any-return]


DAY = dt.date(2026, 1, 2)


class Ended(NamedTuple):
    """How a run ended: its exit code, its text, and whether the tree changed."""

    code: int
    text: str
    changed: bool
    report: Report | None


def _send_nothing(*_: object) -> list[Unsendable]:
    return []


class RepositoryCopy:
    """A copy of everything that the pipeline reads and writes.

    `sends` says whether a run sends samples before it replaces anything, as `make generate` always does. That takes ten
    times as long as the rest of a run, so only tests that are about it do so (fixture `sending`).
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sends = False

    @staticmethod
    def copied(source: Path, target: Path) -> "RepositoryCopy":
        """Copy the repository at `source`, without the pipeline's own code."""
        skip = shutil.ignore_patterns("__pycache__", "pipeline", ".ruff_cache")
        for name in ("openapi", "generated", "overlay"):
            shutil.copytree(source / name, target / name, ignore=skip)
        return RepositoryCopy(target)

    def files(self) -> dict[str, bytes]:
        """Return every file but those under build/, by its path."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and "build" not in path.parts and "__pycache__" not in path.parts
        }

    def take(self, data: bytes | None = None, *, accept: bool = False, name: str = "page.md") -> Ended:
        """One run, with this page when there is one."""
        given = None
        if data is not None:
            given = self.root / "build" / name
            given.parent.mkdir(exist_ok=True)
            given.write_bytes(data)
        before = self.files()
        try:
            check = check_sending if self.sends else _send_nothing
            report = generate(self.root, given, accept=accept, today=DAY, send_check=check)
        except PipelineError as error:
            return Ended(error.exit_code, str(error), self.files() != before, None)
        return Ended(report.code, report.text(), self.files() != before, report)

    def restore(self, files: dict[str, bytes]) -> None:
        """Bring the tree back to these files."""
        for name in self.files():
            if name not in files:
                (self.root / name).unlink()
        for name, data in files.items():
            path = self.root / name
            if not path.is_file() or path.read_bytes() != data:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    def read(self, name: str) -> str:
        """Text of one file."""
        return (self.root / name).read_text("utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace words that are exactly once in a file."""
        text = self.read(name)
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {name}"
        (self.root / name).write_text(text.replace(old, new), "utf-8")
