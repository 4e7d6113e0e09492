"""What a fault of the layer ``reply`` makes of a reply."""

import gzip
import json
import zlib
from typing import Any, Final, cast

from attrs import evolve
from tensorslab_images.rules import CODE_MEANING_FAILURE, CODE_MEANING_INSUFFICIENT_CREDITS, CODE_MEANING_SUCCESS

from seedream_sandbox.faults.language import Fault
from seedream_sandbox.http import Request, Response, deny, encode, failure, reply

_LARGEST_BOMB: Final = 1_000_000_000  # bytes: packing more takes too long
_PAGE: Final = b"<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n"


def apply_reply_fault(fault: Fault, request: Request, response: Response, previous: str) -> Response:
    """Return the reply that goes out instead of the service's own; ``previous`` is the id of the task before."""
    return _instead(fault, request) or _rebuilt(fault, response) or _edited(fault, response, previous)


def _instead(fault: Fault, request: Request) -> Response | None:  # noqa: C901, PLR0911 -- one return a fault
    """Return a reply that has nothing of the service's own; None where the fault changes that one."""
    match fault.name:
        case "status":
            return _status(fault)
        case "rate-limit":
            return failure("too many requests", status=429, headers={"retry-after": fault["retry_after"]})
        case "no-credits":
            extra: dict[str, dict[str, Any]] = {"null": {"data": None}, "empty": {"data": {}}}
            envelope = {"code": CODE_MEANING_INSUFFICIENT_CREDITS, "msg": "insufficient credits"}
            return reply({**envelope, **extra.get(fault["data"], {})})
        case "failure":
            return failure(fault["msg"])
        case "redirect":
            target = fault["to"] or request.path + (f"?{request.query}" if request.query else "")
            return Response(fault["status"], (("location", target),), b"")
        case "html":
            return Response(fault["status"], (("content-type", "text/html"),), _PAGE)
        case "empty":
            return Response(fault["status"], (("content-type", "application/json"),), b"")
        case "picture-expired":
            return deny("Request has expired")
        case "picture-forbidden":
            return deny("Access denied")
        case "picture-missing":
            return deny("No such picture", 404)
        case _:
            return None


def _status(fault: Fault) -> Response:
    status, after = fault["status"], fault["retry_after"]
    headers = {"retry-after": after} if after else {}
    if status in (204, 304) or fault["body"] == "empty":  # these statuses have no body
        return Response(status, tuple(headers.items()), b"")
    if fault["body"] == "html":
        return Response(status, (("content-type", "text/html"), *headers.items()), _PAGE)
    return failure(f"HTTP status {status}, by the fault asked for", CODE_MEANING_FAILURE, status, headers)


def _edited(fault: Fault, response: Response, previous: str) -> Response:  # noqa: C901 -- one branch a fault
    """Change the JSON envelope; a reply that is not an envelope (a picture) stays as it is."""
    try:
        document = response.json()
    except ValueError:
        return response
    if not isinstance(document, dict):
        return response
    envelope = cast("dict[str, Any]", document)
    data = cast("dict[str, Any]", envelope["data"]) if isinstance(envelope.get("data"), dict) else {}
    match fault.name:
        case "mistyped":
            envelope["code"] = str(envelope.get("code", CODE_MEANING_SUCCESS))
            if "taskid" in data:
                data["taskid"] = zlib.crc32(str(data["taskid"]).encode())
        case "no-data":
            envelope.pop("data", None)
        case "null-data":
            envelope["data"] = None
        case "no-taskid":
            data.pop("taskid", None)
        case "duplicate-taskid":
            data["taskid"] = previous or data.get("taskid", "")
        case "unknown-code":
            envelope["code"] = fault["code"]
            if not fault.options["taskid"]:
                data.pop("taskid", None)
        case _:  # unknown-fields
            data["trace"] = {"node": 7, "notes": [None, True, 1.5]}
            envelope["requestid"] = "req-1"
    return evolve(response, body=encode(envelope))


def _rebuilt(fault: Fault, response: Response) -> Response | None:  # noqa: C901, PLR0911 -- one return a fault
    """Return the service's reply with other bytes or headers; None where the fault changes its JSON."""
    body = response.body
    match fault.name:
        case "truncated-json":
            return evolve(response, body=body[: fault["keep"]])
        case "huge-reply" | "picture-oversized":
            return evolve(response, padding=fault["bytes"])
        case "chunked":
            return evolve(response, chunked=True)
        case "duplicate-keys":
            return evolve(response, body=_with_duplicate(body, fault["key"], fault["value"]))
        case "wrong-type":
            return _with_header(response, "content-type", fault["type"])
        case "wrong-encoding":
            return _with_header(response, "content-encoding", fault["encoding"])
        case "gzip":
            packed = gzip.compress(body, compresslevel=1, mtime=0)
            return evolve(_with_header(response, "content-encoding", "gzip"), body=packed)
        case "picture-truncated":
            return evolve(response, body=body[: int(len(body) * min(fault["keep"], 1))])
        case "picture-corrupt":
            middle = len(body) // 2
            changed = bytes(byte ^ 0x5A for byte in body[middle : middle + 64])
            return evolve(response, body=body[:middle] + changed + body[middle + 64 :])
        case "picture-trailing":
            size = min(fault["bytes"], 1_000_000)
            trailing = (b"trailing" * (size // 8 + 1))[:size]
            return evolve(response, body=body + trailing, chunked=bool(fault.options["chunked"]))
        case "picture-bomb":
            return evolve(
                _with_header(response, "content-encoding", "gzip"),
                body=_bomb(min(fault["bytes"], _LARGEST_BOMB)),
            )
        case _:
            return None


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
