"""Decodes a form with two parsers that share nothing with the client's HTTP library or each other, and must agree."""

from email import policy
from email.message import Message
from email.parser import BytesParser
from email.utils import collapse_rfc2231_value
from typing import Final

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from seedream_testing.contract.api_facts import Part
from seedream_testing.contract.violation import Sent, Violation

_MEDIA_TYPE: Final = "multipart/form-data"


def decode(sent: Sent) -> tuple[Part, ...]:
    """Return the parts of a request's form, in order.

    Raises:
        Violation: It is not a form, or the two parsers read it differently (rule WIRE-BOUNDARY or WIRE-HTTP).
    """
    types = sent.header("content-type")
    if len(types) != 1 or not types[0].lower().startswith(_MEDIA_TYPE):
        raise Violation(f"Content-Type is {types}, not one {_MEDIA_TYPE}", rule="WIRE-HTTP", sent=sent)
    try:
        first = parse_with_werkzeug(types[0], sent.body)
        second = parse_with_email(types[0], sent.body)
    except ValueError as error:
        raise Violation(f"the form cannot be read: {error}", rule="WIRE-BOUNDARY", sent=sent) from None
    if _meaning(first) != _meaning(second):
        raise Violation(f"two parsers disagree: {first} and {second}", rule="WIRE-BOUNDARY", sent=sent)
    return first


def _meaning(parts: tuple[Part, ...]) -> list[tuple[str, bytes, bool, str | None]]:
    # Parsers unquote a file's name in different ways, and the name means nothing: only whether there is one counts.
    return [(part.name, part.content, part.filename is not None, part.media_type) for part in parts]


def parse_with_werkzeug(content_type: str, body: bytes) -> tuple[Part, ...]:
    """Parse a form with werkzeug.

    Raises:
        ValueError: It is malformed.
    """
    mark = parse_options_header(content_type)[1].get("boundary", "")
    if not mark:
        raise ValueError("the Content-Type names no boundary")
    decoder = MultipartDecoder(mark.encode("latin-1"))
    parts = list[Part]()
    head: Field | File | None = None
    content = b""
    try:
        decoder.receive_data(body)
        decoder.receive_data(None)
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            if isinstance(event, Field | File):
                head, content = event, b""
            elif isinstance(event, Data) and head is not None:
                content += event.data
                if not event.more_data:
                    parts.append(_part(head, content))
    except (HTTPException, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(event, Epilogue):
        raise ValueError("it has no end")  # noqa: TRY004 -- a fault of the bytes, not of a type
    return tuple(parts)


def _part(head: Field | File, content: bytes) -> Part:
    headers: Headers = head.headers
    return Part(
        str(head.name),
        content,
        head.filename if isinstance(head, File) else None,
        headers.get("content-type"),
        tuple(name.lower() for name, _ in headers),
    )


def parse_with_email(content_type: str, body: bytes) -> tuple[Part, ...]:
    """Parse a form with the standard library's mail parser.

    Raises:
        ValueError: It is not a multipart, or has defects.
    """
    head = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise ValueError("it is not a multipart")
    if message.defects:
        raise ValueError(f"defects: {message.defects}")
    parts = []
    for item in message.iter_parts():
        if item.defects or item.is_multipart():
            raise ValueError(f"a part has defects: {item.defects or 'it is a multipart itself'}")
        content = item.get_payload(decode=True)
        # A form's headers are UTF-8 (RFC 7578, 5.1), which the mail parser keeps as surrogates.
        headers = [
            (name.lower(), str(value).encode("utf-8", "surrogateescape").decode("utf-8"))
            for name, value in item.raw_items()
        ]
        disposition = Message()
        disposition["content-disposition"] = dict(headers).get("content-disposition", "")
        name, filename = (
            disposition.get_param(key, header="content-disposition", unquote=True) for key in ("name", "filename")
        )
        parts.append(
            Part(
                collapse_rfc2231_value(name) if name is not None else "",
                content if isinstance(content, bytes) else b"",
                None if filename is None else collapse_rfc2231_value(filename),
                dict(headers).get("content-type"),
                tuple(key for key, _ in headers),
            )
        )
    return tuple(parts)


def boundary(sent: Sent) -> str:
    """Return the boundary that a form's Content-Type names."""
    return sent.header("content-type")[0].partition("boundary=")[2].partition(";")[0].strip('" ')
