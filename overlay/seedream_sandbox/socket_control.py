"""Ending a connection as a fault wants it."""

import asyncio
import socket
import struct


def cut(transport: asyncio.Transport, how: str) -> None:
    """Close with FIN after what was written, or at once with RST."""
    if how == "rst":
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    else:
        transport.close()
