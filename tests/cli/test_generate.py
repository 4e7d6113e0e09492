"""`generate`, `wait` and `task`: paths on stdout, the rest on stderr, the task's id at once, nothing lost."""

import json
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from seedream import SeeDream, Task, Timeouts
from seedream.cli import generate
from seedream.cli.app import app
from seedream.cli.exit_codes import DOWNLOAD, FAILED, UNFINISHED
from support.pictures import picture
from support.single_task_server import TASK, SingleTaskServer, png


@pytest.fixture
def service() -> Any:
    with SingleTaskServer({"image_status": 1}, {"image_status": 2}) as server:
        yield server


def test_paths_go_to_stdout_and_the_task_id_to_stderr(cli: Any, service: SingleTaskServer, tmp_path: Path) -> None:
    service.then(service.done())
    ran = cli("generate", "x", "-n", "1", "-o", "out", "--base-url", service.url)
    assert (0, f"out/{TASK}-1.png\n") == (ran.code, ran.out)
    assert png() == (tmp_path / "out" / f"{TASK}-1.png").read_bytes()
    first, last = ran.err.splitlines()  # quiet: no progress where nobody watches
    assert f"Task {TASK} accepted. If this stops: seedream wait {TASK} -o out --base-url {service.url}" == first
    assert "1 picture saved, cost 1 image." == last
    assert 1 == service.paths().count("seedreamv45")


def test_json_is_one_document_with_the_files(cli: Any, service: SingleTaskServer) -> None:
    service._there = 2
    service.then(service.done(2))
    ran = cli("generate", "x", "-n", "2", "-o", "out", "--base-url", service.url, "--json")
    shape = {"bytes": len(png()), "media_type": "image/png", "width": 4, "height": 3}
    files = [{"path": f"out/{TASK}-{number}.png", **shape} for number in (1, 2)]
    assert {"taskid": TASK, "images": 2, "files": files, "sandbox": False} == ran.document
    assert f"Task {TASK} accepted" in ran.err


