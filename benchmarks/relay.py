"""A relay that adds distance: what goes in comes out half a round trip later.

The kernel accepts a connection on loopback at once. On a real network that takes a round trip, so what a client sends
before it has heard anything is held a whole round trip longer. Started by ``benchmarks.services`` with the length of a
round trip in milliseconds and the ports to relay to; ends when stdin does.
"""

import asyncio
import json
import sys
from collections import deque
from functools import partial


class Pipe:
    """One direction of a connection: delivers what it is given, in order, not before it is due."""

    def __init__(self) -> None:
        self.target: asyncio.Transport | None = None
        self.delivered = False
        self._held: deque[tuple[float, bytes | None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def put(self, data: bytes | None, delay: float) -> None:
        """Deliver these bytes (None: the end) after so many seconds."""
        due = asyncio.get_running_loop().time() + delay
        if self._held:
            due = max(due, self._held[-1][0])
        self._held.append((due, data))
        self.pump()

    def pump(self) -> None:
        """Deliver what is due, and come back for the rest."""
        loop = asyncio.get_running_loop()
        if self.target is None:
            return
        while self._held and self._held[0][0] <= loop.time():
            data = self._held.popleft()[1]
            self.delivered = True
            if data is None:
                self.target.close()
            elif not self.target.is_closing():
                self.target.write(data)
        if self._timer:
            self._timer.cancel()
        self._timer = loop.call_at(self._held[0][0], self.pump) if self._held else None


class End(asyncio.Protocol):
    """One end of a relayed connection."""

    def __init__(self, out: Pipe, back: Pipe, trip: float, *, client: bool) -> None:
        self.out, self.back, self.trip, self.client = out, back, trip, client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- for the type checker
        self.back.target = transport
        self.back.pump()

    def data_received(self, data: bytes) -> None:
        connecting = self.client and not self.back.delivered
        self.out.put(data, self.trip * (1.5 if connecting else 0.5))

    def eof_received(self) -> None:
        self.out.put(None, self.trip / 2)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- the protocol's signature
        self.out.put(None, self.trip / 2)


class ClientEnd(End):
    """The client's end, which opens the connection to the server."""

    def __init__(self, port: int, trip: float) -> None:
        self.port, self.task = port, None
        super().__init__(Pipe(), Pipe(), trip, client=True)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        make = partial(End, self.back, self.out, self.trip, client=False)
        self.opening = loop.create_task(loop.create_connection(make, "127.0.0.1", self.port))


async def relay(trip: float, ports: dict[str, int]) -> None:
    """Relay until stdin ends. The line printed tells the relay's own ports."""
    loop = asyncio.get_running_loop()
    own = {}
    for name, port in ports.items():
        server = await loop.create_server(partial(ClientEnd, port, trip), "127.0.0.1", 0, backlog=1000)
        own[name] = server.sockets[0].getsockname()[1]
    print(json.dumps(own), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(relay(float(sys.argv[1]) / 1000, json.loads(sys.argv[2])))
