"""Proxies and certificates, from arguments or from the environment. What cannot be used is a ConfigError at once."""

import ipaddress
import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast
from urllib.parse import SplitResult, unquote, urlsplit

import certifi  # comes with httpx
from attrs import frozen

from seedream._support.addresses import is_loopback
from seedream._support.config import is_visible_ascii
from seedream._support.redact import quote, short_repr
from seedream.errors import ConfigError

_SOCKS: Final = ("socks5", "socks5h")
_SCHEMES: Final = ("http", "https", *_SOCKS)
_PORTS: Final = {"http": 80, "https": 443}
_CERTIFICATE_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")

Verify = str | os.PathLike[str] | ssl.SSLContext


@frozen(eq=False, repr=False)
class Proxy:
    """A proxy: its URL without user and password, and these."""

    url: str
    auth: tuple[bytes, bytes] | None = None

    @property
    def is_socks(self) -> bool:
        return self.url.startswith(_SOCKS)

    @property
    def uses_tls(self) -> bool:
        return self.url.startswith("https:")


def _has_socks() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415 -- for SOCKS proxies only

    return find_spec("socksio") is not None


def read_proxy(text: object, where: str) -> Proxy:
    """Read a proxy's URL. No message shows it, for it may hold a password.

    Args:
        text: The URL.
        where: The argument or variable that it comes from.

    Raises:
        ConfigError: It cannot be used.
    """
    hint = "Give, for example, http://proxy.example:3128; percent-encode #, ?, / and @ in user and password."
    if not isinstance(text, str):
        raise ConfigError(f"{where} is of type {type(text).__name__}, not the URL of a proxy", hint=hint)
    given = text.strip()
    try:
        parts = urlsplit(given if "://" in given else f"http://{given}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, SplitResult("", "", "", "", "")
    unusable = not host or parts.path not in ("", "/") or "#" in given or "?" in given or not is_visible_ascii(given)
    if unusable or parts.scheme not in _SCHEMES:
        raise ConfigError(f"{where} is not the URL of a proxy (http, https, socks5 or socks5h)", hint=hint)
    if parts.scheme in _SOCKS and not _has_socks():
        raise ConfigError(
            f"{where} names a SOCKS proxy, for which a package is missing",
            hint="Install it: pip install 'httpx[socks]'.",
        )
    name = f"[{host}]" if host and ":" in host else host
    url = f"{parts.scheme}://{name}:{port or _PORTS.get(parts.scheme, 1080)}"
    user = (unquote(parts.username or "").encode(), unquote(parts.password or "").encode())
    return Proxy(url, user if any(user) else None)


@frozen(eq=False, repr=False)
class _Exception:
    """One entry of NO_PROXY: hosts to which a scheme, a port, a name or a network belongs."""

    scheme: str
    host: str
    port: int | None
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None

    def covers(self, scheme: str, host: str, port: int) -> bool:
        if self.scheme not in ("", "all", scheme) or self.port not in (None, port):
            return False
        if self.network is not None:
            try:
                return ipaddress.ip_address(host) in self.network
            except ValueError:
                return False
        return self.host in ("*", host) or host.endswith(f".{self.host}")


def _read_exception(entry: str) -> _Exception:
    """Read an entry of NO_PROXY, in any form that curl, httpx or Python's urllib understand."""
    scheme, _, rest = entry.rpartition("://")
    try:
        network = ipaddress.ip_network(rest, strict=False)
    except ValueError:
        pass
    else:
        return _Exception(scheme.lower(), "", None, network)
    try:
        parts = urlsplit(f"//{rest}")
        host, port = (parts.hostname or "").removeprefix("*.").strip("."), parts.port
    except ValueError:
        host, port = "", None
    if not host or "/" in rest or not rest.isprintable():
        raise ConfigError(
            f"NO_PROXY holds {quote(rest)}, which is not a host, a network or *", hint="Separate entries by commas."
        )
    try:
        return _Exception(scheme.lower(), "", port, ipaddress.ip_network(host))
    except ValueError:
        return _Exception(scheme.lower(), host.lower(), port, None)


def _proxy_settings() -> Mapping[str, str]:
    """Return the proxies of the environment, or those that macOS and Windows keep for the user, by scheme."""
    if sys.platform not in ("darwin", "win32") and not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    from urllib.request import getproxies  # noqa: PLC0415 -- it takes longer to load than all else in a client

    return getproxies()


@frozen(eq=False, repr=False)
class Proxies:
    """Which proxy a request goes through."""

    _by_scheme: Mapping[str, Proxy]
    _exceptions: tuple[_Exception, ...] = ()
    _always: Proxy | None = None

    @classmethod
    def read(cls, proxy: object = None, environ: Mapping[str, str] | None = None) -> "Proxies":
        """Read the argument ``proxy``, or else the environment (HTTPS_PROXY, ALL_PROXY, NO_PROXY).

        Raises:
            ConfigError: One cannot be used.
        """
        if proxy is not None:
            return cls({}, (), read_proxy(proxy, "the proxy argument"))
        found = _proxy_settings() if environ is None else environ
        named = {"https": "HTTPS_PROXY", "all": "ALL_PROXY"}
        by_scheme = {
            scheme: read_proxy(found[scheme], named[scheme]) for scheme in named if found.get(scheme, "").strip()
        }
        if not by_scheme:
            return cls({})
        entries = (entry.strip() for entry in found.get("no", "").split(","))
        return cls(by_scheme, tuple(_read_exception(entry) for entry in entries if entry))

    def of(self, scheme: str, host: str, port: int) -> Proxy | None:
        """Return the proxy for a server, or None.

        Plain http is for a service on this machine: it goes through a proxy only if the argument names one.
        """
        if self._always is not None or scheme != "https":
            return self._always
        proxy = self._by_scheme.get("https") or self._by_scheme.get("all")
        if proxy is None or is_loopback(host) or any(one.covers("https", host, port) for one in self._exceptions):
            return None
        return proxy


def check_verify(verify: Verify | bool | None, environ: Mapping[str, str] = os.environ) -> None:  # noqa: FBT001 -- httpx's own name and values
    """Refuse certificates that cannot be used, without loading them.

    Raises:
        ConfigError: The argument is of another type or names no file, or SSL_CERT_FILE or SSL_CERT_DIR names none.
    """
    if verify is None or verify is True:
        variable = next((name for name in _CERTIFICATE_VARIABLES if environ.get(name)), None)
        if variable is not None and not Path(environ[variable]).exists():
            raise ConfigError(
                f"{variable} names {quote(environ[variable])}, which does not exist",
                hint="Correct or unset the variable.",
            )
    elif verify is False:
        raise ConfigError("certificates are always checked", hint="Give verify= a CA bundle or an ssl.SSLContext.")
    elif not isinstance(verify, str | os.PathLike | ssl.SSLContext):
        raise ConfigError(f"verify is {short_repr(verify)}", hint="Give the path of a CA bundle or an ssl.SSLContext.")
    elif not isinstance(verify, ssl.SSLContext) and not Path(verify).exists():
        raise ConfigError(f"verify names {quote(os.fsdecode(verify))}, which does not exist", hint="Correct the path.")


def tls_context(verify: Verify | bool | None) -> ssl.SSLContext:  # noqa: FBT001 -- as above
    """Return the context that checks certificates.

    Raises:
        ConfigError: The certificates cannot be loaded.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    where = "verify"
    try:
        if verify is None or verify is True:
            where = next((name for name in _CERTIFICATE_VARIABLES if os.environ.get(name)), "the certifi package")
            bundle = os.environ.get(where, certifi.where())
            return _context_of(bundle)
        return _context_of(os.fspath(cast("str | os.PathLike[str]", verify)))
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or type(error).__name__
    raise ConfigError(
        f"the certificates of {where} cannot be loaded: {reason}", hint="Give a file of PEM certificates."
    )


def _context_of(path: str) -> ssl.SSLContext:
    """Return a context that trusts the certificates in a file or directory, and only those."""
    directory = Path(path).is_dir()
    return ssl.create_default_context(cafile=None if directory else path, capath=path if directory else None)
