"""The image host: signed, expiring URLs; ranges; and a record of credentials that arrive."""

import hashlib
import hmac
import re
from typing import Final
from urllib.parse import parse_qs

from attrs import frozen

from seedream_sandbox.http import Request, Response, is_credential
from seedream_sandbox.task import Task

_PATH: Final = re.compile(r"/results/([A-Za-z0-9_-]{1,80})/([0-9]{1,4})")
_RANGE: Final = re.compile(r"bytes=([0-9]{1,18})-([0-9]{0,18})")


@frozen
class Signer:
    """Makes and checks the query that gives access to a picture for a limited time."""

    secret: bytes
    lifetime: float  # seconds

    def url(self, origin: str, task: Task, index: int, now: float) -> str:
        """Return a picture's URL, signed until ``lifetime`` from now."""
        path, expires = f"/results/{task.id}/{index}", int(now + self.lifetime)
        return f"{origin}{path}?Expires={expires}&Signature={self._sign(path, expires)}"

    def refusal(self, path: str, query: str, now: float) -> str:
        """Return why the query gives no access; empty when it does."""
        try:
            given = parse_qs(query, max_num_fields=20)
        except ValueError:
            return "the URL is not signed"
        expires, signature = given.get("Expires", [""])[0], given.get("Signature", [""])[0]
        if not expires.isascii() or not expires.isdigit() or len(expires) > 12:  # noqa: PLR2004 -- beyond any date
            return "the URL is not signed"
        if not hmac.compare_digest(self._sign(path, int(expires)).encode(), signature.encode()):
            return "the signature is wrong"
        return "the URL has expired" if now > int(expires) else ""

    def _sign(self, path: str, expires: int) -> str:
        return hmac.new(self.secret, f"{path}?{expires}".encode(), hashlib.sha256).hexdigest()[:32]


def picture_of(path: str) -> tuple[str, int] | None:
    """Return the task id and index that a path asks for."""
    found = _PATH.fullmatch(path)
    return (found[1], int(found[2])) if found else None


def leaked(request: Request) -> str:
    """Name the credential that the request carries; empty when it carries none."""
    named = sorted({name for name, _ in request.headers if is_credential(name)})
    return f"the header {', '.join(named)}" if named else ""


def picture_reply(request: Request, content: bytes, media_type: str) -> Response:
    """Build the reply with a picture, or with the part of it that a Range header asks for."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = (("content-type", media_type), ("etag", tag), ("accept-ranges", "bytes"), ("cache-control", "private"))
    asked = _RANGE.fullmatch(request.header("range") or "")
    fresh = request.header("if-range") in (None, tag)
    if asked is None or not fresh:
        return Response(200, headers, content)
    first, last = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
    if first > last:
        return Response(416, (*headers, ("content-range", f"bytes */{len(content)}")), b"")
    return Response(
        206, (*headers, ("content-range", f"bytes {first}-{last}/{len(content)}")), content[first : last + 1]
    )
