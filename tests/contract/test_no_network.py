"""Nothing in the normal suite can reach a host but this machine: proven for each library that could."""

import asyncio
import datetime as dt
import socket
import urllib.request
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
import requests
import schemathesis
from contract.generated import SPEC
from contract.wire import GOOD

OUTSIDE = "93.184.215.14"  # an address that is somebody's: without the guard these tests would reach for it
REFUSED = "only loopback is allowed"


async def _aio() -> None:
    async with httpx.AsyncClient() as client:
        await client.get(f"http://{OUTSIDE}/")


BY_ADDRESS: dict[str, Callable[[], Any]] = {
    "httpx": lambda: httpx.get(f"http://{OUTSIDE}/"),
    "httpx, awaiting": lambda: asyncio.run(_aio()),
    "requests": lambda: requests.get(f"http://{OUTSIDE}/", timeout=1),
    "urllib": lambda: urllib.request.build_opener().open(f"http://{OUTSIDE}/", timeout=1),
    "socket": lambda: socket.create_connection((OUTSIDE, 80), timeout=1),
    "anyio": lambda: anyio.run(anyio.connect_tcp, OUTSIDE, 80),
}
BY_NAME: dict[str, Callable[[], Any]] = {
    "httpx": lambda: httpx.get("https://api.tensorslab.com/"),
    "requests": lambda: requests.get("https://api.tensorslab.com/", timeout=1),
    "socket": lambda: socket.create_connection(("api.tensorslab.com", 443), timeout=1),
    "look-up": lambda: socket.getaddrinfo("api.tensorslab.com", 443),
}


@pytest.mark.parametrize("call", BY_ADDRESS.values(), ids=BY_ADDRESS)
def test_no_library_reaches_an_address(call: Callable[[], Any], reached: list[str]) -> None:
    with pytest.raises((OSError, httpx.TransportError)):
        call()
    assert reached
    assert REFUSED in reached[0]


@pytest.mark.parametrize("call", BY_NAME.values(), ids=BY_NAME)
def test_no_library_finds_a_name(call: Callable[[], Any]) -> None:
    with pytest.raises((OSError, httpx.TransportError)) as caught:
        call()
    assert REFUSED in str(caught.value)


@pytest.mark.parametrize("way", ["connect", "connect_ex", "sendto"])
@pytest.mark.parametrize("host", [OUTSIDE, "169.254.169.254", "10.0.0.1", "0.0.0.1"])
def test_no_socket_gets_out(way: str, host: str, reached: list[str]) -> None:
    kind = socket.SOCK_DGRAM if way == "sendto" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as raw:
        arguments: tuple[Any, ...] = (b"x", (host, 80)) if way == "sendto" else ((host, 80),)
        with pytest.raises(PermissionError, match=REFUSED):
            getattr(raw, way)(*arguments)
    assert len(reached) == 1


def test_loopback_is_open() -> None:
    # The guard must not be a wall: else tests that prove nothing would pass.
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_schemathesis_own_checks_would_be_caught(reached: list[str]) -> None:
    # With its default checks it sends each good case again, without the key, to where the request had gone.
    schema = schemathesis.openapi.from_dict(SPEC)
    url, key = f"http://{OUTSIDE}/v1/images/seedreamv45", {"Authorization": "Bearer sk"}
    schema.config.update(base_url=f"http://{OUTSIDE}")
    case = schema["/v1/images/seedreamv45"]["POST"].Case(
        body={"prompt": "a fish"}, media_type="multipart/form-data", headers=key
    )
    reply = httpx.Response(200, json=GOOD, request=httpx.Request("POST", url, headers=key))
    reply.elapsed = dt.timedelta(0)
    with pytest.raises(Exception, match=REFUSED):
        case.validate_response(reply, headers=key)
    assert reached
