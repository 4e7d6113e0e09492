"""What a type checker sees of the public face. `make check` is the judge: mypy --strict reads these assertions."""

from pathlib import Path
from typing import assert_type

import jedi  # type: ignore[import-untyped]  # it has no annotations
import pytest
import seedream
from seedream import AsyncSeeDream, AsyncTask, Generated, Resolution, SeeDream, Task, TaskInfo
from tensorslab_images.limits import SUBMIT, MoreSubmitFields


def _blocking(client: SeeDream) -> None:
    task = client.submit("a fish", batchsize=2, resolution=Resolution("2K"), source_images=[b"", Path("a"), "b"])
    assert_type(task, Task)
    assert_type(task.wait(timeout=5), TaskInfo)
    assert_type(task.save("out"), list[Path])
    assert_type(client.generate("a fish", image_url="https://example.org/a.png"), Generated)
    client.submit("a fish", batchsize="3")  # type: ignore[arg-type]  # a checker catches it before a run does
    client.submit("a fish", colour="red")  # type: ignore[call-arg]  # and this
    client.submit(batchsize=1)  # type: ignore[call-arg]  # and this


async def _awaiting(client: AsyncSeeDream) -> None:
    task = await client.submit("a fish", resolution="16:9")
    assert_type(task, AsyncTask)
    assert_type(await task.wait(), TaskInfo)
    assert_type(await task.save("out"), list[Path])
    assert_type(await client.generate("a fish"), Generated)


def test_the_public_face_is_complete_and_documented() -> None:
    assert (SeeDream, AsyncSeeDream) == (_blocking.__annotations__["client"], _awaiting.__annotations__["client"])
    for name in seedream.__all__:
        assert hasattr(seedream, name)
        if name != "__version__" and isinstance(getattr(seedream, name), type):
            assert getattr(seedream, name).__doc__, name
    assert sorted(seedream.__all__) == list(seedream.__all__)


def test_both_clients_have_the_same_face() -> None:
    def face(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert face(SeeDream) == face(AsyncSeeDream)
    assert face(Task) == face(AsyncTask)


@pytest.mark.parametrize("kind", ["SeeDream", "AsyncSeeDream"])
@pytest.mark.parametrize("method", ["submit", "generate"])
def test_editors_that_do_not_run_code_offer_the_fields_by_name(kind: str, method: str) -> None:
    code = f"from seedream import {kind}\n{kind}('k').{method}("
    (signature,) = jedi.Script(code).get_signatures()
    offered = {parameter.name for parameter in signature.params}
    # Fields that a later page adds are typed by MoreSubmitFields until the signature names them.
    later = set(MoreSubmitFields.__annotations__)
    assert {spec.attribute for spec in SUBMIT.fields} - later <= offered
    described = {parameter.name: parameter.description for parameter in signature.params}
    assert "int | None" in described["batchsize"]
    assert signature.docstring(raw=True)


@pytest.mark.parametrize("method", ["wait", "save", "read", "refresh", "delete"])
def test_coroutine_methods_have_docstrings_of_their_own(method: str) -> None:
    assert getattr(AsyncTask, method).__doc__ not in (None, getattr(Task, method).__doc__)
