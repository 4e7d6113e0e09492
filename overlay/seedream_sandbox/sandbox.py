"""The sandbox as a library: ``with Sandbox() as s: s.base_url``."""

import warnings
from types import TracebackType
from typing import Any, Self

from seedream_sandbox.account import Charge
from seedream_sandbox.fault import Fault, parse_fault
from seedream_sandbox.httpx_transport import Transport
from seedream_sandbox.request_log import RequestRecord
from seedream_sandbox.server import Server, is_loopback
from seedream_sandbox.service import Service
from seedream_sandbox.settings import Settings
from seedream_sandbox.task import Task

KEY = "sandbox-key-for-tests"


class CredentialLeak(AssertionError):
    """The image host was sent a credential."""


class Sandbox:
    """A stand-in of the service that costs nothing.

    As a context manager, blocking or awaiting, it serves on loopback; ``transport`` answers in process, without a
    socket, also when it is not entered. On exit it raises CredentialLeak if the image host ever saw a credential.

    Args:
        host: Address to bind to; anything but loopback warns.
        port: Port of the API; 0 takes a free one.
        inspector: Whether the page at ``/`` is served.
        settings: See Settings: ``credits=``, ``seed=``, ``progress=``, ``faults=``, ...
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, inspector: bool = True, **settings: Any) -> None:
        self.service = Service(Settings(**settings))
        self.api_key = self.service.settings.keys[0] if self.service.settings.keys else KEY
        self._host, self._port, self._inspector = host, port, inspector
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
        """A transport of httpx, blocking and awaiting, that answers in process."""
        return Transport(self.service, self.base_url, self.images_url)

    @property
    def charges(self) -> list[Charge]:
        """Every charge so far."""
        with self.service.lock:
            return list(self.service.account.charges)

    @property
    def credits(self) -> int:
        """The balance; can be set."""
        return self.service.account.balance

    @credits.setter  # noqa: A003 -- the API's word for its money
    def credits(self, balance: int) -> None:
        with self.service.lock:
            self.service.account.balance = balance

    @property
    def requests(self) -> list[RequestRecord]:
        """The latest requests, oldest first."""
        with self.service.lock:
            return list(self.service.requests)

    @property
    def tasks(self) -> list[Task]:
        """The latest tasks, oldest first."""
        with self.service.lock:
            return list(self.service.tasks.values())

    @property
    def leaks(self) -> list[str]:
        """What credentials the image host was sent, in words."""
        return list(self.service.leaks)

    def add_fault(self, fault: str | Fault) -> None:
        """Put a fault in force: ``s.add_fault("cut-reply nth=1")``.

        Raises:
            FaultError: It is not written as it must be.
        """
        parsed = parse_fault(fault) if isinstance(fault, str) else fault
        with self.service.lock:
            self.service.plan.add(parsed)

    def clear_faults(self) -> None:
        """End all faults."""
        with self.service.lock:
            self.service.plan.clear()

    def start(self) -> Self:
        """Serve on sockets until ``stop``."""
        from seedream_sandbox.inspector_routes import inspector  # noqa: PLC0415 -- only a served sandbox has a page

        if not is_loopback(self._host):
            warnings.warn(
                f"the sandbox is bound to {self._host}: other machines can reach it, and it checks no key",
                stacklevel=2,
            )
        page = (lambda base, images: inspector(self, base, images)) if self._inspector else None
        self._server = Server(self.service, self._host, self._port, page)
        self._server.start()
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
