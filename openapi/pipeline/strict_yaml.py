"""Read YAML 1.2 (core schema) and JSON into plain data, in bounded time and memory, and write YAML for any loader.

ruamel's pure safe loader already refuses duplicate keys, unknown tags and a second document. What it takes beyond JSON
is refused afterwards: merge keys, keys that are not text, NaN, lone surrogates, and documents that are too deep or too
large once their aliases are written out.
"""

import copy
import json
import math
import re
from collections.abc import Callable
from functools import lru_cache
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.representer import SafeRepresenter
from ruamel.yaml.resolver import VersionedResolver

MAX_YAML_BYTES: Final = 1_000_000  # the pure parser reads about 100 kB a second
MAX_JSON_BYTES: Final = 20_000_000
MAX_DEPTH: Final = 60
MAX_NODES: Final = 200_000

_PLAIN = re.compile(r"[A-Za-z/$_][\w./$(){}+-]*( [\w./$(){}+-]+)*", re.ASCII)
# Lines that a block scalar shows as they are: printable, none beginning the text with a space or ending in one.
_BLOCK = re.compile(
    r"(?!\s)(?:(?! \n)[\n\x20-\x7e\xa1-\u2027\u2030-\u2fff\u3001-\ud7ff\uf900-\ufefe\uff00-\uffef])+(?<! )"
)
_YAML11_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])


class Unreadable(ValueError):
    """The text is not YAML or JSON that the pipeline reads; the message says what is wrong and where."""


def _core_schema() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """Return the types of the YAML 1.2 core schema by the first character of the text that has them."""
    found: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for name, form, first in (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("int", r"[-+]?[0-9]{1,400}|0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}", "-+0123456789"),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
        ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
    ):
        for char in first:
            found.setdefault(char, []).append((f"tag:yaml.org,2002:{name}", re.compile(rf"(?:{form})\Z")))
    return found


class _CoreResolver(VersionedResolver):
    """Resolves plain scalars by the core schema: `9:16`, `no` and `2026-01-02` are text."""

    @property
    def versioned_resolver(self) -> Any:
        """The table of types."""
        return _CORE


_CORE: Final = _core_schema()


def load_yaml(text: str) -> Any:
    """Return the plain data of one YAML 1.2 document.

    Raises:
        Unreadable: The text is not one well-formed document, or holds what JSON could not.
    """
    return copy.deepcopy(_load_yaml(text))


@lru_cache(maxsize=16)
def _load_yaml(text: str) -> Any:
    """Do the work of `load_yaml` once for each text: a run reads its own inputs several times."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_YAML_BYTES:
        raise Unreadable(f"longer than {MAX_YAML_BYTES:,} bytes")
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _CoreResolver
    try:
        data = yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"
        text = f"{error.context or ''} {error.problem or ''}"
        raise Unreadable(f"{_line(text)}{place}") from None
    except RecursionError:
        raise Unreadable(f"nested deeper than {MAX_DEPTH} levels") from None
    except (YAMLError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise Unreadable(_line(str(error)) or type(error).__name__) from None
    if data is None:
        raise Unreadable("it is empty")
    return _Plain().value(data, 0)


def _line(text: str) -> str:
    return " ".join(text.split())[:200]


def _object(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the mapping. A key may be given twice in different ways: 200 and "200"."""
    found = dict(items)
    if len(found) != len(items):
        names = [name for name, _ in items]
        twice = next(name for name in names if names.count(name) > 1)
        raise Unreadable(f"found duplicate key {twice!r:.80} in one object")
    return found


class _Plain:
    """Checks that loaded data is what JSON could hold, and copies it with text as keys."""

    def __init__(self) -> None:
        self.done: dict[int, tuple[Any, int]] = {}  # the value of an alias, and how many values it holds
        self.open: set[int] = set()
        self.nodes = 0

    def value(self, node: Any, depth: int) -> Any:
        """Return the node as plain data.

        Raises:
            Unreadable: It holds something else, or too much.
        """
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH} levels")
        if id(node) in self.open:
            raise Unreadable("an alias contains itself")
        result, nodes = self.done.get(id(node), (None, 1))
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise Unreadable(f"more than {MAX_NODES:,} values once its aliases are written out")
        if id(node) in self.done:
            return result
        if not isinstance(node, (dict, list)):
            return self.scalar(node)
        before = self.nodes
        self.open.add(id(node))
        if isinstance(node, dict):
            result = _object([(self.key(key), self.value(child, depth + 1)) for key, child in node.items()])
        else:
            result = [self.value(child, depth + 1) for child in node]
        self.open.remove(id(node))
        self.done[id(node)] = result, self.nodes - before + 1
        return result

    def key(self, key: Any) -> str:
        """Return a key as text: OpenAPI tools read an unquoted response status as text."""
        if isinstance(key, int) and not isinstance(key, bool):
            return str(key)
        if not isinstance(key, str):
            raise Unreadable(f"the key {key!r:.40} is not text")
        if key == "<<":
            raise Unreadable("it holds a merge key (<<), which YAML 1.2 does not have")
        return str(self.scalar(key))

    def scalar(self, value: Any) -> Any:
        """Return the scalar when JSON has it."""
        if isinstance(value, str):
            if re.search(r"[\ud800-\udfff]", value):
                raise Unreadable(f"the text {value!r:.60} holds half of a character (a lone surrogate)")
        elif isinstance(value, float) and not math.isfinite(value):
            raise Unreadable(f"{value} is too large or not a number that JSON has")
        elif value is not None and not isinstance(value, (bool, int, float)):
            raise Unreadable(f"a value of type {type(value).__name__} is not taken")
        return value


def load_json(text: str) -> Any:
    """Return the plain data of one JSON text without duplicate keys.

    Raises:
        Unreadable: It is anything else, or too large or too deep.
    """
    if len(text) > MAX_JSON_BYTES:
        raise Unreadable(f"longer than {MAX_JSON_BYTES:,} characters")

    try:
        return _Plain().value(json.loads(text, object_pairs_hook=_object), 0)
    except RecursionError:
        raise Unreadable(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise Unreadable(_line(str(error))) from None


def _represent_text(representer: SafeRepresenter, text: str) -> Any:
    style: str | None = '"'
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML11_WORDS:
        style = None
    elif "\n" in text and _BLOCK.fullmatch(text):
        style = "|"
    return representer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def dump_yaml(data: Any) -> str:
    """YAML text of plain data in the order given; YAML 1.1 and 1.2 loaders read the same from it."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 100_000
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]

    class Representer(SafeRepresenter):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - ruamel's signature
            return True

    represent: Callable[[SafeRepresenter, str], Any] = _represent_text
    Representer.add_representer(str, represent)
    yaml.Representer = Representer
    stream = StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()
