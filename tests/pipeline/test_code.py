"""The generated modules, and what the generator is given: whole texts of a small document with something of each kind."""

# ruff: noqa: E501 -- tables read best with one case a line

import copy
import dataclasses
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from page_edits import DOCUMENT, REPOSITORY
from pipeline import build, client, ledger, settings
from pipeline.emit_limits import HEAD as LIMITS
from pipeline.emit_limits import auth_scheme, emit_limits, server_address
from pipeline.emit_methods import _HEAD as METHODS
from pipeline.emit_methods import emit_methods
from pipeline.emit_rules import HEAD as RULES
from pipeline.emit_rules import emit_rules
from pipeline.errors import BrokenInputs, DecisionNeeded
from pipeline.inputs import load
from pipeline.overlay import apply
from pipeline.spec import operations

EMITTED = Path(__file__).with_name("emitted.txt")
RAW: dict[str, Any] = {
    "roles": {"submit": "ours", "query": "ask", "delete": "drop"},
    "route": "post /a",
    "explicit_fields": {"prompt": "prompt", "sourceImage": "source_images"},
    "methods": {
        "fields": {
            "prompt": {"meaning": "What to show."},
            "source_images": {"meaning": "Pictures", "type": "Sources"},
            "size": {"meaning": "大小", "type": "{page} | Resolution"},
        },
        "submit": {"own": {"type": "bool", "default": False, "meaning": "Ours."}},
        "generate": {
            "timeout": {"type": "float", "default": 600.0, "meaning": "Deadline " * 20},
            "folder": {"type": "str | None", "default": None, "meaning": "Where, well-known; " * 9},
        },
    },
    "reserved_names": ["wait"],
    "package": "pkg",
    "versions": {"a": 1},
    "template": {"name": "n", "sha256": "0"},
    "client": {},
}
SETTINGS = settings.parse(RAW)
REAL = load(REPOSITORY).settings
FORM: dict[str, Any] = {
    "type": "object",
    "required": ["prompt", "mode"],
    "properties": {
        "seed": {"type": "integer", "minimum": 0, "default": 7, "description": 'Seed "x" \\ \n\u2028 y'},
        "sourceImage": {"type": "array", "items": {"type": "string", "format": "binary"}, "default": "x"},
        "size": {"type": "string"},
        "one": {"type": "string", "description": "模式a"},
        "two": {"type": "string", "description": "Mode式", "minLength": 0},
        "mode": {"type": "string", "nullable": True, "enum": ["a", "b'"], "description": "模式"},
        "wait": {"type": "boolean", "default": "no"},
        "n": {"type": "integer", "minimum": 1, "maximum": 4, "exclusiveMaximum": 5, "description": "x" * 300},
        "top": {"type": "number", "maximum": 1.5, "description": "y" * 200},
        "rates": {"type": "array", "nullable": True, "items": {"type": "number", "enum": [1, 2.5]}},
        "levels": {"type": "array", "items": {"type": "integer", "enum": [1, 2]}},
        "whole": {"type": "object", "description": "z" * 198 + " zz"},
        "prompt": {"type": "string", "description": "p", "maxLength": 9},
    },
}
DOC: dict[str, Any] = {
    "openapi": "3.0.3",
    "servers": [{"url": "https://{r}.x.org/v1/", "variables": {"r": {"default": "a"}}}],
    "security": [{"K": []}],
    "components": {"securitySchemes": {"K": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    "paths": {
        "/a": {"post": {"operationId": "ours", "requestBody": {"content": {"multipart/form-data": {"schema": FORM}}}}},
        "/b": {"post": {"operationId": "ask", "security": []}},
        "/c": {"post": {"operationId": "drop", "security": [{"K": []}]}, "get": {}, "put": {"operationId": "2 submit"}, "delete": {"operationId": "Delete"}},
        "/d": {"get": {"operationId": "getURLOf-it"}, "put": {"operationId": "get_URL of_it"}},
    },
}  # fmt: skip
ROW = {"at": "submit/request/size", "standing": "stated", "source": "page", "summary": "x"}
ROWS: dict[str, Any] = {
    "SIZE-A": {**ROW, "sentences": {"zh": "1K、2K"}, "facts": {"values": ["1K", "2K"]}},
    "SIZE-B": {**ROW, "source": "a friend", "standing": "inferred", "facts": {"values": ["9K"], "n": 5, "t": True, "mixed": [1, 2.5]}, "summary": "it's"},
    "SEED": {**ROW, "at": "submit/request/seed", "sentences": {"zh": "种"}, "mirrors": ["minimum"], "examples": {}},
    "GONE": {**ROW, "at": "submit/request/gone", "sentences": {"en": "g 5x6"}, "examples": {"valid": ["5x6"]}},
}  # fmt: skip
LEDGER = ledger.parse({"rules": ROWS}, {})


def emitted() -> str:
    parts = [emit_limits(DOC, SETTINGS).removeprefix(LIMITS), emit_methods(DOC, LEDGER, SETTINGS).removeprefix(METHODS)]
    return "\n########\n".join([*parts, emit_rules(DOC, LEDGER, "ours", "zh").removeprefix(RULES)])


def test_each_module_is_what_was_recorded() -> None:
    """After a change that is meant, `EMITTED.write_text(emitted())` records what there is."""
    assert emitted() == EMITTED.read_text("utf-8")
    compile(METHODS + emitted().split("\n########\n")[1], "methods.py", "exec")


def test_the_methods_need_no_rule_and_no_meaning_of_ours() -> None:
    bare = settings.parse({**RAW, "explicit_fields": {}, "methods": {"fields": {}, "submit": {}, "generate": {}}})
    document = copy.deepcopy(DOC)
    document["paths"]["/a"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"] = {
        "properties": {"b": {"type": "string"}, "a": {"type": "string", "description": "A!"}}
    }
    found = emit_methods(document, ledger.Ledger({}, {}), bare)
    assert (
        "def submit(self, prompt: str, *, b: str | None = None, a: str | None = None, **others: Unpack[OtherNames])"
        in found
    )
    assert (
        "            prompt:\n            b: The page does not say what it means.\n            a: A!\n            others: "
        in found
    )
    assert "{'b': b, 'a': a, **others,}, ,)" in found


@pytest.mark.parametrize(
    ("servers", "address"),
    [
        (None, ""), ([], ""), ([{}], ""), ([{"url": "https://a"}, {"url": "https://b"}], "https://a"), ([{"url": "https://{r}.{s}/{}", "variables": {"r": {"default": 5}}}], "https://5.{s}/{}"), ([{"url": "https://{r}", "variables": None}], "https://{r}"),
    ],
)  # fmt: skip
def test_the_address_is_that_of_the_first_server(servers: Any, address: str) -> None:
    assert server_address({"servers": servers} if servers is not None else {}) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://x.org",
        "https://",
        "https://x.org?a",
        "https://user@x.org",
        "https://x.org:a",
        "https://x.org/a b",
        "HTTPS://x.org",
        "//x.org",
        "https://{r}",
    ],
)
def test_the_key_travels_to_an_https_address_only(url: str) -> None:
    with pytest.raises(DecisionNeeded) as caught:
        emit_limits({**DOC, "servers": [{"url": url}]}, SETTINGS)
    assert str(caught.value) == f"servers[0].url is {url!r}: the key may only travel to an absolute https:// address."


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("https://x.org:8443/a/~b//", "https://x.org:8443/a/~b"),
        ("https://x-1.org", "https://x-1.org"),
        ("https://x.org/", "https://x.org"),
    ],
)
def test_an_address_loses_its_last_slashes(url: str, server: str) -> None:
    assert f"SERVER: Final = {server!r}\n" in emit_limits({**DOC, "servers": [{"url": url}]}, SETTINGS)


