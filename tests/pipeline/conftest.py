"""A copy of the repository that has taken the real page, made for every test."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import FileSystemBytecodeCache
from openapi_python_client import Project
from page_edits import PAGE, REPOSITORY, RepositoryCopy


@pytest.fixture(scope="session", autouse=True)
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The generator's templates are compiled once: that is half of the time that a client takes."""
    cache = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))

    class CachingProject(Project):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.env.bytecode_cache = cache

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.client.Project", CachingProject)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_encoding_of_the_locale() -> Iterator[None]:
    """The pipeline names the encoding of each file: the locale's may be another one."""
    real = io.text_encoding

    def named(encoding: str | None, stacklevel: int = 2, /) -> str:
        frame = sys._getframe(1)
        while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "pathlib":
            frame = frame.f_back
        name = frame.f_globals.get("__name__", "")
        assert encoding is not None or not name.startswith("pipeline."), f"{name} names no encoding"
        return str(real(encoding, stacklevel))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(io, "text_encoding", named)
        yield


@pytest.fixture(scope="session")
def repository_as_taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's own inputs, brought back to the real page, whatever update they have taken since."""
    repository = RepositoryCopy.copied(REPOSITORY, tmp_path_factory.mktemp("repository"))
    ended = repository.take(PAGE, accept=True)
    assert ended.code == 0, ended.text
    return repository.root


@pytest.fixture
def repository(repository_as_taken: Path, tmp_path: Path) -> RepositoryCopy:
    return RepositoryCopy.copied(repository_as_taken, tmp_path / "repository")


@pytest.fixture
def sending(repository: RepositoryCopy) -> None:
    """Each run of the test sends samples first, as `make generate` does."""
    repository.sends = True
