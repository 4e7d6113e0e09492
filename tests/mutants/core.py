"""`python -m mutants.core [--seconds N] [--report FILE] [PACKAGE ...]`: mutmut on the code, within a budget.

It works in a copy below the temporary folder, laid out as mutmut wants it, and scores what the time allowed for. A
survivor counts as explained when tests/mutants/survivors.toml says why no test can, or need, tell it from the original.
"""

# ruff: noqa: E501 -- one package a line reads as a table

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_COPIED: Final = ("tests", "generated", "openapi", "docs", "benchmarks", "README.md", "README.zh-CN.md", "Makefile")
# What is mutated together, and the tests that are to find it.
PACKAGES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "request": (("seedream/_request/*", "seedream/resolution.py"), ("tests/core/test_request.py", "tests/core/test_resolution.py", "tests/core/test_messages.py")),
    "protocol": (("seedream/_protocol/*",), ("tests/core",)),
    "files": (("seedream/_files/*",), ("tests/core",)),
    "support": (("seedream/_support/*",), ("tests/core", "tests/transport/test_environment.py")),
    "transport": (("seedream/_transport/*",), ("tests/transport",)),
    "client": (("seedream/client.py", "seedream/pictures.py"), ("tests/core",)),
    "journal": (("seedream/journal/*",), ("tests/journal",)),
    "bulk": (("seedream/bulk/*",), ("tests/bulk",)),
    "cli": (("seedream/cli/*",), ("tests/cli",)),
    "sandbox": (("seedream_sandbox/*",), ("tests/sandbox",)),
    "testing": (("seedream_testing/*",), ("tests/testing", "tests/contract/test_relations.py", "tests/contract/test_violations.py")),
}  # fmt: skip
NEEDED: Final = 0.95
# Exit codes that mutmut keeps: tests failed, broke, or went on for ever (it ends them after many times the usual).
_KILLED, _SURVIVED = (1, 3, 24, -24, 36, 152), (0,)


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test found.

    Attributes:
        function: Where, for example `_part.existing`.
        change: The changed lines, old and new.
        why: Why that is right, or empty.
    """

    function: str
    change: str
    why: str


def prepare(folder: Path, only: Sequence[str], tests: Sequence[str]) -> None:
    """Lay out the copy: `src/` beside the tests that are to find the mutants, and mutmut's settings."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", "mutants")
    shutil.copytree(ROOT / "overlay", folder / "src", ignore=ignore)
    for part in _COPIED:
        copy = partial(shutil.copytree, ignore=ignore) if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    settings = {
        "source_paths": ["src"],
        "only_mutate": [f"src/{one}" for one in only],
        "do_not_mutate_patterns": [r"\bcast\("],  # typing.cast does nothing when the code runs
        "also_copy": [part for part in _COPIED if part != "tests"],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "--timeout=60"],
        "pytest_add_cli_args_test_selection": list(tests),
    }
    rows = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text(
        f"{project}\n[tool.mutmut]\nuse_git_change_detection = false\n{rows}", "utf-8"
    )
    for made in ("src", "generated"):  # they must be there when Python starts, or it never looks again
        (folder / "mutants" / made).mkdir(parents=True)