def test_every_role_needs_its_operation() -> None:
    for name in ("ours", "ask", "drop"):
        found = copy.deepcopy(DOC)
        found["paths"] = {
            path: {method: one for method, one in item.items() if one.get("operationId") != name}
            for path, item in found["paths"].items()
        }
        with pytest.raises(DecisionNeeded) as caught:
            emit_limits(found, SETTINGS)
        assert str(caught.value) == f"the document has no operation {name}."
        if name == "ours":
            with pytest.raises(DecisionNeeded) as caught:
                emit_methods(found, LEDGER, SETTINGS)
            assert str(caught.value) == "the document has no operation ours."


HEADER = {"type": "apiKey", "in": "header", "name": "X-Key"}
BEARER, BASIC, QUERY = (
    {"type": "http", "scheme": "Bearer"},
    {"type": "http", "scheme": "basic"},
    {"type": "apiKey", "in": "query", "name": "k"},
)
SCHEMES = {
    "H": HEADER,
    "B": BEARER,
    "C": BASIC,
    "Q": QUERY,
    "R": {"$ref": "#/components/securitySchemes/H"},
    "O": {"type": "oauth2"},
}


@pytest.mark.parametrize(
    ("asked", "whole", "expected"),
    [
        ([{"H": []}], None, ("H", "X-Key")), ([{"B": []}], None, ("B", "Authorization")), ([{"R": []}], None, ("R", "X-Key")), ([{"C": []}, {"Q": []}, {"O": []}, {"B": []}], None, ("B", "Authorization")), ([{"H": [], "B": []}, {"B": []}], None, ("B", "Authorization")),
        (None, [{"B": []}], ("B", "Authorization")), ([], [{"B": []}], ("H", "X-Key")), (None, None, ("H", "X-Key")), ([{"gone": []}, {"H": []}], None, ("H", "X-Key")), ([{}], None, "nothing"), ([{"C": []}], None, "C"), ([{"H": [], "B": []}], None, "H and B"), ([{"Q": []}, {}], None, "Q or nothing"),
    ],
)  # fmt: skip
def test_the_key_goes_into_one_header(asked: Any, whole: Any, expected: Any) -> None:
    operation = {"operationId": "ours"} if asked is None else {"operationId": "ours", "security": asked}
    document = {
        "paths": {"/a": {"post": operation}},
        "components": {"securitySchemes": SCHEMES},
        **({} if whole is None else {"security": whole}),
    }
    if isinstance(expected, tuple):
        assert auth_scheme(document, "ours") == expected
    else:
        with pytest.raises(DecisionNeeded) as caught:
            auth_scheme(document, "ours")
        assert str(caught.value) == f"ours asks for {expected}, but the client can only send one API key in a header."


