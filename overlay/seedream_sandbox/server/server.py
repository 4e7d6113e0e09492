"""Both origins on sockets: an event loop in a thread of its own, on loopback unless another host is named."""

import asyncio
import errno
import ipaddress
import re
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from seedream_sandbox.inspector.routes import Access, Inspector
from seedream_sandbox.server.connection import Connection, Origin, reset_on_close
from seedream_sandbox.service.api import Service

_START_TIME: Final = 20.0  # seconds
_BACKLOG: Final = 1024
_ACCEPT_PAUSE: Final = 0.2  # seconds
_LARGE_BODIES: Final = 4  # places on each origin
_API_THREADS, _IMAGE_THREADS = 8, 4
_HOST: Final = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server bound to the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Server:
    """Serves both origins until it is stopped.

    Args:
        service: The service.
        host, port, images_port, public_url, public_images_url, tls: As of the Sandbox.
        access: Who may use the inspector.
        api_key: A key that works, for the inspector to show.

    Raises:
        OSError: An address or port cannot be bound.
    """

    def __init__(
        self,
        service: Service,
        *,
        host: str,
        port: int,
        images_port: int = 0,
        public_url: str | None = None,
        public_images_url: str | None = None,
        tls: ssl.SSLContext | None = None,
        access: Access = "local",
        api_key: str = "",
    ) -> None:
        self._service = service
        self._sockets = [_bind(host, port)]
        try:
            self._sockets.append(_bind(host, images_port))
        except OSError:
            self._sockets[0].close()
            raise
        self._tls = tls
        self._scheme = "http" if tls is None else "https"
        any_address = host in ("", "0.0.0.0", "::")  # noqa: S104 -- compared, not bound
        shown = ("[::1]" if ":" in host else "127.0.0.1") if any_address else f"[{host}]" if ":" in host else host
        bound, bound_images = (f"{self._scheme}://{shown}:{sock.getsockname()[1]}" for sock in self._sockets)
        self.base_url = (public_url or bound).rstrip("/")
        self._follows_host = any_address and not public_url and not public_images_url
        if public_url and not public_images_url:
            public_images_url = re.sub(r":[0-9]+$", "", self.base_url) + f":{self._sockets[1].getsockname()[1]}"
        self.images_url = (public_images_url or bound_images).rstrip("/")
        self._inspector = None
        if access != "off":
            about = {"base_url": self.base_url, "images_url": self.images_url, "api_key": api_key}
            self._inspector = Inspector(service, about, bound, access)
        self.connections: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="seedream-sandbox", daemon=True)

    def start(self) -> None:
        """Start, and return when both origins answer.

        Raises:
            OSError: The machine gives no more threads.
            RuntimeError: The loop ended or did not begin in time; both ports are free again.
        """
        try:
            self._thread.start()
        except RuntimeError:
            self.stop()
            raise OSError(errno.EAGAIN, "the machine gives no thread to serve in") from None
        self._ready.wait(_START_TIME)
        if self._failed is not None or self._loop is None:
            self.stop()
            raise RuntimeError(f"the sandbox did not start: {self._failed}")

    def stop(self) -> None:
        """Cut every connection and end the thread."""
        if self._loop is not None and self._stopping is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)
        for sock in self._sockets:
            sock.close()

    def _run(self) -> None:
        try:
            # Reading a listening socket's readiness needs this kind of loop, which Windows does not use by default.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 -- reported by the thread that waits for the start
            self._failed = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        pools = [
            ThreadPoolExecutor(count, thread_name_prefix="seedream-sandbox") for count in (_API_THREADS, _IMAGE_THREADS)
        ]
        for images, sock, pool in zip((False, True), self._sockets, pools, strict=True):
            origin = Origin(
                self._service, images, self._images_url_for, None if images else self._inspector,
                partial(loop.run_in_executor, pool), asyncio.Semaphore(_LARGE_BODIES),
            )  # fmt: skip
            sock.setblocking(False)  # noqa: FBT003 -- the standard library's signature
            loop.add_reader(sock, self._accept, sock, origin)
        self._loop = loop
        self._ready.set()
        await self._stopping.wait()
        for sock in self._sockets:
            loop.remove_reader(sock)
        while open_now := list(self.connections):
            for task in open_now:
                task.cancel()
            await asyncio.gather(*open_now, return_exceptions=True)
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def _accept(self, listening: socket.socket, origin: Origin) -> None:
        loop = asyncio.get_running_loop()
        try:
            sock, _ = listening.accept()
        except (BlockingIOError, ConnectionError):
            return  # the client is gone already
        except OSError:  # too many open files: wait until some are closed
            loop.remove_reader(listening)
            loop.call_later(_ACCEPT_PAUSE, loop.add_reader, listening, self._accept, listening, origin)
            return
        sock.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        # asyncio does so by itself only where the socket's protocol is named; without it each reply waits for 40 ms.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = loop.create_task(self._serve_connection(origin, sock))
        self.connections.add(task)
        task.add_done_callback(self.connections.discard)
        task.add_done_callback(lambda _: sock.close())  # a task that is cancelled before its first step closes nothing

    async def _serve_connection(self, origin: Origin, sock: socket.socket) -> None:
        fault = self._service.connection_fault()
        if fault is not None:  # before a TLS handshake, which stalls with it
            if fault.name == "stall-accept":
                await asyncio.sleep(self._service.clock.wait(fault["seconds"]))
            elif fault["how"] == "rst":
                reset_on_close(sock)
            return
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=self._tls)
        except OSError:
            return  # the TLS handshake failed, or the client is gone
        await Connection(origin, reader, asyncio.StreamWriter(transport, protocol, reader, loop)).serve()

    def _images_url_for(self, host: str) -> str:
        """Return the image host's origin; bound to all addresses, it has the name by which the client reached us."""
        named = _HOST.fullmatch(host) if self._follows_host else None
        return f"{self._scheme}://{named[1]}:{self._sockets[1].getsockname()[1]}" if named else self.images_url


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)
