"""Encodes a submission, a query or a deletion as the spec writes it, with a body that can be sent again.

Method and path come from limits.py, and the fields from the generated models; only the bytes of the body are made here,
because httpx would write each part of a form to the socket by itself and could not send the same form again.
"""

import json
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, cast

from attrs import frozen
from tensorslab_images.limits import DELETE, QUERY, SUBMIT, Operation
from tensorslab_images.types import UNSET, File

from seedream._request.source_images import SourceFile
from seedream._request.submission import Scalar, Submission, WireValue


@frozen(eq=False, repr=False)
class Body:
    """A request's body, which gives the same bytes each time it is sent."""

    length: int
    _pieces: tuple[bytes | SourceFile, ...]

    @property
    def content(self) -> bytes | None:
        """All bytes, where they are in memory as one piece."""
        first = self._pieces[0]
        return first if len(self._pieces) == 1 and isinstance(first, bytes) else None

    def chunks(self) -> Iterator[bytes]:
        """Give the body in chunks: what lies between files in one, and a file as SourceFile.chunks gives it."""
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from piece.chunks()

    def check(self) -> None:
        """Open each source image once: OSError for one that is gone or was changed comes before anything is sent."""
        for piece in self._pieces:
            if not isinstance(piece, bytes):
                piece.check()


@frozen(eq=False, repr=False)
class EncodedRequest:
    """What the spec says of one request: method, path below the base URL, headers and body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Body


def encode_submission(submission: Submission) -> EncodedRequest:
    """Encode a submission as a multipart form."""
    from tensorslab_images import roles  # noqa: PLC0415 -- the models take as long to load as all the rest here

    given: dict[str, WireValue] = {name: _as_text(value) for name, value in submission.values.items()}
    fields: dict[str, Any] = {}
    for spec in SUBMIT.fields:
        sources = submission.files.get(spec.name, ())
        files = [File(cast("Any", source), source.name, source.media_type) for source in sources]
        fields[spec.attribute] = (files if spec.many else files[0]) if files else given.pop(spec.name, UNSET)
    body = roles.SubmitBody(**fields)
    body.additional_properties = given
    boundary = os.urandom(16).hex()
    form = _form(cast("_Fields", body.to_multipart()), boundary)
    return _request(SUBMIT, form, f"multipart/form-data; boundary={boundary}")


def encode_query(taskid: str) -> EncodedRequest:
    """Encode the query for a task's state."""
    from tensorslab_images import roles  # noqa: PLC0415 -- the models take as long to load as all the rest here

    return _request(QUERY, _json(roles.QueryBody(taskid=taskid).to_dict()), "application/json")


def encode_deletion(taskids: tuple[str, ...]) -> EncodedRequest:
    """Encode the deletion of tasks."""
    from tensorslab_images import roles  # noqa: PLC0415 -- the models take as long to load as all the rest here

    return _request(DELETE, _json(roles.DeleteBody(taskids=list(taskids)).to_dict()), "application/json")


def _request(operation: Operation, body: Body, content_type: str) -> EncodedRequest:
    return EncodedRequest(operation.method.upper(), operation.path, {"Content-Type": content_type}, body)


def _as_text(value: WireValue) -> WireValue:
    """Write booleans as JSON does: the generated code would write Python's own ``True``."""
    if isinstance(value, list):
        return [cast("Scalar", _as_text(item)) for item in value]
    return str(value).lower() if isinstance(value, bool) else value


def _json(value: object) -> Body:
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Body(len(content), (content,))


_Fields = list[tuple[str, tuple[str | None, bytes | SourceFile, str | None]]]


def _form(fields: _Fields, boundary: str) -> Body:
    """Encode form fields (RFC 7578), names percent-encoded as in WHATWG's HTML standard, 4.10.21.8."""
    pieces: list[bytes | SourceFile] = []
    text = bytearray()
    for name, (filename, content, media_type) in fields:
        text += f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'.encode()
        if filename is not None:
            text += f'; filename="{_quoted(filename)}"'.encode()
        if media_type is not None:
            text += f"\r\nContent-Type: {media_type}".encode()
        text += b"\r\n\r\n"
        if isinstance(content, bytes):
            text += content
        else:
            pieces += [bytes(text), content]
            text.clear()
        text += b"\r\n"
    text += f"--{boundary}--\r\n".encode()
    pieces.append(bytes(text))
    length = sum(len(piece) if isinstance(piece, bytes) else piece.size for piece in pieces)
    return Body(length, tuple(pieces))


_ESCAPE: Final = "\x1b"  # the one control character that httpx leaves as it is
_ESCAPED: Final = str.maketrans(
    {
        '"': "%22",
        "\\": "\\\\",
        **{character: f"%{ord(character):02X}" for character in map(chr, range(0x20)) if character != _ESCAPE},
    }
)


@lru_cache(maxsize=64)
def _quoted(text: str) -> str:
    return text.translate(_ESCAPED)
