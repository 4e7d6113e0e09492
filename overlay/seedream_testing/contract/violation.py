"""What a failed check says: which check, which rule, what happened, and a curl line that shows it."""

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import field, frozen
from tensorslab_images.limits import AUTH_HEADER

from seedream_testing.contract.rule_text import sentence

_HIDDEN: Final = frozenset({AUTH_HEADER.lower(), "authorization", "cookie", "proxy-authorization"})
_USUAL: Final[Mapping[str, re.Pattern[str]]] = {  # what HTTP clients add by themselves is not shown
    "host": re.compile(".*"),
    "content-length": re.compile(".*"),
    "connection": re.compile("keep-alive"),
    "accept": re.compile(r"\*/\*"),
    "accept-encoding": re.compile("gzip, deflate(, br)?(, zstd)?"),
    "user-agent": re.compile("(python-httpx|schemathesis|seedream)/.*"),
}
_CURLS_OWN: Final = ("accept", "user-agent")
_SHOWN: Final = 4000
_PIECE: Final = 6  # characters of a key that are never shown
_PLAIN: Final = frozenset(range(0x20, 0x7F)) - frozenset(b"\\'")  # what a quoted shell word shows as it is


@frozen
class Sent:
    """A request as it was on the wire.

    Attributes:
        method: In capitals.
        url: Whole.
        headers: As sent, in order, names in lower case.
        body: The bytes.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: str) -> tuple[str, ...]:
        """Return all values of a header."""
        return tuple(value for key, value in self.headers if key == name.lower())

    @property
    def path(self) -> str:
        """Path and query."""
        return "/" + self.url.split("://", 1)[1].partition("/")[2]

    @property
    def curl(self) -> str:
        """A line for a shell that sends the same bytes; the key is a variable."""
        words = ["curl", "-sS", "-X", self.method, self.url]
        for name, value in self.headers:
            if name in _HIDDEN:
                words += ["-H", f"{name}: Bearer $TENSORSLAB_API_KEY"]
            elif name not in _USUAL or not _USUAL[name].fullmatch(value):
                words += ["-H", f"{name}: {value}" if value else f"{name};"]
        for name in _CURLS_OWN if self.headers else ():
            if not self.header(name):
                words += ["-H", f"{name}:"]
        line = " ".join(f'"{word}"' if "$TENSORSLAB" in word else shlex.quote(word) for word in words)
        if not self.body:
            return line
        start = self.body[: _SHOWN + 1]  # enough to see whether it is too long
        escaped = "".join(chr(byte) if byte in _PLAIN else f"\\x{byte:02x}" for byte in start)
        if len(escaped) > _SHOWN:
            return f"{line} --data-binary @body  # {len(self.body):,} bytes, too long to show"
        return f"printf '%b' '{escaped}' | {line} --data-binary @-"


class Violation(AssertionError):
    """A check found a rule broken.

    Attributes:
        check: Name of the check.
        rule: Id of the rule, of the ledger or of ``PROJECT_RULES``.
        what: What happened.
        curl: A line that shows it, or empty.
    """

    def __init__(self, what: str, *, rule: str, check: str = "", sent: Sent | None = None) -> None:
        super().__init__(what)
        self.what, self.rule, self.check = what, rule, check
        self.curl = sent.curl if sent else ""

    def __str__(self) -> str:
        lines = [f"[{self.rule}] {self.check}: {self.what}", f"  rule {self.rule}: “{sentence(self.rule)}”"]
        return "\n".join([*lines, *([f"  {self.curl}"] if self.curl else [])])


class Unobservable(Exception):
    """An example cannot show anything on this server; the message says why. It counts as skipped, not as passed."""


def conceal(text: str, keys: Iterable[str]) -> str:
    """Return a text without the keys, and without longer pieces of them in any case or direction."""
    known = sorted(keys, key=len, reverse=True)
    for key in known:  # all of them, before a piece of one breaks another up
        text = text.replace(key, "$TENSORSLAB_API_KEY")
    for key in known:
        for form in (key, key.swapcase(), key.upper(), key.lower(), key[::-1]):
            for start in range(len(form) - _PIECE + 1):
                text = text.replace(form[start : start + _PIECE], "*" * _PIECE)
    return text


def named(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the headers of a mapping, names in lower case."""
    return tuple((name.lower(), value) for name, value in headers.items())
