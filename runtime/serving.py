"""An ASGI application on a socket, in the caller's event loop."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn
from starlette.applications import Starlette

from runtime.corked import CorkedWebSocket
from runtime.errors import SettingsInvalid

_WATCH_S = 0.2
_KEEP_ALIVE_S = 75
"""Longer than clients keep a connection, so that none is closed as a request goes out on it."""
_BACKLOG = 2048
"""Connections that may wait to be accepted."""


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Raises SettingsInvalid when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only where the protocol is named; with it each answer took 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as exc:
        listener.close()
        raise SettingsInvalid(
            f"cannot listen on {host}:{port} ({exc.strerror or exc}); set CORNERMAN_PORT or end what uses it"
        ) from exc
    return listener


@asynccontextmanager
async def serving(app: Starlette, host: str, port: int, max_frame_bytes: int) -> AsyncIterator[str]:
    """Serves `app` in this event loop until the block is left; the URL.

    Raises SettingsInvalid when the port is taken, and what the app's lifespan left in `app.state.failure`.
    """
    with listen(host, port) as listener:
        server = _Server(
            uvicorn.Config(
                app,
                ws=CorkedWebSocket,
                # Its state costs 41 KiB a socket, and compressing tokens saves little.
                ws_per_message_deflate=False,
                ws_max_size=max_frame_bytes,
                log_config=None,
                log_level="critical",
                timeout_graceful_shutdown=5,
                timeout_keep_alive=_KEEP_ALIVE_S,
            )
        )
        stopped = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_serve, server, listener, stopped)
            while not (server.started or stopped.is_set()):  # noqa: ASYNC110  (uvicorn offers no event)
                await anyio.sleep(0.01)
            if server.started:
                tasks.start_soon(_watch, app, server)
                try:
                    yield f"http://{host}:{listener.getsockname()[1]}"
                finally:
                    # Before the task group cancels anything: the app's lifespan closes in order.
                    server.should_exit = True
                    with anyio.CancelScope(shield=True):
                        await stopped.wait()
                    tasks.cancel_scope.cancel()
    if failure := _failure(app):
        raise failure


async def _serve(server: uvicorn.Server, listener: socket.socket, stopped: anyio.Event) -> None:
    try:
        await server.serve([listener])
    except SystemExit:
        pass  # uvicorn's word for a failed start-up, whose reason is in the app's state.
    finally:
        stopped.set()


async def _watch(app: Starlette, server: uvicorn.Server) -> None:
    """Raises what ended the app's lifespan: a server whose resources are closed must not seem well."""
    while not server.should_exit:
        if failure := _failure(app):
            raise failure
        await anyio.sleep(_WATCH_S)


def _failure(app: Starlette) -> BaseException | None:
    failure: BaseException | None = getattr(app.state, "failure", None)
    return failure


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the command that serves decides what a signal means."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
