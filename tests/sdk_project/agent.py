"""A graph with one of everything: tokens, a tool, a question, a nested graph, custom events."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from langchain_core.messages import AnyMessage, ToolCall
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolCallTransformer, ToolNode
from langgraph.stream.transformers import CustomTransformer, UpdatesTransformer
from langgraph.types import interrupt
from speaker import Speaker  # type: ignore[import-not-found]  # beside this file when served
from typing_extensions import TypedDict


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    steps: Annotated[list[str], operator.add]


class NestedState(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


@tool
def look_up(topic: str) -> str:
    """What the index says of a topic."""
    return f"the index knows {topic}"


async def greet(state: State) -> dict[str, Any]:
    """Says that it will look the topic up, and calls the tool."""
    write = get_stream_writer()
    write({"name": "progress", "payload": {"said": 0}})
    topic = str(state["messages"][-1].content)
    call = ToolCall(name="look_up", args={"topic": topic}, id="call-1", type="tool_call")
    said = await Speaker(text="Let me look that up.", call=call).ainvoke(state["messages"])
    write({"name": "progress", "payload": {"said": len(said.text)}})
    return {"messages": [said], "steps": ["greet"]}


def ask(state: State) -> dict[str, Any]:
    """Waits for a person."""
    get_stream_writer()({"name": "question", "asked": "Shall I go on?"})
    answer = interrupt({"question": "Shall I go on?"})
    return {"steps": [f"asked:{answer}"]}


async def whisper(state: NestedState) -> dict[str, Any]:
    """Speaks in the nested graph."""
    return {"messages": [await Speaker(text="From the inside.").ainvoke(state["messages"])]}


async def close(state: State) -> dict[str, Any]:
    """Says goodbye."""
    said = await Speaker(text="That was all for today.").ainvoke(state["messages"])
    return {"messages": [said], "steps": ["close"]}


nested = StateGraph(NestedState)
nested.add_node("whisper", whisper)
nested.add_edge(START, "whisper")

builder = StateGraph(State)
builder.add_node("greet", greet)
builder.add_node("tools", ToolNode([look_up]))
builder.add_node("ask", ask)
builder.add_node("nested", nested.compile(name="nested"))
builder.add_node("close", close)
builder.add_edge(START, "greet")
builder.add_edge("greet", "tools")
builder.add_edge("tools", "ask")
builder.add_edge("ask", "nested")
builder.add_edge("nested", "close")
builder.add_edge("close", END)
graph = builder.compile(
    name="agent", transformers=[CustomTransformer, UpdatesTransformer, ToolCallTransformer]
)
