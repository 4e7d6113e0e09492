"""Writes roles.py: stable names for the operations that the client uses, whatever the page calls them."""

from openapi_python_client.parser import GeneratorData

from .client import endpoints
from .errors import DecisionNeeded
from .settings import Settings
from .spec import Json, our_operation

HEAD = '''"""The operations that the client uses, by their role: the module of each, and the body of its request.

A page may rename an operation or move its body; these names stay. The modules are loaded when they are asked for,
because they load httpx.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

'''
LOADER = """

def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name], __package__)
    raise AttributeError(name)
"""


def emit_roles(document: Json, parsed: GeneratorData, settings: Settings) -> str:
    """Return the text of roles.py.

    Raises:
        DecisionNeeded: The generator wrote no module for a role, or no body.
    """
    found = {(endpoint.path, endpoint.method): endpoint for endpoint in endpoints(parsed)}
    bodies: list[str] = []
    lines: list[str] = []
    modules: dict[str, str] = {}
    names: list[str] = []
    for role, name in settings.roles.items():
        operation = our_operation(document, name)
        endpoint = found.get((operation.path, operation.method)) if operation else None
        if endpoint is None or endpoint.body is None:
            raise DecisionNeeded(f"the document has no operation {name} with a request body of fields.")
        body = endpoint.body.class_info
        names += [role, f"{role.capitalize()}Body"]
        bodies.append(f"from .models.{body.module_name} import {body.name} as {role.capitalize()}Body\n")
        lines.append(f"    from .api.{endpoint.tag} import {endpoint.module} as {role}\n")
        modules[role] = f".api.{endpoint.tag}.{endpoint.module}"
    checked = f"\nif TYPE_CHECKING:\n{''.join(lines)}"
    return f"{HEAD}{''.join(bodies)}{checked}\n__all__ = {sorted(names)!r}\n_MODULES = {modules!r}\n{LOADER}"
