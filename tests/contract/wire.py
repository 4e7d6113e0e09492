"""Drives a client under a mocked network, and gives what it would have sent, byte for byte."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import httpx
import respx
from python_multipart import parse_form
from seedream.errors import SeeDreamError
from seedream_testing.contract import Part, Sent
from seedream_testing.contract.violation import named
from support.clients import Both

HOST = "http://127.0.0.1:9"  # never connected to: the network is mocked
GOOD = {"code": 1000, "msg": "Task created successfully", "data": {"taskid": "abcd_1234567890abcdef"}}


def driven(
    both: Both, work: Callable[[Any], Any], reply: httpx.Response | None = None, host: str = HOST
) -> tuple[list[Sent], Any]:
    """Return what arrived, and the result or the error of our tree; any other exception goes on up."""
    with respx.mock(base_url=host, assert_all_called=False) as router:
        router.route().mock(return_value=reply or httpx.Response(200, json=GOOD))
        result: Any
        try:
            result = both.call(work, base_url=host)
        except SeeDreamError as error:
            result = error
        return [as_sent(call.request) for call in router.calls], result


def as_sent(request: httpx.Request) -> Sent:
    """Return the request as the checks know it."""
    return Sent(request.method, str(request.url), named(request.headers), request.read())


def third_reading(sent: Sent) -> tuple[dict[str, list[bytes]], dict[str, list[bytes]]]:
    """Read text fields and files with python-multipart, a third parser, which only tests need."""
    texts: dict[str, list[bytes]] = {}
    files: dict[str, list[bytes]] = {}

    def on_field(field: Any) -> None:
        texts.setdefault(field.field_name.decode(), []).append(field.value or b"")

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        files.setdefault(file.field_name.decode(), []).append(file.file_object.read())
        file.close()

    headers = {
        "Content-Type": sent.header("content-type")[0].encode("latin-1"),
        "Content-Length": b"%d" % len(sent.body),
    }
    parse_form(headers, BytesIO(sent.body), on_field, on_file)
    return texts, files


def readings_agree(sent: Sent, parts: tuple[Part, ...]) -> bool:
    """Whether python-multipart reads the same form as the checks' two parsers."""
    texts: dict[str, list[bytes]] = {}
    files: dict[str, list[bytes]] = {}
    for part in parts:
        (texts if part.filename is None else files).setdefault(part.name, []).append(part.content)
    return (texts, files) == third_reading(sent)
