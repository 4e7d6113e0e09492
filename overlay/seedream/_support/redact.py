"""Text that is safe to show: quoted, cut to length, and without keys or signed URLs."""

import logging
import re
from collections.abc import Mapping
from typing import Final

from tensorslab_images.limits import AUTH_HEADER

from seedream.errors import RawReply

_SHOWN: Final = 60
_KEPT_BODY: Final = 2000
_REMOVED: Final = "[removed]"
_SHORTEST_SECRET: Final = 8  # a shorter one is no real key, and stands in many a word
# A URL's query and fragment, and a user part: where signatures and passwords stand. JSON may escape / ? and &.
_SIGNED: Final = re.compile(
    r"((?:https?|ftp):(?:\\?/){2})(?:[^\s/\"<>@\\]*@)?([^\s\"<>?#\\]*(?:\\/[^\s\"<>?#\\]*)*)"
    r"(?:(?:[?#]|\\u003f)[^\s\"<>]*)?",
    re.IGNORECASE,
)
# The same behind a relative address, or one that is written in another way.
_QUERY: Final = re.compile(r"([?#]|\\u003f)[^\s\"<>?#=]*=[^\s\"<>]*", re.IGNORECASE)
_ADDRESSES: Final = frozenset({"location", "content-location", "link", "refresh"})
_NEVER_KEPT: Final = frozenset({AUTH_HEADER.lower(), "authorization", "proxy-authorization", "cookie", "set-cookie"})


def quote(text: str, *, marks: bool = True) -> str:
    """The text on one line, control characters escaped, cut to 60 characters, in quotation marks unless told."""
    shown = repr(text[:_SHOWN])[1:-1] + ("…" if len(text) > _SHOWN else "")
    return f"“{shown}”" if marks else shown


def short_repr(value: object) -> str:
    """The value as Python writes it, quoted and cut; its type where it cannot be written."""
    try:
        return quote(repr(value) if not isinstance(value, str) else value)
    except Exception:  # noqa: BLE001 -- a repr is any code at all, and huge integers refuse theirs
        return f"a {type(value).__name__}"


def sanitize(text: str, secret: str = "", length: int = 500) -> str:
    """A server's text for a message: control characters replaced, cut to length, credentials removed."""
    return "".join(c if c.isprintable() else " " for c in redact(text, secret))[:length]


def redact(text: str, *secrets: str) -> str:
    """The text with the queries of its URLs and the secrets replaced."""
    for secret in sorted(secrets, key=len, reverse=True):  # one key may begin with another: no tail of it stays
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _REMOVED).replace(secret.replace("/", r"\/"), _REMOVED)
    return _QUERY.sub(rf"\1{_REMOVED}", _SIGNED.sub(_unsigned, text))


def _unsigned(match: re.Match[str]) -> str:
    kept = match[1] + match[2]
    return kept if match[0] == kept else f"{kept}?{_REMOVED}"


def redact_reply(status: int, headers: Mapping[str, str], body: bytes, secret: str) -> RawReply:
    """The reply as an error may carry it: the body's first 2,000 bytes, without credentials or URL queries."""
    text = redact(body.decode("utf-8", "surrogateescape"), secret)
    kept = {name.lower(): redact(value, secret) for name, value in headers.items() if name.lower() not in _NEVER_KEPT}
    for name in _ADDRESSES & kept.keys():
        kept[name] = kept[name].partition("?")[0]
    return RawReply(status, kept, text.encode("utf-8", "surrogateescape")[:_KEPT_BODY])


class _RedactFilter(logging.Filter):
    """Removes keys and URL queries from the HTTP library's own log lines, which hold what a server sent in full."""

    secrets: Final[set[str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage(), *self.secrets), ()
        return True


_FILTER: Final = _RedactFilter()


def install_log_filter(key: str) -> None:
    """Keep this key and signed URLs out of the HTTP library's logs. Calling it again changes nothing."""
    _FILTER.secrets.add(key)
    for name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
        logging.getLogger(name).addFilter(_FILTER)
