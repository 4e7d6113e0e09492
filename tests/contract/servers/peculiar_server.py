"""The Flask server with habits that are unusual, and that the page and the standards allow."""

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from contract.servers.flask_server import Hooks, create
from werkzeug.test import run_wsgi_app

_ORDER = (2, 1, 5, 2)  # the list of states is open, and no order of them is published


class Peculiar(Hooks):
    """Other states on the way, further members everywhere, and numbers of its own beside the documented ones."""

    def __init__(self) -> None:
        self._ids = itertools.count()

    def state(self, data: dict[str, Any], task: dict[str, Any]) -> dict[str, Any]:
        asked = task["asked"]
        if asked <= len(_ORDER):
            started = {name: data[name] for name in ("taskid", "category", "starttime", "prompt")}
            return {"progress": 20 * asked, **started, "image_status": _ORDER[asked - 1], "url": []}
        return {
            "model": {"name": "x", "tags": [None, 1.5]},
            **dict(reversed(data.items())),
            "origseed": 7,
            "negative": "",
        }

    def new_id(self, tasks: Mapping[str, Any]) -> str:
        del tasks
        return str(10_000_000_000_000_000 + next(self._ids) * 7919)

    def reply(self, document: dict[str, Any], operation: str) -> dict[str, Any]:
        return {"requestid": f"r-{operation}", **dict(reversed(document.items())), "time": 1.25, "extra": None}


def app(keys: Mapping[str, int]) -> tuple[Any, Any]:
    """Return the WSGI application and its accounts."""
    inner = create(keys, Peculiar())

    def peculiar(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Write JSON indented and escaped, header names in capitals, no lengths, and headers that mean nothing."""
        path = environ["PATH_INFO"]
        if path.startswith("/pictures/"):  # the picture lies elsewhere, and a query names the place that leads there
            start("302 FOUND", [("LOCATION", path.replace("/pictures/", "/store/", 1)), ("CONTENT-LENGTH", "0")])
            return []
        environ["PATH_INFO"] = path.replace("/store/", "/pictures/", 1)
        chunks, status, headers = run_wsgi_app(inner, environ)
        body = b"".join(chunks)
        kind = headers.get("Content-Type", "")
        if kind == "application/json" and body:
            body = json.dumps(json.loads(body), indent=3).encode()
            kind = 'Application/JSON; Charset="UTF-8"'
        more = [
            ("X-REQUEST-ID", "1"),
            ("SET-COOKIE", "crumb=1; Path=/"),
            ("CACHE-CONTROL", "no-store"),
            ("CONNECTION", "close"),
        ]
        start(status, [("CONTENT-TYPE", kind), *more])
        return (body[place : place + 20_000] for place in range(0, len(body), 20_000))

    return peculiar, inner.extensions["accounts"]
