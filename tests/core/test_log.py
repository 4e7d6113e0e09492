"""The package's log: silent by default, without secrets, and enough to see what is sent, repeated and waited for."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from seedream import Progress, RateLimited, RetryPolicy
from support.clients import KEY, Both
from support.fake_service import ACCEPTED, FakeService, completed, task_reply
from support.pictures import picture

URL = "https://images.example/a?X-Signature=MARKER-signature"


def generate(both: Both, service: FakeService, folder: Path, **options: Any) -> Any:
    return both.call(
        lambda client: client.generate("a MARKER-prompt", output_dir=folder, **options), transport=service.transport
    )


def test_each_step_is_logged_without_secrets(both: Both, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    busy = httpx.Response(429, headers={"retry-after": "7"}, text=f"{KEY} {URL}")
    answers = [task_reply(2), completed(URL)]
    service = FakeService(*answers, submissions=[busy, ACCEPTED], pictures={"/a": [httpx.Response(503), picture()]})
    generate(both, service, tmp_path)
    ours = [record for record in caplog.records if record.name.startswith("seedream")]
    assert {"seedream.submit", "seedream.tasks", "seedream.download"} == {record.name for record in ours}
    text = "\n".join(record.getMessage() for record in ours)
    for part in (
        "submitting 1 pictures",
        "HTTP 429",
        "again in 7",
        "accepted: task t1",
        "task t1 is processing",
        f"picture 1 of task t1: {len(picture())} bytes in ",
    ):
        assert part in text
    assert "MARKER" not in caplog.text


def test_a_pause_before_the_next_try_is_reported(both: Both, tmp_path: Path) -> None:
    busy = httpx.Response(429, headers={"retry-after": "7"})
    seen: list[Progress] = []
    service = FakeService(completed(URL), submissions=[busy, ACCEPTED], pictures={"/a": picture()})
    generate(both, service, tmp_path, progress=seen.append)
    assert ("retrying", "rate limited", 7.0) == (seen[0].stage, seen[0].state, seen[0].pause)


def test_a_rate_limit_says_how_long_to_wait(both: Both) -> None:
    service = FakeService(submissions=[httpx.Response(429, headers={"retry-after": "500"})])
    with pytest.raises(RateLimited, match="Wait 500 s, then submit again") as caught:
        both.call(lambda client: client.submit("a"), transport=service.transport, retry=RetryPolicy(attempts=1))
    assert 500.0 == caught.value.retry_after


@pytest.mark.parametrize(("level", "lines"), [("", 0), ("info", 1), ("DEBUG", 2), ("nonsense", 0)])
def test_seedream_log_writes_the_packages_lines_to_standard_error(level: str, lines: int) -> None:
    code = (
        "import logging, seedream; log = logging.getLogger('seedream.submit');"
        "log.info('ours'); log.debug('ours too'); logging.getLogger('httpx').info('theirs')"
    )
    environ = {**os.environ, "SEEDREAM_LOG": level}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert lines == len(ran.stderr.splitlines())
    assert "theirs" not in ran.stderr


def test_the_log_is_silent_without_a_handler() -> None:
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("seedream").handlers)
