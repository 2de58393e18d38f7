"""A streamed turn through the stock SDK: ours, LangGraph's own server, and the graph alone, in one run.

    make bench-stream                                              (about 6 minutes)
    python -m benchmarks.stream --only split --clients 1 --turns 20

Paths: `floor`, the graph in the client's process with a saver in memory; `inline`, our server that works
itself; `split`, our server and workers in processes of their own; `peer`, `langgraph dev`; `idle`, what idle
sockets cost one server of the split kind. Ours keep checkpoints and events in a Redis with an append-only
file. `--turns` is of all clients of a path together, and each of them plays four at least.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

import anyio

from benchmarks.stream.figures import Idle, Load
from benchmarks.stream.goals import goals
from benchmarks.stream.idle import measure_idle
from benchmarks.stream.load import Target, load
from benchmarks.stream.processes import ProcessFailed
from benchmarks.stream.table import new_table, show, show_path
from benchmarks.stream.targets import ours, peer

_PATHS = ("floor", "inline", "split", "peer", "idle")
_LEAST_TURNS = 4
"""Of each client: with fewer, beginning and end weigh too much."""


class Plan(NamedTuple):
    paths: list[str]
    clients: list[int]
    turns: int
    """Of each path and number of clients, all clients together."""
    workers: int
    sockets: int


async def run(plan: Plan) -> None:
    opened: dict[str, Callable[[], AbstractAsyncContextManager[Target]]] = {
        "floor": floor,
        "inline": lambda: ours(0),
        "split": lambda: ours(plan.workers),
        "peer": peer,
    }
    table, loads, left_out = new_table(), dict[str, list[Load]](), list[str]()
    for path in plan.paths:
        if path == "idle":
            continue
        try:
            async with opened[path]() as target:
                loads[path] = [await _measured(target, n, plan) for n in sorted(plan.clients)]
                for found in loads[path]:
                    show_path(table, target.name, found)
        except ProcessFailed as exc:
            left_out.append(f"{path}: {exc}")
    idle = await _idle(plan) if "idle" in plan.paths else None
    show(table, idle, left_out, goals(loads, idle))


@asynccontextmanager
async def floor() -> AsyncIterator[Target]:
    yield Target("graph alone, in memory")


async def _measured(target: Target, clients: int, plan: Plan) -> Load:
    print(f"{target.name}: {clients} clients", file=sys.stderr, flush=True)
    return await load(target, clients, max(_LEAST_TURNS, plan.turns // clients))


async def _idle(plan: Plan) -> Idle:
    async with ours(plan.workers) as target:
        print(f"{target.name}: {plan.sockets} idle sockets", file=sys.stderr, flush=True)
        return await measure_idle(target, plan.sockets, max(_LEAST_TURNS, plan.turns // 2))


def _asked() -> Plan:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stream")
    parser.add_argument("--only", nargs="+", choices=_PATHS, default=list(_PATHS), metavar="PATH")
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 10, 50], metavar="N")
    parser.add_argument(
        "--turns", type=int, default=100, help="all clients together; each plays four at least"
    )
    parser.add_argument("--workers", type=int, default=1, help="worker processes of the path `split`")
    parser.add_argument("--sockets", type=int, default=1000, help="idle ones of the path `idle`")
    asked = parser.parse_args()
    return Plan(asked.only, asked.clients, asked.turns, asked.workers, asked.sockets)


if __name__ == "__main__":
    plan = _asked()
    # Each socket is a file; children inherit the limit.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    anyio.run(run, plan)
