"""Decodes a form with two parsers that share nothing with the client's HTTP library or each other, and must agree."""

from email import policy
from email.parser import BytesParser
from typing import Final

from seedream_sandbox.multipart import MalformedForm, decode_form

from seedream_testing.contract.api_facts import Part
from seedream_testing.contract.violation import Sent, Violation

_KIND: Final = "multipart/form-data"


def decode(sent: Sent) -> tuple[Part, ...]:
    """The parts of a request's form, in order.

    Raises:
        Violation: It is no form, or the two parsers read it differently (rule WIRE-BOUNDARY or WIRE-HTTP).
    """
    types = sent.header("content-type")
    if len(types) != 1 or not types[0].lower().startswith(_KIND):
        raise Violation(f"Content-Type is {types}, not one {_KIND}", rule="WIRE-HTTP", sent=sent)
    try:
        streamed = by_stream(types[0], sent.body)
        mailed = by_mail(types[0], sent.body)
    except (MalformedForm, ValueError) as error:
        raise Violation(f"the form cannot be read: {error}", rule="WIRE-BOUNDARY", sent=sent) from None
    if streamed != mailed:
        raise Violation(f"two parsers disagree: {streamed} and {mailed}", rule="WIRE-BOUNDARY", sent=sent)
    return streamed


def by_stream(content_type: str, body: bytes) -> tuple[Part, ...]:
    """As python-multipart reads it."""
    return tuple(
        Part(part.name, part.content, part.filename, part.content_type, tuple(name for name, _ in part.headers))
        for part in decode_form(content_type, body)
    )


def by_mail(content_type: str, body: bytes) -> tuple[Part, ...]:
    """As the standard library's mail parser reads it.

    Raises:
        ValueError: It is no multipart, or has defects.
    """
    head = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise ValueError("it is no multipart")
    if message.defects:
        raise ValueError(f"defects: {message.defects}")
    parts = []
    for item in message.iter_parts():
        if item.defects or item.is_multipart():
            raise ValueError(f"a part has defects: {item.defects or 'it is a multipart itself'}")
        name = item.get_param("name", header="content-disposition")
        filename = item.get_param("filename", header="content-disposition")
        content = item.get_payload(decode=True)
        parts.append(
            Part(
                str(name),
                content if isinstance(content, bytes) else b"",
                None if filename is None else str(filename),
                None if item["content-type"] is None else str(item["content-type"]),
                tuple(key.lower() for key in item),
            )
        )
    return tuple(parts)


def boundary(sent: Sent) -> str:
    """The boundary that a form's Content-Type names."""
    return sent.header("content-type")[0].partition("boundary=")[2].partition(";")[0].strip('" ')
