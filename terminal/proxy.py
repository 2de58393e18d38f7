"""A TCP proxy on loopback whose connections can be cut: how the demo drops a socket in mid-answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import SocketAttribute, SocketStream

_CHUNK = 65_536


class Proxy:
    """Forwards to `port`; `cut` closes every connection that is open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: set[anyio.CancelScope] = set()
        self.url = ""
        self.cuts = 0
        """Connections cut so far."""

    def cut(self) -> None:
        self.cuts += len(self._open)
        for scope in self._open:
            scope.cancel()

    async def forward(self, client: SocketStream) -> None:
        """Serves one connection until either side ends it, or `cut`."""
        with anyio.CancelScope() as scope:
            self._open.add(scope)
            try:
                async with client, await anyio.connect_tcp("127.0.0.1", self._port) as server:
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(_pump, client, server, tasks.cancel_scope)
                        tasks.start_soon(_pump, server, client, tasks.cancel_scope)
            finally:
                self._open.discard(scope)


async def _pump(source: SocketStream, target: SocketStream, ends: anyio.CancelScope) -> None:
    try:
        while True:
            await target.send(await source.receive(_CHUNK))
    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        ends.cancel()


@asynccontextmanager
async def open_proxy(port: int) -> AsyncIterator[Proxy]:
    """A proxy on a free loopback port until the block is left."""
    proxy = Proxy(port)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, proxy.forward)
        proxy.url = f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        yield proxy
        tasks.cancel_scope.cancel()
