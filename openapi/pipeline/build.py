"""From the inputs to the whole of generated/, in memory: same inputs, same bytes."""

import hashlib
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from . import overlay
from .check_spec import check_spec
from .client import SIGNATURES, emit_roles, generate_client, stamp_and_format
from .emit_limits import emit_limits
from .emit_methods import emit_methods
from .emit_rules import emit_rules
from .errors import DecisionNeeded
from .inputs import Inputs
from .spec import Json
from .strict_yaml import dump_yaml
from .tree import read_tree, tree_digest

GENERATED: Final = "generated"
LOCK: Final = f"{GENERATED}/generate.lock"


def effective(inputs: Inputs) -> Json:
    """Return the vendored spec with the overlay applied.

    Raises:
        DecisionNeeded: an action of the overlay cannot be applied as meant.
    """
    document, findings = overlay.apply(inputs.document, inputs.actions)
    if findings:
        problems = "; ".join(f"action {f.action.index + 1} {f.problem}: {f.detail}" for f in findings)
        raise DecisionNeeded(f"openapi/overlay.yaml does not fit the vendored page: {problems}.")
    check_spec(document, "the effective spec")
    return document


def build(inputs: Inputs) -> dict[str, bytes]:
    """Build every file of generated/, by its path from the root.

    Raises:
        DecisionNeeded, BrokenInputs: see the steps.
    """
    document = effective(inputs)
    files = {f"{GENERATED}/openapi.yaml": _openapi_yaml(document)}
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / inputs.settings.package
        parsed = generate_client(document, inputs.settings, package)
        (package / "limits.py").write_text(emit_limits(document, inputs.settings), "utf-8")
        (package / SIGNATURES).write_text(emit_methods(document, inputs.ledger, inputs.settings), "utf-8")
        (package / "roles.py").write_text(emit_roles(document, parsed, inputs.settings), "utf-8")
        rules = emit_rules(document, inputs.ledger, inputs.settings.submit, inputs.origin.language)
        (package / "rules.py").write_text(rules, "utf-8")
        stamp_and_format(package)
        (package / "py.typed").write_bytes(b"")
        portable = _without_foreign_patterns(document)
        (package / "openapi.json").write_text(json.dumps(portable, ensure_ascii=False, indent=1) + "\n", "utf-8")
        shutil.rmtree(package / ".ruff_cache", ignore_errors=True)
        made = read_tree(package)
    files |= {f"{GENERATED}/{inputs.settings.package}/{name}": data for name, data in made.items()}
    return {**files, LOCK: _lock(inputs, files)}


def _without_foreign_patterns(node: Any) -> Any:
    """Return a copy in which a pattern that Python cannot compile is kept as `x-pattern`.

    Validators in Python read openapi.json at run time; limits.py holds the pattern translated where that is possible.
    """
    if isinstance(node, list):
        return [_without_foreign_patterns(child) for child in node]
    if not isinstance(node, dict):
        return node
    found = {key: _without_foreign_patterns(child) for key, child in node.items()}
    if isinstance(found.get("pattern"), str):
        try:
            re.compile(found["pattern"])
        except (re.error, OverflowError, RecursionError):
            found["x-pattern"] = found.pop("pattern")
    return found


def _openapi_yaml(document: Json) -> bytes:
    head = "# The effective spec: the vendor's page with openapi/overlay.yaml laid over it. Made by `make generate`.\n"
    return (head + dump_yaml(document)).encode()


def _lock(inputs: Inputs, files: dict[str, bytes]) -> bytes:
    """generate.lock: what went in, what came out, and which tools made it."""
    rows = ["# Made by `make generate`; never edited by hand. sha256 of every input and of the tree."]
    rows += ["", "[inputs]"]
    rows += [f'"{name}" = "{hashlib.sha256(data).hexdigest()}"' for name, data in sorted(inputs.files.items())]
    rows += ["", "[outputs]", f'tree = "{tree_digest(files)}"', f"files = {len(files)}"]
    rows += ["", "[tools]"]
    rows += [f'{name} = "{version}"' for name, version in inputs.settings.versions.items()]
    return ("\n".join(rows) + "\n").encode()
