"""Graphs of the proofs, for real processes; a side effect is a key in Redis, so that it can be counted."""

from __future__ import annotations

import operator
import os
import time
from itertools import pairwise
from typing import Annotated, Any

import anyio
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, AnyMessage, ToolCall
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.runtime import Runtime
from langgraph.types import interrupt
from redis.asyncio import Redis
from typing_extensions import TypedDict

from runtime.redis import connect
from runtime.redis_calls import as_text

PARTS = ("one", "two", "three", "four")
MARCH = ("march", "march2", "march3", "march4")
LONG = "a sentence that goes on and on " * 20


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    done: Annotated[list[str], operator.add]
    pause_s: float
    """What a step takes, beside its tokens."""


async def _do_once(config: RunnableConfig, runtime: Runtime[None], what: str) -> None:
    """A side effect keyed by run and task: only the first of its tries has it; each try is counted."""
    assert runtime.execution_info is not None
    run_id = config["metadata"]["run_id"]
    async with connect(os.environ["CORNERMAN_REDIS_URL"], connections=1) as client:
        await client.set(f"proof:{run_id}:{runtime.execution_info.task_id}", what, nx=True)
        await client.hincrby(f"tries:{run_id}", what, 1)


async def effects_of(client: Redis, run_id: str) -> list[str]:
    """What the run's side effects were, sorted."""
    keys = [key async for key in client.scan_iter(f"proof:{run_id}:*", count=10_000)]
    return sorted(as_text(value) for value in await client.mget(keys)) if keys else []


async def tries_of(client: Redis, run_id: str) -> dict[str, int]:
    """How often each of the run's steps was begun."""
    return {as_text(name): int(count) for name, count in (await client.hgetall(f"tries:{run_id}")).items()}


async def _say(text: str, pause_s: float = 0.0) -> AIMessage:
    message = await FakeListChatModel(responses=[text], sleep=pause_s).ainvoke("say it")
    assert isinstance(message, AIMessage)
    return message


# --- everything: messages, a tool, a question, a nested graph ---


@tool
def look_up(topic: str) -> str:
    """What the index says of a topic."""
    return f"the index knows {topic}"


async def greet(state: State) -> dict[str, Any]:
    get_stream_writer()({"name": "progress", "step": 1})
    said = await _say("Let me see", 0.001)
    call = ToolCall(name="look_up", args={"topic": "prices"}, id="call-1", type="tool_call")
    return {"messages": [said, AIMessage("", tool_calls=[call], id="calls")], "done": ["greet"]}


async def ask(state: State) -> dict[str, Any]:
    return {"done": [f"asked {interrupt({'question': 'Shall I go on?'})}"]}


async def whisper(state: State) -> dict[str, Any]:
    return {"messages": [await _say("inside", 0.001)], "done": ["whisper"]}


async def close(state: State) -> dict[str, Any]:
    return {"messages": [await _say("Goodbye", 0.001)], "done": ["close"]}


def build_everything() -> StateGraph[Any, Any, Any, Any]:
    nested = StateGraph(State)
    nested.add_node("whisper", whisper)
    nested.add_edge(START, "whisper")
    graph = StateGraph(State)
    graph.add_node("greet", greet)
    graph.add_node("tools", ToolNode([look_up]))
    graph.add_node("nested", nested.compile(name="nested"))
    graph.add_node("ask", ask)
    graph.add_node("close", close)
    for before, after in pairwise((START, "greet", "tools", "nested", "ask", "close")):
        graph.add_edge(before, after)
    return graph


# --- rounds: four steps, each with a side effect and a streamed answer ---


def _part(name: str) -> Any:
    async def step(state: State, config: RunnableConfig, runtime: Runtime[None]) -> dict[str, Any]:
        await _do_once(config, runtime, name)
        return {"messages": [await _say(f"part {name} of the answer", state["pause_s"])], "done": [name]}

    return step


def build_rounds() -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(State)
    graph.add_sequence([(name, _part(name)) for name in PARTS])
    graph.add_edge(START, PARTS[0])
    return graph


# --- modes: what the last message says ---


class Working:
    """How many of the nodes that do not let go at once are at work, in this process."""

    count = 0


async def think(state: State) -> dict[str, Any]:
    return {"done": [f"thought of {state['messages'][-1].text}"]}


async def stream(state: State) -> dict[str, Any]:
    return {"messages": [await _say(LONG, 0.002)], "done": ["stream"]}


def thread(state: State) -> dict[str, Any]:
    """Works in a thread, which no cancellation reaches."""
    Working.count += 1
    time.sleep(0.4)
    Working.count -= 1
    return {"done": ["thread"]}


async def stubborn(state: State) -> dict[str, Any]:
    """Swallows the first cancellation for a while."""
    Working.count += 1
    try:
        await anyio.sleep(30)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.3)
            Working.count -= 1
    return {"done": ["stubborn"]}


async def brief(state: State) -> dict[str, Any]:
    return {"messages": [AIMessage("done")], "done": ["brief"]}


def _stride(name: str) -> Any:
    async def step(state: State, config: RunnableConfig, runtime: Runtime[None]) -> dict[str, Any]:
        await _do_once(config, runtime, name)
        await anyio.sleep(state["pause_s"])
        return {"done": [name]}

    return step


def build_modes() -> StateGraph[Any, Any, Any, Any]:
    nodes = {"stream": stream, "thread": thread, "stubborn": stubborn, "brief": brief, "ask": ask}
    graph = StateGraph(State)
    graph.add_node("think", think)
    for name, node in nodes.items():
        graph.add_node(name, node)
    graph.add_sequence([(name, _stride(name)) for name in MARCH])
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", lambda state: str(state["messages"][-1].text), [*nodes, MARCH[0]])
    return graph


everything, rounds, modes = build_everything(), build_rounds(), build_modes()
