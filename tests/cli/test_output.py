"""Real processes: closed pipes, odd terminals and encodings, and where each line goes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.clients import KEY
from support.single_task_server import SingleTaskServer
from tensorslab_images.rules import RULES

SEEDREAM = [sys.executable, "-m", "seedream"]


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return run_into(subprocess.PIPE, *words, **environ)


def run_into(stdout: int, *words: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "SYSTEMROOT", "SEEDREAM_STATE_DIR")
    }
    return subprocess.run(
        [*SEEDREAM, *words], stdout=stdout, stderr=subprocess.PIPE, env={**kept, **environ}, check=False, timeout=60
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk", "utf-8"])
def test_a_terminal_of_any_encoding_gets_the_message(encoding: str) -> None:
    # The vendor's sentence may be Chinese; what the terminal cannot show is escaped.
    sentence = RULES["RES-PIXELS"].sentence
    done = run("generate", "a \N{SNOWMAN} 山", "-r", "1x1", PYTHONIOENCODING=encoding)
    assert 3 == done.returncode
    text = done.stderr.decode(encoding)
    assert "RES-PIXELS" in text
    assert "Traceback" not in text
    shown = sentence.encode(encoding, "backslashreplace").decode(encoding)
    assert shown in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_json_in_any_encoding(encoding: str) -> None:
    done = run("generate", "é 山 \N{ARTIST PALETTE}", "--dry-run", "--json", PYTHONIOENCODING=encoding)
    fields = json.loads(done.stdout.decode(encoding))["request"]["fields"]
    assert {"name": "prompt", "value": "é 山 \N{ARTIST PALETTE}"} in fields


def test_a_prompt_that_is_not_text_is_refused() -> None:
    done = subprocess.run(
        [*(word.encode() for word in SEEDREAM), b"generate", b"\xff\xfe", b"--dry-run"],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert 3 == done.returncode
    assert b"surrogate" in done.stderr


def test_a_reader_that_goes_away_ends_the_run_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run_into(writing, "check", "2K")
    finally:
        os.close(writing)
    assert (141, b"") == (done.returncode, done.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_stdout_is_reported() -> None:
    with Path("/dev/full").open("wb") as full:
        done = run_into(full.fileno(), "check", "2K")
    assert 1 == done.returncode
    assert 1 == len(done.stderr.splitlines()), done.stderr
    assert b"cannot write the output" in done.stderr


def test_closed_streams_do_no_harm() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m seedream.cli check 2K >&- 2>&-', sys.executable], check=False, timeout=60
    )
    assert 0 == done.returncode


@pytest.mark.parametrize("setting", ["NO_COLOR=1", "TERM=dumb", "TERM=xterm-256color", "COLUMNS=20"])
def test_colour_is_only_for_terminals(setting: str) -> None:
    name, _, value = setting.partition("=")
    done = run("check", "2K", "1x1", **{name: value})
    assert b"\x1b" not in done.stdout + done.stderr
    # Lines are not broken for a pipe, however narrow the terminal is.
    assert b"Error: resolution: 1x1 is 1 pixels, below " in done.stderr


def _in_a_terminal(*words: str, **environ: str) -> bytes:
    """Return what a run writes to a terminal."""
    pty = pytest.importorskip("pty", reason="pseudo-terminals are POSIX")
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*SEEDREAM, *words], stdout=follower, stderr=follower, env={**os.environ, "TERM": "xterm-256color", **environ}
    )
    os.close(follower)
    written = b""
    try:
        while chunk := os.read(leader, 65536):
            written += chunk
    except OSError:
        pass  # how Linux tells that the other end is closed
    finally:
        os.close(leader)
        process.wait(60)
    return written


def test_a_terminal_gets_colour_unless_it_is_not_wanted() -> None:
    assert b"\x1b[31m" in _in_a_terminal("check", "1x1")
    assert b"\x1b[31m" not in _in_a_terminal("check", "1x1", NO_COLOR="1")
    assert b"\x1b" not in _in_a_terminal("check", "1x1", TERM="dumb")


def test_who_watches_sees_progress_and_the_paths_stay_whole(tmp_path: Path) -> None:
    with SingleTaskServer({}) as service:
        service._states = [service.done()]
        written = _in_a_terminal(
            "generate", "x", "-o", str(tmp_path), "--base-url", service.url, TENSORSLAB_API_KEY=KEY, COLUMNS="40"
        )
    assert b"submitting" in written
    assert f"{tmp_path}/abcd_1-1.png\r\n".encode() in written
    assert b"cost 1 image" in written
    assert KEY.encode() not in written


def test_a_closed_stderr_does_not_stop_what_is_paid_for(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with SingleTaskServer({}) as service:
            service._states = [service.done()]
            done = subprocess.run(
                [*SEEDREAM, "generate", "x", "-o", str(tmp_path), "--base-url", service.url],
                stdout=subprocess.PIPE,
                stderr=writing,
                env={**os.environ, "TENSORSLAB_API_KEY": KEY},
                check=False,
                timeout=60,
            )
    finally:
        os.close(writing)
    assert (0, f"{tmp_path}/abcd_1-1.png\n") == (done.returncode, done.stdout.decode())


@pytest.mark.parametrize("columns", [38, 60])
def test_a_narrow_terminal_breaks_lines_between_words(columns: int) -> None:
    written = _in_a_terminal("check", "1x1", "16:9", COLUMNS=str(columns), NO_COLOR="1", SEEDREAM_LANG="en").decode()
    assert "below 3,686,400." in written.replace("\r\n", " ")
    assert "  rule   RES-PIXELS: The total pixels" in written
    assert [] == [line for line in written.splitlines() if len(line) > columns and "ratio:" not in line]
