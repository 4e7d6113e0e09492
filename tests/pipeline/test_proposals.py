"""What the scheduled workflow records and asks of git and gh, and what a fetch asks, keeps and says: all of it."""

# ruff: noqa: E501 -- tables read best with one case a line

import hashlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from pipeline import fetch as fetching
from pipeline import watch as watching
from pipeline.errors import BrokenInputs, FetchFailed
from pipeline.fetch import Fetched, fetch, is_address
from pipeline.report import Report
from pipeline.watch import propose, watch

PAGE = b"# page\n"
DIGEST = hashlib.sha256(PAGE).hexdigest()
BRANCH = f"page-{DIGEST[:12]}"


@pytest.mark.parametrize(
    ("known", "states", "result", "runs"),
    [
        (DIGEST, [], "unchanged", []), ("0", ["unchanged"], "unchanged", [False]), ("0", ["absorbed"], "taken", [False]), ("0", ["decision", "accepted"], "accepted", [False, True]), ("0", ["decision", "decision"], "needs a hand", [False, True]), ("0", ["accepted"], "taken", [False]),
    ],
)  # fmt: skip
def test_what_came_of_a_page_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str, states: list[Any], result: str, runs: list[bool]
) -> None:
    page, calls = tmp_path / "page.md", list[bool]()
    page.write_bytes(PAGE)

    def take(root: Path, spec: Path, *, accept: bool = False) -> Report:
        assert (root, spec) == (tmp_path, page)
        calls.append(accept)
        return Report(states[len(calls) - 1])

    monkeypatch.setattr(watching, "generate", take)
    monkeypatch.setattr(watching, "read_origin", lambda root: watching_origin(root, known))
    for _ in range(2):
        calls.clear()
        assert watch(tmp_path, lambda root: Fetched(root / "page.md", "https://x", changed=True)) == result
        assert (calls, json.loads((tmp_path / "build/page-watch.json").read_text())) == (
            runs,
            {"result": result, "sha256": DIGEST},
        )


def watching_origin(root: Path, digest: str) -> Any:
    from pipeline.inputs import Origin  # noqa: PLC0415 -- one use

    assert root.is_dir()
    return Origin(page_sha256=digest)


class Tools:
    """Stands for git and gh: records each command, and answers by its first words."""

    def __init__(self, **answers: str) -> None:
        self.answers = {name.replace("_", " "): text for name, text in answers.items()}
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, command: Sequence[str]) -> str:
        self.commands.append(tuple(command))
        return next(
            (text for words, text in self.answers.items() if " ".join(command).startswith(words)),
            "[]" if "list" in command else "",
        )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "build").mkdir()
    (tmp_path / "build/spec-report.md").write_text("# Spec update\n", "utf-8")
    return tmp_path


def came(root: Path, result: str) -> None:
    (root / "build/page-watch.json").write_text(json.dumps({"result": result, "sha256": DIGEST}))


ISSUE = f"The vendor's page changed and needs a hand ({BRANCH})"
LISTED = ("gh", "issue", "list", "--state", "all", "--search", f"{BRANCH} in:title", "--json", "title")
PR = ("gh", "pr", "list", "--state", "all", "--head", BRANCH, "--json", "title")
PATHS = ("openapi", "generated", "README.md", "README.zh-CN.md")
BODY = ("--body-file", "build/page-watch.md")
AUTHOR = ("-c", "user.name=page-watch", "-c", "user.email=page-watch@users.noreply.github.com")
REMOTE, SWITCH, STATUS = (
    ("git", "ls-remote", "--heads", "origin", BRANCH),
    ("git", "switch", "--force-create", BRANCH),
    ("git", "status", "--porcelain", "--", *PATHS),
)
AUTH, PUSH = ("gh", "auth", "setup-git"), ("git", "push", "origin", BRANCH)


def opened(title: str) -> tuple[str, ...]:
    return ("gh", "pr", "create", "--title", title, *BODY, "--head", BRANCH)


TAKEN, DECIDED = "Take the vendor's changed page", "Take the vendor's changed page, with decisions"
NEW = f"Opened a pull request from the branch {BRANCH}."