def test_without_any_scheme_there_is_no_key() -> None:
    documents: list[dict[str, Any]] = [{}, {"components": {}}, {"paths": {"/a": {"post": {"operationId": "ours"}}}}]
    for document in documents:
        with pytest.raises(DecisionNeeded) as caught:
            auth_scheme(document, "ours")
        assert str(caught.value) == "ours asks for nothing, but the client can only send one API key in a header."
    assert auth_scheme({"components": {"securitySchemes": SCHEMES}}, "ours") == ("H", "X-Key")


# --- what the generator is given


PREPARED: dict[str, Any] = {
    "paths": {
        "x-any": {"post": {"tags": ["kept"]}},
        "/v1/my-path/two": {
            "post": {
                "operationId": "ours", "tags": ["中文", "b"], "requestBody": {"$ref": "#/components/requestBodies/B"},
                "responses": {"200": {"description": "d", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Reply"}}}}, "x-r": 1},
            },
            "get": {"tags": ["中 A"], "responses": {"400": {"description": "d", "content": {"application/json": {"schema": {"type": "integer", "enum": [1]}}}}}},
            "put": {"tags": ["Plain"]}, "delete": {"tags": ["123"]},
        },
        "/v2": {"post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Kept"}}}}}},
        "/{id}/2x/ok": {"get": {}},
    },
    "components": {
        "requestBodies": {"B": {"content": {"application/json": {"schema": {"type": "object"}}, "multipart/mixed": {"schema": {"$ref": "#/components/schemas/Form"}}}}},
        "schemas": {
            "Form": {"type": "object", "required": ["imageUrl"], "properties": {"imageUrl": {"type": "string", "enum": ["a", "b"], "default": "a", "description": "u"}, "n": {"type": "integer", "enum": [1, 2], "default": 3}, "rate": {"type": "number", "enum": [1.5]}, "mixed": {"type": "string", "enum": ["a", 1]}, "files": {"type": "array", "items": {"type": "string", "format": "binary"}, "default": "x"}}},
            "Reply": {"type": "object", "enum": [1], "properties": {"code": {"type": ["integer", "null"], "enum": [1], "const": 1}, "kept": {"$ref": "#/components/schemas/Kept"}, "enum": {"type": "string"}, "free": {"enum": [5]}}},
            "Kept": {"type": "string", "enum": ["k"]}, "Unused": {"type": "string", "enum": ["k"]},
        },
    },
}  # fmt: skip


