"""The Python API of the generated package, before and after: names added, removed and retyped."""

import ast
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import griffe


@dataclass(frozen=True)
class ApiChange:
    """One name; `old` or `new` is empty when it was added or removed."""

    name: str
    old: str
    new: str

    def line(self) -> str:
        """One line for the report."""
        if not self.old:
            return f"added {self.name}: {self.new}"
        if not self.new:
            return f"removed {self.name}: {self.old}"
        return f"retyped {self.name}: {self.old} -> {self.new}"


def api_of(files: Mapping[str, bytes], prefix: str, package: str) -> dict[str, str]:
    """Every public name of the package below `prefix` in the files, with its signature or type; nothing is imported."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            if name.startswith(f"{prefix}/{package}/") and name.endswith(".py"):
                path = Path(folder) / name.removeprefix(f"{prefix}/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        if not (Path(folder) / package).is_dir():
            return {}
        loaded = griffe.load(package, search_paths=[folder], allow_inspection=False, resolve_aliases=False)
        found: dict[str, str] = {}
        if isinstance(loaded, griffe.Module):
            _collect(loaded, found)
    return found


def _collect(owner: griffe.Module | griffe.Class, found: dict[str, str]) -> None:
    for name, member in owner.members.items():
        if name.startswith("_") or member.is_alias:
            continue
        path = f"{owner.path}.{name}"
        if isinstance(member, griffe.Module):
            found[path] = "module"
            _collect(member, found)
        elif isinstance(member, griffe.Class):
            found[path] = f"class({', '.join(str(base) for base in member.bases)})"
            _collect(member, found)
        elif isinstance(member, griffe.Function):
            shown = ", ".join(f"{p.name}: {p.annotation}" for p in member.parameters if p.name != "self")
            found[path] = f"({shown}) -> {member.returns}"
        elif isinstance(member, griffe.Attribute):
            found[path] = str(member.annotation or "value")


def api_changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[ApiChange]:
    """Names that differ, in alphabetical order; members of an added or removed class or module are not listed again."""
    found: list[ApiChange] = []
    for name in sorted({*old, *new}):
        before, after = old.get(name, ""), new.get(name, "")
        parent = name.rpartition(".")[0]
        covered = any(
            change.name == parent or parent.startswith(f"{change.name}.")
            for change in found
            if not change.old or not change.new
        )
        if before != after and not covered:
            found.append(ApiChange(name, before, after))
    return found


def used_names(overlay: Path, package: str) -> dict[str, list[str]]:
    """Names of the generated package that hand-written code imports, with the files that do."""
    found: dict[str, list[str]] = {}
    for path in sorted(overlay.rglob("*.py")):
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package and not node.level:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names if alias.name.split(".")[0] == package]
            for name in names:
                found.setdefault(name, []).append(f"overlay/{path.relative_to(overlay).as_posix()}")
    return found
