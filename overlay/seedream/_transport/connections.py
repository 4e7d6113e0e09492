"""Connections: how they are made, which are kept, and for how long.

A submission gets a connection of its own, because a kept one that the server is just closing fails in a way that looks
as if it had been billed. Queries and downloads reuse theirs: a failed one is repeated at no cost. The connections are
httpcore's, without its pool, whose cost grows with the square of its queue; a proxy has a pool of one for each of them.
"""

import os
import ssl
import threading
import time
from functools import cached_property
from typing import Any, Final

import httpcore
from attrs import define, frozen

from seedream._support.redact import short_repr
from seedream._support.timing import RequestKind
from seedream._transport.environment import Proxies, Proxy, Verify, check_verify, tls_context
from seedream.errors import ConfigError

_KEPT: Final = 64  # idle connections, to all servers
_IDLE: Final = 60.0  # seconds


class _Forks:
    """Counts the forks that led to this process: what was opened before the last one belongs to another process."""

    count = 0

    def __init__(self) -> None:
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self.count += 1


_forks: Final = _Forks()


@frozen(eq=False, repr=False)
class NetworkOptions:
    """How connections are made.

    Attributes:
        verify: A CA bundle (file or directory) or an ssl.SSLContext; None for the environment's or certifi's.
        proxy: URL of a proxy for every request; None for the environment's.
        reuse_submit_connections: Seconds for which an idle connection may still carry a submission; 0 for never.
    """

    verify: Verify | None = None
    proxy: str | None = None
    reuse_submit_connections: float = 0.0

    @classmethod
    def checked(
        cls, verify: Verify | None, proxy: str | None, reuse_submit_connections: object, transport: object
    ) -> "NetworkOptions":
        """Return the options, checked against each other.

        Raises:
            ConfigError: ``reuse_submit_connections`` is not a number of seconds, or an option is given that has no
                effect on the caller's own transport.
        """
        if transport is not None and (verify is not None or proxy is not None):
            raise ConfigError(
                "verify and proxy have no effect on a transport that is given", hint="Set them in the transport."
            )
        seconds = reuse_submit_connections
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < float("inf"):
            raise ConfigError(
                f"reuse_submit_connections is {short_repr(seconds)}, not a number of seconds", hint="Give 0 or more."
            )
        return cls(verify, proxy, float(seconds))


@frozen(repr=False)
class Server:
    """Where a request goes: scheme, host in lower case, port."""

    scheme: str
    host: str
    port: int


@define(eq=False, repr=False)
class Line:
    """One connection, and what the request on it must know.

    Attributes:
        carrier: httpcore's connection, or its pool of one connection through a proxy.
    """

    carrier: Any
    key: tuple[Any, ...]
    tls_layers: int
    proxied: bool
    backend: Any
    idle_since: float = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether it can carry no other request. A proxy's pool makes its connection again by itself."""
        return not self.proxied and bool(self.carrier.is_closed())

    @property
    def has_expired(self) -> bool:
        """Whether it has been idle for too long, or the server has closed it."""
        return not self.proxied and bool(self.carrier.has_expired())

    def close(self) -> None:
        """Close the socket. Needs no event loop, and not the thread that opened it."""
        if self.backend.connection is not None:
            self.backend.connection.close()


class Connections:
    """The connections of one client. Threads may share it.

    Args:
        options: How connections are made.
        carriers: httpcore's classes: a connection, a pool through an HTTP proxy, and one through a SOCKS proxy.
        backend: The class of the network backend.

    Raises:
        ConfigError: The environment's or the argument's proxies or certificates cannot be used.
    """

    def __init__(self, options: NetworkOptions, carriers: tuple[Any, Any, Any], backend: Any) -> None:
        check_verify(options.verify)
        self._options = options
        self._proxies = Proxies.read(options.proxy)
        self._carriers = carriers
        self._backend = backend
        self._idle: list[Line] = []  # the longest idle first
        self._lock = threading.Lock()
        self._process = _forks.count
        self.closed = False

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Loading the certificates takes a hundredth of a second or more: once, and never for plain loopback."""
        return tls_context(self._options.verify)

    def keeps(self, kind: RequestKind) -> bool:
        """Return whether a connection for this kind of request is kept for the next one."""
        return self._seconds(kind) > 0

    def take(self, kind: RequestKind, server: "Server", library: str = "") -> Line:
        """Return an idle connection for this kind of request, or one still to be made.

        Args:
            kind: What the request is for.
            server: Where it goes.
            library: The async library that is running; httpcore's locks belong to one.
        """
        key = (kind, server, library)
        while (line := self._pop(key)) is not None:
            if not line.has_expired:
                return line
            line.close()
        proxy = self._proxies.of(server.scheme, server.host, server.port)
        layers = (server.scheme == "https") + (proxy is not None and proxy.uses_tls)
        backend = self._backend()
        return Line(self._carrier(kind, server, proxy, backend), key, layers, proxy is not None, backend)

    def _pop(self, key: tuple[Any, ...]) -> Line | None:
        with self._lock:
            if self._process != _forks.count:  # after a fork the connections are the parent's
                self._process = _forks.count
                while self._idle:
                    self._idle.pop().close()  # this process's copy only
            for position in range(len(self._idle) - 1, -1, -1):  # the one used last is the least likely to be stale
                if self._idle[position].key == key:
                    return self._idle.pop(position)
        return None

    def _carrier(self, kind: RequestKind, server: "Server", proxy: Proxy | None, backend: Any) -> Any:
        seconds = self._seconds(kind)
        tls = self._tls if server.scheme == "https" or (proxy is not None and proxy.uses_tls) else None
        common: dict[str, Any] = {"ssl_context": tls, "keepalive_expiry": seconds, "network_backend": backend}
        direct, by_http, by_socks = self._carriers
        if proxy is None:
            origin = httpcore.Origin(server.scheme.encode("ascii"), server.host.encode("ascii"), server.port)
            return direct(origin, **common)
        common |= {"max_connections": 1, "max_keepalive_connections": 1 if seconds else 0}
        if proxy.is_socks:
            return by_socks(proxy.url, proxy_auth=proxy.auth, **common)
        return by_http(proxy.url, proxy_auth=proxy.auth, proxy_ssl_context=tls if proxy.uses_tls else None, **common)

    def _seconds(self, kind: RequestKind) -> float:
        return self._options.reuse_submit_connections if kind == "submit" else _IDLE

    def give_back(self, line: Line) -> None:
        """Keep a connection for the next request, or close it, and those that are idle for too long or one too many."""
        line.idle_since = time.monotonic()
        with self._lock:
            if self.closed or line.is_closed or not self.keeps(line.key[0]):
                surplus = [line]
            else:
                self._idle.append(line)
                count = max(0, len(self._idle) - _KEPT)
                while self._idle[count].idle_since < line.idle_since - _IDLE:
                    count += 1
                surplus, self._idle = self._idle[:count], self._idle[count:]
        for one in surplus:
            one.close()

    def close(self) -> None:
        """Close all idle connections, and those in use when they are given back."""
        with self._lock:
            self.closed = True
            lines, self._idle = self._idle, []
        for line in lines:
            line.close()


SYNC: Final = (httpcore.HTTPConnection, httpcore.HTTPProxy, httpcore.SOCKSProxy)
ASYNC: Final = (httpcore.AsyncHTTPConnection, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy)
