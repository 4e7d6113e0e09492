"""Takes the vendor's page by schedule, and proposes what came of it as a pull request or an issue."""

import hashlib
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

from .errors import DONE
from .fetch import Fetched, fetch
from .generate import REPORT, generate
from .inputs import read_origin

RESULT: Final = "build/page-watch.json"
Result = Literal["unchanged", "taken", "accepted", "needs a hand"]
Run = Callable[[Sequence[str]], str]
_BODY: Final = "build/page-watch.md"
_MOST: Final = 60_000  # characters; GitHub takes 65,536 in the text of an issue or a pull request
_AUTHOR: Final = ("-c", "user.name=page-watch", "-c", "user.email=page-watch@users.noreply.github.com")
_PATHS: Final = ("openapi", "generated", "README.md", "README.zh-CN.md")


def watch(root: Path, fetch_page: Callable[[Path], Fetched] = fetch) -> Result:
    """Fetch the page and take it; what a person must decide is accepted on a branch, where the person reviews it.

    Raises:
        PipelineError: The page cannot be fetched or read, or an input is wrong.
    """
    page = fetch_page(root).path
    digest = hashlib.sha256(page.read_bytes()).hexdigest()
    result: Result
    if digest == read_origin(root).page_sha256:
        result = "unchanged"
    else:
        report = generate(root, page)
        if report.code == DONE:
            result = "unchanged" if report.state == "unchanged" else "taken"
        else:
            result = "accepted" if generate(root, page, accept=True).code == DONE else "needs a hand"
    (root / RESULT).parent.mkdir(exist_ok=True)
    (root / RESULT).write_text(json.dumps({"result": result, "sha256": digest}), "utf-8")
    return result


def propose(root: Path, run: Run | None = None) -> str:
    """Open a pull request with what ``watch`` changed, or an issue where it could not go on; once for each page.

    Returns:
        What was done, in a sentence.

    Raises:
        subprocess.CalledProcessError: git or gh failed.
    """
    run = run or (lambda command: _run(root, command))
    known = json.loads((root / RESULT).read_text("utf-8"))
    result, name = known["result"], f"page-{known['sha256'][:12]}"
    if result == "unchanged":
        return "The page is unchanged; nothing to propose."
    if result == "needs a hand":
        if json.loads(
            run(("gh", "issue", "list", "--state", "all", "--search", f"{name} in:title", "--json", "title"))
        ):
            return f"An issue about {name} exists already."
        title = f"The vendor's page changed and needs a hand ({name})"
        run(("gh", "issue", "create", "--title", title, "--body-file", _body(root)))
        return f"Opened an issue about {name}."
    if json.loads(run(("gh", "pr", "list", "--state", "all", "--head", name, "--json", "title"))):
        return f"A pull request from the branch {name} exists already."
    title = "Take the vendor's changed page" if result == "taken" else "Take the vendor's changed page, with decisions"
    run(("gh", "auth", "setup-git"))
    # An earlier run may have ended after any of these steps.
    if not run(("git", "ls-remote", "--heads", "origin", name)).strip():
        run(("git", "switch", "--force-create", name))
        if run(("git", "status", "--porcelain", "--", *_PATHS)).strip():
            run(("git", "add", "--", *_PATHS))
            run(("git", *_AUTHOR, "commit", "--message", title))
        run(("git", "push", "origin", name))
    run(("gh", "pr", "create", "--title", title, "--body-file", _body(root), "--head", name))
    return f"Opened a pull request from the branch {name}."


def _body(root: Path) -> str:
    """Write the report as the text of an issue or a pull request; gives the file. A long report loses its end."""
    report = (root / REPORT).read_text("utf-8")
    if len(report) > _MOST:
        kept = report[:_MOST].rpartition("\n")[0]
        report = f"{kept}\n\nThe report is longer than this text may be: `make page-watch` writes all of it.\n"
    (root / _BODY).write_text(report, "utf-8")
    return _BODY


def _run(root: Path, command: Sequence[str]) -> str:
    return subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout
