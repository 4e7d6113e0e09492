"""Settings of the run (openapi/generator.yaml)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from .errors import BrokenInputs, check_form

NAME: Final = "openapi/generator.yaml"
ROLES: Final = ("submit", "query", "delete")
_PARAMETERS: Final = {"*": {"type": str, "meaning": str}}
_FORM: Final = {
    "roles": {"*": str}, "route": str, "explicit_fields": {"*": str}, "reserved_names": [str], "package": str,
    "methods": {"fields": _PARAMETERS, "submit": _PARAMETERS, "generate": _PARAMETERS},
    "versions": dict, "template": {"*": str}, "client": dict,
}  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """A parameter of submit() or generate() that is not a field of the page."""

    type: str
    default: str | float | bool | None
    meaning: str


@dataclass(frozen=True)
class Methods:
    """What submit() and generate() have besides the page's fields, and what is said of those (by Python name)."""

    meanings: Mapping[str, str]
    types: Mapping[str, str]
    submit: Mapping[str, Parameter]
    generate: Mapping[str, Parameter]


@dataclass(frozen=True)
class Settings:
    """What the file says; each key is explained there."""

    roles: Mapping[str, str]
    route: str
    explicit_fields: Mapping[str, str]
    methods: Methods
    reserved_names: tuple[str, ...]
    package: str
    versions: Mapping[str, str]
    template: Mapping[str, str]
    client: Mapping[str, Any]

    @property
    def submit(self) -> str:
        """The operationId of the submit operation."""
        return self.roles["submit"]

    @property
    def supported_operations(self) -> tuple[str, ...]:
        """The operationIds of the other operations that the client uses."""
        return tuple(name for role, name in self.roles.items() if role != "submit")


def parse(raw: Any) -> Settings:
    """Read the settings from the content of the file.

    Raises:
        BrokenInputs: a key is missing or unknown, or its value has another form.
    """
    check_form(raw, _FORM, NAME)
    try:
        known = [field.name for field in fields(Settings)]
        if unknown := sorted(set(raw) - set(known)):
            raise BrokenInputs(f"{NAME}: unknown key {unknown[0]!r}.")
        named, submit, generate = (raw["methods"][key] for key in ("fields", "submit", "generate"))
        methods = Methods(
            {name: field["meaning"] for name, field in named.items()},
            {name: field["type"] for name, field in named.items() if "type" in field},
            {name: Parameter(**values) for name, values in submit.items()},
            {name: Parameter(**values) for name, values in generate.items()},
        )
        given: dict[str, Any] = {
            **{name: raw[name] for name in known},
            "roles": {role: raw["roles"][role] for role in ROLES},
            "methods": methods,
            "template": {name: raw["template"][name] for name in ("name", "sha256")},
            "reserved_names": (*methods.submit, *methods.generate, *raw["reserved_names"]),
            "versions": {name: str(version) for name, version in raw["versions"].items()},
        }
        return Settings(**given)
    except (KeyError, TypeError, AttributeError) as error:
        raise BrokenInputs(f"{NAME} cannot be used: {error}.") from None
