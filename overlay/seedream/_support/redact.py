"""Text that is safe to show: quoted, cut to length, and without keys or signed URLs."""

import base64
import json
import logging
import re
import string
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from unicodedata import normalize
from urllib.parse import unquote_plus

from tensorslab_images.limits import AUTH_HEADER

from seedream.errors import RawReply

_SHOWN: Final = 60
_KEPT_BODY: Final = 2000
_REMOVED: Final = "[removed]"
_SHORTEST_SECRET: Final = 8  # a shorter one is not a real key, and is part of many words
# A URL's query and fragment, and a user part: where signatures and passwords are. JSON may escape / ? and &.
_SIGNED: Final = re.compile(
    r"((?:https?|ftp):(?:\\?/){2})(?:[^\s/\"<>@\\]*@)?([^\s\"<>?#\\]*(?:\\/[^\s\"<>?#\\]*)*)"
    r"(?:(?:[?#]|\\u003f)[^\s\"<>]*)?",
    re.IGNORECASE,
)
# The same behind a relative address, or one that is written in another way.
_QUERY: Final = re.compile(r"([?#]|\\u003f)[^\s\"<>?#=]*=[^\s\"<>]*", re.IGNORECASE)
# What a message takes of a server's text ends where a URL, a query or a credential begins.
_TELLING: Final = re.compile(
    r"[a-z][a-z0-9+.-]{1,9}(?::|%3a|\\u003a|&#58;|&colon;)(?:\\?/|%2f|\\u002f|&#47;|&sol;){2}"  # a URL, however escaped
    r"|[?&;#][^\s=&]{1,60}=|(?:%3f|%26|\\u003f|\\u0026)[^\s]{0,60}?(?:=|%3d|\\u003d)"  # name=value of a query
    r"|\b(?:bearer|basic|token|secret|signature|password|passwd|api[ _-]?key|credential|x-amz-[a-z-]+)\b"
    r"[\s\"':=]{1,9}\S",
    re.IGNORECASE,
)
# What no sentence needs: as long as a signature and longer than a task's id; shorter, but of all three kinds of signs
# as a random text is; or letters that are written as numbers.
_OPAQUE: Final = re.compile(
    r"[A-Za-z0-9+/_=-]{40,}"
    r"|(?<![A-Za-z0-9])(?=[A-Za-z+/_=~-]*[0-9])(?=[a-z0-9+/_=~-]*[A-Z])(?=[A-Z0-9+/_=~-]*[a-z])[A-Za-z0-9+/_=~-]{16,}"
    r"|(?:(?:\\[xuU]?|=|%|&#x?)\{?[0-9a-fA-F]{2,6}\}?;?[ ]?){6,}"
    r"|(?:\b\d{1,3}\b[\s,;]+){8,}"
)
_LONGEST_TEXT: Final = 200
_LONGEST_READ: Final = 4000
# Header fields that help to find out what happened; no others are kept on an error.
_KEPT_HEADERS: Final = frozenset({
    "age", "content-encoding", "content-length", "content-range", "content-type", "date", "etag", "retry-after",
    "server", "via", "x-request-id", "request-id", "x-trace-id", "cf-ray", "location",
}) - {AUTH_HEADER.lower()}  # fmt: skip


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


def sanitize(text: str, secret: str = "", length: int = 500) -> str:
    """Text for a message: control characters replaced, cut to length, credentials removed."""
    return "".join(c if c.isprintable() else " " for c in redact(text, secret))[:length]


def server_text(text: str, secret: str = "", length: int = _LONGEST_TEXT) -> str:
    """What a message may show of a server's text: its beginning, up to the first URL, query or credential.

    A server may echo the key or a signed URL in any form, so a message takes only what it needs. Text in which the key
    is recognised in an encoding is not shown at all.
    """
    text = _without(text, secret)
    if holds_secret(text, secret):
        return _REMOVED
    text = text[:_LONGEST_READ]
    found = _TELLING.search(text)
    if found is not None:
        text = f"{text[: found.start()].rstrip()} {_REMOVED}"
    return sanitize(_OPAQUE.sub(_REMOVED, text), secret, length).strip()


def _without(text: str, secret: str) -> str:
    return text.replace(secret, _REMOVED) if len(secret) >= _SHORTEST_SECRET else text


def holds_secret(text: str, secret: str) -> bool:
    """Whether the text holds the secret, as it is or in an encoding: URL, HTML, JSON, Base64, hex, other case."""
    if len(secret) < _SHORTEST_SECRET:
        return False
    encoded, numbers, plain = _encodings(secret), ",".join(map(str, secret.encode())), _squeezed(secret)
    for form in _decoded(text):
        squeezed, lower = _squeezed(form), form.lower().replace("-", "+").replace("_", "/")
        if (
            (plain and plain in squeezed)
            or secret in form
            or any(one in lower or one in form.lower() for one in encoded)
            or numbers in ",".join(_NUMBER.findall(form))
        ):
            return True
    return False


