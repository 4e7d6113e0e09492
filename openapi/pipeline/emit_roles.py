"""Writes roles.py: stable names for the operations that the client uses, whatever the page calls them."""

from openapi_python_client.parser import GeneratorData

from .client import endpoints
from .errors import DecisionNeeded
from .settings import Settings
from .spec import Json, our_operation

HEAD = '''"""The operations that the client uses, by their role: the module of each, and the body of its request.

A page may rename an operation or move its body; these names stay. All are loaded when they are asked for: the modules
load httpx, and each body is a class that takes a while to make.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

'''
LOADER = """

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
    return f"{HEAD}{checked}\n__all__ = {sorted(names)!r}\n{tables}{LOADER}"
