"""Encodes a form by hand, so that a server can be sent anything, also what no client would send."""

import secrets
from collections.abc import Sequence

from seedream_testing.contract.api_facts import Part


def encode(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Return the Content-Type and the body of a form."""
    mark = secrets.token_hex(16)
    body = b""
    for part in parts:
        file = f'; filename="{part.filename}"' if part.filename is not None else ""
        kind = f"Content-Type: {part.media_type}\r\n" if part.media_type else ""
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{part.name}"{file}\r\n{kind}\r\n'
        body += head.encode() + part.content + b"\r\n"
    return f"multipart/form-data; boundary={mark}", body + f"--{mark}--\r\n".encode()
