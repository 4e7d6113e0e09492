"""Runs one of the servers on loopback, in a thread."""

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from attrs import frozen


@frozen
class Served:
    url: str
    charges: Callable[[], list[int]]


RICH, SECOND, POOR = "sk-Rich-Key-0123456789", "sk-Second-Key-987654321", "sk-Poor-Key-55555"


def keys() -> dict[str, int]:
    return {RICH: 10**9, SECOND: 10**9, POOR: 0}


def _rich(charges: list[tuple[str, int]]) -> list[int]:
    return [images for key, images in charges if key == RICH]


@contextmanager
def _wsgi(app: Any, accounts: Any) -> Generator[Served]:
    from werkzeug.serving import make_server  # noqa: PLC0415 -- only the server that is run

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{server.port}", lambda: _rich(accounts.charges))
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@contextmanager
def flask() -> Generator[Served]:
    from contract.servers.flask_server import create  # noqa: PLC0415 -- see above

    app = create(keys())
    with _wsgi(app, app.extensions["accounts"]) as served:
        yield served


@contextmanager
def counting() -> Generator[Served]:
    """The server on Flask, with ids that are counted: a guess may be another task's, and ids begin with one another."""
    from contract.servers.flask_server import Hooks, create  # noqa: PLC0415 -- see above

    class Counting(Hooks):
        made = 0

        def new_id(self, tasks: Any) -> str:
            del tasks
            self.made += 1
            return f"img_{self.made}"

    app = create(keys(), Counting())
    with _wsgi(app, app.extensions["accounts"]) as served:
        yield served


@contextmanager
def peculiar() -> Generator[Served]:
    from contract.servers.peculiar_server import app  # noqa: PLC0415 -- see above

    with _wsgi(*app(keys())) as served:
        yield served


@contextmanager
def fastapi() -> Generator[Served]:
    import uvicorn  # noqa: PLC0415 -- see above
    from contract.servers.fastapi_server import create  # noqa: PLC0415 -- see above

    app = create(keys())
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", http="h11")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(f"http://127.0.0.1:{port}", lambda: _rich(app.state.charges))
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def aiohttp() -> Generator[Served]:
    from aiohttp import web  # noqa: PLC0415 -- see above
    from contract.servers.aiohttp_server import Service  # noqa: PLC0415 -- see above

    service = Service(keys())
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(service.app())
    loop.run_until_complete(runner.setup())
    site = web.TCPSite(runner, "127.0.0.1", 0)
    loop.run_until_complete(site.start())
    port = runner.addresses[0][1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{port}", lambda: _rich(service.charges))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(runner.cleanup())
        loop.close()


SERVERS = {"flask": flask, "fastapi": fastapi, "aiohttp": aiohttp, "peculiar": peculiar}
