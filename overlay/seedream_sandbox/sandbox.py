"""The sandbox as a library: ``with Sandbox() as sandbox: sandbox.base_url``."""

import ssl
import warnings
from types import TracebackType
from typing import Any, Self

from seedream_sandbox.faults.language import Fault, parse_fault
from seedream_sandbox.inspector.routes import Access
from seedream_sandbox.server.httpx_transport import Transport
from seedream_sandbox.server.server import Server, is_loopback
from seedream_sandbox.service.account import Charge, owner
from seedream_sandbox.service.api import Service
from seedream_sandbox.service.request_log import RequestRecord
from seedream_sandbox.settings import Settings
from seedream_sandbox.task import Task

KEY = "sandbox-key-for-tests"


class CredentialLeak(AssertionError):
    """The image host was sent a credential."""


class Sandbox:
    """A fake of the service that costs nothing.

    As a context manager, blocking or asynchronous, it serves on loopback. ``transport`` answers in process without a
    socket, also when the sandbox is not entered. On exit it raises CredentialLeak if the image host ever received a
    credential.

    Args:
        host: Address to bind to; anything but loopback warns.
        port: Port of the API; 0 takes a free one.
        images_port: Port of the image host; 0 takes a free one.
        public_url: Origin of the API as clients reach it, where that differs from host and port (a container, a
            proxy).
        public_images_url: Likewise of the image host; by default ``public_url`` with the image host's port.
        tls: Certificate and key to serve HTTPS with.
        inspector: ``local``: the page at ``/`` answers only this machine; ``open``: whoever can reach the port;
            ``off`` (or False): there is none. True is ``local``.
        settings: See Settings: ``credits=``, ``seed=``, ``progress=``, ``faults=``, ...

    Raises:
        TypeError: There is no such setting, or a value has the wrong type.
        ValueError: A setting is out of its range.
        FaultError: A fault is written wrongly.
        OSError: The ledger file cannot be opened for appending.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        images_port: int = 0,
        public_url: str | None = None,
        public_images_url: str | None = None,
        tls: ssl.SSLContext | None = None,
        inspector: Access | bool = "local",
        **settings: Any,
    ) -> None:
        self.service = Service(Settings(**settings))
        self.api_key = next(iter(self.service.settings.keys), KEY)
        self._host = host
        self._access: Access = inspector if isinstance(inspector, str) else "local" if inspector else "off"
        self._listen: dict[str, Any] = {
            "host": host,
            "port": port,
            "images_port": images_port,
            "public_url": public_url,
            "public_images_url": public_images_url,
            "tls": tls,
        }
        self._server: Server | None = None
        # Origins of the in-process service: reserved ports that nothing listens on.
        self._base_url, self._images_url = "http://127.0.0.1:1", "http://127.0.0.1:2"

    @property
    def base_url(self) -> str:
        """Origin of the API."""
        return self._server.base_url if self._server else self._base_url

    @property
    def images_url(self) -> str:
        """Origin of the image host."""
        return self._server.images_url if self._server else self._images_url

    @property
    def serving(self) -> bool:
        """Whether it serves on sockets now."""
        return self._server is not None

    @property
    def transport(self) -> Transport:
        """A transport of httpx, blocking and asynchronous, that answers in process."""
        return Transport(self.service, self.base_url, self.images_url)

    @property
    def charges(self) -> list[Charge]:
        """Every charge so far."""
        with self.service.lock:
            return list(self.service.accounts.charges)

    @property
    def credits(self) -> int:
        """Balance of the first account; can be set."""
        return next(iter(self.service.accounts)).balance

    @credits.setter  # noqa: A003 -- the API's word for its money
    def credits(self, balance: int) -> None:
        with self.service.lock:
            next(iter(self.service.accounts)).balance = balance

    @property
    def requests(self) -> list[RequestRecord]:
        """The latest requests, oldest first."""
        with self.service.lock:
            return list(self.service.requests.values())

    @property
    def tasks(self) -> list[Task]:
        """The latest tasks, oldest first."""
        with self.service.lock:
            return list(self.service.tasks.values())

    @property
    def leaks(self) -> list[str]:
        """The credentials that the image host received, in words."""
        return list(self.service.leaks)

    def balance(self, key: str) -> int:
        """Return the balance of a key's account.

        Raises:
            KeyError: The key is not accepted.
        """
        with self.service.lock:
            account = self.service.accounts.find(owner(key))
            if account is None:
                raise KeyError("there is no account with this key")
            return account.balance

    def add_fault(self, fault: str | Fault) -> None:
        """Put a fault in force: ``sandbox.add_fault("cut-reply nth=1")``.

        Raises:
            FaultError: It is written wrongly.
        """
        parsed = parse_fault(fault) if isinstance(fault, str) else fault
        with self.service.lock:
            self.service.faults.add(parsed)

    def clear_faults(self) -> None:
        """Remove all faults."""
        with self.service.lock:
            self.service.faults.clear()

    def start(self) -> Self:
        """Serve on sockets until ``stop``.

        Raises:
            OSError: An address or port cannot be bound, or the machine gives no thread.
        """
        if not is_loopback(self._host):
            keys = "" if self.service.settings.keys else ", and any key is accepted"
            warnings.warn(f"the sandbox is bound to {self._host}: other machines can reach it{keys}", stacklevel=2)
        server = Server(self.service, access=self._access, api_key=self.api_key, **self._listen)
        server.start()
        self._server = server
        return self

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is None and self.service.leaks:
            raise CredentialLeak("; ".join(self.service.leaks))

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
