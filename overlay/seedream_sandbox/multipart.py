"""Decodes multipart/form-data with python-multipart: a reading of the bytes that shares no code with the client."""

from typing import Final

from attrs import define, field, frozen
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

_MOST_PARTS: Final = 1000


class MalformedForm(Exception):
    """The body is not the form that its Content-Type promises."""


@frozen
class Part:
    """One part of a form.

    Attributes:
        name: Of the field.
        filename: None for a text field.
        content_type: As sent, or None.
        content: The bytes.
        headers: All of the part's headers, names in lower case.
    """

    name: str
    filename: str | None
    content_type: str | None
    content: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()


@define
class _Reader:
    """Collects what the parser calls back with."""

    parts: list[Part] = field(factory=list[Part])
    headers: list[tuple[str, str]] = field(factory=list[tuple[str, str]])
    name: bytearray = field(factory=bytearray)
    value: bytearray = field(factory=bytearray)
    content: bytearray = field(factory=bytearray)
    ended: bool = False

    def on_part_begin(self) -> None:
        if len(self.parts) >= _MOST_PARTS:
            raise MalformedForm(f"more than {_MOST_PARTS} parts")
        self.headers, self.content = [], bytearray()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def on_header_end(self) -> None:
        self.headers.append((_text(self.name).lower(), _text(self.value)))
        self.name, self.value = bytearray(), bytearray()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.content += data[start:end]

    def on_part_end(self) -> None:
        dispositions = [value for name, value in self.headers if name == "content-disposition"]
        if len(dispositions) != 1:
            raise MalformedForm(f"a part has {len(dispositions)} Content-Disposition headers, not one")
        kind, options = parse_options_header(dispositions[0])
        if kind.lower() != b"form-data" or b"name" not in options:
            raise MalformedForm("a part is not form-data with a name")
        filename = options.get(b"filename")
        types = [value for name, value in self.headers if name == "content-type"]
        self.parts.append(
            Part(
                _text(options[b"name"]),
                None if filename is None else _text(filename),
                types[0] if types else None,
                bytes(self.content),
                tuple(self.headers),
            )
        )

    def on_end(self) -> None:
        self.ended = True


def _text(raw: bytes | bytearray) -> str:
    return raw.decode("utf-8", errors="replace")


def decode_form(content_type: str | None, body: bytes) -> tuple[Part, ...]:
    """The parts of a form, in order.

    Args:
        content_type: The request's Content-Type header.
        body: The whole body.

    Raises:
        MalformedForm: It is another media type, has no boundary, or does not parse to its end.
    """
    if content_type is None:
        if not body:
            return ()
        raise MalformedForm("there is a body but no Content-Type")
    kind, options = parse_options_header(content_type)
    if kind.lower() != b"multipart/form-data":
        raise MalformedForm(f"the media type is {_text(kind)[:80]!r}, not multipart/form-data")
    boundary = options.get(b"boundary")
    if not boundary:
        raise MalformedForm("the Content-Type names no boundary")
    if not body:
        return ()
    reader = _Reader()
    names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end", "end")
    try:
        parser = MultipartParser(boundary, {f"on_{name}": getattr(reader, f"on_{name}") for name in names})  # type: ignore[arg-type]  # a TypedDict built by name
        parser.write(body)
    except FormParserError as error:
        raise MalformedForm(f"the form does not parse: {error}") from None
    if not reader.ended:
        raise MalformedForm("the form is cut short: its closing boundary is missing")
    return tuple(reader.parts)
