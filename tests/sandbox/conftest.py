"""The sandbox over sockets and in process: what holds for one holds for the other."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from sandbox.sandbox_client import OpenSandbox, SandboxClient, connect
from seedream_sandbox import Sandbox


@pytest.fixture(params=["tcp", "memory"])
def open_sandbox(request: pytest.FixtureRequest) -> Iterator[OpenSandbox]:
    """Start a sandbox with these settings, over sockets or in process; pictures are plain by default."""
    with ExitStack() as stack:

        def make(**settings: Any) -> SandboxClient:
            settings = {"pictures": "plain", **settings}
            sandbox = Sandbox(**settings)
            if request.param == "tcp":
                sandbox.start()
                stack.callback(sandbox.stop)
                http = connect()
            else:
                http = httpx.Client(transport=sandbox.transport, timeout=10)
            return SandboxClient(sandbox, stack.enter_context(http))

        yield make
