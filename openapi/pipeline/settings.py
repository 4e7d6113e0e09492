"""Settings of the run (openapi/generator.yaml)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .errors import BrokenInputs
from .strict_yaml import Unreadable, load_yaml

NAME: Final = "openapi/generator.yaml"


@dataclass(frozen=True)
class Settings:
    """What the file says; each key is explained there."""

    submit: str
    supported_operations: tuple[str, ...]
    explicit_fields: tuple[str, ...]
    package: str
    versions: Mapping[str, str]
    template: str
    template_sha256: str
    boundary_lines: int
    client: Mapping[str, Any]


def parse(text: str) -> Settings:
    """The settings in the text.

    Raises:
        BrokenInputs: a key is missing or unknown.
    """
    try:
        raw = load_yaml(text)
        template = raw["template"]
        keys = {"submit", "supported_operations", "explicit_fields", "package", "versions", "template", "client"}
        if unknown := sorted(set(raw) - keys):
            raise BrokenInputs(f"{NAME}: unknown key {unknown[0]!r}.")
        return Settings(
            raw["submit"],
            tuple(raw["supported_operations"]),
            tuple(raw["explicit_fields"]),
            raw["package"],
            {name: str(version) for name, version in raw["versions"].items()},
            template["name"],
            template["sha256"],
            int(template["boundary_lines"]),
            raw["client"],
        )
    except (Unreadable, KeyError, TypeError, AttributeError) as error:
        raise BrokenInputs(f"{NAME} cannot be used: {error}.") from None
