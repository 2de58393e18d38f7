"""Servers and workers of one installation, each a process of its own that can be killed and started again."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import anyio
import httpx
from anyio.abc import Process

from tests.server_process import ROOT, command, environment
from tests.servers import free_port

CONFIG = Path(__file__).parent / "langgraph.json"
_START_S = 60.0
_END_S = 20.0
Kind = Literal["serve", "worker"]


@dataclass
class Member:
    """One server or worker. A server keeps its port when it is started again."""

    kind: Kind
    settings: dict[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    process: Process | None = None
    ready: anyio.Event = field(default_factory=anyio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        """Returns when it answers, or has said that it works."""
        self.ready = anyio.Event()
        where = ("--port", str(self.port)) if self.kind == "serve" else ()
        with self.log.open("ab") as log:
            self.process = await anyio.open_process(
                command(self.kind, *where, "--config", str(CONFIG)),
                env=self.settings,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        assert self.process.stdout is not None
        with anyio.fail_after(_START_S):
            await self.process.stdout.receive()
            while self.kind == "serve" and not await _answers(self.url):
                await anyio.sleep(0.02)
        self.ready.set()

    async def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.terminate()
        with anyio.fail_after(_END_S):
            return await self.process.wait()

    async def end(self) -> None:
        """Terminated, and killed where that takes too long."""
        if self.process is None:
            return
        with anyio.CancelScope(shield=True):
            if self.process.returncode is None:
                self.process.terminate()
                with anyio.move_on_after(_END_S):
                    await self.process.wait()
            if self.process.returncode is None:
                self.process.kill()
            await self.process.aclose()


@asynccontextmanager
async def open_members(
    redis_url: str, folder: Path, *, servers: int = 0, workers: int = 0, settings: Mapping[str, str] = {}
) -> AsyncIterator[tuple[Sequence[Member], Sequence[Member]]]:
    """Servers, which do not work themselves, and workers, when all of them answer.

    Their logs are `<n>.log` in `folder`; `settings` are environment.
    """
    kinds: list[Kind] = [*["serve"] * servers, *["worker"] * workers]  # type: ignore[list-item]  # literals
    members = []
    for number, kind in enumerate(kinds):
        data = folder / f"{kind}{number}"
        data.mkdir(parents=True, exist_ok=True)
        given = {"CORNERMAN_REDIS_URL": redis_url, "CORNERMAN_WORKER_INLINE": "false", **settings}
        members.append(Member(kind, environment(data, **given), folder / f"{number}.log"))
    try:
        async with anyio.create_task_group() as tasks:
            for member in members:
                tasks.start_soon(member.start)
        yield members[:servers], members[servers:]
    finally:
        async with anyio.create_task_group() as tasks:
            for member in members:
                tasks.start_soon(member.end)


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            return (await client.get(f"{url}/ok")).status_code == 200
    except httpx.HTTPError:
        return False
