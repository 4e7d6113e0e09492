"""The two README files: they are in step, and what they list is what the code has. tests/documents runs their code."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from seedream import errors
from seedream.cli import exit_codes
from seedream.cli.messages_zh import MESSAGES

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")


def blocks(path: Path, language: str) -> list[str]:
    found = [code for name, code in BLOCK.findall(path.read_text(encoding="utf-8")) if name == language]
    assert found, f"{path.name} has no {language} block"
    return found


def without_comments(code: str) -> str:
    return "\n".join(re.sub(r"\s+# .*$", "", line) for line in code.splitlines())


def prose(path: Path) -> str:
    return BLOCK.sub("", path.read_text(encoding="utf-8"))


def test_both_readmes_are_in_step() -> None:
    for language in ("python", "sh"):
        assert [without_comments(code) for code in blocks(ENGLISH, language)] == [
            without_comments(code) for code in blocks(CHINESE, language)
        ]
    assert len(blocks(ENGLISH, "text")) == len(blocks(CHINESE, "text"))
    for pattern in (r"(?m)^#+ ", r"\]\((?!README)([^)\s]+)\)", r"(?m)^\| *(\d+) *\|", r"<!-- \S+ -->", r"(?m)^- "):
        english, chinese = (re.findall(pattern, prose(path)) for path in (ENGLISH, CHINESE))
        assert english, pattern
        assert english == chinese


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", prose(ENGLISH) + prose(CHINESE))
    assert len(links) > 10
    assert [] == [link for link in links if not link.startswith("https://") and not (ROOT / link).is_file()]


def test_the_exit_codes_are_those_of_the_program() -> None:
    listed = re.findall(r"(?m)^\| *(\d+) *\| (.*) \|$", prose(ENGLISH))
    assert [(str(one.code), one.meaning) for one in exit_codes.TABLE] == listed
    listed = re.findall(r"(?m)^\| *(\d+) *\| (.*) \|$", prose(CHINESE))
    assert [(str(one.code), MESSAGES[one.meaning]) for one in exit_codes.TABLE] == listed


def test_the_extras_are_those_of_the_package() -> None:
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"])
    for path in (ENGLISH, CHINESE):
        table = prose(path).partition("|---|---|\n")[2].partition("\n\n")[0]
        assert extras == set(re.findall(r"(?m)^\| `(\w+)` \|", table))


def test_every_document_is_linked_from_both() -> None:
    documents = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    assert len(documents) > 7
    for path in (ENGLISH, CHINESE):
        assert documents <= set(re.findall(r"\]\((docs/[^)#]+\.md)\)", prose(path)))


def test_both_tables_of_rules_are_in_the_reader_s_language() -> None:
    table = prose(CHINESE).partition("<!-- rules:begin -->")[2].partition("<!-- rules:end -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) > 10
    assert [] == [row for row in rows if not all(re.search(r"[\u4e00-\u9fff]", cell) for cell in row.split("|")[2:4])]


@pytest.mark.parametrize("path", [ENGLISH, CHINESE], ids=lambda path: path.name)
def test_the_error_tree_is_that_of_the_library(path: Path) -> None:
    drawn = set(re.findall(r"\b[A-Z][A-Za-z]+\b", blocks(path, "text")[0]))
    tree = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.SeeDreamError)
    }
    assert len(tree) > 20
    assert tree == drawn


def test_the_make_targets_it_names_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z]+)", ENGLISH.read_text(encoding="utf-8")))
    assert {"demo", "test", "check", "generate"} <= named
    assert [] == [name for name in named if not re.search(rf"(?m)^{name}:", makefile)]


def test_the_picture_is_small_enough_for_a_readme() -> None:
    assert 0 < os.path.getsize(ROOT / "docs" / "demo.jpg") < 300_000  # noqa: PTH202 -- one call
