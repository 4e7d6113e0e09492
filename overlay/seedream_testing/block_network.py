"""Keeps tests from reaching the real service by accident: looking up its host fails."""

import json
import os
import socket
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_MESSAGE = (
    "a test looked up {host}, the real service: it costs credits. Use the fixture seedream_sandbox or seedream_mock, "
    "or run pytest with --seedream-live"
)


class Block:
    """Makes lookups of the vendor's host fail, and keeps proxies from being used for it, while it is set up."""

    def __init__(self) -> None:
        self._lookup = socket.getaddrinfo
        self._before: dict[str, str | None] = {}

    def set_up(self) -> None:
        """Replace the lookup and extend ``NO_PROXY``."""
        real = self._lookup

        def lookup(host: Any, *arguments: Any, **options: Any) -> Any:
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
            if isinstance(name, str) and "." in name and _is_vendors(name):
                raise socket.gaierror(socket.EAI_NONAME, _MESSAGE.format(host=name))
            return real(host, *arguments, **options)

        socket.getaddrinfo = lookup
        for name in ("NO_PROXY", "no_proxy"):  # a proxy would look the host up by itself
            self._before[name] = os.environ.get(name)
            os.environ[name] = ",".join(filter(None, (self._before[name], _vendor_domain())))

    def take_down(self) -> None:
        """Restore the lookup and the environment."""
        socket.getaddrinfo = self._lookup
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


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
