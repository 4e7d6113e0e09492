"""Reads the configuration: the key, and the base URL. Nothing unusable gets past here, and no message shows the key."""

import os
import unicodedata
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tensorslab_images.limits import SERVER

from seedream._support.addresses import is_loopback
from seedream._support.patterns import lazy_pattern
from seedream._support.redact import quote
from seedream._support.secret import Secret
from seedream.errors import ConfigError

KEY_VARIABLE: Final = "TENSORSLAB_API_KEY"
URL_VARIABLE: Final = "TENSORSLAB_BASE_URL"


def is_visible_ascii(text: str) -> bool:
    """Whether a text has only characters that ASCII shows, so no blank either, and at least one."""
    return text.isascii() and text.isprintable() and bool(text) and " " not in text


def api_key(given: "Secret[Any]") -> str:
    """Return the key from the argument or the environment, without spaces around it.

    Raises:
        ConfigError: No key is given, or it holds characters that a header cannot. The message never shows it.
    """
    key = _read("API key", given, KEY_VARIABLE)
    where = "the api_key argument" if given.reveal() is not None else KEY_VARIABLE
    if not key.reveal():
        raise ConfigError("no API key", hint=f"Set {KEY_VARIABLE}, or give api_key=.")
    if not is_visible_ascii(key.reveal()):
        raise ConfigError(
            f"the API key in {where} holds spaces, line breaks or characters that no key has",
            hint="Copy it again, without 'Bearer' before it.",
        )
    return key.reveal()


def base_url(given: "Secret[Any]") -> str:
    """Return the base URL from the argument, the environment or the spec's server, without a slash at its end.

    Raises:
        ConfigError: It is not an https URL (http only for loopback), or holds a user, query or fragment.
    """
    hint = f"Give, for example, {SERVER}."
    hidden = _read("base URL", given, URL_VARIABLE)
    # A password may hold anything, and an @ be typed in more than one way: wherever one is, nothing is shown.
    if _has_more_than_an_address(hidden):
        raise ConfigError("the base URL holds a user, a query or a fragment", hint=hint)
    url = hidden.reveal() or SERVER
    scheme = url.partition("://")[0].lower()
    host = _host(url)
    if not host or scheme not in ("https", "http") or not url.isprintable() or " " in url:
        raise ConfigError(f"the base URL {quote(url)} is not an https URL", hint=hint)
    if scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"the base URL {quote(url)} is not encrypted, and would show the key to the network",
            hint="Use https; http is only for a service on this machine (loopback).",
        )
    return url.rstrip("/")


def _has_more_than_an_address(hidden: "Secret[str]") -> bool:
    url = hidden.reveal()
    return "@" in unicodedata.normalize("NFKC", unquote(url)) or "?" in url or "#" in url


def _read(what: str, given: "Secret[Any]", variable: str) -> "Secret[str]":
    """Return the argument, or else the variable, without spaces around it. Neither is ever in a local variable."""
    if given.reveal() is None:
        return Secret(os.environ.get(variable, "").strip())
    if not isinstance(given.reveal(), str):
        raise ConfigError(f"the {what} is of type {type(given.reveal()).__name__}, not text", hint="Give it as str.")
    return Secret(given.reveal().strip())


def _host(url: str) -> str:
    """Return the host, or empty where there is none or the URL cannot be read."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    return "" if port == 0 else parts.hostname or ""


_HEADER_NAME: Final = lazy_pattern(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # a token of RFC 9110, 5.6.2
_HEADER_VALUE: Final = lazy_pattern(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?|")
_OWN_HEADERS: Final = frozenset(
    {"authorization", "host", "connection", "content-length", "content-type", "transfer-encoding", "accept-encoding"}
)


def default_headers(given: Secret[Mapping[str, str] | None]) -> Secret[dict[str, str]]:
    """Return further headers for each request to the API.

    Raises:
        ConfigError: A name or value cannot be a header's, or the client sets that header itself. No value is shown.
    """
    if (wrong := _wrong_headers(given.reveal())) is not None:
        raise wrong  # here, where no variable holds a value
    return Secret(dict(given.reveal() or {}))


def _wrong_headers(given: object) -> ConfigError | None:
    """Return what is wrong with the headers."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return ConfigError(f"headers is a {type(given).__name__}, not a mapping", hint="Give names and values as text.")
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, str):
            return ConfigError("headers holds a name or value that is not text", hint="Give them as str.")
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            return ConfigError(f"the header {quote(name)} has a name or value that cannot be sent", hint="Use ASCII.")
        if name.lower() in _OWN_HEADERS:
            return ConfigError(f"the header {quote(name)} is set by the client itself", hint="Leave it out.")
    return None
