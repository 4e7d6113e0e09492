"""The inspector: a page at ``/`` that shows tasks, requests and credits as they come, and what it shows as JSON.

Normally only this machine may use it: the peer must be on loopback, and the Host header must name this server, so
that a web page elsewhere cannot get here through a name of its own (DNS rebinding). A request that changes something
must not come from another origin.

What the page and test harnesses in any language read and change is JSON under ``/_sandbox/``:
``GET state charges requests tasks faults thumbs/ID/N pictures/ID/N``; ``POST faults?fault=...``,
``POST credits?balance=N&account=M``, ``POST reset``; ``DELETE faults``.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from itertools import islice
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

from attrs import asdict

from seedream_sandbox.faults.catalogue import KINDS
from seedream_sandbox.faults.language import Fault, FaultError, parse_fault
from seedream_sandbox.http import Request, Response, encode
from seedream_sandbox.service.api import Service
from seedream_sandbox.task import STATE_NAMES, Task

Access = Literal["local", "open", "off"]
Reply = tuple[int, str, bytes]  # HTTP status, media type, body
_JSON: Final = "application/json"
_PICTURE: Final = re.compile(r"(thumbs|pictures)/([A-Za-z0-9_-]{1,80})/([0-9]{1,4})")
_SHOWN: Final = 120  # tasks and requests in one state
_LONGEST: Final = 2_000  # characters of one value that the state shows
_MOST_CREDITS: Final = 10**9
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
        if refusal := self._refusal(request):
            status, media_type, body = _refused(403, refusal)
        else:
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
            if origin is not None and _host_of(origin) not in (
                {host} - {""} if self._access == "open" else self._hosts
            ):
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


def _asset(request: Request) -> Reply | None:
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


class JsonApi:
    """Reads and changes a service; shows ``about`` with its state, so that addresses and key can be copied."""

    def __init__(self, service: Service, about: Mapping[str, str]) -> None:
        self._service = service
        self._about = about
        self._reads: dict[str, Callable[[], object]] = {
            "state": self.state,
            "charges": lambda: [asdict(charge) for charge in service.accounts.charges],
            "requests": lambda: [asdict(record) for record in service.requests.values()],
            "tasks": lambda: [self._task(task) for task in service.tasks.values()],
            "faults": self._faults,
        }

    def answer(self, method: str, name: str, query: str) -> Reply:
        """Answer one request: the method in upper case, the path below ``/_sandbox/``, and the raw query."""
        if method in ("GET", "HEAD"):
            picture = _PICTURE.fullmatch(name)
            if picture is not None:
                return self._picture(picture[1], picture[2], int(picture[3]))
            if name in self._reads:
                with self._service.lock:
                    return 200, _JSON, encode(self._reads[name]())
        try:
            parsed = parse_qs(query, keep_blank_values=True, max_num_fields=20)
        except ValueError:
            return _refused(400, "the query is malformed")
        with self._service.lock:
            return self._change(f"{method} {name}", {key: values[-1] for key, values in parsed.items()})

    def state(self) -> dict[str, Any]:
        """Return all that the page shows, the latest first. The caller holds the service's lock."""
        service = self._service
        verdicts = [record.verdict.partition(" ")[0] for record in service.requests.values() if record.host == "api"]
        return {
            **self._about,
            "credits": sum(account.balance for account in service.accounts),
            "started_with": sum(account.start for account in service.accounts),
            "accounts": [asdict(account) for account in service.accounts],
            "charged": sum(charge.images for charge in service.accounts.charges),
            "verdicts": {name: verdicts.count(name) for name in ("accepted", "refused", "fault")},
            "leaks": list(service.leaks),
            "task_count": len(service.tasks),
            "tasks": [self._task(task) for task in islice(reversed(service.tasks.values()), _SHOWN)],
            "requests": [_clipped(asdict(record)) for record in islice(reversed(service.requests.values()), _SHOWN)],
            "faults": [written(fault) for fault in service.faults],
            "kinds": {name: kind.summary for name, kind in KINDS.items()},
        }

    def _task(self, task: Task) -> dict[str, Any]:
        status = task.status(self._service.settings.progress_rule, self._service.clock.time())
        return {
            "id": task.id, "prompt": task.prompt[:_LONGEST], "resolution": task.resolution, "images": task.images,
            "width": task.width, "height": task.height, "created": task.created, "sources": task.source_count,
            "image_url": task.image_url, "request": task.request, "deleted": task.deleted,
            "status": status, "state": STATE_NAMES.get(status, "unknown"), "faults": list(map(str, task.faults)),
        }  # fmt: skip

    def _faults(self) -> dict[str, Any]:
        return {
            "in_force": [written(fault) for fault in self._service.faults],
            "kinds": {
                name: {"summary": kind.summary, "at": kind.at, "options": dict(kind.options)}
                for name, kind in KINDS.items()
            },
        }

    def _picture(self, kind: str, taskid: str, index: int) -> Reply:
        service = self._service
        with service.lock:
            task = service.tasks.get(taskid)
        if task is None or index >= task.images:
            return _refused(404, "there is no such picture")
        make = service.images.thumbnail if kind == "thumbs" else service.images.picture
        content, media_type = make(task, index)
        return 200, media_type, content

    def _change(self, action: str, given: dict[str, str]) -> Reply:
        service = self._service
        match action:
            case "POST faults":
                try:
                    service.faults.add(parse_fault(given.get("fault", "")))
                except FaultError as error:
                    return _refused(400, str(error))
                return 200, _JSON, encode(self._faults())
            case "DELETE faults":
                service.faults.clear()
                return 200, _JSON, encode(self._faults())
            case "POST credits":
                return self._set_credits(given)
            case "POST reset":
                service.reset()
                return 200, _JSON, encode({"credits": next(iter(service.accounts)).balance})
            case _:
                return _refused(404, f"there is no {action}; see the documentation of the sandbox")

    def _set_credits(self, given: dict[str, str]) -> Reply:
        text = given.get("balance", "")
        if not (text.isascii() and text.isdigit() and len(text) < len(str(_MOST_CREDITS))):
            return _refused(400, f"balance={text[:40]!r} is not a whole number from 0 to {_MOST_CREDITS - 1}")
        number = given.get("account", "1")
        account = next((one for one in self._service.accounts if str(one.number) == number), None)
        if account is None:
            return _refused(404, f"there is no account {number[:40]!r}")
        account.balance = int(text)
        return 200, _JSON, encode({"credits": account.balance})


def written(fault: Fault) -> str:
    """Write a fault in force as the fault language reads it: where, when, and how often."""
    when: dict[str, Any] = {
        "nth": ",".join(map(str, fault.nth)),
        "every": fault.every,
        "probability": "" if fault.probability >= 1 else fault.probability,
        "times": fault.times,
        "match": fault.match,
    }
    return " ".join([str(fault), f"at={fault.at}", *(f"{key}={value}" for key, value in when.items() if value)])


def _refused(status: int, text: str) -> Reply:
    return status, _JSON, encode({"error": text})


def _clipped(value: Any) -> Any:
    """Cut long texts: one request may hold megabytes."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
    if isinstance(value, dict):
        return {key: _clipped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clipped(item) for item in value]
    return value
