"""``seedream sandbox``: options for a network, the ledger file, the list of faults, the log of requests."""

import json
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from sandbox.sandbox_client import SUBMIT
from seedream_sandbox import KINDS

COMMAND = [sys.executable, "-m", "seedream", "sandbox"]


@contextmanager
def serving(*words: str, before: tuple[str, ...] = ()) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A sandbox in a process of its own, and what it says about itself; ``before`` goes before the command."""
    command = [*before, *COMMAND, "--port", "0", "--json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            text = ""
            while not text.rstrip().endswith("}"):
                line = process.stdout.readline()
                assert line, process.stderr and process.stderr.read()
                text += line
            yield process, json.loads(text)
        finally:
            process.kill()


def ended(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=60, check=False)


def submit(about: dict[str, str], key: str, **options: Any) -> int:
    form = {"prompt": (None, "a\nb")}
    reply = httpx.post(
        about["base_url"] + SUBMIT, files=form, headers={"Authorization": key}, trust_env=False, **options
    )
    return int(reply.json().get("code", 0))


@pytest.mark.parametrize("name", ["folder", "file/below"])
def test_a_ledger_path_that_cannot_be_written_is_exit_4(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    ran = ended("--port", "0", "--ledger", str(tmp_path / name))
    assert (4, "") == (ran.returncode, ran.stdout)
    assert "--ledger" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_each_key_has_its_credits() -> None:
    with serving("--key", "one", "--key", "two", "--credits", "1") as (_, about):
        assert [1000, 9000, 1000, 9999] == [submit(about, key) for key in ("one", "one", "two", "three")]
        assert "one" == about["api_key"]


def test_the_log_has_a_line_for_each_request() -> None:
    with serving("--credits", "1") as (process, about):
        codes = [submit(about, "k"), submit(about, "k")]
        process.terminate()
        _, err = process.communicate(timeout=30)
    assert [1000, 9000] == codes
    lines = [line for line in err.splitlines() if SUBMIT.rpartition("/")[2] in line and "POST" in line]
    assert [True, True] == [f"200 {code}" in line for code, line in zip(codes, lines, strict=True)]
    with serving("--no-log") as (process, about):
        submit(about, "k")
        process.terminate()
        assert "POST" not in process.communicate(timeout=30)[1]


def test_addresses_as_clients_reach_them() -> None:
    with serving("--public-url", "http://sandbox.example:1", "--images-port", "0") as (_, about):
        assert "http://sandbox.example:1" == about["base_url"]
        assert re.fullmatch("http://sandbox.example:[0-9]+", about["images_url"])


def test_https(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    with serving("--tls-cert", str(tmp_path / "both.pem")) as (_, about):
        import ssl  # noqa: PLC0415 -- beside its only use

        assert about["base_url"].startswith("https://")
        assert 1000 == submit(about, "k", verify=ssl.create_default_context(cafile=tmp_path / "ca.pem"))
    for wrong in ("none.pem", "ca.pem"):
        ran = ended("--port", "0", "--tls-cert", str(tmp_path / wrong))
        assert (4, True) == (ran.returncode, "--tls-cert" in ran.stderr), ran.stderr


def test_the_list_of_faults_shows_their_options() -> None:
    ran = ended("--list-faults")
    assert 0 == ran.returncode
    for kind, line in zip(KINDS.values(), ran.stdout.splitlines(), strict=True):
        assert line.startswith(kind.usage + "  ")
        assert all(f"{option}=" in line for option in kind.options)


@pytest.mark.parametrize("words", [("--key", ""), ("--key", "a b"), ("--inspector", "all")])
def test_a_wrong_value_is_a_usage_error(words: tuple[str, ...]) -> None:
    ran = ended("--port", "0", *words)
    assert (2, "") == (ran.returncode, ran.stdout)
    assert "Traceback" not in ran.stderr


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit, which sets the number of open files, is not here")
def test_too_many_connections_are_waited_out_without_an_error() -> None:
    with serving("--no-log", before=("prlimit", "--nofile=60")) as (process, about):
        port = int(about["base_url"].rpartition(":")[2])
        peers = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(150)]
        threading.Event().wait(0.5)  # long enough to run out of file descriptors a few times
        for peer in peers:
            peer.close()
        assert 1000 == submit(about, "k")
        process.terminate()
        _, err = process.communicate(timeout=30)
    assert "Traceback" not in err
    assert "system resource" not in err
