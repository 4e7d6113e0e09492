"""The loopback server of the comparison: as cheap as possible, and it counts connections exactly.

It answers at once for every client that is measured: this API's operations, and the endpoints that the peers'
own clients call for the same work. Requests are read to their end and not looked at. It is a process of its own,
started by ``benchmarks.services``, and obeys one JSON document a line on stdin: ``{"counts": true}`` answers with the
numbers of connections and requests since the last question.
"""

import asyncio
import contextlib
import json
import ssl
import sys
import tempfile
import zlib
from collections.abc import Callable
from functools import partial
from typing import IO, Any

IDLE_SECONDS = (0.5, 1.0, 2.0, 5.0)  # further ports, which close connections after so long without a request
SUBMIT, QUERY = "/v1/images/seedreamv45", "/v1/images/infobytaskid"


def picture(size: int) -> bytes:
    """So many bytes with the chunks of a PNG file."""
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", b"\x00\x00\x08\x00\x00\x00\x08\x00\x08\x02\x00\x00\x00")
    end = _chunk(b"IEND", b"")
    return head + _chunk(b"IDAT", bytes(size - len(head) - len(end) - 12)) + end


def _chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


class Service:
    """What is common to all connections: counters, replies, and the pictures as files."""

    def __init__(self) -> None:
        self.connections = self.requests = self.tasks = 0
        self._pictures: dict[int, IO[bytes]] = {}
        self._contents: dict[int, bytes] = {}

    def counts(self) -> dict[str, int]:
        """Return the counters, which start at zero again."""
        counted = {"connections": self.connections, "requests": self.requests}
        self.connections = self.requests = 0
        return counted

    def file(self, size: int) -> IO[bytes]:
        """Return a file with a picture of that size."""
        if size not in self._pictures:
            file = tempfile.TemporaryFile()  # noqa: SIM115 -- kept as long as the process
            file.write(self.content(size))
            file.flush()
            self._pictures[size] = file
        return self._pictures[size]

    def content(self, size: int) -> bytes:
        """Return the picture in memory."""
        if size not in self._contents:
            self._contents[size] = picture(size)
        return self._contents[size]

    def reply(self, path: str, body: bytes, root: str) -> dict[str, Any]:
        """Return the JSON document that answers a request."""
        if path == QUERY:  # "t12-3-65536": task 12 has three pictures of 64 KiB each
            taskid = str(json.loads(body)["taskid"])
            _, count, size = taskid.split("-")
            urls = [f"{root}/picture/{size}/{number}.png" for number in range(int(count))]
            data = {"taskid": taskid, "image_status": 3, "url": urls, "width": 2048, "height": 2048}
            return {"code": 1000, "msg": "ok", "data": data}
        self.tasks += 1
        known = f"t{self.tasks}-1-65536"
        if path == SUBMIT:
            return {"code": 1000, "msg": "ok", "data": {"taskid": known}}
        if path.startswith("/openai"):
            return {"created": 1, "data": [{"url": f"{root}/picture/65536/0.png"}]}
        if path.startswith("/ark"):
            return {"id": known, "model": "m", "status": "succeeded", "content": {}, "created_at": 1, "updated_at": 1}
        if path.startswith("/fal"):
            url = f"{root}/fal/app/requests/{known}"
            return {
                "request_id": known, "response_url": url, "status_url": f"{url}/status", "cancel_url": f"{url}/cancel",
                "status": "COMPLETED", "logs": None, "metrics": {},
            }  # fmt: skip
        return {
            "id": known, "model": "m/n", "version": "v", "status": "succeeded", "input": {}, "output": None, "logs": "",
            "error": None, "metrics": {}, "created_at": "", "started_at": "", "completed_at": "", "urls": {},
            "name": "f", "content_type": "image/png", "size": 1, "etag": "", "checksums": {}, "metadata": {},
            "expires_at": "",
        }  # fmt: skip


class Connection(asyncio.Protocol):
    """Reads requests, with a length or in chunks, and answers each."""

    def __init__(self, service: Service, idle: float | None) -> None:
        self.service, self.idle = service, idle
        self.transport: asyncio.Transport
        self.head = bytearray()  # what is not understood yet
        self.kept = bytearray()  # the start of the body
        self.left = -1  # bytes of the body to come; -1 while the head is read, -2 for chunks
        self.path = self.root = ""
        self.timer: asyncio.TimerHandle | None = None
        self.sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- for the type checker
        self.transport = transport
        self.service.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- the protocol's signature
        if self.timer:
            self.timer.cancel()

    def data_received(self, data: bytes) -> None:
        if self.timer:
            self.timer.cancel()
        if self.left == -1:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            data = bytes(self.head[end + 4 :])
            self._read_head(self.head[:end].decode("latin-1"))
            self.head.clear()
        if self.left == -2:  # noqa: PLR2004 -- see __init__
            self.kept += data
            if self.kept.endswith(b"0\r\n\r\n"):  # good enough: nobody measured sends JSON in chunks
                self._answer()
            return
        if len(self.kept) < 1000:  # noqa: PLR2004 -- a query's body is short
            self.kept += data
        self.left -= len(data)
        if self.left <= 0:
            self._answer()

    def _read_head(self, head: str) -> None:
        lines = head.split("\r\n")
        self.path = lines[0].split(" ")[1].split("?")[0]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        scheme = "https" if self.transport.get_extra_info("sslcontext") else "http"
        self.root = f"{scheme}://{headers['host']}"
        self.left = -2 if "chunked" in headers.get("transfer-encoding", "") else int(headers.get("content-length", 0))
        if headers.get("expect"):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _answer(self) -> None:
        self.service.requests += 1
        if self.path.startswith("/picture/"):
            self.sending = asyncio.get_running_loop().create_task(self._send(int(self.path.split("/")[2])))
        else:
            content = json.dumps(self.service.reply(self.path, bytes(self.kept), self.root)).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            self.transport.write(head.encode() + content)
        self.kept.clear()
        self.left = -1
        if self.idle:
            self.timer = asyncio.get_running_loop().call_later(self.idle, self.transport.close)

    async def _send(self, size: int) -> None:
        self.transport.write(f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {size}\r\n\r\n".encode())
        if self.transport.get_extra_info("sslcontext"):
            self.transport.write(self.service.content(size))
            return
        file = self.service.file(size)
        with contextlib.suppress(ConnectionError), open(f"/dev/fd/{file.fileno()}", "rb") as own:  # noqa: ASYNC230, PTH123 -- an offset of its own
            await asyncio.get_running_loop().sendfile(self.transport, own)


async def serve(certificate: str) -> None:
    """Serve until stdin ends. The first line printed tells the ports."""
    loop, service = asyncio.get_running_loop(), Service()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)

    async def listen(idle: float | None, context: ssl.SSLContext | None) -> int:
        make: Callable[[], Connection] = partial(Connection, service, idle)
        server = await loop.create_server(make, "127.0.0.1", 0, ssl=context, backlog=1000)
        return int(server.sockets[0].getsockname()[1])

    ports = {"http": await listen(None, None), "https": await listen(None, tls)}
    ports |= {f"idle-{seconds:g}": await listen(seconds, None) for seconds in IDLE_SECONDS}
    print(json.dumps(ports), flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if json.loads(line).get("counts"):
            print(json.dumps(service.counts()), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
