"""Finds the files that enforce a rule and those that test it: the ones that name it or one of its facts."""

import re
from functools import cache
from pathlib import Path
from typing import Final

from .emit_rules import constant
from .ledger import Rule

# The contract suite is shipped with the overlay, but what it does is test.
_CONTRACT: Final = "overlay/seedream_testing/"
# These name rules for another reason: they show any rule, are wrong on purpose, or try the pipeline itself.
_OTHERS: Final = ("overlay/seedream/cli/", "tests/mutants/", "tests/page_edits.py", "tests/pipeline/")


def files_that_name(root: Path, rule: Rule) -> tuple[list[str], list[str]]:
    """Return the files below the root that enforce the rule, and those that test it."""
    words = [re.escape(rule.id), *(constant(rule.id, fact) for fact in rule.facts)]
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])")
    found = [name for name, text in _texts(root) if pattern.search(text)]
    tests = [name for name in found if name.startswith(("tests/", _CONTRACT))]
    return [name for name in found if name not in tests], tests


@cache
def _texts(root: Path) -> list[tuple[str, str]]:
    paths = sorted(path for side in ("overlay", "tests") for path in (root / side).rglob("*.py"))
    named = ((path.relative_to(root).as_posix(), path) for path in paths)
    return [(name, path.read_text("utf-8")) for name, path in named if not name.startswith(_OTHERS)]
