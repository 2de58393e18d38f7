"""A graph that speaks first, and then fails."""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from speaker import Speaker  # type: ignore[import-not-found]  # beside this file when served
from typing_extensions import TypedDict


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


async def speak(state: State) -> dict[str, Any]:
    """Says something that will be kept."""
    return {"messages": [await Speaker(text="All is well.").ainvoke(state["messages"])]}


def fail(state: State) -> dict[str, Any]:
    """Raises."""
    raise ValueError("the ledger does not balance")


builder = StateGraph(State)
builder.add_node("speak", speak)
builder.add_node("fail", fail)
builder.add_edge(START, "speak")
builder.add_edge("speak", "fail")
graph = builder.compile(name="fails")
