"""One turn through the whole stack, by the stock SDK over WebSocket: first token, turn, tokens a second.

    python -m benchmarks.turn [CLIENTS] [TURNS]

The scripted model says about 200 tokens without pauses. Beside it the same graph in this process, without
server, queue, Redis or checkpoints, so that the ratio tells what the stack costs. Only figures of one run
are comparable.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import anyio
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from rich.console import Console
from rich.table import Table

import graphs
from runtime.brief import write_brief
from runtime.context import Context
from runtime.log import configure
from runtime.scripted import Line, ScriptedModel
from runtime.settings import load
from terminal.conversation import Conversation, Piece
from terminal.processes import open_server

WORDS = " ".join(f"word{n}" for n in range(200))
MODEL = ScriptedModel(scripts={"say": lambda scene: Line(WORDS)})
INPUT = {"messages": [{"role": "user", "content": "go"}]}


class Turn(NamedTuple):
    first_token_ms: float
    turn_ms: float
    tokens: int


async def say(state: MessagesState) -> dict[str, Any]:
    return {"messages": [await MODEL.ainvoke([write_brief("say", "Say it.")])]}


def build() -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(MessagesState, context_schema=Context)
    graph.add_node("say", say)
    graph.add_edge(START, "say")
    return graph


async def in_process() -> Turn:
    graph = build().compile(checkpointer=InMemorySaver())
    began, first, tokens = time.perf_counter(), 0.0, 0
    config: RunnableConfig = {"configurable": {"thread_id": str(uuid4())}}
    run = await graph.astream_events(INPUT, config, version="v3")
    async with run as stream:
        async for event in stream:
            if (
                event["method"] == "messages"
                and event["params"]["data"][0].get("event") == "content-block-delta"
            ):
                first = first or time.perf_counter()
                tokens += 1
    return Turn((first - began) * 1e3, (time.perf_counter() - began) * 1e3, tokens)


async def through_the_stack(url: str) -> Turn:
    talk = Conversation(url, "benchmark", str(uuid4()))
    began, first, tokens = time.perf_counter(), 0.0, 0
    async for piece in talk.turn(INPUT):
        if isinstance(piece, Piece) and piece.kind == "token":
            first = first or time.perf_counter()
            tokens += 1
    ended = time.perf_counter()
    await talk.close()
    return Turn((first - began) * 1e3, (ended - began) * 1e3, tokens)


async def measure(clients: int, turns: int) -> None:
    # A plain dict, closed to everybody else.
    graphs.GRAPHS["benchmark"] = build  # type: ignore[index]
    table = Table("path", "clients", "first token ms", "turn ms", "tokens/s")
    alone = [await in_process() for _ in range(turns)]
    add_row(table, "in process, memory saver", 1, alone, sum(t.turn_ms for t in alone) / 1e3)
    with tempfile.TemporaryDirectory() as folder:
        async with open_server(load(data_dir=Path(folder), port=0)) as url:
            await through_the_stack(url)
            for together in sorted({1, clients}):
                began = time.perf_counter()
                done: list[Turn] = []

                async def one(done: list[Turn] = done) -> None:
                    for _ in range(turns):
                        done.append(await through_the_stack(url))

                async with anyio.create_task_group() as tasks:
                    for _ in range(together):
                        tasks.start_soon(one)
                add_row(table, "server, worker, Redis, SDK", together, done, time.perf_counter() - began)
    Console().print(table)


def add_row(table: Table, path: str, clients: int, turns: list[Turn], seconds: float) -> None:
    first, whole = (statistics.median(t[i] for t in turns) for i in (0, 1))
    rate = sum(t.tokens for t in turns) / seconds
    table.add_row(path, str(clients), f"{first:.0f}", f"{whole:.0f}", f"{rate:,.0f}")


if __name__ == "__main__":
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    configure("error", to_terminal=True)
    anyio.run(measure, clients, turns)
