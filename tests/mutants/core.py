"""`python -m mutants.core [--seconds N] [--report FILE] [MODULE ...]`: mutmut on the core, within a budget.

It works in a copy below the temporary folder, laid out as mutmut wants it, and scores what the time allowed for. A
survivor counts as explained when tests/mutants/survivors.toml says why no test can, or need, tell it from the original.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
MODULES: Final = (
    "resolution", "_config", "_download", "_exchange", "_part", "_pictures", "_replies", "_request", "_retry",
    "_sources", "_text", "_transfer", "_wire", "_workflows",
)  # fmt: skip
SELECTED: Final = (
    "tests/core",
)  # fmt: skip
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


def prepare(folder: Path, modules: Sequence[str]) -> None:
    """Lay out the copy: `src/` beside the tests that are to find the mutants, and mutmut's settings."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "overlay", folder / "src", ignore=ignore)
    shutil.copytree(ROOT / "generated", folder / "generated", ignore=ignore)
    shutil.copytree(ROOT / "openapi", folder / "openapi", ignore=ignore)
    (folder / "tests").mkdir()
    for helper in (ROOT / "tests").glob("*.py"):
        if not helper.name.startswith("test_"):
            shutil.copy(helper, folder / "tests")
    for name in SELECTED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    settings = {
        "source_paths": ["src"],
        "only_mutate": [f"src/seedream/{module}.py" for module in modules],
        "also_copy": ["generated", "openapi"],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "--timeout=60"],
        "pytest_add_cli_args_test_selection": list(SELECTED),
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
    for file in sorted((folder / "mutants" / "src" / "seedream").glob("*.py.meta")):
        codes = json.loads(file.read_text("utf-8"))["exit_code_by_key"]
        if codes:
            found[file.name.removesuffix(".py.meta")] = codes
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


def table(found: dict[str, dict[str, int | None]], survivors: Sequence[Survivor]) -> tuple[str, float]:
    """The Markdown, and the score."""
    killed = sum(code in _KILLED for codes in found.values() for code in codes.values())
    alive = sum(code in _SURVIVED for codes in found.values() for code in codes.values())
    uncovered = sum(code not in (*_KILLED, *_SURVIVED, None) for codes in found.values() for code in codes.values())
    unrun = sum(code is None for codes in found.values() for code in codes.values())
    score = killed / max(killed + alive, 1)
    head = f"**The core: {killed} of {killed + alive} covered mutants found ({score:.1%})**"
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
    """0 when the score holds and every survivor is explained."""
    parser = argparse.ArgumentParser(prog="python -m mutants.core")
    parser.add_argument("modules", nargs="*", default=MODULES, help="of the core (default: those that decide)")
    parser.add_argument("--seconds", type=float, default=1500.0, help="time for mutmut")
    parser.add_argument("--report", help="write the Markdown table here")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, given.modules)
        said = run(folder, given.seconds)
        found = results(folder)
        known = tomllib.loads((ROOT / "tests/mutants/survivors.toml").read_text("utf-8"))["survivor"]
        names = [name for codes in found.values() for name, code in codes.items() if code in _SURVIVED]
        survivors = [survivor(folder, name, known) for name in names]
    if not any(code in _KILLED for codes in found.values() for code in codes.values()):
        sys.stderr.write(f"mutmut found nothing: {said}\n")
        return 2
    text, score = table(found, survivors)
    if given.report:
        from mutants._report import between  # noqa: PLC0415 -- only when asked

        path = Path(given.report)
        path.write_text(between(path.read_text("utf-8"), "core", text), "utf-8")
    unexplained = [one for one in survivors if not one.why]
    sys.stderr.write(f"core: {score:.1%} of covered mutants found, {len(unexplained)} survivors not explained\n")
    sys.stderr.writelines(f"  {one.function}: {one.change}\n" for one in unexplained)
    return 1 if score < NEEDED or unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
