"""Pages in the shapes of other image services: their forms and replies in words of our own (foreign_shapes/)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from page_edits import RepositoryCopy, body, edited, operation, schema
from pipeline.send_check import picture
from pipeline.strict_yaml import load_yaml

pytestmark = pytest.mark.usefixtures("sending")
SHAPES = Path(__file__).with_name("foreign_shapes")
REPLY = ("created", "data", "data[].url", "data[].b64_json", "data[].revised_prompt", "error.message", "error.param")
# name -> (new fields of the form, new fields of the reply, the file that the form requires)
FIELDS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "image_edit": (("image", "image[]", "mask", "n", "size", "response_format", "user"), (), "image"),
    "style_transfer": (
        ("init_image", "style_preset", "image_strength", "cfg_scale", "width", "seed"),
        (),
        "init_image",
    ),
    "upscale": (("image", "negative_prompt", "factor", "creativity", "output_format"), (), "image"),
    "reply": (("quality",), REPLY, ""),
}
# name -> (arguments of `submit`, the texts that arrive, how many files arrive under each name)
SENT: dict[str, tuple[dict[str, Any], dict[str, list[str]], dict[str, int]]] = {
    "image_edit": (
        {"image": [b""], "image_": [b"", b""], "mask": b"", "n": 10, "size": "512x512", "response_format": "b64_json"},
        {"n": ["10"], "size": ["512x512"], "response_format": ["b64_json"]},
        {"image": 1, "image[]": 2, "mask": 1},
    ),
    "style_transfer": (
        {"init_image": b"", "image_strength": 0.25, "cfg_scale": 7.5, "width": 192, "seed": 0, "style_preset": "ink"},
        {"image_strength": ["0.25"], "cfg_scale": ["7.5"], "width": ["192"], "seed": ["0"], "style_preset": ["ink"]},
        {"init_image": 1},
    ),
    "upscale": (
        {"image": b"", "negative_prompt": "fog", "factor": 4, "creativity": 0.5, "output_format": "webp"},
        {"negative_prompt": ["fog"], "factor": ["4"], "creativity": ["0.5"], "output_format": ["webp"]},
        {"image": 1},
    ),
    "reply": ({"quality": "hd"}, {"quality": ["hd"]}, {}),
}
# Values that a limit of the shape forbids.
REFUSED: list[tuple[str, str, Any]] = [
    ("image_edit", "n", 11),
    ("image_edit", "size", "300x300"),
    ("style_transfer", "image_strength", 1),
    ("style_transfer", "cfg_scale", 7.25),
    ("style_transfer", "width", 200),
    ("style_transfer", "seed", 4294967296),
    ("upscale", "factor", 2),
    ("upscale", "creativity", 0.1),
]
# Runs in a process of its own, with the code that the repository has generated.
SCRIPT = """
import json, sys
from seedream import SeeDream, InvalidRequest
from seedream_sandbox import Sandbox

arguments, refused, picture = json.loads(sys.argv[1]), json.loads(sys.argv[2]), open(sys.argv[3], "rb").read()


def whole(value):
    if isinstance(value, list):
        return [whole(one) for one in value]
    return picture if value == "" else value


with Sandbox() as sandbox, SeeDream(sandbox.api_key, base_url=sandbox.base_url, transport=sandbox.transport) as client:
    client.submit("a fish", **{name: whole(value) for name, value in arguments.items()})
    record = sandbox.requests[-1]
    messages = []
    for name, value in refused:
        try:
            client.submit("a fish", **{name: value})
        except InvalidRequest as error:
            messages.append(str(error))
    counts = {name: sum(file[0] == name for file in record.files) for name in {file[0] for file in record.files}}
    print(json.dumps([record.fields, counts, messages]))
