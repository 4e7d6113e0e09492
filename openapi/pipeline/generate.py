"""The whole run."""

from pathlib import Path

from .build import GENERATED, build
from .inputs import load
from .tree import recover, replace


def generate(root: Path) -> str:
    """Writes generated/ anew from what is vendored; returns what to print."""
    recover(root)
    changed = replace(root, build(load(root)), GENERATED)
    return f"{len(changed)} files changed under {GENERATED}/." if changed else "Nothing changed."
