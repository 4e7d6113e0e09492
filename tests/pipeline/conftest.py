"""A house that has taken the real page, copied anew for every test."""

from pathlib import Path

import pytest
from page_edits import PAGE, REPOSITORY, House


@pytest.fixture(scope="session")
def house_as_taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's own inputs, brought back to the real page, whatever update they have taken since."""
    house = House.copied(REPOSITORY, tmp_path_factory.mktemp("house"))
    ended = house.take(PAGE, accept=True)
    assert ended.code == 0, ended.text
    return house.root


@pytest.fixture
def house(house_as_taken: Path, tmp_path: Path) -> House:
    return House.copied(house_as_taken, tmp_path / "house")


@pytest.fixture
def sending(house: House) -> None:
    """Each run of the test sends samples first, as `make generate` does."""
    house.sends = True
