"""Benches for bulk runs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from chaos.service import Running
from support.bulk_bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Running(tmp_path / "ledger") as running:
        yield Bench(tmp_path, running)


@pytest.fixture
def rich_bench(tmp_path: Path) -> Iterator[Callable[[int], Bench]]:
    """A bench whose account has so many credits."""
    opened: list[Running] = []

    def make(balance: int) -> Bench:
        opened.append(Running(tmp_path / "ledger", balance))
        return Bench(tmp_path, opened[-1].__enter__())

    yield make
    for running in opened:
        running.__exit__()
