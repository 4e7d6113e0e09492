"""`seedream sandbox` runs the stand-in until Ctrl-C, and says how to use it; `--sandbox` starts and stops one."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pytest
from PIL import Image
from seedream.cli.sandbox import sandbox


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """A sandbox of its own, and what it said about itself."""
    command = [sys.executable, "-m", "seedream.cli", "sandbox", "--port", "0", "--json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            text = ""
            for line in process.stdout:
                text += line
                if line.startswith("}"):
                    break
            yield process, json.loads(text)
        finally:
            process.kill()


@pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent as POSIX does it")
def test_it_serves_until_ctrl_c_and_tells_what_was_charged(cli: Any, tmp_path: Path) -> None:
    with serving("--credits", "5", "--progress", "instant", "--pictures", "plain") as (process, about):
        at = {"TENSORSLAB_BASE_URL": about["base_url"], "TENSORSLAB_API_KEY": about["api_key"]}
        made = cli("generate", "x", "-n", "3", "-r", "2560x1440", "-o", "out", **at)
        assert (0, 3) == (made.code, len(made.out.splitlines())), made.err
        refused = cli("generate", "x", "-n", "3", "-o", "out", **at)
        assert 5 == refused.code, "five credits do not pay for six images"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert 0 == process.returncode
    assert f"TENSORSLAB_BASE_URL={about['base_url']}" in err
    assert err.endswith("Stopped. Images charged: 3; credits left: 2.\n")
    with Image.open(tmp_path / made.out.splitlines()[0]) as picture:
        assert (2560, 1440) == picture.size


def test_its_faults_reach_the_client(cli: Any) -> None:
    with serving("--fault", "status-500 nth=1") as (_, about):
        at = {"TENSORSLAB_BASE_URL": about["base_url"], "TENSORSLAB_API_KEY": about["api_key"]}
        assert 6 == cli("generate", "x", **at).code


def test_a_port_in_use_and_a_bad_fault_are_reported(cli: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = cli("sandbox", "--port", str(taken.getsockname()[1]))
    assert 4 == ran.code
    assert "--port" in ran.err
    assert 2 == cli("sandbox", "--fault", "no-such-fault").code
    assert 2 == cli("sandbox", "--plan", str(tmp_path / "none.yaml")).code
    (tmp_path / "plan.yaml").write_text("faults:\n  - cut-reply nth=nonsense\n")
    assert "entry 1" in cli("sandbox", "--plan", str(tmp_path / "plan.yaml")).err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--tls-cert", "none", "--tls-key", "text"], "“none”: No such file or directory."),
        (["--tls-cert", "text", "--tls-key", "none"], "“none”: No such file or directory."),
        (["--tls-cert", "folder"], "“folder”: Is a directory."),
        (["--tls-cert", "text"], "“text”: "),
        (["--ledger", "folder"], "“folder”: Is a directory."),
    ],
)
def test_a_file_that_cannot_be_used_is_named(cli: Any, tmp_path: Path, words: list[str], named: str) -> None:
    (tmp_path / "text").write_text("not a certificate", "utf-8")
    (tmp_path / "folder").mkdir()
    ran = cli("sandbox", "--port", "0", *words)
    assert (ran.code, f"cannot use the file {named}" in ran.err) == (4, True), ran.err


def test_a_latency_moves_tasks_on_by_time(cli: Any) -> None:
    """The other spellings work too: --fail, --faults."""
    with serving("--latency", "86400", "--fail", "status-500 nth=2") as (_, about):
        at = {"TENSORSLAB_BASE_URL": about["base_url"], "TENSORSLAB_API_KEY": about["api_key"]}
        made = cli("generate", "x", "--timeout", "2", **at)
        assert 7 == made.code, "a day is not over yet, however often it is asked"
        assert 6 == cli("generate", "x", **at).code


def test_the_faults_are_listed(cli: Any) -> None:
    ran = cli("sandbox", "--list-faults")
    assert 0 == ran.code
    assert len(ran.out.splitlines()) == len(cli("sandbox", "--list-faults", "--json").document["faults"]) > 20


def test_an_address_that_others_can_reach_is_warned_about_in_a_line() -> None:
    with serving("--host", "0.0.0.0") as (process, _):  # noqa: S104 -- what is warned about
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Warning: the sandbox is bound to 0.0.0.0")


NOT_GIVEN = sandbox.make_context("sandbox", []).params
NUMBERS = [
    option for option in sandbox.params
    if NOT_GIVEN.get(str(option.name), 0) is None and isinstance(option.type, click.types._NumberParamTypeBase)
]  # fmt: skip


@pytest.mark.parametrize("option", NUMBERS, ids=lambda option: option.name)
def test_a_zero_that_is_given_is_not_taken_for_nothing(
    cli: Any, monkeypatch: pytest.MonkeyPatch, option: click.Option
) -> None:
    # --seed 0 decides ids and pictures like any other number; --latency 0 is no time, and not "by queries".
    given: list[object] = []

    def note(**settings: object) -> None:
        given.append(settings[str(option.name)])
        raise ValueError("noted")

    monkeypatch.setattr("seedream_sandbox.Sandbox", note)
    for words in ([], [option.opts[0], "0"], [option.opts[0], "0"]):
        assert cli("sandbox", *words).code == 2
    assert given[1:] == [0, 0]
    assert given[0] != 0


def test_the_options_that_a_zero_is_asked_of_are_found() -> None:
    assert {"seed", "latency"} <= {option.name for option in NUMBERS}


def test_generate_in_a_sandbox_of_its_own_needs_no_key(cli: Any, tmp_path: Path) -> None:
    ran = cli("generate", "x", "-r", "3750x1250", "--sandbox", "--json", TENSORSLAB_API_KEY=None)
    assert (0, True) == (ran.code, ran.document["sandbox"]), ran.err
    with Image.open(tmp_path / ran.document["files"][0]["path"]) as picture:
        assert (3750, 1250) == picture.size
    assert "seedream wait" not in ran.err, "the sandbox is gone, so nobody can wait for its task"


def test_a_second_run_does_not_take_the_pictures_of_the_first_for_its_own(cli: Any) -> None:
    runs = [
        cli("generate", "x", "-n", "1", "-r", size, "--sandbox", "-o", "out") for size in ("2560x1440", "1440x2560")
    ]
    assert [0, 0] == [ran.code for ran in runs]
    sizes = []
    for ran in runs:
        with Image.open(ran.out.strip()) as picture:
            sizes.append(picture.size)
    assert [(2560, 1440), (1440, 2560)] == sizes


@pytest.mark.parametrize(
    ("words", "out", "err"),
    [
        ([], ["how to use it"], ["a request"]), (["--no-log"], ["how to use it"], []),
        (["--json"], None, ["how to use it", "a request"]), (["--json", "--no-log"], None, ["how to use it"]),
    ],
)  # fmt: skip
def test_results_are_on_stdout_and_what_is_logged_is_not(
    cli: Any, monkeypatch: pytest.MonkeyPatch, words: list[str], out: list[str] | None, err: list[str]
) -> None:
    def run_server(stand_in: Any, say: Any, *, log: Any) -> None:
        say("how to use it")
        if log is not None:
            log("a request")
        stand_in.stop()

    monkeypatch.setattr("seedream_sandbox.run_server", run_server)
    ran = cli("sandbox", "--port", "0", *words)
    assert (ran.code, ran.err.splitlines()) == (0, err)
    if out is None:
        assert ran.document.keys() == {"base_url", "images_url", "api_key"}
    else:
        assert ran.out.splitlines() == out
