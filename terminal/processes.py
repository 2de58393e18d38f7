"""Processes that stay: a server or a worker until a signal, and the server that a command talks to."""

from __future__ import annotations

import gc
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx
from rich.console import Console
from rich.text import Text

from compose import open_installation
from runtime.errors import SettingsInvalid
from runtime.project import Project
from runtime.serving import serving
from runtime.settings import Settings
from server import create_app


async def serve_until_signal(settings: Settings, console: Console, project: Project | None) -> None:
    """Serves until SIGINT or SIGTERM."""
    async with open_server(settings, project) as url:
        _say_failures(project, console)
        _settle_memory()
        console.print(f"Cornerman serves at [bold]{url}[/bold] · talk with: cornerman chat · end with Ctrl-C")
        await until_signal()
        console.print("ending …")


async def work_until_signal(settings: Settings, console: Console, project: Project | None) -> None:
    """Works on runs until SIGINT or SIGTERM."""
    async with open_installation(settings, own_index=False, work=True, project=project):
        _say_failures(project, console)
        _settle_memory()
        console.print("Cornerman works on runs · end with Ctrl-C")
        await until_signal()
        console.print("ending …")


@asynccontextmanager
async def open_server(settings: Settings, project: Project | None = None) -> AsyncIterator[str]:
    """A server in this process; its URL. Raises SettingsInvalid, RedisUnavailable."""
    app = create_app(settings, project)
    async with serving(app, settings.host, settings.port, settings.max_frame_bytes) as url:
        yield url


@asynccontextmanager
async def reachable_server(settings: Settings, url: str | None, console: Console) -> AsyncIterator[str]:
    """The server at `url`, else the one at the configured address, else one of our own for the time being.

    Raises SettingsInvalid when nothing answers at a given `url`.
    """
    place = url or f"http://{settings.host}:{settings.port}"
    if await _answers(place):
        yield place
        return
    if url:
        raise SettingsInvalid(f"no Cornerman server answers at {url!r}; start one with: cornerman serve")
    console.print("[dim]No server runs here, so this command brings its own.[/dim]")
    async with open_server(settings.model_copy(update={"port": 0})) as own:
        yield own


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            return bool((await client.get(f"{url}/ok")).json() == {"ok": True})
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return False


def _settle_memory() -> None:
    """What was loaded stays: each full collection looked through it again, for a tenth of a second."""
    gc.collect()
    gc.freeze()


def _say_failures(project: Project | None, console: Console) -> None:
    for name, failure in (project.failures if project else {}).items():
        console.print(Text(f"graph {name} is not served: {failure}", style="red"))


async def until_signal() -> None:
    """Returns at the first SIGINT or SIGTERM."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            return
