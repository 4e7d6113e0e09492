"""The files that a run reads (openapi/), and where the vendored one came from (SOURCE.toml)."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from . import ledger, overlay, settings
from .errors import BrokenInputs
from .spec import Json, operations
from .strict_yaml import Unreadable, load_yaml

VENDORED: Final = "openapi/seedreamv45.yaml"
ORIGIN: Final = "openapi/SOURCE.toml"
OVERLAY: Final = "openapi/overlay.yaml"
RULES: Final = ledger.NAME
REVIEWED: Final = ledger.REVIEWED
SETTINGS: Final = settings.NAME


@dataclass(frozen=True)
class Origin:
    """Where the vendored YAML came from; one key of SOURCE.toml each.

    Attributes:
        documentation: address of the vendor's documentation; address: of the page itself, as Markdown (https).
        page: name of the file that was given; form: page, yaml or json.
        page_sha256: of that file; yaml_sha256: of the vendored YAML.
        fence: info string of the page's block; title: the page's heading.
        language: of the edition; taken: day (UTC) on which it was vendored.
        text: sentences of the page around its block, in which the vendor may state a rule.
    """

    documentation: str = ""
    address: str = ""
    page: str = ""
    form: str = ""
    page_sha256: str = ""
    fence: str = ""
    title: str = ""
    language: str = ""
    taken: str = ""
    yaml_sha256: str = ""
    text: tuple[str, ...] = ()

    def toml(self) -> bytes:
        """Return the text of SOURCE.toml."""
        head = "# Where seedreamv45.yaml came from. Written by `make generate SPEC=PATH`; never edited by hand.\n"
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        rows = (f"{name} = {_toml(value)}\n" for name, value in values)
        return (head + "".join(rows)).encode()


def _toml(value: str | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return json.dumps(_shown(value), ensure_ascii=False)
    return "[" + "".join(f"\n  {_toml(text)}," for text in value) + ("\n]" if value else "]")


def _shown(text: str) -> str:
    """Return text that TOML takes: a file name or a heading may hold anything."""
    return "".join(char if char.isprintable() else "?" for char in text)


@dataclass(frozen=True)
class Inputs:
    """The inputs: the bytes of each file, and what is in them."""

    # the six files by path from the root; the vendored one and its origin are missing before the first page
    files: Mapping[str, bytes]
    origin: Origin
    document: Json  # the vendored spec; empty before the first page
    actions: list[overlay.Action]
    ledger: ledger.Ledger
    settings: settings.Settings


def load(root: Path) -> Inputs:
    """Read the inputs below the root.

    Raises:
        BrokenInputs: one is missing or malformed, or the vendored YAML is not the one that SOURCE.toml names.
    """
    files = {name: (root / name).read_bytes() for name in (VENDORED, ORIGIN) if (root / name).is_file()}
    for name in (OVERLAY, RULES, REVIEWED, SETTINGS):
        if not (root / name).is_file():
            raise BrokenInputs(f"{name} is missing.")
        files[name] = (root / name).read_bytes()
    return read(files)


def read(files: Mapping[str, bytes]) -> Inputs:
    """Read the inputs from these files; see `load`."""
    if (VENDORED in files) != (ORIGIN in files):
        raise BrokenInputs(f"{VENDORED} and {ORIGIN} belong together, but one is missing.")
    origin = _origin(files[ORIGIN]) if ORIGIN in files else Origin()
    document: Json = {}
    if VENDORED in files:
        found = hashlib.sha256(files[VENDORED]).hexdigest()
        if found != origin.yaml_sha256:
            raise BrokenInputs(
                f"{VENDORED} was edited by hand: its sha256 is {found}, {ORIGIN} says {origin.yaml_sha256}."
                " Restore it (git checkout); repairs belong into openapi/overlay.yaml, updates come with SPEC=PATH."
            )
        document = _yaml(files, VENDORED)
    actions = overlay.parse(_yaml(files, OVERLAY))
    rules = ledger.parse(_yaml(files, RULES), _yaml(files, REVIEWED))
    for action in actions:
        for rule in action.rules:
            if rule not in rules.rules:
                raise BrokenInputs(
                    f"{OVERLAY}, action {action.index + 1} rests on {rule}, which {RULES} does not have."
                )
    given = settings.parse(_yaml(files, SETTINGS))
    name_submit(document, given)
    return Inputs(files, origin, document, actions, rules, given)


def name_submit(document: Json, given: settings.Settings) -> bool:
    """Give the submit operation its operationId when the page gives it none; return whether that was so."""
    here = list(operations(document))
    if any(operation.id == given.submit for operation in here):
        return False
    for operation in here:
        if "operationId" not in operation.node.value and f"{operation.method} {operation.path}" == given.route:
            operation.node.value["operationId"] = given.submit
            return True
    return False


def _yaml(files: Mapping[str, bytes], name: str) -> Any:
    try:
        return load_yaml(files[name].decode())
    except UnicodeDecodeError:
        raise BrokenInputs(f"{name} is not UTF-8 text.") from None
    except Unreadable as error:
        raise BrokenInputs(f"{name} cannot be read: {error}.") from None


def read_origin(root: Path) -> Origin:
    """Return what openapi/SOURCE.toml says; an empty Origin before the first page is taken."""
    path = root / ORIGIN
    return _origin(path.read_bytes()) if path.is_file() else Origin()


def _origin(data: bytes) -> Origin:
    known = {field.name for field in fields(Origin)}
    try:
        raw = tomllib.loads(data.decode())
    except ValueError as error:
        raise BrokenInputs(f"{ORIGIN} cannot be read: {error}.") from None
    text = raw.pop("text", [])
    texts = [*raw.values(), *(text if isinstance(text, list) else [None])]
    if set(raw) | {"text"} != known or not all(isinstance(value, str) for value in texts):
        raise BrokenInputs(f"{ORIGIN} must hold these texts: {', '.join(sorted(known))}.")
    return Origin(**raw, text=tuple(text))
