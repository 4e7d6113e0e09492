"""The inspector: a page at ``/`` that shows tasks, requests and credits as they come, and what it shows as JSON.

Only this machine may look: the peer must be on loopback, and the Host header must name this server, so that a web
page elsewhere cannot get here through a name of its own (DNS rebinding). What changes something must not come from
another origin.
"""

import ipaddress
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from seedream_sandbox.http import Request, Response, encode
from seedream_sandbox.json_api import Admin

if TYPE_CHECKING:
    from seedream_sandbox.asgi import Page
    from seedream_sandbox.sandbox import Sandbox

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
_SAFE: Final = (
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


def inspector(sandbox: "Sandbox", base_url: str, images_url: str) -> "Page":
    """Answers the inspector's requests.

    Args:
        sandbox: What is looked into.
        base_url: Origin of the API, and so of the inspector.
        images_url: Origin of the image host.

    Returns:
        A function that gives the response to a request's head, or None when it is none of the inspector's.
    """
    admin = Admin(sandbox.service, base_url, images_url, sandbox.api_key)
    hosts = _own_hosts(base_url)

    def page(request: Request) -> Response | None:
        if request.path != "/" and not request.path.startswith(PREFIX):
            return None
        refusal = _refusal(request, hosts)
        if refusal:
            return _told(403, refusal)
        asset = _asset(request)
        status, media_type, body = asset or admin.answer(
            request.method, request.path.removeprefix(PREFIX), request.query
        )
        return Response(status, (("content-type", media_type), *_SAFE), body)

    return page


def _asset(request: Request) -> tuple[int, str, bytes] | None:
    name = "" if request.path == "/" else request.path.removeprefix(PREFIX)
    if name not in _ASSETS or (name == "" and request.path != "/"):
        return None
    if request.method not in ("GET", "HEAD"):
        return 405, "text/plain; charset=utf-8", b"GET only\n"
    file, media_type = _ASSETS[name]
    return 200, media_type, files("seedream_sandbox").joinpath("inspector", file).read_bytes()


def _own_hosts(base_url: str) -> frozenset[str]:
    own = urlsplit(base_url)
    names = {"127.0.0.1", "localhost", "[::1]", own.netloc.removesuffix(f":{own.port}")}
    return frozenset(f"{name}:{own.port}" for name in names)


def _refusal(request: Request, hosts: frozenset[str]) -> str:
    """Why the request may not look; empty when it may."""
    if request.peer is not None and not ipaddress.ip_address(request.peer.partition("%")[0]).is_loopback:
        return "the inspector answers only this machine"
    if (request.header("host") or "").lower() not in hosts:
        return "the Host header does not name this server"
    if request.method not in ("GET", "HEAD"):
        origin = request.header("origin")
        if origin is not None and urlsplit(origin).netloc.lower() not in hosts:
            return "another origin may not change anything here"
        if request.header("sec-fetch-site") not in (None, "same-origin", "none"):
            return "another site may not change anything here"
    return ""


def _told(status: int, text: str) -> Response:
    return Response(status, (("content-type", "application/json"), *_SAFE), encode({"error": text}))
