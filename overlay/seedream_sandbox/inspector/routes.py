"""The inspector: a page at ``/`` that shows tasks, requests and credits as they come, and what it shows as JSON.

Normally only this machine may use it: the peer must be on loopback, and the Host header must name this server, so
that a web page elsewhere cannot get here through a name of its own (DNS rebinding). A request that changes something
must not come from another origin.
"""

import ipaddress
from collections.abc import Mapping
from importlib.resources import files
from typing import Final, Literal
from urllib.parse import urlsplit

from seedream_sandbox.http import Request, Response, encode
from seedream_sandbox.inspector.json_api import JsonApi
from seedream_sandbox.service.api import Service

Access = Literal["local", "open", "off"]
PREFIX: Final = "/_sandbox/"
_ASSETS: Final = {
    "": ("page.html", "text/html; charset=utf-8"),
    "style.css": ("style.css", "text/css; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    "app.js": ("app.js", "text/javascript; charset=utf-8"),
    "dom.js": ("dom.js", "text/javascript; charset=utf-8"),
    "requests.js": ("requests.js", "text/javascript; charset=utf-8"),
    "tasks.js": ("tasks.js", "text/javascript; charset=utf-8"),
    "words.js": ("words.js", "text/javascript; charset=utf-8"),
}
_SECURITY_HEADERS: Final = (
    # Nothing from elsewhere, nothing inline, not in a frame.
    (
        "content-security-policy",
        (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
)


class Inspector:
    """Answers the inspector's requests.

    ``about`` holds ``base_url``, ``images_url`` and ``api_key``, to be shown. ``bound_url`` is the origin of the API as
    it is bound, besides the ``base_url`` that clients use. See Sandbox for the access.
    """

    def __init__(self, service: Service, about: Mapping[str, str], bound_url: str, access: Access = "local") -> None:
        self._api = JsonApi(service, about)
        self._hosts = _own_hosts(bound_url) | {urlsplit(about["base_url"]).netloc.lower()}
        self._access = access

    @staticmethod
    def handles(path: str) -> bool:
        """Return whether a path is the inspector's."""
        return path == "/" or path.startswith(PREFIX)

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        refusal = self._refusal(request)
        if refusal:
            return Response(403, (("content-type", "application/json"), *_SECURITY_HEADERS), encode({"error": refusal}))
        status, media_type, body = _asset(request) or self._api.answer(
            request.method, request.path.removeprefix(PREFIX), request.query
        )
        return Response(status, (("content-type", media_type), *_SECURITY_HEADERS), body)

    def _refusal(self, request: Request) -> str:
        """Return why the request is refused; empty when it is not."""
        host = (request.header("host") or "").lower()
        if self._access == "local":
            if request.peer is not None and not ipaddress.ip_address(request.peer.partition("%")[0]).is_loopback:
                return "the inspector answers only this machine"
            if host not in self._hosts:
                return "the Host header does not name this server"
        if request.method not in ("GET", "HEAD"):
            origin = request.header("origin")
            if origin is not None and _host_of(origin) not in ({host} if self._access == "open" else self._hosts):
                return "another origin may not change anything here"
            if request.header("sec-fetch-site") not in (None, "same-origin", "none"):
                return "another site may not change anything here"
        return ""


def _host_of(origin: str) -> str:
    """Return the host and port of an origin; empty when it is malformed."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _asset(request: Request) -> tuple[int, str, bytes] | None:
    name = "" if request.path == "/" else request.path.removeprefix(PREFIX)
    if name not in _ASSETS or (name == "" and request.path != "/"):
        return None
    if request.method not in ("GET", "HEAD"):
        return 405, "text/plain; charset=utf-8", b"GET only\n"
    file, media_type = _ASSETS[name]
    return 200, media_type, files("seedream_sandbox").joinpath("inspector", "static", file).read_bytes()


def _own_hosts(base_url: str) -> frozenset[str]:
    own = urlsplit(base_url)
    names = {"127.0.0.1", "localhost", "[::1]", own.netloc.removesuffix(f":{own.port}").lower()}
    return frozenset(f"{name}:{own.port}" for name in names)