def test_the_generator_gets_open_replies_ascii_folders_and_forms_by_their_fields() -> None:
    given = copy.deepcopy(PREPARED)
    found = client.prepared(given, SETTINGS)
    assert given == PREPARED
    one = found["paths"]["/v1/my-path/two"]
    assert list(found["paths"]) == ["/v1/my-path/two", "/v2", "/{id}/2x/ok"]
    assert [found["paths"][path][method]["tags"] for path, method in [("/v1/my-path/two", "post"), ("/v1/my-path/two", "get"), ("/v1/my-path/two", "put"), ("/v1/my-path/two", "delete"), ("/v2", "post"), ("/{id}/2x/ok", "get")]] == [
        ["my-path"], ["my-path"], ["Plain"], ["my-path"], ["other"], ["ok"],
    ]  # fmt: skip
    assert list(one["post"]["responses"]) == ["200"]
    assert one["put"]["responses"] == {}
    assert found["components"]["requestBodies"]["B"]["content"] == {
        "multipart/mixed": {
            "schema": {
                "type": "object",
                "properties": {
                    "image_url": {"type": "string", "enum": ["a", "b"], "default": "a", "description": "u"}, "n": {"type": "integer", "enum": [1, 2]}, "rate": {"type": "number"}, "mixed": {"type": "string"},
                    "files_": {"type": "array", "items": {"type": "string", "format": "binary"}},
                },
                "required": ["image_url"],
            }
        }
    }  # fmt: skip
    assert found["components"]["schemas"]["Reply"] == {
        "type": "object",
        "properties": {
            "code": {"type": ["integer", "null"]},
            "kept": {"$ref": "#/components/schemas/Kept"},
            "enum": {"type": "string"},
            "free": {"enum": [5]},
        },
    }
    assert [found["components"]["schemas"][name] for name in ("Kept", "Unused", "Form")] == [
        PREPARED["components"]["schemas"][name] for name in ("Kept", "Unused", "Form")
    ]
    assert one["get"]["responses"]["400"]["content"]["application/json"]["schema"] == {"type": "integer"}
    assert [client.is_form(given, operation) for operation in operations(given)] == [
        True,
        False,
        False,
        False,
        False,
        False,
    ]


def test_a_form_without_required_fields_says_nothing_of_them() -> None:
    assert client._form([{"attribute": "a", "kind": "string", "required": False}]) == {
        "type": "object",
        "properties": {"a": {"type": "string"}},
    }


# --- the generator's own errors


def test_tools_of_other_versions_are_named() -> None:
    advice = (
        "Run `make setup`, or change both that file and pyproject.toml, then look at what changes under generated/."
    )
    for name, found in (("ruff", REAL.versions["ruff"]), ("no-such-tool", "not installed")):
        with pytest.raises(BrokenInputs) as caught:
            client.check_versions(dataclasses.replace(REAL, versions={name: "0.0.1"}))
        assert str(caught.value) == f"{name} is {found}, but openapi/generator.yaml pins 0.0.1. {advice}"
    client.check_versions(REAL)


def test_another_template_is_named() -> None:
    with pytest.raises(BrokenInputs) as caught:
        client.safe_template(dataclasses.replace(REAL, template={**REAL.template, "sha256": "0"}))
    known = REAL.template["sha256"]
    assert (
        str(caught.value)
        == f"the installed endpoint_module.py.jinja has sha256 {known}, openapi/generator.yaml knows 0. Read what changed in the template before you pin the new hash."
    )


def test_what_the_generator_refuses_is_said_on_one_line() -> None:
    errors = [
        GeneratorError(header="one\n two", detail="<a.B object at 0x12ab>"),
        GeneratorError(header="", detail="y" * 400),
    ]
    said = f"one two of its name; {'y' * 300}"
    assert (
        str(client._refusal(errors))
        == f"openapi-python-client cannot write all of the client ({said}). Repair the document in openapi/overlay.yaml."
    )


