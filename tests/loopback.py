"""An HTTP server of a test on loopback, in a thread, so that a test that blocks its loop leaves it free."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route


@contextmanager
def listening() -> Iterator[tuple[socket.socket, int]]:
    """A socket on a free port, and the port."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it an answer waits 40 ms for an ACK.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener, listener.getsockname()[1]


@asynccontextmanager
async def serving(listener: socket.socket, routes: Sequence[Route]) -> AsyncIterator[None]:
    """Answers until the block ends."""
    config = uvicorn.Config(
        Starlette(routes=routes),
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="error",
        timeout_graceful_shutdown=1,
    )
    runner = uvicorn.Server(config)
    thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]}, name="test-server")
    thread.start()
    try:
        yield
    finally:
        runner.should_exit = True
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(thread.join)
