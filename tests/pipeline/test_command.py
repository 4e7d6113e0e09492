"""The command line: exit codes, the printed report, and the same as Markdown."""

import re
import subprocess
from pathlib import Path

import pytest
from page_edits import PAGE, REPOSITORY, RepositoryCopy, replaced
from pipeline.__main__ import main

NARROWER = replaced(("maximum: 15", "maximum: 10"))
FACT = replaced(("[3,686,400", "[4,000,000"))


def run(repository: RepositoryCopy, *arguments: str, page: bytes | None = None) -> int:
    if page is not None:
        given = repository.root / "build" / "new page.md"
        given.parent.mkdir(exist_ok=True)
        given.write_bytes(page)
        arguments = (*arguments, "--spec", str(given))
    return main(["--root", str(repository.root), *arguments])


def test_exit_codes(repository: RepositoryCopy, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(repository, "generate") == 0
    assert run(repository, "verify") == 0
    assert run(repository, "generate", page=PAGE) == 0
    assert run(repository, "generate", page=NARROWER) == 3
    assert run(repository, "generate", page=b"nothing") == 4
    assert run(repository, "generate", "--accept", page=NARROWER) == 0
    repository.edit("generated/tensorslab_images/limits.py", "maximum=10,", "maximum=11,")
    assert run(repository, "verify") == 1
    repository.edit("openapi/overlay.yaml", "actions:", "acts:")
    assert run(repository, "generate") == 5
    with pytest.raises(SystemExit, match="2"):
        run(repository, "invent")
    assert "Traceback" not in "".join(capsys.readouterr())


# `make generate SPEC=PATH` takes paths with spaces and quotes, and prints the exit code of the run.
def test_make_hands_the_path_on(tmp_path: Path) -> None:
    missing = tmp_path / "not 'there\".md"
    command = ["make", "-C", str(REPOSITORY), "-o", ".venv/.ready", "generate", f"SPEC={missing}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"{missing}: there is no such file" in done.stderr
    assert "Error 4" in done.stderr


def test_report_on_paper(repository: RepositoryCopy) -> None:
    run(repository, "generate", page=FACT)
    text = repository.read("build/spec-report.md")
    assert text.startswith("# Spec update\n\n**Stopped for a decision. Nothing was replaced.** Source: `new page.md`.")
    assert "### rule: `RES-PIXELS`" in text
    assert "| was | now |\n|---|---|\n| 总像素范围：[3,686,400, 16,777,216]" in text
    assert "Next: in openapi/rules.yaml" in text


# Whatever a page says stays text in the report: no table is torn, no HTML begins.
def test_report_is_safe_against_the_page(repository: RepositoryCopy, capsys: pytest.CaptureFixture[str]) -> None:
    nasty = "</td> | x |\\n# Head <script>alert(1)</script> \\u001b[31m\\u202e"
    run(repository, "generate", page=replaced(("description: 响应消息", f'description: "{nasty}"')))
    text = repository.read("build/spec-report.md")
    assert "<script>" not in text
    assert "\n# Head" not in text
    for output in (text, capsys.readouterr().out):
        assert "alert(1)" in output
        assert "\x1b" not in output
        assert "\u202e" not in output


def test_schema_changes_and_prose_changes(repository: RepositoryCopy, capsys: pytest.CaptureFixture[str]) -> None:
    data = replaced(
        ("maximum: 15", "maximum: 10"),
        ("提示词（必填）", "提示词（可选）"),
        (
            "                imageUrl:\n",
            "                newField:\n                  type: integer\n                imageUrl:\n",
        ),
    )
    assert run(repository, "generate", page=data) == 3
    out = capsys.readouterr().out
    assert "batchsize/maximum 15 -> 10  [breaking: a narrowed limit]" in out
    assert "submit request newField added  [absorbed: a new field]" in out
    assert "  submit request prompt/description (PROMPT-REQUIRED)\n    - 提示词（必填）\n    + 提示词（可选）" in out
    assert "Breaking: yes. Version: major." in out


def test_rule_tables(repository: RepositoryCopy, capsys: pytest.CaptureFixture[str]) -> None:
    begin, end = "<!-- rules:begin -->", "<!-- rules:end -->"
    for name in ("README.md", "README.zh-CN.md"):
        (repository.root / name).write_text(f"before\n{begin}\n{end}\nafter\n", "utf-8")
    assert run(repository, "verify") == 1
    assert "run `make generate`" in capsys.readouterr().err
    assert run(repository, "generate") == 0
    assert run(repository, "verify") == 0
    assert "| `PROMPT-REQUIRED` | A prompt is required. | the page |" in repository.read("README.md")
    assert "| `PROMPT-REQUIRED` | 提示词（必填） | 官方文档页 |" in repository.read("README.zh-CN.md")
    assert repository.read("README.md").endswith("after\n")
    (repository.root / "README.md").write_text(f"{end}{begin}", "utf-8")
    assert run(repository, "verify") == 5


# A finding about a rule names the files that enforce it and those that test it; they are found by its id and its facts.
def test_a_rule_is_traced_to_its_files(repository: RepositoryCopy, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("test_a.py", '"BATCH-RANGE"'), ("test_b.py", '"BATCH-RANGE-OF-ANOTHER"')):
        (repository.root / "tests").mkdir(exist_ok=True)
        (repository.root / "tests" / name).write_text(text)
    (repository.root / "overlay/seedream/uses_the_fact.py").write_text("RES_PIXELS_MINIMUM")
    run(repository, "generate", page=replaced(("1-15", "最多 15"), ("[3,686,400", "[4,000,000")))
    out = capsys.readouterr().out
    assert re.search(r"tested by: .*tests/test_a\.py", out)
    assert "tests/test_b.py" not in out
    assert "overlay/seedream/uses_the_fact.py" in out
