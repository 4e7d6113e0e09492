"""What a type checker sees of the public face. `make check` is the judge: mypy --strict reads these assertions."""

import inspect
from pathlib import Path
from typing import Unpack, assert_type, get_type_hints

import jedi  # type: ignore[import-untyped]  # it has no annotations
import pytest
import seedream
from seedream import AsyncSeeDream, AsyncTask, Generated, Resolution, SeeDream, SubmitOptions, Task, TaskInfo
from tensorslab_images.limits import SUBMIT
from tensorslab_images.rules import RES_RATIO_VALUES, RES_TIER_VALUES


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
    described = {parameter.name: parameter.description for parameter in signature.params}
    assert {spec.attribute for spec in SUBMIT.fields} <= set(described)
    assert "int | None" in described["batchsize"]
    values = ", ".join(f'"{value}"' for value in (*RES_RATIO_VALUES, *RES_TIER_VALUES))
    assert described["resolution"] == f"param resolution: Literal[{values}] | str | Resolution | None=None"
    documented = signature.docstring(raw=True)
    assert [name for name in described if f"\n    {name}: " not in documented] == []


@pytest.mark.parametrize("kind", [SeeDream, AsyncSeeDream])
@pytest.mark.parametrize("method", ["submit", "generate"])
def test_annotations_can_be_evaluated(kind: type, method: str) -> None:
    parameters = inspect.signature(getattr(kind, method), eval_str=True).parameters
    assert parameters["batchsize"].annotation == int | None
    assert set(get_type_hints(getattr(kind, method))) == {*parameters, "return"} - {"self"}


def test_a_result_has_the_methods_of_its_class_in_editors() -> None:
    code = "from seedream import SeeDream\nSeeDream('k').{}."
    offered = {
        call: {name.name for name in jedi.Script(code.format(call)).complete()}
        for call in ("submit('x')", "generate('x')")
    }
    assert {"wait", "save", "read", "refresh", "delete"} <= offered["submit('x')"]
    assert {"pictures", "files", "taskid"} <= offered["generate('x')"]


def _passed_on(**options: Unpack[SubmitOptions]) -> SubmitOptions:
    return options


def test_submit_options_are_the_parameters_of_submit() -> None:
    assert _passed_on(resolution=Resolution("2K"), source_images=[b""]) == {
        "resolution": Resolution("2K"),
        "source_images": [b""],
    }
    _passed_on(batchsize="3")  # type: ignore[arg-type]  # a checker catches it
    named = set(inspect.signature(SeeDream.submit).parameters) - {"self", "prompt", "others"}
    assert set(get_type_hints(SubmitOptions)) == named


@pytest.mark.parametrize("method", ["wait", "save", "read", "refresh", "delete"])
def test_coroutine_methods_have_docstrings_of_their_own(method: str) -> None:
    assert getattr(AsyncTask, method).__doc__ not in (None, getattr(Task, method).__doc__)
