"""Runs openapi-python-client in this process, with its one unsafe template made safe, and the pinned formatter.

The generator gets the document with open replies and ASCII names of folders; no other module uses the generator.
"""

import contextlib
import copy
import hashlib
import importlib.metadata
import io
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import PythonIdentifier
from ruff import find_ruff_bin  # type: ignore[import-untyped]  # it comes without types

from .errors import BrokenInputs, DecisionNeeded
from .field_schema import body_fields, default_fits
from .settings import NAME as SETTINGS
from .settings import Settings
from .spec import (
    Json,
    Operation,
    components_of,
    follow,
    operations,
    our_operation,
    reply_schema,
    request_schema,
    statuses,
    walk,
)

STAMP: Final = "# Made by `make generate` from the vendor's page; never edited by hand.\n"
SIGNATURES: Final = "methods.py"  # editors show its annotations as they are written, so each stays on one line
_BOUNDARY_BLOCK = re.compile(
    r"""[ ]*\{%- if body\.content_type == "multipart/form-data" %\}\n"""
    r"""[ ]*headers\["Content-Type"\] = "multipart/form-data; boundary=\+\+\+"\n"""
    r"""(?P<indent>[ ]*)\{% else %\}\n"""
)
# The client sets the type of a form, boundary included, so that nothing in a value can end its part.
_SAFE_BLOCK = r'\g<indent>{%- if body.content_type != "multipart/form-data" %}' + "\n"

# Kinds whose lists of values the generator can write; `limits` holds the list in any case.
_LISTED: Final[dict[str, type]] = {"string": str, "integer": int}


def check_versions(settings: Settings) -> None:
    """Compare the installed tools with the pinned ones.

    Raises:
        BrokenInputs: one of them differs.
    """
    for name, wanted in settings.versions.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "not installed"
        if found != wanted:
            raise BrokenInputs(
                f"{name} is {found}, but {SETTINGS} pins {wanted}. Run `make setup`, or change both that file"
                " and pyproject.toml, then look at what changes under generated/."
            )


def safe_template(settings: Settings) -> str:
    """Return the generator's endpoint template without its fixed multipart boundary.

    Raises:
        BrokenInputs: the installed template is not the one that we know.
    """
    name, known = settings.template["name"], settings.template["sha256"]
    text = files("openapi_python_client").joinpath("templates", name).read_text("utf-8")
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != known:
        raise BrokenInputs(
            f"the installed {name} has sha256 {found}, {SETTINGS} knows {known}."
            " Read what changed in the template before you pin the new hash."
        )
    return _BOUNDARY_BLOCK.sub(_SAFE_BLOCK, text)


def prepared(document: Json, settings: Settings) -> Json:
    """Return a copy for the generator; the effective spec itself keeps what is changed here.

    No schema that only replies use lists its values: the generator turns `enum` into a closed type that raises on
    what the vendor adds tomorrow, and codes and statuses are open values here. An operation whose first tag is
    not ASCII gets the first word of its path for a folder. A form is written out as `limits` describes it, under its
    Python names, so that the generated body and the table of fields cannot differ; `client` gives the names on the wire
    back.
    """
    result: Json = copy.deepcopy(document)
    result["paths"] = _without_extensions(result["paths"])
    for operation in operations(result):
        operation.node.value["responses"] = _without_extensions(operation.node.value.get("responses", {}))
        tags = operation.node.value.get("tags") or [""]
        if not re.search(r"[A-Za-z]", tags[0]) or not tags[0].isascii():
            words = [
                part for part in operation.path.split("/") if re.fullmatch(r"(?!v\d+$)[A-Za-z][\w-]*", part, re.ASCII)
            ]
            operation.node.value["tags"] = words[:1] or ["other"]
        if is_form(result, operation):
            fields = body_fields(document, operation, settings)
            content = follow(result, operation.node.child("requestBody")).value["content"]
            media = next(name for name in content if name.startswith("multipart/"))
            content.clear()
            content[media] = {"schema": _form(fields)}
    bodies = [body[1].value for operation in operations(result) if (body := request_schema(result, operation))]
    replies = [
        reply.value
        for operation in operations(result)
        for status in statuses(operation.node)
        if (reply := reply_schema(result, operation, status))
    ]
    kept = components_of(result, bodies)
    for schema in [*replies, *(one for key, one in components_of(result, replies).items() if key not in kept)]:
        for node in walk(schema):
            if isinstance(node.value, dict) and isinstance(node.value.get("type"), (str, list)):
                node.value.pop("enum", None)
                node.value.pop("const", None)
    return result


