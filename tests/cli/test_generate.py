"""`generate`, `wait` and `task`: paths on stdout, the rest on stderr, the task's id at once, nothing lost."""

from pathlib import Path
from typing import Any

import pytest
from seedream.cli.exit_codes import DOWNLOAD, FAILED, UNFINISHED
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
    files = [{"path": f"out/{TASK}-{number}.png", "bytes": len(png())} for number in (1, 2)]
    assert {"taskid": TASK, "images": 2, "files": files, "sandbox": False} == ran.document
    assert f"Task {TASK} accepted" in ran.err


def test_a_failed_task_tells_the_vendors_reason(cli: Any, service: SingleTaskServer) -> None:
    service.then({"image_status": 4, "error_message": "no \x1b[31mpaint"})
    ran = cli("generate", "x", "--base-url", service.url)
    assert (FAILED.code, "") == (ran.code, ran.out)
    assert "no  [31mpaint" in ran.err
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


def test_missing_pictures_are_told_and_the_others_kept(cli: Any, service: SingleTaskServer, tmp_path: Path) -> None:
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
