"""What the documents promise is proved by tests that exist, and their links lead somewhere."""

import re
from pathlib import Path

import pytest
from documents.blocks import DOCUMENTS, ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def prose(path: Path) -> str:
    return re.sub(r"(?ms)^```.*?^```$", "", path.read_text("utf-8"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_is_named_exists(document: Path) -> None:
    missing = [
        f"{file}::{test}"
        for file, test in NAMED.findall(prose(document))
        if not (ROOT / file).is_file() or (test and f"def {test}(" not in (ROOT / file).read_text("utf-8"))
    ]
    assert [] == missing


def test_security_names_a_test_for_each_promise() -> None:
    rows = re.findall(r"(?m)^\| (.*) \| (.*) \|$", prose(ROOT / "docs" / "SECURITY.md"))
    promises = [(promise, proof) for promise, proof in rows if promise not in ("promise", "---")]
    assert len(promises) > 20
    assert [] == [promise for promise, proof in promises if not NAMED.search(proof)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", prose(document))
    assert [] == [link for link in links if "://" not in link and not (document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_that_are_named_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    if document.name == "CHANGELOG.md":  # names what is gone as well
        return
    named = set(re.findall(r"`make ([a-z-]+)", document.read_text("utf-8")))
    assert [] == [name for name in sorted(named) if not re.search(rf"(?m)^{name}:", makefile)]


def test_nothing_says_that_seedream_can_be_installed_by_its_name() -> None:
    # It is on no package index yet: a clone or a wheel is named.
    code = [path for folder in ("overlay", "openapi") for path in (ROOT / folder).rglob("*.py")]
    said = re.compile(r"pip install ['\"]?seedream(?!\S* @)")
    assert [] == [str(path) for path in (*DOCUMENTS, *code) if said.search(path.read_text("utf-8"))]


def test_every_file_that_the_architecture_names_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    listing = text.split("```text", 1)[1].split("```", 1)[0]
    named = set(re.findall(r"`((?:overlay|openapi|generated|tests)/[\w./]+\.\w+)`", text))
    named |= {f"overlay/seedream/{name}" for name in re.findall(r"(?<![\w/])((?:_\w+|bulk|journal)/\w+\.py)", text)}
    named |= {f"overlay/seedream/{name}" for name in re.findall(r"^    ([\w/.]+)", listing, re.MULTILINE)}
    assert len(named) > 20
    assert [] == sorted(name for name in named if not (ROOT / name).exists())
