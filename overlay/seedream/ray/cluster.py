"""A Ray cluster to work on: one that is there, or a local one for as long as it is needed."""

import importlib
import logging
import os
import re
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from seedream.errors import ConfigError

_LOOPBACK: Final = "127.0.0.1"
_HOST_PORT: Final = re.compile(r"(?:ray://)?(?P<host>[^:/]+|\[[^]]+\]):(?P<port>\d+)")
_CONNECT: Final = 5.0  # seconds


def load_ray() -> Any:
    """Import Ray.

    Raises:
        ConfigError: It is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when a cluster starts
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise ConfigError(
            "Ray is not installed", hint="Install the extra from the project's folder: pip install '.[ray]'"
        ) from None


@contextmanager
def _loopback_stays_loopback() -> Generator[None]:
    """Keep Ray from replacing 127.0.0.1 by the machine's own address.

    It does so on Linux, where it then listens on every interface; with 127.0.0.1 it listens there only. There is no
    public setting for that; a test looks at what a local cluster listens on.
    """
    services: Any = importlib.import_module("ray._private.services")
    resolve = getattr(services, "resolve_ip_for_localhost", None)
    if resolve is None:
        yield
        return
    services.resolve_ip_for_localhost = lambda host: host
    try:
        yield
    finally:
        services.resolve_ip_for_localhost = resolve


def _check_reachable(address: str | None) -> None:
    """Fail within seconds where nobody listens: Ray itself goes on trying for minutes."""
    if address is None or (found := _HOST_PORT.fullmatch(address)) is None:
        return
    try:
        socket.create_connection((found["host"].strip("[]"), int(found["port"])), _CONNECT).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(f"no Ray cluster at {address}: {error}", hint="Check the address.") from None


@contextmanager
def cluster(address: str | None = None, *, workers: int | None = None) -> Generator[Any]:
    """Connect to a cluster, or start a local one; leave it or stop it at the end. Gives the ray module.

    A connection that is open already is used, and left open.

    Args:
        address: As Ray takes it: ``auto``, ``HOST:PORT``, ``ray://HOST:PORT``; None: a local cluster is started, on
            loopback, without dashboard and usage reports.
        workers: Logical CPUs of the local cluster; by default those of the machine.

    Raises:
        ConfigError: Ray is not installed, or the cluster cannot be reached.
    """
    ray = load_ray()
    if ray.is_initialized():
        yield ray
        return
    _check_reachable(address)
    try:
        with _loopback_stays_loopback():
            if address is None:
                ray.init(
                    address="local",
                    num_cpus=workers,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    _node_ip_address=_LOOPBACK,
                )
            else:
                ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"no Ray cluster at {address or 'this machine'}: {error}", hint="Check the address."
        ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


def head_node(ray: Any) -> str:
    """Return the id of the cluster's head node: the machine whose disk outlives the workers."""
    for node in ray.nodes():
        if node["Alive"] and "node:__internal_head__" in node["Resources"]:
            return str(node["NodeID"])
    raise ConfigError("the Ray cluster has no head node", hint="Start it with: ray start --head")