@lru_cache(maxsize=8)
def _encodings(secret: str) -> frozenset[str]:
    """The secret in encodings that keep no letter of it, in lower case."""
    raw = secret.encode()
    encoded = {raw.hex(), secret[::-1].lower(), secret.translate(_ROT13).lower()}
    for encode, bits in ((base64.b64encode, 6), (base64.b32encode, 5)):
        for shift in range(5):  # the place of the key within the encoded bytes moves the letters
            letters = encode(bytes(shift) + raw).decode().rstrip("=")
            encoded.add(letters[-(-shift * 8 // bits) : len(letters) - 1].lower())
    return frozenset(encoded)


def _squeezed(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.lower())


def _decoded(text: str) -> Iterator[str]:
    """The text, and what it may mean when URL, HTML and JSON escapes are read, up to three times."""
    from html import unescape  # noqa: PLC0415 -- slow to load, and needed only where an error is shown

    for _ in range(3):
        yield text
        unescaped = _ESCAPE.sub(_unescaped, text.replace("\\/", "/"))
        again = normalize("NFKC", unquote_plus(unescape(unescaped)))
        if again == text:
            return
        text = again


def _unescaped(escape: re.Match[str]) -> str:
    code = int(escape[1], 8) if escape[1] else int(next(filter(None, escape.groups()[1:])), 16)
    return chr(code) if code < _CODES else ""


_CODES: Final = 0x110000
_NUMBER: Final = re.compile(r"\d+", re.ASCII)
# Octal, JSON, JavaScript, CSS and quoted-printable.
_ESCAPE: Final = re.compile(
    r"\\([0-3][0-7]{2})|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\u\{([0-9a-fA-F]{1,6})\}"
    r"|\\([0-9a-fA-F]{2,6})[ ]?|=([0-9a-fA-F]{2})"
)
_UPPER: Final = string.ascii_uppercase
_ROT13: Final = str.maketrans(
    _UPPER + _UPPER.lower(), _UPPER[13:] + _UPPER[:13] + _UPPER[13:].lower() + _UPPER[:13].lower()
)


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
    window = body[: _KEPT_BODY + 8 * len(secret)].decode("utf-8", "surrogateescape")
    encoded = holds_secret(_without(window, secret), secret)
    text = f"{_REMOVED}: it held the key" if encoded else _without(_without_queries(body, window), secret)
    kept = {
        name.lower(): server_text(value, secret, _KEPT_BODY)
        for name, value in headers.items()
        if name.lower() in _KEPT_HEADERS
    }
    return RawReply(status, kept, text.encode("utf-8", "surrogateescape")[:_KEPT_BODY])


def _without_queries(body: bytes, window: str) -> str:
    """The body's text without the queries of its URLs: in JSON, text by text, as a query may hold blanks and quotes."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        found = _SIGNED_START.search(window)  # the end of a query is not known in other text
        return redact(window) if found is None else f"{window[: found.start(1)]}?{_REMOVED}"
    cleaned = _cleaned(document)
    return redact(window) if cleaned == document else json.dumps(cleaned, ensure_ascii=False)


_SIGNED_START: Final = re.compile(r"://[^\s?#;]*([?#;])")


def _cleaned(value: Any) -> Any:
    match value:
        case str() if found := _SIGNED_START.search(value):
            return f"{value[: found.start(1)]}?{_REMOVED}"
        case dict():
            return {name: _cleaned(inner) for name, inner in value.items()}
        case list():
            return [_cleaned(inner) for inner in value]
        case _:
            return value


_REPLY_HEAD: Final = re.compile(r"(return_value=\(b'HTTP/[0-9.]{1,3}', \d{3}).*|(return_value=\().*", re.DOTALL)


def _without_reply(line: str) -> str:
    """A line of the HTTP library without what a server sent: of a reply's head only the status is kept."""
    line = _REPLY_HEAD.sub(lambda found: f"{found[1] or found[2]} {_REMOVED}", line)
    head, mark, error = line.partition("exception=")
    return f"{head}{mark}{server_text(error)}" if mark else line


class _RedactFilter(logging.Filter):
    """Removes keys and URL queries from the HTTP library's own log lines, which hold what a server sent in full."""

    secrets: Final[set[str]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        text = _without_reply(record.getMessage())
        record.msg, record.args = redact(text, *self.secrets), ()
        if any(holds_secret(record.msg, secret) for secret in self.secrets):
            record.msg = _REMOVED
        return True


_FILTER: Final = _RedactFilter()


def install_log_filter(key: str) -> None:
    """Keep this key and signed URLs out of the HTTP library's logs. Calling it again changes nothing."""
    _FILTER.secrets.add(key)
    for name in ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))):
        logging.getLogger(name).addFilter(_FILTER)
