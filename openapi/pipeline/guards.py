"""Which files enforce a rule and which test it: those that name it or one of its facts."""

import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from shutil import which
from typing import Final

from .emit_rules import constant
from .errors import Different
from .inputs import REVIEWED, load
from .ledger import Ledger, Rule, reviewed_text

# Key of the row -> where to look; the contract suite that users install tests rules too.
_SIDES: Final = {"enforced_by": ("overlay",), "tested_by": ("tests", "overlay/seedream_testing/contract")}
# These name rules for another reason: they show or explain any rule, are wrong on purpose, or try the pipeline itself.
_OTHERS: Final = (
    "overlay/seedream/cli/rule_text.py",
    "overlay/seedream/cli/",
    "tests/mutants/",
    "tests/page_edits.py",
    "tests/pipeline/",
)


def guards_of(root: Path, ledger: Ledger) -> dict[str, dict[str, list[str]]]:
    """For each rule, the files by key of its row."""
    return {
        rule.id: {key: [name for name, text in _texts(root, key) if _names(rule, text)] for key in _SIDES}
        for rule in ledger.rules.values()
    }


@cache
def _texts(root: Path, key: str) -> list[tuple[str, str]]:
    """Path and text of every Python file that counts for the key; in a Git checkout only what Git knows."""
    apart = _OTHERS if key == "tested_by" else (*_OTHERS, "overlay/seedream_testing/contract/")
    names = sorted({path.relative_to(root).as_posix() for side in _SIDES[key] for path in (root / side).rglob("*.py")})
    known = _known_to_git(root)
    counted = [name for name in names if not name.startswith(apart) and (not known or name in known)]
    return [(name, (root / name).read_text("utf-8")) for name in counted]


@cache
def _known_to_git(root: Path) -> frozenset[str]:
    """Paths that Git tracks, so that a file of today's experiments is not listed; empty outside of a checkout."""
    git = which("git")
    if git is None or not (root / ".git").exists():
        return frozenset()
    done = subprocess.run([git, "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    return frozenset(done.stdout.decode("utf-8", "replace").split("\0"))


def _names(rule: Rule, text: str) -> bool:
    words = [re.escape(rule.id), *(constant(rule.id, fact) for fact in rule.facts)]
    return re.search(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])", text) is not None


def write_guards(root: Path) -> None:
    """Writes the lists into reviewed.yaml."""
    inputs = load(root)
    found = guards_of(root, inputs.ledger)
    rules = {
        name: replace(rule, enforced_by=tuple(found[name]["enforced_by"]), tested_by=tuple(found[name]["tested_by"]))
        for name, rule in inputs.ledger.rules.items()
    }
    (root / REVIEWED).write_bytes(reviewed_text(replace(inputs.ledger, rules=rules)))


def check_guards(root: Path, ledger: Ledger) -> None:
    """Returns quietly when every file that a row lists is there and names the rule.

    Raises:
        Different: one is not, or does not.
    """
    for rule in ledger.rules.values():
        for name in (*rule.enforced_by, *rule.tested_by):
            path = root / name
            if not path.is_file() or not _names(rule, path.read_text("utf-8")):
                raise Different(f"{REVIEWED}: {rule.id} lists {name}, which does not name the rule; run `make guards`.")
