"""The scheduled workflow: what changed on the page becomes one pull request, what needs a hand one issue."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from page_edits import PAGE, RepositoryCopy, replaced
from pipeline.fetch import Fetched
from pipeline.generate import REPORT
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


# `gh` as propose calls it: it keeps issues and pull requests, and lists the open ones where no state is given.
GH = """
import argparse, json, pathlib, sys
store = pathlib.Path(__file__).with_name("store.json")
known = json.loads(store.read_text())
if " ".join(sys.argv[1:]).startswith(known["fails"]):
    sys.exit(1)
parser = argparse.ArgumentParser()
parser.add_argument("kind", choices=["auth", "issue", "pr"])
parser.add_argument("action", choices=["setup-git", "list", "create"])
for name in ("search", "json", "head", "title", "body-file"):
    parser.add_argument(f"--{name}", default="")
parser.add_argument("--state", default="open", choices=["open", "closed", "merged", "all"])
given = parser.parse_args()
if given.action == "create":
    body = pathlib.Path(given.body_file).read_text("utf-8")
    if len(body) > 65536:
        sys.exit("Body is too long")
    known["bodies"].append(body)
    known["made"].append({"kind": given.kind, "title": given.title, "head": given.head, "state": "open"})
    store.write_text(json.dumps(known))
if given.action == "list":
    words = [word for word in given.search.split() if word != "in:title"]
    print(json.dumps([
        {given.json: one[given.json]} for one in known["made"]
        if one["kind"] == given.kind and given.state in (one["state"], "all")
        and (not given.head or one["head"] == given.head) and all(word in one["title"] for word in words)
    ]))
"""


class GitHub:
    """What the fake `gh` keeps."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / "store.json"
        self.write(made=[], bodies=[], fails="no command")
        (folder / "gh").write_text(f"#!{sys.executable} -I\n{GH}")
        (folder / "gh").chmod(0o755)

    def read(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads(self.store.read_text())
        return known

    def write(self, **changes: Any) -> None:
        self.store.write_text(json.dumps({**(self.read() if self.store.exists() else {}), **changes}))

    @property
    def made(self) -> list[dict[str, str]]:
        made: list[dict[str, str]] = self.read()["made"]
        return made

    def set_state(self, state: str) -> None:
        self.write(made=[{**one, "state": state} for one in self.made])


needs_git = pytest.mark.skipif(shutil.which("git") is None or os.name == "nt", reason="there is no git or no sh here")


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(repository: RepositoryCopy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepositoryCopy:
    """The repository under git with a remote."""
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
    return repository


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return GitHub(tools)


@needs_git
@pytest.mark.parametrize("state", ["open", "closed", "merged"])
def test_a_changed_page_is_proposed_once(
    repository: RepositoryCopy, github: GitHub, tmp_path: Path, state: str
) -> None:
    assert "taken" == take(repository, WIDER)
    assert "Opened a pull request" in propose(repository.root)
    (branch,) = git(tmp_path / "origin.git", "branch", "--list", "page-*", "--format", "%(refname:short)").split()
    assert "maximum: 20" in git(tmp_path / "origin.git", "show", f"{branch}:openapi/seedreamv45.yaml")
    proposed = {"kind": "pr", "title": "Take the vendor's changed page", "head": branch, "state": "open"}
    assert [proposed] == github.made
    github.set_state(state)
    assert "exists already" in propose(repository.root)
    git(tmp_path / "origin.git", "branch", "-D", branch)  # as it is done after a merge
    assert "exists already" in propose(repository.root)
    assert 1 == len(github.made)


@needs_git
@pytest.mark.parametrize("fresh", [False, True], ids=["the same tree", "main again"])
@pytest.mark.parametrize("fails", ["gh pr list", "gh auth", "git commit", "git push", "gh pr create"])
def test_a_step_that_fails_is_made_up_for_by_the_next_run(
    repository: RepositoryCopy, github: GitHub, tmp_path: Path, fails: str, fresh: bool
) -> None:
    take(repository, WIDER)
    hook = repository.root / ".git" / "hooks" / ("pre-commit" if fails == "git commit" else "pre-push")
    if fails.startswith("git"):
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
    github.write(fails=fails.removeprefix("gh "))
    with pytest.raises(subprocess.CalledProcessError):
        propose(repository.root)
    assert [] == github.made
    hook.unlink(missing_ok=True)
    github.write(fails="no command")
    if fresh:
        git(repository.root, "switch", "-qf", "main")
        assert "taken" == take(repository, WIDER)
    assert "Opened a pull request" in propose(repository.root)
    (made,) = github.made
    shown = git(tmp_path / "origin.git", "show", f"{made['head']}:openapi/seedreamv45.yaml")
    assert "maximum: 20" in shown
    assert "2" == git(tmp_path / "origin.git", "rev-list", "--count", made["head"]).strip()


@needs_git
@pytest.mark.parametrize("state", ["open", "closed"])
def test_what_needs_a_hand_becomes_one_issue(
    repository: RepositoryCopy, github: GitHub, tmp_path: Path, state: str
) -> None:
    assert "needs a hand" == take(repository, REWORDED)
    assert "Opened an issue" in propose(repository.root)
    (made,) = github.made
    assert made["title"].startswith("The vendor's page changed and needs a hand (page-")
    github.set_state(state)
    assert "exists already" in propose(repository.root)
    assert [{**made, "state": state}] == github.made
    assert "" == git(tmp_path / "origin.git", "branch", "--list")
    assert "needs a hand" == take(repository, replaced(("总像素范围：[3,686,400, 16,777,216]", "像素总数须合适")))
    assert "Opened an issue" in propose(repository.root), "another page"


@needs_git
@pytest.mark.parametrize("page", [WIDER, REWORDED], ids=["pull request", "issue"])
@pytest.mark.parametrize("lines", [0, 3_000, 60_000])
def test_a_report_of_any_length_is_proposed(
    repository: RepositoryCopy, github: GitHub, page: bytes, lines: int
) -> None:
    """GitHub refuses a text of more than 65,536 characters; what is cut off is said."""
    take(repository, page)
    report = repository.root / REPORT
    text = report.read_text("utf-8") + "- 新的一行 changed\n" * lines
    report.write_text(text, "utf-8")
    assert "Opened" in propose(repository.root)
    (body,) = github.read()["bodies"]
    whole = len(text) <= 60_000
    assert whole == (body == text)
    kept = body if whole else body.partition("\nThe report is longer than this text may be: `make page-watch`")[0]
    assert (True, True) == (text.startswith(kept), len(kept) >= min(len(text), 59_000))


def test_an_unchanged_page_proposes_nothing(repository: RepositoryCopy) -> None:
    take(repository, PAGE)
    assert "nothing to propose" in propose(repository.root, lambda command: pytest.fail(str(command)))
