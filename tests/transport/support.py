"""Servers and counters of the transport's tests."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from support.scripted_server import Action, Connection, ScriptedServer

ACCEPTED = b'{"code":1000,"msg":"","data":{"taskid":"t1"}}'
RUNNING = b'{"code":1000,"msg":"","data":{"taskid":"t1","image_status":2}}'


def whole(body: bytes, head: bytes = b"") -> bytes:
    """Return a reply with its length."""
    return b"HTTP/1.1 200 OK\r\n%scontent-length: %d\r\n\r\n" % (head, len(body)) + body


def keep_alive(*replies: bytes) -> Action:
    """Answer request after request on one connection, the last reply for ever."""

    def act(connection: Connection) -> None:
        left = list(replies)
        while not connection.stop.is_set():
            if not connection.read_request():
                return
            connection.answered.append(connection.request)
            connection.request = b""
            connection.send(left.pop(0) if len(left) > 1 else left[0])

    return act


def drip(prefix: bytes, endless: bytes, every: float = 0.02) -> Action:
    """Send the prefix, then bytes that never end, one at a time."""

    def act(connection: Connection) -> None:
        connection.read_request()
        connection.send(prefix)
        number = 0
        while not connection.stop.wait(every):
            connection.send(endless[number % len(endless) :][:1])
            number += 1

    return act


def byte_by_byte(reply: bytes) -> Action:
    """Send a whole reply one byte at a time, each in a packet of its own."""

    def act(connection: Connection) -> None:
        connection.read_request()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for position in range(len(reply)):
            connection.send(reply[position : position + 1])

    return act


@contextmanager
def elapsed_below(seconds: float) -> Iterator[None]:
    """Fail when the block takes longer."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@contextmanager
def counted_calls(monkeypatch: Any, owner: Any, name: str) -> Iterator[list[str]]:
    """Note the name of each thread that calls a method, by counting on the way."""
    calls: list[str] = []
    real: Callable[..., Any] = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        calls.append(threading.current_thread().name)
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, call)
    yield calls


__all__ = [
    "ACCEPTED", "RUNNING", "Action", "Connection", "ScriptedServer", "byte_by_byte", "counted_calls", "drip",
    "elapsed_below", "keep_alive", "whole",
]  # fmt: skip
