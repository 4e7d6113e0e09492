"""`python -m mutants.core [--seconds N] [--sample N] [--report FILE] [PACKAGE ...]`: mutmut's mutants of the code.

It works in a copy below the temporary folder (``mutants.mutate``), tries each mutant with the tests of its package
(``mutants.trials``) and scores what the time allowed for. A mutant is not tried when tests/mutants/survivors.toml says why
no test can, or need, tell it from the original.
"""

# ruff: noqa: E501 -- one package a line reads as a table

import argparse
import json
import random
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Final

from mutants import mutate, trials
from mutants._report import between


def _core(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/core/test_{name}.py" for name in names)


def _without(folder: str, *names: str) -> tuple[str, ...]:
    """Leave whole programs and long runs out: a mutant is to be found by a test near it, and soon."""
    return tuple(f"--ignore={folder}/test_{name}.py" for name in names)


def _deselected(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"--deselect={file}::test_{name}" for name in names)


# What is mutated together, and the tests that are to find it.
PACKAGES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "request": (("seedream/_request/*.py", "seedream/resolution.py"), _core("request", "resolution", "messages", "submit_faults")),
    "protocol": (("seedream/_protocol/*.py",), _core("download_protocol", "exchange", "submit_steps", "parallel", "retry", "replies", "messages", "submission_observer", "log", "wait", "download")),
    "files": (("seedream/_files/*.py",), _core("files", "image_formats", "durability", "download", "messages")),
    "support": (("seedream/_support/*.py",), (*_core("support", "redact", "durability", "log", "messages", "client"), "tests/transport/test_environment.py", "tests/bulk/test_threads.py")),
    "transport": (("seedream/_transport/*.py",), ("tests/transport", *_without("tests/transport", "deadlines", "integrations"))),
    "client": (("seedream/client.py", "seedream/pictures.py", "seedream/errors.py", "seedream/__init__.py"), _core("client", "pictures", "client_journal", "submission_observer", "messages", "log", "wait", "download")),
    "journal": (("seedream/journal/*.py",), ("tests/journal", *_without("tests/journal", "close"), "tests/core/test_client_journal.py", "tests/core/test_submission_observer.py")),
    "bulk": (("seedream/bulk/*.py",), ("tests/bulk", *_without("tests/bulk", "chain", "command", "docs", "machine", "secrets"), "--deselect=tests/bulk/test_gallery.py::test_browser_shows_filters_and_translates", "--deselect=tests/bulk/test_gallery.py::test_browser_goes_on_as_one_scrolls")),
    "cli": (("seedream/cli/**/*.py",), ("tests/cli", *_without("tests/cli", "packaging", "readme", "wheel", "output", "contract_command", "sandbox_command"), "tests/bulk/test_decisions.py")),
    "sandbox": (("seedream_sandbox/**/*.py",), ("tests/sandbox", *_without("tests/sandbox", "command", "container", "docs", "inspector_page", "schemathesis_cli"))),
    # On a stand-in for the module ray; `make scale` runs it on a cluster.
    "ray": (("seedream/ray/*.py",), ("tests/scale/test_parts.py", "tests/scale/test_without_ray.py")),
    # Whole runs with the generator, other processes and git are left out; so are pages by the hundred.
    "pipeline": (("pipeline/*.py",), ("tests/pipeline", *_without("tests/pipeline", "absorbed", "client", "command", "decisions", "editions", "follow", "foreign_shapes", "fuzzed", "held_out", "refused", "watch"), *_deselected("tests/pipeline/test_tree.py", "another_process_gives_the_same_bytes", "interrupted_anywhere", "runs_do_not_mix"))),
    "testing": (("seedream_testing/**/*.py",), ("tests/testing", "tests/mutants/test_derived.py", "tests/contract/test_violations.py", "--deselect=tests/testing/test_plugin.py::test_the_plugin_loads_nothing_until_it_is_used")),
}  # fmt: skip
NEEDED: Final = 0.95
_BROAD: Final = 4  # mutants: a row that holds for more hides some that are not equivalent


