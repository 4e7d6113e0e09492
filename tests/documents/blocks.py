"""Reads the fenced blocks of the documents and runs them, in order, in one folder for each document."""

import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import define, field, frozen
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]
# The address of the sandbox in a document, and of a server of the reader's own, which knows these keys.
SANDBOX, OWN_SERVER = "http://127.0.0.1:8645", "http://127.0.0.1:8000"
OWN_KEYS = ("sk-any-key", "sk-the-key", "the-key-of-your-server")


@frozen
class Block:
    """One fenced block: document, line, language, the name of the file it is to be saved as or empty, and its text."""

    document: Path
    line: int
    language: str
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.name}, line {self.line}"


def blocks(document: Path) -> list[Block]:
    found = []
    for token in MarkdownIt().parse(document.read_text("utf-8")):
        if token.type == "fence":
            language, _, file = token.info.strip().partition(" ")
            found.append(Block(document, (token.map or [0])[0] + 1, language, file, token.content))
    return found


@define
class Session:
    """Where a document's blocks are run.

    Attributes:
        folder: The reader's folder.
        python: The reader's Python; the commands of seedream are beside it.
        base_url: The sandbox that answers; later the one that the document starts.
        own_server: A server of the reader's own.
        processes: Sandboxes that the document started.
    """

    folder: Path
    python: str
    base_url: str
    own_server: str
    processes: list[subprocess.Popen[bytes]] = field(factory=list)

    @property
    def environment(self) -> dict[str, str]:
        programs = self.folder / ".programs"
        return {
            **os.environ,
            "PATH": os.pathsep.join([str(programs), str(Path(self.python).parent), os.environ.get("PATH", "")]),
            "TENSORSLAB_API_KEY": "sandbox-key-for-tests",
            "TENSORSLAB_BASE_URL": self.base_url,
            "SEEDREAM_STATE_DIR": str(self.folder / ".state"),
            "SEEDREAM_LANG": "en",
            "PYTHONWARNINGS": "error",
        }

    def run(self, command: list[str], what: Block, *, success: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert (done.returncode == 0) is success, f"{what}:\n{done.stdout}\n{done.stderr}"
        return done


@contextmanager
def session(folder: Path, python: str, base_url: str, own_server: str) -> Iterator[Session]:
    made = Session(folder, python, base_url, own_server)
    _write_programs(made)
    try:
        yield made
    finally:
        for process in made.processes:
            process.send_signal(signal.SIGINT)
        for process in made.processes:
            process.wait(30)


def _write_programs(made: Session) -> None:
    """Put `pip` and `make` of the tests before the real ones: they check the names, and make the demo for real."""
    folder = made.folder / ".programs"
    folder.mkdir()
    program = f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("stand_in.py")}" "$0" "$@"\n'
    for name in ("pip", "make"):
        (folder / name).write_text(program)
        (folder / name).chmod(0o755)


def run_block(block: Block, made: Session) -> None:
    text = block.text
    text = text.replace(SANDBOX, made.base_url).replace(OWN_SERVER, made.own_server)
    if block.file:
        assert "/" not in block.file
        (made.folder / block.file).write_text(text, "utf-8")
    _RUN[block.language](block, text, made)


def _check_python(block: Block, text: str, made: Session) -> None:
    """A block of language ``py`` needs a cluster or a library that no extra of the tests has: it is only compiled."""
    del made
    compile(text, str(block), "exec")


def _check_json(block: Block, text: str, made: Session) -> None:
    del made
    values = [json.loads(line) for line in text.splitlines()] if "\n{" in text else [json.loads(text)]
    assert values, str(block)


def _check_csv(block: Block, text: str, made: Session) -> None:
    del made
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows}) == 1 < len(rows), str(block)


def _check_yaml(block: Block, text: str, made: Session) -> None:
    del made
    assert YAML(typ="safe").load(text) is not None, str(block)


def _check_toml(block: Block, text: str, made: Session) -> None:
    del made
    assert tomllib.loads(text), str(block)


def _check_text(block: Block, text: str, made: Session) -> None:
    del made
    assert not re.search(r"(?m)^(\$ |make |pip |seedream )", text), f"{block}: commands are sh or console"


def _run_console(block: Block, text: str, made: Session) -> None:
    _run_shell(block, "\n".join(line[2:] for line in text.splitlines() if line.startswith("$ ")), made)


def _run_shell(block: Block, text: str, made: Session) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    assert text.strip(), f"{block}: no command"
    made.run([bash, "-n", "-c", text], block)
    rest = []
    for line in text.splitlines():
        words = _words(line)
        if words[:2] == ["seedream", "sandbox"] and "--list-faults" not in words:
            _start_sandbox(words, made)
        elif words and words[0] in ("docker", "podman") and shutil.which(words[0]) is None:
            continue  # its files are checked by a linter
        elif expected := re.search(r"#.*exit code (\d+)", line):
            rest.append(f"{{ {line.partition('#')[0]}; }} || test $? = {expected[1]}")
        else:
            rest.append(line)
    if any(line.strip() for line in rest):
        made.run([bash, "-e", "-o", "pipefail", "-c", "\n".join(rest)], block)


def _words(line: str) -> list[str]:
    """Return the words of a command; none for a line that is a part of one."""
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return []


def _start_sandbox(words: list[str], made: Session) -> None:
    """Start the sandbox as the document says, but on a free port, and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = [word for word in words if word != "&"]
    process = subprocess.Popen(
        [*words, "--seed", "0", "--port", port, "--json", "--host", "127.0.0.1"],
        cwd=made.folder,
        env=made.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    made.processes.append(process)
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line.decode()
        if line.startswith(b"}"):
            break
    made.base_url = json.loads(text)["base_url"]
    assert made.base_url.endswith(f":{port}")
    process.stdout.close()


def _run_python(block: Block, text: str, made: Session) -> None:
    if "def test_" in text:
        head = (ROOT / "tests" / "examples" / "test_my_app.py").read_text("utf-8").partition("\ndef test_")[0]
        path = made.folder / f"test_line_{block.line}.py"
        path.write_text(text if "import" in text else f"{head}\n\n{text}", "utf-8")
        made.run([made.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", path.name], block)
        return
    made.run([made.python, "-c", text], block)


_RUN: Final[dict[str, Callable[[Block, str, Session], None]]] = {
    "sh": _run_shell,
    "console": _run_console,
    "python": _run_python,
    "py": _check_python,
    "json": _check_json,
    "csv": _check_csv,
    "yaml": _check_yaml,
    "toml": _check_toml,
    "text": _check_text,
}
LANGUAGES: Final = frozenset(_RUN)
