"""A web server of the test's own, which answers byte for byte what the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
from anyio.abc import SocketAttribute, SocketStream

from ingestion.sources.fetch import Remote
from ingestion.sources.source import Source
from ingestion.sources.web import WebRules

Answer = Callable[[SocketStream, str], Awaitable[None]]
"""Writes the answer to a request for this path."""


@dataclass
class Site:
    """A server of the test's own on loopback, which its rules allow."""

    port: int
    asked: list[str] = field(default_factory=list)
    """Requests, with their headers."""

    def source(self, path: str = "/a.pdf", size: int | None = None) -> Source:
        url = f"http://127.0.0.1:{self.port}{path}"
        return Source(url, root=url, name="a.pdf", size=size)

    @property
    def remote(self) -> Remote:
        rules = WebRules(allowed_hosts=frozenset({f"127.0.0.1:{self.port}"}), read_s=1)
        return Remote(web=rules, pauses_s=(0, 0), total_s=20)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Site]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    site = Site(listener.extra(SocketAttribute.local_port))

    async def handle(stream: SocketStream) -> None:
        async with stream:
            request = b""
            while b"\r\n\r\n" not in request:
                request += await stream.receive()
            site.asked.append(request.decode())
            # The client hangs up where it has seen enough.
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await answer(stream, request.split()[1].decode())

    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, handle)
        yield site
        group.cancel_scope.cancel()


def reply(status: str, body: bytes = b"", **headers: str) -> bytes:
    headers = {"content_length": str(len(body)), **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def always(data: bytes) -> Answer:
    async def answer(stream: SocketStream, path: str) -> None:
        await stream.send(data)

    return answer