def test_a_document_that_the_generator_cannot_write_needs_a_decision(tmp_path: Path) -> None:
    document, _ = apply(DOCUMENT, load(REPOSITORY).actions)
    document["components"]["schemas"]["TaskData"]["properties"]["bad"] = {
        "$ref": "#/components/schemas/TaskData/properties/url"
    }
    with pytest.raises(
        DecisionNeeded,
        match=r"^openapi-python-client cannot write all of the client \(.*\)\. Repair the document in openapi/overlay\.yaml\.$",
    ):
        client.generate_client(document, REAL, tmp_path / "package")
    document["info"] = 5
    with pytest.raises(DecisionNeeded, match=r"^openapi-python-client cannot write all of the client \("):
        client.generate_client(document, REAL, tmp_path / "package")


def parsed(document: dict[str, Any], into: Path) -> GeneratorData:
    config = Config.from_sources(
        ConfigFile(**REAL.client),
        MetaType.NONE,
        document_source=Path("x"),
        file_encoding="utf-8",
        overwrite=False,
        output_path=into,
    )
    found = GeneratorData.from_dict(client.prepared(document, SETTINGS), config=config)
    assert isinstance(found, GeneratorData)
    return found


def small(**ids: str) -> dict[str, Any]:
    """Return a document in which each operation has a form and a path of its own."""
    schema = {
        "type": "object",
        "properties": {"imageUrl": {"type": "string"}, "prompt": {"type": "string"}},
        "required": ["prompt"],
    }
    ok = {"200": {"description": "ok"}}
    paths = {
        f"/{path}": {
            "post": {
                "operationId": name,
                "tags": ["t"],
                "requestBody": {"content": {"multipart/form-data": {"schema": schema}}},
                "responses": ok,
            }
        }
        for path, name in ids.items()
    }
    paths["/z"] = {"get": {"operationId": "plain", "tags": ["t"], "responses": ok}}
    return {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths}


def test_fields_of_forms_get_their_names_on_the_wire_back(tmp_path: Path) -> None:
    document = small(a="ours", b="ask", c="drop")
    found = parsed(document, tmp_path)
    client._name_form_fields(document, found, SETTINGS)
    names = {
        str(model.class_info.name): [
            (str(client._text(one.name)), str(one.python_name))
            for one in (*(model.required_properties or []), *(model.optional_properties or []))
        ]
        for model in found.models
    }
    assert set(map(tuple, names.values())) == {(("prompt", "prompt"), ("imageUrl", "image_url"))}
    assert [(one.path, one.method, one.tag, one.module, bool(one.body)) for one in client.endpoints(found)] == [
        ("/a", "post", "t", "ours", True),
        ("/b", "post", "t", "ask", True),
        ("/c", "post", "t", "drop", True),
        ("/z", "get", "t", "plain", False),
    ]
    roles = client.emit_roles(document, found, SETTINGS)
    assert roles == (
        f"{client._ROLES}if TYPE_CHECKING:\n    from .api.t import ours as submit\n    from .models.ours_body import OursBody as SubmitBody\n    from .api.t import ask as query\n    from .models.ask_body import AskBody as QueryBody\n"
        "    from .api.t import drop as delete\n    from .models.drop_body import DropBody as DeleteBody\n\n__all__ = ['DeleteBody', 'QueryBody', 'SubmitBody', 'delete', 'query', 'submit']\n"
        "_MODULES = {'submit': '.api.t.ours', 'query': '.api.t.ask', 'delete': '.api.t.drop'}\n"
        f"_BODIES = {{'SubmitBody': ('.models.ours_body', 'OursBody'), 'QueryBody': ('.models.ask_body', 'AskBody'), 'DeleteBody': ('.models.drop_body', 'DropBody')}}\n{client._LOADER}"
    )


