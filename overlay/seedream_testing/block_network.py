"""Keeps tests from reaching the real service by accident: looking up its host fails."""

import json
import os
import socket
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

_MESSAGE = (
    "a test looked up {host}, the real service: it costs credits. Use the fixture seedream_sandbox or seedream_mock, "
    "or run pytest with --seedream-live"
)


def block_network(patch: pytest.MonkeyPatch) -> None:
    """Make lookups of the vendor's host fail, and keep proxies from being used for it, until the patch is undone."""
    real = socket.getaddrinfo

    def lookup(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if isinstance(name, str) and "." in name and _is_vendors(name):
            raise socket.gaierror(socket.EAI_NONAME, _MESSAGE.format(host=name))
        return real(host, *arguments, **options)

    patch.setattr(socket, "getaddrinfo", lookup)
    for name in ("NO_PROXY", "no_proxy"):  # a proxy would look the host up by itself
        patch.setenv(name, ",".join(filter(None, (os.environ.get(name), _vendor_domain()))))


@cache
def _vendor_domain() -> str:
    """Return the domain of the spec's server, without its first label. It is read as data, which is quick."""
    spec = find_spec("tensorslab_images")
    if spec is None or spec.origin is None:
        raise RuntimeError("seedream is not installed as a whole: tensorslab_images is missing")
    document = json.loads(Path(spec.origin).with_name("openapi.json").read_text(encoding="utf-8"))
    host = urlsplit(str(document["servers"][0]["url"])).hostname or ""
    parent = host.partition(".")[2]
    return parent if "." in parent else host


def _is_vendors(name: str) -> bool:
    host, domain = name.lower().rstrip("."), _vendor_domain()
    return host == domain or host.endswith(f".{domain}")
