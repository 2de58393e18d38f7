"""So many clients on one server, in client processes of their own, and what the server's processes spent."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import anyio
from anyio.abc import Process

from benchmarks.stream.figures import Load, Turn
from benchmarks.stream.processes import cpu_s, end, environment, line, tell

CLIENT_PROCESSES = 2
"""For more than one client: a single process would be its own limit."""
_READY_TIMEOUT_S = 150.0
_LOAD_TIMEOUT_S = 600.0


class Target(NamedTuple):
    """What is measured. Without a URL the client runs the graph itself."""

    name: str
    url: str = ""
    redis_url: str = ""
    pids: Mapping[str, Sequence[int]] = {}
    """Its processes by role: `server`, `worker`, `redis`."""


async def load(target: Target, clients: int, turns: int) -> Load:
    """`turns` of each of `clients`. Raises ProcessFailed."""
    async with AsyncExitStack() as stack:
        shares = _shares(clients, CLIENT_PROCESSES if target.url else 1)
        processes = [
            await stack.enter_async_context(helper("client", str(share), str(turns), target.url))
            for share in shares
        ]
        for process in processes:
            await line(process, _READY_TIMEOUT_S)
        before = {role: cpu_s(pids) for role, pids in target.pids.items()}
        for process in processes:
            await tell(process)
        seen = [json.loads(await line(process, _LOAD_TIMEOUT_S)) for process in processes]
        spent = {role: cpu_s(pids) - before[role] for role, pids in target.pids.items()}
    return _together(clients, seen, spent)


def _shares(clients: int, processes: int) -> list[int]:
    """Clients of each process; no process without any."""
    return [n for i in range(processes) if (n := clients // processes + (i < clients % processes))]


def _together(clients: int, seen: Sequence[Mapping[str, Any]], spent: Mapping[str, float]) -> Load:
    turns = [Turn(*turn) for one in seen for turn in one["turns"]]
    wall_s = max(one["ended"] for one in seen) - min(one["began"] for one in seen)
    return Load(clients, turns, wall_s, sum(one["cpu_s"] for one in seen), spent)


@asynccontextmanager
async def helper(module: str, *args: str) -> AsyncIterator[Process]:
    """A process of this package that says `ready` and waits for a line; its complaints go to our stderr."""
    process = await anyio.open_process(
        [sys.executable, "-m", f"benchmarks.stream.{module}", *args],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
    )
    try:
        yield process
    finally:
        await end(process)
