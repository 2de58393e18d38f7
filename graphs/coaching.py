"""Practice call: listen, track; the buyer replies while the coach looks on; wait for the rep, or debrief."""

from __future__ import annotations

from typing import Any, TypeVar

from langgraph.graph import END, START, StateGraph

from nodes.buyer import reply
from nodes.call import CallInput, CallState
from nodes.coach import look_on
from nodes.debrief import debrief
from nodes.listen import listen
from nodes.score import score
from nodes.settle import settle
from nodes.track import track
from runtime.context import Context

Graph = TypeVar("Graph", bound=StateGraph[CallState, Context, Any, Any])


def build() -> StateGraph[CallState, Context, CallInput, CallState]:
    """One run is one turn of the rep, or one command."""
    return wire(StateGraph(CallState, Context, input_schema=CallInput))


def build_within() -> StateGraph[CallState, Context]:
    """The same as a subgraph of a graph that keeps the call's state."""
    return wire(StateGraph(CallState, Context))


def wire(graph: Graph) -> Graph:
    """The nodes and edges."""
    graph.add_node("listen", listen)
    graph.add_node("track", track)
    graph.add_node("buyer", reply)
    graph.add_node("coach", look_on)
    graph.add_node("settle", settle)
    graph.add_node("score", score)
    graph.add_node("debrief", debrief)
    graph.add_edge(START, "listen")
    graph.add_conditional_edges("listen", _heard, {"turn": "track", "end": "settle", "aside": END})
    graph.add_edge("track", "buyer")
    graph.add_edge("track", "coach")
    graph.add_edge(["buyer", "coach"], "settle")
    graph.add_conditional_edges("settle", _ended, {True: "score", False: END})
    graph.add_edge("score", "debrief")
    graph.add_edge("debrief", END)
    return graph


def _heard(state: CallState) -> str:
    return state["heard"]


def _ended(state: CallState) -> bool:
    call = state["call"]
    return call is not None and call["status"] == "ended"
