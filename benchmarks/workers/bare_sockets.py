"""No client: a bare loop of the system calls that the work cannot do without, over plain http.

What it takes is the floor: no client can be faster on the same machine.
"""

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.workers.harness import SUBMIT, Job, serve

CHUNK = 1024 * 1024  # bytes
AT_ONCE = 4  # pictures, as the clients' default


def _connect(job: Job) -> socket.socket:
    url = urlsplit(job.base_url)
    return socket.create_connection((url.hostname, url.port or 80))


def _read_head(connection: socket.socket) -> tuple[int, bytes]:
    """Return the length of a reply's body, and what of the body came with the head."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(CHUNK)
    head, _, rest = received.partition(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(length.partition(b":")[2]), rest


def upload(job: Job) -> Iterator[Callable[[int], None]]:
    """Read each file and send it; the other bytes of a form are too few to count."""
    size = sum(Path(path).stat().st_size for path in job.uploads)
    head = f"POST {SUBMIT} HTTP/1.1\r\nHost: bare\r\nContent-Length: {size}\r\n\r\n".encode()
    bytes(4 * CHUNK)  # the memory of a chunk is kept for the next, as this project's client does
    with _connect(job) as connection:

        def run(count: int) -> None:
            for _ in range(count):
                connection.sendall(head)
                for path in job.uploads:
                    file = os.open(path, os.O_RDONLY)
                    while data := os.read(file, CHUNK):
                        connection.sendall(data)
                    os.close(file)
                length, rest = _read_head(connection)
                while len(rest) < length:
                    rest += connection.recv(CHUNK)

        yield run


def pictures(job: Job) -> Iterator[Callable[[int], None]]:
    """Receive each picture, write and sync it, several at once."""
    bytes(4 * CHUNK)

    def fetch(folder: Path, number: int) -> None:
        size = job.taskid.rpartition("-")[2]
        with _connect(job) as connection:
            connection.sendall(f"GET /picture/{size}/{number}.png HTTP/1.1\r\nHost: bare\r\n\r\n".encode())
            length, data = _read_head(connection)
            file = os.open(folder / f"{number}.png", os.O_WRONLY | os.O_CREAT)
            while length:
                data = data or connection.recv(CHUNK)
                length -= os.write(file, data)
                data = b""
            os.fsync(file)
            os.close(file)

    with ThreadPoolExecutor(AT_ONCE) as threads:

        def run(count: int) -> None:
            for _ in range(count):
                folder = job.fresh_directory()
                folder.mkdir()
                list(threads.map(partial(fetch, folder), range(job.images)))

        yield run


WORKS = {"upload": upload, "upload_async": upload, "pictures": pictures, "pictures_async": pictures}

if __name__ == "__main__":
    serve(WORKS)