@pytest.mark.parametrize(("query", "missing"), [("plain", "plain"), ("gone", "gone")])
def test_a_role_needs_a_body_of_fields(tmp_path: Path, query: str, missing: str) -> None:
    document = small(a="ours", c="drop")
    found = parsed(document, tmp_path)
    with pytest.raises(DecisionNeeded) as caught:
        client.emit_roles(document, found, settings.parse({**RAW, "roles": {**RAW["roles"], "query": query}}))
    assert str(caught.value) == f"the document has no operation {missing} with a request body of fields."


def test_two_operations_cannot_be_one_module(tmp_path: Path) -> None:
    document = small(a="ours")
    for path, name in (("/x", "get-it"), ("/y", "get_it")):
        document["paths"][path] = {"get": {**document["paths"]["/z"]["get"], "operationId": name}}
    with pytest.raises(DecisionNeeded) as caught:
        client._name_form_fields(document, parsed(document, tmp_path), SETTINGS)
    assert str(caught.value) == "two operations would be the module get_it; rename one in the overlay."


# --- the whole package


def test_modules_are_stamped_and_formatted(tmp_path: Path) -> None:
    long = ", ".join(f"a{number}: int" for number in range(28))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/one.py").write_text("import os\nimport abc\nimport sys\nx = {'a':1}\nprint(sys, abc)\n", "utf-8")
    (tmp_path / "methods.py").write_text(f"def f({long}): ...\n", "utf-8")
    client.stamp_and_format(tmp_path)
    assert (tmp_path / "sub/one.py").read_text(
        "utf-8"
    ) == f'{client.STAMP}import abc\nimport sys\n\nx = {{"a": 1}}\nprint(sys, abc)\n'
    assert (tmp_path / "methods.py").read_text("utf-8") == f"{client.STAMP}def f({long}): ...\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["methods.py", "sub"]
    (tmp_path / "sub/one.py").write_text("def (:\n", "utf-8")
    with pytest.raises(
        BrokenInputs, match=r"^ruff format failed on the generated code: error: Failed to parse sub/one\.py"
    ):
        client.stamp_and_format(tmp_path)


def test_what_ruff_says_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.CompletedProcess([], 2, "", f"  {'e' * 500} ")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(BrokenInputs) as caught:
        client.stamp_and_format(tmp_path)
    assert str(caught.value) == f"ruff check failed on the generated code: {'e' * 400}"


def test_patterns_that_python_cannot_read_are_kept_aside() -> None:
    given = {"a": [{"pattern": r"\p{L}", "x": 1}, {"pattern": "^a"}], "pattern": {"pattern": "("}, "n": 5}
    assert build._without_foreign_patterns(given) == {
        "a": [{"x": 1, "x-pattern": r"\p{L}"}, {"pattern": "^a"}],
        "pattern": {"x-pattern": "("},
        "n": 5,
    }


def test_the_lock_names_all_that_went_in_and_came_out() -> None:
    inputs = load(REPOSITORY)
    lock = build._lock(inputs, {"b": b"2", "a": b"1"}).decode()
    inner = "\n".join(f'"{name}" = "[0-9a-f]{{64}}"' for name in sorted(inputs.files))
    pattern = (
        r"# Made by `make generate`; never edited by hand\. sha256 of every input and of the tree\.\n\n\[inputs\]\n"
        + inner
        + r'\n\n\[outputs\]\ntree = "[0-9a-f]{64}"\nfiles = 2\n\n\[tools\]\n'
    )
    assert re.fullmatch(pattern + "".join(f'{name} = "{version}"\n' for name, version in REAL.versions.items()), lock)


def test_the_effective_spec_is_written_below_its_head() -> None:
    head = "# The effective spec: the vendor's page with openapi/overlay.yaml laid over it. Made by `make generate`.\n"
    assert build._openapi_yaml({"a": ["é"]}).decode() == f'{head}a:\n- "é"\n'


def test_the_package_is_what_its_parts_make() -> None:
    inputs = load(REPOSITORY)
    made = build.build(inputs)
    package = f"generated/{inputs.settings.package}"
    assert json.loads(made[f"{package}/openapi.json"]) == build.effective(inputs)
    assert made[f"{package}/openapi.json"].endswith(b"}\n")
    assert made[f"{package}/py.typed"] == b""
    assert made == {
        path.relative_to(REPOSITORY).as_posix(): path.read_bytes()
        for path in (REPOSITORY / "generated").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
