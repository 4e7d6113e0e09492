"""Writes every mutant of some modules into a copy of the repository; which one is active is chosen when a test runs.

mutmut makes the mutants. It leaves decorated functions out, so each decorator becomes a statement below its function
first: with that, context managers, properties and the commands of the command line are mutated as well.
"""

import difflib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import libcst as cst

ROOT: Final = Path(__file__).resolve().parents[2]
_COPIED: Final = (
    "overlay", "tests", "generated", "openapi", "docs", "benchmarks", "README.md", "README.zh-CN.md", "Makefile",
)  # fmt: skip
_SOURCES: Final = ("overlay", "openapi")
_NAME: Final = re.compile(r"\bdef (?:x_|xǁ\w+?ǁ)(\w+?)__mutmut_\d+")  # as mutmut names a function
# Mutants of these lines change nothing when the code runs.
_WITHOUT_EFFECT: Final = [r"\bcast\(", r"^\s*@overload", r"__all__"]
# Decorators that say something to the class or to mutmut, and must stay where they are.
_KEPT: Final = frozenset({"staticmethod", "classmethod", "overload", "abstractmethod", "setter", "fixture", "hookimpl"})


@dataclass(frozen=True)
class Mutant:
    """One change of one function.

    Attributes:
        name: Its name for mutmut's switch, for example `seedream.errors.xǁStatusErrorǁ__str____mutmut_3`.
        module: Dotted name of the module.
        function: For example `StatusError.__str__`.
        change: The changed lines, old and new.
    """

    name: str
    module: str
    function: str
    change: str

    @property
    def hit(self) -> str:
        """The name under which mutmut's switch records that a test called the function."""
        return self.name.rpartition("__mutmut_")[0]


def copy(folder: Path) -> None:
    """Copy what the tests need, and give mutmut its settings."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", ".venv")
    for part in _COPIED:
        how = partial(shutil.copytree, ignore=ignore) if (ROOT / part).is_dir() else shutil.copy
        how(ROOT / part, folder / part)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    rows = f"source_paths = {json.dumps(_SOURCES)}\ndo_not_mutate_patterns = {json.dumps(_WITHOUT_EFFECT)}\n"
    (folder / "pyproject.toml").write_text(f"{project}\n[tool.mutmut]\n{rows}", "utf-8")


def mutate(folder: Path, patterns: list[str]) -> list[Mutant]:
    """Put the mutants of the modules that match into the copy, and go there: mutmut reads its settings from it."""
    os.chdir(folder)
    from mutmut.mutation.file_mutation import mutate_file_contents  # noqa: PLC0415 -- reads its settings on import

    made = list[Mutant]()
    roots = [folder / name for name in _SOURCES]
    found = {(file, root) for pattern in patterns for root in roots for file in root.glob(pattern)}
    for file, root in sorted(found):
        module = ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        source = cst.parse_module(file.read_text("utf-8")).visit(_Undecorated()).code
        result = mutate_file_contents(str(file), source)
        if not result.mutant_names:
            continue
        file.write_text(result.code, "utf-8")
        lines, spans = result.code.splitlines(), result.line_span_by_function_name
        for name in result.mutant_names:
            head = name.rpartition("__mutmut_")[0]
            old, new = (lines[spans[one].start - 1 : spans[one].end] for one in (f"{head}__mutmut_orig", name))
            function = head.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
            old = [row.replace(f"{head}__mutmut_orig", name) for row in old]
            if not _is_second_best("\n".join(old), "\n".join(new)):
                made.append(Mutant(f"{module}.{name}", module, function, _change(old, new)))
    return made


def _is_second_best(old: str, new: str) -> bool:
    """Whether another change of the same text says more.

    mutmut puts XX around each text, and writes it in capitals and in small letters. A sentence in capitals is found by
    a test that looks for a part of it, so that is tried. Of names and SQL, which may be read whatever their case, the
    XX is tried.
    """
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    was, now = old[start : len(old) - end], new[start : len(new) - end]
    if was.upper() == now.upper():
        quoted = old[old.rfind('"', 0, start) + 1 : old.find('"', len(old) - end)]
        return not _is_sentence(quoted) or now != was.upper()
    if now.startswith("XX") and len(new) == len(old) + 4:
        return _is_sentence(new[start + 2 : new.find("XX", start + 2)])
    return False


def _common(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def _is_sentence(text: str) -> bool:
    return " " in text.strip() and not text.split(maxsplit=1)[0].isupper()


def _change(old: list[str], new: list[str]) -> str:
    rows = [row for row in difflib.unified_diff(old, new, lineterm="", n=0) if not row.startswith(("---", "+++", "@@"))]
    named = [_NAME.sub(r"def \1", row) for row in rows]
    return " ".join(f"{row[0]} {row[1:].strip()}" for row in named)


class _Undecorated(cst.CSTTransformer):
    """Turns `@a` above `def f` into `f = a(f)` below it, in modules and classes; what lies in functions stays."""

    def __init__(self) -> None:
        self._depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:  # noqa: N802, ARG002 -- libcst's name and signature
        self._depth += 1

    def leave_FunctionDef(  # noqa: N802 -- libcst's name
        self,
        original_node: cst.FunctionDef,  # noqa: ARG002 -- libcst's signature
        updated_node: cst.FunctionDef,
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        self._depth -= 1
        decorators = [one.decorator for one in updated_node.decorators]
        if self._depth or not decorators or any(_name(one) in _KEPT for one in decorators):
            return updated_node
        value: cst.BaseExpression = updated_node.name
        for one in reversed(decorators):
            value = cst.Call(one, [cst.Arg(value)])
        applied = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(updated_node.name)], value)])
        return cst.FlattenSentinel([updated_node.with_changes(decorators=[]), applied])


def _name(decorator: cst.BaseExpression) -> str:
    found = decorator.func if isinstance(decorator, cst.Call) else decorator
    if isinstance(found, cst.Attribute):
        found = found.attr
    return found.value if isinstance(found, cst.Name) else ""


def save(path: Path, mutants: list[Mutant]) -> None:
    """Write the list for the process that tries them."""
    path.write_text(json.dumps([asdict(one) for one in mutants]), "utf-8")


def load(path: Path) -> list[Mutant]:
    """Read the list again."""
    return [Mutant(**one) for one in json.loads(path.read_text("utf-8"))]