@dataclass
class Score:
    """What became of the mutants of a package.

    Attributes:
        package: Its name in `PACKAGES`.
        total: How many mutants there are that differ from the original.
        equivalent: How many more there are that `survivors.toml` names.
        ends: How those that were tried ended, by module.
        survivors: Those that no test found.
        flaky: Tests that fail without a mutant too; what they found is not counted.
    """

    package: str
    total: int
    equivalent: int
    ends: dict[str, Counter[str]] = field(default_factory=dict)
    survivors: list[mutate.Mutant] = field(default_factory=list)
    flaky: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """How many were tried."""
        return sum(ends.total() for ends in self.ends.values())

    @property
    def score(self) -> float:
        """The part of those tried that was found."""
        return 1 - len(self.survivors) / max(self.tried, 1)

    @property
    def is_low(self) -> bool:
        """Whether the score is below what is needed, by more than the chance of a sample (two standard deviations)."""
        chance = 0.0 if self.tried == self.total else 2 * sqrt(NEEDED * (1 - NEEDED) / max(self.tried, 1))
        return self.score < NEEDED - chance

    def line(self) -> str:
        """Return the score in one line."""
        ends = sum(self.ends.values(), Counter[str]())
        size = f"all {self.total}" if self.tried == self.total else f"a random sample of {self.tried} of {self.total}"
        return (
            f"{self.package}: {self.score:.1%} found of {size} mutants ({ends['timeout']} by a time limit; "
            f"{ends['uncovered']} reached by no test; {self.equivalent} equivalent ones not tried)"
        )

    def markdown(self) -> str:
        """Return the tables of modules and of survivors."""
        rows = [f"**{self.line()}.**", "", "| module | found | survived |", "|---|---|---|"]
        for module, ends in sorted(self.ends.items()):
            found = ends["found"] + ends["timeout"]
            rows.append(f"| `{module}` | {found} | {ends.total() - found} |")
        if self.survivors:
            rows += ["", "| survivor | change |", "|---|---|"]
            rows += [f"| `{_where(one)}` | `{_cell(one.change)}` |" for one in self.survivors]
        return "\n".join(rows)


def _where(mutant: mutate.Mutant) -> str:
    return f"{mutant.module.removeprefix('seedream.')}.{mutant.function}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'")[:160]


def measure(
    package: str, only: Sequence[str], seconds: float, sample: int | None, seed: int, known: Sequence[dict[str, str]]
) -> Score:
    """Try the mutants of a package, in random order, until all are tried or the time is up."""
    patterns, tests = PACKAGES[package]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        mutate.copy(folder)
        made = mutate.mutate(folder, list(only or patterns))
        every, made = made, [mutant for mutant in made if not _is_equivalent(mutant, known)]
        random.Random(seed).shuffle(made)  # noqa: S311 -- no secret: the same sample each time
        mutate.save(folder / "mutants.json", made[:sample])
        ended = trials.start(folder, seconds, tests)
        lines = [json.loads(line) for line in (folder / "results.jsonl").read_text("utf-8").splitlines()]
        if not lines or "flaky" not in lines[-1]:
            raise RuntimeError(
                f"{package}: pytest ended with {ended}: {(folder / 'said.txt').read_text('utf-8')[-2000:]}"
            )
    score = Score(package, len(made), len(every) - len(made), flaky=lines[-1]["flaky"])
    by_name = {mutant.name: mutant for mutant in made}
    for line in lines[:-1]:
        mutant = by_name[line["name"]]
        if line["by"] in score.flaky:
            continue
        score.ends.setdefault(mutant.module, Counter())[line["end"]] += 1
        if line["end"] in {"survived", "uncovered"}:
            score.survivors.append(mutant)
    return score


def _is_equivalent(mutant: mutate.Mutant, known: Sequence[dict[str, str]]) -> bool:
    for row in known:
        if row["function"] in f"{mutant.module}.{mutant.function}" and row["change"] in mutant.change:
            row["used"] = f"{int(row.get('used', 0)) + 1}"
            return True
    return False


def main() -> int:
    """0 when the score of each package holds."""
    parser = argparse.ArgumentParser(prog="python -m mutants.core")
    parser.add_argument("packages", nargs="*", default=list(PACKAGES), choices=[*PACKAGES, []], help="default: all")
    parser.add_argument(
        "--only", action="append", default=[], help="modules of the package, for example seedream/_files/names.py"
    )
    parser.add_argument("--seconds", type=float, default=1500.0, help="time for the mutants, shared by the packages")
    parser.add_argument("--sample", type=int, help="try this many mutants of each package, drawn with a fixed seed")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws another sample")
    parser.add_argument("--report", help="write the tables into this document")
    given = parser.parse_args()
    known = tomllib.loads((mutate.ROOT / "tests/mutants/survivors.toml").read_text("utf-8"))["survivor"]
    ends, bad, here = time.monotonic() + given.seconds, False, Path.cwd()
    for number, package in enumerate(given.packages):
        share = max((ends - time.monotonic()) / (len(given.packages) - number), 1.0)
        score = measure(package, given.only, share, given.sample, given.seed, known)
        bad = bad or score.is_low
        sys.stderr.write(f"{score.line()}\n")
        sys.stderr.writelines(f"  {_where(one)}: {one.change}\n" for one in score.survivors)
        sys.stderr.writelines(f"  flaky: {one}\n" for one in score.flaky)
        if given.report:
            path = here / given.report
            path.write_text(between(path.read_text("utf-8"), f"core {package}", score.markdown()), "utf-8")
    for row in known:
        if int(row.get("used", 0)) > _BROAD:
            sys.stderr.write(f"holds for {row['used']} mutants, name less: {row['function']}: {row['change']}\n")
    if len(given.packages) == len(PACKAGES) and not given.only:
        unused = [row for row in known if "used" not in row and row["function"]]
        sys.stderr.writelines(f"not needed: {row['function']}: {row['change']}\n" for row in unused)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