@pytest.mark.parametrize("width", [65000, 20000])
def test_pictures_that_pillow_does_not_open_are_saved_and_their_paths_printed(
    cli: Any, service: SingleTaskServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    # They are paid for: that their size is not known ends no run.
    content = picture("JPEG")
    at = content.index(b"\xff\xc0") + 5
    content = content[:at] + width.to_bytes(2) * 2 + content[at + 4 :]
    monkeypatch.setattr("support.single_task_server.png", lambda: content)
    service.then(service.done())
    ran = cli("generate", "x", "-n", "1", "-o", "out", "--base-url", service.url, "--json")
    assert (ran.code, ran.document["files"]) == (0, [
        {"path": f"out/{TASK}-1.jpg", "bytes": len(content), "media_type": "image/jpeg", "width": None, "height": None}
    ]), ran.err  # fmt: skip
    assert (tmp_path / "out" / f"{TASK}-1.jpg").read_bytes() == content


def test_a_picture_that_is_moved_away_at_once_was_saved(
    cli: Any, service: SingleTaskServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(self: Task, *_: Any, **__: Any) -> list[Path]:
        return [tmp_path / f"{self.id}-1.png"]

    monkeypatch.setattr(Task, "save", save)
    ran = cli("generate", "x", "-n", "1", "-o", "out", "--base-url", service.url, "--json")
    unknown = {"bytes": None, "media_type": None, "width": None, "height": None}
    assert (ran.code, ran.document["files"]) == (0, [{"path": str(tmp_path / f"{TASK}-1.png"), **unknown}]), ran.err


def test_a_failed_task_tells_the_vendors_reason(cli: Any, service: SingleTaskServer) -> None:
    service.then({"image_status": 4, "error_message": "no \x1b[31mpaint"})
    ran = cli("generate", "x", "--base-url", service.url)
    assert (FAILED.code, "") == (ran.code, ran.out)
    assert "no [removed]; the whole text is in error.reply" in ran.err
    assert "\x1b" not in ran.err
    assert "STATUS-MEANING" in ran.err
    assert f"task   {TASK}" in ran.err


def test_after_the_deadline_the_task_is_not_lost(cli: Any, service: SingleTaskServer) -> None:
    ran = cli("generate", "x", "-n", "3", "--timeout", "0", "--base-url", service.url)
    assert UNFINISHED.code == ran.code
    assert f"go on  seedream wait {TASK} -n 3 --base-url {service.url}\n" in ran.err
    service._there = 3
    service.then(service.done(3))
    again = cli("wait", TASK, "-n", "3", "--base-url", service.url)
    assert (0, 3) == (again.code, len(again.out.splitlines()))
    assert 1 == service.paths().count("seedreamv45"), "going on does not pay again"


def test_missing_pictures_are_reported_and_the_others_kept(cli: Any, service: SingleTaskServer, tmp_path: Path) -> None:
    service.then(service.done(2))
    ran = cli("generate", "x", "-n", "2", "--base-url", service.url, "--json")
    error = ran.document["error"]
    assert (DOWNLOAD.code, "ResultExpired") == (ran.code, error["type"])
    assert ([f"{TASK}-1.png"], ["1"]) == (error["files"], list(error["missing"]))
    assert (tmp_path / f"{TASK}-1.png").is_file()
    assert "SECRET" not in ran.out + ran.err
    assert f"saved  {TASK}-1.png" in cli("wait", TASK, "-n", "2", "--base-url", service.url).err


def test_task_shows_the_state_without_signatures(cli: Any, service: SingleTaskServer) -> None:
    assert "state  queued (1)" in cli("task", TASK, "--base-url", service.url).out
    service._states = [{**service.done(), "width": 4, "height": 3, "prompt": "a\tb\x1b[0m"}]
    ran = cli("task", TASK, "--base-url", service.url)
    assert 0 == ran.code
    assert f"picture  {service.url}/1.png?[removed]" in ran.out
    assert "size     4x3" in ran.out
    assert "\x1b" not in ran.out
    document = cli("task", TASK, "--base-url", service.url, "--json").document
    assert ("completed", 3, True) == tuple(document[name] for name in ("state", "status", "finished"))
    assert [f"{service.url}/1.png?[removed]"] == document["urls"]


def test_a_status_that_nobody_documented_is_shown_as_it_is(cli: Any, service: SingleTaskServer) -> None:
    service._states = [{"image_status": 5}]
    assert "unknown (5)" in cli("task", TASK, "--base-url", service.url).out


@pytest.mark.parametrize("command", ["task", "wait"])
def test_a_blank_id_is_refused(cli: Any, command: str) -> None:
    assert 3 == cli(command, " ").code


def test_a_source_image_and_its_fields_arrive(cli: Any, service: SingleTaskServer, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png())
    service.then(service.done())
    assert 0 == cli("generate", "x", "-n", "1", "--image", "cat.png", "-r", "2k", "--base-url", service.url).code
    (sent,) = [request for request in service.requests if b"/seedreamv45" in request]
    assert b'name="sourceImage"; filename="cat.png"\r\nContent-Type: image/png\r\n\r\n' + png() in sent


def test_the_sandbox_is_not_mixed_with_a_service(cli: Any) -> None:
    for more in (["--dry-run"], ["--base-url", "https://x.example"], ["--api-key-file", "key"]):
        assert 2 == cli("generate", "x", "--sandbox", *more).code


def test_a_dash_reads_the_prompt_from_standard_input() -> None:
    def typed(content: bytes) -> Result:
        return CliRunner().invoke(app, ["generate", "-", "--dry-run", "--json"], input=content)

    done = typed("\ufeffa lighthouse,\nat dawn\r\n".encode())
    assert {"name": "prompt", "value": "a lighthouse,\nat dawn"} in json.loads(done.stdout)["request"]["fields"]
    wrong = typed(b"x\xff")
    assert (2, True) == (wrong.exit_code, "not UTF-8 at byte 1" in wrong.output)
    assert 3 == typed(b"\n").exit_code, "an empty prompt is refused"


@pytest.mark.parametrize(
    ("given", "prompt"),
    [
        (b"a fish\n", "a fish"), (b"a fish\r\n", "a fish"), (b"a fish\n\n", "a fish"), (b"  a fish \n", "  a fish "),
        (b"\n\ta\nfish", "\n\ta\nfish"), (b"\xef\xbb\xbfa", "a"), ("灯塔\n".encode(), "灯塔"), (b"-", "-"), (b"", ""),
    ],
)  # fmt: skip
def test_a_prompt_from_standard_input_loses_only_the_line_breaks_at_its_end(
    monkeypatch: pytest.MonkeyPatch, given: bytes, prompt: str
) -> None:
    stdin = SimpleNamespace(isatty=lambda: False, buffer=BytesIO(given))
    monkeypatch.setattr("seedream.cli.generate.sys.stdin", stdin)
    assert generate._read_prompt("-") == prompt


def test_a_dash_in_a_terminal_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seedream.cli.generate.sys.stdin", SimpleNamespace(isatty=lambda: True))
    with pytest.raises(click.UsageError, match="pipe a text"):
        generate._read_prompt("-")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--size", "2K"], "Use -r."),
        (["--num-images", "2"], "Use -n."),
        (["--images", "a.png"], "Use --image."),
        (["--image-url", "x"], "did you mean"),
        (["--seed", "1"], "nothing like seed"),
        (["--set", "size=2K"], "Use resolution."),
        (["--set", "n=2"], "Use batchsize."),
        (["--set", "seed=2"], "nothing like seed"),
    ],
)
def test_names_of_other_clients_get_a_hint(cli: Any, words: list[str], hint: str) -> None:
    ran = cli("generate", "x", *words, "--dry-run")
    assert ran.code in (2, 3)
    assert hint.lower() in ran.err.lower()


def test_a_source_that_is_not_a_picture_is_refused_unless_it_is_allowed(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    refused = cli("generate", "x", "--image", "notes.txt", "--dry-run")
    assert (3, True) == (refused.code, "--allow-unrecognized-sources" in refused.err)
    assert 3 == cli("generate", "x", "--set", "imageUrl=cat.png", "--dry-run").code
    wanted = cli("generate", "x", "--image", "notes.txt", "--allow-unrecognized-sources", "--dry-run")
    assert 0 == wanted.code, wanted.err


@pytest.mark.parametrize("value", ["connect", "connect=", "connect=0", "connect=-1", "connect=inf", "lunch=3"])
def test_a_time_limit_names_a_phase_and_seconds(cli: Any, value: str) -> None:
    assert 2 == cli("generate", "x", "--network-timeout", value, "--dry-run").code


def test_a_time_limit_reaches_the_client(cli: Any, monkeypatch: pytest.MonkeyPatch, service: SingleTaskServer) -> None:
    seen: list[Timeouts] = []
    create = SeeDream.__init__

    def note(self: SeeDream, *words: Any, timeouts: Timeouts | None = None, **named: Any) -> None:
        seen.append(timeouts or Timeouts())
        create(self, *words, timeouts=timeouts, **named)

    monkeypatch.setattr(SeeDream, "__init__", note)
    service.then(service.done())
    cli("generate", "x", "-n", "1", "--base-url", service.url, "--network-timeout", "connect=3")
    cli("wait", "abcd_1", "--base-url", service.url, "--network-timeout", "connect=4")
    assert [3, 4] == [one.connect for one in seen]
