"""The two README files: their code runs, they are in step, and what they list is what the code has."""

import os
import re
import shlex
from pathlib import Path
from typing import Any

import facts
import pytest
from seedream import errors
from seedream.cli import exit_codes
from seedream_sandbox import Sandbox
from seedream_testing.contract.samples import png

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


@pytest.mark.parametrize("path", [ENGLISH, CHINESE], ids=lambda path: path.name)
def test_the_python_examples_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Sandbox() as service:
        monkeypatch.setenv("TENSORSLAB_API_KEY", service.api_key)
        monkeypatch.setenv("TENSORSLAB_BASE_URL", service.base_url)
        examples = blocks(path, "python")
        assert 3 == len(examples)
        for number, example in enumerate(examples):
            exec(compile(example, f"{path.name}, example {number + 1}", "exec"), {"__name__": "readme"})  # noqa: S102 -- our own text
            if number == 0:
                assert 2 == len(list((tmp_path / "pictures").iterdir()))
                next((tmp_path / "pictures").iterdir()).rename(tmp_path / "pictures" / "lighthouse.png")
        assert [2, facts.DEFAULTS["batchsize"]] == [charge.images for charge in service.charges]


def test_the_shell_examples_run(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "lighthouse.png").write_bytes(png())
    lines = [line for code in blocks(ENGLISH, "sh") for line in code.splitlines() if line.startswith("seedream ")]
    assert 5 == len(lines)
    with Sandbox() as service:
        for line in lines:
            at = {} if "--sandbox" in line else {"TENSORSLAB_BASE_URL": service.base_url}
            ran = cli(*shlex.split(line)[1:], **at)
            assert ran.code == (1 if "1500x1500" in line else 0), ran.err
        assert [4] == [charge.images for charge in service.charges]


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
