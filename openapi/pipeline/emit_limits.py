"""Writes limits.py: everything machine-readable in the effective spec, as typed constants."""

import re
from collections.abc import Collection
from typing import Final

from .errors import DecisionNeeded
from .field_schema import body_fields, default_has_its_type
from .settings import Settings
from .spec import Json, Node, Operation, follow, operations, our_operation, request_schema

_RESERVED: Final = ("SUBMIT", "QUERY", "DELETE", "OPERATIONS", "SERVER", "AUTH_SCHEME", "AUTH_HEADER")
HEAD: Final = '''"""What the effective spec says in machine-readable form, as data: server, operations, fields, limits.

Nothing here is typed by hand, so a changed limit of the vendor's needs no edit anywhere else.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from attrs import frozen

Scalar = str | int | float | bool
Number = int | float


@frozen(kw_only=True, eq=False, repr=False)
class Field:
    """One field of a request body.

    Attributes:
        name: on the wire.
        attribute: of the generated body class; also the parameter of the client.
        kind: of the value, or of each item when `many`.
        many: the field is an array.
        enum: allowed values; empty when any is.
        pattern: for `re.search`; translated from the spec's ECMA-262.
        description: the vendor's prose, as it is.
    """

    name: str
    attribute: str
    kind: Literal["string", "integer", "number", "boolean", "binary", "object"]
    many: bool = False
    required: bool = False
    nullable: bool = False
    default: Scalar | None = None
    enum: tuple[Scalar, ...] = ()
    minimum: Number | None = None
    maximum: Number | None = None
    exclusive_minimum: Number | None = None
    exclusive_maximum: Number | None = None
    multiple_of: Number | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    description: str = ""

    def is_multiple(self, number: Number) -> bool:
        """Whether the number is a multiple of `multiple_of`, reckoned exactly as both are written."""
        if self.multiple_of is None:
            return True
        from fractions import Fraction

        return (Fraction(str(number)) / Fraction(str(self.multiple_of))).denominator == 1


@frozen(kw_only=True, eq=False, repr=False)
class Operation:
    """One operation: how to send it, and the fields of its request body (none when it has no body)."""

    id: str
    method: str
    path: str
    media_type: str
    secured: bool
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The field with that name on the wire.

        Raises:
            KeyError: there is none.
        """
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


'''


def emit_limits(document: Json, settings: Settings) -> str:
    """Return the text of limits.py for the effective spec.

    Raises:
        DecisionNeeded: An operation that the client uses is not there, or its key or address cannot be used.
    """
    blocks: list[str] = [HEAD]
    constants: dict[str, str] = {}
    for operation in operations(document):
        constants[operation.id] = _constant(operation.id, constants.values())
        fields = body_fields(document, operation, settings)
        blocks.append(_operation(document, operation, constants[operation.id], fields))
    if gone := [name for name in settings.roles.values() if name not in constants]:
        raise DecisionNeeded(f"the document has no operation {gone[0]}.")
    scheme, header = auth_scheme(document, settings.submit)
    roles = "".join(f"{role.upper()}: Final = {constants[name]}\n" for role, name in settings.roles.items())
    listed = "".join(f"    {name!r}: {constant},\n" for name, constant in constants.items())
    blocks += [
        f"OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType({{\n{listed}}})\n",
        f'"""Every operation by its operationId."""\n\n{roles}',
        (f"SERVER: Final = {_server(document)!r}\nAUTH_SCHEME: Final = {scheme!r}\nAUTH_HEADER: Final = {header!r}\n"),
    ]
    return "\n".join(blocks)


def _constant(name: str, taken: Collection[str]) -> str:
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"\W+", "_", name)).upper().strip("_")
    found = words if words.isidentifier() else f"OPERATION_{words}"
    while found in taken or found in _RESERVED:
        found += "_"
    return found


def _operation(document: Json, operation: Operation, constant: str, fields: list[Json]) -> str:
    body = request_schema(document, operation)
    security = operation.node.value.get("security", document.get("security", []))
    rows = "".join(
        "        Field(" + ", ".join(f"{key}={value!r}" for key, value in _usable(field).items()) + "),\n"
        for field in fields
    )
    return (
        f"{constant}: Final = Operation(\n    id={operation.id!r},\n    method={operation.method.upper()!r},\n"
        f"    path={operation.path!r},\n    media_type={(body[0] if body else '')!r},\n    secured={bool(security)},\n"
        f"    fields=(\n{rows}    ),\n)\n"
    )


def _usable(field: Json) -> Json:
    """Return the field without a default of another type than its own, which nothing could reckon with."""
    return field if default_has_its_type(field) else {key: field[key] for key in field if key != "default"}


def _server(document: Json) -> str:
    url = server_address(document)
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?(/[\w./~-]*)?", url):
        raise DecisionNeeded(f"servers[0].url is {url!r}: the key may only travel to an absolute https:// address.")
    return url.rstrip("/")


def server_address(document: Json) -> str:
    """Return the address of the document's first server, each variable replaced by its default; empty without one."""
    first: Json = next(iter(document.get("servers") or []), {})
    defaults = {name: variable["default"] for name, variable in (first.get("variables") or {}).items()}
    return re.sub(r"\{([^{}]*)\}", lambda match: str(defaults.get(match[1], match[0])), str(first.get("url", "")))


def auth_scheme(document: Json, submit: str) -> tuple[str, str]:
    """Return the name of the security scheme that the submit operation asks for, and the header of its key.

    Raises:
        DecisionNeeded: It asks for no single key in a header.
    """
    operation = our_operation(document, submit)
    asked = operation.node.value.get("security", document.get("security")) if operation else None
    schemes = document.get("components", {}).get("securitySchemes", {})
    # Where the operation asks for nothing, a key that the document declares still travels: it does no harm.
    for option in asked or [{name: []} for name in schemes]:
        if len(option) == 1 and (name := next(iter(option))) in schemes:
            scheme = follow(document, Node(schemes[name])).value
            if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
                return name, scheme["name"]
            if scheme.get("type") == "http" and str(scheme.get("scheme", "")).lower() == "bearer":
                return name, "Authorization"
    schemes = " or ".join(" and ".join(option) or "nothing" for option in asked or []) or "nothing"
    raise DecisionNeeded(f"{submit} asks for {schemes}, but the client can only send one API key in a header.")
