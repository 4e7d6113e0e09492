"""Builds the site of documents into build/docs: the Markdown files, and a reference from the docstrings.

Broken links, unknown parameters in docstrings and documents that the navigation leaves out fail the build.
"""

import logging
import re
import shutil
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "build" / "docs-source"
PACKAGES = ("seedream", "seedream.bulk", "seedream.journal", "seedream_sandbox")
START = {"README.md": "index.md", "README.zh-CN.md": "zh.md"}
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")


def collect() -> None:
    """Copy the documents to the source folder, with their links turned to where each file is there."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    documents = [ROOT / name for name in START] + sorted((ROOT / "docs").glob("*.md"))
    for path in documents:
        text = LINK.sub(partial(_link, path), path.read_text("utf-8"))
        (SOURCE / _name(path)).write_text(text, "utf-8")
    for path in (ROOT / "docs").iterdir():
        if path.suffix in {".png", ".jpg", ".svg"}:
            shutil.copy(path, SOURCE)


def _name(path: Path) -> str:
    return START.get(path.name, path.name.lower())


def _link(path: Path, link: re.Match[str]) -> str:
    """Return the link as the site has it; a file of the repository that is not on the site is named, not linked."""
    text, target = link.groups()
    place, _, anchor = target.partition("#")
    if "://" in target or not place:
        return f"[{text}]({target})"
    found = (path.parent / place).resolve()
    if not found.exists():
        raise SystemExit(f"{path.relative_to(ROOT)}: the link to {target} leads nowhere")
    on_site = found.parent == ROOT / "docs" or (found.parent == ROOT and found.name in START)
    if on_site and found.is_file():
        return f"[{text}]({_name(found)}{'#' + anchor if anchor else ''})"
    return text if "`" in text else f"`{text}`"


def write_reference() -> None:
    """Write a page for each public package, with each public name in it."""
    (SOURCE / "reference").mkdir()
    for package in PACKAGES:
        names = import_module(package).__all__
        lines = [f"# `{package}`", *(f"::: {package}.{name}" for name in names if not name.startswith("__"))]
        (SOURCE / "reference" / f"{package}.md").write_text("\n\n".join(lines) + "\n", "utf-8")


def main() -> None:
    """Build the site."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    collect()
    write_reference()
    settings = Path(__file__).with_name("mkdocs.yml")
    with settings.open("rb") as file:
        config = load_config(file, config_file_path=str(settings))
    config.plugins.on_startup(command="build", dirty=False)
    try:
        build(config)
    finally:
        config.plugins.on_shutdown()
    sys.stdout.write(f"The documents are in {Path(config.site_dir).relative_to(ROOT)}/index.html\n")


if __name__ == "__main__":
    main()
