"""A small service for the harnesses: raw sockets, no framework, and a ledger of every charge that outlives its clients.

It knows nothing of our code. A word in the prompt decides what it does, and each task's pictures have bytes that
follow from its id, so a judge in another process can tell whether a file is right.

    python -m chaos.service LEDGER [DELAY]    prints its address; ends when its standard input is closed
"""

import asyncio
import email
import hashlib
import json
import os
import struct
import sys
import threading
import zlib
from collections import Counter
from pathlib import Path
from typing import Any, Final, Self

REFUSALS: Final = {"[[reject]]": 9999, "[[credits]]": 9000, "[[odd]]": 4242}
STATUSES: Final = {"[[401]]": 401, "[[503]]": 503, "[[400]]": 400}
Answer = tuple[int, bytes, str]  # status, body, content type
_JSON: Final = "application/json"


class Cut(Exception):
    """Close the connection without a word."""


def picture(taskid: str, index: int) -> bytes:
    """Return a small PNG whose bytes follow from the task's id and the index."""
    colour = hashlib.sha256(f"{taskid}/{index}".encode()).digest()[:3]
    rows = (b"\0" + colour * 16) * 16
    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


class Service:
    """The service's state: tasks, seen prompts, the ledger."""

    def __init__(self, ledger: Path, balance: int | None = None) -> None:
        self.ledger = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.balance = balance
        self.base = ""
        self.tasks: dict[str, dict[str, Any]] = {}
        self.seen: Counter[str] = Counter()
        self.delay = 0.0  # seconds before a submission is answered
        self.open_submissions = 0
        self.most_submissions = 0

    def submit(self, form: dict[str, str]) -> Answer:
        """Refuse, or charge and answer, as the prompt says."""
        prompt, images = form.get("prompt", ""), int(form.get("batchsize", "1"))
        self.seen[prompt] += 1
        refusal = self._refusal(prompt, images)
        return refusal if refusal is not None else self._charge(prompt, images)

    def _refusal(self, prompt: str, images: int) -> Answer | None:
        """Return what comes before any charge."""
        if "[[cutbefore]]" in prompt:
            raise Cut
        if "[[429]]" in prompt and self.seen[prompt] <= 2:
            return 429, b"slow down", "text/plain"
        for word, code in REFUSALS.items():
            if word in prompt:
                return reply({"code": code, "msg": f"refused because of {word}"})
        for word, status in STATUSES.items():
            if word in prompt:
                return status, json.dumps({"code": 9999, "msg": word}).encode(), _JSON
        if self.balance is not None and self.balance < images:
            return reply({"code": 9000, "msg": "not enough credits"})
        return None

    def _charge(self, prompt: str, images: int) -> Answer:
        if self.balance is not None:
            self.balance -= images
        taskid = f"t{len(self.tasks) + 1:06d}-{hashlib.sha256(prompt.encode()).hexdigest()[:6]}"
        self.tasks[taskid] = {"prompt": prompt, "images": images, "downloads": Counter()}
        os.write(self.ledger, json.dumps({"taskid": taskid, "prompt": prompt, "images": images}).encode() + b"\n")
        if "[[cut]]" in prompt:
            raise Cut
        if "[[500]]" in prompt:
            return 500, b"<html>oops</html>", "text/html"
        data = {} if "[[noid]]" in prompt else {"taskid": taskid}
        return reply({"code": 1000, "msg": "Task created successfully", "data": data})

    def query(self, taskid: str) -> Answer:
        task = self.tasks.get(taskid)
        if task is None:
            return reply({"code": 9999, "msg": "no such task"})
        data: dict[str, Any] = {"taskid": taskid, "image_status": 3, "prompt": task["prompt"]}
        if "[[fail]]" in task["prompt"]:
            data |= {"image_status": 4, "error_message": "content refused"}
        elif "[[stuck]]" in task["prompt"]:
            data |= {"image_status": 2}
        else:
            data["url"] = [
                f"{self.base}/pictures/{taskid}/{n}?Signature=MARKER-SIGNATURE" for n in range(task["images"])
            ]
        return reply({"code": 1000, "msg": "ok", "data": data})

    def download(self, taskid: str, index: int) -> Answer:
        task = self.tasks[taskid]
        task["downloads"][index] += 1
        body = picture(taskid, index)
        if "[[expired]]" in task["prompt"]:
            return 403, b"<Error>expired</Error>", "application/xml"
        if "[[short]]" in task["prompt"] and task["downloads"][index] == 1:
            body = body[:-10]
        return 200, body, "image/png"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (Cut, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status, content, kind = await self._answer(method, target.partition("?")[0], headers, body)
        answer = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
        writer.write(answer.encode() + content)
        await writer.drain()
        return headers.get("connection") != "close"

    async def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if method == "GET":
            _, _, taskid, index = path.split("/")
            return self.download(taskid, int(index))
        if not headers.get("authorization", "").startswith("Bearer "):
            return 401, b"{}", _JSON
        if path.endswith("/infobytaskid"):
            return self.query(json.loads(body)["taskid"])
        self.open_submissions += 1
        self.most_submissions = max(self.most_submissions, self.open_submissions)
        try:
            if self.delay:
                await asyncio.sleep(self.delay)
            return self.submit(form_of(headers["content-type"], body))
        finally:
            self.open_submissions -= 1


def reply(value: dict[str, Any]) -> Answer:
    return 200, json.dumps(value).encode(), _JSON


def form_of(content_type: str, body: bytes) -> dict[str, str]:
    """Return the form's text fields, read by the standard library's mail parser."""
    message = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    fields = {}
    for part in message.get_payload():
        payload = part.get_payload(decode=True)  # type: ignore[union-attr]
        fields[str(part.get_param("name", header="content-disposition"))] = payload.decode("utf-8", "replace")  # type: ignore[union-attr]
    return fields


class Running:
    """The service in a thread of this process, on a free port of 127.0.0.1."""

    def __init__(self, ledger: Path, balance: int | None = None) -> None:
        self.service = Service(ledger, balance)
        self._path = ledger
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(start(self.service), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        os.close(self.service.ledger)

    async def _stop(self) -> None:
        self._server.close()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    @property
    def charges(self) -> list[dict[str, Any]]:
        return charges(self._path)


def charges(ledger: Path) -> list[dict[str, Any]]:
    """Return the charges in the ledger, in order."""
    return [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []


async def start(service: Service) -> asyncio.Server:
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    service.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    return server


async def main(ledger: Path, delay: float) -> None:
    service = Service(ledger)
    service.delay = delay
    server = await start(service)
    print(service.base, flush=True)  # noqa: T201 -- how the parent learns the address
    async with server:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.0))