def _without_extensions(items: Json) -> Json:
    return {key: value for key, value in items.items() if not key.startswith("x-")}


def is_form(document: Json, operation: Operation) -> bool:
    """Whether the operation takes a multipart form."""
    body = request_schema(document, operation)
    return body is not None and body[0].startswith("multipart/")


def _form(fields: list[Json]) -> Json:
    found: Json = {"type": "object", "properties": {field["attribute"]: _field(field) for field in fields}}
    if needed := [field["attribute"] for field in fields if field["required"]]:
        found["required"] = needed
    return found


def _field(field: Json) -> Json:
    binary = field["kind"] == "binary"
    item: Json = {"type": "string", "format": "binary"} if binary else {"type": field["kind"]}
    if field.get("enum") and all(type(value) is _LISTED.get(field["kind"]) for value in field["enum"]):
        item["enum"] = list(field["enum"])
    one: Json = {"type": "array", "items": item} if field.get("many") else item
    if "default" in field and default_fits(field) and not field.get("many"):
        one["default"] = field["default"]
    if "description" in field:
        one["description"] = field["description"]
    return one


@dataclass(frozen=True)
class WrittenEndpoint:
    """One operation as the generator writes it: module `module` of the folder `tag`, and the class of its body."""

    path: str
    method: str
    tag: str
    module: str
    body: ModelProperty | None


def endpoints(parsed: GeneratorData) -> Iterator[WrittenEndpoint]:
    """Return every operation that the generator writes."""
    for tag, collection in parsed.endpoint_collections_by_tag.items():
        for endpoint in collection.endpoints:
            bodies = [body.prop for body in endpoint.bodies if isinstance(body.prop, ModelProperty)]
            module = PythonIdentifier(endpoint.name, prefix="field_")
            yield WrittenEndpoint(
                path=_text(endpoint.path),
                method=_text(endpoint.method).lower(),
                tag=str(tag),
                module=str(module),
                body=bodies[0] if bodies else None,
            )


def _text(value: Any) -> str:
    return str(value.get_untrusted_value() if isinstance(value, UntrustedString) else value)


def _name_form_fields(document: Json, parsed: GeneratorData, settings: Settings) -> None:
    """Give the fields of every form their names on the wire; the prepared document has their Python names."""
    classes = {model.class_info.name: model for model in parsed.models}
    by_place = {(operation.path, operation.method): operation for operation in operations(document)}
    written: set[tuple[str, str]] = set()
    for endpoint in endpoints(parsed):
        if (endpoint.tag, endpoint.module) in written:
            raise DecisionNeeded(f"two operations would be the module {endpoint.module}; rename one in the overlay.")
        written.add((endpoint.tag, endpoint.module))
        operation = by_place[endpoint.path, endpoint.method]
        if endpoint.body is None or not is_form(document, operation):
            continue
        names = {field["attribute"]: field["name"] for field in body_fields(document, operation, settings)}
        model = classes[endpoint.body.class_info.name]
        for member in (*(model.required_properties or []), *(model.optional_properties or [])):
            python = _text(member.name)
            object.__setattr__(member, "python_name", python)
            object.__setattr__(member, "name", UntrustedString(names[python]))


# The generator's own imports the clients, and with them httpx, whenever a table or a model is imported.
_PACKAGE_INIT: Final = """{% from "helpers.jinja" import docstring %}
{{ docstring(package_description | safe_for_docstring) }}
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import AuthenticatedClient, Client

__all__ = ("AuthenticatedClient", "Client")


def __getattr__(name: str) -> Any:
    if name in __all__:
        from . import client

        return getattr(client, name)
    raise AttributeError(name)
"""


# The generator's own loads all models, each of which takes half a millisecond, whenever one of them is imported.
_MODELS_INIT: Final = '''"""Contains all the data models used in inputs/outputs"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
{% for import in imports | sort %}
    {{ import }}
{% else %}
    pass
{% endfor %}

__all__ = (
{% for name in alls | sort %}
    "{{ name }}",
{% endfor %}
)
_MODULES = {
{% for import in imports | sort %}
    "{{ import.split()[3] }}": "{{ import.split()[1] }}",
{% endfor %}
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name], __name__), name)
    raise AttributeError(name)
'''


