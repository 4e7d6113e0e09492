"""Messages change only on purpose: messages.txt holds each one as it was reviewed."""

import os
from pathlib import Path

import pytest
from core.messages import catalogue

FILE = Path(__file__).with_name("messages.txt")


def test_messages_are_as_reviewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = catalogue()
    if os.environ.get("UPDATE_MESSAGES"):
        FILE.write_text(found, "utf-8")
    assert found == FILE.read_text("utf-8"), "if the change is meant: UPDATE_MESSAGES=1 pytest tests/core"


def test_no_message_is_very_long_or_shows_a_secret() -> None:
    lines = FILE.read_text("utf-8").splitlines()
    assert max(map(len, lines)) < 500
    assert "MARKER" not in FILE.read_text("utf-8")
    assert len(lines) < 1000
