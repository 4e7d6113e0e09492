"""A loopback server that notes every request byte for byte, and answers as a check tells it."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from attrs import field, frozen
from seedream_testing.contract.violation import Sent

_CHUNK: Final = 16


@frozen
class ScriptedReply:
    """What the server answers.

    Attributes:
        status: HTTP status.
        body: The bytes.
        headers: Besides Content-Length, unless that is named here.
        midway: Called when half of the body is out.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(factory=dict[str, str])
    midway: Callable[[], None] | None = None


def envelope(code: object, data: object = None, msg: str = "a message of the server", **more: object) -> ScriptedReply:
    """Return an answer in the API's form; without ``data`` when that is None."""
    document: dict[str, object] = {"code": code, "msg": msg, **({} if data is None else {"data": data}), **more}
    return ScriptedReply(200, json.dumps(document).encode(), {"content-type": "application/json"})


Script = Callable[[Sent], ScriptedReply | None] | ScriptedReply | None


class RecordingServer:
    """``with RecordingServer(script) as w:`` serves on ``w.url``. The script is or gives the answer; None hangs up."""

    def __init__(self, script: Script) -> None:
        self.sent: list[Sent] = []
        self.script = script
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                self.close_connection = True
                length = int(self.headers.get("content-length") or 0)
                headers = tuple((name.lower(), value) for name, value in self.headers.items())
                sent = Sent(self.command, server.url + self.path, headers, self.rfile.read(length))
                with server._lock:
                    server.sent.append(sent)
                    answer = server.script(sent) if callable(server.script) else server.script
                if answer is not None:
                    self._answer(answer)

            def _answer(self, answer: ScriptedReply) -> None:
                headers = {"content-length": str(len(answer.body)), "connection": "close", **answer.headers}
                lines = [f"HTTP/1.1 {answer.status} Told", *(f"{name}: {value}" for name, value in headers.items())]
                half = len(answer.body) // 2
                self.wfile.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + answer.body[:half])
                self.wfile.flush()
                if answer.midway is not None:
                    answer.midway()
                self.wfile.write(answer.body[half:])

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client may hang up whenever it likes."""
