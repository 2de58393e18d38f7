"""A thread of 100,000 checkpoints: is a read as fast as from a new one, and how long is Redis ever busy?

    python -m benchmarks.checkpoints.large    (about 3 minutes)

Two shapes: one namespace and 33,333 runs; 2,000 namespaces, as subgraphs make them, and 17 runs. The longest
script is what Redis's own SLOWLOG says, of all commands that took more than 100 µs.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple
from uuid import uuid4

import anyio
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base.id import uuid6
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from benchmarks.checkpoints.workload import text
from runtime.checkpoints import RedisSaver
from runtime.embedded_redis import embedded_redis
from runtime.redis import connect

CHECKPOINTS = 50_000
_CHECKPOINTS_A_RUN = 3
_GETS = 500
_WORKERS = 16
_SLOWER_THAN_US = 100


class Shape(NamedTuple):
    name: str
    namespaces: int


class Took(NamedTuple):
    ms: float
    longest_ms: float
    """Of its scripts and commands, in Redis."""


@dataclass(frozen=True)
class Bench:
    client: Redis
    saver: RedisSaver

    async def took(self, work: Awaitable[None]) -> Took:
        await self.client.slowlog_reset()
        began = perf_counter()
        await work
        ms = (perf_counter() - began) * 1e3
        slow = await self.client.slowlog_get(100_000)
        print(
            "TOP",
            sorted(((e["duration"] / 1e3, bytes(e["command"])[:40]) for e in slow), reverse=True)[:6],
            sum(e["duration"] > 10000 for e in slow),
            len(slow),
            await self.client.info("persistence")
            and [
                (k, v)
                for k, v in (await self.client.info("persistence")).items()
                if k in ("aof_rewrite_in_progress", "aof_last_cow_size", "aof_delayed_fsync")
            ],
            file=sys.stderr,
        )
        return Took(ms, max((entry["duration"] / 1e3 for entry in slow), default=0.0))

    async def get_ms(self, thread: str) -> float:
        """The median."""
        times = []
        for _ in range(_GETS):
            began = perf_counter()
            await self.saver.aget_tuple({"configurable": {"thread_id": thread, "checkpoint_ns": ""}})
            times.append((perf_counter() - began) * 1e3)
        return sorted(times)[_GETS // 2]

    async def fill(self, thread: str, shape: Shape, checkpoints: int) -> None:
        """As conversations of two messages; each namespace has its own."""

        async def work(first: int) -> None:
            for number in range(first, shape.namespaces, _WORKERS):
                await self._fill_one(thread, number, checkpoints // shape.namespaces)

        async with anyio.create_task_group() as tasks:
            for first in range(min(_WORKERS, shape.namespaces)):
                tasks.start_soon(work, first)

    async def _fill_one(self, thread: str, namespace: int, checkpoints: int) -> None:
        place = {"thread_id": thread, "checkpoint_ns": f"call:{namespace}" if namespace else ""}
        config: RunnableConfig = {"configurable": place}
        version = None
        for step in range(checkpoints):
            version = self.saver.get_next_version(version, None)
            checkpoint: Any = {
                "v": 4,
                "id": str(uuid6(clock_seq=step)),
                "ts": "",
                "channel_values": {"messages": [AIMessage(text(step + i), id=str(i)) for i in range(2)]},
                "channel_versions": {"messages": version},
                "versions_seen": {},
            }
            run = f"run-{step // _CHECKPOINTS_A_RUN}"
            metadata: Any = {"source": "loop", "step": step, "run_id": run, "parents": {}}
            config = await self.saver.aput(config, checkpoint, metadata, {"messages": version})
            if step % _CHECKPOINTS_A_RUN == 0:
                await self.saver.aput_writes(config, [("messages", text(step))], str(uuid4()))


async def measure(bench: Bench, shape: Shape, table: Table) -> None:
    """Adds a row."""
    print(f"{shape.name}: storing {CHECKPOINTS:,} checkpoints", file=sys.stderr, flush=True)
    await bench.client.flushall()
    await bench.fill("new", Shape("", 1), 3)
    await bench.fill("large", shape, CHECKPOINTS)
    before, large, after = [await bench.get_ms(thread) for thread in ("new", "large", "new")]
    copied = await bench.took(bench.saver.acopy_thread("large", "copy"))
    forgotten = await bench.took(bench.saver.adelete_for_runs(["run-5"]))
    pruned = await bench.took(bench.saver.aprune(["large"]))
    deleted = await bench.took(bench.saver.adelete_thread("copy"))
    ratio = large / min(before, after)
    table.add_row(
        shape.name, f"{ratio:.2f}", *(_shown(took) for took in (pruned, deleted, forgotten, copied))
    )


def _shown(took: Took) -> str:
    return f"{took.longest_ms:.1f} ({took.ms / 1e3:.2f} s)"


async def main() -> None:
    table = Table(title=f"A thread of {CHECKPOINTS:,} checkpoints")
    for column in (
        "shape",
        "get, of a new thread's",
        "prune",
        "delete",
        "delete_for_runs, in 2 threads",
        "copy",
    ):
        table.add_column(column, justify="right")
    with TemporaryDirectory() as folder:
        async with embedded_redis(Path(folder)) as socket, connect(f"unix://{socket}") as client:
            await client.config_set("slowlog-log-slower-than", _SLOWER_THAN_US)
            await client.config_set("slowlog-max-len", 100_000)
            for shape in (Shape("1 namespace", 1), Shape("2,000 namespaces", 2000)):
                await measure(Bench(client, RedisSaver(client)), shape, table)
    console = Console(width=120)
    console.print(table)
    console.print(
        "In ms: the longest that one script or command kept Redis busy; in brackets the whole call."
    )


if __name__ == "__main__":
    anyio.run(main)
