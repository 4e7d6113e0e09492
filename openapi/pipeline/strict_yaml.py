"""YAML 1.2 (core schema) and JSON, read strictly and in bounded time and memory; YAML written for any loader.

A YAML 1.1 loader reads an unquoted `9:16` as 556 and `no` as false, and a safe loader silently takes merge keys and
expands alias bombs while they are walked. This reader builds plain data from the parser's events and refuses the rest.
"""

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.representer import SafeRepresenter

MAX_YAML_BYTES: Final = 1_000_000  # the pure parser reads about 100 kB a second
MAX_JSON_BYTES: Final = 20_000_000
MAX_DEPTH: Final = 60
MAX_NODES: Final = 200_000
MAX_DIGITS: Final = 400  # more would only cost time; they stay text

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z/$_][\w./$(){}+-]*( [\w./$(){}+-]+)*", re.ASCII)
# Lines that a block scalar shows as they are: printable, none beginning the text with a space or ending in one.
_BLOCK = re.compile(
    r"(?!\s)(?:(?! \n)[\n\x20-\x7e\xa1-\u2027\u2030-\u2fff\u3001-\ud7ff\uf900-\ufefe\uff00-\uffef])+(?<! )"
)
_YAML11_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])


class Unreadable(ValueError):
    """The text is not the strict YAML or JSON that we take; says what and where."""


def _where(event: Event) -> str:
    mark = event.start_mark
    return "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"


def _scalar(event: ScalarEvent) -> Any:
    text: str = event.value
    tag: str | None = event.tag
    if tag not in (None, "!", "tag:yaml.org,2002:str"):
        raise Unreadable(f"the tag {tag!s:.60} is not taken{_where(event)}")
    if tag is not None or event.style in ("'", '"', "|", ">"):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if len(text) < MAX_DIGITS:
        if _INT.fullmatch(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if _FLOAT.fullmatch(text):
            return _finite(float(text), text)
    if _NOT_FINITE.fullmatch(text):
        raise Unreadable(f"{text} is no number that JSON knows{_where(event)}")
    return text


def _finite(value: float, text: str) -> float:
    if value in (float("inf"), float("-inf")):
        raise Unreadable(f"the number {text:.40} is too large")
    return value


class _Builder:
    """Plain data from parser events, counting nodes as if every alias were written out."""

    def __init__(self, events: Iterator[Event]) -> None:
        self.events = events
        self.nodes = 0
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.open: set[str] = set()

    def count(self, nodes: int, event: Event) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise Unreadable(f"more than {MAX_NODES:,} values once its aliases are written out{_where(event)}")

    def value(self, event: Event, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise Unreadable(f"nested deeper than {MAX_DEPTH} levels{_where(event)}")
        if isinstance(event, AliasEvent):
            return self.alias(event)
        before = self.nodes
        self.count(1, event)
        anchor: str | None = getattr(event, "anchor", None)
        if anchor is not None:
            self.open.add(anchor)
        result: Any
        if isinstance(event, ScalarEvent):
            result = _scalar(event)
        elif isinstance(event, SequenceStartEvent):
            result = self.sequence(event, depth)
        elif isinstance(event, MappingStartEvent):
            result = self.mapping(event, depth)
        else:
            raise Unreadable(f"unexpected {type(event).__name__}{_where(event)}")
        if anchor is not None:
            self.open.discard(anchor)
            self.anchors[anchor] = (result, self.nodes - before)
        return result

    def alias(self, event: AliasEvent) -> Any:
        name: str = event.anchor
        if name in self.open:
            raise Unreadable(f"the alias *{name} contains itself{_where(event)}")
        if name not in self.anchors:
            raise Unreadable(f"the alias *{name} has no anchor{_where(event)}")
        result, nodes = self.anchors[name]
        self.count(nodes, event)
        return result

    def sequence(self, start: SequenceStartEvent, depth: int) -> list[Any]:
        if start.tag is not None:
            raise Unreadable(f"the tag {start.tag!s:.60} is not taken{_where(start)}")
        items: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self.value(event, depth + 1))
        return items

    def mapping(self, start: MappingStartEvent, depth: int) -> dict[str, Any]:
        if start.tag is not None:
            raise Unreadable(f"the tag {start.tag!s:.60} is not taken{_where(start)}")
        items: dict[str, Any] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.key(event)
            if key in items:
                raise Unreadable(f"the key {key!r:.80} stands twice in one mapping{_where(event)}")
            items[key] = self.value(next(self.events), depth + 1)
        return items

    def key(self, event: Event) -> str:
        if not isinstance(event, ScalarEvent):
            raise Unreadable(f"a key that is not text{_where(event)}")
        value = _scalar(event)
        if event.value == "<<" and event.style not in ("'", '"'):
            raise Unreadable(f"a merge key (<<), which YAML 1.2 does not know{_where(event)}")
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(event.value)  # an unquoted response status: OpenAPI tools all read it as text
        raise Unreadable(f"the key {event.value!r:.40} is not text{_where(event)}")


def load_yaml(text: str) -> Any:
    """Plain data of one YAML 1.2 document.

    Raises:
        Unreadable: not one well-formed document, duplicate or merge keys, tags, alias bombs, too deep or too large.
    """
    return copy.deepcopy(_load_yaml(text))


@lru_cache(maxsize=16)
def _load_yaml(text: str) -> Any:
    """`load_yaml`, once for a text: a run reads its own inputs several times."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_YAML_BYTES:
        raise Unreadable(f"longer than {MAX_YAML_BYTES:,} bytes")
    events: Iterator[Event] = YAML(typ="safe", pure=True).parse(text)
    try:
        next(events)  # stream start
        event = next(events)
        if isinstance(event, StreamEndEvent):
            raise Unreadable("it is empty")
        if not isinstance(event, DocumentStartEvent):
            raise Unreadable("it does not begin as a document")
        data = _Builder(events).value(next(events), 0)
        if not isinstance(next(events), DocumentEndEvent) or not isinstance(next(events), StreamEndEvent):
            raise Unreadable("it holds more than one document")
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"
        raise Unreadable(f"{error.problem or error.context or 'malformed'}{place}") from None
    except (YAMLError, RecursionError, ValueError, StopIteration) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(" ".join(str(error).split())[:200] or type(error).__name__) from None
    return data


def load_json(text: str) -> Any:
    """Plain data of one JSON text, refusing duplicate keys, NaN and bottomless nesting.

    Raises:
        Unreadable: anything else.
    """
    if len(text) > MAX_JSON_BYTES:
        raise Unreadable(f"longer than {MAX_JSON_BYTES:,} characters")

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            seen: set[str] = set()
            twice = next(k for k, _ in items if k in seen or seen.add(k))  # type: ignore[func-returns-value]
            raise Unreadable(f"the key {twice!r:.80} stands twice in one object")
        return found

    def constant(word: str) -> Any:
        raise Unreadable(f"{word} is no number that JSON knows")

    def number(text: str) -> float:
        return _finite(float(text), text)

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=number)
    except RecursionError:
        raise Unreadable(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(str(error)) from None
    _check_depth(data)
    return data


def _check_depth(data: Any) -> None:
    level, nodes = [data], 0
    for _ in range(MAX_DEPTH + 1):
        nodes += len(level)
        if nodes > MAX_NODES:
            raise Unreadable(f"more than {MAX_NODES:,} values")
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return
    raise Unreadable(f"nested deeper than {MAX_DEPTH} levels")


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
