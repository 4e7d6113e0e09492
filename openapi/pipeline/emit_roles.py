"""Writes roles.py: stable names for the operations that the client uses, whatever the page calls them."""

from openapi_python_client.parser import GeneratorData

from .client import endpoints
from .errors import DecisionNeeded
from .fields import our_operation
from .settings import Settings
from .spec import Json

HEAD = '''"""The operations that the client uses, by their role: the module of each, and the body of its request.

A page may rename an operation or move its body; these names stay.
"""

'''


def emit_roles(document: Json, parsed: GeneratorData, settings: Settings) -> str:
    """Return the text of roles.py.

    Raises:
        DecisionNeeded: The generator wrote no module for a role, or no body.
    """
    found = {(endpoint.path, endpoint.method): endpoint for endpoint in endpoints(parsed)}
    lines: list[str] = []
    names: list[str] = []
    for role, name in settings.roles.items():
        operation = our_operation(document, name)
        endpoint = found.get((operation.path, operation.method)) if operation else None
        if endpoint is None or endpoint.body is None:
            raise DecisionNeeded(f"the document has no operation {name} with a request body of fields.")
        body = endpoint.body.class_info
        names += [role, f"{role.capitalize()}Body"]
        lines += [
            f"from .api.{endpoint.tag} import {endpoint.module} as {role}\n",
            f"from .models.{body.module_name} import {body.name} as {role.capitalize()}Body\n",
        ]
    return f"{HEAD}{''.join(lines)}\n__all__ = {sorted(names)!r}\n"
