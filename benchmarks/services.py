"""Starts and stops what the comparison needs: certificates, the server, the relay, the peers' environments."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import trustme
from attrs import evolve, field, frozen, mutable

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENTS = ROOT / "build" / "benchmarks"
ROUND_TRIP = 100  # ms


def environment(name: str) -> Path:
    """Return the interpreter of an environment with the pins in ``peers/NAME.lock``; make it where needed."""
    lock = ROOT / "benchmarks" / "peers" / f"{name}.lock"
    folder = ENVIRONMENTS / name
    python, mark = folder / "bin" / "python", folder / "lock"
    if not mark.exists() or mark.read_bytes() != lock.read_bytes():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        uv = Path(sys.executable).with_name("uv")
        command = [str(uv), "pip", "install", "-q", "--python", str(python)]
        arguments = ["--require-hashes", "-r", str(lock)]
        if not uv.exists() or subprocess.run([*command, *arguments], check=False, stderr=subprocess.DEVNULL).returncode:
            subprocess.run([python, "-m", "pip", "install", "-q", *arguments], check=True)
        packages = next(folder.glob("lib/python*/site-packages"))
        if name == "core":
            (packages / "project.pth").write_text(f"{ROOT / 'generated'}\n{ROOT / 'overlay'}\n", "utf-8")
        mark.write_bytes(lock.read_bytes())
    return python


def variables(ca: Path) -> dict[str, str]:
    """Return the environment variables of every process measured.

    No proxy, the comparison's own certificate authority, and compiled modules, which the first turn of a row leaves.
    """
    left_out = ("proxy", "pythondontwritebytecode")
    kept = {name: value for name, value in os.environ.items() if not any(part in name.lower() for part in left_out)}
    return kept | {"SSL_CERT_FILE": str(ca), "PYTHONPATH": str(ROOT)}


@mutable
class Process:
    """A process that answers one JSON document a line."""

    popen: subprocess.Popen[str]

    @classmethod
    def start(cls, arguments: list[Any], env: Mapping[str, str] | None = None, errors: Any = None) -> "Process":
        return cls(
            subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env=env,
            )
        )

    def read(self) -> dict[str, Any]:
        assert self.popen.stdout is not None  # noqa: S101 -- for the type checker
        line = self.popen.stdout.readline()
        if not line:
            raise RuntimeError("the process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def send(self, **question: Any) -> None:
        assert self.popen.stdin is not None  # noqa: S101 -- for the type checker
        self.popen.stdin.write(json.dumps(question) + "\n")
        self.popen.stdin.flush()

    def ask(self, **question: Any) -> dict[str, Any]:
        self.send(**question)
        return self.read()

    def stop(self) -> None:
        """End stdin, wait, and kill what does not end."""
        with contextlib.suppress(BrokenPipeError):
            if self.popen.stdin:
                self.popen.stdin.close()
        try:
            self.popen.wait(10)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        if self.popen.stdout:
            self.popen.stdout.close()


@frozen
class Services:
    """The running server and relay."""

    server: Process
    ports: dict[str, int]
    far_ports: dict[str, int]
    ca: Path
    folder: Path
    env: dict[str, str] = field(repr=False)

    def base_url(self, kind: str, distance: int) -> str:
        """Return the address of a port of the server, ``http``, ``https`` or ``idle-N``; through the relay when far."""
        scheme = "https" if kind == "https" else "http"
        return f"{scheme}://127.0.0.1:{(self.far_ports if distance else self.ports)[kind]}"

    def in_folder(self, name: str) -> "Services":
        """Return this service with a folder of its own."""
        folder = self.folder / name
        folder.mkdir()
        return evolve(self, folder=folder)

    def counts(self) -> dict[str, int]:
        """Return the connections and requests that the server saw since the last call."""
        return self.server.ask(counts=True)


@contextlib.contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Start them, and end them when the block ends."""
    authority = trustme.CA()
    ca, certificate = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(ca)
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
    with contextlib.ExitStack() as stack:
        server = Process.start([sys.executable, "-m", "benchmarks.server", certificate])
        stack.callback(server.stop)
        ports = server.read()
        relay = Process.start([sys.executable, "-m", "benchmarks.relay", ROUND_TRIP, json.dumps(ports)])
        stack.callback(relay.stop)
        yield Services(server, ports, relay.read(), ca, folder, variables(ca))
