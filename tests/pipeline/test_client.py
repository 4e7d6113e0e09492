"""The generated client: safe forms, exact tools, open replies."""

import ast
import dataclasses
import importlib.metadata
import inspect
import re
from importlib.resources import files

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_edits import REPOSITORY, RepositoryCopy, body, edited, schema
from pipeline import client, settings
from pipeline.ecma_pattern import Untranslatable, to_python
from pipeline.errors import BrokenInputs
from pipeline.strict_yaml import load_yaml
from seedream import SeeDream
from seedream._request.submission import SubmitOptions
from tensorslab_images import roles
from tensorslab_images.limits import SUBMIT

SETTINGS = settings.parse(load_yaml((REPOSITORY / settings.NAME).read_text("utf-8")))
INJECTION = 'a\r\n--+++\r\nContent-Disposition: form-data; name="batchsize"\r\n\r\n15'


# The installed generator still has the fault; the template that is used has it no more.
def test_boundary_lines_are_cut() -> None:
    assert "boundary" not in client.safe_template(SETTINGS)
    for path in (REPOSITORY / "generated").rglob("*.py"):
        assert "boundary=" not in path.read_text("utf-8")


def test_an_unknown_template_stops() -> None:
    template = {**SETTINGS.template, "sha256": "0" * 64}
    with pytest.raises(BrokenInputs, match="Read what changed in the template"):
        client.safe_template(dataclasses.replace(SETTINGS, template=template))


# Whatever the template says: a fixed boundary in the code that it makes stops the run.
def test_a_fixed_boundary_in_the_generated_code_stops(
    repository: RepositoryCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = files("openapi_python_client").joinpath("templates", SETTINGS.template["name"]).read_text("utf-8")
    monkeypatch.setattr(client, "safe_template", lambda _: original)
    ended = repository.take()
    assert (ended.code, ended.changed) == (5, False)
    assert "still fixes the type of a form" in ended.text


@pytest.mark.parametrize("name", ["openapi-python-client", "ruff", "nothing-of-that-name"])
def test_other_versions_of_the_tools_stop(name: str) -> None:
    with pytest.raises(BrokenInputs, match=name):
        client.check_versions(dataclasses.replace(SETTINGS, versions={name: "0.0.1"}))
    assert importlib.metadata.version("ruff") == SETTINGS.versions["ruff"]


PARTS = 2 + len([field for field in SUBMIT.fields if field.default is not None])  # prompt, defaults, end


# The form's type carries httpx's own random boundary, so no prompt can add a field.
@given(st.text())
def test_no_prompt_adds_a_field(prompt: str) -> None:
    for text in (prompt, INJECTION + prompt):
        if any(0xD800 <= ord(char) < 0xE000 for char in text):
            continue
        kwargs = roles.submit._get_kwargs(body=roles.SubmitBody(prompt=text, batchsize=1))
        sent = httpx.Request(kwargs.pop("method"), "http://x" + kwargs.pop("url"), **kwargs)
        boundary = sent.headers["Content-Type"].removeprefix("multipart/form-data; boundary=").encode()
        assert boundary not in text.encode()
        assert sent.read().count(b"--" + boundary) == PARTS


# A value that the vendor adds to a reply's list must not raise: the generated client keeps replies open.
def test_replies_stay_open(repository: RepositoryCopy) -> None:
    codes = {"enum": [1000, 9999, 9000]}
    assert repository.take(edited(lambda d: schema(d, "BaseResponse")["properties"]["code"].update(codes))).code == 0
    assert "code: int" in repository.read("generated/tensorslab_images/models/base_response.py")
    assert '"enum"' in repository.read("generated/tensorslab_images/openapi.json")


def test_every_generated_file_is_stamped() -> None:
    for path in (REPOSITORY / "generated").rglob("*.py"):
        assert path.read_text("utf-8").startswith(client.STAMP)
        ast.parse(path.read_text("utf-8"))


# A field of a later page must not take the name of a parameter.
def test_reserved_names_are_the_parameters_of_the_client() -> None:
    named = {*SETTINGS.reserved_names, *SETTINGS.explicit_fields.values(), "self"}
    for method in (SeeDream.submit, SeeDream.generate):
        assert set(inspect.signature(method).parameters) <= named
    assert set(SubmitOptions.__annotations__) <= named


@pytest.mark.parametrize(
    ("pattern", "matches", "differs"),
    [
        (r"^[a-z]+$", ["a"], ["a\n", "A"]),
        (r"^\d$", ["1"], ["١"]),
        (r"^\w+$", ["a_1"], ["é"]),
        (r"^(?<n>a|b)\k<n>$", ["aa"], ["ab"]),
        (r"^\u{4E00}\u4e00$", ["一一"], ["一"]),
        (r"^\s$", ["\ufeff", " "], ["\x1c"]),
        (r"^.$", ["é", "\x85"], ["\u2028", "\n"]),
        (r"^[^\s]$", ["a"], ["\u3000"]),
    ],
)
def test_patterns_mean_what_they_mean_in_ecma_262(pattern: str, matches: list[str], differs: list[str]) -> None:
    translated = to_python(pattern)
    assert all(re.search(translated, text) for text in matches)
    assert not any(re.search(translated, text) for text in differs)


@pytest.mark.parametrize("pattern", [r"\p{L}", "(?<=a+)b", "(", "a++", r"[\S]", "(?i)a", "a{,5}", r"\z", "x" * 3000])
def test_patterns_that_python_cannot_express_are_not_translated(pattern: str) -> None:
    with pytest.raises(Untranslatable):
        to_python(pattern)


# A description is the vendor's text: it must not end the docstring, and values must be legal in a Literal.
@pytest.mark.parametrize(
    ("spec", "parameter", "documented"),
    [
        (
            {"type": "string", "description": '"""\nimport os\\N{x}\u2028"'},
            "str | None = None",
            '""" import os\\N{x} "',
        ),
        ({"type": "string", "description": "x" * 5000}, "str | None = None", "x" * 199 + "…"),
        (
            {"type": "string", "enum": ["a'b", "c"]},
            "Literal[\"a'b\", 'c'] | None = None",
            "The page does not say what it means.",
        ),
        (
            {"type": "array", "items": {"type": "boolean"}, "default": True},
            "Sequence[bool] | None = None",
            "The page does not say what it means. The service's default: True.",
        ),
        ({"type": "integer", "maximum": 9, "description": "Steps"}, "int | None = None", "Steps. At most 9."),
    ],
)
def test_a_field_becomes_a_parameter(
    repository: RepositoryCopy, spec: dict[str, object], parameter: str, documented: str
) -> None:
    assert repository.take(edited(lambda d: body(d)["properties"].update(newField=spec)), accept=True).code == 0
    module = ast.parse(repository.read("generated/tensorslab_images/methods.py"))
    classes = {found.name: found for found in module.body if isinstance(found, ast.ClassDef)}
    for kind in ("SubmitMethods", "AsyncSubmitMethods"):
        for method in classes[kind].body:
            if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and not method.name.startswith("_"):
                annotations = {one.arg: one.annotation for one in method.args.kwonlyargs}
                assert annotations["new_field"] is not None
                assert f"{ast.unparse(annotations['new_field'])} = None" == parameter
                documentation = " ".join((ast.get_docstring(method) or "").split())
                assert f"new_field: {documented}" in documentation
