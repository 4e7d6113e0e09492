"""Requests and responses as the service sees them: plain data without sockets."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import field, frozen
from tensorslab_images.limits import AUTH_HEADER
from tensorslab_images.rules import CODE_MEANING_FAILURE

Headers = tuple[tuple[str, str], ...]
_BLOCK: Final = 64 * 1024  # bytes
_CREDENTIALS: Final = re.compile(
    rf"{re.escape(AUTH_HEADER)}|.*(auth|cookie|token|secret|password|\b(api|access|x)-?key).*", re.IGNORECASE
)
_SCHEME: Final = re.compile(r"((?:Basic|Bearer|Digest|Negotiate|NTLM|Token)\s+)?(.*)", re.IGNORECASE | re.DOTALL)
_LONG_KEY: Final = re.compile(r"[\w.~+/-]{12,}", re.ASCII)


@frozen
class Request:
    """One request."""

    method: str  # upper case
    path: str  # decoded, without the query
    query: str = ""  # raw, without the question mark
    headers: Headers = ()  # as received, names in lower case
    body: bytes = field(default=b"", repr=False)
    images: bool = False  # whether it came to the image host, not to the API
    images_url: str = ""  # origin of the image host as this client reaches it, without a slash at the end
    peer: str | None = None  # address of the client, if it came over a socket

    def header(self, name: str) -> str | None:
        """Return all values of a header joined by commas, as RFC 9110 5.2 says; None if it is absent."""
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    @property
    def masked_headers(self) -> Headers:
        """The headers with credentials hidden."""
        return tuple((name, mask(value) if is_credential(name) else value) for name, value in self.headers)


@frozen
class Response:
    """One response."""

    status: int  # HTTP status, 200 to 599
    headers: Headers  # without Content-Length and Transfer-Encoding, which the server adds
    body: bytes = field(repr=False)  # the first bytes of the body
    padding: int = 0  # number of zero bytes that follow, so that a huge body takes no memory
    chunked: bool = False  # whether the length is left out, so that the body is sent in chunks

    @property
    def length(self) -> int:
        """Length of the whole body in bytes."""
        return len(self.body) + self.padding

    @property
    def has_body(self) -> bool:
        """Whether a response with this status may have a body (RFC 9110 6.4.1)."""
        return self.status not in (204, 304)

    def blocks(self) -> Iterator[bytes]:
        """Yield the whole body in blocks of at most 64 kB."""
        for start in range(0, len(self.body), _BLOCK):
            yield self.body[start : start + _BLOCK]
        for start in range(0, self.padding, _BLOCK):
            yield bytes(min(_BLOCK, self.padding - start))

    @property
    def whole_headers(self) -> Headers:
        """The headers with the length, where one is announced."""
        if self.chunked or not self.has_body:
            return self.headers
        return (*self.headers, ("content-length", str(self.length)))

    def json(self) -> Any:
        """Decode the body as JSON."""
        return json.loads(self.body)


def encode(value: object) -> bytes:
    """Encode JSON as the service writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


def reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Build a JSON response."""
    return Response(status, (("content-type", "application/json"), *(headers or {}).items()), encode(value))


def failure(
    text: str, code: int = CODE_MEANING_FAILURE, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Build the API's failure: an envelope without ``data``, normally with status 200 (CODE-MEANING, CODE-NO-DATA)."""
    return reply({"code": code, "msg": text}, status, headers)


def deny(text: str, status: int = 403) -> Response:
    """Build the refusal of the image host, in XML as such hosts answer."""
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Message>{text}</Message></Error>'.encode()
    return Response(status, (("content-type", "application/xml"),), body)


def is_credential(name: str) -> bool:
    """Return whether a header with this name holds a secret."""
    return _CREDENTIALS.fullmatch(name) is not None


def mask(secret: str) -> str:
    """Hide a credential: keep a known scheme, the last two characters of one long key, and the length of the rest."""
    found = _SCHEME.fullmatch(secret)
    scheme, rest = (found[1] or "", found[2]) if found else ("", secret)
    # Two characters of a short key, or of what encodes a password, would give much away.
    shown = rest[-2:] if _LONG_KEY.fullmatch(rest) and scheme[:5].lower() != "basic" else ""
    return f"{scheme}***{shown} ({len(rest)} characters)"
