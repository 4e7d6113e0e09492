"""Both origins on sockets: uvicorn in a thread of its own, loopback unless told otherwise."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from seedream_sandbox.asgi import CONNECTION, App, Page
from seedream_sandbox.service import Service
from seedream_sandbox.socket_control import cut

_HEAD_TIME: Final = 30.0  # seconds for a request's head to arrive
_START_TIME: Final = 20.0  # seconds
_BACKLOG: Final = 1024


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _protocol(service: Service, open_now: set[Any]) -> type[H11Protocol]:
    """Uvicorn's h11 protocol, which hands its connection to the application and meets connection faults."""

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # the base's own signature is looser
            super().connection_made(transport)
            open_now.add(transport)
            inner: Any = self.app

            async def app(scope: Any, receive: Any, send: Any) -> None:
                scope.setdefault("extensions", {})[CONNECTION] = transport
                try:
                    await inner(scope, receive, send)
                except (TimeoutError, asyncio.CancelledError):
                    # The client does not take the reply, or the sandbox stops: nobody waits for it any more.
                    transport.abort()
                    self.cycle.disconnected = True

            self.app = app
            self.waiting = self.loop.call_later(_HEAD_TIME, transport.abort)
            fault = service.connect_fault()
            if fault is None:
                return
            if fault.name == "cut-accept":
                cut(transport, fault.text("how"))
            else:
                transport.pause_reading()
                self.loop.call_later(service.clock.wait(fault.number("seconds")), transport.abort)

        def handle_events(self) -> None:
            # A head that has begun must end in time, be it the first on its connection or a later one.
            super().handle_events()
            if self.conn.their_state is not h11.IDLE:
                self.waiting.cancel()
            elif self.waiting.cancelled() and self.conn.trailing_data[0]:
                self.waiting = self.loop.call_later(_HEAD_TIME, self.transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            open_now.discard(self.transport)
            self.waiting.cancel()
            super().connection_lost(exc)

    return Protocol


class Server:
    """Serves both origins until stopped.

    Args:
        service: The service.
        host: Address to bind to.
        port: Of the API; 0 takes a free one. The image host takes the next free one.
        page: The inspector, on the API's origin.
    """

    def __init__(self, service: Service, host: str, port: int, page: Callable[[str, str], Page] | None) -> None:
        self._service = service
        self._sockets = [_bind(host, port), _bind(host, 0)]
        shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 -- compared, not bound
        self.base_url, self.images_url = (f"http://{shown}:{sock.getsockname()[1]}" for sock in self._sockets)
        self._page = page(self.base_url, self.images_url) if page is not None else None
        self._open: set[Any] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._servers: list[uvicorn.Server] = []
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="seedream-sandbox", daemon=True)

    def start(self) -> None:
        """Start, and return when both origins answer."""
        self._thread.start()
        deadline = threading.Event()
        for _ in range(int(_START_TIME / 0.005)):
            if self._failed is not None or (self._servers and all(server.started for server in self._servers)):
                break
            deadline.wait(0.005)
        if self._failed is not None or not self._servers:
            raise RuntimeError(f"the sandbox did not start: {self._failed}")

    def stop(self) -> None:
        """Cut every connection and end the thread."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end)
            self._thread.join(10)
        for sock in self._sockets:
            sock.close()

    def _end(self) -> None:
        for transport in list(self._open):
            transport.abort()
        for server in self._servers:
            server.should_exit = True
            server.force_exit = True

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 -- told to the thread that waits for the start
            self._failed = error

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        protocol = _protocol(self._service, self._open)
        apps = [
            App(self._service, images=False, images_url=self.images_url, page=self._page),
            App(self._service, images=True, images_url=self.images_url),
        ]
        servers = [
            uvicorn.Server(
                uvicorn.Config(
                    app, http=protocol, lifespan="off", log_config=None, access_log=False, loop="asyncio",
                    ws="none", server_header=False, date_header=True,
                    proxy_headers=False, timeout_keep_alive=30, backlog=_BACKLOG,
                )
            )
            for app in apps
        ]  # fmt: skip
        self._servers = servers
        await asyncio.gather(*(server.serve([sock]) for server, sock in zip(servers, self._sockets, strict=True)))
        while self._open:  # a connection that came as the others were cut, and each one's last callback
            for transport in list(self._open):
                transport.abort()
            await asyncio.sleep(0)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)
