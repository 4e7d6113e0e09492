"""Reads multipart/form-data strictly, with Werkzeug's decoder, which shares no code with the client."""

import re
from typing import Any, Final

from attrs import field, frozen
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from seedream_sandbox.http import Request
from seedream_sandbox.pictures.landscape import small_copy
from seedream_sandbox.service.refusal import SCHEMA, Refusal

_MOST_PARTS: Final = 1000
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_PLAIN_ENCODINGS: Final = frozenset({"7bit", "8bit", "binary"})


class MalformedForm(Refusal):
    """The body is not the form that its Content-Type promises."""

    def __init__(self, wrong: str) -> None:
        super().__init__(SCHEMA, "", f"the body is not a form: {wrong}")


@frozen
class Part:
    """One part of a form."""

    name: str  # of its field
    filename: str | None  # None for a text field
    content_type: str | None  # as sent, or None
    content: bytes = field(repr=False)
    headers: tuple[tuple[str, str], ...] = ()  # all of the part's headers, names in lower case
    charset: str | None = None  # as the Content-Type declares it, or None


def decode_form(content_type: str | None, body: bytes) -> tuple[Part, ...]:
    """Return the parts of a form, in order.

    Names and file names are UTF-8, as RFC 7578 says. The extended form ``filename*=UTF-8''...`` is read too, because
    clients send it although RFC 7578 forbids it.

    Raises:
        MalformedForm: It has another media type or no boundary, does not parse to its end, or can be read in two ways.
    """
    if content_type is None:
        if not body:
            return ()
        raise MalformedForm("there is a body but no Content-Type")
    kind, options = parse_options_header(content_type)
    if kind.lower() != "multipart/form-data":
        raise MalformedForm(f"the media type is {kind[:80]!r}, not multipart/form-data")
    boundary = options.get("boundary", "").encode("latin-1", "replace")
    if not boundary:
        raise MalformedForm("the Content-Type names no boundary")
    return _decode(boundary, body) if body else ()


def _decode(boundary: bytes, body: bytes) -> tuple[Part, ...]:
    parts: list[tuple[Field | File, bytearray]] = []
    decoder = MultipartDecoder(boundary, max_parts=_MOST_PARTS)
    decoder.receive_data(body)
    decoder.receive_data(None)
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            if isinstance(event, Field | File):
                parts.append((event, bytearray()))
            elif isinstance(event, Data):
                parts[-1][1].extend(event.data)
    except UnicodeDecodeError:
        raise MalformedForm("a part's header is not UTF-8") from None
    except ValueError as error:
        raise MalformedForm(f"the form does not parse: {error}") from None
    except RequestEntityTooLarge:
        raise MalformedForm(f"the form has more than {_MOST_PARTS} parts") from None
    # The decoder also takes a bare CR or LF for a line end, where another reader would find other parts.
    lines = re.findall(rb"(?:^|\r\n)--%s(?:--)?[ \t]*(?=\r\n|\Z)" % re.escape(boundary), body)
    if len(lines) != len(parts) + 1:
        raise MalformedForm("a line of the form does not end in CR LF")
    return tuple(_part(event, bytes(content)) for event, content in parts)


def _part(event: Field | File, content: bytes) -> Part:
    headers = tuple((name.lower(), value) for name, value in event.headers)
    names = [name for name, _ in headers]
    for name in set(names):
        if names.count(name) > 1:
            raise MalformedForm(f"a part has the header {name[:80]!r} twice")
    disposition = event.headers["content-disposition"]
    if (
        disposition.partition(";")[0].strip().lower() != "form-data"
        or "name" not in parse_options_header(disposition)[1]
    ):
        raise MalformedForm("a part is not form-data with a name")
    for parameter in ("name", "filename"):
        if len(re.findall(rf";\s*{parameter}\s*=", _QUOTED.sub("", disposition), re.IGNORECASE)) > 1:
            raise MalformedForm(f"a part has the parameter {parameter!r} twice")
    if event.headers.get("content-transfer-encoding", "binary").strip().lower() not in _PLAIN_ENCODINGS:
        raise MalformedForm("a part has a Content-Transfer-Encoding, which RFC 7578 does not allow")
    media_type = event.headers.get("content-type")
    charset = None if media_type is None else parse_options_header(media_type)[1].get("charset")
    return Part(event.name, getattr(event, "filename", None), media_type, content, headers, charset)


_COPIED: Final = 2  # source images that a picture shows


@frozen
class SubmissionForm:
    """A form as read."""

    parts: tuple[Part, ...] = ()  # in order; empty when it cannot be read
    error: MalformedForm | None = None  # why it cannot be read
    copies: tuple[bytes, ...] = ()  # small copies (JPEG) of the first files that are pictures

    def text(self, name: str) -> str:
        """Return the first text field with a name; empty when there is none."""
        found = (part.content for part in self.parts if part.name == name and part.filename is None)
        return next(found, b"").decode("utf-8", "replace")

    def content(self) -> tuple[dict[str, list[Any]], list[tuple[str, str, str, int]]]:
        """Return each text field with all its values, and of each file its field, name, media type and size."""
        fields: dict[str, list[Any]] = {}
        files: list[tuple[str, str, str, int]] = []
        for part in self.parts:
            if part.filename is None:
                fields.setdefault(part.name, []).append(part.content.decode("utf-8", "replace"))
            else:
                files.append((part.name, part.filename, part.content_type or "", len(part.content)))
        return fields, files


def read_form(request: Request, file_field: str) -> SubmissionForm:
    """Read a request's body as a form; small copies are made of the files of one field."""
    try:
        parts = decode_form(request.header("content-type"), request.body)
    except MalformedForm as error:
        return SubmissionForm(error=error)
    given = [part.content for part in parts if part.name == file_field and part.filename is not None]
    copies = [small_copy(content) for content in given[:_COPIED]]
    return SubmissionForm(parts, copies=tuple(copy for copy in copies if copy))
