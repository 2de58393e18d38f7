"""A graph that takes its time: one message to a step, with a pause before each word."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import anyio
from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from speaker import Speaker  # type: ignore[import-not-found]  # beside this file when served
from typing_extensions import TypedDict


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    done: Annotated[list[str], operator.add]
    todo: list[str]
    """What is still to be done, one step each."""
    pause_s: float
    """Seconds before each word."""


async def step(state: State) -> dict[str, Any]:
    """Does the first of what is to do, and speaks of it."""
    now, *later = state["todo"]
    pause_s = state.get("pause_s") or 0.01
    # A model that nobody listens to says its message at once.
    await anyio.sleep(pause_s)
    speaker = Speaker(text=f"I am now doing {now}.", pause_s=pause_s)
    said = await speaker.ainvoke(state["messages"])
    return {"messages": [said], "done": [now], "todo": later}


def after_step(state: State) -> str:
    """On to the next step while there is one."""
    return "step" if state["todo"] else END


async def make(config: RunnableConfig) -> StateGraph[State, None, State, State]:
    """The builder; an asynchronous factory that takes the config."""
    builder = StateGraph(State)
    builder.add_node("step", step)
    builder.add_edge(START, "step")
    builder.add_conditional_edges("step", after_step, ["step", END])
    return builder