def run(folder: Path, seconds: float) -> str:
    """Run mutmut until it ends or the time is up; gives the end of what it said."""
    path = os.pathsep.join(str(folder / "mutants" / made) for made in ("src", "generated"))
    command = [str(Path(sys.executable).with_name("mutmut")), "run", "--max-children", str(os.cpu_count() or 2)]
    try:
        ended = subprocess.run(
            command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
            timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "the time is up"
    return ended.stdout[-300:]


def results(folder: Path) -> dict[str, dict[str, int | None]]:
    """mutmut's exit codes: by module, by mutant; None for what was not run."""
    found = {}
    source = folder / "mutants" / "src"
    for file in sorted(source.rglob("*.py.meta")):
        codes = json.loads(file.read_text("utf-8"))["exit_code_by_key"]
        if codes:
            found[file.relative_to(source).as_posix().removesuffix(".py.meta")] = codes
    return found


def survivor(folder: Path, name: str, known: Sequence[dict[str, str]]) -> Survivor:
    """What mutmut changed, and why it may stay."""
    shown = subprocess.run(
        [str(Path(sys.executable).with_name("mutmut")), "show", name], cwd=folder, capture_output=True, text=True,
        check=False,
    ).stdout  # fmt: skip
    lines = [line for line in shown.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    change = " ".join(f"{line[0]} {line[1:].strip()}" for line in lines)
    function = (
        name.removeprefix("seedream.")
        .rpartition("__mutmut_")[0]
        .replace(".x_", ".")
        .replace("ǁ", ".")
        .replace(".x.", ".")
    )
    why = next((row["why"] for row in known if row["function"] in function and row["change"] in change), "")
    return Survivor(function, change, why)


def table(package: str, found: dict[str, dict[str, int | None]], survivors: Sequence[Survivor]) -> tuple[str, float]:
    """The Markdown, and the score."""
    killed = sum(code in _KILLED for codes in found.values() for code in codes.values())
    alive = sum(code in _SURVIVED for codes in found.values() for code in codes.values())
    uncovered = sum(code not in (*_KILLED, *_SURVIVED, None) for codes in found.values() for code in codes.values())
    unrun = sum(code is None for codes in found.values() for code in codes.values())
    score = killed / max(killed + alive, 1)
    head = f"**{package}: {killed} of {killed + alive} covered mutants found ({score:.1%})**"
    rows = [f"{head}; {uncovered} not covered, {unrun} not run within the budget."]
    rows += ["", "| module | found | survived |", "|---|---|---|"]
    for module, codes in found.items():
        values = list(codes.values())
        rows.append(f"| `{module}` | {sum(c in _KILLED for c in values)} | {sum(c in _SURVIVED for c in values)} |")
    rows += ["", "| survivor | change | why it may stay |", "|---|---|---|"]
    rows += [f"| `{one.function}` | `{_cell(one.change)}` | {one.why or '**not explained**'} |" for one in survivors]
    return "\n".join(rows), score


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'")[:160]


def main() -> int:
    """0 when the score of each package holds and every survivor is explained."""
    parser = argparse.ArgumentParser(prog="python -m mutants.core")
    parser.add_argument("packages", nargs="*", default=list(PACKAGES), choices=[*PACKAGES, []], help="default: all")
    parser.add_argument("--only", help="a pattern of modules within the package, for example seedream/_files/names.py")
    parser.add_argument("--seconds", type=float, default=1500.0, help="time for mutmut, shared by the packages")
    parser.add_argument("--report", help="write the Markdown table here")
    given = parser.parse_args()
    known = tomllib.loads((ROOT / "tests/mutants/survivors.toml").read_text("utf-8"))["survivor"]
    ends = time.monotonic() + given.seconds
    texts, bad = list[str](), False
    for number, package in enumerate(given.packages):
        share = max((ends - time.monotonic()) / (len(given.packages) - number), 1.0)
        text, score, unexplained = _package(package, given.only, share, known)
        texts.append(text)
        bad = bad or score < NEEDED or bool(unexplained)
        sys.stderr.write(f"{package}: {score:.1%} of covered mutants found, {len(unexplained)} not explained\n")
        sys.stderr.writelines(f"  {one.function}: {one.change}\n" for one in unexplained)
    if given.report:
        from mutants._report import between  # noqa: PLC0415 -- only when asked

        path = Path(given.report)
        path.write_text(between(path.read_text("utf-8"), "core", "\n\n".join(texts)), "utf-8")
    return 1 if bad else 0


def _package(
    name: str, only: str | None, seconds: float, known: list[dict[str, str]]
) -> tuple[str, float, list[Survivor]]:
    """Run mutmut on one package; gives its table, its score and the survivors that nothing explains."""
    modules, tests = PACKAGES[name]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare(folder, [only] if only else modules, tests)
        said = run(folder, seconds)
        found = results(folder)
        names = [one for codes in found.values() for one, code in codes.items() if code in _SURVIVED]
        survivors = [survivor(folder, one, known) for one in names]
    if not any(code in _KILLED for codes in found.values() for code in codes.values()):
        sys.stderr.write(f"{name}: mutmut found nothing: {said}\n")
        return f"**{name}: not run within the budget**", 1.0, []
    text, score = table(name, found, survivors)
    return text, score, [one for one in survivors if not one.why]


if __name__ == "__main__":
    sys.exit(main())
