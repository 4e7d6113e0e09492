"""Text that is safe to show: quoted, cut to length, and without keys or signed URLs.

What a server says goes through ``server_text``, an allow-list. Where a text is kept for a program (a reply's body on an
error), URL queries and the key in common encodings are removed.
"""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from tensorslab_images.limits import AUTH_HEADER

from seedream._support.patterns import lazy_pattern
from seedream._support.server_text import (
    REMOVED,
    SHORTEST_SECRET,
    decoded,
    echoing,
    holds_secret,
    is_plain_id,
    server_text,
)
from seedream.errors import RawReply

_SHOWN: Final = 60
_KEPT_BODY: Final = 2000
# A URL's query and fragment, and a user part: where signatures and passwords are. JSON may escape / ? and &.
_SIGNED: Final = lazy_pattern(
    r"((?:https?|ftp):(?:\\?/){2})(?:[^\s/\"<>@\\]*@)?([^\s\"<>?#\\]*(?:\\/[^\s\"<>?#\\]*)*)"
    r"(?:(?:[?#]|\\u003f)[^\s\"<>]*)?",
    re.IGNORECASE,
)
# A query behind a relative address, or behind one that is written in another way.
_QUERY: Final = lazy_pattern(r"([?#]|\\u003f)[^\s\"<>?#=]*=[^\s\"<>]*", re.IGNORECASE)
# Header fields that help to find out what happened; no others are kept on an error. Those of the second set are ids.
_KEPT_HEADERS: Final = frozenset({
    "age", "content-encoding", "content-length", "content-range", "content-type", "date", "etag", "retry-after",
    "server", "via", "x-request-id", "request-id", "x-trace-id", "cf-ray", "location",
}) - {AUTH_HEADER.lower()}  # fmt: skip
_ID_HEADERS: Final = frozenset({"etag", "x-request-id", "request-id", "x-trace-id", "cf-ray"})


def quote(text: str, *, marks: bool = True) -> str:
    """The text on one line, control characters escaped, cut to 60 characters; in quotation marks if ``marks``."""
    shown = repr(text[:_SHOWN])[1:-1] + ("…" if len(text) > _SHOWN else "")
    return f"“{shown}”" if marks else shown


def short_repr(value: object) -> str:
    """The value as Python writes it, quoted and cut; its type where it cannot be written."""
    try:
        return quote(repr(value) if not isinstance(value, str) else value)
    except Exception:  # noqa: BLE001 -- a repr is any code at all, and huge integers refuse theirs
        return f"a {type(value).__name__}"


def sanitize(text: str, length: int = 500) -> str:
    """Text for a message: control characters replaced, cut to length, URL queries removed."""
    return "".join(c if c.isprintable() else " " for c in redact(text))[:length]


def redact(text: str, *secrets: str) -> str:
    """The text with the queries of its URLs and the secrets replaced."""
    for secret in sorted(secrets, key=len, reverse=True):  # one key may begin with another: no tail of it stays
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, REMOVED).replace(secret.replace("/", r"\/"), REMOVED)
    return _QUERY.sub(rf"\1{REMOVED}", _SIGNED.sub(_unsigned, text))


def _unsigned(match: re.Match[str]) -> str:
    kept = match[1] + match[2]
    return kept if match[0] == kept else f"{kept}?{REMOVED}"


def redact_reply(status: int, headers: Mapping[str, str], body: bytes, secret: str) -> RawReply:
    """The reply as an error may carry it: the body's first 2,000 bytes, without credentials or URL queries."""
    most = _KEPT_BODY + 8 * len(secret)  # so that no encoding of the key is cut: a byte takes up to eight characters
    text = redact(_without_queries(body, body[:most].decode("utf-8", "surrogateescape"))[:most], secret)
    if holds_secret(text, secret):
        text = f"{REMOVED}: it held the key"
    kept = {
        name.lower(): _kept_header(name.lower(), value, secret)
        for name, value in headers.items()
        if name.lower() in _KEPT_HEADERS
    }
    return RawReply(status, kept, text.encode("utf-8", "surrogateescape")[:_KEPT_BODY])


def _kept_header(name: str, value: str, secret: str) -> str:
    if name in _ID_HEADERS and is_plain_id(value.removeprefix("W/").strip('"')) and not echoing([value], secret):
        return value
    return server_text(value, secret, _KEPT_BODY)


def _without_queries(body: bytes, window: str) -> str:
    """The body's text without the queries of its URLs: in JSON, text by text, as a query may hold blanks and quotes."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _cut(window)
    cleaned = _cleaned(document)
    return window if cleaned == document else json.dumps(cleaned, ensure_ascii=False)


def _cut(text: str) -> str:
    """The text up to the query of its first URL, however that is escaped: nobody knows where the query ends."""
    for form in decoded(text):
        if (found := _SIGNED_START.search(form)) is not None:
            return f"{form[: found.start(1)]}?{REMOVED}"
    return text


_SIGNED_START: Final = lazy_pattern(r"://[^\s?#;]*([?#;])")


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return _cut(value)
        case dict():
            return {_cleaned(name): _cleaned(inner) for name, inner in value.items()}
        case list():
            return [_cleaned(inner) for inner in value]
        case _:
            return value


_REPLY_HEAD: Final = lazy_pattern(r"(return_value=\(b'HTTP/[0-9.]{1,3}', \d{3}).*|(return_value=\().*", re.DOTALL)


def _without_reply(line: str) -> str:
    """A line of the HTTP library without what a server sent: of a reply's head only the status is kept."""
    line = _REPLY_HEAD.sub(lambda found: f"{found[1] or found[2]} {REMOVED}", line)
    head, mark, error = line.partition("exception=")
    return f"{head}{mark}{server_text(error)}"


class _RedactFilter(logging.Filter):
    """Removes keys and URL queries from the HTTP library's own log lines, which hold what a server sent in full."""

    secrets: Final[set[str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        text = _without_reply(record.getMessage())
        record.msg, record.args = redact(text, *self.secrets), ()
        if any(holds_secret(record.msg, secret) for secret in self.secrets):
            record.msg = REMOVED
        return True


_FILTER: Final = _RedactFilter()


def install_log_filter(key: str) -> None:
    """Keep this key and signed URLs out of the HTTP library's logs. Calling it again changes nothing."""
    _FILTER.secrets.add(key)
    for name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
        logging.getLogger(name).addFilter(_FILTER)
