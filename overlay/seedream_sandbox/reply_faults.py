"""What a reply fault makes of a reply."""

import zlib
from collections.abc import Callable
from typing import Any, Final, cast

from attrs import evolve
from tensorslab_images.rules import CODE_MEANING_FAILURE, CODE_MEANING_INSUFFICIENT_CREDITS, CODE_MEANING_SUCCESS

from seedream_sandbox.fault import Fault
from seedream_sandbox.http import Request, Response, failure, reply

_PAGE: Final = b"<!doctype html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n"


def damage(fault: Fault, request: Request, response: Response, previous: str) -> Response:
    """The reply that goes out instead.

    Args:
        fault: Of the layer ``reply``.
        request: That is answered.
        response: What the service would have said.
        previous: Id of the task before, for a duplicate.
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
    if status < 200 or status in (204, 304):  # noqa: PLR2004 -- these have no body; 1xx is not a final answer
        return Response(max(status, 204), tuple(headers.items()), b"")
    match fault.text("body"):
        case "html":
            return Response(status, (("content-type", "text/html"), *headers.items()), _PAGE)
        case "empty":
            return Response(status, tuple(headers.items()), b"")
        case _:
            return failure(f"HTTP status {status}, by the fault asked for", CODE_MEANING_FAILURE, status, headers)


def _rate_limit(fault: Fault, _request: Request) -> Response:
    return failure("too many requests", status=429, headers={"retry-after": fault.text("retry_after")})


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
    "rate-limit": _rate_limit,
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
    """A change inside the JSON envelope; what is no envelope (a picture) stays as it is."""
    try:
        envelope = response.json()
    except ValueError:
        return response
    if not isinstance(envelope, dict):
        return response
    fields = cast("dict[str, Any]", envelope)
    data = fields.get("data")
    _EDITS[fault.name](fields, cast("dict[str, Any]", data) if isinstance(data, dict) else {}, fault, previous)
    return response.with_json(fields)


def _rebuilt(fault: Fault, response: Response) -> Response:  # noqa: PLR0911 -- one return a fault
    body = response.body
    match fault.name:
        case "truncated-json":
            return evolve(response, body=body[: fault.integer("keep")])
        case "huge-reply" | "picture-oversized":
            return evolve(response, padding=fault.integer("bytes"))
        case "wrong-type":
            kept = tuple(header for header in response.headers if header[0] != "content-type")
            return evolve(response, headers=(("content-type", fault.text("type")), *kept))
        case "picture-truncated":
            return evolve(response, body=body[: int(len(body) * min(fault.number("keep"), 1))])
        case "picture-corrupt":
            middle = len(body) // 2
            return evolve(
                response,
                body=body[:middle] + bytes(byte ^ 0x5A for byte in body[middle : middle + 64]) + body[middle + 64 :],
            )
        case "picture-bomb":
            return evolve(
                response, headers=(*response.headers, ("content-encoding", "gzip")), body=_bomb(fault.integer("bytes"))
            )
        case _:
            return response


def _bomb(size: int) -> bytes:
    """Gzip of so many zero bytes, packed block by block."""
    packer, block = zlib.compressobj(9, wbits=31), bytes(1 << 20)
    packed = bytearray()
    for start in range(0, size, len(block)):
        packed += packer.compress(block[: size - start])
    return bytes(packed + packer.flush())
