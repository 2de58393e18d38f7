"""What idle sockets cost: memory, CPU, and the time of one client's turns beside them.

    python -m benchmarks.stream.idle COUNT URL

This is the process that holds them: each on a thread of its own, subscribed as the stock SDK would. It says
`ready` once all are open and closes them at a line.
"""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from uuid import uuid4

import anyio
import orjson
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.stream.figures import Idle, Turn
from benchmarks.stream.load import Target, helper, load
from benchmarks.stream.processes import cpu_s, line, rss_bytes, tell

_AT_ONCE = 50
_OPEN_TIMEOUT_S = 120.0
_SETTLE_S = 3.0
_WATCHED_S = 10.0
_WARM_SOCKETS = 20
_SUBSCRIBE = orjson.dumps(
    {"id": 1, "method": "subscription.subscribe", "params": {"channels": ["messages", "lifecycle"]}}
).decode()


async def measure_idle(target: Target, sockets: int, turns: int) -> Idle:
    """Half of the turns without the sockets are played before they open, half after they closed."""
    (server,) = target.pids["server"]
    await _opened_and_closed(target, _WARM_SOCKETS)  # What the first sockets make grow is not theirs.
    without = await _turns(target, turns)
    empty = rss_bytes(server)
    async with helper("idle", str(sockets), target.url) as holder:
        await line(holder, _OPEN_TIMEOUT_S)
        await anyio.sleep(_SETTLE_S)
        kib = (rss_bytes(server) - empty) / 1024 / sockets
        percent = await _cpu_percent(target, "server")
        redis_percent = await _cpu_percent(target, "redis")
        beside = await _turns(target, 2 * turns)
        await tell(holder)
        await line(holder, _OPEN_TIMEOUT_S)
    await anyio.sleep(_SETTLE_S)
    without += await _turns(target, turns)
    return Idle(sockets, kib, percent, redis_percent, without, beside)


async def _opened_and_closed(target: Target, sockets: int) -> None:
    async with helper("idle", str(sockets), target.url) as holder:
        await line(holder, _OPEN_TIMEOUT_S)
        await tell(holder)
        await line(holder, _OPEN_TIMEOUT_S)


async def _turns(target: Target, turns: int) -> list[Turn]:
    return list((await load(target, 1, turns)).turns)


async def _cpu_percent(target: Target, role: str) -> float:
    before = cpu_s(target.pids[role])
    await anyio.sleep(_WATCHED_S)
    return (cpu_s(target.pids[role]) - before) / _WATCHED_S * 100


async def hold(count: int, url: str) -> None:
    """Opens the sockets, says `ready`, waits for a line, closes them, says `closed`."""
    place = url.replace("http", "ws", 1)
    slots = anyio.Semaphore(_AT_ONCE)
    opened: list[ClientConnection] = []

    async def open_one() -> None:
        async with slots:
            socket = await connect(f"{place}/threads/{uuid4()}/stream/events")
            opened.append(socket)
            await socket.send(_SUBSCRIBE)
            await socket.recv()

    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(open_one)
    print("ready", flush=True)
    await anyio.to_thread.run_sync(sys.stdin.readline)
    async with AsyncExitStack() as stack:
        for socket in opened:
            stack.push_async_callback(socket.close)
    print("closed", flush=True)


if __name__ == "__main__":
    anyio.run(hold, int(sys.argv[1]), sys.argv[2])