@pytest.mark.parametrize(
    ("result", "answers", "said", "commands"),
    [
        ("unchanged", {}, "The page is unchanged; nothing to propose.", []), ("needs a hand", {}, f"Opened an issue about {BRANCH}.", [LISTED, ("gh", "issue", "create", "--title", ISSUE, *BODY)]), ("needs a hand", {"gh_issue_list": '[{"title": "x"}]'}, f"An issue about {BRANCH} exists already.", [LISTED]),
        ("taken", {"gh_pr_list": '[{"title": "x"}]'}, f"A pull request from the branch {BRANCH} exists already.", [PR]), ("taken", {"git_ls-remote": "0 refs\n"}, NEW, [PR, AUTH, REMOTE, opened(TAKEN)]), ("taken", {"git_ls-remote": " \n"}, NEW, [PR, AUTH, REMOTE, SWITCH, STATUS, PUSH, opened(TAKEN)]),
        ("accepted", {"git_status": " M x\n"}, NEW, [PR, AUTH, REMOTE, SWITCH, STATUS, ("git", "add", "--", *PATHS), ("git", *AUTHOR, "commit", "--message", DECIDED), PUSH, opened(DECIDED)]), ("taken", {"git_status": "?? x\n"}, NEW, [PR, AUTH, REMOTE, SWITCH, STATUS, ("git", "add", "--", *PATHS), ("git", *AUTHOR, "commit", "--message", TAKEN), PUSH, opened(TAKEN)]),
    ],
)  # fmt: skip
def test_what_git_and_gh_are_asked(
    root: Path, result: str, answers: dict[str, str], said: str, commands: list[tuple[str, ...]]
) -> None:
    came(root, result)
    tools = Tools(**answers)
    assert (propose(root, tools), tools.commands) == (said, commands)
    body = root / "build/page-watch.md"
    assert body.exists() == any(BODY[1] in command for command in commands)
    assert not body.exists() or body.read_text("utf-8") == "# Spec update\n"


END = "\n\nThe report is longer than this text may be: `make page-watch` writes all of it.\n"


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("é" * 60_000, "é" * 60_000),
        ("ab\n" * 20_001, ("ab\n" * 20_000)[:-1] + END),
        ("ab\n" * 19_999 + "cdef\ngh", "ab\n" * 19_998 + "ab" + END),
    ],
)
def test_a_long_report_loses_its_last_lines(root: Path, text: str, body: str) -> None:
    (root / "build/spec-report.md").write_text(text, "utf-8")
    assert watching._body(root) == BODY[1]
    assert (root / BODY[1]).read_text("utf-8") == body


def test_commands_run_in_the_repository_and_fail_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    python = sys.executable
    assert (
        watching._run(tmp_path, [python, "-c", "import os, sys; print(os.getcwd()); sys.stderr.write('seen')"])
        == f"{tmp_path}\n"
    )
    assert capfd.readouterr() == ("", "seen")
    with pytest.raises(subprocess.CalledProcessError):
        watching._run(tmp_path, [python, "-c", "raise SystemExit(1)"])
    (tmp_path / "build").mkdir()
    came(tmp_path, "needs a hand")
    asked: list[Any] = []

    def run(*given: Any) -> str:
        asked.append(given)
        return '[{"title": "x"}]'

    monkeypatch.setattr(watching, "_run", run)
    assert propose(tmp_path) == f"An issue about {BRANCH} exists already."
    assert asked == [(tmp_path, LISTED)]


# --- the fetch

ADDRESS = "https://docs.example/zh/page.md"
Answer = Callable[[httpx.Request], httpx.Response]


def get(root: Path, answer: Answer, address: str = ADDRESS) -> Fetched:
    return fetch(
        root, address, lambda: httpx.AsyncClient(transport=httpx.MockTransport(answer), follow_redirects=False)
    )


def replying(content: bytes = PAGE, status: int = 200, **headers: str) -> Answer:
    return lambda _: httpx.Response(
        status, content=content, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def record(root: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((root / "build/fetched/last.json").read_text("utf-8"))
    return found


def test_a_fetch_is_recorded_and_asks_for_what_is_new(tmp_path: Path) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) == 4:
            return httpx.Response(304)
        return httpx.Response(
            200,
            content=PAGE if len(asked) < 3 else b"# new\n",
            headers={"ETag": '"1"', "Last-Modified": "then"} if len(asked) > 1 else {},
        )

    ends = [get(tmp_path, answer) for _ in range(4)]
    assert ends == [
        Fetched(tmp_path / "build/fetched/page.md", ADDRESS, changed) for changed in (True, False, True, False)
    ]
    expected = {"accept": "text/markdown, text/plain, */*;q=0.5", "accept-encoding": "identity"}
    assert [{name: request.headers[name] for name in expected} for request in asked] == [expected] * 4
    assert [
        (request.method, request.headers.get("if-none-match"), request.headers.get("if-modified-since"))
        for request in asked
    ] == [("GET", None, None)] * 2 + [("GET", '"1"', "then")] * 2
    assert record(tmp_path) == {
        "address": ADDRESS,
        "name": "page.md",
        "etag": '"1"',
        "modified": "then",
        "sha256": hashlib.sha256(b"# new\n").hexdigest(),
    }
    assert sorted(path.name for path in (tmp_path / "build/fetched").iterdir()) == ["last.json", "page.md"]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://x/a/b.md", "b.md"), ("https://x/%E4%B8%AD%20a.md", "a.md"), ("https://x/", "page.md"), ("https://x", "page.md"), ("https://x/..", "page.md"), ("https://x/a%2F..%2Fb.md", "a-..-b.md"), ("https://x/a.md?b=c.md", "a.md"), ("HTTPS://x/-.a_B-1..", "a_B-1"),
    ],
)  # fmt: skip
def test_the_copy_has_a_plain_name(tmp_path: Path, address: str, name: str) -> None:
    assert get(tmp_path, replying(), address).path == tmp_path / "build/fetched" / name


