"""The command line as tests run it: in this process, with its own streams, and without waiting."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from click.testing import CliRunner
from seedream._support.timing import SystemClock
from seedream.cli.app import app
from support.clients import KEY


@frozen
class Ran:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document that stdout must be."""
        return json.loads(self.out)


RunCli = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _no_waiting_in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDREAM_STATE_DIR", str(tmp_path / ".state"))

    async def at_once(self: SystemClock, seconds: float) -> None:
        del self, seconds

    monkeypatch.setattr(SystemClock, "sleep", lambda self, seconds: None)
    monkeypatch.setattr(SystemClock, "async_sleep", at_once)


@pytest.fixture
def cli() -> RunCli:
    """Run ``seedream`` with these words and environment variables. No run may show the key or a traceback."""

    def run(*words: str, **environ: str | None) -> Ran:
        environ = {"LC_ALL": "C.UTF-8", "TENSORSLAB_API_KEY": KEY, **environ}
        result = CliRunner().invoke(app, list(words), env=environ)
        assert isinstance(result.exception, SystemExit | None), result.exception
        assert "Traceback" not in result.output
        assert KEY not in result.output
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run
