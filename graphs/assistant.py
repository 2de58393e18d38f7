"""The front door: a message goes to a practice call, to the playbook or to a tool."""

from __future__ import annotations

from langgraph.graph import START, StateGraph

from graphs import coaching, rag, tool_calling
from nodes.call import CallInput
from nodes.front_door import Desk, route
from runtime.context import Context


def build() -> StateGraph[Desk, Context, CallInput, Desk]:
    """One run is one message or command. What the subgraphs keep between runs is in the shared state."""
    graph = StateGraph(Desk, Context, input_schema=CallInput)
    graph.add_node("route", route)
    graph.add_node("coaching", coaching.build_within().compile(name="coaching"))
    graph.add_node("rag", rag.build().compile(name="rag"))
    graph.add_node("tool_calling", tool_calling.build().compile(name="tool_calling"))
    graph.add_edge(START, "route")
    graph.add_conditional_edges("route", _to, ["coaching", "rag", "tool_calling"])
    return graph


def _to(state: Desk) -> str:
    return state["route"]
