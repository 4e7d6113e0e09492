"""``--dry-run``: the very request that would be sent, caught before the network by a transport that only records."""

import re
from typing import Any, Final

import httpx
from attrs import frozen
from tensorslab_images.limits import AUTH_HEADER
from tensorslab_images.rules import AUTH_HEADER_SCHEME, CODE_MEANING_SUCCESS

from seedream import SeeDream
from seedream._request.submission import Submission
from seedream.cli.terminal import Terminal

_MASKED: Final = "********"
_PARAMETER: Final = re.compile(r'(?:^|;)\s*(name|filename)="([^"]*)"', re.IGNORECASE)


@frozen
class Part:
    """One part of the form as it stands in the body: a field with its text, or a file."""

    name: str
    filename: str | None
    media_type: str
    content: bytes


class _Catcher(httpx.BaseTransport):
    """Keeps the request and answers that it was accepted."""

    request: httpx.Request

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.request = request
        return httpx.Response(200, json={"code": CODE_MEANING_SUCCESS, "msg": "", "data": {"taskid": "none"}})


def catch(submission: Submission, base_url: str | None) -> httpx.Request:
    """The request that the client makes of the submission. Nothing is sent, and no key is needed.

    Raises:
        ConfigError: The base URL is unusable.
    """
    catcher = _Catcher()
    with SeeDream(_MASKED, base_url=base_url, transport=catcher) as client:
        client.run(client.submission_flow(submission))
    return catcher.request


def decode(request: httpx.Request) -> list[Part]:
    """The parts of a multipart body (RFC 2046); its boundary is random, so it stands in no content."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    parts: list[Part] = []
    for piece in (b"\r\n" + request.content).split(b"\r\n--" + boundary)[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        named = dict(_PARAMETER.findall(fields["Content-Disposition"]))
        parts.append(Part(named["name"], named.get("filename"), fields.get("Content-Type", ""), content))
    return parts


def show(terminal: Terminal, submission: Submission, base_url: str | None) -> None:
    """Print the request with the key masked, and what it would cost."""
    request = catch(submission, base_url)
    headers = [(name.decode(), value.decode()) for name, value in request.headers.raw]
    headers = [
        (name, f"{AUTH_HEADER_SCHEME} {_MASKED}" if name.lower() == AUTH_HEADER.lower() else value)
        for name, value in headers
    ]
    parts = decode(request)
    terminal.document(_document(request, headers, parts, submission.images))
    terminal.result(f"{request.method} {request.url}", style="bold")
    for name, value in headers:
        terminal.result(f"  {name}: {value}")
    for title, of_kind in (("Form fields", [one for one in parts if one.filename is None]),
                           ("Files", [one for one in parts if one.filename is not None])):  # fmt: skip
        if of_kind:
            terminal.result(f"\n{title}", style="bold")
        for part in of_kind:
            terminal.result(f"  {part.name:<13}{_shown(part)}")
    terminal.result(f"\nNothing was sent. Sent, it would cost {count(submission.images, 'image')}.")


def count(number: int, noun: str) -> str:
    """``1 image``, ``4 images``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _shown(part: Part) -> str:
    if part.filename is not None:
        return f"{part.filename}  {part.media_type}  {count(len(part.content), 'byte')}"
    text = part.content.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else repr(text)


def _document(request: httpx.Request, headers: list[tuple[str, str]], parts: list[Part], images: int) -> dict[str, Any]:
    return {
        "dry_run": True,
        "request": {
            "method": request.method,
            "url": str(request.url),
            "headers": [{"name": name, "value": value} for name, value in headers],
            "fields": [
                {"name": part.name, "value": part.content.decode("utf-8", "backslashreplace")}
                for part in parts
                if part.filename is None
            ],
            "files": [
                {
                    "name": part.name,
                    "filename": part.filename,
                    "media_type": part.media_type,
                    "bytes": len(part.content),
                }
                for part in parts
                if part.filename is not None
            ],
        },
        "images": images,
    }
