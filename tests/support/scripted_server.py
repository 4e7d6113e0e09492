"""A scripted server on loopback: what each connection meets is written by the test, byte by byte."""

import socket
import struct
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

Action = Callable[["Connection"], None]


class Connection:
    """One accepted connection, as an action sees it."""

    def __init__(self, sock: socket.socket, stop: threading.Event) -> None:
        self.sock = sock
        self.stop = stop
        self.request = b""
        self.answered: list[bytes] = []  # earlier requests, where an action answers several

    def read_head(self) -> bytes:
        while b"\r\n\r\n" not in self.request and (chunk := self.sock.recv(65536)):
            self.request += chunk
        return self.request

    def read_request(self) -> bytes:
        """Read head and body (by its Content-Length)."""
        if b"\r\n\r\n" not in self.read_head():
            return self.request
        head, _, body = self.request.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length and (chunk := self.sock.recv(65536)):
            body += chunk
        self.request = head + b"\r\n\r\n" + body
        return self.request

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def stall(self) -> None:
        """Say nothing until the test is over."""
        self.stop.wait(30)


def reply(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Action:
    """Read the request, answer, close."""
    fields = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
    lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in {**fields, **(headers or {})}.items())]

    def act(connection: Connection) -> None:
        connection.read_request()
        connection.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    return act


class ScriptedServer:
    """Gives the n-th connection the n-th action, and the last one to all that follow."""

    def __init__(self, *actions: Action) -> None:
        self._actions = list(actions)
        self._stop = threading.Event()
        self.connections: list[Connection] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve, daemon=True)]

    @property
    def requests(self) -> list[bytes]:
        """Raw requests of which at least one byte came, also those of a connection that carried several."""
        return [one for connection in self.connections for one in (*connection.answered, connection.request) if one]

    def _serve(self) -> None:
        with suppress(OSError):
            while not self._stop.is_set():
                sock, _ = self._socket.accept()
                connection = Connection(sock, self._stop)
                action = self._actions[min(len(self.connections), len(self._actions) - 1)]
                self.connections.append(connection)
                thread = threading.Thread(target=self._act, args=(action, connection), daemon=True)
                self._threads.append(thread)
                thread.start()

    @staticmethod
    def _act(action: Action, connection: Connection) -> None:
        try:
            with suppress(OSError):
                action(connection)
        finally:  # also where the script found a fault: the client need not wait
            with suppress(OSError):
                connection.sock.close()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(5)


@contextmanager
def refusing_url() -> Generator[str]:
    """Give a base URL that refuses every connection. Its port is held, so that no other test's server gets it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
