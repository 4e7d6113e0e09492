"""The scheduled workflow: what changed on the page becomes one pull request, what needs a hand one issue."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from page_edits import PAGE, RepositoryCopy, replaced
from pipeline.fetch import Fetched
from pipeline.watch import propose, watch

WIDER = replaced(("maximum: 15", "maximum: 20"))
NARROWER = replaced(("maximum: 15", "maximum: 10"))
REWORDED = replaced(("总像素范围：[3,686,400, 16,777,216]", "像素总数需合适"))


def take(repository: RepositoryCopy, page: bytes) -> str:
    path = repository.root / "build" / "fetched.md"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(page)
    return watch(repository.root, lambda root: Fetched(path, "https://docs.example/x.md", changed=True))


@pytest.mark.parametrize(
    ("page", "result"),
    [(PAGE, "unchanged"), (WIDER, "taken"), (NARROWER, "accepted"), (REWORDED, "needs a hand")],
    ids=["same", "wider", "narrower", "reworded"],
)
def test_what_comes_of_a_page(repository: RepositoryCopy, page: bytes, result: str) -> None:
    assert result == take(repository, page)


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(repository: RepositoryCopy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryCopy:
    """The repository under git with a remote, and a `gh` that writes down how it is called."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    (repository.root / "README.md").touch()
    (repository.root / "README.zh-CN.md").touch()
    (repository.root / ".gitignore").write_text("build/\n")
    git(repository.root, "init", "-q", "-b", "main")
    git(repository.root, "add", "-A")
    git(repository.root, "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "all")
    git(repository.root, "remote", "add", "origin", str(tmp_path / "origin.git"))
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh").write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> "{tmp_path}/calls"\ncat "{tmp_path}/issues"\n')
    (tools / "gh").chmod(0o755)
    (tmp_path / "issues").touch()
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return repository


@pytest.mark.skipif(shutil.which("git") is None or os.name == "nt", reason="there is no git or no sh here")
def test_a_changed_page_is_proposed_once(repository: RepositoryCopy, tmp_path: Path) -> None:
    assert "taken" == take(repository, WIDER)
    assert "Opened a pull request" in propose(repository.root)
    (branch,) = git(tmp_path / "origin.git", "branch", "--list", "page-*", "--format", "%(refname:short)").split()
    assert "maximum: 20" in git(tmp_path / "origin.git", "show", f"{branch}:openapi/seedreamv45.yaml")
    setup, call = (tmp_path / "calls").read_text().splitlines()
    assert "auth setup-git" == setup
    assert call.startswith("pr create --title Take the vendor's changed page --body-file build/spec-report.md")
    assert "exists already" in propose(repository.root)


@pytest.mark.skipif(shutil.which("git") is None or os.name == "nt", reason="there is no git or no sh here")
def test_what_needs_a_hand_becomes_one_issue(repository: RepositoryCopy, tmp_path: Path) -> None:
    assert "needs a hand" == take(repository, REWORDED)
    assert "Opened an issue" in propose(repository.root)
    _listing, creation = (tmp_path / "calls").read_text().splitlines()
    assert creation.startswith("issue create --title The vendor's page changed and needs a hand (page-")
    (tmp_path / "issues").write_text(creation)
    assert "exists already" in propose(repository.root)
    assert "" == git(tmp_path / "origin.git", "branch", "--list")


def test_an_unchanged_page_proposes_nothing(repository: RepositoryCopy) -> None:
    take(repository, PAGE)
    assert "nothing to propose" in propose(repository.root, lambda command: pytest.fail(str(command)))
