"""A journal in a temporary folder, with a clock that does not move."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from seedream.journal import Journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path, clock=lambda: 1000.0) as opened:
        yield opened