"""


def shape(name: str) -> dict[str, Any]:
    """Return the document of a shape."""
    block = (SHAPES / f"{name}.md").read_text("utf-8").partition("````yaml ")[2]
    document: dict[str, Any] = load_yaml(block.partition("\n")[2].partition("````")[0])
    return document


def beside_the_vendors_own(name: str, *, required: bool) -> bytes:
    """Return the vendor's page with the form and the reply of a shape added to its own."""
    foreign = shape(name)
    form = body(foreign)

    def add(found: dict[str, Any]) -> None:
        found["openapi"] = foreign["openapi"]
        found["components"]["schemas"] |= foreign["components"]["schemas"]
        own = body(found)
        own["properties"] |= {key: value for key, value in form.get("properties", {}).items() if key != "prompt"}
        if "allOf" in form:
            own["allOf"] = form["allOf"]
            own_required = [key for key in schema(found, "Base").pop("required") if required and key != "prompt"]
            schema(found, "Base").update({"required": own_required} if own_required else {})
        elif required and name != "reply":
            own["required"] = [key for key in form["required"] if key != "prompt"]
        if name == "reply":
            schema(found, "GeneralResponse")["allOf"][1]["properties"]["error"] = {"$ref": "#/components/schemas/Error"}
            schema(found, "GeneralData")["properties"]["items"] = schema(foreign, "Pictures")["properties"]["data"]
            refused = operation(foreign)["responses"]["400"]
            operation(found)["responses"]["400"] = refused

    return edited(add)


def missing_steps(ended_text: str) -> list[str]:
    """Return the numbered findings of a report that do not say what to do next."""
    listed = ended_text.partition("To decide (")[2]
    found = listed.split("\n\n")[1:]
    return [one for one in found if one.lstrip()[:1].isdigit() and "Next: " not in one]


# Another service's whole page under our route: the client does not serve it, and the report says why and what to do.
@pytest.mark.parametrize("name", FIELDS)
def test_a_page_that_is_another_services_stops(name: str, repository: RepositoryCopy) -> None:
    data = (SHAPES / f"{name}.md").read_bytes()
    form, reply, _ = FIELDS[name]
    for accept in (False, True):
        repository.sends = accept
        ended = repository.take(data, accept=accept)
        assert (ended.code, ended.changed) == (3, False), ended.text
        for field in form:
            assert f"submit request {field} added" in ended.text
        for field in reply:
            assert f"submit reply {field}" in ended.text
        assert missing_steps(ended.text) == []
        assert 'en: ""' not in ended.text  # a row that nobody can fill in
        assert ("Or run with ACCEPT=1" in ended.text) is not accept


# A file that the form requires is sent by the client and by the command line (`--set NAME=PATH`).
@pytest.mark.parametrize("name", [name for name, (_, _, file) in FIELDS.items() if file])
def test_a_required_file_of_another_name_is_sent(name: str, repository: RepositoryCopy) -> None:
    ended = repository.take(beside_the_vendors_own(name, required=True), accept=True)
    assert (ended.code, ended.changed) == (0, True), ended.text
    assert "the client cannot send it" not in ended.text
    assert f"submit request {FIELDS[name][2]}/required (none) -> true" in ended.text


@pytest.mark.parametrize("name", FIELDS)
def test_a_form_beside_the_vendors_own_is_taken_and_sent(name: str, repository: RepositoryCopy, tmp_path: Path) -> None:
    data = beside_the_vendors_own(name, required=False)
    repository.sends = False
    first = repository.take(data)
    repository.sends = True
    assert first.code in {0, 3}, first.text
    assert missing_steps(first.text) == []
    for field in FIELDS[name][0]:
        assert f"submit request {field} added" in first.text
    second = repository.take(data, accept=True)
    assert second.code == 0, second.text
    assert "the client cannot send it" not in second.text
    arguments, texts, files = SENT[name]
    refused = [(field, value) for shape_name, field, value in REFUSED if shape_name == name]
    sent_texts, sent_files, messages = _send(repository, arguments, refused, tmp_path)
    assert {field: sent_texts[field] for field in texts} == texts
    assert sent_files == files
    assert len(messages) == len(refused)
    assert all(field in message for (field, _), message in zip(refused, messages, strict=True))


def _send(repository: RepositoryCopy, arguments: dict[str, Any], refused: list[tuple[str, Any]], folder: Path) -> Any:
    file = folder / "picture.png"
    file.write_bytes(picture())
    paths = [str(repository.root / "generated"), str(repository.root / "overlay")]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            SCRIPT,
            json.dumps(arguments, default=lambda _: ""),
            json.dumps(refused),
            str(file),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
