"""What a fault of the layer ``reply`` makes of a reply."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any, Final, cast

from attrs import evolve
from tensorslab_images.rules import CODE_MEANING_FAILURE, CODE_MEANING_INSUFFICIENT_CREDITS, CODE_MEANING_SUCCESS

from seedream_sandbox.faults.language import Fault
from seedream_sandbox.http import Request, Response, encode, failure, reply

_LARGEST_BOMB: Final = 1_000_000_000  # bytes: packing more takes too long
_PAGE: Final = b"<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n"


def apply_reply_fault(fault: Fault, request: Request, response: Response, previous: str) -> Response:
    """Return the reply that goes out instead.

    Args:
        fault: A fault of the layer ``reply``.
        request: The request that is answered.
        response: The service's own reply.
        previous: Id of the previous task, for a duplicate.
    """
    whole = _WHOLE.get(fault.name)
    if whole is not None:
        return whole(fault, request)
    if fault.name in _EDITS:
        return _edited(fault, response, previous)
    return _rebuilt(fault, response)


def _status(fault: Fault, _request: Request) -> Response:
    status, after = fault.integer("status"), fault.text("retry_after")
    headers = {"retry-after": after} if after else {}
    if status in (204, 304):  # these have no body
        return Response(status, tuple(headers.items()), b"")
    match fault.text("body"):
        case "html":
            return Response(status, (("content-type", "text/html"), *headers.items()), _PAGE)
        case "empty":
            return Response(status, tuple(headers.items()), b"")
        case _:
            return failure(f"HTTP status {status}, by the fault asked for", CODE_MEANING_FAILURE, status, headers)


def _redirect(fault: Fault, request: Request) -> Response:
    target = fault.text("to") or request.path + (f"?{request.query}" if request.query else "")
    return Response(fault.integer("status"), (("location", target),), b"")


def _no_credits(fault: Fault, _request: Request) -> Response:
    envelope: dict[str, Any] = {"code": CODE_MEANING_INSUFFICIENT_CREDITS, "msg": "insufficient credits"}
    extra: dict[str, dict[str, Any]] = {"null": {"data": None}, "empty": {"data": {}}}
    return reply({**envelope, **extra.get(fault.text("data"), {})})


def _denied(text: str, status: int) -> Callable[[Fault, Request], Response]:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Message>{text}</Message></Error>'.encode()
    return lambda _fault, _request: Response(status, (("content-type", "application/xml"),), body)


_WHOLE: Final[dict[str, Callable[[Fault, Request], Response]]] = {
    "status": _status,
    "rate-limit": lambda fault, _request: failure(
        "too many requests", status=429, headers={"retry-after": fault.text("retry_after")}
    ),
    "no-credits": _no_credits,
    "failure": lambda fault, _request: failure(fault.text("msg")),
    "redirect": _redirect,
    "html": lambda fault, _request: Response(fault.integer("status"), (("content-type", "text/html"),), _PAGE),
    "empty": lambda fault, _request: Response(fault.integer("status"), (("content-type", "application/json"),), b""),
    "picture-expired": _denied("Request has expired", 403),
    "picture-forbidden": _denied("Access denied", 403),
    "picture-missing": _denied("No such picture", 404),
}  # fmt: skip


def _mistyped(envelope: dict[str, Any], data: dict[str, Any], _fault: Fault, _previous: str) -> None:
    envelope["code"] = str(envelope.get("code", CODE_MEANING_SUCCESS))
    if "taskid" in data:
        data["taskid"] = zlib.crc32(str(data["taskid"]).encode())


def _unknown_code(envelope: dict[str, Any], data: dict[str, Any], fault: Fault, _previous: str) -> None:
    envelope["code"] = fault.integer("code")
    if not fault.options["taskid"]:
        data.pop("taskid", None)


def _duplicate(_envelope: dict[str, Any], data: dict[str, Any], _fault: Fault, previous: str) -> None:
    data["taskid"] = previous or data.get("taskid", "")


def _unknown_fields(envelope: dict[str, Any], data: dict[str, Any], _fault: Fault, _previous: str) -> None:
    data["trace"] = {"node": 7, "notes": [None, True, 1.5]}
    envelope["requestid"] = "req-1"


_EDITS: Final[dict[str, Callable[[dict[str, Any], dict[str, Any], Fault, str], object]]] = {
    "mistyped": _mistyped,
    "no-data": lambda envelope, _data, _fault, _previous: envelope.pop("data", None),
    "null-data": lambda envelope, _data, _fault, _previous: envelope.update(data=None),
    "no-taskid": lambda _envelope, data, _fault, _previous: data.pop("taskid", None),
    "duplicate-taskid": _duplicate,
    "unknown-code": _unknown_code,
    "unknown-fields": _unknown_fields,
}


def _edited(fault: Fault, response: Response, previous: str) -> Response:
    """Change the JSON envelope; a reply that is not an envelope (a picture) stays as it is."""
    try:
        envelope = response.json()
    except ValueError:
        return response
    if not isinstance(envelope, dict):
        return response
    fields = cast("dict[str, Any]", envelope)
    data = fields.get("data")
    _EDITS[fault.name](fields, cast("dict[str, Any]", data) if isinstance(data, dict) else {}, fault, previous)
    return evolve(response, body=encode(fields))


def _rebuilt(fault: Fault, response: Response) -> Response:  # noqa: C901, PLR0911 -- one return a fault
    body = response.body
    match fault.name:
        case "truncated-json":
            return evolve(response, body=body[: fault.integer("keep")])
        case "huge-reply" | "picture-oversized":
            return evolve(response, padding=fault.integer("bytes"))
        case "chunked":
            return evolve(response, chunked=True)
        case "duplicate-keys":
            return evolve(response, body=_with_duplicate(body, fault.text("key"), fault.text("value")))
        case "wrong-type":
            return _with_header(response, "content-type", fault.text("type"))
        case "wrong-encoding":
            return _with_header(response, "content-encoding", fault.text("encoding"))
        case "gzip":
            packed = gzip.compress(body, compresslevel=1, mtime=0)
            return evolve(_with_header(response, "content-encoding", "gzip"), body=packed)
        case "picture-truncated":
            return evolve(response, body=body[: int(len(body) * min(fault.number("keep"), 1))])
        case "picture-corrupt":
            middle = len(body) // 2
            changed = bytes(byte ^ 0x5A for byte in body[middle : middle + 64])
            return evolve(response, body=body[:middle] + changed + body[middle + 64 :])
        case "picture-trailing":
            size = min(fault.integer("bytes"), 1_000_000)
            trailing = (b"trailing" * (size // 8 + 1))[:size]
            return evolve(response, body=body + trailing, chunked=bool(fault.options["chunked"]))
        case "picture-bomb":
            return evolve(
                _with_header(response, "content-encoding", "gzip"),
                body=_bomb(min(fault.integer("bytes"), _LARGEST_BOMB)),
            )
        case _:
            return response


def _with_header(response: Response, name: str, value: str) -> Response:
    kept = tuple(header for header in response.headers if header[0] != name)
    return evolve(response, headers=(*kept, (name, value)))


def _with_duplicate(body: bytes, key: str, value: str) -> bytes:
    """Put a member with another value in front of the first member of that name."""
    name = f'"{key}":'.encode()
    written = value if value.isascii() and value.isdigit() else json.dumps(value)
    return body.replace(name, name + written.encode() + b"," + name, 1)


def _bomb(size: int) -> bytes:
    """Return gzip of that many zero bytes, packed block by block."""
    packer, block = zlib.compressobj(9, wbits=31), bytes(1 << 20)
    packed = bytearray()
    for start in range(0, size, len(block)):
        packed += packer.compress(block[: size - start])
    return bytes(packed + packer.flush())