def generate_client(document: Json, settings: Settings, into: Path) -> GeneratorData:
    """Write the client package for the effective spec to the new folder `into`; return the generator's own reading.

    Raises:
        DecisionNeeded: the generator warns or fails on the document.
        BrokenInputs: its template or version is not the pinned one.
    """
    check_versions(settings)
    config = Config.from_sources(
        ConfigFile(**settings.client, package_name_override=settings.package),
        MetaType.NONE,
        document_source=Path("openapi.json"),
        file_encoding="utf-8",
        overwrite=False,
        output_path=into,
    )
    parsed = GeneratorData.from_dict(prepared(document, settings), config=config)
    if isinstance(parsed, GeneratorError):
        raise _refusal([parsed])
    _name_form_fields(document, parsed, settings)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        (Path(folder) / settings.template["name"]).write_text(safe_template(settings), "utf-8")
        (Path(folder) / "package_init.py.jinja").write_text(_PACKAGE_INIT, "utf-8")
        (Path(folder) / "models_init.py.jinja").write_text(_MODELS_INIT, "utf-8")
        errors = Project(openapi=parsed, config=config, custom_template_path=Path(folder)).build()
    if errors:
        raise _refusal(list(errors))
    for path in into.rglob("*.py"):
        text = path.read_text("utf-8")
        if "boundary=" in text or '"multipart/form-data' in text:
            raise BrokenInputs(f"{path.relative_to(into)} still fixes the type of a form.")
    return parsed


def _refusal(errors: list[GeneratorError]) -> DecisionNeeded:
    text = "; ".join(" ".join(f"{error.header or ''} {error.detail or ''}".split())[:300] for error in errors)
    text = re.sub(r"<[\w.]+ object at 0x[0-9a-f]+>", "of its name", text)
    return DecisionNeeded(
        f"openapi-python-client cannot write all of the client ({text}). Repair the document in openapi/overlay.yaml."
    )


def stamp_and_format(package: Path) -> None:
    """Stamp every module of the package, and format it with the pinned ruff and no other settings.

    Raises:
        BrokenInputs: ruff fails.
    """
    for path in package.rglob("*.py"):
        path.write_text(STAMP + path.read_text("utf-8"), "utf-8")
    common = ["--isolated", "--no-cache", "--target-version", "py311"]
    for command in (
        ["check", "--select", "I,F401", "--fix-only", "."],
        ["format", "--exclude", SIGNATURES, "."],
        ["format", "--line-length", "320", SIGNATURES],
    ):
        done = subprocess.run(
            [find_ruff_bin(), *command, *common], cwd=package, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BrokenInputs(f"ruff {command[0]} failed on the generated code: {done.stderr.strip()[:400]}")


_ROLES = '''"""The operations that the client uses, by their role: the module of each, and the body of its request.

A page may rename an operation or move its body; these names stay. All are loaded when they are asked for: the modules
load httpx, and each body is a class that takes a while to make.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

'''
_LOADER = """

def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name], __package__)
    if name in _BODIES:
        module, body = _BODIES[name]
        globals()[name] = getattr(import_module(module, __package__), body)
        return globals()[name]
    raise AttributeError(name)
"""


def emit_roles(document: Json, parsed: GeneratorData, settings: Settings) -> str:
    """Return the text of roles.py.

    Raises:
        DecisionNeeded: The generator wrote no module for a role, or no body.
    """
    found = {(endpoint.path, endpoint.method): endpoint for endpoint in endpoints(parsed)}
    lines: list[str] = []
    modules: dict[str, str] = {}
    bodies: dict[str, tuple[str, str]] = {}
    names: list[str] = []
    for role, name in settings.roles.items():
        operation = our_operation(document, name)
        endpoint = found.get((operation.path, operation.method)) if operation else None
        if endpoint is None or endpoint.body is None:
            raise DecisionNeeded(f"the document has no operation {name} with a request body of fields.")
        body = endpoint.body.class_info
        names += [role, f"{role.capitalize()}Body"]
        lines.append(f"    from .api.{endpoint.tag} import {endpoint.module} as {role}\n")
        lines.append(f"    from .models.{body.module_name} import {body.name} as {role.capitalize()}Body\n")
        bodies[f"{role.capitalize()}Body"] = f".models.{body.module_name}", str(body.name)
        modules[role] = f".api.{endpoint.tag}.{endpoint.module}"
    checked = f"if TYPE_CHECKING:\n{''.join(lines)}"
    tables = f"_MODULES = {modules!r}\n_BODIES = {bodies!r}\n"
    return f"{_ROLES}{checked}\n__all__ = {sorted(names)!r}\n{tables}{_LOADER}"