@pytest.mark.parametrize("damage", ["not json", "[]", "{}", '{"name": "page.md"}'])
def test_a_record_that_is_not_whole_is_not_used(tmp_path: Path, damage: str) -> None:
    get(tmp_path, replying(ETag="1"))
    (tmp_path / "build/fetched/last.json").write_text(damage)

    def answer(request: httpx.Request) -> httpx.Response:
        assert "if-none-match" not in request.headers
        return httpx.Response(200, content=PAGE)

    assert get(tmp_path, answer).changed
    (tmp_path / "build/fetched/page.md").unlink()
    with pytest.raises(FetchFailed, match="answers HTTP 304"):
        get(tmp_path, replying(status=304))


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("cut off", request=request)


def many(count: int) -> Answer:
    """Answer with so many redirects, and then with the page."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return (
            httpx.Response(307, headers={"location": f"next{len(seen)}"})
            if len(seen) <= count
            else httpx.Response(200, content=PAGE)
        )

    return answer


def in_pieces(size: int) -> Answer:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(size // 1_000_000):
            yield b"x" * 1_000_000
        yield b"x" * (size % 1_000_000)

    return lambda _: httpx.Response(200, content=body())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refuse, f"{ADDRESS} cannot be fetched: ReadError: cut off."), *[(replying(status=status), f"{ADDRESS} answers HTTP {status}. The last copy, if any, is kept in build/fetched/.") for status in (201, 204, 206, 300, 304, 404, 500)],
        *[(replying(content), f"{ADDRESS} gives an HTML page or nothing, not the Markdown page: its address ends in .md.") for content in (b"", b" \n", b"\n <html>")], (in_pieces(5_000_001), f"{ADDRESS} gives more than 5,000,000 bytes, which no page has."), (many(6), f"{ADDRESS.rpartition('/')[0]}/next6: more than 5 redirects."),
        *[(replying(status=302, location=target), f"{target} is not a plain https address.") for target in ("http://x/a", "https://user@x/a", "https://:p@x/a", "file:///a")],
    ],
)  # fmt: skip
def test_why_a_page_was_not_fetched_is_said(tmp_path: Path, answer: Answer, said: str) -> None:
    with pytest.raises(FetchFailed) as caught:
        get(tmp_path, answer)
    assert (str(caught.value), caught.value.__cause__, (tmp_path / "build").exists()) == (said, None, False)


def test_as_much_is_fetched_as_a_page_may_have(tmp_path: Path) -> None:
    found = get(tmp_path, many(5))
    assert (found.address, found.path.name) == ("https://docs.example/zh/next5", "next5")
    assert len(get(tmp_path, in_pieces(5_000_000)).path.read_bytes()) == 5_000_000
    assert record(tmp_path)["address"] == ADDRESS
    assert (
        get(
            tmp_path,
            lambda request: (
                httpx.Response(308, headers={"location": "https://other.example/x.md"})
                if request.url.host == "docs.example"
                else httpx.Response(200, content=PAGE)
            ),
        ).address
        == "https://other.example/x.md"
    )


def test_without_an_address_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(BrokenInputs) as caught:
        fetch(tmp_path)
    assert (
        str(caught.value) == "openapi/SOURCE.toml holds no address of the page. Give it: make generate SPEC=https://..."
    )
    assert [
        is_address(text)
        for text in ("https://x", "HTTP://x", "a+b-1.c://", "x/y", "/x", "c:\\x", "1a://x", "", "a b://x")
    ] == [True, True, True, False, False, False, False, False, False]


def test_the_client_stops_waiting_and_follows_nothing_by_itself() -> None:
    client = fetching._make_client()
    assert (client.timeout, client.follow_redirects, fetching.TIME_LIMIT) == (httpx.Timeout(20.0), False, 60.0)


def test_a_copy_is_replaced_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    get(tmp_path, replying(b"old"))
    real = Path.write_bytes

    def broken(self: Path, data: bytes) -> int:
        real(self, data[:2])
        raise OSError("full")

    monkeypatch.setattr(Path, "write_bytes", broken)
    with pytest.raises(OSError, match="full"):
        get(tmp_path, replying(b"newer"))
    assert (tmp_path / "build/fetched/page.md").read_bytes() == b"old"
    assert (tmp_path / "build/fetched/.page.md.part").read_bytes() == b"ne"
