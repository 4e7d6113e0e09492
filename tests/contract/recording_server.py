"""A loopback server that notes every request byte for byte, and answers as a check tells it."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final, Literal, Self

from attrs import field, frozen
from seedream_testing.contract.violation import Sent

_BODILESS: Final = (204, 304)


@frozen
class ScriptedReply:
    """What the server answers.

    Attributes:
        status: HTTP status.
        body: The bytes.
        headers: Besides Content-Length, unless that is named here; one whose value is None is left out.
        midway: Called when half of the body is out.
        cut: Only so many bytes of the whole reply are sent; a negative number leaves so many out at its end.
        end: What follows: the connection is closed, reset, or kept open without a word.
        pause: Seconds after each byte of the body; 0 sends it in two halves.
        wire: The whole reply, instead of one that is made of the attributes above.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str | None] = field(factory=dict[str, str | None])
    midway: Callable[[], None] | None = None
    cut: int | None = None
    end: Literal["close", "reset", "stall"] = "close"
    pause: float = 0.0
    wire: bytes | None = None

    @property
    def raw(self) -> tuple[bytes, bytes]:
        """Head and body as they travel."""
        if self.wire is not None:
            return self.wire, b""
        length = None if self.status in _BODILESS else str(len(self.body))
        headers = {"content-length": length, "connection": "close", **self.headers}
        lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
        head = "\r\n".join([f"HTTP/1.1 {self.status} Told", *lines]).encode("latin-1") + b"\r\n\r\n"
        body = b"" if self.status in _BODILESS else self.body
        kept = (head + body)[: self.cut]
        return kept[: len(head)], kept[len(head) :]


def envelope(code: object, data: object = None, msg: str = "a message of the server", **more: object) -> ScriptedReply:
    """Return an answer in the API's form; without ``data`` when that is None."""
    document: dict[str, object] = {"code": code, "msg": msg, **({} if data is None else {"data": data}), **more}
    return ScriptedReply(200, json.dumps(document).encode(), {"content-type": "application/json"})


def chunked(body: bytes, size: int = 7, *, whole: bool = True) -> bytes:
    """Return the body in chunks of this size."""
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + (b"0\r\n\r\n" if whole else b"")


Script = Callable[[Sent], ScriptedReply | None] | ScriptedReply | None


class RecordingServer:
    """``with RecordingServer(script) as w:`` serves on ``w.url``. The script is or gives the answer; None hangs up.

    Args:
        script: See above.
        breaks: For each connection in turn, how many bytes of the body are read before it is reset; None: all. After
            so many as a negative number says, nothing more is read, and the connection stays open.

    A reply with ``connection: keep-alive`` leaves the connection open for the next request.
    """

    def __init__(self, script: Script, breaks: Iterable[int | None] = ()) -> None:
        self.sent: list[Sent] = []
        self.script = script
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._breaks = list(breaks)
        self.url = ""
        self.connections = 0
        self.open = 0
        self.lines: list[list[Sent]] = []  # what each connection carried

    def __enter__(self) -> Self:
        self._listener = _IDLE.pop() if _IDLE else _Listener()
        self.url = self._listener.url
        self._listener.session = self
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._listener.session = None
        _IDLE.append(self._listener)

    def serve(self, sock: socket.socket) -> None:
        """Answer the requests of one connection."""
        with self._lock:
            self.connections += 1
            self.open += 1
            read = self._breaks.pop(0) if self._breaks else None
            self.lines.append(line := list[Sent]())
        try:
            while self._one(sock, read, line):
                pass
        finally:
            with self._lock:
                self.open -= 1

    def _one(self, sock: socket.socket, read: int | None, line: list[Sent]) -> bool:
        """Answer one request; gives whether another may follow."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := sock.recv(65536)):
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = tuple(
            (name.strip().lower(), value.strip()) for name, _, value in (header.partition(":") for header in lines)
        )
        length = int(dict(headers).get("content-length", 0))
        chunks, got = [body], len(body)
        while got < (length if read is None else min(length, abs(read))) and (more := sock.recv(1 << 20)):
            chunks.append(more)
            got += len(more)
        sent = Sent(method, self.url + target, headers, b"".join(chunks))
        with self._lock:
            self.sent.append(sent)
            line.append(sent)
            answer = None if read is not None else self.script(sent) if callable(self.script) else self.script
        if read is not None:
            if read < 0:
                self.over.wait(8)
            _reset(sock)
        if answer is None:
            return False
        self._answer(sock, answer)
        return answer.headers.get("connection") == "keep-alive" and not self.over.is_set()

    def _answer(self, sock: socket.socket, answer: ScriptedReply) -> None:
        head, body = answer.raw
        if answer.pause:
            sock.sendall(head)
            for place in range(len(body)):
                sock.sendall(body[place : place + 1])
                if self.over.wait(answer.pause):
                    return
        else:
            half = len(body) // 2 if answer.midway is not None else len(body)
            sock.sendall(head + body[:half])
            if answer.midway is not None:
                answer.midway()
                sock.sendall(body[half:])
        if answer.end == "stall":
            self.over.wait(8)
        elif answer.end == "reset":
            time.sleep(0.01)  # what was sent arrives before the reset drops it
            _reset(sock)


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class _Listener:
    """A listening socket, which serves one recording server after another: starting one takes longer than a check."""

    def __init__(self) -> None:
        self.session: RecordingServer | None = None
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)  # so that a large body does not fit
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, name="recording-server", daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._socket.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(sock, self.session), daemon=True).start()

    @staticmethod
    def _serve(sock: socket.socket, session: RecordingServer | None) -> None:
        with sock, suppress(OSError, ValueError):  # a client may hang up, or send what is not HTTP
            if session is not None:
                session.serve(sock)


_IDLE: Final[list[_Listener]] = []
