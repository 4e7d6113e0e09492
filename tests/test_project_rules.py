"""The rules of the project that a machine can check."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = ["bootstrap.lock", "dev.lock"]


_MADE = {".venv", "build", "dist", "out", "demo-output", "mutants", ".hypothesis"}  # what .gitignore names, and caches


def tracked(*, new: bool = True) -> list[Path]:
    """Return the files of the repository; in an unpacked source archive, which has no git, all but what is made there.

    Args:
        new: Also files that are new and not ignored.
    """
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-c", *(["-o", "--exclude-standard"] if new else [])],  # noqa: S607 -- the developer's own git
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        paths = [ROOT / line for line in listed.stdout.splitlines()]
    else:
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(part in _MADE or part.endswith(("cache__", "_cache")) for part in path.parts)
        ]
    assert len(paths) > 50
    return [path for path in paths if path.is_file()]


def pins(lock: str) -> dict[str, list[str]]:
    """Pinned versions by normalised name."""
    found: dict[str, list[str]] = {}
    for name, version in re.findall(r"(?m)^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "requirements" / lock).read_text()):
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), []).append(version)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    assert "://" not in text
    assert "--index" not in text
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", text)[1:]
    assert entries
    assert [] == [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry]


def test_the_lock_is_in_step_with_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    texts = list(project["project"]["dependencies"])
    for name, extra in extras.items():
        texts += extra if name != "ray" else []
    for group in project["dependency-groups"].values():
        texts += [item for item in group if isinstance(item, str)]
    assert len(texts) > 10
    assert [] == missing_pins(texts, "dev.lock"), "run `make lock`"
    assert [] == missing_pins(extras["ray"], "ray.lock"), "run `make lock`"  # large: an environment of its own


def missing_pins(texts: list[str], lock: str) -> list[str]:
    wanted = [requirement for requirement in map(Requirement, texts) if requirement.name != "seedream"]
    locked = pins(lock)
    return [
        str(wish)
        for wish in wanted
        if not any(wish.specifier.contains(version) for version in locked.get(re.sub(r"[-_.]+", "-", wish.name), []))
    ]


def test_the_core_depends_only_on_attrs_and_httpx() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert ["attrs", "httpx"] == sorted(Requirement(text).name for text in project["dependencies"])


def test_the_top_level_is_as_agreed() -> None:
    allowed = {
        "pyproject.toml", "openapi", "generated", "overlay", "tests", "Makefile", "README.md", "README.zh-CN.md",
        ".ci", ".github", ".gitignore", "PKG-INFO", ".gitattributes", "benchmarks", "docs", "requirements", "LICENSE",
    }  # fmt: skip
    # A page that was put into the clone for SPEC= does not belong to it.
    assert {path.relative_to(ROOT).parts[0] for path in tracked(new=False)} <= allowed


def test_no_file_holds_a_machine_path_or_a_registry_host() -> None:
    forbidden = re.compile(
        r"(?<![\w.])/(?:root|home/\w+|work)/|files\.pythonhosted|pypi\.org|registry\.npmjs|deb\.debian"
    )
    found = []
    for path in tracked():
        if path == Path(__file__) or path.suffix in {".png", ".jpg", ".webp"}:
            continue
        text = path.read_text(encoding="utf-8")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in forbidden.finditer(text)]
    assert [] == found


def test_no_test_imports_a_conftest() -> None:
    """Helpers that several files use are in tests/support; a conftest holds fixtures and hooks only."""
    pattern = re.compile(r"(?m)^\s*(?:from (?:[\w.]*\.)?conftest import|import (?:[\w.]*\.)?conftest\b)")
    files = [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / "tests")]
    assert len(files) > 50
    assert [] == [str(path.relative_to(ROOT)) for path in files if pattern.search(path.read_text("utf-8"))]


def test_each_part_of_the_overlay_has_its_tests_in_one_folder() -> None:
    """The packages below the client are small, and their tests are in tests/core and tests/transport."""
    folders = {"seedream": "core", "seedream_sandbox": "sandbox", "seedream_testing": "testing", "ray": "scale"}
    folders |= dict.fromkeys(("_files", "_protocol", "_request", "_support"), "core") | {"_transport": "transport"}
    overlay = ROOT / "overlay"
    parts = [
        path.name
        for root in (overlay, overlay / "seedream")
        for path in root.iterdir()
        if (path / "__init__.py").is_file()
    ]
    assert len(parts) > 10
    assert [] == [part for part in parts if not list((ROOT / "tests" / folders.get(part, part)).glob("test_*.py"))]


def test_each_underscore_module_is_protected_by_import_linter() -> None:
    """Underscore modules are imported inside their package only: import-linter proves it of those it is given."""
    overlay = ROOT / "overlay"
    private = [path for path in overlay.rglob("_*") if not path.name.startswith("__")]
    modules = [path.relative_to(overlay).with_suffix("") for path in private if path.is_dir() or path.suffix == ".py"]
    names = sorted(".".join(module.parts) for module in modules)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    protected = [contract["protected_modules"] for contract in contracts if contract["type"] == "protected"]
    assert [names] == protected


def test_the_pipeline_lists_its_modules() -> None:
    folder = ROOT / "openapi/pipeline"
    listed = (folder / "__init__.py").read_text("utf-8").replace("emit_*", "emit_limits emit_methods emit_rules")
    modules = [path.stem for path in folder.glob("*.py") if path.stem != "__init__"]
    assert [] == [module for module in modules if not re.search(rf"\b{module}\b", listed)]
