"""Fault plans: YAML files with a list of faults."""

from pathlib import Path
from typing import Any, Final, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent

from seedream_sandbox.faults.language import Fault, FaultError, make_fault, parse_fault

_LARGEST: Final = 256 * 1024  # bytes


def load_plan(path: Path) -> list[Fault]:
    """Read the faults of a plan file: YAML 1.2 (or JSON) with a list ``faults``.

    Each entry is a fault as on the command line (``cut-reply nth=2``), or a mapping with the key ``fault`` and its
    settings. Aliases (``*name``) are refused, because a few of them can expand to gigabytes.

    Raises:
        FaultError: The file cannot be read, holds no such list, or an entry is wrong; the message says which.
    """
    try:
        document = _read(path)
    except (OSError, ValueError, YAMLError, RecursionError) as error:
        raise FaultError(f"the fault plan {path.name} cannot be read: {str(error) or type(error).__name__}") from None
    entries = cast("dict[str, Any]", document).get("faults") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise FaultError(f"the fault plan {path.name} has no list named faults")
    return [_entry(path, number, entry) for number, entry in enumerate(cast("list[object]", entries), start=1)]


def _read(path: Path) -> object:
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"it is larger than {_LARGEST // 1024} kB")
    text = content.decode("utf-8")
    if any(isinstance(event, AliasEvent) for event in YAML(typ="safe", pure=True).parse(text)):
        raise ValueError("aliases (*name) are not allowed: write each entry out")
    return YAML(typ="safe", pure=True).load(text)


def _entry(path: Path, number: int, entry: object) -> Fault:
    try:
        if isinstance(entry, str):
            return parse_fault(entry)
        if isinstance(entry, dict):
            settings = {str(key): value for key, value in cast("dict[object, Any]", entry).items()}
            return make_fault(str(settings.pop("fault", "")), settings)
    except FaultError as error:
        raise FaultError(f"entry {number} of the fault plan {path.name}: {error}") from None
    raise FaultError(f"entry {number} of the fault plan {path.name} is neither text nor a mapping")
